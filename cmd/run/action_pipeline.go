// The workflow that this very job runs by, when `compile github` emitted it: mode check refuses one that is not what would be emitted now, and a plan says what it newly asks for.
package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/emit"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/git"
	"github.com/org/prefect-deploy-action/runner/plan"
)

// workflow is the running workflow's file as it is checked out, "" where it was not emitted or can't be told.
func (a *action) workflow() (path string, text []byte) {
	if path, text = a.running(); !emit.Emitted(text) {
		return "", nil
	}
	return path, text
}

// running is the running workflow's file as it is checked out, "" where it can't be told. GITHUB_WORKFLOW_REF is OWNER/REPOSITORY/PATH@REF.
func (a *action) running() (path string, text []byte) {
	ref, _ := a.w.Env("GITHUB_WORKFLOW_REF")
	name, _, _ := strings.Cut(ref, "@")
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 3 || !fs.ValidPath(parts[2]) {
		return "", nil
	}
	text, err := os.ReadFile(filepath.Join(a.root(), filepath.FromSlash(parts[2])))
	if err != nil {
		return "", nil
	}
	return parts[2], text
}

// root is the repository's directory.
func (a *action) root() string {
	return strings.TrimSuffix(filepath.ToSlash(a.dir)+"/", "/"+a.prefix) + "/"
}

// pipelineFresh refuses a workflow that is not what these files compile to.
func (a *action) pipelineFresh(files []cli.File) error {
	path, old := a.running()
	if !emit.Emitted(old) && !emit.Beheaded(old) {
		return nil
	}
	var sources []emit.Source
	for _, f := range files {
		sources = append(sources, emit.Source(f))
	}
	in, faults := emit.Load(os.DirFS(a.dir), sources)
	if faults.Errors(false) > 0 {
		return nil // told by the check of the files
	}
	in.Patterns, in.Within, in.Action, in.Compiler = a.options().files, strings.TrimSuffix(a.prefix, "/"), emit.ActionOf(old), cli.Stamp()
	beside := filepath.Join(a.root(), filepath.FromSlash(filepath.Dir(path)))
	emit.KeepPins(in, withParts(old, beside, filepath.Base(path)))
	now, faults := emit.GitHubFiles(in, filepath.Base(path))
	if faults.Errors(false) > 0 {
		return cli.Fail("%s", faults.Text(func(name string) []byte {
			for _, f := range files {
				if f.Name == name {
					return f.Data
				}
			}
			return nil
		}))
	}
	why, line := emit.Stale(old, now[0].Data), 1
	if moving := emit.Movable(old, now[0].Data); len(moving) > 0 {
		line = moving[0].Line
	}
	for _, part := range now[1:] {
		if data, err := os.ReadFile(filepath.Join(beside, part.Name)); why == "" && err != nil {
			why = part.Name + ", which it calls, is not there"
		} else if reason := emit.Stale(data, part.Data); why == "" && reason != "" {
			why = "of " + part.Name + ", which it calls, " + reason
		}
	}
	if why == "" {
		return nil
	}
	again := emit.Again("github", in.Patterns, in.Within, path)
	a.job.Error(ci.Place{File: path, Line: line}, "stale pipeline", path+" is stale: "+why+"; generate it again with\n    "+again)
	return &cli.Exit{Code: cli.ExitError}
}

// withParts is a workflow and those that it calls, one behind the other.
func withParts(text []byte, dir, name string) []byte {
	parts, _ := filepath.Glob(filepath.Join(dir, emit.Parts(name)))
	for _, part := range parts {
		data, _ := os.ReadFile(part)
		text = append(append(text[:len(text):len(text)], '\n'), data...)
	}
	return text
}

// pipelineNews are notes on what the workflow newly asks for against the base commit: reviewers of a plan should see a new secret.
func (a *action) pipelineNews(ctx context.Context, p *plan.Plan) {
	path, now := a.workflow()
	if path == "" || a.event.BaseSHA == "" {
		return
	}
	repository, err := git.Open(ctx, a.root(), a.w.Environ)
	if err != nil {
		return
	}
	sha, err := repository.Resolve(ctx, a.event.BaseSHA, a.in.Token)
	if err != nil {
		return // the plan says already that the base is not available
	}
	tree, err := repository.At(ctx, sha)
	if err != nil {
		return
	}
	defer tree.Close()
	before, err := fs.ReadFile(tree, path)
	if err != nil {
		before = nil
	}
	for _, news := range emit.News(before, now) {
		if a.review != nil {
			a.review.Worth = true
		}
		p.Notes = append(p.Notes, "the pipeline "+path+" newly uses "+diag.Clean(news))
	}
}
