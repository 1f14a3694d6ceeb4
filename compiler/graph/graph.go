// Package graph turns the resolved deployments of a prefect.yaml into the dependency graph of what has to be done: each distinct
// step once, and one registration per deployment as a leaf.
//
// A step is interned by what it is and what it depends on, as a build system's derivations are. Take
//
//	build: [hash, image]                     # top level
//	deployment-2 overrides build: [hash, image-custom]
//	deployment-3 has build: null
//
// Walking each deployment's list in order, `hash` of deployment-1 and of deployment-2 have the same function, the same inputs and
// depend on nothing: one node. The two images differ in their inputs: two nodes, each needing `hash`, whose output they use.
// Registrations need the nodes of their own list and nothing else.
//
// The graph is complete before anything runs, and it knows nothing of how a step is carried out or of any CI's syntax.
package graph

import "github.com/org/prefect-deploy-action/compiler/value"

// Graph is all that a run has to do, in an order in which it could be done one by one.
type Graph struct {
	Steps         []*Step
	Registrations []*Registration
}

// Step is one thing to run, whatever number of deployments have it.
type Step struct {
	// Key is the name that people see, unique in the graph and stable under unrelated edits: "get-commit-hash", "build-my-image".
	Key string
	// Digest is the full identity (hex SHA-256) of what the step is and depends on.
	Digest string
	// Action is "build" or "push".
	Action string
	// Function is the step's full name as written: "prefect.deployments.steps.run_shell_script".
	Function string
	// ID is the step's own id, "" without one.
	ID string
	// Requires are the packages to install first, as written.
	Requires []string
	// Inputs is the mapping of keyword arguments with its templates as written, without id and requires.
	Inputs value.Value
	File   string
	Pos    value.Pos
	// Root is the directory that the file's paths are relative to, "." for the working directory.
	Root string
	// Upstream are the steps whose outputs the inputs may refer to, in their list's order: a later one's bare output names win.
	Upstream []*Step
	// Directory are the set_working_directory steps that stand before this one in its list; the last decides where it runs.
	Directory []*Step
	// Needs are the steps without whose success this one can't be done: Upstream, Directory, and those before it in a list of its own whose effects meet this one's.
	Needs []*Step
	// After are steps of other deployments whose effects meet this one's: the file's order is kept, but whether they succeed is no matter here.
	After []*Step
	// Reads and Writes are the resources that the step touches: "workspace", "workspace:PATH", "docker:NAME:TAG", "env", "*".
	Reads, Writes []string
	// Bases are the images that a build begins with, nil where they are not all known.
	Bases []string
	// Deployments are the full names (flow/name, as far as known) of the deployments that have the step.
	Deployments []string
	// Sensitive says that x-ci marks the step's outputs as not to be shown.
	Sensitive bool
	// TagInputs says that x-ci makes the tag of this build the digest of what it reads.
	TagInputs bool
	// Always says that x-ci has the step transfer files too that are there already.
	Always bool
	// Credentials are the outputs that some step, of any section, takes in a credential's place; AllOutputs for the step as a whole.
	Credentials []string
}

// Registration is one deployment to be registered after the steps of its lists.
type Registration struct {
	// Deployment is its full name, Index its place among the resolved deployments.
	Deployment string
	Index      int
	// File and Pos are where it is declared.
	File string
	Pos  value.Pos
	// Steps are all steps of its build and push lists in written order: their outputs, put together in this order, fill its fields.
	Steps []*Step
	// Entrypoint as resolved before anything runs.
	Entrypoint string
}
