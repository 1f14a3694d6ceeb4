// What was approved is what is carried out. A deploy that is bound to a review makes a plan first, as a plan and not as a deploy, and reads everything again to act. In between a person may have edited a deployment, a variable or a block. The two
// plans themselves can't be compared: to act, unset variables count as empty and flows may be imported. But both follow from what was read, so that is what is held against each other.
package deploy

import (
	"slices"
	"sort"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// held is the refusal where what this job read is not what the approved plan was made of.
func (j *job) held(approved *job) error {
	if approved == nil {
		return nil
	}
	var out []string
	for i, e := range j.early {
		now, then := state.Name{Flow: j.flowOf(e).Name, Deployment: e.Name}, state.Name{Flow: approved.flowOf(approved.early[i]).Name, Deployment: approved.early[i].Name}
		switch {
		case now != then && approved.flowOf(approved.early[i]).NameUnknown: // a name that only importing the flow tells
		case now != then:
			out = append(out, now.String()+": was planned as "+then.String())
		case !sameLive(j.snapshot.Deployments[now], approved.snapshot.Deployments[then]):
			out = append(out, now.String()+": was changed on the server since the plan was approved")
		}
	}
	then := map[string]bool{}
	for _, l := range approved.gone {
		then[l.ID] = true
	}
	for _, l := range j.gone {
		if !then[l.ID] {
			out = append(out, l.Name.String()+": was not among what is no longer declared when the plan was approved")
		}
	}
	names := j.references().Variables // one that is gone by now among them
	for name := range j.project.Variables {
		if !slices.Contains(names, name) {
			names = append(names, name) // a block's own
		}
	}
	for _, name := range names {
		now, here := j.project.Variables[name]
		if then, there := approved.project.Variables[name]; here != there || !value.Equal(now, then) {
			out = append(out, "the variable "+name+" was changed since the plan was approved")
		}
	}
	for ref, v := range j.project.Blocks {
		if !value.Equal(v, approved.project.Blocks[ref]) {
			out = append(out, "the block "+ref.String()+" was changed since the plan was approved")
		}
	}
	if len(out) == 0 {
		return nil
	}
	sort.Strings(out)
	return &Stale{Differences: out}
}

// sameLive compares what plans are made of.
func sameLive(a, b *state.Live) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.ID != b.ID || !value.Equal(a.Fields, b.Fields) || len(a.Automations) != len(b.Automations) {
		return false
	}
	then := map[string]value.Value{}
	for i := range b.Automations {
		then[b.Automations[i].ID] = b.Automations[i].Fields
	}
	for i := range a.Automations {
		if fields, there := then[a.Automations[i].ID]; !there || !value.Equal(a.Automations[i].Fields, fields) {
			return false
		}
	}
	return true
}
