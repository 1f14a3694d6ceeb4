// A run from file to state and again, against a state in a file: what is created, what the next plan says, and what an edit changes. That a real server agrees is
// proved in runner/conformance; here the rules of the plan stand, small enough to read.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/report"
	"github.com/org/prefect-deploy-action/runner/state"
)

const flowFile = `from prefect import flow

@flow
def hello(n: int = 1, who: str = "world"):
    """Greets."""
`

// scene is a project with a state of its own.
type scene struct {
	t   *testing.T
	dir string
	env map[string]string
}

func newScene(t *testing.T) *scene {
	s := &scene{t: t, dir: t.TempDir(), env: map[string]string{"PATH": os.Getenv("PATH")}}
	s.write("flow.py", flowFile)
	return s
}

func (s *scene) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) options(yaml string) Options {
	s.t.Helper()
	st, err := state.OpenFile(filepath.Join(s.dir, "state.json"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = st.Close() })
	var environ []string
	for k, v := range s.env {
		environ = append(environ, k+"="+v)
	}
	return Options{Directory: s.dir, Files: []File{{"prefect.yaml", []byte(yaml)}}, Selection: resolve.Selection{All: true}, State: st, Jobs: 4,
		Env: func(name string) (string, bool) { v, ok := s.env[name]; return v, ok }, Environ: environ,
		Now: func() time.Time { return time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC) }}
}

func (s *scene) deploy(yaml string) *plan.Plan {
	s.t.Helper()
	o := s.options(yaml)
	p, err := Deploy(context.Background(), o)
	if err != nil {
		s.t.Fatalf("deploy: %v", err)
	}
	if err := o.State.Close(); err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *scene) plan(yaml string) *plan.Plan {
	s.t.Helper()
	p, err := Plan(context.Background(), s.options(yaml))
	if err != nil {
		s.t.Fatalf("plan: %v", err)
	}
	return p
}

