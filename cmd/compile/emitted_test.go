//go:build real

// What pipelines are emitted of, for the tests that hold emitted files to something: every prefect.yaml that the project has, and projects made up here.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// dialects are the commands that emit, with where their file belongs in a repository. A command that is not there emits nothing.
var dialects = []struct{ name, file string }{{"github", ".github/workflows/prefect.yml"}, {"gitlab", ".gitlab-ci.yml"}}

// sourcesUnder are the files of the patterns, sorted.
func sourcesUnder(t testing.TB, root string, patterns ...string) []source {
	t.Helper()
	var out []source
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(p)))
		if err != nil || len(files) == 0 {
			t.Fatalf("no file is %s/%s: %v", root, p, err)
		}
		sort.Strings(files)
		for _, f := range files {
			within, _ := filepath.Rel(root, f)
			out = append(out, source{strings.NewReplacer("/", "_", ".yaml", "").Replace(filepath.ToSlash(within)), filepath.Dir(f), filepath.Base(f)})
		}
	}
	return out
}

// projectSources are those of this project.
func projectSources(t testing.TB) []source {
	return sourcesUnder(t, goldens, "snippets/*.yaml", "snippets/mended/*.yaml", "graph/*/prefect.yaml", "check/*/prefect.yaml", "conformance/*/prefect.yaml", "pipeline/*/prefect.yaml", "quickstart/prefect.yaml")
}

// emitInto emits every dialect of a source into a repository of its own under a folder. It says how many files that made; none when the source is refused, which `compile check` must then justify.
func emitInto(t testing.TB, folder string, s source) (files int) {
	t.Helper()
	repository := filepath.Join(folder, s.name+".repository") // no name is the beginning of another: actionlint takes that for one repository
	for _, d := range dialects {
		if !has(d.name) {
			continue
		}
		out := filepath.Join(repository, filepath.FromSlash(d.file))
		if code, _, stderr := compile(d.name, "-C", s.dir, "-f", s.file, "-o", out, "--action", ours); code != 0 {
			if !faulty(s) {
				t.Errorf("%s: compile %s exits %d, and compile check finds no error:\n%s", s.name, d.name, code, stderr)
			}
			continue
		}
		made, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*.yml"))
		files += len(made)
	}
	if files > 0 { // readers take the nearest repository for the file's own
		_ = os.MkdirAll(filepath.Join(repository, ".git"), 0o755)
	}
	return files
}

// has reports whether there is a command.
func has(name string) bool {
	for _, c := range root(cli.World{}).Commands() {
		if c.Name() == name {
			return true
		}
	}
	return false
}

// faulty reports whether a source has an error that keeps it from being compiled.
func faulty(s source) bool {
	_, text, _ := compile("check", "-C", s.dir, "-f", s.file)
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, ": error: ") && !strings.Contains(line, "[missing-entrypoint-file]") {
			return true
		}
	}
	return false
}

// hostile are files whose texts try to become more than texts; compiler/emit holds what is made of many more of them to what is made of harmless ones.
func hostile(t testing.TB) []source {
	var out []source
	for i, text := range []string{"${{ secrets.PREFECT_API_KEY }}", "`touch pwned` $(touch pwned) '\"; touch pwned; \"'", "a\n        run: touch pwned\n      - run: touch pwned", "::set-output name=a::b\n::add-mask::c", "]]> --> }} ${{ toJSON(secrets) }}",
		"a: [b, {c: *d}] # e\n--- !!python/object:os.system\n%TAG", "a\u2028b\u0085c\x01\x1b[31m\u202e", "$[[ inputs.a ]] ${CI_JOB_TOKEN}"} {
		q, _ := json.Marshal(text)
		out = append(out, made(t, fmt.Sprint("hostile-", i), fmt.Sprintf(`{"x-ci": {"steps": {%[1]s: {"effects": {"reads": [], "writes": []}}}}, "build": [
 {"prefect.deployments.steps.run_shell_script": {"id": "s", "script": %[1]s, "env": {"A": %[1]s}}},
 {"prefect_docker.deployments.steps.build_docker_image": {"id": "image", "image_name": %[1]s, "tag": %[1]s, "dockerfile": %[1]s, "buildargs": {%[1]s: "{{ s.stdout }}"}}},
 {"tools.make": {"id": "made", %[1]s: %[1]s}}],
 "deployments": [{"name": %[1]s, "description": %[1]s, "tags": [%[1]s], "entrypoint": "flow.py:f", "work_pool": {"name": %[1]s, "job_variables": {%[1]s: "{{ image.image }} {{ $%[2]s }}"}}}]}`, q, strings.Trim(string(q), `"`))))
	}
	for _, name := range []string{"it's ${{ github.token }} $(id) `id` #1", "a: b [c] {d} & *e", "}} ${{ secrets.A"} {
		s := made(t, "hostile-path", settings["github"])
		dir := filepath.Join(s.dir, name)
		_ = os.Mkdir(dir, 0o755)
		_ = os.Rename(filepath.Join(s.dir, "prefect.yaml"), filepath.Join(dir, "prefect.yaml"))
		out = append(out, source{fmt.Sprint("hostile-path-", len(out)), dir, "prefect.yaml"})
	}
	return out
}

