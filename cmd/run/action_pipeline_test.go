package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/emit"
)

const emittedBy = "build:\n- prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse HEAD}\npull: []\ndeployments:\n- {name: a, entrypoint: 'flow.py:hello', work_pool: {name: p}, tags: ['{{ hash.stdout }}']}\n"

// workflowOf emits the workflow of a folder's prefect.yaml, as `compile github -o` does.
func workflowOf(t *testing.T, dir string) string {
	t.Helper()
	in, faults := emit.Load(os.DirFS(dir), []emit.Source{{Name: "prefect.yaml", Data: []byte(read(filepath.Join(dir, "prefect.yaml")))}})
	if len(faults) > 0 {
		t.Fatal(faults.Error())
	}
	in.Patterns, in.Action, in.Compiler = []string{"prefect.yaml"}, "org/prefect-deploy-action@v1", "test"
	text, _ := emit.GitHub(in)
	path := filepath.Join(dir, ".github", "workflows", "prefect.yml")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// runGit runs git in a folder.
func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("git", append([]string{"-c", "user.name=Test", "-c", "user.email=test@example.com"}, args...)...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestAStalePipelineIsRefused: the first job of an emitted workflow holds the workflow against the files, and says how to make it anew.
func TestAStalePipelineIsRefused(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": emittedBy})
	runGit(t, dir, "init", "-q", "-b", "main")
	path := workflowOf(t, dir)
	check := func(ref string) called {
		return callAction(t, call{dir: dir, event: "push_main", name: "push", ref: "refs/heads/main", inputs: map[string]string{"mode": "check"}, env: map[string]string{"GITHUB_WORKFLOW_REF": ref}})
	}
	const ref = "example/quickstart/.github/workflows/prefect.yml@refs/heads/main"
	if r := check(ref); r.code != 0 || r.outputs["result"] != "checked" {
		t.Errorf("fresh: exit %d\n%s", r.code, r.log)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.Replace(emittedBy, "rev-parse HEAD", "rev-parse --short HEAD", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := check(ref)
	if r.code != 1 || r.outputs["result"] != "failed" || !strings.Contains(r.log, "::error title=stale pipeline,file=.github/workflows/prefect.yml,line=1::") && !strings.Contains(r.log, "file=.github/workflows/prefect.yml,line=1,title=stale pipeline") ||
		!strings.Contains(r.log, "compile github -o .github/workflows/prefect.yml") {
		t.Errorf("stale: exit %d\n%s", r.code, r.log)
	}
	for _, other := range []string{"", "example/quickstart/.github/workflows/other.yml@refs/heads/main", "example/quickstart/../../etc/passwd@x", "nonsense"} {
		if r := check(other); r.code != 0 {
			t.Errorf("%q: exit %d\n%s", other, r.code, r.log)
		}
	}
	workflowOf(t, dir)
	fresh := read(path)
	for name, c := range map[string]struct{ file, want, line string }{
		"an edit by hand":  {strings.Replace(fresh, "timeout-minutes: 60", "timeout-minutes: 61", 1), "it was edited by hand", "1"},
		"without its head": {fresh[strings.Index(fresh, "\nname: ")+1:], "its head was edited", "1"},
		"a tag":            {strings.Replace(fresh, "checkout@11bd71901bbe5b1630ceea73d27597364c9af683", "checkout@v4", 1), "the version v4 of actions/checkout is no commit", "25"},
		"by somebody":      {"name: by hand\non: push\njobs:\n  check:\n    steps:\n    - uses: org/prefect-deploy-action@v1\n      with: {mode: check}\n", "", ""},
	} {
		if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := check(ref); (r.code == 0) != (c.want == "") || !strings.Contains(r.log, c.want) || c.want != "" && !strings.Contains(r.log, ",line="+c.line) {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.log)
		}
	}
}

// TestWhatAPipelineNewlyUses: a plan names the secret that the pull request's pipeline asks for and its base did not.
func TestWhatAPipelineNewlyUses(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": emittedBy})
	runGit(t, dir, "init", "-q", "-b", "main")
	workflowOf(t, dir)
	runGit(t, dir, "add", "-A")
	runGit(t, dir, "commit", "-q", "-m", "base")
	base := runGit(t, dir, "rev-parse", "HEAD")
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.Replace(emittedBy, "name: p}", "name: '{{ $NEW_POOL }}'}", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	workflowOf(t, dir)
	payload := filepath.Join(t.TempDir(), "event.json")
	text := strings.ReplaceAll(read(filepath.Join("..", "..", "testdata", "action", "events", "pull_request_opened.json")), strings.Repeat("2", 40), base)
	if err := os.WriteFile(payload, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := callAction(t, call{dir: dir, event: "pull_request_opened", name: "pull_request", ref: "refs/pull/7/merge", inputs: map[string]string{"all-deployments": "true"},
		env: map[string]string{"GITHUB_WORKFLOW_REF": "example/quickstart/.github/workflows/prefect.yml@refs/pull/7/merge", "GITHUB_EVENT_PATH": payload, "NEW_POOL": "p"}})
	if r.code != 0 || !strings.Contains(r.summary, "newly uses the secrets `NEW_POOL`") {
		t.Errorf("exit %d\n%s\n%s", r.code, r.summary, r.log)
	}
	r = callAction(t, call{dir: dir, event: "pull_request_opened", name: "pull_request", ref: "refs/pull/7/merge", inputs: map[string]string{"all-deployments": "true"}, env: map[string]string{"GITHUB_EVENT_PATH": payload}})
	if strings.Contains(r.summary, "newly uses") {
		t.Errorf("not by this workflow, and yet:\n%s", r.summary)
	}
}
