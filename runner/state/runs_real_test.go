//go:build real

// What becomes of runs that have not begun, and that they are counted as that: an update drops those of the schedules whose time is to come and leaves the
// others; a delete drops all, but for a pending one, which stays without its deployment.
package state

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// asked is the server's answer to a request made by hand; one that is busy with its own services is asked again.
func asked(t *testing.T, method, path, body string) (v value.Value, code int) {
	t.Helper()
	for range 50 {
		if v, code = askedOnce(t, method, path, body); code != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	return v, code
}

func askedOnce(t *testing.T, method, path, body string) (value.Value, int) {
	t.Helper()
	req, err := http.NewRequest(method, plainServer.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := value.FromJSON(data)
	return v, resp.StatusCode
}

// withRuns makes a deployment with runs of its schedule, of which one is late, one run made by hand, and one pending.
func withRuns(t *testing.T, s *State, n Name) (live *Live, ofSchedule []string, late, byHand, pending string) {
	t.Helper()
	live = writeOne(t, s, Write{Name: n, Fields: parsed(t, `{`+pool+`}`)})
	create := func(tags string) string {
		run, code := asked(t, http.MethodPost, "/deployments/"+live.ID+"/create_flow_run", `{"tags":`+tags+`,"state":{"type":"SCHEDULED","state_details":{"scheduled_time":"2050-01-01T00:00:00Z"}}}`)
		if code != http.StatusCreated {
			t.Fatalf("create_flow_run: %d %s", code, run.AppendJSON(nil))
		}
		return textOf(run, "id")
	}
	set := func(id, state string) {
		if v, code := asked(t, http.MethodPost, "/flow_runs/"+id+"/set_state", `{"force":true,"state":`+state+`}`); code >= 300 {
			t.Fatalf("set_state: %d %s", code, v.AppendJSON(nil))
		}
	}
	for range 3 {
		ofSchedule = append(ofSchedule, create(`["auto-scheduled","x"]`))
	}
	markScheduled(t)
	late, ofSchedule = ofSchedule[0], ofSchedule[1:]
	set(late, `{"type":"SCHEDULED","name":"Late","state_details":{"scheduled_time":"2020-01-01T00:00:00Z"}}`)
	byHand, pending = create(`["x"]`), create(`[]`)
	set(pending, `{"type":"PENDING"}`)
	return live, ofSchedule, late, byHand, pending
}

// markScheduled makes runs with the scheduler's tag what its runs are: with some versions of SQLAlchemy the scheduler of 3.8.8 itself makes none, and no request sets the mark.
func markScheduled(t *testing.T) {
	t.Helper()
	const code = `import sqlite3, sys
c = sqlite3.connect(sys.argv[1], timeout=60)
c.execute("UPDATE flow_run SET auto_scheduled = 1 WHERE tags LIKE '%auto-scheduled%'")
c.commit()`
	if out, err := exec.Command(realPython(t), "-c", code, filepath.Join(plainServer.Dir, "prefect.db")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestRealRunsThatAWriteTakes(t *testing.T) {
	s, _, _ := realState(t)
	one, ofOne, lateOne, handOne, pendingOne := withRuns(t, s, Name{"runs", "one"})
	two, ofTwo, lateTwo, handTwo, pendingTwo := withRuns(t, s, Name{"runs", "two"})
	ids := []string{one.ID, two.ID}
	counted := func() string {
		var numbers []int
		for _, which := range []Runs{RunsToCome, RunsNotBegun} {
			n, err := s.Runs(context.Background(), ids, which)
			if err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, n)
		}
		return fmt.Sprint(numbers)
	}
	toCome := len(ofOne) + len(ofTwo)
	if got, want := counted(), fmt.Sprint([]int{toCome, toCome + 6}); got != want {
		t.Errorf("to come, not begun: %s, want %s", got, want)
	}
	left := func(ids ...string) (there []string) {
		for _, id := range ids {
			if _, code := asked(t, http.MethodGet, "/flow_runs/"+id, ""); code == http.StatusOK {
				there = append(there, id)
			}
		}
		return there
	}
	writeOne(t, s, Write{Name: one.Name, Live: one, Fields: parsed(t, `{"tags":["new"]}`)})
	if got := left(append(slices.Clone(ofOne), lateOne, handOne, pendingOne)...); !slices.Equal(got, []string{lateOne, handOne, pendingOne}) {
		t.Errorf("an update leaves %v, want the late one %s and those made by hand, %s and %s", got, lateOne, handOne, pendingOne)
	}
	if err := s.Delete(context.Background(), two); err != nil {
		t.Fatal(err)
	}
	if got := left(append(slices.Clone(ofTwo), lateTwo, handTwo, pendingTwo)...); !slices.Equal(got, []string{pendingTwo}) {
		t.Errorf("a delete leaves %v, want the pending one %s", got, pendingTwo)
	}
	run, _ := asked(t, http.MethodGet, "/flow_runs/"+pendingTwo, "")
	if _, code := asked(t, http.MethodGet, "/deployments/"+two.ID, ""); textOf(run, "deployment_id") != two.ID || code != http.StatusNotFound {
		t.Errorf("the pending run is of the deployment %s, which answers %d", textOf(run, "deployment_id"), code)
	}
}
