//go:build real

// Triggers over a deployment's life: what an earlier deploy made, Prefect's own or ours, is changed in place or removed, what someone made by hand is left as it is to the
// last byte, and in the end the server holds what Prefect's own deploy of the last file alone would have left.
//
//	PAIRS=100 SEED=7 go test -tags real -run TestTriggerPairs ./runner/conformance
package conformance

import (
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// automations are the server's by name, whole.
func (a api) automations(t *testing.T) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, x := range a.all(t, "/automations/filter") {
		out[str(x, "name")] = x
	}
	return out
}

func project(triggers ...any) string {
	d := object{"name": "d", "entrypoint": "flow.py:hello", "work_pool": object{"name": "pool"}}
	if triggers != nil {
		d["triggers"] = triggers
	}
	return text(object{"pull": []any{}, "deployments": []any{d}})
}

func TestTriggersKeepTheirAutomations(t *testing.T) {
	a := server(t)
	a.reset(t)
	a.seed(t, setup{WorkPools: []map[string]any{{"name": "pool"}}})
	wire, address := watch(t, a)
	w := newWorkspace(t, address, map[string]string{"flow.py": flowSource})
	first := []any{object{"name": "one", "expect": []any{"a", "b"}, "parameters": object{"name": "{{ event.id }}"}}, object{"expect": []any{"c"}, "posture": "Proactive"},
		object{"require": "any", "triggers": []any{object{"expect": []any{"d"}}, object{"triggers": []any{object{"within": 5}}}}}}
	w.write(t, "prefect.yaml", project(first...))
	bin := filepath.Join(venv(t), "bin")
	w.c.Args = []string{"--all"}
	if code, said := w.c.run(t, w.project, command{words: []string{filepath.Join(bin, "prefect"), "--no-prompt", "deploy"}, path: bin + string(os.PathListSeparator) + os.Getenv("PATH"), env: w.cmd.env}); code != 0 {
		t.Fatalf("Prefect's own deploy: exit %d\n%s", code, said)
	}
	w.run(t, "deploy") // whatever else is not as Prefect left it
	made := a.automations(t)
	if len(made) != 3 {
		t.Fatalf("Prefect made %v", sortedKeys(made))
	}
	a.seedAutomation(t, map[string]any{"name": "by hand", "runs": "hello/d"})
	hand := a.automations(t)["by hand"]
	wire.take()
	if p := w.run(t, "deploy"); p.Summary["unchanged"] != 1 {
		t.Errorf("what Prefect's own deploy made differs: %v", p.paths())
	}
	if _, writes := wire.take(); len(writes) > 0 {
		t.Errorf("written again: %v", writes)
	}
	steps := []struct {
		triggers       []any
		changes, stays []string
		writes         string
	}{
		{[]any{object{"name": "one", "expect": []any{"a", "x"}, "enabled": false, "parameters": object{"name": "{{ event.name }}"}}, first[1], first[2]},
			[]string{"triggers[0].enabled", "triggers[0].parameters.name", "triggers[0].expect[1]"}, []string{"one", "d__automation_2", "d__automation_3"}, "PUT"},
		{[]any{object{"name": "one", "expect": []any{"a", "x"}}}, []string{"triggers[0].enabled", "triggers[0].parameters.name", "triggers[1]", "triggers[2]"}, []string{"one"}, "DELETE DELETE PUT"},
		{[]any{object{"name": "two"}, object{"name": "one", "expect": []any{"a", "x"}}}, []string{"triggers[0]"}, []string{"one"}, "POST"},
		{nil, []string{"triggers[0]", "triggers[1]"}, nil, "DELETE"},
	}
	for i, s := range steps {
		w.write(t, "prefect.yaml", project(s.triggers...))
		p := w.run(t, "deploy")
		var paths []string
		for _, c := range p.Deployments[0].Changes {
			paths = append(paths, c.Path)
		}
		if strings.Join(paths, " ") != strings.Join(s.changes, " ") {
			t.Errorf("step %d changes %v, want %v", i, paths, s.changes)
		}
		_, writes := wire.take()
		var methods []string
		for _, line := range slices.Compact(writes) { // a busy server is asked again
			method, path, _ := strings.Cut(line, " ")
			methods = append(methods, method)
			if !strings.HasPrefix(path, "/api/automations/") {
				t.Errorf("step %d writes %s", i, line)
			}
		}
		if strings.Join(methods, " ") != s.writes {
			t.Errorf("step %d writes %v", i, writes)
		}
		there := a.automations(t)
		for _, name := range s.stays {
			if there[name] == nil || there[name]["id"] != made[name]["id"] {
				t.Errorf("step %d: %s is another automation: %v", i, name, there[name])
			}
		}
		if len(there) != len(s.triggers)+1 || text(there["by hand"]) != text(hand) {
			t.Errorf("step %d: there are %v, and the one made by hand is\n%s\nand was\n%s", i, sortedKeys(there), text(there["by hand"]), text(hand))
		}
		if again := w.run(t, "plan"); again.Summary["unchanged"] != 1 {
			t.Errorf("step %d: afterwards %v", i, again.paths())
		}
		wire.take()
	}
}

