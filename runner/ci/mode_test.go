// The table of `auto`, row by row, each with the payload that GitHub sends with such an event.
package ci

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// row is one event and what `auto` makes of it; says is a part of the warning, notice or error.
type row struct {
	name, payload, ref, actor, branches string
	mode                                Mode
	says                                string
	stranger                            bool
}

func rows() []row {
	const pr = "refs/pull/7/merge"
	return []row{
		{name: "pull_request", payload: "pull_request_opened", ref: pr, mode: Plan},
		{name: "pull_request", payload: "pull_request_synchronize", ref: pr, mode: Plan},
		{name: "pull_request", payload: "pull_request_reopened", ref: pr, mode: Plan},
		{name: "pull_request", payload: "pull_request_ready_for_review", ref: pr, mode: Plan},
		{name: "pull_request", payload: "pull_request_fork", ref: pr, mode: Plan, stranger: true},
		{name: "pull_request", payload: "pull_request_fork_deleted", ref: pr, mode: Plan, stranger: true},
		{name: "pull_request", payload: "pull_request_dependabot", ref: pr, actor: "dependabot[bot]", mode: Plan, stranger: true},
		{name: "pull_request", payload: "pull_request_closed", ref: pr, mode: Nothing, says: "closed"},
		{name: "pull_request", payload: "pull_request_labeled", ref: pr, says: `"labeled"`},
		{name: "merge_group", payload: "merge_group_checks_requested", ref: "refs/heads/gh-readonly-queue/main/pr-7-2", mode: Plan},
		{name: "push", payload: "push_main", ref: "refs/heads/main", mode: Deploy},
		{name: "push", payload: "push_main", mode: Deploy}, // GITHUB_REF unset: the payload tells
		{name: "push", payload: "push_main", ref: "refs/heads/main", branches: "release/*", mode: Plan, says: `from "main"`},
		{name: "push", payload: "push_branch", ref: "refs/heads/release/2026-11", mode: Plan, says: "deploy-branches: main, release/2026-11"},
		{name: "push", payload: "push_branch", ref: "refs/heads/release/2026-11", branches: "main\nrelease/*", mode: Deploy},
		{name: "push", payload: "push_tag", ref: "refs/tags/v1.2.0", branches: "**", mode: Plan, says: "mode: deploy"},
		{name: "push", payload: "push_deleted", ref: "refs/heads/main", mode: Nothing, says: "deleted"},
		{name: "push", payload: "push_no_default", ref: "refs/heads/main", says: "deploy-branches"},
		{name: "push", payload: "push_no_default", ref: "refs/heads/main", branches: "main", mode: Deploy},
		{name: "release", payload: "release_published", ref: "refs/tags/v1.2.0", mode: Deploy},
		{name: "schedule", payload: "schedule", ref: "refs/heads/main", mode: Deploy},
		{name: "workflow_dispatch", payload: "workflow_dispatch", ref: "refs/heads/main", mode: Deploy},
		{name: "pull_request_target", payload: "pull_request_target_fork", ref: "refs/heads/main", says: "secrets", stranger: true},
		{name: "workflow_run", payload: "workflow_run_completed", ref: "refs/heads/main", says: "secrets"},
		{name: "issue_comment", payload: "issue_comment_created", ref: "refs/heads/main", says: "mode: plan"},
		{name: "", payload: "push_main", says: "GITHUB_EVENT_NAME"},
	}
}

