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
		"": "github.ref_name == github.event.repository.default_branch && (github.event_name == 'push' || github.event_name == 'workflow_dispatch')",
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
