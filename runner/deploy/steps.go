// Steps of a pipeline that other jobs run the rest of. It is a deploy's middle: the same graph, the same filling of inputs, the same running, and neither the names and flows
// before it nor the state after it. A server is asked only when an input refers to one of its variables or blocks, so most jobs of an emitted pipeline need no key to it.
package deploy

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/handover"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// StepOptions are what a run of single steps is told; of Options it takes neither State nor Selection.
type StepOptions struct {
	Options
	// Keys are the steps, by their keys in the graph of all deployments of the files.
	Keys []string
	// Open opens the state, when variables or blocks are needed of it.
	Open func() (*state.State, error)
	// Before, if not nil, is called when all was found right, before the first step runs; its error ends the run. It may change the environment that steps see.
	Before func(context.Context, *Options, []*graph.Step) error
}

// Ran is what became of the steps.
type Ran struct {
	Steps []plan.Step
	// Outputs are what other jobs may have of those that succeeded.
	Outputs []handover.Step
}

// Steps runs the steps that are named, in the graph's order. The error is for a run that could not begin, or was interrupted; a step that failed is told in Ran.
func Steps(ctx context.Context, o StepOptions) (*Ran, error) {
	j := newJob(o.Options, true)
	defer j.close()
	if err := j.prepareSteps(ctx, o, j.needPython); err != nil {
		return nil, err
	}
	j.warn()
	if o.Before != nil {
		if err := o.Before(ctx, &j.Options, j.namedSteps()); err != nil {
			return nil, err
		}
		j.pyOnce, j.python, j.pyErr = sync.Once{}, nil, nil // it may be another one now
	}
	results := j.run(ctx, j.parts)
	ran := &Ran{}
	p := &plan.Plan{}
	for _, s := range j.namedSteps() {
		if results[s] == nil && j.Given.KeepGoing {
			p.Steps = append(p.Steps, plan.Step{Key: s.Key, Function: s.Function, Outcome: exec.Skipped.String(), Error: j.notDone(s)})
			continue
		}
		p.Steps = append(p.Steps, stepsOf(&graph.Graph{Steps: []*graph.Step{s}}, results)...)
	}
	j.hide(p)
	ran.Steps = p.Steps
	at := map[string]int{}
	for i := range p.Steps {
		at[p.Steps[i].Key] = i
	}
	for _, s := range j.namedSteps() {
		if r := results[s]; r != nil && r.Outcome == exec.Succeeded {
			i := at[s.Key]
			ran.Outputs = append(ran.Outputs, handover.Of(s.Key, s.Digest, p.Steps[i].Outputs))
		}
	}
	return ran, ctx.Err()
}

// notDone names what a step needs, directly or not, that neither runs here nor is given, "" when there is nothing.
func (j *job) notDone(s *graph.Step) string {
	seen := map[*graph.Step]bool{}
	var find func(s *graph.Step) string
	find = func(s *graph.Step) string {
		seen[s] = true
		for _, n := range s.Needs {
			why := ""
			switch {
			case seen[n] || j.gifts[n.Digest] != nil:
			case !j.runs(n):
				why = "it needs the step " + n.Key + ", which failed or did not run"
			default:
				why = find(n)
			}
			if why != "" {
				return why
			}
		}
		return ""
	}
	return find(s)
}

// prepareSteps does everything before the first step; any fault ends it, and its error holds no secret. check adds faults of its own.
func (j *job) prepareSteps(ctx context.Context, o StepOptions, check func()) error {
	return j.masked.told(j.stepStations(ctx, o, check))
}

