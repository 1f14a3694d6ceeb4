// Does this package read YAML as Prefect does? testdata/pyyaml.jsonl holds what PyYAML's safe_load made of some 3,000 scalars and documents
// (testdata/record.py made it; the real tests make it again); each must come out equal here, or be an error in both.
package spec

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// recordedCase is one line of the recording.
type recordedCase struct {
	doc    []byte
	failed bool
	want   string
}

func recordedCases(t testing.TB, path string) []recordedCase {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []recordedCase
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row []json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		var doc, outcome string
		_ = json.Unmarshal(row[0], &doc)
		_ = json.Unmarshal(row[1], &outcome)
		c := recordedCase{failed: outcome == "error"}
		if text, ok := strings.CutPrefix(doc, "t"); ok {
			c.doc = []byte(text)
		}
		if raw, err := base64.StdEncoding.DecodeString(doc); c.doc == nil && err == nil {
			c.doc = raw
		}
		if !c.failed {
			var v any
			d := json.NewDecoder(bytes.NewReader(row[2]))
			d.UseNumber()
			_ = d.Decode(&v)
			c.want = canonical(v)
		}
		out = append(out, c)
	}
	return out
}

// canonical writes the recorder's form in one way, with floats by value.
func canonical(v any) string {
	if l, ok := v.([]any); ok && len(l) == 2 && l[0] == "f" {
		text, _ := l[1].(string)
		f, _ := strconv.ParseFloat(text, 64)
		v = []any{"f", strconv.FormatFloat(f, 'g', -1, 64)}
	} else if ok {
		parts := make([]string, len(l))
		for i, x := range l {
			parts[i] = canonical(x)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSpace(b.String())
}

// shape is a value in the recorder's form.
func shape(v value.Value) any {
	switch v.Kind {
	case value.Bool:
		return v.Bool
	case value.Int:
		return []any{"i", v.Repr()}
	case value.Float:
		return []any{"f", v.Repr()}
	case value.Text:
		if v.Origin.Has(value.Dated) {
			return []any{"d", v.Text}
		}
		return v.Text
	case value.List:
		items := make([]any, len(v.List))
		for i := range v.List {
			items[i] = shape(v.List[i])
		}
		return []any{"l", items}
	case value.Map:
		items := make([]any, len(v.Map))
		for i, e := range v.Map {
			items[i] = []any{e.Key, shape(e.Value)}
		}
		return []any{"m", items}
	}
	return nil
}

// readAll is the whole document as a value; ok is false when there is an error.
func readAll(src []byte) (value.Value, diag.List) {
	root, faults := parse("f.yaml", src)
	if faults != nil {
		return value.Value{}, faults
	}
	var diags diag.List
	if root == nil {
		return value.Value{}, nil
	}
	c := converter{file: "f.yaml", src: src, diags: &diags}
	v, _ := c.convert(root)
	return v, diags
}

func TestReadsAsPyYAML(t *testing.T) {
	cases := recordedCases(t, "testdata/pyyaml.jsonl")
	if len(cases) < 2500 {
		t.Fatalf("only %d cases are recorded", len(cases))
	}
	seen := map[string]bool{}
	for _, c := range cases {
		v, diags := readAll(c.doc)
		got, failed := canonical(shape(v)), diags.Errors(false) > 0
		why, known := knownDifferences[string(c.doc)]
		if failed == c.failed && (failed || got == c.want) {
			if known {
				t.Errorf("%q no longer differs (%s): take it off the list", c.doc, why)
			}
			continue
		}
		seen[string(c.doc)] = true
		if known {
			continue
		}
		if failed {
			got = "error: " + diags.Error()
		}
		if c.failed {
			c.want = "an error"
		}
		t.Errorf("%q\ngot  %s\nwant %s", c.doc, got, c.want)
	}
	for doc, why := range knownDifferences {
		if !seen[doc] {
			t.Errorf("%q is on the list of differences (%s), but is not recorded, or does not differ", doc, why)
		}
	}
}
