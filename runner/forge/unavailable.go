// What GitHub refused, and what to do about it. The notice that shows it is the only one, so it must be enough: the refusal in GitHub's own words, and the
// lines to write. A token never gets here, whatever an answer repeats.
package forge

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// Unavailable is why something on GitHub was not done. It never decides over a plan or a deploy.
type Unavailable struct {
	// Reason says in one line what was not done and why; Hint what to do, perhaps with lines of YAML, "" when there is nothing.
	Reason, Hint string
	// Status is the answer's, 0 without one.
	Status int
	// What was not done, and Permission, what the job must be given for it, one `name: access` a line: both only where a missing permission is the whole reason.
	What, Permission string
}

// Error is both, for people.
func (u *Unavailable) Error() string {
	if u.Hint == "" {
		return u.Reason
	}
	return u.Reason + ": " + u.Hint
}

// need is what a round is for: its name in an error, and the permission that its job must have ("pull-requests: write").
type need struct{ what, permission string }

func (n need) grant() string {
	return "give the job the permission\n    permissions:\n      " + n.permission
}

const onlyReads = "runs for forks and Dependabot have a token that only reads; in others "

const mostMessage = 300 // characters of a server's text

func (c *Client) unavailable(n need, f fault, err error) *Unavailable {
	said := c.scrub(f.message)
	u := &Unavailable{Status: f.status, Hint: c.hint(n, f)}
	if f.status == http.StatusForbidden && u.Hint == onlyReads+n.grant() {
		u.What, u.Permission = n.what, n.permission
	}
	switch {
	case errors.Is(err, errAgain):
		u.Reason, u.Hint = n.what+" is not possible, as others change it all the time", "rerun the job"
	case f.garbled:
		u.Reason = n.what + " is not possible, as the answer is not GitHub's (" + said + ")"
	case f.status == 0:
		u.Reason = n.what + " is not possible, as GitHub does not answer (" + c.scrub(err.Error()) + ")"
	case said == "":
		u.Reason = fmt.Sprintf("%s is not possible: GitHub answers %d %s", n.what, f.status, http.StatusText(f.status))
	default:
		u.Reason = fmt.Sprintf("%s is not possible: GitHub answers %d, %s", n.what, f.status, said)
	}
	return u
}

func (c *Client) scrub(text string) string { return scrub(text, c.token) }

// scrub makes a server's text fit for a log: one line, short, without the token.
func scrub(text, token string) string {
	if token != "" {
		text = strings.ReplaceAll(text, token, "***")
	}
	if utf8.RuneCountInString(text) > mostMessage {
		text = string([]rune(text)[:mostMessage]) + "…"
	}
	return strings.TrimRight(diag.Clean(text), ".")
}

func (c *Client) hint(n need, f fault) string {
	grant := n.grant()
	message := strings.ToLower(f.message)
	switch {
	case f.garbled:
		return "look whether GITHUB_API_URL names GitHub's API and no proxy stands between"
	case f.limited:
		return "GitHub asks to slow down; rerun the job after " + c.now().Add(f.wait).UTC().Format("15:04 UTC")
	case f.status == 0:
		return "look whether this machine reaches GITHUB_API_URL"
	case c.token == "" && f.status >= 400 && f.status < 500:
		return "set the input github-token: ${{ github.token }}"
	case f.status >= 300 && f.status < 400:
		return "the repository seems to have moved; use its present name"
	case f.status == http.StatusUnauthorized:
		return "the token is wrong or has expired; set the input github-token: ${{ github.token }}"
	case strings.Contains(message, "locked"):
		return "unlock the conversation"
	case f.status == http.StatusForbidden:
		return onlyReads + grant
	case f.status == http.StatusNotFound:
		return "it does not exist, or the token may not see it: " + grant
	case f.status == http.StatusGone:
		return "it was deleted, or comments are switched off"
	case f.status >= 500:
		return "rerun the job when GitHub is well again"
	}
	return ""
}
