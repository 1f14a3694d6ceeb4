// What stands between a file of unknown origin and yaml.v3.
//
// yaml.v3 builds a node of some 170 bytes for every value before anybody can look, so a file of 60 MB made of "[[],[],…" costs tens
// of gigabytes; it reads UTF-16 where Prefect (Python's open) does not; it stops at the first document and says nothing of others; its
// messages name lines that are sometimes one off. So size, encoding, characters and the number of values are looked at first, in one pass
// over the bytes, and parsing happens behind a recover.
package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

const (
	// maxBytes is the largest file that is read: 100,000 deployments with everything spelt out take 43 MB.
	maxBytes = 64 << 20
	// maxValues bounds the nodes that yaml.v3 would make, as counted from the bytes: about a gigabyte of them.
	maxValues = 8_000_000
	// maxExpanded bounds what aliases may expand to in the whole file (an alias bomb makes billions out of a kilobyte).
	maxExpanded = 20_000_000
	// maxMerged bounds what merge keys may copy in the whole file: 100,000 deployments that merge thirty keys each.
	maxMerged = 3_000_000
)

// parse turns bytes into the root node; nil with diagnostics when that can't be.
func parse(file string, src []byte) (*yaml.Node, diag.List) {
	if d := guard(file, src); d != nil {
		return nil, diag.List{*d}
	}
	root, err := unmarshal(olderDirective(src))
	if err != nil {
		return nil, syntaxError(file, src, err)
	}
	if at := strayTab(src, root); at >= 0 {
		return nil, diag.List{*faultAt(file, src, "invalid-yaml", "this is not YAML as Prefect reads it: a tab stands where only spaces may", "YAML is indented and separated with spaces, not tabs", at)}
	}
	return root, nil
}

// faultAt is an error at an offset of src, or at none when it is negative.
func faultAt(file string, src []byte, code, message, help string, offset int) *diag.Diagnostic {
	d := &diag.Diagnostic{Severity: diag.Error, Code: code, Message: message, Help: help, Position: diag.Position{File: file}}
	if offset >= 0 {
		d.Line, d.Column = place(src, offset)
		d.EndLine, d.EndColumn = d.Line, d.Column+1
	}
	return d
}

func guard(file string, src []byte) *diag.Diagnostic {
	fault := func(code, message, help string, offset int) *diag.Diagnostic {
		return faultAt(file, src, code, message, help, offset)
	}
	if len(src) > maxBytes {
		return fault("file-too-large", fmt.Sprintf("the file has %d MB; at most %d MB are read", len(src)>>20, maxBytes>>20),
			"split it: several files can be given with -f", -1)
	}
	if name := otherEncoding(src); name != "" {
		return fault("wrong-encoding", "the file is encoded in "+name, "save it as UTF-8, which is what Prefect reads", -1)
	}
	if at := badByte(src); at >= 0 {
		if r, size := utf8.DecodeRune(src[at:]); r == utf8.RuneError && size == 1 {
			return fault("wrong-encoding", fmt.Sprintf("byte 0x%02x is not UTF-8", src[at]), "save the file as UTF-8, which is what Prefect reads", at)
		}
		r, _ := utf8.DecodeRune(src[at:])
		return fault("control-character", fmt.Sprintf("the character U+%04X is not allowed in YAML", r), `remove it, or write it as an escape between double quotes`, at)
	}
	if n := countValues(src); n > maxValues {
		return fault("file-too-large", fmt.Sprintf("the file holds about %d values; at most %d are read", n, maxValues),
			"split it: several files can be given with -f", -1)
	}
	return nil
}

// otherEncoding names the encoding of a file that begins with its mark, or in which the first character stands among zeros; "" for others.
func otherEncoding(src []byte) string {
	switch begin := string(src[:min(len(src), 4)]); {
	case begin == "\xff\xfe\x00\x00", begin == "\x00\x00\xfe\xff", len(begin) == 4 && begin[1:] == "\x00\x00\x00", strings.HasPrefix(begin, "\x00\x00\x00"):
		return "UTF-32"
	case strings.HasPrefix(begin, "\xff\xfe"), strings.HasPrefix(begin, "\xfe\xff"),
		len(begin) == 4 && (begin[0] == 0) == (begin[2] == 0) && (begin[1] == 0) == (begin[3] == 0) && (begin[0] == 0) != (begin[1] == 0):
		return "UTF-16"
	}
	return ""
}

