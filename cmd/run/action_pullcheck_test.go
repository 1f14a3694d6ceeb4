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
	call := func(inputs map[string]string) called {
		inputs["mode"] = "pull-check"
		return callAction(t, call{dir: dir, name: "pull_request", event: "pull_request_opened", inputs: inputs})
	}
	c := call(map[string]string{"deployment-names": "good"})
	if c.code != 0 || c.outputs["result"] != "checked" || !strings.Contains(c.summary, "the pull sections of 1 deployment yield") || !strings.Contains(c.summary, "ok      hello/good") {
		t.Errorf("good: %+v", c)
	}
	c = call(map[string]string{"all-deployments": "true"})
	if c.code != 1 || c.outputs["result"] != "failed" || !strings.Contains(c.summary, "1 of 2 deployments have no") || !strings.Contains(c.summary, "failed  hello/bad") || !strings.Contains(c.log, "::error file=prefect.yaml,line=6") {
		t.Errorf("all: %+v", c)
	}
	if c = call(map[string]string{"all-deployments": "true", "step": "x"}); c.code != 64 {
		t.Errorf("with a step: %+v", c)
	}
}
