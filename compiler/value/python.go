// How Python prints plain data. Prefect fills a placeholder that stands inside longer text with Python's str() of the value
// (observed on 3.8.8: `<{{ p.list }}>` gives `<[1, 'two', None]>`), so the same text has to come out here, quotes and all.
package value

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Str is Python's str(v): text as it is, everything else as repr.
func (v Value) Str() string {
	if v.Kind == Text {
		return v.Text
	}
	var b strings.Builder
	v.repr(&b)
	return b.String()
}

// Repr is Python's repr(v): `True`, `None`, `[1, 'two']`, `{'a': 1}`, `1.5`.
func (v Value) Repr() string {
	var b strings.Builder
	v.repr(&b)
	return b.String()
}

func (v Value) repr(b *strings.Builder) {
	switch v.Kind {
	case Null:
		b.WriteString("None")
	case Bool:
		if v.Bool {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case Int:
		if v.Text != "" {
			b.WriteString(v.Text)
		} else {
			b.WriteString(strconv.FormatInt(v.Int, 10))
		}
	case Float:
		b.WriteString(pythonFloat(v.Float))
	case Text:
		reprText(b, v.Text)
	case List:
		b.WriteByte('[')
		for i := range v.List {
			if i > 0 {
				b.WriteString(", ")
			}
			v.List[i].repr(b)
		}
		b.WriteByte(']')
	case Map:
		b.WriteByte('{')
		for i := range v.Map {
			if i > 0 {
				b.WriteString(", ")
			}
			reprText(b, v.Map[i].Key)
			b.WriteString(": ")
			v.Map[i].Value.repr(b)
		}
		b.WriteByte('}')
	}
}

// pythonFloat writes the shortest digits that read back, switching to an exponent where Python does: below 1e-4 and from 1e16.
func pythonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	if a := math.Abs(f); a < 1e-4 || a >= 1e16 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func reprText(b *strings.Builder, s string) {
	quote := byte('\'')
	if strings.ContainsRune(s, '\'') && !strings.ContainsRune(s, '"') {
		quote = '"'
	}
	b.WriteByte(quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			b.WriteString(`\x`)
			b.WriteString(hex(r, 2))
		case r < 0x7f || printable(r):
			b.WriteRune(r)
		case r <= 0xff:
			b.WriteString(`\x`)
			b.WriteString(hex(r, 2))
		case r <= 0xffff:
			b.WriteString(`\u`)
			b.WriteString(hex(r, 4))
		default:
			b.WriteString(`\U`)
			b.WriteString(hex(r, 8))
		}
	}
	b.WriteByte(quote)
}

// printable is Python's str.isprintable for one character: no control, format, surrogate, private, unassigned character or
// separator other than the space.
func printable(r rune) bool { return unicode.IsPrint(r) }

func hex(r rune, width int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, width-len(s))) + s
}
