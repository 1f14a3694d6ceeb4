// The ids under x-ci.steps. One that no step has does nothing, and what was meant to be hidden, or to run apart, is not: a slip that nobody would notice.
package check

import (
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// stepIDs are the settings of a file for steps, and the ids that its steps have; nil for a file without such settings.
type stepIDs struct {
	settings value.Value
	ids      map[string]bool
	names    []string
}

func settingsOf(f *spec.File) *stepIDs {
	settings, _ := f.CI.Get("steps")
	if len(settings.Map) == 0 {
		return nil
	}
	s := &stepIDs{settings: settings, ids: map[string]bool{}}
	s.seen(f.Build, f.Push, f.Pull)
	return s
}

// seen takes the ids of sections.
func (s *stepIDs) seen(sections ...spec.Section) {
	if s == nil {
		return
	}
	for _, section := range sections {
		for i := range section.Steps {
			if id := section.Steps[i].ID; id.Truthy() && !s.ids[id.Str()] {
				s.ids[id.Str()] = true
				s.names = append(s.names, id.Str())
			}
		}
	}
}

// unused tells of settings for steps that are not there.
func (s *stepIDs) unused(f *spec.File) (out diag.List) {
	if s == nil {
		return nil
	}
	for _, e := range s.settings.Map {
		if s.ids[e.Key] {
			continue
		}
		help := diag.DidYouMean(e.Key, s.names)
		if help == "" {
			help = "write the id of the step that is meant, or remove the setting"
		}
		out.Add(diag.Diagnostic{Severity: diag.Warning, Code: "unknown-key", Message: "x-ci.steps: no step of this file has the id " + diag.Quote(e.Key) + ": the setting means nothing", Help: help, Position: f.Position(e.KeyPos)})
	}
	return out
}
