// The workflow that makes a release: what it may do, and that it does it with code that stands still.
package release

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

type workflow struct {
	On          yaml.Node
	Permissions map[string]string
	Jobs        map[string]struct {
		RunsOn      string `yaml:"runs-on"`
		Uses        string
		Needs       needs
		Permissions map[string]string
		Steps       []struct {
			Name, Uses, Run, Shell string
			Env, With              map[string]string
		}
	}
}

// needs is one name or several.
type needs []string

func (n *needs) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*n = needs{node.Value}
		return nil
	}
	return node.Decode((*[]string)(n))
}

func readWorkflow(t *testing.T, name string) workflow {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, ".github", "workflows", name))
	if err != nil {
		t.Fatal(err)
	}
	var w workflow
	if err := yaml.Unmarshal(data, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWorkflowsInterpolateNothing(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		for id, job := range readWorkflow(t, filepath.Base(f)).Jobs {
			for _, s := range job.Steps {
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s, %s: %q", f, id, s.Run)
				}
				if s.Uses != "" && s.Uses != "./" && !regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`).MatchString(s.Uses) {
					t.Errorf("%s, %s: %s is not pinned by its commit", f, id, s.Uses)
				}
			}
		}
	}
}

// The right to publish and to sign is one job's, which runs nothing but what this commit holds, after all tests; and no other job has any.
func TestWhoMayPublish(t *testing.T) {
	w := readWorkflow(t, "release.yml")
	if len(w.Permissions) > 0 || len(w.Jobs) != 2 {
		t.Errorf("all jobs may %v; jobs %v", w.Permissions, w.Jobs)
	}
	test, publish := w.Jobs["test"], w.Jobs["publish"]
	if test.Uses != "./.github/workflows/ci.yml" || !reflect.DeepEqual(test.Permissions, map[string]string{"contents": "read"}) {
		t.Errorf("test: %+v", test)
	}
	if !slices.Equal(publish.Needs, needs{"test"}) || !reflect.DeepEqual(publish.Permissions, map[string]string{"contents": "write", "id-token": "write", "attestations": "write"}) {
		t.Errorf("publish: %+v", publish)
	}
	// The installer denies what was built on a machine of somebody's own.
	if !strings.HasPrefix(publish.RunsOn, "ubuntu-") {
		t.Errorf("publish runs on %q", publish.RunsOn)
	}
	for _, s := range publish.Steps {
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("%s runs in %q", s.Name, s.Shell)
		}
		if strings.HasPrefix(s.Uses, "actions/setup-go@") && s.With["cache"] != "false" {
			t.Error("what is released may be built from a cache that any job could have written")
		}
	}
	var on map[string]map[string][]string
	if err := w.On.Decode(&on); err != nil || !reflect.DeepEqual(on, map[string]map[string][]string{"push": {"tags": {"v[0-9]+.[0-9]+.[0-9]+*"}}}) {
		t.Errorf("it runs on %v, %v", on, err)
	}
}
