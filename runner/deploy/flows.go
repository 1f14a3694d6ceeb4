// What is known of the flows: statically where that is sure, else settled by the Python worker at deploy. A plan imports no code, so there the unknown stays unknown.
package deploy

import (
	"context"
	"fmt"
	"sort"

	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/plan"
)

func (j *job) flowKey(e *plan.Early) string {
	return e.Resolved.File.Root() + "\x00" + e.Entrypoint
}

func (j *job) flowOf(e *plan.Early) plan.Flow { return j.flows[j.flowKey(e)] }

// readFlows learns of every entrypoint once.
func (j *job) readFlows(ctx context.Context) error {
	for _, e := range j.early {
		key := j.flowKey(e)
		if _, done := j.flows[key]; done {
			continue
		}
		static, problem := j.checker.Flow(e.Resolved.File, e.Entrypoint)
		if problem != nil {
			j.faults.Add(hideEntrypoint(e, check.ProblemAt(e.Resolved, problem)))
			continue
		}
		f := fromStatic(static)
		if reason := unsure(static); reason != "" {
			settled, err := j.settleFlow(ctx, e, static, f, reason)
			if err != nil {
				return err
			}
			f = settled
		}
		j.flows[key] = f
	}
	return nil
}

// hideEntrypoint takes the entrypoint's text out of what is wrong with it, where what fills it is sensitive: it stands there whole, in parts, or beside the nearest right one.
func hideEntrypoint(e *plan.Early, x diag.Diagnostic) diag.Diagnostic {
	if hidden(e) {
		x.Message, x.Help, x.Related = "the entrypoint "+diag.Quote(e.Shown("entrypoint"))+" leads to no flow that can be read, and what fills it is sensitive and so not shown", "look at what the variable or block holds", nil
	}
	return x
}

// hidden reports whether an entrypoint is filled with something sensitive.
func hidden(e *plan.Early) bool {
	v, _ := e.Fields.Get("entrypoint")
	return v.Marks().Has(value.Sensitive)
}

// unsure says why a flow's static reading is not the whole truth, "" when it is.
func unsure(f *flow.Flow) string {
	for _, reason := range []string{f.Unsure, f.NameUnknown, f.DescriptionUnknown, f.VersionUnknown} {
		if reason != "" {
			return reason
		}
	}
	if len(f.Unknown) == 0 {
		return ""
	}
	u := f.Unknown[0]
	if u.Parameter == "" {
		return u.Reason
	}
	return "parameter " + u.Parameter + ": " + u.Reason
}

func fromStatic(f *flow.Flow) plan.Flow {
	out := plan.Flow{Name: f.Name, Description: f.Description, Version: f.MD5, Schema: schemaValue(f.Schema), NameUnknown: f.NameUnknown != "" || f.Unsure != "", DescriptionUnknown: f.DescriptionUnknown != "" || f.Unsure != ""}
	if f.HasVersion {
		out.Version, out.Declared = f.Version, f.Version != ""
	}
	for _, u := range f.Unknown {
		out.SchemaUnknown = u.Reason
	}
	return out
}

// settleFlow asks the Python worker. Without a Python that has Prefect the static part stands, with a warning; a name can't be guessed.
func (j *job) settleFlow(ctx context.Context, e *plan.Early, static *flow.Flow, f plan.Flow, reason string) (plan.Flow, error) {
	d := e.Resolved
	at := d.Position(d.Field("entrypoint").Pos)
	if hidden(e) {
		reason = "what its entrypoint names is sensitive and so not shown"
	}
	if !j.acting {
		j.notes = append(j.notes, fmt.Sprintf("%s: settled at deploy, not examined here (%s)", e.Shown("entrypoint"), reason))
		if f.Name == "" {
			f.Name = d.Title()[:len(d.Title())-len(d.Name())-1]
		}
		return f, nil
	}
	info, err := j.importFlow(ctx, e)
	switch {
	case err == nil:
		return info, nil
	case ctx.Err() != nil:
		return f, ctx.Err()
	case isMissing(err) && static.NameUnknown == "":
		j.faults.Add(diag.Diagnostic{Severity: diag.Warning, Code: "flow-not-settled", Message: "a part of this flow's signature can't be read from its source: " + reason,
			Help: "it is registered without; with a Python that has Prefect and the flow's packages on PATH it is read by importing the flow", Position: at})
		return f, nil
	}
	j.faults.Add(diag.Diagnostic{Severity: diag.Error, Code: "flow-import-failed", Message: "the flow could not be imported: " + err.Error(),
		Help: "it had to be imported because of this: " + reason, Position: at})
	return f, nil
}

// missing marks an error that says there is no Python, or none with Prefect.
type missing struct{ error }

func isMissing(err error) bool {
	_, ok := err.(missing)
	return ok
}

func (j *job) importFlow(ctx context.Context, e *plan.Early) (plan.Flow, error) {
	python, err := j.interpreter()
	if err != nil {
		return plan.Flow{}, missing{err}
	}
	versions, err := python.Probe(ctx)
	if err != nil {
		return plan.Flow{}, missing{err}
	}
	if versions.Prefect == "" {
		return plan.Flow{}, missing{fmt.Errorf("%s has no Prefect", python.Path)}
	}
	root := j.root(e.Resolved)
	info, err := python.Flow(ctx, root, root, e.Entrypoint)
	if err != nil {
		return plan.Flow{}, err
	}
	return plan.Flow{Name: info.Name, Description: info.Description, Version: info.Version, Schema: info.Schema}, nil
}

// schemaValue turns a schema into a value with its keys in order.
func schemaValue(x any) value.Value {
	switch x := x.(type) {
	case map[string]any:
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		v := value.Value{Kind: value.Map, Map: make([]value.Entry, 0, len(keys))}
		for _, k := range keys {
			v.Map = append(v.Map, value.Entry{Key: k, KeyKind: value.Text, Value: schemaValue(x[k])})
		}
		return v
	case []any:
		v := value.Value{Kind: value.List, List: make([]value.Value, 0, len(x))}
		for _, item := range x {
			v.List = append(v.List, schemaValue(item))
		}
		return v
	case []string:
		v := value.Value{Kind: value.List}
		for _, item := range x {
			v.List = append(v.List, value.Of(item))
		}
		return v
	}
	return value.Of(x)
}
