// Do the pull sections yield the entrypoints? Each is carried out in a scratch directory as a worker would at the start of a run, and then the flow is looked for in what was pulled:
//
//	registered:  what a deploy would write: outputs of the build filled, {{ $VAR }} baked in, blocks and variables left
//	at run time: the steps in order, each in the directory that those before it moved to; blocks and variables filled from the state
//	then:        the directory that the last one gave, and in it the entrypoint, read and not imported
//
// Equal sections are carried out once. Nothing is written to the server, and nothing stays behind on this machine: a Python step runs in an environment on top of the one that is active (step.Overlay), so
// what it installs goes with the scratch directory. Only what a script or a function does elsewhere is its own doing.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/state"
	"github.com/org/prefect-deploy-action/runner/step"
)

// PullOptions are what a check of pull sections is told; of Options it takes no State.
type PullOptions struct {
	Options
	// Open opens the state, when variables or blocks are needed of it.
	Open func() (*state.State, error)
	// Scratch is the directory in which scratch directories are made, "" for the system's.
	Scratch string
}

// Pulled is what became of one deployment.
type Pulled struct {
	// Deployment is flow/name; File and Line are where it is declared.
	Deployment, File string
	Line             int
	Entrypoint       string
	// Directory is where the entrypoint was looked for, as seen from the scratch directory; absolute where it is not in it.
	Directory string
	// Clones are what git_clone gave.
	Clones []Clone
	// Note says what was looked at where nothing was pulled.
	Note string
	// Error says what is wrong, "" for nothing.
	Error string
	// Skipped: it was not begun, as another had failed and Options.FailFast is set; Error says so.
	Skipped bool
	// Seconds is how long the pull section took; of several deployments with one section each has it.
	Seconds float64
}

// Clone is a repository that was cloned, without its login.
type Clone struct{ Repository, Commit string }

// section is a pull section, and who has it.
type section struct {
	d     *resolve.Deployment
	list  value.Value
	of    []int
	steps []*graph.Step

	begun   bool
	scratch string
	// at is where the next step runs: in Prefect all share a process, so that also a function of somebody's own moves them.
	at        string
	changed   []map[string]*string // what functions made of the environment, in order
	directory string
	clones    []Clone
	seconds   float64
}

// pulling is one check.
type pulling struct {
	*job
	out      []*Pulled
	scratch  string
	sections []*section
	logging  sync.Mutex
	// failed: some deployment's pull section did not yield its entrypoint.
	failed atomic.Bool
}

// PullCheck carries out the pull section of each selected deployment and looks for its entrypoint. The error is for a check that could not begin, or was interrupted.
func PullCheck(ctx context.Context, o PullOptions) ([]*Pulled, error) {
	return pullCheck(ctx, o, func([]*Pulled) {})
}

// pullCheck calls begun once all is known and nothing ran.
func pullCheck(ctx context.Context, o PullOptions, begun func([]*Pulled)) ([]*Pulled, error) {
	o.Given.SkipBuild = true // what the build gives has to be given
	p := &pulling{job: newJob(o.Options, true), scratch: o.Scratch}
	defer p.close()
	if err := p.masked.told(p.stationsOfPulls(ctx, o.Open)); err != nil {
		return nil, err
	}
	p.warn()
	if len(p.sections) > 1 { // their steps are shown side by side
		for _, s := range p.sections {
			for _, one := range s.steps {
				one.Key = p.out[s.of[0]].Deployment + " " + one.Key
			}
		}
	}
	begun(p.out)
	p.each(func(s *section) { p.carryOut(ctx, s) })
	p.skip()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p.compare()
	for _, r := range p.out {
		r.Error, r.Note = p.masked.apply(r.Error), p.masked.apply(r.Note)
		r.Directory, r.Entrypoint = p.masked.apply(r.Directory), p.masked.apply(r.Entrypoint)
	}
	return p.out, nil
}

// compare says of a clone of the repository that this directory is of, where what is here is something else: what was checked is what is there.
func (p *pulling) compare() {
	here := gitCommit{dir: p.Directory, env: p.Env, environ: p.Environ}
	origin, ok := here.git("config", "--get", "remote.origin.url")
	head, born := here.git("rev-parse", "HEAD")
	if !ok || !born {
		return
	}
	head = strings.TrimSpace(head)
	changes, _ := here.git("status", "--porcelain")
	for _, r := range p.out {
		for _, c := range r.Clones {
			if sameRepository(c.Repository, strings.TrimSpace(origin)) && r.Note == "" && (c.Commit != head || changes != "") {
				r.Note = "this directory is at " + head[:min(12, len(head))]
				if changes != "" {
					r.Note += ", with changes that are not committed"
				}
			}
		}
	}
}

