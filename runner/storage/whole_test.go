//go:build real

// The whole: `run deploy` and `run pull-check` on a prefect.yaml with steps for buckets, the companion beside them, a block in the state, a real server. On the machine that they see there is no Python, but where a step has to be left to it.
package storage

import (
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// programs are a folder with `run` and its companion, and one with `run` alone.
var programs = sync.OnceValues(func() (dirs [2]string, err error) {
	for i := range dirs {
		if dirs[i], err = os.MkdirTemp("", "programs-"); err != nil {
			return dirs, err
		}
		builtIn = append(builtIn, dirs[i])
	}
	for _, p := range [][2]string{{filepath.Join(dirs[0], "run"), "../../cmd/run"}, {filepath.Join(dirs[0], "prefect-deploy-storage"), "../../cmd/storage"}, {filepath.Join(dirs[1], "run"), "../../cmd/run"}} {
		if out, err := osexec.Command("go", "build", "-o", p[0], p[1]).CombinedOutput(); err != nil {
			return dirs, fmt.Errorf("%w\n%s", err, out)
		}
	}
	return dirs, nil
})

// scene is a project that is deployed.
type scene struct {
	dir, state string
	env        []string
	said       string
}

// newScene writes a prefect.yaml whose steps are of a bucket at a server, with credentials from a block.
func newScene(t testing.TB, at *servers, bucket, more string) *scene {
	t.Helper()
	s := &scene{dir: t.TempDir(), state: filepath.Join(t.TempDir(), "state.json")}
	writeFiles(t, s.dir, map[string]string{"flow.py": "from prefect import flow\n\n\n@flow\ndef hello():\n    pass\n", "data/ü.txt": "1", "data/empty": "", ".prefectignore": "*.log\n", "x.log": "left out",
		"prefect.yaml": fmt.Sprintf(`build:
- prefect_aws.deployments.steps.push_to_s3:
    id: upload
    requires: prefect-aws>=0.5
    bucket: %s
    folder: app
    credentials: "{{ prefect.blocks.minio-credentials.ci }}"
    client_parameters: {endpoint_url: "http://127.0.0.1:9"}
pull:
- prefect_aws.deployments.steps.pull_from_s3:
    requires: prefect-aws>=0.5
    bucket: "{{ upload.bucket }}"
    folder: "{{ upload.folder }}"
    credentials: "{{ prefect.blocks.minio-credentials.ci }}"
deployments:
- {name: d, entrypoint: "flow.py:hello", work_pool: {name: p}}
`, bucket)})
	state := fmt.Sprintf(`{"schema": 1, "work_pools": {"p": {"type": "process"}}, "blocks": {"minio-credentials/ci": {"minio_root_user": %q, "minio_root_password": %q, "region_name": null, "aws_client_parameters": {"endpoint_url": %q, "verify": null%s}}}}`, s3Key, s3Secret, at.s3, more)
	if err := os.WriteFile(s.state, []byte(state), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range []string{"git", "sh", "env"} {
		if path, err := osexec.LookPath(name); err == nil {
			if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.env = []string{"PATH=" + bin, "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true"}
	return s
}

func (s *scene) run(t testing.TB, program int, words ...string) (code int) {
	t.Helper()
	dirs, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	c := osexec.Command(filepath.Join(dirs[program], "run"), append(words, "-C", s.dir, "--state", "file:"+s.state)...)
	c.Env = s.env
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	if s.said = string(out); strings.Contains(s.said, s3Secret) {
		t.Errorf("the secret shows:\n%s", out)
	}
	return c.ProcessState.ExitCode()
}

func (s *scene) files() map[string][2]string {
	out := map[string][2]string{}
	for _, name := range []string{"flow.py", "data/ü.txt", "data/empty", ".prefectignore", "prefect.yaml"} {
		data, _ := os.ReadFile(filepath.Join(s.dir, name))
		out["app/"+name] = [2]string{shortHash(data), "binary/octet-stream"}
	}
	return out
}

func TestDeployWithABucket(t *testing.T) {
	bucket := started.bucket(t, "aws")
	s := newScene(t, started, bucket, "")
	if code := s.run(t, 0, "deploy", "--all"); code != 0 || !strings.Contains(s.said, "pushed 5 files") {
		t.Fatalf("exit %d\n%s", code, s.said)
	}
	if have := readBucket(t, started, "aws", bucket); !reflect.DeepEqual(have, s.files()) {
		t.Errorf("the bucket holds %v\nwant %v", have, s.files())
	}
	if code := s.run(t, 0, "deploy", "--all"); code != 0 || !strings.Contains(s.said, "5 of them were there already") {
		t.Errorf("again: exit %d\n%s", code, s.said)
	}
	var state struct {
		Deployments []struct {
			Pull value.Value `json:"pull_steps"`
		}
	}
	data, err := os.ReadFile(s.state)
	if err == nil {
		err = json.Unmarshal(data, &state)
	}
	for _, d := range state.Deployments {
		if text := string(d.Pull.AppendJSON(nil)); !strings.Contains(text, `"`+bucket+`"`) || strings.Contains(text, s3Secret) {
			t.Errorf("the pull steps are %s", text)
		}
	}
	if err != nil || len(state.Deployments) != 1 {
		t.Fatalf("%d deployments, %v", len(state.Deployments), err)
	}
	outputs := filepath.Join(t.TempDir(), "given.json")
	if code := s.run(t, 0, "step", "upload", "--outputs", outputs); code != 0 {
		t.Fatalf("run step: exit %d\n%s", code, s.said)
	}
	if code := s.run(t, 0, "pull-check", "--all", "--from", outputs); code != 0 || !strings.Contains(s.said, "ok      hello/d") {
		t.Errorf("pull-check: exit %d\n%s", code, s.said)
	}
	b := started.opened(t, "aws", bucket)
	defer b.close()
	putText(t, b, "app/flow.py", []byte("# no flow any more\n"))
	if code := s.run(t, 0, "pull-check", "--all", "--from", outputs); code != 1 || !strings.Contains(s.said, "failed  hello/d") {
		t.Errorf("pull-check of a bucket without the flow: exit %d\n%s", code, s.said)
	}
}

// TestLeftToPython: what only Prefect's function does is left to it, and so is all where there is no companion; where there is no Python either, one sentence says so.
func TestLeftToPython(t *testing.T) {
	for _, c := range []struct {
		name, more string
		program    int
		python     bool
		says       string
	}{
		{"a parameter that only botocore knows", `, "api_version": "2006-03-01"`, 0, true, "left to Prefect's own function: the client parameter api_version"},
		{"no Python for it", `, "api_version": "2006-03-01"`, 0, false, "the client parameter api_version as it is written here is what only Prefect's own function does, and no Python was found"},
		{"no companion", "", 1, true, ""},
		{"neither", "", 1, false, "ython"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bucket := started.bucket(t, "aws")
			s := newScene(t, started, bucket, c.more)
			if c.python {
				s.env = append(s.env, "VIRTUAL_ENV="+filepath.Join(started.tools, "prefect-storage"))
			}
			code := s.run(t, c.program, "deploy", "--all")
			if (code == 0) != c.python || !strings.Contains(s.said, c.says) || strings.Contains(s.said, "pushed 5 files") {
				t.Fatalf("exit %d\n%s", code, s.said)
			}
			want := map[string][2]string{}
			if c.python {
				want = s.files()
			}
			if have := readBucket(t, started, "aws", bucket); !reflect.DeepEqual(have, want) {
				t.Errorf("the bucket holds %v\nwant %v", have, want)
			}
		})
	}
}
