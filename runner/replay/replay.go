// Package replay runs one GitHub workflow on this machine, through act: without Docker, without network, without the remote actions' own code. Only cmd/replay
// links it, since act is heavy and a crash of it cannot be recovered (DESIGN.md, Companions).
//
// act differs from GitHub in ways that hide faults. Those that matter are evened out here: a job whose `runs-on` no machine serves is a failure and not a silent
// skip, steps get no variables that GitHub would not set (shell.go), and the repository is that of the event.
package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nektos/act/pkg/model"
	"github.com/nektos/act/pkg/runner"
	"gopkg.in/yaml.v3"
)

// Options say what is run. Steps inherit the environment of this process: who calls Run clears it first.
type Options struct {
	// Workflow is the workflow's file, Directory the repository's work tree, of which each job gets a copy.
	Workflow, Directory string
	// Event is the event's name, EventPath its payload.
	Event, EventPath string
	// Actor is who is said to have caused the event.
	Actor              string
	Secrets, Vars, Env map[string]string
	// RunsOn are the labels that this machine answers to.
	RunsOn []string
	// Actions map `owner/repository@ref` to the directory that holds it.
	Actions map[string]string
	// Output gets the log.
	Output io.Writer
	// Tree, if not nil, shows the jobs in place of the log.
	Tree *Tree
	// Docker lets images be built, Live lets them be pushed.
	Docker, Live bool
	// Image is the image that jobs run in, "" for this machine itself.
	Image string
}

// Result is what became of a run.
type Result struct {
	Jobs        []Job        `json:"jobs"`
	Outputs     []Output     `json:"outputs"`
	Summaries   []string     `json:"summaries"`
	Annotations []Annotation `json:"annotations"`
}

// Job is a job; Result is GitHub's word: success, failure or skipped.
type Job struct {
	ID     string   `json:"id"`
	Result string   `json:"result"`
	Needs  []string `json:"needs,omitempty"`
	// Depth is the length of the longest way of needs that leads to it.
	Depth int `json:"depth"`
	// Calls is the workflow whose jobs it is made of, In the job that called the one this job is of.
	Calls string `json:"calls,omitempty"`
	In    string `json:"in,omitempty"`
}

