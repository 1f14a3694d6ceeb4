// The difference between what should be and what is. What differs only by the server's own defaults or spelling is equal: those exceptions are the table below, each
// with its reason.
package plan

import (
	"fmt"
	"sort"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// Kind says whether a change's values can be shown.
type Kind string

// The kinds of a change's values.
const (
	Known      Kind = "known"
	AfterBuild Kind = "after-build"
	Sensitive  Kind = "sensitive"
	// NotHere is a new deployment's value that depends on an environment variable which is not set where the plan is made: it is no change, and not in the JSON.
	NotHere Kind = "not-here"
)

// Change is one field that differs.
type Change struct {
	// Path is the field: "schedules[0].cron", "job_variables.env.REGION".
	Path          string
	Before, After value.Value
	Kind          Kind
	// Reason is why it differs: "edited", "added", "removed", "from variable region".
	Reason string
	// Pos is the place in prefect.yaml.
	Pos value.Pos
	// Schedule is the schedule whose timing changes, nil for other changes.
	Schedule *Schedule
	// Built says that a step gave the value in this run, so that the difference is no edit.
	Built bool
}

// equalities are pairs of a desired and a live value of one field that mean the same.
var equalities = []struct {
	field  string
	equal  func(desired, live value.Value) bool
	reason string
}{
	{"work_queue_name", func(d, l value.Value) bool { return d.IsNull() && (l.IsNull() || l.Text == "default") },
		"without a queue the server takes the pool's default queue"},
	{"description", func(d, l value.Value) bool { return !d.Truthy() && (!l.Truthy() || l.Text == "None") },
		"Prefect registers a new flow without a docstring under the text None"},
	{"description", func(d, l value.Value) bool { return d.Origin.Has(value.Derived) },
		"the flow's own description can't be read from its source: it is settled at deploy, and left as it is where it can't be"},
	{"concurrency_options", func(d, l value.Value) bool { return d.IsNull() && l.IsNull() },
		"a server before 3.2 answers none"},
	{"version", func(d, l value.Value) bool { return d.Origin.Has(value.Derived) },
		"nobody wrote it: it is sent only along with another change"},
	{"pull_steps", func(d, l value.Value) bool { return d.Origin.Has(value.Derived) && derivedPull(l) },
		"nobody wrote it: each machine would put its own directory in"},
}

// derivedPull reports whether live pull steps are such as Prefect derives: one set_working_directory.
func derivedPull(l value.Value) bool {
	if len(l.List) != 1 || len(l.List[0].Map) != 1 {
		return false
	}
	return l.List[0].Map[0].Key == "prefect.deployments.steps.set_working_directory"
}

// filledIn are parts of a live value that the server put there for what nobody said: they are taken out before anything is compared.
var filledIn = []struct {
	field  string
	strip  func(live value.Value) value.Value
	reason string
}{
	{"concurrency_options", withoutNullGrace,
		"the server (3.8.8) answers a grace period of null where none was said; a number was said, by the file or by hand, and goes when the file does not say it"},
}

func withoutNullGrace(l value.Value) value.Value {
	if grace, ok := l.Get("grace_period_seconds"); ok && grace.IsNull() {
		return without(l, "grace_period_seconds")
	}
	return l
}

// companions are fields that a server takes only together.
var companions = map[string][]string{
	"work_pool_name":           {"work_queue_name"},
	"work_queue_name":          {"work_pool_name"},
	"concurrency_limit":        {"concurrency_options"},
	"concurrency_options":      {"concurrency_limit"},
	"parameters":               {"parameter_openapi_schema"},
	"parameter_openapi_schema": {"parameters"},
}

// Compare makes the plan of one deployment; live is nil for a new one, before tells what was declared earlier (nil for no base).
func Compare(d *Desired, live *state.Live, before Before) (*Deployment, error) {
	out := &Deployment{Name: d.Name, Desired: d, Live: live, Outcome: Planned}
	if live == nil {
		out.Action = Create
		out.send = creation(d)
		return out, nil
	}
	out.URL = live.URL
	changes, send, err := differences(d, live, nil)
	if schedules, _ := live.Fields.Get("schedules"); err != nil || len(changes) > 0 || len(d.KeptSchedules) > 0 || !d.SchedulesSaid && len(schedules.List) > 0 {
		if base := before.said(); base != nil { // what the base says only matters where something differs
			changes, send, err = differences(d, live, base)
		}
	}
	if err != nil {
		return nil, err
	}
	tellOfLimit(changes, live)
	out.Changes, out.Action = changes, actionOf(changes)
	if out.Action != Unchanged {
		out.send = send
	}
	return out, nil
}

// tellOfLimit says of a limit that someone attached by hand what becomes of it: it stays as it is, since others may share it.
func tellOfLimit(changes []Change, live *state.Live) {
	for i := range changes {
		if c := &changes[i]; c.Path == "concurrency_limit" && live.ForeignLimit != "" {
			c.Reason = fmt.Sprintf("%s; the limit %q that was attached by hand is detached and stays as it is", c.Reason, live.ForeignLimit)
		}
	}
}

// differences are the changes by path, and the request that brings them about.
func differences(d *Desired, live *state.Live, base *Desired) (changes []Change, send value.Value, err error) {
	fields := map[string]bool{}
	for _, e := range d.Fields.Map {
		was, _ := live.Fields.Get(e.Key)
		list := fieldChanges(d, e.Key, was, e.Value, base)
		if len(list) > 0 {
			fields[e.Key] = true
		}
		changes = append(changes, list...)
	}
	schedules, _ := live.Fields.Get("schedules")
	more, list, err := diffSchedules(d, schedules.List, base)
	if err != nil {
		return nil, send, err
	}
	changes = append(changes, more...)
	sort.SliceStable(changes, func(i, j int) bool { return changes[i].Path < changes[j].Path })
	return changes, update(d, fields, list), nil
}

func actionOf(changes []Change) Action {
	action := Unchanged
	for i := range changes {
		if changes[i].Kind != AfterBuild && !changes[i].Built {
			return Update
		}
		action = Rebuild
	}
	return action
}

func fieldChanges(d *Desired, field string, was, want value.Value, base *Desired) []Change {
	for _, f := range filledIn {
		if f.field == field {
			was = f.strip(was)
		}
	}
	for _, e := range equalities {
		if e.field == field && e.equal(want, was) {
			return nil
		}
	}
	if field == "parameter_openapi_schema" {
		if d.SchemaUnknown != "" || value.Equal(was, want) {
			return nil
		}
	}
	var earlier *value.Value
	if base != nil {
		earlier = childOf(&base.Fields, field)
	}
	return diffValue(field, was, want, earlier, want.Pos)
}

// diffValue descends into mappings and lists of one length, so that a change names the smallest part that differs. base is what the base commit's file has
// there, nil for nothing: it only decides what may be shown.
func diffValue(path string, was, want value.Value, base *value.Value, at value.Pos) []Change {
	if want.Pos.Known() {
		at = want.Pos
	}
	if secret := want.Origin & value.Sensitive; secret != 0 { // what is inside a secret is secret, on both sides
		want, was = inside(want, secret), inside(was.Mark(secret), secret)
	}
	marks := want.Marks()
	switch {
	case want.Origin.Has(value.NotHere):
		return nil
	case want.Kind == value.Map && was.Kind == value.Map:
		return diffMaps(path, was, want, base, at)
	case want.Kind == value.List && was.Kind == value.List && len(want.List) == len(was.List) && !scalars(want):
		var out []Change
		for i := range want.List {
			out = append(out, diffValue(fmt.Sprintf("%s[%d]", path, i), was.List[i], want.List[i], itemOf(base, i, len(want.List)), at)...)
		}
		return out
	case marks.Has(value.AfterBuild) && was.Marks().Has(value.AfterBuild) && value.Equal(was, want):
		return nil // the intent of another commit: the same template
	case marks.Has(value.AfterBuild):
		if hidden(path, was, &want, base) { // the change stays one of the build, so only its value goes
			was = value.Value{}
		}
		return []Change{{Path: path, Before: was, Kind: AfterBuild, Reason: "known after build", Pos: at}}
	case marks.Has(value.NotHere), value.Equal(was, want):
		return nil
	}
	kind := kindOf(marks)
	if hidden(path, was, &want, base) {
		kind = Sensitive
	}
	return []Change{{Path: path, Before: was, After: want, Kind: kind, Reason: reasonOf(was, want), Pos: at, Built: marks.Has(value.Built)}}
}

// inside marks the children of a list or mapping; deeper ones follow when the difference is sought there.
func inside(v value.Value, marks value.Origin) value.Value {
	switch v.Kind {
	case value.List:
		list := make([]value.Value, len(v.List))
		for i := range v.List {
			list[i] = v.List[i].Mark(marks)
		}
		v.List = list
	case value.Map:
		entries := append([]value.Entry(nil), v.Map...)
		for i := range entries {
			entries[i].Value = entries[i].Value.Mark(marks)
		}
		v.Map = entries
	}
	return v
}

func scalars(v value.Value) bool {
	for i := range v.List {
		if v.List[i].Kind == value.List || v.List[i].Kind == value.Map {
			return false
		}
	}
	return true
}

func diffMaps(path string, was, want value.Value, base *value.Value, at value.Pos) []Change {
	var out []Change
	for _, e := range want.Map {
		old, ok := was.Get(e.Key)
		where := at
		if e.KeyPos.Known() {
			where = e.KeyPos
		}
		if !ok {
			if marks := e.Value.Marks(); !marks.Has(value.NotHere) {
				out = append(out, Change{Path: join(path, e.Key), After: e.Value, Kind: kindOf(marks), Reason: "added", Pos: where})
			}
			continue
		}
		out = append(out, diffValue(join(path, e.Key), old, e.Value, childOf(base, e.Key), where)...)
	}
	for _, e := range was.Map {
		if _, ok := want.Get(e.Key); !ok {
			kind := kindOf(want.Origin)
			if hidden(join(path, e.Key), e.Value, nil, childOf(base, e.Key)) {
				kind = Sensitive
			}
			out = append(out, Change{Path: join(path, e.Key), Before: e.Value, Kind: kind, Reason: "removed", Pos: at})
		}
	}
	return out
}

func kindOf(marks value.Origin) Kind {
	switch {
	case marks.Has(value.Sensitive):
		return Sensitive
	case marks.Has(value.AfterBuild):
		return AfterBuild
	}
	return Known
}

func reasonOf(was, want value.Value) string {
	switch refs := want.Refs(); {
	case len(refs) > 0:
		return "filled from " + refs[0]
	case was.IsNull():
		return "added"
	case want.IsNull():
		return "removed"
	}
	return "edited"
}

// creation is the body of a new deployment.
func creation(d *Desired) value.Value {
	fields := d.Fields.Set("version_info", d.VersionInfo).Set("labels", d.Labels)
	if _, ok := fields.Get("paused"); !ok {
		fields = fields.Set("paused", value.Of(false))
	}
	if _, ok := fields.Get("enforce_parameter_schema"); !ok {
		fields = fields.Set("enforce_parameter_schema", value.Of(true))
	}
	list := value.Of([]value.Value{})
	for i := range d.Schedules {
		list.List = append(list.List, scheduleToSend(&d.Schedules[i], nil))
	}
	return fields.Set("schedules", list)
}

// update is the body of a change: the fields that differ with their companions, and what was derived along with them.
func update(d *Desired, changed map[string]bool, schedules *value.Value) value.Value {
	body := value.Value{Kind: value.Map}
	for _, e := range d.Fields.Map {
		along := e.Key == "version" || (e.Key == "pull_steps" && e.Value.Origin.Has(value.Derived))
		if changed[e.Key] || along || companionChanged(changed, e.Key) {
			body.Map = append(body.Map, e)
		}
	}
	body = body.Set("version_info", d.VersionInfo)
	if schedules != nil {
		body = body.Set("schedules", *schedules)
	}
	return body
}

func companionChanged(changed map[string]bool, field string) bool {
	for _, c := range companions[field] {
		if changed[c] {
			return true
		}
	}
	return false
}
