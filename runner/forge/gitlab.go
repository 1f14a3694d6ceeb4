// GitLab's side of the one comment: a note on the merge request, under the rules of comment.go. What differs is GitLab's:
//
//   - A note may have 1,000,000 characters, and can't be hidden.
//   - A line of it that begins with a slash is a quick action, carried out with the token's rights ("/merge"). An @ mentions, and mails. Bodies hold texts of prefect.yaml, so both are broken before a note is written.
//   - The job's own token (CI_JOB_TOKEN) can't write notes: it takes a project's, group's or person's with the scope api. Who that is, GitLab tells (/user), so notes are ours by the author's number.
//   - The token is a header of GitLab's own, which Go would send along to wherever an answer redirects: only the API's host is followed.
package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-retryablehttp"
	gitlab "gitlab.com/gitlab-org/api/client-go"
)

// NoteBudget is what a note may take, in bytes, of which a character has one at least. Browsers and people give up long before.
const NoteBudget = 900_000

// mostNoteText is the bound of a note whose footer is replaced: GitLab's own.
const mostNoteText = 1_000_000

// GitLab speaks to a GitLab for one job. It is for one goroutine at a time.
type GitLab struct {
	api   *gitlab.Client
	token string
	self  int
	waiter
}

// MergeRequest names one: its project's number or path, its own number in the project, and the note's key. With a PlanKey only a signed note is found.
type MergeRequest struct {
	Project      string
	Number       int
	Key, PlanKey string
}

// NewGitLab is a client; o.APIURL is CI_API_V4_URL. It makes no request.
func NewGitLab(o Options) (*GitLab, error) {
	base, err := url.Parse(o.APIURL)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, fmt.Errorf("CI_API_V4_URL is not an address such as https://HOST/api/v4 (user, query and fragment have no place in it)")
	}
	client := &http.Client{Timeout: answerTime, CheckRedirect: stay, Transport: o.Transport}
	api, err := gitlab.NewClient(o.Token, gitlab.WithBaseURL(o.APIURL), gitlab.WithHTTPClient(client), gitlab.WithCustomLimiter(unlimited{}), gitlab.WithCustomRetryMax(0),
		gitlab.WithCustomRetry(func(context.Context, *http.Response, error) (bool, error) { return false, nil }), gitlab.WithErrorHandler(retryablehttp.PassthroughErrorHandler))
	if err != nil {
		return nil, fmt.Errorf("CI_API_V4_URL: %w", err)
	}
	if o.UserAgent != "" {
		api.UserAgent = o.UserAgent
	}
	return &GitLab{api: api, token: o.Token, waiter: o.waiter()}, nil
}

// unlimited lets every request through: without a limiter of ours the library would ask the server for its limits first.
type unlimited struct{}

// Wait is the library's.
func (unlimited) Wait(context.Context) error { return nil }

// NoteRoom is how many bytes of Body a note holds beside the marker and the footer.
func (c Comment) NoteRoom(planKey string) int { return c.harmless().roomIn(NoteBudget, planKey) }

// harmless is a comment in which GitLab finds no quick action and nobody mentioned. Each breach takes three bytes.
func (c Comment) harmless() Comment {
	c.Body, c.Footer = harmless(c.Body), harmless(c.Footer)
	return c
}

// breach is a space of no width: what stands behind it begins no line and follows no @.
const breach = "\u200b"

// harmless breaks quick actions and mentions; of a line of a diff nothing but a mention, as it begins with a sign of its own. What GitLab's reader of quick actions skips (code, quotations) is broken as well: where it begins and ends is not ours to guess.
func harmless(text string) string {
	var b strings.Builder
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	start := true
	for i, r := range text {
		if r == '/' && start {
			b.WriteString(breach)
		}
		b.WriteRune(r)
		if r == '@' && i+1 < len(text) && text[i+1] > ' ' {
			b.WriteString(breach)
		}
		start = r == '\n' || start && strings.ContainsRune(" \t\u00a0", r) || strings.ContainsRune("\v\f\u0085\u2028\u2029", r)
	}
	return b.String()
}

