//go:build real

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplayOnGitLab: the pipeline for GitLab runs here, on the work tree as it stands, registers to the file and lets no docker run; a faulty step fails it.
func TestReplayOnGitLab(t *testing.T) {
	lab := os.Getenv("GITLAB_CI_LOCAL")
	if lab == "" {
		lab = "../../.cache/gitlab-ci-local"
	}
	lab, err := filepath.Abs(filepath.Join(lab, "node_modules", ".bin"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(lab, "gitlab-ci-local")); err != nil {
		t.Fatalf("this test needs gitlab-ci-local: run .ci/setup, or name its folder in GITLAB_CI_LOCAL (%v)", err)
	}
	bin := t.TempDir()
	for name, pkg := range map[string]string{"run": ".", "compile": "../compile"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	calls := filepath.Join(t.TempDir(), "calls")
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\necho \"$@\" >> '"+calls+"'\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir := project(t, map[string]string{"flow.py": oneFlow, "Dockerfile": "FROM scratch\n", "prefect.yaml": `x-ci: {vars: [REGION]}
build:
- prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse --short HEAD}
- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: registry.example.com/app, tag: "{{ hash.stdout }}", dockerfile: Dockerfile}
push:
- prefect_docker.deployments.steps.push_docker_image: {image_name: "{{ app.image_name }}", tag: "{{ app.tag }}", credentials: {username: u, password: p, registry_url: registry.example.com}}
pull: []
deployments:
- {name: a, entrypoint: "flow.py:hello", work_pool: {name: p, job_variables: {image: "{{ app.image }}", env: {REGION: "{{ $REGION }}", KEY: "{{ $PREFECT_API_KEY }}"}}}}
`})
	runGit(t, dir, "init", "-q", "-b", "main")
	runGit(t, dir, "add", "-A")
	runGit(t, dir, "commit", "-q", "-m", "one")
	replay := func(args ...string) (string, error) {
		c := exec.Command(filepath.Join(bin, "run"), append([]string{"replay", "--dialect", "gitlab", "-C", dir}, args...)...)
		c.Env = []string{"PATH=" + bin + string(filepath.ListSeparator) + lab + string(filepath.ListSeparator) + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8", "REGION=eu", "PREFECT_API_URL=http://127.0.0.1:1/api", "PREFECT_API_KEY=canary"}
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := replay("--state", "file:state.json")
	state := read(filepath.Join(dir, "state.json"))
	if err != nil || !strings.Contains(state, `"image": "registry.example.com/app:`) || !strings.Contains(state, `"REGION": "eu"`) || strings.Contains(out+state, "canary") || read(calls) != "" {
		t.Fatalf("%v\n%s\n%s\ndocker was called: %s", err, out, state, read(calls))
	}
	for name, text := range map[string]string{"new.py": oneFlow, "prefect.yaml": strings.Replace(read(filepath.Join(dir, "prefect.yaml")), "flow.py:hello", "new.py:hello", 1)} { // neither is committed
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err = replay("--event", "pull_request"); err != nil || !strings.Contains(out, "1 to create") || !strings.Contains(out, "planned against an empty state") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.Replace(read(filepath.Join(dir, "prefect.yaml")), "git rev-parse --short HEAD", "git rev-parse nowhere", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err = replay(); err == nil || !strings.Contains(out, "the step hash failed") {
		t.Errorf("a failing step: %v\n%s", err, out)
	}
	if status := runGit(t, dir, "status", "--short"); strings.Contains(status, "gitlab") {
		t.Errorf("something was left in the repository: %s", status)
	}
}
