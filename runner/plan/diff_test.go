// What a server fills in is no change, and what somebody said is one.
package plan

import (
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// TestGracePeriod: a server answers a grace period of null where nobody said one; that is nothing, neither alone nor beside another change of the options, and a number that
// the file does not say goes. Found by made-up pairs against a real 3.8.8 (TestPairs in runner/conformance).
func TestGracePeriod(t *testing.T) {
	options := func(strategy string, grace ...any) value.Value {
		v := value.Value{Kind: value.Map}.Set("collision_strategy", value.Of(strategy))
		for _, g := range grace {
			v = v.Set("grace_period_seconds", value.Of(g))
		}
		return v
	}
	for _, c := range []struct {
		name      string
		live      value.Value
		want      value.Value
		path      string
		reason    string
		noChanges bool
	}{
		{name: "filled in", live: options("ENQUEUE", nil), want: options("ENQUEUE"), noChanges: true},
		{name: "filled in, another strategy", live: options("ENQUEUE", nil), want: options("CANCEL_NEW"), path: "concurrency_options.collision_strategy", reason: "edited"},
		{name: "no longer said", live: options("ENQUEUE", 120), want: options("ENQUEUE"), path: "concurrency_options.grace_period_seconds", reason: "removed"},
		{name: "newly said", live: options("ENQUEUE", nil), want: options("ENQUEUE", 120), path: "concurrency_options.grace_period_seconds", reason: "added"},
		{name: "the same", live: options("ENQUEUE", 120), want: options("ENQUEUE", 120), noChanges: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes := fieldChanges(&Desired{}, "concurrency_options", c.live, c.want, nil)
			switch {
			case c.noChanges && len(changes) == 0:
			case len(changes) != 1 || c.noChanges:
				t.Errorf("got %v", changes)
			case changes[0].Path != c.path || changes[0].Reason != c.reason:
				t.Errorf("got %s %s, want %s %s", changes[0].Path, changes[0].Reason, c.path, c.reason)
			}
		})
	}
}

// TestALimitAttachedByHand: the plan says that it stays, since a write only detaches it (runner/state, limits.go).
func TestALimitAttachedByHand(t *testing.T) {
	d := &Desired{Fields: value.Value{Kind: value.Map}.Set("concurrency_limit", value.Of(3))}
	live := &state.Live{ForeignLimit: "shared", Fields: value.Value{Kind: value.Map}.Set("concurrency_limit", value.Of(5))}
	p, err := Compare(d, live, nil)
	if err != nil || len(p.Changes) != 1 || p.Changes[0].Reason != `edited; the limit "shared" that was attached by hand is detached and stays as it is` {
		t.Errorf("%v %+v", err, p.Changes)
	}
	live.Fields = live.Fields.Set("concurrency_limit", value.Of(3))
	if p, err := Compare(d, live, nil); err != nil || p.Action != Unchanged {
		t.Errorf("a limit of the same number: %v %+v", err, p.Changes)
	}
}
