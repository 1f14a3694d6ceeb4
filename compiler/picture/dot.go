// Graphviz's language. Names are letters and numbers, all text is quoted. Inside of quotes a backslash and an entity still mean something, so both are written out. Where there are several
// files, each is a cluster.
package picture

import (
	"fmt"
	"strings"
)

// dotStyles are the shape and the colours of each kind.
var dotStyles = [...]string{
	Build:        `shape=box, style=filled, color="#0072b2", fillcolor="#e3f0fa"`,
	Push:         `shape=cds, margin="0.25,0.15", style=filled, color="#c2570c", fillcolor="#fdebdd"`,
	Step:         `shape=note, style=filled, color="#6b6480", fillcolor="#f1eff6"`,
	Registration: `shape=box, style="filled,rounded", color="#00805c", fillcolor="#e0f4ec"`,
}

// Dot prints the picture.
func (p *Picture) Dot() []byte {
	var b strings.Builder
	b.WriteString("digraph {\n  rankdir=LR;\n  node [fontname=\"Helvetica\", fontsize=11];\n  edge [color=\"#59636e\", arrowsize=0.7];\n")
	fmt.Fprintf(&b, "  label=%s; labelloc=t; fontname=\"Helvetica\";\n", dotText(p.Title))
	for i := range p.Boxes {
		if len(p.Files) < 2 || p.Boxes[i].File == "" {
			p.Boxes[i].dot(&b, i, "  ")
		}
	}
	if len(p.Files) > 1 {
		p.clusters(&b)
	}
	for _, e := range p.Edges {
		b.WriteString(dotEdge(e))
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func (p *Picture) clusters(b *strings.Builder) {
	for n, file := range p.Files {
		fmt.Fprintf(b, "  subgraph cluster_%d {\n    label=%s; style=\"rounded\"; color=\"#8c959f\";\n", n, dotText(file))
		for i := range p.Boxes {
			if p.Boxes[i].File == file {
				p.Boxes[i].dot(b, i, "    ")
			}
		}
		b.WriteString("  }\n")
	}
}

func (b *Box) dot(out *strings.Builder, i int, indent string) {
	several := ""
	if b.size() > 1 {
		several = ", penwidth=2.5"
	}
	fmt.Fprintf(out, "%sn%d [label=%s, tooltip=%s, %s%s];\n", indent, i, dotText(dotLines(b)...), dotText(b.Hint...), dotStyles[b.Kind], several)
}

// dotLines are a node's texts.
func dotLines(b *Box) []string {
	lines := append([]string{b.Head, b.Note}, b.Names...)
	const most = 6
	if len(lines) > most+1 {
		lines = append(lines[:most:most], fmt.Sprintf("and %d more", len(lines)-most))
	}
	for i, line := range lines {
		lines[i] = cut(line, 60)
	}
	return lines
}

func dotEdge(e Edge) string {
	style := ""
	switch {
	case e.Both:
		style = " [style=dashed, dir=both]"
	case e.Back:
		style = " [style=dashed, dir=back]"
	case e.Order:
		style = " [style=dashed]"
	}
	return fmt.Sprintf("  n%d -> n%d%s;\n", e.From, e.To, style)
}

// dotText quotes lines of text, without the empty ones.
func dotText(lines ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, escape.Replace(clean(l)))
		}
	}
	return `"` + strings.Join(out, `\n`) + `"`
}
