// Where PyYAML is stricter or laxer than yaml.v3 about single characters. Both differences were found by reading the same documents with both.
//
// A tab may stand between tokens for yaml.v3; PyYAML then refuses the whole file. Whether a tab stands between tokens or inside a text can be told
// from the nodes: yaml.v3 says where each quoted and block text begins, and where such a text ends is easily found.
package spec

import (
	"bytes"
	"sort"

	"gopkg.in/yaml.v3"
)

// olderDirective makes `%YAML 1.2` 1.1 and takes away directives that YAML does not know: PyYAML ignores both, yaml.v3 refuses them. src itself is not changed.
func olderDirective(src []byte) []byte {
	read := src
	for at := 0; at < len(read); {
		end := at + bytes.IndexByte(read[at:], '\n')
		if end < at {
			return src
		}
		line := bytes.TrimRight(read[at:end], " \r")
		switch {
		case len(line) == 0 || line[0] == '#':
		case line[0] != '%':
			return src
		case bytes.HasPrefix(line, []byte("%YAML 1.")) && len(line) == len("%YAML 1.2"):
			src = replaced(src, read, at+len("%YAML 1."), '1')
		case !bytes.HasPrefix(line, []byte("%TAG ")) && !bytes.HasPrefix(line, []byte("%YAML ")):
			src = replaced(src, read, at, '#')
		}
		at = end + 1
	}
	return src
}

// replaced writes a byte into src, or into a copy of it as long as it is still what was read.
func replaced(src, read []byte, at int, c byte) []byte {
	if &src[0] == &read[0] {
		src = append([]byte(nil), read...)
	}
	src[at] = c
	return src
}

// strayTab returns the offset of the first tab that stands neither in a quoted or block text nor in a comment, or -1.
func strayTab(src []byte, root *yaml.Node) int {
	if root == nil || bytes.IndexByte(src, '\t') < 0 {
		return -1
	}
	texts := texts{src: src, starts: lineStarts(src)}
	texts.collect(root)
	sort.Slice(texts.found, func(i, j int) bool { return texts.found[i].start < texts.found[j].start })
	next := 0
	for i := 0; i < len(src); i++ {
		for next < len(texts.found) && texts.found[next].start < i {
			next++
		}
		switch {
		case next < len(texts.found) && texts.found[next].start == i:
			i = max(i, texts.found[next].end-1)
		case src[i] == '#' && (i == 0 || src[i-1] == ' ' || src[i-1] == '\n' || src[i-1] == '\r'):
			for i < len(src) && src[i] != '\n' && src[i] != '\r' {
				i++
			}
		case src[i] == '\t':
			return i
		}
	}
	return -1
}

// lineStarts are the offsets at which lines begin, as yaml.v3 counts lines: a carriage return alone ends one, and so do three characters of Unicode.
func lineStarts(src []byte) []int {
	starts := []int{0}
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		starts[0] = len("\ufeff")
	}
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '\n', c == '\r' && (i+1 == len(src) || src[i+1] != '\n'):
			starts = append(starts, i+1)
		case c == 0xc2 && i+1 < len(src) && src[i+1] == 0x85:
			starts = append(starts, i+2)
		case c == 0xe2 && i+2 < len(src) && src[i+1] == 0x80 && (src[i+2] == 0xa8 || src[i+2] == 0xa9):
			starts = append(starts, i+3)
		}
	}
	return starts
}

// texts gathers the stretches of src that quoted and block texts take.
type texts struct {
	src    []byte
	starts []int
	found  []stretch
}

type stretch struct{ start, end int }

func (t *texts) collect(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Line >= 1 && n.Line <= len(t.starts) {
		start := t.starts[n.Line-1]
		start += offsetOf(t.src[start:], 1, n.Column)
		switch {
		case n.Style&yaml.SingleQuotedStyle != 0:
			t.quoted(start, '\'')
		case n.Style&yaml.DoubleQuotedStyle != 0:
			t.quoted(start, '"')
		case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
			t.block(start, n)
		}
	}
	for _, c := range n.Content {
		t.collect(c)
	}
}

// quoted finds the quote that ends what begins at or, after a tag or an anchor, soon after start.
func (t *texts) quoted(start int, quote byte) {
	i := bytes.IndexByte(t.src[start:], quote)
	if i < 0 {
		return
	}
	start += i
	for i = start + 1; i < len(t.src); i++ {
		switch {
		case t.src[i] == '\\' && quote == '"':
			i++
		case t.src[i] == quote && quote == '\'' && i+1 < len(t.src) && t.src[i+1] == quote:
			i++
		case t.src[i] == quote:
			t.found = append(t.found, stretch{start, i + 1})
			return
		}
	}
}

// block finds the lines of a block text: up to the first line that is not blank and is indented less than the text's first.
func (t *texts) block(start int, n *yaml.Node) {
	line := n.Line // the lines after the header's; t.starts counts from 0
	if i := bytes.IndexAny(t.src[start:], "|>"); i > 0 {
		for line < len(t.starts) && t.starts[line] <= start+i {
			line++
		}
	}
	if line >= len(t.starts) {
		return
	}
	first, indent := t.starts[line], 0
	for ; line < len(t.starts); line++ {
		end := len(t.src)
		if line+1 < len(t.starts) {
			end = t.starts[line+1]
		}
		text := bytes.TrimRight(t.src[t.starts[line]:end], "\r\n")
		content := bytes.TrimLeft(text, " ")
		if len(content) == 0 {
			continue
		}
		width := len(text) - len(content)
		if indent == 0 {
			indent = max(width, 1)
		}
		if width < indent {
			end = t.starts[line]
			t.found = append(t.found, stretch{first, end})
			return
		}
	}
	t.found = append(t.found, stretch{first, len(t.src)})
}
