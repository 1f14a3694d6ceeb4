// A deploy that is cut into jobs gives what one deploy gives. Every job here is a call of its own that shares nothing with the others but files.
package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pipeline has a step whose output two others take, and three deployments: two with one of these each, one without any. Each step leaves a line in `ran` when it runs.
func pipeline(t *testing.T) string {
	t.Helper()
	const hash = "prefect.deployments.steps.run_shell_script: {id: hash, shell: true, script: \"echo hash >>ran\\necho 1.0\\ncat text >&2\"}"
	return project(t, map[string]string{"flow.py": oneFlow, "text": "two\n\t\"lines\" and 'quotes' €\x00", "prefect.yaml": "build:\n- " + hash + `
- prefect.deployments.steps.run_shell_script: {id: image, script: "echo image >>ran; echo repo/x:{{ hash.stdout }}", shell: true}
pull: []
deployments:
- {name: a, entrypoint: "flow.py:hello", work_pool: {name: p, job_variables: {image: "{{ image.stdout }}"}}, tags: ["{{ hash.stdout }}"], description: "{{ hash.stderr }}"}
- name: b
  entrypoint: flow.py:hello
  work_pool: {name: p, job_variables: {image: "{{ custom.stdout }}"}}
  build:
  - ` + hash + `
  - prefect.deployments.steps.run_shell_script: {id: custom, script: "echo custom >>ran; echo repo/y:{{ hash.stdout }}", shell: true}
- {name: c, entrypoint: "flow.py:hello", work_pool: {name: p}, build: null}
`})
}

func ran(dir string) string {
	return strings.Join(strings.Fields(read(filepath.Join(dir, "ran"))), " ")
}

// must is a command that has to go well.
func must(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := command(t, nil, args...)
	if code != 0 {
		t.Fatalf("%v: exit %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

// refused is a command that has to fail with these words.
func refused(t *testing.T, want int, args []string, words ...string) {
	t.Helper()
	code, stdout, stderr := command(t, nil, args...)
	if code != want {
		t.Errorf("%v: exit %d, expected %d\n%s%s", args, code, want, stdout, stderr)
	}
	for _, w := range words {
		if !strings.Contains(stderr, w) {
			t.Errorf("%v does not say %q:\n%s", args, w, stderr)
		}
	}
}

// registered is a state without what two runs never have in common: times and made-up ids.
func registered(t *testing.T, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(read(path)), &v); err != nil {
		t.Fatal(err)
	}
	var strip func(any) any
	strip = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				if k == "id" || k == "created" || k == "updated" || k == "flow_id" {
					delete(v, k)
					continue
				}
				v[k] = strip(x)
			}
		case []any:
			for i := range v {
				v[i] = strip(v[i])
			}
		}
		return v
	}
	data, err := json.MarshalIndent(strip(v), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSplitDeployIsOneDeploy(t *testing.T) {
	dir := pipeline(t)
	whole, split := "file:"+filepath.Join(dir, "whole.json"), "file:"+filepath.Join(dir, "split.json")
	must(t, "deploy", "--all", "-C", dir, "--state", whole)
	if got := ran(dir); len(strings.Fields(got)) != 3 {
		t.Fatalf("one deploy ran %q", got)
	}
	if err := os.Remove(filepath.Join(dir, "ran")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "outputs"), 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, "step", "hash", "-C", dir, "--outputs", "outputs/hash.json")
	must(t, "step", "image", "-C", dir, "--from", "outputs/hash.json", "--outputs", "outputs/image.json")
	must(t, "step", "custom", "-C", dir, "--from", "outputs/ha*.json", "--outputs", "outputs/custom.json")
	planned := must(t, "plan", "--all", "-C", dir, "--state", split, "--skip-build", "--from", "outputs", "--json", "-")
	if strings.Contains(planned, "after-build") {
		t.Errorf("what is given is not known in the plan:\n%s", planned)
	}
	must(t, "deploy", "--all", "-C", dir, "--state", split, "--skip-build", "--from", "outputs")
	if got := ran(dir); got != "hash image custom" {
		t.Errorf("the jobs ran %q", got)
	}
	a, b := registered(t, filepath.Join(dir, "whole.json")), registered(t, filepath.Join(dir, "split.json"))
	if a != b || !strings.Contains(a, "repo/y:1.0") {
		t.Errorf("one deploy registered\n%s\nthe jobs\n%s", a, b)
	}
	must(t, "deploy", "--all", "-C", dir, "--state", split, "--from", "outputs/hash.json", "--from", "outputs/image.json")
	if got := ran(dir); got != "hash image custom custom" {
		t.Errorf("a deploy with the outputs of two steps ran %q in the end", got)
	}
	if again := registered(t, filepath.Join(dir, "split.json")); again != b {
		t.Errorf("and registered\n%s", again)
	}
}

