// Triggers and SLAs in a run: what the base commit declared of them, what a server can't take, and what the plan says of automations that it leaves alone.
package deploy

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/prefect"
	"github.com/org/prefect-deploy-action/runner/state"
)

// withTriggers adds a deployment's automations and SLAs to its plan.
func (j *job) withTriggers(d *plan.Deployment, err error) (*plan.Deployment, error) {
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(j.snapshot.PrefectVersion, "2.") { // it knows no SLAs, and its own deploy ignores them
		d.Desired.SLAs = nil
	}
	if j.snapshot.NoAutomations == "" {
		d.WithTriggers(j.before(d.Name))
	}
	return d, nil
}

// checkTriggers refuses before anything runs what only Prefect Cloud has: Prefect's own deploy fails on it after it has registered the deployment.
func (j *job) checkTriggers(e *plan.Early, d *plan.Deployment) {
	version := j.snapshot.PrefectVersion
	fault := func(code string, at value.Pos, message, help string) {
		if !at.Known() {
			at = e.Resolved.Spec.Pos
		}
		j.faults.Add(diag.Diagnostic{Severity: diag.Error, Code: code, Message: message, Help: help, Position: e.Resolved.Position(at)})
	}
	if len(d.Desired.Triggers) > 0 && j.snapshot.NoAutomations == state.MayNotRead {
		fault("automations-unreadable", d.Desired.TriggersPos, "the automations at "+j.State.Source+" can't be read with this key, so these triggers can't be compared", "give the key's role the right to see and edit automations")
	}
	if version == "" || version == prefect.Cloud {
		return
	}
	for i := range d.Desired.Triggers {
		if m := d.Desired.Triggers[i].Metric; !m.IsNull() {
			fault("cloud-only", m.Pos, "metric triggers exist on Prefect Cloud only, and "+j.State.Source+" is a server of your own", "write an event trigger, or deploy this one to Prefect Cloud")
		}
	}
	if d.Desired.SLAs != nil {
		fault("cloud-only", d.Desired.SLAPos, "SLAs exist on Prefect Cloud only, and "+j.State.Source+" is a server of your own", "take sla out, or deploy this one to Prefect Cloud")
	}
}

// automationNotes says which triggers are not registered, which SLAs are sent unread and which automations stay, a line for each.
func (j *job) automationNotes(p *plan.Plan) []string {
	var none, slas, kept, asked []string
	for _, d := range p.Deployments {
		if d.Desired == nil {
			continue
		}
		if len(d.Desired.Triggers) > 0 && j.snapshot.NoAutomations != "" {
			none = append(none, d.Name.String())
		}
		if d.SendsSLAs() && d.Action == plan.Unchanged {
			slas = append(slas, d.Name.String())
		}
		if len(d.Kept) > 0 {
			kept = append(kept, d.Name.String()+" ("+quoted(d.Kept)+")")
		}
		if len(d.Asked) > 0 {
			asked = append(asked, d.Name.String()+" ("+quoted(d.Asked)+")")
		}
	}
	var out []string
	for _, n := range []struct {
		of           []string
		before, text string
	}{
		{kept, "automations kept that run a deployment and that its file does not have: ", "; if they are to go, remove them on the server, or let --base tell that a file declared them"},
		{asked, "automations that run a deployment and that its file does not have: ", "; a deploy takes away those that a deploy made, and keeps what was made by hand"},
		{none, "triggers not registered: ", "; " + j.snapshot.NoAutomations},
		{slas, "SLAs can't be read, so a deploy sends them each time, and does not write the deployments for it: ", ""},
	} {
		if len(n.of) > 0 {
			out = append(out, n.before+few(n.of)+n.text)
		}
	}
	return out
}

func quoted(list []*state.Automation) string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = diag.Quote(a.Name())
	}
	return few(out)
}

// few names three and counts the others.
func few(names []string) string {
	text := strings.Join(names[:min(len(names), 3)], ", ")
	if len(names) > 3 {
		text += fmt.Sprintf(" and %d more", len(names)-3)
	}
	return text
}
