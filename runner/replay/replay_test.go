// Workflows of a few lines, run here: what act would hide is seen, and what GitHub would not set is not there.
package replay

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestMain is also the stand-in for bash: InstallShell starts this very program.
func TestMain(m *testing.M) {
	if IsShell(os.Args[0]) {
		os.Exit(Shell(os.Args[1:]))
	}
	remove, err := InstallShell()
	if err != nil {
		panic(err)
	}
	code := m.Run()
	remove()
	os.Exit(code)
}

// files writes a directory.
func files(t *testing.T, list map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range list {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const payload = `{"ref": "refs/heads/main", "repository": {"full_name": "example/shop", "default_branch": "main"}}`

func replayOf(t *testing.T, list map[string]string, change func(*Options)) (*Result, string, error) {
	t.Helper()
	list["event.json"] = payload
	root := files(t, list)
	var log bytes.Buffer
	o := Options{Workflow: filepath.Join(root, "w.yml"), Directory: root, Event: "push", EventPath: filepath.Join(root, "event.json"), RunsOn: []string{"ubuntu-latest"}, Output: &log}
	if change != nil {
		change(&o)
	}
	r, err := Run(context.Background(), o)
	return r, log.String(), err
}

func TestJobsOutputsSummariesAndAnnotationsAreSeen(t *testing.T) {
	r, log, err := replayOf(t, map[string]string{"w.yml": `on: push
jobs:
  one:
    runs-on: ubuntu-latest
    outputs: {x: "${{ steps.s.outputs.x }}"}
    steps:
      - id: s
        shell: bash
        run: |
          echo "x=from one" >> "$GITHUB_OUTPUT"
          echo "### for $GITHUB_REPOSITORY with ${{ secrets.S }}" >> "$GITHUB_STEP_SUMMARY"
          echo "::error file=a%2Cb,line=3::it is $GITHUB_REF_NAME"
  two:
    needs: one
    runs-on: ubuntu-latest
    steps:
      - shell: bash
        env: {X: "${{ needs.one.outputs.x }}"}
        run: test "$X" = "from one"; exit 3
  three:
    needs: two
    runs-on: ubuntu-latest
    steps: [{run: "true", shell: bash}]
`}, func(o *Options) { o.Secrets = map[string]string{"S": "a-secret"} })
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	want := &Result{Jobs: []Job{{ID: "one", Result: "success"}, {ID: "two", Result: "failure", Needs: []string{"one"}, Depth: 1}, {ID: "three", Result: "skipped", Needs: []string{"two"}, Depth: 2}}, Outputs: []Output{{"one", "s", "x", "from one"}},
		Summaries: []string{"### for example/shop with ***\n"}, Annotations: []Annotation{{"error", map[string]string{"file": "a,b", "line": "3"}, "it is main"}}}
	if !reflect.DeepEqual(r, want) || !r.Failed() {
		t.Errorf("got  %+v\nwant %+v\n%s", r, want, log)
	}
}

func TestAJobThatNoMachineServesIsAnError(t *testing.T) {
	for name, label := range map[string]string{"plain": "[self-hosted, gpu]", "computed": "${{ vars.LABEL }}"} {
		r, _, err := replayOf(t, map[string]string{"w.yml": "on: push\njobs:\n  big:\n    runs-on: " + label + "\n    steps: [{run: \"true\", shell: bash}]\n"},
			func(o *Options) { o.Vars = map[string]string{"LABEL": "gpu"} })
		if err == nil || !strings.Contains(err.Error(), "big") || !strings.Contains(err.Error(), "gpu") {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
	if _, _, err := replayOf(t, map[string]string{"w.yml": "on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: \"true\"}]\n"}, nil); err == nil {
		t.Error("a workflow without a job for the event passed")
	}
	if _, _, err := replayOf(t, map[string]string{"w.yml": "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{uses: 7}"}, nil); err == nil {
		t.Error("a workflow that is no YAML passed")
	}
}

// An action of one's own, given by directory: composite, as GitHub runs it.
func TestStepsOfAnActionGetWhatGitHubSets(t *testing.T) {
	action := files(t, map[string]string{"action.yml": `name: a
description: b
inputs: {some-input: {default: d}}
runs:
  using: composite
  steps:
    - id: seen
      shell: bash
      env: {MAPPED: "${{ inputs.some-input }}"}
      run: |
        env | grep -E '^(INPUT_|GITHUB_ACTION_REF=|GITHUB_ACTION_REPOSITORY=|REPLAY_)' && exit 9
        case "$PATH" in *replay-shell-*) exit 8 ;; esac
        test "$MAPPED" = given && test "$(cat "$GITHUB_ACTION_PATH/data.txt")" = data && test ! -e "$GITHUB_ACTION_PATH/testdata"
`, "data.txt": "data", "testdata/x": "x", ".git/HEAD": "x"})
	workflow := `on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683
      - uses: some/action@v1
        with: {some-input: given}
      - uses: actions/cache@v4
        with: {path: a, key: b}
`
	r, log, err := replayOf(t, map[string]string{"w.yml": workflow}, func(o *Options) { o.Actions = map[string]string{"some/action@v1": action} })
	if err != nil || r.Failed() {
		t.Fatalf("%v %+v\n%s", err, r, log)
	}
	r, log, err = replayOf(t, map[string]string{"w.yml": workflow}, nil)
	if err == nil && !r.Failed() {
		t.Error("an action that nobody gave was found")
	}
	if !strings.Contains(log+errorText(err), "--action some/action@v1=DIR") {
		t.Errorf("what to do is not said: %v\n%s", err, log)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAnotherRepositoryCannotBeCheckedOut(t *testing.T) {
	r, log, err := replayOf(t, map[string]string{"w.yml": `on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {repository: other/one}
`}, nil)
	if err != nil || !r.Failed() {
		t.Errorf("%v %+v\n%s", err, r, log)
	}
}

func TestEnvironmentAsGitHubSetsIt(t *testing.T) {
	sep := string(filepath.ListSeparator)
	got := asGitHub([]string{"INPUT_MODE=x", "INPUT_ALL-DEPLOYMENTS=y", "GITHUB_ACTION_REF=v1", "GITHUB_ACTION_REPOSITORY=a/b", "GITHUB_ACTION_PATH=/p", "REPLAY_BASH=/bin/bash",
		"PATH=/added/by/a/step" + sep + "/x/replay-shell-1" + sep + "/bin", "MY_INPUT_=z"})
	if want := []string{"GITHUB_ACTION_PATH=/p", "PATH=/added/by/a/step" + sep + "/bin", "MY_INPUT_=z"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

// TestShortSecretsLeaveTheLogReadable: others are hidden, also those that a step adds.
func TestShortSecretsLeaveTheLogReadable(t *testing.T) {
	r, log, err := replayOf(t, map[string]string{"w.yml": "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - shell: bash\n        run: |\n          echo 'Hello, ${{ secrets.S }} and ${{ secrets.LONG }}'\n" +
		"          m=add; echo \"::add-mask::$m-$m\"\n          echo \"it is $m-$m\"\n"},
		func(o *Options) { o.Secrets = map[string]string{"S": "l", "LONG": "long-canary"} })
	if err != nil || r.Failed() || !strings.Contains(log, "Hello, l and ***") || !strings.Contains(log, "it is ***") || strings.Contains(log, "canary") {
		t.Errorf("%v %+v\n%s", err, r, log)
	}
}
