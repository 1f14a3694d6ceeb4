// From the schedules that are there to the ones that are wanted.
//
// A server does not simply take a list. What 3.8.8 was seen to do (schedules_real_test.go asks it again):
//
//   - PATCH /deployments/{id} with schedules while some live one has no slug (or none lives): all are deleted and the given ones
//     created, with new ids; "active" unsaid becomes true; max_scheduled_runs is dropped; [] removes all.
//   - the same while all live ones have slugs, and all given ones: upsert by slug. Ids stay, "active" unsaid stays, "parameters"
//     unsaid becomes {}, a null max_scheduled_runs is ignored, one on a new schedule is dropped, and live slugs that are not named
//     survive. [] therefore does nothing.
//   - with slugs on the live ones and one missing in the request: 422.
//   - `replaces` renames in place. Once renamed, the same request is 422 ("already exists"): it has to go when its target is gone.
//   - POST …/schedules adds and keeps max_scheduled_runs; PATCH …/schedules/{id} ignores nulls (a slug, a maximum cannot be
//     cleared) and empties "parameters" unsaid; DELETE …/schedules/{id} removes one.
//   - POST /deployments/ drops max_scheduled_runs as well.
//
// So: one PATCH where that gives exactly the wanted list, which is atomic; else the schedules' own routes. What is new comes
// before what is old goes, so that a failure in between leaves a schedule too many, never one too few; only where an old slug
// is taken over does the old one have to go first. For example
//
//	live  a(0 0) b(1 0)     wanted  a(0 6)          → PATCH [a(0 6)], DELETE b
//	live  a(0 0)            wanted  []              → DELETE a
//	live  (0 0) (1 0)       wanted  (0 0)           → PATCH [(0 0)]
//	live  a(0 0)            wanted  (0 0)           → POST (0 0), DELETE a
package state

import (
	"sort"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/prefect"
)

// scheduleChange is what has to be sent.
type scheduleChange struct {
	// Patch is the list for PATCH /deployments/{id}, nil to leave the key out.
	Patch []value.Value
	// Create, Update and Delete are for the schedules' own routes.
	Create []value.Value
	Update []scheduleUpdate
	Delete []string
	// DeleteFirst says that a new schedule takes the slug of one that goes.
	DeleteFirst bool
}

type scheduleUpdate struct {
	ID     string
	Fields value.Value
}

// pairing is one wanted schedule and the live one that it continues, if any.
type pairing struct {
	wanted value.Value // complete: schedule, active, max_scheduled_runs, parameters, slug
	live   *value.Value
	same   bool
	// remake says that the live one cannot become the wanted one: a null cannot be sent.
	remake bool
}

// changeSchedules works out the change. listed says whether wanted is a full list at all; remove are ids that go in any case.
func changeSchedules(live, wanted []value.Value, listed bool, remove []string, version string) scheduleChange {
	stays, gone := split(live, remove)
	if !listed {
		return scheduleChange{Delete: ids(gone)}
	}
	pairs, left := pair(stays, wanted)
	gone = append(gone, left...)
	if len(gone) == 0 && allSame(pairs) {
		return scheduleChange{}
	}
	liveSlugs, wantedSlugs := allSlugged(live), allSluggedPairs(pairs)
	switch {
	case !liveSlugs && !anyMaximum(pairs):
		return scheduleChange{Patch: bodies(pairs, version)}
	case liveSlugs && wantedSlugs && len(pairs) > 0 && upsertable(pairs, version):
		return upsert(pairs, gone, version)
	}
	return oneByOne(pairs, gone, version)
}

func split(live []value.Value, remove []string) (stays, gone []value.Value) {
	removed := map[string]bool{}
	for _, id := range remove {
		removed[id] = true
	}
	for _, s := range live {
		if removed[textOf(s, "id")] {
			gone = append(gone, s)
		} else {
			stays = append(stays, s)
		}
	}
	return stays, gone
}

