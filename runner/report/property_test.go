// Plans made up at random, from the texts that have broken comments of other programs.
package report

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// hostile are pieces of text; a made-up text is a few of them.
func hostile() []string {
	return []string{
		"etl", "daily", "-", "/", " ", "report", "a.b", "x_y_z", "*bold*", "__init__", "~~gone~~", "`", "``", "```", "`````````", "```diff\n+ x\n```", "~~~", "\n", "\n\n", "\r", "\r\n", "\t",
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</details>", "<details>", "</summary>", "</code>", "<!--", "-->", "<!-- prefect-deploy-action {\"v\":1} -->", "<!-- prefect-deploy-action:footer -->", "]]>", "&lt;", "&#60;", "&copy;", "&",
		"@octocat", "@acme/everyone", "#12", "GH-12", "acme/flows#3", "https://evil.example/x", "www.evil.example", "[click](https://evil.example)", "![x](https://evil.example/p.png)", "[ref]: https://evil.example",
		"| a | b |", "|", "\\|", "\\", "> quote", "# title", "- item", "1. item", "---", "***", "===", "+ added", "- removed", "@@ -1 +1 @@", "$x^2$", "$$", ":tada:", "end", "\"", "'", "\"]", "{{ x }}", "%00",
		"\x00", "\x1b[31m", "\x1b]0;x\x07", "\u202e", "\u200b", "\u2066", "\ufeff", "\xff", "\xc3", "\xed\xa0\x80", "日本語", "é", "e\u0301", "🚀", "👩‍👩‍👧", "ü", strings.Repeat("x", 300), strings.Repeat("é", 300), strings.Repeat("`", 70),
		"javascript:alert(1)", "0123456789abcdef0123456789abcdef01234567", "::error::x", "::set-output name=a::b", "<a href=\"x\">", "<https://evil.example>", "a@example.com",
	}
}

type maker struct {
	*rand.Rand
	pieces []string
}

func (m maker) text(most int) string {
	var b strings.Builder
	for n := m.Intn(most + 1); n > 0; n-- {
		b.WriteString(m.pieces[m.Intn(len(m.pieces))])
	}
	return b.String()
}

func (m maker) value(depth int) value.Value {
	switch m.Intn(7) {
	case 0:
		return value.Value{}
	case 1:
		return value.Of(m.Int63())
	case 2:
		return value.Of(m.Intn(2) == 0)
	case 3:
		if depth > 0 {
			list := []value.Value{}
			for n := m.Intn(5); n > 0; n-- {
				list = append(list, m.value(depth-1))
			}
			return value.Of(list)
		}
	case 4:
		if depth > 0 {
			entries := []value.Entry{}
			for n := m.Intn(5); n > 0; n-- {
				entries = append(entries, value.Entry{Key: m.text(2), Value: m.value(depth - 1)})
			}
			return value.Of(entries)
		}
	}
	return value.Of(m.text(4))
}

func (m maker) change() Change {
	c := Change{Path: "job_variables." + m.text(3), Before: m.value(2), After: m.value(2), Line: m.Intn(100), Reason: m.text(2),
		Value: []plan.Kind{plan.Known, plan.Known, plan.AfterBuild, plan.Sensitive, NotHere}[m.Intn(5)]}
	if m.Intn(3) == 0 {
		c.Path, c.Zone = fmt.Sprintf("schedules[%d].cron", m.Intn(3)), m.text(2)
		c.Next = []time.Time{time.Unix(m.Int63n(1<<33), 0).UTC(), time.Unix(m.Int63n(1<<33), 0).UTC()}
	}
	hide(&c)
	return c
}

func (m maker) view(most int) *View {
	v := &View{State: "https://" + m.text(2), Version: m.text(1)}
	for n := m.Intn(most + 1); n > 0; n-- {
		it := Item{Name: fmt.Sprintf("%d/%s", n, m.text(4)), File: m.text(2), Line: m.Intn(50), URL: "https://x.example/" + m.text(2), ScheduledRuns: m.Intn(3), LostRuns: m.Intn(3),
			Action:  []plan.Action{plan.Create, plan.Update, plan.Rebuild, plan.Delete, plan.Unchanged}[m.Intn(5)],
			Outcome: []plan.Outcome{plan.Planned, plan.Applied, plan.Applied, plan.Failed, plan.Skipped}[m.Intn(5)]}
		if it.Outcome == plan.Failed || it.Outcome == plan.Skipped {
			it.Error = m.text(6)
		}
		if it.Action == plan.Update && m.Intn(5) == 0 {
			it.RenamedFrom = m.text(2)
		}
		if it.Action != plan.Unchanged && it.Action != plan.Delete {
			for k := m.Intn(6); k > 0; k-- {
				it.Changes = append(it.Changes, m.change())
			}
		}
		v.Deployments = append(v.Deployments, it)
	}
	for n := m.Intn(4); n > 0; n-- {
		v.Notes, v.Kept = append(v.Notes, m.text(8)), append(v.Kept, m.text(3))
		v.Steps = append(v.Steps, Step{Key: m.text(2), Function: m.text(2), Outcome: []string{"succeeded", "failed", "skipped"}[m.Intn(3)], Outputs: m.value(1), Error: m.text(2)})
	}
	return v
}

func (m maker) meta() Meta {
	g := &graph.Graph{}
	for n := m.Intn(6); n > 0; n-- {
		s := &graph.Step{Key: m.text(3)}
		s.Needs = append(s.Needs, g.Steps...)
		g.Steps = append(g.Steps, s)
		g.Registrations = append(g.Registrations, &graph.Registration{Deployment: m.text(3), Steps: g.Steps})
	}
	return Meta{Done: m.Intn(2) == 0, Target: m.text(3), Files: []string{m.text(2), m.text(2)}, Head: m.text(1), HeadURL: m.text(2), StateName: m.text(2), StateURL: "http://" + m.text(2), Run: m.text(2),
		RunURL: "https://" + m.text(2), Blob: "https://x.example/" + m.text(1), Prefix: m.text(1), Full: m.text(2), FullURL: m.text(2), Notes: []string{m.text(5)}, Elapsed: m.text(1), Graph: g, NoFooter: m.Intn(3) == 0,
		Footer: Footer{Fate: Fate(m.Intn(7)), Policy: Policy(m.text(1)), Run: m.text(2), RunURL: "https://x.example/" + m.text(2), Reason: m.text(5), Elapsed: m.text(1), Result: m.small()}}
}

func (m maker) small() *View {
	return &View{Deployments: []Item{{Name: m.text(3), Outcome: plan.Failed, Error: m.text(5)}}}
}

// everyDelete fails where a delete's name, or at least its beginning, does not stand on the page.
func everyDelete(t testing.TB, v *View, page string) {
	t.Helper()
	for i := range v.Deployments {
		it := &v.Deployments[i]
		if it.Action != plan.Delete || it.failed() {
			continue
		}
		found := false
		for each := longestName; each > 3 && !found; each = each * 3 / 4 {
			found = strings.Contains(page, Code(cut(it.Name, each)))
		}
		if !found {
			t.Fatalf("the delete of %q is not on the page", it.Name)
		}
	}
}

func check(t testing.TB, seed int64, most int) {
	m := maker{rand.New(rand.NewSource(seed)), hostile()}
	v, meta := m.view(most), m.meta()
	page := v.Page(meta)
	wellFormed(t, page, CommentBudget)
	everyDelete(t, v, page)
	if again := v.Page(meta); again != page {
		t.Fatal("the same plan gives another page")
	}
	if line := meta.Footer.Markdown(); len(line) > longestFooter || strings.Count(line, "\n") != 1 {
		t.Fatalf("a footer of %d bytes: %q", len(line), line)
	}
	wellFormed(t, meta.Footer.Markdown(), longestFooter)
	for _, width := range []int{0, 40, 100} {
		text := v.Terminal(Terminal{Done: meta.Done, Width: width})
		for _, line := range strings.Split(text, "\n") {
			if width > 0 && diag.Columns(line) > width {
				t.Fatalf("%d columns in a line of %d: %q", diag.Columns(line), width, line)
			}
			if strings.ContainsAny(line, "\x00\x1b\x07\r\u202e\u2066\u200b") {
				t.Fatalf("control characters reach the terminal: %q", line)
			}
		}
	}
}

func TestPagesOfHostilePlans(t *testing.T) {
	for seed := int64(0); seed < 300; seed++ {
		check(t, seed, 30)
	}
	for seed := int64(300); seed < 304; seed++ {
		check(t, seed, 1500)
	}
}

func FuzzPage(f *testing.F) {
	for seed := int64(0); seed < 5; seed++ {
		f.Add(seed, 12, "etl/daily", "`<b>@x|")
	}
	f.Fuzz(func(t *testing.T, seed int64, most int, a, b string) {
		m := maker{rand.New(rand.NewSource(seed)), append(hostile(), a, b, a+b, b+a)}
		v := m.view(max(0, min(most, 60)))
		page := v.Page(m.meta())
		wellFormed(t, page, CommentBudget)
		everyDelete(t, v, page)
	})
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema": 1, "deployments": [{"deployment": "a/b", "action": "update", "changes": [{"path": "x", "before": {"a": [1]}, "after": null}]}]}`))
	f.Add([]byte(`{"schema": 2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if v, err := Read(data); err == nil {
			wellFormed(t, v.Page(Meta{}), CommentBudget)
		}
	})
}
