package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

func actionCommand(ctx context.Context, w cli.World) *cobra.Command {
	return &cobra.Command{Use: "action", Short: "What action.yml calls: reads its inputs and the event, picks the mode", Args: cli.NoArgs, Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			return cli.Fail("to be written")
		}}
}
