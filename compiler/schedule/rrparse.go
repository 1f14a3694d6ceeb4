// One recurrence rule: its parts (FREQ, INTERVAL, BYDAY and so on), the numbers and days within them, and how they must fit together.
// What is read here is all that the verdict and the run times need; nothing is filled in but what Prefect's own reading fills in.
package schedule

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"
)

// ruleSet is what a text gave; single is set unless it is a set of several dates and rules.
type ruleSet struct {
	single          *singleRule
	rules, excluded []*singleRule
	dates, exdates  []dateValue
}

// singleRule is one rule; lists hold numbers of any size, counted is "COUNT was given".
type singleRule struct {
	freq     int
	hasFreq  bool
	interval *big.Int
	counted  bool
	count    *big.Int
	until    *dateValue
	start    dateValue
	wkst     int
	setpos   []*big.Int
	by       [3][]*big.Int          // hours, minutes, seconds
	days     [byDayLists][]*big.Int // months, days of the month, of the year, around Easter, weeks
	weekdays []numberedDay
}

// Which days singleRule.days holds.
const (
	byMonth = iota
	byMonthDay
	byYearDay
	byEaster
	byWeekNo
	byDayLists
)

// numberedDay is a day of the week, Monday being 0, as "-1FR" writes it; n is nil without a number.
type numberedDay struct {
	day int
	n   *big.Int
}

// The frequencies in dateutil's order: what is rarer is smaller.
const (
	yearly = iota
	monthly
	weekly
	daily
	hourly
	minutely
	secondly
)

// frequent rules are those whose start Prefect moves near to now.
func (r *singleRule) frequent() bool {
	return r != nil && !r.counted && (r.freq == minutely || r.freq == secondly)
}

// dateValue is a date in a rule: as written, without its offset, which Prefect drops; aware tells that there was one. complete is
// false when a part that was left out depends on the day of the reading.
type dateValue struct {
	year, month, day int
	clock            [3]int // hour, minute, second
	micro            int
	aware, complete  bool
}

// defaultStart is the start that Prefect gives to a rule without one.
func defaultStart() *dateValue {
	return &dateValue{year: 2020, month: 1, day: 1, complete: true}
}

// parseRule reads NAME=VALUE;… and checks it against its start.
func parseRule(line string, start *dateValue) (*singleRule, error) {
	if name, value, colon := strings.Cut(line, ":"); colon {
		if name != "RRULE" || strings.Contains(value, ":") {
			return nil, fmt.Errorf("%s is no rule", quote(line))
		}
		line = value
	}
	r := &singleRule{interval: big.NewInt(1)}
	for pair := range strings.SplitSeq(line, ";") {
		name, value, equals := strings.Cut(pair, "=")
		if !equals || strings.Contains(value, "=") {
			return nil, fmt.Errorf("%s is not of the form NAME=VALUE", quote(pair))
		}
		if err := r.set(name, value); err != nil {
			return nil, err
		}
	}
	if !r.hasFreq {
		return nil, errors.New("FREQ is missing")
	}
	if start == nil {
		start = defaultStart()
		start.aware = r.until != nil && r.until.aware
	}
	r.start = *start
	return r, r.check(*start)
}

func (r *singleRule) set(name, value string) (err error) {
	wrong := func() error { return fmt.Errorf("%s can't be %s", name, quote(value)) }
	switch name {
	case "FREQ":
		r.freq, r.hasFreq = freqNumber(value)
		if !r.hasFreq {
			return fmt.Errorf("FREQ can't be %s; write YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY or SECONDLY", quote(value))
		}
	case "INTERVAL", "COUNT":
		n, ok := pyInt(value)
		if !ok {
			return wrong()
		}
		if name == "COUNT" {
			r.counted, r.count = true, n
		} else {
			r.interval = n
		}
	case "UNTIL":
		until, err := parseDate(value)
		if err != nil {
			return fmt.Errorf("UNTIL: %w", err)
		}
		r.until = &until
	case "WKST":
		day, ok := weekdayNumber(value)
		if !ok {
			return wrong()
		}
		r.wkst = day
	case "BYDAY", "BYWEEKDAY":
		r.weekdays = nil
		for day := range strings.SplitSeq(value, ",") {
			numbered, ok := parseByDay(day)
			if !ok {
				return fmt.Errorf("%s can't be %s; write days such as MO, +1MO or MO(+1)", name, quote(day))
			}
			r.weekdays = append(r.weekdays, numbered)
		}
	case "BYSETPOS", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYEASTER", "BYWEEKNO", "BYHOUR", "BYMINUTE", "BYSECOND":
		list, ok := pyInts(value)
		if !ok {
			return wrong()
		}
		r.setList(name, list)
	default:
		return fmt.Errorf("%s is no part of a rule", quote(name))
	}
	return nil
}

