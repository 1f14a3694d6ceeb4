// Finding and reading files: each once, whoever asks, so that hundreds of deployments of one project cost one reading of each file.

package flow

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

// A Loader reads the Python files of one project. It is safe for concurrent use.
type Loader struct {
	fsys  fs.FS
	mu    sync.Mutex
	files map[string]*module
	dirs  map[string]*listing
}

// NewLoader returns a Loader for the project whose working directory is the root of fsys.
func NewLoader(fsys fs.FS) *Loader {
	return &Loader{fsys: fsys, files: map[string]*module{}, dirs: map[string]*listing{}}
}

// Load reads a single entrypoint; use a Loader for several.
func Load(fsys fs.FS, entrypoint string) (*Flow, *Problem) { return NewLoader(fsys).Load(entrypoint) }

// module is one Python file of the project.
type module struct {
	path   string
	read   sync.Once
	file   *pysource.File
	digest [md5.Size]byte
	err    error

	bind     sync.Once
	bindings map[string][]binding
	stars    []binding
	future   bool // from __future__ import annotations
}

type listing struct {
	once  sync.Once
	names map[string]bool // true for a folder
}

// module gives the file at a clean slash path, read.
func (l *Loader) module(p string) *module {
	l.mu.Lock()
	m := l.files[p]
	if m == nil {
		m = &module{path: p}
		l.files[p] = m
	}
	l.mu.Unlock()
	m.read.Do(func() {
		src, err := fs.ReadFile(l.fsys, p)
		if err != nil {
			m.err = err
			return
		}
		m.digest = md5.Sum(src)
		m.file = pysource.Read(src)
	})
	return m
}

// MD5 is the hexadecimal MD5 of a file's bytes: the version that Prefect derives from the file that defines a flow.
func (l *Loader) MD5(file string) (string, error) {
	m := l.module(path.Clean(file))
	if m.err != nil {
		return "", m.err
	}
	return hex.EncodeToString(m.digest[:]), nil
}

// has reports whether dir holds name, and whether as a folder.
func (l *Loader) has(dir, name string) (there, folder bool) {
	l.mu.Lock()
	d := l.dirs[dir]
	if d == nil {
		d = &listing{}
		l.dirs[dir] = d
	}
	l.mu.Unlock()
	d.once.Do(func() {
		entries, _ := fs.ReadDir(l.fsys, dir)
		d.names = make(map[string]bool, len(entries))
		for _, e := range entries {
			d.names[e.Name()] = e.IsDir() || e.Type()&fs.ModeSymlink != 0 && !strings.HasSuffix(e.Name(), ".py")
		}
	})
	folder, there = d.names[name]
	return there, folder
}

// find looks for the dotted module name below the folders of paths, as Python's import system would on a sys.path that begins with
// them. file is its path ("" for a folder without __init__.py); found says whether there is anything by that name.
func (l *Loader) find(paths []string, dotted string) (file string, found bool) {
	first, rest, more := strings.Cut(dotted, ".")
	for _, dir := range paths {
		if there, folder := l.has(dir, first); there && folder {
			sub := path.Join(dir, first)
			if more {
				if file, found := l.find([]string{sub}, rest); found {
					return file, true
				}
				continue
			}
			if there, _ := l.has(sub, "__init__.py"); there {
				return path.Join(sub, "__init__.py"), true
			}
		}
		if there, _ := l.has(dir, first+".py"); there && !more {
			return path.Join(dir, first+".py"), true
		}
	}
	for _, dir := range paths {
		if there, folder := l.has(dir, first); there && folder && !more {
			return "", true
		}
	}
	return "", false
}

// Load reads what the entrypoint declares: "path/file.py:function", "path/file.py:Class.method" or "package.module.function".
func (l *Loader) Load(entrypoint string) (*Flow, *Problem) {
	file, object, isPath := split(entrypoint)
	if object == "" || strings.HasSuffix(entrypoint, ".py") {
		return nil, &Problem{Code: BadEntrypoint, Message: fmt.Sprintf("the entrypoint %q names no function", entrypoint),
			Help: "write path/to/file.py:function or package.module.function"}
	}
	s := &loading{loader: l, paths: []string{"."}}
	if !isPath {
		found, ok := l.find(s.paths, file)
		if !ok || found == "" {
			if top, _, _ := strings.Cut(file, "."); !ok && !l.top(top) {
				return &Flow{Function: object, Unsure: "the module " + file + " is not part of the project",
					NameUnknown: "its module is not part of the project", DescriptionUnknown: "its module is not part of the project",
					VersionUnknown: "its module is not part of the project",
					Unknown:        []Unknown{{Reason: "its module is not part of the project"}}}, nil
			}
			return nil, &Problem{Code: MissingFile, Message: fmt.Sprintf("the module %s of the entrypoint %q does not exist", file, entrypoint),
				Help: "create " + strings.ReplaceAll(file, ".", "/") + ".py or correct the entrypoint"}
		}
		file = found
	}
	clean := path.Clean(strings.ReplaceAll(file, "\\", "/"))
	if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
		return outside(object, file), nil
	}
	if isPath {
		s.paths = []string{path.Dir(clean)}
		if s.paths[0] != "." {
			s.paths = append(s.paths, ".")
		}
	}
	m := l.module(clean)
	if m.err != nil {
		return nil, l.absent(clean, entrypoint, m.err)
	}
	s.entry = m
	return s.load(m, object)
}

func outside(object, file string) *Flow {
	const why = "its file is outside the working directory"
	return &Flow{Function: object, File: file, Unsure: why, NameUnknown: why, DescriptionUnknown: why, VersionUnknown: why, Unknown: []Unknown{{Reason: why}}}
}

// top reports whether a top-level module or package of that name is in the project's root.
func (l *Loader) top(name string) bool {
	a, _ := l.has(".", name)
	b, _ := l.has(".", name+".py")
	return a || b
}

// split takes an entrypoint apart at its last colon, or without one at its last dot.
func split(entrypoint string) (file, object string, isPath bool) {
	if i := strings.LastIndexByte(entrypoint, ':'); i >= 0 {
		file, object = entrypoint[:i], entrypoint[i+1:]
		return file, object, strings.HasSuffix(file, ".py") || strings.Contains(file, "/")
	}
	i := strings.LastIndexByte(entrypoint, '.')
	if i <= 0 {
		return entrypoint, "", false
	}
	return entrypoint[:i], entrypoint[i+1:], false
}

func (l *Loader) absent(file, entrypoint string, err error) *Problem {
	p := &Problem{Code: MissingFile, Message: fmt.Sprintf("the file %s of the entrypoint %q does not exist", file, entrypoint)}
	if !errors.Is(err, fs.ErrNotExist) {
		p.Message = fmt.Sprintf("the file %s of the entrypoint %q cannot be read", file, entrypoint)
		p.Help = "make it a readable file"
		return p
	}
	p.Help = "paths are relative to the working directory"
	entries, _ := fs.ReadDir(l.fsys, path.Dir(file))
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".py") {
			names = append(names, e.Name())
		}
	}
	if near := nearest(path.Base(file), names); near != "" {
		p.Near = path.Join(path.Dir(file), near)
		p.Help = "did you mean " + p.Near + "?"
	}
	return p
}

// nearest is the candidate that differs least from name, if it differs little; the first of equals.
func nearest(name string, candidates []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(c), least); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes; anything at or above limit may be returned as limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit || len(a) > 200 {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
