// A reviewed plan that names an image by what its build reads binds the deploy to that very image. No engine is needed to refuse another one: nothing may have been built by then.
package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const taggedFile = `pull: []
build:
- prefect.deployments.steps.run_shell_script: {id: note, script: sh -c "echo ran >> ../ran; cat ../write > more 2> /dev/null || rm more"}
- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: localhost:1/team/app, buildargs: {A: "1"}, push: true}
deployments:
- {name: a, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ app.image }}'}}}
x-ci: {steps: {app: {tag: inputs}, note: {effects: {reads: [], writes: []}}}}
`

// TestAReviewedPlanBindsTheImage: whatever a build reads may not change after the review, be the deployment new or there already.
func TestAReviewedPlanBindsTheImage(t *testing.T) {
	for name, edit := range map[string]struct{ file, from, to string }{
		"the Dockerfile":  {"Dockerfile", "FROM busybox", "FROM busybox\nENV X=1"},
		"the context":     {"flow.py", "def", "# another flow\ndef"},
		".dockerignore":   {".dockerignore", "state.json", "state.json\nflow.py"},
		"a mode":          {"tool.sh", "", ""},
		"an argument":     {"prefect.yaml", `A: "1"`, `A: "2"`},
		"nothing, but it": {"Dockerfile", "", ""},
	} {
		for _, live := range []bool{false, true} {
			dir := filepath.Join(t.TempDir(), "in")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			put := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			put("flow.py", oneFlow)
			put("Dockerfile", "FROM busybox\n")
			put(".dockerignore", ".git\nprefect.yaml\nstate.json\nplan.json\n")
			put("tool.sh", "true\n")
			put("prefect.yaml", taggedFile)
			options := []string{"--all", "-C", dir, "--state", "file:state.json"}
			plan := filepath.Join(dir, "plan.json")
			if live {
				must(t, append([]string{"deploy", "--skip-build", "--set", "app.image=before"}, options...)...)
			}
			must(t, append([]string{"plan", "--json", plan}, options...)...)
			image := regexp.MustCompile(`localhost:1/team/app:inputs-[0-9a-f]{40}`).FindString(read(plan))
			if image == "" {
				t.Fatalf("the plan names no image\n%s", read(plan))
			}
			state := read(filepath.Join(dir, "state.json"))
			if edit.file == "tool.sh" {
				if err := os.Chmod(filepath.Join(dir, edit.file), 0o755); err != nil {
					t.Fatal(err)
				}
			} else {
				put(edit.file, strings.Replace(read(filepath.Join(dir, edit.file)), edit.from, edit.to, 1))
			}
			deploy := append([]string{"deploy", "--plan", plan}, options...)
			if edit.from == "" && edit.file == "Dockerfile" { // as it was: what is given in place of the build may be the reviewed image, and no other
				refused(t, 3, append(deploy, "--skip-build", "--set", "app.image=localhost:1/team/app:inputs-0000000000000000000000000000000000000000"), "the plan is stale, nothing was written", "what is given in its place is")
				must(t, append(deploy, "--skip-build", "--set", "app.image="+image)...)
				continue
			}
			words := []string{"the plan is stale, nothing was written", image, "hello/a: planned "}
			if edit.file != "prefect.yaml" {
				words = append(words, readsOtherwise)
			}
			refused(t, 3, deploy, words...)
			if read(filepath.Join(dir, "state.json")) != state || read(filepath.Join(dir, "../ran")) != "" {
				t.Errorf("%s: something ran or was written", name)
			}
		}
	}
}

const readsOtherwise = "the Dockerfile, the context or an argument of its build has changed since"

// TestAReviewedPlanBindsTheImageToTheLast: a step before the build writes into its context, though it was declared not to.
func TestAReviewedPlanBindsTheImageToTheLast(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"flow.py": oneFlow, "Dockerfile": "FROM busybox\n", ".dockerignore": ".git\nprefect.yaml\nstate.json\nplan.json\n", "prefect.yaml": taggedFile, "../write": "written", "more": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	options := []string{"--all", "-C", dir, "--state", "file:state.json", "--jobs", "1"}
	plan := filepath.Join(dir, "plan.json")
	must(t, append([]string{"plan", "--json", plan}, options...)...)
	refused(t, 3, append([]string{"deploy", "--plan", plan}, options...), "the plan is stale, nothing was written, though steps ran:", "the image of the step app was planned with the tag", readsOtherwise)
	if read(filepath.Join(dir, "../ran")) != "ran\n" || read(filepath.Join(dir, "state.json")) != "" {
		t.Errorf("ran %q, registered %q", read(filepath.Join(dir, "../ran")), read(filepath.Join(dir, "state.json")))
	}
}
