// Completions, asked of the shells themselves: each loads the script that the program prints for it and is asked what may follow. bash is always there; zsh and fish where they are.
package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// asProgram makes this test binary the program, which the scripts call.
const asProgram = "RUN_AS_PROGRAM"

// TestTheProgram is no test: it is the program, where the environment says so.
func TestTheProgram(t *testing.T) {
	if os.Getenv(asProgram) == "" {
		return
	}
	words := os.Args
	for i, word := range words {
		if word == "--" {
			words = words[i+1:]
			break
		}
	}
	os.Exit(run(context.Background(), cli.World{Args: words, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(), Env: os.LookupEnv}))
}

// askShell gives the words that a shell has after it loaded the script and was asked.
func askShell(t *testing.T, shell string, words ...string) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := "#!/bin/sh\n" + asProgram + "=1 exec '" + self + "' -test.run='^TestTheProgram$' -- \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "run"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	line, last := "run "+strings.Join(words, " "), len(words)
	// Where an interactive shell has the words, the place of the cursor and a function that takes the answers, these stand in.
	script := map[string]string{
		"bash": `_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}") cword=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}; }
compopt() { :; }
source <(run completion bash)
COMP_WORDS=(run "$@") COMP_CWORD=$# COMP_LINE=$LINE_ COMP_POINT=${#LINE_} COMP_TYPE=9
__start_run; printf '%s\n' "${COMPREPLY[@]}"`,
		"zsh": `compdef() { :; }; _describe() { print -rl -- $completions; }; compadd() { :; }
source <(run completion zsh)
words=(run "$@") CURRENT=$(($# + 1)); _run`,
		"fish": `run completion fish | source
complete -C "$LINE_"`,
	}[shell]
	args := append([]string{"-c", script, shell}, words...)
	if shell == "fish" {
		args = args[:2]
	}
	x := exec.Command(shell, args...)
	x.Dir, x.Env = dir, []string{"PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir, "LINE_=" + line, "ZDOTDIR=" + dir}
	out, err := x.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatalf("%s, word %d of %q: %v", shell, last, line, err)
	}
	return string(out)
}

func TestCompletions(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			if _, err := exec.LookPath(shell); err != nil && shell != "bash" {
				if os.Getenv("CI") == "true" {
					t.Fatalf("there is no %s, and CI is to have it", shell)
				}
				t.Skip("there is no " + shell)
			}
			for _, c := range []struct {
				words []string
				wants []string
			}{
				{[]string{"de"}, []string{"deploy"}},
				{[]string{"deploy", "--collision-strategy", ""}, []string{"ENQUEUE", "CANCEL_NEW"}},
				{[]string{"deploy", "--enforce"}, []string{"--enforce-parameter-schema"}},
				{[]string{"plan", "--job"}, []string{"--job-variable", "--jobs"}},
			} {
				got := askShell(t, shell, c.words...)
				for _, want := range c.wants {
					if !strings.Contains(got, want) {
						t.Errorf("run %q: %s is not among\n%s", c.words, want, got)
					}
				}
				if strings.Contains(got, "--empty-") || strings.Contains(got, "command not found") {
					t.Errorf("run %q:\n%s", c.words, got)
				}
			}
		})
	}
}
