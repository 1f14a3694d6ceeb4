// The file is written whole or not at all: a job that is ended while it writes must not leave half a file, which the next job would take for what the steps gave. It is
// opened before the first step runs, since a path that can't be written is a mistake to be told before an hour of building.
package handover

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Target is a place for outputs that has been found to be writable.
type Target struct {
	out  io.Writer // where there is nothing to replace: stdout, a pipe, a device
	file *os.File  // else the file beside the one to be written
	path string
	// Attempt is the CI's own word for the attempt of its run, "" where there is none.
	Attempt string
}

// Create prepares the file at path, relative to dir, and the directories above it; - is stdout, and "" is nil, which takes everything and writes nothing. The caller closes it.
func Create(dir, path string, stdout io.Writer) (*Target, error) {
	switch path {
	case "":
		return nil, nil
	case "-":
		return &Target{out: stdout}, nil
	}
	path = under(dir, path)
	if real, err := filepath.EvalSymlinks(path); err == nil { // a link stays one
		path = real
	}
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a directory", path)
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &Target{out: f, file: f}, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	var suffix [8]byte
	_, _ = rand.Read(suffix[:]) // never fails (crypto/rand)
	f, err := os.OpenFile(path+"."+hex.EncodeToString(suffix[:])+".tmp", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &Target{file: f, path: path}, nil
}

// Write puts the steps' outputs into the file.
func (t *Target) Write(steps []Step) error {
	switch {
	case t == nil:
		return nil
	case t.out != nil:
		_, err := t.out.Write(inAttempt(t.Attempt, steps))
		return err
	}
	_, err := t.file.Write(inAttempt(t.Attempt, steps))
	if closed := t.file.Close(); err == nil {
		err = closed // some file systems tell only then that it could not be written
	}
	if err == nil {
		err = os.Rename(t.file.Name(), t.path)
	}
	if err != nil {
		_ = os.Remove(t.file.Name())
	}
	t.file = nil
	return err
}

// Close ends a target; one that nothing was written to leaves nothing.
func (t *Target) Close() {
	if t == nil || t.file == nil {
		return
	}
	_ = t.file.Close()
	if t.path != "" {
		_ = os.Remove(t.file.Name())
	}
	t.file = nil
}
