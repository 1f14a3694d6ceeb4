// git_clone against what the real one did with the same inputs (git_cases_test.go), and what ours must not do: show, keep or pass on a token.
package step

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	osexec "os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func needGit(t testing.TB) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the repositories are made with a POSIX shell")
	}
	if _, err := os.Stat(httpBackend()); err != nil {
		t.Fatalf("git with its http-backend is needed: %v", err)
	}
}

// Every second case here; TestGitAllAsRecorded has them all.
func TestGitAsRecorded(t *testing.T) { gitAsRecorded(t, 2) }

func gitAsRecorded(t *testing.T, every int) {
	needGit(t)
	var golden map[string]*cameOf
	load(t, "git.golden.json", &golden)
	if len(golden) < 60 || len(golden) != len(gitCases()) {
		t.Fatalf("%d recorded cases, and %d to compare", len(golden), len(gitCases()))
	}
	s := newGitServer(t)
	fixtures, commits := s.fixtures(t)
	for i, c := range gitCases() {
		if i%every != 0 {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			want := golden[c.Name]
			dir := s.prepare(t, fixtures, c.Name)
			fill, back := s.replacer(c.Name, commits)
			got := &cameOf{Answers: []answerOf{}}
			for _, o := range c.Ops {
				o = o.filled(fill)
				if o.Clone == nil {
					cmd := osexec.Command(o.Run[0], o.Run[1:]...)
					cmd.Dir, cmd.Env = dir, s.env()
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("%s: %v", out, err)
					}
					continue
				}
				got.Answers = append(got.Answers, s.ours(t, dir, o.Clone, want.Answers[len(got.Answers)]))
			}
			got.Effects, got.Logins = s.effects(t, c.Name), s.seen(c.Name)
			got.told(back)
			if !slices.Equal(got.Effects, want.Effects) {
				t.Errorf("it left\n%s\nwant\n%s", strings.Join(got.Effects, "\n"), strings.Join(want.Effects, "\n"))
			}
			if !reflect.DeepEqual(got.Answers, want.Answers) || !slices.Equal(got.Logins, want.Logins) {
				t.Errorf("it gave %+v and showed the server %q\nwant %+v and %q", got.Answers, got.Logins, want.Answers, want.Logins)
			}
		})
	}
}

// ours is what our git_clone gives; of an error it says only that it is one, by the name that Prefect's has.
func (s *gitServer) ours(t *testing.T, dir string, inputs m, want answerOf) answerOf {
	t.Helper()
	got, err := s.call(t, dir, inputs)
	if err != nil {
		if strings.Contains(err.Error(), "\n") || len(err.Error()) < 10 {
			t.Errorf("the error is no plain sentence: %q", err)
		}
		if want.Error != "" {
			return want
		}
		return answerOf{Error: err.Error()}
	}
	directory, _ := got.Get("directory")
	if len(got.Map) != 1 {
		t.Errorf("it gave %s", got.AppendJSON(nil))
	}
	return answerOf{Directory: directory.Text}
}

func (s *gitServer) call(t *testing.T, dir string, inputs m) (value.Value, error) {
	t.Helper()
	c := s.made(t, dir, inputs)
	return Lookup(c.Function, nil)(context.Background(), c)
}

func (s *gitServer) made(t *testing.T, dir string, inputs m) Call {
	t.Helper()
	data, err := json.Marshal(inputs)
	if err != nil {
		t.Fatal(err)
	}
	v, err := value.FromJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	return Call{Function: "prefect.deployments.steps.git_clone", Inputs: v, Root: dir, Dir: dir, Env: s.env()}
}

// forms are the ways in which a token may show.
func forms(token string) []string {
	return []string{token, url.QueryEscape(token), url.PathEscape(token), base64.StdEncoding.EncodeToString([]byte(token + ":")), base64.StdEncoding.EncodeToString([]byte(token))}
}

