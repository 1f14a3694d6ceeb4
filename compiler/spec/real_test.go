//go:build real

package spec

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// python is the interpreter of the real Prefect: PREFECT_ORACLE_VENV, else the one that `make test` installs.
func python(t *testing.T) string {
	t.Helper()
	venv := os.Getenv("PREFECT_ORACLE_VENV")
	if venv == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatal(err)
		}
		venv = filepath.Join(home, ".cache", "prefect-oracle", "p3")
	}
	path := filepath.Join(venv, "bin", "python")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("a Python with Prefect is needed (PREFECT_ORACLE_VENV): %v", err)
	}
	return path
}

// recordAgain runs a recorder and compares what it writes with what is kept.
func recordAgain(t *testing.T, script, kept string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "recorded")
	command := exec.Command(python(t), script, out)
	command.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir(), "PYTHONHASHSEED=0")
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	got, _ := os.ReadFile(out)
	want, _ := os.ReadFile(kept)
	if bytes.Equal(got, want) {
		return
	}
	if os.Getenv("RECORD") == "" {
		t.Fatalf("%s is no longer what the real thing gives; RECORD=1 writes it anew", kept)
	}
	if err := os.WriteFile(kept, got, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRealPyYAML(t *testing.T) { recordAgain(t, "testdata/record.py", "testdata/pyyaml.jsonl") }

func TestRealModel(t *testing.T) { recordAgain(t, "testdata/fields.py", "testdata/fields.jsonl") }

func TestRealTriggers(t *testing.T) {
	recordAgain(t, "testdata/triggers.py", "testdata/triggers.jsonl")
}
