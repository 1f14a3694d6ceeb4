// `run action` as the runner calls it, in-process: inputs and an event go in, the runner's files, commands and the exit code come out.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/runner/ci"
)

// called is one call of the action.
type called struct {
	code            int
	log, summary    string
	outputs         map[string]string
	state, temp     string
	deployments     []map[string]any
	stateWasWritten bool
}

// call is what a call is given.
type call struct {
	dir           string // the repository
	event, name   string // the payload's file, and GITHUB_EVENT_NAME
	ref           string
	inputs, env   map[string]string
	withoutServer bool
	state         string
	ctx           context.Context // nil is one that nobody ends
}

func callAction(t *testing.T, c call) called {
	t.Helper()
	temp := t.TempDir()
	if c.state == "" {
		c.state = filepath.Join(temp, "state.json")
	}
	payload, err := filepath.Abs(filepath.Join("..", "..", "testdata", "action", "events", c.event+".json"))
	if err != nil {
		t.Fatal(err)
	}
	output, summary := filepath.Join(temp, "output"), filepath.Join(temp, "summary")
	env := map[string]string{"PATH": os.Getenv("PATH"), "HOME": temp, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": c.name, "GITHUB_EVENT_PATH": payload, "GITHUB_REF": c.ref,
		"GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary, "RUNNER_TEMP": temp, "PREFECT_HOME": temp}
	inputs := map[string]string{"working-directory": c.dir}
	if !c.withoutServer {
		inputs["state"] = "file:" + c.state
	}
	for k, v := range c.inputs {
		inputs[k] = v
	}
	for k, v := range inputs {
		env[ci.Variable(k)] = v
	}
	for k, v := range c.env {
		env[k] = v
	}
	var environ []string
	for k, v := range env {
		environ = append(environ, k+"="+v)
	}
	var out bytes.Buffer
	r := called{state: c.state, temp: temp}
	if c.ctx == nil {
		c.ctx = context.Background()
	}
	r.code = run(c.ctx, cli.World{Args: []string{"action"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Environ: environ,
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	r.log, r.summary, r.outputs = out.String(), read(summary), outputsOf(t, read(output))
	_, err = os.Stat(c.state)
	r.stateWasWritten = err == nil
	if text := r.outputs["deployments"]; text != "" {
		if err := json.Unmarshal([]byte(text), &r.deployments); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func read(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}

// outputsOf reads GITHUB_OUTPUT as the runner does: the last of equal names counts.
func outputsOf(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines) && text != ""; i++ {
		name, delimiter, ok := strings.Cut(lines[i], "<<")
		if !ok {
			t.Fatalf("not a block: %q", lines[i])
		}
		var v []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			v = append(v, lines[i])
		}
		out[name] = strings.Join(v, "\n")
	}
	return out
}

// project writes a repository: files by name, with .git at its root.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const oneFlow = "from prefect import flow\n\n\n@flow\ndef hello(n: int = 1):\n    pass\n"

func quickstart() string { return filepath.Join("..", "..", "testdata", "quickstart") }

func TestPullRequestPlansAndWritesNothing(t *testing.T) {
	r := callAction(t, call{dir: quickstart(), name: "pull_request", event: "pull_request_opened", ref: "refs/pull/7/merge", inputs: map[string]string{"all-deployments": "true"}})
	if r.code != 0 || r.stateWasWritten {
		t.Fatalf("exit %d, state written %v\n%s", r.code, r.stateWasWritten, r.log)
	}
	for name, want := range map[string]string{"result": "planned", "create": "3", "update": "0", "rebuild": "0", "delete": "0", "unchanged": "0", "changed": "true", "steps": "{}"} {
		if r.outputs[name] != want {
			t.Errorf("output %s is %q, expected %q", name, r.outputs[name], want)
		}
	}
	for _, name := range []string{"greet/hourly", "greet/on-demand", "daily-report/nightly"} {
		if !strings.Contains(r.summary, name) {
			t.Errorf("%s is not in the summary:\n%s", name, r.summary)
		}
	}
	var file struct {
		Hash        string
		Deployments []any
	}
	if err := json.Unmarshal([]byte(read(r.outputs["plan"])), &file); err != nil || filepath.Dir(r.outputs["plan"]) != r.temp {
		t.Fatalf("the plan at %q: %v", r.outputs["plan"], err)
	}
	if file.Hash == "" || file.Hash != r.outputs["hash"] || len(file.Deployments) != 3 || len(r.deployments) != 3 {
		t.Errorf("hash %q in the file and %q as output; %d deployments", file.Hash, r.outputs["hash"], len(file.Deployments))
	}
	if strings.Contains(r.log, "get-release |") || strings.Contains(r.log, "::group::get-release") {
		t.Error("a plan ran a step")
	}
}

func TestPushDeploysOnce(t *testing.T) {
	push := call{dir: quickstart(), name: "push", event: "push_main", ref: "refs/heads/main", inputs: map[string]string{"all-deployments": "true", "deployment-names": "nothing-of-this-name"}}
	r := callAction(t, push)
	if r.code != 0 || r.outputs["result"] != "applied" || r.outputs["create"] != "3" || !r.stateWasWritten {
		t.Fatalf("exit %d, outputs %v\n%s", r.code, r.outputs, r.log)
	}
	var steps map[string]map[string]any
	if err := json.Unmarshal([]byte(r.outputs["steps"]), &steps); err != nil || steps["get-release"]["stdout"] != "2026.11" {
		t.Errorf("steps: %s %v", r.outputs["steps"], err)
	}
	push.state = r.state
	before := read(r.state)
	r = callAction(t, push)
	if r.code != 0 || r.outputs["unchanged"] != "3" || r.outputs["changed"] != "false" || read(r.state) != before {
		t.Errorf("the second push: exit %d, outputs %v, written %v", r.code, r.outputs, read(r.state) != before)
	}
}

func TestPushToAnotherBranchPlansAndWarns(t *testing.T) {
	r := callAction(t, call{dir: quickstart(), name: "push", event: "push_branch", ref: "refs/heads/release/2026-11", inputs: map[string]string{"all-deployments": "true"}})
	if r.code != 0 || r.stateWasWritten || r.outputs["result"] != "planned" {
		t.Errorf("exit %d, outputs %v", r.code, r.outputs)
	}
	if !strings.Contains(r.log, `::warning title=nothing was deployed::nothing was deployed from "release/2026-11"`) || !strings.Contains(r.log, "%0A    deploy-branches: main, release/2026-11\n") {
		t.Errorf("no warning with the line that would:\n%s", r.log)
	}
}

func TestUnsafeAndUnknownEventsAreRefused(t *testing.T) {
	for name, event := range map[string]string{"pull_request_target": "pull_request_target_fork", "workflow_run": "workflow_run_completed", "issue_comment": "issue_comment_created"} {
		r := callAction(t, call{dir: quickstart(), name: name, event: event, inputs: map[string]string{"all-deployments": "true"}})
		if r.code != 1 || r.stateWasWritten || r.outputs["result"] != "failed" || !strings.Contains(r.log, "::error") || !strings.Contains(r.log, "mode: plan") {
			t.Errorf("%s: exit %d, outputs %v\n%s", name, r.code, r.outputs, r.log)
		}
	}
}

func TestClosedPullRequestDoesNothing(t *testing.T) {
	r := callAction(t, call{dir: quickstart(), name: "pull_request", event: "pull_request_closed", withoutServer: true})
	if r.code != 0 || r.outputs["result"] != "skipped" || !strings.Contains(r.log, "::notice") {
		t.Errorf("exit %d, outputs %v\n%s", r.code, r.outputs, r.log)
	}
}

func TestForkWithoutSecretsIsChecked(t *testing.T) {
	fork := call{dir: quickstart(), name: "pull_request", event: "pull_request_fork", withoutServer: true, env: map[string]string{"PREFECT_API_URL": "", "PREFECT_API_KEY": ""}}
	r := callAction(t, fork)
	if r.code != 0 || r.outputs["result"] != "checked" || !strings.Contains(r.log, "::notice") || !strings.Contains(r.summary, "3 deployments") {
		t.Errorf("exit %d, outputs %v\n%s\n%s", r.code, r.outputs, r.log, r.summary)
	}
	fork.event = "pull_request_opened" // our own: the secrets may be an environment's
	if r := callAction(t, fork); r.code != 0 || r.outputs["result"] != "checked" || strings.Count(r.log, "::notice") != 1 || !strings.Contains(r.log, "repository's own secrets") {
		t.Errorf("exit %d\n%s", r.code, r.log)
	}
	fork.inputs = map[string]string{"mode": "plan"} // who sets that means the server
	if r := callAction(t, fork); r.code != 1 || !strings.Contains(r.log, "api-url") || !strings.Contains(r.log, "PREFECT_API_URL") {
		t.Errorf("exit %d\n%s", r.code, r.log)
	}
}

// TestSecretsOfAnEnvironmentLeaveAPlan: a plan of one's own branch is not given an environment's secrets. Without the address, and with an address whose key is missing, the base commit stands for the server; a wrong key is a fault.
func TestSecretsOfAnEnvironmentLeaveAPlan(t *testing.T) {
	const before = "pull: []\ndeployments:\n  - {name: only, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": before})
	gitIn(t, dir, "init", "-q")
	gitIn(t, dir, "add", "-A")
	gitIn(t, dir, "commit", "-q", "-m", "base")
	base := gitIn(t, dir, "rev-parse", "HEAD")
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.Replace(before, "work_pool", "tags: [new], work_pool", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you?", http.StatusUnauthorized) }))
	defer server.Close()
	for name, payload := range map[string]map[string]any{
		"pull_request": {"action": "opened", "number": 7, "pull_request": map[string]any{"number": 7, "head": map[string]any{"sha": base, "repo": map[string]any{"full_name": "a/b"}}, "base": map[string]any{"sha": base, "repo": map[string]any{"full_name": "a/b"}}}},
		"merge_group":  {"action": "checks_requested", "merge_group": map[string]any{"base_sha": base, "head_sha": base}},
	} {
		data, _ := json.Marshal(payload)
		event := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(event, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, inputs := range []map[string]string{{}, {"api-url": server.URL + "/api"}, {"api-url": server.URL + "/api", "api-key": "wrong"}} {
			inputs["all-deployments"] = "true"
			r := callAction(t, call{dir: dir, name: name, withoutServer: true, inputs: inputs, env: map[string]string{"GITHUB_EVENT_PATH": event}})
			planned := r.code == 0 && r.outputs["result"] == "planned" && r.outputs["update"] == "1" && strings.Count(r.log, "repository's own secrets") == 1 && strings.Contains(r.summary, "planned against what `"+base)
			if wrong := inputs["api-key"] != ""; wrong && (r.code != 1 || !strings.Contains(r.log, "401")) || !wrong && !planned {
				t.Errorf("%s %v: exit %d, outputs %v\n%s\n%s", name, inputs, r.code, r.outputs, r.log, r.summary)
			}
		}
	}
}

// gitIn runs git in a repository of a test's own.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestForkIsPlannedAgainstItsBase: no secrets there, so the base commit's intent stands in for the server, and the plan says so.
func TestForkIsPlannedAgainstItsBase(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("flow.py", oneFlow)
	put("prefect.yaml", "pull: []\ndeployments:\n  - {name: only, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n")
	gitIn(t, dir, "init", "-q")
	gitIn(t, dir, "add", "-A")
	gitIn(t, dir, "commit", "-q", "-m", "base")
	base := gitIn(t, dir, "rev-parse", "HEAD")
	put("prefect.yaml", "pull: []\ndeployments:\n  - {name: only, entrypoint: \"flow.py:hello\", tags: [new], work_pool: {name: p}}\n")
	var payload map[string]any
	if err := json.Unmarshal([]byte(read(filepath.Join("..", "..", "testdata", "action", "events", "pull_request_fork.json"))), &payload); err != nil {
		t.Fatal(err)
	}
	payload["pull_request"].(map[string]any)["base"].(map[string]any)["sha"] = base
	data, _ := json.Marshal(payload)
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "who are you?", http.StatusUnauthorized)
	}))
	defer server.Close()
	for _, address := range []string{"", server.URL + "/api"} { // an address is no secret, and is there without what logs in
		r := callAction(t, call{dir: dir, name: "pull_request", event: "pull_request_fork", withoutServer: true, inputs: map[string]string{"all-deployments": "true", "api-url": address},
			env: map[string]string{"GITHUB_EVENT_PATH": event}})
		if r.code != 0 || r.outputs["result"] != "planned" || r.outputs["update"] != "1" || !strings.Contains(r.summary, "planned against what `"+base) || !strings.Contains(r.log, "::notice") {
			t.Errorf("api-url %q: exit %d, outputs %v\n%s\n%s", address, r.code, r.outputs, r.log, r.summary)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
	for _, address := range []string{"", server.URL + "/api"} { // and so where mode: plan is set by hand
		r := callAction(t, call{dir: dir, name: "pull_request", event: "pull_request_fork", withoutServer: true, inputs: map[string]string{"mode": "plan", "all-deployments": "true", "api-url": address},
			env: map[string]string{"GITHUB_EVENT_PATH": event}})
		if r.code != 0 || r.outputs["update"] != "1" || asked.Load() != 0 {
			t.Errorf("mode plan, api-url %q: exit %d, outputs %v\n%s", address, r.code, r.outputs, r.log)
		}
	}
	for name, inputs := range map[string]map[string]string{"pull_request": {"api-key": "given"}, "pull_request_target": nil} { // but where there is something to log in with, or secrets anyway
		all := map[string]string{"mode": "plan", "all-deployments": "true", "api-url": server.URL + "/api"}
		for k, v := range inputs {
			all[k] = v
		}
		before := asked.Load()
		if r := callAction(t, call{dir: dir, name: name, event: "pull_request_fork", withoutServer: true, inputs: all, env: map[string]string{"GITHUB_EVENT_PATH": event}}); r.code != 1 || asked.Load() == before {
			t.Errorf("mode plan upon %s with %v: exit %d\n%s", name, inputs, r.code, r.log)
		}
	}
}

func TestSeveralDeploymentsAndNoNames(t *testing.T) {
	r := callAction(t, call{dir: quickstart(), name: "push", event: "push_main", ref: "refs/heads/main"})
	if r.code != 64 || r.stateWasWritten || !strings.Contains(r.log, "deployment-names") || !strings.Contains(r.log, "all-deployments: true") || strings.Contains(r.log, "--all") {
		t.Errorf("exit %d\n%s", r.code, r.log)
	}
	one := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "deployments:\n  - name: only\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n"})
	if r := callAction(t, call{dir: one, name: "push", event: "push_main", ref: "refs/heads/main"}); r.code != 0 || r.outputs["create"] != "1" {
		t.Errorf("one deployment: exit %d, outputs %v\n%s", r.code, r.outputs, r.log)
	}
}

