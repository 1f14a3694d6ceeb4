// What differs of one trigger, named as a file would write it: the keys of the automation and of its trigger stand side by side there. Sets have no order, the order of
// triggers within a trigger counts, and what Prefect fills in for what nobody said is left out of what is shown.
package plan

import (
	"fmt"

	"github.com/org/prefect-deploy-action/compiler/value"
)

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
		return []Change{{Path: path, Before: withoutSecrets(shownTrigger(was), base), After: shownTrigger(want).Redacted(), Reason: "edited", Pos: at}}
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
		return setChanges(path, was, want, base, at)
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
			out = append(out, Change{Path: here, Before: withoutSecrets(shownTrigger(was.List[i]), childBase(base, was, i)), Reason: "removed", Pos: placeOf(want, at)})
		default:
			out = append(out, triggerChanges(here, was.List[i], want.List[i], childBase(base, was, i), placeOf(want.List[i], at))...)
		}
	}
	return out
}

// childBase is what the base's file has in place of a live trigger within a trigger; where it has another number of them, and a secret among them, any may be it.
func childBase(base *value.Value, was value.Value, i int) *value.Value {
	if item := itemOf(base, i, len(was.List)); item != nil || !secretIn(base) || i >= len(was.List) {
		return item
	}
	v := was.List[i].Deep(value.Sensitive)
	return &v
}

func placeOf(v value.Value, at value.Pos) value.Pos {
	if v.Pos.Known() {
		return v.Pos
	}
	return at
}

// setChanges compares lists whose order means nothing: what is only in the file takes the place of what is only on the server.
func setChanges(path string, was, want value.Value, base *value.Value, at value.Pos) []Change {
	secret := secretIn(&want) || secretIn(base) // the order of sets tells nothing, so that one secret hides them all
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
		if secret {
			c.hide()
		}
		out = append(out, c)
	}
	if want.Marks().Has(value.NotHere) { // what is not known here may be what is left over
		return out
	}
	for i, v := range gone {
		c := Change{Path: fmt.Sprintf("%s[%d]", path, len(want.List)+i), Before: v, Reason: "removed", Pos: placeOf(want, at)}
		if secret {
			c.hide()
		}
		out = append(out, c)
	}
	return out
}

// hide makes a change one whose values are not shown; that of a build stays one.
func (c *Change) hide() {
	if c.Kind == AfterBuild {
		c.Before = value.Value{}
		return
	}
	c.Kind = Sensitive
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

// withoutSecrets hides of a live trigger what the base's file filled from a secret, and what it passes to a run: nothing in the file tells any more whether that was one.
func withoutSecrets(v value.Value, base *value.Value) value.Value {
	for _, e := range v.Map {
		if secretIn(childOf(base, e.Key)) {
			v = v.Set(e.Key, value.Of("(sensitive)"))
		}
	}
	for _, key := range []string{"parameters", "job_variables"} {
		if _, ok := v.Get(key); ok {
			v = v.Set(key, value.Of("(sensitive)"))
		}
	}
	return v
}
