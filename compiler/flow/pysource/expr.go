// Simple expressions, parsed on demand: names, attributes, subscripts, calls, constants, containers, and arithmetic on them. That is
// what annotations, defaults and decorators' arguments are made of. Everything else (lambdas, comprehensions, comparisons,
// conditionals, slices) is Other: there, but not looked into.

package pysource

import (
	"math/big"
	"strconv"
	"strings"
)

// Op says what an Expr is.
type Op uint8

// The expressions that are understood. Items holds their parts as said here.
const (
	Other     Op = iota
	Name         // Text
	Constant     // Text: None, True, False, Ellipsis
	Int          // Int, or Text alone if it does not fit into 64 bits
	Float        // Float
	Imaginary    // Float
	String       // Text
	Bytes        // Text
	Attribute    // Items[0].Text
	Subscript    // Items[0][Items[1]]
	Call         // Items[0](Items[1:]…); Keywords tells how each argument is given
	Tuple        // Items
	List         // Items
	Set          // Items
	Dict         // Items: key, value, key, value, …
	Unary        // Text Items[0]
	Binary       // Items[0] Text Items[1]
	Starred      // *Items[0]
)

// Expr is one expression.
type Expr struct {
	Op       Op
	Span     Span
	Text     string
	Int      int64
	Float    float64
	Items    []Expr
	Keywords []string // of a Call, for Items[1:]: "" by position, "*", "**", or the argument's name
}

// maxNesting bounds the recursion; deeper expressions are Other.
const maxNesting = 60

// maxOperands bounds chains such as a + b + … and a.b.…, which make deep trees too.
const maxOperands = 200

// ParseExpr parses the expression at s.
func (f *File) ParseExpr(s Span) Expr {
	p := exprParser{scanner{text: f.Text}, 0}
	return p.parse(s)
}

// ParseText parses an expression that is a text of its own, as a quoted annotation is. Python strips blanks before it evaluates one.
func ParseText(text string) Expr {
	p := exprParser{scanner{text: text}, 0}
	return p.parse(Span{0, uint32(len(text))})
}

type exprParser struct {
	scanner
	nesting int
}

func (p *exprParser) parse(s Span) Expr {
	i, end := p.space(int(s.Start)), int(s.End)
	if p.nesting++; p.nesting > maxNesting || i >= end {
		p.nesting--
		return Expr{Span: s}
	}
	defer func() { p.nesting-- }()
	if p.text[i] == '*' {
		return Expr{Op: Starred, Span: s, Items: []Expr{p.parse(Span{uint32(i + 1), s.End})}}
	}
	e, at := p.binary(i, end, 0)
	if e.Op == Other || p.space(at) < end {
		return Expr{Span: s}
	}
	return e
}

// operator is the binary operator at i with how tightly it binds; 0 is none.
func (p *exprParser) operator(i, end int) (op string, binds int) {
	if i >= end {
		return "", 0
	}
	t := p.text[i:end]
	switch t[0] {
	case '|':
		op, binds = "|", 1
	case '^':
		op, binds = "^", 2
	case '&':
		op, binds = "&", 3
	case '<', '>':
		if len(t) < 2 || t[1] != t[0] {
			return "", 0
		}
		return t[:2], 4
	case '+', '-':
		op, binds = t[:1], 5
	case '*', '/':
		if len(t) > 1 && t[1] == t[0] {
			if t[0] == '*' {
				return "**", 8
			}
			return "//", 6
		}
		op, binds = t[:1], 6
	case '%', '@':
		op, binds = t[:1], 6
	}
	return op, binds
}

// binary parses operators that bind more tightly than least.
func (p *exprParser) binary(i, end, least int) (Expr, int) {
	left, i := p.unary(i, end)
	if p.nesting++; p.nesting > maxNesting {
		left = Expr{}
	}
	defer func() { p.nesting-- }()
	for operands := 0; left.Op != Other; operands++ {
		if operands > maxOperands {
			return Expr{}, i
		}
		at := p.space(i)
		op, binds := p.operator(at, end)
		if binds == 0 || binds <= least {
			return left, i
		}
		next := binds
		if op == "**" {
			next = 6 // the right side of a power may be a power or have a sign
		}
		right, j := p.binary(p.space(at+len(op)), end, next)
		if right.Op == Other {
			return right, j
		}
		left = Expr{Op: Binary, Text: op, Items: []Expr{left, right}, Span: Span{left.Span.Start, uint32(j)}}
		i = j
	}
	return left, i
}

