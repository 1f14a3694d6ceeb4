// Desired state: what a deployment should be, field by field under the names of the API, in the form in which a server answers it.
package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// Flow is what is known of a deployment's flow, read statically or told by the Python worker.
type Flow struct {
	Name, Description string
	// NameUnknown and DescriptionUnknown say that these are guesses, settled at deploy.
	NameUnknown, DescriptionUnknown bool
	// Version is the declared one, else the MD5 of the file that defines the flow; Declared tells which.
	Version  string
	Declared bool
	// Schema is the parameter schema as Prefect sends it. SchemaUnknown says why a part of it is not known: it is settled at deploy, and no change in a plan.
	Schema        value.Value
	SchemaUnknown string
}

// Project is what is the same for all deployments of a run.
type Project struct {
	Lookups
	// Directory is the absolute working directory.
	Directory string
	// Commit is the version that Prefect derives from the commit, by version_type ("" for any); nil version info when there is none.
	Commit func(versionType string) *VersionInfo
	// Owner gives the value of the label that a new deployment of a file carries.
	Owner func(file string) string
	Now   time.Time
	// AlwaysVersion and AlwaysPullDirectory are x-ci.version and x-ci.pull-directory.
	AlwaysVersion, AlwaysPullDirectory bool
}

// VersionInfo is what Prefect tells a server of where a version comes from.
type VersionInfo struct {
	Type, Version, Branch, URL, Repository, CommitSHA, Message string
}

// Desired is one deployment as it should be.
type Desired struct {
	Resolved *resolve.Deployment
	Name     state.Name
	// Fields has the keys of state.Live.Fields that the file governs, without schedules.
	Fields value.Value
	// Schedules are those of the file; SchedulesSaid is false when it says nothing of them.
	Schedules     []Schedule
	SchedulesSaid bool
	SchedulesPos  value.Pos
	// KeptSchedules are slugs of live schedules that the file does not have and that stay, as in Prefect: someone may have made them by hand.
	KeptSchedules []string
	// LeftSchedules is how many live schedules stay because the file, which had some at the base commit, says nothing of schedules any more.
	LeftSchedules int
	// Triggers are those of the file or the command line; SLAs nil where nothing is said of them.
	Triggers      []Trigger
	TriggersPos   value.Pos
	SLAs          *[]value.Value
	SLAPos        value.Pos
	VersionInfo   value.Value
	Labels        value.Value
	SchemaUnknown string
}

// Early are the fields that have to be known before a server is asked: the names. They are filled from blocks, variables and the environment.
type Early struct {
	Resolved   *resolve.Deployment
	Fields     value.Value
	Name       string
	Entrypoint string
	WorkPool   string
}

// Fault is a diagnostic as an error.
type Fault struct{ Diagnostic diag.Diagnostic }

func (f *Fault) Error() string { return f.Diagnostic.Message }

// FillEarly is the first half of a deployment's resolution.
func (p *Project) FillEarly(d *resolve.Deployment) (*Early, error) {
	fields, err := p.Fields(d.Fields, gives(d))
	if err != nil {
		return nil, faultOf(d, err)
	}
	if err := p.checkOwnPull(d); err != nil {
		return nil, faultOf(d, err)
	}
	e := &Early{Resolved: d, Fields: fields}
	text := func(v value.Value) string {
		if v.IsNull() {
			return ""
		}
		return v.Str()
	}
	name, _ := fields.Get("name")
	e.Name = strings.TrimSuffix(text(name), ".py")
	entrypoint, _ := fields.Get("entrypoint")
	e.Entrypoint = text(entrypoint)
	pool, _ := fields.Get("work_pool")
	poolName, _ := pool.Get("name")
	e.WorkPool = text(poolName)
	return e, e.complete(p)
}

// Shown is a filled field as a message may say it: as written where what fills it is sensitive. path leads to the field, such as "work_pool", "name".
func (e *Early) Shown(path ...string) string {
	filled, written := e.Fields, e.Resolved.Fields
	for _, key := range path {
		filled, _ = filled.Get(key)
		written, _ = written.Get(key)
	}
	if filled.Marks().Has(value.Sensitive) {
		return written.Str()
	}
	return filled.Str()
}

// checkOwnPull looks up the blocks that the deployment's own pull steps name. They are registered as written, but Prefect reads them along with the fields, and fails where a
// block is missing or a mapping stands inside a text. A pull section of the whole file is not read.
func (p *Project) checkOwnPull(d *resolve.Deployment) error {
	for i := range d.Spec.Pull.Steps {
		if _, err := template.Apply(d.Spec.Pull.Steps[i].Whole, p.blocks()); err != nil {
			return err
		}
	}
	return nil
}

