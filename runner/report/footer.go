// The last line of a comment says what the plan is worth now, and is replaced when that changes: after the merge, when the pull request is closed. Where it stands in a comment, and
// how it is found again, is the forge's to know: a page for a comment is made without it (Meta.NoFooter), and both are handed over.
package report

import (
	"fmt"
	"strings"
)

// longestFooter is how many bytes a footer may have, so that one that comes later always fits.
const longestFooter = 2000

// Fate is what has become of a plan.
type Fate int

// The fates.
const (
	// Open: the plan waits for the merge.
	Open Fate = iota
	// Applying: a run has begun.
	Applying
	// Done: everything was carried out, or, with failures in the counts, a part.
	Done
	// NotApplied: merged, but nothing was written; Reason says why.
	NotApplied
	// Closed: the pull request was closed without a merge.
	Closed
	// Merged: merged, and nothing of it is to be carried out here, or not yet.
	Merged
	// Nothing: the plan holds nothing to do.
	Nothing
)

// Policy is what is done with a plan at the merge when the server has changed in between; the words are the action's.
type Policy string

// The policies.
const (
	Require Policy = "require"
	Warn    Policy = "warn"
	Ignore  Policy = "ignore"
)

// Footer is the last line of a comment.
type Footer struct {
	Fate   Fate
	Policy Policy
	// Run and RunURL name the run that did it: "run 124".
	Run, RunURL string
	// Result is what the run did: the view of its plan, needed for Done.
	Result *View
	// Elapsed is how long it took, as text: "41 s".
	Elapsed string
	// Reason is a sentence without its full stop.
	Reason string
}

// For is the footer under a plan: where the plan holds nothing to do, merging applies nothing.
func (f Footer) For(v *View) Footer {
	if f.Fate == Open && v.tally(false).changes() == 0 {
		f.Fate = Nothing
	}
	return f
}

// Markdown is the footer, one line of at most longestFooter bytes.
func (f Footer) Markdown() string {
	text := f.line()
	if len(text) > longestFooter-20 {
		text = f.short()
	}
	return "<sub>" + text + "</sub>\n"
}

func (f Footer) line() string {
	switch f.Fate {
	case Applying:
		return "⏳ Being applied" + f.in() + "."
	case Done:
		return f.done(3)
	case NotApplied:
		return "⚠️ Not applied" + f.because() + f.in() + "."
	case Closed:
		return "Closed without a merge: nothing of this was applied."
	case Nothing:
		return "There is nothing to apply."
	case Merged:
		return "Merged" + f.because() + "."
	}
	switch f.Policy {
	case Require:
		return "Merging applies this plan. It is refused if the server changes in between."
	case Warn:
		return "Merging applies this plan. If the server changes in between, the result says what was different."
	}
	return "Merging applies what the files say then, to the server as it is then."
}

// short is a line for texts that are too long.
func (f Footer) short() string {
	g := f
	g.Reason = cut(f.Reason, 200)
	if webAddress(g.RunURL) != g.RunURL || len(g.RunURL) > 300 {
		g.RunURL = ""
	}
	if f.Fate == Done {
		return g.done(0)
	}
	return g.line()
}

func (f Footer) in() string {
	run := cut(f.Run, 60)
	if run == "" {
		run = "run"
		if f.RunURL == "" {
			return ""
		}
	}
	return " in " + Link(prose(run), f.RunURL)
}

func (f Footer) because() string {
	if f.Reason == "" {
		return ""
	}
	return ": " + prose(f.Reason)
}

// done tells the result, naming up to most failures.
func (f Footer) done(most int) string {
	v := f.Result
	if v == nil {
		v = &View{}
	}
	t := v.tally(true)
	tail := ""
	if f.Elapsed != "" {
		tail = " in " + prose(cut(f.Elapsed, 20))
	}
	bad := t.failed + t.skipped
	if v.Interrupted {
		return fmt.Sprintf("❌ **Interrupted**%s: %d of %d not done, %d applied%s. Running the job again continues where it stopped.", f.in(), bad, bad+t.applied, t.applied, tail)
	}
	if bad > 0 {
		return fmt.Sprintf("❌ **%d of %d failed**%s%s. %d applied%s. Running the job again continues where it stopped.", bad, bad+t.applied, f.in(), v.failures(most), t.applied, tail)
	}
	if t.changes() == 0 {
		return "✅ Nothing was to be done" + f.in() + ": the server already held all of this."
	}
	return fmt.Sprintf("✅ Applied%s: %s%s. Nothing else was touched.", f.in(), past(t), tail)
}

// failures names what failed, and why.
func (v *View) failures(most int) string {
	var parts []string
	list := groups(v.Deployments, (*Item).failed)
	for i := range list {
		if i == most {
			parts = append(parts, fmt.Sprintf("%d more", len(list)-i))
			break
		}
		g := &list[i]
		who := name(g.first().Name)
		if n := len(g.items) - 1; n > 0 {
			who += fmt.Sprintf(" and %d more", n)
		}
		parts = append(parts, who+": "+Code(cut(firstLine(g.first().Error), 160)))
	}
	if most == 0 || len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}
