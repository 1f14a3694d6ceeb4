// From yaml.v3's nodes to the value tree, as PyYAML's constructor would: anchors and merge keys resolved, the later of two equal keys wins,
// scalars by YAML 1.1. Every anchor is converted once and shared, so that a billion laughs cost a kilobyte; what aliases expand to is counted, since
// whoever walks the tree pays for it.
package spec

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

type converter struct {
	file    string
	src     []byte
	diags   *diag.List
	anchors map[*yaml.Node]*anchored
	// named finds an earlier anchor of the same name.
	named map[string]*yaml.Node
	// quiet says that the part being converted was converted before: its diagnostics are known.
	quiet bool
	// stopped is set at the first fault after which going on makes no sense (a bomb).
	stopped bool
	// total is what aliases expanded to so far, merged how many entries merge keys copied.
	total, merged int
}

type anchored struct {
	value value.Value
	size  int
	open  bool // being converted: an alias to it is inside it
}

func position(n *yaml.Node) value.Pos {
	p := value.Pos{Line: int32(n.Line), Column: int32(n.Column)}
	if n.Kind == yaml.ScalarNode {
		width := len(n.Value)
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			width += 2
		}
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && !strings.Contains(n.Value, "\n") {
			p.EndColumn = p.Column + int32(width)
		}
	}
	return p
}

func (c *converter) fault(severity diag.Severity, code string, p value.Pos, message, help string) {
	if c.quiet {
		return
	}
	c.diags.Add(diag.Diagnostic{Severity: severity, Code: code, Message: message, Help: help, Position: at(c.file, p)})
}

// at makes a diagnostic's position of a value's.
func at(file string, p value.Pos) diag.Position {
	return diag.Position{File: file, Line: int(p.Line), Column: int(p.Column), EndLine: int(p.Line), EndColumn: int(p.EndColumn)}
}

// convert returns the value of n and the number of values in it, aliases expanded.
func (c *converter) convert(n *yaml.Node) (value.Value, int) {
	if n.Anchor != "" {
		return c.anchor(n)
	}
	return c.plain(n)
}

func (c *converter) anchor(n *yaml.Node) (value.Value, int) {
	if a, ok := c.anchors[n]; ok {
		if a.open {
			c.fault(diag.Error, "recursive-alias", position(n), fmt.Sprintf("the anchor &%s contains itself", n.Anchor), "an alias can't stand inside its own anchor")
			return value.Value{Pos: position(n)}, 1
		}
		return a.value, a.size
	}
	if c.anchors == nil {
		c.anchors, c.named = map[*yaml.Node]*anchored{}, map[string]*yaml.Node{}
	}
	c.oneAnchor(n)
	a := &anchored{open: true}
	c.anchors[n] = a
	a.value, a.size = c.plain(n)
	a.open = false
	return a.value, a.size
}

// oneAnchor refuses a second anchor of one name, as PyYAML does; YAML itself would allow it.
func (c *converter) oneAnchor(n *yaml.Node) {
	first, twice := c.named[n.Anchor]
	if !twice {
		c.named[n.Anchor] = n
		return
	}
	if first.Line > n.Line || first.Line == n.Line && first.Column > n.Column {
		first, n = n, first
	}
	if !c.quiet {
		c.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: "duplicate-anchor", Message: "the anchor " + diag.Quote("&"+n.Anchor) + " stands twice, which Prefect refuses", Help: "give one of them another name",
			Position: at(c.file, position(n)), Related: []diag.Related{{Position: at(c.file, position(first)), Message: "first written at"}}})
	}
}

func (c *converter) plain(n *yaml.Node) (value.Value, int) {
	switch n.Kind {
	case yaml.AliasNode:
		v, size := c.anchor(n.Alias)
		if c.total += size; c.total > maxExpanded {
			c.stop(n, fmt.Sprintf("the aliases of this file expand to more than %d values", maxExpanded))
		}
		if c.stopped {
			return value.Value{Pos: position(n)}, 1
		}
		return v.Through(position(n)), size
	case yaml.SequenceNode:
		return c.sequence(n)
	case yaml.MappingNode:
		return c.mapping(n)
	}
	v := c.scalar(n)
	v.Pos = position(n)
	return v, 1 + len(n.Value)/unit
}

// unit is the length of text that counts as a value of its own when the expansion of aliases is counted.
const unit = 32

// stop ends the reading of a file whose aliases or merge keys are out of all proportion.
func (c *converter) stop(n *yaml.Node, message string) {
	if !c.stopped {
		c.fault(diag.Error, "alias-bomb", position(n), message, "write out what is meant")
		c.stopped, c.quiet = true, true // what follows from it is no fault of its own
	}
}