// TestKeepGoing: a job of the pipeline failed, so its steps are not given. That concerns the deployments that have them, whether they use an output or not.
func TestKeepGoing(t *testing.T) {
	dir := pipeline(t)
	must(t, "step", "hash", "-C", dir, "--outputs", "outputs/hash.json")
	must(t, "step", "image", "-C", dir, "--from", "outputs/hash.json", "--outputs", "outputs/image.json")
	deploy := func(state string, more ...string) (int, map[string]string) {
		code, stdout, stderr := command(t, nil, append([]string{"deploy", "--all", "-C", dir, "--state", "file:" + state, "--keep-going", "--json", "-"}, more...)...)
		var p struct {
			Deployments []struct{ Deployment, Outcome, Error string }
		}
		if err := json.Unmarshal([]byte(stdout), &p); err != nil {
			t.Fatalf("%v\n%s%s", err, stdout, stderr)
		}
		got := map[string]string{}
		for _, d := range p.Deployments {
			got[d.Deployment] = strings.TrimSpace(d.Outcome + " " + d.Error)
		}
		return code, got
	}
	skipped := "skipped step custom gave nothing: its job failed, or did not run"
	code, got := deploy(filepath.Join(dir, "some.json"), "--skip-build", "--from", "outputs")
	if code != 1 || !slices.Contains(slices.Collect(maps.Values(got)), skipped) || !slices.Contains(slices.Collect(maps.Values(got)), "applied") {
		t.Errorf("without custom: exit %d, %v", code, got)
	}
	code, got = deploy(filepath.Join(dir, "none.json"), "--skip-build", "--from", "nothing/*.json")
	for name, outcome := range got {
		if strings.HasPrefix(outcome, "skipped step ") == (name == "hello/c") {
			t.Errorf("without any: %s is %s", name, outcome)
		}
	}
	if code != 1 || len(got) == 0 {
		t.Errorf("without any: exit %d", code)
	}
	before := ran(dir)
	code, got = deploy(filepath.Join(dir, "all.json"), "--from", "outputs", "--step", "custom")
	for name, outcome := range got {
		if outcome != "applied" {
			t.Errorf("with custom here: %s is %s", name, outcome)
		}
	}
	if code != 0 || ran(dir) != before+" custom" {
		t.Errorf("with custom here: exit %d, ran %q after %q", code, ran(dir), before)
	}
	code, _ = deploy(filepath.Join(dir, "blocked.json"), "--step", "image")
	if code != 1 || ran(dir) != before+" custom" {
		t.Errorf("a step whose needs are not given ran: exit %d, ran %q", code, ran(dir))
	}
}

