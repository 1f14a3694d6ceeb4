// What a run is given in place of what its steps would give: the outputs of earlier jobs, and single values. A step that is given does not run. All that is still needed has
// to be there, and that is settled before anything runs or is written: a deployment must never be registered with a value missing because a file did not arrive.
//
// Take hash → image → two deployments that use image.image, with a file that gives image. Neither step is needed then: image is given, and what hash gave only image used.
// Without the file and with --skip-build both deployments are faults that name image, its output and the options.
package deploy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/handover"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// Given is what stands in place of steps.
type Given struct {
	// Steps are the outputs of earlier jobs; Set are single outputs, which win over them.
	Steps []handover.Step
	Set   []Setting
	// SkipBuild runs no step at all.
	SkipBuild bool
	// KeepGoing makes a step that neither runs here nor is given concern only the deployments that have it: its job failed. Without it all that is needed has to be there.
	KeepGoing bool
	// Only are the keys of the steps that run here, none for all that are not given.
	Only []string
}

// Any reports whether anything is different from a run that runs all its steps.
func (g *Given) Any() bool {
	return g.SkipBuild || g.KeepGoing || len(g.Steps)+len(g.Set)+len(g.Only) > 0
}

// Setting is one output that was set by hand. Step is a step's key or id.
type Setting struct{ Step, Output, Value string }

// OrSet begins the end of messages that propose an option which the action has no input for.
const OrSet = ", or by hand with --set "

// ParseSetting reads the n-th STEP.OUTPUT=VALUE. What can't be read is not repeated, as it may hold a secret.
func ParseSetting(text string, n int) (Setting, error) {
	left, v, ok := strings.Cut(text, "=")
	step, output, dot := strings.Cut(left, ".")
	if !ok || !dot || step == "" || output == "" {
		return Setting{}, &resolve.UsageError{Text: fmt.Sprintf("--set number %d", n) + ": write STEP.OUTPUT=VALUE, such as build-image.image=repo/app:1"}
	}
	return Setting{step, output, v}, nil
}

// gift is what is given of one step.
type gift struct {
	outputs  value.Value
	withheld []string
	// whole: these are all of its outputs. Of a step that only --set names the others are not known.
	whole bool
}

// takeGiven finds the steps that files and settings speak of. full is the graph of all deployments: its keys are those that people see.
func (j *job) takeGiven(full *graph.Graph) error {
	j.gifts = map[string]*gift{}
	byDigest, byKey := map[string]*graph.Step{}, map[string]*graph.Step{}
	for _, s := range full.Steps {
		byDigest[s.Digest], byKey[s.Key] = s, s
	}
	for _, s := range j.Given.Steps {
		if byDigest[s.Digest] == nil {
			what := "these files have no step of this name"
			if byKey[s.Key] != nil {
				what = "it is another step in these files"
			}
			return fmt.Errorf("%s holds the outputs of the step %s, and %s: the pipeline is of another version of them. Compile it again (compile github, compile gitlab), and pass only what this run's jobs wrote; nothing ran",
				diag.Clean(s.File), diag.Quote(s.Key), what)
		}
		j.gifts[s.Digest] = &gift{s.Outputs, s.Withheld, true}
	}
	for _, set := range j.Given.Set {
		s, err := j.settable(full, set)
		if err != nil {
			return err
		}
		g := j.gifts[s.Digest]
		if g == nil {
			g = &gift{}
			j.gifts[s.Digest] = g
		}
		g.outputs = value.Value{Kind: value.Map, Map: g.outputs.Map}.Set(set.Output, value.Of(set.Value))
		g.withheld = slices.DeleteFunc(slices.Clone(g.withheld), func(name string) bool { return name == set.Output })
	}
	return nil
}

