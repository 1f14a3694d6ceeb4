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
			field(string(intent(d.Desired, value.NotHere).AppendJSON(nil)))
		}
		out[d.Name.String()] = hex.EncodeToString(h.Sum(nil))[:32]
	}
	return out
}

// intent is a new deployment as the file says it: without what is derived, and with what is not known yet as its template's text. Leaves with one of the hidden marks are
// left out.
func intent(d *Desired, hidden value.Origin) value.Value {
	out := value.Value{Kind: value.Map}
	for _, e := range d.Fields.Map {
		if !e.Value.Origin.Has(value.Derived) {
			out = out.Set(e.Key, leaves(e.Value, hidden))
		}
	}
	list := value.Value{Kind: value.List}
	for i := range d.Schedules {
		list.List = append(list.List, leaves(d.Schedules[i].Source, hidden))
	}
	out = out.Set("schedules", list)
	triggers := value.Value{Kind: value.List}
	for i := range d.Triggers {
		triggers.List = append(triggers.List, leaves(d.Triggers[i].Fields, hidden))
	}
	if len(triggers.List) > 0 {
		out = out.Set("triggers", triggers)
	}
	if d.SLAs != nil {
		out = out.Set("sla", leaves(value.Of(*d.SLAs), hidden))
	}
	return out
}

// leaves drops the marked parts of a value, and only those: what stands beside a secret or a step's output counts.
func leaves(v value.Value, hidden value.Origin) value.Value {
	switch {
	case v.Origin&(hidden|value.Built) != 0:
		return value.Value{}
	case v.Kind == value.List:
		list := make([]value.Value, len(v.List))
		for i := range v.List {
			list[i] = leaves(v.List[i], hidden)
		}
		v.List = list
	case v.Kind == value.Map:
		entries := append([]value.Entry(nil), v.Map...)
		for i := range entries {
			entries[i].Value = leaves(entries[i].Value, hidden)
		}
		v.Map = entries
	}
	return v
}
