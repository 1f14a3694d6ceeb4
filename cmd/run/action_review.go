package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/forge"
	"github.com/org/prefect-deploy-action/runner/git"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/prefect"
	"github.com/org/prefect-deploy-action/runner/report"
	"github.com/org/prefect-deploy-action/runner/review"
)

// meet reads the event and prepares the way to the pull request. Without a token or a repository there is none, nor with comment: false, unless plan-policy: require needs
// it to read what was reviewed.
func (a *action) meet() error {
	get := func(name string) string {
		v, _ := a.w.Env(name)
		return v
	}
	var payload []byte
	if path := get("GITHUB_EVENT_PATH"); path != "" {
		payload, _ = os.ReadFile(path) // what can't be read was told when the mode was picked
	}
	event, err := forge.ParseEvent(get("GITHUB_EVENT_NAME"), payload)
	if err != nil {
		a.job.Notice(ci.Place{}, "", "the event's payload says nothing of a pull request: "+err.Error())
	}
	a.event = event
	if a.in.Token == "" || get("GITHUB_REPOSITORY") == "" || !a.in.Comment && !a.requires() {
		return nil
	}
	repo, err := forge.ParseRepo(get("GITHUB_REPOSITORY"))
	if err != nil {
		return cli.Fail("GITHUB_REPOSITORY: %v", err)
	}
	version, _ := cli.Version()
	client, err := forge.New(forge.Options{Token: a.in.Token, APIURL: get("GITHUB_API_URL"), UserAgent: "prefect-deploy-action/" + version})
	if err != nil {
		return cli.Fail("%v", err)
	}
	id, _ := strconv.ParseInt(get("GITHUB_RUN_ID"), 10, 64)
	server := get("GITHUB_SERVER_URL")
	if server == "" {
		server = "https://github.com"
	}
	a.review = &review.Settings{Client: client, Repo: repo, ServerURL: strings.TrimSuffix(server, "/"), Run: get("GITHUB_RUN_ID") + "/" + get("GITHUB_RUN_ATTEMPT"),
		RunNumber: get("GITHUB_RUN_NUMBER"), RunID: id, Files: a.within(), Environment: a.in.Environment, Prefix: a.prefix, PlanKey: a.in.PlanKey, Policy: report.Policy(a.in.Policy),
		Notice: func(text string) { a.job.Notice(ci.Place{}, "on GitHub", text) }, Now: time.Now}
	return nil
}

// requires tells whether only what was reviewed may be written.
func (a *action) requires() bool { return report.Policy(a.in.Policy) == report.Require }

// speaks tells whether pull requests and the deployment's status are written to, and not only read.
func (a *action) speaks() bool { return a.review != nil && a.in.Comment }

// unreadable is the refusal of a deploy that could not learn what was reviewed: to go on would deploy what nobody has seen.
func (a *action) unreadable() error {
	missing := "the variable GITHUB_REPOSITORY is not set, as it is in every job of GitHub Actions"
	if a.in.Token == "" {
		missing = "the input github-token is empty; its default is the job's own token, which needs pull-requests: read"
	}
	return cli.Fail("plan-policy: require deploys only what a merged pull request's plan showed, and that can't be read: %s. Nothing ran and nothing was written", missing)
}

func (a *action) files() []string {
	if len(a.in.Files) > 0 {
		return a.in.Files
	}
	return []string{"prefect.yaml"}
}

// within are the files relative to the working directory, also where they are written absolute: their paths are part of the comment's identity, and machines differ.
func (a *action) within() []string {
	files := slices.Clone(a.files())
	for i, f := range files {
		if rel, err := filepath.Rel(a.dir, filepath.FromSlash(f)); filepath.IsAbs(f) && err == nil {
			files[i] = filepath.ToSlash(rel)
		}
	}
	return files
}

// base is the commit whose file tells what was declared before: the pull request's, else the push's own start.
func (a *action) base() string {
	switch {
	case a.event.Name == "pull_request", a.event.Name == "merge_group" && a.in.State == "git:"+a.event.BaseSHA:
		return a.event.BaseSHA
	case a.event.Name == "push" && strings.Trim(a.event.Before, "0") != "":
		return a.event.Before
	}
	return ""
}

// toRepository is the cure where a job of this repository's own is not given what asks the server.
const toRepository = ". A secret of an environment reaches only jobs that name the environment: for a plan against the server, keep PREFECT_API_URL and what logs in among the repository's own secrets and variables"

