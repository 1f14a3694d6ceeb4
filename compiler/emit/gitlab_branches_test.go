package emit

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestBranchesOfGitLab: the condition of what writes, matched as GitLab does with RE2, which is also Go's. What each pattern means is GitHub's own table
// (docs.github.com, Workflow syntax, Filter pattern cheat sheet).
func TestBranchesOfGitLab(t *testing.T) {
	for _, c := range []struct{ branches, yes, no string }{
		{"[main]", "main", "mainx xmain feature/main"},
		{"['*']", "main releases", "all/the/branches"},
		{"['**']", "main all/the/branches", ""},
		{"['feature/*']", "feature/my-branch feature/your-branch", "feature/beta-a/my-branch feature"},
		{"['feature/**']", "feature/beta-a/my-branch feature/mona/the/octocat", "features/x"},
		{"['*feature']", "mona-feature feature ver-10-feature", "feature-x"},
		{"['v[12].[0-9]+.[0-9]+']", "v1.10.1 v2.0.0", "v3.0.0 v1x10.1 v1.10"},
		{"['releases?']", "releases release", "releasess"},
		{"['release/**', '!release/**-alpha']", "release/10 release/beta/mona", "release/10-alpha main"},
		{"['!main']", "", "main other"},
		{"['a(b|c)$', 'ä']", "a(b|c)$ ä", "ab ac"},
	} {
		in := input(t, "x-ci: {gitlab: {branches: "+c.branches+"}}\n"+two)
		g := gitlab{Input: in, settings: in.settingsOf("gitlab")}
		condition := g.deploys()
		for want, names := range map[bool]string{true: c.yes, false: c.no} {
			for _, name := range strings.Fields(names) {
				if got := holds(t, condition, name); got != want {
					t.Errorf("%s on %s is %v: %s", c.branches, name, got, condition)
				}
			}
		}
		out, diags := GitLab(in)
		if n := strings.Count(string(out), "CI_COMMIT_BRANCH =~"); len(diags) > 0 || n != 3 || strings.Contains(string(out), "CI_DEFAULT_BRANCH") {
			t.Errorf("%s: %d rules\n%v\n%s", c.branches, n, diags, out)
		}
	}
}

// holds evaluates a condition of `VARIABLE =~ /…/` and `!~` joined by &&.
func holds(t *testing.T, condition, branch string) bool {
	t.Helper()
	for _, part := range strings.Split(condition, " && ") {
		var operator, pattern string
		if _, err := fmt.Sscanf(part, "$CI_COMMIT_BRANCH %s %s", &operator, &pattern); err != nil || strings.Contains(strings.Trim(pattern, "/"), "/") {
			t.Fatalf("%q: %v", part, err)
		}
		if regexp.MustCompile(strings.Trim(pattern, "/")).MatchString(branch) != (operator == "=~") {
			return false
		}
	}
	return true
}
