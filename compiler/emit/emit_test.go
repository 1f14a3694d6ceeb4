// What is kept, what makes a pipeline stale, what patches do, and which variables a job is given.
package emit

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const two = "build:\n" + hash + "- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: r/app, tag: '{{ hash.stdout }}', dockerfile: Dockerfile}\n" + deployed

func emitted(t *testing.T, in *Input) string {
	t.Helper()
	out, diags := GitHub(in)
	if diags.Errors(false) > 0 {
		t.Fatal(diags.Error())
	}
	return string(out)
}

func TestStale(t *testing.T) {
	old := emitted(t, input(t, two))
	for name, c := range map[string]struct{ source, want string }{
		"nothing":      {two, ""},
		"a schedule":   {strings.Replace(two, "work_pool: {name: p}", "work_pool: {name: p}, schedules: [{cron: '0 0 * * *'}]", 1), ""},
		"a deployment": {two + "- {name: e, entrypoint: 'f.py:f', work_pool: {name: p}}\n", ""},
		"a step":       {strings.Replace(two, "r/app", "r/other", 1), "the steps"},
		"a variable":   {strings.Replace(two, "name: p}", "name: '{{ $POOL }}'}", 1), "the steps"},
		"x-ci":         {"x-ci: {github: {runs-on: big}}\n" + two, "x-ci"},
	} {
		in := input(t, c.source)
		KeepPins(in, []byte(old))
		if why := Stale([]byte(old), []byte(emitted(t, in))); (why == "") != (c.want == "") || !strings.Contains(why, c.want) {
			t.Errorf("%s: %q, want %q", name, why, c.want)
		}
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"a pin":       {"@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@0000000000000000000000000000000000000000 # v9", ""},
		"layout":      {"permissions: {contents: read}", "permissions:\n      contents: read", ""},
		"a hand":      {"timeout-minutes: 60", "timeout-minutes: 61", "edited by hand"},
		"another use": {"actions/checkout@", "other/checkout@", "edited by hand"},
		"no head":     {"# made of:", "#", "not generated"},
	} {
		if !strings.Contains(old, c.old) {
			t.Fatalf("%s: %q is not in\n%s", name, c.old, old)
		}
		edited := strings.ReplaceAll(old, c.old, c.new)
		in := input(t, two)
		KeepPins(in, []byte(edited))
		if why := Stale([]byte(edited), []byte(emitted(t, in))); (why == "") != (c.want == "") || !strings.Contains(why, c.want) {
			t.Errorf("%s: %q, want %q", name, why, c.want)
		}
	}
}

// commit is a made-up one.
func commit(digit string) string { return strings.Repeat(digit, 40) }

// withoutMadeOf is a file without the line of its head that names the digests.
func withoutMadeOf(file string) string {
	before, rest, _ := strings.Cut(file, "# made of:")
	_, after, _ := strings.Cut(rest, "\n")
	return before + after
}

// TestPinsAreKept: what a bot edited stays, for steps of x-ci as long as x-ci is what it was.
func TestPinsAreKept(t *testing.T) {
	source := "x-ci: {github: {setup: [{uses: some/login@" + commit("1") + "}]}}\n" + two
	old := strings.NewReplacer("@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@"+commit("2")+" # v5", "some/login@"+commit("1"), "some/login@"+commit("3"),
		"prefect-deploy-action@v1", "prefect-deploy-action@"+commit("4")+" # v1.2.3").Replace(emitted(t, input(t, source)))
	in := input(t, source)
	KeepPins(in, []byte(old))
	now := emitted(t, in)
	if withoutMadeOf(now) != withoutMadeOf(old) {
		t.Errorf("the versions moved:\n%s", now)
	}
	if why := Stale([]byte(old), []byte(now)); why != "" || strings.Contains(old, madePins(now)) {
		t.Errorf("other pins, and that makes it stale (%q) or has the same digest", why)
	}
	in = input(t, strings.Replace(source, "login@"+commit("1"), "login@"+commit("5"), 1))
	KeepPins(in, []byte(old))
	if now := emitted(t, in); !strings.Contains(now, "some/login@"+commit("5")) || !strings.Contains(now, "actions/checkout@"+commit("2")+" # v5") {
		t.Errorf("x-ci names another version, and it is not there:\n%s", now)
	}
	if got := ActionOf([]byte(old)); got != "org/prefect-deploy-action@"+commit("4") {
		t.Errorf("the action is %s", got)
	}
}

func madePins(file string) string {
	made, _ := madeOf([]byte(file))
	return "pins " + made["pins"]
}

