// What an earlier attempt of a run left. GitHub keeps the artifacts of a run when it is started again, and it has to: of `re-run failed jobs` only those run, and the others' outputs are the ones of the first attempt. But a job that
// ran again and failed, or that did not come to run since one before it failed, may leave its files of that attempt lying, and then a deploy would register what this attempt did not make.
package handover

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Result is how the job that wrote files ended.
type Result struct{ Job, Result string }

// Outdated takes out what jobs that did not succeed in this attempt left of an earlier one, and names those jobs. A job's files are called after it: JOB.json, JOB.2.json.
func Outdated(steps []Step, results []Result, attempt string) (kept []Step, of []Result) {
	ended := map[string]string{}
	for _, r := range results {
		ended[r.Job] = r.Result
	}
	for _, s := range steps {
		job, _, _ := strings.Cut(path.Base(filepath.ToSlash(s.File)), ".")
		if result := ended[job]; result == "" || result == "success" || s.Attempt == "" || attempt == "" || s.Attempt == attempt {
			kept = append(kept, s)
		} else if r := (Result{job, result}); !slices.Contains(of, r) {
			of = append(of, r)
		}
	}
	return kept, of
}
