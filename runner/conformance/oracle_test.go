//go:build real

// Recorded cases from elsewhere: a folder shared/oracle beside the project, or in the folder that SHARED names, where a team keeps what the real Prefect did for projects that nobody here wrote. Without the
// folder there is nothing to test, but where it was named it must be there. Only our side runs; the recordings are the other.
package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// oracleDir is the folder of the recorded cases.
func oracleDir() string {
	if root := os.Getenv("SHARED"); root != "" {
		return filepath.Join(root, "oracle", "cases")
	}
	return filepath.FromSlash("../../../shared/oracle/cases")
}

// oracleThere reports whether there are recorded cases. That there are none must not read as passed where all was asked for (PROVE) or where the folder was named.
func oracleThere(t *testing.T) bool {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(oracleDir(), "*", "case.json"))
	switch {
	case len(found) > 0:
		return true
	case os.Getenv("SHARED") != "":
		t.Fatalf("SHARED names a folder without recorded cases: no file is %s/*/case.json", oracleDir())
	case os.Getenv("PROVE") != "" && os.Getenv("PROVE") != "own":
		t.Fatalf("PROVE asks for all cases, and the recorded ones are not there: no file is %s/*/case.json. Name the folder that has them in SHARED, or ask for the project's own cases (PROVE=own)", oracleDir())
	}
	return false
}

// oracleCases are how the names begin of those cases that this project claims.
var oracleCases = []string{"seed-", "select-", "steps-", "template-", "schedule-", "error-", "empty-", "version-", "unknown-", "unicode", "yaml-dates", "redeploy-",
	"trigger-", "cli-", "concurrency-", "pull-"}

