// What action.yml calls. The same plan and deploy as the commands of these names, told by inputs instead of flags, and answered in annotations, outputs and the
// job's summary instead of text on a terminal.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/forge"
	"github.com/org/prefect-deploy-action/runner/handover"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/prefect"
	"github.com/org/prefect-deploy-action/runner/report"
	"github.com/org/prefect-deploy-action/runner/review"
)

func actionCommand(ctx context.Context, w cli.World) *cobra.Command {
	return &cobra.Command{Use: "action", Short: "What action.yml calls: reads its inputs and the event, picks the mode", Args: cli.NoArgs, Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			w.Stderr = w.Stdout // one stream, in order: the runner reads commands from both
			a := &action{job: ci.New(w.Stdout, w.Env), w: w}
			return a.end(a.run(ctx))
		}}
}

// action is one call of the action.
type action struct {
	job *ci.Job
	w   cli.World
	in  ci.Inputs
	// event is what started the workflow, review the way to its pull request; nil where there is none to go.
	event  forge.Event
	review *review.Settings
	// dir is the working directory, prefix its path within the repository with a final slash: annotations count from the repository's root.
	dir, prefix string
	findings    findings
	// refused is what GitHub did not let the job do, as it lacks the permission.
	refused []*forge.Unavailable
}

// The values of the output `result`.
const (
	resultPlanned = "planned"
	resultApplied = "applied"
	resultChecked = "checked"
	resultRan     = "ran"
	resultSkipped = "skipped"
	resultFailed  = "failed"
)

// end is how every call ends: what was found is told, an error becomes an annotation and the output `result`, and only its exit code is left.
func (a *action) end(err error) error {
	a.tellFindings()
	if err == nil {
		return nil
	}
	exit := &cli.Exit{Code: cli.ExitError}
	if !errors.As(err, &exit) {
		exit = &cli.Exit{Code: cli.ExitError, Text: err.Error()}
	}
	if exit.Text != "" {
		a.job.Error(ci.Place{}, "prefect deploy", diag.CleanLines(exit.Text))
	}
	_ = a.job.Output("result", resultFailed)
	return &cli.Exit{Code: exit.Code}
}

func (a *action) run(ctx context.Context) error {
	in, err := a.job.Inputs()
	if err != nil {
		return cli.Usage("%v", err)
	}
	a.in = in
	a.job.Mask(in.Token)
	a.job.Mask(in.PlanKey)
	a.login()
	if err := a.locate(); err != nil {
		return err
	}
	event, err := a.job.Event()
	if err != nil && in.Mode == ci.Auto {
		return err
	}
	choice, err := ci.Choose(in, event)
	if err != nil {
		return err
	}
	if choice.Mode == ci.Step {
		return a.steps(ctx)
	}
	if err := a.meet(); err != nil {
		return err
	}
	if choice.Mode == ci.Plan && event.Stranger && a.in.State == "" && a.givenNothing(in.Mode, event.Name) {
		choice = a.withoutServer(ctx, "the jobs of this pull request are given no secrets", "")
	} else if choice.Mode == ci.Plan && a.stands() && errors.Is(a.noServer(), prefect.ErrNoAPIURL) {
		choice = a.withoutServer(ctx, "this job is given no PREFECT_API_URL", toRepository)
	}
	if choice.Warning != "" {
		a.job.Warning(ci.Place{}, "nothing was deployed", choice.Warning)
	}
	if a.review != nil {
		a.review.Expected = a.withoutPermission
	}
	defer a.tellNotice(choice, event.Stranger)
	switch choice.Mode {
	case ci.Nothing:
		return errors.Join(a.closed(ctx), a.job.Output("result", resultSkipped))
	case ci.Check:
		return a.check()
	case ci.Prune:
		return a.prune(ctx)
	case ci.Review:
		return a.reviewFirst(ctx)
	case ci.PullCheck:
		return a.pullCheck(ctx)
	}
	return a.execute(ctx, choice.Mode == ci.Deploy)
}

// givenNothing tells whether a stranger's job has nothing to ask a server with. In auto no server is asked, whatever is named: what would log in to it is not given. A mode: plan that somebody set is asked for the server, unless nothing
// is there that logs in; and pull_request_target, where it may stand, has the secrets.
func (a *action) givenNothing(set ci.Mode, event string) bool {
	if set == ci.Auto {
		return true
	}
	config, err := prefect.Load(settingsIn(a.w, "", ""))
	return event == "pull_request" && (err != nil || config.APIKey == "" && config.AuthString == "" && len(config.Headers) == 0)
}

