// Which live schedule a line of the file is: where several have one timing, the one that differs least.
package plan

import (
	"testing"

	"github.com/org/prefect-deploy-action/compiler/schedule"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// TestMatchOfEqualTimings has two schedules of one timing, of which the first leaves its state (or its anchor) to the server. It must not take the second one's partner,
// in whichever order the server gives them; found by made-up pairs against a real server (TestPairs).
func TestMatchOfEqualTimings(t *testing.T) {
	daily := func(active value.Value) Schedule {
		return Schedule{Timing: schedule.Spec{Kind: schedule.Cron, Cron: "0 1 * * *"}, Active: active, Parameters: value.Of([]value.Entry{})}
	}
	live := func(active bool) value.Value {
		return value.Of([]value.Entry{{Key: "schedule", Value: value.Of([]value.Entry{{Key: "cron", Value: value.Of("0 1 * * *")}})}, {Key: "active", Value: value.Of(active)}})
	}
	desired := []Schedule{daily(value.Value{}), daily(value.Of(false))}
	for _, list := range [][]value.Value{{live(false), live(true)}, {live(true), live(false)}} {
		pairs, _ := matchSchedules(desired, list)
		for i, want := range []bool{true, false} {
			if pairs[i] == nil {
				t.Fatalf("schedule %d has no partner", i)
			}
			if active, _ := pairs[i].Get("active"); active.Bool != want {
				t.Errorf("schedule %d became the one with active %v", i, active.Bool)
			}
		}
	}
}
