// What a pull request shows beside its lines, and the SARIF file.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// planned deploys the one file and calls the action for a pull request that holds the other.
func planned(t *testing.T, before, after string, inputs map[string]string) called {
	t.Helper()
	root := project(t, map[string]string{"team a/flow.py": oneFlow, "team a/prefect.yaml": before})
	dir, state := filepath.Join(root, "team a"), filepath.Join(t.TempDir(), "state.json")
	all := map[string]string{"all-deployments": "true", "comment": "false"}
	for k, v := range inputs {
		all[k] = v
	}
	if r := callAction(t, call{dir: dir, name: "push", event: "push_main", ref: "refs/heads/main", state: state, inputs: all}); r.code != 0 || strings.Contains(r.log, "Prefect plan::") {
		t.Fatalf("exit %d\n%s", r.code, r.log)
	}
	if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(after), 0o644); err != nil {
		t.Fatal(err)
	}
	return callAction(t, call{dir: dir, name: "pull_request", event: "pull_request_opened", state: state, inputs: all})
}

func notices(log string) []string {
	return regexp.MustCompile(`(?m)^::notice .*$`).FindAllString(log, -1)
}

const scheduled = `pull: []
deployments:
  - name: a
    entrypoint: flow.py:hello
    work_pool:
      name: p
      job_variables: {env: {TOKEN: "{{ $TOKEN }}x"}}
    parameters: {n: 1}
    schedules:
      - {cron: "0 0 * * *", slug: s}
`

