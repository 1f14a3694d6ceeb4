// The pipeline for GitLab. Its jobs: `check` brings the programs and holds the files and the pipeline itself against each other; `plan` shows a merge request what would change; one job for each thing to build;
// `register` writes the deployments with what the jobs gave.
//
// Facts of the platform that shaped it (its reference of .gitlab-ci.yml, and docs/pipelines.md):
//
//   - A job has at most 50 `needs`. One that waits for more stands in a later stage without any: it then waits for all of the stages before and gets all of their artifacts.
//   - As soon as one of a job's `needs` is skipped, which is one that needed a failed job, GitLab waits for no other of them. A job that is to run nevertheless (`when: always`) would start too early, so it has no `needs` either.
//   - `when: always` runs a job whatever became of those that it needs, skipped ones too. So `register` runs after a failed build, which concerns only the deployments that need it; the failed job itself makes the
//     pipeline red. As that would also let it run after a failed check, each job looks for the file that `check` leaves at its end.
//   - A dotenv report that is too large fails its job; the runtime keeps to the limits (5 KB, 20 variables). What must arrive travels in JSON, the report is for other jobs of the project.
//   - Artifacts and the cache are unpacked into the checkout, where an image's build context would take them in. Each job moves them beside it first.
//   - All variables of the project are there in every job, and one that is not set is really not set, so none has to be passed or named.
//   - Variables in `variables:`, `cache:` and `environment:` are filled by GitLab, in `script:` by the shell.
package emit

