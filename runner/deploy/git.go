// The commit as version: what Prefect 3.8.8 derives when a file names no version (facts: prefect/_internal/versioning.py). It asks the CI's variables first, then git, and
// every source needs a commit message from `git log`, so without a repository there is none.
package deploy

import (
	"context"
	osexec "os/exec"
	"strings"
	"sync"
	"time"

	"github.com/org/prefect-deploy-action/runner/plan"
)

type gitCommit struct {
	dir     string
	env     func(string) (string, bool)
	environ []string

	once    sync.Once
	message string
	byType  map[string]*plan.VersionInfo
}

// source is one CI: the variables of the commit, the branch and the repository, and how the URL is put together.
var sources = []struct {
	kind, commit, branch, repository string
	url                              func(env func(string) string, repository, commit string) string
}{
	{"vcs:github", "GITHUB_SHA", "GITHUB_REF_NAME", "GITHUB_REPOSITORY", func(env func(string) string, repository, commit string) string {
		return env("GITHUB_SERVER_URL") + "/" + repository + "/tree/" + commit
	}},
	{"vcs:gitlab", "CI_COMMIT_SHA", "CI_COMMIT_REF_NAME", "CI_PROJECT_NAME", func(env func(string) string, _, commit string) string {
		return env("CI_PROJECT_URL") + "/-/tree/" + commit
	}},
	{"vcs:bitbucket", "BITBUCKET_COMMIT", "BITBUCKET_BRANCH", "BITBUCKET_REPO_SLUG", func(env func(string) string, _, commit string) string {
		return env("BITBUCKET_GIT_HTTP_ORIGIN") + "/src/" + commit
	}},
	{"vcs:azuredevops", "BUILD_SOURCEVERSION", "BUILD_SOURCEBRANCHNAME", "BUILD_REPOSITORY_NAME", func(env func(string) string, _, commit string) string {
		return env("BUILD_REPOSITORY_URI") + "?version=GC" + commit
	}},
}

// version is Prefect's get_inferred_version_info: versionType narrows the search to one source, "" tries all in order.
func (g *gitCommit) version(versionType string) *plan.VersionInfo {
	g.once.Do(g.read)
	if versionType != "" {
		return g.byType[versionType]
	}
	for _, s := range sources {
		if v := g.byType[s.kind]; v != nil {
			return v
		}
	}
	return g.byType["vcs:git"]
}

func (g *gitCommit) read() {
	g.byType = map[string]*plan.VersionInfo{}
	log, ok := g.git("log", "-1", "--pretty=%H%n%B")
	if !ok {
		return
	}
	sha, body, _ := strings.Cut(log, "\n")
	g.message, _, _ = strings.Cut(strings.TrimSpace(body), "\n")
	if g.message == "" {
		return
	}
	get := func(name string) string {
		v, _ := g.env(name)
		return v
	}
	address := func(name string) string { // Prefect puts Python's word for nothing there
		if v, set := g.env(name); set {
			return v
		}
		return "None"
	}
	for _, s := range sources {
		commit, branch, repository := get(s.commit), get(s.branch), get(s.repository)
		if commit != "" && branch != "" && repository != "" {
			g.byType[s.kind] = &plan.VersionInfo{Type: s.kind, Version: first8(commit), CommitSHA: commit, Message: g.message, Branch: branch,
				Repository: repository, URL: s.url(address, repository, commit)}
		}
	}
	g.fromGit(strings.TrimSpace(sha))
}

func (g *gitCommit) fromGit(sha string) {
	remote, ok := g.git("config", "--get", "remote.origin.url")
	if remote = strings.TrimSpace(remote); !ok || remote == "" {
		return
	}
	branch, ok := g.git("rev-parse", "--abbrev-ref", "HEAD")
	if !ok {
		return
	}
	_, rest := splitRemote(remote)
	if _, path, has := strings.Cut(rest, "//"); has && strings.HasPrefix(rest, "//") {
		_, rest, _ = strings.Cut(path, "/")
	}
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	repository := strings.TrimSuffix(strings.Trim(rest, "/"), ".git")
	if repository == "" {
		return
	}
	g.byType["vcs:git"] = &plan.VersionInfo{Type: "vcs:git", Version: first8(sha), CommitSHA: sha, Message: g.message, Branch: strings.TrimSpace(branch),
		Repository: repository, URL: withoutLogin(remote)}
}

// splitRemote cuts the scheme off as Python's urlsplit does: of HOST:PATH the host is one, unless it holds an @.
func splitRemote(remote string) (scheme, rest string) {
	scheme, rest, ok := strings.Cut(remote, ":")
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	if !ok || scheme == "" || !letter(rune(scheme[0])) || strings.ContainsFunc(scheme, func(r rune) bool { return !letter(r) && !strings.ContainsRune("0123456789+-.", r) }) {
		return "", remote
	}
	return scheme, rest
}

// withoutLogin takes what logs in out of a remote's URL: it would lie open on the server. A token may stand as the name or as the password.
func withoutLogin(remote string) string {
	scheme, rest := splitRemote(remote)
	host, found := strings.CutPrefix(rest, "//")
	if !found || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return remote
	}
	end := len(host)
	if i := strings.IndexAny(host, "/?#"); i >= 0 {
		end = i
	}
	return scheme + "://" + host[strings.LastIndexByte(host[:end], '@')+1:]
}

func first8(s string) string { return s[:min(8, len(s))] }

func (g *gitCommit) git(args ...string) (string, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c := osexec.CommandContext(ctx, "git", args...)
	c.Dir, c.Env = g.dir, g.environ
	out, err := c.Output()
	return string(out), err == nil
}
