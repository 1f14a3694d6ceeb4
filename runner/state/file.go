// The state that one JSON file holds: for a first try without a server, for tests, and for teams that want the registered state in
// version control. It is readable, sorted, and behaves as a Prefect server does with what it stores.
//
// Nothing may ever see half a file. A write makes a temporary file beside the real one (beside its target, where it is a symbolic
// link), syncs it, and renames it over; kill -9 leaves the old content or the new. Two writers exclude each other by a lock file
// (lock_unix.go) from the first write until Close, and the writer reads the file again once it has the lock.
//
// Concurrent writes of one process are grouped: each changes the document in memory, and the first to get at the disk writes for
// all that are waiting. The whole file is written each time, so a thousand deployments one after another would mean a thousand times
// a thousand; the state asks (Together) to be given them at once, which makes it a few. What did not change is not made into text again.
package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// OpenFile makes the state that is kept in the file. A file that does not exist is an empty state; it is created by the first write.
// A damaged one is an error with its line.
func OpenFile(path string) (*State, error) {
	f := &file{path: path}
	if _, _, err := f.load(); err != nil {
		return nil, err
	}
	return &State{Source: "file:" + path, Read: f.read, Write: f.write, Delete: f.delete, Close: f.close, Together: true}, nil
}

type file struct {
	path string

	mu      sync.Mutex // guards what follows
	lock    *fileLock
	doc     *document
	disk    []byte // what the file holds
	exists  bool
	ours    bool // disk was laid out by us
	changes int  // writes applied to doc
	closed  bool

	flush   sync.Mutex // held by the one that writes the file
	flushed int        // changes that are on the disk; guarded by flush
}

// load reads the file; an empty one counts as none.
func (f *file) load() (*document, []byte, error) {
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() && !info.IsDir() { // a write puts a file in its place
		return nil, nil, fmt.Errorf("the state file %s is a device or a pipe: name a file, which may not be there yet", f.path)
	}
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		if dir := filepath.Dir(f.path); !isDirectory(dir) {
			return nil, nil, fmt.Errorf("the state file %s cannot be: there is no directory %s", f.path, dir)
		}
		return newDocument(), nil, nil
	}
	if err != nil {
		if isDirectory(f.path) {
			return nil, nil, fmt.Errorf("the state file %s is a directory: name a file in it, for example %s", f.path, filepath.Join(f.path, "state.json"))
		}
		return nil, nil, fmt.Errorf("the state file cannot be read: %w", err)
	}
	doc, err := parseDocument(data)
	if err != nil {
		return nil, nil, fmt.Errorf("the state file %s: %w", f.path, err)
	}
	return doc, data, nil
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (f *file) read(ctx context.Context, q Query) (*Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	doc := f.doc
	if doc == nil {
		var err error
		if doc, _, err = f.load(); err != nil {
			f.mu.Unlock()
			return nil, err
		}
	}
	s := doc.snapshot(q)
	f.mu.Unlock()
	s.Source = "file:" + f.path
	return s, nil
}

func (f *file) write(ctx context.Context, w Write) (live *Live, err error) {
	err = f.change(ctx, func(d *document) (e error) {
		live, e = d.apply(w)
		return e
	})
	return live, err
}

func (f *file) delete(ctx context.Context, l *Live) error {
	return f.change(ctx, func(d *document) error {
		d.remove(l.Name)
		return nil
	})
}

// change makes one change of the document and brings it to the disk.
func (f *file) change(ctx context.Context, apply func(*document) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	if err := f.begin(); err != nil {
		f.mu.Unlock()
		return err
	}
	if err := apply(f.doc); err != nil {
		f.mu.Unlock()
		return fmt.Errorf("the state file %s: %w", f.path, err)
	}
	f.changes++
	mine := f.changes
	f.mu.Unlock()
	if err := f.save(mine); err != nil {
		return fmt.Errorf("the state file %s could not be written: %w", f.path, err)
	}
	return nil
}

// begin takes the lock and reads the file under it, once.
func (f *file) begin() error {
	if f.closed {
		return errors.New("the state file was closed before this write")
	}
	if f.lock != nil {
		return nil
	}
	lock, err := lockFile(f.target())
	if err != nil {
		return err
	}
	doc, data, err := f.load()
	if err != nil {
		return errors.Join(err, lock.release())
	}
	f.lock, f.doc, f.disk, f.exists = lock, doc, data, data != nil
	removeLeftovers(f.target())
	return nil
}

