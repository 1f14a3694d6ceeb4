// Where the log goes: a file or pipe, a terminal, or a job of GitHub Actions. A sink is a function of events, called for one event
// at a time, so it needs no lock; what it prints depends on nothing but the events.
package exec

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/graph"
)

// Kind says what happened to a step.
type Kind uint8

// The kinds of events. Each step that runs has one Start, any number of Lines and one Done; a skipped one has only its Done.
const (
	Start Kind = iota
	Line
	Done
)

// Stream is the stream that a line came from.
type Stream uint8

// The two streams of a process.
const (
	Stdout Stream = iota
	Stderr
)

// Event is one thing that happened.
type Event struct {
	Kind Kind
	Step *graph.Step
	// Stream, Text and Coloured belong to a Line: the text masked and free of control characters, and the same with the colours
	// that the step chose (and a reset at the end).
	Stream         Stream
	Text, Coloured string
	// Result belongs to Done.
	Result *Result
}

// Sink takes events, one at a time.
type Sink func(Event)

// Plain writes a line per event, each with its step in front: `get-commit-hash | abc123`.
func Plain(w io.Writer) Sink {
	return func(e Event) {
		switch e.Kind {
		case Start:
			fmt.Fprintf(w, "%s: %s\n", label(e.Step.Key), label(e.Step.Function))
		case Line:
			fmt.Fprintf(w, "%s | %s\n", label(e.Step.Key), e.Text)
		case Done:
			writeDone(w, e, "", "")
		}
	}
}

// Terminal is Plain with the steps' names, failures and the steps' own output in colour. With colour false (NO_COLOR is set) it is
// Plain.
func Terminal(w io.Writer, colour bool) Sink {
	if !colour {
		return Plain(w)
	}
	const reset = "\x1b[0m"
	names := map[*graph.Step]string{}
	name := func(s *graph.Step) string {
		if names[s] == "" {
			names[s] = fmt.Sprintf("\x1b[%dm%s%s", 34+len(names)%3, label(s.Key), reset)
		}
		return names[s]
	}
	return func(e Event) {
		switch e.Kind {
		case Start:
			fmt.Fprintf(w, "%s: \x1b[2m%s%s\n", name(e.Step), label(e.Step.Function), reset)
		case Line:
			fmt.Fprintf(w, "%s \x1b[2m|%s %s\n", name(e.Step), reset, e.Coloured)
		case Done:
			style := map[Outcome]string{Succeeded: "\x1b[32m", Failed: "\x1b[31m", Skipped: "\x1b[33m"}[e.Result.Outcome]
			writeDone(w, e, style, reset)
		}
	}
}

// writeDone says how a step ended; further lines of an error are indented below it.
func writeDone(w io.Writer, e Event, style, reset string) {
	r := e.Result
	switch r.Outcome {
	case Succeeded:
		fmt.Fprintf(w, "%s: %ssucceeded%s in %.1f s\n", label(e.Step.Key), style, reset, r.Seconds)
	case Failed:
		fmt.Fprintf(w, "%s: %sfailed%s after %.1f s: %s\n", label(e.Step.Key), style, reset, r.Seconds, indented(r.Err))
	default:
		fmt.Fprintf(w, "%s: %s%s%s\n", label(e.Step.Key), style, indented(r.Err), reset)
	}
}

func indented(err error) string {
	if err == nil {
		return "no reason was given"
	}
	return strings.ReplaceAll(strings.TrimRight(err.Error(), "\n"), "\n", "\n    ")
}

// maxBuffer bounds, in bytes, what is kept in memory of a step whose turn to be shown has not come. What is more stands in a file until then.
const maxBuffer = 4 << 20

// GitHub writes a collapsible group per step. Groups cannot interleave, so of several running steps one is shown live and the others
// are kept until it has ended. Everything that a step printed stands between `::stop-commands::` and its token, so that no line of it
// can set a variable, add a mask or end the group. token has to be a text that a step cannot know: NewToken.
func GitHub(w io.Writer, token string) Sink {
	g := &github{w: w, token: token, kept: map[*graph.Step]*kept{}}
	return g.event
}

// NewToken is a random text for GitHub.
func NewToken() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return "stop-" + hex.EncodeToString(random[:])
}

