// One deployment's changes as a diff. On a forge only the first character of a line colours it (+ - !), so values stand in from the margin behind a sign of ours, and nothing of
// theirs ever stands in the first column.
//
//	  schedules[0].cron
//	-   0 0 * * *
//	+   0 6 * * *    (Europe/Berlin; next: Wed 25 Nov 06:00, Thu 26 Nov 06:00)
//	  description
//	    Reads the day's orders.
//	-   Runs at midnight.
//	+   Runs at six.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// What is shown of one value: more is said to be more.
const (
	longestLine = 240 // characters
	mostLines   = 40
	oneLine     = 100 // a mapping or list up to this many characters stands on one line
)

// diffOf writes changes until limit bytes are reached; left is how many did not fit.
func diffOf(changes []Change, places bool, limit int) (body string, left int) {
	var b strings.Builder
	for i := range changes {
		text := changeDiff(&changes[i], places)
		if b.Len()+len(text) > limit {
			return b.String(), len(changes) - i
		}
		b.WriteString(text)
	}
	return b.String(), 0
}

func changeDiff(c *Change, place bool) string {
	var b strings.Builder
	b.WriteString("  " + cut(c.Path, longestLine))
	if place && c.Line > 0 {
		fmt.Fprintf(&b, "    (line %d)", c.Line)
	}
	b.WriteString("\n")
	switch c.Value {
	case plan.Sensitive:
		b.WriteString("!   (sensitive)\n")
	case NotHere:
		b.WriteString("!   from a variable that is not set here\n")
	case plan.AfterBuild:
		write(&b, "-", lines(c.Before))
		b.WriteString("!   known after build\n")
	default:
		writeKnown(&b, c)
	}
	return b.String()
}

func writeKnown(b *strings.Builder, c *Change) {
	before, after := lines(c.Before), lines(c.After)
	if bare(c) {
		before, after = bareLines(c.Before), bareLines(c.After)
	}
	if len(before) > 1 && len(after) > 1 {
		writePatch(b, before, after)
		return
	}
	write(b, "-", before)
	if len(after) > 0 {
		after[len(after)-1] += times(c)
	}
	write(b, "+", after)
}

// bare reports whether a change is of a schedule's timing: crontab's own line reads better without quotes.
func bare(c *Change) bool {
	return strings.HasPrefix(c.Path, "schedules[") && (strings.HasSuffix(c.Path, ".cron") || strings.HasSuffix(c.Path, ".rrule") || strings.HasSuffix(c.Path, ".timezone") || strings.HasSuffix(c.Path, "]"))
}

func bareLines(v value.Value) []string {
	if v.Kind == value.Text && !strings.Contains(v.Text, "\n") && v.Text != "" {
		return clip([]string{v.Text})
	}
	return lines(v)
}

func write(b *strings.Builder, sign string, list []string) {
	for i, l := range list {
		if i == mostLines {
			fmt.Fprintf(b, "!   … %d more lines\n", len(list)-i)
			return
		}
		b.WriteString(sign + "   " + l + "\n")
	}
}

// lines is a value as it is shown: text of several lines as such, short data as JSON on one line, other data as JSON over several. Null is nothing.
func lines(v value.Value) []string {
	switch {
	case v.IsNull():
		return nil
	case v.Kind == value.Text && strings.Contains(v.Text, "\n"):
		return clip(strings.Split(strings.TrimSuffix(v.Text, "\n"), "\n"))
	case (v.Kind == value.List && len(v.List) > 0) || (v.Kind == value.Map && len(v.Map) > 0):
		if text := string(v.AppendJSON(nil)); utf8.RuneCountInString(text) <= oneLine {
			return clip([]string{text})
		}
		return clip(pretty(nil, "", "", "", v))
	}
	return clip([]string{string(v.AppendJSON(nil))})
}

func clip(list []string) []string {
	for i := range list {
		list[i] = cut(list[i], longestLine)
	}
	return list
}