func TestChangedLinesAreAnnotated(t *testing.T) {
	after := strings.NewReplacer("0 0 *", "0 6 *", "{n: 1}", "{n: 2}", "}}x", "}}y").Replace(scheduled) + "  - {name: b, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"
	r := planned(t, scheduled, after, nil)
	got := strings.Join(notices(r.log), "\n")
	for _, want := range []string{
		`::notice file=team a/prefect.yaml,line=11,title=Prefect plan::hello/b: is new and will be created`,
		`::notice file=team a/prefect.yaml,line=8,title=Prefect plan::hello/a: parameters.n: 1 → 2`,
		`::notice file=team a/prefect.yaml,line=10,title=Prefect plan::hello/a: schedules[0].cron: "0 0 * * *" → "0 6 * * *"`,
	} {
		if !strings.Contains(got+"\n", want+"\n") {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
	if !strings.HasPrefix(got, "::notice file=team a/prefect.yaml,line=11,") {
		t.Errorf("what is created does not come first:\n%s", got)
	}
}

func TestSensitiveValuesAreInNoAnnotation(t *testing.T) {
	root := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": scheduled})
	state := filepath.Join(t.TempDir(), "state.json")
	env := func(v string) map[string]string { return map[string]string{"TOKEN": v} }
	all := map[string]string{"all-deployments": "true", "comment": "false"}
	callAction(t, call{dir: root, name: "push", event: "push_main", ref: "refs/heads/main", state: state, inputs: all, env: env("canary-before")})
	r := callAction(t, call{dir: root, name: "pull_request", event: "pull_request_opened", state: state, inputs: all, env: env("canary-after")})
	got := strings.Join(notices(r.log), "\n")
	if !strings.Contains(got, "line=7,title=Prefect plan::hello/a: job_variables.env.TOKEN: another (sensitive) value") || strings.Contains(r.log+r.summary+read(r.outputs["sarif"]), "canary") {
		t.Errorf("%s\n%s", got, r.log)
	}
}

func TestManyChangesKeepToGitHubsBounds(t *testing.T) {
	file := func(cron string, n int) string {
		var b strings.Builder
		b.WriteString("pull: []\ndeployments:\n")
		for i := range n {
			fmt.Fprintf(&b, "  - name: d%d\n    entrypoint: flow.py:hello\n    work_pool: {name: p}\n    schedules: [{cron: \"%s\", slug: s}]\n", i, cron)
		}
		return b.String()
	}
	r := planned(t, file("0 0 * * *", 40), file("0 6 * * *", 39), map[string]string{"prune": "true"})
	got := notices(r.log)
	if len(got) > 10 || len(got) < 9 || !strings.HasPrefix(got[0], "::notice file=team a/prefect.yaml,line=1,title=Prefect plan::hello/d39: is no longer declared and will be deleted") {
		t.Fatalf("%d\n%s\n%s", len(got), strings.Join(got, "\n"), r.log)
	}
	if last := got[len(got)-1]; !strings.Contains(last, fmt.Sprintf("::%d more", 40-(len(got)-1))) {
		t.Errorf("the rest is not counted: %s", last)
	}
}

func TestHostileNamesInAnnotations(t *testing.T) {
	name := func(s string) string {
		data, _ := json.Marshal(s)
		return "pull: []\ndeployments:\n  - {name: " + string(data) + ", entrypoint: \"flow.py:hello\", work_pool: {name: p}, tags: [" + string(data) + "]}\n"
	}
	for _, s := range []string{"a\n::error::x", "a\r\n::set-output name=result::applied", "##[error]x", "\u001b[2J\u202egnp", "a,line=9::x", "@org [x](evil.example)"} {
		r := planned(t, name("before"), name(s), nil)
		for _, line := range strings.Split(r.log, "\n") {
			if strings.HasPrefix(line, "::") && !regexp.MustCompile(`^::(notice|warning) [^\x1b\r\x{202e}]*$|^::(add-mask|stop-commands|group|endgroup|[0-9a-f]{32}::)`).MatchString(line) {
				t.Errorf("%q gives the command %q", s, line)
			}
		}
		if r.outputs["result"] != "planned" || len(notices(r.log)) == 0 {
			t.Errorf("%q: %v\n%s", s, r.outputs, r.log)
		}
	}
}

func TestOnlyPullRequestsAnnotateChanges(t *testing.T) {
	for _, c := range []call{{name: "push", event: "push_branch", ref: "refs/heads/topic"}, {name: "merge_group", event: "merge_group_checks_requested"}} {
		c.dir, c.inputs = quickstart(), map[string]string{"all-deployments": "true"}
		if r := callAction(t, c); r.code != 0 || strings.Contains(r.log, "title=Prefect plan") || r.outputs["result"] != "planned" {
			t.Errorf("%s: exit %d\n%s", c.name, r.code, r.log)
		}
	}
}

func TestTheSARIFFile(t *testing.T) {
	results := func(r called) (uris []string) {
		t.Helper()
		var log struct {
			Runs []struct {
				Results []struct {
					Locations []struct {
						PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(read(r.outputs["sarif"])), &log); err != nil || filepath.Dir(r.outputs["sarif"]) != r.temp {
			t.Fatalf("%q: %v\n%s", r.outputs["sarif"], err, r.log)
		}
		uris = []string{}
		for _, x := range log.Runs[0].Results {
			uris = append(uris, x.Locations[0].PhysicalLocation.ArtifactLocation.URI)
		}
		return uris
	}
	bad := project(t, map[string]string{"team a/flow.py": oneFlow, "team a/prefect.yaml": "pull: []\ndeployments:\n  - name: only\n    entrypoint: flow.py:helo\n    work_pool: {name: p}\n"})
	for _, mode := range []string{"plan", "deploy", "check"} {
		r := callAction(t, call{dir: filepath.Join(bad, "team a"), name: "push", event: "push_main", inputs: map[string]string{"mode": mode, "all-deployments": "true"}})
		if got := results(r); len(got) != 1 || got[0] != "team%20a/prefect.yaml" {
			t.Errorf("%s: %v", mode, got)
		}
		if n := strings.Count(r.log, "::error file="); n != 1 {
			t.Errorf("%s: told %d times\n%s", mode, n, r.log)
		}
	}
	good := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": scheduled})
	if got := results(callAction(t, call{dir: good, name: "pull_request", event: "pull_request_opened", inputs: map[string]string{"mode": "check"}})); len(got) != 0 {
		t.Errorf("%v", got)
	}
	// Where nobody looked, a file without results would close every alert that is open.
	if r := callAction(t, call{dir: good, name: "pull_request", event: "pull_request_opened", withoutServer: true, inputs: map[string]string{"mode": "plan"}}); r.code == 0 || r.outputs["sarif"] != "" {
		t.Errorf("exit %d, %q", r.code, r.outputs["sarif"])
	}
}
