// Which packages importing a module needs. If one of them is missing where Prefect runs, Prefect reads the source in a way of its own;
// what that way would see otherwise is not known then.

package flow

import (
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

// risk says why importing m may fail, or "".
func (s *loading) risk(m *module) string {
	if list := s.packages(m); len(list) > 0 {
		return "it depends on whether the package " + list[0] + " is installed"
	}
	for _, st := range m.file.Statements {
		if st.Kind == pysource.Definition && s.refusedDefinition(m, st.Def) {
			return "importing the file fails because of another flow in it"
		}
		if st.Kind == pysource.Simple && st.In < 0 {
			if text := m.file.Of(st.Span); strings.Contains(text, "environ[") || strings.HasPrefix(text, "raise ") {
				return "importing the file may raise an error"
			}
		}
	}
	return ""
}

// refusedDefinition reports whether a function with decorators has parameters that no flow can have.
func (s *loading) refusedDefinition(m *module, def int32) bool {
	d := m.file.Defs[def]
	if d.Kind != pysource.Function || d.Decorators.Lo == d.Decorators.Hi {
		return false
	}
	for _, p := range m.file.Params[d.Params.Lo:d.Params.Hi] {
		if n := m.file.Of(p.Name); n[0] == '_' || n == "return_state" || n == "wait_for" || refused(n) {
			return true
		}
	}
	return false
}

// packages lists, sorted, the packages from outside that importing m needs, also through modules of the project.
func (s *loading) packages(m *module) []string {
	if list, ok := s.needs[m]; ok {
		return list
	}
	needed, seen := map[string]bool{}, map[*module]bool{}
	s.collect(m, needed, seen, 0)
	list := make([]string, 0, len(needed))
	for p := range needed {
		list = append(list, p)
	}
	sort.Strings(list)
	if s.needs == nil {
		s.needs = map[*module][]string{}
	}
	s.needs[m] = list
	return list
}

func (s *loading) collect(m *module, needed map[string]bool, seen map[*module]bool, depth int) {
	if seen[m] || depth > maxDepth || m.file == nil {
		return
	}
	seen[m] = true
	for _, st := range m.file.Statements {
		if st.Kind != pysource.Import || m.certainty(st.Block) == never || m.guarded(st.Block) {
			continue
		}
		for _, imp := range m.file.Imports(st.Span) {
			first, _, _ := strings.Cut(imp.Module, ".")
			o := s.moduleObject(m, imp.Level, imp.Module)
			switch {
			case o.kind == projectModule:
				s.collect(o.mod, needed, seen, depth+1)
				if imp.Name != "" && imp.Name != "*" {
					if sub := s.member(o, imp.Name, ^uint32(0)); sub.kind == projectModule {
						s.collect(sub.mod, needed, seen, depth+1)
					}
				}
			case imp.Level == 0 && o.kind == external && !isStdlib(first) && !isShipped(first):
				needed[first] = true
			}
		}
	}
}

// guarded reports whether a statement stands in a try.
func (m *module) guarded(block int32) bool {
	for ; block >= 0; block = m.file.Blocks[block].Parent {
		if k := m.file.Blocks[block].Keyword; k == "try" || k == "except" {
			return true
		}
	}
	return false
}
