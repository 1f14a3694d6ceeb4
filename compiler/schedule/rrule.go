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
	set, err := parseRules(rule, defaultStart())
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
		return ruleSet{single: one, rules: []*singleRule{one}}, err
	}
	var rules, excluded, dates []string
	var exdates []dateValue
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
				start = &got[0]
			} else {
				exdates = append(exdates, got...)
			}
		default:
			return ruleSet{}, fmt.Errorf("%s is no property of a recurrence", quote(name))
		}
	}
	return finishRules(rules, excluded, dates, exdates, start)
}

func finishRules(rules, excluded, dates []string, exdates []dateValue, start *dateValue) (ruleSet, error) {
	isSet := len(rules) > 1 || len(dates) > 0 || len(excluded) > 0 || len(exdates) > 0
	if !isSet && len(rules) == 0 {
		return ruleSet{}, errors.New("it has no rule (FREQ=…)")
	}
	set := ruleSet{exdates: exdates}
	for i, list := range [][]string{rules, excluded} {
		for _, text := range list {
			one, err := parseRule(text, start)
			if err != nil {
				return set, err
			}
			if i == 0 {
				set.rules = append(set.rules, one)
			} else {
				set.excluded = append(set.excluded, one)
			}
		}
	}
	if !isSet {
		set.single = set.rules[0]
	}
	for _, list := range dates {
		for text := range strings.SplitSeq(list, ",") {
			date, err := parseDate(text)
			if err != nil {
				return set, err
			}
			set.dates = append(set.dates, date)
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

// parseDates reads the dates of EXDATE or DTSTART; of the latter there must be just one.
func parseDates(property, value string, parameters []string, zones map[string]string) (list []dateValue, err error) {
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
			return nil, fmt.Errorf("%s does not take the parameter %s", property, quote(parameter))
		}
		if typed {
			return nil, fmt.Errorf("%s has VALUE twice", property)
		}
		typed = true
	}
	for date := range strings.SplitSeq(value, ",") {
		last, err := parseDate(date)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", property, err)
		}
		if zoned && last.aware {
			return nil, fmt.Errorf("%s has both a TZID and an offset", property)
		}
		last.aware = last.aware || zoned
		list = append(list, last)
	}
	if property == "DTSTART" && len(list) > 1 {
		return nil, errors.New("DTSTART has more than one date")
	}
	return list, nil
}
