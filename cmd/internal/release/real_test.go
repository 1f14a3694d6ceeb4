//go:build real

// A release as it comes from .ci/release, signed and served, against .github/install with GitHub's real CLI; then the same with one thing wrong at a time.
package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const version, repository = "v9.9.9", "org/prefect-deploy-action"

// tools is the folder of gh and attest.
func tools(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("RELEASE_TOOLS")
	for _, name := range []string{"gh", "attest"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Fatalf("RELEASE_TOOLS must name the folder of gh and attest, which .ci/setup gh makes: %v", err)
		}
	}
	return dir
}

// machine is this one, as a runner says it.
func machine(t *testing.T) []string {
	t.Helper()
	system, ok := map[string]string{"linux": "Linux", "darwin": "macOS"}[runtime.GOOS]
	processor, known := map[string]string{"amd64": "X64", "arm64": "ARM64"}[runtime.GOARCH]
	if !ok || !known {
		t.Fatalf("no release is made for %s/%s that this test could run", runtime.GOOS, runtime.GOARCH)
	}
	return []string{"RUNNER_OS=" + system, "RUNNER_ARCH=" + processor}
}

// The names of a release's files.
func archiveName() string {
	return "prefect-deploy_" + version + "_" + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"
}

const checksumsName, bundleName = "prefect-deploy_" + version + "_checksums.txt", "prefect-deploy_" + version + ".sigstore.json"

// files are those of a release by name, and what a host does instead of giving one.
type files map[string]http.HandlerFunc

func text(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

// host serves releases and counts the requests.
type host struct {
	url string
	mu  sync.Mutex
	all []string
}

func serve(t *testing.T, f files) *host {
	t.Helper()
	h := &host{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.all = append(h.all, r.URL.Path)
		h.mu.Unlock()
		name, ok := strings.CutPrefix(r.URL.Path, "/releases/download/"+version+"/")
		if !ok || f[name] == nil {
			http.NotFound(w, r)
			return
		}
		f[name](w, r)
	}))
	t.Cleanup(s.Close)
	h.url = s.URL + "/releases/download"
	return h
}

// attestation is what .ci/attest makes a bundle of.
type attestation struct {
	File       string            `json:"file"`
	Authority  string            `json:"authority"`
	Subjects   map[string]string `json:"subjects"`
	Owner      string            `json:"owner"`
	Repository string            `json:"repository"`
	Workflow   string            `json:"workflow"`
	Ref        string            `json:"ref"`
	Runner     string            `json:"runner"`
	Predicate  string            `json:"predicate"`
}

// right is the attestation that the release workflow makes of archives.
func right(file string, archives ...[]byte) attestation {
	a := attestation{File: file, Authority: "right", Subjects: map[string]string{}, Owner: "org", Repository: repository, Workflow: ".github/workflows/release.yml", Ref: "refs/tags/" + version,
		Runner: "github-hosted", Predicate: "https://slsa.dev/provenance/v1"}
	for i, data := range archives {
		a.Subjects[fmt.Sprintf("archive-%d.tar.gz", i)] = sum(data)
	}
	return a
}

func sum(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// sign has the bundles made, and gives their folder, where right.trusted-root.jsonl is too.
func sign(t *testing.T, list ...attestation) string {
	t.Helper()
	dir := t.TempDir()
	data, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(tools(t), "attest"), dir)
	c.Stdin = bytes.NewReader(data)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// first is the release that most tests share, built by whichever wants it first.
var first struct {
	once               sync.Once
	archive, checksums []byte
}

func release(t *testing.T) (archive, checksums []byte) {
	t.Helper()
	first.once.Do(func() { first.archive, first.checksums = built(t, t.TempDir()) })
	if first.archive == nil {
		t.Fatal("there is no release, as another test says")
	}
	return first.archive, first.checksums
}

// built is a release for this machine as .ci/release makes it.
func built(t *testing.T, dir string) (archive, checksums []byte) {
	t.Helper()
	read(t, root, ".ci", "release") // so that the test is run again when it changes, as for the next
	read(t, root, ".ci", "pack", "main.go")
	if out, err := exec.Command(filepath.Join(root, ".ci", "release"), version, dir, runtime.GOOS+"/"+runtime.GOARCH).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return read(t, dir, archiveName()), read(t, dir, checksumsName)
}

// small is an archive whose `run` would show that it ran.
func small(t *testing.T, says string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "run"), []byte("#!/bin/sh\necho "+says+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "a.tar.gz")
	if out, err := exec.Command("tar", "-czf", file, "-C", dir, "run").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return read(t, file)
}

