// The entries of `sla`. Prefect validates them together with the file, before any template is filled, so a wrong one discards the whole file: each
// has a name and exactly what one of three models wants. Which of the three is meant is told from the keys, the first that fits counts.
package spec

import (
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

func (c *checker) slas(v value.Value) value.Value {
	if v.IsNull() {
		return v
	}
	if v.Kind != value.List {
		c.wrong(v, "sla", "a list of mappings", "begin each with a dash")
		return v
	}
	for _, item := range v.List {
		if item.Kind != value.Map {
			c.wrong(item, "each of sla", "a mapping", "write its name and one of duration, within and stale_after")
			continue
		}
		c.sla(item)
	}
	return v
}

func (c *checker) sla(v value.Value) {
	name, _ := v.Get("name")
	if name.IsNull() {
		c.fault(diag.Error, "wrong-type", name.At(v.Pos), "an SLA has a name", "write name: and a text")
	} else {
		c.text(name, "an SLA's name")
	}
	if severity, ok := v.Get("severity"); ok {
		switch severity.Text {
		case "minor", "low", "moderate", "high", "critical":
		default:
			c.fault(diag.Error, "wrong-type", severity, "an SLA's severity is minor, low, moderate, high or critical", "write one of them")
		}
	}
	if enabled, ok := v.Get("enabled"); ok {
		c.boolean(enabled, "an SLA's enabled")
	}
	c.slaSpan(v)
}

// slaSpan wants one of the three spans of time to be right; the others may then be anything.
func (c *checker) slaSpan(v value.Value) {
	wrong := value.Value{}
	for _, key := range []string{"duration", "within", "stale_after"} {
		span, ok := v.Get(key)
		if !ok {
			continue
		}
		if key == "duration" {
			if _, whole := laxInt(span); whole {
				return
			}
		} else if _, ok := Span(span); ok {
			return
		}
		if !wrong.Pos.Known() {
			wrong = span
		}
	}
	if wrong.Pos.Known() {
		c.fault(diag.Error, "wrong-type", wrong, "this is no span of time that Prefect takes here", "write a number of seconds; for within and stale_after PT10M and 00:10:00 are good too; templates are not filled here")
		return
	}
	c.fault(diag.Error, "wrong-type", v, "an SLA says what it watches", "write one of duration, within and stale_after")
}

// ReadSLA is an SLA as Prefect sends it: the first of the three models that fits counts, other keys are dropped, and what is not said is not sent.
func ReadSLA(v value.Value) value.Value {
	var out []value.Entry
	for _, key := range []string{"name", "severity", "enabled"} {
		x, ok := v.Get(key)
		if b, fits := lax(x); key == "enabled" && fits {
			x = value.Of(b)
		}
		if ok {
			out = append(out, entry(key, x))
		}
	}
	for _, key := range []string{"duration", "within", "stale_after"} {
		x, ok := v.Get(key)
		if whole, fits := laxInt(x); ok && key == "duration" && fits && !x.IsNull() {
			out = append(out, entry(key, whole))
			break
		}
		if seconds, fits := Span(x); ok && key != "duration" && fits {
			out = append(out, entry(key, value.Of(seconds)))
			break
		}
	}
	return value.Value{Kind: value.Map, Pos: v.Pos, Map: out}
}
