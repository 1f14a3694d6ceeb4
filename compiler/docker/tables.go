// The two tables: what docker-py's APIClient.build and what python-on-whales' buildx.build take, each argument with what it becomes.
package docker

import (
	"strings"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// into is the common kind of row: read, and put where it belongs.
func into[T any](read func(value.Value) (T, string), field func(*Build) *T) func(*Build, value.Value) string {
	return func(b *Build, v value.Value) string {
		got, why := read(v)
		*field(b) = got
		return why
	}
}

// ignored are arguments that change how the request is sent, and nothing about the image.
func ignored(*Build, value.Value) string { return "" }

// unless refuses what the native build lacks, where it is asked for.
func unless(none func(value.Value) bool, why string) func(*Build, value.Value) string {
	return func(_ *Build, v value.Value) string {
		if none(v) && !open(v) {
			return ""
		}
		return why
	}
}

func null(v value.Value) bool   { return v.IsNull() }
func falsy(v value.Value) bool  { return !v.Truthy() }
func truthy(v value.Value) bool { return v.Truthy() }
func usual(v value.Value) bool {
	return v.IsNull() || v.Kind == value.Text && (v.Text == "" || v.Text == "default")
}

var dockerPy = []argument{
	{"path", "context", func(b *Build, v value.Value) string {
		if v.Kind != value.Text || v.Text == "" {
			return "must be a directory or an address"
		}
		b.Context = v.Text
		if !remote(v.Text) {
			b.Context = local(v.Text)
		}
		return ""
	}},
	{"buildargs", "build-args", func(b *Build, v value.Value) (why string) {
		if v.Truthy() {
			b.BuildArgs, why = strictPairs(v)
		}
		return why
	}},
	{"labels", "labels", into(strictPairs, func(b *Build) *[]Pair { return &b.Labels })},
	{"target", "target", func(b *Build, v value.Value) (why string) {
		if v.Truthy() {
			b.Target, why = text(v)
		}
		return why
	}},
	{"platform", "platforms", func(b *Build, v value.Value) string {
		one, why := text(v)
		switch {
		case why != "":
			return why
		case strings.Contains(one, ","):
			return "must be one platform: for several, build_backend: buildx has platforms"
		case one != "":
			b.Platforms = []string{one}
		}
		return ""
	}},
	{"nocache", "no-cache", into(asked, func(b *Build) *bool { return &b.NoCache })},
	{"pull", "pull", into(asked, func(b *Build) *bool { return &b.Pull })},
	{"push", "push", func(b *Build, v value.Value) (why string) { // which docker-py has not, and the system's document writes
		if v.Kind != value.Bool && !v.IsNull() {
			return "must be true or false"
		}
		b.Push = v.Bool
		return ""
	}},
	{"network_mode", "network", func(b *Build, v value.Value) string {
		mode, why := text(v)
		switch mode {
		case "", "default", "bridge":
		case "none", "host":
			b.Network = mode
		default:
			return "is " + shown(v) + ", and BuildKit has only default, none and host"
		}
		return why
	}},
	{"extra_hosts", "add-hosts", func(b *Build, v value.Value) string {
		entries, why := hosts(v)
		b.AddHosts = entries
		for _, h := range entries {
			if strings.HasSuffix(h, ":host-gateway") {
				return "asks for host-gateway, which only the engine's own builder knows"
			}
		}
		return why
	}},
	{"shmsize", "", unless(falsy, "is passed over by the BuildKit that engines before 23 have")},
	{"cache_from", "cache-from", func(b *Build, v value.Value) string {
		images, why := texts(v)
		for _, image := range images {
			b.CacheFrom = append(b.CacheFrom, "type=registry,ref="+image)
		}
		return why
	}},
	{"quiet", "", unless(func(v value.Value) bool { on, why := asked(v); return !on && why == "" }, "keeps the engine from telling the image's id, without which Prefect fails")},
	{"rm", "", ignored}, {"forcerm", "", ignored}, {"gzip", "", ignored}, {"decode", "", ignored}, // the request, and what is left of it afterwards
	{"encoding", "", unless(null, "names a coding that the context then has not")},
	{"timeout", "", unless(null, "ends a request, which BuildKit's builds are not")},
	{"container_limits", "", unless(falsy, "are limits that only the classic builder has")},
	{"squash", "", unless(falsy, "is something that only the classic builder does")},
	{"isolation", "", unless(usual, "is something that only the classic builder has")},
	{"use_config_proxy", "", unless(truthy, "is off, and Docker's command line always reads the proxies of its configuration")},
	{"fileobj", "", unless(null, "must be a file that Python has open")},
	{"custom_context", "", unless(falsy, "must come with a file that Python has open")},
}

var buildxTable = []argument{
	{"path", "context", onDisk}, {"context_path", "context", onDisk},
	{"file", "file", func(b *Build, v value.Value) string {
		if v.Kind != value.Text || v.Text == "" {
			return needsText
		}
		b.file = local(v.Text)
		return ""
	}},
	{"build_args", "build-args", into(pairs, func(b *Build) *[]Pair { return &b.BuildArgs })},
	{"labels", "labels", into(pairs, func(b *Build) *[]Pair { return &b.Labels })},
	{"target", "target", into(text, func(b *Build) *string { return &b.Target })},
	{"platform", "platforms", into(someTexts, func(b *Build) *[]string { return &b.Platforms })},
	{"platforms", "platforms", func(b *Build, v value.Value) string {
		if !v.Truthy() {
			return ""
		}
		list, why := texts(v)
		b.Platforms = list
		return why
	}},
	{"cache", "no-cache", func(b *Build, v value.Value) string {
		on, why := truth(v)
		b.NoCache = !on
		return why
	}},
	{"pull", "pull", into(truth, func(b *Build) *bool { return &b.Pull })},
	{"push", "push", into(truth, func(b *Build) *bool { return &b.Push })},
	{"load", "load", into(truth, func(b *Build) *bool { return &b.Load })},
	{"network", "network", into(text, func(b *Build) *string { return &b.Network })},
	{"add_hosts", "add-hosts", func(b *Build, v value.Value) string {
		list, why := pairs(v)
		b.AddHosts = written(list, ":")
		return why
	}},
	{"cache_from", "cache-from", func(b *Build, v value.Value) string {
		if v.Kind == value.List && !open(v) {
			for _, item := range v.List {
				if item.Kind != value.Map {
					return "must be a text, a mapping or a list of mappings"
				}
				word, why := joined(item)
				if why != "" {
					return why
				}
				b.CacheFrom = append(b.CacheFrom, word)
			}
			return ""
		}
		return oneWord(v, &b.CacheFrom)
	}},
	{"cache_to", "cache-to", func(b *Build, v value.Value) string { return oneWord(v, &b.CacheTo) }},
	{"build_contexts", "build-contexts", func(b *Build, v value.Value) string {
		list, why := pairs(v)
		b.BuildContexts = written(list, "=")
		return why
	}},
	{"allow", "allow", into(someTexts, func(b *Build) *[]string { return &b.Allow })},
	{"attest", "attests", func(b *Build, v value.Value) string {
		if v.Kind != value.Map && !open(v) {
			return "" // python-on-whales passes it over
		}
		return oneWord(v, &b.Attests)
	}},
	{"secrets", "secrets", into(someTexts, func(b *Build) *[]string { return &b.Secrets })},
	{"ssh", "ssh", func(b *Build, v value.Value) string {
		if v.Kind == value.Map {
			return needsText
		}
		return oneWord(v, &b.SSH)
	}},
	{"output", "outputs", func(b *Build, v value.Value) string {
		if v.Kind != value.Map {
			return "must be a mapping"
		}
		if len(v.Map) == 0 {
			return ""
		}
		return oneWord(v, &b.Exports)
	}},
	{"builder", "builder", into(text, func(b *Build) *string { return &b.Builder })},
	{"metadata_file", "", into(text, func(b *Build) *string { return &b.MetadataFile })},
	{"progress", "", func(b *Build, v value.Value) string {
		if v.Kind == value.Text && v.Text != "auto" {
			b.Progress = v.Text
		}
		return ""
	}},
	{"provenance", "provenance", into(attestation, func(b *Build) *string { return &b.Provenance })},
	{"sbom", "sbom", into(attestation, func(b *Build) *string { return &b.SBOM })},
	{"stream_logs", "", unless(falsy, "keeps python-on-whales from giving the image, without which Prefect fails")},
	{"decode", "", ignored},
}

func onDisk(b *Build, v value.Value) string {
	if v.Kind != value.Text || remote(v.Text) {
		return "must be a directory"
	}
	b.Context = local(v.Text)
	return ""
}

// someTexts is one text or a list of texts.
func someTexts(v value.Value) ([]string, string) {
	switch {
	case v.Kind == value.Text && open(v):
		return []string{v.Text}, ""
	case v.Kind == value.Text && v.Text == "":
		return nil, ""
	case v.Kind == value.Text:
		return []string{v.Text}, ""
	}
	return texts(v)
}

// oneWord is a text, or a mapping written as key=value,key=value.
func oneWord(v value.Value, to *[]string) string {
	word, why := "", ""
	switch v.Kind {
	case value.Map:
		word, why = joined(v)
	default:
		word, why = text(v)
	}
	if why == "" && word != "" {
		*to = []string{word}
	}
	return why
}

// attestation is true, false or what qualifies it; anything else python-on-whales passes over.
func attestation(v value.Value) (string, string) {
	switch v.Kind {
	case value.Bool:
		if v.Bool {
			return "true", ""
		}
		return "false", ""
	case value.Map:
		return joined(v)
	}
	if open(v) {
		return "", atRunTime
	}
	return "", ""
}
