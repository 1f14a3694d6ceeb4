//go:build real && docker

// The table against a real engine: each build and push once by our words through `docker buildx`, once by the real prefect-docker, in equal folders. What is then in the engine
// and in the registry must be equal: outputs, tags, the image's configuration, and what it prints when it runs. Run by
//
//	.ci/docker go test -tags 'real docker' -run TestEngine ./compiler/docker
package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// dockerfile shows in what the image prints what arguments do.
const dockerfile = `FROM BASE AS first
ARG A=default
RUN echo "A=$A" > /seen; cat /etc/hosts | grep example >> /seen; df -k /dev/shm | grep shm >> /seen; true
ENV STAGE=first
WORKDIR /work
CMD ["cat", "/seen"]
FROM first AS second
LABEL written=here io.prefect.version=dockerfile
ENV STAGE=second
`

const secretDockerfile = `FROM BASE
RUN --mount=type=secret,id=word cat /run/secrets/word > /seen
CMD ["cat", "/seen"]
`

// copyDockerfile shows what came with the context.
const copyDockerfile = `FROM BASE
COPY . /ctx
CMD ["busybox", "sh", "-c", "cd /ctx; busybox find . -exec busybox stat -c '%a %n' {} + | busybox sort"]
`

// engineCases: inputs of a build, after which, where push is given, a push. nocache stands where the classic builder's cache would not see the difference. fails: the engine or Prefect refuses it, and so do we.
var engineCases = []struct {
	name, inputs, push string
	// ours is what we get in place of inputs and push together: what Prefect fails on and the contract takes.
	ours  string
	fails bool
}{
	{name: "plain", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1"}`},
	{name: "tags", inputs: `{"image_name": "prefect-deploy-test/app", "tag": 1.5, "additional_tags": ["latest", 7, "latest"]}`},
	{name: "buildargs", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": "a b,c=\"d\" 'e' $f"}}`},
	{name: "labels", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "labels": {"team": "data, and \"more\"", "written": "anew", "io.prefect.version": "mine"}}`},
	{name: "target", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "target": "first"}`},
	{name: "platform", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "platform": "amd64"}`},
	{name: "dockerfile", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "other/Dockerfile.dev"}`},
	{name: "outside", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "path": "other", "dockerfile": "../Dockerfile"}`},
	{name: "path", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "path": "./other/", "dockerfile": "Dockerfile.dev"}`},
	{name: "network", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "network_mode": "none", "nocache": true, "pull": "no"}`},
	{name: "network-host", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "network_mode": "host", "nocache": true}`},
	{name: "hosts", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "network_mode": "bridge", "nocache": true, "buildargs": {"A": "hosts"}, "extra_hosts": {"b.example.com": "10.0.0.2", "a.example.com": "10.0.0.1"}}`},
	{name: "transport", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "gzip": true, "rm": true, "isolation": "default"}`},
	{name: "cache-from", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "cache_from": ["BASE"]}`},
	{name: "auto", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "auto", "pull": false}`},
	{name: "buildx", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "build_args": {"A": 5}, "labels": {"n": 1}, "additional_tags": ["x"]}`},
	{name: "secret", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "dockerfile": "Dockerfile.secret", "secrets": ["id=word,src=word.txt"]}`},
	{name: "args-lines", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": "one\ntwo\n\nthree"}}`},
	{name: "args-unicode", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": "ü 🎉 日本 é"}}`},
	{name: "args-dollar", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": "$HOME ${A} $$ $(id) %{x}"}}`},
	{name: "args-shell", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": "; touch /x & | > < * ? # ! ~ \\ 'q'"}}`},
	{name: "args-empty", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": ""}}`},
	{name: "args-spaces", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": "  two  spaces  "}}`},
	{name: "args-dash", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": "--push"}}`},
	{name: "args-unused", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"NOPE": "x"}}`},
	{name: "args-none", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {}}`},
	{name: "labels-hostile", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "labels": {"a": "x=y;|$HOME {{x}}", "b": "ü 🎉", "c": "one\ntwo", "d": "", "e": "'", "f.g/h": "--load"}}`},
	{name: "tag-number", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "additional_tags": [1, 2.5, true]}`},
	{name: "tag-signs", inputs: `{"image_name": "prefect-deploy-test/a/b_c/d-e.f", "tag": "V1.0_a-B.c"}`},
	{name: "tag-long", inputs: `{"image_name": "prefect-deploy-test", "tag": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}`},
	{name: "tag-longer", inputs: `{"image_name": "prefect-deploy-test", "tag": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}`, fails: true},
	{name: "target-last", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "target": "second"}`},
	{name: "target-none", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "target": "third"}`, fails: true},
	{name: "dockerfile-around", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "./other/../Dockerfile"}`},
	{name: "path-odd", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "path": "sp ace/ü $x"}`},
	{name: "path-missing", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "path": "nowhere"}`, fails: true},
	{name: "dockerfile-missing", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "nowhere"}`, fails: true},
	{name: "dockerfile-directory", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "other"}`, fails: true},
	{name: "context", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "Dockerfile.copy"}`},
	{name: "context-path", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "path": "other", "dockerfile": "../Dockerfile.copy"}`},
	{name: "cache-from-none", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "cache_from": []}`},
	{name: "hosts-list", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "nocache": true, "buildargs": {"A": "list"}, "extra_hosts": ["c.example.com:10.0.0.3"]}`},
	{name: "pull-text", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "pull": "false", "nocache": "0"}`},
	{name: "noise", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "Dockerfile.noise"}`},
	{name: "much", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "Dockerfile.much"}`},
	{name: "run-fails", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "Dockerfile.fails"}`, fails: true},
	{name: "copy-fails", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "Dockerfile.nothing"}`, fails: true},
	{name: "syntax", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "Dockerfile.syntax"}`, fails: true},
	{name: "unknown", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "no_such": true}`, fails: true},
	{name: "auto-keep", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "auto", "pull": false, "persist_dockerfile": true}`},
	{name: "auto-keep-there", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "auto", "pull": false, "persist_dockerfile": true, "dockerfile_output_path": "other/D"}`},
	{name: "auto-buildx", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "auto", "pull": false, "build_backend": "buildx"}`},
	{name: "buildx-args", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "build_args": {"A": "$HOME ${A} %{x} 'q' \"d\" ü\ntwo", "B": 1.5, "C": true}}`},
	{name: "buildx-labels", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "labels": {"a": "x=y;|$HOME ${x} {{x}}", "b": "ü", "c": "one\ntwo", "d": ""}}`},
	{name: "buildx-target", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "target": "first", "cache": false}`},
	{name: "buildx-hosts", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "cache": false, "add_hosts": {"d.example.com": "10.0.0.4"}, "build_args": {"A": "x"}}`},
	{name: "buildx-network", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "cache": false, "network": "none"}`},
	{name: "buildx-platforms", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "platforms": ["linux/amd64"]}`},
	{name: "buildx-path", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "path": "sp ace/ü $x"}`},
	{name: "buildx-file", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "file": "other/Dockerfile.dev"}`},
	{name: "buildx-fails", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "dockerfile": "Dockerfile.fails"}`, fails: true},
	{name: "buildx-unknown", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "shmsize": 5}`, fails: true},
	{name: "buildx-missing", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "build_backend": "buildx", "path": "nowhere"}`, fails: true},
	{name: "push", inputs: `{"image_name": "REGISTRY/WHO/one", "tag": "v1", "additional_tags": ["v2", "v3"]}`,
		push: `{"image_name": "REGISTRY/WHO/one", "tag": "v1", "additional_tags": ["v2"]}`},
	{name: "push-all", inputs: `{"image_name": "REGISTRY/WHO/all", "tag": "v1", "additional_tags": ["v2", "v3"]}`, push: `{"image_name": "REGISTRY/WHO/all"}`},
	{name: "push-named", inputs: `{"image_name": "REGISTRY/WHO/named", "tag": "v1", "additional_tags": ["v2"]}`, push: `{"image_name": "REGISTRY/WHO/named:v2"}`},
	{name: "push-login", inputs: `{"image_name": "REGISTRY/WHO/login", "tag": "v1"}`,
		push: `{"image_name": "REGISTRY/WHO/login", "tag": "v1", "credentials": {"username": "u", "password": "p", "registry_url": "REGISTRY"}}`},
	{name: "push-buildx", inputs: `{"image_name": "REGISTRY/WHO/x", "tag": "v1", "build_backend": "buildx"}`,
		push: `{"image_name": "REGISTRY/WHO/x", "tag": "v1", "build_backend": "buildx"}`},
	{name: "pushed-by-buildx", inputs: `{"image_name": "REGISTRY/WHO/p", "tag": "v1", "additional_tags": ["v2"], "build_backend": "buildx", "push": true}`,
		push: `{"image_name": "REGISTRY/WHO/p", "tag": "v1", "build_backend": "buildx"}`},
	{name: "pushed-by-build", inputs: `{"image_name": "REGISTRY/WHO/c", "tag": "v1", "additional_tags": ["v2"]}`,
		push: `{"image_name": "REGISTRY/WHO/c", "tag": "v1", "additional_tags": ["v2"]}`,
		ours: `{"image_name": "REGISTRY/WHO/c", "image_tag": "v1", "additional_tags": ["v2"], "push": true}`},
	{name: "quiet", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "quiet": true}`, fails: true},
	{name: "number", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": {"A": 1}}`, fails: true},
	{name: "label-number", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "labels": {"A": 1}}`, fails: true},
	{name: "args-list", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "buildargs": ["A=1"]}`, fails: true},
	{name: "upper", inputs: `{"image_name": "App", "tag": "v1"}`, fails: true},
	{name: "bad-tag", inputs: `{"image_name": "prefect-deploy-test", "tag": "v 1"}`, fails: true},
	{name: "bad-additional", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "additional_tags": ["v0.1.0,"]}`, fails: true},
	{name: "network-own", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "network_mode": "nowhere", "nocache": true}`, fails: true},
	{name: "shm-text", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "shmsize": "64m"}`, fails: true},
	{name: "platforms", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "platform": "linux/amd64,linux/arm64"}`, fails: true},
	{name: "auto-twice", inputs: `{"image_name": "prefect-deploy-test", "tag": "v1", "dockerfile": "auto", "path": "other"}`, fails: true},
}

