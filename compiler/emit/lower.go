// From a step to what the platform has for it. A step that stands in the table is written in the platform's own words; every other one is a call of the runtime, and calls that follow each other are one.
package emit

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

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
	native := !g.passesHidden(j)
	for _, s := range j.Steps {
		if native {
			if why := unloweredGitHub(s); why == "" {
				l.flush()
				l.docker(s)
				continue
			}
		}
		l.chain = append(l.chain, s)
	}
	l.flush()
	if len(l.outputs.Content) == 0 {
		l.outputs = nil
	}
	return lowered{l.nodes, l.outputs}
}

// passesHidden reports whether a step of the job uses what another one gave and must not be shown: that never leaves the process, so the job is one call.
func (g *github) passesHidden(j *Job) bool {
	for _, s := range j.Steps {
		for _, u := range s.Upstream {
			if g.pipeline.Hidden[u] != "" {
				return true
			}
		}
	}
	return false
}

// lowering is the writing of one job.
type lowering struct {
	*github
	job     *Job
	chain   []*graph.Step
	nodes   []*yaml.Node
	outputs *yaml.Node
	calls   int
	buildx  bool
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
	id := identifier(l.chain[len(l.chain)-1].Key)
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
		put(l.outputs, identifier(s.Key)+"_"+o, text("${{ fromJSON(steps."+id+".outputs.steps)['"+s.Key+"']."+o+" }}"))
	}
}

// docker writes a build through Docker's own action: the runtime tells it what to build, and then what Prefect calls the result.
func (l *lowering) docker(s *graph.Step) {
	if !l.buildx {
		l.buildx = true
		l.nodes = append(l.nodes, mapping("uses", l.uses("docker/setup-buildx-action")))
	}
	id := identifier(s.Key)
	l.nodes = append(l.nodes, l.call(id+"-inputs", []*graph.Step{s}, "phase", "inputs"))
	with := mapping()
	for _, name := range dockerInputs {
		put(with, name, text("${{ fromJSON(steps."+id+"-inputs.outputs.inputs)."+name+" }}"))
	}
	put(with, "cache-from", text("type=gha,scope="+s.Key))
	put(with, "cache-to", text("type=gha,mode=max,scope="+s.Key))
	l.nodes = append(l.nodes, mapping("id", id+"-build", "uses", l.uses("docker/build-push-action"), "with", with))
	node := l.call(id, []*graph.Step{s}, "phase", "outputs", "image-id", "${{ steps."+id+"-build.outputs.imageid }}")
	put(get(node, "with"), "outputs", text(l.file()))
	l.nodes = append(l.nodes, node)
	l.give(id, s)
}

// dockerInputs are the inputs of docker/build-push-action that the runtime fills.
var dockerInputs = []string{"context", "file", "tags", "build-args", "labels", "target", "platforms", "no-cache", "pull", "push", "load"}

// unloweredGitHub says why a step has no native form, "" when it has one.
func unloweredGitHub(s *graph.Step) string {
	if resolve.Canonical(s.Function) != resolve.BuildDockerImage {
		return "the runtime runs it"
	}
	return ""
}
