// The automations that a deployment's triggers become.
//
// `prefect deploy` makes each of one shape: a single action, which runs the deployment. Only such are listed here; what has other actions someone made by hand. Of those of
// the shape the server alone knows which a deploy made (it keeps an owner and answers it nowhere), except in a file, where all are. DELETE …/owned-by/… is the one request
// that goes by it: Write sends it where it is told to, and it never touches what someone made by hand.
//
// An update is a PUT, which keeps the automation's id, its owner and its tags.
package state

import (
	"context"
	"fmt"
	"net/http"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/prefect"
)

// MayNotRead is Snapshot.NoAutomations where the key lacks the right.
const MayNotRead = "the key may not read automations"

// Automation is one that runs a deployment and does nothing else.
type Automation struct {
	ID string
	// Fields are name, description, enabled, trigger, parameters, job_variables and schedule_after.
	Fields value.Value
}

// Name is the automation's name.
func (a *Automation) Name() string { return textOf(a.Fields, "name") }

// AutomationWrite is what becomes of a deployment's automations, in this order: Owned goes, then what Delete names, then Update and Create.
type AutomationWrite struct {
	// Owned removes all that deploys of this deployment made, and leaves what someone made by hand.
	Owned  bool
	Delete []string
	Update []Automation
	// Create are Fields of new ones. One without a name gets Prefect's default, which holds the deployment's id.
	Create []value.Value
}

// Empty reports whether there is nothing to do.
func (w *AutomationWrite) Empty() bool {
	return w == nil || !w.Owned && len(w.Delete)+len(w.Update)+len(w.Create) == 0
}

// UnnamedAutomation is the name under which Prefect registers a trigger whose name is empty.
func UnnamedAutomation(deployment string) string { return "Automation for deployment " + deployment }

// automationKeys are the keys of an automation's Fields in their order.
func automationKeys() []string {
	return []string{"name", "description", "enabled", "trigger", "parameters", "job_variables", "schedule_after"}
}

// readAutomations lists the automations by the deployment that each runs. A server may have none at all (404), or not let this key read them; both are told, not an error.
func (b *server) readAutomations(ctx context.Context, q Query, s *Snapshot) error {
	if !q.Automations {
		return nil
	}
	list, err := b.client.Automations(ctx)
	switch status := prefect.StatusOf(err); {
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		s.NoAutomations = "this server has no automations"
		return nil
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		s.NoAutomations = MayNotRead
		return nil
	case err != nil:
		return err
	}
	s.automations = map[string][]Automation{}
	for i := len(list) - 1; i >= 0; i-- { // in the order in which they were made
		if id, a, ok := runsDeployment(list[i]); ok {
			s.automations[id] = append(s.automations[id], a)
		}
	}
	return nil
}

// runsDeployment takes an automation of the shape that a deploy makes apart.
func runsDeployment(v value.Value) (deployment string, a Automation, ok bool) {
	actions, _ := v.Get("actions")
	for _, key := range []string{"actions_on_trigger", "actions_on_resolve"} {
		if more, _ := v.Get(key); len(more.List) > 0 {
			return "", a, false
		}
	}
	if len(actions.List) != 1 || textOf(actions.List[0], "type") != "run-deployment" || textOf(actions.List[0], "source") != "selected" {
		return "", a, false
	}
	action := actions.List[0]
	pick := func(key string) value.Entry {
		from := v
		switch key {
		case "parameters", "job_variables", "schedule_after":
			from = action
		}
		x, there := from.Get(key)
		if key == "schedule_after" && (!there || x.IsNull()) { // an older server has none
			x = value.Of(0.0)
		}
		if key == "trigger" {
			x = withoutIDs(x)
		}
		return value.Entry{Key: key, KeyKind: value.Text, Value: x}
	}
	a.ID = textOf(v, "id")
	for _, key := range automationKeys() {
		a.Fields.Map = append(a.Fields.Map, pick(key))
	}
	a.Fields.Kind = value.Map
	return textOf(action, "deployment_id"), a, true
}

// withoutIDs drops the ids that the server gives a trigger and those within it.
func withoutIDs(trigger value.Value) value.Value {
	trigger = without(trigger, "id")
	if list, ok := trigger.Get("triggers"); ok {
		items := make([]value.Value, len(list.List))
		for i := range list.List {
			items[i] = withoutIDs(list.List[i])
		}
		trigger = trigger.Set("triggers", value.Of(items))
	}
	return trigger
}

// withAutomations hands the deployments the automations that run them.
func (s *Snapshot) withAutomations() {
	if s.automations == nil {
		return
	}
	for _, l := range s.Deployments {
		if l.Automations = s.automations[l.ID]; l.Automations == nil {
			l.Automations = []Automation{}
		}
	}
}

// writeAutomations carries a write's automations and SLAs out for the deployment as it is now.
func (b *server) writeAutomations(ctx context.Context, w Write, live *Live) error {
	if err := b.automations(ctx, w.Automations, live); err != nil {
		return fmt.Errorf("the deployment is written, its automations are not all: %w", err)
	}
	if w.SLAs == nil {
		return nil
	}
	slas := make([]value.Value, len(*w.SLAs))
	for i, s := range *w.SLAs {
		slas[i] = s.Set("owner_resource", value.Of("prefect.deployment."+live.ID))
	}
	if err := b.client.ApplySLAs(ctx, live.ID, slas); err != nil {
		return fmt.Errorf("the deployment is written, its SLAs are not: %w", err)
	}
	return nil
}

