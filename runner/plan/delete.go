// Deletes and renames. Nothing is ever deleted but what carries our label or what the base commit's file declared; who calls these functions has made sure of that.
package plan

import (
	"fmt"
	"sort"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// Removal is the plan of a deployment that is no longer declared.
func Removal(live *state.Live) *Deployment {
	return &Deployment{Name: live.Name, Action: Delete, Live: live, URL: live.URL, Outcome: Planned}
}

// Rename is the plan of a deployment that takes the place of another: one change of the name, and whatever else differs. A server can't rename, so it is created
// anew, with the state that people gave the old one (paused, schedules), and the old one is deleted afterwards.
func Rename(d *Desired, old *state.Live, before Before) (*Deployment, error) {
	out, err := Compare(d, old, before)
	if err != nil {
		return nil, err
	}
	at := d.Resolved.Spec.Pos
	if name := d.Resolved.Field("name"); name.Pos.Known() {
		at = name.Pos
	}
	change := Change{Path: "name", Before: value.Of(old.Name.String()), After: value.Of(d.Name.String()), Reason: "renamed", Pos: at}
	out.Changes = append([]Change{change}, out.Changes...)
	out.Action, out.RenamedFrom, out.Live = Update, old, nil
	out.send = creation(d)
	if _, said := d.Fields.Get("paused"); !said {
		out.send = carry(out.send, old, "paused")
	}
	if _, said := d.Fields.Get("enforce_parameter_schema"); !said {
		out.send = carry(out.send, old, "enforce_parameter_schema")
	}
	live, _ := old.Fields.Get("schedules")
	list := value.Value{Kind: value.List, List: []value.Value{}}
	if d.SchedulesSaid {
		pairs, used := matchSchedules(d.Schedules, live.List)
		for _, s := range schedulesToSend(d, live.List, pairs, keptSchedules(d, live.List, used, before.said())).List {
			list.List = append(list.List, withoutKeys(s, "id", "replaces"))
		}
	} else {
		for _, l := range live.List {
			list.List = append(list.List, withoutKeys(l, "id"))
		}
	}
	out.send = out.send.Set("schedules", list)
	return out, nil
}

func carry(send value.Value, old *state.Live, field string) value.Value {
	if v, ok := old.Fields.Get(field); ok {
		return send.Set(field, v)
	}
	return send
}

func withoutKeys(v value.Value, keys ...string) value.Value { return without(v, keys...) }

// LikelyRenames pairs deployments that would be created with ones that would be deleted (or kept): the same entrypoint, and only one of each.
func LikelyRenames(list, gone []*Deployment) [][2]*Deployment {
	byEntrypoint := map[string][2][]*Deployment{}
	put := func(d *Deployment, fields value.Value, side int) {
		entrypoint, _ := fields.Get("entrypoint")
		pair := byEntrypoint[entrypoint.Text]
		pair[side] = append(pair[side], d)
		byEntrypoint[entrypoint.Text] = pair
	}
	for _, d := range list {
		if d.Action == Create {
			put(d, d.Desired.Fields, 0)
		}
	}
	for _, d := range gone {
		put(d, d.Live.Fields, 1)
	}
	var out [][2]*Deployment
	for entrypoint, pair := range byEntrypoint {
		if entrypoint != "" && len(pair[0]) == 1 && len(pair[1]) == 1 {
			out = append(out, [2]*Deployment{pair[0][0], pair[1][0]})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i][0].Name.String() < out[j][0].Name.String() })
	return out
}

// AsLive is a desired deployment in the form in which a server would hold it: the intent of another commit, to compare with.
func AsLive(d *Desired) *state.Live {
	fields := d.Fields
	list := value.Value{Kind: value.List, List: []value.Value{}}
	for i := range d.Schedules {
		s := &d.Schedules[i]
		body := s.Body
		if body.Kind != value.Map {
			body = s.Source
		}
		one := value.Value{Kind: value.Map}.Set("schedule", body).Set("parameters", s.Parameters)
		active := s.Active
		if active.Kind != value.Bool {
			active = value.Of(true)
		}
		list.List = append(list.List, one.Set("active", active).Set("slug", nullText(s.Slug)))
	}
	if d.SchedulesSaid {
		fields = fields.Set("schedules", list)
	}
	live := &state.Live{ID: d.Name.String(), Name: d.Name, Fields: fields, Automations: []state.Automation{}, AllOwned: true, SLAs: &value.Value{}}
	for i := range d.Triggers {
		live.Automations = append(live.Automations, state.Automation{ID: fmt.Sprint(i), Fields: d.Triggers[i].Fields})
	}
	if d.SLAs != nil {
		list := value.Of(*d.SLAs)
		live.SLAs = &list
	}
	return live
}

// Inherit takes over what an earlier entry of the same name said and this one does not: under Prefect both are written, and what an update leaves unsaid stays.
func (d *Desired) Inherit(earlier *Desired) {
	if !d.SchedulesSaid && earlier.SchedulesSaid {
		d.Schedules, d.SchedulesSaid, d.SchedulesPos = earlier.Schedules, true, earlier.SchedulesPos
	}
	if d.SLAs == nil {
		d.SLAs, d.SLAPos = earlier.SLAs, earlier.SLAPos
	}
	for _, field := range []string{"paused", "enforce_parameter_schema"} {
		if _, said := d.Fields.Get(field); said {
			continue
		}
		if v, said := earlier.Fields.Get(field); said {
			d.Fields = d.Fields.Set(field, v)
		}
	}
}