type github struct {
	w     io.Writer
	token string
	live  *graph.Step
	order []*graph.Step // started after live, not shown yet
	kept  map[*graph.Step]*kept
}

// kept is what a step has printed while another one was shown.
type kept struct {
	lines   []string
	size    int
	file    *os.File
	dropped int
	done    *Event
}

func (g *github) event(e Event) {
	switch {
	case e.Kind == Start && g.live == nil:
		g.open(e.Step)
	case e.Kind == Start:
		g.order = append(g.order, e.Step)
		g.kept[e.Step] = &kept{}
	case e.Kind == Line && e.Step == g.live:
		fmt.Fprintln(g.w, e.Text)
	case e.Kind == Line:
		g.kept[e.Step].add(e.Text)
	case e.Step == g.live:
		g.close(e)
		g.advance()
	case g.kept[e.Step] == nil: // skipped: it never started
		g.quoted(e)
	default:
		g.kept[e.Step].done = &e
	}
}

// advance shows the steps that have waited, up to the first that still runs.
func (g *github) advance() {
	for len(g.order) > 0 && g.live == nil {
		s := g.order[0]
		g.order = g.order[1:]
		k := g.kept[s]
		delete(g.kept, s)
		g.open(s)
		k.unload(g.w)
		if k.dropped > 0 {
			fmt.Fprintf(g.w, "(%d lines are left out here: there was no room for them in the folder of temporary files)\n", k.dropped)
		}
		for _, line := range k.lines {
			fmt.Fprintln(g.w, line)
		}
		if k.done != nil {
			g.close(*k.done)
		}
	}
}

func (g *github) open(s *graph.Step) {
	g.live = s
	fmt.Fprintf(g.w, "::group::%s\n::stop-commands::%s\n", escapeData(label(s.Key)), g.token)
}

// close ends the group; a failure is told below it, where it can be seen without opening anything.
func (g *github) close(e Event) {
	g.live = nil
	if e.Result.Outcome == Succeeded {
		writeDone(g.w, e, "", "")
	}
	fmt.Fprintf(g.w, "::%s::\n::endgroup::\n", g.token)
	if e.Result.Outcome != Succeeded {
		g.quoted(e)
	}
}

// quoted tells an end outside of a group. Inside of the live group commands are stopped already.
func (g *github) quoted(e Event) {
	if g.live != nil {
		writeDone(g.w, e, "", "")
		return
	}
	fmt.Fprintf(g.w, "::stop-commands::%s\n", g.token)
	writeDone(g.w, e, "", "")
	fmt.Fprintf(g.w, "::%s::\n", g.token)
}

// escapeData is how a workflow command's text has to be written.
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// add keeps a line. Where no file can be had for too many of them, the older half goes.
func (k *kept) add(line string) {
	k.lines = append(k.lines, line)
	k.size += len(line) + 1
	if k.size <= maxBuffer || k.unloaded() {
		return
	}
	half := len(k.lines)/2 + 1
	for _, gone := range k.lines[:half] {
		k.size -= len(gone) + 1
	}
	k.lines, k.dropped = append([]string(nil), k.lines[half:]...), k.dropped+half
}

// unloaded moves what is kept into a file that has no name any more, so that nothing is left of it however the program ends.
func (k *kept) unloaded() bool {
	if k.dropped > 0 {
		return false
	}
	if k.file == nil {
		file, err := os.CreateTemp("", "prefect-deploy-*")
		if err != nil {
			return false
		}
		_ = os.Remove(file.Name()) // where an open file can't be removed it goes in unload
		k.file = file
	}
	end, err := k.file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = k.file.WriteString(strings.Join(k.lines, "\n") + "\n")
	}
	if err != nil { // the disk is full: half a batch must not be shown twice
		_ = k.file.Truncate(end)
		return false
	}
	k.lines, k.size = nil, 0
	return true
}

// unload copies the file out, and does away with it.
func (k *kept) unload(w io.Writer) {
	if k.file == nil {
		return
	}
	if _, err := k.file.Seek(0, io.SeekStart); err == nil {
		_, _ = io.Copy(w, k.file) // as with every other line: a log that can't be written ends no step
	}
	_ = k.file.Close()
	_ = os.Remove(k.file.Name())
}
