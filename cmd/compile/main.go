// Command compile reads prefect.yaml and writes text: diagnostics, the dependency graph, pipelines. It opens no network connection, starts no process, runs no step
// and imports no user code.
package main

import (
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

func main() {
	// The program lives for milliseconds: collecting garbage early costs more than the memory is worth. A large file meets the limit instead.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(1350 << 20)
	os.Exit(run(cli.OS()))
}

func run(w cli.World) int { return cli.Run(root(w), w) }

func root(w cli.World) *cobra.Command {
	c := &cobra.Command{Use: "compile", Short: "Compile prefect.yaml: check it, show its graph, emit pipelines",
		Long: "compile turns a prefect.yaml into a dependency graph of steps and registrations and finds every mistake with its line.\nIt never runs a step and never imports your code.",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return cli.NoCommand(c, args[0])
			}
			return c.Help()
		}}
	c.AddCommand(checkCommand(w), graphCommand(w), explainCommand(w), initCommand(w), githubCommand(w), gitlabCommand(w))
	return c
}

// shared are the flags that every command takes.
type shared struct {
	files []string
	dir   string
}

func (s *shared) add(c *cobra.Command) {
	c.Flags().StringArrayVarP(&s.files, "prefect-file", "f", []string{"prefect.yaml"}, "the file to read; repeatable, patterns allowed")
	c.Flags().StringVarP(&s.dir, "chdir", "C", ".", "as if started in `DIR`")
}
