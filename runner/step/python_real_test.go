//go:build real

// The Python worker with a real Python that holds Prefect 3.8.8: what functions return, and all they may do to the process they run in.
package step

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/servertest"
)

func realPython(t testing.TB) string {
	t.Helper()
	venv, err := servertest.Venv()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(venv, "bin", "python")
}

const stepsModule = `
import asyncio, ctypes, datetime, decimal, enum, os, pathlib, subprocess, sys, threading, time, uuid

class Colour(enum.Enum):
    RED = "red"

def plain(a, b=2): return {"a": a, "b": b, "cwd": os.getcwd(), "list": [1, (2, 3)]}
async def later(x): await asyncio.sleep(0); return {"x": x}
def deferred(x): return later(x)
def nothing(): return None
def number(): return 5
def rich():
    return {"path": pathlib.Path("/a/b"), "id": uuid.UUID(int=1), "day": datetime.date(2026, 1, 2), "at": datetime.datetime(2026, 1, 2, 3),
            "colour": Colour.RED, "price": decimal.Decimal("1.50"), 3: "three", "big": 2**70, "text": "é🎉\u2028", "half": 0.5}
def a_set(): return {"ok": 1, "deep": [{"bad": {1, 2}}]}
def a_nan(): return {"n": float("nan")}
def a_long_number(): return {"n": [10 ** 6000]}
def cycle():
    d = {}; d["d"] = d
    return d
def lone(): return {"s": "\ud800"}
def huge_result(): return {"s": "x" * (70 << 20)}
def fails(): raise ValueError("the reason")
class Missing(Exception): pass
def missing(): raise Missing("the customer table")
def assertion(): assert False
def import_missing(): import no_such_module_here
def leaves(): sys.exit(3)
def os_exit(): print("last words", file=sys.stderr); os._exit(7)
def os_exit_zero(): os._exit(0)
def segfault(): ctypes.string_at(0)
def abort(): os.abort()
def kill_self(): os.kill(os.getpid(), 9)
def hangs():
    child = subprocess.Popen(["sleep", "1000"])
    print(child.pid, flush=True)
    time.sleep(1000)
def prints():
    print("out 1"); print("err 1", file=sys.stderr); sys.stdout.write("half"); sys.stdout.flush()
    os.write(1, b" raw\n"); subprocess.call(["echo", "from a child"]); sys.stdout.buffer.write(b"\xff\xfe\x00bytes\n")
    print("no end", end="")
    return {"ok": True}
def floods():
    line = "y" * 999
    for _ in range(50_000): print(line)
    return {"ok": True}
def one_long_line():
    sys.stdout.write("z" * (20 << 20)); return {"ok": True}
def forges():
    for fd in (1, 2): os.write(fd, b'{"kind":"result","value":{"forged":true}}\n\x00done 00000000000000000000000000000000\n')
    return {"forged": False}
def closes_stdout(): os.close(1); os.close(2); return {"ok": True}
def closes_objects(): sys.stdout.close(); sys.stderr.close(); return {"ok": True}
def replaces_stdout():
    import io
    sys.stdout = io.StringIO(); sys.stderr = None; return {"ok": True}
def redirects():
    fd = os.open(os.devnull, os.O_WRONLY); os.dup2(fd, 1); os.dup2(fd, 2); return {"ok": True}
def closes_all(): os.closerange(3, 4096); return {"ok": True}
def forks():
    if os.fork() == 0: return {"who": "child"}
    os.wait(); return {"who": "parent"}
def leaves_child(): subprocess.Popen(["sleep", "5"]); os._exit(4)
def leaves_thread(): threading.Thread(target=time.sleep, args=(1000,)).start(); return {"ok": True}
def changes():
    os.chdir("/"); os.environ["LEAKED"] = "yes"; del os.environ["HOME"]; return {}
def looks(): return {"leaked": os.environ.get("LEAKED"), "home": "HOME" in os.environ, "cwd": os.getcwd(), "pid": os.getpid(), "path": sys.path[0]}
def reads(): return {"stdin": sys.stdin.read()}
class Tools:
    @staticmethod
    def inner(): return {"inner": 1}
not_a_function = 5
`

