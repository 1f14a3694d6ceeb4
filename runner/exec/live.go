// A terminal that somebody watches: below what the steps print stands a region that says what runs, and for how long. It is drawn over again in place, and what was printed
// scrolls on above it.
//
//	get-commit-hash | 9f31c2e                              what steps print stays
//	build-my-image | #5 [2/4] RUN pip install …
//	 ✓ get-commit-hash      run_shell_script      0.1 s    the region: drawn anew ten times a second, and gone at the end
//	 ⠹ build-my-image       build_docker_image   12.3 s
//	 ⠹ build-my-image-gpu   build_docker_image   12.3 s
//
// Nothing of the terminal's state is changed: no cursor is hidden, no mode is set, so there is nothing to put back whatever ends the program. A frame is one write. Lines are cut
// before the window's edge. In a window that has become narrower some terminals break the lines that stand there, and others don't: only as many rows are taken away as are ours in
// any case, so that a piece of an older frame may stay, and nothing that a step printed is ever lost. A step that prints a lot is written in batches, every line of it.
package exec

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// Screen is the terminal of a Live.
type Screen struct {
	Out io.Writer
	// Size is how many columns and rows the window has now.
	Size   func() (columns, rows int)
	Colour bool
	// Table says that a table of all steps is printed behind the region, so that a line for each that ended is not needed.
	Table bool
	// Now is the clock, and Tick says when to draw; nil are the real ones.
	Now  func() time.Time
	Tick <-chan time.Time
}

// Live shows the events of a run on a terminal. Event is its Sink; Close takes the region away.
type Live struct {
	Screen
	mu sync.Mutex
	// text is printed above the region with the next frame; plain writes events into it.
	text  bytes.Buffer
	plain Sink
	steps []*running
	// shown is the region as it stands on the screen, of so many rows; last is when it was drawn.
	shown string
	rows  int
	// note is what goes on beside steps.
	note string
	last time.Time
	// width is that of the names, function that of the functions.
	width, function int
	stop            chan struct{}
	done            sync.WaitGroup
}

// running is a step that has begun.
type running struct {
	step  *graph.Step
	since time.Time
	// result is nil while it runs.
	result *Result
}

const (
	frame = 100 * time.Millisecond
	// batch is how much text is kept for the next frame at most.
	batch = 32 << 10
)

// NewLive begins to draw.
func NewLive(s Screen) *Live {
	l := &Live{Screen: s, stop: make(chan struct{})}
	l.plain = Terminal(&l.text, s.Colour)
	if l.Now == nil {
		l.Now = time.Now
	}
	tick, end := l.Tick, func() {}
	if tick == nil {
		ticker := time.NewTicker(frame)
		tick, end = ticker.C, ticker.Stop
	}
	l.done.Go(func() {
		defer end()
		for {
			select {
			case <-tick:
				l.mu.Lock()
				l.draw(l.region())
				l.mu.Unlock()
			case <-l.stop:
				return
			}
		}
	})
	return l
}

// Event takes an event.
func (l *Live) Event(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case Start:
		l.steps = append(l.steps, &running{step: e.Step, since: l.Now()})
		l.width = max(l.width, min(diag.Columns(label(e.Step.Key)), widestName))
		l.function = max(l.function, narrowestFunction, diag.Columns(function(e.Step)))
	case Line:
		l.plain(e)
		if l.text.Len() < batch {
			return
		}
	case Done:
		for _, r := range l.steps {
			if r.step == e.Step {
				r.result = e.Result
			}
		}
		if !l.Table || e.Result.Outcome == Failed {
			l.plain(e)
		}
	}
	if e.Kind == Done || l.text.Len() >= batch || l.Now().Sub(l.last) >= frame {
		l.draw(l.region())
	}
}

// Note shows what goes on when no step runs, "" for nothing. It waits for the next frame: what takes no time is not worth one.
func (l *Live) Note(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note = text
}

// Close prints what is left, takes the region away and ends the drawing. It may be called more than once.
func (l *Live) Close() {
	l.mu.Lock()
	select {
	case <-l.stop:
	default:
		close(l.stop)
		l.draw(nil)
	}
	l.mu.Unlock()
	l.done.Wait()
}