// TestOwnerSurvives: an automation that we changed in place is still the deployment's to the server, so that Prefect's own next deploy does not double it.
func TestOwnerSurvives(t *testing.T) {
	a := server(t)
	a.reset(t)
	a.seed(t, setup{WorkPools: []map[string]any{{"name": "pool"}}})
	w := newWorkspace(t, a.url, map[string]string{"flow.py": flowSource, "prefect.yaml": project(object{"name": "one"})})
	w.run(t, "deploy")
	w.write(t, "prefect.yaml", project(object{"name": "one", "within": 5}))
	w.run(t, "deploy")
	_, found := a.call(t, http.MethodGet, "/deployments/name/hello/d", nil)
	a.call(t, http.MethodDelete, "/automations/owned-by/prefect.deployment."+str(found.(map[string]any), "id"), nil)
	if left := a.automations(t); len(left) > 0 {
		t.Errorf("left are %v", sortedKeys(left))
	}
}

// madeTrigger is a made-up trigger, depth deep at most.
func madeTrigger(r *rand.Rand, depth int) object {
	events := func() []any {
		return pick(r, []any{}, []any{"a"}, []any{"a", "b"}, []any{"b", "c", "a"}, []any{"d.*"}).([]any)
	}
	out := object{}
	maybe := func(key string, v any) {
		if r.Intn(2) == 0 {
			out[key] = v
		}
	}
	kind := r.Intn(6)
	if depth == 0 {
		kind = 5
	}
	switch kind {
	case 0, 1:
		list := []any{}
		for range 1 + r.Intn(3) {
			list = append(list, madeTrigger(r, depth-1))
		}
		out["triggers"] = list
		maybe("within", pick(r, nil, 60, "PT2M", 1.5))
		if kind == 0 {
			out["require"] = pick(r, "any", "all", 1, len(list))
		}
	default:
		maybe("expect", events())
		maybe("after", events())
		maybe("for_each", pick(r, []any{"x"}, []any{"y", "x"}))
		maybe("match", pick(r, object{}, object{"k": "v"}, object{"k": []any{"v", "w"}, "a.b": "c.*"}))
		maybe("match_related", pick(r, object{"r": "s"}, []any{object{"r": "s"}, object{"t": []any{"u"}}}))
		maybe("threshold", 1+r.Intn(3))
		maybe("within", pick(r, 0, 10, 60, 90.5))
		maybe("posture", pick(r, "Reactive", "Proactive"))
	}
	return out
}

// madeAutomation adds what only the outermost has.
func madeAutomation(r *rand.Rand) object {
	out := madeTrigger(r, 2)
	for _, extra := range []made{{"name", func(r *rand.Rand) any { return pick(r, "n", "m", "{{ prefect.variables.word }}") }}, {"description", func(r *rand.Rand) any { return pick(r, "", "said") }},
		{"enabled", func(r *rand.Rand) any { return pick(r, true, false, "{{ prefect.variables.off }}") }}, {"schedule_after", func(r *rand.Rand) any { return pick(r, 0, 30, "PT1M") }},
		{"parameters", func(r *rand.Rand) any {
			return pick(r, nil, object{}, object{"name": "{{ event.id }}"}, object{"times": 1 + r.Intn(2)})
		}},
		{"job_variables", func(r *rand.Rand) any { return pick(r, nil, object{}, object{"env": object{"A": pick(r, "1", "2")}}) }}} {
		if r.Intn(2) == 0 {
			out[extra.field] = extra.value(r)
		}
	}
	return out
}

