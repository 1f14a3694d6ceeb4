// What steps gave, as GitLab's dotenv report hands it to later jobs as variables. It is a convenience for a project's own jobs: what must arrive travels in JSON. A report beyond GitLab's bounds fails its job, so what
// does not fit is left out, and so is what would arrive as something else: a text of several lines, one with spaces around it, one with a `$` that GitLab would fill.
package handover

import (
	"bytes"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

const (
	// mostDotenv and mostVariables are the bounds of a GitLab of one's own, which are the narrowest.
	mostDotenv    = 5 << 10
	mostVariables = 20
)

// Dotenv adds the outputs of steps to a report, each as KEY_OUTPUT with _ for each sign that a variable can't have. of tells which outputs of a step may become variables. A name that is taken stays what it was.
func Dotenv(report []byte, steps []Step, of func(key, output string) bool) []byte {
	taken := map[string]bool{}
	for _, line := range bytes.Split(report, []byte("\n")) {
		if name, _, ok := bytes.Cut(line, []byte("=")); ok {
			taken[string(name)] = true
		}
	}
	for _, s := range steps {
		for _, e := range s.Outputs.Map {
			name, line := variable(s.Key+"_"+e.Key), ""
			text, ok := plainText(e.Value)
			line = name + "=" + text + "\n"
			if ok && of(s.Key, e.Key) && !taken[name] && len(taken) < mostVariables && len(report)+len(line) <= mostDotenv {
				taken[name] = true
				report = append(report, line...)
			}
		}
	}
	return report
}

// plainText is a value that arrives as it is.
func plainText(v value.Value) (string, bool) {
	if v.Kind == value.List || v.Kind == value.Map || v.IsNull() {
		return "", false
	}
	text := v.Str()
	odd := strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '$' || r == 0x85 || r == 0x2028 || r == 0x2029 })
	return text, text != "" && !odd && strings.TrimSpace(text) == text
}

// variable is a name that a shell takes.
func variable(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, name)
	if name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}
