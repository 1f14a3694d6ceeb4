// Pull sections carried out: what is found, what is told, what stays behind. What a worker of Prefect makes of the same sections stands in pullcheck_real_test.go.
package deploy

import (
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/state"
)

// pullScene is a scene with a repository to clone.
type pullScene struct {
	*scene
	origin, scratch string
	log             []string
	opened          int
}

func newPullScene(t *testing.T) *pullScene {
	s := &pullScene{scene: newScene(t), scratch: t.TempDir()}
	if err := os.Mkdir(filepath.Join(s.dir, "flows"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write("flows/flow.py", flowFile)
	real, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.origin = filepath.Join(real, "code.git")
	for k, v := range map[string]string{"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": real, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"} {
		s.env[k] = v
	}
	s.sh(real, "git init -q -b main code.git && cd code.git && mkdir -p flows sub/flows && cp "+s.dir+"/flow.py flows/flow.py && cp flows/flow.py sub/flows/other.py && git add . && git commit -qm one && git branch old && echo x > more && git add . && git commit -qm two")
	return s
}

func (s *pullScene) sh(dir, script string) string {
	s.t.Helper()
	c := osexec.Command("sh", "-c", script)
	c.Dir, c.Env = dir, os.Environ()
	for k, v := range s.env {
		c.Env = append(c.Env, k+"="+v)
	}
	out, err := c.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v", out, err)
	}
	return strings.TrimSpace(string(out))
}

// check runs a check; <origin> is the repository's URL.
func (s *pullScene) check(ctx context.Context, yaml string, change func(*PullOptions)) ([]*Pulled, error) {
	s.t.Helper()
	o := PullOptions{Options: s.options(strings.ReplaceAll(yaml, "<origin>", "file://"+s.origin)), Scratch: s.scratch}
	st := o.State
	o.State = nil
	o.Open = func() (*state.State, error) { s.opened++; return st, nil }
	s.log = nil
	o.Log = func(e exec.Event) {
		if e.Kind == exec.Line {
			s.log = append(s.log, e.Text)
		}
	}
	if change != nil {
		change(&o)
	}
	return PullCheck(ctx, o)
}

func (s *pullScene) empty() {
	s.t.Helper()
	if left, err := os.ReadDir(s.scratch); err != nil || len(left) > 0 {
		s.t.Errorf("scratch holds %v, error %v", left, err)
	}
}

const pulls = `
pull:
- prefect.deployments.steps.git_clone: {id: clone, repository: "<origin>", branch: main}
deployments:
- {name: top, entrypoint: "flows/flow.py:hello", work_pool: {name: p}}
- {name: same, entrypoint: "./flows/flow.py:hello", work_pool: {name: p}}
- {name: no-function, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "<origin>"}}, {prefect.deployments.steps.run_shell_script: {script: "sed -i s/hello/other/ code/flows/flow.py"}}, {prefect.deployments.steps.set_working_directory: {directory: code}}]}
- {name: no-file, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {id: c, repository: "<origin>"}}, {prefect.deployments.steps.run_shell_script: {script: "mv {{ c.directory }}/flows {{ c.directory }}/moved"}}]}
- {name: no-branch, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "<origin>", branch: gone}}]}
- {name: no-directory, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.set_working_directory: {directory: /nowhere/at/all}}]}
- {name: nothing, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: []}
- {name: last, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "<origin>"}}, {prefect.deployments.steps.set_working_directory: {directory: code/flows}}, {prefect.deployments.steps.git_clone: {repository: "<origin>", branch: old}}]}
- {name: moved, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.run_shell_script: {script: "mkdir deep"}}, {prefect.deployments.steps.set_working_directory: {directory: deep}}, {prefect.deployments.steps.git_clone: {repository: "<origin>", clone_directory_name: there}}]}
`

func TestPullCheck(t *testing.T) {
	s := newPullScene(t)
	list, err := s.check(context.Background(), pulls, nil)
	if err != nil {
		t.Fatal(err)
	}
	head := s.sh(s.origin, "git rev-parse HEAD")
	cloned := "; cloned file://" + s.origin + " at " + head[:12]
	want := []string{
		"ok      hello/top: flows/flow.py:hello is in code-main" + cloned,
		"ok      hello/same: ./flows/flow.py:hello is in code-main" + cloned,
		`failed  hello/no-function: flows/flow.py defines no hello` + cloned,
		`failed  hello/no-file: the file flows/flow.py of the entrypoint "flows/flow.py:hello" does not exist; what was pulled has moved/flow.py: correct the entrypoint, or end the pull section with a set_working_directory` + cloned,
		"failed  hello/no-branch: prefect.yaml:9: the pull step git_clone failed: git clone of file://" + s.origin + " failed (code 128): Remote branch gone not found in upstream origin; see that the branch is there",
		`failed  hello/no-directory: prefect.yaml:10: the pull step set_working_directory failed: the directory "/nowhere/at/all" does not exist`,
		"ok      hello/nothing: flows/flow.py:hello is in " + s.dir + "; nothing is pulled",
		"ok      hello/last: flows/flow.py:hello is in code/flows/code-old" + cloned,
		"ok      hello/moved: flows/flow.py:hello is in deep/there" + cloned,
	}
	for i, r := range list {
		if got := r.Summary(); !strings.HasPrefix(got, want[i]) {
			t.Errorf("%s\nwant %s", got, want[i])
		}
	}
	if s.opened > 0 {
		t.Error("a state was opened though nothing refers to it")
	}
	s.empty()
}

// Equal sections are carried out once, values come from the state, and what the build gives has to be given.
func TestPullCheckValues(t *testing.T) {
	s := newPullScene(t)
	counted := filepath.Join(t.TempDir(), "count")
	s.env["NOT_SHOWN"] = "s3cret-of-env"
	s.write("state.json", `{"schema": 1, "variables": {"branch": "main", "count": "`+counted+`"}, "blocks": {"secret/tok": {"value": "s3cret-of-block"}}}`)
	yaml := `
build:
- prefect.deployments.steps.run_shell_script: {id: hash, script: "echo never > ` + counted + `.build"}
pull:
- prefect.deployments.steps.run_shell_script:
    id: say
    script: |
      echo {{ prefect.blocks.secret.tok }} $X {{ $NOT_SHOWN }} {{ $UNSET_HERE }}end
      echo {{ hash.stdout }} >> {{ prefect.variables.count }}
    shell: true
    env: {X: "{{ prefect.blocks.secret.tok }}"}
- prefect.deployments.steps.git_clone: {repository: "<origin>", branch: "{{ prefect.variables.branch }}", access_token: "{{ prefect.blocks.secret.tok }}"}
deployments:
- {name: a, entrypoint: "flows/flow.py:hello", work_pool: {name: p}}
- {name: b, entrypoint: "flows/flow.py:hello", work_pool: {name: p}}
`
	list, err := s.check(context.Background(), yaml, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if want := "its pull section needs stdout of the step hash, which the build gives: give it with --from FILE, or by hand with --set hash.stdout=VALUE"; r.Error != want {
			t.Errorf("%s\nwant %s", r.Error, want)
		}
	}
	list, err = s.check(context.Background(), yaml, func(o *PullOptions) { o.Given.Set = []Setting{{"hash", "stdout", "abc"}} })
	if err != nil || list[0].Error+list[1].Error != "" || list[0].Directory != "code-main" {
		t.Fatalf("%+v, error %v", list, err)
	}
	if data, _ := os.ReadFile(counted); string(data) != "abc\n" {
		t.Errorf("the script ran so: %q", data)
	}
	if _, err := os.Stat(counted + ".build"); err == nil {
		t.Error("a build step ran")
	}
	if all := strings.Join(s.log, "\n"); !strings.Contains(all, "*** *** *** end") || strings.Contains(all, "s3cret") {
		t.Errorf("the log is %s", all)
	}
	if s.opened != 2 {
		t.Errorf("the state was opened %d times", s.opened)
	}
	before, err := os.ReadFile(filepath.Join(s.dir, "state.json"))
	if err != nil || strings.Contains(string(before), "hello") {
		t.Errorf("something was written to the state: %s, %v", before, err)
	}
	s.empty()
	list, err = s.check(context.Background(), strings.ReplaceAll(strings.ReplaceAll(yaml, "secret.tok", "secret.gone"), "{{ hash.stdout }}", "x"), nil)
	if err != nil || !strings.Contains(list[0].Error, "there is no block secret/gone") {
		t.Errorf("%+v, error %v", list[0], err)
	}
}

// What is checked is what is in the remote repository; where this directory holds something else it is said.
func TestPullCheckTellsWhatIsHere(t *testing.T) {
	s := newPullScene(t)
	yaml := "pull:\n- prefect.deployments.steps.git_clone: {repository: \"<origin>\"}\ndeployments:\n- {name: a, entrypoint: 'flows/flow.py:hello', work_pool: {name: p}}\n"
	s.sh(s.dir, "rm flow.py; git init -q -b main . && git remote add origin file://"+s.origin+" && git fetch -q origin && git reset -q --hard origin/old")
	list, err := s.check(context.Background(), yaml, nil)
	old := s.sh(s.origin, "git rev-parse old")
	if err != nil || list[0].Error != "" || list[0].Note != "this directory is at "+old[:12] {
		t.Errorf("%+v, error %v", list[0], err)
	}
	s.sh(s.dir, "git reset -q --hard origin/main && echo '# changed' >> flows/flow.py")
	list, err = s.check(context.Background(), yaml, nil)
	if err != nil || !strings.HasSuffix(list[0].Note, ", with changes that are not committed") {
		t.Errorf("%+v, error %v", list[0], err)
	}
}

func TestPullCheckEnds(t *testing.T) {
	s := newPullScene(t)
	yaml := "pull:\n- prefect.deployments.steps.run_shell_script: {script: 'sh -c \"mkdir -p a/b; touch a/b/c; chmod -w a/b a; echo ready; sleep 100\"'}\ndeployments:\n- {name: a, entrypoint: 'flows/flow.py:hello', work_pool: {name: p}}\n"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := s.check(ctx, yaml, func(o *PullOptions) {
		o.Log = func(e exec.Event) {
			if e.Kind == exec.Line {
				cancel()
			}
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	s.empty()
	list, err := s.check(context.Background(), strings.Replace(yaml, "sleep 100", "sleep 60", 1), func(o *PullOptions) { o.Timeout = 300e6 })
	if err != nil || !strings.Contains(list[0].Error, "it took longer than 300ms and was ended") {
		t.Errorf("%+v, error %v", list, err)
	}
	s.empty()
}
