// Package step carries out single steps: one function call each, with everything it may use handed in and its outputs handed back.
//
// Some functions of Prefect are so common, and so small, that they run natively: most projects then need no Python at all. Every
// other function (of the user's project, of prefect-docker, of any package) is what Prefect calls it: a Python function, and runs in a
// Python worker. Which of the two it is stands in one place (native); how steps are ordered, shared and logged is runner/exec's
// business.
package step

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Call is one step to carry out: everything it may use is here.
type Call struct {
	// Function is the full name as written: "prefect.deployments.steps.run_shell_script".
	Function string
	// Inputs is the mapping of keyword arguments, fully resolved; null means none.
	Inputs value.Value
	// Requires are the packages to import, and if that fails to install, before the function is looked up.
	Requires []string
	// Root is the project's directory (first on the Python path); Dir is where the step runs. Both are absolute.
	Root, Dir string
	// Env is the child's whole environment, KEY=VALUE; a later entry wins.
	Env []string
	// Prefect is the major version whose behaviour counts; 0 is 3.
	Prefect int
	// Always has a step that brings files to a bucket, or from one, transfer those too whose bytes are there already.
	Always bool
	// Stdout and Stderr get the live output, whole lines without their end, never from two goroutines of one stream at once (but
	// both streams may call at the same time). The slice is only valid during the call. Secrets are not masked yet. Nil drops it.
	Stdout, Stderr func(line []byte)
	// Moved, if not nil, is told the directory that a Python function changed to. Build and push steps stay where they are: several share a process.
	Moved func(dir string)
	// Changed, if not nil, is told which environment variables a Python function changed, nil for one that it took out. They may hold secrets.
	Changed func(changes map[string]*string)
}

// Func carries a call out. It returns the outputs (a mapping, or null when the function returned no mapping), or an error whose
// text is one plain sentence, with the tail of stderr after it where there is one. A cancelled context ends the child's whole process
// group; the Func returns ctx.Err() once it is gone.
type Func func(ctx context.Context, c Call) (value.Value, error)

// native are the functions that need no Python, under every name that Prefect 2 and 3 give them: the steps package exports them,
// its modules define them, and before 2.10 the package was called projects. Read from prefect/deployments/steps/__init__.py of
// 3.8.8 and 2.20.26.
func native(function string) Func {
	steps, ok := strings.CutPrefix(function, "prefect.deployments.steps")
	if !ok {
		steps, ok = strings.CutPrefix(function, "prefect.projects.steps")
	}
	if !ok {
		return nil
	}
	switch strings.ReplaceAll(steps, ":", ".") {
	case ".run_shell_script", ".utility.run_shell_script":
		return runShellScript
	case ".set_working_directory", ".pull.set_working_directory":
		return setWorkingDirectory
	case ".git_clone", ".pull.git_clone", ".git_clone_project", ".pull.git_clone_project":
		return gitClone
	}
	return nil
}

// NeedsPython reports whether a step with this function and these requires can only run where a Python is, so that a caller can
// complain before anything runs. A native function that requires packages needs Python too: installing them may be its very point.
// Prefect itself is not counted: it is required only so that Prefect finds the function, which is here already.
func NeedsPython(function string, requires []string) bool {
	return native(function) == nil || len(besidesPrefect(requires)) > 0
}

// besidesPrefect leaves Prefect's own package out: "prefect>=2.0", "prefect[docker]==3.8.8".
func besidesPrefect(requires []string) []string {
	var out []string
	for _, r := range requires {
		if !strings.EqualFold(packageOf(r), "prefect") {
			out = append(out, r)
		}
	}
	return out
}

// packageOf is the name in a requirement.
func packageOf(requirement string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(requirement), "[")
	if i := strings.IndexAny(name, "<>=!~ ;@"); i >= 0 {
		name = name[:i]
	}
	return strings.TrimSpace(name)
}

