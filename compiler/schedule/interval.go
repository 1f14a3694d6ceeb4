// Intervals. Prefect hands what the file says to pydantic's timedelta, whose text forms are three: an ISO 8601 duration (P1DT2H, a
// year being 365 and a month 30 days), a clock time of any number of hours (01:30:00) and days with an optional time of day
// (2 days, 01:00:00). A plain number in quotes is none of them and is refused; unquoted it is seconds. All ends as whole
// microseconds, at most 999,999,999 days, which is also what the server answers, so a float compares exactly.
package schedule

import (
	"fmt"
	"math"
	"strings"
)

const (
	daySeconds  = 86_400
	maxDays     = 999_999_999
	mostSeconds = maxDays*daySeconds + daySeconds - 1
)

// span is a duration without sign.
type span struct{ days, seconds, micros uint64 }

const intervalHelp = `write seconds as a number (600), an ISO 8601 duration ("PT10M", "P1D"), "H:MM:SS" or "D days, HH:MM:SS"`

func intervalProblem(text string, offset int, message string) *Problem {
	return &Problem{Code: "invalid-interval", Message: message, Help: intervalHelp, Offset: min(offset, len(text)), Length: max(len(text)-offset, 0)}
}

// ParseInterval reads an interval written as text, "PT10M" for instance, into seconds with at most six decimals; it is positive.
func ParseInterval(text string) (seconds float64, p *Problem) {
	if seconds, p = ParseSpan(text); p == nil && (seconds <= 0 || text[0] == '-') {
		return 0, intervalProblem(text, 0, fmt.Sprintf("the interval %s is not positive", quote(text)))
	}
	return seconds, p
}

// ParseSpan reads a span of time written as text, which may be zero or negative, into seconds with at most six decimals.
func ParseSpan(text string) (seconds float64, p *Problem) {
	start, negative := 0, false
	if text != "" && (text[0] == '+' || text[0] == '-') {
		start, negative = 1, text[0] == '-'
	}
	var d span
	switch {
	case text == "":
		return 0, intervalProblem(text, 0, "the interval is empty")
	case strings.HasPrefix(text[start:], "P"):
		d, p = isoSpan(text, start+1)
	case len(text) < 5 || strings.ContainsAny(text, "dD"):
		d, p = daysSpan(text, start)
	default:
		d, p = clockSpan(text, start, true)
	}
	if p != nil {
		return 0, p
	}
	d.seconds += d.micros / 1_000_000
	d.days += d.seconds / daySeconds
	if d.days > math.MaxUint32 || d.days > maxDays {
		return 0, intervalProblem(text, 0, fmt.Sprintf("the interval %s is longer than 999,999,999 days", quote(text)))
	}
	whole := d.days*daySeconds + d.seconds%daySeconds
	// As a float of seconds, in which it travels, the very last moments round up to a day too much.
	seconds = totalSeconds(whole, d.micros%1_000_000)
	switch {
	case seconds > mostSeconds+0.99:
		return 0, intervalProblem(text, 0, fmt.Sprintf("the interval %s is longer than 999,999,999 days", quote(text)))
	case negative && seconds > 0:
		seconds = -seconds
	}
	return seconds, nil
}

// totalSeconds is Python's timedelta.total_seconds: the microseconds in all, divided once.
func totalSeconds(whole, micros uint64) float64 {
	if whole < math.MaxInt64/2_000_000 {
		return float64(whole*1_000_000+micros) / 1_000_000
	}
	return float64(whole) + float64(micros)/1_000_000
}

// ParseIntervalNumber reads an interval written as a number of seconds and rounds it to microseconds.
func ParseIntervalNumber(n float64) (seconds float64, p *Problem) {
	shown := fmt.Sprint(n)
	refuse := func(why string) (float64, *Problem) {
		return 0, &Problem{Code: "invalid-interval", Message: "the interval " + shown + " " + why, Help: intervalHelp}
	}
	switch {
	case math.IsNaN(n):
		return refuse("is not a number")
	case n <= 0:
		return refuse("is not positive")
	}
	whole := math.Floor(n)
	micros := math.Round((n - whole) * 1_000_000)
	if whole > mostSeconds || whole == mostSeconds && micros == 1_000_000 {
		return refuse("is longer than 999,999,999 days")
	}
	if whole == 0 && micros == 0 {
		return refuse("is shorter than a microsecond")
	}
	return totalSeconds(uint64(whole), uint64(micros)), nil
}

