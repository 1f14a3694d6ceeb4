//go:build real

// Made-up pairs of a prefect.yaml, before and after: deploy A, plan B, deploy B, plan B. Half of A is the base commit's. The second plan must be empty, and what the server then holds must differ from
// what it held by exactly what the first plan said. Many pairs share one file, one deployment each, so that hundreds cost a minute.
//
//	PAIRS=200 SEED=7 go test -tags real -run TestPairs ./runner/conformance
package conformance

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// setting is a number from the environment.
func setting(t testing.TB, name string, orElse int) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(name))
	switch {
	case os.Getenv(name) == "":
		return orElse
	case err != nil:
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// pair is one deployment before and after; before is nil for a new one.
type pair struct {
	before, after map[string]any
	// based says that the base commit's file has the earlier one: then slugs that the later one dropped go, else they stay.
	based bool
}

// made gives a value of one field; all of them can be left out.
type made struct {
	field string
	value func(*rand.Rand) any
}

func pick(r *rand.Rand, from ...any) any { return from[r.Intn(len(from))] }

func madeFields() []made {
	parameters := func(r *rand.Rand) any {
		return pick(r, object{}, object{"name": "x"}, object{"name": "y", "times": 3}, object{"times": 2})
	}
	return []made{
		{"version", func(r *rand.Rand) any { return pick(r, "1", "2", "v3-é", "") }},
		{"version_type", func(r *rand.Rand) any { return pick(r, nil, "prefect:simple") }},
		{"description", func(r *rand.Rand) any {
			return pick(r, nil, "", "one", "two\nlines", "None", "{{ prefect.variables.word }}")
		}},
		{"tags", func(r *rand.Rand) any {
			return pick(r, nil, []any{}, []any{"a"}, []any{"b", "a"}, []any{"a", "a", "c"}, []any{"{{ prefect.variables.word }}", ""}, "{{ prefect.variables.list }}")
		}},
		{"parameters", parameters},
		{"enforce_parameter_schema", func(r *rand.Rand) any { return pick(r, nil, true, false) }},
		{"paused", func(r *rand.Rand) any { return pick(r, nil, true, false) }},
		{"concurrency_limit", func(r *rand.Rand) any {
			limit := object{"limit": 1 + r.Intn(4), "collision_strategy": pick(r, "ENQUEUE", "CANCEL_NEW")}
			if r.Intn(2) == 0 {
				limit["grace_period_seconds"] = pick(r, 60, 120, 600)
			}
			return pick(r, nil, 1, 2, 3, limit, limit, limit)
		}},
		{"pull", func(r *rand.Rand) any {
			in := func(dir string) any {
				return object{"prefect.deployments.steps.set_working_directory": object{"directory": dir}}
			}
			return pick(r, nil, []any{}, []any{in("/a")}, []any{in("/a"), in("/b")}, []any{object{"prefect.deployments.steps.git_clone": object{"id": "c", "repository": "https://git.example.com/x.git", "branch": pick(r, "a", "b")}}, in("{{ c.directory }}")})
		}},
		{"build", func(r *rand.Rand) any {
			return []any{object{"prefect.deployments.steps.run_shell_script": object{"id": "built", "script": pick(r, "echo one", "echo two")}}}
		}},
		{"entrypoint", func(r *rand.Rand) any { return pick(r, "flow.py:hello", "other.py:hello", "./flow.py:hello") }},
		{"work_pool", func(r *rand.Rand) any {
			pool := object{"name": pick(r, "pool", "other-pool")}
			if r.Intn(2) == 0 {
				pool["work_queue_name"] = pick(r, nil, "default", "q", "r")
			}
			if r.Intn(3) > 0 {
				pool["job_variables"] = pick(r, object{}, object{"cpu": r.Intn(2)}, object{"env": object{"A": pick(r, "1", "2", nil), "B": pick(r, 1.5, true, "x")}},
					object{"env": object{"A": "1"}, "list": []any{1, object{"k": r.Intn(2)}}}, object{"command": "{{ ctx.flow_run.name }} {{ prefect.variables.word }}"})
			}
			return pool
		}},
	}
}

// madeSchedules: all with slugs or none, as a server refuses schedules without slugs where all have some.
func madeSchedules(r *rand.Rand, slugs bool) any {
	if r.Intn(8) == 0 {
		return pick(r, []any{}, nil)
	}
	list := []any{}
	for i := range 1 + r.Intn(3) {
		s := pick(r, object{"cron": pick(r, "0 1 * * *", "5 4 1 * mon", "@daily")}, object{"cron": "0 0 1 * 1", "day_or": r.Intn(2) == 0}, object{"interval": pick(r, 60, 3600, 90.5, "PT1H")},
			object{"interval": 600, "anchor_date": pick(r, "2024-01-01T00:00:00Z", "2024-02-02T02:00:00+02:00")}, object{"rrule": pick(r, "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO", "DTSTART:20240101T000000\nRRULE:FREQ=DAILY")}).(object)
		for _, extra := range []made{{"timezone", func(r *rand.Rand) any { return pick(r, "UTC", "Europe/Berlin", "Asia/Tokyo") }}, {"active", func(r *rand.Rand) any { return r.Intn(2) == 0 }},
			{"parameters", func(r *rand.Rand) any { return pick(r, object{}, object{"name": "s"}, object{"times": r.Intn(3)}) }}} {
			if r.Intn(2) == 0 {
				s[extra.field] = extra.value(r)
			}
		}
		if slugs {
			s["slug"] = fmt.Sprintf("s%d", i+r.Intn(2)*3)
		}
		list = append(list, s)
	}
	return list
}

func makePair(r *rand.Rand, i int) pair {
	slugs := [2]bool{r.Intn(2) == 0, true}
	if !slugs[0] {
		slugs[1] = r.Intn(3) == 0
	}
	p := pair{before: object{}, after: object{}}
	for _, f := range append(madeFields(), made{"schedules", func(r *rand.Rand) any { return nil }}) {
		always := f.field == "entrypoint" || f.field == "work_pool"
		value := func(side int) any {
			if f.field == "schedules" {
				return madeSchedules(r, slugs[side])
			}
			return f.value(r)
		}
		often := 3
		if f.field == "build" {
			often = 1
		}
		if always || r.Intn(5) < often {
			p.before[f.field] = value(0)
			p.after[f.field] = p.before[f.field]
		}
		switch r.Intn(5) {
		case 0, 1:
			p.after[f.field] = value(1)
		case 2:
			if !always {
				delete(p.after, f.field)
			}
		}
	}
	if !slugs[0] && slugs[1] && p.after["schedules"] != nil && text(p.after["schedules"]) == text(p.before["schedules"]) {
		p.after["schedules"] = madeSchedules(r, true)
	}
	switch i % 12 { // chance alone gives too few
	case 0:
		p.before["schedules"] = []any{object{"slug": "old", "cron": "0 1 * * *", "timezone": "UTC"}}
		p.after["schedules"] = []any{object{"slug": "s0", "cron": pick(r, "0 1 * * *", "0 2 * * *"), "timezone": "UTC"}}
	case 6:
		dropSlug(r, p)
	}
	p.based = r.Intn(2) == 0
	rename(r, p)
	for _, d := range []map[string]any{p.before, p.after} {
		d["name"] = fmt.Sprintf("p%04d", i)
		if d["build"] != nil {
			pool := object{"job_variables": object{"image": "x:{{ built.stdout }}"}}
			for k, v := range d["work_pool"].(object) {
				if k != "job_variables" {
					pool[k] = v
				}
			}
			d["work_pool"] = pool
		}
	}
	if i%15 == 14 {
		p.before = nil
	}
	return p
}

// dropSlug lets the later file have less slugs than the earlier: a schedule less, or the same ones without slugs, one of them perhaps with another timing.
func dropSlug(r *rand.Rand, p pair) {
	slugged := func(slug, line string) object {
		return object{"slug": slug, "cron": line, "timezone": "UTC", "active": r.Intn(2) == 0}
	}
	first, second := slugged("s0", "0 1 * * *"), slugged("s1", "0 2 * * *")
	p.before["schedules"] = []any{first, second}
	switch r.Intn(3) {
	case 0:
		p.after["schedules"] = []any{first}
	default:
		p.after["schedules"] = []any{object{"cron": "0 1 * * *", "timezone": "UTC"}, object{"cron": pick(r, "0 2 * * *", "0 3 * * *"), "timezone": "UTC", "active": r.Intn(2) == 0}}
	}
}

// rename lets one schedule of the later file take the place of one of the earlier.
func rename(r *rand.Rand, p pair) {
	was, _ := p.before["schedules"].([]any)
	now, _ := p.after["schedules"].([]any)
	if len(was) == 0 || len(now) == 0 {
		return
	}
	used := map[string]bool{}
	for _, s := range now {
		used[str(s.(object), "slug")] = true
	}
	from := ""
	for _, s := range was {
		if slug := str(s.(object), "slug"); !used[slug] {
			from = slug
		}
	}
	if from == "" || used[""] {
		return
	}
	list := append([]any{}, now...)
	s := object{"replaces": from, "slug": "renamed"}
	for k, v := range list[0].(object) {
		if k != "slug" {
			s[k] = v
		}
	}
	list[0] = s
	p.after["schedules"] = list
}

// distinctSlugs says whether no slug stands twice, which the server refuses.
func distinctSlugs(d map[string]any) bool {
	list, _ := d["schedules"].([]any)
	seen := map[string]bool{}
	for _, s := range list {
		slug := str(s.(object), "slug")
		if slug != "" && seen[slug] {
			return false
		}
		seen[slug] = true
	}
	return true
}

func makePairs(seed int64, n int) []pair {
	r := rand.New(rand.NewSource(seed))
	var out []pair
	for len(out) < n {
		if p := makePair(r, len(out)); distinctSlugs(p.before) && distinctSlugs(p.after) {
			out = append(out, p)
		}
	}
	return out
}

// parts lists what a deployment says, fields of fields too.
func parts(prefix string, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if prefix != "" && !slices.Contains([]string{"work_pool", "schedules", "concurrency_limit"}, prefix) {
				break
			}
			parts(strings.TrimPrefix(prefix+"."+k, "."), x, into)
		}
	case []any:
		for i := range v {
			parts(prefix, v[i], into)
		}
	}
	if prefix != "" {
		into[prefix] += text(v)
	}
}

