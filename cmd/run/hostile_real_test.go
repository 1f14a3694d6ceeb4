//go:build real

// Texts that try to become more than texts, and pipelines of them that are really run: by the workflow through act and by GitLab's pipeline through gitlab-ci-local. All of the texts try to start the program `pwned`, which is on PATH
// and writes down that it ran; one step of the project starts it rightly, or the test would prove nothing. What the pipelines register must be what one process does, letter for letter.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pwning are the texts.
var pwning = []string{
	"${{ secrets['PREFECT_API_KEY'] }} $(pwned)", "${{ toJSON(secrets) }}", "${{ '", "`pwned`", "$(pwned)", "'; pwned; '", `"; pwned; "`, `\"; pwned #`, "| pwned & pwned && pwned", "a\n        run: pwned\n      - run: pwned\n        shell: bash", "a\n    - pwned\n",
	"a\r\npwned\r\n", "::set-output name=pwned::1", "a\n::set-output name=image::pwned\n::add-mask::hourly\n::stop-commands::x", "##[set-env name=PATH]/nowhere", "]]> <!-- pwned -->", "a: [b, {c: *d, e: &f g}] # pwned\n--- !!python/object:os.system [pwned]\n...",
	"$[[ inputs.x ]] $CI_JOB_TOKEN ${CI_JOB_TOKEN} $$(pwned)", "EOF\npwned\nEOF", "%s%d\x1b[31m", "\\n\\x00\\", "-n pwned", "*",
}

// hostileBranch and hostileDirectory are names that git and a file system take. The directory has no backquotes, as gitlab-ci-local shows each command through a shell that would run what stands between some, which GitLab's runner does not.
const (
	hostileBranch    = "a;`pwned`$(pwned)'\"&pwned|pwned;{{secrets.X}}${{secrets.PREFECT_API_KEY}}"
	hostileDirectory = "it's $(pwned) \";pwned; ${{ secrets.PREFECT_API_KEY }}"
)

