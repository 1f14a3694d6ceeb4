// From an entrypoint's object to the function behind @flow.

package flow

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

const endOfFile = ^uint32(0)

// load reads the object that an entrypoint names in module m.
func (s *loading) load(m *module, name string) (*Flow, *Problem) {
	if p := syntaxProblem(m); p != nil {
		return nil, p
	}
	if m.file.Unsure != "" {
		return s.unsure(m, name, m.file.Unsure), nil
	}
	parts := strings.Split(name, ".")
	o := s.lookup(m, parts[0], endOfFile)
	for i, part := range parts[1:] {
		var p *Problem
		if o, p = s.attribute(m, o, part, strings.Join(parts[:i+2], ".")); p != nil {
			return nil, p
		}
	}
	return s.flow(m, name, o)
}

func syntaxProblem(m *module) *Problem {
	f := m.file
	if f.Unsure != "" || len(f.Faults) == 0 {
		return nil
	}
	line, column := f.Position(f.Faults[0].Offset)
	return &Problem{Code: Syntax, Message: "syntax error in " + m.path + ": " + f.Faults[0].Message, Help: "Prefect cannot load the flow before it is mended",
		File: m.path, Line: line, Column: column}
}

// attribute finds a method of a class.
func (s *loading) attribute(m *module, o object, part, full string) (object, *Problem) {
	if o.kind == projectModule {
		return s.member(o, part, endOfFile), nil
	}
	if o.kind != definition {
		if o.kind == unbound || o.kind == builtin {
			return o, nil
		}
		return unknownf(full + " is an attribute of something computed"), nil
	}
	f := o.mod.file
	if f.Defs[o.def].Kind != pysource.Class {
		return unknownf(full + " is an attribute of a function"), nil
	}
	for i := len(f.Statements) - 1; i >= 0; i-- {
		st := f.Statements[i]
		if st.In != o.def {
			continue
		}
		if st.Kind == pysource.Definition && f.Of(f.Defs[st.Def].Name) == part {
			if st.Block >= 0 {
				return unknownf(full + " is defined under a condition"), nil
			}
			return object{kind: definition, name: part, mod: o.mod, def: st.Def}, nil
		}
		if a, ok := f.Assigns(st.Span); ok && a.Name == part {
			return unknownf(full + " is assigned"), nil
		}
	}
	bases, _, _ := s.bases(o)
	for _, b := range bases {
		if canonical(b) != "object" {
			return unknownf(full + " may be inherited"), nil
		}
	}
	if f.Defs[o.def].Decorators.Lo != f.Defs[o.def].Decorators.Hi {
		return unknownf(full + " may be made by a decorator"), nil
	}
	line, column := f.Position(f.Defs[o.def].Name.Start)
	p := &Problem{Code: MissingFunction, Message: fmt.Sprintf("the class %s in %s has no %s", o.name, o.mod.path, part), File: o.mod.path, Line: line, Column: column}
	p.suggest(part, functions(o.mod, o.def))
	return o, p
}

// functions lists the functions directly in a module (in = -1) or class.
func functions(m *module, in int32) []string {
	var names []string
	for _, st := range m.file.Statements {
		if st.Kind == pysource.Definition && st.In == in && m.file.Defs[st.Def].Kind == pysource.Function {
			names = append(names, m.file.Of(m.file.Defs[st.Def].Name))
		}
	}
	return names
}

func (p *Problem) suggest(name string, candidates []string) {
	if p.Near = nearest(name, candidates); p.Near != "" {
		p.Help = "did you mean " + p.Near + "?"
	} else if len(candidates) > 0 {
		p.Help = "it defines " + strings.Join(candidates[:min(len(candidates), 8)], ", ")
	}
}