func TestWhatIsNotGivenIsAnError(t *testing.T) {
	dir := pipeline(t)
	state := filepath.Join(dir, "state.json")
	refused(t, 1, []string{"step", "image", "-C", dir}, "the step image needs hash.stdout", "--from FILE", "run step hash --outputs")
	refused(t, 64, []string{"step", "imge", "-C", dir}, "did you mean image?", "compile it again")
	refused(t, 64, []string{"step", "-C", dir}, "compile graph")
	refused(t, 1, []string{"step", "image", "-C", dir, "--from", "no/*.json"}, "no file matches")
	refused(t, 1, []string{"step", "image", "-C", dir, "--from", "prefect.yaml"}, "no file that `run step --outputs` wrote")
	refused(t, 64, []string{"step", "hash", "-C", dir, "--outputs", "prefect.yaml/file.json"}, "--outputs", "nothing ran")
	skip := []string{"deploy", "--all", "-C", dir, "--state", "file:" + state, "--skip-build"}
	refused(t, 1, skip, "hello/a needs image.stdout", "hello/a needs hash.stdout", "hello/a needs hash.stderr", "hello/b needs custom.stdout", "prefect.yaml:6", "--set custom.stdout=VALUE", "nothing was written")
	refused(t, 1, append(skip, "--set", "image.stdout=x", "--set", "hash.stdout=y", "--set", "hash.stderr="), "hello/b needs custom.stdout")
	refused(t, 64, append(skip, "--set", "imag.stdout=x"), "did you mean image?")
	refused(t, 64, append(skip, "--set", "image.sdtout=x"), "it gives stdout, stderr")
	refused(t, 64, append(skip, "--set", "image=x"), "STEP.OUTPUT=VALUE")
	if exists(state) || ran(dir) != "" {
		t.Errorf("state written %v, ran %q", exists(state), ran(dir))
	}
	must(t, append(skip, "--set", "image.stdout=x", "--set", "hash.stdout=y", "--set", "hash.stderr=", "--set", "custom.stdout=z")...)
	if text := read(state); !strings.Contains(text, `"image": "z"`) || !strings.Contains(text, `"y"`) || ran(dir) != "" {
		t.Errorf("registered\n%s", text)
	}
	must(t, "deploy", "-n", "c", "-C", dir, "--state", "file:"+state, "--skip-build")
	must(t, "deploy", "-n", "b", "-C", dir, "--state", "file:"+state, "--set", "hash.stdout=7")
	if text := read(state); !strings.Contains(text, `"image": "repo/y:7"`) || ran(dir) != "custom" {
		t.Errorf("registered\n%s\nran %s", text, ran(dir))
	}
}

