//go:build real

// How often a plan asks. A thousand deployments that did not change cost a handful of requests, because lists are read by pages; the count is asserted, the time only told.
//
//	DEPLOYMENTS=1000 go test -tags real -v -run TestPlanRequests ./runner/conformance
package conformance

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// asked is one request as it came by.
type asked struct {
	method, path string
	header       http.Header
	body         []byte
}

// listen starts a proxy that keeps every request; taken gives those since the last call.
func listen(t *testing.T, a api) (address string, taken func() []asked) {
	t.Helper()
	target, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	target.Path = ""
	var mu sync.Mutex
	var all []asked
	proxy := httputil.NewSingleHostReverseProxy(target)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		all = append(all, asked{r.Method, r.URL.RequestURI(), r.Header.Clone(), body})
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/api", func() []asked {
		mu.Lock()
		defer mu.Unlock()
		out := all
		all = nil
		return out
	}
}

// perFlow is how many deployments share a flow.
const perFlow = 5

// manyFlows is a project of n deployments over n/perFlow flows with what real ones have: schedules, triggers, variables, environment, job variables.
func manyFlows(n int) (yaml, source string) {
	var list []any
	var flows strings.Builder
	flows.WriteString("from prefect import flow\n")
	for i := range n {
		flow := fmt.Sprintf("f%03d", i/perFlow)
		if i%perFlow == 0 {
			fmt.Fprintf(&flows, "\n\n@flow\ndef %s(name: str = \"you\", times: int = 1):\n    print(name * times)\n", flow)
		}
		d := object{"name": fmt.Sprintf("d%d", i%perFlow), "entrypoint": "flows.py:" + flow, "tags": []any{"{{ prefect.variables.word }}"}, "parameters": object{"times": i},
			"work_pool": object{"name": []string{"pool", "other-pool"}[i%2], "job_variables": object{"env": object{"N": fmt.Sprint(i)}}}, "schedules": []any{object{"cron": fmt.Sprintf("%d 3 * * *", i%60)}}}
		if i%10 == 0 {
			d["triggers"] = []any{object{"type": "event", "expect": []any{"x.y"}, "match": object{"prefect.resource.id": "a.*"}, "parameters": object{"name": "{{ event.id }}"}}}
		}
		list = append(list, d)
	}
	return text(object{"deployments": list}), flows.String()
}

// TestPlanRequests counts, through a proxy, what the plan of unchanged deployments asks.
func TestPlanRequests(t *testing.T) {
	n := setting(t, "DEPLOYMENTS", 250)
	a := server(t)
	a.reset(t)
	for _, pool := range []string{"pool", "other-pool"} {
		a.post(t, "/work_pools/", object{"name": pool, "type": "process"})
	}
	a.post(t, "/variables/", object{"name": "word", "value": "filled"})
	yaml, source := manyFlows(n)
	w := newWorkspace(t, a.url, map[string]string{"prefect.yaml": yaml, "flows.py": source})
	w.run(t, "deploy")
	address, taken := listen(t, a)
	w.cmd.env = []string{"PREFECT_API_URL=" + address}
	p := w.run(t, "plan")
	requests := taken()
	if p.Summary["unchanged"] != n {
		t.Errorf("%d deployments, the plan says %v", n, p.Summary)
	}
	t.Logf("%d deployments over %d flows: %d requests\n%s", n, (n+perFlow-1)/perFlow, len(requests), paths(requests))
	most := 20
	if n < 1000 { // a page holds 200, so that fewer deployments must cost less: this fails where requests grow with them
		most = 14
	}
	if len(requests) == 0 || len(requests) > most {
		t.Errorf("%d requests for %d deployments, want at most %d", len(requests), n, most)
	}
	if testing.Verbose() {
		compareTimes(t, w, a, requests)
	}
}

func paths(requests []asked) string {
	var out strings.Builder
	for _, r := range requests {
		fmt.Fprintf(&out, "  %s %s\n", r.method, r.path)
	}
	return out.String()
}

// compareTimes tells how long the whole program takes beside a bare client that sends the same requests one after the other, by turns; times are told, never asserted.
func compareTimes(t *testing.T, w *workspace, a api, requests []asked) {
	w.cmd.env = []string{"PREFECT_API_URL=" + a.url}
	var ours, bare []time.Duration
	for range 5 {
		start := time.Now()
		w.run(t, "plan")
		ours = append(ours, time.Since(start))
		start = time.Now()
		for _, r := range requests {
			replay(t, a, r)
		}
		bare = append(bare, time.Since(start))
	}
	slices.Sort(ours)
	slices.Sort(bare)
	t.Logf("median of 5: the program %v, a bare client %v: %.2f times", ours[2].Round(time.Millisecond), bare[2].Round(time.Millisecond), float64(ours[2])/float64(bare[2]))
}

func replay(t *testing.T, a api, r asked) {
	req, err := http.NewRequest(r.method, strings.TrimSuffix(a.url, "/api")+r.path, bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %v", r.method, r.path, resp.StatusCode, err)
	}
}