// UpsertNote makes the merge request's note show c, as Upsert does on GitHub.
func UpsertNote(ctx context.Context, client *GitLab, mr MergeRequest, c Comment, o UpsertOptions) (string, Action, error) {
	c.Marker.Repo, c.Marker.PR, c.Marker.Key = strings.ToLower(mr.Project), mr.Number, strings.ToValidUTF8(mr.Key, "�")
	mr.Key, mr.PlanKey = c.Marker.Key, o.PlanKey
	u := &noting{GitLab: client, mr: mr, marker: c.Marker, text: c.harmless().text(o.PlanKey), options: o}
	switch {
	case mr.Number <= 0:
		return "", None, &Unavailable{Reason: fmt.Sprintf("%d is no merge request's number", mr.Number)}
	case len(u.text) > NoteBudget:
		return "", None, &Unavailable{Reason: fmt.Sprintf("%s is too long: %d bytes, and %d is the most", mr, len(u.text), NoteBudget), Hint: "the job's artifacts have all of it"}
	}
	err := client.attempt(ctx, mr.String(), u.round)
	return u.url, u.action, err
}

// attempt runs rounds as call does. The error is nil, the context's own, or *Unavailable.
func (c *GitLab) attempt(ctx context.Context, what string, round func(context.Context) error) error {
	return c.retry(ctx, round, c.judge, func(f fault, err error) *Unavailable { return c.unavailable(what, f, err) }, func() {})
}

// String is the note in a message.
func (mr MergeRequest) String() string {
	return fmt.Sprintf("the note on merge request !%d", mr.Number)
}

type noting struct {
	*GitLab
	mr      MergeRequest
	marker  Marker
	text    string
	options UpsertOptions
	waited  bool // for the API to catch up with the head

	page   string // the merge request's
	url    string
	action Action
}

// round is one try: look, decide, write.
func (u *noting) round(ctx context.Context) error {
	u.url, u.action = "", None
	mine, err := u.find(ctx)
	if err != nil {
		return err
	}
	head, open, err := u.head(ctx)
	if len(mine) > 0 {
		u.url = u.address(mine[0].id)
	}
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
	u.action = Unchanged
	if !same(mine[0].text, u.text, u.mr.PlanKey) {
		if err := u.edit(ctx, mine[0].id, u.text); err != nil {
			return err
		}
		u.action = Updated
	}
	return u.drop(ctx, mine[1:])
}

func (u *noting) address(id int64) string { return fmt.Sprintf("%s#note_%d", u.page, id) }

// head reads the merge request: its head now, and whether it is open. When the head is not ours it looks a second time, later.
func (u *noting) head(ctx context.Context) (string, bool, error) {
	for {
		mr, _, err := u.api.MergeRequests.GetMergeRequest(u.mr.Project, u.mr.Number, nil, gitlab.WithContext(ctx))
		if err != nil {
			return "", false, err
		}
		u.page = mr.WebURL
		open := mr.State == "opened"
		if mr.SHA == u.marker.Head || !open || u.waited {
			return mr.SHA, open, nil
		}
		u.waited = true
		if err := u.pause(ctx, lag); err != nil {
			return "", false, err
		}
	}
}

