// A trigger: what one entry of `triggers` says, held against the models that Prefect 3.8.8 has for it.
//
// Prefect takes any mappings when it reads the file, and validates a trigger only when its deployment is deployed, after the templates are filled. So this reader is used
// twice: by the check, where what a template will fill is still open, and by the plan, where nothing is but what a step has to give. Without `type` the kind is guessed from
// the other keys, and a trigger within a trigger is guessed in another order than the outermost.
//
//	{expect: [x], within: PT1M, parameters: {p: 1}}  →  {description: "", enabled: true, trigger: {type: event, …, expect: [x], within: 60.0}, parameters: {p: 1}, …}
package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/schedule"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// TriggerFault is what Prefect would refuse a trigger for; Value is the part that is wrong.
type TriggerFault struct {
	Value         value.Value
	Message, Help string
}

// Trigger is a trigger as it was read.
type Trigger struct {
	// Fields are name (absent where the trigger has none), description, enabled, trigger, parameters, job_variables and schedule_after, with Prefect's defaults, in the form
	// in which its API takes and answers them.
	Fields value.Value
	// Faults is empty for a trigger that Prefect takes; Unknown are keys that it ignores, with the keys that are known where they stand.
	Faults  []TriggerFault
	Unknown []UnknownKey
	// Metric is the first part that watches a metric, which only Prefect Cloud does; null for none.
	Metric value.Value
}

// UnknownKey is a key that Prefect ignores.
type UnknownKey struct {
	Entry value.Entry
	Known []string
}

// ReadTrigger reads a trigger; open tells of values that are not known yet, which are left as they stand.
func ReadTrigger(v value.Value, open func(value.Value) bool) *Trigger {
	r := &triggerReader{open: open}
	kind := r.kind(v, true)
	var out []value.Entry
	if name, ok := v.Get("name"); ok {
		out = append(out, entry("name", r.text(name, "a trigger's name", true)))
	}
	out = append(out,
		entry("description", r.orElse(v, "description", value.Of(""), func(x value.Value) value.Value { return r.text(x, "a trigger's description", false) })),
		entry("enabled", r.orElse(v, "enabled", value.Of(true), r.boolean)),
		entry("trigger", r.trigger(v, kind, automationKeys())))
	for _, key := range []string{"parameters", "job_variables"} {
		out = append(out, entry(key, r.orElse(v, key, value.Value{}, func(x value.Value) value.Value { return r.mapping(x, "a trigger's "+key) })))
	}
	out = append(out, entry("schedule_after", r.orElse(v, "schedule_after", value.Of(0.0), func(x value.Value) value.Value { return r.span(x, "schedule_after", 0) })))
	r.out.Fields = value.Value{Kind: value.Map, Pos: v.Pos, Map: out}
	return &r.out
}

func entry(key string, v value.Value) value.Entry {
	return value.Entry{Key: key, KeyKind: value.Text, Value: v}
}

type triggerReader struct {
	open func(value.Value) bool
	out  Trigger
}

func (r *triggerReader) fault(v value.Value, message, help string) value.Value {
	r.out.Faults = append(r.out.Faults, TriggerFault{v, message, help})
	return v
}

// orElse reads a key, or takes the default where it is absent.
func (r *triggerReader) orElse(v value.Value, key string, absent value.Value, read func(value.Value) value.Value) value.Value {
	x, ok := v.Get(key)
	if !ok {
		absent.Pos = v.Pos
		return absent
	}
	if r.open(x) {
		return x
	}
	return read(x.At(v.Pos))
}

// kind is the type as written or guessed, "" for a wrong one.
func (r *triggerReader) kind(v value.Value, outermost bool) string {
	if kind, said := v.Get("type"); said {
		if kind.Kind == value.Text && slices.Contains([]string{"event", "metric", "compound", "sequence"}, kind.Text) {
			return kind.Text
		}
		if !r.open(kind) {
			r.fault(kind.At(v.Pos), "a trigger's type is event, metric, compound or sequence", "write one of them, or leave type out")
		}
		return ""
	}
	_, composite := v.Get("triggers")
	_, require := v.Get("require")
	posture, _ := v.Get("posture")
	metric := posture.Kind == value.Text && posture.Text == "Metric"
	switch {
	case metric && (outermost || !composite):
		return "metric"
	case composite && require:
		return "compound"
	case composite:
		return "sequence"
	}
	return "event"
}

// automationKeys are those that a trigger has as the automation that it becomes; a trigger within another has none.
func automationKeys() []string {
	return []string{"name", "description", "enabled", "parameters", "job_variables", "schedule_after"}
}

