// What init asks on a terminal: the program itself on a pseudo-terminal, with all answers typed ahead.
//go:build unix

package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// asMain makes the test's own program the command: a child with this variable set runs TestAsMain, which is no test.
const asMain = "COMPILE_AS_MAIN"

func TestAsMain(*testing.T) {
	if os.Getenv(asMain) == "" {
		return
	}
	os.Args = append(os.Args[:1:1], flag.Args()...)
	main()
}

// wait stands in what is typed where the question is waited for.
const wait = "…"

// onTerminal runs the command in dir, types, and returns the exit code and the screen.
func onTerminal(t *testing.T, dir, typed string, env []string, args ...string) (int, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, append([]string{"-test.run=^TestAsMain$", "--"}, args...)...)
	c.Dir, c.Env = dir, append([]string{asMain + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TERM=xterm"}, env...)
	tty, err := pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	typed, last, _ := strings.Cut(typed, wait)
	if _, err := tty.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	var screen bytes.Buffer
	for part := make([]byte, 4096); ; {
		n, err := tty.Read(part)
		screen.Write(part[:n])
		if last != "" && strings.HasSuffix(screen.String(), "\x1b[0m ") { // a question has just been asked
			_, _ = tty.WriteString(last)
			last = ""
		}
		if err != nil {
			break // a closed terminal reads as an error on Linux
		}
	}
	_ = c.Wait()
	return c.ProcessState.ExitCode(), strings.ReplaceAll(screen.String(), "\r\n", "\n")
}

func TestInitAsks(t *testing.T) {
	for _, c := range []struct {
		about, typed string
		files        map[string]string
		env, args    []string
		code         int
		// screen and file are texts that they hold in this order; a file of nil is not written.
		screen, file []string
	}{
		{"everything", "docker-s3\napp\nv1\ncode\n", nil, nil, nil, 0, []string{"Which recipe?", "docker-azure", "[1]", "image_name (", "tag (", "bucket (", "prefect.yaml written (recipe docker-s3)"}, []string{"image_name: app", "tag: v1", "bucket: code"}},
		{"the recipe that fits", "\napp\nv1\n", map[string]string{"Dockerfile": ""}, nil, nil, 0, []string{"[3]"}, []string{"dockerfile: Dockerfile"}},
		{"what is missing", "v2\n", nil, nil, []string{"--recipe", "docker", "--field", "image_name=app"}, 0, []string{"tag ("}, []string{"tag: v2"}},
		{"nothing is missing", "", nil, nil, []string{"--recipe", "local"}, 0, []string{"prefect.yaml written"}, []string{"set_working_directory"}},
		{"the pool", "\nmine\n", map[string]string{"flow.py": flowFile}, nil, []string{"--discover"}, 0, []string{"Work pool of the deployments [default]"}, []string{"entrypoint: flow.py:hello", "name: mine"}},
		{"a pool of the environment", "\n", map[string]string{"flow.py": flowFile}, []string{"PREFECT_DEFAULT_WORK_POOL_NAME=p"}, []string{"--discover"}, 0, []string{"1 deployment"}, []string{"name: null"}},
		{"the end of input", "docker\n\x04", nil, nil, nil, 130, []string{"cancelled; nothing was written"}, nil},
		{"Ctrl-C", "…\x03", nil, nil, nil, 130, []string{"Which recipe?"}, nil}, // a terminal may throw away what is printed at that moment
		{"CI", "", nil, []string{"CI=true"}, []string{"--recipe", "s3"}, 64, []string{"--field bucket="}, nil},
		{"no prompt", "", nil, nil, []string{"--recipe", "s3", "--no-prompt"}, 64, []string{"--field bucket="}, nil},
		{"a file that is there", "", map[string]string{"prefect.yaml": "name: kept\n"}, nil, nil, 0, []string{"stays as it is"}, []string{"name: kept"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			dir := project(t, c.files)
			code, screen := onTerminal(t, dir, c.typed, c.env, append([]string{"init"}, c.args...)...)
			text, err := os.ReadFile(filepath.Join(dir, "prefect.yaml"))
			if code != c.code || (err == nil) != (c.file != nil) || !inOrder(screen, c.screen) || !inOrder(string(text), c.file) {
				t.Errorf("exit %d, %v; the screen:\n%s\nthe file:\n%s", code, err, screen, text)
			}
		})
	}
}

// inOrder tells whether a text holds others, one behind the other.
func inOrder(text string, wanted []string) bool {
	for _, w := range wanted {
		i := strings.Index(text, w)
		if i < 0 {
			return false
		}
		text = text[i+len(w):]
	}
	return true
}
