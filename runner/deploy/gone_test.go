package deploy

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/state"
)

func two(names ...string) string {
	yaml := "pull: []\ndeployments:\n"
	for _, n := range names {
		yaml += "- {name: " + n + ", entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"
	}
	return yaml
}

// names lists what the state holds.
func (s *scene) names() string {
	data, _ := os.ReadFile(filepath.Join(s.dir, "state.json"))
	var out []string
	for _, line := range strings.Split(string(data), "\n") {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), `"name": "`); ok {
			out = append(out, strings.TrimSuffix(text, `",`))
		}
	}
	return strings.Join(out, " ")
}

func TestGoneIsKeptWithoutPruneAndDeletedWithIt(t *testing.T) {
	s := newScene(t)
	s.deploy(two("a", "b", "c"))
	p := s.plan(two("a"))
	if len(p.Kept) != 2 || p.Count().Delete != 0 || p.Kept[0].Name.String() != "hello/b" {
		t.Fatalf("kept %v, counts %+v", p.Kept, p.Count())
	}
	s.deploy(two("a"))
	if got := s.names(); got != "a b c" {
		t.Fatalf("without --prune the state holds %q", got)
	}
	o := s.options(two("a"))
	o.Prune, o.MaxDeletes = true, 1
	var faults *Faults
	if _, err := Deploy(context.Background(), o); !errors.As(err, &faults) || faults.List[0].Code != "too-many-deletes" || s.names() != "a b c" {
		t.Fatalf("two deletes with --max-deletes 1: %v; the state holds %q", err, s.names())
	}
	if p, err := Plan(context.Background(), o); err != nil || p.Count().Delete != 2 || !strings.Contains(strings.Join(p.Notes, "\n"), "--max-deletes is at least 2") {
		t.Errorf("a plan shows them, and that a deploy would refuse: %v %v", err, told(p))
	}
	if p, err := Prune(context.Background(), o, false); err != nil || p.Count().Delete != 2 || !strings.Contains(strings.Join(p.Notes, "\n"), "--max-deletes is at least 2") {
		t.Errorf("so does the list: %v %v", err, told(p))
	}
	if _, err := Prune(context.Background(), o, true); !errors.As(err, &faults) || s.names() != "a b c" {
		t.Errorf("a prune deletes too many: %v, the state holds %q", err, s.names())
	}
	o.MaxDeletes = 2
	p, err := Deploy(context.Background(), o)
	if err != nil || p.Count().Delete != 2 || s.names() != "a" {
		t.Fatalf("%v %+v, the state holds %q", err, p.Count(), s.names())
	}
}

func TestNeverDeletesWhatItDidNotCreate(t *testing.T) {
	s := newScene(t)
	s.deploy(two("a"))
	path := filepath.Join(s.dir, "state.json")
	data, _ := os.ReadFile(path)
	byHand := strings.Replace(string(data), `"deployments": [`, `"deployments": [
 {"flow": "hello", "name": "by-hand", "entrypoint": "flow.py:hello"}, {"flow": "hello", "name": "of-others", "labels": {"x-ci.owner": "other.yaml"}},`, 1)
	if err := os.WriteFile(path, []byte(byHand), 0o600); err != nil {
		t.Fatal(err)
	}
	o := s.options(two("b"))
	o.Prune, o.MaxDeletes = true, 5
	p, err := Deploy(context.Background(), o)
	if err != nil || p.Count().Delete != 1 || s.names() != "b by-hand of-others" {
		t.Fatalf("%v %+v, the state holds %q", err, p.Count(), s.names())
	}
	sel := s.options(two("b", "c"))
	sel.Selection.All, sel.Selection.Names, sel.Prune = false, []string{"c"}, true
	if p, err := Deploy(context.Background(), sel); err != nil || p.Count().Delete != 0 {
		t.Fatalf("a selection deletes others: %v %+v", err, p.Count())
	}
}

