// Who owns a deployment: the text of the label x-ci.owner, `acme/flows#team/prefect.yaml@production`. By it a later run tells what this file created from what others did, and deletes it;
// so two projects must never have one text. It is made only of what is certain: the repository and the file's path in it. Where git can't be asked (a container without git, a checkout
// of another user) the root is found by its .git, or is the CI's folder where that is surely the repository; where it stays unknown, the text names this folder of this machine alone.
package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/runner/git"
	"github.com/org/prefect-deploy-action/runner/state"
)

// place is where a run stands: the repository's name and the absolute path of its root, "" for what isn't known.
type place struct{ repository, root string }

// owner names the set of deployments that a file owns, but for the target.
func owner(o Options, find func() place) func(file string) string {
	return func(file string) string {
		p := find()
		if p.repository != "" && p.root != "" {
			if name, ok := within(p.root, o.Directory, file); ok {
				return p.repository + "#" + name
			}
		}
		host, _ := os.Hostname()
		sum := sha256.Sum256([]byte(host + "\x00" + p.repository + "\x00" + absolute(o.Directory, file)))
		return "local:" + hex.EncodeToString(sum[:8])
	}
}

// atTarget is the whole text of the label.
func atTarget(owner, environment string) string {
	if environment != "" {
		owner += "@" + environment
	}
	return owner
}

func placeOf(ctx context.Context, o Options) (p place) {
	get := func(name string) string {
		v, _ := o.Env(name)
		return v
	}
	server := get("CI_SERVER_URL")
	if p.repository = get("CI_PROJECT_PATH"); get("GITHUB_REPOSITORY") != "" {
		p.repository, server = get("GITHUB_REPOSITORY"), get("GITHUB_SERVER_URL")
	}
	r, err := git.Open(ctx, o.Directory, o.Environ)
	if err != nil {
		p.root = rootWithoutGit(o.Directory, get)
		return p
	}
	p.root = filepath.Join(o.Directory, strings.Repeat("../", strings.Count(r.Prefix, "/")))
	remote := r.Remote(ctx)
	if name := remoteName(remote); p.repository == "" || name != "" && !strings.EqualFold(name, p.repository) && sameHost(remote, server) {
		p.repository = name // a job may check out another repository than its own
	}
	return p
}

// rootWithoutGit is the root of the repository where git doesn't tell: the folder with .git, else the folder into which the CI checks out. GitLab's runner always does so there; a job of
// GitHub may check out into a folder of that, so only a folder with the workflows is taken.
func rootWithoutGit(dir string, get func(string) string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	for _, ci := range []struct{ variable, proof string }{{"GITHUB_WORKSPACE", ".github/workflows"}, {"CI_PROJECT_DIR", "."}} {
		root, err := filepath.EvalSymlinks(get(ci.variable))
		if err != nil || !filepath.IsAbs(root) {
			continue
		}
		if _, ok := within(root, dir, "."); !ok {
			continue
		}
		if info, err := os.Stat(filepath.Join(root, filepath.FromSlash(ci.proof))); err == nil && info.IsDir() {
			return root
		}
	}
	return ""
}

func absolute(dir, file string) string {
	file = filepath.FromSlash(file)
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	return filepath.Clean(file)
}

// within is the slash path of a file from the root; ok is false where it lies outside. One that is named by an absolute path may be named through a link.
func within(root, dir, file string) (name string, ok bool) {
	full := absolute(dir, file)
	if rel, err := filepath.Rel(root, full); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel), true
	}
	if real, err := filepath.EvalSymlinks(filepath.Dir(full)); err == nil {
		rel, err := filepath.Rel(root, filepath.Join(real, filepath.Base(full)))
		return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel)
	}
	return "", false
}

// remoteName is a remote's owner/name, whichever way it is written: it is the same as GITHUB_REPOSITORY for the repository that a CI checks out.
func remoteName(remote string) string {
	remote = strings.TrimSuffix(strings.TrimSpace(remote), ".git")
	if i := strings.Index(remote, "://"); i >= 0 {
		_, remote, _ = strings.Cut(remote[i+3:], "/")
	} else if i := strings.IndexByte(remote, ':'); i >= 0 && !strings.HasPrefix(remote, "/") {
		remote = remote[i+1:]
	}
	return strings.Trim(remote, "/")
}

// sameHost tells whether a remote is on the CI's own server, so that its name says which of that server's repositories it is.
func sameHost(remote, server string) bool {
	if server == "" {
		server = "https://github.com"
	}
	of, err := url.Parse(server)
	to, failed := url.Parse(strings.TrimSpace(remote))
	return err == nil && failed == nil && to.Host != "" && strings.EqualFold(to.Hostname(), of.Hostname()) && strings.Trim(of.Path, "/") == ""
}

// ofOtherTargets says, in at most a line a target, which deployments of these files nobody looks for any more: they are not declared, and carry the owner that the file had with another
// --environment, or with none. Several targets on one server are no fault: it is told only where a declared deployment carries that owner too, or where it is the one without a target.
func (j *job) ofOtherTargets(declared map[state.Name]bool) (notes []string) {
	used, left := map[string]bool{}, map[string][]string{}
	for name, l := range j.snapshot.Deployments {
		target, other := j.otherTarget(l.OwnerOf())
		switch {
		case !other:
		case declared[name]:
			used[target] = true
		default:
			left[target] = append(left[target], name.String())
		}
	}
	targets := make([]string, 0, len(left))
	for t := range left {
		targets = append(targets, t)
	}
	sort.Strings(targets)
	for _, t := range targets {
		if t != "" && !used[t] {
			continue
		}
		names, with := left[t], "--environment "+t
		if t == "" {
			with = "no --environment"
		}
		notes = append(notes, fmt.Sprintf("neither kept nor deleted: %s; this file created them with %s, and prune with that lists them", some(names), with))
	}
	return notes
}

// otherTarget is the target of an owner that is one of this run's files with another target.
func (j *job) otherTarget(owner string) (target string, ok bool) {
	for _, f := range j.owned() {
		rest, ours := strings.CutPrefix(owner, j.place(f))
		if ours && owner != atTarget(j.place(f), j.Environment) && (rest == "" || rest[0] == '@') {
			return strings.TrimPrefix(rest, "@"), true
		}
	}
	return "", false
}

// owned are the names of the files whose deployments this run may miss, those that aren't there any more among them.
func (j *job) owned() []string {
	names := append([]string(nil), j.basefiles...)
	for _, f := range j.Files {
		names = append(names, f.Name)
	}
	if j.Missing != "" {
		names = append(names, j.Missing)
	}
	return names
}

// ours are the owners of this run's files.
func (j *job) ours() map[string]bool {
	mine := map[string]bool{}
	for _, name := range j.owned() {
		mine[j.project.Owner(name)] = true
	}
	return mine
}
