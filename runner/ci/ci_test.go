package ci

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInputsAreRead(t *testing.T) {
	env := map[string]string{}
	for name, v := range map[string]string{"mode": "Deploy", "deployment-names": "a, b/c\r\n\n d*,", "all-deployments": "TRUE", "deployment-file-path": "x.yaml,y/*.yaml",
		"requirements-file-paths": "r.txt", "pyproject-toml-path": "p/pyproject.toml", "working-directory": "sub dir", "deploy-branches": "main\nrelease/*", "api-url": "http://h/api",
		"api-key": "k", "api-auth-string": "u:p", "state": "file:s.json", "jobs": "8", "timeout": "90s", "retries": "0", "comment": "False", "github-token": "t", "environment": "prod", "plan-policy": "Require",
		"plan-key": "s", "prune": "true", "max-deletes": "0"} {
		env[Variable(name)] = v
	}
	in, err := jobWith(io.Discard, env).Inputs()
	want := Inputs{Mode: Deploy, Names: []string{"a", "b/c", "d*"}, All: true, Files: []string{"x.yaml", "y/*.yaml"}, Requirements: []string{"r.txt"}, Pyproject: "p/pyproject.toml",
		WorkingDirectory: "sub dir", DeployBranches: []string{"main", "release/*"}, APIURL: "http://h/api", APIKey: "k", APIAuthString: "u:p", State: "file:s.json", Token: "t", Environment: "prod", Policy: "require",
		PlanKey: "s", Prune: true, Jobs: 8, Timeout: 90 * time.Second}
	if err != nil || !reflect.DeepEqual(in, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, in, want)
	}
	if in, err = jobWith(io.Discard, nil).Inputs(); err != nil || in.Mode != Auto || in.Jobs != -1 || in.Retries != -1 || in.Names != nil || !in.Comment || in.Policy != "warn" || in.MaxDeletes != -1 {
		t.Errorf("without any input: %+v %v", in, err)
	}
}

func TestInputsOfModeStep(t *testing.T) {
	read := func(inputs map[string]string) (Inputs, error) {
		env := map[string]string{}
		for name, v := range inputs {
			env[Variable(name)] = v
		}
		return jobWith(io.Discard, env).Inputs()
	}
	in, err := read(map[string]string{"mode": "Step", "step": "hash, build-image\n", "from": "a.json\nout/*.json", "outputs": "o.json", "phase": "Outputs", "image-id": "sha256:1"})
	if err != nil || in.Mode != Step || !reflect.DeepEqual(in.Steps, []string{"hash", "build-image"}) || !reflect.DeepEqual(in.From, []string{"a.json", "out/*.json"}) || in.Outputs != "o.json" || in.Phase != "outputs" || in.ImageID != "sha256:1" {
		t.Errorf("%+v %v", in, err)
	}
	if in, err = read(map[string]string{"mode": "deploy", "from": "a.json", "skip-build": "true"}); err != nil || !in.SkipBuild || len(in.From) != 1 {
		t.Errorf("%+v %v", in, err)
	}
	_, err = read(map[string]string{"mode": "step", "skip-build": "true", "phase": "between"})
	if text := fmt.Sprint(err); !strings.Contains(text, "the input step is") || !strings.Contains(text, "the input skip-build is") || !strings.Contains(text, "the input phase is") {
		t.Error(text)
	}
	_, err = read(map[string]string{"mode": "deploy", "outputs": "b", "phase": "inputs", "image-id": "c"})
	if text := fmt.Sprint(err); strings.Count(text, "mode: step only") != 3 {
		t.Error(text)
	}
}

func TestEveryInputThatCannotBeMeantIsNamed(t *testing.T) {
	bad := map[string]string{"mode": "apply", "all-deployments": "yes", "state": "s.json", "jobs": "0", "timeout": "10", "retries": "-1", "comment": "no", "plan-policy": "strict", "prune": "yes", "max-deletes": "many"}
	env := map[string]string{}
	for name, v := range bad {
		env[Variable(name)] = v
	}
	_, err := jobWith(io.Discard, env).Inputs()
	if err == nil {
		t.Fatal("no error")
	}
	for name, v := range bad {
		if !strings.Contains(err.Error(), fmt.Sprintf("the input %s is %q", name, v)) {
			t.Errorf("%s is not named in:\n%v", name, err)
		}
	}
}

