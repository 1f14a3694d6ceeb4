// The sections build, push and pull, and the schedules of a deployment: the two places where Prefect is strict about the shape of what stands inside.
package spec

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// section reads a list of steps. A mapping in its place is one step; null and empty are told apart, since they mean different things for pull.
func (c *checker) section(e value.Entry) Section {
	v := e.Value
	s := Section{Present: true, Pos: e.KeyPos}
	switch v.Kind {
	case value.Null:
		s.Null = true
	case value.Map:
		s.Empty, s.Mapping = len(v.Map) == 0, true
		if !s.Empty {
			s.Steps = c.steps(e.Key, []value.Value{v})
		}
	case value.List:
		s.Empty = len(v.List) == 0
		s.Steps = c.steps(e.Key, v.List)
	default:
		c.wrong(v, e.Key, "a list of steps", "begin each step with a dash, or remove the line")
	}
	return s
}

func (c *checker) steps(section string, list []value.Value) []Step {
	steps := make([]Step, 0, len(list))
	for _, v := range list {
		if v.Kind != value.Map {
			c.wrong(v, "a step of "+section, "a mapping with the function's full name as its key", "write function.name: {argument: value}")
			continue
		}
		if len(v.Map) == 0 { // Prefect skips it
			continue
		}
		steps = append(steps, c.step(section, v))
	}
	return steps
}

func (c *checker) step(section string, v value.Value) Step {
	e := v.Map[0]
	s := Step{Function: e.Key, Pos: e.KeyPos, Whole: v, Inputs: value.Value{Kind: value.Map, Pos: e.Value.Pos}}
	if len(v.Map) > 1 {
		c.twoKeys(section, v)
	}
	if e.KeyKind != value.Text {
		c.fault(diag.Error, "wrong-type", value.Value{Pos: e.KeyPos}, "a step's key is the full name of a function, and YAML reads this as "+kindOfKey(e), "")
	}
	if e.Value.Kind != value.Map {
		severity := diag.Error
		if section == "pull" && e.Value.IsNull() {
			severity = diag.Warning
		}
		c.fault(severity, "invalid-step", e.Value.At(e.KeyPos), fmt.Sprintf("the arguments of a step are a mapping, and this is %s", e.Value.Kind), "write "+e.Key+": {} when there are none; arguments are indented below the function's name")
		return s
	}
	for _, a := range e.Value.Map {
		switch a.Key {
		case "id":
			s.ID = c.stepID(a.Value)
		case "requires":
			s.Requires = c.requires(a.Value)
		default:
			s.Inputs.Map = append(s.Inputs.Map, a)
		}
	}
	return s
}

// twoKeys tells the usual causes apart: arguments at the function's own indentation, or a missing dash.
func (c *checker) twoKeys(section string, v value.Value) {
	second := v.Map[1]
	help := "give each function a dash of its own"
	if v.Map[0].Value.IsNull() || !strings.Contains(second.Key, ".") {
		help = "indent the arguments below the function's name"
	}
	severity := diag.Error
	if section == "pull" {
		severity = diag.Warning // it is registered as it stands and fails when a run pulls
	}
	c.fault(severity, "invalid-step", value.Value{Pos: second.KeyPos}, fmt.Sprintf("a step has one key, the function's name, and this one has %s too", diag.Quote(second.Key)), help)
}

func (c *checker) stepID(v value.Value) value.Value {
	if v.Kind == value.List || v.Kind == value.Map {
		c.wrong(v, "a step's id", "text", "")
	}
	return v
}

func (c *checker) requires(v value.Value) []string {
	switch v.Kind {
	case value.Text:
		if v.Text != "" {
			return []string{v.Text}
		}
	case value.List:
		var out []string
		for _, item := range v.List {
			if item.Kind != value.Text {
				c.wrong(item, "each of requires", "text", "write package>=version")
				continue
			}
			out = append(out, item.Text)
		}
		return out
	case value.Null:
	default:
		c.wrong(v, "requires", "text or a list of texts", "write package>=version")
	}
	return nil
}

var scheduleKeys = []string{"cron", "interval", "rrule", "timezone", "anchor_date", "active", "parameters", "slug", "replaces", "day_or"}

// legacySchedule is the older key `schedule`: one schedule, null or {}.
func (c *checker) legacySchedule(v value.Value) value.Value {
	if v.IsNull() || (v.Kind == value.Map && len(v.Map) == 0) {
		return v
	}
	if v.Kind == value.List {
		c.fault(diag.Error, "wrong-type", v, "schedule is one schedule, and this is a list", "write schedules: for a list")
		return v
	}
	return c.schedule(v)
}

func (c *checker) schedules(v value.Value) value.Value {
	if v.IsNull() {
		return v
	}
	if v.Kind != value.List {
		c.wrong(v, "schedules", "a list", "begin each schedule with a dash")
		return v
	}
	out := value.Value{Kind: value.List, Pos: v.Pos, List: make([]value.Value, 0, len(v.List))}
	for _, item := range v.List {
		s := c.schedule(item)
		s.Ext = item.Ext
		out.List = append(out.List, s)
	}
	return out
}

