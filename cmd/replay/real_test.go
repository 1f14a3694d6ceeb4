//go:build real

// The action as a team has it: the workflow of testdata/quickstart, run through act, against a real Prefect server; without one, and without git or bash, the
// tests fail. All tests of this package share one server and one build of each program, as these take longer than all else.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/replay"
	"github.com/org/prefect-deploy-action/runner/servertest"
)

// server is a real Prefect server behind a proxy that writes down what passes.
type server struct {
	direct, url string

	mu     sync.Mutex
	writes []string
	all    int
}

// shared is what all tests of this package use, started by the first that does.
var shared struct {
	server *server
	dir    string // with the programs replay and run
	ends   []func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range slices.Backward(shared.ends) {
		end()
	}
	os.Exit(code)
}

// prefectServer is the server without any deployment.
func prefectServer(t *testing.T) *server {
	t.Helper()
	if shared.server == nil {
		shared.server = startServer(t)
	}
	s := shared.server
	for _, d := range s.deployments(t) {
		s.ask(t, http.MethodDelete, "/deployments/"+d.ID, nil, nil)
	}
	s.take()
	return s
}

// programs is the directory with replay and run.
func programs(t *testing.T) string {
	t.Helper()
	if shared.dir == "" {
		dir, err := os.MkdirTemp("", "replay-test-")
		if err != nil {
			t.Fatal(err)
		}
		shared.ends = append(shared.ends, func() { _ = os.RemoveAll(dir) })
		for name, source := range map[string]string{"replay": ".", "run": "../run"} {
			if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), source).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		shared.dir = dir
	}
	return shared.dir
}