func (c *converter) sequence(n *yaml.Node) (value.Value, int) {
	c.collectionTag(n, "!!seq")
	v := value.Value{Kind: value.List, Pos: position(n), List: make([]value.Value, 0, len(n.Content))}
	size := 1
	for _, item := range n.Content {
		x, s := c.convert(item)
		v.List = append(v.List, x)
		size += s
	}
	return v, size
}

func (c *converter) collectionTag(n *yaml.Node, want string) {
	if tag := n.ShortTag(); tag != want && tag != "" {
		c.fault(diag.Error, "unknown-tag", position(n), "the tag "+diag.Quote(n.Tag)+" means nothing to Prefect", "remove it")
	}
}

// mapping converts a mapping. As in PyYAML merged keys come first and own keys override them in place; of several merged mappings the later wins,
// where a list of them counts from its end.
func (c *converter) mapping(n *yaml.Node) (value.Value, int) {
	c.collectionTag(n, "!!map")
	v := value.Value{Kind: value.Map, Pos: position(n), Map: make([]value.Entry, 0, len(n.Content)/2)}
	size := 1
	own := seen{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			size += c.merge(&v, &own, n.Content[i+1])
		}
	}
	own.from = len(v.Map)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			continue
		}
		key, ok := c.key(n, i)
		x, s := c.convert(n.Content[i+1])
		size += s
		if ok {
			key.Value = x
			c.put(&v, &own, key)
		}
	}
	return v, size
}

func isMerge(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode || n.Value != "<<" {
		return false
	}
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Style&quoted == 0 && (n.Style&yaml.TaggedStyle == 0 || n.ShortTag() == "!!merge")
}

// seen finds earlier keys: by a scan while they are few, by an index when they are many.
type seen struct {
	from  int
	index map[string]int
	own   map[string]bool
}

func (s *seen) find(entries []value.Entry, key string) int {
	if s.index == nil {
		if len(entries) < 16 {
			for i := range entries {
				if entries[i].Key == key {
					return i
				}
			}
			return -1
		}
		s.index = make(map[string]int, 2*len(entries))
		for i := range entries {
			s.index[entries[i].Key] = i
		}
	}
	if i, ok := s.index[key]; ok {
		return i
	}
	return -1
}

// put adds an entry or lets it override an earlier one of its key. Before own.from is set, entries are merged ones, and overriding is no fault.
func (c *converter) put(v *value.Value, own *seen, e value.Entry) {
	i := own.find(v.Map, e.Key)
	if i < 0 {
		if own.index != nil {
			own.index[e.Key] = len(v.Map)
		}
		v.Map = append(v.Map, e)
		return
	}
	if i >= own.from || own.own[e.Key] {
		first := v.Map[i].KeyPos
		if !c.quiet {
			c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "duplicate-key", Message: fmt.Sprintf("the key %s stands twice in this mapping; the later one wins", diag.Quote(e.Key)),
				Help: "remove one of them", Position: at(c.file, e.KeyPos), Related: []diag.Related{{Position: at(c.file, first), Message: "first written at"}}})
		}
	} else {
		if own.own == nil {
			own.own = map[string]bool{}
		}
		own.own[e.Key] = true
	}
	v.Map[i].KeyPos, v.Map[i].KeyKind, v.Map[i].Value = e.KeyPos, e.KeyKind, e.Value
}

// merge puts the keys of a `<<` value into v. All its keys know the alias through which they came.
func (c *converter) merge(v *value.Value, keys *seen, n *yaml.Node) int {
	x, size := c.convert(n)
	from := []value.Value{x}
	if x.Kind == value.List {
		from = x.List
	}
	for m := len(from) - 1; m >= 0; m-- {
		if from[m].Kind != value.Map {
			c.fault(diag.Error, "invalid-merge", position(n), "<< merges a mapping or a list of mappings, and this is "+from[m].Kind.String(), "write <<: *name with the anchor of a mapping")
			continue
		}
		if c.merged += len(from[m].Map); c.merged > maxMerged {
			c.stop(n, fmt.Sprintf("the merge keys of this file copy more than %d entries", maxMerged))
		}
		if c.stopped {
			return size
		}
		through := from[m].Ext
		for _, e := range from[m].Map {
			if e.Value.Ext == nil {
				e.Value.Ext = through
			}
			if i := keys.find(v.Map, e.Key); i >= 0 {
				v.Map[i] = e
				continue
			}
			if keys.index != nil {
				keys.index[e.Key] = len(v.Map)
			}
			v.Map = append(v.Map, e)
		}
	}
	return size
}