// Output is one output of a step, in the order in which they were set.
type Output struct {
	Job   string `json:"job"`
	Step  string `json:"step"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Annotation is an `::error`, `::warning` or `::notice` (Kind).
type Annotation struct {
	Kind   string            `json:"kind"`
	Fields map[string]string `json:"fields"`
	Text   string            `json:"text"`
}

// Failed tells whether any job did.
func (r *Result) Failed() bool {
	for _, j := range r.Jobs {
		if j.Result == "failure" {
			return true
		}
	}
	return false
}

// Run runs the workflow's jobs for the event. The error is for what kept it from being run; jobs that failed are in the result.
func Run(ctx context.Context, o Options) (*Result, error) {
	plan, err := read(o)
	if err != nil {
		return nil, err
	}
	called, err := call(o, plan)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "replay-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	config, err := configure(o, scratch)
	if err != nil {
		return nil, err
	}
	run, err := runner.New(config)
	if err != nil {
		return nil, fmt.Errorf("the event's payload %s cannot be read: %w", o.EventPath, err)
	}
	seen := newObserver(o.Output, o.Secrets)
	seen.tree = o.Tree
	ctx = runner.WithJobLoggerFactory(ctx, seen)
	for _, stage := range plan.Stages { // one by one: act would end with the stage in which a called workflow failed
		err = errors.Join(err, run.NewPlanExecutor(&model.Plan{Stages: []*model.Stage{stage}})(ctx))
		if ctx.Err() != nil {
			break
		}
		seen.settle(stage, called)
	}
	EndSteps()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	result := seen.result()
	fault := result.collect(o, plan, called, seen.ended)
	switch {
	case err != nil && !result.Failed():
		return nil, err
	case fault != nil:
		return nil, fault
	}
	return result, nil
}

// collect takes in what became of the jobs, in the workflow's order, those of a called workflow behind their caller. The fault is a job that did not run at all.
func (r *Result) collect(o Options, plan *model.Plan, called map[string]*called, ended map[[2]string]string) (fault error) {
	order := written(o.Workflow)
	for _, stage := range plan.Stages {
		slices.SortStableFunc(stage.Runs, func(a, b *model.Run) int { return order[a.JobID] - order[b.JobID] }) // act keeps them in a map
		for _, run := range stage.Runs {
			job := r.job(run)
			if job.Result == "" && fault == nil {
				fault = fmt.Errorf("the job %s did not run: its runs-on (%s) is none of %s", job.ID, strings.Join(run.Job().RunsOn(), ", "), strings.Join(o.RunsOn, ", "))
			}
			if c := called[run.JobID]; c != nil {
				job.Calls = c.name
			}
			r.Jobs = append(r.Jobs, job)
			if job.Calls != "" && job.Result != "skipped" {
				r.inside(called[run.JobID], job, ended)
			}
		}
	}
	return fault
}

// job is what became of one that is not called.
func (r *Result) job(run *model.Run) Job {
	job := Job{ID: run.JobID, Result: run.Job().Result, Needs: run.Job().Needs()}
	for _, other := range r.Jobs {
		if other.In == "" && slices.Contains(job.Needs, other.ID) {
			job.Depth = max(job.Depth, other.Depth+1)
		}
	}
	return job
}

// written is the order in which a workflow's file has its jobs.
func written(workflow string) map[string]int {
	var file struct{ Jobs yaml.Node }
	order := map[string]int{}
	data, err := os.ReadFile(workflow)
	if err != nil || yaml.Unmarshal(data, &file) != nil {
		return order // it was read before
	}
	for i := 0; i+1 < len(file.Jobs.Content); i += 2 {
		order[file.Jobs.Content[i].Value] = i
	}
	return order
}

// read makes the plan of jobs, and refuses one of which a job would silently be left out.
func read(o Options) (*model.Plan, error) {
	planner, err := model.NewWorkflowPlanner(o.Workflow, true, true)
	if err != nil {
		return nil, fmt.Errorf("the workflow %s cannot be read: %w", o.Workflow, err)
	}
	plan, err := planner.PlanEvent(o.Event)
	if err != nil {
		return nil, fmt.Errorf("the workflow %s cannot be run: %w", o.Workflow, err)
	}
	if len(plan.Stages) == 0 {
		return nil, fmt.Errorf("the workflow %s has no job for the event %s", o.Workflow, o.Event)
	}
	return plan, served(o, plan)
}

// served refuses a plan with a job that this machine does not stand for.
func served(o Options, plan *model.Plan) error {
	serves := map[string]bool{}
	for _, label := range o.RunsOn {
		serves[strings.ToLower(label)] = true
	}
	for _, stage := range plan.Stages {
		for _, r := range stage.Runs {
			if kind, err := r.Job().Type(); err != nil || kind != model.JobTypeDefault {
				continue
			}
			labels, known := r.Job().RunsOn(), false
			for _, label := range labels {
				known = known || serves[strings.ToLower(label)] || strings.Contains(label, "${{")
			}
			if !known {
				return fmt.Errorf("the job %s runs on %s, and this machine stands for %s only: add it with --runs-on", r.JobID, strings.Join(labels, ", "), strings.Join(o.RunsOn, ", "))
			}
		}
	}
	return nil
}

func configure(o Options, scratch string) (*runner.Config, error) {
	directory, err := filepath.Abs(o.Directory)
	if err != nil {
		return nil, err
	}
	// act compares paths as texts, and a temporary directory may be a link
	if real, err := filepath.EvalSymlinks(directory); err == nil {
		directory = real
	}
	artifacts := filepath.Join(scratch, "artifacts")
	if err := os.MkdirAll(artifacts, 0o700); err != nil {
		return nil, err
	}
	env := map[string]string{"GITHUB_REPOSITORY": repository(o.EventPath), "GITHUB_WORKFLOW_REF": workflowRef(o, directory), "PREFECT_HOME": filepath.Join(scratch, "prefect")}
	for k, v := range o.Env {
		env[k] = v
	}
	platforms := map[string]string{}
	for _, label := range o.RunsOn {
		platforms[strings.ToLower(label)] = "-self-hosted"
		if o.Image != "" {
			platforms[strings.ToLower(label)] = o.Image
		}
	}
	socket := "-" // containers get no engine
	if o.Docker || o.Live {
		socket = ""
	}
	return &runner.Config{
		InsecureSecrets: true, ContainerDaemonSocket: socket, // the observer hides secrets
		Actor: o.Actor, Workdir: directory, ActionCacheDir: filepath.Join(scratch, "act"), EventName: o.Event, EventPath: o.EventPath, DefaultBranch: "main",
		LogOutput: true, Env: env, Secrets: o.Secrets, Vars: o.Vars, Token: o.Secrets["GITHUB_TOKEN"], Platforms: platforms, GitHubInstance: "github.com",
		AutoRemove: true, UseGitIgnore: true, ActionCache: actions{o.Actions, filepath.Dir(o.Workflow), map[string]string{"@artifacts@": artifacts, "@docker@": fmt.Sprint(o.Docker), "@live@": fmt.Sprint(o.Live)}},
	}, nil
}

// workflowRef names the workflow's file as GitHub does, which act leaves out: a job that looks at its own workflow would not find it.
func workflowRef(o Options, directory string) string {
	name := ".github/workflows/" + filepath.Base(o.Workflow)
	if file, err := filepath.Abs(o.Workflow); err == nil {
		if real, err := filepath.EvalSymlinks(file); err == nil {
			file = real
		}
		if inside, err := filepath.Rel(directory, file); err == nil && filepath.IsLocal(inside) {
			name = filepath.ToSlash(inside)
		}
	}
	var event struct{ Ref string }
	data, _ := os.ReadFile(o.EventPath) // one that cannot be read is told by act
	if json.Unmarshal(data, &event) != nil || event.Ref == "" {
		event.Ref = "refs/heads/main"
	}
	return repository(o.EventPath) + "/" + name + "@" + event.Ref
}

// repository is the repository of the event's payload. Without one act would say that it is its own.
func repository(eventPath string) string {
	var event struct {
		Repository struct {
			FullName string `json:"full_name"`
		} `json:"repository"`
	}
	data, err := os.ReadFile(eventPath)
	if err == nil {
		err = json.Unmarshal(data, &event)
	}
	if err != nil || event.Repository.FullName == "" {
		return "example/example"
	}
	return event.Repository.FullName
}
