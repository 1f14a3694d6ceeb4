// How wide a text will be. An SVG names no font that must be there: the reader's system has its own. So a text is measured with the widest of the common ones (DejaVu Sans and Verdana are a
// fifth wider than most), and cut where that would not fit.
package picture

import (
	"fmt"
	"strings"
)

// ascii are the widths of the printable ASCII characters in hundredths of the font's size, in the bold face: the plain one is narrower.
var ascii = [95]uint8{
	35, 46, 53, 84, 70, 101, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, // space to /
	70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 40, 40, 84, 84, 84, 62, // 0 to ?
	100, 78, 77, 74, 84, 69, 69, 83, 84, 38, 56, 78, 64, 100, 84, 86, // @ to O
	74, 86, 78, 73, 69, 82, 78, 111, 78, 73, 73, 46, 37, 46, 84, 56, // P to _
	50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67, 35, 105, 72, 69, // ` to o
	72, 72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72, 84, // p to ~
}

// face is a size of text, and how much narrower than bold it is.
type face struct{ size, percent int }

var (
	heading = face{15, 100}
	bold    = face{13, 100}
	plain   = face{11, 94}
)

func (f face) width(s string) int {
	sum := 0
	for _, r := range s {
		sum += runeWidth(r)
	}
	return (sum*f.size*f.percent + 9999) / 10000
}

func runeWidth(r rune) int {
	switch {
	case r >= ' ' && r <= '~':
		return int(ascii[r-' '])
	case r == '·':
		return 38
	case r == '…', r == '×':
		return 100
	case r < 0x250: // Latin with accents
		return 115
	case r >= 0x2e80 && r <= 0x9fff, r >= 0xac00 && r <= 0xd7a3, r >= 0xff00 && r <= 0xffef: // as wide as high
		return 110
	}
	return 150
}

// fit cuts a text to a width.
func (f face) fit(s string, width int) string {
	if f.width(s) <= width {
		return s
	}
	runes := []rune(s)
	n := 0
	for sum := runeWidth('…'); n < len(runes); n++ {
		if sum += runeWidth(runes[n]); (sum*f.size*f.percent+9999)/10000 > width {
			break
		}
	}
	return strings.TrimRight(string(runes[:n]), " ") + "…"
}

// lines puts names one after the other into so many lines of a width; the last one says how many are left.
func (f face) lines(names []string, width, most int) []string {
	var out []string
	line := ""
	for i := 0; i < len(names); i++ {
		name := f.fit(names[i], width-f.width(","))
		longer := name
		if line != "" {
			longer = line + ", " + name
		}
		if f.width(longer+",") <= width {
			line = longer
			continue
		}
		if len(out) == most-1 {
			return append(out, f.ended(line, names, i, width))
		}
		out = append(out, line+",")
		line = name
	}
	return append(out, line)
}

// ended is a last line: names until names[i], and how many more. Where there is no room for that, names make some.
func (f face) ended(line string, names []string, i, width int) string {
	for {
		more := fmt.Sprintf(" and %d more", len(names)-i)
		if f.width(line+more) <= width {
			return line + more
		}
		at := strings.LastIndex(line, ", ")
		if at < 0 {
			return f.fit(line, width-f.width(more)) + more
		}
		line = line[:at]
		i--
	}
}
