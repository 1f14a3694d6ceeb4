//go:build real

// Records again with the real Prefect and compares with the recording and with this package: a newer golden.json can't hide a
// disagreement, nor an older one a change of Prefect's. PREFECT_ORACLE_VENV names an environment with Prefect 3.8.8 on Python 3.11.
package schedule

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
)

func TestRealPrefect(t *testing.T) {
	venv := os.Getenv("PREFECT_ORACLE_VENV")
	if venv == "" {
		t.Fatal("PREFECT_ORACLE_VENV is not set; it must name a virtual environment with Prefect 3.8.8")
	}
	record := func(name string, args ...string) golden {
		path := filepath.Join(t.TempDir(), name)
		command := exec.Command(filepath.Join(venv, "bin", "python"), append([]string{"testdata/record.py", path}, args...)...)
		command.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir())
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return readGolden(t, path)
	}
	if again := record("again.json"); !reflect.DeepEqual(again, readGolden(t, "testdata/golden.json")) {
		t.Error("Prefect answers otherwise than recorded: run testdata/record.py and review the difference")
	}
	compareGolden(t, record("more.json", "11", "2500"))
}

// TestRealTimes asks the server's code again for run times: for the recorded schedules, and for others made up at random.
func TestRealTimes(t *testing.T) {
	venv := os.Getenv("PREFECT_ORACLE_VENV")
	if venv == "" {
		t.Fatal("PREFECT_ORACLE_VENV is not set; it must name a virtual environment with Prefect 3.8.8")
	}
	seeds, number, least := []string{"77"}, "20", 1000 // a sample; make prove asks for all
	if os.Getenv("PROVE") != "" {
		seeds, number, least = []string{"77", "41"}, "250", 2000
	}
	for _, seed := range seeds {
		path := filepath.Join(t.TempDir(), "times.json")
		command := exec.Command(filepath.Join(venv, "bin", "python"), "testdata/times.py", path, seed, number)
		command.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir())
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		compareTimes(t, readTimes(t, path), least)
	}
}
