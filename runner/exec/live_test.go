// What a terminal shows while steps run, drawn by an emulator of one (vt10x): what is on its screen is what somebody sees.
package exec

import (
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hinshun/vt10x"

	"github.com/org/prefect-deploy-action/compiler/graph"
)

// watched is a terminal with a clock that only the test moves.
type watched struct {
	vt            vt10x.Terminal
	mu            sync.Mutex
	now           time.Time
	columns, rows int
	frames        int
	raw           strings.Builder
}

func watch(columns, rows int) *watched {
	return &watched{vt: vt10x.New(vt10x.WithSize(columns, rows)), now: time.Unix(1e9, 0), columns: columns, rows: rows}
}

// Write takes what the terminal's driver would have made of it: a line feed also returns to the margin.
func (w *watched) Write(p []byte) (int, error) {
	w.frames++
	w.raw.Write(p)
	_, err := w.vt.Write([]byte(strings.ReplaceAll(string(p), "\n", "\r\n")))
	return len(p), err
}

func (w *watched) screen(table bool) Screen {
	return Screen{Out: w, Size: func() (int, int) { return w.columns, w.rows }, Table: table, Tick: make(chan time.Time), Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }}
}

// after moves the clock, and draws as the ticker would.
func (w *watched) after(l *Live, d time.Duration) {
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	l.mu.Lock()
	l.draw(l.region())
	l.mu.Unlock()
}

