// The workflow for GitHub. Its jobs: `check` holds the files and the workflow itself against each other; `plan` shows a pull request what would change; one job for each thing to build; `register` writes the
// deployments with what the jobs gave; `prefect` is always run and ends as all others did, so that branch protection can require one name.
//
// Facts of the platform that shaped it (docs.github.com and docs/pipelines.md): a required check of a workflow that `paths:` filters hangs for ever, so nothing is filtered here; a job that is skipped counts as a success; outputs that
// hold a masked text are dropped, so what must arrive travels as an artifact; a secret or variable that is not set arrives as an empty text, so the names of those passed are listed in PREFECT_DEPLOY_OPTIONAL.
package emit

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

const (
	// given holds what the steps of earlier jobs gave, giving what those of this job do.
	given  = "${{ runner.temp }}/prefect-given"
	giving = "${{ runner.temp }}/prefect-giving"
)

// GitHub is the workflow. The faults are those of x-ci: nothing else can be wrong with what was checked before.
//
// It is in one file, whatever the size: GitHubFiles heeds the limit of a file.
func GitHub(in *Input) ([]byte, diag.List) {
	g, root, diags := newGitHub(in)
	if diags.Errors(false) > 0 {
		return nil, diags
	}
	return g.document(root, g.sizeOfAll(root)), diags
}

func newGitHub(in *Input) (*github, *yaml.Node, diag.List) {
	g := githubOf(in)
	root := g.fit(g.workflow())
	g.settings.diags = append(g.settings.diags, g.settings.ofNoJob("timeout-minutes", keysOf(get(root, "jobs")))...)
	if len(g.settings.patches) > 0 {
		clear(g.sizes)
	}
	return g, root, append(g.settings.diags, patched(root, g.settings.patches, looseGitHub)...)
}

func githubOf(in *Input) *github {
	g := &github{Input: in, settings: in.settingsOf("github"), pipeline: Cut(in.Graph, in.Deployments), used: used(in), reads: map[*graph.Step]reading{}, sizes: map[*yaml.Node]int{}}
	g.target = g.ofTarget()
	return g
}

// document is a workflow with its head; room is about how long it will be.
func (g *github) document(root *yaml.Node, room int) []byte {
	jobs := survey(get(root, "jobs"))
	return g.documentOf(root, jobs, room)
}

// documentOf is the same where its jobs were looked through already.
func (g *github) documentOf(root *yaml.Node, jobs surveyed, room int) []byte {
	all := surveyAround(root, jobs)
	return encode(g.head("github", all.facts(), all.content), root, room)
}

type github struct {
	*Input
	settings *settings
	pipeline *Pipeline
	// used are the steps whose outputs something refers to.
	used map[*graph.Step]bool
	// reads are the variables that steps read, target those of the jobs that plan and register.
	reads  map[*graph.Step]reading
	target environment
	// sizes are about how many bytes jobs take, as long as no patch may have changed them.
	sizes map[*yaml.Node]int
	// compact are the jobs that would be too large for a file otherwise (scale.go), and how far they are written shorter.
	compact map[string]shortness
}

func (g *github) workflow() *yaml.Node {
	on := mapping("pull_request", flow(mapping("types", []string{"opened", "synchronize", "reopened", "ready_for_review", "closed"})),
		"merge_group", empty(), "push", flow(mapping("branches", g.starts())), "workflow_dispatch", empty())
	jobs := mapping("check", g.check(), "plan", g.plan())
	builds := make([]*yaml.Node, len(g.pipeline.Jobs))
	sizes := make([]int, len(builds))
	sideBySide(len(builds), func(i int) {
		builds[i] = g.build(g.pipeline.Jobs[i])
		sizes[i] = atMost(builds[i], 4)
	})
	for i, j := range g.pipeline.Jobs {
		put(jobs, j.ID, builds[i])
		jobs.Content[len(jobs.Content)-2].LineComment = "# " + some(j.Deployments)
		g.sizes[builds[i]] = sizes[i]
	}
	put(jobs, "register", g.register())
	put(jobs, "prefect", g.last())
	root := mapping("name", strings.TrimSpace("Prefect deployments "+g.subject()), "on", on, "permissions", flow(mapping()),
		"concurrency", mapping("group", g.group(), "cancel-in-progress", "${{ github.event_name == 'pull_request' }}"), "jobs", jobs)
	root.Content[2].Style = 0 // GitHub reads YAML 1.2, in which on is a text
	return root
}

