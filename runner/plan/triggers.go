// Triggers, desired against live. `prefect deploy` deletes whatever automations it made for a deployment and makes them anew; here one that is equal is left alone and one that
// differs is changed in place, so that its id and what hangs on it stay.
//
// They are matched by name: the given one, else <deployment>__automation_<n>, n counting all triggers from 1. Two of one name are matched by content first. What is left
// over on the server is either a trigger that the file dropped or an automation that someone made by hand to run the deployment, and no answer of the server tells which
// (runner/state: it keeps an owner and shows it nowhere). So
//
//   - what the base commit's file declared, and what has the name that only a deploy gives, goes, unless more bear the name than the base's file declared;
//   - what the base commit's file did not declare, though it declared the deployment, was made by hand and stays;
//   - of all else the server decides, with the one request that goes by its owner. That request takes every automation that a deploy made, so it is only sent where no
//     live one was matched; elsewhere what is left over stays, and the plan says so.
package plan

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/state"
)

// Trigger is one trigger of the file, filled.
type Trigger struct {
	Pos value.Pos
	// Fields are those of state.Automation, with positions and marks.
	Fields value.Value
	// Metric is the part that watches a metric, null for none.
	Metric value.Value
	// Unsure says that the name holds what could not be looked up: of the base's file only.
	Unsure bool
}

func (t *Trigger) name() value.Value { v, _ := t.Fields.Get("name"); return v }

// pending reports whether a trigger's name is not known yet.
func (t *Trigger) pending() bool { return unsettled(t.name()) }

func unsettled(v value.Value) bool { return v.Origin&(value.AfterBuild|value.NotHere) != 0 }

// settleTriggers fills and reads the triggers and SLAs. Triggers of the command line replace the file's, and only the last pass fills them; parameters hold templates
// for the event, which no pass after the first touches.
func (p *Project) settleTriggers(out *Desired, fields value.Value, e *Early) error {
	d := out.Resolved
	list, _ := fields.Get("triggers")
	if d.Triggers != nil {
		list = value.Of(d.Triggers)
	}
	out.TriggersPos = list.Pos
	name, _ := e.Fields.Get("name")
	for i, item := range list.List {
		t, err := p.trigger(d, item, fmt.Sprintf("%s__automation_%d", name.Str(), i+1), name.Marks())
		if err != nil {
			return err
		}
		if p.MarksOnly {
			t.Unsure = !p.sure(d, i)
		}
		out.Triggers = append(out.Triggers, *t)
	}
	return p.settleSLAs(out, fields)
}

func (p *Project) trigger(d *resolve.Deployment, v value.Value, unnamed string, marks value.Origin) (*Trigger, error) {
	parameters, said := v.Get("parameters")
	filled, err := p.FillOutputs(without(v, "parameters"), false)
	if err != nil {
		return nil, faultOf(d, err)
	}
	if said && !parameters.IsNull() {
		filled = filled.Set("parameters", parameters)
	}
	read := spec.ReadTrigger(filled, func(v value.Value) bool {
		return unsettled(v) || p.Symbolic && v.Kind == value.Text && template.Has(v.Text)
	})
	if len(read.Faults) > 0 && !p.MarksOnly { // what stands for a value that was not looked up is no value
		return nil, triggerFault(d, v, read.Faults[0])
	}
	t := &Trigger{Pos: v.Pos, Fields: read.Fields, Metric: read.Metric}
	if _, named := t.Fields.Get("name"); !named {
		t.Fields = value.Value{Kind: value.Map, Map: append([]value.Entry{{Key: "name", KeyKind: value.Text, Value: value.Of(unnamed).Mark(marks)}}, t.Fields.Map...)}
	}
	return t, nil
}

func triggerFault(d *resolve.Deployment, v value.Value, f spec.TriggerFault) error {
	at := f.Value.Pos
	for _, fallback := range []value.Pos{v.Pos, d.Spec.Pos} {
		if !at.Known() {
			at = fallback
		}
	}
	return &Fault{diag.Diagnostic{Severity: diag.Error, Code: "invalid-trigger", Message: f.Message, Help: f.Help, Position: d.Position(at)}}
}

