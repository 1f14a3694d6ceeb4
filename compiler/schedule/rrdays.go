// Which days a recurrence rule allows, as dateutil decides it: a year at a time, by the number of the day in it.
//
// A week that crosses into the next year is judged as part of the year in which it began, so days beyond the year's end have a
// meaning too (up to seven). dateutil reads past the ends of its tables with some rules; where Python then counts from the other end
// so does this, and where Python fails this fails.
package schedule

import (
	"errors"
	"slices"
	"time"
)

var errOutOfYear = errors.New("the rrule counts weekdays, months or days around Easter beyond the year; Prefect fails on it")

// dayRules are the parts of a rule that speak of days, and what they make of the present year.
type dayRules struct {
	wkst                                         int
	months, monthDays, yearDays, easter, weekNos []int
	weekdays                                     []int
	numbered                                     []dayOfWeek
	perYear                                      bool // numbers of weekdays count in the year, or in each of its months that count

	year          int
	length        int
	firstWeekday  int          // of the year's first day
	week, aroundE []bool       // days in BYWEEKNO, in BYEASTER; nil without
	numberedDays  map[int]bool // days in numbered; nil without
}

// dayOfWeek is the nth weekday, 0 being Monday.
type dayOfWeek struct{ weekday, n int }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func mod64(a, b int64) int64 { return a - floorDiv(a, b)*b }

func mod(a, b int) int { return int(mod64(int64(a), int64(b))) }

// dayNumber counts days from 1970-01-01.
func dayNumber(year, month, dayOfMonth int) int64 {
	return time.Date(year, time.Month(month), dayOfMonth, 0, 0, 0, 0, time.UTC).Unix() / daySeconds
}

// weekdayOf is 0 for Monday.
func weekdayOf(days int64) int { return int(mod64(days+3, 7)) }

func yearDays(year int) int {
	if leap(year) {
		return 366
	}
	return 365
}

// setDays takes the rule's parts and fills in what the start says.
func (r *recurrence) setDays(rule *singleRule) {
	r.wkst = rule.wkst
	r.months, r.monthDays = smallList(rule.days[byMonth]), smallList(rule.days[byMonthDay])
	r.yearDays, r.easter, r.weekNos = smallList(rule.days[byYearDay]), smallList(rule.days[byEaster]), smallList(rule.days[byWeekNo])
	for _, d := range rule.weekdays {
		if d.n == nil || r.freq > monthly {
			r.weekdays = append(r.weekdays, d.day)
		} else {
			r.numbered = append(r.numbered, dayOfWeek{d.day, int(small(d.n))})
		}
	}
	r.perYear = r.freq == yearly
	start := wallTime(r.start)
	if r.weekNos == nil && r.yearDays == nil && r.monthDays == nil && rule.weekdays == nil && r.easter == nil {
		switch r.freq {
		case yearly:
			if r.months == nil {
				r.months = []int{int(start.Month())}
			}
			r.monthDays = []int{start.Day()}
		case monthly:
			r.monthDays = []int{start.Day()}
		case weekly:
			r.weekdays = []int{weekdayOf(floorDiv(r.start, day))}
		}
	}
	// 0 is neither a day of the month nor one from its end; alone it restricts nothing.
	r.monthDays = slices.DeleteFunc(r.monthDays, func(n int) bool { return n == 0 })
	r.year = -1
}

// setYear prepares the tables of a year.
func (d *dayRules) setYear(year int) error {
	d.year, d.length = year, yearDays(year)
	d.firstWeekday = weekdayOf(dayNumber(year, 1, 1))
	if d.weekNos != nil {
		d.setWeeks()
	}
	if d.easter != nil {
		d.aroundE = make([]bool, d.length+7)
		at := int(dayNumber(year, easterMonth(year), easterDay(year)) - dayNumber(year, 1, 1))
		for _, offset := range d.easter {
			i := at + offset
			if i < 0 {
				i += len(d.aroundE)
			}
			if i < 0 || i >= len(d.aroundE) {
				return errOutOfYear
			}
			d.aroundE[i] = true
		}
	}
	if d.numbered != nil {
		return d.setNumbered()
	}
	return nil
}

// weekdayAt is the weekday of a day of the year. dateutil's table of them ends after 55 weeks and can be read from its end too.
func (d *dayRules) weekdayAt(i int) (int, error) {
	length := 55*7 - d.firstWeekday
	if i < 0 {
		i += length
	}
	if i < 0 || i >= length {
		return 0, errOutOfYear
	}
	return (d.firstWeekday + i) % 7, nil
}

// monthRange is the first day of a month and the one after its last.
func (d *dayRules) monthRange(month int) (first, end int) {
	first = int(dayNumber(d.year, month, 1) - dayNumber(d.year, 1, 1))
	return first, first + monthDays(d.year, month)
}

