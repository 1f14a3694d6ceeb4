// Run times of recurrence rules, as dateutil finds them on a wall clock without zone; Prefect puts every date of the rule into the
// schedule's zone first, whatever offset or TZID it had.
//
// A rule is a beat: period k of it is a year, a month, a week, a day, an hour, a minute or a second, k intervals after that of the
// start. Each period gives days (the BY parts that speak of days choose among them, rrdays.go) and times of day. Since a period can be
// computed from its number alone, the search begins near the wanted moment, unless COUNT makes it count from the start; and where a
// day is out of question, its hours, minutes and seconds are passed over. The amount of work is bounded: a rule that never comes round
// just gives no times.
package schedule

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// workLimit bounds a search, in days and times looked at. A rule that comes round once in 100 years is found.
const workLimit = 500_000

// longInterval is one with which not even seconds come round a second time; longer ones are cut to it.
const longInterval = 1 << 40

// recurrence is a rule made ready: numbers of ordinary size, what the start fills in filled in.
type recurrence struct {
	freq     int
	interval int64
	start    int64 // wall clock, whole seconds
	until    int64 // last wall clock; lastWall without UNTIL
	left     int64 // of COUNT; negative without
	setpos   []int
	by       [3][]int // hours, minutes, seconds; nil is any (only where the beat is as fine)
	dayRules

	period int64   // number of the next one
	base   int64   // the present period's year begins on this day since 1970
	days   []int   // of the present period, still to be looked at
	clocks []int64 // the times on each of them
	found  []int64 // still to be given
	work   *int
	err    error
}

// rrule collects the times of a rule or a set of rules and dates.
func (c *collector) rrule(text string) error {
	rules, err := parseRules(text, defaultStart())
	if err != nil {
		return fmt.Errorf("the rrule %s has no run times that Prefect can count: %w", quote(text), err)
	}
	if c.want <= 0 {
		return nil
	}
	work := workLimit
	// Moments before this wall clock lie before the wanted ones, wherever the clocks change.
	horizon := wallAt(c.zone, c.from) - day - 3600*second
	set := &recurrenceSet{}
	if err := set.fill(rules, horizon, &work); err != nil {
		return err
	}
	for {
		wall, ok := set.next()
		if !ok {
			return set.err()
		}
		moment := momentOfRule(c.zone, wall)
		if moment >= c.from && !c.add(wallAt(c.zone, moment), moment) {
			return nil
		}
	}
}

// recurrenceSet merges rules and dates, and leaves out what other rules and dates exclude. A single rule is a set of one, except that
// a set gives equal times once.
type recurrenceSet struct {
	rules, excluded []*recurrence
	last            int64
	started         bool
}

func (s *recurrenceSet) fill(rules ruleSet, horizon int64, work *int) error {
	for i, list := range [][]*singleRule{rules.rules, rules.excluded} {
		for _, rule := range list {
			r, err := newRecurrence(rule, horizon, work)
			if err != nil {
				return err
			}
			if i == 0 {
				s.rules = append(s.rules, r)
			} else {
				s.excluded = append(s.excluded, r)
			}
		}
	}
	dates, err := datesAsRule(rules.dates, work)
	if err != nil {
		return err
	}
	exdates, err := datesAsRule(rules.exdates, work)
	s.rules, s.excluded = append(s.rules, dates), append(s.excluded, exdates)
	return err
}

// datesAsRule is a rule that gives just these dates.
func datesAsRule(dates []dateValue, work *int) (*recurrence, error) {
	r := &recurrence{left: 0, work: work}
	for _, date := range dates {
		wall, err := date.wall()
		if err != nil {
			return nil, err
		}
		r.found = append(r.found, wall)
	}
	slices.Sort(r.found)
	return r, nil
}

// wall is the date as a wall clock, without its offset.
func (d dateValue) wall() (int64, error) {
	if !d.complete {
		return 0, errors.New("a date within the rrule leaves out its year, month or day; Prefect takes those of the day it reads it")
	}
	days := dayNumber(d.year, d.month, d.day)
	return (days*daySeconds+int64(d.clock[0])*3600+int64(d.clock[1])*60+int64(d.clock[2]))*second + int64(d.micro), nil
}

func (s *recurrenceSet) next() (int64, bool) {
	for {
		var first *recurrence
		var wall int64
		for _, r := range s.rules {
			if w, ok := r.peek(); ok && (first == nil || w < wall) {
				first, wall = r, w
			}
		}
		if first == nil || s.err() != nil {
			return 0, false
		}
		first.found = first.found[1:]
		if s.started && wall == s.last {
			continue
		}
		s.started, s.last = true, wall
		if !s.excludes(wall) {
			return wall, true
		}
	}
}

