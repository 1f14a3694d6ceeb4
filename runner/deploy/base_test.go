// What the base commit's file tells of a plan: which slugs went with it, and which live values must not be shown.
package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/plan"
)

// commit makes the file the base, HEAD.
func (s *scene) commit(yaml string) {
	s.t.Helper()
	s.write("prefect.yaml", yaml)
	if _, err := os.Stat(filepath.Join(s.dir, ".git")); err != nil {
		gitIn(s.t, s.dir, "init", "-q")
	}
	gitIn(s.t, s.dir, "add", "prefect.yaml", "flow.py")
	gitIn(s.t, s.dir, "commit", "-q", "-m", "a base")
}

// since plans, or with act deploys, against the base.
func (s *scene) since(base, yaml string, act bool) *plan.Plan {
	s.t.Helper()
	o := s.options(yaml)
	o.Base = base
	run := Plan
	if act {
		run = Deploy
	}
	p, err := run(context.Background(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = o.State.Close()
	return p
}

// seed makes the state hold one deployment with these fields, as JSON.
func (s *scene) seed(fields string) {
	s.write("state.json", `{"schema": 1, "deployments": [{"flow": "hello", "name": "d", "entrypoint": "flow.py:hello", "work_pool_name": "p", "description": "Greets.",
 "parameter_openapi_schema": {"type": "object", "title": "Parameters", "properties": {"who": {"default": "world", "position": 1, "title": "who", "type": "string"}, "n": {"default": 1, "position": 0, "title": "n", "type": "integer"}}}, `+fields+`}]}`)
}

func (s *scene) holds() string {
	data, _ := os.ReadFile(filepath.Join(s.dir, "state.json"))
	return string(data)
}

// changesOf is a plan's first deployment, change by change, as --json shows it.
func changesOf(p *plan.Plan) string {
	var lines []string
	for i := range p.Deployments[0].Changes {
		c := &p.Deployments[0].Changes[i]
		line := c.Path + " " + string(c.ValueKind())
		switch c.ValueKind() {
		case plan.Known:
			line += " " + string(c.Before.AppendJSON(nil)) + " → " + string(c.After.AppendJSON(nil))
		case plan.AfterBuild:
			line += " " + string(c.Before.AppendJSON(nil))
		}
		lines = append(lines, line+" ("+c.Reason+")")
	}
	return strings.Join(lines, "\n")
}

func live(slug, cron, more string) string {
	return `{"schedule": {"cron": "` + cron + `", "timezone": "UTC", "day_or": true}, "slug": "` + slug + `", "active": false` + more + `}`
}

// TestSlugsThatTheFileDropped go when the base's file declared them; one made by hand stays, and the plan says so.
func TestSlugsThatTheFileDropped(t *testing.T) {
	s := newScene(t)
	base := one("  schedules: [{slug: a, cron: '0 1 * * *'}, {slug: b, cron: '0 2 * * *'}]\n")
	now := one("  schedules: [{slug: a, cron: '0 1 * * *'}]\n")
	s.commit(base)
	s.seed(`"schedules": [` + live("a", "0 1 * * *", "") + "," + live("b", "0 2 * * *", "") + "," + live("hand", "0 3 * * *", "") + `]`)
	if p := s.plan(now); told(p) != "unchanged hello/d" || !strings.Contains(strings.Join(p.Notes, "\n"), "stay: b, hand") {
		t.Errorf("without a base: %s %v", told(p), p.Notes)
	}
	p := s.since("HEAD", now, false)
	if got, want := changesOf(p), `schedules[2] known "0 2 * * *" → null (removed)`; got != want || p.Deployments[0].Changes[0].Pos.Line != 6 {
		t.Errorf("got %s at line %d, want %s", got, p.Deployments[0].Changes[0].Pos.Line, want)
	}
	if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, "stay: hand;") {
		t.Errorf("the plan does not say what stays: %s", notes)
	}
	s.since("HEAD", now, true)
	if held := s.holds(); strings.Contains(held, `"b"`) || !strings.Contains(held, `"hand"`) || strings.Count(held, `"active": false`) != 2 {
		t.Errorf("the state holds %s", held)
	}
	if p := s.since("HEAD", now, false); told(p) != "unchanged hello/d" {
		t.Errorf("afterwards: %s", told(p))
	}
	s.seed(`"schedules": [` + live("b", "0 2 * * *", "") + `]`)
	if p := s.since("HEAD", one("  tags: []\n"), false); told(p) != "unchanged hello/d" || !strings.Contains(strings.Join(p.Notes, "\n"), "says nothing of them any more") {
		t.Errorf("a file that says nothing of schedules keeps them: %s %v", told(p), p.Notes)
	}
	o := s.options(now)
	o.State = GitState("HEAD")
	if p, err := Plan(context.Background(), o); err != nil || told(p) != "update hello/d schedules[2](known)" {
		t.Errorf("against the intent of the base: %v %s", err, told(p))
	}
}

// TestASlugDroppedWithARename looks under the old name, and what was made by hand moves along.
func TestASlugDroppedWithARename(t *testing.T) {
	s := newScene(t)
	base := one("  schedules: [{slug: a, cron: '0 1 * * *'}, {slug: b, cron: '0 2 * * *'}]\n")
	s.commit(base)
	s.seed(`"schedules": [` + live("a", "0 1 * * *", "") + "," + live("b", "0 2 * * *", "") + "," + live("hand", "0 3 * * *", "") + `]`)
	now := "x-ci: {renamed-from: {hello/e: hello/d}}\n" + strings.ReplaceAll(one("  schedules: [{slug: a, cron: '0 1 * * *'}]\n"), "name: d\n", "name: e\n")
	if p := s.since("HEAD", now, false); told(p) != "update hello/e name(known) schedules[2](known)" {
		t.Errorf("got %s", told(p))
	}
	s.since("HEAD", now, true)
	if held := s.holds(); s.names() != "e" || strings.Contains(held, `"b"`) || !strings.Contains(held, `"hand"`) || strings.Count(held, `"active": false`) != 2 {
		t.Errorf("the state holds %s", held)
	}
}

// TestABaseThatIsNotThere is one note, with all deployments or some, and no fault.
func TestABaseThatIsNotThere(t *testing.T) {
	s := newScene(t)
	s.commit(one(""))
	s.seed(`"tags": []`)
	for _, all := range []bool{true, false} {
		o := s.options(one(""))
		o.Base = "0123456789012345678901234567890123456789"
		if !all {
			o.Selection.All, o.Selection.Names = false, []string{"d"}
		}
		p, err := Plan(context.Background(), o)
		if err != nil || strings.Count(strings.Join(p.Notes, "\n"), "base not available") != 1 {
			t.Errorf("all %v: %v %v", all, err, p.Notes)
		}
	}
	broken := newScene(t)
	broken.commit("deployments: [{name: [}")
	broken.seed(`"tags": ["x"]`)
	if p := broken.since("HEAD", one(""), false); told(p) != "update hello/d tags(known)" {
		t.Errorf("a base that is no YAML: %s", told(p))
	}
}

// TestWhatMustNotBeShown: a live value is as secret as the file's or the base's at its path; where neither is there, job variables and parameters are not shown.
func TestWhatMustNotBeShown(t *testing.T) {
	inPool := func(v string) string {
		return strings.Replace(one(""), "{name: p}", "{name: p, job_variables: "+v+"}", 1)
	}
	for _, c := range []struct{ name, base, now, seed, without, with string }{
		{"dropped keys", inPool(`{env: {PW: "{{ $DB_PASSWORD }}", REGION: eu, B: "{{ prefect.blocks.secret.b }}", HAND: "{{ LOOSE }}"}, cpu: 1}`), inPool("{env: {}}"), `"job_variables": {"env": {"PW": "s3cret", "REGION": "eu", "B": "blk", "HAND": "h"}, "cpu": 1}`,
			"job_variables.cpu sensitive (removed)\njob_variables.env.B sensitive (removed)\njob_variables.env.HAND sensitive (removed)\njob_variables.env.PW sensitive (removed)\njob_variables.env.REGION sensitive (removed)",
			"job_variables.cpu known 1 → null (removed)\njob_variables.env.B sensitive (removed)\njob_variables.env.HAND sensitive (removed)\njob_variables.env.PW sensitive (removed)\njob_variables.env.REGION known \"eu\" → null (removed)"},
		{"dropped whole, with something made by hand in it", inPool("{env: {REGION: eu}}"), inPool("{}"), `"job_variables": {"env": {"REGION": "eu", "X": "by hand"}}`,
			"job_variables.env sensitive (removed)", "job_variables.env sensitive (removed)"},
		{"in clear now", inPool(`{command: "run {{ $DB_PASSWORD }}", image: a}`), inPool("{command: run, image: b}"), `"job_variables": {"command": "run s3cret", "image": "a"}`,
			"job_variables.command known \"run s3cret\" → \"run\" (edited)\njob_variables.image known \"a\" → \"b\" (edited)", "job_variables.command sensitive (edited)\njob_variables.image known \"a\" → \"b\" (edited)"},
		{"plain before, in the environment", inPool("{env: {REGION: eu}}"), inPool("{env: {REGION: us}}"), `"job_variables": {"env": {"REGION": "eu"}}`,
			"job_variables.env.REGION sensitive (edited)", "job_variables.env.REGION known \"eu\" → \"us\" (edited)"},
		{"outside of job variables", one("  tags: ['{{ $DB_PASSWORD }}', x]\n"), one("  tags: [x]\n"), `"tags": ["s3cret", "x"]`,
			"tags known [\"s3cret\",\"x\"] → [\"x\"] (edited)", "tags sensitive (edited)"},
		{"a parameter", one("  parameters: {key: '{{ prefect.blocks.secret.b }}', n: 1}\n"), one(""), `"parameters": {"key": "s3cret", "n": 1}`,
			"parameters.key sensitive (removed)\nparameters.n sensitive (removed)", "parameters.key sensitive (removed)\nparameters.n known 1 → null (removed)"},
		{"a secret output", "build:\n- prefect.deployments.steps.run_shell_script: {id: get, script: x}\nx-ci: {steps: {get: {sensitive: true}}}\n" + one("  version: '{{ get.stdout }}'\n"), one("  version: '2'\n"), `"version": "s3cret"`,
			"version known \"s3cret\" → \"2\" (edited)", "version sensitive (edited)"},
		{"pull steps", strings.Replace(one(""), "pull: []", "pull:\n- prefect.deployments.steps.git_clone: {id: c, repository: r, access_token: '{{ $DB_PASSWORD }}'}\n- prefect.deployments.steps.set_working_directory: {directory: '{{ c.directory }}'}", 1), one(""),
			`"pull_steps": [{"prefect.deployments.steps.git_clone": {"id": "c", "repository": "r", "access_token": "s3cret"}}, {"prefect.deployments.steps.set_working_directory": {"directory": "{{ c.directory }}"}}]`,
			"pull_steps sensitive (edited)", "pull_steps sensitive (edited)"},
		{"pull steps without a secret", strings.Replace(one(""), "pull: []", "pull:\n- prefect.deployments.steps.git_clone: {id: c, repository: r}\n- prefect.deployments.steps.set_working_directory: {directory: '{{ c.directory }}'}", 1), one(""),
			`"pull_steps": [{"prefect.deployments.steps.git_clone": {"id": "c"}}, {"prefect.deployments.steps.set_working_directory": {"directory": "{{ c.directory }}"}}]`,
			"pull_steps known [{\"prefect.deployments.steps.git_clone\":{\"id\":\"c\"}},{\"prefect.deployments.steps.set_working_directory\":{\"directory\":\"{{ c.directory }}\"}}] → [] (edited)",
			"pull_steps known [{\"prefect.deployments.steps.git_clone\":{\"id\":\"c\"}},{\"prefect.deployments.steps.set_working_directory\":{\"directory\":\"{{ c.directory }}\"}}] → [] (edited)"},
		{"a schedule", one("  schedules: [{slug: a, cron: '{{ $DB_PASSWORD }}', parameters: {k: '{{ $DB_PASSWORD }}'}}, {slug: b, cron: '0 1 * * *', parameters: {k: v}}]\n"),
			one("  schedules: [{slug: a, cron: '0 2 * * *', timezone: UTC}, {slug: b, cron: '0 1 * * *'}]\n"), `"schedules": [` + live("a", "0 1 * * *", `, "parameters": {"k": "s3cret"}`) + "," + live("b", "0 1 * * *", `, "parameters": {"k": "v"}`) + `]`,
			"schedules[0].cron known \"0 1 * * *\" → \"0 2 * * *\" (edited)\nschedules[0].parameters.k sensitive (removed)\nschedules[1].parameters.k sensitive (removed)",
			"schedules[0].cron sensitive (edited)\nschedules[0].parameters.k sensitive (removed)\nschedules[1].parameters.k known \"v\" → null (removed)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			s.env["DB_PASSWORD"] = "0 1 * * *"
			s.commit(c.base)
			s.seed(c.seed + `, "version": "1"`)
			if strings.Contains(c.seed, `"version"`) {
				s.seed(c.seed)
			}
			if got := changesOf(s.plan(c.now)); got != c.without {
				t.Errorf("without a base:\n%s\nwant\n%s", got, c.without)
			}
			for _, set := range []bool{true, false} {
				if !set {
					delete(s.env, "DB_PASSWORD")
				}
				p := s.since("HEAD", c.now, false)
				if got := changesOf(p); got != c.with && (set || c.name != "a schedule") {
					t.Errorf("with a base, variable set %v:\n%s\nwant\n%s", set, got, c.with)
				}
				if strings.Contains(string(p.JSON()), "s3cret") {
					t.Errorf("the secret is in the plan: %s", p.JSON())
				}
			}
		})
	}
}

