// What a stranger's plan can do to the body of a comment: nothing but be shown, and never beyond its budget.
package review

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/runner/forge"
	"github.com/org/prefect-deploy-action/runner/report"
)

func proposer() *Settings {
	return &Settings{Repo: forge.Repo{Owner: "acme", Name: "flows"}, ServerURL: "https://github.test", Files: []string{"prefect.yaml"}}
}

func proposal(plan string) forge.Proposal {
	return forge.Proposal{Number: 7, Head: strings.Repeat("a", 40), Run: "99/2", Fork: true, Body: "as a quotation", Plan: []byte(plan)}
}

// heavy plans are at the bounds of what an artifact may hold.
func heavy() map[string]string {
	one := func(before, after any) string {
		data, _ := json.Marshal(map[string]any{"schema": 1, "deployments": []any{map[string]any{"deployment": "f/d", "action": "update", "changes": []any{map[string]any{"path": "p", "value": "known", "before": before, "after": after}}}}})
		return string(data)
	}
	lines := func(word string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%s%d\n", word, i)
		}
		return b.String()
	}
	list := func(n int, item func(int) any) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = item(i)
		}
		return out
	}
	many, _ := json.Marshal(map[string]any{"schema": 1, "deployments": list(mostProposed, func(i int) any {
		return map[string]any{"deployment": fmt.Sprint("f/", i), "action": []string{"create", "update", "delete"}[i%3], "changes": []any{map[string]any{"path": fmt.Sprint("p", i), "value": "known", "before": strings.Repeat("x", 500), "after": i}}}
	})})
	changes, _ := json.Marshal(map[string]any{"schema": 1, "deployments": []any{map[string]any{"deployment": "f/d", "action": "update", "changes": list(40_000, func(i int) any {
		return map[string]any{"path": fmt.Sprint("p", i), "value": "known", "before": 1, "after": 2}
	})}}})
	notes, _ := json.Marshal(map[string]any{"schema": 1, "notes": list(100_000, func(int) any { return strings.Repeat("word ", 8) }), "kept": list(10_000, func(int) any { return strings.Repeat("k", 200) }), "state": strings.Repeat("s", 100_000)})
	return map[string]string{"long texts": one(lines("a", 200_000), lines("b", 200_000)), "long lists": one(list(100_000, func(i int) any { return i }), list(100_000, func(i int) any { return -i })),
		"many": string(many), "many changes": string(changes), "notes": string(notes)}
}

func TestHeavyProposalsKeepToTheBudget(t *testing.T) {
	for name, plan := range heavy() {
		body, _ := proposer().proposed(proposal(plan), report.CommentBudget)
		if len(body) > report.CommentBudget || !utf8.ValidString(body) || !strings.HasPrefix(body, unverified) {
			t.Errorf("%s: %d bytes, %.200q", name, len(body), body)
		}
	}
}

func TestAProposalWithoutChangesMakesNoComment(t *testing.T) {
	for plan, want := range map[string]bool{`{"schema":1}`: false, `{"schema":1,"deployments":[{"deployment":"f/d","action":"unchanged"}]}`: false,
		`{"schema":1,"deployments":[{"deployment":"f/d","action":"delete"}]}`: true, `{"schema":2}`: true} {
		if _, changes := proposer().proposed(proposal(plan), report.CommentBudget); changes != want {
			t.Errorf("%s: %v", plan, changes)
		}
	}
	p := proposal("")
	p.Plan = nil
	if body, _ := proposer().proposed(p, report.CommentBudget); body != p.Body {
		t.Errorf("without a plan: %q", body)
	}
}

func FuzzProposed(f *testing.F) {
	f.Add(`{"schema":1,"deployments":[{"deployment":"a/b","action":"update","file":"x","line":1,"url":"https://evil.example","error":"x","outcome":"failed","changes":[{"path":"p","value":"known","before":"a\nb","after":["c"],"next_runs":["2026-01-01T00:00:00Z"]}]}],"notes":["n"],"kept":["k"]}`)
	f.Add(`{"schema":1,"state":"https://u:p@h/","deployments":[{"action":"delete","renamed_from":"x","scheduled_runs_dropped":-1},{"action":"rebuild"},{"action":"?"}]}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, plan string) {
		if !json.Valid([]byte(plan)) {
			return
		}
		body, _ := proposer().proposed(proposal(plan), report.CommentBudget)
		if len(body) > report.CommentBudget || !utf8.ValidString(body) || strings.Contains(body, "](https://evil.example") {
			t.Fatalf("%q", body)
		}
	})
}
