// The static check: can a step be carried out by the table, before its templates are filled?
package docker

import (
	"slices"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Native says whether a step can be carried out by this table, by the command line and by the action alike, and if not, why: a sentence that names each argument. The inputs
// may still hold templates. Where an output of another Docker step is known from its text (image_name, tag, additional_tags), fill it in before asking.
func Native(function string, inputs value.Value) (ok bool, why string) {
	return native(function, inputs, true)
}

func native(function string, inputs value.Value, action bool) (ok bool, why string) {
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
			if action {
				f.add(argument, "can't be told to docker/build-push-action")
			}
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
	if !mayHoldTemplates(inputs) {
		return inputs
	}
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

// Possible is Native for whoever asks again when all is filled, as the runtime does: an argument that is one template as a whole may turn out to be anything, and is not held against the step. Credentials are, since a block of
// its own kind may stand there.
func Possible(function string, inputs value.Value) (ok bool, why string) {
	return Native(function, definite(inputs))
}

// ByCommand is Possible for the command line alone, which has arguments that the action has not.
func ByCommand(function string, inputs value.Value) (ok bool, why string) {
	return native(function, definite(inputs), false)
}

// mayHoldTemplates: most values hold none, and those need no copy.
func mayHoldTemplates(v value.Value) bool {
	switch v.Kind {
	case value.Text:
		return strings.Contains(v.Text, "{{")
	case value.List:
		return slices.ContainsFunc(v.List, mayHoldTemplates)
	case value.Map:
		return slices.ContainsFunc(v.Map, func(e value.Entry) bool { return mayHoldTemplates(e.Value) })
	}
	return false
}

// definite leaves out what only a template tells, but for the image's name, the tag, which is one text whatever it is, and what logs in.
func definite(inputs value.Value) value.Value {
	left := func(e value.Entry) bool {
		if e.Value.Kind != value.Text || e.Key == "image_name" || e.Key == "credentials" || e.Key == "tag" {
			return false
		}
		_, whole := template.Whole(e.Value.Text)
		return whole
	}
	if slices.ContainsFunc(inputs.Map, left) {
		inputs.Map = slices.DeleteFunc(slices.Clone(inputs.Map), left)
	}
	return inputs
}

// ActionInputs names the inputs of docker/build-push-action that a step fills, in the action's order; its inputs may still hold templates.
func ActionInputs(inputs value.Value) []string {
	b, _ := read(marked(definite(inputs)), Options{Now: time.Unix(0, 0), PrefectVersion: "3", PythonVersion: "3", Directory: "project"})
	given := map[string]bool{"context": true, "file": true}
	for _, e := range b.Action() {
		given[e.Key] = true
	}
	for _, e := range inputs.Map {
		if _, whole := template.Whole(e.Value.Text); whole && e.Value.Kind == value.Text {
			for _, table := range [][]argument{dockerPy, buildxTable} {
				for _, a := range table {
					if a.name == e.Key {
						given[a.inputs] = true
						given["secret-files"], given["secret-envs"] = given["secret-files"] || a.inputs == "secrets", given["secret-envs"] || a.inputs == "secrets"
					}
				}
			}
		}
	}
	var names []string
	for _, name := range actionInputs {
		if given[name] {
			names = append(names, name)
		}
	}
	return names
}

// actionInputs are all inputs of the action that a Build can fill, in its order.
var actionInputs = []string{"context", "file", "tags", "build-args", "build-contexts", "labels", "target", "platforms", "network", "shm-size", "add-hosts", "allow", "cache-from", "cache-to",
	"secret-files", "secret-envs", "ssh", "attests", "provenance", "sbom", "outputs", "builder", "no-cache", "pull", "push", "load"}
