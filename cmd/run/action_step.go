// mode: step, which the jobs of a compiled pipeline call: `run step` with inputs for flags and the outputs of the action for the CI's output file.
package main

import (
	"context"
	"errors"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/step"
)

// steps runs the steps that the input step names.
func (a *action) steps(ctx context.Context) error {
	s := stepRun{options: *a.options(), keys: a.in.Steps, phase: phase{phase: a.in.Phase, outputs: a.in.Outputs, imageID: a.in.ImageID}}
	o, to, err := s.told(a.w)
	if err != nil {
		return a.stopped(ctx, err)
	}
	defer to.Close()
	o.Warn, o.Log, o.Before = a.found, exec.GitHub(a.w.Stdout, exec.NewToken()), a.installForSteps
	ran, err := s.phase.run(ctx, o, a.dir, func(inputs string) error {
		return errors.Join(a.job.Output("result", resultRan), a.job.Output("steps", "{}"), a.job.Output("inputs", inputs))
	})
	switch {
	case ran == nil && err == nil: // the first half
		a.findings.read = true
		return nil
	case ran == nil:
		return a.stopped(ctx, err)
	}
	a.findings.read = true
	written := to.Write(ran.Outputs)
	outcome := stepsOutcome(ctx, ran)
	result := resultRan
	if outcome != nil {
		result = resultFailed
	}
	for _, output := range [][2]string{{"result", result}, {"steps", string(stepsJSON(&plan.Plan{Steps: ran.Steps}))}, {"inputs", ""}} {
		written = errors.Join(written, a.job.Output(output[0], output[1]))
	}
	return worse(outcome, written)
}

// installForSteps makes the Python ready where one of the steps that are about to run is a Python function.
func (a *action) installForSteps(ctx context.Context, r *deploy.Options, steps []*graph.Step) error {
	named := len(a.in.Requirements) > 0 || a.in.Pyproject != ""
	for _, s := range steps {
		if step.NeedsPython(s.Function, s.Requires) {
			return a.installFor(ctx, r, named, "the step "+diag.Clean(s.Key)+" is a Python function")
		}
	}
	if !named {
		return nil
	}
	return a.job.Print("", "No Python packages were installed: none of these steps needs Python here.")
}