// TestVersionsThatMove: a tag, a branch or half a commit in an emitted file is no pin. It is told by its line, and the compiler's own comes back. This project's action, which --action names, and what x-ci says are kept.
func TestVersionsThatMove(t *testing.T) {
	const pin = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"
	source := "x-ci: {github: {setup: [{uses: some/login@v3}]}}\n" + two
	fresh := emitted(t, input(t, source))
	for ref, want := range map[string]string{"v4": "is no commit", "main # v4.2.2": "is no commit", "11bd719": "is no commit", commit("z"): "is no commit", "\"v4\"": "is no commit",
		commit("a"): "", "11BD71901BBE5B1630CEEA73D27597364C9AF683": "", "sha256:" + strings.Repeat("a", 64): "", "sha256:abc": "is no commit"} {
		old := strings.Replace(fresh, pin, "actions/checkout@"+ref, 1)
		in := input(t, source)
		KeepPins(in, []byte(old))
		now := emitted(t, in)
		line := 1 + strings.Count(fresh[:strings.Index(fresh, pin)], "\n")
		why, moving := Stale([]byte(old), []byte(now)), Movable([]byte(old), []byte(now))
		if want == "" && (why != "" || len(moving) > 0) || want != "" && (!strings.Contains(why, fmt.Sprintf("in line %d the version ", line)) || !strings.Contains(why, want) || len(moving) != 1 || withoutMadeOf(now) != withoutMadeOf(fresh)) {
			t.Errorf("%s: %q, %v", ref, why, moving)
		}
	}
	branch := strings.ReplaceAll(fresh, "prefect-deploy-action@v1", "prefect-deploy-action@my-branch")
	in := input(t, source)
	in.Action = ActionOf([]byte(branch))
	KeepPins(in, []byte(branch))
	if why := Stale([]byte(branch), []byte(emitted(t, in))); why != "" {
		t.Errorf("the action at a branch: %s", why)
	}
	out, _ := GitLab(input(t, two))
	for image, want := range map[string]string{"golang:latest": "neither a digest nor a numbered tag", "golang:1.27-bookworm": "", "golang@sha256:" + strings.Repeat("b", 64): "", "golang:1.26@sha256:" + strings.Repeat("b", 64): "", "golang@sha256:b": "neither"} {
		old := strings.Replace(string(out), "  image: golang:1.26-bookworm", "  image: "+image, 1)
		in := input(t, two)
		KeepPins(in, []byte(old))
		now, _ := GitLab(in)
		if why := Stale([]byte(old), now); (why == "") != (want == "") || !strings.Contains(why, want) || strings.Contains(string(now), image) != (want == "") {
			t.Errorf("%s: %q\n%s", image, why, now)
		}
	}
}

// TestWhoMadeItStale: an edit by hand is told from another compiler's work, whatever the version, and from what deployments use of steps that are the same.
func TestWhoMadeItStale(t *testing.T) {
	in := input(t, two)
	in.Compiler = "v1.0.0"
	old := emitted(t, in)
	in = input(t, two)
	in.Compiler = "v2.0.0"
	now := emitted(t, in)
	if why := Stale([]byte(old), []byte(now)); why != "" {
		t.Errorf("another version that makes the same: %s", why)
	}
	if why := Stale([]byte(strings.Replace(old, "timeout-minutes: 60", "timeout-minutes: 61", 1)), []byte(now)); !strings.Contains(why, "edited by hand") {
		t.Errorf("an edit by hand, and another version: %s", why)
	}
	other := strings.Replace(now, "timeout-minutes: 60", "timeout-minutes: 61", 1) // as if the other version made it so
	digest, _ := contentOf([]byte(other))
	made, _ := madeOf([]byte(other))
	other = strings.Replace(other, made["content"], digest, 1)
	if why := Stale([]byte(old), []byte(other)); !strings.Contains(why, "another version of the compiler made it (v1.0.0, this is v2.0.0)") {
		t.Errorf("another version that makes something else: %s", why)
	}
	in = input(t, strings.Replace(two, "work_pool: {name: p}", "work_pool: {name: p}, tags: ['{{ hash.stdout }}']", 1)+"- {name: e, entrypoint: 'f.py:f', build: []}\n")
	in.Compiler = "v1.0.0"
	if why := Stale([]byte(old), []byte(emitted(t, in))); why != "" && strings.Contains(why, "by hand") {
		t.Errorf("an edit of prefect.yaml: %s", why)
	}
}

