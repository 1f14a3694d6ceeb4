// mode: review, which an emitted workflow calls before its first build: what plan-policy: require refuses is refused by the very same plan and comparison as in the deploy, but before anything is built or pushed. What steps will give is
// open in both, so nothing of it is known later that is not known here.
package main

import (
	"context"
	"errors"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/prefect"
)

// reviewFirst ends the job where a deploy of this commit would be refused. Without a server, as its secrets are an environment's, that is left to the deploy.
func (a *action) reviewFirst(ctx context.Context) error {
	if !a.requires() {
		return a.job.Output("result", resultSkipped)
	}
	if errors.Is(a.noServer(), prefect.ErrNoAPIURL) {
		return a.leaveToDeploy("this job is given no PREFECT_API_URL")
	}
	r, err := a.options().run(a.w, resolve.Overrides{}, "")
	if err != nil {
		return err
	}
	defer r.State.Close()
	r.Warn = a.found
	if a.review == nil {
		return a.unreadable()
	}
	b := &binding{a: a}
	if err := b.bring(ctx, &r); err != nil {
		return a.stopped(ctx, err)
	}
	p, err := deploy.Plan(ctx, r)
	switch {
	case err != nil && a.keyless(err):
		return a.leaveToDeploy("the Prefect server wants a key, and this job is given none")
	case err == nil:
		a.findings.read = true
		err = b.approve(ctx, p)
	}
	if err != nil {
		return a.stopped(ctx, err)
	}
	return a.job.Output("result", resultChecked)
}

func (a *action) leaveToDeploy(why string) error {
	a.job.Notice(ci.Place{}, "", diag.Clean(why+", so what was not reviewed is refused only where the deployments are registered, after the builds"+toRepository))
	return a.job.Output("result", resultSkipped)
}
