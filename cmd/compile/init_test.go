// What a project begins with, held against what `prefect init` left in the same directories (testdata/record_init.py): the same tree, the same files, nothing overwritten. Where
// we depart on purpose, departures says what must be said instead.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/recipe"
)

type begun struct {
	About, Dir, In string
	Files          map[string]string
	Git            [][]string
	Args           []string
	Exit           int
	Created        []string
	Tree           any
}

func recordedBeginnings(t *testing.T, path string) (ignore []string, cases []begun) {
	t.Helper()
	var r struct {
		Ignore []string
		Cases  []begun
	}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil || len(r.Cases) < 50 {
		t.Fatalf("%s: %d cases, %v", path, len(r.Cases), err)
	}
	return r.Ignore, r.Cases
}

// make makes the directory of a case, and returns where the command is to be started.
func (c *begun) make(t *testing.T) string {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(home, "project")
	if c.Dir != "" {
		root = home + "/" + c.Dir
	}
	here := filepath.Join(root, c.In)
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range c.Git {
		command := exec.Command("git", args...)
		command.Dir = root
		command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_CEILING_DIRECTORIES="+home)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	for name, text := range c.Files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(here, 0o755); err != nil {
		t.Fatal(err)
	}
	return here
}

// initIn runs the command without a terminal.
func initIn(dir string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(cli.World{Args: append([]string{"init", "-C", dir}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Env: func(string) (string, bool) { return "", false }})
	return code, out.String(), errs.String()
}

// departures are the cases in which we do otherwise, by what they are called (a pattern), with what we must say. Prefect asks for a field even where nobody can answer, and leaves
// one that it does not ask for in the file as {{ field }}; it takes any field; a second kind of -f is not ours.
var departures = []struct{ about, says string }{
	{`^\S+ without (\w+)$`, "--field $1="},
	{`^no recipe, (nothing|a repository|a repository without a remote), Dockerfile$`, "--field image_name="},
	{`, a field that it has not$`, `has no field "colour"`},
	{`^(local|git|docker-git), the field name$`, `has no field "name"`},
	{`^git( with branch=dev|, Dockerfile|, a name of its own)?$`, "--field repository="},
	{`^git with repository=https://git.example.com/other.git$`, "--field branch="},
	{`^docker-git( with repository=git@example.com:a/b.git|, Dockerfile|, a name of its own)?$`, "--field branch="},
	{`^a field without a value$`, "write --field NAME=VALUE"},
	{`^short$`, "write --field bucket=a"},
	{`^an unknown recipe$`, "did you mean docker?"},
}

// departs is what we must say of a case, "" where we do as Prefect does.
func (c *begun) departs() string {
	for _, d := range departures {
		pattern := regexp.MustCompile(d.about)
		if m := pattern.FindStringSubmatchIndex(c.About); m != nil {
			return string(pattern.ExpandString(nil, d.says, c.About, m))
		}
	}
	return ""
}

func TestInitAsPrefect(t *testing.T) {
	ignore, cases := recordedBeginnings(t, "testdata/init.json")
	if got := patterns(recipe.Ignore); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(ignore))) {
		t.Errorf(".prefectignore has %q, and Prefect's %q", got, ignore)
	}
	for _, c := range cases {
		t.Run(c.About, func(t *testing.T) {
			t.Parallel()
			c.compare(t, yamlTree)
		})
	}
}

