//go:build real

// What the real Prefect server of these tests is asked and given, and how it is emptied between cases.
package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/runner/servertest"
)

// venv is the environment with the pinned Prefect.
func venv(t *testing.T) string {
	t.Helper()
	dir, err := servertest.Venv()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var running struct {
	sync.Once
	url string
	err error
}

// server starts the server on first use; it ends with the tests.
func server(t *testing.T) api {
	t.Helper()
	running.Do(func() { running.url, running.err = startServer() })
	if running.err != nil {
		t.Fatal(running.err)
	}
	return api{running.url}
}

// startServer starts one on a scratch database, without the services that change things by themselves.
func startServer() (string, error) {
	s, err := servertest.StartPrefect(servertest.Off("SCHEDULER", "LATE_RUNS", "CANCELLATION_CLEANUP", "PAUSE_EXPIRATIONS", "FOREMAN", "TASK_RUN_RECORDER", "TRIGGERS")...)
	if err != nil {
		return "", err
	}
	cleanups = append(cleanups, s.Stop)
	return s.URL, nil
}

// api asks the server as plainly as can be, so that a fault of the project's client can't hide itself.
type api struct{ url string }

// call gives the answer's status and data; a server that is busy (503) is asked again.
func (a api) call(t *testing.T, method, path string, body any) (int, any) {
	t.Helper()
	var sent []byte
	if body != nil {
		sent = []byte(text(body))
	}
	for try := 0; ; try++ {
		req, err := http.NewRequest(method, a.url+path, bytes.NewReader(sent))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil && try < 3 && (method == http.MethodDelete || strings.HasSuffix(path, "/filter")) { // the server closed an idle connection; asking again changes nothing
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusServiceUnavailable && try < 10 {
			time.Sleep(300 * time.Millisecond)
			continue
		}
		var out any
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		_ = d.Decode(&out)
		if resp.StatusCode >= 400 && resp.StatusCode != http.StatusNotFound {
			t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, data)
		}
		return resp.StatusCode, out
	}
}

func (a api) post(t *testing.T, path string, body any) map[string]any {
	t.Helper()
	_, out := a.call(t, http.MethodPost, path, body)
	m, _ := out.(map[string]any)
	return m
}

// all gives every item of a filter, page by page.
func (a api) all(t *testing.T, path string) (items []map[string]any) {
	t.Helper()
	for {
		_, out := a.call(t, http.MethodPost, path, map[string]any{"limit": 200, "offset": len(items)})
		page, _ := out.([]any)
		for _, item := range page {
			items = append(items, item.(map[string]any))
		}
		if len(page) < 200 {
			return items
		}
	}
}

func str(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// reset takes away all that a case can leave.
func (a api) reset(t *testing.T) {
	t.Helper()
	for _, kind := range []string{"automations", "deployments", "flows", "variables", "block_documents", "v2/concurrency_limits"} {
		for _, item := range a.all(t, "/"+kind+"/filter") {
			a.call(t, http.MethodDelete, "/"+kind+"/"+str(item, "id"), nil)
		}
	}
	for _, pool := range a.all(t, "/work_pools/filter") {
		a.call(t, http.MethodDelete, "/work_pools/"+url.PathEscape(str(pool, "name")), nil)
	}
	for _, kind := range a.all(t, "/block_types/filter") {
		if slug := str(kind, "slug"); strings.HasPrefix(slug, "conformance-") || strings.HasPrefix(slug, "oracle-") {
			a.call(t, http.MethodDelete, "/block_types/"+str(kind, "id"), nil)
		}
	}
}

// seed makes what the case begins with.
func (a api) seed(t *testing.T, s setup) {
	t.Helper()
	for _, p := range s.WorkPools {
		pool := map[string]any{"type": "process"}
		for k, v := range p {
			if k != "queues" {
				pool[k] = v
			}
		}
		a.post(t, "/work_pools/", pool)
		queues, _ := p["queues"].([]any)
		for _, q := range queues {
			a.post(t, "/work_pools/"+url.PathEscape(str(p, "name"))+"/queues", map[string]any{"name": q})
		}
	}
	for _, name := range sortedKeys(s.Variables) {
		a.post(t, "/variables/", map[string]any{"name": name, "value": s.Variables[name]})
	}
	for _, b := range s.Blocks {
		a.seedBlock(t, b)
	}
	for _, d := range s.Deployments {
		flow := a.post(t, "/flows/", map[string]any{"name": d["flow"]})
		body := map[string]any{"flow_id": flow["id"]}
		for k, v := range d {
			if k != "flow" {
				body[k] = v
			}
		}
		a.post(t, "/deployments/", body)
	}
	for _, automation := range s.Automations {
		a.seedAutomation(t, automation)
	}
}

// seedAutomation makes one that a deploy could have made, or a person.
func (a api) seedAutomation(t *testing.T, automation map[string]any) {
	t.Helper()
	body := map[string]any{"trigger": map[string]any{"type": "event", "posture": "Reactive", "expect": []any{"seeded"}}}
	action := map[string]any{"type": "run-deployment", "source": "selected"}
	for k, v := range automation {
		switch k {
		case "owner", "runs":
			_, found := a.call(t, http.MethodGet, "/deployments/name/"+v.(string), nil)
			action["deployment_id"] = found.(map[string]any)["id"]
			if k == "owner" {
				body["owner_resource"] = "prefect.deployment." + str(found.(map[string]any), "id")
			}
		case "parameters", "job_variables", "schedule_after":
			action[k] = v
		default:
			body[k] = v
		}
	}
	body["actions"] = []any{action}
	a.post(t, "/automations/", body)
}

func (a api) seedBlock(t *testing.T, b block) {
	t.Helper()
	status, found := a.call(t, http.MethodGet, "/block_types/slug/"+b.Type, nil)
	kind, _ := found.(map[string]any)
	if status == http.StatusNotFound {
		kind = a.post(t, "/block_types/", map[string]any{"name": b.Type, "slug": b.Type})
		properties := map[string]any{}
		for k := range b.Data {
			properties[k] = map[string]any{"title": k}
		}
		a.post(t, "/block_schemas/", map[string]any{"block_type_id": kind["id"], "capabilities": []any{}, "version": "1.0", "fields": map[string]any{"title": b.Type, "type": "object",
			"block_type_slug": b.Type, "block_schema_references": map[string]any{}, "secret_fields": []any{}, "properties": properties}})
	}
	var schemas []any
	for try := 0; len(schemas) == 0; try++ { // a server that has just started registers the blocks it brings little by little
		if try == 300 {
			t.Fatalf("the block type %s has no schema", b.Type)
		}
		if try > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		_, out := a.call(t, http.MethodPost, "/block_schemas/filter", map[string]any{"block_schemas": map[string]any{"block_type_id": map[string]any{"any_": []any{kind["id"]}}}})
		schemas, _ = out.([]any)
	}
	schema := schemas[0].(map[string]any)
	a.post(t, "/block_documents/", map[string]any{"name": b.Name, "data": b.Data, "block_type_id": kind["id"], "block_schema_id": schema["id"]})
}

// snapshot reads everything that can be registered; w, where there is one, adds what only went over the wire.
func (a api) snapshot(t *testing.T, project string, w *wire) *snapshot {
	t.Helper()
	flowName, pairs := map[string]string{}, []string{project, "<project>"}
	s := &snapshot{Deployments: []any{}, Flows: []any{}, Automations: []any{}}
	for _, f := range a.all(t, "/flows/filter") {
		flowName[str(f, "id")] = str(f, "name")
		s.Flows = append(s.Flows, map[string]any{"name": f["name"], "tags": f["tags"], "labels": f["labels"]})
	}
	deployments := a.all(t, "/deployments/filter")
	if w != nil {
		w.addVersions(deployments)
	}
	for _, d := range deployments {
		flow := flowName[str(d, "flow_id")]
		pairs = append(pairs, str(d, "id"), "<deployment "+flow+"/"+str(d, "name")+">")
		s.Deployments = append(s.Deployments, normalDeployment(d, flow))
	}
	for _, automation := range a.all(t, "/automations/filter") {
		s.Automations = append(s.Automations, normalAutomation(automation))
	}
	for _, q := range a.all(t, "/work_queues/filter") {
		pool := str(q, "work_pool_name")
		if m, ok := q["work_pool"].(map[string]any); ok && pool == "" {
			pool = str(m, "name")
		}
		s.WorkQueues = append(s.WorkQueues, pool+"/"+str(q, "name"))
	}
	s.rewrite(pairs...)
	return s
}
