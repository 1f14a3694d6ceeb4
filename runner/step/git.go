// git_clone natively, with Prefect 3.8.8's behaviour (prefect/deployments/steps/pull.py, prefect/runner/storage.py), through the git command line on PATH: lists of words, never a shell.
//
// The commands are Prefect's, so that what lies on the disk afterwards is too: the same depth, the same sparse state, the same commit. A new clone of a branch is
//
//	git clone --branch B --depth 1 -- URL DIR
//
// one of a commit leaves the blobs out and fetches that commit; a directory that holds a clone of the same repository already is pulled, and cloned anew where that fails, because a shallow clone can't
// be merged with what came after it. One thing differs: Prefect writes the token into the URL, and so into argv, into .git/config and into git's messages. Here the URL never holds it. git asks for it
// when a server wants it (gitlogin.go), and nothing of it stays behind.
package step

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// clone is one call of git_clone, its arguments checked.
type clone struct {
	call Call
	// url is what git is given: without user and password.
	url, branch, commit, name string
	submodules                bool
	directories               []string
	env, second               []string // second: when the first login is refused, nil for none
	path                      string
	// dir is where the clone goes.
	dir string
	// begun: this call cloned it, and did not finish.
	begun bool
}

// gitClone gives {"directory": …}: the clone's directory as seen from the one that the step runs in.
func gitClone(ctx context.Context, c Call) (value.Value, error) {
	g, err := newClone(c)
	if err != nil {
		return value.Value{}, err
	}
	directory, err := below(c.Dir, g.name)
	if err != nil {
		return value.Value{}, err
	}
	g.withoutQuestions(ctx, parseURL(g.url))
	if err := g.pullWithRetries(ctx); err != nil {
		return value.Value{}, err
	}
	return result("directory", directory), nil
}

func newClone(c Call) (*clone, error) {
	if err := arguments(c, "repository", "branch", "commit_sha", "include_submodules", "access_token", "credentials", "directories", "clone_directory_name"); err != nil {
		return nil, err
	}
	repository, _ := c.Inputs.Get("repository")
	submodules, _ := c.Inputs.Get("include_submodules")
	g := &clone{call: c, url: repository.Text, submodules: submodules.Truthy()}
	for _, a := range []struct {
		name string
		to   *string
	}{{"branch", &g.branch}, {"commit_sha", &g.commit}, {"clone_directory_name", &g.name}} {
		var err error
		if *a.to, err = textOf(c, a.name); err != nil {
			return nil, err
		}
	}
	switch {
	case g.branch != "" && g.commit != "":
		return nil, errors.New("git_clone takes a branch or a commit_sha, not both: leave one of them out")
	case strings.HasPrefix(g.branch, "-"):
		return nil, fmt.Errorf("the branch %q begins with -, and no branch can", g.branch)
	case g.commit != "" && !hexadecimal(g.commit):
		return nil, fmt.Errorf("the commit_sha %q is not 4 to 64 hexadecimal digits: a branch or tag goes under \"branch\"", g.commit)
	}
	var err error
	if g.directories, err = directoriesOf(c); err != nil {
		return nil, err
	}
	parsed := parseURL(g.url)
	login, err := loginOf(c, parsed, g.submodules)
	if err != nil {
		return nil, err
	}
	if g.name == "" {
		g.name = defaultName(parsed.path, g.branch)
	}
	g.dir = g.name
	if !filepath.IsAbs(g.dir) {
		g.dir = filepath.Join(c.Dir, g.name)
	}
	g.url = withoutUser(g.url)
	g.env, g.path = gitEnvironment(c.Env, login)
	if login != nil && login.alone {
		g.second = ownPassword(c.Env, login)
	}
	return g, nil
}

