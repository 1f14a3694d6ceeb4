// What each code means, for `compile explain`. A code that a check can report and that has no entry here is caught by a test.
package diag

import (
	"sort"
	"strings"
)

type explanation struct{ code, meaning, fault, cure string }

var explanations = []explanation{
	{"alias-bomb", "Aliases of aliases multiply: a short file stands for millions of values.", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]   # and so on", "Write out what is meant."},
	{"conflicting-ci-setting", "Several files make one pipeline, and x-ci says one thing of it in one and another in the other.", "x-ci: {github: {environment: staging}}      # a/prefect.yaml\nx-ci: {github: {environment: production}}   # b/prefect.yaml", "Write the same in both, or compile the files one by one."},
	{"control-character", "YAML allows no control characters; one usually comes from copying out of a terminal.", "name: a\\x1b[31mb   # an escape character", "Delete the character and type the text anew."},
	{"derived-pull-directory", "Without a pull section Prefect registers the directory of the machine that deploys. On a CI runner that directory is gone before the first run.", "deployments:\n  - name: d\n    entrypoint: flow.py:hello", "pull:\n  - prefect.deployments.steps.git_clone:\n      repository: https://github.com/org/repo.git"},
	{"duplicate-anchor", "An anchor's name stands twice. YAML would let the later one win; Prefect reads nothing of such a file.", "a: &pool {name: x}\nb: &pool {name: y}", "a: &pool {name: x}\nb: &other-pool {name: y}"},
	{"duplicate-deployment", "Two entries have the same flow and the same name, so the second overwrites the first.", "- {name: a, entrypoint: \"f.py:x\"}\n- {name: a, entrypoint: \"f.py:x\"}", "Give one of them another name."},
	{"duplicate-key", "A key stands twice in one mapping; YAML keeps the later one.", "tags: [a]\ntags: [b]", "tags: [a, b]"},
	{"empty-file", "The file holds nothing.", "# only a comment", "deployments:\n  - name: nightly\n    entrypoint: flows/report.py:report\n    work_pool: {name: my-pool}"},
	{"file-too-large", "The file is larger than any prefect.yaml; reading it would take all memory.", "", "Split it: -f can be repeated and takes patterns."},
	{"flow-bad-entrypoint", "An entrypoint is a file and a function, or a module and a function.", "entrypoint: flows/hello.py", "entrypoint: flows/hello.py:my_flow"},
	{"flow-invalid-name", "A flow's name may not hold / % & > <.", "@flow(name=\"a/b\")", "@flow(name=\"a-b\")"},
	{"flow-invalid-parameter", "Prefect refuses a flow with such a parameter when it is imported.", "@flow\ndef f(_private): ...", "@flow\ndef f(private): ..."},
	{"flow-missing-function", "The file of the entrypoint has no function of that name.", "entrypoint: flow.py:helo   # def hello()", "entrypoint: flow.py:hello"},
	{"flow-not-a-flow", "The function of the entrypoint is not decorated with @flow.", "def hello(): ...", "@flow\ndef hello(): ..."},
	{"flow-syntax", "The Python file of the entrypoint can't be read.", "def hello(:", "def hello():"},
	{"image-tag", "prefect-docker's build_docker_image takes tag, not image_tag; Prefect's own document writes image_tag, and Prefect 3 fails on it. Here it is taken as tag.", "image_tag: v1", "tag: v1"},
	{"invalid-anchor-date", "An anchor date is an ISO 8601 date or moment.", "anchor_date: 1st of May", "anchor_date: \"2026-05-01T00:00:00+00:00\""},
	{"invalid-argument", "The function of a step fails on a value of this type, or takes it for something else.", "branch: 5", "branch: \"5\""},
	{"invalid-ci-setting", "A setting under x-ci says something that no pipeline can be made of.", "x-ci: {github: {secrets: [\"DB PASSWORD\"]}}", "x-ci: {github: {secrets: [DB_PASSWORD]}}"},
	{"invalid-concurrency-limit", "A concurrency limit is a number, or a mapping with limit and collision_strategy.", "concurrency_limit: {limit: 2}", "concurrency_limit: {limit: 2, collision_strategy: ENQUEUE}"},
	{"invalid-credentials", "The credentials of a Docker step are a mapping with username, password and registry_url, or a block of the type docker-registry-credentials. Without registry_url the login is one to Docker Hub.", "credentials: docker-registry-credentials/my-registry", "credentials: \"{{ prefect.blocks.docker-registry-credentials.my-registry }}\""},
	{"invalid-cron", "The cron expression means nothing: a field is out of range or missing.", "cron: \"0 25 * * *\"", "cron: \"0 23 * * *\""},
	{"invalid-interval", "An interval is a positive number of seconds, an ISO 8601 duration or a clock time.", "interval: \"600\"", "interval: 600"},
	{"invalid-key", "A mapping or a list stands where a key should; mostly an unquoted {{ … }}.", "? [a]\n: b", "\"[a]\": b"},
	{"invalid-merge", "<< merges a mapping, or a list of mappings.", "<<: text", "<<: *defaults"},
	{"invalid-name", "A deployment's name may not hold / % & > <.", "name: etl/daily", "name: daily"},
	{"invalid-rrule", "The rule does not follow RFC 5545 as dateutil reads it.", "rrule: FREQ=SOMETIMES", "rrule: FREQ=DAILY;INTERVAL=2"},
	{"invalid-schedule", "A schedule has exactly one of cron, interval and rrule.", "- {cron: \"0 0 * * *\", interval: 60}", "- {cron: \"0 0 * * *\"}\n- {interval: 60}"},
	{"invalid-step", "A step is a mapping with one key, the full name of a function, and its arguments below.", "- prefect.deployments.steps.git_clone:\n  repository: x", "- prefect.deployments.steps.git_clone:\n    repository: x"},
	{"invalid-timezone", "The time zone is not one of the IANA database.", "timezone: Mars/Olympus", "timezone: Europe/Berlin"},
	{"invalid-trigger", "Prefect would refuse the trigger when it deploys, after the build: a value of another type, a word that it does not know, a span that is too short.", "- {expect: my.event, posture: Sometimes}", "- {expect: [my.event], posture: Reactive}"},
	{"invalid-value", "The text has the form of a date or a number but is none.", "day: 2026-02-30", "day: \"2026-02-30\""},
	{"invalid-version-type", "A version comes from one of prefect:simple, vcs:github, vcs:gitlab, vcs:bitbucket, vcs:azuredevops and vcs:git.", "version_type: github", "version_type: vcs:github"},
	{"invalid-yaml", "The file is not YAML.", "- name: d\n entrypoint: x", "- name: d\n  entrypoint: x"},
	{"missing-argument", "A step lacks an argument that its function needs.", "- prefect.deployments.steps.run_shell_script: {id: a}", "- prefect.deployments.steps.run_shell_script: {id: a, script: echo hi}"},
	{"missing-entrypoint", "A deployment says nothing of where its flow is; flow_name alone is not enough.", "- {name: d, flow_name: my-flow}", "- {name: d, entrypoint: \"flow.py:my_flow\"}"},
	{"missing-entrypoint-file", "The file of the entrypoint isn't there. Paths are relative to the working directory.", "entrypoint: nowhere.py:hello", "entrypoint: flows/hello.py:hello"},
	{"missing-name", "A deployment without a name can't be selected and --all can't deploy it.", "- {entrypoint: \"flow.py:hello\"}", "- {name: d, entrypoint: \"flow.py:hello\"}"},
	{"missing-work-pool", "A deployment needs a work pool to run.", "- {name: d, entrypoint: \"flow.py:hello\"}", "- {name: d, entrypoint: \"flow.py:hello\", work_pool: {name: my-pool}}"},
	{"no-shell", "run_shell_script starts each line of the script as a program, without a shell: && and > are words that the program is given, and cd is no program.", "script: cd app && make", "script: cd app && make\nshell: true"},
	{"not-a-mapping", "The top level of a prefect.yaml is a mapping.", "- prefect.deployments.steps.git_clone: {…}", "pull:\n  - prefect.deployments.steps.git_clone: {…}"},
	{"output-of-another-deployment", "A shared field refers to the output of a step that only other deployments run. Prefect drops it for this one.", "work_pool: *pool   # its image needs a build step that this deployment switches off", "Give the deployment the step, or a work pool of its own."},
	{"patch-does-not-fit", "A patch under x-ci names a place that the emitted file does not have, a test of it finds something else there, or after it a job needs one, or reads an output, that is gone.", "patches:\n  - {op: replace, path: /jobs/biuld-app/timeout-minutes, value: 90}", "patches:\n  - {op: replace, path: /jobs/build-app/timeout-minutes, value: 90}"},
	{"output-in-name", "A deployment's name is filled from what a step gives. A plan shows what becomes of which deployment, and a pipeline's jobs are made for them, before any step runs.", "name: \"nightly-{{ hash.stdout }}\"", "name: nightly\ntags: [\"{{ hash.stdout }}\"]"},
	{"pipeline-too-large", "GitHub takes workflows of 500 KB, and one that calls at most 50 others: some thousand builds fill them.", "3,000 different images in one prefect.yaml", "Several files, and a workflow for each: compile github -f a/prefect.yaml -o .github/workflows/prefect-a.yml"},
	{"recursive-alias", "An alias stands inside its own anchor.", "a: &a [*a]", "Write out what is meant."},
	{"same-image", "Two builds that are not the same write one image name and tag. The later one of the file stays, and the deployments of both run it.", "- …build_docker_image: {image_name: app, tag: v1, dockerfile: Dockerfile}\n- …build_docker_image: {image_name: app, tag: v1, dockerfile: Dockerfile.gpu}", "- …build_docker_image: {image_name: app, tag: v1, dockerfile: Dockerfile}\n- …build_docker_image: {image_name: app, tag: v1-gpu, dockerfile: Dockerfile.gpu}"},
	{"same-slug", "Two schedules of a deployment have one slug. The server refuses them in a new deployment, and writes one over the other in a live one.", "schedules: [{cron: \"0 6 * * *\", slug: a}, {interval: 600, slug: a}]", "schedules: [{cron: \"0 6 * * *\", slug: a}, {interval: 600, slug: b}]"},
	{"secret-in-clear", "Prefect stores job variables unencrypted, so a Secret block that is filled in at deploy lies open on the server.", "env: {TOKEN: \"{{ prefect.blocks.secret.token }}\"}", "Secret.load(\"token\").get() in the flow"},
	{"secret-name", "A deployment's name is filled from a secret. Names stand in plans, logs, comments, links and on the server, in clear text.", "name: \"nightly-{{ prefect.blocks.secret.token }}\"", "name: nightly"},
	{"several-documents", "The file holds more than one YAML document; Prefect reads only files of one.", "a: 1\n---\nb: 2", "Put the second into a file of its own."},
	{"tags-not-a-list", "Prefect makes one tag of each letter of a text.", "tags: prod", "tags: [prod]"},
	{"two-schedule-keys", "schedule and schedules can't stand together.", "schedule: {…}\nschedules: [{…}]", "schedules: [{…}]"},
	{"undefined-output", "A placeholder refers to an output that no step before it gives. Prefect drops it silently.", "image: \"{{ build-imag.image }}\"", "image: \"{{ build-image.image }}\""},
	{"undefined-pull-output", "A pull step refers to an output that no step before it gives; it would fail when a run pulls.", "directory: \"{{ clone.directory }}\"   # no step has the id clone", "- prefect.deployments.steps.git_clone: {id: clone, …}"},
	{"unknown-argument", "The step's function takes no such argument.", "- prefect.deployments.steps.run_shell_script: {scrip: echo}", "- prefect.deployments.steps.run_shell_script: {script: echo}"},
	{"unknown-key", "Nobody knows the key: Prefect ignores it, and under x-ci so do we.", "is_paused: true", "paused: true"},
	{"unknown-schedule-key", "Schedules are the one place where Prefect forbids unknown keys: it drops the whole file for one.", "- {cron: \"0 0 * * *\", catchup: false}", "- {cron: \"0 0 * * *\"}"},
	{"unknown-step", "Prefect has no such step, or it is not a full name. Where the name may be a function of your own, and nearly is one of Prefect's, it is a warning.", "- prefect.deployments.steps.gitclone: {…}", "- prefect.deployments.steps.git_clone: {…}"},
	{"unknown-tag", "The YAML tag means nothing to Prefect, which then reads nothing of the file.", "token: !secret x", "token: \"{{ prefect.blocks.secret.x }}\""},
	{"unpinned-action", "An action under x-ci is named by a tag or a branch. Whoever can move that runs code of theirs in the job, beside its secrets; a commit can't be moved.", "setup:\n  - uses: docker/login-action@v3", "setup:\n  - uses: docker/login-action@74a5d142397b4f367a81961eba4e8cd7edddf772 # v3.4.0"},
	{"unquoted-template", "YAML reads {{ … }} without quotes as a mapping.", "directory: {{ clone.directory }}", "directory: \"{{ clone.directory }}\""},
	{"unset-placeholder", "No step gives this name. Prefect fills it from an environment variable of that name, if there is one, and drops it otherwise.", "image: \"{{ image }}\"", "image: \"{{ build-image.image }}\"   # or {{ $IMAGE }}"},
	{"unstable-inputs-tag", "The tag of a build is to be the digest of what it reads, and it reads the repository's own folder .git, which no two clones have alike: the image would be built anew by each.", "x-ci: {steps: {app: {tag: inputs}}}   # and no .dockerignore", "echo .git >> .dockerignore"},
	{"unusable-id", "An id with such characters can't be named in a template.", "id: \"build-image`\"", "id: build-image"},
	{"unusable-path", "A pipeline names the file and its directory in lists; a comma or a sign that does not show would break them.", "-f 'a,b/prefect.yaml'", "-f a-b/prefect.yaml"},
	{"wrong-encoding", "Prefect reads UTF-8.", "", "Save the file as UTF-8."},
	{"wrong-type", "The value is not of the type that is read here; Prefect drops the whole file for it.", "version: 2", "version: \"2\""},
}

// Codes are all codes, in order.
func Codes() []string {
	out := make([]string, len(explanations))
	for i, e := range explanations {
		out[i] = e.code
	}
	sort.Strings(out)
	return out
}

// Meaning is the first sentence of what a code means, "" for one that nobody knows.
func Meaning(code string) string {
	for _, e := range explanations {
		if e.code == code {
			first, _, _ := strings.Cut(e.meaning, ". ")
			return strings.TrimSuffix(first, ".")
		}
	}
	return ""
}

// Explain returns what a code means, with an example of the fault and its cure.
func Explain(code string) (string, bool) {
	for _, e := range explanations {
		if e.code != code {
			continue
		}
		text := e.code + "\n\n" + e.meaning + "\n"
		if e.fault != "" {
			text += "\nWrong:\n" + indent(e.fault)
		}
		return text + "\nRight:\n" + indent(e.cure), true
	}
	return "", false
}

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n" }
