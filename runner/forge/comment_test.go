// The one comment against a GitHub that misbehaves.
package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

var key = Key("", []string{"prefect.yaml"}, "production")

func plan(head, run, body string) Comment {
	return Comment{Marker: Marker{Key: key, Repo: "acme/flows", PR: 7, Head: head, Plan: "k1:5f0c", Run: run}, Body: body, Footer: "<sub>Merging applies this plan.</sub>"}
}

func put(t *testing.T, c *Client, p Comment, o UpsertOptions, want Action) string {
	t.Helper()
	url, action, err := Upsert(context.Background(), c, repo, 7, p, o)
	if err != nil {
		t.Fatal(err)
	}
	if action != want {
		t.Fatalf("%s, want %s", action, want)
	}
	return url
}

func TestCreateUpdateAndLeave(t *testing.T) {
	f := newFake(t)
	first := put(t, f.client(nil), plan(headA, "1/1", "one"), UpsertOptions{}, Created)
	f.move(7, headB)
	second := put(t, f.client(nil), plan(headB, "2/1", "two"), UpsertOptions{}, Updated)
	if first != second || !strings.Contains(second, "#issuecomment-") {
		t.Errorf("two comments: %q and %q", first, second)
	}
	got := f.bodies(actionsBot)
	if len(got) != 1 || !strings.HasPrefix(got[0], "<!-- prefect-deploy-action {") || !strings.Contains(got[0], "\ntwo\n") || strings.Contains(got[0], "one") {
		t.Fatalf("%q", got)
	}
	before := f.writes
	put(t, f.client(nil), plan(headB, "3/1", "two"), UpsertOptions{}, Unchanged)
	if f.writes != before {
		t.Error("an unchanged comment was written")
	}
}

// GitHub's editor stores \r\n and a comment keeps no space at its end; neither is a change. A person's edit is.
func TestUnchangedAsGitHubStoresIt(t *testing.T) {
	f := newFake(t)
	put(t, f.client(nil), plan(headA, "1/1", "one\ntwo"), UpsertOptions{}, Created)
	f.comments[0].body = strings.TrimSpace(strings.ReplaceAll(f.comments[0].body, "\n", "\r\n"))
	put(t, f.client(nil), plan(headA, "2/1", "one\ntwo"), UpsertOptions{}, Unchanged)
	f.comments[0].body = strings.Replace(f.comments[0].body, "two", "2", 1)
	put(t, f.client(nil), plan(headA, "3/1", "one\ntwo"), UpsertOptions{}, Updated)
}

func TestOnlyExisting(t *testing.T) {
	f := newFake(t)
	if url := put(t, f.client(nil), plan(headA, "1/1", "no changes"), UpsertOptions{OnlyExisting: true}, None); url != "" || f.writes != 0 {
		t.Errorf("url %q, %d writes", url, f.writes)
	}
	put(t, f.client(nil), plan(headA, "1/1", "changes"), UpsertOptions{}, Created)
	put(t, f.client(nil), plan(headA, "2/1", "no changes"), UpsertOptions{OnlyExisting: true}, Updated)
}

// facts/ci-platforms.md, "What goes wrong elsewhere", case 4: 150 comments and a spoofed marker by another author: still one right comment.
func TestGoesWrongElsewhere4(t *testing.T) {
	for _, planKey := range []string{"", "a plan key"} {
		t.Run(fmt.Sprintf("signed=%v", planKey != ""), func(t *testing.T) {
			f := newFake(t)
			m := Marker{Key: key, Repo: "acme/flows", PR: 7, Head: headA, Plan: "k1:5f0c", Run: "1/1"}
			spoof := m.line(planKey) + "\nspoofed"
			other, elsewhere := m, m
			elsewhere.Repo = "acme/other" // whose workflows have the same key
			other.Key = Key("", []string{"prefect.yaml"}, "staging")
			for i := range 150 {
				switch i {
				case 3, 149:
					f.add("mallory", spoof)
				case 5:
					f.add(actionsBot, other.line(planKey)+"\nstaging's plan")
				case 6:
					f.add(actionsBot, "### Prefect plan: 1 to create\nanother workflow's")
				case 7:
					f.add(actionsBot, "a quotation\n"+spoof)
				case 8:
					f.add(actionsBot, elsewhere.line(planKey)+"\nof another repository")
				case 120:
					f.add(actionsBot, m.line(planKey)+"\nours")
				default:
					f.add("somebody", "looks good")
				}
			}
			f.comments[10].author = "" // a deleted account
			put(t, f.client(nil), plan(headA, "2/1", "new"), UpsertOptions{PlanKey: planKey}, Updated)
			changed := 0
			for i, n := range f.comments {
				if strings.Contains(n.body, "\nnew\n") {
					changed++
					if i != 120 {
						t.Errorf("comment %d was written", i)
					}
				}
			}
			if changed != 1 || len(f.comments) != 150 || f.writes != 1 {
				t.Errorf("%d comments changed of %d in %d writes", changed, len(f.comments), f.writes)
			}
			if n := strings.Count(strings.Join(f.requests, "\n"), "issues/7/comments"); n != 5 {
				t.Errorf("%d pages read, want 5", n)
			}
		})
	}
}

