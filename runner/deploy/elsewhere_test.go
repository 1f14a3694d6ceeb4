// A deployment that another prefect.yaml of the repository declares is not gone.
package deploy

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

// pruning deploys one file of several.
func (s *scene) pruning(file string) *plan.Plan {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		s.t.Fatal(err)
	}
	o := s.options("")
	defer o.State.Close()
	o.Files, o.Prune, o.MaxDeletes = []File{{file, data}}, true, 9
	p, err := Deploy(context.Background(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// TestADeploymentThatMovedToAnotherFileIsNotDeleted, though its label names the first for ever; when no file has it, it goes.
func TestADeploymentThatMovedToAnotherFileIsNotDeleted(t *testing.T) {
	for _, repository := range []bool{true, false} {
		s := newScene(t)
		if repository {
			gitIn(t, s.dir, "init", "-q")
		}
		s.write("one.yaml", two("a", "moved"))
		s.write("two.yaml", two("b"))
		s.pruning("one.yaml")
		s.pruning("two.yaml")
		s.write("one.yaml", two("a"))
		s.write("two.yaml", two("b", "moved"))
		s.pruning("two.yaml")
		p := s.pruning("one.yaml")
		if s.names() != "a b moved" || p.Count().Delete != 0 || !strings.Contains(strings.Join(p.Notes, "\n"), "two.yaml declares hello/moved, so it is neither kept nor deleted") {
			t.Fatalf("in a repository %v: %s %q, the state holds %q", repository, told(p), p.Notes, s.names())
		}
		s.write("one.yaml", "x-ci: {renamed-from: {hello/new: hello/moved}}\n"+two("a", "new"))
		if p := s.pruning("one.yaml"); s.names() != "a b moved new" {
			t.Errorf("a rename takes what another file declares: %s, the state holds %q", told(p), s.names())
		}
		s.write("one.yaml", two("a"))
		s.write("two.yaml", two("b"))
		s.write("broken-prefect.yaml", "deployments: [}")
		if p := s.pruning("one.yaml"); p.Count().Delete != 0 || !strings.Contains(strings.Join(p.Notes, "\n"), "broken-prefect.yaml can't be read") {
			t.Errorf("a file that can't be read: %s %q", told(p), p.Notes)
		}
		s.write("broken-prefect.yaml", "# deployments\n")
		if p := s.pruning("one.yaml"); s.names() != "a b" {
			t.Errorf("what no file declares stays: %s, the state holds %q", told(p), s.names())
		}
	}
}

// TestASparseCheckoutHidesNoDeclaration: a file that this checkout leaves out declares as ever.
func TestASparseCheckoutHidesNoDeclaration(t *testing.T) {
	s := newScene(t)
	s.write("one.yaml", two("a", "moved"))
	s.pruning("one.yaml")
	s.write("one.yaml", two("a"))
	s.write("two.yaml", two("moved"))
	gitIn(t, s.dir, "init", "-q")
	gitIn(t, s.dir, "add", "-A", ":!state.json")
	gitIn(t, s.dir, "commit", "-q", "-m", "one")
	gitIn(t, s.dir, "sparse-checkout", "set", "--no-cone", "/flow.py", "/one.yaml")
	if p := s.pruning("one.yaml"); s.names() != "a moved" {
		t.Errorf("%s %q, the state holds %q", told(p), p.Notes, s.names())
	}
}

// TestWhatAnotherFileMayDeclare: its flow is read where its own paths lead, another flow's deployment of the same name is another one, and in doubt it is declared.
func TestWhatAnotherFileMayDeclare(t *testing.T) {
	entry := func(name, entrypoint string) string {
		return "deployments:\n- {name: " + name + ", entrypoint: " + entrypoint + ", work_pool: {name: p}}\n"
	}
	other := "from prefect import flow\n@flow\ndef bye(): pass\n"
	for _, c := range []struct {
		name, file, yaml string
		declared         bool
	}{
		{"another flow", "sub/prefect.yaml", entry("moved", "'other.py:bye'"), false},
		{"its own folder", "sub/prefect.yaml", entry("moved", "'flow.py:hello'"), true},
		{"the root", "sub/deep.yml", entry("moved", "'sub/flow.py:hello'"), true},
		{"a neighbour of the same layout", "svc/prefect.yaml", entry("moved", "'flow.py:hello'"), true},
		{"a neighbour that says that its paths are its own", "svc/prefect.yaml", "x-ci: {root: file}\n" + entry("moved", "'flow.py:hello'"), false},
		{"a flow that is nowhere", "x.yaml", entry("moved", "'nowhere.py:hello'"), true},
		{"a flow that only importing tells", "x.yaml", entry("moved", "'{{ $ENTRY }}'"), true},
		{"a template that fits", "x.yaml", entry("'{{ $A }}ov{{ $B }}'", "'sub/flow.py:hello'"), true},
		{"a template that doesn't", "x.yaml", entry("'{{ $A }}-prod'", "'sub/flow.py:hello'"), false},
		{"nothing of the kind", "x.yaml", "deployments: write\n", false},
		{"another extension", "x.txt", entry("moved", "'sub/flow.py:hello'"), false},
	} {
		s := newScene(t)
		for _, name := range []string{"sub", "svc"} {
			if err := os.Mkdir(filepath.Join(s.dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		s.write("svc/flow.py", strings.Replace(flowFile, "@flow", "@flow(name=\"other\")", 1))
		s.write("sub/flow.py", flowFile)
		s.write("sub/other.py", other)
		s.write(c.file, c.yaml)
		gitIn(t, s.dir, "init", "-q")
		j := newJob(s.options(two("a")), false)
		moved := state.Name{Flow: "hello", Deployment: "moved"}
		found := map[state.Name]*state.Live{moved: {Name: moved}}
		j.elsewhere(context.Background(), found)
		if declared := len(found) == 0; declared != c.declared {
			t.Errorf("%s: declared %v, %q", c.name, declared, j.notes)
		}
	}
}
