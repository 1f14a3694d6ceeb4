// CSRF tokens. A self-hosted server may want one on every POST, PATCH and DELETE: GET /csrf-token?client=UUID gives it, with the time
// it expires. Most servers have the protection off (they answer 422, "CSRF protection is disabled."; old ones and Cloud 404), so
// nothing is asked until a server says 403 "Missing CSRF token.": that saves a request in nearly every run, and costs one more
// where the protection is on. Checked against 3.8.8 with PREFECT_SERVER_CSRF_PROTECTION_ENABLED both ways.
package prefect

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

type csrf struct {
	// client is the name that the tokens are bound to, one for the life of a Client.
	client string

	mu      sync.Mutex
	off     bool
	token   string
	expires time.Time
}

// csrfToken is the token for one request; the zero csrfToken means that none is needed.
type csrfToken struct{ token string }

func (t csrfToken) used() bool { return t.token != "" }

// known is the token to send with r, the zero csrfToken while none is needed or none is at hand.
func (s *csrf) known(r request, now time.Time) csrfToken {
	if r.method == http.MethodGet { // also the request for a token itself, which is sent under the lock
		return csrfToken{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off || !s.expires.IsZero() && !now.Before(s.expires) {
		return csrfToken{}
	}
	return csrfToken{s.token}
}

// freshToken asks for a token after refused was not accepted. Concurrent requests wait for the one that asks.
func (c *Client) freshToken(ctx context.Context, refused csrfToken) (csrfToken, error) {
	c.csrf.mu.Lock()
	defer c.csrf.mu.Unlock()
	if c.csrf.off {
		return csrfToken{}, nil
	}
	if c.csrf.token != refused.token && (c.csrf.expires.IsZero() || c.options.Now().Before(c.csrf.expires)) {
		return csrfToken{c.csrf.token}, nil
	}
	v, err := c.exchange(ctx, &attemptState{request: request{method: http.MethodGet, path: "/csrf-token?client=" + url.QueryEscape(c.csrf.client)}})
	if err != nil {
		var answer *Error
		if errors.As(err, &answer) && (answer.Status == http.StatusNotFound ||
			answer.Status == http.StatusUnprocessableEntity && strings.Contains(answer.Detail, "disabled")) {
			c.csrf.off = true
			return csrfToken{}, nil
		}
		return csrfToken{}, err
	}
	token, _ := v.Get("token")
	expires, _ := v.Get("expiration")
	c.csrf.token = token.Text
	c.csrf.expires, _ = time.Parse(time.RFC3339Nano, expires.Text)
	return csrfToken{c.csrf.token}, nil
}
