// How many runs a plan takes away: counted by the server, one question a kind, and for few deployments one for each.
package deploy

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// counting answers with 3 runs of its schedule, and 5 not begun, for each deployment; asked are the numbers of deployments that were asked for.
func counting(asked *[]int) func(context.Context, []string, state.Runs) (int, error) {
	var mu sync.Mutex
	return func(_ context.Context, ids []string, which state.Runs) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		*asked = append(*asked, len(ids))
		return len(ids) * map[state.Runs]int{state.RunsToCome: 3, state.RunsNotBegun: 5}[which], nil
	}
}

func TestRunsThatAPlanTakesAway(t *testing.T) {
	list := func(n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf("d%02d", i))
		}
		return names
	}
	tagged := func(yaml string) string { return strings.ReplaceAll(yaml, "work_pool", "tags: [x], work_pool") }
	with := func(yaml, want string) *plan.Plan {
		s := newScene(t)
		s.deploy(two(list(7)...))
		o := s.options(yaml)
		var asked []int
		o.State.Runs, o.Prune, o.MaxDeletes = counting(&asked), true, 9
		p, err := Plan(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(asked) != want {
			t.Errorf("asked for %v deployments at once, want %s", asked, want)
		}
		return p
	}
	p := with(tagged(two(list(7)...)), "[7]")
	if p.Dropped != 21 || p.Lost != 0 || p.Deployments[0].Dropped != 0 || !strings.Contains(strings.Join(p.Notes, "\n"), "21 scheduled runs of the 7 deployments that are written go, and the server makes them anew") {
		t.Errorf("many updates: %d dropped, %d lost, %q", p.Dropped, p.Lost, p.Notes)
	}
	p = with(tagged(two("d00")), "[1 6 6]")
	if p.Dropped != 21 || p.Lost != 12 || p.Deployments[0].Dropped != 3 || p.Deployments[0].Lost != 0 || !strings.Contains(strings.Join(p.Notes, "\n"), "with the 6 deployments that are deleted or renamed go 18 scheduled runs; lost with them are 12 ") {
		t.Errorf("an update and many deletes: %d dropped, %d lost, %q", p.Dropped, p.Lost, p.Notes)
	}
	p = with("x-ci: {renamed-from: {hello/new: hello/d06}}\n"+two(append(list(5), "new")...), "[2 1 1 2 1 1]")
	var told []string
	for _, d := range p.Deployments[5:] {
		told = append(told, fmt.Sprintf("%s %s %d %d", d.Action, d.Name, d.Dropped, d.Lost))
	}
	if got := strings.Join(told, ", "); got != "update hello/new 3 2, delete hello/d05 3 2" || !strings.Contains(string(p.JSON()), `"runs_lost": 2`) || !strings.Contains(string(p.JSON()), `"scheduled_runs_dropped": 3`) {
		t.Errorf("a rename and a delete: %s\n%s", got, p.JSON())
	}
}
