// A comment's text and back: the marker's line, the rendered body, and between two hidden lines the footer, the one part that later runs replace.
//
//	<!-- prefect-deploy-action {…} -->
//	### Prefect plan: …
//
//	<!-- prefect-deploy-action:footer {"kind":"plan","run":"123/1"} -->
//	<sub>Merging applies this plan.</sub>
//	<!-- prefect-deploy-action:end -->
//
// Bodies and footers come from prefect.yaml in part, so what looks like one of these lines in them is broken first: each stands in a comment once.
package forge

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

const (
	// Budget is what a comment may take when it is made, in bytes: GitHub's own error names 65,536 characters, and its footer may grow.
	Budget = 65000
	// mostText is the limit itself, for a comment whose footer is replaced.
	mostText = 65536

	footerOpen = "<!-- prefect-deploy-action:footer "
	footerEnd  = "<!-- prefect-deploy-action:end -->"
)

// Comment is what is to be shown.
type Comment struct {
	Marker Marker
	// Body is rendered Markdown. Footer is its last line, which says what comes next, "" for none; Closed and Result replace it.
	Body, Footer string
}

// mostRepo is the length of the longest owner/name.
const mostRepo = 39 + 1 + 100

// Room is how many bytes of Body the budget holds beside the marker and the footer. A pull request that is not said yet counts as one with a long number.
func (c Comment) Room(planKey string) int { return c.roomIn(Budget, planKey) }

func (c Comment) roomIn(budget int, planKey string) int {
	c.Body = ""
	if c.Marker.PR == 0 {
		c.Marker.PR = math.MaxInt32
	}
	if c.Marker.Repo == "" {
		c.Marker.Repo = strings.Repeat("x", mostRepo)
	}
	return budget - len(c.text(planKey))
}

func (c Comment) text(planKey string) string {
	return c.Marker.line(planKey) + "\n" + strings.TrimRight(inert(c.Body), "\n") + "\n\n" + footer{Kind: kindPlan, Run: c.Marker.Run}.text(c.Footer)
}

// inert keeps text of others from passing for our hidden lines, and takes out what GitHub would not store.
func inert(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "�"), "\x00", "�")
	return strings.ReplaceAll(s, "<!-- prefect-deploy-action", "&lt;!-- prefect-deploy-action")
}

// The kinds of footers, in the order in which one may follow the other within a run's life: what a deploy did is not replaced by the news that its pull
// request was merged, which may come later.
const (
	kindPlan   = "plan"
	kindClosed = "closed"
	kindResult = "result"
)

// footer describes what stands between the hidden lines.
type footer struct {
	Kind string `json:"kind"`
	Run  string `json:"run,omitempty"`
	// Outcome is a result's.
	Outcome Outcome `json:"outcome,omitempty"`
}

func (f footer) text(content string) string {
	b, _ := json.Marshal(f)
	return footerOpen + strings.ReplaceAll(string(b), "--", `\u002d\u002d`) + markerClose + "\n" + strings.TrimSpace(inert(content)) + "\n" + footerEnd
}

// splitFooter finds the footer in a comment's text: what stands before it and after it. In a text without one (somebody edited it away) its place is the end.
func splitFooter(text string) (before string, f footer, after string) {
	i := strings.LastIndex(text, footerOpen)
	if i < 0 {
		return strings.TrimRight(text, "\r\n") + "\n\n", footer{}, ""
	}
	rest := text[i+len(footerOpen):]
	if description, _, ok := strings.Cut(rest, markerClose); !ok || json.Unmarshal([]byte(description), &f) != nil {
		f = footer{}
	}
	if j := strings.Index(rest, footerEnd); j >= 0 {
		after = rest[j+len(footerEnd):]
	}
	return text[:i], f, after
}

// same tells whether two texts show the same: their markers may name different runs, and line ends and space at the end may differ (GitHub's editor writes
// \r\n).
func same(a, b, planKey string) bool {
	ma, errA := ParseMarker(a, planKey)
	mb, errB := ParseMarker(b, planKey)
	if errA != nil || errB != nil {
		return false
	}
	ma.Run, ma.Sig, mb.Run, mb.Sig = "", "", "", ""
	return ma.json() == mb.json() && shown(a) == shown(b)
}

// shown is a text without its marker and the footer's description of itself but for its kind.
func shown(text string) string {
	_, rest, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	before, f, after := splitFooter(rest)
	footer := strings.TrimSuffix(strings.TrimPrefix(rest, before), after)
	_, footer, _ = strings.Cut(footer, "\n")
	return fmt.Sprintf("%s\x00%s\x00%s\x00%s", before, f.Kind, footer, strings.TrimSpace(after))
}

// runBefore tells whether run a began before run b: GitHub's run ids grow, and so do the attempts of one run. A run that can't be read is before none.
func runBefore(a, b string) bool {
	aID, aTry, okA := runNumbers(a)
	bID, bTry, okB := runNumbers(b)
	return okA && okB && (aID < bID || aID == bID && aTry < bTry)
}

func runNumbers(run string) (id, attempt int64, ok bool) {
	n, _ := fmt.Sscanf(run, "%d/%d", &id, &attempt)
	return id, attempt, n >= 1
}
