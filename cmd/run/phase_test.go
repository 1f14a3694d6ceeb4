// The two halves of a Docker step, with a `docker` that only writes down what it is told. What a real one makes of these words is proved where the table is.
package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// images is a project that builds an image, one without a tag and one with a generated Dockerfile, and pushes with a password.
func images(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("docker is a shell script here")
	}
	dir := project(t, map[string]string{"flow.py": oneFlow, "Dockerfile": "FROM scratch\n", "sub/x": "", "bin/docker": "#!/bin/sh\necho \"$@\" >>\"$DOCKER_LOG\"\nwhile read -r line || [ -n \"$line\" ]; do echo \"stdin $line\" >>\"$DOCKER_LOG\"; done\n",
		"state.json": `{"schema": 1, "blocks": {"docker-registry/own": {"username": "me", "password": "password-canary", "registry_url": "ghcr.io"}}}`,
		"prefect.yaml": `x-ci: {vars: [LEVEL]}
build:
- prefect.deployments.steps.run_shell_script: {id: hash, script: echo 1.0}
- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: ghcr.io/me/app, tag: "{{ hash.stdout }}", dockerfile: Dockerfile, buildargs: {LEVEL: "{{ $LEVEL }}"}}
- prefect_docker.deployments.steps.build_docker_image: {id: untagged, image_name: ghcr.io/me/other, dockerfile: Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: secret, image_name: app, tag: a, dockerfile: Dockerfile, buildargs: {TOKEN: "{{ $TOKEN }}"}}
push:
- prefect_docker.deployments.steps.push_docker_image: {id: pushed, image_name: "{{ app.image_name }}", tag: "{{ app.tag }}", additional_tags: [latest], credentials: "{{ prefect.blocks.docker-registry.own }}"}
pull: []
deployments:
- {name: d, entrypoint: "flow.py:hello", work_pool: {name: p, job_variables: {image: "{{ pushed.image }}"}}, tags: ["{{ untagged.tag }}"]}
`})
	if err := os.Chmod(filepath.Join(dir, "bin", "docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(dir, "bin")) // and no Python
	return dir
}

func TestADockerStepInTwoHalves(t *testing.T) {
	dir := images(t)
	log := filepath.Join(dir, "docker.log")
	job := func(args ...string) (stdout, stderr string, outputs map[string]string) {
		t.Helper()
		github := filepath.Join(t.TempDir(), "output")
		env := map[string]string{"GITHUB_OUTPUT": github, "RUNNER_TEMP": dir, "GITHUB_WORKSPACE": filepath.Dir(dir), "LEVEL": "3", "TOKEN": "token-canary", "DOCKER_LOG": log, "PATH": os.Getenv("PATH") + ":/usr/bin:/bin"}
		code, stdout, stderr := command(t, env, append([]string{"step", "-C", dir, "--state", "file:state.json"}, args...)...)
		if code != 0 {
			t.Fatalf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout, stderr, outputsOf(t, read(github))
	}
	job("hash", "--outputs", "hash.json")
	_, _, first := job("app", "--from", "hash.json", "--phase", "inputs", "--arguments", "words")
	var inputs map[string]any
	if err := json.Unmarshal([]byte(first["inputs"]), &inputs); err != nil {
		t.Fatal(err)
	}
	if base := filepath.Base(dir); inputs["tags"] != "ghcr.io/me/app:1.0" || inputs["context"] != base || inputs["file"] != base+"/Dockerfile" || inputs["load"] != true || inputs["build-args"] != "LEVEL=3" {
		t.Errorf("the action's inputs are %s", first["inputs"])
	}
	if words := strings.Split(read(filepath.Join(dir, "words")), "\x00"); strings.Join(words[:4], " ") != "buildx build --file Dockerfile" || words[len(words)-2] != "." || words[len(words)-1] != "" {
		t.Errorf("the words are %q", words)
	}
	_, _, second := job("app", "--from", "hash.json", "--phase", "outputs", "--image-id", "sha256:abc", "--outputs", "image.json")
	if second["app_image"] != "ghcr.io/me/app:1.0" || second["app_image_id"] != "sha256:abc" || second["app_additional_tags"] != "[]" {
		t.Errorf("the step gave %v", second)
	}
	// Without a tag both halves have the same moment.
	_, _, first = job("untagged", "--phase", "inputs")
	if err := os.WriteFile(filepath.Join(dir, "metadata.json"), []byte(`{"containerimage.digest": "sha256:no", "containerimage.config.digest": "sha256:def"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, second = job("untagged", "--phase", "outputs", "--metadata-file", "metadata.json", "--outputs", "untagged.json")
	if !strings.Contains(first["inputs"], `"tags":"`+second["untagged_image"]+`"`) || second["untagged_image_id"] != "sha256:def" || second["untagged_tag"] == "" {
		t.Errorf("%v then %v", first, second)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "prefect-deploy-*")); len(left) > 0 {
		t.Errorf("the two halves leave %q", left)
	}
	// A push logs in, and the password goes nowhere else.
	stdout, stderr, pushed := job("pushed", "--from", "image.json", "--phase", "inputs", "--arguments", "words")
	told := read(log)
	if told != "login --username me --password-stdin ghcr.io\nstdin password-canary\n" || read(filepath.Join(dir, "words")) != "push\x00ghcr.io/me/app:1.0\x00push\x00ghcr.io/me/app:latest\x00" || pushed["inputs"] != `{"references":["ghcr.io/me/app:1.0","ghcr.io/me/app:latest"],"all-tags":false}` {
		t.Errorf("docker was told %q, the words are %q, the output is %q", told, read(filepath.Join(dir, "words")), pushed["inputs"])
	}
	if strings.Contains(stdout+stderr, "canary") {
		t.Errorf("the password is shown:\n%s%s", stdout, stderr)
	}
	job("pushed", "--from", "image.json", "--phase", "outputs", "--outputs", "pushed.json")
	must(t, "deploy", "--all", "-C", dir, "--state", "file:state.json", "--skip-build", "--from", "untagged.json", "--from", "pushed.json")
	if text := read(filepath.Join(dir, "state.json")); !strings.Contains(text, `"image": "ghcr.io/me/app:1.0"`) || !strings.Contains(text, second["untagged_tag"]) {
		t.Errorf("registered\n%s", text)
	}
	// What is sensitive goes into no output; a file of words may hold it.
	code, stdout, stderr := command(t, map[string]string{"GITHUB_OUTPUT": filepath.Join(dir, "output"), "TOKEN": "token-canary"}, "step", "secret", "-C", dir, "--phase", "inputs")
	if code != 1 || !strings.Contains(stderr, "sensitive (build-args)") || strings.Contains(stdout+stderr+read(filepath.Join(dir, "output")), "canary") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	if _, _, outputs := job("secret", "--phase", "inputs", "--arguments", "words"); len(outputs) != 0 || !strings.Contains(read(filepath.Join(dir, "words")), "TOKEN=token-canary") {
		t.Errorf("outputs %v, words %q", outputs, read(filepath.Join(dir, "words")))
	}
}

func TestPhasesThatMeanNothing(t *testing.T) {
	dir := images(t)
	for _, c := range []struct {
		code  int
		args  string
		words string
	}{
		{64, "hash --phase inputs", "only build_docker_image and push_docker_image"},
		{64, "app untagged --phase inputs", "of one step"},
		{64, "app --phase between", "write inputs, outputs or done"},
		{64, "secret --phase outputs", "--image-id ID"},
		{64, "app --image-id x", "--phase outputs"},
		{64, "app --phase outputs --arguments x", "--phase inputs"},
		{64, "app --phase inputs --outputs x", "has given nothing yet"},
		{1, "app --phase inputs", "app needs hash.stdout"},
		{1, "untagged --phase outputs --image-id x", "run both phases in one job"},
		{1, "untagged --phase outputs --metadata-file prefect.yaml", "no JSON"},
	} {
		code, stdout, stderr := command(t, map[string]string{"RUNNER_TEMP": dir}, append([]string{"step", "-C", dir}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(stderr, c.words) {
			t.Errorf("%s: exit %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
}

// TestTheActionsPhases: what goes between the two halves passes through the output inputs and the input image-id.
func TestTheActionsPhases(t *testing.T) {
	dir := images(t)
	job := func(inputs map[string]string) called {
		t.Helper()
		inputs["mode"], inputs["step"], inputs["working-directory"] = "step", "untagged", dir
		r := callAction(t, call{dir: dir, name: "push", event: "push_main", inputs: inputs, env: map[string]string{"RUNNER_TEMP": dir}})
		if r.code != 0 || r.outputs["result"] != "ran" {
			t.Fatalf("exit %d, outputs %v\n%s", r.code, r.outputs, r.log)
		}
		return r
	}
	first := job(map[string]string{"phase": "inputs"})
	second := job(map[string]string{"phase": "outputs", "image-id": "sha256:abc", "outputs": "out.json"})
	var inputs map[string]any
	var steps map[string]map[string]any
	if json.Unmarshal([]byte(first.outputs["inputs"]), &inputs) != nil || json.Unmarshal([]byte(second.outputs["steps"]), &steps) != nil || inputs["tags"] == nil || inputs["tags"] != steps["untagged"]["image"] ||
		!strings.Contains(read(filepath.Join(dir, "out.json")), `"image_id":"sha256:abc"`) {
		t.Errorf("%v\n%v\n%s", first.outputs, second.outputs, read(filepath.Join(dir, "out.json")))
	}
}

// TestTheNamespaceOfBothPhases: what Prefect would put before an image's name stands in what a builder is told and in what the step gives, and a variable that the repository has not is no empty namespace.
func TestTheNamespaceOfBothPhases(t *testing.T) {
	dir := images(t)
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(`build:
- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: app, tag: a, dockerfile: Dockerfile}
deployments:
- {name: d, entrypoint: "flow.py:hello", work_pool: {name: p}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for namespace, want := range map[string]string{"team": "team/app:a", "": "app:a"} {
		env := map[string]string{"RUNNER_TEMP": dir, "PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE": namespace, "PREFECT_DEPLOY_OPTIONAL": "PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE"}
		job := func(more map[string]string) called {
			inputs := map[string]string{"mode": "step", "step": "app", "working-directory": dir}
			for k, v := range more {
				inputs[k] = v
			}
			return callAction(t, call{dir: dir, name: "push", event: "push_main", inputs: inputs, env: env})
		}
		first := job(map[string]string{"phase": "inputs"})
		second := job(map[string]string{"phase": "outputs", "image-id": "sha256:abc", "outputs": "out.json"})
		if !strings.Contains(first.outputs["inputs"], `"tags":"`+want+`"`) || !strings.Contains(second.outputs["steps"], `"image":"`+want+`"`) {
			t.Errorf("%q: exit %d and %d, %v then %v\n%s", namespace, first.code, second.code, first.outputs, second.outputs, first.log)
		}
	}
}
