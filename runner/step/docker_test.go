//go:build unix

// Docker steps with a program in docker's place that notes what it is told, and answers as docker does: what goes by argument, by environment, by standard input and by file, and what is left of it.
package step

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// notes is docker: it notes words and environment, keeps what stands in its configuration, and on `login` writes there as docker does. FAIL has it fail with that text where its words hold WHERE.
const notes = `#!/bin/sh
echo "$*" >> "$NOTES/words"
env >> "$NOTES/environment"
cat "$DOCKER_CONFIG/config.json" >> "$NOTES/configs" 2>/dev/null
ls "$DOCKER_CONFIG" >> "$NOTES/listed" 2>/dev/null
case "$*" in *"$WHERE"*) [ -z "$FAIL" ] || { echo "$FAIL" >&2; exit 1; };; esac
case "$*" in *"$SLOW"*) [ -z "$SLOW" ] || { touch "$NOTES/slow"; sleep 60; };; esac
case "$1 $2" in
"login "*)
  read -r password || true
  echo "$password" >> "$NOTES/passwords"
  echo "WARNING! Your credentials are stored unencrypted in '$DOCKER_CONFIG/config.json'." >&2
  echo "{\"auths\":{\"r\":{\"auth\":\"$(printf 'u:%s' "$password" | base64)\"}}}" > "$DOCKER_CONFIG/config.json" ;;
"buildx build")
  while [ $# -gt 1 ]; do [ "$1" != --iidfile ] || printf sha256:5 > "$2"; shift; done ;;
esac
`

type noting struct {
	t     *testing.T
	dir   string
	notes string
	temp  string
	env   []string
	lines []string
}

