// Triggers, desired against live. `prefect deploy` deletes whatever automations it made for a deployment and makes them anew; here one that is equal is left alone and one that
// differs is changed in place, so that its id and what hangs on it stay.
//
// They are matched by name: the given one, else <deployment>__automation_<n>, n counting all triggers from 1. Two of one name are matched by content first. What is left
// over on the server is either a trigger that the file dropped or an automation that someone made by hand to run the deployment, and no answer of the server tells which
// (runner/state: it keeps an owner and shows it nowhere). So
//
//   - what the base commit's file declared, and what has the name that only a deploy gives, goes;
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
	for _, f := range read.Faults {
		if p.MarksOnly { // what stands for a value that was not looked up is no value
			break
		}
		at := f.Value.Pos
		for _, fallback := range []value.Pos{v.Pos, d.Spec.Pos} {
			if !at.Known() {
				at = fallback
			}
		}
		return nil, &Fault{diag.Diagnostic{Severity: diag.Error, Code: "invalid-trigger", Message: f.Message, Help: f.Help, Position: d.Position(at)}}
	}
	t := &Trigger{Pos: v.Pos, Fields: read.Fields, Metric: read.Metric}
	if _, named := t.Fields.Get("name"); !named {
		t.Fields = value.Value{Kind: value.Map, Map: append([]value.Entry{{Key: "name", KeyKind: value.Text, Value: value.Of(unnamed).Mark(marks)}}, t.Fields.Map...)}
	}
	return t, nil
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
		d.Changes = append(d.Changes, Change{Path: path, Before: withoutSecrets(shownTrigger(a.Fields)), Reason: "removed: an earlier deploy had made it", Pos: d.Desired.TriggersPos})
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
}