import (
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

const (
	// inRequest and onDefault are the two kinds of pipelines. A merge request's has no CI_COMMIT_BRANCH, so a push to a branch with an open merge request makes one pipeline and not two.
	inRequest = `$CI_PIPELINE_SOURCE == "merge_request_event"`
	onDefault = `$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH`
	// mostNeeds is GitLab's own bound.
	mostNeeds = 50
	// base is the job that all others extend; those that run steps extend the second, those that need Docker the third.
	base      = ".prefect"
	baseStep  = ".prefect-step"
	baseImage = ".prefect-docker"
	// source is before the name of a repository.
	source = "https://github.com/"
	// handed is where artifacts are unpacked and picked up, beside is where they are kept while a job runs.
	handed = ".prefect-deploy"
	beside = `"$PWD.prefect-deploy"`
	// packages is where GitLab keeps what pip downloaded; a cache's key is made of at most so many files.
	packages     = ".prefect-deploy-pip"
	mostKeyFiles = 2
)

// GitLab is the pipeline. The faults are those of x-ci: nothing else can be wrong with what was checked before.
func GitLab(in *Input) ([]byte, diag.List) {
	g := gitlab{Input: in, settings: in.settingsOf("gitlab"), pipeline: Cut(in.Graph, in.Deployments)}
	g.arrange()
	root := g.document()
	diags := append(g.settings.diags, g.settings.ofNoJob("timeout", g.jobNames())...)
	diags = append(diags, patched(root, g.settings.patches, looseGitLab)...)
	if diags.Errors(false) > 0 {
		return nil, diags
	}
	return encode(in.head("gitlab", g.facts(root), ofContent(root)), root, 0), diags
}

type gitlab struct {
	*Input
	settings *settings
	pipeline *Pipeline
	// stage is a job's place among the stages of builds, from 0; names is what GitLab knows it by.
	stage  map[*Job]int
	names  map[*Job]string
	stages int
	// jobs are those that build; docker tells that one of them needs an engine.
	jobs   []*yaml.Node
	docker bool
}

// keywords are what GitLab takes for something else than a job's name, also where its reader of YAML does.
var keywords = []string{"after_script", "before_script", "cache", "default", "false", "image", "include", "n", "nil", "no", "null", "off", "on", "pages", "services", "spec", "stages", "true", "types", "variables", "workflow", "y", "yes"}

// arrange gives jobs names and stages.
func (g *gitlab) arrange() {
	g.stage, g.names = map[*Job]int{}, map[*Job]string{}
	taken := map[string]bool{}
	for _, j := range g.pipeline.Jobs {
		taken[strings.ToLower(j.ID)] = true
	}
	for _, j := range g.pipeline.Jobs {
		name := j.ID
		for slices.Contains(keywords, strings.ToLower(name)) || name != j.ID && taken[strings.ToLower(name)] {
			name += "-job"
		}
		taken[strings.ToLower(name)] = true
		g.names[j] = name
		for _, n := range j.Needs {
			at := g.stage[n]
			if g.staged(j.Needs, j.Loose) {
				at++
			}
			g.stage[j] = max(g.stage[j], at)
		}
		g.stages = max(g.stages, g.stage[j]+1)
	}
}

// crowded reports whether jobs and `check` are more than a job may need.
func (g *gitlab) crowded(jobs int) bool { return jobs+1 > mostNeeds }

// staged reports whether a job that runs after others waits for stages in place of `needs`: there are too many, or one of them may be skipped and it runs always.
func (g *gitlab) staged(needs []*Job, always bool) bool {
	return g.crowded(len(needs)) || always && slices.ContainsFunc(needs, func(n *Job) bool { return len(n.Needs) > 0 && !g.loose(n) })
}

// stageName is the stage of builds with a number.
func stageName(i int) string {
	if i == 0 {
		return "build"
	}
	return "build-" + number(i+1).Value
}

func (g *gitlab) document() *yaml.Node {
	stages := []string{"check", "plan"}
	for i := range g.stages {
		stages = append(stages, stageName(i))
	}
	root := mapping("workflow", mapping("rules", list(mapping("if", inRequest), mapping("if", g.deploys()))), "stages", append(stages, "register"), base, g.base())
	for _, j := range g.pipeline.Jobs {
		g.jobs = append(g.jobs, g.build(j))
	}
	g.templates(root)
	put(root, "check", g.check())
	put(root, "plan", g.plan())
	for i, j := range g.pipeline.Jobs {
		put(root, g.names[j], g.jobs[i])
		root.Content[len(root.Content)-2].LineComment = "# " + some(j.Deployments)
	}
	put(root, "register", g.register())
	return root
}

// base is what all jobs have.
func (g *gitlab) base() *yaml.Node {
	name, ref, _ := strings.Cut(g.Action, "@")
	if pin, ok := g.Pins[name]; ok {
		ref = pin.Ref
	}
	return mapping("image", g.settings.node("image", g.image(golang)), "tags", g.settings.node("tags", nil),
		"variables", mapping("PREFECT_DEPLOY_SOURCE", unfilled(source+name), "PREFECT_DEPLOY_REF", unfilled(ref), "GIT_DEPTH", "1"),
		"before_script", g.before(g.unpack()))
}

// unfilled is a text in which GitLab fills nothing.
func unfilled(s string) *yaml.Node { return text(strings.ReplaceAll(s, "$", "$$")) }

// filled is what GitLab makes of such a text.
func filled(s string) string { return strings.ReplaceAll(s, "$$", "$") }

// before is x-ci.gitlab.before_script between what comes first and what may need it.
func (g *gitlab) before(first *yaml.Node, then ...*yaml.Node) *yaml.Node {
	out := list(first)
	for _, v := range g.settings.lists["before_script"] {
		out.Content = append(out.Content, ofValue(v))
	}
	out.Content = append(out.Content, then...)
	return out
}

// unpack moves what earlier jobs gave beside the checkout.
func (g *gitlab) unpack() *yaml.Node {
	return script(
		"work="+beside,
		`rm -rf "$work" && mkdir -p "$work/giving"`,
		"if [ -d "+handed+" ]; then cp -R "+handed+`/. "$work" && rm -rf `+handed+"; fi",
		`if [ ! -e "$work/checked" ]; then echo "the job check did not end well, so nothing runs"; exit 1; fi`,
		`export PATH="$work/bin:$PATH"`)
}

// pack lays the outputs of a job where artifacts are taken from, also when it failed half-way.
func (g *gitlab) pack() *yaml.Node {
	return list(script(
		"work="+beside,
		"mkdir -p "+handed+"/given",
		`for file in "$work"/giving/*.json; do if [ -e "$file" ]; then cp "$file" `+handed+"/given/; fi; done",
		`if [ -e "$work/dotenv" ]; then cp "$work/dotenv" `+handed+"/; fi"))
}

// check brings the programs, unless the image has them, and hands them on: a job for Docker then needs no Go. They are built from source at the ref, which for a commit is a pin by content, whatever path the module has.
func (g *gitlab) check() *yaml.Node {
	bring := script(
		"if ! command -v compile >/dev/null || ! command -v run >/dev/null; then",
		"  export GOPATH=\"$PWD/"+handed+"-go\" GOCACHE=\"$PWD/"+handed+"-go/cache\" GOFLAGS=-modcacherw CGO_ENABLED=0",
		`  source="$(mktemp -d)"`,
		`  git init -q "$source"`,
		`  git -C "$source" fetch -q --depth 1 "$PREFECT_DEPLOY_SOURCE" "$PREFECT_DEPLOY_REF"`,
		`  git -C "$source" checkout -q FETCH_HEAD`,
		"  mkdir -p "+handed+"/bin",
		`  go build -C "$source" -o "$PWD/`+handed+`/bin/" ./cmd/compile ./cmd/run`,
		`  rm -rf "$source"`,
		`  export PATH="$PWD/`+handed+`/bin:$PATH"`,
		"fi")
	return mapping("extends", base, "stage", "check", "needs", flow(list()), "interruptible", true, "timeout", g.timeout("check"),
		"cache", mapping("key", "prefect-deploy-$PREFECT_DEPLOY_REF", "paths", []string{handed + "-go/"}),
		"before_script", g.before(nil, bring),
		"script", list(text("compile check"+g.places()), text("compile gitlab"+g.places()+" --check "+quote(g.atRoot())), text("mkdir -p "+handed+" && touch "+handed+"/checked")),
		"artifacts", mapping("paths", []string{handed + "/"}, "expire_in", "1 day"))
}

// atRoot is the emitted file as seen from the repository's root.
func (g *gitlab) atRoot() string {
	if g.File == "" {
		return ".gitlab-ci.yml"
	}
	return g.File
}

// plan posts what would change. A fork's pipeline runs in the fork, without this project's variables, and a branch that is not protected is given no protected ones: such a plan is made against what its base declares.
func (g *gitlab) plan() *yaml.Node {
	choose := script(
		"set --",
		`if [ -n "$CI_MERGE_REQUEST_DIFF_BASE_SHA" ]; then`,
		`  set -- --base "$CI_MERGE_REQUEST_DIFF_BASE_SHA"`,
		`  server="$PREFECT_API_URL"`,
		`  case "$server" in https://api.prefect.cloud/*) server="$PREFECT_API_KEY" ;; esac`,
		`  if [ -z "$server" ]; then`,
		`    echo "No Prefect server can be asked here: PREFECT_API_URL or PREFECT_API_KEY is not given to this pipeline, as it is a fork's or the variable is protected and the branch is not. The plan is made against what the base commit declares."`,
		`    set -- "$@" --state "git:$CI_MERGE_REQUEST_DIFF_BASE_SHA"`,
		"  fi",
		"fi",
		"mkdir -p "+handed,
		"run plan --all"+g.places()+` "$@" --json "$PWD/`+handed+`/plan.json" --markdown "$PWD/`+handed+`/plan.md"`)
	post := `run comment --plan "$PWD/` + handed + `/plan.json"` + g.noteOptions()
	return mapping("extends", base, "stage", "plan", "rules", list(mapping("if", inRequest)), "needs", []string{"check"}, "interruptible", true, "timeout", g.timeout("plan"),
		"script", list(choose, text(post)),
		"artifacts", mapping("paths", []string{handed + "/plan.json", handed + "/plan.md"}, "expose_as", "Prefect plan", "expire_in", "1 week"))
}

// templates puts what the jobs that run steps have in common, where there are any.
func (g *gitlab) templates(root *yaml.Node) {
	if len(g.jobs) > 0 {
		put(root, baseStep, mapping("extends", base, "rules", list(mapping("if", g.deploys())), "after_script", g.pack(),
			"artifacts", mapping("when", "always", "paths", []string{handed + "/given/"}, "expire_in", "1 day")))
	}
	if !g.docker {
		return
	}
	var image, services, variables any
	if g.settings.node("image", nil) == nil {
		image = g.image(dockerCLI)
	}
	if !g.socket() {
		services, variables = list(text(g.image(dockerEngine))), mapping("DOCKER_TLS_CERTDIR", "/certs")
	}
	put(root, baseImage, mapping("extends", baseStep, "image", image, "services", services, "variables", variables, "before_script", g.before(g.unpack(), engine(), builder())))
}

// noteOptions are what makes the note's identity.
func (g *gitlab) noteOptions() string {
	if name := environmentName(g.settings.node("environment", nil)); name != "" {
		return g.places() + " --environment " + quote(name)
	}
	return g.places()
}

// build is a job of the pipeline.
func (g *gitlab) build(j *Job) *yaml.Node {
	calls := g.lower(j)
	variables, extends := mapping(), baseStep
	if depthFor(j.Steps) == 0 {
		put(variables, "GIT_DEPTH", text("0"))
	}
	if j.Stacked {
		put(variables, "BUILDX_BUILDER", text("default"))
	}
	if calls.docker {
		g.docker, extends = true, baseImage
	}
	var artifacts any
	if calls.dotenv {
		artifacts = mapping("reports", flow(mapping("dotenv", handed+"/dotenv")))
	}
	job := mapping("extends", extends, "stage", stageName(g.stage[j]), "rules", g.rules(j), "needs", g.needs(j.Needs, j.Loose), "timeout", g.timeout(g.names[j]), "variables", orNone(variables), "script", calls.script, "artifacts", artifacts)
	if !calls.docker { // a cache must not get into what is published
		g.keepPackages(job, j)
	}
	return job
}

// keepPackages lets a job find what pip downloaded the last time. GitLab's cache is of directories in the checkout, so pip's is moved beside it as long as steps run.
func (g *gitlab) keepPackages(job *yaml.Node, j *Job) {
	var files []string
	for _, s := range j.Steps {
		if file, directory, ok := requirementsOf(s); ok {
			files = append(files, path.Join(g.Within, directory, file))
		}
	}
	slices.Sort(files)
	if files = slices.Compact(files); len(files) == 0 {
		return
	}
	lines := get(job, "script")
	lines.Content = append([]*yaml.Node{text(`if [ -d ` + packages + ` ]; then mv ` + packages + ` "$work/pip"; fi; export PIP_CACHE_DIR="$work/pip"`)}, lines.Content...)
	after := g.pack()
	after.Content = append(after.Content, text(`if [ -d "$PWD.prefect-deploy/pip" ]; then rm -rf `+packages+` && mv "$PWD.prefect-deploy/pip" `+packages+`; fi`))
	put(job, "after_script", after)
	put(job, "cache", mapping("key", mapping("files", files[:min(len(files), mostKeyFiles)], "prefix", "prefect-pip"), "paths", []string{packages + "/"}))
}

// jobNames are those of all jobs.
func (g *gitlab) jobNames() []string {
	names := []string{"check", "plan"}
	for _, j := range g.pipeline.Jobs {
		names = append(names, g.names[j])
	}
	return append(names, "register")
}

// timeout is how long a job may run, nil for what the project says.
func (g *gitlab) timeout(job string) any {
	if n := g.settings.ofJob("timeout", job, job != "check" && job != "plan"); n != nil {
		return n
	}
	return nil
}

// orNone is a mapping, nil when it is empty.
func orNone(m *yaml.Node) *yaml.Node {
	if len(m.Content) == 0 {
		return nil
	}
	return m
}

// needs are check and the jobs before, nil where the stages have to do.
func (g *gitlab) needs(jobs []*Job, always bool) any {
	if g.staged(jobs, always) {
		return nil
	}
	needs := []string{"check"}
	for _, j := range jobs {
		needs = append(needs, g.names[j])
	}
	return needs
}

// socket reports whether the runners give jobs the machine's own Docker, so that no service is wanted.
func (g *gitlab) socket() bool {
	n := g.settings.node("docker", nil)
	return n != nil && n.Value == "socket"
}

// register writes the deployments, one pipeline at a time.
func (g *gitlab) register() *yaml.Node {
	environment := g.settings.node("environment", nil)
	group := "prefect"
	if name := environmentName(environment); name != "" {
		group += "-" + name
	}
	variables := mapping()
	if depthFor(g.pipeline.Last) == 0 {
		put(variables, "GIT_DEPTH", text("0"))
	}
	deploy := "run deploy --all" + g.places()
	if len(g.pipeline.Jobs) > 0 {
		deploy += ` --keep-going --from "$work/given/*.json"`
		if len(g.pipeline.Last) == 0 {
			deploy += " --skip-build"
		}
		for _, s := range g.pipeline.Last {
			deploy += " --step " + quote(s.Key)
		}
	}
	act := script(
		"set --",
		`case "$CI_COMMIT_BEFORE_SHA" in *[1-9a-f]*) set -- --base "$CI_COMMIT_BEFORE_SHA" ;; esac`,
		"status=0",
		deploy+` "$@" --json "$work/result.json" || status=$?`,
		`if [ -e "$work/result.json" ]; then run comment --result "$work/result.json"`+g.noteOptions()+" || true; fi",
		`exit "$status"`)
	return mapping("extends", base, "stage", "register", "rules", list(mapping("if", g.deploys(), "when", "always")), "needs", g.needs(g.pipeline.Jobs, true),
		"timeout", g.timeout("register"), "resource_group", group, "environment", environment, "variables", orNone(variables), "script", list(act))
}

// places are the options that say where the files are.
func (g *gitlab) places() string {
	out := ""
	if g.Within != "" {
		out = " -C " + quote(g.Within)
	}
	return out + g.files()
}

// files are the options that name the files.
func (g *gitlab) files() string {
	if len(g.Patterns) == 1 && g.Patterns[0] == "prefect.yaml" {
		return ""
	}
	out := ""
	for _, p := range g.Patterns {
		out += " -f " + quote(p)
	}
	return out
}

// quote writes a word for a shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && r != '.' && r != '/' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) && s[0] != '-' {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
