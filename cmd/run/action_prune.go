package main

import (
	"context"
	"fmt"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/deploy"
)

// prune is mode prune: `run prune`, where the input prune: true stands for --yes. Without it nothing is deleted, only listed.
func (a *action) prune(ctx context.Context) error {
	began := time.Now()
	if err := a.server(); err != nil {
		return err
	}
	o := a.options()
	o.all, o.names = true, nil
	r, err := o.run(a.w, resolve.Overrides{}, "")
	if err != nil {
		return a.stopped(ctx, err)
	}
	defer r.State.Close()
	r.Warn = a.found
	p, err := deploy.Prune(ctx, r, a.in.Prune)
	a.findings.read = a.findings.read || p != nil
	if p == nil {
		return a.stopped(ctx, err)
	}
	if !a.in.Prune && len(p.Deployments) > 0 {
		a.job.Notice(ci.Place{}, "prune", fmt.Sprintf("nothing was deleted; the input prune: true deletes %s", diag.Count(len(p.Deployments), "deployment")))
	}
	return a.answer(ctx, p, a.in.Prune, took(time.Since(began), p))
}