// install runs the installer as the action does, against h, trusting the authority of the folder signed. It gives the folder of programs, whether it is there or not.
func install(t *testing.T, h *host, signed string, env ...string) (programs, log string, err error) {
	t.Helper()
	temp := t.TempDir()
	programs = filepath.Join(temp, "programs")
	all := append(machine(t), "PATH="+tools(t)+":"+os.Getenv("PATH"), "HOME="+t.TempDir(), "RUNNER_TEMP="+temp, "GITHUB_ACTION_PATH=/home/runner/work/_actions/"+repository+"/v9",
		"PREFECT_DEPLOY_RELEASES_URL="+h.url, "PREFECT_DEPLOY_TRUSTED_ROOT="+filepath.Join(signed, "right.trusted-root.jsonl"))
	out, log, err := installer(t, append(all, env...), version, programs)
	left, _ := filepath.Glob(filepath.Join(temp, "*"))
	if _, missing := os.Stat(programs); (err == nil) != (missing == nil) || len(left) > 1 || (err != nil && len(left) > 0) {
		t.Errorf("error %v, and it left %v", err, left)
	}
	return programs, out + log, err
}

func TestInstallsWhatReleaseMade(t *testing.T) {
	archive, checksums := release(t)
	again, same := built(t, t.TempDir())
	if !bytes.Equal(archive, again) || !bytes.Equal(checksums, same) {
		t.Error("building the same commit twice gives different bytes")
	}
	signed := sign(t, right(bundleName, archive, []byte("of another platform")))
	h := serve(t, files{archiveName(): text(archive), checksumsName: text(checksums), bundleName: text(read(t, signed, bundleName))})
	programs, log, err := install(t, h, signed)
	if err != nil || !strings.Contains(log, "installed "+version) {
		t.Fatalf("%v\n%s", err, log)
	}
	for program, args := range map[string][]string{"run": {"version"}, "compile": {"-h"}, "prefect-deploy-replay": {"-h"}} {
		out, err := exec.Command(filepath.Join(programs, program), args...).CombinedOutput()
		if err != nil || program == "run" && string(out) != "prefect-deploy-action "+version+"\n" {
			t.Errorf("%s %v prints %q, %v", program, args, out, err)
		}
	}
	if want := 3; len(h.all) != want {
		t.Errorf("requests: %v", h.all)
	}
	// A second use of the action in the same job asks for nothing.
	if _, log, err := installer(t, append(machine(t), "PATH="+os.Getenv("PATH")), version, programs); err != nil || len(h.all) != 3 {
		t.Errorf("%v, requests: %v\n%s", err, h.all, log)
	}
}