// flow reads an object that should be a flow.
func (s *loading) flow(m *module, name string, o object) (*Flow, *Problem) {
	switch o.kind {
	case definition:
		d := o.mod.file.Defs[o.def]
		if d.Kind == pysource.Class {
			return nil, s.notAFlow(o, name+" is a class, no flow")
		}
		return s.decorated(o)
	case assigned:
		return s.assignedFlow(m, name, o)
	case unbound, builtin:
		if why := s.dynamic(m); why != "" {
			return s.unsure(m, name, why), nil
		}
		p := &Problem{Code: MissingFunction, Message: fmt.Sprintf("%s defines no %s", m.path, name), File: m.path}
		p.suggest(name, functions(m, -1))
		return nil, p
	case external:
		return s.unsure(m, name, name+" is imported from "+parentName(o.name)+", which is not part of the project"), nil
	case projectModule:
		return nil, &Problem{Code: NotAFlow, Message: name + " is a module, no flow", File: m.path, Help: "name a function decorated with @flow"}
	}
	return s.unsure(m, name, o.reason), nil
}

func parentName(dotted string) string {
	if i := strings.LastIndexByte(dotted, '.'); i > 0 {
		return dotted[:i]
	}
	return dotted
}

// dynamic says why a module may have names that no statement of it shows.
func (s *loading) dynamic(m *module) string {
	m.bound()
	if len(m.stars) > 0 {
		return "the file has a star import"
	}
	for _, w := range []string{"globals()", "exec(", "setattr(", "vars()", "__getattr__", "locals()", "global "} {
		if strings.Contains(m.file.Text, w) {
			return "the file may define names at run time (" + strings.TrimSpace(w) + ")"
		}
	}
	return ""
}

func (s *loading) unsure(m *module, name, why string) *Flow {
	return &Flow{Function: name, File: m.path, Unsure: why, NameUnknown: why, DescriptionUnknown: why, VersionUnknown: why,
		MD5: hex.EncodeToString(m.digest[:]), Unknown: []Unknown{{Reason: why}}, Packages: s.packages(m)}
}

func (s *loading) notAFlow(o object, message string) *Problem {
	line, column := o.mod.file.Position(o.mod.file.Defs[o.def].Name.Start)
	return &Problem{Code: NotAFlow, Message: message, Help: "decorate a function with @flow (from prefect import flow)", File: o.mod.path, Line: line, Column: column}
}

// options are the arguments of @flow that matter here.
type options struct {
	name, version, description value // valueAbsent when not given
	unvalidated                bool  // validate_parameters may be false
}

func noOptions() options {
	absent := value{state: valueAbsent}
	return options{name: absent, version: absent, description: absent}
}

// options reads the arguments of a call of flow or with_options.
func (s *loading) options(m *module, call pysource.Expr, at uint32, skip int) options {
	o := noOptions()
	if call.Op != pysource.Call {
		return o
	}
	for i, a := range call.Items[1:] {
		if i < skip {
			continue
		}
		target := (*value)(nil)
		switch call.Keywords[i] {
		case "name":
			target = &o.name
		case "version":
			target = &o.version
		case "description":
			target = &o.description
		case "validate_parameters":
			o.unvalidated = a.Op != pysource.Constant || a.Text != "True"
		case "", "*", "**":
			u := unknownValue("the decorator's arguments are computed")
			return options{name: u, version: u, description: u, unvalidated: true}
		}
		if target != nil {
			*target = s.text(m, a, at)
		}
	}
	return o
}

// text evaluates an argument that must be text; None counts as not given.
func (s *loading) text(m *module, e pysource.Expr, at uint32) value {
	v := s.eval(m, e, at)
	switch {
	case v.state == valueKnown && v.kind == "NoneType":
		return value{state: valueAbsent}
	case v.state == valueKnown && v.kind == "str":
		if v.json == "" {
			return value{state: valueAbsent}
		}
		return v
	case v.state == valueUnknown && v.reason != "":
		return v
	}
	return unknownValue("it is not plain text")
}

