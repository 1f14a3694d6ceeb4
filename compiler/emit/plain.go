// Steps that a platform can carry out by itself because nothing in them has to be filled and nobody uses what they print: a script of plain words, a clone of a public repository, an installation of packages. Where the
// platform's way would differ in a single case, the runtime does it: a shell expands what Prefect hands to a program as it is, so a script is only written as a `run:` when there is nothing in it for a shell to expand.
package emit

import (
	"path"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/template"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// used are the steps whose outputs something refers to.
func used(in *Input) map[*graph.Step]bool {
	out := map[*graph.Step]bool{}
	for _, s := range in.Graph.Steps {
		for _, u := range s.Upstream {
			out[u] = true
		}
	}
	for _, r := range in.Graph.Registrations {
		if len(r.Steps) > 0 {
			for s := range usedBy(in.Deployments[r.Index], r.Steps) {
				out[s] = true
			}
		}
	}
	return out
}

// static reports whether nothing of a step is filled when it runs, and only arguments of the list are there.
func static(s *graph.Step, arguments ...string) bool {
	filled := false
	template.Walk(s.Inputs, func(value.Value, []template.Placeholder) { filled = true })
	if filled || len(s.Requires) > 0 || len(s.Directory) > 0 {
		return false
	}
	for _, e := range s.Inputs.Map {
		known := false
		for _, a := range arguments {
			known = known || a == e.Key
		}
		if !known || e.Value.Kind != value.Text && e.Value.Kind != value.Bool && e.Value.Kind != value.Null {
			return false
		}
	}
	return true
}

// hushed reports whether what a step prints is not to be seen, which a platform's log always shows.
func hushed(s *graph.Step) bool {
	v := argument(s, "stream_output")
	return !v.IsNull() && !v.Truthy()
}

func argument(s *graph.Step, name string) value.Value {
	v, _ := s.Inputs.Get(name)
	return v
}

// scriptOf is a shell step's script when a shell reads it as Prefect does: lines of plain words. ok is false otherwise.
func scriptOf(s *graph.Step) (lines []string, directory string, ok bool) {
	if !static(s, "script", "directory", "stream_output") || hushed(s) || argument(s, "script").Kind != value.Text {
		return nil, "", false
	}
	for _, line := range strings.Split(argument(s, "script").Text, "\n") {
		line = strings.Trim(line, " \t\r")
		if line == "" {
			continue
		}
		words := strings.Fields(line)
		if !plainWords(line) || strings.Contains(words[0], "=") || reservedWord(words[0]) {
			return nil, "", false
		}
		lines = append(lines, line)
	}
	directory, ok = plainPath(argument(s, "directory"))
	return lines, directory, ok && len(lines) > 0
}

// plainWords: nothing that a shell, or GitHub's expressions and commands, would take for more than itself.
func plainWords(line string) bool {
	return !strings.Contains(line, "::") && !strings.ContainsFunc(line, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(" ./_-:=@%+,", r)
	})
}

// reservedWord: a word that begins something in a shell, and is a program's name elsewhere.
func reservedWord(word string) bool {
	switch word {
	case "if", "for", "while", "until", "case", "select", "function", "time", "coproc", "then", "do", "done", "fi", "esac", "else", "elif", "in",
		"cd", "exit", "export", "set", "unset", "source", ".", "alias", "eval", "exec", "return", "shift", "trap", "ulimit", "umask", "wait", "read", "local", "declare", "typeset", "readonly", "let", "break", "continue",
		"hash", "type", "command", "builtin", "enable", "shopt", "history", "jobs", "bg", "fg", "kill", "printf", "test", "pwd", "true", "false", "echo", "help", "dirs", "pushd", "popd", "getopts", "logout", "mapfile", "readarray", "times", "bind", "caller", "compgen", "complete", "compopt", "disown", "suspend", ":":
		return true // most of these are built into bash, and may differ from the program of that name
	}
	return false
}

// plainPath is a directory below the working directory, "" for that itself.
func plainPath(v value.Value) (string, bool) {
	if v.IsNull() {
		return "", true
	}
	p := path.Clean(v.Text)
	if v.Kind != value.Text || v.Text == "" || !plainWords(v.Text) || strings.Contains(v.Text, " ") || path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "-") {
		return "", false
	}
	if p == "." {
		p = ""
	}
	return p, true
}

// clone is what actions/checkout does in place of a git_clone of a public repository of this platform.
type clone struct {
	repository, ref, path string
	submodules            bool
}

func cloneOf(s *graph.Step) (c clone, ok bool) {
	if !static(s, "repository", "branch", "commit_sha", "include_submodules", "clone_directory_name") {
		return c, false
	}
	name, ok := strings.CutPrefix(argument(s, "repository").Text, "https://github.com/")
	name = strings.TrimSuffix(strings.TrimSuffix(name, "/"), ".git")
	owner, repository, two := strings.Cut(name, "/")
	if !ok || !two || !plainWords(name) || strings.ContainsAny(name, " :=@%+,") || strings.Contains(repository, "/") || owner == "" || repository == "" {
		return c, false
	}
	branch, sha := argument(s, "branch"), argument(s, "commit_sha")
	if branch.Truthy() && sha.Truthy() || !plainWords(branch.Text+sha.Text) || strings.Contains(branch.Text+sha.Text, " ") || strings.HasPrefix(branch.Text+sha.Text, "-") {
		return c, false
	}
	c = clone{repository: name, ref: branch.Text + sha.Text, path: repository, submodules: argument(s, "include_submodules").Truthy()}
	if branch.Truthy() {
		c.path += "-" + branch.Text
	}
	if given := argument(s, "clone_directory_name"); given.Truthy() {
		c.path = given.Text
	}
	_, plain := plainPath(value.Of(c.path))
	return c, plain && !strings.Contains(c.path, "/")
}

// requirementsOf are the file and directory of an installation of packages.
func requirementsOf(s *graph.Step) (file, directory string, ok bool) {
	if !static(s, "directory", "requirements_file", "stream_output") || hushed(s) {
		return "", "", false
	}
	directory, ok = plainPath(argument(s, "directory"))
	if !ok {
		return "", "", false
	}
	file = "requirements.txt"
	if given := argument(s, "requirements_file"); given.Truthy() {
		if file, ok = plainPath(given); !ok || file == "" {
			return "", "", false
		}
	}
	return file, directory, resolve.Canonical(s.Function) == resolve.PipInstall
}