// seen is the screen without what is blank at its ends.
func (w *watched) seen() string {
	var lines []string
	for _, l := range strings.Split(w.vt.String(), "\n") {
		lines = append(lines, strings.TrimRight(l, " "))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func (w *watched) expect(t *testing.T, about, want string) {
	t.Helper()
	if got := w.seen(); got != strings.Trim(want, "\n") {
		t.Fatalf("%s:\n%s\nwant\n%s", about, got, strings.Trim(want, "\n"))
	}
}

func TestLive(t *testing.T) {
	w := watch(60, 12)
	l := NewLive(w.screen(true))
	hash, image := &graph.Step{Key: "get-hash", Function: "prefect.deployments.steps.run_shell_script"}, &graph.Step{Key: "build-my-image", Function: "x.build_docker_image"}
	l.Event(Event{Kind: Start, Step: hash})
	l.Event(Event{Kind: Start, Step: image})
	w.after(l, 300*time.Millisecond)
	w.expect(t, "two steps", `
 ⠸ get-hash        run_shell_script      0.3 s
 ⠸ build-my-image  build_docker_image    0.3 s`)
	l.Event(line(hash, "9f31c2e"))
	l.Event(line(image, "\x1b[31m#5\x1b[0m [2/4] RUN \x1b[2J\x1b[Hpip install"))
	l.Event(Event{Kind: Done, Step: hash, Result: &Result{Seconds: 0.4}})
	w.after(l, 12*time.Second)
	w.expect(t, "one ended", `
get-hash | 9f31c2e
build-my-image | #5 [2/4] RUN pip install
 ✓ get-hash        run_shell_script      0.4 s
 ⠸ build-my-image  build_docker_image   12.3 s`)
	l.Event(Event{Kind: Done, Step: image, Result: &Result{Outcome: Failed, Seconds: 12.3, Err: errors.New("no space left\nin two lines")}})
	l.Event(Event{Kind: Done, Step: stepC, Result: &Result{Outcome: Skipped, Err: errors.New("skipped")}})
	l.Note("writing: 3 of 12")
	w.after(l, time.Second)
	if !strings.Contains(w.seen(), " writing: 3 of 12") {
		t.Errorf("the note is not shown:\n%s", w.seen())
	}
	l.Close()
	l.Close()
	w.expect(t, "the end", `
get-hash | 9f31c2e
build-my-image | #5 [2/4] RUN pip install
build-my-image: failed after 12.3 s: no space left
    in two lines`)
}

// TestLiveWithoutATable: where no table follows, each end is a line.
func TestLiveWithoutATable(t *testing.T) {
	w := watch(60, 12)
	l := NewLive(w.screen(false))
	feed(l.Event)
	l.Close()
	w.expect(t, "the end", `
a | ::set-output name=x::1
b% | ##[error]b red
a | a2
a: succeeded in 1.2 s
b% | b2
b%: failed after 2.0 s: why
    ::warning::x
c: skipped because b failed`)
}

// TestLiveFits: whatever the window, the region stays within it, leaves nothing behind, and every line of output is there, in order.
func TestLiveFits(t *testing.T) {
	for seed := range int64(24) {
		r := rand.New(rand.NewSource(seed))
		w := watch([]int{12, 20, 33, 80, 200}[r.Intn(5)], 800)
		height := w.rows
		w.rows = []int{1, 4, 8, 24}[r.Intn(4)] // what the window says of its height; the emulator keeps more, to look back
		l := NewLive(w.screen(r.Intn(2) == 0))
		var steps []*graph.Step
		var want []string
		for i := range 12 {
			s := &graph.Step{Key: fmt.Sprintf("step-%d-%s", i, strings.Repeat([]string{"x", "日本", "é"}[r.Intn(3)], r.Intn(18))), Function: "m." + strings.Repeat("f", r.Intn(30))}
			steps = append(steps, s)
			l.Event(Event{Kind: Start, Step: s})
		}
		for i := range 80 {
			s := steps[r.Intn(len(steps))]
			text := fmt.Sprintf("<%d %s>", i, strings.Repeat("o", r.Intn(3)))
			l.Event(line(s, text))
			want = append(want, text)
			if r.Intn(4) == 0 {
				w.after(l, time.Duration(r.Intn(300))*time.Millisecond)
			}
			if l.rows > max(w.rows-2, 2) {
				t.Fatalf("seed %d: a region of %d rows in a window of %d", seed, l.rows, w.rows)
			}
		}
		for _, s := range steps {
			l.Event(Event{Kind: Done, Step: s, Result: &Result{Seconds: 1}})
		}
		l.Close()
		got := strings.Join(strings.Fields(strings.ReplaceAll(w.seen(), "\n", "")), "")
		if strings.ContainsAny(w.seen(), "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏✓") || strings.Contains(w.seen(), " running, ") {
			t.Fatalf("seed %d: something of the region is left:\n%s", seed, w.seen())
		}
		for _, text := range want {
			i := strings.Index(got, strings.ReplaceAll(text, " ", ""))
			if i < 0 {
				t.Fatalf("seed %d (%d columns, %d of %d rows): %s is lost or out of order:\n%s", seed, w.columns, w.rows, height, text, w.seen())
			}
			got = got[i:]
		}
	}
}

// TestLiveResized: a window that is made smaller or larger while steps run costs no line of output.
func TestLiveResized(t *testing.T) {
	w := watch(80, 24)
	l := NewLive(w.screen(true))
	l.Event(Event{Kind: Start, Step: stepA})
	l.Event(Event{Kind: Start, Step: stepC})
	for i, columns := range []int{80, 30, 14, 100, 40, 80} {
		w.columns = columns
		w.vt.Resize(columns, 24)
		l.Event(line(stepA, fmt.Sprint("out-", i)))
		w.after(l, time.Second)
	}
	l.Close()
	for i := range 6 {
		if want := fmt.Sprint("a | out-", i); strings.Count(w.seen(), want) != 1 {
			t.Errorf("%s is there %d times:\n%s", want, strings.Count(w.seen(), want), w.seen())
		}
	}
}

// TestLiveIsSparing: much output takes few writes, and all of it arrives; a screen on which nothing changes takes none.
func TestLiveIsSparing(t *testing.T) {
	w := watch(80, 24)
	l := NewLive(w.screen(true))
	l.Event(Event{Kind: Start, Step: stepA})
	const n = 50_000
	for i := range n {
		l.Event(line(stepA, fmt.Sprintf("line %d", i)))
	}
	l.Event(Event{Kind: Done, Step: stepA, Result: &Result{}})
	before := w.frames
	for range 50 {
		w.after(l, 0)
	}
	if w.frames != before {
		t.Errorf("%d frames of a screen on which nothing changes", w.frames-before)
	}
	l.Close()
	if w.frames > 100 {
		t.Errorf("%d writes", w.frames)
	}
	if got := strings.Count(w.raw.String(), "a | line "); got != n {
		t.Errorf("%d of %d lines", got, n)
	}
}

// TestLiveTellsHowLong: however narrow the window and long the names, each row ends with the time.
func TestLiveTellsHowLong(t *testing.T) {
	for _, columns := range []int{20, 40, 60, 80, 120} {
		w := watch(columns, 12)
		l := NewLive(w.screen(true))
		for _, s := range []*graph.Step{{Key: "build-image-with-a-rather-long-name-of-its-own", Function: "x.build_docker_image"}, {Key: "b", Function: "x.push_to_azure_blob_storage"}, {Key: "日本日本日本日本日本日本日本", Function: "x.f"}} {
			l.Event(Event{Kind: Start, Step: s})
		}
		w.after(l, 300*time.Millisecond)
		for _, row := range strings.Split(w.seen(), "\n") {
			if !strings.HasSuffix(row, " 0.3 s") {
				t.Errorf("%d columns: %q", columns, row)
			}
		}
		if functions := strings.Contains(w.seen(), "push_to_azure_blob_storage    0.3 s"); functions != (columns > 80) {
			t.Errorf("%d columns:\n%s", columns, w.seen())
		}
		l.Close()
	}
	w := watch(40, 12)
	l := NewLive(w.screen(true))
	l.Event(Event{Kind: Start, Step: &graph.Step{Key: "build-image-with-a-rather-long-name-of-its-own", Function: "x.build_docker_image"}})
	w.after(l, 300*time.Millisecond)
	w.expect(t, "a name that is cut", " ⠸ build-image-with-a-rather-…    0.3 s")
	l.Close()
}
