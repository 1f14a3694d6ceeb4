// Small questions to a plan, each in one function, so that what a plan does not know yet has one place where it is asked for.
package report

import (
	"time"

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

// scheduledRuns is the number of scheduled runs that carrying the plan out drops.
func scheduledRuns(d *plan.Deployment) int { return d.Dropped }

// timesOf is the time zone and the next run times of a changed schedule.
func timesOf(c *plan.Change) (zone string, next []time.Time) {
	if c.Schedule == nil || c.ValueKind() != plan.Known {
		return "", nil
	}
	return scheduleTimes(c.Schedule)
}

// scheduleTimes is the same of a new deployment's schedule.
func scheduleTimes(s *plan.Schedule) (zone string, next []time.Time) {
	return s.Timing.Timezone, s.NextTimes(3)
}
