// Recurrence rules, as dateutil's rrulestr reads them, which is what Prefect validates with.
//
// The text is put into capitals and split at blanks into lines. One line without a colon, or beginning RRULE:, is a rule. Else each
// line is a property (RRULE, RDATE, EXRULE, EXDATE, DTSTART) and a line without colon a rule. Of a rule little is refused: unknown
// names, what is no number, BYSETPOS out of range, hours and minutes that no day has (only where the rule repeats daily or more
// rarely), an interval that never meets its BYHOUR, and an UNTIL with an offset beside a DTSTART without one, or the reverse.
// Numbers may be of any size and script, as in Python.
//
// Where Prefect's own verdict depends on the moment it is asked (BYHOUR against an hourly interval without DTSTART counts from
// "now"; a day 31 without month), the rule is judged as on a first of January at midnight, which is the beat of the start that
// Prefect writes into it.
package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"
)

// MaxRRule is the most characters that Prefect takes in a rule, the DTSTART line that it adds included.
const MaxRRule = 6500

// addedStart is that line, with its newline.
const addedStart = "DTSTART:20200101T000000\n"

const rruleHelp = `write for example "FREQ=WEEKLY;BYDAY=MO,WE" or "DTSTART:20240101T090000\nRRULE:FREQ=DAILY"`

func rruleProblem(text, message string) *Problem {
	return &Problem{Code: "invalid-rrule", Message: message, Help: rruleHelp, Length: len(text)}
}

// CheckRRule is nil for a text that Prefect 3.8 accepts as `rrule`: a rule, or a JSON object with "rrule" and perhaps "timezone".
func CheckRRule(text string) *Problem {
	_, _, p := ParseRRule(text)
	return p
}

// ParseRRule splits the JSON form; for any other text rule is text itself. timezone is "" when the text names none. In the file a
// timezone beside the rrule beats the one within.
func ParseRRule(text string) (rule, timezone string, p *Problem) {
	rule = text
	if json.Valid([]byte(text)) {
		if rule, timezone, p = splitJSONRule(text); p != nil {
			return "", "", p
		}
	}
	if p := checkRule(rule); p != nil {
		if rule == text {
			p.Offset, p.Length = locate(text, p)
		} else {
			p.Offset, p.Length = 0, len(text)
		}
		return "", "", p
	}
	if timezone != "" {
		if p := CheckRRuleTimezone(timezone); p != nil {
			p.Offset, p.Length = 0, len(text)
			return "", "", p
		}
	}
	return rule, timezone, nil
}

func locate(text string, p *Problem) (int, int) {
	if p.Length > 0 {
		return p.Offset, p.Length
	}
	return 0, len(text)
}

// splitJSONRule reads {"rrule": "…", "timezone": "…"}; a timezone of null is none, any other key an error.
func splitJSONRule(text string) (rule, timezone string, p *Problem) {
	wrong := func(message string) (string, string, *Problem) {
		return "", "", &Problem{Code: "invalid-rrule", Message: message, Length: len(text),
			Help: `write a rule, or {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin"}`}
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &fields) != nil || fields == nil {
		return wrong("the rrule is JSON but not an object")
	}
	read := func(key string) (value string, known, ok bool) {
		raw, known := fields[key]
		var s *string
		if !known || json.Unmarshal(raw, &s) != nil {
			return "", known, false
		}
		if s == nil {
			return "", true, true
		}
		return *s, true, true
	}
	extra := len(fields)
	rule, known, ok := read("rrule")
	if !known || !ok || string(fields["rrule"]) == "null" {
		return wrong(`the JSON of the rrule lacks a text under "rrule"`)
	}
	extra--
	timezone, known, ok = read("timezone")
	if known {
		extra--
		if !ok || timezone == "" && string(fields["timezone"]) != "null" {
			return wrong(`the "timezone" within the rrule is not the text of a time zone`)
		}
	}
	if extra > 0 {
		return wrong(`the JSON of the rrule has keys other than "rrule" and "timezone"`)
	}
	return rule, timezone, nil
}