// sameRepository compares addresses of one repository, with and without .git.
func sameRepository(a, b string) bool {
	bare := func(s string) string { return strings.TrimSuffix(strings.TrimSuffix(step.PublicURL(s), "/"), ".git") }
	return bare(a) == bare(b)
}

// each has the sections done, at most Jobs at once; with FailFast none is begun any more once one has failed.
func (p *pulling) each(do func(*section)) {
	slots := make(chan struct{}, max(1, p.Jobs))
	var all sync.WaitGroup
	for _, s := range p.sections {
		slots <- struct{}{}
		if p.FailFast && p.failed.Load() {
			break
		}
		s.begun = true
		all.Go(func() { do(s); <-slots })
	}
	all.Wait()
}

// skip says of the sections that were not begun why.
func (p *pulling) skip() {
	for _, s := range p.sections {
		for _, i := range s.of {
			if !s.begun {
				p.out[i].Skipped, p.out[i].Error = true, "not begun, as another deployment failed and --fail-fast is set"
			}
		}
	}
}

// stationsOfPulls is everything before the first step.
func (p *pulling) stationsOfPulls(ctx context.Context, open func() (*state.State, error)) error {
	if err := p.load(); err != nil {
		return err
	}
	if err := p.readGiven(); err != nil {
		return err
	}
	if err := p.readForPulls(ctx, open); err != nil {
		return err
	}
	p.findSecrets()
	p.project.SensitiveOutput, p.project.Secret = p.sensitiveOutput, p.masked.add
	p.echo()
	p.needPythonToPull()
	if err := p.stop(); err != nil {
		return err
	}
	for i, d := range p.chosen {
		p.out = append(p.out, p.begin(d))
		if p.out[i].Error == "" {
			p.register(i, d)
		}
		if p.out[i].Error != "" {
			p.failed.Store(true)
		}
	}
	return p.stop()
}

// readForPulls asks the state for what names, entrypoints and pull steps refer to, if they do.
func (p *pulling) readForPulls(ctx context.Context, open func() (*state.State, error)) error {
	var refs references
	for _, d := range p.chosen {
		refs.in(d.Field("name"))
		refs.in(d.Field("entrypoint"))
		for i := range d.Pull {
			refs.in(d.Pull[i].Whole)
		}
	}
	q := refs.query()
	if len(q.Variables)+len(q.Blocks) == 0 {
		return nil
	}
	st, err := open()
	if err != nil {
		return fmt.Errorf("the pull steps refer to variables or blocks of the Prefect server: %w", err)
	}
	defer st.Close()
	if _, commit := ofCommit(st); commit {
		return &resolve.UsageError{Text: "the pull steps refer to variables or blocks, which a commit (--state git:REF) does not have"}
	}
	p.State = st
	return p.readOf(ctx, q)
}

func (p *pulling) needPythonToPull() {
	for _, d := range p.chosen {
		for i := range d.Pull {
			p.needPythonFor(d, &d.Pull[i])
		}
	}
}

// begin fills the names.
func (p *pulling) begin(d *resolve.Deployment) *Pulled {
	at := d.Position(d.Spec.Pos)
	r := &Pulled{Deployment: p.checker.FullName(d), File: at.File, Line: at.Line, Entrypoint: d.Entrypoint()}
	project := p.projectOf(d.File)
	filled, err := project.Fields(value.Of([]value.Entry{{Key: "name", Value: d.Field("name")}, {Key: "entrypoint", Value: d.Field("entrypoint")}}), func(string) bool { return false })
	if err != nil {
		r.Error = err.Error()
		return r
	}
	entrypoint, _ := filled.Get("entrypoint")
	r.Entrypoint = entrypoint.Str()
	if name, _ := filled.Get("name"); template.Has(d.Name()) {
		r.Deployment = strings.TrimSuffix(r.Deployment, d.Name()) + name.Str()
	}
	if entrypoint.Marks().Has(value.Sensitive) {
		r.Entrypoint = d.Entrypoint()
	}
	return r
}

