// What a Docker step logs in with. Faults of it came to light after all builds, at the push: a mapping without a password as an error of Python's that speaks of an engine which does not run, one without registry_url as a login to Docker Hub, which
// was sent somebody else's password.
package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

var credentialKeys = []string{"username", "password", "registry_url", "reauth"}

// credentials checks them as far as they are written. What a template fills can't be seen, nor can what is in a block.
func (c *Checker) credentials(f *spec.File, s *spec.Step) {
	v, given := s.Inputs.Get("credentials")
	if !given || !v.Truthy() || v.Kind == value.Text && template.Has(v.Text) || resolve.IsReference(v) { // an empty mapping counts as none
		return
	}
	fault := func(severity diag.Severity, pos value.Pos, message, help string) {
		c.diags.Add(diag.Diagnostic{Severity: severity, Code: "invalid-credentials", Message: message, Help: help, Position: f.Position(pos)})
	}
	if v.Kind != value.Map {
		fault(diag.Error, v.Pos, "credentials are no mapping", "write {username: …, password: …, registry_url: …}, or \"{{ prefect.blocks.docker-registry-credentials.NAME }}\"")
		return
	}
	for _, e := range v.Map {
		if !slices.Contains(credentialKeys, e.Key) {
			help := diag.DidYouMean(e.Key, credentialKeys)
			if help == "" {
				help = "they take " + strings.Join(credentialKeys, ", ")
			}
			fault(diag.Warning, e.KeyPos, fmt.Sprintf("credentials have no use for %s: it is left out", diag.Quote(e.Key)), help)
		}
	}
	again, said := v.Get("reauth")
	for _, key := range []string{"username", "password"} {
		if item, _ := v.Get(key); !item.Truthy() && !(key == "password" && said && !again.Truthy()) { // an earlier login needs none
			fault(diag.Error, v.Pos, "credentials have no "+key, "say it, or leave credentials out: then the logins of docker count")
		}
	}
	c.registryOf(s, v, func(message, help string) { fault(diag.Warning, v.Pos, message, help) })
}

// registryOf: a login without an address is one to Docker Hub; the image of the step may be for another registry.
func (c *Checker) registryOf(s *spec.Step, credentials value.Value, warn func(message, help string)) {
	url, _ := credentials.Get("registry_url")
	name, _ := s.Inputs.Get("image_name")
	host, _, ok := strings.Cut(name.Text, "/")
	if url.Truthy() || !ok || template.Has(host) || !strings.ContainsAny(host, ".:") && host != "localhost" || host == "docker.io" || strings.HasSuffix(host, ".docker.io") {
		return
	}
	warn("credentials have no registry_url, so they are for Docker Hub, and the image is for "+diag.Clean(host), "write registry_url: "+diag.Clean(host))
}
