// Which jobs log in to a cloud. A login by OpenID Connect wants `id-token: write`, with which whatever runs in the job can ask for a token of the repository's; so it stands only in jobs with a step that may need the cloud. Whatever
// is not known counts as needing it: a job with a login too many works, one without fails.
package emit

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// setupOf is the setup of a job with these steps, and whether it has a login that wants a token.
func (g *github) setupOf(steps []*graph.Step) (setup []*yaml.Node, token bool) {
	setup = g.setup().Content
	first := slices.IndexFunc(setup, logsIn)
	if first < 0 {
		return setup, false
	}
	if slices.ContainsFunc(setup[first:], usesUnseen) || slices.ContainsFunc(steps, wantsCloud) {
		return setup, true
	}
	gone := []string{}
	kept := setup[:first:first]
	for _, n := range setup[first:] {
		if !ofCloud(n) && !refersTo(n, gone) {
			kept = append(kept, n)
			continue
		}
		if id := get(n, "id"); id != nil {
			gone = append(gone, id.Value)
		}
	}
	return kept, false
}

// ownerOf is who an action is of, in small letters, and its name within.
func ownerOf(step *yaml.Node) (owner, name string) {
	uses := get(step, "uses")
	if uses == nil {
		return "", ""
	}
	path, _, _ := strings.Cut(strings.ToLower(uses.Value), "@")
	owner, name, _ = strings.Cut(path, "/")
	return owner, name
}

// logsIn: an action that logs in by OpenID Connect.
func logsIn(step *yaml.Node) bool {
	owner, name := ownerOf(step)
	return owner == "aws-actions" && name == "configure-aws-credentials" || owner == "google-github-actions" && name == "auth" || owner == "azure" && name == "login"
}

// ofCloud: an action that means nothing without the login.
func ofCloud(step *yaml.Node) bool {
	owner, name := ownerOf(step)
	registry := get(get(step, "with"), "registry")
	return owner == "aws-actions" || owner == "google-github-actions" || owner == "azure" || owner == "docker" && name == "login-action" && registry != nil && !strings.Contains(registry.Value, "${{") && ofAnyCloud(registry.Value+"/x")
}

// usesUnseen: what may use a login that stands before it without a word of it, and leave something that any job wants: a script, an action of others.
func usesUnseen(step *yaml.Node) bool {
	owner, _ := ownerOf(step)
	return !slices.Contains([]string{"aws-actions", "google-github-actions", "azure", "docker", "actions"}, owner)
}

// refersTo reports whether a step reads the outputs of one that is gone.
func refersTo(n *yaml.Node, gone []string) bool {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "${{") {
		return slices.ContainsFunc(references(n.Value, "steps."), func(path string) bool { id, _, _ := strings.Cut(path, "."); return slices.Contains(gone, id) })
	}
	return slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return refersTo(c, gone) })
}

// wantsCloud reports whether a step may need the login.
func wantsCloud(s *graph.Step) bool {
	switch resolve.Canonical(s.Function) {
	case resolve.SetWorkingDirectory, resolve.GitClone:
		return false
	case resolve.RunShellScript:
		return open(s)
	case resolve.PushDockerImage:
		return pushesToCloud(s)
	case resolve.BuildDockerImage:
		given := docker.ActionInputs(s.Inputs)
		for _, name := range []string{"build-contexts", "cache-from", "cache-to", "secret-files", "secret-envs", "ssh", "outputs"} {
			if slices.Contains(given, name) {
				return true
			}
		}
		return slices.Contains(given, "push") && pushesToCloud(s) || basesOfCloud(s)
	}
	return true
}

// basesOfCloud reports whether a build may begin with an image of a cloud's registry.
func basesOfCloud(s *graph.Step) bool {
	if file := argument(s, "dockerfile"); file.Kind == value.Text && file.Text == "auto" { // Prefect's own image
		return false
	}
	return s.Bases == nil || slices.ContainsFunc(s.Bases, ofAnyCloud)
}

// pushesToCloud reports whether a step's image may go to a cloud's registry: one by its own name, or the one of the build whose output is its name. What is put before a name without a slash is known to the repository's variables only.
func pushesToCloud(s *graph.Step) bool {
	named := []*graph.Step{s}
	if name := argument(s, "image_name").Str(); namesBuilt(s, name) {
		p, _ := template.Whole(name)
		named = sourcesOf(s.Upstream, p.Name)
	}
	return slices.ContainsFunc(named, func(n *graph.Step) bool { return readsNamespace(n) || ofAnyCloud(argument(n, "image_name").Str()) })
}

// ofAnyCloud reports whether an image's registry may be one that a cloud's login opens: any but those that have logins of their own, or none.
func ofAnyCloud(image string) bool {
	host, _, qualified := strings.Cut(image, "/")
	switch {
	case strings.Contains(host, "{{"):
		return true
	case !qualified || !strings.ContainsAny(host, ".:") && host != "localhost":
		return false // Docker Hub
	}
	name, _, _ := strings.Cut(host, ":")
	return !slices.Contains([]string{"localhost", "127.0.0.1", "docker.io", "index.docker.io", "registry-1.docker.io", "ghcr.io", "quay.io", "registry.gitlab.com", "mcr.microsoft.com", "public.ecr.aws", "nvcr.io", "registry.k8s.io"}, name)
}
