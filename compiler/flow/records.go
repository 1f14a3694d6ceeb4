// Pydantic models and dataclasses of the simple kind: fields with types that are known, constant defaults, and of Field and field only
// the default, its factory and the description. Anything more - a configuration, validators, inheritance, constraints, aliases,
// forward references - can change the schema and makes the class unknown.

package flow

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

// recordKind is "model", "dataclass", or "" for a class that is neither or not of the simple kind.
func (s *loading) recordKind(o object) string {
	f := o.mod.file
	d := f.Defs[o.def]
	list, _, ok := s.bases(o)
	decorators := f.Decorators[d.Decorators.Lo:d.Decorators.Hi]
	switch {
	case ok && len(decorators) == 0 && len(list) == 1 && canonical(list[0]) == "pydantic.BaseModel":
		return "model"
	case ok && len(decorators) == 1 && len(list) == 0:
		e := f.ParseExpr(decorators[0])
		if e.Op == pysource.Call {
			for _, k := range e.Keywords {
				if k != "frozen" && k != "eq" && k != "order" {
					return ""
				}
			}
			e = e.Items[0]
		}
		if canonical(s.object(o.mod, e, d.Start)) == "dataclasses.dataclass" {
			return "dataclass"
		}
	}
	return ""
}

// record makes the definition of a model or dataclass; reason says why it cannot be told.
func (c *scope) record(o object, kind string) (schema map[string]any, reason string) {
	f := o.mod.file
	d := f.Defs[o.def]
	name := f.Of(d.Name)
	for _, n := range c.making {
		if n == name {
			return nil, "the class " + name + " refers to itself"
		}
	}
	if !plainName(name) {
		return nil, "the class " + name + " has an unusual name"
	}
	c.making = append(c.making, name)
	defer func() { c.making = c.making[:len(c.making)-1] }()
	properties, required := map[string]any{}, []any{}
	for _, st := range f.Statements {
		if st.In != o.def {
			continue
		}
		field, property, needed, why := c.field(o, st, kind)
		if why != "" {
			return nil, "the class " + name + " is not looked into: " + why
		}
		if field == "" {
			continue
		}
		if _, twice := properties[field]; twice {
			return nil, "the class " + name + " is not looked into: it declares " + field + " twice"
		}
		properties[field] = property
		if needed {
			required = append(required, field)
		}
	}
	schema = map[string]any{"title": name, "type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	doc, has, why := f.DocString(d.Doc)
	if why != "" {
		return nil, "the docstring of " + name + " holds " + why
	}
	if has && doc != "" {
		schema["description"] = cleandoc(doc)
	}
	return schema, ""
}

// field reads one statement of the class's body; field is "" when it declares none.
func (c *scope) field(o object, st pysource.Statement, kind string) (field string, property map[string]any, required bool, reason string) {
	f := o.mod.file
	if st.Block >= 0 || st.Kind == pysource.Import {
		return "", nil, false, "a statement under a condition"
	}
	if st.Kind == pysource.Definition {
		d := f.Defs[st.Def]
		n := f.Of(d.Name)
		if d.Kind == pysource.Class || d.Decorators.Lo != d.Decorators.Hi || strings.HasPrefix(n, "_") && n != "__str__" && n != "__repr__" || strings.HasPrefix(n, "model_") {
			return "", nil, false, n
		}
		return "", nil, false, ""
	}
	a, ok := f.Assigns(st.Span)
	if !ok {
		if e := f.ParseExpr(st.Span); e.Op == pysource.String || e.Op == pysource.Constant || f.Of(st.Span) == "pass" {
			return "", nil, false, ""
		}
		return "", nil, false, "a statement that declares no field"
	}
	if a.Annotation.Empty() || strings.HasPrefix(a.Name, "_") || strings.HasPrefix(a.Name, "model_") || !plainName(a.Name) {
		return "", nil, false, a.Name
	}
	inner := *c
	inner.m, inner.at, inner.class, inner.tparam, inner.fields = o.mod, st.Span.Start, o.def, nil, true
	property, reason = inner.fieldType(o.mod, f.ParseExpr(a.Annotation), a.Name)
	c.clash = inner.clash
	if reason != "" {
		return "", nil, false, reason
	}
	if a.Value.Empty() {
		return a.Name, property, true, ""
	}
	required, reason = inner.fieldDefault(f.ParseExpr(a.Value), property, kind)
	if reason == "" && inner.mentionsClass(a.Value) {
		reason = "a default that refers to names of the class"
	}
	return a.Name, property, required, reason
}

func (c *scope) fieldType(m *module, e pysource.Expr, name string) (property map[string]any, reason string) {
	m.bound()
	if e.Op == pysource.String {
		return nil, "a quoted type"
	}
	s := c.shape(e)
	if s.state != shapeKnown {
		return nil, "the type of " + name
	}
	property = map[string]any{}
	for k, v := range s.schema {
		property[k] = v
	}
	if !isReference(s.schema) {
		property["title"] = fieldTitle(name)
	}
	return property, ""
}

// isReference reports whether a schema is a reference, or one or null, to which pydantic gives no title.
func isReference(schema map[string]any) bool {
	if _, ok := schema["$ref"]; ok {
		return true
	}
	choices, ok := schema["anyOf"].([]any)
	if !ok || len(choices) != 2 || !sameJSON(choices[1], map[string]any{"type": "null"}) {
		return false
	}
	_, ok = choices[0].(map[string]any)["$ref"]
	return ok
}

// fieldTitle is Python's str.title with blanks for underscores.
func fieldTitle(name string) string {
	b := []byte(name)
	letter := false
	for i, ch := range b {
		isLetter := ch|0x20 >= 'a' && ch|0x20 <= 'z'
		switch {
		case isLetter && !letter && ch >= 'a':
			b[i] = ch - 32
		case isLetter && letter && ch < 'a':
			b[i] = ch + 32
		case ch == '_':
			b[i] = ' '
		}
		letter = isLetter
	}
	return strings.TrimSpace(string(b))
}

// fieldDefault reads what stands behind a field's equals sign.
func (c *scope) fieldDefault(e pysource.Expr, property map[string]any, kind string) (required bool, reason string) {
	v := value{}
	factory := false
	if callee := c.callee(e); kind == "model" && callee == "pydantic.Field" || kind == "dataclass" && callee == "dataclasses.field" {
		v = value{state: valueAbsent}
		for i, a := range e.Items[1:] {
			k := e.Keywords[i]
			if k == "" && i == 0 && kind == "model" {
				k = "default"
			}
			switch k {
			case "default":
				v = c.s.eval(c.m, a, c.at)
			case "default_factory":
				factory = true
			case "description":
				text := c.s.eval(c.m, a, c.at)
				if kind != "model" || text.state != valueKnown || text.kind != "str" {
					return false, "a description that is no constant"
				}
				property["description"] = text.json
			case "repr", "compare":
			default:
				return false, "an argument of its Field"
			}
		}
	} else {
		v = c.s.eval(c.m, e, c.at)
	}
	switch v.state {
	case valueKnown:
		if kind == "dataclass" && (v.kind == "list" || v.kind == "dict" || v.kind == "set") {
			return false, "a mutable default, which a dataclass refuses"
		}
		property["default"] = jsonDefault(v)
		return false, ""
	case valueAbsent:
		return !factory && kind == "model" || !factory && c.callee(e) == "dataclasses.field", ""
	}
	return false, "a default that is no constant"
}

func (c *scope) callee(e pysource.Expr) string {
	if e.Op != pysource.Call {
		return ""
	}
	return canonical(c.s.object(c.m, e.Items[0], c.at))
}
