// Filling the templates of a deployment, pass by pass, in the order in which `prefect deploy` 3.8.8 does it:
//
//	fields:      blocks → variables → environment → outputs
//	step inputs: outputs → blocks → variables → environment
//	pull steps:  outputs only; references to blocks and variables stay for run time, a set {{ $VAR }} is baked in
//
// The order shows: a block's value may hold `{{ $HOME }}` and gets it filled in a field but not in a pull step.
package plan

import (
	"fmt"

	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// Lookups is where the values of templates come from.
type Lookups struct {
	// Env looks a variable of the environment up.
	Env func(string) (string, bool)
	// Shown tells which environment variables may be shown; all others make what they fill sensitive.
	Shown func(string) bool
	// Unset is what an environment variable that isn't set means: in a plan "not known here", in a deploy nothing at all.
	NotHere bool
	// Symbolic leaves references to blocks and variables as written: there is no server to ask.
	Symbolic bool
	// MarksOnly asks for nothing but where values come from: a block is not looked up, only marked, and so is a variable of the environment that isn't set.
	MarksOnly bool

	Variables map[string]value.Value
	Blocks    map[state.BlockRef]value.Value

	// Outputs are what the deployment's steps gave, put together. Pending tells, before they ran, which names they will give.
	Outputs value.Value
	Pending func(name string) bool
	// SensitiveOutput tells which references to outputs are secret.
	SensitiveOutput func(name string) bool
	// Secret, if not nil, gets every secret text as it is looked up, so that whoever prints something else can leave it out. What is filled from it would not do: of
	// `echo {{ $TOKEN }}` a command prints only the token. It may be called from several goroutines at once.
	Secret func(text string)
}

// someText stands for a value that MarksOnly does not look up; an empty one would be dropped where a list takes no empty texts.
const someText = "?"

// Fields fills the fields of a deployment up to but without the outputs: blocks, variables, environment. gives tells which names a step may give: those stay in lists, where
// Prefect loses them. No step gives what a run fills ({{ ctx.… }}), and as a whole item of a list that is lost here too.
func (l *Lookups) Fields(v value.Value, gives func(name string) bool) (value.Value, error) {
	for _, pass := range []template.Pass{
		l.blocks(),
		{Lookup: l.variable, DropUnset: true},
		{Lookup: l.environment(true), KeepItem: func(p template.Placeholder) bool { return !p.Runtime() && gives(p.Name) }},
	} {
		var err error
		if v, err = template.Apply(v, pass); err != nil {
			return v, err
		}
	}
	return v, nil
}

// FillOutputs is the pass after the build. ctx.* stays for run time unless the value is one that Prefect does not keep it in.
func (l *Lookups) FillOutputs(v value.Value, keepRuntime bool) (value.Value, error) {
	return template.Apply(v, template.Pass{Lookup: l.outputs(keepRuntime, false), DropUnset: true})
}

// Pull fills pull steps.
func (l *Lookups) Pull(v value.Value) (value.Value, error) {
	return template.Apply(v, template.Pass{Lookup: l.outputs(false, true)})
}

// Inputs fills the inputs of a step.
func (l *Lookups) Inputs(v value.Value) (value.Value, error) {
	for _, pass := range []template.Pass{
		{Lookup: l.outputs(false, false), DropUnset: true},
		l.blocks(),
		{Lookup: l.variable, DropUnset: true},
		{Lookup: l.environment(false), DropUnset: true},
	} {
		var err error
		if v, err = template.Apply(v, pass); err != nil {
			return v, err
		}
	}
	return v, nil
}

// blocks is the pass over what names blocks: placeholders, and mappings {$ref: {block_document_id: ID}}, which become the block's whole data.
func (l *Lookups) blocks() template.Pass {
	return template.Pass{Lookup: l.block, DropUnset: true, Mapping: l.reference}
}

// Reference is the ID of the block document that a mapping stands for. Prefect takes every mapping with the key $ref for one and fails where it holds no mapping.
func Reference(v value.Value) (id value.Value, is bool, err error) {
	ref, is := v.Get("$ref")
	if !is {
		return value.Value{}, false, nil
	}
	if ref.Kind != value.Map {
		return value.Value{}, false, fmt.Errorf("$ref names a block document, and this is %s: write $ref: {block_document_id: ID}", ref.Kind)
	}
	id, _ = ref.Get("block_document_id")
	return id, id.Truthy(), nil
}

func (l *Lookups) reference(v value.Value) (value.Value, template.State, error) {
	id, is, err := Reference(v)
	switch {
	case err != nil || !is || l.Symbolic:
		return value.Value{}, template.Leave, err
	case l.MarksOnly:
		return value.Of(someText).Mark(value.Sensitive), template.Found, nil
	}
	data, ok := l.Blocks[state.BlockRef{ID: id.Str()}]
	if !ok {
		return value.Value{}, template.Leave, fmt.Errorf("there is no block document with the ID %s", id.Str())
	}
	l.tellBlock(data)
	return data.Mark(value.Sensitive), template.Found, nil
}

func (l *Lookups) block(p template.Placeholder) (value.Value, template.State, error) {
	if p.Kind != template.Block || l.Symbolic {
		return value.Value{}, template.Leave, nil
	}
	slug, name, path, ok := p.BlockPath()
	if !ok {
		return value.Value{}, template.Leave, fmt.Errorf("%q names only a block's type: write prefect.blocks.TYPE.NAME", p.Name)
	}
	if l.MarksOnly {
		return value.Of(someText).Mark(value.Sensitive), template.Found, nil
	}
	data, ok := l.Blocks[state.BlockRef{Type: slug, Name: name}]
	if !ok {
		return value.Value{}, template.Leave, fmt.Errorf("there is no block %s/%s", slug, name)
	}
	v, err := insideBlock(data, path)
	if err != nil {
		return value.Value{}, template.Leave, fmt.Errorf("block %s/%s: %w", slug, name, err)
	}
	l.tellBlock(secretOf(slug, v))
	return v.Mark(value.Sensitive), template.Found, nil
}

// secretOf is what of a block is to be looked for in other texts. Where a registry is and who logs in stands in every image's name, and hiding it there would hide the image.
func secretOf(slug string, v value.Value) value.Value {
	if password, ok := v.Get("password"); ok && slug == "docker-registry-credentials" {
		return password
	}
	return v
}

// Tell hands the leaves of a secret value to Secret.
func (l *Lookups) Tell(v value.Value) {
	switch {
	case l.Secret == nil || v.IsNull() || v.Kind == value.Bool:
	case v.Kind == value.List:
		for i := range v.List {
			l.Tell(v.List[i])
		}
	case v.Kind == value.Map:
		for _, e := range v.Map {
			l.Tell(e.Value)
		}
	default:
		l.Secret(v.Str())
	}
}

// tellBlock is Tell with what the later passes make of a block's own templates; what they can't fill is told when they come to it.
func (l *Lookups) tellBlock(v value.Value) {
	if l.Secret == nil {
		return
	}
	for _, pass := range []template.Pass{{Lookup: l.variable, DropUnset: true}, {Lookup: l.environment(false), DropUnset: true}} {
		filled, err := template.Apply(v, pass)
		if err != nil {
			return
		}
		v = filled
	}
	l.Tell(v)
}

// insideBlock follows a path into a block's data. Data that is just {"value": …} stands for that value.
func insideBlock(data value.Value, path string) (value.Value, error) {
	if inner, ok := data.Get("value"); ok && len(data.Map) == 1 {
		if path != "value" && !hasPrefix(path, "value.") && !hasPrefix(path, "value[") {
			data = inner
		}
	}
	if path == "" {
		return data, nil
	}
	v, ok := template.Path(data, path)
	if !ok {
		return v, fmt.Errorf("its data has no %q", path)
	}
	return v, nil
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// variable: a missing one is the empty text, in Prefect too.
func (l *Lookups) variable(p template.Placeholder) (value.Value, template.State, error) {
	if p.Kind != template.Variable || l.Symbolic {
		return value.Value{}, template.Leave, nil
	}
	if v, ok := l.Variables[p.VariableName()]; ok {
		return v, template.Found, nil
	}
	return value.Of(""), template.Found, nil
}

// environment fills {{ $NAME }}, and in fields also a bare {{ NAME }}.
func (l *Lookups) environment(bare bool) template.Lookup {
	return func(p template.Placeholder) (value.Value, template.State, error) {
		if p.Kind == template.Env {
			return l.env(p.EnvName())
		}
		if p.Kind != template.Output || !bare {
			return value.Value{}, template.Leave, nil
		}
		v, ok := l.bare(p.Name)
		if !ok {
			return value.Value{}, template.Unset, nil
		}
		return v, template.Found, nil
	}
}

func (l *Lookups) env(name string) (value.Value, template.State, error) {
	text, ok := l.Env(name)
	switch {
	case ok:
		return l.marked(name, text), template.Found, nil
	case l.MarksOnly:
		return l.marked(name, someText), template.Found, nil
	case l.NotHere:
		return value.Value{}.Mark(value.NotHere), template.Later, nil
	}
	return value.Value{Origin: l.marked(name, "").Origin}, template.Unset, nil // what an unset secret fills is a secret's place all the same
}

func (l *Lookups) marked(name, text string) value.Value {
	v := value.Of(text)
	if !l.Shown(name) {
		l.Tell(v)
		v = v.Mark(value.Sensitive)
	}
	return v
}

// bare looks a name without $ up in the environment as Prefect does: as a path whose first part is the variable, so that {{ HOME[0] }} is a character.
func (l *Lookups) bare(name string) (value.Value, bool) {
	head := name
	for i := 0; i < len(name); i++ {
		if name[i] == '.' || name[i] == '[' {
			head = name[:i]
			break
		}
	}
	text, ok := l.Env(head)
	if !ok {
		return value.Value{}, false
	}
	v := value.Of([]value.Entry{{Key: head, Value: l.marked(head, text)}})
	return template.Path(v, name)
}

// outputs is the pass over what the steps gave. It fills {{ $NAME }} too, as Prefect's does; in pull steps an unset one stays.
func (l *Lookups) outputs(keepRuntime, pull bool) template.Lookup {
	return func(p template.Placeholder) (value.Value, template.State, error) {
		switch {
		case keepRuntime && p.Runtime(), p.Kind == template.Block, p.Kind == template.Variable:
			return value.Value{}, template.Leave, nil
		case p.Kind == template.Env && pull && !l.NotHere:
			v, s, err := l.env(p.EnvName())
			return v, s, err
		case p.Kind == template.Env:
			return l.env(p.EnvName())
		}
		if v, ok := template.Path(l.Outputs, p.Name); ok {
			v = v.Mark(value.Built)
			if l.SensitiveOutput != nil && l.SensitiveOutput(p.Name) {
				v = v.Mark(value.Sensitive)
			}
			if v.Marks().Has(value.Sensitive) {
				l.Tell(v)
			}
			return v, template.Found, nil
		}
		if l.Pending != nil && l.Pending(p.Name) {
			waits := value.Value{}.Mark(value.AfterBuild)
			if l.SensitiveOutput != nil && l.SensitiveOutput(p.Name) {
				waits = waits.Mark(value.Sensitive)
			}
			return waits, template.Later, nil
		}
		if l.MarksOnly && !pull && p.Kind == template.Output { // a variable of the environment, if anything, that isn't set here
			return l.marked(p.Name, someText), template.Found, nil
		}
		return value.Value{}, template.Unset, nil
	}
}
