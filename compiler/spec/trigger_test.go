// Does ReadTrigger refuse the triggers that Prefect's models refuse, and make of the others what they make? testdata/triggers.jsonl holds what the real models said
// (testdata/triggers.py made it; the real tests make it again).
package spec_test

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

func TestReadsTriggersAsPrefect(t *testing.T) {
	data, err := os.ReadFile("testdata/triggers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines, n := bufio.NewScanner(bytes.NewReader(data)), 0
	for lines.Scan() {
		n++
		row, err := value.FromJSON(lines.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		trigger, want := fromYAML(row.List[0]), row.List[1]
		got := spec.ReadTrigger(trigger, func(value.Value) bool { return false })
		switch {
		case want.IsNull() != (len(got.Faults) > 0):
			t.Errorf("%s\nfaults %v, Prefect makes %s", row.List[0].AppendJSON(nil), got.Faults, want.AppendJSON(nil))
		case !want.IsNull() && !value.Equal(inOrder(named(got.Fields)), want):
			t.Errorf("%s\ngot  %s\nwant %s", row.List[0].AppendJSON(nil), got.Fields.AppendJSON(nil), want.AppendJSON(nil))
		}
	}
	if n < 1500 {
		t.Fatalf("only %d triggers are recorded", n)
	}
}

// fromYAML gives a mapping's keys the kind that a file gives them.
func fromYAML(v value.Value) value.Value {
	for i := range v.List {
		v.List[i] = fromYAML(v.List[i])
	}
	for i := range v.Map {
		v.Map[i].KeyKind, v.Map[i].Value = value.Text, fromYAML(v.Map[i].Value)
	}
	return v
}

// named gives a trigger without a name the one that Prefect's model has for it.
func named(fields value.Value) value.Value {
	if name, _ := fields.Get("name"); name.Text == "" {
		return fields.Set("name", value.Of("Automation for deployment 00000000-0000-0000-0000-000000000001"))
	}
	return fields
}

// inOrder sorts what are sets to Prefect.
func inOrder(v value.Value) value.Value {
	for i := range v.List {
		v.List[i] = inOrder(v.List[i])
	}
	entries := slices.Clone(v.Map)
	for i, e := range entries {
		if e.Key == "after" || e.Key == "expect" || e.Key == "for_each" {
			e.Value.List = slices.Clone(e.Value.List)
			slices.SortFunc(e.Value.List, func(a, b value.Value) int { return strings.Compare(a.Text, b.Text) })
		}
		if e.Key == "trigger" || e.Key == "triggers" {
			e.Value = inOrder(e.Value)
		}
		entries[i] = e
	}
	v.Map = entries
	return v
}

// FuzzReadTrigger: no trigger makes it panic, and what it makes reads back as itself.
func FuzzReadTrigger(f *testing.F) {
	for _, s := range []string{`{}`, `{"triggers":[{"require":1}]}`, `{"type":"metric","metric":{"name":"duration"}}`, `{"expect":["a","a"],"within":"PT5S"}`, `[]`, `{"match":{"a":[1]}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := value.FromJSON([]byte(s))
		if err != nil {
			return
		}
		never := func(value.Value) bool { return false }
		once := spec.ReadTrigger(fromYAML(v), never)
		if trigger, _ := once.Fields.Get("trigger"); len(once.Faults) == 0 {
			again, _ := spec.ReadTrigger(trigger, never).Fields.Get("trigger")
			if !value.Equal(trigger, again) {
				t.Errorf("%s\nonce  %s\nagain %s", s, trigger.AppendJSON(nil), again.AppendJSON(nil))
			}
		}
	})
}
