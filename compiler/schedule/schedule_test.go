// What the recording can't show: where a problem points and what it says, which schedules are the same timing, and that no input
// makes a parser panic.
package schedule

import (
	"strings"
	"testing"
	"time"
)

func TestProblemsPointAtTheFault(t *testing.T) {
	cases := []struct {
		problem       *Problem
		text          string
		offset        int
		pointed, says string
	}{
		{CheckCron("0 25 * * *"), "0 25 * * *", 2, "25", "hour 25 is not in 0-23"},
		{CheckCron("0 0 1,32 * *"), "0 0 1,32 * *", 6, "32", "day of month 32 is not in 1-31"},
		{CheckCron("0 0 * * MONDAY"), "0 0 * * MONDAY", 8, "MONDAY", "not understood"},
		{CheckCron("0 0 * * 1#6"), "0 0 * * 1#6", 8, "1#6", "no weekday number"},
		{CheckCron("R 0 * * *"), "R 0 * * *", 0, "R", "Prefect refuses"},
		{CheckCron("0 0 * *"), "0 0 * *", 0, "0 0 * *", "has 4"},
		{CheckCron("@reboot"), "@reboot", 0, "@reboot", "no nickname"},
		{CheckCron("0 0 * * 7 0"), "0 0 * * 7 0", 8, "7", "the sixth is seconds"},
		{CheckTimezone("europe/berlin"), "europe/berlin", 0, "europe/berlin", `did you mean "Europe/Berlin"?`},
		{CheckTimezone("New York"), "New York", 0, "New York", `did you mean "America/New_York"?`},
		{CheckRRule("FREQ=DAYLY"), "FREQ=DAYLY", 0, "FREQ=DAYLY", "write YEARLY, MONTHLY"},
		{CheckRRule("FREQ=DAILY;UNTIL=20250101T000000Z\nDTSTART:20240101"), "FREQ=DAILY;UNTIL=20250101T000000Z\nDTSTART:20240101", 0, "FREQ=DAILY;UNTIL=20250101T000000Z\nDTSTART:20240101", "UNTIL and DTSTART"},
	}
	for _, c := range cases {
		if c.problem == nil {
			t.Errorf("%q: no problem", c.text)
			continue
		}
		p := c.problem
		if p.Offset != c.offset || c.text[p.Offset:p.Offset+p.Length] != c.pointed || !strings.Contains(p.Error(), c.says) {
			t.Errorf("%q: %+v, want %q at %d saying %q", c.text, p, c.pointed, c.offset, c.says)
		}
	}
	if _, p := ParseInterval("600"); p == nil || !strings.Contains(p.Error(), "without unit") {
		t.Errorf("a number in quotes: %v", p)
	}
	if _, p := ParseInterval("PT10X"); p == nil || p.Offset != 4 {
		t.Errorf("an unknown unit: %+v", p)
	}
}

func TestProblemsShowHostileTextSafely(t *testing.T) {
	hostile := "\x1b]0;x\x07" + strings.Repeat("9", 1<<20)
	_, interval := ParseInterval(hostile)
	_, anchor := ParseAnchor(hostile)
	for _, p := range []*Problem{CheckCron(hostile), CheckTimezone(hostile), CheckRRule(hostile), CheckCron(hostile + " * * * *"), interval, anchor} {
		if p == nil || strings.ContainsAny(p.Error(), "\x1b\x07") || len(p.Error()) > 1000 {
			t.Errorf("bad problem for hostile text: %.200v", p)
		}
	}
}

func interval(seconds float64, anchor string) Canonical {
	return Spec{Kind: Interval, Seconds: seconds, Anchor: anchor}.Canonical()
}

func rule(text, zone string) Canonical {
	return Spec{Kind: RRule, RRule: text, Timezone: zone, HasTimezone: zone != ""}.Canonical()
}

