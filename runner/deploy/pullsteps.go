// What a check of pull sections does with a step, and how it finds the entrypoint afterwards.
package deploy

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

// filling fills inputs as a worker does: from the pull steps before, then blocks, variables and the environment.
func (p *pulling) filling(s *section) func(context.Context, *graph.Step, value.Value) (value.Value, error) {
	return func(_ context.Context, st *graph.Step, outputs value.Value) (value.Value, error) {
		project := p.projectOf(s.d.File)
		project.Outputs = outputs
		return project.Inputs(st.Inputs)
	}
}

// doing carries a step out.
func (p *pulling) doing(s *section, python *overlay) func(context.Context, *graph.Step, step.Call) (value.Value, error) {
	return func(ctx context.Context, st *graph.Step, c step.Call) (value.Value, error) {
		c.Dir, c.Moved = s.at, func(dir string) { s.at = dir }
		c.Env, c.Changed = withChanges(c.Env, s.changed), func(changes map[string]*string) { s.changed = append(s.changed, changes) }
		p.tellLogin(c.Function, c.Inputs)
		do := p.carriedOutWith(ctx, c, func() (*step.Python, error) { return python.get(ctx) })
		outputs, err := p.repeat(ctx, c.Stderr, func() (value.Value, error) { return do(ctx, c) })
		if err == nil && resolve.Canonical(c.Function) == resolve.GitClone {
			s.clones = append(s.clones, p.cloned(c, outputs))
		}
		if to, ok := outputs.Get("directory"); ok && err == nil && resolve.Canonical(c.Function) == resolve.SetWorkingDirectory {
			s.at = to.Text
		}
		return p.masked.given(st, tainted(st.Function, c.Inputs, outputs)), err
	}
}

// withChanges is an environment after what steps changed in it.
func withChanges(env []string, all []map[string]*string) []string {
	env = slices.Clone(env)
	for _, changes := range all {
		for _, name := range slices.Sorted(maps.Keys(changes)) {
			env = slices.DeleteFunc(env, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
			if text := changes[name]; text != nil {
				env = append(env, name+"="+*text)
			}
		}
	}
	return env
}

// cloned asks a new clone for its commit.
func (p *pulling) cloned(c step.Call, outputs value.Value) Clone {
	repository, _ := c.Inputs.Get("repository")
	directory, _ := outputs.Get("directory")
	at := gitCommit{dir: filepath.Join(c.Dir, directory.Text), env: p.Env, environ: step.WithoutRepository(p.Environ)}
	commit, _ := at.git("rev-parse", "HEAD")
	address := step.PublicURL(repository.Text)
	if repository.Marks().Has(value.Sensitive) {
		address = p.masked.apply(address)
	}
	return Clone{Repository: address, Commit: strings.TrimSpace(commit)}
}

// overlay is the Python of one section, made when the first step asks for it.
type overlay struct {
	p   *pulling
	dir string

	once   sync.Once
	python *step.Python
	err    error
}

func (o *overlay) get(ctx context.Context) (*step.Python, error) {
	o.once.Do(func() {
		below, err := o.p.interpreter()
		if err != nil {
			o.err = err
			return
		}
		program, err := step.Overlay(ctx, below.Path, o.dir, o.p.Environ)
		if err != nil {
			o.err = err
			return
		}
		o.python = &step.Python{Path: program, Env: o.p.Environ, Jobs: 1}
	})
	return o.python, o.err
}

func (o *overlay) close() {
	if o.python != nil {
		o.python.Close()
	}
}

// find looks for a deployment's entrypoint in a directory, and says in r what is wrong.
func (p *pulling) find(r *Pulled, dir string) {
	entrypoint := r.Entrypoint
	file, function, isPath := entrypoint, "", false
	if at := strings.LastIndexByte(entrypoint, ':'); at >= 0 { // the last, as in Prefect: a drive of Windows has one too
		file, function, isPath = entrypoint[:at], entrypoint[at+1:], true
	}
	if isPath {
		file = strings.ReplaceAll(file, "\\", "/")
		if clean := path.Clean(file); filepath.IsAbs(file) || clean == ".." || strings.HasPrefix(clean, "../") {
			if !filepath.IsAbs(file) {
				file = filepath.Join(dir, filepath.FromSlash(file))
			}
			dir, entrypoint = filepath.Dir(file), filepath.Base(file)+":"+function
		}
	}
	f, problem := flow.Load(os.DirFS(dir), entrypoint)
	switch {
	case entrypoint == "":
		r.Error = "it has no entrypoint"
	case problem != nil:
		r.Error = problem.Message
		if r.Note == "" && problem.Code == flow.MissingFile {
			r.Error += "; " + p.instead(dir, entrypoint)
		}
	case !isPath && f.File == "":
		r.Error = fmt.Sprintf("the module of the entrypoint %q is not in what was pulled", entrypoint)
	case f.Unsure != "" && r.Note == "":
		r.Note = "that it is a flow can't be told from the source: " + f.Unsure
	}
}

// instead says where a file of this name is, or what is there.
func (p *pulling) instead(dir, entrypoint string) string {
	name, _, _ := strings.Cut(entrypoint, ":")
	var found string
	looked := 0
	_ = filepath.WalkDir(dir, func(at string, e os.DirEntry, err error) error {
		looked++
		switch {
		case err != nil || looked > 20000 || found != "":
			return filepath.SkipAll
		case e.IsDir() && e.Name() == ".git":
			return filepath.SkipDir
		case !e.IsDir() && e.Name() == path.Base(name):
			found, _ = filepath.Rel(dir, at)
		}
		return nil
	})
	if found != "" {
		return fmt.Sprintf("what was pulled has %s: correct the entrypoint, or end the pull section with a set_working_directory", filepath.ToSlash(found))
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) == 0 {
		return "the pull section left an empty directory"
	}
	var names []string
	for _, e := range entries {
		if e.Name() != ".git" && len(names) < 8 {
			names = append(names, e.Name())
		}
	}
	return "what was pulled holds " + strings.Join(names, ", ")
}
