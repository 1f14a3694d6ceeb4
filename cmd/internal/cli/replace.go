// Writing over a file that people keep.
package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// ReplaceFile writes beside the file and renames, so that a crash leaves the old or the new one. A file that is there keeps its permissions and stays what a link points to.
func ReplaceFile(path string, data []byte) error {
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
