// Four small pieces of Python's text handling, exactly as CPython 3.11 does them, because the words of a command decide what runs:
// str.splitlines, str.strip, shlex.split (POSIX, no comments) and string.Template.safe_substitute; and its UTF-8 decoder with
// errors="replace". They differ from the usual Go counterparts in ways that show: splitlines also splits at \v, \f, \x1c and
// U+2028, shlex knows no comments, and the decoder writes one U+FFFD for a cut-off sequence and not one per byte.
//
// testdata/shell.golden.json holds what Prefect and CPython made of many inputs; the tests compare with it.
package step

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// splitlines is str.splitlines(): no line ends kept, no empty last line.
func splitlines(s string) []string {
	var lines []string
	start := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if !lineEnd(r) {
			i += size
			continue
		}
		lines = append(lines, s[start:i])
		i += size
		if r == '\r' && i < len(s) && s[i] == '\n' {
			i++
		}
		start = i
	}
	if start < len(s) {
		lines = append(lines, s[start:])
	}
	return lines
}

func lineEnd(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// strip is str.strip(): Unicode's white space and the four information separators.
func strip(s string) string { return strings.TrimFunc(s, pythonSpace) }

func pythonSpace(r rune) bool {
	switch {
	case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ', r == 0x85, r == 0xa0, r == 0x1680,
		r >= 0x2000 && r <= 0x200a, r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
		return true
	}
	return false
}

// What splitWords refuses; shlex says "No closing quotation" and "No escaped character".
var (
	errNoClosing = errors.New("a quote is not closed: close it, or put a backslash before it")
	errNoEscaped = errors.New("nothing follows the backslash at its end: remove it, or write two")
)

// splitWords is shlex.split(s): words of a POSIX shell without expansions and without comments.
//
// Outside quotes a backslash keeps the next character, within double quotes only before `"` and `\`, within single quotes never.
// All characters with a meaning are ASCII, so bytes are enough.
func splitWords(s string) ([]string, error) {
	var words []string
	var word []byte
	inWord := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\r', '\n':
			if inWord {
				words, word, inWord = append(words, string(word)), word[:0], false
			}
		case '\\':
			if i++; i == len(s) {
				return nil, errNoEscaped
			}
			word, inWord = append(word, s[i]), true
		case '\'', '"':
			end, err := quoted(s, i, &word)
			if err != nil {
				return nil, err
			}
			i, inWord = end, true
		default:
			word, inWord = append(word, c), true
		}
	}
	if inWord {
		words = append(words, string(word))
	}
	return words, nil
}

// quoted reads the quoted part that starts at s[i] into word and returns the index of its closing quote.
func quoted(s string, i int, word *[]byte) (int, error) {
	quote := s[i]
	for i++; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			return i, nil
		case c == '\\' && quote == '"':
			if i++; i == len(s) {
				return 0, errNoEscaped
			}
			if s[i] != '"' && s[i] != '\\' {
				*word = append(*word, '\\')
			}
			*word = append(*word, s[i])
		default:
			*word = append(*word, c)
		}
	}
	return 0, errNoClosing
}

// substitute is string.Template(s).safe_substitute(env): $NAME, ${NAME} and $$; what is unknown or malformed stays as written.
// Names are ASCII letters, digits and underscores.
func substitute(s string, env map[string]string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i == len(s)-1 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		length, name := placeholder(s)
		if v, ok := env[name]; ok && name != "" {
			b.WriteString(v)
		} else if length == 2 && s[1] == '$' {
			b.WriteByte('$')
		} else {
			b.WriteString(s[:length])
		}
		s = s[length:]
	}
}

// placeholder measures what starts with the `$` of s: its length in bytes, and the name, "" for `$$` and for a lone `$`.
func placeholder(s string) (int, string) {
	if s[1] == '$' {
		return 2, ""
	}
	start := 1
	if s[1] == '{' {
		start = 2
	}
	end := start
	for end < len(s) && (letter(s[end]) || end > start && s[end] >= '0' && s[end] <= '9') {
		end++
	}
	if end == start || start == 2 && (end == len(s) || s[end] != '}') {
		return 1, ""
	}
	return end + start - 1, s[start:end]
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// decode is bytes.decode("utf-8", errors="replace"): each longest cut-off beginning of a character becomes one U+FFFD, any other
// bad byte one of its own.
func decode(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			size = badLength(s)
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// badLength is how many bytes of s, which does not begin with a character, Python replaces by one U+FFFD.
func badLength(s string) int {
	low, high, want := byte(0x80), byte(0xbf), 0
	switch c := s[0]; {
	case c >= 0xc2 && c <= 0xdf:
		want = 1
	case c == 0xe0:
		low, want = 0xa0, 2
	case c == 0xed:
		high, want = 0x9f, 2
	case c >= 0xe1 && c <= 0xef:
		want = 2
	case c == 0xf0:
		low, want = 0x90, 3
	case c == 0xf4:
		high, want = 0x8f, 3
	case c >= 0xf1 && c <= 0xf3:
		want = 3
	}
	n := 1
	for n <= want && n < len(s) && s[n] >= low && s[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}