// TestStaleAndContradictingOutputs: outputs are of the step they are taken for, or nothing runs.
func TestStaleAndContradictingOutputs(t *testing.T) {
	dir := pipeline(t)
	must(t, "step", "hash", "-C", dir, "--outputs", "hash.json")
	yaml := read(filepath.Join(dir, "prefect.yaml"))
	edit := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "prefect.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	edit(strings.ReplaceAll(yaml, "echo 1.0", "echo 1.1"))
	for _, args := range [][]string{{"step", "image"}, {"deploy", "--all", "--state", "file:state.json"}, {"plan", "--all", "--state", "file:state.json"}} {
		refused(t, 1, append(args, "-C", dir, "--from", "hash.json"), `hash.json holds the outputs of the step "hash"`, "another step", "Compile it again", "nothing ran")
	}
	edit(strings.ReplaceAll(yaml, "name: c", "name: d")) // an edit elsewhere
	must(t, "step", "image", "-C", dir, "--from", "hash.json")
	if err := os.WriteFile(filepath.Join(dir, "other.json"), []byte(strings.Replace(read(filepath.Join(dir, "hash.json")), "1.0", "2.0", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, 1, []string{"step", "image", "-C", dir, "--from", "hash.json", "--from", "other.json"}, "hash.json and other.json give different outputs", "hash")
	if got := ran(dir); got != "hash image" {
		t.Errorf("ran %q", got)
	}
}

// TestSecretsStayInTheirJob: no file and no CI output holds one, and who needs one from elsewhere is told why it can't be had.
func TestSecretsStayInTheirJob(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "token": "token-canary-1\n", "prefect.yaml": `x-ci: {steps: {marked: {sensitive: true}}}
build:
- prefect.deployments.steps.run_shell_script: {id: get-token, script: cat token}
- prefect.deployments.steps.run_shell_script: {id: marked, script: echo marked-canary}
- prefect.deployments.steps.run_shell_script: {id: env, script: "echo {{ $TOKEN }}"}
- prefect.deployments.steps.run_shell_script: {id: user, script: "echo {{ marked.stdout }}"}
- prefect.deployments.steps.run_shell_script: {id: plain, script: echo plain}
pull:
- prefect.deployments.steps.git_clone: {repository: "https://h/r", access_token: "{{ get-token.stdout }}"}
deployments:
- {name: d, entrypoint: "flow.py:hello", work_pool: {name: p}, tags: ["{{ plain.stdout }}", "{{ user.stdout }}"]}
`})
	env := map[string]string{"TOKEN": "environment-canary", "GITHUB_OUTPUT": filepath.Join(dir, "github")}
	code, stdout, stderr := command(t, env, "step", "plain", "get-token", "marked", "env", "-C", dir, "--outputs", "all.json", "--dotenv", "dotenv")
	if got := read(filepath.Join(dir, "dotenv")); got != "plain_stdout=plain\n" {
		t.Errorf("the dotenv report is %q", got)
	}
	all := read(filepath.Join(dir, "all.json"))
	if code != 0 || strings.Contains(all+stdout+stderr+read(env["GITHUB_OUTPUT"]), "canary") {
		t.Fatalf("exit %d\n%s%s\n%s\n%s", code, stdout, stderr, all, read(env["GITHUB_OUTPUT"]))
	}
	if strings.Count(all, `"withheld":["stdout","stderr"]`) != 3 || !strings.Contains(all, `"outputs":{"stdout":"plain","stderr":""}`) || outputsOf(t, read(env["GITHUB_OUTPUT"]))["plain_stdout"] != "plain" {
		t.Errorf("the file holds\n%s\nthe CI's\n%s", all, read(env["GITHUB_OUTPUT"]))
	}
	refused(t, 1, []string{"step", "user", "-C", dir, "--from", "all.json"}, "the step user needs marked.stdout, which is sensitive", "run in one job")
	refused(t, 1, []string{"deploy", "--all", "-C", dir, "--state", "file:state.json", "--from", "all.json"}, "hello/d needs get-token.stdout, which is sensitive")
	code, stdout, stderr = command(t, env, "step", "user", "marked", "-C", dir, "--outputs", "chain.json")
	if code != 0 || strings.Contains(stdout+stderr+read(filepath.Join(dir, "chain.json")), "canary") {
		t.Errorf("a chain: exit %d\n%s%s", code, stdout, stderr)
	}
	// The deploy runs what gives secrets itself, and takes the rest.
	must(t, "step", "plain", "-C", dir, "--outputs", "plain.json")
	must(t, "deploy", "--all", "-C", dir, "--state", "file:state.json", "--from", "plain.json")
	if !strings.Contains(read(filepath.Join(dir, "state.json")), "token-canary-1") {
		t.Error("the pull step did not get its token")
	}
}

// TestAChainStopsWhereItFails: what needs the failed step does not run, the rest does, and what succeeded is written.
func TestAChainStopsWhereItFails(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": `build:
- prefect.deployments.steps.run_shell_script: {id: fails, script: cat nowhere}
- prefect.deployments.steps.run_shell_script: {id: needs, script: "echo {{ fails.stdout }}"}
- prefect.deployments.steps.run_shell_script: {id: alone, script: echo fine}
deployments: [{name: d, entrypoint: "flow.py:hello", work_pool: {name: p}}]
`})
	refused(t, 1, []string{"step", "needs", "fails", "alone", "-C", dir, "--outputs", "out.json", "--quiet"}, "the step fails failed:", "nowhere", "the step needs did not run: skipped because fails failed")
	if text := read(filepath.Join(dir, "out.json")); !strings.Contains(text, `"key":"alone"`) || strings.Contains(text, "needs") {
		t.Errorf("the file holds %s", text)
	}
}

// TestADeployOfSomeStepsAsksForFields: the job that registers may have steps of its own, and what fields name of the server is asked all the same.
func TestADeployOfSomeStepsAsksForFields(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": oneFlow, "state.json": `{"schema": 1, "deployments": [], "variables": {"team": "blue"}, "blocks": {"secret/db": {"value": "hidden"}}}`, "prefect.yaml": `build:
- prefect.deployments.steps.run_shell_script: {id: login, script: "echo {{ prefect.blocks.secret.db }}"}
deployments:
- {name: d, entrypoint: "flow.py:hello", tags: ["{{ prefect.variables.team }}"], work_pool: {name: p, job_variables: {env: {TOKEN: "{{ login.stdout }}", DB: "{{ prefect.blocks.secret.db }}"}}}}
`})
	must(t, "deploy", "-C", dir, "--all", "--step", "login", "--state", "file:state.json")
	if state := read(filepath.Join(dir, "state.json")); !strings.Contains(state, `"tags": ["blue"]`) || strings.Count(state, `": "hidden"`) != 3 {
		t.Error(state)
	}
}

