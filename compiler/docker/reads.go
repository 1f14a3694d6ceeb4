// What a build reads beside files, for the tag that is the digest of it: `x-ci.steps.ID.tag: inputs`. How it is built (from which cache, by which builder, anew or not) and where it goes are no part of it, nor is what must not be shown:
// of a build secret counts its id, of an argument that is one its name, for a tag is there for all to see, and from a digest a short secret can be guessed. The label io.prefect.version is the machine's, which would give each its own tag.
package docker

import (
	"slices"
	"sort"
	"strings"
)

// Reads are words that are equal where two builds read the same. What stands in files is not in them: see Files.
func (b *Build) Reads(platform string) []string {
	other := Build{Target: b.Target, Platforms: b.Platforms, Network: b.Network, AddHosts: b.AddHosts, Allow: b.Allow, Attests: b.Attests, Provenance: b.Provenance, SBOM: b.SBOM,
		BuildArgs: countable(b.BuildArgs), Labels: countable(b.Labels), Secrets: ids(b.Secrets), SSH: ids(b.SSH)}
	if len(other.Platforms) == 0 {
		other.Platforms = []string{platform}
	}
	for _, c := range b.BuildContexts {
		if _, _, ok := localContext(c); !ok {
			other.BuildContexts = append(other.BuildContexts, c)
		}
	}
	sort.Strings(other.BuildContexts)
	words := other.Arguments()
	return append(words[2:len(words)-1:len(words)-1], "dockerfile", string(b.Dockerfile))
}

// Files are what of a build are files: the directory of the context, the Dockerfile ("" where it is generated) and the directories of further contexts by their names. ok is false where the context is an address.
func (b *Build) Files() (context, dockerfile string, more map[string]string, ok bool) {
	more = map[string]string{}
	for _, c := range b.BuildContexts {
		if name, directory, ok := localContext(c); ok {
			more[name] = directory
		}
	}
	if b.Dockerfile == nil {
		dockerfile = b.File
	}
	return b.Context, dockerfile, more, !remote(b.Context) && !strings.Contains(b.Context, "://")
}

// localContext takes NAME=DIRECTORY apart; an image, an address and a stage are none.
func localContext(c string) (name, directory string, ok bool) {
	name, directory, _ = strings.Cut(c, "=")
	kind, _, typed := strings.Cut(directory, ":")
	windows := len(kind) == 1
	return name, directory, directory != "" && !remote(directory) && (!typed || windows)
}

// countable are pairs in the order of their names, without values that must not be shown and without the label of the machine's Prefect.
func countable(pairs []Pair) []Pair {
	out := slices.DeleteFunc(slices.Clone(pairs), func(p Pair) bool { return p.Key == versionLabel })
	for i := range out {
		if out[i].Hidden {
			out[i].Value = ""
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// ids are the ids of secrets, or of ssh agents and keys, which stand first there.
func ids(list []string) []string {
	var out []string
	for _, s := range list {
		id, _, _ := strings.Cut(s, "=")
		for _, field := range strings.Split(s, ",") {
			if key, v, ok := strings.Cut(field, "="); ok && strings.EqualFold(key, "id") {
				id = v
			}
		}
		out = append(out, id)
	}
	sort.Strings(out)
	return out
}

// InputsTag is how a tag that is made of a digest begins.
const InputsTag = "inputs-"

// IsInputsTag reports whether a tag is one that is made of a digest.
func IsInputsTag(tag string) bool {
	digest, ok := strings.CutPrefix(tag, InputsTag)
	return ok && len(digest) == 40 && strings.Trim(digest, "0123456789abcdef") == ""
}
