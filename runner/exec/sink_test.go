// What the sinks print, and that nothing a step prints can act on a terminal or on GitHub's runner.
package exec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/org/prefect-deploy-action/compiler/graph"
)

var (
	stepA = &graph.Step{Key: "a", Function: "m.a"}
	stepB = &graph.Step{Key: "b\x1b[2J%\n", Function: "m.b"}
	stepC = &graph.Step{Key: "c", Function: "m.c"}
)

func line(s *graph.Step, text string) Event {
	coloured, plain := clean(text)
	return Event{Kind: Line, Step: s, Text: plain, Coloured: coloured}
}

func feed(sink Sink) {
	for _, e := range []Event{
		{Kind: Start, Step: stepA},
		line(stepA, "::set-output name=x::1"),
		{Kind: Start, Step: stepB},
		line(stepB, "##[error]b \x1b[31mred\x1b[0m"),
		line(stepA, "a2"),
		{Kind: Done, Step: stepA, Result: &Result{Seconds: 1.25}},
		line(stepB, "b2"),
		{Kind: Done, Step: stepB, Result: &Result{Outcome: Failed, Seconds: 2, Err: errors.New("why\n::warning::x")}},
		{Kind: Done, Step: stepC, Result: &Result{Outcome: Skipped, Cause: stepB, Err: errors.New("skipped because b failed")}},
	} {
		sink(e)
	}
}

func TestPlain(t *testing.T) {
	var b strings.Builder
	feed(Plain(&b))
	want := `a: m.a
a | ::set-output name=x::1
b%: m.b
b% | ##[error]b red
a | a2
a: succeeded in 1.2 s
b% | b2
b%: failed after 2.0 s: why
    ::warning::x
c: skipped because b failed
`
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
	var plain strings.Builder
	feed(Terminal(&plain, false))
	if plain.String() != want {
		t.Error("a terminal without colour differs from plain text")
	}
}

func TestTerminal(t *testing.T) {
	var b strings.Builder
	feed(Terminal(&b, true))
	for _, want := range []string{"\x1b[34ma\x1b[0m: \x1b[2mm.a\x1b[0m\n", "b \x1b[31mred\x1b[0m\x1b[0m\n", "b%: \x1b[31mfailed\x1b[0m after 2.0 s: why\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in %q", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b[2J") {
		t.Error("a key cleared the screen")
	}
}

func TestGitHub(t *testing.T) {
	var b strings.Builder
	feed(GitHub(&b, "T"))
	want := `::group::a
::stop-commands::T
::set-output name=x::1
a2
a: succeeded in 1.2 s
::T::
::endgroup::
::group::b%25
::stop-commands::T
##[error]b red
b2
::T::
::endgroup::
::stop-commands::T
b%: failed after 2.0 s: why
    ::warning::x
::T::
::stop-commands::T
c: skipped because b failed
::T::
`
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
	if one, two := NewToken(), NewToken(); one == two {
		t.Error("two tokens are equal")
	}
}

// TestGitHubKeepsOneGroupOpen: whatever the order of events, groups never nest and each step's lines stand in its own.
func TestGitHubKeepsOneGroupOpen(t *testing.T) {
	var b strings.Builder
	sink := GitHub(&b, "T")
	x, y, z := &graph.Step{Key: "x"}, &graph.Step{Key: "y"}, &graph.Step{Key: "z"}
	for _, s := range []*graph.Step{x, y, z} {
		sink(Event{Kind: Start, Step: s})
		sink(line(s, "first "+s.Key))
	}
	sink(Event{Kind: Done, Step: y, Result: &Result{}})
	sink(line(z, "second z"))
	sink(Event{Kind: Done, Step: x, Result: &Result{}})
	sink(line(z, "third z"))
	sink(Event{Kind: Done, Step: z, Result: &Result{}})
	open, order := "", []string{}
	for _, l := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		key, isOpen := strings.CutPrefix(l, "::group::")
		switch {
		case isOpen && open != "":
			t.Errorf("%s was opened within %s", key, open)
		case isOpen:
			open = key
			order = append(order, key)
		case l == "::endgroup::":
			open = ""
		case !strings.HasPrefix(l, "::") && !strings.Contains(l, open):
			t.Errorf("%q stands in the group of %s", l, open)
		}
	}
	if strings.Join(order, "") != "xyz" || strings.Count(b.String(), " z\n") != 3 {
		t.Errorf("%s", b.String())
	}
}

