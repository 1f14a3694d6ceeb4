// The rules of GitLab's dialect that goldens are too small for.
package emit

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// onGitLab is a pipeline's jobs as GitLab reads them.
func onGitLab(t *testing.T, source string) (doc map[string]any) {
	t.Helper()
	out, diags := GitLab(input(t, source))
	if diags.Errors(false) > 0 {
		t.Fatal(diags.Error())
	}
	if err := yaml.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func of(doc map[string]any, job, key string) any {
	j, _ := doc[job].(map[string]any)
	return j[key]
}

// many are n independent steps and one that uses k of them.
func many(n, k int) string {
	var b, uses strings.Builder
	b.WriteString("build:\n")
	for i := range n {
		fmt.Fprintf(&b, "- prefect.deployments.steps.run_shell_script: {id: s%d, script: echo %d}\n", i, i)
		if i < k {
			fmt.Fprintf(&uses, " {{ s%d.stdout }}", i)
		}
	}
	fmt.Fprintf(&b, "- prefect.deployments.steps.run_shell_script: {id: all, script: 'echo%s'}\n- prefect.deployments.steps.run_shell_script: {id: after, script: 'echo {{ all.stdout }}'}\n", &uses)
	return b.String() + deployed
}

// GitLab takes at most 50 needs. A job with more waits for the stages before its own, and so stands in a later one than all that it waits for; what needs it in turn stands no earlier.
func TestMoreNeedsThanGitLabTakes(t *testing.T) {
	for _, c := range []struct {
		uses, needs int
		stage       string
	}{{49, 50, "build"}, {50, 0, "build-2"}, {60, 0, "build-2"}} {
		doc := onGitLab(t, many(60, c.uses))
		needs, _ := of(doc, "all", "needs").([]any)
		if len(needs) != c.needs || of(doc, "all", "stage") != c.stage || of(doc, "after", "stage") != c.stage || len(of(doc, "after", "needs").([]any)) != 2 {
			t.Errorf("%d: %d needs in %v, then %v", c.uses, len(needs), of(doc, "all", "stage"), of(doc, "after", "stage"))
		}
		if of(doc, "register", "needs") != nil || of(doc, "s59", "stage") != "build" {
			t.Errorf("register needs %v, s59 stands in %v", of(doc, "register", "needs"), of(doc, "s59", "stage"))
		}
		stages := fmt.Sprint(doc["stages"])
		if want := strings.ReplaceAll("[check plan build X register]", "X ", strings.TrimPrefix(c.stage+" ", "build ")); stages != want {
			t.Errorf("stages are %s, want %s", stages, want)
		}
	}
}

// No job may have a name that GitLab reads as something else, nor two one name.
func TestNamesThatGitLabKeeps(t *testing.T) {
	var b strings.Builder
	b.WriteString("build:\n")
	for _, id := range append(slices.Clone(keywords), "image-job", "Image", "check", "register") {
		fmt.Fprintf(&b, "- prefect.deployments.steps.run_shell_script: {id: %q, script: 'echo %s'}\n", id, id)
	}
	in := input(t, b.String()+deployed)
	out, _ := GitLab(in)
	var root yaml.Node
	if err := yaml.Unmarshal(out, &root); err != nil {
		t.Fatal(err)
	}
	seen, jobs := map[string]bool{}, 0
	for i := 0; i < len(root.Content[0].Content); i += 2 {
		key, job := root.Content[0].Content[i].Value, root.Content[0].Content[i+1]
		if seen[strings.ToLower(key)] {
			t.Errorf("two of %s", key)
		}
		seen[strings.ToLower(key)] = true
		if get(job, "script") != nil {
			jobs++
			if slices.Contains(keywords, strings.ToLower(key)) {
				t.Errorf("a job is called %s", key)
			}
		}
	}
	if want := len(in.Graph.Steps) + 3; jobs != want {
		t.Errorf("%d jobs, want %d", jobs, want)
	}
}

// A path is one word of a shell, whatever is in it.
func TestPathsAreQuoted(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"prefect.yaml", "it's", "$(touch pwned)", "`id`", "a b", "-f", "*", "~", "a\nb", "\"", "\\", "$HOME", "#x", "!x", "é", ""} {
		out, err := exec.Command(sh, "-c", "printf %s "+quote(path)).Output()
		if err != nil || string(out) != path {
			t.Errorf("%q becomes %q (%v)", path, out, err)
		}
	}
	in := input(t, "build:\n"+hash+deployed)
	in.Patterns, in.Within, in.File = []string{"it's $(touch pwned)/*.yaml", "b.yaml"}, "team `a`", "ci/$x.yml"
	out, _ := GitLab(in)
	var doc map[string]any
	if err := yaml.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	script := of(doc, "check", "script").([]any)
	if want := `compile gitlab -C 'team ` + "`a`" + `' -f 'it'\''s $(touch pwned)/*.yaml' -f b.yaml --check 'ci/$x.yml'`; script[1] != want {
		t.Errorf("got  %s\nwant %s", script[1], want)
	}
}

// TestOnlyKeysReachAScript: of graphs made by chance, whatever stands in them, a job's script names keys and our own files and nothing else.
func TestOnlyKeysReachAScript(t *testing.T) {
	const canary = "canary"
	doc := onGitLab(t, "build:\n"+fmt.Sprintf("- prefect.deployments.steps.run_shell_script: {id: a, script: 'echo %[1]s', env: {X: %[1]s}}\n", canary)+
		"- prefect_docker.deployments.steps.build_docker_image: {id: b, image_name: canary/canary, tag: canary, dockerfile: canary, buildargs: {canary: canary}, target: canary}\n"+
		"deployments:\n- {name: d, entrypoint: 'canary.py:canary', description: canary, tags: [canary], work_pool: {name: canary, job_variables: {image: '{{ b.image }}'}}}\n")
	for name, job := range doc {
		data, _ := yaml.Marshal(job)
		if strings.Contains(string(data), canary) {
			t.Errorf("%s:\n%s", name, data)
		}
	}
}

// TestWhatRunsAfterASkippedJob: GitLab waits for no other of a job's needs once one of them is skipped, as one is that needed a failed job. So a job that runs always has none where that may be.
func TestWhatRunsAfterASkippedJob(t *testing.T) {
	chain := "build:\n- prefect.deployments.steps.run_shell_script: {id: one, script: git rev-parse HEAD}\n"
	if doc := onGitLab(t, chain+deployed); fmt.Sprint(of(doc, "register", "needs")) != "[check one]" {
		t.Errorf("one job, which can fail but not be skipped: register needs %v", of(doc, "register", "needs"))
	}
	doc := onGitLab(t, chain+"- prefect.deployments.steps.run_shell_script: {id: two, script: 'echo {{ one.stdout }}'}\n"+deployed)
	if fmt.Sprint(of(doc, "two", "needs")) != "[check one]" || of(doc, "register", "needs") != nil || fmt.Sprint(doc["stages"]) != "[check plan build register]" {
		t.Errorf("one after another: two needs %v, register %v, stages %v", of(doc, "two", "needs"), of(doc, "register", "needs"), doc["stages"])
	}
}