// What is not to be installed: the release with one thing changed.
func TestInstallsNothingElse(t *testing.T) {
	good, evil := small(t, "good"), small(t, "evil")
	change := func(file string, how func(*attestation)) attestation {
		a := right(file, good)
		how(&a)
		return a
	}
	signed := sign(t, right("right", good), right("of-another", []byte("another")),
		change("workflow", func(a *attestation) { a.Workflow = ".github/workflows/ci.yml" }),
		change("nested-workflow", func(a *attestation) { a.Workflow = "x/.github/workflows/release.yml" }),
		change("longer-workflow", func(a *attestation) { a.Workflow = ".github/workflows/release.yml.github/workflows/release.yml" }),
		change("dotless-workflow", func(a *attestation) { a.Workflow = ".github/workflows/release-yml" }),
		change("repository", func(a *attestation) { a.Repository = "org/another" }),
		change("owner", func(a *attestation) { a.Owner, a.Repository = "evil", "evil/prefect-deploy-action" }),
		change("suffix", func(a *attestation) { a.Repository += "-2" }),
		change("tag", func(a *attestation) { a.Ref = "refs/tags/v9.9.8" }),
		change("longer-tag", func(a *attestation) { a.Ref += "-rc.1" }),
		change("dotless-tag", func(a *attestation) { a.Ref = "refs/tags/v9x9.9" }),
		change("branch", func(a *attestation) { a.Ref = "refs/heads/" + version }),
		change("runner", func(a *attestation) { a.Runner = "self-hosted" }),
		change("predicate", func(a *attestation) { a.Predicate = "https://in-toto.io/attestation/test-result/v0.1" }),
		change("authority", func(a *attestation) { a.Authority = "wrong" }))
	bundle := func(name string) http.HandlerFunc { return text(read(t, signed, name)) }
	edited := bytes.Replace(read(t, signed, "of-another"), []byte(`"sig":"`), []byte(`"sig":"AAAA`), 1)
	line := sum(good) + "  " + archiveName() + "\n"
	elsewhere := httptest.NewServer(text(good))
	t.Cleanup(elsewhere.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, good, 0o600); err != nil {
		t.Fatal(err)
	}
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	}
	const attested, checksum, download = "is not attested to be built by the release workflow of org/prefect-deploy-action at v9.9.9", "nothing was installed", "could not be downloaded"
	for _, c := range []struct {
		about string
		with  files
		says  string
	}{
		{"a wrong checksum", files{checksumsName: text([]byte(sum(evil) + "  " + archiveName() + "\n"))}, "is not what " + checksumsName + " says"},
		{"another archive", files{archiveName(): text(evil)}, "is not what " + checksumsName + " says"},
		{"a shortened archive", files{archiveName(): text(good[:len(good)/2])}, "is not what " + checksumsName + " says"},
		{"an empty archive", files{archiveName(): text(nil)}, "is not what " + checksumsName + " says"},
		{"an archive cut off on the way", files{archiveName(): cut(good)}, download},
		{"checksums of other archives", files{checksumsName: text([]byte(sum(good) + "  prefect-deploy_v9.9.9_plan9_amd64.tar.gz\n" + sum(good) + "  x" + archiveName() + "\n" + sum(good) + "  " + archiveName() + ".old\n"))}, "does not hold one checksum"},
		{"two checksums", files{checksumsName: text([]byte(line + sum(evil) + "  " + archiveName() + "\n"))}, "does not hold one checksum"},
		{"a checksum that is none", files{checksumsName: text([]byte("*  " + archiveName() + "\n"))}, "does not hold one checksum"},
		{"empty checksums", files{checksumsName: text(nil)}, "does not hold one checksum"},
		{"a page in place of checksums", files{checksumsName: text([]byte("<html>sign in</html>"))}, "does not hold one checksum"},
		{"no such release", files{checksumsName: nil, archiveName(): nil, bundleName: nil}, download},
		{"no archive for this machine", files{archiveName(): nil}, download},
		{"no attestation", files{bundleName: nil}, download},
		{"an empty attestation", files{bundleName: text(nil)}, attested},
		{"an attestation that is none", files{bundleName: text([]byte("{}"))}, attested},
		{"an attestation of another archive", files{bundleName: bundle("of-another")}, attested},
		{"another archive with its own checksum, the attestation as it was", files{archiveName(): text(evil), checksumsName: text([]byte(sum(evil) + "  " + archiveName() + "\n"))}, attested},
		{"a changed attestation", files{bundleName: text(edited)}, attested},
		{"another workflow of the repository", files{bundleName: bundle("workflow")}, attested},
		{"a workflow of this name in a folder", files{bundleName: bundle("nested-workflow")}, attested},
		{"a workflow whose name goes on", files{bundleName: bundle("longer-workflow")}, attested},
		{"a workflow whose name looks like it", files{bundleName: bundle("dotless-workflow")}, attested},
		{"another repository of the owner", files{bundleName: bundle("repository")}, attested},
		{"the same of another owner", files{bundleName: bundle("owner")}, attested},
		{"a repository whose name goes on", files{bundleName: bundle("suffix")}, attested},
		{"another tag", files{bundleName: bundle("tag")}, attested},
		{"a tag that goes on", files{bundleName: bundle("longer-tag")}, attested},
		{"a tag that looks like it", files{bundleName: bundle("dotless-tag")}, attested},
		{"a branch of the tag's name", files{bundleName: bundle("branch")}, attested},
		{"built on somebody's own machine", files{bundleName: bundle("runner")}, attested},
		{"another kind of attestation", files{bundleName: bundle("predicate")}, attested},
		{"another authority", files{bundleName: bundle("authority")}, attested},
		{"a redirect to plain http", files{archiveName(): redirect(elsewhere.URL)}, download},
		{"a redirect to a file", files{archiveName(): redirect("file://" + secret)}, download},
		{"a redirect to ftp", files{archiveName(): redirect("ftp://127.0.0.1/x")}, download},
		{"the host gives up", files{archiveName(): func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }}, download},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			f := files{archiveName(): text(good), checksumsName: text([]byte(line)), bundleName: bundle("right")}
			for name, h := range c.with {
				f[name] = h
			}
			_, log, err := install(t, serve(t, f), signed)
			if err == nil || !strings.Contains(log, c.says) || !strings.Contains(log, "::error title=prefect-deploy-action::") {
				t.Errorf("%v\n%s", err, log)
			}
			if c.says == attested && !strings.Contains(log, checksum) {
				t.Errorf("it does not say that nothing was installed:\n%s", log)
			}
		})
	}
	// The same with nothing changed is installed, so that none of the above fails for another reason; also when the name is written in other letters, and after a host that was busy.
	f := files{archiveName(): busyOnce(text(good)), checksumsName: text([]byte(strings.ReplaceAll(line, "  ", " *"))), bundleName: bundle("right")}
	programs, log, err := install(t, serve(t, f), signed, "GITHUB_ACTION_PATH=/w/_actions/Org/Prefect-Deploy-Action/feature/x")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	if out, err := exec.Command(filepath.Join(programs, "run")).Output(); err != nil || string(out) != "good\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// cut promises all of data and hangs up half-way.