// register makes of a deployment's pull section what a deploy would register, and adds it to an equal one.
func (p *pulling) register(i int, d *resolve.Deployment) {
	r := p.out[i]
	var list value.Value
	switch d.From {
	case resolve.PullWritten:
		if lacks := p.lackingForPull(i, d); lacks != "" {
			r.Error = lacks
			return
		}
		for k := range d.Pull {
			list.List = append(list.List, d.Pull[k].Whole)
		}
		project := p.projectOf(d.File)
		var steps []*graph.Step
		if p.parts != nil {
			steps = p.parts.Registrations[i].Steps
		}
		project.Outputs, _ = p.known(i, steps)
		var err error
		if list, err = project.Pull(value.Value{Kind: value.List, List: list.List}); err != nil {
			r.Error = err.Error()
			return
		}
	case resolve.PullDefault:
		r.Note = "there is no pull section, so runs look in the directory of the machine that deploys: looked for here"
	default:
		r.Note = "nothing is pulled, the code is in the image: looked for here, where the image is built from"
	}
	if d.From != resolve.PullWritten {
		r.Directory = p.root(d)
		p.find(r, r.Directory)
		return
	}
	key := string(list.AppendJSON(nil))
	for _, s := range p.sections {
		if s.d.File == d.File && string(s.list.AppendJSON(nil)) == key {
			s.of = append(s.of, i)
			return
		}
	}
	p.sections = append(p.sections, &section{d: d, list: list, of: []int{i}, steps: stepsOfPull(d, list)})
}

// lackingForPull says which outputs of the build a pull section needs and nobody gave, "" for none. What a pull step before it gives is not the build's.
func (p *pulling) lackingForPull(i int, d *resolve.Deployment) string {
	var names, settings []string
	for k := range d.Pull {
		template.Walk(d.Pull[k].Whole, func(_ value.Value, found []template.Placeholder) {
			for _, h := range found {
				head := resolve.Head(h.Name)
				own := slices.ContainsFunc(d.Pull[:k], func(s spec.Step) bool { sure, _ := resolve.Gives(&s, head); return sure || s.ID.Str() == head })
				if h.Kind != template.Output || h.Runtime() || own {
					continue
				}
				l := p.lacking(p.parts.Registrations[i].Steps, h.Name)
				if l == nil || l.output == "" || slices.Contains(settings, l.step.Key+"."+l.output) {
					continue
				}
				names, settings = append(names, l.output+" of the step "+l.step.Key), append(settings, l.step.Key+"."+l.output)
			}
		})
	}
	if len(names) == 0 {
		return ""
	}
	them := "it"
	if len(names) > 1 {
		them = "them"
	}
	return fmt.Sprintf("its pull section needs %s, which the build gives: give %s with --from FILE%s%s=VALUE", strings.Join(names, " and "), them, OrSet, strings.Join(settings, "=VALUE --set "))
}

// stepsOfPull makes a graph of a pull section: one after the other.
func stepsOfPull(d *resolve.Deployment, list value.Value) (out []*graph.Step) {
	keys := map[string]int{}
	for _, item := range list.List {
		if len(item.Map) == 0 {
			continue
		}
		e := item.Map[0]
		s := &graph.Step{Action: "pull", Function: e.Key, File: d.File.Name, Pos: item.Pos, Root: ".", Upstream: slices.Clone(out), Needs: slices.Clone(out), Inputs: value.Value{Kind: value.Map}}
		for _, a := range e.Value.Map {
			switch a.Key {
			case "id":
				s.ID = a.Value.Str()
			case "requires":
				s.Requires = texts(a.Value)
			default:
				s.Inputs.Map = append(s.Inputs.Map, a)
			}
		}
		graph.Credentials(s.Inputs, func(h template.Placeholder) {
			head := resolve.Head(h.Name)
			for _, before := range out {
				if before.ID == head {
					before.Credentials = append(before.Credentials, graph.AllOutputs)
				} else if _, maybe := givesName(before, head); maybe {
					before.Credentials = append(before.Credentials, head)
				}
			}
		})
		s.Sensitive = s.ID != "" && markedSecret(d.File, s.ID)
		if s.Key = s.ID; s.Key == "" {
			s.Key = resolve.ShortName(e.Key)
		}
		if keys[s.Key]++; keys[s.Key] > 1 {
			s.Key = fmt.Sprintf("%s-%d", s.Key, keys[s.Key])
		}
		out = append(out, s)
	}
	return out
}

func texts(v value.Value) (out []string) {
	if v.Kind == value.List {
		for i := range v.List {
			out = append(out, v.List[i].Str())
		}
		return out
	}
	if v.Truthy() {
		out = append(out, v.Str())
	}
	return out
}

