//go:build real

// The emulator of GitHub's API that others wrote (npm emulate 0.12.2). FORGE_EMULATE names the folder where `npm install node@22 emulate@0.12.2` was run, else
// .cache/emulate of the project. What it lacks stands in front of it: front.go.
package forgetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/servertest"
)

// Emulator starts one for a test, which it ends with, and gives its address. seed is YAML as the emulator takes it.
func Emulator(t *testing.T, seed string) string {
	t.Helper()
	dir := os.Getenv("FORGE_EMULATE")
	if dir == "" {
		dir = "../../.cache/emulate"
	}
	modules, err := filepath.Abs(filepath.Join(dir, "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	node, program := filepath.Join(modules, ".bin", "node"), filepath.Join(modules, "emulate", "dist", "index.js")
	for _, file := range []string{node, program} {
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("these tests need the emulator: run npm install node@22 emulate@0.12.2 in a folder and name it in FORGE_EMULATE (%v)", err)
		}
	}
	file := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(file, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	port, err := servertest.Port()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(node, program, "start", "--service", "github", "--port", port, "--seed", file)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	url := "http://127.0.0.1:" + port
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if resp, err := http.Get(url + "/meta"); err == nil {
			resp.Body.Close()
			return url
		}
	}
	t.Fatalf("the emulator did not start:\n%s", log.String())
	return ""
}

// Do asks GitHub's API directly, without the code under test, and gives the status.
func Do(t *testing.T, token, method, url string, in, out any) int {
	t.Helper()
	b, _ := json.Marshal(in)
	req, err := http.NewRequest(method, url, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			t.Fatalf("%s %s: %d %s", method, url, resp.StatusCode, body)
		}
	}
	return resp.StatusCode
}

// Must is Do with an answer that says yes.
func Must(t *testing.T, token, method, url string, in, out any) {
	t.Helper()
	var answer json.RawMessage
	if status := Do(t, token, method, url, in, &answer); status >= 300 {
		t.Fatalf("%s %s: %d %s", method, url, status, answer)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, url, err, answer)
		}
	}
}

// Commit writes a file to a branch of the repository at api (…/repos/OWNER/NAME) and gives the new head.
func Commit(t *testing.T, token, api, branch, name string) string {
	t.Helper()
	var out struct {
		Commit struct{ SHA string }
	}
	Must(t, token, "PUT", api+"/contents/"+name, Object{"message": name, "branch": branch, "content": base64.StdEncoding.EncodeToString([]byte(name))}, &out)
	return out.Commit.SHA
}

// Head is the commit of a branch.
func Head(t *testing.T, token, api, branch string) string {
	t.Helper()
	var ref struct {
		Object struct{ SHA string }
	}
	Must(t, token, "GET", api+"/git/ref/heads/"+branch, nil, &ref)
	return ref.Object.SHA
}

// Branch makes a branch where main is.
func Branch(t *testing.T, token, api, name string) {
	t.Helper()
	Must(t, token, "POST", api+"/git/refs", Object{"ref": "refs/heads/" + name, "sha": Head(t, token, api, "main")}, nil)
}

// Open makes a pull request to main; head is BRANCH, or OWNER:BRANCH of a fork.
func Open(t *testing.T, token, api, head string) (number int) {
	t.Helper()
	var pr struct{ Number int }
	Must(t, token, "POST", api+"/pulls", Object{"title": "Greet more often", "head": head, "base": "main"}, &pr)
	return pr.Number
}

// Move adds a commit to a pull request as its button "update branch" does (the emulator's pull requests do not follow a push), and gives its head.
func Move(t *testing.T, token, api string, number int) string {
	t.Helper()
	pull := fmt.Sprintf("%s/pulls/%d", api, number)
	var pr struct{ Head struct{ SHA string } }
	Must(t, token, "PUT", pull+"/update-branch", Object{}, nil)
	Must(t, token, "GET", pull, nil, &pr)
	return pr.Head.SHA
}

// Merge merges a pull request (merge, squash or rebase) and gives the commit that it made.
func Merge(t *testing.T, token, api string, number int, method string) string {
	t.Helper()
	var out struct{ SHA string }
	Must(t, token, "PUT", fmt.Sprintf("%s/pulls/%d/merge", api, number), Object{"merge_method": method}, &out)
	return out.SHA
}

// Remark is a comment as GitHub has it.
type Remark struct {
	ID   int64
	Body string
	URL  string `json:"html_url"`
	User struct{ Login string }
}

// Comments are a pull request's, of all pages.
func Comments(t *testing.T, token, api string, number int) (all []Remark) {
	t.Helper()
	for page := 1; ; page++ {
		var list []Remark
		Must(t, token, "GET", fmt.Sprintf("%s/issues/%d/comments?per_page=100&page=%d", api, number, page), nil, &list)
		if len(list) == 0 {
			return all
		}
		all = append(all, list...)
	}
}
