// Which mode: the table of `auto`. Its one rule is that nothing is written on the word of code that nobody has reviewed, and nothing is silently left undone.
package ci

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// Mode is what the action is to do.
type Mode string

// The modes. Auto is only ever an input; Nothing only ever a choice.
const (
	Auto    Mode = "auto"
	Plan    Mode = "plan"
	Deploy  Mode = "deploy"
	Check   Mode = "check"
	Step    Mode = "step"
	Prune   Mode = "prune"
	Nothing Mode = "nothing"
	Review  Mode = "review"
	// PullCheck executes pull sections, and so what a pull request changed of them: an event that has secrets and is not reviewed must not be given it.
	PullCheck Mode = "pull-check"
)

// Event is what started the workflow, as far as it decides anything.
type Event struct {
	// Name is GITHUB_EVENT_NAME; Action its kind ("opened"), "" where it has none.
	Name, Action string
	// Branch or Tag is what a push moved; the other one is "". Gone: the push deleted it.
	Branch, Tag string
	Gone        bool
	// DefaultBranch is the repository's, "" when the payload does not tell.
	DefaultBranch string
	// Stranger: a pull request from a fork or from Dependabot, whose jobs are given no secrets.
	Stranger bool
}

// Event reads the event and its payload.
func (j *Job) Event() (Event, error) {
	c, err := j.github.Context()
	if c == nil { // an error beside a context is only about numbers that we do not read
		return Event{}, fmt.Errorf("the payload that GITHUB_EVENT_PATH names cannot be read: %w", err)
	}
	e := Event{Name: c.EventName, Action: text(c.Event, "action"), DefaultBranch: text(c.Event, "repository", "default_branch")}
	e.Branch, e.Tag = pushed(c.Ref, text(c.Event, "ref"))
	e.Gone = c.Event["deleted"] == true
	head, base := text(c.Event, "pull_request", "head", "repo", "full_name"), text(c.Event, "pull_request", "base", "repo", "full_name")
	if _, is := c.Event["pull_request"]; is {
		e.Stranger = head != base || c.Actor == "dependabot[bot]"
	}
	return e, nil
}

// text walks down a payload; "" where there is no text.
func text(payload map[string]any, path ...string) string {
	for _, key := range path[:len(path)-1] {
		payload, _ = payload[key].(map[string]any)
	}
	s, _ := payload[path[len(path)-1]].(string)
	return s
}

// pushed tells branch and tag of GITHUB_REF, or of the payload's ref where that is not set.
func pushed(refs ...string) (branch, tag string) {
	for _, ref := range refs {
		if b, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			return b, ""
		}
		if t, ok := strings.CutPrefix(ref, "refs/tags/"); ok {
			return "", t
		}
	}
	return "", ""
}

// Choice is the mode, and what the people of the pull request or push should know about it.
type Choice struct {
	Mode Mode
	// Warning and Notice are annotations; "" is none.
	Warning, Notice string
}

// Choose picks the mode: the one that was set, or by the event. The error says which to set and what is at stake.
func Choose(in Inputs, e Event) (Choice, error) {
	if in.Mode != Auto {
		return Choice{Mode: in.Mode}, nil
	}
	switch e.Name {
	case "push":
		return onPush(in, e)
	case "pull_request":
		return onPullRequest(e)
	case "merge_group":
		return Choice{Mode: Plan}, nil
	case "release", "schedule", "workflow_dispatch":
		return Choice{Mode: Deploy}, nil
	case "pull_request_target":
		return Choice{}, fmt.Errorf("the event pull_request_target runs with this repository's secrets, and anyone who opens a pull request could reach them through the code that they changed. " +
			"Start the workflow by pull_request instead; only where this job never checks out the pull request's code, set mode: plan (reads the server) or mode: deploy (writes to it)")
	case "workflow_run":
		return Choice{}, fmt.Errorf("the event workflow_run runs with this repository's secrets after a workflow that may have run a stranger's code, whose artifacts and head can't be trusted. " +
			"Set mode: plan (reads the server) or mode: deploy (writes to it) once you know that this job checks out only reviewed code")
	case "":
		return Choice{}, fmt.Errorf("GITHUB_EVENT_NAME is not set, so mode: auto cannot tell what is meant: set mode: plan (reads the server) or mode: deploy (writes to it)")
	}
	return Choice{}, fmt.Errorf("mode: auto does not know the event %s: set mode: plan (reads the server, writes nothing) or mode: deploy (runs the build steps of what is checked out and writes to the server)", diag.Quote(e.Name))
}

func onPullRequest(e Event) (Choice, error) {
	switch e.Action {
	case "opened", "synchronize", "reopened", "ready_for_review":
		return Choice{Mode: Plan}, nil
	case "closed":
		return Choice{Mode: Nothing, Notice: "the pull request is closed: nothing to plan, and its merge is deployed by the push that it makes"}, nil
	}
	return Choice{}, fmt.Errorf("mode: auto plans when a pull request is opened, synchronize, reopened or ready_for_review, and this event is of the type %s: take it out of `types:`, or set mode: plan (reads the server, writes nothing)", diag.Quote(e.Action))
}

func onPush(in Inputs, e Event) (Choice, error) {
	branches := in.DeployBranches
	if len(branches) == 0 && e.DefaultBranch != "" {
		branches = []string{e.DefaultBranch}
	}
	switch {
	case e.Gone:
		return Choice{Mode: Nothing, Notice: "the push deleted " + diag.Quote(e.Branch+e.Tag) + ": nothing to deploy"}, nil
	case e.Tag != "":
		return Choice{Mode: Plan, Warning: "nothing was deployed from the tag " + diag.Quote(e.Tag) + "; to deploy it, write\n    mode: deploy"}, nil
	case e.Branch == "":
		return Choice{}, fmt.Errorf("neither GITHUB_REF nor the event's payload names the branch that was pushed: set mode: plan (reads the server) or mode: deploy (writes to it)")
	case len(branches) == 0:
		return Choice{}, fmt.Errorf("the event's payload does not name the default branch: write the branches whose pushes deploy in the input deploy-branches")
	}
	for _, pattern := range branches {
		if match(pattern, e.Branch) {
			return Choice{Mode: Deploy}, nil
		}
	}
	return Choice{Mode: Plan, Warning: fmt.Sprintf("nothing was deployed from %s, as only pushes to %s deploy; to deploy it, write\n    deploy-branches: %s",
		diag.Quote(e.Branch), diag.Clean(strings.Join(branches, ", ")), diag.Clean(strings.Join(append(branches[:len(branches):len(branches)], e.Branch), ", ")))}, nil
}

// match is GitHub's own matching of branches as far as wildcards go: * is any text without a slash, ** any text. It carries along the set of all places in name that
// the pattern so far can end at, so that no pattern takes longer than its length times the name's.
func match(pattern, name string) bool {
	at := make([]bool, len(name)+1)
	at[0] = true
	for pattern != "" {
		if rest := strings.TrimLeft(pattern, "*"); len(rest) < len(pattern) {
			deep := len(pattern)-len(rest) > 1
			for i := range len(name) {
				at[i+1] = at[i+1] || at[i] && (deep || name[i] != '/')
			}
			pattern = rest
			continue
		}
		for i := len(name); i > 0; i-- {
			at[i] = at[i-1] && name[i-1] == pattern[0]
		}
		at[0] = false
		pattern = pattern[1:]
	}
	return at[len(name)]
}
