// The end of the comment's story: its pull request was closed, its plan was applied. Only the footer is replaced, all else stays as it was reviewed.
package forge

import "context"

// Closed makes the comment say that its pull request was merged or closed. run is GITHUB_RUN_ID/GITHUB_RUN_ATTEMPT. A result that a deploy wrote already stays,
// and of a pull request that is open again the comment is not touched (Outdated). Without a comment nothing is done (None).
func Closed(ctx context.Context, c *Client, t Target, run string, merged bool) (string, Action, error) {
	text := "<sub>Closed without merging: this plan is not applied.</sub>"
	if merged {
		text = "<sub>Merged: the next deploy of the target branch applies it.</sub>"
	}
	return refoot(ctx, c, t, footer{Kind: kindClosed, Run: run}, text)
}

// Outcome is how a deploy ended, as far as it decides which result a comment keeps.
type Outcome string

const (
	// Failed: something of it was not carried out. Carried: all was. Idle: nothing was to be done.
	Failed  Outcome = ""
	Carried Outcome = "carried"
	Idle    Outcome = "idle"
)

// Result makes the comment say what a deploy did: text is one paragraph of Markdown. The result of a later run is not replaced by an earlier one's, nor what was carried out by
// the news that another run found nothing left to do (Outdated).
func Result(ctx context.Context, c *Client, t Target, run, text string, o Outcome) (string, Action, error) {
	return refoot(ctx, c, t, footer{kindResult, run, o}, text)
}

func refoot(ctx context.Context, c *Client, t Target, f footer, content string) (url string, action Action, err error) {
	if err := t.fits(mostText, content); err != nil {
		return "", None, err
	}
	err = c.call(ctx, t.need(), func(ctx context.Context) error {
		url, action = "", None
		mine, err := c.find(ctx, t)
		if err != nil || len(mine) == 0 {
			return err
		}
		url, action = mine[0].url, Outdated
		if f.Kind == kindClosed {
			pr, _, err := c.gh.PullRequests.Get(ctx, t.Repo.Owner, t.Repo.Name, t.PR)
			if err != nil || pr.GetState() == "open" {
				return err
			}
		}
		action, err = c.replaceFooter(ctx, t, mine[0], f, content)
		return err
	})
	return url, action, err
}

func (c *Client) replaceFooter(ctx context.Context, t Target, m remark, f footer, content string) (Action, error) {
	text, action := refooted(m, f, content, t.PlanKey)
	if action != Updated {
		return action, nil
	}
	if err := t.fits(mostText, text); err != nil {
		return Outdated, err
	}
	return Updated, c.edit(ctx, t.Repo, m.id, text)
}

// refooted is a comment's text with another footer: Updated, unless the one that it has stays (Outdated) or shows the same (Unchanged).
func refooted(m remark, f footer, content, planKey string) (string, Action) {
	before, old, after := splitFooter(m.text)
	if old.Kind == kindResult && (f.Kind != kindResult || runBefore(f.Run, old.Run) || f.Outcome == Idle && old.Outcome == Carried) {
		return "", Outdated
	}
	text := before + f.text(content) + after
	if same(m.text, text, planKey) {
		return "", Unchanged
	}
	return text, Updated
}
