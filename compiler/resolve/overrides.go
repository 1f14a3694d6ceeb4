// What the command line lays over the one selected deployment, option by option as `prefect deploy` 3.8.8 does it: most replace the file's value, tags as a whole,
// --param(s) merge at the top level, --job-variable replaces the file's job variables altogether, schedules are added.
package resolve

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Overrides are the options of the command line that describe a deployment. A nil pointer or slice is an option that was not given.
type Overrides struct {
	Entrypoint, Description, Version, VersionType, FlowName *string
	Tags                                                    []string
	WorkPool, WorkQueue                                     *string
	// JobVariables are "key=value" or JSON objects.
	JobVariables []string
	Cron, RRule  []string
	Interval     []int64
	AnchorDate   *string
	Timezone     *string
	// Param are "key=JSON or text", Params one JSON object.
	Param             []string
	Params            *string
	ConcurrencyLimit  *int64
	CollisionStrategy *string
	NoEnforceSchema   bool
	// DefaultWorkPool is PREFECT_DEFAULT_WORK_POOL_NAME: it is no option, and with one deployment it wins over the file all the same, as in Prefect.
	DefaultWorkPool string
	// Triggers and SLAs are what --trigger and --sla gave, as mappings.
	Triggers, SLAs []value.Value
}

// Any reports whether an option was given that describes one deployment.
func (o *Overrides) Any() bool {
	return o.Entrypoint != nil || o.Description != nil || o.Version != nil || o.VersionType != nil || o.FlowName != nil || o.WorkPool != nil || o.WorkQueue != nil ||
		o.AnchorDate != nil || o.Timezone != nil || o.Params != nil || o.ConcurrencyLimit != nil || o.CollisionStrategy != nil || o.NoEnforceSchema ||
		len(o.Tags)+len(o.JobVariables)+len(o.Cron)+len(o.RRule)+len(o.Interval)+len(o.Param)+len(o.Triggers)+len(o.SLAs) > 0
}

