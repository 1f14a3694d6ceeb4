package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/runner/ci"
)

// commentCommand posts a plan that was made elsewhere: in another job, or on a laptop.
func commentCommand(ctx context.Context, w cli.World) *cobra.Command {
	var file, environment string
	var files []string
	var number int
	c := &cobra.Command{Use: "comment --plan FILE", Short: "Create or update the pull request's comment from a plan", Args: cli.NoArgs,
		Long: "comment shows a plan (what `run plan --json` wrote) in the one comment of the pull request.\nIt takes GITHUB_TOKEN, GITHUB_REPOSITORY and the event from the environment of a GitHub job; PREFECT_DEPLOY_PLAN_KEY signs the marker.",
		RunE: func(*cobra.Command, []string) error {
			if file == "" {
				return cli.Usage("name the plan with --plan: the file that run plan --json wrote")
			}
			data, err := os.ReadFile(file)
			if err != nil {
				return cli.Fail("%v", err)
			}
			a := &action{job: ci.New(w.Stderr, w.Env), w: w, in: ci.Inputs{Comment: true, Files: files, Environment: environment}}
			a.in.Token, _ = w.Env("GITHUB_TOKEN")
			a.in.PlanKey, _ = w.Env("PREFECT_DEPLOY_PLAN_KEY")
			if err := a.meet(); err != nil {
				return err
			}
			if a.review == nil {
				return cli.Fail("there is no GitHub to write to: GITHUB_TOKEN and GITHUB_REPOSITORY must be set")
			}
			refused := ""
			a.review.Notice = func(text string) { refused = text }
			if number > 0 {
				a.event.Number = number
			}
			if a.event.Number == 0 {
				return cli.Usage("which pull request? The event is not of one: name it with --pull-request")
			}
			address, err := a.review.PostFile(ctx, data, a.event)
			switch {
			case err != nil:
				return cli.Fail("%s: %v", file, err)
			case refused != "":
				return errors.Join(cli.Fail("no comment was written: %s", refused))
			case address != "":
				fmt.Fprintln(w.Stdout, address)
			}
			return nil
		}}
	f := c.Flags()
	f.StringVar(&file, "plan", "", "the plan's JSON")
	f.StringArrayVarP(&files, "prefect-file", "f", nil, "the files that the plan is of, part of the comment's identity (default prefect.yaml)")
	f.IntVar(&number, "pull-request", 0, "the pull request's number (default: the event's)")
	f.StringVar(&environment, "environment", "", "the target's name, part of the comment's identity")
	return c
}
