// Job variables against the template of their work pool.
//
// A work pool's base job template holds, under `variables`, a JSON schema of what a deployment may set. The server (3.8.8) judges a
// deployment by it, three times and each time differently (prefect.server.api.validation, prefect.server.schemas.actions,
// prefect.utilities.schema_tools; asked in testdata/jobvariables.json):
//
//   - creating: 422 on a wrong value. null passes for each variable that is not required.
//   - updating: 409 on a wrong value, and null passes only for variables that have no default either. Checked only when the request
//     names the work pool.
//   - creating a run: as creating, and now what is required must be there too, be it through the template's own defaults.
//
// A name that the schema does not have passes everywhere, and the worker ignores it, unless the template's job configuration mentions
// it: mostly a slip of the pen, so it is worth a warning. A template that stays for run time ({{ ctx.flow_run.name }}) is judged as the
// text that it is, for so does the server.
//
// The check is written out here rather than taken from a library because it has to know three answers: a value that a step has still
// to give, that is not set here or that is secret is not judged, nor is any alternative, list or mapping as far as it hangs on it. A
// keyword that is not known here never makes a fault.
package plan

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// JobVariableFault is one job variable that its work pool's template does not want, or one that it misses.
type JobVariableFault struct {
	// Path is "job_variables.env.REGION" or "job_variables.ports[0]".
	Path string
	// Pos is that of the value; of the key when the name is wrong, of the mapping when one is missing.
	Pos           value.Pos
	Message, Help string
	// OnCreate, OnUpdate and OnRun tell what the server refuses for this fault: creating the deployment, updating it, and creating a
	// run of it. None of them: the worker ignores the variable.
	OnCreate, OnUpdate, OnRun bool
}

// CheckJobVariables compares what a deployment sets with what its pool's template allows. No fault for a pool without template, and
// none for what is not known yet or secret. Faults come in the order of the file; what is missing comes last.
func CheckJobVariables(pool *state.WorkPool, variables value.Value) []JobVariableFault {
	if pool == nil || variables.Kind != value.Map {
		return nil
	}
	schema, ok := pool.BaseJobTemplate.Get("variables")
	if !ok || schema.Kind != value.Map || len(schema.Map) == 0 {
		return nil
	}
	faults := judgeBy(pool.Name, true, withoutRequired(fitSchema(schema, false)), variables)
	created := judgeBy(pool.Name, false, withoutRequired(fitSchema(schema, true)), variables)
	for i := range created {
		created[i].OnUpdate = true
	}
	for i := range faults {
		faults[i].OnUpdate = true
		faults[i].OnCreate = among(created, faults[i])
		faults[i].OnRun = faults[i].OnCreate
	}
	faults = append(faults, unknownVariables(pool, schema, variables)...)
	if defaultsHold(schema) {
		for _, f := range judgeBy(pool.Name, false, without(fitSchema(schema, true), "required"), variables) {
			if !among(created, f) {
				f.OnRun = true
				faults = append(faults, f)
			}
		}
		faults = append(faults, missingVariables(pool.Name, schema, variables)...)
	}
	return faults
}

