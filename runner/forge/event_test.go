// Payloads of each kind, in the shape that GitHub's webhook reference gives them.
package forge

import (
	"fmt"
	"testing"
)

const repository = `"repository":{"full_name":"acme/flows","default_branch":"main"},"sender":{"login":"octocat"}`

func prPayload(action, head, rest string) string {
	return fmt.Sprintf(`{"action":%q,"number":7,"pull_request":{"number":7%s,"head":{"sha":"%s","ref":"topic","repo":%s},"base":{"sha":"%s","ref":"main","repo":{"full_name":"acme/flows"}}},%s}`,
		action, rest, headA, head, headB, repository)
}

func TestParseEvent(t *testing.T) {
	own, fork := `{"full_name":"acme/flows"}`, `{"full_name":"mallory/flows"}`
	pr := Event{Action: "opened", Repo: "acme/flows", Number: 7, BaseSHA: headB, HeadSHA: headA, BaseRef: "main", HeadRef: "topic", DefaultBranch: "main"}
	with := func(name string, change func(*Event)) Event {
		e := pr
		e.Name = name
		change(&e)
		return e
	}
	bare := func(name string, change func(*Event)) Event {
		e := Event{Name: name, Repo: "acme/flows", DefaultBranch: "main"}
		change(&e)
		return e
	}
	zero := "0000000000000000000000000000000000000000"
	cases := []struct {
		label, name, payload string
		want                 Event
	}{
		{"opened", "pull_request", prPayload("opened", own, ""), with("pull_request", func(*Event) {})},
		{"fork", "pull_request", prPayload("opened", fork, ""), with("pull_request", func(e *Event) { e.HeadRepoFork = true })},
		{"the fork is gone", "pull_request", prPayload("opened", "null", ""), with("pull_request", func(e *Event) { e.HeadRepoFork = true })},
		{"no repositories", "pull_request", `{"action":"opened","number":7,"pull_request":{}}`, Event{Name: "pull_request", Action: "opened", Number: 7, HeadRepoFork: true}},
		{"merged", "pull_request", prPayload("closed", own, `,"merged":true`), with("pull_request", func(e *Event) { e.Action, e.Merged = "closed", true })},
		{"target", "pull_request_target", prPayload("opened", fork, ""), with("pull_request_target", func(e *Event) { e.HeadRepoFork = true })},
		{"push", "push", `{"ref":"refs/heads/main","before":"` + headA + `","after":"` + headB + `",` + repository + `}`,
			bare("push", func(e *Event) { e.Ref, e.Before, e.After = "refs/heads/main", headA, headB })},
		{"new branch", "push", `{"ref":"refs/heads/x","before":"` + zero + `","after":"` + headB + `",` + repository + `}`,
			bare("push", func(e *Event) { e.Ref, e.After = "refs/heads/x", headB })},
		{"merge group", "merge_group", `{"action":"checks_requested","merge_group":{"head_sha":"` + headA + `","head_ref":"refs/heads/gh-readonly-queue/main/pr-7","base_sha":"` + headB + `","base_ref":"refs/heads/main"},` + repository + `}`,
			bare("merge_group", func(e *Event) {
				e.Action, e.HeadSHA, e.BaseSHA, e.HeadRef, e.BaseRef = "checks_requested", headA, headB, "gh-readonly-queue/main/pr-7", "main"
			})},
		{"workflow run", "workflow_run", `{"action":"completed","workflow_run":{"id":99,"head_sha":"` + headA + `","head_branch":"topic","head_repository":` + fork + `,"actor":{"login":"dependabot[bot]"}},` + repository + `}`,
			bare("workflow_run", func(e *Event) {
				e.Action, e.RunID, e.HeadSHA, e.HeadRef, e.HeadRepoFork, e.Dependabot = "completed", 99, headA, "topic", true, true
			})},
		{"release", "release", `{"action":"published","release":{"tag_name":"v1"},` + repository + `}`, bare("release", func(e *Event) { e.Action, e.Ref = "published", "refs/tags/v1" })},
		{"schedule", "schedule", `{"schedule":"0 3 * * *"}`, Event{Name: "schedule"}},
		{"dispatch", "workflow_dispatch", `{"ref":"refs/heads/main","inputs":{"a":"b"},` + repository + `}`, bare("workflow_dispatch", func(e *Event) { e.Ref = "refs/heads/main" })},
		{"dependabot", "push", `{"ref":"refs/heads/x","repository":{"full_name":"acme/flows"},"sender":{"login":"dependabot[bot]"}}`, Event{Name: "push", Repo: "acme/flows", Ref: "refs/heads/x", Dependabot: true}},
	}
	for _, tc := range cases {
		t.Run(tc.label, func(t *testing.T) {
			if got, err := ParseEvent(tc.name, []byte(tc.payload)); err != nil || got != tc.want {
				t.Errorf("%+v %v\nwant %+v", got, err, tc.want)
			}
		})
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add("pull_request", []byte(prPayload("opened", "null", "")))
	f.Add("push", []byte(`{"before":1}`))
	f.Add("workflow_run", []byte(`{"workflow_run":null}`))
	f.Add("merge_group", []byte(`{}`))
	f.Add("release", []byte(`null`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		if e, err := ParseEvent(name, data); err == nil && e.Name != name {
			t.Error(e)
		}
	})
}
