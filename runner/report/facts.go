// Small questions to a plan, each in one function, so that what a plan does not know yet has one place where it is asked for.
package report

import (
	"strconv"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// keptOf lists the deployments that the file no longer declares and that stay without --prune.
func keptOf(p *plan.Plan) []string {
	var out []string
	for _, d := range p.Kept {
		out = append(out, d.Name.String())
	}
	return out
}

// renamedFrom is the name that a deployment had before, "" when it keeps its name.
func renamedFrom(d *plan.Deployment) string {
	if d.RenamedFrom == nil {
		return ""
	}
	return d.RenamedFrom.Name.String()
}

// lost says how many runs a delete, which a rename is too, takes away for good; "" for none.
func (it *Item) lost() string {
	if it.LostRuns <= 0 {
		return ""
	}
	return diag.Count(it.LostRuns, "run") + " made by hand, late or about to start " + map[bool]string{true: "is", false: "are"}[it.LostRuns == 1] + " lost"
}

// Takes says what a delete takes along, for the end of a sentence: ", with 3 scheduled runs; 1 run made by hand, late or about to start is lost".
func (it *Item) Takes() string {
	text := ""
	if it.ScheduledRuns > 0 {
		text = ", with " + diag.Count(it.ScheduledRuns, "scheduled run")
	}
	if lost := it.lost(); lost != "" {
		text += "; " + lost
	}
	return text
}

// timesOf is the time zone and the next run times that belong to a change: those of the schedule that it leaves behind.
func timesOf(d *plan.Desired, c *plan.Change) (zone string, next []time.Time) {
	if d == nil || !strings.HasPrefix(c.Path, "schedules[") {
		return "", nil
	}
	digits, part, ok := strings.Cut(strings.TrimPrefix(c.Path, "schedules["), "]")
	at, err := strconv.Atoi(digits)
	if !ok || err != nil || at < 0 || at >= len(d.Schedules) {
		return "", nil // one that goes
	}
	switch part {
	case "", ".cron", ".interval", ".rrule", ".timezone", ".anchor_date", ".day_or":
		return scheduleTimes(&d.Schedules[at])
	}
	return "", nil
}

// scheduleTimes are the time zone and the next run times of a schedule.
func scheduleTimes(s *plan.Schedule) (zone string, next []time.Time) {
	const most = 3
	next = s.NextTimes(most)
	return s.Zone(next), next
}
