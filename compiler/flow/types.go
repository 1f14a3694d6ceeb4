// Annotations turned into the JSON schemas that pydantic gives them.
//
// The table at the heart of it (scalar, family) holds only types whose schema was recorded from the real thing; any other name makes
// the annotation unknown. Two ways of evaluation exist, because Prefect has two: normally an annotation is evaluated in its own
// module; but if one quoted annotation of a function cannot be, all its quoted annotations stay text, and pydantic evaluates that
// text in a module of Prefect's, where only builtins and `typing` are known.

package flow

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

type shapeState uint8

const (
	shapeUnknown    shapeState = iota
	shapeKnown                 // schema holds it
	shapeInvalid               // JSON schema cannot say it: the whole parameter takes anything, but a union just leaves it out
	shapeUnresolved            // a name in text that pydantic cannot resolve: the whole parameter takes anything
	shapeNameError             // evaluating it raises NameError
)

// shape is what an annotation turned out to be.
type shape struct {
	state  shapeState
	schema map[string]any
	reason string
	null   bool    // None
	union  []shape // of a union: its members, None left out
	nulls  bool    // of a union: None was among them
	shaky  bool    // of shapeUnknown: evaluating it may raise NameError
}

func knownShape(kv ...any) shape {
	m := make(map[string]any, len(kv)/2)
	for i := 0; i < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	return shape{state: shapeKnown, schema: m}
}

func unknownShape(reason string) shape { return shape{reason: reason} }

// scope is where annotations are evaluated.
type scope struct {
	s      *loading
	m      *module
	at     uint32
	class  int32 // the class around a method, or -1
	text   bool  // inside Prefect's own module: builtins and typing only
	tparam []string
	risk   string            // why importing the module may fail
	fields bool              // in the body of a model or dataclass, where classes of one's own are no types
	making []string          // models and dataclasses being made, outermost first
	defs   map[string]any    // definitions found so far
	owners map[string]object // who defined them
	clash  string            // a name that two definitions share
}

// resolve says what a name or dotted name in an annotation means.
func (c *scope) resolve(e pysource.Expr) object {
	if c.text {
		return textObject(e)
	}
	if e.Op == pysource.Name {
		if c.class >= 0 && c.inClass(e.Text) {
			return unknownf(e.Text + " is defined in the class")
		}
		for _, t := range c.tparam {
			if t == e.Text {
				return unknownf(e.Text + " is a type parameter")
			}
		}
	}
	return c.s.object(c.m, e, c.at)
}

// inClass reports whether the class around the method binds a name.
func (c *scope) inClass(name string) bool {
	f := c.m.file
	for _, s := range f.Statements {
		if s.In != c.class {
			continue
		}
		if s.Kind == pysource.Definition && f.Of(f.Defs[s.Def].Name) == name {
			return true
		}
		if s.Kind == pysource.Definition {
			continue
		}
		a, ok := f.Assigns(s.Span)
		if ok && a.Name == name && !a.Value.Empty() {
			return true
		}
		_, binds := f.Targets(s.Span)
		text := f.Of(s.Span)
		binds = binds || s.Kind == pysource.Import || s.Block >= 0 || strings.Contains(text, ":=") || strings.HasPrefix(text, "del ")
		if !ok && binds && strings.Contains(text, name) {
			return true
		}
	}
	return false
}

// textObject resolves as pydantic does in the module of Prefect that builds the model.
func textObject(e pysource.Expr) object {
	switch {
	case e.Op == pysource.Name && isBuiltin(e.Text):
		return object{kind: builtin, name: e.Text}
	case e.Op == pysource.Name && (e.Text == "typing" || e.Text == "t"):
		return object{kind: external, name: "typing"}
	case e.Op == pysource.Name && word(" inspect pydantic V2BaseModel ConfigDict PydanticUndefinedAnnotation create_model PydanticUserError "+
		"FieldInfo TypeAdapter GenerateEmptySchemaForUserClasses is_v2_model is_v2_type has_v2_type_as_param process_v2_params create_v2_schema ", e.Text):
		return unknownf(e.Text + " is a name of Prefect's own")
	case e.Op == pysource.Name:
		return object{kind: unbound, name: e.Text}
	case e.Op == pysource.Attribute:
		o := textObject(e.Items[0])
		if o.kind == external {
			return object{kind: external, name: o.name + "." + e.Text}
		}
		return o
	}
	return unknownf("it is computed")
}

// canonical is the one spelling of a builtin's or external object's name.
func canonical(o object) string {
	if o.kind != builtin && o.kind != external {
		return ""
	}
	n := o.name
	if rest, ok := strings.CutPrefix(n, "typing_extensions."); ok && rest != "TypedDict" {
		n = "typing." + rest
	}
	switch n {
	case "prefect.flows.flow", "prefect.main.flow":
		return "prefect.flow"
	case "datetime.UTC":
		return "datetime.timezone.utc"
	}
	return strings.TrimPrefix(n, "builtins.")
}

