// Package cli is what the programs of this module share on the outside: exit codes, the reading of files named by -f and -C, and how a wrong command line is said.
package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes, which scripts rely on.
const (
	ExitOK          = 0
	ExitError       = 1
	ExitChanges     = 2
	ExitStale       = 3
	ExitUsage       = 64
	ExitInterrupted = 130
)

// Exit ends a command with a code; Text, if any, goes to stderr.
type Exit struct {
	Code int
	Text string
}

func (e *Exit) Error() string { return e.Text }

// Usage is the error for a command line that can't be meant.
func Usage(format string, a ...any) error {
	return &Exit{Code: ExitUsage, Text: fmt.Sprintf(format, a...)}
}

// Fail is the error for everything else.
func Fail(format string, a ...any) error {
	return &Exit{Code: ExitError, Text: fmt.Sprintf(format, a...)}
}

// World is what a program may touch, so that tests can stand in for it.
type World struct {
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Env looks an environment variable up; Environ lists all as KEY=VALUE.
	Env     func(string) (string, bool)
	Environ []string
}

// OS is the real world.
func OS() World {
	return World{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.LookupEnv, Environ: os.Environ()}
}

// Run executes a command and returns the exit code.
func Run(root *cobra.Command, w World) int {
	root.SetArgs(w.Args)
	root.SetIn(w.Stdin)
	root.SetOut(w.Stdout)
	root.SetErr(w.Stderr)
	root.SilenceErrors, root.SilenceUsage = true, true
	completions(root)
	root.SetFlagErrorFunc(wrongFlag)
	err := root.Execute()
	var exit *Exit
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		if exit.Text != "" {
			fmt.Fprintf(w.Stderr, "error: %s\n", exit.Text)
		}
		return exit.Code
	case strings.HasPrefix(err.Error(), "unknown command"):
		fmt.Fprintf(w.Stderr, "error: %v; %s -h lists the commands\n", err, root.Name())
		return ExitUsage
	}
	fmt.Fprintf(w.Stderr, "error: %v\n", err)
	return ExitError
}

// NoArgs refuses arguments with the usage code.
func NoArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usage("%s takes no argument %q", c.CommandPath(), args[0])
	}
	return nil
}

// File is a file that -f names.
type File struct {
	// Name is slash-separated and relative to the working directory.
	Name string
	Data []byte
}

// Read reads the files of -f, which may be patterns, relative to dir. A pattern that matches nothing and a file that isn't there are errors of kind fs.ErrNotExist.
func Read(dir string, patterns []string) ([]File, error) {
	var names []string
	seen := map[string]bool{}
	for _, p := range patterns {
		found, err := match(dir, p)
		if err != nil {
			return nil, err
		}
		for _, n := range found {
			if !seen[n] {
				seen[n] = true
				names = append(names, n)
			}
		}
	}
	files := make([]File, 0, len(names))
	for _, n := range names {
		data, err := os.ReadFile(under(dir, n))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.ToSlash(n), plain(err))
		}
		files = append(files, File{filepath.ToSlash(n), data})
	}
	return files, nil
}

// IsDirectory refuses what -C names and is no directory.
func IsDirectory(dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return Usage("-C %s: there is no such directory", dir)
	}
	return nil
}

// plain takes the operation and the path off a file error.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func under(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

func match(dir, pattern string) ([]string, error) {
	if _, err := os.Stat(under(dir, pattern)); err == nil || !strings.ContainsAny(pattern, "*?[") {
		return []string{filepath.Clean(pattern)}, nil
	}
	found, err := filepath.Glob(under(dir, pattern))
	if err != nil {
		return nil, Usage("-f %q is not a pattern: %v", pattern, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w", pattern, fs.ErrNotExist)
	}
	for i, f := range found {
		if rel, err := filepath.Rel(dir, f); err == nil && !filepath.IsAbs(pattern) {
			found[i] = rel
		}
	}
	sort.Strings(found)
	return found, nil
}

// WithinRepository is a directory's path within its repository with a slash at its end: code scanning counts from the repository's root, wherever the check was started. It is
// "" at the root, and where there is no repository.
func WithinRepository(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
			if rel, err := filepath.Rel(root, dir); err == nil && rel != "." {
				return filepath.ToSlash(rel) + "/"
			}
			return ""
		}
		if root == filepath.Dir(root) {
			return ""
		}
	}
}

// release and commit are the version and its commit, which .ci/release has the linker put here.
var release, commit string

// Commit is the commit that this program was built of, "" where the build names none or was changed.
func Commit() string {
	if commit != "" {
		return commit
	}
	if version, clean := Version(); clean && len(version) == 40 {
		return version
	}
	return ""
}

// Version is what `version` prints: the release, or the commit stamped into the build, and whether it is one that was changed.
func Version() (version string, clean bool) {
	if release != "" {
		return release, true
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown (no build information)", false
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	revision, modified := settings["vcs.revision"], settings["vcs.modified"] == "true"
	switch {
	case revision == "" && info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version, true
	case revision == "":
		return "unstamped build", false
	case modified:
		return revision + " with changes", false
	}
	return revision, true
}

// Stamp is the version as the heads of emitted files have it: the release, or the commit's beginning, with a + where the build was changed. Whoever compares a head with what it would write now must use the same words.
func Stamp() string {
	version, _ := Version()
	word, _, changed := strings.Cut(version, " ")
	if len(word) == 40 {
		word = word[:12]
	}
	if changed && word != "unstamped" {
		word += "+"
	}
	return word
}
