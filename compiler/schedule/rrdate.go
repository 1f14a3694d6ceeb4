// Dates inside recurrence rules. dateutil reads them with its general parser, which takes nearly anything that a person might mean:
// 20240131T090000Z, 2024-01-31, 5JAN2024, 10AM, FRI. Prefect accepts what that parser accepts, so its way of deciding is followed
// here: the text is cut into words and numbers, each number is given a role by its length and its neighbours, and what is left over
// makes the date invalid.
//
// Only two things of the result matter to a schedule's validity, whether it has an offset and its time of day; its run times need
// the date too. What a text leaves out dateutil takes from the day it is asked. Validity takes it from 2024-01-01, a leap year and a
// long month, so that as little as possible fails for want of a day; for run times such a date is incomplete.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

var errNoDate = errors.New("not a date")

// dateTokens cuts a text: runs of letters, runs of digits, and single other characters. Dots join ("10.5", "A.M.") until it is
// clear that they separate; then each piece and each dot stands alone.
func dateTokens(text string) (tokens []string) {
	runes := []rune(strings.ReplaceAll(text, "\x00", ""))
	isDigit := func(r rune) bool { _, ok := digitValue(r); return ok }
	for at := 0; at < len(runes); {
		start, state, letters := at, byte(0), false
		switch first := runes[at]; {
		case unicode.IsLetter(first):
			state = 'a'
		case isDigit(first):
			state = '0'
		}
		at++
		for dots := false; state != 0 && at < len(runes); at++ {
			r, before := runes[at], runes[at-1]
			letters = letters || state == 'a'
			switch {
			case r == '.' || r == ',' && state == '0' && !dots && at-start >= 2:
				dots = true
				continue
			case dots && state == 'a' && isDigit(r) && before == '.':
				state = '0'
				continue
			case dots && state == '0' && unicode.IsLetter(r) && before == '.':
				state = 'a'
				continue
			case state == 'a' && unicode.IsLetter(r), state == '0' && isDigit(r):
				continue
			}
			break
		}
		tokens = appendDotted(tokens, string(runes[start:at]), state, letters)
	}
	return tokens
}

// appendDotted adds one run, split at its dots and commas where they separate.
func appendDotted(tokens []string, run string, state byte, letters bool) []string {
	if state == 0 || !strings.ContainsAny(run, ".,") {
		return append(tokens, run)
	}
	if !letters && strings.Count(run, ".") <= 1 && !strings.HasSuffix(run, ".") && !strings.HasSuffix(run, ",") {
		if !strings.Contains(run, ".") {
			run = strings.ReplaceAll(run, ",", ".")
		}
		return append(tokens, run)
	}
	for first := true; ; first = false {
		at := strings.IndexAny(run, ".,")
		if at < 0 {
			if run != "" {
				tokens = append(tokens, run)
			}
			return tokens
		}
		if at > 0 || first {
			tokens = append(tokens, run[:at])
		}
		tokens = append(tokens, run[at:at+1])
		run = run[at+1:]
	}
}

// dateReader gathers what the tokens say; -1 is "not said".
type dateReader struct {
	tokens               []string
	numbers              []int // up to three of year, month, day, in written order
	yearAt, monthAt      int   // which of numbers is known to be the year, the month (as a name)
	hour, minute, second int
	micro                int
	ampm                 int
	zone                 string
	hasOffset            bool
	weekday              bool
}

// parseDate is nil for what dateutil's parser accepts; the text is in capitals and has no blanks.
func parseDate(text string) (dateValue, error) {
	wrong := fmt.Errorf("%s is no date; write for example 20240131T090000", quote(text))
	d := &dateReader{tokens: dateTokens(text), yearAt: -1, monthAt: -1, hour: -1, minute: -1, second: -1, ampm: -1}
	for i := 0; i < len(d.tokens); i++ {
		next, err := d.token(i)
		if err != nil {
			return dateValue{}, wrong
		}
		i = next
	}
	value, ok := d.value()
	if !ok || !d.says() {
		return dateValue{}, wrong
	}
	return value, nil
}

// says: a text of separators only says nothing.
func (d *dateReader) says() bool {
	return len(d.numbers) > 0 || d.hour >= 0 || d.minute >= 0 || d.second >= 0 || d.weekday || d.zone != "" || d.hasOffset || d.ampm >= 0
}

func (d *dateReader) at(i int) string {
	if i >= 0 && i < len(d.tokens) {
		return d.tokens[i]
	}
	return ""
}