// sure reports whether the name of a trigger that was not given on the command line is what a deploy would have made of it.
func (p *Project) sure(d *resolve.Deployment, i int) bool {
	list := d.Field("triggers").List
	if i >= len(list) {
		return false
	}
	name, _ := list[i].Get("name")
	for _, placeholder := range template.Find(name.Text) {
		switch placeholder.Kind {
		case template.Variable:
			if _, ok := p.Variables[placeholder.VariableName()]; !ok {
				return false
			}
		case template.Env:
			if _, ok := p.Env(placeholder.EnvName()); !ok {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (p *Project) settleSLAs(out *Desired, fields value.Value) error {
	list, said := fields.Get("sla")
	if given := out.Resolved.SLAs; given != nil {
		list, said = value.Of(given), true
	}
	if !said || list.IsNull() {
		return nil
	}
	filled, err := p.FillOutputs(list, true)
	if err != nil {
		return faultOf(out.Resolved, err)
	}
	slas := []value.Value{}
	for _, item := range filled.List {
		slas = append(slas, spec.ReadSLA(item))
	}
	out.SLAs, out.SLAPos = &slas, list.Pos
	return nil
}

// earlierTriggers are the triggers of the base commit's file by name; complete is false where there may be others, too.
func earlierTriggers(base *Desired) (byName map[string]value.Value, complete bool) {
	if base == nil {
		return nil, false
	}
	byName, complete = map[string]value.Value{}, true
	for i := range base.Triggers {
		t := &base.Triggers[i]
		complete = complete && !t.Unsure
		if !t.Unsure {
			byName[t.name().Text] = flat(t.Fields)
		}
	}
	return byName, complete
}

// WithTriggers adds what becomes of the deployment's automations and SLAs to its plan.
func (d *Deployment) WithTriggers(before Before) {
	if d.Desired == nil {
		return
	}
	m := matchTriggers(d.Desired, d.Live, before)
	d.automations = m.write(d.Desired)
	d.Kept, d.Asked = m.kept, m.asked
	changes := m.changes
	if d.Live != nil && d.Live.SLAs != nil && d.Desired.SLAs != nil {
		changes = append(changes, diffValue("sla", *d.Live.SLAs, value.Of(*d.Desired.SLAs), nil, d.Desired.SLAPos)...)
	}
	if d.Desired.SLAs != nil && (d.Live == nil || d.Live.SLAs == nil || len(changes) > len(m.changes)) {
		d.slas = d.Desired.SLAs
	}
	if d.Live == nil || len(changes) == 0 {
		return
	}
	d.Changes = append(d.Changes, changes...)
	d.Action = actionOf(d.Changes)
}

// SendsSLAs reports whether carrying the plan out sends SLAs.
func (d *Deployment) SendsSLAs() bool { return d.slas != nil }

// Settled adds to what was written which automations the server took away: those that it was asked about and that are not there any more.
func (d *Deployment) Settled(live *state.Live) {
	there := map[string]bool{}
	for i := range live.Automations {
		there[live.Automations[i].ID] = true
	}
	n := len(d.Desired.Triggers)
	for _, c := range d.Changes { // removals by name have places of their own already
		if c.Reason == "removed" && strings.HasPrefix(c.Path, "triggers[") && strings.Count(c.Path, "[") == 1 && strings.HasSuffix(c.Path, "]") {
			n++
		}
	}
	for _, a := range d.Asked {
		if there[a.ID] { // then somebody made it by hand
			continue
		}
		path := fmt.Sprintf("triggers[%d]", n)
		n++
		d.Changes = append(d.Changes, Change{Path: path, Before: withoutSecrets(shownTrigger(a.Fields), nil), Reason: "removed: an earlier deploy had made it", Pos: d.Desired.TriggersPos})
		if d.Action == Unchanged || d.Action == Rebuild {
			d.Action = Update
		}
	}
	d.Asked = nil
}

// triggerMatch is what a comparison of triggers came to.
type triggerMatch struct {
	// pairs are the live automations of the desired triggers, nil for none.
	pairs []*state.Automation
	// replace says that all go and are made anew; removed go by their id.
	replace bool
	removed []string
	// kept stay, and whose they are is not known; asked are such too, and the server is asked to remove them if they are a deploy's.
	kept, asked []*state.Automation
	changes     []Change
	// declared counts the base's triggers by their names.
	declared map[string]int
}

func (m *triggerMatch) count(base *Desired) {
	if base == nil {
		return
	}
	for i := range base.Triggers {
		if t := &base.Triggers[i]; !t.Unsure {
			m.declared[t.name().Text]++
		}
	}
}

// tooMany reports whether more live automations bear a name than the base's file had triggers of it: then somebody made one by hand, and which of them it is can't be told.
func (m *triggerMatch) tooMany(d *Desired, live *state.Live, a *state.Automation) bool {
	if live.AllOwned || given(d, live, a.Name()) {
		return false
	}
	n := 0
	for i := range live.Automations {
		if live.Automations[i].Name() == a.Name() {
			n++
		}
	}
	return n > m.declared[a.Name()]
}

func matchTriggers(d *Desired, live *state.Live, before Before) *triggerMatch {
	m := &triggerMatch{pairs: make([]*state.Automation, len(d.Triggers)), declared: map[string]int{}}
	if live == nil || live.Automations == nil {
		return m
	}
	names, known := map[string]value.Value{}, false
	if len(live.Automations) > 0 {
		base := before.said()
		names, known = earlierTriggers(base)
		m.count(base)
	}
	known = known || live.AllOwned
	ours := func(a *state.Automation) bool {
		_, declared := names[a.Name()]
		return live.AllOwned || declared || given(d, live, a.Name())
	}
	used := map[string]bool{}
	m.byName(d, live, used, func(a *state.Automation) bool { return known && !ours(a) })
	for i := range d.Triggers {
		if m.pairs[i] != nil {
			var base *value.Value
			if earlier, ok := names[m.pairs[i].Name()]; ok {
				base = &earlier
			}
			m.changes = append(m.changes, triggerChanges(fmt.Sprintf("triggers[%d]", i), m.pairs[i].Fields, d.Triggers[i].Fields, base, d.Triggers[i].Pos)...)
			continue
		}
		m.changes = append(m.changes, Change{Path: fmt.Sprintf("triggers[%d]", i), After: shownTrigger(d.Triggers[i].Fields).Redacted(), Reason: "added", Pos: d.Triggers[i].Pos})
	}
	m.leftOver(d, live, used, names, ours, known)
	return m
}

// given reports whether a name is one that only a deploy gives.
func given(d *Desired, live *state.Live, name string) bool {
	prefix := d.Name.Deployment + "__automation_"
	digits, ok := strings.CutPrefix(name, prefix)
	return ok && digits != "" && strings.Trim(digits, "0123456789") == "" || name == state.UnnamedAutomation(live.ID)
}

// byName pairs: equal ones first, then of one name whatever is left; where more are left than the file has triggers of that name, which of them is a deploy's can't be told.
func (m *triggerMatch) byName(d *Desired, live *state.Live, used map[string]bool, byHand func(*state.Automation) bool) {
	left := func(fits func(*state.Automation) bool) (list []*state.Automation) {
		for j := range live.Automations {
			if a := &live.Automations[j]; !used[a.ID] && fits(a) {
				list = append(list, a)
			}
		}
		return list
	}
	each := func(choose func(t *Trigger) []*state.Automation) {
		for i := range d.Triggers {
			if m.pairs[i] != nil {
				continue
			}
			if list := choose(&d.Triggers[i]); len(list) > 0 {
				m.pairs[i], used[list[0].ID] = list[0], true
			}
		}
	}
	each(func(t *Trigger) []*state.Automation {
		return left(func(a *state.Automation) bool {
			return t.named(a, live) && len(triggerChanges("", a.Fields, t.Fields, nil, t.Pos)) == 0
		})
	})
	each(func(t *Trigger) []*state.Automation {
		list := left(func(a *state.Automation) bool { return t.named(a, live) && !byHand(a) })
		if len(list) > m.unpaired(d, t) && !live.AllOwned {
			m.replace, list = true, nil
		}
		return list
	})
	each(func(t *Trigger) []*state.Automation { // a name that a step gives: any that is left
		return left(func(a *state.Automation) bool { return t.pending() && !byHand(a) })
	})
}

// named reports whether an automation is called like the trigger.
func (t *Trigger) named(a *state.Automation, live *state.Live) bool {
	name := t.name().Text
	return !t.pending() && (a.Name() == name || name == "" && a.Name() == state.UnnamedAutomation(live.ID))
}

// unpaired counts the triggers of a trigger's name that have no automation yet.
func (m *triggerMatch) unpaired(d *Desired, t *Trigger) (n int) {
	for i := range d.Triggers {
		if m.pairs[i] == nil && d.Triggers[i].name().Text == t.name().Text {
			n++
		}
	}
	return n
}

// leftOver decides about live automations that no trigger of the file is.
func (m *triggerMatch) leftOver(d *Desired, live *state.Live, used map[string]bool, names map[string]value.Value, ours func(*state.Automation) bool, known bool) {
	n := len(d.Triggers)
	matched := false
	for _, p := range m.pairs {
		matched = matched || p != nil
	}
	for j := range live.Automations {
		a := &live.Automations[j]
		switch {
		case used[a.ID]:
		case ours(a) && !m.tooMany(d, live, a):
			m.removed = append(m.removed, a.ID)
			base := names[a.Name()]
			m.changes = append(m.changes, Change{Path: fmt.Sprintf("triggers[%d]", n), Before: withoutSecrets(shownTrigger(a.Fields), &base), Reason: "removed", Pos: d.TriggersPos})
			n++
		case known && !ours(a):
		case matched && !m.replace:
			m.kept = append(m.kept, a)
		default:
			m.asked = append(m.asked, a)
		}
	}
}

// write is what has to be written, nil for nothing.
func (m *triggerMatch) write(d *Desired) *state.AutomationWrite {
	w := &state.AutomationWrite{Owned: m.replace || len(m.asked) > 0}
	if !w.Owned {
		w.Delete = m.removed
	}
	for i := range d.Triggers {
		t := &d.Triggers[i]
		switch p := m.pairs[i]; {
		case p == nil || w.Owned:
			w.Create = append(w.Create, t.Fields)
		case len(triggerChanges("", p.Fields, t.Fields, nil, t.Pos)) > 0:
			w.Update = append(w.Update, state.Automation{ID: p.ID, Fields: t.Fields})
		}
	}
	if w.Empty() {
		return nil
	}
	return w
}
