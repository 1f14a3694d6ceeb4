// A pull request's tree that names a server: neither plan nor deploy asks it anything.
package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAProposedServerIsNotAsked(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	tree := project(t, map[string]string{"flow.py": oneFlow, ".env": "PREFECT_API_URL=" + server.URL + "/api\n",
		"prefect.yaml": "deployments: [{name: d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}]\n"})
	proposed := map[string]string{"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "PREFECT_API_KEY": "pnu_canary"}
	for _, words := range [][]string{{"plan", "--all"}, {"deploy", "--all"}, {"prune", "--yes"}} {
		code, stdout, stderr := command(t, proposed, append(words, "-C", tree)...)
		if code != 1 || asked.Load() != 0 || strings.Contains(stdout+stderr, "canary") || !strings.Contains(stderr, "set PREFECT_API_URL in the job") {
			t.Errorf("%v: exit %d, %d requests\n%s%s", words, code, asked.Load(), stdout, stderr)
		}
	}
	proposed["GITHUB_EVENT_NAME"] = "push"
	if code, stdout, stderr := command(t, proposed, "plan", "--all", "--retries", "0", "-C", tree); asked.Load() == 0 {
		t.Errorf("a push: exit %d, and its own server is not asked\n%s%s", code, stdout, stderr)
	}
}

// TestAProposedProfileIsNotTaken: where the job names a place for Prefect's settings that lies in its checkout, what stands there is the proposal's, also by way of a link.
func TestAProposedProfileIsNotTaken(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	profiles := "active = \"x\"\n[profiles.x]\nPREFECT_API_URL = \"" + server.URL + "/api\"\n"
	tree := project(t, map[string]string{"flow.py": oneFlow, ".prefect/profiles.toml": profiles, ".git/HEAD": "",
		"a/prefect.yaml": "deployments: [{name: d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}]\n", "a/flow.py": oneFlow})
	outside := t.TempDir()
	if err := os.Symlink(filepath.Join(tree, ".prefect"), filepath.Join(outside, "link")); err != nil {
		t.Fatal(err)
	}
	for _, at := range []map[string]string{{"PREFECT_HOME": "../.prefect"}, {"PREFECT_HOME": filepath.Join(tree, ".prefect")}, {"HOME": tree, "PREFECT_HOME": ""}, {"PREFECT_PROFILES_PATH": "../.prefect/profiles.toml"}, {"PREFECT_HOME": filepath.Join(outside, "link")}} {
		asked.Store(0)
		env := map[string]string{"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "PREFECT_API_KEY": "pnu_canary"}
		maps.Copy(env, at)
		code, stdout, stderr := command(t, env, "plan", "--all", "-C", filepath.Join(tree, "a"))
		if code != 1 || asked.Load() != 0 || strings.Contains(stdout+stderr, "canary") || !strings.Contains(stderr, "set PREFECT_API_URL in the job") {
			t.Errorf("%v: exit %d, %d requests\n%s%s", at, code, asked.Load(), stdout, stderr)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "profiles.toml"), []byte(profiles), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "PREFECT_HOME": outside}
	if code, stdout, stderr := command(t, env, "plan", "--all", "--retries", "0", "-C", filepath.Join(tree, "a")); asked.Load() == 0 {
		t.Errorf("the job's own profile: exit %d, and its server is not asked\n%s%s", code, stdout, stderr)
	}
}
