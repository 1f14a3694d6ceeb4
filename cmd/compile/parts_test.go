// A pipeline of several files, from outside: the command writes, checks and clears away all of them.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ours is the action as tests name it: a pin, as a release has it.
const ours = "org/prefect-deploy-action@0123456789abcdef0123456789abcdef01234567"

// source is a prefect.yaml and a name for it.
type source struct{ name, dir, file string }

// made writes a prefect.yaml of a test's own, in a repository of its own.
func made(t testing.TB, name, text string) source {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	for _, d := range []string{dir, filepath.Join(dir, ".git")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return source{name, dir, "prefect.yaml"}
}

// TestPartsOfAPipeline: a workflow of several files is written, checked and cleared away as one.
func TestPartsOfAPipeline(t *testing.T) {
	s := made(t, "large", manyDeployments(200, 200))
	out := filepath.Join(s.dir, ".github", "workflows", "prefect.yml")
	args := []string{"github", "-C", s.dir, "--action", ours}
	parts := func() int {
		found, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "prefect-builds-*.yml"))
		return len(found)
	}
	if code, _, stderr := compile(append(args, "-o", out)...); code != 0 || parts() < 2 {
		t.Fatalf("exit %d, %d parts: %s", code, parts(), stderr)
	}
	if code, stdout, stderr := compile(args...); code != 1 || stdout != "" || !strings.Contains(stderr, "-o") {
		t.Errorf("to stdout: exit %d: %s", code, stderr)
	}
	check := []string{"github", "-C", s.dir, "--check", out}
	if code, _, stderr := compile(check...); code != 0 {
		t.Errorf("check: exit %d: %s", code, stderr)
	}
	part := filepath.Join(filepath.Dir(out), "prefect-builds-2.yml")
	text, _ := os.ReadFile(part)
	edit := func(data []byte) { _ = os.WriteFile(part, data, 0o644) }
	moved := strings.ReplaceAll(string(text), "docker/build-push-action@263435318d21b8e681c14492fe198d362a7d2c83 # v6.18.0", "docker/build-push-action@"+strings.Repeat("1", 40)+" # v7.0.0")
	edit([]byte(moved))
	if code, _, stderr := compile(check...); code != 0 {
		t.Errorf("another version in a part: exit %d: %s", code, stderr)
	}
	if code, _, stderr := compile(append(args, "-o", out)...); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if again, _ := os.ReadFile(part); !strings.Contains(string(again), "docker/build-push-action@") {
		t.Error("the part is lost")
	}
	edit([]byte(strings.Replace(moved, "timeout-minutes: 60", "timeout-minutes: 61", 1)))
	if code, _, stderr := compile(check...); code != 1 || !strings.Contains(stderr, "prefect-builds-2.yml is stale") {
		t.Errorf("an edited part: exit %d: %s", code, stderr)
	}
	_ = os.WriteFile(filepath.Join(s.dir, "prefect.yaml"), []byte(manyDeployments(2, 2)), 0o644)
	if code, _, stderr := compile(append(args, "-o", out)...); code != 0 || parts() != 0 {
		t.Errorf("small again: exit %d, %d parts: %s", code, parts(), stderr)
	}
}

// manyDeployments is a file of n deployments that build some distinct images between them; the first line of each list is the same step for all.
func manyDeployments(n, images int) string {
	var b strings.Builder
	b.WriteString("pull: []\ndeployments:\n")
	for i := range n {
		k := i % images
		fmt.Fprintf(&b, `  - name: deployment-%d
    entrypoint: flows/flow_%d.py:main
    work_pool: {name: pool, job_variables: {image: "{{ image-%d.image }}"}}
    schedules: [{cron: "%d 6 * * *"}]
    build:
      - prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse --short HEAD}
      - prefect_docker.deployments.steps.build_docker_image: {id: image-%d, image_name: registry.example.com/team/image-%d, tag: "{{ hash.stdout }}", dockerfile: images/%d/Dockerfile}
    push:
      - prefect_docker.deployments.steps.push_docker_image: {image_name: "{{ image-%d.image_name }}", tag: "{{ image-%d.tag }}"}
`, i, i, k, i%60, k, k, k, k, k)
	}
	return b.String()
}
