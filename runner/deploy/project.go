// Package deploy is the way of a run from the files to the result: read and check, select, fill the names, ask the state, run the steps, hold desired against live,
// write, report. Each station is a package of its own; this one only leads from one to the next, and is the one place that knows the whole order:
//
//	load → check → (variables, blocks) → names → (deployments, work pools) → faults? stop, nothing ran
//	     → steps → fields with outputs → plan → write
//
// Everything that can be known beforehand is checked before the first step runs. What only happens while acting concerns the deployments that need it: the others go on.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
	"github.com/org/prefect-deploy-action/runner/step"
)

// File is a prefect.yaml that was read.
type File struct {
	Name string
	Data []byte
}

// Options are what a run is told.
type Options struct {
	// Directory is the absolute working directory.
	Directory string
	// Files are the prefect.yaml files; Missing says that the default one isn't there, which an entrypoint on the command line makes up for.
	Files     []File
	Missing   string
	Selection resolve.Selection
	Overrides resolve.Overrides
	State     *state.State
	// Env is the environment of the process.
	Env     func(string) (string, bool)
	Environ []string
	Jobs    int
	Timeout time.Duration
	// Retries is how often a step is repeated that failed because of the network.
	Retries int
	// FailFast starts nothing more after the first failure.
	FailFast bool
	// Strict makes warnings of the check stop the run.
	Strict bool
	// Log gets the events of steps.
	Log exec.Sink
	// Writing, if not nil, is told how many of the changes are written, before the first and after each; one call at a time.
	Writing func(done, all int)
	// Environment is the target's name, "" for none: deployments of one file in several targets have several owners.
	Environment string
	// Patterns are what -f named, for reading the same files from another commit.
	Patterns []string
	// Base is the commit whose files tell what was declared before, "" for none; Token fetches it where the clone lacks it.
	Base, Token string
	// Onto is the commit that a pull request is to be merged onto, "" for none: what it declares is not gone because a tree that is behind it lacks it.
	Onto string
	// Prune deletes what is owned and no longer declared, at most MaxDeletes of it.
	Prune      bool
	MaxDeletes int
	// Given is what stands in place of what steps would give.
	Given Given
	// Deployed is the commit that was last deployed, "" where it is not known: its steps ran already, and what a plan tells of that counts as reviewed.
	Deployed string
	// PlanKey keys the plan's hash, "" for none: with it sensitive values are in the hash.
	PlanKey string
	// Reviewed is the plan (its JSON) that a deploy is bound to, nil for none.
	Reviewed []byte
	// Approve, if not nil, sees the plan before anything runs; its error ends the deploy with nothing written.
	Approve func(context.Context, *plan.Plan) error
	// Begin, if not nil, is called once a deploy is approved and before anything else of it; its error ends the deploy with nothing written. It may change the environment that steps see.
	Begin func(context.Context, *Options) error
	// Storage finds the companion that carries out steps for buckets; nil leaves them to Python.
	Storage func(context.Context) (string, error)
	// Warn gets diagnostics that do not stop the run, before the first step runs.
	Warn func(diag.List, diag.Sources)
	Now  func() time.Time
	// Wait replaces time.After between repeats.
	Wait func(time.Duration) <-chan time.Time
}

// Faults are diagnostics that stopped a run before anything happened.
type Faults struct {
	List    diag.List
	Sources diag.Sources
}

func (f *Faults) Error() string { return f.List.Error() }

