// A step is tried again when the network failed, and never otherwise. The steps are processes that count how often they were begun.
package deploy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/plan"
)

func TestRetries(t *testing.T) {
	for _, c := range []struct {
		about, says    string
		fails, retries int
		times          int
		outcome        plan.Outcome
		pauses         []time.Duration
	}{
		{"the network, once", "curl: (7) Failed to connect: Connection refused", 1, 2, 2, plan.Applied, []time.Duration{time.Second}},
		{"the network, twice", "dial tcp: lookup registry: no such host", 2, 2, 3, plan.Applied, []time.Duration{time.Second, 2 * time.Second}},
		{"the network, too often", "fatal: the remote end hung up unexpectedly", 9, 2, 3, plan.Skipped, []time.Duration{time.Second, 2 * time.Second}},
		{"the network, without retries", "i/o timeout", 1, 0, 1, plan.Skipped, nil},
		{"a bucket that stands still", "a.txt cannot be pushed: the bucket b: it did not answer in time", 1, 1, 2, plan.Applied, []time.Duration{time.Second}},
		{"something else", "make: *** No rule to make target", 1, 5, 1, plan.Skipped, nil},
		{"nothing", "", 0, 5, 1, plan.Applied, nil},
	} {
		t.Run(c.about, func(t *testing.T) {
			s := newScene(t)
			s.write("step.sh", fmt.Sprintf("echo >> times\nif [ $(wc -l < times) -le %d ]; then echo '%s' >&2; exit 7; fi\n", c.fails, c.says))
			o := s.options("build:\n- prefect.deployments.steps.run_shell_script: {id: s, script: sh step.sh}\n" + one(""))
			o.Retries = c.retries
			var pauses []time.Duration
			o.Wait = func(d time.Duration) <-chan time.Time {
				pauses = append(pauses, d)
				now := make(chan time.Time, 1)
				now <- time.Time{}
				return now
			}
			told := 0
			o.Log = func(e exec.Event) {
				if e.Kind == exec.Line && strings.Contains(e.Text, "tried again in") {
					told++
				}
			}
			p, err := Deploy(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			begun, _ := os.ReadFile(filepath.Join(s.dir, "times"))
			if times := strings.Count(string(begun), "\n"); times != c.times || p.Deployments[0].Outcome != c.outcome || !slices.Equal(pauses, c.pauses) || told != len(c.pauses) {
				t.Errorf("begun %d times, %s, pauses %v, told %d times; wanted %d, %s, %v", times, p.Deployments[0].Outcome, pauses, told, c.times, c.outcome, c.pauses)
			}
		})
	}
}

// TestWritingIsTold: how many of the changes are written, one call at a time and never backwards.
func TestWritingIsTold(t *testing.T) {
	s := newScene(t)
	yaml := "pull: []\ndeployments:\n"
	for i := range 12 {
		yaml += fmt.Sprintf("- {name: d%d, entrypoint: 'flow.py:hello', work_pool: {name: p}}\n", i)
	}
	told := func(yaml string) (out []int) {
		o := s.options(yaml)
		o.Writing = func(done, all int) { out = append(out, done, all) }
		if _, err := Deploy(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		return out
	}
	var want []int
	for i := range 13 {
		want = append(want, i, 12)
	}
	if got := told(yaml); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := told(yaml); got != nil {
		t.Errorf("nothing changed, and told %v", got)
	}
	if got := told(strings.Replace(yaml, "d3,", "d3, tags: [x],", 1)); !slices.Equal(got, []int{0, 1, 1, 1}) {
		t.Errorf("one changed, and told %v", got)
	}
}
