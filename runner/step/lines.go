// Cutting a stream into lines while it comes in. A line that never ends must not fill the memory, so it is handed on in pieces of
// MaxLine. The Python worker also writes a mark into its streams when a call is done (nobody else can know when all that a function
// printed has arrived); it is a random text on a line's end, and is taken out again here.
package step

import (
	"bytes"
	"fmt"
	"sync"
)

// MaxLine is the longest piece, in bytes, that is handed on as one line. One of just this length may go on in the next.
const MaxLine = 64 << 10

// lines is the cutter of one stream. The zero value drops everything.
type lines struct {
	mu   sync.Mutex
	to   func(line []byte)
	part []byte // the line that has begun
	cut  bool   // and pieces of it were handed on already
	// mark is what ends a call's output, and marked is closed when it was seen; both nil outside of a call.
	mark   []byte
	marked chan struct{}
	keep   bool   // whether the last bytes are kept,
	tail   []byte // for the error of a process that ended by itself
}

// expect begins a call: lines go to `to` until the mark was seen.
func (l *lines) expect(to func(line []byte), mark string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.marked != nil { // what a program says before its first call is kept for the error of one that can't begin
		l.part, l.tail, l.cut = nil, nil, false
	}
	l.keep = true
	l.to, l.mark, l.marked = to, []byte(mark), make(chan struct{})
	return l.marked
}

func (l *lines) write(chunk []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to == nil && l.mark == nil && !l.keep {
		return
	}
	for len(chunk) > 0 {
		i := bytes.IndexByte(chunk, '\n')
		if i < 0 {
			l.part = append(l.part, chunk...)
			break
		}
		l.line(chunk[:i])
		chunk = chunk[i+1:]
	}
	for len(l.part) > MaxLine+len(l.mark) { // never cut into a mark
		l.cut = true
		l.emit(l.part[:MaxLine])
		l.part = append(l.part[:0], l.part[MaxLine:]...)
	}
}

// line takes the rest of a line, without its end.
func (l *lines) line(rest []byte) {
	if len(l.part) > 0 {
		rest = append(l.part, rest...)
	}
	before, found := rest, false
	if l.mark != nil {
		before, found = bytes.CutSuffix(rest, l.mark)
	}
	if !found || len(before) > 0 {
		l.emit(before)
	}
	l.part, l.cut = l.part[:0], false
	if found {
		close(l.marked)
		l.to, l.mark, l.keep = nil, nil, false
	}
}

// longestKept is the longest line, in bytes, that is kept for the error of a process that ended by itself. Of a longer one nothing is: half a secret would not be known for one.
const longestKept = 4 << 10

func (l *lines) emit(line []byte) {
	if l.keep {
		if len(line) > longestKept || l.cut {
			line := fmt.Sprintf("(a line of %d bytes or more)", len(line))
			l.tail = append(append(l.tail, line...), '\n')
		} else {
			l.tail = append(append(l.tail, line...), '\n')
		}
		if len(l.tail) > 4*longestKept {
			l.tail = append(l.tail[:0], l.tail[len(l.tail)-2*longestKept:]...)
		}
	}
	for l.to != nil && len(line) > MaxLine {
		l.to(line[:MaxLine])
		line = line[MaxLine:]
	}
	if l.to != nil {
		l.to(line)
	}
}

// end hands on a line that was begun and never ended.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.part) > 0 {
		l.emit(l.part)
		l.part, l.cut = nil, false
	}
}

func (l *lines) tailText() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return decode(string(l.tail))
}
