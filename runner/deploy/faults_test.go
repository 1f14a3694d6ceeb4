// No fault tells a secret. Each field is filled with a word that occurs nowhere else, through an environment variable and through a block, in all the shapes that make it wrong; whatever is then found wrong is read for any part of that
// word. And no code is forgotten: each one that the rooms which see filled values can report is either among those found, or in a table that says why none of its messages can hold one.
package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// fieldsWithHoles are a deployment's lines, each with a hole for what is filled in; other lines that are needed beside it follow.
var fieldsWithHoles = []string{
	"name: @", "entrypoint: @", "entrypoint: 'flow.py:@'", "work_pool: {name: @}", "work_pool: {name: p, work_queue_name: @}", "version: @", "version_type: @", "description: @", "tags: @", "tags: [@]",
	"parameters: {n: @}", "enforce_parameter_schema: @", "paused: @", "concurrency_limit: @", "concurrency_limit: {limit: @, collision_strategy: @}", "concurrency_limit: {limit: 1, collision_strategy: ENQUEUE, grace_period_seconds: @}",
	"schedules: [{cron: @}]", "schedules: [{cron: '0 0 @ * *'}]", "schedules: [{cron: '0 0 * * *', timezone: @}]", "schedules: [{cron: '0 0 * * *', day_or: @}]", "schedules: [{cron: '0 0 * * *', active: @}]", "schedules: [{cron: '0 0 * * *', slug: @}]",
	"schedules: [{cron: '0 0 * * *', max_scheduled_runs: @}]", "schedules: [{cron: '0 0 * * *', parameters: {n: @}}]", "schedules: [{interval: @}]", "schedules: [{interval: 60, anchor_date: @}]", "schedules: [{rrule: @}]",
	"schedules: [{rrule: 'FREQ=@'}]", "schedules: [{rrule: 'DTSTART;TZID=@:20260101T000000\nRRULE:FREQ=DAILY'}]", "schedules: @", "schedule: {cron: @}",
	"work_pool: {name: typed, job_variables: {n: @}}", "work_pool: {name: typed, job_variables: {kind: @}}", "work_pool: {name: typed, job_variables: {list: [@], nn: @}}", "work_pool: {name: typed, job_variables: {word: @}}", "work_pool: @", "work_pool: {name: agent, job_variables: {x: @}}",
	"build: [{prefect.deployments.steps.run_shell_script: {id: s, script: @}}]", "build: [{prefect.deployments.steps.run_shell_script: {id: s, script: 'echo {{ prefect.blocks.secret.@ }}'}}]", "build: [{my.step: {id: s, x: @}}]", "pull: [{my.step: {x: @}}]",
	"tags: ['{{ prefect.blocks.json.conf.@ }}']",
	"triggers: [{enabled: @, expect: [a.b]}]", "triggers: [{expect: [@], posture: @}]", "triggers: [{name: @, match: {x: @}, threshold: @}]", "triggers: [{expect: [a.b], within: @}]", "triggers: [@]", "triggers: [{type: @}]", "triggers: [{expect: [a], match: @, job_variables: @, schedule_after: @}]", "triggers: [{type: compound, require: @, triggers: [{expect: [a], within: @}]}]",
	"triggers: [{posture: Metric, metric: {name: @, operator: @, threshold: @, range: @}}]", "sla: @", "sla: [{name: @, severity: @, duration: @}]",
}

// shapes are what fills a hole. All parts of a text that a message could cut it into hold the word canary.
var shapes = []string{"hunter2-canary", "canary1 canary2 canary3 canary4 canary5", "canary/x", "canary.py:canary", "FREQ=CANARY;canary=1", "Europe/Canary", "canary:" + strings.Repeat("canary", 60), `q"canary"`, "größe-canary\x1b", "2canary"}

const typed = `"work_pools": {"p": {"type": "process"}, "agent": {"type": "prefect-agent"}, "typed": {"type": "process", "base_job_template": {"job_configuration": {"x": "{{ n }}{{ kind }}{{ list }}{{ word }}"},
 "variables": {"type": "object", "properties": {"n": {"type": "integer"}, "kind": {"type": "string", "enum": ["a"]}, "list": {"type": "array", "items": {"type": "integer"}}, "word": {"type": "string", "maxLength": 3}}}}}}`

