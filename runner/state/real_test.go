//go:build real

// A real Prefect server, started for these tests and ended with them. What schedules.go and prefect.go claim of it is asked here.
package state

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/prefect"
	"github.com/org/prefect-deploy-action/runner/servertest"
)

// realServer is started by the first test that wants it.
type realServer struct {
	once sync.Once
	*servertest.Prefect
	err error
}

// plainServer has Prefect's defaults; lockedServer wants a password and CSRF tokens, and gives 7 entries a page.
var plainServer, lockedServer realServer

func TestMain(m *testing.M) {
	code := m.Run()
	for _, s := range []*realServer{&plainServer, &lockedServer} {
		if s.Prefect != nil {
			s.Stop()
		}
	}
	os.Exit(code)
}

func (s *realServer) start(t testing.TB, env ...string) string {
	t.Helper()
	s.once.Do(func() { s.Prefect, s.err = servertest.StartPrefect(env...) })
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.URL
}

// realPython is the interpreter that the servers run with.
func realPython(t *testing.T) string {
	t.Helper()
	venv, err := servertest.Venv()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(venv, "bin", "python")
}

// traffic records requests on their way.
type traffic struct {
	mu    sync.Mutex
	lines []string
}

func (r *traffic) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(req)
	r.mu.Lock()
	defer r.mu.Unlock()
	line := req.Method + " " + strings.TrimPrefix(req.URL.Path, "/api")
	if resp != nil {
		line += fmt.Sprint(" ", resp.StatusCode)
	}
	r.lines = append(r.lines, line)
	return resp, err
}

func (r *traffic) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.lines
	r.lines = nil
	return out
}

var pool = `"work_pool_name":"p","entrypoint":"a.py:f"`

func realState(t *testing.T) (*State, *prefect.Client, *traffic) {
	t.Helper()
	url := plainServer.start(t)
	wire := &traffic{}
	c := prefect.New(prefect.Config{APIURL: url}, prefect.Options{Transport: wire})
	post(t, url+"/work_pools/", `{"name":"p","type":"process"}`)
	return OpenPrefect(c), c, wire
}

// post sends a body by hand; that the thing is there already is fine.
func post(t *testing.T, url, body string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 400 && resp.StatusCode != http.StatusConflict {
		t.Fatalf("POST %s: %d", url, resp.StatusCode)
	}
}

// TestRealTransitions ends in exactly the wanted list, with the requests that were planned.
func TestRealTransitions(t *testing.T) {
	s, _, wire := realState(t)
	for i, c := range transitions() {
		t.Run(c.name, func(t *testing.T) {
			n := Name{"transitions", fmt.Sprint("d", i)}
			writeOne(t, s, Write{Name: n, Fields: parsed(t, `{`+pool+`,"schedules":`+c.before+`}`)})
			live := readOne(t, s, n)
			wire.take()
			written := writeOne(t, s, Write{Name: n, Live: live, Fields: parsed(t, `{"schedules":`+c.wanted+`}`)})
			requests := wire.take()
			if (c.sends == "") != (len(requests) == 0) {
				t.Errorf("sent %v, want %q", requests, c.sends)
			}
			after := readOne(t, s, n)
			if got := schedulesOf(after); c.after != "" && got != c.after {
				t.Errorf("\ngot  %s\nwant %s\nsent %v", got, c.after, requests)
			}
			if got, want := schedulesOf(written), schedulesOf(after); got != want {
				t.Errorf("Write returned %s, the server has %s", got, want)
			}
			wire.take()
			writeOne(t, s, Write{Name: n, Live: after, Fields: parsed(t, `{"schedules":`+c.wanted+`}`)})
			if again := wire.take(); len(again) != 0 && !strings.Contains(c.name, "swapped") && !strings.Contains(c.name, "another's place") {
				t.Errorf("the same once more sent %v", again)
			}
		})
	}
}

