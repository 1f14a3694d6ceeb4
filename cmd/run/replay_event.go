package main

import (
	"context"
	"encoding/json"
	"fmt"
	osexec "os/exec"
	"strings"
)

// replayedRepository is what a replay's event tells of the repository: as if its present commit had just been pushed to the default branch, or opened as a pull request.
type replayedRepository struct{ root, name, branch, head, before string }

// inspect asks git.
func inspect(ctx context.Context, dir string) (replayedRepository, error) {
	ask := func(args ...string) (string, error) {
		out, err := osexec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	var r replayedRepository
	var err error
	if r.root, err = ask("rev-parse", "--show-toplevel"); err != nil {
		return r, fmt.Errorf("%s is in no git repository (%w): a replay checks out a commit, so `git init` and commit first", dir, err)
	}
	if r.head, err = ask("rev-parse", "HEAD"); err != nil {
		return r, fmt.Errorf("the repository %s has no commit yet: commit first", r.root)
	}
	r.before, _ = ask("rev-parse", "--verify", "--quiet", "HEAD^")
	if r.before == "" {
		r.before = strings.Repeat("0", len(r.head))
	}
	if r.branch, _ = ask("symbolic-ref", "--short", "--quiet", "HEAD"); r.branch == "" {
		r.branch = "main"
	}
	r.name = "example/replay"
	if remote, _ := ask("remote", "get-url", "origin"); remote != "" {
		parts := strings.FieldsFunc(strings.TrimSuffix(remote, ".git"), func(c rune) bool { return c == '/' || c == ':' })
		if len(parts) >= 2 {
			r.name = parts[len(parts)-2] + "/" + parts[len(parts)-1]
		}
	}
	return r, nil
}

// payload is the event.
func (r replayedRepository) payload(event string) []byte {
	owner, short, _ := strings.Cut(r.name, "/")
	repository := map[string]any{"full_name": r.name, "name": short, "default_branch": r.branch, "owner": map[string]any{"login": owner}}
	out := map[string]any{"repository": repository, "sender": map[string]any{"login": "replay"}}
	if event == "push" {
		out["ref"], out["before"], out["after"] = "refs/heads/"+r.branch, r.before, r.head
		out["head_commit"] = map[string]any{"id": r.head}
	} else {
		same := map[string]any{"full_name": r.name, "fork": false}
		out["action"], out["number"] = "opened", 1
		out["pull_request"] = map[string]any{"number": 1, "merged": false, "head": map[string]any{"ref": "replay", "sha": r.head, "repo": same}, "base": map[string]any{"ref": r.branch, "sha": r.before, "repo": same}}
	}
	data, err := json.Marshal(out)
	if err != nil { // plain data: it cannot fail
		panic(err)
	}
	return data
}