// among finds a fault at the same place, or at one around or within it: the readings of a schema differ in what they say of a value.
func among(faults []JobVariableFault, f JobVariableFault) bool {
	within := func(inner, outer string) bool {
		rest, ok := strings.CutPrefix(inner, outer)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	for _, other := range faults {
		if other.OnUpdate && (within(f.Path, other.Path) || within(other.Path, f.Path)) {
			return true
		}
	}
	return false
}

// judgeBy judges by a whole schema. Of the server's checks only that of an update, and that of the defaults, look at formats.
func judgeBy(pool string, formats bool, schema, variables value.Value) []JobVariableFault {
	j := &schemaJudge{pool: pool, root: schema, formats: formats}
	j.judge(schema, variables, "job_variables", variables.Pos, 0)
	return j.faults
}

// defaultsHold tells whether all defaults of the template are right by its own schema. If one is not (null for a text, as older
// templates have it) the server does not look at what is required.
func defaultsHold(schema value.Value) bool {
	plain := withoutRequired(schema)
	properties, _ := schema.Get("properties")
	for _, p := range properties.Map {
		given, ok := p.Value.Get("default")
		if _, isBlock := given.Get("$ref"); !ok || isBlock {
			continue
		}
		if len(judgeBy("", true, plain, value.Of([]value.Entry{{Key: p.Key, Value: given}}))) > 0 {
			return false
		}
	}
	return true
}

// unknownVariables warns of names that neither the schema nor the job configuration has. "env.REGION" sets REGION in env.
func unknownVariables(pool *state.WorkPool, schema, variables value.Value) (faults []JobVariableFault) {
	properties, ok := schema.Get("properties")
	if extra, said := schema.Get("additionalProperties"); !ok || said && extra.Kind == value.Bool && !extra.Bool {
		return nil
	}
	configuration, _ := pool.BaseJobTemplate.Get("job_configuration")
	known := keysOf(properties)
	for _, e := range variables.Map {
		name, _, _ := strings.Cut(e.Key, ".")
		if _, ok := properties.Get(name); ok || mentions(configuration, name) {
			continue
		}
		help := diag.DidYouMean(name, known)
		if help == "" {
			help = "the variables of this work pool are " + listed(known)
		}
		faults = append(faults, JobVariableFault{Path: "job_variables." + e.Key, Pos: e.KeyPos, Help: help,
			Message: fmt.Sprintf("the work pool %s has no job variable %s: it is ignored", diag.Clean(pool.Name), diag.Clean(e.Key))})
	}
	return faults
}

// missingVariables are required ones that have no default and are not set. A run may still bring them along.
func missingVariables(pool string, schema, variables value.Value) (faults []JobVariableFault) {
	required, _ := schema.Get("required")
	properties, _ := schema.Get("properties")
	for _, r := range required.List {
		property, _ := properties.Get(r.Text)
		_, hasDefault := property.Get("default")
		if _, set := variables.Get(r.Text); set || hasDefault || r.Kind != value.Text {
			continue
		}
		faults = append(faults, JobVariableFault{Path: "job_variables." + r.Text, Pos: variables.Pos, OnRun: true,
			Message: fmt.Sprintf("the work pool %s requires the job variable %s, and has no default for it", diag.Clean(pool), diag.Clean(r.Text)),
			Help:    fmt.Sprintf("set %s under job_variables; else each run must bring it", diag.Clean(r.Text))})
	}
	return faults
}

func keysOf(v value.Value) []string {
	keys := make([]string, 0, len(v.Map))
	for _, e := range v.Map {
		keys = append(keys, e.Key)
	}
	return keys
}

// listed names some of many.
func listed(names []string) string {
	const most = 12
	clean := make([]string, 0, most)
	for _, name := range names[:min(len(names), most)] {
		clean = append(clean, diag.Clean(name))
	}
	if len(names) > most {
		clean = append(clean, "…")
	}
	return strings.Join(clean, ", ")
}

// mentions tells whether a template holds a placeholder of the name, {{ name }} or {{ name.key }}.
func mentions(template value.Value, name string) bool {
	for rest := template.Text; template.Kind == value.Text; {
		_, after, found := strings.Cut(rest, "{{")
		if !found {
			break
		}
		after = strings.TrimLeft(after, " ")
		if tail, ok := strings.CutPrefix(after, name); ok && strings.IndexAny(tail, " }.[") == 0 {
			return true
		}
		rest = after
	}
	for _, v := range template.List {
		if mentions(v, name) {
			return true
		}
	}
	for _, e := range template.Map {
		if mentions(e.Value, name) {
			return true
		}
	}
	return false
}

// fitSchema does what the server does to a schema before it judges: older templates could not say "or null" and wrote tuples as lists
// of items.
func fitSchema(schema value.Value, nullBesideDefault bool) value.Value {
	required, _ := schema.Get("required")
	if properties, ok := schema.Get("properties"); ok {
		schema = schema.Set("properties", fitProperties(properties, required, nullBesideDefault))
	}
	if definitions, ok := schema.Get("definitions"); ok {
		fitted := append([]value.Entry(nil), definitions.Map...)
		for i := range fitted {
			own, _ := fitted[i].Value.Get("required")
			if properties, ok := fitted[i].Value.Get("properties"); ok {
				fitted[i].Value = fitted[i].Value.Set("properties", fitProperties(properties, own, nullBesideDefault))
			}
		}
		definitions.Map = fitted
		for _, e := range fitted {
			title, _ := e.Value.Get("title")
			if _, isBlock := e.Value.Get("block_type_slug"); isBlock && title.Kind == value.Text {
				definitions = definitions.Set(title.Text, orBlockReference(e.Value))
			}
		}
		schema = schema.Set("definitions", definitions)
	}
	return schema
}

// orBlockReference lets a block be given as {"$ref": ID} or {"$ref": {"block_document_id": ID}}.
func orBlockReference(block value.Value) value.Value {
	object := func(entries ...value.Entry) value.Value { return value.Of(entries) }
	text := object(value.Entry{Key: "type", Value: value.Of("string")})
	id := object(value.Entry{Key: "type", Value: value.Of("string")}, value.Entry{Key: "format", Value: value.Of("uuid")})
	byName := object(value.Entry{Key: "type", Value: value.Of("object")}, value.Entry{Key: "additionalProperties", Value: text},
		value.Entry{Key: "minProperties", Value: value.Of(1)})
	either := object(value.Entry{Key: "oneOf", Value: value.Of([]value.Value{id, byName})})
	reference := object(value.Entry{Key: "type", Value: value.Of("object")}, value.Entry{Key: "properties", Value: object(value.Entry{Key: "$ref", Value: either})},
		value.Entry{Key: "required", Value: value.Of([]value.Value{value.Of("$ref")})})
	return object(value.Entry{Key: "oneOf", Value: value.Of([]value.Value{block, reference})})
}

func fitProperties(properties, required value.Value, nullBesideDefault bool) value.Value {
	fitted := append([]value.Entry(nil), properties.Map...)
	for i := range fitted {
		p := fitted[i].Value
		kind, typed := p.Get("type")
		_, hasDefault := p.Get("default")
		if typed && !(kind.Kind == value.Text && kind.Text == "null") && (!hasDefault || nullBesideDefault) && !contains(required, fitted[i].Key) {
			alternative := func(v value.Value) value.Value { return value.Of([]value.Entry{{Key: "type", Value: v}}) }
			p = p.Set("anyOf", value.Of([]value.Value{alternative(kind), alternative(value.Of("null"))}))
			p = without(p, "type")
		}
		items, _ := p.Get("items")
		if _, said := p.Get("prefixItems"); items.Kind == value.List && len(items.List) > 0 && !said {
			p = without(p.Set("prefixItems", items), "items")
		}
		if inner, ok := p.Get("properties"); ok {
			own, _ := p.Get("required")
			p = p.Set("properties", fitProperties(inner, own, nullBesideDefault))
		}
		fitted[i].Value = p
	}
	properties.Map = fitted
	return properties
}

func contains(list value.Value, text string) bool {
	for _, v := range list.List {
		if v.Kind == value.Text && v.Text == text {
			return true
		}
	}
	return false
}

// withoutRequired drops all that is required as far as only mappings lie between, as the server does; so goes, there, a property that is
// named "required".
func withoutRequired(v value.Value) value.Value {
	if v.Kind != value.Map {
		return v
	}
	v = without(v, "required")
	for i := range v.Map {
		v.Map[i].Value = withoutRequired(v.Map[i].Value)
	}
	return v
}
