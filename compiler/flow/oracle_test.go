// The proof of the derivation: what a real `prefect deploy` registered for the cases of the shared oracle, where that folder is there.

package flow

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

const oracle = "../../../shared/oracle/cases"

// plain turns decoded JSON into the shapes of Flow.Schema: numbers as int64 or float64, by how they are written.
func plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := x.Int64(); err == nil && !strings.ContainsAny(x.String(), ".eE") {
			return i
		}
		f, _ := x.Float64()
		return f
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = plain(x[k])
		}
	}
	return v
}

func decodePlain(t testing.TB, data []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// compared is the count of parameters, and the list of what was wrong or unknown.
type compared struct {
	total, derived int
	unknown, wrong []string
}

// compare checks a flow's schema against a recorded one, parameter by parameter.
func (c *compared) compare(where string, f *Flow, want map[string]any) {
	properties, _ := want["properties"].(map[string]any)
	names := make([]string, 0, len(properties))
	for n := range properties {
		names = append(names, n)
	}
	sort.Strings(names)
	reasons := map[string]string{}
	for _, u := range f.Unknown {
		reasons[u.Parameter] = u.Reason
	}
	required := map[string]bool{}
	list, _ := want["required"].([]any)
	for _, r := range list {
		required[r.(string)] = true
	}
	defs, _ := want["definitions"].(map[string]any)
	ours := map[string]Parameter{}
	for _, p := range f.Parameters {
		ours[p.Name] = p
	}
	for _, n := range names {
		c.total++
		reason, unknown := reasons[n]
		if whole := reasons[""]; whole != "" {
			reason, unknown = whole, true
		}
		if unknown {
			c.unknown = append(c.unknown, where+" "+n+": "+reason)
			continue
		}
		p, ok := ours[n]
		switch {
		case !ok:
			c.wrong = append(c.wrong, where+" "+n+": missing")
		case !sameJSON(map[string]any(p.Schema), properties[n]):
			c.wrong = append(c.wrong, where+" "+n+": got "+show(p.Schema)+" want "+show(properties[n]))
		case p.Required != required[n]:
			c.wrong = append(c.wrong, where+" "+n+fmt.Sprintf(": required %v, want %v", p.Required, required[n]))
		default:
			c.derived++
			c.definitions(where+" "+n, p.Schema, f.Schema, defs)
		}
	}
	for _, p := range f.Parameters {
		if _, ok := properties[p.Name]; !ok {
			c.wrong = append(c.wrong, where+" "+p.Name+": too much")
		}
	}
	if len(f.Unknown) == 0 && !sameJSON(f.Schema, want) {
		c.wrong = append(c.wrong, where+": got "+show(f.Schema)+" want "+show(want))
	}
}

// definitions checks what a property refers to.
func (c *compared) definitions(where string, property any, schema, want map[string]any) {
	for _, m := range regexp.MustCompile(`#/definitions/([^"]+)`).FindAllStringSubmatch(show(property), -1) {
		ours, _ := schema["definitions"].(map[string]any)
		if !sameJSON(ours[m[1]], want[m[1]]) {
			c.wrong = append(c.wrong, where+": definition "+m[1]+" got "+show(ours[m[1]])+" want "+show(want[m[1]]))
		}
	}
}

type recorded struct {
	ExitCode    int `json:"exit_code"`
	Deployments []struct {
		Entrypoint  string
		Name        string
		FlowName    string `json:"flow_name"`
		Description string
		Version     any
		Schema      map[string]any `json:"parameter_openapi_schema"`
	}
}

func TestOracle(t *testing.T) {
	if _, err := os.Stat(oracle); err != nil {
		t.Skip("the shared oracle is not beside this repository")
	}
	cases, _ := filepath.Glob(filepath.Join(oracle, "schema-*"))
	if len(cases) < 20 {
		t.Fatalf("only %d schema cases in %s", len(cases), oracle)
	}
	others, _ := filepath.Glob(filepath.Join(oracle, "*"))
	cases = append(cases, others...)
	var all compared
	flows, schemaCases := 0, 0
	for _, dir := range cases[:len(cases)-len(others)] {
		schemaCases++
		flows += checkCase(t, dir, &all, true)
	}
	report(t, "schema-*", &all, flows)
	if all.total == 0 || float64(all.derived) < 0.6*float64(all.total) {
		t.Errorf("only %d of %d parameters are derived", all.derived, all.total)
	}
	var rest compared
	flows = 0
	for _, dir := range others {
		if !strings.HasPrefix(filepath.Base(dir), "schema-") {
			flows += checkCase(t, dir, &rest, false)
		}
	}
	report(t, "other cases", &rest, flows)
}

func report(t *testing.T, what string, c *compared, flows int) {
	t.Helper()
	t.Logf("%s: %d flows, %d of %d parameters derived, %d unknown", what, flows, c.derived, c.total, len(c.unknown))
	for _, u := range c.unknown {
		t.Log("unknown: ", u)
	}
	for _, w := range c.wrong {
		t.Error("wrong: ", w)
	}
}

func checkCase(t *testing.T, dir string, all *compared, must bool) (flows int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "expected/prefect-3.json"))
	if err != nil {
		if must {
			t.Error(err)
		}
		return 0
	}
	var want recorded
	decodePlain(t, data, &want)
	loader := NewLoader(os.DirFS(dir))
	base := filepath.Base(dir)
	text, _ := os.ReadFile(filepath.Join(dir, "prefect.yaml"))
	for _, d := range want.Deployments {
		if d.Entrypoint == "" || want.ExitCode != 0 && !must {
			continue
		}
		where := base + " " + d.Entrypoint
		f, p := loader.Load(d.Entrypoint)
		if p != nil {
			t.Errorf("%s: %+v", where, p)
			continue
		}
		flows++
		if f.NameUnknown == "" && f.Name != d.FlowName {
			t.Errorf("%s: name %q, want %q", where, f.Name, d.FlowName)
		}
		want := d.Description
		if want == "None" {
			want = ""
		}
		if f.DescriptionUnknown == "" && f.Description != want && !strings.Contains(string(text), "description:") {
			t.Errorf("%s: description %q, want %q", where, f.Description, want)
		}
		version := f.Version
		if !f.HasVersion {
			version = f.MD5
		}
		if v, ok := d.Version.(string); ok && must && f.VersionUnknown == "" && v != version {
			t.Errorf("%s: version %q, want %q", where, version, v)
		}
		plain(d.Schema)
		all.compare(where, f, d.Schema)
	}
	return flows
}

// TestOracleErrors checks that what Prefect refuses because of a Python file is refused with the right code, at a place.
func TestOracleErrors(t *testing.T) {
	if _, err := os.Stat(oracle); err != nil {
		t.Skip("the shared oracle is not beside this repository")
	}
	for _, c := range []struct{ dir, entrypoint, code string }{
		{"error-missing-function", "flow.py:goodbye", MissingFunction},
		{"error-not-a-flow", "flow.py:hello", NotAFlow},
		{"error-flow-name", "flow.py:hello", InvalidName},
		{"error-missing-file", "nowhere.py:hello", MissingFile},
		{"schema-syntax-error", "broken.py:hello", Syntax},
		{"schema-underscored-names", "flow.py:underscored", InvalidParameter},
		{"schema-parameter-model-config", "flow.py:hello", InvalidParameter},
	} {
		f, p := Load(os.DirFS(filepath.Join(oracle, c.dir)), c.entrypoint)
		if p == nil {
			t.Errorf("%s: accepted: %+v", c.dir, f)
			continue
		}
		if p.Code != c.code {
			t.Errorf("%s: %+v", c.dir, p)
		}
		t.Logf("%s: %s:%d:%d %s", c.dir, p.File, p.Line, p.Column, p.Error())
	}
}
