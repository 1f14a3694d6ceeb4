// A plan in the note of a GitLab merge request: the same page under the same rules, with GitLab's addresses. What GitLab refuses becomes one notice; the plan stands in the job's artifacts anyway.
package review

import (
	"context"
	"fmt"
	"time"

	"github.com/org/prefect-deploy-action/runner/forge"
	"github.com/org/prefect-deploy-action/runner/report"
)

// mostNote bounds the page: GitLab would take four times as much, and breaking what it would carry out makes a page longer.
const mostNote = 250_000

// Note is what a job of a merge request's pipeline knows of itself.
type Note struct {
	Client *forge.GitLab
	// Project is the number of the project that the merge request is of, Number the merge request's own, Head the SHA that its source branch had.
	Project string
	Number  int
	Head    string
	// Run is CI_PIPELINE_ID/CI_JOB_ID: both grow. RunName is what people call it, RunURL its page.
	Run, RunName, RunURL string
	// ProjectURL is the project's page.
	ProjectURL string
	// Files and Environment make the note's key; Prefix is the working directory's path within the repository, with a slash at its end.
	Files               []string
	Environment, Prefix string
	PlanKey             string
	// Notice gets what GitLab refused, in one line each.
	Notice func(string)
	Now    func() time.Time
}

func (n *Note) key() string { return forge.Key(n.Prefix, n.Files, n.Environment) }

// PostFile shows a plan's JSON. A plan without changes edits a note that is there and makes none. The address is "" where there is no note.
func (n *Note) PostFile(ctx context.Context, data []byte) (string, error) {
	view, what, err := ofFile(data)
	if err != nil {
		return "", err
	}
	footer := report.Footer{Policy: report.Ignore}
	if !what.changes {
		footer.Fate = report.Nothing
	}
	c := forge.Comment{Marker: forge.Marker{V: 1, Key: n.key(), PR: n.Number, Head: n.Head, Plan: what.hash, Run: n.Run}, Footer: footer.Markdown()}
	c.Body = view.Page(report.Meta{Target: n.Environment, Files: n.Files, Head: n.Head, HeadURL: fmt.Sprintf("%s/-/commit/%s", n.ProjectURL, n.Head), Time: n.Now(), Run: n.RunName, RunURL: n.RunURL,
		Blob: fmt.Sprintf("%s/-/blob/%s/", n.ProjectURL, n.Head), Prefix: n.Prefix, Full: "the job's artifacts", FullURL: n.RunURL, NoFooter: true, Budget: min(c.NoteRoom(n.PlanKey), mostNote)})
	mr := forge.MergeRequest{Project: n.Project, Number: n.Number, Key: c.Marker.Key}
	address, _, err := forge.UpsertNote(ctx, n.Client, mr, c, forge.UpsertOptions{PlanKey: n.PlanKey, OnlyExisting: !what.changes})
	return address, noted(err, n.Notice)
}

// Applied tells the notes of the merge requests that the commits after before brought to a branch how their deploy went; data is what it wrote as JSON.
func (n *Note) Applied(ctx context.Context, data []byte, before, branch string) error {
	view, what, err := ofFile(data)
	if err != nil {
		return err
	}
	numbers, err := forge.MergedRequests(ctx, n.Client, n.Project, before, n.Head, branch)
	if err != nil {
		return noted(err, n.Notice)
	}
	text := report.Footer{Fate: report.Done, Policy: report.Ignore, Run: n.RunName, RunURL: n.RunURL, Result: view}.Markdown()
	for _, number := range numbers {
		mr := forge.MergeRequest{Project: n.Project, Number: number, Key: n.key(), PlanKey: n.PlanKey}
		if _, err := forge.NoteResult(ctx, n.Client, mr, n.Run, text, outcomeOfCounts(what.counts)); noted(err, n.Notice) != nil {
			return err
		}
	}
	return nil
}
