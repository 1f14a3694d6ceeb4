// Package state is what a Prefect server, or a file, holds of deployments: read in bulk, written one deployment at a time.
//
// A backend is a value of State, a struct of functions, so that plan and apply are the same code for a server and for a file, and a
// test can stand in for either. The package knows how to reach a wanted state with the requests that a server really honours; it does
// not know why something is to be written, nor how a change is shown.
package state

import (
	"context"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Name names a deployment.
type Name struct{ Flow, Deployment string }

// String is "flow/deployment", as everywhere in Prefect.
func (n Name) String() string { return n.Flow + "/" + n.Deployment }

// BlockRef names a block document: the slug of its type ("secret") and its own name, or its ID alone.
type BlockRef struct{ Type, Name, ID string }

// String is "type/name", or the ID.
func (r BlockRef) String() string {
	if r.ID != "" {
		return r.ID
	}
	return r.Type + "/" + r.Name
}

// Query says what a plan needs to know; nothing else is read.
type Query struct {
	Deployments []Name
	// All asks for every deployment there is, beside the named ones, unless there are more than this many; 0 asks for the named ones alone.
	All                  int
	WorkPools, Variables []string
	Blocks               []BlockRef
	// Automations asks for those that run the deployments.
	Automations bool
}

// Snapshot is what was there when it was read. What is absent from a map does not exist.
type Snapshot struct {
	// Source is "http://127.0.0.1:4200/api" or "file:state.json".
	Source string
	// PrefectVersion is the server's ("3.8.8"), "cloud" for Prefect Cloud, "" for a file.
	PrefectVersion string
	Deployments    map[Name]*Live
	// Complete says that Deployments holds every deployment there is; Total is their number, where it was asked for.
	Complete bool
	Total    int
	// WorkPools is nil for a file that lists none: then pools are not known and not checked.
	WorkPools map[string]*WorkPool
	Variables map[string]value.Value
	// Blocks holds the data of each block, references to other blocks filled in. All of it is marked Sensitive.
	Blocks map[BlockRef]value.Value
	// NoAutomations says why the automations could not be read: there are none on this server, or they are not for this key to read.
	NoAutomations string

	automations map[string][]Automation
}

// Live is a deployment that exists.
type Live struct {
	ID, FlowID string
	Name       Name
	// Fields is a mapping with the keys of fieldNames, as far as the backend knows them: version, tags, description, schedules
	// ([{id, schedule, active, max_scheduled_runs, parameters, slug}], sorted), paused, concurrency_limit (from the limit that the
	// server keeps: whole number or null), concurrency_options, parameters, enforce_parameter_schema, parameter_openapi_schema,
	// pull_steps, entrypoint, work_pool_name, work_queue_name, job_variables, path, labels.
	Fields value.Value
	// URL is its page in the user interface, "" for a file.
	URL string
	// ForeignLimit is the name of the concurrency limit that someone attached in place of the deployment's own, "" for none. Others may share it.
	ForeignLimit string
	// Automations are those that run it and do nothing else, nil where they were not read; AllOwned says that deploys made them all.
	Automations []Automation
	AllOwned    bool
	// SLAs are known of a file only, which holds what was sent last; nil where they can't be read.
	SLAs *value.Value
}

// WorkPool is what the checks before a deploy need of a pool.
type WorkPool struct {
	Name, Type           string
	BaseJobTemplate      value.Value
	IsPushPool, IsPaused bool
}

// Write is one deployment to create or to update.
type Write struct {
	Name Name
	// Live is the deployment as it was read; nil creates it.
	Live *Live
	// Fields is exactly what is to be set, under the names of Live.Fields; what is missing stays as it is (or takes Prefect's
	// default on creation). "schedules", when there, is the full new list: afterwards the deployment has these and no others. A schedule
	// without "active" keeps the state of the live one of the same slug, else of the same timing, else it is active; `replaces`
	// renames a live slug. labels are set on creation only, as Prefect's update has none.
	Fields value.Value
	// DeleteSchedules are ids of live schedules that go, also when Fields has no "schedules".
	DeleteSchedules []string
	// Automations is nil where they stay as they are. SLAs, if not nil, are the full new list.
	Automations *AutomationWrite
	SLAs        *[]value.Value
}

// State is one backend. Read and Write may be called concurrently; after Close neither is.
type State struct {
	Source string
	// Read returns what exists of what the query names.
	Read func(ctx context.Context, q Query) (*Snapshot, error)
	// Write carries out one write and returns the deployment as it then is: from the server's answer on creation, else what was read
	// with the fields laid over it (its schedules may lack ids then). An error means that it may be written in part; writing
	// again after a new Read converges.
	Write func(ctx context.Context, w Write) (*Live, error)
	// Delete removes a deployment that Read gave. That it is gone already is no error.
	Delete func(ctx context.Context, l *Live) error
	// Runs counts runs of deployments, by id, all in one number: what a write or a delete takes away. Nil where there are no runs.
	Runs func(ctx context.Context, ids []string, which Runs) (int, error)
	// Together says that many writes at once cost hardly more than one: then there is no reason to bound how many.
	Together bool
	// Close releases what the backend holds: a file's lock. Whatever was written is on the disk or the server before Write returns.
	Close func() error
}

// Runs are kinds of runs that have not begun.
type Runs int

// What 3.8.8 does with them (runs_real_test.go asks it again): an update drops those that a schedule made for times to come, and the server makes them anew; a delete drops all that are
// scheduled, and one that a worker has already taken (pending) finds its deployment gone.
const (
	// RunsToCome were made by a schedule, for a time that is still to come.
	RunsToCome Runs = iota
	// RunsNotBegun are all that are scheduled or pending, whoever made them.
	RunsNotBegun
)

// OwnerLabel is the label that a deployment which we create carries.
const OwnerLabel = "x-ci.owner"

// OwnerOf is the value of the owner's label, "" without one.
func (l *Live) OwnerOf() string {
	labels, _ := l.Fields.Get("labels")
	v, _ := labels.Get(OwnerLabel)
	return v.Text
}

// fieldNames are the fields of a deployment in the order in which they are kept and shown.
func fieldNames() []string {
	return []string{
		"version", "tags", "description", "schedules", "paused", "concurrency_limit", "concurrency_options", "parameters",
		"enforce_parameter_schema", "parameter_openapi_schema", "pull_steps", "entrypoint", "work_pool_name", "work_queue_name",
		"job_variables", "path", "labels",
	}
}

// overlay lays the given fields over the base: given ones win, the order of base stays.
func overlay(base, given value.Value) value.Value {
	for _, e := range given.Map {
		base = base.Set(e.Key, e.Value)
	}
	base.Kind = value.Map
	return base
}

// without returns the mapping without the keys.
func without(v value.Value, keys ...string) value.Value {
	kept := make([]value.Entry, 0, len(v.Map))
next:
	for _, e := range v.Map {
		for _, k := range keys {
			if e.Key == k {
				continue next
			}
		}
		kept = append(kept, e)
	}
	v.Map = kept
	return v
}

// normal replaces nulls that Prefect refuses, or stores as such, by the empty value that was meant: a null list of tags is 422, a
// null mapping of parameters a conflict with the database (3.8.8). A null truth value is left out.
func normal(fields value.Value) value.Value {
	kept := make([]value.Entry, 0, len(fields.Map))
	for _, e := range fields.Map {
		if e.Value.IsNull() {
			switch e.Key {
			case "tags", "schedules":
				e.Value = value.Of([]value.Value{})
			case "parameters", "job_variables", "labels":
				e.Value = value.Of([]value.Entry{})
			case "paused", "enforce_parameter_schema", "parameter_openapi_schema":
				continue
			}
		}
		kept = append(kept, e)
	}
	fields.Kind, fields.Map = value.Map, kept
	return fields
}

// creationDefaults are the values that Prefect gives a new deployment; checked against 3.8.8.
func creationDefaults() value.Value {
	empty := value.Of([]value.Entry{})
	return value.Of([]value.Entry{
		{Key: "version", Value: value.Value{}},
		{Key: "tags", Value: value.Of([]value.Value{})},
		{Key: "description", Value: value.Value{}},
		{Key: "schedules", Value: value.Of([]value.Value{})},
		{Key: "paused", Value: value.Of(false)},
		{Key: "concurrency_limit", Value: value.Value{}},
		{Key: "concurrency_options", Value: value.Value{}},
		{Key: "parameters", Value: empty},
		{Key: "enforce_parameter_schema", Value: value.Of(true)},
		{Key: "parameter_openapi_schema", Value: value.Of([]value.Entry{{Key: "type", Value: value.Of("object")}, {Key: "properties", Value: empty}})},
		{Key: "pull_steps", Value: value.Of([]value.Value{})},
		{Key: "entrypoint", Value: value.Value{}},
		{Key: "work_pool_name", Value: value.Value{}},
		{Key: "work_queue_name", Value: value.Value{}},
		{Key: "job_variables", Value: empty},
		{Key: "path", Value: value.Value{}},
		{Key: "labels", Value: empty},
	})
}

// scrub takes sensitive values out of an error's text: Prefect's messages quote the value that they refuse.
func scrub(text string, v value.Value) string { return scrubMarked(text, v, false) }

func scrubMarked(text string, v value.Value, inside bool) string {
	inside = inside || v.Origin.Has(value.Sensitive)
	if inside && v.Kind != value.List && v.Kind != value.Map {
		if secret := v.Str(); len(secret) > 2 {
			text = strings.ReplaceAll(text, secret, "(sensitive)")
		}
	}
	for i := range v.List {
		text = scrubMarked(text, v.List[i], inside)
	}
	for i := range v.Map {
		text = scrubMarked(text, v.Map[i].Value, inside)
	}
	return text
}

// textOf is the text under key, "" when there is none.
func textOf(v value.Value, key string) string {
	got, _ := v.Get(key)
	if got.Kind != value.Text {
		return ""
	}
	return got.Text
}
