// A label or a cache with a secret beside extra hosts, for which a definition has no word.
package docker

import (
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func TestNoSecretInWords(t *testing.T) {
	secret := value.Of("canary").Mark(value.Sensitive)
	one := func(key string, v value.Value) value.Value { return value.Value{Kind: value.Map}.Set(key, v) }
	for name, c := range map[string]struct {
		hosts   string
		backend string
		add     value.Entry
		native  bool
		why     string
	}{
		"a secret label":                   {"extra_hosts", "", value.Entry{Key: "labels", Value: one("l", secret)}, false, "labels would hold a secret"},
		"a secret label of buildx":         {"add_hosts", "buildx", value.Entry{Key: "labels", Value: one("l", secret)}, true, "labels would hold a secret"},
		"a secret cache":                   {"add_hosts", "buildx", value.Entry{Key: "cache_from", Value: secret}, true, "cache_from would hold a secret"},
		"a secret label without hosts":     {"", "", value.Entry{Key: "labels", Value: one("l", secret)}, true, ""},
		"a plain label":                    {"extra_hosts", "", value.Entry{Key: "labels", Value: one("l", value.Of("x"))}, true, ""},
		"a login in a context's address":   {"extra_hosts", "", value.Entry{Key: "path", Value: value.Of("https://u:canary@example.com/x.git").Mark(value.Sensitive)}, false, "path would hold a secret"},
		"a login in a further context":     {"add_hosts", "buildx", value.Entry{Key: "build_contexts", Value: one("c", value.Of("https://u:canary@example.com/x.git").Mark(value.Sensitive))}, true, "build_contexts would hold a secret"},
		"a directory from the environment": {"extra_hosts", "", value.Entry{Key: "path", Value: value.Of("sub").Mark(value.Sensitive)}, true, ""},
		"a build argument, by environment": {"extra_hosts", "", value.Entry{Key: "buildargs", Value: one("A", secret)}, true, ""},
	} {
		inputs := value.Value{Kind: value.Map}.Set("image_name", value.Of("app")).Set(c.add.Key, c.add.Value)
		if c.hosts != "" {
			inputs = inputs.Set(c.hosts, one("h", value.Of("10.0.0.1")))
		}
		if c.backend != "" {
			inputs = inputs.Set("build_backend", value.Of(c.backend))
		}
		if ok, why := ByCommand("prefect_docker.deployments.steps.build_docker_image", inputs); ok != c.native || strings.Contains(why, "canary") {
			t.Errorf("%s: native is %t (%s)", name, ok, why)
		}
		b, _ := read(inputs, Options{Now: time.Unix(0, 0)})
		if why := b.Exposed(); c.why == "" && why != "" || !strings.HasPrefix(why, c.why) || strings.Contains(why, "canary") {
			t.Errorf("%s: exposed is %q", name, why)
		}
	}
}