func TestSame(t *testing.T) {
	live := func(body map[string]any) Canonical {
		c, ok := CanonicalOf(body)
		if !ok {
			t.Fatalf("%v is no schedule", body)
		}
		return c
	}
	cron := func(text, zone string, or any) Canonical {
		return live(map[string]any{"cron": text, "timezone": zone, "day_or": or})
	}
	anchored := func(anchor string) Canonical {
		return live(map[string]any{"interval": 600.0, "anchor_date": anchor, "timezone": "UTC"})
	}
	ruled := func(text string) Canonical { return live(map[string]any{"rrule": text, "timezone": "UTC"}) }
	no := false
	cases := []struct {
		name          string
		desired, live Canonical
		same          bool
	}{
		{"cron without zone is UTC", Spec{Cron: "0 0 * * *"}.Canonical(), cron("0 0 * * *", "UTC", true), true},
		{"cron's day_or", Spec{Cron: "0 0 * * *", DayOr: &no}.Canonical(), cron("0 0 * * *", "", true), false},
		{"an edited spelling", Spec{Cron: "@daily"}.Canonical(), cron("0 0 * * *", "", true), false},
		{"another zone", Spec{Cron: "@daily", Timezone: "US/Eastern", HasTimezone: true}.Canonical(), cron("@daily", "America/New_York", true), false},
		{"an anchor unsaid", interval(600, ""), anchored("2026-01-02T03:04:05.678900Z"), true},
		{"an anchor said", interval(600, "2026-01-02T03:04:05Z"), anchored("2026-01-02T03:04:05Z"), true},
		{"the same moment", interval(600, "2026-01-02T03:04:05Z"), anchored("2026-01-02T05:04:05+02:00"), true},
		{"the same moment with +00:00", interval(600, "2026-01-02T03:04:05Z"), anchored("2026-01-02T03:04:05+00:00"), true},
		{"another moment", interval(600, "2026-01-02T03:04:05Z"), anchored("2026-01-02T03:04:06Z"), false},
		{"a time of day", interval(600, "T03:04:05Z"), anchored("2025-12-31T03:04:05Z"), true},
		{"another time of day", interval(600, "T03:04:05Z"), anchored("2025-12-31T03:04:06Z"), false},
		{"another interval", interval(601, ""), anchored("2026-01-02T03:04:05Z"), false},
		{"cron against interval", Spec{Cron: "@daily"}.Canonical(), anchored("2026-01-02T03:04:05Z"), false},
		{"the added start", rule("FREQ=DAILY", ""), ruled("DTSTART:20200101T000000\nFREQ=DAILY"), true},
		{"no start added", rule("FREQ=DAILY", ""), ruled("FREQ=DAILY"), true},
		{"another start", rule("FREQ=DAILY", ""), ruled("DTSTART:20210101T000000\nFREQ=DAILY"), false},
		{"a start taken out of the file", rule("FREQ=DAILY", ""), ruled("DTSTART:20210101T000000\nRRULE:FREQ=DAILY"), false},
		{"a start said", rule("DTSTART:20210101T000000\nFREQ=DAILY", ""), ruled("DTSTART:20210101T000000\nFREQ=DAILY"), true},
		{"a start said, another live", rule("DTSTART:20210101T000000\nFREQ=MINUTELY", ""), ruled("DTSTART:20210101T000100\nFREQ=MINUTELY"), false},
		{"on the beat", rule("FREQ=MINUTELY;INTERVAL=7", ""), ruled("DTSTART:20200101T070000\nFREQ=MINUTELY;INTERVAL=7"), true},
		{"off the beat", rule("FREQ=MINUTELY;INTERVAL=7", ""), ruled("DTSTART:20200101T070100\nFREQ=MINUTELY;INTERVAL=7"), false},
		{"another rule", rule("FREQ=DAILY", ""), ruled("DTSTART:20200101T000000\nFREQ=WEEKLY"), false},
		{"a rule in another zone", rule("FREQ=DAILY", "Asia/Tokyo"), ruled("DTSTART:20200101T000000\nFREQ=DAILY"), false},
	}
	for _, c := range cases {
		if got := c.desired.Same(c.live); got != c.same {
			t.Errorf("%s: %+v and %+v: same is %v", c.name, c.desired, c.live, got)
		}
	}
}

// A start in a zone whose clock is not at hand must never lie in the future there, or runs of the first hours would be lost.
func TestStartIsNeverInTheFuture(t *testing.T) {
	now := time.Date(2026, 2, 5, 3, 37, 41, 0, time.UTC)
	for _, zone := range []string{"Etc/GMT+12", "America/Los_Angeles", "Pacific/Kiritimati"} {
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		spec := Spec{Kind: RRule, RRule: "FREQ=MINUTELY;INTERVAL=7", Timezone: zone, HasTimezone: true}
		for _, at := range []time.Time{now, now.In(place)} {
			body := spec.Body(at)["rrule"].(string)
			start, err := time.ParseInLocation("DTSTART:20060102T150405", body[:len("DTSTART:20060102T150405")], place)
			if err != nil || start.After(now) || now.Sub(start) > 36*time.Hour {
				t.Errorf("%s: %q begins at %v, now is %v (%v)", zone, body, start, now, err)
			}
			live, _ := CanonicalOf(map[string]any{"rrule": body, "timezone": zone})
			if !spec.Canonical().Same(live) {
				t.Errorf("%s: %q is not the same as unsaid", zone, body)
			}
		}
	}
}