func (r *singleRule) setList(name string, list []*big.Int) {
	switch name {
	case "BYSETPOS":
		r.setpos = list
	case "BYHOUR":
		r.by[0] = list
	case "BYMINUTE":
		r.by[1] = list
	case "BYSECOND":
		r.by[2] = list
	case "BYMONTH":
		r.days[byMonth] = list
	case "BYMONTHDAY":
		r.days[byMonthDay] = list
	case "BYYEARDAY":
		r.days[byYearDay] = list
	case "BYEASTER":
		r.days[byEaster] = list
	case "BYWEEKNO":
		r.days[byWeekNo] = list
	}
}

func freqNumber(value string) (int, bool) {
	for i, name := range [...]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"} {
		if name == value {
			return i, true
		}
	}
	return 0, false
}

// weekdayNumber is 0 for MO to 6 for SU.
func weekdayNumber(s string) (int, bool) {
	at := strings.Index("MOTUWETHFRSASU", s)
	return at / 2, len(s) == 2 && at >= 0 && at%2 == 0
}

// parseByDay reads MO, +1MO or MO(+1); a number of zero is refused. Of the last form the last character is dropped unseen.
func parseByDay(day string) (d numberedDay, ok bool) {
	number, name, written := "", day, false
	if before, after, paren := strings.Cut(day, "("); paren {
		after, _, _ = strings.Cut(after, "(")
		if after == "" {
			return d, false
		}
		_, size := utf8.DecodeLastRuneInString(after)
		name, number, written = before, after[:len(after)-size], true
	} else if at := strings.IndexFunc(day, func(c rune) bool { return !strings.ContainsRune("+-0123456789", c) }); at > 0 {
		number, name, written = day[:at], day[at:], true
	}
	if written {
		if d.n, ok = pyInt(number); !ok || d.n.Sign() == 0 {
			return d, false
		}
	}
	d.day, ok = weekdayNumber(name)
	return d, ok
}

// check compares the parts of a rule with each other.
func (r *singleRule) check(start dateValue) error {
	if r.until != nil && r.until.aware != start.aware {
		return errors.New("UNTIL and DTSTART must both have an offset (or Z, or TZID) or both have none")
	}
	for _, n := range r.setpos {
		if n.Sign() == 0 || !n.IsInt64() || n.Int64() < -366 || n.Int64() > 366 {
			return fmt.Errorf("BYSETPOS %s is not in 1 to 366 or -366 to -1", quote(n.String()))
		}
	}
	for i, name := range [...]string{"BYHOUR", "BYMINUTE", "BYSECOND"} {
		limit := int64(60)
		if i == 0 {
			limit = 24
		}
		switch list := r.by[i]; {
		case list == nil:
		case r.freq < hourly:
			for _, n := range list {
				if n.Sign() < 0 || !n.IsInt64() || n.Int64() >= limit {
					return fmt.Errorf("%s %s is not in 0 to %d", name, quote(n.String()), limit-1)
				}
			}
		case r.freq == hourly+i && !r.meets(list, start.clock[i], limit):
			return fmt.Errorf("%s is never met by the interval", name)
		}
	}
	return nil
}

// meets: counting from start in steps of the interval, round the clock of base, some number of the list is hit.
func (r *singleRule) meets(list []*big.Int, start int, base int64) bool {
	divisor := new(big.Int).GCD(nil, nil, new(big.Int).Abs(r.interval), big.NewInt(base))
	for _, n := range list {
		distance := new(big.Int).Sub(n, big.NewInt(int64(start)))
		if distance.Mod(distance, divisor).Sign() == 0 {
			return true
		}
	}
	return false
}

// pyInt is Python's int(text): a sign, digits of any script, single underscores between them, blanks around.
func pyInt(s string) (*big.Int, bool) {
	s = strings.TrimFunc(s, isSpace)
	var b strings.Builder
	if s != "" && (s[0] == '+' || s[0] == '-') {
		b.WriteByte(s[0])
		s = s[1:]
	}
	digits, last := 0, '_'
	for _, r := range s {
		if r == '_' {
			if last == '_' {
				return nil, false
			}
		} else {
			d, ok := digitValue(r)
			if !ok {
				return nil, false
			}
			b.WriteByte(byte('0' + d))
			digits++
		}
		last = r
	}
	if last == '_' || digits > maxDigits {
		return nil, false
	}
	return new(big.Int).SetString(b.String(), 10)
}

func pyInts(s string) ([]*big.Int, bool) {
	var list []*big.Int
	for item := range strings.SplitSeq(s, ",") {
		n, ok := pyInt(item)
		if !ok {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}
