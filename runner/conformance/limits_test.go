//go:build real

// One concurrency limit that someone made by hand and attached to two deployments, of which the file has one. A deploy of ours leaves the other's limit alone, where
// `prefect deploy` changes or deletes it for both.
package conformance

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// sharedLimit, of TestDepartures, deploys a file with a limit, and one without, by ours and by Prefect.
func sharedLimit(t *testing.T) {
	for _, c := range []struct {
		name         string
		limit        any
		mine, theirs string // the number that the file's deployment, and the other, have afterwards
	}{{"a number", 3, "3 5", "3 3"}, {"none", nil, "<nil> 5", "<nil> <nil>"}} {
		t.Run(c.name, func(t *testing.T) {
			a, w := withSharedLimit(t, c.limit)
			plan := w.run(t, "plan")
			if got := plan.paths(); text(got) != text(map[string][]string{"hello/d": {"update", "concurrency_limit"}}) {
				t.Errorf("the plan says %v", got)
			}
			if change := plan.Deployments[0].Changes; len(change) == 1 && (text(change[0].Before) != "5" || text(change[0].After) != text(c.limit)) {
				t.Errorf("the plan says %+v", change)
			}
			w.run(t, "deploy")
			if got := a.limits(t); got != c.mine {
				t.Errorf("after ours the limits are %s, want %s", got, c.mine)
			}
			if got := w.run(t, "plan").paths(); len(got) > 0 {
				t.Errorf("afterwards the plan says %v", got)
			}
			a, w = withSharedLimit(t, c.limit)
			w.c.Args = []string{"--all"}
			bin := filepath.Join(venv(t), "bin")
			prefect := command{words: []string{filepath.Join(bin, "prefect"), "--no-prompt", "deploy"}, path: bin + string(os.PathListSeparator) + os.Getenv("PATH"), env: w.cmd.env}
			if code, output := w.c.run(t, w.project, prefect); code != 0 {
				t.Fatalf("prefect deploy: exit %d\n%s", code, output)
			}
			if got := a.limits(t); got != c.theirs {
				t.Errorf("after Prefect's the limits are %s, want %s", got, c.theirs)
			}
		})
	}
}

func withSharedLimit(t *testing.T, limit any) (api, *workspace) {
	a := server(t)
	a.reset(t)
	a.post(t, "/work_pools/", object{"name": "pool", "type": "process"})
	d := object{"name": "d", "entrypoint": "flow.py:hello", "work_pool": object{"name": "pool"}}
	if limit != nil {
		d["concurrency_limit"] = limit
	}
	w := newWorkspace(t, a.url, map[string]string{"flow.py": flowSource, "prefect.yaml": text(object{"deployments": []any{d}})})
	w.run(t, "deploy")
	flow := a.all(t, "/flows/filter")[0]
	a.post(t, "/deployments/", object{"name": "other", "flow_id": flow["id"], "work_pool_name": "pool", "entrypoint": "flow.py:hello"})
	shared := a.post(t, "/v2/concurrency_limits/", object{"name": "by hand", "limit": 5})
	for _, d := range a.all(t, "/deployments/filter") {
		a.call(t, http.MethodPatch, "/deployments/"+str(d, "id"), object{"global_concurrency_limit_id": shared["id"]})
	}
	return a, w
}

// limits are the numbers of the file's deployment and of the other.
func (a api) limits(t *testing.T) string {
	byName := a.byName(t)
	number := func(name string) any {
		limit, _ := byName[name]["global_concurrency_limit"].(map[string]any)
		return limit["limit"]
	}
	return fmt.Sprint(number("d"), " ", number("other"))
}
