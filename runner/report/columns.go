// The tables that a terminal shows, and where their lines break, in columns (compiler/diag counts them).
package report

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// wrap breaks text into lines of at most room columns, the later ones two shorter, at spaces where there are some. 0 is no limit.
func wrap(text string, room int) []string {
	if room <= 0 || diag.Columns(text) <= room {
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
		w := diag.Columns(strings.TrimRight(word, " "))
		if width > 0 && width+w > room {
			flush()
		}
		for _, r := range word {
			if n := diag.ColumnsOf(r); width+n > room && r != ' ' {
				flush()
			}
			line += string(r)
			width += diag.ColumnsOf(r)
		}
	}
	if strings.TrimSpace(line) != "" {
		flush()
	}
	return out
}

// pad fills a text with spaces up to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-diag.Columns(s))) }

// widest bounds the first column.
const widest = 40

// firstColumn is as wide as the longest name that has something beside it.
func (t *terminal) firstColumn(list []group) int {
	width := 0
	for i := range t.Steps {
		width = max(width, min(diag.Columns(diag.Clean(t.Steps[i].Key)), widest))
	}
	for i := range list {
		if it := list[i].first(); t.beside(it) && it.Action != plan.Create {
			for k := range list[i].items {
				width = max(width, min(diag.Columns(t.headline(&list[i].items[k])), widest))
			}
		}
	}
	return width
}

// steps shows what became of each step, with its outputs as far as they are short. Where the terminal is too narrow for a table, the function's name goes.
func (t *terminal) steps() {
	function := 0
	for i := range t.Steps {
		function = max(function, min(diag.Columns(shortName(t.Steps[i].Function)), 30))
	}
	narrow := t.Width > 0 && t.Width < t.column+function+30
	lines := make([]string, len(t.Steps))
	for i := range t.Steps {
		s := &t.Steps[i]
		line := pad(cut(s.Key, widest), t.column) + "  "
		if !narrow {
			line += pad(cut(shortName(s.Function), 30), function) + "  "
		}
		lines[i] = line + fmt.Sprintf("%5.1f s", s.Seconds)
		if tail := s.tail(); tail != "" && !narrow {
			lines[i] += "   " + tail
		}
	}
	if !narrow {
		t.brackets(lines)
	}
	for i := range t.Steps {
		s := &t.Steps[i]
		t.line(stepSymbol(s.Outcome), "", lines[i])
		if tail := s.tail(); tail != "" && narrow {
			t.line("", "     ", tail)
		}
	}
}

// tail is what a step gave, or why it did not.
func (s *Step) tail() string {
	if s.Error != "" {
		return firstLine(s.Error)
	}
	return outputsText(s.Outputs)
}

// atOnce is how many seconds two steps have to run at the same time to be called side by side: less is chance.
const atOnce = 0.05

// brackets marks neighbours that ran at the same time, where there is room for it.
func (t *terminal) brackets(lines []string) {
	const margin, about = 3, "┐ side by side"
	for from := 0; from < len(lines); {
		to := from + 1
		for to < len(lines) && t.Steps[to-1].overlaps(&t.Steps[to]) {
			to++
		}
		width := 0
		for _, l := range lines[from:to] {
			width = max(width, diag.Columns(l))
		}
		if to-from > 1 && (t.Width == 0 || margin+width+2+diag.Columns(about) <= t.Width) {
			for i := from; i < to; i++ {
				lines[i] = pad(lines[i], width) + "  " + map[bool]string{true: about, false: "│"}[i == from]
			}
			lines[to-1] = strings.TrimSuffix(lines[to-1], "│") + "┘"
		}
		from = to
	}
}

// overlaps tells whether two steps ran at the same time.
func (s *Step) overlaps(o *Step) bool {
	return min(s.ended, o.ended)-max(s.began, o.began) >= atOnce
}

func shortName(function string) string {
	return diag.Clean(resolve.ShortName(function))
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
