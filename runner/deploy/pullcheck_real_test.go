//go:build real

// A pull section as pull-check carries it out, against a run's: Prefect's run_steps with the same section, then the directory that a flow run changes to, and the flow loaded there. And what Python steps do in a
// check: they install into the scratch directory, and their faults are told.
package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/servertest"
)

func venv(t *testing.T) string {
	t.Helper()
	dir, err := servertest.Venv()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// asRun is what prefect.flows.load_flow_from_flow_run does, without a server: steps, directory, entrypoint.
const asRun = `
import asyncio, json, os, sys
from prefect.deployments.steps.core import run_steps
from prefect.flows import load_flow_from_entrypoint
answers = []
start = os.environ.copy()
for number, case in enumerate(json.load(open(sys.argv[1]))):
    os.environ.clear(); os.environ.update(start)
    dir = os.path.join(sys.argv[2], str(number)); os.makedirs(dir); os.chdir(dir)
    modules, path = set(sys.modules), list(sys.path)
    sys.path.insert(0, dir)
    try:
        output = asyncio.run(run_steps(case["pull"], print_function=lambda *a, **k: None))
        if output.get("directory"):
            os.chdir(output["directory"])
        sys.path.insert(0, os.getcwd())
        flow = load_flow_from_entrypoint(case["entrypoint"])
        answers.append({"ok": True, "directory": os.path.relpath(os.getcwd(), dir), "flow": flow.name})
    except BaseException as fault:
        answers.append({"ok": False, "fault": "%s: %s" % (type(fault).__name__, fault)})
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(sys.argv[2]):
            del sys.modules[name]
json.dump(answers, open(sys.argv[3], "w"))
`

func TestPullCheckIsAsARun(t *testing.T) {
	s := newPullScene(t)
	python := venv(t)
	s.env["VIRTUAL_ENV"], s.env["PREFECT_HOME"], s.env["PREFECT_LOGGING_LEVEL"], s.env["WHO"] = python, t.TempDir(), "CRITICAL", "pack"
	s.write("tools.py", "def give(x):\n    return {'directory': x}\nasync def later(x):\n    return {'where': x}\ndef wrong():\n    raise ValueError('why')\ndef odd():\n    return 5\ndef move():\n    import os\n    os.chdir('code')\n    return {}\n")
	s.sh(s.origin, "cp "+s.dir+"/tools.py . && mkdir pack && touch pack/__init__.py && cp flows/flow.py pack/mod.py && git add . && git commit -qm tools")
	const (
		step   = "prefect.deployments.steps."
		clone  = step + "git_clone: {id: c, repository: '<origin>'}"
		copied = step + "run_shell_script: {script: 'cp code/tools.py .'}"
	)
	type pulled struct{ pull, entrypoint string }
	cases := []pulled{
		{clone, "flows/flow.py:hello"}, {clone, "./flows/flow.py:hello"}, {clone, "flows/absent.py:hello"}, {clone, "flows/flow.py:absent"}, {clone, "pack.mod.hello"}, {clone, "pack.absent.hello"}, {clone, "pack/mod.py:hello"},
		{step + "git_clone: {repository: '<origin>', branch: gone}", "flows/flow.py:hello"}, {step + "git_clone: {repository: '<origin>', branch: old}", "flows/flow.py:hello"}, {step + "git_clone: {repository: '<origin>', directories: [sub]}", "flows/flow.py:hello"},
		{step + "git_clone: {repository: '<origin>', directories: [sub]}", "sub/flows/other.py:hello"}, {clone + "}, {" + step + "set_working_directory: {directory: '{{ c.directory }}/flows'}", "flow.py:hello"},
		{clone + "}, {" + step + "set_working_directory: {directory: '{{ directory }}'}", "flows/flow.py:hello"}, {clone + "}, {" + step + "set_working_directory: {directory: code}}, {" + step + "set_working_directory: {directory: sub}", "flows/other.py:hello"},
		{step + "run_shell_script: {script: mkdir deep}}, {" + step + "set_working_directory: {directory: deep}}, {" + clone, "flows/flow.py:hello"}, {clone + "}, {" + step + "set_working_directory: {directory: nowhere}", "flows/flow.py:hello"},
		{clone + "}, {" + step + "run_shell_script: {script: 'rm -r code/flows'}", "flows/flow.py:hello"}, {clone + "}, {" + step + "run_shell_script: {script: 'ls {{ c.directory }}/{{ $WHO }} {{ $UNSET }}'}", "flows/flow.py:hello"},
		{clone + "}, {" + step + "run_shell_script: {script: 'false'}", "flows/flow.py:hello"}, {step + "run_shell_script: {script: pwd}", "flows/flow.py:hello"},
		{clone + "}, {" + copied + "}, {tools.give: {x: code/sub}", "flows/other.py:hello"}, {clone + "}, {" + copied + "}, {tools.later: {id: t, x: code}}, {" + step + "set_working_directory: {directory: '{{ t.where }}'}", "flows/flow.py:hello"},
		{clone + "}, {" + copied + "}, {tools.wrong: {}", "flows/flow.py:hello"}, {clone + "}, {" + copied + "}, {tools.odd: {}", "flows/flow.py:hello"}, {"tools.give: {x: .}", "flows/flow.py:hello"}, {clone + "}, {" + copied + "}, {tools.give: {x: code/nowhere}", "flows/flow.py:hello"},
		{clone + "}, {" + copied + "}, {tools.give: {x: ''}", "code/flows/flow.py:hello"}, {step + "pull_from_remote_storage: {url: '<origin>/sub'}", "flows/other.py:hello"}, {clone + "}, {}, {" + step + "set_working_directory: {directory: code}", "flows/flow.py:hello"},
		{clone + "}, {" + step + "run_shell_script: {id: r, script: 'echo code'}}, {" + step + "set_working_directory: {directory: '{{ r.stdout }}'}", "flows/flow.py:hello"},
	}
	cases = append(cases, pulled{clone + "}, {" + copied + "}, {tools.move: {}", "flows/flow.py:hello"}, pulled{clone + "}, {" + copied + "}, {tools.move: {}}, {" + step + "set_working_directory: {directory: flows}", "flow.py:hello"},
		pulled{clone + "}, {" + copied + "}, {" + step + "run_shell_script: {script: 'cp -r code code/code'}}, {tools.move: {}}, {" + step + "run_shell_script: {script: 'mv flows/flow.py here.py'}", "here.py:hello"})
	yaml := "deployments:\n"
	var handed []map[string]any
	for i, c := range cases {
		yaml += fmt.Sprintf("- {name: d%d, entrypoint: 'flows/flow.py:hello', work_pool: {name: p}, pull: [{%s}]}\n", i, c.pull)
		var pull any
		if err := json.Unmarshal([]byte(s.sh(s.dir, python+"/bin/python -c 'import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.argv[1])))' '"+strings.ReplaceAll(strings.ReplaceAll("[{"+c.pull+"}]", "<origin>", "file://"+s.origin), "'", `'"'"'`)+"'")), &pull); err != nil {
			t.Fatal(err)
		}
		handed = append(handed, map[string]any{"pull": pull, "entrypoint": c.entrypoint})
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	data, failed := json.Marshal(handed)
	if err != nil || failed != nil || os.WriteFile(filepath.Join(dir, "cases.json"), data, 0o644) != nil || os.WriteFile(filepath.Join(dir, "run.py"), []byte(asRun), 0o644) != nil {
		t.Fatal(err, failed)
	}
	s.sh(dir, python+"/bin/python run.py cases.json "+dir+"/runs "+dir+"/answers.json >log 2>&1 </dev/null")
	var answers []struct {
		OK                     bool
		Directory, Flow, Fault string
	}
	data, err = os.ReadFile(filepath.Join(dir, "answers.json"))
	if err == nil {
		err = json.Unmarshal(data, &answers)
	}
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.checkEntrypoints(yaml, func(i int) string { return cases[i].entrypoint })
	if err != nil {
		t.Fatal(err)
	}
	ok := 0
	for i, want := range answers {
		if want.OK {
			ok++
		}
		if got := list[i]; (got.Error == "") != want.OK || want.OK && got.Directory != want.Directory {
			t.Errorf("%s, %s:\n%s\na run gives %+v", cases[i].pull, cases[i].entrypoint, got.Summary(), want)
		}
	}
	if ok < 12 || len(answers)-ok < 10 {
		t.Errorf("%d of %d sections work in a run: they are to be of both kinds", ok, len(answers))
	}
	s.empty()
}

// checkEntrypoints is a check in which each deployment has an entrypoint that is not in this directory.
func (s *pullScene) checkEntrypoints(yaml string, entrypoint func(int) string) ([]*Pulled, error) {
	o := PullOptions{Options: s.options(strings.ReplaceAll(yaml, "<origin>", "file://"+s.origin)), Scratch: s.scratch}
	o.Open = nil
	return pullCheck(context.Background(), o, func(list []*Pulled) {
		for i := range list {
			list[i].Entrypoint = entrypoint(i)
		}
	})
}

func TestPullCheckWithPython(t *testing.T) {
	s := newPullScene(t)
	python := venv(t)
	s.env["VIRTUAL_ENV"], s.env["PREFECT_HOME"], s.env["TOKEN"] = python, t.TempDir(), "s3cret-of-python"
	wheels := t.TempDir()
	s.env["PIP_NO_INDEX"], s.env["PIP_FIND_LINKS"], s.env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1", wheels, "1"
	s.sh(wheels, python+`/bin/python -c '
import zipfile
z = zipfile.ZipFile("checkdemo-1.0-py3-none-any.whl", "w")
for name, text in (("checkdemo.py", "def f(): return {\"directory\": \"code-main\"}\n"), ("checkdemo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: checkdemo\nVersion: 1.0\n"), ("checkdemo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"), ("checkdemo-1.0.dist-info/RECORD", "")):
    z.writestr(name, text)
z.close()'`)
	s.write("tools.py", `import os, sys, time
def says(token): print("it is", token); sys.stderr.write("err " + token + "\n"); os.write(1, token.encode() + b"\n"); return {"given": token}
def odd(): return {"a": {1, 2}}
def hangs(): time.sleep(600)
def crashes(): os.abort()
def floods():
    line = "y" * 999
    for _ in range(100_000): print(line)
    return {"directory": "code-main"}
`)
	s.sh(s.origin, "cp "+s.dir+"/tools.py . && echo checkdemo > requirements.txt && git add . && git commit -qm tools")
	before := s.sh(s.dir, python+"/bin/python -m pip list 2>/dev/null")
	clone := `{prefect.deployments.steps.git_clone: {repository: "<origin>", branch: main}}, {prefect.deployments.steps.run_shell_script: {script: "cp code-main/tools.py ."}}, `
	d := func(name, step string) string {
		return "- {name: " + name + ", entrypoint: 'flows/flow.py:hello', work_pool: {name: p}, pull: [" + clone + step + "]}\n"
	}
	lines := 0
	list, err := s.check(context.Background(), "deployments:\n"+
		d("pip", "{prefect.deployments.steps.pip_install_requirements: {directory: code-main}}, {checkdemo.f: {}}")+
		d("requires", "{checkdemo.f: {requires: checkdemo}}")+
		d("says", "{tools.says: {token: '{{ $TOKEN }}'}}")+
		d("odd", "{tools.odd: {}}")+
		d("hangs", "{tools.hangs: {}}")+
		d("crashes", "{tools.crashes: {}}")+
		d("floods", "{tools.floods: {}}"), func(o *PullOptions) {
		o.Timeout, o.Jobs = 40*time.Second, 2
		log := o.Log
		o.Log = func(e exec.Event) {
			if e.Text != "" && strings.HasPrefix(e.Text, "yyyy") {
				lines++
				return
			}
			log(e)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "", "", "prefect.yaml:5: the pull step odd failed: the output 'a' is a builtins.set, which later steps cannot use", "it took longer than 40s", "Python was ended by signal 6 (aborted)", ""} {
		if got := list[i]; want == "" && got.Error != "" || !strings.Contains(got.Error, want) {
			t.Errorf("%s\nwant %q", got.Summary(), want)
		}
	}
	if all := strings.Join(s.log, "\n"); strings.Contains(all, "s3cret") || !strings.Contains(all, "it is ***") || !strings.Contains(all, "err ***") {
		t.Errorf("the log is %.5000s", all)
	}
	if lines != 100_000 {
		t.Errorf("%d lines of the flood arrived", lines)
	}
	if after := s.sh(s.dir, python+"/bin/python -m pip list 2>/dev/null"); after != before {
		t.Errorf("the check changed the active environment:\n%s", after)
	}
	s.empty()
}
