// Judging a value by a JSON schema (draft 2020-12, as far as work pools' templates use it) with three answers: a fault, none, and not to
// be told because something is not known here. Every fault says what the template wants and never shows the value itself.
package plan

import (
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// schemaJudge compares a value with a schema and collects faults. unsure is set when something was met that can't be judged.
type schemaJudge struct {
	pool string
	// flow, in place of the pool, is whose parameters are judged.
	flow string
	root value.Value
	// formats: whether "format" counts.
	formats bool
	faults  []JobVariableFault
	unsure  bool
}

// pending marks what is not to be judged.
const pending = value.AfterBuild | value.NotHere | value.Sensitive

// deepest bounds schemas that refer to themselves.
const deepest = 60

func (j *schemaJudge) fault(path string, pos value.Pos, format string, args ...any) {
	j.faults = append(j.faults, JobVariableFault{Path: path, Pos: pos,
		Message: j.who() + " wants " + fmt.Sprintf(format, args...)})
}

func (j *schemaJudge) who() string {
	if j.flow != "" {
		return "the flow " + diag.Clean(j.flow)
	}
	return "the work pool " + diag.Clean(j.pool)
}

func (j *schemaJudge) aside() *schemaJudge {
	return &schemaJudge{pool: j.pool, flow: j.flow, root: j.root, formats: j.formats}
}

// try judges aside: ok and sure tell what came of it.
func (j *schemaJudge) try(schema, v value.Value, path string, pos value.Pos, depth int) (ok, sure bool) {
	aside := j.aside()
	aside.judge(schema, v, path, pos, depth)
	return len(aside.faults) == 0, !aside.unsure
}

// judge adds the faults of v.
func (j *schemaJudge) judge(schema, v value.Value, path string, pos value.Pos, depth int) {
	if v.Pos.Known() {
		pos = v.Pos
	}
	switch {
	case v.Origin&pending != 0 || depth > deepest:
		j.unsure = true
		return
	case schema.Kind == value.Bool && !schema.Bool:
		j.fault(path, pos, "no %s", name(path))
		return
	case schema.Kind != value.Map:
		return
	}
	for _, e := range schema.Map {
		switch e.Key {
		case "$ref":
			if target, ok := j.resolve(e.Value.Text); ok {
				j.judge(target, v, path, pos, depth+1)
			} else {
				j.unsure = true
			}
		case "type":
			if !hasType(e.Value, v) {
				j.fault(path, pos, "%s for %s, not %s", wanted(e.Value), name(path), v.Kind)
			}
		case "enum":
			j.enum(e.Value.List, v, path, pos)
		case "const":
			j.enum([]value.Value{e.Value}, v, path, pos)
		case "anyOf", "oneOf", "allOf", "not", "if":
			j.combine(e.Key, schema, e.Value, v, path, pos, depth)
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
			j.number(e.Key, e.Value, v, path, pos)
		case "minLength", "maxLength", "pattern", "format":
			j.text(e.Key, e.Value, v, path, pos)
		case "minItems", "maxItems", "minProperties", "maxProperties":
			j.size(e.Key, e.Value, v, path, pos)
		case "required":
			j.required(e.Value, v, path, pos)
		case "uniqueItems":
			j.unique(e.Value, v, path, pos)
		case "contains", "propertyNames", "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties",
			"$dynamicRef":
			j.unsure = true
		}
	}
	switch v.Kind {
	case value.Map:
		j.members(schema, v, path, depth)
	case value.List:
		j.items(schema, v, path, pos, depth)
	}
}

// name is the variable's own name for a message.
func name(path string) string {
	return diag.Clean(strings.TrimPrefix(strings.TrimPrefix(path, "job_variables."), "parameters."))
}

// resolve finds "#/definitions/Name" in the schema.
func (j *schemaJudge) resolve(ref string) (value.Value, bool) {
	rest, local := strings.CutPrefix(ref, "#")
	at := j.root
	for _, key := range strings.Split(rest, "/")[1:] {
		var ok bool
		if at, ok = at.Get(strings.NewReplacer("~1", "/", "~0", "~", "%20", " ").Replace(key)); !ok {
			return at, false
		}
	}
	return at, local
}

// hasType: true and false are no numbers, 1.0 is a whole one.
func hasType(kind, v value.Value) bool {
	if kind.Kind == value.List {
		for _, k := range kind.List {
			if hasType(k, v) {
				return true
			}
		}
		return false
	}
	switch kind.Text {
	case "null":
		return v.Kind == value.Null
	case "boolean":
		return v.Kind == value.Bool
	case "integer":
		return v.Kind == value.Int || v.Kind == value.Float && v.Float == math.Trunc(v.Float) && !math.IsInf(v.Float, 0)
	case "number":
		return v.Kind == value.Int || v.Kind == value.Float
	case "string":
		return v.Kind == value.Text
	case "array":
		return v.Kind == value.List
	case "object":
		return v.Kind == value.Map
	}
	return true
}

// wanted says in words what a type is.
func wanted(kind value.Value) string {
	if kind.Kind == value.List {
		var words []string
		for _, k := range kind.List {
			words = append(words, wanted(k))
		}
		return strings.Join(words, " or ")
	}
	switch kind.Text {
	case "boolean":
		return value.Bool.String()
	case "integer":
		return value.Int.String()
	case "number":
		return value.Float.String()
	case "string":
		return value.Text.String()
	case "array":
		return value.List.String()
	case "object":
		return value.Map.String()
	}
	return diag.Clean(kind.Text)
}

func (j *schemaJudge) enum(allowed []value.Value, v value.Value, path string, pos value.Pos) {
	if v.Marks()&pending != 0 {
		j.unsure = true
		return
	}
	var words []string
	for _, a := range allowed {
		if value.Equal(a, v) {
			return
		}
		words = append(words, string(a.AppendJSON(nil)))
	}
	one := "one of "
	if len(words) == 1 {
		one = ""
	}
	j.fault(path, pos, "%s%s for %s", one, listed(words), name(path))
}

// combine handles what joins schemas.
func (j *schemaJudge) combine(key string, schema, parts, v value.Value, path string, pos value.Pos, depth int) {
	switch key {
	case "allOf":
		for _, part := range parts.List {
			j.judge(part, v, path, pos, depth+1)
		}
	case "not":
		if ok, sure := j.try(parts, v, path, pos, depth+1); !sure {
			j.unsure = true
		} else if ok {
			j.fault(path, pos, "another value for %s", name(path))
		}
	case "if":
		ok, sure := j.try(parts, v, path, pos, depth+1)
		then := map[bool]string{true: "then", false: "else"}[ok]
		if branch, said := schema.Get(then); !sure {
			j.unsure = true
		} else if said {
			j.judge(branch, v, path, pos, depth+1)
		}
	default:
		j.alternatives(key == "oneOf", parts.List, v, path, pos, depth)
	}
}

// alternatives: one must hold, or exactly one. The fault is that of the only alternative which wants this kind of value, if there is one.
func (j *schemaJudge) alternatives(exactlyOne bool, parts []value.Value, v value.Value, path string, pos value.Pos, depth int) {
	held, closest, near := 0, &schemaJudge{}, 0
	var words []string
	for _, part := range parts {
		aside := j.aside()
		aside.judge(part, v, path, pos, depth+1)
		switch {
		case aside.unsure:
			j.unsure = true
			return
		case len(aside.faults) == 0:
			held++
			continue
		}
		target := part
		if ref, ok := part.Get("$ref"); ok {
			target, _ = j.resolve(ref.Text)
		}
		kind, typed := target.Get("type")
		if typed {
			words = append(words, wanted(kind))
		}
		if !typed || hasType(kind, v) {
			closest, near = aside, near+1
		}
	}
	switch {
	case held == 1 || held > 1 && !exactlyOne:
	case held > 1:
		j.fault(path, pos, "%s to fit only one of its alternatives", name(path))
	case near == 1:
		j.faults = append(j.faults, closest.faults...)
	case near > 1 || len(words) == 0:
		j.fault(path, pos, "another value for %s", name(path))
	default:
		j.fault(path, pos, "%s for %s, not %s", strings.Join(words, " or "), name(path), v.Kind)
	}
}

func float(v value.Value) float64 {
	if v.Kind == value.Float {
		return v.Float
	}
	return float64(v.Int)
}

func (j *schemaJudge) number(key string, bound, v value.Value, path string, pos value.Pos) {
	if v.Kind != value.Int && v.Kind != value.Float || v.Big() || bound.Big() {
		return
	}
	x, b := float(v), float(bound)
	broken, word := false, ""
	switch key {
	case "minimum":
		broken, word = x < b, "at least"
	case "maximum":
		broken, word = x > b, "at most"
	case "exclusiveMinimum":
		broken, word = x <= b, "more than"
	case "exclusiveMaximum":
		broken, word = x >= b, "less than"
	case "multipleOf":
		broken, word = b != 0 && math.Mod(x, b) != 0, "a multiple of"
	}
	if broken {
		j.fault(path, pos, "%s %s for %s", word, bound.AppendJSON(nil), name(path))
	}
}

func (j *schemaJudge) text(key string, rule, v value.Value, path string, pos value.Pos) {
	if v.Kind != value.Text {
		return
	}
	length := int64(utf8.RuneCountInString(v.Text))
	switch key {
	case "minLength":
		if length < rule.Int {
			j.fault(path, pos, "at least %d characters for %s", rule.Int, name(path))
		}
	case "maxLength":
		if length > rule.Int {
			j.fault(path, pos, "at most %d characters for %s", rule.Int, name(path))
		}
	case "pattern":
		// Python's expressions know more than Go's: one that does not compile here is not judged.
		if pattern, err := regexp.Compile(rule.Text); err != nil {
			j.unsure = true
		} else if !pattern.MatchString(v.Text) {
			j.fault(path, pos, "text that matches %s for %s", diag.Clean(rule.Text), name(path))
		}
	case "format":
		if j.formats && !hasFormat(rule.Text, v.Text) {
			j.fault(path, pos, "text of the form %s for %s", diag.Clean(rule.Text), name(path))
		}
	}
}

// hasFormat knows the formats that Prefect's validator checks and that templates use; others hold always.
func hasFormat(format, text string) bool {
	switch format {
	case "email":
		return strings.Contains(text, "@")
	case "date":
		_, err := time.Parse("2006-01-02", text)
		return err == nil
	case "ipv4":
		at, err := netip.ParseAddr(text)
		return err == nil && at.Is4()
	case "uuid":
		return len(text) == 36 && strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF-", r) }) < 0 &&
			strings.Count(text, "-") == 4 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-'
	}
	return true
}

func (j *schemaJudge) size(key string, bound, v value.Value, path string, pos value.Pos) {
	count, word := len(v.List), "items"
	if strings.HasSuffix(key, "Properties") {
		count, word = len(v.Map), "keys"
	}
	if (word == "items") != (v.Kind == value.List) || word == "keys" && v.Kind != value.Map {
		return
	}
	if strings.HasPrefix(key, "min") && int64(count) < bound.Int {
		j.fault(path, pos, "at least %d %s in %s", bound.Int, word, name(path))
	}
	if strings.HasPrefix(key, "max") && int64(count) > bound.Int {
		j.fault(path, pos, "at most %d %s in %s", bound.Int, word, name(path))
	}
}

func (j *schemaJudge) required(names, v value.Value, path string, pos value.Pos) {
	if v.Kind != value.Map {
		return
	}
	for _, n := range names.List {
		if _, ok := v.Get(n.Text); !ok {
			j.fault(path, pos, "%s in %s", diag.Clean(n.Text), name(path))
		}
	}
}

func (j *schemaJudge) unique(rule, v value.Value, path string, pos value.Pos) {
	if !rule.Bool || v.Kind != value.List {
		return
	}
	if v.Marks()&pending != 0 || len(v.List) > 1000 {
		j.unsure = true
		return
	}
	for i := range v.List {
		for k := range v.List[:i] {
			if value.Equal(v.List[i], v.List[k]) {
				j.fault(fmt.Sprintf("%s[%d]", path, i), v.List[i].At(pos).Pos, "each item of %s only once", name(path))
				return
			}
		}
	}
}

// members judges a mapping's values.
func (j *schemaJudge) members(schema, v value.Value, path string, depth int) {
	properties, _ := schema.Get("properties")
	patterns, _ := schema.Get("patternProperties")
	others, said := schema.Get("additionalProperties")
	for _, e := range v.Map {
		at := path + "." + e.Key
		property, known := properties.Get(e.Key)
		if known {
			j.judge(property, e.Value, at, e.KeyPos, depth+1)
		}
		for _, p := range patterns.Map {
			if pattern, err := regexp.Compile(p.Key); err != nil {
				j.unsure, known = true, true
			} else if pattern.MatchString(e.Key) {
				known = true
				j.judge(p.Value, e.Value, at, e.KeyPos, depth+1)
			}
		}
		if known || !said {
			continue
		}
		if others.Kind == value.Bool && !others.Bool {
			j.fault(at, e.KeyPos, "no %s", name(at))
			j.faults[len(j.faults)-1].Help = diag.DidYouMean(e.Key, keysOf(properties))
			continue
		}
		j.judge(others, e.Value, at, e.KeyPos, depth+1)
	}
}

// items judges a list's items.
func (j *schemaJudge) items(schema, v value.Value, path string, pos value.Pos, depth int) {
	first, _ := schema.Get("prefixItems")
	rest, _ := schema.Get("items")
	for i := range v.List {
		item := rest
		if i < len(first.List) {
			item = first.List[i]
		}
		j.judge(item, v.List[i], fmt.Sprintf("%s[%d]", path, i), pos, depth+1)
	}
}
