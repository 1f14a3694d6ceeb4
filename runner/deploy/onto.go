// A pull request that is checked out at its own head may be behind the branch that it is to be merged onto. What that branch declares since then is missing here too, and is not gone:
//
//	base    A ── B (declares new)          the file of A tells what this branch has removed;
//	         └── C  ◀ checked out          new is neither kept nor deleted
//
// GitHub's merge commit, which actions/checkout takes by default, has both ends in it, and nothing of this applies.
package deploy

import (
	"context"
	"strings"

	"github.com/org/prefect-deploy-action/runner/git"
	"github.com/org/prefect-deploy-action/runner/state"
)

// meetOnto learns whether this tree has all of the branch that it is to be merged onto. Where it hasn't, the base is the commit at which they parted; where this clone can't tell which
// that is, there is no base, as what was removed can't be told from what was added there.
func (j *job) meetOnto(ctx context.Context) {
	if j.Onto == "" {
		return
	}
	r, err := git.Open(ctx, j.Directory, j.Environ)
	if err != nil {
		return // that the base is not available is told where it is read
	}
	onto, err := r.Resolve(ctx, j.Onto, j.Token)
	if err != nil || j.mergedByCI(ctx, r) || r.Contains(ctx, onto) {
		return
	}
	j.ahead, j.parted = onto, r.Parting(ctx, onto)
	if j.parted == "" {
		j.notes = append(j.notes, "what this branch removes can't be told from what its base has added since, so deletes are examined only where its base doesn't declare them: check out with fetch-depth: 0, or the merge commit")
	}
	if j.Base == j.Onto {
		j.Base = j.parted
	}
}

// mergedByCI reports whether the merge commit that GitHub makes of a pull request is checked out.
func (j *job) mergedByCI(ctx context.Context, r *git.Repository) bool {
	ref, _ := j.Env("GITHUB_REF")
	sha, _ := j.Env("GITHUB_SHA")
	if sha == "" || !strings.HasPrefix(ref, "refs/pull/") || !strings.HasSuffix(ref, "/merge") {
		return false
	}
	head, err := r.Resolve(ctx, "HEAD", "")
	return err == nil && head == sha
}

// addedSince takes out of found what the branch that this is to be merged onto declares since they parted.
func (j *job) addedSince(ctx context.Context, found map[state.Name]*state.Live) {
	if j.ahead == "" || len(found) == 0 {
		return
	}
	there, _, err := j.declaredAt(ctx, j.ahead)
	if err != nil {
		j.notes = append(j.notes, "deletes not examined: base not available ("+err.Error()+")")
		clear(found)
		return
	}
	if j.parted != "" {
		before, _, err := j.declaredAt(ctx, j.parted)
		for name := range before {
			if err == nil {
				delete(there, name)
			}
		}
	}
	var names []string
	for name := range found {
		if _, added := there[name]; added {
			names = append(names, name.String())
			delete(found, name)
		}
	}
	if len(names) > 0 {
		j.notes = append(j.notes, "neither kept nor deleted: "+some(names)+"; the commit "+j.ahead[:min(8, len(j.ahead))]+", onto which this is to be merged and which this tree lacks, declares what is named")
	}
}
