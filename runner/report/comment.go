// The plan as one page of Markdown: what a reviewer reads on a pull request, and what stands in a job's summary. The page is drawn from whole sections, in the order in which a
// reader needs them: the numbers, what is lost, an index of what changes and where, and folded away below it each change in full.
//
// A page has a budget of bytes. It is kept by leaving out whole sections, never by cutting one: first the changes of updates, of the last ones first, then links in the index. The
// heading, the numbers, the index and every delete stay, and a line says how much is missing and where it is.
package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// Budgets in bytes. GitHub takes 65,536 characters of a comment; what CommentBudget leaves is for the hidden first line that names the comment and for a longer footer. A job's
// summary may have 1 MiB a step.
const (
	CommentBudget = 62_000
	SummaryBudget = 1_000_000
)

// Meta is what a page says of itself; everything may be missing.
type Meta struct {
	// Done says that the plan was carried out: the page tells what became of it.
	Done bool
	// Target is the environment's name.
	Target string
	// Files are the prefect.yaml files, Head the commit's full name and HeadURL its page.
	Files         []string
	Head, HeadURL string
	// StateName is the target in people's words ("workspace acme/prod"), the state's address without it. StateURL is its page.
	StateName, StateURL string
	// Time is when the server was read.
	Time time.Time
	// Run ("run 123") and its page.
	Run, RunURL string
	// Blob is the address to which a file's path is added to see it at this commit: "https://github.com/OWNER/REPO/blob/SHA/". Prefix goes before a file's path: "sub/dir/".
	Blob, Prefix string
	// Full names the place of the whole plan for a page that had to leave something out ("the job summary"), FullURL its page.
	Full, FullURL string
	// Graph is the build graph, nil for none.
	Graph *graph.Graph
	// Notes are sentences to add to the plan's own: that it was made against the base commit, say.
	Notes []string
	// Footer is the last line, unless NoFooter says that it is put there later.
	Footer   Footer
	NoFooter bool
	// Elapsed is how long carrying it out took, as text.
	Elapsed string
	// Budget in bytes, 0 for CommentBudget.
	Budget int
}

// Comment is the page of a plan.
func Comment(p *plan.Plan, m Meta) string { return Of(p).Page(m) }

// Markdown is the page as a job's summary, with nothing known but the plan itself. done says that it was carried out.
func Markdown(p *plan.Plan, done bool) string {
	return Of(p).Page(Meta{Done: done, Budget: SummaryBudget, NoFooter: true})
}

// page is one page in the making.
type page struct {
	*View
	Meta
	t      tally
	room   int
	head   strings.Builder // what always stands
	groups []group
	kinds  []kind // nil where the index has a row for each
	places bool   // the folds have to say where a deployment stands, since the index does not
}

// Page draws the view.
func (v *View) Page(m Meta) string {
	if m.Budget == 0 {
		m.Budget = CommentBudget
	}
	p := &page{View: v, Meta: m, t: v.tally(m.Done), groups: groups(v.Deployments, (*Item).shown)}
	p.heading()
	p.context()
	p.failed()
	above, below, footer := p.head.String(), p.below(), ""
	if !m.NoFooter {
		footer = m.Footer.For(v).Markdown()
	}
	const lastLines = 600 // the line about what is missing
	p.room = m.Budget - len(above) - len(below) - len(footer) - lastLines
	deletes := p.take(p.deletes())
	if len(p.groups) > mostRows {
		p.kinds = p.kindsOf(p.groups)
	}
	index := p.take(p.index(p.room * 6 / 10))
	folds, hidden := p.folds()
	for _, section := range []func() string{p.rebuilt, p.stepTable, p.mermaid} {
		folds += p.take(section())
	}
	return above + deletes + index + below + folds + p.missing(hidden) + footer
}

// folds are the changes in full; hidden is how many deployments' changes are not there.
func (p *page) folds() (text string, hidden int) {
	if p.kinds != nil {
		return p.kindFolds()
	}
	var b strings.Builder
	for i := range p.groups {
		section, left := p.details(&p.groups[i])
		taken := p.take(section)
		if left > 0 || (taken == "" && section != "") {
			hidden += len(p.groups[i].items)
		}
		b.WriteString(taken)
	}
	return b.String(), hidden
}

// take uses up the room for a section; a section that does not fit is left out.
func (p *page) take(section string) string {
	if len(section) > p.room {
		return ""
	}
	p.room -= len(section)
	return section
}

