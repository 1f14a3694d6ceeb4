//go:build real

// Pipelines for GitLab, carried out by gitlab-ci-local. GITLAB_CI_LOCAL is the folder that holds it, else .cache/gitlab-ci-local (`make setup`); without it, or without rsync, git and bash, these tests fail.
//
// The programs are built here and put on PATH, so that nothing is installed; `run` there is a script that adds a state in a file, notes each call, and starts the real one.
package pipelines

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// programs are compile and run, built once.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pipelines-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir+"/", "../../cmd/compile", "../../cmd/run").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// project is a repository whose pipeline is emitted and committed.
type project struct {
	t                        *testing.T
	dir, bin, real           string
	state, calls, lab, token string
}

func newProject(t *testing.T, files map[string]string) *project {
	t.Helper()
	real, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	base := t.TempDir()
	p := &project{t: t, dir: filepath.Join(base, "code"), bin: filepath.Join(base, "bin"), real: real, state: filepath.Join(base, "state.json"), calls: filepath.Join(base, "calls")}
	for name, text := range files {
		p.write(name, text)
	}
	p.script("compile", `exec "`+filepath.Join(real, "compile")+`" "$@"`)
	p.script("run", `echo "$@" >> "`+p.calls+`"; case "$1" in plan | deploy) set -- "$@" --state "file:`+p.state+`" ;; esac; exec "`+filepath.Join(real, "run")+`" "$@"`)
	p.must("git", "init", "-q", "-b", "main")
	p.emit()
	p.must("git", "remote", "add", "origin", "git@gitlab.example.com:team/code.git")
	p.must("git", "update-ref", "refs/remotes/origin/main", "HEAD")
	p.must("git", "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	return p
}

func (p *project) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) script(name, line string) {
	p.t.Helper()
	if err := os.MkdirAll(p.bin, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.bin, name), []byte("#!/bin/sh\n"+line+"\n"), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

// emit writes the pipeline anew and commits everything.
func (p *project) emit() {
	p.must(filepath.Join(p.real, "compile"), "gitlab", "-o", ".gitlab-ci.yml", "--action", "org/prefect-deploy-action@v1")
	p.must("git", "add", "-A")
	p.must("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "a project")
}

func (p *project) command(name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = p.dir
	home := filepath.Dir(p.bin)
	c.Env = []string{"PATH=" + p.bin + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + home, "PREFECT_HOME=" + home, "LANG=C.UTF-8", "NO_COLOR=1"}
	out, err := c.CombinedOutput()
	return string(out), err
}

func (p *project) must(name string, args ...string) string {
	p.t.Helper()
	out, err := p.command(name, args...)
	if err != nil {
		p.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// pipeline runs it with gitlab-ci-local; ok tells that it ended green.
func (p *project) pipeline(args ...string) (out string, ok bool) {
	p.t.Helper()
	root := os.Getenv("GITLAB_CI_LOCAL")
	if root == "" {
		root = "../../.cache/gitlab-ci-local"
	}
	program, err := filepath.Abs(filepath.Join(root, "node_modules", ".bin", "gitlab-ci-local"))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		p.t.Fatalf("these tests need gitlab-ci-local: run .ci/setup, or name its folder in GITLAB_CI_LOCAL (%v)", err)
	}
	out, err = p.command(program, append([]string{"--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", "--no-color"}, args...)...)
	return out, err == nil
}

// mergeRequest are the options that make a pipeline one of a merge request.
func (p *project) mergeRequest() []string {
	args := []string{"--variable", "CI_PIPELINE_SOURCE=merge_request_event", "--unset-variable", "CI_COMMIT_BRANCH", "--ignore-predefined-vars", "CI_PIPELINE_SOURCE,CI_API_V4_URL"}
	head := strings.TrimSpace(p.must("git", "rev-parse", "HEAD"))
	for _, v := range []string{"CI_MERGE_REQUEST_IID=7", "CI_MERGE_REQUEST_PROJECT_ID=12", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=12", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=" + head, "CI_MERGE_REQUEST_DIFF_BASE_SHA=" + head, "GITLAB_TOKEN=" + p.token} {
		args = append(args, "--variable", v)
	}
	return append(args, "--variable", "CI_API_V4_URL="+p.lab)
}

// ran are the calls of `run` by their first words.
func (p *project) ran(command string) []string {
	data, _ := os.ReadFile(p.calls)
	var out []string
	for _, line := range strings.Split(string(data), "\n") {
		if words := strings.Fields(line); len(words) > 0 && words[0] == command {
			out = append(out, line)
		}
	}
	return out
}

// registered is a state without what two runs never have in common, and without the version that Prefect takes from the CI's variables.
func registered(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any) any
	strip = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				if k == "id" || k == "created" || k == "updated" || k == "flow_id" || k == "version" || k == "version_info" {
					delete(v, k)
					continue
				}
				v[k] = strip(x)
			}
		case []any:
			for i := range v {
				v[i] = strip(v[i])
			}
		}
		return v
	}
	out, _ := json.MarshalIndent(strip(v), "", " ")
	return string(out)
}

