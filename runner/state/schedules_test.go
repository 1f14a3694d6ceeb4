// The transitions of schedules. One table: here the file state must end in the wanted list, and the requests are looked at;
// schedules_real_test.go runs the same table against a real server.
package state

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// transition is one change of a deployment's schedules. before and wanted are written as JSON lists without the "schedule" around
// a cron line; after is what schedulesOf prints.
type transition struct {
	name, before, wanted, after string
	// sends is what has to be sent on 3.8.8: "patch N" for a list in the deployment's PATCH, then the schedules' own routes.
	sends string
}

// sched makes a schedule: slug ("" for none), cron line, and more keys as JSON.
func sched(slug, cron, more string) string {
	s := fmt.Sprintf(`{"schedule":{"cron":%q,"timezone":"UTC"}`, cron)
	if slug != "" {
		s += fmt.Sprintf(`,"slug":%q`, slug)
	}
	if more != "" {
		s += "," + more
	}
	return s + "}"
}

func list(items ...string) string { return "[" + strings.Join(items, ",") + "]" }

const (
	off = `"active":false`
	h0  = "0 0 * * *"
	h1  = "0 1 * * *"
	h2  = "0 2 * * *"
)

func transitions() []transition {
	a, b := sched("a", h0, ""), sched("b", h1, "")
	return []transition{
		{"nothing changes", list(a, b), list(b, a), "a 0 0 * * * true\nb 0 1 * * * true", ""},
		{"nothing changes, a paused one stays paused", list(sched("a", h0, off)), list(a), "a 0 0 * * * false", ""},
		{"nothing changes without slugs", list(sched("", h0, off)), list(sched("", h0, "")), "0 0 * * * false", ""},
		{"none to none", list(), list(), "", ""},
		{"none to some", list(), list(a, sched("", h1, off)), "0 1 * * * false\na 0 0 * * * true", "patch 2"},
		{"slugged, all go", list(a, b), list(), "", "delete 2"},
		{"unslugged, all go", list(sched("", h0, "")), list(), "", "patch 0"},
		{"mixed, all go", list(a, sched("", h0, "")), list(), "", "patch 0"},
		{"slugged, one is edited and keeps its state", list(sched("a", h0, off), b), list(sched("a", h2, ""), b), "a 0 2 * * * false\nb 0 1 * * * true", "patch 1"},
		{"slugged, one goes", list(a, b), list(a), "a 0 0 * * * true", "delete 1"},
		{"slugged, one is edited and one goes", list(a, b), list(sched("a", h2, off)), "a 0 2 * * * false", "patch 1, delete 1"},
		{"unslugged, one is edited, the other keeps its state", list(sched("", h0, off), sched("", h1, "")), list(sched("", h0, ""), sched("", h2, "")), "0 0 * * * false\n0 2 * * * true", "patch 2"},
		{"unslugged becomes slugged and keeps its state", list(sched("", h0, off)), list(a), "a 0 0 * * * false", "patch 1"},
		{"slugged becomes unslugged", list(sched("a", h0, off), b), list(sched("", h0, "")), "0 0 * * * false", "create 1, delete 2"},
		{"slugged gets an unslugged neighbour", list(a), list(a, sched("", h1, "")), "0 1 * * * true\na 0 0 * * * true", "create 1"},
		{"a slug is replaced", list(sched("a", h0, off)), list(sched("n", h2, `"replaces":"a"`)), "n 0 2 * * * false", "patch 1"},
		{"a slug was replaced before", list(sched("n", h0, "")), list(sched("n", h0, `"replaces":"a"`)), "n 0 0 * * * true", ""},
		{"a slug was replaced before, and the timing is edited", list(sched("n", h0, "")), list(sched("n", h2, `"replaces":"a"`)), "n 0 2 * * * true", "patch 1"},
		{"two slugs are swapped", list(sched("a", h0, off), b), list(sched("b", h0, `"replaces":"a"`), sched("a", h1, `"replaces":"b"`)), "a 0 1 * * * true\nb 0 0 * * * false", "patch 2"},
		{"a slug moves to another's place", list(a, b), list(sched("b", h0, `"replaces":"a"`)), "b 0 0 * * * true", "delete 1 first, patch 1"},
		{"parameters stay when only the state changes", list(sched("a", h0, `"parameters":{"n":1}`)), list(sched("a", h0, `"parameters":{"n":1},`+off)), `a 0 0 * * * false {"n":1}`, "patch 1"},
		{"parameters go", list(sched("a", h0, `"parameters":{"n":1}`)), list(a), "a 0 0 * * * true", "patch 1"},
		{"a maximum on a new one", list(a), list(a, sched("c", h2, `"max_scheduled_runs":3`)), "a 0 0 * * * true\nc 0 2 * * * true max 3", "create 1"},
		{"a maximum on the first", list(), list(sched("", h2, `"max_scheduled_runs":3`)), "0 2 * * * true max 3", "create 1"},
		{"a maximum is set", list(a), list(sched("a", h0, `"max_scheduled_runs":3`)), "a 0 0 * * * true max 3", "patch 1"},
		{"a maximum is set without slugs", list(sched("", h0, off)), list(sched("", h0, `"max_scheduled_runs":3`)), "0 0 * * * false max 3", "update 1"},
		{"a maximum stays", list(sched("a", h0, `"max_scheduled_runs":3`)), list(sched("a", h2, "")), "a 0 2 * * * true max 3", "patch 1"},
		{"a maximum is cleared", list(sched("a", h0, `"max_scheduled_runs":3,`+off)), list(sched("a", h0, `"max_scheduled_runs":null`)), "a 0 0 * * * false", "create 1, delete 1 first"},
		{"several of the same timing", list(sched("", h0, off), sched("", h0, "")), list(sched("", h0, ""), sched("", h0, ""), sched("", h0, "")), "", "patch 3"},
	}
}

