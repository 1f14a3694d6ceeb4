// When a request is sent again, and after how long. resty drives the loop; what it asks is answered here:
//
//	again       after each attempt: is there a next one?
//	retryAfter  how long until then; it does the waiting itself, through Options.Sleep
//
// resty's own waiting would clamp Retry-After to a maximum and could not be replaced in a test.
package prefect

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
)

const (
	firstWait = 200 * time.Millisecond
	mostWait  = 10 * time.Second
	// longestAsked is the longest Retry-After that is obeyed; a server that asks for more is reported instead.
	longestAsked = 5 * time.Minute
	// dialAttempts bounds attempts while nothing listens: a server that restarts is back soon, a wrong address never.
	dialAttempts = 3
)

type attemptKey struct{}

// attemptState travels in the request's context through resty's callbacks.
type attemptState struct {
	request    request
	era        int
	overloaded bool
}

// waitError is a Retry-After that is too long to obey.
type waitError struct{ wait time.Duration }

func (e *waitError) Error() string {
	return fmt.Sprintf("the server asks to wait %s; try again then", e.wait.Round(time.Second))
}

// again decides whether the request is sent once more.
func (s *attemptState) again(resp *resty.Response, err error) bool {
	if resp == nil || resp.Request.Context().Err() != nil {
		return false
	}
	if err != nil {
		return s.againAfterError(resp, err)
	}
	switch resp.StatusCode() {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable: // refused before anything was done
		return true
	case http.StatusRequestTimeout, http.StatusBadGateway: // it may have been done
		return !s.request.once
	}
	return false
}

func (s *attemptState) againAfterError(resp *resty.Response, err error) bool {
	var redirect *redirectError
	var certificate *tls.CertificateVerificationError
	var unknownCA x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	if errors.As(err, &redirect) || errors.As(err, &certificate) || errors.As(err, &unknownCA) || errors.As(err, &record) ||
		errors.Is(err, resty.ErrResponseBodyTooLarge) || strings.Contains(err.Error(), "invalid header field") {
		return false
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" { // it surely did not arrive
		return resp.Request.Attempt < dialAttempts
	}
	return !s.request.once
}

// retryAfter waits until the next attempt. Its results tell resty to go on at once, or to stop with the error.
func (c *Client) retryAfter(_ *resty.Client, resp *resty.Response) (time.Duration, error) {
	ctx := resp.Request.Context()
	state, _ := ctx.Value(attemptKey{}).(*attemptState)
	status := resp.StatusCode()
	if state != nil && state.request.writes() && (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) {
		state.overloaded = true
		state.era = c.Limiter.overload(state.era)
	}
	wait, asked := askedWait(resp.Header().Get("Retry-After"), c.options.Now())
	if !asked {
		wait = c.backoff(resp.Request.Attempt)
	} else if wait > longestAsked {
		return 0, &waitError{wait}
	}
	c.options.Log(fmt.Sprintf("%s %s: %s; again in %s", resp.Request.Method, requestPath(state), reason(resp), wait.Round(10*time.Millisecond)))
	if err := c.options.Sleep(ctx, wait); err != nil {
		return 0, err
	}
	return 1, nil
}

func requestPath(s *attemptState) string {
	if s == nil {
		return ""
	}
	return s.request.path
}

func reason(resp *resty.Response) string {
	if resp.RawResponse == nil || resp.StatusCode() < 400 {
		return "the connection broke"
	}
	return strconv.Itoa(resp.StatusCode()) + " " + http.StatusText(resp.StatusCode())
}

// backoff doubles from firstWait to mostWait, times 0.5 to 1.5.
func (c *Client) backoff(attempt int) time.Duration {
	wait := mostWait
	if shift := attempt - 1; shift >= 0 && shift < 16 {
		wait = min(mostWait, firstWait<<shift)
	}
	return time.Duration(float64(wait) * (0.5 + c.options.Random()))
}

// askedWait reads Retry-After: seconds (a fraction is taken too) or an HTTP date. asked is false for none and for nonsense.
func askedWait(header string, now time.Time) (wait time.Duration, asked bool) {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(header, 64); err == nil {
		if !(seconds >= 0) {
			return 0, false
		}
		return time.Duration(min(seconds, 1e9) * float64(time.Second)), true
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}
