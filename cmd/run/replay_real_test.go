//go:build real

// A replay touches nothing real. Everything by which a program finds its way out is laid out here and leads to one place: a listener on this machine that counts who knocks, and a `docker` that writes down what it is asked.
// The same project replayed with --live must knock there, or the test would prove nothing.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestMain takes the built programs away.
func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := builtPrograms(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// builtPrograms is a directory with the program and its companions.
var builtPrograms = sync.OnceValues(func() (string, error) {
	if err := touchSources(); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "replay-programs-")
	if err != nil {
		return "", err
	}
	for program, source := range map[string]string{"run": "../run", "compile": "../compile", "prefect-deploy-replay": "../replay"} {
		if out, err := osexec.Command("go", "build", "-o", filepath.Join(dir, program), source).CombinedOutput(); err != nil {
			return "", fmt.Errorf("go build %s: %w\n%s", source, err, out)
		}
	}
	return dir, nil
})

// touchSources looks at every source of the programs: `go test` keeps a result as long as the files are the same that the test itself looked at, and what the go command reads that is started here it does not see.
func touchSources() error {
	for _, root := range []string{"../../go.mod", "../../go.sum", "../../cmd", "../../compiler", "../../runner"} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func builtRun(t *testing.T) string {
	t.Helper()
	dir, err := builtPrograms()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "run")
}

// tripwire is a listener that counts.
type tripwire struct {
	address string
	mu      sync.Mutex
	knocks  []string
}

func newTripwire(t *testing.T) *tripwire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &tripwire{address: l.Addr().String()}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			first := make([]byte, 120)
			n, _ := io.ReadAtLeast(c, first, 1)
			line, _, _ := strings.Cut(string(first[:n]), "\r\n")
			w.mu.Lock()
			w.knocks = append(w.knocks, line)
			w.mu.Unlock()
			_, _ = io.WriteString(c, "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
			_ = c.Close()
		}
	}()
	return w
}

func (w *tripwire) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.knocks
	w.knocks = nil
	return out
}

// lured is a project in an environment in which everything leads to the tripwire.
type lured struct {
	*tripwire
	top, project, docker, seen, state string
	env                               []string
}

const luringFile = `x-ci: {vars: [REGION]}
build:
- prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse --short HEAD}
- prefect.deployments.steps.run_shell_script: {id: look, script: "env > SEEN", shell: true}
- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: registry.example.com/app, tag: "{{ hash.stdout }}", dockerfile: Dockerfile}
push:
- prefect_docker.deployments.steps.push_docker_image: {id: pushed, image_name: "{{ app.image_name }}", tag: "{{ app.tag }}", credentials: "{{ prefect.blocks.docker-registry-credentials.registry }}"}
- prefect_docker.deployments.steps.push_docker_image: {image_name: registry.example.com/other, tag: "1"}
- prefect_aws.deployments.steps.push_to_s3: {id: code, bucket: bucket, folder: "app/{{ hash.stdout }}", credentials: "{{ prefect.blocks.aws-credentials.aws }}"}
pull:
- prefect_aws.deployments.steps.pull_from_s3: {bucket: "{{ code.bucket }}", folder: "{{ code.folder }}"}
deployments:
- name: hourly
  entrypoint: flow.py:greet
  tags: ["{{ prefect.variables.tag }}", "{{ $REGION }}"]
  work_pool: {name: pool, job_variables: {image: "{{ app.image }}"}}
- name: nightly
  entrypoint: flow.py:greet
  work_pool: {name: pool}
`

