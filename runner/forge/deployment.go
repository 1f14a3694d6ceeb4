// What was deployed, on GitHub's own board. A job with an `environment:` gets a deployment with its status from GitHub itself; for others we make one. Ours
// carry a payload that names the tool and the comment's key.
//
// The last deployed commit decides what is not deployed again, and which steps need no review, so a wrong one is worse than none. GitHub's own word does not
// do: a job that only plans, with the same `environment:`, ends with success as well, for a pull request or a branch, and so does one that stands beside a deploy
// which was refused. So a deploy that is done says so itself, at the end of the status' description, and only that counts. The sign is made with the plan-key
// where there is one: whoever may write to the board can't say of a commit that it was deployed.
package forge

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"
)

// mostDeployments bounds the deployments whose statuses are read.
const mostDeployments = 50

// Board names the place of a deployment.
type Board struct {
	Repo Repo
	// Environment is the target's name; Key the comment's (Key).
	Environment, Key string
	// RunID is GITHUB_RUN_ID of this run.
	RunID int64
	// PlanKey makes the sign of what was deployed; "" leaves it to anybody.
	PlanKey string
}

// payload marks a deployment as ours.
type payload struct {
	Tool string `json:"tool"`
	Key  string `json:"key"`
	Run  int64  `json:"run"`
}

const toolName = "prefect-deploy-action"

// payloadOf reads a deployment's payload, which GitHub gives as an object, or as a text that holds one.
func payloadOf(d *github.Deployment) (p payload, ours bool) {
	raw := d.Payload
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	if json.Unmarshal(raw, &p) != nil || p.Tool != toolName {
		return payload{}, false
	}
	return p, true
}

// sign is the end of a description that says that a commit was deployed.
func (b Board) sign(sha string) string {
	h := hmac.New(sha256.New, []byte(b.PlanKey))
	for _, field := range []string{"deployed 1", strings.ToLower(b.Repo.String()), b.Environment, b.Key, sha} {
		h.Write([]byte(field))
		h.Write([]byte{0})
	}
	return " · " + hex.EncodeToString(h.Sum(nil))[:16]
}

