// Prefect's parameter schema, put together from a function's parameters.

package flow

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

// signature is what the parameters of one function come to.
type signature struct {
	schema     map[string]any
	unknown    []Unknown
	parameters []Parameter
}

// signature derives the schema of definition def of m. described are the docstring's texts.
func (s *loading) signature(m *module, def int32, described map[string]string) signature {
	f := m.file
	d := f.Defs[def]
	c := &scope{s: s, m: m, at: d.Start, class: -1, defs: map[string]any{}, owners: map[string]object{}}
	if d.Parent >= 0 && f.Defs[d.Parent].Kind == pysource.Class {
		c.class = d.Parent
	}
	c.tparam, c.risk = typeParameters(f, d), s.risk(m)
	params := f.Params[d.Params.Lo:d.Params.Hi]
	shapes, frail, whole := c.annotations(d, params)
	sig := signature{schema: map[string]any{"title": "Parameters", "type": "object"}}
	properties, required := map[string]any{}, []any{}
	if whole != "" {
		sig.unknown = append(sig.unknown, Unknown{Reason: whole})
	}
	for i, p := range params {
		name := f.Of(p.Name)
		if name == "self" || name == "cls" {
			continue
		}
		one := Parameter{Name: name, Kind: kindName(p.Kind), Annotation: f.Of(p.Annotation)}
		one.Line, one.Column = f.Position(p.Name.Start)
		property, needed, reason := c.property(p, name, i, shapes[i], frail[i], described)
		if whole != "" && reason == "" {
			reason = whole
		}
		one.Required = needed
		if needed {
			required = append(required, name)
		}
		if reason == "" {
			one.Schema = property
			properties[name] = property
		} else {
			properties[name] = map[string]any{"title": name, "position": int64(i)}
			sig.unknown = append(sig.unknown, Unknown{Parameter: name, Reason: reason})
		}
		sig.parameters = append(sig.parameters, one)
	}
	if c.clash != "" {
		sig.unknown = append([]Unknown{{Reason: "two types have the name " + c.clash}}, sig.unknown...)
	}
	sig.schema["properties"] = properties
	if len(required) > 0 {
		sig.schema["required"] = required
	}
	if used := referenced(c.defs, properties); len(used) > 0 {
		sig.schema["definitions"] = used
	}
	return sig
}

// referenced keeps the definitions that a property refers to; others were met on the way to something unknown.
func referenced(defs map[string]any, properties map[string]any) map[string]any {
	used := map[string]any{}
	var walk func(v any)
	walk = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			if ref, ok := x["$ref"].(string); ok {
				name := strings.TrimPrefix(ref, "#/definitions/")
				if d, ok := defs[name]; ok && used[name] == nil {
					used[name] = d
					walk(d)
				}
			}
			for _, inner := range x {
				walk(inner)
			}
		case []any:
			for _, inner := range x {
				walk(inner)
			}
		}
	}
	walk(properties)
	return used
}

func kindName(k pysource.ParamKind) string {
	switch k {
	case pysource.PositionalOnly:
		return "positional-only"
	case pysource.VarPositional:
		return "var-positional"
	case pysource.KeywordOnly:
		return "keyword-only"
	case pysource.VarKeyword:
		return "var-keyword"
	}
	return "positional-or-keyword"
}

// typeParameters lists the names in `def f[T, *U](…)`.
func typeParameters(f *pysource.File, d pysource.Def) []string {
	text := f.Text[d.Name.End:]
	if i := strings.IndexByte(text, '('); i >= 0 {
		text = text[:i]
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return nil
	}
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("[](),:*=| \t\n", r) })
}

// annotations evaluates all annotations of a function together, since one that fails decides how the others are read. whole is the
// reason when nothing can be said of any.
func (c *scope) annotations(d pysource.Def, params []pysource.Param) (shapes []shape, frail []bool, whole string) {
	f := c.m.file
	c.m.bound()
	texts := make([]pysource.Expr, len(params)) // the expression of those that Python keeps as text
	shapes, frail = make([]shape, len(params)), make([]bool, len(params))
	fails, mayFail, hidden := false, false, ""
	note := func(s shape, isText bool) {
		switch {
		case s.state == shapeNameError && isText:
			fails, hidden = true, s.reason
		case s.state == shapeNameError:
			whole = s.reason + ", so the module cannot be imported"
		case s.shaky && isText:
			mayFail = true
		}
	}
	for i, p := range params {
		if p.Annotation.Empty() {
			shapes[i] = knownShape()
			continue
		}
		e := f.ParseExpr(p.Annotation)
		if e.Op == pysource.Starred {
			shapes[i] = unknownShape("its type is an unpacked tuple")
			continue
		}
		inner, isText := c.source(e)
		texts[i] = inner
		c.s.frail = false
		if c.m.future && e.Op == pysource.String {
			shapes[i] = c.quoted(e.Text)
			evaluated := c.shape(pysource.ParseText(e.Text)) // what the fallback would make of it, which drops the __future__ import
			c.s.frail = c.s.frail || evaluated.state != shapes[i].state || !sameJSON(evaluated.schema, shapes[i].schema)
		} else {
			shapes[i] = c.shape(inner)
		}
		frail[i] = c.s.frail
		note(shapes[i], isText)
		if !isText {
			texts[i] = pysource.Expr{}
		}
	}
	if !d.Returns.Empty() {
		inner, isText := c.source(f.ParseExpr(d.Returns))
		if !(c.m.future && inner.Op == pysource.String) {
			s := c.shape(inner)
			note(s, isText)
		}
	}
	if fails || mayFail {
		c.reread(shapes, texts, fails, hidden, frail)
	}
	return shapes, frail, whole
}

