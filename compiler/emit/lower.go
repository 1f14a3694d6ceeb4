// From a step to what the platform has for it. A step that stands in the table is written in the platform's own words; every other one is a call of the runtime, and calls that follow each other are one.
package emit

import (
	"fmt"
	"path"
	"slices"
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
	units := l.units()
	l.guarded = j.Apart && len(units) > 1
	if slices.ContainsFunc(units, func(u unit) bool { return u.builds() }) {
		l.nodes = append(l.nodes, mapping("uses", l.uses("docker/setup-buildx-action")))
	}
	if l.guarded { // it runs when all before it went well: a failed checkout or login concerns all
		l.ready = l.unusedID("ready")
		l.nodes = append(l.nodes, mapping("id", l.ready, "shell", "bash", "run", "true"))
	}
	for _, u := range units {
		if u.write != nil {
			u.write(u.steps[0])
			continue
		}
		l.run(u.steps)
	}
	l.mark()
	if len(l.outputs.Content) == 0 {
		l.outputs = nil
	}
	return lowered{l.nodes, l.outputs}
}

// unit is what succeeds or fails as one for the platform: a step in its own words, or a call of the runtime for some.
type unit struct {
	steps []*graph.Step
	write func(*graph.Step)
	// env names what a call is passed.
	env string
}

func (u *unit) builds() bool {
	return u.write != nil && resolve.Canonical(u.steps[0].Function) == resolve.BuildDockerImage
}

// units are the steps of a job as the platform sees them. Steps that follow each other are one call, as long as they are passed the same: none gets a secret for being near another one. What must not be shown never leaves
// the process, so such a job is one call.
func (l *lowering) units() (out []unit) {
	whole, calls := l.pipeline.passesHidden(l.job) || l.compact[l.job.ID] == oneCall, l.compact[l.job.ID] == onlyCalls
	for _, s := range l.job.Steps {
		u := unit{steps: []*graph.Step{s}}
		if !whole {
			env, api := l.passed(u.steps)
			u.env = strings.Join(env.names(), " ")
			if api {
				u.env += " and the API"
			}
		}
		if !whole && !calls {
			u.write, _ = l.native(s)
		}
		if last := len(out) - 1; last >= 0 && u.write == nil && out[last].write == nil && out[last].env == u.env {
			out[last].steps = append(out[last].steps, s)
			continue
		}
		out = append(out, u)
	}
	return out
}

// unusedID is an identifier that no step has.
func (l *lowering) unusedID(id string) string {
	taken := map[string]bool{}
	for _, used := range l.pipeline.IDs {
		taken[strings.ToLower(used)] = true
	}
	for taken[id] {
		id = "_" + id
	}
	return id
}

// when is a job's condition. A loose one runs whatever became of the builds before: each of its steps looks for what it needs.
func (g *github) when(j *Job) string {
	if j.Loose {
		return "${{ !cancelled()" + checked + " && " + g.lands() + " }}"
	}
	return g.lands()
}

// checked is the part of a condition that a called workflow, whose call has it, is without.
const checked = " && needs.check.result == 'success'"

// guard lets a step run also after the failure of another, where steps may fail apart, as long as the one that it waits for succeeded.
func (l *lowering) guard(node *yaml.Node, awaited string) *yaml.Node {
	if l.guarded {
		node.Content = append([]*yaml.Node{text("if"), text("${{ !cancelled() && steps." + awaited + ".outcome == 'success' }}")}, node.Content...)
	}
	return node
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
		case function == resolve.BuildDockerImage && l.job.Stacked:
			return nil, "a build begins with the image of another one (FROM), which only the engine's own builder has"
		case function == resolve.BuildDockerImage:
			return l.build, ""
		case !argument(s, "credentials").IsNull():
			return nil, "its login is for the step alone, and would stay on the machine"
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
	case l.job.Apart:
		return nil, "its job has steps of other deployments too, and the runtime tells them apart when one fails"
	case l.job.Loose:
		return nil, "what it needs may have failed in another job, and only the runtime sees that"
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
	env, _ := l.passed([]*graph.Step{s})
	l.nodes = append(l.nodes, l.inShell(s, directory, lines, env))
}

