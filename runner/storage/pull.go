// Pulling: the objects of a folder into a directory, and never anywhere else. All names are looked at before the first byte is written; the directory is an os.Root, so that no link in it leads a write out of it. A file is written under a
// scratch name beside its own and renamed when it is whole; the scratch name follows from the file's, so what a killed run left is used up by the next.
package storage

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

func pull(ctx context.Context, c Call, b *bucket, folder string) error {
	objects, names, err := b.wanted(ctx, within(folder))
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	var made sync.Map
	var todo []transfer
	for _, name := range names {
		o := objects[name]
		todo = append(todo, transfer{name: name, size: max(o.size, 0), do: func(ctx context.Context) (bool, error) {
			if !c.Always && isSame(root, c.Dir, name, o) {
				return true, nil
			}
			return false, b.getFile(ctx, root, &made, name, o)
		}})
	}
	return transferAll(ctx, c, todo, "pulled", "from "+b.name, func(name string, err error) error { return b.fault(fmt.Sprintf("%s cannot be pulled", name), err) })
}

// wanted lists the folder: the objects by the names of their files, and those in the list's order. Of two objects for one file the later counts, as when they are written one after the other.
func (b *bucket) wanted(ctx context.Context, prefix string) (map[string]object, []string, error) {
	objects := map[string]object{}
	var names []string
	var wrong error
	err := b.list(ctx, prefix, func(o object) error {
		if o.folder || o.key == "" || o.key[len(o.key)-1] == '/' {
			return nil
		}
		name, err := fileOf(prefix, o.key)
		if err != nil {
			wrong = err
			return err
		}
		if _, ok := objects[name]; !ok {
			names = append(names, name)
		}
		objects[name] = o
		return nil
	})
	if wrong != nil {
		return nil, nil, fmt.Errorf("nothing was pulled: %w", wrong)
	}
	if err != nil {
		return nil, nil, b.fault("nothing was pulled", err)
	}
	return objects, names, nil
}

// isSame reports whether the file is there with the object's bytes, and no link.
func isSame(root *os.Root, dir, name string, o object) bool {
	info, err := root.Lstat(filepath.FromSlash(name))
	return err == nil && info.Mode().IsRegular() && info.Size() == o.size && sameBytes(filepath.Join(dir, filepath.FromSlash(name)), o)
}

// scratch is the name beside a file's under which it is written.
func scratch(name string) string {
	sum := md5.Sum([]byte(name))
	return path.Join(path.Dir(name), ".pulling-"+hex.EncodeToString(sum[:8]))
}

func (b *bucket) getFile(ctx context.Context, root *os.Root, made *sync.Map, name string, o object) error {
	if dir := path.Dir(name); dir != "." {
		if _, ok := made.Load(dir); !ok {
			if err := root.MkdirAll(filepath.FromSlash(dir), 0o777); err != nil {
				return outside(err)
			}
			made.Store(dir, true)
		}
	}
	temporary := filepath.FromSlash(scratch(name))
	file, err := root.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666)
	if err != nil {
		return outside(err)
	}
	err = b.download(ctx, file, o)
	if there, missing := root.Lstat(filepath.FromSlash(name)); err == nil && b.inPlace && missing == nil && there.Mode().IsRegular() {
		err = file.Chmod(there.Mode().Perm())
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = root.Rename(temporary, filepath.FromSlash(name))
	}
	if err != nil {
		_ = root.Remove(temporary)
	}
	return outside(err)
}

var errLink = errors.New("a link in the directory leads out of it; remove the link")

// outside says what an os.Root means; it has no error of its own to compare with.
func outside(err error) error {
	var p *os.PathError
	if errors.As(err, &p) && strings.Contains(p.Err.Error(), "path escapes from parent") {
		return errLink
	}
	return err
}

// download writes an object's bytes: a large one in ranges, several at once.
func (b *bucket) download(ctx context.Context, file *os.File, o object) error {
	if o.size <= 2*partSize {
		body, err := b.get(ctx, o, 0, -1)
		if err != nil {
			return tried{err}
		}
		defer body.Close()
		n, err := io.Copy(file, body)
		if err == nil && n != o.size && o.size != unknown {
			return errChanged
		}
		return err
	}
	ranges, ctx := errgroup.WithContext(ctx)
	ranges.SetLimit(4)
	for from := int64(0); from < o.size; from += partSize {
		ranges.Go(func() error {
			_, err := again(ctx, func(ctx context.Context) (bool, error) {
				return false, b.part(ctx, file, o, from, min(partSize, o.size-from))
			})
			return err
		})
	}
	return triedIf(ranges.Wait())
}

func (b *bucket) part(ctx context.Context, file *os.File, o object, from, length int64) error {
	body, err := b.get(ctx, o, from, length)
	if err != nil {
		return tried{err}
	}
	defer body.Close()
	n, err := io.Copy(io.NewOffsetWriter(file, from), body)
	if err == nil && n != length {
		return errChanged
	}
	return err
}
