// Which branches a start by hand may deploy from, and which runs wait for each other.
package emit

import (
	"strings"
	"testing"
)

func TestOnBranches(t *testing.T) {
	for patterns, want := range map[string]string{
		"main":             "(github.ref == 'refs/heads/main')",
		"main release/*":   "(github.ref == 'refs/heads/main' || startsWith(github.ref, 'refs/heads/release/'))",
		"** !wip/** !main": "(startsWith(github.ref, 'refs/heads/')) && !startsWith(github.ref, 'refs/heads/wip/') && github.ref != 'refs/heads/main'",
		"ab?c a+ v[0-9]":   "(startsWith(github.ref, 'refs/heads/a') || startsWith(github.ref, 'refs/heads/') || startsWith(github.ref, 'refs/heads/v'))",
		"it's":             "(github.ref == 'refs/heads/it''s')",
		"!main":            "false",
		"a}}b {{x":         "false",
	} {
		if got := onBranches(strings.Fields(patterns)); got != want {
			t.Errorf("%s\n got %s\nwant %s", patterns, got, want)
		}
	}
}

// TestByHandOnlyWherePushesDeploy: what writes has a condition on the branch for a start by hand, and all that write are in one group.
func TestByHandOnlyWherePushesDeploy(t *testing.T) {
	for xci, want := range map[string]string{
		"": "github.ref == format('refs/heads/{0}', github.event.repository.default_branch) && (github.event_name == 'push' || github.event_name == 'workflow_dispatch')",
		"x-ci: {github: {branches: [release]}}\n": "(github.event_name == 'push' || github.event_name == 'workflow_dispatch' && (github.ref == 'refs/heads/release'))",
	} {
		out := strings.ReplaceAll(emitted(t, input(t, xci+two)), `"`, "")
		for _, line := range []string{" " + want + "\n", "needs.check.result == 'success' && " + want + " }}\n", "  group: prefect-${{ github.workflow }}-${{ " + want + " && 'deploy' || github.ref }}\n"} {
			if !strings.Contains(out, line) {
				t.Errorf("%s: there is no %q in\n%s", xci, line, out)
			}
		}
	}
}

// TestEveryDefaultBranchDeploys: nothing is filtered by a branch's name, a push elsewhere runs nothing, and the name that branch protection requires is that of a run that plans.
func TestEveryDefaultBranchDeploys(t *testing.T) {
	out := emitted(t, input(t, two))
	const idle = " && (github.event_name != 'push' || github.ref_name == github.event.repository.default_branch)\n"
	for _, line := range []string{"  push: {branches: [\"**\"]}\n", "    if: github.event.action != 'closed'" + idle, "    if: always()" + idle,
		"    name: ${{ (github.event_name == 'pull_request' || github.event_name == 'merge_group') && github.event.action != 'closed' && 'prefect' || format('prefect ({0})', github.event.action || github.event_name) }}\n"} {
		if !strings.Contains(out, line) {
			t.Errorf("there is no %q in\n%s", line, out)
		}
	}
}

// TestWorkflowsOfOneRepository: two of them have different names, and so different groups, and different checks to require.
func TestWorkflowsOfOneRepository(t *testing.T) {
	names := map[string]string{}
	for name, c := range map[string]struct {
		within   string
		patterns []string
		want     string
	}{
		"root":     {"", []string{"prefect.yaml"}, ""},
		"a":        {"services/a", []string{"prefect.yaml"}, "services/a"},
		"file":     {"", []string{"b.yaml"}, "b.yaml"},
		"files":    {"x", []string{"b.yaml", "c.yaml"}, "x/b.yaml x/c.yaml"},
		"hostile":  {"it's ${{ a }}", []string{"prefect.yaml"}, "it-s --- a -- "},
		"hostile2": {"it's ${{ b }}", []string{"prefect.yaml"}, "it-s --- b -- "},
	} {
		in := input(t, two)
		in.Within, in.Patterns = c.within, c.patterns
		if got := in.subject(); got != c.want && !(strings.HasPrefix(name, "hostile") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %q", name, got)
		}
		first := strings.SplitN(emitted(t, in), "\nname: ", 2)[1]
		first, _, _ = strings.Cut(first, "\n")
		if other, twice := names[first]; twice {
			t.Errorf("%s and %s are both called %s", name, other, first)
		}
		names[first] = name
	}
}
