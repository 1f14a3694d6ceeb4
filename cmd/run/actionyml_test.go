// action.yml against the program: what one declares the other reads, and nothing of a workflow gets into a script.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/runner/ci"
)

type actionFile struct {
	Inputs, Outputs yaml.Node
	Runs            struct {
		Using string
		Steps []struct {
			Name, ID, If, Shell, Run, Uses string
			Env, With                      map[string]string
		}
	}
}

func readAction(t *testing.T) (actionFile, string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a actionFile
	if err := yaml.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	return a, string(data)
}

// keys are a mapping's keys in order.
func keys(n yaml.Node) []string {
	var out []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		out = append(out, n.Content[i].Value)
	}
	return out
}

func TestActionInputsAreTheProgramsInputs(t *testing.T) {
	a, text := readAction(t)
	// The version is that of the program, so it is read before there is one.
	if got := keys(a.Inputs); !reflect.DeepEqual(got, append(ci.InputNames(), "version")) {
		t.Errorf("action.yml declares %v\nthe program reads %v", got, ci.InputNames())
	}
	if first := a.Runs.Steps[0]; !reflect.DeepEqual(first.Env, map[string]string{"PREFECT_DEPLOY_VERSION": "${{ inputs.version }}"}) {
		t.Errorf("the version is handed on as %v", first.Env)
	}
	env := map[string]string{"PREFECT_DEPLOY_PROGRAM": "${{ steps.version.outputs.program }}"}
	for _, name := range ci.InputNames() {
		env[ci.Variable(name)] = "${{ inputs." + name + " }}"
	}
	last := a.Runs.Steps[len(a.Runs.Steps)-1]
	if !reflect.DeepEqual(last.Env, env) {
		t.Errorf("the inputs are handed on as %v\nexpected %v", last.Env, env)
	}
	if n := strings.Count(text, "${{ inputs."); n != len(ci.InputNames())+1 {
		t.Errorf("inputs are used in %d places, expected one each", n)
	}
	for i := 0; i+1 < len(a.Inputs.Content); i += 2 {
		var in struct {
			Description string
			Default     *string
			Required    bool
		}
		if err := a.Inputs.Content[i+1].Decode(&in); err != nil || in.Description == "" || in.Default == nil || in.Required {
			t.Errorf("the input %s lacks a description or a default: %v", a.Inputs.Content[i].Value, err)
		}
	}
}

// The defaults that action.yml shows are those that the flags have.
func TestActionDefaultsAreTheFlags(t *testing.T) {
	a, _ := readAction(t)
	shown := map[string]string{}
	for i := 0; i+1 < len(a.Inputs.Content); i += 2 {
		var in struct{ Default string }
		if err := a.Inputs.Content[i+1].Decode(&in); err != nil {
			t.Fatal(err)
		}
		shown[a.Inputs.Content[i].Value] = in.Default
	}
	for name, want := range map[string]string{"mode": "auto", "jobs": fmt.Sprint(defaultJobs), "retries": fmt.Sprint(defaultRetries), "deployment-file-path": "prefect.yaml", "all-deployments": "false"} {
		if shown[name] != want {
			t.Errorf("%s is shown as %q and is %q", name, shown[name], want)
		}
	}
}

func TestActionOutputsAreTheProgramsOutputs(t *testing.T) {
	a, text := readAction(t)
	if got := keys(a.Outputs); !reflect.DeepEqual(got, ci.OutputNames()) {
		t.Errorf("action.yml declares %v\nthe program sets %v", got, ci.OutputNames())
	}
	var declared map[string]struct{ Description, Value string }
	if err := a.Outputs.Decode(&declared); err != nil {
		t.Fatal(err)
	}
	for name, o := range declared {
		if o.Value != "${{ steps.run.outputs."+name+" }}" || o.Description == "" {
			t.Errorf("the output %s is %+v", name, o)
		}
	}
	r := callAction(t, call{dir: quickstart(), name: "push", event: "push_main", ref: "refs/heads/main", inputs: map[string]string{"all-deployments": "true"}})
	for _, name := range ci.OutputNames() {
		if _, set := r.outputs[name]; !set {
			t.Errorf("the program did not set %s", name)
		}
	}
	if len(r.outputs) != len(ci.OutputNames()) {
		t.Errorf("the program set %v", r.outputs)
	}
	set := map[string]bool{}
	for _, name := range regexp.MustCompile(`echo "([a-z-]+)=`).FindAllStringSubmatch(text, -1) {
		set["version."+name[1]] = true
	}
	set["cache.cache-hit"] = true
	for _, name := range ci.OutputNames() {
		set["run."+name] = true
	}
	for _, used := range regexp.MustCompile(`steps\.([a-z]+)\.outputs\.([a-z-]+)`).FindAllStringSubmatch(text, -1) {
		if !set[used[1]+"."+used[2]] {
			t.Errorf("%s is used and never set", used[0])
		}
	}
}

