// The head of an emitted file: what it was made of, and what it may do. People read it in review, and `--check` tells by it which input changed.
package emit

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// facts are what an emitted file uses.
type facts struct{ secrets, vars, permissions, actions, images []string }

// head is the comment before a document.
//
// Of prefect.yaml the digest is that of the steps as they are resolved and of the variables that are read, since an edit of anything else changes no pipeline. That of the pins is there to be seen: they may be edited in the file, so it is
// never held against them. The last digest is that of the document itself, versions aside: by it an edit by hand is told from another compiler's work.
func (in *Input) head(dialect string, f facts, content string) []byte {
	var b bytes.Buffer
	line := func(format string, a ...any) { fmt.Fprintf(&b, "# "+format+"\n", a...) }
	line("Generated from %s by `compile %s`. Edit that file, not this one, and generate again; `compile %s --check FILE` tells when to.", strings.Join(in.where(), ", "), dialect, dialect)
	line("Versions of %s may be edited here, by hand or by an update bot: generating again keeps them. For other changes there is x-ci.%s.patches.", versioned[dialect], dialect)
	in.makeDigests()
	line("%s, content %s", in.made, content)
	for _, l := range []struct {
		name  string
		items []string
	}{{"secrets", f.secrets}, {"variables", f.vars}, {"permissions", f.permissions}, {"actions", f.actions}, {"images", f.images}} {
		if len(l.items) > 0 {
			line("%s: %s", l.name, strings.Join(l.items, ", "))
		}
	}
	return b.Bytes()
}

// makeDigests makes the line of what the pipeline was made of, which is the same for all of its files.
func (in *Input) makeDigests() {
	if in.made == "" {
		in.made = fmt.Sprintf("made of: steps %s, x-ci %s, pins %s, compiler %s", in.ofGraph(), in.ofSettings(), in.ofPins(), in.Compiler)
	}
}

// versioned says in people's words what has a version in an emitted file.
var versioned = map[string]string{"github": "actions", "gitlab": "images and of PREFECT_DEPLOY_REF"}

// where are the files as seen from the repository's root.
func (in *Input) where() []string {
	var out []string
	for _, p := range in.Patterns {
		if in.Within != "" {
			p = in.Within + "/" + p
		}
		out = append(out, oneLine(p))
	}
	return out
}

// oneLine keeps a text from ending a comment, and from looking like anything else.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) { // what no reader of YAML takes, and what changes the direction of writing
			return '?'
		}
		return r
	}, s)
}

// facts of GitLab's are the variables that the project should have, as far as the files name them, and the images.
func (g *gitlab) facts(root *yaml.Node) facts {
	vars, images := map[string]bool{"PREFECT_API_URL": true, "PREFECT_API_KEY": true, "PREFECT_API_AUTH_STRING": true, poolVariable: true, headersVariable: true}, map[string]bool{}
	listed := environment{}
	for _, name := range append(g.settings.names("secrets"), g.settings.names("vars")...) {
		listed.add(name)
	}
	for _, f := range g.Files {
		shown, _ := f.CI.Get("vars")
		for _, name := range shown.List {
			listed.add(name.Str())
		}
	}
	for _, s := range g.Graph.Steps {
		listed = listed.and(readingOf(s).env)
	}
	for name := range listed.and(g.ofFields()) {
		vars[name] = true
	}
	for i := 1; i < len(root.Content); i += 2 {
		if n := get(root.Content[i], "image"); n != nil && n.Kind == yaml.ScalarNode {
			images[oneLine(n.Value)] = true
		}
		if n := get(root.Content[i], "services"); n != nil {
			for _, s := range n.Content {
				images[oneLine(s.Value)] = true
			}
		}
	}
	delete(images, "")
	return facts{vars: sorted(vars), images: sorted(images)}
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	sort.Strings(out)
	return out
}
