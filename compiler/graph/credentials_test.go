// What may not be shown has to be known before anything runs: which outputs are credentials, and what x-ci says in any one of several files.
package graph

import (
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

// together is the graph of several files' deployments, a.yaml, b.yaml, …
func together(sources ...string) *Graph {
	var deployments []*resolve.Deployment
	for i, src := range sources {
		f, _ := spec.Load(string(rune('a'+i))+".yaml", []byte(src))
		for k := range f.Len() {
			deployments = append(deployments, resolve.Entry(f, f.Deployment(k, nil)))
		}
	}
	return Build(deployments, (*resolve.Deployment).Title)
}

func TestOutputsInACredentialsPlace(t *testing.T) {
	const shell = "- prefect.deployments.steps.run_shell_script: "
	clone := func(argument string) string {
		return "pull:\n- prefect.deployments.steps.git_clone: {repository: r, " + argument + "}\n"
	}
	for _, c := range []struct{ build, rest, want string }{
		{shell + "{id: get, script: ./t}\n", clone(`access_token: "{{ get.stdout }}"`), "get: stdout"},
		{shell + "{id: get, script: ./t}\n", clone(`access_token: "x{{ get[stdout] }}"`), "get: stdout"},
		{shell + "{id: get, script: ./t}\n", clone(`credentials: {inner: ["{{ get }}"]}`), "get: *"},
		{shell + "{id: get, script: ./t}\n" + shell + "{id: other, script: ./o}\n", clone(`access_token: "{{ stdout }}"`), "get: ; other: stdout"},
		{"- tools.own: {id: get}\n- tools.own: {id: between}\n", clone(`access_token: "{{ get.key }}"`), "get: key; between: "},
		{shell + "{id: get, script: ./t}\n" + shell + "{id: use, script: ./u, env: {REGISTRY_PASSWORD: \"{{ get.stdout }}\"}}\n", "pull: []\n", "get: stdout; use: "},
		{shell + "{id: hash, script: ./t}\n" + shell + "{id: use, script: \"echo {{ hash.stdout }}\", env: {TOKENS: \"{{ hash.stdout }}\"}}\n", clone(`branch: "{{ hash.stdout }}"`), "hash: ; use: "},
	} {
		g := build("build:\n" + c.build + c.rest + "deployments:\n- {name: d, entrypoint: \"f.py:f\"}\n")
		var got []string
		for _, s := range g.Steps {
			got = append(got, s.ID+": "+strings.Join(s.Credentials, ","))
			if s.Hidden() != (len(s.Credentials) > 0) {
				t.Errorf("%s: hidden is %v", s.ID, s.Hidden())
			}
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s%sgot %s, want %s", c.build, c.rest, strings.Join(got, "; "), c.want)
		}
	}
}

func TestWhichOutputsAreSecret(t *testing.T) {
	for _, c := range []struct {
		step             Step
		secret, notAtAll string
	}{
		{Step{Sensitive: true}, "stdout x", ""},
		{Step{Credentials: []string{"stdout"}}, "stdout stderr", "x"},
		{Step{Credentials: []string{AllOutputs}}, "stdout x", ""},
		{Step{Credentials: []string{"x", "y"}}, "x y", "stdout z"},
		{Step{}, "", "stdout x"},
	} {
		for _, output := range strings.Fields(c.secret) {
			if !c.step.Secret(output) {
				t.Errorf("%+v: %s is no secret", c.step, output)
			}
		}
		for _, output := range strings.Fields(c.notAtAll) {
			if c.step.Secret(output) {
				t.Errorf("%+v: %s is a secret", c.step, output)
			}
		}
	}
}

func TestAStepOfTwoFiles(t *testing.T) {
	const rest = "build:\n- prefect.deployments.steps.run_shell_script: {id: get, script: ./t}\npull: []\ndeployments:\n- {name: d, entrypoint: \"f.py:f\"}\n"
	const sensitive = "x-ci: {steps: {get: {sensitive: true}}}\n"
	for _, g := range []*Graph{together(rest, sensitive+rest), together(sensitive+rest, rest)} {
		if len(g.Steps) != 1 || !g.Steps[0].Sensitive || !g.Steps[0].Secret("stdout") {
			t.Errorf("one file's word that a step is sensitive is lost: %+v", g.Steps[0])
		}
	}
	effects := func(writes string) string {
		return "x-ci: {steps: {get: {effects: {reads: [], writes: [" + writes + "]}}}}\n" + rest
	}
	if g := together(effects("a"), effects("b")); len(g.Steps) != 2 || g.Steps[1].Writes[0] != "b" {
		t.Error("two files declare different effects, and one of them is lost")
	}
	if g := together(effects("a"), effects("a"), rest); len(g.Steps) != 2 {
		t.Errorf("%d steps, want 2: the same effects make one step", len(g.Steps))
	}
}
