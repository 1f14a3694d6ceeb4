// Package check tells everything that can be known to be wrong with a prefect.yaml without running anything: its form, its steps, its references, its schedules
// and the Python functions that its entrypoints name.
//
// It is `compile check`, and it is also what `run plan` and `run deploy` do first: they stop at the same errors.
package check

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Checker checks files that share one working directory, so that each Python file is read once.
type Checker struct {
	// root is the working directory; entrypoints are relative to it, or to the file where x-ci.root says so.
	root fs.FS

	diags  diag.List
	names  map[string]diag.Position
	warned map[*spec.File]bool
	timing resolve.Timings
	builds builds
	// brief says that of a flow only its name is wanted: the signatures of 20,000 flows would take more memory than their deployments.
	brief bool

	// mu guards the two maps below: a second goroutine reads flows ahead.
	mu      sync.Mutex
	loaders map[string]*flow.Loader
	flows   map[flowKey]*flowResult
}

type flowKey struct{ root, entrypoint string }

type flowResult struct {
	once    sync.Once
	flow    *flow.Flow
	problem *flow.Problem
}

// New returns a Checker for the working directory root.
func New(root fs.FS) *Checker {
	return &Checker{root: root, loaders: map[string]*flow.Loader{}, names: map[string]diag.Position{}, warned: map[*spec.File]bool{}, flows: map[flowKey]*flowResult{}}
}

// loader is the one for a root; mu is held.
func (c *Checker) loader(root string) *flow.Loader {
	l, ok := c.loaders[root]
	if !ok {
		sub, err := fs.Sub(c.root, root)
		if err != nil { // a file outside of the working directory
			sub = c.root
		}
		l = flow.NewLoader(sub)
		c.loaders[root] = l
	}
	return l
}

// manyFlows is the number of flows after which brief checks start again with a loader that remembers nothing.
const manyFlows = 1000

// File checks a whole file, deployment by deployment, and returns the full names of the deployments that it declares. Flow then tells no more of a flow than its name.
func (c *Checker) File(name string, src []byte) []string {
	var names []string
	c.each(name, src, func(d *resolve.Deployment) {
		c.form(d)
		names = append(names, c.Deployment(d))
	})
	return names
}

// Deployments checks a whole file and returns it with its deployments; ok is false where it can't be read at all. A form that the command line completes is not told of.
func (c *Checker) Deployments(name string, src []byte) (f *spec.File, out []*resolve.Deployment, ok bool) {
	f, ok = c.each(name, src, func(d *resolve.Deployment) {
		c.Deployment(d)
		out = append(out, d)
	})
	return f, out, ok
}

// each reads a file and hands on its deployments, in order.
func (c *Checker) each(name string, src []byte, take func(*resolve.Deployment)) (*spec.File, bool) {
	c.brief = true
	defer c.ahead(src)()
	f, ok := c.Load(name, src)
	if !ok {
		return f, false
	}
	ids := settingsOf(f)
	for batch := range converted(f) {
		for _, x := range batch {
			c.diags = append(c.diags, x.diags...)
			ids.seen(x.deployment.Build, x.deployment.Push, x.deployment.Pull)
			if x.deployment.Unread {
				ids = nil
			} else {
				take(resolve.Entry(f, x.deployment))
			}
		}
	}
	c.diags = append(c.diags, ids.unused(f)...)
	return f, true
}

// Load reads a file and checks what belongs to no single deployment; ok is false when nothing of it could be read.
func (c *Checker) Load(name string, src []byte) (f *spec.File, ok bool) {
	f, diags := spec.Load(name, src)
	f.Tree = c.root
	c.diags = append(c.diags, diags...)
	if broken(diags) {
		return f, false
	}
	c.sections(f)
	return f, true
}

// broken: nothing of the file could be read.
func broken(diags diag.List) bool {
	for i := range diags {
		switch diags[i].Code {
		case "invalid-yaml", "unquoted-template", "several-documents", "not-a-mapping", "file-too-large", "wrong-encoding", "control-character", "alias-bomb":
			return diags[i].Severity == diag.Error
		}
	}
	return false
}

