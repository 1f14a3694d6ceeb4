//go:build real

// The dialects agree: what a project's deployments become must not depend on whether one process deploys them or the jobs of an emitted pipeline do. Each case with build or push steps is deployed in-process, then through
// its emitted pipeline, against the same real server made clean again; what is registered is compared field by field, and every execution of a step is counted by a program that stands before `cat` on PATH, so that no
// side can count for itself.
//
// An emitted pipeline deploys all that its files declare, so the cases' own selections give way to --all, and a case whose arguments describe a deployment cannot be emitted.
package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/emit"
)

// dialect is a way to deploy a project.
type dialect struct {
	name string
	// words are the program's arguments.
	words func(t *testing.T) []string
	// workspace matches the directory in which its jobs find the project.
	workspace *regexp.Regexp
	// path is put before all else on PATH.
	path func(t *testing.T) string
}

func dialects() []dialect {
	return []dialect{
		{name: "github", words: func(t *testing.T) []string { return []string{programs(t), "replay", "--live", "--verbose"} }, workspace: regexp.MustCompile(`/[^ "]*/hostexecutor`)},
		{name: "gitlab", words: gitlab, workspace: regexp.MustCompile(`[^ "]*/\.gitlab-ci-local/builds/[^/ "]*`), path: func(t *testing.T) string { return filepath.Dir(programs(t)) }},
	}
}

// gitlab runs the committed pipeline; a file of which none can be made has none. The project has no registry of its own there, whose cache would want a builder in a container of an image that can't be fetched.
func gitlab(t *testing.T) []string {
	t.Helper()
	dir := os.Getenv("GITLAB_CI_LOCAL")
	if dir == "" {
		dir = "../../.cache/gitlab-ci-local"
	}
	runner, err := filepath.Abs(filepath.Join(dir, "node_modules", ".bin", "gitlab-ci-local"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(runner); err != nil {
		t.Fatalf("this test needs gitlab-ci-local: run .ci/setup, or name its folder in GITLAB_CI_LOCAL (%v)", err)
	}
	return []string{"/bin/sh", "-c", `test -e .gitlab-ci.yml && exec "$0" --force-shell-executor --shell-isolation --no-artifacts-to-source --no-color --unset-variable CI_REGISTRY_IMAGE`, runner}
}

// otherwise are the fields that may differ between dialects, each with its reason. All else must be equal.
var otherwise = map[string]string{
	"version_info": "a version that Prefect derives tells where it was made: git alone in-process, the CI's own account of repository, branch and run in a job",
}

// notEmitted are cases with steps that no pipeline can be made of, or none that means the same.
var notEmitted = map[string]string{
	"select-skeleton":     "its arguments describe the deployment",
	"seed-empty-skeleton": "its arguments describe the deployment",
}

// sampled are the cases of a plain `make test`; with PROVE set it is all of them.
var sampled = []string{"override-build", "override-push", "pipeline-diamond", "pipeline-hidden", "shell-fails", "shell-options", "steps-apart", "steps-counted", "steps-one-fails", "steps-python", "template-places", "template-pull"}

func TestDialectsAgree(t *testing.T) {
	all := cases(t)
	if os.Getenv("PROVE") != "" {
		if oracleThere(t) {
			all = append(all, oracle(t)...)
		}
	}
	ran := 0
	for _, c := range all {
		if os.Getenv("PROVE") == "" && !slices.Contains(sampled, c.name) || notEmitted[c.name] != "" || !c.hasSteps(t) {
			continue
		}
		ran++
		t.Run(c.name, func(t *testing.T) { c.agree(t) })
	}
	if ran < len(sampled) {
		t.Errorf("only %d cases ran, and %d are sampled", ran, len(sampled))
	}
}

// hasSteps reports whether a case's file has build or push steps.
func (c *testCase) hasSteps(t *testing.T) bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, "prefect.yaml"))
	return err == nil && regexp.MustCompile(`(?m)\b(build|push):\s*(\n\s*[-a-z]|\[[{*]|\{\w)`).Match(data)
}

// deployed is what a way of deploying left.
type deployed struct {
	*snapshot
	counts map[string]int
	output string
}

func (c *testCase) agree(t *testing.T) { c.agreeIn(t, dialects()) }

