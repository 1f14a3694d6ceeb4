// The note against a GitLab that misbehaves: notes in pages, authors, a merge request whose head moves, and a hook before each request that may answer in its place or change the world. Its answers follow GitLab's REST
// reference in status, shape and paging.
package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/runner/forge/forgetest"
)

const (
	self     = 42
	somebody = 7
)

type fakeLab struct {
	*httptest.Server
	t  *testing.T
	mu sync.Mutex

	notes    []labNote
	next     int
	head     string
	state    string
	commits  []object
	of       map[string][]object // commit → merge requests
	requests []string
	writes   int
	hook     func(r *http.Request, body string) *reply
}

type labNote struct {
	id, author int
	body       string
	system     bool
}

func newFakeLab(t *testing.T) *fakeLab {
	f := &fakeLab{t: t, next: 1000, head: headA, state: "opened"}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeLab) client(waits *[]time.Duration) *GitLab {
	f.t.Helper()
	c, err := NewGitLab(Options{Token: testToken, APIURL: f.URL + "/api/v4", UserAgent: "test", Now: func() time.Time { return noon },
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

func (f *fakeLab) add(author int, body string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	f.notes = append(f.notes, labNote{id: f.next, author: author, body: body})
	return f.next
}

func (f *fakeLab) ours() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, n := range f.notes {
		if n.author == self {
			out = append(out, n.body)
		}
	}
	return out
}

func (f *fakeLab) serve(w http.ResponseWriter, r *http.Request) {
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
	if r.Header.Get("Private-Token") != testToken {
		forgetest.Say(w, 401, object{"message": "401 Unauthorized"})
		return
	}
	if r.Method != http.MethodGet {
		f.writes++
	}
	var in struct{ Body string }
	_ = json.Unmarshal(raw, &in)
	f.route(w, r, in.Body)
}

func (f *fakeLab) route(w http.ResponseWriter, r *http.Request, body string) {
	const mr = "/api/v4/projects/12/merge_requests/7"
	path, id := r.URL.Path, 0
	if rest, ok := strings.CutPrefix(path, mr+"/notes/"); ok {
		id, _ = strconv.Atoi(rest)
		path = mr + "/notes/N"
	}
	if commit, ok := strings.CutPrefix(path, "/api/v4/projects/12/repository/commits/"); ok {
		forgetest.Say(w, 200, f.of[strings.TrimSuffix(commit, "/merge_requests")])
		return
	}
	switch r.Method + " " + path {
	case "GET /api/v4/projects/12/repository/compare":
		if r.URL.Query().Get("from") == "gone" {
			forgetest.Say(w, 404, object{"message": "404 Commit Not Found"})
			return
		}
		forgetest.Say(w, 200, object{"commits": f.commits})
	case "GET /api/v4/user":
		forgetest.Say(w, 200, object{"id": self, "username": "project_12_bot"})
	case "GET " + mr:
		forgetest.Say(w, 200, object{"iid": 7, "sha": f.head, "state": f.state, "web_url": "https://gitlab.example.com/acme/flows/-/merge_requests/7"})
	case "GET " + mr + "/notes":
		f.list(w, r)
	case "POST " + mr + "/notes":
		f.next++
		f.notes = append(f.notes, labNote{id: f.next, author: self, body: body})
		forgetest.Say(w, 201, f.shown(f.notes[len(f.notes)-1]))
	case "PUT " + mr + "/notes/N", "DELETE " + mr + "/notes/N":
		f.change(w, r.Method, id, body)
	default:
		forgetest.Say(w, 404, object{"message": "404 Not found"})
	}
}

// list serves at most 30 a page, whatever is asked for.
func (f *fakeLab) list(w http.ResponseWriter, r *http.Request) {
	start, end, next := forgetest.Bounds(r, len(f.notes))
	w.Header().Set("X-Next-Page", "")
	if next > 0 {
		w.Header().Set("X-Next-Page", strconv.Itoa(next))
	}
	out := []any{}
	for _, n := range f.notes[start:end] {
		out = append(out, f.shown(n))
	}
	forgetest.Say(w, 200, out)
}

func (f *fakeLab) shown(n labNote) object {
	return object{"id": n.id, "body": n.body, "system": n.system, "author": object{"id": n.author, "username": fmt.Sprint("user", n.author)}}
}

func (f *fakeLab) change(w http.ResponseWriter, method string, id int, body string) {
	i := slices.IndexFunc(f.notes, func(n labNote) bool { return n.id == id })
	switch {
	case i < 0:
		forgetest.Say(w, 404, object{"message": "404 Note Not Found"})
	case f.notes[i].author != self:
		f.t.Errorf("%s of a note of user %d", method, f.notes[i].author)
		forgetest.Say(w, 403, object{"message": "403 Forbidden"})
	case method == http.MethodDelete:
		f.notes = slices.Delete(f.notes, i, i+1)
		w.WriteHeader(204)
	default:
		f.notes[i].body = body
		forgetest.Say(w, 200, f.shown(f.notes[i]))
	}
}

var labKey = MergeRequest{Project: "12", Number: 7, Key: key}

func post(t *testing.T, c *GitLab, p Comment, o UpsertOptions, want Action) string {
	t.Helper()
	url, action, err := UpsertNote(context.Background(), c, labKey, p, o)
	if err != nil || action != want {
		t.Fatalf("%s, %v, want %s", action, err, want)
	}
	return url
}

func TestNoteIsMadeAndEdited(t *testing.T) {
	f := newFakeLab(t)
	if url := post(t, f.client(nil), plan(headA, "1/1", "nothing"), UpsertOptions{OnlyExisting: true}, None); url != "" || f.writes != 0 {
		t.Errorf("%q, %d writes", url, f.writes)
	}
	first := post(t, f.client(nil), plan(headA, "1/1", "one"), UpsertOptions{}, Created)
	f.head = headB
	second := post(t, f.client(nil), plan(headB, "2/1", "two"), UpsertOptions{}, Updated)
	if first != second || first != "https://gitlab.example.com/acme/flows/-/merge_requests/7#note_1001" {
		t.Errorf("%q and %q", first, second)
	}
	if got := f.ours(); len(got) != 1 || !strings.HasPrefix(got[0], "<!-- prefect-deploy-action {") || !strings.Contains(got[0], "\ntwo\n") {
		t.Errorf("%q", got)
	}
	f.notes[0].body = strings.TrimSpace(strings.ReplaceAll(f.notes[0].body, "\n", "\r\n"))
	before := f.writes
	post(t, f.client(nil), plan(headB, "3/1", "two"), UpsertOptions{}, Unchanged)
	if f.writes != before {
		t.Error("an unchanged note was written")
	}
}

// 150 notes, spoofed markers by others and in quotations, one of GitLab's own, another target's: the one that is ours is edited, and no other is touched.
func TestTheRightNoteAmongMany(t *testing.T) {
	for _, planKey := range []string{"", "a plan key"} {
		f := newFakeLab(t)
		m := Marker{Key: key, Repo: "12", PR: 7, Head: headA, Plan: "k1:5f0c", Run: "1/1"}
		spoof, staging, copied, elsewhere := m.line(planKey)+"\nspoofed", m, m, m
		elsewhere.Repo = "13"
		staging.Key, copied.PR = Key("", []string{"prefect.yaml"}, "staging"), 8
		for i := range 150 {
			switch i {
			case 3, 149:
				f.add(somebody, spoof)
			case 5:
				f.add(self, staging.line(planKey)+"\nstaging's")
			case 6:
				f.add(self, "a quotation\n"+spoof)
			case 7:
				f.add(self, copied.line(planKey)+"\nof another merge request")
			case 8:
				f.add(self, spoof)
				f.notes[8].system = true
			case 9:
				f.add(self, elsewhere.line(planKey)+"\nof another project")
			case 120:
				f.add(self, m.line(planKey)+"\nours")
			default:
				f.add(somebody, "looks good")
			}
		}
		post(t, f.client(nil), plan(headA, "2/1", "new"), UpsertOptions{PlanKey: planKey}, Updated)
		if f.writes != 1 || len(f.notes) != 150 || !strings.Contains(f.notes[120].body, "\nnew\n") {
			t.Errorf("planKey %q: %d writes, %d notes", planKey, f.writes, len(f.notes))
		}
		if n := strings.Count(strings.Join(f.requests, "\n"), "/notes\n"); n < 5 {
			t.Errorf("%d pages were read", n)
		}
	}
}

func TestNoteUnsignedIsNotOursWithAKey(t *testing.T) {
	f := newFakeLab(t)
	m := Marker{Key: key, PR: 7, Head: headA, Run: "1/1"}
	f.add(self, m.line("")+"\nunsigned")
	f.add(self, m.line("another key")+"\nsigned by another")
	post(t, f.client(nil), plan(headA, "2/1", "ours"), UpsertOptions{PlanKey: "the key"}, Created)
}

func TestTheNewestHeadWinsOnGitLab(t *testing.T) {
	f := newFakeLab(t)
	post(t, f.client(nil), plan(headA, "5/1", "five"), UpsertOptions{}, Created)
	post(t, f.client(nil), plan(headA, "4/9", "four"), UpsertOptions{}, Outdated)
	f.head = headB
	var waits []time.Duration
	post(t, f.client(&waits), plan(headA, "6/1", "old head"), UpsertOptions{}, Outdated)
	if len(waits) != 1 || waits[0] != lag {
		t.Errorf("waited %v", waits)
	}
	for _, state := range []string{"closed", "merged", "locked"} {
		f.state = state
		post(t, f.client(nil), plan(headB, "7/1", "over"), UpsertOptions{}, Outdated)
	}
	f.state = "opened"
	// The head moves while a failing server is waited for: what was decided before it is not written.
	failed := false
	f.hook = func(r *http.Request, _ string) *reply {
		if r.Method == http.MethodPut && !failed {
			failed = true
			f.mu.Lock()
			f.head = headA
			f.mu.Unlock()
			return &reply{status: 502, body: "bad gateway"}
		}
		return nil
	}
	post(t, f.client(nil), plan(headB, "8/1", "late"), UpsertOptions{}, Outdated)
	if got := f.ours(); len(got) != 1 || !strings.Contains(got[0], "\nfive\n") {
		t.Errorf("%q", got)
	}
}

// Two jobs find nothing and write both; whoever looks last leaves one.
func TestTwoNotesBecomeOne(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		f := newFakeLab(t)
		newer := plan(headA, "9/1", "newer")
		newer.Marker.Repo = labKey.Project
		other := newer.text("")
		f.hook = func(r *http.Request, _ string) *reply {
			switch {
			case r.Method == http.MethodPost && len(f.ours()) == 0:
				f.add(self, other)
			case r.Method == http.MethodDelete && refuse:
				return &reply{status: 403, body: `{"message":"403 Forbidden"}`}
			}
			return nil
		}
		url := post(t, f.client(nil), plan(headA, "8/1", "older"), UpsertOptions{}, Updated)
		got := f.ours()
		if !strings.HasSuffix(url, "#note_1001") || !strings.Contains(got[0], "\nnewer\n") || len(got) != 1 && !(refuse && strings.Contains(got[1], "The plan stands in")) {
			t.Errorf("%s %q", url, got)
		}
	}
}

func TestWhatGitLabRefusesIsUnavailable(t *testing.T) {
	const secret = `{"message":"no, ` + testToken + `"}`
	for name, c := range map[string]struct {
		at     string
		reply  reply
		status int
		words  string
		tries  int
	}{
		"no rights":    {"POST notes", reply{status: 403, body: `{"message":"403 Forbidden"}`}, 403, "scope api", 1},
		"locked":       {"POST notes", reply{status: 403, body: `{"message":"403 Forbidden - discussion is locked"}`}, 403, "locked is for members only", 1},
		"a wrong one":  {"GET user", reply{status: 401, body: secret}, 401, "GITLAB_TOKEN", 1},
		"not seen":     {"GET notes", reply{status: 404, body: `{"message":"404 Project Not Found"}`}, 404, "scope api", 1},
		"too long":     {"POST notes", reply{status: 400, body: `{"message":{"note":["is too long (maximum is 1000000 characters)"]}}`}, 400, "too long", 1},
		"down":         {"GET notes", reply{status: 503, body: "down"}, 503, "when GitLab is well", attempts},
		"limited long": {"POST notes", reply{status: 429, header: map[string]string{"Retry-After": "3600"}, body: "Retry later"}, 429, "13:00 UTC", 1},
		"garbled":      {"GET notes", reply{status: 200, body: "<html>log in</html>"}, 0, "proxy", 1},
		"moved":        {"GET notes", reply{status: 307, header: map[string]string{"Location": "https://evil.example/"}}, 307, "moved", 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeLab(t)
			tries := 0
			f.hook = func(r *http.Request, _ string) *reply {
				if method, last, _ := strings.Cut(c.at, " "); r.Method == method && strings.HasSuffix(r.URL.Path, "/"+last) {
					tries++
					return &c.reply
				}
				return nil
			}
			_, _, err := UpsertNote(context.Background(), f.client(nil), labKey, plan(headA, "1/1", "x"), UpsertOptions{})
			var refused *Unavailable
			if !errors.As(err, &refused) || refused.Status != c.status || !strings.Contains(err.Error(), c.words) || tries != c.tries {
				t.Errorf("%v after %d tries", err, tries)
			}
			if strings.Contains(err.Error(), testToken) || strings.Contains(err.Error(), "\n") {
				t.Errorf("it shows too much: %q", err)
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for name, header := range map[string]map[string]string{"seconds": {"Retry-After": "17"}, "date": {"Retry-After": noon.Add(16 * time.Second).Format(http.TimeFormat)},
		"reset": {"Ratelimit-Reset": strconv.FormatInt(noon.Add(16*time.Second).Unix(), 10), "Ratelimit-Remaining": "0"}} {
		f := newFakeLab(t)
		limited := false
		f.hook = func(r *http.Request, _ string) *reply {
			if r.Method == http.MethodPost && !limited {
				limited = true
				return &reply{status: 429, header: header, body: "Retry later"}
			}
			return nil
		}
		var waits []time.Duration
		post(t, f.client(&waits), plan(headA, "1/1", "x"), UpsertOptions{}, Created)
		if len(waits) != 1 || waits[0] != 17*time.Second {
			t.Errorf("%s: waited %v", name, waits)
		}
	}
}

// A note that was made though its answer got lost is found by the next try, not made again.
func TestALostAnswerMakesNoSecondNote(t *testing.T) {
	f := newFakeLab(t)
	lost := false
	f.hook = func(r *http.Request, body string) *reply {
		if r.Method == http.MethodPost && !lost {
			lost = true
			var in struct{ Body string }
			_ = json.Unmarshal([]byte(body), &in)
			f.add(self, in.Body)
			return &reply{status: 502, body: "bad gateway"}
		}
		return nil
	}
	post(t, f.client(nil), plan(headA, "1/1", "x"), UpsertOptions{}, Unchanged)
	if got := f.ours(); len(got) != 1 {
		t.Errorf("%d notes", len(got))
	}
}

func TestAnInterruptIsTheContextsError(t *testing.T) {
	f := newFakeLab(t)
	ctx, cancel := context.WithCancel(context.Background())
	f.hook = func(*http.Request, string) *reply { cancel(); return &reply{status: 503} }
	if _, _, err := UpsertNote(ctx, f.client(nil), labKey, plan(headA, "1/1", "x"), UpsertOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// quickAction is how GitLab finds a command: a slash and a word at the beginning of a line.
var quickAction = regexp.MustCompile(`(?m)^\s*/\w`)

// mention is how it finds a person.
var mention = regexp.MustCompile(`@[\w.-]`)

func TestHostileTextsInANote(t *testing.T) {
	for _, text := range []string{"/merge", "x\n/close", "x\r/close", "x\r\n  /approve", "```\n/merge\n```", "\u2028/merge", "\t/label ~x", "@all", "hi @group/sub, mail a@b.example", "<details>\n/merge\n</details>",
		"<!-- prefect-deploy-action:end -->\n/merge", "<!-- prefect-deploy-action {\"v\":1}-->", "\xff/merge\n/\xffmerge"} {
		f := newFakeLab(t)
		c := plan(headA, "1/1", text)
		c.Footer = "<sub>" + text + "</sub>\n" + text
		post(t, f.client(nil), c, UpsertOptions{}, Created)
		got := f.ours()[0]
		_, rest, _ := strings.Cut(got, "\n")
		if quickAction.MatchString(rest) || mention.MatchString(rest) || !utf8.ValidString(got) || strings.Count(got, footerEnd) != 1 || strings.Count(got, "<!-- prefect-deploy-action {") != 1 {
			t.Errorf("%q becomes %q", text, got)
		}
		if m, err := ParseMarker(got, ""); err != nil || m.Key != key {
			t.Errorf("%q: %v", text, err)
		}
		post(t, f.client(nil), c, UpsertOptions{}, Unchanged)
	}
}

func TestANoteKeepsToItsBudget(t *testing.T) {
	f := newFakeLab(t)
	c := plan(headA, "1/1", "")
	room := c.NoteRoom("key")
	c.Body = strings.Repeat("x", room)
	post(t, f.client(nil), c, UpsertOptions{PlanKey: "key"}, Created)
	if n := len(f.ours()[0]); n > NoteBudget || n < NoteBudget-100 {
		t.Errorf("%d bytes", n)
	}
	c.Body = strings.Repeat("/\n", room/2)
	_, _, err := UpsertNote(context.Background(), f.client(nil), labKey, c, UpsertOptions{PlanKey: "key"})
	var refused *Unavailable
	if !errors.As(err, &refused) || !strings.Contains(refused.Reason, "too long") {
		t.Error(err)
	}
}

func FuzzHarmless(f *testing.F) {
	f.Add("/merge\n@all\r/x")
	f.Fuzz(func(t *testing.T, text string) {
		got := harmless(text)
		if quickAction.MatchString(got) || mention.MatchString(got) {
			t.Fatalf("%q becomes %q", text, got)
		}
		if again := strings.ReplaceAll(got, breach, ""); utf8.ValidString(text) && again != strings.ReplaceAll(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), breach, "") {
			t.Fatalf("%q loses something: %q", text, again)
		}
	})
}

func TestAddressesOfGitLab(t *testing.T) {
	for _, bad := range []string{"", "gitlab.example.com", "ftp://h/api/v4", "https://u:p@h/api/v4", "https://h/api/v4?x", "https://h/#x"} {
		if _, err := NewGitLab(Options{APIURL: bad}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// The footer of the note of each merged request says how the deploy went; a later result stays, and where there is no note none is made.
func TestNotesSayHowItWent(t *testing.T) {
	f := newFakeLab(t)
	merged := func(number int, state, branch string) object {
		return object{"iid": number, "state": state, "target_branch": branch}
	}
	f.commits = []object{{"id": "c1"}, {"id": "c2"}, {"id": "c3"}}
	f.of = map[string][]object{"c1": {merged(7, "merged", "main"), merged(8, "opened", "main")}, "c2": {merged(9, "merged", "other"), merged(5, "merged", "main")}, "c3": {merged(7, "merged", "main")}}
	ctx := context.Background()
	for before, want := range map[string]string{"c0": "[5 7]", "": "[7]", "gone": "[7]"} {
		got, err := MergedRequests(ctx, f.client(nil), "12", before, "c3", "main")
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("before %q: %v, %v", before, got, err)
		}
	}
	result := func(run, text string, o Outcome, want Action) {
		t.Helper()
		if got, err := NoteResult(ctx, f.client(nil), labKey, run, text, o); err != nil || got != want {
			t.Errorf("%s: %s, %v", run, got, err)
		}
	}
	result("3/1", "Applied.", Carried, None)
	post(t, f.client(nil), plan(headA, "2/1", "the plan"), UpsertOptions{}, Created)
	f.state = "merged"
	result("3/1", "Applied by @all.\n/merge", Carried, Updated)
	result("2/9", "Failed.", Failed, Outdated)
	result("4/1", "Nothing left to do.", Idle, Outdated)
	result("3/1", "Applied by @all.\n/merge", Carried, Unchanged)
	got := f.ours()[0]
	if !strings.Contains(got, "\nthe plan\n") || !strings.Contains(got, "Applied by @"+breach+"all.\n"+breach+"/merge") || strings.Contains(got, "Merging applies") {
		t.Errorf("%q", got)
	}
	f.hook = func(*http.Request, string) *reply { return &reply{status: 403, body: `{"message":"403 Forbidden"}`} }
	_, err := NoteResult(ctx, f.client(nil), labKey, "5/1", "x", Carried)
	_, err2 := MergedRequests(ctx, f.client(nil), "12", "c0", "c3", "main")
	var refused *Unavailable
	if !errors.As(err, &refused) || !errors.As(err2, &refused) || !strings.Contains(refused.Reason, "merged requests") {
		t.Errorf("%v, %v", err, err2)
	}
}
