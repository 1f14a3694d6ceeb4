// Package git reads a commit of the repository that the working directory belongs to: its files as an fs.FS, without a checkout, and the commit itself.
//
// Files come from one `git cat-file --batch` process, so that reading two hundred flow files of another commit costs one process and not two hundred. A commit that the
// clone lacks (actions/checkout fetches one) is fetched alone; the token for that travels in the environment (GIT_CONFIG_*), never in argv and never into .git/config.
package git

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Repository is the repository that a directory belongs to.
type Repository struct {
	// Dir is the directory that git is called in; Prefix is its slash path within the repository, with a slash at the end, "" at the top.
	Dir, Prefix string
	Env         []string
}

// Open finds the repository of dir.
func Open(ctx context.Context, dir string, env []string) (*Repository, error) {
	r := &Repository{Dir: dir, Env: env}
	prefix, err := r.run(ctx, nil, "rev-parse", "--show-prefix")
	if err != nil {
		return nil, fmt.Errorf("%s is not in a git repository: %w", dir, err)
	}
	r.Prefix = strings.TrimSpace(prefix)
	return r, nil
}

// Remote is the address of origin, "" without one.
func (r *Repository) Remote(ctx context.Context) string {
	remote, err := r.run(ctx, nil, "config", "--get", "remote.origin.url")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(remote)
}

// Resolve returns the commit that ref names. A commit that the clone lacks is fetched, with the token if there is one.
func (r *Repository) Resolve(ctx context.Context, ref, token string) (string, error) {
	if strings.HasPrefix(ref, "-") || ref == "" {
		return "", fmt.Errorf("%q is no commit", ref)
	}
	if sha, err := r.commit(ctx, ref); err == nil {
		return sha, nil
	}
	if err := r.fetch(ctx, ref, token); err != nil {
		return "", err
	}
	if sha, err := r.commit(ctx, ref); err == nil {
		return sha, nil
	}
	return r.commit(ctx, "FETCH_HEAD")
}