func TestActionScriptsInterpolateNothing(t *testing.T) {
	a, _ := readAction(t)
	if a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
		t.Fatalf("runs: %+v", a.Runs)
	}
	for _, s := range a.Runs.Steps {
		switch {
		case s.Uses != "":
			if !regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`).MatchString(s.Uses) {
				t.Errorf("%s is not pinned by its commit", s.Uses)
			}
		case strings.Contains(s.Run, "${{") || s.Run == "" || s.Shell != "bash":
			t.Errorf("the script %q of shell %q", s.Run, s.Shell)
		case regexp.MustCompile(`(?i)key|auth|secret`).MatchString(strings.ReplaceAll(s.Run, `echo "key=`, "")):
			t.Errorf("a script handles a secret: %q", s.Run)
		}
	}
}

// A release is installed or the program built, never both, and what a cache holds is only ever what was built: it is not verified.
func TestActionInstallsOrBuilds(t *testing.T) {
	a, _ := readAction(t)
	for _, s := range a.Runs.Steps[1 : len(a.Runs.Steps)-1] {
		want := "steps.version.outputs.version == 'source'"
		if strings.Contains(s.Run, ".github/install") {
			want = "steps.version.outputs.version != 'source'"
		}
		if s.If != want && !strings.HasPrefix(s.If, want+" && ") {
			t.Errorf("%s runs if %s", s.Name, s.If)
		}
	}
}

// TestActionBringsTheCompanion: built from source, the action has the companion for buckets beside the program and in its cache, and only where a file names a step for buckets.
func TestActionBringsTheCompanion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("no bash")
	}
	a, _ := readAction(t)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	which := func(yaml string) map[string]string {
		dir := t.TempDir()
		output := filepath.Join(dir, "output")
		workspace := project(t, map[string]string{"team/a/prefect.yaml": yaml, "node_modules/x/y.yaml": "prefect_aws.deployments.steps.push_to_s3: {}",
			".venv/lib/python3.12/site-packages/prefect/deployments/recipes/s3/prefect.yaml": "- prefect_aws.deployments.steps.push_to_s3: {}"})
		c := exec.Command(bash, "-eo", "pipefail", "-c", a.Runs.Steps[0].Run)
		c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull /* where go leaves no counters behind */, "GITHUB_ACTION_PATH=" + root, "GITHUB_WORKSPACE=" + workspace, "GITHUB_OUTPUT=" + output, "RUNNER_TEMP=/temp", "RUNNER_OS=Linux", "RUNNER_ARCH=X64", "PREFECT_DEPLOY_VERSION=source"}
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		out := map[string]string{}
		for _, line := range strings.Split(read(output), "\n") {
			if name, text, ok := strings.Cut(line, "="); ok {
				out[name] = text
			}
		}
		return out
	}
	without, with := which("build: []\n"), which("push:\n- prefect_gcp.projects.steps.push_to_gcs: {bucket: b, folder: f}\n")
	if without["companion"] != "" || without["version"] != "source" || !strings.HasPrefix(without["program"], without["directory"]+"/") {
		t.Errorf("without such a step: %v", without)
	}
	if with["companion"] != with["directory"]+"/prefect-deploy-storage" || with["program"] != with["directory"]+"/run" || with["key"] != without["key"]+"-storage" {
		t.Errorf("with one: %v", with)
	}
	build := a.Runs.Steps[3]
	if build.Env["PREFECT_DEPLOY_COMPANION"] != "${{ steps.version.outputs.companion }}" || !strings.Contains(build.Run, `-o "$PREFECT_DEPLOY_COMPANION" ./cmd/storage`) || a.Runs.Steps[1].With["path"] != "${{ steps.version.outputs.directory }}" {
		t.Errorf("it is not built, or not cached: %+v", build)
	}
}

// The program that every use of the action builds stays light (DESIGN.md, Companions).
func TestTheProgramLinksNoCompanion(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, heavy := range []string{"nektos/act", "rhysd/actionlint", "gocloud.dev", "aws-sdk-go", "azure-sdk-for-go", "cloud.google.com/go", "github.com/docker", "go-git/go-git"} {
		if strings.Contains(string(out), heavy) {
			t.Errorf("cmd/run links %s", heavy)
		}
	}
	if !strings.Contains(string(out), "sethvargo/go-githubactions") {
		t.Error("the list is not that of cmd/run")
	}
}
