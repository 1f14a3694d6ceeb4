//go:build real

// Asks the real server's checks again: with other random cases, and with the templates that the installed Prefect brings along for its
// own kinds of work pools. PREFECT_ORACLE_VENV names an environment with Prefect 3.8.8 on Python 3.11.
package plan

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestJobVariablesReal(t *testing.T) {
	venv := os.Getenv("PREFECT_ORACLE_VENV")
	if venv == "" {
		t.Fatal("PREFECT_ORACLE_VENV is not set; it must name a virtual environment with Prefect 3.8.8")
	}
	number, least := "12", 50 // a sample; make prove asks for more
	if os.Getenv("PROVE") != "" {
		number, least = "120", 500
	}
	for name, args := range map[string][]string{"ours": {"17", number}, "installed": {"18", number, "worker-metadata"}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "again.json")
			command := exec.Command(filepath.Join(venv, "bin", "python"), append([]string{"testdata/jobvariables.py", path}, args...)...)
			command.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir())
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			compareVariables(t, path, least)
		})
	}
}