// settable finds the step that a setting is for among those of the selected deployments: by key, else by an id that only one has.
func (j *job) settable(full *graph.Graph, set Setting) (*graph.Step, error) {
	usage := func(format string, a ...any) error {
		return &resolve.UsageError{Text: fmt.Sprintf("--set %s.%s: ", diag.Clean(set.Step), diag.Clean(set.Output)) + fmt.Sprintf(format, a...)}
	}
	chosen := map[string]bool{}
	for _, s := range j.parts.Steps {
		chosen[s.Digest] = true
	}
	var byID []*graph.Step
	var found *graph.Step
	var keys []string
	for _, s := range full.Steps {
		switch {
		case !chosen[s.Digest]:
			continue
		case s.Key == set.Step:
			found = s
		case s.ID == set.Step:
			byID = append(byID, s)
		}
		keys = append(keys, s.Key)
	}
	switch {
	case found != nil:
	case len(byID) == 1:
		found = byID[0]
	case len(byID) > 1:
		return nil, usage("several steps have this id: write the key of the one that is meant, %s or %s", diag.Clean(byID[0].Key), diag.Clean(byID[1].Key))
	case len(keys) == 0:
		return nil, usage("the selected deployments have no steps")
	default:
		return nil, usage("the selected deployments have no step of this key or id; %s", nearestOf(set.Step, keys))
	}
	if known, ok := resolve.Known(found.Function); ok && !slices.Contains(known.Outputs, set.Output) {
		return nil, usage("%s gives no such output; it gives %s", diag.Clean(found.Function), strings.Join(known.Outputs, ", "))
	}
	return found, nil
}

func nearestOf(name string, among []string) string {
	if near := diag.Nearest(name, among); near != "" {
		return "did you mean " + diag.Clean(near) + "?"
	}
	const most = 10
	list := make([]string, 0, most)
	for _, k := range among[:min(len(among), most)] {
		list = append(list, diag.Clean(k))
	}
	text := "there are " + strings.Join(list, ", ")
	if len(among) > most {
		text += fmt.Sprintf(" and %d more", len(among)-most)
	}
	return text
}

// everything are all deployments of the files, and those that only the command line describes.
func (j *job) everything() []*resolve.Deployment {
	var all []*resolve.Deployment
	for _, f := range j.files {
		for i := range f.Len() {
			all = append(all, resolve.Entry(f, f.Deployment(i, nil)))
		}
	}
	for _, d := range j.chosen {
		if d.Spec.Index < 0 {
			all = append(all, d)
		}
	}
	return all
}

// readGiven is takeGiven for a plan or deploy of the selected deployments.
func (j *job) readGiven() error {
	if !j.Given.Any() {
		return nil
	}
	j.parts = graph.Build(j.chosen, (*resolve.Deployment).Title)
	full := graph.Build(j.everything(), (*resolve.Deployment).Title)
	if len(j.Given.Only) > 0 {
		if err := j.name(full, j.Given.Only); err != nil {
			return err
		}
	}
	return j.takeGiven(full)
}

// runs reports whether a step is going to run here.
func (j *job) runs(s *graph.Step) bool {
	return !j.Given.SkipBuild && j.gifts[s.Digest] == nil && (j.named == nil || j.named[s.Digest])
}

// toRun visits the build and push steps of the selected deployments that are going to run, a deployment after the other.
func (j *job) toRun(visit func(d *resolve.Deployment, s *spec.Step)) {
	for i, d := range j.chosen {
		at := 0
		for _, list := range [][]spec.Step{d.Build, d.Push} {
			for k := range list {
				if j.parts == nil || j.runs(j.parts.Registrations[i].Steps[at]) { // a registration has a step for each that is written
					visit(d, &list[k])
				}
				at++
			}
		}
	}
}

// presets are the given steps of a graph with their outputs.
func (j *job) presets(g *graph.Graph) map[*graph.Step]value.Value {
	if len(j.gifts) == 0 {
		return nil
	}
	out := map[*graph.Step]value.Value{}
	for _, s := range g.Steps {
		if gift := j.gifts[s.Digest]; gift != nil {
			out[s] = gift.outputs
		}
	}
	return out
}

