package graph

import (
	"bytes"
	"encoding/json"
)

// JSON is `compile graph --format json`, schema version 1.
func (g *Graph) JSON() []byte {
	type step struct {
		Key         string   `json:"key"`
		Action      string   `json:"action"`
		Function    string   `json:"function"`
		ID          string   `json:"id"`
		File        string   `json:"file"`
		Line        int      `json:"line"`
		Needs       []string `json:"needs"`
		Reads       []string `json:"reads"`
		Writes      []string `json:"writes"`
		Deployments []string `json:"deployments"`
	}
	type registration struct {
		Deployment string   `json:"deployment"`
		Needs      []string `json:"needs"`
		Entrypoint string   `json:"entrypoint"`
	}
	out := struct {
		Schema        int            `json:"schema"`
		Steps         []step         `json:"steps"`
		Registrations []registration `json:"registrations"`
	}{1, []step{}, []registration{}}
	for _, s := range g.Steps {
		out.Steps = append(out.Steps, step{s.Key, s.Action, s.Function, s.ID, s.File, int(s.Pos.Line), keys(append(append([]*Step(nil), s.Needs...), s.After...)), nonNil(s.Reads), nonNil(s.Writes), nonNil(s.Deployments)})
	}
	for _, r := range g.Registrations {
		out.Registrations = append(out.Registrations, registration{r.Deployment, keys(r.Steps), r.Entrypoint})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(out) // plain data: it cannot fail
	return b.Bytes()
}

func keys(steps []*Step) []string {
	out := []string{}
	seen := map[string]bool{}
	for _, s := range steps {
		if !seen[s.Key] {
			seen[s.Key] = true
			out = append(out, s.Key)
		}
	}
	return out
}

func nonNil(list []string) []string { return append([]string{}, list...) }
