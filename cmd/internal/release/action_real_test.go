//go:build real

// The action with `version:`, as a workflow has it, through act: a pull request is planned by a release from a local host, and by nothing when that is not what was signed.
package release

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/runner/replay"
)

// project is a copy of testdata/quickstart, committed, whose workflow has the action's inputs with too.
func project(t *testing.T, with ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "quickstart")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "testdata", "quickstart"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, ".github", "workflows", "prefect.yml")
	const after = "          all-deployments: true\n"
	before := string(read(t, file))
	if !strings.Contains(before, after) {
		t.Fatalf("the workflow is\n%s", before)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(before, after, after+"          "+strings.Join(with, "\n          ")+"\n", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "one"}} {
		c := exec.Command("git", args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return dir
}

// play replays the workflow for a pull request with the program of cmd/replay.
func play(t *testing.T, program, dir string, h *host, signed string) (replay.Result, string) {
	t.Helper()
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.json")
	c := exec.Command(program, "--workflow", filepath.Join(dir, ".github", "workflows", "prefect.yml"), "-C", dir, "--event", "pull_request", "--report", report,
		"--event-path", filepath.Join(here, "testdata", "action", "events", "pull_request_opened.json"), "--action", "org/prefect-deploy-action@v1="+here,
		"--env", "PREFECT_DEPLOY_RELEASES_URL="+h.url, "--env", "PREFECT_DEPLOY_TRUSTED_ROOT="+filepath.Join(signed, "right.trusted-root.jsonl"))
	c.Env = append(os.Environ(), "PATH="+tools(t)+":"+os.Getenv("PATH"))
	out, err := c.CombinedOutput()
	var result replay.Result
	if fault := json.Unmarshal(read(t, report), &result); fault != nil || (err != nil) != result.Failed() {
		t.Fatalf("%v, %v\n%s", fault, err, out)
	}
	return result, string(out)
}

func TestTheActionInstallsARelease(t *testing.T) {
	dir := t.TempDir()
	archive, checksums := release(t)
	evil := small(t, "evil")
	signed := sign(t, right("right", archive))
	unpack := exec.Command("tar", "-xzf", "-", "-C", dir)
	unpack.Stdin = bytes.NewReader(archive)
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	program := filepath.Join(dir, "prefect-deploy-replay")
	f := files{archiveName(): text(archive), checksumsName: text(checksums), bundleName: text(read(t, signed, "right"))}
	inputs := []string{"version: " + version[1:], "state: file:state.json"}

	h := serve(t, f)
	result, log := play(t, program, project(t, inputs...), h, signed)
	outputs := map[string]string{}
	for _, o := range result.Outputs {
		outputs[o.Name] = o.Value
	}
	if result.Failed() || outputs["version"] != version || outputs["result"] != "planned" || outputs["create"] != "3" || len(h.all) != 3 || !strings.Contains(log, "installed "+version) {
		t.Errorf("%+v, requests %v\n%s", outputs, h.all, log)
	}

	for about, change := range map[string]files{
		"a wrong checksum":    {archiveName(): text(evil)},
		"a wrong attestation": {archiveName(): text(evil), checksumsName: text([]byte(sum(evil) + "  " + archiveName() + "\n"))},
	} {
		t.Run(about, func(t *testing.T) {
			wrong := files{checksumsName: f[checksumsName], bundleName: f[bundleName]}
			for name, handler := range change {
				wrong[name] = handler
			}
			result, log := play(t, program, project(t, inputs...), serve(t, wrong), signed)
			for _, o := range result.Outputs {
				if o.Name == "result" && o.Value != "" {
					t.Errorf("the program ran: %+v", result.Outputs)
				}
			}
			if !result.Failed() || len(result.Annotations) != 1 || !strings.Contains(result.Annotations[0].Text, "nothing was installed") || strings.Contains(log, "evil") {
				t.Errorf("%+v\n%s", result, log)
			}
		})
	}

	t.Run("a version that is none", func(t *testing.T) {
		h := serve(t, f)
		result, log := play(t, program, project(t, `version: "9.9.9/../9.9.8"`), h, signed)
		if !result.Failed() || len(h.all) > 0 || len(result.Annotations) != 1 || !strings.Contains(result.Annotations[0].Text, "neither a release") {
			t.Errorf("%+v\n%s", result, log)
		}
	})
}
