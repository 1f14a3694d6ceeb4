// Package value is the tree of values that travels through the whole program: what prefect.yaml wrote, with the position of
// every part, and what became of it when templates were filled, with the knowledge of where each part came from.
//
// It is a tree of its own, and not `any`, for three reasons. Mappings keep their order, because Prefect writes a mapping that is
// embedded in text the way Python prints it, in order. Every part keeps its line, so that an error or a change found much later can
// still point at it. And provenance sticks to the value: text that was built from a secret is itself secret, so no renderer has to
// know what to hide.
package value

import (
	"math"
	"strconv"
)

// Kind says which of Value's fields hold it.
type Kind uint8

// The kinds that YAML, JSON and Python's plain data share.
const (
	Null Kind = iota
	Bool
	Int
	Float
	Text
	List
	Map
)

// String is the word that error messages use for a kind.
func (k Kind) String() string {
	return [...]string{"null", "true or false", "a whole number", "a number", "text", "a list", "a mapping"}[k]
}

// Pos is a place in the file a value came from. Lines and columns count from 1; the zero Pos is "nowhere".
type Pos struct {
	Line, Column int32
	// EndColumn is the column after the last character when the value stands on one line, else 0.
	EndColumn int32
}

// Known reports whether the position names a place.
func (p Pos) Known() bool { return p.Line > 0 }

// Origin is a set of marks about where a value came from. The zero Origin is a value that is plainly known.
type Origin uint8

const (
	// AfterBuild marks a value that a step has still to give: its Text is the template as written.
	AfterBuild Origin = 1 << iota
	// Derived marks a value that nobody wrote (the commit as version, this machine's directory as pull step).
	Derived
	// Sensitive marks a value that must not be shown: it came through a block, a secret or an unlisted environment variable.
	Sensitive
	// NotHere marks a value that depends on an environment variable which is not set where the plan is made.
	NotHere
	// Dated marks a text that YAML read as a date: Prefect refuses it where it wants text and writes it as ISO 8601 elsewhere.
	Dated
	// Built marks a value that a step gave in this run: before the build it was AfterBuild.
	Built
)

// Has reports whether all marks of m are set.
func (o Origin) Has(m Origin) bool { return o&m == m }

// Value is one node of the tree. The zero Value is null.
type Value struct {
	Kind   Kind
	Origin Origin
	Bool   bool
	Pos    Pos
	Int    int64
	Float  float64
	// Text is the text of a Text; for an Int beyond 64 bits its decimal digits (Big then reports true).
	Text string
	List []Value
	Map  []Entry
	// Ext holds what few values have; nil for the others, which keeps the tree of a large file small.
	Ext *Ext
}

// Ext is what only some values know about themselves.
type Ext struct {
	// Refs names what the value was filled from, for reasons and for the list of names that would make it plain:
	// "$REGION", "prefect.blocks.secret.token", "image.tag".
	Refs []string
	// Alias is the place of the alias through which the value came here; Pos is then that of its anchor.
	Alias Pos
}

// Entry is one key of a mapping with its value. Keys are text always, as in JSON; KeyKind tells what YAML read (a number, say).
type Entry struct {
	Key     string
	KeyPos  Pos
	KeyKind Kind
	Value   Value
}

// Refs names what the value was filled from.
func (v Value) Refs() []string {
	if v.Ext == nil {
		return nil
	}
	return v.Ext.Refs
}

// Alias is the place of the alias through which the value came, the zero Pos without one.
func (v Value) Alias() Pos {
	if v.Ext == nil {
		return Pos{}
	}
	return v.Ext.Alias
}

// Through returns v marked as having come through the alias at p.
func (v Value) Through(p Pos) Value {
	v.Ext = &Ext{Refs: v.Refs(), Alias: p}
	return v
}

// Of makes a Value of plain Go data: nil, bool, int, int64, float64, string, []Value, []Entry or a Value itself.
func Of(v any) Value {
	switch v := v.(type) {
	case nil:
		return Value{}
	case Value:
		return v
	case bool:
		return Value{Kind: Bool, Bool: v}
	case int:
		return Value{Kind: Int, Int: int64(v)}
	case int64:
		return Value{Kind: Int, Int: v}
	case float64:
		return Value{Kind: Float, Float: v}
	case string:
		return Value{Kind: Text, Text: v}
	case []Value:
		return Value{Kind: List, List: v}
	case []Entry:
		return Value{Kind: Map, Map: v}
	}
	panic("value.Of: " + "a kind of Go value that no YAML or JSON gives")
}

// Big reports whether v is an Int that 64 bits can't hold.
func (v Value) Big() bool { return v.Kind == Int && v.Text != "" }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.Kind == Null }