// complete refuses what Prefect refuses before it asks the server.
func (e *Early) complete(p *Project) error {
	d := e.Resolved
	fault := func(code string, at value.Value, message, help string) error {
		pos := at.Pos
		if !pos.Known() {
			pos = d.Spec.Pos
		}
		return &Fault{diag.Diagnostic{Severity: diag.Error, Code: code, Message: message, Help: help, Position: d.Position(pos)}}
	}
	pool, _ := e.Fields.Get("work_pool")
	for _, f := range [...]struct {
		field, key string
		of         value.Value
	}{{"name", "name", e.Fields}, {"entrypoint", "entrypoint", e.Fields}, {"work_pool.name", "name", pool}} {
		v, _ := f.of.Get(f.key)
		if err := mustBeText(d, f.field, v); err != nil {
			return err
		}
	}
	switch {
	case e.Entrypoint == "":
		return fault("missing-entrypoint", d.Field("entrypoint"), "the deployment "+diag.Quote(d.Name())+" has no entrypoint", "write entrypoint: path/to/file.py:flow_function")
	case e.Name == "":
		return fault("missing-name", d.Field("name"), "the deployment of "+diag.Quote(e.Shown("entrypoint"))+" has no name", "write name:, or give it with --name")
	case strings.ContainsAny(e.Name, "/%&><"):
		return fault("invalid-name", d.Field("name"), "the name "+diag.Quote(e.Shown("name"))+" holds one of the characters / % & > <, which names may not", "choose another name")
	case !knownVersionType(e.versionType()):
		return fault("invalid-version-type", d.Field("version_type"), "version_type "+diag.Quote(e.Shown("version_type"))+" is none that Prefect knows", "write one of "+strings.Join(spec.VersionTypes(), ", "))
	case e.WorkPool == "":
		return fault("missing-work-pool", d.Field("work_pool"), "the deployment "+diag.Quote(e.Shown("name"))+" names no work pool", "write work_pool: {name: …}, give --pool, or set PREFECT_DEFAULT_WORK_POOL_NAME")
	}
	return nil
}

func (e *Early) versionType() string {
	v, _ := e.Fields.Get("version_type")
	return v.Text
}

// knownVersionType passes over what is not filled yet.
func knownVersionType(s string) bool {
	return s == "" || strings.Contains(s, "{{") || slices.Contains(spec.VersionTypes(), s)
}

// gives tells which names the steps of a deployment may give.
func gives(d *resolve.Deployment) func(string) bool {
	return func(name string) bool {
		head := resolve.Head(name)
		if _, ok := d.Outputs.Get(head); ok {
			return true
		}
		for i := range d.Build {
			if _, maybe := resolve.Gives(&d.Build[i], head); maybe {
				return true
			}
		}
		for i := range d.Push {
			if _, maybe := resolve.Gives(&d.Push[i], head); maybe {
				return true
			}
		}
		return false
	}
}

// Pending returns the lookup for before the build: every name that a step of the deployment may give.
func Pending(d *resolve.Deployment) func(string) bool {
	if len(d.Build)+len(d.Push) == 0 {
		return nil
	}
	return gives(d)
}

func faultOf(d *resolve.Deployment, err error) error {
	x := diag.Diagnostic{Severity: diag.Error, Code: "unresolved-template", Message: err.Error(), Position: d.Position(d.Spec.Pos)}
	var t *template.Error
	if errors.As(err, &t) {
		x.Position = resolve.Locate(d.File, t.Value, t.Placeholder)
	}
	return &Fault{x}
}

// Settle is the second half: outputs are filled (or marked as pending), and every field takes its form.
func (p *Project) Settle(e *Early, f Flow) (*Desired, error) {
	d := e.Resolved
	out := &Desired{Resolved: d, SchemaUnknown: f.SchemaUnknown}
	fields := e.Fields
	if description, _ := fields.Get("description"); !description.Truthy() {
		fields = fields.Set("description", textOrNull(f.Description, description.Pos))
	}
	if err := p.settleSchedules(out, fields); err != nil {
		return nil, err
	}
	if err := p.settleTriggers(out, fields, e); err != nil {
		return nil, err
	}
	fields = without(fields, "schedules", "schedule", "triggers", "sla")
	fields, err := p.FillOutputs(fields, true)
	if err != nil {
		return nil, faultOf(d, err)
	}
	if description, _ := fields.Get("description"); !description.Truthy() {
		fields = fields.Set("description", textOrNull(f.Description, description.Pos))
	}
	out.Name = state.Name{Flow: f.Name, Deployment: e.Name}
	return out, p.shape(out, fields, e, f)
}

