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

// printer writes block by block; indent is the column of the mapping or list that is written. other says that a form was met which is left to yaml.v3.
type printer struct {
	b     []byte
	other bool
}

// printed is what is before a document and that document, a mapping; ok is false where it has other forms than are printed here. room is about how long it will be.
func printed(before []byte, root *yaml.Node, room int) (out []byte, ok bool) {
	p := &printer{b: append(make([]byte, 0, len(before)+room+room/8), before...)}
	if root.Kind != yaml.MappingNode || p.foreign(root) {
		return nil, false
	}
	if len(root.Content) == 0 {
		return append(p.b, "{}\n"...), true
	}
	p.mapping(root, 0, false)
	return p.b, !p.other
}

// foreign notes whether a node has another form than are printed here.
func (p *printer) foreign(n *yaml.Node) bool {
	known := n.Anchor == "" && n.HeadComment == "" && n.FootComment == "" && (n.LineComment == "" || n.Kind == yaml.ScalarNode)
	switch n.Kind {
	case yaml.ScalarNode:
		known = known && n.Style&^(yaml.DoubleQuotedStyle|yaml.LiteralStyle) == 0
		switch n.Tag {
		case "!!str":
			known = known && utf8.ValidString(n.Value)
		case "!!bool", "!!int", "!!null":
		default:
			known = false
		}
	case yaml.MappingNode, yaml.SequenceNode:
		known = known && n.Style&^yaml.FlowStyle == 0
	default:
		known = false
	}
	p.other = p.other || !known
	return p.other
}

func (p *printer) text(s string) { p.b = append(p.b, s...) }

func (p *printer) spaces(n int) {
	const some = "                                "
	for ; n > len(some); n -= len(some) {
		p.text(some)
	}
	p.text(some[:n])
}

// mapping writes key by key; begun says that the first line's indentation is there already, as behind a dash.
func (p *printer) mapping(n *yaml.Node, indent int, begun bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if i > 0 || !begun {
			p.spaces(indent)
		}
		key := n.Content[i]
		p.key(key)
		p.b = append(p.b, ':')
		p.value(n.Content[i+1], key.LineComment, indent)
	}
}

// key writes what stands before a colon. One that is too long for that has another form.
func (p *printer) key(n *yaml.Node) {
	if p.other = p.other || n.Kind != yaml.ScalarNode || len(n.Value) > 120; p.foreign(n) {
		return
	}
	p.scalar(n, 0, true)
}

// value writes what stands behind a key, from the colon on.
func (p *printer) value(v *yaml.Node, comment string, indent int) {
	if p.foreign(v) {
		return
	}
	block := v.Kind != yaml.ScalarNode && v.Style&yaml.FlowStyle == 0 && len(v.Content) > 0
	if block {
		if comment != "" {
			p.text(" " + comment)
		}
		p.b = append(p.b, '\n')
		if v.Kind == yaml.MappingNode {
			p.mapping(v, indent+2, false)
			return
		}
		p.list(v, indent+2, false)
		return
	}
	if v.Kind != yaml.ScalarNode || v.Value != "" || v.Tag != "!!null" {
		p.b = append(p.b, ' ')
	}
	p.inline(v, indent)
	if v.LineComment != "" {
		p.text(" " + v.LineComment)
	}
	p.end()
}

// end ends a line, unless a text of several lines has.
func (p *printer) end() {
	if p.b[len(p.b)-1] != '\n' {
		p.b = append(p.b, '\n')
	}
}

func (p *printer) list(n *yaml.Node, indent int, begun bool) {
	for i, item := range n.Content {
		if i > 0 || !begun {
			p.spaces(indent)
		}
		p.text("- ")
		if p.foreign(item) {
			return
		}
		switch {
		case item.Kind == yaml.MappingNode && item.Style&yaml.FlowStyle == 0 && len(item.Content) > 0:
			p.mapping(item, indent+2, true)
		case item.Kind == yaml.SequenceNode && item.Style&yaml.FlowStyle == 0 && len(item.Content) > 0:
			p.list(item, indent+2, true)
		default:
			p.inline(item, indent)
			if item.LineComment != "" {
				p.text(" " + item.LineComment)
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
		p.b = append(p.b, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			p.comma(i)
			p.other = p.other || n.Content[i].Kind != yaml.ScalarNode || len(n.Content[i].Value) > 120
			p.within(n.Content[i])
			p.text(": ")
			p.within(n.Content[i+1])
		}
		p.b = append(p.b, '}')
	default:
		p.b = append(p.b, '[')
		for i, c := range n.Content {
			p.comma(i)
			p.within(c)
		}
		p.b = append(p.b, ']')
	}
}

func (p *printer) comma(i int) {
	if i > 0 {
		p.text(", ")
	}
}

// within writes a part of what stands in one line, where some signs end a plain text.
func (p *printer) within(n *yaml.Node) {
	switch {
	case p.foreign(n):
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
		p.text(n.Value)
	case !key && strings.Contains(n.Value, "\n") && n.Style&yaml.DoubleQuotedStyle == 0 && asLines(n.Value):
		p.lines(n.Value, indent+2)
	case n.Style&yaml.DoubleQuotedStyle != 0 || strings.Contains(n.Value, "\n"):
		p.quoted(n.Value)
	default:
		p.text(n.Value)
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
	p.b = append(p.b, '|')
	if !strings.HasSuffix(s, "\n") {
		p.b = append(p.b, '-')
	}
	for rest, more := strings.TrimSuffix(s, "\n"), true; more; {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		p.b = append(p.b, '\n')
		if line != "" {
			p.spaces(indent)
			p.text(line)
		}
	}
	p.b = append(p.b, '\n')
}

// quoted writes a text between double quotes, with an escape for each sign that does not show.
func (p *printer) quoted(s string) {
	p.b = append(p.b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			p.b = append(p.b, '\\')
			p.b = utf8.AppendRune(p.b, r)
		case r == '\n':
			p.text(`\n`)
		case r == '\t':
			p.text(`\t`)
		case unicode.IsPrint(r):
			p.b = utf8.AppendRune(p.b, r)
		case r <= 0xff:
			p.b = fmt.Appendf(p.b, `\x%02X`, r)
		case r <= 0xffff:
			p.b = fmt.Appendf(p.b, `\u%04X`, r)
		default:
			p.b = fmt.Appendf(p.b, `\U%08X`, r)
		}
	}
	p.b = append(p.b, '"')
}
