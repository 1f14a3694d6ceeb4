// The fields of a deployment and the types that Prefect 3.8 gives them, field by field as pydantic's lax mode reads them: a bool also from "yes" or 1, a whole
// number also from "3", text only from text. What pydantic refuses makes Prefect drop the whole file, so here it is an error with its line.
package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

var deploymentKeys = []string{"name", "version", "version_type", "tags", "description", "schedule", "schedules", "paused", "concurrency_limit",
	"flow_name", "entrypoint", "parameters", "enforce_parameter_schema", "build", "push", "pull", "work_pool", "triggers", "sla"}

// believed are keys that people write because another tool or an older Prefect had them, with what stands in their place.
var believed = map[string]string{
	"is_schedule_active": "write active: under the schedule, or paused: for the deployment",
	"is_paused":          "write paused:",
	"environment":        "write env: under work_pool: job_variables:",
	"env":                "write env: under work_pool: job_variables:",
	"job_configuration":  "write job_variables: under work_pool:",
	"job_variables":      "job_variables stands under work_pool:",
	"infra_overrides":    "write job_variables: under work_pool:",
	"work_pool_name":     "write work_pool: {name: …}",
	"work_queue_name":    "work_queue_name stands under work_pool:",
	"logging":            "Prefect reads logging settings from environment variables: set them in env: under work_pool: job_variables:",
	"retries":            "retries belong to the flow: @flow(retries=…)",
	"timeout_seconds":    "time limits belong to the flow: @flow(timeout_seconds=…)",
	"cron":               "cron stands in an entry of schedules:",
	"interval":           "interval stands in an entry of schedules:",
	"timezone":           "timezone stands in an entry of schedules:",
	"flow_run_name":      "a run's name belongs to the flow: @flow(flow_run_name=…)",
	"max_active_runs":    "write concurrency_limit: at the deployment",
	"catchup":            "Prefect does not catch up: remove it",
}

type checker struct {
	f    *File
	conv *converter
}

// fault reports at a value; where the value came through an alias, at its anchor, with the alias as the other end.
func (c *checker) fault(severity diag.Severity, code string, v value.Value, message, help string) {
	if c.conv.quiet || c.conv.diags == nil {
		return
	}
	d := diag.Diagnostic{Severity: severity, Code: code, Message: message, Help: help, Position: at(c.f.Name, v.Pos)}
	if a := v.Alias(); a.Known() {
		d.Related = append(d.Related, diag.Related{Position: at(c.f.Name, a), Message: "used by the alias at"})
	}
	c.conv.diags.Add(d)
}

func (c *checker) unknown(e value.Entry, known []string, where string) {
	help := believed[e.Key]
	if near := diag.DidYouMean(e.Key, known); near != "" && help == "" {
		help = near
	}
	c.fault(diag.Warning, "unknown-key", value.Value{Pos: e.KeyPos, Ext: e.Value.Ext}, fmt.Sprintf("Prefect knows no key %s %s and ignores it", diag.Quote(e.Key), where), help)
}

func (c *checker) wrong(v value.Value, field, want, help string) {
	c.fault(diag.Error, "wrong-type", v, fmt.Sprintf("%s is %s, and this is %s", field, want, v.Kind), help)
}

// deployment checks each key and keeps what Prefect would.
func (c *checker) deployment(d *Deployment, v value.Value) {
	d.Fields.Map = make([]value.Entry, 0, len(v.Map))
	for _, e := range v.Map {
		switch e.Key {
		case "build":
			d.Build = c.section(e)
		case "push":
			d.Push = c.section(e)
		case "pull":
			d.Pull = c.section(e)
		default:
			if x, ok := c.field(e); ok {
				x.Ext = e.Value.Ext
				e.Value = x
				d.Fields.Map = append(d.Fields.Map, e)
			}
		}
	}
	d.Name, d.Entrypoint = d.Field("name"), d.Field("entrypoint")
	c.oneScheduleKey(v)
}

// field checks one key of a deployment; ok is false for keys that Prefect ignores.
func (c *checker) field(e value.Entry) (value.Value, bool) {
	v := e.Value
	switch e.Key {
	case "name", "version", "description", "flow_name", "entrypoint":
		v = c.text(v, e.Key)
	case "version_type":
		v = c.versionType(v)
	case "tags":
		v = c.tags(v)
	case "paused", "enforce_parameter_schema":
		v = c.boolean(v, e.Key)
	case "concurrency_limit":
		v = c.concurrency(v)
	case "parameters":
		v = c.mapping(v, e.Key, false)
	case "work_pool":
		v = c.workPool(v)
	case "schedule":
		v = c.legacySchedule(v)
	case "schedules":
		v = c.schedules(v)
	case "triggers":
		v = c.listOfMappings(v, e.Key)
	case "sla":
		v = c.slas(v)
	default:
		c.unknown(e, deploymentKeys, "of a deployment")
		return v, false
	}
	return v, true
}

