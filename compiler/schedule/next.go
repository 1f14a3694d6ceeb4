// The next run times of a schedule, as the server of Prefect 3.8.8 (on Python 3.11) counts them
// (prefect.server.schemas.schedules, get_dates). A plan shows them, so they must be those that the server will make, its habits at
// changes of the clock included; testdata/times.json holds what it answered.
//
// Two of those habits are the same for all three kinds. Run times are compared by their wall clock, so of two that show the same one,
// because the clocks went back, only the first counts. And they are put in order only after the wanted number is found, so a time
// that the change of clocks shifted can push out one that lies before it.
package schedule

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// mostCandidates is how many candidates the server looks at for one answer.
const mostCandidates = 1001

var errTooFar = errors.New("the next run time lies past the year 9999")

// Next is the first n run times at or after a moment, in UTC and in order. now is the moment of the deploy, at which an interval
// without anchor starts. Fewer than n means that the schedule ends, or that nothing came up within what is reasonable to search. An
// error says why Prefect's server can't give any (it then makes no runs), or that this machine has no rules for the time zone: the
// caller shows no times then.
func (s Spec) Next(after time.Time, n int, now time.Time) ([]time.Time, error) {
	if s.Kind == RRule && s.HasTimezone {
		if zone, err := loadZone(s.Timezone); err == nil {
			now = now.In(zone)
		}
	}
	return NextOf(s.Body(now), after, n)
}

// NextOf is Next for the object `schedule` as it is sent to a server or answered by it: text, bool, number and nil values.
func NextOf(live map[string]any, after time.Time, n int) ([]time.Time, error) {
	text := func(key string) string { s, _ := live[key].(string); return s }
	zone, err := loadZone(text("timezone"))
	if err != nil {
		return nil, err
	}
	times := &collector{zone: zone, from: after.UnixMicro(), want: n}
	switch {
	case live["cron"] != nil:
		dayOr, said := live["day_or"].(bool)
		err = times.cron(text("cron"), dayOr || !said)
	case live["interval"] != nil:
		seconds, _ := number(live["interval"])
		err = times.interval(seconds, text("anchor_date"))
	case live["rrule"] != nil:
		err = times.rrule(text("rrule"))
	default:
		err = errors.New("the schedule is none of cron, interval and rrule")
	}
	if err != nil {
		return nil, err
	}
	return times.sorted(), nil
}

// collector gathers run times until there are enough.
type collector struct {
	zone  *time.Location
	from  int64 // moments before this do not count
	want  int
	walls []int64
	found map[int64]int64 // wall clock → moment
	tried int
}

// add takes one candidate and tells whether more are wanted.
func (c *collector) add(wall, moment int64) (more bool) {
	if c.found == nil {
		c.found = map[int64]int64{}
	}
	if _, known := c.found[wall]; !known {
		c.found[wall] = moment
		c.walls = append(c.walls, wall)
	}
	c.tried++
	return len(c.walls) < c.want && c.tried <= mostCandidates
}

func (c *collector) sorted() []time.Time {
	slices.Sort(c.walls)
	times := make([]time.Time, 0, len(c.walls))
	for _, wall := range c.walls {
		times = append(times, time.UnixMicro(c.found[wall]).UTC())
	}
	return times
}

// interval steps from the anchor. The first jump is one of elapsed time; then whole days are added to the wall clock and the rest to
// it too, unless there are no whole days: then all is elapsed time.
func (c *collector) interval(seconds float64, anchor string) error {
	if c.want <= 0 {
		return nil
	}
	start, err := time.Parse(time.RFC3339Nano, anchor)
	if err != nil || !(seconds >= 1e-6) {
		return fmt.Errorf("the interval %v with the anchor %s is not one that Prefect keeps", seconds, quote(anchor))
	}
	moment := start.UnixMicro()
	jumps := math.Trunc(float64(c.from-moment) / 1e6 / seconds)
	moment += micros(seconds * jumps)
	micro := micros(seconds)
	days, rest := micro/day, micro%day
	wall := wallAt(c.zone, moment)
	step := func() {
		if days == 0 {
			moment += rest
		} else {
			moment = momentOf(c.zone, wall+days*day+rest, true)
		}
		wall = wallAt(c.zone, moment)
	}
	from := wallAt(c.zone, c.from)
	for i := 0; wall < from; i++ {
		if i == searchLimit {
			return nil
		}
		step()
	}
	for wall < lastWall {
		if !c.add(wall, moment) {
			return nil
		}
		step()
	}
	return errTooFar
}

// micros is Python's rounding of seconds to microseconds: the fraction apart, halves to even.
func micros(seconds float64) int64 {
	whole, part := math.Modf(seconds)
	return int64(whole)*second + int64(math.RoundToEven(part*1e6))
}
