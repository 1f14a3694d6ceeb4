//go:build real

// Which Python runs the steps and how it gets what they require, by real programs: environments that this test makes, pip and uv (UV_TOOL names its program, else .cache/uv/bin/uv of `.ci/setup uv`), and packages that
// they find in a folder, so that no registry is asked.
package main

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// environment makes a virtual environment in which the module `here` says where it is.
func environment(t *testing.T, args ...string) string {
	t.Helper()
	base := os.Getenv("PYTHON")
	if base == "" {
		t.Fatal("these tests need PYTHON, the path of a Python 3.11")
	}
	dir := filepath.Join(t.TempDir(), "an environment")
	if out, err := exec.Command(base, append(append([]string{"-m", "venv"}, args...), dir)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	packages, err := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages"))
	if err != nil || len(packages) != 1 {
		t.Fatalf("%q, error %v", packages, err)
	}
	script(t, filepath.Join(packages[0], "here.py"), "import sys\ndef f(): return {'prefix': sys.prefix}\nasync def g(): return {'prefix': sys.prefix}\n")
	return dir
}

func script(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// ofFunction is a project whose only build step is of this function.
func ofFunction(t *testing.T, function string) string {
	return project(t, map[string]string{"flow.py": oneFlow, "needs.py": "import not_there_either\ndef f(): pass\n",
		"prefect.yaml": "pull: []\ndeployments:\n- name: d\n  entrypoint: flow.py:hello\n  work_pool: {name: p}\nbuild:\n- " + function + ": {id: s}\n"})
}

func TestWhichPython(t *testing.T) {
	one, two, three := environment(t, "--without-pip"), environment(t, "--without-pip"), environment(t, "--without-pip")
	path := t.TempDir()
	script(t, filepath.Join(path, "python3"), "#!/bin/sh\nexec '"+three+"/bin/python' \"$@\"\n")
	script(t, filepath.Join(path, "python3.11"), "#!/bin/sh\nexec '"+two+"/bin/python' \"$@\"\n")
	broken, nothing, dangling := t.TempDir(), t.TempDir(), t.TempDir()
	script(t, filepath.Join(broken, "bin", "python"), "#!/bin/sh\necho 'error while loading shared libraries' >&2\nexit 127\n")
	script(t, filepath.Join(nothing, "bin", "python"), "no program at all")
	if err := os.Mkdir(filepath.Join(dangling, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere/python", filepath.Join(dangling, "bin", "python")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", path+":/usr/bin:/bin") // exec.LookPath reads the process's own
	for _, c := range []struct {
		about, function string
		env             map[string]string
		prefix, fails   string
	}{
		{about: "the active environment", env: map[string]string{"VIRTUAL_ENV": one, "UV_PYTHON": two + "/bin/python"}, prefix: one},
		{about: "UV_PYTHON, a path", env: map[string]string{"UV_PYTHON": two + "/bin/python"}, prefix: two},
		{about: "UV_PYTHON, a version", env: map[string]string{"UV_PYTHON": "3.11"}, prefix: two},
		{about: "UV_PYTHON, of a version that is not there", env: map[string]string{"UV_PYTHON": "3.4"}, prefix: three},
		{about: "python3 on PATH", prefix: three},
		{about: "a function that is async", function: "here.g", prefix: three},
		{about: "an environment that is gone", env: map[string]string{"VIRTUAL_ENV": dangling}, prefix: three},
		{about: "one that does not start", env: map[string]string{"VIRTUAL_ENV": broken}, fails: "prefect.yaml:7: the Python of the steps, " + broken +
			"/bin/python, can't be used: activate another environment, or name a Python in PREFECT_DEPLOY_PYTHON; it ended at once, with code 127: error while loading shared libraries"},
		{about: "UV_PYTHON, one that does not start", env: map[string]string{"UV_PYTHON": broken + "/bin/python"}, fails: "it ended at once, with code 127: error while loading shared libraries"},
		{about: "one that is no program", env: map[string]string{"VIRTUAL_ENV": nothing}, fails: "prefect.yaml:7: the Python of the steps, " + nothing + "/bin/python, can't be used"},
		{about: "one that is named and not there", env: map[string]string{"PREFECT_DEPLOY_PYTHON": "no-such-python", "VIRTUAL_ENV": one}, fails: `PREFECT_DEPLOY_PYTHON names "no-such-python"`},
		{about: "a module that it lacks", function: "not_there.f", env: map[string]string{"VIRTUAL_ENV": one}, fails: "prefect.yaml:7: the Python of the steps, " + one + "/bin/python, does not have the module not_there: install it there, or name its package under requires\n"},
		{about: "a module whose module it lacks", function: "needs.f", env: map[string]string{"VIRTUAL_ENV": one}, fails: "does not have the module not_there_either, which needs imports: install it there"},
		{about: "a function that the module lacks", function: "here.absent", env: map[string]string{"VIRTUAL_ENV": one}, fails: "prefect.yaml:7: the module here has no 'absent', so here.absent cannot be called"},
		{about: "a file that is not there", function: "absent.py:f", env: map[string]string{"VIRTUAL_ENV": one}, fails: "prefect.yaml:7: there is no file absent.py"},
	} {
		if c.function == "" {
			c.function = "here.f"
		}
		if c.env == nil {
			c.env = map[string]string{}
		}
		c.env["PATH"] = path + ":/usr/bin:/bin"
		code, stdout, stderr := command(t, c.env, "step", "s", "-C", ofFunction(t, c.function), "--outputs", "-")
		switch {
		case c.fails == "" && (code != 0 || !strings.Contains(stdout, `"`+c.prefix+`"`)):
			t.Errorf("%s: exit %d, want %s\n%s\n%s", c.about, code, c.prefix, stdout, stderr)
		case c.fails != "" && (code != 1 || !strings.Contains(stderr, c.fails) || strings.Contains(stderr, "<worker>") || strings.Contains(stderr, "importlib")):
			t.Errorf("%s: exit %d, want %s\n%s", c.about, code, c.fails, stderr)
		}
	}
}

// wheels is a folder with packages: alpha 1.0 and 2.0; beta, whose extra more needs gamma; and odd-name, whose module is called otherwise.
func wheels(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	wheel := func(name, version, module, text, more string) {
		file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%s-py3-none-any.whl", name, version)))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		z := zip.NewWriter(file)
		info := fmt.Sprintf("%s-%s.dist-info/", name, version)
		for _, f := range []struct{ name, text string }{{module + ".py", text}, {info + "METADATA", fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n%s", name, version, more)},
			{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}, {info + "RECORD", module + ".py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"}} {
			w, err := z.Create(f.name)
			if err == nil {
				_, err = w.Write([]byte(f.text))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, version := range []string{"1.0", "2.0"} {
		wheel("alpha", version, "alpha", "def f(): return {'version': '"+version+"'}\n", "")
	}
	wheel("beta", "1.0", "beta", "def f():\n    import gamma\n    return {'version': gamma.VERSION}\n", "Provides-Extra: more\nRequires-Dist: gamma; extra == \"more\"\n")
	wheel("gamma", "1.5", "gamma", "VERSION = '1.5'\n", "")
	wheel("odd_name", "3.0", "otherwise", "def f(): return {'version': '3.0'}\n", "")
	return dir
}

func TestRequires(t *testing.T) {
	uv := os.Getenv("UV_TOOL")
	if uv == "" {
		uv = filepath.Join("..", "..", ".cache", "uv", "bin", "uv")
	}
	uv, err := filepath.Abs(uv)
	if err == nil {
		_, err = os.Stat(uv)
	}
	if err != nil {
		t.Fatalf("this test needs uv: run .ci/setup uv, or name its program in UV_TOOL (%v)", err)
	}
	found := wheels(t)
	for _, installer := range []string{"uv", "pip"} {
		t.Run(installer, func(t *testing.T) {
			bin, calls := t.TempDir(), filepath.Join(t.TempDir(), "calls")
			env := map[string]string{"PATH": bin + ":/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": found, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_OFFLINE": "1", "UV_FIND_LINKS": found, "UV_CACHE_DIR": t.TempDir(), "TMPDIR": t.TempDir()}
			if installer == "uv" {
				env["VIRTUAL_ENV"] = environment(t, "--without-pip")
				script(t, filepath.Join(bin, "uv"), "#!/bin/sh\necho \"$@\" >> "+calls+"\nexec '"+uv+"' \"$@\"\n")
			} else { // the environment's pip, which notes that it was called
				env["VIRTUAL_ENV"] = environment(t)
				packages, _ := filepath.Glob(filepath.Join(env["VIRTUAL_ENV"], "lib", "python3*", "site-packages"))
				main := filepath.Join(packages[0], "pip", "__main__.py")
				script(t, main, strings.Replace(read(main), "import os", "import sys\nopen('"+calls+"', 'a').write(' '.join(sys.argv) + '\\n')\nimport os", 1))
			}
			for _, c := range []struct {
				about    string
				steps    []string // function, requires
				installs int
				versions int // of steps that give what they should
				fails    string
			}{
				{"a text with bounds, twice side by side", []string{"alpha.f", "'alpha>=1,<2'", "alpha.f", "'alpha>=1,<2'"}, 1, 2, ""},
				{"satisfied already", []string{"alpha.f", "[alpha]", "alpha.f", "'alpha~=1.0'"}, 0, 2, ""},
				{"a list, with an extra", []string{"beta.f", "['beta[more]>=1.0']", "beta.f", "['beta[more]>=1.0']"}, 1, 2, ""},
				{"a module of another name, in sets of another order", []string{"otherwise.f", "[odd-name, alpha]", "otherwise.f", "[alpha, odd-name]"}, 1, 2, ""},
				{"none to be had", []string{"absent.f", "absent-package", "alpha.f", "[alpha]"}, 1, 1, "absent-package could not be installed (code 1): " + map[string]string{"pip": "No matching distribution found for absent-package", "uv": "No solution found when resolving dependencies"}[installer]},
				{"none to be had, of two", []string{"absent.f", "absent-package", "absent.g", "absent-package"}, 1, 0, "could not be installed"},
				{"none to be had, and none needed", []string{"alpha.f", "[absent-package]"}, 1, 1, ""},
				{"a bound that can't be met", []string{"absent.f", "alpha>=9"}, 1, 0, "the packages alpha>=9 could not be installed"},
			} {
				yaml := "pull: []\ndeployments:\n- {name: d, entrypoint: 'flow.py:hello', work_pool: {name: p}}\nbuild:\n"
				var keys []string
				effects := ""
				for i := 0; i < len(c.steps); i += 2 {
					key := fmt.Sprintf("s%d", i/2)
					keys = append(keys, key)
					yaml += fmt.Sprintf("- %s: {id: %s, requires: %s}\n", c.steps[i], key, c.steps[i+1])
					effects += key + ": {effects: {reads: [], writes: []}}, "
				}
				dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": yaml + "x-ci: {steps: {" + effects + "}}\n"})
				_ = os.Remove(calls)
				code, stdout, stderr := command(t, env, append(append([]string{"step"}, keys...), "-C", dir, "--jobs", "2", "--outputs", "-")...)
				wantCode := 0
				if c.fails != "" {
					wantCode = 1
				}
				if n := strings.Count(read(calls), "\n"); n != c.installs {
					t.Errorf("%s: %d installs, want %d\n%s\n%s", c.about, n, c.installs, read(calls), stderr)
				}
				_, last, _ := strings.Cut(stderr, "\nerror: ")
				if code != wantCode || strings.Count(stdout, `"version"`) != c.versions || !strings.Contains(last, c.fails) || c.fails != "" && (!strings.Contains(last, "prefect.yaml:5: the packages ") || strings.Contains(last, "Traceback")) {
					t.Errorf("%s: exit %d\n%s\n%s", c.about, code, stdout, stderr)
				}
			}
		})
	}
}