// trigger reads what is special to each kind.
func (r *triggerReader) trigger(v value.Value, kind string, also []string) value.Value {
	read, ok := map[string]func(value.Value) []value.Entry{"event": r.event, "metric": r.metric, "compound": r.compound, "sequence": r.sequence}[kind]
	if !ok {
		return v
	}
	keys := map[string][]string{
		"event":    {"type", "match", "match_related", "after", "expect", "for_each", "posture", "threshold", "within"},
		"metric":   {"type", "match", "match_related", "posture", "metric"},
		"compound": {"type", "triggers", "within", "require"},
		"sequence": {"type", "triggers", "within"},
	}[kind]
	r.unknown(v, append(keys, also...))
	entries := append([]value.Entry{entry("type", value.Of(kind))}, read(v)...)
	return value.Value{Kind: value.Map, Pos: v.Pos, Map: entries}
}

func (r *triggerReader) unknown(v value.Value, known []string) {
	for _, e := range v.Map {
		if !slices.Contains(known, e.Key) {
			r.out.Unknown = append(r.out.Unknown, UnknownKey{e, known})
		}
	}
}

func (r *triggerReader) event(v value.Value) []value.Entry {
	out := r.resources(v)
	for _, key := range []string{"after", "expect", "for_each"} {
		out = append(out, entry(key, r.orElse(v, key, value.Of([]value.Value{}), func(x value.Value) value.Value { return r.set(x, key) })))
	}
	posture := r.orElse(v, "posture", value.Of("Reactive"), func(x value.Value) value.Value {
		return r.oneOf(x, "an event trigger's posture", "Reactive", "Proactive")
	})
	threshold := r.orElse(v, "threshold", value.Of(1), func(x value.Value) value.Value { return r.whole(x, "threshold") })
	proactive := posture.Text == "Proactive" && !r.open(posture)
	within := r.orElse(v, "within", value.Of(0.0), func(x value.Value) value.Value {
		if proactive && !x.Truthy() && !x.IsNull() { // nothing, of whatever kind, is the shortest span
			return value.Value{Kind: value.Float, Pos: x.Pos}
		}
		return r.span(x, "within", 0)
	})
	if proactive {
		within = r.proactive(v, within)
	}
	return append(out, entry("posture", posture), entry("threshold", threshold), entry("within", within))
}

// proactive wants ten seconds at least, which is what it gets where nothing is said. Prefect compares before it reads texts, and fails on them.
func (r *triggerReader) proactive(v, within value.Value) value.Value {
	written, _ := v.Get("within")
	switch {
	case r.open(written):
	case written.Kind == value.Text && written.Text != "":
		r.fault(written, "Prefect takes no text as within of a Proactive trigger", "write a number of seconds")
	case within.Kind == value.Float && within.Float == 0:
		within.Float = 10
	case within.Kind == value.Float && within.Float > 0 && within.Float < 10:
		r.fault(written, "within of a Proactive trigger is 10 seconds or more", "write 10 or more")
	}
	return within
}

// resources are the labels that a trigger matches.
func (r *triggerReader) resources(v value.Value) []value.Entry {
	empty := value.Of([]value.Entry{})
	return []value.Entry{
		entry("match", r.orElse(v, "match", empty, func(x value.Value) value.Value { return r.labels(x, "match") })),
		entry("match_related", r.orElse(v, "match_related", empty, func(x value.Value) value.Value {
			if x.Kind != value.List {
				return r.labels(x, "match_related")
			}
			for _, item := range x.List {
				if !r.open(item) {
					r.labels(item, "each of match_related")
				}
			}
			return x
		})),
	}
}

func (r *triggerReader) labels(v value.Value, field string) value.Value {
	r.mapping(v, field)
	for _, e := range v.Map {
		x := e.Value.At(v.Pos)
		if r.open(x) || isText(x) {
			continue
		}
		if x.Kind != value.List {
			r.fault(x, fmt.Sprintf("the label %s of %s is text or a list of texts, and this is %s", e.Key, field, x.Kind), "put it between quotes")
			continue
		}
		for _, item := range x.List {
			if !r.open(item) && !isText(item) {
				r.fault(item.At(x.Pos), fmt.Sprintf("each of the label %s of %s is text, and this is %s", e.Key, field, item.Kind), "put it between quotes")
			}
		}
	}
	return v
}

// isText: a date is none.
func isText(v value.Value) bool { return v.Kind == value.Text && !v.Origin.Has(value.Dated) }

