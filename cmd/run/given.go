// The options that stand in place of steps: what other jobs gave, and single values.
package main

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/handover"
)

type given struct {
	from, set, only      []string
	skipBuild, keepGoing bool
	// fewer: a pattern may match nothing, as in a pipeline whose jobs all failed.
	fewer bool
	// ended is how the jobs ended that wrote the files, attempt which one of the run this is; left is told what is left out because of that.
	ended   []handover.Result
	attempt string
	left    func(handover.Result)
}

func (g *given) add(f *pflag.FlagSet) {
	g.addFrom(f)
	f.StringArrayVar(&g.set, "set", nil, "`STEP.OUTPUT=VALUE` in place of what the step would give, which does not run; repeatable")
	f.StringArrayVar(&g.only, "step", nil, "of the build and push steps run only this one, by its `KEY`; repeatable")
	f.BoolVar(&g.keepGoing, "keep-going", false, "skip the deployments of steps that neither run here nor are given, and register the others; exit 1")
	f.BoolVar(&g.skipBuild, "skip-build", false, "run no build and push step; --from and --set give what they would")
}

func (g *given) addFrom(f *pflag.FlagSet) {
	f.StringArrayVar(&g.from, "from", nil, "a `FILE` of outputs that run step wrote, a directory or a pattern of such; its steps do not run here; repeatable")
}

// read reads the files and the values; paths are relative to dir.
func (g *given) read(dir string) (deploy.Given, error) {
	if g.skipBuild && len(g.only) > 0 {
		return deploy.Given{}, cli.Usage("--skip-build runs no step, and --step names some to run")
	}
	out := deploy.Given{SkipBuild: g.skipBuild, KeepGoing: g.keepGoing, Only: g.only}
	for i, text := range g.set {
		set, err := deploy.ParseSetting(text, i+1)
		var usage *resolve.UsageError
		if errors.As(err, &usage) {
			return out, cli.Usage("%s", usage.Text)
		}
		out.Set = append(out.Set, set)
	}
	var err error
	if out.Steps, err = handover.Read(dir, g.from, g.keepGoing || g.fewer); err != nil {
		return out, cli.Fail("%v; nothing ran", err)
	}
	kept, outdated := handover.Outdated(out.Steps, g.ended, g.attempt)
	for _, r := range outdated {
		g.left(r)
	}
	out.Steps = kept
	return out, nil
}