// decorated reads a function by its decorators.
func (s *loading) decorated(o object) (*Flow, *Problem) {
	f := o.mod.file
	d := f.Defs[o.def]
	name := f.Of(d.Name)
	opts, at, doubt, wrapped := noOptions(), -1, "", ""
	list := f.Decorators[d.Decorators.Lo:d.Decorators.Hi]
	for i := len(list) - 1; i >= 0; i-- {
		e := f.ParseExpr(list[i])
		target := e
		if e.Op == pysource.Call {
			target = e.Items[0]
		}
		decorator := s.object(o.mod, target, d.Start)
		switch c := canonical(decorator); {
		case c == "prefect.flow" && at < 0:
			at = i
			opts = s.options(o.mod, e, d.Start, 0)
		case c == "staticmethod" || c == "classmethod":
			if at >= 0 && c == "classmethod" {
				doubt = "a class method is made of the flow"
			}
		case at < 0 && knownDecorator(c):
			wrapped = "the decorator @" + f.Of(list[i]) + " changes the function"
		case at < 0:
			wrapped = "the decorator @" + f.Of(list[i]) + " is not looked into"
			if c == "" || !isStdlib(strings.Split(c, ".")[0]) {
				doubt = wrapped
			}
		default:
			doubt = "the decorator @" + f.Of(list[i]) + " above @flow is not looked into"
		}
	}
	if at < 0 {
		if doubt == "" {
			return nil, s.notAFlow(o, fmt.Sprintf("%s in %s is not a flow: it has no @flow decorator", name, o.mod.path))
		}
		flow := s.unsure(o.mod, name, doubt)
		flow.Line, flow.Column = f.Position(d.Name.Start)
		return flow, nil
	}
	if wrapped != "" && doubt == wrapped {
		doubt = "" // below @flow: it is a flow, whatever the decorator does
	}
	return s.build(o, opts, doubt, wrapped)
}

// knownDecorator lists decorators that certainly give no flow.
func knownDecorator(name string) bool {
	switch name {
	case "prefect.task", "prefect.tasks.task", "functools.lru_cache", "functools.cache", "contextlib.contextmanager", "property":
		return true
	}
	return false
}

// build makes the Flow of a function.
func (s *loading) build(o object, opts options, doubt, wrapped string) (*Flow, *Problem) {
	f := o.mod.file
	d := f.Defs[o.def]
	name := f.Of(d.Name)
	flow := &Flow{Function: name, File: o.mod.path, Unsure: doubt, MD5: hex.EncodeToString(o.mod.digest[:]), Packages: s.packages(s.entry)}
	flow.Line, flow.Column = f.Position(d.Name.Start)
	flow.Name, flow.NameUnknown = pick(opts.name, strings.ReplaceAll(name, "_", "-"), wrapped)
	doc, has, why := f.DocString(d.Doc)
	if wrapped != "" {
		why = wrapped
	}
	if has {
		doc = cleandoc(doc)
	}
	flow.Description, flow.DescriptionUnknown = pick(opts.description, doc, why)
	flow.Version, flow.VersionUnknown = pick(opts.version, "", "")
	flow.HasVersion = flow.Version != ""
	if p := checkNames(o, flow, !opts.unvalidated); p != nil {
		return nil, p
	}
	if wrapped != "" {
		flow.Unknown = []Unknown{{Reason: wrapped}}
		return flow, nil
	}
	sig := s.signature(o.mod, o.def, describe(doc))
	if why != "" {
		sig.unknown = append([]Unknown{{Reason: "the docstring cannot be read: " + why}}, sig.unknown...)
	}
	flow.Schema, flow.Unknown, flow.Parameters = sig.schema, sig.unknown, sig.parameters
	return flow, nil
}

// pick takes what was given, else the default, else why neither is known.
func pick(given value, otherwise, why string) (text, unknown string) {
	switch {
	case given.state == valueKnown:
		return given.json.(string), ""
	case given.state == valueUnknown:
		return "", given.reason
	case why != "":
		return "", why
	}
	return otherwise, ""
}