// number32 reads digits at text[at:] into at most 32 bits, the limit of the library that Prefect uses.
func number32(text string, at int) (value uint64, next int, p *Problem) {
	if at >= len(text) || text[at] < '0' || text[at] > '9' {
		return 0, at, intervalProblem(text, at, fmt.Sprintf("the interval %s lacks a number here", quote(text)))
	}
	for ; at < len(text) && text[at] >= '0' && text[at] <= '9'; at++ {
		if value = value*10 + uint64(text[at]-'0'); value > math.MaxUint32 {
			return 0, at, intervalProblem(text, at, fmt.Sprintf("a number of the interval %s is too large", quote(text)))
		}
	}
	return value, at, nil
}

// fraction reads ".5" or ",5" at text[at:]; found without digits it is zero.
func fraction(text string, at int) (value float64, next int, found bool) {
	if at >= len(text) || text[at] != '.' && text[at] != ',' {
		return 0, at, false
	}
	scale := 1.0
	for at++; at < len(text) && text[at] >= '0' && text[at] <= '9'; at++ {
		value, scale = value*10+float64(text[at]-'0'), scale*10
	}
	return value / scale, at, true
}

// isoUnit is a unit's length in seconds; the letter M means months before the T and minutes after it.
func isoUnit(letter byte, clock bool) uint64 {
	switch {
	case clock && letter == 'H':
		return 3600
	case clock && letter == 'M':
		return 60
	case clock && letter == 'S':
		return 1
	case !clock && letter == 'Y':
		return 365 * daySeconds
	case !clock && letter == 'M':
		return 30 * daySeconds
	case !clock && letter == 'W':
		return 7 * daySeconds
	case !clock && letter == 'D':
		return daySeconds
	}
	return 0
}

// isoSpan reads what follows the P. Units may come in any order and repeatedly; a fraction only in the last.
func isoSpan(text string, at int) (d span, p *Problem) {
	first := at
	clock, ended := false, false
	for at < len(text) {
		if text[at] == 'T' {
			if clock {
				return d, intervalProblem(text, at, fmt.Sprintf("the interval %s has two T", quote(text)))
			}
			clock = true
			at++
			continue
		}
		value, next, p := number32(text, at)
		if p != nil {
			return d, p
		}
		part, next, fractional := fraction(text, next)
		if ended {
			return d, intervalProblem(text, at, "only the last quantity of an interval may have a fraction")
		}
		ended = fractional
		unit := uint64(0)
		if next < len(text) {
			unit = isoUnit(text[next], clock)
		}
		if unit == 0 {
			return d, intervalProblem(text, next, fmt.Sprintf("the interval %s lacks a unit here", quote(text)))
		}
		if !d.add(value, part, unit, clock) {
			return d, intervalProblem(text, at, fmt.Sprintf("a number of the interval %s is too large", quote(text)))
		}
		at = next + 1
	}
	if at < 3 || at == first {
		return d, intervalProblem(text, 0, fmt.Sprintf("the interval %s names no quantity", quote(text)))
	}
	return d, nil
}

// add puts a quantity and its fraction in; false if 32 bits overflow. Fractions are rounded where the original rounds them.
func (d *span) add(value uint64, part float64, unit uint64, clock bool) bool {
	if clock {
		extra := part * float64(unit)
		full := math.Trunc(extra)
		d.seconds += value*unit + whole32(full)
		d.micros += whole32(math.Round((extra - full) * 1_000_000))
		return value*unit <= math.MaxUint32 && d.seconds <= math.MaxUint32
	}
	inDays := unit / daySeconds
	extra := part * float64(inDays)
	full := math.Trunc(extra)
	d.days += value*inDays + whole32(full)
	seconds := (extra - full) * daySeconds
	d.seconds += whole32(math.Trunc(seconds))
	d.micros += whole32(math.Round((seconds - math.Trunc(seconds)) * 1_000_000))
	return value*inDays <= math.MaxUint32 && d.days <= math.MaxUint32 && d.seconds <= math.MaxUint32
}

