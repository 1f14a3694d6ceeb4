// The lexical half: where strings, brackets, comments and logical lines end. This is the hot path; it looks at each byte once and
// through one table, and never copies.
//
// f-strings are read as Python 3.12 reads them: a replacement field is an expression of its own, which may hold strings with the same
// quotes, and nested fields. What older versions accept means the same under that reading, since they allow none of it.

package pysource

import "strings"

// maxBrackets and maxFStrings are CPython's own limits: more is a syntax error there too.
const (
	maxBrackets = 200
	maxFStrings = 150
)

// special marks the bytes at which the walk over a logical line has to stop and think.
var special = [256]bool{'\n': true, '#': true, '\\': true, '"': true, '\'': true, '(': true, ')': true, '[': true, ']': true, '{': true, '}': true, ';': true, ':': true}

// ident marks the bytes of identifiers, keywords and numbers; all bytes of non-ASCII characters count as such.
var ident = [256]bool{'_': true,
	'0': true, '1': true, '2': true, '3': true, '4': true, '5': true, '6': true, '7': true, '8': true, '9': true,
	'a': true, 'b': true, 'c': true, 'd': true, 'e': true, 'f': true, 'g': true, 'h': true, 'i': true, 'j': true, 'k': true, 'l': true, 'm': true,
	'n': true, 'o': true, 'p': true, 'q': true, 'r': true, 's': true, 't': true, 'u': true, 'v': true, 'w': true, 'x': true, 'y': true, 'z': true,
	'A': true, 'B': true, 'C': true, 'D': true, 'E': true, 'F': true, 'G': true, 'H': true, 'I': true, 'J': true, 'K': true, 'L': true, 'M': true,
	'N': true, 'O': true, 'P': true, 'Q': true, 'R': true, 'S': true, 'T': true, 'U': true, 'V': true, 'W': true, 'X': true, 'Y': true, 'Z': true,
}

func isIdent(c byte) bool { return ident[c] || c >= 0x80 }

// scanner walks over text. It holds the open brackets of the expression it is in, with their places, for messages.
type scanner struct {
	text     string
	faults   []Fault
	depth    int
	fdepth   int
	opener   [maxBrackets]byte
	openedAt [maxBrackets]uint32
}

func (s *scanner) fault(at int, message string) {
	if len(s.faults) < 10 {
		s.faults = append(s.faults, Fault{Offset: uint32(min(at, len(s.text))), Message: message})
	}
}

func (s *scanner) open(at int) {
	if s.depth == maxBrackets {
		s.fault(at, "too many nested parentheses")
	}
	if s.depth < maxBrackets {
		s.opener[s.depth], s.openedAt[s.depth] = s.text[at], uint32(at)
	}
	s.depth++
}

func (s *scanner) close(at int) {
	c := s.text[at]
	if s.depth == 0 {
		s.fault(at, "unmatched '"+string(c)+"'")
		return
	}
	s.depth--
	if s.depth >= maxBrackets {
		return
	}
	if o := s.opener[s.depth]; o == '(' && c != ')' || o == '[' && c != ']' || o == '{' && c != '}' {
		s.fault(at, "'"+string(c)+"' does not match the opening '"+string(o)+"'")
	}
}

// unclosed reports brackets that are still open where the text ends, and forgets them.
func (s *scanner) unclosed() {
	if s.depth > 0 {
		d := min(s.depth, maxBrackets) - 1
		s.fault(int(s.openedAt[d]), "'"+string(s.opener[d])+"' was never closed")
	}
	s.depth = 0
}

// line is what the walk over one logical line found out.
type line struct {
	end   int // offset behind the newline
	last  int // offset behind the last significant byte
	colon int // offset of the first colon outside brackets, or -1
	semi  bool
}

// skip walks from i to the end of the logical line.
func (s *scanner) skip(i int) line {
	t := s.text
	l := line{colon: -1, last: i}
	for i < len(t) {
		c := t[i]
		if !special[c] {
			i++
			continue
		}
		switch c {
		case '\n':
			if s.depth == 0 {
				l.last, l.end = s.trimEnd(l.last, i), i+1
				return l
			}
			i++
		case '#':
			if s.depth == 0 {
				l.last = s.trimEnd(l.last, i)
				l.end = s.eol(i) + 1
				return l
			}
			i = s.eol(i)
		case '\\':
			i += 2
		case '"', '\'':
			i = s.str(i)
		case '(', '[', '{':
			s.open(i)
			i++
		case ')', ']', '}':
			s.close(i)
			i++
		case ';':
			l.semi = l.semi || s.depth == 0
			i++
		default:
			if s.depth == 0 && l.colon < 0 {
				l.colon = i
			}
			i++
		}
	}
	s.unclosed()
	l.last, l.end = s.trimEnd(l.last, len(t)), len(t)
	return l
}

// trimEnd moves end back over blanks and joined line ends, not before low.
func (s *scanner) trimEnd(low, end int) int {
	for end > low {
		c := s.text[end-1]
		if c != ' ' && c != '\t' && c != '\f' && c != '\n' && c != '\\' {
			break
		}
		end--
	}
	return end
}

