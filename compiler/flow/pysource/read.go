// The walk over logical lines: indentation gives the nesting, the first word says what a line is.

package pysource

import "strings"

// Read reads a file's declarations. It never fails: what no Python accepts is in Faults, the rest is read as well as can be.
func Read(src []byte) *File {
	text, fault, unsure := decode(src)
	f := &File{Text: text, Unsure: unsure}
	r := reader{f: f, scanner: scanner{text: text}, decorators: -1}
	if fault != "" {
		r.fault(0, fault)
	}
	n := len(text)/256 + 8
	f.Statements = make([]Statement, 0, n)
	f.Defs = make([]Def, 0, n/2)
	f.Params = make([]Param, 0, n/2)
	r.run()
	f.Faults = r.faults
	return f
}

// level is one step of indentation: the definition and block that its lines stand in.
type level struct {
	indent    int
	def       int32
	block     int32
	lastBlock int32 // the last compound statement read at this level: what an `else` belongs to
	function  bool  // inside a function, at whatever depth: statements are not kept
}

type reader struct {
	scanner
	f          *File
	levels     []level
	pending    level // what an indented line would open
	opened     bool  // pending is set by the line before
	decorators int   // index of the first decorator waiting for its definition, or -1
	doc        int32 // the definition whose first statement comes next; -1 the module; noDoc none
}

const noDoc = -2

func (r *reader) run() {
	var room [32]level
	r.levels = append(room[:0], level{def: -1, block: -1, lastBlock: -1})
	r.doc = -1
	for i := 0; i < len(r.text); {
		indent, at := r.indent(i)
		if at >= len(r.text) {
			break
		}
		if c := r.text[at]; c == '\n' || c == '#' {
			i = r.eol(at) + 1
			continue
		}
		r.enter(indent, at)
		i = r.logical(at)
	}
}

// indent measures the blanks from i on as Python does: tabs to multiples of eight, a form feed starts anew, and a backslash at
// the line's end keeps the width of the first line.
func (r *reader) indent(i int) (width, at int) {
	joined := -1
	for i < len(r.text) {
		switch r.text[i] {
		case ' ':
			width++
		case '\t':
			width = (width/8 + 1) * 8
		case '\f':
			width = 0
		case '\\':
			if i+1 >= len(r.text) || r.text[i+1] != '\n' {
				return width, i
			}
			if joined < 0 {
				joined = width
			}
			i++
		default:
			if joined >= 0 {
				width = joined
			}
			return width, i
		}
		i++
	}
	return width, i
}

// enter opens or closes levels for a line with this indentation.
func (r *reader) enter(indent, at int) {
	top := &r.levels[len(r.levels)-1]
	switch {
	case indent > top.indent:
		l := *top
		if r.opened {
			l = r.pending
		}
		l.indent, l.lastBlock = indent, -1
		r.levels = append(r.levels, l)
	case indent < top.indent:
		for len(r.levels) > 1 && r.levels[len(r.levels)-1].indent > indent {
			r.levels = r.levels[:len(r.levels)-1]
		}
		if r.levels[len(r.levels)-1].indent != indent {
			r.fault(at, "unindent does not match any outer indentation level")
		}
		fallthrough
	default:
		if r.opened {
			r.doc = noDoc // a header without a body
		}
	}
	r.opened = false
}

// logical reads the logical line at i and returns the offset of the next one.
func (r *reader) logical(i int) int {
	if r.doc != noDoc {
		r.takeDoc(i)
	}
	word := r.word(i)
	switch word {
	case "":
		if r.text[i] == '@' {
			return r.decorator(i)
		}
	case "def":
		return r.define(i, i+3, Function, false)
	case "class":
		return r.define(i, i+5, Class, false)
	case "async":
		if j := r.blank(i + 5); r.word(j) == "def" {
			return r.define(i, j+3, Function, true)
		}
	}
	r.decorators = -1
	top := r.levels[len(r.levels)-1]
	if top.function {
		return r.skip(i).end
	}
	l := r.skip(i)
	if l.colon >= 0 && compound(word) {
		if colon := r.headerColon(i, l.last); colon >= 0 {
			r.block(i, word, colon, l.last)
			return l.end
		}
	}
	r.simple(Span{uint32(i), uint32(l.last)}, top, l.semi)
	return l.end
}

// word is the identifier at i, or "".
func (s *scanner) word(i int) string {
	j := i
	for j < len(s.text) && isIdent(s.text[j]) {
		j++
	}
	return s.text[i:j]
}

// blank skips blanks and joined line ends.
func (s *scanner) blank(i int) int {
	for i < len(s.text) {
		switch c := s.text[i]; {
		case c == ' ' || c == '\t' || c == '\f':
			i++
		case c == '\\' && i+1 < len(s.text) && s.text[i+1] == '\n':
			i += 2
		default:
			return i
		}
	}
	return i
}

// space skips blanks, newlines and comments, as between brackets.
func (s *scanner) space(i int) int {
	for {
		i = s.blank(i)
		switch {
		case i >= len(s.text):
			return i
		case s.text[i] == '\n':
			i++
		case s.text[i] == '#':
			i = s.eol(i)
		default:
			return i
		}
	}
}

