package main

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	"github.com/org/prefect-deploy-action/runner/report"
)

func planCommand(ctx context.Context, w cli.World) *cobra.Command {
	var o options
	c := &cobra.Command{Use: "plan [ENTRYPOINT]", Short: "Show what deploy would change; runs no step, writes nothing", Args: one,
		Example: "  run plan --all\n  run plan --all --state file:state.json --json plan.json",
		RunE: func(c *cobra.Command, args []string) error {
			return o.execute(ctx, w, c, args, false)
		}}
	o.add(c)
	return c
}

func deployCommand(ctx context.Context, w cli.World) *cobra.Command {
	var o options
	c := &cobra.Command{Use: "deploy [ENTRYPOINT]", Short: "Run the build and push steps and register the deployments", Args: one,
		Example: "  run deploy --all\n  run deploy -n my-flow/nightly --pool my-pool",
		RunE: func(c *cobra.Command, args []string) error {
			return o.execute(ctx, w, c, args, true)
		}}
	o.add(c)
	c.Flags().StringVar(&o.plan, "plan", "", "deploy only what this plan (its JSON) says; exit 3 when it is stale")
	return c
}

// execute is plan or deploy from the flags to the exit code.
func (o *options) execute(ctx context.Context, w cli.World, c *cobra.Command, args []string, acting bool) error {
	began := time.Now()
	r, err := o.run(w, o.overrides(c), strings.Join(args, "")) // at most one: see one
	if err != nil {
		return err
	}
	defer r.State.Close()
	if !o.quiet {
		r.Warn = func(l diag.List, sources diag.Sources) { fmt.Fprint(w.Stderr, l.Text(sources)) }
	}
	if !o.quiet && acting {
		r.Log = sink(w)
	}
	act := deploy.Plan
	if acting {
		act = deploy.Deploy
	}
	p, err := act(ctx, r)
	if p == nil {
		return failure(ctx, w, err)
	}
	if err := o.show(w, p, acting, seconds(time.Since(began))); err != nil {
		return err
	}
	if acting {
		if err := stepOutputs(w, p); err != nil {
			return err
		}
	}
	return o.exit(ctx, p)
}

// sink chooses how steps are shown: groups in GitHub, else prefixed lines, coloured on a terminal.
func sink(w cli.World) exec.Sink {
	if v, _ := w.Env("GITHUB_ACTIONS"); v == "true" {
		return exec.GitHub(w.Stderr, exec.NewToken())
	}
	f, ok := w.Stderr.(*os.File)
	if !ok {
		return exec.Plain(w.Stderr)
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return exec.Plain(w.Stderr)
	}
	_, no := w.Env("NO_COLOR")
	return exec.Terminal(w.Stderr, !no)
}

// failure turns what stopped a run into text and exit code.
func failure(ctx context.Context, w cli.World, err error) error {
	var faults *deploy.Faults
	var usage *resolve.UsageError
	var stale *deploy.Stale
	switch {
	case ctx.Err() != nil:
		return &cli.Exit{Code: cli.ExitInterrupted, Text: "interrupted; nothing was written"}
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

// show writes the results. With one sent to stdout nothing else goes there.
func (o *options) show(w cli.World, p *plan.Plan, acting bool, elapsed string) error {
	taken := false
	for _, out := range []struct {
		path string
		data func() []byte
	}{{o.json, p.JSON}, {o.markdown, func() []byte { return []byte(report.Markdown(p, acting)) }}} {
		switch out.path {
		case "":
		case "-":
			taken = true
			if _, err := w.Stdout.Write(out.data()); err != nil {
				return err
			}
		default:
			if err := os.WriteFile(out.path, out.data(), 0o644); err != nil {
				return cli.Fail("%v", err)
			}
		}
	}
	if taken || o.quiet {
		return nil
	}
	_, err := fmt.Fprint(w.Stdout, report.Text(p, acting, elapsed))
	return err
}

// stepOutputs writes every step output that is no secret to the CI's output file, as STEP-ID_OUTPUT.
func stepOutputs(w cli.World, p *plan.Plan) error {
	path, _ := w.Env("GITHUB_OUTPUT")
	if path == "" {
		return nil
	}
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
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return cli.Fail("GITHUB_OUTPUT: %v", err)
	}
	_, err = f.WriteString(b.String())
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
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