// some are the first names of a list.
func some(names []string) string {
	if len(names) > 3 {
		return oneLine(fmt.Sprintf("%s and %d more", strings.Join(names[:2], ", "), len(names)-2))
	}
	return oneLine(strings.Join(names, ", "))
}

// empty is a key without a value.
func empty() *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"} }

func (g *github) runsOn() *yaml.Node { return g.settings.node("runs-on", "ubuntu-latest") }

// minutes are how long a job may run: what x-ci says of all that run steps, or of this one, else usual.
func (g *github) minutes(job string, usual int) any {
	if n := g.settings.ofJob("timeout-minutes", job, job == "register" || !slices.Contains(reserved, job)); n != nil {
		return n
	}
	return usual
}

func (g *github) check() *yaml.Node {
	return mapping("if", "github.event.action != 'closed'"+g.idle(), "runs-on", g.runsOn(), "timeout-minutes", g.minutes("check", 10), "permissions", flow(g.ofCheck()),
		"steps", list(g.checkout(1), g.action("", "check", g.places()), g.first()))
}

// binds tells whether only what was reviewed may be written. Then the first job refuses what was not, before anything is built.
func (g *github) binds() bool {
	n := g.settings.node("plan-policy", nil)
	return n != nil && n.Value == "require"
}

// ofCheck are the permissions of the job check: to read what was reviewed it reads comments, and the last deploy.
func (g *github) ofCheck() *yaml.Node {
	if !g.binds() {
		return mapping("contents", "read")
	}
	return mapping("contents", "read", "pull-requests", "read", "deployments", "read")
}

// first is the refusal of what was not reviewed, nil where nothing binds.
func (g *github) first() *yaml.Node {
	if !g.binds() {
		return nil
	}
	with := append(g.places(), "all-deployments", true)
	if name := environmentName(g.settings.node("environment", nil)); name != "" {
		with = append(with, "environment", name)
	}
	step := g.withEnv(g.action("", "review", g.bound(with)), g.target, true)
	step.Content = append([]*yaml.Node{text("if"), text(g.lands())}, step.Content...)
	return step
}

// bound adds what binds a deploy to what was reviewed.
func (g *github) bound(with []any) []any {
	if n := g.settings.node("plan-policy", nil); n != nil {
		with = append(with, "plan-policy", n)
	}
	if n := g.settings.node("plan-key", nil); n != nil {
		with = append(with, "plan-key", text("${{ secrets."+n.Value+" }}"))
	}
	return with
}

func (g *github) plan() *yaml.Node {
	with := g.bound(append(g.places(), "all-deployments", true))
	if name := environmentName(g.settings.node("environment", nil)); name != "" { // part of the comment's identity: what is planned here is what register looks for
		with = append(with, "environment", name)
	}
	return mapping("if", proposed, "runs-on", g.runsOn(), "timeout-minutes", g.minutes("plan", 15), "permissions", flow(mapping("contents", "read", "pull-requests", "write")),
		"steps", list(g.checkout(1), g.withEnv(g.action("", "auto", with), g.target, true)))
}

// places are the inputs that say where the files are.
func (g *github) places() []any {
	var with []any
	if files := strings.Join(g.Patterns, "\n"); files != "prefect.yaml" {
		with = append(with, "deployment-file-path", literal(files))
	}
	if g.Within != "" {
		with = append(with, "working-directory", literal(g.Within))
	}
	return with
}

// checkout gets the code, and all of its history where a step may ask git for more than the commit.
func (g *github) checkout(depth int) *yaml.Node {
	with := mapping("persist-credentials", false)
	if depth == 0 {
		put(with, "fetch-depth", number(0))
	}
	return mapping("uses", g.uses("actions/checkout"), "with", with)
}