// TestRealClaimsAboutSchedules asks the server for what schedules.go says of it, past our own code.
func TestRealClaimsAboutSchedules(t *testing.T) {
	s, c, _ := realState(t)
	ctx := context.Background()
	start := func(name, schedules string) (*Live, func() *Live) {
		n := Name{"claims", name}
		live := writeOne(t, s, Write{Name: n, Fields: parsed(t, `{`+pool+`,"schedules":`+schedules+`}`)})
		return live, func() *Live { return readOne(t, s, n) }
	}
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: the server has\n%s\nwant\n%s", what, got, want)
		}
	}
	live, now := start("slugged", list(sched("a", h0, off), sched("b", h1, "")))
	ids := idsBySlug(now())
	patch := func(schedules string) error {
		return c.UpdateDeployment(ctx, live.ID, parsed(t, `{"schedules":`+schedules+`}`))
	}
	if err := patch("[]"); err != nil {
		t.Error(err)
	}
	check("[] does nothing while all have slugs", schedulesOf(now()), "a 0 0 * * * false\nb 0 1 * * * true")
	if err := patch(list(sched("", h2, ""))); prefect.StatusOf(err) != 422 {
		t.Errorf("without slugs over slugs: %v", err)
	}
	if err := patch(list(sched("a", h2, ""), sched("c", h2, `"max_scheduled_runs":2`))); err != nil {
		t.Error(err)
	}
	check("upsert by slug: state kept, b survives, a new one loses its maximum", schedulesOf(now()), "a 0 2 * * * false\nb 0 1 * * * true\nc 0 2 * * * true")
	if after := idsBySlug(now()); after["a"] != ids["a"] || after["b"] != ids["b"] {
		t.Error("an upsert changed ids")
	}
	if err := patch(list(sched("n", h2, `"replaces":"a"`))); err != nil {
		t.Error(err)
	}
	if idsBySlug(now())["n"] != ids["a"] {
		t.Error("a rename changed the id")
	}
	if err := patch(list(sched("n", h2, `"replaces":"a"`))); prefect.StatusOf(err) != 422 {
		t.Errorf("the same rename again: %v", err)
	}
	if err := c.UpdateSchedule(ctx, live.ID, ids["b"], parsed(t, `{"slug":null,"parameters":{"n":1}}`)); err != nil {
		t.Error(err)
	}
	check("a null slug is ignored", schedulesOf(now()), "b 0 1 * * * true {\"n\":1}\nc 0 2 * * * true\nn 0 2 * * * false")
	if err := c.UpdateSchedule(ctx, live.ID, ids["b"], parsed(t, `{"active":false}`)); err != nil {
		t.Error(err)
	}
	check("parameters unsaid are emptied", schedulesOf(now()), "b 0 1 * * * false\nc 0 2 * * * true\nn 0 2 * * * false")
	for range 2 {
		if err := c.DeleteSchedule(ctx, live.ID, ids["b"]); err != nil {
			t.Errorf("deleting a schedule: %v", err)
		}
	}
	check("deleted", schedulesOf(now()), "c 0 2 * * * true\nn 0 2 * * * false")

	live, now = start("mixed", list(sched("a", h0, off), sched("", h1, off)))
	if err := patch(list(sched("a", h0, ""), sched("", h1, ""))); err != nil {
		t.Error(err)
	}
	check("one without a slug: all are made anew, and awake", schedulesOf(now()), "0 1 * * * true\na 0 0 * * * true")
	if err := patch("[]"); err != nil {
		t.Error(err)
	}
	check("[] removes all", schedulesOf(now()), "")
}

func idsBySlug(l *Live) map[string]string {
	out := map[string]string{}
	schedules, _ := l.Fields.Get("schedules")
	for _, s := range schedules.List {
		out[textOf(s, "slug")] = textOf(s, "id")
	}
	return out
}

