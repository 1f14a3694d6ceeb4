// Package diag holds the one kind of message that this program has about a user's files: a place, a severity, a code, what is wrong and
// what to do about it.
//
// Diagnostics are data. They are collected, sorted and returned together, so that one run tells everything; text for a
// terminal, `::error` lines for GitHub, JSON and the rest are pure functions of the same list and cannot disagree.
package diag

import (
	"fmt"
	"sort"
	"strings"
)

// Severity orders diagnostics by what follows from them.
type Severity string

const (
	// Error stops the command before anything runs.
	Error Severity = "error"
	// Warning is shown, and stops the command only under --strict.
	Warning Severity = "warning"
)

// Position is a stretch of one file. Lines and columns count from 1, columns in characters; EndColumn is the column after the last character.
// A Position without a line concerns the file as a whole.
type Position struct {
	File                             string
	Line, Column, EndLine, EndColumn int
}

// String is "file:line:column", as far as known.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Related points at the other end of a fault: "first declared at …".
type Related struct {
	Position
	Message string
}

// Diagnostic is one message. Code is lower-case words joined by "-", with one meaning for ever.
type Diagnostic struct {
	Severity Severity
	Code     string
	Message  string
	// Help says what to write instead; "" when the message already does.
	Help string
	Position
	Related []Related
	// Fix, if not nil, is a correction that is certain: --fix applies it.
	Fix *Fix
}

// Fix replaces the bytes Start to End of the diagnostic's file.
type Fix struct {
	Start, End int
	Text       string
}

// List collects diagnostics.
type List []Diagnostic

// Add appends d.
func (l *List) Add(d Diagnostic) { *l = append(*l, d) }

// Errors counts the diagnostics that stop a command; with strict, warnings count too.
func (l List) Errors(strict bool) int {
	n := 0
	for i := range l {
		if strict || l[i].Severity == Error {
			n++
		}
	}
	return n
}

// Sorted returns the list ordered by file, line, column, severity and text, without exact repetitions (an alias that is used by ten deployments
// would tell its fault ten times).
func (l List) Sorted() List { return append(List(nil), l...).Sort() }

// Sort is Sorted in place: the list itself is used up.
func (l List) Sort() List {
	out := l
	sort.SliceStable(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		switch {
		case a.File != b.File:
			return a.File < b.File
		case a.Line != b.Line:
			return a.Line < b.Line
		case a.Column != b.Column:
			return a.Column < b.Column
		case a.Severity != b.Severity:
			return a.Severity < b.Severity
		case a.Code != b.Code:
			return a.Code < b.Code
		}
		return a.Message < b.Message
	})
	kept := out[:0]
	for i := range out {
		if i > 0 && same(&kept[len(kept)-1], &out[i]) {
			continue
		}
		kept = append(kept, out[i])
	}
	return kept
}

func same(a, b *Diagnostic) bool {
	return a.Position == b.Position && a.Code == b.Code && a.Message == b.Message && a.Severity == b.Severity
}

// Error makes a list of errors usable as one Go error: its first messages, one a line.
func (l List) Error() string {
	lines := make([]string, 0, len(l))
	for i := range l {
		lines = append(lines, l[i].Position.String()+": "+l[i].Message)
	}
	return strings.Join(lines, "\n")
}