func TestFaultsPointIntoTheRepository(t *testing.T) {
	root := project(t, map[string]string{"team a/flow.py": oneFlow, "team a/prefect.yaml": "deployments:\n  - name: only\n    entrypoint: flow.py:helo\n    work_pool: {name: p}\n"})
	for _, mode := range []string{"plan", "deploy", "check"} {
		r := callAction(t, call{dir: filepath.Join(root, "team a"), name: "push", event: "push_main", inputs: map[string]string{"mode": mode, "all-deployments": "true"}})
		if r.code != 1 || r.outputs["result"] != "failed" || r.stateWasWritten || !strings.Contains(r.log, "::error file=team a/prefect.yaml,line=3,") || !strings.Contains(r.summary, "helo") {
			t.Errorf("%s: exit %d, outputs %v\n%s\n%s", mode, r.code, r.outputs, r.log, r.summary)
		}
	}
}

func TestFailedDeploymentFailsTheJobWithAllOutputsSet(t *testing.T) {
	root := project(t, map[string]string{"sub/flow.py": oneFlow, "sub/prefect.yaml": `deployments:
  - name: good
    entrypoint: flow.py:hello
    work_pool: {name: p}
  - name: bad
    entrypoint: flow.py:hello
    work_pool: {name: p}
    build:
      - prefect.deployments.steps.run_shell_script:
          id: broken
          script: "false ::set-output name=result::applied"
    tags: ["{{ broken.stdout }}"]
`})
	r := callAction(t, call{dir: filepath.Join(root, "sub"), name: "push", event: "push_main", ref: "refs/heads/main", inputs: map[string]string{"all-deployments": "true"}})
	if r.code != 1 || r.outputs["result"] != "failed" || r.outputs["create"] != "2" || r.outputs["plan"] == "" || len(r.deployments) != 2 {
		t.Fatalf("exit %d, outputs %v\n%s", r.code, r.outputs, r.log)
	}
	if !strings.Contains(r.log, "::error file=sub/prefect.yaml,line=5,title=hello/bad::") || !strings.Contains(r.log, "step broken failed") {
		t.Errorf("the failed deployment is not annotated:\n%s", r.log)
	}
	if !strings.Contains(read(r.state), "good") || strings.Contains(read(r.state), `"bad"`) {
		t.Errorf("registered:\n%s", read(r.state))
	}
}

