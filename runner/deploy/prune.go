package deploy

import (
	"context"

	"github.com/org/prefect-deploy-action/runner/plan"
)

// Prune lists what the files owned and no longer declare, and with yes deletes it. It runs no step and writes nothing else.
func Prune(ctx context.Context, o Options, yes bool) (*plan.Plan, error) {
	o.Selection.All, o.Selection.Names, o.Selection.None, o.Prune = true, nil, true, true
	j := newJob(o, false)
	j.deletes = yes
	defer j.close()
	if err := j.prepare(ctx); err != nil {
		return nil, err
	}
	p := &plan.Plan{State: j.State.Source, PrefectVersion: j.snapshot.PrefectVersion, Notes: j.notes}
	for _, l := range j.gone {
		p.Deployments = append(p.Deployments, plan.Removal(l))
	}
	if err := j.countDropped(ctx, p); err != nil || !yes {
		return p, err
	}
	j.write(ctx, p)
	if ctx.Err() != nil {
		return j.interrupted(p), ctx.Err()
	}
	return p, nil
}
