// The native steps against what the real Prefect and CPython made of the same inputs (testdata/record_shell.py).
package step

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

type recorded struct {
	Env   map[string]string
	Cases []struct {
		Name    string
		Inputs  value.Value
		Outputs *value.Value
		Code    *int
		Stderr  string
		Error   string
	}
}

func load(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// folder makes the folder that record_shell.py makes for each of its cases.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "sub/name.txt", "in sub\n", 0o644)
	write(t, dir, "sub/tool", "#!/bin/sh\nprintf '<%s>' \"$@\"\n", 0o755)
	write(t, dir, "sub/plain", "x\n", 0o644)
	write(t, dir, "noshebang", "echo x\n", 0o755)
	write(t, dir, "words.txt", "some words\n", 0o644)
	return dir
}

func write(t testing.TB, dir, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func swap(t testing.TB, v value.Value, old, new string) value.Value {
	t.Helper()
	text, err := json.Marshal(new)
	if err != nil {
		t.Fatal(err)
	}
	got, err := value.FromJSON([]byte(strings.ReplaceAll(string(v.AppendJSON(nil)), old, string(text[1:len(text)-1]))))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func shellCall(dir string, env []string, inputs value.Value) Call {
	return Call{Function: "prefect.deployments.steps.run_shell_script", Inputs: inputs, Root: dir, Dir: dir, Env: env}
}

var plainEnv = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nowhere"}

func script1(text string, more ...value.Entry) value.Value {
	return value.Of(append([]value.Entry{{Key: "script", Value: value.Of(text)}}, more...))
}

func TestShellAsRecorded(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("recorded with a POSIX shell")
	}
	var golden recorded
	load(t, "shell.golden.json", &golden)
	if len(golden.Cases) < 60 {
		t.Fatalf("only %d recorded cases", len(golden.Cases))
	}
	var env []string
	for k, v := range golden.Env {
		env = append(env, k+"="+v)
	}
	slices.Sort(env)
	for _, c := range golden.Cases {
		t.Run(c.Name, func(t *testing.T) {
			dir := folder(t)
			got, err := Lookup("prefect.deployments.steps.run_shell_script", nil)(context.Background(), shellCall(dir, env, swap(t, c.Inputs, "<dir>", dir)))
			switch {
			case c.Outputs != nil:
				if err != nil || !value.Equal(got, swap(t, *c.Outputs, "<dir>", dir)) {
					t.Errorf("got %s and error %v\nwant %s", got.AppendJSON(nil), err, c.Outputs.AppendJSON(nil))
				}
			case c.Code != nil:
				exit := AsExit(err)
				if exit == nil || exit.Code != *c.Code || exit.Stderr != c.Stderr {
					t.Errorf("got %s and error %#v\nwant code %d, stderr %q", got.AppendJSON(nil), err, *c.Code, c.Stderr)
				}
			case err == nil || AsExit(err) != nil:
				t.Errorf("got %s and error %v\nwant an error before it ran, as Python's %s", got.AppendJSON(nil), err, c.Error)
			}
		})
	}
}

func TestPythonTextAsRecorded(t *testing.T) {
	var golden struct {
		Texts []struct {
			Text, Strip, Substitute string
			Splitlines              []string
			Split                   any
		}
		Decode           [][2]string
		Space, Line_ends []rune
	}
	load(t, "pytext.golden.json", &golden)
	var env recorded
	load(t, "shell.golden.json", &env)
	for _, c := range golden.Texts {
		if got := splitlines(c.Text); !slices.Equal(got, c.Splitlines) {
			t.Errorf("splitlines(%q) = %q, want %q", c.Text, got, c.Splitlines)
		}
		if got := strip(c.Text); got != c.Strip {
			t.Errorf("strip(%q) = %q, want %q", c.Text, got, c.Strip)
		}
		if got := substitute(c.Text, env.Env); got != c.Substitute {
			t.Errorf("substitute(%q) = %q, want %q", c.Text, got, c.Substitute)
		}
		words, err := splitWords(c.Text)
		var got any = []any{}
		for _, w := range words {
			got = append(got.([]any), w)
		}
		switch {
		case errors.Is(err, errNoClosing):
			got = "No closing quotation"
		case errors.Is(err, errNoEscaped):
			got = "No escaped character"
		}
		if !reflect.DeepEqual(got, c.Split) {
			t.Errorf("splitWords(%q) = %q, want %q", c.Text, got, c.Split)
		}
	}
	for _, c := range golden.Decode {
		raw, err := hex.DecodeString(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(string(raw)); got != c[1] {
			t.Errorf("decode(%s) = %q, want %q", c[0], got, c[1])
		}
	}
	for r := rune(0); r < 0x110000; r++ {
		if pythonSpace(r) != slices.Contains(golden.Space, r) {
			t.Errorf("pythonSpace(%U) = %v", r, pythonSpace(r))
		}
		if lineEnd(r) != slices.Contains(golden.Line_ends, r) {
			t.Errorf("lineEnd(%U) = %v", r, lineEnd(r))
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		inputs value.Value
		want   string
	}{
		{script1("echo 'x"), "line 1 of the script: a quote is not closed: close it"},
		{script1("true\nno-such-program"), `line 2 of the script: there is no program "no-such-program" on PATH`},
		{script1("# note"), "a comment is run as a command here"},
		{script1("sh -c 'echo why >&2; exit 3'"), "line 1 of the script ended with code 3: why"},
		{script1("sh -c 'kill -9 $$'"), "line 1 of the script was ended by signal 9"},
		{script1("true", value.Entry{Key: "directory", Value: value.Of("gone")}), `the directory "gone" does not exist`},
		{script1("true", value.Entry{Key: "env", Value: value.Of([]value.Entry{{Key: "N", Value: value.Of(1)}})}), `the value of "N" under "env" must be text, not a whole number: put it in quotes`},
		{script1("true", value.Entry{Key: "dir", Value: value.Of("x")}), `run_shell_script has no argument "dir"; it takes script, directory`},
		{value.Of([]value.Entry{}), `run_shell_script lacks the argument "script"`},
	} {
		_, err := runShellScript(context.Background(), shellCall(t.TempDir(), plainEnv, c.inputs))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.inputs.AppendJSON(nil), err, c.want)
		}
	}
}

func TestPrefect2HasNoShellArgument(t *testing.T) {
	call := shellCall(t.TempDir(), plainEnv, script1("true", value.Entry{Key: "shell", Value: value.Of(true)}))
	call.Prefect = 2
	if _, err := runShellScript(context.Background(), call); err == nil || !strings.Contains(err.Error(), `no argument "shell"`) {
		t.Errorf("error %v", err)
	}
}

func TestShellStreamsWholeLines(t *testing.T) {
	call := shellCall(t.TempDir(), plainEnv, script1("printf 'a\\nb'\nsh -c 'printf c; echo e >&2'"))
	var out, errs []string
	call.Stdout = func(line []byte) { out = append(out, string(line)) }
	call.Stderr = func(line []byte) { errs = append(errs, string(line)) }
	if _, err := runShellScript(context.Background(), call); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(out, []string{"a", "b", "c"}) || !slices.Equal(errs, []string{"e"}) {
		t.Errorf("stdout %q, stderr %q", out, errs)
	}
	out = nil
	call.Inputs = call.Inputs.Set("stream_output", value.Of(false))
	if _, err := runShellScript(context.Background(), call); err != nil || out != nil {
		t.Errorf("with stream_output false: %q, %v", out, err)
	}
}

func TestShellCancelledEndsTheWholeGroup(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	call := shellCall(dir, plainEnv, script1("sh -c 'trap \"\" TERM; echo ready; sleep 60 & wait; sleep 60'"))
	call.Stdout = func([]byte) { cancel() }
	if _, err := runShellScript(ctx, call); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want the context's", err)
	}
	// Whatever of the group is left would still hold the pipe: runShellScript returned, so it was closed by the kill or by us.
	call = shellCall(dir, plainEnv, script1("sleep 60"))
	expired, done := context.WithTimeout(context.Background(), time.Millisecond)
	defer done()
	if _, err := runShellScript(expired, call); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want the deadline", err)
	}
}

