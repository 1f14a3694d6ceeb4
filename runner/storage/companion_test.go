//go:build real

// The companion as a process: what `run` starts, asked over its two pipes. Killed half-way, watched for secrets, and paired with Prefect's own function for bytes, time and memory.
package storage

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	osexec "os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// builtIn are the folders of programs that tests built; the end of the tests takes them away.
var builtIn []string

var companionPath = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "companion-")
	if err != nil {
		return "", err
	}
	builtIn = append(builtIn, dir)
	path := filepath.Join(dir, "prefect-deploy-storage")
	out, err := osexec.Command("go", "build", "-o", path, "../../cmd/storage").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// companion is a started one.
type companion struct {
	cmd      *osexec.Cmd
	requests *os.File
	answers  *bufio.Reader
	said     bytes.Buffer
}

func startCompanion(t testing.TB, dir string) *companion {
	t.Helper()
	return startCompanionWith(t, dir, append(os.Environ(), "STORAGE_EMULATOR_HOST="+started.gcs))
}

func startCompanionWith(t testing.TB, dir string, env []string) *companion {
	t.Helper()
	path, err := companionPath()
	if err != nil {
		t.Fatal(err)
	}
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &companion{cmd: osexec.Command(path), requests: inWrite, answers: bufio.NewReader(outRead)}
	c.cmd.Dir, c.cmd.ExtraFiles, c.cmd.Stderr, c.cmd.Stdout = dir, []*os.File{inRead, outWrite}, &c.said, &c.said
	c.cmd.Env = append(env, "PREFECT_DEPLOY_WORKER_FDS=3,4")
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inRead.Close()
	outWrite.Close()
	t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = c.cmd.Wait(); inWrite.Close(); outRead.Close() })
	return c
}

func (c *companion) send(t testing.TB, call Call) {
	t.Helper()
	line, err := json.Marshal(map[string]any{"function": call.Function, "inputs": call.Inputs, "dir": call.Dir, "mark": "m"})
	if err == nil {
		_, err = c.requests.Write(append(line, '\n'))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c *companion) ask(t testing.TB, call Call) (result answer) {
	t.Helper()
	c.send(t, call)
	line, err := c.answers.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &result)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, c.said.String())
	}
	return result
}

// peak is the most memory that a process had, in bytes.
func peak(t testing.TB, pid int) int64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(data)
	n, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return n * 1024
}

// small makes files of up to 4 kB, some empty, some with names beyond ASCII.
func small(t testing.TB, dir string, n int) {
	t.Helper()
	made := rand.New(rand.NewSource(1))
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("d%02d", i%50), fmt.Sprintf("f%d.txt", i))
		if i%97 == 0 {
			name = filepath.Join(dir, fmt.Sprintf("d%02d", i%50), "ü 🎉", fmt.Sprintf("%d", i))
		}
		data := make([]byte, made.Intn(4096)*min(1, i%31))
		made.Read(data)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func large(t testing.TB, dir string, size int64) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "large"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	made, block := rand.New(rand.NewSource(2)), make([]byte, 1<<20)
	for ; size > 0; size -= int64(len(block)) {
		made.Read(block)
		if _, err := file.Write(block[:min(size, int64(len(block)))]); err != nil {
			t.Fatal(err)
		}
	}
}

// sizes are of make test, or of make prove.
func sizes() (files int, largest int64) {
	if os.Getenv("PROVE") != "" {
		return 5000, 1 << 30
	}
	return 300, 40 << 20
}

var everyCloud = []string{"aws", "gcp", "azure"}

// TestThereAndBack: pushed and pulled, the tree is the same, in little memory.
func TestThereAndBack(t *testing.T) {
	files, size := sizes()
	for _, cloud := range everyCloud {
		t.Run(cloud, func(t *testing.T) {
			if cloud == "gcp" {
				size = min(size, 100<<20) // its emulator keeps all in memory
			}
			from, to, name := t.TempDir(), t.TempDir(), started.bucket(t, cloud)
			small(t, from, files)
			large(t, from, size+5)
			c := startCompanion(t, from)
			for _, step := range []struct{ way, dir string }{{"push", from}, {"pull", to}} {
				if a := c.ask(t, started.call(t, &stepCase{Cloud: cloud, Way: step.way}, name, step.dir)); a.Kind != "result" {
					t.Fatal(a.Message)
				}
			}
			if want, have := readTree(t, from), readTree(t, to); !reflect.DeepEqual(want, have) {
				t.Errorf("%d files became %d, or others", len(want), len(have))
			}
			if have := peak(t, c.cmd.Process.Pid); have > 200<<20 {
				t.Errorf("it had %d MB of memory", have>>20)
			} else {
				t.Logf("%s: %d files and one of %d MB there and back, %d MB of memory", cloud, files, size>>20, have>>20)
			}
		})
	}
}

