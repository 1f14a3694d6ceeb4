//go:build real

// pip_install_requirements against the real one: the same Python, the same pip, the same files; what both gave, and what lies there afterwards.
package step

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// pipCase is a call, with the files that it finds.
type pipCase struct {
	Name   string            `json:"name"`
	Dir    string            `json:"dir"`
	Inputs map[string]any    `json:"inputs"`
	Files  map[string]string `json:"-"`
}

// pipCases are hostile files, names and arguments. `demo` and `other` are there to be installed; nothing else is.
func pipCases() (out []pipCase) {
	file := func(name, text string) {
		out = append(out, pipCase{Name: name, Files: map[string]string{"requirements.txt": text}})
	}
	call := func(name string, inputs map[string]any, at string) {
		out = append(out, pipCase{Name: name, Inputs: inputs, Files: map[string]string{at: "demo\n", "sub/x": ""}})
	}
	for name, text := range map[string]string{
		"empty": "", "one": "demo\n", "no-newline": "demo", "two": "demo\nother\n", "crlf": "demo\r\nother\r\n", "comment": "# nothing\ndemo # yes\n", "blank": "\n\n  \n", "pinned": "demo==1.0\n", "not-there": "nowhere-to-be-found\n",
		"wrong-version": "demo==9\n", "range": "demo>=0.5,<2\n", "capitals": "DEMO\n", "extras": "demo[x]\n", "marker-true": "demo; python_version >= '3'\n", "marker-false": "demo; python_version < '3'\n", "marker-bad": "demo; nonsense\n",
		"unicode": "# grüße 日本\ndemo\n", "unicode-name": "grüße\n", "quotes": "'demo'\n", "dollar": "$HOME\n", "variable": "${WHO}\n", "backslash": "de\\\nmo\n", "option-bad": "--no-such-option\n", "option-index": "--no-index\ndemo\n",
		"constraint": "-c constraints.txt\ndemo\n", "include-missing": "-r absent.txt\n", "include-self": "-r requirements.txt\n", "editable-missing": "-e ./absent\n", "path-missing": "./absent.whl\n", "path": "./own/demo-1.0-py3-none-any.whl\n",
		"url-refused": "http://127.0.0.1:1/x.whl\n", "semicolons": ";;;\n", "shell": "demo && touch x\n", "backticks": "`touch x`\n", "spaces": "   demo   \n", "tabs": "\tdemo\n", "form-feed": "demo\x0cother\n", "equals": "demo=1.0\n", "conflict": "demo==1.0\ndemo==2.0\n",
		"hash-bad": "demo==1.0 --hash=sha256:00\n", "twice": "demo\ndemo\n", "long-line": "# " + strings.Repeat("x", 5000) + "\ndemo\n", "nul": "de\x00mo\n", "latin1": "# \xfc\ndemo\n", "bom": "\ufeffdemo\n", "dash": "-\n", "prefect": "prefect\n",
	} {
		file(name, text)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Name < out[b].Name })
	call("named", map[string]any{"requirements_file": "other.txt"}, "other.txt")
	call("named-space", map[string]any{"requirements_file": "a b.txt"}, "a b.txt")
	call("named-unicode", map[string]any{"requirements_file": "grüße.txt"}, "grüße.txt")
	call("named-newline", map[string]any{"requirements_file": "a\nb.txt"}, "a\nb.txt")
	call("named-quote", map[string]any{"requirements_file": `it's "x".txt`}, `it's "x".txt`)
	call("named-dollar", map[string]any{"requirements_file": "$(touch x).txt"}, "$(touch x).txt")
	call("named-option", map[string]any{"requirements_file": "--help"}, "requirements.txt")
	call("named-missing", map[string]any{"requirements_file": "absent.txt"}, "requirements.txt")
	call("named-empty", map[string]any{"requirements_file": ""}, "requirements.txt")
	call("named-null", map[string]any{"requirements_file": nil}, "requirements.txt")
	call("named-number", map[string]any{"requirements_file": 5}, "requirements.txt")
	call("named-folder", map[string]any{"requirements_file": "sub"}, "requirements.txt")
	call("directory", map[string]any{"directory": "sub"}, "sub/requirements.txt")
	call("directory-dotted", map[string]any{"directory": "sub/../sub/."}, "sub/requirements.txt")
	call("directory-unicode", map[string]any{"directory": "ü b"}, "ü b/requirements.txt")
	call("directory-missing", map[string]any{"directory": "absent"}, "requirements.txt")
	call("directory-file", map[string]any{"directory": "requirements.txt"}, "requirements.txt")
	call("directory-null", map[string]any{"directory": nil}, "requirements.txt")
	call("directory-number", map[string]any{"directory": 5.5}, "requirements.txt")
	call("quiet", map[string]any{"stream_output": false}, "requirements.txt")
	call("unknown-argument", map[string]any{"upgrade": true}, "requirements.txt")
	return out
}