// LastDeployed is the SHA that was last deployed to the environment with success, "" when there is none. The error is the context's or *Unavailable; then
// nothing is known, and everything must count as not deployed.
func LastDeployed(ctx context.Context, c *Client, b Board) (sha string, err error) {
	n := need{fmt.Sprintf("finding the last deployment to %q", b.Environment), "deployments: read"}
	err = c.call(ctx, n, func(ctx context.Context) error {
		sha = ""
		list, _, err := c.gh.Repositories.ListDeployments(ctx, b.Repo.Owner, b.Repo.Name, &github.DeploymentsListOptions{Environment: b.Environment, ListOptions: github.ListOptions{PerPage: perPage}})
		if err != nil {
			return err
		}
		for _, d := range list[:min(len(list), mostDeployments)] {
			if p, ours := payloadOf(d); ours && p.Key != b.Key {
				continue
			}
			if done, err := c.succeeded(ctx, b, d); err != nil || done {
				sha = d.GetSHA()
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return sha, nil
}

// succeeded looks for our success. A later deployment turns the status of this one to inactive, so any of its statuses will do.
func (c *Client) succeeded(ctx context.Context, b Board, d *github.Deployment) (bool, error) {
	statuses, _, err := c.gh.Repositories.ListDeploymentStatuses(ctx, b.Repo.Owner, b.Repo.Name, d.GetID(), &github.ListOptions{PerPage: perPage})
	if err != nil {
		return false, err
	}
	sign := b.sign(d.GetSHA())
	for _, s := range statuses {
		if said := s.GetDescription(); s.GetState() == "success" && len(said) >= len(sign) && hmac.Equal([]byte(said[len(said)-len(sign):]), []byte(sign)) {
			return true, nil
		}
	}
	return false, nil
}

// runOf is the run that a status's addresses name (…/actions/runs/ID/job/…), 0 if none does.
func runOf(s *github.DeploymentStatus) int64 {
	for _, address := range []string{s.GetLogURL(), s.GetTargetURL()} {
		_, rest, _ := strings.Cut(address, "/actions/runs/")
		digits := rest
		if i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
			digits = rest[:i]
		}
		if id, err := strconv.ParseInt(digits, 10, 64); err == nil {
			return id
		}
	}
	return 0
}

// Status is what a deployment's board shows.
type Status struct {
	// SHA is what was deployed.
	SHA string
	// State is in_progress, success, failure or error.
	State string
	// Description is one line of at most 140 characters, cut if longer. LogURL is the run's page, whose address must hold /actions/runs/ID; URL leads to
	// what was deployed, "" for nowhere.
	Description, LogURL, URL string
}

// SetStatus shows the status on the board, on a deployment of its own that it makes when there is none yet for this run and key (Created, then Updated). A job
// with an `environment:` has its deployment from GitHub, which sets its status: there only the success is added (Updated), with what it says, and nothing else (None). The error is the context's or *Unavailable.
func SetStatus(ctx context.Context, c *Client, b Board, s Status) (action Action, err error) {
	n := need{fmt.Sprintf("the deployment status of %q", b.Environment), "deployments: write"}
	if runOf(&github.DeploymentStatus{LogURL: &s.LogURL}) != b.RunID || b.RunID <= 0 {
		return None, &Unavailable{Reason: n.what + " is not set, as its log's address does not name this run"}
	}
	err = c.call(ctx, n, func(ctx context.Context) error {
		action = None
		own, byJob, err := c.deploymentOf(ctx, b, s.SHA)
		if err != nil || byJob && s.State != "success" {
			return err
		}
		done := Updated
		if own == 0 {
			if own, err = c.makeDeployment(ctx, b, s.SHA); err != nil {
				return err
			}
			done = Created
		}
		if err = c.addStatus(ctx, b, own, s); err == nil {
			action = done
		}
		return err
	})
	return action, err
}

// deploymentOf looks for this run's deployment of the commit: ours, or (byJob) that of the job's `environment:`, known by a status that names this run.
func (c *Client) deploymentOf(ctx context.Context, b Board, sha string) (own int64, byJob bool, err error) {
	list, _, err := c.gh.Repositories.ListDeployments(ctx, b.Repo.Owner, b.Repo.Name, &github.DeploymentsListOptions{SHA: sha, ListOptions: github.ListOptions{PerPage: perPage}})
	if err != nil {
		return 0, false, err
	}
	for _, d := range list[:min(len(list), mostDeployments)] {
		if p, ours := payloadOf(d); ours {
			if own == 0 && p.Run == b.RunID && p.Key == b.Key && d.GetEnvironment() == b.Environment {
				own = d.GetID()
			}
			continue
		}
		statuses, _, err := c.gh.Repositories.ListDeploymentStatuses(ctx, b.Repo.Owner, b.Repo.Name, d.GetID(), &github.ListOptions{PerPage: perPage})
		if err != nil {
			return 0, false, err
		}
		for _, status := range statuses {
			if runOf(status) == b.RunID {
				return d.GetID(), true, nil
			}
		}
	}
	return own, false, nil
}

// makeDeployment makes one for exactly this commit: nothing is merged into it, and no other check is waited for (that of this very run is not done).
func (c *Client) makeDeployment(ctx context.Context, b Board, sha string) (int64, error) {
	d, _, err := c.gh.Repositories.CreateDeployment(ctx, b.Repo.Owner, b.Repo.Name, &github.DeploymentRequest{
		Ref: &sha, AutoMerge: github.Bool(false), RequiredContexts: &[]string{}, Environment: &b.Environment,
		Description: github.String("Prefect deployments"), Payload: payload{toolName, b.Key, b.RunID},
	})
	return d.GetID(), err
}

func (c *Client) addStatus(ctx context.Context, b Board, id int64, s Status) error {
	description, sign := s.Description, ""
	if s.State == "success" {
		sign = b.sign(s.SHA)
	}
	if runes, most := []rune(description), 140-utf8.RuneCountInString(sign); len(runes) > most {
		description = string(runes[:most-1]) + "…"
	}
	description += sign
	request := &github.DeploymentStatusRequest{State: &s.State, Description: &description, LogURL: &s.LogURL}
	if s.URL != "" {
		request.EnvironmentURL = &s.URL
	}
	_, _, err := c.gh.Repositories.CreateDeploymentStatus(ctx, b.Repo.Owner, b.Repo.Name, id, request)
	return err
}
