package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Digest is what binds one deployment's part of a plan. Changes is "" for one without a change of its own, Build for one without steps: the two are reviewed apart, as what a
// pull request changes of a deployment stays what it is when another one changes the steps that it shares with others.
type Digest struct{ Changes, Build string }

// Digests bind each deployment's part of a plan to a key: what was reviewed, in a form that shows nothing. Sensitive values are in them, which is why they are keyed; what
// is derived, not known here or known only after the build is not, but the steps that give the latter are. The state is in them: what was planned against one server is
// not reviewed for another.
func (p *Plan) Digests(key string) map[string]Digest {
	out := map[string]Digest{}
	for _, d := range p.Deployments {
		x := out[d.Name.String()]
		if d.Action != Unchanged && d.Action != Rebuild {
			x.Changes = d.changesDigest(key, p.target())
		}
		out[d.Name.String()] = x
	}
	for name, builds := range p.builds() {
		x := out[name.String()]
		x.Build = keyed(key, "build", p.target(), name.String(), joined(builds))
		out[name.String()] = x
	}
	for name, x := range out {
		if x == (Digest{}) {
			delete(out, name)
		}
	}
	return out
}

// AllBuilds is one digest for the steps of all deployments: what is left where there is no room for one each. It is "" without steps.
func (p *Plan) AllBuilds(key string) string {
	var lines []string
	for name, builds := range p.builds() {
		lines = append(lines, name.String()+"\x01"+joined(builds))
	}
	if len(lines) == 0 {
		return ""
	}
	sort.Strings(lines)
	return keyed(key, append([]string{"all builds", p.target()}, lines...)...)
}

// target is the state as far as it is the same on each machine: a file's path is not.
func (p *Plan) target() string {
	if file, ok := strings.CutPrefix(p.State, "file:"); ok {
		return "file:" + path.Base(strings.ReplaceAll(file, `\`, "/"))
	}
	return p.State
}

func keyed(key string, fields ...string) string {
	h := hmac.New(sha256.New, []byte(key))
	for _, f := range fields {
		h.Write([]byte(f))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

func (d *Deployment) changesDigest(key, target string) string {
	fields := []string{"changes", target, d.Name.String(), string(d.Action)}
	for _, c := range d.Changes {
		fields = append(fields, c.Path)
		if c.ValueKind() != AfterBuild && !c.Built {
			fields = append(fields, string(c.Before.AppendJSON(nil)), string(c.After.AppendJSON(nil)))
		}
	}
	if d.Action == Create && d.Desired != nil {
		fields = append(fields, string(intent(d.Desired, value.NotHere|value.Built).AppendJSON(nil)))
	}
	return keyed(key, fields...)
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
	case v.Origin&hidden != 0:
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
