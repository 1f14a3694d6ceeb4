//go:build real

// Every field of a deployment, changed by hand. The server's own OpenAPI document says which fields there are; the table in properties_test.go says of each whether the
// file rules it. What it rules is seen in the plan as exactly that path and put right by a deploy; what it does not rule is neither shown nor touched. A field of which
// the table says nothing fails, so that a newer server's fields are not passed over.
package conformance

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// onServer is how many deployments the file declares; those that nobody touched must stay out of the plan.
const onServer = 300

// forms are ways to write a deployment: whether the file rules a field may depend on whether it is said.
var forms = map[string]map[string]any{
	"full": {"version": "1", "tags": []any{"a", "b"}, "description": "as written", "parameters": map[string]any{"name": "x", "times": 2}, "enforce_parameter_schema": true, "paused": false,
		"work_pool":         map[string]any{"name": "pool", "work_queue_name": "q", "job_variables": map[string]any{"env": map[string]any{"REGION": "eu"}, "cpu": 1}},
		"concurrency_limit": map[string]any{"limit": 2, "collision_strategy": "ENQUEUE", "grace_period_seconds": 120},
		"schedules":         []any{map[string]any{"cron": "0 1 * * *", "timezone": "UTC", "day_or": true, "active": true, "parameters": map[string]any{"name": "s"}}}},
	"slugs":    {"schedules": []any{map[string]any{"slug": "one", "cron": "0 1 * * *", "timezone": "Europe/Berlin", "active": true}, map[string]any{"slug": "two", "interval": 3600, "anchor_date": "2024-01-01T00:00:00Z", "timezone": "UTC"}}},
	"interval": {"concurrency_limit": 3, "schedules": []any{map[string]any{"interval": 3600, "anchor_date": "2024-01-01T00:00:00Z", "timezone": "UTC"}}},
	"rrule":    {"pull": []any{map[string]any{"prefect.deployments.steps.set_working_directory": map[string]any{"directory": "/srv"}}}, "schedules": []any{map[string]any{"rrule": "FREQ=DAILY;BYHOUR=3", "timezone": "UTC"}}},
	"bare":     {},
}

// hand is someone who changes one deployment past the file.
type hand struct {
	api  api
	id   string
	live map[string]any
}

// edit is one change by hand.
type edit struct {
	// form is the deployment that is changed.
	form string
	do   func(*testing.T, *hand)
	// shows are the paths of the plan, none where the file does not rule the field.
	shows []string
	// along, where the field is not ruled, is another change of the same deployment: the write that mends it must leave the field as it is.
	along func(*testing.T, *hand)
}

// patch changes fields of the deployment.
func patch(body map[string]any) func(*testing.T, *hand) {
	return func(t *testing.T, h *hand) { h.api.call(t, http.MethodPatch, "/deployments/"+h.id, body) }
}

// patchSchedule changes a schedule; its parameters, which the server would empty when they are unsaid, stay.
func patchSchedule(i int, body map[string]any) func(*testing.T, *hand) {
	return func(t *testing.T, h *hand) {
		s := h.schedule(i)
		sent := map[string]any{"parameters": s["parameters"]}
		for k, v := range body {
			sent[k] = v
		}
		h.api.call(t, http.MethodPatch, "/deployments/"+h.id+"/schedules/"+str(s, "id"), sent)
	}
}

// patchTiming changes parts of a schedule's timing.
func patchTiming(i int, parts map[string]any) func(*testing.T, *hand) {
	return func(t *testing.T, h *hand) {
		timing := map[string]any{}
		for k, v := range h.schedule(i)["schedule"].(map[string]any) {
			timing[k] = v
		}
		for k, v := range parts {
			timing[k] = v
		}
		patchSchedule(i, map[string]any{"schedule": timing})(t, h)
	}
}

// addSchedule adds one.
func addSchedule(body map[string]any) func(*testing.T, *hand) {
	return func(t *testing.T, h *hand) {
		h.api.call(t, http.MethodPost, "/deployments/"+h.id+"/schedules", []any{body})
	}
}

// patchLimit changes the deployment's concurrency limit where it is kept.
func patchLimit(body map[string]any) func(*testing.T, *hand) {
	return func(t *testing.T, h *hand) {
		h.api.call(t, http.MethodPatch, "/v2/concurrency_limits/"+str(h.live["global_concurrency_limit"].(map[string]any), "id"), body)
	}
}

