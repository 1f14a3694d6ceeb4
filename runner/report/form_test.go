// What has to hold of every page, whatever stands in the plan: a reader of our own that knows exactly the Markdown that pages are made of, and refuses all else. That GitHub's
// reader sees the same is proved in real_test.go.
package report

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// patterns are made once, when the first page is checked.
var patterns = sync.OnceValue(func() []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, s := range []string{
		"^(`{3,})(diff|mermaid)$",
		`^(flowchart LR|  n\d+ (-->|-\.->|<-\.->) n\d+|  n\d+(\[/?|\(\[?)"([\pL0-9 ./#;-]|<br/>)*"(/?\]|\]?\)))$`,
		"`[^`]+`",
		`<code>([^<>@\x60]|<span>&#64;</span>)*</code>`,
		`\]\(https?://[^\s()<>"'|\\\x60]+\)`,
		`</?(details|summary|b|sub)>|<details open>|&nbsp;`,
		`^\[!(WARNING|CAUTION)\]$`,
		`(?i)GH-\d|_|~`,
	} {
		out = append(out, regexp.MustCompile(s))
	}
	return out
})

// wellFormed fails the test where a page is too long, no valid text, has a fence or fold that is not closed, a table's row in pieces, or anything outside of code that is not ours.
func wellFormed(t testing.TB, page string, budget int) {
	t.Helper()
	if !utf8.ValidString(page) {
		t.Fatal("no valid UTF-8")
	}
	if len(page) > budget {
		t.Fatalf("%d bytes, of %d", len(page), budget)
	}
	p := patterns()
	fence, language, depth, pipes := "", "", 0, 0
	for i, line := range strings.Split(page, "\n") {
		open := p[0].FindStringSubmatch(line)
		switch {
		case fence != "" && line == fence:
			fence = ""
		case fence != "":
			insideFence(t, i, fence, language, line)
		case open != nil:
			fence, language = open[1], open[2]
		default:
			depth += strings.Count(line, "<details") - strings.Count(line, "</details>")
			if depth < 0 || depth > 1 {
				t.Fatalf("line %d: folds are not balanced: %q", i+1, line)
			}
			pipes = row(t, i, line, pipes)
			outside(t, i, line)
		}
	}
	if fence != "" || depth != 0 {
		t.Fatalf("a fence (%q) or %d folds are open at the end", fence, depth)
	}
}

func insideFence(t testing.TB, i int, fence, language, line string) {
	p := patterns()
	if strings.Contains(line, fence) || strings.Contains(line, "<!--") || strings.Contains(line, "]]>") {
		t.Fatalf("line %d: %q inside a fence", i+1, line)
	}
	if language == "diff" && (line == "" || !strings.ContainsRune(" +-!#", rune(line[0]))) {
		t.Fatalf("line %d: %q stands in a diff's first column", i+1, line)
	}
	if language == "mermaid" && i > 0 && !p[1].MatchString(line) {
		t.Fatalf("line %d: %q in a picture", i+1, line)
	}
}

// row checks that all rows of a table have as many cells.
func row(t testing.TB, i int, line string, before int) int {
	if !strings.HasPrefix(line, "|") {
		return 0
	}
	n := strings.Count(line, "|")
	if before > 0 && n != before {
		t.Fatalf("line %d: a row with %d bars after one with %d: %q", i+1, n, before, line)
	}
	return n
}

// outside checks a line that is in no fence.
func outside(t testing.TB, i int, line string) {
	p := patterns()
	line = p[2].ReplaceAllString(line, "CODE")
	line = p[3].ReplaceAllString(line, "CODE")
	line = p[4].ReplaceAllString(line, "]LINK")
	line = p[5].ReplaceAllString(line, "")
	line = strings.TrimPrefix(strings.TrimPrefix(line, "### "), "> ")
	line = p[6].ReplaceAllString(line, "")
	if line == ">" {
		return
	}
	if at := strings.IndexAny(line, "<>@#`\\&"); at >= 0 {
		t.Fatalf("line %d: %q outside of code: %q", i+1, line[at:at+1], line)
	}
	if strings.Contains(line, "![") || strings.Contains(line, "](") || strings.Contains(line, "://") || strings.Contains(line, "www.") || p[7].MatchString(line) {
		t.Fatalf("line %d: Markdown that is not ours: %q", i+1, line)
	}
}

// TestYAMLToCopyIsOnePiece: what a note tells to write can be marked and copied at once.
func TestYAMLToCopyIsOnePiece(t *testing.T) {
	const note = "a/b looks like a rename of a/c: write x-ci: {renamed-from: {a/b: a/c}} to keep its state"
	if got, want := prose(note), "`a/b` looks like a rename of `a/c`: write `x-ci: {renamed-from: {a/b: a/c}}` to keep its state"; got != want {
		t.Errorf("%s", got)
	}
}
