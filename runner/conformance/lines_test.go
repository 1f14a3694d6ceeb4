//go:build real

// Whole command lines, by both programs: what cmd/run/testdata/options.json holds of the parser alone, here with what comes of it. Each line runs where the file has one
// deployment and where it has two, and must leave the same and end alike, with zero or with another code, but for the rows of docs/differences.md that the table below names.
package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lineProject is a folder in which the lines' names mean something: files, flows, pools and deployments of these names are there.
func lineProject(t *testing.T, deployments ...string) string {
	t.Helper()
	const source = "from prefect import flow\n\n\n@flow\ndef f(a=None, b=None):\n    pass\n"
	var list []any
	for _, name := range deployments {
		list = append(list, object{"name": name, "entrypoint": "flow.py:f", "tags": []any{"of the file"}, "schedules": []any{object{"cron": "0 1 * * *", "slug": "s"}}, "work_pool": object{"name": "pool"}})
	}
	yaml, dir := text(object{"deployments": list}), t.TempDir()
	for name, data := range map[string]string{"prefect.yaml": yaml, "x": yaml, "a/b.yaml": yaml, "flow.py": source, "a.py": source, "b.py": source,
		"t.yaml": "triggers: [{match: {prefect.resource.id: x}, expect: [y]}]\n", "s.json": `{"sla": []}`} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lineDepartures are the rows that lines show, by the number of deployments in the file and their words. Everywhere else the two end alike.
func lineDepartures() map[string]string {
	return map[string]string{
		`one: ["-n","a","-n","b/c","flow.py:f"]`:     "unknown-name",
		`several: ["-n","a","-n","b/c","flow.py:f"]`: "unknown-name",
		`one: ["--name=a","-nb"]`:                    "unknown-name",
		`several: ["--name=a","-nb"]`:                "unknown-name",
		`one: ["--name","-1"]`:                       "unknown-name",
		`one: ["--name=--all"]`:                      "unknown-name",
		`one: ["--name","-1.5e3"]`:                   "unknown-name",
		`one: ["--name","-0x10"]`:                    "unknown-name",
		`one: ["-ntx"]`:                              "unknown-name",
		`one: ["--sla","{\"a\": 1}"]`:                "first-failure",
		`one: ["--sla","s.json","--sla","t.yaml"]`:   "first-failure",
		`one: ["--empty-sla"]`:                       "first-failure",
	}
}

// TestCommandLines: a sample in `make test`, all with PROVE, those that hold a text with LINES.
func TestCommandLines(t *testing.T) {
	var recorded struct{ Lines []struct{ Args []string } }
	readJSON(t, "../../cmd/run/testdata/options.json", &recorded)
	a := server(t)
	a.reset(t)
	a.seed(t, setup{WorkPools: []map[string]any{{"name": "pool"}, {"name": "p"}, {"name": "z"}}})
	w, address := watch(t, a)
	b := &bench{a, w, address, startPrefects(t)}
	departures, shown := lineDepartures(), map[string]bool{}
	tried, refused := 0, 0
	for i, line := range recorded.Lines {
		for _, names := range [][]string{{"a"}, {"a", "x"}} {
			key := strings.TrimSpace(map[int]string{1: "one: ", 2: "several: "}[len(names)] + text(line.Args))
			row := departures[key]
			some := os.Getenv("LINES")
			if some == "" && !allCases() && (i+len(names))%12 != 0 || !strings.Contains(key, some) {
				continue
			}
			c := &testCase{dir: lineProject(t, names...), name: "made", Args: line.Args}
			o := b.compare(t, c, func(string) bool {
				if row != "" {
					shown[key] = true
				}
				return row != ""
			})
			tried++
			if o.refused {
				refused++
			}
			if row != "" && !shown[key] {
				t.Errorf("%s: it no longer departs (%s)", key, row)
			}
			if len(o.faults) > 0 {
				t.Errorf("%s\n  %s\n%s", key, strings.Join(o.faults, "\n  "), o.said)
			}
		}
	}
	t.Logf("%d command lines, of which the real Prefect refuses %d; %d depart", tried, refused, len(shown))
}
