// The build graph as a picture that forges draw themselves, as `compile graph` draws it: what would be too much to look at stands in groups.
package report

import (
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/picture"
)

// mermaid folds the build graph. A deployment without steps is in no picture of a build.
func (p *page) mermaid() string {
	if p.Graph == nil || p.t.changes() == 0 || len(p.Graph.Steps) == 0 {
		return ""
	}
	g := &graph.Graph{Steps: p.Graph.Steps}
	for _, r := range p.Graph.Registrations {
		if len(r.Steps) > 0 {
			g.Registrations = append(g.Registrations, r)
		}
	}
	drawn := picture.Of(g).Mermaid(picture.MermaidLimit)
	if drawn == nil {
		return ""
	}
	title := "Build graph: " + diag.Count(len(g.Steps), "step") + " for " + diag.Count(len(g.Registrations), "deployment")
	return "<details><summary>" + title + "</summary>\n\n" + fenced("mermaid", string(drawn)) + "</details>\n\n"
}
