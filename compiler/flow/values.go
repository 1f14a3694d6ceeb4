// Defaults, computed: what the schema says about a default is its JSON form, which pydantic makes of the value whatever the
// parameter's annotation. Constants, containers of them, arithmetic, members of enums, module constants, and a few constructors of
// the standard library are evaluated; all else is unknown.

package flow

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

type valueState uint8

const (
	valueUnknown valueState = iota
	valueKnown
	valueUnserialisable // there is a default, but JSON has no form for it: no "default" key, and not required
	valueAbsent         // no default at all: the parameter is required
)

// value is a Python value: its type's name, and its JSON form in json (nil, bool, int64, float64, string, []any, map[string]any).
type value struct {
	state  valueState
	kind   string
	json   any
	reason string
}

func known(kind string, json any) value { return value{state: valueKnown, kind: kind, json: json} }

func unknownValue(reason string) value { return value{reason: reason} }

// eval evaluates an expression of module m as if at an offset.
func (s *loading) eval(m *module, e pysource.Expr, at uint32) value {
	if s.depth++; s.depth > maxDepth {
		s.depth--
		return unknownValue("it is defined in too many steps")
	}
	defer func() { s.depth-- }()
	switch e.Op {
	case pysource.Constant:
		switch e.Text {
		case "None":
			return known("NoneType", nil)
		case "Ellipsis":
			return value{state: valueAbsent}
		}
		return known("bool", e.Text == "True")
	case pysource.Int:
		if e.Text != "" && e.Int == 0 && strings.Trim(e.Text, "0xob") != "" {
			return unknownValue("the number is too large")
		}
		return known("int", e.Int)
	case pysource.Float:
		return floatValue(e.Float)
	case pysource.String:
		if !utf8.ValidString(e.Text) {
			return unknownValue("the text holds lone surrogates")
		}
		return known("str", e.Text)
	case pysource.Bytes:
		if !utf8.ValidString(e.Text) {
			return value{state: valueUnserialisable, kind: "bytes"}
		}
		return known("bytes", e.Text)
	case pysource.List, pysource.Tuple, pysource.Set, pysource.Dict:
		return s.container(m, e, at)
	case pysource.Unary:
		return unary(e.Text, s.eval(m, e.Items[0], at))
	case pysource.Binary:
		return arithmetic(e.Text, s.eval(m, e.Items[0], at), s.eval(m, e.Items[1], at))
	case pysource.Call:
		return s.construct(m, e, at)
	case pysource.Name, pysource.Attribute:
		return s.named(m, e, at)
	}
	return unknownValue("it is computed")
}

// floatValue holds infinities and NaN as they are; JSON, which lacks them, gets null where a default is one.
func floatValue(f float64) value { return known("float", f) }

func (s *loading) container(m *module, e pysource.Expr, at uint32) value {
	items := make([]any, 0, len(e.Items))
	kinds := make([]string, 0, len(e.Items))
	for _, x := range e.Items {
		v := s.eval(m, x, at)
		if f, ok := v.json.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
			return unknownValue("it holds an infinity or NaN")
		}
		if v.state != valueKnown {
			return unknownValue("an item of it is not a constant")
		}
		if list, ok := v.json.([]any); ok && v.kind == "set" && len(list) > 1 {
			return unknownValue("it holds a set, whose order is not known") // pydantic sorts a set that is the whole default only
		}
		items = append(items, v.json)
		kinds = append(kinds, v.kind)
	}
	switch e.Op {
	case pysource.Tuple:
		return known("tuple", items)
	case pysource.List:
		return known("list", items)
	case pysource.Set:
		return setValue(items, kinds)
	}
	d := make(map[string]any, len(items)/2)
	for i := 0; i < len(items); i += 2 {
		switch kinds[i] {
		case "str":
			d[items[i].(string)] = items[i+1]
		case "int":
			d[itoa(items[i].(int64))] = items[i+1]
		default:
			return unknownValue("a key of it is neither text nor a whole number")
		}
	}
	return known("dict", d)
}

// setValue sorts as pydantic does before it writes a default, which works for items of one ordered type.
func setValue(items []any, kinds []string) value {
	for _, k := range kinds {
		if k != kinds[0] || k != "str" && k != "int" {
			return unknownValue("a set whose order is not known")
		}
	}
	slices.SortFunc(items, func(a, b any) int {
		switch x := a.(type) {
		case string:
			return strings.Compare(x, b.(string))
		case int64:
			switch y := b.(int64); {
			case x < y:
				return -1
			case x > y:
				return 1
			}
		}
		return 0
	})
	return known("set", slices.Compact(items))
}

