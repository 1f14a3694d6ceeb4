//go:build windows

// What of child processes is Windows: no groups to signal, cmd.exe for every line as in Prefect 3.
package step

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

const defaultPath = ""

func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.CreationFlags |= syscall.CREATE_NEW_PROCESS_GROUP
}

// endGroup ends cmd and what it started. taskkill walks the tree of parents; there is no polite way for programs without a window.
func endGroup(cmd *exec.Cmd, _ bool) {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run() != nil {
		_ = cmd.Process.Kill()
	}
}

func exitCode(state *os.ProcessState) int { return state.ExitCode() }

func signalName(code int) string { return strconv.Itoa(-code) }

// shellCommand hands the line over as it is: cmd.exe does its own splitting.
func shellCommand(line string) *exec.Cmd {
	shell := os.Getenv("ComSpec")
	if shell == "" {
		shell = `C:\Windows\System32\cmd.exe`
	}
	return &exec.Cmd{Path: shell, SysProcAttr: &syscall.SysProcAttr{CmdLine: `"` + shell + `" /c "` + line + `"`}}
}

const alwaysShell = true

// startWords starts a program of PATH. No line of a script comes here: alwaysShell.
func startWords(words []string, dir string, env []string, _ string, stdout, stderr func([]byte)) (*child, error) {
	program, err := exec.LookPath(words[0])
	if err != nil {
		return nil, err
	}
	return start(&exec.Cmd{Path: program, Args: words, Dir: dir, Env: env}, stdout, stderr)
}