// compound reports whether a word can begin a compound statement. `match` and `case` are names elsewhere; a colon outside brackets
// behind them, which no annotated name of that spelling has in practice, decides.
func compound(word string) bool {
	switch word {
	case "if", "elif", "else", "try", "except", "finally", "for", "while", "with", "async", "match", "case":
		return true
	}
	return false
}

// headerColon finds the colon that ends a compound statement's header: the first outside brackets that no lambda needs.
func (r *reader) headerColon(i, end int) int {
	for i < end {
		j, stop := r.expr(i, end)
		if stop == ':' {
			return j
		}
		i = j + 1
	}
	return -1
}

// block notes a compound statement and reads what stands on the line behind its colon.
func (r *reader) block(i int, word string, colon, last int) {
	top := &r.levels[len(r.levels)-1]
	b := Block{Keyword: word, Header: Span{uint32(i), uint32(r.trimEnd(i, colon))}, In: top.def, Parent: top.block, Before: -1}
	switch word {
	case "elif", "else", "except", "finally":
		b.Before = top.lastBlock
	}
	r.f.Blocks = append(r.f.Blocks, b)
	top.lastBlock = int32(len(r.f.Blocks) - 1)
	inner := level{def: top.def, block: top.lastBlock, function: top.function}
	if rest := r.blank(colon + 1); rest < last {
		r.simple(Span{uint32(rest), uint32(last)}, inner, true)
		return
	}
	r.pending, r.opened = inner, true
}

// simple keeps one or several simple statements of a line.
func (r *reader) simple(s Span, in level, several bool) {
	if in.function {
		return
	}
	if !several {
		r.keep(s, in)
		return
	}
	for i, end := int(s.Start), int(s.End); i < end; {
		j := r.semicolon(i, end)
		if last := r.trimEnd(i, j); last > i {
			r.keep(Span{uint32(i), uint32(last)}, in)
		}
		i = r.blank(min(j+1, end))
	}
}

func (r *reader) semicolon(i, end int) int {
	depth := 0
	for i < end {
		switch c := r.text[i]; c {
		case '"', '\'':
			i = r.str(i)
			continue
		case '#':
			i = r.eol(i)
			continue
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ';':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return end
}

func (r *reader) keep(s Span, in level) {
	kind := Simple
	if w := r.word(int(s.Start)); w == "import" || w == "from" {
		kind = Import
	}
	r.f.Statements = append(r.f.Statements, Statement{Kind: kind, Span: s, Def: -1, In: in.def, Block: in.block})
}

// decorator reads a line that begins with `@`.
func (r *reader) decorator(i int) int {
	l := r.skip(i)
	if r.decorators < 0 {
		r.decorators = len(r.f.Decorators)
	}
	at := r.blank(i + 1)
	r.f.Decorators = append(r.f.Decorators, r.unwrap(Span{uint32(at), uint32(max(at, l.last))}))
	return l.end
}

// takeDoc looks whether the statement at i is a docstring.
func (r *reader) takeDoc(i int) {
	def := r.doc
	r.doc = noDoc
	if c := r.text[i]; c != '"' && c != '\'' && c != '(' && !strings.ContainsRune("rRuU", rune(c)) {
		return
	}
	if s := r.strings(i); !s.Empty() {
		if def < 0 {
			r.f.Doc = s
		} else {
			r.f.Defs[def].Doc = s
		}
	}
}

// strings returns the span of the statement at i if it consists of plain string literals only, in parentheses or not.
func (r *reader) strings(i int) Span {
	start, depth, seen := i, 0, false
	next := r.blank
	for i < len(r.text) && r.text[i] == '(' {
		depth++
		next = r.space
		i = next(i + 1)
	}
	outer := depth
	end := i
	for i < len(r.text) {
		c := r.text[i]
		switch {
		case depth == outer && (c == '"' || c == '\'' || strings.ContainsRune("rRuU", rune(c)) && i+1 < len(r.text) && (r.text[i+1] == '"' || r.text[i+1] == '\'')):
			if c != '"' && c != '\'' {
				i++
			}
			if end = r.quiet(i); end < 0 {
				return Span{}
			}
			seen = true
			i = next(end)
		case c == ')' && depth > 0 && seen:
			depth--
			end = i + 1
			if depth == 0 {
				next = r.blank
			}
			i = next(end)
		default:
			if !seen || depth > 0 || c != '\n' && c != '#' && c != ';' {
				return Span{}
			}
			return Span{uint32(start), uint32(end)}
		}
	}
	if !seen || depth > 0 {
		return Span{}
	}
	return Span{uint32(start), uint32(end)}
}

// quiet is str without reporting a fault: the same text is walked over again later. An unfinished string is -1.
func (r *reader) quiet(i int) int {
	n := len(r.faults)
	if n >= 10 {
		return -1
	}
	end := r.str(i)
	if len(r.faults) > n {
		r.faults = r.faults[:n]
		return -1
	}
	return end
}
