// set_working_directory natively. Prefect changes its own directory; here nothing global changes: the step says where its list
// goes on, and runner/exec starts the later steps of that list there.
package step

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// setWorkingDirectory gives {"directory": …}: on Prefect 3 the absolute path without symbolic links (os.getcwd() after the change),
// on Prefect 2 the text as written. A relative path counts from c.Dir; `~` has no meaning (prefect/deployments/steps/pull.py).
func setWorkingDirectory(_ context.Context, c Call) (value.Value, error) {
	if err := arguments(c, "directory"); err != nil {
		return value.Value{}, err
	}
	written, _ := c.Inputs.Get("directory")
	dir, err := existing(c.Dir, written.Text)
	if err != nil {
		return value.Value{}, err
	}
	if c.Prefect == 2 {
		return result("directory", written.Text), nil
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return result("directory", dir), nil
}

// existing joins a written directory to the one it counts from and makes sure that it is there.
func existing(from, written string) (string, error) {
	if written == "" {
		return "", fmt.Errorf("the directory is an empty text: write a path, or leave it out")
	}
	dir := written
	if !filepath.IsAbs(dir) {
		dir = from + string(filepath.Separator) + dir // not cleaned: a/../b through a symbolic link is the system's business
	}
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return "", fmt.Errorf("the directory %q does not exist (looked for it in %s)", written, from)
	case err != nil:
		return "", fmt.Errorf("the directory %q cannot be entered: %w", written, err)
	case !info.IsDir():
		return "", fmt.Errorf("%q is a file, not a directory", written)
	}
	return dir, nil
}