// login masks what logs in, and sets the environment as `prefect deploy` and the steps know it. The variables that hold the inputs themselves go no further.
func (a *action) login() {
	given := map[string]string{"PREFECT_API_URL": a.in.APIURL, "PREFECT_API_KEY": a.in.APIKey, "PREFECT_API_AUTH_STRING": a.in.APIAuthString}
	outer := a.w.Env
	a.w.Env = func(name string) (string, bool) {
		if v := given[name]; v != "" {
			return v, true
		}
		if ci.Own(name) || name == planKeyVariable { // here that is an input
			return "", false
		}
		return outer(name)
	}
	environ := make([]string, 0, len(a.w.Environ)+len(given))
	for _, entry := range a.w.Environ {
		if name, _, _ := strings.Cut(entry, "="); !ci.Own(name) && given[name] == "" && name != planKeyVariable {
			environ = append(environ, entry)
		}
	}
	for _, name := range []string{"PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING"} {
		if given[name] != "" {
			environ = append(environ, name+"="+given[name])
		}
	}
	a.w.Environ = environ
	for _, name := range []string{"PREFECT_API_KEY", "PREFECT_API_AUTH_STRING"} {
		secret, _ := a.w.Env(name)
		a.job.Mask(secret)
		if _, password, ok := strings.Cut(secret, ":"); ok && name == "PREFECT_API_AUTH_STRING" && len(password) >= 4 {
			a.job.Mask(password)
		}
	}
	config, _ := prefect.LoadConfig(a.w.Env, os.ReadFile) // what is wrong with it is told where it is used
	for _, h := range config.Headers {
		if len(h.Value) >= 4 { // GitHub hides the whole of a secret, and not the parts of a JSON object
			a.job.Mask(h.Value)
		}
	}
}

// locate finds the working directory, and its path within the repository.
func (a *action) locate() error {
	dir, err := filepath.Abs(filepath.FromSlash(a.in.WorkingDirectory)) // "" is where the step was started
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return cli.Usage("the input working-directory is %s, and there is no such directory (does actions/checkout come before?)", diag.Quote(a.in.WorkingDirectory))
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	a.dir = dir
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
			if rel, err := filepath.Rel(root, dir); err == nil && rel != "." {
				a.prefix = filepath.ToSlash(rel) + "/"
			}
			return nil
		}
		if root == filepath.Dir(root) {
			break
		}
	}
	// In an image without git actions/checkout leaves no .git; the workspace is the repository then.
	workspace, _ := a.w.Env("GITHUB_WORKSPACE")
	if real, err := filepath.EvalSymlinks(workspace); workspace != "" && err == nil {
		if rel, err := filepath.Rel(real, dir); err == nil && rel != "." && filepath.IsLocal(rel) {
			a.prefix = filepath.ToSlash(rel) + "/"
		}
	}
	return nil
}

// noServer tells why there is no state to ask, nil when there is one.
func (a *action) noServer() error {
	if a.in.State != "" {
		return nil
	}
	_, err := a.options().config(a.w, a.dir)
	return err
}

// server is the same in the words of inputs.
func (a *action) server() error {
	err := a.noServer()
	if errors.Is(err, prefect.ErrNoAPIURL) {
		return cli.Fail("there is no Prefect server to ask: set the input api-url or the variable PREFECT_API_URL (a secret or variable that the job is not given is empty), or the input state for a state in a file")
	}
	return err
}

// options are the inputs as the flags that they are named after.
func (a *action) options() *options {
	o := &options{files: a.in.Files, dir: a.dir, names: a.in.Names, all: a.in.All, state: a.in.State, jobs: a.in.Jobs, timeout: a.in.Timeout, retries: a.in.Retries, enforce: true, prune: a.in.Prune, deletes: a.in.MaxDeletes, base: a.base(), environment: a.in.Environment, planKey: a.in.PlanKey,
		given: given{from: a.in.From, skipBuild: a.in.SkipBuild, fewer: true, keepGoing: a.in.KeepGoing || len(a.in.From) > 0 && a.in.Mode != ci.Step, left: a.outdated}}
	for _, r := range a.in.Results {
		o.ended = append(o.ended, handover.Result{Job: r[0], Result: r[1]})
	}
	o.attempt, _ = a.w.Env("GITHUB_RUN_ATTEMPT")
	if a.in.Mode != ci.Step { // there they are all that runs, and nothing is registered
		o.only = a.in.Steps
	}
	if a.event.Name == "pull_request" {
		o.onto = a.event.BaseSHA
	}
	if len(o.files) == 0 {
		o.files = []string{"prefect.yaml"}
	}
	if o.all {
		o.names = nil
	}
	if o.jobs < 0 {
		o.jobs = defaultJobs
	}
	if o.deletes < 0 {
		o.deletes = defaultMaxDeletes
	}
	if o.retries < 0 {
		o.retries = defaultRetries
	}
	return o
}

// outdated tells of outputs that are left out.
func (a *action) outdated(r handover.Result) {
	a.job.Notice(ci.Place{}, "", fmt.Sprintf("what the job %s gave in an earlier attempt of this run is left out, as in this one it ended with %s; re-run the failed jobs, and those that were skipped after them run too", diag.Clean(r.Job), diag.Clean(r.Result)))
}

