// Text that comes from a user's file is shown on terminals and in logs that act on what they read: an escape sequence recolours a terminal
// or hides a line, a carriage return overwrites one, a "::set-env" at the start of a line is a command to GitHub's runner, and characters that
// turn the reading direction around make a line say something else. So nothing from a file is printed as it is.
package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text safe to print on one line: control characters, line separators and invisible or direction-changing characters become
// visible escapes (\n, \x1b, \u202e); tabs become spaces.
func Clean(s string) string { return clean(s, false) }

// CleanLines is Clean for text of several lines: line feeds stay.
func CleanLines(s string) string { return clean(s, true) }

func clean(s string, lines bool) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n' && lines, r == ' ':
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteByte(' ')
		case r < 0x20 || (r >= 0x7f && r < 0xa0):
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// plain reports whether s is all printable ASCII, which is nearly always.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Quote is Clean between double quotes, cut to a length that a message can hold.
func Quote(s string) string {
	const most = 120
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return `"` + Clean(s) + `"`
}
