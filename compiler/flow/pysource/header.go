// Headers of definitions: `def name[T](parameters) -> result:` and `class name[T](bases):`, and where expressions end in them.

package pysource

import "strings"

// define reads the definition whose keyword begins at start and whose name follows at i, header and one-line body.
func (r *reader) define(start, i int, kind Kind, async bool) int {
	top := r.levels[len(r.levels)-1]
	d := Def{Kind: kind, Async: async, Start: uint32(start), Parent: top.def, Block: top.block}
	d.Params.Lo = uint32(len(r.f.Params))
	if i = r.blank(i); r.word(i) == "" {
		r.decorators = -1
		return r.skip(start).end // a name that only begins with "def" would have been one word
	}
	d.Name = Span{uint32(i), uint32(i + len(r.word(i)))}
	i = r.blank(int(d.Name.End))
	if i < len(r.text) && r.text[i] == '[' {
		i = r.blank(r.brackets(i))
	}
	if i < len(r.text) && r.text[i] == '(' {
		if kind == Class {
			close := r.brackets(i)
			d.Bases = Span{uint32(i + 1), uint32(max(i+1, close-1))}
			i = close
		} else {
			i = r.params(i)
		}
	}
	d.Params.Hi = uint32(len(r.f.Params))
	d.Decorators = Range{uint32(len(r.f.Decorators)), uint32(len(r.f.Decorators))}
	if r.decorators >= 0 {
		d.Decorators.Lo = uint32(r.decorators)
	}
	r.decorators = -1
	r.f.Defs = append(r.f.Defs, d)
	self := int32(len(r.f.Defs) - 1)
	if !top.function {
		r.f.Statements = append(r.f.Statements, Statement{Kind: Definition, Span: Span{uint32(start), uint32(i)}, Def: self, In: top.def, Block: top.block})
	}
	return r.body(i, level{def: self, block: -1, lastBlock: -1, function: top.function || kind == Function})
}

// body goes on behind a header's closing parenthesis: over the result's annotation and the colon to the body.
func (r *reader) body(i int, inner level) int {
	l := r.skip(i)
	colon := -1
	for j := i; j < l.last; {
		k, stop := r.expr(j, l.last)
		if stop == ':' {
			colon = k
			break
		}
		j = k + 1
	}
	if colon < 0 {
		if l.end > i && len(r.faults) == 0 {
			r.fault(i, "expected ':'")
		}
		return l.end
	}
	if arrow := r.blank(i); strings.HasPrefix(r.text[arrow:colon], "->") {
		r.f.Defs[inner.def].Returns = r.unwrap(Span{uint32(arrow + 2), uint32(colon)})
	}
	rest := r.blank(colon + 1)
	if rest >= l.last {
		r.pending, r.opened, r.doc = inner, true, inner.def
		return l.end
	}
	r.doc = inner.def
	r.takeDoc(rest)
	r.simple(Span{uint32(rest), uint32(l.last)}, inner, true)
	return l.end
}

// brackets walks from an opening bracket to behind its partner.
func (s *scanner) brackets(i int) int {
	base := s.depth
	for i < len(s.text) {
		switch s.text[i] {
		case '"', '\'':
			i = s.str(i)
			continue
		case '#':
			i = s.eol(i)
			continue
		case '(', '[', '{':
			s.open(i)
		case ')', ']', '}':
			s.close(i)
			if s.depth <= base {
				return i + 1
			}
		}
		i++
	}
	s.unclosed()
	return i
}

// expr walks from i over one expression to the first byte at its own bracket level that ends it: a comma, an equals sign, a colon
// or a closing bracket, each unless a lambda needs it; it returns the offset and that byte, or end and 0.
func (s *scanner) expr(i, end int) (at int, stop byte) {
	t := s.text[:end]
	depth, lambdas := 0, 0
	for i < end {
		c := t[i]
		switch {
		case isIdent(c):
			w := s.word(i)
			if depth == 0 && w == "lambda" {
				lambdas++
			}
			i += len(w)
			continue
		case c == '"' || c == '\'':
			i = s.str(i)
			continue
		case c == '#':
			i = s.eol(i)
			continue
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			if depth == 0 {
				return i, c
			}
			depth--
		case depth > 0:
		case c == ':' && i+1 < end && t[i+1] == '=':
			i++
		case c == ':' && lambdas > 0:
			lambdas--
		case c == ',' && lambdas > 0:
		case c == ':' || c == ',':
			return i, c
		case strings.IndexByte("<>!=", c) >= 0 && i+1 < end && t[i+1] == '=':
			i++
		case c == '=' && lambdas == 0:
			return i, c
		}
		i++
	}
	return min(i, end), 0
}

