// What is said of a function that leaves something behind, and what a pull section's next step gets of it.
package deploy

import (
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

func TestLeavingsAreSaidWithoutTheirValues(t *testing.T) {
	var l leavings
	here, secret := t.TempDir(), "canary"
	c := step.Call{Dir: here}
	l.watch(&graph.Step{Key: "later", File: "prefect.yaml", Pos: value.Pos{Line: 9, Column: 5}}, &c)
	c.Moved(t.TempDir())
	l.watch(&graph.Step{Key: "sets", File: "prefect.yaml", Pos: value.Pos{Line: 4, Column: 5}}, &c)
	c.Moved(here + "/.")
	c.Changed(map[string]*string{"TOKEN": &secret, "GONE": nil})
	text := l.found().Text(nil)
	want := []string{"prefect.yaml:4:5: warning: the step sets changed the environment variables GONE, TOKEN, which", "prefect.yaml:9:5: warning: the step later changed its working directory"}
	if a, b := strings.Index(text, want[0]), strings.Index(text, want[1]); a < 0 || b < a || strings.Contains(text, secret) || strings.Count(text, "warning:") != 2 {
		t.Errorf("got\n%s\nwant in it, in this order: %q", text, want)
	}
}

func TestWithChanges(t *testing.T) {
	one, two := "1", "2=2"
	before := []string{"A=x", "B=y", "AB=z"}
	got := withChanges(before, []map[string]*string{{"A": &one, "B": nil}, {"A": &two, "NEW": &one}})
	if want := []string{"AB=z", "A=2=2", "NEW=1"}; !slices.Equal(got, want) || before[0] != "A=x" {
		t.Errorf("got %q, want %q", got, want)
	}
}
