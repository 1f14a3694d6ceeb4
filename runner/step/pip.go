// pip_install_requirements natively, as Prefect 3.8.8 does it (prefect/deployments/steps/utility.py): the Python that runs steps is started with `-m pip install -r FILE`. Natively means that this Python needs no
// Prefect, and does not import one for it. It is pip also where uv is there, because the step's outputs are what pip printed.
package step

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
)

func isPip(function string) bool {
	return resolve.Canonical(strings.ReplaceAll(function, ":", ".")) == resolve.PipInstall
}

// pipInstall gives {"stdout": …, "stderr": …}.
func (p *Python) pipInstall(ctx context.Context, c Call) (value.Value, error) {
	file, dir, err := requirements(c)
	if err != nil {
		return value.Value{}, err
	}
	p.installing.Lock() // two at once would get into each other's way
	defer p.installing.Unlock()
	var out, errs output
	if stream, ok := c.Inputs.Get("stream_output"); !ok || stream.Truthy() {
		out.live.to, errs.live.to = c.Stdout, c.Stderr
	}
	child, err := start(&exec.Cmd{Path: p.Path, Args: []string{p.Path, "-m", "pip", "install", "-r", file}, Dir: dir, Env: c.Env}, out.write, errs.write)
	if err != nil {
		return value.Value{}, fmt.Errorf("Python (%s) cannot be started: %s", p.Path, reason(err))
	}
	select {
	case <-child.drained:
	case <-ctx.Done():
		child.stop()
		return value.Value{}, ctx.Err()
	}
	out.live.end()
	errs.live.end()
	code := exitCode(child.cmd.ProcessState)
	switch {
	case code != 0 && strings.Contains(errs.text(), "No module named pip"):
		return value.Value{}, fmt.Errorf("the Python of the steps (%s) has no pip, which pip_install_requirements is: install it (python -m ensurepip, or uv pip install pip)", p.Path)
	case code != 0:
		return value.Value{}, &ExitError{What: "pip install -r " + file, Code: code, Stderr: errs.text()}
	}
	return result("stdout", strip(out.text()), "stderr", strip(errs.text())), nil
}

// requirements are the file and the directory of a call.
func requirements(c Call) (file, dir string, err error) {
	const name = "pip_install_requirements"
	if c.Inputs.Kind != value.Map && !c.Inputs.IsNull() {
		return "", "", fmt.Errorf("the inputs of %s must be a mapping, not %s", name, c.Inputs.Kind)
	}
	file, dir = "requirements.txt", c.Dir
	for _, e := range c.Inputs.Map {
		switch e.Key {
		case "stream_output":
		case "requirements_file":
			if e.Value.Kind != value.Text || strings.IndexByte(e.Value.Text, 0) >= 0 {
				return "", "", fmt.Errorf("the argument \"requirements_file\" of %s must be the text of a path, not %s", name, e.Value.Kind)
			}
			file = e.Value.Text
		case "directory":
			if e.Value.IsNull() {
				continue
			}
			if e.Value.Kind != value.Text || strings.IndexByte(e.Value.Text, 0) >= 0 {
				return "", "", fmt.Errorf("the argument \"directory\" of %s must be the text of a path, not %s", name, e.Value.Kind)
			}
			if dir, err = existing(c.Dir, e.Value.Text); err != nil {
				return "", "", err
			}
		default:
			return "", "", fmt.Errorf("%s has no argument %q; it takes directory, requirements_file, stream_output", name, e.Key)
		}
	}
	return file, dir, nil
}
