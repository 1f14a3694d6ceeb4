// Where the graph is cut: by hand for the shapes that people write, and by chance for the rules that hold for all.
package emit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

// input reads a prefect.yaml without checking it.
func input(t testing.TB, source string) *Input {
	t.Helper()
	f, diags := spec.Load("prefect.yaml", []byte(source))
	if diags.Errors(false) > 0 {
		t.Fatal(diags.Error())
	}
	in := &Input{Files: []*spec.File{f}, Patterns: []string{"prefect.yaml"}, Action: "org/prefect-deploy-action@v1"}
	for i := range f.Len() {
		in.Deployments = append(in.Deployments, resolve.Entry(f, f.Deployment(i, nil)))
	}
	in.Graph = graph.Build(in.Deployments, (*resolve.Deployment).Title)
	return in
}

// shape writes a pipeline in a line: "app(hash app push) < hash; … | last steps".
func shape(p *Pipeline) string {
	var jobs []string
	for _, j := range p.Jobs {
		s := j.ID
		if len(j.Steps) > 1 {
			s += "(" + keys(j.Steps) + ")"
		}
		if len(j.Needs) > 0 {
			var needs []string
			for _, n := range j.Needs {
				needs = append(needs, n.ID)
			}
			s += " < " + strings.Join(needs, " ")
		}
		jobs = append(jobs, s)
	}
	out := strings.Join(jobs, "; ")
	if len(p.Last) > 0 {
		out += " | " + keys(p.Last)
	}
	return out
}

func keys(steps []*graph.Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.Key)
	}
	return strings.Join(out, " ")
}

const (
	hash     = "- prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse HEAD}\n"
	unknown  = "- prefect.deployments.steps.run_shell_script: {id: make, script: make all}\n"
	after    = "- prefect.deployments.steps.run_shell_script: {id: after, script: ./after.sh}\n"
	deployed = "deployments:\n- {name: d, entrypoint: 'f.py:f', work_pool: {name: p}}\n"
)

func image(id, tag, rest string) string {
	return fmt.Sprintf("- prefect_docker.deployments.steps.build_docker_image: {id: %s, image_name: r/%s, tag: '%s', dockerfile: Dockerfile%s}\n", id, id, tag, rest)
}

func push(id string) string {
	return fmt.Sprintf("- prefect_docker.deployments.steps.push_docker_image: {id: push-%s, image_name: '{{ %s.image_name }}', tag: '{{ %s.tag }}'}\n", id, id, id)
}

