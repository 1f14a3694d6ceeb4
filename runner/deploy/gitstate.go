// The intent of a commit in place of a server: what a fork's pull request is planned against, where there are no secrets. Both sides are then texts of the file, with
// their templates as written: nothing is asked of a server, so references to blocks and variables are compared by name.
package deploy

import (
	"context"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// gitPrefix marks the source of such a state.
const gitPrefix = "git:"

// GitState is the state of a commit's files. It can only be planned against.
func GitState(ref string) *state.State {
	return &state.State{Source: gitPrefix + ref, Close: func() error { return nil }}
}

// ofCommit reports whether the state is a commit's intent, and which.
func ofCommit(s *state.State) (string, bool) {
	if len(s.Source) > len(gitPrefix) && s.Source[:len(gitPrefix)] == gitPrefix && s.Read == nil {
		return s.Source[len(gitPrefix):], true
	}
	return "", false
}

// intent reads the commit's files as if they had been deployed.
func (j *job) intent(ctx context.Context, ref string) (*state.State, error) {
	tree, err := j.commit(ctx, ref)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	j.project.Symbolic = true
	j.notes = append(j.notes, "planned against what "+ref+" declares, not against a server: what was changed on the server does not show")
	live := map[state.Name]*state.Live{}
	j.intended = map[state.Name]*plan.Desired{}
	checker := check.New(tree)
	for _, f := range j.filesAt(tree) {
		file, _ := spec.Load(f.Name, f.Data)
		for i := range file.Len() {
			d := resolve.Entry(file, file.Deployment(i, nil))
			if desired := j.intentOf(checker, d); desired != nil {
				live[desired.Name], j.intended[desired.Name] = plan.AsLive(desired), desired
			}
		}
	}
	if j.Base == ref { // the same commit tells what was declared before
		j.declared = map[state.Name]plan.Before{}
		for name := range live {
			j.declared[name] = j.before(name)
		}
	}
	read := func(_ context.Context, q state.Query) (*state.Snapshot, error) {
		return &state.Snapshot{Source: j.State.Source, Deployments: live, Complete: q.All > 0, Total: len(live)}, nil
	}
	return &state.State{Source: j.State.Source, Read: read, Close: j.State.Close}, nil
}

// intentOf is a deployment of the commit as it should be; nil where it can't be read.
func (j *job) intentOf(checker *check.Checker, d *resolve.Deployment) *plan.Desired {
	project := j.projectOf(d.File)
	e, err := project.FillEarly(d)
	if err != nil {
		return nil
	}
	static, problem := checker.Flow(d.File, e.Entrypoint)
	if problem != nil {
		return nil
	}
	project.Outputs, project.Pending = d.Outputs, plan.Pending(d)
	desired, err := project.Settle(e, fromStatic(static))
	if err != nil {
		return nil
	}
	return desired
}
