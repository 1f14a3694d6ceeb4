// Package companion finds, or builds from source, and starts a companion: a program that holds what few runs need and is heavy (act, the clouds' libraries), so that `run` itself stays light to build and to start.
//
// A companion must be of the same version as the program that starts it, since the two share formats that nobody else reads. So it is looked for beside the program and in the cache, under the program's version, and never
// on PATH. Where it is nowhere and the program was itself built from source, it is built once:
//
//	run replay  →  beside run: prefect-deploy-replay?  →  CACHE/prefect-deploy-action/VERSION/prefect-deploy-replay?  →  go build  →  an error with the command that installs it
package companion

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// Companion is a program to be found.
type Companion struct {
	// Name is its file's name ("prefect-deploy-replay"), Package where its source is in the module ("cmd/replay").
	Name, Package string
	// Log gets the one line that says that it is built. Nil drops it.
	Log io.Writer

	// The rest is the real world's when left out; tests stand in for it.
	executable func() (string, error)
	cache      func() (string, error)
	build      func() build
	run        func(ctx context.Context, dir string, env []string, args ...string) error
	versionOf  func(path string) string
}

// build is what this program was built of.
type build struct {
	module, version string
	// stamped says that version names one content for ever; source is the directory of the module's source, "" where it is not on this machine.
	stamped bool
	source  string
}

// Find returns the companion's path, and builds it where that is possible and needed.
func (c Companion) Find(ctx context.Context) (string, error) {
	c = c.real()
	file := c.Name
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	b := c.build()
	if self, err := c.executable(); err == nil {
		if path := filepath.Join(filepath.Dir(self), file); isProgram(path) && c.fits(b, path) {
			return path, nil
		}
	}
	cache, err := c.cache()
	if err != nil {
		return "", fmt.Errorf("there is no cache directory for %s: %w", c.Name, err)
	}
	version := b.version
	if !b.stamped {
		version = "source"
	}
	path := filepath.Join(cache, "prefect-deploy-action", safe(version), file)
	if b.stamped && isProgram(path) {
		return path, nil
	}
	if err := c.make(ctx, b, path); err != nil {
		return "", err
	}
	return path, nil
}

// fits reports whether a companion beside the program may be of its version: one that `go install` left there for another says so. Those of an archive or of a source tree say nothing, and were put there together.
func (c Companion) fits(b build, path string) bool {
	other := c.versionOf(path)
	return !b.stamped || !isStamp(other) || other == b.version
}

// make builds the companion: from the source that this program was built of where that is still there, which Go does in no time when nothing changed, else from the module of this version.
func (c Companion) make(ctx context.Context, b build, path string) error {
	install := fmt.Sprintf("go install %s/%s@%s", b.module, c.Package, b.version)
	if b.source == "" && !b.stamped {
		return fmt.Errorf("%s of this version is neither beside this program nor can it be built: this program's build does not tell its version. Build both in one directory: go build -o DIR/run ./cmd/run && go build -o DIR/%s ./%s", c.Name, c.Name, c.Package)
	}
	if !isProgram(path) && c.Log != nil {
		fmt.Fprintf(c.Log, "building %s, once\n", c.Name)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(filepath.Dir(path), ".build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	built := filepath.Join(scratch, filepath.Base(path))
	if b.source != "" {
		err = c.run(ctx, b.source, nil, "build", "-o", built, "./"+c.Package)
	} else {
		err = c.run(ctx, scratch, []string{"GOBIN=" + scratch}, "install", fmt.Sprintf("%s/%s@%s", b.module, c.Package, b.version))
		if err == nil {
			err = os.Rename(filepath.Join(scratch, filepath.Base(c.Package)+filepath.Ext(path)), built)
		}
	}
	if errors.Is(err, osexec.ErrNotFound) {
		return fmt.Errorf("%s of this version is not beside this program, and there is no Go to build it with: put it there, or install Go and run %s", c.Name, install)
	}
	if err != nil {
		return fmt.Errorf("%s could not be built: %w", c.Name, err)
	}
	return os.Rename(built, path)
}

// real fills in the real world.
func (c Companion) real() Companion {
	if c.executable == nil {
		c.executable = os.Executable
	}
	if c.cache == nil {
		c.cache = os.UserCacheDir
	}
	if c.build == nil {
		c.build = thisBuild
	}
	if c.run == nil {
		c.run = runGo
	}
	if c.versionOf == nil {
		c.versionOf = versionIn
	}
	return c
}

// thisBuild reads what Go stamped into this program, and where its source was.
func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{}
	}
	b := build{module: info.Main.Path, version: info.Main.Version}
	b.stamped = isStamp(b.version)
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		root := filepath.Dir(filepath.Dir(filepath.Dir(file)))
		if mod, err := os.ReadFile(filepath.Join(root, "go.mod")); err == nil && strings.HasPrefix(string(mod), "module "+b.module+"\n") {
			b.source = root
		}
	}
	return b
}

// versionIn is the version that Go stamped into a program, "" where that is no program of Go's.
func versionIn(path string) string {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return ""
	}
	return info.Main.Version
}

// isStamp reports whether a version names one content for ever.
func isStamp(version string) bool {
	return version != "" && version != "(devel)" && !strings.HasSuffix(version, "+dirty")
}

// runGo runs the go command; its output is shown only when it fails.
func runGo(ctx context.Context, dir string, env []string, args ...string) error {
	c := osexec.CommandContext(ctx, "go", args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil && len(out) > 0 {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(out)))
	}
	return err
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// safe makes a version a folder's name.
func safe(version string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '+' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, version)
}
