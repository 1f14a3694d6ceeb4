// The options that the commands share: whoever knows them from one command finds them in the next. A command that does without one has its reason in a table, and a reason that no longer holds fails too.
package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// shared are the options that a user may expect of every command.
var shared = []string{"prefect-file", "chdir", "name", "all", "state", "jobs", "timeout", "retries", "fail-fast", "skip-build", "set", "from", "prune", "max-deletes", "base", "quiet", "debug"}

// without says which of them a command has no use for, and why.
var withoutShared = map[string]map[string]string{
	"plan": {}, "deploy": {},
	"step":       {"name": ofKeys, "all": ofKeys, "skip-build": ofKeys, "set": "what other jobs gave comes in files", "prune": deletesNothing, "max-deletes": deletesNothing, "base": deletesNothing},
	"pull-check": {"skip-build": "it never builds", "prune": deletesNothing, "max-deletes": deletesNothing, "base": deletesNothing},
	"prune": {"name": "it is of what the file does not name", "all": "it is of what the file does not name", "timeout": noSteps, "retries": noSteps, "skip-build": noSteps, "set": noSteps, "from": noSteps,
		"prune": "it is the command itself; --yes deletes"},
	"comment": of(theirPlan, "name", "all", "state", "jobs", "timeout", "retries", "fail-fast", "skip-build", "set", "from", "prune", "max-deletes", "base", "quiet", "debug"),
	"replay":  of("it runs a whole workflow, whose jobs have their own", "name", "all", "jobs", "timeout", "retries", "fail-fast", "skip-build", "set", "from", "prune", "max-deletes", "base", "quiet", "debug"),
	"action":  of("it is told by inputs", shared...),
	"version": of("it reads no file", shared...),
}

const (
	ofKeys         = "its arguments are keys of steps"
	noSteps        = "it runs no step"
	deletesNothing = "it deletes nothing"
	theirPlan      = "it shows a plan that was made elsewhere"
)

func of(reason string, names ...string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		out[name] = reason
	}
	return out
}

func TestEveryCommandHasTheSharedOptions(t *testing.T) {
	for _, c := range root(context.Background(), cli.OS()).Commands() {
		reasons, known := withoutShared[c.Name()]
		if !known {
			t.Errorf("the command %s is not in the table", c.Name())
		}
		for _, name := range shared {
			switch there := c.Flags().Lookup(name) != nil; {
			case there && reasons[name] != "":
				t.Errorf("%s has --%s, which the table says it has not", c.Name(), name)
			case !there && reasons[name] == "":
				t.Errorf("%s has no --%s, and no reason for that", c.Name(), name)
			}
		}
	}
}

// TestWrongUsageOfEveryCommand holds for each command that has the option: a number that can't be meant, or a word that nobody knows, is exit 64 before anything runs or is written.
func TestWrongUsageOfEveryCommand(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "deployments:\n- name: d\n  entrypoint: flow.py:hello\n  work_pool: {name: p}\n" +
		"build:\n- prefect.deployments.steps.run_shell_script: {id: s, script: touch ran}\n"})
	state := "file:" + dir + "/state.json"
	bad := [][]string{{"--no-such-option"}, {"--jobs", "0"}, {"--jobs", "x"}, {"--retries", "-1"}, {"--timeout", "-1s"}, {"--timeout", "5"}, {"--max-deletes", "-1"}, {"-C", dir + "/absent"}, {"--state", "elsewhere"}}
	for _, c := range root(context.Background(), cli.OS()).Commands() {
		base := map[string][]string{"plan": {"--all", "--state", state}, "deploy": {"--all", "--state", state}, "step": {"s", "--state", state}, "pull-check": {"--all"}, "prune": {"--state", state},
			"comment": {"--plan", "absent.json"}}[c.Name()]
		for _, args := range bad {
			name := strings.TrimLeft(args[0], "-")
			if name == "C" {
				name = "chdir"
			}
			if c.Flags().Lookup(name) == nil && len(args) > 1 || c.Name() == "comment" && name == "chdir" /* a part of the comment's identity, as seen from the repository's root */ || (c.Name() == "pull-check" || c.Name() == "step") && name == "state" { // these open the state only when they need it
				continue
			}
			code, stdout, stderr := command(t, nil, append(append([]string{c.Name(), "-C", dir}, base...), args...)...)
			if len(base) == 0 {
				code, stdout, stderr = command(t, nil, append([]string{c.Name()}, args...)...)
			}
			if code != cli.ExitUsage || stdout != "" || !strings.HasPrefix(stderr, "error: ") {
				t.Errorf("%s %q: exit %d\n%s\n%s", c.Name(), args, code, stdout, stderr)
			}
		}
	}
	for _, name := range []string{"ran", "state.json"} {
		if _, err := os.Stat(dir + "/" + name); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestPullCheckFailFast(t *testing.T) {
	pull := func(script string) string {
		return `[{prefect.deployments.steps.run_shell_script: {script: "` + script + `"}}]`
	}
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": `
deployments:
- {name: bad, entrypoint: "flow.py:hello", work_pool: {name: p}, pull: ` + pull("false") + `}
- {name: later, entrypoint: "flow.py:hello", work_pool: {name: p}, pull: ` + pull("touch ../../later-ran") + `}
`})
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	for _, fast := range []bool{true, false} {
		args := []string{"pull-check", "-C", dir, "--all", "--jobs", "1"}
		if fast {
			args = append(args, "--fail-fast")
		}
		code, stdout, stderr := command(t, nil, args...)
		skipped := strings.Contains(stdout, "skipped hello/later: not begun, as another deployment failed and --fail-fast is set")
		if code != 1 || skipped != fast || exists(tmp+"/later-ran") == fast || strings.Contains(stderr, "entrypoint: hello/bad\n") != fast {
			t.Errorf("fail-fast %v: exit %d\n%s\n%s", fast, code, stdout, stderr)
		}
		_, stdout, _ = command(t, nil, append(args, "--json", "-")...)
		if strings.Contains(stdout, `"outcome": "skipped"`) != fast {
			t.Errorf("fail-fast %v: %s", fast, stdout)
		}
		_ = os.Remove(tmp + "/later-ran")
	}
}

func TestStepFailFast(t *testing.T) {
	dir := project(t, map[string]string{"prefect.yaml": "build:\n- prefect.deployments.steps.run_shell_script: {id: one, script: 'false'}\n- prefect.deployments.steps.run_shell_script: {id: two, script: touch two}\n" +
		"x-ci: {steps: {one: {effects: {reads: [], writes: []}}, two: {effects: {reads: [], writes: []}}}}\ndeployments: [{name: d, entrypoint: 'flow.py:hello', work_pool: {name: p}}]\n", "flow.py": oneFlow})
	for _, fast := range []string{"--fail-fast=true", "--fail-fast=false"} {
		code, _, stderr := command(t, nil, "step", "one", "two", "-C", dir, "--jobs", "1", fast)
		if code != 1 || exists(dir+"/two") == strings.HasSuffix(fast, "true") {
			t.Errorf("%s: exit %d\n%s", fast, code, stderr)
		}
	}
}
