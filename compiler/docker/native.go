// The static check: can a step be carried out by the table, before its templates are filled?
package docker

import (
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Native says whether a step can be carried out by this table, by the command line and by the action alike, and if not, why: a sentence that names each argument. The inputs
// may still hold templates. Where an output of another Docker step is known from its text (image_name, tag, additional_tags), fill it in before asking.
func Native(function string, inputs value.Value) (ok bool, why string) {
	inputs = marked(inputs)
	o := Options{Now: time.Unix(0, 0), PrefectVersion: "3", PythonVersion: "3", Directory: "project"}
	var f faults
	switch resolve.Canonical(function) {
	case resolve.BuildDockerImage:
		var b *Build
		b, f = read(inputs, o)
		if v, _ := inputs.Get("dockerfile"); open(v) {
			if _, whole := template.Whole(v.Text); whole {
				f.add("dockerfile", atRunTime)
			}
		}
		for _, argument := range b.ActionLacks() {
			f.add(argument, "can't be told to docker/build-push-action")
		}
	case resolve.PushDockerImage:
		_, f = readPush(inputs, o)
	default:
		return false, function + " is no Docker step"
	}
	return len(f) == 0, strings.Join(f, "; ")
}

// marked marks each text that holds a template as known only at run time.
func marked(inputs value.Value) value.Value {
	switch inputs.Kind {
	case value.Map:
		entries := append([]value.Entry(nil), inputs.Map...)
		for i := range entries {
			entries[i].Value = marked(entries[i].Value)
		}
		inputs.Map = entries
	case value.List:
		list := append([]value.Value(nil), inputs.List...)
		for i := range list {
			list[i] = marked(list[i])
		}
		inputs.List = list
	case value.Text:
		if template.Has(inputs.Text) {
			inputs = inputs.Mark(value.AfterBuild)
		}
	}
	return inputs
}