// TestASecretOutputIsNotShownBeforeTheBuild: the live value is the secret of the last deploy.
func TestASecretOutputIsNotShownBeforeTheBuild(t *testing.T) {
	s := newScene(t)
	s.seed(`"tags": ["s3cret", "old"], "version": "1"`)
	p := s.plan("build:\n- prefect.deployments.steps.run_shell_script: {id: get, script: x}\nx-ci: {steps: {get: {sensitive: true}}}\n" + one("  tags: ['{{ get.stdout }}', new]\n"))
	if strings.Contains(string(p.JSON()), "s3cret") || p.Deployments[0].Action != plan.Rebuild {
		t.Errorf("%s", p.JSON())
	}
}

// TestASlugGivenByHand is shown and taken away, and the schedule stays as someone switched it. Where no schedule of the file has the timing of a live one, Prefect's refusal
// stands; one that has is enough, and the others are an ordinary edit.
func TestASlugGivenByHand(t *testing.T) {
	file := func(items string) string { return one("  schedules: [" + items + "]\n") }
	bare := func(cron string) string { return "{cron: '" + cron + "', timezone: UTC}" }
	given := ".slug known \"x\" → null (given on the server, and the file has none)"
	for _, c := range []struct{ name, live, file, base, want, after string }{
		{name: "equal timing", live: live("x", "0 1 * * *", ""), file: bare("0 1 * * *"), want: "schedules[0]" + given, after: "0 1 * * * off"},
		{name: "another timing", live: live("x", "0 1 * * *", ""), file: bare("0 9 * * *"), want: "schedule-without-slug"},
		{name: "one of two has the slug", live: live("x", "0 1 * * *", "") + `, {"schedule": {"cron": "0 2 * * *", "timezone": "UTC", "day_or": true}, "slug": null, "active": true}`,
			file: bare("0 1 * * *") + "," + bare("0 2 * * *"), want: "schedules[0]" + given, after: "0 1 * * * off\n0 2 * * *"},
		{name: "both have slugs, and one is edited", live: live("x", "0 1 * * *", "") + "," + live("y", "0 2 * * *", ""), file: bare("0 1 * * *") + "," + bare("0 9 * * *"),
			want: "schedules[0]" + given + "\nschedules[1] known null → \"0 9 * * *\" (added)\nschedules[3] known \"0 2 * * *\" → null (removed)", after: "0 1 * * * off\n0 9 * * *"},
		{name: "beside one that has a slug in the file", live: live("a", "0 1 * * *", "") + "," + live("x", "0 2 * * *", ""), file: "{slug: a, cron: '0 1 * * *', timezone: UTC}," + bare("0 2 * * *"),
			want: "schedules[1]" + given, after: "0 2 * * * off\na 0 1 * * * off"},
		{name: "a new one beside slugs of the file", live: live("a", "0 1 * * *", ""), file: "{slug: a, cron: '0 1 * * *', timezone: UTC}," + bare("0 2 * * *"), want: "schedule-without-slug"},
		{name: "the file dropped the slug and edited", live: live("x", "0 1 * * *", ""), file: bare("0 9 * * *"), base: "{slug: x, cron: '0 1 * * *', timezone: UTC}",
			want: "schedules[0] known null → \"0 9 * * *\" (added)\nschedules[1] known \"0 1 * * *\" → null (removed)", after: "0 9 * * *"},
		{name: "the file dropped the slug", live: live("x", "0 1 * * *", ""), file: bare("0 1 * * *"), base: "{slug: x, cron: '0 1 * * *', timezone: UTC}",
			want: "schedules[0].slug known \"x\" → null (removed)", after: "0 1 * * * off"},
		{name: "the file gave a slug", live: `{"schedule": {"cron": "0 1 * * *", "timezone": "UTC", "day_or": true}, "slug": null, "active": false}`, file: "{slug: x, cron: '0 1 * * *', timezone: UTC}",
			want: "schedules[0].slug known null → \"x\" (added)", after: "x 0 1 * * * off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			base := ""
			if c.base != "" {
				s.commit(file(c.base))
				base = "HEAD"
			}
			s.seed(`"version": "1", "schedules": [` + c.live + `]`)
			o := s.options(file(c.file))
			o.Base = base
			p, err := Plan(context.Background(), o)
			_ = o.State.Close()
			var faults *Faults
			switch {
			case c.after == "":
				if !errors.As(err, &faults) || faults.List[0].Code != c.want || faults.List[0].Position.Line != 6 {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			case err != nil:
				t.Fatal(err)
			case changesOf(p) != c.want:
				t.Errorf("got\n%s\nwant\n%s", changesOf(p), c.want)
			}
			s.since(base, file(c.file), true)
			if got := s.schedules(); got != c.after {
				t.Errorf("the state holds\n%s\nwant\n%s", got, c.after)
			}
			if p := s.since(base, file(c.file), false); told(p) != "unchanged hello/d" {
				t.Errorf("afterwards: %s", told(p))
			}
		})
	}
}

