// From steps to lines of a job's script. A build is Docker's own, with the layers of earlier ones from the project's registry; the runtime tells it what to build, in a file of words that `xargs` hands on, so that no
// text of the user's stands in a line. Every other step is a call of the runtime by its key, and calls that follow each other are one.
package emit

import (
	"slices"
	"strings"

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
	l := scripting{gitlab: g, job: j, out: scripted{script: list()}, careful: j.Apart || g.loose(j)}
	whole, stacked := g.pipeline.passesHidden(j), j.Stacked
	for _, s := range j.Steps {
		switch resolve.Canonical(s.Function) {
		case resolve.BuildDockerImage, resolve.PushDockerImage:
			l.out.docker = true
			if !whole && l.native(s) && (!stacked || resolve.Canonical(s.Function) == resolve.PushDockerImage) {
				l.flush()
				l.dockerStep(s)
				continue
			}
		}
		l.chain = append(l.chain, s)
	}
	l.flush()
	l.write()
	return l.out
}

// write puts the lines of all steps together. Where steps may fail apart, the job goes on after one that did, and fails at its end.
func (l *scripting) write() {
	guarded := l.job.Apart && len(l.units) > 1
	if guarded {
		l.add("status=0")
	}
	for _, unit := range l.units {
		switch {
		case !guarded:
			for _, lines := range unit {
				l.add(lines...)
			}
		case len(unit) == 1:
			l.add(unit[0][0] + " || status=$?")
		default:
			l.add(together(unit)...)
		}
	}
	if guarded {
		l.add(`exit "$status"`)
	}
}

// together makes the commands of a unit one, which ends at the first of them that fails.
func together(unit [][]string) []string {
	out := []string{"{"}
	for i, lines := range unit {
		for k, line := range lines {
			line = "  " + line
			if ends := !strings.HasSuffix(line, "; then") && line != "  else" && !strings.HasPrefix(line, "    "); ends && (i < len(unit)-1 || k < len(lines)-1) {
				line += " &&"
			}
			out = append(out, line)
		}
	}
	return append(out, "} || status=$?")
}

// loose reports whether a job runs also when one before it failed: one without `needs` waits for whole stages, and most of what is in them does not concern it.
func (g *gitlab) loose(j *Job) bool { return j.Loose || g.crowded(len(j.Needs)) }

// rules are a loose job's own, nil for those of all.
func (g *gitlab) rules(j *Job) any {
	if g.loose(j) {
		return list(mapping("if", g.deploys(), "when", "always"))
	}
	return nil
}

// scripting is the writing of one job.
type scripting struct {
	*gitlab
	job   *Job
	chain []*graph.Step
	// units are the commands, each with its lines, of what succeeds or fails as one.
	units [][][]string
	out   scripted
	calls int
	// careful: a step that it needs may have failed without ending the job.
	careful bool
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
	if resolve.Canonical(s.Function) == resolve.PushDockerImage && !argument(s, "credentials").IsNull() { // its login is for the step alone
		return false
	}
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
	if l.careful && len(l.job.Needs)+l.calls > 0 {
		line += " --keep-going"
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
		l.units = append(l.units, [][]string{{l.gives(l.chain, "")}})
		l.chain = nil
	}
}

// dockerStep writes a build or a push through Docker's own command.
func (l *scripting) dockerStep(s *graph.Step) {
	load, words, metadata := "", `"$work/`+s.Key+`.words"`, `"$work/`+s.Key+`.metadata"`
	steps := []*graph.Step{s}
	if resolve.Canonical(s.Function) == resolve.PushDockerImage {
		pushing := `xargs -0 -n 2 docker < ` // "push REFERENCE" by twos
		if slices.ContainsFunc(s.Upstream, func(u *graph.Step) bool { return u.TagInputs }) {
			pushing = `xargs -0 -r -n 2 docker < ` // none of them: without -r docker would run all the same, and print its help
		}
		l.units = append(l.units, [][]string{{l.call(steps, " --phase inputs --arguments "+words)},
			{l.from(pushing + words)},
			{l.gives(steps, " --phase outputs")}})
		return
	}
	if slices.Contains(docker.ActionInputs(s.Inputs), "push") && l.pipeline.readsImage(l.job, s) {
		load = "--load "
	}
	building := append(l.cache(s, words), `printf '%s\0' `+load+`--metadata-file `+metadata+` >> `+words, l.from(`xargs -0 -x docker < `+words))
	if s.TagInputs { // no words: the first half found it in the registry, and there is nothing to build
		building = onlyWith(words, metadata, building)
	}
	l.units = append(l.units, [][]string{{l.call(steps, " --phase inputs --arguments "+words)}, building,
		{l.gives(steps, " --phase outputs --metadata-file "+metadata)}})
}

// onlyWith has lines run where there are words for docker, and else leaves metadata of no image.
func onlyWith(words, metadata string, lines []string) []string {
	out := []string{`if [ -s ` + words + ` ]; then`}
	for _, line := range lines {
		out = append(out, "  "+line)
	}
	return append(out, `else`, `  echo '{}' > `+metadata, `fi`)
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
	if slices.Contains(own, "cache-from") || slices.Contains(own, "no-cache") {
		from = ""
	}
	if slices.Contains(own, "cache-to") {
		to = ""
	}
	if from+to == "" {
		return nil
	}
	return []string{`if [ -n "$CI_REGISTRY_IMAGE" ]; then`, `  printf '%s\0'` + from + to + ` >> ` + words, `fi`}
}
