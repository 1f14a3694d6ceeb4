// What may fail apart in a job: which jobs need care, and that a step is passed nothing of its neighbour's.
package emit

import (
	"fmt"
	"strings"
	"testing"
)

const (
	alone = "deployments:\n- {name: a, entrypoint: 'f.py:f', build: [{prefect.deployments.steps.run_shell_script: {id: one, script: ./one}}, {prefect.deployments.steps.run_shell_script: {id: two, script: ./two}}]}\n"
	mixed = alone + "- {name: b, entrypoint: 'f.py:f', build: [{prefect.deployments.steps.run_shell_script: {id: three, script: './three {{ $KEY }}'}}]}\n"
)

func TestApart(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"one deployment":       {alone, "one apart=false loose=false"},
		"another's step":       {mixed, "one apart=true loose=false"},
		"one hash, two images": {"build:\n" + hash + image("a", "{{ hash.stdout }}", "") + deployed, "hash apart=false loose=false; a apart=false loose=false"},
		"only in order": {"deployments:\n- {name: d, entrypoint: 'f.py:f', build: [{prefect_docker.deployments.steps.build_docker_image: {id: a, image_name: x, tag: y, dockerfile: A}}]}\n" +
			"- {name: e, entrypoint: 'f.py:f', build: [{prefect_docker.deployments.steps.build_docker_image: {id: b, image_name: x, tag: y, dockerfile: B}}]}\n", "a apart=false loose=false; b apart=false loose=true"},
	} {
		in := input(t, c.source)
		var got []string
		for _, j := range Cut(in.Graph, in.Deployments).Jobs {
			got = append(got, fmt.Sprintf("%s apart=%v loose=%v", j.ID, j.Apart, j.Loose))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %s, want %s", name, strings.Join(got, "; "), c.want)
		}
	}
	out := emitted(t, input(t, mixed))
	if strings.Count(out, "steps.ready.outcome == 'success'") != 2 || strings.Count(out, "keep-going: true") != 1 || strings.Contains(out, "phase: done") {
		t.Errorf("steps that may fail apart:\n%s", out)
	}
	if before, _, _ := strings.Cut(out, "step: three"); strings.Contains(before, "secrets.KEY") {
		t.Errorf("a secret is passed to a neighbour:\n%s", out)
	}
}

// TestDoneIsPassedNothing: it only writes down that the platform's steps succeeded.
func TestDoneIsPassedNothing(t *testing.T) {
	out := emitted(t, input(t, "x-ci: {github: {secrets: [KEY]}}\n"+alone))
	_, done, found := strings.Cut(out, "phase: done")
	if end := strings.Index(done, "upload-artifact"); !found || end < 0 || strings.Contains(done[:end], "KEY") {
		t.Errorf("phase done is passed a secret:\n%s", out)
	}
}
