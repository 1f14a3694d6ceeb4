//go:build real

// The comment against an emulator of GitHub's API that others wrote (forgetest): creating, editing, paging over 150 comments, closing, 401 and 404. What the emulator
// lacks (rate limits, deployments, a commit's pull requests) the hermetic tests' own GitHub has.
package forge

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/forge/forgetest"
)

const (
	botToken   = "bot-token-for-tests"
	otherToken = "other-token-for-tests"
	seedFile   = `
tokens:
  ` + botToken + `: {login: plan-bot, scopes: [repo, user]}
  ` + otherToken + `: {login: mallory, scopes: [repo, user]}
github:
  users:
    - {login: plan-bot, name: Plan Bot}
    - {login: mallory, name: Mallory}
  repos:
    - {owner: plan-bot, name: flows, auto_init: true}
`
)

// opened makes a branch, a commit and a pull request; base is where main was.
func opened(t *testing.T, api string) (number int, base, head string) {
	t.Helper()
	forgetest.Branch(t, botToken, api, "topic")
	head = forgetest.Commit(t, botToken, api, "topic", "one.txt")
	return forgetest.Open(t, botToken, api, "topic"), forgetest.Head(t, botToken, api, "main"), head
}

func realClient(t *testing.T, url, token string) *Client {
	t.Helper()
	c, err := New(Options{Token: token, APIURL: url, Patience: -1})
	if err != nil {
		t.Fatal(err)
	}
	c.patience = lag
	return c
}

func TestRealComment(t *testing.T) {
	url, place, ctx := forgetest.Emulator(t, seedFile), Repo{"plan-bot", "flows"}, context.Background()
	api := url + "/repos/plan-bot/flows"
	pr, base, head := opened(t, api)
	m := Marker{Key: key, PR: pr, Head: head, Plan: "k1:x", Run: "1/1"}
	show := func(head, run, body string, want Action) string {
		t.Helper()
		m.Head, m.Run = head, run
		link, action, err := Upsert(ctx, realClient(t, url, botToken), place, pr, Comment{Marker: m, Body: body, Footer: "next"}, UpsertOptions{PlanKey: "k"})
		if err != nil || action != want {
			t.Fatalf("%s %v, want %s", action, err, want)
		}
		return link
	}
	for i := range 150 {
		token, body := otherToken, fmt.Sprintf("remark %d", i)
		if i%50 == 0 {
			body = m.line("k") + "\nspoofed"
		}
		if status := forgetest.Do(t, token, "POST", fmt.Sprintf("%s/issues/%d/comments", api, pr), object{"body": body}, nil); status != 201 {
			t.Fatal(status)
		}
	}
	first := show(head, "1/1", "one", Created)
	show(head, "2/1", "one", Unchanged)
	second := forgetest.Move(t, botToken, api, pr)
	show(head, "3/1", "late", Outdated)
	if link := show(second, "4/1", "two", Updated); link != first || link == "" {
		t.Errorf("%q, then %q", first, link)
	}
	target := Target{place, pr, key, "k"}
	if _, action, err := Closed(ctx, realClient(t, url, botToken), target, "5/1", false); err != nil || action != Outdated {
		t.Errorf("closed while open: %s %v", action, err)
	}
	merged := forgetest.Merge(t, botToken, api, pr, "squash")
	if _, action, err := Closed(ctx, realClient(t, url, botToken), target, "5/1", true); err != nil || action != Updated {
		t.Errorf("closed: %s %v", action, err)
	}
	if _, action, err := Result(ctx, realClient(t, url, botToken), target, "6/1", "applied", Carried); err != nil || action != Updated {
		t.Errorf("result: %s %v", action, err)
	}
	came, err := PullRequestsOf(ctx, realClient(t, url, botToken), place, base, merged)
	if err != nil || len(came.PullRequests) != 1 || came.PullRequests[0].Number != pr || came.PullRequests[0].Head != second {
		t.Errorf("the merged pull requests: %+v %v", came, err)
	}
	all, mine := forgetest.Comments(t, botToken, api, pr), 0
	for _, c := range all {
		switch {
		case c.User.Login == "plan-bot":
			mine++
			if !strings.Contains(c.Body, "\ntwo\n") || !strings.Contains(c.Body, "applied") || strings.Contains(c.Body, "next") {
				t.Errorf("%s", c.Body)
			}
		case strings.Contains(c.Body, "two"):
			t.Errorf("another's comment was written: %s", c.Body)
		}
	}
	if len(all) != 151 || mine != 1 {
		t.Errorf("%d comments, %d of them ours", len(all), mine)
	}
}

func TestRealRefusals(t *testing.T) {
	url, ctx := forgetest.Emulator(t, seedFile), context.Background()
	pr, _, head := opened(t, url+"/repos/plan-bot/flows")
	c := Comment{Marker: Marker{Key: key, Head: head, Run: "1/1"}, Body: "x"}
	for _, tc := range []struct {
		name, token string
		repo        Repo
		pr          int
		want        int
	}{
		{"no token", "", Repo{"plan-bot", "flows"}, pr, 401},
		{"no such repository", botToken, Repo{"plan-bot", "none"}, pr, 404},
		{"no such pull request", botToken, Repo{"plan-bot", "flows"}, 999, 404},
	} {
		_, _, err := Upsert(ctx, realClient(t, url, tc.token), tc.repo, tc.pr, c, UpsertOptions{})
		if u := unavailable(t, err); u.Status != tc.want || u.Hint == "" {
			t.Errorf("%s: %+v", tc.name, u)
		}
	}
}
