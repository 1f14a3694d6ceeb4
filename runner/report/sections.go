// The sections of a page: the deletes, the index, the folds. Each is whole by itself: a fence or a fold that it opens it closes.
package report

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// symbol is an action's sign.
func symbol(it *Item) string {
	switch {
	case it.Outcome == plan.Failed:
		return "✗"
	case it.Outcome == plan.Skipped:
		return "⊘"
	case it.RenamedFrom != "":
		return "→"
	}
	switch it.Action {
	case plan.Create:
		return "+"
	case plan.Update:
		return "±"
	case plan.Rebuild:
		return "↻"
	case plan.Delete:
		return "−"
	}
	return "="
}

// who is the name of a group: its first names, with the number of the others.
func (p *page) who(g *group, links bool) string {
	most := 2
	if len(g.items) > 3 {
		most = 1
	}
	var names []string
	for i := range g.items {
		if i == most {
			break
		}
		names = append(names, p.linked(&g.items[i], links))
	}
	if more := len(g.items) - most; more > 0 {
		return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, " and ")
}

func (p *page) linked(it *Item, links bool) string {
	if !links {
		return name(it.Name)
	}
	return Link(name(it.Name), it.URL)
}

// deletes is the warning that stands open on the page, with every delete in it. With very many of them the names alone stand there, and at the worst the names' beginnings.
func (p *page) deletes() string {
	var list []*Item
	runs, lost := 0, 0
	for _, g := range p.groups {
		if it := g.first(); it.Action == plan.Delete && !it.failed() {
			list = append(list, it)
			runs, lost = runs+it.ScheduledRuns, lost+it.LostRuns
		}
	}
	if len(list) == 0 {
		return ""
	}
	will := "will be deleted"
	if p.Done {
		will = map[bool]string{true: "was deleted", false: "were deleted"}[len(list) == 1]
	}
	will += (&Item{Action: plan.Delete, ScheduledRuns: runs, LostRuns: lost}).Takes()
	const block = "> [!WARNING]\n> "
	if len(list) == 1 {
		return block + p.linked(list[0], true) + " " + will + ".\n\n"
	}
	lead := fmt.Sprintf("%s**%d deployments %s:**\n>\n", block, len(list), will)
	if text := lead + p.deleteLines(list) + "\n"; len(text) <= p.room/3 {
		return text
	}
	const most = 20_000 // names are worth more than three letters each
	each := longestName
	for ; each > 3; each = each * 3 / 4 {
		if text := lead + "> " + deleteNames(list, each) + "\n\n"; len(text) <= p.room*6/10 {
			return text
		}
	}
	n := min(len(list), p.room/2/16, most)
	return lead + "> " + deleteNames(list[:n], 3) + fmt.Sprintf(", and **%d more**\n\n", len(list)-n)
}

func (p *page) deleteLines(list []*Item) string {
	var b strings.Builder
	for _, it := range list {
		b.WriteString("> - " + p.linked(it, true))
		b.WriteString(strings.Replace(it.Takes(), ", with ", ", ", 1))
		b.WriteString("\n")
	}
	return b.String()
}

func deleteNames(list []*Item, each int) string {
	names := make([]string, len(list))
	for i, it := range list {
		names[i] = Code(cut(it.Name, each))
	}
	return strings.Join(names, ", ")
}

// index is the table of what changes and where, in the fullest form that takes at most limit bytes.
func (p *page) index(limit int) string {
	rows := make([]group, 0, len(p.groups))
	deletes := 0
	for _, g := range p.groups {
		if g.first().Action == plan.Delete && !g.first().failed() {
			deletes++
		}
	}
	for _, g := range p.groups {
		if it := g.first(); deletes <= 20 || it.Action != plan.Delete || it.failed() { // many stand in the warning, which nobody reads twice
			rows = append(rows, g)
		}
	}
	if len(rows) == 0 {
		return ""
	}
	if p.kinds == nil {
		for _, links := range []bool{true, false} {
			if text := p.table(rows, links); len(text) <= limit {
				p.places = !links
				return text
			}
		}
	}
	p.places = true
	if p.kinds != nil {
		if text := p.kindTable(); len(text) <= limit {
			return text
		}
	}
	return p.names(rows, limit)
}

