// Builds whose tag is the digest of what they read (x-ci.steps.ID.tag: inputs). The tag is known before anything runs, so a plan shows it and an unchanged image changes nothing; and where the registry holds it already, neither the build nor
// the push of it has anything to do:
//
//	plan      image: registry.example.com/app:inputs-5d41… → registry.example.com/app:inputs-7d79…
//	deploy    app: registry.example.com/app:inputs-7d79… is there already, so it is not built
//
// A step before the build that may write into its context keeps the tag unknown until then.
package deploy

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/step"
)

// withTag gives a build its tag. Its inputs are filled.
func (j *job) withTag(ctx context.Context, c step.Call) (step.Call, error) {
	b, err := docker.BuildOf(c.Inputs, j.tagOptions(ctx, c))
	if err != nil {
		return c, err
	}
	tag, err := step.InputsTag(b, c.Dir, step.Platform(c.Env))
	if err != nil {
		return c, err
	}
	c.Inputs = c.Inputs.Set("tag", value.Of(tag))
	return c, nil
}

// tagOptions are what a tag is made with: which Python there is matters to a generated Dockerfile alone, and else none is asked.
func (j *job) tagOptions(ctx context.Context, c step.Call) docker.Options {
	if dockerfile, _ := c.Inputs.Get("dockerfile"); dockerfile.Text == "auto" {
		return j.dockerOptions(ctx, c.Dir, j.Now())
	}
	o := docker.Options{Now: j.Now(), PrefectVersion: behavesAs}
	o.Namespace, _ = j.Env("PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE")
	return o
}

// foretell finds the tags that are known before anything ran.
func (j *job) foretell(ctx context.Context, g *graph.Graph) {
	j.foretold = map[string]value.Value{}
	if !slices.ContainsFunc(g.Steps, func(s *graph.Step) bool { return s.TagInputs }) {
		return
	}
	files := j.filesOf(g)
	results := map[*graph.Step]*exec.Result{}
	for s, v := range j.presets(g) {
		results[s] = exec.Given(s, v)
	}
	for _, s := range g.Steps {
		if !s.TagInputs || !j.runs(s) || len(s.Directory) > 0 || j.touched(s) {
			continue
		}
		project := j.projectOf(files[s]...)
		project.Outputs = exec.Outputs(s.Upstream, results)
		project.Pending = func(string) bool { return true }
		inputs, err := project.Inputs(s.Inputs)
		if err != nil || inputs.Marks()&(value.AfterBuild|value.NotHere) != 0 {
			continue
		}
		c, err := j.withTag(ctx, adapt(step.Call{Function: s.Function, Inputs: inputs, Dir: filepath.Join(j.Directory, filepath.FromSlash(s.Root)), Env: j.Environ}))
		if err != nil {
			continue
		}
		b, err := docker.BuildOf(c.Inputs, j.tagOptions(ctx, c))
		if err != nil {
			continue
		}
		outputs := b.Outputs("")
		outputs.Map = slices.DeleteFunc(slices.Clone(outputs.Map), func(e value.Entry) bool { return e.Key == "image_id" })
		outputs = exec.Given(s, tainted(s.Function, c.Inputs, outputs)).Outputs
		j.foretold[s.Digest] = outputs
	}
}

// touched reports whether a step that is to run before may write what a build reads.
func (j *job) touched(s *graph.Step) bool {
	for _, list := range [][]*graph.Step{s.Needs, s.After} {
		for _, before := range list {
			if j.runs(before) && slices.ContainsFunc(before.Writes, func(w string) bool {
				return w == graph.Everything || w == "workspace" || strings.HasPrefix(w, "workspace:")
			}) {
				return true
			}
		}
	}
	return false
}

// present carries a step out that has nothing to do, since its image is there: a build, or the push of one. done is false where it has.
func (j *job) present(ctx context.Context, g *graph.Graph, s *graph.Step, c step.Call) (outputs value.Value, done bool, err error) {
	if resolve.Canonical(c.Function) == resolve.PushDockerImage {
		return j.pushPresent(ctx, s, c)
	}
	if !s.TagInputs {
		return value.Value{}, false, nil
	}
	b, err := docker.BuildOf(c.Inputs, j.dockerOptions(ctx, c.Dir, j.Now()))
	if err != nil {
		return value.Value{}, true, err
	}
	id, there := j.built(ctx, g, s, c, b)
	if !there {
		return value.Value{}, false, nil
	}
	return b.Outputs(id), true, nil
}

