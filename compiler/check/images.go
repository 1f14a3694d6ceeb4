// Two different builds of one image: whichever comes last stays, and the deployments of the other run what they did not ask for. The file's order is kept when such builds run, so
// what happens is always the same; but hardly ever is it meant.
package check

import (
	"fmt"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// built is a build step with where it stands.
type built struct {
	step *spec.Step
	at   diag.Position
	root string
	// means are its arguments, with what references stand for.
	means value.Value
}

// builds are those that a checker has seen: each step once, and the first that writes an image.
type builds struct {
	seen   map[*spec.Step]bool
	images map[string]built
}

// images warns of a build that writes an image which another one writes.
func (c *Checker) images(d *resolve.Deployment) {
	var means []string // of the steps before, as texts of later ones name them
	for i := range d.Build {
		s := &d.Build[i]
		if c.builds.seen[s] || resolve.Canonical(s.Function) != resolve.BuildDockerImage {
			continue
		}
		if c.builds.seen == nil {
			c.builds = builds{map[*spec.Step]bool{}, map[string]built{}}
		}
		c.builds.seen[s] = true
		for k := len(means); k < i; k++ {
			before := &d.Build[k]
			means = append(means, graph.Source(before.Function, graph.Meaning(before.Inputs, source(d.Build[:k], means))))
		}
		given := source(d.Build[:i], means)
		b := built{s, d.Position(s.Pos), d.File.Root(), graph.Meaning(s.Inputs, given)}
		for _, image := range imagesOf(s.Inputs) {
			means := graph.Meaning(value.Of(image), given).Text
			first, there := c.builds.images[means]
			switch {
			case !there:
				c.builds.images[means] = b
			case first.root != b.root || !value.Equal(first.means, b.means):
				c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "same-image", Position: b.at,
					Message: fmt.Sprintf("%s writes the image %s, and so does %s, which builds something else; the later one of the file stays", b.called(), diag.Quote(image), first.called()),
					Help:    "give one of them another image_name or tag",
					Related: []diag.Related{{Position: first.at, Message: "the other build is at"}}})
			}
		}
	}
}

// source tells of the last of some steps that surely gives what a reference begins with, "" for none. means are those steps as texts of others name them.
func source(before []spec.Step, means []string) func(head string) string {
	return func(head string) string {
		for i := len(before) - 1; i >= 0; i-- {
			if sure, _ := resolve.Gives(&before[i], head); sure {
				return means[i]
			}
		}
		return ""
	}
}

// called is how a message names a build.
func (b *built) called() string {
	if id := b.step.ID.Str(); !b.step.ID.IsNull() && id != "" {
		return fmt.Sprintf("the build %s (line %d)", diag.Quote(id), b.at.Line)
	}
	return fmt.Sprintf("the build in line %d", b.at.Line)
}

// imagesOf are the names with their tags as they are written. A tag that is not written is the time, and so never that of another build.
func imagesOf(inputs value.Value) (out []string) {
	name, _ := inputs.Get("image_name")
	tag, _ := inputs.Get("tag")
	if tag.IsNull() {
		tag, _ = inputs.Get("image_tag")
	}
	more, _ := inputs.Get("additional_tags")
	for _, t := range append([]value.Value{tag}, more.List...) {
		if name.Kind == value.Text && !t.IsNull() && t.Str() != "" {
			out = append(out, name.Text+":"+t.Str())
		}
	}
	return out
}