func itoa(i int64) string {
	if i < 0 {
		if i == math.MinInt64 {
			return "-9223372036854775808"
		}
		return "-" + itoa(-i)
	}
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

func unary(op string, v value) value {
	if v.state != valueKnown {
		return v
	}
	i, isInt := v.json.(int64)
	switch {
	case v.kind == "int" && isInt && op == "+", v.kind == "float" && op == "+":
		return v
	case v.kind == "int" && isInt && op == "-" && i != math.MinInt64:
		return known("int", -i)
	case v.kind == "int" && isInt && op == "~":
		return known("int", ^i)
	case v.kind == "float" && op == "-":
		return floatValue(-v.json.(float64))
	}
	return unknownValue("it is computed")
}

func arithmetic(op string, a, b value) value {
	if a.state != valueKnown || b.state != valueKnown {
		return unknownValue("it is computed from something that is not a constant")
	}
	if a.kind == "int" && b.kind == "int" {
		return wholeArithmetic(op, a.json.(int64), b.json.(int64))
	}
	if a.kind == b.kind && op == "+" {
		switch a.kind {
		case "str":
			return known("str", a.json.(string)+b.json.(string))
		case "list", "tuple":
			return known(a.kind, append(slices.Clone(a.json.([]any)), b.json.([]any)...))
		}
	}
	x, okx := number(a)
	y, oky := number(b)
	if !okx || !oky || a.kind == "bool" || b.kind == "bool" {
		return unknownValue("it is computed")
	}
	switch {
	case op == "+":
		return floatValue(x + y)
	case op == "-":
		return floatValue(x - y)
	case op == "*":
		return floatValue(x * y)
	case op == "/" && y != 0:
		return floatValue(x / y)
	}
	return unknownValue("it is computed")
}

func number(v value) (float64, bool) {
	switch n := v.json.(type) {
	case int64:
		return float64(n), v.kind == "int" && n < 1<<53 && n > -1<<53
	case float64:
		return n, v.kind == "float"
	}
	return 0, false
}

// wholeArithmetic works on integers as long as results stay well inside 64 bits.
func wholeArithmetic(op string, a, b int64) value {
	const big = 1 << 31
	small := a < big && a > -big && b < big && b > -big
	switch {
	case op == "|":
		return known("int", a|b)
	case op == "&":
		return known("int", a&b)
	case op == "^":
		return known("int", a^b)
	case op == "<<" && b >= 0 && b < 31 && small:
		return known("int", a<<b)
	case op == "**" && b >= 0 && b <= 62 && small:
		r := int64(1)
		for range b {
			if r *= a; r > 1<<31 || r < -1<<31 {
				if b > 2 && (a > 1<<15 || a < -1<<15) || r > 1<<46 || r < -1<<46 {
					return unknownValue("the number is large")
				}
			}
		}
		return known("int", r)
	case !small && (op == "+" || op == "-") && a < 1<<62 && a > -1<<62 && b < 1<<62 && b > -1<<62, small && (op == "+" || op == "-"):
		if op == "+" {
			return known("int", a+b)
		}
		return known("int", a-b)
	case op == "*" && small:
		return known("int", a*b)
	case op == "/" && b != 0 && small:
		return floatValue(float64(a) / float64(b))
	case op == "//" && b != 0 && small:
		q := a / b
		if a%b != 0 && (a < 0) != (b < 0) {
			q--
		}
		return known("int", q)
	case op == "%" && b != 0 && small:
		r := a % b
		if r != 0 && (r < 0) != (b < 0) {
			r += b
		}
		return known("int", r)
	}
	return unknownValue("it is computed")
}

// named evaluates a name or dotted name: a module constant, a member of an enum, a function.
func (s *loading) named(m *module, e pysource.Expr, at uint32) value {
	if e.Op == pysource.Attribute {
		if owner := s.object(m, e.Items[0], at); owner.kind == definition {
			return s.classAttribute(owner, e.Text)
		}
		if e.Text == "value" && e.Items[0].Op == pysource.Attribute {
			if v := s.eval(m, e.Items[0], at); v.state == valueKnown && v.kind == "enum" {
				return unknownValue("it is computed")
			}
		}
	}
	o := s.object(m, e, at)
	switch o.kind {
	case assigned:
		v := s.eval(o.mod, o.mod.file.ParseExpr(o.span), o.at)
		if v.state == valueKnown && (v.kind == "list" || v.kind == "dict" || v.kind == "set") && changed(o.mod, o.name, o.span) {
			return unknownValue(o.name + " may be changed after its assignment")
		}
		if v.state == valueAbsent {
			return unknownValue("it is computed")
		}
		return v
	case definition:
		d := o.mod.file.Defs[o.def]
		if d.Kind == pysource.Function && d.Decorators.Lo == d.Decorators.Hi {
			return value{state: valueUnserialisable, kind: "function"}
		}
		if d.Kind == pysource.Class && s.plainClass(o, 0) {
			return value{state: valueUnserialisable, kind: "type"}
		}
	case builtin:
		if o.name[0] >= 'a' && !isTypeName(o.name) || o.name == "int" || o.name == "str" || o.name == "float" {
			return value{state: valueUnserialisable, kind: "function"}
		}
	case unbound:
		return unknownValue(o.name + " is not defined, so the module cannot be imported")
	case external:
		return unknownValue(o.name + " cannot be looked into")
	case unknownObject:
		return unknownValue(o.reason)
	}
	return unknownValue("it is computed")
}

// changed reports whether something in the file may change the container that a name is bound to: a method call on it, an item
// assignment, an augmented assignment. It looks at the text, and errs towards yes.
func changed(m *module, name string, at pysource.Span) bool {
	text := m.file.Text
	for i := 0; ; {
		j := strings.Index(text[i:], name)
		if j < 0 {
			return false
		}
		i += j + len(name)
		if i <= int(at.Start) && i-len(name) >= int(at.Start)-len(name)-200 && strings.TrimSpace(text[i:at.Start]) == "=" {
			continue
		}
		rest := strings.TrimLeft(text[i:], " \t")
		if rest != "" && (rest[0] == '.' || rest[0] == '[' || len(rest) > 1 && rest[1] == '=' && strings.IndexByte("+-|&*^", rest[0]) >= 0) {
			return true
		}
	}
}

// classAttribute evaluates Class.NAME, which is known for members of enums.
func (s *loading) classAttribute(owner object, name string) value {
	members, _, reason := s.enum(owner)
	if reason != "" {
		return unknownValue(reason)
	}
	for _, m := range members {
		if m.name == name {
			return known("enum", m.json)
		}
	}
	return unknownValue(name + " is no member of " + owner.name)
}
