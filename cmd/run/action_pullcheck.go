// Mode pull-check: `run pull-check` as a job of its own beside the plan, for a team whose branch protection should also see that what a pull section yields has the entrypoint.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/report"
	"github.com/org/prefect-deploy-action/runner/state"
)

func (a *action) pullCheck(ctx context.Context) error {
	r, err := a.options().toldOfPulls(a.w)
	var exit *cli.Exit
	if errors.As(err, &exit) {
		exit.Text = inInputs(exit.Text)
	}
	if err != nil {
		return a.stopped(ctx, err)
	}
	open := r.Open
	r.Open = func() (*state.State, error) {
		if err := a.server(); err != nil {
			return nil, err
		}
		return open()
	}
	byDefault(&r.Options)
	if err := a.installForPulls(ctx, &r.Options); err != nil {
		return a.stopped(ctx, err)
	}
	r.Warn, r.Log = a.found, exec.GitHub(a.w.Stdout, exec.NewToken())
	list, err := deploy.PullCheck(ctx, r)
	if err != nil {
		return a.stopped(ctx, err)
	}
	a.findings.read = true
	var lines []string
	failed := 0
	for _, p := range list {
		lines = append(lines, inInputs(p.Summary()))
		if p.Error != "" {
			failed++
			a.job.Error(a.placeOf(p.File, p.Line), "the pull section of "+diag.Clean(p.Deployment), diag.CleanLines(inInputs(p.Error)))
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	fence := report.Fence(text)
	heading := fmt.Sprintf("### Prefect: the pull sections of %s yield the entrypoint", diag.Count(len(list), "deployment"))
	if failed > 0 {
		heading = fmt.Sprintf("### Prefect: the pull sections of %d of %s failed", failed, diag.Count(len(list), "deployment"))
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