// TestStepsAskTheServerOnlyWhenTheyMust: variables and blocks come from the state, and a job whose steps name none needs no server. Nor does it need the flows' files.
func TestStepsAskTheServerOnlyWhenTheyMust(t *testing.T) {
	dir := project(t, map[string]string{"state.json": `{"schema": 1, "variables": {"team": "data"}}`, "prefect.yaml": `build:
- prefect.deployments.steps.run_shell_script: {id: plain, script: echo plain}
- prefect.deployments.steps.run_shell_script: {id: team, script: "echo {{ prefect.variables.team }}"}
deployments: [{name: "{{ prefect.blocks.string.name }}", entrypoint: "nowhere.py:hello", work_pool: {name: p}}]
`})
	must(t, "step", "plain", "-C", dir)
	refused(t, 1, []string{"step", "team", "-C", dir}, "a variable (team)", "PREFECT_API_URL")
	refused(t, 64, []string{"step", "team", "-C", dir, "--state", "git:HEAD"}, "a commit")
	if out := must(t, "step", "team", "-C", dir, "--state", "file:state.json", "--outputs", "-"); !strings.Contains(out, `"stdout":"data"`) || !strings.HasPrefix(out, `{"schema":1,`) {
		t.Errorf("stdout is %s", out)
	}
}

func TestEmptyOptionalVariablesAreUnset(t *testing.T) {
	dir := project(t, map[string]string{"prefect.yaml": `x-ci: {vars: [REGION, OTHER]}
build:
- prefect.deployments.steps.run_shell_script: {id: env, script: env}
- prefect.deployments.steps.run_shell_script: {id: filled, script: "echo <{{ $REGION }}|{{ $OTHER }}>"}
deployments: [{name: d, entrypoint: "flow.py:hello", work_pool: {name: p}}]
`})
	all := func(env map[string]string) string {
		env["PREFECT_DEPLOY_OPTIONAL"] = "REGION,\n OTHER"
		code, stdout, stderr := command(t, env, "step", "env", "filled", "-C", dir, "--outputs", "-", "--quiet")
		if code != 0 {
			t.Fatal(stderr)
		}
		return stdout
	}
	if out := all(map[string]string{"REGION": "", "OTHER": "x", "THIRD": ""}); strings.Contains(out, "REGION=\\n") || !strings.Contains(out, "OTHER=x") || !strings.Contains(out, "THIRD=") {
		t.Errorf("steps got %s", out)
	}
	flow := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": oneTag("{{ $REGION }}")})
	for region, want := range map[string]string{"": "$REGION is not set here", "eu": `"notes": []`} {
		code, stdout, stderr := command(t, map[string]string{"REGION": region, "PREFECT_DEPLOY_OPTIONAL": "REGION"}, "plan", "--all", "-C", flow, "--state", "file:state.json", "--json", "-")
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("REGION=%q: exit %d\n%s%s", region, code, stdout, stderr)
		}
	}
}

func oneTag(tag string) string {
	return "x-ci: {vars: [REGION]}\npull: []\ndeployments:\n- {name: d, entrypoint: \"flow.py:hello\", tags: [\"" + tag + "\"], work_pool: {name: p}}\n"
}