// part is what of a graph is run or given here. What waits for a step whose job failed is not run.
func (j *job) part(g *graph.Graph) *graph.Graph {
	if j.parts == nil {
		return g
	}
	out := &graph.Graph{Registrations: g.Registrations}
	blocked := map[*graph.Step]bool{}
	for _, s := range g.Steps {
		switch {
		case j.gifts[s.Digest] != nil:
		case !j.runs(s):
			blocked[s] = j.Given.KeepGoing
			continue
		case slices.ContainsFunc(s.Needs, func(n *graph.Step) bool { return blocked[n] }):
			blocked[s] = true
			continue
		}
		out.Steps = append(out.Steps, s)
	}
	return out
}

// known is what is known of a deployment's outputs before anything ran, and which names the steps that are still to run may give.
func (j *job) known(i int, steps []*graph.Step) (outputs value.Value, pending func(string) bool) {
	d := j.chosen[i]
	if j.parts == nil && len(j.foretold) == 0 {
		return d.Outputs, plan.Pending(d)
	}
	results := map[*graph.Step]*exec.Result{}
	for _, s := range steps {
		if gift := j.gifts[s.Digest]; gift != nil {
			results[s] = exec.Given(s, gift.outputs)
		} else if v, ok := j.foretold[s.Digest]; ok {
			results[s] = exec.Given(s, v)
		}
	}
	outputs = value.Value{Kind: value.Map}
	for at, s := range steps { // what a later step gives wins: a name that one still to run may give is not known
		if !j.runs(s) {
			for _, e := range exec.Outputs(steps[at:at+1], results).Map {
				outputs = outputs.Set(e.Key, e.Value)
			}
			continue
		}
		outputs.Map = slices.DeleteFunc(slices.Clone(outputs.Map), func(e value.Entry) bool {
			_, maybe := givesName(s, e.Key)
			return maybe
		})
		for _, e := range exec.Outputs(steps[at:at+1], results).Map {
			outputs = outputs.Set(e.Key, e.Value)
		}
	}
	for _, e := range d.Outputs.Map {
		outputs = outputs.Set(e.Key, e.Value)
	}
	return outputs, func(name string) bool {
		return slices.ContainsFunc(steps, func(s *graph.Step) bool {
			_, maybe := givesName(s, resolve.Head(name))
			return maybe && (j.runs(s) || j.Given.KeepGoing && j.gifts[s.Digest] == nil)
		})
	}
}

func givesName(s *graph.Step, head string) (sure, maybe bool) {
	written := spec.Step{Function: s.Function}
	if s.ID != "" {
		written.ID = value.Of(s.ID)
	}
	return resolve.Gives(&written, head)
}

// lack is an output that is needed and neither given nor made here.
type lack struct {
	step     *graph.Step
	output   string
	withheld bool
}

// lacking follows a reference back through the steps before it, the later first, to one that neither runs here nor is given. Nil: there is none.
func (j *job) lacking(steps []*graph.Step, name string) *lack {
	head := resolve.Head(name)
	second := resolve.Head(strings.TrimPrefix(name[len(head):], "."))
	for _, s := range slices.Backward(steps) {
		sure, maybe := givesName(s, head)
		g := j.gifts[s.Digest]
		switch {
		case !maybe && g == nil:
		case j.runs(s):
			if sure || s.ID == head {
				return nil
			}
		case g == nil:
			return &lack{step: s, output: ofStep(s, head, second)}
		default:
			if lack, settled := g.lacking(s, head, second, maybe); settled {
				return lack
			}
		}
	}
	return nil
}

// ofStep is the output that a reference means of a step: its second part under the step's id, the first where it stands by itself.
func ofStep(s *graph.Step, head, second string) string {
	if s.ID == head && second != "" {
		return second
	}
	if s.ID == head {
		return ""
	}
	return head
}

