package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// gitHub is as much of GitHub as one pull request needs: its comments, its commits, and the deployments' board. With refuse everything is 403.
type gitHub struct {
	mu       sync.Mutex
	head     string
	comments []map[string]any
	statuses []string
	refuse   bool
	requests []string
	started  func() // called when a status says in_progress
	// deployments are what stands on the board already; all of them succeeded, and say what the last success of this run said.
	deployments []any
	said        any
	// env is what the job's environment has beside the usual.
	env map[string]string
}

func (g *gitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var in map[string]any
	_ = json.Unmarshal(body, &in)
	g.requests = append(g.requests, r.Method+" "+r.URL.Path)
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/repos/org/quickstart"), "/repos/org/other")
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	bot := map[string]any{"login": "github-actions[bot]", "type": "Bot"}
	switch {
	case g.refuse:
		answer(403, map[string]any{"message": "Resource not accessible by integration"})
	case strings.HasPrefix(path, "/issues/7/comments") && r.Method == "POST":
		g.comments = append(g.comments, map[string]any{"id": len(g.comments) + 1, "body": in["body"], "user": bot, "html_url": fmt.Sprintf("https://github.test/c/%d", len(g.comments)+1)})
		answer(201, g.comments[len(g.comments)-1])
	case strings.HasPrefix(path, "/issues/7/comments"):
		answer(200, g.comments)
	case strings.HasPrefix(path, "/issues/comments/") && r.Method == "PATCH":
		for _, c := range g.comments {
			if fmt.Sprint("/issues/comments/", c["id"]) == path {
				c["body"] = in["body"]
				answer(200, c)
			}
		}
	case path == "/pulls/7":
		answer(200, map[string]any{"number": 7, "state": "open", "head": map[string]any{"sha": g.head}, "base": map[string]any{"ref": "main"}})
	case strings.HasPrefix(path, "/compare/"):
		answer(200, map[string]any{"total_commits": 1, "commits": []any{map[string]any{"sha": strings.Repeat("b", 40)}}})
	case strings.HasSuffix(path, "/pulls"):
		answer(200, []any{map[string]any{"number": 7, "state": "closed", "merged_at": "2026-11-24T01:02:03Z", "merge_commit_sha": strings.Repeat("b", 40), "head": map[string]any{"sha": g.head}, "base": map[string]any{"ref": "main"}}})
	case strings.HasSuffix(path, "/statuses") && r.Method == "POST":
		g.statuses = append(g.statuses, fmt.Sprint(in["state"]))
		if in["state"] == "success" {
			g.said = in["description"]
		}
		if in["state"] == "in_progress" && g.started != nil {
			g.started()
		}
		answer(201, map[string]any{"id": 1})
	case path == "/deployments" && r.Method == "GET" && len(g.deployments) > 0 && r.URL.Query().Get("environment") != "":
		answer(200, g.deployments)
	case strings.HasSuffix(path, "/statuses") && len(g.deployments) > 0:
		answer(200, []any{map[string]any{"state": "success", "description": g.said}})
	case path == "/deployments" && r.Method == "POST":
		answer(201, map[string]any{"id": 5, "payload": in["payload"]})
	case path == "/user":
		answer(403, map[string]any{"message": "Resource not accessible by integration"})
	default:
		answer(200, []any{})
	}
}

// reviewed calls the action with GitHub behind it.
func reviewed(t *testing.T, g *gitHub, event, name, ref, state string, inputs map[string]string) called {
	t.Helper()
	return reviewedUntil(context.Background(), t, g, event, name, ref, state, inputs)
}

