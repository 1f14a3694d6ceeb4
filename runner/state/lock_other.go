//go:build !unix

// Without flock the lock is a file that only one can create. One whose owner is gone is taken over by renaming it away first, so
// that of two that find it only one can.
package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

type fileLock struct{ path string }

func lockFile(state string) (*fileLock, error) {
	path := state + ".lock"
	for range 3 {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
			return &fileLock{path}, f.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("the state file %s cannot be locked: %w", state, err)
		}
		data, _ := os.ReadFile(path)
		pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err != nil || alive(pid) {
			return nil, fmt.Errorf("the state file %s is being written by the process %s: try again when it has ended, or remove %s if there is none", state, strings.TrimSpace(string(data)), path)
		}
		stale := path + "." + strconv.Itoa(os.Getpid())
		if os.Rename(path, stale) == nil {
			_ = os.Remove(stale)
		}
	}
	return nil, fmt.Errorf("the state file %s cannot be locked: %s keeps being replaced", state, path)
}

// alive asks the system for the process; where it cannot be found there is none.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	_ = p.Release()
	return true
}

func (l *fileLock) release() error { return os.Remove(l.path) }
