//go:build real

// What a deploy wrote against what its plan said. Both sides are taken from the server's plain answers and compared here anew, not by the plan's own comparison, so that
// a fault of the latter can't hide itself.
package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// check is one deployment: the server's answers before and after, what the file wants, and what the plan said.
type check struct {
	t             *testing.T
	before, after map[string]any
	wants         map[string]any
	// was is the earlier file's deployment; based says that it is the base commit's too.
	was     map[string]any
	based   bool
	action  string
	changes []plannedChange
}

// compared are the fields of an answer that a plan speaks of, but for the schedules.
var compared = []string{"version", "description", "paused", "tags", "parameters", "enforce_parameter_schema", "parameter_openapi_schema", "entrypoint", "pull_steps", "job_variables",
	"work_pool_name", "work_queue_name", "concurrency_limit", "concurrency_options", "path", "labels", "name", "flow_id"}

func (c *check) all() []string {
	switch {
	case c.after == nil:
		return []string{"it is not on the server"}
	case c.before == nil && c.action != "create":
		return []string{"it is new, and the plan said " + c.action}
	case c.before == nil:
		return c.literal()
	case c.action == "unchanged":
		if text(c.before) != text(c.after) {
			return []string{"it was to be left alone: " + text(c.before) + "\n  " + text(c.after)}
		}
		return append(c.slugs(), c.literal()...)
	}
	return append(append(c.fields(), c.schedules()...), c.literal()...)
}

// literal holds what the file says plainly against the answer.
func (c *check) literal() (faults []string) {
	pool, _ := c.wants["work_pool"].(map[string]any)
	for _, f := range []struct {
		field string
		want  any
	}{{"version", c.wants["version"]}, {"description", c.wants["description"]}, {"parameters", c.wants["parameters"]}, {"paused", c.wants["paused"]},
		{"enforce_parameter_schema", c.wants["enforce_parameter_schema"]}, {"entrypoint", c.wants["entrypoint"]}, {"work_pool_name", pool["name"]}, {"job_variables", pool["job_variables"]},
		{"work_queue_name", pool["work_queue_name"]}} {
		if f.want == nil || f.want == "" || strings.Contains(text(f.want), "{{") {
			continue
		}
		if got := c.after[f.field]; text(got) != text(f.want) {
			faults = append(faults, fmt.Sprintf("%s: the file says %s, the server has %s", f.field, text(f.want), text(got)))
		}
	}
	limit, options := limitOf(c.wants["concurrency_limit"])
	now := answered(c.after)
	if text(now["concurrency_limit"]) != text(limit) || text(now["concurrency_options"]) != text(options) {
		faults = append(faults, fmt.Sprintf("concurrency_limit: the file says %s, the server has %s %s", text(c.wants["concurrency_limit"]), text(now["concurrency_limit"]), text(now["concurrency_options"])))
	}
	for field, empty := range map[string]string{"parameters": "{}", "tags": "[]", "job_variables": "{}"} { // what the file may hold and does not is cleared
		if c.wants[field] == nil && pool[field] == nil && text(now[field]) != empty {
			faults = append(faults, fmt.Sprintf("%s: the file has none, the server has %s", field, text(now[field])))
		}
	}
	slices.Sort(faults)
	return faults
}

// limitOf is what a server answers of a concurrency_limit of the file.
func limitOf(v any) (limit, options any) {
	m, ok := v.(map[string]any)
	if !ok {
		return v, nil
	}
	return m["limit"], map[string]any{"collision_strategy": m["collision_strategy"], "grace_period_seconds": m["grace_period_seconds"]}
}

// move is what became of one path.
type move struct{ before, after any }

// moves lists the smallest parts that differ: mappings by key, lists of one length that hold more than plain values by place, all else as a whole.
func moves(path string, before, after any, into map[string]move) {
	if text(before) == text(after) {
		return
	}
	x, okX := before.(map[string]any)
	y, okY := after.(map[string]any)
	if okX && okY {
		both := maps.Clone(x)
		maps.Copy(both, y)
		for _, k := range sortedKeys(both) {
			moves(strings.TrimPrefix(path+"."+k, "."), x[k], y[k], into)
			_, hasX := x[k]
			_, hasY := y[k]
			if hasX != hasY { // a null that comes or goes is a change too
				into[strings.TrimPrefix(path+"."+k, ".")] = move{x[k], y[k]}
			}
		}
		return
	}
	l, okL := before.([]any)
	m, okM := after.([]any)
	if okL && okM && len(l) == len(m) && slices.ContainsFunc(m, nested) {
		for i := range l {
			moves(fmt.Sprintf("%s[%d]", path, i), l[i], m[i], into)
		}
		return
	}
	into[path] = move{before, after}
}