// action is a step that calls this project's action.
func (g *github) action(id, mode string, with []any) *yaml.Node {
	var as any
	if id != "" {
		as = id
	}
	return mapping("id", as, "uses", g.ours(), "with", mapping(append([]any{"mode", mode}, with...)...))
}

// withEnv passes variables to a step, and the Prefect API.
func (g *github) withEnv(step *yaml.Node, env environment, api bool) *yaml.Node {
	vars := mapping()
	if api {
		for _, name := range []string{"PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING"} {
			putText(vars, name, "${{ "+g.sourceOf(name)+" }}")
		}
	}
	names := env.names()
	if api && !env[headersVariable] {
		names = append(names, headersVariable)
		sort.Strings(names)
	}
	for _, name := range names {
		putText(vars, name, "${{ "+g.sourceOf(name)+" }}")
	}
	if len(names) > 0 {
		putText(vars, "PREFECT_DEPLOY_OPTIONAL", strings.Join(names, ","))
	}
	if len(vars.Content) > 0 {
		put(step, "env", vars)
	}
	return step
}

// build is a job of the pipeline.
func (g *github) build(j *Job) *yaml.Node {
	steps := list(g.checkout(depthFor(j.Steps)))
	setup, token := g.setupOf(j.Steps)
	steps.Content = append(steps.Content, setup...)
	if len(j.Needs) > 0 {
		steps.Content = append(steps.Content, g.download())
	}
	calls := g.lower(j)
	steps.Content = append(steps.Content, calls.nodes...)
	steps.Content = append(steps.Content, g.upload(j))
	needs := []string{"check"}
	for _, n := range j.Needs {
		needs = append(needs, n.ID)
	}
	return mapping("if", g.when(j), "needs", needs, "runs-on", g.runsOn(), "timeout-minutes", g.minutes(j.ID, 60), "env", ownBuilder(j), "permissions", flow(permissions(token, "contents", "read")), "outputs", calls.outputs, "steps", steps)
}

// ownBuilder makes the engine's own builder the one of a job whose builds stand on each other, whatever a step of the setup chose; nil for others.
func ownBuilder(j *Job) any {
	if j.Stacked {
		return mapping("BUILDX_BUILDER", "default")
	}
	return nil
}

// setup is x-ci.github.setup, with the pins that the file has, as long as x-ci is what it was made of.
func (g *github) setup() *yaml.Node {
	out := list()
	for _, v := range g.settings.lists["setup"] {
		step := ofValue(v)
		if uses := get(step, "uses"); uses != nil && g.SettingsUnchanged {
			name, _, _ := strings.Cut(uses.Value, "@")
			if pin, ok := g.Pins[name]; ok {
				*uses = *pinned(name, pin)
			}
		}
		out.Content = append(out.Content, step)
	}
	return out
}

// permissions are what a job may do; a login by OpenID Connect in its setup needs a token for that.
func permissions(token bool, pairs ...any) *yaml.Node {
	m := mapping(pairs...)
	if token {
		put(m, "id-token", text("write"))
	}
	return m
}

func (g *github) download() *yaml.Node {
	return mapping("uses", g.uses("actions/download-artifact"), "with", mapping("pattern", "prefect-outputs-*", "merge-multiple", true, "path", given))
}

func (g *github) upload(j *Job) *yaml.Node {
	return mapping("if", "always()", "uses", g.uses("actions/upload-artifact"), "with",
		mapping("name", "prefect-outputs-"+j.ID, "path", giving+"/*.json", "if-no-files-found", "ignore", "retention-days", 1, "overwrite", true))
}

// depthFor is how much history a job's steps may need: one commit, or all of it where a script asks git, or may.
func depthFor(steps []*graph.Step) int {
	for _, s := range steps {
		switch resolve.Canonical(s.Function) {
		case resolve.BuildDockerImage, resolve.PushDockerImage, resolve.SetWorkingDirectory, resolve.PipInstall:
		case resolve.RunShellScript:
			written, _ := s.Inputs.Get("script")
			if !onlyHead(written.Text) {
				return 0
			}
		default:
			return 0
		}
	}
	return 1
}

