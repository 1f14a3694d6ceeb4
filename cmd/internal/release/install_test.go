// What .github/install decides by itself: which version, and whose, from where, for which machine. None of these get as far as a download.
package release

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var root = filepath.Join("..", "..", "..")

// installer runs .github/install with nothing in its environment but what is given and a PATH.
func installer(t *testing.T, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	script, err := filepath.Abs(filepath.Join(root, ".github", "install"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(script); err != nil { // what a test reads it is run again for
		t.Fatal(err)
	}
	var out, log bytes.Buffer
	c := exec.Command("bash", append([]string{script}, args...)...)
	c.Env, c.Dir, c.Stdout, c.Stderr = append([]string{"PATH=" + os.Getenv("PATH")}, env...), t.TempDir(), &out, &log
	err = c.Run()
	return out.String(), log.String(), err
}

func TestWhichVersion(t *testing.T) {
	for asked, want := range map[string]string{"source": "source", "v1.2.3": "v1.2.3", "1.2.3": "v1.2.3", "v0.0.0": "v0.0.0", "10.20.30": "v10.20.30", "v1.2.3-rc.1": "v1.2.3-rc.1"} {
		if got, log, err := installer(t, []string{"PREFECT_DEPLOY_VERSION=" + asked}, "which"); err != nil || got != want+"\n" {
			t.Errorf("%q gives %q, %v\n%s", asked, got, err, log)
		}
	}
	for _, asked := range []string{"latest", "v1", "v1.2", "v1.2.3.4", "01.2.3", "vv1.2.3", "v1.2.3-", "v1.2.3-rc", "v1.2.3-rc.1.x", "v1.2.3/../v1.2.2", "../v1.2.3", "v1.2.3?x", "v1.2.3#x", "v1.2.3%2f", "v1.2.3;id",
		"$(id)", "v1.2.3\nv1.2.4", " v1.2.3", "v1.2.3 ", "none", "Source", "v1234567.0.0", "::set-output name=x::y", "-v1.2.3", "v１.2.3"} {
		got, log, err := installer(t, []string{"PREFECT_DEPLOY_VERSION=" + asked}, "which")
		if err == nil || got != "" || log != "::error title=prefect-deploy-action::the input version is neither a release, such as v1.2.3, nor source\n" {
			t.Errorf("%q gives %q, %v\n%s", asked, got, err, log)
		}
	}
}

// What the action installs by itself is what its own file says, and the file says one thing.
func TestTheActionsOwnRelease(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, ".github", "release"))
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^[^#\n].*$`).FindAllString(string(data), -1)
	if len(lines) != 1 || !regexp.MustCompile(`^(none|v\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?)$`).MatchString(lines[0]) {
		t.Fatalf("the file holds %q", lines)
	}
	want := lines[0]
	if want == "none" {
		want = "source"
	}
	if got, log, err := installer(t, nil, "which"); err != nil || got != want+"\n" {
		t.Errorf("%q, %v\n%s", got, err, log)
	}
	for text, want := range map[string]string{"v1.2.3\n": "v1.2.3", "# one\r\nv1.2.3\r\n": "v1.2.3", "1.2.3": "v1.2.3", "none": "source", "source\n": "source", "": "", "v1.2.3\nv1.2.4\n": "", "$(touch pwned)": "", "version=v1.2.3": ""} {
		if got := ownRelease(t, text); got != want {
			t.Errorf("a file that holds %q gives %q instead of %q", text, got, want)
		}
	}
}

// ownRelease is what the installer reads from a file of its own, which must be text and stay it.
func ownRelease(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile(filepath.Join(root, ".github", "install"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"install": string(script), "release": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := exec.Command("bash", "install", "which")
	c.Dir = dir
	out, err := c.Output()
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 2 {
		t.Errorf("reading %q left %v", text, names)
	}
	if (err != nil) != (len(out) == 0) {
		t.Errorf("%q printed, %v", out, err)
	}
	return strings.TrimSpace(string(out))
}

func TestRefusedBeforeAnythingIsDownloaded(t *testing.T) {
	bin := t.TempDir() // a gh that is never asked more than its version, and a curl that tells on itself
	for name, text := range map[string]string{"gh": "echo gh version 2.76.1", "curl": "echo asked >&2; exit 1"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	old := t.TempDir()
	if err := os.WriteFile(filepath.Join(old, "gh"), []byte("#!/bin/sh\necho 'gh version 2.66.1 (2025-01-31)'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		about   string
		version string
		env     []string
		says    string
	}{
		{"all is as it should be", "v1.2.3", nil, "could not be downloaded"},
		{"a branch with a slash, on Windows", "v1.2.3", []string{`GITHUB_ACTION_PATH=D:\a\_actions\org\prefect-deploy-action\feature\x`}, "/org/prefect-deploy-action/releases/download/v1.2.3/"},
		{"only the expression tells", "v1.2.3", []string{"GITHUB_ACTION_PATH=/cache/of/another/runner", "PREFECT_DEPLOY_ACTION_REPOSITORY=Org/x.y"}, "github.com/Org/x.y/releases/download/v1.2.3/"},
		{"the path is right and the expression another action's", "v1.2.3", []string{"PREFECT_DEPLOY_ACTION_REPOSITORY=actions/cache"}, "/org/prefect-deploy-action/releases/"},
		{"the releases of a fork's origin", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_REPOSITORY=origin/it"}, "/origin/it/releases/"},
		{"a mirror", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_URL=https://mirror.invalid:8443/a/b/"}, "https://mirror.invalid:8443/a/b/v1.2.3/"},
		{"nothing tells whose", "v1.2.3", []string{"GITHUB_ACTION_PATH=/home/runner/work/x/x"}, "it can't be told whose release"},
		{"nobody's name", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_REPOSITORY=a/b/c"}, "it can't be told whose release"},
		{"a name that is none", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_REPOSITORY=a/b?c"}, "it can't be told whose release"},
		{"not a version", "v1.2.3/../v1.2.2", nil, "is no version"},
		{"FreeBSD", "v1.2.3", []string{"RUNNER_OS=FreeBSD"}, "write version: source"},
		{"Windows on ARM", "v1.2.3", []string{"RUNNER_OS=Windows", "RUNNER_ARCH=ARM64"}, "write version: source"},
		{"32 bits", "v1.2.3", []string{"RUNNER_ARCH=X86"}, "write version: source"},
		{"no machine at all", "v1.2.3", []string{"RUNNER_OS=", "RUNNER_ARCH="}, "write version: source"},
		{"http", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_URL=http://mirror.invalid/"}, "no https address"},
		{"http to what looks like this machine", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_URL=http://127.0.0.1.invalid/"}, "no https address"},
		{"http to a user of this name", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_URL=http://localhost@mirror.invalid/"}, "no https address"},
		{"a file", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_URL=file:///etc"}, "no https address"},
		{"a login", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_URL=https://user:word@mirror.invalid/"}, "no https address"},
		{"a query", "v1.2.3", []string{"PREFECT_DEPLOY_RELEASES_URL=https://mirror.invalid/?x="}, "no https address"},
		{"an old gh", "v1.2.3", []string{"PATH=" + old + ":" + bin + ":" + os.Getenv("PATH")}, "gh 2.67.0 or newer is needed to verify a release, and this is gh version 2.66.1"},
	} {
		t.Run(c.about, func(t *testing.T) {
			temp := t.TempDir()
			env := append([]string{"PATH=" + bin + ":" + os.Getenv("PATH"), "RUNNER_TEMP=" + temp, "RUNNER_OS=Linux", "RUNNER_ARCH=X64",
				"GITHUB_ACTION_PATH=/home/runner/work/_actions/org/prefect-deploy-action/v1"}, c.env...)
			out, log, err := installer(t, env, c.version, filepath.Join(temp, "programs"))
			if err == nil || !strings.Contains(log, c.says) || !strings.Contains(log, "::error title=prefect-deploy-action::") || out != "" {
				t.Errorf("%v %q\n%s", err, out, log)
			}
			if asked := strings.Contains(log, "asked"); asked != strings.Contains(log, "could not be downloaded") {
				t.Errorf("a download was tried: %v\n%s", asked, log)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

// Without gh nothing is downloaded, and the way out is told. A PATH of links holds everything else that the script uses.
func TestWithoutGH(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"bash", "dirname", "mktemp", "rm", "tar", "mv", "mkdir", "cp", "env"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, log, err := installer(t, []string{"PATH=" + bin, "RUNNER_TEMP=" + bin, "RUNNER_OS=macOS", "RUNNER_ARCH=ARM64", "GITHUB_ACTION_PATH=/w/_actions/org/it/v1"}, "v1.2.3", filepath.Join(bin, "programs"))
	if err == nil || !strings.Contains(log, "install gh 2.67.0 or newer") || !strings.Contains(log, "version: source") {
		t.Errorf("%v\n%s", err, log)
	}
}
