// The writes of a deploy: many at once while the server keeps up, each told as it is done, and none of them lost when the run is interrupted. They stand apart from the steps (run.go), which come before the first of them.
package deploy

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// write carries the plan out, at most Jobs at once; the order within one flow and name is the file's, so that of two entries of one name the later wins.
func (j *job) write(ctx context.Context, p *plan.Plan) {
	type turn struct{ list []*plan.Deployment }
	byName := map[state.Name]*turn{}
	var turns []*turn
	var deletes []*plan.Deployment
	for _, d := range p.Deployments {
		if d.Outcome != plan.Planned {
			j.anyFailed.Store(true)
		}
		if d.Action == plan.Delete {
			deletes = append(deletes, d)
			continue
		}
		t := byName[d.Name]
		if t == nil {
			t = &turn{}
			byName[d.Name] = t
			turns = append(turns, t)
		}
		t.list = append(t.list, d)
	}
	wrote := j.counting(p)
	j.side(len(turns), func(i int) {
		j.writeTurn(ctx, turns[i].list)
		wrote(turns[i].list)
	})
	j.deleteAll(ctx, p, deletes)
}

// side does n things, as many at once as there are writers.
func (j *job) side(n int, do func(i int)) {
	work := make(chan int)
	var wait sync.WaitGroup
	for range min(j.writers(), n) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range work {
				do(i)
			}
		}()
	}
	for i := range n {
		work <- i
	}
	close(work)
	wait.Wait()
}

// writers is how many deployments are written at once: Jobs, and any number where that spares work. With --fail-fast a failure has to find others not begun.
func (j *job) writers() int {
	if j.State.Together && !j.FailFast {
		return math.MaxInt
	}
	return max(1, j.Jobs)
}

// counting tells Writing how far the writes are; what it returns takes those that were done.
func (j *job) counting(p *plan.Plan) func([]*plan.Deployment) {
	var mu sync.Mutex
	done, all := 0, 0
	for _, d := range p.Deployments {
		if d.Outcome == plan.Planned && d.Action != plan.Unchanged && d.Action != plan.Delete {
			all++
		}
	}
	if j.Writing == nil || all == 0 {
		return func([]*plan.Deployment) {}
	}
	j.Writing(0, all)
	return func(list []*plan.Deployment) {
		mu.Lock()
		defer mu.Unlock()
		before := done
		for _, d := range list {
			if d.Action != plan.Unchanged && (d.Outcome == plan.Applied || d.Outcome == plan.Failed) && done < all {
				done++
			}
		}
		if done > before {
			j.Writing(done, all)
		}
	}
}

// deleteAll comes last, and only when all else went well: what replaces the old has to be there before the old goes.
func (j *job) deleteAll(ctx context.Context, p *plan.Plan, list []*plan.Deployment) {
	failed := 0
	for _, d := range p.Deployments {
		if d.Outcome == plan.Failed || d.Outcome == plan.Skipped {
			failed++
		}
	}
	j.side(len(list), func(i int) {
		if failed > 0 {
			list[i].Outcome, list[i].Error = plan.Skipped, fmt.Sprintf("not deleted, because %d others failed", failed)
			return
		}
		j.writeTurn(ctx, list[i:i+1])
	})
}

func (j *job) writeTurn(ctx context.Context, list []*plan.Deployment) {
	for i, d := range list {
		if d.Outcome != plan.Planned {
			j.anyFailed.Store(true)
			continue
		}
		if i > 0 { // an earlier entry of the same name was written: compare with what is there now
			j.again(list[i-1], d)
		}
		if (ctx.Err() != nil || j.FailFast && j.anyFailed.Load()) && writes(d) {
			d.Outcome, d.Error = plan.Skipped, "not begun after a failure (--fail-fast)"
			if ctx.Err() != nil {
				d.Error = "interrupted"
			}
			continue
		}
		live, err := j.writeOne(finishing(ctx), d)
		if err != nil {
			j.anyFailed.Store(true)
		}
		switch {
		case err != nil:
			d.Outcome, d.Error = plan.Failed, err.Error()
		default:
			d.Outcome = plan.Applied
			if live != nil {
				d.Settled(live)
				d.Live, d.URL = live, live.URL
			}
		}
	}
}

// writes reports whether anything is sent for a deployment: nothing for an unchanged one, of which then nothing was left undone.
func writes(d *plan.Deployment) bool {
	_, ok := d.Write()
	return ok || d.Action == plan.Delete
}

// finishing lets a write that has begun end in spite of an interrupt, so that what is reported is what was written; the client's own time limit bounds it.
func finishing(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// writeOne carries one deployment's plan out: a write, a delete, or for a rename both, the delete last.
func (j *job) writeOne(ctx context.Context, d *plan.Deployment) (*state.Live, error) {
	if d.Action == plan.Delete {
		return nil, j.State.Delete(ctx, d.Live)
	}
	w, ok := d.Write()
	if !ok {
		return nil, nil
	}
	live, err := j.State.Write(ctx, w)
	if err != nil || d.RenamedFrom == nil {
		return live, err
	}
	if err := j.State.Delete(ctx, d.RenamedFrom); err != nil {
		return live, fmt.Errorf("it was created, but the old %s could not be deleted: %w", d.RenamedFrom.Name, err)
	}
	return live, nil
}

func (j *job) again(before, d *plan.Deployment) {
	if before.Live == nil || before.Outcome != plan.Applied {
		return
	}
	next, err := j.withTriggers(plan.Compare(d.Desired, before.Live, j.before(d.Name)))
	if err != nil {
		d.Outcome, d.Error = plan.Failed, err.Error()
		return
	}
	next.Build = d.Build
	*d = *next
}

// interrupted marks what was not written.
func (j *job) interrupted(p *plan.Plan) *plan.Plan {
	p.Interrupted = true
	for _, d := range p.Deployments {
		if d.Outcome == plan.Planned && d.Action != plan.Unchanged {
			d.Outcome = plan.Skipped
			if d.Error == "" {
				d.Error = "interrupted"
			}
		}
	}
	return p
}
