// What another prefect.yaml of the repository declares. A deployment that was moved from one file to another keeps the label of the first, since labels can't be changed, and the first one's
// next run would delete what the second has just written. So before anything counts as gone the other files are looked at:
//
//	one.yaml  deployments: []                  label x-ci.owner: acme/flows#one.yaml
//	two.yaml  deployments: [{name: moved, …}]  ──▶ hello/moved is not gone
//
// Only where something would be kept or deleted, so that other runs are no slower. In doubt (a name that is a template, a flow whose name can't be read) it is declared.
package deploy

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/runner/git"
	"github.com/org/prefect-deploy-action/runner/state"
)

// How far the other files are looked for: YAML files in a repository, and entries of folders where git can't list them.
const (
	mostFiles   = 20_000
	mostEntries = 100_000
	largestFile = 4 << 20
)

// elsewhere takes out of found what another file of the repository declares, and says so.
func (j *job) elsewhere(ctx context.Context, found map[state.Name]*state.Live) {
	if len(found) == 0 {
		return
	}
	root := j.where().root
	if root == "" {
		root = j.Directory
	}
	others, err := j.otherFiles(ctx, root)
	if err != nil {
		j.notes = append(j.notes, "deletes not examined: "+err.Error()+", so what another file declares can't be told from what is gone")
		clear(found)
		return
	}
	for _, f := range others {
		entries, ok := j.entriesOf(root, f)
		if !ok && strings.Contains(filepath.Base(f.Name), "prefect") {
			j.notes = append(j.notes, "deletes not examined: "+f.Name+" can't be read, so what it declares can't be told from what is gone")
			clear(found)
			return
		}
		var names []string
		for _, e := range entries {
			for name := range found {
				if e.mayBe(name) {
					names = append(names, name.String())
					delete(found, name)
				}
			}
		}
		if len(names) > 0 {
			j.notes = append(j.notes, fmt.Sprintf("%s declares %s, so %s neither kept nor deleted", f.Name, some(names), map[bool]string{true: "it is", false: "they are"}[len(names) == 1]))
		}
	}
}

// some are at most three names of a list, in order.
func some(names []string) string {
	sort.Strings(names)
	text := strings.Join(names[:min(len(names), 3)], ", ")
	if len(names) > 3 {
		text += fmt.Sprintf(" and %d more", len(names)-3)
	}
	return text
}

// otherFiles are the repository's files that hold deployments, but for those of this run; their names count from the root.
func (j *job) otherFiles(ctx context.Context, root string) ([]File, error) {
	names, leftOut, err := j.listed(ctx, root)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, name := range j.owned() {
		if inside, ok := within(root, j.Directory, name); ok {
			own[inside] = true
		}
	}
	var out []File
	add := func(tree fs.FS, names []string) {
		for _, name := range names {
			if info, err := fs.Stat(tree, name); own[name] || err != nil || info.Size() > largestFile {
				continue
			}
			if data, err := fs.ReadFile(tree, name); err == nil && bytes.Contains(data, []byte("deployments")) {
				out = append(out, File{name, data})
			}
		}
	}
	add(os.DirFS(root), names)
	if len(leftOut) > 0 {
		tree, err := j.top(ctx)
		if err != nil {
			return nil, fmt.Errorf("files that this checkout leaves out can't be read (%w)", err)
		}
		defer tree.Close()
		add(tree, leftOut)
	}
	return out, nil
}

// listed are the names of the YAML files: git's where it answers, else those of the folder; leftOut are those that a sparse checkout does not have.
func (j *job) listed(ctx context.Context, root string) (names, leftOut []string, err error) {
	r, err := git.Open(ctx, j.Directory, j.Environ)
	if err == nil {
		names, leftOut, err = r.List(ctx, "*.yaml", "*.yml")
	}
	if err != nil {
		if names, err = walked(ctx, root); err != nil {
			return nil, nil, err
		}
	}
	if len(names)+len(leftOut) > mostFiles {
		return nil, nil, fmt.Errorf("the repository has more than %d YAML files", mostFiles)
	}
	return names, leftOut, ctx.Err()
}

// walked lists the YAML files below a folder, without what tools put there.
func walked(ctx context.Context, root string) (names []string, err error) {
	left := mostEntries
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		left--
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case left < 0:
			return fmt.Errorf("%s holds more than %d files", filepath.Base(root), mostEntries)
		case err != nil: // a folder that can't be read
			return nil
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules" || d.Name() == ".venv" || d.Name() == "__pycache__"):
			return fs.SkipDir
		case !d.IsDir() && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")):
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// top is the tree of the commit that is checked out, from the repository's root.
func (j *job) top(ctx context.Context) (*git.FS, error) {
	r, err := git.Open(ctx, j.Directory, j.Environ)
	if err != nil {
		return nil, err
	}
	sha, err := r.Resolve(ctx, "HEAD", "")
	if err != nil {
		return nil, err
	}
	r.Prefix = ""
	return r.At(ctx, sha)
}

// entry is a deployment of another file: its name as written, and the names that its flow may have, nil where that can't be told.
type entry struct {
	name  string
	flows map[string]bool
}

func (e entry) mayBe(name state.Name) bool {
	return (e.flows == nil || e.flows[name.Flow]) && fits(e.name, name.Deployment)
}

// entriesOf reads another file; ok is false for one that is not well formed. Which directory its paths are relative to only its own runs know: its own folder, and unless the file says that it is that, this run's and the root are tried.
func (j *job) entriesOf(root string, f File) (out []entry, ok bool) {
	full := filepath.Join(root, filepath.FromSlash(f.Name))
	dirs := []string{filepath.Dir(full), j.Directory, root}
	files := make([]*spec.File, len(dirs))
	checkers := make([]*check.Checker, len(dirs))
	for i, dir := range dirs {
		var faults diag.List
		files[i], faults = spec.Load(filepath.Base(full), f.Data)
		ok = faults.Errors(false) == 0 || files[i].Len() > 0
		checkers[i] = check.New(os.DirFS(dir))
	}
	if root, _ := files[0].CI.Get("root"); root.Text == "file" {
		dirs = dirs[:1]
	}
	for i := range files[0].Len() {
		d := resolve.Entry(files[0], files[0].Deployment(i, nil))
		if d.Name() == "" {
			continue
		}
		e := entry{name: d.Name(), flows: map[string]bool{}}
		for k := range dirs {
			switch flow, problem := checkers[k].Flow(files[k], d.Entrypoint()); {
			case problem != nil:
			case flow.NameUnknown != "" || flow.Unsure != "":
				e.flows[""] = true
			default:
				e.flows[flow.Name] = true
			}
		}
		if len(e.flows) == 0 || e.flows[""] {
			e.flows = nil
		}
		out = append(out, e)
	}
	return out, ok
}

// fits reports whether a name may be what a name in a file becomes: its templates may become anything.
func fits(written, name string) bool {
	if !template.Has(written) {
		return written == name
	}
	for first := true; ; first = false {
		before, rest, more := strings.Cut(written, "{{")
		switch at := strings.Index(name, before); {
		case first && !strings.HasPrefix(name, before), at < 0:
			return false
		case !more:
			return strings.HasSuffix(name, before)
		default:
			name = name[at+len(before):]
		}
		if _, written, more = strings.Cut(rest, "}}"); !more {
			return true
		}
	}
}