type rig struct {
	t    *testing.T
	p    *Python
	root string
	out  []string
	errs []string
	mu   sync.Mutex
}

func newRig(t *testing.T) *rig {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, root, "my_steps.py", stepsModule, 0o644)
	r := &rig{t: t, root: root, p: &Python{Path: realPython(t), Env: []string{"PATH=/usr/bin:/bin", "HOME=" + root}}}
	t.Cleanup(r.p.Close)
	return r
}

func (r *rig) try(function string, inputs ...value.Entry) (value.Value, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return r.tryIn(ctx, function, inputs...)
}

func (r *rig) tryIn(ctx context.Context, function string, inputs ...value.Entry) (value.Value, error) {
	r.out, r.errs = nil, nil
	return Lookup(function, r.p)(ctx, Call{
		Function: function, Inputs: value.Of(inputs), Root: r.root, Dir: r.root, Env: r.p.Env,
		Stdout: func(line []byte) { r.mu.Lock(); r.out = append(r.out, string(line)); r.mu.Unlock() },
		Stderr: func(line []byte) { r.mu.Lock(); r.errs = append(r.errs, string(line)); r.mu.Unlock() },
	})
}

func TestRealResults(t *testing.T) {
	r := newRig(t)
	if err := os.MkdirAll(filepath.Join(r.root, "pack", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, r.root, "pack/deep/mod.py", "def f(**kw): return kw\n", 0o644)
	x := value.Entry{Key: "x", Value: value.Of(1)}
	for _, c := range []struct {
		function string
		inputs   []value.Entry
		want     string
	}{
		{"my_steps.plain", []value.Entry{{Key: "a", Value: value.Of("é")}}, `{"a":"é","b":2,"cwd":"` + r.root + `","list":[1,[2,3]]}`},
		{"my_steps:plain", []value.Entry{{Key: "a", Value: value.Of(nil)}}, `{"a":null,"b":2,"cwd":"` + r.root + `","list":[1,[2,3]]}`},
		{"my_steps.later", []value.Entry{x}, `{"x":1}`},
		{"my_steps.deferred", []value.Entry{x}, `{"x":1}`},
		{"my_steps.nothing", nil, `null`},
		{"my_steps.number", nil, `null`},
		{"my_steps.rich", nil, `{"path":"/a/b","id":"00000000-0000-0000-0000-000000000001","day":"2026-01-02","at":"2026-01-02T03:00:00","colour":"red","price":"1.50","3":"three","big":1180591620717411303424,"text":"é🎉\u2028","half":0.5}`},
		{"my_steps:Tools.inner", nil, `{"inner":1}`},
		{"my_steps.py:plain", []value.Entry{{Key: "a", Value: value.Of(true)}, {Key: "b", Value: value.Of(1.5)}}, `{"a":true,"b":1.5,"cwd":"` + r.root + `","list":[1,[2,3]]}`},
		{"pack.deep.mod.f", []value.Entry{{Key: "z", Value: value.Of("1")}, {Key: "a", Value: value.Of([]value.Value{value.Of(2)})}}, `{"z":"1","a":[2]}`},
		{"my_steps.lone", nil, `{"s":"` + "\ufffd" + `"}`},
		{"my_steps.reads", nil, `{"stdin":""}`},
		{"my_steps.leaves_thread", nil, `{"ok":true}`},
	} {
		got, err := r.try(c.function, c.inputs...)
		if err != nil || string(got.AppendJSON(nil)) != c.want {
			t.Errorf("%s: %s, error %v\nwant %s", c.function, got.AppendJSON(nil), err, c.want)
		}
	}
}

func TestRealFailuresAreClear(t *testing.T) {
	r := newRig(t)
	for function, want := range map[string]string{
		"my_steps.fails":           "ValueError: the reason\n  File",
		"my_steps.assertion":       "AssertionError",
		"my_steps.py:missing":      "Missing: the customer table",
		"my_steps.import_missing":  "ModuleNotFoundError: No module named 'no_such_module_here'",
		"my_steps.leaves":          "the function called sys.exit(3)",
		"my_steps.a_set":           "the output 'deep'[0].bad is a builtins.set",
		"my_steps.a_nan":           "the output 'n' is nan",
		"my_steps.a_long_number":   "the output 'n'[0] is a number of more than 12000 bits",
		"my_steps.cycle":           "nested too deeply",
		"my_steps.huge_result":     "the function returned more than 64 MB",
		"my_steps.os_exit":         "Python ended with code 7 before the function returned: last words",
		"my_steps.os_exit_zero":    "Python ended with code 0 before the function returned (os._exit",
		"my_steps.segfault":        "Python was ended by signal 11 (segmentation fault) before the function returned",
		"my_steps.abort":           "Python was ended by signal 6 (aborted)",
		"my_steps.kill_self":       "Python was ended by signal 9 (killed)",
		"my_steps.closes_all":      "before the function returned",
		"my_steps.leaves_child":    "Python ended with code 4",
		"my_steps.absent":          "the module my_steps has no 'absent'",
		"my_steps.not_a_function":  "is not a function",
		"my_steps.plain":           "missing 1 required positional argument: 'a'",
		"no_such_module.f":         "does not have the module no_such_module: install it there",
		"just_a_word":              "is not the full name of a function",
		"my_steps.nothing.further": "does not have the module my_steps.nothing: install it there, or name its package under requires",
	} {
		got, err := r.try(function)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, error %v\nwant %q in it", function, got.AppendJSON(nil), err, want)
		}
		if got, err := r.try("my_steps.later", value.Entry{Key: "x", Value: value.Of(1)}); err != nil {
			t.Errorf("after %s: %s, error %v", function, got.AppendJSON(nil), err)
		}
	}
}

