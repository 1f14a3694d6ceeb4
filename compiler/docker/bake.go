// A Build whose arguments hold a secret. The words of a command can be read by every process of the machine, so these go by standard input, as the definition that `docker buildx bake --file -` takes: the same build in other clothes.
package docker

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Bakes reports whether a build goes by a definition: an argument holds what must not be shown, and a definition can say all that the build says. It has no word for extra hosts.
func (b *Build) Bakes() bool {
	if len(b.AddHosts) > 0 {
		return false
	}
	for _, marks := range b.marks { // any will do, so the order means nothing
		if marks.Has(value.Sensitive) {
			return true
		}
	}
	return false
}

// Exposed is a sentence that names the arguments that hold what must not be shown and yet would stand in the words of a command, "" for none. Build arguments never do (ByEnvironment); an image's name does, as it is in the words of each
// docker that pushes or runs it.
func (b *Build) Exposed() string {
	if b.Bakes() {
		return ""
	}
	var out []string
	for _, input := range []string{"labels", "cache-from", "cache-to"} {
		if b.marks[input].Has(value.Sensitive) {
			out = append(out, strings.ReplaceAll(input, "-", "_"))
		}
	}
	if b.marks["context"].Has(value.Sensitive) && isAddress(b.Context) { // where it may hold a login; a directory from the environment may be shown
		out = append(out, "path")
	}
	if b.marks["build-contexts"].Has(value.Sensitive) && slices.ContainsFunc(b.BuildContexts, isAddress) {
		out = append(out, "build_contexts")
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(out, " and ") + " would hold a secret that each process of the machine can read, beside extra hosts: take those out, give the secret as a build argument, or list its variable under x-ci.vars if it is none"
}

// isAddress reports whether a context, or a further one as NAME=WHERE, is fetched from elsewhere.
func isAddress(context string) bool { return strings.Contains(context, "://") }

// BakeArguments are the words after `docker` for a build whose definition comes by standard input.
func (b *Build) BakeArguments() []string {
	words := []string{"buildx", "bake", "--file", "-"}
	one := func(option, v string) {
		if v != "" {
			words = append(words, option, v)
		}
	}
	one("--builder", b.Builder)
	one("--progress", b.Progress)
	one("--metadata-file", b.MetadataFile)
	allow := b.Allow
	if b.Network == "host" && !slices.Contains(allow, "network.host") {
		allow = append([]string{"network.host"}, allow...)
	}
	for _, a := range allow {
		words = append(words, "--allow", a)
	}
	return append(words, bakeTarget)
}

const bakeTarget = "image"

// Bake is the definition. file is the Dockerfile's path as the definition wants it: absolute, since a relative one counts from the context there.
func (b *Build) Bake(file string) []byte {
	var t []value.Entry
	put := func(key string, v value.Value) { t = append(t, value.Entry{Key: key, KeyKind: value.Text, Value: v}) }
	text := func(key, v string) {
		if v != "" {
			put(key, value.Of(literal(v)))
		}
	}
	list := func(key string, items []string) {
		var out []value.Value
		for _, item := range items {
			out = append(out, value.Of(literal(item)))
		}
		if len(out) > 0 {
			put(key, value.Of(out))
		}
	}
	text("context", b.Context)
	if b.Dockerfile != nil {
		text("dockerfile-inline", string(b.Dockerfile))
	} else {
		text("dockerfile", file)
	}
	list("tags", b.Tags)
	put("args", mapping(b.BuildArgs))
	put("labels", mapping(b.Labels))
	put("contexts", mapping(split(b.BuildContexts)))
	text("target", b.Target)
	list("platforms", b.Platforms)
	text("network", b.Network)
	list("entitlements", b.Allow)
	list("cache-from", b.CacheFrom)
	list("cache-to", b.CacheTo)
	list("secret", b.Secrets)
	list("ssh", b.SSH)
	list("attest", b.bakeAttests())
	list("output", b.bakeOutputs())
	put("pull", value.Of(b.Pull))
	put("no-cache", value.Of(b.NoCache))
	one := func(key string, v value.Value) value.Value {
		return value.Of([]value.Entry{{Key: key, KeyKind: value.Text, Value: v}})
	}
	return one("target", one(bakeTarget, value.Of(t))).AppendJSON(nil)
}

// bakeOutputs are --output, --push and --load in the one form that a definition has.
func (b *Build) bakeOutputs() []string {
	out := append([]string(nil), b.Exports...)
	if b.Load {
		out = append(out, "type=docker")
	}
	if b.Push {
		out = append(out, "type=image,push=true")
	}
	return out
}

// bakeAttests are --attest, --provenance and --sbom in the one form that a definition has.
func (b *Build) bakeAttests() []string {
	out := append([]string(nil), b.Attests...)
	for _, a := range []struct{ kind, said string }{{"provenance", b.Provenance}, {"sbom", b.SBOM}} {
		switch a.said {
		case "":
		case "true":
			out = append(out, "type="+a.kind)
		case "false":
			out = append(out, "type="+a.kind+",disabled=true")
		default:
			out = append(out, "type="+a.kind+","+a.said)
		}
	}
	return out
}

func split(list []string) (out []Pair) {
	for _, item := range list {
		key, v, _ := strings.Cut(item, "=")
		out = append(out, Pair{Key: key, Value: v})
	}
	return out
}

func mapping(pairs []Pair) value.Value {
	m := value.Of([]value.Entry{})
	for _, p := range pairs {
		m = m.Set(p.Key, value.Of(literal(p.Value)))
	}
	return m
}

// literal is a text that a definition does not fill anything into.
func literal(s string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
}

// ByEnvironment are the words with each hidden build argument by its name alone; docker takes its value from the environment then, which only the user's own processes can read.
func (b *Build) ByEnvironment() (words, env []string) {
	own := *b
	own.BuildArgs = nil
	words = own.Arguments()
	var arguments []string
	for _, p := range b.BuildArgs {
		if p.Hidden {
			arguments, env = append(arguments, "--build-arg", p.Key), append(env, p.Key+"="+p.Value)
			continue
		}
		arguments = append(arguments, "--build-arg", p.Key+"="+p.Value)
	}
	last := len(words) - 1
	return slices.Concat(words[:last], arguments, words[last:]), env
}
