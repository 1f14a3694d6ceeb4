// Environment variables that steps name and that are not set where they run. Prefect leaves out what they fill without a word, and so do we, but then the step fails for another reason (half of a login, an empty password), or
// does not fail and does something else. So it is said beforehand, with the line.
package deploy

import (
	"fmt"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// unset are the warnings for the steps that run, one a step and variable.
func (j *job) unset(g *graph.Graph) (found diag.List) {
	for _, s := range g.Steps {
		if !j.runs(s) {
			continue
		}
		file, told := j.fileOf(s), map[string]bool{}
		template.Walk(s.Inputs, func(text value.Value, placeholders []template.Placeholder) {
			for _, p := range placeholders {
				name := p.EnvName()
				if _, set := j.Env(name); set || p.Kind != template.Env || told[name] {
					continue
				}
				told[name] = true
				found.Add(diag.Diagnostic{Severity: diag.Warning, Code: "unset-variable", Message: fmt.Sprintf("the environment variable %s is not set here, so the step %s runs without what it fills", diag.Clean(name), diag.Clean(s.Key)),
					Help: "set it where the steps run, or take the placeholder out", Position: resolve.Locate(file, text, p)})
			}
		})
	}
	return found.Sorted()
}