func (c *testCase) agreeIn(t *testing.T, ways []dialect) {
	t.Helper()
	counted := counting(t)
	one := c.through(t, counted, dialect{name: "in-process", words: func(t *testing.T) []string { return []string{programs(t), "deploy", "--all"} }})
	if !one.Failed {
		for marker, want := range c.distinct(t, counted) {
			if one.counts[marker] != want {
				t.Errorf("in-process: the step %s ran %d times, and the graph has it %d times\n%s", marker, one.counts[marker], want, one.output)
			}
		}
	}
	for _, d := range ways {
		other := c.through(t, counted, d)
		if diff := differences(one.snapshot, other.snapshot); len(diff) > 0 {
			t.Errorf("%s: %s\n%s\nin-process:\n%s\n%s:\n%s", d.name, c.About, strings.Join(diff, "\n"), one.output, d.name, other.output)
		}
		if !one.Failed && text(one.counts) != text(other.counts) {
			t.Errorf("%s: the steps ran so often: %s, and in-process %s\n%s", d.name, text(other.counts), text(one.counts), other.output)
		}
		for marker, n := range other.counts {
			if n > max(1, one.counts[marker]) {
				t.Errorf("%s: the step %s ran %d times", d.name, marker, n)
			}
		}
	}
}

// through deploys the case's project in one way to the clean server. The directory that counts is the same for all ways, as it stands in the file, and so in the commit.
func (c *testCase) through(t *testing.T, counted string, d dialect) *deployed {
	t.Helper()
	a := server(t)
	a.reset(t)
	a.seed(t, c.Setup)
	w, address := watch(t, a)
	project := c.layOutCounted(t, counted)
	call := *c
	call.Args = nil
	path := strings.Join([]string{filepath.Join(counted, "bin"), filepath.Join(venv(t), "bin"), os.Getenv("PATH")}, string(os.PathListSeparator))
	if d.path != nil {
		path = d.path(t) + string(os.PathListSeparator) + path
	}
	code, output := call.run(t, project, command{words: d.words(t), path: path, env: []string{"PREFECT_API_URL=" + address}})
	s := a.snapshot(t, project, w)
	s.Failed = code != 0
	if d.workspace != nil {
		// An image's copy of the project lies in a folder that is called as the checkout: on the platforms as the repository, here as the tools call their jobs' directories.
		copied := regexp.MustCompile(`^/opt/prefect/[^/]+$`)
		for _, list := range []*[]any{&s.Deployments, &s.Flows, &s.Automations} {
			*list = replaced(*list, func(text string) string {
				return d.workspace.ReplaceAllString(copied.ReplaceAllString(text, "/opt/prefect/project"), "<project>")
			}).([]any)
		}
	}
	for _, x := range s.Deployments {
		for field := range otherwise {
			delete(x.(map[string]any), field)
		}
	}
	return &deployed{s, readCounts(t, counted), said(output)}
}

// said is what the steps of a log said, without what act says of itself; of any other output all.
func said(output string) string {
	var lines []string
	for _, line := range strings.Split(output, "\n") {
		if strings.Contains(line, "] | ") || strings.Contains(line, " > ") {
			lines = append(lines, line)
		}
	}
	if lines == nil {
		return output
	}
	return strings.Join(lines, "\n")
}