// TestRealClaimsAboutFields asks for what prefect.go says of PATCH.
func TestRealClaimsAboutFields(t *testing.T) {
	s, c, _ := realState(t)
	ctx := context.Background()
	n := Name{"claims", "fields"}
	full := `{` + pool + `,"version":"1","tags":["a"],"description":"x","schedules":` + list(sched("a", h0, off)) + `,"paused":true,"concurrency_limit":3,
		"concurrency_options":{"collision_strategy":"CANCEL_NEW"},"parameters":{"q":1},"enforce_parameter_schema":false,
		"parameter_openapi_schema":{"type":"object","properties":{"q":{}}},"pull_steps":[{"a.b":{"c":1}}],"work_queue_name":"fast","job_variables":{"env":{"K":"v"}},"path":"/x","labels":{"k":"v"}}`
	created := writeOne(t, s, Write{Name: n, Fields: parsed(t, full)})
	before := readOne(t, s, n)
	if !value.Equal(created.Fields, before.Fields) {
		t.Errorf("Write returned\n%s\nRead gives\n%s", created.Fields.AppendJSON(nil), before.Fields.AppendJSON(nil))
	}
	written := writeOne(t, s, Write{Name: n, Live: before, Fields: parsed(t, `{"tags":["z"]}`)})
	after := readOne(t, s, n)
	if want := before.Fields.Set("tags", parsed(t, `["z"]`)); !value.Equal(after.Fields, want) || !value.Equal(written.Fields, want) {
		t.Errorf("tags alone: the server has\n%s\nwant\n%s", after.Fields.AppendJSON(nil), want.AppendJSON(nil))
	}
	queue := func() string {
		l := readOne(t, s, n)
		return textOf(l.Fields, "work_pool_name") + "/" + textOf(l.Fields, "work_queue_name")
	}
	raw := func(body, want string) {
		t.Helper()
		if err := c.UpdateDeployment(ctx, before.ID, parsed(t, body)); err != nil || queue() != want {
			t.Errorf("PATCH %s: %s, want %s, %v", body, queue(), want, err)
		}
	}
	raw(`{"work_queue_name":null}`, "p/fast")
	raw(`{"work_pool_name":"p"}`, "p/default")
	raw(`{"work_pool_name":"p","work_queue_name":"made-for-it"}`, "p/made-for-it")
	raw(`{"work_pool_name":"p","work_queue_name":null}`, "p/default")
	raw(`{"work_queue_name":"solo"}`, "default-agent-pool/solo")
	raw(`{"work_pool_name":"p"}`, "p/default")
	if err := c.UpdateDeployment(ctx, before.ID, parsed(t, `{"labels":{"a":"b"}}`)); prefect.StatusOf(err) != 422 {
		t.Errorf("labels: %v", err)
	}
	update := func(body, want string) {
		t.Helper()
		writeOne(t, s, Write{Name: n, Live: readOne(t, s, n), Fields: parsed(t, body)})
		if queue() != want {
			t.Errorf("Write %s: %s, want %s", body, queue(), want)
		}
	}
	update(`{"work_queue_name":"fast"}`, "p/fast")
	update(`{"work_pool_name":"p"}`, "p/fast")
	update(`{"work_queue_name":null,"labels":{"ignored":1}}`, "p/default")
	writeOne(t, s, Write{Name: n, Live: readOne(t, s, n), Fields: parsed(t, `{"tags":null,"parameters":null,"job_variables":null,"description":null,"paused":null,"concurrency_limit":null,"concurrency_options":null}`)})
	last := readOne(t, s, n).Fields
	for key, want := range map[string]string{"tags": "[]", "parameters": "{}", "job_variables": "{}", "description": "null", "paused": "true", "concurrency_limit": "null", "concurrency_options": "null", "path": `"/x"`} {
		if got, _ := last.Get(key); string(got.AppendJSON(nil)) != want {
			t.Errorf("%s is %s, want %s", key, got.AppendJSON(nil), want)
		}
	}
}

// TestRealWholeDeploymentByPost is the way of servers before 3.2.0, taken on a new one.
func TestRealWholeDeploymentByPost(t *testing.T) {
	s, c, _ := realState(t)
	n := Name{"claims", "post"}
	writeOne(t, s, Write{Name: n, Fields: parsed(t, `{`+pool+`,"tags":["a"],"concurrency_limit":2,"schedules":`+list(sched("", h0, off))+`}`)})
	live := readOne(t, s, n)
	b := &server{client: c, flows: map[string]string{}}
	if _, err := b.replace(context.Background(), Write{Name: n, Live: live, Fields: parsed(t, `{"description":"new"}`)}, "3.1.9"); err != nil {
		t.Fatal(err)
	}
	after := readOne(t, s, n)
	if want := live.Fields.Set("description", value.Of("new")); hideIDs(after.Fields) != hideIDs(want) || after.ID != live.ID {
		t.Errorf("\ngot  %s\nwant %s", hideIDs(after.Fields), hideIDs(want))
	}
}

