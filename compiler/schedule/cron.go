// Cron expressions, as the croniter that Prefect 3.8 carries reads them.
//
// croniter expands every field into the set of its values and refuses what it can't expand. Validity falls out of that
// expansion, odd corners included, so the expansion is done here too rather than a grammar of what cron ought to be:
//   - 5, 6 (seconds last) or 7 (year last) fields, or a nickname such as @daily alone, without blanks around it;
//   - "a-b" with a = b means the whole field, with a > b it wraps around, steps going on over the wrap;
//   - 0 counts as day 1 only in six fields, 7 as Sunday only in five; month 0 never;
//   - "L" is a day of the month, "L5" or "5#2" a day of the week; plain days beside such are refused unless they fill the week;
//   - "?" alone, in the two day fields;
//   - "R(1-5)" draws a number at each reading. Prefect refuses a bare R or H only. A drawn field is valid here when every draw is.
package schedule

import (
	"fmt"
	"strings"
	"unicode"
)

const (
	cronMinute = iota
	cronHour
	cronDay
	cronMonth
	cronWeekday
	cronSecond
	cronYear
)

// cronStar and cronLast are the two values of a field that are no number.
const (
	cronStar = -1
	cronLast = -2
)

// cronField describes one column; names[i] spells the value first+i.
type cronField struct {
	name   string
	lo, hi int
	names  string
	first  int
}

func cronFieldAt(i int) cronField {
	switch i {
	case cronMinute:
		return cronField{name: "minute", lo: 0, hi: 59}
	case cronHour:
		return cronField{name: "hour", lo: 0, hi: 23}
	case cronDay:
		return cronField{name: "day of month", lo: 1, hi: 31}
	case cronMonth:
		return cronField{name: "month", lo: 1, hi: 12, names: "janfebmaraprmayjunjulaugsepoctnovdec", first: 1}
	case cronWeekday:
		return cronField{name: "day of week", lo: 0, hi: 6, names: "sunmontuewedthufrisat"}
	case cronSecond:
		return cronField{name: "second", lo: 0, hi: 59}
	}
	return cronField{name: "year", lo: 1970, hi: 2099}
}

// value is the number of a three-letter name in lower case.
func (f cronField) value(name string) (int, bool) {
	if len(name) != 3 {
		return 0, false
	}
	for i := 0; i+3 <= len(f.names); i += 3 {
		if f.names[i:i+3] == name {
			return i/3 + f.first, true
		}
	}
	return 0, false
}

// cronPart is a field as written: in lower case, with its place in the expression.
type cronPart struct {
	text           string
	offset, length int
}

// cronCheck expands one field after the other. drawn stops a drawn field from being drawn again.
type cronCheck struct {
	parts []cronPart
	index int
	field cronField
	drawn bool
	// values and nth are those of the field being expanded: plain values, and for days of the week the numbers that "#n" gave them
	// (cronLast for "L").
	values map[int]bool
	nth    map[int][]int
}

// cronItem is one piece of a field still to be read: text, or a number that a range gave. nth is the range's "#n", 0 without one.
type cronItem struct {
	text   string
	number int
	plain  bool
	nth    int
}

const cronHelp = `write five fields: minute hour day-of-month month day-of-week, for example "0 6 * * MON-FRI"`

// CheckCron is nil for an expression that Prefect 3.8 accepts as `cron` (prefect._internal.schemas.validators and its vendored
// croniter), otherwise the first fault with its place.
func CheckCron(expr string) *Problem {
	text := expr
	if full := cronNickname(strings.ToLower(expr)); full != "" {
		text = full
	}
	parts := splitCron(text)
	if n := len(parts); n < 5 || n > 7 {
		return cronCount(expr, n)
	}
	c := cronCheck{parts: parts}
	for i := range parts {
		c.index, c.field = i, cronFieldAt(i)
		if p := c.check(parts[i].text); p != nil {
			return p
		}
		if t := parts[i].text; t == "r" {
			return c.problem(parts[i].text, "R draws a random time at every reading; Prefect refuses it", "write a fixed value or a range")
		}
	}
	return nil
}

func cronCount(expr string, n int) *Problem {
	message := fmt.Sprintf("a cron expression has 5, 6 or 7 fields, %s has %d", quote(expr), n)
	if strings.HasPrefix(strings.TrimSpace(expr), "@") {
		message = fmt.Sprintf("%s is no nickname of a cron expression", quote(expr))
		return &Problem{Code: "invalid-cron", Message: message, Length: len(expr),
			Help: "write @hourly, @daily, @midnight, @weekly, @monthly, @yearly or @annually, with no blanks around"}
	}
	return &Problem{Code: "invalid-cron", Message: message, Help: cronHelp, Length: len(expr)}
}

