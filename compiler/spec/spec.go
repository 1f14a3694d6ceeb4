// Package spec reads a prefect.yaml: from bytes to a typed tree in which every value keeps its place in the file, with everything that is
// wrong with its form as diagnostics.
//
// It knows which keys Prefect 3.8 reads, of which types, and what it refuses: Prefect validates the file with pydantic and, if one field is ill-typed,
// discards the whole file with a yellow note; here each fault is an error at its own line, and nothing else of the file is lost. What templates mean,
// which deployments are selected and what a step does is not known here.
//
// Deployments are converted on demand, one at a time: a file with 100,000 of them fits in memory as yaml.v3's nodes, but not a second time as values.
package spec

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// File is one prefect.yaml.
type File struct {
	// Name is the file's name as shown in diagnostics: slash-separated, relative to the working directory.
	Name   string
	Source []byte
	// Build, Push and Pull are the sections for all deployments.
	Build, Push, Pull Section
	// CI is the mapping under x-ci, null without one.
	CI value.Value
	// Tree is the working directory, for what the file only names (Dockerfiles); nil where it is not known.
	Tree fs.FS
	// Exists is false for a file that isn't there: everything then comes from the command line.
	Exists bool

	// mu guards what converting deployments changes, so that one goroutine can convert while another asks for Steps.
	mu    sync.Mutex
	conv  converter
	nodes []*yaml.Node
	told  []bool
	steps []Step
	taken map[int][]Step
	// anchored are the keys of the file under which an anchor stands.
	anchored map[string]bool

	once   sync.Once
	starts []int
}

// index remembers where each line begins; it is made when the first diagnostic wants a line.
func (f *File) index() []int {
	f.once.Do(func() { f.starts = lineStarts(f.Source) })
	return f.starts
}

// offset is the byte at which a position stands.
func (f *File) offset(p value.Pos) int {
	if p.Line < 1 || int(p.Line) > f.Lines() {
		return 0
	}
	return f.index()[p.Line-1] + offsetOf(f.Line(int(p.Line)), 1, int(p.Column))
}

// Lines is the number of lines of the file.
func (f *File) Lines() int { return len(f.index()) }

// Line is line n, counted from 1, without what ends it.
func (f *File) Line(n int) []byte {
	starts := f.index()
	end := len(f.Source)
	if n < len(starts) {
		end = starts[n]
	}
	return bytes.TrimRight(f.Source[starts[n-1]:end], "\r\n")
}

// Section is a build, push or pull section: a list of steps.
type Section struct {
	// Present says that the key is written, Null that its value is null, Empty that it is an empty list or mapping, Mapping that it is a mapping.
	Present, Null, Empty, Mapping bool
	Pos                           value.Pos
	Steps                         []Step
}

// Step is one step as written: a function and its keyword arguments.
type Step struct {
	// Function is the full name as written: "prefect.deployments.steps.git_clone".
	Function string
	Pos      value.Pos
	// ID is the step's id, null without one; Requires the packages to install, as written.
	ID       value.Value
	Requires []string
	// Inputs are the keyword arguments without id and requires, with templates as written.
	Inputs value.Value
	// Whole is the step as it stands in the file, as a pull step is registered.
	Whole value.Value
}

// Deployment is one entry of `deployments`.
type Deployment struct {
	// Index counts from 0 in the file.
	Index int
	Pos   value.Pos
	// Fields holds the keys that Prefect reads and the file writes, with the types that Prefect gives them; build, push, pull are in the sections.
	Fields            value.Value
	Build, Push, Pull Section
	// Name and Entrypoint are as written, with templates; null when not written.
	Name, Entrypoint value.Value
	// Unread says that nothing is known of the deployment, because reading the file was given up before it.
	Unread bool
}

// Load reads a file. The File is usable as far as it could be read, even with errors: a broken deployment does not hide the others' faults.
func Load(name string, src []byte) (*File, diag.List) {
	var diags diag.List
	f := &File{Name: name, Source: src, Exists: true}
	root, faults := parse(name, src)
	if faults != nil {
		return f, faults
	}
	f.conv = converter{file: name, src: src, diags: &diags}
	f.top(root)
	f.conv.diags = nil
	return f, diags
}

// top walks the keys of the file.
func (f *File) top(root *yaml.Node) {
	c := &f.conv
	if root == nil || (root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null") {
		c.fault(diag.Warning, "empty-file", value.Pos{Line: 1, Column: 1}, "the file is empty", "write a list of deployments: compile explain empty-file shows one")
		return
	}
	if root.Kind != yaml.MappingNode {
		what := "text"
		if root.Kind == yaml.SequenceNode {
			what = "a list"
		}
		help := "its top level has the keys build, push, pull and deployments"
		if root.Kind == yaml.SequenceNode {
			help = "a list of steps stands under build:, push: or pull:, a list of deployments under deployments:"
		}
		c.fault(diag.Error, "not-a-mapping", position(root), "a prefect.yaml is a mapping, and this file is "+what, help)
		return
	}
	tree, deployments := f.split(root)
	v, _ := c.plain(tree)
	if c.stopped {
		return
	}
	for _, e := range v.Map {
		f.topKey(e)
	}
	if deployments != nil {
		f.deployments(deployments)
	}
}

