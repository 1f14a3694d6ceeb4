// run pull-check on the command line: its exit codes, its results, and that a secret which goes through its steps shows nowhere.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// remote is a repository behind a server that wants a login and repeats what it was told.
func remote(t *testing.T, password string) (address string) {
	t.Helper()
	root := t.TempDir()
	script := "git init -q -b main code && cd code && mkdir flows && printf '" + strings.ReplaceAll(oneFlow, "\n", "\\n") + "' > flows/flow.py && git add . && git -c user.name=a -c user.email=a@b commit -qm one && cd .. && git clone -q --bare code code.git"
	c := exec.Command("sh", "-c", script)
	c.Dir, c.Env = root, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + root, "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, given, _ := r.BasicAuth()
		if user != password && given != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "no entry for "+user+" with "+given, http.StatusUnauthorized)
			return
		}
		if strings.Contains(r.URL.Path, "broken") {
			w.Header().Set("Content-Type", "text/plain")
			http.Error(w, "it broke for "+user+" with "+given+" "+r.Header.Get("Authorization"), http.StatusInternalServerError)
			return
		}
		(&cgi.Handler{Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"), Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + root}}).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestPullCheckOnTheCommandLine(t *testing.T) {
	yaml := `
deployments:
- {name: good, entrypoint: "flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.run_shell_script: {script: "cp FROM/flow.py ."}}]}
- {name: bad, entrypoint: "flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.run_shell_script: {script: "touch x"}}]}
`
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": yaml})
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(strings.ReplaceAll(yaml, "FROM", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args             []string
		code             int
		stdout, stderr   string
		missing, without string
	}{
		{args: []string{"--all"}, code: 1, stdout: "ok      hello/good: flow.py:hello is in .\nfailed  hello/bad: the file flow.py of the entrypoint", stderr: "the pull sections of 1 deployment do not yield the entrypoint: hello/bad"},
		{args: []string{"-n", "good"}, stdout: "1 deployment checked in"},
		{args: []string{"-n", "hello/go*", "--quiet"}, code: 0, without: "good"},
		{args: []string{"--all", "--quiet"}, code: 1, stdout: "failed  hello/bad", without: "good"},
		{args: nil, code: 64, stderr: "name at least one deployment"},
		{args: []string{"--all", "--jobs", "0"}, code: 64, stderr: "--jobs 0"},
		{args: []string{"--all", "--timeout", "-1s"}, code: 64, stderr: "--timeout"},
		{args: []string{"--all", "-f", "absent.yaml"}, code: 64, stderr: "there is no absent.yaml"},
		{args: []string{"--all", "extra"}, code: 64},
		{args: []string{"-n", "absent"}, code: 1, stderr: `no deployment is named "absent"`},
		{args: []string{"-n", "good", "--json", "-"}, stdout: `"outcome": "succeeded"`, without: "checked in"},
	} {
		code, stdout, stderr := command(t, nil, append([]string{"pull-check", "-C", dir}, c.args...)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) || c.without != "" && strings.Contains(stdout, c.without) && !strings.Contains(stdout, `"schema"`) {
			t.Errorf("%q: exit %d\n%s\n%s", c.args, code, stdout, stderr)
		}
	}
	_, stdout, _ := command(t, nil, "pull-check", "-C", dir, "--all", "--json", "-")
	var result struct {
		Schema      int
		Deployments []struct{ Deployment, Outcome, Entrypoint, Error string }
	}
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || result.Schema != 1 || len(result.Deployments) != 2 || result.Deployments[1].Outcome != "failed" || result.Deployments[1].Error == "" {
		t.Errorf("%s\n%v", stdout, err)
	}
	if code, out, _ := command(t, nil, "pull-check", "-h"); code != 0 || !strings.Contains(out, "scratch directory") {
		t.Errorf("-h: exit %d\n%s", code, out)
	}
}

// TestCanaryInPullSteps puts a secret through every input of the native steps that may hold one, in clones and scripts that work and in such that fail, and looks for it in everything that is left or shown:
// results, log, errors, the arguments of every process while it runs, and files, also those of the clones.
func TestCanaryInPullSteps(t *testing.T) {
	const canary = "cNrY-7f3a/91%+x"
	address := remote(t, canary)
	kept := t.TempDir() // the clones, before they go
	copy := func(what string) string {
		return `{prefect.deployments.steps.run_shell_script: {script: "cp -r ` + what + ` ` + kept + `/"}}`
	}
	withUser := strings.Replace(address, "//", "//u:"+strings.NewReplacer("/", "%2F", "%", "%25", "+", "%2B").Replace(canary)+"@", 1)
	yaml := `
deployments:
- {name: token, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {id: c, repository: "` + address + `/code.git", access_token: "{{ prefect.blocks.secret.tok }}", clone_directory_name: token}}, ` + copy("token") + `]}
- {name: credentials, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "` + address + `/code.git", credentials: "{{ prefect.blocks.github-credentials.gh }}", clone_directory_name: credentials, directories: [flows]}}, ` + copy("credentials") + `]}
- {name: password, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "` + address + `/code.git", credentials: {username: me, password: "{{ $TOKEN }}"}, clone_directory_name: password}}, ` + copy("password") + `]}
- {name: url, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "` + withUser + `/code.git", clone_directory_name: url}}, ` + copy("url") + `]}
- {name: literal, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "` + address + `/broken.git", access_token: "` + canary + `"}}]}
- {name: missing, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "` + address + `/absent.git", access_token: "{{ $TOKEN }}"}}]}
- {name: refused, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.git_clone: {repository: "` + address + `/code.git", access_token: "x{{ $TOKEN }}"}}]}
- {name: directory, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.set_working_directory: {directory: "/nowhere/{{ $TOKEN }}"}}]}
- {name: echo, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.run_shell_script: {script: "printenv T", env: {T: "{{ prefect.blocks.secret.tok }}"}}}]}
- {name: fails, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.run_shell_script: {script: "printenv T >&2; sleep 0.2; exit 3", shell: true, env: {T: "{{ $TOKEN }}"}}}]}
- {name: expands, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.run_shell_script: {script: "printf 'a%sb\\n' $TOKEN $NOWHERE", expand_env_vars: false}}, {prefect.deployments.steps.run_shell_script: {script: "/no/such/{{ $TOKEN }}"}}]}
- {name: long, entrypoint: "flows/flow.py:hello", work_pool: {name: p}, pull: [{prefect.deployments.steps.run_shell_script: {script: "head -c 65530 /dev/zero | tr '\\0' x; printenv T", shell: true, env: {T: "{{ $TOKEN }}"}}}]}
`
	dir := project(t, map[string]string{"flows/flow.py": oneFlow, "prefect.yaml": yaml,
		"state.json": `{"schema": 1, "blocks": {"secret/tok": {"value": "` + canary + `"}, "github-credentials/gh": {"token": "` + canary + `"}}}`})
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	seen, stop := watchArguments(t)
	code, stdout, stderr := command(t, map[string]string{"TOKEN": canary, "GIT_SSL_NO_VERIFY": "true", "GIT_CONFIG_NOSYSTEM": "1", "TMPDIR": tmp}, "pull-check", "-C", dir, "--all", "--state", "file:"+filepath.Join(dir, "state.json"), "--json", filepath.Join(dir, "result.json"))
	stop()
	if code != 1 || strings.Count(stdout, "ok  ") != 4 || strings.Count(stdout, "failed  hello") != 8 {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	places := map[string]string{"stdout": stdout, "stderr": stderr, "--json": read(filepath.Join(dir, "result.json")), "arguments of processes": seen.String()}
	for _, name := range []string{"token", "credentials", "password", "url"} {
		if _, err := os.Stat(filepath.Join(kept, name, ".git", "config")); err != nil {
			t.Errorf("the clone %s was not kept to be looked at: %v", name, err)
		}
	}
	for _, top := range []string{kept, tmp} {
		_ = filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				places[path] = read(path)
			}
			return nil
		})
	}
	if left, _ := filepath.Glob(filepath.Join(tmp, "prefect-deploy-*")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	for place, text := range places {
		for _, form := range []string{canary, url.QueryEscape(canary), url.PathEscape(canary), base64.StdEncoding.EncodeToString([]byte(canary + ":")), base64.StdEncoding.EncodeToString([]byte("u:" + canary)), base64.StdEncoding.EncodeToString([]byte("me:" + canary))} {
			if strings.Contains(text, form) {
				t.Errorf("%s shows %q:\n%.3000s", place, form, text)
			}
		}
	}
	if strings.Contains(stderr, canary[:9]) || strings.Contains(stderr, canary[9:]) {
		t.Errorf("half of the secret shows:\n%.3000s", strings.ReplaceAll(stderr, "xxxxxxxx", ""))
	}
	if runtime.GOOS == "linux" && (!strings.Contains(seen.String(), "git\x00clone") || !strings.Contains(seen.String(), "remote-https")) {
		t.Errorf("the arguments that were seen are not those of git: %q", seen.String())
	}
}

// watchArguments notes the arguments of all processes that this test started, as long as it is not stopped.
func watchArguments(t *testing.T) (seen *bytes.Buffer, stop func()) {
	seen = &bytes.Buffer{}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		known := map[string]bool{}
		for ctx.Err() == nil {
			list, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, path := range list {
				data, _ := os.ReadFile(path)
				environ, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
				if len(data) > 0 && !known[string(data)] && bytes.Contains(environ, []byte("TMPDIR="+os.Getenv("TMPDIR")+"\x00")) {
					known[string(data)] = true
					seen.Write(data)
					seen.WriteByte('\n')
				}
			}
			time.Sleep(time.Millisecond)
		}
	})
	t.Cleanup(cancel)
	return seen, func() { cancel(); done.Wait() }
}

// Pull sections name buckets more often than any others do, and the companion that reads them needs no Python.
func TestPullChecksKnowTheCompanionForBuckets(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "deployments: []\n"})
	o := options{dir: dir, files: []string{"prefect.yaml"}, jobs: 1, all: true}
	told, err := o.toldOfPulls(cli.World{Env: func(string) (string, bool) { return "", false }, Stderr: io.Discard})
	if err != nil || told.Storage == nil {
		t.Errorf("the companion is not looked for (%v)", err)
	}
}