// inShell is a step of the platform's shell. A secret or variable that is not set arrives as an empty text there, and no program of ours is between, so the script itself unsets those.
func (l *lowering) inShell(s *graph.Step, directory string, lines []string, env environment) *yaml.Node {
	var unset []string
	for _, name := range env.names() {
		unset = append(unset, `[ -n "$`+name+`" ] || unset `+name)
	}
	node := l.withEnv(mapping("name", s.Key, "shell", "bash", "working-directory", l.below(directory), "run", script(append(unset, lines...)...)), env, false)
	if vars := get(node, "env"); vars != nil {
		without(vars, "PREFECT_DEPLOY_OPTIONAL")
	}
	return node
}

func (l *lowering) clone(s *graph.Step) {
	l.done = append(l.done, s)
	c, _ := cloneOf(s)
	with := mapping("repository", c.repository)
	if c.ref != "" {
		putText(with, "ref", c.ref)
	}
	putText(with, "path", literal(path.Join(l.Within, c.path)))
	if c.submodules {
		putText(with, "submodules", "recursive")
	}
	put(with, "persist-credentials", flag(false))
	l.nodes = append(l.nodes, mapping("name", s.Key, "uses", l.uses("actions/checkout"), "with", with))
}

// pythonVersion is a fixed one, so that a new release of Python changes no build.
const pythonVersion = "3.12"

// cacheThere makes the directory of pip's cache: the platform fails a job in which pip had nothing to download, and so left none to keep.
const cacheThere = `mkdir -p "$(python -m pip cache dir)" || true`

func (l *lowering) install(s *graph.Step) {
	l.done = append(l.done, s)
	file, directory, _ := requirementsOf(s)
	env, _ := l.passed([]*graph.Step{s})
	with, lines := mapping("python-version", pythonVersion), []string{"python -m pip install -r " + file}
	if l.mayKeepPackages() {
		putText(with, "cache", "pip")
		putText(with, "cache-dependency-path", literal(path.Join(l.Within, directory, file)))
		lines = append([]string{cacheThere}, lines...)
	}
	l.nodes = append(l.nodes, mapping("uses", l.uses("actions/setup-python"), "with", with), l.inShell(s, directory, lines, env))
}

// mayKeepPackages reports whether pip's downloads are kept between runs: not where what is published is made of them, an image of the same job or a release's branch, as whoever may write the cache could put something into that.
func (l *lowering) mayKeepPackages() bool {
	return !slices.ContainsFunc(l.job.Steps, func(s *graph.Step) bool { return resolve.Canonical(s.Function) == resolve.BuildDockerImage }) &&
		!slices.ContainsFunc(l.starts(), func(branch string) bool { return strings.Contains(branch, "release") })
}

// lowering is the writing of one job.
type lowering struct {
	*github
	job     *Job
	nodes   []*yaml.Node
	outputs *yaml.Node
	calls   int
	// done are the steps that the platform carried out and that nobody asks for outputs.
	done []*graph.Step
	// guarded: steps may fail apart, and ready is the identifier of the one that runs when all before them went well.
	guarded bool
	ready   string
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
	if from != nil && (l.job.Apart || l.job.Loose) {
		inputs = append(inputs, "keep-going", true)
	}
	env, api := l.passed(steps)
	return l.withEnv(l.action(id, "step", append(inputs, with...)), env, api)
}

// run writes a call of the runtime for steps.
func (l *lowering) run(steps []*graph.Step) {
	id := l.pipeline.IDs[steps[len(steps)-1]]
	node := l.call(id, steps)
	putText(get(node, "with"), "outputs", l.file())
	l.nodes = append(l.nodes, l.guard(node, l.ready))
	for _, s := range steps {
		l.give(id, s)
	}
}