func (p *page) table(rows []group, links bool) string {
	var b strings.Builder
	b.WriteString("| | deployment | what changes | where |\n|---|---|---|---|\n")
	for i := range rows {
		it := rows[i].first()
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", symbol(it), p.who(&rows[i], links), p.what(it), p.where(it, links))
	}
	return b.String() + "\n"
}

// where is the place of a deployment in its file.
func (p *page) where(it *Item, link bool) string {
	if it.File == "" || it.Line <= 0 {
		return ""
	}
	text := Code(fmt.Sprintf("%s:%d", cut(p.Prefix+it.File, 80), it.Line))
	if !link || p.Blob == "" {
		return text
	}
	return Link(text, fmt.Sprintf("%s%s#L%d", p.Blob, escapePath(p.Prefix+it.File), it.Line))
}

func escapePath(s string) string {
	return strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(s)
}

// names is the index as bare names, for plans of very many different changes.
func (p *page) names(rows []group, limit int) string {
	var b strings.Builder
	sign := ""
	for i := range rows {
		entry := ", "
		if s := symbol(rows[i].first()); s != sign {
			sign = s
			entry = fmt.Sprintf("\n\n`%s` ", s)
		}
		entry += p.who(&rows[i], false)
		if b.Len()+len(entry) > limit-100 {
			more := 0
			for _, g := range rows[i:] {
				more += len(g.items)
			}
			return strings.TrimLeft(b.String(), "\n") + fmt.Sprintf(", and %d more\n\n", more)
		}
		b.WriteString(entry)
	}
	return strings.TrimLeft(b.String(), "\n") + "\n\n"
}

// what is a cell that says in a few words what happens to a deployment.
func (p *page) what(it *Item) string {
	switch {
	case it.failed():
		return string(it.Outcome) + ": " + Code(cut(firstLine(it.Error), 80))
	case it.Action == plan.Delete:
		return "no longer declared" + strings.Replace(it.Takes(), ", with ", "; ", 1)
	case it.Action == plan.Create:
		return strings.Join(append([]string{"new"}, highlights(it)...), ", ")
	}
	var parts []string
	if it.RenamedFrom != "" {
		parts = append(parts, "renamed from "+name(it.RenamedFrom))
	}
	const most = 4
	for i := range it.Changes {
		c := &it.Changes[i]
		if c.Path == "name" && it.RenamedFrom != "" {
			continue
		}
		if len(parts) == most && len(it.Changes)-i > 1 {
			parts = append(parts, fmt.Sprintf("%d more", len(it.Changes)-i))
			break
		}
		parts = append(parts, Code(cut(c.Path, 60))+suffix(c.Value))
	}
	return strings.Join(parts, ", ")
}

func suffix(k plan.Kind) string {
	switch k {
	case plan.Sensitive:
		return " (sensitive)"
	case plan.AfterBuild:
		return " (after build)"
	}
	return ""
}

// highlights are what one wants to know of a new deployment at once: when it runs and where.
func highlights(it *Item) []string {
	var out []string
	schedules := 0
	for i := range it.Changes {
		c := &it.Changes[i]
		switch {
		case strings.HasPrefix(c.Path, "schedules["):
			if schedules++; schedules > 1 {
				continue
			}
			kind := c.Path[strings.LastIndexAny(c.Path, ".]")+1:]
			if kind == "" {
				kind = "schedule"
			}
			out = append(out, strings.TrimRight(kindWord(kind)+" "+brief(c), " "))
		case c.Path == "work_pool_name":
			out = append(out, "pool "+brief(c))
		}
	}
	if schedules > 1 {
		out = append(out, diag.Count(schedules-1, "more schedule"))
	}
	return out
}

// kindWord is the kind of a schedule, if it is one.
func kindWord(s string) string {
	switch s {
	case "cron", "interval", "rrule":
		return s
	}
	return "schedule"
}

// brief is a value in a cell.
func brief(c *Change) string {
	switch c.Value {
	case plan.Sensitive:
		return "(sensitive)"
	case plan.AfterBuild:
		return "(after build)"
	case NotHere:
		return "(not known here)"
	}
	text := string(c.After.AppendJSON(nil))
	if c.After.Kind == value.Text {
		text = c.After.Text
	}
	return Code(cut(text, 60))
}