func cronNickname(lower string) string {
	switch lower {
	case "@midnight", "@daily":
		return "0 0 * * *"
	case "@hourly":
		return "0 * * * *"
	case "@weekly":
		return "0 0 * * 0"
	case "@monthly":
		return "0 0 1 * *"
	case "@yearly", "@annually":
		return "0 0 1 1 *"
	}
	return ""
}

func splitCron(text string) []cronPart {
	var parts []cronPart
	start := -1
	add := func(end int) {
		if start >= 0 {
			parts = append(parts, cronPart{text: strings.ToLower(text[start:end]), offset: start, length: end - start})
		}
		start = -1
	}
	for i, r := range text {
		if isSpace(r) {
			add(i)
		} else if start < 0 {
			start = i
		}
		if len(parts) > 8 {
			return parts
		}
	}
	add(len(text))
	return parts
}

// problem points at item inside the current field, or at the field when the item was made up by an expansion.
func (c *cronCheck) problem(item, message, help string) *Problem {
	part := c.parts[c.index]
	p := &Problem{Code: "invalid-cron", Message: message, Help: help, Offset: part.offset, Length: part.length}
	if at := strings.Index(part.text, item); at >= 0 && item != "" && len(part.text) == part.length {
		p.Offset, p.Length = part.offset+at, len(item)
	}
	return p
}

func (c *cronCheck) rangeHelp() string {
	help := fmt.Sprintf("write a number from %d to %d, a range a-b, a list a,b or a step */n", c.field.lo, c.field.hi)
	if c.field.names != "" {
		help += fmt.Sprintf(" (or a name such as %s)", strings.ToUpper(c.field.names[:3]))
	}
	return help
}

// check reads one whole field.
func (c *cronCheck) check(text string) *Problem {
	if p, done := c.checkDrawn(text); done {
		return p
	}
	if strings.Contains(text, "?") {
		if text != "?" {
			return c.problem("?", `"?" must stand alone in its field`, `write "?" or "*"`)
		}
		if c.index != cronDay && c.index != cronWeekday {
			return c.problem("?", fmt.Sprintf(`"?" is not possible in the field %s`, c.field.name), `write "*"`)
		}
		c.values, c.nth = map[int]bool{cronStar: true}, nil
		return nil
	}
	c.values, c.nth = map[int]bool{}, map[int][]int{}
	for rest, more := text, true; more; {
		var item string
		item, rest, more = strings.Cut(rest, ",")
		if p := c.item(cronItem{text: item}); p != nil {
			return p
		}
	}
	return c.checkMix()
}

// checkMix is croniter's last test: days of the week beside "5#2" or "L5" are refused, unless the field holds exactly seven values.
func (c *cronCheck) checkMix() *Problem {
	if len(c.nth) == 0 || len(c.values) == 7 {
		return nil
	}
	for day := 0; day <= 6; day++ {
		if c.values[day] && len(c.nth[day]) == 0 {
			return c.problem("", fmt.Sprintf("day of week %d stands beside a day that is numbered or last (# or L)", day),
				"give all days of the list a # or an L, or write two schedules")
		}
	}
	return nil
}

func (c *cronCheck) item(it cronItem) *Problem {
	if it.plain {
		return c.add(it.number, it.nth, fmt.Sprint(it.number))
	}
	e := it.text
	if c.index == cronWeekday {
		inner, nth, p := c.special(e)
		if p != nil {
			return p
		}
		if nth != 0 {
			it.nth, e = nth, inner
		}
	}
	if low, high, step, ok := c.ranged(e); ok {
		return c.expand(it, low, high, step)
	}
	switch {
	case e == "":
		return c.problem("", fmt.Sprintf("%s has an empty item", c.field.name), "remove the extra comma")
	case strings.HasPrefix(e, "-"):
		return c.problem(e, fmt.Sprintf("%s %s is negative or lacks its start", c.field.name, quote(e)), c.rangeHelp())
	case e == "*":
		return c.add(cronStar, it.nth, e)
	case e == "l" && c.index == cronDay:
		return c.add(cronLast, it.nth, e)
	}
	n, ok := c.number(e)
	if !ok {
		return c.problem(e, fmt.Sprintf("%s %s is not understood", c.field.name, quote(e)), c.rangeHelp())
	}
	return c.add(n, it.nth, e)
}

