// The same proof on flows of our own: testdata/record.py asked the real Prefect 3.8.8 (Python 3.11) about testdata/flows, and
// testdata/recorded.json is what it said. `go test -tags real` asks again.

package flow

import (
	"os"
	"sort"
	"testing"
)

// answer is what Prefect said about one entrypoint.
type answer struct {
	Error, Name, Description string
	Version                  *string
	Schema                   map[string]any
}

// mayDiffer lists entrypoints that Prefect refuses and that are not refused here, each with its reason.
func mayDiffer(entrypoint string) string {
	switch entrypoint {
	}
	return ""
}

// checkAnswers compares what is derived from the files below dir with what Prefect said.
func checkAnswers(t *testing.T, dir string, answers map[string]answer) *compared {
	t.Helper()
	keys := make([]string, 0, len(answers))
	for k := range answers {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	loader := NewLoader(os.DirFS(dir))
	all := &compared{}
	for _, k := range keys {
		want := answers[k]
		f, p := loader.Load(k)
		switch {
		case p != nil && want.Error == "":
			t.Errorf("%s: refused: %s (%s)", k, p.Error(), p.Code)
		case p == nil && want.Error != "":
			if f.Unsure == "" && len(f.Unknown) == 0 && mayDiffer(k) == "" {
				t.Errorf("%s: accepted as %q, but Prefect says %s", k, f.Name, want.Error)
			}
		case p == nil:
			checkAnswer(t, k, f, want)
			plain(want.Schema)
			all.compare(k, f, want.Schema)
		}
	}
	return all
}

func checkAnswer(t *testing.T, k string, f *Flow, want answer) {
	t.Helper()
	if f.NameUnknown == "" && f.Name != want.Name {
		t.Errorf("%s: name %q, want %q", k, f.Name, want.Name)
	}
	if f.DescriptionUnknown == "" && f.Description != want.Description {
		t.Errorf("%s: description %q, want %q", k, f.Description, want.Description)
	}
	version := ""
	if want.Version != nil {
		version = *want.Version
	}
	if f.VersionUnknown == "" && f.Version != version {
		t.Errorf("%s: version %q, want %q", k, f.Version, version)
	}
}

func TestRecorded(t *testing.T) {
	data, err := os.ReadFile("testdata/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	var answers map[string]answer
	decodePlain(t, data, &answers)
	all := checkAnswers(t, "testdata/flows", answers)
	report(t, "testdata/flows", all, len(answers))
	if all.total < 400 || float64(all.derived) < 0.75*float64(all.total) {
		t.Errorf("only %d of %d parameters are derived", all.derived, all.total)
	}
}