// badByte returns the offset of the first byte that is not UTF-8 or of the first character that YAML refuses, or -1.
func badByte(src []byte) int {
	for i := 0; i < len(src); {
		c := src[i]
		if c >= 0x20 && c < 0x7f || c == '\n' || c == '\r' || c == '\t' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && size <= 1 || r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0 && r != 0x85) || r == 0xfffe || r == 0xffff {
			return i
		}
		i += size
	}
	return -1
}

// countValues counts what may begin a value: every separator outside of words. Text full of commas counts too much, which only matters
// for files of many megabytes.
func countValues(src []byte) int {
	if len(src) < maxValues {
		return 0
	}
	n := 0
	for i, c := range src {
		switch c {
		case '[', '{', ',':
			n++
		case ':', '-', '?':
			if i+1 == len(src) || src[i+1] == ' ' || src[i+1] == '\n' || src[i+1] == '\t' || src[i+1] == '\r' {
				n++
				if c == ':' {
					n++
				}
			}
		}
	}
	return n
}

var errSeveral = errors.New("several documents")

// unmarshal reads exactly one document. An empty file has a nil root.
func unmarshal(src []byte) (root *yaml.Node, err error) {
	defer func() { // yaml.v3 panics on a few inputs that its parser accepts
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("yaml: %v", p)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(src))
	var node yaml.Node
	if err := d.Decode(&node); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	var second yaml.Node
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errSeveral
	}
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		return node.Content[0], nil
	}
	return nil, nil
}

// syntaxError makes a diagnostic of yaml.v3's error: with the place that is really at fault where that can be told.
func syntaxError(file string, src []byte, err error) diag.List {
	d := diag.Diagnostic{Severity: diag.Error, Code: "invalid-yaml", Position: diag.Position{File: file}}
	if errors.Is(err, errSeveral) {
		d.Code, d.Message = "several-documents", "the file holds more than one YAML document; Prefect reads only files of one"
		d.Help = "remove the line `---`, or put the second document into a file of its own and give both with -f"
		d.Line, d.Column = secondDocument(src)
		return diag.List{d}
	}
	if unquoted := unquotedTemplates(file, src); len(unquoted) > 0 && helps(src, unquoted, err) {
		return unquoted
	}
	line, text := splitError(err)
	if strings.HasPrefix(text, "did not find expected") {
		line = firstFailing(src, err.Error(), line)
	}
	d.Message = "this is not YAML: " + text
	d.Line, d.Column = line, 1
	d.Help, d.Line, d.Column = hint(src, text, line)
	return diag.List{d}
}

// firstFailing finds the line at which yaml.v3 finds a fault of structure; what it names is the line where the list or mapping around the fault begins. The
// fault is in the shortest beginning of the file that fails in the same way, and so can be found by halving.
func firstFailing(src []byte, message string, otherwise int) int {
	if len(src) > 1<<20 {
		return otherwise
	}
	starts := lineStarts(src)
	ends := append(starts[1:len(starts):len(starts)], len(src))
	n := sort.Search(len(ends), func(i int) bool {
		_, err := unmarshal(olderDirective(src[:ends[i]]))
		return err != nil && err.Error() == message
	})
	if n == len(ends) {
		return otherwise
	}
	return n + 1
}

// splitError takes "yaml: line 3: did not find …" apart. Without a line the fault is on the first.
func splitError(err error) (int, string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if number, message, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(number); err == nil {
				return n, message
			}
		}
	}
	return 1, text
}

