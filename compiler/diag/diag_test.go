package diag

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNearest(t *testing.T) {
	keys := []string{"name", "version", "tags", "schedules", "work_pool", "parameters"}
	for wrong, want := range map[string]string{"vesrion": "version", "Tags": "tags", "work-pool": "work_pool", "shedules": "schedules", "nonsense": "", "params": "", "x": "", "": ""} {
		if got := Nearest(wrong, keys); got != want {
			t.Errorf("%q: %q, not %q", wrong, got, want)
		}
	}
}

func TestSortedIsStableAndWithoutRepetitions(t *testing.T) {
	at := func(line, column int) Position { return Position{File: "f", Line: line, Column: column} }
	l := List{{Message: "b", Position: at(2, 1)}, {Message: "a", Position: at(1, 5)}, {Message: "b", Position: at(2, 1)}, {Message: "a", Position: at(1, 2)}}
	got := l.Sorted()
	if len(got) != 3 || got[0].Column != 2 || got[1].Column != 5 || got[2].Message != "b" || len(l) != 4 || l[0].Message != "b" {
		t.Errorf("%v of %v", got, l)
	}
}

func TestTextCutsLongLines(t *testing.T) {
	src := "a: " + strings.Repeat("é", 5000) + "X" + strings.Repeat("y", 5000)
	l := List{{Severity: Error, Code: "c", Message: "m", Position: Position{File: "f", Line: 1, Column: 5004, EndLine: 1, EndColumn: 5005}}}
	lines := strings.Split(l.Text(func(string) []byte { return []byte(src) }), "\n")
	if len(lines[2]) > 400 || !strings.Contains(lines[2], "X") {
		t.Fatalf("%q", lines)
	}
	if at := utf8.RuneCountInString(lines[2][:strings.Index(lines[2], "X")]); utf8.RuneCountInString(lines[3][:strings.Index(lines[3], "^")]) != at {
		t.Errorf("the mark is not below the fault:\n%s\n%s", lines[2], lines[3])
	}
}

// FuzzClean: what comes out is harmless on one line, and harmless text stays as it is.
func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31m\r\n\u202e\xff\t")
	f.Fuzz(func(t *testing.T, s string) {
		out := Clean(s)
		for _, r := range out {
			if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x202e || r == 0x2028 || r == 0x2029 {
				t.Fatalf("%q gives %q", s, out)
			}
		}
		if again := Clean(out); again != out {
			t.Fatalf("%q is cleaned again to %q", out, again)
		}
	})
}