// TestTriggerPairs is the property, the file before being the base of the one after.
func TestTriggerPairs(t *testing.T) {
	n, seed := setting(t, "PAIRS", 20), int64(setting(t, "SEED", 1))
	r := rand.New(rand.NewSource(seed))
	a := server(t)
	files := [2]string{}
	lists := make([][]any, n)
	for side := range files {
		var all []any
		for i := range n {
			for k := range lists[i] { // some stay as they are, some change a little, some go
				switch r.Intn(4) {
				case 0:
					lists[i][k] = madeAutomation(r)
				case 1:
					changed := object{}
					for key, v := range lists[i][k].(object) {
						changed[key] = v
					}
					changed["description"], changed["schedule_after"] = "edited", r.Intn(3)
					lists[i][k] = changed
				}
			}
			for range r.Intn(3) {
				lists[i] = append([]any{madeAutomation(r)}, lists[i]...)
			}
			if side == 1 && len(lists[i]) > 0 && r.Intn(2) == 0 {
				lists[i] = lists[i][1:]
			}
			all = append(all, object{"name": fmt.Sprintf("p%03d", i), "entrypoint": "flow.py:hello", "work_pool": object{"name": "pool"}, "triggers": append([]any{}, lists[i]...)})
		}
		files[side] = text(object{"pull": []any{}, "deployments": all})
	}
	begin := func() {
		a.reset(t)
		a.seed(t, setup{WorkPools: []map[string]any{{"name": "pool"}}, Variables: map[string]any{"word": "filled", "off": false}})
	}
	begin()
	w := newWorkspace(t, a.url, map[string]string{"flow.py": flowSource, "prefect.yaml": files[0]})
	g := (&gitSetup{}).defaults()
	g.run(t, w.project, "init", "-q", "-b", "main")
	g.run(t, w.project, "add", "-A")
	g.run(t, w.project, "commit", "-q", "-m", "before")
	w.run(t, "deploy")
	w.write(t, "prefect.yaml", files[1])
	based := func(verb string) string {
		w.c.Args = []string{"--all", "--base", "HEAD"}
		code, said := w.c.run(t, w.project, command{words: []string{program(t), verb}, path: w.cmd.path, env: w.cmd.env})
		if code != 0 {
			t.Fatalf("%s: exit %d\n%s", verb, code, said)
		}
		return said
	}
	based("deploy")
	if said := based("plan"); !strings.Contains(said, "No changes") {
		t.Errorf("seed %d: after deploying it the plan says\n%s", seed, said)
	}
	ours := a.snapshot(t, w.project, nil)
	begin()
	bin := filepath.Join(venv(t), "bin")
	cmd := exec.Command(filepath.Join(bin, "prefect"), "--no-prompt", "deploy", "--all")
	cmd.Dir, cmd.Env = w.project, append(cleanEnv(t.TempDir(), bin+string(os.PathListSeparator)+os.Getenv("PATH")), "PREFECT_API_URL="+a.url)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("seed %d: Prefect's own deploy: %v\n%s", seed, err, out)
	}
	theirs := a.snapshot(t, w.project, nil)
	theirs.Deployments, theirs.Flows, theirs.WorkQueues = ours.Deployments, ours.Flows, ours.WorkQueues
	if d := differences(theirs, ours); len(d) > 0 {
		t.Errorf("seed %d: Prefect's own deploy leaves other automations than ours\n%s", seed, strings.Join(d, "\n"))
	}
	if len(ours.Automations) < n/2 {
		t.Errorf("seed %d: only %d automations", seed, len(ours.Automations))
	}
}
