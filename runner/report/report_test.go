package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// canary is a text that must not be seen anywhere. It has no character that is escaped somewhere.
const canary = "canary7f3a"

// secret is a plan with the canary wherever a plan can hold a secret.
func secret() *plan.Plan {
	hidden := value.Of(canary).Mark(value.Sensitive, "$TOKEN")
	nested := value.Of([]value.Entry{{Key: "token", Value: hidden}, {Key: "list", Value: value.Of([]value.Value{value.Of("plain"), hidden})}})
	live := &state.Live{Name: state.Name{Flow: "etl", Deployment: "old"}, Fields: value.Of([]value.Entry{{Key: "parameters", Value: value.Of([]value.Entry{{Key: "p", Value: value.Of(canary)}})}})}
	return &plan.Plan{
		State: "https://user:" + canary + "@prefect.example/api",
		Deployments: []*plan.Deployment{
			{Name: state.Name{Flow: "etl", Deployment: "a"}, Action: plan.Update, Outcome: plan.Applied, Changes: []plan.Change{
				{Path: "job_variables.env.A", Before: value.Of(canary), After: value.Of(canary + "2"), Kind: plan.Sensitive},
				{Path: "job_variables.env.B", Before: value.Of("x"), After: hidden},
				{Path: "job_variables.env", Before: nested, After: nested, Kind: plan.Known},
				{Path: "job_variables.image", Before: value.Of("old:1"), After: value.Of(canary), Kind: plan.AfterBuild},
			}},
			{Name: state.Name{Flow: "etl", Deployment: "new"}, Action: plan.Create, Outcome: plan.Applied, Desired: &plan.Desired{
				Fields:    value.Of([]value.Entry{{Key: "description", Value: hidden}, {Key: "job_variables", Value: nested}, {Key: "work_pool_name", Value: value.Of("k8s")}}),
				Schedules: []plan.Schedule{{Source: value.Of([]value.Entry{{Key: "cron", Value: hidden}})}},
			}},
			{Name: live.Name, Action: plan.Delete, Outcome: plan.Applied, Live: live},
		},
		Steps: []plan.Step{{Key: "s", Function: "f", Outcome: "succeeded", Outputs: value.Of([]value.Entry{{Key: "token", Value: hidden}, {Key: "image", Value: hidden}})},
			{Key: "t", Function: "f", Outcome: "succeeded", Outputs: nested.Mark(value.Sensitive)}},
	}
}