func TestCut(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"three images":        {"build:\n" + image("a", "1", "") + image("b", "1", "") + image("c", "1", "") + deployed, "a; b; c"},
		"one hash, two":       {"build:\n" + hash + image("a", "{{ hash.stdout }}", "") + image("b", "{{ hash.stdout }}", "") + deployed, "hash; a < hash; b < hash"},
		"diamond":             {"build:\n" + hash + image("a", "{{ hash.stdout }}", "") + image("b", "{{ hash.stdout }}", "") + image("c", "{{ a.tag }}-{{ b.tag }}", "") + deployed, "hash; a < hash; b < hash; c < a b"},
		"push with its image": {"build:\n" + image("a", "1", "") + image("b", "1", "") + "push:\n" + push("a") + push("b") + deployed, "a(a push-a); b(b push-b)"},
		"generated":           {"build:\n" + strings.ReplaceAll(image("a", "1", "")+image("b", "1", ""), "dockerfile: Dockerfile", "dockerfile: auto") + deployed, "a; b"},
		"script first":        {"build:\n" + unknown + image("a", "1", "") + image("b", "1", "") + deployed, "a(make a b)"},
		"script last":         {"build:\n" + image("a", "1", "") + after + deployed, "a(a after)"},
		"script of another": {"deployments:\n- {name: d, entrypoint: 'f.py:f', build: [{prefect.deployments.steps.run_shell_script: {id: make, script: make}}]}\n" +
			"- {name: e, entrypoint: 'f.py:f', build: [{prefect.deployments.steps.run_shell_script: {id: after, script: ./after}}]}\n", "make(make after)"},
		"told effects": {"x-ci: {steps: {make: {effects: {reads: [workspace], writes: []}}}}\nbuild:\n" + unknown + image("a", "1", "") + deployed, "make; a"},
		"directory":    {"build:\n- prefect.deployments.steps.set_working_directory: {id: cd, directory: sub}\n" + image("a", "1", "") + deployed, "a(cd a)"},
		"one name twice": {"deployments:\n- {name: d, entrypoint: 'f.py:f', build: [{prefect_docker.deployments.steps.build_docker_image: {id: a, image_name: x, tag: y, dockerfile: A}}]}\n" +
			"- {name: e, entrypoint: 'f.py:f', build: [{prefect_docker.deployments.steps.build_docker_image: {id: b, image_name: x, tag: y, dockerfile: B}}]}\n", "a; b < a"},
		"bucket": {"build: []\npush:\n- prefect_aws.deployments.steps.push_to_s3: {id: up, bucket: b, folder: f}\n- prefect_gcp.deployments.steps.push_to_gcs: {id: up2, bucket: b, folder: f}\n" + deployed, "up; up2"},
		"a circle": {"x-ci: {steps: {one: {effects: {reads: [], writes: [dist]}}, three: {effects: {reads: [dist], writes: []}}}}\nbuild:\n- t.one: {id: one}\n" +
			image("a", "{{ one.tag }}", "") + "- t.three: {id: three, tag: '{{ a.tag }}'}\n" + deployed, "a(one a three)"},
		"secret used by a step": {"build:\n- prefect.deployments.steps.run_shell_script: {id: token, script: cat token}\n" + image("a", "1", ", buildargs: {ACCESS_TOKEN: '{{ token.stdout }}'}") + image("b", "1", "") + deployed,
			"a(token a); b"},
		"secret used by a deployment": {"build:\n" + hash + "- prefect.deployments.steps.run_shell_script: {id: token, script: 'cat {{ hash.stdout }}'}\n" +
			"deployments:\n- {name: d, entrypoint: 'f.py:f', pull: [{prefect.deployments.steps.git_clone: {repository: r, access_token: '{{ token.stdout }}'}}]}\n", "hash | token"},
		"a tag that may not be shown": {"build:\n" + image("a", "{{ $TAG }}", "") + "deployments:\n- {name: d, entrypoint: 'f.py:f', work_pool: {name: p, job_variables: {image: '{{ a.image }}'}}}\n", " | a"},
		"a tag that may be shown":     {"x-ci: {vars: [TAG]}\nbuild:\n" + image("a", "{{ $TAG }}", "") + "deployments:\n- {name: d, entrypoint: 'f.py:f', work_pool: {name: p, job_variables: {image: '{{ a.image }}'}}}\n", "a"},
		"a tag of the CI":             {"build:\n" + image("a", "{{ $GITHUB_SHA }}", "") + "deployments:\n- {name: d, entrypoint: 'f.py:f', work_pool: {name: p, job_variables: {image: '{{ a.image }}'}}}\n", "a"},
		"a variable of a script":      {"build:\n- prefect.deployments.steps.run_shell_script: {id: url, script: 'echo $HOST/x', expand_env_vars: true}\n" + "deployments:\n- {name: d, entrypoint: 'f.py:f', description: '{{ url.stdout }}'}\n", " | url"},
		"one that may be shown":       {"x-ci: {vars: [HOST]}\nbuild:\n- prefect.deployments.steps.run_shell_script: {id: url, script: 'echo $HOST/x', expand_env_vars: true}\n" + "deployments:\n- {name: d, entrypoint: 'f.py:f', description: '{{ url.stdout }}'}\n", "url"},
		"an output nobody uses":       {"build:\n" + image("a", "{{ $TAG }}", "") + deployed, "a"},
		"names that are taken":        {"build:\n- prefect.deployments.steps.run_shell_script: {id: plan, script: date}\n- prefect.deployments.steps.run_shell_script: {id: 1st, script: date -u}\n" + deployed, "plan-a6f6a5; _1st"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t, c.source)
			got := shape(Cut(in.Graph, in.Deployments))
			if i := strings.Index(c.want, "plan-"); i >= 0 && strings.HasPrefix(got, "plan-") { // which digits is no matter
				got, c.want = got[11:], c.want[11:]
			}
			if got != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.source, got, c.want)
			}
		})
	}
}

