// Bound to what was reviewed: a deploy with a plan refuses when the state, what a deployment should be, or the selection is not that plan's any more.
package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// Stale says that a plan is no longer true, and what differs. No deployment was written; Ran: steps had run by then.
type Stale struct {
	Differences []string
	Ran         bool
}

func (s *Stale) Error() string {
	what := "nothing was written"
	if s.Ran {
		what += ", though steps ran"
	}
	return "the plan is stale, " + what + ":\n  " + strings.Join(s.Differences, "\n  ") + "\nmake a new plan and have it reviewed"
}

// reviewed is what is read of a plan's JSON.
type reviewed struct {
	Schema      int    `json:"schema"`
	Hash        string `json:"hash"`
	State       string `json:"state"`
	Keyed       bool   `json:"keyed"`
	Deployments []struct {
		Deployment string           `json:"deployment"`
		Action     plan.Action      `json:"action"`
		Build      []plan.BuildStep `json:"build"`
		Changes    []reviewedChange `json:"changes"`
	} `json:"deployments"`
}

type reviewedChange struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// approval makes the plan anew, as a plan and not as a deploy, and compares. It returns the job that made the plan, nil where nothing binds the deploy.
func approval(ctx context.Context, o Options) (approved *job, err error) {
	quiet := o
	quiet.Warn = nil
	quiet.Given = Given{} // what was reviewed calls it after-build, and only that may be filled in
	if o.Approve == nil && o.Reviewed == nil {
		return nil, nil
	}
	var before reviewed
	if o.Reviewed != nil {
		if before, err = readReviewed(o.Reviewed); err != nil {
			return nil, err
		}
	}
	approved, now, err := planning(ctx, quiet)
	if err != nil {
		return nil, err
	}
	if o.Approve != nil {
		if err := o.Approve(ctx, now); err != nil {
			return nil, err
		}
	}
	if o.Reviewed == nil || now.Hash() == before.Hash {
		return approved, nil
	}
	if o.Given.Any() { // or the plan was made with the very same values
		quiet.Given = o.Given
		if with, p, err := planning(ctx, quiet); err == nil && p.Hash() == before.Hash {
			return with, nil
		}
	}
	var current reviewed
	if err := json.Unmarshal(now.JSON(), &current); err != nil {
		return nil, err
	}
	return nil, &Stale{Differences: differences(before, current)}
}

// readReviewed reads a plan's JSON.
func readReviewed(data []byte) (r reviewed, err error) {
	if err := json.Unmarshal(data, &r); err != nil || r.Hash == "" {
		return r, fmt.Errorf("--plan: this is no plan that `run plan --json` wrote: %w", orMissing(err))
	}
	if r.Schema != 1 {
		return r, fmt.Errorf("--plan: the plan has schema %d, and this program knows 1; make it anew with this version", r.Schema)
	}
	return r, nil
}

func orMissing(err error) error {
	if err == nil {
		return fmt.Errorf("it has no hash")
	}
	return err
}

// differences names what is no longer as planned, deployment by deployment.
func differences(before, now reviewed) []string {
	var out []string
	if before.State != now.State {
		out = append(out, fmt.Sprintf("planned against %s, and this is %s", before.State, now.State))
	}
	if before.Keyed != now.Keyed {
		with := map[bool]string{true: "with", false: "without"}
		out = append(out, fmt.Sprintf("planned %s a plan-key, and this run is %s one: set PREFECT_DEPLOY_PLAN_KEY to the same for both, or for neither", with[before.Keyed], with[now.Keyed]))
	}
	planned, current := tellAll(before, now), tellAll(now, before)
	for _, d := range before.Deployments {
		switch text, ok := current[d.Deployment]; {
		case !ok:
			out = append(out, d.Deployment+": was planned, and is not selected or declared any more")
		case text != planned[d.Deployment]:
			out = append(out, fmt.Sprintf("%s: planned %s; now %s", d.Deployment, planned[d.Deployment], text)+imageMoved(planned[d.Deployment], text))
		}
	}
	for _, d := range now.Deployments {
		if _, ok := planned[d.Deployment]; !ok {
			out = append(out, d.Deployment+": was not in the plan; now "+current[d.Deployment])
		}
	}
	out = append(out, otherSteps(before, now)...)
	if len(out) == 0 && before.Keyed {
		out = append(out, "a value that a plan does not show, a deployment that it creates, or the place of a step's output is otherwise now; or the plan-key is another one")
	}
	if len(out) == 0 {
		out = append(out, "a value that a plan does not show, a deployment that it creates, or the place of a step's output is declared otherwise now")
	}
	return out
}

// otherSteps names the steps that are not those of the plan, a line each, with the first of the deployments that they run for.
func otherSteps(before, now reviewed) (out []string) {
	planned := map[string]bool{}
	for _, d := range before.Deployments {
		for _, s := range d.Build {
			planned[d.Deployment+"\x00"+s.Digest] = true
		}
	}
	told := map[string]bool{}
	for _, d := range now.Deployments {
		for _, s := range d.Build {
			if !planned[d.Deployment+"\x00"+s.Digest] && !told[s.Digest] {
				told[s.Digest] = true
				out = append(out, fmt.Sprintf("%s: the step %s is not the one that was planned", d.Deployment, s.Key))
			}
		}
	}
	return out
}

// imageMoved explains a difference of nothing but tags that are digests of what builds read, "" for another one.
func imageMoved(planned, now string) string {
	if planned == now || !strings.Contains(planned, docker.InputsTag) || withoutDigests(planned) != withoutDigests(now) {
		return ""
	}
	return " (" + readsOtherwise + ")"
}

// withoutDigests cuts the digests of such tags off.
func withoutDigests(text string) (out string) {
	for {
		before, after, found := strings.Cut(text, docker.InputsTag)
		out += before
		if !found {
			return out
		}
		text = strings.TrimLeft(after, "0123456789abcdef")
		out += docker.InputsTag
	}
}

// tellAll is each deployment in a line. Of one that both plans create only what differs is told: a new deployment has all its fields among the changes.
func tellAll(r, other reviewed) map[string]string {
	there := map[string][]reviewedChange{}
	for _, d := range other.Deployments {
		if d.Action == plan.Create {
			there[d.Deployment] = d.Changes
		}
	}
	out := map[string]string{}
	for _, d := range r.Deployments {
		changes := d.Changes
		if others, both := there[d.Deployment]; both && d.Action == plan.Create {
			changes = without(changes, others)
		}
		text := string(d.Action)
		for i, c := range changes {
			sep := ", "
			if i == 0 {
				sep = " "
			}
			text += sep + c.tell()
		}
		out[d.Deployment] = text
	}
	return out
}

func (c reviewedChange) tell() string {
	return fmt.Sprintf("%s %s → %s", c.Path, orDash(c.Before), orDash(c.After))
}

// without are the changes that the others do not have; none where the other plan, an older program's, lists none for what it creates.
func without(changes, others []reviewedChange) (out []reviewedChange) {
	told := map[string]bool{}
	for _, c := range others {
		told[c.tell()] = true
	}
	for _, c := range changes {
		if len(others) > 0 && !told[c.tell()] {
			out = append(out, c)
		}
	}
	return out
}

func orDash(raw json.RawMessage) string {
	if raw == nil {
		return "…"
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
