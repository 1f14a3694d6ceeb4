// The two halves of a build whose tag is the digest of what it reads. The first makes the tag, and says whether the registry holds it; the second finds both where the first left them, since a builder may have written into the folder since.
package deploy

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/step"
)

// call is the step as it would be carried out; what is said goes to the log.
func (h *half) call() step.Call {
	say := func(line []byte) {
		if h.Log != nil {
			text := h.masked.apply(diag.Clean(string(line)))
			for _, kind := range []exec.Kind{exec.Start, exec.Line, exec.Done} { // a log is of steps that begin and end
				h.Log(exec.Event{Kind: kind, Step: h.step, Text: text, Coloured: text, Result: &exec.Result{}})
			}
		}
	}
	return step.Call{Function: h.step.Function, Inputs: h.inputs, Dir: h.dir, Env: h.Environ, Stdout: say, Stderr: say}
}

func (h *half) tagInputs(ctx context.Context) error {
	if !h.step.TagInputs {
		return nil
	}
	c, err := h.withTag(ctx, adapt(h.call()))
	if err != nil {
		return tagFault(h.step, err)
	}
	h.inputs = c.Inputs
	tag, _ := c.Inputs.Get("tag")
	return os.WriteFile(h.file("tag"), []byte(tag.Text+"\n"), 0o600)
}

// present reports whether the image is there already; then its id is left for the other half. A rehearsal asks nobody.
func (h *half) present(ctx context.Context, b *docker.Build) (bool, error) {
	if !h.step.TagInputs || h.rehearsal() {
		return false, nil
	}
	id, there := h.built(ctx, h.parts, h.step, h.call(), b)
	if !there {
		return false, nil
	}
	tag, _ := h.inputs.Get("tag")
	return true, os.WriteFile(h.file("tag"), []byte(tag.Text+"\n"+id+"\n"), 0o600)
}

// leftTag takes the tag of the first half, and the id of an image that was there.
func (h *half) leftTag(imageID *string) error {
	data, err := os.ReadFile(h.file("tag"))
	tag, id, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	if err != nil || !docker.IsInputsTag(tag) {
		return fmt.Errorf("the tag of the step %s is made by --phase inputs, which left no word of it in %s: run both phases in one job", h.step.Key, h.temp)
	}
	if id != "" {
		*imageID = id
	}
	h.inputs = adapt(step.Call{Function: h.step.Function, Inputs: h.inputs}).Inputs.Set("tag", value.Of(tag))
	return nil
}
