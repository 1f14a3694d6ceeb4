package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRecorded deploys every case into a state file, with no Python on PATH and no server, and compares with what the real Prefect left.
func TestRecorded(t *testing.T) {
	for _, c := range cases(t) {
		if c.Needs != "" { // a server or Python: TestPrefect always asks for these
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := c.recording(t)
			project := c.layOut(t)
			file := filepath.Join(filepath.Dir(project), "state.json")
			c.seedFile(t, file)
			code, output := c.run(t, project, command{words: []string{program(t), "deploy", "--state", "file:" + file}, path: withoutPython(t)})
			got := fileSnapshot(t, file)
			got.Failed = code != 0
			got.rewrite(project, "<project>")
			adjustToFile(want, got)
			if d := c.unexpected(differences(want, got), inFile); len(d) > 0 {
				t.Errorf("%s\n%s\noutput:\n%s", c.About, strings.Join(d, "\n"), output)
			}
		})
	}
}

func (c *testCase) recording(t *testing.T) *snapshot {
	t.Helper()
	var want snapshot
	readJSON(t, filepath.Join(c.dir, "expected.json"), &want)
	return &want
}

// inFile tells of a difference whether a state file can show it: a file has no flows or queues of its own.
func inFile(difference string) bool {
	return strings.Contains(difference, " deployments") || strings.Contains(difference, " automations") || strings.Contains(difference, " failed")
}

// adjustToFile puts aside what a state file can't know. This is the whole list:
//
//	flows, work_queues                a file has deployments only
//	work_queue_name                   a server puts a deployment without one into the pool's queue "default"
//	grace_period_seconds              a server answers null where none was given
func adjustToFile(want, got *snapshot) {
	want.Flows, want.WorkQueues = got.Flows, got.WorkQueues
	for _, d := range got.Deployments {
		m := d.(map[string]any)
		if m["work_queue_name"] == nil {
			m["work_queue_name"] = "default"
		}
		if options, ok := m["concurrency_options"].(map[string]any); ok && options["grace_period_seconds"] == nil {
			options["grace_period_seconds"] = nil
		}
	}
}

// seedFile writes the state that the case begins with.
func (c *testCase) seedFile(t *testing.T, file string) {
	t.Helper()
	pools, blocks := map[string]any{}, map[string]any{}
	for _, p := range c.Setup.WorkPools {
		pool := map[string]any{"type": "process"}
		for k, v := range p {
			if k != "name" && k != "queues" {
				pool[k] = v
			}
		}
		pools[p["name"].(string)] = pool
	}
	for _, b := range c.Setup.Blocks {
		blocks[b.Type+"/"+b.Name] = b.Data
	}
	deployments := []map[string]any{}
	for _, d := range c.Setup.Deployments {
		deployments = append(deployments, withTriggers(d, c.Setup.Automations))
	}
	data := text(map[string]any{"schema": 1, "deployments": deployments, "variables": c.Setup.Variables, "blocks": blocks, "work_pools": pools})
	if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func fileSnapshot(t *testing.T, file string) *snapshot {
	t.Helper()
	var doc struct {
		Deployments []map[string]any `json:"deployments"`
	}
	readJSON(t, file, &doc)
	s := &snapshot{Deployments: []any{}, Flows: []any{}, Automations: []any{}}
	for _, d := range doc.Deployments {
		flow, _ := d["flow"].(string)
		s.Automations = append(s.Automations, automationsOf(d, flow)...)
		delete(d, "flow")
		delete(d, "triggers")
		s.Deployments = append(s.Deployments, any(normalDeployment(withDefaults(d), flow)))
	}
	return s
}

// withDefaults fills in what a deployment of the setup does not say, with what a server gives a new one.
func withDefaults(d map[string]any) map[string]any {
	out := map[string]any{"version": nil, "tags": []any{}, "description": nil, "schedules": []any{}, "paused": false, "concurrency_limit": nil, "concurrency_options": nil,
		"parameters": map[string]any{}, "enforce_parameter_schema": true, "parameter_openapi_schema": map[string]any{},
		"pull_steps": []any{}, "entrypoint": nil, "work_pool_name": nil, "work_queue_name": nil, "job_variables": map[string]any{}, "path": nil, "labels": map[string]any{}}
	for k, v := range d {
		out[k] = v
	}
	return out
}

// withTriggers puts the automations that a deploy of the deployment made into its entry of a file.
func withTriggers(d map[string]any, automations []map[string]any) map[string]any {
	out, triggers := map[string]any{}, []any{}
	for k, v := range d {
		out[k] = v
	}
	for _, a := range automations {
		if a["owner"] != d["flow"].(string)+"/"+d["name"].(string) {
			continue
		}
		fields := map[string]any{"description": "", "enabled": true, "parameters": nil, "job_variables": nil, "schedule_after": 0}
		for k, v := range a {
			if k != "owner" {
				fields[k] = v
			}
		}
		triggers = append(triggers, fields)
	}
	if len(triggers) > 0 {
		out["triggers"] = triggers
	}
	return out
}

// automationsOf are a file's triggers as a server would answer them.
func automationsOf(d map[string]any, flow string) (out []any) {
	list, _ := d["triggers"].([]any)
	for _, v := range list {
		fields := v.(map[string]any)
		action := map[string]any{"type": "run-deployment", "source": "selected", "deployment_id": "<deployment " + flow + "/" + d["name"].(string) + ">"}
		for _, k := range []string{"parameters", "job_variables", "schedule_after"} {
			action[k] = fields[k]
		}
		out = append(out, normalAutomation(map[string]any{"name": fields["name"], "description": fields["description"], "enabled": fields["enabled"], "tags": []any{},
			"trigger": fields["trigger"], "actions": []any{action}, "actions_on_trigger": []any{}, "actions_on_resolve": []any{}}))
	}
	return out
}
