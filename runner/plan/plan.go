// Package plan holds the desired state of deployments against the live one: what will be created and changed, why, and with which request.
//
// It decides; it neither reads a server nor writes one, and it does not know where a plan is shown.
package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// Action is what a plan does to a deployment.
type Action string

// The actions. Rebuild: only values known after the build differ.
const (
	Create    Action = "create"
	Update    Action = "update"
	Rebuild   Action = "rebuild"
	Delete    Action = "delete"
	Unchanged Action = "unchanged"
)

// Outcome is what became of it.
type Outcome string

// The outcomes.
const (
	Planned Outcome = "planned"
	Applied Outcome = "applied"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Deployment is the plan of one deployment.
type Deployment struct {
	Name    state.Name
	Action  Action
	Changes []Change
	URL     string
	Outcome Outcome
	// Error is why it failed or was skipped, in one sentence.
	Error string
	// RenamedFrom is the live deployment that this one takes the place of, nil for none.
	RenamedFrom *state.Live
	// Dropped is how many runs that a schedule made for times to come the write or delete takes away; after a write the server makes them anew. Lost is how many others it takes away for good.
	// Both are 0 where so many deployments change that only the plan's whole numbers were asked for.
	Dropped, Lost int
	// Kept are live automations that run it, that no trigger is and of which nobody knows who made them; Asked are such too, and the server takes those that a deploy made.
	Kept, Asked []*state.Automation
	Desired     *Desired
	Live        *state.Live
	// Build is what runs before it is registered.
	Build Build

	send        value.Value
	automations *state.AutomationWrite
	slas        *[]value.Value
}

// Supersede makes the plan do nothing: a later entry of the same name has the say.
func (d *Deployment) Supersede() {
	d.Action, d.Changes, d.RenamedFrom, d.automations, d.slas = Unchanged, nil, nil, nil, nil
}

// Write is the request that carries the plan out; ok is false when there is nothing to write.
func (d *Deployment) Write() (w state.Write, ok bool) {
	if d.Action == Unchanged && d.automations == nil && d.slas == nil {
		return w, false
	}
	return state.Write{Name: d.Name, Live: d.Live, Fields: d.send, Automations: d.automations, SLAs: d.slas}, true
}

// WritesDeployment reports whether the deployment itself is written, and not its automations and SLAs alone: only that takes its scheduled runs away.
func (d *Deployment) WritesDeployment() bool { return d.Action == Delete || len(d.send.Map) > 0 }

// Step is what became of a step.
type Step struct {
	Key string
	// Function is the step's full name.
	Function string
	Outcome  string
	Seconds  float64
	// Began is when it began, in seconds since the first.
	Began float64
	// Outputs are shown as far as they are not sensitive.
	Outputs value.Value
	Error   string
}

// Plan is the whole.
type Plan struct {
	State          string
	PrefectVersion string
	Deployments    []*Deployment
	Steps          []Step
	// Built is how many seconds all of the steps together took.
	Built float64
	// Kept are deployments that are owned, no longer declared, and not touched without --prune.
	Kept []*Deployment
	// Dropped and Lost are the same for all deployments together.
	Dropped, Lost int
	// Notes are lines for people: what was not examined, which variables are not set here.
	Notes []string
	// Before are the builds that the last deploy ran, by name; nil where that is not known.
	Before map[state.Name][]Build
	// Key is the plan-key, "" for none: with it sensitive values are in the hash.
	Key string
	// Interrupted: the run was ended from outside. What was not done by then is skipped.
	Interrupted bool
}

// Counts are the numbers of the summary.
type Counts struct {
	Create    int `json:"create"`
	Update    int `json:"update"`
	Rebuild   int `json:"rebuild"`
	Delete    int `json:"delete"`
	Unchanged int `json:"unchanged"`
	Failed    int `json:"failed"`
}

// Count counts the deployments by action; those that failed or were skipped count as failed too.
func (p *Plan) Count() Counts {
	var c Counts
	for _, d := range p.Deployments {
		switch d.Action {
		case Create:
			c.Create++
		case Update:
			c.Update++
		case Rebuild:
			c.Rebuild++
		case Delete:
			c.Delete++
		case Unchanged:
			c.Unchanged++
		}
		if d.Outcome == Failed || d.Outcome == Skipped {
			c.Failed++
		}
	}
	return c
}

// Changes reports whether something is to be created, changed, rebuilt or deleted.
func (p *Plan) Changes() bool {
	c := p.Count()
	return c.Create+c.Update+c.Rebuild+c.Delete > 0
}

type jsonChange struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
	Value  Kind            `json:"value"`
	Reason string          `json:"reason"`
	Line   int             `json:"line"`
	// Timezone and NextRuns are those of the schedule that a change of its timing leaves behind, left out for other changes.
	Timezone string   `json:"timezone,omitempty"`
	NextRuns []string `json:"next_runs,omitempty"`
}

type jsonDeployment struct {
	Deployment string  `json:"deployment"`
	Action     Action  `json:"action"`
	File       string  `json:"file"`
	Line       int     `json:"line"`
	URL        string  `json:"url"`
	Outcome    Outcome `json:"outcome"`
	Error      string  `json:"error,omitempty"`
	// RenamedFrom, Dropped and Lost are left out when there is nothing to say.
	RenamedFrom string `json:"renamed_from,omitempty"`
	Dropped     int    `json:"scheduled_runs_dropped,omitempty"`
	Lost        int    `json:"runs_lost,omitempty"`
	// Build are the steps that run before it is registered, left out where there are none.
	Build   []BuildStep  `json:"build,omitempty"`
	Changes []jsonChange `json:"changes"`
}

