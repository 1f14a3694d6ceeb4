//go:build real

// What goes over the wire. Each write of a deployment deletes its scheduled runs, so what is unchanged must not be written at all.
package conformance

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
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// wire stands before a server and remembers what changes anything there.
type wire struct {
	mu     sync.Mutex
	all    int
	writes []string
	// versions holds the version_info that was sent last, by the deployment's id (an update) or by flow id and name (a creation): a server of one's own takes it and
	// does not give it back, so here is the only place to see it.
	versions map[string]any
}

// watch starts the proxy; it ends with the test. The address is that of its API.
func watch(t *testing.T, a api) (*wire, string) {
	t.Helper()
	target, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	target.Path = ""
	w, proxy := &wire{versions: map[string]any{}}, httputil.NewSingleHostReverseProxy(target)
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.note(t, r)
		proxy.ServeHTTP(out, r)
	}))
	t.Cleanup(s.Close)
	return w, s.URL + "/api"
}

// note: a filter, a page and a count are questions, though they are sent by POST.
func (w *wire) note(t *testing.T, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all++
	path := strings.TrimSuffix(r.URL.Path, "/")
	question := r.Method == http.MethodGet || r.Method == http.MethodPost && (strings.HasSuffix(path, "/filter") || strings.HasSuffix(path, "/paginate") || strings.HasSuffix(path, "/count"))
	if !question {
		w.writes = append(w.writes, r.Method+" "+r.URL.Path)
		w.version(t, r)
	}
}

func (w *wire) version(t *testing.T, r *http.Request) {
	key, found := strings.CutPrefix(strings.TrimSuffix(r.URL.Path, "/"), "/api/deployments")
	if !found {
		return
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	var body map[string]any
	if json.Unmarshal(data, &body) != nil || body["version_info"] == nil {
		return
	}
	if key == "" {
		key = "/" + str(body, "flow_id") + "/" + str(body, "name")
	}
	w.versions[key] = body["version_info"]
}

// addVersions puts what was sent of versions to the deployments.
func (w *wire) addVersions(deployments []map[string]any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range deployments {
		for _, key := range []string{"/" + str(d, "flow_id") + "/" + str(d, "name"), "/" + str(d, "id")} {
			if v, ok := w.versions[key]; ok {
				d["version_info"] = v
			}
		}
	}
}

func (w *wire) take() (int, []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all, writes := w.all, w.writes
	w.all, w.writes = 0, nil
	return all, writes
}

// TestSecondDeployWritesNothing deploys each case with all its deployments twice, and once more with a commit in between.
func TestSecondDeployWritesNothing(t *testing.T) {
	for _, c := range cases(t) {
		if c.Rewrites != "" || len(c.Args) == 0 || c.Args[len(c.Args)-1] != "--all" {
			continue
		}
		if c.recording(t).Failed || c.Departs != nil && strings.Contains(strings.Join(c.Departs.Differences, "\n"), "! failed") {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.deployAgain(t) })
	}
}

func (c *testCase) deployAgain(t *testing.T) {
	a := server(t)
	a.reset(t)
	a.seed(t, c.Setup)
	w, address := watch(t, a)
	if c.Git == nil {
		c.Git = &gitSetup{Remote: "https://git.example.com/team/code.git"}
	}
	project := c.layOut(t)
	cmd := command{words: []string{program(t), "deploy"}, path: filepath.Join(venv(t), "bin") + string(os.PathListSeparator) + os.Getenv("PATH"), env: []string{"PREFECT_API_URL=" + address}}
	deploy := func(when string) {
		t.Helper()
		code, output := c.run(t, project, cmd)
		all, writes := w.take()
		switch {
		case code != 0:
			t.Fatalf("%s: exit %d\n%s", when, code, output)
		case all == 0:
			t.Fatalf("%s: nothing came by; the proxy is not asked", when)
		case when == "first" && len(writes) == 0:
			t.Fatalf("%s: nothing was written\n%s", when, output)
		case when != "first" && len(writes) > 0:
			t.Errorf("%s: written again: %v\n%s", when, writes, output)
		}
	}
	deploy("first")
	deploy("second")
	if err := os.WriteFile(filepath.Join(project, "NEWS"), []byte("more\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	g := c.Git.defaults()
	g.run(t, project, "add", "NEWS")
	g.run(t, project, "commit", "-q", "-m", "another commit")
	c.planIsEmpty(t, project, cmd)
	w.take()
	deploy("after a commit")
}

// planIsEmpty: at another commit, without an edit, nothing is to be created, changed or deleted.
func (c *testCase) planIsEmpty(t *testing.T, project string, cmd command) {
	t.Helper()
	file := filepath.Join(filepath.Dir(project), "plan.json")
	cmd.words = []string{program(t), "plan", "--json", file}
	if code, output := c.run(t, project, cmd); code != 0 {
		t.Fatalf("plan after a commit: exit %d\n%s", code, output)
	}
	var p planned
	readJSON(t, file, &p)
	if n := p.Summary["create"] + p.Summary["update"] + p.Summary["delete"]; n > 0 || len(p.Deployments) == 0 {
		t.Errorf("plan after a commit: %v %v", p.Summary, p.paths())
	}
}

// again: behind a deploy a plan has nothing to create, change or delete, at most to rebuild what a step feeds, and a second deploy writes nothing.
func (c *testCase) again(t *testing.T, project string, cmd command, w *wire) (faults []string) {
	t.Helper()
	file := filepath.Join(filepath.Dir(project), "plan.json")
	deploy := cmd
	cmd.words = []string{cmd.words[0], "plan", "--json", file}
	if code, output := c.run(t, project, cmd); code != 0 {
		return []string{fmt.Sprintf("the plan afterwards: exit %d\n%s", code, output)}
	}
	var p planned
	readJSON(t, file, &p)
	changes := p.Summary["create"] + p.Summary["update"] + p.Summary["delete"]
	if changes > 0 || len(p.Deployments) == 0 {
		faults = append(faults, fmt.Sprintf("the plan afterwards: %v %v", p.Summary, p.paths()))
	}
	for _, d := range p.Deployments {
		for _, change := range d.Changes {
			if change.Value != "after-build" && changes == 0 {
				faults = append(faults, fmt.Sprintf("the plan afterwards rebuilds %s, which no step feeds", change.Path))
			}
		}
	}
	w.take()
	if code, output := c.run(t, project, deploy); code != 0 {
		faults = append(faults, fmt.Sprintf("the second deploy: exit %d\n%s", code, output))
	}
	if _, writes := w.take(); len(writes) > 0 && c.Rewrites == "" {
		faults = append(faults, fmt.Sprintf("the second deploy wrote %v", writes))
	}
	return faults
}
