// What is shown is not the plan but this view of it: plain data, from which every surface is drawn. It is the one door through which a plan passes, so this is where what
// must not be seen stays behind: past it no renderer can print a secret, because it has none. It reads back from the JSON that `--json` writes, so that a comment can be
// made in another job than the plan.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// NotHere is the kind of a value that depends on an environment variable which is not set where the plan is made.
const NotHere plan.Kind = "not-here"

// View is a plan as it is shown. All text in it may be hostile; none of it is secret.
type View struct {
	// State is the server's API URL, or "file:PATH", without credentials.
	State       string `json:"state"`
	Version     string `json:"prefect_version"`
	Deployments []Item `json:"deployments"`
	Steps       []Step `json:"steps"`
	// Kept are deployments that the file no longer declares and that nothing touches without --prune.
	Kept []string `json:"kept"`
	// Notes are lines for people: what was not examined and why.
	Notes []string `json:"notes"`
}

// Item is one deployment.
type Item struct {
	// Name is "flow/deployment".
	Name    string       `json:"deployment"`
	Action  plan.Action  `json:"action"`
	File    string       `json:"file"`
	Line    int          `json:"line"`
	URL     string       `json:"url"`
	Outcome plan.Outcome `json:"outcome"`
	Error   string       `json:"error"`
	// RenamedFrom is the name that it had, "" when it keeps its name.
	RenamedFrom string `json:"renamed_from"`
	// ScheduledRuns is how many runs that are already scheduled the write or the delete drops.
	ScheduledRuns int      `json:"scheduled_runs_dropped"`
	Changes       []Change `json:"changes"`
}

// Change is one field. Before and After are null where there is nothing to show.
type Change struct {
	Path   string      `json:"path"`
	Before value.Value `json:"before"`
	After  value.Value `json:"after"`
	Value  plan.Kind   `json:"value"`
	Reason string      `json:"reason"`
	Line   int         `json:"line"`
	// Zone and Next belong to a schedule: the time zone's name, and the next run times in it.
	Zone string      `json:"timezone"`
	Next []time.Time `json:"next"`
}

// Step is what became of a step; a plan has none.
type Step struct {
	Key      string      `json:"key"`
	Function string      `json:"function"`
	Outcome  string      `json:"outcome"`
	Seconds  float64     `json:"seconds"`
	Outputs  value.Value `json:"outputs"`
	Error    string      `json:"error"`
}

// Read takes a view from the JSON of a plan.
func Read(data []byte) (*View, error) {
	var v struct {
		Schema int `json:"schema"`
		View
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, fmt.Errorf("this is no plan as --json writes it: %w", err)
	}
	if v.Schema != 1 {
		return nil, errors.New("this plan is of another version of the program: make it again")
	}
	v.State = withoutLogin(v.State)
	for i := range v.Deployments {
		for j := range v.Deployments[i].Changes {
			hide(&v.Deployments[i].Changes[j])
		}
	}
	return &v.View, nil
}

// Of is the view of a plan.
func Of(p *plan.Plan) *View {
	v := &View{State: withoutLogin(p.State), Version: p.PrefectVersion, Notes: p.Notes, Kept: keptOf(p)}
	for _, d := range p.Deployments {
		v.Deployments = append(v.Deployments, itemOf(d))
	}
	for _, s := range p.Steps {
		v.Steps = append(v.Steps, Step{Key: s.Key, Function: s.Function, Outcome: s.Outcome, Seconds: s.Seconds, Outputs: s.Outputs.Redacted(), Error: s.Error})
	}
	return v
}

func itemOf(d *plan.Deployment) Item {
	out := Item{Name: d.Name.String(), Action: d.Action, URL: d.URL, Outcome: d.Outcome, Error: d.Error, RenamedFrom: renamedFrom(d), ScheduledRuns: scheduledRuns(d)}
	if d.Desired != nil && d.Desired.Resolved != nil {
		at := d.Desired.Resolved.Position(d.Desired.Resolved.Spec.Pos)
		out.File, out.Line = at.File, at.Line
	}
	if d.Action == plan.Create && len(d.Changes) == 0 && d.Desired != nil {
		out.Changes = creation(d.Desired)
		return out
	}
	for i := range d.Changes {
		out.Changes = append(out.Changes, changeOf(d.Desired, &d.Changes[i]))
	}
	return out
}

func changeOf(d *plan.Desired, c *plan.Change) Change {
	out := Change{Path: c.Path, Before: c.Before.Redacted(), After: c.After.Redacted(), Value: c.ValueKind(), Reason: c.Reason, Line: int(c.Pos.Line)}
	out.Zone, out.Next = timesOf(d, c)
	hide(&out)
	return out
}

// hide takes away the values that a change of its kind does not show.
func hide(c *Change) {
	switch c.Value {
	case plan.Known:
	case plan.AfterBuild:
		c.After = value.Value{}
	default:
		c.Before, c.After = value.Value{}, value.Value{}
	}
}

// creation is a new deployment as changes from nothing: what the file says, without what Prefect would fill in anyway.
func creation(d *plan.Desired) []Change {
	var out []Change
	for i := range d.Schedules {
		s := &d.Schedules[i]
		kind, timing := timing(s)
		c := field(fmt.Sprintf("schedules[%d]%s", i, kind), timing)
		c.Zone, c.Next = scheduleTimes(s)
		out = append(out, c)
	}
	for _, e := range d.Fields.Map {
		if e.Key == "parameter_openapi_schema" || !e.Value.Truthy() || e.Value.Origin.Has(value.Derived) || (e.Key == "enforce_parameter_schema" && e.Value.Bool) {
			continue
		}
		out = fields(out, e.Key, e.Value)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

func fields(out []Change, path string, v value.Value) []Change {
	if v.Kind != value.Map || len(v.Map) == 0 || v.Origin != 0 {
		return append(out, field(path, v))
	}
	for _, e := range v.Map {
		out = fields(out, path+"."+e.Key, e.Value)
	}
	return out
}

func field(path string, v value.Value) Change {
	c := Change{Path: path, After: v.Redacted(), Value: plan.Known, Reason: "added", Line: int(v.Pos.Line)}
	switch marks := v.Marks(); {
	case marks.Has(value.Sensitive):
		c.Value = plan.Sensitive
	case marks.Has(value.AfterBuild):
		c.Value = plan.AfterBuild
	case marks.Has(value.NotHere):
		c.Value = NotHere
	}
	hide(&c)
	return c
}

func timing(s *plan.Schedule) (kind string, v value.Value) {
	for _, kind := range []string{"cron", "interval", "rrule"} {
		if v, ok := s.Source.Get(kind); ok && !v.IsNull() {
			return "." + kind, v
		}
	}
	return "", s.Source.Redacted()
}
