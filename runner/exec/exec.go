// Package exec runs a graph: each step once, as soon as all it needs has succeeded, several at a time.
//
// It knows the order and nothing else. What a step does, how its templates are filled and where its log goes are functions that are
// handed in, so everything here can be tested without a process.
//
// A step that fails stops what depends on it and nothing more. Take a graph of five steps in which `image` needs `hash`, `push` needs
// `image`, and `docs` and `upload` stand alone. When `image` fails, `push` is skipped and its cause is `image` (not a neighbour in
// between: a reader wants the place to look at), while `docs` and `upload` run to their end. Whoever registers deployments then asks
// for the results of each deployment's own steps.
package exec

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

// Runner says how a graph is run. Do and Resolve are needed, the rest may stay zero.
type Runner struct {
	// Do carries a step out. Its error is one plain sentence; a cancelled context ends what it started, and it returns only then.
	// It is called from several goroutines at once.
	Do func(ctx context.Context, s *graph.Step, c step.Call) (value.Value, error)
	// Resolve fills the templates of the step's inputs with the outputs of the steps before it (templates are someone else's
	// business). It is called from several goroutines at once. Nil leaves the inputs as they are.
	Resolve func(ctx context.Context, s *graph.Step, outputs value.Value) (value.Value, error)
	// Root is the project's directory, absolute: where steps run unless a set_working_directory step stands before them.
	Root string
	// Env is the environment of the steps, KEY=VALUE.
	Env []string
	// Prefect is the major version whose behaviour counts; 0 is 3.
	Prefect int
	// Jobs is how many steps may run at once; below 1 means 1.
	Jobs int
	// Timeout bounds each step; 0 means no bound.
	Timeout time.Duration
	// Given are the outputs of steps that ran elsewhere: such a step counts as succeeded, and is not run. What stands around it keeps its order.
	Given map[*graph.Step]value.Value
	// FailFast starts nothing more once a step has failed; what runs already may end.
	FailFast bool
	// Log gets every event, one at a time. Nil drops them.
	Log Sink
	// Mask hides secrets in lines and errors; nil hides nothing.
	Mask func(string) string
	// Now is the clock, for Seconds; nil is time.Now.
	Now func() time.Time
}

// Outcome is how a step ended.
type Outcome uint8

// The outcomes. There is no fourth: a step that an interrupt ended has failed, one that it kept from starting was skipped.
const (
	Succeeded Outcome = iota
	Failed
	Skipped
)

// String is the word of the JSON report (CONTRACT, `outcome`).
func (o Outcome) String() string { return [...]string{"succeeded", "failed", "skipped"}[o] }

// Result is what became of one step.
type Result struct {
	Outcome Outcome
	// Outputs is the mapping that the step returned; null when it returned none or did not succeed. Those that are secret (all of
	// a step that x-ci marks as sensitive, and what another step takes as a credential) carry value.Sensitive, down to each leaf.
	Outputs value.Value
	// Err says why a step failed or was skipped, secrets masked. errors.Is finds the context's error in an interrupted one.
	Err error
	// Cause is the step whose failure made this one be skipped: the root, not one that was itself skipped. Nil otherwise, and when
	// an interrupt was the cause.
	Cause *graph.Step
	// Seconds is how long it ran, Began when it began, counted from the beginning of the run.
	Seconds, Began float64
	// Given: it ran elsewhere.
	Given bool
}

// Given is the result of a step that ran elsewhere.
func Given(s *graph.Step, outputs value.Value) *Result {
	return &Result{Outcome: Succeeded, Outputs: secret(s, outputs), Given: true}
}

// Run runs all steps of g and returns a result for each. It returns only after everything it started has ended, also when ctx is
// cancelled.
func (r *Runner) Run(ctx context.Context, g *graph.Graph) map[*graph.Step]*Result {
	run := newRun(r, g)
	done := make(chan *graph.Step)
	running := 0
	for {
		for running < max(r.Jobs, 1) {
			s := run.next(ctx)
			if s == nil {
				break
			}
			running++
			run.log(Event{Kind: Start, Step: s}) // here, so that the order is the graph's
			go func() { run.finish(s, r.one(ctx, s, run)); done <- s }()
		}
		if running == 0 {
			break
		}
		run.after(<-done)
		running--
	}
	run.skipRest(ctx)
	return run.results
}

// errInterrupted marks the error of a step that was ended from outside.
var errInterrupted = errors.New("interrupted")

// ended is such an error with what ended it, which programs ask for and people need not read ("context canceled").
type ended struct{ by error }

func (e ended) Error() string   { return errInterrupted.Error() }
func (e ended) Unwrap() []error { return []error{errInterrupted, e.by} }

// Interrupted tells that the step failed only because the run was ended from outside, or was not begun for that reason.
func (r *Result) Interrupted() bool { return errors.Is(r.Err, errInterrupted) }

// one runs a single step.
func (r *Runner) one(ctx context.Context, s *graph.Step, run *run) *Result {
	began := run.now()
	outputs, err := r.bounded(ctx, s, run)
	result := &Result{Outputs: outputs, Seconds: run.now().Sub(began).Seconds(), Began: began.Sub(run.began).Seconds()}
	if err != nil {
		result.Outcome, result.Outputs, result.Err = Failed, value.Value{}, r.masked(err)
	} else {
		result.Outputs = secret(s, outputs)
	}
	return result
}

