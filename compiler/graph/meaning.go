// What a text with placeholders means, as far as can be told before anything runs: `{{h.stdout}}` and `{{ k.stdout }}` are one tag where the steps h and k run one script, and `{{ h.stdout }}` of two lists is not where each has an h of its own.
package graph

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Meaning is equal for two values that give the same. source tells of the step that gives what a reference begins with, "" for none that is known.
func Meaning(v value.Value, source func(head string) string) value.Value {
	out, _ := template.Apply(v, template.Pass{Lookup: func(p template.Placeholder) (value.Value, template.State, error) { // which never fails
		name := p.Name
		if p.Kind == template.Output {
			head := resolve.Head(name)
			if s := source(head); s != "" {
				name = s + name[len(head):]
			}
		}
		return value.Of("{{" + name + "}}"), template.Found, nil
	}})
	return out
}

// Source is a step in such a text: what it does, whatever its id.
func Source(function string, inputs value.Value) string {
	sum := sha256.Sum256(sorted(inputs).AppendJSON([]byte(resolve.Canonical(function) + "\x00")))
	return hex.EncodeToString(sum[:])
}

// sameImages are resources that builds have in common which write one image under tags that are written differently. Nobody is shown them.
func (l *list) sameImages(function string, writes []string) (out []string) {
	if resolve.Canonical(function) != resolve.BuildDockerImage {
		return nil
	}
	for _, w := range writes {
		if !template.Has(w) {
			continue
		}
		sum := sha256.Sum256([]byte(Meaning(value.Of(w), l.source).Text))
		out = append(out, "image-at:"+hex.EncodeToString(sum[:]))
	}
	return out
}

// source is the step of the list that gives what a reference begins with.
func (l *list) source(head string) string {
	wanted := map[*node]bool{}
	l.sources(head, wanted)
	if len(wanted) != 1 { // none, or one of several
		return ""
	}
	for n := range wanted {
		return n.means
	}
	return ""
}