// execute plans or deploys.
func (a *action) execute(ctx context.Context, acting bool) (err error) {
	began := time.Now()
	if err := a.server(); err != nil {
		return err
	}
	r, err := a.options().run(a.w, resolve.Overrides{}, "")
	if err != nil {
		return err
	}
	defer r.State.Close()
	byDefault(&r)
	var p *plan.Plan
	bound, err := a.bind(ctx, &r, acting)
	defer func() { err = errors.Join(err, bound.finish(ctx, p, err, took(time.Since(began), p))) }()
	if err != nil {
		return a.stopped(ctx, err)
	}
	r.Warn = a.found
	act := deploy.Plan
	if acting {
		act = deploy.Deploy
		r.Log = exec.GitHub(a.w.Stdout, exec.NewToken())
		r.Begin = a.install // not before the plan was approved: what is installed may run code of its own, which the push brought
	}
	p, err = act(ctx, r)
	a.findings.read = a.findings.read || p != nil
	switch {
	case p == nil && !acting && a.stands() && a.keyless(err):
		return a.instead(ctx)
	case p == nil:
		return a.stopped(ctx, err)
	}
	if !acting {
		a.pipelineNews(ctx, p)
	}
	return errors.Join(bound.post(ctx, p, acting), a.answer(ctx, p, acting, took(time.Since(began), p)))
}

// nameByDefault is what PrefectHQ/actions-prefect-deploy deploys when a workflow names nothing, and so do we where the files have it.
const nameByDefault = "deployment"

// byDefault selects it where nothing was named.
func byDefault(r *deploy.Options) {
	if len(r.Selection.Names) == 0 && !r.Selection.All && declares(*r, nameByDefault) {
		r.Selection.Names = []string{nameByDefault}
	}
}

// declares tells whether the files have a deployment of that name. Their faults are left to the run itself, which tells them in full.
func declares(r deploy.Options, name string) bool {
	c := check.New(os.DirFS(r.Directory))
	for _, f := range r.Files {
		file, ok := c.Load(f.Name, f.Data)
		if !ok {
			continue
		}
		var diags diag.List
		for i := range file.Len() {
			if resolve.Entry(file, file.Deployment(i, &diags)).Name() == name {
				return true
			}
		}
	}
	return false
}

// answer says what the plan is, or what became of it: on every channel, and also where deployments failed.
func (a *action) answer(ctx context.Context, p *plan.Plan, acting bool, elapsed string) error {
	printed := a.job.Print("", report.Text(p, acting, elapsed))
	for _, d := range p.Deployments {
		if d.Outcome == plan.Failed || d.Outcome == plan.Skipped {
			a.findings.beside = append(a.findings.beside, a.ofFailure(d))
		}
	}
	if !acting && a.event.Name == "pull_request" {
		a.findings.beside = append(a.findings.beside, a.ofChanges(report.Of(p))...)
	}
	told := errors.Join(printed, a.outputs(ctx, p, acting), a.job.Summary(report.Markdown(p, acting))) // one that fails takes nothing from the others
	outcome := (&options{}).exit(ctx, p)
	if told != nil && outcome != nil {
		a.job.Error(ci.Place{}, "results", diag.CleanLines(told.Error()))
		return outcome
	}
	return errors.Join(told, outcome)
}

func (a *action) place(d *plan.Deployment) ci.Place {
	if d.Desired == nil {
		return ci.Place{}
	}
	at := d.Desired.Resolved.Position(d.Desired.Resolved.Spec.Pos)
	if at.File == "" {
		return ci.Place{}
	}
	return a.placeOf(at.File, at.Line)
}

// stopped is a run that did not begin: nothing ran and nothing was written.
func (a *action) stopped(ctx context.Context, err error) error {
	var faults *deploy.Faults
	var usage *resolve.UsageError
	switch {
	case ctx.Err() != nil:
	case errors.As(err, &faults):
		for i := range faults.List {
			faults.List[i].Help = inInputs(faults.List[i].Help)
		}
		a.diagnostics(faults.List, faults.Sources)
		return errors.Join(a.faultsSummary(faults.List, faults.Sources), &cli.Exit{Code: cli.ExitError, Text: faults.List.Summary() + "; nothing ran and nothing was written"})
	case errors.As(err, &usage):
		return cli.Usage("%s", inInputs(usage.Text))
	}
	return failure(ctx, a.w, err)
}

// inInputs says with the names of inputs what messages say with those of flags.
func inInputs(text string) string {
	text, _, _ = strings.Cut(text, deploy.OrSet)
	return strings.NewReplacer("with --name", "in the input deployment-names", "with --all", "with all-deployments: true", "with --prefect-file", "in the input deployment-file-path", "with --from FILE", "in the input from",
		"--name", "deployment-names", "--all", "all-deployments", "--prefect-file", "deployment-file-path").Replace(text)
}

// diagnostics shows them in the log, and keeps them for their lines.
func (a *action) diagnostics(l diag.List, sources diag.Sources) {
	a.found(l, sources)
	_ = a.job.Print("What is wrong", l.Text(sources))
}

func (a *action) faultsSummary(l diag.List, sources diag.Sources) error {
	text := l.Text(sources)
	fence := report.Fence(text)
	return a.job.Summary(fmt.Sprintf("### Prefect: %s\n\nNothing ran and nothing was written.\n\n%stext\n%s%s\n", l.Summary(), fence, text, fence))
}
