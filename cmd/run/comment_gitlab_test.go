// `run comment` in a job of GitLab's, against a small GitLab: a note where one can be written, else one notice, and never a failure because of it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

const labToken = "glpat-canary"

// gitLab has one merge request without notes.
type gitLab struct {
	refuse bool
	notes  []string
}

func (g *gitLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	const mr = "/api/v4/projects/12/merge_requests/7"
	switch path := r.URL.Path; {
	case r.Header.Get("Private-Token") != labToken:
		answer(401, map[string]any{"message": "401 Unauthorized"})
	case g.refuse && r.Method != http.MethodGet:
		answer(403, map[string]any{"message": "403 Forbidden " + labToken})
	case path == "/api/v4/user":
		answer(200, map[string]any{"id": 42})
	case path == mr:
		answer(200, map[string]any{"iid": 7, "sha": strings.Repeat("a", 40), "state": "opened", "web_url": "https://gitlab.example.com/acme/flows/-/merge_requests/7"})
	case path == mr+"/notes" && r.Method == http.MethodGet:
		list := []any{}
		for i, body := range g.notes {
			list = append(list, map[string]any{"id": 99 + i, "body": body, "author": map[string]any{"id": 42}})
		}
		answer(200, list)
	case path == mr+"/notes/99" && r.Method == http.MethodPut:
		var in struct{ Body string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		g.notes[0] = in.Body
		answer(200, map[string]any{"id": 99})
	case path == "/api/v4/projects/12/repository/compare":
		answer(200, map[string]any{"commits": []any{map[string]any{"id": "c1"}}})
	case path == "/api/v4/projects/12/repository/commits/c1/merge_requests":
		answer(200, []any{map[string]any{"iid": 7, "state": "merged", "target_branch": "main"}})
	case path == mr+"/notes":
		var in struct{ Body string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		g.notes = append(g.notes, in.Body)
		answer(201, map[string]any{"id": 99, "body": in.Body, "author": map[string]any{"id": 42}})
	default:
		answer(404, map[string]any{"message": "404 Not Found"})
	}
}

// A deploy's result stands in the note of the merge request that it brought, under the plan that was reviewed.
func TestTheNoteSaysHowTheDeployWent(t *testing.T) {
	g := &gitLab{}
	server := httptest.NewServer(g)
	defer server.Close()
	dir := t.TempDir()
	file, state := filepath.Join(dir, "file.json"), "file:"+filepath.Join(dir, "state.json")
	env := map[string]string{"CI_API_V4_URL": server.URL + "/api/v4", "CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": strings.Repeat("a", 40), "CI_PROJECT_URL": "https://gitlab.example.com/acme/flows", "CI_PIPELINE_ID": "5", "CI_JOB_ID": "55",
		"CI_JOB_URL": "https://gitlab.example.com/acme/flows/-/jobs/55", "GITLAB_TOKEN": labToken}
	comment := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if code := run(context.Background(), cli.World{Args: append([]string{"comment"}, args...), Stdout: &out, Stderr: &out, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}); code != want {
			t.Fatalf("exit %d\n%s", code, &out)
		}
		return out.String()
	}
	must(t, "plan", "--all", "-C", quickstart(), "--state", state, "--json", file)
	comment(0, "--plan", file)
	comment(64, "--plan", file, "--result", file)
	must(t, "deploy", "--all", "-C", quickstart(), "--state", state, "--json", file)
	env["CI_MERGE_REQUEST_IID"], env["CI_COMMIT_BRANCH"], env["CI_COMMIT_BEFORE_SHA"], env["CI_PIPELINE_ID"] = "", "main", strings.Repeat("b", 40), "6"
	if out := comment(0, "--result", file); out != "" || len(g.notes) != 1 || !strings.Contains(g.notes[0], "3 to create") || !strings.Contains(g.notes[0], "3 created") {
		t.Errorf("%s\n%q", out, g.notes)
	}
	env["GITLAB_TOKEN"] = ""
	if out := comment(0, "--result", file); strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "notice: no note was written") {
		t.Errorf("%q", out)
	}
}

func TestANoteOnAMergeRequest(t *testing.T) {
	dir := t.TempDir()
	plan := filepath.Join(dir, "plan.json")
	must(t, "plan", "--all", "-C", quickstart(), "--state", "file:"+filepath.Join(dir, "state.json"), "--json", plan)
	for name, c := range map[string]struct {
		env    map[string]string
		refuse bool
		code   int
		stdout string
		stderr string
	}{
		"written":         {env: map[string]string{"GITLAB_TOKEN": labToken}, stdout: "https://gitlab.example.com/acme/flows/-/merge_requests/7#note_99\n"},
		"our own token":   {env: map[string]string{"GITLAB_TOKEN": "another", "PREFECT_DEPLOY_GITLAB_TOKEN": labToken}, stdout: "https://gitlab.example.com/acme/flows/-/merge_requests/7#note_99\n"},
		"the job's token": {env: map[string]string{"CI_JOB_TOKEN": labToken}, stderr: "GITLAB_TOKEN"},
		"a wrong one":     {env: map[string]string{"GITLAB_TOKEN": "wrong"}, stderr: "wrong or has expired"},
		"refused":         {env: map[string]string{"GITLAB_TOKEN": labToken}, refuse: true, stderr: "scope api"},
		"no request":      {env: map[string]string{"GITLAB_TOKEN": labToken, "CI_MERGE_REQUEST_IID": ""}, code: 64, stderr: "--pull-request"},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gitLab{refuse: c.refuse}
			server := httptest.NewServer(g)
			defer server.Close()
			env := map[string]string{"CI_API_V4_URL": server.URL + "/api/v4", "CI_PROJECT_ID": "13", "CI_MERGE_REQUEST_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": strings.Repeat("b", 40),
				"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": strings.Repeat("a", 40), "CI_PROJECT_URL": "https://gitlab.example.com/acme/flows", "CI_PIPELINE_ID": "5", "CI_JOB_ID": "55", "CI_JOB_URL": "https://gitlab.example.com/acme/flows/-/jobs/55"}
			for k, v := range c.env {
				env[k] = v
			}
			var out, err bytes.Buffer
			code := run(context.Background(), cli.World{Args: []string{"comment", "--plan", plan, "-C", "sub", "--environment", "production"}, Stdout: &out, Stderr: &err, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
			if code != c.code || out.String() != c.stdout || !strings.Contains(err.String(), c.stderr) || (c.stderr == "") != (err.Len() == 0) || strings.Contains(err.String(), labToken) {
				t.Fatalf("exit %d\n%s%s", code, &out, &err)
			}
			if c.code == 0 && c.stderr != "" && (strings.Count(err.String(), "\n") > 2 || !strings.HasPrefix(err.String(), "notice: no note was written")) {
				t.Errorf("not one notice: %q", &err)
			}
			if c.stdout != "" && (len(g.notes) != 1 || !strings.Contains(g.notes[0], `"key":"sub/prefect.yaml#production"`) || !strings.Contains(g.notes[0], "https://gitlab.example.com/acme/flows/-/blob/"+strings.Repeat("a", 40)+"/sub/prefect.yaml")) {
				t.Errorf("%q", g.notes)
			}
		})
	}
}