// params reads the parameters of the function whose opening parenthesis is at i and returns the offset behind the closing one.
func (r *reader) params(i int) int {
	r.open(i)
	first := len(r.f.Params)
	kind := PositionalOrKeyword
	i = r.space(i + 1)
	for i < len(r.text) && r.text[i] != ')' {
		switch {
		case r.text[i] == '/':
			for j := first; j < len(r.f.Params); j++ {
				r.f.Params[j].Kind = PositionalOnly
			}
			i++
		case strings.HasPrefix(r.text[i:], "**"):
			i = r.param(r.space(i+2), VarKeyword)
		case r.text[i] == '*':
			kind = KeywordOnly
			if i = r.space(i + 1); i < len(r.text) && isIdent(r.text[i]) {
				i = r.param(i, VarPositional)
			}
		default:
			j := r.param(i, kind)
			if j == i {
				r.fault(i, "invalid syntax in the parameters")
				return r.abandon(i)
			}
			i = j
		}
		i = r.space(i)
		if i < len(r.text) && r.text[i] == ',' {
			i = r.space(i + 1)
		} else if i < len(r.text) && r.text[i] != ')' {
			r.fault(i, "invalid syntax in the parameters")
			return r.abandon(i)
		}
	}
	if i >= len(r.text) {
		r.unclosed()
		return i
	}
	r.close(i)
	return i + 1
}

// abandon leaves a parameter list that cannot be read: it goes on behind its closing parenthesis.
func (r *reader) abandon(i int) int {
	for i < len(r.text) && r.depth > 0 {
		switch r.text[i] {
		case '"', '\'':
			i = r.str(i)
			continue
		case '#':
			i = r.eol(i)
			continue
		case '(', '[', '{':
			r.open(i)
		case ')', ']', '}':
			r.close(i)
		}
		i++
	}
	r.unclosed()
	return i
}

// param reads `name: annotation = default` at i and returns the offset behind it.
func (r *reader) param(i int, kind ParamKind) int {
	name := r.word(i)
	if name == "" {
		return i
	}
	p := Param{Name: Span{uint32(i), uint32(i + len(name))}, Kind: kind}
	i = r.space(i + len(name))
	if i < len(r.text) && r.text[i] == ':' {
		start := r.space(i + 1)
		i, _ = r.expr(start, len(r.text))
		p.Annotation = r.unwrap(Span{uint32(start), uint32(i)})
	}
	if i < len(r.text) && r.text[i] == '=' {
		start := r.space(i + 1)
		i, _ = r.expr(start, len(r.text))
		p.Default = r.unwrap(Span{uint32(start), uint32(i)})
	}
	r.f.Params = append(r.f.Params, p)
	return i
}

// unwrap trims blanks and comments at both ends of an expression and takes off parentheses that are no part of it: around anything
// but a tuple, a generator and nothing at all.
func (r *reader) unwrap(s Span) Span {
	for range maxBrackets {
		s = r.trim(s)
		i, end := int(s.Start), int(s.End)
		if i >= end || r.text[i] != '(' || r.text[end-1] != ')' {
			return s
		}
		inner := r.space(i + 1)
		if inner >= end-1 {
			return s
		}
		j, stop := r.expr(inner, end)
		if stop != ')' || j != end-1 || r.generator(inner, j) {
			return s
		}
		s = Span{uint32(inner), uint32(j)}
	}
	return s
}

// trim finds the last significant byte of an expression, whose end may be followed by blanks, newlines and comments.
func (r *reader) trim(s Span) Span {
	i, end := r.space(int(s.Start)), int(s.End)
	if i >= end {
		return Span{s.Start, s.Start}
	}
	start, last := i, i
	for i < end {
		switch c := r.text[i]; {
		case c == '"' || c == '\'':
			i = r.str(i)
			last = i
		case c == '#':
			i = r.eol(i)
		case c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\\':
			i++
		default:
			i++
			last = i
		}
	}
	return Span{uint32(start), uint32(min(last, end))}
}

// generator reports whether a `for` stands between i and end outside brackets.
func (r *reader) generator(i, end int) bool {
	depth := 0
	for i < end {
		c := r.text[i]
		switch {
		case isIdent(c):
			w := r.word(i)
			if depth == 0 && w == "for" {
				return true
			}
			i += len(w)
			continue
		case c == '"' || c == '\'':
			i = r.str(i)
			continue
		case c == '#':
			i = r.eol(i)
			continue
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ')' || c == ']' || c == '}':
			depth--
		}
		i++
	}
	return false
}
