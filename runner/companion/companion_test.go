package companion

import (
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// world is a machine with a program in bin, a cache and a Go that writes down what it is asked.
type world struct {
	bin, cache string
	asked      []string
	goErr      error
	log        strings.Builder
	version    string // what programs that are there say of themselves
}

func (w *world) companion(b build) Companion {
	return Companion{Name: "prefect-deploy-x", Package: "cmd/x", Log: &w.log,
		executable: func() (string, error) { return filepath.Join(w.bin, "run"), nil },
		cache:      func() (string, error) { return w.cache, nil },
		build:      func() build { return b },
		versionOf:  func(string) string { return w.version },
		run: func(_ context.Context, dir string, env []string, args ...string) error {
			w.asked = append(w.asked, strings.Join(args, " "))
			if w.goErr != nil {
				return w.goErr
			}
			out := filepath.Join(dir, "x")
			if args[0] == "build" {
				out = args[2]
			} else if len(env) != 1 || env[0] != "GOBIN="+dir {
				return errors.New("installed elsewhere")
			}
			return os.WriteFile(out, []byte("program"), 0o755)
		}}
}

func TestFind(t *testing.T) {
	stamped := build{module: "m", version: "v1.2.3", stamped: true}
	source := build{module: "m", version: "(devel)", source: "/src"}
	for _, c := range []struct {
		name             string
		build            build
		beside, cached   bool
		goErr            error
		version          string // of what is beside
		inCache          string // where it is found, "" for beside
		asked, log, fail string
	}{
		{name: "beside", build: stamped, beside: true},
		{name: "beside, of this version", build: stamped, version: "v1.2.3", beside: true},
		{name: "beside, from a source tree", build: stamped, version: "(devel)", beside: true},
		{name: "beside a program from a source tree", build: source, version: "v1.2.2", beside: true},
		{name: "beside, of another version", build: stamped, version: "v1.2.2", beside: true, inCache: "v1.2.3", asked: "install m/cmd/x@v1.2.3", log: "building prefect-deploy-x, once\n"},
		{name: "cached", build: stamped, cached: true, inCache: "v1.2.3"},
		{name: "a release", build: stamped, inCache: "v1.2.3", asked: "install m/cmd/x@v1.2.3", log: "building prefect-deploy-x, once\n"},
		{name: "from source", build: source, inCache: "source", asked: "build", log: "building prefect-deploy-x, once\n"},
		{name: "no Go", build: stamped, goErr: &osexec.Error{Name: "go", Err: osexec.ErrNotFound}, asked: "install", log: "building prefect-deploy-x, once\n", fail: "go install m/cmd/x@v1.2.3"},
		{name: "does not build", build: source, goErr: errors.New("x.go:1: no"), asked: "build", log: "building prefect-deploy-x, once\n", fail: "x.go:1: no"},
		{name: "unknown", build: build{module: "m"}, fail: "go build -o DIR/prefect-deploy-x ./cmd/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{bin: t.TempDir(), cache: t.TempDir(), goErr: c.goErr, version: c.version}
			want := filepath.Join(w.bin, "prefect-deploy-x")
			if c.inCache != "" {
				want = filepath.Join(w.cache, "prefect-deploy-action", c.inCache, "prefect-deploy-x")
			}
			there := want
			if c.beside {
				there = filepath.Join(w.bin, "prefect-deploy-x")
			}
			if c.beside || c.cached {
				_ = os.MkdirAll(filepath.Dir(there), 0o755)
				_ = os.WriteFile(there, nil, 0o755)
			}
			got, err := w.companion(c.build).Find(context.Background())
			if c.fail != "" {
				if err == nil || !strings.Contains(err.Error(), c.fail) {
					t.Fatalf("error %v, want one that names %q", err, c.fail)
				}
			} else if err != nil || got != want {
				t.Fatalf("found %s (%v), want %s", got, err, want)
			}
			if asked := strings.Join(w.asked, "; "); !strings.HasPrefix(asked, c.asked) || (c.asked == "") != (asked == "") {
				t.Errorf("Go was asked %q, want %q", asked, c.asked)
			}
			if w.log.String() != c.log {
				t.Errorf("said %q, want %q", w.log.String(), c.log)
			}
			if left, _ := filepath.Glob(filepath.Join(w.cache, "*", "*", ".build-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestBuiltAgain: from source it is built each time, as the source may have changed; only the first time says so.
func TestBuiltAgain(t *testing.T) {
	w := &world{bin: t.TempDir(), cache: t.TempDir()}
	for range 2 {
		if _, err := w.companion(build{module: "m", source: "/src"}).Find(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.asked) != 2 || strings.Count(w.log.String(), "\n") != 1 {
		t.Errorf("Go was asked %v, and said %q", w.asked, w.log.String())
	}
}

func TestThisBuild(t *testing.T) {
	b := thisBuild()
	if b.module != "github.com/org/prefect-deploy-action" {
		t.Fatalf("the module is %q", b.module)
	}
	if _, err := os.Stat(filepath.Join(b.source, "go.mod")); err != nil {
		t.Errorf("the source %q: %v", b.source, err)
	}
}
