// What can be known of Docker's steps: their arguments go on to Docker, so which there are depends on the way to build.
package check

import (
	"fmt"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

// step checks one step of a section; runtime: of a pull section.
func (c *Checker) step(f *spec.File, s *spec.Step, runtime bool) {
	resolve.CheckStep(f, s, runtime, &c.diags)
	if resolve.Canonical(s.Function) == resolve.BuildDockerImage {
		c.buildArguments(f, s, runtime)
	}
}

// buildArguments tells of arguments that no function on the way takes: Python fails on them.
func (c *Checker) buildArguments(f *spec.File, s *spec.Step, runtime bool) {
	names, known := docker.Unknown(s.Inputs)
	severity := diag.Error
	if runtime {
		severity = diag.Warning
	}
	for _, e := range s.Inputs.Map {
		for _, name := range names {
			if name != e.Key {
				continue
			}
			help := diag.DidYouMean(name, known)
			if help == "" {
				help = "it takes " + strings.Join(known, ", ")
			}
			way := "docker-py, which builds unless build_backend says buildx"
			if backend, _ := s.Inputs.Get("build_backend"); backend.Text == "buildx" {
				way = "build_backend: buildx"
			}
			c.diags.Add(diag.Diagnostic{Severity: severity, Code: "unknown-argument", Message: fmt.Sprintf("build_docker_image takes no argument %s with %s", diag.Quote(name), way), Help: help, Position: f.Position(e.KeyPos)})
		}
	}
}

// builtImage is an image with its tag, by the first build that writes it.
type builtImage struct {
	build string
	step  string
	at    diag.Position
	// told are the other builds that a warning named.
	told map[string]bool
}

// overwritten warns of two different builds that write one image and tag: the later one wins, also for the deployment of the earlier.
func (c *Checker) overwritten(d *resolve.Deployment) {
	for _, list := range [][]spec.Step{d.Build, d.Push} {
		for i := range list {
			s := &list[i]
			if resolve.Canonical(s.Function) != resolve.BuildDockerImage {
				continue
			}
			build := string(graph.Sorted(s.Inputs).AppendJSON(nil))
			for _, image := range graph.Images(s.Inputs) {
				c.writes(image, build, s, d)
			}
		}
	}
}

func (c *Checker) writes(image, build string, s *spec.Step, d *resolve.Deployment) {
	name, at := "build_docker_image", d.Position(s.Pos)
	if s.ID.Truthy() {
		name = s.ID.Str()
	}
	first, ok := c.images[image]
	switch {
	case !ok:
		c.images[image] = &builtImage{build, name, at, map[string]bool{}}
		return
	case first.build == build || first.told[build]:
		return
	}
	first.told[build] = true
	c.diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: "image-written-twice",
		Message: fmt.Sprintf("the build %s writes the image %s, and so does the different build %s at %s:%d: who runs it gets what was built last", diag.Quote(name), diag.Quote(image), diag.Quote(first.step), first.at.File, first.at.Line),
		Help:    "give one of them another tag or another name; as it is they run one after the other, in the file's order", Position: at, Related: []diag.Related{{Position: first.at, Message: "first written at"}}})
}