// Lookup gives what carries a function out: a native one, or the Python worker. python may be nil, for a machine without Python;
// what needs it then is an error.
func Lookup(function string, python *Python) Func {
	own := native(function)
	return func(ctx context.Context, c Call) (value.Value, error) {
		if python == nil && NeedsPython(function, c.Requires) {
			return value.Value{}, fmt.Errorf("%s is a Python function and no Python was found: install Python 3.8 or later, or set %s", function, pythonVariable)
		}
		if own == nil && !isPip(function) {
			return python.Call(ctx, c)
		}
		if c.Requires = besidesPrefect(c.Requires); len(c.Requires) > 0 {
			if err := python.require(ctx, c); err != nil {
				return value.Value{}, err
			}
		}
		if own == nil {
			return python.pipInstall(ctx, c)
		}
		return own(ctx, c)
	}
}

// arguments checks a native step's inputs against its parameters, with the faults that a Python call would have.
func arguments(c Call, required string, optional ...string) error {
	name := resolve.ShortName(c.Function)
	if c.Inputs.Kind != value.Map && !c.Inputs.IsNull() {
		return fmt.Errorf("the inputs of %s must be a mapping, not %s", name, c.Inputs.Kind)
	}
	for _, e := range c.Inputs.Map {
		if e.Key != required && !slices.Contains(optional, e.Key) {
			return fmt.Errorf("%s has no argument %q; it takes %s", name, e.Key, strings.Join(append([]string{required}, optional...), ", "))
		}
	}
	got, ok := c.Inputs.Get(required)
	if !ok {
		return fmt.Errorf("%s lacks the argument %q", name, required)
	}
	if got.Kind != value.Text {
		return fmt.Errorf("the argument %q of %s must be text, not %s", required, name, got.Kind)
	}
	if strings.IndexByte(got.Text, 0) >= 0 {
		return fmt.Errorf("the argument %q of %s holds a NUL character, which no command line or path can", required, name)
	}
	return nil
}

// result puts a native step's outputs together, in Prefect's order.
func result(pairs ...string) value.Value {
	m := value.Value{Kind: value.Map}
	for i := 0; i < len(pairs); i += 2 {
		m.Map = append(m.Map, value.Entry{Key: pairs[i], Value: value.Of(pairs[i+1])})
	}
	return m
}

// ExitError is a step's command that ended badly.
type ExitError struct {
	// What names the command: "line 2 of the script".
	What string
	// Code is the exit code; -N when signal N ended the command, as Python counts.
	Code int
	// Stderr is all that the step wrote there so far.
	Stderr string
	// When goes behind how it ended: "before the function returned"; "" for nothing.
	When string
}

// Error is one sentence and the last lines of stderr.
func (e *ExitError) Error() string {
	how := fmt.Sprintf("ended with code %d", e.Code)
	if e.Code < 0 {
		how = fmt.Sprintf("was ended by signal %d (%s)", -e.Code, signalName(e.Code))
	}
	return withTail(strings.TrimSpace(e.What+" "+how+" "+e.When), e.Stderr)
}

// withTail adds the last lines of a step's stderr to a sentence: enough to see the cause, not a whole log. It keeps lines whole, for half a secret would pass by whoever masks whole ones; only a line that is longer than any that a worker's
// last words keep (lines.emit) is cut, which is that of a command, masked before.
func withTail(sentence, stderr string) string {
	const most = 2000
	tail := strip(stderr)
	if len(tail) > most {
		at := len(tail) - most
		if end := strings.IndexByte(tail[at:], '\n'); end >= 0 {
			at += end + 1
		} else if begin := strings.LastIndexByte(tail[:at], '\n') + 1; len(tail)-begin <= longestKept {
			at = begin
		}
		if tail = strings.ToValidUTF8(tail[at:], ""); at > 0 {
			tail = "…" + tail
		}
	}
	if tail == "" {
		return sentence
	}
	return sentence + ": " + tail
}

// AsExit is errors.As for an ExitError: nil when err has none.
func AsExit(err error) *ExitError {
	var e *ExitError
	if errors.As(err, &e) {
		return e
	}
	return nil
}
