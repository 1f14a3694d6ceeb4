package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestARunThatIsStartedAgain plays GitHub's part in attempts of one run: artifacts stay, a job that runs puts its own in the place of the old one, and what a job gave before counts as long as that job did not fail since.
func TestARunThatIsStartedAgain(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": `pull: []
deployments:
- {name: a, entrypoint: "flow.py:hello", work_pool: {name: p}, tags: ["{{ one.stdout }}"], build: [{prefect.deployments.steps.run_shell_script: {id: one, script: sh one.sh}}]}
- {name: b, entrypoint: "flow.py:hello", work_pool: {name: p}, tags: ["{{ two.stdout }}"], build: [{prefect.deployments.steps.run_shell_script: {id: two, script: sh two.sh}}]}
`})
	artifacts := t.TempDir()
	script := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name+".sh"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// build is a job; one that never comes to its step, as its checkout fails, leaves no artifact, and so the old one stays.
	build := func(attempt, key string) string {
		r := callAction(t, call{dir: dir, name: "push", event: "push_main", ref: "refs/heads/main", env: map[string]string{"GITHUB_RUN_ATTEMPT": attempt}, inputs: map[string]string{"mode": "step", "step": key, "outputs": filepath.Join(artifacts, key+".json")}})
		if r.code != 0 {
			return "failure"
		}
		return "success"
	}
	register := func(attempt, one, two string) (called, string) {
		r := callAction(t, call{dir: dir, name: "push", event: "push_main", ref: "refs/heads/main", env: map[string]string{"GITHUB_RUN_ATTEMPT": attempt},
			inputs: map[string]string{"mode": "deploy", "all-deployments": "true", "skip-build": "true", "from": artifacts + "/*.json", "results": "one=" + one + "\ntwo=" + two}})
		return r, read(r.state)
	}
	script("one", "echo one-1")
	script("two", "echo two-1")
	one, two := build("1", "one"), build("1", "two")
	if r, state := register("1", one, two); r.code != 0 || !strings.Contains(state, "one-1") || !strings.Contains(state, "two-1") {
		t.Fatalf("first attempt: exit %d\n%s\n%s", r.code, r.log, state)
	}
	for _, result := range []string{"failure", "skipped", "cancelled"} { // all jobs again: `two` fails before its step, or does not come to run
		script("one", "echo one-2")
		one = build("2", "one")
		r, state := register("2", one, result)
		if r.code != 1 || !strings.Contains(state, "one-2") || strings.Contains(state, "two-1") || !strings.Contains(r.log, "::notice::what the job two gave in an earlier attempt of this run is left out, as in this one it ended with "+result) {
			t.Errorf("second attempt, %s: exit %d\n%s\n%s", result, r.code, r.log, state)
		}
	}
	script("two", "echo two-3") // only the failed one again: the other's outputs are those of the attempt before
	two = build("3", "two")
	if r, state := register("3", "success", two); r.code != 0 || !strings.Contains(state, "one-2") || !strings.Contains(state, "two-3") {
		t.Errorf("third attempt: exit %d\n%s\n%s", r.code, r.log, state)
	}
	if r, state := register("3", "success", "failure"); r.code != 0 || !strings.Contains(state, "two-3") { // what a failed job gave in this attempt counts: other steps of it failed
		t.Errorf("partly: exit %d\n%s\n%s", r.code, r.log, state)
	}
	script("two", "exit 1")
	two = build("4", "two") // a step that fails leaves a file without it
	if r, state := register("4", "success", two); two != "failure" || r.code != 1 || strings.Contains(state, "two-") {
		t.Errorf("fourth attempt: exit %d\n%s\n%s", r.code, r.log, state)
	}
}
