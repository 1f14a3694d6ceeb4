// run prune: the options that it shares with plan, and what is listed of each target.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oneOf are the first n of three deployments.
func oneOf(n int) string {
	yaml := "pull: []\ndeployments:\n"
	for _, name := range []string{"a", "b", "c"}[:n] {
		yaml += "- {name: " + name + ", entrypoint: 'flow.py:hello', work_pool: {name: p}}\n"
	}
	return yaml
}

func TestPruneOfATarget(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": oneOf(2)})
	state, page := filepath.Join(t.TempDir(), "state.json"), filepath.Join(t.TempDir(), "gone.md")
	run := func(args ...string) (int, string, string) {
		return command(t, nil, append(args, "-C", dir, "--state", "file:"+state)...)
	}
	if code, _, stderr := run("deploy", "--all", "--environment", "staging"); code != 0 {
		t.Fatal(stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(oneOf(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := run("prune", "--yes", "--environment", "production"); code != 0 || !strings.Contains(read(state), `"b"`) {
		t.Errorf("another target's: exit %d\n%s%s", code, out, stderr)
	}
	if code, out, stderr := run("prune", "--environment", "staging", "--markdown", page, "--max-deletes", "0"); code != 0 || !strings.Contains(read(page), "hello/b") || !strings.Contains(out, "--max-deletes is at least 1") {
		t.Errorf("a list: exit %d\n%s%s%s", code, out, stderr, read(page))
	}
	if code, out, stderr := run("prune", "--environment", "staging", "--yes"); code != 0 || strings.Contains(read(state), `"b"`) || !strings.Contains(read(state), `"a"`) {
		t.Errorf("its own: exit %d\n%s%s", code, out, stderr)
	}
}

// TestAPullRequestBehindItsBase: what the base declares since the branch left it is not deleted by a plan of the branch's own head.
func TestAPullRequestBehindItsBase(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": oneOf(1)})
	git := func(args ...string) string {
		t.Helper()
		c := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	git("branch", "topic")
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(oneOf(2)), 0o600); err != nil {
		t.Fatal(err)
	}
	git("commit", "-q", "-am", "two")
	base, state := git("rev-parse", "HEAD"), filepath.Join(t.TempDir(), "state.json")
	if code, _, stderr := command(t, nil, "deploy", "--all", "-C", dir, "--state", "file:"+state); code != 0 {
		t.Fatal(stderr)
	}
	git("checkout", "-q", "topic")
	event := fmt.Sprintf(`{"action":"synchronize","number":7,"pull_request":{"number":7,"base":{"ref":"main","sha":%q,"repo":{"id":1}},"head":{"ref":"topic","sha":%q,"repo":{"id":1}}}}`, base, git("rev-parse", "HEAD"))
	payload := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(payload, []byte(event), 0o600); err != nil {
		t.Fatal(err)
	}
	r := callAction(t, call{dir: dir, name: "pull_request", ref: "refs/pull/7/merge", state: state, env: map[string]string{"GITHUB_EVENT_PATH": payload}, inputs: map[string]string{"all-deployments": "true", "prune": "true"}})
	if r.code != 0 || r.outputs["delete"] != "0" || !strings.Contains(r.log, "neither kept nor deleted: hello/b") {
		t.Errorf("exit %d, outputs %v\n%s", r.code, r.outputs, r.log)
	}
}
