// Compares the verdicts on job variables with those of the server's own checks (testdata/jobvariables.json, written by
// testdata/jobvariables.py), and shows what a fault says, where it points and what is left alone.
package plan

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

type recordedTemplate struct {
	Schema json.RawMessage
	Cases  []recordedVariables
}

type recordedVariables struct {
	Variables           json.RawMessage
	Create, Update, Run bool
	Paths               []string
}

func TestJobVariablesAsTheServer(t *testing.T) {
	compareVariables(t, "testdata/jobvariables.json", 500)
}

func compareVariables(t *testing.T, path string, least int) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var templates []recordedTemplate
	if err := json.Unmarshal(data, &templates); err != nil {
		t.Fatal(err)
	}
	cases, refused := 0, 0
	for _, template := range templates {
		pool := poolOf(t, string(template.Schema))
		for _, c := range template.Cases {
			cases++
			compareCase(t, pool, c)
			if !c.Update {
				refused++
			}
		}
	}
	if cases < least || refused < least/5 {
		t.Errorf("%d cases, %d refused: the recording proves too little", cases, refused)
	}
	t.Logf("%d cases, %d refused", cases, refused)
}

func compareCase(t *testing.T, pool *state.WorkPool, c recordedVariables) {
	faults := CheckJobVariables(pool, jsonValue(t, string(c.Variables)))
	create, update, run := true, true, true
	for _, f := range faults {
		create, update, run = create && !f.OnCreate, update && !f.OnUpdate, run && !f.OnRun
	}
	if create != c.Create || update != c.Update || run != c.Run {
		schema, _ := pool.BaseJobTemplate.Get("variables")
		t.Errorf("%s: create %v, update %v, run %v; the server says %v, %v, %v\n%+v\n%.1500s", c.Variables, create, update, run, c.Create, c.Update, c.Run, faults, schema.AppendJSON(nil))
	}
	for _, path := range c.Paths {
		if !strings.Contains(path, "['") && !points(faults, strings.TrimSuffix("job_variables."+path, ".")) {
			t.Errorf("%s: no fault at %s: %+v", c.Variables, path, faults)
		}
	}
}

func points(faults []JobVariableFault, path string) bool {
	for _, f := range faults {
		if f.OnUpdate && strings.HasPrefix(f.Path, path) {
			return true
		}
	}
	return false
}

func poolOf(t *testing.T, schema string) *state.WorkPool {
	return &state.WorkPool{Name: "k8s", BaseJobTemplate: jsonValue(t, `{"variables": `+schema+`, "job_configuration": {"body": {"zone": "{{ zone }}", "x": ["{{region.name}}"]}}}`)}
}

