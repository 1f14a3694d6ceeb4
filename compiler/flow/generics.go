// Types with arguments: list[int], dict[str, X], tuple[…], Optional, Union, Literal, Annotated.

package flow

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

// arguments lists what stands in a subscript.
func arguments(e pysource.Expr) []pysource.Expr {
	if index := e.Items[1]; index.Op == pysource.Tuple {
		return index.Items
	}
	return e.Items[1:2]
}

func (c *scope) generic(e pysource.Expr) shape {
	o := c.resolve(e.Items[0])
	args := arguments(e)
	switch o.kind {
	case unbound:
		return shape{state: shapeNameError, reason: o.name + " is not defined there"}
	case unknownObject:
		return shape{reason: o.reason, shaky: true}
	case definition:
		if c.s.plainClass(o, 0) && c.s.isGeneric(o) && !c.fields {
			return c.each(args, func([]shape) shape { return knownShape() })
		}
		return unknownShape("the class " + o.name + " is not looked into")
	case builtin, external:
	default:
		return unknownShape("its type is an expression that is not understood")
	}
	switch name := canonical(o); name {
	case "typing.Literal":
		return c.literal(args)
	case "typing.Optional":
		if len(args) != 1 {
			return unknownShape("Optional takes one type")
		}
		return c.union([]shape{c.shape(args[0]), {state: shapeKnown, schema: map[string]any{"type": "null"}, null: true}})
	case "typing.Union":
		members := make([]shape, len(args))
		for i, a := range args {
			members[i] = c.shape(a)
		}
		return c.union(members)
	case "typing.Annotated":
		return c.annotated(args)
	case "type", "typing.Type":
		return c.each(args, func([]shape) shape { return knownShape() })
	case "typing.Callable", "collections.abc.Callable":
		return c.callable(args)
	default:
		if kind := family(name); kind != "" {
			return c.collection(kind, args)
		}
		return unknownShape("the type " + o.name + " is not known here")
	}
}

// callable has no JSON schema whatever its arguments are, but a name in them that is not defined still matters.
func (c *scope) callable(args []pysource.Expr) shape {
	for _, a := range args {
		list := []pysource.Expr{a}
		if a.Op == pysource.List {
			list = a.Items
		}
		for _, x := range list {
			if x.Op == pysource.Constant {
				continue
			}
			if s := c.shape(x); s.state == shapeNameError || s.state == shapeUnknown {
				return s
			}
		}
	}
	return shape{state: shapeInvalid}
}

// each evaluates all arguments; if all are known, then makes the result of them. An argument without JSON schema takes the whole
// type along.
func (c *scope) each(args []pysource.Expr, then func([]shape) shape) shape {
	all := make([]shape, len(args))
	worst := shape{state: shapeKnown}
	for i, a := range args {
		s := c.shape(a)
		switch {
		case s.state == shapeUnknown:
			return s
		case s.state == shapeNameError:
			worst = s
		case s.state != shapeKnown && worst.state == shapeKnown:
			worst = s
		}
		all[i] = s
	}
	if worst.state != shapeKnown {
		worst.union, worst.null = nil, false
		return worst
	}
	return then(all)
}

func (c *scope) collection(kind string, args []pysource.Expr) shape {
	switch kind {
	case "array", "set":
		if len(args) != 1 {
			return unknownShape("a list or set takes one type")
		}
		return c.each(args, func(s []shape) shape {
			r := knownShape("type", "array", "items", s[0].schema)
			if kind == "set" {
				r.schema["uniqueItems"] = true
			}
			return r
		})
	case "object":
		if len(args) != 2 {
			return unknownShape("a mapping takes two types")
		}
		return c.each(args, func(s []shape) shape { return mapping(s[0].schema, s[1].schema) })
	}
	if len(args) == 2 && args[1].Op == pysource.Constant && args[1].Text == "Ellipsis" {
		return c.each(args[:1], func(s []shape) shape { return knownShape("type", "array", "items", s[0].schema) })
	}
	return c.each(args, func(s []shape) shape {
		n := int64(len(s))
		r := knownShape("type", "array", "minItems", n, "maxItems", n)
		if n > 0 {
			items := make([]any, n)
			for i := range s {
				items[i] = s[i].schema
			}
			r.schema["prefixItems"] = items
		}
		return r
	})
}

// mapping follows pydantic: the values' schema always, the keys' only where it says more than "text".
func mapping(key, val map[string]any) shape {
	r := knownShape("type", "object")
	r.schema["additionalProperties"] = val
	if len(val) == 0 {
		r.schema["additionalProperties"] = true
	}
	if _, ref := key["$ref"]; ref || key["type"] == "string" && len(key) > 1 {
		names := map[string]any{}
		for k, v := range key {
			if k != "type" {
				names[k] = v
			}
		}
		r.schema["propertyNames"] = names
	}
	return r
}

// literal lists constants and members of enums.
func (c *scope) literal(args []pysource.Expr) shape {
	var values []any
	kinds := map[string]bool{}
	for _, a := range args {
		if a.Op != pysource.Constant && a.Op != pysource.String && a.Op != pysource.Int && a.Op != pysource.Unary && a.Op != pysource.Attribute {
			return unknownShape("a Literal of something that is no constant")
		}
		if c.text && a.Op == pysource.Attribute {
			return shape{state: shapeUnresolved}
		}
		v := c.s.eval(c.m, a, c.at)
		if v.state != valueKnown || a.Op == pysource.Attribute && v.kind != "enum" {
			return unknownShape("a Literal of something that is no constant")
		}
		for _, have := range values {
			if sameJSON(have, v.json) {
				return unknownShape("a Literal with equal values")
			}
		}
		values = append(values, v.json)
		kinds[jsonKind(v.json)] = true
	}
	r := knownShape("enum", values)
	if len(values) == 1 {
		r = knownShape("const", values[0])
	}
	for _, kind := range []string{"string", "integer", "number", "boolean", "null"} {
		if len(kinds) == 1 && kinds[kind] {
			r.schema["type"] = kind
		}
	}
	return r
}

// jsonKind is the JSON schema type of a value.
func jsonKind(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case int64:
		return "integer"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case nil:
		return "null"
	}
	return "object"
}

// annotated is known where all that follows the type is text or numbers, which pydantic ignores.
func (c *scope) annotated(args []pysource.Expr) shape {
	if len(args) < 2 {
		return unknownShape("Annotated takes a type and more")
	}
	for _, a := range args[1:] {
		switch a.Op {
		case pysource.String, pysource.Int, pysource.Float:
		default:
			return unknownShape("Annotated with something that may change the schema")
		}
	}
	if args[0].Op == pysource.String && strings.TrimSpace(args[0].Text) == "" {
		return unknownShape("an empty type")
	}
	return c.shape(args[0]).opaque()
}

// opaque hides that a shape is a union or None: behind Annotated or NewType, typing does not flatten it into a union around it.
func (s shape) opaque() shape {
	s.union, s.null, s.nulls = nil, false, false
	return s
}
