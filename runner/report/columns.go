// Columns of a terminal: how many a text takes, and where a line may break. Wide characters take two; whoever counts bytes or runes draws crooked tables in half the world.
package report

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// columns is how many columns a cleaned text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += columnsOf(r)
	}
	return n
}

// columnsOf is 2 for East Asian wide characters and emoji (Unicode's annex 11, by blocks), 0 for marks that stand on the character before.
func columnsOf(r rune) int {
	switch {
	case r >= 0x300 && r <= 0x36f, r >= 0xfe00 && r <= 0xfe0f, r >= 0x20d0 && r <= 0x20ff:
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// wrap breaks text into lines of at most room columns, the later ones two shorter, at spaces where there are some. 0 is no limit.
func wrap(text string, room int) []string {
	if room <= 0 || columns(text) <= room {
		return []string{text}
	}
	var out []string
	line, width := "", 0
	flush := func() {
		out = append(out, strings.TrimRight(line, " "))
		line, width = "", 0
		if len(out) == 1 {
			room -= 2
		}
	}
	for _, word := range strings.SplitAfter(text, " ") {
		w := columns(strings.TrimRight(word, " "))
		if width > 0 && width+w > room {
			flush()
		}
		for _, r := range word {
			if n := columnsOf(r); width+n > room && r != ' ' {
				flush()
			}
			line += string(r)
			width += columnsOf(r)
		}
	}
	if strings.TrimSpace(line) != "" {
		flush()
	}
	return out
}

// pad fills a text with spaces up to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-columns(s))) }

// steps shows what became of each step, with its outputs as far as they are short. Where the terminal is too narrow for a table, the function's name goes.
func (t *terminal) steps() {
	width, function := 0, 0
	for i := range t.Steps {
		width = max(width, min(columns(diag.Clean(t.Steps[i].Key)), 40))
		function = max(function, min(columns(shortName(t.Steps[i].Function)), 30))
	}
	narrow := t.Width > 0 && t.Width < width+function+30
	for i := range t.Steps {
		s := &t.Steps[i]
		tail := outputsText(s.Outputs)
		if s.Error != "" {
			tail = firstLine(s.Error)
		}
		line := pad(cut(s.Key, 40), width) + "  "
		if !narrow {
			line += pad(cut(shortName(s.Function), 30), function) + "  "
		}
		line += fmt.Sprintf("%5.1f s", s.Seconds)
		if narrow && tail != "" {
			t.line(stepSymbol(s.Outcome), "", line)
			t.line("", "     ", tail)
			continue
		}
		t.line(stepSymbol(s.Outcome), "", strings.TrimRight(line+"  "+tail, " "))
	}
}

func shortName(function string) string {
	return diag.Clean(function[strings.LastIndexByte(function, '.')+1:])
}

// outputsText is the image that was built, or else what fits on the line.
func outputsText(v value.Value) string {
	if image, ok := v.Get("image"); ok && image.Kind == value.Text {
		return strings.Trim(Show(image), `"`)
	}
	var parts []string
	for _, e := range v.Map {
		if !e.Value.Truthy() {
			continue
		}
		text := Show(e.Value)
		if e.Value.Kind == value.Text {
			text = strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
		}
		parts = append(parts, cut(e.Key, 40)+"="+cut(text, 40))
	}
	return strings.Join(parts, " ")
}
