// What was declared before, and what of it is gone: from the base commit's files, and from the labels of what we created.
package deploy

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/git"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// commit opens the tree of a commit.
func (j *job) commit(ctx context.Context, ref string) (*git.FS, error) {
	r, err := git.Open(ctx, j.Directory, j.Environ)
	if err != nil {
		return nil, err
	}
	sha, err := r.Resolve(ctx, ref, j.Token)
	if err != nil {
		return nil, err
	}
	return r.At(ctx, sha)
}

// filesAt reads the prefect.yaml files of another tree: the same patterns, so that a file that is gone by now counts too.
func (j *job) filesAt(tree fs.FS) []File {
	var out []File
	seen := map[string]bool{}
	patterns := j.Patterns
	if len(patterns) == 0 {
		patterns = j.owned()
	}
	for _, p := range patterns {
		if rel, ok := within(j.Directory, j.Directory, p); ok && filepath.IsAbs(p) { // the tree knows no absolute paths
			p = rel
		}
		names := []string{p}
		if strings.ContainsAny(p, "*?[") {
			names, _ = fs.Glob(tree, p)
		}
		for _, n := range names {
			if data, err := fs.ReadFile(tree, strings.TrimPrefix(n, "./")); err == nil && !seen[n] {
				seen[n] = true
				out = append(out, File{n, data})
			}
		}
	}
	return out
}

// goneSince reports whether the file that isn't here is one that the base has, and not merely left out of this checkout.
func (j *job) goneSince(ctx context.Context) bool {
	r, err := git.Open(ctx, j.Directory, j.Environ)
	if err != nil || r.LeftOut(ctx, j.Missing) {
		return false
	}
	tree, err := j.commit(ctx, j.Base)
	if err != nil {
		return false
	}
	defer tree.Close()
	return len(j.filesAt(tree)) > 0
}

// readBase learns once what the base's files declare, as far as they can be read: a fault of an old file is no fault of this run, and a base that isn't there is a note.
func (j *job) readBase(ctx context.Context) error {
	if j.Base == "" || j.declared != nil {
		return nil
	}
	declared, files, err := j.declaredAt(ctx, j.Base)
	if err != nil {
		j.notes = append(j.notes, "deletes not examined: base not available ("+err.Error()+")")
		return ctx.Err()
	}
	j.declared, j.basefiles = declared, files
	return nil
}

