// One more deployment in the text of a file. The text is not printed anew, which would lose its comments and its layout: the entry is inserted where the list ends, in the
// indentation and style that the list has, and nothing else changes. YAML has many ways to end a list (the next key, the end of the file, comments that belong to either, a
// bracket), and finding the right one by rule alone would be a second parser. So there are several candidates, the likeliest first, and each is read again: the first that
// holds what the file held and the new entry, and nothing else, is the answer.
package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// ErrNoPlace says that there is no place for another deployment that leaves the rest of the file as it is.
var ErrNoPlace = errors.New("no place was found for another deployment: deployments: is not a list that can be added to")

// Add returns the text of a file with an entry at the end of its list of deployments. The error is a list of what is wrong with the file already, or ErrNoPlace.
func Add(name string, src []byte, entry value.Value) ([]byte, error) {
	root, faults := parse(name, src)
	if faults != nil {
		return nil, faults
	}
	before, ok := decoded(root)
	if !ok {
		return nil, ErrNoPlace
	}
	a := addition{file: &File{Source: src}, entry: entry, newline: "\n"}
	if bytes.Contains(src, []byte("\r\n")) {
		a.newline = "\r\n"
	}
	for _, text := range a.candidates(root) {
		if again, faults := parse(name, text); faults == nil {
			if after, ok := decoded(again); ok && grown(before, after, entry.Any()) {
				return text, nil
			}
		}
	}
	return nil, ErrNoPlace
}

// decoded is a document as plain data; an empty one is an empty mapping.
func decoded(root *yaml.Node) (map[string]any, bool) {
	if root == nil || root.ShortTag() == "!!null" {
		return map[string]any{}, true
	}
	var m map[string]any
	return m, root.Decode(&m) == nil
}

// grown tells whether after is before with entry at the end of its deployments.
func grown(before, after map[string]any, entry any) bool {
	old, _ := before["deployments"].([]any)
	list, _ := after["deployments"].([]any)
	if len(list) != len(old)+1 || !reflect.DeepEqual(append(slices.Clip(old), list[len(old)]), list) || !same(list[len(old)], entry) {
		return false
	}
	for key, v := range before {
		if w, kept := after[key]; key != "deployments" && !(kept && reflect.DeepEqual(v, w)) {
			return false
		}
	}
	_, had := before["deployments"]
	return len(after) == len(before) || !had && len(after) == len(before)+1
}

// same compares what YAML and what the caller made of the entry, whose numbers may have other types.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

type addition struct {
	file    *File
	entry   value.Value
	newline string
	// step is how far a list within the entry stands in from its key: 0 or 2, as the file has it.
	step int
}

func (a *addition) candidates(root *yaml.Node) [][]byte {
	src := a.file.Source
	if root == nil || root.ShortTag() == "!!null" {
		return [][]byte{a.insert(len(src), a.list(0))}
	}
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 {
		return nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, v := root.Content[i], root.Content[i+1]
		if key.Value != "deployments" {
			continue
		}
		end := len(src)
		if i+2 < len(root.Content) {
			end = a.file.lineStart(root.Content[i+2].Line)
		}
		switch {
		case v.Kind == yaml.SequenceNode && len(v.Content) > 0 && v.Style&yaml.FlowStyle == 0:
			return a.afterLast(key, v, end)
		case v.Kind == yaml.SequenceNode && len(v.Content) > 0:
			return a.beforeBracket(v, end)
		case v.Kind == yaml.SequenceNode, v.ShortTag() == "!!null":
			return a.inPlaceOf(key, v)
		}
		return nil
	}
	indent := root.Column - 1
	gap := a.newline
	return [][]byte{a.insert(len(src), gap+a.list(indent)), a.insert(a.file.lineStart(root.Line), a.list(indent)+gap)}
}

// lineStart is the offset at which a line begins.
func (f *File) lineStart(line int) int { return f.index()[line-1] }

// insert puts whole lines in at an offset, which is the start of a line or the end of the text.
func (a *addition) insert(at int, text string) []byte {
	src := a.file.Source
	if at == len(src) && at > 0 && src[at-1] != '\n' {
		text = a.newline + text
	}
	if at == 0 {
		text = strings.TrimPrefix(text, a.newline)
	}
	return slices.Concat(src[:at], []byte(text), src[at:])
}

// list is the whole list, key and all.
func (a *addition) list(indent int) string {
	pad := strings.Repeat(" ", indent)
	return pad + "deployments:" + a.newline + pad + "- " + a.block(a.entry, indent+2) + a.newline
}

// afterLast adds a line or more behind the last entry of a list of dashes.
func (a *addition) afterLast(key, v *yaml.Node, end int) [][]byte {
	last := v.Content[len(v.Content)-1]
	dash, inner := v.Column-1, max(last.Column-v.Column, 2)
	a.step = max(v.Column-key.Column, 0)
	text := strings.Repeat(" ", dash) + "-" + strings.Repeat(" ", inner-1)
	if last.Kind == yaml.MappingNode && last.Style&yaml.FlowStyle != 0 {
		text += a.flow(a.entry)
	} else {
		text += a.block(a.entry, dash+inner)
	}
	text += a.newline
	if n := len(v.Content); n > 1 && a.blank(last.Line-1) {
		text = a.newline + text
	}
	at := end
	for line := a.file.lineAt(end); at > 0; at = a.file.lineStart(line) {
		if line--; line <= last.Line || !a.outside(line, dash, end < len(a.file.Source)) {
			break
		}
	}
	return [][]byte{a.insert(at, text), a.insert(end, text)}
}