func textOrNull(s string, at value.Pos) value.Value {
	if s == "" {
		return value.Value{Pos: at}
	}
	return value.Value{Kind: value.Text, Text: s, Pos: at}
}

func without(v value.Value, keys ...string) value.Value {
	entries := make([]value.Entry, 0, len(v.Map))
	for _, e := range v.Map {
		drop := false
		for _, k := range keys {
			drop = drop || e.Key == k
		}
		if !drop {
			entries = append(entries, e)
		}
	}
	v.Map = entries
	return v
}

// shape puts the filled fields into the API's form.
func (p *Project) shape(out *Desired, fields value.Value, e *Early, f Flow) error {
	get := func(key string) value.Value {
		v, _ := fields.Get(key)
		return v
	}
	pool := get("work_pool")
	queue, _ := pool.Get("work_queue_name")
	for _, f := range []struct {
		name string
		v    value.Value
	}{{"version", get("version")}, {"description", get("description")}, {"work_queue_name", queue}} {
		if err := mustBeText(out.Resolved, f.name, f.v); err != nil {
			return err
		}
	}
	var entries []value.Entry
	set := func(key string, v value.Value) {
		entries = append(entries, value.Entry{Key: key, KeyKind: value.Text, Value: v})
	}
	set("entrypoint", get("entrypoint"))
	version, info := p.version(orGiven(get("version"), out.Resolved.GivenVersion), get("version_type"), f)
	set("version", version)
	out.VersionInfo = info
	description := get("description")
	if !description.Truthy() && f.DescriptionUnknown {
		description = description.Mark(value.Derived)
	}
	set("description", description)
	tags, err := p.tags(out.Resolved, get("tags"))
	if err != nil {
		return err
	}
	set("tags", tags)
	set("parameters", mappingOrEmpty(get("parameters")))
	if v := get("enforce_parameter_schema"); !v.IsNull() {
		set("enforce_parameter_schema", v)
	}
	set("parameter_openapi_schema", f.Schema)
	name, _ := pool.Get("name")
	variables, _ := pool.Get("job_variables")
	set("work_pool_name", name)
	set("work_queue_name", emptyAsNull(queue))
	set("job_variables", mappingOrEmpty(variables))
	limit, options := concurrency(get("concurrency_limit"))
	set("concurrency_limit", limit)
	set("concurrency_options", options)
	if v := get("paused"); !v.IsNull() {
		set("paused", v)
	}
	pull, err := p.pullSteps(out.Resolved, e)
	if err != nil {
		return err
	}
	set("pull_steps", pull)
	out.Fields = value.Of(entries)
	out.Labels = value.Of([]value.Entry{{Key: "x-ci.owner", KeyKind: value.Text, Value: value.Of(p.Owner(out.Resolved.File.Name))}})
	return nil
}

// mustBeText refuses what a placeholder gave where only a text can stand, as Prefect does before it writes anything. An empty version is none.
func mustBeText(d *resolve.Deployment, field string, v value.Value) error {
	if v.IsNull() || v.Kind == value.Text || field == "version" && !v.Truthy() {
		return nil
	}
	return &Fault{diag.Diagnostic{Severity: diag.Error, Code: "wrong-type", Message: fmt.Sprintf("%s is text, and its placeholder gives %s", field, v.Kind),
		Help: "name a part of it that is text, or put the placeholder into a longer text", Position: d.Position(v.Pos)}}
}

func mappingOrEmpty(v value.Value) value.Value {
	if v.Kind != value.Map {
		return value.Value{Kind: value.Map, Pos: v.Pos, Origin: v.Origin}
	}
	return v
}

func emptyAsNull(v value.Value) value.Value {
	if v.Kind == value.Text && v.Text == "" {
		return value.Value{Pos: v.Pos}
	}
	return v
}

// tags become texts; Prefect 3 drops empty ones and keeps doubled ones.
func (p *Project) tags(d *resolve.Deployment, v value.Value) (value.Value, error) {
	if v.Kind == value.Text {
		if v.Origin.Has(value.AfterBuild) || v.Origin.Has(value.NotHere) {
			return v, nil
		}
		return v, &Fault{diag.Diagnostic{Severity: diag.Error, Code: "tags-not-a-list", Message: "tags is a list; Prefect would make one tag of each letter of this text",
			Help: "write [a, b], or a template that gives a list", Position: d.Position(v.Pos)}}
	}
	list := value.Value{Kind: value.List, Pos: v.Pos, List: []value.Value{}}
	for _, t := range v.List {
		text := value.Value{Kind: value.Text, Text: t.Str(), Pos: t.Pos, Origin: t.Marks(), Ext: t.Ext}
		if text.Text == "" {
			continue
		}
		list.List = append(list.List, text)
	}
	return list, nil
}

