// The Python of the job, made ready. Packages are installed only where Python code of the project is going to run: steps that are Python functions, and flows whose
// signature their source does not tell for sure. Most projects have neither, and are deployed without waiting for packages.
//
// Prefect itself is installed as well where it is missing: the code that runs is written for it, and workflows that come from PrefectHQ/actions-prefect-deploy rely on its
// being there. A Python that the system's own package manager keeps (PEP 668: any Debian's, and so that of a runner without actions/setup-python) lets nothing be installed into
// it; then everything happens in an environment of its own on top of it, which steps see too.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/handover"
	"github.com/org/prefect-deploy-action/runner/step"
)

// somePrefect is what is installed where the project's own packages bring no Prefect.
const somePrefect = "prefect>=3,<4"

// install makes the Python ready that the selected deployments need, if they need one.
func (a *action) install(ctx context.Context, r *deploy.Options) error {
	named := len(a.in.Requirements) > 0 || a.in.Pyproject != ""
	why := pythonNeed(ctx, *r)
	switch {
	case why == "" && named:
		return a.job.Print("", "No Python packages were installed: no step and no flow of these deployments needs Python here.")
	case why == "":
		return nil
	}
	return a.installFor(ctx, r, named, why)
}

// installForPulls makes the Python ready where a step of the selected pull sections is a Python function.
func (a *action) installForPulls(ctx context.Context, r *deploy.Options) error {
	_, chosen := chosenOf(*r)
	for _, d := range chosen {
		for i := range d.Pull {
			if s := &d.Pull[i]; deploy.NeedsPython(ctx, *r, s.Function, s.Requires, s.Inputs) {
				return a.installFor(ctx, r, len(a.in.Requirements) > 0 || a.in.Pyproject != "", "the pull step "+diag.Clean(s.Function)+" is a Python function")
			}
		}
	}
	return nil
}

// installFor installs them because of something.
func (a *action) installFor(ctx context.Context, r *deploy.Options, named bool, why string) error {
	for _, file := range append(a.in.Requirements[:len(a.in.Requirements):len(a.in.Requirements)], a.in.Pyproject) {
		if _, err := os.Stat(under(a.dir, file)); file != "" && err != nil {
			return cli.Fail("the Python packages cannot be installed: there is no file %s in the working directory", diag.Quote(file))
		}
	}
	python, err := step.FindPython(func(name string) string { v, _ := a.w.Env(name); return v }, osexec.LookPath)
	switch {
	case err != nil && named:
		return cli.Fail("Python packages are to be installed because %s: %v", why, err)
	case err != nil:
		return nil // the run says which step lacks it
	}
	p := &packages{a: a, why: why, python: python, environ: a.w.Environ}
	if p.uv, err = osexec.LookPath("uv"); err != nil {
		p.uv = ""
	}
	err = p.install(ctx, r, named)
	if err != nil && !named && ctx.Err() == nil { // nobody asked for it, and steps may do without Prefect
		a.job.Warning(ci.Place{}, "Prefect", fmt.Sprintf("Prefect is missing in %s and could not be installed; what imports it will fail: %s", python, diag.Clean(err.Error())))
		return nil
	}
	return err
}

// packages installs into one Python.
type packages struct {
	a               *action
	why, python, uv string
	environ         []string
}

func (p *packages) install(ctx context.Context, r *deploy.Options, named bool) error {
	has, err := p.probe(ctx)
	if err != nil {
		return err
	}
	if has.prefect && !named {
		return nil
	}
	if has.kept {
		if err := p.makeOwn(ctx, r); err != nil {
			return err
		}
	}
	if named {
		if err := p.run(ctx, installer(p.uv, p.python, p.a.in.Requirements, p.a.in.Pyproject)); err != nil {
			return err
		}
		if has, err = p.probe(ctx); err != nil {
			return err
		}
	}
	if has.prefect {
		return nil
	}
	return p.run(ctx, append(installer(p.uv, p.python, nil, ""), somePrefect))
}

// has is what a Python says of itself: kept by the system, and with a Prefect.
type has struct{ kept, prefect bool }

// probing prints one word for each that holds.
const probing = `import importlib.util, os, sys, sysconfig
sys.path[:] = [p for p in sys.path if p]
if sys.prefix == sys.base_prefix and os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")): print("kept")
if importlib.util.find_spec("prefect"): print("prefect")
`

func (p *packages) probe(ctx context.Context) (has, error) {
	var stderr bytes.Buffer
	c := osexec.CommandContext(ctx, p.python, "-c", probing)
	c.Dir, c.Env, c.Stderr = p.a.dir, p.environ, &stderr
	out, err := c.Output()
	if err != nil {
		return has{}, cli.Fail("Python is needed because %s, and %s does not run (%v): %s", p.why, p.python, err, diag.Clean(stderr.String()))
	}
	words := strings.Fields(string(out))
	var h has
	for _, w := range words {
		h.kept, h.prefect = h.kept || w == "kept", h.prefect || w == "prefect"
	}
	return h, nil
}