func TestGitKeepsTheTokenToItself(t *testing.T) {
	needGit(t)
	s := newGitServer(t)
	fixtures, commits := s.fixtures(t)
	const token = "canary-4f1d/9b%:x"
	private := m{"repository": "<https>/private/app.git", "access_token": token}
	for name, c := range map[string]struct {
		inputs, again m
		fails         bool
	}{
		"branch":      {inputs: private, again: private},
		"commit":      {inputs: m{"repository": "<https>/private/app.git", "access_token": token, "commit_sha": "<c1>", "directories": []any{"a"}}},
		"submodules":  {inputs: m{"repository": "<https>/private/with-sub.git", "include_submodules": true, "credentials": m{"username": token, "password": token}}},
		"gitlab":      {inputs: m{"repository": "<gitlab>/private/app.git", "credentials": m{"token": token}}},
		"in-the-url":  {inputs: m{"repository": "<https:ghp_x>/private/app.git"}, again: m{"repository": "<https:user:p%40ss>/private/app.git"}},
		"bad-branch":  {inputs: m{"repository": "<https>/private/app.git", "access_token": token, "branch": "nowhere"}, fails: true},
		"missing":     {inputs: m{"repository": "<https>/private/absent.git", "access_token": token}, fails: true},
		"other-place": {inputs: private, again: m{"repository": "<https:user:p%40ss>/private/lib.git", "clone_directory_name": "app"}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := s.prepare(t, fixtures, name)
			fill, _ := s.replacer(name, commits)
			said := &strings.Builder{}
			own := t.TempDir()
			trace, kept, config := filepath.Join(own, "trace"), filepath.Join(own, "kept"), filepath.Join(own, "config")
			write(t, own, "config", "[credential]\n\thelper = store --file "+kept+"\n", 0o644)
			env := append(s.env(), "GIT_TRACE="+trace, "GIT_CONFIG_GLOBAL="+config)
			var err error
			for _, inputs := range []m{c.inputs, c.again} {
				if inputs == nil {
					continue
				}
				call := s.made(t, dir, op{Clone: inputs}.filled(fill).Clone)
				call.Env = env
				var one sync.Mutex // both streams may call at the same time
				call.Stdout = func(line []byte) { one.Lock(); defer one.Unlock(); said.Write(line) }
				call.Stderr = call.Stdout
				if _, err = gitClone(context.Background(), call); err != nil {
					said.WriteString(err.Error())
				}
			}
			if (err != nil) != c.fails {
				t.Fatalf("error %v", err)
			}
			argv, err := os.ReadFile(trace)
			if err != nil || !strings.Contains(string(argv), "remote-https") || !strings.Contains(string(argv), "PREFECT_DEPLOY_GIT_PASSWORD") {
				t.Fatalf("the trace of git's children is not one: %s, %v", argv, err)
			}
			if _, err := os.Stat(kept); err == nil {
				t.Error("the machine's own store of passwords was told the token")
			}
			places := map[string]string{"git's arguments": string(argv), "the log or the error": said.String()}
			_ = filepath.WalkDir(filepath.Join(s.root, name, "work"), func(path string, e fs.DirEntry, _ error) error {
				if data, err := os.ReadFile(path); err == nil {
					places[path] = string(data)
				}
				return nil
			})
			for _, secret := range append(forms(token), "ghp_x", "p%40ss", "p@ss", base64.StdEncoding.EncodeToString([]byte("user:p@ss"))) {
				for place, text := range places {
					if strings.Contains(text, secret) {
						t.Errorf("%s holds %q:\n%.2000s", place, secret, text)
					}
				}
			}
			if len(s.seen(name)) == 0 {
				t.Error("the server was shown no login at all")
			}
		})
	}
}

