// The choice of what GitHub shows: its bounds are kept, the weightiest stays, and nothing is lost without being counted.
package ci

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

type shownCommand struct{ level, head, text string }

func annotated(t *testing.T, out string) []shownCommand {
	t.Helper()
	var list []shownCommand
	for _, l := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		if l == "" {
			continue
		}
		m := regexp.MustCompile(`^::(error|warning|notice) ?([^:]*)::(.*)$`).FindStringSubmatch(l)
		if m == nil {
			t.Fatalf("not an annotation: %q", l)
		}
		list = append(list, shownCommand{m[1], m[2], unescape(m[3])})
	}
	return list
}

func TestAnnotateKeepsToTheBoundsAndCountsTheRest(t *testing.T) {
	for _, c := range []struct{ before, lines, each int }{{0, 1, 1}, {0, 9, 1}, {0, 10, 1}, {0, 300, 3}, {3, 7, 2}, {9, 5, 1}, {20, 1, 1}, {0, 1, 500}} {
		var b bytes.Buffer
		j := jobWith(&b, nil)
		for range c.before {
			j.Notice(Place{}, "", "before")
		}
		b.Reset()
		var list []Annotation
		for i := range c.lines {
			for k := range c.each {
				list = append(list, Annotation{Level: LevelNotice, Place: Place{"prefect.yaml", i + 1}, Title: "t", Text: fmt.Sprintf("change %d", k), Weight: c.lines - i})
			}
		}
		j.Annotate(list, "the summary has all")
		got := annotated(t, b.String())
		if len(got) == 0 || c.before < mostShown && c.before+len(got) > mostShown-kept+1 {
			t.Errorf("%+v: %d annotations", c, len(got))
		}
		told := 0
		for _, g := range got {
			told += strings.Count(g.text, "change ")
			if m := regexp.MustCompile(`(?i)(\d+|one|and \d+) more`).FindStringSubmatch(g.text); m != nil {
				n, err := strconv.Atoi(strings.TrimPrefix(m[1], "and "))
				if err != nil {
					n = 1
				}
				told += n
			}
		}
		if told != c.lines*c.each {
			t.Errorf("%+v: %d of %d are told or counted: %v", c, told, c.lines*c.each, got)
		}
		if c.lines > 1 && c.before < 8 && !strings.Contains(got[0].head, fmt.Sprintf("line=%d,", c.lines)) {
			t.Errorf("%+v: the weightiest is not the first: %v", c, got[0])
		}
	}
}

func TestAnnotateOrdersLevelsAndJoinsLines(t *testing.T) {
	var b bytes.Buffer
	at := Place{"a.yaml", 3}
	jobWith(&b, nil).Annotate([]Annotation{
		{LevelNotice, at, "n", "third", 2}, {LevelWarning, at, "w", "second", 0}, {LevelNotice, at, "n", "fourth", 5}, {LevelError, at, "e", "first", 0},
		{LevelNotice, Place{"a.yaml", 1}, "n", "last", 9}, {LevelError, Place{}, "x", "without a place", 1}, {LevelError, Place{}, "x", "another", 1}, {LevelError, at, "other", "too", 0},
	}, "")
	var lines []string
	for _, g := range annotated(t, b.String()) {
		lines = append(lines, g.level+"|"+g.head+"|"+g.text)
	}
	want := []string{"error|file=a.yaml,line=3,title=e and 1 more|first\ntoo", "error|title=x|without a place", "error|title=x|another", "warning|file=a.yaml,line=3,title=w|second",
		"notice|file=a.yaml,line=3,title=n|third\nfourth", "notice|file=a.yaml,line=1,title=n|last"}
	if got := strings.Join(lines, "\n--\n"); got != strings.Join(want, "\n--\n") {
		t.Errorf("%s", got)
	}
}

func TestAnnotateWithHostileText(t *testing.T) {
	for _, text := range append(hostile(), "\u202e", "\xff", strings.Repeat("é\n", 50_000), "\x00") {
		var b bytes.Buffer
		jobWith(&b, nil).Annotate([]Annotation{{LevelNotice, Place{"prefect.yaml", 1}, text, text, 0}}, "")
		got := annotated(t, b.String())
		if len(got) != 1 || (strings.ContainsAny(got[0].head+got[0].text, "\x1b\x00\r\u202e") || strings.Contains(got[0].head+got[0].text, "\xff")) || len(b.String()) > 400_000 && len(got[0].text) > longestText+10 {
			t.Errorf("%.80q: %.300q", text, b.String())
		}
	}
}
