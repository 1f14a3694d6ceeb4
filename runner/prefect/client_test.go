// The client against servers that misbehave: what is asserted is what was sent and what came out, never how long it took. The
// answers have the shapes that Prefect 3.8.8 gave when it was asked (see the comments at the calls).
package prefect

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// seen is one request as the server got it.
type seen struct {
	method, path, body string
	header             http.Header
}

// fake is a server whose answers are a function of the request and of how many came before it.
type fake struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

func newFake(t *testing.T, answer func(n int, r seen, w http.ResponseWriter)) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s := seen{r.Method, r.URL.RequestURI(), string(body), r.Header.Clone()}
		f.mu.Lock()
		n := len(f.seen)
		f.seen = append(f.seen, s)
		f.mu.Unlock()
		answer(n, s, w)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) requests() []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]seen(nil), f.seen...)
}

// lines is "METHOD path" of each request.
func (f *fake) lines() string {
	var out []string
	for _, s := range f.requests() {
		out = append(out, s.method+" "+s.path)
	}
	return strings.Join(out, "\n")
}

// waits records what the client wanted to wait.
type waits struct {
	mu sync.Mutex
	d  []time.Duration
}

func (w *waits) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.d = append(w.d, d)
	return ctx.Err()
}

func (f *fake) client(w *waits) *Client { return f.clientWith(w, Config{}) }

func (f *fake) clientWith(w *waits, config Config) *Client {
	config.APIURL = f.URL + "/api"
	return New(config, Options{Sleep: w.sleep, Random: func() float64 { return 0.5 }, Now: func() time.Time { return now }})
}

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

var someFields = value.Of([]value.Entry{{Key: "name", Value: value.Of("d")}})

func TestStormOf503EndsInSuccessAndDoublingWaits(t *testing.T) {
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
		if n < 4 {
			reply(w, 503, `{"exception_message":"Service Unavailable"}`)
			return
		}
		reply(w, 201, `{"id":"1","flow_id":"2","name":"d"}`)
	})
	var w waits
	c := f.client(&w)
	d, err := c.CreateDeployment(context.Background(), someFields)
	if err != nil || d.ID != "1" {
		t.Fatalf("got %v, %v", d, err)
	}
	want := []time.Duration{200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond}
	if fmt.Sprint(w.d) != fmt.Sprint(want) {
		t.Errorf("waited %v, want %v", w.d, want)
	}
	for _, r := range f.requests() {
		if r.body != `{"name":"d"}` {
			t.Errorf("a repeat sent %q", r.body)
		}
	}
	if c.Limiter.Limit() != 1 {
		t.Errorf("after the storm %d may write at once", c.Limiter.Limit())
	}
}

func TestStormThatDoesNotEndIsAnErrorWithTheStatus(t *testing.T) {
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) { reply(w, 503, `{"detail":"database is locked"}`) })
	var w waits
	err := f.client(&w).UpdateDeployment(context.Background(), "x", someFields)
	if StatusOf(err) != 503 || !strings.Contains(err.Error(), "PATCH /deployments/x: 503 Service Unavailable: database is locked, after 7 attempts") {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	cases := []struct {
		header string
		wait   time.Duration
		err    string
	}{
		{"7", 7 * time.Second, ""},
		{"0.5", 500 * time.Millisecond, ""},
		{"120", 2 * time.Minute, ""},
		{now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second, ""},
		{now.Add(-time.Hour).Format(http.TimeFormat), 0, ""},
		{"soon", 200 * time.Millisecond, ""},
		{"-3", 200 * time.Millisecond, ""},
		{"NaN", 200 * time.Millisecond, ""},
		{"3600", 0, "GET /admin/version: 429 Too Many Requests: the server asks to wait 1h0m0s; try again then"},
	}
	for _, c := range cases {
		t.Run(c.header, func(t *testing.T) {
			f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
				if n == 0 {
					w.Header().Set("Retry-After", c.header)
					reply(w, 429, `{}`)
					return
				}
				reply(w, 200, `"3.8.8"`)
			})
			var w waits
			v, err := f.client(&w).Version(context.Background())
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil || v != "3.8.8" || len(w.d) != 1 || w.d[0] != c.wait {
				t.Errorf("got %q, %v, waited %v, want %v", v, err, w.d, c.wait)
			}
		})
	}
}

