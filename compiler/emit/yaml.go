// Building YAML: nodes in place of text, so that quoting is the library's business and a user's text can never become structure.
package emit

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// text is a scalar. What only letters, digits and some signs make up is written plain where every reader of YAML takes it for a text, all else in double quotes.
func text(s string) *yaml.Node {
	n := &yaml.Node{}
	scalar(n, s)
	return n
}

// scalar makes a node one.
func scalar(n *yaml.Node, s string) {
	n.Kind, n.Tag, n.Value = yaml.ScalarNode, "!!str", s
	if !plainText(s) && !strings.Contains(s, "\n") {
		n.Style = yaml.DoubleQuotedStyle
	}
}

// plainText reports whether a text reads as itself in YAML 1.1 and 1.2 alike.
func plainText(s string) bool {
	if s == "" || len(s) <= len("false") && special(s) {
		return false
	}
	switch c := s[0]; {
	case c == '.': // .5 is a number, .inf as well
		if len(s) == 1 || s[1] >= '0' && s[1] <= '9' || strings.EqualFold(s, ".inf") || strings.EqualFold(s, ".nan") {
			return false
		}
	case c == '$', c == '/', isLetter(c):
	case c < utf8.RuneSelf || !begins(s):
		return false
	}
	return withinPlain(s)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// begins reports whether a text begins with a letter that is none of ASCII's.
func begins(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}

// withinPlain reports whether nothing in a text ends a plain one: a colon or a hash with a space, a space at the end, a sign that does not show.
func withinPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return strings.TrimSpace(s) == s && !strings.Contains(s[i:], ": ") && !strings.Contains(s[i:], " #") && !strings.HasSuffix(s, ":") && !strings.ContainsFunc(s[i:], hides)
		case c < ' ' || c == '"' || c == '\\' || c == 0x7f:
			return false
		case c == ':' && (i+1 == len(s) || s[i+1] == ' '), c == ' ' && (i+1 == len(s) || s[i+1] == '#'):
			return false
		}
	}
	return true
}

// hides reports whether a sign does not show, or has a meaning between double quotes.
func hides(r rune) bool { return r < ' ' || r == '"' || r == '\\' || !unicode.IsPrint(r) }

// literal is a text where GitHub looks for expressions: an opening of one is written as an expression that gives it.
func literal(s string) string { return strings.ReplaceAll(s, "${{", "${{ '${{' }}") }

// special is a word that YAML 1.1 or 1.2 takes for something else than a text.
func special(s string) bool {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~":
		return true
	}
	return false
}

func flag(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(b)}
}

func number(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(n)}
}

// script is a multi-line text.
func script(lines ...string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.LiteralStyle, Value: strings.Join(lines, "\n") + "\n"}
}

// mapping is made of keys and values by turns; a nil value leaves its key out. A workflow has some ten thousands of these, so the nodes of one are made at once.
func mapping(pairs ...any) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: make([]*yaml.Node, 0, len(pairs)+2)}
	nodes := make([]yaml.Node, 0, len(pairs))
	next := func(s string) *yaml.Node {
		nodes = nodes[:len(nodes)+1]
		n := &nodes[len(nodes)-1]
		scalar(n, s)
		return n
	}
	for i := 0; i < len(pairs); i += 2 {
		if s, ok := pairs[i+1].(string); ok {
			m.Content = append(m.Content, next(pairs[i].(string)), next(s))
		} else if v := node(pairs[i+1]); v != nil {
			m.Content = append(m.Content, next(pairs[i].(string)), v)
		}
	}
	return m
}

// putText adds a key with a text.
func putText(m *yaml.Node, key, s string) {
	nodes := make([]yaml.Node, 2)
	scalar(&nodes[0], key)
	scalar(&nodes[1], s)
	m.Content = append(m.Content, &nodes[0], &nodes[1])
}

// put adds a key, unless the value is nil.
func put(m *yaml.Node, key string, v *yaml.Node) {
	if v != nil {
		m.Content = append(m.Content, text(key), v)
	}
}

// get is the value of a key, nil without one.
func get(m *yaml.Node, key string) *yaml.Node {
	for i := 0; m != nil && m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

// keysOf are the keys of a mapping.
func keysOf(m *yaml.Node) (keys []string) {
	for i := 0; i < len(m.Content); i += 2 {
		keys = append(keys, m.Content[i].Value)
	}
	return keys
}

func list(items ...*yaml.Node) *yaml.Node {
	l := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: make([]*yaml.Node, 0, len(items))}
	for _, n := range items {
		if n != nil {
			l.Content = append(l.Content, n)
		}
	}
	return l
}

func texts(items []string) *yaml.Node {
	l := flow(list())
	l.Content = make([]*yaml.Node, 0, len(items))
	for _, s := range items {
		l.Content = append(l.Content, text(s))
	}
	return l
}

// flow writes a mapping or list in one line.
func flow(n *yaml.Node) *yaml.Node {
	n.Style = yaml.FlowStyle
	return n
}

// node makes a node of plain Go data.
func node(v any) *yaml.Node {
	switch x := v.(type) {
	case nil:
		return nil
	case *yaml.Node:
		return x
	case string:
		return text(x)
	case bool:
		return flag(x)
	case int:
		return number(x)
	case []string:
		return texts(x)
	case value.Value:
		return ofValue(x)
	}
	panic(fmt.Sprintf("emit: no node for %T", v))
}

// ofValue makes a node of what stands in prefect.yaml.
func ofValue(v value.Value) *yaml.Node {
	switch v.Kind {
	case value.Map:
		m := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		for _, e := range v.Map {
			m.Content = append(m.Content, text(e.Key), ofValue(e.Value))
		}
		return m
	case value.List:
		l := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, x := range v.List {
			l.Content = append(l.Content, ofValue(x))
		}
		return l
	case value.Text:
		return text(v.Text)
	case value.Null:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case value.Bool:
		return flag(v.Bool)
	case value.Int:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: v.Str()}
	}
	return text(v.Str())
}

// encode writes a document behind what is before it. room is about how long it will be.
func encode(before []byte, root *yaml.Node, room int) []byte {
	if out, ok := printed(before, root, room); ok {
		return out
	}
	return append(before, encodeAny(root)...)
}

// encodeAny is yaml.v3's printer.
func encodeAny(root *yaml.Node) []byte {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil { // nodes of our own making: it cannot fail
		panic(err)
	}
	_ = e.Close()
	return b.Bytes()
}
