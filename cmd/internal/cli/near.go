// The nearest right word for a command or an option that is none.
package cli

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// NoCommand is the error for a word that is no command of c.
func NoCommand(c *cobra.Command, word string) error {
	var names []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	return Usage("there is no command %q; %s%s -h lists them", word, mean(diag.Nearest(word, names)), c.Name())
}

// wrongFlag is the error for options that can't be read.
func wrongFlag(c *cobra.Command, err error) error {
	near := ""
	var none *pflag.NotExistError
	if errors.As(err, &none) && none.GetSpecifiedShortnames() == "" {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near = diag.Nearest(none.GetSpecifiedName(), names); near != "" {
			near = "--" + near
		}
	}
	return Usage("%v; %s%s -h lists the options", err, mean(near), c.CommandPath())
}

func mean(near string) string {
	if near == "" {
		return ""
	}
	return "did you mean " + near + "? "
}