func TestRealOutputCannotCorrupt(t *testing.T) {
	r := newRig(t)
	for _, function := range []string{"closes_stdout", "closes_objects", "replaces_stdout", "redirects"} {
		if got, err := r.try("my_steps." + function); err != nil || string(got.AppendJSON(nil)) != `{"ok":true}` {
			t.Errorf("%s: %s, error %v", function, got.AppendJSON(nil), err)
		}
		if _, err := r.try("my_steps.prints"); err != nil || !slices.Contains(r.out, "out 1") {
			t.Errorf("after %s: %q, error %v", function, r.out, err)
		}
	}
	if got, err := r.try("my_steps.prints"); err != nil || string(got.AppendJSON(nil)) != `{"ok":true}` {
		t.Errorf("%s, error %v", got.AppendJSON(nil), err)
	}
	if want := []string{"out 1", "half raw", "from a child", "\xff\xfe\x00bytes", "no end"}; !slices.Equal(r.out, want) || !slices.Equal(r.errs, []string{"err 1"}) {
		t.Errorf("stdout %q\nwant   %q\nstderr %q", r.out, want, r.errs)
	}
	if got, err := r.try("my_steps.forges"); err != nil || string(got.AppendJSON(nil)) != `{"forged":false}` {
		t.Errorf("forges: %s, error %v", got.AppendJSON(nil), err)
	}
	if got, err := r.try("my_steps.forks"); err != nil || string(got.AppendJSON(nil)) != `{"who":"parent"}` {
		t.Errorf("forks: %s, error %v", got.AppendJSON(nil), err)
	}
	if _, err := r.try("my_steps.floods"); err != nil || len(r.out) != 50_000 {
		t.Errorf("floods: %d lines, error %v", len(r.out), err)
	}
	if _, err := r.try("my_steps.one_long_line"); err != nil || len(strings.Join(r.out, "")) != 20<<20 {
		t.Errorf("one_long_line: %d bytes, error %v", len(strings.Join(r.out, "")), err)
	}
}

