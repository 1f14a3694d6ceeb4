package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
)

func explainCommand(w cli.World) *cobra.Command {
	return &cobra.Command{Use: "explain CODE", Short: "What a diagnostic means, with an example of the fault and its cure",
		ValidArgsFunction: cobra.FixedCompletions(described(), cobra.ShellCompDirectiveNoFileComp),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usage("%s takes one code, as it stands in brackets behind a diagnostic", c.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			text, ok := diag.Explain(args[0])
			if !ok {
				help := diag.DidYouMean(args[0], diag.Codes())
				if help == "" {
					help = "the codes are " + strings.Join(diag.Codes(), ", ")
				}
				return cli.Usage("there is no code %s; %s", diag.Quote(args[0]), help)
			}
			_, err := fmt.Fprint(w.Stdout, text)
			return err
		}}
}

// described are the codes, each with what it means.
func described() []string {
	codes := diag.Codes()
	for i, code := range codes {
		codes[i] = code + "\t" + diag.Meaning(code)
	}
	return codes
}
