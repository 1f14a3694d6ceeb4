// Is an emitted file what would be emitted now? Versions aside, which move by themselves, and comments aside, which mean nothing to the platform: an unrelated edit of prefect.yaml does not make a pipeline stale, an edit
// of the pipeline by hand does.
package emit

import (
	"bytes"
	"reflect"
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
	if sameContent(old, now) {
		return ""
	}
	after, _ := madeOf(now)
	for _, x := range []struct{ name, text string }{{"steps", "the steps or deployments of prefect.yaml changed"}, {"x-ci", "x-ci of prefect.yaml changed"}, {"compiler", "another version of the compiler made it"}} {
		if before[x.name] != after[x.name] {
			return x.text
		}
	}
	return "it was edited by hand"
}

// madeOf reads the line of the head that names the inputs.
func madeOf(file []byte) (map[string]string, bool) {
	for _, line := range bytes.Split(file, []byte("\n")) {
		if !bytes.HasPrefix(line, []byte("#")) {
			break
		}
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
