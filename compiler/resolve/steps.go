// What is wrong with a step that can be known without running it: a function of Prefect's that does not exist, an argument that it does not take or lacks.
package resolve

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// CheckStep reports what is wrong with a step of a build or push section; in a pull section (runtime) faults are warnings, since nothing is executed at deploy.
func CheckStep(f *spec.File, s *spec.Step, runtime bool, diags *diag.List) {
	severity := diag.Error
	if runtime {
		severity = diag.Warning
	}
	report := func(code string, p value.Pos, message, help string) {
		diags.Add(diag.Diagnostic{Severity: severity, Code: code, Message: message, Help: help, Position: f.Position(p)})
	}
	known, ok := Known(s.Function)
	if !ok {
		if message, help, sure := unknownStep(s.Function); message != "" {
			if !sure {
				severity = diag.Warning
			}
			report("unknown-step", s.Pos, message, help)
		}
		return
	}
	stepID(f, s, diags)
	if len(s.Whole.Map) > 0 && s.Whole.Map[0].Value.Kind != value.Map {
		return // its form is wrong, and said so
	}
	for _, e := range s.Inputs.Map {
		if e.Key == "image_tag" && known.Name == BuildDockerImage {
			diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "image-tag", Message: "build_docker_image has no argument image_tag; it is taken as tag",
				Help: "write tag:", Position: f.Position(e.KeyPos)})
			continue
		}
		if !known.Open && !contains(known.Arguments, e.Key) {
			report("unknown-argument", e.KeyPos, fmt.Sprintf("%s takes no argument %s", short(s.Function), diag.Quote(e.Key)), argumentHelp(e.Key, known))
		}
	}
	for _, r := range known.Required {
		if _, ok := s.Inputs.Get(r); !ok {
			report("missing-argument", s.Pos, fmt.Sprintf("%s needs the argument %s", short(s.Function), r), "")
		}
	}
	checkValues(f, s, known, report, diags)
}

// stepID warns of an id that no placeholder can name.
func stepID(f *spec.File, s *spec.Step, diags *diag.List) {
	if s.ID.Kind != value.Text || s.ID.Text == "" {
		return
	}
	if !usable(s.ID.Text) {
		diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "unusable-id", Message: fmt.Sprintf("the id %s can't be named in a template", diag.Quote(s.ID.Text)),
			Help: "an id consists of letters, digits, - and _", Position: f.Position(s.ID.Pos)})
	}
}

// usable reports whether a template can name an id: a dot or a bracket would be read as a path into it.
func usable(id string) bool {
	p, ok := template.Whole("{{ " + id + " }}")
	return ok && p.Name == id && Head(id) == id
}

func short(function string) string {
	return diag.Clean(ShortName(function))
}

func argumentHelp(key string, known *Function) string {
	if near := diag.DidYouMean(key, known.Arguments); near != "" {
		return near
	}
	return "it takes " + strings.Join(known.Arguments, ", ")
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