func TestNoFaultTellsASecret(t *testing.T) {
	found := map[string]bool{}
	for i, shape := range shapes {
		for k, hole := range fieldsWithHoles {
			from := []string{"$NAMED", "prefect.blocks.secret.pw", "prefect.blocks.json.conf.deep.key"}[(i+k)%3]
			s := newScene(t)
			s.env["NAMED"], s.env["PATH"] = shape, ""
			quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x1b", `\u001b`).Replace(shape)
			s.write("state.json", `{"schema": 1, `+typed+`, "blocks": {"secret/pw": {"value": "`+quoted+`"}, "json/conf": {"value": {"deep": {"key": "`+quoted+`"}}}}}`)
			for code, text := range lastSaid(s, yamlWith(hole, "{{ "+from+" }}"), i%2 == 0) {
				found[code] = true
				if strings.Contains(strings.ToLower(text), "canary") {
					t.Errorf("%s with %q by %s: %s tells %s", hole, shape, from, code, text)
				}
			}
		}
	}
	for _, code := range codesOf(t, "../plan", ".", "../../compiler/schedule") {
		if why := noValue[code]; !found[code] && why == "" {
			t.Errorf("no field made the fault %s: fill one so, or say in noValue why none of its messages can hold a value", code)
		}
	}
}

// noValue are codes that no field of the above makes, with the reason for which they tell nothing.
var noValue = map[string]string{
	"cloud-only":             "fixed sentences with the server's address",
	"automations-unreadable": "a fixed sentence with the server's address",
	"too-many-deletes":       "names of live deployments, and a number",
	"invalid-parameter":      "the names of the flow and of its parameters, as its file has them, and what types they have",
	"missing-python":         "a function's name as written, and where Python was looked for",
	"unresolved":             "masked; plan.Fault is what every error here is",
	"invalid-step":           "a step in two halves: masked, see TestPhase",
	"output-not-given":       "names as written",
	"unset-variable":         "names as written; the variable has no value",
	"flow-not-settled":       "what can't be read of a Python file",
	"flow-import-failed":     "masked; what a flow prints when it is imported",
	"schedule-without-slug":  "one fixed sentence",
	"invalid-interval":       "a template in its place is refused as written",
	"missing-entrypoint":     "the name as written",
	"missing-name":           "the entrypoint through Shown",
	"missing-work-pool":      "the name through Shown",
}

// yamlWith is a file in which the hole is filled.
func yamlWith(hole, with string) string {
	quoted := "'" + with + "'"
	if before, _, _ := strings.Cut(hole, "@"); strings.Count(before, "'")%2 == 1 {
		quoted = with
	}
	if strings.Contains(hole, "prefect.blocks") {
		quoted = "gone"
	}
	key, _, _ := strings.Cut(hole, ":")
	lines := []string{strings.ReplaceAll(strings.ReplaceAll(hole, "@", quoted), "\n", `\n`)}
	if strings.Contains(hole, "DTSTART") {
		lines[0] = `schedules: [{rrule: "` + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(hole, "schedules: [{rrule: '"), "'}]"), "@", with), "\n", `\n`) + `"}]`
	}
	for _, other := range []string{"name: d", "entrypoint: 'flow.py:hello'", "work_pool: {name: p}", "pull: []", "enforce_parameter_schema: false"} {
		if name, _, _ := strings.Cut(other, ":"); name != key {
			lines = append(lines, other)
		}
	}
	return "deployments:\n- " + strings.Join(lines, "\n  ") + "\n"
}

// lastSaid is what a plan, or a deploy, finds wrong, by code, in all the forms that faults have.
func lastSaid(s *scene, yaml string, acting bool) map[string]string {
	out := map[string]string{}
	note := func(l diag.List, sources diag.Sources) {
		for i := range l {
			one := diag.List{l[i]}
			out[l[i].Code] += one.Text(sources) + one.GitHub("") + string(one.JSON(nil)) + string(one.SARIF(diag.SARIFOptions{})) + one.Error()
		}
	}
	o := s.options(yaml)
	o.Warn = note
	act := Plan
	if acting {
		act = Deploy
	}
	p, err := act(context.Background(), o)
	var faults *Faults
	switch {
	case errors.As(err, &faults):
		note(faults.List, faults.Sources)
	case err != nil:
		out["error"] += err.Error()
	default:
		out["notes"] += strings.Join(p.Notes, "\n")
		for _, d := range p.Deployments {
			out["error"] += d.Error
		}
	}
	return out
}

// codesOf are the codes that the sources of some folders write out.
func codesOf(t *testing.T, folders ...string) (out []string) {
	written := regexp.MustCompile(`(?:Code: |fault\()"([a-z]+(?:-[a-z]+)+|unresolved)"`)
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range written.FindAllStringSubmatch(string(data), -1) {
				out = append(out, m[1])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
