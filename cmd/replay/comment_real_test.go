//go:build real

// The comment's whole story, as it happens to a team: the workflow of testdata/quickstart through act, a real Prefect server on one side and on the other GitHub's API
// (an emulator that others wrote, and what it lacks in front of it: forgetest). The payloads are made of what that API says of the pull request and the repository, as
// GitHub makes them; the commits are those of the repository that is checked out.
package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/forge/forgetest"
	"github.com/org/prefect-deploy-action/runner/replay"
)

const (
	teamToken     = "team-token-for-tests"
	strangerToken = "stranger-token-for-tests"
	jobToken      = "job-token-for-tests"
	forgeSeed     = `
tokens:
  ` + teamToken + `: {login: example, scopes: [repo, user]}
  ` + strangerToken + `: {login: stranger, scopes: [repo, user]}
  ` + jobToken + `: {login: "github-actions[bot]", scopes: [repo, user]}
github:
  users:
    - {login: example, name: A Team}
    - {login: stranger, name: A Stranger}
    - {login: "dependabot[bot]", name: Dependabot}
    - {login: "github-actions[bot]", name: Actions}
  repos:
    - {owner: example, name: quickstart, auto_init: true}
`
)

// team is a repository with its GitHub and its Prefect server.
type team struct {
	*repository
	gitHub  *forgetest.Front
	prefect *server
	runs    int
}

func newTeam(t *testing.T) *team {
	t.Helper()
	w := &team{repository: newRepository(t), prefect: prefectServer(t), runs: 100}
	w.cache = cacheWithProgram(t)
	w.gitHub = forgetest.NewFront(t, forgetest.Emulator(t, forgeSeed), "/repos/example/quickstart", jobToken)
	w.edit(t, "contents: read", "contents: read\n  pull-requests: write\n  deployments: write")
	w.edit(t, "- uses: org/", "- id: deploy\n        uses: org/")
	w.edit(t, "all-deployments: true\n", "all-deployments: true\n          environment: production\n")
	w.gitHub.Same(w.commit(t, "workflow"), forgetest.Head(t, teamToken, w.gitHub.Repo, "main"))
	return w
}