func (r *Repository) commit(ctx context.Context, ref string) (string, error) {
	out, err := r.run(ctx, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	return strings.TrimSpace(out), err
}

// fetch gets one commit without tags, and without history where the clone has none anyway: with --depth git would cut the history of a full clone.
func (r *Repository) fetch(ctx context.Context, ref, token string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	remote, err := r.run(ctx, nil, "config", "--get", "remote.origin.url")
	if err != nil {
		return fmt.Errorf("the commit %s is not in this clone, and there is no remote to fetch it from", ref)
	}
	env := append(r.login(ctx, strings.TrimSpace(remote), token), "GIT_TERMINAL_PROMPT=0")
	args := []string{"fetch", "--quiet", "--no-tags"}
	if r.shallow(ctx) {
		args = append(args, "--depth=1")
	}
	if _, err := r.run(ctx, env, append(args, "--end-of-options", "origin", ref)...); err != nil {
		return fmt.Errorf("the commit %s is not in this clone and could not be fetched: %w", ref, err)
	}
	return nil
}

// shallow tells whether the clone lacks history.
func (r *Repository) shallow(ctx context.Context) bool {
	out, err := r.run(ctx, nil, "rev-parse", "--is-shallow-repository")
	return err == nil && strings.TrimSpace(out) == "true"
}

// Contains tells whether the commit that is checked out has another one in it, as far as the clone knows: of a shallow one only its parents are known.
func (r *Repository) Contains(ctx context.Context, commit string) bool {
	if _, err := r.run(ctx, nil, "merge-base", "--is-ancestor", commit, "HEAD"); err == nil {
		return true
	}
	raw, err := r.run(ctx, nil, "cat-file", "commit", "HEAD")
	head, _, _ := strings.Cut(raw, "\n\n")
	return err == nil && slices.Contains(strings.Split(head, "\n"), "parent "+commit)
}

// Parting is the last commit that the one checked out and another have in common, "" where the clone has none.
func (r *Repository) Parting(ctx context.Context, commit string) string {
	out, err := r.run(ctx, nil, "merge-base", commit, "HEAD")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

// List gives the repository's files of these patterns, counted from its root: those that git follows, and new ones that it does not ignore. leftOut are those that a sparse checkout lacks.
func (r *Repository) List(ctx context.Context, patterns ...string) (names, leftOut []string, err error) {
	args := []string{"ls-files", "-z", "-t", "--full-name", "--cached", "--others", "--exclude-standard", "--"}
	for _, p := range patterns {
		args = append(args, ":(top,icase)"+p)
	}
	out, err := r.run(ctx, nil, args...)
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.SplitSeq(out, "\x00") {
		switch tag, name, ok := strings.Cut(line, " "); {
		case !ok:
		case tag == "S":
			leftOut = append(leftOut, name)
		default:
			names = append(names, name)
		}
	}
	return names, leftOut, nil
}

// LeftOut tells whether a file belongs to the commit that is checked out, but is left out of the checkout (a sparse one).
func (r *Repository) LeftOut(ctx context.Context, name string) bool {
	out, err := r.run(ctx, nil, "ls-files", "-t", "--", name)
	return err == nil && strings.HasPrefix(out, "S ")
}

// login is the configuration that hands the token to the remote: only where the remote is on the server that the token is of, scoped to it so that no redirect takes it
// elsewhere, and behind the configuration that the environment has already. Where git has an Authorization header for the remote (actions/checkout leaves one), that one
// is used: GitHub answers two with 400.
func (r *Repository) login(ctx context.Context, remote, token string) []string {
	server := r.env("GITHUB_SERVER_URL")
	if server == "" {
		server = "https://github.com"
	}
	of, err := url.Parse(server)
	if err != nil || token == "" || of.Scheme != "https" {
		return nil
	}
	to, err := url.Parse(remote)
	if err != nil || !strings.EqualFold(to.Scheme, of.Scheme) || !strings.EqualFold(to.Host, of.Host) {
		return nil
	}
	if own, err := r.run(ctx, nil, "config", "--get-urlmatch", "http.extraHeader", remote); err == nil && strings.HasPrefix(strings.ToLower(own), "authorization:") {
		return nil
	}
	n, err := strconv.Atoi(r.env("GIT_CONFIG_COUNT"))
	if err != nil || n < 0 {
		n = 0
	}
	header := "AUTHORIZATION: basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token))
	return []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", n+1), fmt.Sprintf("GIT_CONFIG_KEY_%d=http.https://%s/.extraHeader", n, of.Host), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, header)}
}

// env looks a variable up as a process would that is started with Env: the last of equal names counts.
func (r *Repository) env(name string) string {
	for _, entry := range slices.Backward(r.Env) {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			return v
		}
	}
	return ""
}

func (r *Repository) run(ctx context.Context, env []string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir = r.Dir
	c.Env = append(append([]string(nil), r.Env...), env...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err == nil {
		return string(out), nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("git is not on PATH")
	}
	line, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n")
	if line == "" {
		line = err.Error()
	}
	return "", errors.New(line)
}

// FS is the tree of a commit below the repository's directory. Close ends its process.
type FS struct {
	commit, prefix string

	mu     sync.Mutex
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	failed error
}

// At opens the tree of a commit (a full hash, as Resolve gives it). The tree can be read until ctx is done, which ends the process.
func (r *Repository) At(ctx context.Context, commit string) (*FS, error) {
	f := &FS{commit: commit, prefix: r.Prefix}
	f.cmd = exec.CommandContext(ctx, "git", "cat-file", "--batch", "--follow-symlinks")
	f.cmd.Dir, f.cmd.Env = r.Dir, r.Env
	var err error
	if f.in, err = f.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	f.out = bufio.NewReaderSize(out, 1<<16)
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	return f, nil
}

// Close ends the process. After a fault it is killed: it may be writing an object that nobody reads, and would never end by itself.
func (f *FS) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.in.Close()
	if f.failed == nil {
		return f.cmd.Wait()
	}
	_ = f.cmd.Process.Kill()
	_ = f.cmd.Wait() // that it was killed is no news
	return nil
}

// largest is the most bytes of one object that are read.
const largest = 64 << 20

// object asks for a path of the commit.
func (f *FS) object(name string) (kind string, data []byte, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return "", nil, f.failed
	}
	full := strings.TrimSuffix(f.prefix, "/")
	if name != "." {
		full = path.Join(full, name)
	}
	if strings.ContainsAny(full, "\n\r") {
		return "", nil, fs.ErrNotExist
	}
	if _, err := fmt.Fprintf(f.in, "%s:%s\n", f.commit, full); err != nil {
		return "", nil, f.broken(err)
	}
	head, err := f.out.ReadString('\n')
	if err != nil {
		return "", nil, f.broken(err)
	}
	fields := strings.Fields(head)
	led := len(fields) == 2 && leadsNowhere(fields[0])
	if !led && (len(fields) != 3 || strings.HasSuffix(head, " missing\n")) {
		return "", nil, fs.ErrNotExist
	}
	size, err := strconv.ParseInt(fields[len(fields)-1], 10, 64)
	if err != nil || size > largest {
		return "", nil, f.broken(fmt.Errorf("%s of commit %s is too large", name, f.commit))
	}
	data = make([]byte, size+1)
	if _, err := io.ReadFull(f.out, data); err != nil {
		return "", nil, f.broken(err)
	}
	if led { // what follows is where it leads
		return "", nil, fs.ErrNotExist
	}
	return fields[1], data[:size], nil
}

