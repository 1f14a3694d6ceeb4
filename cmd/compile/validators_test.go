//go:build real

// Every emitted file, read by those who say what is right: actionlint, GitHub's own language service, zizmor, GitLab's schema and gitlab-ci-local. Each runs once over all files, without configuration and without ignores.
//
// VALIDATORS is the folder into which .ci/setup put them. Files from elsewhere are taken in where a folder `shared` is beside the project, or where SHARED names one: its corpus and its recorded cases.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// leastEmitted is how many files must have become a pipeline, of the project's own and of those made up here; fewer means that something was left out.
var leastEmitted = map[string]int{"the project's own": 100, "made up": 15}

func TestEmittedFilesAreValid(t *testing.T) {
	folder := t.TempDir()
	sources := projectSources(t)
	emitted := map[string]int{}
	count := func(group string, sources []source) {
		for _, s := range sources {
			if emitInto(t, folder, s) > 0 {
				emitted[group]++
			}
		}
		t.Logf("%s: %d of %d became pipelines; the others are refused", group, emitted[group], len(sources))
	}
	count("the project's own", sources)
	for group, patterns := range map[string][]string{"corpus": {"corpus/*.yaml"}, "recorded cases": {"oracle/cases/*/prefect.yaml"}} {
		if found := fromElsewhere(t, patterns...); len(found) > 0 {
			count(group, found)
		}
	}
	count("made up", madeUp(t))
	for group, least := range leastEmitted {
		if emitted[group] < least {
			t.Errorf("%s: %d became pipelines, want at least %d", group, emitted[group], least)
		}
	}
	holdAll(t, folder)
}

// fromElsewhere are files of the folder beside the project.
func fromElsewhere(t *testing.T, patterns ...string) []source {
	root := os.Getenv("SHARED")
	if root == "" {
		root = "../../../shared"
	}
	for _, p := range patterns {
		if found, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(p))); len(found) == 0 {
			t.Logf("!!! NOT THERE, so not emitted: %s/%s", root, p)
			return nil
		}
	}
	return sourcesUnder(t, root, patterns...)
}

// madeUp are files for what the others lack: all of x-ci, hostile texts, and size.
func madeUp(t *testing.T) []source {
	var out []source
	for name, text := range settings {
		if name == "everywhere" { // the beginning of a file
			continue
		}
		out = append(out, made(t, "settings-"+name, text))
	}
	out = append(out, hostile(t)...)
	out = append(out, made(t, "thousand", manyDeployments(1000, 300)), made(t, "thousand-settings", settings["everywhere"]+strings.TrimPrefix(manyDeployments(1000, 300), "pull: []\n")))
	sort.Slice(out, func(i, j int) bool { return out[i].name < out[j].name })
	return out
}

// holdAll runs every reader over a folder of repositories, and fails for each of their findings. Each must have read every file.
func holdAll(t *testing.T, folder string) {
	cache := os.Getenv("VALIDATORS")
	if cache == "" {
		t.Fatal("VALIDATORS is not set; it must name the folder that .ci/setup fills")
	}
	workflows, pipelines := len(glob(folder, "*/.github/workflows/*.yml")), len(glob(folder, "*/*.yml"))
	root, _ := filepath.Abs("../..")
	own, _, _ := strings.Cut(ours, "@")
	checked := map[string]int{}
	for _, c := range [][]string{
		{filepath.Join(cache, "bin/validate"), filepath.Join(cache, "gitlab-schema/schema.json"), folder},
		{"node", filepath.Join(cache, "languageservice/languageservice.cjs"), filepath.Join(cache, "languageservice/actions.json"), own, filepath.Join(root, "action.yml"), folder},
		{"node", filepath.Join(root, ".ci/validate/gitlab-ci-local.mjs"), filepath.Join(cache, "gitlab-schema/node_modules/gitlab-ci-local"), folder},
	} {
		hold(t, c, folder, checked)
	}
	audit(t, filepath.Join(cache, "zizmor/bin/zizmor"), folder)
	t.Logf("%d workflows, %d GitLab files; read: %v", workflows, pipelines, checked)
	for tool, want := range map[string]int{"actionlint": workflows, "languageservice": workflows, "schema": pipelines, "gitlab-ci-local": pipelines} {
		if checked[tool] != want {
			t.Errorf("%s read %d files, want %d", tool, checked[tool], want)
		}
	}
}

func glob(folder, pattern string) []string {
	found, _ := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
	return found
}

// hold runs a reader whose findings are lines of JSON.
func hold(t *testing.T, command []string, folder string, checked map[string]int) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", filepath.Base(command[0]), err, stderr.String())
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var line struct {
			Tool, File, Message string
			Line                int
			Checked             map[string]int
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s printed %q", command[0], lines.Text())
		}
		for tool, n := range line.Checked {
			checked[tool] += n
		}
		if line.Message != "" {
			within, _ := filepath.Rel(folder, line.File)
			t.Errorf("%s: %s:%d: %s", line.Tool, within, line.Line, line.Message)
		}
	}
}

// audit runs zizmor. It reads a configuration where it finds one, so it is told to read none; comments that silence it don't count; a file that it can't read is a failure.
func audit(t *testing.T, zizmor, folder string) {
	t.Helper()
	cmd := exec.Command(zizmor, "--offline", "--no-config", "--no-ignores", "--no-progress", "--strict-collection", "--min-severity", "medium", "--format", "json", folder)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var findings []struct {
		Ident, Desc    string
		Determinations struct{ Severity string }
		Locations      []struct {
			Symbolic struct {
				Key struct {
					Local struct {
						GivenPath string `json:"given_path"`
					}
				}
			}
		}
	}
	if json.Unmarshal(out, &findings) != nil {
		t.Errorf("zizmor: %v\n%s", err, stderr.String())
	}
	for _, f := range findings {
		t.Errorf("zizmor: %s: %s (%s)", f.Ident, f.Desc, f.Determinations.Severity)
		for _, l := range f.Locations {
			t.Logf("  at %v", l.Symbolic.Key.Local.GivenPath)
		}
	}
	if n := strings.Count(stderr.String(), "completed "); n != len(glob(folder, "*/.github/workflows/*.yml")) {
		t.Errorf("zizmor read %d files:\n%s", n, fmt.Sprintf("%.2000s", stderr.String()))
	}
}
