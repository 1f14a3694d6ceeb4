// `run pull-check`: does the pull section of each deployment yield its entrypoint? It is for before a merge: a wrong branch, path or credential shows here, and not in the first run at night.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/state"
)

func pullCheckCommand(ctx context.Context, w cli.World) *cobra.Command {
	var o options
	c := &cobra.Command{Use: "pull-check", Short: "Execute the pull steps of deployments in a scratch directory, and look for their entrypoints", Args: cli.NoArgs,
		Long: "pull-check carries out the pull section of each deployment as a worker would, in a scratch directory of its own that is\nremoved afterwards, and checks that the entrypoint's file is there and has the flow. Equal sections are carried out once.\n" +
			"Blocks and variables come from the Prefect server, or the state; nothing is written there. A script among the steps\nruns as it is written, with all that it does elsewhere.",
		Example: "  run pull-check --all\n  run pull-check -n my-flow/nightly --timeout 5m --json pull.json",
		RunE: func(*cobra.Command, []string) error {
			return o.pullCheck(ctx, w)
		}}
	f := c.Flags()
	f.StringArrayVarP(&o.files, "prefect-file", "f", []string{"prefect.yaml"}, "the file to read; repeatable, patterns allowed")
	f.StringVarP(&o.dir, "chdir", "C", ".", "as if started in `DIR`")
	f.StringArrayVarP(&o.names, "name", "n", nil, "a deployment: `NAME`, FLOW/NAME, or a pattern with *; repeatable")
	f.BoolVar(&o.all, "all", false, "all deployments of the files")
	f.StringVar(&o.state, "state", "", "file:PATH instead of the Prefect API of PREFECT_API_URL, for variables and blocks that the steps name")
	f.IntVar(&o.jobs, "jobs", defaultJobs, "pull sections at once")
	f.DurationVar(&o.timeout, "timeout", 0, "time limit of a step, such as 10m")
	f.IntVar(&o.retries, "retries", defaultRetries, "repeats of a step on network failures")
	f.BoolVar(&o.fast, "fail-fast", false, "begin no further pull section after the first failure")
	o.addFrom(f)
	f.StringArrayVar(&o.set, "set", nil, "`STEP.OUTPUT=VALUE`, what a build step would give that the pull section names; repeatable")
	f.StringVar(&o.json, "json", "", "write the result as JSON to `FILE`; - is stdout")
	f.BoolVar(&o.quiet, "quiet", false, "say nothing but what is wrong")
	f.BoolVar(&o.debug, "debug", false, "show each request to the Prefect API on stderr")
	o.completesNames(c)
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"file:"}, nothingElse|cobra.ShellCompDirectiveNoSpace))
	return c
}

// toldOfPulls is what a check is told.
func (o *options) toldOfPulls(w cli.World) (r deploy.PullOptions, err error) {
	if err := o.bounds("pull section"); err != nil {
		return r, err
	}
	dir, err := o.directory()
	if err != nil {
		return r, err
	}
	env, environ := without(w.Env, w.Environ, planKeyVariable)
	r.Options = deploy.Options{Directory: dir, Selection: resolve.Selection{Names: o.names, All: o.all}, Env: env, Environ: environ, Jobs: o.jobs, Timeout: o.timeout, Retries: o.retries, FailFast: o.fast, Patterns: o.files, Storage: storage(w.Stderr)}
	r.Open = func() (*state.State, error) { return o.open(w, dir) }
	if err := o.read(&r.Options, dir); err != nil {
		return r, err
	}
	if r.Missing != "" {
		return r, cli.Usage("there is no %s: write one, or name another with --prefect-file", r.Missing)
	}
	r.Given, err = o.given.read(dir)
	return r, err
}

// pullCheck is `run pull-check` from the flags to the exit code.
func (o *options) pullCheck(ctx context.Context, w cli.World) error {
	began := time.Now()
	r, err := o.toldOfPulls(w)
	if err != nil {
		return err
	}
	if err := o.ask(ctx, w, &r.Options, false); err != nil {
		return err
	}
	to, err := create(w, o.json, os.O_WRONLY)
	if err != nil {
		return cli.Usage("--json: %v; nothing ran", err)
	}
	defer func() { _ = to.done() }()
	if err := to.apart("--json", o.kept(r.Options)); err != nil {
		return err
	}
	show := plainly(nil)
	if !o.quiet {
		r.Warn = func(l diag.List, sources diag.Sources) { fmt.Fprint(w.Stderr, l.Text(sources)) }
		show = progress(w, false, o.debug)
		r.Log = show.steps
	}
	list, err := deploy.PullCheck(ctx, r)
	show.end()
	if err != nil {
		return failure(ctx, w, err)
	}
	written := errors.Join(to.write(pulledJSON(list)), to.done())
	if written != nil {
		written = fmt.Errorf("--json: %w", written)
	}
	return worse(o.showPulled(w, list, time.Since(began)), written)
}

// showPulled prints a line a deployment, and says how it ends.
func (o *options) showPulled(w cli.World, list []*deploy.Pulled, elapsed time.Duration) error {
	var failed []string
	out := w.Stdout
	if o.json == "-" {
		out = w.Stderr
	}
	for _, r := range list {
		if r.Error != "" && !r.Skipped {
			failed = append(failed, diag.Clean(r.Deployment))
		}
		if o.json != "-" && !o.quiet || r.Error != "" {
			fmt.Fprintln(out, r.Summary())
		}
	}
	if len(failed) > 0 {
		return cli.Fail("the pull sections of %s do not yield the entrypoint: %s", diag.Count(len(failed), "deployment"), strings.Join(failed, ", "))
	}
	if o.json != "-" && !o.quiet {
		fmt.Fprintf(out, "%s checked in %s\n", diag.Count(len(list), "deployment"), seconds(elapsed))
	}
	return nil
}

// pulledJSON is the result for programs.
func pulledJSON(list []*deploy.Pulled) []byte {
	type clone struct {
		Repository string `json:"repository"`
		Commit     string `json:"commit"`
	}
	type entry struct {
		Deployment string  `json:"deployment"`
		Outcome    string  `json:"outcome"`
		File       string  `json:"file"`
		Line       int     `json:"line"`
		Entrypoint string  `json:"entrypoint"`
		Directory  string  `json:"directory,omitempty"`
		Clones     []clone `json:"clones"`
		Seconds    float64 `json:"seconds"`
		Note       string  `json:"note,omitempty"`
		Error      string  `json:"error,omitempty"`
	}
	document := struct {
		Schema      int     `json:"schema"`
		Deployments []entry `json:"deployments"`
	}{1, []entry{}}
	for _, r := range list {
		e := entry{Deployment: r.Deployment, Outcome: "succeeded", File: r.File, Line: r.Line, Entrypoint: r.Entrypoint, Directory: r.Directory, Clones: []clone{}, Seconds: r.Seconds, Note: r.Note, Error: r.Error}
		switch {
		case r.Skipped:
			e.Outcome = "skipped"
		case r.Error != "":
			e.Outcome = "failed"
		}
		for _, c := range r.Clones {
			e.Clones = append(e.Clones, clone{c.Repository, c.Commit})
		}
		document.Deployments = append(document.Deployments, e)
	}
	data, _ := json.MarshalIndent(document, "", "  ") // texts and numbers: it can't fail
	return append(data, '\n')
}