// text is Optional[str]: text or null; numbers, booleans and dates are not text to Prefect.
func (c *checker) text(v value.Value, field string) value.Value {
	switch {
	case v.Kind == value.Null:
	case v.Kind == value.Text && !v.Origin.Has(value.Dated):
	case v.Kind == value.Text:
		c.fault(diag.Error, "wrong-type", v, fmt.Sprintf("%s is text, and YAML reads this as a date", field), "put it between quotes: \""+v.Text+"\"")
	case v.Kind == value.List || v.Kind == value.Map:
		c.wrong(v, field, "text", "")
	default:
		written := c.written(v)
		c.fix(v, fmt.Sprintf("%s is text, and YAML reads this as %s", field, v.Kind), written)
	}
	return v
}

// fix reports a scalar that only lacks quotes, with the certain correction.
func (c *checker) fix(v value.Value, message, written string) {
	if c.conv.quiet || c.conv.diags == nil {
		return
	}
	d := diag.Diagnostic{Severity: diag.Error, Code: "wrong-type", Message: message, Position: at(c.f.Name, v.Pos)}
	d.Help = `put it between quotes: "` + written + `"`
	start := c.f.offset(v.Pos)
	if end := start + len(written); written != "" && end <= len(c.f.Source) && string(c.f.Source[start:end]) == written {
		d.Fix = &diag.Fix{Start: start, End: end, Text: `"` + written + `"`}
	}
	c.conv.diags.Add(d)
}

// written is a plain scalar as it stands in the file.
func (c *checker) written(v value.Value) string {
	if v.Pos.EndColumn <= v.Pos.Column {
		return v.Str()
	}
	start := c.f.offset(v.Pos)
	end := min(start+int(v.Pos.EndColumn-v.Pos.Column), len(c.f.Source))
	return string(c.f.Source[start:end])
}

func (c *checker) boolean(v value.Value, field string) value.Value {
	b, ok := lax(v)
	if v.IsNull() || (ok && v.Kind == value.Bool) {
		return v
	}
	if !ok {
		help := "write true or false"
		if strings.Contains(v.Text, "{{") {
			help = "Prefect reads no templates here: write true or false, or set it with an option"
		}
		c.wrong(v, field, "true or false", help)
		return v
	}
	return value.Value{Kind: value.Bool, Bool: b, Pos: v.Pos}
}

// lax is pydantic's lax bool.
func lax(v value.Value) (b, ok bool) {
	switch v.Kind {
	case value.Bool:
		return v.Bool, true
	case value.Int:
		return v.Int == 1, (v.Int == 0 || v.Int == 1) && v.Text == ""
	case value.Float:
		return v.Float == 1, v.Float == 0 || v.Float == 1
	case value.Text:
		switch strings.ToLower(v.Text) {
		case "true", "t", "yes", "y", "on", "1":
			return true, true
		case "false", "f", "no", "n", "off", "0":
			return false, true
		}
	}
	return false, false
}

// whole is pydantic's lax int.
func (c *checker) whole(v value.Value, field string) value.Value {
	n, ok := laxInt(v)
	if v.IsNull() {
		return v
	}
	if !ok {
		c.wrong(v, field, "a whole number", "")
		return v
	}
	n.Pos = v.Pos
	return n
}

func laxInt(v value.Value) (value.Value, bool) {
	switch v.Kind {
	case value.Int:
		return v, true
	case value.Bool:
		if v.Bool {
			return value.Of(1), true
		}
		return value.Of(0), true
	case value.Float:
		if v.Float == math.Trunc(v.Float) && math.Abs(v.Float) < 1<<53 {
			return value.Of(int64(v.Float)), true
		}
	case value.Text:
		text := strings.TrimSpace(strings.ReplaceAll(v.Text, "_", ""))
		if n, err := strconv.ParseInt(strings.TrimSuffix(text, ".0"), 10, 64); err == nil {
			return value.Of(n), true
		}
	}
	return v, false
}

// VersionTypes are the sources of a version that Prefect 3.8.8 knows (client/schemas/objects.py): its model of the file takes any text, the deployment then only these.
func VersionTypes() []string {
	return []string{"prefect:simple", "vcs:github", "vcs:gitlab", "vcs:bitbucket", "vcs:azuredevops", "vcs:git"}
}

// versionType is one of VersionTypes, or a template that may become one.
func (c *checker) versionType(v value.Value) value.Value {
	v = c.text(v, "version_type")
	if v.Kind == value.Text && v.Text != "" && !strings.Contains(v.Text, "{{") && !slices.Contains(VersionTypes(), v.Text) {
		c.fault(diag.Error, "invalid-version-type", v, "version_type "+diag.Quote(v.Text)+" is none that Prefect knows", "write one of "+strings.Join(VersionTypes(), ", "))
	}
	return v
}