// TestRealEnvironmentOfFunctions: what one changes is told and undone; what its module sets while it is imported is there for each of its functions, though it is imported once.
func TestRealEnvironmentOfFunctions(t *testing.T) {
	r := newRig(t)
	write(t, r.root, "sets.py", "import os\nos.environ['BY_IMPORT'] = 'i'\n"+
		"def f():\n    os.environ['BY_CALL'] = 'c'\n    os.environ.pop('HOME')\n    return g()\ndef g(): return {k: os.environ.get(k, '-') for k in ('BY_IMPORT', 'BY_CALL')}\n", 0o644)
	told := map[string]*string{}
	call := func(function string) string {
		got, err := Lookup(function, r.p)(context.Background(), Call{Function: function, Root: r.root, Dir: r.root, Env: r.p.Env, Changed: func(changes map[string]*string) { told = changes }})
		if err != nil {
			t.Fatal(err)
		}
		return string(got.AppendJSON(nil))
	}
	if got := call("sets.f"); got != `{"BY_IMPORT":"i","BY_CALL":"c"}` {
		t.Error(got)
	}
	if len(told) != 3 || told["BY_CALL"] == nil || *told["BY_CALL"] != "c" || told["BY_IMPORT"] == nil || told["HOME"] != nil {
		t.Errorf("told of %v", told)
	}
	told = nil
	if got := call("sets.g"); got != `{"BY_IMPORT":"i","BY_CALL":"-"}` || told != nil {
		t.Errorf("%s, told of %v", got, told)
	}
}

func TestRealWorkerIsReusedAndClean(t *testing.T) {
	r := newRig(t)
	first, err := r.try("my_steps.looks")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.try("my_steps.changes"); err != nil {
		t.Fatal(err)
	}
	second, err := r.try("my_steps.looks")
	if err != nil || !value.Equal(first, second) {
		t.Errorf("%s, then %s, error %v", first.AppendJSON(nil), second.AppendJSON(nil), err)
	}
	r.p.Env = append(slices.Clone(r.p.Env), "OTHER=1")
	third, err := r.try("my_steps.looks")
	if err != nil || value.Equal(first, third) {
		t.Errorf("another environment was served by the same worker: %s, error %v", third.AppendJSON(nil), err)
	}
	if len(r.p.idle) != 1 {
		t.Errorf("%d idle workers, at most 1 is allowed", len(r.p.idle))
	}
}

