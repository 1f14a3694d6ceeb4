//go:build real

// What the real git_clone makes of the inputs of git_cases_test.go: recorded with -record, and asked again.
package step

import (
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var record = flag.Bool("record", false, "write what the real one says now")

func TestGitAllAsRecorded(t *testing.T) { gitAsRecorded(t, 1) }

func TestGitIsReal(t *testing.T) {
	s := newGitServer(t)
	fixtures, commits := s.fixtures(t)
	type handed struct {
		Name string `json:"name"`
		Dir  string `json:"dir"`
		Ops  []op   `json:"ops"`
	}
	var list []handed
	for _, c := range gitCases() {
		h := handed{Name: c.Name, Dir: s.prepare(t, fixtures, c.Name)}
		fill, _ := s.replacer(c.Name, commits)
		for _, o := range c.Ops {
			h.Ops = append(h.Ops, o.filled(fill))
		}
		list = append(list, h)
	}
	dir := t.TempDir()
	data, err := json.Marshal(list)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "cases.json"), data, 0o644)
	}
	script, failed := filepath.Abs("testdata/record_git.py")
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	cmd := exec.Command(realPython(t), script, filepath.Join(dir, "cases.json"), filepath.Join(dir, "answers.json"))
	cmd.Env = append(s.env(), "PREFECT_HOME="+dir, "PREFECT_LOGGING_LEVEL=CRITICAL", "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	var answers map[string][]answerOf
	if data, err = os.ReadFile(filepath.Join(dir, "answers.json")); err == nil {
		err = json.Unmarshal(data, &answers)
	}
	if err != nil {
		t.Fatal(err)
	}
	if config, err := os.ReadFile(filepath.Join(s.root, "token", "work", "app", ".git", "config")); err != nil || !strings.Contains(string(config), strings.ReplaceAll(url.QueryEscape(secretToken), "+", "%20")) {
		t.Errorf("the real one does not leave the token in .git/config any more (%v): docs/differences.md says so\n%s", err, config)
	}
	now := map[string]*cameOf{}
	for _, c := range gitCases() {
		_, back := s.replacer(c.Name, commits)
		now[c.Name] = &cameOf{answers[c.Name], s.effects(t, c.Name), s.seen(c.Name)}
		now[c.Name].told(back)
	}
	if *record {
		data, err := json.MarshalIndent(now, "", " ")
		if err == nil {
			err = os.WriteFile("testdata/git.golden.json", append(data, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	var before map[string]*cameOf
	load(t, "git.golden.json", &before)
	for name, c := range now {
		if !reflect.DeepEqual(c, before[name]) {
			t.Errorf("%s is not what the real one does now\nrecorded %+v\nnow      %+v", name, before[name], c)
		}
	}
}