// With a plan-key, what the same author wrote without it, or for another pull request, is not ours.
func TestSignature(t *testing.T) {
	f := newFake(t)
	m := Marker{Key: key, PR: 7, Head: headA, Run: "1/1"}
	f.add(actionsBot, m.line("")+"\nunsigned")
	f.add(actionsBot, m.line("another key")+"\nsigned by another")
	m.PR = 0
	f.add(actionsBot, m.line("the key")+"\nsigned for no pull request")
	m.PR = 8
	f.add(actionsBot, m.line("the key")+"\ncopied from #8")
	put(t, f.client(nil), plan(headA, "2/1", "ours"), UpsertOptions{PlanKey: "the key"}, Created)
	if len(f.comments) != 5 {
		t.Errorf("%d comments", len(f.comments))
	}
	put(t, f.client(nil), plan(headA, "3/1", "ours again"), UpsertOptions{PlanKey: "the key"}, Updated)
	if !strings.Contains(f.comments[4].body, "ours again") {
		t.Error(f.comments[4].body)
	}
	// A run without the key finds it by author and key, and takes no signature away for nothing.
	f.comments = f.comments[4:]
	put(t, f.client(nil), plan(headA, "4/1", "ours again"), UpsertOptions{}, Unchanged)
	put(t, f.client(nil), plan(headA, "5/1", "other"), UpsertOptions{}, Updated)
}

// Who the token is decides whose comments are ours.
func TestAuthor(t *testing.T) {
	cases := []struct {
		name, self, viewer, option string
		person                     bool
	}{
		{name: "GITHUB_TOKEN", self: actionsBot, viewer: actionsBot},
		{name: "GITHUB_TOKEN without GraphQL", self: actionsBot},
		{name: "an app's token", self: "acme-bot[bot]", viewer: "acme-bot[bot]"},
		{name: "an app's token, GraphQL without suffix", self: "acme-bot[bot]", viewer: "acme-bot"},
		{name: "a person's token", self: "Octocat", viewer: "Octocat", person: true},
		{name: "told", self: "acme-bot[bot]", option: "acme-bot[bot]"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f := newFake(t)
			f.self, f.viewer, f.person = tc.self, tc.viewer, tc.person
			m := Marker{Key: key, PR: 7, Head: headA, Run: "1/1"}
			f.add("acme-bot", m.line("")+"\na person of that name")
			f.add(tc.self, m.line("")+"\nold")
			c := f.client(nil)
			c.author = tc.option
			put(t, c, plan(headA, "2/1", "new"), UpsertOptions{}, Updated)
		})
	}
}

// An app's token that we took for GITHUB_TOKEN: its first comment tells, and what it had before is kept instead.
func TestAuthorLearnt(t *testing.T) {
	f := newFake(t)
	f.self, f.viewer = "acme-bot[bot]", ""
	m := Marker{Key: key, PR: 7, Head: headB, Run: "1/1"}
	f.add(f.self, m.line("")+"\nold")
	put(t, f.client(nil), plan(headA, "2/1", "new"), UpsertOptions{}, Updated)
	if got := f.bodies(f.self); len(got) != 1 || !strings.Contains(got[0], "\nnew\n") {
		t.Errorf("%q", got)
	}
}

