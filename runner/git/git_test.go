// Against real git: a commit's files as an fs.FS, and the fetch of one commit that a shallow clone lacks.
package git

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func repository(t *testing.T) string {
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	for name, text := range map[string]string{"sub/prefect.yaml": "one", "sub/flows/a.py": "print()\n", "top.txt": "", "sub/umlaut ü.txt": "x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "one")
	return dir
}

func TestFilesOfACommit(t *testing.T) {
	dir := repository(t)
	first := git(t, dir, "rev-parse", "HEAD")
	if err := os.WriteFile(filepath.Join(dir, "sub/prefect.yaml"), []byte("two"), 0o644); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "commit", "-q", "-am", "two")
	r, err := Open(context.Background(), filepath.Join(dir, "sub"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	sha, err := r.Resolve(context.Background(), "HEAD~1", "")
	if err != nil || sha != first {
		t.Fatalf("%s %v, want %s", sha, err, first)
	}
	f, err := r.At(context.Background(), sha)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if data, err := fs.ReadFile(f, "prefect.yaml"); err != nil || string(data) != "one" {
		t.Errorf("%q %v", data, err)
	}
	if _, err := fs.Stat(f, "nowhere.py"); !os.IsNotExist(err) {
		t.Errorf("a missing file: %v", err)
	}
	if err := fstest.TestFS(f, "prefect.yaml", "flows/a.py", "umlaut ü.txt"); err != nil {
		t.Error(err)
	}
}

func TestACommitThatTheCloneLacksIsFetchedAlone(t *testing.T) {
	origin := repository(t)
	first := git(t, origin, "rev-parse", "HEAD")
	git(t, origin, "commit", "-q", "--allow-empty", "-m", "two")
	git(t, origin, "config", "uploadpack.allowReachableSHA1InWant", "true")
	clone := t.TempDir()
	git(t, clone, "clone", "-q", "--depth=1", "file://"+origin, ".")
	r, err := Open(context.Background(), clone, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(clone, ".git/config"))
	sha, err := r.Resolve(context.Background(), first, "token-canary")
	if err != nil || sha != first {
		t.Fatalf("%s %v", sha, err)
	}
	if after, _ := os.ReadFile(filepath.Join(clone, ".git/config")); string(after) != string(before) {
		t.Errorf("the fetch wrote .git/config:\n%s", after)
	}
	if _, err := r.Resolve(context.Background(), strings.Repeat("0", 39)+"1", ""); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("a commit that is nowhere: %v", err)
	}
	if _, err := r.Resolve(context.Background(), "--upload-pack=touch pwned", ""); err == nil {
		t.Error("an option is taken for a commit")
	}
}

// TestAFetchLeavesAFullCloneItsHistory: git cuts it with --depth, and `git log` of the user's clone would end at its last commit.
func TestAFetchLeavesAFullCloneItsHistory(t *testing.T) {
	origin := repository(t)
	git(t, origin, "commit", "-q", "--allow-empty", "-m", "two")
	clone := t.TempDir()
	git(t, clone, "clone", "-q", "file://"+origin, ".")
	git(t, origin, "commit", "-q", "--allow-empty", "-m", "three")
	newer := git(t, origin, "rev-parse", "HEAD")
	r, err := Open(context.Background(), clone, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if sha, err := r.Resolve(context.Background(), newer, ""); err != nil || sha != newer {
		t.Fatalf("%s %v", sha, err)
	}
	if got := git(t, clone, "rev-parse", "--is-shallow-repository") + " " + git(t, clone, "rev-list", "--count", "HEAD") + " " + git(t, clone, "rev-list", "--count", newer); got != "false 2 3" {
		t.Errorf("shallow, commits of HEAD, commits of what was fetched: %s", got)
	}
}

// TestSymbolicLinksAreFollowedInsideTheCommit, as in a checkout; one that leads out of the repository, or nowhere, is a file that isn't there, and the next is read as ever.
func TestSymbolicLinksAreFollowedInsideTheCommit(t *testing.T) {
	dir := repository(t)
	for link, to := range map[string]string{"sub/linked.yaml": "../top/real.yaml", "sub/more": "flows", "sub/out": "/etc/hostname", "sub/above": "../../x", "sub/nowhere": "not there", "sub/round": "round", "sub/through": "prefect.yaml/x"} {
		if err := os.Symlink(to, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "top"), 0o755), os.WriteFile(filepath.Join(dir, "top/real.yaml"), []byte("real"), 0o644)); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "links")
	r, err := Open(context.Background(), filepath.Join(dir, "sub"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.At(context.Background(), git(t, dir, "rev-parse", "HEAD"))
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for _, name := range []string{"out", "above", "nowhere", "round", "through"} {
		if data, err := fs.ReadFile(tree, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %q %v", name, data, err)
		}
	}
	for name, want := range map[string]string{"linked.yaml": "real", "more/a.py": "print()\n", "prefect.yaml": "one"} {
		if data, err := fs.ReadFile(tree, name); err != nil || string(data) != want {
			t.Errorf("%s: %q %v", name, data, err)
		}
	}
}

// host answers nothing but notes what git sent it. Its certificate is nobody's, so git only speaks to it when the user's own configuration (below) comes through.
func host(t *testing.T) (address string, authorizations func() []string) {
	var mu sync.Mutex
	var seen []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, strings.Join(r.Header.Values("Authorization"), " + "))
		http.NotFound(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		list := seen
		seen = nil
		return list
	}
}

func TestTheTokenGoesOnlyToItsServer(t *testing.T) {
	ours, atOurs := host(t)
	other, atOther := host(t)
	const header = "basic eC1hY2Nlc3MtdG9rZW46dG9rZW4tY2FuYXJ5" // x-access-token:token-canary
	environ := append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GITHUB_SERVER_URL="+ours, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.sslVerify", "GIT_CONFIG_VALUE_0=false")
	for _, c := range []struct {
		name, remote, checkout string
		seen                   func() []string
		want                   string
	}{
		{"the server", ours, "", atOurs, header},
		{"the server, where actions/checkout left its header", ours, "AUTHORIZATION: basic left", atOurs, "basic left"},
		{"another host", other, "", atOther, ""},
	} {
		dir := repository(t)
		git(t, dir, "remote", "add", "origin", c.remote+"/org/x.git")
		if c.checkout != "" {
			git(t, dir, "config", "http."+c.remote+"/.extraheader", c.checkout)
		}
		r, err := Open(context.Background(), dir, environ)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Resolve(context.Background(), strings.Repeat("1", 40), "token-canary"); err == nil || strings.Contains(err.Error(), "eC1h") {
			t.Errorf("%s: %v", c.name, err)
		}
		seen := c.seen()
		if len(seen) == 0 {
			t.Errorf("%s was not asked: git lost the user's configuration", c.name)
		}
		for _, s := range seen {
			if s != c.want {
				t.Errorf("%s was sent %q, expected %q", c.name, s, c.want)
			}
		}
	}
}

func TestAnObjectThatIsTooLargeEndsInAnErrorAndNotInWaiting(t *testing.T) {
	dir := repository(t)
	f, err := os.Create(filepath.Join(dir, "large.bin"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(largest+1), f.Close()); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "large")
	r, err := Open(context.Background(), dir, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.At(context.Background(), git(t, dir, "rev-parse", "HEAD"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(tree, "large.bin"); err == nil || !strings.Contains(err.Error(), "large.bin") {
		t.Errorf("a large file: %v", err)
	}
	closed := make(chan error, 1)
	go func() { closed <- tree.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		_ = tree.cmd.Process.Kill()
		t.Fatal("Close waits for a process that waits to be read")
	}
}

func TestATreeEndsWithItsContext(t *testing.T) {
	dir := repository(t)
	ctx, cancel := context.WithCancel(context.Background())
	r, err := Open(ctx, dir, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.At(ctx, git(t, dir, "rev-parse", "HEAD"))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	done := make(chan struct{})
	go func() { _ = tree.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = tree.cmd.Process.Kill()
		t.Fatal("the process outlives its context")
	}
}
