//go:build real

// The recordings are what the real prefect-docker asks for today: a difference means that it was changed, or somebody's recording.
package docker

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func python(t *testing.T) string {
	t.Helper()
	p := os.Getenv("PYTHON")
	if p == "" {
		t.Fatal("PYTHON must name a Python with Prefect 3.8.8 and prefect-docker 0.7.4; make test sets it")
	}
	return p
}

func TestRecordedIsReal(t *testing.T) {
	dir := t.TempDir()
	script, err := filepath.Abs("testdata/record.py")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python(t), script, dir)
	cmd.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the real one asks for something else than testdata/golden.json: run testdata/record.py, and see what git diff says")
	}
}