// Diagnostics are all faults found so far, sorted.
func (c *Checker) Diagnostics() diag.List {
	c.diags = c.diags.Sort()
	return c.diags
}

// Add takes diagnostics of someone else in.
func (c *Checker) Add(diags diag.List) { c.diags = append(c.diags, diags...) }

// sections checks the steps of the file's own sections once, not once per deployment.
func (c *Checker) sections(f *spec.File) {
	for _, list := range [][]spec.Step{f.Build.Steps, f.Push.Steps} {
		for i := range list {
			c.step(f, &list[i], false)
		}
	}
	for i := range f.Pull.Steps {
		c.step(f, &f.Pull.Steps[i], true)
	}
}

// form warns of what `run deploy --all` could not do without: a form that the command line completes is no error.
func (c *Checker) form(d *resolve.Deployment) {
	at := d.Position(d.Spec.Pos)
	if d.Spec.Index < 0 {
		return
	}
	if unwritten(d.Field("name")) {
		c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "missing-name", Message: "this deployment has no name", Help: "write name:; without one it must be given with --name", Position: at})
	}
	if unwritten(d.Field("entrypoint")) {
		x := diag.Diagnostic{Severity: diag.Warning, Code: "missing-entrypoint", Message: "this deployment has no entrypoint", Help: "write entrypoint: path/to/file.py:flow_function", Position: at}
		if flowName := d.Field("flow_name"); flowName.Truthy() {
			x.Severity, x.Position = diag.Error, d.Position(flowName.Pos)
			x.Message = "flow_name alone does not tell where the flow is"
		}
		c.diags.Add(x)
	}
	if pool, _ := d.Field("work_pool").Get("name"); pool.IsNull() {
		c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "missing-work-pool", Message: "this deployment names no work pool",
			Help: "write work_pool: {name: …}; without one PREFECT_DEFAULT_WORK_POOL_NAME or --pool must give it", Position: at})
	}
}

// unwritten: null or empty. What is of the wrong type was written, and is told of elsewhere.
func unwritten(v value.Value) bool { return v.IsNull() || v.Kind == value.Text && v.Text == "" }

// Deployment checks one deployment with the steps of its own sections, and returns its full name as far as that can be known.
func (c *Checker) Deployment(d *resolve.Deployment) string {
	own := d.Spec
	for _, s := range []struct {
		steps   []spec.Step
		runtime bool
	}{{own.Build.Steps, false}, {own.Push.Steps, false}, {own.Pull.Steps, true}} {
		for i := range s.steps {
			c.step(d.File, &s.steps[i], s.runtime)
		}
	}
	resolve.CheckReferences(d, &c.diags)
	c.name(d)
	c.schedules(d)
	c.limit(d)
	c.secrets(d)
	c.derivedPull(d)
	c.triggers(d)
	c.images(d)
	c.entrypoint(d)
	return c.twice(d)
}

func (c *Checker) name(d *resolve.Deployment) {
	name := d.Field("name")
	if name.Kind == value.Text && strings.ContainsAny(name.Text, "/%&><") && !template.Has(name.Text) {
		c.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "invalid-name", Message: "the name " + diag.Quote(name.Text) + " holds one of the characters / % & > <, which names may not",
			Help: "choose another name; flow/name is how a deployment is called, not how it is named", Position: d.Position(name.Pos)})
	}
	template.Walk(name, func(text value.Value, found []template.Placeholder) {
		for _, p := range found {
			if s := giver(d, p); s != nil {
				c.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "output-in-name", Message: "the name is filled from what the step " + diag.Quote(cmp.Or(s.ID.Str(), resolve.ShortName(s.Function))) + " gives, and names are needed before a step runs",
					Help: "fill it from an environment variable ({{ $NAME }}) or a variable of Prefect's, or write it out; a tag or the version may hold what a step gives", Position: resolve.Locate(d.File, text, p)})
			}
			if what := resolve.SecretOf(d.File, p); what != "" {
				c.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "secret-name", Message: "the name is filled from " + what + ", and a deployment's name is shown everywhere",
					Help: "choose a name without it: plans, logs, comments, links and the server show names in clear text", Position: resolve.Locate(d.File, text, p)})
			}
		}
	})
}

