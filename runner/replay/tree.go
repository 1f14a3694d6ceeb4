// What a person sees of a replay: a line when a job begins, a line when it ends, and of a job that failed all that it printed. The log of the others is kept back.
package replay

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// Tree shows the jobs as they go. It takes the place of the log: give it as Options.Tree.
type Tree struct {
	out   io.Writer
	color bool
	now   func() time.Time

	mu   sync.Mutex
	jobs map[string]*branch
}

// branch is one job.
type branch struct {
	began time.Time
	log   bytes.Buffer
	ended bool
}

// NewTree shows jobs on out.
func NewTree(out io.Writer, color bool, now func() time.Time) *Tree {
	return &Tree{out: out, color: color, now: now, jobs: map[string]*branch{}}
}

// most is how much of a job's log is kept for showing it when the job fails.
const most = 1 << 20

// entry sees a job begin and end.
func (t *Tree) entry(e *logrus.Entry) {
	id, _ := e.Data["jobID"].(string)
	if id == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.jobs[id]
	if b == nil {
		b = &branch{began: t.now()}
		t.jobs[id] = b
		fmt.Fprintf(t.out, "%s %s\n", t.paint("▸", 36), id)
	}
	if result, ok := e.Data["jobResult"]; ok && !b.ended {
		b.ended = true
		t.end(id, fmt.Sprint(result), b)
	}
}

// keep takes lines of the log in, as they are after masking: "[job] …".
func (t *Tree) keep(text []byte) {
	id, _, ok := strings.Cut(strings.TrimPrefix(string(text), "["), "] ")
	t.mu.Lock()
	defer t.mu.Unlock()
	if b := t.jobs[id]; ok && b != nil && b.log.Len() < most {
		b.log.Write(text)
	}
}

func (t *Tree) end(id, result string, b *branch) {
	took := t.now().Sub(b.began).Seconds()
	if result == "success" {
		fmt.Fprintf(t.out, "%s %s  %.1f s\n", t.paint("✓", 32), id, took)
		return
	}
	fmt.Fprintf(t.out, "%s %s  %.1f s  %s\n%s", t.paint("✗", 31), id, took, result, b.log.String())
}

// Finish shows the whole once more, in the workflow's order, each job under what it waited for.
func (t *Tree) Finish(r *Result) {
	counts := map[string]int{}
	fmt.Fprintln(t.out)
	for _, j := range r.Jobs {
		sign, code := "✓", 32
		switch j.Result {
		case "skipped":
			sign, code = "-", 90
		case "failure", "cancelled":
			sign, code = "✗", 31
		}
		if j.Calls == "" || j.Result == "skipped" { // else it is its jobs that count
			counts[j.Result]++
		}
		line := strings.Repeat("  ", j.Depth) + t.paint(sign, code) + " " + j.ID
		if j.Result == "skipped" {
			line += "  skipped"
		} else if len(j.Needs) > 0 {
			line += "  after " + strings.Join(j.Needs, ", ")
		}
		fmt.Fprintln(t.out, line)
	}
	fmt.Fprintf(t.out, "%d succeeded, %d failed, %d skipped\n", counts["success"], counts["failure"]+counts["cancelled"], counts["skipped"])
	t.deployments(r.Deployments())
}

// deployments are a line each, with the sign that a plan has for what becomes of it.
func (t *Tree) deployments(list []Deployment) {
	if len(list) == 0 {
		return
	}
	signs := map[string]struct {
		sign string
		code int
	}{"create": {"+", 32}, "update": {"±", 33}, "rebuild": {"±", 33}, "delete": {"-", 31}, "unchanged": {"=", 90}}
	fmt.Fprintln(t.out)
	for _, d := range list {
		s := signs[d.Action]
		line := d.Deployment
		if d.Outcome == "failed" || d.Outcome == "skipped" {
			s.sign, s.code = map[string]string{"failed": "✗", "skipped": "⊘"}[d.Outcome], 31
			line += "  " + d.Outcome
			if d.Error != "" {
				line += ": " + d.Error
			}
		}
		fmt.Fprintf(t.out, "%s %s\n", t.paint(s.sign, s.code), line)
	}
}

func (t *Tree) paint(s string, code int) string {
	if !t.color {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, s)
}
