// Package prefect is the REST API of a Prefect server or of Prefect Cloud, as far as deployments need it.
//
// The client is resty with three things decided here. What may be repeated: a read always, a write only where a second arrival
// changes nothing (Prefect's POST /flows/ and POST /deployments/ are upserts by name, PATCH sets what it is told) or where the
// first surely did not arrive. How long to wait: what Retry-After says, else doubling with jitter. And where a request may go:
// never to another host than the one that was configured, because custom headers (Go drops only the standard ones) would go along.
//
// It must not know what a plan is. Values in and out are value.Value: JSON with its keys in order.
package prefect

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// apiVersion is the X-PREFECT-API-VERSION that Prefect 3.8's own client sends; servers of 2.20 accept it too.
const apiVersion = "0.8.4"

// Options are what a caller may set and a test replaces; the zero Options are right for a run.
type Options struct {
	// Timeout bounds one attempt (default 60 s), Retries how many follow the first (default 6; negative: none).
	Timeout time.Duration
	Retries int
	// Writers is how many writes go out at once to begin with (default 2), MaxWriters the most it may grow to (default 16).
	Writers, MaxWriters int
	// MaxBody is the largest answer that is read, in bytes (default 64 MiB).
	MaxBody int
	// UserAgent as sent (default "prefect-deploy-action").
	UserAgent string
	// Transport replaces the network; nil is that of the configuration, with its proxy and certificates.
	Transport http.RoundTripper
	// Sleep waits or returns the context's error; nil really waits. Now is the clock, Random a number in [0, 1) for jitter.
	Sleep  func(context.Context, time.Duration) error
	Now    func() time.Time
	Random func() float64
	// Log receives one line per repeated request; nil drops them.
	Log func(line string)
}

// Client speaks to one API. It is safe for concurrent use.
type Client struct {
	config  Config
	options Options
	resty   *resty.Client
	csrf    csrf
	version versionCache
	// Limiter bounds concurrent writes; callers may run as many goroutines as they like.
	Limiter *Limiter
}

