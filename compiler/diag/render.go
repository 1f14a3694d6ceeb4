// The renderers: a list of diagnostics as terminal text, as GitHub's workflow commands and as JSON.
package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Sources returns the bytes of a file for the snippets, nil when there are none to show.
type Sources func(file string) []byte

// most is how many diagnostics are rendered for eyes: a fault that a program has written into each of 100,000 deployments is told often enough.
const most = 10_000

// Text renders for people: place, severity, message and code, the line with the faulty part underlined, and what to do.
//
//	prefect.yaml:14:19: error: step output "build-imag.image" is not defined [undefined-output]
//	   |
//	14 |         image: "{{ build-imag.image }}"
//	   |                    ^~~~~~~~~~~~~~~~
//	   | did you mean build-image.image?
func (l List) Text(source Sources) string {
	var b strings.Builder
	split := map[string][][]byte{}
	for i := range l {
		if i == most {
			fmt.Fprintf(&b, "… and %d more; --format json tells them all\n", len(l)-most)
			break
		}
		d := &l[i]
		fmt.Fprintf(&b, "%s: %s: %s [%s]\n", Clean(d.Position.String()), d.Severity, Clean(d.Message), d.Code)
		gutter := strings.Repeat(" ", max(2, len(fmt.Sprint(d.Line))))
		if text, ok := snippetLine(split, source, d); ok {
			fmt.Fprintf(&b, "%s |\n%*d | %s\n%s | %s\n", gutter, len(gutter), d.Line, text.shown, gutter, text.mark)
		}
		for _, r := range d.Related {
			fmt.Fprintf(&b, "%s | %s %s\n", gutter, Clean(r.Message), Clean(r.Position.String()))
		}
		if d.Help != "" {
			for _, line := range strings.Split(CleanLines(d.Help), "\n") {
				fmt.Fprintf(&b, "%s | %s\n", gutter, line)
			}
		}
	}
	return b.String()
}

// lines splits a file where YAML does: at a line feed, a carriage return or both together, and at three characters of Unicode.
func lines(src []byte) [][]byte {
	var out [][]byte
	start := 0
	for i := 0; i < len(src); i++ {
		width := 0
		switch c := src[i]; {
		case c == '\n':
			width = 1
		case c == '\r':
			width = 1
			if i+1 < len(src) && src[i+1] == '\n' {
				width = 2
			}
		case c == 0xc2 && i+1 < len(src) && src[i+1] == 0x85:
			width = 2
		case c == 0xe2 && i+2 < len(src) && src[i+1] == 0x80 && src[i+2]&^1 == 0xa8:
			width = 3
		}
		if width > 0 {
			out = append(out, src[start:i])
			start = i + width
			i = start - 1
		}
	}
	return append(out, src[start:])
}

type snippet struct{ shown, mark string }

// widest is how much of a line is shown: long lines are cut around the fault.
const widest = 160

func snippetLine(cache map[string][][]byte, source Sources, d *Diagnostic) (snippet, bool) {
	if d.Line == 0 || source == nil {
		return snippet{}, false
	}
	split, ok := cache[d.File]
	if !ok {
		split = lines(source(d.File))
		cache[d.File] = split
	}
	if d.Line > len(split) {
		return snippet{}, false
	}
	line := []rune(string(bytes.TrimPrefix(split[d.Line-1], []byte("\ufeff"))))
	start := min(max(d.Column-1, 0), len(line))
	end := start + 1
	if d.EndLine == d.Line && d.EndColumn > d.Column {
		end = max(end, d.EndColumn-1)
	}
	from := 0
	if start > widest/2 {
		from = start - widest/4
	}
	to := min(len(line), from+widest)
	end = min(end, max(to, start+1))
	return snippet{
		shown: Clean(string(line[from:to])),
		mark:  strings.Repeat(" ", width(line[from:min(start, to)])) + "^" + strings.Repeat("~", max(0, end-start-1)),
	}, true
}

// width counts the columns that Clean's form of a text takes.
func width(r []rune) int { return utf8.RuneCountInString(Clean(string(r))) }

// GitHub renders workflow commands, one a line: `::error file=…,line=…,col=…::message`. prefix is put before file names (the path of the working
// directory within the repository), so that annotations land in the pull request's view.
func (l List) GitHub(prefix string) string {
	var b strings.Builder
	for i := range l[:min(len(l), most)] {
		d := &l[i]
		fmt.Fprintf(&b, "::%s file=%s", d.Severity, property(Clean(prefix+d.File)))
		if d.Line > 0 {
			fmt.Fprintf(&b, ",line=%d,col=%d", d.Line, d.Column)
			if d.EndLine >= d.Line && d.EndColumn > 0 {
				fmt.Fprintf(&b, ",endLine=%d,endColumn=%d", d.EndLine, d.EndColumn)
			}
		}
		text := Clean(d.Message)
		for _, r := range d.Related {
			text += "\n" + Clean(r.Message) + " " + Clean(r.Position.String())
		}
		if d.Help != "" {
			text += "\n" + CleanLines(d.Help)
		}
		fmt.Fprintf(&b, ",title=%s::%s\n", property(d.Code), message(text))
	}
	return b.String()
}

// message and property escape as GitHub's runner unescapes: percent first, then line ends, and in properties the separators too.
func message(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// JSON renders `compile check --format json`, schema version 1, with the names of the deployments that the file declares.
func (l List) JSON(deployments []string) []byte {
	type position struct {
		File    string `json:"file"`
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Message string `json:"message"`
	}
	type diagnostic struct {
		Severity  Severity   `json:"severity"`
		Code      string     `json:"code"`
		Message   string     `json:"message"`
		Help      string     `json:"help"`
		File      string     `json:"file"`
		Line      int        `json:"line"`
		Column    int        `json:"column"`
		EndLine   int        `json:"end_line"`
		EndColumn int        `json:"end_column"`
		Related   []position `json:"related"`
	}
	out := struct {
		Schema      int          `json:"schema"`
		Diagnostics []diagnostic `json:"diagnostics"`
		Deployments []string     `json:"deployments"`
	}{1, []diagnostic{}, append([]string{}, deployments...)}
	for i := range l {
		d := &l[i]
		related := []position{}
		for _, r := range d.Related {
			related = append(related, position{r.File, r.Line, r.Column, r.Message})
		}
		endLine, endColumn := d.EndLine, d.EndColumn
		if endLine == 0 {
			endLine, endColumn = d.Line, d.Column
		}
		out.Diagnostics = append(out.Diagnostics, diagnostic{d.Severity, d.Code, d.Message, d.Help, d.File, d.Line, d.Column,
			endLine, endColumn, related})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(out) // plain data: it cannot fail
	return b.Bytes()
}

// Summary is the last line of a check: "4 errors, 2 warnings".
func (l List) Summary() string {
	errors := l.Errors(false)
	return Count(errors, "error") + ", " + Count(len(l)-errors, "warning")
}

// Count is "1 error" or "2 errors".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
