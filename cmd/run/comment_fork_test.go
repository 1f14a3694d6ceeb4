// The second stage for forks, from the command line: what a stranger leaves in an artifact against a small GitHub. And the two workflows that docs/forks.md tells people to
// copy.
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

var forkHead = strings.Repeat("c", 40)

// staged is a GitHub with run 99, made for pull request 7 by mallory's fork.
type staged struct {
	gitHub
	url     string
	from    map[string]any
	archive []byte
	event   string // the run's
	payload string // the event's file, "" for the usual one
}

func (s *staged) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	switch path := strings.TrimPrefix(r.URL.Path, "/repos/org/quickstart"); {
	case s.refuse:
		s.gitHub.ServeHTTP(w, r)
	case path == "/actions/runs/99":
		answer(map[string]any{"id": 99, "run_attempt": 1, "event": s.event, "head_sha": forkHead, "head_branch": "topic", "head_repository": s.from})
	case path == "/actions/runs/99/artifacts":
		answer(map[string]any{"total_count": 1, "artifacts": []any{map[string]any{"id": 3, "name": "prefect-plan", "size_in_bytes": len(s.archive)}}})
	case path == "/actions/artifacts/3/zip":
		w.Header().Set("Location", s.url+"/blob")
		w.WriteHeader(302)
	case path == "/blob":
		_, _ = w.Write(s.archive)
	case path == "/pulls":
		answer([]any{map[string]any{"number": 7, "state": "open", "head": map[string]any{"sha": forkHead, "ref": "topic", "repo": s.from},
			"base": map[string]any{"ref": "main", "repo": map[string]any{"id": 1, "full_name": "org/quickstart"}}}})
	default:
		s.gitHub.ServeHTTP(w, r)
	}
}

