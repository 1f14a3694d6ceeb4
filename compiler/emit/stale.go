// Is an emitted file what would be emitted now? Versions of actions aside, which move by themselves, and layout aside, which means nothing to the platform. An edit of prefect.yaml that is of no matter to the pipeline (a
// schedule, a description, a deployment without steps of its own) does not make it stale; one of a step or of x-ci does, and so does an edit of the pipeline by hand.
package emit

import (
	"bytes"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// KeepPins makes an emission keep the versions that stand in the file as it is.
func KeepPins(in *Input, old []byte) {
	in.Pins = ReadPins(old)
	made, ok := madeOf(old)
	in.SettingsUnchanged = ok && made["x-ci"] == in.ofSettings()
}

// Stale says why the old file is not what would be emitted now, "" when it is.
func Stale(old, now []byte) string {
	before, ok := madeOf(old)
	if !ok {
		return "it was not generated, or its head was edited"
	}
	after, _ := madeOf(now)
	for _, x := range []struct{ name, text string }{{"steps", "the steps of prefect.yaml, or the variables that it reads, changed"}, {"x-ci", "x-ci of prefect.yaml changed"}} {
		if before[x.name] != after[x.name] {
			return x.text
		}
	}
	switch {
	case sameContent(old, now):
		return ""
	case before["compiler"] != after["compiler"]:
		return "another version of the compiler made it"
	}
	return "it was edited by hand"
}

// Emitted reports whether a file was emitted: whether its head says what it was made of.
func Emitted(file []byte) bool {
	_, ok := madeOf(file)
	return ok
}

// ActionOf is the action of this project in an emitted workflow, as OWNER/REPOSITORY@REF, "" when there is none: that of the first step that is told a mode.
func ActionOf(file []byte) string {
	var root yaml.Node
	if yaml.Unmarshal(file, &root) != nil {
		return ""
	}
	found := ""
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if uses := get(n, "uses"); found == "" && uses != nil && get(get(n, "with"), "mode") != nil && strings.Contains(uses.Value, "@") {
			found = uses.Value
		}
		if from, ref := get(n, "PREFECT_DEPLOY_SOURCE"), get(n, "PREFECT_DEPLOY_REF"); found == "" && from != nil && ref != nil && ref.Value != "" && strings.HasPrefix(from.Value, source) {
			found = filled(strings.TrimPrefix(from.Value, source)) + "@" + filled(ref.Value)
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(&root)
	return found
}

// Again is the command that emits a file anew, from the repository's root.
func Again(dialect string, patterns []string, within, file string) string {
	words := []string{"compile", dialect}
	if within != "" {
		words = append(words, "-C", shellWord(within))
	}
	if len(patterns) != 1 || patterns[0] != "prefect.yaml" {
		for _, p := range patterns {
			words = append(words, "-f", shellWord(p))
		}
	}
	return strings.Join(append(words, "-o", shellWord(file)), " ")
}

// shellWord quotes what a shell would not take as one word.
func shellWord(s string) string {
	if s != "" && plainWords(s) && !strings.Contains(s, " ") {
		return s
	}
	return "'" + strings.ReplaceAll(oneLine(s), "'", `'\''`) + "'"
}

// News are what the head of a file names and that of the file before did not: secrets, variables, permissions, actions and images, a line for each kind.
func News(before, now []byte) []string {
	var out []string
	old := headLists(before)
	for _, kind := range []string{"secrets", "variables", "permissions", "actions", "images"} {
		var added []string
		for _, item := range headLists(now)[kind] {
			if !slices.Contains(old[kind], item) {
				added = append(added, item)
			}
		}
		if len(added) > 0 {
			out = append(out, "the "+kind+" "+strings.Join(added, ", "))
		}
	}
	return out
}

// Variables are the environment variables that the head of an emitted file names.
func Variables(file []byte) []string {
	lists := headLists(file)
	return append(append([]string(nil), lists["secrets"]...), lists["variables"]...)
}

func headLists(file []byte) map[string][]string {
	out := map[string][]string{}
	for _, line := range strings.Split(string(file), "\n") {
		rest, ok := strings.CutPrefix(line, "# ")
		if !ok {
			break
		}
		if kind, items, ok := strings.Cut(rest, ": "); ok {
			out[kind] = strings.Split(items, ", ")
		}
	}
	return out
}

// madeOf reads the line of the head that names the inputs.
func madeOf(file []byte) (map[string]string, bool) {
	for bytes.HasPrefix(file, []byte("#")) {
		var line []byte
		line, file, _ = bytes.Cut(file, []byte("\n"))
		rest, ok := strings.CutPrefix(string(line), "# made of: ")
		if !ok {
			continue
		}
		made := map[string]string{}
		for _, item := range strings.Split(rest, ", ") {
			name, v, _ := strings.Cut(item, " ")
			made[name] = v
		}
		return made, true
	}
	return nil, false
}

// sameContent compares what two files say, versions aside.
func sameContent(a, b []byte) bool {
	var x, y yaml.Node
	if yaml.Unmarshal(a, &x) != nil || yaml.Unmarshal(b, &y) != nil {
		return false
	}
	unpin(&x)
	unpin(&y)
	var u, v any
	return x.Decode(&u) == nil && y.Decode(&v) == nil && reflect.DeepEqual(u, v)
}

// unpin takes the version off every action.
func unpin(n *yaml.Node) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "uses" && c.Kind == yaml.ScalarNode {
			c.Value, _, _ = strings.Cut(c.Value, "@")
		}
		unpin(c)
	}
}
