// The program from outside: exit codes, what goes to which stream, -f and -C, and that --fix changes what it must and nothing else.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	flowFile = "from prefect import flow\n\n\n@flow\ndef hello():\n    pass\n"
	good     = "pull: []\ndeployments:\n  - name: a\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n"
	warned   = "pull: []\ndeployments:\n  - name: a\n    entrypoint: flow.py:hello\n"
	bad      = good + "    version: 2\n"
)

// project writes a directory; a name that ends in / is a folder.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCommandLine(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": flowFile, "prefect.yaml": good, "warned.yaml": warned, "bad.yaml": bad, "teams/a/prefect.yaml": good, "teams/b/prefect.yaml": strings.Replace(bad, "name: a", "name: b", 1)})
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string // what must be in them; "" is nothing at all
	}{
		{"check", 0, "no errors (1 deployment)", ""},
		{"chek", 64, "", "did you mean check? compile -h lists them"},
		{"nothing-like-it", 64, "", "there is no command \"nothing-like-it\"; compile -h lists them"},
		{"init --discovr", 64, "", "did you mean --discover? compile init -h lists the options"},
		{"check -f warned.yaml", 0, "0 errors, 1 warning", ""},
		{"check -f warned.yaml --strict", 1, "missing-work-pool", ""},
		{"check -f bad.yaml", 1, "bad.yaml:6:14: error: version is text", ""},
		{"check -f bad.yaml --format github", 1, "::error file=bad.yaml,line=6,col=14,endLine=6,endColumn=15,title=wrong-type::", ""},
		{"check -f bad.yaml --format json", 1, `"code": "wrong-type"`, ""},
		{"check -f bad.yaml --format sarif", 1, `"ruleId": "wrong-type"`, ""},
		{"check --format sarif", 0, `"results": []`, ""},
		{"check -f teams/*/prefect.yaml", 1, "teams/b/prefect.yaml:6:14", ""},
		{"check -f prefect.yaml -f warned.yaml", 0, "duplicate-deployment", ""},
		{"check -f prefect.yaml -f prefect.yaml", 0, "no errors (1 deployment)", ""},
		{"check -f gone.yaml", 1, "", "gone.yaml"},
		{"check -f none*.yaml", 1, "", "none*.yaml"},
		{"check -f teams", 1, "", "teams"},
		{"check --format xml", 64, "", "xml"},
		{"check --frmat json", 64, "", "compile check -h"},
		{"check extra", 64, "", "extra"},
		{"chekc", 64, "", "chekc"},
		{"graph", 0, `"schema": 1`, ""},
		{"graph --format mermaid", 0, "flowchart LR", ""},
		{"graph --format dot", 0, "digraph {", ""},
		{"graph --format svg", 0, "<svg ", ""},
		{"graph --format svg -f prefect.yaml -f teams/a/prefect.yaml", 0, "2 files", ""},
		{"graph --format png", 64, "", "json, mermaid, dot, svg"},
		{"graph --format svg -f bad.yaml", 1, "", "wrong-type"},
		{"graph -f bad.yaml", 1, "", "wrong-type"},
		{"explain wrong-type", 0, "Right:", ""},
		{"explain wrong-typ", 64, "", "did you mean wrong-type?"},
		{"explain", 64, "", "explain"},
		{"-h", 0, "check", ""},
		{"check -h", 0, "--strict", ""},
		{"completion bash", 0, "bash completion", ""},
		{"completion zsh", 0, "#compdef", ""},
		{"completion fish", 0, "fish", ""},
	} {
		args := strings.Fields(c.args)
		if args[0] == "check" || args[0] == "graph" {
			args = append(args, "-C", dir)
		}
		code, stdout, stderr := compile(args...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) || (c.stdout == "" && stdout != "") || (c.stderr == "" && stderr != "") {
			t.Errorf("compile %s: exit %d\nstdout: %s\nstderr: %s", c.args, code, stdout, stderr)
		}
	}
}

// Code scanning counts from the repository's root, wherever the check was started.
func TestSARIFPathsAreTheRepositorys(t *testing.T) {
	dir := project(t, map[string]string{".git/HEAD": "x", "bad.yaml": bad, "flow.py": flowFile, "team a/bad.yaml": bad, "team a/flow.py": flowFile})
	for at, want := range map[string]string{dir: `"uri": "bad.yaml"`, filepath.Join(dir, "team a"): `"uri": "team%20a/bad.yaml"`} {
		if code, stdout, _ := compile("check", "-f", "bad.yaml", "--format", "sarif", "-C", at); code != 1 || !strings.Contains(stdout, want) || !strings.Contains(stdout, `"uriBaseId": "%SRCROOT%"`) {
			t.Errorf("exit %d: %s is not in\n%s", code, want, stdout)
		}
	}
}