// TestASlugOnAScheduleThatWaitsForAStep can't be judged before the build.
func TestASlugOnAScheduleThatWaitsForAStep(t *testing.T) {
	s := newScene(t)
	yaml := "build:\n- prefect.deployments.steps.run_shell_script: {id: get, script: echo '0 1 * * *'}\n" + one("  schedules: [{cron: '{{ get.stdout }}', timezone: UTC}]\n")
	s.seed(`"version": "1", "schedules": [` + live("x", "0 1 * * *", "") + `]`)
	if p := s.plan(yaml); told(p) != "update hello/d schedules[0].cron(after-build) schedules[0].slug(known)" {
		t.Errorf("got %s", told(p))
	}
	s.deploy(yaml)
	if got := s.schedules(); got != "0 1 * * * off" {
		t.Errorf("the state holds %s", got)
	}
	s.seed(`"version": "1", "schedules": [` + live("x", "0 7 * * *", "") + `]`)
	if p := s.deploy(yaml); told(p) != "failed hello/d schedules[0].cron(after-build) schedules[0].slug(known)" {
		t.Errorf("another timing after all: %s", told(p))
	}
}

// schedules are those of the only deployment in the state: slug, timing, and whether it is off.
func (s *scene) schedules() string {
	var doc struct {
		Deployments []struct {
			Schedules []struct {
				Schedule struct{ Cron string }
				Slug     string
				Active   bool
			}
		}
	}
	if err := json.Unmarshal([]byte(s.holds()), &doc); err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for _, x := range doc.Deployments[0].Schedules {
		line := strings.TrimSpace(x.Slug + " " + x.Schedule.Cron)
		if !x.Active {
			line += " off"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
