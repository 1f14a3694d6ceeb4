//go:build real && docker && linux

// Docker steps that are ended: by --timeout, by an interrupt and by what ends a job. Nothing of them goes on, in the engine or beside it, and no login stays.
package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// markedSleep is a duration that no other process of the machine sleeps, by which those of a build are known.
const markedSleep = "30417"

// goingOn are the processes that a step started, or that the engine started for it.
func goingOn(marks ...string) (out []string) {
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		words := strings.TrimSpace(strings.ReplaceAll(read(path), "\x00", " "))
		for _, m := range marks {
			if strings.Contains(words, m) && !strings.HasPrefix(words, "go ") && !strings.Contains(words, ".test") {
				out = append(out, words)
			}
		}
	}
	return out
}

// eventually waits for something that the engine does by itself once its client is gone.
func eventually(is func() bool) bool {
	for i := 0; i < 300; i++ {
		if is() {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}

func TestDockerEnded(t *testing.T) {
	program := filepath.Join(t.TempDir(), "run")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	guard := guarded(t, "right-password")
	ended := make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // takes everything and answers nothing but that it is there
		if r.URL.Path == "/v2/" {
			return
		}
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	defer mute.Close()
	defer close(ended)
	silent := strings.Replace(strings.TrimPrefix(mute.URL, "http://"), "127.0.0.1", "localhost", 1)
	login := func(registry string) string {
		return ", credentials: {username: u, password: right-password, registry_url: '" + registry + "'}"
	}
	const step = "- prefect_docker.deployments.steps."
	for name, c := range map[string]struct{ dockerfile, steps, at string }{
		"a build": {"RUN busybox sleep " + markedSleep, "build:\n" + step + "build_docker_image: {id: app, image_name: " + guard + "/ended, tag: v1, push: true" + login(guard) + "}\n", "sleep " + markedSleep},
		"a push": {"ENV A=1", "build:\n" + step + "build_docker_image: {id: app, image_name: " + silent + "/ended, tag: v1}\npush:\n" + step + "push_docker_image: {image_name: '{{ app.image_name }}', tag: v1" + login(silent) + "}\n",
			"push " + silent + "/ended:v1"},
	} {
		for way, code := range map[string]int{"--timeout": 1, "SIGINT": 130, "SIGTERM": 130} {
			t.Run(strings.ReplaceAll(name+" "+way, " ", "-"), func(t *testing.T) {
				dir := project(t, map[string]string{"flow.py": oneFlow, "Dockerfile": "FROM " + needs(t, "DOCKER_BASE") + "\nLABEL way=" + way + "\n" + c.dockerfile + "\n",
					"prefect.yaml": c.steps + "pull: []\ndeployments: [{name: d, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ app.image }}'}}}]\n"})
				temp := t.TempDir()
				x := exec.Command(program, "deploy", "--all", "-C", dir, "--state", "file:state.json", "--timeout", map[bool]string{true: "12s", false: "90s"}[way == "--timeout"])
				x.Env = append(os.Environ(), "TMPDIR="+temp)
				x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				var out strings.Builder
				x.Stdout, x.Stderr = &out, &out
				if err := x.Start(); err != nil {
					t.Fatal(err)
				}
				if !eventually(func() bool { return len(goingOn(c.at)) > 0 }) {
					t.Error("it never ran")
				}
				switch way {
				case "SIGINT": // a terminal sends it to all that it started
					_ = syscall.Kill(-x.Process.Pid, syscall.SIGINT)
				case "SIGTERM":
					_ = x.Process.Signal(syscall.SIGTERM)
				}
				_ = x.Wait()
				if got := x.ProcessState.ExitCode(); got != code || strings.Contains(out.String(), "right-password") {
					t.Errorf("exit %d, want %d\n%s", got, code, out.String())
				}
				if way == "--timeout" && !strings.Contains(out.String(), "it took longer than 12s and was ended") {
					t.Errorf("it says\n%s", out.String())
				}
				if !eventually(func() bool { return len(goingOn(c.at)) == 0 }) {
					t.Errorf("it goes on: %v", goingOn(c.at))
				}
				left, _ := os.ReadDir(temp)
				for _, e := range left {
					t.Errorf("left behind: %s", e.Name())
				}
				if running := ask(t, "ps", "--quiet", "--filter", "ancestor="+needs(t, "DOCKER_BASE")); running != "" {
					t.Errorf("containers: %s", running)
				}
				if config := read(filepath.Join(needs(t, "DOCKER_CONFIG"), "config.json")); strings.Contains(config, guard) || strings.Contains(config, silent) {
					t.Errorf("the login stays: %s", config)
				}
				if state := read(filepath.Join(dir, "state.json")); state != "" {
					t.Errorf("registered: %s", state)
				}
			})
		}
	}
}