// give makes the outputs of a step the job's, as far as their names are known and they may be shown.
func (l *lowering) give(id string, s *graph.Step) {
	known, ok := resolve.Known(s.Function)
	if !ok || l.compact[l.job.ID] != inFull || l.pipeline.Hidden[s] != "" {
		return
	}
	for _, o := range known.Outputs {
		if o == "stderr" || o == "stdout" && !l.used[s] { // what a script prints may be of any length, and all outputs of a job together have 1 MB
			continue
		}
		putText(l.outputs, l.pipeline.IDs[s]+"_"+o, "${{ fromJSON(steps."+id+".outputs.steps || '{}')['"+s.Key+"']."+o+" }}")
	}
}

// build writes a build through Docker's own action: the runtime tells it what to build, and then what Prefect calls the result.
func (l *lowering) build(s *graph.Step) {
	id := l.pipeline.IDs[s]
	l.nodes = append(l.nodes, l.guard(l.call(id+"-inputs", []*graph.Step{s}, "phase", "inputs"), l.ready))
	with := mapping()
	for _, name := range docker.ActionInputs(s.Inputs) {
		putText(with, name, "${{ fromJSON(steps."+id+"-inputs.outputs.inputs)."+name+" }}")
	}
	if get(with, "push") != nil && l.pipeline.readsImage(l.job, s) {
		put(with, "load", flag(true))
	}
	if get(with, "cache-from") == nil && get(with, "no-cache") == nil {
		putText(with, "cache-from", "type=gha,scope="+s.Key)
	}
	if get(with, "cache-to") == nil {
		putText(with, "cache-to", "type=gha,mode=max,scope="+s.Key)
	}
	building := l.guard(mapping("id", id+"-build", "uses", l.uses("docker/build-push-action"), "with", with), id+"-inputs")
	if s.TagInputs { // the first half found it in the registry: there is nothing to build
		unless(building, "fromJSON(steps."+id+"-inputs.outputs.inputs).there")
	}
	l.nodes = append(l.nodes, building)
	l.after(id, s, "image-id", "${{ steps."+id+"-build.outputs.imageid }}")
}

// push writes a push: the runtime logs in and tells what is to be pushed. A reference holds no space.
func (l *lowering) push(s *graph.Step) {
	id := l.pipeline.IDs[s]
	var pushing any
	if l.guarded {
		pushing = id + "-build"
	}
	l.nodes = append(l.nodes, l.guard(l.call(id+"-inputs", []*graph.Step{s}, "phase", "inputs"), l.ready),
		l.guard(mapping("id", pushing, "shell", "bash", "env", mapping("IMAGES", "${{ join(fromJSON(steps."+id+"-inputs.outputs.inputs).references, ' ') }}"), "run", script(`for image in $IMAGES; do docker push "$image"; done`)), id+"-inputs"))
	l.after(id, s)
}

// mark says of the steps that the platform carried out that they are done: who registers a deployment must know that no step of its list failed.
func (l *lowering) mark() {
	if len(l.done) == 0 {
		return
	}
	node := l.call("", l.done, "phase", "done")
	without(node, "env") // it fills nothing
	putText(get(node, "with"), "outputs", l.file())
	l.nodes = append(l.nodes, node)
}

// after takes in what a native step gave.
func (l *lowering) after(id string, s *graph.Step, with ...any) {
	node := l.call(id, []*graph.Step{s}, append([]any{"phase", "outputs"}, with...)...)
	putText(get(node, "with"), "outputs", l.file())
	node = l.guard(node, id+"-build")
	if condition := get(node, "if"); condition != nil && s.TagInputs { // a build that was not wanted was skipped
		condition.Value = "${{ !cancelled() && steps." + id + "-inputs.outcome == 'success' && steps." + id + "-build.outcome != 'failure' }}"
	}
	l.nodes = append(l.nodes, node)
	l.give(id, s)
}

// unless lets a step run only where a thing is not so.
func unless(node *yaml.Node, so string) {
	condition := get(node, "if")
	if condition == nil {
		node.Content = append([]*yaml.Node{text("if"), text("${{ !" + so + " }}")}, node.Content...)
		return
	}
	condition.Value = strings.TrimSuffix(condition.Value, " }}") + " && !" + so + " }}"
}

// without takes a key out of a mapping.
func without(m *yaml.Node, key string) {
	for i := 0; i < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			m.Content = slices.Delete(m.Content, i, i+2)
			return
		}
	}
}
