package deploy

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
	"github.com/org/prefect-deploy-action/runner/step"
)

// Plan says what a deploy would do. It runs no step, imports no code and writes nothing.
func Plan(ctx context.Context, o Options) (*plan.Plan, error) {
	_, p, err := planning(ctx, o)
	return p, err
}

// planning is Plan, with the job that made it.
func planning(ctx context.Context, o Options) (*job, *plan.Plan, error) {
	j := newJob(o, false)
	defer j.close()
	if err := j.prepare(ctx); err != nil {
		return nil, nil, err
	}
	p, err := j.planned(ctx)
	if err != nil {
		return nil, nil, err
	}
	j.warn()
	p.Notes = append(p.Notes, j.automationNotes(p)...)
	if err := j.countDropped(ctx, p); err != nil {
		return nil, nil, err
	}
	if err := j.lastBuilds(ctx, p); err != nil {
		return nil, nil, err
	}
	return j, p, nil
}

// prepare does everything up to the state's answer; any fault ends it, and its error holds no secret.
func (j *job) prepare(ctx context.Context) error {
	return j.masked.told(j.stations(ctx))
}

func (j *job) stations(ctx context.Context) error {
	j.meetOnto(ctx)
	if j.Missing != "" && j.Selection.All && j.Base != "" {
		j.Selection.Gone = j.goneSince(ctx)
	}
	if err := j.load(); err != nil {
		return err
	}
	if ref, ok := ofCommit(j.State); ok {
		if ref == j.Onto && j.parted != "" {
			ref = j.parted
		}
		intent, err := j.intent(ctx, ref)
		if err != nil {
			return err
		}
		j.State = intent
	}
	if err := j.readGiven(); err != nil {
		return err
	}
	if err := j.readEarly(ctx); err != nil {
		return err
	}
	j.findSecrets()
	j.project.SensitiveOutput, j.project.Secret = j.sensitiveOutput, j.masked.add
	j.fillEarly()
	j.checkGiven()
	if j.acting {
		j.needPython()
	}
	if err := j.stop(); err != nil {
		return err
	}
	if err := j.readFlows(ctx); err != nil {
		return err
	}
	if err := j.stop(); err != nil {
		return err
	}
	if err := j.readLive(ctx); err != nil {
		return err
	}
	if err := j.stop(); err != nil {
		return err
	}
	return j.findGone(ctx)
}

// planned is the plan before any step ran: what steps will give is pending.
func (j *job) planned(ctx context.Context) (*plan.Plan, error) {
	p := &plan.Plan{State: j.State.Source, PrefectVersion: j.snapshot.PrefectVersion, Key: j.PlanKey}
	g := graph.Build(j.chosen, j.names())
	j.foretell(ctx, g)
	for _, note := range j.notes {
		p.Notes = append(p.Notes, j.masked.apply(note))
	}
	for i, e := range j.early {
		outputs, pending := j.known(i, g.Registrations[i].Steps)
		d, err := j.settle(e, outputs, pending)
		if err != nil {
			j.fault(e.Resolved, err)
			continue
		}
		j.checkJobVariables(e, d)
		j.checkParameters(e, d)
		j.checkTriggers(e, d)
		d.Build = plan.BuildOf(e.Resolved, g.Registrations[i].Steps)
		p.Deployments = append(p.Deployments, d)
	}
	j.supersede(p)
	j.addGone(p)
	p.Notes = append(p.Notes, notHere(p)...)
	p.Notes = append(p.Notes, staying(p)...)
	return p, j.stop()
}

// staying says, a line a deployment, which live schedules stay though the file does not have them.
func staying(p *plan.Plan) (out []string) {
	for _, d := range p.Deployments {
		switch {
		case d.Desired == nil:
		case len(d.Desired.KeptSchedules) > 0:
			out = append(out, fmt.Sprintf("%s: schedules that the file does not have stay: %s; remove them on the server if they are to go", d.Name, strings.Join(d.Desired.KeptSchedules, ", ")))
		case d.Desired.LeftSchedules > 0:
			out = append(out, fmt.Sprintf("%s: the file had schedules and says nothing of them any more, so the server keeps its %d; write schedules: [] if they are to go", d.Name, d.Desired.LeftSchedules))
		}
	}
	return out
}

// earlier are the entries of the same name that stand before one, the nearest first.
func (j *job) earlier(e *plan.Early) []*plan.Early {
	var out []*plan.Early
	for _, other := range j.byName[state.Name{Flow: j.flowOf(e).Name, Deployment: e.Name}] {
		if other == e {
			break
		}
		out = append([]*plan.Early{other}, out...)
	}
	return out
}

// supersede leaves of several entries that register under one name only the last: it wins in Prefect too, and writing the others would change the deployment to and fro.
func (j *job) supersede(p *plan.Plan) {
	last := map[state.Name]int{}
	for i, d := range p.Deployments {
		last[d.Name] = i
	}
	j.superseded = map[int]bool{}
	for i, d := range p.Deployments {
		if last[d.Name] != i {
			j.superseded[i] = true
			d.Supersede()
		}
	}
}

