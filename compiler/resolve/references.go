// Can every reference to an output be filled? Prefect drops `{{ build-imag.image }}` without a word and registers a deployment without an image. Here it is an
// error with the nearest right name, where all steps' outputs are known; a bare `{{ name }}` is a warning, since Prefect also fills it from the environment.
package resolve

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Gives reports whether a step's outputs hold the first part of a reference under its id or flat: sure when the step is known, maybe when its function is not.
func Gives(s *spec.Step, head string) (sure, maybe bool) {
	known, ok := Known(s.Function)
	if id := s.ID; id.Truthy() && id.Str() == head {
		return ok, true
	}
	if !ok {
		return false, true
	}
	for _, o := range known.Outputs {
		if o == head {
			return true, true
		}
	}
	return false, false
}

// Head is the first part of a reference: "build-image" of build-image.image and of build-image[0].
func Head(name string) string {
	if i := strings.IndexAny(name, ".["); i >= 0 {
		return name[:i]
	}
	return name
}

// scope is what a reference may be filled from: the steps before it.
type scope struct {
	d     *Deployment
	steps []*spec.Step
	diags *diag.List
}

// CheckReferences reports the references of a deployment's steps and fields that nothing fills.
func CheckReferences(d *Deployment, diags *diag.List) {
	s := scope{d: d, diags: diags}
	for _, list := range [][]spec.Step{d.Build, d.Push} {
		for i := range list {
			s.inputs(&list[i])
			s.steps = append(s.steps, &list[i])
		}
	}
	for _, e := range d.Fields.Map {
		if e.Key == "triggers" {
			if d.Triggers == nil {
				s.triggers(e.Value)
			}
			continue
		}
		template.Walk(e.Value, s.check(false))
	}
	s.pull()
}

func (s *scope) inputs(step *spec.Step) { template.Walk(step.Inputs, s.check(false)) }

// triggers: their parameters are filled when an event arrives.
func (s *scope) triggers(v value.Value) {
	for _, t := range v.List {
		for _, e := range t.Map {
			if e.Key != "parameters" {
				template.Walk(e.Value, s.check(false))
			}
		}
	}
}

// pull steps keep what nobody fills until a run starts, so a reference may also mean an earlier pull step, and a wrong one is only a warning.
func (s *scope) pull() {
	for i := range s.d.Pull {
		template.Walk(s.d.Pull[i].Inputs, s.check(true))
		s.steps = append(s.steps, &s.d.Pull[i])
	}
}

func (s *scope) check(runtime bool) func(value.Value, []template.Placeholder) {
	return func(text value.Value, found []template.Placeholder) {
		for _, p := range found {
			if p.Kind != template.Output || p.Runtime() {
				continue
			}
			if !s.filled(p.Name) {
				s.report(text, p, runtime)
			}
		}
	}
}

// filled follows a reference back through the steps, the later first.
func (s *scope) filled(name string) bool {
	head := Head(name)
	if _, ok := s.d.Outputs.Get(head); ok {
		return true
	}
	for i := len(s.steps) - 1; i >= 0; i-- {
		sure, maybe := Gives(s.steps[i], head)
		if sure {
			return pathExists(s.steps[i], name)
		}
		if maybe {
			return true
		}
	}
	return false
}

// pathExists checks the second part of id.output against the known outputs.
func pathExists(step *spec.Step, name string) bool {
	head := Head(name)
	known, _ := Known(step.Function)
	for _, o := range known.Outputs {
		if o == head { // a flat output hides the id
			return true
		}
	}
	rest := strings.TrimPrefix(name[len(head):], ".")
	if rest == "" || strings.HasPrefix(rest, "[") {
		return true
	}
	second := Head(rest)
	for _, o := range known.Outputs {
		if o == second {
			return true
		}
	}
	return false
}

