// Results never take the place of what a run reads, or keeps its state in.
package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

func TestResultsTakeNoFilesPlace(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "pull: []\ndeployments:\n- {name: d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"})
	in := func(name string) string { return filepath.Join(dir, name) }
	must(t, "deploy", "--all", "-C", dir, "--state", "file:state.json")
	if err := os.Symlink("state.json", in("link.json")); err != nil {
		t.Fatal(err)
	}
	before := read(in("prefect.yaml")) + read(in("state.json"))
	for _, args := range [][]string{
		{"plan", "--all", "--json", in("prefect.yaml")}, {"plan", "--all", "--markdown", in("prefect.yaml")}, {"deploy", "--all", "--json", in("state.json")}, {"plan", "--all", "--json", in("link.json")},
		{"prune", "--json", in("state.json")}, {"plan", "--all", "--json", in("both"), "--markdown", in("both")}, {"pull-check", "--all", "--json", in("prefect.yaml")},
	} {
		rest := []string{"-C", dir, "--state", "file:state.json"}
		if code, stdout, stderr := command(t, nil, append(args, rest...)...); code != cli.ExitUsage {
			t.Errorf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
	}
	if read(in("prefect.yaml"))+read(in("state.json")) != before {
		t.Error("a file was written over")
	}
	must(t, "plan", "--all", "-C", dir, "--state", "file:state.json", "--json", in("plan.json"), "--markdown", in("plan.md"))
}