// withoutQuestions keeps ssh from asking for a password or about a new host, on a terminal that the step is not in front of: it would stand still for ever. Where somebody says which ssh to use, that one knows.
func (g *clone) withoutQuestions(ctx context.Context, u pyURL) {
	host, _, colon := strings.Cut(g.url, ":")
	if !strings.HasSuffix(u.scheme, "ssh") && (u.netloc != "" || !colon || strings.Contains(host, "/")) {
		return
	}
	for _, kv := range g.env {
		if strings.HasPrefix(kv, "GIT_SSH=") || strings.HasPrefix(kv, "GIT_SSH_COMMAND=") {
			return
		}
	}
	var out, errs output
	if g.run(ctx, g.call.Dir, &out, &errs, []string{"config", "--get", "core.sshCommand"}) != nil {
		g.env = append(g.env, "GIT_SSH_COMMAND=ssh -o BatchMode=yes")
	}
}

// textOf is an argument that may be left out; what Python counts as false is none.
func textOf(c Call, name string) (string, error) {
	v, _ := c.Inputs.Get(name)
	switch {
	case !v.Truthy():
		return "", nil
	case v.Kind != value.Text:
		return "", fmt.Errorf("the argument %q of git_clone must be text, not %s: put it in quotes", name, v.Kind)
	case strings.IndexByte(v.Text, 0) >= 0:
		return "", fmt.Errorf("the argument %q of git_clone holds a NUL character, which no command line or path can", name)
	}
	return v.Text, nil
}

// directoriesOf are the directories of a sparse checkout. Of a text Python takes each letter, as of a list its items.
func directoriesOf(c Call) ([]string, error) {
	v, _ := c.Inputs.Get("directories")
	var out []string
	switch {
	case !v.Truthy():
		return nil, nil
	case v.Kind == value.Text:
		for _, r := range v.Text {
			out = append(out, string(r))
		}
	case v.Kind == value.Map:
		for _, e := range v.Map {
			out = append(out, e.Key)
		}
	case v.Kind != value.List:
		return nil, fmt.Errorf("the argument \"directories\" of git_clone must be a list, not %s", v.Kind)
	}
	for i := range v.List {
		if v.List[i].Kind != value.Text {
			return nil, fmt.Errorf("directories[%d] of git_clone must be text, not %s: put it in quotes", i, v.List[i].Kind)
		}
		out = append(out, v.List[i].Text)
	}
	for _, d := range out {
		if strings.IndexByte(d, 0) >= 0 {
			return nil, errors.New("one of \"directories\" of git_clone holds a NUL character, which no path can")
		}
	}
	return out, nil
}

func hexadecimal(s string) bool {
	return len(s) >= 4 && len(s) <= 64 && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// defaultName is what Prefect calls the directory: the last part of the URL's path, every ".git" taken out, and the branch.
func defaultName(path, branch string) string {
	name := strings.ReplaceAll(path[strings.LastIndexByte(path, '/')+1:], ".git", "")
	if branch != "" {
		name += "-" + strings.ReplaceAll(branch, "/", "-")
	}
	return name
}

// below is a path as pathlib shows it as seen from dir: without `.` and doubled slashes, with `..` as written. One that leads elsewhere is an error, as in Prefect, which finds out after cloning.
func below(dir, name string) (string, error) {
	if filepath.IsAbs(name) {
		rest, ok := strings.CutPrefix(filepath.ToSlash(name), strings.TrimSuffix(filepath.ToSlash(dir), "/")+"/")
		if !ok && name != dir {
			return "", fmt.Errorf("the directory %q is not below %s, and a clone's directory must be: write a relative path", name, dir)
		}
		name = rest
	}
	var parts []string
	for _, p := range strings.Split(filepath.ToSlash(name), "/") {
		if p != "" && p != "." {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return ".", nil
	}
	return strings.Join(parts, string(filepath.Separator)), nil
}

// attempts is how often Prefect tries a clone.
const attempts = 3

// pullWithRetries tries again, as Prefect does, what another moment may mend; a wrong token or a repository that is not there is said at once.
func (g *clone) pullWithRetries(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := g.pull(ctx)
		var failed *gitError
		if err == nil || attempt == attempts || !errors.As(err, &failed) || !NetworkFailed(failed.stderr) {
			return err
		}
		pause := time.NewTimer(time.Duration(attempt) * time.Second)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		}
	}
}

