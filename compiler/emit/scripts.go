// What a script reads of the environment without a template: `$NAME` and `${NAME}`, for a shell that the script starts, or for Prefect where `expand_env_vars` is on. On a laptop such a variable is simply there; a job has only
// what it is passed, so an emitted job that left it out would do something else. What looks like a variable of the script's own is left out: a name in lower case, one that it sets, one that the step's `env` gives.
package emit

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// scriptVariables are the names that a step's script reads, in its order.
func scriptVariables(s *graph.Step) (names []string) {
	if resolve.Canonical(s.Function) != resolve.RunShellScript {
		return nil
	}
	script, own := argument(s, "script").Str(), argument(s, "env")
	if !argument(s, "expand_env_vars").Truthy() && !argument(s, "shell").Truthy() && !startsShell(script) {
		return nil // Prefect hands it to a program as it is
	}
	for rest := script; ; {
		_, after, found := strings.Cut(rest, "$")
		if !found {
			return names
		}
		rest = after
		name := leadingName(strings.TrimPrefix(after, "{"))
		if _, given := own.Get(name); name == "" || given || !argument(s, "expand_env_vars").Truthy() && (name != strings.ToUpper(name) || setsVariable(script, name)) {
			continue
		}
		names = append(names, name)
	}
}

// leadingName is the variable's name with which a text begins, "" for none.
func leadingName(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if end < 0 {
		end = len(text)
	}
	if end > 0 && text[0] >= '0' && text[0] <= '9' {
		return ""
	}
	return text[:end]
}

// setsVariable reports whether a script gives a variable a value of its own: `NAME=`, `for NAME`, `read NAME`, `read -r NAME`. One that is made of itself is read: `NAME=${NAME:-none}`.
func setsVariable(script, name string) bool {
	for _, is := range []string{`=$`, `=${`, `="$`, `="${`} {
		if strings.Contains(script, name+is+name) {
			return false
		}
	}
	before, last := "", ""
	for _, word := range strings.FieldsFunc(script, func(r rune) bool { return strings.ContainsRune(" \t\n;&|('\"`", r) }) {
		if strings.HasPrefix(word, name+"=") || word == name && (last == "for" || last == "read" || before == "read" && strings.HasPrefix(last, "-")) {
			return true
		}
		before, last = last, word
	}
	return false
}

// startsShell reports whether a script without `shell: true` starts a shell on a text by itself: `sh -c`, `/usr/bin/env bash -o pipefail -ec`, or by a program that does, which is taken for one where a text in quotes follows:
// `flock FILE -c '…'`, `script -qc "…"`. `gcc -c $FLAGS` starts none.
func startsShell(script string) bool {
	for _, line := range strings.Split(script, "\n") { // each is a command of its own
		words := strings.Fields(line)
		for i, word := range words {
			quoted := i > 0 && i+1 < len(words) && strings.IndexAny(words[i+1], `'"`) == 0
			if isShell(word) && takesText(words[i+1:]) || quoted && strings.HasPrefix(word, "-") && strings.HasSuffix(word, "c") {
				return true
			}
		}
	}
	return false
}

func isShell(word string) bool {
	word = strings.Trim(word, `'"`)
	return slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"}, strings.TrimSuffix(word[strings.LastIndexAny(word, `/\`)+1:], ".exe"))
}

// takesText reports whether a shell's options have -c, alone or among others. What stands behind -o, -O and --rcfile is theirs; the first word that is no option ends them.
func takesText(words []string) bool {
	for i := 0; i < len(words); i++ {
		option := strings.Trim(words[i], `'"`)
		switch {
		case !strings.HasPrefix(option, "-") && !strings.HasPrefix(option, "+"), option == "--":
			return false
		case option == "--rcfile", option == "--init-file":
			i++
		case strings.HasPrefix(option, "--"):
		case strings.HasPrefix(option, "-") && strings.Contains(option, "c"):
			return true
		case strings.HasSuffix(strings.ToLower(option), "o"):
			i++
		}
	}
	return false
}