// Truthy is Python's idea of true: not null, false, 0, or empty.
func (v Value) Truthy() bool {
	switch v.Kind {
	case Bool:
		return v.Bool
	case Int:
		return v.Int != 0 || v.Text != ""
	case Float:
		return v.Float != 0
	case Text:
		return v.Text != ""
	case List:
		return len(v.List) > 0
	case Map:
		return len(v.Map) > 0
	}
	return false
}

// Get returns the value under key of a mapping; ok is false when v is no mapping or lacks the key.
func (v Value) Get(key string) (Value, bool) {
	if v.Kind != Map {
		return Value{}, false
	}
	for i := range v.Map {
		if v.Map[i].Key == key {
			return v.Map[i].Value, true
		}
	}
	return Value{}, false
}

// Set returns a copy of the mapping v in which key has value x, in its old place or at the end.
func (v Value) Set(key string, x Value) Value {
	entries := make([]Entry, len(v.Map), len(v.Map)+1)
	copy(entries, v.Map)
	v.Kind, v.Map = Map, entries
	for i := range entries {
		if entries[i].Key == key {
			entries[i].Value = x
			return v
		}
	}
	v.Map = append(v.Map, Entry{Key: key, KeyPos: x.Pos, KeyKind: Text, Value: x})
	return v
}

// Marks is the union of the marks of v and of everything inside it.
func (v Value) Marks() Origin {
	marks := v.Origin
	for i := range v.List {
		marks |= v.List[i].Marks()
	}
	for i := range v.Map {
		marks |= v.Map[i].Value.Marks()
	}
	return marks
}

// Mark returns v with the marks added, to the node itself only.
func (v Value) Mark(m Origin, refs ...string) Value {
	v.Origin |= m
	if len(refs) > 0 {
		v.Ext = &Ext{Refs: append(append([]string(nil), v.Refs()...), refs...), Alias: v.Alias()}
	}
	return v
}

// Deep returns a copy of v in which every node has the marks.
func (v Value) Deep(m Origin) Value {
	v.Origin |= m
	if len(v.List) > 0 {
		list := make([]Value, len(v.List))
		for i := range v.List {
			list[i] = v.List[i].Deep(m)
		}
		v.List = list
	}
	if len(v.Map) > 0 {
		entries := make([]Entry, len(v.Map))
		for i, e := range v.Map {
			e.Value = e.Value.Deep(m)
			entries[i] = e
		}
		v.Map = entries
	}
	return v
}

// At returns v with another position, unless it has one.
func (v Value) At(p Pos) Value {
	if !v.Pos.Known() {
		v.Pos = p
	}
	return v
}

// Equal compares as JSON does after canonical numbers: 1 and 1.0 are equal, the order of keys means nothing, positions and
// provenance neither.
func Equal(a, b Value) bool {
	a, b = a.sent(), b.sent()
	if a.Kind != b.Kind {
		if (a.Kind == Int && b.Kind == Float) || (a.Kind == Float && b.Kind == Int) {
			return a.number() == b.number()
		}
		return false
	}
	switch a.Kind {
	case Bool:
		return a.Bool == b.Bool
	case Int:
		return a.Int == b.Int && a.Text == b.Text
	case Float:
		return a.Float == b.Float
	case Text:
		return a.Text == b.Text
	case List:
		if len(a.List) != len(b.List) {
			return false
		}
		for i := range a.List {
			if !Equal(a.List[i], b.List[i]) {
				return false
			}
		}
	case Map:
		return equalMaps(a.Map, b.Map)
	}
	return true
}

// sent is a value as it is sent: a number that JSON does not have is null there.
func (v Value) sent() Value {
	if v.Kind == Float && (math.IsNaN(v.Float) || math.IsInf(v.Float, 0)) {
		v.Kind = Null
	}
	return v
}

func equalMaps(a, b []Entry) bool {
	if len(a) != len(b) {
		return false
	}
	index := make(map[string]int, len(b))
	for i := range b {
		index[b[i].Key] = i
	}
	for i := range a {
		j, ok := index[a[i].Key]
		if !ok || !Equal(a[i].Value, b[j].Value) {
			return false
		}
	}
	return true
}

func (v Value) number() float64 {
	if v.Kind == Float {
		return v.Float
	}
	if v.Text != "" {
		f, _ := strconv.ParseFloat(v.Text, 64)
		return f
	}
	return float64(v.Int)
}

// Redacted is v with "(sensitive)" in place of every part of it that must not be shown. v itself stays as it is.
func (v Value) Redacted() Value {
	if v.Origin.Has(Sensitive) {
		return Of("(sensitive)")
	}
	switch v.Kind {
	case List:
		list := make([]Value, len(v.List))
		for i := range v.List {
			list[i] = v.List[i].Redacted()
		}
		v.List = list
	case Map:
		entries := append([]Entry(nil), v.Map...)
		for i := range entries {
			entries[i].Value = entries[i].Value.Redacted()
		}
		v.Map = entries
	}
	return v
}
