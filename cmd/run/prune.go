package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/deploy"
)

// pruneCommand lists what is owned and no longer declared; only --yes deletes.
func pruneCommand(ctx context.Context, w cli.World) *cobra.Command {
	o := options{all: true}
	var yes bool
	c := &cobra.Command{Use: "prune", Short: "List deployments that the file owned and no longer declares; --yes deletes them", Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			began := time.Now()
			r, err := o.run(w, resolve.Overrides{}, "")
			if err != nil {
				return err
			}
			defer r.State.Close()
			to, err := o.results(w, r, false)
			if err != nil {
				return err
			}
			defer to.close()
			p, err := deploy.Prune(ctx, r, yes)
			if p == nil {
				return failure(ctx, w, err)
			}
			err = o.show(w, to, p, yes, took(time.Since(began), p), o.exit(ctx, p))
			if !yes && len(p.Deployments) > 0 && !o.quiet {
				fmt.Fprintf(w.Stderr, "nothing was deleted; --yes deletes %s\n", diag.Count(len(p.Deployments), "deployment"))
			}
			return err
		}}
	f := c.Flags()
	f.StringArrayVarP(&o.files, "prefect-file", "f", []string{"prefect.yaml"}, "the file to read; repeatable, patterns allowed")
	f.StringVarP(&o.dir, "chdir", "C", ".", "as if started in `DIR`")
	f.StringVar(&o.state, "state", "", "file:PATH instead of the Prefect API of PREFECT_API_URL")
	f.StringVar(&o.environment, "environment", "", "the target's name (staging, production): part of what owns a deployment")
	f.StringVar(&o.base, "base", "", "the commit whose file tells what was declared before")
	f.IntVar(&o.jobs, "jobs", defaultJobs, "deletions at once")
	f.BoolVar(&o.fast, "fail-fast", false, "delete nothing more after the first failure")
	f.IntVar(&o.deletes, "max-deletes", defaultMaxDeletes, "the most deployments that may be deleted")
	f.BoolVar(&yes, "yes", false, "delete them")
	f.StringVar(&o.json, "json", "", "write the list as JSON to `FILE`; - is stdout")
	f.StringVar(&o.markdown, "markdown", "", "write the list as Markdown to `FILE`; - is stdout")
	f.BoolVar(&o.quiet, "quiet", false, "say nothing but errors")
	f.BoolVar(&o.debug, "debug", false, "show each request to the Prefect API on stderr")
	f.BoolVar(&o.detailed, "detailed-exitcode", false, "exit 2 when there is something to delete")
	return c
}
