//go:build real

// The comment against an emulator of GitHub's API that others wrote (npm emulate 0.12.2): creating, editing, paging over 150 comments, closing, 401 and 404.
// FORGE_EMULATE names the folder where `npm install node@22 emulate@0.12.2` was run, else .cache/emulate of the project. What the emulator lacks (rate limits,
// deployments, a commit's pull requests) the hermetic tests' own GitHub has.
package forge

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	botToken   = "bot-token-for-tests"
	otherToken = "other-token-for-tests"
	seedFile   = `
tokens:
  ` + botToken + `: {login: plan-bot, scopes: [repo, user]}
  ` + otherToken + `: {login: mallory, scopes: [repo, user]}
github:
  users:
    - {login: plan-bot, name: Plan Bot}
    - {login: mallory, name: Mallory}
  repos:
    - {owner: plan-bot, name: flows, auto_init: true}
`
)

// emulator starts one for a test; it ends with it.
func emulator(t *testing.T) string {
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
	seed := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(seed, []byte(seedFile), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	var log bytes.Buffer
	cmd := exec.Command(node, program, "start", "--service", "github", "--port", fmt.Sprint(port), "--seed", seed)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if resp, err := http.Get(url + "/repos/plan-bot/flows"); err == nil {
			resp.Body.Close()
			return url
		}
	}
	t.Fatalf("the emulator did not start:\n%s", log.String())
	return ""
}

