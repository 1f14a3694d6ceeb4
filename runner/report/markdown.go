// Markdown for the job's summary. Text from the file and the server stands only in code, where nothing in it is a mention, a link or HTML.
package report

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// Markdown is the plan, or with done what became of it.
func Markdown(p *plan.Plan, done bool) string {
	var b strings.Builder
	c := p.Count()
	what := counts(c)
	if done {
		what = past(c)
	}
	if what == "" {
		what = "no deployments"
	}
	title := "Prefect plan"
	if done {
		title = "Prefect deploy"
	}
	fmt.Fprintf(&b, "### %s: %s\n\nagainst %s\n\n", title, what, Code(p.State))
	if c.Failed > 0 {
		fmt.Fprintf(&b, "> [!WARNING]\n> %d of %d failed or were skipped.\n\n", c.Failed, len(p.Deployments))
	}
	table(&b, p)
	for _, d := range ordered(p.Deployments) {
		details(&b, d)
	}
	steps(&b, p.Steps)
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "- %s\n", Code(n))
	}
	return b.String()
}

func table(b *strings.Builder, p *plan.Plan) {
	rows := 0
	for _, d := range ordered(p.Deployments) {
		if d.Action == plan.Unchanged && d.Error == "" {
			continue
		}
		if rows == 0 {
			b.WriteString("| | deployment | what changes | |\n|---|---|---|---|\n")
		}
		rows++
		place := ""
		if d.Desired != nil {
			at := d.Desired.Resolved.Position(d.Desired.Resolved.Spec.Pos)
			if at.Line > 0 {
				place = Code(fmt.Sprintf("%s:%d", at.File, at.Line))
			}
		}
		name := Code(d.Name.String())
		if d.URL != "" && strings.HasPrefix(d.URL, "http") {
			name = fmt.Sprintf("[%s](%s)", name, d.URL)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", symbols[d.Action], cell(name), cell(whatChanges(d)), cell(place))
	}
	if rows > 0 {
		b.WriteString("\n")
	}
}

// cell keeps a table's row in one piece.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func whatChanges(d *plan.Deployment) string {
	switch {
	case d.Error != "":
		return string(d.Outcome) + ": " + Code(d.Error)
	case d.Action == plan.Create:
		return "new"
	}
	const most = 4
	var parts []string
	for i, c := range d.Changes {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(d.Changes)-most))
			break
		}
		parts = append(parts, Code(c.Path))
	}
	return strings.Join(parts, ", ")
}

func details(b *strings.Builder, d *plan.Deployment) {
	if len(d.Changes) == 0 {
		return
	}
	var body strings.Builder
	for _, c := range d.Changes {
		fmt.Fprintf(&body, "  %s\n", diag.Clean(c.Path))
		switch c.ValueKind() {
		case plan.Sensitive:
			body.WriteString("!   (sensitive)\n")
		case plan.AfterBuild:
			body.WriteString("!   known after build\n")
		default:
			diffLine(&body, "-", c.Before)
			diffLine(&body, "+", c.After)
		}
	}
	fence := Fence(body.String())
	fmt.Fprintf(b, "<details><summary><code>%s</code> <b>%s</b> · %s</summary>\n\n%sdiff\n%s%s\n</details>\n\n", symbols[d.Action], HTML(d.Name.String()),
		diag.Count(len(d.Changes), "change"), fence, body.String(), fence)
}

func diffLine(b *strings.Builder, sign string, v value.Value) {
	if !v.IsNull() {
		fmt.Fprintf(b, "%s   %s\n", sign, Show(v))
	}
}

func steps(b *strings.Builder, list []plan.Step) {
	if len(list) == 0 {
		return
	}
	b.WriteString("| step | outcome | seconds |\n|---|---|---|\n")
	for _, s := range list {
		outcome := s.Outcome
		if s.Error != "" {
			outcome += ": " + Code(s.Error)
		}
		fmt.Fprintf(b, "| %s | %s | %.1f |\n", cell(Code(s.Key)), cell(outcome), s.Seconds)
	}
	b.WriteString("\n")
}

// Code puts text into inline code, with a fence longer than any run of backticks inside.
func Code(s string) string {
	s = diag.Clean(s)
	if s == "" {
		return ""
	}
	ticks := strings.Repeat("`", longestRun(s)+1)
	pad := ""
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		pad = " "
	}
	return ticks + pad + s + pad + ticks
}

// Fence is a fence longer than any run of backticks in the text.
func Fence(s string) string { return strings.Repeat("`", max(3, longestRun(s)+1)) }

func longestRun(s string) int {
	longest, run := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] == '`' {
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	return longest
}

// HTML escapes text for use inside an HTML element; @ and # can't become mentions there.
func HTML(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "@", "&#64;", "#", "&#35;", "`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;").Replace(diag.Clean(s))
}
