// A schedule of the file as the timing that will be registered: checked piece by piece, each fault at the value that has it. It serves the check of the file, where
// pieces that hold templates are passed over, and the registration, where all are filled.
package resolve

import (
	"github.com/org/prefect-deploy-action/compiler/schedule"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// TimingFault is what is wrong with one piece of a schedule.
type TimingFault struct {
	Value   value.Value
	Problem *schedule.Problem
}

func (t *TimingFault) Error() string { return t.Problem.Message }

// Timing reads the timing of a schedule, a mapping as spec checks it. As in Prefect the first of cron, interval and rrule that is not empty counts. Pieces with
// placeholders in them are left as they are, unchecked.
func Timing(v value.Value) (schedule.Spec, *TimingFault) { return new(Timings).Timing(v) }

// Timings reads many schedules: what it found out about a time zone or a cron expression it remembers, since large files repeat them. It is not for concurrent use.
type Timings struct{ zones, ruleZones, crons map[string]*schedule.Problem }

// ask looks a text up in what is remembered, or asks and remembers.
func ask(known *map[string]*schedule.Problem, text string, check func(string) *schedule.Problem) *schedule.Problem {
	p, ok := (*known)[text]
	if !ok {
		if *known == nil {
			*known = map[string]*schedule.Problem{}
		}
		p = check(text)
		(*known)[text] = p
	}
	return p
}

// Timing is the function of that name.
func (t *Timings) Timing(v value.Value) (schedule.Spec, *TimingFault) {
	var s schedule.Spec
	zone, _ := v.Get("timezone")
	s.Timezone, s.HasTimezone = zone.Text, zone.Kind == value.Text && zone.Text != ""
	cron, _ := v.Get("cron")
	interval, _ := v.Get("interval")
	rule, _ := v.Get("rrule")
	var problem *TimingFault
	check, zones := schedule.CheckTimezone, &t.zones
	switch {
	case cron.Truthy():
		s.Kind = schedule.Cron
		problem = t.cron(&s, cron, v)
	case interval.Truthy():
		s.Kind = schedule.Interval
		problem = intervalTiming(&s, interval, v)
	case rule.Truthy():
		s.Kind = schedule.RRule
		check, zones = schedule.CheckRRuleTimezone, &t.ruleZones
		problem = ruleTiming(&s, rule)
	default:
		problem = &TimingFault{v, &schedule.Problem{Code: "invalid-schedule", Message: "a schedule needs one of cron, interval and rrule", Help: `for example cron: "0 6 * * *"`}}
	}
	if problem == nil && zone.Text != "" && !template.Has(zone.Text) {
		if p := ask(zones, zone.Text, check); p != nil {
			problem = &TimingFault{zone, p}
		}
	}
	return s, problem
}

func (t *Timings) cron(s *schedule.Spec, cron, v value.Value) *TimingFault {
	s.Cron = cron.Str()
	if or, ok := v.Get("day_or"); ok && !or.IsNull() && !template.Has(or.Text) {
		b, fault := truth(or)
		if fault != nil {
			return fault
		}
		s.DayOr = &b
	}
	if template.Has(s.Cron) {
		return nil
	}
	if p := ask(&t.crons, s.Cron, schedule.CheckCron); p != nil {
		return &TimingFault{cron, p}
	}
	return nil
}

// truth reads what a filled template left in place of true or false.
func truth(v value.Value) (bool, *TimingFault) {
	switch {
	case v.Kind == value.Bool:
		return v.Bool, nil
	case v.Kind == value.Text:
		switch lower(v.Text) {
		case "true", "t", "yes", "y", "on", "1":
			return true, nil
		case "false", "f", "no", "n", "off", "0":
			return false, nil
		}
	case v.Kind == value.Int && (v.Int == 0 || v.Int == 1):
		return v.Int == 1, nil
	}
	return false, &TimingFault{v, &schedule.Problem{Code: "invalid-schedule", Message: "this is neither true nor false", Help: "write true or false"}}
}

// Truth reads a filled `active`: true, false, or a text that means one of them.
func Truth(v value.Value) (bool, *TimingFault) { return truth(v) }

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func intervalTiming(s *schedule.Spec, interval, v value.Value) *TimingFault {
	var p *schedule.Problem
	switch interval.Kind {
	case value.Text:
		if !template.Has(interval.Text) {
			s.Seconds, p = schedule.ParseInterval(interval.Text)
		}
	case value.Int:
		s.Seconds, p = schedule.ParseIntervalNumber(float64(interval.Int))
	case value.Float:
		s.Seconds, p = schedule.ParseIntervalNumber(interval.Float)
	}
	if p != nil {
		return &TimingFault{interval, p}
	}
	anchor, _ := v.Get("anchor_date")
	if !anchor.Truthy() || template.Has(anchor.Text) {
		return nil
	}
	if s.Anchor, p = schedule.ParseAnchor(anchor.Str()); p != nil {
		return &TimingFault{anchor, p}
	}
	return nil
}

func ruleTiming(s *schedule.Spec, rule value.Value) *TimingFault {
	if template.Has(rule.Text) {
		s.RRule = rule.Text
		return nil
	}
	if p := schedule.CheckRRule(rule.Str()); p != nil {
		return &TimingFault{rule, p}
	}
	text, zone, p := schedule.ParseRRule(rule.Str())
	if p != nil {
		return &TimingFault{rule, p}
	}
	s.RRule = text
	if !s.HasTimezone && zone != "" {
		s.Timezone, s.HasTimezone = zone, true
	}
	return nil
}
