// The shell of steps. act gives the steps of a composite action INPUT_* and the action's repository and ref; GitHub does not (actions/runner#665, #2473). An action
// that reads them works in a replay and nowhere else. So steps get a `bash` that takes these variables away first: this very program under that name, put before
// all else on PATH.
//
// It also tells which steps run: act ends a step by killing the process that it started, and nothing else, so a replay that is interrupted would leave behind what the step had started in turn. Each stand-in leads a process
// group, and while it runs a file of its number stands in a directory; a number that is left when the run is over names a group that is to be ended (EndSteps).
package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// shellVariable tells the stand-in where the real shell is.
const shellVariable = "REPLAY_BASH"

// stepsVariable tells the stand-in the directory of the numbers of running steps.
const stepsVariable = "REPLAY_STEPS"

// InstallShell puts the stand-in on the PATH of this process; remove takes its directory away.
func InstallShell() (remove func(), err error) {
	real, err := osexec.LookPath("bash")
	if err != nil {
		return nil, fmt.Errorf("steps need bash: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "replay-shell-")
	if err != nil {
		return nil, err
	}
	steps := filepath.Join(dir, "steps")
	if err := errors.Join(os.Symlink(self, filepath.Join(dir, "bash")), os.Mkdir(steps, 0o700)); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	os.Setenv(shellVariable, real)
	os.Setenv(stepsVariable, steps)
	os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return func() { os.RemoveAll(dir) }, nil
}

// IsShell tells whether the program was started as the stand-in.
func IsShell(program string) bool {
	return filepath.Base(program) == "bash" && os.Getenv(shellVariable) != ""
}

// Shell is the stand-in: the real bash with the environment that GitHub would give. It returns the exit code.
func Shell(args []string) int {
	c := osexec.CommandContext(context.Background(), os.Getenv(shellVariable), args...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.Env = asGitHub(os.Environ())
	running := filepath.Join(os.Getenv(stepsVariable), strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(running, nil, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	defer os.Remove(running)
	err := c.Run()
	var exit *osexec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	return 0
}

// EndSteps ends what steps left running: politely, and after a while not.
func EndSteps() {
	entries, _ := os.ReadDir(os.Getenv(stepsVariable))
	for _, e := range entries {
		group, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		there := signalGroup(group, syscall.SIGTERM)
		for tries := 0; there && tries < 100; tries++ {
			time.Sleep(50 * time.Millisecond)
			there = signalGroup(group, 0)
		}
		if there {
			signalGroup(group, syscall.SIGKILL)
		}
		_ = os.Remove(filepath.Join(os.Getenv(stepsVariable), e.Name()))
	}
}

// asGitHub leaves out what GitHub does not set, and every trace of the stand-in.
func asGitHub(environ []string) []string {
	kept := make([]string, 0, len(environ))
	for _, entry := range environ {
		name, v, _ := strings.Cut(entry, "=")
		switch {
		case strings.HasPrefix(name, "INPUT_"), name == "GITHUB_ACTION_REF", name == "GITHUB_ACTION_REPOSITORY", name == shellVariable, name == stepsVariable:
			continue
		case name == "PATH":
			entry = name + "=" + withoutStandIn(v)
		}
		kept = append(kept, entry)
	}
	return kept
}

// withoutStandIn takes its directory off a PATH: it comes after whatever earlier steps put before it.
func withoutStandIn(path string) string {
	directories := slices.DeleteFunc(filepath.SplitList(path), func(d string) bool { return strings.HasPrefix(filepath.Base(d), "replay-shell-") })
	return strings.Join(directories, string(filepath.ListSeparator))
}
