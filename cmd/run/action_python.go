// The project's Python packages. They are installed only where Python code of the project is going to run: steps that are Python functions, and flows whose
// signature their source does not tell for sure. Most projects have neither, and are deployed without waiting for packages.
package main

import (
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
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/handover"
	"github.com/org/prefect-deploy-action/runner/step"
)

// install installs what requirements-file-paths and pyproject-toml-path name, if a Python is needed at all.
func (a *action) install(ctx context.Context, r deploy.Options) error {
	if len(a.in.Requirements) == 0 && a.in.Pyproject == "" {
		return nil
	}
	why := pythonNeed(r)
	if why == "" {
		return a.job.Print("", "No Python packages were installed: no step and no flow of these deployments needs Python here.")
	}
	return a.installFor(ctx, why)
}

// installFor installs them because of something.
func (a *action) installFor(ctx context.Context, why string) error {
	for _, file := range append(a.in.Requirements[:len(a.in.Requirements):len(a.in.Requirements)], a.in.Pyproject) {
		if _, err := os.Stat(under(a.dir, file)); file != "" && err != nil {
			return cli.Fail("the Python packages cannot be installed: there is no file %s in the working directory", diag.Quote(file))
		}
	}
	python, err := step.FindPython(func(name string) string { v, _ := a.w.Env(name); return v }, osexec.LookPath)
	if err != nil {
		return cli.Fail("Python packages are to be installed because %s: %v", why, err)
	}
	uv, err := osexec.LookPath("uv")
	if err != nil {
		uv = ""
	}
	command := osexec.CommandContext(ctx, python)
	command.Path, command.Args = installer(uv, python, a.in.Requirements, a.in.Pyproject)
	command.Dir, command.Env = a.dir, a.w.Environ
	output, err := command.CombinedOutput()
	if shown := a.job.Print("Python packages, because "+diag.Clean(why), diag.CleanLines(string(output))); shown != nil {
		return shown
	}
	if err != nil {
		return cli.Fail("the Python packages could not be installed (%v): see the log above", err)
	}
	return nil
}

// installer is the command line: uv where it is there, else pip. pip reads no pyproject.toml as a list of requirements, but installs the project beside it.
func installer(uv, python string, requirements []string, pyproject string) (path string, args []string) {
	args = []string{python, "-m", "pip", "install", "--disable-pip-version-check"}
	if uv != "" {
		args = []string{uv, "pip", "install", "--python", python}
	}
	for _, file := range requirements {
		args = append(args, "-r", file)
	}
	switch {
	case pyproject == "":
	case uv != "":
		args = append(args, "-r", pyproject)
	default:
		args = append(args, "."+string(filepath.Separator)+filepath.Dir(pyproject))
		if filepath.IsAbs(pyproject) {
			args[len(args)-1] = filepath.Dir(pyproject)
		}
	}
	return args[0], args
}

func under(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// pythonNeed says what the selected deployments need Python for, "" when nothing. Faults of the files are left to the run itself, which tells them in full.
func pythonNeed(r deploy.Options) string {
	c := check.New(os.DirFS(r.Directory))
	var files []*spec.File
	for _, f := range r.Files {
		file, ok := c.Load(f.Name, f.Data)
		if !ok {
			return ""
		}
		files = append(files, file)
	}
	var diags diag.List
	chosen, err := resolve.Select(files, r.Selection, &diags)
	if err != nil {
		return ""
	}
	for _, s := range graph.Build(chosen, (*resolve.Deployment).Title).Steps {
		if !r.Given.SkipBuild && !slices.ContainsFunc(r.Given.Steps, func(g handover.Step) bool { return g.Digest == s.Digest }) && step.NeedsPython(s.Function, s.Requires) {
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