// sent describes a change in words.
func (c scheduleChange) sent() string {
	var out []string
	deletes := fmt.Sprintf("delete %d", len(c.Delete))
	if c.DeleteFirst && len(c.Patch) > 0 && len(c.Delete) > 0 {
		out, deletes = append(out, deletes+" first"), ""
	}
	if c.Patch != nil {
		out = append(out, fmt.Sprintf("patch %d", len(c.Patch)))
	}
	if len(c.Create) > 0 {
		out = append(out, fmt.Sprintf("create %d", len(c.Create)))
	}
	if len(c.Update) > 0 {
		out = append(out, fmt.Sprintf("update %d", len(c.Update)))
	}
	if len(c.Delete) > 0 && deletes != "" {
		if c.DeleteFirst {
			deletes += " first"
		}
		out = append(out, deletes)
	}
	return strings.Join(out, ", ")
}

func TestTransitions(t *testing.T) {
	for _, c := range transitions() {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), "state.json"))
			writeOne(t, s, Write{Name: dep, Fields: parsed(t, `{"schedules":`+c.before+`}`)})
			live := readOne(t, s, dep)
			old, _ := live.Fields.Get("schedules")
			if got := changeSchedules(old.List, parsed(t, c.wanted).List, true, nil, "3.8.8").sent(); got != c.sends {
				t.Errorf("sends %q, want %q", got, c.sends)
			}
			written := writeOne(t, s, Write{Name: dep, Live: live, Fields: parsed(t, `{"schedules":`+c.wanted+`}`)})
			if got := schedulesOf(readOne(t, s, dep)); c.after != "" && got != c.after {
				t.Errorf("\ngot  %s\nwant %s", got, c.after)
			}
			if got, want := schedulesOf(written), schedulesOf(readOne(t, s, dep)); got != want {
				t.Errorf("Write returned %s, Read %s", got, want)
			}
		})
	}
}

// TestOldServersAreSentWhatTheyKnow: before 3.6.17 there is no `replaces`, before 3.2.0 no slug.
func TestOldServersAreSentWhatTheyKnow(t *testing.T) {
	live := parsed(t, `[{"id":"1","schedule":{"cron":"0 0 * * *"},"active":false,"slug":"a","parameters":{}}]`).List
	wanted := parsed(t, list(sched("n", h0, `"replaces":"a"`))).List
	if got := changeSchedules(live, wanted, true, nil, "3.6.16"); got.sent() != "update 1" {
		t.Errorf("sends %s", got.sent())
	}
	created := changeSchedules(nil, wanted, true, nil, "3.1.0")
	if text := string(created.Patch[0].AppendJSON(nil)); text != `{"schedule":{"cron":"0 0 * * *","timezone":"UTC"},"active":true}` {
		t.Errorf("sends %s", text)
	}
	if got := changeSchedules(live, nil, false, []string{"1", "2"}, "3.8.8"); got.sent() != "delete 1" {
		t.Errorf("sends %s", got.sent())
	}
}

func TestTimingsThatAreTheSame(t *testing.T) {
	same := [][2]string{
		{`{"cron":"0 0 * * *"}`, `{"cron":"0 0 * * *","timezone":"UTC","day_or":true}`},
		{`{"interval":60}`, `{"interval":60.0,"anchor_date":"2026-01-01T00:00:00Z","timezone":"UTC"}`},
		{`{"interval":60,"anchor_date":"2026-01-01T00:00:00Z"}`, `{"interval":60.0,"anchor_date":"2026-01-01T01:00:00+01:00"}`},
		{`{"rrule":"FREQ=DAILY"}`, `{"rrule":"DTSTART:20200101T000000\nFREQ=DAILY","timezone":"UTC"}`},
	}
	other := [][2]string{
		{`{"cron":"0 0 * * *"}`, `{"cron":"0 0 * * *","timezone":"Europe/Berlin"}`},
		{`{"cron":"0 0 * * *"}`, `{"cron":"0 0 * * *","day_or":false}`},
		{`{"interval":60}`, `{"interval":61}`},
		{`{"interval":60,"anchor_date":"2026-01-01T00:00:00Z"}`, `{"interval":60,"anchor_date":"2026-01-02T00:00:00Z"}`},
	}
	for want, pairs := range map[bool][][2]string{true: same, false: other} {
		for _, p := range pairs {
			a, b := parsed(t, `{"schedule":`+p[0]+`}`), parsed(t, `{"schedule":`+p[1]+`}`)
			if sameTiming(a, b) != want || sameTiming(b, a) != want {
				t.Errorf("%s and %s: want %v", p[0], p[1], want)
			}
		}
	}
}