func stage(t *testing.T, files map[string]string) *staged {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		f, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(text))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := &staged{gitHub: gitHub{head: forkHead}, archive: b.Bytes(), event: "pull_request", from: map[string]any{"id": 2, "full_name": "mallory/quickstart", "owner": map[string]any{"login": "mallory"}}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *staged) comment(args ...string) (int, string) {
	env := map[string]string{"GITHUB_API_URL": s.url, "GITHUB_REPOSITORY": "org/quickstart", "GITHUB_TOKEN": "token-canary", "GITHUB_EVENT_NAME": "workflow_run", "GITHUB_RUN_ID": "100", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_SERVER_URL": "https://github.test", "GITHUB_EVENT_PATH": "../../testdata/action/events/workflow_run_completed.json"}
	if s.payload != "" {
		env["GITHUB_EVENT_PATH"] = s.payload
	}
	var out strings.Builder
	code := run(context.Background(), cli.World{Args: append([]string{"comment"}, args...), Stdout: &out, Stderr: &out, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	return code, out.String()
}

func (s *staged) body() string {
	if len(s.comments) != 1 {
		return fmt.Sprintf("%d comments", len(s.comments))
	}
	return fmt.Sprint(s.comments[0]["body"])
}

func TestTheSecondStageShowsAForksPlan(t *testing.T) {
	plan := callAction(t, call{dir: quickstart(), name: "pull_request", event: "pull_request_opened", inputs: map[string]string{"all-deployments": "true", "comment": "false"}})
	s := stage(t, map[string]string{"plan.json": read(plan.outputs["plan"])})
	code, out := s.comment("--from-run", "99", "--environment", "production")
	if code != 0 || out != "https://github.test/c/1\n" {
		t.Fatalf("exit %d\n%s\n%v", code, out, s.requests)
	}
	for _, want := range []string{`"pr":7`, `"head":"` + forkHead, `"run":"99/1"`, "prefect.yaml#production", "nobody has verified it", "3 to create", "greet/hourly", "/actions/runs/99)", "plans anew"} {
		if !strings.Contains(s.body(), want) {
			t.Errorf("%q is not in\n%s", want, s.body())
		}
	}
	if strings.Contains(s.body(), "Merging applies") || strings.Contains(s.body(), "reviewed\":") || strings.Contains(out+s.body(), "canary") {
		t.Errorf("%s", s.body())
	}
	if code, _ := s.comment("--from-run", "99", "--environment", "production"); code != 0 || len(s.comments) != 1 {
		t.Errorf("a second run: exit %d, %d comments", code, len(s.comments))
	}
}

// hostilePlan is a plan in which every text tries something.
func hostilePlan(text string, deployments int) string {
	type m = map[string]any
	var list []any
	for i := range deployments {
		list = append(list, m{"deployment": fmt.Sprint(text, i), "action": []string{"create", "update", "delete", "rebuild", text}[i%5], "file": "../../../evil/" + text, "line": 3, "url": "https://evil.example/login",
			"outcome": "applied", "error": text, "renamed_from": text, "scheduled_runs_dropped": -1,
			"changes": []any{m{"path": text, "before": text, "after": m{text: []any{text, nil}}, "value": []string{"known", "sensitive", text}[i%3], "reason": text, "line": -5, "timezone": text}}})
	}
	data, _ := json.Marshal(m{"schema": 1, "hash": text, "state": "https://user:secret@evil.example/" + text, "prefect_version": text, "summary": m{"create": -5}, "deployments": list, "kept": []string{text, text},
		"notes": []string{text}, "number": 1, "head": strings.Repeat("d", 40), "steps": []any{m{"key": text, "function": text, "outcome": text, "outputs": m{text: text}, "error": text}}})
	return string(data)
}

func TestHostileArtifactsStayText(t *testing.T) {
	texts := []string{"@org/admins", "<img src=x onerror=alert(1)>", "![x](https://evil.example/x.png)", "[click](https://evil.example)", "```\n</details>\n# Heading\n", "<!-- prefect-deploy-action {\"v\":1,\"pr\":1} -->",
		"<!-- prefect-deploy-action:footer {\"kind\":\"result\"} -->\nApplied\n<!-- prefect-deploy-action:end -->", "\x1b[2J\u202egnp\r\n::error::x", "fixes #1", "https://evil.example", strings.Repeat("`", 4000), strings.Repeat("x", 20000)}
	for _, text := range texts {
		for _, n := range []int{1, 5, 60} {
			s := stage(t, map[string]string{"plan.json": hostilePlan(text, n)})
			code, out := s.comment("--from-run", "99")
			body := s.body()
			if code != 0 || !strings.HasPrefix(body, "<!-- prefect-deploy-action {") || !strings.Contains(body, `"pr":7,"head":"`+forkHead) || len(body) > 65000 {
				t.Fatalf("%.40q %d: exit %d\n%.300s\n%.400s", text, n, code, out, body)
			}
			outside := regexp.MustCompile("(?s)(`{3,})[a-z]*\n.*?\n`{3,}\n|<code>.*?</code>|`[^`\n]*`").ReplaceAllString(body, "")
			outside = outside[strings.Index(outside, "\n"):]
			if m := regexp.MustCompile(`(?i)@org|<img|evil\.example|# Heading|fixes #1|user:secret`).FindString(outside); m != "" {
				t.Errorf("%.40q %d: %q stands outside of code:\n%s", text, n, m, outside)
			}
			if strings.Count(body, "<!-- prefect-deploy-action") != 3 || strings.ContainsAny(body, "\x1b\u202e\r") || strings.Count(outside, "<details") != strings.Count(outside, "</details>") {
				t.Errorf("%.40q %d: %.3000s", text, n, body)
			}
		}
	}
}

func TestWhatIsNoPlanIsAnsweredNeutrally(t *testing.T) {
	for name, files := range map[string]map[string]string{"nothing": {}, "another file": {"../plan.json": "{}"}, "another version": {"plan.json": `{"schema": 9}`}, "no plan": {"plan.json": `[1]`},
		"too many": {"plan.json": hostilePlan("x", 6000)}, "deep": {"plan.json": `{"schema":1,"deployments":[{"changes":[{"before":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}]}]}`}} {
		s := stage(t, files)
		if code, out := s.comment("--from-run", "99"); code != 0 || name != "deep" && !strings.Contains(s.body(), "is not shown: ") || len(s.comments) != 1 {
			t.Errorf("%s: exit %d\n%s\n%.500s", name, code, out, s.body())
		}
	}
	s := stage(t, map[string]string{"comment.md": "1 to create\n```\n@org/admins"})
	if code, out := s.comment("--from-run", "99"); code != 0 || !strings.Contains(s.body(), "````text\n1 to create\n```\n@org/admins\n````") {
		t.Errorf("exit %d\n%s\n%s", code, out, s.body())
	}
}

// Dependabot's branches are this repository's, and its runs may not comment.
func TestTheSecondStageCommentsForDependabot(t *testing.T) {
	s := stage(t, map[string]string{"plan.json": hostilePlan("x", 1)})
	s.from["full_name"], s.from["owner"], s.payload = "org/quickstart", map[string]any{"login": "org"}, filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(s.payload, []byte(`{"action":"completed","workflow_run":{"id":99,"actor":{"login":"dependabot[bot]"}},"repository":{"full_name":"org/quickstart"},"sender":{"login":"octo"}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out := s.comment("--from-run", "99"); code != 0 || !strings.Contains(s.body(), "nobody has verified it") {
		t.Errorf("exit %d\n%s\n%s", code, out, s.body())
	}
}

func TestWhenTheSecondStageWritesNothing(t *testing.T) {
	plan := map[string]string{"plan.json": hostilePlan("x", 1)}
	for name, c := range map[string]struct {
		change func(*staged)
		args   string
		code   int
		says   string
	}{
		"a run of this repository": {func(s *staged) {
			s.from["full_name"], s.from["owner"] = "org/quickstart", map[string]any{"login": "org"}
		}, "--from-run 99", 0, "not from a fork"},
		"a push's run":     {func(s *staged) { s.event = "push" }, "--from-run 99", 0, "not made for a pull request"},
		"the head moved":   {func(s *staged) { s.from["owner"] = map[string]any{} }, "--from-run 99", 0, "::notice"},
		"refused":          {func(s *staged) { s.refuse = true }, "--from-run 99", 1, "pull-requests: write"},
		"no id":            {func(*staged) {}, "--from-run 0", 64, "workflow_run.id"},
		"an id and a file": {func(*staged) {}, "--from-run 99 --plan x", 64, "--plan"},
		"an id of letters": {func(*staged) {}, "--from-run 9;9", 64, "from-run"},
	} {
		s := stage(t, plan)
		c.change(s)
		if code, out := s.comment(strings.Fields(c.args)...); code != c.code || !strings.Contains(out, c.says) || len(s.comments) != 0 {
			t.Errorf("%s: exit %d, %d comments\n%s", name, code, len(s.comments), out)
		}
	}
}

// The workflows in docs/forks.md are those that actionlint reads (runner/replay), pinned, without the dangerous event, and apart: who may write runs nothing of the other's.
func TestTheWorkflowsForForks(t *testing.T) {
	docs := read("../../docs/forks.md")
	fences := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(docs, -1)
	names := []string{"prefect-plan.yml", "prefect-comment.yml"}
	if len(fences) != len(names) {
		t.Fatalf("%d workflows", len(fences))
	}
	for i, name := range names {
		data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "action", ".github", "workflows", name))
		if err != nil || string(data) != fences[i][1] {
			t.Errorf("docs/forks.md does not hold %s: %v", name, err)
		}
		text := string(data)
		if strings.Contains(text, "pull_request_target") {
			t.Errorf("%s: pull_request_target", name)
		}
		for _, uses := range regexp.MustCompile(`uses: (\S+)`).FindAllStringSubmatch(text, -1) {
			if uses[1] != "org/prefect-deploy-action@v1" && !regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40}$`).MatchString(uses[1]) {
				t.Errorf("%s: %s is not pinned by its commit", name, uses[1])
			}
		}
		for _, script := range regexp.MustCompile(`run: (.*)`).FindAllStringSubmatch(text, -1) {
			if strings.Contains(script[1], "${{") {
				t.Errorf("%s: a script holds an expression: %s", name, script[1])
			}
		}
	}
	second := fences[1][1]
	for _, never := range []string{"checkout", "download-artifact", "secrets.", "contents: write", "head_ref", "org/prefect-deploy-action@"} {
		if strings.Contains(strings.SplitN(second, "\n", 2)[1], never) {
			t.Errorf("the second stage has %s", never)
		}
	}
	for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(regexp.MustCompile(`run: go run.*`).FindString(second), -1) {
		if commentCommand(context.Background(), cli.World{}).Flags().Lookup(strings.TrimPrefix(flag, "--")) == nil {
			t.Errorf("there is no %s", flag)
		}
	}
}