// setNumbered finds days such as the second Tuesday: of the year, of those of its months that the rule names, or of every month.
func (d *dayRules) setNumbered() error {
	d.numberedDays = map[int]bool{}
	if d.perYear && d.months == nil {
		return d.number(0, d.length)
	}
	for month := 1; month <= 12; month++ {
		if d.perYear && !slices.Contains(d.months, month) {
			continue
		}
		if err := d.number(d.monthRange(month)); err != nil {
			return err
		}
	}
	for _, month := range d.months {
		if d.perYear && (month < 1 || month > 12) {
			return errOutOfYear
		}
	}
	return nil
}

// number marks the numbered weekdays within a range of days.
func (d *dayRules) number(first, end int) error {
	for _, w := range d.numbered {
		i := first + (w.n-1)*7
		if w.n < 0 {
			i = end - 1 + (w.n+1)*7
		}
		weekday, err := d.weekdayAt(i)
		if err != nil {
			return err
		}
		if w.n < 0 {
			i -= mod(weekday-w.weekday, 7)
		} else {
			i += mod(7-weekday+w.weekday, 7)
		}
		if i >= first && i < end {
			d.numberedDays[i] = true
		}
	}
	return nil
}

// setWeeks marks the days of the weeks in BYWEEKNO. Week 1 is the first with at least four days in the year.
func (d *dayRules) setWeeks() {
	d.week = make([]bool, d.length+7)
	firstStart := mod(7-d.firstWeekday+d.wkst, 7)
	weekOne, days := firstStart, d.length-firstStart
	if firstStart >= 4 {
		weekOne, days = 0, d.length+mod(d.firstWeekday-d.wkst, 7)
	}
	weeks := days/7 + days%7/4
	startOf := func(n int) int {
		i := weekOne + (n-1)*7
		if n > 1 && weekOne != firstStart {
			i -= 7 - firstStart
		}
		return i
	}
	for _, n := range d.weekNos {
		if n < 0 {
			n += weeks + 1
		}
		if n > 0 && n <= weeks {
			d.markWeek(startOf(n))
		}
	}
	if slices.Contains(d.weekNos, 1) {
		if i := startOf(weeks + 1); i < d.length { // week 1 of the next year
			d.markWeek(i)
		}
	}
	if weekOne > 0 && slices.Contains(d.weekNos, d.lastWeekBefore(weekOne)) {
		for i := range weekOne {
			d.week[i] = true
		}
	}
}

// markWeek marks from a day to the end of its week.
func (d *dayRules) markWeek(i int) {
	for range 7 {
		if i < len(d.week) {
			d.week[i] = true
		}
		i++
		if (d.firstWeekday+i)%7 == d.wkst {
			return
		}
	}
}

// lastWeekBefore is the number of the week that the year's first days belong to, in dateutil's reckoning; -1 if the rule names that.
func (d *dayRules) lastWeekBefore(weekOne int) int {
	if slices.Contains(d.weekNos, -1) {
		return -1
	}
	weekday := weekdayOf(dayNumber(d.year-1, 1, 1))
	if mod(7-weekday+d.wkst, 7) >= 4 {
		return 52 + mod(yearDays(d.year-1)+mod(weekday-d.wkst, 7), 7)/4
	}
	return 52 + mod(d.length-weekOne, 7)/4
}

// holds tells whether a day of the year, or one of the seven after it, is allowed. It is asked for every day of a search, so it does
// nothing that the rule does not ask for.
func (d *dayRules) holds(i int) bool {
	year, inYear := d.year, i
	if i >= d.length {
		year, inYear = year+1, i-d.length
	}
	if len(d.weekdays) > 0 && !slices.Contains(d.weekdays, (d.firstWeekday+i)%7) ||
		d.week != nil && !d.week[i] || d.aroundE != nil && !d.aroundE[i] || d.numbered != nil && !d.numberedDays[i] {
		return false
	}
	if len(d.months) > 0 || len(d.monthDays) > 0 {
		month, dayOfMonth := monthAndDay(year, inYear)
		if len(d.months) > 0 && !slices.Contains(d.months, month) ||
			len(d.monthDays) > 0 && !slices.Contains(d.monthDays, dayOfMonth) &&
				!slices.Contains(d.monthDays, dayOfMonth-monthDays(year, month)-1) {
			return false
		}
	}
	return len(d.yearDays) == 0 || slices.Contains(d.yearDays, inYear+1) || slices.Contains(d.yearDays, inYear-yearDays(year))
}

// monthAndDay are those of a day of the year, counted from 0.
func monthAndDay(year, inYear int) (month, dayOfMonth int) {
	for month = 1; ; month++ {
		length := monthDays(year, month)
		if inYear < length || month == 12 {
			return month, inYear + 1
		}
		inYear -= length
	}
}

// easterMonth and easterDay are the date of Easter in the Gregorian calendar (the anonymous computation of 1876).
func easterMonth(year int) int { return easterSum(year) / 31 }

func easterDay(year int) int { return easterSum(year)%31 + 1 }

func easterSum(year int) int {
	golden, century, inCentury := year%19, year/100, year%100
	epact := (19*golden + century - century/4 - (century-(century+8)/25+1)/3 + 15) % 30
	correction := (32 + 2*(century%4) + 2*(inCentury/4) - epact - inCentury%4) % 7
	late := (golden + 11*epact + 22*correction) / 451
	return epact + correction - 7*late + 114
}
