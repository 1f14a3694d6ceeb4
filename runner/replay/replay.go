// Package replay runs one GitHub workflow on this machine, through act: without Docker, without network, without the remote actions' own code. Only cmd/replay
// links it, since act is heavy and a crash of it cannot be recovered (DESIGN.md, Companions).
//
// act differs from GitHub in ways that hide faults. Those that matter are evened out here: a job whose `runs-on` no machine serves is a failure and not a silent
// skip, steps get no variables that GitHub would not set (shell.go), and the repository is that of the event.
package replay

import (
	"context"
	"encoding/json"
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
	err = run.NewPlanExecutor(plan)(runner.WithJobLoggerFactory(ctx, seen))
	EndSteps()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	result := seen.result()
	order := written(o.Workflow)
	for _, stage := range plan.Stages {
		slices.SortStableFunc(stage.Runs, func(a, b *model.Run) int { return order[a.JobID] - order[b.JobID] }) // act keeps them in a map
		for _, r := range stage.Runs {
			job := Job{ID: r.JobID, Result: r.Job().Result, Needs: r.Job().Needs()}
			for _, other := range result.Jobs {
				if slices.Contains(job.Needs, other.ID) {
					job.Depth = max(job.Depth, other.Depth+1)
				}
			}
			if job.Result == "" {
				return nil, fmt.Errorf("the job %s did not run: its runs-on (%s) is none of %s", job.ID, strings.Join(r.Job().RunsOn(), ", "), strings.Join(o.RunsOn, ", "))
			}
			result.Jobs = append(result.Jobs, job)
		}
	}
	if err != nil && !result.Failed() {
		return nil, err
	}
	return result, nil
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
				return nil, fmt.Errorf("the job %s runs on %s, and this machine stands for %s only: add it with --runs-on", r.JobID, strings.Join(labels, ", "), strings.Join(o.RunsOn, ", "))
			}
		}
	}
	return plan, nil
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
	env := map[string]string{"GITHUB_REPOSITORY": repository(o.EventPath), "PREFECT_HOME": filepath.Join(scratch, "prefect")}
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
		AutoRemove: true, UseGitIgnore: true, ActionCache: actions{o.Actions, map[string]string{"@artifacts@": artifacts, "@docker@": fmt.Sprint(o.Docker), "@live@": fmt.Sprint(o.Live)}},
	}, nil
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
