// Patches: what a team wants otherwise in an emitted file, as JSON Patch (RFC 6902) says it, so that it survives the next emission. `test` guards an assumption; a patch that no longer fits is a fault at its line.
package emit

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// applyPatches carries patches out one after the other, and stops at the first that does not fit: the others may have built on it.
func applyPatches(root *yaml.Node, patches []placed) diag.List {
	for _, p := range patches {
		if err := applyPatch(root, p); err != nil {
			return diag.List{{Severity: diag.Error, Code: "patch-does-not-fit", Message: err.Error(), Help: "look at the emitted file without this patch, and correct its path", Position: p.file.Position(p.value.Pos)}}
		}
	}
	return nil
}

func applyPatch(root *yaml.Node, p placed) error {
	op, path, from := field(p, "op"), field(p, "path"), field(p, "from")
	v, given := p.value.Get("value")
	if !given && (op == "add" || op == "replace" || op == "test") {
		return fmt.Errorf("the patch %s %s has no value", op, diag.Quote(path))
	}
	switch op {
	case "add":
		return add(root, path, ofValue(v))
	case "remove":
		_, err := remove(root, path)
		return err
	case "replace":
		at, err := find(root, path)
		if err == nil {
			*at = *ofValue(v)
		}
		return err
	case "test":
		at, err := find(root, path)
		if err == nil && !equal(at, ofValue(v)) {
			err = fmt.Errorf("at %s stands something else than the test wants", diag.Quote(path))
		}
		return err
	case "move", "copy":
		at, err := find(root, from)
		if err != nil {
			return err
		}
		copied := deepCopy(at)
		if op == "move" {
			if _, err := remove(root, from); err != nil {
				return err
			}
		}
		return add(root, path, copied)
	}
	return fmt.Errorf("the patch's op is %s: write add, remove, replace, move, copy or test", diag.Quote(op))
}

func field(p placed, key string) string {
	v, _ := p.value.Get(key)
	return v.Text
}

// split is a JSON pointer's parent and last part.
func split(path string) (parent, last string, err error) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", "", fmt.Errorf("the path %s does not begin with /", diag.Quote(path))
	}
	return path[:i], unescape(path[i+1:]), nil
}

func unescape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

// find walks a JSON pointer.
func find(root *yaml.Node, path string) (*yaml.Node, error) {
	at := root
	if path == "" {
		return at, nil
	}
	if path[0] != '/' {
		return nil, fmt.Errorf("the path %s does not begin with /", diag.Quote(path))
	}
	for _, part := range strings.Split(path[1:], "/") {
		part = unescape(part)
		var next *yaml.Node
		switch at.Kind {
		case yaml.MappingNode:
			next = get(at, part)
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < len(at.Content) {
				next = at.Content[i]
			}
		}
		if next == nil {
			return nil, fmt.Errorf("there is no %s in the emitted file", diag.Quote(path))
		}
		at = next
	}
	return at, nil
}

func add(root *yaml.Node, path string, v *yaml.Node) error {
	parent, last, err := split(path)
	if err != nil {
		return err
	}
	at, err := find(root, parent)
	if err != nil {
		return err
	}
	switch at.Kind {
	case yaml.MappingNode:
		if old := get(at, last); old != nil {
			*old = *v
			return nil
		}
		put(at, last, v)
		return nil
	case yaml.SequenceNode:
		i, err := strconv.Atoi(last)
		if last == "-" {
			i, err = len(at.Content), nil
		}
		if err != nil || i < 0 || i > len(at.Content) {
			return fmt.Errorf("%s is no place in that list", diag.Quote(path))
		}
		at.Content = append(at.Content[:i:i], append([]*yaml.Node{v}, at.Content[i:]...)...)
		return nil
	}
	return fmt.Errorf("nothing can be added to %s: it is a plain value", diag.Quote(parent))
}

func remove(root *yaml.Node, path string) (*yaml.Node, error) {
	gone, err := find(root, path)
	if err != nil {
		return nil, err
	}
	parent, last, err := split(path)
	if err != nil {
		return nil, err
	}
	at, err := find(root, parent)
	if err != nil {
		return nil, err
	}
	for i := range at.Content {
		switch {
		case at.Kind == yaml.MappingNode && i%2 == 0 && at.Content[i].Value == last:
			at.Content = append(at.Content[:i:i], at.Content[i+2:]...)
			return gone, nil
		case at.Kind == yaml.SequenceNode && strconv.Itoa(i) == last:
			at.Content = append(at.Content[:i:i], at.Content[i+1:]...)
			return gone, nil
		}
	}
	return gone, nil
}

func deepCopy(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = nil
	for _, x := range n.Content {
		c.Content = append(c.Content, deepCopy(x))
	}
	return &c
}

// equal compares what two nodes mean.
func equal(a, b *yaml.Node) bool {
	var x, y any
	return a.Decode(&x) == nil && b.Decode(&y) == nil && reflect.DeepEqual(x, y)
}
