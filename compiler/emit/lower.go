// From a step to what the platform has for it. A step that stands in the table is written in the platform's own words; every other one is a call of the runtime, and calls that follow each other are one.
package emit

import (
	"fmt"
	"path"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// lowered is a job's steps in the platform's words.
type lowered struct {
	nodes   []*yaml.Node
	outputs *yaml.Node
}

// lower writes the steps of a job.
func (g *github) lower(j *Job) lowered {
	l := lowering{github: g, job: j, outputs: mapping()}
	native := !g.pipeline.passesHidden(j)
	for _, s := range j.Steps {
		write, _ := l.native(s)
		if !native || write == nil {
			l.chain = append(l.chain, s)
			continue
		}
		l.flush()
		write(s)
	}
	l.flush()
	l.mark()
	if len(l.outputs.Content) == 0 {
		l.outputs = nil
	}
	return lowered{l.nodes, l.outputs}
}

// native is how a step is written in the platform's own words; nil, and why, where it has none for it. docs/pipelines.md has these reasons in a table.
func (l *lowering) native(s *graph.Step) (write func(*graph.Step), why string) {
	switch function := resolve.Canonical(s.Function); function {
	case resolve.BuildDockerImage, resolve.PushDockerImage:
		ok, why := docker.Possible(s.Function, s.Inputs)
		switch {
		case !ok:
			return nil, why
		case l.pipeline.Private[s] != "":
			return nil, l.pipeline.Private[s] + " must not be shown, and a builder's inputs are"
		case function == resolve.BuildDockerImage:
			return l.build, ""
		case argument(s, "tag").IsNull():
			return nil, "without a tag it pushes all that the engine has"
		}
		return l.push, ""
	}
	return l.plain(s)
}

// plain is the same for steps that a platform carries out by itself, see plain.go.
func (l *lowering) plain(s *graph.Step) (write func(*graph.Step), why string) {
	switch {
	case l.used[s]:
		return nil, "what it gives is used, and only the runtime keeps that"
	case l.Files[0].Root() != ".":
		return nil, "x-ci.root has it run in the file's directory"
	}
	fits := false
	switch resolve.Canonical(s.Function) {
	case resolve.RunShellScript:
		_, _, fits = scriptOf(s)
		write = l.script
	case resolve.GitClone:
		_, fits = cloneOf(s)
		write = l.clone
	case resolve.PipInstall:
		_, _, fits = requirementsOf(s)
		write = l.install
	default:
		return nil, "the platform has nothing for it"
	}
	if !fits {
		return nil, "an argument has to be filled, or is one that the platform's form has not"
	}
	return write, ""
}

// below is a directory as seen from the repository's root, nil for that itself.
func (l *lowering) below(directory string) any {
	if p := path.Join(l.Within, directory); p != "" {
		return literal(p)
	}
	return nil
}

func (l *lowering) script(s *graph.Step) {
	l.done = append(l.done, s)
	lines, directory, _ := scriptOf(s)
	env, _ := l.ofSteps([]*graph.Step{s}, append(l.settings.names("secrets"), l.settings.names("vars")...))
	l.nodes = append(l.nodes, l.withEnv(mapping("name", s.Key, "shell", "bash", "working-directory", l.below(directory), "run", script(lines...)), env, false))
}

func (l *lowering) clone(s *graph.Step) {
	l.done = append(l.done, s)
	c, _ := cloneOf(s)
	with := mapping("repository", c.repository)
	if c.ref != "" {
		put(with, "ref", text(c.ref))
	}
	put(with, "path", text(literal(path.Join(l.Within, c.path))))
	if c.submodules {
		put(with, "submodules", text("recursive"))
	}
	put(with, "persist-credentials", flag(false))
	l.nodes = append(l.nodes, mapping("name", s.Key, "uses", l.uses("actions/checkout"), "with", with))
}

func (l *lowering) install(s *graph.Step) {
	l.done = append(l.done, s)
	file, directory, _ := requirementsOf(s)
	l.nodes = append(l.nodes, mapping("uses", l.uses("actions/setup-python"), "with", mapping("python-version", "3.x", "cache", "pip", "cache-dependency-path", literal(path.Join(l.Within, directory, file)))),
		mapping("name", s.Key, "shell", "bash", "working-directory", l.below(directory), "run", script("python -m pip install -r "+file)))
}

// lowering is the writing of one job.
type lowering struct {
	*github
	job     *Job
	chain   []*graph.Step
	nodes   []*yaml.Node
	outputs *yaml.Node
	calls   int
	// done are the steps that the platform carried out and that nobody asks for outputs.
	done   []*graph.Step
	buildx bool
}

// file is a new file for the outputs of a call.
func (l *lowering) file() string {
	l.calls++
	if l.calls == 1 {
		return giving + "/" + l.job.ID + ".json"
	}
	return fmt.Sprintf("%s/%s.%d.json", giving, l.job.ID, l.calls)
}

// call is a call of the runtime for steps by their keys.
func (l *lowering) call(id string, steps []*graph.Step, with ...any) *yaml.Node {
	var keys []string
	for _, s := range steps {
		keys = append(keys, s.Key)
	}
	inputs := append(l.places(), "step", strings.Join(keys, ","))
	var from []string
	if len(l.job.Needs) > 0 {
		from = append(from, given+"/*.json")
	}
	if l.calls > 0 {
		from = append(from, giving+"/*.json")
	}
	if from != nil {
		inputs = append(inputs, "from", strings.Join(from, ","))
	}
	env, api := l.ofSteps(steps, append(l.settings.names("secrets"), l.settings.names("vars")...))
	return l.withEnv(l.action(id, "step", append(inputs, with...)), env, api)
}

// flush writes the chain so far.
func (l *lowering) flush() {
	if len(l.chain) == 0 {
		return
	}
	id := l.pipeline.IDs[l.chain[len(l.chain)-1]]
	node := l.call(id, l.chain)
	put(get(node, "with"), "outputs", text(l.file()))
	l.nodes = append(l.nodes, node)
	for _, s := range l.chain {
		l.give(id, s)
	}
	l.chain = nil
}

// give makes the outputs of a step the job's, as far as their names are known and they may be shown.
func (l *lowering) give(id string, s *graph.Step) {
	known, ok := resolve.Known(s.Function)
	if !ok || l.pipeline.Hidden[s] != "" {
		return
	}
	for _, o := range known.Outputs {
		put(l.outputs, l.pipeline.IDs[s]+"_"+o, text("${{ fromJSON(steps."+id+".outputs.steps || '{}')['"+s.Key+"']."+o+" }}"))
	}
}

// build writes a build through Docker's own action: the runtime tells it what to build, and then what Prefect calls the result.
func (l *lowering) build(s *graph.Step) {
	if !l.buildx {
		l.buildx = true
		l.nodes = append(l.nodes, mapping("uses", l.uses("docker/setup-buildx-action")))
	}
	id := l.pipeline.IDs[s]
	l.nodes = append(l.nodes, l.call(id+"-inputs", []*graph.Step{s}, "phase", "inputs"))
	with := mapping()
	for _, name := range docker.ActionInputs(s.Inputs) {
		put(with, name, text("${{ fromJSON(steps."+id+"-inputs.outputs.inputs)."+name+" }}"))
	}
	if get(with, "cache-from") == nil && get(with, "no-cache") == nil {
		put(with, "cache-from", text("type=gha,scope="+s.Key))
	}
	if get(with, "cache-to") == nil {
		put(with, "cache-to", text("type=gha,mode=max,scope="+s.Key))
	}
	l.nodes = append(l.nodes, mapping("id", id+"-build", "uses", l.uses("docker/build-push-action"), "with", with))
	l.after(id, s, "image-id", "${{ steps."+id+"-build.outputs.imageid }}")
}

// push writes a push: the runtime logs in and tells what is to be pushed. A reference holds no space.
func (l *lowering) push(s *graph.Step) {
	id := l.pipeline.IDs[s]
	l.nodes = append(l.nodes, l.call(id+"-inputs", []*graph.Step{s}, "phase", "inputs"),
		mapping("shell", "bash", "env", mapping("IMAGES", "${{ join(fromJSON(steps."+id+"-inputs.outputs.inputs).references, ' ') }}"), "run", script(`for image in $IMAGES; do docker push "$image"; done`)))
	l.after(id, s)
}

// mark says of the steps that the platform carried out that they are done: who registers a deployment must know that no step of its list failed.
func (l *lowering) mark() {
	if len(l.done) == 0 {
		return
	}
	node := l.call("", l.done, "phase", "done")
	put(get(node, "with"), "outputs", text(l.file()))
	l.nodes = append(l.nodes, node)
}

// after takes in what a native step gave.
func (l *lowering) after(id string, s *graph.Step, with ...any) {
	node := l.call(id, []*graph.Step{s}, append([]any{"phase", "outputs"}, with...)...)
	put(get(node, "with"), "outputs", text(l.file()))
	l.nodes = append(l.nodes, node)
	l.give(id, s)
}
