// What stands in a state file, and what becomes of it when a deployment is written. The document stays the tree that was read, so
// that keys which this version does not know survive a rewrite:
//
//	{"schema": 1,
//	 "deployments": [{"flow": "my-flow", "name": "dev", "tags": [], …}],
//	 "variables": {"region": "eu"}, "blocks": {"secret/token": {"value": "…"}}, "work_pools": {"my-pool": {"type": "process"}}}
//
// The last three are written by people only. Without "work_pools" nothing is known of pools, and they are not checked.
package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// schemaVersion is the newest file that this program understands, and the one that it writes.
const schemaVersion = 1

// document is the tree, and what would be costly to find again at each of a thousand writes. The list of deployments is its own.
type document struct {
	root     value.Value
	at       map[Name]int    // where each deployment stands in the list; nil where that is not known
	rendered map[Name][]byte // each deployment as it is written, while it does not change
}

func newDocument() *document {
	return &document{root: value.Of([]value.Entry{{Key: "schema", Value: value.Of(schemaVersion)}, {Key: "deployments", Value: value.Of([]value.Value{})}})}
}

// parseDocument reads and checks a state file; nothing but blanks is an empty state.
func parseDocument(data []byte) (*document, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return newDocument(), nil
	}
	root, err := value.FromJSON(data)
	if err != nil {
		return nil, syntaxError(data, err)
	}
	d := &document{root: root}
	return d, d.check(data)
}

// syntaxError names the line that encoding/json stopped at.
func syntaxError(data []byte, err error) error {
	var raw json.RawMessage
	var syntax *json.SyntaxError
	if !errors.As(json.Unmarshal(data, &raw), &syntax) {
		return fmt.Errorf("is not JSON: %w", err)
	}
	line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
	return fmt.Errorf("line %d: is not JSON: %w; mend it by hand or take it from version control", line, syntax)
}

func (d *document) check(data []byte) error {
	if d.root.Kind != value.Map {
		return errors.New("line 1: must be a mapping with \"schema\" and \"deployments\"")
	}
	schema, ok := d.root.Get("schema")
	switch {
	case !has(d.root, "schema") && len(d.root.Map) > 0:
		return errors.New("line 1: has no \"schema\", so it is no state file; name another file")
	case ok && (schema.Kind != value.Int || schema.Int < 1 && !schema.Big()):
		return fmt.Errorf("line %d: \"schema\" must be the number %d", lineOf(data, "schema"), schemaVersion)
	case ok && (schema.Int > schemaVersion || schema.Big()):
		return fmt.Errorf("was written by a newer version of this program (schema %s, this one knows %d): update the program", schema.Str(), schemaVersion)
	}
	for _, section := range []struct {
		key  string
		kind value.Kind
	}{{"deployments", value.List}, {"variables", value.Map}, {"blocks", value.Map}, {"work_pools", value.Map}} {
		if v, has := d.root.Get(section.key); has && !v.IsNull() && v.Kind != section.kind {
			return fmt.Errorf("line %d: %q must be %s", lineOf(data, section.key), section.key, section.kind)
		}
	}
	return d.checkEntries(data)
}

func (d *document) checkEntries(data []byte) error {
	seen := map[Name]bool{}
	for i, v := range d.deployments() {
		name := Name{textOf(v, "flow"), textOf(v, "name")}
		at := func() int { return lineOf(data, "deployments", i) }
		if name.Flow == "" || name.Deployment == "" {
			return fmt.Errorf("line %d: a deployment needs \"flow\" and \"name\"", at())
		}
		if seen[name] {
			return fmt.Errorf("line %d: the deployment %q stands there twice", at(), name)
		}
		seen[name] = true
		schedules, _ := v.Get("schedules")
		if schedules.Kind != value.List && !schedules.IsNull() {
			return fmt.Errorf("line %d: the \"schedules\" of %q must be a list", at(), name)
		}
		for _, s := range schedules.List {
			if timing, _ := s.Get("schedule"); timing.Kind != value.Map {
				return fmt.Errorf("line %d: each schedule of %q needs a mapping \"schedule\"", at(), name)
			}
		}
	}
	for _, section := range []string{"blocks", "work_pools"} {
		m, _ := d.root.Get(section)
		for _, e := range m.Map {
			kind, name, ok := strings.Cut(e.Key, "/")
			switch {
			case section == "blocks" && (!ok || kind == "" || name == ""):
				return fmt.Errorf("line %d: the block %q must be named TYPE/NAME, for example secret/token", lineOf(data, section, e.Key), e.Key)
			case section == "work_pools" && e.Value.Kind != value.Map:
				return fmt.Errorf("line %d: the work pool %q must be a mapping, for example {\"type\": \"process\"}", lineOf(data, section, e.Key), e.Key)
			}
		}
	}
	return nil
}