// job is what gitlab-ci-local makes of one.
type job struct {
	Name, Stage, When string
	Needs             []struct{ Job string }
}

func (p *project) jobs(args ...string) map[string]job {
	p.t.Helper()
	out, ok := p.pipeline(append(args, "--list-json")...)
	start, end := strings.Index(out, "[\n"), strings.LastIndex(out, "]")
	var list []job
	if !ok || start < 0 || json.Unmarshal([]byte(out[start:end+1]), &list) != nil {
		p.t.Fatal(out)
	}
	jobs := map[string]job{}
	for _, j := range list {
		jobs[j.Name] = j
	}
	return jobs
}

func quickstart(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"prefect.yaml", "RELEASE", "flows/greet.py", "flows/report.py"} {
		data, err := os.ReadFile(filepath.Join("../../testdata/quickstart", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(data)
	}
	return files
}

func TestQuickstartOnTheDefaultBranch(t *testing.T) {
	p := newProject(t, quickstart(t))
	if jobs := p.jobs(); jobs["plan"].When != "never" || jobs["register"].When != "always" || len(jobs["register"].Needs) != 2 || jobs["get-release"].Stage != "build" {
		t.Errorf("%v", jobs)
	}
	out, ok := p.pipeline()
	if !ok || len(p.ran("step")) != 1 || len(p.ran("deploy")) != 1 || len(p.ran("plan")) != 0 {
		t.Fatalf("%v\n%s", p.ran("step"), out)
	}
	whole := filepath.Join(t.TempDir(), "whole.json")
	p.must(filepath.Join(p.real, "run"), "deploy", "--all", "--state", "file:"+whole)
	if a, b := registered(t, whole), registered(t, p.state); a != b || !strings.Contains(a, "registry.example.com/quickstart:2026.11") {
		t.Errorf("one deploy registered\n%s\nthe pipeline\n%s", a, b)
	}
}

// counting is a project whose steps leave a line each time they run.
func counting(log string) string {
	step := func(id, script string) string {
		return fmt.Sprintf("  - prefect.deployments.steps.run_shell_script: {id: %s, shell: true, script: %q}\n", id, "echo "+id+" >> "+log+"; "+script)
	}
	return "x-ci: {steps: {hash: {effects: {reads: [], writes: []}}, image: {effects: {reads: [], writes: []}}, other: {effects: {reads: [], writes: []}}}}\npull: []\nbuild:\n" + step("hash", "echo 1.0") + step("image", "echo r/x:{{ hash.stdout }}") +
		"deployments:\n- {name: a, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ image.stdout }}'}}}\n" +
		"- name: b\n  entrypoint: flow.py:hello\n  work_pool: {name: p, job_variables: {image: '{{ other.stdout }}'}}\n  build:\n  " + strings.TrimLeft(step("hash", "echo 1.0"), " ") + step("other", "echo r/y:{{ hash.stdout }}") +
		"- {name: c, entrypoint: 'flow.py:hello', work_pool: {name: p}, build: null}\n"
}

const flow = "from prefect import flow\n\n@flow\ndef hello(): ...\n"

func count(t *testing.T, log string) string {
	data, _ := os.ReadFile(log)
	lines := strings.Fields(string(data))
	slices.Sort(lines)
	return strings.Join(lines, " ")
}

func TestEachStepRunsOnce(t *testing.T) {
	log := filepath.Join(t.TempDir(), "ran")
	p := newProject(t, map[string]string{"prefect.yaml": counting(log), "flow.py": flow})
	out, ok := p.pipeline()
	if got := count(t, log); !ok || got != "hash image other" {
		t.Fatalf("the pipeline ran %q\n%s", got, out)
	}
	whole := filepath.Join(t.TempDir(), "whole.json")
	p.must(filepath.Join(p.real, "run"), "deploy", "--all", "--state", "file:"+whole)
	if a, b := registered(t, whole), registered(t, p.state); a != b || !strings.Contains(a, `"r/y:1.0"`) {
		t.Errorf("one deploy registered\n%s\nthe pipeline\n%s", a, b)
	}
}

// A build that fails concerns only the deployments that need it: the others are registered, and the pipeline is red.
func TestAFailedBuildConcernsOnlyWhatNeedsIt(t *testing.T) {
	log := filepath.Join(t.TempDir(), "ran")
	p := newProject(t, map[string]string{"prefect.yaml": strings.Replace(counting(log), "echo r/x:", "cat nowhere; false; exit 3; echo r/x:", 1), "flow.py": flow})
	out, ok := p.pipeline()
	if got := count(t, log); ok || got != "hash image other" {
		t.Fatalf("green %v, the pipeline ran %q\n%s", ok, got, out)
	}
	got := registered(t, p.state)
	if !strings.Contains(got, `"r/y:1.0"`) || !strings.Contains(got, `"name": "c"`) || strings.Contains(got, `"name": "a"`) {
		t.Errorf("registered\n%s\n%s", got, out)
	}
}

// A stale pipeline refuses: nothing is built and nothing is registered, though the job that registers always runs.
func TestAStalePipelineRefuses(t *testing.T) {
	log := filepath.Join(t.TempDir(), "ran")
	p := newProject(t, map[string]string{"prefect.yaml": counting(log), "flow.py": flow})
	p.write("prefect.yaml", counting(log)+"- {name: new, entrypoint: 'flow.py:hello', build: [{prefect.deployments.steps.run_shell_script: {id: new, script: date}}]}\n")
	p.must("git", "add", "-A")
	out, ok := p.pipeline()
	if ok || count(t, log) != "" || len(p.ran("deploy")) != 0 || !strings.Contains(out, ".gitlab-ci.yml is stale: the steps of prefect.yaml, or the variables that it reads, changed") {
		t.Errorf("green %v, ran %q\n%s", ok, count(t, log), out)
	}
	if _, err := os.Stat(p.state); err == nil {
		t.Error("something was registered")
	}
}

// A build is Docker's own, with the layers of the project's registry, and the push of a step with credentials in a block the runtime's. The docker here writes down what it is told.
func TestDockersOwnBuild(t *testing.T) {
	p := newProject(t, map[string]string{"flow.py": flow, "Dockerfile": "FROM scratch\n", "prefect.yaml": `x-ci: {gitlab: {docker: socket}}
pull: []
build:
- prefect.deployments.steps.run_shell_script: {id: hash, script: echo 1.0}
- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: registry.example.com/app, tag: "{{ hash.stdout }}", dockerfile: Dockerfile, buildargs: {TEXT: "a b; touch pwned"}}
push:
- prefect_docker.deployments.steps.push_docker_image: {id: push-app, image_name: "{{ app.image_name }}", tag: "{{ app.tag }}", additional_tags: [latest]}
deployments:
- {name: d, entrypoint: "flow.py:hello", work_pool: {name: p, job_variables: {image: "{{ app.image }}"}}}
`})
	log := filepath.Join(p.bin, "..", "docker")
	p.script("docker", `printf '%s|' "$@" >> `+log+`; echo >> `+log+`; while [ $# -gt 0 ]; do if [ "$1" = --metadata-file ]; then printf '{"containerimage.config.digest": "sha256:abc"}' > "$2"; fi; shift; done`)
	out, ok := p.pipeline("--variable", "DOCKER_HOST=unix:///nowhere", "--variable", "CI_REGISTRY_IMAGE=registry.example.com/team/code", "--ignore-predefined-vars", "CI_REGISTRY_IMAGE")
	data, _ := os.ReadFile(log)
	told := string(data)
	if !ok {
		t.Fatalf("%s\n%s", out, told)
	}
	var builds, pushes []string
	for _, line := range strings.Split(told, "\n") {
		switch {
		case strings.HasPrefix(line, "buildx|build|"):
			builds = append(builds, line)
		case strings.HasPrefix(line, "push|"):
			pushes = append(pushes, line)
		}
	}
	if len(builds) != 1 || strings.Join(pushes, " ") != "push|registry.example.com/app:1.0| push|registry.example.com/app:latest|" {
		t.Fatalf("builds %q, pushes %q\n%s", builds, pushes, told)
	}
	for _, words := range []string{"|--tag|registry.example.com/app:1.0|", "|--build-arg|TEXT=a b; touch pwned|", "|--load|", "|--cache-from|type=registry,ref=registry.example.com/team/code/cache:app|",
		"|--cache-to|type=registry,mode=max,ignore-error=true,ref=registry.example.com/team/code/cache:app|", "|--metadata-file|", "|.|"} {
		if !strings.Contains(builds[0], words) {
			t.Errorf("no %s in %s", words, builds[0])
		}
	}
	if !strings.Contains(registered(t, p.state), `"image": "registry.example.com/app:1.0"`) {
		t.Error(registered(t, p.state))
	}
}

// A merge request gets its note, and nothing is built.
func TestAMergeRequestIsPlanned(t *testing.T) {
	var notes []string
	p := newProject(t, quickstart(t))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch path := strings.TrimPrefix(r.URL.Path, "/api/v4/projects/12/merge_requests/7"); {
		case r.Header.Get("Private-Token") != "a-token":
			w.WriteHeader(401)
		case path == "/api/v4/user":
			fmt.Fprint(w, `{"id": 42}`)
		case path == "":
			fmt.Fprintf(w, `{"sha": %q, "state": "opened", "web_url": "https://gitlab.example.com/mr"}`, strings.TrimSpace(p.must("git", "rev-parse", "HEAD")))
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `[]`)
		default:
			var in struct{ Body string }
			_ = json.NewDecoder(r.Body).Decode(&in)
			notes = append(notes, in.Body)
			w.WriteHeader(201)
			fmt.Fprint(w, `{"id": 9, "author": {"id": 42}}`)
		}
	}))
	defer server.Close()
	p.lab, p.token = server.URL+"/api/v4", "a-token"
	if jobs := p.jobs(p.mergeRequest()...); jobs["plan"].When != "on_success" || jobs["register"].When != "never" || jobs["get-release"].When != "never" {
		t.Errorf("%v", jobs)
	}
	out, ok := p.pipeline(p.mergeRequest()...)
	if !ok || len(notes) != 1 || !strings.Contains(notes[0], "3 to create") || !strings.Contains(out, "https://gitlab.example.com/mr#note_9") {
		t.Fatalf("green %v, %d notes %v\n%s", ok, len(notes), notes, out)
	}
	if len(p.ran("step"))+len(p.ran("deploy")) != 0 {
		t.Errorf("%v %v", p.ran("step"), p.ran("deploy"))
	}
	p.token = "" // a notice, and green
	if out, ok := p.pipeline(p.mergeRequest()...); !ok || strings.Count(out, "no note was written") != 1 || len(notes) != 1 {
		t.Errorf("green %v\n%s", ok, out)
	}
}

