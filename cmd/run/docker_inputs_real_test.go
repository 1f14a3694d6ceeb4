//go:build real && docker

// Tags that are digests of inputs, against a real engine and registry: what is built and pushed when, what a plan knows of it, and that the files which count are those that a builder gets.
package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

type dockerDeploy struct {
	Summary map[string]int
	Steps   []struct {
		Key, Outcome, Error string
		Outputs             map[string]any
	}
	Deployments []struct {
		Deployment, Action, Outcome, Error string
		Changes                            []struct {
			Path, Value   string
			Before, After any
		}
	}
}

func (d *dockerDeploy) output(key, name string) string {
	for _, s := range d.Steps {
		if s.Key == key {
			text, _ := s.Outputs[name].(string)
			return text
		}
	}
	return ""
}

// deployJSON runs plan or deploy, and gives its JSON and its log.
func deployJSON(t *testing.T, env map[string]string, code int, args ...string) (dockerDeploy, string) {
	t.Helper()
	got, stdout, stderr := command(t, env, append(args, "--json", "-")...)
	var d dockerDeploy
	if err := json.Unmarshal([]byte(stdout), &d); err != nil || got != code {
		t.Fatalf("%v: exit %d, want %d: %v\n%s%s", args, got, code, err, stdout, stderr)
	}
	return d, stderr
}

func inputsProject(t *testing.T, name string) string {
	t.Helper()
	registry, base := needs(t, "DOCKER_REGISTRY"), needs(t, "DOCKER_BASE")
	dir := project(t, map[string]string{"flow.py": oneFlow, "Dockerfile": "FROM " + base + "\nCOPY . /app\n", "gpu.Dockerfile": "FROM " + base + "\nENV GPU=yes\n", ".dockerignore": ".git\nstate.json\n",
		"prefect.yaml": "pull: []\ndeployments:\n" +
			"- name: a\n  entrypoint: flow.py:hello\n  work_pool: {name: p, job_variables: {image: '{{ app.image }}'}}\n  build:\n" +
			"  - prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: " + registry + "/" + name + ", additional_tags: [latest]}\n" +
			"  push:\n  - prefect_docker.deployments.steps.push_docker_image: {id: push-app, image_name: '{{ app.image_name }}', tag: '{{ app.tag }}', additional_tags: '{{ app.additional_tags }}'}\n" +
			"- name: gpu\n  entrypoint: flow.py:hello\n  work_pool: {name: p, job_variables: {image: '{{ gpu.image }}'}}\n  build:\n" +
			"  - prefect_docker.deployments.steps.build_docker_image: {id: gpu, image_name: " + registry + "/" + name + "-gpu, dockerfile: gpu.Dockerfile, push: true}\n" +
			"x-ci: {steps: {app: {tag: inputs}, gpu: {tag: inputs}}}\n"})
	commitAll(t, dir)
	return dir
}

