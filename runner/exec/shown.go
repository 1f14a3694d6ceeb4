// What is shown of a step's output: lines without their secrets. A line that never ends arrives in pieces, and a secret may stand across the end of one; so of such a piece the end is kept back until the next
// is there, and what is handed on ends where no secret is.
package exec

import (
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/runner/step"
)

// shown is one stream of a step.
type shown struct {
	run    *run
	step   *graph.Step
	stream Stream
	hidden bool
	// rest is the end of a piece that may go on.
	rest []byte
}

// heldBack is how much of a piece, in bytes, is kept back: a line of a secret is shorter.
const heldBack = 8 << 10

// write takes a line, or a piece of one.
func (s *shown) write(line []byte) {
	switch {
	case s.step.Hidden():
		if !s.hidden {
			s.hidden = true
			s.run.log(Event{Kind: Line, Step: s.step, Stream: s.stream, Text: "(sensitive)", Coloured: "(sensitive)"})
		}
	case len(line) < step.MaxLine && len(s.rest) == 0:
		s.show(string(line))
	case len(line) < step.MaxLine:
		s.rest = append(s.rest, line...)
		s.end()
	default:
		s.rest = append(s.rest, line...)
		at := s.cut()
		s.show(string(s.rest[:at]))
		s.rest = append(s.rest[:0], s.rest[at:]...)
	}
}

// cut finds where the piece can be cut in two without a secret on both sides: where hiding the two gives the same as hiding the whole.
func (s *shown) cut() int {
	at := len(s.rest) - heldBack
	if s.run.r.Mask == nil {
		return at
	}
	whole := s.run.r.Mask(string(s.rest))
	for next := at; next > at-heldBack; next -= 97 {
		if s.run.r.Mask(string(s.rest[:next]))+s.run.r.Mask(string(s.rest[next:])) == whole {
			return next
		}
	}
	return at
}

// end shows what was kept back.
func (s *shown) end() {
	if len(s.rest) > 0 {
		s.show(string(s.rest))
		s.rest = s.rest[:0]
	}
}

// show logs one line. A secret that a step breaks up with colours is found in the plain text only, and such a line loses its colours.
func (s *shown) show(line string) {
	coloured, plain := clean(line)
	if mask := s.run.r.Mask; mask != nil {
		coloured, plain = mask(coloured), mask(plain)
		if _, uncoloured := clean(coloured); uncoloured != plain {
			coloured = plain
		}
	}
	s.run.log(Event{Kind: Line, Step: s.step, Stream: s.stream, Text: plain, Coloured: coloured})
}