// find lists the notes that are ours, oldest first, over all pages.
func (u *noting) find(ctx context.Context) ([]remark, error) {
	if u.self == 0 {
		user, _, err := u.api.Users.CurrentUser(gitlab.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		u.self = user.ID
	}
	var mine []remark
	sort, by := "asc", "created_at"
	o := &gitlab.ListMergeRequestNotesOptions{ListOptions: gitlab.ListOptions{PerPage: perPage}, Sort: &sort, OrderBy: &by}
	for page := 1; page != 0; {
		o.Page = page
		notes, resp, err := u.api.Notes.ListMergeRequestNotes(u.mr.Project, u.mr.Number, o, gitlab.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		for _, n := range notes {
			m, err := ParseMarker(n.Body, u.mr.PlanKey)
			same := m.Key == u.mr.Key && m.of(u.mr.Project, u.mr.Number, u.mr.PlanKey)
			if err == nil && same && !n.System && n.Author.ID == u.self && u.self != 0 && !holds(mine, int64(n.ID)) {
				mine = append(mine, remark{id: int64(n.ID), text: n.Body, marker: m})
			}
		}
		switch {
		case resp.NextPage <= page:
			page = 0
		case page >= mostPages:
			return nil, &Unavailable{Reason: fmt.Sprintf("GitLab lists more than %d pages of %d", mostPages, perPage)}
		default:
			page = resp.NextPage
		}
	}
	slices.SortFunc(mine, func(a, b remark) int { return int(max(-1, min(1, a.id-b.id))) })
	return mine, nil
}

func (u *noting) create(ctx context.Context) error {
	made, _, err := u.api.Notes.CreateMergeRequestNote(u.mr.Project, u.mr.Number, &gitlab.CreateMergeRequestNoteOptions{Body: &u.text}, gitlab.WithContext(ctx))
	if err != nil {
		return err
	}
	u.url, u.action = u.address(int64(made.ID)), Created
	return u.settle(ctx, remark{id: int64(made.ID), text: u.text, marker: u.marker})
}

// settle looks again after made was created, as on GitHub: of two notes made at once the oldest stays, with the newest content.
func (u *noting) settle(ctx context.Context, made remark) error {
	mine, err := u.find(ctx)
	if err != nil {
		return ctx.Err()
	}
	if !holds(mine, made.id) {
		mine = append(mine, made)
	}
	if len(mine) == 1 {
		return nil
	}
	if best := best(mine, u.marker.Head); best > 0 && u.edit(ctx, mine[0].id, mine[best].text) != nil {
		return ctx.Err() // rather two notes than the newest one lost
	}
	u.url, u.action = u.address(mine[0].id), Updated
	if mine[0].id == made.id {
		u.action = Created
	}
	return u.drop(ctx, mine[1:])
}

// drop deletes what a race left over. Where that is refused, the note is reduced to a line that points at the one that counts.
func (u *noting) drop(ctx context.Context, extra []remark) error {
	for _, e := range extra {
		_, err := u.api.Notes.DeleteMergeRequestNote(u.mr.Project, u.mr.Number, int(e.id), gitlab.WithContext(ctx))
		if err != nil && statusOf(err) != http.StatusNotFound {
			_ = u.edit(ctx, e.id, "<sub>The plan stands in ["+u.url+"]("+u.url+").</sub>")
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (u *noting) edit(ctx context.Context, id int64, text string) error {
	_, _, err := u.api.Notes.UpdateMergeRequestNote(u.mr.Project, u.mr.Number, int(id), &gitlab.UpdateMergeRequestNoteOptions{Body: &text}, gitlab.WithContext(ctx))
	if statusOf(err) == http.StatusNotFound {
		return errAgain // somebody deleted it meanwhile
	}
	return err
}

// refusal is the answer that an error holds, nil when there was none.
func refusal(err error) *gitlab.ErrorResponse {
	var e *gitlab.ErrorResponse
	if errors.As(err, &e) && e.Response != nil {
		return e
	}
	return nil
}

func statusOf(err error) int {
	if e := refusal(err); e != nil {
		return e.Response.StatusCode
	}
	if errors.Is(err, gitlab.ErrNotFound) { // the library has no answer left for it
		return http.StatusNotFound
	}
	return 0
}

func (c *GitLab) judge(err error) fault {
	f := fault{status: statusOf(err), message: err.Error()}
	e := refusal(err)
	if e == nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		f.garbled = errors.As(err, &syntax) || errors.As(err, &kind)
		f.again = !f.garbled && f.status == 0
		return f
	}
	f.message = e.Message
	switch {
	case f.status == http.StatusTooManyRequests:
		f.again, f.limited, f.wait = true, true, c.asked(e.Response)
	case f.status >= 500, f.status == http.StatusConflict:
		f.again = true
		if e.Response.Header.Get("Retry-After") != "" {
			f.wait = c.asked(e.Response)
		}
	}
	return f
}

func (c *GitLab) unavailable(what string, f fault, err error) *Unavailable {
	u := &Unavailable{Status: f.status, Hint: c.hint(f)}
	said := scrub(f.message, c.token)
	switch {
	case errors.Is(err, errAgain):
		u.Reason, u.Hint = what+" is not possible, as others change it all the time", "run the job again"
	case f.garbled:
		u.Reason = what + " is not possible, as the answer is not GitLab's (" + said + ")"
	case f.status == 0:
		u.Reason = what + " is not possible, as GitLab does not answer (" + said + ")"
	default:
		u.Reason = fmt.Sprintf("%s is not possible: GitLab answers %s", what, strings.TrimSpace(strconv.Itoa(f.status)+" "+said))
	}
	return u
}

func (c *GitLab) hint(f fault) string {
	switch {
	case f.garbled:
		return "look whether CI_API_V4_URL names GitLab's API and no proxy stands between"
	case f.limited:
		return "GitLab asks to slow down; run the job again after " + c.now().Add(f.wait).UTC().Format("15:04 UTC")
	case f.status == 0:
		return "look whether this machine reaches CI_API_V4_URL"
	case f.status >= 300 && f.status < 400:
		return "the project seems to have moved; use its present path"
	case f.status == http.StatusUnauthorized:
		return "the token is wrong or has expired: put one of the project's with the scope api into the variable GITLAB_TOKEN"
	case f.status == http.StatusForbidden, f.status == http.StatusNotFound:
		return "the token may not write there: it needs the scope api and the role Reporter or above, the job's own token never can, and a discussion that is locked is for members only"
	case f.status >= 500:
		return "run the job again when GitLab is well"
	}
	return ""
}
