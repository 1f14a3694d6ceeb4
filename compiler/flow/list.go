// The flows of a file, for a list from which somebody chooses. What only may be a flow is in the list when its decorator speaks of one: whoever chooses sees the reason.

package flow

import (
	"path"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

// Flows are the flows that a file declares with a decorator at its top level, in the order of the text. A file that can't be read has none.
func (l *Loader) Flows(file string) []*Flow {
	out, _ := l.List(file)
	return out
}

// List is Flows, with what would be a flow if Prefect did not refuse it: a file whose syntax is wrong, a flow whose name or parameters may not be.
func (l *Loader) List(file string) (out []*Flow, refused []*Problem) {
	m := l.module(path.Clean(file))
	switch {
	case m.err != nil || m.file.Unsure != "":
		return nil, nil
	case len(m.file.Faults) > 0:
		if _, p := l.Load(file + ":flow"); p != nil && p.Code == Syntax {
			refused = append(refused, p)
		}
		return nil, refused
	}
	seen := map[string]bool{}
	for _, st := range m.file.Statements {
		if st.Kind != pysource.Definition || st.In != -1 {
			continue
		}
		d := m.file.Defs[st.Def]
		name := m.file.Of(d.Name)
		if d.Kind != pysource.Function || d.Decorators.Lo == d.Decorators.Hi || seen[name] {
			continue
		}
		seen[name] = true
		switch f, p := l.Load(file + ":" + name); {
		case p == nil && (f.Unsure == "" || speaksOfFlows(m.file, d)):
			out = append(out, f)
		case p != nil && (p.Code == InvalidName || p.Code == InvalidParameter):
			refused = append(refused, p)
		}
	}
	return out, refused
}

// speaksOfFlows tells whether a decorator has "flow" in its text, as a project's own @team_flow(…) does.
func speaksOfFlows(f *pysource.File, d pysource.Def) bool {
	for _, span := range f.Decorators[d.Decorators.Lo:d.Decorators.Hi] {
		if strings.Contains(f.Of(span), "flow") {
			return true
		}
	}
	return false
}
