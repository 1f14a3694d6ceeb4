// Which Python: the one that the user's own `prefect deploy` would have run in, as far as that can be told. An explicit variable
// wins over an active environment, and that over what PATH happens to hold.
package step

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// pythonVariable names the interpreter for everybody who wants to say it outright.
const pythonVariable = "PREFECT_DEPLOY_PYTHON"

// FindPython gives the path of the Python to use. lookup reads an environment variable ("" when unset); look is exec.LookPath or
// its like: the full path of a program given by name or path, or an error. The order: PREFECT_DEPLOY_PYTHON, an active VIRTUAL_ENV,
// UV_PYTHON (a program, or the version that a program is called by: python3.11 of "3.11"), PREFECT_ORACLE_VENV (the environment with the Prefect that a conformance
// run compares with), python3, python.
func FindPython(lookup func(string) string, look func(string) (string, error)) (string, error) {
	if named := lookup(pythonVariable); named != "" {
		path, err := look(named)
		if err != nil {
			return "", fmt.Errorf("%s names %q, which cannot be run: %w", pythonVariable, named, err)
		}
		return path, nil
	}
	candidates := []string{
		InEnvironment(lookup("VIRTUAL_ENV")), program(lookup("UV_PYTHON")), InEnvironment(lookup("PREFECT_ORACLE_VENV")), "python3", "python",
	}
	for _, candidate := range candidates {
		if candidate == "" {
			continue
		}
		if path, err := look(candidate); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Python was found: install Python 3.8 or later (in GitHub Actions: actions/setup-python) and the packages that the steps use, or set %s to its path", pythonVariable)
}

// InEnvironment is the interpreter of a virtual environment.
func InEnvironment(dir string) string {
	switch {
	case dir == "":
		return ""
	case runtime.GOOS == "windows":
		return filepath.Join(dir, "Scripts", "python.exe")
	}
	return filepath.Join(dir, "bin", "python")
}

// program is the program that UV_PYTHON asks for: a path, a name, or python3.11 of "3.11", "3.11.4", "cpython@3.11" and "python3.11". A range (">=3.9") names none.
func program(request string) string {
	if strings.ContainsAny(request, `/\`) {
		return request
	}
	version := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(request, "cpython"), "python"), "@")
	parts := strings.Split(version, ".")
	switch {
	case strings.HasPrefix(request, "python") && !strings.Contains(request, "@"):
		return request
	case version == "" || strings.Trim(version, "0123456789.") != "":
		return ""
	case len(parts) == 1:
		return "python" + parts[0]
	}
	return "python" + parts[0] + "." + parts[1]
}
