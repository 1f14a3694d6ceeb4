//go:build !linux

package main

import "testing"

// asNobody does nothing where tests do not run as root.
func asNobody(*testing.T, string) {}