func (p *exprParser) unary(i, end int) (Expr, int) {
	if i < end && strings.IndexByte("+-~", p.text[i]) >= 0 {
		if p.nesting++; p.nesting > maxNesting {
			p.nesting--
			return Expr{}, i
		}
		e, at := p.binary(p.space(i+1), end, 7)
		p.nesting--
		if e.Op == Other {
			return e, at
		}
		return Expr{Op: Unary, Text: p.text[i : i+1], Items: []Expr{e}, Span: Span{uint32(i), uint32(at)}}, at
	}
	e, at := p.atom(i, end)
	for links := 0; e.Op != Other; links++ {
		if links > maxOperands {
			return Expr{}, at
		}
		j := p.space(at)
		if j >= end {
			break
		}
		switch p.text[j] {
		case '.':
			k := p.space(j + 1)
			w := p.word(k)
			if w == "" || w[0] <= '9' || k >= end {
				return Expr{}, j
			}
			at = k + len(w)
			e = Expr{Op: Attribute, Text: w, Items: []Expr{e}, Span: Span{e.Span.Start, uint32(at)}}
		case '(':
			e, at = p.call(e, j)
		case '[':
			e, at = p.subscript(e, j)
		default:
			return e, at
		}
	}
	return e, at
}

func (p *exprParser) atom(i, end int) (Expr, int) {
	if i >= end {
		return Expr{}, i
	}
	c := p.text[i]
	switch {
	case c == '(' || c == '[' || c == '{':
		return p.display(i)
	case c == '"' || c == '\'':
		return p.literal(i, i, end)
	case c >= '0' && c <= '9' || c == '.' && i+1 < end && p.text[i+1] >= '0' && p.text[i+1] <= '9':
		return p.number(i, end)
	case strings.HasPrefix(p.text[i:end], "..."):
		return Expr{Op: Constant, Text: "Ellipsis", Span: Span{uint32(i), uint32(i + 3)}}, i + 3
	case isIdent(c):
		w := p.word(i)
		at := i + len(w)
		if at < end && len(w) <= 2 && (p.text[at] == '"' || p.text[at] == '\'') {
			return p.literal(i, at, end)
		}
		s := Span{uint32(i), uint32(at)}
		switch w {
		case "None", "True", "False":
			return Expr{Op: Constant, Text: w, Span: s}, at
		case "lambda", "not", "await", "yield", "if", "else", "for", "in", "is", "and", "or":
			return Expr{}, at
		}
		return Expr{Op: Name, Text: w, Span: s}, at
	}
	return Expr{}, i
}

// literal parses adjacent strings; the first begins at start and has its quote at quote.
func (p *exprParser) literal(start, quote, end int) (Expr, int) {
	at := quote
	for {
		at = p.str(at)
		next := p.space(at)
		if next < end && isIdent(p.text[next]) {
			next += len(p.word(next))
		}
		if next >= end || p.text[next] != '"' && p.text[next] != '\'' {
			break
		}
		at = next
	}
	if at > end {
		return Expr{}, end
	}
	s := Span{uint32(start), uint32(at)}
	value, isBytes, reason := StringValue(p.text[start:at])
	switch {
	case reason != "":
		return Expr{Span: s}, at
	case isBytes:
		return Expr{Op: Bytes, Text: value, Span: s}, at
	}
	return Expr{Op: String, Text: value, Span: s}, at
}