// hostileFile is a project with the texts in all places; each has a script, an image and a deployment of its own.
func hostileFile(t *testing.T, write func(name, text string)) string {
	t.Helper()
	type object = map[string]any
	step := func(function string, inputs object) object { return object{function: inputs} }
	deployments := []any{object{"name": "control", "entrypoint": "flow.py:greet", "version": "1", "work_pool": object{"name": "pool"}, "build": []any{step("prefect.deployments.steps.run_shell_script", object{"id": "control", "script": "pwned rightly"})}}}
	for i, text := range pwning {
		write(fmt.Sprintf("text-%d", i), text+"${{ secrets.PREFECT_API_KEY }}\n")
		said := fmt.Sprint("said-", i)
		build := []any{
			step("prefect.deployments.steps.run_shell_script", object{"id": text, "script": fmt.Sprintf("cat text-%d", i), "env": object{"TEXT": text}}),
			step("prefect.deployments.steps.run_shell_script", object{"id": said, "script": fmt.Sprintf("cat text-%d RELEASE", i)}),
			step("prefect_docker.deployments.steps.build_docker_image", object{"id": fmt.Sprint("image-", i), "image_name": "r/app", "tag": fmt.Sprint(i), "dockerfile": "Dockerfile", "buildargs": object{"TEXT": text}, "labels": object{"text": text}}),
		}
		if !strings.ContainsAny(text, "'\r\n") && i%2 == 0 {
			build = append(build, step("prefect.deployments.steps.run_shell_script", object{"id": fmt.Sprint("word-", i), "script": "echo '" + text + "'"}))
		}
		deployments = append(deployments, object{"name": fmt.Sprintf("%d %s", i, strings.Map(nameable, text)), "entrypoint": "flow.py:greet", "description": text, "version": text, "tags": []any{text, "{{ " + said + ".stdout }}"}, "parameters": object{text: text},
			"work_pool": object{"name": "pool", "job_variables": object{"image": fmt.Sprintf("{{ image-%d.image }}", i), "env": object{"TEXT": text, "SAID": "{{ " + said + ".stderr }}{{ " + said + ".stdout }}"}}}, "build": build})
	}
	data, err := json.MarshalIndent(object{"x-ci": object{"github": object{"secrets": []any{"PREFECT_API_KEY"}}, "steps": object{"control": object{"effects": object{"reads": []any{}, "writes": []any{}}}}}, "pull": []any{}, "deployments": deployments}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// nameable leaves out what the name of a deployment may not hold.
func nameable(r rune) rune {
	if strings.ContainsRune("/%&<>", r) {
		return -1
	}
	return r
}

// newHostile is the project, in a directory and on a branch with such names.
func newHostile(t *testing.T) (l *lured, dir, tripped string) {
	t.Helper()
	l = newLured(t)
	dir, tripped = filepath.Join(l.project, hostileDirectory), filepath.Join(l.top, "tripped")
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write("prefect.yaml", hostileFile(t, write))
	write("flow.py", "from prefect import flow\n\n\n@flow\ndef greet():\n    pass\n")
	write("RELEASE", "1")
	write("Dockerfile", "FROM scratch\n")
	if err := os.WriteFile(filepath.Join(l.top, "bin", "pwned"), []byte("#!/bin/sh\necho \"$@\" >> "+tripped+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"checkout", "-q", "-b", hostileBranch}, {"rm", "-q", "prefect.yaml"}, {"add", "-A"}, {"commit", "-q", "-m", "$(pwned) `pwned` ${{ secrets.PREFECT_API_KEY }}"}} {
		c := osexec.Command("git", args...)
		c.Dir, c.Env = l.project, l.env
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return l, dir, tripped
}

// inOneProcess is what a deploy by itself registers, with images that are only named.
func (l *lured) inOneProcess(t *testing.T, dir string) string {
	t.Helper()
	state := filepath.Join(l.top, "whole.json")
	c := osexec.Command(builtRun(t), "deploy", "--all", "-C", dir, "--state", "file:"+state)
	c.Dir, c.Env = l.project, append(l.env, "PREFECT_DEPLOY_REHEARSAL=true")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return withoutTimes(t, state)
}

// withoutTimes is a state without what two runs never have in common.
func withoutTimes(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	var document any
	if err == nil {
		err = json.Unmarshal(data, &document)
	}
	if err != nil {
		t.Fatal(err)
	}
	var strip func(any)
	strip = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range []string{"id", "flow_id", "created", "updated", "version_info"} {
				delete(v, name)
			}
			for _, x := range v {
				strip(x)
			}
		case []any:
			for _, x := range v {
				strip(x)
			}
		}
	}
	strip(document)
	out, _ := json.MarshalIndent(document, "", " ")
	return string(out)
}

func TestHostileTextsAreRun(t *testing.T) {
	lab := os.Getenv("GITLAB_CI_LOCAL")
	if lab == "" {
		lab = "../../.cache/gitlab-ci-local"
	}
	lab, err := filepath.Abs(filepath.Join(lab, "node_modules", ".bin"))
	if err != nil {
		t.Fatal(err)
	}
	l, dir, tripped := newHostile(t)
	whole := l.inOneProcess(t, dir)
	if data, _ := os.ReadFile(tripped); string(data) != "rightly\n" || !strings.Contains(whole, `$(pwned)`) {
		t.Fatalf("in one process pwned ran: %q\n%s", data, whole)
	}
	for i, e := range l.env {
		if strings.HasPrefix(e, "PATH=") {
			l.env[i] = e + string(os.PathListSeparator) + lab
		}
	}
	for _, dialect := range []string{"github", "gitlab"} {
		for _, event := range []string{"push", "pull_request"} {
			_ = os.Remove(tripped)
			state := filepath.Join(l.top, dialect+"-"+event+".json")
			args := []string{"-C", dir, "--dialect", dialect, "--event", event, "--state", "file:" + state, "--secret", "PREFECT_API_KEY"}
			if dialect == "github" {
				args = append(args, "--verbose")
			}
			code, stdout, stderr := l.replay(t, args...)
			ran, _ := os.ReadFile(tripped)
			want := "rightly\n"
			if event == "pull_request" { // a plan runs no step
				want = ""
			}
			if code != 0 || string(ran) != want || strings.Contains(stdout+stderr, "key-canary") {
				t.Errorf("%s, %s: exit %d, pwned ran: %q\n%s%s", dialect, event, code, ran, stdout, stderr)
			}
			if event == "push" {
				if got := withoutTimes(t, state); got != whole {
					t.Errorf("%s registers\n%s\nand one process\n%s", dialect, got, whole)
				}
			}
			if strings.Contains(stdout, "::set-output:: pwned=") || strings.Contains(stdout, "::set-output:: image=pwned") { // act says so where it obeys one
				t.Errorf("%s, %s: what a step printed became an output\n%s", dialect, event, stdout)
			}
		}
	}
}