// declaredAt is what the files of a commit declare, and which files those are.
func (j *job) declaredAt(ctx context.Context, ref string) (declared map[state.Name]plan.Before, files []string, err error) {
	tree, err := j.commit(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	defer tree.Close()
	checker := check.New(tree)
	declared = map[state.Name]plan.Before{}
	for _, f := range j.filesAt(tree) {
		files = append(files, f.Name)
		file, _ := spec.Load(f.Name, f.Data)
		for i := range file.Len() {
			d := resolve.Entry(file, file.Deployment(i, nil))
			project := j.projectOf(file)
			e := named(project, d)
			if e == nil {
				continue
			}
			if flow, problem := checker.Flow(file, e.Entrypoint); problem == nil && flow.NameUnknown == "" {
				declared[state.Name{Flow: flow.Name, Deployment: e.Name}] = sync.OnceValue(func() *plan.Desired { return said(project, d, fromStatic(flow)) })
			}
		}
	}
	return declared, files, nil
}

// named are the early fields of an entry of the base's file, nil where its name can't be known. Blocks that only the base's file names were not read; a name rarely needs one.
func named(project plan.Project, d *resolve.Deployment) *plan.Early {
	e, err := project.FillEarly(d)
	if err == nil {
		return e
	}
	project.MarksOnly, project.Secret = true, nil
	if e, err = project.FillEarly(d); err != nil {
		return nil
	}
	for _, field := range []string{"name", "entrypoint"} {
		if v, _ := e.Fields.Get(field); v.Marks().Has(value.Sensitive) {
			return nil
		}
	}
	return e
}

// said is what an entry of the base's file says: which values are plain, which secret, and which slugs it has. Nothing is asked of a server for it, so what a block or a
// variable holds is not in it. An entry that can't be read so is read without its schedules; nil where that fails too.
func said(project plan.Project, d *resolve.Deployment, flow plan.Flow) *plan.Desired {
	secrets := map[string]bool{}
	secretsOf(d, secrets)
	project.MarksOnly, project.Secret, project.Commit = true, nil, nil
	project.SensitiveOutput = func(name string) bool { return isSecret(secrets, name) }
	project.Outputs, project.Pending = d.Outputs, plan.Pending(d)
	e, _ := project.FillEarly(d)
	if e == nil {
		return nil
	}
	desired, err := project.Settle(e, flow)
	if err != nil {
		e.Fields = e.Fields.Set("schedules", value.Value{}).Set("schedule", value.Value{})
		desired, err = project.Settle(e, flow)
	}
	if err != nil {
		return nil
	}
	return desired
}

// before is what was declared of a deployment; a renamed one had another name. Against a commit's intent that intent is the base: what is live there, its file declares.
func (j *job) before(name state.Name) plan.Before {
	if old := j.renamed[name]; old != nil {
		name = old.Name
	}
	if j.intended != nil {
		return func() *plan.Desired { return j.intended[name] }
	}
	return j.declared[name]
}

// findGone fills gone and renamed. It only looks when all deployments of the files are selected: a selection says nothing of the others.
func (j *job) findGone(ctx context.Context) error {
	j.renamed = map[state.Name]*state.Live{}
	if err := j.readBase(ctx); err != nil || !j.Selection.All {
		return err
	}
	declared := map[state.Name]bool{}
	for _, e := range j.early {
		declared[state.Name{Flow: j.flowOf(e).Name, Deployment: e.Name}] = true
	}
	if why := j.unknownName(); why != "" {
		j.notes = append(j.notes, "deletes not examined: "+why+", so what is still declared can't be told from what is gone")
		return nil
	}
	found := map[state.Name]*state.Live{}
	if err := j.goneByBase(ctx, declared, found); err != nil {
		return err
	}
	j.goneByLabel(declared, found)
	j.addedSince(ctx, found)
	j.elsewhere(ctx, found)
	j.takeRenames(found, declared)
	for _, l := range found {
		j.gone = append(j.gone, l)
	}
	sort.Slice(j.gone, func(a, b int) bool { return j.gone[a].Name.String() < j.gone[b].Name.String() })
	return j.tooMany()
}

func (j *job) goneByBase(ctx context.Context, declared map[state.Name]bool, found map[state.Name]*state.Live) error {
	var q state.Query
	for name := range j.declared {
		if !declared[name] {
			q.Deployments = append(q.Deployments, name)
		}
	}
	if len(q.Deployments) == 0 {
		return nil
	}
	sort.Slice(q.Deployments, func(a, b int) bool { return q.Deployments[a].String() < q.Deployments[b].String() })
	snapshot, err := j.State.Read(ctx, q)
	if err != nil {
		return err
	}
	for name, l := range snapshot.Deployments {
		if owner := l.OwnerOf(); !declared[name] && (owner == "" || j.ours()[owner]) { // another file's by now; a commit's intent answers with more than was asked for
			found[name] = l
		}
	}
	return nil
}

// unknownName tells of a deployment whose full name isn't known here, "" when all are: a variable that isn't set, or a flow's name that only importing it would tell.
func (j *job) unknownName() string {
	for _, e := range j.early {
		if name, _ := e.Fields.Get("name"); name.Marks().Has(value.NotHere) || strings.Contains(e.Name, "{{") {
			return "the name " + e.Name + " is not known here"
		}
		if entrypoint, _ := e.Fields.Get("entrypoint"); entrypoint.Marks().Has(value.NotHere) {
			return "the entrypoint of " + e.Name + " is not known here"
		}
		if j.flowOf(e).NameUnknown {
			return "the name of the flow " + e.Entrypoint + " is settled at deploy"
		}
	}
	return ""
}

// templated tells of a deployment whose name is a template: another target's deployments have other names, and the label alone can't tell them from what is gone.
func (j *job) templated() string {
	for _, d := range j.chosen {
		if template.Has(d.Name()) || template.Has(d.Entrypoint()) {
			return d.Name()
		}
	}
	return ""
}

// atMost is how many deployments a state may hold beside the declared ones for all of them to be listed: three pages more, or fifteen where deletes are asked for.
func (j *job) atMost() int {
	switch {
	case !j.Selection.All:
		return 0
	case j.Prune:
		return len(j.early) + 3000
	}
	return len(j.early) + 600
}

// goneByLabel finds what carries our label among everything that was listed.
func (j *job) goneByLabel(declared map[state.Name]bool, found map[state.Name]*state.Live) {
	if !j.snapshot.Complete {
		if j.Base == "" {
			j.notes = append(j.notes, fmt.Sprintf("deletes not examined: %s holds %d deployments, too many to look through; --base names what was declared before", j.State.Source, j.snapshot.Total))
		}
		return
	}
	mine := j.ours()
	if name := j.templated(); name != "" && j.Environment == "" {
		if j.Base == "" {
			j.notes = append(j.notes, "deletes not examined: the name "+name+" is a template, and other targets' deployments would look like what is gone; --base names what was declared before, or name the target with --environment")
		}
		return
	}
	j.notes = append(j.notes, j.ofOtherTargets(declared)...)
	for name, l := range j.snapshot.Deployments {
		if owner := l.OwnerOf(); owner != "" && mine[owner] && !declared[name] {
			found[name] = l
		}
	}
}

// takeRenames moves what x-ci.renamed-from names from the deleted to the renamed.
func (j *job) takeRenames(found map[state.Name]*state.Live, declared map[state.Name]bool) {
	for _, f := range j.files {
		list, _ := f.CI.Get("renamed-from")
		for _, e := range list.Map {
			to, from := nameOf(e.Key), nameOf(e.Value.Text)
			old, there := found[from]
			_, exists := j.snapshot.Deployments[to]
			if !there || !declared[to] {
				continue
			}
			if exists { // created by an earlier run that could not delete the old one: what is left of the rename
				j.leftover = append(j.leftover, old)
				delete(found, from)
				continue
			}
			j.renamed[to] = old
			delete(found, from)
		}
	}
}

func nameOf(full string) state.Name {
	flow, name, _ := strings.Cut(full, "/")
	return state.Name{Flow: flow, Deployment: name}
}

// tooMany refuses a prune that would delete more than it may; a plan, or a list of what is gone, says that it would be refused.
func (j *job) tooMany() error {
	switch {
	case !j.Prune || len(j.gone) <= j.MaxDeletes:
		return nil
	case !j.deletes:
		j.notes = append(j.notes, fmt.Sprintf("%d deployments would be deleted, and at most %d may be: this is refused until --max-deletes is at least %d; look first whether the file was cut short", len(j.gone), j.MaxDeletes, len(j.gone)))
		return nil
	}
	names := make([]string, 0, len(j.gone))
	for _, l := range j.gone {
		names = append(names, l.Name.String())
	}
	return &Faults{diag.List{{Severity: diag.Error, Code: "too-many-deletes", Position: diag.Position{File: j.files[0].Name}, Message: fmt.Sprintf("%d deployments would be deleted, and at most %d may be: %s", len(names), j.MaxDeletes, strings.Join(names, ", ")),
		Help: "look whether the file was cut short; if they are to go, give --max-deletes " + fmt.Sprint(len(names))}}, j.source}
}

// addGone puts deletes or what is kept into the plan, and points likely renames out.
func (j *job) addGone(p *plan.Plan) {
	var gone []*plan.Deployment
	for _, l := range j.gone {
		gone = append(gone, plan.Removal(l))
	}
	for _, pair := range plan.LikelyRenames(p.Deployments, gone) {
		p.Notes = append(p.Notes, fmt.Sprintf("%s looks like a rename of %s: write x-ci: {renamed-from: {%s: %s}} to keep its state", pair[0].Name, pair[1].Name, pair[0].Name, pair[1].Name))
	}
	for _, l := range j.leftover {
		p.Deployments = append(p.Deployments, plan.Removal(l))
	}
	if j.Prune {
		p.Deployments = append(p.Deployments, gone...)
		return
	}
	p.Kept = gone
}