func (p *exprParser) number(i, end int) (Expr, int) {
	j := i
	for j < end && (isIdent(p.text[j]) || p.text[j] == '.' || (p.text[j] == '+' || p.text[j] == '-') && (p.text[j-1] == 'e' || p.text[j-1] == 'E') && !strings.HasPrefix(p.text[i:], "0x") && !strings.HasPrefix(p.text[i:], "0X")) {
		j++
	}
	s := Span{uint32(i), uint32(j)}
	text := strings.ToLower(strings.ReplaceAll(p.text[i:j], "_", ""))
	if strings.HasSuffix(text, "j") {
		f, err := strconv.ParseFloat(text[:len(text)-1], 64)
		if err != nil {
			return Expr{}, j
		}
		return Expr{Op: Imaginary, Float: f, Span: s}, j
	}
	if len(text) > 1 && text[0] == '0' && strings.IndexByte("xob", text[1]) >= 0 || !strings.ContainsAny(text, ".e") {
		base := 0
		if strings.Trim(text, "0123456789") == "" {
			base = 10
		}
		if v, err := strconv.ParseInt(text, base, 64); err == nil {
			return Expr{Op: Int, Int: v, Text: text, Span: s}, j
		}
		v, ok := new(big.Int).SetString(text, base)
		if !ok || v.IsInt64() {
			return Expr{}, j
		}
		return Expr{Op: Int, Text: text, Span: s}, j
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !strings.Contains(err.Error(), "range") {
		return Expr{}, j
	}
	return Expr{Op: Float, Float: f, Span: s}, j
}

// close finds the offset behind the bracket that closes the one at i.
func (p *exprParser) closing(i int) int {
	p.depth = 0
	return p.brackets(i)
}

// elements splits what stands between brackets at its commas and colons: each element ends where a stop byte says.
func (p *exprParser) elements(i, end int, each func(s Span, stop byte)) {
	for i = p.space(i); i < end; i = p.space(i) {
		j, stop := p.expr(i, end)
		each(Span{uint32(i), uint32(j)}, stop)
		i = j + 1
	}
}

// display parses what stands in brackets of its own: a parenthesised expression, a tuple, list, set or dict.
func (p *exprParser) display(i int) (Expr, int) {
	at := p.closing(i)
	inner, end := i+1, at-1
	r := reader{scanner: p.scanner}
	if at > len(p.text) || end < inner || r.generator(inner, end) {
		return Expr{Span: Span{uint32(i), uint32(at)}}, at
	}
	e := Expr{Op: displayOp(p.text[i]), Span: Span{uint32(i), uint32(at)}}
	commas, bad := 0, false
	if e.Op == Set && p.space(inner) >= end {
		e.Op = Dict
	}
	p.elements(inner, end, func(s Span, stop byte) {
		x := p.parse(s)
		switch {
		case stop == ':' && p.text[i] == '{':
			e.Op = Dict
		case stop == ',':
			commas++
		case stop != 0:
			bad = true
		}
		bad = bad || e.Op == Dict && (x.Op == Starred || strings.HasPrefix(p.text[p.space(int(s.Start)):], "**"))
		e.Items = append(e.Items, x)
	})
	switch {
	case bad || e.Op == Dict && len(e.Items)%2 != 0:
		return Expr{Span: e.Span}, at
	case e.Op == Tuple && len(e.Items) == 1 && commas == 0:
		only := e.Items[0]
		only.Span = e.Span
		return only, at
	}
	return e, at
}

func displayOp(bracket byte) Op {
	switch bracket {
	case '(':
		return Tuple
	case '[':
		return List
	}
	return Set
}

func (p *exprParser) call(callee Expr, i int) (Expr, int) {
	at := p.closing(i)
	e := Expr{Op: Call, Items: []Expr{callee}, Span: Span{callee.Span.Start, uint32(at)}}
	keyword := ""
	p.elements(i+1, at-1, func(s Span, stop byte) {
		if stop == '=' {
			keyword = strings.TrimSpace(p.word(p.space(int(s.Start))))
			return
		}
		start := p.space(int(s.Start))
		switch {
		case strings.HasPrefix(p.text[start:], "**"):
			keyword, s.Start = "**", uint32(start+2)
		case strings.HasPrefix(p.text[start:], "*"):
			keyword, s.Start = "*", uint32(start+1)
		}
		e.Items = append(e.Items, p.parse(s))
		e.Keywords = append(e.Keywords, keyword)
		keyword = ""
	})
	return e, at
}

func (p *exprParser) subscript(value Expr, i int) (Expr, int) {
	at := p.closing(i)
	var index Expr
	commas, bad := 0, false
	index.Span = Span{uint32(i + 1), uint32(at - 1)}
	p.elements(i+1, at-1, func(s Span, stop byte) {
		index.Items = append(index.Items, p.parse(s))
		if stop == ',' {
			commas++
		}
		bad = bad || stop != ',' && stop != 0
	})
	if bad || len(index.Items) == 0 {
		return Expr{}, at
	}
	index.Op = Tuple
	if len(index.Items) == 1 && commas == 0 && index.Items[0].Op != Starred {
		index = index.Items[0]
	}
	return Expr{Op: Subscript, Items: []Expr{value, index}, Span: Span{value.Span.Start, uint32(at)}}, at
}
