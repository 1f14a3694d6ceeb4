package graph

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

const stack = `build:
- prefect_docker.deployments.steps.build_docker_image: {id: base, image_name: r/base, tag: '1', dockerfile: base.Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: r/app, tag: '1'}
deployments: [{name: d, entrypoint: 'f.py:f'}]
`

func deploying(src string, files map[string]string) map[string]*Step {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	f, _ := spec.Load("prefect.yaml", []byte(src))
	f.Tree = tree
	var deployments []*resolve.Deployment
	for i := range f.Len() {
		deployments = append(deployments, resolve.Entry(f, f.Deployment(i, nil)))
	}
	out := map[string]*Step{}
	for _, s := range Build(deployments, (*resolve.Deployment).Title).Steps {
		out[s.ID] = s
	}
	return out
}

// TestABuildNeedsItsBase: what a Dockerfile begins with comes first, wherever it is; what can't be known changes nothing.
func TestABuildNeedsItsBase(t *testing.T) {
	on := map[string]string{"Dockerfile": "FROM r/base:1\n"}
	for name, c := range map[string]struct {
		src   string
		files map[string]string
		needs bool
	}{
		"a name":                   {stack, on, true},
		"another tag":              {stack, map[string]string{"Dockerfile": "FROM r/base:2\n"}, false},
		"no Dockerfile":            {stack, nil, false},
		"elsewhere":                {strings.Replace(stack, "image_name: r/app", "path: sub, image_name: r/app", 1), map[string]string{"sub/Dockerfile": "FROM r/base:1\n"}, true},
		"beside the file":          {"x-ci: {root: file}\n" + stack, on, true},
		"out of the tree":          {strings.Replace(stack, "image_name: r/app", "path: ../.., image_name: r/app", 1), on, false},
		"made by the step":         {strings.Replace(stack, "image_name: r/app", "dockerfile: auto, image_name: r/app", 1), on, false},
		"an argument of the step":  {strings.Replace(stack, "image_name: r/app", "buildargs: {B: 'r/base:1'}, image_name: r/app", 1), map[string]string{"Dockerfile": "ARG B=x\nFROM $B\n"}, true},
		"an argument filled later": {strings.Replace(stack, "image_name: r/app", "buildargs: {B: '{{ $B }}'}, image_name: r/app", 1), map[string]string{"Dockerfile": "ARG B=r/base:1\nFROM $B\n"}, false},
		"effects are said":         {"x-ci: {steps: {app: {effects: {reads: [workspace], writes: ['docker:r/app:1']}}}}\n" + stack, on, false},
	} {
		steps := deploying(c.src, c.files)
		if got := len(steps["app"].Needs) == 1 && steps["app"].Needs[0] == steps["base"]; got != c.needs {
			t.Errorf("%s: %v", name, steps["app"].Needs)
		}
		if same := steps["app"].Digest == deploying(c.src, nil)["app"].Digest; same == c.needs {
			t.Errorf("%s: with its base it is the step that it is without: %v", name, same)
		}
	}
}

// TestADockerfileThatAStepWrites orders, and is no part of what a step is: the graph is made anew in each job, before and after the file is there.
func TestADockerfileThatAStepWrites(t *testing.T) {
	src := strings.Replace(stack, "build:\n", "build:\n- prefect.deployments.steps.run_shell_script: {id: write, script: ./write.sh}\n", 1)
	before, after := deploying(src, nil), deploying(src, map[string]string{"Dockerfile": "FROM r/base:1\n"})
	if before["app"].Digest != after["app"].Digest || before["app"].Key != after["app"].Key {
		t.Error("the step is another one once its Dockerfile is written")
	}
	if len(after["app"].Needs) != 2 || len(before["app"].Needs) != 1 {
		t.Errorf("needs %d and %d", len(before["app"].Needs), len(after["app"].Needs))
	}
}