// reviewedUntil does so with a context that may end.
func reviewedUntil(ctx context.Context, t *testing.T, g *gitHub, event, name, ref, state string, inputs map[string]string) called {
	t.Helper()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	all := map[string]string{"all-deployments": "true", "github-token": "token-canary", "environment": "production"}
	for k, v := range inputs {
		all[k] = v
	}
	env := map[string]string{"GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "org/quickstart",
		"GITHUB_RUN_ID": "11", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_RUN_NUMBER": "3", "GITHUB_SERVER_URL": "https://github.test", "GITHUB_SHA": strings.Repeat("b", 40)}
	for k, v := range g.env {
		env[k] = v
	}
	return callAction(t, call{ctx: ctx, dir: quickstart(), name: name, event: event, ref: ref, state: state, inputs: all, env: env})
}

func eventOf(t *testing.T, name string) map[string]any {
	t.Helper()
	var payload map[string]any
	if err := json.Unmarshal([]byte(read("../../testdata/action/events/"+name+".json")), &payload); err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestThePullRequestsCommentFromPlanToResult(t *testing.T) {
	pr := eventOf(t, "pull_request_opened")
	if pr["number"] != float64(7) {
		t.Fatalf("the payload is of pull request %v", pr["number"])
	}
	g := &gitHub{head: pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)}
	r := reviewed(t, g, "pull_request_opened", "pull_request", "refs/pull/7/merge", "", map[string]string{"plan-key": "key-canary"})
	if r.code != 0 || len(g.comments) != 1 || r.outputs["comment-url"] != "https://github.test/c/1" {
		t.Fatalf("exit %d, %d comments, outputs %v\n%s\n%v", r.code, len(g.comments), r.outputs, r.log, g.requests)
	}
	body := fmt.Sprint(g.comments[0]["body"])
	for _, want := range []string{"3 to create", "production", "greet/hourly", "Merging applies this plan"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	reviewed(t, g, "pull_request_opened", "pull_request", "refs/pull/7/merge", "", map[string]string{"plan-key": "key-canary"})
	if len(g.comments) != 1 {
		t.Fatalf("a second run made another comment")
	}
	r = reviewed(t, g, "push_main", "push", "refs/heads/main", "", map[string]string{"plan-key": "key-canary", "plan-policy": "require"})
	if r.code != 0 || r.outputs["create"] != "3" {
		t.Fatalf("the reviewed plan is not deployed: exit %d\n%s\n%s\n%s", r.code, r.log, strings.Join(g.requests, "\n"), g.comments[0]["body"])
	}
	body = fmt.Sprint(g.comments[0]["body"])
	if !strings.Contains(body, "Applied") || !strings.Contains(body, "3 created") || strings.Contains(body, "Merging applies") {
		t.Errorf("the comment does not say how it went:\n%s", body)
	}
	if got := strings.Join(g.statuses, " "); got != "in_progress success" {
		t.Errorf("statuses: %s", got)
	}
	if all := body + r.log + r.summary; strings.Contains(strings.ReplaceAll(all, "::add-mask::", ""), "key-canary\n\n") || strings.Contains(body+r.summary, "canary") {
		t.Error("a secret is shown")
	}
}

func TestWhatWasNotReviewedIsRefused(t *testing.T) {
	g := &gitHub{}
	r := reviewed(t, g, "push_main", "push", "refs/heads/main", "", map[string]string{"plan-key": "k", "plan-policy": "require"})
	if r.code != 3 || r.stateWasWritten || !strings.Contains(r.log, "greet/hourly") {
		t.Errorf("exit %d, written %v\n%s", r.code, r.stateWasWritten, r.log)
	}
	r = reviewed(t, g, "push_main", "push", "refs/heads/main", "", map[string]string{"plan-policy": "require"})
	if r.code != 64 || !strings.Contains(r.log, "plan-key") {
		t.Errorf("without a key: exit %d\n%s", r.code, r.log)
	}
	if r = reviewed(t, g, "push_main", "push", "refs/heads/main", "", map[string]string{"plan-key": "k"}); r.code != 0 || !strings.Contains(r.log, "::warning title=not reviewed") {
		t.Errorf("the policy warn: exit %d\n%s", r.code, r.log)
	}
}

// TestTheReviewComesFirst: mode review ends as the deploy of the same commit would, and changes nothing.
func TestTheReviewComesFirst(t *testing.T) {
	pr := eventOf(t, "pull_request_opened")
	g := &gitHub{head: pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)}
	inputs := map[string]string{"mode": "review", "plan-key": "k", "plan-policy": "require"}
	first := func(code int, says string) {
		t.Helper()
		g.requests = nil
		if r := reviewed(t, g, "push_main", "push", "refs/heads/main", "", inputs); r.code != code || r.stateWasWritten || !strings.Contains(r.log+r.outputs["result"], says) {
			t.Errorf("exit %d, written %v\n%s", r.code, r.stateWasWritten, r.log)
		}
		for _, request := range g.requests {
			if !strings.HasPrefix(request, "GET ") && request != "POST /graphql" {
				t.Errorf("it sent %s", request)
			}
		}
	}
	first(3, "greet/hourly")
	reviewed(t, g, "pull_request_opened", "pull_request", "refs/pull/7/merge", "", map[string]string{"plan-key": "k"})
	first(0, "checked")
	inputs["plan-policy"] = "warn"
	first(0, "skipped")
	r := callAction(t, call{dir: quickstart(), name: "push", event: "push_main", ref: "refs/heads/main", withoutServer: true, inputs: map[string]string{"mode": "review", "plan-key": "k", "plan-policy": "require", "all-deployments": "true", "github-token": "t"}})
	if r.code != 0 || !strings.Contains(r.log, "repository's own secrets") {
		t.Errorf("without a server: exit %d\n%s", r.code, r.log)
	}
}

// TestWhatIsRequiredIsRequiredWhateverElseIsSet: no comment, no token and no repository are no ways around the review.
func TestWhatIsRequiredIsRequiredWhateverElseIsSet(t *testing.T) {
	pr := eventOf(t, "pull_request_opened")
	g := &gitHub{head: pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)}
	inputs := map[string]string{"plan-key": "k", "plan-policy": "require", "comment": "false"}
	r := reviewed(t, g, "push_main", "push", "refs/heads/main", "", inputs)
	if r.code != 3 || r.stateWasWritten || !strings.Contains(r.log, "greet/hourly") {
		t.Errorf("comment: false: exit %d, written %v\n%s", r.code, r.stateWasWritten, r.log)
	}
	reviewed(t, g, "pull_request_opened", "pull_request", "refs/pull/7/merge", "", map[string]string{"plan-key": "k"})
	if len(g.comments) != 1 {
		t.Fatalf("%d comments", len(g.comments))
	}
	before := fmt.Sprint(g.comments)
	g.requests = nil
	for _, c := range [][3]string{{"pull_request_opened", "pull_request", "refs/pull/7/merge"}, {"push_main", "push", "refs/heads/main"}, {"pull_request_closed", "pull_request", "refs/pull/7/merge"}} {
		if r = reviewed(t, g, c[0], c[1], c[2], "", inputs); r.code != 0 || r.stateWasWritten != (c[1] == "push") {
			t.Errorf("%s with comment: false: exit %d, written %v\n%s", c[0], r.code, r.stateWasWritten, r.log)
		}
	}
	for _, request := range g.requests {
		if !strings.HasPrefix(request, "GET ") && request != "POST /graphql" { // a question, by which the token's own name is found
			t.Errorf("comment: false sent %s", request)
		}
	}
	if fmt.Sprint(g.comments) != before {
		t.Errorf("comment: false wrote comments: %v", g.comments)
	}
	for missing, c := range map[string]call{
		"github-token":      {inputs: map[string]string{"github-token": ""}, env: map[string]string{"GITHUB_REPOSITORY": "org/quickstart"}},
		"GITHUB_REPOSITORY": {inputs: map[string]string{"github-token": "t"}},
	} {
		c.dir, c.name, c.event, c.ref = quickstart(), "push", "push_main", "refs/heads/main"
		c.inputs["all-deployments"], c.inputs["plan-key"], c.inputs["plan-policy"] = "true", "k", "require"
		if r := callAction(t, c); r.code != 1 || r.stateWasWritten || !strings.Contains(r.log, missing) {
			t.Errorf("without %s: exit %d, written %v\n%s", missing, r.code, r.stateWasWritten, r.log)
		}
		c.inputs["mode"] = "plan" // binds nothing
		if r := callAction(t, c); r.code != 0 {
			t.Errorf("a plan without %s: exit %d\n%s", missing, r.code, r.log)
		}
	}
}