func matchTriggers(d *Desired, live *state.Live, before Before) *triggerMatch {
	m := &triggerMatch{pairs: make([]*state.Automation, len(d.Triggers))}
	if live == nil || live.Automations == nil {
		return m
	}
	names, known := map[string]value.Value{}, false
	if len(live.Automations) > 0 {
		names, known = earlierTriggers(before.said())
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
	m.leftOver(d, live, used, ours, known)
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
	take := func(i int, fits func(*state.Automation) bool) {
		for j := range live.Automations {
			if a := &live.Automations[j]; m.pairs[i] == nil && !used[a.ID] && fits(a) {
				m.pairs[i], used[a.ID] = a, true
			}
		}
	}
	same := func(t *Trigger, a *state.Automation) bool {
		return !t.pending() && (a.Name() == t.name().Text || t.name().Text == "" && a.Name() == state.UnnamedAutomation(live.ID))
	}
	for i := range d.Triggers {
		t := &d.Triggers[i]
		take(i, func(a *state.Automation) bool {
			return same(t, a) && len(triggerChanges("", a.Fields, t.Fields, nil, t.Pos)) == 0
		})
	}
	for i := range d.Triggers {
		t := &d.Triggers[i]
		fits := func(a *state.Automation) bool { return same(t, a) && !byHand(a) }
		wanted, there := 0, 0
		for k := range d.Triggers {
			if m.pairs[k] == nil && d.Triggers[k].name().Text == t.name().Text {
				wanted++
			}
		}
		for j := range live.Automations {
			if a := &live.Automations[j]; !used[a.ID] && fits(a) {
				there++
			}
		}
		if m.pairs[i] == nil && there > wanted && !live.AllOwned {
			m.replace = true
			continue
		}
		take(i, fits)
	}
	for i := range d.Triggers { // a name that a step gives: any that is left
		if t := &d.Triggers[i]; t.pending() {
			take(i, func(a *state.Automation) bool { return !byHand(a) })
		}
	}
}

// leftOver decides about live automations that no trigger of the file is.
func (m *triggerMatch) leftOver(d *Desired, live *state.Live, used map[string]bool, ours func(*state.Automation) bool, known bool) {
	n := len(d.Triggers)
	matched := false
	for _, p := range m.pairs {
		matched = matched || p != nil
	}
	for j := range live.Automations {
		a := &live.Automations[j]
		switch {
		case used[a.ID]:
		case ours(a):
			m.removed = append(m.removed, a.ID)
			m.changes = append(m.changes, Change{Path: fmt.Sprintf("triggers[%d]", n), Before: withoutSecrets(shownTrigger(a.Fields)), Reason: "removed", Pos: d.TriggersPos})
			n++
		case known:
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

// flat is an automation in one mapping, as a file writes a trigger.
func flat(fields value.Value) value.Value {
	trigger, _ := fields.Get("trigger")
	out := without(fields, "trigger")
	out.Map = append(append([]value.Entry{}, out.Map...), trigger.Map...)
	return out
}

// triggerChanges names what differs of one trigger.
func triggerChanges(path string, was, want value.Value, base *value.Value, at value.Pos) []Change {
	if !value.Equal(typeOf(was), typeOf(want)) {
		return []Change{{Path: path, Before: withoutSecrets(shownTrigger(was)), After: shownTrigger(want).Redacted(), Reason: "edited", Pos: at}}
	}
	was, want = flat(was), flat(want)
	var out []Change
	for _, e := range want.Map {
		old, _ := was.Get(e.Key)
		out = append(out, triggerField(join(path, e.Key), e.Key, old, e.Value, childOf(base, e.Key), at)...)
	}
	return out
}

// typeOf is the kind of a trigger, whether it stands within an automation or within another trigger.
func typeOf(v value.Value) value.Value {
	if trigger, ok := v.Get("trigger"); ok {
		v = trigger
	}
	kind, _ := v.Get("type")
	return kind
}

func triggerField(path, key string, was, want value.Value, base *value.Value, at value.Pos) []Change {
	switch {
	case value.Equal(was, want):
		return nil
	case key == "name" && want.Kind != value.Text || key == "name" && want.Text == "": // Prefect's own name, by which it was matched
		return nil
	case want.Kind != value.List && want.Kind != value.Map && !want.IsNull():
	case key == "after" || key == "expect" || key == "for_each":
		return setChanges(path, was, want, at)
	case key == "triggers":
		return childChanges(path, was, want, base, at)
	case (key == "parameters" || key == "job_variables") && (was.IsNull() || want.IsNull()):
		if out := diffValue(path, mappingOrEmpty(was), mappingOrEmpty(want), base, at); len(out) > 0 {
			return out
		}
	}
	out := diffValue(path, was, want, base, at)
	for i := range out {
		if key == "enabled" && out[i].Path == path && was.Kind == value.Bool && !was.Bool && out[i].Reason == "edited" {
			out[i].Reason = "switched off on the server, and the file has it on"
		}
	}
	return out
}

// childChanges compares triggers within a trigger, whose order counts.
func childChanges(path string, was, want value.Value, base *value.Value, at value.Pos) []Change {
	var out []Change
	for i := range max(len(was.List), len(want.List)) {
		here := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case i >= len(was.List):
			out = append(out, Change{Path: here, After: shownTrigger(want.List[i]).Redacted(), Reason: "added", Pos: placeOf(want.List[i], at)})
		case i >= len(want.List):
			out = append(out, Change{Path: here, Before: shownTrigger(was.List[i]), Reason: "removed", Pos: placeOf(want, at)})
		default:
			out = append(out, triggerChanges(here, was.List[i], want.List[i], itemOf(base, i, len(want.List)), placeOf(want.List[i], at))...)
		}
	}
	return out
}

func placeOf(v value.Value, at value.Pos) value.Pos {
	if v.Pos.Known() {
		return v.Pos
	}
	return at
}

// setChanges compares lists whose order means nothing: what is only in the file takes the place of what is only on the server.
func setChanges(path string, was, want value.Value, at value.Pos) []Change {
	there, wanted := textsIn(was), textsIn(want)
	var gone []value.Value
	for _, v := range was.List {
		if !wanted[v.Text] {
			gone = append(gone, v)
		}
	}
	var out []Change
	for i, v := range want.List {
		if there[v.Text] || v.Origin.Has(value.NotHere) {
			continue
		}
		c := Change{Path: fmt.Sprintf("%s[%d]", path, i), After: v, Kind: kindOf(v.Origin), Reason: "added", Pos: placeOf(v, placeOf(want, at)), Built: v.Origin.Has(value.Built)}
		if len(gone) > 0 {
			c.Before, c.Reason = gone[0], reasonOf(gone[0], v)
			gone = gone[1:]
		}
		if c.Kind == AfterBuild {
			c.After, c.Reason = value.Value{}, "known after build"
		}
		out = append(out, c)
	}
	if want.Marks().Has(value.NotHere) { // what is not known here may be what is left over
		return out
	}
	for i, v := range gone {
		out = append(out, Change{Path: fmt.Sprintf("%s[%d]", path, len(want.List)+i), Before: v, Reason: "removed", Pos: placeOf(want, at)})
	}
	return out
}

func textsIn(list value.Value) map[string]bool {
	out := make(map[string]bool, len(list.List))
	for _, v := range list.List {
		out[v.Text] = true
	}
	return out
}

// shownTrigger is a trigger as a file would write it: without what Prefect fills in itself.
func shownTrigger(fields value.Value) value.Value {
	flatted := flat(fields)
	kind := typeOf(fields)
	out := value.Value{Kind: value.Map, Pos: fields.Pos}
	for _, e := range flatted.Map {
		if e.Key == "triggers" {
			items := make([]value.Value, len(e.Value.List))
			for i := range e.Value.List {
				items[i] = shownTrigger(e.Value.List[i])
			}
			e.Value.List = items
		}
		if !isDefault(e.Key, kind.Text, e.Value) {
			out.Map = append(out.Map, e)
		}
	}
	return out
}

func isDefault(key, kind string, v value.Value) bool {
	switch key {
	case "type":
		return kind == "event"
	case "description":
		return v.Kind == value.Text && v.Text == ""
	case "enabled":
		return v.Kind == value.Bool && v.Bool
	case "posture":
		return v.Text == "Reactive" || v.Text == "Metric"
	case "threshold":
		return value.Equal(v, value.Of(1))
	case "schedule_after", "within":
		return v.IsNull() || value.Equal(v, value.Of(0.0))
	case "match", "match_related", "after", "expect", "for_each", "parameters", "job_variables":
		return v.IsNull() || v.Kind == value.Map && len(v.Map) == 0 || v.Kind == value.List && len(v.List) == 0
	}
	return false
}

// withoutSecrets hides what a live trigger passes to a run: nothing in the file tells any more whether it was secret.
func withoutSecrets(v value.Value) value.Value {
	for _, key := range []string{"parameters", "job_variables"} {
		if _, ok := v.Get(key); ok {
			v = v.Set(key, value.Of("(sensitive)"))
		}
	}
	return v
}
