// Which step is next, and what becomes of those that never are. All decisions are made in the graph's own order, so that with one
// job the order of starts, and with any number of jobs the cause that a skipped step names, is the same each time. That is why steps
// are called skipped only at the end: which of two failures comes first may be chance, which of them stands first is not.
package exec

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// run is the state of one Run. The loop of Run alone touches the order; mu guards the results, logging the log.
type run struct {
	r       *Runner
	now     func() time.Time
	began   time.Time
	steps   []*graph.Step
	place   map[*graph.Step]int           // its index in steps
	waiting map[*graph.Step]int           // how many of its needs have not succeeded yet
	users   map[*graph.Step][]*graph.Step // who needs it
	ready   []int                         // places of what can start, ascending
	failed  *graph.Step                   // of those that failed, the one that stands first

	mu      sync.Mutex
	results map[*graph.Step]*Result
	logging sync.Mutex
	// isLost are steps that can't be done because one that they need failed.
	isLost map[*graph.Step]bool
}

func newRun(r *Runner, g *graph.Graph) *run {
	n := len(g.Steps)
	made := &run{
		r: r, now: r.Now, steps: g.Steps, results: make(map[*graph.Step]*Result, n), place: make(map[*graph.Step]int, n),
		waiting: make(map[*graph.Step]int, n), isLost: map[*graph.Step]bool{}, users: make(map[*graph.Step][]*graph.Step, n),
	}
	if made.now == nil {
		made.now = time.Now
	}
	made.began = made.now()
	for i, s := range g.Steps {
		if outputs, given := r.Given[s]; given {
			made.results[s] = Given(s, outputs)
			continue
		}
		made.place[s] = i
	}
	for i, s := range g.Steps {
		if made.results[s] != nil {
			continue
		}
		for _, before := range made.before(s) {
			made.waiting[s]++
			made.users[before] = append(made.users[before], s)
		}
		if made.waiting[s] == 0 {
			made.ready = append(made.ready, i)
		}
	}
	return made
}

// before lists the steps of this run that s comes after. A graph may be a part of another one, and some of its steps may have run elsewhere: where such a step stands between
// two of this run, the later one still comes after the earlier one, as what they write may be one thing.
func (run *run) before(s *graph.Step) []*graph.Step {
	var out []*graph.Step
	seen := map[*graph.Step]bool{}
	var walk func(*graph.Step)
	walk = func(s *graph.Step) {
		for _, list := range [][]*graph.Step{s.Needs, s.After} {
			for _, b := range list {
				_, inside := run.place[b]
				switch {
				case seen[b]:
				case inside:
					out = append(out, b)
				default:
					seen[b] = true
					walk(b)
				}
				seen[b] = true
			}
		}
	}
	walk(s)
	return out
}

// next gives the first step that can start; nil when there is none now.
func (run *run) next(ctx context.Context) *graph.Step {
	if len(run.ready) == 0 || ctx.Err() != nil || run.r.FailFast && run.failed != nil {
		return nil
	}
	s := run.steps[run.ready[0]]
	run.ready = run.ready[1:]
	return s
}

// finish records a result; it is called by the step's own goroutine.
func (run *run) finish(s *graph.Step, result *Result) {
	run.mu.Lock()
	run.results[s] = result
	run.mu.Unlock()
	run.log(Event{Kind: Done, Step: s, Result: result})
}

// after frees what waited for s: what needs it only if it succeeded, what merely comes after it in any case. A step that can't be any more frees what comes after it too.
func (run *run) after(s *graph.Step) {
	run.mu.Lock()
	outcome := run.results[s].Outcome
	run.mu.Unlock()
	if outcome == Failed && (run.failed == nil || run.place[s] < run.place[run.failed]) {
		run.failed = s
	}
	for _, user := range run.users[s] {
		if outcome != Succeeded && slices.Contains(user.Needs, s) {
			run.lost(user)
			continue
		}
		if run.waiting[user]--; run.waiting[user] == 0 && !run.isLost[user] {
			at, _ := slices.BinarySearch(run.ready, run.place[user])
			run.ready = slices.Insert(run.ready, at, run.place[user])
		}
	}
}

// lost lets what comes after a step that can't be done go on. The step itself is accounted for at the end, when all causes are known.
func (run *run) lost(s *graph.Step) {
	if run.isLost[s] {
		return
	}
	run.isLost[s] = true
	for _, user := range run.users[s] {
		if slices.Contains(user.Needs, s) {
			run.lost(user)
			continue
		}
		if run.waiting[user]--; run.waiting[user] == 0 && !run.isLost[user] {
			at, _ := slices.BinarySearch(run.ready, run.place[user])
			run.ready = slices.Insert(run.ready, at, run.place[user])
		}
	}
}

// skipRest accounts for the steps that were never reached, when nothing runs any more. The graph's order is one in which it could be
// done, so the needs of a step come before it and one pass is enough; the circle that a faulty graph could hold is left over.
func (run *run) skipRest(ctx context.Context) {
	for _, s := range run.steps {
		if run.results[s] != nil {
			continue
		}
		result := &Result{Outcome: Skipped, Cause: run.cause(s)}
		switch {
		case ctx.Err() != nil && result.Cause == nil:
			result.Err = fmt.Errorf("skipped because the run was %w", ended{ctx.Err()})
		case result.Cause != nil:
			result.Err = fmt.Errorf("skipped because %s failed", label(result.Cause.Key))
		case run.r.FailFast && run.failed != nil:
			result.Cause = run.failed
			result.Err = fmt.Errorf("skipped because %s failed and --fail-fast ends the run then", label(run.failed.Key))
		default:
			result.Outcome = Failed
			result.Err = errors.New("it cannot start because the steps that it needs need it in turn: remove one of the references between them")
		}
		run.finish(s, result)
	}
}

// cause is the failed step to blame for s: of several the one that stands first. A step that an interrupt ended is to blame for
// nothing.
func (run *run) cause(s *graph.Step) *graph.Step {
	var first *graph.Step
	for _, need := range s.Needs {
		result := run.results[need]
		if result == nil || result.Outcome == Succeeded || errors.Is(result.Err, errInterrupted) {
			continue
		}
		blamed := result.Cause
		if result.Outcome == Failed {
			blamed = need
		}
		if blamed != nil && (first == nil || run.place[blamed] < run.place[first]) {
			first = blamed
		}
	}
	return first
}

func (run *run) outputs(steps []*graph.Step) value.Value {
	run.mu.Lock()
	defer run.mu.Unlock()
	return Outputs(steps, run.results)
}

func (run *run) directory(s *graph.Step) string {
	run.mu.Lock()
	defer run.mu.Unlock()
	return Directory(run.r.root(s), s.Directory, run.results)
}

// log passes events on one at a time.
func (run *run) log(e Event) {
	if run.r.Log == nil {
		return
	}
	run.logging.Lock()
	defer run.logging.Unlock()
	run.r.Log(e)
}