func TestRealFileWithItsNeighbour(t *testing.T) {
	r := newRig(t)
	if err := os.Mkdir(filepath.Join(r.root, "ci"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, r.root, "ci/beside.py", "WORD = 'beside'\n", 0o644)
	write(t, r.root, "ci/run.py", "from beside import WORD\nclass Own(Exception): pass\ndef f(): return {'w': WORD}\ndef g(): raise Own('mine')\n", 0o644)
	if got, err := r.try("ci/run.py:f"); err != nil || string(got.AppendJSON(nil)) != `{"w":"beside"}` {
		t.Errorf("%s, error %v", got.AppendJSON(nil), err)
	}
	if _, err := r.try("ci/run.py:g"); err == nil || !strings.HasPrefix(err.Error(), "Own: mine\n") {
		t.Errorf("error %v", err)
	}
}

func TestRealBackgroundProcessStays(t *testing.T) {
	r := newRig(t)
	write(t, r.root, "serve.py", "import subprocess\ndef f(): return {'pid': subprocess.Popen(['sleep', '30']).pid}\n", 0o644)
	got, err := r.try("serve.f")
	if err != nil {
		t.Fatal(err)
	}
	r.p.Close()
	pid, _ := got.Get("pid")
	process, err := os.FindProcess(int(pid.Int))
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(os.Interrupt); err != nil {
		t.Errorf("what the function left running is gone: %v", err)
	}
}

func TestRealHangIsEnded(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var pid string
	_, err := Lookup("my_steps.hangs", r.p)(ctx, Call{Function: "my_steps.hangs", Root: r.root, Dir: r.root, Env: r.p.Env,
		Stdout: func(line []byte) { pid = string(line); cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if stat, lives := livesOn(pid); lives {
		t.Errorf("what the function started lives on: %s", stat)
	}
	if got, err := r.try("my_steps.later", value.Entry{Key: "x", Value: value.Of(1)}); err != nil {
		t.Errorf("after a hang: %s, error %v", got.AppendJSON(nil), err)
	}
}

// livesOn tells whether a process is still there; one that was killed may take a moment to be gone.
func livesOn(pid string) (stat []byte, lives bool) {
	for range 500 {
		var err error
		if stat, err = os.ReadFile("/proc/" + pid + "/stat"); err != nil || strings.Contains(string(stat), ") Z ") {
			return stat, false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return stat, true
}

func TestRealJobsSideBySide(t *testing.T) {
	r := newRig(t)
	r.p.Jobs = 2
	var all sync.WaitGroup
	for i := range 6 {
		all.Add(1)
		go func() {
			defer all.Done()
			c := Call{Function: "my_steps.later", Inputs: value.Of([]value.Entry{{Key: "x", Value: value.Of(i)}}), Root: r.root, Dir: r.root, Env: r.p.Env}
			if got, err := r.p.Call(context.Background(), c); err != nil || string(got.AppendJSON(nil)) != fmt.Sprintf(`{"x":%d}`, i) {
				t.Errorf("%s, error %v", got.AppendJSON(nil), err)
			}
		}()
	}
	all.Wait()
}

func TestRealRequires(t *testing.T) {
	r := newRig(t)
	// A uv of our own on PATH stands for the installer: it notes how often it was called and puts a module where Python finds it.
	bin := filepath.Join(r.root, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, bin, "uv", "#!/bin/sh\necho \"$@\" >> "+r.root+"/calls\necho 'def f(): return {\"installed\": True}' > "+r.root+"/new_package.py\n", 0o755)
	env := []string{"PATH=" + bin + ":/usr/bin:/bin", "HOME=" + r.root}
	call := func(function string, requires ...string) (value.Value, error) {
		return Lookup(function, r.p)(context.Background(), Call{Function: function, Requires: requires, Root: r.root, Dir: r.root, Env: env,
			Inputs: map[bool]value.Value{true: script1("echo x")}[strings.HasSuffix(function, "script")]})
	}
	for range 3 {
		if got, err := call("new_package.f", "new-package>=1.0", "os"); err != nil || string(got.AppendJSON(nil)) != `{"installed":true}` {
			t.Fatalf("%s, error %v", got.AppendJSON(nil), err)
		}
	}
	calls, err := os.ReadFile(filepath.Join(r.root, "calls"))
	if err != nil || strings.Count(string(calls), "\n") != 1 || !strings.Contains(string(calls), "prefect==3.8.8 new-package>=1.0 os") {
		t.Errorf("the installer was called so: %s, error %v", calls, err)
	}
	if got, err := call("prefect.deployments.steps.run_shell_script", "json"); err != nil {
		t.Errorf("a native step that requires what is there: %s, error %v", got.AppendJSON(nil), err)
	}
	// What an installer leaves running holds its stderr for as long as it likes: this waits for the installer alone. The pipe ends it with the test.
	write(t, bin, "uv", "#!/bin/sh\n(while read line; do :; done) <"+r.root+"/held >&2 &\necho 'def f(): pass' > "+r.root+"/other_package.py\n", 0o755)
	held := filepath.Join(r.root, "held")
	if err := syscall.Mkfifo(held, 0o600); err != nil {
		t.Fatal(err)
	}
	holder, err := os.OpenFile(held, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if _, err := call("other_package.f", "other-package"); err != nil {
		t.Errorf("an installer that leaves something running: %v", err)
	}
	write(t, bin, "uv", "#!/bin/sh\nexit 9\n", 0o755)
	// Prefect only warns when installing fails, and goes on if the function itself can be imported.
	if _, err := call("prefect.deployments.steps.run_shell_script", "never-there"); err != nil {
		t.Errorf("a native step whose package cannot be installed: %v", err)
	}
	if _, err := call("absent_package.f", "absent-package"); err == nil || !strings.Contains(err.Error(), "could not be installed (code 9)") {
		t.Errorf("error %v", err)
	}
}

func TestRealPrefectsOwnSteps(t *testing.T) {
	r := newRig(t)
	write(t, r.root, "requirements.txt", "", 0o644)
	got, err := r.try("prefect.deployments.steps.pip_install_requirements", value.Entry{Key: "stream_output", Value: value.Of(false)})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := got.Get("stdout"); !ok {
		t.Errorf("%s", got.AppendJSON(nil))
	}
	origin := filepath.Join(r.root, "origin")
	git := exec.Command("sh", "-c", "git init -q -b main origin && cd origin && echo x > f && git add f && git -c user.name=a -c user.email=a@b commit -qm m")
	git.Dir = r.root
	if out, err := git.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	got, err = r.try("prefect.deployments.steps.git_clone", value.Entry{Key: "repository", Value: value.Of("file://" + origin)}, value.Entry{Key: "branch", Value: value.Of("main")})
	if want := `{"directory":"origin-main"}`; err != nil || string(got.AppendJSON(nil)) != want {
		t.Errorf("git_clone gave %s, error %v, want %s", got.AppendJSON(nil), err, want)
	}
}

func TestRealFlow(t *testing.T) {
	r := newRig(t)
	write(t, r.root, "defaults.py", "DEFAULT = 3\n", 0o644)
	write(t, r.root, "flows.py", `from prefect import flow
from defaults import DEFAULT
print("importing")
@flow(name="Named", version="v9")
def one(a: int, b: str = "x", c: int = DEFAULT):
    """What it does.

    Args:
        a: the first
    """
@flow
def two(): pass
def three(): pass
`, 0o644)
	for _, dir := range []string{"x", "y"} {
		if err := os.Mkdir(filepath.Join(r.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, r.root, dir+"/same.py", "NAME = '"+dir+"'\n", 0o644)
		write(t, r.root, dir+"/flow.py", "from prefect import flow\nfrom same import NAME\n@flow(name=NAME)\ndef f(): pass\n", 0o644)
	}
	ctx := context.Background()
	got, err := r.p.Flow(ctx, r.root, r.root, "flows.py:one")
	if err != nil {
		t.Fatal(err)
	}
	schema := string(got.Schema.AppendJSON(nil))
	if got.Name != "Named" || got.Version != "v9" || got.Description != "What it does.\n\nArgs:\n    a: the first" || got.File != filepath.Join(r.root, "flows.py") {
		t.Errorf("%#v", got)
	}
	if want := `{"title":"Parameters","type":"object","properties":{"a":{"description":"the first","position":0,"title":"a","type":"integer"},"b":{"default":"x","position":1,"title":"b","type":"string"},"c":{"default":3,"position":2,"title":"c","type":"integer"}},"required":["a"]}`; schema != want {
		t.Errorf("schema %s\nwant   %s", schema, want)
	}
	if got, err := r.p.Flow(ctx, r.root, r.root, "flows.two"); err != nil || got.Name != "two" || len(got.Version) != 32 {
		t.Errorf("%#v, error %v", got, err)
	}
	for _, dir := range []string{"x", "y"} {
		if got, err := r.p.Flow(ctx, r.root, r.root, dir+"/flow.py:f"); err != nil || got.Name != dir {
			t.Errorf("%s: %#v, error %v", dir, got, err)
		}
	}
	for entrypoint, want := range map[string]string{"flows.py:three": "is not a flow", "flows.py:four": "not found", "gone.py:f": "gone.py"} {
		var raised *PythonError
		if _, err := r.p.Flow(ctx, r.root, r.root, entrypoint); !errors.As(err, &raised) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", entrypoint, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(r.root, "*", "__pycache__")); err != nil || len(left) > 0 {
		t.Errorf("reading flows left %v in the project, error %v", left, err)
	}
	versions, err := r.p.Probe(ctx)
	if err != nil || versions.Prefect != "3.8.8" || !strings.HasPrefix(versions.Python, "3.") {
		t.Errorf("%#v, error %v", versions, err)
	}
}

func TestRecordedIsReal(t *testing.T) {
	dir := t.TempDir()
	script, err := filepath.Abs("testdata/record_shell.py")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(realPython(t), script, dir).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	for _, name := range []string{"shell.golden.json", "pytext.golden.json"} {
		var now, before any
		load(t, name, &before)
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = json.Unmarshal(data, &now)
		}
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(now) != fmt.Sprint(before) {
			t.Errorf("%s is not what the real one gives now: record it again and read the difference", name)
		}
	}
}