func TestSecretsStayWhereTheyBelong(t *testing.T) {
	const key, auth = "pnu-a-key-that-logs-in", "user:a-password"
	root := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": `build:
  - prefect.deployments.steps.run_shell_script:
      id: seen
      script: env
deployments:
  - name: only
    entrypoint: flow.py:hello
    work_pool: {name: p}
    description: "seen {{ $PREFECT_DEPLOY_INPUT_API_KEY }}"
`})
	r := callAction(t, call{dir: root, name: "push", event: "push_main", ref: "refs/heads/main", inputs: map[string]string{"api-key": key, "api-auth-string": auth, "api-url": "http://127.0.0.1:1/api"},
		env: map[string]string{"PREFECT_CLIENT_CUSTOM_HEADERS": `{"X-Way-In": "a-header"}`}})
	if r.code != 0 {
		t.Fatalf("exit %d\n%s", r.code, r.log)
	}
	for _, secret := range []string{key, auth, "a-password", "a-header"} {
		if !strings.HasPrefix(r.log, "::add-mask::") || !strings.Contains(r.log, "::add-mask::"+secret+"\n") {
			t.Errorf("%s is not masked before anything else", secret)
		}
	}
	if strings.Contains(r.log, "PREFECT_DEPLOY_INPUT_") {
		t.Error("a step was given the inputs")
	}
	if !strings.Contains(r.log, "\nPREFECT_API_KEY=") { // as it would be, had the workflow set it
		t.Errorf("a step does not see the login that the inputs give:\n%s", r.log)
	}
	if strings.Contains(r.summary, key) || strings.Contains(read(r.state), key) || !strings.Contains(read(r.state), "seen") {
		t.Errorf("the summary or the state shows the key:\n%s\n%s", r.summary, read(r.state))
	}
}

func TestHostileNamesStayNames(t *testing.T) {
	for _, names := range []string{"a\n::set-output name=result::applied", "a%0A::error::x", "##[error]x", "$(touch pwned)", "`touch pwned`", "a\x1b[2J", "${{ secrets.X }}"} {
		r := callAction(t, call{dir: quickstart(), name: "push", event: "push_main", ref: "refs/heads/main", inputs: map[string]string{"deployment-names": names}})
		if r.code == 0 || r.outputs["result"] != "failed" || r.stateWasWritten {
			t.Errorf("%q: exit %d, outputs %v", names, r.code, r.outputs)
		}
		for _, line := range strings.Split(strings.TrimSpace(r.log), "\n") {
			if !strings.HasPrefix(line, "::error title=prefect deploy::") || strings.ContainsAny(line, "\x1b\r") {
				t.Errorf("%q makes the line %q", names, line)
			}
		}
	}
}

func TestWrongInputsAreUsage(t *testing.T) {
	r := callAction(t, call{dir: quickstart(), name: "push", event: "push_main", inputs: map[string]string{"jobs": "many", "mode": "apply"}})
	if r.code != 64 || !strings.Contains(r.log, "the input jobs is") || !strings.Contains(r.log, "the input mode is") {
		t.Errorf("exit %d\n%s", r.code, r.log)
	}
	if r := callAction(t, call{dir: "no-such-directory", name: "push", event: "push_main"}); r.code != 64 || !strings.Contains(r.log, "working-directory") {
		t.Errorf("exit %d\n%s", r.code, r.log)
	}
}

// packages that do not exist: were they installed, the job would fail.
func TestPythonPackagesAreInstalledOnlyWhenNeeded(t *testing.T) {
	files := map[string]string{"flow.py": oneFlow, "requirements.txt": "./no-such-package\n", "prefect.yaml": "deployments:\n  - name: only\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n"}
	deploy := call{dir: project(t, files), name: "push", event: "push_main", ref: "refs/heads/main", inputs: map[string]string{"requirements-file-paths": "requirements.txt"}}
	if r := callAction(t, deploy); r.code != 0 || !strings.Contains(r.log, "No Python packages were installed") {
		t.Errorf("not needed: exit %d\n%s", r.code, r.log)
	}
	files["prefect.yaml"] += "    build:\n      - my_steps.build: {id: x}\n"
	deploy.dir = project(t, files)
	deploy.env = map[string]string{"PREFECT_DEPLOY_PYTHON": "/no/such/python"}
	if r := callAction(t, deploy); r.code != 1 || !strings.Contains(r.log, "my_steps.build is a Python function") {
		t.Errorf("needed: exit %d\n%s", r.code, r.log)
	}
	deploy.inputs["requirements-file-paths"] = "gone.txt"
	if r := callAction(t, deploy); r.code != 1 || !strings.Contains(r.log, `there is no file "gone.txt"`) {
		t.Errorf("no file: exit %d\n%s", r.code, r.log)
	}
	deploy.inputs["mode"] = "plan" // imports nothing, so needs nothing
	if r := callAction(t, deploy); r.code != 0 {
		t.Errorf("plan: exit %d\n%s", r.code, r.log)
	}
}

// TestWithoutNames: what PrefectHQ/actions-prefect-deploy takes then is the deployment of that name.
func TestWithoutNames(t *testing.T) {
	const two = "deployments:\n  - {name: other, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n  - {name: NAME, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"
	for name, code := range map[string]int{"deployment": 0, "another": 64} {
		dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": strings.ReplaceAll(two, "NAME", name)})
		r := callAction(t, call{dir: dir, name: "push", event: "push_main", ref: "refs/heads/main"})
		if r.code != code || code == 0 && (len(r.deployments) != 1 || r.deployments[0]["deployment"] != "hello/deployment") || code != 0 && !strings.Contains(r.log, "in the input deployment-names") {
			t.Errorf("%s: exit %d, %v\n%s", name, r.code, r.deployments, r.log)
		}
	}
}

func TestInstallerCommandLines(t *testing.T) {
	for _, c := range []struct{ uv, pyproject, want string }{
		{"", "", "py -m pip install --disable-pip-version-check -r a.txt -r b.txt"},
		{"/uv", "", "/uv pip install --python py -r a.txt -r b.txt"},
		{"", "sub/pyproject.toml", "py -m pip install --disable-pip-version-check -r a.txt -r b.txt ." + string(filepath.Separator) + "sub"},
		{"/uv", "sub/pyproject.toml", "/uv pip install --python py -r a.txt -r b.txt ." + string(filepath.Separator) + "sub"},
	} {
		if args := installer(c.uv, "py", []string{"a.txt", "b.txt"}, c.pyproject); strings.Join(args, " ") != c.want {
			t.Errorf("%q", args)
		}
	}
}

// TestModePrune: nothing goes without prune: true, at most max-deletes goes with it, and only what the file owned.
func TestModePrune(t *testing.T) {
	two := "pull: []\ndeployments:\n- {name: a, entrypoint: 'flow.py:hello', work_pool: {name: p}}\n- {name: b, entrypoint: 'flow.py:hello', work_pool: {name: p}}\n"
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": two})
	state := filepath.Join(t.TempDir(), "state.json")
	act := func(inputs map[string]string) called {
		return callAction(t, call{dir: dir, event: "schedule", name: "schedule", ref: "refs/heads/main", state: state, inputs: inputs})
	}
	if r := act(map[string]string{"mode": "deploy", "all-deployments": "true"}); r.code != 0 {
		t.Fatal(r.log)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.Join(strings.SplitAfter(two, "\n")[:3], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		inputs map[string]string
		code   int
		log    string
		left   bool
	}{
		{map[string]string{"mode": "prune"}, 0, "the input prune: true deletes 1 deployment", true},
		{map[string]string{"mode": "prune", "prune": "true", "max-deletes": "0"}, 1, "max-deletes", true},
		{map[string]string{"mode": "prune", "prune": "true"}, 0, "hello/b", false},
		{map[string]string{"mode": "prune", "prune": "true"}, 0, "", false},
	} {
		r := act(c.inputs)
		if r.code != c.code || !strings.Contains(r.log, c.log) || strings.Contains(read(state), `"b"`) != c.left || !strings.Contains(read(state), `"a"`) {
			t.Errorf("%v: exit %d\n%s\n%s", c.inputs, r.code, r.log, read(state))
		}
	}
}
