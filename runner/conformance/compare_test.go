// What was registered, in a form that two runs of the same thing share, and the differences of two of them. What is left out is listed here with its reason; all else
// counts, also fields that this project does not know of.
package conformance

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"sort"
	"strings"
	"time"
)

// snapshot is what a server, or a state file, holds.
type snapshot struct {
	// Failed says that the command ended with another code than 0; which one, and in what words, is each program's own.
	Failed      bool     `json:"failed"`
	Deployments []any    `json:"deployments"`
	Flows       []any    `json:"flows"`
	Automations []any    `json:"automations"`
	WorkQueues  []string `json:"work_queues"`
}

// notIntent are the fields of a deployment that nobody chose: identifiers, times, people, what its runs did, and the server's older spellings of other fields.
var notIntent = []string{"id", "created", "updated", "created_by", "updated_by", "flow_id", "work_queue_id", "last_polled", "status", "storage_document_id",
	"infrastructure_document_id", "global_concurrency_limit", "concurrency_limit_id", "disabled"}

// normalDeployment keeps what was chosen. flow is the name of its flow.
func normalDeployment(d map[string]any, flow string) map[string]any {
	out := map[string]any{}
	for k, v := range d {
		out[k] = v
	}
	if limit, ok := d["global_concurrency_limit"]; ok { // the server answers the limit here; the field of that name is always null
		out["concurrency_limit"] = nil
		if m, ok := limit.(map[string]any); ok {
			out["concurrency_limit"] = m["limit"]
		}
	}
	for _, k := range notIntent {
		delete(out, k)
	}
	out["flow_name"] = flow
	if out["description"] == "None" { // the text under which 3.8.8 creates a deployment whose flow has no docstring; nobody is asked to repeat that
		out["description"] = nil
	}
	if labels, ok := out["labels"].(map[string]any); ok {
		kept := map[string]any{}
		for k, v := range labels {
			if !strings.HasPrefix(k, "prefect.") && !strings.HasPrefix(k, "x-ci.") { // the server's own, and our mark of ownership
				kept[k] = v
			}
		}
		out["labels"] = kept
	}
	var schedules []any
	list, _ := out["schedules"].([]any)
	for _, s := range list {
		schedules = append(schedules, normalSchedule(s.(map[string]any)))
	}
	out["schedules"] = ordered(schedules) // their order means nothing, and a server gives them in any
	return out
}

func normalSchedule(s map[string]any) map[string]any {
	out := map[string]any{"active": s["active"], "max_scheduled_runs": s["max_scheduled_runs"], "slug": s["slug"], "parameters": s["parameters"]}
	if out["parameters"] == nil {
		out["parameters"] = map[string]any{}
	}
	timing := map[string]any{}
	body, _ := s["schedule"].(map[string]any)
	for k, v := range body {
		timing[k] = v
	}
	if anchor, ok := timing["anchor_date"].(string); ok && nearNow(anchor, time.RFC3339Nano) {
		timing["anchor_date"] = "<now>"
	}
	if rule, ok := timing["rrule"].(string); ok {
		timing["rrule"] = regexp.MustCompile(`\d{8}T\d{6}`).ReplaceAllStringFunc(rule, func(s string) string {
			if nearNow(s, "20060102T150405") {
				return "<now>"
			}
			return s
		})
	}
	out["schedule"] = timing
	return out
}

// normalAutomation drops what the server adds to an automation, and orders its sets.
func normalAutomation(a map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range a {
		if k != "id" && k != "created" && k != "updated" {
			out[k] = v
		}
	}
	out["trigger"] = normalTrigger(out["trigger"])
	return out
}

func normalTrigger(v any) any {
	trigger, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, v := range trigger {
		switch list, _ := v.([]any); k {
		case "id":
		case "after", "expect", "for_each":
			out[k] = ordered(list)
		case "triggers":
			children := []any{}
			for _, child := range list {
				children = append(children, normalTrigger(child))
			}
			out[k] = children
		default:
			out[k] = v
		}
	}
	return out
}

// nearNow tells a time that Prefect filled in from one that was written: the cases write times of past years only.
func nearNow(text, layout string) bool {
	at, err := time.Parse(layout, text)
	return err == nil && time.Since(at).Abs() < 36*time.Hour
}

// ordered sorts by content and never gives nil.
func ordered(list []any) []any {
	out := append([]any{}, list...)
	sort.SliceStable(out, func(i, j int) bool { return text(out[i]) < text(out[j]) })
	return out
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data that came from JSON
	}
	return string(data)
}

