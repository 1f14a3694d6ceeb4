// Run times of cron expressions, as croniter 6 finds them on a wall clock without zone.
//
// The search starts a minute (with seconds: a second) on and asks the fields from year to minute whether they hold. A field that does
// not moves the clock to its next value, sets everything finer to its lowest, and the questions begin anew. Where both day fields are
// restricted, the sooner of two searches counts, one without the day of the week and one without the day of the month; a numbered day
// of the week (5#2) holds in both, for croniter keeps it beside the field.
package schedule

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// cronYears is how far croniter looks.
	cronYears = 50
	// searchLimit bounds each search here; none that succeeds comes near.
	searchLimit = 200_000
)

var errNoCron = errors.New("no time within 50 years matches the cron expression; Prefect makes no run of it")

// cronValues is one field: its numbers in order, cronLast behind them; star: any value is right.
type cronValues struct {
	list []int
	star bool
}

// cronTimes is an expression taken apart; nth[d] are the numbers that days d of the week must have in their month.
type cronTimes struct {
	fields [cronYear + 1]cronValues
	count  int
	nth    [7][]int
	hasNth bool
}

// expandCron takes apart an expression that CheckCron accepts.
func expandCron(expr string) (*cronTimes, error) {
	text := expr
	if full := cronNickname(strings.ToLower(expr)); full != "" {
		text = full
	}
	c := cronCheck{parts: splitCron(text)}
	if len(c.parts) < 5 || len(c.parts) > 7 {
		return nil, cronCount(expr, len(c.parts))
	}
	t := &cronTimes{count: len(c.parts)}
	for i, part := range c.parts {
		c.index, c.field = i, cronFieldAt(i)
		if p := c.check(part.text); p != nil {
			return nil, p
		}
		if strings.HasPrefix(part.text, "r") {
			return nil, errors.New("the cron expression draws a random time; nobody can tell which")
		}
		t.fields[i] = c.expanded()
		for d, numbers := range c.nth {
			if d >= 0 && d < 7 {
				t.nth[d], t.hasNth = numbers, true
			}
		}
	}
	return t, nil
}

// expanded is the field just checked. A list of all values is a star, but not in a day field whose neighbour has no star: there the
// list makes the difference between "and" and "or".
func (c *cronCheck) expanded() cronValues {
	list := slices.Sorted(maps.Keys(c.values))
	all := c.field.hi - c.field.lo + 1
	v := cronValues{star: c.values[cronStar]}
	if len(list) == all {
		v.star = v.star || c.index != cronDay && c.index != cronWeekday ||
			strings.Contains(c.parts[cronDay+cronWeekday-c.index].text, "*")
	}
	for _, n := range list {
		if n >= 0 {
			v.list = append(v.list, n)
		}
	}
	if c.values[cronLast] {
		v.list = append(v.list, cronLast)
	}
	return v
}

// cron collects the times of an expression.
func (c *collector) cron(expr string, dayOr bool) error {
	if p := CheckCron(expr); p != nil {
		return p
	}
	times, err := expandCron(expr)
	if err != nil || c.want <= 0 {
		return err
	}
	// One second back, so that the start itself can match; a fraction of a second is rounded up.
	start := c.from - second
	if start%second != 0 {
		start += second
	}
	at := wallTime(wallAt(c.zone, start))
	for {
		next, ok := times.next(at, dayOr)
		if !ok {
			return errNoCron
		}
		at = next
		moment := momentOf(c.zone, at.UnixMicro(), false)
		if !c.add(wallAt(c.zone, moment), moment) {
			return nil
		}
	}
}

// next is the first match after a wall clock.
func (t *cronTimes) next(after time.Time, dayOr bool) (time.Time, bool) {
	day, weekday := t.fields[cronDay], t.fields[cronWeekday]
	if !dayOr || day.star || weekday.star {
		return t.search(after, day, weekday)
	}
	free := cronValues{star: true}
	first, ok := t.search(after, day, free)
	second, fine := t.search(after, free, weekday)
	if second.Before(first) {
		first = second
	}
	return first, ok && fine
}

// search is croniter's: see the comment of the file.
func (t *cronTimes) search(after time.Time, days, weekdays cronValues) (time.Time, bool) {
	step := time.Minute
	if t.count > 5 {
		step = time.Second
	}
	at := after.Truncate(time.Second).Add(step)
	year := at.Year()
	for range searchLimit {
		if at.Year() > year+cronYears || at.Year() > 9999 {
			return at, false
		}
		next, ok := t.advance(at, days, weekdays)
		if !ok {
			return at, false
		}
		if next.Equal(at) {
			return at, true
		}
		at = next
	}
	return at, false
}

// advance moves the clock for the first field that does not hold; it returns at when all do. ok is false after the last year.
func (t *cronTimes) advance(at time.Time, days, weekdays cronValues) (next time.Time, ok bool) {
	year, month, dayNumber := at.Date()
	hour, minute, sec := at.Clock()
	date := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	if t.count == 7 {
		ahead := t.fields[cronYear].ahead(year, 0)
		if ahead != 0 {
			return date(year+ahead, 1, 1), ahead > 0
		}
	}
	if ahead := t.fields[cronMonth].ahead(int(month), 12); ahead != 0 {
		return date(year, month+time.Month(ahead), 1), true
	}
	length := monthDays(year, int(month))
	isLast := dayNumber == length && slices.Contains(days.list, cronLast) // before any number: "l,31" holds on 29 February
	if ahead := days.ahead(dayNumber, length); ahead != 0 && !isLast {
		return date(year, month, dayNumber+ahead), true
	}
	if ahead := t.weekdayAhead(at, weekdays); ahead != 0 {
		return date(year, month, dayNumber+ahead), true
	}
	if ahead := t.fields[cronHour].ahead(hour, 24); ahead != 0 {
		return time.Date(year, month, dayNumber, hour+ahead, 0, 0, 0, time.UTC), true
	}
	if ahead := t.fields[cronMinute].ahead(minute, 60); ahead != 0 {
		return time.Date(year, month, dayNumber, hour, minute+ahead, 0, 0, time.UTC), true
	}
	if t.count == 5 {
		return at.Truncate(time.Minute), true
	}
	return at.Add(time.Duration(t.fields[cronSecond].ahead(sec, 60)) * time.Second), true
}

// ahead is how far the field's next value lies ahead of x in a cycle of the given length; without a cycle (0) and past the last value
// it is negative.
func (v cronValues) ahead(x, cycle int) int {
	if v.star || len(v.list) == 0 {
		return 0
	}
	for _, n := range v.list {
		if n == cronLast {
			n = cycle
		}
		if n >= x {
			return n - x
		}
	}
	if cycle == 0 {
		return -1
	}
	return v.list[0] - x + cycle
}

// weekdayAhead is the same for days of the week; numbered ones are looked for in the present month only, then at the start of the next.
func (t *cronTimes) weekdayAhead(at time.Time, weekdays cronValues) int {
	if !t.hasNth {
		return weekdays.ahead(int(at.Weekday()), 7)
	}
	year, month, today := at.Date()
	length := monthDays(year, int(month))
	best := length + 1
	for weekday, numbers := range t.nth {
		first := 1 + (weekday-int(at.AddDate(0, 0, 1-today).Weekday())+7)%7
		last := first + (length-first)/7*7
		for _, n := range numbers {
			candidate := first + (n-1)*7
			if n == cronLast {
				candidate = last
			}
			if candidate >= today && candidate <= last && candidate < best {
				best = candidate
			}
		}
	}
	return best - today
}
