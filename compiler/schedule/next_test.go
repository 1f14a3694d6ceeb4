// Compares run times with those that the server's own code of Prefect 3.8.8 gives (testdata/times.json, written by
// testdata/times.py), and bounds the work on rules that never come round.
package schedule

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"
)

// recordedTimes is one schedule with what the server answered; an answer is [moment, times] or [moment, "error"] or [moment, "hang"].
type recordedTimes struct {
	Schedule map[string]any       `json:"schedule"`
	Answers  [][2]json.RawMessage `json:"answers"`
}

func readTimes(t *testing.T, path string) (list []recordedTimes) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestNextAsTheServer(t *testing.T) { compareTimes(t, readTimes(t, "testdata/times.json"), 2000) }

// compareTimes fails also when fewer answers than least were compared.
func compareTimes(t *testing.T, list []recordedTimes, least int) {
	answered, refused := 0, 0
	for _, r := range list {
		for _, answer := range r.Answers {
			var start int64
			if err := json.Unmarshal(answer[0], &start); err != nil {
				t.Fatal(err)
			}
			got, err := NextOf(r.Schedule, time.UnixMicro(start), 4)
			var word string
			if json.Unmarshal(answer[1], &word) == nil {
				refused++
				if word == "error" && len(got) > 0 {
					t.Errorf("%v at %s: the server gives %s, here %v", r.Schedule, time.UnixMicro(start).UTC(), word, got)
				}
				continue
			}
			answered++
			var want []int64
			if err := json.Unmarshal(answer[1], &want); err != nil {
				t.Fatal(err)
			}
			times := []int64{}
			for _, at := range got {
				times = append(times, at.UnixMicro())
			}
			if err != nil || !slices.Equal(times, want) {
				t.Errorf("%v at %s: got %v (%v), want %v", r.Schedule, time.UnixMicro(start).UTC(), got, err, inUTC(want))
			}
		}
	}
	if answered < least || refused < 20 {
		t.Errorf("only %d answers and %d refusals compared: the recording proves too little", answered, refused)
	}
	t.Logf("%d schedules, %d answers, %d refusals", len(list), answered, refused)
}

func inUTC(micros []int64) (times []time.Time) {
	for _, m := range micros {
		times = append(times, time.UnixMicro(m).UTC())
	}
	return times
}

func TestNextOfASpec(t *testing.T) {
	now := time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC)
	no := false
	cases := []struct {
		spec Spec
		want []string
	}{
		{Spec{Cron: "0 6 * * *", Timezone: "Europe/Berlin", HasTimezone: true}, []string{"2026-10-25T05:00:00Z", "2026-10-26T05:00:00Z"}},
		{Spec{Cron: "0 20 24,26 * MON", DayOr: &no}, []string{"2026-10-26T20:00:00Z", "2027-04-26T20:00:00Z"}},
		{Spec{Kind: Interval, Seconds: 86400, Timezone: "Europe/Berlin", HasTimezone: true}, []string{"2026-10-24T20:00:00Z", "2026-10-25T21:00:00Z"}},
		{Spec{Kind: Interval, Seconds: 3600, Anchor: "2026-01-01T00:30:00Z"}, []string{"2026-10-24T20:30:00Z", "2026-10-24T21:30:00Z"}},
		{Spec{Kind: RRule, RRule: "FREQ=MINUTELY;INTERVAL=7", Timezone: "America/New_York", HasTimezone: true}, []string{"2026-10-24T20:05:00Z", "2026-10-24T20:12:00Z"}},
		{Spec{Kind: RRule, RRule: "FREQ=DAILY;COUNT=2"}, nil},
	}
	for _, c := range cases {
		got, err := c.spec.Next(now, 2, now)
		if err != nil {
			t.Errorf("%+v: %v", c.spec, err)
		}
		var texts []string
		for _, at := range got {
			texts = append(texts, at.Format(time.RFC3339Nano))
		}
		if !slices.Equal(texts, c.want) {
			t.Errorf("%+v: got %v, want %v", c.spec, texts, c.want)
		}
	}
}

// "l,31" on the last day of a short month, as the server answered when it was asked with another seed.
func TestNextOnALastDay(t *testing.T) {
	body := map[string]any{"cron": "* */16 l,31 * sat,sun 2-9/3", "timezone": "Africa/Cairo", "day_or": true}
	got, err := NextOf(body, time.Date(2028, 2, 29, 0, 0, 1, 0, time.UTC), 1)
	if err != nil || len(got) != 1 || got[0].Format(time.RFC3339) != "2028-02-29T14:00:02Z" {
		t.Errorf("got %v, %v", got, err)
	}
}

