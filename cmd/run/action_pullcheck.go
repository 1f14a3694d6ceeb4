// Mode pull-check: `run pull-check` as a job of its own beside the plan, for a team whose branch protection should also see that what a pull section yields has the entrypoint.
package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/report"
)

func (a *action) pullCheck(ctx context.Context) error {
	r, err := a.options().toldOfPulls(a.w)
	if err != nil {
		return a.stopped(ctx, err)
	}
	byDefault(&r.Options)
	r.Warn, r.Log = a.found, exec.GitHub(a.w.Stdout, exec.NewToken())
	list, err := deploy.PullCheck(ctx, r)
	if err != nil {
		return a.stopped(ctx, err)
	}
	a.findings.read = true
	var lines []string
	failed := 0
	for _, p := range list {
		lines = append(lines, p.Summary())
		if p.Error != "" {
			failed++
			a.job.Error(a.placeOf(p.File, p.Line), "the pull section of "+diag.Clean(p.Deployment), diag.CleanLines(p.Error))
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	fence := report.Fence(text)
	heading := fmt.Sprintf("### Prefect: the pull sections of %s yield the entrypoint", diag.Count(len(list), "deployment"))
	if failed > 0 {
		heading = fmt.Sprintf("### Prefect: %d of %s have no entrypoint in what their pull section yields", failed, diag.Count(len(list), "deployment"))
	}
	if err := a.job.Print("", text); err != nil {
		return err
	}
	if err := a.job.Summary(heading + "\n\n" + fence + "text\n" + text + fence + "\n"); err != nil {
		return err
	}
	if failed > 0 {
		return cli.Fail("the pull sections of %s do not yield the entrypoint", diag.Count(failed, "deployment"))
	}
	return a.job.Output("result", resultChecked)
}