// oneScheduleKey refuses `schedule` beside `schedules`.
func (c *checker) oneScheduleKey(v value.Value) {
	old, has := v.Get("schedule")
	_, both := v.Get("schedules")
	if has && both && old.Truthy() {
		for _, e := range v.Map {
			if e.Key == "schedule" {
				c.fault(diag.Error, "two-schedule-keys", value.Value{Pos: e.KeyPos}, "schedule stands beside schedules", "write only schedules:")
			}
		}
	}
}

// schedule checks the shape of one schedule: exactly one kind, no unknown key. What cron strings and dates mean is checked after templates.
func (c *checker) schedule(v value.Value) value.Value {
	if v.Kind != value.Map {
		help := "write {cron: …}, {interval: …} or {rrule: …}"
		if v.Kind == value.Text {
			help = `write {cron: "` + v.Text + `"} if this is a cron expression`
		}
		c.wrong(v, "a schedule", "a mapping", help)
		return v
	}
	out := value.Value{Kind: value.Map, Pos: v.Pos, Map: make([]value.Entry, 0, len(v.Map))}
	kinds, onlyInterval := 0, false
	if anchor, ok := v.Get("anchor_date"); ok && anchor.Origin.Has(value.Dated) {
		onlyInterval = intervalAlone(v)
	}
	for _, e := range v.Map {
		x, ok := c.scheduleField(e, onlyInterval)
		if !ok {
			continue
		}
		if (e.Key == "cron" || e.Key == "interval" || e.Key == "rrule") && !x.IsNull() {
			kinds++
			if kinds == 2 {
				c.fault(diag.Error, "invalid-schedule", value.Value{Pos: e.KeyPos}, "a schedule is of one kind, and this one has two", "make two entries of it")
			}
		}
		e.Value = x
		out.Map = append(out.Map, e)
	}
	if kinds == 0 {
		c.fault(diag.Error, "invalid-schedule", v, "a schedule needs one of cron, interval and rrule", `for example cron: "0 6 * * *"`)
	}
	return out
}

// interval refuses what can't be one in any form; what a text means is checked with the other timings. Templates are not filled here.
func (c *checker) interval(v value.Value) value.Value {
	const help = "write 600, PT10M or 00:10:00"
	switch {
	case v.Kind == value.List || v.Kind == value.Map || v.Origin.Has(value.Dated) || v.Kind == value.Text && v.Text == "":
		c.wrong(v, "interval", "a number of seconds or a duration", help)
	case v.Kind == value.Bool: // Python's True is 1
		n, _ := laxInt(v)
		n.Pos = v.Pos
		return n
	case v.Kind == value.Text && strings.Contains(v.Text, "{{"):
		c.wrong(v, "interval", "a number of seconds or a duration", "Prefect reads no templates here: "+help)
	}
	return v
}

// intervalAlone reports whether a schedule has only the keys of an interval: Prefect then also takes a YAML date as its anchor.
func intervalAlone(v value.Value) bool {
	interval, _ := v.Get("interval")
	for _, e := range v.Map {
		if e.Key != "interval" && e.Key != "anchor_date" && e.Key != "timezone" {
			return false
		}
	}
	return !interval.IsNull()
}

func (c *checker) scheduleField(e value.Entry, onlyInterval bool) (value.Value, bool) {
	v := e.Value
	switch e.Key {
	case "cron", "rrule", "timezone", "slug", "replaces":
		v = c.text(v, e.Key)
	case "anchor_date":
		if !onlyInterval {
			v = c.text(v, e.Key)
		}
	case "interval":
		v = c.interval(v)
	case "active", "day_or":
		if b, ok := lax(v); ok && v.Kind != value.Text {
			v = value.Value{Kind: value.Bool, Bool: b, Pos: v.Pos}
		} else if v.Kind != value.Null && (v.Kind != value.Text || v.Origin.Has(value.Dated)) {
			c.wrong(v, e.Key, "true, false or a template", "")
		}
	case "parameters":
		v = c.mapping(v, "parameters", false)
	default:
		c.unknownInSchedule(e)
		return v, false
	}
	return v, true
}

// unknownInSchedule is an error, not a warning: schedules are the one place where Prefect forbids unknown keys, and it then drops the whole file.
func (c *checker) unknownInSchedule(e value.Entry) {
	help := believed[e.Key]
	if near := diag.DidYouMean(e.Key, scheduleKeys); near != "" && help == "" {
		help = near
	}
	if help == "" {
		help = "a schedule has " + strings.Join(scheduleKeys, ", ")
	}
	c.fault(diag.Error, "unknown-schedule-key", value.Value{Pos: e.KeyPos, Ext: e.Value.Ext}, fmt.Sprintf("a schedule has no key %s; Prefect drops the whole file for it", diag.Quote(e.Key)), help)
}