func TestNewestHeadWins(t *testing.T) {
	t.Run("an older head's run comes late", func(t *testing.T) {
		f := newFake(t)
		f.move(7, headB)
		put(t, f.client(nil), plan(headB, "2/1", "B"), UpsertOptions{}, Created)
		var waits []time.Duration
		put(t, f.client(&waits), plan(headA, "1/1", "A"), UpsertOptions{}, Outdated)
		if len(waits) != 1 || waits[0] != lag {
			t.Errorf("waits %v: the head is read once more", waits)
		}
	})
	t.Run("no comment yet", func(t *testing.T) {
		f := newFake(t)
		f.move(7, headB)
		put(t, f.client(nil), plan(headA, "1/1", "A"), UpsertOptions{}, Outdated)
	})
	t.Run("force push back to an older commit", func(t *testing.T) {
		f := newFake(t)
		f.add(actionsBot, plan(headB, "2/1", "B").text(""))
		put(t, f.client(nil), plan(headA, "1/1", "A"), UpsertOptions{}, Updated)
	})
	t.Run("an older run or attempt of the same head", func(t *testing.T) {
		f := newFake(t)
		put(t, f.client(nil), plan(headA, "10/2", "later"), UpsertOptions{}, Created)
		put(t, f.client(nil), plan(headA, "9/3", "earlier"), UpsertOptions{}, Outdated)
		put(t, f.client(nil), plan(headA, "10/1", "earlier"), UpsertOptions{}, Outdated)
		put(t, f.client(nil), plan(headA, "10/3", "latest"), UpsertOptions{}, Updated)
	})
	t.Run("the API is behind the event", func(t *testing.T) {
		f := newFake(t)
		f.move(7, headB)
		reads := 0
		f.hook = func(r *http.Request, _ string) *reply {
			if r.URL.Path == "/repos/acme/flows/pulls/7" {
				if reads++; reads == 2 {
					f.move(7, headA)
				}
			}
			return nil
		}
		put(t, f.client(nil), plan(headA, "1/1", "A"), UpsertOptions{}, Created)
	})
	t.Run("closed meanwhile", func(t *testing.T) {
		f := newFake(t)
		f.prs[7]["state"] = "closed"
		put(t, f.client(nil), plan(headA, "1/1", "A"), UpsertOptions{}, Outdated)
	})
}

// While the older run waits out a failing server, the head moves and the newer run writes: the retry must look again.
func TestHeadMovesWhileWaiting(t *testing.T) {
	f := newFake(t)
	put(t, f.client(nil), plan(headA, "1/1", "A"), UpsertOptions{}, Created)
	failed := false
	f.hook = func(r *http.Request, _ string) *reply {
		if r.Method != http.MethodPatch || failed {
			return nil
		}
		failed = true
		f.move(7, headB)
		f.mu.Lock()
		f.comments[0].body = plan(headB, "3/1", "B").text("")
		f.mu.Unlock()
		return &reply{status: 503}
	}
	put(t, f.client(nil), plan(headA, "2/1", "A again"), UpsertOptions{}, Outdated)
	if got := f.bodies(actionsBot); len(got) != 1 || !strings.Contains(got[0], "\nB\n") {
		t.Errorf("%q", got)
	}
}

// A create that seemed to fail was done: the next try finds it.
func TestCreateAnsweredBadly(t *testing.T) {
	f := newFake(t)
	done := false
	f.hook = func(r *http.Request, body string) *reply {
		if r.Method != http.MethodPost || r.URL.Path == "/graphql" || done {
			return nil
		}
		done = true
		f.add(actionsBot, plan(headA, "1/1", "A").text(""))
		return &reply{status: 502, body: "<html>bad gateway</html>"}
	}
	put(t, f.client(nil), plan(headA, "1/1", "A"), UpsertOptions{}, Unchanged)
	if len(f.comments) != 1 {
		t.Errorf("%d comments", len(f.comments))
	}
}

