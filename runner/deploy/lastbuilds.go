// What the last deploy ran, from its commit: steps that are the same now were let run before, so that a review need not have shown them again.
package deploy

import (
	"context"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// lastBuilds tells a plan what ran for its deployments last. A commit that can't be read is one that tells nothing, which a note says.
func (j *job) lastBuilds(ctx context.Context, p *plan.Plan) error {
	if j.Deployed == "" || !builds(p) {
		return nil
	}
	tree, err := j.commit(ctx, j.Deployed)
	if err != nil {
		p.Notes = append(p.Notes, "the steps were not compared with those of the last deploy: its commit is not available ("+err.Error()+")")
		return ctx.Err()
	}
	defer tree.Close()
	checker := check.New(tree)
	var list []*resolve.Deployment
	names := map[*resolve.Deployment]state.Name{}
	for _, f := range j.filesAt(tree) {
		file, _ := spec.Load(f.Name, f.Data)
		file.Tree = tree
		for i := range file.Len() {
			d := resolve.Entry(file, file.Deployment(i, nil))
			if name, ok := j.nameAt(checker, d); ok {
				list, names[d] = append(list, d), name
			}
		}
	}
	p.Before = map[state.Name][]plan.Build{}
	for i, r := range graph.Build(list, (*resolve.Deployment).Title).Registrations {
		if len(r.Steps) > 0 {
			p.Before[names[list[i]]] = append(p.Before[names[list[i]]], plan.BuildOf(list[i], r.Steps))
		}
	}
	return nil
}

func builds(p *plan.Plan) bool {
	for _, d := range p.Deployments {
		if len(d.Build.Steps) > 0 {
			return true
		}
	}
	return false
}

// nameAt is the name under which a plan lists an entry of another commit; a flow's name that only importing it would tell is that of its function, as in any plan.
func (j *job) nameAt(checker *check.Checker, d *resolve.Deployment) (state.Name, bool) {
	e := named(j.projectOf(d.File), d)
	if e == nil {
		return state.Name{}, false
	}
	flow, problem := checker.Flow(d.File, e.Entrypoint)
	if problem != nil {
		return state.Name{}, false
	}
	name := flow.Name
	if name == "" {
		name = strings.TrimSuffix(d.Title(), "/"+d.Name())
	}
	return state.Name{Flow: name, Deployment: e.Name}, true
}