func (s *recurrenceSet) excludes(wall int64) bool {
	for _, r := range s.excluded {
		w, ok := r.peek()
		for ok && w < wall {
			r.found = r.found[1:]
			w, ok = r.peek()
		}
		if ok && w == wall {
			return true
		}
	}
	return false
}

func (s *recurrenceSet) err() error {
	for _, list := range [][]*recurrence{s.rules, s.excluded} {
		for _, r := range list {
			if r.err != nil {
				return r.err
			}
		}
	}
	return nil
}

// newRecurrence makes a rule ready and sets it to its last period that can begin before horizon.
func newRecurrence(rule *singleRule, horizon int64, work *int) (*recurrence, error) {
	start, err := rule.start.wall()
	if err != nil {
		return nil, err
	}
	r := &recurrence{freq: rule.freq, interval: longInterval, start: start - start%second, until: lastWall, left: -1, work: work}
	if rule.interval.IsInt64() {
		r.interval = min(rule.interval.Int64(), longInterval)
	}
	if rule.interval.Sign() <= 0 {
		return nil, errors.New("the rrule has an INTERVAL with which it does not advance; Prefect never comes to an end with it")
	}
	if rule.until != nil {
		if r.until, err = rule.until.wall(); err != nil {
			return nil, err
		}
	}
	if rule.counted {
		r.left = max(small(rule.count), 0)
	}
	for _, n := range rule.setpos {
		r.setpos = append(r.setpos, int(n.Int64()))
	}
	if err := r.setTimes(rule); err != nil {
		return nil, err
	}
	r.setDays(rule)
	if !rule.counted && horizon > r.start {
		r.period = max(r.periodOf(horizon)-1, 0)
	}
	return r, nil
}

// small cuts a number to what arithmetic here can bear; whatever is larger is out of every range.
func small(n *big.Int) int64 {
	if n.IsInt64() {
		return max(min(n.Int64(), huge), -huge)
	}
	return int64(n.Sign()) * huge
}