// pull brings the directory to what the arguments say.
func (g *clone) pull(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(g.dir, ".git")); err != nil {
		return g.clone(ctx)
	}
	existing, err := g.ask(ctx, "config", "--get", "remote.origin.url")
	if err != nil {
		return fmt.Errorf("the directory %q is a git repository without a remote origin: remove it, or choose another clone_directory_name", g.name)
	}
	if withoutAuth(existing) != withoutAuth(g.url) {
		return fmt.Errorf("the directory %q is a clone of %s, not of %s: remove it, or choose another clone_directory_name", g.name, withoutAuth(existing), withoutAuth(g.url))
	}
	if g.begun || g.neverCheckedOut() {
		return g.finish(ctx)
	}
	if sparse, _ := g.ask(ctx, "config", "--get", "core.sparseCheckout"); len(g.directories) > 0 && !strings.EqualFold(sparse, "true") {
		if err := g.narrow(ctx); err != nil {
			return err
		}
	}
	if g.commit != "" {
		return g.pullCommit(ctx)
	}
	words := []string{"pull", "origin"}
	if g.branch != "" {
		words = append(words, g.branch)
	}
	if g.submodules {
		words = append(words, "--recurse-submodules")
	}
	if err := g.git(ctx, g.dir, append(words, "--depth", "1")...); err != nil {
		return g.anew(ctx, err)
	}
	return nil
}

// pullCommit follows Prefect to where it leaves a clone that is there: a commit that is written out in full counts as checked out, whichever one is.
func (g *clone) pullCommit(ctx context.Context) error {
	if named, err := g.ask(ctx, "rev-parse", g.commit); err == nil && named == g.commit {
		if head, err := g.ask(ctx, "rev-parse", "HEAD"); err == nil && head != g.commit && g.call.Stderr != nil {
			g.call.Stderr([]byte(fmt.Sprintf("the clone that is there stays at %s, as Prefect leaves it; remove %q to have %s", head, g.name, g.commit)))
		}
		return nil
	}
	words := []string{"fetch", "origin", g.commit}
	if shallow, _ := g.ask(ctx, "rev-parse", "--is-shallow-repository"); shallow == "true" {
		words = []string{"fetch", "origin", "--unshallow"}
	}
	if err := g.git(ctx, g.dir, words...); err != nil {
		if err := g.anew(ctx, err); err != nil {
			return err
		}
	}
	return g.git(ctx, g.dir, "checkout", g.commit)
}

// anew removes a clone that could not be pulled, and makes another. Where the step itself runs inside of it that would remove the project: then it stays.
func (g *clone) anew(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if rel, err := filepath.Rel(g.dir, g.call.Dir); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("%w; Prefect would now remove %s and clone it anew, and the step runs in it: choose a clone_directory_name", cause, g.dir)
	}
	if err := os.RemoveAll(g.dir); err != nil {
		return fmt.Errorf("the clone %q could not be pulled, nor removed: %w", g.name, err)
	}
	return g.clone(ctx)
}

// clone makes a new clone.
func (g *clone) clone(ctx context.Context) error {
	words := []string{"clone"}
	if g.submodules {
		words = append(words, "--recurse-submodules")
	}
	if len(g.directories) > 0 {
		words = append(words, "--sparse")
	}
	switch {
	case g.commit != "":
		words = append(words, "--filter=blob:none", "--no-checkout")
	case g.branch != "":
		words = append(words, "--branch", g.branch, "--depth", "1")
	default:
		words = append(words, "--depth", "1")
	}
	if err := g.git(ctx, g.call.Dir, append(words, "--", g.url, g.dir)...); err != nil {
		return err
	}
	return g.finish(ctx)
}

// finish brings a new clone to its commit and its directories. One that was left half done, by a network that failed or an end from outside, is not taken for a clone that is there, as Prefect takes it: it holds no file of the commit.
func (g *clone) finish(ctx context.Context) error {
	g.begun = true
	if g.commit != "" {
		if err := g.git(ctx, g.dir, "fetch", "origin", g.commit); err != nil {
			return err
		}
		if err := g.git(ctx, g.dir, "checkout", g.commit); err != nil {
			return err
		}
	}
	if len(g.directories) > 0 {
		if err := g.narrow(ctx); err != nil {
			return err
		}
	}
	g.begun = false
	return nil
}

