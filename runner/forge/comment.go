// The one comment. Whose it is decides the author and the exact key, and with a plan-key the signature, over all pages of comments: a heading that looks alike,
// another workflow's comment and another person's are left alone.
//
// GitHub has no conditional write for comments, so the newest head wins by looking, not by locking: each try reads all comments and then the pull request's
// head, and writes next. A run whose head is no longer the pull request's never writes, and a newer head's run can only start after its push, so nothing
// newer can slip in between for longer than a request takes. Two runs that both find nothing make two comments; both then look again, and both keep the oldest,
// give it the newest content and delete the others, in whatever order they come to it.
package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

// Action is what became of a comment or a status.
type Action string

const (
	// Created, Updated: written. Unchanged: it showed the same already.
	Created   Action = "created"
	Updated   Action = "updated"
	Unchanged Action = "unchanged"
	// Outdated: a newer head, a newer run, or the end of the pull request has the say; nothing was written.
	Outdated Action = "outdated"
	// None: there is no comment, and none was wanted.
	None Action = "none"
)

const (
	perPage   = 100
	mostPages = 100
	// lag is the wait before the head is read once more: the API can be behind the event that started us.
	lag = 2 * time.Second
)

// UpsertOptions say how.
type UpsertOptions struct {
	// PlanKey signs the marker; "" leaves it unsigned.
	PlanKey string
	// OnlyExisting makes no comment where there is none: for a plan without changes.
	OnlyExisting bool
}

// Upsert makes the pull request's comment show c: it edits the one that is there, else makes one. The URL is the comment's, "" without one. The error is the
// context's or *Unavailable.
func Upsert(ctx context.Context, client *Client, repo Repo, pr int, c Comment, o UpsertOptions) (string, Action, error) {
	c.Marker.Repo, c.Marker.PR, c.Marker.Key = strings.ToLower(repo.String()), pr, strings.ToValidUTF8(c.Marker.Key, "�")
	u := &upsert{Client: client, Target: Target{repo, pr, c.Marker.Key, o.PlanKey}, marker: c.Marker, text: c.text(o.PlanKey), options: o}
	if err := u.fits(Budget, u.text); err != nil {
		return "", None, err
	}
	err := client.call(ctx, u.need(), u.round)
	return u.url, u.action, err
}

// Target names a comment.
type Target struct {
	Repo Repo
	PR   int
	// Key is the marker's; with a PlanKey only a signed comment is found.
	Key, PlanKey string
}

func (t Target) need() need {
	return need{fmt.Sprintf("the comment on pull request #%d", t.PR), "pull-requests: write"}
}

// fits refuses what GitHub would, and 0 as a number, which its API takes for "all of them".
func (t Target) fits(most int, text string) error {
	if t.PR <= 0 {
		return &Unavailable{Reason: fmt.Sprintf("%d is no pull request's number", t.PR)}
	}
	if len(text) > most {
		return &Unavailable{Reason: fmt.Sprintf("%s is too long: %d bytes, and %d is the most", t.need().what, len(text), most), Hint: "the job's summary has all of it"}
	}
	return nil
}

type upsert struct {
	*Client
	Target
	marker  Marker
	text    string
	options UpsertOptions
	waited  bool // for the API to catch up with the head

	url    string
	action Action
}

// round is one try: look, decide, write.
func (u *upsert) round(ctx context.Context) error {
	u.url, u.action = "", None
	mine, err := u.find(ctx, u.Target)
	if err != nil {
		return err
	}
	if len(mine) > 0 {
		u.url = mine[0].url
	}
	head, open, err := u.head(ctx)
	switch {
	case err != nil:
		return err
	case !open, head != u.marker.Head, newer(mine, u.marker):
		u.action = Outdated
		return nil
	case len(mine) == 0 && u.options.OnlyExisting:
		return nil
	case len(mine) == 0:
		return u.create(ctx)
	}
	return u.update(ctx, mine)
}

