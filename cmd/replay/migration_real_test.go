//go:build real

// Coming from PrefectHQ/actions-prefect-deploy: workflows as its users have them, one for each use that it documents, with the one line changed. What they deploy must be what
// they deployed; what is different on purpose stands in README.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/replay"
)

const (
	theOtherAction = "PrefectHQ/actions-prefect-deploy@v4"
	thisAction     = "org/prefect-deploy-action@v1"
)

// migrant is a copy of testdata/migration with a Python for its jobs.
type migrant struct {
	*repository
	prefect *server
	python  string // an actions/setup-python
	packs   string // where packages are installed
}

func newMigrant(t *testing.T) *migrant {
	t.Helper()
	m := &migrant{repository: repositoryOf(t, "migration"), prefect: prefectServer(t), python: t.TempDir()}
	m.cache = cacheWithProgram(t)
	venv := filepath.Join(t.TempDir(), "python")
	real := os.Getenv("PREFECT_VENV")
	if out, err := exec.Command(filepath.Join(real, "bin", "python"), "-m", "venv", "--without-pip", venv).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, lib := range []string{real, venv} { // it has what the real one has, and gets what is installed
		found, err := filepath.Glob(filepath.Join(lib, "lib", "python3*", "site-packages"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v %v", lib, found, err)
		}
		if lib == venv {
			err = os.WriteFile(filepath.Join(found[0], "real.pth"), []byte(m.packs+"\n"), 0o600)
		}
		if m.packs = found[0]; err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf("name: python\ndescription: A Python\ninputs: {python-version: {description: Not used}}\nruns:\n  using: composite\n  steps:\n    - {shell: bash, run: 'echo %q >>\"$GITHUB_PATH\"'}\n", filepath.Join(venv, "bin"))
	if err := os.WriteFile(filepath.Join(m.python, "action.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// migrates runs a workflow of the other action with its one line changed.
func (m *migrant) migrates(t *testing.T, workflow, event, payload string) (*replay.Result, string) {
	t.Helper()
	m.workflow = filepath.Join(".github", "workflows", workflow+".yml")
	if data, err := os.ReadFile(filepath.Join(m.dir, m.workflow)); err == nil && strings.Contains(string(data), theOtherAction) {
		m.edit(t, theOtherAction, thisAction)
	}
	result, log := m.run(t, event, payload, m.prefect, "--secret", "PREFECT_API_URL="+m.prefect.url, "--secret", "PREFECT_API_KEY=pnu_a-key-of-the-team",
		"--action", "actions/setup-python@v5="+m.python)
	if strings.Contains(log, "pnu_a-key") {
		t.Error("the key is in the log")
	}
	return result, log
}

// deployed are the names that the server holds.
func (m *migrant) deployed(t *testing.T) string {
	t.Helper()
	var names []string
	for _, d := range m.prefect.deployments(t) {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

func TestOneChangedLine(t *testing.T) {
	const nothing = "No Python packages were installed"
	for _, c := range []struct{ workflow, event, payload, deployed, log string }{
		{"one", "push", "push_main", "Hourly Report", nothing},
		{"several", "push", "push_main", "Report_1, Report_2", nothing},
		{"default", "push", "push_main", "deployment", ""},
		{"pyproject", "push", "push_main", "stamped", "Successfully installed stamp-1.0"},
		{"all", "workflow_dispatch", "workflow_dispatch", "Hourly Report, Report_1, Report_2, deployment, stamped", "Requirement already satisfied: PyYAML"},
	} {
		t.Run(c.workflow, func(t *testing.T) {
			m := newMigrant(t)
			result, log := m.migrates(t, c.workflow, c.event, c.payload)
			if got := m.deployed(t); result.Failed() || got != c.deployed || !strings.Contains(log, c.log) {
				t.Errorf("%s\n%s", got, log)
			}
			for _, d := range m.prefect.deployments(t) {
				if d.Name == "stamped" && fmt.Sprint(d.Tags) != "[stamped-by-a-package]" {
					t.Errorf("%+v", d)
				}
			}
			if _, err := os.Stat(filepath.Join(m.packs, "stamp.py")); (err == nil) != strings.Contains(c.deployed, "stamped") {
				t.Errorf("the package: %v", err)
			}
		})
	}
}

// TestAPullRequestDeploysOnlyWhereItSaysSo: the other action deploys upon any event. Here a pull request is planned, unless the workflow says mode: deploy.
func TestAPullRequestDeploysOnlyWhereItSaysSo(t *testing.T) {
	m := newMigrant(t)
	if result, log := m.migrates(t, "one", "pull_request", "pull_request_opened"); result.Failed() || output(result, "result") != "planned" || m.deployed(t) != "" {
		t.Errorf("%s\n%s", m.deployed(t), log)
	}
	m.edit(t, "        with:\n          deployment-names", "        with:\n          mode: deploy\n          deployment-names")
	if result, log := m.migrates(t, "one", "pull_request", "pull_request_opened"); result.Failed() || m.deployed(t) != "Hourly Report" {
		t.Errorf("%s\n%s", m.deployed(t), log)
	}
}
