// Classes of the project, as far as a schema depends on them: enums with constant values, and classes about which pydantic knows
// nothing (it then takes anything). Models and dataclasses are in records.go; subclasses of other things are not looked into.

package flow

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

// member is one member of an enum with the JSON form of its value.
type member struct {
	name string
	json any
}

// bases parses a class's base classes; ok is false when there are keywords or stars among them.
func (s *loading) bases(o object) (list []object, exprs []pysource.Expr, ok bool) {
	f := o.mod.file
	d := f.Defs[o.def]
	if d.Bases.Empty() {
		return nil, nil, true
	}
	call := pysource.ParseText("_(" + f.Of(d.Bases) + "\n)")
	if call.Op != pysource.Call {
		return nil, nil, false
	}
	for i, b := range call.Items[1:] {
		if call.Keywords[i] != "" {
			return nil, nil, false
		}
		exprs = append(exprs, b)
		if b.Op == pysource.Subscript {
			b = b.Items[0]
		}
		list = append(list, s.object(o.mod, b, d.Start))
	}
	return list, exprs, true
}

// plainClass reports whether a class is certainly one that pydantic can only check instances of: no decorator, no base but plain
// classes of the project, object, Generic and ABC, and none of pydantic's hooks.
func (s *loading) plainClass(o object, depth int) bool {
	f := o.mod.file
	d := f.Defs[o.def]
	if d.Kind != pysource.Class || depth > 10 || d.Decorators.Lo != d.Decorators.Hi {
		return false
	}
	list, _, ok := s.bases(o)
	if !ok {
		return false
	}
	for _, b := range list {
		switch {
		case b.kind == definition && s.plainClass(b, depth+1):
		case canonical(b) == "object" || canonical(b) == "typing.Generic":
		default:
			return false
		}
	}
	for _, st := range f.Statements {
		if st.In != o.def {
			continue
		}
		text := f.Of(st.Span)
		if st.Block >= 0 || strings.Contains(text, "__get_") || strings.Contains(text, "__class") || strings.Contains(text, "__pydantic") || strings.Contains(text, "__supertype") {
			return false
		}
	}
	return true
}

// isGeneric reports whether a class can be subscripted because Generic is among its own bases.
func (s *loading) isGeneric(o object) bool {
	list, _, _ := s.bases(o)
	for _, b := range list {
		if canonical(b) == "typing.Generic" {
			return true
		}
	}
	return false
}

// enumBase says what kind of enum the bases make: "any", "int", "str", "strenum", or "" when it is none that is understood.
func (s *loading) enumBase(o object) (mixin string, isEnum bool) {
	list, _, ok := s.bases(o)
	if len(list) == 0 {
		return "", false
	}
	last := canonical(list[len(list)-1])
	switch last {
	case "enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag":
		isEnum = true
	default:
		return "", false
	}
	switch {
	case !ok:
	case last == "enum.Enum" && len(list) == 1:
		mixin = "any"
	case last == "enum.IntEnum" && len(list) == 1, last == "enum.Enum" && len(list) == 2 && canonical(list[0]) == "int":
		mixin = "int"
	case last == "enum.Enum" && len(list) == 2 && canonical(list[0]) == "str":
		mixin = "str"
	case last == "enum.StrEnum" && len(list) == 1:
		mixin = "strenum"
	}
	return mixin, true
}