// save makes sure that the change with the given number is on the disk.
func (f *file) save(change int) error {
	f.flush.Lock()
	defer f.flush.Unlock()
	if f.flushed >= change {
		return nil
	}
	f.mu.Lock()
	data, upTo, disk := f.doc.render(), f.changes, f.disk
	same := f.exists && !f.ours && f.doc.equals(disk)
	f.mu.Unlock()
	if !same && !bytes.Equal(data, disk) {
		if err := replaceFile(f.target(), data); err != nil {
			return err
		}
		f.mu.Lock()
		f.disk, f.exists, f.ours = data, true, true
		f.mu.Unlock()
	}
	f.flushed = upTo
	return nil
}

func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	if f.lock == nil {
		return nil
	}
	lock := f.lock
	f.lock = nil
	return lock.release()
}

// target follows symbolic links to the file that is really written, also when it does not exist yet.
func (f *file) target() string {
	path := f.path
	for range 40 { // as many as the system itself follows
		next, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(path), next)
		}
		path = next
	}
	return path
}

// temporaryPrefix begins the names of temporary files, so that leftovers of a killed writer are known.
func temporaryPrefix(target string) string { return "." + filepath.Base(target) + ".tmp-" }

// removeLeftovers deletes what a killed writer left; the lock makes sure that nobody is still using it.
func removeLeftovers(target string) {
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		return
	}
	for _, e := range entries {
		prefix := temporaryPrefix(target)
		if len(e.Name()) > len(prefix) && e.Name()[:len(prefix)] == prefix {
			_ = os.Remove(filepath.Join(filepath.Dir(target), e.Name()))
		}
	}
}

// replaceFile puts data in the place of the file at once. An existing file keeps its permissions; a new one is for its owner only,
// since job variables may hold secrets in clear.
func replaceFile(target string, data []byte) (err error) {
	dir := filepath.Dir(target)
	tmp, err := os.CreateTemp(dir, temporaryPrefix(target)+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if info, statErr := os.Stat(target); statErr == nil {
		if err = tmp.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), target); err != nil {
		return err
	}
	if d, openErr := os.Open(dir); openErr == nil { // so that the rename itself survives a power cut, where directories can be synced
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// render is the document as bytes: the same document, the same bytes.
func (d *document) render() []byte {
	list := d.byName()
	texts := make([][]byte, len(list))
	for i := range list {
		texts[i] = d.text(list[i])
	}
	shell := &document{root: d.root.Set("deployments", value.Of([]value.Value{}))}
	var b bytes.Buffer
	indent(&b, shell.sorted(), 0)
	b.WriteByte('\n')
	if len(texts) == 0 {
		return b.Bytes()
	}
	before, after, _ := bytes.Cut(b.Bytes(), []byte(emptyList))
	listed := append([]byte("\n    "), bytes.Join(texts, []byte(",\n    "))...)
	return slices.Concat(before, []byte(emptyList[:len(emptyList)-1]), listed, []byte("\n  ]"), after)
}

// emptyList is how no deployments are written; no text before it in the file can hold it, as only the schema stands there.
const emptyList = `"deployments": []`

// text is one deployment as it stands in the file, made once for as long as it does not change.
func (d *document) text(v value.Value) []byte {
	name := nameOf(v)
	if text, ok := d.rendered[name]; ok {
		return text
	}
	var b bytes.Buffer
	indent(&b, inOrder(v, entryKeys()), 2)
	if d.rendered == nil {
		d.rendered = map[Name][]byte{}
	}
	d.rendered[name] = b.Bytes()
	return b.Bytes()
}

// indent writes JSON for people: two spaces a level, short lists of plain values on one line.
func indent(b *bytes.Buffer, v value.Value, depth int) {
	const width = 100
	flat := v.AppendJSON(nil)
	if (v.Kind != value.List && v.Kind != value.Map) || len(flat) <= 2 || (v.Kind == value.List && len(flat) < width && plain(v)) {
		b.Write(flat)
		return
	}
	line := func(depth int) {
		b.WriteByte('\n')
		for range depth {
			b.WriteString("  ")
		}
	}
	if v.Kind == value.List {
		b.WriteByte('[')
		for i := range v.List {
			if i > 0 {
				b.WriteByte(',')
			}
			line(depth + 1)
			indent(b, v.List[i], depth+1)
		}
		line(depth)
		b.WriteByte(']')
		return
	}
	b.WriteByte('{')
	for i := range v.Map {
		if i > 0 {
			b.WriteByte(',')
		}
		line(depth + 1)
		b.Write(value.Of(v.Map[i].Key).AppendJSON(nil))
		b.WriteString(": ")
		indent(b, v.Map[i].Value, depth+1)
	}
	line(depth)
	b.WriteByte('}')
}

func plain(list value.Value) bool {
	for _, item := range list.List {
		if item.Kind == value.List || item.Kind == value.Map {
			return false
		}
	}
	return true
}
