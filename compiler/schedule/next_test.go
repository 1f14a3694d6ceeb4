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

func TestNextAsTheServer(t *testing.T) { compareTimes(t, readTimes(t, "testdata/times.json")) }

func compareTimes(t *testing.T, list []recordedTimes) {
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
	if answered < 2000 || refused < 20 {
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
