package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/plan"
)

func planCommand(ctx context.Context, w cli.World) *cobra.Command {
	var o options
	c := &cobra.Command{Use: "plan [ENTRYPOINT]", Short: "Show what deploy would change; runs no step, writes nothing", Args: argument,
		Example: "  run plan --all\n  run plan --all --state file:state.json --json plan.json",
		RunE: func(c *cobra.Command, args []string) error {
			return o.execute(ctx, w, c, args, false)
		}}
	o.add(c)
	c.Long = c.Short + ".\n" + aboutKey
	return c
}

const aboutKey = "With a secret text in PREFECT_DEPLOY_PLAN_KEY, the same for plan and deploy --plan, the plan's hash covers sensitive values too."

func deployCommand(ctx context.Context, w cli.World) *cobra.Command {
	var o options
	c := &cobra.Command{Use: "deploy [ENTRYPOINT]", Short: "Run the build and push steps and register the deployments", Args: argument,
		Example: "  run deploy --all\n  run deploy -n my-flow/nightly --pool my-pool",
		RunE: func(c *cobra.Command, args []string) error {
			return o.execute(ctx, w, c, args, true)
		}}
	o.add(c)
	c.Long = c.Short + ".\n" + aboutKey
	c.Flags().StringVar(&o.plan, "plan", "", "deploy only what this plan (its JSON) says; exit 3 when it is stale")
	return c
}

// execute is plan or deploy from the flags to the exit code.
func (o *options) execute(ctx context.Context, w cli.World, c *cobra.Command, args []string, acting bool) error {
	if f := c.Flags().Lookup("prompt"); f != nil && f.Changed && !o.noPrompt && o.terminal(w) == nil {
		return cli.Usage("--prompt wants questions, and there is nowhere to ask them: no terminal, or --quiet, or CI is set; leave it out")
	}
	r, err := o.run(w, o.overrides(c), o.entrypoint+strings.Join(args, "")) // at most one of them: see argument
	if err != nil {
		return err
	}
	defer r.State.Close()
	if err := o.ask(ctx, w, &r, acting); err != nil {
		return err
	}
	began := time.Now() // what someone takes to answer is no part of it
	to, err := o.results(w, r, acting)
	if err != nil {
		return err
	}
	defer to.close()
	if !o.quiet {
		r.Warn = func(l diag.List, sources diag.Sources) { fmt.Fprint(w.Stderr, l.Text(sources)) }
	}
	show := plainly(nil)
	if !o.quiet && acting {
		show = progress(w, !to.stdout, o.debug)
		r.Writing = func(done, all int) { show.note(fmt.Sprintf("writing: %d of %s", done, diag.Count(all, "deployment"))) }
	}
	r.Log = show.steps
	act := deploy.Plan
	if acting {
		act = deploy.Deploy
	}
	p, err := act(ctx, r)
	show.end()
	if p == nil {
		return failure(ctx, w, err)
	}
	return o.show(w, to, p, acting, took(time.Since(began), p), o.exit(ctx, p))
}

// progress chooses how steps are shown: groups in GitHub, on a terminal what runs now, else prefixed lines. table says that the results have a table of the steps. end is
// called before anything else is printed.
func progress(w cli.World, table, debug bool) shown {
	if v, _ := w.Env("GITHUB_ACTIONS"); v == "true" {
		return plainly(exec.GitHub(w.Stderr, exec.NewToken()))
	}
	screen := cli.Screen(w.Stderr)
	kind, _ := w.Env("TERM")
	ci, _ := w.Env("CI")
	switch {
	case screen == nil:
		return plainly(exec.Plain(w.Stderr))
	case ci != "", kind == "dumb", kind == "", debug: // nobody watches, the terminal can't, or others write to it as well
		return plainly(exec.Terminal(w.Stderr, cli.Colour(w)))
	}
	live := exec.NewLive(exec.Screen{Out: screen, Size: func() (int, int) { return cli.Window(screen) }, Colour: cli.Colour(w), Table: table && cli.Screen(w.Stdout) != nil})
	return shown{live.Event, live.Note, live.Close}
}

// shown is how progress is shown: steps, what goes on beside them, and the end of it.
type shown struct {
	steps exec.Sink
	note  func(string)
	end   func()
}

// plainly shows steps alone.
func plainly(s exec.Sink) shown { return shown{s, func(string) {}, func() {}} }

// failure turns what stopped a run into text and exit code.
func failure(ctx context.Context, w cli.World, err error) error {
	var faults *deploy.Faults
	var usage *resolve.UsageError
	var stale *deploy.Stale
	exit, told := err.(*cli.Exit)
	switch {
	case ctx.Err() != nil:
		return &cli.Exit{Code: cli.ExitInterrupted, Text: "interrupted; nothing was written"}
	case told:
		return exit
	case errors.As(err, &faults):
		fmt.Fprint(w.Stderr, faults.List.Text(faults.Sources))
		if v, _ := w.Env("GITHUB_ACTIONS"); v == "true" {
			fmt.Fprint(w.Stderr, faults.List.GitHub(""))
		}
		return &cli.Exit{Code: cli.ExitError, Text: faults.List.Summary() + "; nothing ran and nothing was written"}
	case errors.As(err, &stale):
		return &cli.Exit{Code: cli.ExitStale, Text: diag.CleanLines(stale.Error())}
	case errors.As(err, &usage):
		return cli.Usage("%s", usage.Text)
	}
	return cli.Fail("%s", diag.CleanLines(err.Error()))
}

// stepOutputs are the step outputs that are no secret, each as STEP-ID_OUTPUT, in the form of the CI's output file.
func stepOutputs(p *plan.Plan) []byte {
	var b strings.Builder
	for _, s := range p.Steps {
		keys := append([]value.Entry(nil), s.Outputs.Map...)
		sort.SliceStable(keys, func(i, j int) bool { return keys[i].Key < keys[j].Key })
		for _, e := range keys {
			if !e.Value.Marks().Has(value.Sensitive) && !s.Outputs.Origin.Has(value.Sensitive) {
				writeOutput(&b, s.Key+"_"+e.Key, e.Value.Str())
			}
		}
	}
	return []byte(b.String())
}

// writeOutput uses the heredoc form, with a delimiter that does not occur in the value.
func writeOutput(b *strings.Builder, name, text string) {
	delimiter := "EOF"
	for strings.Contains(text, delimiter) {
		delimiter += "_" + exec.NewToken()
	}
	fmt.Fprintf(b, "%s<<%s\n%s\n%s\n", name, delimiter, text, delimiter)
}

func (o *options) exit(ctx context.Context, p *plan.Plan) error {
	c := p.Count()
	switch {
	case ctx.Err() != nil:
		return &cli.Exit{Code: cli.ExitInterrupted, Text: "interrupted"}
	case c.Failed > 0:
		return &cli.Exit{Code: cli.ExitError}
	case o.detailed && p.Changes():
		return &cli.Exit{Code: cli.ExitChanges}
	}
	return nil
}
