// What a registry says of an image.
package docker

import "encoding/json"

// Described reads the manifest of an image: the id that an engine gives it. Of an image for several platforms, and of one with attestations beside it, it is a list, and next names the manifest of its one image, "" where there are more.
func Described(manifest []byte) (id, next string) {
	var m struct {
		Config    struct{ Digest string }
		Manifests []struct {
			Digest   string
			Platform struct{ OS string }
		}
	}
	if json.Unmarshal(manifest, &m) != nil {
		return "", ""
	}
	for _, x := range m.Manifests {
		if x.Platform.OS == "unknown" { // an attestation
			continue
		}
		if next != "" {
			return "", ""
		}
		next = x.Digest
	}
	return m.Config.Digest, next
}