// concurrency takes {limit, collision_strategy, grace_period_seconds} apart.
func concurrency(v value.Value) (limit, options value.Value) {
	if v.Kind != value.Map {
		return v, value.Value{}
	}
	limit, _ = v.Get("limit")
	strategy, _ := v.Get("collision_strategy")
	options = value.Value{Kind: value.Map, Pos: v.Pos}.Set("collision_strategy", strategy)
	if grace, ok := v.Get("grace_period_seconds"); ok && !grace.IsNull() {
		options = options.Set("grace_period_seconds", grace)
	}
	return limit, options
}

// pullSteps are the written ones with outputs filled, or the derived one.
func (p *Project) pullSteps(d *resolve.Deployment, e *Early) (value.Value, error) {
	switch d.From {
	case resolve.PullNone:
		return value.Of([]value.Value{}), nil
	case resolve.PullWritten:
		list := value.Value{Kind: value.List, List: []value.Value{}}
		for i := range d.Pull {
			list.List = append(list.List, d.Pull[i].Whole)
		}
		if len(list.List) > 0 {
			list.Pos = d.Pull[0].Pos
		}
		out, err := p.Pull(list)
		if err != nil {
			return out, faultOf(d, err)
		}
		return out, nil
	}
	pool, _ := e.Fields.Get("work_pool")
	variables, _ := pool.Get("job_variables")
	image, _ := variables.Get("image")
	directory, derived := d.DefaultDirectory(filepath.Join(p.Directory, filepath.FromSlash(d.File.Root())), image)
	v := value.Of([]value.Value{value.Of([]value.Entry{{Key: resolve.SetWorkingDirectory, KeyKind: value.Text,
		Value: value.Of([]value.Entry{{Key: "directory", KeyKind: value.Text, Value: value.Of(directory)}})}})})
	if derived && !p.AlwaysPullDirectory {
		v = v.Mark(value.Derived)
	}
	return v, nil
}

// orGiven is the version, or that of the command line, its placeholders and all, where nothing came of it.
func orGiven(v value.Value, given string) value.Value {
	if v.Truthy() || given == "" {
		return v
	}
	return value.Value{Kind: value.Text, Text: given, Pos: v.Pos}
}

// version is the written one, else derived: the commit, else the flow's own, else the MD5 of its file.
func (p *Project) version(written, versionType value.Value, f Flow) (version, info value.Value) {
	var commit *VersionInfo
	if versionType.Text != "prefect:simple" && p.Commit != nil {
		commit = p.Commit(versionType.Text)
	}
	version = written
	if !written.Truthy() {
		text := f.Version
		if commit != nil {
			text = commit.Version
		}
		version = textOrNull(text, written.Pos)
		if (commit != nil || !f.Declared) && !p.AlwaysVersion {
			version = version.Mark(value.Derived)
		}
	}
	if commit == nil {
		return version, texts("type", "prefect:simple", "version", version.Text)
	}
	return version, texts("type", commit.Type, "version", version.Text, "branch", commit.Branch, "url", commit.URL, "repository", commit.Repository,
		"commit_sha", commit.CommitSHA, "message", commit.Message)
}

func texts(pairs ...string) value.Value {
	var entries []value.Entry
	for i := 0; i+1 < len(pairs); i += 2 {
		entries = append(entries, value.Entry{Key: pairs[i], KeyKind: value.Text, Value: value.Of(pairs[i+1])})
	}
	return value.Of(entries)
}

// NotHereNames lists the environment variables that were not set here, with the fields that they feed.
func (d *Desired) NotHereNames() map[string][]string {
	out := map[string][]string{}
	var walk func(path string, v value.Value)
	walk = func(path string, v value.Value) {
		if v.Origin.Has(value.NotHere) {
			for _, r := range v.Refs() {
				if strings.HasPrefix(r, "$") {
					out[strings.TrimLeft(r, "$")] = append(out[strings.TrimLeft(r, "$")], path)
				}
			}
		}
		for i := range v.List {
			walk(fmt.Sprintf("%s[%d]", path, i), v.List[i])
		}
		for i := range v.Map {
			walk(join(path, v.Map[i].Key), v.Map[i].Value)
		}
	}
	walk("", d.Fields)
	for i := range d.Triggers {
		walk(fmt.Sprintf("triggers[%d]", i), flat(d.Triggers[i].Fields))
	}
	return out
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
