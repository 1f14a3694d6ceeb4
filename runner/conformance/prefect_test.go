//go:build real

package conformance

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var record = flag.Bool("record", false, "write expected.json of each case anew from what the real Prefect does")

// TestPrefect asks the real Prefect what each case leaves, holds that against the recording, and then our program, on the same server made clean again, against both.
func TestPrefect(t *testing.T) {
	for i, c := range cases(t) {
		if i%4 != 0 && c.Needs == "" && !allCases() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			a := server(t)
			bin := filepath.Join(venv(t), "bin")
			path := bin + string(os.PathListSeparator) + os.Getenv("PATH")
			theirs, said := c.deploy(t, a, command{words: []string{filepath.Join(bin, "prefect"), "--no-prompt", "deploy"}, path: path})
			if *record {
				c.write(t, theirs)
			}
			if d := differences(c.recording(t), theirs); len(d) > 0 {
				t.Fatalf("%s\nthe real Prefect does other than recorded; if that is right, `make record` and review the difference\n%s\noutput:\n%s", c.About, strings.Join(d, "\n"), said)
			}
			ours, said, again := c.deployOurs(t, a, path)
			if d := c.unexpected(differences(theirs, ours), func(string) bool { return true }); len(d) > 0 {
				t.Errorf("%s\n%s\noutput:\n%s", c.About, strings.Join(d, "\n"), said)
			}
			if len(again) > 0 {
				t.Errorf("%s\n%s", c.About, strings.Join(again, "\n"))
			}
		})
	}
}

// allCases: `make test` asks the real Prefect for every fourth case again, as each takes seconds; what was recorded of the others is compared without it (TestRecorded), so those that need Python or a server are always asked. `make prove` (PROVE=1), -record and -run with a case's
// name ask for what they name.
func allCases() bool {
	return *record || os.Getenv("PROVE") != "" || strings.Contains(flag.Lookup("test.run").Value.String(), "/")
}

// deploy runs the command against the clean server with the case's setup, and tells what is there then.
func (c *testCase) deploy(t *testing.T, a api, cmd command) (*snapshot, string) {
	t.Helper()
	s, output, _, _, _ := c.deployed(t, a, cmd)
	return s, output
}

// deployOurs is deploy by our program; again is what a plan and a second deploy then find to do, which must be nothing.
func (c *testCase) deployOurs(t *testing.T, a api, path string, env ...string) (s *snapshot, output string, again []string) {
	t.Helper()
	s, output, project, cmd, w := c.deployed(t, a, command{words: []string{program(t), "deploy"}, path: path, env: env})
	if !s.Failed {
		again = c.again(t, project, cmd, w)
	}
	return s, output, again
}

func (c *testCase) deployed(t *testing.T, a api, cmd command) (s *snapshot, output, project string, used command, w *wire) {
	t.Helper()
	a.reset(t)
	a.seed(t, c.Setup)
	w, address := watch(t, a)
	cmd.env = append(cmd.env, "PREFECT_API_URL="+address)
	project = c.layOut(t)
	code, output := c.run(t, project, cmd)
	s = a.snapshot(t, project, w)
	s.Failed = code != 0
	return s, output, project, cmd, w
}

func (c *testCase) write(t *testing.T, s *snapshot) {
	t.Helper()
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "expected.json"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
