// Which deployments are meant. The rules are Prefect's: names are compared as written, `flow/name` compares the entrypoint's function name, `*` is the only
// wildcard and must match the whole. Where Prefect goes on with a guess (a name that matches nothing, an entry without a name) this is an error.
package resolve

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Selection is what the command line says about which deployments are meant.
type Selection struct {
	Names []string
	All   bool
	// None allows --all to mean no deployments at all where no file has a list: a prune of a file that declares none any more. With Gone a file that isn't there declares none.
	None, Gone bool
	// FullName, if not nil, tells a deployment's name as plans show it (flow/name, with the flow's own name): such a name is understood too.
	FullName func(*Deployment) string
	// Entrypoint is the positional argument.
	Entrypoint string
	// Chosen are entries themselves, whatever they are called: what somebody picked from a list.
	Chosen []Place
}

// Place is the index-th deployment of a file.
type Place struct {
	File  string
	Index int
}

// UsageError is a command line that can't be meant; the caller exits with 64.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

// Select returns the selected deployments in the file's order of selection. The error is a *UsageError, or a diag.List of what the files lack.
func Select(files []*spec.File, s Selection, diags *diag.List) ([]*Deployment, error) {
	if s.All && len(s.Names) > 0 {
		return nil, &UsageError{"--all and --name can't be given together: --all already names every deployment"}
	}
	entries := collect(files, diags)
	switch {
	case len(entries) == 0 && s.All && s.Entrypoint == "" && declareNone(files, s):
		return nil, nil
	case len(entries) == 0:
		return fromNothing(files, s)
	case len(s.Chosen) > 0:
		return slices.DeleteFunc(entries, func(d *Deployment) bool { return !slices.Contains(s.Chosen, PlaceOf(d)) }), nil
	case s.All:
		return all(entries)
	case len(s.Names) > 0:
		return named(files, entries, s)
	case len(entries) == 1:
		return entries, nil
	case s.Entrypoint != "":
		return nil, &UsageError{"the files hold several deployments: name the one that the entrypoint is for with --name"}
	}
	return nil, &UsageError{"name at least one deployment with --name, or all of them with --all; there are " + list(titles(entries))}
}

// PlaceOf is where an entry stands.
func PlaceOf(d *Deployment) Place { return Place{d.File.Name, d.Spec.Index} }

// declareNone reports whether files without a deployment say that there are to be none.
func declareNone(files []*spec.File, s Selection) bool {
	for _, f := range files {
		if !f.Exists && !s.Gone || f.Exists && !f.Lists() && !s.None {
			return false
		}
	}
	return len(files) > 0
}

func collect(files []*spec.File, diags *diag.List) []*Deployment {
	var entries []*Deployment
	for _, f := range files {
		for i := range f.Len() {
			entries = append(entries, Entry(f, f.Deployment(i, diags)))
		}
	}
	return entries
}

// fromNothing is the deployment that only the command line describes.
func fromNothing(files []*spec.File, s Selection) ([]*Deployment, error) {
	if s.Entrypoint == "" || s.All {
		name := "prefect.yaml"
		if len(files) > 0 {
			name = files[0].Name
		}
		if len(files) > 0 && files[0].Exists {
			return nil, &UsageError{name + " declares no deployments: write them under deployments:, or give an entrypoint (path/to/file.py:flow_function) and --name" + noneAnyMore(files, s)}
		}
		return nil, &UsageError{"there is no " + name + ": write one, name another with --prefect-file, or give an entrypoint (path/to/file.py:flow_function) and --name"}
	}
	f := &spec.File{Name: "prefect.yaml"}
	if len(files) > 0 {
		f = files[0]
	}
	d := Entry(f, &spec.Deployment{Index: -1, Fields: value.Of([]value.Entry{})})
	if len(s.Names) > 0 {
		d.Fields = d.Fields.Set("name", value.Of(lastPart(s.Names[0])))
	}
	return []*Deployment{d}, nil
}

