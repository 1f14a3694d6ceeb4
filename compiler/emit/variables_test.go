// Which jobs are passed the variables that Prefect's client reads and no template names.
package emit

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// passedTo are, for each job, the variables that its steps are passed, as NAME=CONTEXT.NAME, and those that count as unset when they are empty.
func passedTo(t *testing.T, workflow string) (passed, optional map[string][]string) {
	t.Helper()
	var w struct {
		Jobs map[string]struct {
			Steps []struct{ Env map[string]string }
		}
	}
	if err := yaml.Unmarshal([]byte(workflow), &w); err != nil {
		t.Fatal(err)
	}
	passed, optional = map[string][]string{}, map[string][]string{}
	for id, job := range w.Jobs {
		for _, s := range job.Steps {
			for name, v := range s.Env {
				if name == "PREFECT_DEPLOY_OPTIONAL" {
					optional[id] = append(optional[id], strings.Split(v, ",")...)
				} else {
					passed[id] = append(passed[id], name+"="+strings.TrimSuffix(strings.TrimPrefix(v, "${{ "), " }}"))
				}
			}
		}
	}
	return passed, optional
}

func TestVariablesOfPrefectsOwn(t *testing.T) {
	const namespace, pool, headers = "PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE", "PREFECT_DEFAULT_WORK_POOL_NAME", "PREFECT_CLIENT_CUSTOM_HEADERS"
	const source = `build:
- prefect_docker.deployments.steps.build_docker_image: {id: bare, image_name: app, tag: '1', dockerfile: Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: auto, image_name: '{{ $NAME }}', tag: '1', dockerfile: auto}
- prefect_docker.deployments.steps.build_docker_image: {id: full, image_name: 'r/{{ $NAME }}', tag: '1', dockerfile: Dockerfile}
- prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse HEAD}
push:
- prefect_docker.deployments.steps.push_docker_image: {id: pushed, image_name: '{{ bare.image_name }}', tag: '{{ bare.tag }}'}
deployments:
- {name: d, entrypoint: 'f.py:f', tags: ['{{ hash.stdout }}']}
`
	for _, c := range []struct{ ci, namespace, pool, headers string }{
		{"", "vars", "vars", "secrets"},
		{"x-ci: {vars: [" + namespace + "], github: {secrets: [" + pool + ", NEXT], vars: [" + headers + "]}}\n", "vars", "secrets", "vars"},
		{"x-ci: {github: {secrets: [" + namespace + ", " + headers + "]}}\n", "secrets", "vars", "secrets"},
	} {
		text := emitted(t, input(t, c.ci+source))
		passed, optional := passedTo(t, text)
		where := map[string][]string{namespace + "=" + c.namespace + "." + namespace: {"auto", "bare"}, pool + "=" + c.pool + "." + pool: {"plan", "register"}, headers + "=" + c.headers + "." + headers: {"plan", "register"}}
		if strings.Contains(c.ci, "NEXT") { // nothing is seen to read it
			where["NEXT=secrets.NEXT"] = []string{"plan", "register"}
		}
		for entry, want := range where {
			name, _, _ := strings.Cut(entry, "=")
			var jobs []string
			for id, list := range passed {
				if slices.Contains(list, entry) {
					jobs = append(jobs, id)
					if !slices.Contains(optional[id], name) {
						t.Errorf("%s: %s is not unset where it is empty", id, name)
					}
				}
				if slices.ContainsFunc(list, func(other string) bool { return strings.HasPrefix(other, name+"=") && other != entry }) {
					t.Errorf("%s: %v, want %s", id, list, entry)
				}
			}
			if slices.Sort(jobs); !slices.Equal(jobs, want) {
				t.Errorf("%q: %s is passed to %v, want %v\n%s", c.ci, entry, jobs, want, text)
			}
		}
	}
	in := input(t, "x-ci: {vars: [SEEN], gitlab: {secrets: [LISTED]}}\n"+source)
	out, diags := GitLab(in)
	if len(diags) > 0 {
		t.Fatal(diags.Error())
	}
	for _, name := range []string{namespace, pool, headers, "SEEN", "LISTED", "NAME"} {
		if !slices.Contains(Variables(out), name) {
			t.Errorf("the head for GitLab does not list %s: %v", name, Variables(out))
		}
	}
	if strings.Contains(strings.SplitN(string(out), "\nworkflow:", 2)[1], "PREFECT_DEFAULT") {
		t.Errorf("GitLab has the variables in its jobs' environment, and something of the file's is before them:\n%s", out)
	}
}