// leadsNowhere reports whether git answers with the end of a symbolic link that is no object of the commit: outside of the repository, missing, or round in a circle.
func leadsNowhere(answer string) bool {
	return answer == "symlink" || answer == "dangling" || answer == "loop" || answer == "notdir"
}

func (f *FS) broken(err error) error {
	f.failed = fmt.Errorf("git cat-file: %w", err)
	return f.failed
}

// Open implements fs.FS for files and directories. Symbolic links are followed within the commit, as in a checkout; submodules are not.
func (f *FS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	kind, data, err := f.object(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if kind == "tree" {
		return &dir{info: info{name: path.Base(name), dir: true}, entries: f.entries(name, data)}, nil
	}
	return &file{info: info{name: path.Base(name), size: int64(len(data))}, Reader: bytes.NewReader(data)}, nil
}

// entries reads a tree object of SHA-1 repositories: "MODE NAME\x00" and 20 bytes, one after the other.
func (f *FS) entries(parent string, data []byte) []fs.DirEntry {
	var out []fs.DirEntry
	for len(data) > 0 {
		space := bytes.IndexByte(data, ' ')
		zero := bytes.IndexByte(data, 0)
		if space < 0 || zero < space || zero+21 > len(data) {
			return out
		}
		out = append(out, entry{fs: f, parent: parent, name: string(data[space+1 : zero]), dir: string(data[:space]) == "40000"})
		data = data[zero+21:]
	}
	return out
}

// entry is one name of a directory; its size is asked for only when somebody wants it.
type entry struct {
	fs           *FS
	parent, name string
	dir          bool
}

func (e entry) Name() string { return e.name }
func (e entry) IsDir() bool  { return e.dir }
func (e entry) Type() fs.FileMode {
	return info{dir: e.dir}.Mode().Type()
}
func (e entry) Info() (fs.FileInfo, error) { return fs.Stat(e.fs, path.Join(e.parent, e.name)) }

type info struct {
	name string
	size int64
	dir  bool
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.dir }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

type file struct {
	info
	*bytes.Reader
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

// Size is the file's, not that of what is left to read.
func (f *file) Size() int64 { return f.info.size }

type dir struct {
	info
	entries []fs.DirEntry
}

func (d *dir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *dir) Close() error               { return nil }
func (d *dir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a directory")}
}

// ReadDir implements fs.ReadDirFile.
func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	list := d.entries
	if n > 0 {
		if len(list) == 0 {
			return nil, io.EOF
		}
		list = list[:min(n, len(list))]
	}
	d.entries = d.entries[len(list):]
	return list, nil
}