// told is a plan in a few words: "update hello/d: tags; version".
func told(p *plan.Plan) string {
	var lines []string
	for _, d := range p.Deployments {
		line := string(d.Action) + " " + d.Name.String()
		if d.Outcome == plan.Failed || d.Outcome == plan.Skipped {
			line = string(d.Outcome) + " " + d.Name.String()
		}
		for _, c := range d.Changes {
			line += fmt.Sprintf(" %s(%s)", c.Path, c.ValueKind())
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func one(fields string) string {
	return "pull: []\ndeployments:\n- name: d\n  entrypoint: flow.py:hello\n  work_pool: {name: p}\n" + fields
}

// TestEditsAreExactlyTheChanges deploys before, finds nothing to do, and then plans after.
func TestEditsAreExactlyTheChanges(t *testing.T) {
	step := "build:\n- prefect.deployments.steps.run_shell_script: {id: s, script: %q, stream_output: false}\n"
	cases := []struct{ name, before, after, want string }{
		{"tags", one("  tags: [a]"), one("  tags: [a, b]"), "update hello/d tags(known)"},
		{"order of keys", one("  parameters: {n: 2, who: x}"), one("  parameters: {who: x, n: 2}"), "unchanged hello/d"},
		{"1 and 1.0", one("  parameters: {n: 1}"), one("  parameters: {n: 1.0}"), "unchanged hello/d"},
		{"a parameter", one("  parameters: {n: 2, who: x}"), one("  parameters: {n: 3}"), "update hello/d parameters.n(known) parameters.who(sensitive)"},
		{"description said and unsaid", one("  description: own"), one(""), "update hello/d description(known)"},
		{"cleared job variables", strings.Replace(one(""), "{name: p}", "{name: p, job_variables: {image: a, env: {A: 1}}}", 1), one(""), "update hello/d job_variables.env(sensitive) job_variables.image(sensitive)"},
		{"paused unsaid keeps", one("  paused: true"), one(""), "unchanged hello/d"},
		{"paused said", one("  paused: true"), one("  paused: false"), "update hello/d paused(known)"},
		{"enforcement unsaid keeps", one("  enforce_parameter_schema: false"), one(""), "unchanged hello/d"},
		{"a cron changes", one("  schedules: [{cron: '0 1 * * *'}]"), one("  schedules: [{cron: '0 2 * * *'}]"), "update hello/d schedules[0].cron(known)"},
		{"schedules in another order", one("  schedules: [{cron: '0 1 * * *'}, {interval: 60}]"), one("  schedules: [{interval: 60}, {cron: '0 1 * * *'}]"), "unchanged hello/d"},
		{"an interval without an anchor", one("  schedules: [{interval: 60}]"), one("  schedules: [{interval: PT1M}]"), "unchanged hello/d"},
		{"schedules unsaid keep", one("  schedules: [{cron: '0 1 * * *'}]"), one(""), "unchanged hello/d"},
		{"an empty list removes", one("  schedules: [{cron: '0 1 * * *'}]"), one("  schedules: []"), "update hello/d schedules[0](known)"},
		{"an rrule with the server's start", one("  schedules: [{rrule: FREQ=DAILY}]"), one("  schedules: [{rrule: FREQ=DAILY}]"), "unchanged hello/d"},
		{"a limit", one("  concurrency_limit: 2"), one("  concurrency_limit: {limit: 2, collision_strategy: CANCEL_NEW}"), "update hello/d concurrency_options(known)"},
		{"the queue", strings.Replace(one(""), "{name: p}", "{name: p, work_queue_name: fast}", 1), one(""), "update hello/d work_queue_name(known)"},
		{"default queue by name", strings.Replace(one(""), "{name: p}", "{name: p, work_queue_name: default}", 1), one(""), "unchanged hello/d"},
		{"a step's value before the build", fmt.Sprintf(step, "echo 1") + one("  tags: ['v{{ s.stdout }}']"), fmt.Sprintf(step, "echo 1") + one("  tags: ['v{{ s.stdout }}']"), "rebuild hello/d tags(after-build)"},
		{"a pull step", strings.Replace(one(""), "pull: []", "pull:\n- a.b: {x: 1}", 1), strings.Replace(one(""), "pull: []", "pull:\n- a.b: {x: 2}", 1), "update hello/d pull_steps[0].a.b.x(known)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			if got := told(s.deploy(c.before)); got != "create hello/d" {
				t.Fatalf("first deploy: %s", got)
			}
			before, _ := os.ReadFile(filepath.Join(s.dir, "state.json"))
			if got := told(s.deploy(c.before)); got != "unchanged hello/d" {
				t.Errorf("again: %s", got)
			}
			if after, _ := os.ReadFile(filepath.Join(s.dir, "state.json")); string(after) != string(before) {
				t.Errorf("an unchanged deploy wrote the state")
			}
			if got := told(s.plan(c.after)); got != c.want {
				t.Errorf("plan: %s\nwant: %s", got, c.want)
			}
			s.deploy(c.after)
			if p := s.plan(c.after); p.Count().Create+p.Count().Update+p.Count().Delete > 0 {
				t.Errorf("after deploying it the plan still says %s", told(p))
			}
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	s := newScene(t)
	s.env["TOKEN"] = "hunter2-canary"
	s.env["REGION"] = "eu"
	yaml := "x-ci: {vars: [REGION]}\n" + strings.Replace(one("  description: in {{ $REGION }}"), "{name: p}", "{name: p, job_variables: {env: {T: 'x{{ $TOKEN }}', R: '{{ $REGION }}'}}}", 1)
	s.deploy(yaml)
	s.env["TOKEN"], s.env["REGION"] = "other-canary", "us"
	p := s.plan(yaml)
	if want := "update hello/d description(known) job_variables.env.R(known) job_variables.env.T(sensitive)"; told(p) != want {
		t.Errorf("got  %s\nwant %s", told(p), want)
	}
	if text := string(p.JSON()); strings.Contains(text, "canary") {
		t.Errorf("the JSON shows a secret:\n%s", text)
	}
	delete(s.env, "TOKEN")
	if got := told(s.plan(yaml)); strings.Contains(got, "env.T") {
		t.Errorf("a variable that is not set here counts as a change: %s", got)
	}
}

// TestOldSecretsAreNotShown: what was filled from a secret stays hidden when the file drops it, replaces it, or can't fill it.
func TestOldSecretsAreNotShown(t *testing.T) {
	with := func(variables string) string {
		return strings.Replace(one(""), "{name: p}", "{name: p, job_variables: "+variables+"}", 1)
	}
	for _, after := range []string{"{env: {B: plain}}", "{}", "{env: {TOKEN: literal}}", "{env: {TOKEN: '{{ $GONE }}'}}"} {
		s := newScene(t)
		s.env["TOKEN"] = "hunter2-canary"
		s.deploy(with("{env: {TOKEN: '{{ $TOKEN }}', B: 'x{{ $TOKEN }}'}}"))
		delete(s.env, "TOKEN")
		for _, p := range []*plan.Plan{s.plan(with(after)), s.deploy(with(after))} {
			if strings.Contains(string(p.JSON()), "canary") {
				t.Errorf("%s: a secret is shown:\n%s", after, p.JSON())
			}
		}
	}
}

func TestABlocksDataIsNotShown(t *testing.T) {
	s := newScene(t)
	yaml := one("  parameters: {conf: '{{ prefect.blocks.json.conf }}'}\n  enforce_parameter_schema: false")
	block := func(password string) string {
		return `"blocks": {"json/conf": {"value": {"user": "u", "password": "` + password + `"}}}`
	}
	s.write("state.json", `{"schema": 1, `+block("first-canary")+`}`)
	s.deploy(yaml)
	data, _ := os.ReadFile(filepath.Join(s.dir, "state.json"))
	at := strings.Index(string(data), "first-canary")
	if b := strings.Index(string(data), `"blocks"`); b > strings.Index(string(data), `"deployments"`) {
		at = b + strings.Index(string(data)[b:], "first-canary")
	}
	s.write("state.json", string(data)[:at]+"second-canary"+string(data)[at+len("first-canary"):])
	p := s.plan(yaml)
	if p.Count().Update != 1 || strings.Contains(string(p.JSON()), "canary") {
		t.Errorf("%+v\n%s", p.Count(), p.JSON())
	}
}

func TestAFailingStepConcernsOnlyItsDeployments(t *testing.T) {
	s := newScene(t)
	p := s.deploy(`
pull: []
definitions: {d: &d {entrypoint: "flow.py:hello", work_pool: {name: p}}}
deployments:
- {<<: *d, name: fine}
- <<: *d
  name: broken
  build:
  - prefect.deployments.steps.run_shell_script: {id: bad, script: "false"}
  - prefect.deployments.steps.run_shell_script: {id: after, script: "echo {{ bad.stdout }}"}
- {<<: *d, name: also-fine}
`)
	if want := "create hello/fine\nskipped hello/broken\ncreate hello/also-fine"; told(p) != want {
		t.Errorf("got\n%s\nwant\n%s", told(p), want)
	}
	if p.Deployments[1].Error != "step bad failed (prefect.yaml:9)" {
		t.Errorf("the cause is not named: %s", p.Deployments[1].Error)
	}
	if p.Count().Failed != 1 || p.Deployments[0].Outcome != plan.Applied {
		t.Errorf("%+v", p.Count())
	}
}

func TestFaultsStopEverythingBeforeAStepRuns(t *testing.T) {
	s := newScene(t)
	o := s.options(`
build:
- prefect.deployments.steps.run_shell_script: {script: touch pwned}
pull: []
deployments:
- {name: a, entrypoint: "flow.py:hello", work_pool: {name: p}}
- {name: b, entrypoint: "flow.py:hello", work_pool: {name: p}, schedules: [{cron: "99 * * * *"}]}
`)
	_, err := Deploy(context.Background(), o)
	var faults *Faults
	if !errors.As(err, &faults) || faults.List.Errors(false) != 1 || faults.List[0].Code != "invalid-cron" {
		t.Fatalf("%v", err)
	}
	for _, name := range []string{"pwned", "state.json"} {
		if _, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
}

func TestPlanRunsNothing(t *testing.T) {
	s := newScene(t)
	s.write("evil.py", "import pathlib\npathlib.Path('pwned').touch()\nfrom prefect import flow\n@flow(name=open('x').read())\ndef hello(): pass\n")
	s.plan(strings.Replace("build:\n- prefect.deployments.steps.run_shell_script: {script: touch pwned}\n"+one(""), "flow.py", "evil.py", 1))
	if _, err := os.Stat(filepath.Join(s.dir, "pwned")); err == nil {
		t.Error("a plan ran a step or imported a flow")
	}
}

func TestEachDistinctStepRunsOnce(t *testing.T) {
	s := newScene(t)
	yaml := "pull: []\nbuild:\n- prefect.deployments.steps.run_shell_script: {id: s, script: \"bash -c 'echo x >> count'\"}\ndeployments:\n"
	for i := range 7 {
		yaml += fmt.Sprintf("- {name: d%d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n", i)
	}
	s.deploy(yaml)
	if data, _ := os.ReadFile(filepath.Join(s.dir, "count")); string(data) != "x\n" {
		t.Errorf("the step ran %d times", strings.Count(string(data), "x"))
	}
}

func TestAnInterruptWritesNothingMore(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(context.Background())
	o := s.options("build:\n- prefect.deployments.steps.run_shell_script: {script: sleep 60}\n" + one(""))
	began := make(chan struct{})
	o.State.Read = func(read func(context.Context, state.Query) (*state.Snapshot, error)) func(context.Context, state.Query) (*state.Snapshot, error) {
		return func(ctx context.Context, q state.Query) (*state.Snapshot, error) {
			defer close(began)
			return read(ctx, q)
		}
	}(o.State.Read)
	go func() {
		<-began
		cancel()
	}()
	p, err := Deploy(ctx, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	if p != nil && p.Deployments[0].Outcome != plan.Skipped {
		t.Errorf("outcome %s", p.Deployments[0].Outcome)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "state.json")); err == nil {
		t.Error("the state was written")
	}
}

// TestAnInterruptedStepHasNotFailed: whoever reads of a failed step looks for what is wrong with it.
func TestAnInterruptedStepHasNotFailed(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(context.Background())
	o := s.options("build:\n- prefect.deployments.steps.run_shell_script: {id: s, script: \"echo began\\nsleep 60\"}\n- prefect.deployments.steps.run_shell_script: {id: later, script: make}\n" + one("") + "- {name: other, entrypoint: 'flow.py:hello', work_pool: {name: p}, build: null}\n")
	o.Log = func(e exec.Event) {
		if strings.Contains(e.Text, "began") {
			cancel()
		}
	}
	p, err := Deploy(ctx, o)
	if !errors.Is(err, context.Canceled) || p == nil {
		t.Fatalf("%v, %v", p, err)
	}
	text := report.Text(p, true, "")
	if strings.Contains(text, "failed") || strings.Contains(text, "context canceled") || !strings.Contains(text, "interrupted while the step s ran") || !strings.Contains(text, "Interrupted: 2 of 2 not done") || !strings.Contains(string(p.JSON()), `"interrupted": true`) {
		t.Errorf("%s", text)
	}
	footer := report.Footer{Fate: report.Done, Result: report.Of(p)}
	if line := footer.Markdown(); strings.Contains(line, "failed") || !strings.Contains(line, "Interrupted") {
		t.Errorf("%s", line)
	}
	if page := report.Markdown(p, true); !strings.Contains(page, "interrupted, 2 not done") {
		t.Errorf("%s", page)
	}
}

// TestAFailureIsNoOthersConcern: scripts of which nothing is known keep the file's order, but one that fails takes only its own deployments along.
func TestAFailureIsNoOthersConcern(t *testing.T) {
	s := newScene(t)
	p := s.deploy(`
pull: []
definitions: {d: &d {entrypoint: "flow.py:hello", work_pool: {name: p}}}
deployments:
- {<<: *d, name: a, build: [{prefect.deployments.steps.run_shell_script: {id: a1, script: "false"}}, {prefect.deployments.steps.run_shell_script: {id: a2, script: "touch never"}}]}
- {<<: *d, name: b, build: [{prefect.deployments.steps.run_shell_script: {id: b1, script: "touch made"}}]}
- {<<: *d, name: c, build: [{prefect.deployments.steps.run_shell_script: {id: c1, script: "ls made"}}]}
`)
	if want := "skipped hello/a\ncreate hello/b\ncreate hello/c"; told(p) != want {
		t.Errorf("got\n%s\nwant\n%s\n%+v", told(p), want, p.Steps)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "never")); err == nil {
		t.Error("a step ran although the one before it in its list failed")
	}
}

// TestUnchangedIsNotSkipped: of a deployment to which nothing is sent nothing is left undone, whatever failed.
func TestUnchangedIsNotSkipped(t *testing.T) {
	const both = `
pull: []
deployments:
- {name: bad, entrypoint: "flow.py:hello", work_pool: {name: p}, build: [{prefect.deployments.steps.run_shell_script: {id: b, script: "%s"}}], tags: [%s]}
- {name: same, entrypoint: "flow.py:hello", work_pool: {name: p}}
- {name: other, entrypoint: "flow.py:hello", work_pool: {name: p}, tags: [%[2]s]}
`
	s := newScene(t)
	s.deploy(fmt.Sprintf(both, "true", "one"))
	o := s.options(fmt.Sprintf(both, "false", "two"))
	o.FailFast, o.Jobs, o.State.Together = true, 1, false
	p, err := Deploy(context.Background(), o)
	if want := "skipped hello/bad tags(known)\nunchanged hello/same\nskipped hello/other tags(known)"; err != nil || told(p) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, told(p), want)
	}
}

// TestPathsOfTheFile: with x-ci.root: file, entrypoints, steps and the derived pull step are all of the file's directory.
func TestPathsOfTheFile(t *testing.T) {
	s := newScene(t)
	if err := os.Mkdir(filepath.Join(s.dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write("sub/own.py", flowFile)
	o := s.options("x-ci: {root: file, vars: [PWD]}\nbuild:\n- prefect.deployments.steps.run_shell_script: {id: where, script: pwd}\ndeployments:\n- {name: d, entrypoint: \"own.py:hello\", tags: [\"{{ where.stdout }}\"], work_pool: {name: p}}\n")
	o.Files[0].Name = "sub/prefect.yaml"
	p, err := Deploy(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	fields := p.Deployments[0].Desired.Fields
	tags, _ := fields.Get("tags")
	pull, _ := fields.Get("pull_steps")
	if len(tags.List) != 1 || !strings.HasSuffix(tags.List[0].Text, "/sub") || !strings.Contains(string(pull.AppendJSON(nil)), `/sub"`) {
		t.Errorf("tags %s, pull %s", tags.AppendJSON(nil), pull.AppendJSON(nil))
	}
}

// TestLimitsBelowOne: what the server would refuse after the build is said before anything runs, with its line; --concurrency-limit takes the place of the file's, as in Prefect.
func TestLimitsBelowOne(t *testing.T) {
	for _, yaml := range []string{one("  concurrency_limit: 0"), one("  concurrency_limit: {limit: -1, collision_strategy: ENQUEUE}")} {
		s := newScene(t)
		var faults *Faults
		if _, err := Deploy(context.Background(), s.options(yaml)); !errors.As(err, &faults) || faults.List[0].Code != "invalid-concurrency-limit" || faults.List[0].Line != 6 {
			t.Errorf("%s: %v", yaml, err)
		}
		o, two := s.options(yaml), int64(2)
		o.Overrides.ConcurrencyLimit = &two
		if p, err := Plan(context.Background(), o); err != nil || told(p) != "create hello/d" {
			t.Errorf("%s with an option: %v", yaml, err)
		}
	}
}

// BenchmarkFirstDeployOfThousand writes a thousand deployments into a file that is not there yet.
func BenchmarkFirstDeployOfThousand(b *testing.B) {
	var yaml strings.Builder
	yaml.WriteString("pull: []\ndeployments:\n")
	for i := range 1000 {
		fmt.Fprintf(&yaml, "- {name: d%d, entrypoint: 'flow.py:hello', work_pool: {name: p}, schedules: [{cron: '0 0 * * *'}]}\n", i)
	}
	for range b.N {
		dir := b.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "flow.py"), []byte(flowFile), 0o644); err != nil {
			b.Fatal(err)
		}
		st, err := state.OpenFile(filepath.Join(dir, "state.json"))
		if err != nil {
			b.Fatal(err)
		}
		p, err := Deploy(context.Background(), Options{Directory: dir, Files: []File{{"prefect.yaml", []byte(yaml.String())}}, Selection: resolve.Selection{All: true}, State: st, Jobs: 4,
			Env: func(string) (string, bool) { return "", false }, Now: time.Now})
		if err != nil || len(p.Deployments) != 1000 || p.Deployments[999].Outcome != plan.Applied {
			b.Fatal(err)
		}
		_ = st.Close()
	}
}
