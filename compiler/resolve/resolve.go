// Package resolve turns the deployments of a prefect.yaml into what will be deployed: which are selected, which steps each of them runs after its overrides,
// which pull section it gets, what the command line lays over it, and whether every reference to an output can be filled.
//
// All of it is decided from the file as written, before any template is filled, as Prefect does: `-n "{{ $STAGE }}-d"` names the deployment whose name is written
// so. Nothing is executed and nothing is looked up outside of the files.
package resolve

import (
	"path"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// PullKind says where a deployment's pull section comes from.
type PullKind uint8

const (
	// PullWritten: the file has pull steps for it.
	PullWritten PullKind = iota
	// PullNone: `pull: []`, or a build step with a Dockerfile of one's own.
	PullNone
	// PullDefault: nobody wrote one; it is derived from the working directory.
	PullDefault
	// PullImage: nobody wrote one and the image is built with `dockerfile: auto`: the copy of the project in the image.
	PullImage
)

// Deployment is one deployment to register.
type Deployment struct {
	File *spec.File
	// Spec is the entry of the file; for a deployment that only the command line describes it is empty with Index -1.
	Spec *spec.Deployment
	// Fields are the entry's fields with Prefect's defaults and the command line's options laid over, templates as written.
	Fields value.Value
	Build  []spec.Step
	Push   []spec.Step
	Pull   []spec.Step
	From   PullKind
	// Outputs are values of --job-variable: they fill templates like a step's outputs, and win over them.
	Outputs value.Value
	// Triggers and SLAs of the command line replace the file's, nil for none. They are templates of the last pass only.
	Triggers, SLAs []value.Value
	// GivenVersion is --version as it was given: Prefect takes it, unfilled, where the version turns out to be empty.
	GivenVersion string
}

// Name is the deployment's name as written.
func (d *Deployment) Name() string { return d.text("name") }

// Entrypoint is the entrypoint as written.
func (d *Deployment) Entrypoint() string { return d.text("entrypoint") }

func (d *Deployment) text(field string) string {
	v, _ := d.Fields.Get(field)
	return v.Text
}

// Field is a field's value, null when absent.
func (d *Deployment) Field(name string) value.Value {
	v, _ := d.Fields.Get(name)
	return v
}

// FlowFunction is the last part of the entrypoint, which selection calls the flow: "hello" of flows/hello.py:hello.
func FlowFunction(entrypoint string) string {
	return entrypoint[strings.LastIndexByte(entrypoint, ':')+1:]
}

// Entry makes the Deployment of one entry, with its sections and Prefect's defaults.
func Entry(f *spec.File, s *spec.Deployment) *Deployment {
	d := &Deployment{File: f, Spec: s, Fields: withDefaults(s.Fields)}
	d.Build = f.Build.Steps
	if s.Build.Present {
		d.Build = s.Build.Steps
	}
	d.Push = f.Push.Steps
	if s.Push.Present && !s.Push.Null && !s.Push.Empty {
		d.Push = s.Push.Steps
	}
	d.pull()
	return d
}

// pull follows Prefect's rules: an explicit empty list means none (an empty mapping does not), null falls back to the file's section, and that to a default.
func (d *Deployment) pull() {
	own, top := d.Spec.Pull, d.File.Pull
	effective := top
	if own.Present {
		effective = own
	}
	switch {
	case effective.Empty && !effective.Mapping:
		d.From = PullNone
	case len(own.Steps) > 0:
		d.Pull = own.Steps
	case len(top.Steps) > 0:
		d.Pull = top.Steps
	default:
		d.From = d.defaultPull()
	}
}

// defaultPull looks at the first Docker build step, of the deployment or else of the file, even where the deployment switches building off.
func (d *Deployment) defaultPull() PullKind {
	steps := d.Spec.Build.Steps
	if len(steps) == 0 {
		steps = d.File.Build.Steps
	}
	for _, s := range steps {
		if s.Function != BuildDockerImage || len(s.Inputs.Map) == 0 {
			continue
		}
		if dockerfile, _ := s.Inputs.Get("dockerfile"); dockerfile.Text == "auto" {
			return PullImage
		}
		return PullNone
	}
	return PullDefault
}

// withDefaults adds the fields that Prefect adds to every configuration. One copy serves them all: this runs for each deployment of a large file.
func withDefaults(v value.Value) value.Value {
	texts := [...]string{"name", "version", "description", "flow_name", "entrypoint", "concurrency_limit"}
	entries := make([]value.Entry, len(v.Map), len(v.Map)+len(texts)+4)
	copy(entries, v.Map)
	v.Kind, v.Map = value.Map, entries
	add := func(key string, x value.Value) {
		if _, ok := v.Get(key); !ok {
			v.Map = append(v.Map, value.Entry{Key: key, KeyKind: value.Text, Value: x})
		}
	}
	for _, key := range texts {
		add(key, value.Value{})
	}
	add("tags", value.Of([]value.Value{}))
	add("parameters", value.Of([]value.Entry{}))
	add("work_pool", value.Of([]value.Entry{}))
	for i := range v.Map {
		if v.Map[i].Key == "work_pool" {
			v.Map[i].Value = poolDefaults(v.Map[i].Value)
		}
	}
	return legacySchedule(v)
}

func poolDefaults(pool value.Value) value.Value {
	pool.Kind = value.Map
	for _, key := range [...]string{"name", "work_queue_name", "job_variables"} {
		if _, ok := pool.Get(key); ok {
			continue
		}
		x := value.Value{}
		if key == "job_variables" {
			x = value.Of([]value.Entry{})
		}
		pool = pool.Set(key, x)
	}
	return pool
}

// legacySchedule moves the older key's schedule to `schedules`.
func legacySchedule(v value.Value) value.Value {
	old, ok := v.Get("schedule")
	if !ok || !old.Truthy() {
		return v
	}
	return v.Set("schedules", value.Value{Kind: value.List, Pos: old.Pos, List: []value.Value{old}})
}

// Title names a deployment for people before its flow's name is known: flow function and name as written, with - for _.
func (d *Deployment) Title() string {
	name := d.Name()
	if name == "" {
		name = "(unnamed)"
	}
	if fn := FlowFunction(d.Entrypoint()); fn != "" {
		fn = fn[strings.LastIndexByte(fn, '.')+1:]
		return strings.ReplaceAll(fn, "_", "-") + "/" + name
	}
	return name
}

// DefaultDirectory is the directory that a derived pull step names: the copy in the image for an automatic Dockerfile or an image without a build step, else
// the working directory itself.
func (d *Deployment) DefaultDirectory(cwd string, image value.Value) (directory string, derived bool) {
	switch {
	case d.From == PullImage:
		return "/opt/prefect/" + path.Base(strings.ReplaceAll(cwd, `\`, "/")), false
	case image.Truthy():
		return "/opt/prefect", false
	}
	return cwd, true
}

// Position makes a diagnostic's position of a value of this deployment's file.
func (d *Deployment) Position(p value.Pos) diag.Position { return d.File.Position(p) }
