// A GitHub that can misbehave: comments in pages of 30, authors, pull requests whose heads move, deployments, runs and artifacts, and a hook before each request
// that may answer in its place or change the world. Its answers follow GitHub's REST reference in status, shape and paging.
package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/forge/forgetest"
)

const (
	testToken = "ghs_a-token-that-nobody-may-see"
	headA     = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	headB     = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

var repo = Repo{"acme", "flows"}

type object = forgetest.Object

type note struct {
	id     int
	author string
	body   string
}

type fake struct {
	*httptest.Server
	t  *testing.T
	mu sync.Mutex

	self     string // who the token writes as
	person   bool   // /user answers
	viewer   string // GraphQL's answer, "" is 404
	comments []note
	next     int
	prs      map[int]object
	closed   []object            // GET pulls?state=closed
	byHead   map[string][]object // GET pulls?head=
	compare  []object            // the range's commits
	of       map[string][]object // commit → pull requests
	board    *forgetest.Board
	runs     map[int]object
	stored   []object // a run's artifacts
	archive  []byte

	requests []string // "PATCH /repos/…"
	writes   int
	hook     func(r *http.Request, body string) *reply
}

// reply is an answer in place of the fake's own.
type reply struct {
	status int
	header map[string]string
	body   string
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t, self: actionsBot, viewer: actionsBot, next: 1000, prs: map[int]object{7: pull(7, headA)}, of: map[string][]object{}, byHead: map[string][]object{},
		board: forgetest.NewBoard(), runs: map[int]object{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func pull(number int, head string) object {
	return object{"number": number, "state": "open", "head": object{"sha": head, "ref": "topic", "repo": object{"id": 1, "full_name": "acme/flows"}},
		"base": object{"ref": "main", "repo": object{"id": 1, "full_name": "acme/flows"}}}
}

// client is one whose waits are only noted.
func (f *fake) client(waits *[]time.Duration) *Client {
	f.t.Helper()
	c, err := New(Options{Token: testToken, APIURL: f.URL, Now: func() time.Time { return noon },
		Sleep: func(_ context.Context, d time.Duration) error {
			if waits != nil {
				*waits = append(*waits, d)
			}
			return nil
		}})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// add puts a comment there.
func (f *fake) add(author, body string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.addLocked(author, body)
}

func (f *fake) addLocked(author, body string) int {
	f.next++
	f.comments = append(f.comments, note{f.next, author, body})
	return f.next
}

// bodies are the comments of an author, in order.
func (f *fake) bodies(author string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, n := range f.comments {
		if n.author == author {
			out = append(out, n.body)
		}
	}
	return out
}

func (f *fake) move(number int, head string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prs[number]["head"].(object)["sha"] = head
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	hook := f.hook
	f.mu.Unlock()
	if hook != nil {
		if answer := hook(r, string(raw)); answer != nil {
			for k, v := range answer.header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(answer.status)
			_, _ = io.WriteString(w, answer.body)
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/blob") {
		if r.Header.Get("Authorization") != "" {
			f.t.Error("the token went to the archive's host")
		}
		_, _ = w.Write(f.archive)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+testToken {
		forgetest.Say(w, 401, object{"message": "Bad credentials"})
		return
	}
	if r.Method != http.MethodGet && r.URL.Path != "/graphql" {
		f.writes++
	}
	var in object
	_ = json.Unmarshal(raw, &in)
	f.route(w, r, in)
}

func (f *fake) route(w http.ResponseWriter, r *http.Request, in object) {
	path := strings.TrimPrefix(r.URL.Path, "/repos/acme/flows/")
	part := strings.Split(path, "/")
	number := func(i int) int { n, _ := strconv.Atoi(part[i]); return n }
	switch shape(r.Method, part) {
	case "GET /user":
		f.user(w)
	case "POST /graphql":
		if f.viewer == "" {
			forgetest.Say(w, 404, object{"message": "Not Found"})
			return
		}
		forgetest.Say(w, 200, object{"data": object{"viewer": object{"login": f.viewer}}})
	case "GET issues/N/comments":
		forgetest.Page(w, r, f.URL, len(f.comments), func(i int) any { return f.shown(f.comments[i]) })
	case "POST issues/N/comments":
		id := f.addLocked(f.self, in["body"].(string))
		forgetest.Say(w, 201, f.shown(note{id, f.self, in["body"].(string)}))
	case "PATCH issues/comments/N", "DELETE issues/comments/N":
		f.change(w, r.Method, number(2), in)
	case "GET pulls/N":
		f.one(w, f.prs[number(1)])
	case "GET pulls":
		list := f.closed
		if head := r.URL.Query().Get("head"); head != "" {
			list = f.byHead[head]
		}
		forgetest.Page(w, r, f.URL, len(list), func(i int) any { return list[i] })
	default:
		f.routeMore(w, r, in, part, number)
	}
}

func (f *fake) routeMore(w http.ResponseWriter, r *http.Request, in object, part []string, number func(int) int) {
	switch shape(r.Method, part) {
	case "GET commits/X/pulls":
		list := f.of[part[1]]
		forgetest.Page(w, r, f.URL, len(list), func(i int) any { return list[i] })
	case "GET compare/X":
		start, end, next := forgetest.Bounds(r, len(f.compare))
		forgetest.Link(w, r, f.URL, next)
		forgetest.Say(w, 200, object{"total_commits": len(f.compare), "commits": f.compare[start:end]})
	case "GET actions/runs/N":
		f.one(w, f.runs[number(2)])
	case "GET actions/runs/N/artifacts":
		forgetest.Say(w, 200, object{"total_count": len(f.stored), "artifacts": f.stored})
	case "GET actions/artifacts/N/zip":
		w.Header().Set("Location", f.URL+"/blob?sig=secret-signature")
		w.WriteHeader(302)
	default:
		if !f.board.Serve(w, r, f.URL, strings.Join(part, "/"), in) {
			forgetest.Say(w, 404, object{"message": "Not Found"})
		}
	}
}

// shape is a path with numbers as N and commits as X.
func shape(method string, part []string) string {
	out := slices.Clone(part)
	for i, p := range out {
		if _, err := strconv.Atoi(p); err == nil {
			out[i] = "N"
		}
		if i == 1 && (part[0] == "commits" || part[0] == "compare") {
			out[i] = "X"
		}
	}
	return method + " " + strings.Join(out, "/")
}

func (f *fake) user(w http.ResponseWriter) {
	if !f.person {
		forgetest.Say(w, 403, object{"message": "Resource not accessible by integration"})
		return
	}
	forgetest.Say(w, 200, object{"login": f.self})
}

func (f *fake) change(w http.ResponseWriter, method string, id int, in object) {
	i := slices.IndexFunc(f.comments, func(n note) bool { return n.id == id })
	switch {
	case i < 0:
		forgetest.Say(w, 404, object{"message": "Not Found"})
	case f.comments[i].author != f.self:
		f.t.Errorf("%s of a comment by %s", method, f.comments[i].author)
		forgetest.Say(w, 403, object{"message": "Must have admin rights to Repository."})
	case method == http.MethodDelete:
		f.comments = slices.Delete(f.comments, i, i+1)
		w.WriteHeader(204)
	default:
		f.comments[i].body = in["body"].(string)
		forgetest.Say(w, 200, f.shown(f.comments[i]))
	}
}

func (f *fake) one(w http.ResponseWriter, o object) {
	if o == nil {
		forgetest.Say(w, 404, object{"message": "Not Found"})
		return
	}
	forgetest.Say(w, 200, o)
}

func (f *fake) shown(n note) object {
	return object{"id": n.id, "body": n.body, "user": object{"login": n.author}, "html_url": fmt.Sprintf("https://github.com/acme/flows/pull/7#issuecomment-%d", n.id)}
}
