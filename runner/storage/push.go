// Pushing: the files of a directory, less what its ignore file names, each under the folder's key. Which files those are is Python's rglob("*"): all of the tree, hidden ones too; links to files count as files, links to directories do not.
package storage

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// local is a file that is pushed.
type local struct {
	// name is its path in the directory, with slashes.
	name string
	size int64
}

func push(ctx context.Context, c Call, b *bucket, folder string) error {
	files, err := filesOf(c)
	if err != nil {
		return err
	}
	there := map[string]object{}
	if !c.Always && len(files) > 0 {
		wanted := map[string]bool{}
		for _, f := range files {
			wanted[keyOf(folder, f.name)] = true
		}
		err := b.list(ctx, keyOf(folder, ""), func(o object) error {
			if wanted[o.key] {
				there[o.key] = o
			}
			return nil
		})
		if err != nil && (b.mayNot == nil || !b.mayNot(err)) { // a folder that may be written but not listed is pushed whole
			return b.fault("nothing was pushed", err)
		}
	}
	var todo []transfer
	for _, f := range files {
		key := keyOf(folder, f.name)
		path := filepath.Join(c.Dir, filepath.FromSlash(f.name))
		todo = append(todo, transfer{name: f.name, size: f.size, do: func(ctx context.Context) (bool, error) {
			if o, ok := there[key]; ok && o.size == f.size && sameBytes(path, o) {
				return true, nil
			}
			return false, putFile(ctx, b, key, path)
		}})
	}
	return transferAll(ctx, c, todo, "pushed", "to "+b.name, func(name string, err error) error { return b.fault(fmt.Sprintf("%s cannot be pushed", name), err) })
}

func putFile(ctx context.Context, b *bucket, key, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return triedIf(b.put(ctx, key, file, info.Size()))
}

// filesOf walks the directory. What cannot be read of directories is passed over, as Python does, but not in silence.
func filesOf(c Call) ([]local, error) {
	ignore, err := ignoreOf(c)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.EvalSymlinks(c.Dir) // a walk does not enter a link, its first no more than others
	if err != nil {
		return nil, err
	}
	c.Dir = dir
	var out []local
	err = filepath.WalkDir(c.Dir, func(path string, d fs.DirEntry, err error) error {
		if path == c.Dir {
			return err
		}
		name, _ := filepath.Rel(c.Dir, path)
		name = filepath.ToSlash(name)
		if err != nil {
			c.log(fmt.Sprintf("%s cannot be read and is not pushed: %v", name, err))
			return nil
		}
		if d.IsDir() {
			if ignore != nil && ignore.whole(name) {
				return fs.SkipDir
			}
			return nil
		}
		f, ok, err := fileAt(path, name, ignore)
		if ok {
			out = append(out, f)
		}
		return err
	})
	sort.Slice(out, func(i, j int) bool { return out[i].name < out[j].name })
	return out, err
}

// fileAt is the file at a path that is no directory; ok is false for what is not pushed.
func fileAt(path, name string, ignore *ignored) (f local, ok bool, err error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() || ignore != nil && ignore.file(name) {
		return f, false, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		switch {
		case ignore != nil: // where there is an ignore file, Prefect takes only what it lists: regular files
			return f, false, nil
		case err != nil:
			return f, false, fmt.Errorf("%s cannot be pushed: it is a link that leads nowhere; remove it, or name it in .prefectignore", name)
		}
		return f, false, fmt.Errorf("%s cannot be pushed: it is no regular file; remove it, or name it in .prefectignore", name)
	}
	if !utf8.ValidString(name) {
		return f, false, fmt.Errorf("%q cannot be pushed: its name is not UTF-8, and keys are; rename it, or name it in .prefectignore", name)
	}
	return local{name: name, size: info.Size()}, true, nil
}

// ignoreOf reads the ignore file, nil where there is none or the step wants none.
func ignoreOf(c Call) (*ignored, error) {
	name := ".prefectignore"
	if v, ok := c.Inputs.Get("ignore_file"); ok {
		if v.Kind != value.Text && !v.IsNull() {
			return nil, fmt.Errorf("the argument \"ignore_file\" must be text, not %s", v.Kind)
		}
		name = v.Text
	}
	if name == "" {
		return nil, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.Dir, path)
	}
	data, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the ignore file %s cannot be read: %w", name, err)
	}
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("the ignore file %s cannot be read: it is not UTF-8; save it as that", name)
	}
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)), "\n")
	for i := range lines { // as prefect-aws hands them over, and as the other two do: without what stands around them, and with their ends
		if strings.HasPrefix(c.Function, "prefect_aws.") {
			lines[i] = strings.TrimSpace(lines[i])
		} else {
			lines[i] += "\n"
		}
	}
	out, err := newIgnored(lines)
	if err != nil {
		return nil, fmt.Errorf("the ignore file %s: %w", name, err)
	}
	return out, nil
}

func (c Call) log(line string) {
	if c.Log != nil {
		c.Log(line)
	}
}
