//go:build real && docker && linux

// A full disk, for real: an engine whose data are on a disk of a few megabytes, and a folder for temporary files on a full one. Both want root, as a dockerd of one's own does; .ci/test leaves this out where that can't be had, and says so.
package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDisk is a disk of its own.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("a disk for this test can't be mounted (root?): %v", err)
	}
	t.Cleanup(func() { // and what an engine left mounted below
		mounts := strings.Split(read("/proc/mounts"), "\n")
		for i := len(mounts) - 1; i >= 0; i-- {
			if fields := strings.Fields(mounts[i]); len(fields) > 1 && (fields[1] == dir || strings.HasPrefix(fields[1], dir+"/")) {
				_ = syscall.Unmount(fields[1], syscall.MNT_DETACH)
			}
		}
	})
	return dir
}

// smallEngine is one with a small disk. It has a network of its own, since two engines would take each other's bridge away; so nothing can be fetched.
func smallEngine(t *testing.T, size string) (host string) {
	t.Helper()
	data, own := smallDisk(t, size), t.TempDir()
	host = "unix://" + filepath.Join(own, "socket")
	engine := exec.Command("dockerd", "--host", host, "--data-root", data, "--exec-root", filepath.Join(own, "exec"), "--pidfile", filepath.Join(own, "pid"), "--iptables=false")
	engine.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	engine.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	log, err := os.Create(filepath.Join(own, "log"))
	if err != nil {
		t.Fatal(err)
	}
	engine.Stdout, engine.Stderr = log, log
	if err := engine.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = engine.Process.Signal(syscall.SIGTERM)
		_ = engine.Wait()
	})
	for i := 0; i < 150; i++ {
		ask := exec.Command("docker", "version")
		ask.Env = append(os.Environ(), "DOCKER_HOST="+host)
		if ask.Run() == nil {
			return host
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("dockerd does not start\n%s", read(filepath.Join(own, "log")))
	return ""
}

// TestDockerFullDisk: each ends in one plain sentence and exit 1, and the same project deploys where there is room.
func TestDockerFullDisk(t *testing.T) {
	if _, err := exec.LookPath("dockerd"); err != nil {
		t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	}
	full := smallDisk(t, "4k,nr_inodes=1")
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("0123456789abcdef", 30<<16) // 30 MB
	for _, c := range []struct{ name, dockerfile, temp, want string }{
		{"a file of the context", "COPY big /big\nCOPY big /more\n", "", "the disk is full: "},
		{"a command of the Dockerfile", "COPY busybox /\nRUN [\"/busybox\", \"dd\", \"if=/dev/zero\", \"of=/big\", \"bs=1M\", \"count=60\"]\n", "", "after it said: dd: "},
		{"temporary files", "", full, "the disk is full: "},
		{"nothing", "COPY flow.py /\n", "", ""},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			host := smallEngine(t, "40m")
			env := withoutPython(t)
			env["DOCKER_HOST"] = host
			files := map[string]string{"flow.py": oneFlow, ".dockerignore": "prefect.yaml\n", "busybox": read(busybox), "Dockerfile": "FROM scratch\n" + c.dockerfile, "prefect.yaml": "build:\n- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: " + needs(t, "DOCKER_REGISTRY") +
				"/disk, tag: v1, network_mode: none}\npull: []\ndeployments: [{name: d, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ app.image }}'}}}]\n"}
			if strings.Contains(c.dockerfile, "big /") {
				files["big"] = big
			}
			dir := t.TempDir()
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if c.temp != "" {
				t.Setenv("TMPDIR", c.temp)
			}
			code, stdout, stderr := command(t, env, "deploy", "--all", "-C", dir, "--state", "file:state.json")
			if c.want == "" {
				if code != 0 {
					t.Errorf("exit %d\n%s%s", code, stdout, stderr)
				}
				return
			}
			line := ""
			for _, l := range strings.Split(stderr, "\n") {
				if strings.Contains(l, ": failed after ") {
					line = l
				}
			}
			if code != 1 || !strings.Contains(line, "the build of ") || !strings.Contains(line, c.want) || !strings.Contains(strings.ToLower(line), "no space left on device") {
				t.Errorf("exit %d, %q, want %q\n%s", code, line, c.want, stderr)
			}
			t.Log(line)
		})
	}
}