const pipRecorder = `
import asyncio, json, os, sys
from prefect.deployments.steps.utility import pip_install_requirements
answers = {}
for case in json.load(open(sys.argv[1])):
    os.chdir(case["dir"])
    os.environ["PIP_TARGET"] = case["dir"] + "/site"
    try:
        answers[case["name"]] = asyncio.run(pip_install_requirements(**(case["inputs"] or {})))
    except RuntimeError as fault:
        code, _, stderr = str(fault).partition("error code ")[2].partition(": ")
        answers[case["name"]] = {"code": int(code), "error": stderr}
    except Exception as fault:
        answers[case["name"]] = {"error": type(fault).__name__}
json.dump(answers, open(sys.argv[2], "w"))
`

func TestPipIsReal(t *testing.T) {
	cases := pipCases()
	if len(cases) < 60 {
		t.Fatalf("only %d cases", len(cases))
	}
	if os.Getenv("PROVE") == "" { // pip takes a second: every fourth, and all in make prove
		for i := range len(cases) / 4 {
			cases[i] = cases[4*i]
		}
		cases = cases[:len(cases)/4]
	}
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + top, "PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + top + "/wheels", "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_CACHE_DIR=1", "PIP_RETRIES=0", "PIP_DEFAULT_TIMEOUT=5", "LC_ALL=C.UTF-8", "WHO=demo", "PYTHONDONTWRITEBYTECODE=1",
		"PREFECT_HOME=" + top, "PREFECT_LOGGING_LEVEL=CRITICAL"}
	wheel := wheelOf(t, "demo", "1.0")
	for name, data := range map[string][]byte{"wheels/demo-1.0-py3-none-any.whl": wheel, "wheels/other-2.0-py3-none-any.whl": wheelOf(t, "other", "2.0")} {
		put(t, filepath.Join(top, name), data)
	}
	lay := func() {
		for i := range cases {
			c := &cases[i]
			c.Dir = filepath.Join(top, c.Name)
			if err := os.RemoveAll(c.Dir); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(c.Dir, "constraints.txt"), []byte("demo<2\n"))
			put(t, filepath.Join(c.Dir, "own", "demo-1.0-py3-none-any.whl"), wheel)
			for name, text := range c.Files {
				put(t, filepath.Join(c.Dir, name), []byte(text))
			}
		}
	}
	lay()
	data, _ := json.Marshal(cases)
	put(t, filepath.Join(top, "cases.json"), data)
	cmd := exec.Command(realPython(t), "-c", pipRecorder, filepath.Join(top, "cases.json"), filepath.Join(top, "answers.json"))
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	var answers map[string]struct {
		Stdout, Stderr *string
		Error          string
		Code           int
	}
	load2(t, filepath.Join(top, "answers.json"), &answers)
	left := map[string]string{}
	for _, c := range cases {
		left[c.Name] = treeOf(c.Dir)
	}
	lay()
	python := &Python{Path: realPython(t)}
	defer python.Close()
	for _, c := range cases {
		want := answers[c.Name]
		inputs, _ := json.Marshal(c.Inputs)
		v, err := value.FromJSON(inputs)
		if err != nil {
			t.Fatal(err)
		}
		const function = "prefect.deployments.steps.pip_install_requirements"
		got, err := Lookup(function, python)(context.Background(), Call{Function: function, Inputs: v, Root: c.Dir, Dir: c.Dir, Env: append(env, "PIP_TARGET="+c.Dir+"/site")})
		if tree := treeOf(c.Dir); tree != left[c.Name] {
			t.Errorf("%s left\n%s\nwant\n%s", c.Name, tree, left[c.Name])
		}
		stdout, _ := got.Get("stdout")
		stderr, _ := got.Get("stderr")
		exit := AsExit(err)
		switch {
		case want.Stdout != nil && (err != nil || stdout.Text != *want.Stdout || stderr.Text != *want.Stderr):
			t.Errorf("%s: %s, error %v\nwant %q, %q", c.Name, got.AppendJSON(nil), err, *want.Stdout, *want.Stderr)
		case want.Stdout == nil && want.Code != 0 && (exit == nil || exit.Code != want.Code || exit.Stderr != want.Error):
			t.Errorf("%s: error %#v\nwant code %d, %q", c.Name, err, want.Code, want.Error)
		case want.Stdout == nil && err == nil:
			t.Errorf("%s: %s\nwant an error, as %s", c.Name, got.AppendJSON(nil), want.Error)
		}
	}
}

func load2(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// wheelOf is a package that holds one module.
func wheelOf(t *testing.T, name, version string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	info := name + "-" + version + ".dist-info/"
	for _, f := range [][2]string{{name + ".py", "VERSION = '" + version + "'\n"}, {info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}, {info + "RECORD", name + ".py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"}} {
		w, err := z.Create(f[0])
		if err == nil {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func treeOf(dir string) string {
	var out []string
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, _ error) error {
		if !e.IsDir() && !strings.Contains(path, "__pycache__") { // compiled files hold the time
			data, _ := os.ReadFile(path)
			out = append(out, fmt.Sprintf("%s %q", strings.TrimPrefix(path, dir), data))
		}
		return nil
	})
	return strings.Join(out, "\n")
}