// makeOwn makes an environment on top of the Python, once a job, and lets the run and its steps see it.
func (p *packages) makeOwn(ctx context.Context, r *deploy.Options) error {
	temp, _ := p.a.w.Env("RUNNER_TEMP")
	if temp == "" {
		temp = os.TempDir()
	}
	dir := filepath.Join(temp, "prefect-deploy-action-python")
	own := step.InEnvironment(dir)
	if _, err := os.Stat(own); err != nil {
		command := []string{p.python, "-m", "venv", "--system-site-packages", dir}
		if p.uv != "" {
			command = []string{p.uv, "venv", "--python", p.python, "--system-site-packages", dir}
		}
		if err := p.run(ctx, command); err != nil {
			return err
		}
	}
	p.python = own
	path, _ := p.a.w.Env("PATH")
	set := map[string]string{"PREFECT_DEPLOY_PYTHON": own, "VIRTUAL_ENV": dir, "PATH": filepath.Dir(own) + string(filepath.ListSeparator) + path}
	outer := r.Env
	r.Env = func(name string) (string, bool) {
		if v, ok := set[name]; ok {
			return v, true
		}
		return outer(name)
	}
	var environ []string
	for _, entry := range r.Environ {
		if name, _, _ := strings.Cut(entry, "="); set[name] == "" {
			environ = append(environ, entry)
		}
	}
	for _, name := range []string{"PATH", "PREFECT_DEPLOY_PYTHON", "VIRTUAL_ENV"} {
		environ = append(environ, name+"="+set[name])
	}
	r.Environ, p.environ = environ, environ
	return nil
}

// run runs a command and shows what it printed.
func (p *packages) run(ctx context.Context, command []string) error {
	c := osexec.CommandContext(ctx, command[0], command[1:]...)
	c.Dir, c.Env = p.a.dir, p.environ
	output, err := c.CombinedOutput()
	if shown := p.a.job.Print("Python packages, because "+diag.Clean(p.why), diag.CleanLines(string(output))); shown != nil {
		return shown
	}
	if err != nil {
		return cli.Fail("the Python packages could not be installed (%v): see the log above", err)
	}
	return nil
}

// installer is the command line: uv where it is there, else pip. Of a pyproject.toml the project is installed, with what it depends on.
func installer(uv, python string, requirements []string, pyproject string) []string {
	args := []string{python, "-m", "pip", "install", "--disable-pip-version-check"}
	if uv != "" {
		args = []string{uv, "pip", "install", "--python", python}
	}
	for _, file := range requirements {
		args = append(args, "-r", file)
	}
	switch {
	case pyproject == "":
	case filepath.IsAbs(pyproject):
		args = append(args, filepath.Dir(pyproject))
	default:
		args = append(args, "."+string(filepath.Separator)+filepath.Dir(pyproject))
	}
	return args
}

func under(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// chosenOf are the selected deployments, none where the files have faults: those are left to the run itself, which tells them in full.
func chosenOf(r deploy.Options) (*check.Checker, []*resolve.Deployment) {
	c := check.New(os.DirFS(r.Directory))
	var files []*spec.File
	for _, f := range r.Files {
		file, ok := c.Load(f.Name, f.Data)
		if !ok {
			return c, nil
		}
		files = append(files, file)
	}
	var diags diag.List
	chosen, _ := resolve.Select(files, r.Selection, &diags)
	return c, chosen
}

// pythonNeed says what the selected deployments need Python for, "" when nothing.
func pythonNeed(ctx context.Context, r deploy.Options) string {
	c, chosen := chosenOf(r)
	for _, s := range graph.Build(chosen, (*resolve.Deployment).Title).Steps {
		if !r.Given.SkipBuild && !slices.ContainsFunc(r.Given.Steps, func(g handover.Step) bool { return g.Digest == s.Digest }) && deploy.NeedsPython(ctx, r, s.Function, s.Requires, s.Inputs) {
			return "the step " + s.Function + " is a Python function"
		}
	}
	for _, d := range chosen {
		if why := unsettled(c, d); why != "" {
			return why
		}
	}
	return ""
}

// unsettled says what of a deployment's flow only an import can tell.
func unsettled(c *check.Checker, d *resolve.Deployment) string {
	entrypoint := d.Entrypoint()
	if entrypoint == "" {
		return ""
	}
	if strings.Contains(entrypoint, "{{") {
		return "an entrypoint is not known before it is filled in"
	}
	f, problem := c.Flow(d.File, entrypoint)
	if problem != nil || f == nil || sure(f) {
		return ""
	}
	return fmt.Sprintf("the signature of %s cannot be read from its source alone", entrypoint)
}

func sure(f *flow.Flow) bool {
	return f.Unsure == "" && f.NameUnknown == "" && f.DescriptionUnknown == "" && f.VersionUnknown == "" && len(f.Unknown) == 0
}
