//go:build unix

// Process groups, which are Unix's.
package replay

import "syscall"

// signalGroup sends a signal to all processes of a group (0 only looks), and tells whether any is there.
func signalGroup(group int, signal syscall.Signal) bool { return syscall.Kill(-group, signal) == nil }