// tags is a list, or text that is wholly a template. Plain text would become one tag per letter.
func (c *checker) tags(v value.Value) value.Value {
	switch v.Kind {
	case value.Null, value.List:
	case value.Text:
		if v.Origin.Has(value.Dated) {
			c.fault(diag.Error, "wrong-type", v, "tags is a list of texts, and YAML reads this as a date", "write [\""+v.Text+"\"]")
		} else if !wholeTemplate(v.Text) {
			c.fault(diag.Error, "tags-not-a-list", v, "tags is a list; Prefect would make one tag of each letter of this text", "write ["+diag.Clean(strings.TrimSpace(v.Text))+"]")
		}
	default:
		c.wrong(v, "tags", "a list of texts", "write [a, b]")
	}
	return v
}

// wholeTemplate reports whether a text is one placeholder and nothing else.
func wholeTemplate(s string) bool {
	return strings.HasPrefix(s, "{{") && strings.HasSuffix(s, "}}") && strings.Count(s, "{{") == 1
}

// mapping is Dict[str, Any]: a mapping with keys of text.
func (c *checker) mapping(v value.Value, field string, orNull bool) value.Value {
	if v.IsNull() && orNull {
		return v
	}
	if v.Kind != value.Map {
		help := "write key: value pairs, or leave the key out"
		if v.IsNull() {
			help = "write {} or leave the key out"
		}
		c.wrong(v, field, "a mapping", help)
		return v
	}
	for _, e := range v.Map {
		if e.KeyKind != value.Text {
			c.fault(diag.Error, "wrong-type", value.Value{Pos: e.KeyPos}, fmt.Sprintf("the keys of %s are text, and YAML reads this one as %s", field, kindOfKey(e)), `put it between quotes: "`+e.Key+`"`)
		}
	}
	return v
}

func (c *checker) listOfMappings(v value.Value, field string) value.Value {
	if v.IsNull() {
		return v
	}
	if v.Kind != value.List {
		c.wrong(v, field, "a list of mappings", "begin each with a dash")
		return v
	}
	for _, item := range v.List {
		if item.Kind != value.Map {
			c.wrong(item, "each of "+field, "a mapping", "")
			continue
		}
		c.mapping(item, "each of "+field, false)
	}
	return v
}

var poolKeys = []string{"name", "work_queue_name", "job_variables"}

func (c *checker) workPool(v value.Value) value.Value {
	if v.IsNull() {
		return v
	}
	if v.Kind != value.Map {
		help := ""
		if v.Kind == value.Text {
			help = "write work_pool: {name: " + v.Text + "}"
		}
		c.wrong(v, "work_pool", "a mapping", help)
		return v
	}
	out := value.Value{Kind: value.Map, Pos: v.Pos, Map: make([]value.Entry, 0, len(v.Map))}
	for _, e := range v.Map {
		switch e.Key {
		case "name", "work_queue_name":
			e.Value = c.text(e.Value, "work_pool."+e.Key)
		case "job_variables":
			e.Value = c.mapping(e.Value, "job_variables", false)
		default:
			c.unknown(e, poolKeys, "of work_pool")
			continue
		}
		out.Map = append(out.Map, e)
	}
	return out
}

var limitKeys = []string{"limit", "collision_strategy", "grace_period_seconds"}

// concurrency is a number or {limit, collision_strategy, grace_period_seconds}.
func (c *checker) concurrency(v value.Value) value.Value {
	if v.IsNull() {
		return v
	}
	if v.Kind != value.Map {
		n, ok := laxInt(v)
		if !ok {
			c.wrong(v, "concurrency_limit", "a whole number or a mapping with limit and collision_strategy", "")
			return v
		}
		n.Pos = v.Pos
		return n
	}
	out := value.Value{Kind: value.Map, Pos: v.Pos}
	for _, e := range v.Map {
		switch e.Key {
		case "limit", "grace_period_seconds":
			e.Value = c.whole(e.Value, "concurrency_limit."+e.Key)
		case "collision_strategy":
			e.Value = c.text(e.Value, "concurrency_limit."+e.Key)
		default:
			c.unknown(e, limitKeys, "of concurrency_limit")
			continue
		}
		out.Map = append(out.Map, e)
	}
	return c.limitMeaning(out)
}

// limitMeaning checks what the server would refuse: a mapping without a strategy, a strategy that does not exist, a grace period out of range.
func (c *checker) limitMeaning(v value.Value) value.Value {
	strategy, _ := v.Get("collision_strategy")
	switch {
	case strategy.IsNull():
		c.fault(diag.Error, "invalid-concurrency-limit", v, "a concurrency_limit that is a mapping needs a collision_strategy", "write collision_strategy: ENQUEUE or CANCEL_NEW, or only the number")
	case strategy.Kind == value.Text && strategy.Text != "ENQUEUE" && strategy.Text != "CANCEL_NEW" && !strings.Contains(strategy.Text, "{{"):
		c.fault(diag.Error, "invalid-concurrency-limit", strategy, fmt.Sprintf("there is no collision strategy %s", diag.Quote(strategy.Text)), "write ENQUEUE or CANCEL_NEW")
	}
	if grace, _ := v.Get("grace_period_seconds"); grace.Kind == value.Int && (grace.Int < 60 || grace.Int > 86400) {
		c.fault(diag.Error, "invalid-concurrency-limit", grace, "grace_period_seconds is between 60 and 86400", "")
	}
	return v
}
