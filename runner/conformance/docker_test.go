//go:build real && docker

// The dialects agree on images: cases whose steps build or push are deployed in one process, by the workflow through act, where a stand-in hands the inputs of Docker's own actions to buildx, and by GitLab's pipeline command by
// command, all with a real engine and a registry. A program that stands before `docker` counts builds and pushes, as the one before `cat` counts scripts. Run by
//
//	.ci/docker go test -tags 'real docker' -run TestDockerDialects ./runner/conformance
package conformance

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// dockerProject builds two images of one commit and pushes them; a third deployment has one of them too.
const dockerProject = `x-ci: {gitlab: {docker: socket}}
steps:
  hash: &hash
    prefect.deployments.steps.run_shell_script: {id: hash, script: git rev-parse --short HEAD}
  app: &app
    prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: REGISTRY/agree-app, tag: "{{ hash.stdout }}", additional_tags: [latest], dockerfile: Dockerfile, buildargs: {FOR: app}}
  gpu: &gpu
    prefect_docker.deployments.steps.build_docker_image: {id: gpu, image_name: REGISTRY/agree-gpu, tag: "{{ hash.stdout }}", dockerfile: Dockerfile, buildargs: {FOR: gpu}, push: true}
  push: &push
    prefect_docker.deployments.steps.push_docker_image: {id: pushed, image_name: "{{ app.image_name }}", tag: "{{ app.tag }}", additional_tags: "{{ app.additional_tags }}"}
deployments:
- {name: a, entrypoint: "flow.py:hello", work_pool: {name: pool, job_variables: {image: "{{ app.image }}"}}, build: [*hash, *app], push: [*push]}
- {name: b, entrypoint: "flow.py:hello", work_pool: {name: pool, job_variables: {image: "{{ pushed.image }}"}}, build: [*hash, *app], push: [*push]}
- {name: gpu, entrypoint: "flow.py:hello", work_pool: {name: pool, job_variables: {image: "{{ gpu.image }}"}}, build: [*hash, *gpu]}
`

func TestDockerDialects(t *testing.T) {
	all := []*testCase{ownDocker(t)}
	if oracleThere(t) {
		for _, c := range oracleWith(t, "docker") {
			all = append(all, c.onSocket(t))
		}
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			c.emptyImages(t)
			c.Env = withEngine(c.Env)
			var ways []dialect
			for _, d := range dialects() {
				words := d.words
				if d.name == "github" {
					d.words = func(t *testing.T) []string { return append(words(t), "--docker") }
				}
				ways = append(ways, d)
			}
			c.agreeIn(t, ways)
		})
	}
}

// withEngine adds the variables by which the engine is found.
func withEngine(env map[string]string) map[string]string {
	out := maps.Clone(env)
	if out == nil {
		out = map[string]string{}
	}
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONFIG"} {
		if v := os.Getenv(name); v != "" {
			out[name] = v
		}
	}
	return out
}

// ownDocker is the case that is always there.
func ownDocker(t *testing.T) *testCase {
	t.Helper()
	top := t.TempDir()
	if err := copyTree(filepath.Join(casesDir, "shared"), filepath.Join(top, "shared")); err != nil {
		t.Fatal(err)
	}
	c := &testCase{name: "images", dir: filepath.Join(top, "images"), About: "two images of a commit", Setup: setup{WorkPools: []map[string]any{{"name": "pool", "type": "docker"}}}}
	for name, text := range map[string]string{"prefect.yaml": strings.ReplaceAll(dockerProject, "REGISTRY", os.Getenv("DOCKER_REGISTRY")), "Dockerfile": "FROM scratch\nARG FOR\nENV FOR=$FOR\nCOPY flow.py /flow.py\n"} {
		if err := os.MkdirAll(c.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// onSocket is a case whose jobs on GitLab use the engine of the machine, as the emitted file says then; the services that it would have otherwise are GitLab's.
func (c *testCase) onSocket(t *testing.T) *testCase {
	t.Helper()
	top := t.TempDir()
	out := *c
	out.dir = filepath.Join(top, c.name)
	if err := copyTree(c.dir, out.dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(out.dir, "prefect.yaml")
	data, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(data, "\nx-ci: {gitlab: {docker: socket}}\n"...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &out
}

// emptyImages makes the images that a case starts from, of nothing: none can be fetched.
func (c *testCase) emptyImages(t *testing.T) {
	t.Helper()
	var about struct {
		Images []string `json:"docker_images"`
	}
	if _, err := os.Stat(filepath.Join(c.dir, "setup.json")); err == nil {
		readJSON(t, filepath.Join(c.dir, "setup.json"), &about)
	}
	for _, name := range about.Images {
		if exec.Command("docker", "image", "inspect", name).Run() == nil {
			continue
		}
		x := exec.Command("docker", "build", "-q", "-t", name, "-")
		x.Stdin = strings.NewReader("FROM scratch\nLABEL made=empty\n")
		if out, err := x.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", name).Run() })
	}
}