func TestDockerInputsTag(t *testing.T) {
	dir := inputsProject(t, "tagged")
	env := withoutPython(t)
	deploy := []string{"deploy", "--all", "-C", dir, "--state", "file:state.json"}
	plan := append([]string{"plan"}, deploy[1:]...)
	planned, _ := deployJSON(t, env, 0, plan...)
	first, log := deployJSON(t, env, 0, deploy...)
	app, gpu := first.output("app", "image"), first.output("gpu", "image")
	if strings.Contains(log, "in the registry already") || !strings.Contains(app, ":inputs-") || !strings.Contains(gpu, ":inputs-") {
		t.Errorf("%s, %s\n%s", app, gpu, log)
	}
	foretold := map[string]any{}
	for _, d := range planned.Deployments {
		for _, c := range d.Changes {
			if c.Path == "job_variables.image" && c.Value == "known" {
				foretold[d.Deployment] = c.After
			}
		}
	}
	if foretold["hello/a"] != app || foretold["hello/gpu"] != gpu {
		t.Errorf("the plan says %v, the deploy gave %s and %s", foretold, app, gpu)
	}
	id := first.output("app", "image_id")
	manifest := ask(t, "buildx", "imagetools", "inspect", "--raw", app)
	if !strings.Contains(manifest, id) || id == "" || id != ask(t, "image", "inspect", "--format", "{{.Id}}", app) {
		t.Errorf("the registry has %s, built was %s", manifest, id)
	}
	// nothing has changed: no build, no push, not even with an engine that has forgotten all
	for _, image := range []string{app, gpu, app[:strings.LastIndexByte(app, ':')] + ":latest"} {
		_, _ = exec.Command("docker", "image", "rm", "--force", image).CombinedOutput()
	}
	second, log := deployJSON(t, env, 0, append(deploy, "--detailed-exitcode")...)
	if strings.Count(log, "is in the registry already") != 3 || strings.Contains(log, "FROM ") || second.output("app", "image") != app || second.output("app", "image_id") != id || second.output("gpu", "image") != gpu || second.Summary["unchanged"] != 2 {
		t.Errorf("%+v\n%s", second, log)
	}
	if out, err := exec.Command("docker", "image", "inspect", app).CombinedOutput(); err == nil {
		t.Errorf("it was built again: %s", out)
	}
	if p, _ := deployJSON(t, env, 0, append(plan, "--detailed-exitcode")...); p.Summary["unchanged"] != 2 {
		t.Errorf("%+v", p)
	}
	// another clone of the same commit gives the same
	clone := filepath.Join(t.TempDir(), "elsewhere")
	if out, err := exec.Command("git", "clone", "-q", dir, clone).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	elsewhere, log := deployJSON(t, env, 0, "deploy", "--all", "-C", clone, "--state", "file:state.json")
	if elsewhere.output("app", "image") != app || strings.Count(log, "in the registry already") != 3 {
		t.Errorf("%+v\n%s", elsewhere, log)
	}
	// one file more: one image is new, and its other tag follows
	if err := os.WriteFile(filepath.Join(dir, "more.py"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, _ := deployJSON(t, env, 0, plan...)
	third, log := deployJSON(t, env, 0, deploy...)
	again := third.output("app", "image")
	if again == app || strings.Contains(log, "app | "+again+" is in the registry") || p.Summary["unchanged"] != 0 {
		t.Errorf("%s\n%s", again, log)
	}
	digest := func(image string) string { return ask(t, "buildx", "imagetools", "inspect", "--raw", image) }
	latest := app[:strings.LastIndexByte(app, ':')] + ":latest"
	if digest(latest) != digest(again) {
		t.Error("latest is not what was built last")
	}
	// back again: the old one is there, and latest goes back to it without a build
	if err := os.Remove(filepath.Join(dir, "more.py")); err != nil {
		t.Fatal(err)
	}
	if back, log := deployJSON(t, env, 0, deploy...); back.output("app", "image") != app || strings.Contains(log, "FROM ") || digest(latest) != digest(app) {
		t.Errorf("%s\n%s", back.output("app", "image"), log)
	}
}

// TestDockerInputsTagBound: what a reviewed plan knew is what is built, pushed and registered, or nothing is.
func TestDockerInputsTagBound(t *testing.T) {
	dir := inputsProject(t, "bound")
	env := withoutPython(t)
	reviewed := filepath.Join(t.TempDir(), "plan.json")
	options := []string{"--all", "-C", dir, "--state", "file:state.json"}
	deploy := append([]string{"deploy", "--plan", reviewed}, options...)
	if code, _, stderr := command(t, env, append([]string{"plan", "--json", reviewed}, options...)...); code != 0 {
		t.Fatal(stderr)
	}
	before := read(filepath.Join(dir, "gpu.Dockerfile"))
	if err := os.WriteFile(filepath.Join(dir, "gpu.Dockerfile"), []byte(before+"ENV MORE=yes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := command(t, env, deploy...)
	if code != 3 || !strings.Contains(stderr, "the plan is stale, nothing was written") || !strings.Contains(stderr, "the Dockerfile, the context or an argument of its build has changed since") || read(filepath.Join(dir, "state.json")) != "" {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	repository := needs(t, "DOCKER_REGISTRY") + "/bound-gpu"
	for _, image := range []string{repository, repository[:len(repository)-len("-gpu")] + ":latest"} {
		if out, err := exec.Command("docker", "buildx", "imagetools", "inspect", "--raw", image).CombinedOutput(); err == nil {
			t.Errorf("%s was pushed: %s", image, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "gpu.Dockerfile"), []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	done, log := deployJSON(t, env, 0, deploy...)
	for _, key := range []string{"app", "gpu"} {
		if image := done.output(key, "image"); image == "" || !strings.Contains(read(reviewed), image) || !strings.Contains(ask(t, "buildx", "imagetools", "inspect", "--raw", image), done.output(key, "image_id")) {
			t.Errorf("%s: %s is not what was reviewed\n%s", key, image, log)
		}
	}
	if code, _, stderr := command(t, env, deploy...); code != 3 || !strings.Contains(stderr, "planned create") { // it was created since
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

// TestDockerInputsTagInParts: as two jobs do it, with the two halves of a builder.
func TestDockerInputsTagInParts(t *testing.T) {
	dir := inputsProject(t, "parts")
	env := withoutPython(t)
	env["RUNNER_TEMP"] = t.TempDir()
	words := filepath.Join(env["RUNNER_TEMP"], "words")
	step := func(args ...string) (string, string) {
		code, stdout, stderr := command(t, env, append([]string{"step", "-C", dir}, args...)...)
		if code != 0 {
			t.Fatalf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout, stderr
	}
	build := func() bool {
		text := read(words)
		if text == "" {
			return false
		}
		cmd := exec.Command("docker", strings.Split(strings.TrimSuffix(text, "\x00"), "\x00")...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s", out)
		}
		return true
	}
	step("gpu", "--phase", "inputs", "--arguments", words)
	if !build() {
		t.Fatal("nothing to build")
	}
	step("gpu", "--phase", "outputs", "--image-id", "sha256:1", "--outputs", filepath.Join(env["RUNNER_TEMP"], "one.json"))
	if _, log := step("gpu", "--phase", "inputs", "--arguments", words); build() || !strings.Contains(log, "already") {
		t.Errorf("it builds again\n%s", log)
	}
	meta := filepath.Join(env["RUNNER_TEMP"], "metadata")
	if err := os.WriteFile(meta, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	step("gpu", "--phase", "outputs", "--metadata-file", meta, "--outputs", filepath.Join(env["RUNNER_TEMP"], "two.json"))
	one, two := read(filepath.Join(env["RUNNER_TEMP"], "one.json")), read(filepath.Join(env["RUNNER_TEMP"], "two.json"))
	if strings.Replace(one, "sha256:1\"", "", 1) == one || !strings.Contains(two, "sha256:") || strings.Contains(two, "sha256:1\"") {
		t.Errorf("%s\n%s", one, two)
	}
	// the push of the other one, in a job of its own
	step("app", "--outputs", filepath.Join(env["RUNNER_TEMP"], "app.json"))
	step("push-app", "--from", filepath.Join(env["RUNNER_TEMP"], "app.json"), "--phase", "inputs", "--arguments", words)
	if !strings.Contains(read(words), "push\x00") {
		t.Errorf("%q", read(words))
	}
	step("push-app", "--from", filepath.Join(env["RUNNER_TEMP"], "app.json"))
	if _, log := step("push-app", "--from", filepath.Join(env["RUNNER_TEMP"], "app.json"), "--phase", "inputs", "--arguments", words); read(words) != "" || !strings.Contains(log, "already") {
		t.Errorf("%q\n%s", read(words), log)
	}
}

// TestDockerInputsTagThroughAct: the emitted workflow builds once, registers what one process registers, and the next time builds nothing.
func TestDockerInputsTagThroughAct(t *testing.T) {
	programs := t.TempDir()
	for name, pkg := range map[string]string{"run": ".", "prefect-deploy-replay": "../replay"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(programs, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	dir := inputsProject(t, "act-tagged")
	env := withoutPython(t)
	replay := func(args ...string) string {
		c := exec.Command(filepath.Join(programs, "run"), append([]string{"replay", "-C", dir}, args...)...)
		c.Env = []string{"PATH=" + env["PATH"], "HOME=" + env["HOME"], "DOCKER_HOST=" + env["DOCKER_HOST"], "DOCKER_CONFIG=" + env["DOCKER_CONFIG"], "GITHUB_SHA=x"}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return string(out)
	}
	images := func(file string) (out []string) {
		for _, line := range strings.Split(read(filepath.Join(dir, file)), "\n") {
			if strings.Contains(line, `"image": `) {
				out = append(out, strings.Trim(strings.TrimPrefix(strings.TrimSpace(line), `"image": `), `",`))
			}
		}
		return out
	}
	replay("--state", "file:dry.json")
	replay("--live", "--docker", "--state", "file:state.json")
	list := images("state.json")
	for _, image := range list {
		_, _ = exec.Command("docker", "image", "rm", "--force", image).CombinedOutput()
	}
	if planned, log := deployJSON(t, env, 0, "deploy", "--all", "-C", dir, "--state", "file:state.json"); len(list) != 2 || planned.Summary["unchanged"] != 2 || strings.Count(log, "in the registry already") != 3 {
		t.Errorf("%v: %+v\n%s", list, planned, log)
	}
	before := read(filepath.Join(dir, "state.json"))
	out := replay("--live", "--docker", "--state", "file:state.json")
	for _, image := range list {
		if text, err := exec.Command("docker", "image", "inspect", image).CombinedOutput(); err == nil {
			t.Errorf("%s was built again\n%s%s", image, text, out)
		}
	}
	if read(filepath.Join(dir, "state.json")) != before {
		t.Error("the second run changed something")
	}
}

// ignoreCases are patterns on which readers differ.
var ignoreCases = []string{"", "*", "*\n!keep", "a", "/a", "a/", "a/*", "a/**", "**/b", "**/b\n!a/b", "*/b", "a*", "?", "[ab]", "[^a]*", "!a", "a\n!a/b", "a\n!a/c/d", "*\n!a/c/d", "**\n!**/d", "# a\n a \n", "\\a", "a\\*b", "*.txt\n!é.txt", "a/../keep", "./a", ".\n",
	"a\n!*/b", "**/c/**\n!a/c/d", "sp ace", "A", "a/c/d\n!a/c", "*/*/d", "**/*.txt", "link", "empty", "!"}

// TestDockerIgnores: of each pattern, what counts for the tag is what the builder gets. A file is changed that the builder does not get: the tag stays. One is changed that it gets: the tag is another.
func TestDockerIgnores(t *testing.T) {
	files := []string{"a/b", "a/c/d", "a/c/e.txt", "b/b", "keep", "a.txt", "é.txt", "sp ace", "ab", "x/a", "x/c/d", "Cap"}
	base, registry := needs(t, "DOCKER_BASE"), needs(t, "DOCKER_REGISTRY")
	env := withoutPython(t)
	for i, patterns := range ignoreCases {
		dir := project(t, map[string]string{"flow.py": oneFlow, "in/Dockerfile": "FROM " + base + "\nCOPY . /app\nCMD [\"busybox\", \"find\", \"/app\"]\n", "in/.dockerignore": patterns,
			"prefect.yaml": "build:\n- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: " + registry + "/ignores, path: in}\npull: []\n" +
				"deployments: [{name: a, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ app.image }}'}}}]\nx-ci: {steps: {app: {tag: inputs}}}\n"})
		for _, name := range files {
			if err := os.MkdirAll(filepath.Join(dir, "in", filepath.Dir(name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "in", name), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_ = os.Mkdir(filepath.Join(dir, "in", "empty"), 0o755)
		_ = os.Symlink("keep", filepath.Join(dir, "in", "link"))
		cmd := exec.Command("docker", "buildx", "build", "--load", "--tag", "ignores", "in")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			if code, _, _ := command(t, env, "plan", "--all", "-C", dir, "--state", "file:s.json"); code != 0 {
				t.Logf("%d %q: neither builds", i, patterns)
			} else {
				t.Logf("%d %q: the builder refuses: %s", i, patterns, out)
			}
			continue
		}
		got := map[string]bool{}
		for _, line := range strings.Split(ask(t, "run", "--rm", "--network", "none", "ignores"), "\n") {
			got[strings.TrimPrefix(strings.TrimSpace(line), "/app/")] = true
		}
		tag := func() string {
			p, _ := deployJSON(t, env, 0, "plan", "--all", "-C", dir, "--state", "file:s.json")
			text, _ := p.Deployments[0].Changes[0].After.(string)
			for _, c := range p.Deployments[0].Changes {
				if c.Path == "job_variables.image" {
					text, _ = c.After.(string)
				}
			}
			return text
		}
		before := tag()
		if !strings.Contains(before, ":inputs-") {
			t.Fatalf("%q: the tag is %q", patterns, before)
		}
		check := func(name string, change, back func()) {
			change()
			if after := tag(); (after != before) != got[name] {
				t.Errorf("%d %q: %s: the builder gets it: %v, the tag counts it: %v", i, patterns, name, got[name], after != before)
			}
			back()
		}
		for _, name := range files {
			path := filepath.Join(dir, "in", name)
			check(name, func() { _ = os.WriteFile(path, []byte("y"), 0o644) }, func() { _ = os.WriteFile(path, []byte("x"), 0o644) })
		}
		check("empty", func() { _ = os.Remove(filepath.Join(dir, "in", "empty")) }, func() { _ = os.Mkdir(filepath.Join(dir, "in", "empty"), 0o755) })
		check("link", func() { _ = os.Remove(filepath.Join(dir, "in", "link")) }, func() { _ = os.Symlink("keep", filepath.Join(dir, "in", "link")) })
	}
	_, _ = exec.Command("docker", "image", "rm", "--force", "ignores").CombinedOutput()
}
