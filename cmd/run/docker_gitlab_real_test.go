//go:build real && docker

// Tags that are digests of inputs on GitLab: the emitted pipeline, carried out by gitlab-ci-local with the real engine and registry. GITLAB_CI_LOCAL is the folder that holds it.
package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// labProject is a repository with an emitted pipeline, and what runs it: each call of docker is written down before it happens.
func labProject(t *testing.T, dir string) (pipeline func() string, calls func() []string) {
	t.Helper()
	root := os.Getenv("GITLAB_CI_LOCAL")
	if root == "" {
		root = "../../.cache/gitlab-ci-local"
	}
	lab, err := filepath.Abs(filepath.Join(root, "node_modules", ".bin", "gitlab-ci-local"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(lab); err != nil {
		t.Fatalf("this test needs gitlab-ci-local: run .ci/setup, or name its folder in GITLAB_CI_LOCAL (%v)", err)
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	bin, programs, log, state := filepath.Join(base, "bin"), filepath.Join(base, "programs"), filepath.Join(base, "calls"), filepath.Join(dir, "state.json")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", programs+"/", ".", "../compile").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, line := range map[string]string{
		"docker":  `printf '%s ' "$@" >> '` + log + `'; echo >> '` + log + `'; exec '` + docker + `' "$@"`,
		"run":     `case "$1" in plan | deploy) set -- "$@" --state 'file:` + state + `' ;; esac; exec '` + programs + `/run' "$@"`,
		"compile": `exec '` + programs + `/compile' "$@"`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+line+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string, args ...string) string {
		c := exec.Command(name, args...)
		c.Dir = dir
		c.Env = []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + base, "LANG=C.UTF-8", "NO_COLOR=1", "DOCKER_HOST=" + os.Getenv("DOCKER_HOST"), "DOCKER_CONFIG=" + os.Getenv("DOCKER_CONFIG")}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	in(filepath.Join(programs, "compile"), "gitlab", "-o", ".gitlab-ci.yml", "--action", "org/prefect-deploy-action@v1")
	in("git", "add", "-A")
	in("git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "a pipeline")
	in("git", "remote", "add", "origin", "git@gitlab.example.com:team/code.git")
	in("git", "update-ref", "refs/remotes/origin/main", "HEAD")
	in("git", "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	return func() string {
			_ = os.Remove(log)
			return in(lab, "--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", "--no-color", "--unset-variable", "CI_REGISTRY_IMAGE")
		}, func() []string {
			return strings.Split(strings.TrimSpace(read(log)), "\n")
		}
}

func TestDockerInputsTagOnGitLab(t *testing.T) {
	dir := inputsProject(t, "lab-tagged")
	for name, text := range map[string]string{"prefect.yaml": read(filepath.Join(dir, "prefect.yaml")) + "  gitlab: {docker: socket}\n", ".gitignore": "state.json\n.gitlab-ci-local\n", ".dockerignore": ".git*\nstate.json\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(text, "x-ci: {steps: {app: {tag: inputs}, gpu: {tag: inputs}}}", "x-ci:\n  steps: {app: {tag: inputs}, gpu: {tag: inputs}}", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pipeline, calls := labProject(t, dir)
	work := regexp.MustCompile(`(?m)^(buildx build|buildx bake|push|tag|build) .*$|^$`)
	out := pipeline()
	first := read(filepath.Join(dir, "state.json"))
	images := regexp.MustCompile(`"image": "([^"]*:inputs-[0-9a-f]{40})"`).FindAllStringSubmatch(first, -1)
	if len(images) != 2 {
		t.Fatalf("registered is\n%s\n%s", first, out)
	}
	if got := work.FindAllString(strings.Join(calls(), "\n"), -1); len(got) < 3 {
		t.Errorf("docker was called for %q", got)
	}
	for _, image := range images {
		ask(t, "buildx", "imagetools", "inspect", "--raw", image[1])
		_, _ = exec.Command("docker", "image", "rm", "--force", image[1]).CombinedOutput()
	}
	out = pipeline()
	if got := work.FindAllString(strings.Join(calls(), "\n"), -1); len(got) > 0 || strings.Contains(out, "Usage:") || strings.Count(out, "is in the registry already") != 3 {
		t.Errorf("the second pipeline called docker for %q\n%s", got, out)
	}
	for _, image := range images {
		if err := exec.Command("docker", "image", "inspect", image[1]).Run(); err == nil {
			t.Errorf("%s was built again", image[1])
		}
	}
	if second := read(filepath.Join(dir, "state.json")); second != first {
		t.Errorf("the second pipeline registered\n%s\nthe first\n%s", second, first)
	}
}
