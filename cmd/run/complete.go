// What a shell offers after Tab: the deployments and the steps of the files that are named by then. A file that can't be read offers nothing; that is told when the command runs.
package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
)

const nothingElse = cobra.ShellCompDirectiveNoFileComp

// completes tells the shell what plan and deploy take.
func (o *options) completes(c *cobra.Command) {
	fixed := func(flag string, words ...string) {
		_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, nothingElse))
	}
	fixed("version-type", spec.VersionTypes()...)
	o.completesNames(c)
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"file:", "git:"}, nothingElse|cobra.ShellCompDirectiveNoSpace))
}

// completesNames tells it what --name takes.
func (o *options) completesNames(c *cobra.Command) {
	_ = c.RegisterFlagCompletionFunc("name", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return o.titles(), nothingElse
	})
}

// titles are the deployments as --name takes them, with their entrypoints.
func (o *options) titles() (out []string) {
	for _, d := range o.declared() {
		if d.Name() != "" {
			out = append(out, diag.Clean(d.Title())+"\t"+diag.Clean(d.Entrypoint()))
		}
	}
	return out
}

// keys are the steps, with their functions.
func (o *options) keys() (out []string) {
	for _, s := range graph.Build(o.declared(), (*resolve.Deployment).Title).Steps {
		out = append(out, diag.Clean(s.Key)+"\t"+diag.Clean(s.Function))
	}
	return out
}

// declared are the deployments of the files.
func (o *options) declared() (out []*resolve.Deployment) {
	files, err := cli.Read(o.dir, o.files)
	if err != nil {
		return nil
	}
	checker := check.New(os.DirFS(o.dir))
	for _, f := range files {
		_, list, _ := checker.Deployments(f.Name, f.Data)
		out = append(out, list...)
	}
	return out
}

// forgiving lets the flags of a line that is still being typed pass: Cobra reads them twice, and what stands once would be one too many.
func forgiving(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) { f.Value = lenient{f.Value} })
	for _, sub := range c.Commands() {
		forgiving(sub)
	}
}

type lenient struct{ pflag.Value }

func (l lenient) Set(s string) error {
	_ = l.Value.Set(s) // the command itself tells what is wrong with it
	return nil
}

// completing tells whether a shell asks what may follow.
func completing(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}
