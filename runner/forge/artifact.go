// Posting for pull requests from forks, in two stages. The first, on pull_request, runs the stranger's files without secrets and leaves its plan as an
// artifact; the second, on workflow_run, has the right to comment and runs nothing of theirs.
//
// The artifact is whatever the stranger wants it to be. So nothing that decides is taken from it: the pull request's number and head come from GitHub's own
// record of the run, the comment's key from the second stage's own inputs. What it says is shown as a quotation in a fence that it cannot close, where HTML,
// mentions, links and markers are letters. It is read in memory, so names of files lead nowhere. An artifact that is not what the first stage writes is
// answered by a neutral sentence in its place.
package forge

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// The files of an artifact: BodyFile is the rendered plan, PlanFile its JSON. Either may be absent, nothing else may be there.
const (
	BodyFile = "comment.md"
	PlanFile = "plan.json"
)

const (
	mostArchive = 2 << 20   // of the archive, in bytes
	mostFile    = 4 << 20   // of a file in it, unpacked
	mostQuote   = 60 * 1000 // of the quoted text, so that a comment's budget holds the rest
)

// Proposal is what a stranger's run wants to show, on the pull request that GitHub says it ran for.
type Proposal struct {
	// Number, Head and Run ("ID/ATTEMPT") are GitHub's own words. Fork: the head is another repository's.
	Number    int
	Head, Run string
	Fork      bool
	// Body is safe to post: a quotation, or when Refused says why there is none, one sentence.
	Body    string
	Refused string
	// Plan is the JSON of the plan, nil without one. It is valid JSON and nothing more: whoever renders it must take every text in it for hostile.
	Plan []byte
}

// FromArtifact reads the artifact called name of the run that a workflow_run event is about (Event.RunID). The error is the context's or *Unavailable: then
// there is no pull request to post to.
func FromArtifact(ctx context.Context, c *Client, repo Repo, runID int64, name string) (Proposal, error) {
	var p Proposal
	var run *github.WorkflowRun
	n := need{"posting the plan of another run", "actions: read\n      pull-requests: write"}
	if runID <= 0 {
		return p, &Unavailable{Reason: n.what + " is not possible, as the event names no run", Hint: "start this workflow by workflow_run"}
	}
	err := c.call(ctx, n, func(ctx context.Context) (err error) {
		if run, _, err = c.gh.Actions.GetWorkflowRunByID(ctx, repo.Owner, repo.Name, runID); err != nil {
			return err
		}
		p, err = c.pullRequestOf(ctx, repo, run)
		return err
	})
	if err != nil {
		return Proposal{}, err
	}
	var archive []byte
	err = c.call(ctx, n, func(ctx context.Context) (err error) {
		archive, p.Refused, err = c.download(ctx, repo, runID, name)
		return err
	})
	if err != nil {
		return Proposal{}, err
	}
	p.fill(archive)
	return p, nil
}

// pullRequestOf finds the open pull request whose head is the run's: the same repository, branch and commit. (The run's own list of pull requests is empty
// for forks.)
func (c *Client) pullRequestOf(ctx context.Context, repo Repo, run *github.WorkflowRun) (Proposal, error) {
	from := run.GetHeadRepository()
	if run.GetEvent() != "pull_request" || from.GetOwner().GetLogin() == "" {
		return Proposal{}, &Unavailable{Reason: "the run was not made for a pull request whose repository is there, so its plan is not posted"}
	}
	list, _, err := c.gh.PullRequests.List(ctx, repo.Owner, repo.Name, &github.PullRequestListOptions{State: "open", Head: from.GetOwner().GetLogin() + ":" + run.GetHeadBranch(),
		ListOptions: github.ListOptions{PerPage: perPage}})
	if err != nil {
		return Proposal{}, err
	}
	var numbers []int
	for _, pr := range list {
		same := pr.GetHead().GetSHA() == run.GetHeadSHA() && pr.GetHead().GetRef() == run.GetHeadBranch() && pr.GetHead().GetRepo().GetID() == from.GetID()
		if same && strings.EqualFold(pr.GetBase().GetRepo().GetFullName(), repo.String()) {
			numbers = append(numbers, pr.GetNumber())
		}
	}
	switch len(numbers) {
	case 0:
		return Proposal{}, &Unavailable{Reason: "no open pull request has the run's commit as its head any more, so its plan is not posted"}
	case 1:
	default:
		return Proposal{}, &Unavailable{Reason: fmt.Sprintf("several pull requests (%s) have the run's commit as their head, so its plan is not posted", hashes(numbers))}
	}
	return Proposal{Number: numbers[0], Head: run.GetHeadSHA(), Run: fmt.Sprintf("%d/%d", run.GetID(), max(run.GetRunAttempt(), 1)),
		Fork: !strings.EqualFold(from.GetFullName(), repo.String())}, nil
}