// withoutServer is what is left to a proposal whose job can't ask one: a plan against what its base declares, or where even that is not known, a check.
func (a *action) withoutServer(ctx context.Context, why, cure string) ci.Choice {
	if !a.haveBase(ctx) {
		return ci.Choice{Mode: ci.Check, Notice: why + ", so there is no Prefect server to compare with: the files were checked, and nothing was planned" + cure}
	}
	a.in.State = "git:" + a.event.BaseSHA
	return ci.Choice{Mode: ci.Plan, Notice: why + ", so the plan is made against what its base commit declares, not against the Prefect server" + cure}
}

// stands tells whether the base commit may stand for the server: in auto, for what is proposed. A mode: plan that somebody set means the server.
func (a *action) stands() bool {
	return a.in.Mode == ci.Auto && a.in.State == "" && (a.event.Name == "pull_request" || a.event.Name == "merge_group")
}

// keyless tells of a server that refused, as it was told no key: the address may be a variable of the repository, and the key an environment's secret.
func (a *action) keyless(err error) bool {
	config, unread := a.options().config(a.w, a.dir)
	status := prefect.StatusOf(err)
	return unread == nil && (status == http.StatusUnauthorized || status == http.StatusForbidden) && config.APIKey == "" && config.AuthString == "" && len(config.Headers) == 0
}

// instead plans against the base commit, or checks, after the server refused.
func (a *action) instead(ctx context.Context) error {
	choice := a.withoutServer(ctx, "the Prefect server wants a key, and this job is given none", toRepository)
	a.job.Notice(ci.Place{}, "", choice.Notice)
	if choice.Mode == ci.Check {
		return a.check()
	}
	return a.execute(ctx, false)
}

// haveBase makes sure that the base commit can be read, fetching it where the clone lacks it.
func (a *action) haveBase(ctx context.Context) bool {
	if a.event.BaseSHA == "" {
		return false
	}
	repository, err := git.Open(ctx, a.dir, a.w.Environ)
	if err == nil {
		_, err = repository.Resolve(ctx, a.event.BaseSHA, a.in.Token)
	}
	return err == nil
}

// withoutPermission takes a refusal for which the job lacks the permission: all of a run's are told in one notice at its end.
func (a *action) withoutPermission(u *forge.Unavailable) bool {
	if u.Permission == "" {
		return false
	}
	if !slices.ContainsFunc(a.refused, func(other *forge.Unavailable) bool { return other.What == u.What }) {
		a.refused = append(a.refused, u)
	}
	return true
}

// tellNotice says at the end of a run what people should know of it. A stranger's job is refused because its token only reads, as it should: that is half a sentence of the notice
// which such a job has anyway.
func (a *action) tellNotice(choice ci.Choice, stranger bool) {
	text := choice.Notice
	switch {
	case len(a.refused) == 0, stranger && choice.Mode == ci.Nothing:
	case stranger && text != "":
		text += ". Nor may they comment: the plan is in this job's summary"
	case len(a.refused) == 1:
		a.job.Notice(ci.Place{}, "on GitHub", a.refused[0].Reason+"\n"+a.refused[0].Hint)
	default:
		what := make([]string, len(a.refused))
		for i, u := range a.refused {
			what[i] = u.What
		}
		a.job.Notice(ci.Place{}, "on GitHub", fmt.Sprintf("GitHub did not let this job do these, which decide nothing over the plan or the deploy: %s. To have them, give the job the permissions\n    permissions:\n      %s",
			strings.Join(what, "; "), strings.Join(permissions(a.refused, a.in.Comment), "\n      ")))
	}
	if text != "" {
		a.job.Notice(ci.Place{}, "", text)
	}
}

// permissions are those that all need together. What a job does not name it does not have, so the checkout's is among them; and
// the pull requests that are looked for are commented, unless nothing is.
func permissions(refused []*forge.Unavailable, comments bool) []string {
	access := map[string]string{"contents": "read"}
	for _, u := range refused {
		for _, line := range strings.Split(u.Permission, "\n") {
			name, how, _ := strings.Cut(strings.TrimSpace(line), ": ")
			if comments && name == "pull-requests" {
				how = "write"
			}
			if access[name] != "write" {
				access[name] = how
			}
		}
	}
	var out []string
	for name, how := range access {
		out = append(out, name+": "+how)
	}
	slices.Sort(out)
	return out
}

// closed tells the comment of a pull request that is over.
func (a *action) closed(ctx context.Context) error {
	if !a.speaks() || a.event.Name != "pull_request" {
		return nil
	}
	address, err := a.review.Closed(ctx, a.event)
	return errors.Join(err, a.job.Output("comment-url", address))
}

