// Package schedule knows the three kinds of timing a deployment can have: cron, interval and recurrence rule.
//
// It answers four questions, each without a clock, a network or the machine's zone files: is a text valid, and if not where and
// why; what does Prefect 3.8 send for it; what does the server hold afterwards; and are two of them the same timing. The last is
// the reason for the room. Writing a deployment deletes its scheduled runs, so a plan must not take the server's own additions (an
// anchor date of "now", a DTSTART line, a time zone) for an edit.
//
// Whatever Prefect accepts is accepted here, however odd, because a file that deploys today must go on deploying. Its verdicts
// over some thousands of texts are recorded in testdata/golden.json, which the tests compare one by one.
package schedule

import (
	"fmt"
	"strings"
	"unicode"
)

// Problem says why a text is no valid timing. Code is one of invalid-cron, invalid-timezone, invalid-interval, invalid-rrule and
// invalid-anchor-date; Message says what is wrong, Help what to write instead. Offset and Length are bytes of the text that was
// checked; Length 0 means the whole text.
type Problem struct {
	Code, Message, Help string
	Offset, Length      int
}

// Error is the message with its cure.
func (p *Problem) Error() string {
	if p.Help == "" {
		return p.Message
	}
	return p.Message + "; " + p.Help
}

// quote shows a user's text inside a message: quoted, control characters escaped, and cut, since a hostile file may hold megabytes.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}

// isSpace is Python's str.isspace for one character: Go's definition plus the four separators U+001C to U+001F.
func isSpace(r rune) bool { return unicode.IsSpace(r) || (r >= 0x1c && r <= 0x1f) }

// digitValue is the value of a decimal digit of any script, which Python's int() and \d take as well as 0-9. The decimal digits of
// Unicode stand in runs of ten that begin with zero, so the distance from the run's start gives the value.
func digitValue(r rune) (int, bool) {
	if r < 0x80 {
		return int(r - '0'), r >= '0' && r <= '9'
	}
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	for _, run := range unicode.Nd.R16 {
		if r >= rune(run.Lo) && r <= rune(run.Hi) {
			return int(r-rune(run.Lo)) % 10, true
		}
	}
	for _, run := range unicode.Nd.R32 {
		if r >= rune(run.Lo) && r <= rune(run.Hi) {
			return int(r-rune(run.Lo)) % 10, true
		}
	}
	return 0, false
}

// maxDigits is CPython's limit on the digits of an integer in text; more is an error there, so it is one here.
const maxDigits = 4300

// huge stands for every number too large to be valid anywhere in a schedule; it keeps arithmetic in range.
const huge = 1_000_000_000

// allDigits reads a text of decimal digits only; numbers beyond huge are cut to it.
func allDigits(s string) (value int, ok bool) {
	if s == "" {
		return 0, false
	}
	count := 0
	for _, r := range s {
		d, ok := digitValue(r)
		if !ok {
			return 0, false
		}
		value = min(value*10+d, huge)
		count++
	}
	return value, count <= maxDigits
}
