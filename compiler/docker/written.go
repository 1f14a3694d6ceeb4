// A Build written down: as the words of `docker buildx build`, and as the inputs of docker/build-push-action, which that action turns into the same words.
package docker

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Arguments are the words after `docker`. Where File is "-" the Dockerfile is to come in by standard input.
func (b *Build) Arguments() []string {
	words := []string{"buildx", "build"}
	one := func(option, v string) {
		if v != "" {
			words = append(words, option, v)
		}
	}
	each := func(option string, list []string) {
		for _, v := range list {
			words = append(words, option, v)
		}
	}
	flag := func(option string, on bool) {
		if on {
			words = append(words, option)
		}
	}
	one("--builder", b.Builder)
	one("--progress", b.Progress)
	one("--file", b.File)
	each("--tag", b.Tags)
	each("--build-arg", written(b.BuildArgs, "="))
	each("--build-context", b.BuildContexts)
	each("--label", written(b.Labels, "="))
	one("--target", b.Target)
	one("--platform", strings.Join(b.Platforms, ","))
	one("--network", b.Network)
	each("--add-host", b.AddHosts)
	each("--allow", b.Allow)
	each("--cache-from", b.CacheFrom)
	each("--cache-to", b.CacheTo)
	each("--secret", b.Secrets)
	each("--ssh", b.SSH)
	each("--attest", b.Attests)
	flag("--provenance="+b.Provenance, b.Provenance != "")
	flag("--sbom="+b.SBOM, b.SBOM != "")
	each("--output", b.Exports)
	one("--metadata-file", b.MetadataFile)
	flag("--no-cache", b.NoCache)
	flag("--pull", b.Pull)
	flag("--push", b.Push)
	flag("--load", b.Load)
	return append(words, b.Context)
}

// Action are the inputs of docker/build-push-action; what has the action's own default is left out. A generated Dockerfile is not in them: write it, and set File.
func (b *Build) Action() []value.Entry {
	var entries []value.Entry
	put := func(input string, v value.Value, there bool) {
		if there {
			entries = append(entries, entry(input, v.Mark(b.marks[input])))
		}
	}
	one := func(input, v string) { put(input, value.Of(v), v != "") }
	list := func(input string, items []string) { one(input, lines(items)) }
	one("context", b.Context)
	one("file", b.File)
	list("tags", b.Tags)
	list("build-args", written(b.BuildArgs, "="))
	list("build-contexts", b.BuildContexts)
	list("labels", written(b.Labels, "="))
	one("target", b.Target)
	list("platforms", b.Platforms)
	one("network", b.Network)
	list("add-hosts", b.AddHosts)
	list("allow", b.Allow)
	list("cache-from", b.CacheFrom)
	list("cache-to", b.CacheTo)
	files, envs, _ := splitSecrets(b.Secrets)
	b.marks["secret-files"], b.marks["secret-envs"] = b.marks["secrets"], b.marks["secrets"]
	list("secret-files", files)
	list("secret-envs", envs)
	list("ssh", b.SSH)
	list("attests", b.Attests)
	one("provenance", b.provenance())
	one("sbom", b.SBOM)
	one("outputs", strings.Join(b.Exports, "\n"))
	one("builder", b.Builder)
	put("no-cache", value.Of(true), b.NoCache)
	put("pull", value.Of(true), b.Pull)
	put("push", value.Of(true), b.Push)
	put("load", value.Of(true), b.Load)
	return entries
}

// provenance: where nothing is said, buildx adds the short kind to what it pushes, and the action, of a public repository, the long one.
func (b *Build) provenance() string {
	if b.Provenance == "" && !b.Load && !attests(b.Attests, "provenance") {
		return "mode=min,inline-only=true"
	}
	return b.Provenance
}

// lines writes a list as the action reads it: CSV, one record a line, so that what holds a comma, a quote or a line end is quoted.
func lines(items []string) string {
	var out []string
	for _, item := range items {
		if strings.ContainsAny(item, ",\"\r\n") {
			item = `"` + strings.ReplaceAll(item, `"`, `""`) + `"`
		}
		out = append(out, item)
	}
	return strings.Join(out, "\n")
}

// splitSecrets turns the command line's secrets (id=x,src=file; id=x,env=NAME) into the action's, which has an input for each kind; ok is false where it has none.
func splitSecrets(secrets []string) (files, envs []string, ok bool) {
	ok = true
	for _, secret := range secrets {
		fields := map[string]string{}
		for _, field := range strings.Split(secret, ",") {
			key, v, _ := strings.Cut(field, "=")
			fields[strings.ToLower(key)] = v
		}
		id, src, env := fields["id"], fields["src"]+fields["source"], fields["env"]
		switch {
		case strings.ContainsAny(secret, "\"\n") || id == "" || (src == "") == (env == "") || strings.Count(secret, ",") > 2:
			ok = false
		case src != "":
			files = append(files, id+"="+src)
		default:
			envs = append(envs, id+"="+env)
		}
	}
	return files, envs, ok
}

// ActionLacks names the arguments that docker/build-push-action has no way to be told, though the command line has.
func (b *Build) ActionLacks() []string {
	var out []string
	lacks := func(argument string, is bool) {
		if is {
			out = append(out, argument)
		}
	}
	lacks("metadata_file", b.MetadataFile != "")
	lacks("credentials", !b.credentials.IsNull())
	_, _, secrets := splitSecrets(b.Secrets)
	lacks("secrets", !secrets || !fits(b.Secrets, "\n"))
	lacks("ssh", !fits(b.SSH, ","))
	lacks("extra_hosts", !fits(b.AddHosts, ","))
	lacks("allow", !fits(b.Allow, ","))
	lacks("platforms", !fits(b.Platforms, ","))
	lacks("build arguments", !fits(written(b.BuildArgs, "="), ""))
	lacks("labels", !fits(written(b.Labels, "="), ""))
	lacks("build_contexts", !fits(b.BuildContexts, "") || curly(b.BuildContexts...))
	lacks("cache_from", !fits(b.CacheFrom, ""))
	lacks("cache_to", !fits(b.CacheTo, ""))
	lacks("attest", !fits(b.Attests, "") || b.SBOM != "" && attests(b.Attests, "sbom") || b.Provenance != "" && attests(b.Attests, "provenance"))
	lacks("output", !fits(b.Exports, "\n"))
	lacks("path", !fits([]string{b.Context}, "") || curly(b.Context))
	lacks("dockerfile", !fits([]string{b.File}, ""))
	lacks("target", !fits([]string{b.Target}, ""))
	return out
}

// attests reports whether an attestation of that type is asked for; the action's inputs sbom and provenance go over one of attests.
func attests(list []string, kind string) bool {
	return slices.ContainsFunc(list, func(a string) bool { return slices.Contains(strings.Split(a, ","), "type="+kind) })
}

// fits reports whether the action gets each item as it is: it trims them, and splits some lists at commas even inside quotes.
func fits(items []string, splits string) bool {
	for _, item := range items {
		if strings.TrimSpace(item) != item || strings.Trim(item, "\ufeff\u0085") != item || splits != "" && strings.ContainsAny(item, splits) {
			return false
		}
	}
	return true
}

// curly: the action fills {{…}} in these itself. GitHub's own expressions are gone by then.
func curly(texts ...string) bool {
	for _, t := range texts {
		if strings.Contains(strings.ReplaceAll(t, "${{", ""), "{{") {
			return true
		}
	}
	return false
}