// TestContents: what is printed has the digest of what was meant to be, by any road.
func TestContents(t *testing.T) {
	for seed := range uint64(20) {
		text := chance(rand.New(rand.NewPCG(seed, 9)))
		gitlab, diags := GitLab(input(t, text))
		if diags.Errors(false) > 0 {
			t.Fatal(diags.Error())
		}
		for _, out := range [][]byte{unchecked(t, text), gitlab} {
			made, _ := madeOf(out)
			if digest, ok := contentOf(out); !ok || digest != made["content"] {
				t.Errorf("seed %d: the head says %s, the file is %s\n%s", seed, made["content"], digest, out)
			}
		}
	}
	for _, odd := range []string{"", "a: [", "- &a [*a]", "&a {b: *a}", "x: {<<: 1}", "- 1\n--- 2"} {
		contentOf([]byte(odd))
		Beheaded([]byte(odd))
	}
}

// TestBeheaded: an emitted workflow is known for one without its head; one that calls the action in the same modes is not.
func TestBeheaded(t *testing.T) {
	whole := emitted(t, input(t, two))
	body := whole[strings.Index(whole, "\nname: ")+1:]
	for name, c := range map[string]struct {
		file string
		want bool
	}{"with its head": {whole, false}, "without": {body, true}, "without, and with a note": {"# by hand\n" + strings.Replace(body, "timeout-minutes: 60", "timeout-minutes: 90", 1), true},
		"of one's own":     {"jobs: {check: {steps: [{uses: o/a@v1, with: {mode: check}}]}, deploy: {needs: check, steps: [{uses: o/a@v1, with: {mode: deploy}}]}}", false},
		"with those names": {"jobs: {check: {steps: [{uses: o/a@v1, with: {mode: check}}]}, register: {needs: check, steps: [{uses: o/a@v1, with: {mode: deploy}}]}}", false},
		"not at all":       {"name: x", false}, "no YAML": {"a: [", false}, "nothing": {"", false}} {
		if got := Beheaded([]byte(c.file)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPatchesAndSettings(t *testing.T) {
	for name, c := range map[string]struct{ xci, path, want, fault string }{
		"replace":        {"[{op: test, path: /jobs/app/timeout-minutes, value: 60}, {op: replace, path: /jobs/app/timeout-minutes, value: 90}]", "/jobs/app/timeout-minutes", "90", ""},
		"add":            {"[{op: add, path: /jobs/app/env, value: {A: b}}]", "/jobs/app/env/A", "b", ""},
		"add to a list":  {"[{op: add, path: /jobs/app/steps/0, value: {run: first}}, {op: add, path: /jobs/app/steps/-, value: {run: last}}]", "/jobs/app/steps/0/run", "first", ""},
		"remove":         {"[{op: remove, path: /jobs/app/timeout-minutes}]", "/jobs/app/timeout-minutes", "", ""},
		"move":           {"[{op: move, from: /jobs/app/timeout-minutes, path: /jobs/app/cancel-timeout-minutes}]", "/jobs/app/cancel-timeout-minutes", "60", ""},
		"copy":           {"[{op: copy, from: /jobs/app/timeout-minutes, path: /x~1y}]", "/x~1y", "60", ""},
		"a wrong test":   {"[{op: test, path: /jobs/app/timeout-minutes, value: 61}]", "", "", "something else"},
		"no such place":  {"[{op: replace, path: /jobs/ap/x, value: 1}]", "", "", `there is no "/jobs/ap/x"`},
		"no value":       {"[{op: add, path: /x}]", "", "", "no value"},
		"out of a list":  {"[{op: add, path: /jobs/app/steps/99, value: 1}]", "", "", "no place"},
		"into a plain":   {"[{op: add, path: /name/x, value: 1}]", "", "", "plain value"},
		"remove nothing": {"[{op: remove, path: /jobs/nothing}]", "", "", "there is no"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(t, "x-ci:\n  github:\n    patches: "+c.xci+"\n"+two)
			out, diags := GitHub(in)
			if c.fault != "" {
				if len(diags) != 1 || diags[0].Code != "patch-does-not-fit" || !strings.Contains(diags[0].Message, c.fault) || diags[0].Line != 3 || out != nil {
					t.Errorf("%v\n%s", diags, out)
				}
				return
			}
			var root yaml.Node
			if err := yaml.Unmarshal(out, &root); err != nil || len(diags) > 0 {
				t.Fatal(err, diags)
			}
			at, err := find(root.Content[0], c.path)
			if (err == nil) != (c.want != "") || err == nil && at.Value != c.want {
				t.Errorf("%s is %v (%v)\n%s", c.path, at, err, out)
			}
		})
	}
	for name, c := range map[string]struct{ patches, fault, where string }{
		"a job that others need":      {"[{op: test, path: /jobs/plan/timeout-minutes, value: 15}, {op: remove, path: /jobs/plan}, {op: add, path: /jobs/app/env, value: {A: b}}]", `remove "/jobs/plan" the job "prefect" needs "plan"`, "{op: remove"},
		"one, and who needs it":       {"[{op: remove, path: /jobs/plan}, {op: remove, path: /jobs/prefect/needs/1}]", "", ""},
		"a need that conditions read": {"[{op: remove, path: /jobs/register/needs/0}]", `the job "register" reads needs.check`, "{op: remove"},
		"outputs":                     {"[{op: add, path: /jobs/register/env, value: {A: '${{ needs.app.outputs.app_imag }}'}}]", "needs.app.outputs.app_imag, and that job has no such output", "{op: add"},
		"outputs that are there":      {"[{op: add, path: /jobs/register/env, value: {A: '${{ needs.app.outputs.app_image }} needs.nothing', B: '${{ toJSON(needs) }} ${{ needs.*.result }}'}}]", "", ""},
		"a new job":                   {"[{op: add, path: /jobs/mine, value: {needs: app, runs-on: x, if: 'needs.check.result', steps: [{run: 'true'}]}}]", `the job "mine" reads needs.check`, "{op: add"},
	} {
		source := "x-ci:\n  github:\n    patches: " + c.patches + "\n" + two
		_, diags := GitHub(input(t, source))
		if c.fault == "" && len(diags) > 0 || c.fault != "" && (len(diags) != 1 || diags[0].Code != "patch-does-not-fit" || !strings.Contains(diags[0].Message, c.fault) || diags[0].Line != 3 || !strings.HasPrefix(strings.Split(source, "\n")[2][diags[0].Column-1:], c.where)) {
			t.Errorf("%s: %v", name, diags)
		}
	}
	if _, diags := GitLab(input(t, "x-ci:\n  gitlab:\n    patches: [{op: remove, path: /hash}, {op: replace, path: /plan/stage, value: plans}, {op: remove, path: /.prefect-step}]\n"+two)); len(diags) != 3 || diags[1].Column != 42 || !strings.Contains(diags[1].Message, `the job "plan" is in the stage "plans"`) || diags[2].Column != 15 || !strings.Contains(diags[2].Message, `the job "app" needs "hash"`) {
		t.Errorf("%v", diags)
	}
	a, b := input(t, "x-ci: {github: {environment: staging, vars: [A]}}\n"+two), input(t, "x-ci: {github: {environment: production, vars: [B]}}\n"+two)
	a.Files = append(a.Files, b.Files...)
	if _, diags := GitHub(a); len(diags) != 1 || diags[0].Code != "conflicting-ci-setting" || len(diags[0].Related) != 1 {
		t.Errorf("%v", diags)
	}
}

// TestTimeouts: a time is for all jobs that run steps, or one for each of some; a name that no job has is a fault where it stands.
func TestTimeouts(t *testing.T) {
	for _, c := range []struct{ github, want, fault string }{
		{"90", "check 10 plan 15 hash 90 app 90 register 90 prefect 5 ", ""},
		{"{app: 90, check: 20}", "check 20 plan 15 hash 60 app 90 register 30 prefect 5 ", ""},
		{"{registr: 90}", "", `names the job "registr"`},
	} {
		out, diags := GitHub(input(t, "x-ci: {github: {timeout-minutes: "+c.github+"}}\n"+two))
		if c.fault != "" {
			if len(diags) != 1 || diags[0].Line != 1 || !strings.Contains(diags[0].Message, c.fault) || !strings.Contains(diags[0].Help, "did you mean register?") {
				t.Errorf("%s: %v", c.github, diags)
			}
			continue
		}
		var root yaml.Node
		if err := yaml.Unmarshal(out, &root); err != nil || len(diags) > 0 {
			t.Fatal(err, diags)
		}
		got, jobs := "", get(root.Content[0], "jobs")
		for i := 0; i < len(jobs.Content); i += 2 {
			got += jobs.Content[i].Value + " " + get(jobs.Content[i+1], "timeout-minutes").Value + " "
		}
		if got != c.want {
			t.Errorf("%s: %s", c.github, got)
		}
	}
	doc := onGitLab(t, "x-ci: {gitlab: {timeout: {app: 1h 30m, plan: 5m}}}\n"+two)
	if of(doc, "app", "timeout") != "1h 30m" || of(doc, "plan", "timeout") != "5m" || of(doc, "register", "timeout") != nil {
		t.Errorf("%v", doc)
	}
}

// TestVariables: each job is given what its templates name and no more, under the name by which a secret or variable is kept.
func TestVariables(t *testing.T) {
	in := input(t, `x-ci: {vars: [REGION], github: {vars: [TEAM], secrets: [DB]}}
build:
- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: 'r/{{ $TEAM }}', tag: '{{ $GITHUB_SHA }}', dockerfile: Dockerfile}
- prefect_docker.deployments.steps.build_docker_image: {id: other, image_name: 'r/x', tag: '1', dockerfile: Dockerfile, buildargs: {P: '{{ prefect.blocks.secret.pip }}', Q: '{{ bare }}'}}
- prefect.deployments.steps.run_shell_script: {id: script, script: ./make.sh}
deployments:
- {name: d, entrypoint: 'f.py:f', parameters: {a: '{{ $REGION }}', b: '{{ $PASSWORD }}', c: '{{ app.image }}', d: '{{ ctx.x }}', e: '{{ $HOME }}', f: '{{ lone }}'}, work_pool: {name: p}}
`)
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(emitted(t, in)), &root); err != nil {
		t.Fatal(err)
	}
	const api = "PREFECT_API_URL=secrets.PREFECT_API_URL PREFECT_API_KEY=secrets.PREFECT_API_KEY PREFECT_API_AUTH_STRING=secrets.PREFECT_API_AUTH_STRING "
	const headers = "PREFECT_CLIENT_CUSTOM_HEADERS=secrets.PREFECT_CLIENT_CUSTOM_HEADERS "
	fields := api + "DB=secrets.DB PASSWORD=secrets.PASSWORD " + headers + "PREFECT_DEFAULT_WORK_POOL_NAME=vars.PREFECT_DEFAULT_WORK_POOL_NAME REGION=vars.REGION lone=secrets.lone " +
		"PREFECT_DEPLOY_OPTIONAL=DB,PASSWORD,PREFECT_CLIENT_CUSTOM_HEADERS,PREFECT_DEFAULT_WORK_POOL_NAME,REGION,lone"
	for job, want := range map[string]string{"check": "", "plan": fields, "register": fields, "prefect": "RESULTS=join(needs.*.result, ' ')",
		"app": "TEAM=vars.TEAM PREFECT_DEPLOY_OPTIONAL=TEAM " + api + headers + "bare=secrets.bare PREFECT_DEPLOY_OPTIONAL=PREFECT_CLIENT_CUSTOM_HEADERS,bare DB=secrets.DB REGION=vars.REGION"} {
		j, err := find(root.Content[0], "/jobs/"+job)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		var got []string
		for _, step := range get(j, "steps").Content {
			env := get(step, "env")
			for i := 0; env != nil && i < len(env.Content); i += 2 {
				if line := env.Content[i].Value + "=" + strings.TrimSuffix(strings.TrimPrefix(env.Content[i+1].Value, "${{ "), " }}"); !seen[line] {
					seen[line] = true
					got = append(got, line)
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is given\n%s\nwant\n%s", job, strings.Join(got, "\n"), strings.ReplaceAll(want, " ", "\n"))
		}
	}
}

func TestNews(t *testing.T) {
	before := "# x\n# secrets: A, B\n# actions: a/b\nname: x\n"
	now := "# x\n# secrets: A, C, D\n# permissions: contents: read\n# actions: a/b\nname: x\n"
	if got := strings.Join(News([]byte(before), []byte(now)), "; "); got != "the secrets C, D; the permissions contents: read" {
		t.Errorf("%s", got)
	}
}

// TestPlanAndRegisterSpeakOfOneTarget: the environment is part of the comment's identity, so a plan without it would be reviewed for nothing.
func TestPlanAndRegisterSpeakOfOneTarget(t *testing.T) {
	for _, written := range []string{"production", "{name: production, url: 'https://example.com'}"} {
		var workflow struct {
			Jobs map[string]struct {
				Steps []struct {
					With map[string]any `yaml:"with"`
				} `yaml:"steps"`
			} `yaml:"jobs"`
		}
		if err := yaml.Unmarshal([]byte(emitted(t, input(t, "x-ci: {github: {environment: "+written+"}}\n"+two))), &workflow); err != nil {
			t.Fatal(err)
		}
		for _, job := range []string{"plan", "register"} {
			found := false
			for _, s := range workflow.Jobs[job].Steps {
				found = found || s.With["environment"] == "production"
			}
			if !found {
				t.Errorf("%s: the job %s does not name it: %v", written, job, workflow.Jobs[job].Steps)
			}
		}
	}
}