func TestNoSecretOnAnySurface(t *testing.T) {
	p := secret()
	read, err := Read([]byte(`{"schema": 1, "deployments": [{"deployment": "a/b", "action": "update", "changes": [
		{"path": "x", "value": "sensitive", "before": "` + canary + `", "after": "` + canary + `"}, {"path": "y", "value": "other", "after": "` + canary + `"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	surfaces := map[string]string{
		"comment": Comment(p, Meta{Footer: Footer{Fate: Done, Result: Of(p)}}), "comment, done": Comment(p, Meta{Done: true}), "summary": Markdown(p, true), "text": Text(p, true, ""), "plan's text": Text(p, false, ""),
		"narrow": Of(p).Terminal(Terminal{Width: 40}), "last line": Summary(p, true, "1 s"), "view": fmt.Sprintf("%#v", *Of(p)), "read": read.Page(Meta{}), "read, text": read.Terminal(Terminal{}),
	}
	for name, text := range surfaces {
		if strings.Contains(strings.ReplaceAll(text, "\n", ""), canary) {
			t.Errorf("%s shows a secret:\n%s", name, text)
		}
	}
	if text := surfaces["comment"]; !strings.Contains(text, "(sensitive)") || !strings.Contains(text, "job_variables.env.A") {
		t.Errorf("the change itself is not shown:\n%s", text)
	}
}

// many is a plan of n deployments that all change in another way.
func many(n int, action plan.Action, name string) *View {
	v := &View{State: "http://127.0.0.1:4200/api"}
	for i := 0; i < n; i++ {
		it := Item{Name: fmt.Sprintf("%s-%d/%d", name, i, i), Action: action, File: "prefect.yaml", Line: i + 1, URL: fmt.Sprintf("http://127.0.0.1:4200/deployments/%d", i)}
		if action != plan.Delete {
			it.Changes = []Change{{Path: fmt.Sprintf("parameters.p%d", i), Before: value.Of(1), After: value.Of(2), Value: plan.Known}}
		}
		v.Deployments = append(v.Deployments, it)
	}
	return v
}

func TestThousandDeployments(t *testing.T) {
	v := many(1000, plan.Update, "some-flow-of-usual-length")
	v.Deployments = append(v.Deployments, many(300, plan.Delete, "gone").Deployments...)
	page := v.Page(Meta{})
	wellFormed(t, page, CommentBudget)
	everyDelete(t, v, page)
	for _, want := range []string{"1000 to update, 300 to delete", "300 deployments will be deleted", "not shown here"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
	summary := v.Page(Meta{Budget: SummaryBudget})
	wellFormed(t, summary, SummaryBudget)
	for _, it := range v.Deployments {
		if !strings.Contains(summary, Code(it.Name)) {
			t.Errorf("%s is not in the summary", it.Name)
		}
	}
	if strings.Contains(summary, "not shown here") {
		t.Error("a summary has room for this plan")
	}
}

func TestThousandOfOneKindAreAllNamed(t *testing.T) {
	v := many(1000, plan.Update, "flow")
	for i := range v.Deployments {
		v.Deployments[i].Changes[0].Path = "parameters.days"
		v.Deployments[i].Changes[0].After = value.Of(i)
	}
	page := v.Page(Meta{})
	wellFormed(t, page, CommentBudget)
	shown := strings.Count(page, "\n# flow-")
	for _, it := range v.Deployments {
		if !strings.Contains(page, "# "+it.Name+"    (") && !strings.Contains(page, Code(it.Name)) {
			t.Fatalf("%s is nowhere", it.Name)
		}
	}
	if shown < 300 || !strings.Contains(page, fmt.Sprintf("**The changes of %d deployments are not shown here", 1000-shown)) || len(page) < CommentBudget*3/4 {
		t.Errorf("%d shown in %d bytes", shown, len(page))
	}
}

func TestVeryManyDeletesStandInTheWarning(t *testing.T) {
	for _, long := range []string{"gone", strings.Repeat("a-long-name-", 20)} {
		v := many(1000, plan.Delete, "")
		for i := range v.Deployments {
			v.Deployments[i].Name = fmt.Sprintf("%d-%s/x", i, long)
		}
		page := v.Page(Meta{})
		wellFormed(t, page, CommentBudget)
		everyDelete(t, v, page)
	}
	v := many(20_000, plan.Delete, "gone")
	page := v.Page(Meta{})
	wellFormed(t, page, CommentBudget)
	if !strings.Contains(page, "20000 deployments will be deleted") || !strings.Contains(page, "more**") {
		t.Error("the page does not say how many it leaves out")
	}
}

func TestAlikeAreShownOnce(t *testing.T) {
	v := &View{}
	for i := 0; i < 5; i++ {
		v.Deployments = append(v.Deployments, Item{Name: fmt.Sprintf("f/%d", i), Action: plan.Update, Changes: []Change{{Path: "work_pool_name", Before: value.Of("a"), After: value.Of("b"), Value: plan.Known}}})
	}
	v.Deployments[3].Changes[0].After = value.Of("c")
	page := v.Page(Meta{})
	if strings.Count(page, "```diff") != 2 || !strings.Contains(page, "<b>4 deployments</b>") {
		t.Errorf("four are alike and one is not:\n%s", page)
	}
	for i := range v.Deployments {
		v.Deployments[i].Action, v.Deployments[i].Changes = plan.Delete, nil
	}
	if page := v.Page(Meta{}); strings.Count(page, "| `−` |") != 5 {
		t.Errorf("deletes stand each for itself:\n%s", page)
	}
}

func TestTextBecomesNothingElse(t *testing.T) {
	for _, c := range []struct{ f, in, want string }{
		{"code", "etl/daily", "`etl/daily`"},
		{"code", "a|b", "<code>a&#124;b</code>"},
		{"code", "a`b", "<code>a&#96;b</code>"},
		{"code", "<!-- x -->", "<code>&#60;&#33;-- x --&#62;</code>"},
		{"code", "a\nb\u202e", "<code>a&#92;nb&#92;u202e</code>"},
		{"code", "", ""},
		{"prose", "see GH-12, @all and #3.", "see `GH-12`, `@all` and `#3`."},
		{"prose", "1 of 2 (a_b) failed in 4.2 s", "1 of 2 (`a_b`) failed in 4.2 s"},
		{"prose", "https://x.example/y", "`https://x.example/y`"},
		{"prose", "1. first ... (x)", "`1`. first ... (x)"},
		{"prose", ". !", ". !"},
		{"code", "a@b`", "<code>a<span>&#64;</span>b&#96;</code>"},
		{"link", "https://x.example/a(b)|c d", "[L](https://x.example/a%28b%29%7Cc%20d)"},
		{"link", "javascript:alert(1)", "L"},
		{"link", "https://me:pass@x.example/", "L"},
		{"link", "//x.example", "L"},
		{"link", "http://[::1]:4200/x", "[L](http://[::1]:4200/x)"},
	} {
		got := map[string]func(string) string{"code": Code, "prose": prose, "link": func(s string) string { return Link("L", s) }}[c.f](c.in)
		if got != c.want {
			t.Errorf("%s of %q is %q, not %q", c.f, c.in, got, c.want)
		}
	}
}

func TestFooters(t *testing.T) {
	done := &View{Deployments: []Item{{Name: "a/b", Action: plan.Create, Outcome: plan.Applied}, {Name: "a/c", Action: plan.Update, Outcome: plan.Applied}}}
	failed := &View{Deployments: append([]Item{{Name: "train/nightly", Action: plan.Update, Outcome: plan.Failed, Error: "no space left\non the device"}}, done.Deployments...)}
	for _, c := range []struct {
		f    Footer
		want string
	}{
		{Footer{Policy: Require}, "Merging applies this plan. It is refused if the server changes in between."},
		{Footer{Fate: Done, Run: "run 124", RunURL: "https://x.example/124", Elapsed: "41 s", Result: done}, "✅ Applied in [run 124](https://x.example/124): 1 created, 1 updated in 41 s. Nothing else was touched."},
		{Footer{Fate: Done, Run: "run 124", Result: failed}, "❌ **1 of 3 failed** in run 124 (`train/nightly`: `no space left`). 2 applied. Running the job again continues where it stopped."},
		{Footer{Fate: Done, Result: &View{}}, "✅ Nothing was to be done: the server already held all of this."},
		{Footer{Fate: NotApplied, Reason: "the server has changed since", Run: "run 9"}, "⚠️ Not applied: the server has changed since in run 9."},
		{Footer{Fate: Closed}, "Closed without a merge: nothing of this was applied."},
		{Footer{Fate: Applying, RunURL: "https://x.example/1"}, "⏳ Being applied in [run](https://x.example/1)."},
	} {
		want := "<sub>" + c.want + "</sub>\n"
		if got := c.f.Markdown(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	bad := &View{}
	for i := 0; i < 9; i++ {
		bad.Deployments = append(bad.Deployments, Item{Name: fmt.Sprintf("%d/%s", i, strings.Repeat("<", 300)), Outcome: plan.Failed, Error: strings.Repeat("&", 300)})
	}
	for _, f := range []Footer{{Fate: Done, Result: bad, RunURL: "https://x.example/" + strings.Repeat("é", 400)}, {Fate: NotApplied, Reason: strings.Repeat("<b> ", 500)}} {
		line := f.Markdown()
		wellFormed(t, line, longestFooter)
		if !strings.HasSuffix(line, ".</sub>\n") {
			t.Errorf("a long footer is no whole sentence: %q", line)
		}
	}
	if page := done.Page(Meta{NoFooter: true}); done.Page(Meta{}) != page+(Footer{}).Markdown() {
		t.Errorf("a footer that is added later stands elsewhere:\n%s", page)
	}
}

func TestDiffOfLongTextShowsWhatDiffers(t *testing.T) {
	var a, b []string
	for i := 0; i < 50; i++ {
		a, b = append(a, fmt.Sprintf("line %d", i)), append(b, fmt.Sprintf("line %d", i))
	}
	b[20] = "another"
	got := changeDiff(&Change{Path: "description", Before: value.Of(strings.Join(a, "\n")), After: value.Of(strings.Join(b, "\n")), Value: plan.Known}, false)
	want := "  description\n    …\n    line 19\n-   line 20\n+   another\n    line 21\n    …\n"
	if got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
}

func TestNewDeploymentIsShownWithWhatTheFileSays(t *testing.T) {
	d := &plan.Desired{Fields: value.Of([]value.Entry{
		{Key: "version", Value: value.Of("abc").Mark(value.Derived)}, {Key: "tags", Value: value.Of([]value.Value{})}, {Key: "description", Value: value.Value{}},
		{Key: "parameters", Value: value.Of([]value.Entry{{Key: "region", Value: value.Of("eu")}})}, {Key: "parameter_openapi_schema", Value: value.Of([]value.Entry{{Key: "type", Value: value.Of("object")}})},
		{Key: "work_pool_name", Value: value.Of("k8s")}, {Key: "job_variables", Value: value.Of([]value.Entry{{Key: "image", Value: value.Of("{{ image }}").Mark(value.AfterBuild)}})},
	}), Schedules: []plan.Schedule{{Source: value.Of([]value.Entry{{Key: "cron", Value: value.Of("0 6 * * *")}})}}}
	p := &plan.Plan{Deployments: []*plan.Deployment{{Name: state.Name{Flow: "f", Deployment: "d"}, Action: plan.Create, Desired: d}}}
	page := Comment(p, Meta{Time: time.Date(2026, 11, 24, 2, 10, 0, 0, time.UTC)})
	want := "```diff\n  job_variables.image\n!   known after build\n  parameters.region\n+   \"eu\"\n  schedules[0].cron\n+   0 6 * * *\n  work_pool_name\n+   \"k8s\"\n```\n"
	if !strings.Contains(page, want) || !strings.Contains(page, "new, cron `0 6 * * *`, pool `k8s`") || strings.Contains(page, "abc") {
		t.Errorf("not as it should be:\n%s", page)
	}
}

func TestNothingToDo(t *testing.T) {
	v := &View{State: "file:state.json", Deployments: []Item{{Name: "a/b", Action: plan.Unchanged}, {Name: "a/c", Action: plan.Unchanged}}, Notes: []string{"deletes not examined: base not available"}}
	page := v.Page(Meta{})
	for _, want := range []string{"### Prefect plan: no changes\n", "2 unchanged", "There is nothing to apply.", "- deletes not examined: base not available\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	if got := v.Terminal(Terminal{}); !strings.HasSuffix(got, "No changes: 2 deployments as file:state.json has them.\n") {
		t.Error(got)
	}
}

func BenchmarkPageOfThousand(b *testing.B) {
	v := many(1000, plan.Update, "some-flow")
	for b.Loop() {
		v.Page(Meta{})
	}
}
