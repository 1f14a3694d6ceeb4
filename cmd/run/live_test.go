// A deploy as somebody watches it: on a pseudo-terminal, whose screen an emulator (vt10x) draws; and what is otherwise without one. That steps run side by side is counted: two of
// them wait for each other's file, so neither ends unless both run.
//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hinshun/vt10x"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// meeting is a project whose steps a and b wait for each other; c follows both and is slow where the file slow is there.
const meeting = `x-ci:
  steps: {a: {effects: {reads: [], writes: []}}, b: {effects: {reads: [], writes: []}}, c: {effects: {reads: [], writes: []}}}
build:
- prefect.deployments.steps.run_shell_script: {id: a, stream_output: false, script: "sh -c 'touch a; while ! [ -e b ]; do sleep 0.01; done; sleep 0.1; echo one'"}
- prefect.deployments.steps.run_shell_script: {id: b, stream_output: false, script: "sh -c 'touch b; while ! [ -e a ]; do sleep 0.01; done; sleep 0.1; echo two'"}
- prefect.deployments.steps.run_shell_script: {id: c, script: "sh -c 'echo {{ a.stdout }} {{ b.stdout }}; while [ -e slow ]; do sleep 0.01; done'"}
pull: []
deployments:
- {name: one, entrypoint: "flow.py:hello", work_pool: {name: p}, tags: ["{{ c.stdout }}"]}
- {name: two, entrypoint: "sub/sales.py:load_all", work_pool: {name: p}, build: [], tags: [x]}
`

// window is what the emulator shows of what was printed, its numbers as N, without what is blank.
func window(printed string, columns int) string {
	vt := vt10x.New(vt10x.WithSize(columns, 60))
	_, _ = vt.Write([]byte(strings.ReplaceAll(printed, "\n", "\r\n")))
	var lines []string
	for _, l := range strings.Split(vt.String(), "\n") {
		lines = append(lines, strings.TrimRight(l, " "))
	}
	return regexp.MustCompile(` *\d+\.\d s`).ReplaceAllString(strings.TrimRight(strings.Join(lines, "\n"), "\n"), "  N s")
}

func TestWatchedDeploy(t *testing.T) {
	dir := asked(t, meeting)
	s := on(t, dir, 100, nil, "deploy", "--all", "--state", "file:state.json")
	if code := s.exit(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.screen())
	}
	for _, shown := range []string{" a  run_shell_script", " b  run_shell_script", "⠋", "\x1b[2A", "\x1b[32m✓\x1b[0m"} {
		if !strings.Contains(s.screen(), shown) && shown != "⠋" || shown == "⠋" && !strings.ContainsAny(s.screen(), "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") {
			t.Errorf("%q was never shown:\n%q", shown, s.screen())
		}
	}
	want := `c | one two
 ✓ a  run_shell_script  N s   stdout=one  ┐ side by side
 ✓ b  run_shell_script  N s   stdout=two  ┘
 ✓ c  run_shell_script  N s   stdout=one two
 + hello/one
 + load-all/two
Applied 2 changes to file:` + dir + "/state.json in  N s ( N s with builds): 2 created."
	if got := strings.ReplaceAll(window(s.screen(), 100), "\n"+dir, " "+dir); squeezed(got) != squeezed(want) {
		t.Errorf("the screen at the end:\n%s\nwant\n%s", got, want)
	}
}

// squeezed is a text without spaces and line ends: where a long path breaks is the window's business.
func squeezed(s string) string { return strings.Join(strings.Fields(s), "") }

// TestUnwatchedDeploy: the same without a terminal, with one that can't, and where nobody watches, is lines alone.
func TestUnwatchedDeploy(t *testing.T) {
	for name, env := range map[string][]string{"CI": {"CI=true"}, "dumb": {"TERM=dumb"}, "debug": {"X=1"}} {
		args := []string{"deploy", "--all", "--state", "file:state.json"}
		if name == "debug" {
			args = append(args, "--debug")
		}
		s := on(t, asked(t, meeting), 100, env, args...)
		if code := s.exit(); code != 0 || strings.Contains(regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(s.screen(), ""), "\x1b") || strings.Count(s.screen(), "succeeded") != 3 {
			t.Errorf("%s: exit %d\n%q", name, code, s.screen())
		}
	}
	code, stdout, stderr := deployed(t, asked(t, meeting))
	if code != 0 || strings.Contains(stdout+stderr, "\x1b") || !strings.Contains(stdout, "┐ side by side") || strings.Count(stderr, "succeeded") != 3 {
		t.Errorf("no terminal: %d\n%s%s", code, stdout, stderr)
	}
	s := on(t, asked(t, meeting), 100, []string{"NO_COLOR="}, "deploy", "--all", "--state", "file:state.json")
	if code := s.exit(); code != 0 || regexp.MustCompile("\x1b\\[[0-9;]*m").MatchString(s.screen()) || !strings.Contains(s.screen(), "\x1b[") {
		t.Errorf("NO_COLOR: %d\n%q", code, s.screen())
	}
}

