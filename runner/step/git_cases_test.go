// The inputs of git_clone that were put to the real Prefect (git_real_test.go) and are put to us, against repositories that are the same each time, on disk and behind a server that wants a login.
package step

import (
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// op is one thing that happens in a case: a call of git_clone, or a command.
type op struct {
	Clone map[string]any `json:"clone"`
	Run   []string       `json:"run,omitempty"`
}

type gitCase struct {
	Name string
	Ops  []op
}

type m = map[string]any

func clones(inputs ...map[string]any) (ops []op) {
	for _, i := range inputs {
		ops = append(ops, op{Clone: i})
	}
	return ops
}

func between(before, after m, commands ...string) []op {
	ops := []op{{Clone: before}}
	for _, c := range commands {
		ops = append(ops, op{Run: []string{"sh", "-c", c}})
	}
	return append(ops, op{Clone: after})
}

const secretToken = "t0ken:with/odd%chars@x y"

// more adds a commit to a branch of a repository of the case.
const more = `cd <repos>/app.git && t=$(printf 'new\n' | git hash-object -w --stdin) && tree=$(printf '100644 blob %s\tnew.txt\n' $t | git mktree) && c=$(git commit-tree -p main -m four $tree) && git update-ref refs/heads/main $c`

// gitCases are all inputs. `<…>` are replaced: the case's folder, its repositories and the addresses under which they are served, and commits.
func gitCases() []gitCase {
	with := func(base m, more m) m {
		out := m{}
		for k, v := range base {
			out[k] = v
		}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	app := m{"repository": "<file>/app.git"}
	web := m{"repository": "<http>/app.git"}
	private := m{"repository": "<https>/private/app.git"}
	one := func(name string, base, more m) gitCase { return gitCase{name, clones(with(base, more))} }
	return []gitCase{
		one("file", app, nil), one("http", web, nil), one("https", m{"repository": "<https>/app.git"}, nil),
		one("path", m{"repository": "<repos>/app.git"}, nil), one("path-relative", m{"repository": "../repos/app.git"}, nil),
		one("branch", app, m{"branch": "dev"}), one("branch-with-slash", web, m{"branch": "feature/x"}), one("branch-is-a-tag", web, m{"branch": "v1"}),
		one("branch-unicode", web, m{"branch": "grün/日本"}), one("branch-missing", web, m{"branch": "nowhere"}), one("branch-space", web, m{"branch": "a b"}), one("branch-newline", web, m{"branch": "de\nv"}),
		one("branch-dollar", web, m{"branch": "$(touch x)"}), one("branch-quote", web, m{"branch": "it's \"quoted\""}), one("branch-option", web, m{"branch": "--upload-pack=touch x"}), one("branch-dash", web, m{"branch": "-x"}),
		one("branch-empty", web, m{"branch": ""}), one("branch-null", web, m{"branch": nil}), one("branch-number", web, m{"branch": 1}), one("branch-true", web, m{"branch": true}), one("branch-full-ref", web, m{"branch": "refs/heads/dev"}),
		one("commit", web, m{"commit_sha": "<c1>"}), one("commit-file", app, m{"commit_sha": "<c2>"}), one("commit-other-branch", web, m{"commit_sha": "<dev>"}), one("commit-upper-case", web, m{"commit_sha": "<C1>"}),
		one("commit-short", web, m{"commit_sha": "<c1:8>"}), one("commit-too-short", web, m{"commit_sha": "abc"}), one("commit-absent", web, m{"commit_sha": "0123456789012345678901234567890123456789"}),
		one("commit-is-a-branch", web, m{"commit_sha": "dev"}), one("commit-option", web, m{"commit_sha": "--upload-pack=x"}), one("commit-number", web, m{"commit_sha": 12345678}), one("commit-and-branch", web, m{"commit_sha": "<c1>", "branch": "dev"}),
		one("name", app, m{"clone_directory_name": "other"}), one("name-nested", app, m{"clone_directory_name": "a/b/c"}), one("name-dotted", app, m{"clone_directory_name": "./x//y/./z/"}), one("name-parent", app, m{"clone_directory_name": "../beside"}),
		one("name-absolute", app, m{"clone_directory_name": "<dir>/abs"}), one("name-space", app, m{"clone_directory_name": "sp ace"}), one("name-unicode", app, m{"clone_directory_name": "grüße 日本"}), one("name-newline", app, m{"clone_directory_name": "a\nb"}),
		one("name-dollar", app, m{"clone_directory_name": "$HOME `id`"}), one("name-dash", app, m{"clone_directory_name": "-x"}), one("name-option", app, m{"clone_directory_name": "--depth"}), one("name-empty", app, m{"clone_directory_name": ""}),
		one("name-number", app, m{"clone_directory_name": 5}), one("name-dot", app, m{"clone_directory_name": "."}), one("name-quote", app, m{"clone_directory_name": `it's "x"`}),
		one("url-ends-in-slash", m{"repository": "<file>/app.git/"}, nil), one("url-without-git", m{"repository": "<http>/app"}, nil), one("url-git-inside", m{"repository": "<http>/we.git.ird.git"}, nil),
		one("url-space", m{"repository": "<file>/sp ace.git"}, nil), one("url-encoded-space", m{"repository": "<http>/sp%20ace.git"}, nil), one("url-unicode", m{"repository": "<file>/üñí 日本.git"}, nil), one("url-query", m{"repository": "<http>/app.git?x=1"}, nil),
		one("url-fragment", m{"repository": "<http>/app.git#main"}, nil), one("url-semicolon", m{"repository": "<http>/app.git;v=1"}, nil), one("url-newline", m{"repository": "<http>/ap\np.git"}, nil), one("url-leading-space", m{"repository": " <http>/app.git"}, nil),
		one("url-upper-case", m{"repository": "HTTP<http:4>/app.git"}, nil), one("url-missing", m{"repository": "<http>/absent.git"}, nil), one("path-missing", m{"repository": "<repos>/absent.git"}, nil), one("url-empty", m{"repository": ""}, nil),
		one("url-null", m{"repository": nil}, nil), one("url-number", m{"repository": 5}, nil), one("url-absent", m{}, nil), one("url-option", m{"repository": "--upload-pack=touch x"}, nil), one("url-dash", m{"repository": "-x/app.git"}, nil),
		one("url-ext", m{"repository": "ext::sh -c touch% x"}, nil), one("url-dollar", m{"repository": "<file>/$(touch x).git"}, nil), one("url-refused", m{"repository": "http://127.0.0.1:1/app.git"}, nil), one("url-scheme", m{"repository": "gopher://x/app.git"}, nil),
		one("url-quote", m{"repository": `<file>/it's "x".git`}, nil), one("empty-repository", m{"repository": "<http>/empty.git"}, nil), one("unknown-argument", app, m{"depth": 5}),
		one("sparse", web, m{"directories": []any{"a"}}), one("sparse-several", app, m{"directories": []any{"b/deep", "sp ace", "ü"}}), one("sparse-missing", web, m{"directories": []any{"nowhere"}}), one("sparse-empty", web, m{"directories": []any{}}),
		one("sparse-null", web, m{"directories": nil}), one("sparse-text", web, m{"directories": "ab"}), one("sparse-number", web, m{"directories": []any{1}}), one("sparse-option", web, m{"directories": []any{"--cone"}}),
		one("sparse-hostile", web, m{"directories": []any{"$(touch x)", "it's", "a b", `"q"`}}), one("sparse-newline", web, m{"directories": []any{"a\nb"}}), one("sparse-parent", web, m{"directories": []any{"../x"}}), one("sparse-slash", web, m{"directories": []any{"/a/"}}),
		one("sparse-branch", web, m{"directories": []any{"a"}, "branch": "dev"}), one("sparse-commit", web, m{"directories": []any{"b"}, "commit_sha": "<c2>"}), one("sparse-mapping", web, m{"directories": m{"a": 1}}), one("sparse-true", web, m{"directories": true}),
		one("submodules", m{"repository": "<http>/with-sub.git"}, m{"include_submodules": true}), one("submodules-not", m{"repository": "<http>/with-sub.git"}, nil), one("submodules-text", m{"repository": "<http>/with-sub.git"}, m{"include_submodules": "false"}),
		one("submodules-none-there", web, m{"include_submodules": true}), one("submodules-commit", m{"repository": "<http>/with-sub.git"}, m{"include_submodules": true, "commit_sha": "<sub>"}),
		one("submodules-sparse", m{"repository": "<http>/with-sub.git"}, m{"include_submodules": true, "directories": []any{"lib"}}), one("submodules-private", m{"repository": "<https>/private/with-sub.git"}, m{"include_submodules": true, "access_token": secretToken}),
		one("submodules-private-http", m{"repository": "<http>/private/with-sub.git"}, m{"include_submodules": true, "access_token": secretToken}),
		one("private", private, nil), one("token", private, m{"access_token": secretToken}), one("token-wrong", private, m{"access_token": "wrong"}), one("token-public", m{"repository": "<https>/app.git"}, m{"access_token": "wrong"}),
		one("token-empty", private, m{"access_token": ""}), one("token-http", m{"repository": "<http>/private/app.git"}, m{"access_token": secretToken}), one("token-file", app, m{"access_token": secretToken}), one("token-number", private, m{"access_token": 5}),
		one("token-commit", private, m{"access_token": secretToken, "commit_sha": "<c1>"}), one("token-sparse", private, m{"access_token": secretToken, "directories": []any{"a"}, "branch": "dev"}),
		one("token-and-credentials", private, m{"access_token": secretToken, "credentials": m{"token": "x"}}), one("credentials-token", private, m{"credentials": m{"token": secretToken}}), one("credentials-user", private, m{"credentials": m{"username": "me@work", "token": secretToken}}),
		one("credentials-password", private, m{"credentials": m{"username": "me", "password": "p:w/%"}}), one("credentials-order", private, m{"credentials": m{"token": "b", "password": "c", "access_token": "a"}}), one("credentials-empty", private, m{"credentials": m{}}),
		one("credentials-user-only", private, m{"credentials": m{"username": "me"}}), one("credentials-nothing", private, m{"credentials": m{"url": "x"}}), one("credentials-nothing-file", app, m{"credentials": m{"url": "x"}}), one("credentials-text", private, m{"credentials": "x"}),
		one("credentials-block", private, m{"credentials": m{"block_type_slug": "github-credentials", "token": secretToken, "client": nil}}),
		one("gitlab", m{"repository": "<gitlab>/private/app.git"}, m{"credentials": m{"token": secretToken, "url": "https://gitlab.com"}}), one("gitlab-plain", m{"repository": "<gitlab>/private/app.git"}, m{"access_token": "glpat"}),
		one("gitlab-oauth2", m{"repository": "<gitlab>/private/app.git"}, m{"access_token": "oauth2:glpat"}), one("gitlab-deploy-token", m{"repository": "<gitlab>/private/app.git"}, m{"credentials": m{"username": "deploy", "token": "glpat"}}),
		one("bitbucket", m{"repository": "<bitbucket>/private/app.git"}, m{"access_token": "bb"}), one("bitbucket-pair", m{"repository": "<bitbucket>/private/app.git"}, m{"access_token": "me:bb"}), one("bitbucket-prefix", m{"repository": "<bitbucket>/private/app.git"}, m{"access_token": "x-token-auth:b:b"}),
		one("bitbucket-server", m{"repository": "<bitbucketserver>/private/app.git"}, m{"access_token": "bb"}), one("bitbucket-server-pair", m{"repository": "<bitbucketserver>/private/app.git"}, m{"access_token": "me:bb"}),
		one("azure", m{"repository": "<azure>/private/app.git"}, m{"access_token": "azpat"}), one("github", m{"repository": "<github>/private/app.git"}, m{"access_token": "ghp_x"}),
		one("login-in-url", m{"repository": "<https:user:p%40ss>/private/app.git"}, nil), one("token-in-url", m{"repository": "<https:ghp_x>/private/app.git"}, nil),
		{"again", clones(web, web)}, {"again-branch", clones(with(web, m{"branch": "dev"}), with(web, m{"branch": "dev"}))}, {"again-path", clones(m{"repository": "<repos>/app.git"}, m{"repository": "<repos>/app.git"})},
		{"again-new-commit", between(web, web, more)}, {"again-new-commit-file", between(app, app, more)}, {"again-changed", between(web, web, "echo changed > app/top.txt")}, {"again-changed-new-commit", between(web, web, "echo changed > app/new.txt", more)},
		{"again-extra-file", between(web, web, "echo mine > app/mine.txt")}, {"again-other-url", clones(web, with(m{"repository": "<http>/lib.git"}, m{"clone_directory_name": "app"}))}, {"again-commit", clones(web, with(web, m{"commit_sha": "<c1>"}))},
		{"again-commit-short", clones(web, with(web, m{"commit_sha": "<c1:9>"}))}, {"again-commit-absent", clones(web, with(web, m{"commit_sha": "abcdef12"}))}, {"again-commit-full-clone", clones(with(web, m{"commit_sha": "<c2>"}), with(web, m{"commit_sha": "<c1:9>"}))},
		{"again-sparse", clones(web, with(web, m{"directories": []any{"a"}}))}, {"again-sparse-other", clones(with(web, m{"directories": []any{"a"}}), with(web, m{"directories": []any{"b"}}))}, {"again-other-branch", clones(with(web, m{"clone_directory_name": "x"}), with(web, m{"clone_directory_name": "x", "branch": "dev"}))},
		{"again-submodules", clones(m{"repository": "<http>/with-sub.git"}, m{"repository": "<http>/with-sub.git", "include_submodules": true})}, {"again-token", clones(with(private, m{"access_token": secretToken}), with(private, m{"access_token": secretToken}))},
		{"again-host-in-capitals", clones(m{"repository": "<http>/app.git"}, m{"repository": "<HTTP>/app.git"})},
		{"in-the-way-file", []op{{Run: []string{"sh", "-c", "echo x > app"}}, {Clone: web}}}, {"in-the-way-folder", []op{{Run: []string{"sh", "-c", "mkdir app; echo x > app/y"}}, {Clone: web}}}, {"in-the-way-empty-folder", []op{{Run: []string{"mkdir", "app"}}, {Clone: web}}},
		{"in-the-way-repository", []op{{Run: []string{"git", "init", "-q", "app"}}, {Clone: web}}}, {"in-the-way-broken-clone", between(web, web, "rm -rf app/.git/objects app/.git/refs")},
	}
}

// gitServer serves the folders of cases, what stands under private/ to whoever brings a login, and notes the logins.
type gitServer struct {
	root        string
	plain, safe *httptest.Server
	mu          sync.Mutex
	logins      map[string][]string
	// refused is a login, user NUL password, that is no good, as is any of a user "wrong".
	refused string
}

var gitHosts = map[string]string{"gitlab": "gitlab.example", "bitbucket": "bitbucket.example", "bitbucketserver": "bitbucketserver.example", "azure": "dev.azure.example", "github": "github.example"}

func newGitServer(t testing.TB) *gitServer {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &gitServer{root: root, logins: map[string][]string{}}
	s.plain, s.safe = httptest.NewServer(s), httptest.NewTLSServer(s)
	t.Cleanup(s.plain.Close)
	t.Cleanup(s.safe.Close)
	return s
}

func (s *gitServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	user, password, ok := r.BasicAuth()
	if ok {
		s.mu.Lock()
		if login := user + "\x00" + password; !slices.Contains(s.logins[name], login) {
			s.logins[name] = append(s.logins[name], login)
		}
		s.mu.Unlock()
	}
	if strings.HasPrefix(rest, "private/") {
		if !ok || user == "wrong" || user+"\x00"+password == s.refused {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		rest = strings.TrimPrefix(rest, "private/")
	}
	r.URL.Path = "/" + name + "/repos/" + rest
	backend := cgi.Handler{Path: httpBackend(), Root: "/", Env: []string{"GIT_PROJECT_ROOT=" + s.root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=" + s.root}}
	r.Header.Del("Authorization")
	backend.ServeHTTP(w, r)
}

var httpBackend = sync.OnceValue(func() string {
	out, err := osexec.Command("git", "--exec-path").Output()
	if err != nil {
		return "git-http-backend"
	}
	return filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
})

func (s *gitServer) port(of *httptest.Server) string {
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(strings.TrimPrefix(of.URL, "http://"), "https://"))
	return port
}

// env is the environment of both sides: nothing of this machine's git, and names of providers that lead to the server.
func (s *gitServer) env() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=/nowhere", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_SSL_NO_VERIFY=true", "LC_ALL=C.UTF-8", "GIT_CEILING_DIRECTORIES=" + s.root,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b", "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z"}
	configure := [][2]string{{"protocol.version", "2"}, {"advice.detachedHead", "false"}, {"init.defaultBranch", "main"}}
	for _, host := range slices.Sorted(maps.Values(gitHosts)) {
		configure = append(configure, [2]string{"http.curloptResolve", host + ":" + s.port(s.safe) + ":127.0.0.1"})
	}
	env = append(env, "GIT_CONFIG_COUNT="+itoa(len(configure)))
	for i, kv := range configure {
		env = append(env, "GIT_CONFIG_KEY_"+itoa(i)+"="+kv[0], "GIT_CONFIG_VALUE_"+itoa(i)+"="+kv[1])
	}
	return env
}

func itoa(i int) string { return value.Of(i).Str() }

// replacer fills the placeholders of a case; back takes them out of what came of it.
func (s *gitServer) replacer(name string, commits map[string]string) (fill, back *strings.Replacer) {
	dir := filepath.Join(s.root, name)
	http, https := s.plain.URL+"/"+name, s.safe.URL+"/"+name
	pairs := []string{"<dir>", filepath.Join(dir, "work"), "<repos>", filepath.Join(dir, "repos"), "<file>", "file://" + filepath.Join(dir, "repos"), "<http:4>", http[4:], "<http>", http,
		"<HTTP>", strings.Replace(http, "http://", "HTTP://", 1), "<https>", https, "<https:user:p%40ss>", strings.Replace(https, "//", "//user:p%40ss@", 1), "<https:ghp_x>", strings.Replace(https, "//", "//ghp_x@", 1)}
	reverse := []string{filepath.Join(dir, "work"), "<dir>", filepath.Join(dir, "repos"), "<repos>", http, "<http>", https, "<https>"}
	for _, key := range slices.Sorted(maps.Keys(gitHosts)) {
		host := gitHosts[key]
		pairs = append(pairs, "<"+key+">", "https://"+host+":"+s.port(s.safe)+"/"+name)
		reverse = append(reverse, host+":"+s.port(s.safe)+"/"+name, "<"+key+">")
	}
	for _, key := range slices.Sorted(maps.Keys(commits)) {
		sha := commits[key]
		pairs = append(pairs, "<"+key+">", sha, "<"+strings.ToUpper(key)+">", strings.ToUpper(sha), "<"+key+":8>", sha[:8], "<"+key+":9>", sha[:9])
		reverse = append(reverse, sha, "<"+key+">")
	}
	return strings.NewReplacer(pairs...), strings.NewReplacer(reverse...)
}

// fixtures makes the repositories once, and tells commits by name. Dates and names are fixed, so that the commits are.
func (s *gitServer) fixtures(t testing.TB) (dir string, commits map[string]string) {
	t.Helper()
	dir = t.TempDir()
	script := `set -e
git init -q app && cd app && mkdir a b b/deep 'sp ace' ü
echo one > top.txt; echo a > a/a.txt; echo b > b/b.txt; echo d > b/deep/d.txt; echo s > 'sp ace/s.txt'; echo u > ü/u.txt; echo '#!/bin/sh' > a/tool; chmod +x a/tool; ln -s a/a.txt link
git add . && git commit -qm one && git tag v1 && echo two > top.txt && git commit -qam two && git checkout -qb dev && echo dev > a/dev.txt && git add . && git commit -qm dev && git branch feature/x && git branch 'grün/日本'
git checkout -q main && echo three > top.txt && git commit -qam three && cd ..
git init -q lib && cd lib && echo lib > lib.txt && git add . && git commit -qm lib && cd ..
git init -q with-sub && cd with-sub && echo x > x.txt && printf '[submodule "lib"]\n\tpath = lib\n\turl = ../lib.git\n' > .gitmodules && git add . && git update-index --add --cacheinfo 160000,$(git -C ../lib rev-parse HEAD),lib && git commit -qm sub && cd ..
git init -q empty
for r in app lib with-sub empty; do git clone -q --bare $r $r.git; git -C $r.git config uploadpack.allowFilter true; git -C $r.git config uploadpack.allowAnySHA1InWant true; rm -rf $r; done
rm -rf */hooks; for n in 'sp ace' we.git.ird 'üñí 日本'; do cp -r lib.git "$n.git"; done
`
	cmd := osexec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = dir, s.env()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	commits = map[string]string{}
	for key, of := range map[string][2]string{"c1": {"app", "v1"}, "c2": {"app", "main~1"}, "c3": {"app", "main"}, "dev": {"app", "dev"}, "sub": {"with-sub", "main"}, "lib": {"lib", "main"}} {
		commits[key] = s.git(t, filepath.Join(dir, of[0]+".git"), "rev-parse", of[1])
	}
	return dir, commits
}

func (s *gitServer) git(t testing.TB, dir string, words ...string) string {
	t.Helper()
	cmd := osexec.Command("git", words...)
	cmd.Dir, cmd.Env = dir, s.env()
	out, err := cmd.Output() // and not its warnings: some come only while a file's time is not the index's
	if err != nil {
		return "error"
	}
	return strings.TrimSpace(string(out))
}

// prepare gives a case its folders: work, in which the steps run, and repos.
func (s *gitServer) prepare(t testing.TB, fixtures, name string) string {
	t.Helper()
	work := filepath.Join(s.root, name, "work")
	if err := os.MkdirAll(work, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := osexec.Command("cp", "-r", fixtures, filepath.Join(s.root, name, "repos")).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return work
}

// effects is what lies in the folder of a case afterwards, a line a thing: files with their text, and what git has of each clone.
func (s *gitServer) effects(t testing.TB, name string) []string {
	t.Helper()
	var out []string
	top := filepath.Join(s.root, name)
	err := filepath.WalkDir(top, func(path string, e os.DirEntry, err error) error {
		rel, _ := filepath.Rel(top, path)
		switch {
		case err != nil:
			return err
		case rel == "repos":
			return filepath.SkipDir
		case e.Name() == ".git":
			out = append(out, s.said(t, filepath.Dir(path), filepath.Dir(rel))...)
			if e.IsDir() {
				return filepath.SkipDir
			}
		case e.Type()&os.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			out = append(out, rel+" -> "+to)
		case e.IsDir():
			out = append(out, rel+"/")
		default:
			data, _ := os.ReadFile(path)
			info, _ := e.Info()
			line := rel + ": " + strings.ReplaceAll(string(data), "\n", "|")
			if info.Mode()&0o111 != 0 {
				line = "x " + line
			}
			out = append(out, line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// said is what git has of a clone: its own files where they say it, for each command is a process. withoutAuth takes the login out of a remote, where Prefect leaves it.
func (s *gitServer) said(t testing.TB, dir, rel string) (out []string) {
	of := filepath.Join(dir, ".git")
	if data, err := os.ReadFile(of); err == nil {
		of = filepath.Join(dir, strings.TrimSpace(strings.TrimPrefix(string(data), "gitdir: ")))
	}
	for _, name := range []string{"HEAD", "shallow", "config", "info/sparse-checkout"} {
		data, err := os.ReadFile(filepath.Join(of, name))
		if err != nil {
			continue
		}
		for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
			if address, ok := strings.CutPrefix(line, "\turl = "); ok {
				line = "\turl = " + withoutAuth(address)
			}
			out = append(out, rel+" "+name+": "+line)
		}
	}
	for _, words := range [][]string{{"status", "--porcelain"}, {"for-each-ref", "--format=%(refname) %(objectname)"}} {
		out = append(out, rel+" "+words[0]+": "+strings.ReplaceAll(s.git(t, dir, words...), "\n", "|"))
	}
	return out
}

func (s *gitServer) seen(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, login := range s.logins[name] {
		out = append(out, base64.StdEncoding.EncodeToString([]byte(login)))
	}
	sort.Strings(out)
	return out
}

// cameOf is what a case gave: an answer for each call, what lies there, and which logins the server was shown.
type cameOf struct {
	Answers []answerOf `json:"answers"`
	Effects []string   `json:"effects"`
	Logins  []string   `json:"logins"`
}

// answerOf is an output, or the type of an exception.
type answerOf struct {
	Directory string `json:"directory,omitempty"`
	Error     string `json:"error,omitempty"`
}

// told takes the placeholders back.
func (c *cameOf) told(back *strings.Replacer) {
	for i := range c.Effects {
		c.Effects[i] = back.Replace(c.Effects[i])
	}
	for i := range c.Answers {
		c.Answers[i].Directory = back.Replace(c.Answers[i].Directory)
	}
}

// filled is an op with the placeholders filled.
func (o op) filled(fill *strings.Replacer) op {
	var in func(v any) any
	in = func(v any) any {
		switch v := v.(type) {
		case string:
			return fill.Replace(v)
		case []any:
			out := []any{}
			for _, item := range v {
				out = append(out, in(item))
			}
			return out
		case m:
			out := m{}
			for k, item := range v {
				out[k] = in(item)
			}
			return out
		}
		return v
	}
	out := op{}
	for _, w := range o.Run {
		out.Run = append(out.Run, fill.Replace(w))
	}
	if o.Clone != nil {
		out.Clone = in(o.Clone).(m)
	}
	return out
}