func TestGitTokenStaysWithItsServer(t *testing.T) {
	needGit(t)
	s, other := newGitServer(t), newGitServer(t)
	fixtures, _ := s.fixtures(t)
	dir := s.prepare(t, fixtures, "here")
	other.prepare(t, fixtures, "here")
	away := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.safe.URL+r.URL.String(), http.StatusFound)
	}))
	defer away.Close()
	if _, err := s.call(t, dir, m{"repository": away.URL + "/here/private/app.git", "access_token": "tok"}); err == nil || len(other.seen("here")) > 0 {
		t.Errorf("a redirect took the token to another server: %q, error %v", other.seen("here"), err)
	}
	if _, err := s.call(t, dir, m{"repository": away.URL + "/here/app.git", "access_token": "tok"}); err != nil || len(other.seen("here")) > 0 {
		t.Errorf("a public repository behind a redirect: %q, error %v", other.seen("here"), err)
	}
}

func TestGitErrorsSayWhatToDo(t *testing.T) {
	needGit(t)
	s := newGitServer(t)
	fixtures, commits := s.fixtures(t)
	dir := s.prepare(t, fixtures, "e")
	fill, _ := s.replacer("e", commits)
	for want, inputs := range map[string]m{
		`git_clone lacks the argument "repository"`:                                        {},
		"not both: leave one of them out":                                                  {"repository": "x", "branch": "a", "commit_sha": "abcd"},
		`a branch or tag goes under "branch"`:                                              {"repository": "x", "commit_sha": "main"},
		`the argument "branch" of git_clone must be text, not a number: put it in quotes`:  {"repository": "x", "branch": 1.5},
		"see that access_token or credentials are given":                                   {"repository": "<https>/private/app.git"},
		"Remote branch nowhere not found in upstream origin; see that the branch is there": {"repository": "<http>/app.git", "branch": "nowhere"},
		"see that the URL is right":                                                        {"repository": "<http>/absent.git"},
		"holds the end of a line":                                                          {"repository": "<https>/private/app.git", "access_token": "tok\n"},
		"git_clone has no argument \"depth\"; it takes":                                    {"repository": "x", "depth": 1},
		"is not below":                                        {"repository": "x", "clone_directory_name": "/tmp"},
		"a Bitbucket server wants a user":                     {"repository": "https://bitbucketserver/x", "access_token": "t"},
		"rename it, or leave username out":                    {"repository": "https://h/x", "credentials": m{"username": "u", "token": "t"}},
		"hold no token: give access_token, token or password": {"repository": "https://h/x", "credentials": m{"u": "t"}},
	} {
		_, err := s.call(t, dir, op{Clone: inputs}.filled(fill).Clone)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q in it", inputs, err, want)
		}
	}
	call := s.made(t, dir, op{Clone: m{"repository": "<file>/app.git"}}.filled(fill).Clone)
	call.Env = []string{"PATH=/nowhere"}
	if _, err := gitClone(context.Background(), call); err == nil || !strings.Contains(err.Error(), `there is no program "git" on PATH`) {
		t.Errorf("without git: %v", err)
	}
}

// A URL that names only the user may mean a token, or somebody whose password the machine knows.
func TestGitAsksTheMachineForThePassword(t *testing.T) {
	needGit(t)
	s := newGitServer(t)
	fixtures, commits := s.fixtures(t)
	dir := s.prepare(t, fixtures, "k")
	s.refused = "ghp_x\x00"
	own := t.TempDir()
	write(t, own, "known", strings.Replace(s.safe.URL, "//", "//ghp_x:known@", 1)+"\n", 0o600)
	write(t, own, "config", "[credential]\n\thelper = store --file "+filepath.Join(own, "known")+"\n", 0o644)
	fill, _ := s.replacer("k", commits)
	call := s.made(t, dir, op{Clone: m{"repository": "<https:ghp_x>/private/app.git"}}.filled(fill).Clone)
	call.Env = append(call.Env, "GIT_CONFIG_GLOBAL="+filepath.Join(own, "config"))
	if _, err := gitClone(context.Background(), call); err != nil {
		t.Errorf("error %v, and the server was shown %q", err, s.seen("k"))
	}
}

