//go:build unix

// What a shell is offered: the deployments and steps of the files that the line names, and nothing where they can't be read.
package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

func TestCompletes(t *testing.T) {
	dir := asked(t, three+"build:\n- prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse HEAD}\n")
	broken := asked(t, "deployments: [\n")
	for line, want := range map[string]string{
		"deploy -C " + dir + " -n":              "hello/one\tflow.py:hello hello/two\tflow.py:hello load-all/three\tsub/sales.py:load_all",
		"plan -C " + dir + " --all --name":      "hello/one\tflow.py:hello hello/two\tflow.py:hello load-all/three\tsub/sales.py:load_all",
		"step -C " + dir:                        "hash\tprefect.deployments.steps.run_shell_script",
		"deploy -C " + broken + " -n":           "",
		"step -C " + broken + "/gone":           "",
		"deploy --version-type":                 "prefect:simple vcs:github vcs:gitlab vcs:bitbucket vcs:azuredevops vcs:git",
		"deploy --state":                        "file: git:",
		"deploy -f gone.yaml -C " + dir + " -n": "",
	} {
		var out bytes.Buffer
		run(context.Background(), cli.World{Args: append(append([]string{"__complete"}, strings.Fields(line)...), ""), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &bytes.Buffer{}, Env: func(string) (string, bool) { return "", false }})
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if got := strings.Join(lines[:len(lines)-1], " "); got != want {
			t.Errorf("%s: got %q, wanted %q", line, got, want)
		}
	}
}