func smallList(list []*big.Int) []int {
	if list == nil {
		return nil
	}
	out := make([]int, 0, len(list))
	for _, n := range list {
		out = append(out, int(small(n)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// setTimes fills in what the start says of hour, minute and second. Below the beat a number that no clock shows is an error in Python;
// on it or above it such a number just never comes.
func (r *recurrence) setTimes(rule *singleRule) error {
	limits := [3]int{24, 60, 60}
	for i := range r.by {
		r.by[i] = smallList(rule.by[i])
		if r.freq < hourly+i {
			if r.by[i] == nil {
				r.by[i] = []int{rule.start.clock[i]}
			}
			if list := r.by[i]; list[0] < 0 || list[len(list)-1] >= limits[i] {
				return errors.New("the rrule names an hour, minute or second that no clock shows; Prefect fails on it")
			}
		}
	}
	return nil
}

// unit is the length of a period's beat in seconds, for those that have one.
func (r *recurrence) unit() int64 {
	return [...]int64{0, 0, 7 * daySeconds, daySeconds, 3600, 60, 1}[r.freq] * r.interval
}

// origin is where period 0 begins, in seconds: of a week its first day.
func (r *recurrence) origin() int64 {
	start := r.start / second
	if r.start < 0 && r.start%second != 0 {
		start--
	}
	switch r.freq {
	case weekly:
		start = floorDiv(start, daySeconds) * daySeconds
		return start - int64(mod(weekdayOf(start/daySeconds)-r.wkst, 7))*daySeconds
	case daily:
		return floorDiv(start, daySeconds) * daySeconds
	}
	return start - mod64(start, max(r.unit()/max(r.interval, 1), 1))
}

// periodOf is the number of the period in which, or after which, a wall clock lies.
func (r *recurrence) periodOf(wall int64) int64 {
	at := wallTime(wall)
	from := wallTime(r.start)
	switch r.freq {
	case yearly:
		return floorDiv(int64(at.Year()-from.Year()), r.interval)
	case monthly:
		return floorDiv(int64(at.Year()-from.Year())*12+int64(at.Month()-from.Month()), r.interval)
	}
	return floorDiv(floorDiv(wall, second)-r.origin(), r.unit())
}

// peek is the next time, without taking it.
func (r *recurrence) peek() (wall int64, ok bool) {
	for len(r.found) == 0 {
		if r.left == 0 || r.err != nil || *r.work <= 0 {
			return 0, false
		}
		if len(r.days) > 0 {
			r.today()
		} else if !r.advance() {
			return 0, false
		}
	}
	return r.found[0], true
}

// advance computes the next period; false after the last one.
func (r *recurrence) advance() bool {
	k := r.period
	r.period++
	var year, first, last int // days of the year, counted from 0
	var clock int64           // second of the day, for beats finer than a day
	switch r.freq {
	case yearly:
		year = wallTime(r.start).Year() + int(min(k*r.interval, 10_000))
		last = yearDays(year)
	case monthly:
		from := wallTime(r.start)
		months := int64(from.Year())*12 + int64(from.Month()) - 1 + min(k*r.interval, 120_000)
		year = int(months / 12)
		first = int(dayNumber(year, int(months%12)+1, 1) - dayNumber(year, 1, 1))
		last = first + monthDays(year, int(months%12)+1)
	default:
		at := r.origin() + min(k, longInterval/r.interval)*r.unit()
		days, length := floorDiv(at, daySeconds), 1
		clock = at - days*daySeconds
		if r.freq == weekly {
			length = 7
			if k == 0 { // the first week begins with the start's day, and is of the year of that
				days = floorDiv(r.start, day)
				length -= mod(weekdayOf(days)-r.wkst, 7)
			}
		}
		if at >= lastWall/second {
			return false
		}
		year = wallTime(days * day).Year()
		first = int(days - dayNumber(year, 1, 1))
		last = first + length
	}
	if year > 9999 {
		return false
	}
	return r.emit(year, first, last, clock)
}

// emit finds the times of the days first to last of a year; false when UNTIL is past.
func (r *recurrence) emit(year, first, last int, clock int64) bool {
	*r.work -= last - first
	if year != r.year {
		r.err = r.setYear(year)
	}
	r.days = r.days[:0]
	for i := first; i < last && r.err == nil; i++ {
		if r.holds(i) {
			r.days = append(r.days, i)
		}
	}
	if r.err != nil {
		return false
	}
	if len(r.days) == 0 {
		r.skipDay(clock)
		return true
	}
	r.base = dayNumber(year, 1, 1)
	if r.clocks == nil || r.freq >= hourly {
		r.clocks = r.clocksAt(clock)
	}
	if r.setpos != nil {
		r.positions()
	}
	return true
}

// skipDay passes over the rest of a day that is out of question.
func (r *recurrence) skipDay(clock int64) {
	if r.freq >= hourly {
		r.period += (daySeconds - 1 - clock) / r.unit()
	}
}

// clocksAt are the seconds of the day at which a period's days count.
func (r *recurrence) clocksAt(clock int64) []int64 {
	lists := r.by
	for i, own := range [3]int64{clock / 3600, clock / 60 % 60, clock % 60} {
		if r.freq >= hourly+i {
			if lists[i] != nil && !slices.Contains(lists[i], int(own)) {
				return nil
			}
			lists[i] = []int{int(own)}
		}
	}
	var out []int64
	for _, h := range lists[0] {
		for _, m := range lists[1] {
			for _, s := range lists[2] {
				out = append(out, int64(h*3600+m*60+s))
			}
		}
	}
	return out
}

// today gives the times of one day: a period can have more than fit into memory.
func (r *recurrence) today() {
	*r.work -= len(r.clocks)
	for _, clock := range r.clocks {
		if !r.give(r.at(r.days[0], clock)) {
			return
		}
	}
	r.days = r.days[1:]
}

func (r *recurrence) at(dayOfYear int, clock int64) int64 {
	return ((r.base+int64(dayOfYear))*daySeconds + clock) * second
}

// positions gives the times of a period that BYSETPOS names, out of all of its days and clocks.
func (r *recurrence) positions() {
	days := r.days
	r.days = nil
	if len(r.clocks) == 0 {
		return
	}
	var walls []int64
	for _, pos := range r.setpos {
		if pos > 0 {
			pos--
		}
		d := int(floorDiv(int64(pos), int64(len(r.clocks))))
		if d < 0 {
			d += len(days)
		}
		if d >= 0 && d < len(days) {
			walls = append(walls, r.at(days[d], r.clocks[mod(pos, len(r.clocks))]))
		}
	}
	slices.Sort(walls)
	for _, wall := range slices.Compact(walls) {
		if !r.give(wall) {
			return
		}
	}
}

// give adds one time, unless it lies before the start; false when UNTIL or COUNT ends the rule.
func (r *recurrence) give(wall int64) bool {
	switch {
	case wall > r.until || wall >= lastWall:
		r.left = 0
	case wall < r.start:
		return true
	case r.left != 0:
		r.left = max(r.left-1, -1)
		r.found = append(r.found, wall)
		return true
	}
	return false
}
