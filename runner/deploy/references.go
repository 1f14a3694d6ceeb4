// What has to be asked of the server before names can be filled, and what must not be shown.
package deploy

import (
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// references collects the variables and blocks that fields, and the build and push steps that run here, name. Pull steps keep theirs for run time, and yet Prefect reads
// those of a deployment's own.
func (j *job) references() state.Query {
	if j.project.Symbolic {
		return state.Query{}
	}
	var r references
	if j.named == nil || len(j.Given.Only) > 0 { // else only steps are run, and nothing is registered
		for _, d := range j.chosen {
			r.in(d.Fields)
			for i := range d.Spec.Pull.Steps {
				r.in(d.Spec.Pull.Steps[i].Inputs)
				r.ids(d.Spec.Pull.Steps[i].Whole)
			}
		}
	}
	j.toRun(func(_ *resolve.Deployment, s *spec.Step) { r.in(s.Inputs) })
	return r.query()
}

// references are the variables and blocks that values name. Its zero value has none.
type references struct {
	variables map[string]bool
	blocks    map[state.BlockRef]bool
}

func (r *references) in(v value.Value) {
	if r.variables == nil {
		r.variables, r.blocks = map[string]bool{}, map[state.BlockRef]bool{}
	}
	template.Walk(v, func(_ value.Value, found []template.Placeholder) {
		for _, p := range found {
			switch p.Kind {
			case template.Variable:
				r.variables[p.VariableName()] = true
			case template.Block:
				if slug, name, _, ok := p.BlockPath(); ok {
					r.blocks[state.BlockRef{Type: slug, Name: name}] = true
				}
			}
		}
	})
	r.ids(v)
}

// ids adds the block documents that mappings name by their ID.
func (r *references) ids(v value.Value) {
	identifiers(v, func(id string) { r.blocks[state.BlockRef{ID: id}] = true })
}

// query asks for them, in order.
func (r *references) query() (q state.Query) {
	for name := range r.variables {
		q.Variables = append(q.Variables, name)
	}
	for ref := range r.blocks {
		q.Blocks = append(q.Blocks, ref)
	}
	sort.Strings(q.Variables)
	sort.Slice(q.Blocks, func(a, b int) bool { return q.Blocks[a].String() < q.Blocks[b].String() })
	return q
}

// identifiers visits the block documents that mappings name by their ID.
func identifiers(v value.Value, visit func(id string)) {
	if id, is, err := plan.Reference(v); err == nil && is {
		visit(id.Str())
		return
	}
	for i := range v.List {
		identifiers(v.List[i], visit)
	}
	for i := range v.Map {
		identifiers(v.Map[i].Value, visit)
	}
}

// variablesIn adds the variables that a block's data names.
func variablesIn(v value.Value, seen map[string]bool, out *[]string) {
	template.Walk(v, func(_ value.Value, found []template.Placeholder) {
		for _, p := range found {
			if name := p.VariableName(); p.Kind == template.Variable && !seen[name] {
				seen[name] = true
				*out = append(*out, name)
			}
		}
	})
}

// findSecrets collects the outputs that some step, of any section, consumes in a credential's place, and those that x-ci names.
func (j *job) findSecrets() {
	for _, d := range j.chosen {
		secretsOf(d, j.secrets)
	}
	j.keepVariables()
}

func secretsOf(d *resolve.Deployment, into map[string]bool) {
	for _, list := range [][]spec.Step{d.Build, d.Push, d.Pull} {
		for i := range list {
			graph.Credentials(list[i].Inputs, func(p template.Placeholder) { into[p.Name] = true })
			if id := list[i].ID; id.Truthy() && markedSecret(d.File, id.Str()) {
				into[id.Str()] = true
			}
		}
	}
}

func markedSecret(f *spec.File, id string) bool {
	steps, _ := f.CI.Get("steps")
	s, _ := steps.Get(id)
	v, _ := s.Get("sensitive")
	return v.Truthy()
}

// sensitiveOutput tells whether a reference is to an output that must not be shown.
func (j *job) sensitiveOutput(name string) bool { return isSecret(j.secrets, name) }

// isSecret finds a reference among outputs: by its own name, its step's id, or the flat name of the same output.
func isSecret(secrets map[string]bool, name string) bool {
	if secrets[name] || secrets[resolve.Head(name)] {
		return true
	}
	for s := range secrets {
		if strings.HasSuffix(s, "."+name) {
			return true
		}
	}
	return false
}
