// What must not be shown stays in one job: a value passed between jobs stands in their outputs, for everyone to read. So a step that gives such a value, or reads a variable that may not be shown, is joined with those that use what it gives.
package emit

import (
	"slices"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// findHidden tells which steps give something that must not be shown: what they are said to give, or what they make of something hidden.
func (c *cutter) findHidden(deployments []*resolve.Deployment) {
	shown := c.shown(deployments)
	for _, s := range c.graph.Steps {
		made := resolve.MadeOf(s.Function)
		if why := c.tainted(s, shown[s], made); why != "" {
			c.hidden[s] = why
		}
		if why := hiddenVariable(s, shown[s]); why != "" {
			c.hidden[s] = why
		}
		if s.Hidden() {
			c.hidden[s] = "its output is a secret"
		}
		if resolve.Canonical(s.Function) != resolve.PushDockerImage { // of a push, what logs in is not shown but used
			made = nil
		}
		if why := c.tainted(s, shown[s], made); why != "" {
			c.private[s] = why
		}
	}
}

// hiddenVariable names the variable that a step's script reads without a template and that must not be shown, "" for none: whatever the script prints may hold it, and a job that runs it tells only then, when it is too late
// to put who uses it beside it.
func hiddenVariable(s *graph.Step, shown func(string) bool) string {
	for _, name := range scriptVariables(s) {
		if shown == nil || !shown(name) {
			return "$" + name
		}
	}
	return ""
}

// shown tells for each step which environment variables may be shown: those that every file which has the step lets be.
func (c *cutter) shown(deployments []*resolve.Deployment) map[*graph.Step]func(string) bool {
	files := map[*graph.Step][]*spec.File{}
	sets := map[*spec.File]map[string]bool{}
	for _, r := range c.graph.Registrations {
		f := deployments[r.Index].File
		if sets[f] == nil {
			sets[f] = resolve.ShownVariables(f)
		}
		for _, s := range r.Steps {
			if !slices.Contains(files[s], f) {
				files[s] = append(files[s], f)
			}
		}
	}
	out := map[*graph.Step]func(string) bool{}
	for s, list := range files {
		out[s] = func(name string) bool {
			return resolve.SetByCI(name) || !slices.ContainsFunc(list, func(f *spec.File) bool { return !sets[f][name] })
		}
	}
	return out
}

// tainted names the placeholder among a step's inputs (those of made, nil for all) that must not be shown, "" for none: what is made of it is an echo of a secret.
func (c *cutter) tainted(s *graph.Step, shown func(string) bool, made []string) (why string) {
	for _, e := range s.Inputs.Map {
		if made != nil && !slices.Contains(made, e.Key) {
			continue
		}
		template.Walk(e.Value, func(_ value.Value, found []template.Placeholder) {
			for _, p := range found {
				if why == "" && c.secret(s, p, shown) {
					why = "{{ " + p.Name + " }}"
				}
			}
		})
	}
	return why
}

func (c *cutter) secret(s *graph.Step, p template.Placeholder, shown func(string) bool) bool {
	switch p.Kind {
	case template.Block:
		return true
	case template.Env:
		return shown == nil || !shown(p.EnvName())
	case template.Output:
		sources := sourcesOf(s.Upstream, p.Name)
		for _, u := range sources {
			if c.hidden[u] != "" {
				return true
			}
		}
		return len(sources) == 0 && p.Name == resolve.Head(p.Name) && (shown == nil || !shown(p.Name)) // the environment may fill it
	}
	return false
}

// sourcesOf are the steps of a list that may fill a reference to an output.
func sourcesOf(steps []*graph.Step, name string) []*graph.Step {
	head := resolve.Head(name)
	var out []*graph.Step
	for i := len(steps) - 1; i >= 0; i-- {
		written := spec.Step{Function: steps[i].Function}
		if steps[i].ID != "" {
			written.ID = value.Of(steps[i].ID)
		}
		sure, maybe := resolve.Gives(&written, head)
		if sure || maybe {
			out = append(out, steps[i])
		}
		if sure {
			break
		}
	}
	return out
}

// joinHidden puts who uses something hidden beside who gives it.
func (c *cutter) joinHidden(deployments []*resolve.Deployment) {
	for i, s := range c.graph.Steps {
		for _, u := range s.Upstream {
			if c.hidden[u] != "" {
				c.join(i, c.place[u])
			}
		}
	}
	for _, r := range c.graph.Registrations {
		if !slices.ContainsFunc(r.Steps, func(s *graph.Step) bool { return c.hidden[s] != "" }) {
			continue
		}
		used := usedBy(deployments[r.Index], r.Steps)
		for _, s := range r.Steps {
			if c.hidden[s] != "" && used[s] {
				c.join(c.place[s], c.register())
			}
		}
	}
}

// usedBy are the steps whose outputs the fields and the pull steps of a deployment refer to.
func usedBy(d *resolve.Deployment, steps []*graph.Step) map[*graph.Step]bool {
	used := map[*graph.Step]bool{}
	visit := func(_ value.Value, found []template.Placeholder) {
		for _, p := range found {
			if p.Kind == template.Output {
				for _, s := range sourcesOf(steps, p.Name) {
					used[s] = true
				}
			}
		}
	}
	template.Walk(d.Fields, visit)
	for i := range d.Pull {
		template.Walk(d.Pull[i].Inputs, visit)
	}
	return used
}
