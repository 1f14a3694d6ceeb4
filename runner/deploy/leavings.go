// What a Python function leaves in its process, and no later step sees. Prefect runs all steps of all deployments in one process, so there os.environ["TAG"] = "1"
// fills $TAG of each script after it, of the next deployment too. Here a step is run once for all that have it, beside others, perhaps in a job of its own, so it
// can't be. What would be lost in silence is said: the step, its line and the names (values may be secrets).
package deploy

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/runner/step"
)

// leavings collects what the steps of a run leave. Steps report side by side.
type leavings struct {
	mu   sync.Mutex
	list diag.List
}

// watch has a call report what its function leaves.
func (l *leavings) watch(s *graph.Step, c *step.Call) {
	dir := c.Dir
	c.Changed = func(changes map[string]*string) {
		names := slices.Sorted(maps.Keys(changes))
		what := "the environment variable " + names[0]
		if len(names) > 1 {
			what = "the environment variables " + strings.Join(names[:min(len(names), 8)], ", ")
		}
		if len(names) > 8 {
			what += fmt.Sprintf(" and %d more", len(names)-8)
		}
		l.add(s, "environment-not-carried", fmt.Sprintf("the step %s changed %s, which later steps and fields do not see", s.Key, what),
			"return the value and write {{ ID.NAME }} where it is needed, or set the variable before the deploy")
	}
	c.Moved = func(to string) {
		if !sameDirectory(dir, to) {
			l.add(s, "directory-not-carried", fmt.Sprintf("the step %s changed its working directory, and later steps run where they would without it", s.Key),
				"write a step prefect.deployments.steps.set_working_directory after it")
		}
	}
}

func (l *leavings) add(s *graph.Step, code, message, help string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list.Add(diag.Diagnostic{Severity: diag.Warning, Code: code, Message: message, Help: help, Position: diag.Position{File: s.File, Line: int(s.Pos.Line), Column: int(s.Pos.Column)}})
}

// found are the warnings in the order of the file.
func (l *leavings) found() diag.List {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.list.Sorted()
}

func sameDirectory(a, b string) bool {
	left, err := os.Stat(a)
	if err != nil {
		return false
	}
	right, err := os.Stat(b)
	return err == nil && os.SameFile(left, right)
}
