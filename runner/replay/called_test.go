// Workflows that call others: what act makes otherwise than GitHub is made as there.
package replay

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// calling is a workflow of which one job calls another file; what follows runs nevertheless, and says what it was told.
const calling = `on: push
jobs:
  first: {runs-on: ubuntu-latest, steps: [{run: "true", shell: bash}]}
  part-1:
    needs: first
    uses: ./.github/workflows/w-1.yml
    secrets: {GIVEN: "${{ secrets.GIVEN }}"}
  last:
    needs: [first, part-1]
    if: ${{ !cancelled() }}
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@v4
        with: {pattern: "out-*", merge-multiple: true, path: there}
      - {shell: bash, run: 'echo "::notice::${{ needs.part-1.result }} $(cat there/one)"'}
`

const part = `on: {workflow_call: {secrets: {GIVEN: {required: false}}}}
jobs:
  one:
    runs-on: ubuntu-latest
    if: IF
    steps:
      - {shell: bash, run: 'mkdir out; echo "[${{ secrets.GIVEN }}] [${{ secrets.OTHER }}] ${{ github.event_name }}" >out/one'}
      - uses: actions/upload-artifact@v4
        with: {name: out-1, path: out/one}
      - {shell: bash, run: "ONE"}
  two: {runs-on: ubuntu-latest, if: IF, steps: [{shell: bash, run: "TWO"}]}
  three: {needs: [one, two], runs-on: ubuntu-latest, if: IF, steps: [{shell: bash, run: "true"}]}
`

func TestCalledWorkflows(t *testing.T) {
	for _, c := range []struct {
		name, runs, one, two string
		want                 string
	}{
		{"all is well", "true", "true", "true", "first success, part-1 success, one success, two success, three success, last success: success [given] [] push"},
		{"the first to end fails", "true", "exit 1", "sleep 1", "first success, part-1 failure, one failure, two success, three skipped, last success: failure [given] [] push"},
		{"the last to end fails", "true", "true", "sleep 1; exit 1", "first success, part-1 failure, one success, two failure, three skipped, last success: failure [given] [] push"},
		{"none runs", "false", "true", "true", "first success, part-1 skipped, last success: skipped "},
	} {
		text := strings.NewReplacer("IF", c.runs, "ONE", c.one, "TWO", c.two).Replace(part)
		r, log, err := replayOf(t, map[string]string{"w.yml": calling, "w-1.yml": text}, func(o *Options) { o.Secrets = map[string]string{"GIVEN": "given", "OTHER": "other"} })
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.name, err, log)
		}
		var jobs, told []string
		for _, j := range r.Jobs {
			jobs = append(jobs, j.ID+" "+j.Result)
		}
		for _, a := range r.Annotations {
			told = append(told, a.Text)
		}
		if got := strings.Join(jobs, ", ") + ": " + strings.Join(told, "; "); strings.ReplaceAll(got, "***", "given") != c.want || r.Failed() != strings.Contains(c.want, "failure") {
			t.Errorf("%s:\n%s\n%s\n%s", c.name, got, c.want, log)
		}
	}
}

func TestJobsOfACalledWorkflowStandUnderTheirCaller(t *testing.T) {
	r, log, err := replayOf(t, map[string]string{"w.yml": calling, "w-1.yml": strings.NewReplacer("IF", "true", "ONE", "true", "TWO", "true").Replace(part)}, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	var got []string
	for _, j := range r.Jobs {
		got = append(got, fmt.Sprint(j.ID, " ", j.Depth, " ", j.In, j.Calls))
	}
	if want := []string{"first 0 ", "part-1 1 w-1.yml", "one 2 part-1", "two 2 part-1", "three 3 part-1", "last 2 "}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestWorkflowsThatCannotBeCalled(t *testing.T) {
	whole := strings.NewReplacer("IF", "true", "ONE", "true", "TWO", "true").Replace(part)
	for name, c := range map[string]struct{ text, want string }{
		"none is there":        {"", "not beside w.yml"},
		"it is for others":     {strings.Replace(whole, "{workflow_call: {secrets: {GIVEN: {required: false}}}}", "push", 1), "no workflow_call"},
		"no machine serves it": {strings.ReplaceAll(whole, "ubuntu-latest", "gpu"), "--runs-on"},
		"it calls in turn":     {whole + "  four: {uses: ./.github/workflows/w-2.yml}\n", "goes no deeper"},
		"it is no workflow":    {"on: workflow_call\njobs: {a: {steps: 7}}\n", "w-1.yml"},
	} {
		list := map[string]string{"w.yml": calling}
		if c.text != "" {
			list["w-1.yml"] = c.text
		}
		if _, log, err := replayOf(t, list, nil); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "part-1") {
			t.Errorf("%s: %v\n%s", name, err, log)
		}
	}
}
