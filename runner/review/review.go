// Package review brings plans to where people review them, and what became of them back there: the comment of a pull request when a plan is made, the same comment when the
// deploy that follows the merge is done, the status of a GitHub deployment. It joins three rooms that know nothing of each other: plan, report and forge.
//
// Nothing here decides over a plan or a deploy. What GitHub refuses becomes one notice, and the job's summary holds everything anyway.
package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/runner/forge"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/report"
)

// Settings are what a job knows of itself.
type Settings struct {
	// Client speaks to GitHub; Repo is the job's repository.
	Client *forge.Client
	Repo   forge.Repo
	// ServerURL is GITHUB_SERVER_URL, Run GITHUB_RUN_ID/GITHUB_RUN_ATTEMPT, RunNumber what people call it.
	ServerURL, Run, RunNumber string
	RunID                     int64
	// Files and Environment make the comment's key; Prefix is the working directory's path within the repository, with a slash at its end.
	Files               []string
	Environment, Prefix string
	// PlanKey signs markers and binds deploys to what was reviewed; "" is none.
	PlanKey string
	Policy  report.Policy
	// Worth makes a comment also for a plan without changes, since there is something else to read in it.
	Worth bool
	// Notice gets what GitHub refused, in one line each. Expected, nil for none, takes a refusal that gets no notice of its own.
	Notice   func(string)
	Expected func(*forge.Unavailable) bool
	Now      func() time.Time
}

func (s *Settings) key() string { return forge.Key(s.Prefix, s.Files, s.Environment) }

func (s *Settings) runURL() string {
	return fmt.Sprintf("%s/%s/actions/runs/%d", s.ServerURL, s.Repo, s.RunID)
}

// Post shows a plan in its pull request's comment. A plan without changes edits a comment that is there and makes none. The address is "" where there is no comment.
func (s *Settings) Post(ctx context.Context, p *plan.Plan, e forge.Event) (string, error) {
	return s.post(ctx, report.Of(p), shown{p.Hash(), p.Changes(), s.digests(p), p.Count()}, e)
}

// PostFile does the same with a plan's JSON. Such a plan binds no deploy: its digests need the plan itself.
func (s *Settings) PostFile(ctx context.Context, data []byte, e forge.Event) (string, error) {
	view, what, err := ofFile(data)
	if err != nil {
		return "", err
	}
	return s.post(ctx, view, what, e)
}

