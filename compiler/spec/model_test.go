// Does this package refuse what Prefect's model refuses, at the same field, and nothing else? testdata/fields.jsonl holds what the real model said to
// some 3,600 small documents (testdata/fields.py made it; the real tests make it again).
package spec_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

// laterFaults are the codes of errors that the model lets pass and Prefect fails on afterwards, or that are departures of ours.
var laterFaults = map[string]bool{"tags-not-a-list": true, "invalid-concurrency-limit": true, "invalid-step": true, "two-schedule-keys": true, "invalid-version-type": true}

func TestRefusesWhatPrefectRefuses(t *testing.T) {
	data, err := os.ReadFile("testdata/fields.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	n := 0
	for lines.Scan() {
		n++
		var row [2]json.RawMessage
		var doc string
		var bad []int
		for _, err := range []error{json.Unmarshal(lines.Bytes(), &row), json.Unmarshal(row[0], &doc), json.Unmarshal(row[1], &bad)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		ours, text := errorLines([]byte(doc))
		why, known := knownModelDifferences[doc]
		if agree(ours, bad) == known {
			t.Errorf("%q\ngot errors at %v\nwant them at %v (listed as different: %q)\n%s", doc, ours, bad, why, text)
		}
	}
	if n < 3000 {
		t.Fatalf("only %d documents are recorded", n)
	}
}

// agree: errors in both or in neither, and ours at lines that Prefect names too.
func agree(ours, bad []int) bool {
	for _, line := range ours {
		found := false
		for _, b := range bad {
			found = found || b == line
		}
		if !found {
			return false
		}
	}
	return len(ours) > 0 == (len(bad) > 0)
}

// errorLines are the lines of the errors that follow from the form of the file: those of this package, and intervals, whose text is read later.
func errorLines(src []byte) (lines []int, text string) {
	f, diags := spec.Load("prefect.yaml", src)
	for i := range f.Len() {
		d := f.Deployment(i, &diags)
		list := d.Field("schedules").List
		if old := d.Field("schedule"); old.Truthy() {
			list = append(list, old)
		}
		for _, s := range list {
			if _, fault := resolve.Timing(s); fault != nil && fault.Problem.Code == "invalid-interval" {
				diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "interval", Position: f.Position(fault.Value.Pos), Message: fault.Problem.Message})
			}
		}
	}
	for _, d := range diags.Sorted() {
		if d.Severity == diag.Error && !laterFaults[d.Code] {
			lines = append(lines, d.Line)
		}
	}
	return lines, diags.Error()
}
