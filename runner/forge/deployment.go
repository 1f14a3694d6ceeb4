// What was deployed, on GitHub's own board. A job with an `environment:` gets a deployment with its status from GitHub itself; for others we make one. Ours
// carry a payload that names the tool and the comment's key, by which the next deploy finds the commit that it starts from.
//
// That commit decides what is not deployed again, so a wrong one is worse than none. Several workflows may deploy to one environment: a deployment counts when
// its payload is ours with our key, or when a run of our own workflow wrote its status; when that can't be read, it is not known.
package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

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

// LastDeployed is the SHA that was last deployed to the environment with success, "" when there is none. The error is the context's or *Unavailable; then
// nothing is known, and everything must count as not deployed.
func LastDeployed(ctx context.Context, c *Client, b Board) (sha string, err error) {
	n := need{fmt.Sprintf("finding the last deployment to %q", b.Environment), "deployments: read\n      actions: read"}
	workflows := map[int64]int64{} // run → workflow
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
			run, err := c.succeeded(ctx, b.Repo, d)
			if err != nil {
				return err
			}
			if counts, err := c.counts(ctx, b, d, run, workflows); err != nil || counts {
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

// notRun stands for "no success", ownRun for a success that names no run.
const (
	notRun = -1
	ownRun = 0
)

// succeeded finds the run whose status said success. A later deployment turns the status of this one to inactive, so any of its statuses will do.
func (c *Client) succeeded(ctx context.Context, repo Repo, d *github.Deployment) (int64, error) {
	statuses, _, err := c.gh.Repositories.ListDeploymentStatuses(ctx, repo.Owner, repo.Name, d.GetID(), &github.ListOptions{PerPage: perPage})
	if err != nil {
		return notRun, err
	}
	for _, s := range statuses {
		if s.GetState() == "success" {
			return runOf(s), nil
		}
	}
	return notRun, nil
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
	return ownRun
}

// counts tells whether a deployment that succeeded is one of ours.
func (c *Client) counts(ctx context.Context, b Board, d *github.Deployment, run int64, workflows map[int64]int64) (bool, error) {
	_, ours := payloadOf(d)
	switch {
	case run == notRun:
		return false, nil
	case ours:
		return true, nil
	case run == ownRun || b.RunID == 0:
		return false, nil
	case run == b.RunID:
		return true, nil
	}
	for _, id := range []int64{b.RunID, run} {
		if _, known := workflows[id]; known {
			continue
		}
		r, _, err := c.gh.Actions.GetWorkflowRunByID(ctx, b.Repo.Owner, b.Repo.Name, id)
		if err != nil && (id == b.RunID || !missing(err)) { // an old run may have been deleted
			return false, err
		}
		workflows[id] = r.GetWorkflowID()
	}
	return workflows[run] != 0 && workflows[run] == workflows[b.RunID], nil
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
// with an `environment:` has its deployment from GitHub: then nothing is done (None). The error is the context's or *Unavailable.
func SetStatus(ctx context.Context, c *Client, b Board, s Status) (action Action, err error) {
	n := need{fmt.Sprintf("the deployment status of %q", b.Environment), "deployments: write"}
	if runOf(&github.DeploymentStatus{LogURL: &s.LogURL}) != b.RunID || b.RunID <= 0 {
		return None, &Unavailable{Reason: n.what + " is not set, as its log's address does not name this run"}
	}
	err = c.call(ctx, n, func(ctx context.Context) error {
		action = None
		own, byJob, err := c.deploymentOf(ctx, b, s.SHA)
		if err != nil || byJob {
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
				return 0, true, nil
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
	description := s.Description
	if runes := []rune(description); len(runes) > 140 {
		description = string(runes[:139]) + "…"
	}
	request := &github.DeploymentStatusRequest{State: &s.State, Description: &description, LogURL: &s.LogURL}
	if s.URL != "" {
		request.EnvironmentURL = &s.URL
	}
	_, _, err := c.gh.Repositories.CreateDeploymentStatus(ctx, b.Repo.Owner, b.Repo.Name, id, request)
	return err
}
