//go:build real

// Package servertest starts servers that others wrote for tests of several packages, which run beside each other. A port that the system was asked for and that was let go
// again can be given to the next who asks before the server listens on it: two tests then talk to one server, each wondering about the other's things, and one ends it
// under the other. So ports are claimed here, once for all test programs.
package servertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// The ports lie below those that systems give out by themselves (from 32768 on Linux, from 49152 on macOS), so that no connection takes one that is claimed.
const (
	firstPort = 20000
	ports     = 12000
)

// claims are kept open, as their locks end with them; the system ends them with the process, however that ends.
var claims []*os.File

// Port gives a port of 127.0.0.1 on which nothing listens, and that no other caller on this machine gets while this process runs. It fails where none is to be had.
func Port() (string, error) {
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("prefect-deploy-action-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for range 200 {
		port := strconv.Itoa(firstPort + rand.IntN(ports))
		claim, err := os.OpenFile(filepath.Join(dir, port), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return "", err
		}
		if syscall.Flock(int(claim.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil { // another's
			_ = claim.Close()
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil { // a program's that makes no claims
			_ = claim.Close()
			continue
		}
		if err := l.Close(); err != nil {
			return "", err
		}
		claims = append(claims, claim)
		return port, nil
	}
	return "", errors.New("no free port of 127.0.0.1 found")
}
