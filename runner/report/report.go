// Package report shows a plan: on a terminal, as a pull request's comment, as a job's summary. All say the same in the same order, and none knows what a forge is.
//
// A plan becomes a View first, in which no secret is left; every surface is drawn from that, and everything in it that comes from a file or a server is made harmless for the
// surface where it is shown.
package report

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// Text is the plan for a log, in lines as long as they come. done says that it was carried out; what is then said is what was done.
func Text(p *plan.Plan, done bool, elapsed string) string {
	return Of(p).Terminal(Terminal{Done: done, Elapsed: elapsed})
}

// Summary is the last line of that: what was or will be done, against what.
func Summary(p *plan.Plan, done bool, elapsed string) string {
	return Of(p).summary(Terminal{Done: done, Elapsed: elapsed})
}

// Terminal says how a plan is shown on a terminal.
type Terminal struct {
	// Done says that it was carried out, which took Elapsed.
	Done    bool
	Elapsed string
	// Width is the number of columns, 0 for as many as it takes.
	Width int
	// Color says that the terminal shows colours and nobody has asked for none (NO_COLOR).
	Color bool
}

// Terminal draws the view in columns.
func (v *View) Terminal(o Terminal) string {
	t := &terminal{Terminal: o, View: v}
	list := groups(v.Deployments, func(it *Item) bool { return it.shown() || it.Action == plan.Rebuild })
	t.column = t.firstColumn(list)
	t.steps()
	const mostRebuilt = 10
	rebuilt := v.tally(o.Done).rebuild
	for i := range list {
		if it := list[i].first(); it.Action != plan.Rebuild || it.failed() || rebuilt <= mostRebuilt {
			t.group(&list[i])
		}
	}
	t.rest(rebuilt > mostRebuilt)
	t.notes()
	t.line("", "", v.summary(o))
	return t.b.String()
}

type terminal struct {
	Terminal
	*View
	// column is how wide the names are: those of steps, and of the deployments that have their changes beside them.
	column int
	b      strings.Builder
}

// The colours of the signs.
const (
	red, green, yellow, dim, plain = "31", "32", "33", "2", ""
)

func signColor(sign string) string {
	switch sign {
	case "✗", "−", "⊘":
		return red
	case "✓", "+":
		return green
	case "±", "↻", "→":
		return yellow
	}
	return dim
}

// line writes text behind a sign; what is wider than the terminal goes on below, behind the same margin.
func (t *terminal) line(sign, indent, text string) {
	first, margin := "", indent
	if sign != "" {
		first, margin = " "+t.paint(sign, signColor(sign))+" ", indent+"   "
	} else {
		first = indent
	}
	room := 0
	if t.Width > 0 {
		room = max(20, t.Width-diag.Columns(margin))
	}
	for i, l := range wrap(text, room) {
		if i > 0 {
			first = margin + "  "
		}
		t.b.WriteString(strings.TrimRight(first+l, " ") + "\n")
	}
}

