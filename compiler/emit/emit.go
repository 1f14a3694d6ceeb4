// Package emit turns the dependency graph of prefect.yaml files into a pipeline of a CI platform: first cut into jobs, in no platform's words (split.go), then written in the platform's own (github.go, gitlab.go). It executes
// nothing, and what it writes depends on nothing but its input: same files, same bytes.
//
// Nothing of what a user wrote is ever put where a shell or an expression would read it. A script, a name or a tag stays in prefect.yaml; the emitted job names the step by its key, and the runtime (`run step KEY`) reads
// it from the checkout. So the only texts of a user in an emitted file are keys and names of deployments in comments, names of environment variables, and what stands under x-ci, which is the user's own word on the
// file.
package emit

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Input is what a pipeline is made of.
type Input struct {
	Files       []*spec.File
	Deployments []*resolve.Deployment
	Graph       *graph.Graph
	// Patterns are the files as they were named (-f), which may be patterns; Within is the directory of the files within the repository, slash-separated, "" at its root.
	Patterns []string
	Within   string
	// File is the emitted file as seen from the repository's root, for a platform whose pipeline has to be told it; "" is the platform's usual one.
	File string
	// Action is this project's action as OWNER/REPOSITORY@REF.
	Action string
	// Pins are the versions of actions that win over the compiler's own: those of the file as it stands.
	Pins Pins
	// SettingsUnchanged says that x-ci is what the file with those pins was made of: then they also hold for the steps under x-ci.
	SettingsUnchanged bool
	// Compiler is the version of the program, for the head.
	Compiler string

	// made is the head's line of what the pipeline was made of, and fields are the variables of deployments' fields, once they were asked for.
	made   string
	fields environment
}

// environment are the environment variables that a job's templates may read, sorted.
type environment map[string]bool

// names are the variables in order.
func (e environment) names() []string {
	out := make([]string, 0, len(e))
	for n := range e {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// read takes the variables of a value's templates in; given tells the heads of outputs, which are no variables.
func (e environment) read(v value.Value, given func(head string) bool) {
	template.Walk(v, func(_ value.Value, found []template.Placeholder) {
		for _, p := range found {
			e.take(p, given)
		}
	})
}

// take takes in the variable that a placeholder names, if it does.
func (e environment) take(p template.Placeholder, given func(head string) bool) {
	switch {
	case p.Kind == template.Env:
		e.add(p.EnvName())
	case p.Kind == template.Output && !p.Runtime() && p.Name == resolve.Head(p.Name) && !given(p.Name):
		e.add(p.Name)
	}
}

// add takes a variable that a platform can pass: what the CI or the machine sets itself is there anyway.
func (e environment) add(name string) {
	if passable(name) {
		e[name] = true
	}
}

// passable reports whether a name is one that a secret or a variable of a repository can have, and that no machine sets itself.
func passable(name string) bool {
	if name == "" || len(name) > 200 || resolve.SetByCI(name) {
		return false
	}
	upper := strings.ToUpper(name)
	for _, prefix := range []string{"GITHUB_", "RUNNER_", "ACTIONS_", "CI_", "INPUT_", "PREFECT_DEPLOY_"} {
		if strings.HasPrefix(upper, prefix) {
			return false
		}
	}
	switch name {
	case "HOME", "PATH", "USER", "PWD", "SHELL", "LANG", "TMPDIR", "HOSTNAME", "LOGNAME", "TZ", "PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING":
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// and are the variables of both.
func (e environment) and(other environment) environment {
	out := make(environment, len(e)+len(other))
	for name := range e {
		out[name] = true
	}
	for name := range other {
		out[name] = true
	}
	return out
}

// reading is what a step reads of its environment by name, and whether it also needs the Prefect API: for blocks and variables, or because a function of which nothing is known may ask it.
type reading struct {
	env environment
	api bool
}

// readingOf is what is seen of a step; see open for what is not.
func readingOf(s *graph.Step) reading {
	r := reading{env: environment{}}
	given := func(head string) bool { return len(sourcesOf(s.Upstream, head)) > 0 }
	template.Walk(s.Inputs, func(_ value.Value, found []template.Placeholder) {
		for _, p := range found {
			r.env.take(p, given)
			r.api = r.api || p.Kind == template.Block || p.Kind == template.Variable
		}
	})
	for _, name := range scriptVariables(s) {
		r.env.add(name)
	}
	if readsNamespace(s) {
		r.env.add(namespaceVariable)
	}
	if _, known := resolve.Known(s.Function); !known {
		r.api = true
	}
	return r
}

// open reports whether a step may read any variable without naming it in a template: a script, a function of someone's own, a cloud's library.
func open(s *graph.Step) bool {
	switch resolve.Canonical(s.Function) {
	case resolve.BuildDockerImage, resolve.PushDockerImage, resolve.SetWorkingDirectory, resolve.GitClone:
		return false
	case resolve.RunShellScript:
		return len(s.Reads) == 0 || s.Reads[0] == graph.Everything || len(s.Writes) > 0
	}
	return true
}

// ofFields are the variables that deployments' fields and pull steps read.
func (in *Input) ofFields() environment {
	if in.fields != nil {
		return in.fields
	}
	env := environment{}
	for _, r := range in.Graph.Registrations {
		d := in.Deployments[r.Index]
		given := func(head string) bool { return len(sourcesOf(r.Steps, head)) > 0 }
		for _, e := range d.Fields.Map {
			if e.Key != "triggers" { // what stands in their templates is an event's
				env.read(e.Value, given)
			}
		}
		for i := range d.Pull {
			template.Walk(d.Pull[i].Inputs, func(_ value.Value, found []template.Placeholder) {
				for _, p := range found {
					if p.Kind == template.Env {
						env.add(p.EnvName())
					}
				}
			})
		}
	}
	in.fields = env
	return env
}

// digest is a short name for what a pipeline was made of.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// ofGraph is the digest of what in the files matters to the pipeline: the steps, and who needs them.
func (in *Input) ofGraph() string {
	var parts []string
	for _, s := range in.Graph.Steps {
		parts = append(parts, s.Key, s.Digest)
	}
	return digest(append(parts, in.ofFields().names()...)...)
}

// ofSettings is the digest of x-ci.
func (in *Input) ofSettings() string {
	var parts []string
	for _, f := range in.Files {
		parts = append(parts, f.Name, string(f.CI.AppendJSON(nil)))
	}
	return digest(parts...)
}
