// Workflows of several files: nothing is lost, everything is within the limits, and each job still waits for what it needs.
package emit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// filesOf are the files of a text that may refer to flows which are not there.
func filesOf(t *testing.T, text string) []File {
	t.Helper()
	files, diags := GitHubFiles(input(t, text), "prefect.yml")
	if diags.Errors(false) > 0 {
		t.Fatal(diags.Error())
	}
	return files
}

// wide is a file of n deployments that each build an image on the image before it, depth at a time.
func wide(n, depth int) string {
	var b strings.Builder
	b.WriteString("x-ci: {github: {secrets: [NPM_TOKEN], setup: [{uses: 'docker/login-action@1', with: {password: '${{ secrets.REGISTRY_PASSWORD }}'}}]}}\ndeployments:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {name: d%d, entrypoint: 'f.py:f', build: [", i)
		for l := range depth {
			tag := "'1'"
			if l > 0 {
				tag = fmt.Sprintf("'{{ i%d-%d.tag }}'", i, l-1)
			}
			fmt.Fprintf(&b, "{prefect_docker.deployments.steps.build_docker_image: {id: i%d-%d, image_name: r/i%d-%d, tag: %s, dockerfile: D}}, ", i, l, i, l, tag)
		}
		b.WriteString("]}\n")
	}
	return b.String()
}

func TestSeveralFiles(t *testing.T) {
	large, _ := thousand(1000, 300)
	for name, c := range map[string]struct {
		text        string
		least, most int
	}{
		"a thousand deployments": {large, 4, 5},
		"levels":                 {wide(60, 5), 4, 8},
		"a long way down":        {wide(8, 40), 4, 21},
		"small":                  {wide(2, 2), 1, 1},
	} {
		files := filesOf(t, c.text)
		if len(files) < c.least || len(files) > c.most {
			t.Errorf("%s: %d files", name, len(files))
		}
		holdFiles(t, name, c.text, files)
		for range 3 {
			for i, f := range filesOf(t, c.text) {
				if f.Name != files[i].Name || !bytes.Equal(f.Data, files[i].Data) {
					t.Fatalf("%s: emitted twice, and differently", name)
				}
			}
		}
	}
}

// job is what these tests look at.
type job struct {
	Needs   []string
	Uses    string
	Secrets map[string]string
}

// holdFiles compares the files with the one that they would be.
func holdFiles(t *testing.T, name, text string, files []File) {
	t.Helper()
	whole, _ := GitHub(input(t, text))
	one := jobsIn(t, whole)
	parts, calls := make([]map[string]job, len(files)), map[string]string{}
	for i, f := range files {
		if len(f.Data) > 500_000 {
			t.Errorf("%s: %s has %d bytes", name, f.Name, len(f.Data))
		}
		parts[i] = jobsIn(t, f.Data)
	}
	home := map[string]int{}
	for i := range parts {
		for id := range parts[i] {
			if _, twice := home[id]; twice {
				t.Errorf("%s: %s stands in two files", name, id)
			}
			home[id] = i
		}
	}
	for id, j := range parts[0] {
		if j.Uses != "" {
			i := slices.IndexFunc(files, func(f File) bool { return "./.github/workflows/"+f.Name == j.Uses })
			if i < 0 {
				t.Fatalf("%s: %s calls %s, which there is not", name, id, j.Uses)
			}
			calls[files[i].Name] = id
		}
	}
	if len(home) != len(one)+len(files)-1 {
		t.Errorf("%s: %d jobs, want %d and %d calls", name, len(home), len(one), len(files)-1)
	}
	for id, j := range one {
		at := home[id]
		for _, n := range j.Needs {
			switch to := home[n]; {
			case to == at:
				if !slices.Contains(parts[at][id].Needs, n) {
					t.Errorf("%s: %s no longer needs %s", name, id, n)
				}
			default:
				waits, what := id, n
				if at > 0 {
					waits = calls[files[at].Name]
				}
				if to > 0 {
					what = calls[files[to].Name]
				}
				if !slices.Contains(parts[0][waits].Needs, what) {
					t.Errorf("%s: %s does not wait for %s: %s does not need %s", name, id, n, waits, what)
				}
			}
		}
	}
	noCircle(t, name, parts[0])
}

func jobsIn(t *testing.T, workflow []byte) map[string]job {
	t.Helper()
	var w struct{ Jobs map[string]job }
	if err := yaml.Unmarshal(workflow, &w); err != nil {
		t.Fatal(err)
	}
	return w.Jobs
}

func noCircle(t *testing.T, name string, jobs map[string]job) {
	t.Helper()
	done := map[string]bool{}
	for range jobs {
		for id, j := range jobs {
			done[id] = done[id] || !slices.ContainsFunc(j.Needs, func(n string) bool { return !done[n] })
		}
	}
	for id := range jobs {
		if !done[id] {
			t.Errorf("%s: %s waits for itself", name, id)
		}
	}
}

// TestCalledSecrets: a called workflow is given the secrets that its jobs read, by name, and no others.
func TestCalledSecrets(t *testing.T) {
	files := filesOf(t, wide(200, 1))
	for id, j := range jobsIn(t, files[0].Data) {
		if j.Uses != "" && (len(j.Secrets) != 1 || j.Secrets["REGISTRY_PASSWORD"] != "${{ secrets.REGISTRY_PASSWORD }}") {
			t.Errorf("%s passes %v", id, j.Secrets)
		}
	}
	if len(files) < 2 || !strings.Contains(string(files[1].Data), "REGISTRY_PASSWORD: {required: false}") {
		t.Errorf("%d files; the called workflow does not declare its secret", len(files))
	}
}

// TestResultsOfCalls: who registers is told how each job ended; of one in another file that is what its call says, as no job of it is seen from outside.
func TestResultsOfCalls(t *testing.T) {
	for n, wants := range map[int]string{3: "=${{ needs.i", 200: "=${{ needs.builds-"} {
		files := filesOf(t, wide(n, 1))
		if _, diags := GitHubFiles(input(t, wide(n, 1)), "prefect.yml"); len(diags) > 0 {
			t.Fatal(diags)
		}
		var root yaml.Node
		if err := yaml.Unmarshal(files[0].Data, &root); err != nil {
			t.Fatal(err)
		}
		register, err := find(root.Content[0], "/jobs/register")
		if err != nil {
			t.Fatal(err)
		}
		steps := get(register, "steps").Content
		results := get(get(steps[len(steps)-1], "with"), "results")
		if results == nil || strings.Count(results.Value, wants) != n {
			t.Errorf("%d: %d of %q in %v", n, strings.Count(results.Value, wants), wants, results)
		}
		if loose := looseGitHub(root.Content[0]); loose != nil {
			t.Errorf("%d: %v", n, loose)
		}
	}
}

func TestTooLarge(t *testing.T) {
	setup := strings.Repeat("# a long script of a team's own\\n", 4000)
	files, diags := GitHubFiles(input(t, strings.Replace(wide(250, 1), "setup: [", "setup: [{run: \""+setup+"\"}, ", 1)), "prefect.yml")
	if files != nil || len(diags) != 1 || diags[0].Code != "pipeline-too-large" || !strings.Contains(diags[0].Message, "at most 50") {
		t.Errorf("%d files, %v", len(files), diags)
	}
}