// number reads digits or a name of the field.
func (c *cronCheck) number(s string) (int, bool) {
	if n, ok := allDigits(s); ok {
		return n, true
	}
	return c.field.value(s)
}

// alias maps the second spelling of a value onto the first; which are known depends on the number of fields.
func (c *cronCheck) alias(n int) int {
	switch {
	case c.index == cronDay && n == 0 && len(c.parts) == 6:
		return 1
	case c.index == cronWeekday && n == 7 && len(c.parts) == 5:
		return 0
	}
	return n
}

func (c *cronCheck) add(n, nth int, written string) *Problem {
	if n >= 0 {
		n = c.alias(n)
		if n < c.field.lo || n > c.field.hi {
			return c.outside(written)
		}
	}
	c.values[n] = true
	if nth != 0 {
		c.nth[n] = append(c.nth[n], nth)
	}
	return nil
}

func (c *cronCheck) outside(written string) *Problem {
	shown := written
	if len(shown) > 12 {
		shown = quote(shown)
	}
	message := fmt.Sprintf("%s %s is not in %d-%d", c.field.name, shown, c.field.lo, c.field.hi)
	if len(c.parts) > 5 {
		message += fmt.Sprintf(" (with %d fields the sixth is seconds)", len(c.parts))
	}
	return c.problem(written, message, c.rangeHelp())
}

// special recognises "5#2", "MON#2", "MON-WED#2" and "L5" in the day of week; inner is what is left to read, nth is 0 for
// anything else.
func (c *cronCheck) special(e string) (inner string, nth int, p *Problem) {
	if rest, isLast := strings.CutPrefix(e, "l"); isLast {
		if _, digits := digitsOnly(rest); digits {
			return rest, cronLast, nil
		}
	}
	before, after, found := strings.Cut(e, "#")
	if !found || before == "" {
		return "", 0, nil
	}
	if _, digits := digitsOnly(after); !digits {
		return "", 0, nil
	}
	if a, b, two := strings.Cut(before, "-"); two && !isNameRange(a, b) || !two && !isWord(before) {
		return "", 0, nil
	}
	nth, ok := allDigits(after)
	if !ok || nth < 1 || nth > 5 {
		return "", 0, c.problem(e, fmt.Sprintf("a month has no weekday number %s", quote(after)), "write a number from 1 to 5 after #")
	}
	return before, nth, nil
}

// isNameRange: a range before "#" must be of two days' names (two months' fail later).
func isNameRange(a, b string) bool {
	_, first := cronFieldAt(cronWeekday).value(a)
	_, second := cronFieldAt(cronWeekday).value(b)
	return first && second
}

func isWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) }) < 0
}

// digitsOnly is allDigits without its limit on length.
func digitsOnly(s string) (int, bool) {
	for _, r := range s {
		if _, ok := digitValue(r); !ok {
			return 0, false
		}
	}
	return len(s), s != ""
}

// ranged splits "a-b", "a-b/n", "*/n" and "a/n" (which runs to the end of the field) into its three parts.
func (c *cronCheck) ranged(e string) (low, high, step string, ok bool) {
	if rest, star := strings.CutPrefix(e, "*/"); star && rest != "" {
		if low, high, step, ok = splitRange(fmt.Sprintf("%d-%d/%s", c.field.lo, c.field.hi, rest)); ok {
			return low, high, step, ok
		}
	}
	if low, high, step, ok = splitRange(e); ok {
		return low, high, step, ok
	}
	at := strings.LastIndexByte(e, '/')
	if at <= 0 || at == len(e)-1 {
		return "", "", "", false
	}
	return splitRange(fmt.Sprintf("%s-%d/%s", e[:at], c.field.hi, e[at+1:]))
}

func splitRange(t string) (low, high, step string, ok bool) {
	low, rest, found := strings.Cut(t, "-")
	if !found || low == "" || strings.Contains(rest, "-") {
		return "", "", "", false
	}
	high, step, stepped := strings.Cut(rest, "/")
	if high == "" {
		return "", "", "", false
	}
	if !stepped {
		return low, high, "1", true
	}
	_, ok = digitsOnly(step)
	return low, high, step, ok
}

