// Triggers, as far as they can be judged before templates are filled. Prefect looks at them only when it deploys, after the build; here the file is enough.
package check

import (
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// triggers reports what Prefect would refuse of a deployment's triggers, and the keys that it ignores.
func (c *Checker) triggers(d *resolve.Deployment) {
	if d.Triggers != nil { // the command line's take their place
		return
	}
	open := func(v value.Value) bool { return v.Kind == value.Text && template.Has(v.Text) }
	for _, item := range d.Field("triggers").List {
		if item.Kind != value.Map {
			continue // its form is wrong, and said so
		}
		t := spec.ReadTrigger(item, open)
		for _, f := range t.Faults {
			c.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "invalid-trigger", Message: f.Message, Help: f.Help, Position: d.Position(f.Value.At(item.Pos).Pos)})
		}
		for _, u := range t.Unknown {
			c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "unknown-key", Message: "Prefect knows no key " + diag.Quote(u.Entry.Key) + " of a trigger of this kind and ignores it",
				Help: diag.DidYouMean(u.Entry.Key, u.Known), Position: d.Position(u.Entry.KeyPos)})
		}
	}
}
