// Where the code of `uses:` comes from: a directory that was named for it, or a stand-in for the few actions that prepare a machine which is prepared already. There
// is no third way, so nothing is ever fetched.
package replay

import (
	"archive/tar"
	"bytes"
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

//go:embed stubs
var stubs embed.FS

// actions is act's ActionCache over a map of `owner/repository@ref` to a directory.
type actions struct {
	local map[string]string
	// beside is the directory of the workflow and of those that it calls.
	beside string
	// facts are what stand-ins are told, by the mark in whose place it is written: variables would be seen by every step, and GitHub sets none such.
	facts map[string]string
}

// Fetch names what stands for an action: GetTarArchive gets the answer back.
func (a actions) Fetch(_ context.Context, repository, _, ref, _ string) (string, error) {
	if repository == calledFrom+"@"+calledAt { // act names a called workflow's repository with its ref
		return "called:", nil
	}
	if directory, ok := a.local[repository+"@"+ref]; ok {
		return directory, nil
	}
	if stub := strings.ReplaceAll(repository, "/", "-"); isDir(stubs, "stubs/"+stub) {
		return "stub:" + stub, nil
	}
	return "", fmt.Errorf("%s@%s is not fetched, as a replay is offline: name a directory that holds it with --action %s@%s=DIR", repository, ref, repository, ref)
}

func isDir(f fs.FS, name string) bool {
	info, err := fs.Stat(f, name)
	return err == nil && info.IsDir()
}

// GetTarArchive gives a file, or everything below a directory with names relative to it.
func (a actions) GetTarArchive(ctx context.Context, _, source, name string) (io.ReadCloser, error) {
	var root fs.FS = os.DirFS(source)
	var facts map[string]string
	if source == "called:" {
		root, name = os.DirFS(a.beside), path.Base(name)
	}
	if stub, ok := strings.CutPrefix(source, "stub:"); ok {
		root, _ = fs.Sub(stubs, "stubs/"+stub)
		facts = a.facts
	}
	name = path.Clean("./" + name)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := fs.WalkDir(root, name, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && p != name && left(d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		return add(w, root, p, strings.TrimPrefix(p, name+"/"), facts)
	})
	if closed := w.Close(); err == nil {
		err = closed
	}
	return io.NopCloser(&b), err
}

// left tells directories that are no part of an action: what git and caches keep, and the data of tests.
func left(name string) bool { return name == ".git" || name == ".cache" || name == "testdata" }

func add(w *tar.Writer, root fs.FS, file, as string, facts map[string]string) error {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return err
	}
	for mark, text := range facts {
		data = bytes.ReplaceAll(data, []byte(mark), []byte(text))
	}
	info, err := fs.Stat(root, file)
	if err != nil {
		return err
	}
	if as == file {
		as = path.Clean(as)
	}
	if err := w.WriteHeader(&tar.Header{Name: as, Typeflag: tar.TypeReg, Mode: int64(info.Mode().Perm()), Size: int64(len(data))}); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
