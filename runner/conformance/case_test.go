// A case from its folder to a project on the disk and a command that ran in it. Both programs get the same folder name, the same environment and the same clock zone,
// because all three end up in what is registered.
package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"
)

// testCase is case.json.
type testCase struct {
	// About says in a line what the case is there to show.
	About string `json:"about"`
	// Args stand behind `prefect deploy` and `run deploy` alike.
	Args []string `json:"args"`
	// Env is set for the command.
	Env map[string]string `json:"env"`
	// Git makes the project a repository with one commit of a fixed date and author, so that its hash is the same everywhere.
	Git *gitSetup `json:"git"`
	// Needs is "python" when the case has steps or flows for which Python must run, "server" when only a server tells that something is wrong; TestRecorded leaves both out.
	Needs string `json:"needs"`
	// Rewrites says why a second deploy of the case writes again, which is otherwise a fault.
	Rewrites string `json:"rewrites"`
	// Setup is what the server holds beforehand.
	Setup setup `json:"setup"`
	// Departs is what is other than in Prefect, on purpose.
	Departs *departure `json:"departs"`

	name, dir string
}

type gitSetup struct {
	Branch  string `json:"branch"`
	Remote  string `json:"remote"`
	Message string `json:"message"`

	author, date string
}

// defaults are the commit's parts that a case does not name.
func (g *gitSetup) defaults() gitSetup {
	out := *g
	for _, part := range []struct {
		at   *string
		text string
	}{{&out.Branch, "main"}, {&out.Message, "a project"}, {&out.author, "Conformance"}, {&out.date, "2024-05-06T07:08:09Z"}} {
		if *part.at == "" {
			*part.at = part.text
		}
	}
	return out
}

type setup struct {
	WorkPools   []map[string]any `json:"work_pools"`
	Variables   map[string]any   `json:"variables"`
	Blocks      []block          `json:"blocks"`
	Deployments []map[string]any `json:"deployments"`
	// Automations are bodies of POST /automations/; "runs" is the flow/deployment that each runs, "owner" the one whose deploy made it, none for one made by hand.
	Automations []map[string]any `json:"automations"`
}

// block is a block document; a type that Prefect does not bring is created when its name begins with "conformance-" or "oracle-".
type block struct {
	Type string         `json:"type"`
	Name string         `json:"name"`
	Data map[string]any `json:"data"`
}

// departure names the contract's row and the differences that it makes, in the words of differences().
type departure struct {
	Row         string   `json:"row"`
	Differences []string `json:"differences"`
}

const casesDir = "../../testdata/conformance"

// cases reads all cases, sorted by name.
func cases(t *testing.T) []*testCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(casesDir, "*", "case.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", casesDir, err)
	}
	sort.Strings(files)
	var out []*testCase
	for _, file := range files {
		c := &testCase{dir: filepath.Dir(file), name: filepath.Base(filepath.Dir(file))}
		readJSON(t, file, c)
		if c.About == "" {
			t.Errorf("%s: no \"about\"", file)
		}
		if len(c.Setup.WorkPools) == 0 {
			c.Setup.WorkPools = []map[string]any{{"name": "pool"}}
		}
		out = append(out, c)
	}
	return out
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if strings.HasSuffix(file, "/case.json") && strings.HasPrefix(file, casesDir) {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// layOut makes the project: the files that all cases share, over them the case's own. Its folder is always called project.
func (c *testCase) layOut(t *testing.T) (project string) {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	project = filepath.Join(base, "project")
	if err := os.Mkdir(project, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{filepath.Join(filepath.Dir(c.dir), "shared"), c.dir} {
		if err := copyTree(from, project); err != nil {
			t.Fatal(err)
		}
	}
	if c.Git != nil {
		c.makeRepository(t, project)
	}
	return project
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if path == from {
				return fs.SkipAll // the folder of a case from elsewhere has no shared files beside it
			}
			return err
		}
		rel, _ := filepath.Rel(from, path)
		switch {
		case rel == "case.json" || rel == "setup.json" || rel == "expected.json":
			return nil
		case rel == "expected":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644) // the mode is part of a commit's hash, and this folder's own says nothing: a copy may have changed it
		if strings.HasSuffix(rel, ".sh") {
			mode = 0o755
		}
		return os.WriteFile(filepath.Join(to, rel), data, mode)
	})
}

