// A new deployment as changes from nothing, so that a plan tells of what it creates in the form in which it tells of what it changes.
package plan

import (
	"fmt"
	"sort"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Created are the fields of a new deployment: what the file says, without what Prefect would fill in anyway, and without what nobody wrote.
func Created(d *Desired) []Change {
	var out []Change
	for i := range d.Schedules {
		s := &d.Schedules[i]
		kind, timing := timingSaid(s)
		c := created(fmt.Sprintf("schedules[%d]%s", i, kind), timing)
		c.Schedule = s
		out = append(out, c)
	}
	for _, e := range d.Fields.Map {
		if e.Key == "parameter_openapi_schema" || !e.Value.Truthy() || e.Value.Origin.Has(value.Derived) || (e.Key == "enforce_parameter_schema" && e.Value.Bool) {
			continue
		}
		out = createdFields(out, e.Key, e.Value)
	}
	for i := range d.Triggers {
		out = createdFields(out, fmt.Sprintf("triggers[%d]", i), shownTrigger(d.Triggers[i].Fields))
	}
	if d.SLAs != nil && len(*d.SLAs) > 0 {
		out = append(out, created("sla", value.Of(*d.SLAs)))
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

func createdFields(out []Change, path string, v value.Value) []Change {
	if v.Kind != value.Map || len(v.Map) == 0 || v.Origin != 0 {
		return append(out, created(path, v))
	}
	for _, e := range v.Map {
		out = createdFields(out, join(path, e.Key), e.Value)
	}
	return out
}

func created(path string, v value.Value) Change {
	kind := kindOf(v.Marks())
	if kind == Known && v.Marks().Has(value.NotHere) {
		kind = NotHere
	}
	return Change{Path: path, After: v, Kind: kind, Reason: "created", Pos: v.Pos}
}

// timingSaid is the line of a schedule that says when it runs, as the file has it; the whole of one that has none.
func timingSaid(s *Schedule) (kind string, v value.Value) {
	for _, kind := range []string{"cron", "interval", "rrule"} {
		if v, ok := s.Source.Get(kind); ok && !v.IsNull() {
			return "." + kind, v
		}
	}
	return "", s.Source.Redacted()
}
