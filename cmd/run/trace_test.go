package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// TestDebugShowsEachRequest: against a server that refuses, so that the requests are few and known.
func TestDebugShowsEachRequest(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"detail": "no"}`, http.StatusForbidden) }))
	defer server.Close()
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "deployments:\n  - {name: only, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"})
	env := map[string]string{"PREFECT_API_URL": server.URL + "/api", "PREFECT_API_KEY": "key-canary"}
	code, out, stderr := command(t, env, "plan", "--all", "-C", dir, "--debug")
	if code != 1 || strings.Contains(out, "debug") || strings.Contains(stderr, "canary") || !regexp.MustCompile(`(?m)^debug: 1 (GET|POST) /api/\S+ 403 in \d+ ms$`).MatchString(stderr) {
		t.Errorf("exit %d\n%s\n%s", code, out, stderr)
	}
	if _, _, stderr = command(t, env, "plan", "--all", "-C", dir); strings.Contains(stderr, "debug:") {
		t.Errorf("without the flag:\n%s", stderr)
	}
	server.Close()
	if code, _, stderr = command(t, env, "plan", "--all", "-C", dir, "--debug"); code != 1 || !strings.Contains(stderr, " no answer in ") || !strings.Contains(stderr, "; again in ") {
		t.Errorf("nobody answers: exit %d\n%s", code, stderr)
	}
}