func (p *page) heading() {
	title, what := "Prefect plan", counts(p.t)
	switch {
	case p.Done && p.Interrupted:
		title, what = "❌ Prefect deploy", strings.TrimSuffix("interrupted, "+nonZero([]int{p.t.failed + p.t.skipped, p.t.applied}, []string{"not done", "applied"}), ", ")
	case p.Done && p.t.failed+p.t.skipped > 0:
		title, what = "❌ Prefect deploy", nonZero([]int{p.t.failed, p.t.skipped, p.t.applied}, []string{"failed", "skipped", "applied"})
	case p.Done && p.t.changes() == 0:
		title, what = "✅ Prefect deploy", "nothing to do"
	case p.Done:
		title, what = "✅ Prefect deploy", past(p.t)
	case what == "" && p.t.rebuild > 0:
		what = fmt.Sprintf("%d to rebuild", p.t.rebuild)
	case what == "":
		what = "no changes"
	}
	p.head.WriteString("### " + title + ": " + what)
	if p.Target != "" {
		p.head.WriteString(" · " + name(p.Target))
	}
	p.head.WriteString("\n\n")
}

// context is the line that says of what this is a plan: files, commit, server, time, run.
func (p *page) context() {
	var parts []string
	const mostFiles = 3
	for i, f := range p.Files {
		if i == mostFiles {
			parts = append(parts, fmt.Sprintf("and %d more files", len(p.Files)-i))
			break
		}
		parts = append(parts, name(p.Prefix+f))
	}
	line := strings.Join(parts, ", ")
	if p.Head != "" {
		line += " at " + Link(Code(short(p.Head)), p.HeadURL)
	}
	state := name(withoutLogin(p.State))
	if p.StateName != "" {
		state = prose(cut(p.StateName, longestName))
	}
	if state != "" {
		line += " against " + Link(state, p.StateURL)
	}
	if !p.Time.IsZero() {
		line += " as of " + p.Time.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	if p.Elapsed != "" {
		line += ", took " + prose(cut(p.Elapsed, 20))
	}
	if p.RunURL != "" || p.Run != "" {
		run := p.Run
		if run == "" {
			run = "run"
		}
		line += " · " + Link(prose(cut(run, 60)), p.RunURL)
	}
	if line = strings.TrimSpace(line); line != "" {
		if rest, ok := strings.CutPrefix(line, "against "); ok {
			line = "Against " + rest
		}
		p.head.WriteString(line + "\n\n")
	}
}

// short is a commit as people write it.
func short(commit string) string {
	commit = diag.Clean(commit)
	return commit[:min(len(commit), 7)]
}

// failed is the block of what went wrong, outside any fold.
func (p *page) failed() {
	list := groups(p.Deployments, (*Item).failed)
	if len(list) == 0 {
		return
	}
	const most = 10
	p.head.WriteString("> [!CAUTION]\n")
	for i := range list {
		if i == most {
			fmt.Fprintf(&p.head, "> - and %d more\n", len(list)-i)
			break
		}
		g := &list[i]
		it := g.first()
		fmt.Fprintf(&p.head, "> - %s %s: %s\n", p.who(g, true), it.Outcome, prose(cut(firstLine(it.Error), 300)))
	}
	p.head.WriteString(">\n> Running it again continues where it stopped.\n\n")
}

// below is what stands under the index: the rest in numbers, what is kept, and what to know.
func (p *page) below() string {
	var b strings.Builder
	var parts []string
	if p.t.rebuild > 0 {
		word := map[bool]string{true: "rebuilt", false: "to rebuild"}[p.Done]
		parts = append(parts, fmt.Sprintf("%d %s (only what the build gives differs)", p.t.rebuild, word))
	}
	if p.t.unchanged > 0 {
		parts = append(parts, fmt.Sprintf("%d unchanged", p.t.unchanged))
	}
	if len(parts) > 0 {
		b.WriteString(strings.Join(parts, " · ") + "\n\n")
	}
	b.WriteString(p.kept())
	notes := append(append([]string(nil), p.Meta.Notes...), p.View.Notes...)
	const most = 20
	for i, n := range notes {
		if i == most {
			fmt.Fprintf(&b, "- %d more notes\n", len(notes)-i)
			break
		}
		b.WriteString("- " + prose(n) + "\n")
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func (p *page) kept() string {
	if len(p.Kept) == 0 {
		return ""
	}
	const most = 20
	var names []string
	for i, k := range p.Kept {
		if i == most {
			names = append(names, fmt.Sprintf("%d more", len(p.Kept)-i))
			break
		}
		names = append(names, name(k))
	}
	return fmt.Sprintf("%d kept, though not in prefect.yaml (`--prune` deletes): %s\n\n", len(p.Kept), strings.Join(names, ", "))
}

// missing says what a page had to leave out.
func (p *page) missing(hidden int) string {
	if hidden == 0 {
		return ""
	}
	full := p.Full
	if full == "" {
		full = "the job summary"
		if p.Budget >= SummaryBudget {
			full = "the plan's JSON (--json)"
		}
	}
	where := Link(prose(cut(full, 60)), p.FullURL)
	return fmt.Sprintf("**The changes of %s are not shown here, for want of room.** The full plan is in %s.\n\n", diag.Count(hidden, "deployment"), where)
}
