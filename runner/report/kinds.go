// A plan that changes a hundred deployments in a hundred ways is still read by kind: sixty take another cron line, forty another image and one more parameter. So past a number
// of rows that one reads, the index has a row for each kind (the same action on the same fields, whatever the values), and each kind has one fold in which its deployments stand one
// below the other:
//
//	| ± 60 | schedules[0].cron | report/accra and 59 more |
//
//	# report/accra    (prefect.yaml:2081)
//	  schedules[0].cron
//	-   9 0 * * *
//	+   9 6 * * *
//
// What has no room is cut by whole deployments, and their names stay.
package report

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// mostRows is how many rows of an index one reads.
const mostRows = 40

// kind is one or several groups to which the same happens.
type kind struct {
	sign, what string
	groups     []group
}

func (k *kind) count() int {
	n := 0
	for i := range k.groups {
		n += len(k.groups[i].items)
	}
	return n
}

// kindsOf sorts groups into kinds, in order of each kind's first. A group of several that are alike is a kind of its own.
func (p *page) kindsOf(list []group) []kind {
	var out []kind
	index := map[string]int{}
	for _, g := range list {
		it := g.first()
		k := kind{symbol(it), p.what(it), []group{g}}
		switch {
		case it.failed():
		case it.Action == plan.Create:
			k.what = "new"
		case it.Action == plan.Delete:
			k.what = "no longer declared"
		}
		key := k.sign + k.what
		if at, ok := index[key]; ok && len(g.items) == 1 {
			out[at].groups = append(out[at].groups, g)
			continue
		}
		if len(g.items) == 1 {
			index[key] = len(out)
		}
		out = append(out, k)
	}
	return out
}

// kindTable is the index by kinds.
func (p *page) kindTable() string {
	var b strings.Builder
	b.WriteString("| | what changes | deployments |\n|---|---|---|\n")
	for i := range p.kinds {
		k := &p.kinds[i]
		all := group{}
		for _, g := range k.groups {
			all.items = append(all.items, g.items...)
		}
		fmt.Fprintf(&b, "| `%s`&nbsp;%d | %s | %s |\n", k.sign, len(all.items), k.what, p.who(&all, false))
	}
	return b.String() + "\n"
}

// folds are the changes by kinds, each cut in proportion to what all would take; hidden is how many deployments' changes are not there.
func (p *page) kindFolds() (text string, hidden int) {
	whole, total := make([]string, len(p.kinds)), 0
	for i := range p.kinds {
		whole[i], _ = p.kindFold(&p.kinds[i], 1<<62)
		total += len(whole[i])
	}
	var b strings.Builder
	for i := range p.kinds {
		limit := p.room
		if total > p.room && total > 0 {
			limit = p.room * len(whole[i]) / total
		}
		total -= len(whole[i])
		section, missing := whole[i], 0
		if len(section) > limit {
			section, missing = p.kindFold(&p.kinds[i], limit)
		}
		taken := p.take(section)
		if taken == "" && section != "" {
			missing = p.kinds[i].count()
		}
		b.WriteString(taken)
		hidden += missing
	}
	return b.String(), hidden
}

// kindFold is the fold of a kind in at most limit bytes (one that names alone would overrun may be longer by a line).
func (p *page) kindFold(k *kind, limit int) (text string, hidden int) {
	if len(k.groups) == 1 {
		text, left := p.details(&k.groups[0])
		if left > 0 {
			hidden = len(k.groups[0].items)
		}
		return text, hidden
	}
	if len(k.groups[0].first().Changes) == 0 {
		return "", 0
	}
	open := fmt.Sprintf("<details><summary><code>%s</code> <b>%s</b> · %s</summary>\n\n", k.sign, diag.Count(len(k.groups), "deployment"), fieldsOf(k.groups[0].first()))
	const frame = 200 // closing lines, the fence, and what introduces the names
	blocks, names := make([]string, len(k.groups)), make([]Item, len(k.groups))
	for i := range k.groups {
		names[i] = *k.groups[i].first()
		blocks[i] = p.block(&names[i])
	}
	shown := fitting(blocks, names, limit-len(open)-frame)
	if shown > 0 {
		open += fenced("diff", strings.Join(blocks[:shown], ""))
	}
	if shown < len(names) {
		open += "\nNot shown for want of room: " + listed(names[shown:], max(0, limit-len(open)-frame))
	}
	return open + "</details>\n\n", len(names) - shown
}

// fitting is how many blocks fit when the names of the others have to fit too.
func fitting(blocks []string, names []Item, limit int) int {
	rest := 0
	for i := range names {
		rest += len(name(names[i].Name)) + 2
	}
	used, fit := 0, 0
	for i := range blocks {
		used += len(blocks[i])
		rest -= len(name(names[i].Name)) + 2
		if used+rest <= limit {
			fit = i + 1
		}
	}
	return fit
}

// block is one deployment within a kind's diff.
func (p *page) block(it *Item) string {
	diff, left := diffOf(it.Changes, true, p.Budget/20)
	head := "# " + cut(it.Name, longestName)
	if it.File != "" && it.Line > 0 {
		head += fmt.Sprintf("    (%s:%d)", cut(p.Prefix+it.File, 80), it.Line)
	}
	if left > 0 {
		diff += fmt.Sprintf("!   … %s\n", diag.Count(left, "more change"))
	}
	return head + "\n" + diff
}

// fieldsOf says in a fold's title which fields its deployments change, as HTML.
func fieldsOf(it *Item) string {
	if it.Action == plan.Create {
		return "new"
	}
	const most = 3
	var parts []string
	for i := range it.Changes {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(it.Changes)-i))
			break
		}
		parts = append(parts, codeHTML(cut(it.Changes[i].Path, 60)))
	}
	return strings.Join(parts, ", ")
}
