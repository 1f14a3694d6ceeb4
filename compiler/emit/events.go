// Which events a workflow answers, and which of them may write. The expression language of GitHub knows no patterns, so what `on` filters for a push has to be said once more, as far as it can be, for a start by hand: that
// can be asked for on any branch.
package emit

import (
	"strings"
)

const (
	// proposed and landed are the two kinds of events. A start by hand may be of a tag, which may be called as the default branch is, so it is the whole ref that counts.
	proposed = "github.event_name == 'pull_request' || github.event_name == 'merge_group'"
	landed   = "(github.event_name == 'push' || github.event_name == 'workflow_dispatch')"
	onMain   = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch) && " + landed
)

// lands is the condition of what writes: a push to a branch that deploys, or a start by hand on one.
func (g *github) lands() string {
	branches := g.settings.names("branches")
	if branches == nil {
		return onMain
	}
	return "(github.event_name == 'push' || github.event_name == 'workflow_dispatch' && " + onBranches(branches) + ")"
}

// starts are the pushes that start a run. Without a list of branches it is every branch's, as a file can't name the default branch: all jobs of such a run are skipped, and it takes no machine.
func (g *github) starts() []string {
	if branches := g.settings.names("branches"); branches != nil {
		return branches
	}
	return []string{"**"}
}

// idle is what is not to run for a push to a branch that deploys nothing, "" where none starts a run.
func (g *github) idle() string {
	if g.settings.names("branches") != nil {
		return ""
	}
	return " && (github.event_name != 'push' || github.ref_name == github.event.repository.default_branch)"
}

// required is the name of the last job. Branch protection takes a check of a commit by its name, whichever event reports it, so only the run that planned may report that name: a push to the same branch, a start by hand, or the
// closing of the pull request would else stand for the plan.
func (g *github) required() string {
	name := strings.TrimSpace("prefect " + g.subject())
	return "${{ (" + proposed + ") && github.event.action != 'closed' && " + quoted(name) + " || format(" + quoted(name+" ({0})") + ", github.event.action || github.event_name) }}"
}

// subject tells the workflows of one repository apart, in their names and so in their groups, and in the check that is required: the directory or the files, "" for the root's prefect.yaml.
func (in *Input) subject() string {
	if in.Within == "" && len(in.Patterns) == 1 && in.Patterns[0] == "prefect.yaml" {
		return ""
	}
	name := strings.Join(in.Patterns, " ")
	if in.Within != "" {
		name = in.Within + "/" + strings.Join(in.Patterns, " "+in.Within+"/")
	}
	name = strings.TrimSuffix(name, "/prefect.yaml")
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/._- ", r) || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, name)
	if plain == name && len(name) <= 60 {
		return name
	}
	return plain[:min(len(plain), 50)] + " " + digest(name)[:8]
}

// group is what at most one run is in at a time: all that write are in one, whichever branch they come from; the plans of a pull request, or of a place in the merge queue, are in one of its own.
func (g *github) group() string {
	return "prefect-${{ github.workflow }}-${{ " + g.lands() + " && 'deploy' || github.ref }}"
}

// onBranches is a condition for branches by their patterns: exact for a name, and by what stands before the first sign with a meaning for a pattern. Patterns with ! before them take branches away again.
func onBranches(patterns []string) string {
	var in, out []string
	for _, p := range patterns {
		name, not := strings.CutPrefix(p, "!")
		if strings.Contains(name, "{{") || strings.Contains(name, "}}") {
			continue // an expression can't hold it
		}
		c := "github.ref == " + quoted("refs/heads/"+name)
		if i := strings.IndexAny(name, "*?+["); i >= 0 {
			if i > 0 && (name[i] == '?' || name[i] == '+') {
				i-- // these say how often the sign before them may stand
			}
			c = "startsWith(github.ref, " + quoted("refs/heads/"+name[:i]) + ")"
		}
		switch {
		case !not:
			in = append(in, c)
		case strings.HasPrefix(c, "startsWith"):
			out = append(out, "!"+c)
		default:
			out = append(out, strings.Replace(c, "==", "!=", 1))
		}
	}
	if len(in) == 0 {
		return "false"
	}
	return strings.Join(append([]string{"(" + strings.Join(in, " || ") + ")"}, out...), " && ")
}

// quoted is a text in an expression.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