// ofFile reads a plan's JSON.
func ofFile(data []byte) (*report.View, shown, error) {
	view, err := report.Read(data)
	if err != nil {
		return nil, shown{}, err
	}
	var head struct {
		Hash    string      `json:"hash"`
		Summary plan.Counts `json:"summary"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, shown{}, err
	}
	c := head.Summary
	return view, shown{head.Hash, c.Create+c.Update+c.Rebuild+c.Delete > 0, nil, c}, nil
}

// shown is what a marker says of a plan.
type shown struct {
	hash    string
	changes bool
	digests map[string]string
	counts  plan.Counts
}

func (s *Settings) post(ctx context.Context, view *report.View, what shown, e forge.Event) (string, error) {
	meta := report.Meta{Target: s.Environment, Files: s.Files, Head: e.HeadSHA, HeadURL: fmt.Sprintf("%s/%s/commit/%s", s.ServerURL, s.Repo, e.HeadSHA), Time: s.Now(),
		Run: "run " + s.RunNumber, RunURL: s.runURL(), Blob: fmt.Sprintf("%s/%s/blob/%s/", s.ServerURL, s.Repo, e.HeadSHA), Prefix: s.Prefix,
		Full: "the job summary", FullURL: s.runURL(), NoFooter: true}
	footer := report.Footer{Policy: s.Policy}
	if !what.changes {
		footer.Fate = report.Nothing
	}
	c := forge.Comment{Marker: forge.Marker{V: 1, Key: s.key(), Head: e.HeadSHA, Plan: what.hash, Run: s.Run, Reviewed: what.digests}, Footer: footer.Markdown()}
	meta.Budget = min(c.Room(s.PlanKey), report.CommentBudget)
	c.Body = view.Page(meta)
	address, _, err := forge.Upsert(ctx, s.Client, s.Repo, e.Number, c, forge.UpsertOptions{PlanKey: s.PlanKey, OnlyExisting: !what.changes && !s.Worth})
	return address, s.noted(err)
}

// noted makes a notice of what GitHub refused; only the context's error is left.
func (s *Settings) noted(err error) error {
	var refused *forge.Unavailable
	if errors.As(err, &refused) && s.Expected != nil && s.Expected(refused) {
		return nil
	}
	return noted(err, s.Notice)
}

func noted(err error, notice func(string)) error {
	var refused *forge.Unavailable
	if !errors.As(err, &refused) {
		return err
	}
	text := refused.Reason
	if refused.Hint != "" {
		text += "\n" + refused.Hint
	}
	notice(text)
	return nil
}

// Closed makes the comment say that its pull request was merged or closed.
func (s *Settings) Closed(ctx context.Context, e forge.Event) (string, error) {
	address, _, err := forge.Closed(ctx, s.Client, s.target(e.Number), s.Run, e.Merged)
	return address, s.noted(err)
}

func (s *Settings) target(number int) forge.Target {
	return forge.Target{Repo: s.Repo, PR: number, Key: s.key(), PlanKey: s.PlanKey}
}

// Range are the commits that a deploy brings: after Base, up to Head. Base is the environment's last deployed commit, else the push's own start. Deployed is the last deployed
// commit alone, Head itself where the job runs again, "" where none is known: the push's own start may never have been let through.
type Range struct{ Base, Head, Deployed string }

// RangeOf finds the range of a push.
func (s *Settings) RangeOf(ctx context.Context, e forge.Event, head string) (Range, error) {
	last, err := forge.LastDeployed(ctx, s.Client, s.board())
	if err := s.noted(err); err != nil {
		return Range{}, err
	}
	base := last
	if last == "" || last == head {
		base = e.Before
	}
	return Range{base, head, last}, nil
}

func (s *Settings) board() forge.Board {
	environment := s.Environment
	if environment == "" {
		environment = "prefect"
	}
	return forge.Board{Repo: s.Repo, Environment: environment, Key: s.key(), RunID: s.RunID, PlanKey: s.PlanKey}
}

// Merged are the pull requests of the range whose comments are ours to edit.
func (s *Settings) Merged(ctx context.Context, r Range) ([]forge.PullRequest, error) {
	merged, err := forge.PullRequestsOf(ctx, s.Client, s.Repo, r.Base, r.Head)
	if err := s.noted(err); err != nil {
		return nil, err
	}
	if merged.NotExamined > 0 {
		s.Notice(fmt.Sprintf("%d of %d commits were not examined for their pull requests", merged.NotExamined, merged.Commits))
	}
	return merged.PullRequests, nil
}

// Started sets the deployment's status before the first write.
func (s *Settings) Started(ctx context.Context, sha string) error {
	_, err := forge.SetStatus(ctx, s.Client, s.board(), forge.Status{SHA: sha, State: "in_progress", LogURL: s.runURL()})
	return s.noted(err)
}

// Applied tells every merged pull request's comment how it went, and sets the deployment's status.
func (s *Settings) Applied(ctx context.Context, p *plan.Plan, sha string, merged []forge.PullRequest, elapsed string) error {
	view := report.Of(p)
	footer := report.Footer{Fate: report.Done, Policy: s.Policy, Run: "run " + s.RunNumber, RunURL: s.runURL(), Result: view, Elapsed: elapsed}
	outcome := outcomeOf(p)
	for _, pr := range merged {
		if _, _, err := forge.Result(ctx, s.Client, s.target(pr.Number), s.Run, footer.Markdown(), outcome); s.noted(err) != nil {
			return err
		}
	}
	state := "success"
	if outcome == forge.Failed {
		state = "failure"
	}
	_, err := forge.SetStatus(ctx, s.Client, s.board(), forge.Status{SHA: sha, State: state, LogURL: s.runURL(), Description: report.Summary(p, true, elapsed)})
	return s.noted(err)
}

// outcomeOf is how a deploy ended.
func outcomeOf(p *plan.Plan) forge.Outcome { return outcomeOfCounts(p.Count()) }

func outcomeOfCounts(n plan.Counts) forge.Outcome {
	switch {
	case n.Failed > 0:
		return forge.Failed
	case n.Create+n.Update+n.Rebuild+n.Delete > 0:
		return forge.Carried
	}
	return forge.Idle
}

// NotApplied tells the comments why nothing was written.
func (s *Settings) NotApplied(ctx context.Context, sha string, merged []forge.PullRequest, reason string) error {
	footer := report.Footer{Fate: report.NotApplied, Run: "run " + s.RunNumber, RunURL: s.runURL(), Reason: reason}
	for _, pr := range merged {
		if _, _, err := forge.Result(ctx, s.Client, s.target(pr.Number), s.Run, footer.Markdown(), forge.Failed); s.noted(err) != nil {
			return err
		}
	}
	_, err := forge.SetStatus(ctx, s.Client, s.board(), forge.Status{SHA: sha, State: "failure", LogURL: s.runURL(), Description: reason})
	return s.noted(err)
}

// mostReviewed bounds the digests in a marker: of a plan of more changes none is bound, and plan-policy: require refuses its deploy.
const mostReviewed = 300

// allBuilds stands in a marker for the steps of all deployments, where there is no room for those of each.
const allBuilds = "\x00builds"

// digests are what the marker says was reviewed: "CHANGES:BUILD" by name. Names are hashed: they come from files.
func (s *Settings) digests(p *plan.Plan) map[string]string {
	if s.PlanKey == "" {
		return nil
	}
	digests, short := p.Digests(s.PlanKey), map[string]string{}
	for name, d := range digests {
		short[nameDigest(name)] = d.Changes + ":" + brief(d.Build)
	}
	if len(short) > mostReviewed {
		short = map[string]string{nameDigest(allBuilds): ":" + brief(p.AllBuilds(s.PlanKey))}
		for name, d := range digests {
			if d.Changes != "" {
				short[nameDigest(name)] = d.Changes + ":"
			}
		}
	}
	if len(short) > mostReviewed+1 {
		return nil
	}
	return short
}

// brief is as much of a digest as 300 of them leave room for.
func brief(digest string) string { return digest[:min(len(digest), 16)] }

func nameDigest(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:6])
}

// Unseen is a deployment of which something was not reviewed: what would be written, or the steps that would run for it.
type Unseen struct {
	Name    string
	Changes bool
	// Build tells of the steps. Steps are the keys of those that are not what the last deploy ran, none where only the place of their outputs differs.
	Build bool
	Steps []string
}

// String says what of it nobody has seen.
func (u Unseen) String() string {
	const than = "what a merged pull request's plan showed"
	switch {
	case u.Changes && !u.Build:
		return u.Name + ": what would be written is not " + than
	case len(u.Steps) == 0:
		return u.Name + ": where the outputs of its steps go is not " + than + ", nor what the last deploy did"
	}
	text := u.Name + ": "
	if u.Changes {
		text += "what would be written is not " + than + ", and "
	}
	return text + fmt.Sprintf("the steps that run for it are not %s, nor those of the last deploy: %s", than, strings.Join(u.Steps, ", "))
}

// Unreviewed are the deployments that the plan would write, or whose steps it would run, and that no merged pull request's comment holds as planned. A comment counts as long as it shows the head that was merged. Steps that the last
// deploy ran need no review.
func (s *Settings) Unreviewed(ctx context.Context, p *plan.Plan, merged []forge.PullRequest) ([]Unseen, error) {
	changes, builds := map[string]bool{}, map[string]bool{}
	for _, pr := range merged {
		_, marker, err := forge.Read(ctx, s.Client, s.target(pr.Number))
		if err := s.noted(err); err != nil {
			return nil, err
		}
		if marker.Head != pr.Head { // the plan of the head that was merged failed, or the comment shows an earlier one
			continue
		}
		for name, digest := range marker.Reviewed {
			of, build, _ := strings.Cut(digest, ":")
			changes[name+"="+of], builds[name+"="+build] = true, true
		}
	}
	all := builds[nameDigest(allBuilds)+"="+brief(p.AllBuilds(s.PlanKey))]
	var out []Unseen
	for name, d := range p.Digests(s.PlanKey) {
		u := Unseen{Name: name, Changes: d.Changes != "" && !changes[nameDigest(name)+"="+d.Changes]}
		if d.Build != "" && !all && !builds[nameDigest(name)+"="+brief(d.Build)] {
			same, differ := p.Ran(name)
			u.Build, u.Steps = !same, differ
		}
		if u.Changes || u.Build {
			out = append(out, u)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}
