// What the programs that stand before the container engines let through, against a program that takes down how it was called. They are shell scripts of few lines and many cases: an option that takes a value hides the command behind it.
package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// shutBin is the directory of the stand-ins, and a function that calls one of them: the engine was called with the words that come back, or not at all.
func shutBin(t *testing.T, builds bool) func(words ...string) (called, said string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	for _, name := range []string{"docker", "podman", "nerdctl", "buildah", "docker-compose", "docker-buildx"} {
		if err := (paths{dir}).write("real/"+name, []byte("#!/bin/sh\necho \"$@\" >> "+log+"\n")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, "real", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := &replay{docker: builds}
	w := cli.World{Env: func(name string) (string, bool) { return filepath.Join(dir, "real"), name == "PATH" }}
	if err := r.shutPrograms(w, paths{dir}); err != nil {
		t.Fatal(err)
	}
	return func(words ...string) (string, string) {
		t.Helper()
		os.Remove(log)
		var out bytes.Buffer
		c := exec.Command(filepath.Join(dir, "bin", words[0]), words[1:]...)
		c.Stdout, c.Stderr = &out, &out
		_ = c.Run() // an exit code that is not 0 is one of the answers
		called, _ := os.ReadFile(log)
		return strings.TrimSuffix(string(called), "\n"), out.String()
	}
}

func TestNothingIsPushedByAReplay(t *testing.T) {
	for _, builds := range []bool{false, true} {
		call := shutBin(t, builds)
		for _, line := range []string{
			"docker push x", "docker --config /c push x", "docker -H unix:///s push x", "docker image push x", "docker manifest push x", "docker model push x",
			"docker buildx imagetools create -t x y", "docker buildx --builder b imagetools create -t x y", "docker-buildx imagetools create -t x y",
			"docker compose push", "docker compose --ansi never -f c.yml push", "docker compose publish x", "docker-compose push", "docker-compose -f c.yml --parallel 2 push",
			"podman --connection c push x", "podman --storage-driver vfs push x", "podman farm build -t x .", "podman artifact push x", "podman image scp x y::",
			"nerdctl -n k8s.io push x", "nerdctl --namespace n image push x", "buildah push x", "buildah commit c docker://r/x", "docker login r", "podman login r",
		} {
			called, said := call(strings.Fields(line)...)
			if called != "" || !strings.HasPrefix(said, "not carried out without --live: "+strings.Fields(line)[0]) {
				t.Errorf("%s (builds: %v) called the engine with %q and said %q", line, builds, called, said)
			}
		}
	}
}

func TestBuildsOfAReplayLoad(t *testing.T) {
	call := shutBin(t, true)
	const baked = " --set *.output=type=docker --set *.cache-to="
	for _, c := range [][2]string{
		{"docker build -t x .", "build -t x ."},
		{"docker buildx build --push -t x .", "buildx build --load -t x ."},
		{"docker buildx build -o type=registry,name=x .", "buildx build --load ."},
		{"docker buildx build -otype=registry,name=x .", "buildx build --load ."},
		{"docker buildx build -otype=image,name=x,push=true .", "buildx build --load ."},
		{"docker-buildx build --push .", "build --load ."},
		{"docker buildx bake --push", "buildx bake" + baked},
		{"docker buildx bake", "buildx bake" + baked},
		{"docker buildx f -f a.hcl --set *.output=type=registry --set=*.output+=type=registry --set app.args.A=1 app", "buildx f -f a.hcl --set app.args.A=1 app" + baked},
		{"docker compose -f c.yml build --push app", "compose -f c.yml build app"},
		{"docker-compose build --push", "build"},
		{"docker compose up -d", "compose up -d"},
		{"buildah commit c x", "commit c x"},
	} {
		if called, said := call(strings.Fields(c[0])...); called != c[1] {
			t.Errorf("%s called the engine with %q and said %q, want %q", c[0], called, said, c[1])
		}
	}
}
