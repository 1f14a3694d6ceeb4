// Wall clocks and moments. Prefect's server counts run times on a wall clock, that of the schedule's zone, and turns them into moments
// afterwards; where the clocks change that is not one to one. Two libraries do it there, each in its own way:
//
//   - A wall clock that is shown twice is the first of the two moments, but the second one when a whole number of days was added to an
//     interval (pendulum creates with fold=1).
//   - A wall clock that is skipped is shifted back by what was skipped (02:30 becomes 01:30), but forward for an interval.
//
// In both cases the first way is to take the larger of the two offsets, the second way the smaller one. Wall clocks are counted in
// microseconds since 1970-01-01T00:00:00, as if they were UTC: a plain number that can be compared.
package schedule

import (
	"fmt"
	"time"
)

const (
	second = int64(1_000_000)
	day    = daySeconds * second
	// lastWall is the first wall clock past what Python's dates can hold.
	lastWall = 253_402_300_800 * second
)

// wallTime is the date and time that a wall clock shows, as UTC.
func wallTime(wall int64) time.Time { return time.UnixMicro(wall).UTC() }

// offsetAt is the zone's offset in microseconds at a moment (microseconds since 1970 in UTC).
func offsetAt(zone *time.Location, moment int64) int64 {
	_, seconds := time.UnixMicro(moment).In(zone).Zone()
	return int64(seconds) * second
}

// wallAt is what a clock in the zone shows at a moment.
func wallAt(zone *time.Location, moment int64) int64 { return moment + offsetAt(zone, moment) }

// momentOf is when a clock in the zone shows wall; later chooses the second way of the file's comment.
func momentOf(zone *time.Location, wall int64, later bool) int64 {
	before, after := offsetsAround(zone, wall)
	if later {
		return wall - min(before, after)
	}
	return wall - max(before, after)
}

// offsetsAround are the two offsets that wall could have: equal, unless the clocks change just there.
func offsetsAround(zone *time.Location, wall int64) (before, after int64) {
	at, before, after := changeNear(zone, wall)
	switch {
	case wall < min(at+before, at+after):
		return before, before
	case wall >= max(at+before, at+after):
		return after, after
	}
	return before, after
}

// changeNear is the moment within a day of wall at which the offset changes, and the offsets before and after it; equal without one.
func changeNear(zone *time.Location, wall int64) (at, before, after int64) {
	early := wall - day
	before, after = offsetAt(zone, early), offsetAt(zone, wall+day)
	if before == after {
		return 0, before, after
	}
	_, change := time.UnixMicro(early).In(zone).ZoneBounds()
	if offsetAt(zone, change.UnixMicro()) == before { // far in the future Go also ends a zone's span with the year
		_, change = change.ZoneBounds()
	}
	return change.UnixMicro(), before, after
}

// loadZone finds the rules of a zone on this machine.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("this machine has no rules for the time zone %s", quote(name))
	}
	return zone, nil
}

// ruleZonesEnd is the last moment for which the library that counts recurrence rules knows changes of the clocks: it reads only the
// part of zone files that holds 32-bit times. From then on it is winter for ever.
const ruleZonesEnd = (1<<31 - 1) * second

// momentOfRule is momentOf in the way of that library. It puts each change at a wall clock, reckoned by what it takes for the new
// span's standard offset, and lets clocks that are shown twice be of the old span. That comes to momentOf, except where a zone counts
// winter as its special time, as Ireland and Morocco do: there the hour after the clocks went back is still of the old span.
func momentOfRule(zone *time.Location, wall int64) int64 {
	if wall > ruleZonesEnd-day {
		end := time.UnixMicro(ruleZonesEnd).In(zone)
		for range 12 {
			if !end.IsDST() {
				break
			}
			end = end.AddDate(0, -1, 0)
		}
		_, winter := end.Zone()
		if moment := wall - int64(winter)*second; moment >= ruleZonesEnd {
			return moment
		}
	}
	at, before, after := changeNear(zone, wall)
	standard := after
	if time.UnixMicro(wall + day).In(zone).IsDST() {
		standard = before
	}
	if at += standard; wall < at || wall < at+before-after {
		return wall - before
	}
	return wall - after
}