// A runner's annotations count from where the command was started: -C goes before the files' names.
func TestAnnotationsAreFoundFromWhereTheCommandWasStarted(t *testing.T) {
	t.Chdir(project(t, map[string]string{"team a/bad.yaml": bad, "team a/flow.py": flowFile}))
	for at, want := range map[string]string{"team a": "::error file=team a/bad.yaml,", "./team a/": "::error file=team a/bad.yaml,"} {
		if _, stdout, _ := compile("check", "-f", "bad.yaml", "--format", "github", "-C", at); !strings.HasPrefix(stdout, want) {
			t.Errorf("-C %s: %s", at, stdout)
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	dir := project(t, map[string]string{"prefect.yaml": good})
	if err := os.Chmod(filepath.Join(dir, "prefect.yaml"), 0); err != nil {
		t.Fatal(err)
	}
	asNobody(t, dir)
	if code, stdout, stderr := compile("check", "-C", dir); code != 1 || stdout != "" || !strings.Contains(stderr, "permission denied") {
		t.Errorf("exit %d, %s, %s", code, stdout, stderr)
	}
}

// TestFix: comments, layout, line ends and permissions stay; what is left is told; a second run changes nothing.
func TestFix(t *testing.T) {
	before := "# top\r\nname: 5   # five\r\ndeployments:\r\n  - name: 1.0 # é\r\n    entrypoint: flow.py:hello\r\n\r\n    version: 0x10\r\n    parameters: {x: {{ a }}, y: 2}\r\n    description:   {{ b.c }}:d  # e\r\n    paused: maybe\r\n"
	after := strings.NewReplacer("name: 5 ", `name: "5" `, "1.0", `"1.0"`, "0x10", `"0x10"`, "{{ b.c }}:d", `"{{ b.c }}:d"`).Replace(before)
	after = strings.Replace(after, "{x: {{ a }}, y: 2}", `{x: "{{ a }}", y: 2}`, 1)
	before = strings.Replace(before, "{x: {{ a }}, y: 2}", `{x: "{{ a }}", y: 2}`, 1)
	dir := project(t, map[string]string{"flow.py": flowFile, "real.yaml": before})
	if err := os.Chmod(filepath.Join(dir, "real.yaml"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.yaml", filepath.Join(dir, "prefect.yaml")); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := compile("check", "--fix", "-C", dir)
	got, _ := os.ReadFile(filepath.Join(dir, "real.yaml"))
	if string(got) != after || code != 1 || !strings.Contains(stdout, "paused is true or false") || !strings.Contains(stderr, "4 corrections written") {
		t.Errorf("exit %d\n%s\n%q\nwant\n%q\n%s", code, stderr, got, after, stdout)
	}
	if info, _ := os.Lstat(filepath.Join(dir, "prefect.yaml")); info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is no longer one")
	}
	if info, _ := os.Stat(filepath.Join(dir, "real.yaml")); info.Mode().Perm() != 0o640 {
		t.Errorf("permissions are %o", info.Mode().Perm())
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 3 {
		t.Errorf("something is left beside the file: %v", entries)
	}
	if _, _, stderr := compile("check", "--fix", "-C", dir); stderr != "" {
		t.Errorf("a second --fix writes again: %s", stderr)
	}
}

// TestFixThatCannotWrite leaves the file as it was.
func TestFixThatCannotWrite(t *testing.T) {
	dir := project(t, map[string]string{"sub/prefect.yaml": "name: 5\n"})
	sub := filepath.Join(dir, "sub")
	if err := os.Chmod(sub, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(sub, 0o755) })
	asNobody(t, dir)
	code, _, stderr := compile("check", "--fix", "-C", sub)
	if got, _ := os.ReadFile(filepath.Join(sub, "prefect.yaml")); string(got) != "name: 5\n" || code != 1 || !strings.Contains(stderr, "could not be written") {
		t.Errorf("exit %d, %q, %s", code, got, stderr)
	}
}

// TestCorpus: on the collected files of real projects, where that folder is, the verdict is the real Prefect's: an error that no missing file causes, or none.
func TestCorpus(t *testing.T) {
	const dir = "../../../shared/corpus"
	table, err := os.ReadFile(filepath.Join(dir, "prefect-verdicts.tsv"))
	if err != nil {
		t.Skip("the collection is not here")
	}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		column := append(strings.Split(line, "\t"), "")
		name, accepted, message := column[0], column[1] == "accepted", column[2]
		_, stdout, _ := compile("check", "-C", dir, "-f", name, "--format", "json")
		var report struct {
			Diagnostics []struct {
				Severity, Code, Message string
				Line                    int
			}
		}
		if err := json.Unmarshal([]byte(stdout), &report); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var errors []string
		for _, d := range report.Diagnostics {
			if d.Severity == "error" && !strings.HasPrefix(d.Code, "missing-") && d.Code != "tags-not-a-list" {
				errors = append(errors, fmt.Sprintf("%d: %s", d.Line, d.Message))
			}
		}
		all := strings.Join(errors, "\n")
		switch {
		case accepted && len(errors) > 0, !accepted && len(errors) == 0:
			t.Errorf("%s is %s, and the errors are %v", name, column[1], errors)
		case strings.Contains(message, "max_active_runs") && !strings.Contains(all, "max_active_runs"),
			strings.Contains(message, "deployments.0.schedule.") && !strings.Contains(all, "schedule is one schedule"):
			t.Errorf("%s: Prefect says %s, and the errors are %v", name, message, errors)
		}
	}
}

// TestWrongUsageOfEveryCommand: what can't be meant is exit 64, and a file that isn't there is a fault, for each command alike.
func TestWrongUsageOfEveryCommand(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []string{"check", "graph", "github", "gitlab", "init", "explain"} {
		for _, args := range [][]string{{"--no-such-option"}, {"-C", filepath.Join(dir, "absent")}, {"-C", dir, "extra", "words"}} {
			if c == "explain" && args[0] == "-C" && len(args) == 2 {
				continue
			}
			if code, stdout, stderr := compile(append([]string{c}, args...)...); code != 64 || stdout != "" || !strings.HasPrefix(stderr, "error: ") {
				t.Errorf("%s %q: exit %d\n%s\n%s", c, args, code, stdout, stderr)
			}
		}
		if c != "init" && c != "explain" {
			if code, _, stderr := compile(c, "-C", dir); code != 1 || !strings.Contains(stderr, "name the file with -f") {
				t.Errorf("%s: exit %d\n%s", c, code, stderr)
			}
		}
	}
}