func hashes(numbers []int) string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = fmt.Sprintf("#%d", n)
	}
	return strings.Join(out, ", ")
}

// download fetches the newest artifact of that name. What makes it none of ours is refused, in words.
func (c *Client) download(ctx context.Context, repo Repo, runID int64, name string) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*answerTime) // go-github goes past the client's own bound for a download's address
	defer cancel()
	list, _, err := c.gh.Actions.ListWorkflowRunArtifacts(ctx, repo.Owner, repo.Name, runID, &github.ListOptions{PerPage: perPage})
	if err != nil {
		return nil, "", err
	}
	var newest *github.Artifact
	for _, a := range list.Artifacts {
		if a.GetName() == name && !a.GetExpired() && a.GetID() > newest.GetID() {
			newest = a
		}
	}
	switch {
	case newest == nil:
		return nil, "the run left no plan", nil
	case newest.GetSizeInBytes() > mostArchive:
		return nil, "what the run left is too large", nil
	}
	address, resp, err := c.gh.Actions.DownloadArtifact(ctx, repo.Owner, repo.Name, newest.GetID(), 0)
	if err != nil {
		if resp != nil && resp.Response != nil {
			return nil, "", &github.ErrorResponse{Response: resp.Response, Message: "the artifact is not to be had"}
		}
		return nil, "", bare(err)
	}
	return c.fetch(ctx, address)
}

// fetch reads the archive from the address that GitHub gave. That address is itself a secret for some minutes: it never gets into an error. Our token never
// gets to it.
func (c *Client) fetch(ctx context.Context, address *url.URL) ([]byte, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, "", errors.New("the artifact's address is none")
	}
	resp, err := c.plain.Do(req)
	if err != nil {
		return nil, "", bare(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, "", &github.ErrorResponse{Response: &http.Response{StatusCode: resp.StatusCode, Header: resp.Header}, Message: "the artifact is not to be had"}
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostArchive+1))
	switch {
	case err != nil:
		return nil, "", bare(err)
	case len(data) > mostArchive:
		return nil, "what the run left is too large", nil
	}
	return data, "", nil
}

// bare is an error without the address that Go's client writes into it.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// fill reads the archive into the proposal.
func (p *Proposal) fill(archive []byte) {
	body, plan := []byte(nil), []byte(nil)
	if p.Refused == "" {
		body, plan, p.Refused = unpack(archive)
	}
	if p.Refused != "" {
		p.Body = "The plan of this pull request's own run is not shown: " + p.Refused + "."
		return
	}
	p.Body, p.Plan = quote(string(body)), plan
}

// unpack reads the two files. Anything else in the archive, a name twice, or a file that is none makes it none of ours.
func unpack(archive []byte) (body, plan []byte, refused string) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, nil, "what the run left is no archive"
	}
	into := map[string]*[]byte{BodyFile: &body, PlanFile: &plan}
	for _, f := range r.File {
		target := into[f.Name]
		if target == nil || *target != nil || !f.Mode().IsRegular() {
			return nil, nil, "what the run left holds other files than a plan's"
		}
		data, err := readEntry(f)
		if err != nil {
			return nil, nil, "what the run left is too large or damaged"
		}
		*target = data
	}
	if body == nil && plan == nil {
		return nil, nil, "the run left no plan"
	}
	if plan != nil && (!json.Valid(plan) || !utf8.Valid(plan)) {
		return nil, nil, "what the run left is no plan"
	}
	return body, plan, ""
}

// readEntry unpacks one file, whatever size its header claims.
func readEntry(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, mostFile+1))
	if err != nil || len(data) > mostFile {
		return nil, errors.New("unreadable")
	}
	return append([]byte{}, data...), nil
}

// quote shows text as what it is: somebody's letters. The fence is longer than any run of backticks inside.
func quote(text string) string {
	text = inert(diag.CleanLines(strings.ReplaceAll(strings.ToValidUTF8(text, "�"), "\r\n", "\n")))
	cut := ""
	if len(text) > mostQuote {
		end := mostQuote
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text, cut = text[:end], "\n\nThe rest is left out."
	}
	longest, run := 2, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	// A run of backticks can be as long as the text, and two fences of that length would not fit: there the backticks become quotation marks.
	if longest > 100 {
		text, longest = strings.ReplaceAll(text, "`", "'"), 2
	}
	fence := strings.Repeat("`", longest+1)
	return "This is what the pull request's own run wrote, unverified, as a quotation:\n\n" + fence + "text\n" + strings.TrimRight(text, "\n") + "\n" + fence + cut
}