// token reads the one at i and whatever belongs to it, and returns the last index used.
func (d *dateReader) token(i int) (int, error) {
	t := d.tokens[i]
	switch {
	case isNumber(t):
		return d.number(i)
	case t == "NAN" || t == "INF" || t == "INFINITY":
		return i, errNoDate
	case isWeekdayName(t):
		d.weekday = true
		return i, nil
	case monthNumber(t) > 0:
		return d.monthName(i)
	case ampmOf(t) >= 0:
		if d.hour < 0 || d.hour > 12 {
			return i, errNoDate
		}
		d.hour, d.ampm = to24(d.hour, ampmOf(t)), ampmOf(t)
		return i, nil
	case d.hour >= 0 && d.zone == "" && !d.hasOffset && len(t) <= 5 && isCapitals(t):
		d.zone = t
		if next := d.at(i + 1); next == "+" || next == "-" {
			// "UTC+3" means that the time plus 3 hours is UTC, so the sign turns; the offset is read next.
			d.tokens[i+1] = map[string]string{"+": "-", "-": "+"}[next]
			if t == "UTC" || t == "GMT" || t == "Z" {
				d.zone = ""
			}
		}
		return i, nil
	case d.hour >= 0 && (t == "+" || t == "-"):
		return d.numberedZone(i)
	case isJump(t):
		return i, nil
	}
	return i, errNoDate
}

// numberedZone reads +0300, +03:00 or +3, and a name in parentheses after it.
func (d *dateReader) numberedZone(i int) (int, error) {
	digits := d.at(i + 1)
	size := len([]rune(digits))
	var hours, minutes int
	var okH, okM bool
	last := i + 1
	switch {
	case digits == "":
		return i, errNoDate
	case size == 4:
		hours, okH = allDigits(cut(digits, 0, 2))
		minutes, okM = allDigits(cut(digits, 2, 4))
	case d.at(i+2) == ":":
		hours, okH = allDigits(digits)
		minutes, okM = allDigits(d.at(i + 3))
		last += 2
	case size <= 2:
		hours, okH = allDigits(digits)
		okM = true
	}
	// Python itself can't hold an offset beyond 999,999,999 days.
	if !okH || !okM || hours >= huge || minutes >= huge {
		return i, errNoDate
	}
	d.hasOffset = true
	i = last - 1
	// A comma or such, then "(", a name and ")": only the name's presence matters.
	if name := d.at(i + 4); isJump(d.at(i+2)) && d.at(i+3) == "(" && d.at(i+5) == ")" && len(name) >= 3 && len(name) <= 5 &&
		d.zone == "" && isCapitals(name) {
		d.zone = name
		last += 4
	}
	return last, nil
}

// monthName reads JAN, JAN-01, JAN-01-99.
func (d *dateReader) monthName(i int) (int, error) {
	if err := d.month(monthNumber(d.tokens[i])); err != nil {
		return i, err
	}
	separator := d.at(i + 1)
	if separator != "-" && separator != "/" {
		return i, nil
	}
	if err := d.part(d.at(i + 2)); err != nil {
		return i, err
	}
	if d.at(i+3) != separator {
		return i + 2, nil
	}
	return i + 4, d.part(d.at(i + 4))
}

func (d *dateReader) month(n int) error {
	if d.monthAt >= 0 {
		return errNoDate
	}
	d.monthAt = len(d.numbers)
	d.numbers = append(d.numbers, n)
	return nil
}

// part adds digits as year, month or day; three or more digits are a year.
func (d *dateReader) part(s string) error {
	n, ok := allDigits(s)
	if !ok {
		return errNoDate
	}
	return d.add(n, len([]rune(s)) > 2)
}

func (d *dateReader) add(n int, isYear bool) error {
	if isYear {
		if d.yearAt >= 0 {
			return errNoDate
		}
		d.yearAt = len(d.numbers)
	}
	d.numbers = append(d.numbers, n)
	return nil
}

