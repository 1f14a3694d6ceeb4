// The label that says who created a deployment: two projects never have one, and what another target's run created is told, not lost.
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

// folders makes two projects in one folder; the rest are further folders.
func folders(t *testing.T, more ...string) (root string) {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"a", "b"}, more...) {
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(root, name, "flow.py"), []byte(flowFile), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// at is the project of a folder.
func at(t *testing.T, dir string, env ...string) *scene {
	s := &scene{t: t, dir: dir, env: map[string]string{"PATH": os.Getenv("PATH")}}
	for _, e := range env {
		name, v, _ := strings.Cut(e, "=")
		s.env[name] = v
	}
	return s
}

func (s *scene) owner(file string) string {
	o := s.options("")
	defer o.State.Close()
	return newJob(o, false).place(file)
}

func TestTheOwnerIsMadeOfWhatIsCertain(t *testing.T) {
	const repository = "GITHUB_REPOSITORY=acme/mono"
	image := folders(t, ".github/workflows") // what actions/checkout leaves in an image without git
	if got := at(t, filepath.Join(image, "a"), repository, "GITHUB_WORKSPACE="+image).owner("prefect.yaml"); got != "acme/mono#a/prefect.yaml" {
		t.Errorf("without git: %s", got)
	}
	if got := at(t, filepath.Join(image, "a"), "CI_PROJECT_PATH=acme/mono", "CI_PROJECT_DIR="+image).owner("prefect.yaml"); got != "acme/mono#a/prefect.yaml" {
		t.Errorf("in GitLab without git: %s", got)
	}
	elsewhere := folders(t) // checked out with `path:`, or somewhere else
	seen := map[string]bool{}
	for _, dir := range []string{"a", "b"} {
		for _, r := range []string{repository, "GITHUB_REPOSITORY=acme/other", "X="} {
			got := at(t, filepath.Join(elsewhere, dir), r, "GITHUB_WORKSPACE="+elsewhere).owner("prefect.yaml")
			if !strings.HasPrefix(got, "local:") || seen[got] {
				t.Errorf("%s of %s where the root is not known: %s", dir, r, got)
			}
			seen[got] = true
		}
	}
	cloned := folders(t)
	gitIn(t, cloned, "init", "-q")
	for _, env := range [][]string{{}, {"GIT_TEST_ASSUME_DIFFERENT_OWNER=1"}} { // the last is git's own switch for "dubious ownership"
		s := at(t, filepath.Join(cloned, "a"), append(env, repository)...)
		for _, file := range []string{"prefect.yaml", "./prefect.yaml", filepath.Join(cloned, "a/prefect.yaml")} {
			if got := s.owner(file); got != "acme/mono#a/prefect.yaml" {
				t.Errorf("%s with %v: %s", file, env, got)
			}
		}
		if got := s.owner("../b/prefect.yaml"); got != "acme/mono#b/prefect.yaml" {
			t.Errorf("beside it: %s", got)
		}
		for _, outside := range []string{"../../prefect.yaml", filepath.Join(image, "a/prefect.yaml")} {
			if got := s.owner(outside); !strings.HasPrefix(got, "local:") {
				t.Errorf("a file outside of the repository: %s", got)
			}
		}
	}
	gitIn(t, cloned, "remote", "add", "origin", "https://github.com/acme/checked-out.git")
	if got := at(t, cloned, repository).owner("prefect.yaml"); got != "acme/checked-out#prefect.yaml" {
		t.Errorf("another repository than the job's: %s", got)
	}
	gitIn(t, cloned, "remote", "set-url", "origin", "https://mirror.example.com/acme/checked-out.git")
	if got := at(t, cloned, repository).owner("prefect.yaml"); got != "acme/mono#prefect.yaml" {
		t.Errorf("a mirror's name: %s", got)
	}
}

// TestAnAbsolutePathIsTheSameFile: in the label, where no path of this machine belongs, and in a commit.
func TestAnAbsolutePathIsTheSameFile(t *testing.T) {
	root := folders(t)
	s := at(t, filepath.Join(root, "a"), "GITHUB_REPOSITORY=acme/mono")
	s.commit(two("x", "y"))
	gitIn(t, s.dir, "mv", "prefect.yaml", "real.yaml")
	if err := os.Symlink("real.yaml", filepath.Join(s.dir, "prefect.yaml")); err != nil {
		t.Fatal(err)
	}
	gitIn(t, s.dir, "add", "-A")
	gitIn(t, s.dir, "commit", "-q", "-m", "a link")
	name := filepath.Join(s.dir, "prefect.yaml")
	for _, patterns := range [][]string{{name}, {filepath.Join(s.dir, "pre*.yaml")}, {"prefect.yaml"}} {
		o := s.options("")
		o.State, o.Patterns, o.Files = GitState("HEAD"), patterns, []File{{name, []byte(two("x", "y"))}}
		if p, err := Plan(context.Background(), o); err != nil || told(p) != "unchanged hello/x\nunchanged hello/y" {
			t.Errorf("%v against the same commit: %v %s", patterns, err, told(p))
		}
	}
	o := s.options("")
	o.Files = []File{{name, []byte(two("x", "y"))}}
	if _, err := Deploy(context.Background(), o); err != nil || !strings.Contains(s.holds(), `"acme/mono#prefect.yaml"`) || strings.Contains(s.holds(), root) {
		t.Errorf("%v: the state holds %s", err, s.holds())
	}
}

// deployedTo is a deploy to a state of its own file, pruning.
func (s *scene) deployedTo(shared, yaml, environment string) *plan.Plan {
	s.t.Helper()
	o := s.options(yaml)
	st, err := state.OpenFile(shared)
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	o.State, o.Prune, o.MaxDeletes, o.Environment = st, true, 9, environment
	p, err := Deploy(context.Background(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func TestTwoProjectsWithoutGitDoNotDeleteEachOthers(t *testing.T) {
	root, shared := folders(t), filepath.Join(t.TempDir(), "state.json")
	env := []string{"GITHUB_REPOSITORY=acme/mono", "GITHUB_WORKSPACE=" + root}
	a, b := at(t, filepath.Join(root, "a"), env...), at(t, filepath.Join(root, "b"), env...)
	a.deployedTo(shared, two("of-a"), "")
	if p := b.deployedTo(shared, two("of-b"), ""); p.Count().Delete != 0 {
		t.Errorf("another project's deployment is deleted: %s", told(p))
	}
	if p := a.deployedTo(shared, two("new"), ""); p.Count().Delete != 1 {
		t.Errorf("its own is not: %s", told(p))
	}
}

// TestAnEnvironmentThatIsGivenLater leaves behind what carries the owner without it: that is said, and prune with the old one finds it.
func TestAnEnvironmentThatIsGivenLater(t *testing.T) {
	s, shared := newScene(t), filepath.Join(t.TempDir(), "state.json")
	s.deployedTo(shared, two("a", "b"), "")
	p := s.deployedTo(shared, two("a"), "production")
	if want := "neither kept nor deleted: hello/b; this file created them with no --environment, and prune with that lists them"; p.Count().Delete != 0 || !strings.Contains(strings.Join(p.Notes, "\n"), want) {
		t.Errorf("given later: %s %q", told(p), p.Notes)
	}
	s.deployedTo(shared, two("a", "c"), "production")
	if p := s.deployedTo(shared, two("a", "d"), "staging"); strings.Contains(strings.Join(p.Notes, "\n"), "hello/c") || p.Count().Delete != 0 {
		t.Errorf("another target beside it is no fault: %s %q", told(p), p.Notes)
	}
	if p := s.deployedTo(shared, two("c"), "eu"); !strings.Contains(strings.Join(p.Notes, "\n"), "neither kept nor deleted: hello/a, hello/b;") || strings.Contains(strings.Join(p.Notes, "\n"), "staging") {
		t.Errorf("changed: %q", p.Notes)
	}
	o := s.options(two("a"))
	st, err := state.OpenFile(shared)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	o.State, o.MaxDeletes = st, 9
	if p, err := Prune(context.Background(), o, false); err != nil || len(p.Deployments) != 1 || p.Deployments[0].Name.Deployment != "b" {
		t.Errorf("prune without it: %v %s", err, told(p))
	}
}
