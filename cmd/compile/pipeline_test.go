// The workflows of testdata/pipeline, byte by byte; pipeline_gitlab_test.go has the same for GitLab.
package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPipelineGoldens(t *testing.T) {
	for _, name := range cases(t, "pipeline") {
		t.Run(name, func(t *testing.T) {
			from := filepath.Join(goldens, "pipeline", name)
			dir, more := pipelineCase(t, name)
			args := append([]string{"github"}, more...)
			code, text, stderr := compile(args...)
			if code != 0 {
				t.Fatalf("exit %d\n%s", code, stderr)
			}
			golden(t, filepath.Join(from, "github.yml"), text)
			if _, again, _ := compile(args...); again != text {
				t.Error("twice the same input, and not the same bytes")
			}
			file := filepath.Join(dir, "again.yml")
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if code, _, stderr := compile(append(args, "--check", file)...); code != 0 {
				t.Errorf("what was just emitted is stale: %s", stderr)
			}
		})
	}
}

// TestJobsOfPipelines: how many jobs build, and what waits for what, in the words of the cases' first lines.
func TestJobsOfPipelines(t *testing.T) {
	for name, want := range map[string]string{
		"three-images":       "a[check] b[check] image[check]",
		"diamond":            "commit[check] app[check, commit] worker[check, commit] release[check, app, worker]",
		"hash-two-images":    "hash[check] app[check, hash] gpu[check, hash]",
		"push-with-image":    "build-image[check] private[check]",
		"secret-in-register": "hash[check]",
	} {
		data, err := os.ReadFile(filepath.Join(goldens, "pipeline", name, "github.yml"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		job := ""
		for _, line := range strings.Split(string(data), "\n") {
			if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
				job, _, _ = strings.Cut(strings.TrimSpace(line), ":")
			}
			if needs, ok := strings.CutPrefix(line, "    needs: "); ok && job != "register" && job != "prefect" {
				got = append(got, job+needs)
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s\n got %s\nwant %s", name, text, want)
		}
	}
}

// TestOwnPipeline: this repository's workflow of testdata/dogfood is what would be emitted now; also where the sources stand in no repository, so they are put into one.
func TestOwnPipeline(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "testdata", "dogfood")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(goldens, "dogfood"))); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join("..", "..", ".github", "workflows", "quickstart.yml")
	if code, _, stderr := compile("github", "-C", dir, "--check", own); code != 0 {
		t.Errorf("compile github -C testdata/dogfood -o .github/workflows/quickstart.yml writes it anew: %s", stderr)
	}
	if code, _, stderr := compile("github", "-C", dir, "--check", filepath.Join(root, "none.yml")); code != 1 || !strings.Contains(stderr, "generate it with\n  compile github -C ") {
		t.Errorf("a file that is not there: exit %d, %s", code, stderr)
	}
	if code, _, stderr := compile("gitlab", "-C", dir, "--check", own); code != 1 || !strings.Contains(stderr, "was made by compile github, and this is compile gitlab") {
		t.Errorf("a file of another platform: exit %d, %s", code, stderr)
	}
	text, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	edited := filepath.Join(root, "edited.yml")
	if err := os.WriteFile(edited, []byte(strings.Replace(string(text), "timeout-minutes: 15", "timeout-minutes: 16", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := compile("github", "-C", dir, "--check", edited); code != 1 || !strings.Contains(stderr, "edited by hand") {
		t.Errorf("an edit by hand: exit %d, %s", code, stderr)
	}
}

// TestATagInPlaceOfACommit: one that somebody wrote into an emitted file is told, by --check as a fault and by -o as a note, and the commit comes back.
func TestATagInPlaceOfACommit(t *testing.T) {
	dir, more := pipelineCase(t, "three-images")
	file := filepath.Join(dir, "own.yml")
	args := append([]string{"github"}, more...)
	if code, _, stderr := compile(append(args, "-o", file)...); code != 0 {
		t.Fatal(stderr)
	}
	fresh, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.ReplaceAll(string(fresh), "docker/build-push-action@263435318d21b8e681c14492fe198d362a7d2c83", "docker/build-push-action@v6")
	if err := os.WriteFile(file, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	const said = "the version v6 of docker/build-push-action is no commit"
	if code, _, stderr := compile(append(args, "--check", file)...); code != 1 || !strings.Contains(stderr, said) {
		t.Errorf("--check: exit %d, %s", code, stderr)
	}
	code, _, stderr := compile(append(args, "-o", file)...)
	if now, err := os.ReadFile(file); code != 0 || strings.Count(stderr, said) != 3 || err != nil || string(now) != string(fresh) {
		t.Errorf("-o: exit %d, %v, %s", code, err, stderr)
	}
	if code, _, stderr := compile(append(args, "--check", file)...); code != 0 {
		t.Errorf("what was just emitted is stale: %s", stderr)
	}
}

// TestNotOverItself: what is compiled is not written over.
func TestNotOverItself(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": flowFile, "prefect.yaml": "pull: []\ndeployments:\n- {name: d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"})
	before, err := os.ReadFile(filepath.Join(dir, "prefect.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dialect := range []string{"github", "gitlab"} {
		if code, _, stderr := compile(dialect, "-C", dir, "-o", filepath.Join(dir, "prefect.yaml")); code != 64 {
			t.Errorf("%s: exit %d\n%s", dialect, code, stderr)
		}
	}
	if after, err := os.ReadFile(filepath.Join(dir, "prefect.yaml")); err != nil || string(after) != string(before) {
		t.Errorf("%v: it was written over", err)
	}
}