// hint looks at the lines around yaml.v3's place for the usual suspects and returns what to do and where.
func hint(src []byte, text string, line int) (help string, atLine, atColumn int) {
	lines := bytes.Split(src, []byte("\n"))
	for n := max(1, line-1); n <= min(len(lines), line+1); n++ {
		indent := lines[n-1][:len(lines[n-1])-len(bytes.TrimLeft(lines[n-1], " \t"))]
		if tab := bytes.IndexByte(indent, '\t'); tab >= 0 {
			return "YAML is indented with spaces, not tabs", n, tab + 1
		}
	}
	for n := max(1, line-1); n <= min(len(lines), line+1); n++ {
		if at := startOfReserved(lines[n-1]); at > 0 {
			return fmt.Sprintf("a value may not begin with %q: put it between quotes", lines[n-1][at-1]), n, at
		}
	}
	line = min(line, len(lines))
	column := len(lines[line-1]) - len(bytes.TrimLeft(lines[line-1], " ")) + 1
	switch {
	case strings.Contains(text, "mapping values are not allowed"):
		help = "a value that holds `: ` stands between quotes; a key stands at the indentation of its neighbours"
	case strings.Contains(text, "did not find expected"):
		help = "look at the indentation of this line and the one before, and for an open bracket or quote"
	case strings.Contains(text, "unknown anchor"):
		help = "an alias (*name) needs an anchor (&name) before it in the file"
	case strings.Contains(text, "depth") || strings.Contains(text, "nested"):
		help = "nothing that Prefect reads is nested so deep"
	}
	return help, line, column
}

// startOfReserved returns the column of a value that begins with @ or `, which YAML reserves, or 0.
func startOfReserved(line []byte) int {
	trimmed := bytes.TrimLeft(line, " -")
	at := len(line) - len(trimmed)
	if i := bytes.Index(trimmed, []byte(": ")); i >= 0 {
		rest := bytes.TrimLeft(trimmed[i+2:], " ")
		at, trimmed = len(line)-len(rest), rest
	}
	if len(trimmed) > 0 && (trimmed[0] == '@' || trimmed[0] == '`') {
		return at + 1
	}
	return 0
}

// secondDocument finds the line that ends the first document.
func secondDocument(src []byte) (int, int) {
	content := false
	for i, line := range bytes.Split(src, []byte("\n")) {
		line = bytes.TrimRight(line, "\r ")
		if content && (bytes.Equal(line, []byte("---")) || bytes.HasPrefix(line, []byte("--- ")) || bytes.Equal(line, []byte("..."))) {
			return i + 1, 1
		}
		if len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			content = true
		}
	}
	return 1, 1
}

// unquotedTemplates finds values that begin with a placeholder outside of quotes, as the documentation of Prefect itself shows it:
// YAML reads `{{ a.b }}` as a mapping whose key is a mapping, and `{{ a }}:tag` not at all.
func unquotedTemplates(file string, src []byte) (found diag.List) {
	pattern := regexp.MustCompile(`(?m)^[ ]*(?:- +)*(?:[^\s"'#][^"'#\n]*?: +|- +)(\{\{[^\n]*?)[ \t]*(?:\s#[^\n]*)?\r?$`)
	const most = 100
	for _, m := range pattern.FindAllSubmatchIndex(src, most) {
		found = append(found, *quoteIt(file, src, m[2], m[3]))
	}
	return found
}

// helps reports whether the corrections get yaml.v3 beyond its error; else what looks like a template stands in a block text, and the fault elsewhere.
func helps(src []byte, corrections diag.List, before error) bool {
	fixed := make([]byte, 0, len(src))
	last := 0
	for _, d := range corrections {
		fixed = append(append(fixed, src[last:d.Fix.Start]...), d.Fix.Text...)
		last = d.Fix.End
	}
	_, err := unmarshal(olderDirective(append(fixed, src[last:]...)))
	return err == nil || err.Error() != before.Error()
}

// quoteIt is the diagnostic, with its correction, for the unquoted template that stands in src[start:end].
func quoteIt(file string, src []byte, start, end int) *diag.Diagnostic {
	text := strings.TrimRight(string(src[start:end]), " \t\r")
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
	d := &diag.Diagnostic{Severity: diag.Error, Code: "unquoted-template", Message: `a value may not begin with "{{" without quotes`,
		Help: "write " + quoted, Fix: &diag.Fix{Start: start, End: start + len(text), Text: quoted}, Position: diag.Position{File: file}}
	d.Line, d.Column = place(src, start)
	d.EndLine, d.EndColumn = d.Line, d.Column+utf8.RuneCountInString(text)
	return d
}

// place turns an offset into line and column, both from 1, the column in characters.
func place(src []byte, offset int) (line, column int) {
	starts := lineStarts(src)
	line = max(1, sort.SearchInts(starts, offset+1))
	return line, utf8.RuneCount(src[min(starts[line-1], offset):offset]) + 1
}