// giver is the step of a deployment's build and push that gives what a placeholder names, nil for none.
func giver(d *resolve.Deployment, p template.Placeholder) *spec.Step {
	if p.Kind != template.Output || p.Runtime() {
		return nil
	}
	for _, list := range [][]spec.Step{d.Push, d.Build} {
		for i := range slices.Backward(list) {
			if sure, maybe := resolve.Gives(&list[i], resolve.Head(p.Name)); sure || maybe {
				return &list[i]
			}
		}
	}
	return nil
}

func (c *Checker) schedules(d *resolve.Deployment) {
	list := d.Field("schedules")
	c.sameSlug(d, list.List)
	for _, s := range list.List {
		if s.Kind != value.Map || !hasKind(s) {
			continue // its form is wrong, and said so
		}
		_, fault := c.timing.Timing(s)
		if fault != nil {
			c.timingFault(d, fault)
		}
	}
}

// sameSlug warns of two schedules with one slug. It is no error, since the server takes them where the live deployment has that slug: it writes one over the other.
func (c *Checker) sameSlug(d *resolve.Deployment, list []value.Value) {
	seen := map[string]bool{}
	for _, s := range list {
		slug, _ := s.Get("slug")
		if slug.Kind != value.Text || slug.Text == "" || template.Has(slug.Text) {
			continue
		}
		if seen[slug.Text] && !slug.Marks().Has(value.Sensitive) {
			c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "same-slug", Message: "two schedules of this deployment have the slug " + diag.Quote(slug.Text),
				Help: "the server refuses a new deployment with both, and keeps one of them in a live one: give each a slug of its own", Position: d.Position(slug.Pos)})
		}
		seen[slug.Text] = true
	}
}

// limit finds a concurrency limit below 1, which the server refuses, for a new deployment as well as for a live one. To the model it is a number like any other, so it
// concerns this deployment alone.
func (c *Checker) limit(d *resolve.Deployment) {
	limit := d.Field("concurrency_limit")
	if limit.Kind == value.Map {
		limit, _ = limit.Get("limit")
	}
	if limit.Kind == value.Int && limit.Int < 1 {
		c.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "invalid-concurrency-limit", Message: fmt.Sprintf("the concurrency limit %d is not positive", limit.Int),
			Help: "write a number from 1 on; leave concurrency_limit out for no limit, or write paused: true for no runs", Position: d.Position(limit.Pos)})
	}
}

func hasKind(s value.Value) bool {
	for _, kind := range []string{"cron", "interval", "rrule"} {
		if v, _ := s.Get(kind); !v.IsNull() && v.Kind != value.List && v.Kind != value.Map {
			return true
		}
	}
	return false
}

func (c *Checker) timingFault(d *resolve.Deployment, fault *resolve.TimingFault) {
	at := d.Position(fault.Value.Pos)
	p := fault.Problem
	if p.Length > 0 && p.Length < len(fault.Value.Text) && at.EndColumn > 0 {
		quote := 0
		if at.EndColumn-at.Column > len([]rune(fault.Value.Text)) {
			quote = 1
		}
		before := len([]rune(fault.Value.Text[:p.Offset]))
		at.Column += quote + before
		at.EndColumn = at.Column + len([]rune(fault.Value.Text[p.Offset:p.Offset+p.Length]))
	}
	c.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: p.Code, Message: p.Message, Help: p.Help, Position: at})
}

// secrets warns of secrets that the server will keep in clear text.
func (c *Checker) secrets(d *resolve.Deployment) {
	variables, _ := d.Field("work_pool").Get("job_variables")
	template.Walk(variables, func(text value.Value, found []template.Placeholder) {
		for _, p := range found {
			slug, name, _, ok := p.BlockPath()
			if p.Kind == template.Block && ok && slug == "secret" {
				c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "secret-in-clear", Message: "block secret/" + diag.Clean(name) + " is stored in clear text in job_variables",
					Help: "Prefect stores job variables unencrypted; pass the block's name and load it in the flow", Position: resolve.Locate(d.File, text, p)})
			}
		}
	})
}

