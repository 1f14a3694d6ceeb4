// What became of a plan, in the notes of the merge requests that a deploy brings. As on GitHub only the footer is replaced, and the result of a later run stays.
package forge

import (
	"context"
	"fmt"
	"slices"

	gitlab "gitlab.com/gitlab-org/api/client-go"
)

// mostAsked bounds the commits of a push that are asked for their merge requests, one request each.
const mostAsked = 100

// MergedRequests are the numbers of the merge requests into a branch that the commits after before, up to head, came from, in order. Without a before it is those of head.
func MergedRequests(ctx context.Context, c *GitLab, project, before, head, branch string) (numbers []int, err error) {
	err = c.attempt(ctx, "the list of merged requests", func(ctx context.Context) error {
		numbers = nil
		commits := []string{head}
		if before != "" {
			straight := false
			diff, _, err := c.api.Repositories.Compare(project, &gitlab.CompareOptions{From: &before, To: &head, Straight: &straight}, gitlab.WithContext(ctx))
			if err != nil && statusOf(err) != 404 { // a commit that was force-pushed away
				return err
			}
			if err == nil {
				commits = nil
				for _, commit := range diff.Commits[max(0, len(diff.Commits)-mostAsked):] {
					commits = append(commits, commit.ID)
				}
			}
		}
		for _, sha := range commits {
			list, _, err := c.api.Commits.ListMergeRequestsByCommit(project, sha, gitlab.WithContext(ctx))
			if err != nil {
				return err
			}
			for _, mr := range list {
				if mr.State == "merged" && mr.TargetBranch == branch && !slices.Contains(numbers, mr.IID) {
					numbers = append(numbers, mr.IID)
				}
			}
		}
		slices.Sort(numbers)
		return nil
	})
	return numbers, err
}

// NoteResult makes a merge request's note say what a deploy did: text is one paragraph of Markdown. Without a note nothing is done.
func NoteResult(ctx context.Context, c *GitLab, mr MergeRequest, run, text string, o Outcome) (action Action, err error) {
	f := footer{kindResult, run, o}
	err = c.attempt(ctx, mr.String(), func(ctx context.Context) error {
		action = None
		u := &noting{GitLab: c, mr: mr}
		mine, err := u.find(ctx)
		if err != nil || len(mine) == 0 {
			return err
		}
		var replaced string
		if replaced, action = refooted(mine[0], f, harmless(text), mr.PlanKey); action != Updated {
			return nil
		}
		if len(replaced) > mostNoteText {
			return &Unavailable{Reason: fmt.Sprintf("%s is too long: %d bytes, and %d is the most", mr, len(replaced), mostNoteText)}
		}
		return u.edit(ctx, mine[0].id, replaced)
	})
	return action, err
}
