// What is left to the runtime, and why: of all builds, pushes, clones and installations in the projects that we have, those that a platform does not carry out by itself stand in a table with their reasons, so that a change
// which loses one more is seen.
package emit

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// toTheRuntime are the reasons by file and step.
var toTheRuntime = map[string]string{
	"graph/keys/prefect.yaml build-image":                "{{ $NAME }} must not be shown, and a builder's inputs are",
	"pipeline/base-image/prefect.yaml app":               "a build begins with the image of another one (FROM), which only the engine's own builder has",
	"pipeline/base-image/prefect.yaml base":              "a build begins with the image of another one (FROM), which only the engine's own builder has",
	"pipeline/hostile-names/prefect.yaml on":             "tag \"`touch pwned`\" is not a tag that Docker takes: at most 128 letters, digits, and . _ - not at the start",
	"pipeline/push/prefect.yaml push-image":              "credentials are known only at run time",
	"pipeline/push-with-image/prefect.yaml push-private": "credentials are known only at run time",
	"snippets/mended/12-as-build.yaml git_clone":         "an argument has to be filled, or is one that the platform's form has not",
}

// elsewhere is a folder with projects that nobody here wrote, beside this one or where SHARED says; without it there are none of them.
func elsewhere() string {
	if root := os.Getenv("SHARED"); root != "" {
		return filepath.ToSlash(root)
	}
	return "../../../shared"
}

func TestStepsThatTheRuntimeRuns(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../testdata/*/prefect.yaml", "../../testdata/*/*/prefect.yaml", "../../testdata/*/*/*/prefect.yaml", "../../testdata/snippets/mended/*.yaml", elsewhere() + "/corpus/*.yaml", elsewhere() + "/oracle/cases/*/prefect.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	expected, native, loaded := map[string]bool{}, 0, 0
	for name := range toTheRuntime {
		expected[name] = true
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in, _ := Load(os.DirFS(filepath.Dir(file)), []Source{{Name: filepath.Base(file), Data: data}})
		if in == nil {
			continue
		}
		loaded++
		for step, why := range left(in) {
			name := strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(file), "../../testdata/"), elsewhere()+"/") + " " + step
			if why == "" {
				native++
				continue
			}
			if want, ok := toTheRuntime[name]; !ok || want != why {
				t.Errorf("%q: %q,", name, why)
			}
			delete(expected, name)
		}
	}
	for name := range expected {
		if folder, _, _ := strings.Cut(name, "/"); folder != "corpus" && folder != "oracle" || slices.ContainsFunc(files, func(f string) bool { return strings.HasPrefix(filepath.ToSlash(f), elsewhere()+"/"+folder+"/") }) {
			t.Errorf("%s is in the table, and the platform carries it out, or it is gone", name)
		}
	}
	if native < 10 || loaded < 100 {
		t.Errorf("%d files were read, and %d steps are native", loaded, native)
	}
	t.Logf("%d files; %d steps are native, %d are left to the runtime", loaded, native, len(toTheRuntime)-len(expected))
}

// left are the builds, pushes, clones and installations of a pipeline, with the reason why the platform does not carry them out, "" where it does.
func left(in *Input) map[string]string {
	g := github{Input: in, settings: in.settingsOf("github"), pipeline: Cut(in.Graph, in.Deployments), used: used(in)}
	kinds := []string{resolve.BuildDockerImage, resolve.PushDockerImage, resolve.GitClone, resolve.PipInstall}
	out := map[string]string{}
	for _, s := range g.pipeline.Last {
		if slices.Contains(kinds, resolve.Canonical(s.Function)) {
			out[s.Key] = "a deployment uses something secret that it gives, so it runs where deployments are registered"
		}
	}
	for _, j := range g.pipeline.Jobs {
		l := lowering{github: &g, job: j, outputs: mapping()}
		for _, s := range j.Steps {
			if !slices.Contains(kinds, resolve.Canonical(s.Function)) {
				continue
			}
			_, why := l.native(s)
			if why == "" && g.pipeline.passesHidden(j) {
				why = "its job hands something secret from step to step"
			}
			out[s.Key] = why
		}
	}
	return out
}