// act sets INPUT_* for a composite action's steps, GitHub does not: neither these nor what another step left there may count.
func TestOnlyTheActionsOwnVariablesAreInputs(t *testing.T) {
	env := map[string]string{"INPUT_MODE": "deploy", "INPUT_ALL-DEPLOYMENTS": "true", "INPUT_ALL_DEPLOYMENTS": "true", "INPUT_API_KEY": "poison", "INPUT_API-KEY": "poison"}
	in, err := jobWith(io.Discard, env).Inputs()
	if err != nil || in.Mode != Auto || in.All || in.APIKey != "" {
		t.Errorf("INPUT_* was read: %+v %v", in, err)
	}
	env[Variable("mode")] = "plan"
	if in, _ := jobWith(io.Discard, env).Inputs(); in.Mode != Plan {
		t.Errorf("mode is %s", in.Mode)
	}
	for _, name := range InputNames() {
		if !Own(Variable(name)) || strings.ContainsAny(Variable(name), "-abcdefghijklmnopqrstuvwxyz") {
			t.Errorf("%s is kept in %s", name, Variable(name))
		}
	}
	if Own("PREFECT_API_KEY") || Own("INPUT_MODE") {
		t.Error("a variable of somebody else is taken away from steps")
	}
}

// hostile are texts that a file may hold and that try to be a command, an output or a property.
func hostile() []string {
	return []string{"a\n::error::x", "a\r\n::set-output name=x::y", "a%0A::warning::x", "##[error]x", "a,line=9::x", "end\nEOF\nresult=applied",
		"_GitHubActionsFileCommandDelimeter_\nresult<<_GitHubActionsFileCommandDelimeter_\napplied\n_GitHubActionsFileCommandDelimeter_", "\x1b[31mred", "ends with %", "::stop-commands::x"}
}

func TestAnnotationsAreOneLineEach(t *testing.T) {
	for _, text := range hostile() {
		var b bytes.Buffer
		j := jobWith(&b, nil)
		j.Error(Place{File: "dir,x/" + text, Line: 3}, text, text)
		line := b.String()
		if strings.Count(line, "\n") != 1 || strings.Contains(line, "\r") || !strings.HasPrefix(line, "::error file=") {
			t.Fatalf("%q became %q", text, line)
		}
		head, data, ok := strings.Cut(line[2:], "::")
		if !ok || unescape(strings.TrimSuffix(data, "\n")) != text {
			t.Errorf("%q is read back as %q", text, data)
		}
		fields := map[string]string{}
		for _, pair := range strings.Split(strings.TrimPrefix(head, "error "), ",") {
			k, v, _ := strings.Cut(pair, "=")
			fields[k] = unescape(v)
		}
		if want := map[string]string{"file": "dir,x/" + text, "line": "3", "title": text}; !reflect.DeepEqual(fields, want) {
			t.Errorf("%q is read back as %q", want, fields)
		}
	}
}

// unescape is what the runner does to a command's data and properties, in its order (actions/runner, ActionCommand).
func unescape(s string) string {
	return strings.ReplaceAll(strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",").Replace(s), "%25", "%")
}

func TestPrintedTextCannotCommand(t *testing.T) {
	var b bytes.Buffer
	if err := jobWith(&b, nil).Print("A title\n::error::x", strings.Join(hostile(), "\n")); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	token, ok := strings.CutPrefix(lines[1], "::stop-commands::")
	if !ok || len(token) < 32 || lines[0] != "::group::A title%0A::error::x" {
		t.Fatalf("begins %q", lines[:2])
	}
	if n := len(lines); lines[n-2] != "::"+token+"::" || lines[n-1] != "::endgroup::" || strings.Count(b.String(), token) != 2 {
		t.Errorf("ends %q", lines[n-2:])
	}
}