// eol is the offset of the next newline, or the length of the text.
func (s *scanner) eol(i int) int {
	if j := strings.IndexByte(s.text[i:], '\n'); j >= 0 {
		return i + j
	}
	return len(s.text)
}

// prefix reads backwards the letters before a quote at i; start is where they begin.
func (s *scanner) prefix(i int) (start int, raw, formatted, isBytes bool) {
	start = i
	for start > 0 && i-start < 2 {
		switch s.text[start-1] {
		case 'r', 'R':
			raw = true
		case 'f', 'F', 't', 'T':
			formatted = true
		case 'b', 'B':
			isBytes = true
		case 'u', 'U':
		default:
			if isIdent(s.text[start-1]) {
				return i, false, false, false
			}
			return start, raw, formatted, isBytes
		}
		start--
	}
	if start > 0 && isIdent(s.text[start-1]) {
		return i, false, false, false
	}
	return start, raw, formatted, isBytes
}

// str walks over the string whose opening quote is at i and returns the offset behind it.
func (s *scanner) str(i int) int {
	t, q := s.text, s.text[i]
	_, raw, formatted, _ := s.prefix(i)
	if formatted {
		return s.fstring(i, raw)
	}
	start := i
	if strings.HasPrefix(t[i+1:], t[i:i+1]+t[i:i+1]) {
		for i += 3; i < len(t); i++ {
			switch t[i] {
			case q:
				if i+2 < len(t) && t[i+1] == q && t[i+2] == q {
					return i + 3
				}
			case '\\':
				i++
			}
		}
		s.fault(start, "unterminated triple-quoted string literal")
		return len(t)
	}
	for i++; i < len(t); i++ {
		switch t[i] {
		case q:
			return i + 1
		case '\\':
			i++
		case '\n':
			s.fault(start, "unterminated string literal")
			return i
		}
	}
	s.fault(start, "unterminated string literal")
	return len(t)
}

// fstring walks over a formatted string, its replacement fields included.
func (s *scanner) fstring(i int, raw bool) int {
	t, start := s.text, i
	if s.fdepth++; s.fdepth > maxFStrings {
		s.fault(i, "too many nested f-strings")
		s.fdepth--
		return len(t)
	}
	defer func() { s.fdepth-- }()
	end := t[i : i+1]
	if strings.HasPrefix(t[i+1:], end+end) {
		end = t[i : i+3]
	}
	for i += len(end); i < len(t); {
		switch t[i] {
		case end[0]:
			if strings.HasPrefix(t[i:], end) {
				return i + len(end)
			}
			i++
		case '\\':
			i = s.escape(i, raw)
		case '{':
			if i+1 < len(t) && t[i+1] == '{' {
				i += 2
				continue
			}
			i = s.field(i+1, end, raw)
		case '\n':
			if len(end) == 1 {
				s.fault(start, "unterminated f-string literal")
				return i
			}
			i++
		default:
			i++
		}
	}
	s.fault(start, "unterminated f-string literal")
	return len(t)
}

// escape steps over a backslash in a formatted string: a brace behind it still counts, `\N{…}` is one character.
func (s *scanner) escape(i int, raw bool) int {
	t := s.text
	if i+1 >= len(t) {
		return len(t)
	}
	switch {
	case t[i+1] == '{' || t[i+1] == '}':
		return i + 1
	case !raw && t[i+1] == 'N' && i+2 < len(t) && t[i+2] == '{':
		for i += 3; i < len(t) && t[i] != '}' && t[i] != '\n' && t[i] != '"' && t[i] != '\''; i++ {
		}
		if i < len(t) && t[i] == '}' {
			i++
		}
		return i
	}
	return i + 2
}

// field walks from behind a `{` to behind its `}`. Behind a colon outside brackets it is text again, with fields of its own, which
// are counted, not recursed into.
func (s *scanner) field(i int, end string, raw bool) int {
	t := s.text
	depth, level := 0, 1 // brackets in the expression; nested fields
	spec := uint64(0)    // bit n: level n is in its format specification
	for i < len(t) {
		c := t[i]
		inSpec := spec>>(level&63)&1 == 1
		switch {
		case c == '}' && depth == 0:
			spec &^= 1 << (level & 63)
			if level--; level == 0 {
				return i + 1
			}
			i++
		case inSpec && c == '{':
			level++
			i++
		case inSpec && strings.HasPrefix(t[i:], end):
			return i
		case inSpec && c == '\\':
			i = s.escape(i, raw)
		case inSpec && c == '\n' && len(end) == 1:
			return i
		case inSpec:
			i++
		case c == '"' || c == '\'':
			i = s.str(i)
		case c == '#':
			i = s.eol(i)
		case c == '(' || c == '[' || c == '{':
			depth++
			i++
		case c == ')' || c == ']' || c == '}':
			depth = max(depth-1, 0)
			i++
		case c == ':' && depth == 0:
			spec |= 1 << (level & 63)
			i++
		default:
			i++
		}
		if level > 60 {
			s.fault(i, "f-string: expressions nested too deeply")
			return len(t)
		}
	}
	return i
}
