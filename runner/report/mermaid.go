// The build graph as a picture that forges draw themselves. A picture helps while it fits on a screen: one node a step, and one for all deployments that hang on the same steps.
// A graph that is larger, or has no steps at all, is not drawn.
package report

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
)

// mostNodes is how many nodes a picture may have.
const mostNodes = 40

// mermaid folds the build graph.
func (p *page) mermaid() string {
	g := p.Graph
	if g == nil || p.t.changes() == 0 || len(g.Steps) == 0 || len(g.Steps) > mostNodes {
		return ""
	}
	ends := leaves(g)
	if len(g.Steps)+len(ends) > mostNodes {
		return ""
	}
	fed := 0
	for _, e := range ends {
		fed += len(e.names)
	}
	title := fmt.Sprintf("Build graph: %s for %s", diag.Count(len(g.Steps), "step"), diag.Count(fed, "deployment"))
	return "<details><summary>" + title + "</summary>\n\n" + fenced("mermaid", flowchart(g, ends)) + "</details>\n\n"
}

// leaf stands for the deployments that hang on the same steps.
type leaf struct {
	names []string
	steps []*graph.Step
}

// leaves puts registrations of the same steps together; those without steps are in no picture of a build.
func leaves(g *graph.Graph) []leaf {
	var out []leaf
	index := map[string]int{}
	for _, r := range g.Registrations {
		if len(r.Steps) == 0 {
			continue
		}
		steps := direct(r.Steps)
		key := ""
		for _, s := range steps {
			key += s.Key + "\x00"
		}
		at, ok := index[key]
		if !ok {
			at = len(out)
			index[key] = at
			out = append(out, leaf{steps: steps})
		}
		out[at].names = append(out[at].names, r.Deployment)
	}
	return out
}

func flowchart(g *graph.Graph, ends []leaf) string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := map[*graph.Step]string{}
	for i, s := range g.Steps {
		ids[s] = fmt.Sprintf("s%d", i)
		fmt.Fprintf(&b, "  s%d[\"%s\"]\n", i, label(s.Key))
	}
	for _, s := range g.Steps {
		for _, n := range direct(s.Needs) {
			fmt.Fprintf(&b, "  %s --> %s\n", ids[n], ids[s])
		}
	}
	for i, e := range ends {
		text := label(e.names[0])
		if more := len(e.names) - 1; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		fmt.Fprintf(&b, "  r%d([\"%s\"])\n", i, text)
		for _, s := range e.steps {
			fmt.Fprintf(&b, "  %s --> r%d\n", ids[s], i)
		}
	}
	return b.String()
}

// direct drops the steps that are needed anyway because another one of the list needs them: those lines would only cross the picture.
func direct(list []*graph.Step) []*graph.Step {
	implied := map[*graph.Step]bool{}
	for _, s := range list {
		mark(s.Needs, implied)
	}
	seen := map[*graph.Step]bool{}
	var out []*graph.Step
	for _, s := range list {
		if !implied[s] && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func mark(list []*graph.Step, marked map[*graph.Step]bool) {
	for _, s := range list {
		if !marked[s] {
			marked[s] = true
			mark(s.Needs, marked)
		}
	}
}

// label is text in a node. The drawing program reads Markdown and HTML in it; numbered entities are its own way to write a character as such.
func label(s string) string {
	var b strings.Builder
	for i, r := range []rune(cut(s, 60)) {
		switch {
		case unicode.IsLetter(r), r >= '0' && r <= '9' && i > 0, r == ' ', r == '-' && i > 0, r == '/', r == '.' && i > 0:
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
