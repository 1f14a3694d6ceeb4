package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Digests bind each deployment's part of a plan to a key: what was reviewed, in a form that shows nothing. Sensitive values are in them, which is why they are keyed; what
// is derived, not known here or known only after the build is not. Deployments without a change of their own have none.
func (p *Plan) Digests(key string) map[string]string {
	out := map[string]string{}
	for _, d := range p.Deployments {
		if d.Action == Unchanged || d.Action == Rebuild {
			continue
		}
		h := hmac.New(sha256.New, []byte(key))
		field := func(s string) {
			h.Write([]byte(s))
			h.Write([]byte{0})
		}
		field(d.Name.String())
		field(string(d.Action))
		for _, c := range d.Changes {
			field(c.Path)
			if c.ValueKind() != AfterBuild && !c.Built {
				field(string(c.Before.AppendJSON(nil)))
				field(string(c.After.AppendJSON(nil)))
			}
		}
		if d.Action == Create && d.Desired != nil {
			field(string(reviewable(d.Desired).AppendJSON(nil)))
		}
		out[d.Name.String()] = hex.EncodeToString(h.Sum(nil))[:32]
	}
	return out
}

// reviewable is a new deployment as far as its values are settled.
func reviewable(d *Desired) value.Value {
	out := value.Value{Kind: value.Map}
	for _, e := range d.Fields.Map {
		if e.Value.Marks()&(value.AfterBuild|value.Derived|value.NotHere|value.Built) == 0 && e.Key != "version" {
			out = out.Set(e.Key, e.Value)
		}
	}
	list := value.Value{Kind: value.List}
	for i := range d.Schedules {
		list.List = append(list.List, d.Schedules[i].Source)
	}
	return out.Set("schedules", list)
}
