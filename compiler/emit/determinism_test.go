// Same file, same bytes; and of an edit only what it concerns.
package emit

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestSameBytes(t *testing.T) {
	for seed := range uint64(40) {
		text := chance(rand.New(rand.NewPCG(seed, 3)))
		first, gitlab := unchecked(t, text), uncheckedGitLab(t, text)
		for range 19 {
			if again := unchecked(t, text); !bytes.Equal(first, again) {
				t.Fatalf("seed %d: emitted twice, and differently", seed)
			}
			if again := uncheckedGitLab(t, text); !bytes.Equal(gitlab, again) {
				t.Fatalf("seed %d: emitted for GitLab twice, and differently", seed)
			}
		}
	}
}

// TestSameBytesOfManyFiles: the files of a large pipeline are made side by side, and that shows nowhere.
func TestSameBytesOfManyFiles(t *testing.T) {
	text, root := thousand(200, 200)
	var first []File
	for range 20 {
		in, _ := Load(root, []Source{{"prefect.yaml", []byte(text)}})
		in.Patterns, in.Action = []string{"prefect.yaml"}, "org/prefect-deploy-action@v1"
		files, diags := GitHubFiles(in, "prefect.yml")
		if len(diags) > 0 || len(files) < 3 {
			t.Fatal(diags.Error(), len(files))
		}
		if first == nil {
			first = files
		}
		if !slices.EqualFunc(first, files, func(a, b File) bool { return a.Name == b.Name && bytes.Equal(a.Data, b.Data) }) {
			t.Fatal("emitted twice, and differently")
		}
	}
}

func uncheckedGitLab(t *testing.T, text string) []byte {
	t.Helper()
	out, diags := GitLab(input(t, text))
	if diags.Errors(false) > 0 {
		t.Fatal(diags.Error())
	}
	return out
}

// unchecked is the workflow of a file that may refer to outputs that nothing gives.
func unchecked(t *testing.T, text string) []byte {
	t.Helper()
	out, diags := GitHub(input(t, text))
	if diags.Errors(false) > 0 {
		t.Fatal(diags.Error())
	}
	return out
}

// edits are changes of a file that have nothing to do with its steps.
var edits = []func(string) string{
	func(s string) string { return "# a comment\n" + s },
	func(s string) string {
		return strings.Replace(s, "name: d0\n", "name: d0\n  description: another\n", 1)
	},
	func(s string) string { return strings.Replace(s, "name: d0\n", "name: d0\n  tags: [a]\n", 1) },
	func(s string) string {
		return strings.Replace(s, "name: d0\n", "name: d0\n  schedules: [{cron: '0 6 * * *'}]\n", 1)
	},
	func(s string) string {
		return s + "- {name: last, entrypoint: 'f.py:f', work_pool: {name: p}, build: null}\n"
	},
	func(s string) string { return "prefect-version: 3.8.8\n" + s },
}

func TestOrderOfEdits(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for seed := range uint64(10) {
		text := chance(rand.New(rand.NewPCG(seed, 5)))
		before := unchecked(t, text)
		gitlab := uncheckedGitLab(t, text)
		var want []byte
		for range 8 {
			edited := text
			for _, i := range r.Perm(len(edits)) {
				edited = edits[i](edited)
			}
			got := unchecked(t, edited)
			if !bytes.Equal(uncheckedGitLab(t, edited), gitlab) {
				t.Fatalf("seed %d: such edits change the pipeline for GitLab", seed)
			}
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("seed %d: the order of edits shows", seed)
			}
		}
		if !bytes.Equal(before, want) {
			t.Errorf("seed %d: edits that have nothing to do with steps change the workflow", seed)
		}
	}
}

// TestRenaming: another name of a deployment, or another order of deployments that share nothing, leaves the names of jobs.
func TestRenaming(t *testing.T) {
	const text = "deployments:\n- {name: a, entrypoint: 'f.py:f', build: [{prefect_docker.deployments.steps.build_docker_image: {id: one, image_name: r/one, tag: '1', dockerfile: A}}]}\n" +
		"- {name: b, entrypoint: 'f.py:f', build: [{prefect_docker.deployments.steps.build_docker_image: {id: two, image_name: r/two, tag: '1', dockerfile: B}}]}\n"
	want := jobsOf(t, text)
	if got := jobsOf(t, strings.Replace(text, "name: a,", "name: renamed,", 1)); !slices.Equal(got, want) {
		t.Errorf("renamed: %v, want %v", got, want)
	}
	lines := strings.SplitAfter(text, "\n")
	got := jobsOf(t, lines[0]+lines[2]+lines[1])
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("in another order: %v, want %v", got, want)
	}
}

// TestDifferentIDs: names that differ only in case, or that a part of another step would have, do not meet.
func TestDifferentIDs(t *testing.T) {
	in := input(t, "build:\n"+image("app", "1", "")+image("App", "2", "")+image("app-inputs", "3", "")+image("APP-build", "4", "")+image("__x", "5", "")+image(strings.Repeat("long", 40), "6", "")+image(strings.Repeat("long", 41), "7", "")+deployed)
	seen := map[string]bool{}
	for _, s := range in.Graph.Steps {
		for _, part := range append([]string{""}, parts...) {
			id := strings.ToLower(identifiers(in.Graph.Steps)[s] + part)
			if seen[id] || len(id) > 100 || strings.HasPrefix(id, "__") {
				t.Errorf("%s is the name of two things, too long or GitHub's own", id)
			}
			seen[id] = true
		}
	}
	if len(seen) != 21 {
		t.Errorf("%d names", len(seen))
	}
}

func jobsOf(t *testing.T, text string) (jobs []string) {
	t.Helper()
	out, ok := workflowOf(python, text)
	if !ok {
		t.Fatalf("refused:\n%s", text)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(out, &document); err != nil {
		t.Fatal(err)
	}
	all := get(document.Content[0], "jobs")
	for i := 0; i < len(all.Content); i += 2 {
		jobs = append(jobs, all.Content[i].Value)
	}
	return jobs
}