// enum reads the members of an enum class and makes its definition in the schema. reason is set when the class is an enum that is not
// understood; a class that is no enum gives no members and no reason.
func (s *loading) enum(o object) (members []member, schema map[string]any, reason string) {
	f := o.mod.file
	d := f.Defs[o.def]
	name := f.Of(d.Name)
	mixin, isEnum := s.enumBase(o)
	if !isEnum {
		return nil, nil, ""
	}
	if mixin == "" || d.Decorators.Lo != d.Decorators.Hi || !plainName(name) {
		return nil, nil, "the enum " + name + " is of a kind that is not looked into"
	}
	kinds := map[string]bool{}
	for _, st := range f.Statements {
		if st.In != o.def {
			continue
		}
		m, ok, why := s.enumMember(o.mod, st, mixin, members)
		if why != "" {
			return nil, nil, "the enum " + name + " cannot be read: " + why
		}
		if ok {
			members = append(members, m)
			kinds[jsonKind(m.json)] = true
		}
	}
	if len(members) == 0 {
		return nil, nil, "the enum " + name + " has no members"
	}
	values := make([]any, len(members)) // aliases too: pydantic lists every name
	for i, m := range members {
		values[i] = m.json
	}
	schema = map[string]any{"title": name, "enum": values}
	for _, kind := range []string{"string", "integer", "number", "boolean", "array"} {
		if len(kinds) == 1 && kinds[kind] {
			schema["type"] = kind
		}
	}
	doc, has, why := f.DocString(d.Doc)
	if why != "" {
		return nil, nil, "the docstring of the enum " + name + " holds " + why
	}
	if has && doc != "" && cleandoc(doc) != "An enumeration." {
		schema["description"] = cleandoc(doc)
	}
	return members, schema, ""
}

func plainName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= 0x80 {
			return false
		}
	}
	return true
}

// enumMember reads one statement of an enum's body.
func (s *loading) enumMember(m *module, st pysource.Statement, mixin string, before []member) (got member, ok bool, reason string) {
	f := m.file
	if st.Block >= 0 || st.Kind == pysource.Import {
		return got, false, "a statement under a condition"
	}
	if st.Kind == pysource.Definition {
		d := f.Defs[st.Def]
		switch n := f.Of(d.Name); {
		case d.Kind == pysource.Class, n == "__new__", n == "__init__", n == "_generate_next_value_", n == "__init_subclass__", strings.HasPrefix(n, "__get_"):
			return got, false, n
		}
		for _, dec := range f.Decorators[d.Decorators.Lo:d.Decorators.Hi] {
			switch f.Of(dec) {
			case "property", "classmethod", "staticmethod":
			default:
				return got, false, "a decorated function"
			}
		}
		return got, false, ""
	}
	a, isAssign := f.Assigns(st.Span)
	if !isAssign {
		if e := f.ParseExpr(st.Span); e.Op == pysource.String || e.Op == pysource.Constant || f.Of(st.Span) == "pass" {
			return got, false, ""
		}
		return got, false, "a statement that is no assignment"
	}
	if a.Value.Empty() {
		return got, false, ""
	}
	if strings.HasPrefix(a.Name, "_") {
		return got, false, a.Name
	}
	for _, b := range before {
		if b.name == a.Name || strings.Contains(f.Of(a.Value), b.name) && f.ParseExpr(a.Value).Op != pysource.String {
			return got, false, "a value that refers to another member"
		}
	}
	v, why := s.memberValue(m, f.ParseExpr(a.Value), st.Span.Start, mixin, a.Name, before)
	return member{a.Name, v}, why == "", why
}

func (s *loading) memberValue(m *module, e pysource.Expr, at uint32, mixin, name string, before []member) (json any, reason string) {
	if e.Op == pysource.Call && len(e.Items) == 1 && canonical(s.object(m, e.Items[0], at)) == "enum.auto" {
		if mixin == "strenum" {
			return strings.ToLower(name), ""
		}
		next := int64(1)
		for _, b := range before {
			i, isInt := b.json.(int64)
			if !isInt || i < next-1 {
				return nil, "auto() beside other values"
			}
			next = i + 1
		}
		if mixin == "str" {
			return nil, "auto() in an enum of text"
		}
		return next, ""
	}
	v := s.eval(m, e, at)
	if v.state != valueKnown {
		return nil, "the value of " + name + " is no constant"
	}
	switch {
	case (mixin == "str" || mixin == "strenum") && v.kind != "str", mixin == "int" && v.kind != "int":
		return nil, "the value of " + name + " is of another type"
	case v.kind != "str" && v.kind != "int" && v.kind != "float" && v.kind != "bool":
		return nil, "the value of " + name + " is no text or number"
	}
	return v.json, ""
}