func newLured(t *testing.T) *lured {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := &lured{tripwire: newTripwire(t), top: top, project: filepath.Join(top, "project"), docker: filepath.Join(top, "docker-calls"), seen: filepath.Join(top, "seen"), state: filepath.Join(top, "state.json")}
	url := "http://" + l.address
	for name, text := range map[string]string{
		"project/prefect.yaml": strings.ReplaceAll(luringFile, "SEEN", l.seen), "project/Dockerfile": "FROM base\n", "project/flow.py": "from prefect import flow\n\n\n@flow\ndef greet():\n    pass\n",
		"state.json": `{"schema": 1, "deployments": [], "variables": {"tag": "from-the-state"}, "work_pools": {"pool": {"type": "docker"}},
			"blocks": {"docker-registry-credentials/registry": {"username": "u", "password": "p", "registry_url": "` + l.address + `"}, "aws-credentials/aws": {"aws_access_key_id": "a", "aws_secret_access_key": "b"}}}`,
		"bin/docker":                  "#!/bin/sh\necho \"$@\" >> " + l.docker + "\n",
		"home/.prefect/profiles.toml": "active = \"real\"\n\n[profiles.real]\nPREFECT_API_URL = \"" + url + "/api\"\n",
		"home/.docker/config.json":    `{"auths": {"` + l.address + `": {"auth": "dTpw"}}}`,
		"home/.gitconfig":             "[user]\n\tname = A\n\temail = a@example.com\n",
		"home/.aws/credentials":       "[default]\naws_access_key_id = a\naws_secret_access_key = b\n",
		"home/gcloud.json":            `{"type": "authorized_user", "token_uri": "` + url + `"}`,
	} {
		path := filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	home := filepath.Join(top, "home")
	l.env = []string{"HOME=" + home, "PATH=" + filepath.Join(top, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"), "TMPDIR=" + filepath.Join(top, "tmp"), "REGION=eu",
		"PREFECT_HOME=" + filepath.Join(home, ".prefect"), "PREFECT_API_URL=" + url + "/api", "PREFECT_API_KEY=key-canary", "DOCKER_HOST=tcp://" + l.address, "DOCKER_CONFIG=" + filepath.Join(home, ".docker"),
		"AWS_ENDPOINT_URL=" + url, "AWS_ACCESS_KEY_ID=key-canary", "AWS_SECRET_ACCESS_KEY=key-canary", "AWS_PROFILE=default", "GOOGLE_APPLICATION_CREDENTIALS=" + filepath.Join(home, "gcloud.json"), "STORAGE_EMULATOR_HOST=" + url,
		"AZURE_STORAGE_CONNECTION_STRING=BlobEndpoint=" + url, "AZURE_CLIENT_SECRET=key-canary", "HTTP_PROXY=" + url, "HTTPS_PROXY=" + url, "ALL_PROXY=" + url, "http_proxy=" + url, "https_proxy=" + url,
		"GITHUB_API_URL=" + url, "GITHUB_SERVER_URL=" + url, "GITHUB_TOKEN=key-canary", "GH_TOKEN=key-canary", "ACTIONS_RUNTIME_URL=" + url, "ACTIONS_CACHE_URL=" + url, "PREFECT_CLIENT_CUSTOM_HEADERS={\"x\": \"key-canary\"}"}
	if err := os.Mkdir(filepath.Join(top, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "one"}, {"commit", "-q", "--allow-empty", "-m", "two"}, {"remote", "add", "origin", url + "/team/code.git"}} {
		c := osexec.Command("git", args...)
		c.Dir, c.Env = l.project, l.env
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return l
}

// replay runs the command; what it leaves in the temporary directory is a fault.
func (l *lured) replay(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := osexec.Command(builtRun(t), append([]string{"replay"}, args...)...)
	var out, err bytes.Buffer
	c.Dir, c.Env, c.Stdout, c.Stderr = l.project, l.env, &out, &err
	failed := c.Run()
	if _, exited := failed.(*osexec.ExitError); failed != nil && !exited {
		t.Fatal(failed)
	}
	l.leftNothing(t)
	return c.ProcessState.ExitCode(), out.String(), err.String()
}

func (l *lured) leftNothing(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(filepath.Join(l.top, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		t.Errorf("%s is left in the temporary directory", e.Name())
	}
}

func (l *lured) registered(t *testing.T) (names []string, image string) {
	t.Helper()
	var doc struct {
		Deployments []struct {
			Name, Flow   string
			Tags         []string
			JobVariables struct{ Image string } `json:"job_variables"`
		}
	}
	data, err := os.ReadFile(l.state)
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range doc.Deployments {
		names = append(names, d.Flow+"/"+d.Name+" "+strings.Join(d.Tags, ","))
		image += d.JobVariables.Image
	}
	slices.Sort(names)
	return names, image
}

func TestAReplayTouchesNothingReal(t *testing.T) {
	l := newLured(t)
	before, _ := os.ReadFile(l.state)
	for _, more := range [][]string{nil, {"--verbose"}} {
		code, stdout, stderr := l.replay(t, append([]string{"--event", "pull_request", "--state", "file:" + l.state}, more...)...)
		after, _ := os.ReadFile(l.state)
		_, ran := os.Stat(l.seen)
		if code != 0 || !bytes.Equal(before, after) || ran == nil {
			t.Errorf("a pull request: exit %d, a step ran: %v, the state:\n%s\n%s%s", code, ran == nil, after, stdout, stderr)
		}
	}
	code, stdout, stderr := l.replay(t, "--state", "file:"+l.state)
	names, image := l.registered(t)
	if code != 0 || !slices.Equal(names, []string{"greet/hourly from-the-state,eu", "greet/nightly "}) || !strings.HasPrefix(image, "registry.example.com/app:") {
		t.Errorf("a push: exit %d, registered %q with the image %q\n%s%s", code, names, image, stdout, stderr)
	}
	seen, err := os.ReadFile(l.seen)
	if err != nil || !strings.Contains(string(seen), "\nHTTPS_PROXY=http://127.0.0.1:9\n") || strings.Contains(string(seen), l.address) || strings.Contains(string(seen), "key-canary") || strings.Contains(string(seen), filepath.Join(l.top, "home")) {
		t.Errorf("a step sees (%v):\n%s", err, seen)
	}
	if knocks := l.take(); len(knocks) > 0 {
		t.Errorf("someone knocked: %q\n%s", knocks, stdout)
	}
	if calls, err := os.ReadFile(l.docker); err == nil {
		t.Errorf("docker was called:\n%s", calls)
	}
	// The same with --live, so that all this is seen to lead somewhere.
	code, stdout, stderr = l.replay(t, "--live")
	if knocks := l.take(); code == 0 || len(knocks) == 0 {
		t.Errorf("--live: exit %d, knocks %q\n%s%s", code, knocks, stdout, stderr)
	}
}

// commit changes prefect.yaml and commits.
func (l *lured) commit(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(l.project, "prefect.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c := osexec.Command("git", "commit", "-q", "-a", "-m", "another")
	c.Dir, c.Env = l.project, l.env
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

const oneStep = `build:
- prefect.deployments.steps.run_shell_script: {id: hash, script: STEP, shell: true}
deployments:
- {name: hourly, entrypoint: "flow.py:greet", work_pool: {name: pool}}
`

func TestAReplayOfWhatThisMachineIsNot(t *testing.T) {
	l := newLured(t)
	l.commit(t, "x-ci: {github: {runs-on: [self-hosted, gpu]}}\n"+strings.ReplaceAll(oneStep, "STEP", "echo 1"))
	if code, _, stderr := l.replay(t); code == 0 || !strings.Contains(stderr, "gpu") || !strings.Contains(stderr, "--runs-on") {
		t.Errorf("no machine for gpu: exit %d\n%s", code, stderr)
	}
	if code, stdout, stderr := l.replay(t, "--runs-on", "gpu"); code != 0 {
		t.Errorf("this machine for gpu: exit %d\n%s%s", code, stdout, stderr)
	}
	l.commit(t, "x-ci: {github: {setup: [{uses: some/login@v1, with: {role: r}}]}}\n"+strings.ReplaceAll(oneStep, "STEP", "echo 1"))
	if code, stdout, stderr := l.replay(t); code == 0 || !strings.Contains(stdout+stderr, "--action some/login@v1=DIR") {
		t.Errorf("nobody gave some/login: exit %d\n%s%s", code, stdout, stderr)
	}
	login := filepath.Join(l.top, "login")
	if err := os.MkdirAll(login, 0o755); err != nil {
		t.Fatal(err)
	}
	action := "name: login\ndescription: d\ninputs: {role: {description: r}}\nruns: {using: composite, steps: [{shell: bash, run: 'echo ran > " + l.seen + "'}]}\n"
	if err := os.WriteFile(filepath.Join(login, "action.yml"), []byte(action), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := l.replay(t, "--action", "some/login@v1="+login)
	if _, err := os.Stat(l.seen); code != 0 || err != nil {
		t.Errorf("some/login as given: exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	for _, args := range [][]string{{"--event", "release"}, {"--state", "git:HEAD"}, {"--workflow", "flow.py"}, {"-f", "none.yaml"}} {
		if code, _, stderr := l.replay(t, args...); code == 0 || stderr == "" {
			t.Errorf("%v: exit %d, %q", args, code, stderr)
		}
	}
	if knocks := l.take(); len(knocks) > 0 {
		t.Errorf("someone knocked: %q", knocks)
	}
}

// What a person sees: the jobs, what would be registered, and of a failure its cause and none of act's own talk.
func TestWhatAReplayShows(t *testing.T) {
	l := newLured(t)
	l.commit(t, strings.ReplaceAll(oneStep, "STEP", "echo a-quiet-step >&2"))
	code, stdout, stderr := l.replay(t)
	want := "✓ check\n- plan  skipped\n  ✓ hash  after check\n    ✓ register  after check, hash\n      ✓ prefect  after check, plan, hash, register\n4 succeeded, 0 failed, 1 skipped\n\n+ greet/hourly\n"
	if code != 0 || !strings.HasSuffix(stdout, want) || strings.Contains(stdout+stderr, "a-quiet-step") || strings.Contains(stdout+stderr, "\x1b") || !strings.Contains(stderr, "--state file:PATH keeps one") {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	l.commit(t, strings.ReplaceAll(oneStep, "STEP", "echo the-cause >&2; exit 3"))
	code, stdout, stderr = l.replay(t)
	for _, text := range []string{"[hash] the-cause", "[hash] error: the step hash failed", "⊘ greet/hourly  skipped: step hash gave nothing", "1 succeeded, 3 failed, 1 skipped"} {
		if !strings.Contains(stdout, text) {
			t.Errorf("%q is not shown:\n%s", text, stdout)
		}
	}
	if code != 1 || strings.Contains(stdout, "⭐") || strings.Contains(stdout, "set-output") || strings.Contains(stdout, "exit status") {
		t.Errorf("exit %d, or act talks:\n%s%s", code, stdout, stderr)
	}
	for _, c := range []struct {
		more   string
		colour bool
	}{{"TERM=xterm", true}, {"NO_COLOR=1", false}} {
		if shown := l.onATerminal(t, c.more); strings.Contains(shown, "\x1b[31m✗\x1b[0m hash") != c.colour || !strings.Contains(shown, "the-cause") {
			t.Errorf("on a terminal with %s:\n%q", c.more, shown)
		}
	}
}

// onATerminal is what a replay shows on one.
func (l *lured) onATerminal(t *testing.T, more string) string {
	t.Helper()
	c := osexec.Command(builtRun(t), "replay")
	c.Dir, c.Env = l.project, append(l.env, more)
	terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	shown, _ := io.ReadAll(terminal) // the end of a terminal is an error on Linux
	_ = c.Wait()
	_ = terminal.Close()
	l.leftNothing(t)
	return string(shown)
}

// TestAnInterruptedReplayLeavesNothing: no process and no file.
func TestAnInterruptedReplayLeavesNothing(t *testing.T) {
	l := newLured(t)
	l.commit(t, strings.ReplaceAll(strings.ReplaceAll(oneStep, "STEP", `"sleep 301 & echo $! > SEEN; sleep 302"`), "SEEN", l.seen))
	for name, hit := range map[string]func(*osexec.Cmd) error{
		"the terminal is closed": func(c *osexec.Cmd) error { return syscall.Kill(-c.Process.Pid, syscall.SIGHUP) },
		"the program alone":      func(c *osexec.Cmd) error { return c.Process.Signal(os.Interrupt) },
		"as a terminal":          func(c *osexec.Cmd) error { return syscall.Kill(-c.Process.Pid, syscall.SIGINT) },
	} {
		_ = os.Remove(l.seen)
		c := osexec.Command(builtRun(t), "replay")
		var out bytes.Buffer
		c.Dir, c.Env, c.Stdout, c.Stderr, c.SysProcAttr = l.project, l.env, &out, &out, &syscall.SysProcAttr{Setpgid: true}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		step := 0
		for step == 0 {
			time.Sleep(20 * time.Millisecond)
			data, _ := os.ReadFile(l.seen)
			_, _ = fmt.Sscan(string(data), &step)
			if c.Process.Signal(syscall.Signal(0)) != nil {
				t.Fatalf("%s: it ended by itself\n%s", name, out.String())
			}
		}
		if err := hit(c); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		if code := c.ProcessState.ExitCode(); code != 130 || !strings.HasSuffix(out.String(), "\nerror: interrupted\n") || strings.Contains(out.String(), "did not run") {
			t.Errorf("%s: exit %d\n%s", name, code, out.String())
		}
		if syscall.Kill(step, 0) == nil {
			t.Errorf("%s: what the step had started still runs", name)
			_ = syscall.Kill(step, syscall.SIGKILL)
		}
		l.leftNothing(t)
	}
}

// TestAReplayWithoutAReader: `run replay --verbose | head` ends like an interrupted one.
func TestAReplayWithoutAReader(t *testing.T) {
	l := newLured(t)
	l.commit(t, strings.ReplaceAll(oneStep, "STEP", "echo 1"))
	c := osexec.Command(builtRun(t), "replay", "--verbose")
	c.Dir, c.Env = l.project, l.env
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = w, w
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	_, _ = r.Read(make([]byte, 1))
	_ = r.Close()
	if err := c.Wait(); err == nil {
		t.Error("it ended as if all of it had been read")
	}
	l.leftNothing(t)
}

// TestScriptsOfAReplayPushNothing: a script that tries all the ways out finds them shut, and gets no secret of the shell but the one that is named.
func TestScriptsOfAReplayPushNothing(t *testing.T) {
	l := newLured(t)
	bare := filepath.Join(l.top, "bare")
	if out, err := osexec.Command("git", "init", "-q", "--bare", bare).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{"remote", "set-url", "origin", bare}, {"remote", "add", "two", bare}, {"config", "remote.two.pushurl", bare}} {
		c := osexec.Command("git", args...)
		c.Dir, c.Env = l.project, l.env
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	script := "docker push localhost:5000/x:1; docker image push x; echo pw | docker login --password-stdin localhost:5000; docker --config /x push y; docker run x; " +
		"docker buildx build --push -t x .; for r in origin two BARE file://BARE; do git push $r HEAD:refs/heads/replayed; done; curl -s http://ADDRESS/; curl -s https://ADDRESS/; ssh -o BatchMode=yes localhost true; " +
		"echo $VAULT_TOKEN $SNOWFLAKE_PASSWORD $SSH_AUTH_SOCK $DB_PASSWORD $REGION; env > SEEN; true"
	script = strings.NewReplacer("BARE", bare, "ADDRESS", l.address, "SEEN", l.seen).Replace(script)
	l.commit(t, "x-ci: {vars: [REGION], github: {secrets: [VAULT_TOKEN, SNOWFLAKE_PASSWORD, SSH_AUTH_SOCK, DB_PASSWORD]}}\n"+strings.ReplaceAll(oneStep, "STEP", fmt.Sprintf("%q", script)))
	l.env = append(l.env, "VAULT_TOKEN=key-canary", "SNOWFLAKE_PASSWORD=key-canary", "SSH_AUTH_SOCK=/key-canary", "DB_PASSWORD=named-value", "OTHER_TOKEN=key-canary")
	for _, more := range [][]string{nil, {"--docker"}} {
		_ = os.Remove(l.seen)
		_ = os.Remove(l.docker)
		code, stdout, stderr := l.replay(t, append([]string{"--verbose", "--secret", "DB_PASSWORD"}, more...)...)
		seen, _ := os.ReadFile(l.seen)
		for _, want := range []string{"\nVAULT_TOKEN=stand-in-of-VAULT_TOKEN\n", "\nDB_PASSWORD=named-value\n", "\nREGION=eu\n"} {
			if !strings.Contains("\n"+string(seen), want) {
				t.Errorf("%v: no %q in what a step sees:\n%s", more, want, seen)
			}
		}
		if code != 0 || strings.Contains(string(seen)+stdout+stderr, "key-canary") || strings.Contains(stdout+stderr, "named-value") {
			t.Errorf("%v: exit %d\n%s\n%s%s", more, code, seen, stdout, stderr)
		}
		if refs, _ := osexec.Command("git", "-C", bare, "for-each-ref").Output(); len(refs) > 0 {
			t.Errorf("%v: git pushed %s", more, refs)
		}
		calls, _ := os.ReadFile(l.docker)
		if strings.Contains(string(calls), "push") || strings.Contains(string(calls), "login") || more == nil && len(calls) > 0 || more != nil && !strings.Contains(string(calls), "--load -t x") {
			t.Errorf("%v: docker was called:\n%s", more, calls)
		}
		if knocks := l.take(); len(knocks) > 0 {
			t.Errorf("%v: someone knocked: %q", more, knocks)
		}
	}
	_, _, _ = l.replay(t, "--live")
	calls, _ := os.ReadFile(l.docker)
	refs, _ := osexec.Command("git", "-C", bare, "for-each-ref").Output()
	if !strings.Contains(string(calls), "push localhost:5000/x:1") || len(refs) == 0 {
		t.Errorf("--live: docker was called %q, git pushed %q", calls, refs)
	}
}

// TestAReplayOfAWorkflowOnTheDisk: a replay compiles, and says where the repository has another workflow of the same files; with --workflow that one runs, and is refused where GitHub's first job would refuse it.
func TestAReplayOfAWorkflowOnTheDisk(t *testing.T) {
	l := newLured(t)
	l.commit(t, strings.ReplaceAll(oneStep, "STEP", "echo 1"))
	const name = ".github/workflows/deploy.yml"
	emitted := func() {
		c := osexec.Command("go", "run", "../compile", "github", "-C", l.project, "-o", filepath.Join(l.project, name), "--action", "org/prefect-deploy-action@v1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	emitted()
	for _, args := range [][]string{nil, {"--workflow", name}} {
		if code, stdout, stderr := l.replay(t, args...); code != 0 || strings.Contains(stderr, "note:") || !strings.Contains(stdout, "+ greet/hourly") {
			t.Errorf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
	}
	l.commit(t, strings.ReplaceAll(oneStep, "STEP", "echo 2")+"x-ci: {github: {runs-on: ubuntu-24.04}}\n")
	code, stdout, stderr := l.replay(t)
	if code != 0 || !strings.Contains(stdout, "+ greet/hourly") || !strings.Contains(stderr, "note: this replay is of the workflow that the files give now; "+name+" is another") || !strings.Contains(stderr, "compile github -o "+name) {
		t.Errorf("it is stale: exit %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, _ := l.replay(t, "--workflow", name); code == 0 || !strings.Contains(stdout, name+" is stale") || strings.Contains(stdout, "+ greet/hourly") {
		t.Errorf("it is stale, and runs: exit %d\n%s", code, stdout)
	}
	emitted()
	text, err := os.ReadFile(filepath.Join(l.project, name))
	if err == nil {
		err = os.WriteFile(filepath.Join(l.project, name), []byte(strings.Replace(string(text), "timeout-minutes: 30", "timeout-minutes: 31", 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := l.replay(t, "--workflow", name); code == 0 || !strings.Contains(stdout, name+" is stale") {
		t.Errorf("it was edited by hand, and runs: exit %d\n%s", code, stdout)
	}
}
