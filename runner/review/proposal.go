// The plan of a stranger's run, in the comment of the pull request that GitHub says it ran for. It is drawn by the same renderer as any plan, whose texts are hostile
// anyway, but with less: no link leads where the stranger chose, nothing is said to have been done, and the first line says whose word all of it is. It binds no deploy, as
// its marker names nothing that was reviewed.
package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/org/prefect-deploy-action/runner/forge"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/report"
)

const (
	unverified       = "> [!WARNING]\n> This is what the pull request's own run says. It ran the pull request's files without secrets, and nobody has verified it.\n\n"
	unverifiedFooter = "<sub>Nothing of this is applied: the deploy that follows the merge plans anew, and is not bound to what stands here.</sub>\n"
	// mostProposed bounds the deployments that are drawn: a plan of more is not one that anybody reads.
	mostProposed = 5000
)

// PostProposal shows what a run left. The address is "" where there is no comment. An error is the context's, or *forge.Unavailable.
func (s *Settings) PostProposal(ctx context.Context, p forge.Proposal) (string, error) {
	sum := sha256.Sum256(append([]byte(p.Body+"\x00"), p.Plan...))
	c := forge.Comment{Footer: unverifiedFooter, Marker: forge.Marker{V: 1, Key: s.key(), Head: p.Head, Plan: "unverified:" + hex.EncodeToString(sum[:8]), Run: p.Run}}
	body, changes := s.proposed(p, min(c.Room(s.PlanKey), report.CommentBudget))
	c.Body = body
	address, _, err := forge.Upsert(ctx, s.Client, s.Repo, p.Number, c, forge.UpsertOptions{PlanKey: s.PlanKey, OnlyExisting: !changes})
	return address, err
}

// proposed is the comment's body, and whether it tells of anything that changes.
func (s *Settings) proposed(p forge.Proposal, budget int) (body string, changes bool) {
	if p.Refused != "" || p.Plan == nil {
		return p.Body, true
	}
	view, err := report.Read(p.Plan)
	if err != nil {
		return "The plan of this pull request's own run is not shown: what the run left is no plan.", true
	}
	if len(view.Deployments) > mostProposed {
		return fmt.Sprintf("The plan of this pull request's own run is not shown: it is of more than %d deployments.", mostProposed), true
	}
	view.Steps = nil // a plan runs none
	for i := range view.Deployments {
		it := &view.Deployments[i]
		it.URL, it.Outcome, it.Error = "", plan.Planned, ""
		changes = changes || it.Action != plan.Unchanged
	}
	run := fmt.Sprintf("%s/%s/actions/runs/%s", s.ServerURL, s.Repo, runID(p.Run))
	page := view.Page(report.Meta{Target: s.Environment, Files: s.Files, Prefix: s.Prefix, Head: p.Head, HeadURL: fmt.Sprintf("%s/%s/commit/%s", s.ServerURL, s.Repo, p.Head),
		Run: "its run", RunURL: run, Full: "the run's artifact", FullURL: run, NoFooter: true, Budget: budget - len(unverified)})
	if len(page) > budget-len(unverified) {
		return "The plan of this pull request's own run is not shown: it is too long.", true
	}
	return unverified + page, changes
}

// runID is the first half of "ID/ATTEMPT".
func runID(run string) string {
	for i := range run {
		if run[i] == '/' {
			return run[:i]
		}
	}
	return run
}
