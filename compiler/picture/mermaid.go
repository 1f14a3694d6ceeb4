// Mermaid's flowcharts, which forges draw by themselves. It reads Markdown, HTML, directives and click handlers in what it is given, and refuses more than 500 edges or 50,000 characters. So
// every name of ours is a letter and a number, every character of a user's text that could mean anything is written as a numbered entity, and texts are cut shorter until all fits.
package picture

import (
	"fmt"
	"strings"
	"unicode"
)

// MermaidLimit is how many bytes of text Mermaid takes by its defaults, with some to spare.
const MermaidLimit = 49_000

// mermaidShapes are the brackets around a label.
var mermaidShapes = [...][2]string{Build: {"[", "]"}, Push: {"[/", "/]"}, Step: {"(", ")"}, Registration: {"([", "])"}}

// Mermaid prints the picture in at most so many bytes; "" when that can't be done.
func (p *Picture) Mermaid(limit int) []byte {
	for longest := 60; longest >= 7; longest /= 2 {
		if out := p.mermaid(longest); len(out) <= limit {
			return []byte(out)
		}
	}
	return nil
}

func (p *Picture) mermaid(longest int) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i := range p.Boxes {
		box := &p.Boxes[i]
		shape := mermaidShapes[box.Kind]
		fmt.Fprintf(&b, "  n%d%s\"%s\"%s\n", i, shape[0], mermaidLabel(box, longest), shape[1])
	}
	for _, e := range p.Edges {
		arrow := "-->"
		from, to := e.From, e.To
		switch {
		case e.Both:
			arrow = "<-.->"
		case e.Back:
			arrow, from, to = "-.->", to, from
		case e.Order:
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  n%d %s n%d\n", from, arrow, to)
	}
	return b.String()
}

// mermaidLabel is what stands in a node.
func mermaidLabel(b *Box, longest int) string {
	lines := mermaidLines(b)
	for i, l := range lines {
		lines[i] = mermaidText(l, longest)
	}
	return strings.Join(lines, "<br/>")
}

// mermaidLines are the headline and, of several, some names.
func mermaidLines(b *Box) []string {
	const names = 3
	lines := []string{b.Head}
	if b.Names != nil && b.Note != "" {
		lines = append(lines, b.Note)
	}
	if len(b.Names) > names+1 {
		return append(append(lines, b.Names[:names]...), fmt.Sprintf("and %d more", len(b.Names)-names))
	}
	return append(lines, b.Names...)
}

// mermaidText is text in a node. Mermaid reads Markdown and HTML in it; numbered entities are its own way to write a character as such.
func mermaidText(s string, longest int) string {
	var b strings.Builder
	for i, r := range []rune(cut(clean(s), longest)) {
		switch {
		case unicode.IsLetter(r), r >= '0' && r <= '9' && i > 0, r == ' ', r == '-' && i > 0, r == '/', r == '.' && i > 0:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// cut shortens text to a number of characters.
func cut(s string, longest int) string {
	runes := []rune(s)
	if len(runes) <= longest {
		return s
	}
	return strings.TrimRight(string(runes[:longest-1]), " ") + "…"
}