// checkRule judges a rule, and the rule with the line that Prefect will add.
func checkRule(rule string) *Problem {
	length := utf8.RuneCountInString(rule)
	if length > MaxRRule { // first, so that nothing below meets megabytes
		return rruleProblem("", fmt.Sprintf("the rrule has %d characters, at most %d are allowed", length, MaxRRule))
	}
	if _, err := parseRules(rule, nil); err != nil {
		return rruleProblem("", fmt.Sprintf("the rrule %s is not valid: %v", quote(rule), err))
	}
	added, ok := needsStart(rule)
	if ok && length+len(addedStart) > MaxRRule {
		return rruleProblem("", fmt.Sprintf("the rrule has %d characters and gets a DTSTART line of %d, at most %d are allowed",
			length, len(addedStart), MaxRRule))
	}
	if ok && added.frequent() && !startable(added) {
		return rruleProblem("", fmt.Sprintf("the rrule %s has an interval with which it never comes round", quote(rule)))
	}
	return nil
}

// startable: Prefect divides the time since 2020 by the period and adds a multiple of it to 2020. Zero fails there, what exceeds a
// float, and a negative period (its multiple lies one beyond now) that leads past the year 9999.
func startable(r *singleRule) bool {
	const toYear9999 = 251_824_463_999 // seconds from 2020-01-01T00:00:00
	period := r.period()
	if period.Sign() < 0 {
		return period.CmpAbs(big.NewInt(toYear9999)) <= 0
	}
	return period.Sign() > 0 && period.BitLen() < 1024
}

// period is a frequent rule's interval in seconds.
func (r *singleRule) period() *big.Int {
	if r.freq == minutely {
		return new(big.Int).Mul(r.interval, big.NewInt(60))
	}
	return r.interval
}

// needsStart tells whether Prefect puts a DTSTART line before the rule: it has none, and parses with that start. (A rule whose
// UNTIL has an offset does not, and is sent as written.) one is the rule when it is a single one.
func needsStart(rule string) (one *singleRule, ok bool) {
	if strings.Contains(upper(rule), "DTSTART") {
		return nil, false
	}
	set, err := parseRules(rule, &dateValue{})
	if err != nil {
		return nil, false
	}
	return set.single, true
}

// upper is Python's str.upper as far as rules can tell: letters that become two are only these.
func upper(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return strings.NewReplacer("ß", "SS", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST").Replace(strings.ToUpper(s))
		}
	}
	return strings.ToUpper(s)
}

// ruleSet is what a text gave; single is set unless it is a set of several dates and rules.
type ruleSet struct{ single *singleRule }