func (j *job) stepStations(ctx context.Context, o StepOptions, check func()) error {
	if j.Missing != "" {
		return &resolve.UsageError{Text: "there is no " + j.Missing + ": write one, or name another with --prefect-file"}
	}
	for _, f := range j.Files {
		file, _ := j.checker.Load(f.Name, f.Data)
		j.files = append(j.files, file)
	}
	if err := j.stop(); err != nil {
		return err
	}
	j.chosen = j.everything()
	j.parts = graph.Build(j.chosen, (*resolve.Deployment).Title)
	if err := j.name(j.parts, o.Keys); err != nil {
		return err
	}
	if err := j.takeGiven(j.parts); err != nil {
		return err
	}
	for key := range j.named { // a step that is named runs, whatever a file says of it
		delete(j.gifts, key)
	}
	j.checkNamed()
	j.checkGiven()
	check()
	if err := j.stop(); err != nil {
		return err
	}
	j.findSecrets()
	j.project.SensitiveOutput, j.project.Secret = j.sensitiveOutput, j.masked.add
	return j.readForSteps(ctx, o.Open)
}

// name takes the keys.
func (j *job) name(full *graph.Graph, keys []string) error {
	byKey, all := map[string]*graph.Step{}, []string{}
	for _, s := range full.Steps {
		byKey[s.Key] = s
		all = append(all, s.Key)
	}
	j.named = map[string]bool{}
	for _, key := range keys {
		s := byKey[key]
		if s == nil && len(all) == 0 {
			return &resolve.UsageError{Text: "there is no step " + diag.Quote(key) + ": the deployments of these files have no steps"}
		}
		if s == nil {
			return &resolve.UsageError{Text: fmt.Sprintf("there is no step %s; %s If a pipeline names it, that is of another version of these files: compile it again", diag.Quote(key), sentence(nearestOf(key, all)))}
		}
		j.named[s.Digest] = true
	}
	if len(keys) == 0 {
		return &resolve.UsageError{Text: "name at least one step; " + nearestOf("", all)}
	}
	return nil
}

func sentence(text string) string {
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// namedSteps are the steps that are named, in the graph's order.
func (j *job) namedSteps() []*graph.Step {
	var out []*graph.Step
	for _, s := range j.parts.Steps {
		if j.named[s.Digest] {
			out = append(out, s)
		}
	}
	return out
}

// checkNamed checks the lists that hold a named step, each once: their functions, arguments and references. What the deployments say beside them is not this run's.
func (j *job) checkNamed() {
	type lists struct{ build, push *spec.Step }
	seen := map[lists]bool{}
	var found diag.List
	for i, d := range j.chosen {
		key := lists{first(d.Build), first(d.Push)}
		holds := false
		for _, s := range j.parts.Registrations[i].Steps {
			holds = holds || j.named[s.Digest]
		}
		if !holds || seen[key] {
			continue
		}
		seen[key] = true
		for _, list := range [][]spec.Step{d.Spec.Build.Steps, d.Spec.Push.Steps} { // those of the file were checked with it
			for k := range list {
				resolve.CheckStep(d.File, &list[k], false, &found)
			}
		}
		resolve.CheckReferences(&resolve.Deployment{File: d.File, Spec: d.Spec, Build: d.Build, Push: d.Push}, &found)
	}
	j.checker.Add(found)
}

func first(list []spec.Step) *spec.Step {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// readForSteps asks the state for the variables and blocks that the steps' inputs name, if they name any.
func (j *job) readForSteps(ctx context.Context, open func() (*state.State, error)) error {
	q := j.references()
	if len(q.Variables)+len(q.Blocks) == 0 {
		return nil
	}
	what := "a variable"
	if len(q.Variables) > 0 {
		what += " (" + diag.Clean(q.Variables[0]) + ")"
	} else {
		what = "a block (" + diag.Clean(q.Blocks[0].String()) + ")"
	}
	st, err := open()
	if err != nil {
		return fmt.Errorf("the inputs of these steps refer to %s of the Prefect server: %w", what, err)
	}
	defer st.Close()
	if _, commit := ofCommit(st); commit {
		return &resolve.UsageError{Text: "the inputs of these steps refer to " + what + ", which a commit (--state git:REF) does not have"}
	}
	j.State = st
	return j.readEarly(ctx)
}
