package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asNobody takes root's right to read and write everything from the test's own thread, so that tests of permissions mean something where everything runs as root.
func asNobody(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	for _, d := range []string{dir, filepath.Dir(dir)} { // nobody has to get there
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	runtime.LockOSThread()
	const nobody = 65534
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setfsuid(0); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	})
}

// TestDevicesStayDevices: what is written to and is no file is not replaced by one, which root could.
func TestDevicesStayDevices(t *testing.T) {
	dir := project(t, map[string]string{"flow.py": flowFile, "prefect.yaml": "pull: []\ndeployments:\n- {name: d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"})
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that opening it to write waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	for _, dialect := range []string{"github", "gitlab"} {
		for _, name := range []string{pipe, link} {
			if code, _, stderr := compile(dialect, "-C", dir, "-o", name); code != 0 {
				t.Fatalf("%s: %d\n%s", dialect, code, stderr)
			}
			got := make([]byte, 64)
			if _, err := held.Read(got); err != nil || !strings.Contains(string(got), "compile "+dialect) && !strings.HasPrefix(string(got), "# ") {
				t.Errorf("%s: the pipe gave %q, %v", dialect, got, err)
			}
			drain(t, held)
			if info, err := os.Lstat(name); err != nil || info.Mode().IsRegular() {
				t.Errorf("%s: %s is a file now", dialect, name)
			}
		}
	}
}

// drain takes what is left in a pipe.
func drain(t *testing.T, f *os.File) {
	t.Helper()
	if err := f.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, f)
	if err := f.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}
