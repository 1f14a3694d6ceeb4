// The flows of a file, for a list from which somebody chooses. What only may be a flow is in the list when its decorator speaks of one: whoever chooses sees the reason.

package flow

import (
	"path"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

// Flows are the flows that a file declares with a decorator at its top level and in its classes, in the order of the text. A file that can't be read has none.
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
	seen, classes := map[string]bool{}, map[int32]string{-1: ""}
	for _, st := range m.file.Statements {
		within, listed := classes[st.In]
		if st.Kind != pysource.Definition || !listed {
			continue
		}
		d := m.file.Defs[st.Def]
		name := within + m.file.Of(d.Name)
		if d.Kind == pysource.Class && within == "" && st.Block < 0 {
			classes[st.Def] = name + "."
		}
		if d.Kind != pysource.Function || d.Decorators.Lo == d.Decorators.Hi || seen[name] {
			continue
		}
		seen[name] = true
		switch f, p := l.Load(file + ":" + name); {
		case p == nil && (f.Unsure == "" || speaksOfFlows(m.file, d)):
			out = append(out, inClass(f, m.file, d, name))
		case p != nil && (p.Code == InvalidName || p.Code == InvalidParameter):
			refused = append(refused, p)
		}
	}
	return out, refused
}

// inClass gives a method's flow the name by which an entrypoint finds it. One that takes an object registers as any other does, and fails in each run: a run has no object to call it on.
func inClass(f *Flow, file *pysource.File, d pysource.Def, name string) *Flow {
	if !strings.Contains(name, ".") {
		return f
	}
	f.Function = name
	if f.Unsure == "" && !static(file, d) {
		f.Unsure = name + " is a method, and a run has no object to call it on"
	}
	return f
}

// static tells whether a method is called without an object.
func static(f *pysource.File, d pysource.Def) bool {
	for _, span := range f.Decorators[d.Decorators.Lo:d.Decorators.Hi] {
		if name := f.Of(span); name == "staticmethod" || name == "classmethod" {
			return true
		}
	}
	return false
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