// set is a list of texts in which each counts once; their order means nothing, and stays.
func (r *triggerReader) set(v value.Value, field string) value.Value {
	if v.Kind != value.List {
		return r.fault(v, fmt.Sprintf("%s is a list of texts, and this is %s", field, v.Kind), "write ["+v.Str()+"]")
	}
	seen := map[string]bool{}
	list := make([]value.Value, 0, len(v.List))
	for _, item := range v.List {
		switch {
		case r.open(item):
		case !isText(item):
			r.fault(item.At(v.Pos), fmt.Sprintf("each of %s is text, and this is %s", field, item.Kind), "put it between quotes")
		case seen[item.Text]:
			continue
		default:
			seen[item.Text] = true
		}
		list = append(list, item)
	}
	v.List = list
	return v
}

func (r *triggerReader) metric(v value.Value) []value.Entry {
	if r.out.Metric.IsNull() {
		r.out.Metric = v
	}
	out := r.resources(v)
	posture := r.orElse(v, "posture", value.Of("Metric"), func(x value.Value) value.Value { return r.oneOf(x, "a metric trigger's posture", "Metric") })
	m, _ := v.Get("metric")
	if m.Kind != value.Map {
		if !r.open(m) {
			r.fault(m.At(v.Pos), "a metric trigger has a metric, which is a mapping", "write metric: {name: duration, operator: \">\", threshold: 600}")
		}
		return append(out, entry("posture", posture), entry("metric", m))
	}
	return append(out, entry("posture", posture), entry("metric", r.query(m)))
}

// query is what a metric trigger asks.
func (r *triggerReader) query(m value.Value) value.Value {
	r.unknown(m, []string{"name", "threshold", "operator", "range", "firing_for"})
	must := func(key string, read func(value.Value) value.Value) value.Entry {
		x, ok := m.Get(key)
		if !ok {
			r.fault(m, "a metric has a "+key, "write name, operator and threshold")
			return entry(key, x)
		}
		return entry(key, r.orElse(m, key, x, read))
	}
	least := func(key string) value.Entry {
		return entry(key, r.orElse(m, key, value.Of(300.0), func(x value.Value) value.Value { return r.span(x, key+" of a metric", 300) }))
	}
	return value.Value{Kind: value.Map, Pos: m.Pos, Map: []value.Entry{
		must("name", func(x value.Value) value.Value {
			return r.oneOf(x, "a metric's name", "lateness", "duration", "successes")
		}),
		must("threshold", func(x value.Value) value.Value { return r.number(x, "a metric's threshold") }),
		must("operator", func(x value.Value) value.Value { return r.oneOf(x, "a metric's operator", "<", "<=", ">", ">=") }),
		least("range"), least("firing_for"),
	}}
}

func (r *triggerReader) compound(v value.Value) []value.Entry {
	out := r.sequence(v)
	require, ok := v.Get("require")
	switch n, whole := laxInt(require); {
	case !ok:
		r.fault(v, "a compound trigger says how many of its triggers it requires", "write require: any, all or a number")
	case r.open(require) || require.Kind == value.Text && (require.Text == "any" || require.Text == "all"):
	case !whole || require.IsNull():
		r.fault(require.At(v.Pos), "require is any, all or a whole number", "write one of them")
	default:
		n.Pos = require.Pos
		if require = n; n.Int < 1 || n.Int > int64(r.children(v)) {
			r.fault(n.At(v.Pos), "require is at least 1 and at most the number of triggers", "correct the number, or write any or all")
		}
	}
	return append(out, entry("require", require))
}

// children is the number of triggers within a trigger, any number where that is open.
func (r *triggerReader) children(v value.Value) int {
	if list, _ := v.Get("triggers"); list.Kind == value.List {
		return len(list.List)
	}
	return math.MaxInt32
}

func (r *triggerReader) sequence(v value.Value) []value.Entry {
	list, _ := v.Get("triggers")
	switch {
	case r.open(list):
	case list.Kind != value.List:
		r.fault(list.At(v.Pos), "triggers within a trigger are a list", "begin each with a dash")
	default:
		items := make([]value.Value, len(list.List))
		for i, item := range list.List {
			items[i] = r.child(item.At(list.Pos))
		}
		list.List = items
	}
	within := r.orElse(v, "within", value.Value{}, func(x value.Value) value.Value {
		if x.IsNull() {
			return x
		}
		return r.span(x, "within", math.Inf(-1))
	})
	return []value.Entry{entry("triggers", list), entry("within", within)}
}

func (r *triggerReader) child(v value.Value) value.Value {
	if r.open(v) {
		return v
	}
	if v.Kind != value.Map {
		return r.fault(v, fmt.Sprintf("a trigger within a trigger is a mapping, and this is %s", v.Kind), "write {expect: [event.name]}")
	}
	return r.trigger(v, r.kind(v, false), nil)
}

