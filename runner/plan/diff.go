// The difference between what should be and what is. What differs only by the server's own defaults or spelling is equal: those exceptions are the table below, each
// with its reason.
package plan

import (
	"fmt"
	"sort"
	"strings"

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

// Compare makes the plan of one deployment; live is nil for a new one.
func Compare(d *Desired, live *state.Live) (*Deployment, error) {
	out := &Deployment{Name: d.Name, Desired: d, Live: live, Outcome: Planned}
	if live == nil {
		out.Action = Create
		out.send = creation(d)
		return out, nil
	}
	out.URL = live.URL
	fields := map[string]bool{}
	for _, e := range d.Fields.Map {
		was, _ := live.Fields.Get(e.Key)
		changes := fieldChanges(d, e.Key, was, e.Value)
		if len(changes) > 0 {
			fields[e.Key] = true
		}
		out.Changes = append(out.Changes, changes...)
	}
	schedules, _ := live.Fields.Get("schedules")
	changes, list, err := diffSchedules(d, schedules.List)
	if err != nil {
		return nil, err
	}
	out.Changes = append(out.Changes, changes...)
	sort.SliceStable(out.Changes, func(i, j int) bool { return out.Changes[i].Path < out.Changes[j].Path })
	out.Action = actionOf(out.Changes)
	if out.Action != Unchanged {
		out.send = update(d, fields, list)
	}
	return out, nil
}

// mayHoldSecrets reports whether a path lies where teams put passwords.
func mayHoldSecrets(path string) bool {
	for _, field := range []string{"job_variables", "parameters", "pull_steps"} {
		if rest, ok := strings.CutPrefix(path, field); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return strings.HasPrefix(path, "schedules[") && strings.Contains(path, "].parameters")
}

// inEnvironment reports whether a path is a variable of a run's environment, or an argument of a pull step: where passwords travel under any name.
func inEnvironment(path string) bool {
	return strings.HasPrefix(path, "job_variables.env.") || strings.HasPrefix(path, "pull_steps[") && namesASecret(path)
}

// namesASecret reports whether a path's last part is the name of a credential: what the file says in clear now may have been a secret before.
func namesASecret(path string) bool {
	name := strings.ToLower(path[strings.LastIndexAny(path, ".")+1:])
	for _, word := range []string{"password", "passwd", "secret", "token", "api_key", "apikey", "credential", "private_key", "access_key", "auth", "connection_string"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
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

func fieldChanges(d *Desired, field string, was, want value.Value) []Change {
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
	return diffValue(field, was, want, want.Pos)
}

// diffValue descends into mappings and lists of one length, so that a change names the smallest part that differs.
func diffValue(path string, was, want value.Value, at value.Pos) []Change {
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
		return diffMaps(path, was, want, at)
	case want.Kind == value.List && was.Kind == value.List && len(want.List) == len(was.List) && !scalars(want):
		var out []Change
		for i := range want.List {
			out = append(out, diffValue(fmt.Sprintf("%s[%d]", path, i), was.List[i], want.List[i], at)...)
		}
		return out
	case marks.Has(value.AfterBuild) && was.Marks().Has(value.AfterBuild) && value.Equal(was, want):
		return nil // the intent of another commit: the same template
	case marks.Has(value.AfterBuild):
		return []Change{{Path: path, Before: was, Kind: AfterBuild, Reason: "known after build", Pos: at}}
	case marks.Has(value.NotHere), value.Equal(was, want):
		return nil
	}
	kind := kindOf(marks)
	if was.Kind == value.Text && len(want.Refs()) == 0 && (inEnvironment(path) || mayHoldSecrets(path) && namesASecret(path)) {
		kind = Sensitive // what the file says in clear now may have been filled from a secret before
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

func diffMaps(path string, was, want value.Value, at value.Pos) []Change {
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
		out = append(out, diffValue(join(path, e.Key), old, e.Value, where)...)
	}
	for _, e := range was.Map {
		if _, ok := want.Get(e.Key); !ok {
			kind := kindOf(want.Origin)
			if mayHoldSecrets(path) { // nothing in the file tells any more whether it was one
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