// pretty is JSON with one item a line.
func pretty(out []string, indent, before, after string, v value.Value) []string {
	switch {
	case v.Kind == value.List && len(v.List) > 0:
		out = append(out, indent+before+"[")
		for i := range v.List {
			out = pretty(out, indent+"  ", "", comma(i, len(v.List)), v.List[i])
		}
		return append(out, indent+"]"+after)
	case v.Kind == value.Map && len(v.Map) > 0:
		out = append(out, indent+before+"{")
		for i := range v.Map {
			key := string(value.Of(v.Map[i].Key).AppendJSON(nil))
			out = pretty(out, indent+"  ", key+": ", comma(i, len(v.Map)), v.Map[i].Value)
		}
		return append(out, indent+"}"+after)
	}
	return append(out, indent+before+string(v.AppendJSON(nil))+after)
}

func comma(i, n int) string {
	if i < n-1 {
		return ","
	}
	return ""
}

// times is the note beside a schedule: its zone, and when it runs next.
func times(c *Change) string {
	var parts []string
	if c.Zone != "" {
		parts = append(parts, cut(c.Zone, 60))
	}
	if len(c.Next) > 0 {
		parts = append(parts, "next: "+strings.Join(moments(c.Next), ", "))
	}
	if len(parts) == 0 {
		return ""
	}
	return "    (" + strings.Join(parts, "; ") + ")"
}

// moments are run times in the zone that they carry: the day once, seconds only where there are some.
func moments(list []time.Time) []string {
	var out []string
	for i, t := range list {
		if i == 3 {
			break
		}
		day, clock := "Mon 2 Jan ", "15:04"
		if t.Second() != 0 {
			clock = "15:04:05"
		}
		if i > 0 && t.Format(day) == list[i-1].Format(day) {
			day = ""
		}
		out = append(out, t.Format(day+clock))
	}
	return out
}

// writePatch shows only the lines that differ of two texts or mappings, with a line around them.
func writePatch(b *strings.Builder, before, after []string) {
	ops := compare(before, after)
	written := 0
	for i, op := range ops {
		near := op.sign != ' ' || (i > 0 && ops[i-1].sign != ' ') || (i < len(ops)-1 && ops[i+1].sign != ' ')
		if !near {
			if i == 0 || nearby(ops, i-1) {
				b.WriteString("    …\n")
			}
			continue
		}
		if written++; written > 2*mostLines {
			b.WriteString("!   … more lines differ\n")
			return
		}
		b.WriteString(string(op.sign) + "   " + op.text + "\n")
	}
}

func nearby(ops []lineOp, i int) bool {
	return ops[i].sign != ' ' || (i > 0 && ops[i-1].sign != ' ') || (i < len(ops)-1 && ops[i+1].sign != ' ')
}

type lineOp struct {
	sign byte
	text string
}

// compare is the classic longest common subsequence, after what is equal at both ends is set aside. Texts too long for its square table are shown whole, one after the other.
func compare(before, after []string) []lineOp {
	const most = 400
	var head, tail []lineOp
	for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		head = append(head, lineOp{' ', before[0]})
		before, after = before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
		tail = append(tail, lineOp{' ', before[len(before)-1]})
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	slices.Reverse(tail)
	if len(before) > most || len(after) > most {
		before, after = before[:min(len(before), most)], after[:min(len(after), most)]
		for _, l := range before {
			head = append(head, lineOp{'-', l})
		}
		for _, l := range after {
			head = append(head, lineOp{'+', l})
		}
		return append(head, tail...)
	}
	return append(append(head, walk(table(before, after), before, after)...), tail...)
}

// table[i][j] is the length of the longest common part of before[i:] and after[j:].
func table(before, after []string) [][]int {
	t := make([][]int, len(before)+1)
	for i := range t {
		t[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			if before[i] == after[j] {
				t[i][j] = t[i+1][j+1] + 1
			} else {
				t[i][j] = max(t[i+1][j], t[i][j+1])
			}
		}
	}
	return t
}

func walk(t [][]int, before, after []string) []lineOp {
	var out []lineOp
	i, j := 0, 0
	for i < len(before) || j < len(after) {
		switch {
		case i < len(before) && j < len(after) && before[i] == after[j]:
			out = append(out, lineOp{' ', before[i]})
			i, j = i+1, j+1
		case j == len(after) || (i < len(before) && t[i+1][j] >= t[i][j+1]):
			out = append(out, lineOp{'-', before[i]})
			i++
		default:
			out = append(out, lineOp{'+', after[j]})
			j++
		}
	}
	return out
}