// replaced changes every text inside v.
func replaced(v any, change func(string) string) any {
	switch v := v.(type) {
	case string:
		return change(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = replaced(v[i], change)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[change(k)] = replaced(v[k], change)
		}
		return out
	}
	return v
}

// rewrite puts the project's folder and the identifiers of deployments out of all texts.
func (s *snapshot) rewrite(pairs ...string) {
	change := strings.NewReplacer(pairs...).Replace
	for _, list := range []*[]any{&s.Deployments, &s.Flows, &s.Automations} {
		*list = ordered(replaced(*list, change).([]any))
	}
	sort.SliceStable(s.Deployments, func(i, j int) bool { return label(s.Deployments[i]) < label(s.Deployments[j]) })
	sort.Strings(s.WorkQueues)
	if s.WorkQueues == nil {
		s.WorkQueues = []string{}
	}
}

// label is the name under which an item of a list is compared, "" when it has none.
func label(v any) string {
	m, _ := v.(map[string]any)
	name, _ := m["name"].(string)
	if flow, ok := m["flow_name"].(string); ok {
		return flow + "/" + name
	}
	return name
}

// tree is the snapshot as plain data.
func (s *snapshot) tree() any {
	var out any
	d := json.NewDecoder(strings.NewReader(text(s)))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		panic(err)
	}
	return out
}

// differences names every part that is not the same: "- path" is missing, "+ path: value" too much, "! path: want X, got Y" another.
// What is missing needs no value: the recording has it.
func differences(want, got *snapshot) []string {
	return differ("", want.tree(), got.tree(), nil)
}

func differ(path string, want, got any, out []string) []string {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return differMaps(path, w, g, out)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return differLists(path, w, g, out)
		}
	case json.Number:
		if g, ok := got.(json.Number); ok && sameNumber(w, g) {
			return out
		}
	}
	if text(want) == text(got) {
		return out
	}
	return append(out, fmt.Sprintf("! %s: want %s, got %s", path, text(want), text(got)))
}

func differMaps(path string, want, got map[string]any, out []string) []string {
	all := map[string]bool{}
	for k := range want {
		all[k] = true
	}
	for k := range got {
		all[k] = true
	}
	for _, k := range sortedKeys(all) {
		here := k
		if path != "" {
			here = path + "." + k
		}
		w, wanted := want[k]
		g, given := got[k]
		switch {
		case !given:
			out = append(out, "- "+here)
		case !wanted:
			out = append(out, "+ "+here+": "+text(g))
		default:
			out = differ(here, w, g, out)
		}
	}
	return out
}

// differLists pairs items by name where all have one, else by place.
func differLists(path string, want, got []any, out []string) []string {
	w, okW := byLabel(want)
	g, okG := byLabel(got)
	if okW && okG && len(want)+len(got) > 0 {
		return differMaps(path, w, g, out)
	}
	for i := range max(len(want), len(got)) {
		here := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case i >= len(got):
			out = append(out, "- "+here)
		case i >= len(want):
			out = append(out, "+ "+here+": "+text(got[i]))
		default:
			out = differ(here, want[i], got[i], out)
		}
	}
	return out
}

func byLabel(list []any) (map[string]any, bool) {
	out := map[string]any{}
	for _, item := range list {
		name := label(item)
		if _, twice := out["["+name+"]"]; name == "" || twice {
			return nil, false
		}
		out["["+name+"]"] = item
	}
	return out, true
}

// sameNumber: 60 and 60.0 are one number, in Python too.
func sameNumber(a, b json.Number) bool {
	x, okX := new(big.Rat).SetString(a.String())
	y, okY := new(big.Rat).SetString(b.String())
	return okX && okY && x.Cmp(y) == 0
}

// unexpected are the differences without the declared ones, and, behind them, the declared ones that do not show.
func (c *testCase) unexpected(found []string, shows func(string) bool) []string {
	declared := map[string]bool{}
	if c.Departs != nil {
		for _, d := range c.Departs.Differences {
			declared[d] = shows(d)
		}
	}
	var out []string
	for _, f := range found {
		if _, ok := declared[f]; !ok {
			out = append(out, f)
		}
		delete(declared, f)
	}
	for _, d := range sortedKeys(declared) {
		if declared[d] {
			out = append(out, "declared, and not there any more: "+d)
		}
	}
	return out
}