// carryOut runs one section in a scratch directory of its own, and looks for the entrypoints while that is there.
func (p *pulling) carryOut(ctx context.Context, s *section) {
	if ctx.Err() != nil {
		return
	}
	err := p.inScratch(ctx, s)
	for _, i := range s.of {
		r := p.out[i]
		r.Clones, r.Seconds, r.Directory = s.clones, s.seconds, s.directory
		if err != nil {
			r.Error = err.Error()
			p.failed.Store(true)
			continue
		}
		if p.find(r, s.directory); r.Error != "" {
			p.failed.Store(true)
		}
		if rel, err := filepath.Rel(s.scratch, s.directory); err == nil && filepath.IsLocal(rel) {
			r.Directory = filepath.ToSlash(rel)
		}
	}
	if removed := removeAll(filepath.Dir(s.scratch)); removed != nil && s.scratch != "" {
		p.out[s.of[0]].Note = fmt.Sprintf("the scratch directory could not be removed: %v", removed)
	}
}

func (p *pulling) inScratch(ctx context.Context, s *section) error {
	top, err := os.MkdirTemp(p.scratch, "prefect-deploy-pull-")
	if err != nil {
		return fmt.Errorf("there is no scratch directory: %w", err)
	}
	if real, err := filepath.EvalSymlinks(top); err == nil {
		top = real
	}
	s.scratch = filepath.Join(top, "work")
	if err := os.Mkdir(s.scratch, 0o700); err != nil {
		return err
	}
	s.at = s.scratch
	python := &overlay{p: p, dir: filepath.Join(top, "python")}
	defer python.close()
	r := exec.Runner{Do: p.doing(s, python), Resolve: p.filling(s), Root: s.scratch, Jobs: 1, Timeout: p.Timeout, Mask: p.masked.apply, Now: p.Now,
		Env: append(step.WithoutRepository(p.Environ), "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE=false")} // without a server a step must fail, and not start one
	if p.Log != nil {
		r.Log = func(e exec.Event) {
			p.logging.Lock()
			defer p.logging.Unlock()
			p.Log(e)
		}
	}
	results := r.Run(ctx, &graph.Graph{Steps: s.steps})
	for _, one := range s.steps {
		result := results[one]
		s.seconds += result.Seconds
		if result.Outcome == exec.Failed {
			return fmt.Errorf("%s:%d: the pull step %s failed: %w", one.File, one.Pos.Line, resolve.ShortName(one.Function), result.Err)
		}
	}
	return s.arrive(results)
}

// arrive is where a run goes on after the pull section: where its steps moved to, and from there to the directory that the last of them gave.
func (s *section) arrive(results map[*graph.Step]*exec.Result) error {
	s.directory = s.at
	given, _ := exec.Outputs(s.steps, results).Get("directory")
	switch {
	case !given.Truthy():
	case given.Kind != value.Text:
		return fmt.Errorf("the pull section gave %s as directory, which is no path", given.Kind)
	case filepath.IsAbs(given.Text):
		s.directory = given.Text
	default:
		s.directory = filepath.Join(s.directory, given.Text)
	}
	if info, err := os.Stat(s.directory); err != nil || !info.IsDir() {
		return fmt.Errorf("after the pull section a run goes on in the directory %q, and there is no such directory: a step that moved, and one that gave a directory as seen from before, do not go together", given.Text)
	}
	return nil
}

// removeAll removes also what a step made read-only.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !errors.Is(err, os.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// Summary is a line on a deployment.
func (r *Pulled) Summary() string {
	var b strings.Builder
	word := "ok"
	switch {
	case r.Skipped:
		word = "skipped"
	case r.Error != "":
		word = "failed"
	}
	fmt.Fprintf(&b, "%-7s %s: ", word, diag.Clean(r.Deployment))
	if r.Error != "" {
		b.WriteString(strings.ReplaceAll(diag.CleanLines(strings.TrimRight(r.Error, "\n")), "\n", "\n        "))
	} else {
		fmt.Fprintf(&b, "%s is in %s", diag.Clean(r.Entrypoint), diag.Clean(r.Directory))
	}
	for _, c := range r.Clones {
		fmt.Fprintf(&b, "; cloned %s at %s", diag.Clean(c.Repository), c.Commit[:min(12, len(c.Commit))])
	}
	if r.Note != "" {
		b.WriteString("; " + diag.Clean(r.Note))
	}
	return b.String()
}
