// `run step`: one step, or a chain of them, of a pipeline that was compiled from prefect.yaml. Its jobs hand each other what their steps gave in files.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/handover"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// stepRun is a run of steps as it is asked for.
type stepRun struct {
	options
	keys []string
	phase
	// dotenv is a report of GitLab's that is added to.
	dotenv string
}

func stepCommand(ctx context.Context, w cli.World) *cobra.Command {
	var s stepRun
	c := &cobra.Command{Use: "step KEY...", Short: "Run single steps of a compiled pipeline, with what other jobs gave",
		Long: "step runs the steps of these keys (compile graph shows them), in the graph's order, and nothing else.\n" +
			"What they need of other steps comes from --from; what they give goes to --outputs and to the CI's output file.",
		Example: "  run step hash --outputs hash.json\n  run step build-image push-image --from hash.json --outputs image.json\n  run deploy --all --skip-build --from hash.json --from image.json",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Usage("%s needs the key of a step: compile graph shows them", c.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			s.keys = args
			return s.execute(ctx, w)
		}}
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return s.options.keys(), nothingElse
	}
	f := c.Flags()
	f.StringArrayVarP(&s.files, "prefect-file", "f", []string{"prefect.yaml"}, "the file to read; repeatable, patterns allowed")
	f.StringVarP(&s.dir, "chdir", "C", ".", "as if started in `DIR`")
	f.StringVar(&s.state, "state", "", "file:PATH instead of the Prefect API of PREFECT_API_URL, for variables and blocks that the steps name")
	f.IntVar(&s.jobs, "jobs", defaultJobs, "steps at once")
	f.DurationVar(&s.timeout, "timeout", 0, "time limit of a step, such as 10m")
	f.IntVar(&s.retries, "retries", defaultRetries, "repeats of a step on network failures")
	f.BoolVar(&s.fast, "fail-fast", false, "start nothing more after the first failure")
	f.BoolVar(&s.quiet, "quiet", false, "no progress")
	f.BoolVar(&s.debug, "debug", false, "show each request to the Prefect API on stderr")
	s.addFrom(f)
	f.BoolVar(&s.keepGoing, "keep-going", false, "run the steps whose needs are run here or given, leave the others out; exit 1")
	s.phase.add(f)
	f.StringVar(&s.dotenv, "dotenv", "", "add the outputs that are one plain line to `FILE`, a dotenv report of GitLab's, within its bounds")
	return c
}

// told is what a run of steps is told; the file of outputs is opened by then.
func (s *stepRun) told(w cli.World) (o deploy.StepOptions, to *handover.Target, err error) {
	if err := s.bounds("step"); err != nil {
		return o, nil, err
	}
	if err := s.phase.check(s.keys); err != nil {
		return o, nil, err
	}
	dir, err := s.directory()
	if err != nil {
		return o, nil, err
	}
	env, environ := without(w.Env, w.Environ, planKeyVariable)
	o.Options = deploy.Options{Directory: dir, Env: env, Environ: environ, Jobs: s.jobs, Timeout: s.timeout, Retries: s.retries, FailFast: s.fast, Storage: storage(w.Stderr)}
	o.Keys = s.keys
	o.Open = func() (*state.State, error) { return s.open(w, dir) }
	if err := s.options.read(&o.Options, dir); err != nil {
		return o, nil, err
	}
	if o.Given, err = s.given.read(dir); err != nil {
		return o, nil, err
	}
	if to, err = handover.Create(dir, s.outputs, w.Stdout); err != nil {
		return o, nil, cli.Usage("--outputs: %v; nothing ran", err)
	}
	if to != nil {
		to.Attempt, _ = w.Env("GITHUB_RUN_ATTEMPT")
	}
	return o, to, nil
}

// execute is `run step` from the flags to the exit code.
func (s *stepRun) execute(ctx context.Context, w cli.World) error {
	began := time.Now()
	o, to, err := s.told(w)
	if err != nil {
		return err
	}
	defer to.Close()
	path, _ := w.Env("GITHUB_OUTPUT")
	output, err := create(w, path, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return cli.Fail("GITHUB_OUTPUT: %v; nothing ran", err)
	}
	defer func() { _ = output.done() }()
	show := plainly(nil)
	if !s.quiet {
		o.Warn = func(l diag.List, sources diag.Sources) { fmt.Fprint(w.Stderr, l.Text(sources)) }
		show = progress(w, false, s.debug)
		o.Log = show.steps
	}
	ran, err := s.phase.run(ctx, o, o.Directory, func(inputs string) error {
		if output == nil && s.arguments == "" {
			_, err := fmt.Fprintln(w.Stdout, inputs)
			return err
		}
		return output.githubOutput("inputs", inputs)
	})
	show.end()
	switch {
	case ran == nil && err == nil: // the first half
		return nil
	case ran == nil:
		return failure(ctx, w, err)
	}
	written := to.Write(ran.Outputs)
	if written != nil {
		written = fmt.Errorf("--outputs: %w", written)
	}
	if err := errors.Join(output.write(stepOutputs(&plan.Plan{Steps: ran.Steps})), output.done()); err != nil {
		written = errors.Join(written, fmt.Errorf("GITHUB_OUTPUT: %w", err))
	}
	if err := s.report(o.Directory, ran); err != nil {
		written = errors.Join(written, fmt.Errorf("--dotenv: %w", err))
	}
	outcome := stepsOutcome(ctx, ran)
	if outcome == nil && !s.quiet && s.outputs != "-" {
		_, err := fmt.Fprintf(w.Stdout, "%s in %s\n", diag.Count(len(ran.Steps), "step"), seconds(time.Since(began)))
		written = errors.Join(written, err)
	}
	return worse(outcome, written)
}

// report adds to the dotenv report what functions give that are known: what others call their outputs could be any variable's name.
func (s *stepRun) report(dir string, ran *deploy.Ran) error {
	if s.dotenv == "" {
		return nil
	}
	functions := map[string]string{}
	for _, step := range ran.Steps {
		functions[step.Key] = step.Function
	}
	path := under(dir, s.dotenv)
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, handover.Dotenv(old, ran.Outputs, func(key, output string) bool {
		known, ok := resolve.Known(functions[key])
		return ok && slices.Contains(known.Outputs, output)
	}), 0o644)
}

// stepsOutcome is the exit of a run of steps: what failed, a line each.
func stepsOutcome(ctx context.Context, ran *deploy.Ran) error {
	var lines []string
	for _, s := range ran.Steps {
		if s.Outcome == "failed" || s.Outcome == "skipped" {
			lines = append(lines, fmt.Sprintf("the step %s %s: %s", diag.Clean(s.Key), map[string]string{"failed": "failed", "skipped": "did not run"}[s.Outcome], diag.CleanLines(s.Error)))
		}
	}
	switch {
	case ctx.Err() != nil:
		return &cli.Exit{Code: cli.ExitInterrupted, Text: "interrupted"}
	case len(lines) > 0:
		return cli.Fail("%s", strings.Join(lines, "\n"))
	}
	return nil
}

// worse adds to an outcome that a result could not be written.
func worse(outcome, written error) error {
	var exit *cli.Exit
	switch {
	case written == nil:
		return outcome
	case errors.As(outcome, &exit):
		return &cli.Exit{Code: exit.Code, Text: exit.Text + "; a result could not be written: " + written.Error()}
	}
	return cli.Fail("a result could not be written: %v", written)
}