// job is one run.
type job struct {
	Options
	project  plan.Project
	checker  *check.Checker
	files    []*spec.File
	chosen   []*resolve.Deployment
	early    []*plan.Early
	flows    map[string]plan.Flow
	snapshot *state.Snapshot
	python   *step.Python
	pyOnce   sync.Once
	pyErr    error
	faults   diag.List
	secrets  map[string]bool
	masked   mask
	notes    []string
	acting   bool
	// deletes says that this run carries deletes out, and does not only show them.
	deletes bool
	// superseded are the entries that a later one of the same name takes the place of.
	superseded map[int]bool
	// byName are the entries that register under each name, in the file's order.
	byName map[state.Name][]*plan.Early
	// parts is the graph where not all of its steps run here, nil where they do; gifts are those that are given, by digest, and named those that `run step` names.
	parts *graph.Graph
	gifts map[string]*gift
	named map[string]bool
	// anyFailed is set by the first failing step or write.
	anyFailed atomic.Bool
	// gone are the deployments that are owned and no longer declared; renamed are those that a declared one replaces, by its name.
	gone []*state.Live
	// leftover are the old ones of renames that an earlier run did not finish.
	leftover []*state.Live
	renamed  map[state.Name]*state.Live
	dockers  dockerPrograms
	buckets  storageProgram
	// foretold is what is known of the outputs of builds whose tag is a digest, by the step's digest.
	foretold map[string]value.Value
	// heldTo are those of an approved plan; moved says of which builds the tag is another one by now.
	heldTo map[string]value.Value
	moving sync.Mutex
	moved  []string
	// declared is what the base's files say, by name; nil without a base. intended is the intent of the commit that stands in place of a server, nil with a server.
	declared map[state.Name]plan.Before
	intended map[state.Name]*plan.Desired
	// ahead is the commit to merge onto where this tree lacks something of it, and parted the last that both have, "" where that can't be told.
	ahead, parted string
	// basefiles are the base's files that the same patterns name: one that is gone by now owned deployments too.
	basefiles []string
	// where the run stands is asked of git once.
	where func() place
	// place names a file's deployments whatever the target.
	place func(file string) string
}

func newJob(o Options, acting bool) *job {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = time.After
	}
	j := &job{Options: o, acting: acting, deletes: acting, checker: check.New(os.DirFS(o.Directory)), flows: map[string]plan.Flow{}, secrets: map[string]bool{}}
	j.project = plan.Project{Directory: o.Directory, Now: o.Now().UTC()}
	j.where = sync.OnceValue(func() place { return placeOf(context.Background(), o) })
	j.place = owner(o, j.where)
	j.project.Owner = func(file string) string { return atTarget(j.place(file), o.Environment) }
	j.project.Env = o.Env
	j.project.NotHere = !acting
	j.project.Shown = resolve.SetByCI
	git := gitCommit{dir: o.Directory, env: o.Env, environ: o.Environ}
	j.project.Commit = git.version
	return j
}

// load reads, selects and checks. Faults in the form of a file stop everything; faults of meaning only those of the selected deployments.
func (j *job) load() error {
	for _, f := range j.Files {
		file, _ := j.checker.Load(f.Name, f.Data)
		j.files = append(j.files, file)
	}
	if err := j.stop(); err != nil {
		return err
	}
	if j.Missing != "" {
		j.files = append(j.files, &spec.File{Name: j.Missing})
	}
	var diags diag.List
	j.Selection.FullName = j.checker.FullName
	chosen, err := resolve.Select(j.files, j.Selection, &diags)
	j.checker.Add(diags)
	if stop := j.stop(); stop != nil {
		return stop
	}
	var list diag.List
	if errors.As(err, &list) {
		return &Faults{list, j.source}
	}
	if err != nil {
		return err
	}
	if j.Selection.Entrypoint != "" {
		j.Overrides.Entrypoint = &j.Selection.Entrypoint
	}
	if err := resolve.Override(chosen, j.Overrides); err != nil {
		return err
	}
	for _, d := range chosen {
		j.checker.Deployment(d)
	}
	j.chosen = chosen
	return j.stop()
}

// projectOf is the project for a deployment, or a step, of the files: x-ci speaks of its own file alone. What several files share is shown only where all of them show it.
func (j *job) projectOf(files ...*spec.File) plan.Project {
	project := j.project
	shown := make([]map[string]bool, len(files))
	for i, f := range files {
		shown[i] = resolve.ShownVariables(f)
		version, _ := f.CI.Get("version")
		pull, _ := f.CI.Get("pull-directory")
		project.AlwaysVersion = project.AlwaysVersion || version.Text == "always"
		project.AlwaysPullDirectory = project.AlwaysPullDirectory || pull.Text == "always"
	}
	project.Shown = func(name string) bool {
		for _, s := range shown {
			if !s[name] {
				return resolve.SetByCI(name)
			}
		}
		return len(shown) > 0 || resolve.SetByCI(name)
	}
	return project
}

// stop returns the errors found so far, and hands warnings on.
func (j *job) stop() error {
	all := j.found()
	if all.Errors(j.Strict) > 0 {
		return &Faults{all, j.source}
	}
	return nil
}

// found is all that was found so far, with no secret in it. Messages that know what they quote show the template instead; this is for those that quote what others said.
func (j *job) found() diag.List {
	return j.masked.faults(append(j.checker.Diagnostics(), j.faults...).Sorted())
}

