// An image that a plan names is part of what was approved: the tag that is a digest of what a build reads is known beforehand, so where the Dockerfile, the context or an argument is another one since, the image that would be registered is not the
// one that was reviewed. It is looked for twice: before anything runs, and again when a build is about to begin, since a step before it may have written what it was declared not to write.
package deploy

import (
	"fmt"
	"sort"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

// heldTags is the refusal where an image that the approved plan knew is another one now, by what its build reads or by what is given in its place.
func (j *job) heldTags(approved *job, g *graph.Graph) error {
	if approved == nil || len(approved.foretold) == 0 {
		return nil
	}
	j.heldTo = approved.foretold
	var out []string
	for _, s := range g.Steps {
		then, known := approved.foretold[s.Digest]
		if !known {
			continue
		}
		if gift := j.gifts[s.Digest]; gift != nil {
			if name := otherOutput(then, gift.outputs); name != "" {
				planned, _ := then.Get(name)
				given, _ := gift.outputs.Get(name)
				out = append(out, fmt.Sprintf("the step %s was planned to give the %s %s, and what is given in its place is %s", diag.Clean(s.Key), name, orDash(planned.Redacted().AppendJSON(nil)), orDash(given.Redacted().AppendJSON(nil))))
			}
			continue
		}
		now, known := j.foretold[s.Digest]
		if name := otherOutput(then, now); known && name != "" {
			out = append(out, otherTag(s, then, now))
		}
	}
	if len(out) == 0 {
		return nil
	}
	sort.Strings(out)
	return &Stale{Differences: out}
}

// otherOutput is the first output that both have and that is not the same, "" for none.
func otherOutput(then, now value.Value) string {
	for _, e := range then.Map {
		if v, ok := now.Get(e.Key); ok && !value.Equal(e.Value, v) {
			return e.Key
		}
	}
	return ""
}

func otherTag(s *graph.Step, then, now value.Value) string {
	tag := func(v value.Value) string {
		t, _ := v.Get("tag")
		return orDash(t.Redacted().AppendJSON(nil))
	}
	return fmt.Sprintf("the image of the step %s was planned with the tag %s, and its tag is %s now: %s", diag.Clean(s.Key), tag(then), tag(now), readsOtherwise)
}

const readsOtherwise = "the Dockerfile, the context or an argument of its build has changed since"

// heldTag is the same for a build that is about to begin; its tag is made.
func (j *job) heldTag(s *graph.Step, c step.Call) error {
	then, known := j.heldTo[s.Digest]
	planned, _ := then.Get("tag")
	tag, _ := c.Inputs.Get("tag")
	if !known || value.Equal(planned, tag) {
		return nil
	}
	why := otherTag(s, then, c.Inputs)
	j.moving.Lock()
	defer j.moving.Unlock()
	j.moved = append(j.moved, why)
	return fmt.Errorf("not built: %s", why)
}

// stale is the refusal to write anything after a build that was not the approved one.
func (j *job) stale() error {
	j.moving.Lock()
	defer j.moving.Unlock()
	if len(j.moved) == 0 {
		return nil
	}
	sort.Strings(j.moved)
	return &Stale{Differences: j.moved, Ran: true}
}
