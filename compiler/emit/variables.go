// Variables of Prefect's own that no template names and that change all the same what is registered: they are there on a laptop, so a job that is not passed them would do something else. A job gets each only where it is read: the
// namespace where Docker's steps may put it before an image's name, the pool where deployments are planned and written, the headers wherever the API is asked.
package emit

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

const (
	namespaceVariable = "PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE"
	poolVariable      = "PREFECT_DEFAULT_WORK_POOL_NAME"
	headersVariable   = "PREFECT_CLIENT_CUSTOM_HEADERS"
)

// readsNamespace reports whether the default namespace may go before the name of a step's image: it does so only where that has no slash. What a build gives as its image's name has the namespace already.
func readsNamespace(s *graph.Step) bool {
	switch resolve.Canonical(s.Function) {
	case resolve.BuildDockerImage, resolve.PushDockerImage:
		name := argument(s, "image_name")
		return name.Kind != value.Text || !strings.Contains(withoutTemplates(name.Text), "/") && !namesBuilt(s, name.Text)
	}
	return false
}

// namesBuilt reports whether a name is the output image_name of a build.
func namesBuilt(s *graph.Step, name string) bool {
	p, whole := template.Whole(name)
	if !whole || p.Kind != template.Output || p.Name != resolve.Head(p.Name)+".image_name" {
		return false
	}
	sources := sourcesOf(s.Upstream, p.Name)
	return len(sources) > 0 && !slices.ContainsFunc(sources, func(u *graph.Step) bool { return resolve.Canonical(u.Function) != resolve.BuildDockerImage })
}

// withoutTemplates is what of a text is not filled.
func withoutTemplates(s string) string {
	before, rest, found := strings.Cut(s, "{{")
	if !found {
		return s
	}
	_, after, _ := strings.Cut(rest, "}}")
	return before + withoutTemplates(after)
}

// listed are the variables that x-ci names for whatever may read any.
func (g *github) listed() []string {
	return append(g.settings.names("secrets"), g.settings.names("vars")...)
}

// reading is what is seen of a step.
func (g *github) reading(s *graph.Step) reading {
	r, ok := g.reads[s]
	if !ok {
		r = readingOf(s)
		g.reads[s] = r
	}
	return r
}

// passed are the variables that steps are passed, and whether they are passed the Prefect API.
func (g *github) passed(steps []*graph.Step) (env environment, api bool) {
	opens := false
	for i, s := range steps {
		r := g.reading(s)
		if api, opens = api || r.api, opens || open(s); i == 0 {
			env = r.env
		} else if len(r.env) > 0 {
			env = env.and(r.env)
		}
	}
	if !opens {
		return env, api
	}
	listed := environment{}
	for _, name := range g.listed() {
		listed.add(name)
	}
	return env.and(listed), api
}

// ofTarget are the variables of the jobs that plan and register: what deployments read, and what x-ci lists and no step is seen to read, since then it is for Prefect's client or nobody knows whom for.
func (g *github) ofTarget() environment {
	env := environment{poolVariable: true}.and(g.ofFields())
	read := environment{}
	for _, s := range g.Graph.Steps {
		for name := range g.reading(s).env {
			read[name] = true
		}
	}
	for _, name := range g.listed() {
		if !read[name] {
			env.add(name)
		}
	}
	return env
}

// sourceOf is where GitHub keeps a variable: where x-ci lists it, else among the secrets, but for names of Prefect's that are none.
func (g *github) sourceOf(name string) string {
	shown := name == namespaceVariable || name == poolVariable
	if slices.Contains(g.settings.names("vars"), name) {
		shown = true
	}
	if slices.Contains(g.settings.names("secrets"), name) {
		shown = false
	}
	if shown {
		return "vars." + name
	}
	return "secrets." + name
}
