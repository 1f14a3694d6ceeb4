// Repeating a step: only when the network was at fault, since a failing build fails again, and a script may have done half of its work.
package deploy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// networkFailures are words of the errors that curl, git, docker, pip and Python's libraries print when the network failed, and of those of the steps for buckets.
var networkFailures = []string{"connection refused", "connection reset", "connection timed out", "connection aborted", "timed out", "i/o timeout", "tls handshake timeout",
	"temporary failure in name resolution", "could not resolve host", "no such host", "name or service not known", "network is unreachable", "broken pipe", "unexpected eof",
	"503 service unavailable", "502 bad gateway", "504 gateway timeout", "429 too many requests", "remote end closed connection", "the remote end hung up",
	"did not answer in time", "the server answers 503", "slowdown:", "serviceunavailable:", "requested url returned error: 5", "requested url returned error: 429", "early eof"}

// networkFailed reports whether an error tells of the network.
func networkFailed(err error) bool {
	text := strings.ToLower(err.Error())
	for _, words := range networkFailures {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// repeat calls do again after a network failure, with a pause that doubles from one second to a minute. say, which may be nil, tells of it in the step's log.
func (j *job) repeat(ctx context.Context, say func([]byte), do func() (value.Value, error)) (value.Value, error) {
	pause := time.Second
	for attempt := 0; ; attempt++ {
		v, err := do()
		if err == nil || attempt >= j.Retries || ctx.Err() != nil || !networkFailed(err) {
			return v, err
		}
		if say != nil {
			say(fmt.Appendf(nil, "the network failed, so this is tried again in %s (%d of %d)", pause, attempt+1, j.Retries))
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-j.Wait(pause):
		}
		pause = min(2*pause, time.Minute)
	}
}
