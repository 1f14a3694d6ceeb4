// What Prefect sends for a schedule. All three kinds send every key, null included; an interval without anchor is anchored at the
// moment of the deploy, and a rule without DTSTART gets one: the start of 2020, or, for a rule that repeats each few minutes or
// seconds, a moment just past that lies on the same beat, since the server would otherwise count up from 2020 each time.
// (prefect.client.schemas.schedules and prefect._internal.schemas.validators of 3.8.8; recorded in the oracle's schedule-* cases.)
package schedule

import (
	"math"
	"math/big"
	"strings"
	"time"
)

// Kind says which of the three a schedule is.
type Kind int

// The kinds, by the key that a schedule has in prefect.yaml.
const (
	Cron Kind = iota
	Interval
	RRule
)

// Spec is one schedule's timing as the file gives it, checked before.
type Spec struct {
	Kind        Kind
	Cron        string  // "0 6 * * *"
	Seconds     float64 // the interval, as ParseInterval returns it
	RRule       string  // the rule alone, without the JSON form around it
	Timezone    string  // "Europe/Berlin"; of a JSON rule the one within, unless the file has one beside it
	HasTimezone bool    // false: the file names none
	Anchor      string  // as ParseAnchor returns it; "" when the file names none
	DayOr       *bool   // of cron; nil means true
}

// Body is the object `schedule` of the request, as Prefect sends it: text, bool, float64 and nil values only. now is the moment of
// the deploy. For a rule that repeats each minute or second the start is written in the wall clock of the schedule's time zone: give
// a now in that zone. A now in another zone is set back to the earliest wall clock on earth, so that the start, still on the beat,
// lies in the past everywhere.
func (s Spec) Body(now time.Time) map[string]any {
	var zone any
	if s.HasTimezone {
		zone = s.Timezone
	}
	switch s.Kind {
	case Cron:
		return map[string]any{"cron": s.Cron, "timezone": zone, "day_or": s.DayOr == nil || *s.DayOr}
	case Interval:
		if zone == nil {
			zone = "UTC"
		}
		return map[string]any{"interval": s.Seconds, "anchor_date": anchorAt(s.Anchor, now), "timezone": zone}
	}
	if zone == nil {
		zone = "UTC"
	}
	rule := s.RRule
	if one, ok := needsStart(rule); ok {
		rule = startLine(one, s.wallClock(now)) + rule
	}
	return map[string]any{"rrule": rule, "timezone": zone}
}

// wallClock is now's date and time in the schedule's zone, as if it were UTC.
func (s Spec) wallClock(now time.Time) time.Time {
	zone := s.Timezone
	if !s.HasTimezone || zone == "" {
		zone = "UTC"
	}
	switch {
	case zone == "UTC":
		now = now.UTC()
	case now.Location().String() != zone:
		now = now.UTC().Add(-12 * time.Hour)
	}
	return time.Date(now.Year(), now.Month(), now.Day(), now.Hour(), now.Minute(), now.Second(), now.Nanosecond(), time.UTC)
}

// anchorAt fills in what the file left to the moment of the deploy.
func anchorAt(anchor string, now time.Time) string {
	now = now.UTC()
	switch {
	case anchor == "" || anchor == AnchorNow:
		now = now.Truncate(time.Microsecond)
		return moment{hasDate: true, year: now.Year(), month: int(now.Month()), day: now.Day(), hour: now.Hour(), minute: now.Minute(),
			second: now.Second(), micro: now.Nanosecond() / 1000}.String()
	case strings.HasPrefix(anchor, "T"):
		return now.Format("2006-01-02") + anchor
	}
	return anchor
}

// startLine is the DTSTART line for a rule (nil: a set of rules) at a wall clock.
func startLine(one *singleRule, wall time.Time) string {
	start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	if !one.frequent() || !wall.After(start) {
		return addedStart
	}
	period, exact := one.period().Float64()
	if exact != big.Exact && math.IsInf(period, 0) || period == 0 {
		return addedStart
	}
	beats := math.Floor(wall.Sub(start).Seconds() / period)
	if beats == 0 {
		return addedStart
	}
	start = time.Unix(start.Unix()+int64(beats*period), 0).UTC()
	return "DTSTART:" + start.Format("20060102T150405") + "\n"
}
