// A pull request's tree that names a server: neither plan nor deploy asks it anything.
package main

import (
	"net/http"
	"net/http/httptest"
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
