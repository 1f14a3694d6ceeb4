// What the values of a step's arguments tell without running it: a type on which the function fails, and a script that is written for a shell. run_shell_script splits each line into words and starts the first as a program:
//
//	cd app && make        there is no program cd, and it would be given "app", "&&" and "make"
//	date > built.txt      date gets the words ">" and "built.txt"
//	bash -c 'date > x'    a program with two words, the second of which a shell reads: right
package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// checkValues looks at the values of a known step's arguments.
func checkValues(f *spec.File, s *spec.Step, known *Function, report func(code string, p value.Pos, message, help string), diags *diag.List) {
	for _, e := range s.Inputs.Map {
		if slices.Contains(known.Text, e.Key) && e.Value.Truthy() && e.Value.Kind != value.Text && !IsReference(e.Value) {
			report("invalid-argument", e.Value.Pos, fmt.Sprintf("the argument %s of %s must be text, not %s", e.Key, short(s.Function), e.Value.Kind), asText(e.Value))
		}
	}
	warn := func(code string, p value.Pos, message, help string) {
		diags.Add(diag.Diagnostic{Severity: diag.Warning, Code: code, Message: message, Help: help, Position: f.Position(p)})
	}
	switch known.Name {
	case GitClone:
		if d, _ := s.Inputs.Get("directories"); d.Kind == value.Text && d.Text != "" && !strings.Contains(d.Text, "{{") {
			warn("invalid-argument", d.Pos, "the argument directories of git_clone is a list, and of a text Prefect takes each letter as a directory", "write directories: ["+diag.Clean(d.Text)+"]")
		}
	case RunShellScript:
		checkEnv(s, report)
		script, _ := s.Inputs.Get("script")
		if shell, _ := s.Inputs.Get("shell"); script.Kind != value.Text || shell.Truthy() {
			return
		}
		if line, what := forShell(script.Text); what != "" {
			warn("no-shell", script.Pos, fmt.Sprintf("line %d of the script has %s, which is for a shell, and run_shell_script starts each line as a program without one", line, diag.Quote(what)),
				"write shell: true beside the script (Prefect 3.8), bash -c '…' around what is for a shell, or one command a line and nothing else")
		}
	}
}

// checkEnv looks at the variables of a script.
func checkEnv(s *spec.Step, report func(code string, p value.Pos, message, help string)) {
	env, _ := s.Inputs.Get("env")
	if IsReference(env) {
		return
	}
	if env.Kind != value.Map && env.Kind != value.Text && env.Truthy() {
		report("invalid-argument", env.Pos, fmt.Sprintf("the argument env of run_shell_script must be a mapping of names to text, not %s", env.Kind), "write env: {NAME: \"value\"}")
	}
	for _, e := range env.Map {
		if e.Value.Kind != value.Text && !IsReference(e.Value) {
			report("invalid-argument", e.Value.Pos, fmt.Sprintf("the value of %s under env must be text, not %s", diag.Quote(e.Key), e.Value.Kind), asText(e.Value))
		}
	}
}

// IsReference reports whether a value stands for a block document: Prefect puts the document's value, which may be anything, in place of a mapping with $ref.
func IsReference(v value.Value) bool {
	_, ok := v.Get("$ref")
	return ok
}

// asText says how a value is written as text.
func asText(v value.Value) string {
	switch v.Kind {
	case value.Bool, value.Int, value.Float:
		return "put it in quotes"
	}
	return ""
}

// forShell is the first word of a script that only a shell understands, with its line; "" for none.
func forShell(script string) (line int, word string) {
	for i, text := range strings.Split(script, "\n") {
		words := bareWords(text)
		for k, w := range words {
			if w == ";" && k == len(words)-1 { // the end of find's -exec; from a shell it would be quoted
				continue
			}
			if k == 0 && forShellFirst(w) || forShellAnywhere(w) {
				return i + 1, w
			}
		}
	}
	return 0, ""
}

// bareWords are the words of a line as they are written; those with a quote or a backslash in them, which mean themselves, are "".
func bareWords(line string) (words []string) {
	var quote rune
	start, bare, escaped := -1, true, false
	end := func(i int) {
		switch {
		case start >= 0 && bare:
			words = append(words, line[start:i])
		case start >= 0:
			words = append(words, "")
		}
		start, bare = -1, true
	}
	for i, r := range line {
		if quote == 0 && !escaped && (r == ' ' || r == '\t' || r == '\r') {
			end(i)
			continue
		}
		if start < 0 {
			start = i
		}
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, bare = true, false
		case quote == r:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, bare = r, false
		}
	}
	end(len(line))
	return words
}

func forShellFirst(w string) bool {
	switch w {
	case "cd", "export", "source", ".", "set", "unset", "if", "for", "while", "eval":
		return true
	}
	name, _, assigned := strings.Cut(w, "=")
	return assigned && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func forShellAnywhere(w string) bool {
	switch w {
	case "&&", "||", "|", "&", ";", ">", ">>", "<", "<<", "2>", "2>&1", "&>":
		return true
	}
	return strings.HasSuffix(w, ";") || strings.HasPrefix(w, ">") || strings.HasPrefix(w, "2>") || strings.Contains(w, "$(")
}
