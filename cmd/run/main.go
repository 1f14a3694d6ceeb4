// Command run has the effects: it plans and deploys what prefect.yaml says, and is what the action calls.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

func main() {
	debug.SetGCPercent(400) // a short life: see cmd/compile
	debug.SetMemoryLimit(1 << 30)
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE} // the last: nobody reads any more, and what was started must end too
	if !signal.Ignored(syscall.SIGHUP) {                                // the terminal was closed; under nohup that is no reason to end
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	os.Exit(run(ctx, cli.OS()))
}

func run(ctx context.Context, w cli.World) int {
	w.Args = expandShort(w.Args)
	w = cli.WithoutEmpty(w)
	c := root(ctx, w)
	if completing(w.Args) {
		forgiving(c)
	}
	if called, args, err := c.Find(w.Args); err == nil {
		if err := swallowed(called.Flags(), args); err != nil {
			c = refusing(err)
		}
	}
	return cli.Run(c, w)
}

func root(ctx context.Context, w cli.World) *cobra.Command {
	c := &cobra.Command{Use: "run", Short: "Plan and deploy what prefect.yaml says",
		Long: "run holds prefect.yaml against a Prefect server (or a state in a file): plan shows what would change,\ndeploy runs the build and push steps once each and registers the deployments. step runs some of these steps\nin a job of their own, and deploy then takes what they gave.",
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return cli.NoCommand(c, args[0])
			}
			return c.Help()
		}}
	c.AddCommand(planCommand(ctx, w), deployCommand(ctx, w), stepCommand(ctx, w), pullCheckCommand(ctx, w), pruneCommand(ctx, w), commentCommand(ctx, w), actionCommand(ctx, w), replayCommand(ctx, w), versionCommand(w))
	return c
}

// refusing is a command that does nothing but fail.
func refusing(err error) *cobra.Command {
	return &cobra.Command{DisableFlagParsing: true, Args: cobra.ArbitraryArgs, RunE: func(*cobra.Command, []string) error { return err }}
}

func versionCommand(w cli.World) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "The version of this program", Args: cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			version, _ := cli.Version()
			_, err := w.Stdout.Write([]byte("prefect-deploy-action " + version + "\n"))
			return err
		}}
}
