// The outputs of the action. A composite action has those that action.yml declares and no others, so what steps give travels in one of them, as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// outputs sets every output that there is.
func (a *action) outputs(ctx context.Context, p *plan.Plan, acting bool) error {
	path, err := a.tempFile("prefect-plan-*.json", p.JSON())
	if err != nil {
		return err
	}
	c := p.Count()
	result := resultPlanned
	switch {
	case c.Failed > 0 || ctx.Err() != nil:
		result = resultFailed
	case acting:
		result = resultApplied
	}
	for _, o := range [][2]string{
		{"result", result}, {"plan", path}, {"hash", p.Hash()},
		{"create", strconv.Itoa(c.Create)}, {"update", strconv.Itoa(c.Update)}, {"rebuild", strconv.Itoa(c.Rebuild)}, {"delete", strconv.Itoa(c.Delete)},
		{"unchanged", strconv.Itoa(c.Unchanged)}, {"changed", strconv.FormatBool(p.Changes())},
		{"deployments", string(deploymentsJSON(p))}, {"steps", string(stepsJSON(p))}, {"inputs", ""},
	} {
		if err := a.job.Output(o[0], o[1]); err != nil {
			return err
		}
	}
	return nil
}

// tempFile writes what later steps of the job may want where they find it: in the runner's own temporary directory, which is emptied with the job. Each call has its
// own file.
func (a *action) tempFile(name string, data []byte) (path string, err error) {
	dir, _ := a.w.Env("RUNNER_TEMP") // "" is the system's
	f, err := os.CreateTemp(dir, name)
	if err != nil {
		return "", fmt.Errorf("a file for later steps could not be written: %w", err)
	}
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return f.Name(), err
}

// deploymentsJSON is the plan's list without the changes, which may be long: [{"deployment": …, "action": …, "outcome": …, "url": …}], fit for a matrix.
func deploymentsJSON(p *plan.Plan) []byte {
	type deployment struct {
		Deployment string       `json:"deployment"`
		Action     plan.Action  `json:"action"`
		Outcome    plan.Outcome `json:"outcome"`
		URL        string       `json:"url"`
		Error      string       `json:"error,omitempty"`
	}
	list := make([]deployment, 0, len(p.Deployments))
	for _, d := range p.Deployments {
		list = append(list, deployment{d.Name.String(), d.Action, d.Outcome, d.URL, d.Error})
	}
	data, err := json.Marshal(list)
	if err != nil { // plain data: it cannot fail
		panic(err)
	}
	return data
}

// mostShown is how long an output may be, and mostSteps all together, to stand in the output steps: GitHub takes 1 MB of a job. The file of the input outputs has all of it.
const (
	mostShown = 64 << 10
	mostSteps = 512 << 10
)

// stepsJSON is {"STEP-ID": {"OUTPUT": …}}: what is sensitive or too long is left out, and a step without outputs has none.
func stepsJSON(p *plan.Plan) []byte {
	all, size := value.Value{Kind: value.Map}, 0
	for _, s := range p.Steps {
		shown := value.Value{Kind: value.Map}
		for _, e := range s.Outputs.Map {
			if !s.Outputs.Origin.Has(value.Sensitive) && !e.Value.Marks().Has(value.Sensitive) {
				length := len(e.Value.AppendJSON(nil))
				if length > mostShown || size+length > mostSteps {
					continue
				}
				size += length
				shown.Map = append(shown.Map, e)
			}
		}
		all.Map = append(all.Map, value.Entry{Key: s.Key, KeyKind: value.Text, Value: shown})
	}
	return all.AppendJSON(nil)
}

// check is `compile check`: it needs no server, and runs and writes nothing.
func (a *action) check() error {
	files, err := cli.Read(a.dir, a.options().files)
	if err != nil {
		return cli.Fail("%v; name the file in the input deployment-file-path, or its directory in working-directory", err)
	}
	c := check.New(os.DirFS(a.dir))
	sources, deployments := map[string][]byte{}, 0
	for _, f := range files {
		sources[f.Name] = f.Data
		deployments += len(c.File(f.Name, f.Data))
	}
	l := c.Diagnostics()
	source := func(name string) []byte {
		if data, ok := sources[name]; ok {
			return data
		}
		data, _ := os.ReadFile(under(a.dir, filepath.FromSlash(name))) // a flow's file
		return data
	}
	a.found(l, source)
	if len(l) > 0 {
		a.diagnostics(l, source)
		if err := a.faultsSummary(l, source); err != nil {
			return err
		}
	}
	if l.Errors(false) > 0 {
		return cli.Fail("%s", l.Summary())
	}
	if err := a.pipelineFresh(files); err != nil {
		return err
	}
	if len(l) == 0 {
		if err := a.job.Summary("### Prefect check: no errors\n\n" + diag.Count(deployments, "deployment") + " checked.\n"); err != nil {
			return err
		}
	}
	return a.job.Output("result", resultChecked)
}