func (b *server) automations(ctx context.Context, w *AutomationWrite, live *Live) error {
	if w.Empty() {
		return nil
	}
	left := append([]Automation{}, live.Automations...)
	if w.Owned {
		if err := b.client.DeleteOwnedAutomations(ctx, live.ID); err != nil {
			return err
		}
		list, err := b.client.AutomationsRunning(ctx, live.ID)
		if err != nil {
			return err
		}
		left = left[:0]
		for _, item := range list {
			if id, a, ok := runsDeployment(item); ok && id == live.ID {
				left = append(left, a)
			}
		}
	}
	for _, id := range w.Delete {
		if err := b.client.DeleteAutomation(ctx, id); err != nil {
			return err
		}
	}
	for _, a := range w.Update {
		if err := b.client.UpdateAutomation(ctx, a.ID, automationBody(a.Fields, live.ID)); err != nil {
			return err
		}
	}
	var made []Automation
	for _, fields := range w.Create {
		body := automationBody(fields, live.ID)
		id, err := b.client.CreateAutomation(ctx, body.Set("owner_resource", value.Of("prefect.deployment."+live.ID)))
		if err != nil {
			return err
		}
		made = append(made, Automation{id, named(fields, live.ID)})
	}
	live.Automations = append(afterWrite(left, w, live.ID), made...)
	return nil
}

// afterWrite are those of the list that are left, as they are then.
func afterWrite(list []Automation, w *AutomationWrite, deployment string) []Automation {
	gone, changed := map[string]bool{}, map[string]value.Value{}
	for _, id := range w.Delete {
		gone[id] = true
	}
	for _, a := range w.Update {
		changed[a.ID] = named(a.Fields, deployment)
	}
	out := []Automation{}
	for _, a := range list {
		if fields, ok := changed[a.ID]; ok {
			a.Fields = fields
		}
		if !gone[a.ID] {
			out = append(out, a)
		}
	}
	return out
}

func named(fields value.Value, deployment string) value.Value {
	if textOf(fields, "name") == "" {
		return fields.Set("name", value.Of(UnnamedAutomation(deployment)))
	}
	return fields
}

// automationBody is the request for an automation. What an older server doesn't know is left out where it is the default.
func automationBody(fields value.Value, deployment string) value.Value {
	fields = named(fields, deployment)
	get := func(key string) value.Value { v, _ := fields.Get(key); return v }
	action := value.Of([]value.Entry{{Key: "type", Value: value.Of("run-deployment")}, {Key: "source", Value: value.Of("selected")},
		{Key: "deployment_id", Value: value.Of(deployment)}, {Key: "parameters", Value: get("parameters")}, {Key: "job_variables", Value: get("job_variables")}})
	if after := get("schedule_after"); !value.Equal(after, value.Of(0.0)) {
		action = action.Set("schedule_after", after)
	}
	none := value.Of([]value.Value{})
	return value.Of([]value.Entry{{Key: "name", Value: get("name")}, {Key: "description", Value: get("description")}, {Key: "enabled", Value: get("enabled")},
		{Key: "trigger", Value: get("trigger")}, {Key: "actions", Value: value.Of([]value.Value{action})}, {Key: "actions_on_trigger", Value: none}, {Key: "actions_on_resolve", Value: none}})
}

// fileAutomations are those that a state file holds for a deployment, with ids made of the names.
func fileAutomations(name Name, entry value.Value) []Automation {
	list, _ := entry.Get("triggers")
	out, times := []Automation{}, map[string]int{}
	for _, fields := range list.List {
		key := textOf(fields, "name")
		times[key]++
		out = append(out, Automation{stableID("automation", name.String(), key, fmt.Sprint(times[key])), fields})
	}
	return out
}

// setAutomations is a file's entry after a write's automations and SLAs.
func setAutomations(entry value.Value, w Write, live *Live) value.Value {
	if !w.Automations.Empty() {
		list := live.Automations
		if w.Automations.Owned { // in a file all are owned
			list = nil
		}
		kept := []value.Value{}
		for _, a := range afterWrite(list, w.Automations, live.ID) {
			kept = append(kept, plainTree(a.Fields))
		}
		for _, fields := range w.Automations.Create {
			kept = append(kept, plainTree(named(fields, live.ID)))
		}
		entry = without(entry, "triggers")
		if len(kept) > 0 {
			entry = entry.Set("triggers", value.Of(kept))
		}
	}
	if w.SLAs != nil {
		entry = without(entry, "sla")
		if len(*w.SLAs) > 0 {
			entry = entry.Set("sla", plainTree(value.Of(*w.SLAs)))
		}
	}
	return entry
}

// secrets is all that a write sends, for taking secret parts out of an error's text.
func (w *Write) secrets() value.Value {
	all := []value.Value{w.Fields}
	if w.Automations != nil {
		all = append(all, w.Automations.Create...)
		for _, a := range w.Automations.Update {
			all = append(all, a.Fields)
		}
	}
	if w.SLAs != nil {
		all = append(all, *w.SLAs...)
	}
	return value.Of(all)
}
