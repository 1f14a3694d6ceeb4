// Which packages go where, with a Python that only writes down what it is asked: a real one would fetch them.
package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// notedPython writes its arguments to LOG. It is kept by the system when KEPT is set, as environments made with it are not, and has a Prefect once one was installed.
const notedPython = `#!/bin/sh
dir=$(dirname "$0")
for last; do :; done
case "$1 $2" in
"-c "*)
  if [ -n "$KEPT" ] && [ "$(basename "$0")" = python3 ]; then echo kept; fi
  if [ -e "$LOG.prefect" ]; then echo prefect; fi ;;
"-m venv") mkdir -p "$last/bin"; cp "$0" "$last/bin/python"; echo "venv" >>"$LOG" ;;
"-m pip")
  shift 4
  echo "$(basename "$0"): $*" >>"$LOG"
  if [ -n "$REFUSE" ]; then echo "no index" >&2; exit 1; fi
  case "$*" in *prefect*) : >"$LOG.prefect" ;; esac ;;
*) exit 1 ;;
esac
`

func TestWhatIsInstalledWhere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the Python that writes down what it is asked is a shell script")
	}
	const plain = "deployments:\n  - name: only\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n"
	const withStep = plain + "    build:\n      - my_steps.build: {id: x}\n"
	for _, c := range []struct {
		name, yaml         string
		inputs             map[string]string
		kept, refuse, want string
		log                string
	}{
		{"nothing needs Python", plain, map[string]string{"requirements-file-paths": "a.txt, b.txt", "pyproject-toml-path": "./sub/pyproject.toml"}, "", "", "", "No Python packages were installed"},
		{"packages", withStep, map[string]string{"requirements-file-paths": "a.txt, b.txt"}, "", "", "python3: -r a.txt -r b.txt|python3: prefect>=3,<4", ""},
		{"a Prefect among them", withStep, map[string]string{"requirements-file-paths": "./prefect.txt"}, "", "", "python3: -r ./prefect.txt", ""},
		{"a project", withStep, map[string]string{"pyproject-toml-path": "./sub/pyproject.toml"}, "", "", "python3: ./sub|python3: prefect>=3,<4", ""},
		{"nothing named", withStep, nil, "", "", "python3: prefect>=3,<4", ""},
		{"the system's Python", withStep, map[string]string{"requirements-file-paths": "a.txt"}, "yes", "", "venv|python: -r a.txt|python: prefect>=3,<4", ""},
		{"nothing named and nothing to be had", withStep, nil, "", "yes", "python3: prefect>=3,<4", "::warning title=Prefect"},
		{"packages that are not to be had", withStep, map[string]string{"requirements-file-paths": "a.txt"}, "", "yes", "python3: -r a.txt", "could not be installed"},
	} {
		dir, bin := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": c.yaml, "a.txt": "", "b.txt": "", "prefect.txt": "", "sub/pyproject.toml": ""}), t.TempDir()
		python, log := filepath.Join(bin, "python3"), filepath.Join(bin, "log")
		if err := os.WriteFile(python, []byte(notedPython), 0o755); err != nil {
			t.Fatal(err)
		}
		r := callAction(t, call{dir: dir, name: "push", event: "push_main", ref: "refs/heads/main", inputs: c.inputs, env: map[string]string{"PREFECT_DEPLOY_PYTHON": python, "LOG": log, "KEPT": c.kept, "REFUSE": c.refuse}})
		if got := strings.ReplaceAll(strings.TrimSpace(read(log)), "\n", "|"); got != c.want || !strings.Contains(r.log, c.log) {
			t.Errorf("%s: %s\nwant %s\n%s", c.name, got, c.want, r.log)
		}
	}
}