// polled is what a worker leaves: the server notes it some time after its answer.
func polled(t *testing.T, h *hand) {
	h.api.post(t, "/deployments/get_scheduled_flow_runs", map[string]any{"deployment_ids": []any{h.id}, "limit": 1})
	for range 300 {
		if h.api.get(t, h.id)["last_polled"] != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// otherLimit puts another limit of the server's in the place of the deployment's own.
func otherLimit(t *testing.T, h *hand) {
	other := h.api.post(t, "/v2/concurrency_limits/", map[string]any{"name": "other-" + h.id, "limit": 9})
	patch(map[string]any{"global_concurrency_limit_id": other["id"]})(t, h)
}

// document sets a field to the id of a new block document.
func document(field string) func(*testing.T, *hand) {
	return func(t *testing.T, h *hand) {
		kind := "conformance-" + strings.ReplaceAll(field, "_", "-")
		h.api.seedBlock(t, block{Type: kind, Name: "d", Data: map[string]any{"x": 1}})
		for _, d := range h.api.all(t, "/block_documents/filter") {
			if str(d["block_type"].(map[string]any), "slug") == kind {
				patch(map[string]any{field: d["id"]})(t, h)
			}
		}
	}
}

// schedule i in the order in which the form lists them.
func (h *hand) schedule(i int) map[string]any {
	list := h.live["schedules"].([]any)
	if len(list) == 1 {
		return list[0].(map[string]any)
	}
	for _, s := range list {
		if str(s.(map[string]any), "slug") == []string{"one", "two"}[i] {
			return s.(map[string]any)
		}
	}
	panic("no such schedule")
}

// TestPropertiesClassified holds the table against the server's document, both ways.
func TestPropertiesClassified(t *testing.T) {
	a := server(t)
	_, doc := a.call(t, http.MethodGet, "/openapi.json", nil)
	schemas := doc.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any)
	there, visited := map[string]bool{}, map[string]bool{}
	for _, root := range []string{"DeploymentResponse", "DeploymentUpdate", "DeploymentCreate"} {
		reach(schemas, root, visited, there)
	}
	for _, p := range properties() {
		if !there[p.name] {
			t.Errorf("%s is in the table and not in the server's document", p.name)
		}
		delete(there, p.name)
		if p.why == "" && len(p.edits) == 0 {
			t.Errorf("%s: neither a change by hand nor a reason why there is none", p.name)
		}
	}
	for _, name := range sortedKeys(there) {
		t.Errorf("%s is not in the table: classify it in properties_test.go", name)
	}
}

// reach collects "schema.property" of a schema and of all that it refers to; visited are the schemas seen.
func reach(schemas map[string]any, name string, visited, into map[string]bool) {
	if visited[name] {
		return
	}
	visited[name] = true
	common := sameSchema[name]
	if common == "" {
		common = name
	}
	schema, _ := schemas[name].(map[string]any)
	fields, _ := schema["properties"].(map[string]any)
	for _, field := range sortedKeys(fields) {
		into[common+"."+field] = true
		for _, part := range strings.Split(text(fields[field]), `"#/components/schemas/`)[1:] {
			other, _, _ := strings.Cut(part, `"`)
			reach(schemas, other, visited, into)
		}
	}
}

// workspace is a project folder in which our program runs.
type workspace struct {
	c       *testCase
	project string
	cmd     command
}

func newWorkspace(t *testing.T, address string, files map[string]string) *workspace {
	t.Helper()
	w := &workspace{c: &testCase{}, project: filepath.Join(t.TempDir(), "project")}
	if err := os.Mkdir(w.project, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range sortedKeys(files) {
		w.write(t, name, files[name])
	}
	w.cmd = command{path: withoutPython(t), env: []string{"PREFECT_API_URL=" + address}}
	return w
}

func (w *workspace) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.project, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// planned is what `--json` gives of a plan.
type planned struct {
	Summary     map[string]int `json:"summary"`
	Deployments []struct {
		Deployment string          `json:"deployment"`
		Action     string          `json:"action"`
		Changes    []plannedChange `json:"changes"`
	} `json:"deployments"`
}

type plannedChange struct {
	Path   string `json:"path"`
	Before any    `json:"before"`
	After  any    `json:"after"`
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// run plans or deploys everything, and reads the plan.
func (w *workspace) run(t *testing.T, verb string, options ...string) *planned {
	t.Helper()
	w.c.Args = append([]string{"--all", "--json", filepath.Join("..", "plan.json")}, options...)
	cmd := w.cmd
	cmd.words = []string{program(t), verb}
	if code, output := w.c.run(t, w.project, cmd); code != 0 {
		t.Fatalf("%s: exit %d\n%s", verb, code, output[max(0, len(output)-4000):])
	}
	var p planned
	readJSON(t, filepath.Join(filepath.Dir(w.project), "plan.json"), &p)
	return &p
}

// paths are those of each deployment that something happens to.
func (p *planned) paths() map[string][]string {
	out := map[string][]string{}
	for _, d := range p.Deployments {
		if d.Action == "unchanged" {
			continue
		}
		paths := []string{d.Action}
		for _, c := range d.Changes {
			paths = append(paths, c.Path)
		}
		out[d.Deployment] = paths
	}
	return out
}

const flowSource = "from prefect import flow\n\n\n@flow\ndef hello(name: str = \"you\", times: int = 1):\n    print(name * times)\n"

// manyDeployments is the file of n deployments, in all forms by turns.
func manyDeployments(n int) string {
	names := sortedKeys(forms)
	var list []any
	for i := range n {
		d := map[string]any{"name": fmt.Sprintf("d%04d", i), "entrypoint": "flow.py:hello", "work_pool": map[string]any{"name": "pool"}}
		for k, v := range forms[names[i%len(names)]] {
			d[k] = v
		}
		list = append(list, d)
	}
	return text(map[string]any{"deployments": list})
}

// subject is one deployment that was changed by hand.
type subject struct {
	property, name string
	edit           edit
	id             string
	before, after  map[string]any
}

// TestFieldsByHand changes each field of one deployment among 300.
func TestFieldsByHand(t *testing.T) {
	a := server(t)
	a.reset(t)
	for _, pool := range []string{"pool", "other-pool"} {
		a.post(t, "/work_pools/", map[string]any{"name": pool, "type": "process"})
	}
	seedLabelled(t, a)
	wire, address := watch(t, a)
	w := newWorkspace(t, address, map[string]string{"prefect.yaml": manyDeployments(onServer), "flow.py": flowSource})
	w.run(t, "deploy")
	if got := w.run(t, "plan").paths(); len(got) > 0 {
		t.Fatalf("right after the deploy the plan is not empty: %v", got)
	}
	subjects := changeByHand(t, a)
	expectPlan(t, subjects, w.run(t, "plan").paths())
	wire.take()
	expectPlan(t, subjects, w.run(t, "deploy").paths())
	if got := w.run(t, "plan").paths(); len(got) > 0 {
		t.Errorf("after the deploy the plan is not empty: %v", got)
	}
	expectWrites(t, wire, subjects)
	for _, s := range subjects {
		s.check(t, a.get(t, s.id))
	}
	alongside(t, a, w, subjects)
}

// seedLabelled makes one deployment of the file beforehand, with labels of someone else: a server takes labels on creation only.
func seedLabelled(t *testing.T, a api) {
	flow := a.post(t, "/flows/", map[string]any{"name": "hello"})
	a.post(t, "/deployments/", map[string]any{"name": labelled, "flow_id": flow["id"], "work_pool_name": "pool", "labels": map[string]any{"team": "data"}})
}

// labelled is of the form "bare", and is not changed by hand later.
const labelled = "d0000"

func (a api) get(t *testing.T, id string) map[string]any {
	t.Helper()
	_, out := a.call(t, http.MethodGet, "/deployments/"+id, nil)
	m, _ := out.(map[string]any)
	return m
}

// changeByHand gives each edit of the table a deployment of its own.
func changeByHand(t *testing.T, a api) []*subject {
	ids := map[string]string{}
	for _, d := range a.all(t, "/deployments/filter") {
		ids[str(d, "name")] = str(d, "id")
		if str(d, "name") == labelled && d["labels"].(map[string]any)["team"] != "data" {
			t.Errorf("labels of someone else are gone: %v", d["labels"])
		}
	}
	names, next := sortedKeys(forms), map[string]int{"bare": len(forms)}
	for i, n := range names {
		next[n] += i
	}
	var out []*subject
	for _, p := range properties() {
		for _, e := range p.edits {
			s := &subject{property: p.name, edit: e, name: fmt.Sprintf("d%04d", next[e.form])}
			if next[e.form] += len(forms); next[e.form] >= onServer {
				t.Fatalf("more edits of the form %s than deployments", e.form)
			}
			s.id = ids[s.name]
			s.before = a.get(t, s.id)
			e.do(t, &hand{a, s.id, s.before})
			s.after = a.get(t, s.id)
			if text(seen(s.before)) == text(seen(s.after)) {
				t.Errorf("%s (%s, %s): the change by hand changed nothing", p.name, e.form, s.name)
			}
			out = append(out, s)
		}
	}
	return out
}

// seen is a deployment without the time of its last change.
func seen(d map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range d {
		if k != "updated" {
			out[k] = v
		}
	}
	return out
}

func expectPlan(t *testing.T, subjects []*subject, got map[string][]string) {
	t.Helper()
	for _, s := range subjects {
		var want []string
		if len(s.edit.shows) > 0 {
			want = append([]string{"update"}, s.edit.shows...)
		}
		if name := "hello/" + s.name; !slices.Equal(got[name], want) {
			t.Errorf("%s (%s, %s) by hand: the plan says %v, want %v", s.property, s.edit.form, s.name, got[name], want)
		}
		delete(got, "hello/"+s.name)
	}
	for _, name := range sortedKeys(got) {
		t.Errorf("%s: nobody touched it, and the plan says %v", name, got[name])
	}
}

// expectWrites: only what the file rules was written.
func expectWrites(t *testing.T, w *wire, subjects []*subject) {
	t.Helper()
	ruled := map[string]bool{}
	for _, s := range subjects {
		ruled[s.id] = len(s.edit.shows) > 0
	}
	_, writes := w.take()
	for _, write := range writes {
		_, path, _ := strings.Cut(write, "/api/deployments/")
		id, _, _ := strings.Cut(path, "/")
		if !ruled[id] {
			t.Errorf("%s: not a deployment that differs", write)
		}
	}
}

// check: what the file rules is as it was, what it does not is as the hand left it.
func (s *subject) check(t *testing.T, now map[string]any) {
	t.Helper()
	want, got := text(seen(s.after)), text(seen(now))
	if len(s.edit.shows) > 0 {
		want, got = text(normalDeployment(s.before, "hello")), text(normalDeployment(withoutSlug(now, "by-hand"), "hello"))
	}
	if want != got {
		t.Errorf("%s (%s, %s): after the deploy\n want %s\n  got %s", s.property, s.edit.form, s.name, want, got)
	}
}

// withoutSlug leaves out the schedule of a slug that the file does not have and no commit of it had: such a one was made by hand, and stays.
func withoutSlug(d map[string]any, slug string) map[string]any {
	out := seen(d)
	list, _ := d["schedules"].([]any)
	out["schedules"] = slices.DeleteFunc(slices.Clone(list), func(s any) bool { return str(s.(map[string]any), "slug") == slug })
	return out
}

// alongside changes something that the file rules beside what it does not: the write must leave the latter as it is.
func alongside(t *testing.T, a api, w *workspace, subjects []*subject) {
	var left []*subject
	for _, s := range subjects {
		if len(s.edit.shows) > 0 {
			continue
		}
		along := s.edit.along
		if along == nil {
			along = patch(map[string]any{"tags": []any{"by hand"}})
		}
		along(t, &hand{a, s.id, a.get(t, s.id)})
		left = append(left, s)
	}
	if got := w.run(t, "deploy").paths(); len(got) != len(left) {
		t.Errorf("%d deployments were changed, the deploy says %v", len(left), got)
	}
	for _, s := range left {
		want, got := keptParts(s.after), keptParts(a.get(t, s.id))
		if want != got {
			t.Errorf("%s (%s, %s): another change was deployed, and it did not stay\n want %s\n  got %s", s.property, s.edit.form, s.name, want, got)
		}
	}
	if got := w.run(t, "plan").paths(); len(got) > 0 {
		t.Errorf("after that the plan is not empty: %v", got)
	}
}

// keptParts is a deployment without what a write changes by its nature: times, ids of schedules, who wrote, and what was derived along with it.
func keptParts(d map[string]any) string {
	out := map[string]any{}
	for k, v := range d {
		switch k {
		case "updated", "updated_by", "version", "pull_steps":
		case "schedules":
			var list []any
			for _, s := range v.([]any) {
				list = append(list, normalSchedule(s.(map[string]any)))
			}
			out[k] = ordered(list)
		default:
			out[k] = v
		}
	}
	return text(out)
}