// action is the directory of the action as it is here, without a release of its own: it is built from these sources also once there is one.
func action(t *testing.T) string {
	t.Helper()
	root, dir := filepath.Join("..", ".."), filepath.Join(programs(t), "action")
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	for _, name := range []string{".github", "cmd", "compiler", "runner"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(root, name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"action.yml", "go.mod", "go.sum", ".github/release"} {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err == nil && name == ".github/release" {
			data = []byte("none\n")
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func startServer(t *testing.T) *server {
	t.Helper()
	real, err := servertest.StartPrefect(servertest.Off("SCHEDULER", "LATE_RUNS", "FOREMAN")...) // nothing changes by itself
	if err != nil {
		t.Fatal(err)
	}
	shared.ends = append(shared.ends, real.Stop)
	s := &server{direct: real.URL}
	target, err := url.Parse(strings.TrimSuffix(real.URL, "/api"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.note(r); proxy.ServeHTTP(w, r) }))
	shared.ends = append(shared.ends, p.Close)
	s.url = p.URL + "/api"
	s.post(t, "/work_pools/", map[string]any{"name": "my-docker-pool", "type": "docker"}, nil)
	s.post(t, "/work_pools/my-docker-pool/queues", map[string]any{"name": "reports"}, nil)
	return s
}

// note counts a request; a POST that only asks ends in /filter or /count.
func (s *server) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all++
	if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/filter") && !strings.HasSuffix(r.URL.Path, "/count") {
		s.writes = append(s.writes, r.Method+" "+r.URL.Path)
	}
}

// take gives what was written and how much was asked since the last time.
func (s *server) take() (writes []string, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	writes, all = s.writes, s.all
	s.writes, s.all = nil, 0
	return writes, all
}

func (s *server) post(t *testing.T, path string, body any, into any) {
	t.Helper()
	s.ask(t, http.MethodPost, path, body, into)
}

// ask asks the server past the proxy, again while its database is busy (503).
func (s *server) ask(t *testing.T, method, path string, body any, into any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var answer *http.Response
	var text []byte
	for range 20 {
		r, err := http.NewRequest(method, s.direct+path, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if answer, err = http.DefaultClient.Do(r); err != nil {
			t.Fatal(err)
		}
		text, _ = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(300 * time.Millisecond)
	}
	if answer.StatusCode >= 300 {
		t.Fatalf("%s: %s %s", path, answer.Status, text)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatal(err)
		}
	}
}

type deployment struct {
	ID           string
	Name         string
	Tags         []string
	Updated      string
	WorkPoolName string         `json:"work_pool_name"`
	JobVariables map[string]any `json:"job_variables"`
	Schedules    []struct {
		Schedule map[string]any
	}
}

func (s *server) deployments(t *testing.T) []deployment {
	var list []deployment
	s.post(t, "/deployments/filter", map[string]any{}, &list)
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// repository is a copy of a folder of testdata, committed.
type repository struct {
	dir, replay, workflow string
	// cache stands for actions/cache when it is set; without one the job builds the program.
	cache string
}

func newRepository(t *testing.T) *repository { t.Helper(); return repositoryOf(t, "quickstart") }

func repositoryOf(t *testing.T, name string) *repository {
	t.Helper()
	r := &repository{dir: filepath.Join(t.TempDir(), name), replay: filepath.Join(programs(t), "replay"), workflow: filepath.Join(".github", "workflows", "prefect.yml")}
	if err := os.CopyFS(r.dir, os.DirFS(filepath.Join("..", "..", "testdata", name))); err != nil {
		t.Fatal(err)
	}
	r.git(t, "init", "-q", "-b", "main")
	r.commit(t, "one")
	return r
}

func (r *repository) git(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command("git", append([]string{"-c", "user.name=Test", "-c", "user.email=test@example.com"}, args...)...)
	c.Dir = r.dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits all there is and gives its name.
func (r *repository) commit(t *testing.T, message string) string {
	t.Helper()
	r.git(t, "add", "-A")
	r.git(t, "commit", "-q", "--allow-empty", "-m", message)
	return r.git(t, "rev-parse", "HEAD")
}

// edit replaces text of the workflow, which must be there.
func (r *repository) edit(t *testing.T, old, new string) {
	t.Helper()
	r.editFile(t, r.workflow, old, new)
}

func (r *repository) editFile(t *testing.T, name, old, new string) {
	t.Helper()
	path := filepath.Join(r.dir, name)
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("%q is not in %s: %v", old, name, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run replays the workflow in a process of its own, whose environment is full of what must not get through. payload is a file, or the name of one of testdata.
func (r *repository) run(t *testing.T, event, payload string, s *server, more ...string) (*replay.Result, string) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(payload) {
		payload = filepath.Join(root, "testdata", "action", "events", payload+".json")
	}
	report := filepath.Join(t.TempDir(), "report.json")
	args := append([]string{"--workflow", filepath.Join(r.dir, r.workflow), "-C", r.dir, "--event", event, "--event-path", payload,
		"--action", "org/prefect-deploy-action@v1=" + action(t), "--var", "PREFECT_API_URL=" + s.url, "--report", report}, more...)
	if r.cache != "" {
		args = append(args, "--action", "actions/cache@5a3ec84eff668545956fd18022155c47e93e2684="+r.cache)
	}
	c := exec.Command(r.replay, args...)
	c.Env = append(os.Environ(), "PREFECT_API_URL=http://127.0.0.1:1/api", "PREFECT_API_KEY=of-the-machine", "INPUT_MODE=deploy", "PREFECT_DEPLOY_INPUT_MODE=deploy", "GITHUB_EVENT_NAME=push")
	out, err := c.CombinedOutput()
	data, missing := os.ReadFile(report)
	if missing != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var result replay.Result
	if err := json.Unmarshal(data, &result); err != nil {
		t.Fatal(err)
	}
	if (err != nil) != result.Failed() {
		t.Errorf("exit %v, jobs %v", err, result.Jobs)
	}
	if strings.Contains(string(out), "of-the-machine") {
		t.Error("the machine's own login got through")
	}
	return &result, string(out)
}

func output(r *replay.Result, name string) string {
	v := ""
	for _, o := range r.Outputs {
		if o.Name == name {
			v = o.Value
		}
	}
	return v
}

func TestTheWorkflowOfTheQuickstart(t *testing.T) {
	s := prefectServer(t)
	r := newRepository(t)

	t.Run("a pull request is planned and writes nothing", func(t *testing.T) {
		result, log := r.run(t, "pull_request", "pull_request_opened", s)
		summary := strings.Join(result.Summaries, "\n")
		if result.Failed() || output(result, "result") != "planned" || output(result, "create") != "3" {
			t.Fatalf("%+v\n%s", result.Outputs, log)
		}
		for _, name := range []string{"greet/hourly", "greet/on-demand", "daily-report/nightly"} {
			if !strings.Contains(summary, name) {
				t.Errorf("%s is not in the summary:\n%s", name, summary)
			}
		}
		writes, all := s.take()
		if len(writes) > 0 || all == 0 || len(s.deployments(t)) > 0 {
			t.Errorf("%d requests, of which writes: %v", all, writes)
		}
	})

	r.cache = cacheWithProgram(t)
	// What steps give reaches later steps of the job, by the way that README shows.
	r.edit(t, "- uses: org/prefect-deploy-action@v1", "- id: deploy\n        uses: org/prefect-deploy-action@v1")
	r.edit(t, "all-deployments: true\n", `all-deployments: true
      - if: github.event_name == 'push'
        shell: bash
        env:
          RELEASE: ${{ fromJSON(steps.deploy.outputs.steps)['get-release'].stdout }}
          NAMES: ${{ join(fromJSON(steps.deploy.outputs.deployments).*.deployment, ' ') }}
          PLAN: ${{ steps.deploy.outputs.plan }}
        run: |
          test "$RELEASE" = 2026.11
          test "$NAMES" = "greet/hourly greet/on-demand daily-report/nightly"
          grep -q '"schema": 1' "$PLAN"
`)
	r.commit(t, "use the outputs")

	t.Run("a push registers", func(t *testing.T) {
		result, log := r.run(t, "push", "push_main", s)
		if result.Failed() || output(result, "result") != "applied" {
			t.Fatalf("%+v\n%s", result.Outputs, log)
		}
		list := s.deployments(t)
		if len(list) != 3 {
			t.Fatalf("%d deployments are registered\n%s", len(list), log)
		}
		hourly := list[0]
		if hourly.Name != "hourly" || hourly.WorkPoolName != "my-docker-pool" || strings.Join(hourly.Tags, " ") != "quickstart release-2026.11" ||
			hourly.JobVariables["image"] != "registry.example.com/quickstart:2026.11" || len(hourly.Schedules) != 1 || hourly.Schedules[0].Schedule["timezone"] != "Europe/Berlin" {
			t.Errorf("registered: %+v", hourly)
		}
		if writes, _ := s.take(); len(writes) == 0 {
			t.Error("no write passed the proxy, so it counts nothing")
		}
	})

	t.Run("a push of the same, a commit later, writes nothing", func(t *testing.T) {
		before := fmt.Sprint(s.deployments(t))
		r.commit(t, "nothing new")
		result, log := r.run(t, "push", "push_main", s)
		writes, all := s.take()
		if result.Failed() || output(result, "unchanged") != "3" || output(result, "changed") != "false" || len(writes) > 0 || all == 0 {
			t.Errorf("%d requests, of which writes: %v; %+v\n%s", all, writes, result.Outputs, log)
		}
		if after := fmt.Sprint(s.deployments(t)); after != before {
			t.Errorf("the server changed:\n%s\n%s", before, after)
		}
	})

	t.Run("pull_request_target is refused before anything is asked", func(t *testing.T) {
		r.edit(t, "pull_request:", "pull_request_target:")
		result, log := r.run(t, "pull_request_target", "pull_request_target_fork", s, "--secret", "PREFECT_API_KEY=a-secret-key")
		if _, all := s.take(); !result.Failed() || all > 0 || output(result, "result") != "failed" {
			t.Errorf("%d requests; %+v\n%s", all, result.Jobs, log)
		}
		if len(result.Annotations) != 1 || !strings.Contains(result.Annotations[0].Text, "mode: plan") || strings.Contains(log, "a-secret-key") {
			t.Errorf("annotations %+v\n%s", result.Annotations, log)
		}
	})
}

// TestOwnWorkflow: the workflow of this repository that `compile github` made of testdata/dogfood, with the action as it stands here: it is built from the sources of the checkout in each job.
func TestOwnWorkflow(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	r := &repository{dir: filepath.Join(t.TempDir(), "action"), replay: filepath.Join(t.TempDir(), "replay"), workflow: filepath.Join(".github", "workflows", "quickstart.yml")}
	for _, part := range []string{"action.yml", "go.mod", "go.sum", "cmd", "compiler", "runner", ".github", "testdata/dogfood"} {
		if err := copyAll(filepath.Join(r.dir, part), filepath.Join(root, part)); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("go", "build", "-o", r.replay, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r.git(t, "init", "-q", "-b", "main")
	r.commit(t, "one")
	nowhere := &server{url: "http://127.0.0.1:1/api"}
	for _, c := range []struct{ event, payload, want string }{
		{"pull_request", "pull_request_opened", "rebuild greet/hourly planned, create greet/on-demand planned, create daily-report/nightly planned"},
		{"push", "push_main", "unchanged greet/hourly applied, create greet/on-demand applied, create daily-report/nightly applied"},
	} {
		result, log := r.run(t, c.event, c.payload, nowhere)
		var said []string
		for _, d := range result.Deployments() {
			said = append(said, d.Action+" "+d.Deployment+" "+d.Outcome)
		}
		if got := strings.Join(said, ", "); result.Failed() || got != c.want {
			t.Errorf("%s: %s\n%+v\n%s", c.event, got, result.Jobs, log)
		}
	}
}

// copyAll copies a file or a directory.
func copyAll(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
