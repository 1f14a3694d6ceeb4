// What is sent to a server, request by request, without one. That a real server does with it what is meant is asked in the tests
// with the build tag `real`.
package state

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/prefect"
)

// scripted answers by "METHOD path" and records "METHOD path body".
func scripted(t *testing.T, answers map[string]string) (*State, func() string) {
	t.Helper()
	var mu sync.Mutex
	var lines []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		line := r.Method + " " + r.URL.Path
		mu.Lock()
		lines = append(lines, strings.TrimSpace(line+" "+string(body)))
		mu.Unlock()
		answer := answers[line]
		if status, text, ok := strings.Cut(answer, " "); ok && (status == "409" || status == "404") {
			w.WriteHeader(map[string]int{"409": http.StatusConflict, "404": http.StatusNotFound}[status])
			answer = text
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(srv.Close)
	return OpenPrefect(prefect.New(prefect.Config{APIURL: srv.URL}, prefect.Options{})), func() string {
		mu.Lock()
		defer mu.Unlock()
		out := strings.Join(lines, "\n")
		lines = nil
		return out
	}
}

func TestRequestsOfACreation(t *testing.T) {
	s, sent := scripted(t, map[string]string{
		"GET /admin/version": `"3.8.8"`,
		"POST /flows/":       `{"id":"F"}`,
		"POST /deployments/": `{"id":"D","flow_id":"F","name":"dev","tags":["a"],"global_concurrency_limit":{"limit":4},"concurrency_limit":null,"created":"now"}`,
	})
	live, err := s.Write(context.Background(), Write{Name: dep, Fields: parsed(t, `{"tags":["a"],"concurrency_limit":4,"schedules":`+list(sched("a", h0, ""))+`}`)})
	if err != nil {
		t.Fatal(err)
	}
	want := `GET /admin/version
POST /flows/ {"name":"my-flow"}
POST /deployments/ {"name":"dev","flow_id":"F","version":null,"tags":["a"],"description":null,"schedules":[{"schedule":{"cron":"0 0 * * *","timezone":"UTC"},"active":true,"parameters":{},"slug":"a"}],"paused":false,"concurrency_limit":4,"concurrency_options":null,"parameters":{},"enforce_parameter_schema":true,"parameter_openapi_schema":{"type":"object","properties":{}},"pull_steps":[],"entrypoint":null,"work_pool_name":null,"work_queue_name":null,"job_variables":{},"path":null,"labels":{}}`
	if got := sent(); got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	if text := string(live.Fields.AppendJSON(nil)); live.ID != "D" || text != `{"tags":["a"],"concurrency_limit":4}` {
		t.Errorf("%s %s", live.ID, text)
	}
}

// TestManyDeploymentsOfAFlow: a flow is asked for once, also when its deployments are created side by side, and again only where that failed.
func TestManyDeploymentsOfAFlow(t *testing.T) {
	answers := map[string]string{"GET /admin/version": `"3.8.8"`, "POST /flows/": `404 {"detail":"not yet"}`, "POST /deployments/": `{"id":"D","flow_id":"F","name":"dev"}`}
	s, sent := scripted(t, answers)
	write := func(flow, name string) error {
		_, err := s.Write(context.Background(), Write{Name: Name{Flow: flow, Deployment: name}, Fields: parsed(t, `{}`)})
		return err
	}
	if err := write("f", "first"); err == nil {
		t.Fatal("a flow that could not be made is no error")
	}
	sent()
	answers["POST /flows/"] = `{"id":"F"}`
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := write([]string{"f", "g"}[i%2], "d"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := sent()
	for text, want := range map[string]int{`POST /flows/ {"name":"f"}`: 1, `POST /flows/ {"name":"g"}`: 1, "POST /flows/": 2, "POST /deployments/": 20} {
		if n := strings.Count(got, text); n != want {
			t.Errorf("%s was sent %d times, want %d", text, n, want)
		}
	}
}

func TestRequestsOfUpdates(t *testing.T) {
	live := &Live{ID: "D", FlowID: "F", Name: dep, Fields: parsed(t, `{"work_pool_name":"p","work_queue_name":"fast","schedules":[{"id":"1","schedule":{"cron":"0 0 * * *"},"slug":"a","active":true,"parameters":{}}]}`)}
	for _, c := range []struct{ fields, remove, want string }{
		{`{"tags":["z"]}`, "", `PATCH /deployments/D {"tags":["z"]}`},
		{`{"work_queue_name":null,"labels":{"a":"b"}}`, "", `PATCH /deployments/D {"work_queue_name":null,"work_pool_name":"p"}`},
		{`{"work_pool_name":"q"}`, "", `PATCH /deployments/D {"work_pool_name":"q","work_queue_name":"fast"}`},
		{`{"work_pool_name":null}`, "", `PATCH /deployments/D {"work_pool_name":null,"work_queue_name":null}`},
		{`{"concurrency_options":{"collision_strategy":"ENQUEUE","grace_period_seconds":60}}`, "", `PATCH /deployments/D {"concurrency_options":{"collision_strategy":"ENQUEUE"}}`},
		{`{"schedules":[]}`, "", `DELETE /deployments/D/schedules/1`},
		{`{}`, "1", `DELETE /deployments/D/schedules/1`},
		{`{}`, "", ``},
	} {
		s, sent := scripted(t, map[string]string{"GET /admin/version": `"3.6.5"`})
		var remove []string
		if c.remove != "" {
			remove = []string{c.remove}
		}
		if _, err := s.Write(context.Background(), Write{Name: dep, Live: live, Fields: parsed(t, c.fields), DeleteSchedules: remove}); err != nil {
			t.Error(err)
		}
		if got := strings.TrimPrefix(strings.TrimPrefix(sent(), "GET /admin/version"), "\n"); got != c.want {
			t.Errorf("%s sends\n%s\nwant\n%s", c.fields, got, c.want)
		}
	}
}

func TestARefusalDoesNotQuoteASecret(t *testing.T) {
	s, _ := scripted(t, map[string]string{
		"GET /admin/version":   `"3.8.8"`,
		"PATCH /deployments/D": `409 {"detail":"Error creating deployment: 'hunter2' is not of type 'boolean' in {'k': 'deep-secret'}"}`,
	})
	secret := value.Of("hunter2").Mark(value.Sensitive)
	deep := parsed(t, `{"k":"deep-secret"}`).Mark(value.Sensitive)
	fields := value.Of([]value.Entry{{Key: "job_variables", Value: value.Of([]value.Entry{{Key: "a", Value: secret}, {Key: "b", Value: deep}})}})
	_, err := s.Write(context.Background(), Write{Name: dep, Live: &Live{ID: "D"}, Fields: fields})
	if prefect.StatusOf(err) != 409 || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "deep-secret") || !strings.Contains(err.Error(), "'(sensitive)' is not of type 'boolean'") {
		t.Errorf("got %v", err)
	}
}
