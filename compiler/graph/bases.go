// What a build begins with, read from its Dockerfile: an image that another step of the project builds is something that it reads. Prefect runs the steps one by one, so nobody has to say so there; here steps that are not known to
// meet run side by side, and in jobs of their own.
package graph

import (
	"io"
	"io/fs"
	"path"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// largest is the most of a Dockerfile that is looked at.
const largest = 1 << 20

// bases are the images that a build begins with, as resources. They are certain where no step before it may have written the Dockerfile: only then they are a part of what the step is, as else a run in between would call it another.
func (l *list) bases(s *spec.Step) (reads, known []string, certain bool) {
	tree := l.deployment.File.Tree
	if _, said := declared(l.deployment.File, s); said || tree == nil || resolve.Canonical(s.Function) != resolve.BuildDockerImage || len(l.directory) > 0 {
		return nil, nil, false
	}
	images, all := docker.Bases(l.dockerfile(tree, l.deployment.File.Root(), s.Inputs), argumentsOf(s.Inputs))
	if all {
		known = append([]string{}, images...)
	}
	for _, image := range images {
		reads = append(reads, "docker:"+image)
	}
	certain = true
	for _, n := range l.nodes {
		certain = certain && !meet(n.effects.writes, []string{"workspace"})
	}
	return reads, known, certain
}

// dockerfile is the text of a step's Dockerfile, each read once; nil where it is made, elsewhere, or known only later.
func (b *builder) dockerfile(tree fs.FS, root string, inputs value.Value) []byte {
	name, context := "Dockerfile", "."
	for _, a := range []struct {
		key string
		to  *string
	}{{"dockerfile", &name}, {"path", &context}, {"context_path", &context}} {
		if v, given := inputs.Get(a.key); given && !v.IsNull() {
			if v.Kind != value.Text || v.Text == "" || v.Text == "auto" || template.Has(v.Text) || path.IsAbs(v.Text) {
				return nil
			}
			*a.to = v.Text
		}
	}
	at := path.Join(root, context, name)
	if text, read := b.dockerfiles[at]; read {
		return text
	}
	text := small(tree, at)
	b.dockerfiles[at] = text
	return text
}

// small reads a plain file of no great size, nil for anything else.
func small(tree fs.FS, name string) []byte {
	if !fs.ValidPath(name) {
		return nil
	}
	if info, err := fs.Stat(tree, name); err != nil || !info.Mode().IsRegular() || info.Size() > largest {
		return nil
	}
	f, err := tree.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, largest))
	if err != nil {
		return nil
	}
	return text
}

// argumentsOf gives a build's arguments.
func argumentsOf(inputs value.Value) func(string) (string, bool, bool) {
	return func(name string) (text string, given, known bool) {
		for _, key := range []string{"buildargs", "build_args"} {
			all, said := inputs.Get(key)
			if !said || all.IsNull() {
				continue
			}
			if all.Kind != value.Map { // a template, or something that only Python knows
				return "", true, false
			}
			if v, ok := all.Get(name); ok {
				return v.Str(), true, v.Kind != value.List && v.Kind != value.Map && !v.IsNull() && !template.Has(v.Str())
			}
		}
		return "", false, true
	}
}