// notHere says, a line a variable, which environment variables are not set here and what they feed.
func notHere(p *plan.Plan) []string {
	feeds := map[string][]string{}
	for _, d := range p.Deployments {
		if d.Desired == nil {
			continue
		}
		for name, paths := range d.Desired.NotHereNames() {
			for _, path := range paths {
				feeds[name] = append(feeds[name], d.Name.String()+" "+path)
			}
		}
	}
	names := make([]string, 0, len(feeds))
	for name := range feeds {
		names = append(names, name)
	}
	sort.Strings(names)
	var out []string
	for _, name := range names {
		list := feeds[name]
		sort.Strings(list)
		list = slices.Compact(list) // a text may name a variable twice, and two entries a deployment
		text := strings.Join(list[:min(len(list), 3)], ", ")
		if len(list) > 3 {
			text += fmt.Sprintf(" and %d more", len(list)-3)
		}
		out = append(out, fmt.Sprintf("$%s is not set here, so what it fills was not compared: %s", name, text))
	}
	return out
}

// settle makes one deployment's plan.
func (j *job) settle(e *plan.Early, outputs value.Value, pending func(string) bool) (*plan.Deployment, error) {
	project := j.projectOf(e.Resolved.File)
	project.Outputs, project.Pending = outputs, pending
	desired, err := project.Settle(e, j.flowOf(e))
	if err != nil {
		return nil, err
	}
	for _, before := range j.earlier(e) {
		earlier, err := project.Settle(before, j.flowOf(before))
		if err != nil {
			return nil, err
		}
		desired.Inherit(earlier)
	}
	if old := j.renamed[desired.Name]; old != nil {
		return j.withTriggers(plan.Rename(desired, old, j.before(desired.Name)))
	}
	return j.withTriggers(plan.Compare(desired, j.snapshot.Deployments[desired.Name], j.before(desired.Name)))
}

