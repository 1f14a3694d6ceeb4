// What a deploy is bound to, from the outside: the plan's key in the environment, and the steps that a pull request showed.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// TestThePlanKeyOfTheEnvironment: a secret that changed between plan and deploy is noticed where both have the key, and no step ever sees the key.
func TestThePlanKeyOfTheEnvironment(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "pull: []\nbuild:\n- prefect.deployments.steps.run_shell_script: {id: look, script: printenv PREFECT_DEPLOY_PLAN_KEY}\ndeployments:\n- {name: d, entrypoint: 'flow.py:hello', work_pool: {name: p}, description: '{{ $SECRET }}', tags: ['{{ PREFECT_DEPLOY_PLAN_KEY }}']}\n"})
	call := func(env map[string]string, args ...string) (int, string) {
		var out bytes.Buffer
		environ := []string{"PATH=" + os.Getenv("PATH")}
		for k, v := range env {
			environ = append(environ, k+"="+v)
		}
		code := run(context.Background(), cli.World{Args: append(args, "--all", "-C", dir, "--state", "file:state.json"), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Environ: environ,
			Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
		return code, out.String()
	}
	file := filepath.Join(dir, "plan.json")
	with := func(secret, key string) map[string]string {
		return map[string]string{"SECRET": secret, "PREFECT_DEPLOY_PLAN_KEY": key, "PATH": os.Getenv("PATH")}
	}
	if code, out := call(with("one-canary", "key-canary"), "plan", "--json", file); code != 0 {
		t.Fatalf("exit %d\n%s", code, out)
	}
	for _, c := range []struct {
		secret, key string
		code        int
	}{{"two-canary", "key-canary", 3}, {"one-canary", "", 3}, {"one-canary", "key-canary", 1}} { // the last is not stale: it runs, and its step finds no key
		code, out := call(with(c.secret, c.key), "deploy", "--plan", file)
		if code != c.code || strings.Contains(out, "canary") {
			t.Errorf("%v: exit %d\n%s", c, code, out)
		}
	}
}

// pushedRepository is a repository with two commits.
func pushedRepository(t *testing.T, first, second string) (dir, before, after string) {
	dir = t.TempDir()
	put := func(yaml string) string {
		for name, text := range map[string]string{"flow.py": oneFlow, "prefect.yaml": yaml} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		runGit(t, dir, "add", "-A")
		runGit(t, dir, "commit", "-q", "--allow-empty", "-m", "a commit")
		return runGit(t, dir, "rev-parse", "HEAD")
	}
	runGit(t, dir, "init", "-q", "-b", "main")
	before = put(first)
	return dir, before, put(second)
}

const buildsImage = "pull: []\nbuild:\n- prefect.deployments.steps.run_shell_script: {id: img, script: echo repo/app, stream_output: false}\ndeployments:\n- {name: a, entrypoint: 'flow.py:hello', work_pool: {name: p}, description: '{{ img.stdout }}'}\n"

// TestStepsMustBeReviewed: with plan-policy: require no step runs that neither a merged pull request's plan showed nor the last deploy ran.
func TestStepsMustBeReviewed(t *testing.T) {
	evil := strings.Replace(buildsImage, "echo repo/app", "touch pwned", 1)
	pr := eventOf(t, "pull_request_opened")
	head := pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)
	require := func(dir string) map[string]string {
		return map[string]string{"plan-key": "k", "plan-policy": "require", "working-directory": dir}
	}
	for _, c := range []struct {
		name, shown, pushed string
		deployed            bool   // the first commit is on the board
		key                 string // that its deploy had
		code                int
	}{
		{"shown", buildsImage, buildsImage, false, "k", 0},
		{"another step than was shown", buildsImage, evil, false, "k", 3},
		{"as the last deploy ran it, though no pull request came", "", buildsImage, true, "k", 0},
		{"as it was, and nothing tells that it was deployed", "", buildsImage, false, "k", 3},
		{"as it was, and only somebody without the key says that it was deployed", "", buildsImage, true, "guessed", 3},
		{"another one than the last deploy ran", "", evil, true, "k", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, first, _ := pushedRepository(t, buildsImage, c.pushed)
			state := filepath.Join(t.TempDir(), "state.json")
			g := &gitHub{head: head, env: map[string]string{"GITHUB_SHA": first}}
			if r := reviewed(t, g, "push_main", "push", "refs/heads/main", state, map[string]string{"plan-policy": "ignore", "plan-key": c.key, "working-directory": project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": buildsImage})}); r.code != 0 {
				t.Fatal(r.log)
			}
			g.env = nil
			if c.shown != "" {
				reviewed(t, g, "pull_request_opened", "pull_request", "refs/pull/7/merge", state, require(project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": c.shown})))
				if len(g.comments) != 1 {
					t.Fatalf("%d comments", len(g.comments))
				}
			}
			if c.deployed {
				g.deployments = []any{map[string]any{"id": 9, "sha": first, "environment": "production", "payload": map[string]any{"tool": "prefect-deploy-action", "key": "prefect.yaml#production", "run": 1}}}
			}
			r := reviewed(t, g, "push_main", "push", "refs/heads/main", state, require(dir))
			if r.code != c.code || c.code == 3 && !strings.Contains(r.log, "hello/a: the steps that run for it are not what") || c.code == 3 && !strings.Contains(r.log, "last deploy: img") {
				t.Errorf("exit %d\n%s", r.code, r.log)
			}
			if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
				t.Error("a step ran that nobody saw")
			}
		})
	}
}

// TestStepsOfManyAreReviewedAtOnce: a marker has room for 300 deployments, and a project that builds one image for more is reviewed all the same.
func TestStepsOfManyAreReviewedAtOnce(t *testing.T) {
	many := strings.SplitAfter(buildsImage, "deployments:\n")[0]
	for i := range 320 {
		many += fmt.Sprintf("- {name: d%d, entrypoint: 'flow.py:hello', work_pool: {name: p}, description: '{{ img.stdout }}'}\n", i)
	}
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": many})
	pr := eventOf(t, "pull_request_opened")
	g := &gitHub{head: pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)}
	state := filepath.Join(t.TempDir(), "state.json")
	call := func(event, name, policy string) called {
		return reviewed(t, g, event, name, "refs/heads/main", state, map[string]string{"plan-key": "k", "plan-policy": policy, "working-directory": dir})
	}
	if r := call("push_main", "push", "ignore"); r.code != 0 {
		t.Fatal(r.log)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.Replace(many, "name: d7,", "name: d7, tags: [new],", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := call("pull_request_opened", "pull_request", "require"); r.code != 0 || len(g.comments) != 1 {
		t.Fatalf("exit %d, %d comments\n%s", r.code, len(g.comments), r.log)
	}
	if line, _, _ := strings.Cut(fmt.Sprint(g.comments[0]["body"]), "\n"); len(line) > 2000 {
		t.Errorf("a marker of %d bytes", len(line))
	}
	if r := call("push_main", "push", "require"); r.code != 0 || r.outputs["update"] != "1" || r.outputs["rebuild"] != "319" && r.outputs["unchanged"] != "319" {
		t.Errorf("exit %d, %v\n%.600s", r.code, r.outputs["update"], r.log)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.Replace(many, "repo/app", "repo/evil", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := call("push_main", "push", "require"); r.code != 3 {
		t.Errorf("another step: exit %d\n%.600s", r.code, r.log)
	}
}

// TestOnlyTheMergedPlanCounts: what a comment showed of an earlier head, of another repository's pull request, or against another server, is not what was merged here.
func TestOnlyTheMergedPlanCounts(t *testing.T) {
	pr := eventOf(t, "pull_request_opened")
	head := pr["pull_request"].(map[string]any)["head"].(map[string]any)["sha"].(string)
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "pull: []\ndeployments:\n- {name: a, entrypoint: 'flow.py:hello', work_pool: {name: p}}\n"})
	for _, c := range []struct {
		name   string
		change func(g *gitHub, in map[string]string) (state string)
		code   int
	}{
		{"the same", func(*gitHub, map[string]string) string { return "" }, 0},
		{"another head was merged, whose plan failed", func(g *gitHub, _ map[string]string) string { g.head = strings.Repeat("e", 40); return "" }, 3},
		{"another repository with the same key", func(g *gitHub, _ map[string]string) string {
			g.env = map[string]string{"GITHUB_REPOSITORY": "org/other"}
			return ""
		}, 3},
		{"another state", func(*gitHub, map[string]string) string { return filepath.Join(t.TempDir(), "production.json") }, 3},
	} {
		g := &gitHub{head: head}
		in := map[string]string{"plan-key": "k", "plan-policy": "require", "working-directory": dir}
		reviewed(t, g, "pull_request_opened", "pull_request", "refs/pull/7/merge", "", in)
		if len(g.comments) != 1 {
			t.Fatalf("%d comments", len(g.comments))
		}
		state := c.change(g, in)
		if r := reviewed(t, g, "push_main", "push", "refs/heads/main", state, in); r.code != c.code || r.stateWasWritten != (c.code == 0) {
			t.Errorf("%s: exit %d\n%s", c.name, r.code, r.log)
		}
	}
}