// ssh is not left to ask on a terminal; where somebody says which ssh to use, that one is used as it is.
func TestGitLetsNoSSHAsk(t *testing.T) {
	needGit(t)
	s := newGitServer(t)
	bin := t.TempDir()
	write(t, bin, "ssh", "#!/bin/sh\necho \"$@\" >> "+bin+"/called\necho 'git@host: Permission denied (publickey).' >&2\nexit 255\n", 0o755)
	for _, c := range []struct{ url, more, want string }{
		{"git@host:org/repo.git", "", "-o BatchMode=yes git@host git-upload-pack 'org/repo.git'"}, {"ssh://git@host/org/repo.git", "", "-o BatchMode=yes git@host git-upload-pack '/org/repo.git'"},
		{"git@host:org/repo.git", "GIT_SSH=" + bin + "/ssh", "git@host git-upload-pack 'org/repo.git'"}, {"host:repo", "GIT_SSH_COMMAND=" + bin + "/ssh -v", "-v host git-upload-pack 'repo'"},
		{"/no/such:path", "", ""}, {s.plain.URL + "/x", "", ""},
	} {
		_ = os.Remove(filepath.Join(bin, "called"))
		call := s.made(t, t.TempDir(), m{"repository": c.url})
		call.Env = append(call.Env, "PATH="+bin+":"+os.Getenv("PATH"), c.more)
		_, err := gitClone(context.Background(), call)
		if err == nil || c.want != "" && !strings.Contains(err.Error(), "see to the SSH key") {
			t.Errorf("%s: error %v", c.url, err)
		}
		if called, _ := os.ReadFile(filepath.Join(bin, "called")); strings.TrimSpace(strings.ReplaceAll(string(called), "-o SendEnv=GIT_PROTOCOL ", "")) != c.want {
			t.Errorf("%s with %q: ssh was called so: %s\nwant %s", c.url, c.more, called, c.want)
		}
	}
}

// A clone that can't be pulled is made anew, but never where the step itself runs.
func TestGitDoesNotRemoveTheProject(t *testing.T) {
	needGit(t)
	s := newGitServer(t)
	fixtures, _ := s.fixtures(t)
	dir := s.prepare(t, fixtures, "p")
	inputs := m{"repository": s.plain.URL + "/p/app.git", "clone_directory_name": "."}
	if _, err := s.call(t, dir, inputs); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "mine.txt", "work", 0o644)
	if err := os.RemoveAll(filepath.Join(s.root, "p", "repos")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.call(t, dir, inputs); err == nil || !strings.Contains(err.Error(), "the step runs in it") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "mine.txt")); err != nil {
		t.Error(err)
	}
}

func TestGitIsEndedWithTheContext(t *testing.T) {
	needGit(t)
	asked := make(chan struct{}, 16)
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- struct{}{}; <-r.Context().Done() }))
	defer hang.Close()
	s := newGitServer(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-asked; cancel() }()
	if _, err := gitClone(ctx, s.made(t, dir, m{"repository": hang.URL + "/x.git"})); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func FuzzParseURL(f *testing.F) {
	for _, seed := range []string{"https://u:p@h:1/a/b.git;x?q#f", "git@h:o/r.git", "//h", "a:b", "", "://", "http://@/", "[::1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u := parseURL(s)
		_ = defaultName(u.path, "b")
		if clean := withoutUser(s); withLogin(u.scheme) && u.netloc != "" && strings.Contains(parseURL(clean).netloc, "@") {
			t.Errorf("%q still holds a user: %q", s, clean)
		}
		if strings.Contains(parseURL(withoutAuth(s)).netloc, "@") {
			t.Errorf("%q still shows a user: %q", s, withoutAuth(s))
		}
	})
}

