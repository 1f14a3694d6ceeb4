// Package report shows a plan: on a terminal, as Markdown for a job's summary. Both say the same in the same order, and neither knows what a forge is.
//
// Everything from a file or a server is cleaned before it is shown, and sensitive values never get here as text: the plan marks them.
package report

import (
	"fmt"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// longest is how much of a value is shown on one line.
const longest = 100

var symbols = map[plan.Action]string{plan.Create: "+", plan.Update: "±", plan.Rebuild: "↻", plan.Delete: "−", plan.Unchanged: "="}

// Text is the plan for a terminal or a log. done says that it was carried out; what is then said is what was done.
func Text(p *plan.Plan, done bool, elapsed string) string {
	var b strings.Builder
	stepLines(&b, p.Steps)
	unchanged := 0
	for _, d := range ordered(p.Deployments) {
		if d.Action == plan.Unchanged && d.Outcome != plan.Failed && d.Outcome != plan.Skipped {
			unchanged++
			continue
		}
		line := fmt.Sprintf(" %s %s", symbols[d.Action], diag.Clean(d.Name.String()))
		switch d.Outcome {
		case plan.Failed:
			line = fmt.Sprintf(" ✗ %s: %s", diag.Clean(d.Name.String()), diag.Clean(d.Error))
		case plan.Skipped:
			line = fmt.Sprintf(" - %s: skipped, %s", diag.Clean(d.Name.String()), diag.Clean(d.Error))
		}
		b.WriteString(line + "\n")
		if d.Outcome == plan.Failed || d.Outcome == plan.Skipped {
			continue
		}
		for _, c := range d.Changes {
			b.WriteString(changeText(&c))
		}
		if d.Action == plan.Create && d.Desired != nil {
			b.WriteString(creationText(d.Desired))
		}
	}
	if unchanged > 0 {
		fmt.Fprintf(&b, " = %d unchanged\n", unchanged)
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, " · %s\n", diag.Clean(n))
	}
	b.WriteString(Summary(p, done, elapsed) + "\n")
	return b.String()
}

// stepLines shows what became of each step, with its outputs as far as they are short and no secret.
func stepLines(b *strings.Builder, list []plan.Step) {
	width, function := 0, 0
	for _, s := range list {
		width = max(width, len([]rune(s.Key)))
		function = max(function, len(shortName(s.Function)))
	}
	for _, s := range list {
		symbol, tail := "✓", outputsText(s.Outputs)
		switch s.Outcome {
		case "failed":
			symbol, tail = "✗", firstLine(s.Error)
		case "skipped":
			symbol, tail = "-", firstLine(s.Error)
		}
		line := fmt.Sprintf(" %s %-*s  %-*s  %5.1f s  %s", symbol, width, diag.Clean(s.Key), function, shortName(s.Function), s.Seconds, tail)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func shortName(function string) string { return diag.Clean(function[strings.LastIndexByte(function, '.')+1:]) }

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return diag.Clean(line)
}

// outputsText is the image that was built, or else what fits on the line.
func outputsText(v value.Value) string {
	if image, ok := v.Get("image"); ok && image.Kind == value.Text {
		return Show(image)
	}
	var parts []string
	for _, e := range v.Map {
		if !e.Value.Truthy() {
			continue
		}
		text := Show(e.Value)
		if e.Value.Kind == value.Text {
			text = strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
		}
		if len([]rune(text)) > 40 {
			text = string([]rune(text)[:39]) + "…"
		}
		parts = append(parts, diag.Clean(e.Key)+"="+text)
	}
	return strings.Join(parts, " ")
}

// ordered puts creations first, then by name.
func ordered(list []*plan.Deployment) []*plan.Deployment {
	out := append([]*plan.Deployment(nil), list...)
	rank := map[plan.Action]int{plan.Delete: 0, plan.Create: 1, plan.Update: 2, plan.Rebuild: 3, plan.Unchanged: 4}
	sort.SliceStable(out, func(i, j int) bool {
		if a, b := rank[out[i].Action], rank[out[j].Action]; a != b {
			return a < b
		}
		return out[i].Name.String() < out[j].Name.String()
	})
	return out
}

func changeText(c *plan.Change) string {
	path := diag.Clean(c.Path)
	switch c.ValueKind() {
	case plan.Sensitive:
		return fmt.Sprintf("     %s: (sensitive)\n", path)
	case plan.AfterBuild:
		return fmt.Sprintf("     %s: known after build\n", path)
	}
	return fmt.Sprintf("     %s: %s → %s%s\n", path, Show(c.Before), Show(c.After), lineOf(c))
}

func lineOf(c *plan.Change) string {
	if c.Pos.Line == 0 {
		return ""
	}
	return fmt.Sprintf("   (line %d)", c.Pos.Line)
}

func creationText(d *plan.Desired) string {
	var parts []string
	for i := range d.Schedules {
		parts = append(parts, scheduleText(&d.Schedules[i]))
	}
	if pool, _ := d.Fields.Get("work_pool_name"); !pool.IsNull() {
		parts = append(parts, "pool "+Show(pool))
	}
	if len(parts) == 0 {
		return ""
	}
	return "     " + strings.Join(parts, ", ") + "\n"
}

func scheduleText(s *plan.Schedule) string {
	for _, kind := range []string{"cron", "interval", "rrule"} {
		if v, ok := s.Source.Get(kind); ok && !v.IsNull() {
			return kind + " " + Show(v)
		}
	}
	return "a schedule"
}

// Show is a value on one line: sensitive parts hidden, long ones cut.
func Show(v value.Value) string {
	if v.Marks().Has(value.Sensitive) {
		return "(sensitive)"
	}
	text := diag.Clean(string(v.AppendJSON(nil)))
	if r := []rune(text); len(r) > longest {
		return string(r[:longest-1]) + "…"
	}
	return text
}

// Summary is the last line: what was or will be done, against what.
func Summary(p *plan.Plan, done bool, elapsed string) string {
	c := p.Count()
	if !done {
		if !p.Changes() {
			return fmt.Sprintf("No changes: %s as %s has %s.", count(c.Unchanged), diag.Clean(p.State), them(c.Unchanged))
		}
		return fmt.Sprintf("Plan: %s against %s.", counts(c), diag.Clean(p.State))
	}
	if elapsed != "" {
		elapsed = " in " + elapsed
	}
	switch {
	case c.Failed > 0:
		return fmt.Sprintf("%d of %d failed; %s at %s%s. Running it again continues where it stopped.", c.Failed, len(p.Deployments), applied(p), diag.Clean(p.State), elapsed)
	case !p.Changes():
		return fmt.Sprintf("%s unchanged, nothing was written to %s%s.", count(c.Unchanged), diag.Clean(p.State), elapsed)
	}
	return fmt.Sprintf("Applied to %s%s: %s.", diag.Clean(p.State), elapsed, past(c))
}

func applied(p *plan.Plan) string {
	n := 0
	for _, d := range p.Deployments {
		if d.Outcome == plan.Applied && d.Action != plan.Unchanged {
			n++
		}
	}
	return fmt.Sprintf("%d applied", n)
}

func count(n int) string { return diag.Count(n, "deployment") }

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func counts(c plan.Counts) string {
	return nonZero([]int{c.Create, c.Update, c.Rebuild, c.Delete, c.Unchanged}, []string{"to create", "to update", "to rebuild", "to delete", "unchanged"})
}

func past(c plan.Counts) string {
	return nonZero([]int{c.Create, c.Update, c.Rebuild, c.Delete, c.Unchanged}, []string{"created", "updated", "rebuilt", "deleted", "unchanged"})
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