func nested(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// answered are the compared fields of an answer, the limit under the name that the file gives it.
func answered(d map[string]any) map[string]any {
	out := map[string]any{}
	for _, f := range compared {
		out[f] = d[f]
	}
	out["concurrency_limit"] = nil
	if limit, ok := d["global_concurrency_limit"].(map[string]any); ok {
		out["concurrency_limit"] = limit["limit"]
	}
	return out
}

// fields: each move was said, with its values, and each thing said has moved.
func (c *check) fields() (faults []string) {
	moved := map[string]move{}
	moves("", answered(c.before), answered(c.after), moved)
	for _, change := range c.changes {
		if strings.HasPrefix(change.Path, "schedules") {
			continue
		}
		m, ok := moved[change.Path]
		delete(moved, change.Path)
		switch {
		case change.Value == "after-build", change.Value == "sensitive" && ok && withheld(change):
		case !ok:
			faults = append(faults, fmt.Sprintf("%s: the plan said %s → %s, and nothing became of it", change.Path, text(change.Before), text(change.After)))
		case text(m.before) != text(change.Before) && !c.filled(change.Path, change.Before, m.before) || text(m.after) != text(change.After) && !c.filled(change.Path, change.After, m.after):
			faults = append(faults, fmt.Sprintf("%s: the plan said %s → %s, it was %s → %s", change.Path, text(change.Before), text(change.After), text(m.before), text(m.after)))
		}
	}
	for _, path := range sortedKeys(moved) {
		if !c.derived(path) {
			faults = append(faults, fmt.Sprintf("%s: %s → %s, and the plan did not say so", path, text(moved[path].before), text(moved[path].after)))
		}
	}
	return faults
}

// withheld: nothing in these files is secret; what a server has in such places may be one, so it is not shown where the file no longer tells.
func withheld(c plannedChange) bool {
	inside := slices.ContainsFunc([]string{"job_variables", "parameters", "pull_steps"}, func(p string) bool { return strings.HasPrefix(c.Path, p) })
	return inside && (c.Reason == "removed" || strings.HasPrefix(c.Path, "job_variables.env."))
}

// filled: what the server makes of nothing. The plan says what was meant, before and after.
func (c *check) filled(path string, said, got any) bool {
	if options, ok := got.(map[string]any); ok && path == "concurrency_options" && options["grace_period_seconds"] == nil {
		return text(withoutKey(options, "grace_period_seconds")) == text(said)
	}
	return path == "work_queue_name" && said == nil && got == "default"
}

func withoutKey(m map[string]any, key string) map[string]any {
	out := maps.Clone(m)
	delete(out, key)
	return out
}

// derived: what nobody wrote is sent along with another change and is no change by itself.
func (c *check) derived(path string) bool {
	_, written := c.wants["pull"]
	return path == "version" && (c.wants["version"] == nil || c.wants["version"] == "") || strings.HasPrefix(path, "pull_steps") && (!written || c.wants["pull"] == nil)
}

// schedules: as many are gone, new or other as the plan named.
func (c *check) schedules() (faults []string) {
	touched, gone, came := map[string]bool{}, 0, 0
	for _, change := range c.changes {
		place, _, _ := strings.Cut(change.Path, "]")
		if !strings.HasPrefix(place, "schedules[") || touched[place] {
			continue
		}
		touched[place] = true
		whole := change.Path == place+"]"
		if !whole || change.Reason != "added" {
			gone++
		}
		if !whole || change.Reason != "removed" {
			came++
		}
	}
	before, after := plainSchedules(c.before), plainSchedules(c.after)
	if g, n := missing(before, after), missing(after, before); g != gone || n != came {
		faults = append(faults, fmt.Sprintf("the plan takes %d schedules away and brings %d, it was %d and %d:\n  said %v\n  before %v\n  after %v", gone, came, g, n, c.changes, before, after))
	}
	faults = append(faults, c.slugs()...)
	if len(touched) == 0 && text(c.before["schedules"]) != text(c.after["schedules"]) {
		faults = append(faults, "schedules were written that the plan does not name")
	}
	return faults
}

// slugs: one that the earlier file had and the later one, which has others, does not: it is gone where the base has it, and else has stayed.
func (c *check) slugs() (faults []string) {
	list, _ := c.wants["schedules"].([]any)
	wanted, all := map[string]bool{}, len(list) > 0
	for _, s := range list {
		s := s.(map[string]any)
		wanted[str(s, "slug")], wanted[str(s, "replaces")] = true, true
		all = all && str(s, "slug") != ""
	}
	earlier, _ := c.was["schedules"].([]any)
	for _, s := range earlier {
		slug := str(s.(map[string]any), "slug")
		if slug == "" || wanted[slug] || !all {
			continue
		}
		now, _ := c.after["schedules"].([]any)
		if there := slices.ContainsFunc(now, func(s any) bool { return str(s.(map[string]any), "slug") == slug }); there == c.based {
			faults = append(faults, fmt.Sprintf("the slug %s that the file dropped: the base has it %v, the server has it %v", slug, c.based, there))
		}
	}
	return faults
}

// plainSchedules are a deployment's schedules as texts without what the server keeps for itself.
func plainSchedules(d map[string]any) (out []string) {
	list, _ := d["schedules"].([]any)
	for _, s := range list {
		s := maps.Clone(s.(map[string]any))
		for _, k := range []string{"id", "created", "updated", "deployment_id"} {
			delete(s, k)
		}
		if p, ok := s["parameters"].(map[string]any); ok && len(p) == 0 {
			delete(s, "parameters")
		}
		out = append(out, text(s))
	}
	slices.Sort(out)
	return out
}

// missing counts those of a that b has not, doubled ones too.
func missing(a, b []string) (n int) {
	left := slices.Clone(b)
	for _, x := range a {
		if i := slices.Index(left, x); i >= 0 {
			left = slices.Delete(left, i, i+1)
		} else {
			n++
		}
	}
	return n
}
