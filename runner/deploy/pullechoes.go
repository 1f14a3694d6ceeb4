// What a pull section needs of a push to a bucket is what the push was told itself: Prefect's functions give bucket (or container) and folder back as they got them, and all of its recipes name them so in the pull section.
// A pull check runs no push, so it takes them from there. What --set and --from say goes before.
package deploy

import (
	"slices"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// echo gives the pushes' outputs that nobody gave.
func (p *pulling) echo() {
	if p.parts == nil {
		return
	}
	for _, s := range p.parts.Steps {
		echoes := resolve.Echoes(s.Function)
		if echoes == nil {
			continue
		}
		g := p.gifts[s.Digest]
		if g == nil {
			g = &gift{}
		}
		for _, name := range echoes {
			_, given := g.outputs.Get(name)
			if v, ok := p.told(s, name); ok && !given && !g.whole && !slices.Contains(g.withheld, name) {
				g.outputs = value.Value{Kind: value.Map, Map: g.outputs.Map}.Set(name, v)
			}
		}
		if len(g.outputs.Map) > 0 {
			p.gifts[s.Digest] = g
		}
	}
}

// told is an input of a step as it is when it runs; not ok where a block, a variable of Prefect's or another step fills it.
func (p *pulling) told(s *graph.Step, name string) (value.Value, bool) {
	input, ok := s.Inputs.Get(name)
	fills := true
	template.Walk(input, func(_ value.Value, found []template.Placeholder) {
		for _, h := range found {
			_, set := p.Env(h.EnvName())
			fills = fills && h.Kind == template.Env && set
		}
	})
	if !ok || !fills || input.Kind != value.Text {
		return value.Value{}, false
	}
	project := p.projectOf(p.fileOf(s))
	filled, err := project.Inputs(value.Of([]value.Entry{{Key: name, Value: input}}))
	if err != nil {
		return value.Value{}, false
	}
	return filled.Get(name)
}