// pair finds for each wanted schedule the live one that it continues: by id, by the slug it replaces, by its slug, by timing. The
// surer ways go first for all, so that no schedule takes another's partner.
func pair(live, wanted []value.Value) (pairs []pairing, left []value.Value) {
	partner := make([]int, len(wanted))
	for i := range partner {
		partner[i] = -1
	}
	taken := make([]bool, len(live))
	ways := []func(l, w value.Value) bool{
		func(l, w value.Value) bool { id := textOf(w, "id"); return id != "" && id == textOf(l, "id") },
		func(l, w value.Value) bool { r := textOf(w, "replaces"); return r != "" && r == textOf(l, "slug") },
		func(l, w value.Value) bool { s := textOf(w, "slug"); return s != "" && s == textOf(l, "slug") },
		func(l, w value.Value) bool {
			return textOf(w, "slug") == "" && textOf(l, "slug") == "" && sameTiming(l, w)
		},
		func(l, w value.Value) bool {
			return (textOf(w, "slug") == "") != (textOf(l, "slug") == "") && sameTiming(l, w)
		},
	}
	for _, same := range ways {
		for i := range wanted {
			for j := 0; partner[i] < 0 && j < len(live); j++ {
				if !taken[j] && same(live[j], wanted[i]) {
					partner[i], taken[j] = j, true
				}
			}
		}
	}
	for i := range wanted {
		if partner[i] < 0 {
			pairs = append(pairs, pairing{wanted: complete(wanted[i], nil)})
			continue
		}
		l := &live[partner[i]]
		w := complete(wanted[i], l)
		pairs = append(pairs, pairing{wanted: w, live: l, same: sameSchedule(*l, w), remake: clears(*l, w, "slug") || clears(*l, w, "max_scheduled_runs")})
	}
	for j := range live {
		if !taken[j] {
			left = append(left, live[j])
		}
	}
	return pairs, left
}

func clears(live, wanted value.Value, key string) bool {
	l, _ := live.Get(key)
	w, _ := wanted.Get(key)
	return !l.IsNull() && w.IsNull()
}

// complete gives a wanted schedule every key that a server knows: what is unsaid comes from the live one, else is Prefect's default.
func complete(w value.Value, live *value.Value) value.Value {
	pick := func(key string, orElse value.Value, inherit bool) value.Value {
		if v, ok := w.Get(key); ok && !(v.IsNull() && key != "slug" && key != "max_scheduled_runs") {
			return v
		}
		if live != nil && inherit {
			if v, ok := live.Get(key); ok && !v.IsNull() {
				return v
			}
		}
		return orElse
	}
	schedule, _ := w.Get("schedule")
	return value.Of([]value.Entry{
		{Key: "schedule", Value: schedule},
		{Key: "active", Value: pick("active", value.Of(true), true)},
		{Key: "max_scheduled_runs", Value: pick("max_scheduled_runs", value.Value{}, true)},
		{Key: "parameters", Value: pick("parameters", value.Of([]value.Entry{}), false)},
		{Key: "slug", Value: pick("slug", value.Value{}, false)},
	})
}

func sameSchedule(live, w value.Value) bool {
	for _, key := range []string{"active", "max_scheduled_runs", "parameters", "slug"} {
		a, _ := live.Get(key)
		b, _ := w.Get(key)
		if !value.Equal(a, b) && (a.Truthy() || b.Truthy()) {
			return false
		}
	}
	return sameTiming(live, w)
}

// upsertable tells whether one PATCH by slug brings all of them about.
func upsertable(pairs []pairing, version string) bool {
	for _, p := range pairs {
		if p.remake || !p.same && p.live == nil && has(p.wanted, "max_scheduled_runs") {
			return false
		}
		if renames(p) && !prefect.Supports(version, "schedule", "replaces") {
			return false
		}
	}
	return true
}

func renames(p pairing) bool {
	return p.live != nil && textOf(*p.live, "slug") != textOf(p.wanted, "slug")
}

// upsert sends what is new or changed, and deletes what goes.
func upsert(pairs []pairing, gone []value.Value, version string) scheduleChange {
	out := scheduleChange{Delete: ids(gone), DeleteFirst: takesSlug(pairs, gone)}
	for _, p := range pairs {
		if p.same {
			continue
		}
		body := admitted(p.wanted, version)
		if renames(p) {
			body = body.Set("replaces", value.Of(textOf(*p.live, "slug")))
		}
		out.Patch = append(out.Patch, body)
	}
	return out
}

// oneByOne uses the schedules' own routes.
func oneByOne(pairs []pairing, gone []value.Value, version string) scheduleChange {
	liveSlugs := map[string]bool{}
	for _, p := range pairs {
		if p.live != nil {
			liveSlugs[textOf(*p.live, "slug")] = true
		}
	}
	var out scheduleChange
	for _, p := range pairs {
		slug := textOf(p.wanted, "slug")
		switch {
		case p.same:
		case p.live == nil:
			out.Create = append(out.Create, admitted(p.wanted, version))
		case p.remake || renames(p) && liveSlugs[slug]:
			gone = append(gone, *p.live)
			out.Create = append(out.Create, admitted(p.wanted, version))
		default:
			out.Update = append(out.Update, scheduleUpdate{ID: textOf(*p.live, "id"), Fields: admitted(p.wanted, version)})
		}
	}
	out.Delete, out.DeleteFirst = ids(gone), takesSlug(pairs, gone)
	return out
}