// lacking is the same for a step that is given; not settled: it does not give this, an earlier one may.
func (g *gift) lacking(s *graph.Step, head, second string, maybe bool) (_ *lack, settled bool) {
	if _, ok := g.outputs.Get(head); ok {
		return nil, true
	}
	output := ofStep(s, head, second)
	_, given := g.outputs.Get(output)
	switch {
	case slices.Contains(g.withheld, head):
		return &lack{s, head, true}, true
	case s.ID != head && (g.whole || !maybe):
		return nil, false
	case output == "" && len(g.withheld) > 0: // {{ id }}: the whole mapping
		return &lack{s, g.withheld[0], true}, true
	case slices.Contains(g.withheld, output):
		return &lack{s, output, true}, true
	case given || g.whole:
		return nil, true
	}
	return &lack{s, output, false}, true
}

// checkGiven adds a fault for each output that is needed and lacking.
func (j *job) checkGiven() {
	if j.parts == nil {
		return
	}
	for _, s := range j.parts.Steps {
		if j.runs(s) {
			j.checkStep(s)
		}
	}
	for i, e := range j.early {
		if e == nil {
			continue
		}
		c := consumer{j, "the deployment " + diag.Clean(e.Resolved.Title()), e.Resolved.File, j.parts.Registrations[i].Steps, e.Resolved.Outputs, map[string]bool{}}
		for _, field := range e.Fields.Map {
			if field.Key != "triggers" && field.Key != "sla" { // not registered
				template.Walk(field.Value, c.check)
			}
		}
		for k := range e.Resolved.Pull {
			template.Walk(e.Resolved.Pull[k].Inputs, c.check)
		}
	}
}

// checkStep looks for what a step needs: the outputs that its inputs name, and where it runs.
func (j *job) checkStep(s *graph.Step) {
	f := j.fileOf(s)
	c := consumer{j, "the step " + diag.Clean(s.Key), f, s.Upstream, value.Value{}, map[string]bool{}}
	template.Walk(s.Inputs, c.check)
	for _, d := range s.Directory {
		if l := j.lacking([]*graph.Step{d}, "directory"); l != nil {
			c.fault(l, f.Position(s.Pos))
		}
	}
}

func (j *job) fileOf(s *graph.Step) *spec.File {
	for _, f := range j.files {
		if f.Name == s.File {
			return f
		}
	}
	return &spec.File{Name: s.File}
}

// consumer is who needs outputs: a step or a deployment, told by name.
type consumer struct {
	j     *job
	who   string
	file  *spec.File
	steps []*graph.Step
	own   value.Value
	told  map[string]bool
}

func (c *consumer) check(text value.Value, found []template.Placeholder) {
	for _, p := range found {
		if _, ok := c.own.Get(resolve.Head(p.Name)); ok || p.Kind != template.Output || p.Runtime() {
			continue
		}
		if l := c.j.lacking(c.steps, p.Name); l != nil {
			c.fault(l, resolve.Locate(c.file, text, p))
		}
	}
}

func (c *consumer) fault(l *lack, at diag.Position) {
	key := diag.Clean(l.step.Key)
	what := key
	if l.output != "" {
		what += "." + diag.Clean(l.output)
	}
	if c.told[what] || c.j.Given.KeepGoing && c.j.gifts[l.step.Digest] == nil { // the deployment is skipped: see failed
		return
	}
	c.told[what] = true
	x := diag.Diagnostic{Severity: diag.Error, Code: "output-not-given", Position: at, Message: fmt.Sprintf("%s needs %s, and the step %s neither runs here nor is given", c.who, what, key)}
	output := l.output
	if output == "" {
		output = "OUTPUT"
	}
	x.Help = fmt.Sprintf("pass what the job that ran it wrote (run step %s --outputs FILE) with --from FILE%s%s.%s=VALUE", key, OrSet, key, diag.Clean(output))
	switch {
	case l.withheld:
		x.Message = fmt.Sprintf("%s needs %s, which is sensitive and so never leaves the job that made it", c.who, what)
		x.Help = fmt.Sprintf("let the step %s and all that needs it run in one job; if only an environment variable makes it sensitive and its value may be shown, name that under x-ci.vars", key)
	case c.j.named != nil:
		x.Help = fmt.Sprintf("pass what the job that ran it wrote (run step %s --outputs FILE) with --from FILE, or name %s here too", key, key)
	}
	c.j.faults.Add(x)
}