// checkNames looks for names that Prefect refuses when it imports the file.
func checkNames(o object, flow *Flow, validates bool) *Problem {
	f := o.mod.file
	d := f.Defs[o.def]
	if i := strings.IndexAny(flow.Name, "/%&<>"); i >= 0 && flow.NameUnknown == "" {
		return &Problem{Code: InvalidName, Message: fmt.Sprintf("the flow's name %q holds %q, which Prefect does not allow", flow.Name, flow.Name[i]),
			Help: "leave out / % & < and >", File: flow.File, Line: flow.Line, Column: flow.Column}
	}
	for _, p := range f.Params[d.Params.Lo:d.Params.Hi] {
		name, why := f.Of(p.Name), ""
		switch {
		case name == "return_state" || name == "wait_for":
			why = "is reserved by Prefect"
		case strings.HasPrefix(name, "_"):
			why = "begins with an underscore, which Prefect does not allow"
		case refused(name) && validates:
			why = "is a name that Prefect cannot use for a parameter"
		default:
			continue
		}
		line, column := f.Position(p.Name.Start)
		return &Problem{Code: InvalidParameter, Message: fmt.Sprintf("the parameter %s of the flow %s %s", name, flow.Function, why), Help: "rename it",
			File: flow.File, Line: line, Column: column}
	}
	return nil
}

// refused lists names of pydantic's models that a parameter cannot have while parameters are validated (recorded on 3.8.8).
func refused(name string) bool {
	switch name {
	case "model_config", "model_dump", "model_dump_json", "model_validate", "model_validate_json", "model_validate_strings":
		return true
	}
	return false
}

// assignedFlow reads `name = flow(function, …)`, `name = flow(…)(function)` and `name = other.with_options(…)`.
func (s *loading) assignedFlow(m *module, name string, o object) (*Flow, *Problem) {
	if s.depth++; s.depth > maxDepth {
		return s.unsure(m, name, name+" is defined in too many steps"), nil
	}
	defer func() { s.depth-- }()
	f := o.mod.file
	e := f.ParseExpr(o.span)
	unsure := func() (*Flow, *Problem) { return s.unsure(m, name, name+" is assigned something computed"), nil }
	switch e.Op {
	case pysource.Name, pysource.Attribute:
		return s.flow(m, name, s.object(o.mod, e, o.at))
	case pysource.Int, pysource.String, pysource.Float, pysource.List, pysource.Dict, pysource.Constant:
		line, column := f.Position(e.Span.Start)
		return nil, &Problem{Code: NotAFlow, Message: name + " in " + o.mod.path + " is not a flow", Help: "name a function decorated with @flow", File: o.mod.path, Line: line, Column: column}
	case pysource.Call:
	default:
		return unsure()
	}
	callee := e.Items[0]
	if callee.Op == pysource.Attribute && callee.Text == "with_options" {
		base, p := s.flow(m, name, s.object(o.mod, callee.Items[0], o.at))
		if p != nil || base.Unsure != "" {
			return base, p
		}
		return s.reconfigured(base, s.options(o.mod, e, o.at, 0))
	}
	skip, opts := 1, e
	if callee.Op == pysource.Call && len(e.Items) == 2 {
		opts, callee, skip = callee, callee.Items[0], 0
	}
	if canonical(s.object(o.mod, callee, o.at)) != "prefect.flow" || len(e.Items) < 2 || e.Keywords[0] != "" {
		return unsure()
	}
	fn := s.object(o.mod, e.Items[1], o.at)
	if fn.kind != definition || fn.mod.file.Defs[fn.def].Kind != pysource.Function || fn.mod.file.Defs[fn.def].Decorators.Lo != fn.mod.file.Defs[fn.def].Decorators.Hi {
		return unsure()
	}
	return s.build(fn, s.options(o.mod, opts, o.at, skip), "", "")
}

// reconfigured applies with_options to a flow.
func (s *loading) reconfigured(flow *Flow, opts options) (*Flow, *Problem) {
	set := func(v value, text, unknown *string) {
		if v.state != valueAbsent {
			*text, *unknown = pick(v, "", "")
		}
	}
	set(opts.name, &flow.Name, &flow.NameUnknown)
	set(opts.description, &flow.Description, &flow.DescriptionUnknown)
	set(opts.version, &flow.Version, &flow.VersionUnknown)
	flow.HasVersion = flow.Version != ""
	if i := strings.IndexAny(flow.Name, "/%&<>"); i >= 0 {
		return nil, &Problem{Code: InvalidName, Message: fmt.Sprintf("the flow's name %q holds %q, which Prefect does not allow", flow.Name, flow.Name[i]),
			Help: "leave out / % & < and >", File: flow.File, Line: flow.Line, Column: flow.Column}
	}
	return flow, nil
}
