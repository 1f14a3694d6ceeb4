// The names of images. Docker refuses a bad one only after the build, so it is looked at before: the grammar is that of the image reference, which all of Docker reads.
package docker

import (
	"strings"
	"unicode"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// spaced reports what Python calls space, in which prefect-docker sees a wrong name.
func spaced(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}

// nameFault says what is wrong with the name of an image, "" if nothing is.
func nameFault(name string) string {
	domain, path, found := strings.Cut(name, "/")
	if !found || !strings.ContainsAny(domain, ".:") && domain != "localhost" && domain == strings.ToLower(domain) {
		domain, path = "", name
	}
	if domain != "" && !domainOK(domain) {
		return "names a registry that can't be"
	}
	if at := strings.IndexAny(path, ":@"); at >= 0 {
		return "holds a tag or a digest of its own, which belongs into tag"
	}
	if len(name) > 255 {
		return "is longer than the 255 signs that Docker allows"
	}
	if len(name) == 64 && strings.Trim(name, "0123456789abcdef") == "" {
		return "looks like the id of an image"
	}
	for _, component := range strings.Split(path, "/") {
		if !componentOK(component) {
			return "is not a name that Docker takes: small letters, digits, and single . _ - or / between them"
		}
	}
	return ""
}

func domainOK(domain string) bool {
	host, port, withPort := strings.Cut(domain, ":")
	if withPort && (port == "" || strings.Trim(port, "0123456789") != "") {
		return false
	}
	for _, part := range strings.Split(host, ".") {
		if part == "" || strings.HasPrefix(part, "-") || strings.HasSuffix(part, "-") || strings.ContainsFunc(part, func(r rune) bool { return !alphanumeric(r) && r != '-' }) {
			return false
		}
	}
	return true
}

// componentOK: runs of small letters and digits, between them one dot, one or two underscores, or any number of dashes.
func componentOK(s string) bool {
	small := func(i int) bool { return i < len(s) && (s[i] >= 'a' && s[i] <= 'z' || s[i] >= '0' && s[i] <= '9') }
	if !small(0) || !small(len(s)-1) {
		return false
	}
	for i := 0; i < len(s); {
		start := i
		for i < len(s) && !small(i) {
			i++
		}
		switch between := s[start:i]; {
		case between == "", between == ".", between == "_", between == "__", strings.Trim(between, "-") == "":
		default:
			return false
		}
		i++
	}
	return true
}

func tagOK(tag string) bool {
	if tag == "" || len(tag) > 128 || tag[0] == '.' || tag[0] == '-' {
		return false
	}
	return !strings.ContainsFunc(tag, func(r rune) bool { return !alphanumeric(r) && r != '_' && r != '.' && r != '-' })
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// namedFault is what is wrong with a name as a sentence: as it is written, or, where the default namespace makes it wrong, as a whole.
func namedFault(v value.Value, name, fault string) string {
	if v.Kind == value.Text && strings.HasSuffix(name, "/"+v.Text) {
		v = value.Of(name).Mark(v.Origin)
	}
	return shown(v) + " " + fault
}
