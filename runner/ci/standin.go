// The action's own stand-in. A replay of a workflow that uses the action must run this program, not build it from source once more in each job; so it is given an action.yml that maps the same inputs and outputs and starts
// the program where it is.
package ci

import (
	"fmt"
	"strings"
)

// Standin is an action.yml that runs the program at a path. What more holds (NAME, VALUE) is set for it as well, over the inputs.
func Standin(program string, more ...[2]string) []byte {
	var b strings.Builder
	b.WriteString("name: Prefect deploy (stand-in)\ndescription: The program that replays\ninputs:\n")
	for _, name := range InputNames() {
		fmt.Fprintf(&b, "  %s: {description: as action.yml, default: \"\"}\n", name)
	}
	b.WriteString("outputs:\n")
	for _, name := range OutputNames() {
		fmt.Fprintf(&b, "  %s: {description: as action.yml, value: \"${{ steps.run.outputs.%s }}\"}\n", name, name)
	}
	b.WriteString("runs:\n  using: composite\n  steps:\n    - id: run\n      shell: bash\n      env:\n")
	set := map[string]bool{}
	for _, m := range more {
		set[m[0]] = true
		fmt.Fprintf(&b, "        %s: %s\n", m[0], quoted(m[1]))
	}
	for _, name := range InputNames() {
		if !set[Variable(name)] {
			fmt.Fprintf(&b, "        %s: ${{ inputs.%s }}\n", Variable(name), name)
		}
	}
	fmt.Fprintf(&b, "        PREFECT_DEPLOY_PROGRAM: %s\n      run: '\"$PREFECT_DEPLOY_PROGRAM\" action'\n", quoted(program))
	return []byte(b.String())
}

// quoted is a text in single quotes, as YAML has them.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
