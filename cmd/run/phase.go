// `run step KEY --phase inputs|outputs`: the two halves of a Docker step around the builder of the platform.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/deploy"
)

// phase is which half, and what it is given.
type phase struct {
	phase              string
	imageID, metadata  string
	arguments, outputs string
}

func (p *phase) add(f *pflag.FlagSet) {
	f.StringVar(&p.outputs, "outputs", "", "write what the steps gave, without sensitive outputs, as JSON to `FILE`; - is stdout")
	f.StringVar(&p.phase, "phase", "", "for a step that the platform carries out: inputs says what to build or push, outputs takes what was built, done says that it is done")
	f.StringVar(&p.arguments, "arguments", "", "with --phase inputs, write the words after docker to `FILE`, each ended by NUL, as xargs -0 docker takes them")
	f.StringVar(&p.imageID, "image-id", "", "with --phase outputs, the `ID` of the image that was built")
	f.StringVar(&p.metadata, "metadata-file", "", "with --phase outputs, the `FILE` that docker buildx build --metadata-file wrote, for the image's id")
}

// check refuses options that mean nothing together.
func (p *phase) check(keys []string) error {
	switch {
	case p.phase != "" && p.phase != "inputs" && p.phase != "outputs" && p.phase != "done":
		return cli.Usage("--phase %q: write inputs, outputs or done", p.phase)
	case p.phase != "" && p.phase != "done" && len(keys) != 1:
		return cli.Usage("--phase is of one step, and there are %d", len(keys))
	case p.phase != "inputs" && p.arguments != "":
		return cli.Usage("--arguments goes with --phase inputs")
	case p.phase == "inputs" && p.outputs != "":
		return cli.Usage("--outputs goes with --phase outputs: the step has given nothing yet")
	case p.phase != "outputs" && p.imageID+p.metadata != "":
		return cli.Usage("--image-id and --metadata-file go with --phase outputs")
	case p.imageID != "" && p.metadata != "":
		return cli.Usage("--image-id and --metadata-file say the same: give one of them")
	}
	return nil
}

// run carries the steps out, or a half of one. Of the first half there is no Ran; out is where its JSON goes.
func (p *phase) run(ctx context.Context, o deploy.StepOptions, dir string, out func(string) error) (*deploy.Ran, error) {
	switch p.phase {
	case "inputs":
		return nil, p.inputs(ctx, o, dir, out)
	case "done":
		return deploy.PhaseDone(ctx, o)
	case "outputs":
		id := p.imageID
		if p.metadata != "" {
			data, err := os.ReadFile(under(dir, p.metadata))
			if err == nil {
				id, err = deploy.ImageID(data)
			}
			if err != nil {
				return nil, fmt.Errorf("--metadata-file %s: %w", p.metadata, err)
			}
		}
		return deploy.PhaseOutputs(ctx, o, id)
	}
	return deploy.Steps(ctx, o)
}

func (p *phase) inputs(ctx context.Context, o deploy.StepOptions, dir string, out func(string) error) error {
	secret := false
	f, err := deploy.PhaseInputs(ctx, o, func(f *deploy.ForBuilder) error {
		names := f.Sensitive()
		if secret = len(names) > 0; secret && p.arguments == "" {
			return cli.Fail("of what this step builds some is sensitive (%s), and a job's outputs can be read by whoever reads the job: run the step without --phase, "+
				"or list the variables that may be shown under x-ci.vars", strings.Join(names, ", "))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.arguments != "" {
		var b bytes.Buffer
		for _, words := range f.Commands {
			if len(words) != len(f.Commands[0]) {
				return cli.Fail("--arguments: this push is of all tags and of single ones, which are commands of different length: run the step without --phase")
			}
			for _, w := range words {
				b.WriteString(w + "\x00")
			}
		}
		if err := os.WriteFile(under(dir, p.arguments), b.Bytes(), 0o600); err != nil {
			return cli.Fail("--arguments: %v", err)
		}
	}
	if secret {
		return nil
	}
	return out(string(value.Of(f.Inputs).AppendJSON(nil)))
}

// githubOutput writes one output of the CI.
func (t *target) githubOutput(name, text string) error {
	var b strings.Builder
	writeOutput(&b, name, text)
	return errors.Join(t.write([]byte(b.String())), t.done())
}
