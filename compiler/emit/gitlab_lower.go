// From steps to lines of a job's script. A build is Docker's own, with the layers of earlier ones from the project's registry; the runtime tells it what to build, in a file of words that `xargs` hands on, so that no
// text of the user's stands in a line. Every other step is a call of the runtime by its key, and calls that follow each other are one.
package emit

import (
	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// scripted is a job's steps as lines.
type scripted struct {
	script *yaml.Node
	// docker: it needs an engine; dotenv: it gives outputs whose names are known.
	docker, dotenv bool
}

// lower writes the steps of a job.
func (g *gitlab) lower(j *Job) scripted {
	l := scripting{gitlab: g, job: j, out: scripted{script: list()}}
	whole := g.pipeline.passesHidden(j)
	for _, s := range j.Steps {
		switch resolve.Canonical(s.Function) {
		case resolve.BuildDockerImage, resolve.PushDockerImage:
			l.out.docker = true
			if !whole && l.native(s) {
				l.flush()
				l.dockerStep(s)
				continue
			}
		}
		l.chain = append(l.chain, s)
	}
	l.flush()
	return l.out
}

// scripting is the writing of one job.
type scripting struct {
	*gitlab
	job   *Job
	chain []*graph.Step
	out   scripted
	calls int
}

func (l *scripting) add(lines ...string) {
	n := text(lines[0])
	if len(lines) > 1 {
		n = script(lines...)
	}
	l.out.script.Content = append(l.out.script.Content, n)
}

// engine waits for Docker: that of the machine where its socket is there, else the service's, which takes some seconds. It logs in to the project's registry.
func engine() *yaml.Node {
	return script(
		`if [ -z "$DOCKER_HOST" ] && [ ! -S /var/run/docker.sock ]; then`,
		`  export DOCKER_HOST=tcp://docker:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs/client`,
		`fi`,
		`tries=30`,
		`until docker version >/dev/null 2>&1 || [ "$tries" = 0 ]; do tries=$((tries - 1)); sleep 1; done`,
		`docker version`,
		`if [ -n "$CI_REGISTRY_PASSWORD" ]; then`,
		`  printf '%s' "$CI_REGISTRY_PASSWORD" | docker login --username "$CI_REGISTRY_USER" --password-stdin "$CI_REGISTRY"`,
		`fi`)
}

// builder makes one that can hand its layers to a registry, which the engine's own can't; from an environment with certificates buildx takes it only through a context. Its name is fixed, so that a machine whose socket
// the jobs share has one and not one for each job.
func builder() *yaml.Node {
	return script(
		`if [ -n "$CI_REGISTRY_IMAGE" ]; then`,
		`  docker context inspect prefect-deploy >/dev/null 2>&1 || docker context create prefect-deploy`,
		`  docker buildx inspect prefect >/dev/null 2>&1 || docker buildx create --name prefect --driver docker-container prefect-deploy`,
		`  docker buildx use prefect`,
		`fi`)
}

// native reports whether Docker's own command can carry a step out.
func (l *scripting) native(s *graph.Step) bool {
	ok, _ := docker.Possible(s.Function, s.Inputs)
	return ok && l.pipeline.Private[s] == "" && (resolve.Canonical(s.Function) == resolve.BuildDockerImage || !argument(s, "tag").IsNull())
}

// call is a call of the runtime for steps by their keys.
func (l *scripting) call(steps []*graph.Step, more string) string {
	line := "run step"
	for _, s := range steps {
		line += " " + quote(s.Key)
	}
	line += l.places()
	if len(l.job.Needs) > 0 {
		line += ` --from "$work/given"`
	}
	if l.calls > 0 {
		line += ` --from "$work/giving"`
	}
	return line + more
}

// gives is a call that leaves outputs.
func (l *scripting) gives(steps []*graph.Step, more string) string {
	line := l.call(steps, more)
	l.calls++
	name := l.job.ID
	if l.calls > 1 {
		name += "." + number(l.calls).Value
	}
	line += ` --outputs "$work/giving/` + name + `.json"`
	for _, s := range steps {
		if known, ok := resolve.Known(s.Function); ok && len(known.Outputs) > 0 && l.pipeline.Hidden[s] == "" {
			l.out.dotenv = true
		}
	}
	if l.out.dotenv {
		line += ` --dotenv "$work/dotenv"`
	}
	return line
}

// flush writes the chain so far.
func (l *scripting) flush() {
	if len(l.chain) > 0 {
		l.add(l.gives(l.chain, ""))
		l.chain = nil
	}
}

// dockerStep writes a build or a push through Docker's own command.
func (l *scripting) dockerStep(s *graph.Step) {
	words, metadata := `"$work/`+s.Key+`.words"`, `"$work/`+s.Key+`.metadata"`
	steps := []*graph.Step{s}
	if resolve.Canonical(s.Function) == resolve.PushDockerImage {
		l.add(l.call(steps, " --phase inputs --arguments "+words))
		l.add(l.from(`xargs -0 -n 2 docker < ` + words)) // "push REFERENCE" by twos
		l.add(l.gives(steps, " --phase outputs"))
		return
	}
	l.add(l.call(steps, " --phase inputs --arguments "+words))
	l.add(append(l.cache(s, words), `printf '%s\0' --metadata-file `+metadata+` >> `+words, l.from(`xargs -0 -x docker < `+words))...)
	l.add(l.gives(steps, " --phase outputs --metadata-file "+metadata))
}

// from is a command that is to run where the paths count from.
func (l *scripting) from(command string) string {
	if l.Within == "" {
		return command
	}
	return "(cd " + quote(l.Within) + " && " + command + ")"
}

// cache adds the layers of earlier builds, unless the step says where they are. The name of an image in a registry is in small letters.
func (l *scripting) cache(s *graph.Step, words string) []string {
	own := docker.ActionInputs(s.Inputs)
	ref := `ref=$CI_REGISTRY_IMAGE/cache:` + identifier(s.Key)
	from, to := ` --cache-from "type=registry,`+ref+`"`, ` --cache-to "type=registry,mode=max,ignore-error=true,`+ref+`"`
	if contains(own, "cache-from") || contains(own, "no-cache") {
		from = ""
	}
	if contains(own, "cache-to") {
		to = ""
	}
	if from+to == "" {
		return nil
	}
	return []string{`if [ -n "$CI_REGISTRY_IMAGE" ]; then`, `  printf '%s\0'` + from + to + ` >> ` + words, `fi`}
}
