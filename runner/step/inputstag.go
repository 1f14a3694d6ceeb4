// The tag that is the digest of all that a build reads: the Dockerfile, the files of its contexts, and the arguments that say what is built. Two machines with the same checkout get the same tag, so a registry that holds it holds the image.
//
// What belongs to a context is for Docker to say: what .dockerignore leaves out, read by Docker's own library, does not count; a Dockerfile's own NAME.dockerignore goes before it, as BuildKit has it. Of a file count its path, its mode and what it
// holds, of a link where it points, of a directory that it is there; no time and no owner, which Docker does not take along either. The folders that an emitted pipeline keeps its own things in don't count. What the Dockerfile fetches (the image after FROM, an address after ADD) can't be seen here: name it by its digest.
package step

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/org/prefect-deploy-action/compiler/docker"
)

// InputsTag is the tag of a build that runs in a directory. platform is what the machine builds for where the build does not say.
func InputsTag(b *docker.Build, dir, platform string) (string, error) {
	context, dockerfile, more, ok := b.Files()
	if !ok {
		return "", fmt.Errorf("the context %s is not on this machine, and can't be read for the tag: inputs of x-ci", context)
	}
	h := digest{sha256.New()}
	h.field("prefect-deploy inputs 1")
	h.field(b.Reads(platform)...)
	under := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, filepath.FromSlash(path))
	}
	ignores := filepath.Join(under(context), ".dockerignore")
	if dockerfile != "" {
		text, err := os.ReadFile(under(dockerfile))
		if err != nil {
			return "", fmt.Errorf("the Dockerfile can't be read: %w", err)
		}
		h.field("file", string(text))
		if own := under(dockerfile) + ".dockerignore"; regular(own) {
			ignores = own
		}
	}
	if err := h.context(under(context), ignores); err != nil {
		return "", err
	}
	names := make([]string, 0, len(more))
	for name := range more {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		h.field("context", name)
		if err := h.context(under(more[name]), filepath.Join(under(more[name]), ".dockerignore")); err != nil {
			return "", err
		}
	}
	return docker.InputsTag + hex.EncodeToString(h.Sum(nil))[:40], nil
}

// Platform is what this machine's docker builds for, as far as its client knows.
func Platform(env []string) string {
	if set := variable(env, "DOCKER_DEFAULT_PLATFORM"); set != "" {
		return set
	}
	return "linux/" + runtime.GOARCH
}

func regular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

type digest struct{ hash.Hash }

// field writes texts so that no others give the same.
func (h digest) field(texts ...string) {
	fmt.Fprintf(h, "%d\n", len(texts))
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s\n", len(t), t)
	}
}

// context takes a directory in, less what a file of patterns leaves out.
func (h digest) context(root, ignores string) error {
	patterns, err := readPatterns(ignores)
	if err != nil {
		return err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(ignores), err)
	}
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	w := walk{digest: h, root: root, matcher: matcher, matches: map[string]patternmatcher.MatchInfo{}, told: map[string]bool{".": true}}
	if err := filepath.WalkDir(root, w.visit); err != nil {
		return fmt.Errorf("the context can't be read: %w", err)
	}
	return nil
}

func readPatterns(path string) ([]string, error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ignorefile.ReadAll(f)
}

// walk is one through a context.
type walk struct {
	digest
	root    string
	matcher *patternmatcher.PatternMatcher
	// matches are how the directories matched, for what is in them; told are the directories that were taken in.
	matches map[string]patternmatcher.MatchInfo
	told    map[string]bool
}

func (w *walk) visit(path string, entry fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(w.root, path)
	if err != nil || rel == "." {
		return err
	}
	if rel == ".prefect-deploy" || rel == ".prefect-deploy-go" {
		return filepath.SkipDir
	}
	parent := w.matches[filepath.Dir(rel)]
	out, info, err := w.matcher.MatchesUsingParentResults(rel, parent)
	if err != nil {
		return err
	}
	if entry.IsDir() {
		w.matches[rel] = info
	}
	switch {
	case !out:
		return w.take(rel, entry)
	case entry.IsDir() && !w.reaches(rel): // nothing below it can be taken in again
		return filepath.SkipDir
	}
	return nil
}

// reaches reports whether a pattern takes something below a directory in again. One that begins with a sign of a pattern may.
func (w *walk) reaches(dir string) bool {
	if !w.matcher.Exclusions() {
		return false
	}
	below := filepath.ToSlash(dir) + "/"
	for _, p := range w.matcher.Patterns() {
		text := filepath.ToSlash(p.String()) + "/"
		if at := strings.IndexAny(text, `*?[\`); p.Exclusion() && (strings.HasPrefix(text, below) || at >= 0 && strings.HasPrefix(below, text[:at])) {
			return true
		}
	}
	return false
}

// take takes one entry in, after the directories that it is in.
func (w *walk) take(rel string, entry fs.DirEntry) error {
	if parent := filepath.Dir(rel); !w.told[parent] {
		info, err := os.Lstat(filepath.Join(w.root, parent))
		if err != nil {
			return err
		}
		if err := w.take(parent, fs.FileInfoToDirEntry(info)); err != nil {
			return err
		}
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	mode := info.Mode()
	name, bits := filepath.ToSlash(rel), fmt.Sprintf("%o", mode.Perm()|mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky))
	if runtime.GOOS == "windows" { // which has none, and Docker makes them all the same
		bits = "755"
	}
	switch {
	case mode.IsDir():
		w.told[rel] = true
		w.field("d", name, bits)
	case mode.IsRegular():
		w.field("f", name, bits)
		return w.content(filepath.Join(w.root, rel))
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(filepath.Join(w.root, rel))
		if err != nil {
			return err
		}
		w.field("l", name, filepath.ToSlash(target))
	case mode&fs.ModeSocket == 0: // Docker leaves sockets out
		w.field("o", name, mode.Type().String())
	}
	return nil
}

func (w *walk) content(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	own := sha256.New()
	if _, err := io.Copy(own, f); err != nil {
		return err
	}
	w.field(string(own.Sum(nil)))
	return nil
}