// TestTwoDirectoriesHaveTwoComments: the action once for each of two directories, in one pull request and one deploy.
func TestTwoDirectoriesHaveTwoComments(t *testing.T) {
	for _, checkout := range []string{".git", "GITHUB_WORKSPACE"} { // without git in the job's image, actions/checkout leaves no .git
		t.Run(checkout, func(t *testing.T) { twoDirectories(t, checkout == ".git") })
	}
}

func twoDirectories(t *testing.T, git bool) {
	yaml := func(name string) string {
		return "deployments:\n  - {name: " + name + ", entrypoint: 'flow.py:hello', work_pool: {name: p}}\n"
	}
	root := project(t, map[string]string{"a/flow.py": oneFlow, "a/prefect.yaml": yaml("in-a"), "b/flow.py": oneFlow, "b/prefect.yaml": yaml("in-b")})
	pr := eventOf(t, "pull_request_opened")
	g := &gitHub{head: pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)}
	if !git {
		if err := os.Remove(filepath.Join(root, ".git")); err != nil {
			t.Fatal(err)
		}
		g.env = map[string]string{"GITHUB_WORKSPACE": root}
	}
	state := filepath.Join(t.TempDir(), "state.json")
	in := func(dir, file string) map[string]string {
		return map[string]string{"working-directory": filepath.Join(root, dir), "deployment-file-path": file, "plan-key": "k", "plan-policy": "require"}
	}
	for _, dir := range []string{"a", "b"} {
		reviewed(t, g, "pull_request_opened", "pull_request", "refs/pull/7/merge", state, in(dir, "prefect.yaml"))
	}
	if len(g.comments) != 2 || !strings.Contains(fmt.Sprint(g.comments[0]["body"]), "in-a") || !strings.Contains(fmt.Sprint(g.comments[1]["body"]), "in-b") {
		t.Fatalf("%d comments: %v", len(g.comments), g.comments)
	}
	for _, c := range [][2]string{{"a", "./prefect.yaml"}, {"b", filepath.Join(root, "b", "prefect.yaml")}} { // and however the file is written
		if r := reviewed(t, g, "push_main", "push", "refs/heads/main", state, in(c[0], c[1])); r.code != 0 || r.outputs["create"] != "1" {
			t.Errorf("%s: exit %d\n%s", c[0], r.code, r.log)
		}
	}
	for i, c := range g.comments {
		if !strings.Contains(fmt.Sprint(c["body"]), "Applied") {
			t.Errorf("comment %d does not tell of its deploy: %v", i, c["body"])
		}
	}
}