func (s *scope) report(text value.Value, p template.Placeholder, runtime bool) {
	d := diag.Diagnostic{Severity: diag.Error, Code: "undefined-output", Position: Locate(s.d.File, text, p)}
	d.Message = fmt.Sprintf("step output %s is not defined", diag.Quote(p.Name))
	d.Help = s.help(p.Name)
	var elsewhere *spec.Step
	if !runtime {
		elsewhere = s.elsewhere(p.Name)
	}
	switch {
	case elsewhere != nil:
		d.Severity, d.Code = diag.Warning, "output-of-another-deployment"
		d.Message = fmt.Sprintf("%s is given by a step that this deployment does not run, so it is dropped here", diag.Quote(p.Name))
		d.Help = fmt.Sprintf("the step stands at line %d; put it into this deployment's build section too, or take the reference out", elsewhere.Pos.Line)
	case runtime:
		d.Severity, d.Code = diag.Warning, "undefined-pull-output"
		d.Message = fmt.Sprintf("no step before this one gives %s: it stays as written and fails when a run pulls", diag.Quote(p.Name))
	case !strings.ContainsAny(p.Name, ".["):
		d.Severity, d.Code = diag.Warning, "unset-placeholder"
		d.Message = fmt.Sprintf("no step gives %s: it is filled from the environment, or dropped", diag.Quote(p.Name))
		if d.Help == "" {
			d.Help = "write {{ $" + p.Name + " }} for an environment variable"
		}
	}
	if alias := text.Alias(); alias.Known() {
		d.Related = append(d.Related, diag.Related{Position: s.d.Position(alias), Message: "used by the alias at"})
	}
	s.diags.Add(d)
}

// elsewhere finds a step of another deployment of the file that gives the output: the field is then shared by an alias, and no typing error.
func (s *scope) elsewhere(name string) *spec.Step {
	if !strings.ContainsAny(name, ".[") {
		return nil
	}
	steps := s.d.File.Steps()
	for i := range steps {
		if id := steps[i].ID; !id.Truthy() || id.Str() != Head(name) {
			continue
		}
		if _, known := Known(steps[i].Function); !known || pathExists(&steps[i], name) {
			return &steps[i]
		}
	}
	return nil
}

// help names the nearest reference that would be filled, and where its step stands.
func (s *scope) help(name string) string {
	var candidates []string
	from := map[string]*spec.Step{}
	for _, step := range s.steps {
		known, ok := Known(step.Function)
		id := step.ID.Str()
		if step.ID.IsNull() {
			id = ""
		}
		if ok && id != "" {
			for _, o := range known.Outputs {
				candidates = append(candidates, id+"."+o)
				from[id+"."+o] = step
			}
		} else if ok {
			candidates = append(candidates, known.Outputs...)
		}
	}
	near := diag.Nearest(name, candidates)
	if near == "" {
		if len(candidates) == 0 {
			return "no step before this gives outputs: give the step an id and write {{ id.output }}"
		}
		return "the steps before this give " + list(candidates)
	}
	if step := from[near]; step != nil && !usable(step.ID.Str()) {
		return fmt.Sprintf("the nearest id is %s at line %d, which no template can name: correct it", diag.Quote(step.ID.Str()), step.ID.Pos.Line)
	}
	if step := from[near]; step != nil {
		known, _ := Known(step.Function)
		return fmt.Sprintf("did you mean %s? %s is defined at line %d and gives %s", near, diag.Clean(step.ID.Str()), step.Pos.Line, strings.Join(known.Outputs, ", "))
	}
	return "did you mean " + near + "?"
}

// Locate finds the place of a placeholder in the file: its name within the text's lines, else the text itself.
func Locate(f *spec.File, text value.Value, p template.Placeholder) diag.Position {
	at := f.Position(text.Pos)
	if !text.Pos.Known() {
		return at
	}
	const furthest = 200 // lines of a block scalar that are looked through
	for n := at.Line; n <= min(f.Lines(), at.Line+furthest); n++ {
		line := f.Line(n)
		from := 0
		if n == at.Line {
			from = byteColumn(line, at.Column)
		}
		i := bytes.Index(line[from:], []byte(p.Name))
		if i < 0 {
			continue
		}
		at.Line, at.Column = n, utf8.RuneCount(line[:from+i])+1
		at.EndLine, at.EndColumn = n, at.Column+utf8.RuneCountInString(p.Name)
		return at
	}
	return at
}

func byteColumn(line []byte, column int) int {
	offset := 0
	for ; column > 1 && offset < len(line); column-- {
		_, size := utf8.DecodeRune(line[offset:])
		offset += size
	}
	return offset
}
