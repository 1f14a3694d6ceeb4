// The versions of what a pipeline uses. They are pinned by content, since tags move; the file that is emitted is itself the lock: update bots edit its lines, and generating it again takes over what stands there. So a
// newer version comes from a bot's pull request or from hand, never from running the compiler.
package emit

import (
	"bytes"
	"fmt"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// Pin is one version: what stands behind the @, and the version that it is, for people.
type Pin struct{ Ref, Version string }

// Pins are versions by name: "actions/checkout", or an image's name.
type Pins map[string]Pin

// The names of images' pins: no action has such a name. Docker's client and engine are two images of one name.
const (
	golang       = "golang"
	dockerCLI    = "docker cli"
	dockerEngine = "docker dind"
)

// builtIn is a version of a first emission, "" for what the compiler has none of.
func builtIn(name string) Pin {
	switch name {
	case "actions/checkout":
		return Pin{"11bd71901bbe5b1630ceea73d27597364c9af683", "v4.2.2"}
	case "actions/upload-artifact":
		return Pin{"ea165f8d65b6e75b540449e92b4886f43607fa02", "v4.6.2"}
	case "actions/download-artifact":
		return Pin{"d3f86a106a0bac45b974a628896c90dbdf5c8093", "v4.3.0"}
	case "actions/setup-python":
		return Pin{"a26af69be951a213d495a4c3e4e4022e16d87065", "v5.6.0"}
	case "docker/setup-buildx-action":
		return Pin{"b5ca514318bd6ebac0fb2aedd5d36ec1b5c232a2", "v3.10.0"}
	case "docker/build-push-action":
		return Pin{"263435318d21b8e681c14492fe198d362a7d2c83", "v6.18.0"}
	case golang:
		return Pin{"1.26-bookworm", ""}
	case dockerCLI:
		return Pin{"28.5.1-cli", ""}
	case dockerEngine:
		return Pin{"28.5.1-dind", ""}
	}
	return Pin{}
}

// pinnedNames are all that have one.
func pinnedNames() []string {
	return []string{"actions/checkout", "actions/upload-artifact", "actions/download-artifact", "actions/setup-python", "docker/setup-buildx-action", "docker/build-push-action", golang, dockerCLI, dockerEngine}
}

// uses is a `uses:` line: the pin that the file has, else the compiler's own.
func (in *Input) uses(name string) *yaml.Node {
	pin, ok := in.Pins[name]
	if !ok {
		pin = builtIn(name)
	}
	return pinned(name, pin)
}

// ours is this project's action. Once it stands in the file, bots move it like any other; --action says otherwise.
func (in *Input) ours() *yaml.Node {
	name, ref, _ := strings.Cut(in.Action, "@")
	if pin, ok := in.Pins[name]; ok {
		return pinned(name, pin)
	}
	pin := Pin{Ref: ref}
	if len(ref) == 40 && strings.HasPrefix(in.Compiler, "v") {
		pin.Version = in.Compiler // a release pins the action by its commit
	}
	return pinned(name, pin)
}

func pinned(name string, pin Pin) *yaml.Node {
	n := text(name + "@" + pin.Ref)
	if pin.Version != "" {
		n.LineComment = "# " + pin.Version
	}
	return n
}

// image is a reference to an image: its name, and the version that the file has, else the compiler's own.
func (in *Input) image(pin string) string {
	p, ok := in.Pins[pin]
	if !ok {
		p = builtIn(pin)
	}
	name, _, _ := strings.Cut(pin, " ")
	if strings.HasPrefix(p.Ref, "sha256:") {
		return name + "@" + p.Ref
	}
	return name + ":" + p.Ref
}

// written is a version as it stands in a line of a file.
type written struct {
	line int
	name string
	pin  Pin
}

// readPins finds what a file pins, line by line.
func readPins(file []byte) (out []written) {
	ours := ""
	for number := 1; len(file) > 0; number++ {
		var line []byte
		line, file, _ = bytes.Cut(file, []byte("\n"))
		text := strings.TrimPrefix(strings.TrimSpace(string(line)), "- ")
		rest, ok := strings.CutPrefix(text, "uses: ")
		if !ok {
			key, text := scalarOf(string(line))
			var pin written
			if pin, ours = readImage(key, text, ours); pin.name != "" {
				pin.line = number
				out = append(out, pin)
			}
			continue
		}
		reference, version, _ := strings.Cut(rest, "#")
		name, ref, ok := strings.Cut(strings.Trim(strings.TrimSpace(reference), `"'`), "@")
		if ok && name != "" && ref != "" {
			out = append(out, written{number, name, Pin{ref, strings.TrimSpace(version)}})
		}
	}
	return out
}

// ReadPins finds the versions of an emitted file that stay when it is emitted anew. Of one that stands in it several times, the first counts. What could stand for something else tomorrow is no pin, but for the version of own, this
// project's action, which --action may have named.
func ReadPins(file []byte, own string) Pins {
	pins := Pins{}
	for _, w := range readPins(file) {
		if _, seen := pins[w.name]; !seen && (w.name == own || w.fixed()) {
			pins[w.name] = w.pin
		}
	}
	return pins
}

// fixed reports whether a version says once and for all what is meant: an action's commit, an image's digest. Of an image a numbered tag does, as the compiler's own are such.
func (w *written) fixed() bool {
	ref := w.pin.Ref
	if i := strings.LastIndex(ref, "sha256:"); i >= 0 {
		return isHex(ref[i+len("sha256:"):], 64) && (i == 0 || ref[i-1] == '@')
	}
	switch w.name {
	case golang, dockerCLI, dockerEngine:
		return strings.ContainsAny(ref, "0123456789") && !strings.Contains(ref, "@")
	}
	return isHex(ref, 40)
}

func isHex(s string, length int) bool {
	return len(s) == length && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// Moving is a line of a file that names a version which is none, and why it is none.
type Moving struct {
	Line int
	Why  string
}

// Movable are the lines of an emitted file whose version can stand for something else tomorrow, though what would be emitted now has another: somebody edited them.
func Movable(old, now []byte) (out []Moving) {
	meant := map[string]bool{}
	for _, w := range readPins(now) {
		meant[w.name+"@"+w.pin.Ref] = true
	}
	for _, w := range readPins(old) {
		if w.fixed() || meant[w.name+"@"+w.pin.Ref] {
			continue
		}
		why := "is no commit, which has 40 hexadecimal digits"
		switch w.name {
		case golang, dockerCLI, dockerEngine:
			why = "is neither a digest nor a numbered tag"
		}
		name, _, _ := strings.Cut(w.name, " ")
		out = append(out, Moving{w.line, fmt.Sprintf("the version %s of %s %s, and may be something else tomorrow", oneLine(w.pin.Ref), oneLine(name), why)})
	}
	return out
}

// ofPins is the digest of the versions in use.
func (in *Input) ofPins() string {
	used := Pins{}
	for _, name := range pinnedNames() {
		used[name] = builtIn(name)
	}
	name, ref, _ := strings.Cut(in.Action, "@")
	used[name] = Pin{Ref: ref}
	for name, pin := range in.Pins {
		used[name] = pin
	}
	var parts []string
	for name, pin := range used {
		parts = append(parts, name+"@"+pin.Ref)
	}
	sort.Strings(parts)
	return digest(parts...)
}

// scalarOf is a line's key, "" for an item of a list, and its plain or quoted text.
func scalarOf(line string) (key, text string) {
	line = strings.TrimSpace(line)
	rest, item := strings.CutPrefix(line, "- ")
	if !item {
		key, rest, _ = strings.Cut(line, ": ")
	}
	rest, _, _ = strings.Cut(rest, " #")
	return key, strings.Trim(strings.TrimSpace(rest), `"'`)
}

// readImage is what a line of GitLab's says of a version: of an image, or of this project's own source, whose name stands a line before; next is that name.
func readImage(key, text, ours string) (pin written, next string) {
	switch key {
	case "PREFECT_DEPLOY_SOURCE":
		return pin, filled(strings.TrimPrefix(text, source))
	case "PREFECT_DEPLOY_REF":
		if text != "" {
			pin = written{name: ours, pin: Pin{Ref: filled(text)}}
		}
		return pin, ""
	case "image", "":
		name, ref := imageOf(text)
		return written{name: pinOfImage(name, key == ""), pin: Pin{Ref: ref}}, ours
	}
	return pin, ours
}

// imageOf parts a reference to an image: its name, and behind the : or @ its version. What has none, or is no reference, has no name.
func imageOf(text string) (name, ref string) {
	i := strings.IndexAny(text, ":@")
	if i <= 0 || i == len(text)-1 || strings.ContainsAny(text, " \t") {
		return "", ""
	}
	return text[:i], text[i+1:]
}

// pinOfImage is the name by which an image's version is kept, "" for an image that is none of ours; listed says that it stands among services.
func pinOfImage(name string, listed bool) string {
	switch {
	case name == golang:
		return golang
	case name == "docker" && listed:
		return dockerEngine
	case name == "docker":
		return dockerCLI
	}
	return ""
}
