// What is shown is not the plan but this view of it: plain data, from which every surface is drawn. It is the one door through which a plan passes, so this is where what
// must not be seen stays behind: past it no renderer can print a secret, because it has none. It reads back from the JSON that `--json` writes, so that a comment can be
// made in another job than the plan.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// NotHere is the kind of a value that depends on an environment variable which is not set where the plan is made.
const NotHere = plan.NotHere

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
	// Interrupted: the deploy was ended from outside.
	Interrupted bool `json:"interrupted"`
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
	// ScheduledRuns is how many runs of its schedules the write or the delete drops, and LostRuns how many others it takes away for good.
	ScheduledRuns int      `json:"scheduled_runs_dropped"`
	LostRuns      int      `json:"runs_lost"`
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
	Next []time.Time `json:"next_runs"`
}

// Step is what became of a step; a plan has none.
type Step struct {
	Key      string      `json:"key"`
	Function string      `json:"function"`
	Outcome  string      `json:"outcome"`
	Seconds  float64     `json:"seconds"`
	Outputs  value.Value `json:"outputs"`
	Error    string      `json:"error"`
	// began and ended are when it ran, in seconds since the first; both are 0 where that is not known.
	began, ended float64
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
	v := &View{Interrupted: p.Interrupted, State: withoutLogin(p.State), Version: p.PrefectVersion, Notes: p.Notes, Kept: keptOf(p)}
	for _, d := range p.Deployments {
		v.Deployments = append(v.Deployments, itemOf(d))
	}
	for _, s := range p.Steps {
		v.Steps = append(v.Steps, Step{Key: s.Key, Function: s.Function, Outcome: s.Outcome, Seconds: s.Seconds, began: s.Began, ended: s.Began + s.Seconds, Outputs: s.Outputs.Redacted(), Error: s.Error})
	}
	return v
}

func itemOf(d *plan.Deployment) Item {
	out := Item{Name: d.Name.String(), Action: d.Action, URL: d.URL, Outcome: d.Outcome, Error: d.Error, RenamedFrom: renamedFrom(d), ScheduledRuns: d.Dropped, LostRuns: d.Lost}
	if d.Desired != nil && d.Desired.Resolved != nil {
		at := d.Desired.Resolved.Position(d.Desired.Resolved.Spec.Pos)
		out.File, out.Line = at.File, at.Line
	}
	changes := d.Changes
	if d.Action == plan.Create && len(changes) == 0 && d.Desired != nil {
		changes = plan.Created(d.Desired)
	}
	for i := range changes {
		out.Changes = append(out.Changes, changeOf(d.Desired, &changes[i]))
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
