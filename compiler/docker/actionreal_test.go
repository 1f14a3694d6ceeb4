//go:build real && action

// Asks the real docker/build-push-action. It is no package of a registry: BUILD_PUSH_ACTION names dist/index.cjs of a clone of its v7.3.0, and node is to be on PATH.
//
//	BUILD_PUSH_ACTION=…/dist/index.cjs go test -tags 'real action' -run TestActionIsReal ./compiler/docker [-record]
package docker

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// notingDocker stands in for docker: it notes the words of a build, and answers what the action asks before.
const notingDocker = `#!/usr/bin/env node
const fs = require('fs'), words = process.argv.slice(2);
if (words[0] === 'buildx' && words[1] === 'version') console.log('github.com/docker/buildx v0.19.3 48d6a39');
if (words[0] === 'buildx' && words[1] === 'inspect') console.log('Name:   default\nDriver: docker\n\nNodes:\nName:      default\nEndpoint:  default\nStatus:    running\nBuildKit version: v0.18.0\nPlatforms: linux/amd64');
if (words[0] === 'buildx' && words[1] === 'build') fs.writeFileSync(process.env.NOTES, JSON.stringify(words));
const at = words.indexOf('--iidfile');
if (at > 0) fs.writeFileSync(words[at + 1], 'sha256:5');
`

func TestActionIsReal(t *testing.T) {
	bundle := os.Getenv("BUILD_PUSH_ACTION")
	if bundle == "" {
		t.Fatal("BUILD_PUSH_ACTION must name dist/index.cjs of docker/build-push-action v7.3.0")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"bin/docker": notingDocker, "event.json": "{}", "out": "", "state": "", "aws.txt": "", "aws/credentials": ""} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	names, builds := actionBuilds(t)
	var text bytes.Buffer
	for i, name := range names {
		with := value.Of(builds[name].Action())
		line, err := json.Marshal(actionCase{name, with, call(t, dir, bundle, with)})
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(map[bool]string{true: "[\n", false: ",\n"}[i == 0])
		text.Write(line)
	}
	text.WriteString("\n]\n")
	if *record {
		if err := os.WriteFile("testdata/action.json", text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, _ := os.ReadFile("testdata/action.json"); !bytes.Equal(want, text.Bytes()) {
		t.Error("the real action calls docker otherwise than testdata/action.json says: run this with -record, and see what git diff says")
	}
}

// call runs the action as a runner does, with its inputs in the environment, and returns the words with which it called docker.
func call(t *testing.T, dir, bundle string, with value.Value) []string {
	t.Helper()
	notes := filepath.Join(dir, "notes")
	_ = os.Remove(notes)
	environ := []string{"HOME=" + dir, "PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "RUNNER_TEMP=" + dir, "NOTES=" + notes, "GITHUB_OUTPUT=" + filepath.Join(dir, "out"),
		"GITHUB_STATE=" + filepath.Join(dir, "state"), "GITHUB_EVENT_PATH=" + filepath.Join(dir, "event.json"), "GITHUB_REPOSITORY=a/b", "GITHUB_REF=refs/heads/main",
		"GITHUB_SHA=" + strings.Repeat("0", 40), "GITHUB_SERVER_URL=https://github.com", "GITHUB_RUN_ID=1", "GITHUB_RUN_ATTEMPT=1", "GITHUB_WORKSPACE=" + dir,
		"DOCKER_BUILD_SUMMARY=false", "DOCKER_BUILD_RECORD_UPLOAD=false", "TOKEN=t"}
	for _, flag := range []string{"no-cache", "pull", "push", "load"} {
		if _, given := with.Get(flag); !given {
			environ = append(environ, "INPUT_"+strings.ToUpper(flag)+"=false")
		}
	}
	for _, e := range with.Map {
		text := e.Value.Text
		if e.Value.Kind == value.Bool {
			text = "true"
		}
		environ = append(environ, "INPUT_"+strings.ToUpper(e.Key)+"="+text)
	}
	cmd := exec.Command("node", bundle)
	cmd.Dir, cmd.Env = dir, environ
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, with.AppendJSON(nil), out)
	}
	var words []string
	text, err := os.ReadFile(notes)
	if err != nil {
		t.Fatalf("the action called no build:\n%s", out)
	}
	if err := json.Unmarshal(text, &words); err != nil {
		t.Fatal(err)
	}
	for i, w := range words { // its notes are in a folder of the moment
		if strings.HasPrefix(w, dir) {
			words[i] = "(" + words[i-1] + ")"
		}
	}
	return words
}
