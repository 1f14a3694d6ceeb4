// Who carries a step out: a native function, docker on PATH, the companion for buckets, or the Python worker. A Docker step goes to Docker's own command line wherever the table of its arguments holds all of them (compiler/docker), and to Prefect's Python
// function where not, or where there is no such command line.
package deploy

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

// dockerPrograms are the docker programs of a run, looked for once: one that builds, and one that only pushes.
type dockerPrograms struct {
	mu    sync.Mutex
	found map[bool]*dockerProgram
	// generated is held while Prefect's own function has a generated Dockerfile in the workspace: two of them at once would find the other's. The graph does not order them, since a native builder takes it by standard input.
	generated sync.Mutex
}

type dockerProgram struct {
	path string
	err  error
}

// docker is the program for a Docker step, or why there is none.
func (j *job) docker(ctx context.Context, function string) (string, error) {
	building := resolve.Canonical(function) == resolve.BuildDockerImage
	j.dockers.mu.Lock()
	defer j.dockers.mu.Unlock()
	if p := j.dockers.found[building]; p != nil {
		return p.path, p.err
	}
	p := &dockerProgram{}
	p.path, p.err = step.DockerPath(ctx, j.Environ, building)
	if j.dockers.found == nil {
		j.dockers.found = map[bool]*dockerProgram{}
	}
	j.dockers.found[building] = p
	return p.path, p.err
}

// byDocker reports whether docker on PATH carries a step out; its inputs may still hold templates.
func (j *job) byDocker(ctx context.Context, function string, inputs value.Value) bool {
	if !isDocker(function) {
		return false
	}
	inputs.Map = slices.DeleteFunc(slices.Clone(inputs.Map), func(e value.Entry) bool { // a block, say, that turns out to be a user and a password
		_, whole := template.Whole(e.Value.Text)
		return e.Key == "credentials" && e.Value.Kind == value.Text && whole
	})
	if ok, _ := docker.ByCommand(function, inputs); !ok {
		return false
	}
	_, err := j.docker(ctx, function)
	return err == nil
}

func isDocker(function string) bool {
	name := resolve.Canonical(function)
	return name == resolve.BuildDockerImage || name == resolve.PushDockerImage
}

// carriedOutBy is what runs a step whose inputs are filled.
func (j *job) carriedOutBy(ctx context.Context, c step.Call) step.Func {
	return j.carriedOutWith(ctx, c, j.interpreter)
}

func (j *job) carriedOutWith(ctx context.Context, c step.Call, interpreter func() (*step.Python, error)) step.Func {
	if j.byDocker(ctx, c.Function, c.Inputs) {
		program, _ := j.docker(ctx, c.Function)
		return step.Docker(program, func(dir string) docker.Options { return j.dockerOptions(ctx, dir, j.Now()) })
	}
	if !step.NeedsPython(c.Function, c.Requires) {
		return step.Lookup(c.Function, nil)
	}
	if j.byStorage(ctx, c.Function, c.Requires) {
		program, _ := j.storage(ctx)
		return withStorage(program, interpreter)
	}
	python, err := interpreter()
	if err != nil {
		return func(context.Context, step.Call) (value.Value, error) { return value.Value{}, err }
	}
	do := step.Lookup(c.Function, python)
	if dockerfile, _ := c.Inputs.Get("dockerfile"); resolve.Canonical(c.Function) != resolve.BuildDockerImage || dockerfile.Text != "auto" {
		return do
	}
	return func(ctx context.Context, c step.Call) (value.Value, error) {
		j.dockers.generated.Lock()
		defer j.dockers.generated.Unlock()
		defer leftover(c.Dir)()
		return do(ctx, c)
	}
}

// leftover takes away the Dockerfile that Prefect's function leaves when it is ended while it builds. One that was there before is not touched: the function refuses to run then.
func leftover(dir string) func() {
	path := filepath.Join(dir, "Dockerfile")
	if _, err := os.Lstat(path); err == nil {
		return func() {}
	}
	return func() {
		if text, err := os.ReadFile(path); err == nil && docker.Generated(text) {
			_ = os.Remove(path)
		}
	}
}

// NeedsPython reports whether a step, whose inputs may still hold templates, can only run on this machine where a Python is.
func NeedsPython(ctx context.Context, o Options, function string, requires []string, inputs value.Value) bool {
	return (&job{Options: o}).needsPython(ctx, function, requires, inputs)
}

func (j *job) needsPython(ctx context.Context, function string, requires []string, inputs value.Value) bool {
	if !step.NeedsPython(function, requires) || j.rehearsal() && step.Outward(function) || j.byStorage(ctx, function, requires) {
		return false
	}
	return !j.byDocker(ctx, function, adapt(step.Call{Function: function, Inputs: inputs}).Inputs)
}

// dockerOptions are what a build takes from the machine: Prefect's and Python's versions are those of the Python that is there, if one is.
func (j *job) dockerOptions(ctx context.Context, dir string, now time.Time) docker.Options {
	o := docker.Options{Now: now, PrefectVersion: behavesAs, Directory: filepath.Base(dir), Requirements: isFile(dir, "requirements.txt"), Dockerfile: isFile(dir, "Dockerfile")}
	o.Namespace, _ = j.Env("PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE")
	python, err := j.interpreter()
	if err != nil {
		return o
	}
	versions, err := python.Probe(ctx)
	if err != nil {
		return o
	}
	if parts := strings.SplitN(versions.Python, ".", 3); len(parts) > 1 {
		o.PythonVersion = parts[0] + "." + parts[1]
	}
	if versions.Prefect != "" {
		o.PrefectVersion = versions.Prefect
	}
	return o
}