// TestCutRules holds what any pipeline must keep against graphs made by chance.
func TestCutRules(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		in := input(t, chance(r))
		p := Cut(in.Graph, in.Deployments)
		of, place := map[*graph.Step]*Job{}, map[*Job]int{}
		total := len(p.Last)
		for i, j := range p.Jobs {
			place[j] = i
			total += len(j.Steps)
			for _, s := range j.Steps {
				if of[s] != nil {
					t.Fatalf("seed %d: %s stands in two jobs", seed, s.Key)
				}
				of[s] = j
			}
		}
		if total != len(in.Graph.Steps) {
			t.Fatalf("seed %d: %d steps of %d in the pipeline", seed, total, len(in.Graph.Steps))
		}
		for _, j := range p.Jobs {
			for _, n := range j.Needs {
				if place[n] >= place[j] {
					t.Fatalf("seed %d: %s needs %s, which comes after it", seed, j.ID, n.ID)
				}
			}
			rules(t, seed, j, of)
		}
	}
}

// rules: what a step waits for is in its job before it, or in a job that it needs.
func rules(t *testing.T, seed uint64, j *Job, of map[*graph.Step]*Job) {
	for i, s := range j.Steps {
		for _, n := range before(s) {
			switch other := of[n]; {
			case other == nil:
				t.Fatalf("seed %d: %s of %s waits for %s, which the registering job runs", seed, s.Key, j.ID, n.Key)
			case other == j && slices.Index(j.Steps, n) >= i:
				t.Fatalf("seed %d: %s runs before %s", seed, s.Key, n.Key)
			case other != j && !slices.Contains(j.Needs, other):
				t.Fatalf("seed %d: %s does not need %s, and its step %s waits for %s", seed, j.ID, other.ID, s.Key, n.Key)
			case other != j && slices.ContainsFunc(localOnly(n.Writes), func(w string) bool {
				return slices.ContainsFunc(append(localOnly(s.Reads), localOnly(s.Writes)...), func(r string) bool { return overlaps(w, r) })
			}):
				t.Fatalf("seed %d: %s uses what %s leaves on another machine", seed, s.Key, n.Key)
			}
		}
	}
}

// chance is a file of some deployments with lists made of a handful of steps.
func chance(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("x-ci: {steps: {w1: {effects: {reads: [], writes: ['workspace:a']}}, r1: {effects: {reads: ['workspace:a'], writes: []}}, n1: {effects: {reads: [], writes: []}}, s1: {effects: {reads: [], writes: []}, sensitive: true}}}\ndeployments:\n")
	for d := range 1 + r.IntN(4) {
		fmt.Fprintf(&b, "- name: d%d\n  entrypoint: f.py:f\n  work_pool: {name: p, job_variables: {x: '{{ %s.out }}'}}\n  build:\n", d, pick(r))
		for range 1 + r.IntN(5) {
			switch r.IntN(7) {
			case 0:
				fmt.Fprintf(&b, "  %s", hash)
			case 1:
				fmt.Fprintf(&b, "  %s", image("a", fmt.Sprint(r.IntN(2)), ""))
			case 2:
				fmt.Fprintf(&b, "  %s", push("a"))
			case 3:
				if r.IntN(4) == 0 {
					fmt.Fprintf(&b, "  %s", unknown)
				}
			}
			fmt.Fprintf(&b, "  - t.%s: {id: %s, v: %d, u: '{{ %s.out }}'}\n", "f", pick(r), r.IntN(2), pick(r))
		}
	}
	return b.String()
}

func pick(r *rand.Rand) string { return []string{"w1", "r1", "n1", "s1"}[r.IntN(4)] }
