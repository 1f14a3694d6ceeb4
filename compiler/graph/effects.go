// What a step touches. The order of steps, what may run side by side and what may stand in different CI jobs all follow from this one table.
package graph

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Everything is the effect of a step that we know nothing of.
const Everything = "*"

type effects struct{ reads, writes []string }

// effectsOf looks a step's function up; x-ci.steps.ID.effects says what we can't know.
func effectsOf(f *spec.File, s *spec.Step) effects {
	if e, ok := declared(f, s); ok {
		return e
	}
	switch name := resolve.Canonical(s.Function); name {
	case resolve.RunShellScript:
		if pureScript(s.Inputs) {
			return effects{reads: []string{"workspace"}}
		}
	case resolve.SetWorkingDirectory:
		return effects{writes: []string{"env"}}
	case resolve.BuildDockerImage:
		return effects{reads: []string{"workspace"}, writes: images(s.Inputs)} // a generated Dockerfile is no one else's business: see runner/deploy, generated
	case resolve.PushDockerImage:
		return effects{reads: []string{image(s.Inputs)}, writes: []string{"registry:" + strings.TrimPrefix(image(s.Inputs), "docker:")}}
	case "prefect_aws.deployments.steps.push_to_s3":
		return effects{reads: []string{"workspace"}, writes: []string{"s3:" + text(s.Inputs, "bucket") + "/" + text(s.Inputs, "folder")}}
	case "prefect_gcp.deployments.steps.push_to_gcs":
		return effects{reads: []string{"workspace"}, writes: []string{"gs:" + text(s.Inputs, "bucket") + "/" + text(s.Inputs, "folder")}}
	case "prefect_azure.deployments.steps.push_to_azure_blob_storage":
		return effects{reads: []string{"workspace"}, writes: []string{"az:" + text(s.Inputs, "container") + "/" + text(s.Inputs, "folder")}}
	case resolve.GitClone:
		return effects{writes: []string{"workspace:" + text(s.Inputs, "clone_directory_name")}}
	case resolve.PipInstall:
		return effects{reads: []string{"workspace"}, writes: []string{"python"}}
	}
	return effects{reads: []string{Everything}, writes: []string{Everything}}
}

func text(m value.Value, key string) string {
	v, _ := m.Get(key)
	return v.Text
}

// images are what a build writes: the image, and the same under its other tags.
func images(inputs value.Value) []string {
	out := []string{image(inputs)}
	additional, _ := inputs.Get("additional_tags")
	for _, tag := range additional.List {
		if other := "docker:" + text(inputs, "image_name") + ":" + tag.Str(); !slices.Contains(out, other) {
			out = append(out, other)
		}
	}
	return out
}

// image names what a build writes and a push reads. A tag that is not written is the time, and so no two are the same; it still meets the push of its output.
func image(inputs value.Value) string {
	tag, _ := inputs.Get("tag")
	if !tag.Truthy() {
		tag, _ = inputs.Get("image_tag")
	}
	written := ""
	if tag.Truthy() {
		written = tag.Str()
	}
	return "docker:" + text(inputs, "image_name") + ":" + written
}

// declared reads x-ci.steps.ID.effects: {reads: […], writes: […]}.
func declared(f *spec.File, s *spec.Step) (effects, bool) {
	steps, said := f.CI.Get("steps")
	if !said {
		return effects{}, false
	}
	step, _ := steps.Get(s.ID.Str())
	e, ok := step.Get("effects")
	if !ok || s.ID.IsNull() {
		return effects{}, false
	}
	list := func(key string) (out []string) {
		v, _ := e.Get(key)
		for _, item := range v.List {
			out = append(out, item.Str())
		}
		return out
	}
	return effects{list("reads"), list("writes")}, true
}

// TagsInputs reports whether x-ci.steps.ID.tag: inputs stands for a step.
func TagsInputs(f *spec.File, s *spec.Step) bool {
	steps, _ := f.CI.Get("steps")
	step, _ := steps.Get(s.ID.Str())
	v, _ := step.Get("tag")
	return !s.ID.IsNull() && v.Text == "inputs"
}

func sensitive(f *spec.File, s *spec.Step) bool {
	steps, _ := f.CI.Get("steps")
	step, _ := steps.Get(s.ID.Str())
	v, _ := step.Get("sensitive")
	return !s.ID.IsNull() && v.Truthy()
}

// always reads x-ci.steps.ID.transfer: always.
func always(f *spec.File, s *spec.Step) bool {
	steps, _ := f.CI.Get("steps")
	step, _ := steps.Get(s.ID.Str())
	v, _ := step.Get("transfer")
	return !s.ID.IsNull() && v.Text == "always"
}

// meet reports whether one of two lists of resources touches one of the other: equal, or a path of the workspace against the workspace, or everything.
func meet(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y || x == Everything || y == Everything || within(x, y) || within(y, x) {
				return true
			}
		}
	}
	return false
}

// within reports whether a resource is a part of another one: workspace:a of workspace.
func within(part, whole string) bool {
	return len(part) > len(whole) && part[len(whole)] == ':' && part[:len(whole)] == whole
}

// clash: one writes what the other touches.
func clash(a, b effects) bool {
	return meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes)
}

// pureScript reports whether every line of a script is a command that only looks: no shell, no option that writes a file.
func pureScript(inputs value.Value) bool {
	if shell, _ := inputs.Get("shell"); shell.Truthy() {
		return false
	}
	script := text(inputs, "script")
	if script == "" {
		return false
	}
	for _, line := range strings.Split(script, "\n") {
		words := strings.Fields(line)
		if len(words) > 0 && !pureCommand(words) {
			return false
		}
	}
	return true
}

func pureCommand(words []string) bool {
	switch words[0] {
	case "echo", "date", "cat":
		return words[0] != "date" || !hasOption(words, "-s", "--set")
	case "git":
		if len(words) < 2 {
			return false
		}
		switch words[1] {
		case "rev-parse", "describe", "log":
			return !hasOption(words, "--output", "--ext-diff", "--textconv", "-c", "--exec-path")
		}
	}
	return false
}

func hasOption(words []string, names ...string) bool {
	for _, w := range words[1:] {
		for _, n := range names {
			if w == n || strings.HasPrefix(w, n+"=") || (len(n) == 2 && strings.HasPrefix(w, n)) {
				return true
			}
		}
	}
	return false
}