func TestRenameKeepsWhatPeopleSet(t *testing.T) {
	s := newScene(t)
	s.deploy("pull: []\ndeployments:\n- {name: old, entrypoint: \"flow.py:hello\", work_pool: {name: p}, paused: true, schedules: [{cron: \"0 1 * * *\", active: false}]}\n")
	if p := s.plan(two("new")); len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "renamed-from") {
		t.Errorf("the likely rename is not pointed out: %q", p.Notes)
	}
	yaml := "x-ci: {renamed-from: {hello/new: hello/old}}\n" + two("new")
	p := s.plan(yaml)
	if want := "update hello/new name(known)"; told(p) != want || len(p.Kept) != 0 {
		t.Errorf("got %s, want %s", told(p), want)
	}
	s.deploy(yaml)
	data, _ := os.ReadFile(filepath.Join(s.dir, "state.json"))
	if s.names() != "new" || !strings.Contains(string(data), `"paused": true`) || !strings.Contains(string(data), `"active": false`) {
		t.Errorf("the state holds %q:\n%s", s.names(), data)
	}
	if p := s.plan(yaml); told(p) != "unchanged hello/new" {
		t.Errorf("afterwards: %s", told(p))
	}
}

func TestAReviewedPlanBinds(t *testing.T) {
	s := newScene(t)
	s.deploy(one("  tags: [a]"))
	yaml := one("  tags: [b]")
	reviewed := s.plan(yaml).JSON()
	bound := func(yaml string) error {
		o := s.options(yaml)
		o.Reviewed = reviewed
		_, err := Deploy(context.Background(), o)
		_ = o.State.Close()
		return err
	}
	before, _ := os.ReadFile(filepath.Join(s.dir, "state.json"))
	var stale *Stale
	if err := bound(one("  tags: [c]")); !errors.As(err, &stale) || !strings.Contains(err.Error(), `"c"`) {
		t.Errorf("another intent: %v", err)
	}
	if err := bound(yaml + "\n- {name: e, entrypoint: \"flow.py:hello\", work_pool: {name: p}}"); !errors.As(err, &stale) {
		t.Errorf("another selection: %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(s.dir, "state.json")); string(after) != string(before) {
		t.Error("a stale plan wrote")
	}
	if err := bound(yaml); err != nil {
		t.Errorf("the plan itself: %v", err)
	}
	if err := bound(yaml); !errors.As(err, &stale) { // the state has moved
		t.Errorf("applied twice: %v", err)
	}
}

func gitIn(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b"}, args...)...)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func TestTheBaseTellsWhatIsGone(t *testing.T) {
	s := newScene(t)
	s.write("prefect.yaml", two("a", "b"))
	gitIn(t, s.dir, "init", "-q")
	gitIn(t, s.dir, "add", "-A")
	gitIn(t, s.dir, "commit", "-q", "-m", "one")
	s.deploy(two("a"))
	path := filepath.Join(s.dir, "state.json")
	data, _ := os.ReadFile(path)
	byHand := strings.Replace(string(data), `"deployments": [`, `"deployments": [ {"flow": "hello", "name": "b", "entrypoint": "flow.py:hello"}, {"flow": "hello", "name": "c"},`, 1)
	if err := os.WriteFile(path, []byte(byHand), 0o600); err != nil {
		t.Fatal(err)
	}
	o := s.options(two("a"))
	o.Base = "HEAD"
	p, err := Plan(context.Background(), o)
	if err != nil || len(p.Kept) != 1 || p.Kept[0].Name != (state.Name{Flow: "hello", Deployment: "b"}) {
		t.Fatalf("%v: %v", err, p.Kept)
	}
	o.Base = "0123456789012345678901234567890123456789"
	if p, err = Plan(context.Background(), o); err != nil || len(p.Notes) == 0 || !strings.HasPrefix(p.Notes[0], "deletes not examined: base not available") {
		t.Fatalf("%v: %v", err, p.Notes)
	}
}

func TestAgainstACommitsIntent(t *testing.T) {
	s := newScene(t)
	base := "build:\n- prefect.deployments.steps.run_shell_script: {id: s, script: echo 1}\n" + one("  tags: ['{{ prefect.variables.x }}', '{{ s.stdout }}']\n  schedules: [{cron: '0 1 * * *'}]\n  version: '{{ prefect.blocks.secret.y }}'")
	s.write("prefect.yaml", base)
	gitIn(t, s.dir, "init", "-q")
	gitIn(t, s.dir, "add", "-A")
	gitIn(t, s.dir, "commit", "-q", "-m", "one")
	against := func(yaml string) *plan.Plan {
		o := s.options(yaml)
		o.State = GitState("HEAD")
		p, err := Plan(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if got := told(against(base)); got != "unchanged hello/d" {
		t.Errorf("the same file: %s", got)
	}
	p := against(strings.Replace(base, "0 1 *", "0 2 *", 1))
	if got := told(p); got != "update hello/d schedules[0].cron(known)" {
		t.Errorf("an edit: %s", got)
	}
	if !strings.Contains(strings.Join(p.Notes, " "), "planned against what HEAD declares") {
		t.Errorf("the plan does not say what it was made against: %q", p.Notes)
	}
	o := s.options(base)
	o.State = GitState("HEAD")
	if _, err := Deploy(context.Background(), o); err == nil {
		t.Error("a deploy to a commit")
	}
}

// TestOwnersDoNotMix: two projects, two targets, and names that are not known here: nothing of others is a delete.
func TestOwnersDoNotMix(t *testing.T) {
	shared := filepath.Join(t.TempDir(), "state.json")
	in := func(s *scene, yaml string, prune bool) *plan.Plan {
		t.Helper()
		o := s.options(yaml)
		st, err := state.OpenFile(shared)
		if err != nil {
			t.Fatal(err)
		}
		o.State, o.Prune, o.MaxDeletes = st, prune, 9
		p, err := Deploy(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		_ = st.Close()
		return p
	}
	a, b := newScene(t), newScene(t)
	in(a, two("of-a"), false)
	if p := in(b, two("of-b"), true); p.Count().Delete != 0 || len(p.Kept) != 0 {
		t.Errorf("another project's deployment is deleted: %+v", p.Count())
	}
	templated := strings.ReplaceAll(two("etl-X"), "etl-X", "\"etl-{{ $TARGET }}\"")
	a.env["TARGET"] = "staging"
	in(a, templated, false)
	a.env["TARGET"] = "prod"
	if p := in(a, templated, true); p.Count().Delete != 0 || !strings.Contains(strings.Join(p.Notes, " "), "deletes not examined") {
		t.Errorf("another target's deployment is deleted: %+v %v", p.Count(), p.Notes)
	}
	delete(a.env, "TARGET")
	o := a.options(templated)
	st, err := state.OpenFile(shared)
	if err != nil {
		t.Fatal(err)
	}
	o.State, o.MaxDeletes = st, 9
	if p, err := Prune(context.Background(), o, true); err != nil || len(p.Deployments) != 0 {
		t.Errorf("a prune where the name is not known: %v %v", p, err)
	}
	a.write("dyn.py", "import os\nfrom prefect import flow\n@flow(name=os.environ.get('X', 'y'))\ndef hello(): pass\n")
	if p, err := Prune(context.Background(), func() Options {
		o := a.options(strings.ReplaceAll(two("d"), "flow.py", "dyn.py"))
		o.State, o.MaxDeletes = st, 9
		return o
	}(), true); err != nil || len(p.Deployments) != 0 {
		t.Errorf("a prune where the flow's name is not known: %v %v", p, err)
	}
}

func TestNothingIsDeletedWhenItsReplacementFailed(t *testing.T) {
	s := newScene(t)
	s.deploy(two("old"))
	o := s.options(strings.Replace(two("new"), "work_pool: {name: p}}", "work_pool: {name: p}, build: [{prefect.deployments.steps.run_shell_script: {script: \"false\"}}]}", 1))
	o.Prune, o.MaxDeletes = true, 5
	p, err := Deploy(context.Background(), o)
	if err != nil || s.names() != "old" || p.Count().Failed != 2 {
		t.Errorf("%v %+v, the state holds %q", err, p.Count(), s.names())
	}
}

func TestALastDeploymentCanBePruned(t *testing.T) {
	s := newScene(t)
	s.deploy(two("only"))
	o := s.options("deployments: []\n")
	o.MaxDeletes = 5
	if p, err := Prune(context.Background(), o, true); err != nil || len(p.Deployments) != 1 || s.names() != "" {
		t.Errorf("%v, the state holds %q", err, s.names())
	}
}

// TestAFilesLastDeploymentLeavesByDeploy: with an empty list, and with a file that the base has and that is removed; a file that is merely not there is a mistake.
func TestAFilesLastDeploymentLeavesByDeploy(t *testing.T) {
	none := "deployments: []\n"
	s := newScene(t)
	s.commit(two("only"))
	s.deploy(two("only"))
	if p := s.plan(none); len(p.Kept) != 1 || len(p.Deployments) != 0 {
		t.Errorf("a plan of an empty list: kept %v, %s", p.Kept, told(p))
	}
	removed := func(base string, prune bool) (*plan.Plan, error) {
		o := s.options(none)
		defer o.State.Close()
		o.Files, o.Missing, o.Patterns, o.Base, o.Prune, o.MaxDeletes = nil, "prefect.yaml", []string{"prefect.yaml"}, base, prune, 5
		if !prune {
			return Plan(context.Background(), o)
		}
		return Deploy(context.Background(), o)
	}
	if p, err := removed("HEAD", false); err != nil || len(p.Kept) != 1 {
		t.Errorf("a plan of a removed file: %v", err)
	}
	if _, err := removed("", true); err == nil || s.names() != "only" {
		t.Error("a file that is nowhere declares nothing")
	}
	gitIn(t, s.dir, "sparse-checkout", "set", "--no-cone", "/flow.py")
	if _, err := removed("HEAD", true); err == nil || s.names() != "only" {
		t.Error("a file that a sparse checkout leaves out declares nothing")
	}
	gitIn(t, s.dir, "sparse-checkout", "disable")
	if p, err := removed("HEAD", true); err != nil || p.Count().Delete != 1 || s.names() != "" {
		t.Errorf("a deploy of a removed file: %v, the state holds %q", err, s.names())
	}
	s.deploy(two("only"))
	o := s.options(none)
	o.Prune, o.MaxDeletes = true, 5
	if p, err := Deploy(context.Background(), o); err != nil || p.Count().Delete != 1 || s.names() != "" {
		t.Errorf("a deploy of an empty list: %v, the state holds %q", err, s.names())
	}
	for _, nothing := range []string{"pull: []\n", "deployments:\n"} {
		if _, err := Plan(context.Background(), s.options(nothing)); err == nil || !strings.Contains(err.Error(), "write deployments: []") {
			t.Errorf("a file without a list: %v", err)
		}
	}
}

// TestOneOfSeveralFilesIsRemoved: what it owned is gone with it, by the base's word.
func TestOneOfSeveralFilesIsRemoved(t *testing.T) {
	s := newScene(t)
	s.write("x.yaml", two("of-x"))
	s.commit(two("a"))
	gitIn(t, s.dir, "add", "-A")
	gitIn(t, s.dir, "commit", "-q", "-m", "two files")
	o := s.options(two("a"))
	o.Files = append(o.Files, File{"x.yaml", []byte(two("of-x"))})
	if _, err := Deploy(context.Background(), o); err != nil || s.names() != "a of-x" {
		t.Fatal(err, s.names())
	}
	_ = o.State.Close()
	if err := os.Remove(filepath.Join(s.dir, "x.yaml")); err != nil {
		t.Fatal(err)
	}
	o = s.options(two("a"))
	o.Patterns, o.Base, o.Prune, o.MaxDeletes = []string{"*.yaml"}, "HEAD", true, 5
	if p, err := Deploy(context.Background(), o); err != nil || p.Count().Delete != 1 || s.names() != "a" {
		t.Errorf("%v, the state holds %q", err, s.names())
	}
}

// TestDeletesAtOnce: as many as Jobs says, and no more.
func TestDeletesAtOnce(t *testing.T) {
	for _, jobs := range []int{1, 2} {
		s := newScene(t)
		s.deploy(two("a", "b", "c", "d"))
		o := s.options(two("a"))
		o.Prune, o.MaxDeletes, o.Jobs, o.State.Together = true, 3, jobs, false
		var now, most atomic.Int32
		remove, met := o.State.Delete, make(chan struct{})
		o.State.Delete = func(ctx context.Context, l *state.Live) error {
			n := now.Add(1)
			defer now.Add(-1)
			most.Store(max(most.Load(), n))
			if int(n) == jobs && jobs > 1 {
				select {
				case <-met:
				default:
					close(met)
				}
			}
			if jobs > 1 {
				select {
				case <-met:
				case <-time.After(time.Minute): // alone: then most says so
				}
			}
			return remove(ctx, l)
		}
		if p, err := Prune(context.Background(), o, true); err != nil || p.Count().Delete != 3 || s.names() != "a" || int(most.Load()) != jobs {
			t.Errorf("%d jobs: %v, %d at once, the state holds %q", jobs, err, most.Load(), s.names())
		}
	}
}
