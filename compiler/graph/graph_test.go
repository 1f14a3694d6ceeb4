// What every graph must be: each distinct step once, needs without cycles that point back in the order, keys unique and untouched by edits elsewhere.
package graph

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

func build(src string) *Graph {
	f, _ := spec.Load("prefect.yaml", []byte(src))
	var deployments []*resolve.Deployment
	for i := range f.Len() {
		d := f.Deployment(i, nil)
		if d.Unread {
			return &Graph{}
		}
		deployments = append(deployments, resolve.Entry(f, d))
	}
	return Build(deployments, (*resolve.Deployment).Title)
}

// sound checks what must hold of every graph.
func sound(t *testing.T, g *Graph) {
	t.Helper()
	place, digests, keys := map[*Step]int{}, map[string]bool{}, map[string]bool{}
	for i, s := range g.Steps {
		if digests[s.Digest] || keys[s.Key] || s.Key == "" {
			t.Fatalf("the step %s or its key stands twice", s.Key)
		}
		digests[s.Digest], keys[s.Key], place[s] = true, true, i
		needed := map[*Step]bool{}
		for _, n := range append(append([]*Step(nil), s.Needs...), s.After...) {
			at, known := place[n]
			if !known || at >= i {
				t.Fatalf("%s needs %s, which does not stand before it", s.Key, n.Key)
			}
			needed[n] = true
		}
		for _, u := range append(append([]*Step{}, s.Upstream...), s.Directory...) {
			if !needed[u] {
				t.Fatalf("%s uses %s and does not need it", s.Key, u.Key)
			}
		}
		if len(s.Deployments) == 0 {
			t.Fatalf("no deployment has %s", s.Key)
		}
	}
	for i, s := range g.Steps {
		for _, earlier := range g.Steps[:i] {
			if clash(effects{s.Reads, s.Writes}, effects{earlier.Reads, earlier.Writes}) && !reaches(s, earlier, map[*Step]bool{}) {
				t.Fatalf("%s and %s meet and are in no order", s.Key, earlier.Key)
			}
		}
	}
	for _, r := range g.Registrations {
		for _, s := range r.Steps {
			if _, known := place[s]; !known {
				t.Fatalf("%s needs a step that is not in the graph", r.Deployment)
			}
		}
	}
}

func reaches(from, to *Step, seen map[*Step]bool) bool {
	if from == to {
		return true
	}
	for _, n := range append(append([]*Step(nil), from.Needs...), from.After...) {
		if !seen[n] {
			seen[n] = true
			if reaches(n, to, seen) {
				return true
			}
		}
	}
	return false
}

// sample writes a project of few kinds of steps, so that equal ones come together by chance.
func sample(r *rand.Rand) string {
	step := func(indent string) string {
		id := r.IntN(4)
		kinds := []string{
			"prefect.deployments.steps.run_shell_script:\n@    id: s%d\n@    script: git rev-parse HEAD",
			"prefect.deployments.steps.run_shell_script:\n@    id: s%d\n@    script: echo \"{{ s0.stdout }} {{ stdout }}\"",
			"prefect.deployments.steps.run_shell_script:\n@    id: s%d\n@    script: make",
			"prefect_docker.deployments.steps.build_docker_image:\n@    id: s%d\n@    image_name: a\n@    tag: \"{{ s1.stdout }}\"",
			"prefect.deployments.steps.set_working_directory:\n@    id: s%d\n@    directory: sub",
			"tools.own:\n@    id: s%d\n@    x: \"{{ s2.y }}\"",
		}
		return indent + "- " + strings.ReplaceAll(fmt.Sprintf(kinds[r.IntN(len(kinds))], id), "@", indent) + "\n"
	}
	list := func(key, indent string) (out string) {
		out = indent + key + ":\n"
		for range 1 + r.IntN(4) {
			out += step(indent)
		}
		return out
	}
	out := list("build", "") + list("push", "") + "pull: []\ndeployments:\n"
	for i := range 1 + r.IntN(5) {
		out += fmt.Sprintf("- name: d%d\n  entrypoint: f.py:f\n", i)
		if r.IntN(2) == 0 {
			out += list("build", "  ")
		}
		if r.IntN(3) == 0 {
			out += "  push: []\n"
		}
	}
	return out
}

func TestGraphsAreSound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		src := sample(r)
		g := build(src)
		sound(t, g)
		if len(g.Registrations) == 0 || len(g.Steps) == 0 {
			t.Fatalf("nothing came of\n%s", src)
		}
		if string(g.JSON()) != string(build(src).JSON()) {
			t.Fatalf("two graphs of one file differ:\n%s", src)
		}
	}
}

// TestKeysOutliveEdits: what is changed elsewhere changes no digest and no key.
func TestKeysOutliveEdits(t *testing.T) {
	before := "build:\n- prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse HEAD}\n- prefect_docker.deployments.steps.build_docker_image: {id: image, image_name: a, tag: \"{{ hash.stdout }}\"}\npull: []\ndeployments:\n- {name: one, entrypoint: \"f.py:f\"}\n"
	want := build(before).Steps
	for name, after := range map[string]string{
		"another deployment":       before + "- {name: two, entrypoint: \"f.py:f\"}\n",
		"another field":            strings.Replace(before, "name: one", "name: one, description: d", 1),
		"lines above":              "# c\n\nname: x\n" + before,
		"the order of arguments":   strings.Replace(before, "id: hash, script: git rev-parse HEAD", "script: git rev-parse HEAD, id: hash", 1),
		"another spelling":         strings.Replace(before, "git rev-parse HEAD", "\"git rev-parse HEAD\"", 1),
		"a step that only looks":   strings.Replace(before, "pull:", "- prefect.deployments.steps.run_shell_script: {id: note, script: git describe}\npull:", 1),
		"an older name of a step":  strings.Replace(before, "prefect.deployments.steps.run_shell_script", "prefect.deployments.steps.utility.run_shell_script", 1),
		"a deployment without any": before + "- {name: three, entrypoint: \"f.py:f\", build: null}\n",
	} {
		got := build(after).Steps
		for i := range want {
			if got[i].Key != want[i].Key || got[i].Digest != want[i].Digest {
				t.Errorf("%s: %s became %s", name, want[i].Key, got[i].Key)
			}
		}
	}
	changed := build(strings.Replace(before, "git rev-parse", "git rev-parse --short", 1)).Steps
	if changed[0].Digest == want[0].Digest || changed[1].Digest == want[1].Digest {
		t.Error("a step that is changed, or what it feeds, keeps its digest")
	}
}

func FuzzGraph(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		f.Add(sample(r))
	}
	f.Fuzz(func(t *testing.T, src string) {
		if g := build(src); len(g.Steps) < 200 {
			sound(t, g)
		}
	})
}