// counting is a directory with a program that stands before `cat` and writes down which markers it is asked for.
func counting(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real, err := exec.LookPath("cat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bin", "markers"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script := fmt.Sprintf("#!/bin/sh\ncase \"$1\" in %[1]s/markers/*) echo \"${1##*/}\" >> %[1]s/ran ;; esac\nexec %[2]s \"$@\"\n", dir, real)
	if err := os.WriteFile(filepath.Join(dir, "bin", "cat"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if engine, err := exec.LookPath("docker"); err == nil { // builds and pushes are counted alike, where there is an engine
		script := fmt.Sprintf("#!/bin/sh\ncase \"$1 $2\" in 'buildx build') echo docker-build >> %[1]s/ran ;; 'push '*) echo docker-push >> %[1]s/ran ;; esac\nexec %[2]s \"$@\"\n", dir, engine)
		if err := os.WriteFile(filepath.Join(dir, "bin", "docker"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readCounts(t *testing.T, counted string) map[string]int {
	t.Helper()
	out := map[string]int{}
	data, err := os.ReadFile(filepath.Join(counted, "ran"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(data)) {
		out[line]++
	}
	_ = os.Remove(filepath.Join(counted, "ran"))
	return out
}

const shell = "prefect.deployments.steps.run_shell_script"

// layOutCounted makes the project with steps that tell when they run, and commits it: a pipeline is of a repository.
func (c *testCase) layOutCounted(t *testing.T, counted string) (project string) {
	t.Helper()
	plain := *c
	plain.Git = nil
	project = plain.layOut(t)
	c.mark(t, project, filepath.Join(counted, "markers"))
	emitted := exec.Command(filepath.Join(filepath.Dir(programs(t)), "compile"), "gitlab", "-o", ".gitlab-ci.yml", "--action", "org/prefect-deploy-action@v1") // in all ways, as the commit is to be the same
	emitted.Dir = project
	if out, err := emitted.CombinedOutput(); err != nil {
		t.Logf("there is no pipeline for GitLab: %s", out)
	}
	if plain.Git = c.Git; plain.Git == nil {
		plain.Git = &gitSetup{Remote: "https://git.example.com/team/code.git"}
	}
	plain.makeRepository(t, project)
	plain.Git.run(t, project, "update-ref", "refs/remotes/origin/main", "HEAD")
	plain.Git.run(t, project, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	return project
}

// mark lets each step of prefect.yaml tell that it runs: a script by `cat` of an empty file, which is as pure as what people look up with it, and a function of the project by a line of its own.
func (c *testCase) mark(t *testing.T, project, markers string) {
	t.Helper()
	file := filepath.Join(project, "prefect.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	n := 0
	var walk func(n *yaml.Node)
	walk = func(at *yaml.Node) {
		for i, x := range at.Content {
			if at.Kind == yaml.MappingNode && i%2 == 1 && x.Kind == yaml.MappingNode {
				if script := child(x, "script"); at.Content[i-1].Value == shell && script != nil {
					n++
					marker := fmt.Sprintf("step-%d", n)
					if err := os.WriteFile(filepath.Join(markers, marker), nil, 0o644); err != nil {
						t.Fatal(err)
					}
					script.Value, script.Style = "cat "+filepath.Join(markers, marker)+"\n"+script.Value, yaml.DoubleQuotedStyle
				}
				markFunction(t, project, markers, at.Content[i-1].Value)
			}
			walk(x)
		}
	}
	walk(&root)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(&root); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func child(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

// markFunction wraps a Python function of the project, if that is what the key of a step names.
func markFunction(t *testing.T, project, markers, function string) {
	t.Helper()
	dot := strings.LastIndexByte(function, '.')
	if dot < 0 {
		return
	}
	file := filepath.Join(project, filepath.FromSlash(strings.ReplaceAll(function[:dot], ".", "/"))+".py")
	source, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(source), "def "+function[dot+1:]+"(") {
		return
	}
	wrapped := fmt.Sprintf("\n\ndef _counted(function):\n    import functools\n\n    @functools.wraps(function)\n    def call(*args, **kwargs):\n        open(%q, 'a').write(%q + chr(10))\n        return function(*args, **kwargs)\n\n    return call\n\n\n%s = _counted(%s)\n",
		filepath.Join(filepath.Dir(markers), "ran"), function, function[dot+1:], function[dot+1:])
	if strings.Contains(string(source), "\n"+function[dot+1:]+" = _counted(") {
		return
	}
	if err := os.WriteFile(file, append(source, wrapped...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// distinct tells how often each marker stands in the graph: equal steps are one.
func (c *testCase) distinct(t *testing.T, counted string) map[string]int {
	t.Helper()
	project := c.layOutCounted(t, counted)
	data, err := os.ReadFile(filepath.Join(project, "prefect.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in, faults := emit.Load(os.DirFS(project), []emit.Source{{Name: "prefect.yaml", Data: data}})
	if in == nil {
		t.Fatalf("%v", faults)
	}
	out := map[string]int{}
	for _, s := range in.Graph.Steps {
		script, _ := s.Inputs.Get("script")
		if m := regexp.MustCompile(`/markers/(step-\d+)`).FindStringSubmatch(script.Text); m != nil {
			out[m[1]]++
		} else if s.Function != shell {
			if _, err := os.Stat(filepath.Join(project, filepath.FromSlash(strings.ReplaceAll(s.Function[:max(0, strings.LastIndexByte(s.Function, '.'))], ".", "/"))+".py")); err == nil {
				out[s.Function]++
			}
		}
	}
	return out
}

var companionBuilt = sync.OnceValue(func() error {
	run, err := built()
	if err != nil {
		return err
	}
	for name, source := range map[string]string{"prefect-deploy-replay": "./cmd/replay", "compile": "./cmd/compile"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(filepath.Dir(run), name), source)
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", source, err, out)
		}
	}
	return nil
})

// programs is the program, with its companion and the compiler beside it.
func programs(t *testing.T) string {
	t.Helper()
	if err := companionBuilt(); err != nil {
		t.Fatal(err)
	}
	return program(t)
}
