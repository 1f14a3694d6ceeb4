//go:build real && docker

// Docker steps against a real engine and registry, without any Python on the machine: in one process, and as the emitted workflow through act. Run by
//
//	.ci/docker go test -tags 'real docker' -run TestDocker ./cmd/run
package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// needs is a variable that .ci/docker sets.
func needs(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: run this through .ci/docker", name)
	}
	return v
}

// dockerProject builds two images of one commit, pushes them, and deploys three flows with them.
func dockerProject(t *testing.T, name, dockerfile string) string {
	t.Helper()
	registry, base := needs(t, "DOCKER_REGISTRY"), needs(t, "DOCKER_BASE")
	image := func(id, file string) string {
		return "  - prefect_docker.deployments.steps.build_docker_image: {id: " + id + ", requires: prefect-docker>=0.3, image_name: " + registry + "/" + name + "-" + id + ", tag: '{{ hash.stdout }}', additional_tags: [latest], dockerfile: " + file + "}\n"
	}
	push := func(id string) string {
		return "  - prefect_docker.deployments.steps.push_docker_image: {id: push-" + id + ", image_name: '{{ " + id + ".image_name }}', tag: '{{ " + id + ".tag }}', additional_tags: '{{ " + id + ".additional_tags }}'}\n"
	}
	hash := "  - prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse --short HEAD}\n"
	return project(t, map[string]string{"flow.py": oneFlow, "Dockerfile": strings.ReplaceAll(dockerfile, "BASE", base), "gpu.Dockerfile": "FROM " + base + "\nENV GPU=yes\n",
		"prefect.yaml": "build:\n" + hash + image("app", "Dockerfile") + "push:\n" + push("app") + "pull: []\ndeployments:\n" +
			"- {name: a, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ app.image }}'}}}\n" +
			"- {name: b, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ app.image }}'}}}\n" +
			"- name: gpu\n  entrypoint: flow.py:hello\n  work_pool: {name: p, job_variables: {image: '{{ gpu.image }}'}}\n  build:\n" + hash + image("gpu", "gpu.Dockerfile") + "  push:\n" + push("gpu")})
}