// settings are files with all that x-ci can say.
var settings = map[string]string{
	"github": `x-ci:
  vars: [REGION]
  github:
    runs-on: ubuntu-24.04
    environment: {name: production, url: "https://example.com"}
    branches: [main, "release/**"]
    secrets: [DB_PASSWORD, NPM_TOKEN]
    vars: [TAG]
    setup:
      - uses: docker/login-action@74a5d142397b4f367a81961eba4e8cd7edddf772 # v3.4.0
        with: {registry: ghcr.io, username: "${{ github.actor }}", password: "${{ secrets.GITHUB_TOKEN }}"}
      - uses: aws-actions/configure-aws-credentials@7474bc4690e29a8392af63c5b98e7449536d5c3a
        with: {role-to-assume: "arn:aws:iam::111122223333:role/build", aws-region: eu-central-1}
    patches:
      - {op: test, path: /jobs/check/timeout-minutes, value: 10}
      - {op: replace, path: /jobs/check/timeout-minutes, value: 20}
      - {op: add, path: /jobs/plan/name, value: "Plan: what would change"}
build:
  - prefect.deployments.steps.run_shell_script: {id: make, script: make dist}
  - prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: "{{ $REGISTRY }}/app", tag: "{{ $TAG }}", dockerfile: Dockerfile, buildargs: {TOKEN: "{{ $NPM_TOKEN }}"}}
push:
  - prefect_docker.deployments.steps.push_docker_image: {image_name: "{{ app.image_name }}", tag: "{{ app.tag }}"}
deployments:
  - {name: a, entrypoint: "flow.py:f", work_pool: {name: p, job_variables: {image: "{{ app.image }}", region: "{{ $REGION }}"}}}
`,
	"packages": packages, "packages-release": "x-ci: {github: {branches: [main, 'release/**']}}\n" + packages,
	"packages-in-image": strings.Replace(packages, "build:\n", "build:\n  - prefect.deployments.steps.run_shell_script: {script: make all}\n", 1),
	"everywhere": `x-ci:
  github: {secrets: [DB_PASSWORD, NPM_TOKEN], setup: [{uses: aws-actions/configure-aws-credentials@7474bc4690e29a8392af63c5b98e7449536d5c3a, with: {role-to-assume: "arn:aws:iam::111122223333:role/build", aws-region: eu-central-1}},
    {uses: docker/login-action@74a5d142397b4f367a81961eba4e8cd7edddf772, with: {registry: r.example.com, username: me, password: "${{ secrets.REGISTRY_PASSWORD }}"}}]}
pull:
  - tools.pull: {a: "{{ $DB_PASSWORD }}"}
`,
	"self-hosted": `x-ci:
  github: {runs-on: [self-hosted, linux, x64], environment: staging}
pull: []
deployments:
  - {name: a, entrypoint: "flow.py:f", work_pool: {name: p}}
`,
	"runner-group": `x-ci:
  github: {runs-on: {group: large, labels: [linux]}}
pull: []
deployments:
  - {name: a, entrypoint: "flow.py:f", work_pool: {name: p}}
`,
}

// packages are installed, and an image is pushed.
const packages = `build:
  - prefect.deployments.steps.pip_install_requirements: {requirements_file: requirements.txt}
  - prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: ghcr.io/me/app, tag: "1", dockerfile: Dockerfile, push: true}
deployments:
  - {name: a, entrypoint: "flow.py:f", work_pool: {name: p, job_variables: {image: "{{ app.image }}"}}}
`
