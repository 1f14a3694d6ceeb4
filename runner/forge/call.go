// When something is tried again, and after how long. What is repeated is a whole round (look, decide, write), never a bare write: while a round waited for a
// rate limit or a failing server, the pull request's head may have moved, another run may have written, and a write that seemed to fail may have been done.
package forge

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// errAgain is a round's own wish to start anew at once: what it saw has changed beneath it.
var errAgain = errors.New("what was read has changed meanwhile")

// call runs round until it succeeds, fails for good, or patience ends. need says what it is for. The error is nil, the context's own, or *Unavailable.
func (c *Client) call(ctx context.Context, need need, round func(context.Context) error) error {
	return c.retry(ctx, round, c.judge, func(f fault, err error) *Unavailable { return c.unavailable(need, f, err) },
		func() { c.gh = c.fresh() }) // go-github refuses by itself what it believes to be limited still
}

// retry is call for any forge: judge reads its errors, final says what to do about one, and limited is told that it asked to slow down.
func (c *waiter) retry(ctx context.Context, round func(context.Context) error, judge func(error) fault, final func(fault, error) *Unavailable, limited func()) error {
	pause := firstWait
	for attempt := 1; ; attempt++ {
		err := within(ctx, round)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var said *Unavailable
		if errors.As(err, &said) {
			return said
		}
		f := judge(err)
		if f.wait == 0 {
			f.wait, pause = pause, 2*pause
		}
		if errors.Is(err, errAgain) {
			f.again, f.wait = true, 0
		}
		if !f.again || attempt >= attempts || f.wait > max(c.patience, 0) {
			return final(f, err)
		}
		if err := c.pause(ctx, f.wait); err != nil {
			return err
		}
		if f.limited {
			limited()
		}
	}
}

// within bounds a round of many requests as well: each may take its time, all of them may not.
func within(ctx context.Context, round func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	return round(ctx)
}

// pause waits and takes it off the patience.
func (c *waiter) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	c.patience -= d
	if err := c.sleep(ctx, d); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	return nil
}

// fault is what a failed request means for the next try.
type fault struct {
	// status is the answer's, 0 without an answer; message what the server said.
	status  int
	message string
	// again: another try can help, after wait; 0 is a wait of our own choice.
	again bool
	wait  time.Duration
	// limited: the server asks to slow down.
	limited bool
	// garbled: the answer is not GitHub's.
	garbled bool
}

func (c *Client) judge(err error) fault {
	resp, message := answer(err)
	if resp == nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		garbled := errors.As(err, &syntax) || errors.As(err, &kind)
		return fault{message: err.Error(), again: !garbled, garbled: garbled}
	}
	f := fault{status: resp.StatusCode, message: message}
	var primary *github.RateLimitError
	switch {
	case errors.As(err, &primary) && resp.Header.Get("Retry-After") == "":
		f.limited, f.wait = true, until(primary.Rate.Reset.Time, c.now())
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusForbidden && slowDown(resp, message):
		f.limited, f.wait = true, c.asked(resp)
	case resp.StatusCode >= 500:
		f.again = true
		if resp.Header.Get("Retry-After") != "" {
			f.wait = c.asked(resp)
		}
	}
	f.again = f.again || f.limited
	return f
}

// answer is the response that an error of go-github's holds, nil when there was none.
func answer(err error) (*http.Response, string) {
	var plain *github.ErrorResponse
	var primary *github.RateLimitError
	var secondary *github.AbuseRateLimitError
	var factor *github.TwoFactorAuthError
	switch {
	case errors.As(err, &primary):
		return primary.Response, primary.Message
	case errors.As(err, &secondary):
		return secondary.Response, secondary.Message
	case errors.As(err, &factor):
		return factor.Response, factor.Message
	case errors.As(err, &plain):
		message := plain.Message
		for _, e := range plain.Errors {
			message += "; " + strings.TrimSpace(e.Field+" "+e.Code+" "+e.Message)
		}
		return plain.Response, message
	}
	return nil, ""
}

// slowDown tells a rate limit from a missing permission: both are 403.
func slowDown(resp *http.Response, message string) bool {
	message = strings.ToLower(message)
	return resp.Header.Get("Retry-After") != "" || strings.Contains(message, "rate limit") || strings.Contains(message, "abuse detection")
}

// asked is how long the answer asks to wait: Retry-After in seconds or as a date, else the limit's reset when nothing remains, else a minute. (GitLab
// writes the same without X-.)
func (c *waiter) asked(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil && seconds >= 0 {
		return max(time.Duration(seconds)*time.Second, time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return until(at, c.now())
	}
	if seconds, err := strconv.ParseInt(either(resp, "X-Ratelimit-Reset", "Ratelimit-Reset"), 10, 64); err == nil && either(resp, "X-Ratelimit-Remaining", "Ratelimit-Remaining") == "0" {
		return until(time.Unix(seconds, 0), c.now())
	}
	return blindWait
}

func either(resp *http.Response, a, b string) string {
	if v := resp.Header.Get(a); v != "" {
		return v
	}
	return resp.Header.Get(b)
}

// until is the time left, with a second for the clocks' difference.
func until(at, now time.Time) time.Duration {
	if at.IsZero() {
		return blindWait
	}
	return max(at.Sub(now), 0) + time.Second
}