// TestTheActionRunsStepsOfAPipeline: the same split by inputs, as emitted jobs write them.
func TestTheActionRunsStepsOfAPipeline(t *testing.T) {
	dir := pipeline(t)
	whole := filepath.Join(dir, "whole.json")
	must(t, "deploy", "--all", "-C", dir, "--state", "file:"+whole)
	if err := os.Remove(filepath.Join(dir, "ran")); err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	job := func(inputs map[string]string) called {
		inputs["working-directory"] = dir
		r := callAction(t, call{dir: dir, name: "push", event: "push_main", ref: "refs/heads/main", inputs: inputs, state: filepath.Join(dir, "split.json")})
		return r
	}
	first := job(map[string]string{"mode": "step", "step": "hash", "outputs": filepath.Join(temp, "1.json")})
	second := job(map[string]string{"mode": "step", "step": "custom\nimage", "from": filepath.Join(temp, "*.json"), "outputs": filepath.Join(temp, "2.json")})
	if first.code != 0 || second.code != 0 || first.outputs["result"] != "ran" || !strings.Contains(second.outputs["steps"], `{"image":{"stdout":"repo/x:1.0","stderr":""},"custom":{`) {
		t.Fatalf("exits %d, %d\n%v\n%v\n%s%s", first.code, second.code, first.outputs, second.outputs, first.log, second.log)
	}
	last := job(map[string]string{"mode": "deploy", "all-deployments": "true", "skip-build": "true", "from": temp})
	if last.code != 0 || last.outputs["create"] != "3" || ran(dir) != "hash image custom" && ran(dir) != "hash custom image" {
		t.Fatalf("exit %d, ran %q\n%v\n%s", last.code, ran(dir), last.outputs, last.log)
	}
	if a, b := registered(t, whole), registered(t, filepath.Join(dir, "split.json")); a != b {
		t.Errorf("one deploy registered\n%s\nthe jobs\n%s", a, b)
	}
	for _, c := range []struct {
		inputs map[string]string
		code   int
		want   string
	}{
		{map[string]string{"mode": "step", "step": "image"}, 1, "needs hash.stdout"},
		{map[string]string{"mode": "step"}, 64, "needs the key of a step"},
		{map[string]string{"mode": "deploy", "step": "hash", "outputs": "x", "all-deployments": "true"}, 64, "mode: step only"},
		{map[string]string{"mode": "step", "step": "hsh"}, 64, "did you mean hash?"},
	} {
		if r := job(c.inputs); r.code != c.code || !strings.Contains(r.log, c.want) || r.outputs["result"] != "failed" {
			t.Errorf("%v: exit %d\n%s", c.inputs, r.code, r.log)
		}
	}
}

// TestAReviewedPlanBindsWhatIsFilledIn: values that a plan calls after-build may come from other jobs.
func TestAReviewedPlanBindsWhatIsFilledIn(t *testing.T) {
	dir := pipeline(t)
	must(t, "plan", "--all", "-C", dir, "--state", "file:state.json", "--json", filepath.Join(dir, "plan.json"))
	must(t, "step", "hash", "image", "custom", "-C", dir, "--outputs", "outputs.json")
	must(t, "deploy", "--all", "-C", dir, "--state", "file:state.json", "--plan", filepath.Join(dir, "plan.json"), "--skip-build", "--from", "outputs.json")
	given := []string{"--skip-build", "--from", "outputs.json", "--set", "image.stdout=other"}
	must(t, append([]string{"plan", "--all", "-C", dir, "--state", "file:state.json", "--json", filepath.Join(dir, "plan.json")}, given...)...)
	must(t, append([]string{"deploy", "--all", "-C", dir, "--state", "file:state.json", "--plan", filepath.Join(dir, "plan.json")}, given...)...)
	if !strings.Contains(read(filepath.Join(dir, "state.json")), `"image": "other"`) {
		t.Error("what was set was not registered")
	}
	refused(t, 3, append([]string{"deploy", "--all", "-C", dir, "--state", "file:state.json", "--plan", filepath.Join(dir, "plan.json")}, given...), "stale")
}
