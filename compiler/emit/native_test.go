// What is left to the runtime, and why: of all builds, pushes, clones and installations in the projects that we have, those that a platform does not carry out by itself stand in a table with their reasons, so that a change
// which loses one more is seen.
package emit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// toTheRuntime are the reasons by file and step.
var toTheRuntime = map[string]string{
	"graph/keys/prefect.yaml build-image":                "{{ $NAME }} must not be shown, and a builder's inputs are",
	"pipeline/base-image/prefect.yaml app":               "a build begins with the image of another one (FROM), which only the engine's own builder has",
	"pipeline/base-image/prefect.yaml base":              "a build begins with the image of another one (FROM), which only the engine's own builder has",
	"pipeline/hostile-names/prefect.yaml on":             "tag \"`touch pwned`\" is not a tag that Docker takes: at most 128 letters, digits, and . _ - not at the start",
	"pipeline/push/prefect.yaml push-image":              "credentials are known only at run time",
	"pipeline/push-with-image/prefect.yaml push-private": "credentials are known only at run time",
	"snippets/mended/12-as-build.yaml git_clone":         "an argument has to be filled, or is one that the platform's form has not",
}

func TestStepsThatTheRuntimeRuns(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../testdata/*/prefect.yaml", "../../testdata/*/*/prefect.yaml", "../../testdata/*/*/*/prefect.yaml", "../../testdata/snippets/mended/*.yaml", "../../../shared/corpus/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	expected, native, loaded := map[string]bool{}, 0, 0
	for name := range toTheRuntime {
		expected[name] = true
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in, _ := Load(os.DirFS(filepath.Dir(file)), []Source{{Name: filepath.Base(file), Data: data}})
		if in == nil {
			continue
		}
		loaded++
		for step, why := range left(in) {
			name := strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(file), "../../testdata/"), "../../../shared/") + " " + step
			if why == "" {
				native++
				continue
			}
			if want, ok := toTheRuntime[name]; !ok || want != why {
				t.Errorf("%q: %q,", name, why)
			}
			delete(expected, name)
		}
	}
	for name := range expected {
		if _, corpus := strings.CutPrefix(name, "corpus/"); !corpus || slices.ContainsFunc(files, func(f string) bool { return strings.Contains(f, "/corpus/") }) {
			t.Errorf("%s is in the table, and the platform carries it out, or it is gone", name)
		}
	}
	if native < 10 || loaded < 100 {
		t.Errorf("%d files were read, and %d steps are native", loaded, native)
	}
	t.Logf("%d files; %d steps are native, %d are left to the runtime", loaded, native, len(toTheRuntime)-len(expected))
}

// left are the builds, pushes, clones and installations of a pipeline, with the reason why the platform does not carry them out, "" where it does.
func left(in *Input) map[string]string {
	g := github{Input: in, settings: in.settingsOf("github"), pipeline: Cut(in.Graph, in.Deployments), used: used(in)}
	kinds := []string{resolve.BuildDockerImage, resolve.PushDockerImage, resolve.GitClone, resolve.PipInstall}
	out := map[string]string{}
	for _, s := range g.pipeline.Last {
		if slices.Contains(kinds, resolve.Canonical(s.Function)) {
			out[s.Key] = "a deployment uses something secret that it gives, so it runs where deployments are registered"
		}
	}
	for _, j := range g.pipeline.Jobs {
		l := lowering{github: &g, job: j, outputs: mapping()}
		for _, s := range j.Steps {
			if !slices.Contains(kinds, resolve.Canonical(s.Function)) {
				continue
			}
			_, why := l.native(s)
			if why == "" && g.pipeline.passesHidden(j) {
				why = "its job hands something secret from step to step"
			}
			out[s.Key] = why
		}
	}
	return out
}
