// The event's payload, as far as comments, ranges and statuses need it, read into go-github's own event types. (What an event is to do is runner/ci's.)
package forge

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/go-github/v60/github"
)

const (
	// mostPayload bounds a payload: GitHub's own bound is 25 MB.
	mostPayload = 25 << 20
	dependabot  = "dependabot[bot]"
)

// Event is what started the workflow. What an event does not have is zero.
type Event struct {
	// Name is GITHUB_EVENT_NAME, Action its kind ("opened"), Repo the repository's owner/name.
	Name, Action, Repo string
	// Number is the pull request's. BaseSHA and HeadSHA are its ends, or the merge group's, or the workflow run's head; BaseRef and HeadRef name their
	// branches without refs/heads/.
	Number           int
	BaseSHA, HeadSHA string
	BaseRef, HeadRef string
	// HeadRepoFork: the head is another repository's, or that of one that is gone. Dependabot: Dependabot's push started it (a person's push to its branch is
	// that person's). Both have no secrets and a token that only reads. Merged: the pull request that was closed was merged.
	HeadRepoFork, Dependabot, Merged bool
	// DefaultBranch is the repository's, "" where the payload does not tell.
	DefaultBranch string
	// Before and After are a push's ends; Before is "" when the push made the branch. Ref is what was pushed, dispatched, or released (refs/tags/…).
	Before, After, Ref string
	// RunID is the run that a workflow_run is about.
	RunID int64
}

// ParseEvent reads the payload of an event by its name. An event that it does not know has its repository and default branch only.
func ParseEvent(name string, data []byte) (Event, error) {
	if len(data) > mostPayload {
		return Event{}, fmt.Errorf("the event's payload is larger than %d MB; GITHUB_EVENT_PATH names another file", mostPayload>>20)
	}
	var common struct {
		Action string `json:"action"`
		Repo   struct {
			FullName      string `json:"full_name"`
			DefaultBranch string `json:"default_branch"`
		} `json:"repository"`
		Sender struct {
			Login string `json:"login"`
		} `json:"sender"`
	}
	if err := json.Unmarshal(data, &common); err != nil {
		return Event{}, fmt.Errorf("the payload of the event %q that GITHUB_EVENT_PATH names cannot be read: %w", name, err)
	}
	e := Event{Name: name, Action: common.Action, Repo: common.Repo.FullName, DefaultBranch: common.Repo.DefaultBranch, Dependabot: common.Sender.Login == dependabot}
	if github.EventForType(name) == nil { // schedule is no webhook's
		return e, nil
	}
	parsed, err := github.ParseWebHook(name, data)
	if err != nil {
		return Event{}, fmt.Errorf("the payload of the event %q that GITHUB_EVENT_PATH names cannot be read: %w", name, err)
	}
	switch p := parsed.(type) {
	case *github.PullRequestEvent:
		e.pullRequest(p.GetNumber(), p.GetPullRequest())
	case *github.PullRequestTargetEvent:
		e.pullRequest(p.GetNumber(), p.GetPullRequest())
	case *github.PushEvent:
		e.Before, e.After, e.Ref = unzero(p.GetBefore()), unzero(p.GetAfter()), p.GetRef()
	case *github.MergeGroupEvent:
		g := p.GetMergeGroup()
		e.BaseSHA, e.HeadSHA, e.BaseRef, e.HeadRef = g.GetBaseSHA(), g.GetHeadSHA(), branch(g.GetBaseRef()), branch(g.GetHeadRef())
	case *github.WorkflowRunEvent:
		r := p.GetWorkflowRun()
		e.RunID, e.HeadSHA, e.HeadRef = r.GetID(), r.GetHeadSHA(), r.GetHeadBranch()
		e.HeadRepoFork = r.GetHeadRepository().GetFullName() != e.Repo
		e.Dependabot = e.Dependabot || r.GetActor().GetLogin() == dependabot
	case *github.ReleaseEvent:
		if tag := p.GetRelease().GetTagName(); tag != "" {
			e.Ref = "refs/tags/" + tag
		}
	case *github.WorkflowDispatchEvent:
		e.Ref = p.GetRef()
	}
	return e, nil
}

func (e *Event) pullRequest(number int, pr *github.PullRequest) {
	if number == 0 {
		number = pr.GetNumber()
	}
	head, base := pr.GetHead(), pr.GetBase()
	e.Number, e.Merged = number, pr.GetMerged()
	e.BaseSHA, e.HeadSHA, e.BaseRef, e.HeadRef = base.GetSHA(), head.GetSHA(), base.GetRef(), head.GetRef()
	e.HeadRepoFork = head.GetRepo().GetFullName() == "" || head.GetRepo().GetFullName() != base.GetRepo().GetFullName()
}

func branch(ref string) string { return strings.TrimPrefix(ref, "refs/heads/") }

// unzero makes the SHA of zeros, which stands for "nothing", an empty text.
func unzero(sha string) string {
	if strings.Trim(sha, "0") == "" {
		return ""
	}
	return sha
}
