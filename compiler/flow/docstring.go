// Docstrings: Python's cleaning, and the descriptions of parameters that griffe (Prefect's reader of docstrings) finds in them.
//
// griffe cleans the text a second time, and that has an effect worth knowing: if the docstring's first line is the heading, the
// second cleaning takes the items' indentation for the margin, and the section is lost. So cleaning twice is part of the rules.

package flow

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleandoc is Python's inspect.cleandoc: tabs become blanks, the common margin of all lines but the first goes, and empty lines at
// both ends.
func cleandoc(doc string) string {
	lines := strings.Split(expandTabs(doc), "\n")
	margin := -1
	for _, l := range lines[1:] {
		if content := strings.TrimLeftFunc(l, isSpace); content != "" {
			if indent := utf8.RuneCountInString(l) - utf8.RuneCountInString(content); margin < 0 || indent < margin {
				margin = indent
			}
		}
	}
	lines[0] = strings.TrimLeftFunc(lines[0], isSpace)
	for i := 1; i < len(lines) && margin > 0; i++ {
		lines[i] = drop(lines[i], margin)
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n")
}

// drop leaves out the first n characters.
func drop(s string, n int) string {
	for ; n > 0 && s != ""; n-- {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return s
}

// isSpace is Python's str.isspace, which counts the four separators of ASCII too.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func expandTabs(s string) string {
	if strings.IndexByte(s, '\t') < 0 {
		return s
	}
	var b strings.Builder
	column := 0
	for _, r := range s {
		switch r {
		case '\t':
			n := 8 - column%8
			b.WriteString("        "[:n])
			column += n
			continue
		case '\n', '\r':
			column = -1
		}
		b.WriteRune(r)
		column++
	}
	return b.String()
}

// describe maps parameters to their descriptions in a docstring that inspect.getdoc gave. A later section replaces an earlier one.
func describe(doc string) map[string]string {
	found := map[string]string{}
	if !strings.Contains(doc, ":") {
		return found
	}
	lines := strings.Split(cleandoc(strings.TrimRightFunc(doc, isSpace)), "\n")
	fenced := false
	for i := 0; i < len(lines); i++ {
		if strings.HasPrefix(strings.TrimLeft(lines[i], " "), "```") {
			fenced = !fenced
			continue
		}
		heading, ok := heading(lines[i])
		if fenced || !ok || !opensSection(lines, i) {
			continue
		}
		items, last := blockItems(lines, i+1)
		switch strings.ToLower(heading) {
		case "args", "arguments", "params", "parameters":
			if section := parameters(items); len(section) > 0 {
				found = section
			}
		}
		i = last
	}
	return found
}

// heading takes `Words and-dashes:` or `Words: title` and returns the words.
func heading(line string) (string, bool) {
	before, after, ok := strings.Cut(line, ":")
	if !ok || before == "" {
		return "", false
	}
	for i, r := range before {
		w := r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
		if !w && (i == 0 || r != '-' && !isSpace(r)) {
			return "", false
		}
	}
	if strings.TrimFunc(after, isSpace) == "" {
		return before, true
	}
	first := []rune(after)[0]
	return before, isSpace(first)
}

func blank(lines []string, i int) bool { return strings.TrimFunc(lines[i], isSpace) == "" }

// opensSection reports whether the heading at i stands as griffe wants it: a blank line above, none below, indented text behind.
func opensSection(lines []string, i int) bool {
	next := i+1 < len(lines)
	after := i+2 < len(lines)
	blankBelow := next && blank(lines, i+1)
	indented := next && !blankBelow && strings.HasPrefix(lines[i+1], " ")
	indentedAfter := after && !blank(lines, i+2) && strings.HasPrefix(lines[i+2], " ")
	if !indented && !indentedAfter {
		return false
	}
	if i > 0 && !blank(lines, i-1) {
		return false
	}
	return !(indentedAfter && blankBelow)
}

// blockItems reads the indented items from line i on; last is the last line that belongs to them.
func blockItems(lines []string, i int) (items [][]string, last int) {
	for i < len(lines) && blank(lines, i) {
		i++
	}
	if i >= len(lines) {
		return nil, i
	}
	indent := utf8.RuneCountInString(lines[i]) - utf8.RuneCountInString(strings.TrimLeftFunc(lines[i], isSpace))
	if indent == 0 {
		return nil, i - 1
	}
	one, two := strings.Repeat(" ", indent), strings.Repeat(" ", 2*indent)
	current := []string{drop(lines[i], indent)}
	for i++; i < len(lines); i++ {
		l := lines[i]
		switch {
		case blank(lines, i):
			current = append(current, "")
		case strings.HasPrefix(l, two):
			current = append(current, l[2*indent:])
		case strings.HasPrefix(l, one+" "):
			current = append(current, strings.TrimLeftFunc(l, isSpace))
		case strings.HasPrefix(l, one):
			items = append(items, current)
			current = []string{l[indent:]}
		default:
			return append(items, current), i - 1
		}
	}
	return append(items, current), i - 1
}

// parameters reads `name: text` and `name (type): text` items.
func parameters(items [][]string) map[string]string {
	found := map[string]string{}
	for _, item := range items {
		name, text, ok := strings.Cut(item[0], ":")
		if !ok {
			continue
		}
		text = strings.TrimLeftFunc(text, isSpace)
		text = strings.TrimRight(strings.Join(append([]string{text}, item[1:]...), "\n"), "\n")
		if i := strings.IndexByte(name, '('); i >= 0 && strings.HasSuffix(name, ")") {
			name = strings.TrimFunc(name[:i], isSpace)
		}
		found[name] = text
	}
	return found
}
