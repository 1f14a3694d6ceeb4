// A pull request's own head, behind the branch that it is to be merged onto.
package deploy

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/plan"
)

// TestWhatTheBaseAddedSinceIsNotGone: the branch removes `removed`, and lacks `added`, which its base has declared, and deployed, since. depth cuts the clone's history, so that nothing tells
// where they parted: then neither is touched.
func TestWhatTheBaseAddedSinceIsNotGone(t *testing.T) {
	origin := newScene(t)
	origin.commit(two("a", "removed"))
	gitIn(t, origin.dir, "branch", "-M", "main")
	gitIn(t, origin.dir, "checkout", "-q", "-b", "topic")
	origin.commit(two("a"))
	gitIn(t, origin.dir, "checkout", "-q", "main")
	origin.commit(two("a", "removed", "added"))
	gitIn(t, origin.dir, "checkout", "-q", "-b", "merged", "main")
	gitIn(t, origin.dir, "merge", "-q", "-s", "ours", "--no-commit", "topic")
	origin.commit(two("a", "added")) // as GitHub's merge commit: its first parent is the base
	gitIn(t, origin.dir, "config", "uploadpack.allowAnySHA1InWant", "true")
	onto := revision(t, origin.dir, "main")
	for _, c := range []struct {
		name, branch, depth, gone, note string
	}{
		{name: "a full clone of the head", branch: "topic", gone: "hello/removed", note: "neither kept nor deleted: hello/added;"},
		{name: "its last commit alone", branch: "topic", depth: "--depth=1", note: "neither kept nor deleted: hello/added, hello/removed;"},
	} {
		for _, server := range []bool{true, false} {
			s := &scene{t: t, dir: t.TempDir(), env: map[string]string{"PATH": os.Getenv("PATH"), "GITHUB_REPOSITORY": "acme/flows"}}
			args := []string{"clone", "-q", "-b", c.branch, "file://" + origin.dir, "."}
			if c.depth != "" {
				args = append(args, c.depth)
			}
			gitIn(t, s.dir, args...)
			s.deploy(two("a", "removed", "added"))
			o := s.options(two("a"))
			o.Base, o.Onto, o.Prune, o.MaxDeletes = onto, onto, true, 9
			if !server {
				o.State = GitState(onto)
			}
			p, err := Plan(context.Background(), o)
			if err != nil {
				t.Fatal(c.name, err)
			}
			notes := strings.Join(p.Notes, "\n")
			if got := deleted(p); got != c.gone || server && !strings.Contains(notes, c.note) || c.depth != "" && !strings.Contains(notes, "fetch-depth: 0") {
				t.Errorf("%s, with a server %v: deleted %q, want %q\n%s", c.name, server, got, c.gone, notes)
			}
		}
	}
	for _, env := range []bool{true, false} { // the merge commit has both ends in it
		base, s := onto, &scene{t: t, dir: t.TempDir(), env: map[string]string{"PATH": os.Getenv("PATH"), "GITHUB_REPOSITORY": "acme/flows"}}
		if env { // which has moved on since the event
			s.env["GITHUB_SHA"], s.env["GITHUB_REF"] = revision(t, origin.dir, "merged"), "refs/pull/7/merge"
			base = revision(t, origin.dir, "main~1")
		}
		gitIn(t, s.dir, "clone", "-q", "-b", "merged", "file://"+origin.dir, ".", "--depth=1")
		s.deploy(two("a", "removed", "added"))
		o := s.options(two("a", "added"))
		o.Base, o.Onto, o.Prune, o.MaxDeletes = base, base, true, 9
		if p, err := Plan(context.Background(), o); err != nil || deleted(p) != "hello/removed" || strings.Contains(strings.Join(p.Notes, "\n"), "fetch-depth") {
			t.Errorf("the merge commit, told by the CI %v: %v deleted %q %q", env, err, deleted(p), p.Notes)
		}
	}
}

func deleted(p *plan.Plan) string {
	var names []string
	for _, d := range p.Deployments {
		if d.Action == plan.Delete {
			names = append(names, d.Name.String())
		}
	}
	return strings.Join(names, " ")
}

func revision(t *testing.T, dir, ref string) string {
	t.Helper()
	c := exec.Command("git", "rev-parse", ref)
	c.Dir = filepath.Clean(dir)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