// onlyHead reports whether a script asks git for nothing but the commit that is checked out.
func onlyHead(script string) bool {
	for _, line := range strings.Split(script, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "echo" || words[0] == "cat" || words[0] == "date":
		case len(words) > 2 && words[0] == "git" && words[1] == "rev-parse" && words[len(words)-1] == "HEAD":
		default:
			return false
		}
	}
	return true
}

// register writes the deployments, also when a build failed: that concerns only the deployments that need it.
func (g *github) register() *yaml.Node {
	needs := []string{"check"}
	for _, j := range g.pipeline.Jobs {
		needs = append(needs, j.ID)
	}
	environment, steps := g.settings.node("environment", nil), list(g.checkout(depthFor(g.pipeline.Last)))
	token := false
	if len(g.pipeline.Last) > 0 {
		var setup []*yaml.Node
		setup, token = g.setupOf(g.pipeline.Last)
		steps.Content = append(steps.Content, setup...)
	}
	with := g.bound(append(g.places(), "all-deployments", true))
	if name := environmentName(environment); name != "" {
		with = append(with, "environment", name)
	}
	if len(g.pipeline.Jobs) > 0 {
		steps.Content = append(steps.Content, g.download())
		with = append(with, "from", given+"/*.json", "results", g.results())
	}
	env := g.target
	if len(g.pipeline.Last) == 0 {
		if len(g.pipeline.Jobs) > 0 {
			with = append(with, "skip-build", true)
		}
	} else {
		var keys []string
		for _, s := range g.pipeline.Last {
			keys = append(keys, s.Key)
		}
		with = append(with, "step", strings.Join(keys, ","))
		own, _ := g.passed(g.pipeline.Last)
		env = env.and(own)
	}
	steps.Content = append(steps.Content, g.withEnv(g.action("", "deploy", with), env, true))
	return mapping("if", "${{ !cancelled() && needs.check.result == 'success' && "+g.lands()+" }}", "needs", needs, "runs-on", g.runsOn(), "environment", environment,
		"timeout-minutes", g.minutes("register", 30), "permissions", flow(permissions(token, "contents", "read", "pull-requests", "write", "deployments", "write")), "steps", steps)
}

// results tell the runtime how the jobs before ended. A run that is started again finds the artifacts of the attempts before, which it needs of the jobs that are not run again, and must not take of those that now failed.
func (g *github) results() *yaml.Node {
	var lines []string
	for _, j := range g.pipeline.Jobs {
		lines = append(lines, j.ID+"="+resultOf(j.ID))
	}
	return script(lines...)
}

func resultOf(job string) string { return "${{ needs." + job + ".result }}" }

// environmentName is the name of x-ci.github.environment, which is a text or a mapping with a name.
func environmentName(n *yaml.Node) string {
	switch {
	case n == nil:
		return ""
	case n.Kind == yaml.ScalarNode:
		return n.Value
	}
	if name := get(n, "name"); name != nil {
		return name.Value
	}
	return ""
}

// last is the one check for branch protection to require.
func (g *github) last() *yaml.Node {
	needs := []string{"check", "plan"}
	for _, j := range g.pipeline.Jobs {
		needs = append(needs, j.ID)
	}
	return mapping("name", g.required(), "if", "always()"+g.idle(), "needs", append(needs, "register"), "runs-on", g.runsOn(), "timeout-minutes", g.minutes("prefect", 5), "permissions", flow(mapping()),
		"steps", list(mapping("shell", "bash", "env", mapping("RESULTS", "${{ join(needs.*.result, ' ') }}"), "run", script(
			`for result in $RESULTS; do`,
			`  case "$result" in`,
			`    success | skipped) ;;`,
			`    *) echo "::error::a job ended with $result, see above"; exit 1 ;;`,
			`  esac`,
			`done`))))
}
