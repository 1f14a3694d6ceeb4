package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/runner/forge"
	"github.com/org/prefect-deploy-action/runner/review"
)

// onGitLab tells whether this is a job of GitLab's, or of something that stands in for it.
func onGitLab(w cli.World) bool {
	api, _ := w.Env("CI_API_V4_URL")
	github, _ := w.Env("GITHUB_ACTIONS")
	return api != "" && github != "true"
}

// onMergeRequest posts a plan in the note of the merge request that the job is of. What keeps it from being written is told in one notice and fails nothing: whether a plan is shown must not decide over what it is of.
func (o *commenting) onMergeRequest(ctx context.Context, w cli.World) error {
	file := o.plan + o.result
	data, err := os.ReadFile(file)
	if err != nil {
		return cli.Fail("%v", err)
	}
	n, why, err := o.note(w)
	switch {
	case err != nil:
		return err
	case n == nil:
		notice(w, why)
		return nil
	case o.result != "":
		before, _ := w.Env("CI_COMMIT_BEFORE_SHA")
		if strings.Trim(before, "0") == "" {
			before = ""
		}
		branch, _ := w.Env("CI_COMMIT_BRANCH")
		if err := n.Applied(ctx, data, before, branch); err != nil {
			return cli.Fail("%s: %v", file, err)
		}
		return nil
	}
	address, err := n.PostFile(ctx, data)
	if err != nil {
		return cli.Fail("%s: %v", file, err)
	}
	if address != "" {
		fmt.Fprintln(w.Stdout, address)
	}
	return nil
}

func notice(w cli.World, text string) {
	fmt.Fprintln(w.Stderr, "notice: "+diag.CleanLines(text))
}

// note is what the job says of itself; where it can't write one, why.
func (o *commenting) note(w cli.World) (n *review.Note, why string, err error) {
	get := func(names ...string) string {
		for _, name := range names {
			if v, _ := w.Env(name); v != "" {
				return v
			}
		}
		return ""
	}
	number := o.number
	if number == 0 {
		number, _ = strconv.Atoi(get("CI_MERGE_REQUEST_IID"))
	}
	token := get("PREFECT_DEPLOY_GITLAB_TOKEN", "GITLAB_TOKEN")
	switch {
	case number <= 0 && o.result == "":
		return nil, "", cli.Usage("which merge request? The pipeline is not of one: name it with --pull-request")
	case token == "":
		return nil, "no note was written, as the job's own token can't: put a token of the project's with the scope api and the role Reporter into the variable GITLAB_TOKEN; the plan is in the job's artifacts", nil
	}
	version, _ := cli.Version()
	client, err := forge.NewGitLab(forge.Options{Token: token, APIURL: get("CI_API_V4_URL"), UserAgent: "prefect-deploy-action/" + version})
	if err != nil {
		return nil, "", cli.Fail("%v", err)
	}
	files := o.files
	if len(files) == 0 {
		files = []string{"prefect.yaml"}
	}
	return &review.Note{Client: client, Project: get("CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID"), Number: number, Head: get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"),
		Run: get("CI_PIPELINE_ID") + "/" + get("CI_JOB_ID"), RunName: "job " + get("CI_JOB_ID"), RunURL: get("CI_JOB_URL", "CI_PIPELINE_URL"), ProjectURL: strings.TrimSuffix(get("CI_PROJECT_URL"), "/"),
		Files: files, Prefix: o.prefix(), Environment: o.environment, PlanKey: get("PREFECT_DEPLOY_PLAN_KEY"), Notice: func(text string) { notice(w, "no note was written: "+text) }, Now: time.Now}, "", nil
}