// Deploy runs the steps and brings the state to what the files say. The plan that it returns tells what became of each deployment; the error is for a run that could
// not begin, or was interrupted.
func Deploy(ctx context.Context, o Options) (*plan.Plan, error) {
	if o.State.Write == nil {
		return nil, fmt.Errorf("%s is what a commit says; it can't be deployed to", o.State.Source)
	}
	approved, err := approval(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Begin != nil {
		if err := o.Begin(ctx, &o); err != nil {
			return nil, err
		}
	}
	j := newJob(o, true)
	defer j.close()
	if err := j.prepare(ctx); err != nil {
		return nil, err
	}
	if err := j.held(approved); err != nil {
		return nil, err
	}
	p, err := j.planned(ctx)
	if err != nil {
		return nil, err
	}
	g := graph.Build(j.chosen, j.names())
	if err := j.heldTags(approved, g); err != nil {
		return nil, err
	}
	j.warn()
	defer j.hide(p)
	began := j.Now()
	results := j.run(ctx, g)
	if err := j.stale(); err != nil {
		return nil, err
	}
	p.Steps = stepsOf(g, results)
	p.Built = j.Now().Sub(began).Seconds()
	if len(g.Steps) > 0 {
		j.after(p, g, results)
	}
	if ctx.Err() != nil {
		return j.interrupted(p), ctx.Err()
	}
	j.write(ctx, p)
	p.Notes = append(p.Notes, j.automationNotes(p)...)
	if ctx.Err() != nil {
		return j.interrupted(p), ctx.Err()
	}
	return p, nil
}

// names gives the full names that the graph shows.
func (j *job) names() func(*resolve.Deployment) string {
	full := map[*resolve.Deployment]string{}
	for _, e := range j.early {
		full[e.Resolved] = state.Name{Flow: j.flowOf(e).Name, Deployment: e.Name}.String()
	}
	return func(d *resolve.Deployment) string { return full[d] }
}

// run carries the steps out.
func (j *job) run(ctx context.Context, g *graph.Graph) map[*graph.Step]*exec.Result {
	if len(g.Steps) == 0 {
		return nil
	}
	files := j.filesOf(g)
	var left leavings
	r := exec.Runner{
		Do: func(ctx context.Context, s *graph.Step, c step.Call) (value.Value, error) {
			c = adapt(c)
			c.Always = s.Always
			left.watch(s, &c)
			j.tellLogin(c.Function, c.Inputs)
			if s.TagInputs {
				var err error
				if c, err = j.withTag(ctx, c); err != nil {
					return value.Value{}, tagFault(s, err)
				}
				if err = j.heldTag(s, c); err != nil {
					return value.Value{}, err
				}
			}
			outputs, done, err := j.rehearse(c)
			if !done {
				outputs, done, err = j.present(ctx, g, s, c)
			}
			if !done {
				do := j.carriedOutBy(ctx, c)
				outputs, err = j.repeat(ctx, c.Stderr, func() (value.Value, error) { return do(ctx, c) })
			}
			return j.masked.given(s, tainted(s.Function, c.Inputs, outputs)), placed(s, err)
		},
		Resolve: func(_ context.Context, s *graph.Step, outputs value.Value) (value.Value, error) {
			project := j.projectOf(files[s]...)
			project.Outputs = outputs
			return project.Inputs(s.Inputs)
		},
		Given: j.presets(g), Root: j.Directory, Env: j.Environ, Jobs: j.Jobs, Timeout: j.Timeout, FailFast: j.FailFast, Log: j.Log, Mask: j.masked.apply, Now: j.Now,
	}
	if found := j.unset(g); len(found) > 0 && j.Warn != nil {
		j.Warn(found, j.source)
	}
	results := r.Run(ctx, j.part(g))
	if found := left.found(); len(found) > 0 && j.Warn != nil {
		j.Warn(found, j.source)
	}
	return results
}

// placed gives an error the line of the step that names what can't be used.
func placed(s *graph.Step, err error) error {
	if err == nil || !step.OfFile(err) {
		return err
	}
	return fmt.Errorf("%s:%d: %w", s.File, s.Pos.Line, err)
}

// rehearsal reports whether what writes to a registry, a bucket or a container engine is to be left out: a replay sets this variable.
func (j *job) rehearsal() bool {
	v, _ := j.Env("PREFECT_DEPLOY_REHEARSAL")
	return v == "true"
}

func (j *job) rehearse(c step.Call) (outputs value.Value, ok bool, err error) {
	if !j.rehearsal() {
		return value.Value{}, false, nil
	}
	namespace, _ := j.Env("PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE")
	return step.Rehearse(c.Function, c.Inputs, j.Now(), namespace)
}

// adapt gives a step the arguments that its function takes today: image_tag is tag.
func adapt(c step.Call) step.Call {
	if resolve.Canonical(c.Function) != resolve.BuildDockerImage {
		return c
	}
	entries := append([]value.Entry(nil), c.Inputs.Map...)
	for i := range entries {
		if entries[i].Key == "image_tag" {
			entries[i].Key = "tag"
		}
	}
	c.Inputs.Map = entries
	return c
}

func stepsOf(g *graph.Graph, results map[*graph.Step]*exec.Result) []plan.Step {
	var out []plan.Step
	for _, s := range g.Steps {
		r := results[s]
		if r == nil {
			continue
		}
		x := plan.Step{Key: s.Key, Function: s.Function, Outcome: r.Outcome.String(), Seconds: r.Seconds, Began: r.Began, Outputs: r.Outputs}
		if r.Given {
			x.Outcome = "given"
		}
		if r.Err != nil {
			x.Error = r.Err.Error()
		}
		out = append(out, x)
	}
	return out
}

// after settles the deployments again, now with the outputs; those of a failed step are skipped.
func (j *job) after(p *plan.Plan, g *graph.Graph, results map[*graph.Step]*exec.Result) {
	for i, r := range g.Registrations {
		if len(r.Steps) == 0 {
			continue
		}
		d := p.Deployments[i]
		if j.superseded[i] {
			continue
		}
		if cause := j.failed(r, results); cause != "" {
			d.Outcome, d.Error = plan.Skipped, cause
			continue
		}
		outputs := exec.Outputs(r.Steps, results)
		e := j.early[i]
		for _, o := range e.Resolved.Outputs.Map {
			outputs = outputs.Set(o.Key, o.Value)
		}
		settled, err := j.settle(e, outputs, nil)
		if err != nil {
			d.Outcome, d.Error = plan.Failed, err.Error()
			continue
		}
		settled.Build = d.Build
		p.Deployments[i] = settled
	}
}

// failed names the step because of which a registration can't be: its root cause, not one that was itself skipped.
func (j *job) failed(r *graph.Registration, results map[*graph.Step]*exec.Result) string {
	for _, s := range r.Steps {
		result := results[s]
		switch {
		case result == nil && !j.runs(s) && j.Given.KeepGoing:
			return "step " + s.Key + " gave nothing: its job failed, or did not run"
		case result == nil && !j.runs(s): // what of it is needed was found to be given
		case result == nil:
			return "step " + s.Key + " did not run"
		case result.Interrupted():
			return interruptedAt(s, result)
		case result.Outcome == exec.Failed:
			return "step " + s.Key + " failed" + writtenAt(s)
		case result.Outcome == exec.Skipped && result.Cause != nil:
			return "step " + result.Cause.Key + " failed" + writtenAt(result.Cause)
		case result.Outcome == exec.Skipped:
			return "step " + s.Key + " was not run"
		}
	}
	return ""
}

// writtenAt says where a step stands in its file, for whoever has to mend it; "" where nobody wrote it.
func writtenAt(s *graph.Step) string {
	if s.File == "" || !s.Pos.Known() {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", s.File, s.Pos.Line)
}

// interruptedAt says where an interrupt found a deployment's steps: nothing is wrong with them.
func interruptedAt(s *graph.Step, r *exec.Result) string {
	if r.Outcome == exec.Failed {
		return "interrupted while the step " + s.Key + " ran"
	}
	return "interrupted before the step " + s.Key
}