type jsonStep struct {
	Key     string          `json:"key"`
	Outcome string          `json:"outcome"`
	Seconds float64         `json:"seconds"`
	Outputs json.RawMessage `json:"outputs"`
	Error   string          `json:"error,omitempty"`
}

// JSON is the plan as `--json` writes it, schema version 1. Sensitive values are not in it.
func (p *Plan) JSON() []byte {
	out := struct {
		Schema         int              `json:"schema"`
		Hash           string           `json:"hash"`
		State          string           `json:"state"`
		PrefectVersion string           `json:"prefect_version"`
		Summary        Counts           `json:"summary"`
		Deployments    []jsonDeployment `json:"deployments"`
		Steps          []jsonStep       `json:"steps"`
		Kept           []string         `json:"kept"`
		Notes          []string         `json:"notes"`
		Dropped        int              `json:"scheduled_runs_dropped,omitempty"`
		Lost           int              `json:"runs_lost,omitempty"`
		Interrupted    bool             `json:"interrupted,omitempty"`
		Keyed          bool             `json:"keyed,omitempty"`
	}{1, p.Hash(), p.State, p.PrefectVersion, p.Count(), []jsonDeployment{}, []jsonStep{}, []string{}, append([]string{}, p.Notes...), p.Dropped, p.Lost, p.Interrupted, p.Key != ""}
	for _, d := range p.Kept {
		out.Kept = append(out.Kept, d.Name.String())
	}
	for _, d := range p.Deployments {
		out.Deployments = append(out.Deployments, d.json())
	}
	for _, s := range p.Steps {
		outputs := s.Outputs
		if outputs.Kind != value.Map {
			outputs = value.Value{Kind: value.Map}
		}
		out.Steps = append(out.Steps, jsonStep{s.Key, s.Outcome, s.Seconds, outputs.Redacted().AppendJSON(nil), s.Error})
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil { // plain data: it cannot fail
		panic(err)
	}
	return append(data, '\n')
}

func (d *Deployment) json() jsonDeployment {
	j := jsonDeployment{Deployment: d.Name.String(), Action: d.Action, URL: d.URL, Outcome: d.Outcome, Error: d.Error, Dropped: d.Dropped, Lost: d.Lost, Build: d.Build.Steps, Changes: []jsonChange{}}
	if d.RenamedFrom != nil {
		j.RenamedFrom = d.RenamedFrom.Name.String()
	}
	if d.Desired != nil {
		at := d.Desired.Resolved.Position(d.Desired.Resolved.Spec.Pos)
		j.File, j.Line = at.File, at.Line
	}
	changes := d.Changes
	if d.Action == Create && d.Desired != nil {
		changes = Created(d.Desired)
	}
	for i := range changes {
		if changes[i].Kind != NotHere {
			j.Changes = append(j.Changes, changes[i].json())
		}
	}
	return j
}

func (c *Change) json() jsonChange {
	x := jsonChange{Path: c.Path, Value: c.ValueKind(), Reason: c.Reason, Line: int(c.Pos.Line)}
	switch x.Value {
	case Known:
		x.Before, x.After = c.Before.AppendJSON(nil), c.After.AppendJSON(nil)
	case AfterBuild:
		x.Before = c.Before.AppendJSON(nil)
	}
	if c.Schedule != nil {
		next := c.Schedule.NextTimes(nextRuns)
		x.Timezone = c.Schedule.Zone(next)
		for _, t := range next {
			x.NextRuns = append(x.NextRuns, t.Format(time.RFC3339))
		}
	}
	return x
}

// nextRuns is how many run times a plan's JSON gives of a schedule.
const nextRuns = 3

// ValueKind is the change's kind, known unless it says otherwise.
func (c *Change) ValueKind() Kind {
	if c.Kind == "" {
		return Known
	}
	return c.Kind
}

// Hash identifies what the plan does: deployments, actions and changes, and the steps that run for them. What is derived and what is known after the build is not in it, and
// sensitive values are only where the plan has a key (what steps gave already, or a digest of what they read foretells, is known and counts): then the whole is keyed, as a plain digest of a password would be a way to guess it.
func (p *Plan) Hash() string {
	h, hidden := sha256.New(), value.Sensitive
	if p.Key != "" {
		h, hidden = hmac.New(sha256.New, []byte(p.Key)), value.NotHere
	}
	field := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	if p.Key != "" {
		field("hash")
	}
	field(p.State)
	for _, d := range p.Deployments {
		field(d.Name.String())
		field(string(d.Action))
		for _, c := range d.Changes {
			field(c.Path)
			switch kind := c.ValueKind(); {
			case kind == Known, kind == Sensitive && p.Key != "":
				field(string(c.Before.AppendJSON(nil)))
				field(string(c.After.AppendJSON(nil)))
			case kind == Sensitive && !c.After.Marks().Has(value.Sensitive): // only the live value is hidden: what the file says plainly is intent
				field(string(c.After.AppendJSON(nil)))
			}
		}
		if d.Action == Create && d.Desired != nil {
			field(string(intent(d.Desired, hidden).AppendJSON(nil)))
		}
		if build := d.Build.digest(); build != "" {
			field(build)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
