package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// command calls a command in-process; env is beside PATH and HOME.
func command(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	all := map[string]string{"PATH": os.Getenv("PATH"), "HOME": t.TempDir(), "PREFECT_HOME": t.TempDir()}
	for k, v := range env {
		all[k] = v
	}
	var environ []string
	for k, v := range all {
		environ = append(environ, k+"="+v)
	}
	var out, errs bytes.Buffer
	code = run(context.Background(), cli.World{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Environ: environ,
		Env: func(name string) (string, bool) { v, ok := all[name]; return v, ok }})
	return code, out.String(), errs.String()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestAResultThatHasNoPlaceIsRefusedBeforeAnythingRuns(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "no", "such", "directory")
	for _, c := range []struct {
		what string
		env  map[string]string
		args []string
		code int
	}{
		{"--json", nil, []string{"deploy", "--all", "--json", nowhere}, 64},
		{"--markdown", nil, []string{"deploy", "--all", "--markdown", nowhere}, 64},
		{"GITHUB_OUTPUT", map[string]string{"GITHUB_OUTPUT": nowhere}, []string{"deploy", "--all"}, 1},
		{"--json", nil, []string{"prune", "--yes", "--json", nowhere}, 64},
	} {
		ran, state := filepath.Join(t.TempDir(), "ran"), filepath.Join(t.TempDir(), "state.json")
		dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "build:\n  - prefect.deployments.steps.run_shell_script: {id: x, script: touch " + ran + "}\n" +
			"deployments:\n  - {name: only, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"})
		code, _, stderr := command(t, c.env, append(c.args, "-C", dir, "--state", "file:"+state)...)
		if code != c.code || !strings.Contains(stderr, c.what) || !strings.Contains(stderr, "nothing ran") || exists(ran) || exists(state) {
			t.Errorf("%v: exit %d, step ran %v, state written %v\n%s", c.args, code, exists(ran), exists(state), stderr)
		}
	}
}

func TestResultsReplaceOnlyWhenThereAreSome(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "deployments:\n  - {name: only, entrypoint: \"flow.py:helo\", work_pool: {name: p}}\n"})
	state, fresh, old := filepath.Join(dir, "state.json"), filepath.Join(dir, "fresh.md"), filepath.Join(dir, "old.json")
	const before = "what an earlier run left, longer than any plan is of nothing at all"
	if err := os.WriteFile(old, []byte(strings.Repeat(before, 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"deploy", "--all", "-C", dir, "--state", "file:" + state, "--json", old, "--markdown", fresh}
	if code, _, stderr := command(t, nil, args...); code != 1 || exists(fresh) || !strings.HasPrefix(read(old), before) {
		t.Errorf("a run that stopped: exit %d, made %v, left %.40q\n%s", code, exists(fresh), read(old), stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte("deployments:\n  - {name: only, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := command(t, nil, args...); code != 0 || !strings.Contains(read(fresh), "hello/only") || !strings.HasPrefix(read(old), "{") || strings.Contains(read(old), before) || !strings.Contains(out, "hello/only") {
		t.Errorf("a deploy: exit %d\n%s%s\n%.300s", code, out, stderr, read(old))
	}
}

// TestAFullDiskHidesNoDeploy: what could be shown is shown, and the exit code tells of the rest.
func TestAFullDiskHidesNoDeploy(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a device that is always full is Linux's")
	}
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "deployments:\n  - {name: only, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"})
	state, markdown := filepath.Join(dir, "state.json"), filepath.Join(dir, "plan.md")
	code, out, stderr := command(t, nil, "deploy", "--all", "-C", dir, "--state", "file:"+state, "--json", "/dev/full", "--markdown", markdown)
	if code != 1 || !strings.Contains(stderr, "--json: ") || !strings.Contains(out, "hello/only") || !strings.Contains(read(markdown), "hello/only") || !strings.Contains(read(state), "only") {
		t.Errorf("exit %d\n%s\n%s\n%s", code, out, stderr, read(markdown))
	}
	r := callAction(t, call{dir: dir, name: "push", event: "push_main", ref: "refs/heads/main", env: map[string]string{"GITHUB_STEP_SUMMARY": "/dev/full"}})
	if r.code != 1 || r.outputs["create"] != "1" || !strings.Contains(r.log, "hello/only") || !strings.Contains(r.log, "GITHUB_STEP_SUMMARY") {
		t.Errorf("the action: exit %d, outputs %v\n%s", r.code, r.outputs, r.log)
	}
}

// Quiet: of a run that succeeds only what was asked for is said, warnings and steps included; the state is written all the same.
func TestQuiet(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "build:\n  - prefect.deployments.steps.run_shell_script: {id: s, script: echo loud}\n" +
		"deployments:\n  - {name: only, entrypoint: \"flow.py:hello\", work_pool: {name: p}, owner: me}\n"})
	state := filepath.Join(t.TempDir(), "state.json")
	for _, words := range [][]string{{"plan"}, {"deploy"}, {"deploy"}} {
		code, stdout, stderr := command(t, nil, append(words, "--all", "--quiet", "-C", dir, "--state", "file:"+state)...)
		if code != 0 || stdout+stderr != "" {
			t.Errorf("%v: exit %d\nstdout: %s\nstderr: %s", words, code, stdout, stderr)
		}
	}
	if !strings.Contains(read(state), `"only"`) {
		t.Errorf("nothing was written: %s", read(state))
	}
	if code, stdout, stderr := command(t, nil, "plan", "--all", "--quiet", "-C", dir, "--state", "file:"+state, "--json", "-"); code != 0 || !strings.HasPrefix(stdout, "{") || stderr != "" {
		t.Errorf("what was asked for: exit %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
	}
}

func TestQuietIsNeverSilentAboutAFailure(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "build:\n  - prefect.deployments.steps.run_shell_script: {id: broken, script: \"bash -c 'echo why it failed >&2; exit 3'\"}\n" +
		"deployments:\n  - {name: only, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"})
	code, stdout, stderr := command(t, nil, "deploy", "--all", "--quiet", "-C", dir, "--state", "file:"+filepath.Join(t.TempDir(), "state.json"))
	if code != 1 || stdout != "" || !strings.Contains(stderr, "broken") || !strings.Contains(stderr, "why it failed") {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
	}
}
