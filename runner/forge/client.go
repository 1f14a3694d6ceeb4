// Package forge is GitHub, and of GitLab the note of a merge request: the one comment of a pull request, the deployment's status, the pull requests that a deploy brought in. It is given texts and
// hashes, and knows nothing of what a plan is.
//
// Nothing here may decide over a plan or a deploy: a forge that refuses, is slow or is away costs a comment, never the outcome. So each function that speaks
// to one of them fails in one of two ways only: with the context's own error, when the run was ended, or with *Unavailable, which says why and what to do, and upon
// which the caller turns to the job's summary with a single notice.
package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

const (
	// attempts bounds how often one thing is tried.
	attempts = 4
	// firstWait is the wait before a second try where the server named none; it doubles.
	firstWait = time.Second
	// blindWait is the wait on a rate limit that names no time: GitHub asks for a minute at least.
	blindWait = time.Minute
	// patience is what a client waits in all by default. A rate limit that ends in an hour is not worth an hour of a job.
	patience = 2 * time.Minute
	// answerTime bounds one request.
	answerTime = 30 * time.Second
	// roundTime bounds the requests of one try together.
	roundTime = 2 * time.Minute
)

// Repo names a repository.
type Repo struct{ Owner, Name string }

// String is owner/name.
func (r Repo) String() string { return r.Owner + "/" + r.Name }

// ParseRepo reads owner/name as in GITHUB_REPOSITORY. Both become parts of request paths, so only GitHub's own alphabet passes.
func ParseRepo(text string) (Repo, error) {
	owner, name, ok := strings.Cut(text, "/")
	if !ok || !plainName(owner) || !plainName(name) {
		return Repo{}, fmt.Errorf("the repository %q is not of the form owner/name (GITHUB_REPOSITORY)", text)
	}
	return Repo{owner, name}, nil
}

func plainName(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	return s != "" && s != "." && s != ".."
}

// Options make a Client. The zero value of each has a meaning.
type Options struct {
	// Token is the job's token. Without one only public things can be read.
	Token string
	// APIURL is GITHUB_API_URL; "" is GitHub's own.
	APIURL string
	// Author is the login under which the token writes ("my-app[bot]"); "" asks GitHub.
	Author string
	// UserAgent names the program and its version.
	UserAgent string
	// Patience is how long the client waits for rate limits and failing servers, in all; 0 is two minutes, less than 0 is not at all.
	Patience time.Duration

	// Transport carries the requests, nil is Go's own. Sleep waits (nil: on the real clock) and returns the context's error when that ends first. Now is
	// the time, nil the real one.
	Transport http.RoundTripper
	Sleep     func(context.Context, time.Duration) error
	Now       func() time.Time
}

// Client speaks to GitHub for one job. It is for one goroutine at a time.
type Client struct {
	gh     *github.Client
	fresh  func() *github.Client
	plain  *http.Client // carries no token: for addresses outside the API
	token  string
	author string
	waiter
}

// waiter is what a client has of patience.
type waiter struct {
	patience time.Duration
	sleep    func(context.Context, time.Duration) error
	now      func() time.Time
}

func (o Options) waiter() waiter {
	w := waiter{patience: o.Patience, sleep: o.Sleep, now: o.Now}
	if w.patience == 0 {
		w.patience = patience
	}
	if w.sleep == nil {
		w.sleep = sleep
	}
	if w.now == nil {
		w.now = time.Now
	}
	return w
}

// New is a client. It makes no request.
func New(o Options) (*Client, error) {
	base, err := apiURL(o.APIURL)
	if err != nil {
		return nil, err
	}
	transport := o.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	c := &Client{token: o.Token, author: o.Author, waiter: o.waiter(), plain: &http.Client{Transport: transport, Timeout: answerTime}}
	authorized := &http.Client{Timeout: answerTime, CheckRedirect: stay, Transport: &bearer{token: o.Token, host: base, next: transport}}
	c.fresh = func() *github.Client {
		gh := github.NewClient(authorized)
		gh.BaseURL = base
		if o.UserAgent != "" {
			gh.UserAgent = o.UserAgent
		}
		return gh
	}
	c.gh = c.fresh()
	return c, nil
}

// apiURL is the address of the API with the slash that go-github resolves paths against.
func apiURL(text string) (*url.URL, error) {
	if text == "" {
		text = "https://api.github.com"
	}
	u, err := url.Parse(strings.TrimRight(text, "/") + "/")
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("GITHUB_API_URL is not an address such as https://HOST/api/v3 (user, query and fragment have no place in it)")
	}
	return u, nil
}

// bearer adds the token to requests to the API's own host, and to no other. (go-github's own way adds it to every request, redirected ones too.)
type bearer struct {
	token string
	host  *url.URL
	next  http.RoundTripper
}

// RoundTrip is http.RoundTripper's.
func (b *bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.token != "" && r.URL.Host == b.host.Host && r.URL.Scheme == b.host.Scheme {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return b.next.RoundTrip(r)
}

// stay follows redirects within the API's host that keep the method: those of a renamed repository. Go turns a redirected PATCH into a GET, which would look
// like a written comment.
func stay(req *http.Request, via []*http.Request) error {
	if len(via) > 5 || req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme || req.Method != via[0].Method {
		return http.ErrUseLastResponse
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
