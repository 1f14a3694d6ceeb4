// Printing YAML. A workflow of 1,000 deployments has a hundred thousand lines, and yaml.v3's printer, which suits any document, took longer for it than all else together. This one knows the few forms that emission uses, writes them
// as yaml.v3 does, and leaves any other document to it; tests hold both to the same bytes.
package emit

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// printer writes block by block; indent is the column of the mapping or list that is written.
type printer struct{ b strings.Builder }

// simple reports whether a document has only the forms that are printed here.
func simple(n *yaml.Node) bool {
	if n.Anchor != "" || n.HeadComment != "" || n.FootComment != "" || n.LineComment != "" && n.Kind != yaml.ScalarNode {
		return false
	}
	switch n.Kind {
	case yaml.ScalarNode:
		switch n.Tag {
		case "!!str", "!!bool", "!!int", "!!null":
			return utf8.ValidString(n.Value) && n.Style&^(yaml.DoubleQuotedStyle|yaml.LiteralStyle) == 0
		}
		return false
	case yaml.MappingNode, yaml.SequenceNode:
		for i, c := range n.Content {
			if !simple(c) || n.Kind == yaml.MappingNode && i%2 == 0 && (c.Kind != yaml.ScalarNode || len(c.Value) > 120) {
				return false
			}
		}
		return n.Style&^yaml.FlowStyle == 0
	}
	return false
}

// printed is a mapping as a document.
func printed(root *yaml.Node) []byte {
	p := &printer{}
	if len(root.Content) == 0 {
		return []byte("{}\n")
	}
	p.mapping(root, 0, false)
	return []byte(p.b.String())
}

func (p *printer) spaces(n int) {
	const some = "                                "
	for ; n > len(some); n -= len(some) {
		p.b.WriteString(some)
	}
	p.b.WriteString(some[:n])
}

// mapping writes key by key; begun says that the first line's indentation is there already, as behind a dash.
func (p *printer) mapping(n *yaml.Node, indent int, begun bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if i > 0 || !begun {
			p.spaces(indent)
		}
		key := n.Content[i]
		p.scalar(key, indent, true)
		p.b.WriteByte(':')
		p.value(n.Content[i+1], key.LineComment, indent)
	}
}

// value writes what stands behind a key, from the colon on.
func (p *printer) value(v *yaml.Node, comment string, indent int) {
	block := v.Kind != yaml.ScalarNode && v.Style&yaml.FlowStyle == 0 && len(v.Content) > 0
	if block {
		if comment != "" {
			p.b.WriteString(" " + comment)
		}
		p.b.WriteByte('\n')
		if v.Kind == yaml.MappingNode {
			p.mapping(v, indent+2, false)
			return
		}
		p.list(v, indent+2, false)
		return
	}
	if v.Kind != yaml.ScalarNode || v.Value != "" || v.Tag != "!!null" {
		p.b.WriteByte(' ')
	}
	p.inline(v, indent)
	if v.LineComment != "" {
		p.b.WriteString(" " + v.LineComment)
	}
	p.end()
}

// end ends a line, unless a text of several lines has.
func (p *printer) end() {
	if s := p.b.String(); s[len(s)-1] != '\n' {
		p.b.WriteByte('\n')
	}
}

func (p *printer) list(n *yaml.Node, indent int, begun bool) {
	for i, item := range n.Content {
		if i > 0 || !begun {
			p.spaces(indent)
		}
		p.b.WriteString("- ")
		switch {
		case item.Kind == yaml.MappingNode && item.Style&yaml.FlowStyle == 0 && len(item.Content) > 0:
			p.mapping(item, indent+2, true)
		case item.Kind == yaml.SequenceNode && item.Style&yaml.FlowStyle == 0 && len(item.Content) > 0:
			p.list(item, indent+2, true)
		default:
			p.inline(item, indent)
			if item.LineComment != "" {
				p.b.WriteString(" " + item.LineComment)
			}
			p.end()
		}
	}
}

// inline writes a scalar, or a mapping or list in one line.
func (p *printer) inline(n *yaml.Node, indent int) {
	switch n.Kind {
	case yaml.ScalarNode:
		p.scalar(n, indent, false)
	case yaml.MappingNode:
		p.b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			p.comma(i)
			p.within(n.Content[i])
			p.b.WriteString(": ")
			p.within(n.Content[i+1])
		}
		p.b.WriteByte('}')
	default:
		p.b.WriteByte('[')
		for i, c := range n.Content {
			p.comma(i)
			p.within(c)
		}
		p.b.WriteByte(']')
	}
}

func (p *printer) comma(i int) {
	if i > 0 {
		p.b.WriteString(", ")
	}
}

// within writes a part of what stands in one line, where some signs end a plain text.
func (p *printer) within(n *yaml.Node) {
	switch {
	case n.Kind != yaml.ScalarNode:
		p.inline(n, 0)
	case n.Tag == "!!str" && (n.Style != 0 || strings.ContainsAny(n.Value, ",[]{}?:\n")):
		p.quoted(n.Value)
	default:
		p.scalar(n, 0, true)
	}
}

// scalar writes a text, a flag or a number. A key is one line in any case.
func (p *printer) scalar(n *yaml.Node, indent int, key bool) {
	switch {
	case n.Tag == "!!null" && n.Value == "", n.Tag != "!!str":
		p.b.WriteString(n.Value)
	case !key && strings.Contains(n.Value, "\n") && n.Style&yaml.DoubleQuotedStyle == 0 && asLines(n.Value):
		p.lines(n.Value, indent+2)
	case n.Style&yaml.DoubleQuotedStyle != 0 || strings.Contains(n.Value, "\n"):
		p.quoted(n.Value)
	default:
		p.b.WriteString(n.Value)
	}
}

// asLines reports whether a text can be written line by line as it is: it begins with no space, ends in at most one line end, and has only signs that show.
func asLines(s string) bool {
	if s[0] == ' ' || s[0] == '\n' || s[0] == '\t' || strings.HasSuffix(s, "\n\n") {
		return false
	}
	for _, r := range s {
		if r != '\n' && !unicode.IsPrint(r) {
			return false
		}
	}
	return !strings.Contains(s, " \n") && !strings.HasSuffix(s, " ")
}

func (p *printer) lines(s string, indent int) {
	p.b.WriteByte('|')
	if !strings.HasSuffix(s, "\n") {
		p.b.WriteByte('-')
	}
	for _, line := range strings.Split(strings.TrimSuffix(s, "\n"), "\n") {
		p.b.WriteByte('\n')
		if line != "" {
			p.spaces(indent)
			p.b.WriteString(line)
		}
	}
	p.b.WriteByte('\n')
}

// quoted writes a text between double quotes, with an escape for each sign that does not show.
func (p *printer) quoted(s string) {
	p.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			p.b.WriteByte('\\')
			p.b.WriteRune(r)
		case r == '\n':
			p.b.WriteString(`\n`)
		case r == '\t':
			p.b.WriteString(`\t`)
		case unicode.IsPrint(r):
			p.b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&p.b, `\x%02X`, r)
		case r <= 0xffff:
			fmt.Fprintf(&p.b, `\u%04X`, r)
		default:
			fmt.Fprintf(&p.b, `\U%08X`, r)
		}
	}
	p.b.WriteByte('"')
}
