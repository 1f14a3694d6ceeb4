//go:build real

// A pipeline that no single file has room for: the workflow and those that it calls, as `compile github` emits them, must deploy what one process does, and each step runs once. A platform's limit is 500 KB a file; here a team's own
// setup fills that with few jobs, so that it is the real cutting which is run.
package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/emit"
)

// long is a setup of 120 KB in each job that builds, four projects with a step on a step that all of them have, and one that fails where broken says so.
func long(broken bool) string {
	var b strings.Builder
	b.WriteString("x-ci:\n  github:\n    setup:\n    - shell: bash\n      run: |\n")
	for i := range 2200 {
		fmt.Fprintf(&b, "        # what a team does on each machine before it builds, %d\n", i)
	}
	b.WriteString("steps:\n  start: &start\n    prefect.deployments.steps.run_shell_script: {id: start, script: \"git rev-parse --short HEAD\"}\ndeployments:\n")
	for i := range 4 {
		script := "echo"
		if broken && i == 1 {
			script = "cat no-such-file"
		}
		fmt.Fprintf(&b, `- name: d%[1]d
  entrypoint: flow.py:hello
  work_pool: {name: pool}
  version: "{{ end%[1]d.stdout }}"
  tags: ["{{ start.stdout }}"]
  build:
  - *start
  - prefect.deployments.steps.run_shell_script: {id: mid%[1]d, script: "%[2]s %[1]d-{{ start.stdout }}"}
  - prefect.deployments.steps.run_shell_script: {id: end%[1]d, script: "echo end-{{ mid%[1]d.stdout }}"}
`, i, script)
	}
	return b.String()
}

func TestSeveralFilesAgree(t *testing.T) {
	for name, broken := range map[string]bool{"all is well": false, "one step fails": true} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			if err := copyTree(filepath.Join(casesDir, "shared"), filepath.Join(top, "shared")); err != nil {
				t.Fatal(err)
			}
			c := &testCase{name: "several-files", dir: filepath.Join(top, "several-files"), About: "a pipeline of several files", Setup: setup{WorkPools: []map[string]any{{"name": "pool"}}}}
			if err := os.Mkdir(c.dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.dir, "prefect.yaml"), []byte(long(broken)), 0o644); err != nil {
				t.Fatal(err)
			}
			c.inSeveralFiles(t)
			ways := dialects()
			if broken { // gitlab-ci-local runs nothing after a job that was skipped, GitLab does
				ways = ways[:1]
			}
			c.agreeIn(t, ways)
		})
	}
}

// inSeveralFiles holds that the project's workflow is cut, with jobs of three levels in files of their own.
func (c *testCase) inSeveralFiles(t *testing.T) {
	t.Helper()
	project := c.layOutCounted(t, counting(t))
	data, err := os.ReadFile(filepath.Join(project, "prefect.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in, faults := emit.Load(os.DirFS(project), []emit.Source{{Name: "prefect.yaml", Data: data}})
	if in == nil {
		t.Fatal(faults)
	}
	in.Patterns, in.Action = []string{"prefect.yaml"}, "org/prefect-deploy-action@v1"
	files, faults := emit.GitHubFiles(in, "prefect.yml")
	if len(files) < 4 || !slices.ContainsFunc(files, func(f emit.File) bool { return strings.Contains(string(f.Data), "\n  end3:") }) || strings.Contains(string(files[0].Data), "\n  start:") {
		t.Fatalf("%d files: %v", len(files), faults)
	}
}
