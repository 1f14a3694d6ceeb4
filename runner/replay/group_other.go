//go:build !unix

package replay

import "syscall"

// signalGroup does nothing: elsewhere there are no process groups, and a step ends with the program that started it.
func signalGroup(int, syscall.Signal) bool { return false }