// freePort is the first free one of a range that nothing else in this project uses.
func freePort(t *testing.T) int {
	t.Helper()
	for port := 4820; port <= 4840; port++ {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port from 4820 to 4840")
	return 0
}

// do asks the emulator directly, without the code under test.
func do(t *testing.T, token, method, url string, in, out any) int {
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

// push commits a file to the branch topic and gives the new head.
func push(t *testing.T, api, name string) string {
	t.Helper()
	var out struct {
		Commit struct {
			SHA string `json:"sha"`
		} `json:"commit"`
	}
	status := do(t, botToken, "PUT", api+"/contents/"+name, object{"message": name, "branch": "topic", "content": base64.StdEncoding.EncodeToString([]byte(name))}, &out)
	if status >= 300 || out.Commit.SHA == "" {
		t.Fatalf("%d %+v", status, out)
	}
	return out.Commit.SHA
}

// moved adds a commit to the pull request as its button "update branch" does (the emulator's pull requests do not follow a push).
func moved(t *testing.T, api string, number int) string {
	t.Helper()
	var pr struct {
		Head struct {
			SHA string `json:"sha"`
		} `json:"head"`
	}
	if status := do(t, botToken, "PUT", fmt.Sprintf("%s/pulls/%d/update-branch", api, number), object{}, nil); status != 202 {
		t.Fatal(status)
	}
	do(t, botToken, "GET", fmt.Sprintf("%s/pulls/%d", api, number), nil, &pr)
	return pr.Head.SHA
}

func mergedBySquash(t *testing.T, api string, number int) string {
	t.Helper()
	var out struct {
		SHA string `json:"sha"`
	}
	if status := do(t, botToken, "PUT", fmt.Sprintf("%s/pulls/%d/merge", api, number), object{"merge_method": "squash"}, &out); status != 200 {
		t.Fatal(status)
	}
	return out.SHA
}

// opened makes a branch, a commit and a pull request; base is where main was.
func opened(t *testing.T, api string) (number int, base, head string) {
	t.Helper()
	var ref struct {
		Object struct {
			SHA string `json:"sha"`
		} `json:"object"`
	}
	do(t, botToken, "GET", api+"/git/ref/heads/main", nil, &ref)
	if status := do(t, botToken, "POST", api+"/git/refs", object{"ref": "refs/heads/topic", "sha": ref.Object.SHA}, nil); status >= 300 {
		t.Fatal(status)
	}
	head = push(t, api, "one.txt")
	var pr struct {
		Number int `json:"number"`
	}
	if status := do(t, botToken, "POST", api+"/pulls", object{"title": "topic", "head": "topic", "base": "main"}, &pr); status >= 300 {
		t.Fatal(status)
	}
	return pr.Number, ref.Object.SHA, head
}

type realComment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

func realComments(t *testing.T, api string, pr int) (all []realComment) {
	t.Helper()
	for page := 1; ; page++ {
		var list []realComment
		do(t, botToken, "GET", fmt.Sprintf("%s/issues/%d/comments?per_page=100&page=%d", api, pr, page), nil, &list)
		if len(list) == 0 {
			return all
		}
		all = append(all, list...)
	}
}

func realClient(t *testing.T, url, token string) *Client {
	t.Helper()
	c, err := New(Options{Token: token, APIURL: url, Patience: -1})
	if err != nil {
		t.Fatal(err)
	}
	c.patience = lag
	return c
}

func TestRealComment(t *testing.T) {
	url, place, ctx := emulator(t), Repo{"plan-bot", "flows"}, context.Background()
	api := url + "/repos/plan-bot/flows"
	pr, base, head := opened(t, api)
	m := Marker{Key: key, PR: pr, Head: head, Plan: "k1:x", Run: "1/1"}
	show := func(head, run, body string, want Action) string {
		t.Helper()
		m.Head, m.Run = head, run
		link, action, err := Upsert(ctx, realClient(t, url, botToken), place, pr, Comment{Marker: m, Body: body, Footer: "next"}, UpsertOptions{PlanKey: "k"})
		if err != nil || action != want {
			t.Fatalf("%s %v, want %s", action, err, want)
		}
		return link
	}
	for i := range 150 {
		token, body := otherToken, fmt.Sprintf("remark %d", i)
		if i%50 == 0 {
			body = m.line("k") + "\nspoofed"
		}
		if status := do(t, token, "POST", fmt.Sprintf("%s/issues/%d/comments", api, pr), object{"body": body}, nil); status != 201 {
			t.Fatal(status)
		}
	}
	first := show(head, "1/1", "one", Created)
	show(head, "2/1", "one", Unchanged)
	second := moved(t, api, pr)
	show(head, "3/1", "late", Outdated)
	if link := show(second, "4/1", "two", Updated); link != first || link == "" {
		t.Errorf("%q, then %q", first, link)
	}
	target := Target{place, pr, key, "k"}
	if _, action, err := Closed(ctx, realClient(t, url, botToken), target, "5/1", false); err != nil || action != Outdated {
		t.Errorf("closed while open: %s %v", action, err)
	}
	merged := mergedBySquash(t, api, pr)
	if _, action, err := Closed(ctx, realClient(t, url, botToken), target, "5/1", true); err != nil || action != Updated {
		t.Errorf("closed: %s %v", action, err)
	}
	if _, action, err := Result(ctx, realClient(t, url, botToken), target, "6/1", "applied"); err != nil || action != Updated {
		t.Errorf("result: %s %v", action, err)
	}
	came, err := PullRequestsOf(ctx, realClient(t, url, botToken), place, base, merged)
	if err != nil || len(came.PullRequests) != 1 || came.PullRequests[0].Number != pr || came.PullRequests[0].Head != second {
		t.Errorf("the merged pull requests: %+v %v", came, err)
	}
	all, mine := realComments(t, api, pr), 0
	for _, c := range all {
		switch {
		case c.User.Login == "plan-bot":
			mine++
			if !strings.Contains(c.Body, "\ntwo\n") || !strings.Contains(c.Body, "applied") || strings.Contains(c.Body, "next") {
				t.Errorf("%s", c.Body)
			}
		case strings.Contains(c.Body, "two"):
			t.Errorf("another's comment was written: %s", c.Body)
		}
	}
	if len(all) != 151 || mine != 1 {
		t.Errorf("%d comments, %d of them ours", len(all), mine)
	}
}

func TestRealRefusals(t *testing.T) {
	url, ctx := emulator(t), context.Background()
	pr, _, head := opened(t, url+"/repos/plan-bot/flows")
	c := Comment{Marker: Marker{Key: key, Head: head, Run: "1/1"}, Body: "x"}
	for _, tc := range []struct {
		name, token string
		repo        Repo
		pr          int
		want        int
	}{
		{"no token", "", Repo{"plan-bot", "flows"}, pr, 401},
		{"no such repository", botToken, Repo{"plan-bot", "none"}, pr, 404},
		{"no such pull request", botToken, Repo{"plan-bot", "flows"}, 999, 404},
	} {
		_, _, err := Upsert(ctx, realClient(t, url, tc.token), tc.repo, tc.pr, c, UpsertOptions{})
		if u := unavailable(t, err); u.Status != tc.want || u.Hint == "" {
			t.Errorf("%s: %+v", tc.name, u)
		}
	}
}