func patterns(text string) (out []string) {
	for _, line := range strings.Split(text, "\n") {
		if line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// compare runs a case; load reads prefect.yaml.
func (c *begun) compare(t *testing.T, load func(*testing.T, string) any) {
	here := c.make(t)
	before := names(t, here)
	code, stdout, stderr := initIn(here, c.Args...)
	var created []string
	for _, name := range names(t, here) {
		if !slices.Contains(before, name) {
			created = append(created, name)
		}
	}
	if stdout != "" {
		t.Errorf("stdout: %s", stdout)
	}
	if says := c.departs(); says != "" {
		if code != cli.ExitUsage || len(created) > 0 || !strings.Contains(stderr, says) {
			t.Errorf("exit %d, created %v, wanted %q:\n%s", code, created, says, stderr)
		}
		return
	}
	if code != c.Exit || !slices.Equal(created, c.Created) {
		t.Fatalf("exit %d, created %v; Prefect: %d, %v\n%s", code, created, c.Exit, c.Created, stderr)
	}
	if c.Tree == nil {
		return
	}
	got, want := load(t, filepath.Join(here, "prefect.yaml")), c.Tree
	if text := strings.ReplaceAll(jsonOf(got), strings.Trim(jsonOf(here), `"`), "DIR"); text != withoutLogins(jsonOf(want)) {
		t.Errorf("the tree is\n%s\nPrefect's\n%s", text, jsonOf(want))
	}
}

// withoutLogins is Prefect's tree without what logs in, which it writes into the file.
func withoutLogins(tree string) string {
	return regexp.MustCompile(`(https://)[^/"]*@|(ssh://git):[^/"]*(@)`).ReplaceAllString(tree, "$1$2$3")
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func yamlTree(t *testing.T, path string) (tree any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(data, &tree)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return tree
}

func jsonOf(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(data)
}

// TestInitKeepsSecrets: what logs in at the remote is nowhere: not in the file, not on any stream.
func TestInitKeepsSecrets(t *testing.T) {
	for _, address := range []string{"https://me:canary@git.example.com/a.git", "https://canary@git.example.com/a.git", "ssh://git:canary@example.com/a.git", "HTTPS://canary:@example.com", "https://a@canary:x@example.com/b@c"} {
		c := begun{Git: [][]string{{"init", "-q"}, {"config", "remote.origin.url", address}}}
		here := c.make(t)
		code, _, stderr := initIn(here)
		data, _ := os.ReadFile(filepath.Join(here, "prefect.yaml"))
		if code != 0 || strings.Contains(stderr+string(data), "canary") || !strings.Contains(stderr, "logs in by itself") || !strings.Contains(string(data), "example.com") {
			t.Errorf("%s: %d\n%s\n%s", address, code, stderr, data)
		}
	}
}

// TestInitRefuses what can't be meant, before anything is written.
func TestInitRefuses(t *testing.T) {
	for args, says := range map[string]string{"--recipe s3 --field bukcet=a": "did you mean bucket?", "--recipe local --pool p": "--discover", "--field bucket=a": "--recipe names another", "--recipe local --discover": "no flow was found", "--field =x": "NAME=VALUE",
		"--recipe docker-gsc": "did you mean docker-gcs?", "--recipe x": "docker-azure", "extra": "extra", "--recipe local -f missing/prefect.yaml": "can't be written"} {
		dir := t.TempDir()
		code, stdout, stderr := initIn(dir, strings.Fields(args)...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, says) || len(names(t, dir)) > 0 {
			t.Errorf("%s: %d %v\n%s", args, code, names(t, dir), stderr)
		}
	}
	if code, _, stderr := initIn(filepath.Join(t.TempDir(), "gone")); code != cli.ExitUsage || !strings.Contains(stderr, "no such directory") {
		t.Errorf("%d %s", code, stderr)
	}
}

// FuzzGitSettings: no file of git's, whatever is in it, brings the command down.
func FuzzGitSettings(f *testing.F) {
	for _, text := range []string{"[remote \"origin\"]\n\turl = a\\\nb \"c\" # d\n", "[include]\npath=config\n", "[a", "[a \"\\", "x = \"", "\\", "[remote.origin]url"} {
		f.Add(text, "ref: refs/heads/x\n")
	}
	f.Fuzz(func(t *testing.T, settings, head string) {
		remote, branch := recipe.Repository("/a/b", func(path string) ([]byte, error) {
			switch path {
			case "/a/.git/HEAD":
				return []byte(head), nil
			case "/a/.git/config":
				return []byte(settings), nil
			}
			return nil, os.ErrNotExist
		})
		if (remote == "") != (branch == "") {
			t.Errorf("remote %q, branch %q", remote, branch)
		}
	})
}

// FuzzInitValues: whatever a value holds, the file gives exactly that back.
func FuzzInitValues(f *testing.F) {
	f.Add("a: b", "<tag>", "{{ x }}")
	f.Add("\u0085\ufeff\u2028", "<image_name>", "\\\"'")
	f.Fuzz(func(t *testing.T, image, tag, name string) {
		r, err := recipe.Named("docker")
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]string{"image_name": strings.ToValidUTF8(image, "?"), "tag": strings.ToValidUTF8(tag, "?"), "dockerfile": "auto", "name": "n"}
		p := recipe.Project{Recipe: r, Name: strings.ToValidUTF8(name, "?"), Values: values}
		var tree struct {
			Name  string
			Build []map[string]map[string]string
		}
		if err := yaml.Unmarshal(p.Text(), &tree); err != nil {
			t.Fatalf("%v\n%s", err, p.Text())
		}
		step := tree.Build[0]["prefect_docker.deployments.steps.build_docker_image"]
		if tree.Name != p.Name || !reflect.DeepEqual([]string{step["image_name"], step["tag"]}, []string{values["image_name"], values["tag"]}) {
			t.Errorf("%q %q: %q\n%s", tree.Name, step, values, p.Text())
		}
	})
}
