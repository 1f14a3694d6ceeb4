// What can be known of Docker's steps: their arguments go on to Docker, so which there are depends on the way to build.
package check

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// step checks one step of a section; runtime: of a pull section.
func (c *Checker) step(f *spec.File, s *spec.Step, runtime bool) {
	resolve.CheckStep(f, s, runtime, &c.diags)
	if resolve.Canonical(s.Function) == resolve.BuildDockerImage {
		c.buildArguments(f, s, runtime)
	}
	if name := resolve.Canonical(s.Function); !runtime && (name == resolve.BuildDockerImage || name == resolve.PushDockerImage) {
		c.credentials(f, s)
	}
	if graph.TagsInputs(f, s) && !runtime {
		c.inputsTag(f, s)
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

// inputsTag: the digest of what is read can only be the tag of a build that has none, and whose context is here.
func (c *Checker) inputsTag(f *spec.File, s *spec.Step) {
	steps, _ := f.CI.Get("steps")
	own, _ := steps.Get(s.ID.Str())
	setting, _ := own.Get("tag")
	fault := func(severity diag.Severity, code string, message, help string) {
		c.diags.Add(diag.Diagnostic{Severity: severity, Code: code, Message: "x-ci.steps." + diag.Clean(s.ID.Str()) + ".tag: " + message, Help: help, Position: f.Position(setting.Pos),
			Related: []diag.Related{{Position: f.Position(s.Pos), Message: "the step"}}})
	}
	if resolve.Canonical(s.Function) != resolve.BuildDockerImage {
		fault(diag.Error, "invalid-ci-setting", "the step builds no image: it calls "+diag.Clean(s.Function), "remove the line")
		return
	}
	for _, key := range []string{"tag", "image_tag"} {
		if tag, _ := s.Inputs.Get(key); tag.Truthy() {
			fault(diag.Error, "invalid-ci-setting", "the step has a "+key+" of its own, and inputs makes one", "remove one of the two; a tag to have beside it goes into additional_tags")
		}
	}
	if context, _ := s.Inputs.Get("path"); c.holdsGit(f, context) {
		fault(diag.Warning, "unstable-inputs-tag", "the build reads .git, which is another one in each clone, and so the tag is another one too", "write .git into .dockerignore")
	}
}

// holdsGit reports whether the context of a build, as far as it can be seen from here, holds a repository that is not left out.
func (c *Checker) holdsGit(f *spec.File, context value.Value) bool {
	if c.root == nil || template.Has(context.Text) || strings.Contains(context.Text, "://") {
		return false
	}
	dir := path.Join(f.Root(), context.Text)
	if !fs.ValidPath(dir) {
		return false
	}
	if _, err := fs.Stat(c.root, path.Join(dir, ".git")); err != nil {
		return false
	}
	text, _ := fs.ReadFile(c.root, path.Join(dir, ".dockerignore"))
	patterns, err := ignorefile.ReadAll(bytes.NewReader(text))
	if err != nil {
		return false
	}
	out, err := patternmatcher.MatchesOrParentMatches(".git", patterns)
	return err == nil && !out
}
