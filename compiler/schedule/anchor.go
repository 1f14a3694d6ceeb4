// Anchor dates of intervals. On Python before 3.13 Prefect reads them with pendulum: ISO 8601 in its extended and compact forms,
// with weeks and ordinal days, and failing that a looser "2022/02/03 4:05". What names no offset is UTC. What names no date takes
// the day of the deploy, "now" its moment; durations and spans of two dates parse there too, but are no date.
package schedule

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// AnchorNow is the canonical form of the anchor "now": the moment of the deploy.
const AnchorNow = "now"

const anchorHelp = `write for example "2024-01-31T09:00:00+01:00"; without an offset it is UTC`

// moment is what a text said: a date, a time of day, or both; offset is in minutes east of UTC.
type moment struct {
	year, month, day, hour, minute, second, micro int
	offset                                        int
	hasDate                                       bool
}

// ParseAnchor is the anchor date as the server answers it, for instance "2022-02-03T04:05:06+02:00" or, in UTC,
// "2022-02-03T00:00:00Z". An empty text is an anchor unsaid and gives "". A time without a date gives "T04:05:00Z" (Body puts the day in), "now" gives AnchorNow.
func ParseAnchor(text string) (canonical string, p *Problem) {
	switch text {
	case "":
		return "", nil
	case "now":
		return AnchorNow, nil
	}
	m, ok := isoMoment(text)
	if !ok {
		m, ok = looseMoment(text)
	}
	if ok && m.valid() {
		return m.String(), nil
	}
	message := fmt.Sprintf("the anchor date %s is no date", quote(text))
	if ok {
		message = fmt.Sprintf("the anchor date %s names a day, a time or an offset that does not exist", quote(text))
	}
	return "", &Problem{Code: "invalid-anchor-date", Message: message, Help: anchorHelp, Length: len(text)}
}

func (m moment) valid() bool {
	if m.hasDate && (m.year < 1 || m.month < 1 || m.month > 12 || m.day < 1 || m.day > monthDays(m.year, m.month)) {
		return false
	}
	// Eastern offsets end at 24 hours (see offset), western ones only where they would need a third digit.
	return m.hour < 24 && m.minute < 60 && m.second < 60 && m.offset > -100*60
}

