package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/forge"
)

// commenting are the flags of `run comment`.
type commenting struct {
	plan, environment, artifact string
	result                      string
	dir                         string
	files                       []string
	number                      int
	run                         int64
}

// commentCommand posts a plan that was made elsewhere: in another job, in the run of a pull request from a fork, or on a laptop.
func commentCommand(ctx context.Context, w cli.World) *cobra.Command {
	var o commenting
	c := &cobra.Command{Use: "comment", Short: "Create or update the comment of the pull or merge request from a plan", Args: cli.NoArgs,
		Long: "comment shows a plan (what `run plan --json` wrote) in the one comment of the pull request.\nIt takes GITHUB_TOKEN, GITHUB_REPOSITORY and the event from the environment of a GitHub job; PREFECT_DEPLOY_PLAN_KEY signs the marker.\n" +
			"In a GitLab job it is the note of the merge request, written with GITLAB_TOKEN (or PREFECT_DEPLOY_GITLAB_TOKEN); what keeps it from being written fails nothing there.\n" +
			"With --from-run it takes the plan from an artifact of another run, that of a pull request from a fork: which pull request\nis then GitHub's own word, and nothing in the artifact is believed (docs/forks.md).",
		Example: "  run comment --plan plan.json --environment production\n  run comment --from-run \"$RUN_ID\" --artifact prefect-plan",
		RunE: func(c *cobra.Command, _ []string) error {
			other := c.Flags().Changed("from-run")
			switch {
			case other && (o.plan != "" || o.number != 0):
				return cli.Usage("--from-run finds plan and pull request itself: leave out --plan and --pull-request")
			case other && o.run <= 0:
				return cli.Usage("--from-run takes the id of a run, as in github.event.workflow_run.id")
			case o.result != "" && (o.plan != "" || other || !onGitLab(w)):
				return cli.Usage("--result stands by itself, and is of pipelines of GitLab's: on GitHub the action tells how a deploy went")
			case !other && o.plan == "" && o.result == "":
				return cli.Usage("name the plan with --plan: the file that run plan --json wrote; or the run that left one with --from-run")
			}
			if onGitLab(w) {
				if other {
					return cli.Usage("--from-run is of GitHub; in a pipeline of GitLab's name the plan with --plan")
				}
				return o.onMergeRequest(ctx, w)
			}
			a, err := o.action(w)
			if err != nil {
				return err
			}
			if other {
				return o.fromRun(ctx, a)
			}
			return o.fromFile(ctx, a)
		}}
	f := c.Flags()
	f.StringVar(&o.plan, "plan", "", "the plan's JSON")
	f.StringArrayVarP(&o.files, "prefect-file", "f", nil, "the files that the plan is of, part of the comment's identity (default prefect.yaml)")
	f.StringVar(&o.result, "result", "", "on GitLab: what run deploy --json wrote; the notes of the merge requests that it brought say how it went")
	f.StringVarP(&o.dir, "chdir", "C", ".", "the `DIR` that the plan was made in, as seen from the repository's root: part of the comment's identity, and links lead there")
	f.IntVar(&o.number, "pull-request", 0, "the number of the pull or merge request (default: the event's)")
	f.StringVar(&o.environment, "environment", "", "the target's name, part of the comment's identity")
	f.Int64Var(&o.run, "from-run", 0, "take the plan from an artifact of the run with this `ID`")
	f.StringVar(&o.artifact, "artifact", "prefect-plan", "the artifact's name, with --from-run")
	return c
}

// prefix is the directory that the plan was made in, as the identity of comments has it.
func (o *commenting) prefix() string {
	if dir := path.Clean(filepath.ToSlash(o.dir)); dir != "." {
		return dir + "/"
	}
	return ""
}

// action is the way to GitHub.
func (o *commenting) action(w cli.World) (*action, error) {
	a := &action{job: ci.New(w.Stderr, w.Env), w: w, in: ci.Inputs{Comment: true, Files: o.files, Environment: o.environment}, prefix: o.prefix()}
	a.in.Token, _ = w.Env("GITHUB_TOKEN")
	a.in.PlanKey, _ = w.Env("PREFECT_DEPLOY_PLAN_KEY")
	if err := a.meet(); err != nil {
		return nil, err
	}
	if a.review == nil {
		return nil, cli.Fail("there is no GitHub to write to: GITHUB_TOKEN and GITHUB_REPOSITORY must be set")
	}
	return a, nil
}

func (o *commenting) fromFile(ctx context.Context, a *action) error {
	data, err := os.ReadFile(o.plan)
	if err != nil {
		return cli.Fail("%v", err)
	}
	refused := ""
	a.review.Notice = func(text string) { refused = text }
	if o.number > 0 {
		a.event.Number = o.number
	}
	if a.event.Number == 0 {
		return cli.Usage("which pull request? The event is not of one: name it with --pull-request")
	}
	address, err := a.review.PostFile(ctx, data, a.event)
	switch {
	case err != nil:
		return cli.Fail("%s: %v", o.plan, err)
	case refused != "":
		return cli.Fail("no comment was written: %s", refused)
	case address != "":
		fmt.Fprintln(a.w.Stdout, address)
	}
	return nil
}

// fromRun posts what the run of a stranger's pull request left. A run of this repository's own branches comments itself, with what is verified: its comment is not to be
// replaced by an artifact. (Dependabot's branches are here, and its runs may not comment.)
func (o *commenting) fromRun(ctx context.Context, a *action) error {
	p, err := forge.FromArtifact(ctx, a.review.Client, a.review.Repo, o.run, o.artifact)
	if err == nil && !p.Fork && !a.event.Dependabot {
		a.job.Notice(ci.Place{}, "no comment", "the pull request is not from a fork, so its own run comments on it")
		return nil
	}
	address := ""
	if err == nil {
		address, err = a.review.PostProposal(ctx, p)
	}
	var refused *forge.Unavailable
	switch {
	case errors.As(err, &refused) && refused.Status == 0: // the pull request has moved on, or is closed: as it should be
		a.job.Notice(ci.Place{}, "no comment", refused.Error())
		return nil
	case err != nil:
		return cli.Fail("no comment was written: %v", err)
	case address != "":
		fmt.Fprintln(a.w.Stdout, address)
	}
	return nil
}
