//go:build real

// Build steps that are Python functions, from the file to the plan: what they print, return and break, with a secret among it.
package deploy

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/exec"
)

func TestPythonStepsInADeploy(t *testing.T) {
	const canary = "s3cret-canary-of-python"
	s := newScene(t)
	s.env["VIRTUAL_ENV"], s.env["PREFECT_HOME"], s.env["TOKEN"] = venv(t), t.TempDir(), canary
	s.write("tools.py", `import os, subprocess, sys, time
def says(token):
    print("it is", token); sys.stderr.write("err " + token + "\n"); os.write(1, b"x" * 65530 + token.encode() + b"\n")
    return {"given": token, "deep": [{"a": "b" + token}]}
def borders(token):
    half = token.encode()
    for number in (1, 2):
        for at in range(len(half) + 1):
            os.write(number, b"x" * (64 * 1024 * (1 + at % 2) - at) + half[:at])
            if at % 5 == 0: time.sleep(0.02)
            os.write(number, half[at:] + b"y" * (at % 3) + b"\n")
        os.write(number, b"x" * (3 * 64 * 1024 - 9) + half)
    return {"ok": True}
async def later(token): return {"word": "plain"}
def fails(token): raise ValueError("not with " + token)
def odd(): return {"a": {"b": {1, 2}}}
def hangs():
    child = subprocess.Popen(["sleep", "1000"])
    print("child", child.pid, flush=True)
    time.sleep(1000)
def crashes(token): sys.stderr.write(token + "\n"); sys.stderr.flush(); os.abort()
def floods():
    line = "y" * 99_999
    for _ in range(1000): sys.stdout.write(line + "\n"); sys.stderr.write(line)
    return {"ok": True}
`)
	yaml := "pull: []\ndeployments:\n"
	for _, step := range []string{"says: {token: '{{ $TOKEN }}'", "borders: {token: '{{ $TOKEN }}'", "later: {token: '{{ $TOKEN }}'", "fails: {token: '{{ $TOKEN }}'", "odd: {", "hangs: {", "crashes: {token: '{{ $TOKEN }}'", "floods: {"} {
		name, _, _ := strings.Cut(step, ":")
		yaml += "- {name: " + name + ", entrypoint: 'flow.py:hello', work_pool: {name: p}, build: [{tools." + step + "}}]}\n"
	}
	s.write("state.json", `{"schema": 1, "work_pools": {"p": {"type": "process"}}}`)
	o := s.options(yaml)
	o.Timeout = 30 * time.Second
	var log strings.Builder
	flood, most := 0, uint64(0)
	o.Log = func(e exec.Event) {
		if e.Kind == exec.Line && strings.HasPrefix(e.Text, "yyy") {
			flood += len(e.Text)
			if flood%(5<<20) < len(e.Text) {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
			return
		}
		log.WriteString(e.Text + "\n")
	}
	stop := watchFor(t, canary)
	p, err := Deploy(context.Background(), o)
	stop()
	if err != nil {
		t.Fatal(err)
	}
	errs := map[string]string{}
	for _, step := range p.Steps {
		errs[step.Key] = step.Error
	}
	for name, want := range map[string]string{"says": "", "borders": "", "later": "", "floods": "", "fails": "ValueError: not with ***", "odd": "prefect.yaml:7: the output 'a'.b is a builtins.set, which later steps cannot use", "hangs": "it took longer than 30s and was ended",
		"crashes": "Python was ended by signal 6 (aborted) before the function returned"} {
		if got := errs[name]; want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
	if flood < 199_000_000 || most > 100<<20 {
		t.Errorf("%d bytes of the flood arrived, with %d MB of memory at most", flood, most>>20)
	}
	for place, text := range map[string]string{"the log": log.String(), "the plan": string(p.JSON()), "the state": s.read("state.json")} {
		if strings.Contains(text, canary) || strings.Contains(text, canary[:7]) || strings.Contains(text, canary[7:]) {
			t.Errorf("%s shows the secret:\n%.3000s", place, strings.ReplaceAll(text, "xxxxxxxx", ""))
		}
	}
	for at := range len(canary) - 6 { // no piece of it either, wherever a write or a piece of a line ended
		if piece := canary[at : at+7]; strings.Contains(log.String(), piece) {
			t.Errorf("the log shows %q of the secret", piece)
		}
	}
	if hidden := strings.Count(log.String(), "x***"); hidden < 2*(len(canary)+1+1) {
		t.Errorf("%d of the long lines show that something was hidden", hidden)
	}
	if !strings.Contains(log.String(), "it is ***\n") {
		t.Errorf("the log is %.1000s", log.String())
	}
	_, pid, _ := strings.Cut(log.String(), "child ")
	pid, _, _ = strings.Cut(pid, "\n")
	if stat, err := os.ReadFile("/proc/" + pid + "/stat"); pid == "" || err == nil && !bytes.Contains(stat, []byte(") Z ")) {
		t.Errorf("what the hanging function started lives on (%q): %s", pid, stat)
	}
}

func (s *scene) read(name string) string {
	data, _ := os.ReadFile(filepath.Join(s.dir, name))
	return string(data)
}

// watchFor looks for a text in the arguments of all processes until it is stopped.
func watchFor(t *testing.T, text string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			list, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, path := range list {
				if data, _ := os.ReadFile(path); bytes.Contains(data, []byte(text)) {
					t.Errorf("%s holds the secret: %q", path, data)
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	t.Cleanup(cancel)
	return func() { cancel(); done.Wait() }
}