func claimed(name string) bool {
	for _, prefix := range oracleCases {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// oracleDepartures are the cases in which a row of docs/differences.md asks for something else than the recording, and the exact differences.
var oracleDepartures = map[string]*departure{
	"empty-tags-null": {Row: "tags-null", Differences: []string{
		"+ deployments.[hello/d]: " + text(map[string]any{"concurrency_limit": nil, "concurrency_options": nil, "description": nil, "enforce_parameter_schema": true, "entrypoint": "flow.py:hello",
			"flow_name": "hello", "job_variables": map[string]any{}, "labels": map[string]any{}, "name": "d", "parameter_openapi_schema": map[string]any{"properties": map[string]any{},
				"title": "Parameters", "type": "object"}, "parameters": map[string]any{}, "path": nil, "paused": false, "pull_steps": []any{map[string]any{
				"prefect.deployments.steps.set_working_directory": map[string]any{"directory": "<project>"}}}, "schedules": []any{}, "tags": []any{},
			"version": "b06f8b1cf4ac7fc4768da0e53cd4c1af", "work_pool_name": "my-pool", "work_queue_name": "default"}),
		"! failed: want true, got false", `+ flows.[hello]: {"labels":{},"name":"hello","tags":[]}`}},
	"error-bad-parameters":        {Row: "first-failure", Differences: []string{"- flows.[hello]"}},
	"template-output-names-known": {Row: wholeItem, Differences: []string{`+ deployments.[hello/d].tags[0]: "one"`, `+ deployments.[hello/d].tags[1]: "{'stdout': 'one', 'stderr': ''}"`}},
	"template-value-types": {Row: wholeItem, Differences: []string{`! deployments.[hello/d].parameters.in_list[0]: want "a7", got 7`,
		`! deployments.[hello/d].parameters.in_list[1]: want [], got "a7"`, `+ deployments.[hello/d].parameters.in_list[2]: [true]`}},
	"unicode": {Row: wholeItem, Differences: []string{`! deployments.[Grüße an alle/déploiement ünïcode].tags[2]: want "a'b\"c", got "naïve ✓ 🚀"`,
		`+ deployments.[Grüße an alle/déploiement ünïcode].tags[3]: "a'b\"c"`}},
}

const wholeItem = "whole-item"

func oracle(t *testing.T) []*testCase { return oracleWith(t, "") }

// oracleWith are the cases that need nothing, or just the one thing that is named.
func oracleWith(t *testing.T, need string) []*testCase {
	t.Helper()
	if !oracleThere(t) {
		t.Skipf("there is no %s", oracleDir())
	}
	dirs, _ := filepath.Glob(filepath.Join(oracleDir(), "*", "case.json"))
	var out []*testCase
	for _, file := range dirs {
		c := &testCase{dir: filepath.Dir(file), name: filepath.Base(filepath.Dir(file))}
		if !claimed(c.name) {
			continue
		}
		var about struct {
			Args     []string
			Env      map[string]string
			Git      *gitSetup
			Versions []int
			Needs    []string
		}
		readJSON(t, file, &about)
		if about.Versions != nil && !containsThree(about.Versions) || strings.Join(about.Needs, " ") != need {
			continue
		}
		c.Args, c.Env, c.Git, c.Departs = about.Args, about.Env, about.Git, oracleDepartures[c.name]
		if c.Git != nil {
			c.Git.author, c.Git.date = "Oracle", "2024-01-02T03:04:05Z" // as in the recordings: a version is the commit's hash
		}
		c.Setup = setup{WorkPools: []map[string]any{{"name": "my-pool"}}}
		if _, err := os.Stat(filepath.Join(c.dir, "setup.json")); err == nil {
			c.Setup = setup{}
			readJSON(t, filepath.Join(c.dir, "setup.json"), &c.Setup)
		}
		out = append(out, c)
	}
	return out
}

func containsThree(versions []int) bool {
	for _, v := range versions {
		if v == 3 {
			return true
		}
	}
	return false
}

// expectation is what must be there afterwards: ours where the folder says that we differ, else Prefect's.
func (c *testCase) expectation(t *testing.T) *snapshot {
	t.Helper()
	for _, name := range []string{"ours-3.json", "ours.json", "prefect-3.json"} {
		file := filepath.Join(c.dir, "expected", name)
		if _, err := os.Stat(file); err != nil {
			continue
		}
		var recorded struct {
			ExitCode    int              `json:"exit_code"`
			Deployments []map[string]any `json:"deployments"`
			Flows       []any            `json:"flows"`
			Automations []any            `json:"automations"`
			WorkQueues  []string         `json:"work_queues"`
		}
		readJSON(t, file, &recorded)
		s := &snapshot{Failed: recorded.ExitCode != 0, Deployments: []any{}, Flows: recorded.Flows, Automations: recorded.Automations, WorkQueues: recorded.WorkQueues}
		for _, d := range recorded.Deployments {
			s.Deployments = append(s.Deployments, normalDeployment(d, str(d, "flow_name")))
		}
		s.rewrite()
		return s
	}
	t.Fatal("nothing is recorded")
	return nil
}

// TestOracle deploys each recorded case, with Python for steps and flows that want it. In `make test` it and the next test share the cases, in `make prove` each has them all.
func TestOracle(t *testing.T) {
	for i, c := range oracle(t) {
		if i%2 == 1 && !c.hasPythonStep(t) && !allCases() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			c.againstRecording(t, filepath.Join(venv(t), "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "PREFECT_ORACLE_VENV="+venv(t))
		})
	}
}

// TestOracleWithoutPython is the same with no Python anywhere, for the cases that have no Python step.
func TestOracleWithoutPython(t *testing.T) {
	for i, c := range oracle(t) {
		if c.hasPythonStep(t) || i%2 == 0 && !allCases() {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.againstRecording(t, withoutPython(t)) })
	}
}

// hasPythonStep looks for a function of the project, or of a package, as a step.
func (c *testCase) hasPythonStep(t *testing.T) bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, "prefect.yaml"))
	if err != nil {
		return false
	}
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:- )?\{?\s*([A-Za-z_][\w]*(?:\.\w+)+)\s*:`).FindAllStringSubmatch(string(data), -1) {
		if name := m[1]; !strings.HasPrefix(name, "prefect.deployments.steps.") || strings.HasSuffix(name, ".pip_install_requirements") {
			return true
		}
	}
	return false
}

// againstRecording deploys, compares, and then asks for a plan and deploys again: neither may find anything to do.
func (c *testCase) againstRecording(t *testing.T, path string, env ...string) {
	t.Helper()
	a := server(t)
	ours, said, again := c.deployOurs(t, a, path, env...)
	for _, d := range ours.Deployments { // these recordings hold only what a server answers
		delete(d.(map[string]any), "version_info")
	}
	if d := c.unexpected(differences(c.expectation(t), ours), func(string) bool { return true }); len(d) > 0 {
		t.Errorf("%s\noutput:\n%s", strings.Join(d, "\n"), said)
	}
	if len(again) > 0 {
		t.Errorf("%s\n%s", c.name, strings.Join(again, "\n"))
	}
}