// takesSlug tells whether a wanted schedule has the slug of one that goes.
func takesSlug(pairs []pairing, gone []value.Value) bool {
	slugs := map[string]bool{}
	for _, g := range gone {
		if s := textOf(g, "slug"); s != "" {
			slugs[s] = true
		}
	}
	for _, p := range pairs {
		if slugs[textOf(p.wanted, "slug")] {
			return true
		}
	}
	return false
}

func bodies(pairs []pairing, version string) []value.Value {
	list := make([]value.Value, len(pairs))
	for i, p := range pairs {
		list[i] = admitted(p.wanted, version)
	}
	return list
}

// admitted is the schedule as a server of the version takes it; a maximum of null is left out, as it means nothing.
func admitted(s value.Value, version string) value.Value {
	if !has(s, "max_scheduled_runs") {
		s = without(s, "max_scheduled_runs")
	}
	return prefect.Admit(version, "schedule", s)
}

func has(v value.Value, key string) bool {
	got, _ := v.Get(key)
	return !got.IsNull()
}

func ids(schedules []value.Value) []string {
	var out []string
	for _, s := range schedules {
		if id := textOf(s, "id"); id != "" {
			out = append(out, id)
		}
	}
	return out
}

func allSame(pairs []pairing) bool {
	for _, p := range pairs {
		if !p.same {
			return false
		}
	}
	return true
}

func allSlugged(schedules []value.Value) bool {
	for _, s := range schedules {
		if textOf(s, "slug") == "" {
			return false
		}
	}
	return len(schedules) > 0
}

func allSluggedPairs(pairs []pairing) bool {
	for _, p := range pairs {
		if textOf(p.wanted, "slug") == "" {
			return false
		}
	}
	return true
}

func anyMaximum(pairs []pairing) bool {
	for _, p := range pairs {
		if has(p.wanted, "max_scheduled_runs") {
			return true
		}
	}
	return false
}

// sameTiming compares two schedules' timing, forgiving what a server fills in: the time zone UTC, day_or true, an anchor date
// that one side does not name, and the DTSTART that Prefect puts before a rule without one.
func sameTiming(a, b value.Value) bool {
	x, _ := a.Get("schedule")
	y, _ := b.Get("schedule")
	return timingKey(x) == timingKey(y) && sameAnchor(x, y)
}

func timingKey(s value.Value) string {
	var parts []string
	for _, key := range []string{"cron", "interval", "rrule", "timezone", "day_or"} {
		v, _ := s.Get(key)
		switch {
		case key == "timezone" && v.IsNull():
			v = value.Of("UTC")
		case key == "day_or" && v.IsNull():
			v = value.Of(true)
		case key == "interval" && v.Kind == value.Int:
			v = value.Of(float64(v.Int))
		case key == "rrule":
			v.Text = strings.TrimPrefix(v.Text, "DTSTART:20200101T000000\n")
		}
		parts = append(parts, string(v.AppendJSON(nil)))
	}
	return strings.Join(parts, " ")
}

func sameAnchor(a, b value.Value) bool {
	x, y := textOf(a, "anchor_date"), textOf(b, "anchor_date")
	if x == y || x == "" || y == "" {
		return true
	}
	t, err1 := time.Parse(time.RFC3339Nano, x)
	u, err2 := time.Parse(time.RFC3339Nano, y)
	return err1 == nil && err2 == nil && t.Equal(u)
}

// sortSchedules brings them into an order that does not depend on when each was last touched, nor on random ids while anything else
// tells them apart: by slug, timing, and what else they hold.
func sortSchedules(list []value.Value) {
	key := func(s value.Value) string {
		timing, _ := s.Get("schedule")
		parts := []string{textOf(s, "slug"), timingKey(timing), textOf(timing, "anchor_date")}
		for _, k := range []string{"active", "max_scheduled_runs", "parameters", "id"} {
			v, _ := s.Get(k)
			parts = append(parts, string(v.AppendJSON(nil)))
		}
		return strings.Join(parts, "\x00")
	}
	sort.SliceStable(list, func(i, j int) bool { return key(list[i]) < key(list[j]) })
}