func TestAutoFollowsTheTable(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.name+" "+r.payload+" "+strings.ReplaceAll(r.branches, "\n", ","), func(t *testing.T) {
			j := jobWith(io.Discard, map[string]string{"GITHUB_EVENT_NAME": r.name, "GITHUB_EVENT_PATH": event(r.payload), "GITHUB_REF": r.ref, "GITHUB_ACTOR": r.actor,
				Variable("deploy-branches"): r.branches})
			in, err := j.Inputs()
			if err != nil {
				t.Fatal(err)
			}
			e, err := j.Event()
			if err != nil {
				t.Fatal(err)
			}
			if e.Stranger != r.stranger {
				t.Errorf("stranger is %v", e.Stranger)
			}
			c, err := Choose(in, e)
			if (err != nil) != (r.mode == "") {
				t.Fatalf("chose %q, error %v; expected mode %q", c.Mode, err, r.mode)
			}
			said := c.Warning + c.Notice
			if err != nil {
				said = err.Error()
				if !strings.Contains(said, "mode: plan") && !strings.Contains(said, "deploy-branches") {
					t.Errorf("the error does not say what to set: %s", said)
				}
			}
			if c.Mode != r.mode || !strings.Contains(said, r.says) || (r.says == "") != (said == "") {
				t.Errorf("chose %q and said %q; expected %q with %q", c.Mode, said, r.mode, r.says)
			}
			for _, set := range []Mode{Plan, Deploy, Check} {
				in.Mode = set
				if c, err := Choose(in, e); err != nil || c != (Choice{Mode: set}) {
					t.Errorf("mode: %s is not taken at its word: %v %v", set, c, err)
				}
			}
		})
	}
}

func event(name string) string {
	return filepath.Join("..", "..", "testdata", "action", "events", name+".json")
}

func jobWith(out io.Writer, env map[string]string) *Job {
	return New(out, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
}

func TestPayloadsOfAnyShapeAreRead(t *testing.T) {
	for name, text := range map[string]string{"empty": "{}", "null": "null", "texts": `{"pull_request":"x","repository":[],"action":7,"deleted":"yes","ref":{}}`,
		"nested": `{"pull_request":{"head":7,"base":{"repo":null}},"repository":null}`} {
		t.Run(name, func(t *testing.T) {
			j := jobWith(io.Discard, map[string]string{"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": write(t, text)})
			e, err := j.Event()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Choose(Inputs{Mode: Auto, DeployBranches: []string{"**"}}, e); err == nil {
				t.Error("a push without a branch was accepted")
			}
		})
	}
	for name, text := range map[string]string{"cut": `{"ref": "refs/he`, "list": `[]`, "nothing": ""} {
		j := jobWith(io.Discard, map[string]string{"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": write(t, text)})
		if _, err := j.Event(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestBranchPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"main", "main", true}, {"main", "maintenance", false}, {"main", "old/main", false}, {"*", "main", true}, {"*", "a/b", false}, {"**", "a/b", true},
		{"release/*", "release/1", true}, {"release/*", "release/1/2", false}, {"release/**", "release/1/2", true}, {"release/**", "release", false},
		{"*-stable", "v1-stable", true}, {"**/hotfix", "a/b/hotfix", true}, {"", "", true}, {"", "x", false}, {"v*.*", "v1.2", true}, {"v*.*", "v12", false},
		{strings.Repeat("*a", 100), strings.Repeat("a", 200) + "b", false},
	} {
		if got := match(c.pattern, c.name); got != c.want {
			t.Errorf("%q against %q: %v", c.pattern, c.name, got)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("release/**", "release/1/2")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if !strings.Contains(pattern, "*") && match(pattern, name) != (pattern == name) {
			t.Errorf("%q against %q", pattern, name)
		}
		if !match("**", name) {
			t.Errorf("** against %q", name)
		}
	})
}

func FuzzEvent(f *testing.F) {
	f.Add("push", `{"ref":"refs/heads/main","repository":{"default_branch":"main"}}`, "refs/heads/main")
	f.Add("pull_request", `{"action":"opened","pull_request":{"head":{"repo":{"full_name":"a/b"}}}}`, "")
	path := filepath.Join(f.TempDir(), "event.json") // one for all: a directory for each would be most of the work
	f.Fuzz(func(t *testing.T, name, payload, ref string) {
		if err := os.WriteFile(path, []byte(payload), 0o600); err != nil {
			t.Fatal(err)
		}
		j := jobWith(io.Discard, map[string]string{"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": path, "GITHUB_REF": ref})
		e, err := j.Event()
		if err != nil {
			return
		}
		if c, err := Choose(Inputs{Mode: Auto}, e); err == nil && c.Mode == Deploy && name != "push" && name != "release" && name != "schedule" && name != "workflow_dispatch" {
			t.Errorf("%q deploys", name)
		}
	})
}