func (m moment) String() string {
	var b strings.Builder
	if m.hasDate {
		fmt.Fprintf(&b, "%04d-%02d-%02d", m.year, m.month, m.day)
	}
	fmt.Fprintf(&b, "T%02d:%02d:%02d", m.hour, m.minute, m.second)
	if m.micro != 0 {
		fmt.Fprintf(&b, ".%06d", m.micro)
	}
	switch {
	case !m.hasDate || m.offset == 0:
		b.WriteByte('Z')
	case m.offset < 0:
		fmt.Fprintf(&b, "-%02d:%02d", -m.offset/60, -m.offset%60)
	default:
		fmt.Fprintf(&b, "+%02d:%02d", m.offset/60, m.offset%60)
	}
	return b.String()
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func monthDays(year, month int) int {
	if month == 2 && leap(year) {
		return 29
	}
	return int("\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"[month-1])
}

// isoReader walks over a text; once something is missing, failed stays set.
type isoReader struct {
	text     string
	at       int
	failed   bool
	extended bool // the date (or the time that stands alone) is written with separators, so the rest must be too
}

func (r *isoReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *isoReader) end() bool { return r.at >= len(r.text) }

func (r *isoReader) take(b byte) bool {
	if !r.end() && r.peek() == b {
		r.at++
		return true
	}
	return false
}

// digits reads exactly n digits.
func (r *isoReader) digits(n int) (value int) {
	for ; n > 0 && !r.failed; n-- {
		if c := r.peek(); c < '0' || c > '9' {
			r.failed = true
			return 0
		}
		value = value*10 + int(r.peek()-'0')
		r.at++
	}
	return value
}

// beforeTime: the date is over.
func (r *isoReader) beforeTime() bool { return r.end() || r.peek() == ' ' || r.peek() == 'T' }

func isoMoment(text string) (m moment, ok bool) {
	r := &isoReader{text: text}
	if r.peek() == 'T' {
		r.at++
		m.hour = r.digits(2)
		r.clock(&m)
		return moment{hour: m.hour, minute: m.minute, second: m.second, micro: m.micro}, !r.failed && r.end()
	}
	century := r.digits(2)
	if !r.failed && r.peek() == ':' {
		m.hour, r.extended = century, true
		r.clock(&m)
		return moment{hour: m.hour, minute: m.minute, second: m.second, micro: m.micro}, !r.failed && r.end()
	}
	m.hasDate = true
	m.year = century*100 + r.digits(2)
	r.date(&m)
	if !r.failed && !r.end() {
		if r.peek() != 'T' && r.peek() != ' ' {
			return m, false
		}
		r.at++
		m.hour = r.digits(2)
		r.clock(&m)
	}
	return m, !r.failed && r.end()
}

// date reads what follows the year: -MM-DD, -MM, MMDD, -DDD, DDD, -Www-D, WwwD.
func (r *isoReader) date(m *moment) {
	r.extended = r.take('-')
	if r.take('W') {
		week, day := r.digits(2), 1
		if !r.beforeTime() {
			if r.extended && !r.take('-') {
				r.failed = true
			}
			day = r.digits(1)
		}
		r.week(m, week, day)
		return
	}
	m.month, m.day = r.digits(2), 1
	switch {
	case r.extended && r.beforeTime():
	case r.extended && r.take('-'):
		m.day = r.digits(2)
	case r.extended:
		r.ordinal(m, m.month*10+r.digits(1))
	default:
		digit := r.digits(1)
		if r.beforeTime() {
			r.ordinal(m, m.month*10+digit)
			return
		}
		m.day = digit*10 + r.digits(1)
	}
}

func (r *isoReader) ordinal(m *moment, day int) {
	if day < 1 || day > 365 || m.year < 1 {
		if day != 366 || !leap(m.year) {
			r.failed = true
			return
		}
	}
	t := time.Date(m.year, 1, day, 0, 0, 0, 0, time.UTC)
	m.month, m.day = int(t.Month()), t.Day()
}

func (r *isoReader) week(m *moment, week, day int) {
	// A year has 53 weeks when it begins or, if a leap year, ends on a Thursday.
	first := time.Date(m.year, 1, 1, 0, 0, 0, 0, time.UTC).Weekday()
	long := first == time.Thursday || first == time.Wednesday && leap(m.year)
	if week > 53 || week == 53 && !long || day > 7 || m.year < 1 {
		r.failed = true
		return
	}
	fourth := int(time.Date(m.year, 1, 4, 0, 0, 0, 0, time.UTC).Weekday()+6)%7 + 1
	t := time.Date(m.year, 1, week*7+day-fourth-3, 0, 0, 0, 0, time.UTC)
	m.year, m.month, m.day = t.Year(), int(t.Month()), t.Day()
}

// clock reads what follows the hour, then the offset.
func (r *isoReader) clock(m *moment) {
	zone := func() bool { c := r.peek(); return r.end() || c == 'Z' || c == '+' || c == '-' }
	switch {
	case r.failed || zone():
	case r.take(':'):
		m.minute = r.digits(2)
		if !r.failed && !zone() {
			r.failed = !r.take(':') || !r.extended
			m.second = r.digits(2)
			r.subsecond(m)
		}
	default:
		m.minute = r.digits(2)
		if !r.failed && !zone() {
			m.second = r.digits(2)
			r.subsecond(m)
		}
		r.failed = r.failed || r.extended
	}
	r.offset(m)
}

func (r *isoReader) subsecond(m *moment) {
	if r.failed || !r.take('.') && !r.take(',') {
		return
	}
	m.micro = r.digits(1) * 100_000
	for scale := 10_000; r.peek() >= '0' && r.peek() <= '9'; scale /= 10 {
		m.micro += int(r.peek()-'0') * scale
		r.at++
	}
}

func (r *isoReader) offset(m *moment) {
	if r.failed || r.take('Z') || r.end() || r.peek() != '+' && r.peek() != '-' {
		return
	}
	sign := 1
	if r.peek() == '-' {
		sign = -1
	}
	r.at++
	minutes := r.digits(2) * 60
	r.take(':')
	if !r.end() {
		minutes += r.digits(2)
	}
	m.offset = sign * minutes
	r.failed = r.failed || m.offset > 24*60
}

// looseMoment is the second attempt: a year, perhaps month and day with "/", ":" or nothing between, then perhaps h:m[:s[.f]].
// The expression is compiled at the call, since few files get here.
func looseMoment(text string) (m moment, ok bool) {
	if len(text) > 100 {
		return m, false
	}
	common := regexp.MustCompile(`^((\p{Nd}{4})([/:]?(\p{Nd}{2})[/:]?(\p{Nd}{2}))?)?( ?(\p{Nd}{1,2}):(\p{Nd}{1,2})?(?::(\p{Nd}{1,2}))?([.|,](\p{Nd}{1,9}))?)?$`)
	g := common.FindStringSubmatch(text)
	if g == nil || g[1] == "" && g[6] == "" || g[6] != "" && g[8] == "" {
		return m, false
	}
	number := func(s string) int { n, _ := allDigits(s); return n }
	m = moment{hasDate: g[1] != "", year: number(g[2]), month: 1, day: 1}
	if g[3] != "" {
		m.month, m.day = number(g[4]), number(g[5])
	}
	m.hour, m.minute, m.second = number(g[7]), number(g[8]), number(g[9])
	if sub := []rune(g[11]); len(sub) > 0 {
		m.micro = number(string(sub[:min(len(sub), 6)]))
		for n := len(sub); n < 6; n++ {
			m.micro *= 10
		}
	}
	return m, true
}