// A hook of git is told of its repository by variables, and a clone that a hook makes is none of it.
func TestGitLeavesTheRepositoryOfAHookAlone(t *testing.T) {
	needGit(t)
	s := newGitServer(t)
	fixtures, commits := s.fixtures(t)
	fill, _ := s.replacer("hook", commits)
	dir, project := s.prepare(t, fixtures, "hook"), t.TempDir()
	git := func(words ...string) string {
		cmd := osexec.Command("git", append([]string{"-C", project, "-c", "user.name=n", "-c", "user.email=n@example.com"}, words...)...)
		cmd.Env = s.env()
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", words, err, out)
		}
		return string(out)
	}
	git("init", "-q", "-b", "main", ".")
	write(t, project, "own.txt", "mine\n", 0o644)
	git("add", ".")
	git("commit", "-q", "-m", "mine")
	state := func() string {
		return git("rev-parse", "HEAD", "--symbolic-full-name", "HEAD") + git("status", "--porcelain") + git("config", "--local", "--list")
	}
	before := state()
	for _, inputs := range []m{{"repository": "<https>/app.git", "commit_sha": "<c1>", "directories": []any{"a"}}, {"repository": "<https>/app.git", "branch": "dev"}, {"repository": "<https>/app.git", "branch": "dev"}} {
		call := s.made(t, dir, op{Clone: inputs}.filled(fill).Clone)
		call.Env = append(s.env(), "GIT_DIR="+filepath.Join(project, ".git"), "GIT_INDEX_FILE="+filepath.Join(project, ".git", "index"), "GIT_PREFIX=") // as a worktree's hooks have them
		if _, err := gitClone(context.Background(), call); err != nil {
			t.Error(err)
		}
	}
	if after := state(); after != before {
		t.Errorf("the repository of the hook was\n%s\nand is\n%s", before, after)
	}
}

// A network that fails between the clone and its checkout, and an end from outside there: the next attempt, and the next run, end where one would have.
func TestGitFinishesWhatItBegan(t *testing.T) {
	needGit(t)
	s := newGitServer(t)
	fixtures, commits := s.fixtures(t)
	for name, c := range map[string]struct {
		inputs  m
		options []string
		files   []string
	}{
		"commit":      {m{"commit_sha": "<c1>"}, nil, []string{"a", "b", "link", "sp ace", "top.txt", "ü"}},
		"directories": {m{"directories": []any{"a"}, "commit_sha": "<c1>"}, []string{"--sparse"}, []string{"a", "link", "top.txt"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := s.prepare(t, fixtures, name)
			fill, _ := s.replacer(name, commits)
			front := &fails{at: 2, to: s}
			server := httptest.NewServer(front)
			t.Cleanup(server.Close)
			c.inputs["repository"] = server.URL + "/" + name + "/app.git"
			call := s.made(t, dir, op{Clone: c.inputs}.filled(fill).Clone)
			call.Env = s.env()
			clone := func(how string) {
				t.Helper()
				if _, err := gitClone(context.Background(), call); err != nil {
					t.Errorf("%s: %v", how, err)
				}
				var files []string
				entries, _ := os.ReadDir(filepath.Join(dir, "app"))
				for _, e := range entries {
					if e.Name() != ".git" {
						files = append(files, e.Name())
					}
				}
				if head := s.git(t, filepath.Join(dir, "app"), "rev-parse", "HEAD"); !slices.Equal(files, c.files) || head != commits["c1"] {
					t.Errorf("%s: at %s with %q", how, head, files)
				}
			}
			clone("a network that failed once")
			if front.asked < 3 {
				t.Errorf("%d fetches: none failed", front.asked)
			}
			if err := os.RemoveAll(filepath.Join(dir, "app")); err != nil {
				t.Fatal(err)
			}
			s.git(t, dir, slices.Concat([]string{"clone", "-q", "--filter=blob:none", "--no-checkout"}, c.options, []string{server.URL + "/" + name + "/app.git"})...)
			clone("after an end from outside")
		})
	}
}

// fails is a server that fails one fetch.
type fails struct {
	at, asked int
	to        http.Handler
}

func (f *fails) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte("command=fetch")) {
			if f.asked++; f.asked == f.at {
				http.Error(w, "later", http.StatusServiceUnavailable)
				return
			}
		}
	}
	f.to.ServeHTTP(w, r)
}
