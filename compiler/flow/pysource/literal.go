// The values of string literals, by the rules of Python's reference, "String and Bytes literals".

package pysource

import (
	"strings"
	"unicode/utf8"
)

// StringValue is the value of adjacent string literals, as they stand in a docstring's span (parentheses and comments between them
// allowed). reason is not empty when the value cannot be told: a formatted string, or a character given by its Unicode name.
// Lone surrogates, which Go's strings cannot hold, are encoded like other characters of their number would be (WTF-8).
func StringValue(source string) (value string, isBytes bool, reason string) {
	s := scanner{text: source}
	var b strings.Builder
	for i, pieces := 0, 0; i < len(source); {
		c := source[i]
		if c == '#' {
			i = s.eol(i)
			continue
		}
		if c != '"' && c != '\'' {
			i++
			continue
		}
		_, raw, formatted, bytes := s.prefix(i)
		if formatted {
			return "", false, "an f-string"
		}
		end := s.str(i)
		if len(s.faults) > 0 || pieces > 0 && bytes != isBytes {
			return "", false, "a malformed string"
		}
		isBytes = bytes
		q := 1
		if end-i >= 6 && source[i+1] == c && source[i+2] == c {
			q = 3
		}
		body := source[i+q : end-q]
		if raw || strings.IndexByte(body, '\\') < 0 {
			b.WriteString(body)
		} else if reason := unescape(&b, body, bytes); reason != "" {
			return "", false, reason
		}
		pieces++
		i = end
	}
	return b.String(), isBytes, ""
}

func unescape(b *strings.Builder, s string, isBytes bool) (reason string) {
	for i := 0; i < len(s); {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		c := s[i+1]
		i += 2
		if simple, ok := simpleEscape(c); ok {
			b.WriteByte(simple)
			continue
		}
		digits := 0
		switch {
		case c == '\n':
			continue
		case c >= '0' && c <= '7':
			i--
			n, v := 0, rune(0)
			for n < 3 && i < len(s) && s[i] >= '0' && s[i] <= '7' {
				v = v*8 + rune(s[i]-'0')
				i++
				n++
			}
			writeRune(b, v, isBytes)
			continue
		case c == 'x':
			digits = 2
		case c == 'u' && !isBytes:
			digits = 4
		case c == 'U' && !isBytes:
			digits = 8
		case c == 'N' && !isBytes:
			return "a character given by its Unicode name"
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
			continue
		}
		v, ok := hexValue(s, i, digits)
		if !ok {
			return "a malformed escape in a string"
		}
		writeRune(b, v, isBytes)
		i += digits
	}
	return ""
}

func simpleEscape(c byte) (byte, bool) {
	switch c {
	case '\\', '\'', '"':
		return c, true
	case 'a':
		return 7, true
	case 'b':
		return 8, true
	case 'f':
		return 12, true
	case 'n':
		return 10, true
	case 'r':
		return 13, true
	case 't':
		return 9, true
	case 'v':
		return 11, true
	}
	return 0, false
}

func hexValue(s string, i, digits int) (rune, bool) {
	if i+digits > len(s) {
		return 0, false
	}
	v := rune(0)
	for _, c := range []byte(s[i : i+digits]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | rune(c)
		if v > utf8.MaxRune {
			return 0, false
		}
	}
	return v, true
}

// writeRune appends a character; in bytes literals one byte.
func writeRune(b *strings.Builder, v rune, isBytes bool) {
	switch {
	case isBytes:
		b.WriteByte(byte(v))
	case v >= 0xd800 && v <= 0xdfff:
		b.Write([]byte{0xe0 | byte(v>>12), 0x80 | byte(v>>6)&0x3f, 0x80 | byte(v)&0x3f})
	default:
		b.WriteRune(v)
	}
}

// DocString is the value of the docstring at s, whether there is one, and why it cannot be told.
func (f *File) DocString(s Span) (value string, ok bool, reason string) {
	if s.Empty() {
		return "", false, ""
	}
	value, isBytes, reason := StringValue(f.Of(s))
	return value, !isBytes, reason
}
