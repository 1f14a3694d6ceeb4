// The hooks of .pre-commit-hooks.yaml, run as pre-commit runs them: in the repository's root, by the words of entry and args, and with the names of the files that changed unless the hook wants none.
package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

type hook struct {
	ID, Language, Entry, Files string
	Args                       []string
	PassFilenames              *bool `yaml:"pass_filenames"`
}

func hooks(t *testing.T) map[string]hook {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", ".pre-commit-hooks.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var list []hook
	if err := yaml.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	out := map[string]hook{}
	for _, h := range list {
		out[h.ID] = h
	}
	return out
}

// run is what pre-commit does for a commit of some files; ran is false where it skips the hook.
func (h hook) run(t *testing.T, changed ...string) (ran bool, code int, stderr string) {
	t.Helper()
	var names []string
	for _, name := range changed {
		if regexp.MustCompile(h.Files).MatchString(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return false, 0, ""
	}
	words := append(strings.Fields(h.Entry), h.Args...)
	if h.PassFilenames == nil || *h.PassFilenames {
		words = append(words, names...)
	}
	if words[0] != "compile" || h.Language != "golang" {
		t.Fatalf("%v is no program of this module that Go installs", h)
	}
	code, _, stderr = compile(words[1:]...)
	return true, code, stderr
}

func TestHooks(t *testing.T) {
	all := hooks(t)
	for id, file := range map[string]string{"prefect-github": ".github/workflows/prefect.yml", "prefect-gitlab": ".gitlab-ci.yml"} {
		h, ok := all[id]
		if !ok {
			t.Fatalf("there is no hook %s", id)
		}
		t.Run(id, func(t *testing.T) {
			dir, _ := pipelineCase(t, "three-images")
			t.Chdir(dir)
			dialect := strings.TrimPrefix(id, "prefect-")
			if code, _, stderr := compile(dialect, "-o", file); code != 0 {
				t.Fatal(stderr)
			}
			for name, want := range map[string]bool{"prefect.yaml": true, "services/a/prefect.yaml": true, file: true, "README.md": false, "notprefect.yaml": false, "docs/prefect.yml": false} {
				if ran, code, stderr := h.run(t, name); ran != want || code != 0 {
					t.Errorf("a commit of %s: ran %v, exit %d: %s", name, ran, code, stderr)
				}
			}
			if _, code, stderr := h.run(t, "prefect.yaml", file, "flow.py"); code != 0 {
				t.Errorf("several files: exit %d: %s", code, stderr)
			}
			text := read(t, "prefect.yaml")
			if err := os.WriteFile("prefect.yaml", []byte(strings.Replace(text, "image_name: registry.example.com/a", "image_name: registry.example.com/b", 1)), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, code, stderr := h.run(t, "prefect.yaml"); code != 1 || !strings.Contains(stderr, "the steps of prefect.yaml") || !strings.Contains(stderr, "compile "+dialect+" -o "+file) {
				t.Errorf("a step was edited: exit %d: %s", code, stderr)
			}
		})
	}
}