// key converts the key of the mapping that stands at Content[i]. A mapping or list as a key is what an unquoted {{ … }} becomes.
func (c *converter) key(mapping *yaml.Node, i int) (value.Entry, bool) {
	n := mapping.Content[i]
	pos := position(n)
	target := n
	if n.Kind == yaml.AliasNode {
		target = n.Alias
	}
	if target.Kind != yaml.ScalarNode {
		c.keyFault(n)
		return value.Entry{}, false
	}
	if target.Value == "=" && target.Style == 0 {
		return value.Entry{Key: "=", KeyPos: pos, KeyKind: value.Text}, true
	}
	k := c.scalar(target)
	if text, ok := strings.CutSuffix(k.Text, ":"); ok && mapping.Style&yaml.FlowStyle != 0 && n.Style == 0 && empty(mapping.Content[i+1]) {
		k, _ = plain(text) // {a:} has the key a to PyYAML and a: to yaml.v3
	}
	kind := k.Kind
	if k.Origin.Has(value.Dated) {
		kind = dateKey
	}
	return value.Entry{Key: keyText(k), KeyPos: pos, KeyKind: kind}, true
}

// dateKey is the KeyKind of a key that is a date; no key is a mapping, so that kind is free.
const dateKey = value.Map

// kindOfKey is the word for what YAML read a key as.
func kindOfKey(e value.Entry) string {
	if e.KeyKind == dateKey {
		return "a date"
	}
	return e.KeyKind.String()
}

// empty reports whether nothing is written where a value could be.
func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Style == 0 && n.Value == "" }

func (c *converter) keyFault(n *yaml.Node) {
	if n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 {
		if start := offsetOf(c.src, n.Line, n.Column); start > 0 && c.src[start-1] == '{' && !c.quiet {
			c.diags.Add(*quoteIt(c.file, c.src, start-1, lineEnd(c.src, start)))
			return
		}
	}
	c.fault(diag.Error, "invalid-key", position(n), "a mapping or a list can't be a key", "write the key as text; a value that begins with { or [ stands between quotes")
}

// lineEnd is the offset where the flow value that holds offset ends on its line: after the last "}}", else at the end of the line.
func lineEnd(src []byte, offset int) int {
	end := offset
	for end < len(src) && src[end] != '\n' {
		end++
	}
	if i := strings.LastIndex(string(src[offset:end]), "}}"); i >= 0 {
		return offset + i + 2
	}
	return end
}

// offsetOf turns a line and column (in characters) into an offset.
func offsetOf(src []byte, line, column int) int {
	offset := 0
	for ; line > 1 && offset < len(src); offset++ {
		if src[offset] == '\n' {
			line--
		}
	}
	for ; column > 1 && offset < len(src); column-- {
		_, size := utf8.DecodeRune(src[offset:])
		offset += size
	}
	return offset
}

// keyText is a key as Prefect's JSON holds it: numbers and booleans as text.
func keyText(k value.Value) string {
	switch k.Kind {
	case value.Text:
		return k.Text
	case value.Bool:
		return strings.ToLower(k.Str())
	}
	return k.Str()
}

func (c *converter) scalar(n *yaml.Node) value.Value {
	if n.Style&yaml.TaggedStyle != 0 {
		return c.tagged(n)
	}
	if n.Style != 0 && n.Style&yaml.FlowStyle == 0 {
		return value.Of(n.Value)
	}
	v, err := plain(n.Value)
	if err != nil {
		c.fault(diag.Error, "invalid-value", position(n), err.Error(), "")
	}
	return v
}

// tagged converts a scalar with a tag of its own: those of YAML's core are honoured, others are an error in PyYAML too.
func (c *converter) tagged(n *yaml.Node) value.Value {
	v, err := value.Value{}, error(nil)
	switch n.ShortTag() {
	case "!!str":
		return value.Of(n.Value)
	case "!": // as if there were no tag, but never anything else than text
		return value.Of(n.Value)
	case "!!null":
		return v
	case "!!bool":
		if v = word(strings.ToLower(n.Value)); v.Kind != value.Bool {
			err = fmt.Errorf("%s is neither true nor false: correct it or remove the tag", diag.Quote(n.Value))
		}
	case "!!int":
		v, err = integer(n.Value)
	case "!!float":
		v, err = decimal(n.Value)
	case "!!timestamp":
		if v, err = timestamp(n.Value); err == nil && !v.Origin.Has(value.Dated) {
			err = fmt.Errorf("%s is not a date: correct it or remove the tag", diag.Quote(n.Value))
		}
	case "!!binary":
		data, fault := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if v = value.Of(string(data)); fault != nil || !utf8.Valid(data) {
			err = fmt.Errorf("this is not text in base64: correct it or remove the tag")
		}
	default:
		c.fault(diag.Error, "unknown-tag", position(n), "the tag "+diag.Quote(n.Tag)+" means nothing to Prefect", "remove it")
		return value.Of(n.Value)
	}
	if err != nil {
		c.fault(diag.Error, "invalid-value", position(n), err.Error(), "")
	}
	return v
}