// singleRule is one rule; lists hold numbers of any size, counted is "COUNT was given".
type singleRule struct {
	freq     int
	hasFreq  bool
	interval *big.Int
	counted  bool
	until    *dateValue
	setpos   []*big.Int
	by       [3][]*big.Int // hours, minutes, seconds
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

// dateValue is what matters of a date in a rule: its time of day (for the steps of BYHOUR and the like) and whether it has an offset.
type dateValue struct {
	clock [3]int
	aware bool
}

// parseRules is rrulestr with a start for rules without DTSTART; nil takes midnight of 2020-01-01 (and any UNTIL).
func parseRules(text string, start *dateValue) (ruleSet, error) {
	zones := zoneParameters(text)
	s := upper(text)
	lines := strings.FieldsFunc(s, isSpace)
	if len(lines) == 0 {
		return ruleSet{}, errors.New("it is empty")
	}
	if len(lines) == 1 && (!strings.Contains(s, ":") || strings.HasPrefix(s, "RRULE:")) {
		one, err := parseRule(lines[0], start)
		return ruleSet{single: one}, err
	}
	var rules, excluded, dates []string
	excludedDates := false
	for _, line := range lines {
		name, value, colon := strings.Cut(line, ":")
		if !colon {
			name, value = "RRULE", line
		}
		name, _, hasParameters := strings.Cut(name, ";")
		switch {
		case name == "RRULE" || name == "EXRULE":
			if hasParameters {
				return ruleSet{}, fmt.Errorf("%s takes no parameter", name)
			}
			if name == "RRULE" {
				rules = append(rules, value)
			} else {
				excluded = append(excluded, value)
			}
		case name == "RDATE":
			for _, parameter := range parameterList(line[:len(line)-len(value)]) {
				if parameter != "VALUE=DATE-TIME" {
					return ruleSet{}, fmt.Errorf("RDATE does not take the parameter %s", quote(parameter))
				}
			}
			dates = append(dates, value)
		case name == "EXDATE" || name == "DTSTART":
			got, err := parseDates(name, value, parameterList(line[:len(line)-len(value)]), zones)
			if err != nil {
				return ruleSet{}, err
			}
			if name == "DTSTART" {
				start = &got
			}
			excludedDates = excludedDates || name == "EXDATE"
		default:
			return ruleSet{}, fmt.Errorf("%s is no property of a recurrence", quote(name))
		}
	}
	return finishRules(rules, excluded, dates, excludedDates, start)
}

func finishRules(rules, excluded, dates []string, excludedDates bool, start *dateValue) (ruleSet, error) {
	isSet := len(rules) > 1 || len(dates) > 0 || len(excluded) > 0 || excludedDates
	if !isSet && len(rules) == 0 {
		return ruleSet{}, errors.New("it has no rule (FREQ=…)")
	}
	var set ruleSet
	for _, list := range [][]string{rules, excluded} {
		for _, text := range list {
			one, err := parseRule(text, start)
			if err != nil {
				return set, err
			}
			if !isSet {
				set.single = one
			}
		}
	}
	for _, list := range dates {
		for date := range strings.SplitSeq(list, ",") {
			if _, err := parseDate(date); err != nil {
				return set, err
			}
		}
	}
	return set, nil
}

// parameterList splits "NAME;A;B:" into A and B, an empty parameter included.
func parameterList(head string) []string {
	return strings.Split(strings.TrimSuffix(head, ":"), ";")[1:]
}

// zoneParameters finds every TZID=…: of the text; the key is in capitals, the value as written.
func zoneParameters(text string) map[string]string {
	var zones map[string]string
	for {
		_, rest, found := strings.Cut(text, "TZID=")
		if !found {
			return zones
		}
		name, after, closed := strings.Cut(rest, ":")
		if !closed || name == "" {
			text = rest
			continue
		}
		if zones == nil {
			zones = map[string]string{}
		}
		zones[upper(name)] = name
		text = after
	}
}

// parseDates reads the dates of EXDATE or DTSTART; the result is the last one, which for DTSTART must be the only one.
func parseDates(property, value string, parameters []string, zones map[string]string) (last dateValue, err error) {
	zoned, typed := false, false
	for _, parameter := range parameters {
		if strings.HasPrefix(parameter, "TZID=") {
			at := strings.LastIndex(parameter, "TZID=")
			if name, known := zones[parameter[at+len("TZID="):]]; known {
				zoned = zoneForRules(name)
			}
			continue
		}
		if parameter != "VALUE=DATE-TIME" && parameter != "VALUE=DATE" {
			return last, fmt.Errorf("%s does not take the parameter %s", property, quote(parameter))
		}
		if typed {
			return last, fmt.Errorf("%s has VALUE twice", property)
		}
		typed = true
	}
	count := 0
	for date := range strings.SplitSeq(value, ",") {
		last, err = parseDate(date)
		if err != nil {
			return last, fmt.Errorf("%s: %w", property, err)
		}
		if zoned && last.aware {
			return last, fmt.Errorf("%s has both a TZID and an offset", property)
		}
		last.aware = last.aware || zoned
		count++
	}
	if property == "DTSTART" && count > 1 {
		return last, errors.New("DTSTART has more than one date")
	}
	return last, nil
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
		start = &dateValue{aware: r.until != nil && r.until.aware}
	}
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
			r.counted = true
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
		if !isWeekday(value) {
			return wrong()
		}
	case "BYDAY", "BYWEEKDAY":
		for day := range strings.SplitSeq(value, ",") {
			if !isByDay(day) {
				return fmt.Errorf("%s can't be %s; write days such as MO, +1MO or MO(+1)", name, quote(day))
			}
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

func isWeekday(s string) bool {
	switch s {
	case "MO", "TU", "WE", "TH", "FR", "SA", "SU":
		return true
	}
	return false
}

// isByDay: MO, +1MO or MO(+1); a number of zero is refused. Of the second form the last character is dropped unseen.
func isByDay(day string) bool {
	number, name, written := "", day, false
	if before, after, paren := strings.Cut(day, "("); paren {
		after, _, _ = strings.Cut(after, "(")
		if after == "" {
			return false
		}
		_, size := utf8.DecodeLastRuneInString(after)
		name, number, written = before, after[:len(after)-size], true
	} else if at := strings.IndexFunc(day, func(c rune) bool { return !strings.ContainsRune("+-0123456789", c) }); at > 0 {
		number, name, written = day[:at], day[at:], true
	}
	if written {
		if n, ok := pyInt(number); !ok || n.Sign() == 0 {
			return false
		}
	}
	return isWeekday(name)
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