// noneAnyMore is what to write where there are to be none.
func noneAnyMore(files []*spec.File, s Selection) string {
	if s.All && !files[0].Lists() {
		return "; if there are to be none any more, write deployments: []"
	}
	return ""
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func all(entries []*Deployment) ([]*Deployment, error) {
	var faults diag.List
	for _, d := range entries {
		if d.Name() == "" {
			faults.Add(diag.Diagnostic{Severity: diag.Error, Code: "missing-name", Message: "this deployment has no name, so --all can't deploy it",
				Help: "write name:, or choose others with --name", Position: d.Position(d.Spec.Pos)})
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return entries, nil
}

// named matches every name in turn. Each entry is taken once.
func named(files []*spec.File, entries []*Deployment, s Selection) ([]*Deployment, error) {
	names, err := expand(entries, s.Names)
	if err != nil {
		return nil, err
	}
	if len(entries) == 1 && len(s.Names) == 1 && entries[0].Name() == "" { // an unnamed form that the command line completes
		d := entries[0]
		d.Fields = d.Fields.Set("name", value.Of(lastPart(s.Names[0])))
		return entries, nil
	}
	var chosen []*Deployment
	taken := map[*Deployment]bool{}
	for _, name := range names {
		found := matching(entries, name)
		if len(found) == 0 && s.FullName != nil && strings.Contains(name, "/") {
			for _, d := range entries {
				if s.FullName(d) == name {
					found = append(found, d)
				}
			}
		}
		if len(found) == 0 {
			if s.Entrypoint != "" && len(s.Names) == 1 {
				return adHoc(files, entries, s)
			}
			return nil, unknownName(name, entries)
		}
		for _, d := range found {
			if !taken[d] {
				taken[d] = true
				chosen = append(chosen, d)
			}
		}
	}
	return chosen, nil
}

// adHoc is an entrypoint with a name that the file does not have: a new deployment. Where the file holds one entry, it is laid over that, as Prefect does.
func adHoc(files []*spec.File, entries []*Deployment, s Selection) ([]*Deployment, error) {
	if len(entries) == 1 {
		d := entries[0]
		d.Fields = d.Fields.Set("name", value.Of(lastPart(s.Names[0])))
		return entries, nil
	}
	return fromNothing(files, s)
}

// expand replaces patterns by the names that they match. As in Prefect, what is kept of a match is the deployment's name.
func expand(entries []*Deployment, names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		if !strings.Contains(name, "*") {
			out = append(out, name)
			continue
		}
		found := false
		for _, d := range entries {
			if d.Entrypoint() != "" && d.Name() != "" && matchesPattern(d, name) {
				found = true
				out = append(out, d.Name())
			}
		}
		if !found {
			return nil, &UsageError{fmt.Sprintf("the pattern %s matches none of the deployments %s", diag.Quote(name), list(titles(entries)))}
		}
	}
	return out, nil
}

func matchesPattern(d *Deployment, pattern string) bool {
	flow, name, both := strings.Cut(pattern, "/")
	if !both {
		return glob(pattern, d.Name())
	}
	return glob(flow, strings.ReplaceAll(FlowFunction(d.Entrypoint()), "_", "-")) && glob(name, d.Name())
}

func glob(pattern, text string) bool {
	expression := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	return regexp.MustCompile("^(?:" + expression + ")$").MatchString(text)
}

func matching(entries []*Deployment, name string) []*Deployment {
	flow, short, both := strings.Cut(name, "/")
	var found []*Deployment
	for _, d := range entries {
		switch {
		case !both && d.Name() == name,
			both && d.Name() == short && FlowFunction(d.Entrypoint()) == strings.ReplaceAll(flow, "-", "_"):
			found = append(found, d)
		}
	}
	return found
}

func unknownName(name string, entries []*Deployment) error {
	var names []string
	for _, d := range entries {
		if strings.Contains(name, "/") {
			names = append(names, d.Title())
		} else if d.Name() != "" {
			names = append(names, d.Name())
		}
	}
	help := diag.DidYouMean(name, names)
	if help == "" {
		help = "there are " + list(names)
	}
	return &UnknownName{Name: name, Help: help}
}

// UnknownName is a --name that matches no deployment; the caller exits with 1, as it is a fault of the pair of file and command line.
type UnknownName struct{ Name, Help string }

func (e *UnknownName) Error() string {
	return fmt.Sprintf("no deployment is named %s: %s", diag.Quote(e.Name), e.Help)
}

func titles(entries []*Deployment) []string {
	names := make([]string, len(entries))
	for i, d := range entries {
		names[i] = d.Title()
	}
	return names
}

// list shows the first names of many.
func list(names []string) string {
	const most = 8
	out := make([]string, 0, most)
	for i, n := range names {
		if i == most {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d more", len(names)-most)
		}
		out = append(out, diag.Clean(n))
	}
	return strings.Join(out, ", ")
}
