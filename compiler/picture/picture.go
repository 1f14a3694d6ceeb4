// Package picture draws the dependency graph: as an SVG that needs nothing else, and as text for the two programs that people draw graphs with, Mermaid and Graphviz.
//
// What helps is a picture that is taken in at a glance, and that ends at some fifty boxes. So a graph is first put into groups (group.go), in the same way for all three: a Picture is
// boxes and arrows and knows no dialect. Then each printer puts them down. Take a file with a commit's hash, 200 images that carry it, and a deployment for each:
//
//	get-commit-hash ──▶ build 200 images ──▶ 200 deployments
//
// Nothing of a step's inputs is shown: a template may hold a value that is nobody's business.
package picture

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// Kind is what a box is about. It is told by shape and words, and by colour only besides.
type Kind int

// The kinds, in the order of the legend.
const (
	Build Kind = iota
	Push
	Step
	Registration
)

// kinds are the words: the class in a printer's output, the legend's text.
var kinds = [...]struct{ class, legend string }{Build: {"build", "build"}, Push: {"push", "push"}, Step: {"step", "other step"}, Registration: {"deployment", "deployment"}}

// Box is one step, one registration, or several that look the same from where the graph was grouped.
type Box struct {
	Kind Kind
	// Head is the name people see ("build-my-image") or how many there are ("build 32 images"); Note is what else is worth a line.
	Head, Note string
	// Names are those of the members when they are several, in the file's order.
	Names []string
	// Hint is all there is to say, in lines.
	Hint []string
	// File holds all the members, "" when several files do.
	File          string
	Steps         []*graph.Step
	Registrations []*graph.Registration
	ordered       bool
}

func (b *Box) size() int { return len(b.Steps) + len(b.Registrations) }

// Edge leads from what comes first to what comes later. Order says that it only keeps the file's order: the later one runs whatever became of the first.
type Edge struct {
	From, To int // places in Boxes
	Order    bool
	// Back says that the order is meant from To to From, Both that it is meant both ways: the members of two groups then take turns. Without such edges the boxes are free of cycles.
	Back, Both bool
}

// Picture is a graph ready to be printed.
type Picture struct {
	// Title says what is shown: "prefect.yaml: 3 steps, 4 deployments".
	Title string
	Boxes []Box
	Edges []Edge
	// Files are where the steps and deployments stand.
	Files []string
}

// Of groups a graph until it fits a picture.
func Of(g *graph.Graph) *Picture {
	p := grouped(membersOf(g))
	for _, s := range g.Steps {
		p.addFile(s.File)
	}
	for _, r := range g.Registrations {
		p.addFile(r.File)
	}
	p.Title = diag.Count(len(g.Steps), "step") + ", " + diag.Count(len(g.Registrations), "deployment")
	switch {
	case len(p.Files) == 1:
		p.Title = clean(p.Files[0]) + ": " + p.Title
	case len(p.Files) > 1:
		p.Title = diag.Count(len(p.Files), "file") + ": " + p.Title
	}
	for i := range p.Boxes {
		p.Boxes[i].word(len(p.Files) > 1)
	}
	return p
}

func (p *Picture) addFile(name string) {
	if name != "" && !slices.Contains(p.Files, name) {
		p.Files = append(p.Files, name)
	}
}

// kindOf sorts a step's function in.
func kindOf(s *graph.Step) Kind {
	switch resolve.Canonical(s.Function) {
	case resolve.BuildDockerImage:
		return Build
	case resolve.PushDockerImage:
		return Push
	}
	if s.Action == "push" || strings.HasPrefix(resolve.ShortName(s.Function), "push_to_") {
		return Push
	}
	return Step
}

// word writes a box's texts. files says that there is more than one file, so that lines alone say little.
func (b *Box) word(files bool) {
	for _, s := range b.Steps {
		b.Hint = append(b.Hint, clean(hint(s.Key, s.Function, place(s.File, int(s.Pos.Line), true))))
		b.Names = append(b.Names, named(s.Key))
	}
	flow, one := b.flow()
	for _, r := range b.Registrations {
		b.Hint = append(b.Hint, clean(hint(r.Deployment, r.Entrypoint, place(r.File, int(r.Pos.Line), true))))
		name := r.Deployment
		if one && b.size() > 1 {
			name = strings.TrimPrefix(name, flow+"/")
		}
		b.Names = append(b.Names, named(name))
	}
	if b.size() == 1 {
		b.single(files)
		return
	}
	b.Head = b.count()
	var notes []string
	if one {
		notes = append(notes, "of "+flow)
	}
	if files && b.File != "" {
		notes = append(notes, tail(b.File))
	}
	if b.ordered {
		notes = append(notes, "in the file's order")
	}
	b.Note = clean(strings.Join(notes, " · "))
}

func (b *Box) single(files bool) {
	b.Head, b.Names = b.Names[0], nil
	if len(b.Steps) == 1 {
		s := b.Steps[0]
		b.Note = clean(hint(resolve.ShortName(s.Function), place(tail(s.File), int(s.Pos.Line), files)))
		return
	}
	r := b.Registrations[0]
	b.Note = clean(hint("deployment", place(tail(r.File), int(r.Pos.Line), files)))
}

// clean makes text fit for one line. Two characters that are none at all may be in no XML, and so in no picture.
func clean(s string) string {
	return strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`).Replace(diag.Clean(s))
}

// named is a name that can be seen: Mermaid takes no empty one.
func named(name string) string {
	if strings.TrimSpace(name) == "" {
		return "(no name)"
	}
	return clean(name)
}

// hint joins what is known.
func hint(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

func place(file string, line int, files bool) string {
	switch {
	case line == 0 && files:
		return file
	case line == 0:
		return ""
	case file == "" || !files:
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// tail is the end of a long path, which tells more than its beginning.
func tail(path string) string {
	const most = 28
	runes := []rune(path)
	if len(runes) <= most {
		return path
	}
	return "…" + string(runes[len(runes)-most+1:])
}

// count is the headline of several: "build 32 images", "14 deployments", "3 × run_shell_script".
func (b *Box) count() string {
	n := b.size()
	if b.Kind == Registration {
		return fmt.Sprintf("%d deployments", n)
	}
	function := resolve.Canonical(b.Steps[0].Function)
	for _, s := range b.Steps {
		if resolve.Canonical(s.Function) != function {
			function = ""
		}
	}
	switch {
	case function == resolve.BuildDockerImage:
		return fmt.Sprintf("build %d images", n)
	case function == resolve.PushDockerImage:
		return fmt.Sprintf("push %d images", n)
	case function != "":
		return fmt.Sprintf("%d × %s", n, clean(resolve.ShortName(function)))
	case b.Kind == Push:
		return fmt.Sprintf("push %d times", n)
	}
	return fmt.Sprintf("%d steps", n)
}

// flow is the flow of all registrations of the box, if it is one.
func (b *Box) flow() (string, bool) {
	if len(b.Registrations) == 0 {
		return "", false
	}
	flow, _, found := strings.Cut(b.Registrations[0].Deployment, "/")
	for _, r := range b.Registrations {
		if f, _, ok := strings.Cut(r.Deployment, "/"); !ok || f != flow {
			return "", false
		}
	}
	return flow, found && flow != ""
}
