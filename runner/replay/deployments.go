// What the jobs of a workflow said of deployments: the action's output of that name.
package replay

import "encoding/json"

// Deployment is what became of a deployment, or would have, in the words of the action.
type Deployment struct {
	Deployment string `json:"deployment"`
	Action     string `json:"action"`
	Outcome    string `json:"outcome"`
	Error      string `json:"error"`
}

// Deployments are those of the last word of each job that has said something of any, in the workflow's order.
func (r *Result) Deployments() []Deployment {
	last := map[string][]Deployment{}
	for _, o := range r.Outputs {
		var list []Deployment
		if o.Name == "deployments" && json.Unmarshal([]byte(o.Value), &list) == nil && len(list) > 0 {
			last[o.Job] = list
		}
	}
	var out []Deployment
	for _, j := range r.Jobs {
		out = append(out, last[j.ID]...)
	}
	return out
}