// split takes the value of `deployments` out of the root, so that it is not converted whole.
func (f *File) split(root *yaml.Node) (rest, deployments *yaml.Node) {
	f.anchored = map[string]bool{}
	rest = &yaml.Node{Kind: root.Kind, Tag: root.Tag, Style: root.Style, Line: root.Line, Column: root.Column}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, v := root.Content[i], root.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.Value == "deployments" {
			if deployments != nil {
				f.conv.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "duplicate-key", Message: `the key "deployments" stands twice; the later one wins`,
					Help: "write one list", Position: at(f.Name, position(key)), Related: []diag.Related{{Position: at(f.Name, position(deployments)), Message: "first written at"}}})
			}
			deployments = v
			continue
		}
		rest.Content = append(rest.Content, key, v)
		if key.Kind == yaml.ScalarNode && hasAnchor(v) {
			f.anchored[key.Value] = true
		}
	}
	return rest, deployments
}

var topKeys = []string{"prefect-version", "name", "build", "push", "pull", "deployments", "definitions", "x-ci"}

func (f *File) topKey(e value.Entry) {
	c := checker{f: f, conv: &f.conv}
	switch e.Key {
	case "prefect-version", "prefect_version", "name":
		c.text(e.Value, e.Key)
	case "build":
		f.Build = c.section(e)
	case "push":
		f.Push = c.section(e)
	case "pull":
		f.Pull = c.section(e)
	case "x-ci":
		f.CI = e.Value
		c.ciKeys(e.Value, "x-ci", ciTop())
	case "definitions":
	default:
		if strings.HasPrefix(e.Key, "x-") || strings.HasPrefix(e.Key, ".") || strings.HasPrefix(e.Key, "_") || f.anchored[e.Key] {
			return
		}
		c.unknown(e, topKeys, "of the file")
	}
}

// hasAnchor reports whether an anchor stands at or in n: under a key that Prefect does not know, that is the place where people keep shared parts.
func hasAnchor(n *yaml.Node) bool {
	if n.Anchor != "" {
		return true
	}
	for _, c := range n.Content {
		if hasAnchor(c) {
			return true
		}
	}
	return false
}

func (f *File) deployments(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.SequenceNode {
		f.nodes = n.Content
		f.told = make([]bool, len(n.Content))
		return
	}
	v, _ := f.conv.convert(n)
	severity, help := diag.Error, "begin each deployment with a dash"
	if v.IsNull() { // Prefect's model refuses it, but an entrypoint on the command line then makes up for the file
		severity, help = diag.Warning, "write deployments: [] or remove the line"
	}
	f.conv.fault(severity, "wrong-type", v.Pos, "deployments is a list, and this is "+v.Kind.String(), help)
}

// Steps are all steps of the build and push sections of the file and of its deployments: what a reference may have meant. They are gathered when first asked for.
func (f *File) Steps() []Step {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.steps == nil {
		f.steps = append(append([]Step{}, f.Build.Steps...), f.Push.Steps...)
		for i, n := range f.nodes {
			if n == nil {
				f.steps = append(f.steps, f.taken[i]...)
				continue
			}
			d := f.deployment(i, nil)
			f.steps = append(append(f.steps, d.Build.Steps...), d.Push.Steps...)
		}
	}
	return f.steps
}

// Root is the directory, relative to the working directory, that the file's paths are relative to: "." or, with `x-ci: {root: file}`, the file's own.
func (f *File) Root() string {
	if root, _ := f.CI.Get("root"); root.Text == "file" {
		return path.Dir(f.Name)
	}
	return "."
}

// Len is the number of deployments in the file.
func (f *File) Len() int { return len(f.nodes) }

// Lists reports whether the file has a list of deployments, be it an empty one: that says that there are none, and a file without one says nothing.
func (f *File) Lists() bool { return f.told != nil }

// Deployment converts the deployment at index i and checks its form. Its diagnostics are added to diags the first time only; nil is allowed.
func (f *File) Deployment(i int, diags *diag.List) *Deployment {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.deployment(i, diags)
}

// Take is Deployment for the last time: what the file held of it in memory is let go of, all but its steps. Of a very large file that is most.
func (f *File) Take(i int, diags *diag.List) *Deployment {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.deployment(i, diags)
	f.nodes[i] = nil
	if len(d.Build.Steps)+len(d.Push.Steps) > 0 {
		if f.taken == nil {
			f.taken = map[int][]Step{}
		}
		f.taken[i] = append(append([]Step(nil), d.Build.Steps...), d.Push.Steps...)
	}
	return d
}

func (f *File) deployment(i int, diags *diag.List) *Deployment {
	f.conv.quiet = f.told[i] || diags == nil || f.conv.stopped
	if !f.conv.quiet {
		f.told[i] = true
		f.conv.diags = diags
	}
	v, _ := f.conv.convert(f.nodes[i])
	d := &Deployment{Index: i, Pos: v.Pos, Fields: value.Value{Kind: value.Map, Pos: v.Pos}}
	c := checker{f: f, conv: &f.conv}
	if d.Unread = f.conv.stopped; d.Unread {
		return d
	}
	if v.Kind == value.Map {
		c.deployment(d, v)
	} else {
		c.fault(diag.Error, "wrong-type", v, fmt.Sprintf("a deployment is a mapping, and this is %s", v.Kind), "write its name, entrypoint and work_pool")
	}
	f.conv.diags = nil
	return d
}

// Position makes a diagnostic's position of a value's place in this file.
func (f *File) Position(p value.Pos) diag.Position { return at(f.Name, p) }

// Field returns the field of a deployment, null when it is not written.
func (d *Deployment) Field(key string) value.Value {
	v, _ := d.Fields.Get(key)
	return v
}
