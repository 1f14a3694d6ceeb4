// Columns of a terminal: how many a text takes. Wide characters take two; whoever counts bytes or runes draws crooked tables in half the world.
package diag

// Columns is how many columns a cleaned text takes.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += ColumnsOf(r)
	}
	return n
}

// ColumnsOf is 2 for East Asian wide characters and emoji (Unicode's annex 11, by blocks), 0 for marks that stand on the character before.
func ColumnsOf(r rune) int {
	switch {
	case r >= 0x300 && r <= 0x36f, r >= 0xfe00 && r <= 0xfe0f, r >= 0x20d0 && r <= 0x20ff:
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// Within is a cleaned text, cut with a … where it takes more columns than there are.
func Within(s string, columns int) string {
	if Columns(s) <= columns {
		return s
	}
	at, n := 0, 1
	for i, r := range s {
		if n += ColumnsOf(r); n > columns {
			break
		}
		at = i + len(string(r))
	}
	if columns < 1 {
		return ""
	}
	return s[:at] + "…"
}