func cut(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = io.Copy(w, bytes.NewReader(data[:len(data)/2]))
	}
}

func busyOnce(then http.HandlerFunc) http.HandlerFunc {
	var once sync.Once
	return func(w http.ResponseWriter, r *http.Request) {
		first := false
		once.Do(func() { first = true })
		if first {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		then(w, r)
	}
}

// An attested archive that can't be what it should is refused too, and gh is given no token and no host of the job's.
func TestWhatGHIsGiven(t *testing.T) {
	bin, record := t.TempDir(), filepath.Join(t.TempDir(), "record")
	script := "#!/bin/sh\nif [ $1 = attestation ]; then env >'" + record + "'; fi\nexec '" + filepath.Join(tools(t), "gh") + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "gh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	noArchive := []byte("this is no archive")
	signed := sign(t, right("right", noArchive))
	h := serve(t, files{archiveName(): text(noArchive), checksumsName: text([]byte(sum(noArchive) + "  " + archiveName())), bundleName: text(read(t, signed, "right"))})
	_, log, err := install(t, h, signed, "PATH="+bin+":"+os.Getenv("PATH"), "GH_TOKEN=a-secret", "GITHUB_TOKEN=a-secret", "GH_ENTERPRISE_TOKEN=a-secret", "GH_HOST=ghe.example.com")
	if err == nil || !strings.Contains(log, "can't be unpacked") {
		t.Errorf("%v\n%s", err, log)
	}
	given := string(read(t, record))
	if given == "" || strings.Contains(given, "a-secret") || strings.Contains(given, "ghe.example.com") {
		t.Errorf("gh is given\n%s", given)
	}
}

// Who names no other authority trusts Sigstore's and GitHub's alone, and nothing is installed where these can't be asked.
func TestNoAuthorityNoInstall(t *testing.T) {
	good := small(t, "good")
	signed := sign(t, right("right", good))
	f := files{archiveName(): text(good), checksumsName: text([]byte(sum(good) + "  " + archiveName())), bundleName: text(read(t, signed, "right"))}
	for root, says := range map[string]string{"": "is not attested", filepath.Join(signed, "none.jsonl"): "is no file that can be read"} {
		_, log, err := install(t, serve(t, f), signed, "PREFECT_DEPLOY_TRUSTED_ROOT="+root, "HTTPS_PROXY=http://127.0.0.1:1")
		if err == nil || !strings.Contains(log, says) {
			t.Errorf("root %q: %v\n%s", root, err, log)
		}
	}
}