// lineOf finds the line on which the value at the path (keys and list indices) begins; 1 when it is not there.
func lineOf(data []byte, path ...any) int {
	d := json.NewDecoder(bytes.NewReader(data))
	if !seek(d, path) {
		return 1
	}
	offset := int(d.InputOffset())
	for offset < len(data) && bytes.IndexByte([]byte(" \t\r\n,:"), data[offset]) >= 0 {
		offset++
	}
	return 1 + bytes.Count(data[:offset], []byte("\n"))
}

// seek moves the decoder to just before the value at the path.
func seek(d *json.Decoder, path []any) bool {
	for _, step := range path {
		if _, err := d.Token(); err != nil { // the opening bracket
			return false
		}
		for i := 0; ; i++ {
			if !d.More() {
				return false
			}
			var here any = i
			if _, named := step.(string); named {
				here, _ = d.Token()
			}
			if here == step {
				break
			}
			var skipped json.RawMessage
			if d.Decode(&skipped) != nil {
				return false
			}
		}
	}
	return true
}

func (d *document) deployments() []value.Value {
	list, _ := d.root.Get("deployments")
	return list.List
}

// snapshot picks what the query names.
func (d *document) snapshot(q Query) *Snapshot {
	s := &Snapshot{Deployments: map[Name]*Live{}, Variables: map[string]value.Value{}, Blocks: map[BlockRef]value.Value{}}
	wanted := map[Name]bool{}
	for _, n := range q.Deployments {
		wanted[n] = true
	}
	s.Total = len(d.deployments())
	s.Complete = q.All > 0 && s.Total <= q.All
	for _, v := range d.deployments() {
		if name := nameOf(v); s.Complete || wanted[name] {
			s.Deployments[name] = fileLive(name, v)
		}
	}
	variables, _ := d.root.Get("variables")
	for _, name := range q.Variables {
		if v, ok := variables.Get(name); ok {
			s.Variables[name] = v
		}
	}
	blocks, _ := d.root.Get("blocks")
	for _, ref := range q.Blocks {
		if v, ok := blocks.Get(ref.String()); ok {
			s.Blocks[ref] = v.Mark(value.Sensitive)
		}
	}
	if pools, ok := d.root.Get("work_pools"); ok && pools.Kind == value.Map {
		s.WorkPools = map[string]*WorkPool{}
		for _, name := range q.WorkPools {
			if v, ok := pools.Get(name); ok {
				s.WorkPools[name] = workPool(name, v)
			}
		}
	}
	return s
}

// fileLive is a deployment of the file with Prefect's defaults where a key is missing, and with identifiers, which a file does not
// hold: they are made of the names, so that they are the same in each run.
func fileLive(name Name, v value.Value) *Live {
	fields := creationDefaults()
	for i := range fields.Map {
		if got, ok := v.Get(fields.Map[i].Key); ok {
			fields.Map[i].Value = got
		}
	}
	schedules, _ := fields.Get("schedules")
	fields = fields.Set("schedules", value.Of(withIDs(name, schedules.List)))
	live := &Live{ID: stableID("deployment", name.String()), FlowID: stableID("flow", name.Flow), Name: name, Fields: fields, Automations: fileAutomations(name, v), AllOwned: true}
	if sla, ok := v.Get("sla"); ok {
		live.SLAs = &sla
	}
	return live
}

func withIDs(name Name, schedules []value.Value) []value.Value {
	out := make([]value.Value, 0, len(schedules))
	times := map[string]int{}
	for _, s := range schedules {
		s = complete(s, nil)
		timing, _ := s.Get("schedule")
		key := "slug " + textOf(s, "slug")
		if textOf(s, "slug") == "" {
			key = "timing " + timingKey(timing) + textOf(timing, "anchor_date")
		}
		times[key]++
		id := stableID("schedule", name.String(), key, fmt.Sprint(times[key]))
		out = append(out, overlay(value.Of([]value.Entry{{Key: "id", Value: value.Of(id)}}), s))
	}
	sortSchedules(out)
	return out
}

// stableID makes a UUID (version 8, "custom") of texts.
func stableID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// remove takes a deployment out; one that isn't there is gone already.
func (d *document) remove(name Name) {
	var kept []value.Value
	for _, v := range d.deployments() {
		if nameOf(v) != name {
			kept = append(kept, v)
		}
	}
	if kept == nil {
		kept = []value.Value{}
	}
	d.at = nil
	delete(d.rendered, name)
	d.root = d.root.Set("deployments", value.Of(kept))
}

// place is where the deployment stands in the list, -1 where it does not.
func (d *document) place(name Name) int {
	if d.at == nil {
		d.at = map[Name]int{}
		for i, v := range d.deployments() {
			d.at[nameOf(v)] = i
		}
	}
	if i, ok := d.at[name]; ok {
		return i
	}
	return -1
}