// lineAt is the line that begins at an offset; past the end it is the line after the last.
func (f *File) lineAt(offset int) int {
	n, _ := slices.BinarySearch(f.index(), offset)
	if offset == len(f.Source) && (offset == 0 || f.Source[offset-1] != '\n') {
		return len(f.index()) + 1
	}
	return n + 1
}

// outside tells whether a line at the end of the list is none of its last entry: blank, or a comment that stands further out (or, before another key, as far out).
func (a *addition) outside(line, dash int, more bool) bool {
	text := a.file.Line(line)
	bare := bytes.TrimLeft(text, " \t")
	indent := len(text) - len(bare)
	return len(bare) == 0 || bare[0] == '#' && (indent < dash || indent == dash && more)
}

func (a *addition) blank(line int) bool {
	return line >= 1 && len(bytes.TrimSpace(a.file.Line(line))) == 0
}

// beforeBracket adds to a list in brackets: behind its last entry, before one of the closing brackets that follow.
func (a *addition) beforeBracket(v *yaml.Node, end int) (out [][]byte) {
	src := a.file.Source
	last := v.Content[len(v.Content)-1]
	for at := a.file.offset(position(last)); at < end; at++ {
		if src[at] != ']' {
			continue
		}
		body := bytes.TrimRight(src[:at], " \t\r\n")
		between := ", "
		if lines := bytes.Count(src[len(body):at], []byte("\n")); lines > 0 {
			between = "," + a.newline + strings.Repeat(" ", last.Column-1)
		}
		for _, comma := range []string{between, strings.TrimPrefix(between, ",")} {
			out = append(out, slices.Concat(body, []byte(comma+a.flow(a.entry)), src[len(body):]))
		}
	}
	return out
}

// inPlaceOf takes the place of an empty list or of nothing.
func (a *addition) inPlaceOf(key, v *yaml.Node) [][]byte {
	src := a.file.Source
	line := key.Line
	at := a.file.lineStart(line) + len(a.file.Line(line))
	indent := key.Column - 1
	text := a.newline + strings.Repeat(" ", indent) + "- " + a.block(a.entry, indent+2)
	written := a.file.offset(position(v))
	stop := written + len(v.Value)
	if v.Kind == yaml.SequenceNode {
		stop = written + bytes.IndexByte(src[written:], ']') + 1
	}
	out := [][]byte{slices.Concat(src[:at], []byte(text), src[at:])}
	if v.Line == line && stop > written && stop <= at {
		rest := slices.Concat(bytes.TrimRight(src[:written], " "), src[stop:at])
		out = append(out, slices.Concat(rest, []byte(text), src[at:]))
	}
	return out
}

// block is a value with a key or item a line, as it stands behind text that reaches to the column indent.
func (a *addition) block(v value.Value, indent int) string {
	pad := a.newline + strings.Repeat(" ", indent)
	var lines []string
	switch {
	case v.Kind == value.Map && len(v.Map) > 0:
		for _, e := range v.Map {
			between := " "
			switch {
			case e.Value.Kind == value.Map && len(e.Value.Map) > 0:
				between = pad + "  "
				lines = append(lines, e.Key+":"+between+a.block(e.Value, indent+2))
				continue
			case e.Value.Kind == value.List && len(e.Value.List) > 0:
				between = pad + strings.Repeat(" ", a.step)
				lines = append(lines, e.Key+":"+between+a.block(e.Value, indent+a.step))
				continue
			}
			lines = append(lines, e.Key+":"+between+a.flow(e.Value))
		}
	case v.Kind == value.List && len(v.List) > 0:
		for _, item := range v.List {
			lines = append(lines, "- "+a.block(item, indent+2))
		}
	default:
		return a.flow(v)
	}
	return strings.Join(lines, pad)
}

// flow is a value on one line.
func (a *addition) flow(v value.Value) string {
	switch v.Kind {
	case value.Map:
		parts := make([]string, len(v.Map))
		for i, e := range v.Map {
			parts[i] = e.Key + ": " + a.flow(e.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case value.List:
		parts := make([]string, len(v.List))
		for i, item := range v.List {
			parts[i] = a.flow(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case value.Text:
		return Scalar(v.Text)
	}
	return string(v.AppendJSON(nil))
}

// Scalar is a text as YAML of any version reads it back: plain where that is certain, else in double quotes.
func Scalar(s string) string {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
	default:
		if regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*(:[A-Za-z_][A-Za-z0-9_.]*)?$`).MatchString(s) {
			return s
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text can always be encoded
	return escapeRest(strings.TrimSpace(b.String()))
}

// escapeRest escapes what JSON lets stand and YAML does not: other control characters (one of which is a line's end in YAML 1.1), and the mark of a byte order.
func escapeRest(quoted string) string {
	var b strings.Builder
	for _, r := range quoted {
		if r >= 0x7f && r < 0xa0 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
