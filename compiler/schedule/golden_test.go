// Compares every verdict with what a real Prefect 3.8.8 gave (testdata/golden.json, written by testdata/record.py).
package schedule

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// golden is the recording; see record.py for what each part means.
type golden struct {
	Clocks   []time.Time              `json:"clocks"`
	Cron     map[string]bool          `json:"cron"`
	Zone     map[string][3]bool       `json:"zone"`
	Interval map[string][]float64     `json:"interval"`
	Number   [][3]*float64            `json:"number"`
	Anchor   map[string][]string      `json:"anchor"`
	RRule    map[string]*recordedRule `json:"rrule"`
	Bodies   []recordedBody           `json:"bodies"`
	Beats    [][3]string              `json:"beats"`
}

type recordedRule struct {
	Clock, Refused bool
	Sent           []map[string]any
	Live           map[string]any
}

type recordedBody struct {
	Config     map[string]any
	Sent, Live map[string]any
}

func (b *recordedBody) UnmarshalJSON(data []byte) error {
	var result struct{ Sent, Live map[string]any }
	err := json.Unmarshal(data, &[]any{&b.Config, &result})
	b.Sent, b.Live = result.Sent, result.Live
	return err
}

func readGolden(t *testing.T, path string) (g golden) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGolden(t *testing.T) { compareGolden(t, readGolden(t, "testdata/golden.json")) }

func compareGolden(t *testing.T, g golden) {
	if len(g.Cron) < 400 || len(g.Interval) < 400 || len(g.Anchor) < 400 || len(g.RRule) < 800 || len(g.Zone) < 40 {
		t.Fatal("the recording is too small to prove anything")
	}
	t.Run("cron", func(t *testing.T) {
		for text, want := range g.Cron {
			verdict(t, text, CheckCron(text), want)
		}
	})
	t.Run("zone", func(t *testing.T) {
		for name, want := range g.Zone {
			verdict(t, name, CheckTimezone(name), want[0])
			verdict(t, name, CheckTimezone(name), want[1])
			verdict(t, name, CheckRRuleTimezone(name), want[2])
		}
	})
	t.Run("interval", func(t *testing.T) {
		for text, want := range g.Interval {
			got, p := ParseInterval(text)
			if verdict(t, text, p, want != nil) && want != nil && (got != want[0] || got != want[1]) {
				t.Errorf("%q: got %v, want %v", text, got, want)
			}
		}
		for _, n := range g.Number {
			got, p := ParseIntervalNumber(*n[0])
			if verdict(t, fmt.Sprint(*n[0]), p, n[1] != nil) && p == nil && got != *n[1] {
				t.Errorf("%v: got %v, want %v", *n[0], got, *n[1])
			}
		}
	})
	t.Run("anchor", func(t *testing.T) { compareAnchors(t, g) })
	t.Run("rrule", func(t *testing.T) { compareRules(t, g) })
	t.Run("bodies", func(t *testing.T) { compareBodies(t, g) })
}

// verdict compares accepted or not, and that a problem is complete and points inside the text.
func verdict(t *testing.T, text string, p *Problem, accepted bool) bool {
	t.Helper()
	switch {
	case (p == nil) != accepted:
		t.Errorf("%q: Prefect accepts it: %v; here: %v", clip(text), accepted, p)
		return false
	case p != nil && (p.Code == "" || p.Message == "" || p.Help == ""):
		t.Errorf("%q: incomplete problem %+v", clip(text), p)
	case p != nil && (p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > len(text)):
		t.Errorf("%q: problem %+v points outside", clip(text), p)
	}
	return true
}

func clip(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}