// neverCheckedOut reports whether a clone of a commit stopped before its checkout.
func (g *clone) neverCheckedOut() bool {
	_, err := os.Stat(filepath.Join(g.dir, ".git", "index"))
	return g.commit != "" && errors.Is(err, os.ErrNotExist)
}

// narrow leaves the directories that are named, and the top's files, in the work tree.
func (g *clone) narrow(ctx context.Context) error {
	return g.git(ctx, g.dir, append([]string{"sparse-checkout", "set", "--"}, g.directories...)...)
}

// ask runs a command of git for its answer alone.
func (g *clone) ask(ctx context.Context, words ...string) (string, error) {
	var out, errs output
	err := g.run(ctx, g.dir, &out, &errs, words)
	return strip(out.text()), err
}

// git runs a command of git that changes something; what it prints is the step's output.
func (g *clone) git(ctx context.Context, dir string, words ...string) error {
	var out, errs output
	out.live.to, errs.live.to = g.call.Stdout, g.call.Stderr
	err := g.run(ctx, dir, &out, &errs, words)
	if failed, ok := err.(*gitError); ok && g.second != nil && failed.refused() {
		g.env, g.second = g.second, nil
		return g.git(ctx, dir, words...)
	}
	return err
}

func (g *clone) run(ctx context.Context, dir string, out, errs *output, words []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := startWords(append([]string{"git"}, words...), dir, g.env, g.path, out.write, errs.write)
	if err != nil {
		return fmt.Errorf("git cannot be started: %w", err)
	}
	select {
	case <-c.drained:
	case <-ctx.Done():
		c.stop()
		return ctx.Err()
	}
	out.live.end()
	errs.live.end()
	if code := exitCode(c.cmd.ProcessState); code != 0 {
		return &gitError{word: words[0], url: withoutAuth(g.url), stderr: errs.text(), code: code}
	}
	return nil
}

// gitError is a command of git that failed.
type gitError struct {
	word, url, stderr string
	code              int
}

func (e *gitError) refused() bool {
	return holdsAny(e.stderr, "authentication failed", "could not read username", "could not read password", "requested url returned error: 403", "requested url returned error: 401")
}

// Error is one sentence: what failed, git's own reason, and what to look at.
func (e *gitError) Error() string {
	text := fmt.Sprintf("git %s of %s failed (code %d)", e.word, e.url, e.code)
	if reason := e.reason(); reason != "" {
		text += ": " + reason
	}
	switch {
	case e.refused():
		return text + "; see that access_token or credentials are given, right for this repository and not expired"
	case holdsAny(e.stderr, "permission denied (publickey", "host key verification failed"):
		return text + "; see to the SSH key and the known hosts of this machine"
	case holdsAny(e.stderr, "remote branch"):
		return text + "; see that the branch is there"
	case holdsAny(e.stderr, "repository not found", "' not found", "does not appear to be a git repository", "does not exist"):
		return text + "; see that the URL is right and that the credentials may read it"
	case holdsAny(e.stderr, "destination path"):
		return text + "; remove it, or choose another clone_directory_name"
	case holdsAny(e.stderr, "could not resolve host", "connection refused", "failed to connect"):
		return text + "; see to the network"
	}
	return text
}

// reason is the line in which git says why: the first that begins so, else the last.
func (e *gitError) reason() string {
	last := ""
	for _, line := range splitlines(e.stderr) {
		line = strip(line)
		for _, mark := range []string{"fatal: ", "error: "} {
			if rest, ok := strings.CutPrefix(line, mark); ok {
				return strings.TrimSuffix(rest, ".")
			}
		}
		if line != "" {
			last = line
		}
	}
	return last
}

func holdsAny(text string, words ...string) bool {
	text = strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
