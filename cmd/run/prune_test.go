// run prune: the options that it shares with plan, and what is listed of each target.
package main

import (
	"os"
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
