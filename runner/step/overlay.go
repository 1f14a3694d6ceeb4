// A Python environment on top of another one: what is installed below is there, what a step installs goes into the upper one. A check of pull sections uses it, for pip_install_requirements and `requires` would
// otherwise change the environment of whoever asks.
//
// It is a virtual environment whose packages' folder holds a file that names those of the one below (https://docs.python.org/3/library/site.html). pip does not touch what lies outside of its environment: a newer
// version of a package goes into the upper one, and is found first.
package step

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// overlaid makes the environment in argv[1]; it needs nothing but the standard library, and no pip, which is below.
const overlaid = `import os, sys, venv
paths = [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages")]
dir = sys.argv[1]
venv.create(dir, with_pip=False, symlinks=os.name != "nt")
version = "python%d.%d" % sys.version_info[:2]
packages = os.path.join(dir, "Lib", "site-packages") if os.name == "nt" else os.path.join(dir, "lib", version, "site-packages")
with open(os.path.join(packages, "below.pth"), "w") as file:
    file.write("".join("import site; site.addsitedir(%r)\n" % p for p in paths))`

// Overlay makes an environment in dir on top of python's, and gives its interpreter.
func Overlay(ctx context.Context, python, dir string, env []string) (string, error) {
	var out, errs output
	c, err := startWords([]string{python, "-c", overlaid, dir}, filepath.Dir(dir), env, defaultPath, out.write, errs.write)
	if err != nil {
		return "", fmt.Errorf("Python cannot be started: %w", err)
	}
	select {
	case <-c.drained:
	case <-ctx.Done():
		c.stop()
		return "", ctx.Err()
	}
	if exitCode(c.cmd.ProcessState) != 0 {
		return "", errors.New(withTail("there is no environment to run Python steps in: python -m venv failed", errs.text()))
	}
	return InEnvironment(dir), nil
}