// warn hands the warnings on, once.
func (j *job) warn() {
	all := j.found()
	if len(all) > 0 && j.Warn != nil {
		j.Warn(all, j.source)
	}
}

// source is the text of a file, for snippets.
func (j *job) source(name string) []byte {
	for _, f := range j.Files {
		if f.Name == name {
			return f.Data
		}
	}
	if data, err := fs.ReadFile(os.DirFS(j.Directory), name); err == nil {
		return data
	}
	return nil
}

// root is the directory that a deployment's paths are relative to.
func (j *job) root(d *resolve.Deployment) string {
	return filepath.Join(j.Directory, filepath.FromSlash(d.File.Root()))
}

// interpreter finds Python, once.
func (j *job) interpreter() (*step.Python, error) {
	j.pyOnce.Do(func() {
		lookup := func(name string) string {
			v, _ := j.Env(name)
			return v
		}
		path, err := step.FindPython(lookup, osexec.LookPath)
		if err != nil {
			j.pyErr = err
			return
		}
		j.python = &step.Python{Path: path, Env: j.Environ, Jobs: max(1, j.Jobs)}
	})
	return j.python, j.pyErr
}

// needPython refuses before anything runs where a step needs a Python that isn't there.
func (j *job) needPython() {
	j.toRun(j.needPythonFor)
}

func (j *job) needPythonFor(d *resolve.Deployment, s *spec.Step) {
	if !j.needsPython(context.Background(), s.Function, s.Requires, s.Inputs) {
		return
	}
	if _, err := j.interpreter(); err != nil {
		if _, missing := j.docker(context.Background(), s.Function); isDocker(s.Function) && missing != nil {
			err = fmt.Errorf("%w; or let docker do it: %w", err, missing)
		} else if ok, why := docker.ByCommand(s.Function, s.Inputs); isDocker(s.Function) && !ok {
			err = fmt.Errorf("docker's command line can't carry it out, since %s; for Prefect's own function %w", j.masked.apply(why), err)
		}
		j.faults.Add(diag.Diagnostic{Severity: diag.Error, Code: "missing-python", Message: "the step " + diag.Clean(s.Function) + " is a Python function, and there is no Python here",
			Help: err.Error(), Position: d.Position(s.Pos)})
	}
}

// close ends what the run started.
func (j *job) close() {
	if j.python != nil {
		j.python.Close()
	}
}

// readEarly reads the variables and blocks that the fields and steps refer to. A block may refer to variables and, in turn, a variable to nothing more.
func (j *job) readEarly(ctx context.Context) error { return j.readOf(ctx, j.references()) }

func (j *job) readOf(ctx context.Context, q state.Query) error {
	if len(q.Variables)+len(q.Blocks) == 0 {
		return nil
	}
	snapshot, err := j.State.Read(ctx, q)
	if err != nil {
		return err
	}
	j.project.Variables, j.project.Blocks = snapshot.Variables, snapshot.Blocks
	seen := map[string]bool{}
	for _, v := range q.Variables {
		seen[v] = true
	}
	more := state.Query{}
	for _, b := range q.Blocks {
		variablesIn(snapshot.Blocks[b], seen, &more.Variables)
	}
	if len(more.Variables) == 0 {
		return nil
	}
	second, err := j.State.Read(ctx, more)
	if err != nil {
		return err
	}
	for _, name := range more.Variables {
		if v, ok := second.Variables[name]; ok {
			j.project.Variables[name] = v
		}
	}
	return nil
}

// fillEarly fills names, entrypoints and pools.
func (j *job) fillEarly() {
	j.early = make([]*plan.Early, len(j.chosen))
	for i, d := range j.chosen {
		project := j.projectOf(d.File)
		e, err := project.FillEarly(d)
		if err != nil {
			j.fault(d, err)
			continue
		}
		j.early[i] = e
	}
}

// fault records an error of one deployment that was found before anything ran.
func (j *job) fault(d *resolve.Deployment, err error) {
	var f *plan.Fault
	if errors.As(err, &f) {
		j.faults.Add(f.Diagnostic)
		return
	}
	j.faults.Add(diag.Diagnostic{Severity: diag.Error, Code: "unresolved", Message: err.Error(), Position: d.Position(d.Spec.Pos)})
}