func deployed(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), cli.World{Args: append([]string{"deploy", "--all", "-C", dir, "--state", "file:state.json"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Env: func(name string) (string, bool) { v := os.Getenv(name); return v, name == "PATH" }, Environ: []string{"PATH=" + os.Getenv("PATH")}})
	return code, out.String(), errs.String()
}

// TestOneAtATime: with --jobs 1 the two can't meet; --timeout ends the first, and says what ended it. What does not need it goes on, unless --fail-fast.
func TestOneAtATime(t *testing.T) {
	code, stdout, _ := deployed(t, asked(t, meeting), "--jobs", "1", "--timeout", "1s")
	for _, want := range []string{"✗ a", "it took longer than 1s", "✓ b", "⊘ c", "⊘ hello/one skipped", "+ load-all/two", "1 of 2 failed; 1 applied"} {
		if code != cli.ExitError || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, without %q:\n%s", code, want, stdout)
		}
	}
	dir := asked(t, meeting)
	code, stdout, _ = deployed(t, dir, "--jobs", "1", "--timeout", "1s", "--fail-fast")
	if code != cli.ExitError || !strings.Contains(stdout, "⊘ b") || !strings.Contains(stdout, "2 of 2 failed; 0 applied") || content(t, dir, "b") != "" {
		t.Errorf("--fail-fast: exit %d\n%s", code, stdout)
	}
	if _, err := os.Stat(filepath.Join(dir, "b")); err == nil {
		t.Error("--fail-fast: b was begun")
	}
}

// TestNarrowWindow: every line of the region fits, and the table at the end breaks as it does without a region.
func TestNarrowWindow(t *testing.T) {
	for _, columns := range []uint16{10, 24, 40} {
		s := on(t, asked(t, meeting), columns, []string{"NO_COLOR=1"}, "deploy", "--all", "--state", "file:state.json")
		if code := s.exit(); code != 0 {
			t.Fatalf("exit %d\n%s", code, s.screen())
		}
		if got := window(s.screen(), int(columns)); strings.ContainsAny(got, "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") || strings.Count(got, "✓") != 3 {
			t.Errorf("%d columns:\n%s", columns, got)
		}
	}
}

// TestInterruptedWatch: Ctrl-C ends the steps, leaves a clean terminal, and says what was done and what was not.
func TestInterruptedWatch(t *testing.T) {
	dir := asked(t, meeting)
	if err := os.WriteFile(filepath.Join(dir, "slow"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := on(t, dir, 100, []string{"NO_COLOR=1"}, "deploy", "--all", "--state", "file:state.json").expect("c | one two")
	time.Sleep(50 * time.Millisecond) // the terminal throws away what is printed at the moment of a Ctrl-C
	s.send("\x03")
	if code := s.exit(); code != cli.ExitInterrupted {
		t.Errorf("exit %d", code)
	}
	got := window(s.screen(), 100)
	for _, want := range []string{"✓ a", "✓ b", "✗ c", "interrupted", "⊘ hello/one", "⊘ load-all/two", "Interrupted: 2 of 2 not done; 0 applied", "error: interrupted"} {
		if !strings.Contains(got, want) {
			t.Errorf("without %q:\n%s", want, got)
		}
	}
	if strings.ContainsAny(got, "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") || content(t, dir, "state.json") != "" {
		t.Errorf("something is left:\n%s", got)
	}
	if out, _ := exec.Command("pgrep", "-f", dir).Output(); len(out) > 0 {
		t.Errorf("a process is left: %s", out)
	}
}

// TestMuchOutput: nothing is lost of a step that prints a lot while others run.
func TestMuchOutput(t *testing.T) {
	text := strings.Replace(meeting, "script: \"sh -c 'echo {{ a.stdout }} {{ b.stdout }};", "script: \"sh -c 'i=0; while [ $i -lt 3000 ]; do echo line-$i-end; i=$((i+1)); done;", 1)
	text = strings.Replace(text, `tags: ["{{ c.stdout }}"]`, "tags: [y]", 1)
	dir := asked(t, text)
	s := on(t, dir, 60, []string{"NO_COLOR=1"}, "deploy", "--all", "--state", "file:state.json")
	if code := s.exit(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.screen())
	}
	if found := regexp.MustCompile(`(?m)c \| line-\d+-end$`).FindAllString(s.screen(), -1); len(found) != 3000 || found[0] != "c | line-0-end" || found[2999] != "c | line-2999-end" {
		t.Errorf("%d lines of 3000", len(found))
	}
}