// shape evaluates an annotation.
func (c *scope) shape(e pysource.Expr) shape {
	if c.s.depth++; c.s.depth > maxDepth {
		c.s.depth--
		return unknownShape("its type is defined in too many steps")
	}
	defer func() { c.s.depth-- }()
	switch e.Op {
	case pysource.Constant:
		if e.Text == "None" {
			return shape{state: shapeKnown, schema: map[string]any{"type": "null"}, null: true}
		}
	case pysource.String:
		return c.quoted(e.Text)
	case pysource.Name, pysource.Attribute:
		return c.named(e)
	case pysource.Subscript:
		return c.generic(e)
	case pysource.Binary:
		if e.Text == "|" {
			for _, side := range e.Items {
				if side.Op == pysource.String {
					return unknownShape("a text stands beside | in its type")
				}
			}
			return c.union([]shape{c.shape(e.Items[0]), c.shape(e.Items[1])})
		}
	}
	return unknownShape("its type is an expression that is not understood")
}

// quoted is text inside an evaluated annotation, which pydantic resolves among builtins and typing.
func (c *scope) quoted(text string) shape {
	inner := *c
	inner.text = true
	s := inner.shape(pysource.ParseText(text))
	if s.state == shapeNameError {
		s.state = shapeUnresolved
	}
	return s
}

func (c *scope) named(e pysource.Expr) shape {
	o := c.resolve(e)
	switch o.kind {
	case builtin, external:
		name := canonical(o)
		if c.fields && (name == "datetime.tzinfo" || name == "collections.abc.Callable" || name == "typing.Callable") {
			return unknownShape("the type " + o.name + " in a model")
		}
		if s, ok := scalar(name); ok {
			return s
		}
		if kind := family(name); kind != "" {
			return bare(kind)
		}
		return unknownShape("the type " + o.name + " is not known here")
	case definition:
		return c.defined(o)
	case assigned:
		return c.alias(o)
	case unbound:
		return shape{state: shapeNameError, reason: o.name + " is not defined there"}
	case projectModule:
		return unknownShape("a module is no type")
	}
	return shape{reason: o.reason, shaky: true}
}

// alias follows `Name = type`, TypeVar and NewType.
func (c *scope) alias(o object) shape {
	e := o.mod.file.ParseExpr(o.span)
	inner := *c
	inner.m, inner.at, inner.class, inner.tparam = o.mod, o.at, -1, nil
	if e.Op == pysource.Call && len(e.Items) > 1 {
		switch name := canonical(c.s.object(o.mod, e.Items[0], o.at)); {
		case name == "typing.TypeVar" && len(e.Items) == 2:
			return knownShape()
		case name == "typing.NewType" && len(e.Items) == 3 && e.Keywords[1] == "":
			return inner.shape(e.Items[2]).opaque()
		}
		return unknownShape(o.name + " is the result of a call")
	}
	if e.Op == pysource.String || e.Op == pysource.Constant && e.Text != "None" {
		return unknownShape(o.name + " is no type")
	}
	s := inner.shape(e)
	c.clash = inner.clash
	if s.state == shapeNameError {
		return unknownShape(s.reason)
	}
	return s
}

// defined is the shape of a class of the project.
func (c *scope) defined(o object) shape {
	d := o.mod.file.Defs[o.def]
	if d.Kind != pysource.Class {
		return unknownShape(o.name + " is a function, no type")
	}
	members, schema, reason := c.s.enum(o)
	if reason == "" && len(members) > 0 {
		return c.reference(o, schema)
	}
	if kind := c.s.recordKind(o); kind != "" {
		return c.recordShape(o, kind)
	}
	if c.s.plainClass(o, 0) && !c.fields {
		return knownShape()
	}
	if reason == "" {
		reason = "the class " + o.name + " is not looked into"
	}
	return unknownShape(reason)
}

// reference notes a definition and refers to it.
func (c *scope) reference(o object, schema map[string]any) shape {
	name := o.mod.file.Of(o.mod.file.Defs[o.def].Name)
	if owner, ok := c.owners[name]; ok && (owner.mod != o.mod || owner.def != o.def) {
		c.clash = name
	}
	c.owners[name], c.defs[name] = o, schema
	return knownShape("$ref", "#/definitions/"+name)
}

func (c *scope) recordShape(o object, kind string) shape {
	schema, reason := c.record(o, kind)
	if reason != "" {
		return unknownShape(reason)
	}
	return c.reference(o, schema)
}

