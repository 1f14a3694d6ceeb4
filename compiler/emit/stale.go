// Is an emitted file what would be emitted now? Versions of actions aside, which move by themselves, and layout aside, which means nothing to the platform. An edit of prefect.yaml that is of no matter to the pipeline (a
// schedule, a description, a deployment without steps of its own) does not make it stale; one of a step or of x-ci does, and so does an edit of the pipeline by hand.
package emit

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// KeepPins makes an emission keep the versions that stand in the file as it is. Its action must be known by then.
func KeepPins(in *Input, old []byte) {
	own, _, _ := strings.Cut(in.Action, "@")
	in.Pins = ReadPins(old, own)
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
	if moving := Movable(old, now); len(moving) > 0 {
		return fmt.Sprintf("in line %d %s", moving[0].Line, moving[0].Why)
	}
	is, ok := contentOf(old)
	switch {
	case ok && (is == after["content"] || sameContent(old, now)):
		return ""
	case !ok || is != before["content"]:
		return "it was edited by hand"
	case before["compiler"] != after["compiler"]:
		return "another version of the compiler made it (" + before["compiler"] + ", this is " + after["compiler"] + ")"
	}
	return "what the deployments of prefect.yaml use of the steps changed"
}

// Emitted reports whether a file was emitted: whether its head says what it was made of.
func Emitted(file []byte) bool {
	_, ok := madeOf(file)
	return ok
}

// Beheaded reports whether a workflow is an emitted one without its head: it has the jobs of an emitted one, by their names, with the modes in which those call the action. A workflow of someone's own may call it in any mode, also check; that
// it has all of these jobs, and one that waits for the two others, is no accident.
func Beheaded(file []byte) bool {
	var root yaml.Node
	if Emitted(file) || yaml.Unmarshal(file, &root) != nil || len(root.Content) == 0 {
		return false
	}
	jobs := get(root.Content[0], "jobs")
	waits := needsOf(get(jobs, "prefect"))
	return calls(get(jobs, "check"), "check") && calls(get(jobs, "register"), "deploy") && slices.Contains(waits, "check") && slices.Contains(waits, "register")
}

// calls reports whether a job calls the action in a mode.
func calls(job *yaml.Node, mode string) bool {
	steps := get(job, "steps")
	return steps != nil && slices.ContainsFunc(steps.Content, func(step *yaml.Node) bool {
		told := get(get(step, "with"), "mode")
		return get(step, "uses") != nil && told != nil && told.Value == mode
	})
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

// sameContent compares what two files say, the order of keys aside.
func sameContent(a, b []byte) bool {
	var x, y yaml.Node
	if yaml.Unmarshal(a, &x) != nil || yaml.Unmarshal(b, &y) != nil {
		return false
	}
	unpin(&x, "")
	unpin(&y, "")
	var u, v any
	return x.Decode(&u) == nil && y.Decode(&v) == nil && reflect.DeepEqual(u, v)
}

// unpin takes the versions off that may be edited.
func unpin(n *yaml.Node, key string) {
	for i, c := range n.Content {
		within := key
		if n.Kind == yaml.MappingNode {
			if within = ""; i%2 == 1 {
				within = n.Content[i-1].Value
			}
		}
		if c.Kind == yaml.ScalarNode {
			c.Value = versionless(c, within)
		}
		unpin(c, within)
	}
}

// contentOf is the digest of what a file says; ok is false where it is no YAML.
func contentOf(file []byte) (digest string, ok bool) {
	var root yaml.Node
	if yaml.Unmarshal(file, &root) != nil || len(root.Content) == 0 {
		return "", false
	}
	return ofContent(root.Content[0]), true
}

// versionless is a scalar without the version that may be edited in it.
func versionless(n *yaml.Node, key string) string {
	switch key {
	case "uses":
		name, _, _ := strings.Cut(n.Value, "@")
		return name
	case "PREFECT_DEPLOY_REF":
		return ""
	case "image", "services":
		if name, _ := imageOf(n.Value); pinOfImage(name, false) != "" {
			return name
		}
	}
	if n.Tag == "!!null" {
		return ""
	}
	return n.Value
}