// expand adds the values of a range.
func (c *cronCheck) expand(it cronItem, low, high, step string) *Problem {
	if c.index == cronDay && high == "l" {
		high = "31"
	}
	from, ok := c.number(low)
	if !ok {
		return c.problem(it.text, fmt.Sprintf("%s %s can't begin a range", c.field.name, quote(low)), c.rangeHelp())
	}
	to, ok := c.number(high)
	if !ok {
		return c.problem(it.text, fmt.Sprintf("%s %s can't end a range", c.field.name, quote(high)), c.rangeHelp())
	}
	by, ok := allDigits(step)
	if !ok || by == 0 {
		return c.problem(it.text, fmt.Sprintf("the step of %s must be a positive number", quote(it.text)), "write for example */5")
	}
	from, to = c.alias(from), c.alias(to)
	if from > c.field.hi {
		return c.outside(low)
	}
	if to > c.field.hi {
		return c.outside(high)
	}
	numbers, ok := c.sequence(from, to, by)
	if !ok {
		return c.outside(low)
	}
	for _, n := range numbers {
		if p := c.item(cronItem{number: n, plain: true, nth: it.nth}); p != nil {
			return p
		}
	}
	return nil
}

// sequence lists a range's numbers. Over the wrap (FRI-MON, NOV-FEB/2) the first number after it is moved by what the step still
// lacked, as croniter does.
func (c *cronCheck) sequence(from, to, by int) (numbers []int, ok bool) {
	lo, hi := c.field.lo, c.field.hi
	run := func(a, b int) {
		for n := a; n <= b; n += by {
			numbers = append(numbers, n)
		}
	}
	switch {
	case from == to:
		run(lo, hi)
	case from < to:
		run(from, to)
	default:
		run(from, hi)
		last := numbers[len(numbers)-1]
		if last < lo {
			return nil, false
		}
		skip := 0
		if left := hi - last; last-lo+by > hi-lo+1 && left < by {
			skip = by - left
		}
		run(lo+skip, to)
	}
	return numbers, true
}

// checkDrawn handles "R", "R(a-b)", "R/n", "R(a-b)/n" and their H forms; done is false for any other field.
func (c *cronCheck) checkDrawn(text string) (p *Problem, done bool) {
	if c.drawn || text == "" || (text[0] != 'h' && text[0] != 'r') {
		return nil, false
	}
	begin, end, by, ok := drawnParts(text[1:])
	if !ok {
		return nil, false
	}
	if text[0] == 'h' {
		return c.problem(text, "H (a hashed time) needs an identity that Prefect does not give; it refuses H", "write a fixed value"), true
	}
	if text == "r" {
		return nil, true // refused by the caller, after faults of its other fields' syntax
	}
	wrong := c.problem(text, fmt.Sprintf("%s can draw a time that is not valid", quote(text)), "write a fixed value or a range")
	lo, hi := c.field.lo, c.field.hi
	if begin >= 0 {
		if begin >= end || end >= huge {
			return wrong, true
		}
		lo, hi = begin, end
	}
	if by == 0 {
		return wrong, true
	}
	c.drawn = true
	defer func() { c.drawn = false }()
	if by < 0 {
		return c.checkDraws(lo, hi, "", wrong), true
	}
	return c.checkDraws(lo, lo+by-1, fmt.Sprintf("-%d/%d", hi, by), wrong), true
}

// checkDraws tries every number that can be drawn; none beyond the last year is ever valid, which bounds the loop.
func (c *cronCheck) checkDraws(from, to int, rest string, wrong *Problem) *Problem {
	if to > 2100 {
		return wrong
	}
	for n := from; n <= to; n++ {
		if c.check(fmt.Sprint(n)+rest) != nil {
			return wrong
		}
	}
	return nil
}

// drawnParts reads "(a-b)/n", both parts optional; what is absent is -1.
func drawnParts(s string) (begin, end, by int, ok bool) {
	begin, end, by = -1, -1, -1
	if rest, paren := strings.CutPrefix(s, "("); paren {
		inside, after, closed := strings.Cut(rest, ")")
		a, b, two := strings.Cut(inside, "-")
		var okA, okB bool
		begin, okA = allDigits(a)
		end, okB = allDigits(b)
		if !closed || !two || !okA || !okB {
			return 0, 0, 0, false
		}
		s = after
	}
	if s == "" {
		return begin, end, by, true
	}
	n, slash := strings.CutPrefix(s, "/")
	by, ok = allDigits(n)
	return begin, end, by, slash && ok
}
