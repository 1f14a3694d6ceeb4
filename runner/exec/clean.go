// What a step prints is shown as text and never as instructions to a terminal. Colours (SGR sequences) are kept apart for terminals
// that want them; every other escape sequence and control character is dropped: cursor movements would overwrite other steps' lines,
// and titles, clipboards and links are nobody's business here. Of a line that was rewritten with carriage returns (a progress bar)
// the last state remains, as on a terminal.
package exec

import (
	"strings"
	"unicode/utf8"
)

// clean gives a line twice: with its colours, and without.
func clean(line string) (coloured, plain string) {
	if printable(line) {
		return line, line
	}
	line = strings.TrimRight(line, "\r")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	var c, p strings.Builder
	styled := false
	for i := 0; i < len(line); {
		r, size := utf8.DecodeRuneInString(line[i:])
		switch {
		case r == 0x1b || r == 0x9b:
			length, sgr := escape(line[i:])
			if sgr {
				c.WriteString("\x1b[")
				c.WriteString(strings.TrimLeft(line[i:i+length], "\x1b[\u009b"))
				styled = true
			}
			size = length
		case r == 0x9d || r == 0x90 || r == 0x98 || r == 0x9e || r == 0x9f:
			size += untilEnd(line[i+size:])
		case r == '\t' || r >= ' ' && r != 0x7f && (r < 0x80 || r > 0x9f):
			c.WriteRune(r) // a byte that is no UTF-8 arrives as U+FFFD
			p.WriteRune(r)
		}
		i += size
	}
	if styled {
		c.WriteString("\x1b[0m")
	}
	return c.String(), p.String()
}

// cleanLines is clean without colours for a text of several lines.
func cleanLines(text string) string {
	if printable(text) {
		return text
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		_, lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// label is a name from the file as it may be shown.
func label(name string) string {
	_, plain := clean(name)
	return plain
}

// printable reports that there is nothing to do, the usual case.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// escape measures the sequence at the start of s, and says whether it sets colours and the like.
func escape(s string) (length int, sgr bool) {
	i := 1
	if s[0] == 0x1b {
		if len(s) == 1 {
			return 1, false
		}
		switch s[1] {
		case '[':
			i = 2
		case ']', 'P', 'X', '^', '_':
			return 2 + untilEnd(s[2:]), false
		default:
			for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f { // ESC ( B and its like
				i++
			}
			return min(i+1, len(s)), false
		}
	} else {
		_, i = utf8.DecodeRuneInString(s)
	}
	start := i
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x3f {
		i++
	}
	if i == len(s) {
		return i, false
	}
	if s[i] < 0x40 || s[i] > 0x7e {
		return i, false // broken off: the character after it is text
	}
	return i + 1, s[i] == 'm' && strings.Trim(s[start:i], "0123456789;:") == ""
}

// untilEnd measures a control string (a title, a link) with its end; one that does not end swallows the line.
func untilEnd(s string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == 0x07:
			return i + 1
		case s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\':
			return i + 2
		case strings.HasPrefix(s[i:], "\u009c"):
			return i + 2
		}
	}
	return len(s)
}
