// Which branches of a project on GitLab deploy: x-ci.gitlab.branches, written as GitHub writes patterns of branches, so that both platforms mean the same by the same words.
package emit

import (
	"fmt"
	"strings"
)

// deploys is the condition of pipelines that write: those of the default branch, or of the branches that x-ci names. A merge request's pipeline has no CI_COMMIT_BRANCH and is none of them.
func (g *gitlab) deploys() string {
	var in, out []string
	for _, p := range g.settings.names("branches") {
		if name, not := strings.CutPrefix(p, "!"); not {
			out = append(out, expressionOf(name))
		} else {
			in = append(in, expressionOf(p))
		}
	}
	if g.settings.names("branches") == nil {
		return onDefault
	}
	condition := "$CI_COMMIT_BRANCH =~ /^(" + strings.Join(in, "|") + ")$/"
	if out != nil {
		condition += " && $CI_COMMIT_BRANCH !~ /^(" + strings.Join(out, "|") + ")$/"
	}
	return condition
}

// expressionOf is a pattern as a regular expression of RE2, GitLab's: * is any text without a slash, ** any text, ? and + say how often the sign before them stands, […] is one of some. A slash would end GitLab's own notation.
func expressionOf(pattern string) string {
	var b strings.Builder
	class := false
	for i, r := range pattern {
		switch {
		case class:
			class = r != ']'
			b.WriteString(sign(r, "]"))
		case r == '[' && strings.Contains(pattern[i:], "]"):
			class = true
			b.WriteByte('[')
		case r == '*' && strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
		case r == '*' && strings.HasSuffix(pattern[:i], "*"):
		case r == '*':
			b.WriteString(`[^\x2f]*`)
		case (r == '?' || r == '+') && i > 0 && !strings.HasSuffix(pattern[:i], "*"):
			b.WriteRune(r)
		default:
			b.WriteString(sign(r, ""))
		}
	}
	return b.String()
}

// sign is a character that stands for itself; special ones, but for those that keep their meaning, by their number.
func sign(r rune, meant string) string {
	if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(meant, r) {
		return string(r)
	}
	if r == '.' {
		return `\.`
	}
	if r < 0x80 {
		return fmt.Sprintf(`\x%02x`, r)
	}
	return fmt.Sprintf(`\x{%x}`, r)
}