func compareAnchors(t *testing.T, g golden) {
	now := time.Date(2026, 2, 5, 13, 37, 41, 250_000_000, time.UTC)
	for text, want := range g.Anchor {
		got, p := ParseAnchor(text)
		if !verdict(t, text, p, want != nil) || want == nil {
			continue
		}
		body := Spec{Kind: Interval, Seconds: 60, Anchor: got}.Body(now)["anchor_date"].(string)
		for _, w := range want {
			w = strings.NewReplacer("<today>", "2026-02-05", "<now>", "2026-02-05T13:37:41.250000Z").Replace(w)
			if body != w {
				t.Errorf("%q: anchor %s, want %s", text, body, w)
			}
			live, _ := CanonicalOf(map[string]any{"interval": 60.0, "anchor_date": w, "timezone": "UTC"})
			if spec := (Spec{Kind: Interval, Seconds: 60, Anchor: got}); !spec.Canonical().Same(live) {
				t.Errorf("%q: %+v is not the same as %+v", text, spec.Canonical(), live)
			}
		}
	}
}

func compareRules(t *testing.T, g golden) {
	for text, want := range g.RRule {
		rule, zone, p := ParseRRule(text)
		accepted := want != nil && !want.Refused
		if !verdict(t, text, p, accepted) || !accepted || want.Clock {
			continue
		}
		spec := Spec{Kind: RRule, RRule: rule, Timezone: zone, HasTimezone: zone != ""}
		for i, sent := range want.Sent {
			at := g.Clocks[i]
			if zone != "" && zone != "UTC" {
				place, err := time.LoadLocation(zone)
				if err != nil {
					continue
				}
				at = at.In(place)
			}
			if got := spec.Body(at); !reflect.DeepEqual(got, sent) {
				t.Errorf("%q at %s: sends %q, want %q", clip(text), at, got, sent)
			}
		}
		if live, ok := CanonicalOf(want.Live); !ok || !spec.Canonical().Same(live) {
			t.Errorf("%q: %+v is not the same as %+v", clip(text), spec.Canonical(), live)
		}
	}
}

// specOf reads a configuration as the file would give it.
func specOf(t *testing.T, config map[string]any) Spec {
	var s Spec
	s.Timezone, s.HasTimezone = config["timezone"].(string)
	if dayOr, ok := config["day_or"].(bool); ok {
		s.DayOr = &dayOr
	}
	var p *Problem
	switch {
	case config["cron"] != nil:
		s.Cron = config["cron"].(string)
		p = CheckCron(s.Cron)
	case config["interval"] != nil:
		s.Kind = Interval
		if text, ok := config["interval"].(string); ok {
			s.Seconds, p = ParseInterval(text)
		} else {
			s.Seconds, p = ParseIntervalNumber(config["interval"].(float64))
		}
		if anchor, ok := config["anchor_date"].(string); ok {
			s.Anchor, p = ParseAnchor(anchor)
		}
	default:
		s.Kind = RRule
		var zone string
		s.RRule, zone, p = ParseRRule(config["rrule"].(string))
		if s.Timezone == "" && zone != "" {
			s.Timezone, s.HasTimezone = zone, true
		}
	}
	if p != nil {
		t.Fatal(p)
	}
	return s
}

func compareBodies(t *testing.T, g golden) {
	for _, b := range g.Bodies {
		spec := specOf(t, b.Config)
		if got := spec.Body(g.Clocks[3]); !reflect.DeepEqual(got, b.Sent) {
			t.Errorf("%v: sends %v, want %v", b.Config, got, b.Sent)
		}
		if live, ok := CanonicalOf(b.Live); !ok || !spec.Canonical().Same(live) {
			t.Errorf("%v: %+v is not the same as %+v", b.Config, spec.Canonical(), live)
		}
	}
	for _, beat := range g.Beats {
		place, err := time.LoadLocation(beat[1])
		if err != nil {
			t.Fatal(err)
		}
		spec := Spec{Kind: RRule, RRule: beat[0], Timezone: beat[1], HasTimezone: true}
		if got := spec.Body(g.Clocks[2].In(place))["rrule"]; got != beat[2] {
			t.Errorf("%v: sends %q", beat, got)
		}
	}
}
