//go:build unix

// The lock is the kernel's (flock) on a file beside the state: it goes with the process, however that ends, so there is no stale
// lock to guess about, and two that find a leftover cannot both take it. The file holds the process id for the message only.
package state

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

type fileLock struct {
	file *os.File
	path string
}

// lockFile takes the lock of the state file, or says who has it. It does not wait: whoever comes second has planned on a state
// that is about to change.
func lockFile(state string) (*fileLock, error) {
	path := state + ".lock"
	for range 100 {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("the state file %s cannot be locked: %w", state, err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			owner := lockOwner(f)
			_ = f.Close()
			return nil, fmt.Errorf("the state file %s is being written by %s: try again when it has ended (the lock is %s)", state, owner, path)
		}
		if !samePlace(f, path) { // its last owner removed it between our opening and locking
			_ = f.Close()
			continue
		}
		if err := f.Truncate(0); err == nil {
			_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
		}
		return &fileLock{f, path}, nil
	}
	return nil, fmt.Errorf("the state file %s cannot be locked: %s keeps being replaced", state, path)
}

func lockOwner(f *os.File) string {
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0)
	if pid := strings.TrimSpace(string(b[:n])); pid != "" && strings.Trim(pid, "0123456789") == "" {
		return "the process " + pid
	}
	return "another process"
}

func samePlace(f *os.File, path string) bool {
	a, err1 := f.Stat()
	b, err2 := os.Stat(path)
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// release removes the lock file while the lock is still held, so that nobody is left holding a lock on a removed file unknowingly.
func (l *fileLock) release() error {
	removed := os.Remove(l.path)
	if err := l.file.Close(); err != nil {
		return err
	}
	if os.IsNotExist(removed) {
		return nil
	}
	return removed
}
