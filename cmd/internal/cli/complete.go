// Completion scripts. Those for bash lean on a function of the package bash-completion, which is not everywhere; where it is missing they bring a plain one of their own.
package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// words gives the words of the line up to the cursor. Bash itself breaks them at = and : too.
const words = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
_get_comp_words_by_ref()
{
    local line="${COMP_LINE:0:COMP_POINT}"
    read -r -a words <<< "$line"
    if [[ -z $line || $line == *[[:space:]] ]]; then
        words+=("")
    fi
    cword=$((${#words[@]} - 1))
    cur=${words[cword]}
    prev=${words[cword > 0 ? cword - 1 : 0]}
}
fi
`

// completions adds the command that prints the scripts.
func completions(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	c, _, err := root.Find([]string{"completion", "bash"})
	if err != nil || c.Name() != "bash" || c.RunE == nil {
		return
	}
	script := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if _, err := fmt.Fprint(root.OutOrStdout(), words); err != nil {
			return err
		}
		return script(c, args)
	}
}