// TestKilled: killed at any moment and run again, it ends where one run ends.
func TestKilled(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	small(t, from, 300)
	large(t, from, 30<<20)
	for _, cloud := range everyCloud {
		name := started.bucket(t, cloud)
		for _, step := range []struct{ way, dir string }{{"push", from}, {"pull", filepath.Join(to, cloud)}} {
			if err := os.MkdirAll(step.dir, 0o755); err != nil {
				t.Fatal(err)
			}
			call := started.call(t, &stepCase{Cloud: cloud, Way: step.way}, name, step.dir)
			opened := started.opened(t, cloud, name)
			there := func() (n int) {
				if step.way == "push" {
					if err := opened.list(context.Background(), "", func(object) error { n++; return nil }); err != nil {
						t.Fatal(err)
					}
					return n
				}
				_ = filepath.WalkDir(step.dir, func(_ string, e fs.DirEntry, err error) error { // what it is about to rename comes and goes
					if err == nil && e.Type().IsRegular() {
						n++
					}
					return nil
				})
				return n
			}
			cut := 0
			for round := 0; round < 10 && there() < 301; round++ {
				before := there()
				c := startCompanion(t, step.dir)
				c.send(t, call)
				for deadline := time.Now().Add(time.Minute); there() <= before && time.Now().Before(deadline); {
					time.Sleep(time.Millisecond)
				}
				_ = c.cmd.Process.Kill()
				_ = c.cmd.Wait()
				if n := there(); n > 0 && n < 301 {
					cut++
				}
			}
			if cut == 0 {
				t.Errorf("%s: no %s was ended in its middle", cloud, step.way)
			}
			if a := startCompanion(t, step.dir).ask(t, call); a.Kind != "result" {
				t.Fatal(a.Message)
			}
		}
		if want, have := readTree(t, from), readTree(t, filepath.Join(to, cloud)); !reflect.DeepEqual(want, have) {
			t.Errorf("%s: the trees differ: %d files, %d files", cloud, len(want), len(have))
		}
	}
}

// TestNoSecretShows: every secret-bearing input holds a canary; it is in no argument of the process, in nothing that it says or answers, and in no file. What fails is asked as well.
func TestNoSecretShows(t *testing.T) {
	canaries := []string{"CANARY", azuriteKey, "PRIVATE KEY"}
	find := func(what string, data []byte) {
		for _, canary := range canaries {
			if bytes.Contains(data, []byte(canary)) {
				t.Errorf("%s shows %q: %.300s", what, canary, data)
			}
		}
	}
	change := func(v value.Value, path []string, to string) value.Value { return changed(v, path, to) }
	for _, cloud := range everyCloud {
		good := started.call(t, &stepCase{Cloud: cloud, Way: "push"}, started.bucket(t, cloud), t.TempDir())
		small(t, good.Dir, 20)
		calls := []Call{good}
		for _, wrong := range map[string][]struct {
			path []string
			to   string
		}{
			"aws":   {{[]string{"credentials", "aws_secret_access_key"}, "CANARY-wrong"}, {[]string{"credentials", "aws_session_token"}, "CANARY-token"}, {[]string{"client_parameters", "endpoint_url"}, "http://user:CANARY-password@127.0.0.1:9"}, {[]string{"credentials", "profile_name"}, "CANARY-profile"}},
			"gcp":   {{[]string{"credentials", "service_account_info", "private_key"}, "CANARY no key"}, {[]string{"credentials", "service_account_info", "token_uri"}, "http://127.0.0.1:9/CANARY"}, {[]string{"credentials", "service_account_info"}, "CANARY"}},
			"azure": {{[]string{"credentials", "connection_string"}, "CANARY"}, {[]string{"credentials", "connection_string"}, "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=Q0FOQVJZ;BlobEndpoint=" + started.azure + "/a;"}, {[]string{"credentials", "connection_string"}, "BlobEndpoint=" + started.azure + "/a;SharedAccessSignature=sv=1&sig=CANARY%2B;"}},
		}[cloud] {
			c := good
			c.Inputs = change(c.Inputs, wrong.path, wrong.to)
			calls = append(calls, c)
		}
		absent := good
		absent.Inputs = absent.Inputs.Set(place(cloud), value.Of("no-such-bucket"))
		for _, call := range append(calls, absent) {
			c := startCompanion(t, call.Dir)
			line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", c.cmd.Process.Pid))
			if err != nil {
				t.Fatal(err)
			}
			find("the process list", line)
			a := c.ask(t, call)
			find("the answer", []byte(a.Message+string(a.Value.AppendJSON(nil))))
			if strings.Contains(a.Message, "Q0FOQVJZ") {
				t.Errorf("the answer shows a key: %s", a.Message)
			}
			c.requests.Close()
			_ = c.cmd.Wait()
			find("what it says", c.said.Bytes())
			for name := range readTree(t, call.Dir) {
				data, _ := os.ReadFile(filepath.Join(call.Dir, name))
				find(name, data)
			}
		}
	}
}

func changed(v value.Value, path []string, to string) value.Value {
	if len(path) == 0 {
		return value.Of(to)
	}
	below, _ := v.Get(path[0])
	if below.IsNull() {
		below = value.Of([]value.Entry{})
	}
	return v.Set(path[0], changed(below, path[1:], to))
}
