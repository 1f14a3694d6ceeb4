package template

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// State is how a lookup knows a placeholder.
type State uint8

const (
	// Leave is the answer for what another pass fills: the placeholder stays.
	Leave State = iota
	// Found comes with a value.
	Found
	// Unset is the answer for a name of this pass that has no value.
	Unset
	// Later is the answer for what a step has still to give, or what is not known where a plan is made: the placeholder stays, and the value is marked.
	Later
)

// Lookup answers for one placeholder. The value's marks (Sensitive, AfterBuild, NotHere) pass on to what is built from it. An error ends Apply.
type Lookup func(p Placeholder) (value.Value, State, error)

// Pass is one of Prefect's passes over the tree.
type Pass struct {
	Lookup Lookup
	// DropUnset takes away what is unset: a whole placeholder's key or list item, an embedded one's text. Without it a placeholder that is unset stays,
	// except that a whole list item is lost (Prefect's pass over the environment does that to `tags: ["{{ s.stdout }}"]`).
	DropUnset bool
	// KeepItem, if not nil, tells which list items a pass without DropUnset keeps although they are one whole unset placeholder: our departure for
	// step outputs, which a later pass fills.
	KeepItem func(p Placeholder) bool
	// Mapping, if not nil, may put a value in place of a whole mapping, which is then not looked into.
	Mapping func(v value.Value) (value.Value, State, error)
}

// Error is a lookup's error with the value and the placeholder that it concerns.
type Error struct {
	Value       value.Value
	Placeholder Placeholder
	Err         error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Apply returns v with the pass carried out; v itself is not changed, and shares what did not change. Keys of mappings are never filled.
func Apply(v value.Value, pass Pass) (value.Value, error) {
	out, set, err := apply(v, pass)
	if err == nil && !set && pass.DropUnset {
		return value.Value{Pos: v.Pos}, nil
	}
	return out, err
}

// apply's set is false for a whole placeholder that is unset.
func apply(v value.Value, pass Pass) (out value.Value, set bool, err error) {
	switch v.Kind {
	case value.Text:
		return applyText(v, pass)
	case value.List:
		out, err = applyList(v, pass)
	case value.Map:
		out, err = applyMap(v, pass)
	default:
		return v, true, nil
	}
	return out, true, err
}

func applyText(v value.Value, pass Pass) (value.Value, bool, error) {
	if !strings.Contains(v.Text, "{{") {
		return v, true, nil
	}
	if p, ok := Whole(v.Text); ok {
		return applyWhole(v, p, pass)
	}
	found := Find(v.Text)
	if len(found) == 0 {
		return v, true, nil
	}
	var b strings.Builder
	last, marks := 0, value.Origin(0)
	var refs []string
	for _, p := range found {
		x, state, err := pass.Lookup(p)
		if err != nil {
			return v, true, &Error{v, p, err}
		}
		if state == Leave || (state == Unset && !pass.DropUnset) {
			continue
		}
		if p.Kind == Block && (x.Kind == value.List || x.Kind == value.Map) {
			return v, true, &Error{v, p, fmt.Errorf("%s is %s, which can't stand inside text: name a part of it", p.Name, x.Kind)}
		}
		marks |= x.Marks()
		refs = append(refs, p.Name)
		if state == Later {
			continue
		}
		b.WriteString(v.Text[last:p.Start])
		if state == Found {
			b.WriteString(x.Str())
		}
		last = p.End
	}
	if refs == nil {
		return v, true, nil
	}
	b.WriteString(v.Text[last:])
	v.Text = b.String()
	return v.Mark(marks, refs...), true, nil
}

func applyWhole(v value.Value, p Placeholder, pass Pass) (value.Value, bool, error) {
	x, state, err := pass.Lookup(p)
	switch {
	case err != nil:
		return v, true, &Error{v, p, err}
	case state == Found:
		x.Pos = v.Pos
		return x.Mark(v.Origin, append(v.Refs(), p.Name)...), true, nil
	case state == Later:
		return v.Mark(x.Marks(), p.Name), true, nil
	case state == Unset && p.Kind == Env && pass.DropUnset:
		v.Text = ""
		return v.Mark(x.Marks(), p.Name), true, nil
	case state == Unset && p.Kind == Output:
		return v, false, nil
	}
	return v, true, nil
}

func applyList(v value.Value, pass Pass) (value.Value, error) {
	items := make([]value.Value, 0, len(v.List))
	for _, item := range v.List {
		x, set, err := apply(item, pass)
		if err != nil {
			return v, err
		}
		if !set && !pass.DropUnset && pass.KeepItem != nil {
			p, _ := Whole(item.Text)
			set = pass.KeepItem(p)
		}
		if set {
			items = append(items, x)
		}
	}
	v.List = items
	return v, nil
}

func applyMap(v value.Value, pass Pass) (value.Value, error) {
	if pass.Mapping != nil {
		x, state, err := pass.Mapping(v)
		if err != nil {
			return v, &Error{Value: v, Err: err}
		}
		if state == Found {
			x.Pos = v.Pos
			return x.Mark(v.Origin), nil
		}
	}
	entries := make([]value.Entry, 0, len(v.Map))
	for _, e := range v.Map {
		x, set, err := apply(e.Value, pass)
		if err != nil {
			return v, err
		}
		if set || !pass.DropUnset {
			e.Value = x
			entries = append(entries, e)
		}
	}
	v.Map = entries
	return v, nil
}

// Path follows "a.b[0].c" into v as Prefect does: a part that is a whole number indexes lists (from the end when negative) and the characters of text, every
// other part is a key. ok is false where Python would raise KeyError, IndexError or TypeError.
func Path(v value.Value, path string) (value.Value, bool) {
	path = strings.ReplaceAll(strings.ReplaceAll(path, "[", "."), "]", "")
	for _, part := range strings.Split(path, ".") {
		var ok bool
		if i, err := strconv.Atoi(part); err == nil {
			v, ok = index(v, i)
		} else {
			v, ok = inside(v, part)
		}
		if !ok {
			return value.Value{}, false
		}
	}
	return v, true
}

// inside is a key of a mapping; what is inside a sensitive value is sensitive.
func inside(v value.Value, key string) (value.Value, bool) {
	x, ok := v.Get(key)
	return x.Mark(v.Origin), ok
}

func index(v value.Value, i int) (value.Value, bool) {
	switch v.Kind {
	case value.List:
		if i < 0 {
			i += len(v.List)
		}
		if i >= 0 && i < len(v.List) {
			return v.List[i].Mark(v.Origin), true
		}
	case value.Text:
		runes := []rune(v.Text)
		if i < 0 {
			i += len(runes)
		}
		if i >= 0 && i < len(runes) {
			return value.Of(string(runes[i])).Mark(v.Origin), true
		}
	}
	return value.Value{}, false
}

// Walk calls visit for every text of v that holds placeholders, in order.
func Walk(v value.Value, visit func(text value.Value, found []Placeholder)) {
	switch v.Kind {
	case value.Text:
		if strings.Contains(v.Text, "{{") {
			if found := Find(v.Text); len(found) > 0 {
				visit(v, found)
			}
		}
	case value.List:
		for i := range v.List {
			Walk(v.List[i], visit)
		}
	case value.Map:
		for i := range v.Map {
			Walk(v.Map[i].Value, visit)
		}
	}
}
