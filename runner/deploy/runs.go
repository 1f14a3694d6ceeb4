// How many runs that have not begun a plan takes away. An update drops those that a schedule made for times to come, and the server makes them anew; a delete, which a rename is too, drops
// all that are scheduled, also those that someone scheduled by hand, and one that a worker has already taken finds its deployment gone.
//
// The server counts, so that thousands of runs are not read: one question a kind for all deployments, and where the answer isn't nothing and they are few, one for each of them.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// fewDeployments is how many deployments of a kind are asked for one by one.
const fewDeployments = 5

// runsOf is a deployment whose runs a plan takes away, under the id that they are of now.
type runsOf struct {
	*plan.Deployment
	id string
}

// countDropped tells how many runs each write or delete takes away, or where that is too much to ask for, how many all do.
func (j *job) countDropped(ctx context.Context, p *plan.Plan) error {
	if j.State.Runs == nil {
		return nil
	}
	var written, gone []runsOf
	for _, d := range p.Deployments {
		switch {
		case d.RenamedFrom != nil:
			gone = append(gone, runsOf{d, d.RenamedFrom.ID})
		case d.Live == nil || !d.WritesDeployment():
		case d.Action == plan.Delete:
			gone = append(gone, runsOf{d, d.Live.ID})
		default:
			written = append(written, runsOf{d, d.Live.ID})
		}
	}
	dropped, err := j.count(ctx, written, state.RunsToCome, func(d *plan.Deployment, n int) { d.Dropped = n })
	going, failed := j.count(ctx, gone, state.RunsToCome, func(d *plan.Deployment, n int) { d.Dropped = n })
	all, last := j.count(ctx, gone, state.RunsNotBegun, func(d *plan.Deployment, n int) { d.Lost = max(0, n-d.Dropped) })
	p.Dropped, p.Lost = dropped+going, max(0, all-going)
	if len(written) > fewDeployments && dropped > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%s of the %d deployments that are written go, and the server makes them anew", diag.Count(dropped, "scheduled run"), len(written)))
	}
	if len(gone) > fewDeployments && all > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("with the %d deployments that are deleted or renamed go %s; lost with them are %d made by hand, late or about to start", len(gone), diag.Count(going, "scheduled run"), p.Lost))
	}
	return errors.Join(err, failed, last)
}

// count asks for all of them, and then for each where that is worth it.
func (j *job) count(ctx context.Context, list []runsOf, which state.Runs, set func(*plan.Deployment, int)) (total int, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	ids := make([]string, len(list))
	for i, d := range list {
		ids[i] = d.id
	}
	total, err = j.State.Runs(ctx, ids, which)
	switch {
	case err != nil || total == 0 || len(list) > fewDeployments:
		return total, err
	case len(list) == 1:
		set(list[0].Deployment, total)
		return total, nil
	}
	errs := make([]error, len(list))
	var each sync.WaitGroup
	for i, d := range list {
		each.Go(func() {
			var n int
			if n, errs[i] = j.State.Runs(ctx, []string{d.id}, which); errs[i] == nil {
				set(d.Deployment, n)
			}
		})
	}
	each.Wait()
	return total, errors.Join(errs...)
}