// Whatever is sent is the same timing as what it was sent for, and valid.
func sendable(t *testing.T, s Spec) {
	body := s.Body(time.Date(2026, 2, 5, 13, 37, 41, 0, time.UTC))
	live, ok := CanonicalOf(body)
	if !ok || !s.Canonical().Same(live) {
		t.Errorf("%+v sends %v, which is not the same", s, body)
	}
	if rrule, is := body["rrule"].(string); is && CheckRRule(rrule) != nil {
		t.Errorf("%+v sends %q, which is not valid: %v", s, rrule, CheckRRule(rrule))
	}
}

func inside(t *testing.T, text string, p *Problem) {
	if p != nil && (p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > len(text) || p.Message == "" || p.Help == "" || p.Code == "") {
		t.Errorf("%q: %+v", text, p)
	}
}

func FuzzCheckCron(f *testing.F) {
	for _, s := range []string{"0 0 * * *", "@daily", "*/15 9-17 * * MON-FRI", "0 0 L * 5#2", "R(1-5)/3 * * * *", "0 0 * nov-feb/2 * 0 2030-2020", "\u0660 ? * * l3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := CheckCron(s)
		inside(t, s, p)
		if p == nil {
			sendable(t, Spec{Cron: s})
		}
	})
}

func FuzzParseInterval(f *testing.F) {
	for _, s := range []string{"PT10M", "P1Y2M3W4DT5H6M7.8S", "01:30:00.5", "2 days, 01:00:00", "-P1D", "600", "P1.123W"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seconds, p := ParseInterval(s)
		inside(t, s, p)
		if p != nil {
			return
		}
		if again, p := ParseIntervalNumber(seconds); p != nil || again != seconds {
			t.Errorf("%q is %v s, read again %v (%v)", s, seconds, again, p)
		}
		sendable(t, Spec{Kind: Interval, Seconds: seconds})
	})
}

func FuzzParseAnchor(f *testing.F) {
	for _, s := range []string{"2022-02-03T04:05:06+02:00", "20220203T0405Z", "2022W05", "2022-W05-3", "2022/02/03 1:2:3.4", "12:30", "now", "2022-366", "\u0662\u0660\u0662\u0662"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		canonical, p := ParseAnchor(s)
		inside(t, s, p)
		if p != nil {
			return
		}
		if again, p := ParseAnchor(canonical); p != nil && !strings.HasPrefix(canonical, "T") || p == nil && again != canonical {
			t.Errorf("%q is %q, read again %q (%v)", s, canonical, again, p)
		}
		sendable(t, Spec{Kind: Interval, Seconds: 60, Anchor: canonical})
	})
}

func FuzzParseRRule(f *testing.F) {
	for _, s := range []string{"FREQ=DAILY", "DTSTART;TZID=Europe/Berlin:20240101T090000\nRRULE:FREQ=HOURLY;INTERVAL=2;BYHOUR=9", `{"rrule": "FREQ=HOURLY", "timezone": "UTC"}`,
		"FREQ=MINUTELY;INTERVAL=-7;UNTIL=5JAN2030", "RRULE:FREQ=WEEKLY;BYDAY=+1MO,TU(-1)\nEXDATE:20240101,10:00AM\nRDATE:2024.01.31", "FREQ=DAILY;UNTIL=10H30M15.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		rule, zone, p := ParseRRule(s)
		inside(t, s, p)
		if p == nil {
			sendable(t, Spec{Kind: RRule, RRule: rule, Timezone: zone, HasTimezone: zone != ""})
		}
	})
}

func BenchmarkCheckCron(b *testing.B) {
	for b.Loop() {
		CheckCron("*/15 9-17 * * MON-FRI")
	}
}

func BenchmarkCheckTimezone(b *testing.B) {
	for b.Loop() {
		CheckTimezone("Pacific/Wallis")
	}
}

func BenchmarkCheckRRule(b *testing.B) {
	for b.Loop() {
		CheckRRule("DTSTART:20240101T090000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20300101")
	}
}