func env(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set: run this through .ci/docker", name)
	}
	return v
}

func docker(t *testing.T, directory string, stdin []byte, words ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("docker", words...)
	cmd.Dir, cmd.Stdin = directory, bytes.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		t.Logf("docker %v: %s", words, errs.String())
	}
	return strings.TrimSpace(out.String()), err
}

// folder is the project that both build, each its own copy under the same last name.
func folder(t *testing.T, name string) string {
	t.Helper()
	directory := filepath.Join(t.TempDir(), "project")
	base := env(t, "DOCKER_BASE")
	files := map[string]string{"Dockerfile": dockerfile, "other/Dockerfile.dev": strings.ReplaceAll(dockerfile, "default", "dev"), "Dockerfile.secret": secretDockerfile,
		"sp ace/ü $x/Dockerfile": dockerfile, "Dockerfile.copy": copyDockerfile, "Dockerfile.noise": "FROM BASE\nRUN busybox printf '\\377\\376 \\033[31m\\r\\n\\000'; true\n",
		"Dockerfile.much": "FROM BASE\nRUN busybox yes 0123456789 | busybox head -c 100000000\n", "Dockerfile.fails": "FROM BASE\nRUN exit 3\n", "Dockerfile.nothing": "FROM BASE\nCOPY nothing /\n", "Dockerfile.syntax": "FROM BASE\nRUNN x\n",
		"a b": "1", "ü": "2", "$x": "3", "'\"": "4", "new\nline": "5", "-dash": "6", "deep/er/file": "7",
		"word.txt": "hush\n", "requirements.txt": "prefect\n", ".dockerignore": "other\n"}
	if strings.HasPrefix(name, "auto") {
		delete(files, "Dockerfile")
	}
	for file, text := range files {
		file = filepath.Join(directory, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, "BASE", base)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

// prefectImage puts an image in the place of Prefect's, which can't be pulled here: its uv does nothing.
func prefectImage(t *testing.T) {
	t.Helper()
	file := "FROM " + env(t, "DOCKER_BASE") + "\nRUN echo '#!/bin/sh' > /bin/uv && busybox chmod 755 /bin/uv && busybox mkdir -p /opt/prefect\nCMD [\"ls\", \"-a\", \"/opt/prefect/project\"]\n"
	const name = "prefecthq/prefect:3.8.8-python3.11"
	had, _ := exec.Command("docker", "image", "inspect", "--format", "{{.Id}}", name).Output()
	if _, err := docker(t, t.TempDir(), []byte(file), "build", "-t", name, "-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = exec.Command("docker", "image", "rm", "--force", name).CombinedOutput()
		if id := strings.TrimSpace(string(had)); id != "" {
			_, _ = docker(t, "", nil, "tag", id, name)
		}
	})
}

// prefect is one Python process with the real steps.
func prefect(t *testing.T) func(directory, function string, inputs value.Value) (value.Value, string) {
	t.Helper()
	cmd := exec.Command(python(t), "testdata/real.py")
	cmd.Env = append(os.Environ(), "PREFECT_HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1", "PREFECT_LOGGING_LEVEL=ERROR")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	answers := bufio.NewScanner(out)
	return func(directory, function string, inputs value.Value) (value.Value, string) {
		asked, err := json.Marshal(map[string]any{"directory": directory, "function": function, "inputs": inputs})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(append(asked, '\n')); err != nil || !answers.Scan() {
			t.Fatalf("the real steps ended: %v\n%s", err, errs.String())
		}
		var answer struct {
			Outputs value.Value
			Error   string
		}
		if err := json.Unmarshal(answers.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Outputs, answer.Error
	}
}

// ours carries a step out by our words.
func ours(t *testing.T, directory, function string, inputs value.Value) (value.Value, string) {
	_, err := os.Stat(filepath.Join(directory, "Dockerfile"))
	o := Options{Now: time.Now(), PrefectVersion: "3.8.8", PythonVersion: "3.11", Directory: filepath.Base(directory), Requirements: true, Dockerfile: err == nil}
	if function == "push_docker_image" {
		p, err := PushOf(inputs, o)
		if err != nil {
			return value.Value{}, err.Error()
		}
		if l := p.Login(); l != nil {
			if _, err := docker(t, directory, []byte(l.Password.Text), l.Arguments()...); err != nil {
				return value.Value{}, "login"
			}
		}
		for _, words := range p.Commands() {
			if _, err := docker(t, directory, nil, words...); err != nil {
				return value.Value{}, "push"
			}
		}
		return p.Outputs(), ""
	}
	b, err := BuildOf(inputs, o)
	if err != nil {
		return value.Value{}, err.Error()
	}
	if b.Persist != "" {
		if err := os.WriteFile(filepath.Join(directory, b.Persist), b.Dockerfile, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	words := b.Arguments()
	id := filepath.Join(t.TempDir(), "id")
	words = append(words[:len(words)-1:len(words)-1], "--iidfile", id, b.Context)
	if _, err := docker(t, directory, b.Dockerfile, words...); err != nil {
		return value.Value{}, "build"
	}
	text, err := os.ReadFile(id)
	if err != nil {
		t.Fatal(err)
	}
	return b.Outputs(string(text)), ""
}

// baked builds by a definition in place of words.
func baked(t *testing.T, name string, inputs value.Value) {
	t.Helper()
	directory := folder(t, name)
	b, err := BuildOf(inputs, Options{Now: time.Now(), PrefectVersion: "3.8.8", PythonVersion: "3.11", Directory: filepath.Base(directory), Requirements: true})
	if err != nil {
		t.Fatal(err)
	}
	if b.Persist != "" {
		if err := os.WriteFile(filepath.Join(directory, b.Persist), b.Dockerfile, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("BUILDX_BAKE_ENTITLEMENTS_FS", "0")
	if _, err := docker(t, directory, b.Bake(filepath.Join(directory, b.File)), b.BakeArguments()...); err != nil {
		t.Fatal(err)
	}
}

// withoutID is an image without what is another at each build.
func (i image) withoutID() image {
	i.RealID = false
	return i
}

// image is what the engine holds under a name, and what it prints.
type image struct {
	Tags         []string
	Config       map[string]any
	Architecture string
	Prints       string
	RealID       bool
}

func look(t *testing.T, outputs value.Value) image {
	t.Helper()
	name, _ := outputs.Get("image")
	text, err := docker(t, t.TempDir(), nil, "image", "inspect", name.Text)
	if err != nil {
		t.Fatal(err)
	}
	var found []struct {
		ID           string `json:"Id"`
		RepoTags     []string
		Architecture string
		Config       map[string]any
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		t.Fatal(err)
	}
	id, _ := outputs.Get("image_id")
	got := image{Tags: found[0].RepoTags, Architecture: found[0].Architecture, RealID: id.Text == found[0].ID, Config: map[string]any{}}
	for _, key := range []string{"Labels", "Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Volumes", "ExposedPorts"} {
		got.Config[key] = found[0].Config[key]
	}
	got.Prints, _ = docker(t, t.TempDir(), nil, "run", "--rm", "--network", "none", name.Text)
	for _, tag := range append([]string{name.Text}, found[0].RepoTags...) {
		_, _ = exec.Command("docker", "image", "rm", "--force", tag).CombinedOutput()
	}
	return got
}

// pushed is what the registry holds under a name: its tags.
func pushed(t *testing.T, name string) string {
	t.Helper()
	registry, repository, _ := strings.Cut(name, "/")
	repository, _, _ = strings.Cut(repository, ":")
	answer, err := http.Get("http://" + registry + "/v2/" + repository + "/tags/list")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return strings.ReplaceAll(string(text), "/real/", "/ours/")
}

func TestEngine(t *testing.T) {
	prefectImage(t)
	theirs := prefect(t)
	filled := func(text, who string) value.Value {
		text = strings.NewReplacer("REGISTRY", env(t, "DOCKER_REGISTRY"), "BASE", env(t, "DOCKER_BASE"), "WHO", "a/"+who).Replace(text)
		return inputs(t, text)
	}
	for _, c := range engineCases {
		t.Run(c.name, func(t *testing.T) {
			real, fault := theirs(folder(t, c.name), "build_docker_image", filled(c.inputs, "real"))
			if c.fails {
				got, why := ours(t, folder(t, c.name), "build_docker_image", filled(c.inputs, "ours"))
				if fault == "" && c.name != "auto-twice" || why == "" {
					t.Errorf("the real one: %q, ours: %q %s", fault, why, got.AppendJSON(nil))
				}
				t.Logf("the real one: %s\nours: %s", fault, why)
				return
			}
			if fault != "" {
				t.Fatal(fault)
			}
			var realPush, ourPush value.Value
			var realTags string
			if c.push != "" {
				if realPush, fault = theirs(folder(t, c.name), "push_docker_image", filled(c.push, "real")); fault != "" {
					t.Fatal(fault)
				}
				name, _ := realPush.Get("image_name")
				realTags = pushed(t, name.Text)
			}
			want := look(t, real)
			asked := c.inputs
			if c.ours != "" {
				asked = c.ours
			}
			got, why := ours(t, folder(t, c.name), "build_docker_image", filled(asked, "ours"))
			if why != "" {
				t.Fatal(why)
			}
			if c.push != "" && c.ours == "" {
				if ourPush, why = ours(t, folder(t, c.name), "push_docker_image", filled(c.push, "ours")); why != "" {
					t.Fatal(why)
				}
				same(t, ourPush, realPush)
			}
			if name, _ := got.Get("image_name"); c.push != "" && pushed(t, name.Text) != realTags {
				t.Errorf("pushed %s, want %s", pushed(t, name.Text), realTags)
			}
			have := look(t, got)
			if strings.HasPrefix(c.name, "auto") { // the one known difference: a Dockerfile that comes from elsewhere is not copied along
				want.Prints = strings.Replace(want.Prints, "\nDockerfile\n", "\n", 1)
			}
			for i := range want.Tags {
				want.Tags[i] = strings.ReplaceAll(want.Tags[i], "/real/", "/ours/")
			}
			if !reflect.DeepEqual(have, want) {
				t.Errorf("\ngot  %+v\nwant %+v", have, want)
			}
			same(t, got.Set("image_id", value.Of("")), real.Set("image_id", value.Of("")))
			if c.push == "" && !strings.Contains(c.name, "hosts") {
				baked(t, c.name, filled(asked, "ours"))
				if again := look(t, got.Set("image_id", value.Of("baked"))); !reflect.DeepEqual(again.withoutID(), have.withoutID()) {
					t.Errorf("by a definition\ngot  %+v\nwant %+v", again, have)
				}
			}
		})
	}
}

func same(t *testing.T, got, want value.Value) {
	t.Helper()
	if g, w := string(got.AppendJSON(nil)), strings.ReplaceAll(string(want.AppendJSON(nil)), "/real/", "/ours/"); g != w {
		t.Errorf("outputs\ngot  %s\nwant %s", g, w)
	}
}

// TestEngineRefuses: what we say beforehand that Docker refuses, the engine refuses, when it is asked as docker-py asks it: for the request, and not because it lacks the image.
func TestEngineRefuses(t *testing.T) {
	engine := env(t, "DOCKER_HOST")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			network, address, _ := strings.Cut(engine, "://")
			return new(net.Dialer).DialContext(ctx, network, address)
		}}}
	asked := 0
	for _, c := range golden(t) {
		if c.Function != "push_docker_image" || engineRefuses[c.Name] == "" {
			continue
		}
		asked++
		refused := ""
		for _, r := range c.Requests {
			query := url.Values{}
			for _, q := range r.Query {
				query.Add(q[0], q[1])
			}
			request, err := http.NewRequest(http.MethodPost, "http://docker/v1.41"+(&url.URL{Path: r.Path}).EscapedPath()+"?"+query.Encode(), nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Registry-Auth", "e30=")
			answer, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			said, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			refused = ""
			if answer.StatusCode != http.StatusOK && !strings.Contains(strings.ToLower(string(said)), "no such image") {
				refused = answer.Status
			}
			t.Logf("%s: %s %s", c.Name, answer.Status, said)
		}
		if refused == "" {
			t.Errorf("%s: the engine takes it", c.Name)
		}
	}
	if asked != len(engineRefuses) {
		t.Errorf("%d of %d were asked", asked, len(engineRefuses))
	}
}
