// Variables that may be missing. A workflow maps a variable from a secret, and where there is no such secret the job gets an empty text: GitHub cannot pass "not set", and it
// keeps neither empty secrets nor empty variables. Prefect tells the two apart, and so do we: a value that is not there must never be registered as an empty one. A compiled
// pipeline therefore names the variables that it maps:
//
//	env:
//	  REGION: ${{ vars.REGION }}
//	  DB_PASSWORD: ${{ secrets.DB_PASSWORD }}
//	  PREFECT_DEPLOY_OPTIONAL: REGION,DB_PASSWORD
package cli

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// WithoutEmpty is the world in which they are unset: for whatever looks one up, and for each process that is started.
func WithoutEmpty(w World) World {
	list, _ := w.Env(resolve.Optional)
	names := resolve.OptionalNames(list)
	if len(names) == 0 {
		return w
	}
	outer := w.Env
	w.Env = func(name string) (string, bool) {
		v, ok := outer(name)
		if v == "" && slices.Contains(names, name) {
			return "", false
		}
		return v, ok
	}
	w.Environ = slices.DeleteFunc(slices.Clone(w.Environ), func(entry string) bool {
		name, v, _ := strings.Cut(entry, "=")
		return v == "" && slices.Contains(names, name)
	})
	return w
}
