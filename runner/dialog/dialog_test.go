// What answers mean, what fits into a window, and which flows a tree offers. The dialogue as a whole is driven through a pseudo-terminal in cmd/run.
package dialog

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/flow"
)

func items(n int) (out []Item) {
	for i := range n {
		out = append(out, Item{fmt.Sprintf("flow/d%03d", i+1), "flows.py:f"})
	}
	return out
}

func TestAnswers(t *testing.T) {
	for text, want := range map[string][]int{"1\n": {0}, "2, 1\n": {0, 1}, "1-3,2\n": {0, 1, 2}, "3 118\n": {2, 117}, "FLOW/D007\n": {6}, "d11\nall\n": {109, 110, 111, 112, 113, 114, 115, 116, 117},
		"d11\n111\n": {110}, "0\n119\n2-\n-1\n3-2\n,\n5\n": {4}, "nothing\n7\n": {6}, "\n?\n8\n": {7}, "new\n": nil} {
		var out bytes.Buffer
		got, err := New(strings.NewReader(text), &out, nil, false).Choose(context.Background(), List{Question: "Which?", Items: items(118), Many: true, Other: "new"})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v %v\n%s", text, got, err, out.String())
		}
	}
	for text, l := range map[string]List{"1-2\n2\n": {Items: items(3)}, "all\n2\n": {Items: items(3)}, "\n": {Items: items(3), Given: 2}} {
		got, err := New(strings.NewReader(text), &bytes.Buffer{}, nil, false).Choose(context.Background(), l)
		if err != nil || !slices.Equal(got, []int{1}) {
			t.Errorf("one: %q: %v %v", text, got, err)
		}
	}
}

func TestALongList(t *testing.T) {
	var out bytes.Buffer
	_, _ = New(strings.NewReader("d11\n"), &out, func() (int, int) { return 40, 20 }, false).Choose(context.Background(), List{Question: "Which?", Items: items(118)})
	first, second, _ := strings.Cut(out.String(), "look for:")
	if strings.Count(first, "flow/d") != 14 || !strings.Contains(first, "104 more") || strings.Count(second, "flow/d") != 9 || !strings.Contains(second, "110  flow/d110") {
		t.Errorf("got\n%s", out.String())
	}
}

func TestLeaving(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	never, _, _ := os.Pipe()
	if _, err := New(never, &bytes.Buffer{}, nil, false).Text(ctx, "?", "", nil); err != ErrCancelled {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := New(strings.NewReader("half a line"), &bytes.Buffer{}, nil, false).Confirm(context.Background(), "?", true); err != ErrCancelled {
		t.Errorf("the end: %v", err)
	}
}

// TestWrap loses no character but space, and stays in the window.
func TestWrap(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	err := quick.Check(func(text string, columns uint8) bool {
		text = strings.ToValidUTF8(strings.Join(strings.Fields(text), " "), "?")
		width := max(int(columns), 10)
		lines := wrap(text, width)
		for _, l := range lines {
			if utf8.RuneCountInString(l) > width {
				return false
			}
		}
		return squeeze(strings.Join(lines, "")) == squeeze(text)
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	at := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const oneFlow = "from prefect import flow\n\n@flow\ndef f(): pass\n"

func TestFlowsOfATree(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.py", "a/x.py", "a/deep/er/y.py", ".venv/no.py", "env/lib/no.py", "node_modules/no.py", "__pycache__/no.py", "build/no.py", "a/gen/no.py", "a/kept/gen/no_more.py", "secret/no.py", "a/out.txt"} {
		write(t, dir, name, oneFlow)
	}
	write(t, dir, "env/pyvenv.cfg", "home = /usr/bin\n")
	write(t, dir, ".gitignore", "# built\n/build/\n*.log\n")
	write(t, dir, "a/.gitignore", "gen/\n")
	write(t, dir, ".prefectignore", "secret\n")
	write(t, dir, "none.py", "def flow_of_things(): pass\n")
	write(t, dir, "broken.py", "@flow\ndef (\n")
	_ = os.Symlink("a", filepath.Join(dir, "link"))
	found, cut := Flows(context.Background(), dir)
	var got []string
	for _, f := range found {
		got = append(got, EntrypointOf(f))
	}
	if want := "b.py:f a/x.py:f a/deep/er/y.py:f"; strings.Join(got, " ") != want || cut {
		t.Errorf("got %q, cut %v", got, cut)
	}
}

// TestTheTreeIsBounded has more files than are looked at.
func TestTheTreeIsBounded(t *testing.T) {
	s := scan{ctx: context.Background(), dir: t.TempDir(), files: make([]string, mostFiles)}
	write(t, s.dir, "a.py", oneFlow)
	if s.walk(".", nil); !s.cut || len(s.files) != mostFiles {
		t.Errorf("%d files, cut %v", len(s.files), s.cut)
	}
}

func TestSchedulesAreChecked(t *testing.T) {
	var out bytes.Buffer
	answers := strings.Join([]string{"x", "rrule", "FREQ=NEVER", "FREQ=DAILY;BYHOUR=6;BYMINUTE=0;BYSECOND=0", "", "y", "n", "pool", ""}, "\n")
	entry, err := New(strings.NewReader(answers), &out, nil, false).Deployment(context.Background(), Wanted{Entrypoint: "a.py:f", Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	text := string(entry.AppendJSON(nil))
	if want := `{"name":"x","entrypoint":"a.py:f","schedules":[{"rrule":"FREQ=DAILY;BYHOUR=6;BYMINUTE=0;BYSECOND=0","timezone":"UTC"}],"work_pool":{"name":"pool"}}`; err != nil || text != want {
		t.Errorf("%v %s\n%s", err, text, out.String())
	}
	if !strings.Contains(out.String(), "Thu 2026-01-01 06:00:00 UTC") {
		t.Errorf("no run times:\n%s", out.String())
	}
}

func TestAFlowThatIsUnsure(t *testing.T) {
	if got := flowItems([]*flow.Flow{{File: "a.py", Function: "f", Unsure: "@ours is not known"}}); got[0].Note != "perhaps: @ours is not known" {
		t.Errorf("got %+v", got)
	}
}

func BenchmarkFlows(b *testing.B) {
	dir := b.TempDir()
	for i := range 2000 {
		write(b, dir, fmt.Sprintf("p%02d/m%04d.py", i%50, i), oneFlow)
	}
	for b.Loop() {
		if found, _ := Flows(context.Background(), dir); len(found) != 2000 {
			b.Fatal(len(found))
		}
	}
}
