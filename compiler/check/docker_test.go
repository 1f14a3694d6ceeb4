// What a check says of builds whose tag is the digest of what they read.
package check

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestInputsTagOfARepository(t *testing.T) {
	const flow = "from prefect import flow\n\n@flow\ndef hello(): ...\n"
	file := func(arguments, ci string) string {
		return "build:\n- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: acme/app" + arguments + "}\npull: []\n" +
			"deployments: [{name: d, entrypoint: 'flow.py:hello', work_pool: {name: p}}]\nx-ci: {steps: {app: {" + ci + "}}}\n"
	}
	for name, c := range map[string]struct{ arguments, ci, ignore, git, want string }{
		"git":                {"", "tag: inputs", "", ".git/HEAD", "unstable-inputs-tag"},
		"git of a worktree":  {"", "tag: inputs", "x\n", ".git", "unstable-inputs-tag"},
		"left out":           {"", "tag: inputs", "# all\n*\n!flow.py\n", ".git/HEAD", ""},
		"left out by name":   {"", "tag: inputs", "/.git\n", ".git/HEAD", ""},
		"taken in again":     {"", "tag: inputs", "*\n!.git\n", ".git/HEAD", "unstable-inputs-tag"},
		"another context":    {", path: app", "tag: inputs", "", ".git/HEAD", ""},
		"no repository":      {"", "tag: inputs", "", "other", ""},
		"not asked for":      {"", "sensitive: false", "", ".git/HEAD", ""},
		"a tag of its own":   {", tag: v1", "tag: inputs", ".git\n", ".git/HEAD", "invalid-ci-setting"},
		"an old tag":         {", image_tag: v1", "tag: inputs", ".git\n", ".git/HEAD", "invalid-ci-setting image-tag"},
		"another word":       {"", "tag: digest", ".git\n", ".git/HEAD", "invalid-ci-setting"},
		"no tag of its own":  {", tag: ''", "tag: inputs", ".git\n", ".git/HEAD", ""},
		"not even a context": {", path: '../x'", "tag: inputs", "", ".git/HEAD", ""},
	} {
		root := fstest.MapFS{"flow.py": {Data: []byte(flow)}, c.git: {Data: []byte("x")}}
		if c.ignore != "" {
			root[".dockerignore"] = &fstest.MapFile{Data: []byte(c.ignore)}
		}
		checker := New(root)
		checker.File("prefect.yaml", []byte(file(c.arguments, c.ci)))
		var codes []string
		for _, d := range checker.Diagnostics() {
			codes = append(codes, d.Code)
		}
		wanted := strings.Fields(c.want)
		for _, w := range wanted {
			if !strings.Contains(strings.Join(codes, " "), w) {
				t.Errorf("%s: %v, want %s", name, codes, c.want)
			}
		}
		if len(codes) != len(wanted) {
			t.Errorf("%s: %v, want %s", name, codes, c.want)
		}
	}
	checker := New(fstest.MapFS{"flow.py": {Data: []byte(flow)}})
	checker.File("prefect.yaml", []byte(strings.Replace(file("", "tag: inputs"), "prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: acme/app}", "prefect.deployments.steps.run_shell_script: {id: app, script: x}", 1)))
	if list := checker.Diagnostics(); len(list) != 1 || list[0].Code != "invalid-ci-setting" {
		t.Errorf("on a script: %v", list)
	}
}