// TestNoDeleteWithoutReview: mode prune has no pull request, so what must be reviewed it may only list.
func TestNoDeleteWithoutReview(t *testing.T) {
	const two = "deployments:\n  - {name: a, entrypoint: 'flow.py:hello', work_pool: {name: p}}\n  - {name: b, entrypoint: 'flow.py:hello', work_pool: {name: p}}\n"
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": two})
	state := filepath.Join(t.TempDir(), "state.json")
	g := &gitHub{}
	inputs := func(more map[string]string) map[string]string {
		all := map[string]string{"working-directory": dir, "plan-key": "k"}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	if r := reviewed(t, g, "push_main", "push", "refs/heads/main", state, inputs(nil)); r.code != 0 {
		t.Fatal(r.log)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.SplitAfter(two, "\n")[0]+strings.SplitAfter(two, "\n")[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	r := reviewed(t, g, "push_main", "push", "refs/heads/main", state, inputs(map[string]string{"mode": "prune", "prune": "true", "plan-policy": "require"}))
	if r.code != 64 || !strings.Contains(read(state), `"b"`) || !strings.Contains(r.log, "plan-policy: require") {
		t.Errorf("exit %d\n%s\n%s", r.code, r.log, read(state))
	}
	if r := reviewed(t, g, "push_main", "push", "refs/heads/main", state, inputs(map[string]string{"mode": "prune", "plan-policy": "require"})); r.code != 0 || r.outputs["delete"] != "1" {
		t.Errorf("a list: exit %d\n%s", r.code, r.log)
	}
	if r := reviewed(t, g, "push_main", "push", "refs/heads/main", state, inputs(map[string]string{"mode": "prune", "prune": "true"})); r.code != 0 || strings.Contains(read(state), `"b"`) {
		t.Errorf("the policy warn: exit %d\n%s", r.code, r.log)
	}
}

// TestEveryDeployThatBeganEndsOnTheBoard: a status that stays in_progress would be taken for a deploy under way for ever.
func TestEveryDeployThatBeganEndsOnTheBoard(t *testing.T) {
	const one = "deployments:\n  - name: only\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n"
	pr := eventOf(t, "pull_request_opened")
	for _, c := range []struct {
		name, yaml string
		inputs     map[string]string
		interrupt  bool
		code       int
		comment    string
	}{
		{"a fault", strings.Replace(one, "hello", "helo", 1), nil, false, 1, "the deploy stopped before anything was written"},
		{"packages that are not there", one + "    build:\n      - my_steps.build: {id: x}\n", map[string]string{"requirements-file-paths": "gone.txt"}, false, 1, "the deploy stopped before anything was written"},
		{"a plan that nobody saw", one, map[string]string{"plan-policy": "require"}, false, 3, "the plan has changed since it was reviewed"},
		{"packages, before the plan is approved", one + "    build:\n      - my_steps.build: {id: x}\n", map[string]string{"requirements-file-paths": "gone.txt", "plan-policy": "require"}, false, 3, "the plan has changed since it was reviewed"},
		{"an interrupt", one, nil, true, 130, ""},
	} {
		g := &gitHub{head: pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)}
		was := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": one + "    tags: [seen]\n"})
		reviewed(t, g, "pull_request_opened", "pull_request", "refs/pull/7/merge", "", map[string]string{"plan-key": "k", "working-directory": was})
		ctx, cancel := context.WithCancel(context.Background())
		if c.interrupt {
			g.started = cancel
		}
		inputs := map[string]string{"plan-key": "k", "working-directory": project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": c.yaml})}
		for k, v := range c.inputs {
			inputs[k] = v
		}
		r := reviewedUntil(ctx, t, g, "push_main", "push", "refs/heads/main", "", inputs)
		cancel()
		if got := strings.Join(g.statuses, " "); got != "in_progress failure" || r.code != c.code || r.stateWasWritten {
			t.Errorf("%s: statuses %q, exit %d, written %v\n%s", c.name, got, r.code, r.stateWasWritten, r.log)
		}
		if body := fmt.Sprint(g.comments[0]["body"]); strings.Contains(body, "Merging applies") || !strings.Contains(body, c.comment) {
			t.Errorf("%s: the comment still announces the plan:\n%s", c.name, body)
		}
		g.comments, g.statuses = nil, nil // and with no pull request to tell
		if reviewed(t, g, "push_main", "push", "refs/heads/main", "", inputs); !c.interrupt && strings.Join(g.statuses, " ") != "in_progress failure" {
			t.Errorf("%s without a comment: statuses %v", c.name, g.statuses)
		}
	}
}

func TestWhatGitHubRefusesDecidesNothing(t *testing.T) {
	for _, c := range []struct{ event, name, ref string }{{"pull_request_opened", "pull_request", "refs/pull/7/merge"}, {"push_main", "push", "refs/heads/main"}} {
		r := reviewed(t, &gitHub{refuse: true}, c.event, c.name, c.ref, "", nil)
		if r.code != 0 || !strings.Contains(r.log, "::notice") || !strings.Contains(r.summary, "greet/hourly") {
			t.Errorf("%s: exit %d\n%s", c.name, r.code, r.log)
		}
	}
}

// TestAMissingPermissionIsOneNotice: a workflow that was written for another action grants nothing, and says so once a run.
func TestAMissingPermissionIsOneNotice(t *testing.T) {
	r := reviewed(t, &gitHub{refuse: true}, "push_main", "push", "refs/heads/main", "", nil)
	const want = "::notice title=on GitHub::GitHub did not let this job do these, which decide nothing over the plan or the deploy: finding the last deployment to \"production\"; finding the merged pull requests; " +
		"the deployment status of \"production\". To have them, give the job the permissions%0A    permissions:%0A      contents: read%0A      deployments: write%0A      pull-requests: write\n"
	if strings.Count(r.log, "::notice") != 1 || !strings.Contains(r.log, want) {
		t.Errorf("%s", r.log)
	}
}

// TestAStrangersClosedPullRequestIsNoNews: its job may not edit the comment that somebody else's job made.
func TestAStrangersClosedPullRequestIsNoNews(t *testing.T) {
	payload := eventOf(t, "pull_request_fork")
	payload["action"] = "closed"
	data, err := json.Marshal(payload)
	file := filepath.Join(t.TempDir(), "event.json")
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&gitHub{refuse: true})
	defer server.Close()
	r := callAction(t, call{dir: quickstart(), name: "pull_request", event: "pull_request_fork", inputs: map[string]string{"github-token": "t"},
		env: map[string]string{"GITHUB_EVENT_PATH": file, "GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "example/quickstart"}})
	if r.code != 0 || strings.Count(r.log, "::notice") != 1 || strings.Contains(r.log, "comment") {
		t.Errorf("exit %d\n%s", r.code, r.log)
	}
}

func TestCommentFromAPlansFile(t *testing.T) {
	plan := callAction(t, call{dir: quickstart(), name: "pull_request", event: "pull_request_opened", inputs: map[string]string{"all-deployments": "true", "comment": "false"}})
	pr := eventOf(t, "pull_request_opened")
	g := &gitHub{head: pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)}
	server := httptest.NewServer(g)
	defer server.Close()
	env := map[string]string{"GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "org/quickstart", "GITHUB_TOKEN": "t", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_EVENT_PATH": "../../testdata/action/events/pull_request_opened.json"}
	comment := func(args ...string) (int, string) {
		var out strings.Builder
		code := run(context.Background(), cli.World{Args: append([]string{"comment"}, args...), Stdout: &out, Stderr: &out, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
		return code, out.String()
	}
	if code, out := comment("--plan", plan.outputs["plan"]); code != 0 || out != "https://github.test/c/1\n" || !strings.Contains(fmt.Sprint(g.comments[0]["body"]), "3 to create") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out := comment(); code != 64 || !strings.Contains(out, "--plan") {
		t.Errorf("without a plan: exit %d\n%s", code, out)
	}
	g.refuse = true
	if code, out := comment("--plan", plan.outputs["plan"]); code != 1 || !strings.Contains(out, "pull-requests: write") {
		t.Errorf("refused: exit %d\n%s", code, out)
	}
}