const (
	widestName        = 40
	narrowestFunction = 18
)

// region are the lines for the steps that have begun, in that order.
func (l *Live) region() (lines []string) {
	_, rows := l.Size()
	active, ended := 0, 0
	for _, r := range l.steps {
		if r.result == nil {
			active++
		} else {
			ended++
		}
	}
	for _, r := range l.fitting(active, ended, max(rows-4, 1)) {
		lines = append(lines, l.row(r))
	}
	if l.Table && len(lines) < active+ended || len(lines) < active {
		lines = append(lines, fmt.Sprintf("   %d running, %d ended", active, ended))
	}
	if l.note != "" {
		lines = append(lines, " "+l.turning()+" "+l.note)
	}
	return lines
}

// fitting are the steps that there is room for: those that run, and of those that ended the latest. Where each that ended has a line above, they have none here.
func (l *Live) fitting(active, ended, room int) (shown []*running) {
	passOver := ended
	if l.Table {
		passOver = ended - min(max(room-active, 0), ended)
	}
	for _, r := range l.steps {
		switch {
		case len(shown) == room:
			return shown
		case r.result == nil:
			shown = append(shown, r)
		case passOver > 0:
			passOver--
		default:
			shown = append(shown, r)
		}
	}
	return shown
}

// turning is a sign that shows that time passes.
func (l *Live) turning() string {
	signs := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	return string(signs[int(l.Now().UnixMilli()/frame.Milliseconds())%len(signs)])
}

// row is the line of a step.
func (l *Live) row(r *running) string {
	sign, seconds := l.turning(), l.Now().Sub(r.since).Seconds()
	if r.result != nil {
		sign, seconds = [...]string{Succeeded: "✓", Failed: "✗", Skipped: "⊘"}[r.result.Outcome], r.result.Seconds
	}
	time := fmt.Sprintf(" %6.1f s", seconds)
	columns, _ := l.Size()
	room := columns - 1 - len(" S ") - len(time) // for the name and the function: in a narrow window the function goes first, and how long it takes stays
	width := l.width
	if room >= width+len("  ")+l.function {
		time = "  " + padded(function(r.step), l.function) + time
	} else {
		width = min(width, max(room, 1))
	}
	return " " + sign + " " + padded(diag.Within(label(r.step.Key), width), width) + time
}

// padded fills a text up with blanks.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(width-diag.Columns(text), 0))
}

// function is the short name of what a step does.
func function(s *graph.Step) string {
	return label(resolve.ShortName(s.Function))
}

// draw brings the screen up to date, in one write.
func (l *Live) draw(lines []string) {
	columns, _ := l.Size()
	for i := range lines {
		lines[i] = diag.Within(lines[i], max(columns-1, 1))
	}
	shown := strings.Join(lines, "\n")
	if l.text.Len() == 0 && shown == l.shown && len(lines) == l.rows {
		return
	}
	var b bytes.Buffer
	if l.rows > 0 {
		fmt.Fprintf(&b, "\r\x1b[%dA", l.rows)
		if l.text.Len() > 0 || len(lines) < l.rows {
			b.WriteString("\x1b[J")
		}
	}
	_, _ = l.text.WriteTo(&b) // never fails (bytes.Buffer)
	for _, line := range lines {
		b.WriteString(l.painted(line) + "\x1b[K\n")
	}
	l.rows, l.shown, l.last = len(lines), shown, l.Now()
	_, _ = l.Out.Write(b.Bytes()) // a terminal that is gone is no reason to end the steps: the run is told otherwise
}

// painted is a line with its sign in colour.
func (l *Live) painted(line string) string {
	if !l.Colour {
		return line
	}
	for sign, code := range map[string]string{"✓": "32", "✗": "31", "⊘": "33"} {
		if rest, ok := strings.CutPrefix(line, " "+sign); ok {
			return " \x1b[" + code + "m" + sign + "\x1b[0m" + rest
		}
	}
	return line
}