func nameOf(v value.Value) Name { return Name{textOf(v, "flow"), textOf(v, "name")} }

// apply carries out one write on the document.
func (d *document) apply(w Write) (*Live, error) {
	w.Fields = plainTree(normal(w.Fields))
	list, at := d.deployments(), d.place(w.Name)
	if w.Live != nil && at < 0 {
		return nil, fmt.Errorf("the deployment %q is no longer there; plan again", w.Name)
	}
	entry := value.Of([]value.Entry{{Key: "flow", Value: value.Of(w.Name.Flow)}, {Key: "name", Value: value.Of(w.Name.Deployment)}})
	if at >= 0 {
		entry = list[at]
	}
	if w.Live == nil { // over one that appeared meanwhile as well: creation is an upsert of a whole deployment
		entry = overlay(entry, creationDefaults())
	}
	entry = setAutomations(changed(entry, w), w, fileLive(w.Name, entry))
	if at >= 0 {
		list[at] = entry
	} else {
		d.at[w.Name] = len(list)
		list = append(list, entry)
	}
	delete(d.rendered, w.Name)
	d.root = d.root.Set("schema", value.Of(schemaVersion)).Set("deployments", value.Of(list))
	return fileLive(w.Name, entry), nil
}

// changed is the entry with the write's fields; what it says of schedules and queues is what a server would make of it.
func changed(entry value.Value, w Write) value.Value {
	live, _ := fileLive(w.Name, entry).Fields.Get("schedules")
	stays, _ := split(live.List, w.DeleteSchedules)
	wanted, listed := w.Fields.Get("schedules")
	fields := without(w.Fields, "schedules")
	if w.Live != nil {
		fields = withPoolAndQueue(without(fields, "labels"), fileLive(w.Name, entry).Fields)
	}
	entry = overlay(entry, fields)
	if listed {
		pairs, _ := pair(stays, wanted.List)
		stays = make([]value.Value, len(pairs))
		for i, p := range pairs {
			stays[i] = p.wanted
		}
		sortSchedules(stays)
	}
	if listed || len(w.DeleteSchedules) > 0 {
		kept := make([]value.Value, len(stays))
		for i, s := range stays {
			kept[i] = without(s, "id")
		}
		entry = entry.Set("schedules", value.Of(kept))
	}
	if has(entry, "work_pool_name") && !has(entry, "work_queue_name") {
		entry = entry.Set("work_queue_name", value.Of("default"))
	}
	return entry
}

// plainTree drops positions and provenance, which mean nothing in a file.
func plainTree(v value.Value) value.Value {
	out := value.Value{Kind: v.Kind, Bool: v.Bool, Int: v.Int, Float: v.Float, Text: v.Text}
	for i := range v.List {
		out.List = append(out.List, plainTree(v.List[i]))
	}
	for i := range v.Map {
		out.Map = append(out.Map, value.Entry{Key: v.Map[i].Key, Value: plainTree(v.Map[i].Value)})
	}
	return out
}

// sorted is the document in the order in which it is written: deployments by name, their fields in the order of fieldNames, and
// keys that are not known behind them as they stood.
func (d *document) sorted() value.Value {
	list := d.byName()
	for i := range list {
		list[i] = inOrder(list[i], entryKeys())
	}
	root := d.root
	if !has(root, "schema") { // an empty mapping, which counts as an empty state
		root = root.Set("schema", value.Of(schemaVersion))
	}
	return inOrder(root.Set("deployments", value.Of(list)), []string{"schema", "deployments"})
}

// byName is a copy of the list in the order in which it is written.
func (d *document) byName() []value.Value {
	list := append([]value.Value{}, d.deployments()...)
	sort.SliceStable(list, func(i, j int) bool {
		if a, b := textOf(list[i], "flow"), textOf(list[j], "flow"); a != b {
			return a < b
		}
		return textOf(list[i], "name") < textOf(list[j], "name")
	})
	return list
}

func entryKeys() []string {
	return append(append([]string{"flow", "name"}, fieldNames()...), "triggers", "sla")
}

func inOrder(v value.Value, keys []string) value.Value {
	entries := make([]value.Entry, 0, len(v.Map))
	for _, k := range keys {
		if got, ok := v.Get(k); ok {
			entries = append(entries, value.Entry{Key: k, Value: got})
		}
	}
	return value.Of(append(entries, without(v, keys...).Map...))
}

// equals tells whether the bytes hold the same document, however they are laid out.
func (d *document) equals(data []byte) bool {
	other, err := parseDocument(data)
	return err == nil && value.Equal(d.sorted(), other.sorted())
}