// differing counts in how many pairs each field differs.
func differing(pairs []pair) map[string]int {
	out := map[string]int{}
	for _, p := range pairs {
		a, b := map[string]string{}, map[string]string{}
		parts("", p.before, a)
		parts("", p.after, b)
		for k, v := range b {
			if a[k] != v {
				out[k]++
			}
		}
		for k := range a {
			if _, ok := b[k]; !ok {
				out[k]++
			}
		}
	}
	return out
}

// everyField are all keys of a deployment and its parts that decide what a server then holds of it, but for the name.
var everyField = []string{"version", "version_type", "description", "tags", "parameters", "enforce_parameter_schema", "paused", "concurrency_limit", "concurrency_limit.limit", "concurrency_limit.collision_strategy",
	"concurrency_limit.grace_period_seconds", "pull", "build", "entrypoint", "work_pool", "work_pool.name", "work_pool.work_queue_name", "work_pool.job_variables", "schedules", "schedules.cron",
	"schedules.day_or", "schedules.interval", "schedules.anchor_date", "schedules.rrule", "schedules.timezone", "schedules.active", "schedules.parameters", "schedules.slug", "schedules.replaces"}

// TestPairs is the property.
func TestPairs(t *testing.T) {
	n, seed := setting(t, "PAIRS", 20), int64(setting(t, "SEED", 1))
	t.Logf("PAIRS=%d SEED=%d", n, seed)
	pairs := makePairs(seed, n)
	counts := differing(pairs)
	for _, f := range everyField {
		if n >= 200 && counts[f] < 10 {
			t.Errorf("%s differs in %d pairs only", f, counts[f])
		}
	}
	a := server(t)
	a.reset(t)
	for _, pool := range []string{"pool", "other-pool"} {
		a.post(t, "/work_pools/", object{"name": pool, "type": "process"})
	}
	a.post(t, "/variables/", object{"name": "word", "value": "filled"})
	a.post(t, "/variables/", object{"name": "list", "value": []any{"x", "y"}})
	w := newWorkspace(t, a.url, map[string]string{"flow.py": flowSource, "other.py": strings.Replace(flowSource, "times: int = 1", "times: int = 1, more: float = 0.5", 1)})
	var before, based, after []any
	for _, p := range pairs {
		if p.before != nil {
			before = append(before, p.before)
		}
		if p.before != nil && p.based {
			based = append(based, p.before)
		}
		after = append(after, p.after)
	}
	w.write(t, "prefect.yaml", text(object{"deployments": based}))
	w.commit(t)
	w.write(t, "prefect.yaml", text(object{"deployments": before}))
	w.run(t, "deploy")
	held := a.byName(t)
	w.write(t, "prefect.yaml", text(object{"deployments": after}))
	said := w.run(t, "plan", "--base", "HEAD")
	w.run(t, "deploy", "--base", "HEAD")
	holds := a.byName(t)
	again := w.run(t, "plan", "--base", "HEAD")
	for i, p := range pairs {
		if d := again.Deployments[i]; d.Action != "unchanged" && d.Action != "rebuild" {
			t.Errorf("seed %d, pair %d: after deploying it the plan says %s %v\n%s", seed, i, d.Action, d.Changes, p)
		}
		name := p.after["name"].(string)
		c := &check{t: t, before: held[name], after: holds[name], wants: p.after, based: p.based, was: p.before, action: said.Deployments[i].Action, changes: said.Deployments[i].Changes}
		if faults := c.all(); len(faults) > 0 {
			t.Errorf("seed %d, pair %d, %s:\n  %s\n%s", seed, i, c.action, strings.Join(faults, "\n  "), p)
		}
	}
	if t.Failed() {
		keep(t, w)
	}
}

func (p pair) String() string { return "  A " + text(p.before) + "\n  B " + text(p.after) }

func (a api) byName(t *testing.T) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, d := range a.all(t, "/deployments/filter") {
		out[str(d, "name")] = d
	}
	return out
}

// keep leaves the last file where a person finds it.
func keep(t *testing.T, w *workspace) {
	data, err := os.ReadFile(filepath.Join(w.project, "prefect.yaml"))
	if err == nil {
		file := filepath.Join(os.TempDir(), "conformance-pairs.yaml")
		_ = os.WriteFile(file, data, 0o600)
		t.Logf("the later file is %s", file)
	}
}