// reset ends the connection without an answer, or in the middle of one.
func reset(w http.ResponseWriter, partial string) {
	conn, buf, _ := w.(http.Hijacker).Hijack()
	if partial != "" {
		_, _ = buf.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n" + partial)
		_ = buf.Flush()
	}
	_ = conn.Close()
	_ = bufio.ErrBufferFull
}

func TestBrokenConnectionsAreRepeatedWhereThatIsSafe(t *testing.T) {
	ctx := context.Background()
	calls := []struct {
		name     string
		call     func(*Client) error
		repeated bool
	}{
		{"read", func(c *Client) error { _, err := c.Variables(ctx, []string{"v"}); return err }, true},
		{"create", func(c *Client) error { _, err := c.CreateDeployment(ctx, someFields); return err }, true},
		{"update", func(c *Client) error { return c.UpdateDeployment(ctx, "x", someFields) }, true},
		{"update with replaces", func(c *Client) error {
			s := value.Of([]value.Entry{{Key: "replaces", Value: value.Of("old")}})
			return c.UpdateDeployment(ctx, "x", value.Of([]value.Entry{{Key: "schedules", Value: value.Of([]value.Value{s})}}))
		}, false},
		{"add schedules", func(c *Client) error { return c.CreateSchedules(ctx, "x", []value.Value{someFields}) }, false},
		{"delete", func(c *Client) error { return c.DeleteDeployment(ctx, "x") }, true},
	}
	for _, partial := range []string{"", `[{"id":`} {
		for _, call := range calls {
			t.Run(call.name+partial, func(t *testing.T) {
				f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
					switch {
					case n == 0:
						reset(w, partial)
					case r.method == "DELETE": // the first one had been carried out
						reply(w, 404, `{"detail":"Deployment not found"}`)
					case strings.HasSuffix(r.path, "/filter"):
						reply(w, 200, `[]`)
					default:
						reply(w, 200, `{"id":"1"}`)
					}
				})
				var w waits
				err := call.call(f.client(&w))
				if call.repeated != (len(f.requests()) == 2) || call.repeated != (err == nil) {
					t.Errorf("%d requests, %v", len(f.requests()), err)
				}
				if err != nil && (strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "does not answer")) {
					t.Errorf("the error reads %q", err)
				}
			})
		}
	}
}

func TestNobodyListens(t *testing.T) {
	f := newFake(t, func(int, seen, http.ResponseWriter) {})
	var w waits
	c := f.client(&w)
	f.Close()
	err := c.CreateSchedules(context.Background(), "x", []value.Value{someFields})
	if err == nil || len(w.d) != dialAttempts-1 || !strings.Contains(err.Error(), "does not answer") || !strings.Contains(err.Error(), "after 3 attempts") {
		t.Errorf("waited %v, %v", w.d, err)
	}
}

func TestSlowAnswerIsGivenUpAndAskedAgain(t *testing.T) {
	release := make(chan struct{})
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
		if n == 0 {
			<-release
			return
		}
		reply(w, 200, `"3.8.8"`)
	})
	defer close(release)
	var w waits
	c := New(Config{APIURL: f.URL + "/api"}, Options{Sleep: w.sleep, Timeout: 50 * time.Millisecond})
	if v, err := c.Version(context.Background()); err != nil || v != "3.8.8" {
		t.Errorf("got %q, %v", v, err)
	}
}

