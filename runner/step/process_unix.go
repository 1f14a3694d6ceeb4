//go:build unix

// What of child processes is Unix: process groups, signals, and how a program is found.
package step

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// defaultPath is where Python looks for programs when the environment has no PATH (os.defpath).
const defaultPath = "/bin:/usr/bin"

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// endGroup signals all processes of cmd's group. The group keeps its number while any of them lives, also after its leader.
func endGroup(cmd *exec.Cmd, kill bool) {
	signal := syscall.SIGTERM
	if kill {
		signal = syscall.SIGKILL
	}
	_ = syscall.Kill(-cmd.Process.Pid, signal)
}

// exitCode counts as Python does: -N for a process that signal N ended.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return -int(status.Signal())
	}
	return state.ExitCode()
}

func signalName(code int) string { return syscall.Signal(-code).String() }

// shellCommand is what subprocess makes of shell=True.
func shellCommand(line string) *exec.Cmd {
	return &exec.Cmd{Path: "/bin/sh", Args: []string{"/bin/sh", "-c", line}}
}

// alwaysShell: Prefect 3 gives every line to cmd.exe on Windows; elsewhere only with shell: true.
const alwaysShell = false

// startWords starts the program that words[0] names, as Python's subprocess does: a name without a slash is tried in each directory
// of the child's own PATH (not ours), in order; relative paths count from the directory in which the child runs. A file without a
// `#!` line is not given to a shell.
func startWords(words []string, dir string, env []string, path string, stdout, stderr func([]byte)) (*child, error) {
	candidates := []string{words[0]}
	if !strings.Contains(words[0], "/") {
		candidates = candidates[:0]
		for _, d := range strings.Split(path, ":") {
			if d == "" {
				d = "."
			}
			candidates = append(candidates, strings.TrimSuffix(d, "/")+"/"+words[0])
		}
	}
	var saved error
	for _, candidate := range candidates {
		err := startable(candidate, dir)
		if err == nil {
			var c *child
			c, err = start(&exec.Cmd{Path: candidate, Args: words, Dir: dir, Env: env}, stdout, stderr)
			if err == nil {
				return c, nil
			}
		}
		if saved == nil && !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ENOTDIR) {
			saved = err
		}
	}
	switch {
	case saved != nil:
		return nil, fmt.Errorf("the program %q cannot be started: %s", words[0], reason(saved))
	case strings.Contains(words[0], "/"):
		return nil, fmt.Errorf("there is no program %q (looked for it in %s)", words[0], dir)
	}
	return nil, fmt.Errorf("there is no program %q on PATH", words[0])
}

// startable spares a fork for what execve would refuse anyway.
func startable(candidate, dir string) error {
	full := candidate
	if !filepath.IsAbs(full) {
		full = dir + "/" + full
	}
	info, err := os.Stat(full)
	if err != nil {
		return err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return syscall.EACCES
	}
	return nil
}