// details is the fold with a group's changes; left is how many of them had no room in it.
func (p *page) details(g *group) (text string, left int) {
	it := g.first()
	if len(it.Changes) == 0 {
		return "", 0
	}
	diff, left := diffOf(it.Changes, len(g.items) == 1, p.Budget/5)
	var b strings.Builder
	title := "<b>" + codeHTML(cut(it.Name, longestName)) + "</b>"
	if n := len(g.items); n > 1 {
		title = fmt.Sprintf("<b>%d deployments</b> alike · %s", n, fieldsOf(it))
	} else {
		title += " · " + diag.Count(len(it.Changes), map[bool]string{true: "field", false: "change"}[it.Action == plan.Create])
	}
	fmt.Fprintf(&b, "<details%s><summary><code>%s</code> %s</summary>\n\n", p.open(), symbol(it), title)
	if p.places && len(g.items) == 1 {
		if where := strings.Trim(p.linked(it, it.URL != "")+" · "+p.where(it, true), " ·"); where != "" {
			b.WriteString(where + "\n\n")
		}
	}
	b.WriteString(fenced("diff", diff))
	if left > 0 {
		fmt.Fprintf(&b, "\n%s more not shown.\n", diag.Count(left, "change"))
	}
	if it.ScheduledRuns > 0 && len(g.items) == 1 {
		fmt.Fprintf(&b, "\nDrops %s; the server makes them anew.\n", diag.Count(it.ScheduledRuns, "scheduled run"))
	}
	if lost := it.lost(); lost != "" && len(g.items) == 1 { // a rename is never alike with another
		b.WriteString("\n" + lost + ".\n")
	}
	if len(g.items) > 1 {
		b.WriteString("\n" + listed(g.items, p.Budget/5))
	}
	b.WriteString("</details>\n\n")
	return b.String(), left
}

// open unfolds the changes where there are so few that unfolding would be all that a reader does.
func (p *page) open() string {
	const few = 2
	if len(p.groups) <= few {
		return " open"
	}
	return ""
}

// listed is all names of a group, as far as they take limit bytes.
func listed(items []Item, limit int) string {
	var b strings.Builder
	for i := range items {
		entry := name(items[i].Name)
		if i > 0 {
			entry = ", " + entry
		}
		if b.Len()+len(entry) > limit {
			fmt.Fprintf(&b, ", and %d more", len(items)-i)
			break
		}
		b.WriteString(entry)
	}
	return b.String() + "\n\n"
}

// rebuilt folds the names of those that only take what the build gives.
func (p *page) rebuilt() string {
	var list []Item
	for _, it := range ordered(p.Deployments) {
		if it.Action == plan.Rebuild && !it.failed() {
			list = append(list, it)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf("<details><summary><code>↻</code> %s</summary>\n\n%s</details>\n\n", diag.Count(len(list), "deployment")+map[bool]string{true: " rebuilt", false: " to rebuild"}[p.Done], listed(list, p.Budget/5))
}

// stepTable folds what became of the steps.
func (p *page) stepTable() string {
	if len(p.Steps) == 0 {
		return ""
	}
	var b strings.Builder
	ran, bad := 0, 0
	rows := func(s *Step) {
		result := outputsText(s.Outputs)
		if s.Error != "" {
			result = firstLine(s.Error)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %.1f&nbsp;s | %s |\n", stepSymbol(s.Outcome), name(s.Key), name(shortName(s.Function)), s.Seconds, Code(cut(result, 200)))
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Outcome == "failed" {
			bad++
		}
		ran++
		rows(s)
	}
	title := diag.Count(ran, "step")
	if bad > 0 {
		title += fmt.Sprintf(" · %d failed", bad)
	}
	return "<details><summary>" + title + "</summary>\n\n| | step | function | time | result |\n|---|---|---|--:|---|\n" + b.String() + "\n</details>\n\n"
}

func stepSymbol(outcome string) string {
	switch outcome {
	case "failed":
		return "✗"
	case "skipped":
		return "⊘"
	}
	return "✓"
}