// withoutPython is this process's, with a PATH on which there is no Python.
func withoutPython(t *testing.T) map[string]string {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{"git", "docker", "bash", "sh", "env", "cat", "mkdir", "cp", "mv", "rm", "basename", "head", "paste", "node"} {
		if path, err := exec.LookPath(name); err == nil {
			if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	env := map[string]string{"PATH": bin, "HOME": t.TempDir()}
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONFIG"} {
		if v := os.Getenv(name); v != "" {
			env[name] = v
		}
	}
	t.Setenv("PATH", bin)
	return env
}

func ask(t *testing.T, words ...string) string {
	t.Helper()
	out, err := exec.Command("docker", words...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %v: %v\n%s", words, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestDockerInOneProcess(t *testing.T) {
	dir := dockerProject(t, "inproc", "FROM BASE\nENV APP=yes\n")
	commitAll(t, dir)
	env := withoutPython(t)
	code, stdout, stderr := command(t, env, "deploy", "--all", "-C", dir, "--state", "file:state.json", "--json", "-")
	if code != 0 {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	var p struct {
		Steps []struct {
			Key, Outcome string
			Outputs      map[string]any
		}
	}
	if err := json.Unmarshal([]byte(stdout), &p); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, s := range p.Steps {
		keys = append(keys, s.Key)
		image, _ := s.Outputs["image"].(string)
		if s.Key != "app" && s.Key != "gpu" {
			continue
		}
		if id := ask(t, "image", "inspect", "--format", "{{.Id}}", image); id != s.Outputs["image_id"] {
			t.Errorf("%s: the image %s is %s, the output says %v", s.Key, image, id, s.Outputs["image_id"])
		}
		if !strings.Contains(read(filepath.Join(dir, "state.json")), `"image": "`+image+`"`) {
			t.Errorf("no deployment names %s", image)
		}
		// what the registry gives is what was built
		built := ask(t, "image", "inspect", "--format", "{{.Id}}", image)
		ask(t, "image", "rm", "--force", image)
		ask(t, "pull", "--quiet", image)
		if pulled := ask(t, "image", "inspect", "--format", "{{.Id}}", image); pulled != built {
			t.Errorf("%s: pushed is %s, built was %s", image, pulled, built)
		}
		ask(t, "pull", "--quiet", image[:strings.LastIndexByte(image, ':')]+":latest")
	}
	if got := strings.Join(keys, " "); got != "hash app push-app gpu push-gpu" {
		t.Errorf("the steps were %s", got)
	}
	if code, stdout, stderr = command(t, env, "deploy", "--all", "-C", dir, "--state", "file:state.json", "--detailed-exitcode"); code != 0 {
		t.Errorf("the second deploy: exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestDockerFailures: each ends in one plain sentence that names the image and the reason, and concerns only the deployments that need it.
func TestDockerFailures(t *testing.T) {
	registry := needs(t, "DOCKER_REGISTRY")
	for name, c := range map[string]struct {
		dockerfile string
		edit       func(string) string
		want       string
	}{
		"a command":          {"FROM BASE\nRUN false\n", nil, "exit code: 1"},
		"a syntax error":     {"FROM BASE\nRUNN true\n", nil, "unknown instruction: RUNN"},
		"no base":            {"FROM " + registry + "/there-is-none\n", nil, "not found"},
		"no such Dockerfile": {"FROM BASE\n", func(s string) string { return strings.Replace(s, "dockerfile: Dockerfile", "dockerfile: none", 1) }, "none: no such file"},
		"no registry": {"FROM BASE\n", func(s string) string {
			return strings.Replace(s, "image_name: "+registry+"/failing-app", "image_name: localhost:1/x", 1)
		}, "connection refused"},
		"a wrong password": {"FROM BASE\n", func(s string) string {
			return strings.Replace(s, "tag: '{{ app.tag }}'", "tag: '{{ app.tag }}', credentials: {username: u, password: canary-password, registry_url: 'localhost:1'}", 1)
		}, "the login to localhost:1 as u failed"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := dockerProject(t, "failing", c.dockerfile)
			if c.edit != nil {
				path := filepath.Join(dir, "prefect.yaml")
				before := read(path)
				if after := c.edit(before); after == before {
					t.Fatal("the edit changes nothing")
				} else if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			commitAll(t, dir)
			code, stdout, stderr := command(t, withoutPython(t), "deploy", "--all", "-C", dir, "--state", "file:state.json", "--json", "-")
			var p struct {
				Deployments []struct{ Deployment, Outcome string }
				Steps       []struct{ Key, Outcome, Error string }
			}
			if err := json.Unmarshal([]byte(stdout), &p); err != nil {
				t.Fatalf("%v\n%s", err, stderr)
			}
			said := ""
			for _, s := range p.Steps {
				if s.Outcome == "failed" {
					said += s.Error
				}
			}
			if code != 1 || !strings.Contains(said, c.want) || strings.Contains(said, "\n") || strings.Contains(stdout+stderr, "canary-password") {
				t.Errorf("exit %d, said %q, want %q\n%s", code, said, c.want, stderr)
			}
			for _, d := range p.Deployments {
				if (d.Outcome == "applied") != (d.Deployment == "hello/gpu") {
					t.Errorf("%s is %s", d.Deployment, d.Outcome)
				}
			}
		})
	}
}

// TestDockerThroughAct: the emitted workflow builds with buildx what one process builds, and registers the same.
func TestDockerThroughAct(t *testing.T) {
	programs := t.TempDir()
	for name, pkg := range map[string]string{"run": ".", "prefect-deploy-replay": "../replay"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(programs, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	dir := dockerProject(t, "act", "FROM BASE\nENV APP=yes\n")
	commitAll(t, dir)
	env := withoutPython(t)
	c := exec.Command(filepath.Join(programs, "run"), "replay", "-C", dir, "--live", "--docker", "--state", "file:live.json")
	c.Env = []string{"PATH=" + env["PATH"], "HOME=" + env["HOME"], "DOCKER_HOST=" + env["DOCKER_HOST"], "DOCKER_CONFIG=" + env["DOCKER_CONFIG"], "GITHUB_SHA=x"}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if code, stdout, stderr := command(t, env, "deploy", "--all", "-C", dir, "--state", "file:one.json"); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	images := func(file string) (out []string) {
		for _, line := range strings.Split(read(filepath.Join(dir, file)), "\n") {
			if strings.Contains(line, `"image": `) {
				out = append(out, strings.TrimSpace(line))
			}
		}
		return out
	}
	if a, b := strings.Join(images("live.json"), " "), strings.Join(images("one.json"), " "); a != b || len(images("live.json")) != 3 {
		t.Errorf("the workflow registered %s, one process %s", a, b)
	}
	for _, image := range images("live.json") {
		name := strings.Trim(strings.TrimPrefix(image, `"image": `), `",`)
		ask(t, "image", "rm", "--force", name)
		ask(t, "pull", "--quiet", name)
		if env := ask(t, "image", "inspect", "--format", "{{.Config.Env}}", name); !strings.Contains(env, "APP=yes") && !strings.Contains(env, "GPU=yes") {
			t.Errorf("%s holds %s", name, env)
		}
	}
}

// commitAll makes a repository of a folder, with one commit.
func commitAll(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "one"}} {
		c := exec.Command("git", args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}