// TestRealReads: many deployments in few requests, variables, pools and nested blocks.
func TestRealReads(t *testing.T) {
	s, _, wire := realState(t)
	url := plainServer.URL
	var q Query
	for i := range 12 {
		n := Name{fmt.Sprint("many", i%4), fmt.Sprint("d", i)}
		writeOne(t, s, Write{Name: n, Fields: parsed(t, `{`+pool+`}`)})
		q.Deployments = append(q.Deployments, n, Name{n.Flow, "absent"})
	}
	post(t, url+"/variables/", `{"name":"v","value":{"z":[1,null],"a":true}}`)
	makeBlocks(t, url)
	q.Variables, q.WorkPools = []string{"v", "absent"}, []string{"p", "absent"}
	q.Blocks = []BlockRef{{Type: "secret", Name: "tok"}, {Type: "state-test", Name: "outer"}, {Type: "secret", Name: "outer"}}
	wire.take()
	snap, err := s.Read(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if lines := wire.take(); len(lines) > 6 {
		t.Errorf("%d requests: %v", len(lines), lines)
	}
	if len(snap.Deployments) != 12 || len(snap.WorkPools) != 1 || len(snap.Variables) != 1 || len(snap.Blocks) != 2 || snap.PrefectVersion == "" {
		t.Errorf("%d deployments, %d pools, %d variables, %d blocks, version %q", len(snap.Deployments), len(snap.WorkPools), len(snap.Variables), len(snap.Blocks), snap.PrefectVersion)
	}
	for n, l := range snap.Deployments {
		if l.Name != n || !strings.HasSuffix(l.URL, "/deployments/deployment/"+l.ID) {
			t.Errorf("%v: %+v", n, l)
		}
	}
	for ref, want := range map[BlockRef]string{{Type: "secret", Name: "tok"}: `{"value":"s3cret"}`, {Type: "state-test", Name: "outer"}: `{"n":1,"inner":{"value":"s3cret"}}`} {
		if got := string(snap.Blocks[ref].AppendJSON(nil)); got != want {
			t.Errorf("%v is %s, want %s", ref, got, want)
		}
	}
	if got := string(snap.Variables["v"].AppendJSON(nil)); got != `{"z":[1,null],"a":true}` {
		t.Errorf("the variable is %s", got)
	}
}

// makeBlocks creates a secret and a block that refers to it, with Prefect's own library.
func makeBlocks(t *testing.T, url string) {
	t.Helper()
	script := `
from typing import Any
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
class StateTest(Block):
    _block_type_slug = "state-test"
    _block_type_name = "State Test"
    inner: Secret
    n: int = 1
s = Secret(value="s3cret"); s.save("tok", overwrite=True)
StateTest(inner=s).save("outer", overwrite=True)
`
	cmd := exec.Command(realPython(t), "-c", script)
	cmd.Env = append(plainServer.Env, "PREFECT_API_URL="+url)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestRealLockedServer: a password, CSRF tokens, small pages, and eight writers on SQLite.
func TestRealLockedServer(t *testing.T) {
	url := lockedServer.start(t, "PREFECT_SERVER_API_AUTH_STRING=admin:pa:ss", "PREFECT_SERVER_CSRF_PROTECTION_ENABLED=true", "PREFECT_SERVER_API_DEFAULT_LIMIT=7")
	wire := &traffic{}
	_, err := OpenPrefect(prefect.New(prefect.Config{APIURL: url, AuthString: "admin:wrong"}, prefect.Options{})).Read(context.Background(), Query{Variables: []string{"v"}})
	if prefect.StatusOf(err) != 401 || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong password: %v", err)
	}
	s := OpenPrefect(prefect.New(prefect.Config{APIURL: url, AuthString: "admin:pa:ss"}, prefect.Options{Transport: wire}))
	var q Query
	var all sync.WaitGroup
	for i := range 24 {
		n := Name{"locked", fmt.Sprint("d", i)}
		q.Deployments = append(q.Deployments, n)
		all.Go(func() {
			if _, err := s.Write(context.Background(), Write{Name: n, Fields: parsed(t, `{"entrypoint":"a.py:f"}`)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	snap, err := s.Read(context.Background(), q)
	if err != nil || len(snap.Deployments) != 24 {
		t.Fatalf("%v, %v", snap, err)
	}
	tokens := 0
	for _, line := range wire.take() {
		if strings.HasPrefix(line, "GET /csrf-token") {
			tokens++
		}
	}
	if tokens != 1 {
		t.Errorf("%d CSRF tokens were asked for", tokens)
	}
}

// BenchmarkRealRead reads 200 deployments of 10 flows, as a deploy does that finds nothing to do.
func BenchmarkRealRead(b *testing.B) {
	c := prefect.New(prefect.Config{APIURL: plainServer.start(b)}, prefect.Options{})
	s := OpenPrefect(c)
	var q Query
	for i := range 200 {
		n := Name{fmt.Sprint("bench", i%10), fmt.Sprint("d", i)}
		q.Deployments = append(q.Deployments, n)
		writeOne(b, s, Write{Name: n, Fields: parsed(b, `{"entrypoint":"a.py:f","tags":["x"]}`)})
	}
	for b.Loop() {
		snap, err := s.Read(context.Background(), q)
		if err != nil || len(snap.Deployments) != 200 {
			b.Fatal(len(snap.Deployments), err)
		}
	}
}