// union joins members as typing.Union and pydantic do: nested unions are flattened, None goes last, equal schemas count once.
func (c *scope) union(members []shape) shape {
	u := shape{state: shapeKnown}
	for _, m := range members {
		switch {
		case m.state != shapeKnown && m.state != shapeInvalid:
			return m
		case m.null:
			u.nulls = true
		case m.union != nil:
			u.union = append(u.union, m.union...)
			u.nulls = u.nulls || m.nulls
		default:
			u.union = append(u.union, m)
		}
	}
	if len(u.union) == 0 {
		return shape{state: shapeKnown, schema: map[string]any{"type": "null"}, null: true}
	}
	var choices []map[string]any
	for _, m := range u.union {
		if m.state == shapeKnown {
			choices = append(choices, m.schema)
		}
	}
	if len(u.union) == 1 && len(choices) == 0 {
		u.state = shapeInvalid
		return u
	}
	if len(choices) == 0 {
		return unknownShape("no member of the union has a schema")
	}
	u.schema = anyOf(choices)
	if u.nulls {
		u.schema = anyOf([]map[string]any{u.schema, {"type": "null"}})
	}
	return u
}

// anyOf is pydantic's flattened union of schemas.
func anyOf(choices []map[string]any) map[string]any {
	var flat []any
	add := func(s any) {
		for _, have := range flat {
			if sameJSON(have, s) {
				return
			}
		}
		flat = append(flat, s)
	}
	for _, s := range choices {
		if inner, ok := s["anyOf"].([]any); ok && len(s) == 1 {
			for _, x := range inner {
				add(x)
			}
			continue
		}
		add(s)
	}
	if len(flat) == 1 {
		return flat[0].(map[string]any)
	}
	return map[string]any{"anyOf": flat}
}

// sameJSON compares two JSON values as derived here.
func sameJSON(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			if w, ok := y[k]; !ok || !sameJSON(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameJSON(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case map[string]any, []any:
		return false
	}
	return a == b
}

// scalar gives the schemas of types that take no arguments.
func scalar(name string) (shape, bool) {
	text := func(format string) (shape, bool) { return knownShape("type", "string", "format", format), true }
	switch name {
	case "int":
		return knownShape("type", "integer"), true
	case "float":
		return knownShape("type", "number"), true
	case "str", "typing.Text", "complex":
		return knownShape("type", "string"), true
	case "bool":
		return knownShape("type", "boolean"), true
	case "bytes":
		return text("binary")
	case "object", "typing.Any", "typing.Hashable", "type", "typing.Type", "datetime.tzinfo":
		if name == "typing.Hashable" {
			return shape{}, false
		}
		return knownShape(), true
	case "decimal.Decimal":
		return knownShape("anyOf", []any{map[string]any{"type": "number"}, map[string]any{"type": "string"}}), true
	case "datetime.datetime":
		return text("date-time")
	case "datetime.date":
		return text("date")
	case "datetime.time":
		return text("time")
	case "datetime.timedelta":
		return text("duration")
	case "uuid.UUID":
		return text("uuid")
	case "pathlib.Path", "pathlib.PurePath":
		return text("path")
	case "ipaddress.IPv4Address":
		return text("ipv4")
	case "ipaddress.IPv6Address":
		return text("ipv6")
	case "re.Pattern":
		return text("regex")
	case "typing.Callable", "collections.abc.Callable":
		return shape{state: shapeInvalid}, true
	case "pydantic.SecretStr":
		return knownShape("type", "string", "writeOnly", true, "format", "password"), true
	case "pydantic.PositiveInt":
		return knownShape("type", "integer", "exclusiveMinimum", int64(0)), true
	case "pydantic.NonNegativeFloat":
		return knownShape("type", "number", "minimum", int64(0)), true
	case "pydantic.StrictBool":
		return knownShape("type", "boolean"), true
	case "pydantic.FilePath":
		return text("file-path")
	}
	return shape{}, false
}

// family groups the generic types that share a schema.
func family(name string) string {
	switch name {
	case "list", "typing.List", "typing.Sequence", "collections.abc.Sequence", "typing.Iterable", "collections.abc.Iterable", "typing.Deque", "collections.deque":
		return "array"
	case "set", "frozenset", "typing.Set", "typing.FrozenSet", "typing.AbstractSet", "collections.abc.Set":
		return "set"
	case "dict", "typing.Dict", "typing.Mapping", "collections.abc.Mapping", "typing.MutableMapping", "collections.abc.MutableMapping":
		return "object"
	case "tuple", "typing.Tuple":
		return "tuple"
	}
	return ""
}

// bare is a generic type without arguments.
func bare(kind string) shape {
	switch kind {
	case "object":
		return knownShape("type", "object", "additionalProperties", true)
	case "set":
		return knownShape("type", "array", "items", map[string]any{}, "uniqueItems", true)
	}
	return knownShape("type", "array", "items", map[string]any{})
}