// number gives the number at i its role. The order of the questions is dateutil's.
func (d *dateReader) number(i int) (int, error) {
	t := d.tokens[i]
	whole, _, _ := strings.Cut(t, ".")
	value, _ := allDigits(whole)
	size, next := len([]rune(t)), d.at(i+1)
	last := i+1 >= len(d.tokens)
	switch {
	case len(d.numbers) == 3 && (size == 2 || size == 4) && d.hour < 0 && (last || next != ":" && hmsOf(next) < 0):
		return i, d.compactTime(t, size == 4, false)
	case size == 6 || size > 6 && len([]rune(whole)) == 6:
		if len(d.numbers) > 0 || strings.Contains(t, ".") {
			return i, d.compactTime(t, true, true)
		}
		return i, errors.Join(d.part(cut(t, 0, 2)), d.part(cut(t, 2, 4)), d.part(cut(t, 4, 6)))
	case size == 8 || size == 12 || size == 14:
		return i, d.compactDate(t, size)
	}
	if unit := d.unitOf(i); unit >= 0 {
		return d.withUnit(i, value, unit)
	}
	switch {
	case i+2 < len(d.tokens) && next == ":":
		return d.clock(i, value)
	case next == "-" || next == "/" || next == ".":
		return d.separated(i)
	case last || isJump(next):
		if half := ampmOf(d.at(i + 2)); half >= 0 {
			d.hour = to24(value, half)
			return i + 2, nil
		}
		return i + 1, d.add(value, d.exceeds100(t, value))
	case ampmOf(next) >= 0 && value < 24:
		d.hour = to24(value, ampmOf(next))
		return i + 1, nil
	case d.couldBeDay(t, value):
		return i, d.add(value, false)
	}
	return i, errNoDate
}

// exceeds100: a number beyond 100, if only by its fraction, is a year.
func (d *dateReader) exceeds100(t string, value int) bool {
	return value > 100 || value == 100 && fractionOf(t) > 0
}

// compactTime reads HH, HHMM or HHMMSS[.ffffff].
func (d *dateReader) compactTime(t string, minutes, seconds bool) error {
	var okH bool
	okM, okS := true, true
	d.hour, okH = allDigits(cut(t, 0, 2))
	if minutes {
		d.minute, okM = allDigits(cut(t, 2, 4))
	}
	if seconds {
		okS = d.seconds(cut(t, 4, len(t)))
	}
	if !okH || !okM || !okS {
		return errNoDate
	}
	return nil
}

// compactDate reads YYYYMMDD[HHMM[SS]].
func (d *dateReader) compactDate(t string, size int) error {
	year, ok := allDigits(cut(t, 0, 4))
	if !ok {
		return errNoDate
	}
	if err := errors.Join(d.add(year, true), d.part(cut(t, 4, 6)), d.part(cut(t, 6, 8))); err != nil {
		return err
	}
	okH, okM, okS := true, true, true
	if size > 8 {
		d.hour, okH = allDigits(cut(t, 8, 10))
		d.minute, okM = allDigits(cut(t, 10, 12))
	}
	if size > 12 {
		d.second, okS = allDigits(cut(t, 12, 14))
	}
	if !okH || !okM || !okS {
		return errNoDate
	}
	return nil
}

// seconds reads SS[.f]; more than one dot or anything but digits is wrong.
func (d *dateReader) seconds(s string) (ok bool) {
	whole, part, dot := strings.Cut(s, ".")
	d.second, ok = allDigits(whole)
	if dot {
		micro, fine := allDigits(cut(part+"000000", 0, 6))
		ok = ok && fine
		d.micro = micro
	}
	return ok
}

// unitOf finds the H, M or S that belongs to the number: behind it, else before it, counted one finer ("12H04").
func (d *dateReader) unitOf(i int) int {
	if unit := hmsOf(d.at(i + 1)); unit >= 0 {
		return unit
	}
	if unit := hmsOf(d.at(i - 1)); unit >= 0 {
		return unit + 1
	}
	return -1
}

func (d *dateReader) withUnit(i, value, unit int) (int, error) {
	part := fractionOf(d.tokens[i])
	switch unit {
	case 0:
		d.hour = value
		if part > 0 {
			d.minute = int(60 * part)
		}
	case 1:
		d.minute, d.second = value, -1
		if part > 0 {
			d.second = int(60 * part)
		}
	case 2:
		if !d.seconds(d.tokens[i]) {
			return i, errNoDate
		}
	}
	if hmsOf(d.at(i+1)) >= 0 {
		i++
	}
	return i, nil
}

// clock reads HH:MM[:SS[.f]].
func (d *dateReader) clock(i, value int) (int, error) {
	minutes := d.at(i + 2)
	if !isNumber(minutes) {
		return i, errNoDate
	}
	whole, _, _ := strings.Cut(minutes, ".")
	d.hour, d.second = value, -1
	d.minute, _ = allDigits(whole)
	if part := fractionOf(minutes); part > 0 {
		d.second = int(60 * part)
	}
	if i+4 < len(d.tokens) && d.at(i+3) == ":" {
		if !d.seconds(d.at(i + 4)) {
			return i, errNoDate
		}
		return i + 4, nil
	}
	return i + 2, nil
}