// More jobs than a job may need: what waits for all of them stands in a later stage.
func TestMoreThanFiftyNeeds(t *testing.T) {
	var b strings.Builder
	b.WriteString("pull: []\ndeployments:\n")
	for i := range 55 {
		fmt.Fprintf(&b, "- {name: d%d, entrypoint: 'flow.py:hello', work_pool: {name: p}, tags: ['{{ s%d.stdout }}'], build: [{prefect.deployments.steps.run_shell_script: {id: s%d, script: echo %d}}]}\n", i, i, i, i)
	}
	p := newProject(t, map[string]string{"prefect.yaml": b.String(), "flow.py": flow})
	if jobs := p.jobs(); len(jobs) != 58 || len(jobs["register"].Needs) != 0 || jobs["register"].Stage != "register" || len(jobs["s54"].Needs) != 1 {
		t.Errorf("%d jobs, register %+v, s54 %+v", len(jobs), jobs["register"], jobs["s54"])
	}
}

// What pip downloads is kept from one pipeline to the next, and never stands in the checkout while steps run, where an image or a bucket would take it in.
func TestPackagesAreKept(t *testing.T) {
	python := filepath.Join(os.Getenv("PREFECT_VENV"), "bin", "python")
	if _, err := os.Stat(python); err != nil {
		t.Fatalf("this test installs packages by the Python of PREFECT_VENV: run .ci/setup (%v)", err)
	}
	log := filepath.Join(t.TempDir(), "seen")
	p := newProject(t, map[string]string{"flow.py": flow, "jobs/requirements.txt": "# nothing to download\n", "prefect.yaml": `pull: []
build:
- prefect.deployments.steps.pip_install_requirements: {id: packages, directory: jobs}
- prefect.deployments.steps.run_shell_script: {id: look, shell: true, script: 'mkdir -p "$PIP_CACHE_DIR"; { ls -A "$PIP_CACHE_DIR" .; echo end; } >> ` + log + `; touch "$PIP_CACHE_DIR/kept"'}
deployments:
- {name: d, entrypoint: "flow.py:hello", work_pool: {name: p}}
`})
	for _, name := range []string{"python", "python3"} {
		p.script(name, `exec "`+python+`" "$@"`)
	}
	for range 3 {
		if out, ok := p.pipeline(); !ok {
			t.Fatal(out)
		}
	}
	seen := readLog(t, log)
	if len(seen) != 3 || strings.Contains(seen[0], "kept") || strings.Count(seen[1], "kept") != 1 || strings.Count(seen[2], "kept") != 1 || strings.Contains(strings.Join(seen, ""), ".prefect-deploy-pip") || !strings.Contains(seen[2], "flow.py") {
		t.Errorf("the steps saw\n%s", strings.Join(seen, "\n--\n"))
	}
}

// readLog are the parts of a log, each of which a line `end` ends.
func readLog(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, part := range strings.Split(string(data), "\nend\n") {
		if strings.TrimSpace(part) != "" {
			out = append(out, part)
		}
	}
	return out
}