// source is the expression that evaluation of an annotation comes to, and whether Python keeps it as text at first.
func (c *scope) source(e pysource.Expr) (inner pysource.Expr, isText bool) {
	if c.m.future {
		return e, true
	}
	if e.Op == pysource.String {
		return pysource.ParseText(strings.TrimLeft(e.Text, " \t")), true
	}
	return e, false
}

// reread replaces the shapes of annotations kept as text by what pydantic makes of the text alone. If it is not certain that Python
// fails, or the fallback would see it otherwise, only what both ways of reading agree on stays known.
func (c *scope) reread(shapes []shape, texts []pysource.Expr, certain bool, hidden string, frail []bool) {
	inner := *c
	inner.text = true
	for i, e := range texts {
		if e.Op == pysource.Other && e.Span == (pysource.Span{}) {
			continue
		}
		var s shape
		if c.m.future && e.Op == pysource.String {
			continue // text within text: read that way already
		}
		s = inner.shape(e)
		if s.state == shapeNameError || s.state == shapeUnresolved {
			s = knownShape()
		}
		if s.state == shapeInvalid {
			s = knownShape()
		}
		agreed := s.state == shapeKnown && shapes[i].state == shapeKnown && sameJSON(s.schema, shapes[i].schema)
		switch {
		case agreed:
		case certain:
			shapes[i] = s
			frail[i] = true
		default:
			shapes[i] = unknownShape("whether all annotations of the function can be evaluated is not known")
		}
	}
	c.clash = inner.clash
}

// property makes one parameter's part of the schema; reason is set when it cannot be told.
func (c *scope) property(p pysource.Param, name string, position int, s shape, frail bool, described map[string]string) (property map[string]any, required bool, reason string) {
	property = map[string]any{"title": name, "position": int64(position)}
	if text, ok := described[name]; ok {
		property["description"] = text
	}
	risky := c.risk
	required = p.Default.Empty()
	if required && p.Kind == pysource.KeywordOnly && risky != "" {
		reason = risky
	}
	if !required {
		c.s.frail = false
		v, text := c.defaultOf(c.m.file.ParseExpr(p.Default), p.Default)
		if text != "" {
			property["description"] = text
		}
		switch v.state {
		case valueUnknown:
			reason = "its default cannot be told: " + v.reason
		case valueKnown:
			property["default"] = jsonDefault(v)
		case valueAbsent:
			required = true
		}
		frail = frail || c.s.frail
	}
	switch s.state {
	case shapeKnown:
		for k, v := range s.schema {
			property[k] = v
		}
	case shapeUnknown, shapeNameError:
		reason = s.reason
	}
	if frail && risky != "" && reason == "" {
		reason = risky
	}
	return property, required, reason
}

// jsonDefault is a default's JSON form; infinities and NaN have none and become null.
func jsonDefault(v value) any {
	if f, ok := v.json.(float64); ok && (f-f != 0) {
		return nil
	}
	return v.json
}

// defaultOf evaluates a default; of pydantic's Field(…) Prefect keeps the default and the description.
func (c *scope) defaultOf(e pysource.Expr, source pysource.Span) (v value, description string) {
	if c.class >= 0 && e.Op != pysource.Constant && e.Op != pysource.Int && e.Op != pysource.String && e.Op != pysource.Float && c.mentionsClass(source) {
		return unknownValue("it refers to names of the class"), ""
	}
	if e.Op == pysource.Other && strings.HasPrefix(c.m.file.Of(source), "lambda") {
		return value{state: valueUnserialisable}, ""
	}
	if e.Op != pysource.Call || canonical(c.s.object(c.m, e.Items[0], c.at)) != "pydantic.Field" {
		return c.s.eval(c.m, e, c.at), ""
	}
	v = value{state: valueAbsent}
	for i, a := range e.Items[1:] {
		switch c.keyword(e, i) {
		case "default":
			v = c.s.eval(c.m, a, c.at)
		case "description":
			text := c.s.eval(c.m, a, c.at)
			if text.state != valueKnown || text.kind != "str" && text.kind != "NoneType" {
				return unknownValue("the description of its Field is computed"), ""
			}
			description, _ = text.json.(string)
		case "*", "**", "json_schema_extra", "":
			return unknownValue("its Field has arguments that are not looked into"), ""
		}
	}
	return v, description
}

func (c *scope) keyword(call pysource.Expr, i int) string {
	if call.Keywords[i] == "" && i == 0 {
		return "default"
	}
	return call.Keywords[i]
}

// mentionsClass reports whether an expression names something that the class around the method binds.
func (c *scope) mentionsClass(source pysource.Span) bool {
	text := c.m.file.Of(source)
	for _, w := range strings.FieldsFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z') && r < 0x80
	}) {
		if c.inClass(w) {
			return true
		}
	}
	return false
}