// bounded resolves and carries out s within the timeout, and explains an end that came from outside.
func (r *Runner) bounded(ctx context.Context, s *graph.Step, run *run) (value.Value, error) {
	within := ctx
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, r.Timeout)
		defer cancel()
	}
	outputs, err := r.carryOut(within, s, run)
	switch {
	case err == nil:
		return outputs, nil
	case ctx.Err() != nil:
		return value.Value{}, ended{ctx.Err()}
	case within.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		return value.Value{}, fmt.Errorf("it took longer than %s and was ended: give it more with --timeout, or look at what it waits for", r.Timeout)
	}
	if s.Hidden() {
		err = withoutWords(err)
	}
	return value.Value{}, err
}

// withoutWords is the error of a step that gives a secret, without what its command or function said: that may be the secret, which nobody knows yet.
func withoutWords(err error) error {
	const notShown = "(not shown: the step gives a secret)"
	if exit := step.AsExit(err); exit != nil {
		hidden := *exit
		hidden.Stderr = notShown
		return &hidden
	}
	var raised *step.PythonError
	if errors.As(err, &raised) && !step.OfFile(err) {
		return &step.PythonError{Type: raised.Type, Message: notShown}
	}
	return err
}

// root is the directory that a step's paths are relative to.
func (r *Runner) root(s *graph.Step) string { return filepath.Join(r.Root, filepath.FromSlash(s.Root)) }

func (r *Runner) carryOut(ctx context.Context, s *graph.Step, run *run) (value.Value, error) {
	inputs := s.Inputs
	if r.Resolve != nil {
		var err error
		if inputs, err = r.Resolve(ctx, s, run.outputs(s.Upstream)); err != nil {
			return value.Value{}, err
		}
	}
	out, errs := &shown{run: run, step: s, stream: Stdout}, &shown{run: run, step: s, stream: Stderr}
	defer errs.end()
	defer out.end()
	return r.Do(ctx, s, step.Call{
		Function: s.Function, Inputs: inputs, Requires: s.Requires, Root: r.root(s), Dir: run.directory(s), Env: r.Env, Prefect: r.Prefect,
		Stdout: out.write, Stderr: errs.write,
	})
}

// masked is an error whose text holds no secret.
type masked struct {
	text string
	err  error
}

func (m *masked) Error() string { return m.text }
func (m *masked) Unwrap() error { return m.err }

// masked hides the secrets in an error. What a command wrote to stderr is masked before its tail is cut off, as half a secret would
// not be known for one.
func (r *Runner) masked(err error) error {
	text := err.Error()
	if r.Mask == nil {
		return &masked{text: cleanLines(text), err: err}
	}
	if exit := step.AsExit(err); exit != nil {
		hidden := *exit
		hidden.Stderr = r.Mask(cleanLines(exit.Stderr))
		text = strings.Replace(text, exit.Error(), hidden.Error(), 1)
	}
	return &masked{text: r.Mask(cleanLines(text)), err: err}
}

// secret marks what is secret of a step's outputs.
func secret(s *graph.Step, outputs value.Value) value.Value {
	if !s.Hidden() {
		return outputs
	}
	if s.Secret(graph.AllOutputs) {
		return outputs.Deep(value.Sensitive)
	}
	entries := append([]value.Entry(nil), outputs.Map...)
	for i, e := range entries {
		if s.Secret(e.Key) {
			entries[i].Value = e.Value.Deep(value.Sensitive)
		}
	}
	if outputs.Kind == value.Map {
		outputs.Map = entries
	}
	return outputs
}

// Outputs puts together what a list's steps gave, as Prefect does: a step's outputs stand under its id and also flat, and the later
// step wins, so an id can be hidden by an output of the same name. Steps without a result, without success or without a mapping
// give nothing.
func Outputs(steps []*graph.Step, results map[*graph.Step]*Result) value.Value {
	all := value.Value{Kind: value.Map}
	index := map[string]int{}
	set := func(key string, v value.Value) {
		if i, there := index[key]; there {
			all.Map[i].Value = v
			return
		}
		index[key] = len(all.Map)
		all.Map = append(all.Map, value.Entry{Key: key, Value: v})
	}
	for _, s := range steps {
		result := results[s]
		if result == nil || result.Outcome != Succeeded || result.Outputs.Kind != value.Map {
			continue
		}
		if s.ID != "" {
			set(s.ID, result.Outputs)
		}
		for _, e := range result.Outputs.Map {
			set(e.Key, e.Value)
		}
	}
	return all
}

// Directory is where a step runs: root, moved by the set_working_directory steps before it, in order. Prefect 3's give absolute
// paths, Prefect 2's the text as written.
func Directory(root string, moves []*graph.Step, results map[*graph.Step]*Result) string {
	dir := root
	for _, s := range moves {
		if results[s] == nil {
			continue
		}
		to, _ := results[s].Outputs.Get("directory")
		switch {
		case to.Kind != value.Text || to.Text == "":
		case filepath.IsAbs(to.Text):
			dir = to.Text
		default:
			dir = filepath.Join(dir, to.Text)
		}
	}
	return dir
}