// built reports whether the image of a build is where the build would bring it to: in the registry if something pushes it, else in the engine.
func (j *job) built(ctx context.Context, g *graph.Graph, s *graph.Step, c step.Call, b *docker.Build) (id string, there bool) {
	program, err := j.docker(ctx, resolve.BuildDockerImage)
	if err != nil {
		return "", false
	}
	ask := step.Asker{Program: program, Call: c, Login: b.Login()}
	pushes := pushesOf(g, s)
	if !b.Push && len(pushes) == 0 {
		if id, there = ask.InEngine(ctx, b.Tags[0]); there {
			tell(c, b.Tags[0]+" is in the engine already: it is not built again")
		}
		return id, there
	}
	if ask.Login == nil {
		ask.Login = j.loginOf(g, pushes)
	}
	id, there, err = ask.InRegistry(ctx, b.Tags[0])
	switch {
	case err != nil:
		tell(c, "the registry could not be asked for "+b.Tags[0]+", so it is built: "+err.Error())
	case there && b.Push:
		if err := ask.Tag(ctx, b.Tags[0], b.Tags[1:]); err != nil {
			tell(c, b.Tags[0]+" is in the registry already, and could not be given its other tags, so it is built: "+err.Error())
			return "", false
		}
		fallthrough
	case there:
		tell(c, b.Tags[0]+" is in the registry already: it is neither built nor pushed")
	}
	return id, there
}

func tell(c step.Call, line string) {
	if c.Stdout != nil {
		c.Stdout([]byte(line))
	}
}

// pushesOf are the steps that push what a build builds.
func pushesOf(g *graph.Graph, build *graph.Step) (out []*graph.Step) {
	for _, s := range g.Steps {
		if resolve.Canonical(s.Function) == resolve.PushDockerImage && slices.Contains(s.Upstream, build) {
			out = append(out, s)
		}
	}
	return out
}

// loginOf is the login of the first push that has one, as far as it is known before the build.
func (j *job) loginOf(g *graph.Graph, pushes []*graph.Step) *docker.Login {
	for _, s := range pushes {
		credentials, given := s.Inputs.Get("credentials")
		if !given {
			continue
		}
		project := j.projectOf(j.filesOf(g)[s]...)
		inputs, err := project.Inputs(value.Of([]value.Entry{{Key: "credentials", KeyKind: value.Text, Value: credentials}}))
		if err != nil {
			continue
		}
		filled, _ := inputs.Get("credentials")
		if l := docker.LoginOf(filled); l != nil {
			return l
		}
	}
	return nil
}

// pushPresent is present for a push: that of an image whose tag says what is in it.
func (j *job) pushPresent(ctx context.Context, s *graph.Step, c step.Call) (outputs value.Value, done bool, err error) {
	tag, _ := c.Inputs.Get("tag")
	if !docker.IsInputsTag(tag.Text) || !slices.ContainsFunc(s.Upstream, func(u *graph.Step) bool { return u.TagInputs }) {
		return value.Value{}, false, nil
	}
	p, err := docker.PushOf(c.Inputs, j.dockerOptions(ctx, c.Dir, j.Now()))
	if err != nil {
		return value.Value{}, false, nil // which the push itself says
	}
	program, err := j.docker(ctx, resolve.PushDockerImage)
	if err != nil {
		return value.Value{}, false, nil
	}
	ask := step.Asker{Program: program, Call: c, Login: p.Login()}
	_, there, err := ask.InRegistry(ctx, p.References[0])
	if err != nil || !there {
		return value.Value{}, false, nil
	}
	if err := ask.Tag(ctx, p.References[0], p.References[1:]); err != nil {
		return value.Value{}, true, err
	}
	tell(c, p.References[0]+" is in the registry already: it is not pushed again")
	return p.Outputs(), true, nil
}

// tagFault is an error of a tag that can't be made.
func tagFault(s *graph.Step, err error) error {
	return fmt.Errorf("x-ci.steps.%s.tag: inputs: %w", diag.Clean(s.ID), err)
}