func (r *triggerReader) text(v value.Value, what string, orNull bool) value.Value {
	if isText(v) || orNull && v.IsNull() || r.open(v) {
		return v
	}
	return r.fault(v, fmt.Sprintf("%s is text, and this is %s", what, v.Kind), "put it between quotes, or leave the key out")
}

func (r *triggerReader) boolean(v value.Value) value.Value {
	b, ok := lax(v)
	if !ok {
		return r.fault(v, fmt.Sprintf("a trigger's enabled is true or false, and this is %s", v.Kind), "write true or false")
	}
	return value.Value{Kind: value.Bool, Bool: b, Pos: v.Pos, Origin: v.Origin, Ext: v.Ext}
}

func (r *triggerReader) mapping(v value.Value, what string) value.Value {
	if v.Kind != value.Map && !(v.IsNull() && strings.HasPrefix(what, "a trigger's ")) {
		return r.fault(v, fmt.Sprintf("%s is a mapping, and this is %s", what, v.Kind), "write key: value pairs, or leave the key out")
	}
	for _, e := range v.Map {
		if e.KeyKind != value.Text {
			r.fault(value.Value{Pos: e.KeyPos}, fmt.Sprintf("the keys of %s are text, and %s is not", what, e.Key), `put it between quotes: "`+e.Key+`"`)
		}
	}
	return v
}

func (r *triggerReader) oneOf(v value.Value, what string, words ...string) value.Value {
	if v.Kind == value.Text && slices.Contains(words, v.Text) {
		return v
	}
	last := len(words) - 1
	list := strings.Join(words[:last], ", ")
	if last > 0 {
		list += " or "
	}
	return r.fault(v, what+" is "+list+words[last], "correct it, or leave the key out where it has a default")
}

func (r *triggerReader) whole(v value.Value, what string) value.Value {
	n, ok := laxInt(v)
	if !ok {
		return r.fault(v, fmt.Sprintf("%s is a whole number", what), "write a number")
	}
	n.Pos, n.Origin, n.Ext = v.Pos, v.Origin, v.Ext
	return n
}

// number is pydantic's float.
func (r *triggerReader) number(v value.Value, what string) value.Value {
	f, ok := v.Float, true
	switch v.Kind {
	case value.Float:
	case value.Int:
		f = float64(v.Int)
	case value.Bool:
		f = map[bool]float64{true: 1}[v.Bool]
	case value.Text:
		var err error
		f, err = strconv.ParseFloat(strings.TrimSpace(v.Text), 64)
		ok = err == nil && !strings.ContainsAny(v.Text, "xXpP_")
	default:
		ok = false
	}
	if !ok {
		return r.fault(v, what+" is a number", "write a number")
	}
	return value.Value{Kind: value.Float, Float: f, Pos: v.Pos, Origin: v.Origin, Ext: v.Ext}
}

// span is a time in seconds, as the API holds it.
func (r *triggerReader) span(v value.Value, what string, least float64) value.Value {
	seconds, ok := Span(v)
	if !ok {
		return r.fault(v, fmt.Sprintf("%s is no span of time that Prefect takes", what), "write a number of seconds, PT10M or 00:10:00")
	}
	if seconds < least {
		return r.fault(v, fmt.Sprintf("%s is %g seconds or more", what, least), "write a longer time")
	}
	return value.Value{Kind: value.Float, Float: seconds, Pos: v.Pos, Origin: v.Origin, Ext: v.Ext}
}

// Span is pydantic's timedelta in seconds: a number, an ISO 8601 duration or a clock time, negative ones too.
func Span(v value.Value) (seconds float64, ok bool) {
	switch v.Kind {
	case value.Bool:
		return map[bool]float64{true: 1}[v.Bool], true
	case value.Int:
		return float64(v.Int), v.Text == "" && math.Abs(float64(v.Int)) < mostSpan
	case value.Float:
		return math.RoundToEven(v.Float*1e6) / 1e6, math.Abs(v.Float) < mostSpan
	case value.Text:
		seconds, problem := schedule.ParseSpan(v.Text)
		return seconds, problem == nil && !v.Origin.Has(value.Dated)
	}
	return 0, false
}

// mostSpan is where Python's timedelta ends, in seconds.
const mostSpan = 86_400_000_000_000

// ReadDocument reads a YAML document that is no prefect.yaml, as PyYAML does.
func ReadDocument(name string, src []byte) (value.Value, error) {
	root, faults := parse(name, src)
	if faults != nil {
		return value.Value{}, faults
	}
	if root == nil {
		return value.Value{}, nil
	}
	var diags diag.List
	c := converter{file: name, src: src, diags: &diags}
	v, _ := c.convert(root)
	if diags.Errors(false) > 0 {
		return value.Value{}, diags
	}
	return v, nil
}