// New makes a client; it sends nothing yet.
func New(config Config, options Options) *Client {
	if options.Timeout == 0 {
		options.Timeout = config.Timeout
	}
	if options.Transport == nil {
		options.Transport = config.Transport()
	}
	options.fill()
	c := &Client{config: config, options: options, Limiter: NewLimiter(options.Writers, options.MaxWriters)}
	r := resty.NewWithClient(&http.Client{Transport: options.Transport}).
		SetLogger(silent{}).
		SetBaseURL(config.APIURL).
		SetTimeout(options.Timeout).
		SetResponseBodyLimit(options.MaxBody).
		SetRedirectPolicy(resty.RedirectPolicyFunc(refuseRedirect)).
		SetRetryCount(max(options.Retries, 0)).
		SetRetryWaitTime(1). // the waiting is done in retryAfter, where it can be injected and takes any length
		SetRetryMaxWaitTime(2).
		SetRetryAfter(c.retryAfter).
		SetHeader("User-Agent", options.UserAgent).
		SetHeader("Accept", "application/json").
		SetHeader("X-PREFECT-API-VERSION", apiVersion)
	for _, h := range config.Headers {
		r.SetHeader(h.Name, h.Value)
	}
	switch {
	case r.Header.Get("Authorization") != "": // a custom header wins, as in Prefect
	case config.AuthString != "":
		r.SetHeader("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(config.AuthString)))
	case config.APIKey != "":
		r.SetHeader("Authorization", "Bearer "+config.APIKey)
	}
	c.resty = r
	c.csrf = csrf{client: uuid4(), off: config.cloud() || config.NoCSRF}
	return c
}

// Source is the API's address, without a password that may stand in it.
func (c *Client) Source() string { return c.config.Source() }

// DeploymentURL is the deployment's page in the user interface.
func (c *Client) DeploymentURL(id string) string { return c.config.DeploymentURL(id) }

func (o *Options) fill() {
	if o.Timeout == 0 {
		o.Timeout = 60 * time.Second
	}
	if o.Retries == 0 {
		o.Retries = 6
	}
	if o.Writers == 0 {
		o.Writers = 2
	}
	if o.MaxWriters == 0 {
		o.MaxWriters = 16
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 20
	}
	if o.UserAgent == "" {
		o.UserAgent = "prefect-deploy-action"
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = mathrand.Float64
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// request is one call of the API.
type request struct {
	method string
	// path begins with a slash; its variable parts are escaped already (see path).
	path string
	body []byte
	// once marks what must not arrive twice; everything else is repeated on doubtful network errors too.
	once bool
	// read marks a POST that only asks (…/filter).
	read bool
}

// path joins escaped parts: path("deployments", id) is /deployments/ID.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

func (r request) writes() bool { return r.method != http.MethodGet && !r.read }

// do sends the request and returns the JSON of the answer (null for an empty one).
func (c *Client) do(ctx context.Context, r request) (value.Value, error) {
	state := &attemptState{request: r}
	if r.writes() {
		era, err := c.Limiter.acquire(ctx)
		if err != nil {
			return value.Value{}, fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
		state.era = era
		success := false
		defer func() { c.Limiter.release(success) }()
		v, err := c.exchange(ctx, state)
		success = err == nil && !state.overloaded
		return v, err
	}
	return c.exchange(ctx, state)
}

// exchange sends the request, a second time with a CSRF token where the server wants one that we did not have.
func (c *Client) exchange(ctx context.Context, state *attemptState) (value.Value, error) {
	token := c.csrf.known(state.request, c.options.Now())
	resp, err := c.send(ctx, state, token)
	if err == nil && wantsToken(state.request, resp) {
		fresh, tokenErr := c.freshToken(ctx, token)
		if tokenErr != nil {
			return value.Value{}, tokenErr
		}
		if fresh.used() {
			resp, err = c.send(ctx, state, fresh)
		}
	}
	if err != nil {
		return value.Value{}, c.networkError(ctx, state.request, resp, err)
	}
	return c.answer(state.request, resp)
}

func wantsToken(r request, resp *resty.Response) bool {
	return r.method != http.MethodGet && resp.StatusCode() == http.StatusForbidden && strings.Contains(resp.String(), "CSRF")
}

func (c *Client) send(ctx context.Context, state *attemptState, token csrfToken) (*resty.Response, error) {
	req := c.resty.R().
		SetContext(context.WithValue(ctx, attemptKey{}, state)).
		AddRetryCondition(state.again)
	if state.request.body != nil {
		req.SetHeader("Content-Type", "application/json").SetBody(state.request.body)
	}
	if token.used() {
		req.SetHeader("Prefect-Csrf-Token", token.token).SetHeader("Prefect-Csrf-Client", c.csrf.client)
	}
	return req.Execute(state.request.method, state.request.path)
}

// answer reads what came back. A repeated DELETE that finds nothing has been successful the first time.
func (c *Client) answer(r request, resp *resty.Response) (value.Value, error) {
	status, body := resp.StatusCode(), resp.Body()
	if status == http.StatusNotFound && r.method == http.MethodDelete && resp.Request.Attempt > 1 {
		return value.Value{}, nil
	}
	if status >= 300 {
		return value.Value{}, &Error{Method: r.method, Path: r.path, Status: status, Detail: c.hide(detail(body)), Attempts: resp.Request.Attempt, Login: login(c.config)}
	}
	if len(body) == 0 {
		return value.Value{}, nil
	}
	v, err := value.FromJSON(body)
	if err != nil {
		if isHTML(string(body)) {
			return value.Value{}, fmt.Errorf("%s %s: %s", r.method, r.path, plainDetail(string(body)))
		}
		return value.Value{}, fmt.Errorf("%s %s: the answer of %s is not whole JSON (%d bytes): %w", r.method, r.path, c.Source(), len(body), err)
	}
	return v, nil
}

// networkError says in one line what kept the request from being answered.
func (c *Client) networkError(ctx context.Context, r request, resp *resty.Response, err error) error {
	var wait *waitError
	if errors.As(err, &wait) {
		return fmt.Errorf("%s %s: %s: %w", r.method, r.path, reason(resp), wait)
	}
	if ctx.Err() != nil {
		last := ""
		if resp != nil && resp.StatusCode() >= 400 {
			last = " (the last answer was " + reason(resp) + ")"
		}
		return fmt.Errorf("%s %s: %w%s", r.method, r.path, ctx.Err(), last)
	}
	var outer *url.Error
	if errors.As(err, &outer) { // it repeats method and address, with a password that may stand in it
		err = outer.Err
	}
	var redirect *redirectError
	switch {
	case errors.As(err, &redirect):
		return fmt.Errorf("%s %s: %w", r.method, r.path, redirect)
	case errors.Is(err, resty.ErrResponseBodyTooLarge):
		return fmt.Errorf("%s %s: the answer is larger than %d bytes", r.method, r.path, c.options.MaxBody)
	}
	tried := ""
	if resp != nil && resp.Request != nil && resp.Request.Attempt > 1 {
		tried = fmt.Sprintf(", after %d attempts", resp.Request.Attempt)
	}
	return fmt.Errorf("%s %s: %s does not answer: %w%s", r.method, r.path, c.Source(), &hidden{c.hide(oneLine(err.Error())), err}, tried)
}

// hidden keeps the cause for errors.Is while its text is the cleaned one.
type hidden struct {
	text  string
	cause error
}

func (h *hidden) Error() string { return h.text }
func (h *hidden) Unwrap() error { return h.cause }

// hide takes what logs in out of foreign text.
func (c *Client) hide(text string) string {
	secrets := []string{c.config.APIKey, c.config.AuthString}
	for _, h := range c.config.Headers {
		if len(h.Value) >= 8 { // a shorter one is no secret, and would take words apart
			secrets = append(secrets, h.Value)
		}
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "(hidden)")
		}
	}
	return text
}

// redirectError is a redirect that is not followed.
type redirectError struct{ text string }

func (e *redirectError) Error() string { return e.text }

// refuseRedirect follows redirects on the same host that keep the method. A POST that comes back as GET would ask something else,
// and another host would receive keys that were not meant for it.
func refuseRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	from, to := first.URL.Scheme+"://"+first.URL.Host, req.URL.Scheme+"://"+req.URL.Host
	switch {
	case !strings.EqualFold(first.URL.Host, req.URL.Host):
		return &redirectError{fmt.Sprintf("%s redirects to another host, %s; that is refused because the key would go along: set PREFECT_API_URL to the address that is meant", from, oneLine(to))}
	case first.URL.Scheme == "https" && req.URL.Scheme != "https":
		return &redirectError{fmt.Sprintf("%s redirects to %s, without encryption; that is refused: set PREFECT_API_URL to the address that is meant", from, oneLine(to))}
	case req.Method != first.Method:
		return &redirectError{fmt.Sprintf("%s redirects a %s to %s: set PREFECT_API_URL to the address that is meant", from, first.Method, oneLine(to+req.URL.Path))}
	case len(via) >= 5:
		return &redirectError{from + " redirects in circles"}
	}
	return nil
}

// silent drops resty's own log lines: it would print every failed attempt on stderr.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// uuid4 is a random UUID: the name under which this client asks for CSRF tokens.
func uuid4() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
