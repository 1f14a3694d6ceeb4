// The versions of what a pipeline uses. They are pinned by content, since tags move; the file that is emitted is itself the lock: update bots edit its lines, and generating it again takes over what stands there. So a
// newer version comes from a bot's pull request or from hand, never from running the compiler.
package emit

import (
	"bytes"
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

// defaults are the versions of a first emission.
func defaults() Pins {
	return Pins{
		"actions/checkout":           {"11bd71901bbe5b1630ceea73d27597364c9af683", "v4.2.2"},
		"actions/upload-artifact":    {"ea165f8d65b6e75b540449e92b4886f43607fa02", "v4.6.2"},
		"actions/download-artifact":  {"d3f86a106a0bac45b974a628896c90dbdf5c8093", "v4.3.0"},
		"actions/setup-python":       {"a26af69be951a213d495a4c3e4e4022e16d87065", "v5.6.0"},
		"docker/setup-buildx-action": {"b5ca514318bd6ebac0fb2aedd5d36ec1b5c232a2", "v3.10.0"},
		"docker/build-push-action":   {"263435318d21b8e681c14492fe198d362a7d2c83", "v6.18.0"},
		golang:                       {"1.26-bookworm", ""},
		dockerCLI:                    {"28.5.1-cli", ""},
		dockerEngine:                 {"28.5.1-dind", ""},
	}
}

// uses is a `uses:` line: the pin that the file has, else the compiler's own.
func (in *Input) uses(name string) *yaml.Node {
	pin, ok := in.Pins[name]
	if !ok {
		pin = defaults()[name]
	}
	return pinned(name, pin)
}

// ours is this project's action. Once it stands in the file, bots move it like any other; --action says otherwise.
func (in *Input) ours() *yaml.Node {
	name, ref, _ := strings.Cut(in.Action, "@")
	if pin, ok := in.Pins[name]; ok {
		return pinned(name, pin)
	}
	return pinned(name, Pin{Ref: ref})
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
		p = defaults()[pin]
	}
	name, _, _ := strings.Cut(pin, " ")
	if strings.HasPrefix(p.Ref, "sha256:") {
		return name + "@" + p.Ref
	}
	return name + ":" + p.Ref
}

// ReadPins finds the pins of an emitted file. Of an action that stands in it several times in several versions, the first counts.
func ReadPins(file []byte) Pins {
	pins := Pins{}
	ours := ""
	for _, line := range bytes.Split(file, []byte("\n")) {
		_, rest, ok := strings.Cut(string(line), "uses: ")
		if !ok {
			key, text := scalarOf(string(line))
			ours = readImage(key, text, ours, pins)
			continue
		}
		written, version, _ := strings.Cut(rest, "#")
		name, ref, ok := strings.Cut(strings.Trim(strings.TrimSpace(written), `"'`), "@")
		if _, seen := pins[name]; ok && !seen && name != "" && ref != "" {
			pins[name] = Pin{ref, strings.TrimSpace(version)}
		}
	}
	return pins
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

// readImage takes in what a line of GitLab's says of a version: of an image, or of this project's own source, whose name stands a line before. It returns that name.
func readImage(key, text, ours string, pins Pins) string {
	pin := ""
	switch key {
	case "PREFECT_DEPLOY_SOURCE":
		return filled(strings.TrimPrefix(text, source))
	case "PREFECT_DEPLOY_REF":
		if ours != "" && text != "" {
			pins[ours] = Pin{Ref: filled(text)}
		}
		return ""
	case "image", "":
		name, ref := text, ""
		if i := strings.IndexAny(text, ":@"); i > 0 {
			name, ref = text[:i], text[i+1:]
		}
		switch {
		case ref == "" || strings.ContainsAny(ref, " \t"):
		case name == golang:
			pin = golang
		case name == "docker" && key == "":
			pin = dockerEngine
		case name == "docker":
			pin = dockerCLI
		}
		if _, seen := pins[pin]; pin != "" && !seen {
			pins[pin] = Pin{Ref: ref}
		}
	}
	return ours
}
