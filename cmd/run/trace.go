// What --debug shows: each request to the Prefect API as one line on stderr, with its status and how long its answer took to begin. Where a run is slow or refused, this tells
// whether it is the server, and at which request. Queries, headers and bodies are left out, since they may hold what logs in.
package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// trace is a transport that tells of what passes through it. Requests come from several goroutines at once.
type trace struct {
	to   io.Writer
	next http.RoundTripper
	now  func() time.Time

	mu sync.Mutex
	n  int
}

// RoundTrip implements http.RoundTripper. A line is "debug: 3 POST /api/deployments/ 201 in 12 ms"; the number counts the requests in the order of their answers.
func (t *trace) RoundTrip(r *http.Request) (*http.Response, error) {
	began := t.now()
	resp, err := t.next.RoundTrip(r)
	took := t.now().Sub(began).Milliseconds()
	outcome := "no answer"
	if err == nil {
		outcome = fmt.Sprint(resp.StatusCode)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	fmt.Fprintf(t.to, "debug: %d %s %s %s in %d ms\n", t.n, r.Method, r.URL.EscapedPath(), outcome, took)
	return resp, err
}

// line shows what the client says of its repeats.
func (t *trace) line(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.to, "debug: %s\n", diag.Clean(text))
}