func newNoting(t *testing.T, env ...string) *noting {
	t.Helper()
	n := &noting{t: t, dir: t.TempDir(), notes: t.TempDir(), temp: t.TempDir()}
	t.Setenv("TMPDIR", n.temp)
	n.write(n.notes, "docker", notes)
	if err := os.Chmod(filepath.Join(n.notes, "docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	n.env = append([]string{"PATH=" + os.Getenv("PATH"), "NOTES=" + n.notes, "HOME=" + n.notes, "DOCKER_CONFIG=" + filepath.Join(n.notes, "config"), "WHERE=", "FAIL=", "SLOW="}, env...)
	return n
}

func (n *noting) write(dir, name, text string) {
	n.t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

func (n *noting) noted(name string) string {
	data, _ := os.ReadFile(filepath.Join(n.notes, name))
	return string(data)
}

func (n *noting) run(ctx context.Context, function, inputs string) (value.Value, error) {
	n.t.Helper()
	v, err := value.FromJSON([]byte(inputs))
	if err != nil {
		n.t.Fatal(err)
	}
	line := func(b []byte) { n.lines = append(n.lines, string(b)) }
	return Docker(filepath.Join(n.notes, "docker"), func(dir string) docker.Options {
		_, err := os.Stat(filepath.Join(dir, "Dockerfile"))
		return docker.Options{Now: time.Unix(0, 0), PrefectVersion: "3.8.8", PythonVersion: "3.11", Directory: "project", Dockerfile: err == nil}
	})(ctx, Call{Function: "prefect_docker.deployments.steps." + function, Inputs: v, Dir: n.dir, Env: n.env, Stdout: line, Stderr: line})
}

const canary = "canary-5e1f"

// nowhere looks for a secret in all that is left, but for what docker was told by standard input.
func (n *noting) nowhere() {
	n.t.Helper()
	coded := base64.StdEncoding.EncodeToString([]byte("u:" + canary))
	left := strings.Join(n.lines, "\n") + n.noted("words") + n.noted("environment") + n.noted("config/config.json")
	_ = filepath.WalkDir(n.temp, func(path string, _ os.DirEntry, _ error) error {
		data, _ := os.ReadFile(path)
		left += path + "\n" + string(data)
		return nil
	})
	if strings.Contains(left, canary) || strings.Contains(left, coded) {
		n.t.Errorf("the password is in\n%s", left)
	}
	if entries, _ := os.ReadDir(n.temp); len(entries) > 0 {
		n.t.Errorf("left behind: %v", entries)
	}
}

func TestDockerLoginLeavesNothing(t *testing.T) {
	const credentials = `"credentials": {"username": "u", "password": "` + canary + `", "registry_url": "https://r/v2/"}`
	for name, c := range map[string]struct{ function, inputs, fail, where string }{
		"push":          {"push_docker_image", `{"image_name": "r/app", "tag": "v1", ` + credentials + `}`, "", ""},
		"build":         {"build_docker_image", `{"image_name": "r/app", "tag": "v1", "push": true, ` + credentials + `}`, "", ""},
		"refused":       {"push_docker_image", `{"image_name": "r/app", "tag": "v1", ` + credentials + `}`, "Error response from daemon: unauthorized", "login"},
		"push refused":  {"push_docker_image", `{"image_name": "r/app", "tag": "v1", ` + credentials + `}`, "denied: no", "push"},
		"not logged in": {"push_docker_image", `{"image_name": "r/app", "tag": "v1"}`, "denied: no", "push"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNoting(t, "FAIL="+c.fail, "WHERE="+c.where)
			const mine = `{"auths":{"r":{"auth":"bWluZTptaW5l"},"other":{"auth":"x"}},"credsStore":"desktop","currentContext":"far"}`
			n.write(n.notes, "config/config.json", mine)
			n.write(n.notes, "config/contexts/meta", "")
			_, err := n.run(context.Background(), c.function, c.inputs)
			if (err != nil) != (c.fail != "") || err != nil && strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v", err)
			}
			n.nowhere()
			if n.noted("config/config.json") != mine {
				t.Errorf("the user's own configuration is now %s", n.noted("config/config.json"))
			}
			if name != "not logged in" {
				if n.noted("passwords") != canary+"\n" && c.where != "login" {
					t.Errorf("by standard input came %q", n.noted("passwords"))
				}
				copied, _, _ := strings.Cut(n.noted("configs"), "}}{")
				for _, want := range []string{`"credsStore":"desktop"`, `"currentContext":"far"`, `"r":""`, `"other":{"auth":"x"}`} {
					if !strings.Contains(copied, want) {
						t.Errorf("the copy lacks %s: %s", want, copied)
					}
				}
				if strings.Contains(copied, "bWluZTptaW5l") || !strings.Contains(n.noted("listed"), "contexts") {
					t.Errorf("the copy is %s, and beside it %s", copied, n.noted("listed"))
				}
			}
		})
	}
}

// TestDockerReauth: with reauth off an earlier login of the same user is enough, and a login that fails is only told of when the push fails too.
func TestDockerReauth(t *testing.T) {
	inputs := `{"image_name": "r/app", "tag": "v1", "credentials": {"username": "u", "password": "` + canary + `", "registry_url": "r", "reauth": false}}`
	n := newNoting(t)
	n.write(n.notes, "config/config.json", `{"auths":{"https://r":{"auth":"`+base64.StdEncoding.EncodeToString([]byte("u:old"))+`"}}}`)
	if _, err := n.run(context.Background(), "push_docker_image", inputs); err != nil || strings.Contains(n.noted("words"), "login") {
		t.Errorf("%v: %s", err, n.noted("words"))
	}
	n = newNoting(t, "FAIL=Error response from daemon: no such login", "WHERE=login")
	if _, err := n.run(context.Background(), "push_docker_image", inputs); err != nil {
		t.Errorf("a login that failed, with reauth off: %v", err)
	}
	n = newNoting(t, "FAIL=Error response from daemon: unauthorized", "WHERE=r")
	if _, err := n.run(context.Background(), "push_docker_image", inputs); err == nil || !strings.HasPrefix(err.Error(), "the login to r as u failed: the registry refuses it: unauthorized") {
		t.Errorf("%v", err)
	}
	n.nowhere()
}

// TestDockerfileIsNotLost: what stands where a generated one goes stays, unless it was generated too.
func TestDockerfileIsNotLost(t *testing.T) {
	const keep = `{"image_name": "app", "tag": "v1", "dockerfile": "auto", "persist_dockerfile": true, "dockerfile_output_path": "docker/D"}`
	n := newNoting(t)
	n.write(n.dir, "docker/D", "FROM mine\n")
	if _, err := n.run(context.Background(), "build_docker_image", keep); err == nil || !strings.Contains(err.Error(), "is there already and was not generated") || n.noted("words") != "" {
		t.Errorf("%v", err)
	}
	mine := func() string { data, _ := os.ReadFile(filepath.Join(n.dir, "docker/D")); return string(data) }
	if mine() != "FROM mine\n" {
		t.Errorf("it holds %s", mine())
	}
	n.write(n.dir, "docker/D", "FROM prefecthq/prefect:3.0.0-python3.9\nCOPY . /opt/prefect/x/\nWORKDIR /opt/prefect/x/\n")
	if _, err := n.run(context.Background(), "build_docker_image", keep); err != nil || !strings.HasPrefix(mine(), "FROM prefecthq/prefect:3.8.8-python3.11\n") {
		t.Errorf("%v: %s", err, mine())
	}
	n = newNoting(t, "FAIL=ERROR: no", "WHERE=build")
	n.write(n.dir, "docker/x", "")
	if _, err := n.run(context.Background(), "build_docker_image", keep); err == nil || mine() == "" { // before the build, as Prefect does
		t.Errorf("%v: %s", err, mine())
	}
	n.write(n.dir, "Dockerfile", "FROM mine\n")
	_, err := n.run(context.Background(), "build_docker_image", keep)
	if data, _ := os.ReadFile(filepath.Join(n.dir, "Dockerfile")); err == nil || string(data) != "FROM mine\n" {
		t.Errorf("%v: %s", err, data)
	}
	entries, _ := os.ReadDir(filepath.Join(n.dir, "docker"))
	if len(entries) != 2 {
		t.Errorf("beside it: %v", entries)
	}
}

// TestDockerInterrupted: a build of a generated Dockerfile and a push that an interrupt ends leave nothing, in the project or elsewhere.
func TestDockerInterrupted(t *testing.T) {
	const credentials = `, "credentials": {"username": "u", "password": "` + canary + `", "registry_url": "r"}`
	for function, inputs := range map[string]string{"build_docker_image": `{"image_name": "r/app", "dockerfile": "auto", "push": true` + credentials + `}`, "push_docker_image": `{"image_name": "r/app", "tag": "v1"` + credentials + `}`} {
		slow := map[string]string{"build_docker_image": "buildx build", "push_docker_image": "push"}[function]
		n := newNoting(t, "SLOW="+slow)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			for n.noted("slow") == "" {
				if _, err := os.Stat(filepath.Join(n.notes, "slow")); err == nil {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			cancel()
		}()
		if _, err := n.run(ctx, function, inputs); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", function, err)
		}
		n.nowhere()
		if entries, _ := os.ReadDir(n.dir); len(entries) > 0 {
			t.Errorf("%s left %v", function, entries)
		}
	}
}

// TestDockerReasons: lines as docker, buildx and registries write them.
func TestDockerReasons(t *testing.T) {
	for stderr, want := range map[string]string{
		"#5 ERROR: x\nERROR: failed to solve: process \"/bin/sh -c false\" did not complete successfully: exit code: 1":                                     "failed to solve: process \"/bin/sh -c false\" did not complete successfully: exit code: 1",
		"ERROR: failed to solve: failed to copy files: copy file range failed: no space left on device":                                                     "the disk is full: failed to solve: failed to copy files: copy file range failed: no space left on device; make room where the engine keeps its data: docker system df says what takes it",
		"Error response from daemon: write /var/lib/docker/tmp/GetImageBlob1: no space left on device":                                                      "the disk is full: write /var/lib/docker/tmp/GetImageBlob1: no space left on device; make room where the engine keeps its data: docker system df says what takes it",
		"Get \"https://r.example.com/v2/\": x\nError response from daemon: Get \"https://r.example.com/v2/\": dial tcp: lookup r.example.com: no such host": "the registry can't be reached: Get \"https://r.example.com/v2/\": dial tcp: lookup r.example.com: no such host; is its name right, and does it run?",
		"denied: requested access to the resource is denied":                                                                                                "the registry refuses it: denied: requested access to the resource is denied; is the name right, and may that user? credentials or docker login say who asks",
		"ERROR: failed to solve: failed to read dockerfile: open Dockerfile: permission denied":                                                             "a file of the build can't be read: failed to solve: failed to read dockerfile: open Dockerfile: permission denied; is it there, and may this user read it? .dockerignore leaves out what the build does not need",
		"no basic auth credentials": "the registry refuses it: no basic auth credentials; is the name right, and may that user? credentials or docker login say who asks",
		"#5 0.1 unrelated\n------\n > [2/3] RUN one:\n0.1 not this\n------\n------\n > [app 2/2] RUN pip install x:\n0.411 Collecting x\n2.104 ERROR: [Errno 28] No space left on device\n2.2   \n------\nDockerfile:2\n--------------------\n 2 | >>> RUN pip\n--------------------\nERROR: failed to solve: process \"/bin/sh -c pip\" did not complete successfully: exit code: 1": "failed to solve: process \"/bin/sh -c pip\" did not complete successfully: exit code: 1, after it said: ERROR: [Errno 28] No space left on device",
		"------\n > [2/2] RUN dd:\n0.2 dd: error writing '/big': No space left on device\n0.2 56+0 records out\n0.3 errors: 1\n------\nERROR: failed to solve: executor failed running [dd]: exit code: 1":                                                                                                                                                                            "failed to solve: executor failed running [dd]: exit code: 1, after it said: dd: error writing '/big': No space left on device",
		"received unexpected HTTP status: 500 Internal Server Error":                                                              "the registry has an error of its own: received unexpected HTTP status: 500 Internal Server Error; its log says which: a full disk, for one",
		"------\n > [2/2] RUN silent:\n------\nERROR: failed to solve: executor failed running [/bin/sh -c exit 7]: exit code: 7": "failed to solve: executor failed running [/bin/sh -c exit 7]: exit code: 7",
		"Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running? dial: connection refused":                "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running? dial: connection refused",
	} {
		err := dockerFailed("the push of r/app", 1, stderr)
		if got := err.Error(); got != "the push of r/app failed: "+want {
			t.Errorf("%q gives\n%s, want\n%s", stderr, got, want)
		}
	}
	if err := dockerFailed("a", 3, "what\nis this"); !strings.Contains(err.Error(), "ended with code 3") || AsExit(error(err)) == nil || !errors.As(err, new(*ExitError)) {
		t.Error(err)
	}
}
