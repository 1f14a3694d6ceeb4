// Which outputs are credentials. Nothing in a file says that a script prints a token; that some step takes what it printed as its `access_token` does. Lists are read in
// order, so a reference is known to be one before anything runs, and the step that it names can be kept from showing what it prints.
//
//	build:
//	- prefect.deployments.steps.run_shell_script: {id: get-token, script: ./token.sh}
//	pull:
//	- prefect.deployments.steps.git_clone: {repository: …, access_token: "{{ get-token.stdout }}"}
//
// makes `stdout` of get-token a credential, and so `stderr`: which stream a secret goes to is not for us to guess.
package graph

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// AllOutputs stands in Step.Credentials for every output of the step.
const AllOutputs = "*"

// Hidden reports whether what the step prints must not be shown.
func (s *Step) Hidden() bool { return s.Sensitive || len(s.Credentials) > 0 }

// Secret reports whether an output of the step must not be shown.
func (s *Step) Secret(output string) bool {
	if s.Sensitive {
		return true
	}
	return slices.ContainsFunc(s.Credentials, func(c string) bool { return c == AllOutputs || c == output || printed(c) && printed(output) })
}

// printed reports whether an output is what a step wrote to one of its streams.
func printed(output string) bool { return output == "stdout" || output == "stderr" }

// Credentials calls visit for each output that the inputs of a step refer to in a credential's place.
func Credentials(inputs value.Value, visit func(template.Placeholder)) {
	credentialsIn(inputs, false, visit)
}

func credentialsIn(v value.Value, inside bool, visit func(template.Placeholder)) {
	switch v.Kind {
	case value.Text:
		if !inside {
			return
		}
		for _, p := range template.Find(v.Text) {
			if p.Kind == template.Output {
				visit(p)
			}
		}
	case value.List:
		for i := range v.List {
			credentialsIn(v.List[i], inside, visit)
		}
	case value.Map:
		for _, e := range v.Map {
			credentialsIn(e.Value, inside || resolve.IsCredential(e.Key), visit)
		}
	}
}

// InCredentials calls visit for each text that stands in a credential's place: password in credentials: {username: u, password: p}, and not u.
func InCredentials(inputs value.Value, visit func(value.Value)) {
	for i := range inputs.List {
		InCredentials(inputs.List[i], visit)
	}
	for _, e := range inputs.Map {
		if e.Value.Kind == value.Text && resolve.IsCredential(e.Key) {
			visit(e.Value)
		}
		InCredentials(e.Value, visit)
	}
}

// credentials notes in the steps before it what a step takes as credentials.
func (l *list) credentials(inputs value.Value) {
	Credentials(inputs, func(p template.Placeholder) {
		parts := strings.Split(strings.NewReplacer("[", ".", "]", "").Replace(p.Name), ".")
		output := AllOutputs
		if len(parts) > 1 {
			output = parts[1]
		}
		found := false
		for _, n := range l.nodes {
			if n.step.ID == parts[0] {
				n.step.addCredential(output)
				found = true
			}
		}
		if found {
			return
		}
		wanted := map[*node]bool{} // an output by its own name
		l.sources(parts[0], wanted)
		for _, n := range l.nodes {
			if wanted[n] {
				n.step.addCredential(parts[0])
			}
		}
	})
}

func (s *Step) addCredential(output string) {
	if !slices.Contains(s.Credentials, output) {
		s.Credentials = append(s.Credentials, output)
	}
}
