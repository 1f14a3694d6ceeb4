//go:build real

// The recordings of `prefect init` made again, and our files read by the library that Prefect reads them with. PREFECT_ORACLE_VENV names an environment with Prefect 3.8.8.
package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
)

func TestRealInit(t *testing.T) {
	python := filepath.Join(os.Getenv("PREFECT_ORACLE_VENV"), "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Fatalf("PREFECT_ORACLE_VENV must name an environment with Prefect 3.8.8: %v", err)
	}
	again := filepath.Join(t.TempDir(), "init.json")
	every := 3 // a sample; make prove asks for all
	if os.Getenv("PROVE") != "" {
		every = 1
	}
	record := exec.Command(python, "testdata/record_init.py", again, strconv.Itoa(every))
	record.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir())
	if out, err := record.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ignore, cases := recordedBeginnings(t, again)
	keptIgnore, all := recordedBeginnings(t, "testdata/init.json")
	var kept []begun
	for i := 0; i < len(all); i += every {
		kept = append(kept, all[i])
	}
	if !reflect.DeepEqual(ignore, keptIgnore) || !reflect.DeepEqual(cases, kept) {
		t.Error("Prefect answers otherwise than recorded: run testdata/record_init.py and review the difference")
	}
	load := asPyYAML(t, python)
	for _, c := range cases {
		t.Run(c.About, func(t *testing.T) { c.compare(t, load) })
	}
}

// asPyYAML starts a process that loads files, a line in and a line out for each.
func asPyYAML(t *testing.T, python string) func(*testing.T, string) any {
	t.Helper()
	loader := exec.Command(python, "-u", "-c", "import json, sys, yaml\nfor line in sys.stdin:\n    print(json.dumps(yaml.safe_load(open(json.loads(line), encoding='utf-8'))))")
	in, err := loader.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := loader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := loader.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = loader.Wait() })
	ask, answers := json.NewEncoder(in), json.NewDecoder(out)
	return func(t *testing.T, path string) (tree any) {
		t.Helper()
		if err := ask.Encode(path); err != nil {
			t.Fatal(err)
		}
		if err := answers.Decode(&tree); err != nil {
			t.Fatal(err)
		}
		return tree
	}
}