// whole32 converts as the original does: what is no number becomes 0.
func whole32(f float64) uint64 {
	if !(f > 0) {
		return 0
	}
	return uint64(math.Min(f, math.MaxUint32))
}

// daysSpan reads "2 days, 01:00:00", "2d" and what lies between; the blank, the rest of the word and the comma are optional.
func daysSpan(text string, at int) (d span, p *Problem) {
	d.days, at, p = number32(text, at)
	if p != nil {
		return d, p
	}
	if at < len(text) && text[at] == ' ' {
		at++
	}
	if at >= len(text) || text[at]|0x20 != 'd' {
		return d, intervalProblem(text, at, fmt.Sprintf("the interval %s is a number without unit", quote(text)))
	}
	at++
	// The rest of the word is all capitals or none, whatever the D is.
	for _, word := range []string{"ays", "ay", "AYS", "AY"} {
		if strings.HasPrefix(text[at:], word) {
			at += len(word)
			break
		}
	}
	if at < len(text) && text[at] == ',' {
		at++
	}
	if at < len(text) && text[at] == ' ' {
		at++
	}
	if at == len(text) {
		return d, nil
	}
	clock, p := clockSpan(text, at, false)
	clock.days = d.days
	return clock, p
}

// maxHours and maxHourDigits are the limits of the library that Prefect uses (its message names another).
const (
	maxHours      = 2_400_000_000
	maxHourDigits = 10
)

// clockSpan reads H:MM[:SS[.ffffff]]. The hours may be left out (":30:00"); after days they end at 23, unless long.
func clockSpan(text string, at int, long bool) (d span, p *Problem) {
	wrong := func(at int, what string) (span, *Problem) {
		return d, intervalProblem(text, at, fmt.Sprintf("the interval %s has %s", quote(text), what))
	}
	if len(text)-at < 5 {
		return wrong(at, "no full time of day (HH:MM)")
	}
	next := at
	hours := uint64(0)
	for ; next < len(text) && text[next] >= '0' && text[next] <= '9' && next-at < maxHourDigits; next++ {
		hours = hours*10 + uint64(text[next]-'0')
	}
	switch {
	case next == len(text) || text[next] != ':':
		return wrong(at, "no hours before a colon")
	case hours > maxHours || !long && hours > 23:
		return wrong(at, "too many hours")
	}
	minutes, ok := twoDigits(text, next+1)
	if !ok {
		return wrong(next+1, "minutes that are not two digits from 00 to 59")
	}
	d.seconds = hours*3600 + minutes*60
	next += 3
	if next == len(text) {
		return d, nil
	}
	seconds, ok := twoDigits(text, next+1)
	if text[next] != ':' || !ok {
		return wrong(next, "seconds that are not two digits from 00 to 59")
	}
	d.seconds += seconds
	next += 3
	if next == len(text) {
		return d, nil
	}
	if text[next] != '.' && text[next] != ',' || next+1 == len(text) {
		return wrong(next, "extra characters")
	}
	scale := uint64(100_000)
	// Whatever follows the sixth decimal is ignored, digit or not.
	for next++; next < len(text) && scale > 0; next++ {
		if text[next] < '0' || text[next] > '9' {
			return wrong(next, "extra characters")
		}
		d.micros += scale * uint64(text[next]-'0')
		scale /= 10
	}
	return d, nil
}

func twoDigits(text string, at int) (uint64, bool) {
	if at+2 > len(text) || text[at] < '0' || text[at] > '5' || text[at+1] < '0' || text[at+1] > '9' {
		return 0, false
	}
	return uint64(text[at]-'0')*10 + uint64(text[at+1]-'0'), true
}
