// What runs before a deployment is registered, and where what it gives goes. A plan runs no step, so the values that one gives are in no plan; what can be reviewed, and must be before anything runs, is the steps themselves and the templates that
// take their outputs. Take a deployment whose image is `{{ build-image.image }}`: with the script of build-image changed, or with `evil/{{ build-image.image }}` in its place, the plan shows the same "known after build" as before.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// Build is a deployment's steps, in the order of its lists. The zero value is that of one without steps.
type Build struct {
	Steps []BuildStep
	// Places is a digest of the templates that name outputs, each with its place, as written.
	Places string
}

// BuildStep is a step by its key and by what it is and depends on (graph.Step.Digest: function, inputs as written, effects; no outputs).
type BuildStep struct {
	Key    string `json:"key"`
	Digest string `json:"digest"`
}

// BuildOf is what runs for a deployment; steps are those of its registration.
func BuildOf(d *resolve.Deployment, steps []*graph.Step) Build {
	if len(steps) == 0 {
		return Build{}
	}
	var b Build
	for _, s := range steps {
		b.Steps = append(b.Steps, BuildStep{s.Key, s.Digest})
	}
	var places []string
	for _, e := range d.Fields.Map {
		places = placesOf(e.Key, e.Value, places)
	}
	for i := range d.Pull {
		places = placesOf(fmt.Sprintf("pull[%d].%s", i, d.Pull[i].Function), d.Pull[i].Inputs, places)
	}
	sort.Strings(places) // the order of keys means nothing
	h := sha256.New()
	for _, p := range places {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	b.Places = hex.EncodeToString(h.Sum(nil))
	return b
}

// placesOf adds the texts with references to outputs.
func placesOf(path string, v value.Value, out []string) []string {
	switch v.Kind {
	case value.Text:
		for _, p := range template.Find(v.Text) {
			if p.Kind == template.Output {
				return append(out, path+"\x01"+v.Text)
			}
		}
	case value.List:
		for i := range v.List {
			out = placesOf(fmt.Sprintf("%s[%d]", path, i), v.List[i], out)
		}
	case value.Map:
		for _, e := range v.Map {
			out = placesOf(join(path, e.Key), e.Value, out)
		}
	}
	return out
}

// digest is all of a build in one text; "" for one without steps.
func (b Build) digest() string {
	if len(b.Steps) == 0 {
		return ""
	}
	text := b.Places
	for _, s := range b.Steps {
		text += " " + s.Digest
	}
	return text
}

// builds are the builds of each name: one that several entries declare has those of all, as the steps of all run.
func (p *Plan) builds() map[state.Name][]Build {
	out := map[state.Name][]Build{}
	for _, d := range p.Deployments {
		if len(d.Build.Steps) > 0 {
			out[d.Name] = append(out[d.Name], d.Build)
		}
	}
	return out
}

// Ran reports whether the last deploy ran, for the deployment of a name, what this plan would run; where not, which steps differ, by their keys. None of them: it is where their outputs go. Without a last deploy all differ.
func (p *Plan) Ran(name string) (same bool, differ []string) {
	var now, before []Build
	for _, d := range p.Deployments {
		if d.Name.String() == name {
			now, before = append(now, d.Build), p.Before[d.Name]
		}
	}
	ran := map[string]bool{}
	for _, b := range before {
		for _, s := range b.Steps {
			ran[s.Digest] = true
		}
	}
	told := map[string]bool{}
	for _, b := range now {
		for _, s := range b.Steps {
			if !ran[s.Digest] && !told[s.Key] {
				told[s.Key] = true
				differ = append(differ, s.Key)
			}
		}
	}
	return joined(now) == joined(before), differ
}

func joined(list []Build) (text string) {
	for _, b := range list {
		if len(b.Steps) > 0 {
			text += b.digest() + "\n"
		}
	}
	return text
}
