// Which comments are ours, and who we are.
package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-github/v60/github"
)

// actionsBot is the author of what GITHUB_TOKEN writes.
const actionsBot = "github-actions[bot]"

// remark is a comment of ours as GitHub has it.
type remark struct {
	repo   Repo
	id     int64
	url    string
	text   string
	marker Marker
}

func holds(mine []remark, id int64) bool {
	return slices.ContainsFunc(mine, func(r remark) bool { return r.id == id })
}

// find lists the comments that are the target's, oldest first, over all pages.
func (c *Client) find(ctx context.Context, t Target) ([]remark, error) {
	author, err := c.login(ctx)
	if err != nil {
		return nil, err
	}
	var mine []remark
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: perPage}}
	for page := 1; page != 0; {
		options.Page = page
		comments, resp, err := c.gh.Issues.ListComments(ctx, t.Repo.Owner, t.Repo.Name, t.PR, options)
		if err != nil {
			return nil, err
		}
		for _, comment := range comments {
			if m, ok := ours(comment, author, t); ok && !holds(mine, comment.GetID()) { // a page can repeat what another one had when a comment before it goes
				mine = append(mine, remark{t.Repo, comment.GetID(), comment.GetHTMLURL(), comment.GetBody(), m})
			}
		}
		if page, err = following(page, resp); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(mine, func(a, b remark) int { return int(max(-1, min(1, a.id-b.id))) })
	return mine, nil
}

// following is the next page, 0 after the last. A listing that was cut short would look as if there were no comment.
func following(page int, resp *github.Response) (int, error) {
	if resp.NextPage == 0 || resp.NextPage <= page {
		return 0, nil
	}
	if page >= mostPages {
		return 0, &Unavailable{Reason: fmt.Sprintf("GitHub lists more than %d pages of %d", mostPages, perPage)}
	}
	return resp.NextPage, nil
}

func ours(c *github.IssueComment, author string, t Target) (Marker, bool) {
	if !strings.EqualFold(c.GetUser().GetLogin(), author) {
		return Marker{}, false
	}
	m, err := ParseMarker(c.GetBody(), t.PlanKey)
	return m, err == nil && m.Key == t.Key && m.of(t.Repo.String(), t.PR, t.PlanKey)
}

// login is the author of what the token writes. Tokens of installations (GITHUB_TOKEN is one) get 403 on /user; GraphQL's viewer knows them by name, and
// where that is not to be had it is most likely GITHUB_TOKEN. The author of the first comment that we make corrects it.
func (c *Client) login(ctx context.Context) (string, error) {
	if c.author != "" {
		return c.author, nil
	}
	user, _, err := c.gh.Users.Get(ctx, "")
	if err == nil && user.GetLogin() != "" {
		c.author = user.GetLogin()
		return c.author, nil
	}
	var refused *github.ErrorResponse
	if err != nil && (!errors.As(err, &refused) || c.judge(err).limited || (refused.Response.StatusCode != http.StatusForbidden && refused.Response.StatusCode != http.StatusNotFound)) {
		return "", err
	}
	if c.author, err = c.viewer(ctx); err != nil {
		return "", err
	}
	return c.author, nil
}

// viewer asks GraphQL who we are.
func (c *Client) viewer(ctx context.Context) (string, error) {
	path := "graphql"
	if strings.HasSuffix(c.gh.BaseURL.Path, "/api/v3/") {
		path = "../graphql"
	}
	req, err := c.gh.NewRequest(http.MethodPost, path, map[string]string{"query": "query { viewer { login } }"})
	if err != nil {
		return "", err
	}
	var answer struct {
		Data struct {
			Viewer struct {
				Login string `json:"login"`
			} `json:"viewer"`
		} `json:"data"`
	}
	if _, err = c.gh.Do(ctx, req, &answer); err != nil && (ctx.Err() != nil || c.judge(err).limited) {
		return "", err
	}
	switch login := answer.Data.Viewer.Login; {
	case login == "":
		return actionsBot, nil
	case strings.HasSuffix(login, "[bot]"):
		return login, nil
	default:
		return login + "[bot]", nil // /user refused it, so it is no person
	}
}