// Two runs find nothing and both make a comment. Whichever looks first, one stays: the oldest, with the newest content.
func TestRace(t *testing.T) {
	cases := []struct {
		name               string
		otherHead, oursRun string
		otherRun           string
		want               string
	}{
		{"ours is newer by head", headB, "1/1", "2/1", "ours"},
		{"ours is newer by run", headA, "3/1", "2/1", "ours"},
		{"the other is newer by run", headA, "1/1", "2/1", "other"},
	}
	for _, tc := range cases {
		for _, otherFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, other first %v", tc.name, otherFirst), func(t *testing.T) {
				f := newFake(t)
				f.hook = func(r *http.Request, _ string) *reply {
					if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/comments") && otherFirst {
						f.add(actionsBot, plan(tc.otherHead, tc.otherRun, "other").text(""))
					}
					if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/comments") && !otherFirst && len(f.bodies(actionsBot)) == 1 {
						f.add(actionsBot, plan(tc.otherHead, tc.otherRun, "other").text(""))
					}
					return nil
				}
				if _, _, err := Upsert(context.Background(), f.client(nil), repo, 7, plan(headA, tc.oursRun, "ours"), UpsertOptions{}); err != nil {
					t.Fatal(err)
				}
				if got := f.bodies(actionsBot); len(got) != 1 || !strings.Contains(got[0], "\n"+tc.want+"\n") || f.comments[0].id != 1001 {
					t.Errorf("%q", got)
				}
			})
		}
	}
}

// Left over from an old race, and deleting is refused: they shrink to a line that points at the right one.
func TestDuplicatesThatCannotBeDeleted(t *testing.T) {
	f := newFake(t)
	f.add(actionsBot, plan(headB, "1/1", "old").text(""))
	f.add(actionsBot, plan(headB, "2/1", "older twin").text(""))
	f.hook = func(r *http.Request, _ string) *reply {
		if r.Method == http.MethodDelete {
			return &reply{status: 403, body: `{"message":"Resource not accessible by integration"}`}
		}
		return nil
	}
	put(t, f.client(nil), plan(headA, "3/1", "new"), UpsertOptions{}, Updated)
	if !strings.Contains(f.comments[0].body, "\nnew\n") || strings.Contains(f.comments[1].body, "twin") || !strings.Contains(f.comments[1].body, "#issuecomment-1001") {
		t.Errorf("%+v", f.comments)
	}
	put(t, f.client(nil), plan(headA, "3/1", "new"), UpsertOptions{}, Unchanged)
}

// Somebody deletes the comment between the look and the write.
func TestDeletedMeanwhile(t *testing.T) {
	f := newFake(t)
	f.add(actionsBot, plan(headB, "1/1", "old").text(""))
	f.hook = func(r *http.Request, _ string) *reply {
		if r.Method == http.MethodPatch {
			f.mu.Lock()
			f.comments = nil
			f.mu.Unlock()
		}
		return nil
	}
	put(t, f.client(nil), plan(headA, "2/1", "new"), UpsertOptions{}, Created)
}

func TestTooLong(t *testing.T) {
	f := newFake(t)
	p := plan(headA, "1/1", "")
	p.Marker.PR = 7
	p.Body = strings.Repeat("x", p.Room("k"))
	put(t, f.client(nil), p, UpsertOptions{PlanKey: "k"}, Created)
	if n := len(f.comments[0].body); n != Budget {
		t.Errorf("%d bytes fill the budget of %d", n, Budget)
	}
	// Who does not say the pull request gets room that is enough for any.
	p.Marker.PR = 0
	p.Body = strings.Repeat("y", p.Room("k"))
	put(t, f.client(nil), p, UpsertOptions{PlanKey: "k"}, Updated)
	p.Marker.PR = 7
	p.Body = strings.Repeat("x", p.Room("k")+1)
	_, _, err := Upsert(context.Background(), f.client(nil), repo, 7, p, UpsertOptions{PlanKey: "k"})
	var u *Unavailable
	if !errors.As(err, &u) || !strings.Contains(u.Reason, "65001 bytes") {
		t.Errorf("%v", err)
	}
	// The footer of a full comment can still be replaced.
	if _, action, err := Result(context.Background(), f.client(nil), Target{repo, 7, key, "k"}, "9/1", "<sub>"+strings.Repeat("y", 400)+"</sub>", Carried); err != nil || action != Updated {
		t.Errorf("%s %v", action, err)
	}
}

