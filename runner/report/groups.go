// Three hundred deployments that take the same new image are one thing to review, not three hundred. Deployments with the same fate and the very same changes form a group,
// shown once with all its names. Deletes are never grouped: each is a loss of its own.
package report

import (
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/runner/plan"
)

// smallestGroup is how many deployments alike are worth a group.
const smallestGroup = 3

// group is one deployment, or several that are alike.
type group struct {
	items []Item
}

func (g *group) first() *Item { return &g.items[0] }

// failed reports whether the item was not carried out though it should have been.
func (i *Item) failed() bool { return i.Outcome == plan.Failed || i.Outcome == plan.Skipped }

// shown reports whether the item deserves a line: something happens to it, or went wrong.
func (i *Item) shown() bool {
	return i.failed() || (i.Action != plan.Unchanged && i.Action != plan.Rebuild)
}

// rank orders by what a reader has to know first.
func (i *Item) rank() int {
	switch {
	case i.Outcome == plan.Failed:
		return 0
	case i.Outcome == plan.Skipped:
		return 1
	}
	switch i.Action {
	case plan.Delete:
		return 2
	case plan.Create:
		return 3
	case plan.Update:
		return 4
	case plan.Rebuild:
		return 5
	}
	return 6
}

// ordered puts failures first, then deletes, creations and the rest, each by name.
func ordered(list []Item) []Item {
	out := append([]Item(nil), list...)
	sort.SliceStable(out, func(i, j int) bool {
		if a, b := out[i].rank(), out[j].rank(); a != b {
			return a < b
		}
		return out[i].Name < out[j].Name
	})
	return out
}

// groups puts together the shown ones that are alike, in order of each group's first.
func groups(list []Item, which func(*Item) bool) []group {
	var keys []string
	members := map[string][]Item{}
	for _, it := range ordered(list) {
		if !which(&it) {
			continue
		}
		k := likeness(&it)
		if members[k] == nil {
			keys = append(keys, k)
		}
		members[k] = append(members[k], it)
	}
	var out []group
	for _, k := range keys {
		if len(members[k]) >= smallestGroup {
			out = append(out, group{members[k]})
			continue
		}
		for _, it := range members[k] {
			out = append(out, group{[]Item{it}})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { // the larger first, where all else is equal
		if a, b := out[i].first().rank(), out[j].first().rank(); a != b {
			return a < b
		}
		return len(out[i].items) > len(out[j].items)
	})
	return out
}

func likeness(i *Item) string {
	var b strings.Builder
	part := func(s string) { b.WriteString(s + "\x00") }
	part(string(i.Action))
	part(string(i.Outcome))
	part(i.Error)
	if i.Action == plan.Delete || i.RenamedFrom != "" {
		part(i.Name)
	}
	for n := range i.Changes {
		c := &i.Changes[n]
		part(c.Path)
		part(string(c.Value))
		part(string(c.Before.AppendJSON(nil)))
		part(string(c.After.AppendJSON(nil)))
		part(times(c))
	}
	return b.String()
}

// tally is the numbers of the summary.
type tally struct{ create, update, rebuild, delete, unchanged, failed, skipped, applied, total int }

// tally counts the deployments; with done only what was carried out counts as created, updated and so on.
func (v *View) tally(done bool) tally {
	t := tally{total: len(v.Deployments)}
	for i := range v.Deployments {
		it := &v.Deployments[i]
		if !done || !it.failed() {
			t.count(it.Action)
		}
		switch {
		case it.Outcome == plan.Failed:
			t.failed++
		case it.Outcome == plan.Skipped:
			t.skipped++
		case it.Outcome == plan.Applied && it.Action != plan.Unchanged:
			t.applied++
		}
	}
	return t
}

func (t *tally) count(a plan.Action) {
	switch a {
	case plan.Create:
		t.create++
	case plan.Update:
		t.update++
	case plan.Rebuild:
		t.rebuild++
	case plan.Delete:
		t.delete++
	case plan.Unchanged:
		t.unchanged++
	}
}

// changes is how many deployments are to be written or deleted.
func (t tally) changes() int { return t.create + t.update + t.rebuild + t.delete }