// binding is what ties a deploy to the pull requests that it brings.
type binding struct {
	a      *action
	sha    string
	merged []forge.PullRequest
	// started: the deployment's status says in_progress, or may say so.
	started bool
}

// bind finds what a deploy brings, and lets it begin only as the policy allows.
func (a *action) bind(ctx context.Context, r *deploy.Options, acting bool) (*binding, error) {
	b := &binding{a: a}
	if err := a.job.Output("comment-url", ""); err != nil { // until there is one
		return b, err
	}
	r.Token = a.in.Token
	switch {
	case !acting:
		return b, nil
	case a.review == nil && a.requires():
		return b, a.unreadable()
	case a.review == nil:
		return b, nil
	}
	if err := b.bring(ctx, r); err != nil {
		return b, err
	}
	if !a.speaks() {
		return b, nil
	}
	b.started = true
	return b, a.review.Started(ctx, b.sha)
}

// bring finds the pull requests that a deploy brings.
func (b *binding) bring(ctx context.Context, r *deploy.Options) error {
	a := b.a
	b.sha, _ = a.w.Env("GITHUB_SHA")
	r.Token = a.in.Token
	span, err := a.review.RangeOf(ctx, a.event, b.sha)
	if err != nil {
		return err
	}
	if strings.Trim(span.Base, "0") != "" {
		if r.Base != "" {
			r.Base = span.Base
		}
		if b.merged, err = a.review.Merged(ctx, span); err != nil {
			return err
		}
	}
	if a.review.Policy != report.Ignore && a.in.PlanKey != "" {
		r.Approve, r.Deployed = b.approve, span.Deployed
	}
	return nil
}

// approve holds the plan against what was reviewed.
func (b *binding) approve(ctx context.Context, p *plan.Plan) error {
	unseen, err := b.a.review.Unreviewed(ctx, p, b.merged)
	if err != nil || len(unseen) == 0 {
		return err
	}
	var names, differences []string
	steps := map[string]bool{}
	for _, u := range unseen {
		names, differences = append(names, u.Name), append(differences, u.String())
		for _, key := range u.Steps {
			if u.Build {
				steps[key] = true
			}
		}
	}
	if b.a.review.Policy == report.Require {
		return &deploy.Stale{Differences: differences}
	}
	text := fmt.Sprintf("%d of what is written or built was not shown in a merged pull request's plan: %s", len(names), strings.Join(names, ", "))
	if len(steps) > 0 {
		text += "; steps that run unseen: " + strings.Join(slices.Sorted(maps.Keys(steps)), ", ")
	}
	b.a.job.Warning(ci.Place{}, "not reviewed", diag.Clean(text))
	return nil
}

// post brings a plan to the pull request that it was made for.
func (b *binding) post(ctx context.Context, p *plan.Plan, acting bool) error {
	if acting || !b.a.speaks() || b.a.event.Name != "pull_request" {
		return nil
	}
	address, err := b.a.review.Post(ctx, p, b.a.event)
	return errors.Join(err, b.a.job.Output("comment-url", address))
}

// How long the last word may take: the runner gives a cancelled job little, and where there is no hurry each comment has its time.
const (
	lastWord    = 30 * time.Second
	eachComment = 10 * time.Second
)

// finish is the last word on a deploy that has been announced, however it ended: p is nil where nothing was written, cause the error that ends the job. An interrupt does
// not keep it from being said, as a status that stays in_progress would be taken for a deploy under way for ever.
func (b *binding) finish(ctx context.Context, p *plan.Plan, cause error, elapsed string) error {
	if !b.started {
		return nil
	}
	patience := lastWord
	if ctx.Err() == nil {
		patience += time.Duration(len(b.merged)) * eachComment
	}
	saying, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	var err error
	if p != nil {
		err = b.a.review.Applied(saying, p, b.sha, b.merged, elapsed)
	} else {
		err = b.a.review.NotApplied(saying, b.sha, b.merged, whyNot(ctx, cause))
	}
	if err != nil && saying.Err() != nil {
		b.a.review.Notice(fmt.Sprintf("the comments and the deployment's status may not say how the deploy ended: GitHub did not take it within %s", patience))
		return nil
	}
	return err
}

// whyNot is what comments say of a deploy that wrote nothing.
func whyNot(ctx context.Context, cause error) string {
	var stale *deploy.Stale
	var exit *cli.Exit
	switch {
	case ctx.Err() != nil:
		return "the deploy was interrupted before anything was written"
	case errors.As(cause, &stale), errors.As(cause, &exit) && exit.Code == cli.ExitStale:
		return "the plan has changed since it was reviewed"
	}
	return "the deploy stopped before anything was written"
}
