// What later steps of the job get: every output of the deploy's steps but those that are secret. A job's outputs are public, and so is its log.
package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// secretive is a project whose step `get-token` gives what the pull step takes as a token, and whose step `echo` repeats a variable of the environment.
func secretive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"flow.py": "from prefect import flow\n\n@flow\ndef hello(): pass\n",
		"token":   "token-canary\n",
		"prefect.yaml": `build:
- prefect.deployments.steps.run_shell_script: {id: get-token, script: cat token}
- prefect.deployments.steps.run_shell_script: {id: echo, script: "echo -n {{ $TOKEN }}"}
- prefect.deployments.steps.run_shell_script: {id: hash, script: echo 2026.11}
- prefect.deployments.steps.run_shell_script: {id: fails, script: "ls ./{{ $TOKEN }}"}
pull:
- prefect.deployments.steps.git_clone: {repository: "https://h/r", access_token: "{{ get-token.stdout }}"}
deployments:
- {name: d, entrypoint: "flow.py:hello", work_pool: {name: p}}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStepOutputsHoldNoSecret(t *testing.T) {
	dir := secretive(t)
	env := map[string]string{"PATH": os.Getenv("PATH"), "HOME": dir, "TOKEN": "hunter2-canary", "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": filepath.Join(dir, "output"), "PREFECT_HOME": dir}
	var environ []string
	for k, v := range env {
		environ = append(environ, k+"="+v)
	}
	var out strings.Builder
	t.Chdir(dir)
	code := run(context.Background(), cli.World{Args: []string{"deploy", "--all", "--state", "file:state.json", "--json", "plan.json", "--markdown", "plan.md"}, Stdin: strings.NewReader(""),
		Stdout: &out, Stderr: &out, Environ: environ, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	all := out.String() + read("plan.json") + read("plan.md")
	outputs := outputsOf(t, read("output"))
	if code != 1 || strings.Contains(all+read("output"), "canary") || !strings.Contains(all, "***") {
		t.Errorf("exit %d; a secret is shown, or the error is not:\n%s\n%s", code, all, read("output"))
	}
	if outputs["hash_stdout"] != "2026.11" {
		t.Errorf("outputs %v", outputs)
	}
	for _, name := range []string{"get-token_stdout", "echo_stdout"} {
		if _, there := outputs[name]; there {
			t.Errorf("%s is an output", name)
		}
	}
}

func TestTheActionShowsNoSecret(t *testing.T) {
	r := callAction(t, call{dir: secretive(t), name: "push", event: "push_main", ref: "refs/heads/main", inputs: map[string]string{"all-deployments": "true"}, env: map[string]string{"TOKEN": "hunter2-canary"}})
	all := r.log + r.summary
	for _, text := range r.outputs {
		all += text
	}
	all += read(r.outputs["plan"])
	if r.code != 1 || strings.Contains(all, "canary") || !strings.Contains(all, "2026.11") || !strings.Contains(r.outputs["steps"], `"hash":{"stdout":"2026.11"`) {
		t.Errorf("exit %d\n%s", r.code, all)
	}
}

// TestKeptSecretsStayInTheirJob: the review's case, `echo "$DB_PASSWORD"` and `printenv`; neither the file for other jobs, nor the dotenv report, nor the log has it.
func TestKeptSecretsStayInTheirJob(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": `x-ci: {github: {secrets: [DB_PASSWORD]}}
build:
- prefect.deployments.steps.run_shell_script: {id: leak, script: "echo $DB_PASSWORD", expand_env_vars: true}
- prefect.deployments.steps.run_shell_script: {id: all, script: printenv}
- prefect.deployments.steps.run_shell_script: {id: hash, script: echo 2026.11}
pull: []
deployments: [{name: d, entrypoint: "flow.py:hello", work_pool: {name: p}}]
`})
	code, stdout, stderr := command(t, map[string]string{"DB_PASSWORD": "hunter2"}, "step", "leak", "all", "hash", "-C", dir, "--outputs", "o.json", "--dotenv", "o.env")
	outputs := read(filepath.Join(dir, "o.json"))
	if all := stdout + stderr + outputs + read(filepath.Join(dir, "o.env")); code != 0 || strings.Contains(all, "hunter2") || !strings.Contains(stderr, "leak | ***") || !strings.Contains(outputs, `"withheld":["stdout"]`) || !strings.Contains(outputs, "2026.11") {
		t.Errorf("exit %d\n%s", code, all)
	}
	r := callAction(t, call{dir: dir, name: "push", event: "push_main", ref: "refs/heads/main", inputs: map[string]string{"all-deployments": "true"}, env: map[string]string{"DB_PASSWORD": "hunter2"}})
	all := r.log + r.summary + read(r.outputs["plan"])
	for _, text := range r.outputs {
		all += text
	}
	if r.code != 0 || strings.Contains(all, "hunter2") || !strings.Contains(all, "2026.11") {
		t.Errorf("the action: exit %d\n%s", r.code, all)
	}
}