// TestScriptsThatStayScripts: a script is the platform's where a shell reads it as Prefect does, word by word; nothing may differ. Those are emitted as they are, all others are calls of the runtime.
func TestScriptsThatStayScripts(t *testing.T) {
	for script, want := range map[string]string{
		"make dist":                                     "make dist\n",
		"  make   dist  \n\n\tmake docs\r\n":            "make   dist\nmake docs\n",
		"python -m build --outdir=dist/a_b,c:d+e@1%f .": "python -m build --outdir=dist/a_b,c:d+e@1%f .\n",
		"./gen.sh 'a b'":                                "", `make "x"`: "", "make $X": "", "make `x`": "", "make *.py": "", "make a?b": "", "ls ~": "", "make a; make b": "", "make a && make b": "", "make a | tee b": "", "make > log": "", "make < in": "",
		"make # all": "", `make a\ b`: "", "make {a,b}": "", "make [ab]": "", "make !!": "", "make (a)": "", "X=1 make": "", "make é": "", "make a\u00a0b": "", "make ::add-mask": "", "echo hello": "", "cd jobs": "", "test -e x": "",
		"[ -e x ]": "", "time make": "", "exit 3": "", "make\ncd x": "", "": "", "\n": "", "{{ $X }}": "", "make ${{ github.token }}": "",
	} {
		in := input(t, "build:\n- prefect.deployments.steps.run_shell_script: {id: s, script: "+jsonText(script)+"}\n"+deployed)
		out, found := emitted(t, in), ""
		for _, run := range runs(t, []byte(out)) {
			if run.name == "s" {
				found = run.script
			}
		}
		if found != want {
			t.Errorf("%q is emitted as %q, want %q", script, found, want)
		}
		if calls := strings.Contains(out, "step: s\n") && !strings.Contains(out, "phase: done"); calls == (want != "") {
			t.Errorf("%q: the runtime runs it: %v", script, calls)
		}
	}
}

// TestWhatAPlatformWouldShow: what a step is told not to print stays with the runtime, as does one whose directory is not plain.
func TestWhatAPlatformWouldShow(t *testing.T) {
	for arguments, native := range map[string]bool{"": true, ", stream_output: true": true, ", stream_output: false": false, ", stream_output: null": true, ", directory: a/b": true, ", directory: '../a'": false, ", directory: '/a'": false,
		", directory: '$A'": false, ", env: {A: b}": false, ", shell: true": false} {
		if out := emitted(t, input(t, "build:\n- prefect.deployments.steps.run_shell_script: {id: s, script: make all"+arguments+"}\n"+deployed)); strings.Contains(out, "          make all\n") != native && strings.Contains(out, "run: make all") != native {
			t.Errorf("script%s: native is not %v\n%s", arguments, native, out)
		}
	}
}

// TestPackagesAreKept: pip's downloads are kept by the file that names them, and nowhere where they would get into what is published.
func TestPackagesAreKept(t *testing.T) {
	const install = "- prefect.deployments.steps.pip_install_requirements: {directory: jobs, requirements_file: req/dev.txt}\n"
	for source, kept := range map[string]bool{
		"build:\n" + install + deployed:                                   true,
		"build:\n" + install + image("a", "1", ", push: true") + deployed: true,
		"build:\n- prefect.deployments.steps.run_shell_script: {script: make all}\n" + install + image("a", "1", ", push: true") + deployed: false,
		"x-ci: {github: {branches: [main, 'release/*']}}\nbuild:\n" + install + deployed:                                                    false,
	} {
		in := input(t, source)
		in.Within = "services/a"
		out := emitted(t, in)
		if !strings.Contains(out, "python -m pip install -r req/dev.txt\n") {
			t.Errorf("it is not installed:\n%s", out)
		}
		if got := strings.Contains(out, "          cache: pip\n          cache-dependency-path: services/a/jobs/req/dev.txt\n") && strings.Contains(out, cacheThere+"\n"); got != kept || strings.Contains(out, "cache: pip") != kept {
			t.Errorf("kept is %v, want %v\n%s", got, kept, out)
		}
	}
}

// TestPackagesAreKeptOnGitLab: the same there, where a cache is of directories in the checkout: it is moved beside it while steps run.
func TestPackagesAreKeptOnGitLab(t *testing.T) {
	const install = "- prefect.deployments.steps.pip_install_requirements: {directory: jobs, requirements_file: %s}\n"
	list := func(items ...any) []any { return items }
	for source, want := range map[string][]any{
		fmt.Sprintf(install, "b.txt"): list("jobs/b.txt"),
		"- prefect.deployments.steps.run_shell_script: {script: make all}\n" + fmt.Sprintf(install+install+install+install, "b.txt", "a.txt", "c.txt", "a.txt"): list("jobs/a.txt", "jobs/b.txt"),
		fmt.Sprintf(install, "'{{ $FILE }}'"): nil,
		"- prefect.deployments.steps.run_shell_script: {script: make all}\n" + fmt.Sprintf(install, "b.txt") + image("a", "1", ""): nil,
	} {
		doc := onGitLab(t, "build:\n"+source+deployed)
		found := false
		for name := range doc {
			cache, _ := of(doc, name, "cache").(map[string]any)
			if cache == nil || name == "check" {
				continue
			}
			found = true
			before, after := fmt.Sprint(of(doc, name, "script")), fmt.Sprint(of(doc, name, "after_script"))
			if got := cache["key"].(map[string]any)["files"]; !reflect.DeepEqual(got, any(want)) || !strings.Contains(before, `mv .prefect-deploy-pip "$work/pip"`) || !strings.Contains(after, "prefect-deploy/given") || !strings.Contains(after, `pip" .prefect-deploy-pip`) {
				t.Errorf("%s: the cache is of %v, want %v; %s; %s", source, got, want, before, after)
			}
		}
		if found != (want != nil) {
			t.Errorf("%s: kept is %v", source, found)
		}
	}
}
