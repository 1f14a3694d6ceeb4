//go:build real

// What is too large to be recorded of run_shell_script, and set_working_directory, whose answers are paths of this machine: both against the real ones.
package step

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// asked runs a program of the real Python and reads the JSON that it prints.
func asked(t *testing.T, dir, program string, into any, args ...string) {
	t.Helper()
	cmd := exec.Command(realPython(t), append([]string{"-c", program}, args...)...)
	cmd.Dir, cmd.Env = dir, append([]string{"PREFECT_HOME=" + t.TempDir(), "PREFECT_LOGGING_LEVEL=CRITICAL", "LC_ALL=C.UTF-8"}, plainEnv...)
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		t.Fatalf("%v: %.2000s", err, out)
	}
}

func TestLargeOutputIsReal(t *testing.T) {
	for name, script := range map[string]string{
		"one line of 100 MB": "head -c 104857600 /dev/zero | tr '\\0' x",
		"100 MB on stderr":   "yes 'a line of some length, to be repeated' | head -c 104857600 >&2",
		"100 MB of no UTF-8": "head -c 104857600 /dev/zero | tr '\\0' '\\377'",
	} {
		var want map[string]string
		asked(t, t.TempDir(), `
import asyncio, hashlib, json, sys
from prefect.deployments.steps.utility import run_shell_script
done = asyncio.run(run_shell_script(script=sys.argv[1], shell=True, stream_output=False))
print(json.dumps({k: hashlib.sha256(v.encode()).hexdigest() for k, v in done.items()}))
`, &want, script)
		got, err := runShellScript(context.Background(), shellCall(t.TempDir(), plainEnv, script1(script, value.Entry{Key: "shell", Value: value.Of(true)}, value.Entry{Key: "stream_output", Value: value.Of(false)})))
		if err != nil {
			t.Fatal(err)
		}
		for key, digest := range want {
			text, _ := got.Get(key)
			sum := sha256.Sum256([]byte(text.Text))
			if hex.EncodeToString(sum[:]) != digest {
				t.Errorf("%s: %s of %d bytes is not the real one's", name, key, len(text.Text))
			}
		}
	}
}

func TestSetWorkingDirectoryIsReal(t *testing.T) {
	dir := folder(t)
	for _, name := range []string{"sp ace", "grüße 日本", "it's", `a "quoted" one`, "$HOME", "`id`", "$(touch x)", "new\nline", "tab\there", "-x", "--help", "~", "a;b", "a&b", "a|b", "*", "?", "[a]", "{b}", "#c", "%d", "a\\b", "é", "e\u0301", "🎉", ".hidden", "...", "a..b", " lead",
		"trail ", "con", "a:b", "a,b", "a=b", "!x", "@x", "^x", "deep/er/est", "\x01ctl"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "sub", "chain": "link", "abs": filepath.Join(dir, "sub"), "loop": "loop", "dangling": "nowhere", "deeplink": "deep/er", "tofile": "words.txt"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	inputs := []map[string]any{{}, {"directory": "sub", "other": 1}}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		inputs = append(inputs, map[string]any{"directory": e.Name()})
	}
	for _, written := range []any{".", "./", "./sub", "sub/", "sub//", "sub/.", "./sub/../sub", "link/../link", "deeplink/..", "deeplink/../..", "deep/er/est/../../../sub", "/", "//", dir, dir + "/sub", dir + "/link", "sub/name.txt", "sub/nowhere", "..", "../" + filepath.Base(dir),
		"", " ", "nul\x00", "nowhere", strings.Repeat("x", 300), strings.Repeat("sub/../", 400) + "sub", 5, 5.5, true, nil, []any{"sub"}, map[string]any{"a": "sub"}, "SUB"} {
		inputs = append(inputs, map[string]any{"directory": written})
	}
	data, err := json.Marshal(inputs)
	if err != nil {
		t.Fatal(err)
	}
	var want []map[string]any
	asked(t, dir, `
import json, os, sys
from prefect.deployments.steps.pull import set_working_directory
answers = []
for inputs in json.loads(sys.argv[1]):
    os.chdir(sys.argv[2])
    try:
        answers.append(set_working_directory(**inputs))
    except Exception as fault:
        answers.append({"error": type(fault).__name__})
print(json.dumps(answers))
`, &want, string(data), dir)
	if len(want) < 60 || len(want) != len(inputs) {
		t.Fatalf("%d answers to %d inputs", len(want), len(inputs))
	}
	for i, in := range inputs {
		text, _ := json.Marshal(in)
		v, err := value.FromJSON(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := setWorkingDirectory(context.Background(), Call{Function: "prefect.deployments.steps.set_working_directory", Dir: dir, Inputs: v})
		directory, _ := got.Get("directory")
		if failed := want[i]["error"] != nil; failed != (err != nil) || !failed && directory.Text != want[i]["directory"] {
			t.Errorf("%s: %q, error %v\nwant %v", text, directory.Text, err, want[i])
		}
	}
}
