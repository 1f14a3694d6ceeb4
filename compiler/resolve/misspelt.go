// Names of steps that were meant to be Prefect's. A name that is not known may be a function of the project's own, so one is called wrong only where it can't be anything else, or is so near to a known one in each of its parts
// that somebody should look:
//
//	prefect.deployments.step.git_clone                Prefect has no such module                              error
//	prefect_docker.deployments.steps.build_image      all functions of that module are known                  error
//	prefec.deployments.steps.git_clone                a package of that name may be there, who knows          warning
//	prefect_docker.images.pull_docker_image           another function of the package, also fit for a step    nothing
//	steps.git_clone                                   the project's own                                       nothing
package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// unknownStep tells what is wrong with the name of a step that is not known; message is "" where it may be a function of the project's own.
func unknownStep(name string) (message, help string, sure bool) {
	canonical := Canonical(name)
	module, function := cutLast(canonical)
	pkg, rest, _ := strings.Cut(module, ".")
	switch siblings := namesIn(module); {
	case module == "":
		return fmt.Sprintf("%s is not the full name of a function", diag.Quote(name)), nearStep(function, allNames()), true
	case own(name):
		return fmt.Sprintf("Prefect has no step %s", diag.Quote(name)), nearStep(function, ownNames()), true
	case len(siblings) > 0 && canonical == name:
		return fmt.Sprintf("Prefect has no step %s", diag.Quote(name)), nearStep(function, siblings), true
	case len(siblings) > 0: // an older module of a package, which may have had more functions
		return "", "", false
	}
	near := namesNear(pkg, rest, function)
	full := diag.DidYouMean(name, near)
	switch {
	case len(near) == 0 || full == "" && len(near) > 1:
		return "", "", false
	case full == "":
		full = "did you mean " + near[0] + "?"
	}
	if isPackage(pkg) {
		return fmt.Sprintf("Prefect has no step %s", diag.Quote(name)), full, true
	}
	return fmt.Sprintf("%s is no step of Prefect's, so it is taken for a Python function of your own", diag.Quote(name)), full, false
}

// namesNear are the known names that are near in each part: the package, what is between it and the function, and the function.
func namesNear(pkg, rest, function string) (near []string) {
	for _, known := range allNames() {
		module, knownFunction := cutLast(known)
		knownPackage, knownRest, _ := strings.Cut(module, ".")
		if diag.Nearest(pkg, []string{knownPackage}) != "" && diag.Nearest(rest, []string{knownRest, "steps", "deployments"}) != "" && diag.Nearest(function, []string{knownFunction}) != "" {
			near = append(near, known)
		}
	}
	return near
}

// cutLast parts a name at its last dot.
func cutLast(name string) (module, function string) {
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		return name[:dot], name[dot+1:]
	}
	return "", name
}

func allNames() (names []string) {
	for i := range functions {
		names = append(names, functions[i].Name)
	}
	return names
}

// namesIn are the known functions of a module.
func namesIn(module string) []string {
	return slices.DeleteFunc(allNames(), func(name string) bool {
		return !strings.HasPrefix(name, module+".") || strings.Contains(name[len(module)+1:], ".")
	})
}

// isPackage reports whether a package is one of those that the known functions are in.
func isPackage(pkg string) bool {
	return slices.ContainsFunc(allNames(), func(name string) bool { return strings.HasPrefix(name, pkg+".") })
}

// nearStep is the one of the candidates whose function has the nearest name, else all of them.
func nearStep(function string, candidates []string) string {
	var short []string
	for _, c := range candidates {
		_, f := cutLast(c)
		short = append(short, f)
	}
	if near := diag.Nearest(function, short); near != "" {
		return "did you mean " + candidates[slices.Index(short, near)] + "?"
	}
	return "its steps are " + list(candidates)
}