// What never comes round, or takes very long to, ends with few times or an error; the test's own time limit is the proof.
func TestNextEnds(t *testing.T) {
	now := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	for _, rule := range []string{"FREQ=DAILY;INTERVAL=0", "FREQ=SECONDLY;INTERVAL=0", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;BYMONTH=13",
		"FREQ=SECONDLY;COUNT=999999999999999999", "FREQ=SECONDLY;INTERVAL=99999999999999999999", "FREQ=MINUTELY;BYHOUR=99", "FREQ=YEARLY;INTERVAL=99999999999999999999",
		"DTSTART:00010101\nRRULE:FREQ=SECONDLY;COUNT=3", "DTSTART:99991231T235959\nRRULE:FREQ=SECONDLY", "FREQ=DAILY\nEXRULE:FREQ=DAILY", "FREQ=DAILY;UNTIL=20300101T000000Z",
		"FREQ=SECONDLY;INTERVAL=-1", "FREQ=YEARLY;BYDAY=9999MO", "FREQ=DAILY;BYSETPOS=366", "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4;INTERVAL=99", "RDATE:10:00", "EXRULE:FREQ=SECONDLY\nRRULE:FREQ=SECONDLY"} {
		if got, err := (Spec{Kind: RRule, RRule: rule}).Next(now, 3, now); len(got) >= 3 {
			t.Errorf("%q: %v, %v", rule, got, err)
		}
	}
	for _, cron := range []string{"0 0 30 2 *", "0 0 31 2,4 *", "0 0 29 2 1#5 0 2027", "0 0 * * * 0 1999", "R(1-5) * * * *", "nonsense"} {
		if got, err := (Spec{Cron: cron}).Next(now, 3, now); err == nil || len(got) > 0 {
			t.Errorf("%q: %v, %v", cron, got, err)
		}
	}
	for _, seconds := range []float64{1e-6, 8e13, 0, -1} {
		for _, anchor := range []string{"", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"} {
			if got, err := (Spec{Kind: Interval, Seconds: seconds, Anchor: anchor}).Next(now, 3, now); err == nil && len(got) != 3 {
				t.Errorf("%v since %q: %v, %v", seconds, anchor, got, err)
			}
		}
	}
	if _, err := (Spec{Cron: "0 0 * * *", Timezone: "Mars/Olympus", HasTimezone: true}).Next(now, 3, now); err == nil {
		t.Error("a zone without rules gives times")
	}
	if got, err := NextOf(map[string]any{}, now, 3); err == nil || got != nil {
		t.Errorf("no schedule: %v, %v", got, err)
	}
	for _, n := range []int{0, -1} {
		if got, err := (Spec{Cron: "0 0 * * *"}).Next(now, n, now); err != nil || len(got) != 0 {
			t.Errorf("%d times: %v, %v", n, got, err)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add("0 0 l * 5#2", uint8(0), int64(1_790_000_000))
	f.Add("FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=-1;BYWEEKNO=53;BYEASTER=-400", uint8(2), int64(-62_000_000_000))
	f.Add("DTSTART:20260101\nRRULE:FREQ=HOURLY;COUNT=5\nEXDATE:20260101T030000\nRDATE:99991231T235959", uint8(5), int64(250_000_000_000))
	f.Add("", uint8(4), int64(0))
	f.Fuzz(func(t *testing.T, text string, kind uint8, at int64) {
		s := Spec{Kind: Kind(kind % 3), Cron: text, RRule: text, Seconds: float64(at%1_000_000) / 7, HasTimezone: kind > 2, Timezone: "Australia/Lord_Howe"}
		after := time.Unix(at%250_000_000_000, 0)
		got, err := s.Next(after, 3, after)
		if len(got) > 3 || err != nil && got != nil {
			t.Errorf("%+v: %v, %v", s, got, err)
		}
		for i := range got {
			if got[i].Before(after.Truncate(time.Microsecond)) && s.Kind != Interval || i > 0 && got[i].Before(got[i-1]) && s.Kind != Interval {
				t.Errorf("%+v after %v: %v", s, after, got)
			}
		}
	})
}

func BenchmarkNextCron(b *testing.B) {
	s := Spec{Cron: "*/15 9-17 * * MON-FRI", Timezone: "Europe/Berlin", HasTimezone: true}
	now := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	for b.Loop() {
		if times, err := s.Next(now, 3, now); err != nil || len(times) != 3 {
			b.Fatal(times, err)
		}
	}
}

func BenchmarkNextRRule(b *testing.B) {
	s := Spec{Kind: RRule, RRule: "FREQ=MONTHLY;BYDAY=-1FR", Timezone: "Europe/Berlin", HasTimezone: true}
	now := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	for b.Loop() {
		if times, err := s.Next(now, 3, now); err != nil || len(times) != 3 {
			b.Fatal(times, err)
		}
	}
}