// readLive reads the deployments and work pools, and checks the pools.
func (j *job) readLive(ctx context.Context) error {
	q := state.Query{All: j.atMost(), Automations: true}
	j.byName = map[state.Name][]*plan.Early{}
	seenPool, seenName := map[string]bool{}, map[state.Name]bool{}
	for _, e := range j.early {
		name := state.Name{Flow: j.flowOf(e).Name, Deployment: e.Name}
		j.byName[name] = append(j.byName[name], e)
		if !seenName[name] {
			seenName[name] = true
			q.Deployments = append(q.Deployments, name)
		}
		if !seenPool[e.WorkPool] {
			seenPool[e.WorkPool] = true
			q.WorkPools = append(q.WorkPools, e.WorkPool)
		}
	}
	snapshot, err := j.State.Read(ctx, q)
	if err != nil {
		return err
	}
	j.snapshot = snapshot
	if snapshot.WorkPools == nil {
		return nil
	}
	for _, e := range j.early {
		j.checkPool(e)
	}
	return nil
}

func (j *job) checkPool(e *plan.Early) {
	d := e.Resolved
	at, _ := d.Field("work_pool").Get("name")
	pos := at.Pos
	if !pos.Known() {
		pos = d.Spec.Pos
	}
	pool, ok := j.snapshot.WorkPools[e.WorkPool]
	switch {
	case !ok:
		j.faults.Add(diag.Diagnostic{Severity: diag.Error, Code: "unknown-work-pool", Message: fmt.Sprintf("there is no work pool %s at %s", diag.Quote(e.Shown("work_pool", "name")), j.State.Source),
			Help: "create it (prefect work-pool create NAME --type TYPE), or correct the name", Position: d.Position(pos)})
	case pool.Type == "prefect-agent":
		j.faults.Add(diag.Diagnostic{Severity: diag.Error, Code: "invalid-work-pool", Message: fmt.Sprintf("the work pool %s is of type prefect-agent, to which deployments of this kind can't go", diag.Quote(e.Shown("work_pool", "name"))),
			Help: "choose a work pool of another type", Position: d.Position(pos)})
	}
}

// checkJobVariables holds a deployment's job variables against its pool's template: what the server would refuse is an error, what only fails or is ignored when a run
// starts is a warning.
func (j *job) checkJobVariables(e *plan.Early, d *plan.Deployment) {
	pool := j.snapshot.WorkPools[e.WorkPool]
	if pool == nil {
		return
	}
	variables, _ := d.Desired.Fields.Get("job_variables")
	for _, f := range plan.CheckJobVariables(pool, variables) {
		severity := diag.Warning
		if (d.Live == nil && f.OnCreate) || (d.Live != nil && f.OnUpdate && d.Action != plan.Unchanged) {
			severity = diag.Error
		}
		at := f.Pos
		if !at.Known() {
			at = e.Resolved.Spec.Pos
		}
		j.faults.Add(diag.Diagnostic{Severity: severity, Code: "invalid-job-variable", Message: f.Message, Help: f.Help, Position: e.Resolved.Position(at)})
	}
}

// checkParameters holds a deployment's parameters against its flow's schema, where that is known and the server will: an error for a server that is known to refuse
// them, else a warning.
func (j *job) checkParameters(e *plan.Early, d *plan.Deployment) {
	flow := j.flowOf(e)
	if flow.SchemaUnknown != "" || flow.NameUnknown || d.Action == plan.Unchanged || !enforced(d) {
		return
	}
	severity := diag.Warning
	if strings.HasPrefix(j.snapshot.PrefectVersion, "3.") {
		severity = diag.Error
	}
	parameters, _ := d.Desired.Fields.Get("parameters")
	for _, f := range plan.CheckParameters(flow.Name, flow.Schema, parameters) {
		at := f.Pos
		if !at.Known() {
			at = e.Resolved.Spec.Pos
		}
		help := "correct the parameter, or write enforce_parameter_schema: false to have the server take any"
		j.faults.Add(diag.Diagnostic{Severity: severity, Code: "invalid-parameter", Message: f.Message, Help: help, Position: e.Resolved.Position(at)})
	}
}

// enforced tells whether the server will hold the parameters against the schema: what the file says, else what the deployment has, and a new one does.
func enforced(d *plan.Deployment) bool {
	said, ok := d.Desired.Fields.Get("enforce_parameter_schema")
	if !ok && d.Live != nil {
		said, ok = d.Live.Fields.Get("enforce_parameter_schema")
	}
	return !ok && d.Live == nil || said.Kind == value.Bool && said.Bool
}
