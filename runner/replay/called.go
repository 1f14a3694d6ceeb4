// Called workflows: a pipeline that is too large for one file is several, of which the first calls the others (`uses: ./.github/workflows/NAME`). act runs them, but for four things that GitHub does otherwise, and that are evened
// out here. It looks for them in the work tree only, and a replay is of what was just compiled: they are taken from beside the workflow. It ends all when a called workflow failed, where GitHub goes on with what is to run
// nevertheless. It gives the caller the result of whichever called job ended last, so a failure could count as a success. And it gives none at all to a caller whose jobs were all skipped.
package replay

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nektos/act/pkg/model"
	"github.com/sirupsen/logrus"
)

// calledFrom and calledAt are the repository and the ref under which act asks for a called workflow; no repository of GitHub's has such an owner.
const calledFrom, calledAt = "_/called", "beside"

// called is a workflow that a job calls.
type called struct {
	name string
	// caller is what act puts before the names of its jobs.
	caller string
	jobs   []*model.Run
}

// call reads the workflows that jobs of the plan call, by the job, and sends act to them.
func call(o Options, plan *model.Plan) (map[string]*called, error) {
	out := map[string]*called{}
	for _, stage := range plan.Stages {
		for _, r := range stage.Runs {
			if kind, err := r.Job().Type(); err != nil || kind != model.JobTypeReusableWorkflowLocal {
				continue
			}
			c, err := callOne(o, r)
			if err != nil {
				return nil, fmt.Errorf("the job %s calls %s: %w", r.JobID, r.Job().Uses, err)
			}
			out[r.JobID] = c
			r.Job().Uses = calledFrom + "/.github/workflows/" + c.name + "@" + calledAt
		}
	}
	return out, nil
}

func callOne(o Options, r *model.Run) (*called, error) {
	c := &called{name: path.Base(r.Job().Uses), caller: r.String()}
	file := filepath.Join(filepath.Dir(o.Workflow), c.name)
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("it is not beside %s", filepath.Base(o.Workflow))
	}
	planner, err := model.NewWorkflowPlanner(file, true, true)
	if err != nil {
		return nil, err
	}
	plan, err := planner.PlanEvent("workflow_call")
	if err != nil {
		return nil, err
	}
	if len(plan.Stages) == 0 {
		return nil, fmt.Errorf("it is not made to be called: its on: has no workflow_call")
	}
	order := written(file)
	for _, stage := range plan.Stages {
		for _, inner := range stage.Runs {
			if kind, err := inner.Job().Type(); err != nil || kind != model.JobTypeDefault {
				return nil, fmt.Errorf("its job %s calls one more, and a replay goes no deeper", inner.JobID)
			}
		}
		slices.SortStableFunc(stage.Runs, func(a, b *model.Run) int { return order[a.JobID] - order[b.JobID] })
		c.jobs = append(c.jobs, stage.Runs...)
	}
	return c, served(o, plan)
}

// ends takes note of what became of a job of a called workflow; the others tell it themselves. act names the job as CALLER/WORKFLOW/NAME, others as WORKFLOW/NAME.
func (o *observer) ends(e *logrus.Entry, result string) {
	id, _ := e.Data["jobID"].(string)
	name, _ := e.Data["job"].(string)
	caller, _, ok := strings.Cut(strings.TrimSpace(name), "/")
	if ok {
		o.ended[[2]string{caller, id}] = result
	}
}

// settle gives callers what their jobs make of them, before others ask for it.
func (o *observer) settle(stage *model.Stage, calls map[string]*called) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range stage.Runs {
		c, job := calls[r.JobID], r.Job()
		if c == nil {
			continue
		}
		job.Result = "skipped" // as GitHub has it when no job of it runs
		for _, inner := range c.jobs {
			switch o.ended[[2]string{c.caller, inner.JobID}] {
			case "failure":
				job.Result = "failure"
			case "success":
				if job.Result == "skipped" {
					job.Result = "success"
				}
			}
		}
	}
}

// inside are the jobs of a called workflow, a step further than its caller.
func (r *Result) inside(c *called, caller Job, ended map[[2]string]string) {
	depth := map[string]int{}
	for _, run := range c.jobs {
		job := Job{ID: run.JobID, Result: ended[[2]string{c.caller, run.JobID}], Needs: run.Job().Needs(), In: caller.ID}
		if job.Result == "" {
			job.Result = "skipped"
		}
		for _, n := range job.Needs {
			depth[job.ID] = max(depth[job.ID], depth[n]+1)
		}
		job.Depth = caller.Depth + 1 + depth[job.ID]
		r.Jobs = append(r.Jobs, job)
	}
}
