//go:build real

package servertest

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Venv is the environment with the pinned Prefect 3.8.8: the one that PREFECT_VENV names, else .cache/prefect-3 of the project, which `make setup` makes.
func Venv() (string, error) {
	dir := os.Getenv("PREFECT_VENV")
	if dir == "" {
		_, file, _, _ := runtime.Caller(0)
		dir = filepath.Join(filepath.Dir(file), "..", "..", ".cache", "prefect-3")
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		_, err = os.Stat(filepath.Join(dir, "bin", "prefect"))
	}
	if err != nil {
		return "", fmt.Errorf("this needs a real Prefect 3.8.8: run make setup, or name its environment in PREFECT_VENV (%w)", err)
	}
	return dir, nil
}

// Prefect is a running server with a database of its own.
type Prefect struct {
	URL string   // of its API: http://127.0.0.1:PORT/api
	Dir string   // its home, with the database prefect.db
	Env []string // what it runs with

	cmd   *exec.Cmd
	said  bytes.Buffer // to be read once ended is closed
	ended chan struct{}
}

// Off are the variables that switch services of a server off, which change things by themselves: SCHEDULER, LATE_RUNS, FOREMAN and so on.
func Off(services ...string) (env []string) {
	for _, service := range services {
		env = append(env, "PREFECT_SERVER_SERVICES_"+service+"_ENABLED=false")
	}
	return env
}

// StartPrefect starts a server and waits until it answers; env is added to the little that it runs with. Stop ends it.
func StartPrefect(env ...string) (*Prefect, error) {
	venv, err := Venv()
	if err != nil {
		return nil, err
	}
	port, err := Port()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "prefect-server-")
	if err != nil {
		return nil, err
	}
	p := &Prefect{URL: "http://127.0.0.1:" + port + "/api", Dir: home, ended: make(chan struct{})}
	p.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "PREFECT_HOME=" + home, "TZ=UTC", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "DO_NOT_TRACK=1", "PYTHONDONTWRITEBYTECODE=1",
		"PREFECT_SERVER_ANALYTICS_ENABLED=false", "PREFECT_SERVER_UI_ENABLED=false", "PREFECT_SERVER_LOGGING_LEVEL=ERROR"}, env...)
	p.cmd = exec.Command(filepath.Join(venv, "bin", "prefect"), "server", "start", "--host", "127.0.0.1", "--port", port)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = home, p.Env, &p.said, &p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its children end with it
	if err := p.cmd.Start(); err != nil {
		_ = os.RemoveAll(home)
		return nil, err
	}
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		select {
		case <-p.ended:
			return nil, p.lost("ended")
		default:
		}
		if resp, err := http.Get(p.URL + "/health"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return p, nil
			}
		}
	}
	return nil, p.lost("does not answer")
}

// lost ends what came to nothing, and says what it said.
func (p *Prefect) lost(how string) error {
	p.Stop()
	return fmt.Errorf("the Prefect server at %s %s: %s", p.URL, how, strings.TrimSpace(p.said.String()))
}

// Stop ends the server with all that it started, and takes its home away.
func (p *Prefect) Stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
	_ = os.RemoveAll(p.Dir)
}
