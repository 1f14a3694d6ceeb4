//go:build unix

// What is in a tag that is a digest of inputs, and what is not. Which files a pattern leaves out is compared with a real engine elsewhere (cmd/run, TestDockerIgnores).
package step

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/value"
)

type tagging struct {
	t   *testing.T
	dir string
}

func newTagging(t *testing.T) tagging {
	g := tagging{t, filepath.Join(t.TempDir(), "project")}
	for name, text := range map[string]string{"Dockerfile": "FROM base\nCOPY . /\n", "app.py": "x", "deep/er/file": "y", ".dockerignore": "logs\n*.tmp\n!keep.tmp\nout\n!out/in\n", "logs/1": "l", "a.tmp": "t", "keep.tmp": "k", "out/in/file": "i", "out/other": "o",
		"other/data": "d", "second/Dockerfile": "FROM base\n"} {
		g.write(name, text)
	}
	return g
}

func (g tagging) write(name, text string) {
	g.t.Helper()
	path := filepath.Join(g.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		g.t.Fatal(err)
	}
}

func (g tagging) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g tagging) tag(more string, options ...func(*docker.Options)) string {
	g.t.Helper()
	v, err := value.FromJSON([]byte(`{"image_name": "app"` + more + `}`))
	g.must(err)
	return g.of(v, options...)
}

func (g tagging) of(v value.Value, options ...func(*docker.Options)) string {
	g.t.Helper()
	o := docker.Options{Now: time.Unix(0, 0), PrefectVersion: "3.8.8", PythonVersion: "3.11", Directory: "project"}
	for _, f := range options {
		f(&o)
	}
	b, err := docker.BuildOf(v, o)
	g.must(err)
	tag, err := InputsTag(b, g.dir, "linux/amd64")
	g.must(err)
	if !docker.IsInputsTag(tag) {
		g.t.Errorf("%s is no such tag", tag)
	}
	return tag
}

func TestInputsTagOfFiles(t *testing.T) {
	for name, c := range map[string]struct {
		change func(g tagging)
		same   bool
	}{
		"nothing":                    {func(tagging) {}, true},
		"a file":                     {func(g tagging) { g.write("app.py", "z") }, false},
		"the Dockerfile":             {func(g tagging) { g.write("Dockerfile", "FROM base\n") }, false},
		"a time":                     {func(g tagging) { g.must(os.Chtimes(filepath.Join(g.dir, "app.py"), time.Unix(1, 0), time.Unix(1, 0))) }, true},
		"a mode":                     {func(g tagging) { g.must(os.Chmod(filepath.Join(g.dir, "app.py"), 0o755)) }, false},
		"a mode of a folder":         {func(g tagging) { g.must(os.Chmod(filepath.Join(g.dir, "deep"), 0o700)) }, false},
		"a name":                     {func(g tagging) { g.must(os.Rename(filepath.Join(g.dir, "app.py"), filepath.Join(g.dir, "app2.py"))) }, false},
		"an empty folder":            {func(g tagging) { g.must(os.Mkdir(filepath.Join(g.dir, "empty"), 0o755)) }, false},
		"what is left out":           {func(g tagging) { g.write("logs/2", "more"); g.write("b.tmp", ""); g.write("out/other", "p") }, true},
		"what is taken in again":     {func(g tagging) { g.write("keep.tmp", "l") }, false},
		"what is below one":          {func(g tagging) { g.write("out/in/file", "j") }, false},
		"other patterns, same left":  {func(g tagging) { g.write(".dockerignore", "# the same\nlogs/\n**/*.tmp\n!keep.tmp\nout\n!out/in\n") }, false}, // the file itself is in the context
		"patterns of one Dockerfile": {func(g tagging) { g.write("Dockerfile.dockerignore", "logs\nDockerfile.dockerignore\n.dockerignore\n") }, false},
		"a link":                     {func(g tagging) { g.must(os.Symlink("app.py", filepath.Join(g.dir, "link"))) }, false},
		"our own folder":             {func(g tagging) { g.write(".prefect-deploy/bin/run", "x") }, true},
		"the folder's own name": {func(g tagging) {
			g.must(os.Rename(g.dir, g.dir+"2"))
			g.must(os.Symlink(g.dir+"2", g.dir))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			g := newTagging(t)
			before := g.tag("")
			c.change(g)
			if after := g.tag(""); (before == after) != c.same {
				t.Errorf("before %s, after %s", before, after)
			}
		})
	}
}