// Override lays the options over the selected deployments. Options that describe a deployment need exactly one.
func Override(chosen []*Deployment, o Overrides) error {
	if len(chosen) != 1 {
		if o.Any() || o.Tags != nil {
			return &UsageError{"the options describe one deployment, and several are selected: " + list(titles(chosen)) + "; name the one they are for with --name"}
		}
		for _, d := range chosen {
			d.defaultPool(o.DefaultWorkPool)
		}
		return nil
	}
	d := chosen[0]
	if o.WorkPool == nil && o.DefaultWorkPool != "" {
		o.WorkPool = &o.DefaultWorkPool
	}
	o.texts(d)
	o.pool(d)
	d.Triggers, d.SLAs = o.Triggers, o.SLAs
	for _, apply := range []func(*Deployment) error{o.jobVariables, o.parameters, o.schedules, o.limit} {
		if err := apply(d); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployment) defaultPool(name string) {
	pool := d.Field("work_pool")
	if current, _ := pool.Get("name"); name != "" && current.IsNull() {
		d.Fields = d.Fields.Set("work_pool", pool.Set("name", value.Of(name)))
	}
}

func (o *Overrides) texts(d *Deployment) {
	for _, t := range []struct {
		field string
		text  *string
	}{{"entrypoint", o.Entrypoint}, {"description", o.Description}, {"version", o.Version}, {"flow_name", o.FlowName}} {
		if t.text != nil {
			d.Fields = d.Fields.Set(t.field, value.Of(*t.text))
		}
	}
	if o.Version != nil {
		d.GivenVersion = *o.Version
	}
	if o.VersionType != nil && !d.Field("version_type").Truthy() { // the file's wins, as in Prefect
		d.Fields = d.Fields.Set("version_type", value.Of(*o.VersionType))
	}
	if o.Tags != nil {
		tags := make([]value.Value, len(o.Tags))
		for i, t := range o.Tags {
			tags[i] = value.Of(t)
		}
		d.Fields = d.Fields.Set("tags", value.Of(tags))
	}
	if o.NoEnforceSchema {
		d.Fields = d.Fields.Set("enforce_parameter_schema", value.Of(false))
	}
}

func (o *Overrides) pool(d *Deployment) {
	pool := d.Field("work_pool")
	if o.WorkPool != nil && *o.WorkPool != "" {
		pool = pool.Set("name", value.Of(*o.WorkPool))
	}
	if o.WorkQueue != nil && *o.WorkQueue != "" {
		pool = pool.Set("work_queue_name", value.Of(*o.WorkQueue))
	}
	d.Fields = d.Fields.Set("work_pool", pool)
}

func (o *Overrides) jobVariables(d *Deployment) error {
	if len(o.JobVariables) == 0 {
		return nil
	}
	given := value.Of([]value.Entry{})
	for i, text := range o.JobVariables {
		if key, v, ok := strings.Cut(text, "="); ok {
			given = given.Set(key, value.Of(v))
			continue
		}
		v, err := value.FromPythonJSON([]byte(text))
		if err != nil || v.Kind != value.Map {
			return &UsageError{fmt.Sprintf("--job-variable number %d is neither key=value nor a JSON object%s", i+1, jsonTrouble(err))} // without its text, which may be a secret
		}
		for _, e := range v.Map {
			given = given.Set(e.Key, e.Value)
		}
	}
	d.Outputs = given
	d.Fields = d.Fields.Set("work_pool", d.Field("work_pool").Set("job_variables", given))
	return nil
}

// jsonTrouble says what is wrong with JSON, "" where it is only of another kind.
func jsonTrouble(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

func (o *Overrides) parameters(d *Deployment) error {
	if len(o.Param) > 0 && o.Params != nil {
		return &UsageError{"--param and --params can't be given together"}
	}
	parameters := d.Field("parameters")
	for i, text := range o.Param {
		key, raw, ok := strings.Cut(text, "=")
		if !ok {
			return &UsageError{fmt.Sprintf("--param number %d has no =: write name=value", i+1)} // without its text, which may be a secret
		}
		v, err := value.FromPythonJSON([]byte(raw))
		if err != nil {
			v = value.Of(raw)
		}
		parameters = parameters.Set(key, v)
	}
	if o.Params != nil && *o.Params != "" {
		v, err := value.FromPythonJSON([]byte(*o.Params))
		if err != nil || v.Kind != value.Map {
			return &UsageError{"--params is a JSON object, and what is given is not" + jsonTrouble(err)} // without its text, which may be a secret
		}
		for _, e := range v.Map {
			parameters = parameters.Set(e.Key, e.Value)
		}
	}
	d.Fields = d.Fields.Set("parameters", parameters)
	return nil
}

// schedules adds the given ones to the file's, and lays --anchor-date and --timezone over all.
func (o *Overrides) schedules(d *Deployment) error {
	list := append([]value.Value(nil), d.Field("schedules").List...)
	add := func(kind string, v value.Value) {
		list = append(list, value.Of([]value.Entry{{Key: kind, KeyKind: value.Text, Value: v}}))
	}
	for _, c := range o.Cron {
		add("cron", value.Of(c))
	}
	for _, i := range o.Interval {
		add("interval", value.Of(i))
	}
	for _, r := range o.RRule {
		add("rrule", value.Of(r))
	}
	for i := range list {
		if interval, ok := list[i].Get("interval"); ok && interval.Truthy() && o.AnchorDate != nil && *o.AnchorDate != "" {
			list[i] = list[i].Set("anchor_date", value.Of(*o.AnchorDate))
		}
		if o.Timezone != nil && *o.Timezone != "" {
			list[i] = list[i].Set("timezone", value.Of(*o.Timezone))
		}
		if _, fault := Timing(list[i]); fault != nil && !fault.Value.Pos.Known() {
			return optionFault(fault)
		}
	}
	if len(list) > 0 {
		d.Fields = d.Fields.Set("schedules", value.Value{Kind: value.List, Pos: d.Field("schedules").Pos, List: list})
	}
	return nil
}

// timingOptions are the options whose value each fault of a timing is about, where it stands in no file.
var timingOptions = map[string]string{"invalid-cron": "--cron", "invalid-interval": "--interval", "invalid-rrule": "--rrule", "invalid-timezone": "--timezone", "invalid-anchor-date": "--anchor-date"}

// optionFault names the option that gave a wrong timing: the file has no line that is to blame.
func optionFault(fault *TimingFault) error {
	option, ok := timingOptions[fault.Problem.Code]
	if !ok || fault.Value.Kind == value.Map { // none of the three says when
		return &UsageError{"--cron, --interval and --rrule want a time: what was given is empty or 0"}
	}
	given := diag.Quote(fault.Value.Str())
	if fault.Value.Kind == value.Int {
		given = strconv.FormatInt(fault.Value.Int, 10)
	}
	return &UsageError{option + " " + given + ": " + fault.Problem.Message + "; " + fault.Problem.Help}
}

func (o *Overrides) limit(d *Deployment) error {
	switch {
	case o.ConcurrencyLimit != nil && *o.ConcurrencyLimit < 1:
		return &UsageError{fmt.Sprintf("--concurrency-limit %d is not positive: write a number from 1 on, or leave it out for no limit", *o.ConcurrencyLimit)}
	case o.ConcurrencyLimit == nil && o.CollisionStrategy != nil:
		return nil // Prefect ignores a strategy without a limit
	case o.ConcurrencyLimit == nil:
		return nil
	case o.CollisionStrategy == nil:
		d.Fields = d.Fields.Set("concurrency_limit", value.Of(*o.ConcurrencyLimit))
		return nil
	}
	if s := *o.CollisionStrategy; s != "ENQUEUE" && s != "CANCEL_NEW" {
		return &UsageError{fmt.Sprintf("there is no collision strategy %s: write ENQUEUE or CANCEL_NEW", diag.Quote(s))}
	}
	d.Fields = d.Fields.Set("concurrency_limit", value.Of([]value.Entry{
		{Key: "limit", KeyKind: value.Text, Value: value.Of(*o.ConcurrencyLimit)},
		{Key: "collision_strategy", KeyKind: value.Text, Value: value.Of(*o.CollisionStrategy)}}))
	return nil
}