func TestLargeOutputStaysSmallInMemory(t *testing.T) {
	const size = 100 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	call := shellCall(t.TempDir(), plainEnv, script1("head -c 104857600 /dev/zero | tr '\\0' x", value.Entry{Key: "shell", Value: value.Of(true)}))
	lines := 0
	call.Stdout = func(line []byte) {
		if lines++; len(line) > MaxLine {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	got, err := runShellScript(context.Background(), call)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	text, _ := got.Get("stdout")
	if len(text.Text) != size || lines < size/MaxLine {
		t.Errorf("%d bytes in %d lines", len(text.Text), lines)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 3*size {
		t.Errorf("%d MB were allocated for %d MB of output", used>>20, size>>20)
	}
}

func TestSetWorkingDirectory(t *testing.T) {
	dir := folder(t)
	if err := os.Symlink(filepath.Join(dir, "sub"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	call := func(major int, directory any) (string, error) {
		c := Call{Function: "prefect.deployments.steps.set_working_directory", Dir: dir, Prefect: major,
			Inputs: value.Of([]value.Entry{{Key: "directory", Value: value.Of(directory)}})}
		got, err := Lookup(c.Function, nil)(context.Background(), c)
		out, _ := got.Get("directory")
		return out.Text, err
	}
	for _, written := range []string{"sub", "./sub", "link", "sub/../link", filepath.Join(dir, "sub")} {
		if got, err := call(3, written); err != nil || got != filepath.Join(dir, "sub") {
			t.Errorf("%s: %q, %v", written, got, err)
		}
		if got, err := call(2, written); err != nil || got != written {
			t.Errorf("%s on Prefect 2: %q, %v", written, got, err)
		}
	}
	for _, wrong := range []any{"nowhere", "words.txt", "", "~", 5, nil, true} {
		if got, err := call(3, wrong); err == nil {
			t.Errorf("%v: %q, want an error", wrong, got)
		}
	}
}

func TestLinesTakeTheMarkOut(t *testing.T) {
	stream := "one\nhalf\x00done 1\nlost\n"
	for size := 1; size <= len(stream); size++ {
		var got []string
		var l lines
		done := l.expect(func(line []byte) { got = append(got, string(line)) }, "\x00done 1")
		for chunk := range slices.Chunk([]byte(stream), size) {
			l.write(bytes.Clone(chunk))
		}
		select {
		case <-done:
		default:
			t.Errorf("chunks of %d: the mark was not seen", size)
		}
		if !slices.Equal(got, []string{"one", "half"}) {
			t.Errorf("chunks of %d: %q", size, got)
		}
	}
}

func TestWithoutPython(t *testing.T) {
	for function, needs := range map[string]bool{
		"prefect.deployments.steps.run_shell_script":              false,
		"prefect.deployments.steps.utility.run_shell_script":      false,
		"prefect.projects.steps.set_working_directory":            false,
		"prefect.deployments.steps.pull.set_working_directory":    false,
		"prefect.deployments.steps.git_clone":                     false,
		"prefect.projects.steps.git_clone_project":                false,
		"prefect.deployments.steps.pull_with_block":               true,
		"prefect_docker.deployments.steps.build_docker_image":     true,
		"my_steps.run_shell_script":                               true,
		"prefect.deployments.steps.core.set_working_directory":    true,
		"prefect.deployments.steps.utility.set_working_directory": true,
	} {
		if got := NeedsPython(function, nil); got != needs {
			t.Errorf("NeedsPython(%s) = %v", function, got)
		}
	}
	if NeedsPython("prefect.deployments.steps.run_shell_script", []string{"prefect>=2.0", "prefect [docker] ~= 3.1"}) {
		t.Error("a native step that requires only Prefect needs no Python")
	}
	if !NeedsPython("prefect.deployments.steps.run_shell_script", []string{"prefect-docker>=0.3"}) {
		t.Error("prefect-docker is not Prefect itself")
	}
	if !NeedsPython("prefect.deployments.steps.run_shell_script", []string{"x"}) {
		t.Error("a required package needs Python")
	}
	_, err := Lookup("my_steps.hello", nil)(context.Background(), Call{Function: "my_steps.hello"})
	if err == nil || !strings.Contains(err.Error(), "install Python") {
		t.Errorf("error %v", err)
	}
}

func TestFindPython(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("paths are written for Unix")
	}
	all := func(p string) (string, error) { return "/found/" + p, nil }
	for _, c := range []struct {
		env  map[string]string
		have []string // nil: everything
		want string
	}{
		{map[string]string{"PREFECT_DEPLOY_PYTHON": "py", "VIRTUAL_ENV": "/v"}, nil, "/found/py"},
		{map[string]string{"PREFECT_DEPLOY_PYTHON": "py", "VIRTUAL_ENV": "/v"}, []string{"python3"}, "error PREFECT_DEPLOY_PYTHON"},
		{map[string]string{"VIRTUAL_ENV": "/v", "UV_PYTHON": "/u/python"}, nil, "/found//v/bin/python"},
		{map[string]string{"VIRTUAL_ENV": "/v", "UV_PYTHON": "/u/python"}, []string{"/u/python"}, "/found//u/python"},
		{map[string]string{"UV_PYTHON": "3.11"}, nil, "/found/python3.11"},
		{map[string]string{"UV_PYTHON": "cpython@3.12.4"}, nil, "/found/python3.12"},
		{map[string]string{"UV_PYTHON": "3.11"}, []string{"python3"}, "/found/python3"},
		{map[string]string{"UV_PYTHON": ">=3.9"}, nil, "/found/python3"},
		{map[string]string{"UV_PYTHON": "python3.13"}, nil, "/found/python3.13"},
		{map[string]string{"UV_PYTHON": "pypy@3.10"}, nil, "/found/python3"},
		{map[string]string{"PREFECT_ORACLE_VENV": "/o"}, nil, "/found//o/bin/python"},
		{nil, []string{"python"}, "/found/python"},
		{nil, []string{"ruby"}, "error install Python"},
	} {
		look := all
		if c.have != nil {
			look = func(p string) (string, error) {
				if slices.Contains(c.have, p) {
					return all(p)
				}
				return "", os.ErrNotExist
			}
		}
		got, err := FindPython(func(name string) string { return c.env[name] }, look)
		if text, wrong := strings.CutPrefix(c.want, "error "); wrong {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%v: %q, error %v", c.env, got, err)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%v: %q, %v, want %q", c.env, got, err, c.want)
		}
	}
}

func FuzzSplitWords(f *testing.F) {
	for _, seed := range []string{"a 'b c' \"d\\\"e\" f\\ g", "'", "\\", "a\\", `"\`, "''", "é 'ü'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := splitWords(s)
		if err != nil {
			return
		}
		quoted := make([]string, len(words)) // what is quoted again splits into the same words
		for i, w := range words {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'"'"'`) + "'"
		}
		if again, err := splitWords(strings.Join(quoted, " ")); err != nil || !slices.Equal(again, words) {
			t.Errorf("%q: %q, then %q (%v)", s, words, again, err)
		}
	})
}

func FuzzSubstitute(f *testing.F) {
	for _, seed := range []string{"$A ${A} $$ ${ $", "${A", "$é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := substitute(s, nil); got != strings.ReplaceAll(s, "$$", "$") && !strings.Contains(s, "$$") {
			t.Errorf("%q became %q without any variable", s, got)
		}
		for _, line := range splitlines(s) {
			if strings.ContainsAny(line, "\n\r\v\f") {
				t.Errorf("a line of %q holds a line end", s)
			}
		}
		if !strings.Contains(decode(s), "\ufffd") && decode(s) != s {
			t.Errorf("decode changed %q", s)
		}
	})
}

func BenchmarkShellStep(b *testing.B) {
	call := shellCall(b.TempDir(), plainEnv, script1("true"))
	for b.Loop() {
		if _, err := runShellScript(context.Background(), call); err != nil {
			b.Fatal(err)
		}
	}
}
