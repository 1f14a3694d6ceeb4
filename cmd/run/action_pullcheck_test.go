package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A pull section that yields the entrypoint, and one that does not: the second is told at its line, and the exit code is 1.
func TestActionPullCheck(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "flow.py")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("flow.py", oneFlow)
	step := func(script string) string {
		return "    pull: [{prefect.deployments.steps.run_shell_script: {script: '" + script + "'}}]\n"
	}
	write("prefect.yaml", "deployments:\n  - name: good\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n"+step("cp "+source+" .")+
		"  - name: bad\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n"+step("true"))
	server := true
	call := func(inputs map[string]string) called {
		inputs["mode"] = "pull-check"
		return callAction(t, call{dir: dir, name: "pull_request", event: "pull_request_opened", inputs: inputs, withoutServer: !server})
	}
	c := call(map[string]string{"deployment-names": "good"})
	if c.code != 0 || c.outputs["result"] != "checked" || !strings.Contains(c.summary, "the pull sections of 1 deployment yield") || !strings.Contains(c.summary, "ok      hello/good") {
		t.Errorf("good: %+v", c)
	}
	c = call(map[string]string{"all-deployments": "true"})
	if c.code != 1 || c.outputs["result"] != "failed" || !strings.Contains(c.summary, "the pull sections of 1 of 2 deployments failed") || !strings.Contains(c.summary, "failed  hello/bad") || !strings.Contains(c.log, "::error file=prefect.yaml,line=6") {
		t.Errorf("all: %+v", c)
	}
	server = false
	for name, text := range map[string]string{
		"a-step's-output": "    pull: [{prefect.deployments.steps.git_clone: {repository: '{{ hash.stdout }}'}}]\n    build: [{prefect.deployments.steps.run_shell_script: {id: hash, script: date}}]\n",
		"a-variable":      "    pull: [{prefect.deployments.steps.set_working_directory: {directory: '{{ prefect.variables.where }}'}}]\n",
	} {
		write("prefect.yaml", "deployments:\n  - name: d\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n"+text)
		if c = call(map[string]string{"all-deployments": "true"}); c.code != 1 || strings.Contains(c.log+c.summary, "--") || !strings.Contains(c.log+c.summary, "input") {
			t.Errorf("%s: what to do is to be said in inputs: %+v", name, c)
		}
	}
	server = true
	if c = call(map[string]string{"deployment-file-path": "absent.yaml"}); c.code != 64 || strings.Contains(c.log, "--") {
		t.Errorf("no file: %+v", c)
	}
	write("prefect.yaml", "deployments:\n  - name: d\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n    pull: [{my_steps.fetch: {x: 1}}]\n")
	if c = call(map[string]string{"all-deployments": "true", "requirements-file-paths": "absent.txt"}); c.code == 0 || !strings.Contains(c.log, `there is no file "absent.txt"`) {
		t.Errorf("the packages of a pull step are not installed: %+v", c)
	}
	if c = call(map[string]string{"all-deployments": "true", "step": "x"}); c.code != 64 {
		t.Errorf("with a step: %+v", c)
	}
}