func jsonValue(t *testing.T, text string) value.Value {
	v, err := value.FromJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const exampleSchema = `{"properties": {"cpu": {"type": "integer", "default": 1}, "image": {"type": "string"}, "mode": {"enum": ["fast", "slow"]},
	"env": {"type": "object", "additionalProperties": {"type": "string"}}}, "required": ["image"]}`

// setting is a job variable as a file on that line would give it.
func setting(key string, line int32, v value.Value) value.Entry {
	v.Pos = value.Pos{Line: line, Column: 9}
	return value.Entry{Key: key, KeyPos: value.Pos{Line: line, Column: 5}, Value: v}
}

func TestJobVariableFaultsSayWhatIsWanted(t *testing.T) {
	variables := value.Of([]value.Entry{
		setting("cpu", 3, value.Of("two")),
		setting("mode", 4, value.Of("fats")),
		setting("env", 5, value.Of([]value.Entry{setting("REGION", 6, value.Of(7))})),
		setting("imagee", 7, value.Of("app")),
		setting("zone", 8, value.Of("a")),
		setting("region", 9, value.Of("a")),
		setting("env.HOME", 10, value.Of("/")),
	})
	variables.Pos = value.Pos{Line: 2, Column: 3}
	want := []struct {
		path, says, help       string
		line, column           int32
		refusedNow, refusedRun bool
	}{
		{"job_variables.cpu", "the work pool k8s wants a whole number for cpu, not text", "", 3, 9, true, true},
		{"job_variables.mode", `wants one of "fast", "slow" for mode`, "", 4, 9, true, true},
		{"job_variables.env.REGION", "wants text for env.REGION, not a whole number", "", 6, 9, true, true},
		{"job_variables.imagee", "has no job variable imagee: it is ignored", "did you mean image?", 7, 5, false, false},
		{"job_variables.image", "requires the job variable image", "set image under job_variables", 2, 3, false, true},
	}
	got := CheckJobVariables(poolOf(t, exampleSchema), variables)
	if len(got) != len(want) {
		t.Fatalf("%d faults: %+v", len(got), got)
	}
	for i, w := range want {
		f := got[i]
		if f.Path != w.path || !strings.Contains(f.Message, w.says) || !strings.Contains(f.Help, w.help) || f.Pos.Line != w.line || f.Pos.Column != w.column ||
			f.OnCreate != w.refusedNow || f.OnUpdate != w.refusedNow || f.OnRun != w.refusedRun {
			t.Errorf("got %+v, want %+v", f, w)
		}
	}
}

func TestJobVariablesNotKnownAreNotJudged(t *testing.T) {
	for _, mark := range []value.Origin{value.AfterBuild, value.NotHere, value.Sensitive} {
		secret := value.Of("s3cret").Mark(mark)
		variables := value.Of([]value.Entry{
			{Key: "cpu", Value: secret}, {Key: "mode", Value: secret}, {Key: "image", Value: secret},
			{Key: "env", Value: value.Of([]value.Entry{{Key: "A", Value: value.Of(1).Mark(mark)}})},
		})
		if faults := CheckJobVariables(poolOf(t, exampleSchema), variables); len(faults) > 0 {
			t.Errorf("mark %d: %+v", mark, faults)
		}
		either := `{"properties": {"cpu": {"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"a": {"type": "null"}}}]}}}`
		if faults := CheckJobVariables(poolOf(t, either), value.Of([]value.Entry{{Key: "cpu", Value: value.Of([]value.Entry{{Key: "a", Value: secret}})}})); len(faults) > 0 {
			t.Errorf("mark %d inside an alternative: %+v", mark, faults)
		}
	}
}

func TestJobVariablesOfStrangePools(t *testing.T) {
	variables := value.Of([]value.Entry{{Key: "cpu", Value: value.Of("x")}})
	pools := []*state.WorkPool{nil, {}, poolOf(t, `null`), poolOf(t, `[]`), poolOf(t, `{"properties": {"cpu": {"$ref": "#/nowhere"}}}`),
		poolOf(t, `{"properties": {"cpu": {"$ref": "https://example.com/x"}}}`), poolOf(t, `{"properties": {"cpu": {"pattern": "(?<=a)b"}}}`),
		poolOf(t, `{"properties": {"cpu": {"$ref": "#/properties/cpu"}}}`), poolOf(t, `{"properties": {"cpu": {"type": "new-kind", "minLength": "x"}}}`)}
	for i, pool := range pools {
		if faults := CheckJobVariables(pool, variables); len(faults) > 0 {
			t.Errorf("pool %d: %+v", i, faults)
		}
	}
	if faults := CheckJobVariables(poolOf(t, exampleSchema), value.Of("text")); faults != nil {
		t.Errorf("no mapping: %+v", faults)
	}
}

func FuzzCheckJobVariables(f *testing.F) {
	f.Add(exampleSchema, `{"cpu": "x", "env": {"A": 1}}`)
	f.Add(`{"properties": {"a": {"anyOf": [{"$ref": "#"}, {"not": {}}], "items": [1]}}, "definitions": {"B": {"block_type_slug": 1, "properties": []}}}`, `{"a": {"a": []}}`)
	f.Fuzz(func(t *testing.T, schema, variables string) {
		s, err := value.FromJSON([]byte(schema))
		if err != nil {
			return
		}
		v, err := value.FromJSON([]byte(variables))
		if err != nil {
			return
		}
		pool := &state.WorkPool{BaseJobTemplate: value.Of([]value.Entry{{Key: "variables", Value: s}})}
		for _, fault := range CheckJobVariables(pool, v) {
			if fault.Path == "" || fault.Message == "" {
				t.Errorf("%+v", fault)
			}
		}
	})
}