func TestCancelledContextEndsEverything(t *testing.T) {
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) { reply(w, 503, `{}`) })
	ctx, cancel := context.WithCancel(context.Background())
	c := New(Config{APIURL: f.URL + "/api"}, Options{Sleep: func(ctx context.Context, _ time.Duration) error { cancel(); return ctx.Err() }})
	err := c.UpdateDeployment(ctx, "x", someFields)
	if !errors.Is(err, context.Canceled) || len(f.requests()) != 1 || !strings.Contains(err.Error(), "503") {
		t.Errorf("%d requests, %v", len(f.requests()), err)
	}
	if err := c.UpdateDeployment(ctx, "x", someFields); !errors.Is(err, context.Canceled) || len(f.requests()) != 1 {
		t.Errorf("%d requests, %v", len(f.requests()), err)
	}
}

func TestRedirects(t *testing.T) {
	other := newFake(t, func(n int, r seen, w http.ResponseWriter) { reply(w, 200, `"stolen"`) })
	var target string
	status := 307
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
		if strings.HasPrefix(r.path, "/moved") {
			reply(w, 200, `"3.8.8"`)
			return
		}
		w.Header().Set("Location", target)
		w.WriteHeader(status)
	})
	var w waits
	secret := Config{APIKey: "pnu_SECRET", Headers: []Header{{"X-Team-Token", "HUSH"}}}

	target = other.URL + "/api/admin/version"
	_, err := f.clientWith(&w, secret).Version(context.Background())
	if err == nil || !strings.Contains(err.Error(), f.URL) || !strings.Contains(err.Error(), other.URL) || len(other.requests()) != 0 || len(w.d) != 0 {
		t.Errorf("another host: %v, which got %d requests", err, len(other.requests()))
	}
	target = "/moved"
	if v, err := f.clientWith(&w, secret).Version(context.Background()); err != nil || v != "3.8.8" {
		t.Errorf("same host: %q, %v", v, err)
	}
	status = 302
	if _, err := f.clientWith(&w, secret).Variables(context.Background(), []string{"v"}); err == nil || !strings.Contains(err.Error(), "redirects a POST") {
		t.Errorf("a POST that would become a GET: %v", err)
	}
}

func TestLoggingIn(t *testing.T) {
	cases := []struct {
		config Config
		want   string
	}{
		{Config{}, ""},
		{Config{APIKey: "key"}, "Bearer key"},
		{Config{AuthString: "admin:pass"}, "Basic YWRtaW46cGFzcw=="},
		{Config{APIKey: "key", AuthString: "admin:pass"}, "Basic YWRtaW46cGFzcw=="},
	}
	for _, c := range cases {
		f := newFake(t, func(n int, r seen, w http.ResponseWriter) { reply(w, 200, `"3.8.8"`) })
		c.config.Headers = []Header{{"X-Proxy", "p"}}
		if _, err := f.clientWith(&waits{}, c.config).Version(context.Background()); err != nil {
			t.Fatal(err)
		}
		h := f.requests()[0].header
		if h.Get("Authorization") != c.want || h.Get("X-Proxy") != "p" || h.Get("X-Prefect-Api-Version") != "0.8.4" {
			t.Errorf("%v: sent %v", c.config, h)
		}
	}
}

func TestCSRF(t *testing.T) {
	tokens := 0
	valid := ""
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
		if r.method == "GET" {
			tokens++
			valid = fmt.Sprint("token-", tokens)
			reply(w, 200, fmt.Sprintf(`{"token":%q,"client":"c","expiration":%q}`, valid, now.Add(time.Hour).Format(time.RFC3339)))
			return
		}
		if got := r.header.Get("Prefect-Csrf-Token"); got == "" {
			reply(w, 403, `{"detail":"Missing CSRF token."}`)
		} else if got != valid || r.header.Get("Prefect-Csrf-Client") == "" {
			reply(w, 403, `{"detail":"Invalid CSRF token or client identifier."}`)
		} else {
			reply(w, 200, `[]`)
		}
	})
	var w waits
	c := f.client(&w)
	for range 2 {
		if _, err := c.Variables(context.Background(), []string{"v"}); err != nil {
			t.Fatal(err)
		}
	}
	valid = "another" // it expired on the server
	if err := c.UpdateDeployment(context.Background(), "x", someFields); err != nil {
		t.Fatal(err)
	}
	if tokens != 2 || len(f.requests()) != 7 {
		t.Errorf("%d tokens, requests:\n%s", tokens, f.lines())
	}
	if !strings.HasPrefix(f.requests()[1].path, "/api/csrf-token?client=") {
		t.Errorf("asked at %s", f.requests()[1].path)
	}
}