func (t *terminal) paint(s, color string) string {
	if !t.Color || color == plain {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (t *terminal) group(g *group) {
	it := g.first()
	if t.beside(it) {
		t.done(g)
		return
	}
	for i := range g.items {
		t.line(symbol(it), "", t.headline(&g.items[i]))
	}
	if it.failed() {
		t.line("", "     ", cut(firstLine(it.Error), 2000))
		return
	}
	if it.Action == plan.Create {
		t.creation(it)
		return
	}
	for i := range it.Changes {
		c := &it.Changes[i]
		if c.Path == "name" && it.RenamedFrom != "" {
			continue
		}
		t.line("", "     ", t.change(c, len(g.items) == 1))
	}
}

// beside tells whether a deployment is told in a line: what was done was planned before, with its values, and now is counted by the names of the fields.
func (t *terminal) beside(it *Item) bool {
	return t.Done && !it.failed() && it.RenamedFrom == "" && (it.Action == plan.Create || it.Action == plan.Update || it.Action == plan.Rebuild)
}

// done tells deployments that were written, a line each.
func (t *terminal) done(g *group) {
	const most = 6
	var paths []string
	for i := range g.first().Changes {
		if i == most {
			paths = append(paths, fmt.Sprintf("%d more", len(g.first().Changes)-most))
			break
		}
		paths = append(paths, cut(g.first().Changes[i].Path, longestName))
	}
	for i := range g.items {
		text := t.headline(&g.items[i])
		if g.first().Action != plan.Create && len(paths) > 0 {
			text = pad(text, t.column) + "  " + strings.Join(paths, ", ")
		}
		t.line(symbol(g.first()), "", text)
	}
}

func (t *terminal) headline(it *Item) string {
	text := cut(it.Name, longestName)
	switch {
	case it.failed():
		return text + " " + string(it.Outcome)
	case it.RenamedFrom != "":
		text = cut(it.RenamedFrom, longestName) + " → " + text
	case it.Action == plan.Delete && t.Done:
		text += " deleted"
	case it.Action == plan.Delete:
		text += " will be deleted"
	}
	if it.Action == plan.Delete {
		return text + it.Takes()
	}
	if it.ScheduledRuns > 0 {
		text += ", drops " + diag.Count(it.ScheduledRuns, "scheduled run") + " (the server makes them anew)"
	}
	if lost := it.lost(); lost != "" {
		text += "; " + lost
	}
	return text
}

func (t *terminal) change(c *Change, place bool) string {
	path := cut(c.Path, longestName)
	switch c.Value {
	case plan.Sensitive:
		return path + ": (sensitive)"
	case NotHere:
		return path + ": from a variable that is not set here"
	case plan.AfterBuild:
		return path + ": known after build"
	}
	text := path + ": " + Show(c.Before) + " → " + Show(c.After) + strings.Replace(times(c), "    (", "  (", 1)
	if place && c.Line > 0 {
		text += fmt.Sprintf("  (line %d)", c.Line)
	}
	return text
}

// creation says on a line when and where a new deployment runs.
func (t *terminal) creation(it *Item) {
	var parts []string
	for i := range it.Changes {
		c := &it.Changes[i]
		shown := Show(c.After)
		if c.Value != plan.Known {
			shown = "(" + string(c.Value) + ")"
		}
		switch {
		case strings.HasPrefix(c.Path, "schedules["):
			parts = append(parts, kindWord(c.Path[strings.LastIndexAny(c.Path, ".]")+1:])+" "+shown+strings.Replace(times(c), "    (", " (", 1))
		case c.Path == "work_pool_name":
			parts = append(parts, "pool "+shown)
		}
	}
	if len(parts) > 0 {
		t.line("", "     ", strings.Join(parts, ", "))
	}
}

// rest is one line for all that needs none of its own.
func (t *terminal) rest(rebuilt bool) {
	c := t.tally(t.Done)
	var parts []string
	if rebuilt {
		parts = append(parts, fmt.Sprintf("%d %s", c.rebuild, map[bool]string{true: "rebuilt", false: "to rebuild"}[t.Done]))
	}
	if c.unchanged > 0 {
		parts = append(parts, fmt.Sprintf("%d unchanged", c.unchanged))
	}
	if len(parts) > 0 {
		t.line("=", "", strings.Join(parts, ", "))
	}
}

func (t *terminal) notes() {
	for _, k := range t.Kept {
		t.line("·", "", cut(k, longestName)+" kept (not in prefect.yaml; --prune deletes it)")
	}
	for _, n := range t.Notes {
		t.line("·", "", diag.Clean(n))
	}
}

// summary is the last line: what was or will be done, against what.
func (v *View) summary(o Terminal) string {
	c, where := v.tally(o.Done), diag.Clean(withoutLogin(v.State))
	if !o.Done {
		switch {
		case c.changes() == 0 && c.unchanged == 0:
			return fmt.Sprintf("No changes to %s.", where)
		case c.changes() == 0:
			return fmt.Sprintf("No changes: %s as %s has %s.", count(c.unchanged), where, them(c.unchanged))
		}
		return fmt.Sprintf("Plan: %s against %s.", all(c), where)
	}
	in := ""
	if o.Elapsed != "" {
		in = " in " + diag.Clean(o.Elapsed)
	}
	switch bad := c.failed + c.skipped; {
	case v.Interrupted:
		return fmt.Sprintf("Interrupted: %d of %d not done; %d applied at %s%s. Running it again continues where it stopped.", bad, bad+c.applied, c.applied, where, in)
	case bad > 0:
		return fmt.Sprintf("%d of %d failed; %d applied at %s%s. Running it again continues where it stopped.", bad, bad+c.applied, c.applied, where, in)
	case c.changes() == 0:
		return fmt.Sprintf("%s unchanged, nothing was written to %s%s.", count(c.unchanged), where, in)
	}
	return fmt.Sprintf("Applied %s to %s%s: %s.", diag.Count(c.changes(), "change"), where, in, past(c))
}

// Show is a value on one line: sensitive parts hidden, long ones cut.
func Show(v value.Value) string {
	const longest = 100
	if v.Marks().Has(value.Sensitive) {
		return "(sensitive)"
	}
	if v.Kind == value.Text {
		v.Text = first(v.Text, longest+1)
	}
	return cut(string(v.AppendJSON(nil)), longest)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return diag.Clean(line)
}

func count(n int) string { return diag.Count(n, "deployment") }

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// counts are the changes that a person made, in the future; all adds what only the build changes and what stays.
func counts(c tally) string {
	return nonZero([]int{c.create, c.update, c.delete}, []string{"to create", "to update", "to delete"})
}

func all(c tally) string {
	return nonZero([]int{c.create, c.update, c.rebuild, c.delete, c.unchanged}, []string{"to create", "to update", "to rebuild", "to delete", "unchanged"})
}

func past(c tally) string {
	return nonZero([]int{c.create, c.update, c.rebuild, c.delete, c.unchanged}, []string{"created", "updated", "rebuilt", "deleted", "unchanged"})
}

func nonZero(numbers []int, words []string) string {
	var parts []string
	for i, n := range numbers {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words[i]))
		}
	}
	return strings.Join(parts, ", ")
}
