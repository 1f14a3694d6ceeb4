// What a plan's JSON says of new deployments: their fields, the next run times, and no secret; and what becomes of a plan that was reviewed.
package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/report"
)

const fresh = `build:
- prefect.deployments.steps.run_shell_script: {id: get, script: echo 1}
pull: []
deployments:
- name: d
  entrypoint: flow.py:hello
  tags: [a, '{{ get.stdout }}']
  work_pool: {name: p, job_variables: {env: {PW: "{{ $DB_PASSWORD }}", REGION: eu, NONE: "{{ $NONE }}"}}}
  schedules: [{cron: '0 6 * * *', timezone: Europe/Berlin}, {cron: '0 7 * * *', active: false}]
`

type jsonChanges struct {
	Hash        string
	Deployments []struct {
		Changes []struct {
			Path, Value, Reason, Timezone string
			Before, After                 any
			Line                          int
			NextRuns                      []string `json:"next_runs"`
		}
	}
}

func readPlan(t *testing.T, data []byte) jsonChanges {
	t.Helper()
	var got jsonChanges
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestANewDeploymentHasItsFieldsInTheJSON(t *testing.T) {
	s := newScene(t)
	s.env["DB_PASSWORD"] = "s3cret"
	p := s.plan(fresh)
	data := p.JSON()
	var lines []string
	for _, c := range readPlan(t, data).Deployments[0].Changes {
		after, _ := json.Marshal(c.After)
		line := c.Path + " " + c.Value + " " + string(after) + " " + strings.Join(c.NextRuns, " ")
		if c.Reason != "created" || c.Before != nil || c.Line == 0 && c.Path != "description" {
			t.Errorf("%s: reason %q, before %v, line %d", c.Path, c.Reason, c.Before, c.Line)
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	want := `description known "Greets."
entrypoint known "flow.py:hello"
job_variables.env.PW sensitive null
job_variables.env.REGION known "eu"
schedules[0].cron known "0 6 * * *" 2026-05-04T06:00:00+02:00 2026-05-05T06:00:00+02:00 2026-05-06T06:00:00+02:00
schedules[1].cron known "0 7 * * *"
tags after-build null
work_pool_name known "p"`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(string(data), "s3cret") {
		t.Error("the secret is in the plan")
	}
	if again := s.plan(fresh); again.Hash() != p.Hash() || string(again.JSON()) != string(data) {
		t.Error("the same plan has another hash or other bytes")
	}
}

// TestAPlanReadsBack: what is drawn from the JSON is what is drawn from the plan.
func TestAPlanReadsBack(t *testing.T) {
	s := newScene(t)
	s.env["DB_PASSWORD"], s.env["NONE"] = "s3cret", "x"
	p := s.plan(fresh)
	view, err := report.Read(p.JSON())
	if err != nil {
		t.Fatal(err)
	}
	want := report.Of(p)
	for i := range want.Deployments[0].Changes {
		a, b := want.Deployments[0].Changes[i], view.Deployments[0].Changes[i]
		if a.Path != b.Path || a.Value != b.Value || a.Zone != b.Zone || len(a.Next) != len(b.Next) || string(a.After.AppendJSON(nil)) != string(b.After.AppendJSON(nil)) {
			t.Errorf("got %+v, want %+v", b, a)
		}
	}
	if len(view.Deployments[0].Changes) != len(want.Deployments[0].Changes) || !reflect.DeepEqual(view.Notes, append([]string{}, want.Notes...)) {
		t.Errorf("got %+v, want %+v", view, want)
	}
}

// TestAChangedScheduleHasItsNextRuns in the JSON, and what is switched off has none.
func TestAChangedScheduleHasItsNextRuns(t *testing.T) {
	s := newScene(t)
	s.seed(`"version": "1", "schedules": [` + live("a", "0 1 * * *", "") + `]`)
	got := readPlan(t, s.plan(one("  schedules: [{slug: a, cron: '0 2 * * *', timezone: UTC}]\n")).JSON()).Deployments[0].Changes
	if len(got) != 1 || strings.Join(got[0].NextRuns, " ") != "2026-05-05T02:00:00Z 2026-05-06T02:00:00Z 2026-05-07T02:00:00Z" || got[0].Timezone != "UTC" {
		t.Errorf("got %+v", got)
	}
}

// TestAReviewedCreationTellsWhatDiffers, and an older program's plan, which has no fields of it, binds as well.
func TestAReviewedCreationTellsWhatDiffers(t *testing.T) {
	s := newScene(t)
	s.seed(`"tags": []`)
	two := one("  tags: [a]\n") + "- {name: e, entrypoint: \"flow.py:hello\", tags: [a], parameters: {n: 1}, work_pool: {name: p}}\n"
	reviewed := s.plan(two).JSON()
	deploy := func(data []byte, yaml string) error {
		o := s.options(yaml)
		defer o.State.Close()
		o.Reviewed = data
		_, err := Deploy(context.Background(), o)
		return err
	}
	var stale *Stale
	edited := strings.Replace(two, "tags: [a], parameters", "tags: [b], parameters", 1)
	if err := deploy(reviewed, edited); !errors.As(err, &stale) || len(stale.Differences) != 1 || stale.Differences[0] != `hello/e: planned create tags null → ["a"]; now create tags null → ["b"]` {
		t.Errorf("got %v", err)
	}
	older := map[string]any{}
	if err := json.Unmarshal(reviewed, &older); err != nil {
		t.Fatal(err)
	}
	for _, d := range older["deployments"].([]any) {
		if d := d.(map[string]any); d["action"] == string(plan.Create) {
			d["changes"] = []any{}
		}
	}
	data, _ := json.Marshal(older)
	if err := deploy(data, edited); !errors.As(err, &stale) || stale.Differences[0] != "a value that a plan does not show, a deployment that it creates, or the place of a step's output is declared otherwise now" {
		t.Errorf("got %v", err)
	}
	if err := deploy(data, two); err != nil {
		t.Errorf("an older program's plan: %v", err)
	}
}

// TestAHiddenValueBinds: where only the live value is hidden, what the file says is bound all the same.
func TestAHiddenValueBinds(t *testing.T) {
	s := newScene(t)
	s.seed(`"version": "1", "job_variables": {"env": {"REGION": "eu"}}`)
	yaml := func(region string) string {
		return strings.Replace(one(""), "{name: p}", "{name: p, job_variables: {env: {REGION: "+region+"}}}", 1)
	}
	p := s.plan(yaml("us"))
	if changesOf(p) != "job_variables.env.REGION sensitive (edited)" || s.plan(yaml("us")).Hash() != p.Hash() || s.plan(yaml("ap")).Hash() == p.Hash() {
		t.Errorf("got %s", changesOf(p))
	}
}