// cacheWithProgram is actions/cache as it is from the second run on: it holds the program.
func cacheWithProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`name: cache
description: A cache that has what is asked of it
inputs: {path: {description: Where to}, key: {description: Not used}}
outputs: {cache-hit: {description: Always true, value: "true"}}
runs:
  using: composite
  steps:
    - {shell: bash, env: {AT: "${{ inputs.path }}"}, run: 'mkdir -p "$AT" && cp %q "$AT"'}
`, filepath.Join(programs(t), "run"))
	if err := os.WriteFile(filepath.Join(dir, "action.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// happens runs the workflow for an event, with the token that GitHub would give to it.
func (w *team) happens(t *testing.T, event string, payload forgetest.Object, token, actor string, more ...string) (*replay.Result, string) {
	t.Helper()
	w.runs++
	w.gitHub.Take()
	file := filepath.Join(t.TempDir(), "event.json")
	data, err := json.MarshalIndent(payload, "", "  ")
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--actor", actor, "--secret", "GITHUB_TOKEN=" + token, "--env", "GITHUB_API_URL=" + w.gitHub.URL, "--env", fmt.Sprint("GITHUB_RUN_ID=", w.runs),
		"--env", "GITHUB_RUN_ATTEMPT=1", "--env", fmt.Sprint("GITHUB_RUN_NUMBER=", w.runs-100)}
	result, log := w.run(t, event, file, w.prefect, append(args, more...)...)
	if strings.Contains(log, jobToken) {
		t.Error("the token is in the log")
	}
	return result, log
}

// pullRequest is the payload of an event of a pull request.
func (w *team) pullRequest(t *testing.T, action string, number int, sender string) forgetest.Object {
	t.Helper()
	payload := w.common(t, sender)
	var pr forgetest.Object
	forgetest.Must(t, teamToken, "GET", fmt.Sprintf("%s/pulls/%d", w.gitHub.Repo, number), nil, &pr)
	payload["action"], payload["number"], payload["pull_request"] = action, number, pr
	return payload
}

// push is the payload of a push to main.
func (w *team) push(t *testing.T, before, after string) forgetest.Object {
	t.Helper()
	payload := w.common(t, "example")
	head := forgetest.Object{"id": after, "message": "Merge", "distinct": true}
	for k, v := range map[string]any{"ref": "refs/heads/main", "before": before, "after": after, "created": false, "deleted": false, "forced": false, "base_ref": nil,
		"commits": []any{head}, "head_commit": head, "pusher": forgetest.Object{"name": "example"}} {
		payload[k] = v
	}
	return payload
}

func (w *team) common(t *testing.T, sender string) forgetest.Object {
	t.Helper()
	var repository, user forgetest.Object
	forgetest.Must(t, teamToken, "GET", w.gitHub.Repo, nil, &repository)
	forgetest.Must(t, teamToken, "GET", w.gitHub.URL+"/users/"+sender, nil, &user)
	return forgetest.Object{"repository": repository, "sender": user}
}

// comment is the one comment of a pull request.
func (w *team) comment(t *testing.T, number int) forgetest.Remark {
	t.Helper()
	all := forgetest.Comments(t, teamToken, w.gitHub.Repo, number)
	if len(all) != 1 || all[0].User.Login != forgetest.ActionsBot {
		t.Fatalf("%d comments: %+v", len(all), all)
	}
	return all[0]
}

// untouched fails when anything was written to the Prefect server, or nothing asked.
func (w *team) untouched(t *testing.T) {
	t.Helper()
	if writes, all := w.prefect.take(); len(writes) > 0 || all == 0 {
		t.Errorf("%d requests to the Prefect server, of which writes: %v", all, writes)
	}
}

func lacks(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
}

// topic makes a branch with one commit of what stands in the work tree, and a pull request of it.
func (w *team) topic(t *testing.T, name string) (number int, head string) {
	t.Helper()
	w.git(t, "switch", "-q", "-c", name)
	head = w.commit(t, name)
	forgetest.Branch(t, teamToken, w.gitHub.Repo, name)
	w.gitHub.Same(head, forgetest.Commit(t, teamToken, w.gitHub.Repo, name, name+".txt"))
	return forgetest.Open(t, teamToken, w.gitHub.Repo, name), head
}

func TestTheCommentFromPullRequestToDeploy(t *testing.T) {
	w := newTeam(t)
	base := w.git(t, "rev-parse", "HEAD")
	result, log := w.happens(t, "push", w.push(t, strings.Repeat("0", 40), base), jobToken, "example")
	if result.Failed() || output(result, "create") != "3" {
		t.Fatalf("%+v\n%s", result.Outputs, log)
	}
	w.prefect.take()

	w.editFile(t, "prefect.yaml", `"0 * * * *"`, `"*/30 * * * *"`)
	w.editFile(t, "prefect.yaml", "times: 3", "times: 4")
	number, first := w.topic(t, "topic")
	result, log = w.happens(t, "pull_request", w.pullRequest(t, "opened", number, "example"), jobToken, "example")
	if result.Failed() || output(result, "result") != "planned" {
		t.Fatalf("%+v\n%s", result.Outputs, log)
	}
	w.untouched(t)
	c := w.comment(t, number)
	if url := output(result, "comment-url"); url != c.URL || url == "" {
		t.Errorf("comment-url %q, and the comment's is %q", url, c.URL)
	}
	lacks(t, c.Body, `<!-- prefect-deploy-action {"v":1,"key":"prefect.yaml#production"`, `"head":"`+first, "\n### Prefect plan: 1 to update", "`production`", "2 to rebuild", "```diff\n",
		"-   0 * * * *", "+   */30 * * * *", "-   3", "+   4", "greet/hourly", first[:7], "Merging applies")

	w.editFile(t, "prefect.yaml", "  - name: on-demand", "  - name: by-hand")
	second := w.commit(t, "another name")
	w.gitHub.Same(second, forgetest.Move(t, teamToken, w.gitHub.Repo, number))
	result, log = w.happens(t, "pull_request", w.pullRequest(t, "synchronize", number, "example"), jobToken, "example")
	edited := w.comment(t, number)
	if result.Failed() || edited.ID != c.ID || output(result, "comment-url") != c.URL {
		t.Fatalf("%+v\n%s", result.Outputs, log)
	}
	w.untouched(t)
	lacks(t, edited.Body, `"head":"`+second, "### Prefect plan: 1 to create, 1 to update", "greet/by-hand", "1 kept", "write `x-ci: {renamed-from: {greet/by-hand: greet/on-demand}}` to keep its state")

	w.git(t, "switch", "-q", "main")
	w.git(t, "merge", "-q", "--no-ff", "-m", "Merge topic", "topic")
	merge := w.git(t, "rev-parse", "HEAD")
	w.gitHub.Same(merge, forgetest.Merge(t, teamToken, w.gitHub.Repo, number, "merge"))
	result, log = w.happens(t, "pull_request", w.pullRequest(t, "closed", number, "example"), jobToken, "example")
	if result.Failed() || output(result, "result") != "skipped" || output(result, "comment-url") != c.URL {
		t.Errorf("%+v\n%s", result.Outputs, log)
	}
	lacks(t, w.comment(t, number).Body, "Merged: the next deploy")

	result, log = w.happens(t, "push", w.push(t, base, merge), jobToken, "example")
	if result.Failed() || output(result, "result") != "applied" || output(result, "create") != "1" || output(result, "update") != "1" {
		t.Fatalf("%+v\n%s", result.Outputs, log)
	}
	if writes, _ := w.prefect.take(); len(writes) == 0 {
		t.Error("nothing was written to the Prefect server")
	}
	if n := len(w.prefect.deployments(t)); n != 4 {
		t.Errorf("%d deployments", n)
	}
	applied := w.comment(t, number)
	lacks(t, applied.Body, fmt.Sprintf("Applied in [run %d](https://github.com/example/quickstart/actions/runs/%d): 1 created, 1 updated", w.runs-100, w.runs), `"head":"`+second)
	if applied.ID != c.ID || strings.Contains(applied.Body, "Merging applies") || strings.Contains(applied.Body, "Merged: the next") {
		t.Errorf("comment %d, then %d:\n%s", c.ID, applied.ID, applied.Body)
	}

	before := fmt.Sprint(w.prefect.deployments(t))
	result, log = w.happens(t, "push", w.push(t, base, merge), jobToken, "example")
	if result.Failed() || output(result, "changed") != "false" {
		t.Errorf("%+v\n%s", result.Outputs, log)
	}
	w.untouched(t)
	if after := fmt.Sprint(w.prefect.deployments(t)); after != before {
		t.Errorf("the server changed:\n%s\n%s", before, after)
	}
	if again := w.comment(t, number); again != applied {
		t.Errorf("what was done is no longer said:\n%s", again.Body)
	}
	if states := fmt.Sprint(w.states()); states != "[in_progress success in_progress success in_progress success]" {
		t.Errorf("the deployments' statuses: %s", states)
	}
	if dir := os.Getenv("COMMENTS"); dir != "" { // to look at them
		for name, body := range map[string]string{"before.md": edited.Body, "after.md": applied.Body} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAPullRequestIsClosedWithoutMerge(t *testing.T) {
	w := newTeam(t)
	w.editFile(t, "prefect.yaml", "times: 3", "times: 4")
	number, _ := w.topic(t, "never")
	result, log := w.happens(t, "pull_request", w.pullRequest(t, "opened", number, "example"), jobToken, "example")
	lacks(t, w.comment(t, number).Body, "3 to create", "Merging applies")
	w.untouched(t)
	forgetest.Must(t, teamToken, "PATCH", fmt.Sprintf("%s/pulls/%d", w.gitHub.Repo, number), forgetest.Object{"state": "closed"}, nil)
	closed, more := w.happens(t, "pull_request", w.pullRequest(t, "closed", number, "example"), jobToken, "example")
	if result.Failed() || closed.Failed() || output(closed, "result") != "skipped" {
		t.Errorf("%+v %+v\n%s\n%s", result.Outputs, closed.Outputs, log, more)
	}
	lacks(t, w.comment(t, number).Body, "Closed without merging: this plan is not applied.")
	if writes, all := w.prefect.take(); all > 0 {
		t.Errorf("%d requests to the Prefect server, of which writes: %v", all, writes)
	}
}

// TestStrangersPullRequests: jobs with a token that reads only and no secrets. Nothing but the summary may come of them, and they are green.
func TestStrangersPullRequests(t *testing.T) {
	w := newTeam(t)
	w.editFile(t, "prefect.yaml", "times: 3", "times: 4")
	bot, _ := w.topic(t, "dependabot")
	var fork struct{ URL string }
	forgetest.Must(t, strangerToken, "POST", w.gitHub.Repo+"/forks", forgetest.Object{}, &fork)
	forgetest.Commit(t, strangerToken, w.gitHub.URL+"/repos/stranger/quickstart", "main", "fork.txt")
	stranger := forgetest.Open(t, strangerToken, w.gitHub.Repo, "stranger:main")
	for _, c := range []struct {
		number int
		actor  string
	}{{stranger, "stranger"}, {bot, "dependabot[bot]"}} {
		t.Run(c.actor, func(t *testing.T) {
			payload := w.pullRequest(t, "opened", c.number, c.actor)
			if head := payload["pull_request"].(forgetest.Object)["head"].(forgetest.Object)["repo"].(forgetest.Object)["full_name"]; (head == "stranger/quickstart") != (c.actor == "stranger") {
				t.Fatalf("the head is of %s", head)
			}
			result, log := w.happens(t, "pull_request", payload, w.gitHub.ReadOnly, c.actor)
			if result.Failed() || output(result, "result") != "planned" || output(result, "update") != "1" || output(result, "comment-url") != "" {
				t.Errorf("%+v\n%s", result.Outputs, log)
			}
			lacks(t, strings.Join(result.Summaries, "\n"), "greet/hourly", "+   4")
			var notices []string
			for _, a := range result.Annotations {
				if a.Fields["file"] == "" { // those of a line tell the changes
					notices = append(notices, a.Kind+": "+a.Text)
				}
			}
			const want = "notice: the jobs of this pull request are given no secrets, so the plan is made against what its base commit declares, not against the Prefect server. Nor may they comment: the plan is in this job's summary"
			if len(notices) != 1 || notices[0] != want {
				t.Errorf("%s", strings.Join(notices, "\n"))
			}
			if all := forgetest.Comments(t, teamToken, w.gitHub.Repo, c.number); len(all) > 0 {
				t.Errorf("comments: %+v", all)
			}
			if _, all := w.prefect.take(); all > 0 {
				t.Errorf("%d requests to the Prefect server", all)
			}
		})
	}
}

// TestAForksPlanGetsIntoACommentInTwoStages runs the two workflows of docs/forks.md. What act has no stand-in for is one here: the artifact's upload, which keeps the file, and
// the download of the program that the second stage runs.
func TestAForksPlanGetsIntoACommentInTwoStages(t *testing.T) {
	w := newTeam(t)
	for _, name := range []string{"prefect-plan.yml", "prefect-comment.yml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "action", ".github", "workflows", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(w.dir, ".github", "workflows", name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.gitHub.Same(w.commit(t, "two stages"), forgetest.Commit(t, teamToken, w.gitHub.Repo, "main", "stages.txt"))
	forgetest.Must(t, strangerToken, "POST", w.gitHub.Repo+"/forks", forgetest.Object{}, nil)
	w.editFile(t, "prefect.yaml", "times: 3", "times: 4")
	head := w.commit(t, "from outside")
	w.gitHub.Same(head, forgetest.Commit(t, strangerToken, w.gitHub.URL+"/repos/stranger/quickstart", "main", "fork.txt"))
	number := forgetest.Open(t, strangerToken, w.gitHub.Repo, "stranger:main")

	kept := t.TempDir()
	w.workflow = filepath.Join(".github", "workflows", "prefect-plan.yml")
	payload := w.pullRequest(t, "opened", number, "stranger")
	result, log := w.happens(t, "pull_request", payload, w.gitHub.ReadOnly, "stranger", "--action", "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02="+uploadTo(t, kept))
	plan, err := os.ReadFile(filepath.Join(kept, "plan.json"))
	if result.Failed() || err != nil || len(forgetest.Comments(t, teamToken, w.gitHub.Repo, number)) > 0 {
		t.Fatalf("%v\n%s", err, log)
	}
	first := w.runs
	fork := payload["pull_request"].(forgetest.Object)["head"].(forgetest.Object)["repo"].(forgetest.Object)
	run := forgetest.Object{"id": first, "run_attempt": 1, "event": "pull_request", "conclusion": "success", "head_sha": head, "head_branch": "main", "head_repository": fork, "actor": forgetest.Object{"login": "stranger"}}
	w.gitHub.Runs[int64(first)], w.gitHub.Archives[int64(first)] = run, map[string][]byte{"prefect-plan": zipped(t, "plan.json", plan)}

	w.workflow = filepath.Join(".github", "workflows", "prefect-comment.yml")
	w.editFile(t, w.workflow, "go run github.com/org/prefect-deploy-action/cmd/run@v1", filepath.Join(programs(t), "run"))
	completed := w.common(t, "stranger")
	completed["action"], completed["workflow_run"] = "completed", run
	for range 2 { // again is the same
		if result, log = w.happens(t, "workflow_run", completed, jobToken, "stranger"); result.Failed() {
			t.Fatalf("%+v\n%s", result, log)
		}
		lacks(t, w.comment(t, number).Body, `"head":"`+head, "nobody has verified it", "### Prefect plan: 1 to update", "+   4", fmt.Sprint("/actions/runs/", first))
	}
	if _, all := w.prefect.take(); all > 0 {
		t.Errorf("%d requests to the Prefect server", all)
	}
	run["head_repository"], run["actor"] = completed["repository"], forgetest.Object{"login": "example"} // a branch of the team's own: the job's condition leaves it out
	if result, log = w.happens(t, "workflow_run", completed, jobToken, "example"); len(result.Jobs) != 1 || result.Jobs[0].Result != "skipped" || len(w.gitHub.Take()) > 0 {
		t.Errorf("%+v\n%s", result.Jobs, log)
	}
}

// uploadTo is an actions/upload-artifact that copies the file into a directory.
func uploadTo(t *testing.T, kept string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`name: upload
description: Keeps a file
inputs: {name: {description: Not used}, path: {description: The file}, retention-days: {description: Not used}}
runs:
  using: composite
  steps:
    - {shell: bash, env: {FILE: "${{ inputs.path }}"}, run: 'cp "$FILE" %q'}
`, kept)
	if err := os.WriteFile(filepath.Join(dir, "action.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func zipped(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err == nil {
		_, err = f.Write(data)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// states are those of all deployments' statuses, oldest first.
func (w *team) states() (out []string) {
	for i := len(w.gitHub.Board.Deployments) - 1; i >= 0; i-- {
		list := w.gitHub.Board.Statuses[w.gitHub.Board.Deployments[i]["id"].(int)]
		for j := len(list) - 1; j >= 0; j-- {
			out = append(out, fmt.Sprint(list[j]["state"]))
		}
	}
	return out
}