// derivedPull warns, once a file, that nobody wrote a pull section: the deployment would hold the path of the machine that deploys.
func (c *Checker) derivedPull(d *resolve.Deployment) {
	variables, _ := d.Field("work_pool").Get("job_variables")
	image, _ := variables.Get("image")
	if d.From != resolve.PullDefault || c.warned[d.File] || d.Spec.Index < 0 || image.Truthy() {
		return
	}
	c.warned[d.File] = true
	c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "derived-pull-directory", Message: "there is no pull section, so runs look for the code in the directory of the machine that deploys",
		Help: "write a pull section, for example prefect.deployments.steps.git_clone with the repository's URL", Position: d.Position(d.Spec.Pos)})
}

// Flow reads an entrypoint of a file's deployments, once. It is safe for concurrent use.
func (c *Checker) Flow(f *spec.File, entrypoint string) (*flow.Flow, *flow.Problem) {
	return c.flowIn(f.Root(), entrypoint)
}

func (c *Checker) flowIn(root, entrypoint string) (*flow.Flow, *flow.Problem) {
	key := flowKey{root, entrypoint}
	c.mu.Lock()
	r, ok := c.flows[key]
	if !ok {
		r = &flowResult{}
		c.flows[key] = r
	}
	loader := c.loader(key.root)
	if c.brief && len(c.flows)%manyFlows == 0 { // a loader remembers every file that it read
		delete(c.loaders, key.root)
	}
	c.mu.Unlock()
	r.once.Do(func() {
		r.flow, r.problem = loader.Load(entrypoint)
		if c.brief && r.flow != nil {
			r.flow = &flow.Flow{Name: r.flow.Name, NameUnknown: r.flow.NameUnknown}
		}
	})
	return r.flow, r.problem
}

func (c *Checker) entrypoint(d *resolve.Deployment) {
	e := d.Field("entrypoint")
	if e.Kind != value.Text || e.Text == "" || template.Has(e.Text) {
		return
	}
	_, p := c.Flow(d.File, e.Text)
	if p == nil {
		return
	}
	c.diags.Add(ProblemAt(d, p))
}

// ProblemAt makes a diagnostic of what is wrong with a deployment's entrypoint: at the entrypoint, with the place in the Python file as the other end.
func ProblemAt(d *resolve.Deployment, p *flow.Problem) diag.Diagnostic {
	x := diag.Diagnostic{Severity: diag.Error, Code: p.Code, Message: p.Message, Help: p.Help, Position: d.Position(d.Field("entrypoint").Pos)}
	if p.Line > 0 {
		x.Related = append(x.Related, diag.Related{Position: diag.Position{File: p.File, Line: p.Line, Column: p.Column}, Message: "see"})
	}
	return x
}

// FullName is flow/name: the flow's name as read from its source, else its function's.
func (c *Checker) FullName(d *resolve.Deployment) string {
	e := d.Entrypoint()
	if e != "" && !template.Has(e) {
		if f, p := c.Flow(d.File, e); p == nil && f.NameUnknown == "" {
			return f.Name + "/" + d.Name()
		}
	}
	return d.Title()
}

// twice warns of two deployments that register under one name.
func (c *Checker) twice(d *resolve.Deployment) string {
	full := c.FullName(d)
	at := d.Position(d.Field("name").Pos)
	if d.Name() == "" || d.Entrypoint() == "" {
		return full
	}
	if first, ok := c.names[full]; ok {
		c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "duplicate-deployment", Message: fmt.Sprintf("two deployments register as %s; this one wins", diag.Clean(full)),
			Help: "give one of them another name", Position: at, Related: []diag.Related{{Position: first, Message: "first declared at"}}})
	} else {
		c.names[full] = at
	}
	return full
}