func (c *testCase) makeRepository(t *testing.T, project string) {
	t.Helper()
	g := c.Git.defaults()
	g.run(t, project, "init", "-q", "-b", g.Branch)
	g.run(t, project, "add", "-A")
	g.run(t, project, "commit", "-q", "-m", g.Message)
	if g.Remote != "" {
		g.run(t, project, "remote", "add", "origin", g.Remote)
	}
}

func (g *gitSetup) run(t *testing.T, dir string, args ...string) {
	t.Helper()
	who, email := g.author, strings.ToLower(g.author)+"@example.com"
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(cleanEnv(dir, os.Getenv("PATH")), "GIT_AUTHOR_NAME="+who, "GIT_AUTHOR_EMAIL="+email, "GIT_AUTHOR_DATE="+g.date,
		"GIT_COMMITTER_NAME="+who, "GIT_COMMITTER_EMAIL="+email, "GIT_COMMITTER_DATE="+g.date)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// cleanEnv is an environment into which nothing of the caller's CI, Git or Prefect leaks. home is also where a Prefect keeps its things.
func cleanEnv(home, path string) []string {
	return []string{"PATH=" + path, "HOME=" + home, "PREFECT_HOME=" + filepath.Join(home, ".prefect"), "TZ=UTC", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "COLUMNS=200", "NO_COLOR=1",
		"PREFECT_CLI_COLORS=false", "PREFECT_CLI_PROMPT=false", "DO_NOT_TRACK=1", "PREFECT_SERVER_ANALYTICS_ENABLED=false", "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0",
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull}
}

// command is one run of a program in a project.
type command struct {
	// words are the program and its first arguments; those of the case follow.
	words []string
	// path is PATH, env what else is set.
	path string
	env  []string
}

// run deploys a project that is laid out. output is both streams, for messages of a failed test.
func (c *testCase) run(t *testing.T, project string, cmd command) (code int, output string) {
	t.Helper()
	home := filepath.Join(filepath.Dir(project), "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	x := exec.Command(cmd.words[0], append(append([]string(nil), cmd.words[1:]...), c.Args...)...)
	x.Dir, x.Env = project, append(cleanEnv(home, cmd.path), cmd.env...)
	for _, name := range sortedKeys(c.Env) {
		x.Env = append(x.Env, name+"="+c.Env[name])
	}
	var out bytes.Buffer
	x.Stdout, x.Stderr, x.WaitDelay = &out, &out, 10*time.Second
	timer := time.AfterFunc(5*time.Minute, func() { _ = x.Process.Kill() })
	defer timer.Stop()
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	err := x.Wait()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatalf("%v: %v\n%s", cmd.words, err, out.String())
	}
	return x.ProcessState.ExitCode(), out.String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// cleanups run after all tests.
var cleanups []func()

func TestMain(m *testing.M) {
	code := m.Run()
	for _, f := range cleanups {
		f()
	}
	os.Exit(code)
}

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "conformance-run-")
	if err != nil {
		return "", err
	}
	cleanups = append(cleanups, func() { _ = os.RemoveAll(dir) })
	if err := touchSources(); err != nil {
		return "", err
	}
	program := filepath.Join(dir, "run")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/run")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/run: %w\n%s", err, out)
	}
	return program, nil
})

// touchSources looks at every source of the program. `go test` keeps a result as long as the files are the same that the test looked at, and what the go command that is
// started here reads it does not see: without this a changed program would have its old result.
func touchSources() error {
	for _, root := range []string{"../../go.mod", "../../go.sum", "../../cmd", "../../compiler", "../../runner"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// program builds the command that is tested, once: what people run, its options included.
func program(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var bare = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "conformance-path-")
	if err != nil {
		return "", err
	}
	cleanups = append(cleanups, func() { _ = os.RemoveAll(dir) })
	for _, from := range filepath.SplitList(os.Getenv("PATH")) {
		entries, err := os.ReadDir(from)
		if err != nil {
			continue // PATH may name folders that are not there
		}
		for _, e := range entries {
			if n := e.Name(); !strings.Contains(n, "python") && !strings.Contains(n, "prefect") && n != "uv" {
				_ = os.Symlink(filepath.Join(from, n), filepath.Join(dir, n)) // the first of a name wins, as on PATH
			}
		}
	}
	return dir, nil
})

// withoutPython is a PATH with everything that this one has, but no Python.
func withoutPython(t *testing.T) string {
	t.Helper()
	dir, err := bare()
	if err != nil {
		t.Fatal(err)
	}
	if found, err := exec.LookPath(filepath.Join(dir, "python3")); err == nil {
		t.Fatalf("%s is there", found)
	}
	return dir
}
