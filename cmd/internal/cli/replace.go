// Writing over a file that people keep.
package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// ReplaceFile writes beside the file and renames, so that a crash leaves the old or the new one. A file that is there keeps its permissions and stays what a link points to; what is no file (/dev/null, a pipe) is written to, and stays what it is.
func ReplaceFile(path string, data []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return writeInto(path, data)
	}
	real, err := filepath.EvalSymlinks(path)
	mode := fs.FileMode(0o644)
	switch info, statErr := os.Stat(real); {
	case errors.Is(err, fs.ErrNotExist):
		real = path
	case err != nil:
		return err
	case statErr != nil:
		return statErr
	default:
		mode = info.Mode().Perm()
	}
	temp, err := os.CreateTemp(filepath.Dir(real), ".prefect-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if _, err = temp.Write(data); err == nil {
		err = temp.Chmod(mode)
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), real)
}

func writeInto(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
