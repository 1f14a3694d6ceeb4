// What GitHub refuses costs a comment, never more: every fault ends in *Unavailable with the lines to write, after a bounded wait, and says no secret.
package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// unavailable fails unless err is *Unavailable and holds no token.
func unavailable(t *testing.T, err error) *Unavailable {
	t.Helper()
	var u *Unavailable
	if !errors.As(err, &u) {
		t.Fatalf("%v is no *Unavailable", err)
	}
	if text := fmt.Sprintf("%s %+v", err, u); strings.Contains(text, testToken) || strings.Contains(text, "secret-signature") {
		t.Errorf("a secret in %q", text)
	}
	return u
}

// facts/ci-platforms.md, "What goes wrong elsewhere", case 6: a fork's pull request gets 403, and a 403, 422 or 429 on the comment never changes the outcome.
func TestGoesWrongElsewhere6(t *testing.T) {
	message := func(text string) string {
		b, _ := json.Marshal(map[string]string{"message": text})
		return string(b)
	}
	const total = 3 // the waits that a fault which lasts can have: attempts less one
	cases := []struct {
		name   string
		answer reply
		waits  int
		status int
		says   []string
	}{
		{"a fork's token", reply{403, nil, message("Resource not accessible by integration")}, 0, 403, []string{"Resource not accessible", "forks and Dependabot", "permissions:\n      pull-requests: write"}},
		{"a locked conversation", reply{403, nil, message("Unable to create comment because issue is locked.")}, 0, 403, []string{"issue is locked", "unlock the conversation"}},
		{"no such pull request", reply{404, nil, message("Not Found")}, 0, 404, []string{"does not exist, or the token may not see it"}},
		{"gone", reply{410, nil, message("Issues are disabled for this repo")}, 0, 410, []string{"comments are switched off"}},
		{"too long", reply{422, nil, `{"message":"Validation Failed","errors":[{"resource":"IssueComment","code":"unprocessable","field":"data","message":"Body is too long (maximum is 65536 characters)"}]}`}, 0, 422, []string{"Body is too long"}},
		{"a bad token", reply{401, nil, message("Bad credentials " + testToken)}, 0, 401, []string{"wrong or has expired", "***"}},
		{"a second factor", reply{401, map[string]string{"X-GitHub-OTP": "required; app"}, message("Must specify two-factor authentication OTP code.")}, 0, 401, []string{"two-factor"}},
		{"429 with Retry-After", reply{429, map[string]string{"Retry-After": "7"}, message("Too many")}, total, 429, []string{"slow down; rerun the job after 12:00 UTC"}},
		{"429 with a date", reply{429, map[string]string{"Retry-After": noon.Add(9 * time.Second).Format(http.TimeFormat)}, ""}, total, 429, []string{"slow down"}},
		{"a secondary limit", reply{403, map[string]string{"Retry-After": "5"}, message("You have exceeded a secondary rate limit.")}, total, 403, []string{"slow down"}},
		{"a secondary limit that names no time", reply{403, nil, `{"message":"You have exceeded a secondary rate limit.","documentation_url":"https://docs.example/rate#secondary-rate-limits"}`}, 2, 403, []string{"slow down"}},
		{"a limit that resets soon", reply{403, map[string]string{"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(noon.Add(20 * time.Second).Unix())}, message("API rate limit exceeded")}, total, 403, []string{"slow down"}},
		{"a limit that resets in an hour", reply{403, map[string]string{"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(noon.Add(time.Hour).Unix())}, message("API rate limit exceeded")}, 0, 403, []string{"rerun the job after 13:00 UTC"}},
		{"429 with reset in an hour", reply{429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(noon.Add(time.Hour).Unix())}, ""}, 0, 429, []string{"rerun the job after 13:00 UTC"}},
		{"a wait of years", reply{429, map[string]string{"Retry-After": "999999999999"}, ""}, 2, 429, []string{"slow down"}},
		{"500", reply{500, nil, "<html>"}, total, 500, []string{"500 Internal Server Error", "when GitHub is well again"}},
		{"503 with Retry-After", reply{503, map[string]string{"Retry-After": "3"}, ""}, total, 503, []string{"503"}},
		{"an answer in HTML", reply{200, nil, "<html>log in</html>"}, 0, 0, []string{"not GitHub's", "GITHUB_API_URL"}},
		{"an answer of another shape", reply{200, nil, `"hello"`}, 0, 0, []string{"not GitHub's"}},
		{"moved elsewhere", reply{301, map[string]string{"Location": "http://127.0.0.1:1/elsewhere"}, ""}, 0, 301, []string{"moved"}},
		{"escapes", reply{403, nil, message("\x1b[31mred\n::error::boo " + strings.Repeat("x", 5000))}, 0, 403, []string{`\x1b[31mred\n::error::boo`}},
	}
	for _, tc := range cases {
		for _, at := range []string{"GET", "POST", "PATCH"} {
			t.Run(tc.name+" on "+at, func(t *testing.T) {
				f := newFake(t)
				if at == "PATCH" {
					f.add(actionsBot, plan(headB, "1/1", "old").text(""))
				}
				f.hook = func(r *http.Request, _ string) *reply {
					if r.Method == at && strings.Contains(r.URL.Path, "/comments") {
						return &tc.answer
					}
					return nil
				}
				var waits []time.Duration
				_, _, err := Upsert(context.Background(), f.client(&waits), repo, 7, plan(headA, "2/1", "new"), UpsertOptions{})
				if at == "PATCH" && tc.status == 404 { // the comment is gone, not the pull request: it is looked for again
					unavailable(t, err)
					return
				}
				u := unavailable(t, err)
				if u.Status != tc.status {
					t.Errorf("status %d, want %d", u.Status, tc.status)
				}
				for _, s := range tc.says {
					if !strings.Contains(err.Error(), s) {
						t.Errorf("%q lacks %q", err, s)
					}
				}
				if strings.ContainsAny(u.Reason, "\x1b\n") || len(u.Reason) > 600 {
					t.Errorf("a reason to be shown in one line: %q", u.Reason)
				}
				if len(waits) != tc.waits || sum(waits) > patience {
					t.Errorf("waits %v, want %d", waits, tc.waits)
				}
			})
		}
	}
}

func sum(ds []time.Duration) (s time.Duration) {
	for _, d := range ds {
		s += d
	}
	return s
}

// A fault that passes costs a wait and nothing else.
func TestPassingFaults(t *testing.T) {
	answers := []reply{
		{429, map[string]string{"Retry-After": "7"}, ""},
		{403, map[string]string{"Retry-After": "7"}, `{"message":"You have exceeded a secondary rate limit.","documentation_url":"https://docs.example/#secondary-rate-limits"}`},
		{403, map[string]string{"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(time.Now().Add(time.Hour).Unix())}, `{"message":"API rate limit exceeded"}`},
		{403, map[string]string{"Retry-After": "7"}, `{"message":"Wait a moment"}`},
		{502, nil, ""},
	}
	for i, answer := range answers {
		for _, path := range []string{"/user", "/repos/acme/flows/issues/7/comments", "/repos/acme/flows/pulls/7"} {
			t.Run(fmt.Sprintf("%d on %s", i, path), func(t *testing.T) {
				f := newFake(t)
				failed := false
				f.hook = func(r *http.Request, _ string) *reply {
					if r.URL.Path != path || failed {
						return nil
					}
					failed = true
					return &answer
				}
				var waits []time.Duration
				c := f.client(&waits)
				c.patience, c.now = 2*time.Hour, time.Now
				put(t, c, plan(headA, "1/1", "A"), UpsertOptions{}, Created)
				if len(waits) != 1 {
					t.Errorf("waits %v", waits)
				}
			})
		}
	}
}

// Patience is one for all that a client does: ten pull requests do not wait ten times.
func TestPatienceIsShared(t *testing.T) {
	f := newFake(t)
	f.hook = func(*http.Request, string) *reply { return &reply{429, map[string]string{"Retry-After": "50"}, ""} }
	var waits []time.Duration
	c := f.client(&waits)
	for range 10 {
		_, _, err := Upsert(context.Background(), c, repo, 7, plan(headA, "1/1", "A"), UpsertOptions{})
		unavailable(t, err)
	}
	if sum(waits) > patience {
		t.Errorf("waited %v in all", sum(waits))
	}
}

func TestNobodyThere(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	var waits []time.Duration
	c, err := New(Options{Token: testToken, APIURL: s.URL, Sleep: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Upsert(context.Background(), c, repo, 7, plan(headA, "1/1", "A"), UpsertOptions{})
	if u := unavailable(t, err); !strings.Contains(u.Reason, "does not answer") || len(waits) != attempts-1 {
		t.Errorf("%v after %v", err, waits)
	}
}

func TestWithoutToken(t *testing.T) {
	f := newFake(t)
	c, err := New(Options{APIURL: f.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = Upsert(context.Background(), c, repo, 7, plan(headA, "1/1", "A"), UpsertOptions{})
	if u := unavailable(t, err); u.Status != 401 || !strings.Contains(u.Hint, "github-token: ${{ github.token }}") {
		t.Errorf("%v", err)
	}
}

// An ended run is no fault of GitHub's: the context's error comes back as it is.
func TestEnded(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(context.Background())
	f.hook = func(*http.Request, string) *reply { cancel(); return &reply{status: 503} }
	if _, _, err := Upsert(ctx, f.client(nil), repo, 7, plan(headA, "1/1", "A"), UpsertOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	f.hook = func(*http.Request, string) *reply { return &reply{status: 503} }
	c := f.client(nil)
	c.sleep = func(ctx context.Context, _ time.Duration) error { cancel(); return sleep(ctx, time.Hour) }
	if _, _, err := Upsert(ctx, c, repo, 7, plan(headA, "1/1", "A"), UpsertOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A redirect within the API is followed for reads (a renamed repository); to another host neither it nor the token goes, and a write never becomes a read.
func TestRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked: %v", r.URL, r.Header["Authorization"])
	}))
	defer other.Close()
	f := newFake(t)
	renamed := true
	f.hook = func(r *http.Request, _ string) *reply {
		if r.Method == http.MethodGet && r.URL.Path == "/repos/acme/flows/pulls/7" && renamed {
			renamed = false
			return &reply{301, map[string]string{"Location": f.URL + "/repos/acme/flows/pulls/7"}, ""}
		}
		return nil
	}
	put(t, f.client(nil), plan(headA, "1/1", "A"), UpsertOptions{}, Created)
	for _, location := range []string{other.URL + "/x", f.URL + "/repos/acme/flows/issues/comments/1001"} {
		f.hook = func(r *http.Request, _ string) *reply {
			if r.Method == http.MethodPatch {
				return &reply{301, map[string]string{"Location": location}, `{"message":"Moved Permanently"}`}
			}
			return nil
		}
		_, _, err := Upsert(context.Background(), f.client(nil), repo, 7, plan(headA, "2/1", "B"), UpsertOptions{})
		if u := unavailable(t, err); u.Status != 301 {
			t.Errorf("%v", err)
		}
	}
}

// The token is for the API's host alone, whoever asks the client for another one.
func TestTokenStaysHome(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("the token was sent to another host: %s", got)
		}
	}))
	defer other.Close()
	resp, err := newFake(t).client(nil).gh.Client().Get(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestNew(t *testing.T) {
	for _, bad := range []string{"ftp://host", "https://user:pass@host/api", "host", "https://", "https://host/?a=b", "://"} {
		if _, err := New(Options{APIURL: bad}); err == nil || strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for text, ok := range map[string]bool{"acme/flows": true, "a-b_c/d.e": true, "acme": false, "a/b/c": false, "../x": false, "a/..": false, "a/b?c": false, "/": false, "": false, "a/b%2f": false} {
		if _, err := ParseRepo(text); (err == nil) != ok {
			t.Errorf("ParseRepo(%q): %v", text, err)
		}
	}
	c, err := New(Options{APIURL: "https://github.example/api/v3"})
	if err != nil || c.gh.BaseURL.String() != "https://github.example/api/v3/" {
		t.Errorf("%v %v", c, err)
	}
	if _, _, err := Upsert(context.Background(), c, repo, 0, plan(headA, "1/1", "A"), UpsertOptions{}); unavailable(t, err).Reason != "0 is no pull request's number" {
		t.Error(err)
	}
}