// TestMuchIsKept: of a step that prints a lot while another one is shown every line comes in its turn, and little of it is in memory until then.
func TestMuchIsKept(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var b strings.Builder
	g := &github{w: &b, token: "T", kept: map[*graph.Step]*kept{}}
	x, y := &graph.Step{Key: "x"}, &graph.Step{Key: "y"}
	g.event(Event{Kind: Start, Step: x})
	g.event(Event{Kind: Start, Step: y})
	const n = 200_000
	for i := range n {
		g.event(line(y, fmt.Sprintf("%-98d|", i)))
	}
	if k := g.kept[y]; k.size > maxBuffer || len(k.lines) > maxBuffer/99 {
		t.Errorf("%d bytes in memory", k.size)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("the file has a name: %v", left)
	}
	g.event(Event{Kind: Done, Step: y, Result: &Result{}})
	g.event(Event{Kind: Done, Step: x, Result: &Result{}})
	lines, next := strings.Split(b.String(), "\n"), 0
	for _, l := range lines {
		if l == fmt.Sprintf("%-98d|", next) {
			next++
		}
	}
	if next != n || len(lines) != n+11 {
		t.Errorf("%d of %d lines in order, %d in all", next, n, len(lines))
	}
}

// TestBufferIsBounded: where no file can be had memory is bounded all the same.
func TestBufferIsBounded(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	var k kept
	for range 100_000 {
		k.add(strings.Repeat("x", 99))
	}
	if k.size > maxBuffer || k.dropped == 0 || k.dropped+len(k.lines) != 100_000 {
		t.Errorf("%d bytes, %d lines kept, %d dropped", k.size, len(k.lines), k.dropped)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string][2]string{
		"plain\ttext":                              {"plain\ttext", "plain\ttext"},
		"grüße 🎉":                                  {"grüße 🎉", "grüße 🎉"},
		"\x1b[1;31mred\x1b[0m":                     {"\x1b[1;31mred\x1b[0m\x1b[0m", "red"},
		"\u009b32mgreen":                           {"\x1b[32mgreen\x1b[0m", "green"},
		"a\x1b[2Kb\x1b[1Ac\x1b[?25h":               {"abc", "abc"},
		"\x1b]0;title\x07x":                        {"x", "x"},
		"\x1b]8;;http://e\x1b\\link\x1b]8;;\x1b\\": {"link", "link"},
		"\x1b]52;c;bG9uZw==":                       {"", ""},
		"\u009d0;t\u009cx":                         {"x", "x"},
		"\x1bPq#0\x1b\\x":                          {"x", "x"},
		"\x1b(Bx\x1bcy":                            {"xy", "xy"},
		"\x1b":                                     {"", ""},
		"\x1b[":                                    {"", ""},
		"\x1b[3":                                   {"", ""},
		"10%\r50%\r100%\r":                         {"100%", "100%"},
		"end\r":                                    {"end", "end"},
		"a\x00\x07\x08\x7f\u0085b":                 {"ab", "ab"},
		"\xff\xfe":                                 {"\ufffd\ufffd", "\ufffd\ufffd"},
		"\x1b[>4;2m\x1b[!px":                       {"x", "x"},
	} {
		if coloured, plain := clean(in); coloured != want[0] || plain != want[1] {
			t.Errorf("clean(%q) = %q, %q, want %q", in, coloured, plain, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"\x1b[31mx", "\x1b]0;a\x07", "\u009b1m", "a\rb", "\x1b[1\x1b[2m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		coloured, plain := clean(s)
		for _, r := range plain {
			if r != '\t' && unicode.IsControl(r) {
				t.Errorf("%q lets %q through", s, r)
			}
		}
		again, stripped := clean(coloured)
		if stripped != plain {
			t.Errorf("%q: %q without colours is %q, want %q", s, coloured, stripped, plain)
		}
		if !strings.HasPrefix(again, coloured) {
			t.Errorf("%q: %q is cleaned again to %q", s, coloured, again)
		}
	})
}