func TestInputsTagOfLinks(t *testing.T) {
	g := newTagging(t)
	link := filepath.Join(g.dir, "link")
	g.must(os.Symlink("app.py", link))
	before := g.tag("")
	g.must(os.Remove(link))
	g.must(os.Symlink("keep.tmp", link))
	if g.tag("") == before {
		t.Error("where a link points counts for nothing")
	}
	g.must(os.Remove(link))
	g.must(os.Symlink("/nowhere/at/all", link)) // is not followed
	g.tag("")
}

func TestInputsTagOfArguments(t *testing.T) {
	g := newTagging(t)
	plain := g.tag("")
	other := func(o *docker.Options) { o.PrefectVersion, o.Namespace, o.Now = "3.9.0", "team", time.Unix(5, 0) }
	for _, same := range []string{`, "tag": ""`, `, "additional_tags": ["a"]`, `, "nocache": true`, `, "pull": false`, `, "push": true`, `, "cache_from": ["x"]`, `, "ignore_cache": true`, `, "platform": "linux/amd64"`, `, "path": "."`, `, "dockerfile": "./Dockerfile"`,
		`, "labels": {"io.prefect.version": "mine"}`} {
		if g.tag(same) != plain || g.tag(same, other) != plain {
			t.Errorf("%s makes another tag", same)
		}
	}
	seen := map[string]string{plain: "nothing"}
	for _, differs := range []string{`, "buildargs": {"A": "1"}`, `, "buildargs": {"A": "2"}`, `, "labels": {"a": "1"}`, `, "target": "t"`, `, "platform": "linux/arm64"`, `, "network_mode": "none"`, `, "extra_hosts": {"h": "10.0.0.1"}`, `, "path": "other", "dockerfile": "../Dockerfile"`,
		`, "dockerfile": "second/Dockerfile"`, `, "build_backend": "buildx", "secrets": ["id=a,src=x"]`, `, "build_backend": "buildx", "secrets": ["id=b,src=x"]`, `, "build_backend": "buildx", "build_contexts": {"c": "other"}`,
		`, "build_backend": "buildx", "build_contexts": {"c": "docker-image://x"}`, `, "build_backend": "buildx", "ssh": "default"`} {
		tag := g.tag(differs)
		if by := seen[tag]; by != "" {
			t.Errorf("%s makes the tag of %s", differs, by)
		}
		seen[tag] = differs
	}
	if a, b := g.tag(`, "build_backend": "buildx", "secrets": ["id=a,src=x"]`), g.tag(`, "build_backend": "buildx", "secrets": ["id=a,env=Y"]`); a != b {
		t.Error("of a secret counts more than its id")
	}
	if a, b := g.tag(`, "buildargs": {"A": "1", "B": "2"}`), g.tag(`, "buildargs": {"B": "2", "A": "1"}`); a != b {
		t.Error("the order of arguments counts")
	}
	g.write("other/data", "changed")
	if g.tag(`, "build_backend": "buildx", "build_contexts": {"c": "other"}`) == "" || g.tag("") == plain {
		t.Error("other/data is a part of both contexts")
	}
}

func TestInputsTagHoldsNoSecret(t *testing.T) {
	g := newTagging(t)
	with := func(secret string) string {
		return g.of(value.Of([]value.Entry{{Key: "image_name", Value: value.Of("app")}, {Key: "buildargs", Value: value.Of([]value.Entry{{Key: "TOKEN", Value: value.Of(secret).Mark(value.Sensitive)}})}}))
	}
	if with("one") != with("two") || with("one") == g.tag("") {
		t.Error("a secret argument counts by its name alone")
	}
}

func TestInputsTagFaults(t *testing.T) {
	g := newTagging(t)
	for inputs, want := range map[string]string{`{"image_name": "app", "path": "https://example.com/x.git"}`: "is not on this machine", `{"image_name": "app", "path": "nowhere", "dockerfile": "../Dockerfile"}`: "the context can't be read",
		`{"image_name": "app", "dockerfile": "none"}`: "the Dockerfile can't be read"} {
		v, _ := value.FromJSON([]byte(inputs))
		b, err := docker.BuildOf(v, docker.Options{PrefectVersion: "3"})
		g.must(err)
		if _, err = InputsTag(b, g.dir, "linux/amd64"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", inputs, err, want)
		}
	}
	auto := `, "dockerfile": "auto"`
	g.must(os.Remove(filepath.Join(g.dir, "Dockerfile")))
	if g.tag(auto) == g.tag(auto, func(o *docker.Options) { o.PythonVersion = "3.12" }) {
		t.Error("the base image of a generated Dockerfile counts")
	}
}
