// When two schedules are the same timing. The server holds more than the file says: the anchor that was "now" at some deploy, the
// DTSTART line, UTC where no zone was named. So the file's silence about a start equals whatever start the server has, as long as
// it could have come from that silence; a start that the file does name must be the same moment.
//
// Rules and cron expressions are compared as written. "@daily" and "0 0 * * *" are the same timing too, but someone who edits one
// into the other expects to read the new text on the server.
package schedule

import (
	"strings"
	"time"
)

// Canonical is a timing without its incidental spelling. Two are the same when Same says so; equal values are always the same.
type Canonical struct {
	Kind Kind
	// Text is the cron expression, or the rule without the DTSTART line that Prefect puts before it.
	Text string
	// Seconds is the interval, a whole number of microseconds.
	Seconds float64
	// Timezone is as written (links stay links); none is UTC, which is what all three kinds run in then.
	Timezone string
	// Start is an interval's anchor in UTC, "2022-02-03T02:05:06Z", or the DTSTART put before a rule, "20200101T000000".
	// "" means that the file leaves it open.
	Start string
	DayOr bool
}

// Canonical is the desired side.
func (s Spec) Canonical() Canonical {
	c := Canonical{Kind: s.Kind, Timezone: "UTC"}
	if s.HasTimezone && s.Timezone != "" {
		c.Timezone = s.Timezone
	}
	switch s.Kind {
	case Cron:
		c.Text, c.DayOr = s.Cron, s.DayOr == nil || *s.DayOr
	case Interval:
		c.Seconds, c.Start = wholeMicros(s.Seconds), canonicalAnchor(s.Anchor)
	default:
		c.Start, c.Text = splitStart(s.RRule)
	}
	return c
}

// CanonicalOf is the live side: the object `schedule` as the server answers it, with text, bool, number and nil values. ok is false
// for an object that is none of the three kinds.
func CanonicalOf(live map[string]any) (c Canonical, ok bool) {
	text := func(key string) string { s, _ := live[key].(string); return s }
	c.Timezone = text("timezone")
	if c.Timezone == "" {
		c.Timezone = "UTC"
	}
	if cron, is := live["cron"].(string); is {
		dayOr, said := live["day_or"].(bool)
		c.Kind, c.Text, c.DayOr = Cron, cron, dayOr || !said
		return c, true
	}
	if seconds, is := number(live["interval"]); is {
		anchor := text("anchor_date")
		if canonical, p := ParseAnchor(anchor); p == nil {
			anchor = canonicalAnchor(canonical)
		}
		c.Kind, c.Seconds, c.Start = Interval, wholeMicros(seconds), anchor
		return c, true
	}
	if rule, is := live["rrule"].(string); is {
		c.Kind = RRule
		c.Start, c.Text = splitStart(rule)
		return c, true
	}
	return c, false
}

// Same tells whether desired, of a file, is what live, of a server or another file, holds already.
func (desired Canonical) Same(live Canonical) bool {
	if desired == live {
		return true
	}
	start := live.Start
	live.Start = desired.Start
	if desired != live {
		return false
	}
	switch desired.Kind {
	case Interval:
		return sameAnchor(desired.Start, start)
	case RRule:
		return desired.Start == "" && couldBeAdded(desired.Text, start)
	}
	return false
}

// wholeMicros rounds to the unit that Prefect keeps, so that 600 and 600.0000001 are equal.
func wholeMicros(seconds float64) float64 {
	if rounded, p := ParseIntervalNumber(seconds); p == nil {
		return rounded
	}
	return seconds
}

// number is a JSON number, whichever decoder read it.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	}
	return 0, false
}

// canonicalAnchor turns an anchor into UTC. What depends on the moment of the deploy stays as it is, "now" becomes open.
func canonicalAnchor(anchor string) string {
	if anchor == AnchorNow {
		return ""
	}
	t, err := time.Parse(time.RFC3339Nano, anchor)
	if err != nil {
		return anchor
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// sameAnchor: an open anchor equals any; a time of day alone equals that time of any day.
func sameAnchor(desired, live string) bool {
	if desired == "" {
		return true
	}
	_, clock, _ := strings.Cut(live, "T")
	return strings.HasPrefix(desired, "T") && trimZero(desired) == trimZero("T"+clock)
}

// trimZero drops the zeros at the end of a fraction: the server writes six decimals, Go as many as needed.
func trimZero(clock string) string {
	whole, part, dot := strings.Cut(strings.TrimSuffix(clock, "Z"), ".")
	if part = strings.TrimRight(part, "0"); dot && part != "" {
		return whole + "." + part
	}
	return whole
}

// splitStart takes the line "DTSTART:20200101T000000" off a rule that has no other start.
func splitStart(rule string) (start, rest string) {
	const prefix, digits = "DTSTART:", "20200101T000000"
	if len(rule) <= len(addedStart) || !strings.HasPrefix(rule, prefix) || rule[len(addedStart)-1] != '\n' {
		return "", rule
	}
	start, rest = rule[len(prefix):len(prefix)+len(digits)], rule[len(addedStart):]
	if _, err := time.Parse("20060102T150405", start); err != nil || strings.Contains(upper(rest), "DTSTART") {
		return "", rule
	}
	return start, rest
}

// couldBeAdded: the start is one that Prefect gives a rule without any. For a rule of minutes or seconds that is every moment on its
// beat; for the others the start of 2020; servers before 3 add none.
func couldBeAdded(rule, start string) bool {
	if start == "" {
		return true
	}
	one, ok := needsStart(rule)
	if !ok {
		return false
	}
	at, err := time.Parse("20060102T150405", start)
	if err != nil {
		return false
	}
	sinceStart := at.Unix() - time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	if !one.frequent() || sinceStart == 0 {
		return sinceStart == 0
	}
	period := one.period()
	return period.IsInt64() && period.Sign() != 0 && sinceStart%period.Int64() == 0
}