// head reads the pull request: its head now, and whether it is open. When the head is not ours it looks a second time, later.
func (u *upsert) head(ctx context.Context) (string, bool, error) {
	for {
		pr, _, err := u.gh.PullRequests.Get(ctx, u.Repo.Owner, u.Repo.Name, u.PR)
		if err != nil {
			return "", false, err
		}
		head, open := pr.GetHead().GetSHA(), pr.GetState() == "open"
		if head == u.marker.Head || !open || u.waited {
			return head, open, nil
		}
		u.waited = true
		if err := u.pause(ctx, lag); err != nil {
			return "", false, err
		}
	}
}

// newer tells whether a later run of the same head has written already. (Another head's plan is older than ours: ours is the pull request's.)
func newer(mine []remark, ours Marker) bool {
	for _, m := range mine {
		if m.marker.Head == ours.Head && runBefore(ours.Run, m.marker.Run) {
			return true
		}
	}
	return false
}

func (u *upsert) create(ctx context.Context) error {
	made, _, err := u.gh.Issues.CreateComment(ctx, u.Repo.Owner, u.Repo.Name, u.PR, &github.IssueComment{Body: &u.text})
	if err != nil {
		return err
	}
	u.url, u.action = made.GetHTMLURL(), Created
	if login := made.GetUser().GetLogin(); login != "" {
		u.author = login // the token's own word is better than what we took it for
	}
	return u.settle(ctx, remark{id: made.GetID(), url: made.GetHTMLURL(), text: u.text, marker: u.marker})
}

// update edits the oldest of ours.
func (u *upsert) update(ctx context.Context, mine []remark) error {
	u.action = Unchanged
	if !same(mine[0].text, u.text, u.PlanKey) {
		if err := u.edit(ctx, u.Repo, mine[0].id, u.text); err != nil {
			return err
		}
		u.action = Updated
	}
	return u.drop(ctx, mine[1:], mine[0].url)
}

// settle looks again after made was created. What of it fails is left to the next run: the comment is there.
func (u *upsert) settle(ctx context.Context, made remark) error {
	mine, err := u.find(ctx, u.Target)
	if err != nil {
		return ctx.Err()
	}
	if !holds(mine, made.id) {
		mine = append(mine, made)
	}
	if len(mine) == 1 {
		return nil
	}
	best := best(mine, u.marker.Head)
	if best > 0 && u.edit(ctx, u.Repo, mine[0].id, mine[best].text) != nil {
		return ctx.Err() // rather two comments than the newest one lost
	}
	u.url, u.action = mine[0].url, Updated
	if mine[0].id == made.id {
		u.action = Created
	}
	return u.drop(ctx, mine[1:], mine[0].url)
}

// best is the place of the remark that has the say.
func best(mine []remark, head string) int {
	best := 0
	for i, m := range mine {
		if better(m.marker, mine[best].marker, head) {
			best = i
		}
	}
	return best
}

// better: a shows the head that we know as the pull request's and b doesn't, or both show it and a's run is later.
func better(a, b Marker, head string) bool {
	if (a.Head == head) != (b.Head == head) {
		return a.Head == head
	}
	return runBefore(b.Run, a.Run)
}

// drop deletes what a race left over. Where that is refused, the comment is reduced to a line that points at the one that counts.
func (c *Client) drop(ctx context.Context, extra []remark, url string) error {
	for _, e := range extra {
		_, err := c.gh.Issues.DeleteComment(ctx, e.repo.Owner, e.repo.Name, e.id)
		if err != nil && !missing(err) {
			_ = c.edit(ctx, e.repo, e.id, "<sub>The plan stands in ["+url+"]("+url+").</sub>")
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (c *Client) edit(ctx context.Context, repo Repo, id int64, text string) error {
	_, _, err := c.gh.Issues.EditComment(ctx, repo.Owner, repo.Name, id, &github.IssueComment{Body: &text})
	if missing(err) {
		return errAgain // somebody deleted it meanwhile
	}
	return err
}

func missing(err error) bool {
	var e *github.ErrorResponse
	return errors.As(err, &e) && e.Response.StatusCode == http.StatusNotFound
}