func TestForbiddenWithoutCSRFIsAskedOnce(t *testing.T) {
	for _, off := range []struct {
		status int
		body   string
	}{{404, `{"detail":"Not Found"}`}, {422, `{"detail":"CSRF protection is disabled."}`}} {
		f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
			if r.method == "GET" {
				reply(w, off.status, off.body)
				return
			}
			reply(w, 403, `{"detail":"Missing CSRF token."}`)
		})
		c := f.client(&waits{})
		for range 2 {
			if err := c.DeleteDeployment(context.Background(), "x"); StatusOf(err) != 403 {
				t.Errorf("got %v", err)
			}
		}
		if len(f.requests()) != 3 {
			t.Errorf("requests:\n%s", f.lines())
		}
	}
}

func TestRefusalsSayWhatIsWrongAndLeakNothing(t *testing.T) {
	cases := []struct{ name, want, body string }{
		{"detail", "PATCH /deployments/x: 422 Unprocessable Entity: Please provide a slug", `{"detail":"Please provide a slug"}`},
		{"model", "PATCH /deployments/x: 422 Unprocessable Entity: body.tags: Input should be a valid list; body.foo: Extra inputs are not permitted",
			`{"exception_message":"Invalid request received.","exception_detail":[{"type":"list_type","loc":["body","tags"],"msg":"Input should be a valid list","input":"SECRET"},{"loc":["body","foo"],"msg":"Extra inputs are not permitted","input":{"a":"SECRET"}}],"request_body":{"job_variables":{"password":"SECRET"}}}`},
		{"message", "PATCH /deployments/x: 422 Unprocessable Entity: Internal Server Error", `{"exception_message":"Internal Server Error"}`},
		{"page", "PATCH /deployments/x: 422 Unprocessable Entity: the answer is a web page, not Prefect's: is PREFECT_API_URL right? (it usually ends in /api)", "\n<!DOCTYPE html><html><body>SECRET</body></html>"},
		{"control", "PATCH /deployments/x: 422 Unprocessable Entity: a [31mred b", "a\x1b[31mred\r\n\x00\u202eb"},
		{"echo", "PATCH /deployments/x: 422 Unprocessable Entity: the key (hidden) is bad", `{"detail":"the key pnu_SECRET is bad"}`},
		{"empty", "PATCH /deployments/x: 422 Unprocessable Entity", ""},
		{"list", "PATCH /deployments/x: 422 Unprocessable Entity: one; two", `{"detail":["one","two"]}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, func(n int, r seen, w http.ResponseWriter) { reply(w, 422, c.body) })
			err := f.clientWith(&waits{}, Config{APIKey: "pnu_SECRET"}).UpdateDeployment(context.Background(), "x", someFields)
			if err == nil || err.Error() != c.want {
				t.Errorf("\ngot  %v\nwant %s", err, c.want)
			}
		})
	}
	if long := oneLine(strings.Repeat("x", 10_000)); len([]rune(long)) != maxDetail+1 {
		t.Errorf("a long text is cut to %d", len(long))
	}
}

func TestAnswersThatAreNoJSON(t *testing.T) {
	for body, want := range map[string]string{
		`[{"id": "1"`:               "is not whole JSON",
		"<html>log in</html>":       "web page",
		`[]trailing`:                "is not whole JSON",
		strings.Repeat("[", 20_000): "is not whole JSON",
	} {
		f := newFake(t, func(n int, r seen, w http.ResponseWriter) { reply(w, 200, body) })
		if _, err := f.client(&waits{}).Variables(context.Background(), []string{"v"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", body, err)
		}
	}
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) { reply(w, 200, `"`+strings.Repeat("x", 2000)+`"`) })
	c := New(Config{APIURL: f.URL}, Options{MaxBody: 1000, Sleep: (&waits{}).sleep})
	if _, err := c.Version(context.Background()); err == nil || !strings.Contains(err.Error(), "larger than 1000 bytes") || len(f.requests()) != 1 {
		t.Errorf("got %v after %d requests", err, len(f.requests()))
	}
}

func TestVersion(t *testing.T) {
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
		if r.method == "GET" {
			reply(w, 404, `{"detail":"Not Found"}`)
			return
		}
		reply(w, 200, `[]`)
	})
	if v, err := f.client(&waits{}).Version(context.Background()); v != Cloud || err != nil {
		t.Errorf("a workspace without /admin/version: %q, %v", v, err)
	}
	f = newFake(t, func(n int, r seen, w http.ResponseWriter) { reply(w, 404, `<html></html>`) })
	if v, err := f.client(&waits{}).Version(context.Background()); StatusOf(err) != 404 {
		t.Errorf("no Prefect at all: %q, %v", v, err)
	}
	c := New(Config{APIURL: "https://api.prefect.cloud/api/accounts/a/workspaces/w"}, Options{})
	if v, err := c.Version(context.Background()); v != Cloud || err != nil {
		t.Errorf("Cloud: %q, %v", v, err)
	}
	if !Supports(Cloud, "schedule", "replaces") || Supports("3.6.16", "schedule", "replaces") || !Supports("3.6.17", "schedule", "replaces") ||
		!Supports("3.8.8.dev3+g1", "deployment", "labels") || Supports("2.20.26", "deployment", "labels") || !Supports("weird", "deployment", "labels") {
		t.Error("the table of versions is not read as it should be")
	}
}

// TestBulkReads counts requests: the whole point of reading in bulk.
func TestBulkReads(t *testing.T) {
	store := map[string][]map[string]string{"flows": {}, "deployments": {}}
	for i := range 300 {
		store["flows"] = append(store["flows"], map[string]string{"id": fmt.Sprint("id", i), "name": fmt.Sprint("flow", i)})
		for _, d := range []string{"dev", "prod"} {
			store["deployments"] = append(store["deployments"], map[string]string{"id": fmt.Sprint(d, i), "flow_id": fmt.Sprint("id", i), "name": d})
		}
	}
	limit := 200
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
		list := strings.TrimSuffix(strings.TrimPrefix(r.path, "/api/"), "/filter")
		var q struct {
			Limit, Offset      int
			Flows, Deployments struct {
				Name struct {
					Any []string `json:"any_"`
				}
			}
		}
		_ = json.Unmarshal([]byte(r.body), &q)
		if q.Limit > limit {
			reply(w, 422, fmt.Sprintf(`{"detail":"Invalid limit: must be less than or equal to %d."}`, limit))
			return
		}
		names := map[string]bool{}
		for _, n := range append(q.Flows.Name.Any, q.Deployments.Name.Any...) {
			names[n] = true
		}
		var hits []map[string]string
		for _, item := range store[list] {
			flow := strings.Replace(item["flow_id"], "id", "flow", 1)
			if names[item["name"]] && (list == "flows" || names[flow]) {
				hits = append(hits, item)
			}
		}
		hits = hits[min(q.Offset, len(hits)):min(q.Offset+q.Limit, len(hits))]
		b, _ := json.Marshal(append([]map[string]string{}, hits...))
		reply(w, 200, string(b))
	})
	var names []DeploymentName
	for i := range 300 {
		names = append(names, DeploymentName{fmt.Sprint("flow", i), "dev"}, DeploymentName{fmt.Sprint("flow", i), "absent"})
	}
	for _, c := range []struct{ names, limit, requests int }{{600, 200, 5}, {2, 200, 1}, {600, 50, 0}, {0, 200, 0}} {
		limit = c.limit
		before := len(f.requests())
		got, err := f.client(&waits{}).Deployments(context.Background(), names[:c.names])
		if err != nil || len(got) != c.names/2 {
			t.Fatalf("%d names: %d deployments, %v", c.names, len(got), err)
		}
		for i, d := range got {
			if d.Name != names[2*i] || d.ID != fmt.Sprint("dev", i) {
				t.Fatalf("entry %d is %v %s", i, d.Name, d.ID)
			}
		}
		if n := len(f.requests()) - before; c.requests > 0 && n != c.requests {
			t.Errorf("%d names took %d requests, want %d", c.names, n, c.requests)
		}
	}
}

func TestBlocksAreFilledIn(t *testing.T) {
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
		if r.method == "GET" {
			reply(w, 200, `{"data":{"token":"inner"}}`)
			return
		}
		reply(w, 200, `[{"name":"main","block_type":{"slug":"secret"},"data":{"value":"x"}},{"name":"main","block_type":{"slug":"other"},"data":{"creds":[{"$ref":{"block_document_id":"abc"}}]}}]`)
	})
	got, err := f.client(&waits{}).Blocks(context.Background(), []BlockName{{Type: "other", Name: "main"}, {Type: "other", Name: "absent"}})
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if text := string(got[BlockName{Type: "other", Name: "main"}].AppendJSON(nil)); text != `{"creds":[{"token":"inner"}]}` {
		t.Errorf("got %s", text)
	}
	want := `{"block_documents":{"name":{"any_":["absent","main"]}},"block_types":{"slug":{"any_":["other"]}},"include_secrets":true,"offset":0,"limit":200}`
	if f.requests()[0].body != want {
		t.Errorf("asked %s", f.requests()[0].body)
	}
}

func TestLimiter(t *testing.T) {
	l := NewLimiter(2, 5)
	ctx := context.Background()
	for range 1000 {
		if _, err := l.acquire(ctx); err != nil {
			t.Fatal(err)
		}
		l.release(true)
	}
	if l.Limit() != 5 {
		t.Fatalf("after a thousand successes %d may write at once", l.Limit())
	}
	var eras []int
	for range 5 {
		era, _ := l.acquire(ctx)
		eras = append(eras, era)
	}
	for _, era := range eras { // one burst counts once
		l.overload(era)
	}
	if l.Limit() != 2 {
		t.Errorf("after one burst of refusals %d may write at once", l.Limit())
	}
	full, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := l.acquire(full); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting in a full house: %v", err)
	}
	for range 5 {
		l.release(false)
	}
	if _, err := l.acquire(ctx); err != nil || l.busy != 1 {
		t.Errorf("%d are busy, %v", l.busy, err)
	}
}

// TestConcurrentWritesStayWithinTheLimit counts at the server how many came at once.
func TestConcurrentWritesStayWithinTheLimit(t *testing.T) {
	var mu sync.Mutex
	busy, most := 0, 0
	f := newFake(t, func(n int, r seen, w http.ResponseWriter) {
		mu.Lock()
		busy++
		most = max(most, busy)
		crowded := busy > 3
		mu.Unlock()
		defer func() { mu.Lock(); busy--; mu.Unlock() }()
		if crowded {
			reply(w, 503, `{}`)
			return
		}
		reply(w, 204, ``)
	})
	c := New(Config{APIURL: f.URL + "/api"}, Options{Sleep: (&waits{}).sleep, MaxWriters: 8})
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			if err := c.UpdateDeployment(context.Background(), fmt.Sprint(i), someFields); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most > 4 {
		t.Errorf("%d writes came at once", most)
	}
}

// TestRefusedLogin: who gave a login is told which setting holds the one that is refused, and never what it is.
func TestRefusedLogin(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer server.Close()
	for says, config := range map[string]Config{
		"set PREFECT_API_KEY":                            {},
		"does not take PREFECT_API_KEY":                  {APIKey: "canary"},
		"does not take PREFECT_API_AUTH_STRING":          {APIKey: "canary", AuthString: "u:canary"},
		"Authorization of PREFECT_CLIENT_CUSTOM_HEADERS": {AuthString: "u:canary", Headers: []Header{{"Authorization", "canary"}}},
	} {
		config.APIURL = server.URL
		if _, err := New(config, Options{}).Version(context.Background()); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "canary") {
			t.Errorf("want %q: %v", says, err)
		}
	}
}