func TestOutputsAreReadBackAsTheyWere(t *testing.T) {
	path := write(t, "")
	j := jobWith(io.Discard, map[string]string{"GITHUB_OUTPUT": path})
	for i, text := range hostile() {
		if err := j.Output(fmt.Sprint("name-", i), text); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := readOutputs(t, string(data))
	if len(got) != len(hostile()) {
		t.Errorf("%d outputs of %d: %q", len(got), len(hostile()), got)
	}
	for i, text := range hostile() {
		if got[fmt.Sprint("name-", i)] != text {
			t.Errorf("%q is read back as %q", text, got[fmt.Sprint("name-", i)])
		}
	}
}

// readOutputs reads the runner's file as the runner does: NAME=VALUE lines, and NAME<<DELIMITER blocks that the first equal line ends.
func readOutputs(t *testing.T, text string) map[string]string {
	t.Helper()
	out := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, block := strings.Cut(lines[i], "<<")
		if !block {
			name, v, _ := strings.Cut(lines[i], "=")
			out[name] = v
			continue
		}
		var value []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		if i == len(lines) {
			t.Fatalf("%s is not ended", name)
		}
		out[name] = strings.Join(value, "\n")
	}
	return out
}

func TestFilesThatCannotBeWrittenAreErrors(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "missing", "file")
	j := jobWith(io.Discard, map[string]string{"GITHUB_OUTPUT": nowhere, "GITHUB_STEP_SUMMARY": nowhere})
	if err := j.Output("a", "b"); err == nil || !strings.Contains(err.Error(), "GITHUB_OUTPUT") {
		t.Errorf("output: %v", err)
	}
	if err := j.Summary("a"); err == nil || !strings.Contains(err.Error(), "GITHUB_STEP_SUMMARY") {
		t.Errorf("summary: %v", err)
	}
	if err := jobWith(io.Discard, nil).Output("a", "b"); err != nil {
		t.Errorf("nobody reads: %v", err)
	}
}

func TestSummaryStaysWithinTheLimit(t *testing.T) {
	section := "<details><summary>x</summary>\n\n```diff\n+ " + strings.Repeat("é", 500) + "\n```\n</details>\n\n"
	path := write(t, "")
	if err := jobWith(io.Discard, map[string]string{"GITHUB_STEP_SUMMARY": path}).Summary("### Plan\n\n" + strings.Repeat(section, 3000)); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(path)
	text := string(data)
	if len(text) > 1<<20 || len(text) < 1<<19 {
		t.Errorf("%d bytes", len(text))
	}
	if strings.Count(text, "<details>") != strings.Count(text, "</details>") || strings.Count(text, "```")%2 != 0 || !strings.Contains(text, "left out") {
		t.Error("cut in the middle of a section, or without a word")
	}
}

func TestSecretsAreMasked(t *testing.T) {
	var b bytes.Buffer
	j := jobWith(&b, nil)
	j.Mask("")
	j.Mask("two\nlines")
	if b.String() != "::add-mask::two%0Alines\n" {
		t.Errorf("%q", b.String())
	}
}

func FuzzInputs(f *testing.F) {
	f.Add("mode", "deploy")
	f.Add("timeout", "1h30m")
	f.Add("deployment-names", "a,\nb")
	f.Fuzz(func(t *testing.T, name, text string) {
		in, err := jobWith(io.Discard, map[string]string{Variable(name): text}).Inputs()
		if err != nil {
			if !strings.Contains(err.Error(), "the input ") || strings.ContainsAny(err.Error(), "\x1b\r\n") {
				t.Errorf("%s: %q gives %q", name, text, err)
			}
			return
		}
		if in.Jobs == 0 || in.Timeout < 0 || in.Mode == Nothing {
			t.Errorf("%s: %q was accepted as %+v", name, text, in)
		}
		for _, n := range in.Names {
			if n == "" || strings.ContainsAny(n, ",\n") {
				t.Errorf("%q is a name of %q", n, text)
			}
		}
	})
}
