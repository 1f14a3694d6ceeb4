// Which pull requests came in between two commits. A push's before..after is not the answer: GitHub drops waiting runs of a concurrency group, and what a
// dropped run would have deployed comes with the next one. So the range is from the last deployed commit, and each commit of it is asked for its pull request:
// that holds for merges (the merge commit and what it brought), squashes and rebases alike.
//
// One request a commit is dear, so two things come first. The repository's latest closed pull requests are read in one request: whose merge commit lies in the
// range is found. And the line of first parents is asked before what was merged from the side, so a bound cuts off what is most likely known already.
// GitHub's answer for a commit names merged pull requests only when the commit is on the default branch; for other branches the first list is what there is.
package forge

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
)

const (
	// mostCommits bounds the commits of a range that are looked at, mostLookups the requests for single ones.
	mostCommits = 1000
	mostLookups = 200
	// lookUpTime bounds them when GitHub is slow.
	lookUpTime = 2 * time.Minute
)

// PullRequest is one that was merged.
type PullRequest struct {
	Number int
	// Head is the SHA that was reviewed, Merge the commit that the merge made, Base the branch that it went to.
	Head, Merge, Base string
	MergedAt          time.Time
}

// Merged are the pull requests of a range, in the order of their merges.
type Merged struct {
	PullRequests []PullRequest
	// Commits is the range's length; NotExamined how many of them were not looked at, since there were too many.
	Commits, NotExamined int
}

// PullRequestsOf finds the pull requests that were merged after base, up to head (full SHAs). An empty or all-zero base (a new branch) stands for head's own
// parent. The error is the context's or *Unavailable.
func PullRequestsOf(ctx context.Context, c *Client, repo Repo, base, head string) (Merged, error) {
	m := &merged{Client: c, repo: repo, found: map[int]PullRequest{}, done: map[string]bool{}}
	if !isSHA(head) || (strings.Trim(base, "0") != "" && !isSHA(base)) {
		return Merged{}, &Unavailable{Reason: "the merged pull requests are not known, as base or head is no commit's SHA"}
	}
	commits, err := m.commits(ctx, base, head)
	if err != nil {
		return Merged{}, err
	}
	if err := m.latest(ctx, commits); err != nil {
		return Merged{}, err
	}
	left, err := m.lookUp(ctx, firstLine(commits, head))
	if err != nil {
		return Merged{}, err
	}
	out := Merged{Commits: m.total, NotExamined: left + m.total - len(commits)}
	for _, pr := range m.found {
		out.PullRequests = append(out.PullRequests, pr)
	}
	slices.SortFunc(out.PullRequests, func(a, b PullRequest) int {
		return cmp.Or(a.MergedAt.Compare(b.MergedAt), cmp.Compare(a.Number, b.Number))
	})
	return out, nil
}

func isSHA(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return len(s) == 40 || len(s) == 64
}

type merged struct {
	*Client
	repo  Repo
	found map[int]PullRequest
	done  map[string]bool // commits whose pull request is known
	total int
}

func (m *merged) need() need {
	return need{"finding the merged pull requests", "contents: read\n      pull-requests: read"}
}

// commit is a commit of the range with its parents, in the order that matters: the first is the line it was committed to.
type commit struct {
	sha     string
	parents []string
}

// commits lists the range.
func (m *merged) commits(ctx context.Context, base, head string) ([]commit, error) {
	if strings.Trim(base, "0") == "" {
		m.total = 1
		return []commit{{sha: head}}, nil
	}
	var out []commit
	err := m.call(ctx, m.need(), func(ctx context.Context) error {
		out = out[:0]
		for page := 1; page != 0 && len(out) < mostCommits; {
			comparison, resp, err := m.gh.Repositories.CompareCommits(ctx, m.repo.Owner, m.repo.Name, base, head, &github.ListOptions{Page: page, PerPage: perPage})
			if err != nil {
				return err
			}
			for _, c := range comparison.Commits {
				entry := commit{sha: c.GetSHA()}
				for _, p := range c.Parents {
					entry.parents = append(entry.parents, p.GetSHA())
				}
				out = append(out, entry)
			}
			m.total = max(comparison.GetTotalCommits(), len(out))
			if page, err = following(page, resp); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// latest takes those of the latest closed pull requests whose merge commit lies in the range.
func (m *merged) latest(ctx context.Context, commits []commit) error {
	in := make(map[string]bool, len(commits))
	for _, c := range commits {
		in[c.sha] = true
	}
	return m.call(ctx, m.need(), func(ctx context.Context) error {
		list, _, err := m.gh.PullRequests.List(ctx, m.repo.Owner, m.repo.Name, &github.PullRequestListOptions{State: "closed", Sort: "updated", Direction: "desc",
			ListOptions: github.ListOptions{PerPage: perPage}})
		if err != nil {
			return err
		}
		for _, pr := range list {
			if in[pr.GetMergeCommitSHA()] {
				m.take(pr)
			}
		}
		return nil
	})
}

// take notes a merged pull request of this repository; it tells whether it is one.
func (m *merged) take(pr *github.PullRequest) bool {
	if full := pr.GetBase().GetRepo().GetFullName(); pr.MergedAt == nil || (full != "" && !strings.EqualFold(full, m.repo.String())) {
		return false
	}
	m.found[pr.GetNumber()] = PullRequest{pr.GetNumber(), pr.GetHead().GetSHA(), pr.GetMergeCommitSHA(), pr.GetBase().GetRef(), pr.GetMergedAt().Time}
	m.done[pr.GetMergeCommitSHA()] = true
	return true
}

// firstLine orders a range for the look-ups: head and its first parents, then the others, newest first.
func firstLine(commits []commit, head string) []commit {
	at := make(map[string]int, len(commits))
	for i, c := range commits {
		at[c.sha] = i
	}
	var out []commit
	on := make([]bool, len(commits))
	for sha := head; ; {
		i, ok := at[sha]
		if !ok || on[i] {
			break
		}
		on[i] = true
		out = append(out, commits[i])
		if len(commits[i].parents) == 0 {
			break
		}
		sha = commits[i].parents[0]
	}
	for i := len(commits) - 1; i >= 0; i-- {
		if !on[i] {
			out = append(out, commits[i])
		}
	}
	return out
}

// lookUp asks for each commit's pull requests; it returns how many commits were left out.
func (m *merged) lookUp(ctx context.Context, commits []commit) (int, error) {
	lookups, left, begun := 0, 0, m.now()
	for _, c := range commits {
		if m.done[c.sha] {
			continue
		}
		if lookups == mostLookups || m.now().Sub(begun) > lookUpTime {
			left++
			continue
		}
		lookups++
		err := m.call(ctx, m.need(), func(ctx context.Context) error {
			list, _, err := m.gh.PullRequests.ListPullRequestsWithCommit(ctx, m.repo.Owner, m.repo.Name, c.sha, &github.ListOptions{PerPage: perPage})
			for _, pr := range list {
				m.take(pr)
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return left, nil
}