// separated reads 01-01, 01-JAN, 01-01-99 and the same with "/" or ".".
func (d *dateReader) separated(i int) (int, error) {
	separator, second := d.at(i+1), d.at(i+2)
	if err := d.part(d.tokens[i]); err != nil {
		return i, err
	}
	if i+2 >= len(d.tokens) || isJump(second) {
		return i + 1, nil
	}
	if err := d.partOrMonth(second); err != nil {
		return i, err
	}
	if d.at(i+3) != separator {
		return i + 2, nil
	}
	return i + 4, d.partOrMonth(d.at(i + 4))
}

func (d *dateReader) partOrMonth(s string) error {
	if n := monthNumber(s); n > 0 {
		return d.month(n)
	}
	return d.part(s)
}

// couldBeDay: a number directly before a word is a day if the month has it. (No day is ever labelled, so there is no day before.)
func (d *dateReader) couldBeDay(t string, value int) bool {
	year, most := 2000, 31
	if d.monthAt >= 0 {
		if d.yearAt >= 0 {
			year = d.numbers[d.yearAt]
		}
		most = monthDays(year, d.numbers[d.monthAt])
	}
	return value >= 1 && (value < most || value == most && fractionOf(t) == 0)
}

// value gives the numbers their roles; ok is false when the day or the time does not exist.
func (d *dateReader) value() (v dateValue, ok bool) {
	year, month, day, ok := d.roles()
	if !ok {
		return v, false
	}
	// A year of two digits is put near to the present, so it depends on the clock too.
	v.complete = year >= 0 && month >= 0 && day >= 0 && (year >= 100 || d.yearAt >= 0)
	if year >= 0 && year < 100 && d.yearAt < 0 {
		year += 2000
	}
	if year < 0 {
		year = 2024
	}
	if month < 0 {
		month = 1
	}
	if day < 0 {
		day = 1
	}
	v.year, v.month, v.day, v.micro = year, month, day, d.micro
	v.clock = [3]int{max(d.hour, 0), max(d.minute, 0), max(d.second, 0)}
	v.aware = d.hasOffset || d.zone == "UTC" || d.zone == "GMT" || d.zone == "Z"
	return v, year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= monthDays(year, month) &&
		d.hour < 24 && d.minute < 60 && d.second < 60
}

// roles is year, month and day, -1 for what is not said.
func (d *dateReader) roles() (year, month, day int, ok bool) {
	n := d.numbers
	known := 0
	for _, at := range []int{d.yearAt, d.monthAt} {
		if at >= 0 {
			known++
		}
	}
	year, month, day = -1, -1, -1
	switch {
	case known > 0 && (len(n) == known || len(n) == 3 && known == 2):
		if d.yearAt >= 0 {
			year = n[d.yearAt]
		}
		if d.monthAt >= 0 {
			month = n[d.monthAt]
		}
		if len(n) == 3 {
			day = n[3-d.yearAt-d.monthAt]
		}
	case len(n) > 3:
		return 0, 0, 0, false
	case len(n) == 1 || len(n) == 2 && d.monthAt >= 0:
		other := n[0]
		if d.monthAt >= 0 {
			month, other = n[d.monthAt], n[1-d.monthAt]
		}
		if other > 31 {
			year = other
		} else {
			day = other
		}
	case len(n) == 2:
		switch {
		case n[0] > 31:
			year, month = n[0], n[1]
		case n[1] > 31:
			month, year = n[0], n[1]
		default:
			month, day = n[0], n[1]
		}
	case len(n) == 3:
		year, month, day = d.three(n[0], n[1], n[2])
	}
	return year, month, day, true
}

// three numbers of which at most one is labelled.
func (d *dateReader) three(a, b, c int) (year, month, day int) {
	switch {
	case d.monthAt == 0 && b > 31:
		return b, a, c
	case d.monthAt == 0:
		return c, a, b
	case d.monthAt == 1 && a > 31:
		return a, b, c
	case d.monthAt == 1:
		return c, b, a
	case d.monthAt == 2 && b > 31:
		return b, c, a
	case d.monthAt == 2:
		return a, c, b
	case a > 31 || d.yearAt == 0:
		return a, b, c
	case a > 12:
		return c, b, a
	}
	return c, a, b
}