func TestClosedAndResult(t *testing.T) {
	f := newFake(t)
	ctx := context.Background()
	target := Target{repo, 7, key, "k"}
	if url, action, err := Closed(ctx, f.client(nil), target, "5/1", true); url != "" || action != None || err != nil {
		t.Errorf("without a comment: %q %s %v", url, action, err)
	}
	p := plan(headA, "1/1", "before <!-- prefect-deploy-action:end --> and\n<!-- prefect-deploy-action:footer {\"kind\":\"result\"} -->\nafter")
	put(t, f.client(nil), p, UpsertOptions{PlanKey: "k"}, Created)
	full := f.comments[0].body
	steps := []struct {
		name  string
		do    func() (string, Action, error)
		state string
		want  Action
		shows string
	}{
		{"closed while open", func() (string, Action, error) { return Closed(ctx, f.client(nil), target, "5/1", true) }, "open", Outdated, "Merging applies"},
		{"merged", func() (string, Action, error) { return Closed(ctx, f.client(nil), target, "5/1", true) }, "closed", Updated, "Merged: the next deploy"},
		{"merged again", func() (string, Action, error) { return Closed(ctx, f.client(nil), target, "5/2", true) }, "closed", Unchanged, "Merged: the next deploy"},
		{"result", func() (string, Action, error) {
			return Result(ctx, f.client(nil), target, "6/1", "Applied by 6", Carried)
		}, "closed", Updated, "Applied by 6"},
		{"an older result", func() (string, Action, error) {
			return Result(ctx, f.client(nil), target, "5/9", "Applied by 5", Carried)
		}, "closed", Outdated, "Applied by 6"},
		{"merged, late", func() (string, Action, error) { return Closed(ctx, f.client(nil), target, "7/1", true) }, "closed", Outdated, "Applied by 6"},
		{"the same result", func() (string, Action, error) {
			return Result(ctx, f.client(nil), target, "6/2", "Applied by 6", Carried)
		}, "closed", Unchanged, "Applied by 6"},
		{"a newer result", func() (string, Action, error) {
			return Result(ctx, f.client(nil), target, "8/1", "Applied by 8", Carried)
		}, "closed", Updated, "Applied by 8"},
		{"nothing left to do", func() (string, Action, error) { return Result(ctx, f.client(nil), target, "9/1", "Nothing by 9", Idle) }, "closed", Outdated, "Applied by 8"},
		{"a failure", func() (string, Action, error) {
			return Result(ctx, f.client(nil), target, "10/1", "Failed by 10", Failed)
		}, "closed", Updated, "Failed by 10"},
		{"nothing left of a failure", func() (string, Action, error) {
			return Result(ctx, f.client(nil), target, "11/1", "Nothing by 11", Idle)
		}, "closed", Updated, "Nothing by 11"},
	}
	for _, s := range steps {
		f.prs[7]["state"] = s.state
		_, action, err := s.do()
		got := f.bodies(actionsBot)
		if err != nil || action != s.want || len(got) != 1 || !strings.Contains(got[0], s.shows) || strings.Count(got[0], footerOpen) != 1 || strings.Count(got[0], footerEnd) != 1 {
			t.Errorf("%s: %s %v\n%s", s.name, action, err, got)
		}
	}
	head, _, _ := splitFooter(full)
	if got := f.bodies(actionsBot)[0]; !strings.HasPrefix(got, head) {
		t.Errorf("more than the footer changed:\n%s", got)
	}
	if _, err := ParseMarker(f.bodies(actionsBot)[0], "k"); err != nil {
		t.Errorf("the signature no longer holds: %v", err)
	}
	f.prs[7]["state"] = "open" // reopened: a plan again
	put(t, f.client(nil), p, UpsertOptions{PlanKey: "k"}, Updated)
	if f.bodies(actionsBot)[0] != full {
		t.Error("a reopened pull request does not show its plan")
	}
}

// A person edited the footer's lines away: the result still gets its place.
func TestResultWithoutFooter(t *testing.T) {
	f := newFake(t)
	m := Marker{Key: key, PR: 7, Head: headA}
	f.add(actionsBot, m.line("")+"\r\nbody\r\n")
	if _, action, err := Result(context.Background(), f.client(nil), Target{Repo: repo, PR: 7, Key: key}, "1/1", "Applied", Carried); err != nil || action != Updated {
		t.Fatal(action, err)
	}
	if _, action, err := Result(context.Background(), f.client(nil), Target{Repo: repo, PR: 7, Key: key}, "2/1", "Applied again", Carried); err != nil || action != Updated {
		t.Fatal(action, err)
	}
	if got := f.bodies(actionsBot)[0]; strings.Count(got, "Applied") != 1 || !strings.Contains(got, "body") {
		t.Error(got)
	}
}
