// What is emitted for GitLab, case by case, and that it is what it says it is: generating again changes nothing, and --check tells when it is not.
package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pipelineCase is a copy of a folder of testdata/pipeline as a repository of its own, and the options that name its files.
func pipelineCase(t *testing.T, name string) (dir string, args []string) {
	t.Helper()
	dir = t.TempDir()
	from := filepath.Join(goldens, "pipeline", name)
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(filepath.Join(from, "args"))
	for _, a := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if a != "" {
			args = append(args, a)
		}
	}
	return dir, append(args, "-C", dir, "--action", "org/prefect-deploy-action@v1")
}

func TestGitLabGoldens(t *testing.T) {
	for _, name := range cases(t, "pipeline") {
		t.Run(name, func(t *testing.T) {
			dir, args := pipelineCase(t, name)
			file := filepath.Join(dir, ".gitlab-ci.yml")
			args = append([]string{"gitlab"}, args...)
			code, stdout, stderr := compile(args...)
			if code != 0 || stderr != "" {
				t.Fatalf("exit %d\n%s", code, stderr)
			}
			golden(t, filepath.Join(goldens, "pipeline", name, "gitlab.yml"), stdout)
			if code, out, stderr := compile(append(args, "-o", file)...); code != 0 || out != "" || read(t, file) != stdout {
				t.Fatalf("-o: exit %d, %s%s", code, out, stderr)
			}
			if code, out, stderr := compile(append(args, "--check", file)...); code != 0 || out+stderr != "" {
				t.Errorf("it is stale at once: exit %d\n%s%s", code, out, stderr)
			}
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestGitLabKeepsItsSource: what --action said once holds when the file is generated again without it.
func TestGitLabKeepsItsSource(t *testing.T) {
	dir, args := pipelineCase(t, "quickstart")
	file := filepath.Join(dir, ".gitlab-ci.yml")
	args = args[:len(args)-2]
	if code, _, stderr := compile(append([]string{"gitlab", "-o", file, "--action", "acme/fork$x@v2"}, args...)...); code != 0 || !strings.Contains(read(t, file), "SOURCE: https://github.com/acme/fork$$x\n    PREFECT_DEPLOY_REF: v2") {
		t.Fatalf("%s\n%s", stderr, read(t, file))
	}
	if code, stdout, stderr := compile(append([]string{"gitlab", "--check", file}, args...)...); code != 0 || stdout+stderr != "" {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestGitLabVersionsStay: what a bot moves in the file stays, and all else that is edited by hand is told.
func TestGitLabVersionsStay(t *testing.T) {
	dir, args := pipelineCase(t, "three-images")
	file := filepath.Join(dir, ".gitlab-ci.yml")
	args = append([]string{"gitlab"}, args...)
	check := func(want int, words string) {
		t.Helper()
		code, stdout, stderr := compile(append(args, "--check", file)...)
		if code != want || !strings.Contains(stderr, words) {
			t.Errorf("exit %d, want %d with %q\n%s%s", code, want, words, stdout, stderr)
		}
	}
	compile(append(args, "-o", file)...)
	moved := strings.NewReplacer("REF: v1", "REF: abcdef0123456789", "golang:1.26-bookworm", "golang:1.27-trixie@sha256:"+strings.Repeat("12", 32), "docker:28.5.1-cli", "docker:29.0.0-cli@sha256:"+strings.Repeat("34", 32), "docker:28.5.1-dind", `docker:29.0.1-dind`).Replace(read(t, file))
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(moved)
	check(0, "")
	compile(append(args, "-o", file)...)
	if again := strings.Split(read(t, file), "\n"); strings.Join(again[5:], "\n") != strings.Join(strings.Split(moved, "\n")[5:], "\n") {
		t.Errorf("generating again moved a version:\n%s", strings.Join(again, "\n"))
	}
	write(strings.Replace(moved, "when: always", "when: on_success", 1))
	check(1, "edited by hand")
	write(moved[strings.Index(moved, "workflow:"):])
	check(1, "not generated")
	prefect := filepath.Join(dir, "prefect.yaml")
	write(moved)
	if err := os.WriteFile(prefect, []byte(strings.Replace(read(t, prefect), "image_name: registry.example.com/a, tag: \"1\"", "image_name: registry.example.com/a, tag: \"2\"", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	check(1, "the steps of prefect.yaml, or the variables that it reads, changed")
}

// TestGitLabsDockerIsASocketOrAService: a misspelt socket would silently start a privileged service.
func TestGitLabsDockerIsASocketOrAService(t *testing.T) {
	dir := t.TempDir()
	text := "x-ci: {gitlab: {docker: sockt}}\ndeployments:\n- {name: a, entrypoint: flow.py:main, work_pool: {name: p}}\n"
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := compile("gitlab", "-C", dir); code != 1 || !strings.Contains(stderr, "prefect.yaml:1:25: error: x-ci.gitlab.docker is socket or is not written") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
