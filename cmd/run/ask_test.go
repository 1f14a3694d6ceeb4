// The dialogue through a pseudo-terminal, as somebody sees it: the program itself is started on one, and what it prints is read from the other end.
//go:build unix

package main

import (
	"context"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
)

// asMain makes the test's own program the command: a child with this variable set runs TestAsMain, which is no test.
const asMain = "RUN_AS_MAIN"

func TestAsMain(t *testing.T) {
	if os.Getenv(asMain) == "" {
		return
	}
	os.Args = append(os.Args[:1:1], flag.Args()...)
	main()
}

// session is the command on a terminal.
type session struct {
	t    *testing.T
	tty  *os.File
	cmd  *exec.Cmd
	mu   sync.Mutex
	seen strings.Builder
	read int
	done chan struct{}
}

// on starts the command in dir, in a window of so many columns.
func on(t *testing.T, dir string, columns uint16, env []string, args ...string) *session {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{"-test.run=^TestAsMain$", "--"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append([]string{asMain + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PREFECT_HOME=" + dir, "TERM=xterm", "TZ=UTC"}, env...)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: columns})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, tty: tty, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		_, _ = io.Copy(s, tty) // a closed terminal reads as an error on Linux
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = tty.Close()
	})
	return s
}

func (s *session) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.Write(p)
}

func (s *session) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.seen.String(), "\r\n", "\n")
}

// expect waits for a text that was not looked at yet. Where the window breaks it between words does not matter.
func (s *session) expect(text string) *session {
	s.t.Helper()
	words := strings.Fields(text)
	for i := range words {
		words[i] = regexp.QuoteMeta(words[i])
	}
	pattern := regexp.MustCompile(strings.Join(words, `\s+`))
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		screen := s.screen()
		if found := pattern.FindStringIndex(screen[s.read:]); found != nil {
			s.read += found[1]
			return s
		}
		ended := false
		select {
		case <-s.done:
			ended = true
		default:
		}
		if ended && screen == s.screen() || time.Now().After(end) {
			s.t.Fatalf("%q does not come; the screen:\n%s", text, screen)
		}
	}
}

// send types.
func (s *session) send(text string) *session {
	s.t.Helper()
	if _, err := s.tty.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// exit waits for the end.
func (s *session) exit() int {
	s.t.Helper()
	<-s.done
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

const three = `# ours
deployments:
- {name: one, entrypoint: "flow.py:hello", work_pool: {name: p}} # first
- name: two
  entrypoint: flow.py:hello
  work_pool: {name: p}
- {name: three, entrypoint: "sub/sales.py:load_all", work_pool: {name: p}}
`

// asked is a project on the disk; with text "" it has no prefect.yaml.
func asked(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"flow.py": "from prefect import flow\n\n@flow\ndef hello(): pass\n\n@flow(name=\"By hand\")\ndef by_hand(x: int = 1): pass\n",
		"sub/sales.py": "from prefect import flow\n\n@flow\ndef load_all(): pass\n", "old/gone.py": "from prefect import flow\n\n@flow\ndef gone(): pass\n", ".gitignore": "old/\n"}
	if text != "" {
		files["prefect.yaml"] = text
	}
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func content(t *testing.T, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

func TestAskWhichDeployments(t *testing.T) {
	for answer, want := range map[string][]string{"2\n": {"two"}, "1,3\n": {"one", "three"}, "1-2\n": {"one", "two"}, "all\n": {"one", "three", "two"}, "sales\nall\n": {"three"}, "9\nload-all/three\n": {"three"}} {
		t.Run(answer, func(t *testing.T) {
			dir := asked(t, three)
			s := on(t, dir, 80, nil, "deploy", "--state", "file:state.json").expect("Which deployments?").expect("1  hello/one").expect("3  load-all/three").expect("look for:")
			for _, line := range strings.SplitAfter(strings.TrimSuffix(answer, "\n"), "\n") {
				s.send(strings.TrimSuffix(line, "\n") + "\n")
			}
			if code := s.exit(); code != 0 {
				t.Fatalf("exit %d\n%s", code, s.screen())
			}
			state := content(t, dir, "state.json")
			for _, name := range []string{"one", "two", "three"} {
				wanted := strings.Contains(strings.Join(want, " "), name)
				if strings.Contains(state, `"name": "`+name+`"`) != wanted {
					t.Errorf("%s is registered: %v\n%s", name, !wanted, state)
				}
			}
			if content(t, dir, "prefect.yaml") != three {
				t.Error("the file changed")
			}
		})
	}
}

// TestAskTakesNoNameForAPattern: what is picked is that entry, though its name would match others.
func TestAskTakesNoNameForAPattern(t *testing.T) {
	dir := asked(t, strings.NewReplacer("name: one", "name: 'r*t'", "name: two", "name: root").Replace(three))
	s := on(t, dir, 80, nil, "deploy", "--state", "file:state.json").expect("1  hello/r*t").expect("look for:").send("1\n")
	if code := s.exit(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.screen())
	}
	if state := content(t, dir, "state.json"); !strings.Contains(state, `"name": "r*t"`) || strings.Contains(state, `"name": "root"`) {
		t.Errorf("the state:\n%s", state)
	}
	s = on(t, dir, 80, nil, "deploy", "--state", "file:state.json", "flow.py:by_hand").expect("Name of").send("*\n").expect("When does it run?").send("\n").expect("Work pool").send("p\n").expect("Write it?").send("y\n").expect("1 created")
	if code := s.exit(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.screen())
	}
	if state := content(t, dir, "state.json"); !strings.Contains(state, `"name": "*"`) || strings.Contains(state, `"name": "root"`) {
		t.Errorf("the state:\n%s", state)
	}
}

func TestAskCancelled(t *testing.T) {
	for name, keys := range map[string]string{"Ctrl-C": "\x03", "end of input": "\x04"} {
		t.Run(name, func(t *testing.T) {
			dir := asked(t, three)
			s := on(t, dir, 80, nil, "deploy", "--state", "file:state.json").expect("look for:").send(keys).expect("nothing was written")
			if code := s.exit(); code != cli.ExitInterrupted {
				t.Errorf("exit %d", code)
			}
			if content(t, dir, "state.json") != "" {
				t.Error("something was written")
			}
			s = on(t, dir, 80, nil, "deploy", "--state", "file:state.json", "flow.py:by_hand").expect("Name of").send("x\n").expect("look for").send("\n").expect("Work pool").send("p\n").
				expect("+ - {name: x").expect("Write it?").send(keys).expect("nothing was written")
			if code := s.exit(); code != cli.ExitInterrupted || content(t, dir, "prefect.yaml") != three || content(t, dir, "state.json") != "" {
				t.Errorf("exit %d, and something was written", code)
			}
		})
	}
}

func TestAskAboutANewDeployment(t *testing.T) {
	dir := asked(t, three)
	s := on(t, dir, 80, nil, "deploy", "--state", "file:state.json", "flow.py:by_hand", "-t", "x").expect("Name of the deployment [default]").send("a/b\n").expect("a name has none of").send("late\n")
	s.expect("When does it run?").send("2\n").expect("Cron expression [0 0 * * *]").send("61 * * * *\n").expect("Cron expression").send("0 6 * * *\n").expect("Time zone [UTC]").send("Mars/Base\n").
		expect("Time zone").send("Europe/Berlin\n").expect("The next runs:").expect(" 06:00:00 CE").expect("Take it?").send("\n").expect("Another schedule? [y/N]").send("\n")
	s.expect("Work pool:").send("p\n").expect("+ - {name: late").expect("Write it? [Y/n]").send("y\n").expect("prefect.yaml is written").expect("1 created")
	if code := s.exit(); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.screen())
	}
	want := three + "- {name: late, entrypoint: flow.py:by_hand, schedules: [{cron: \"0 6 * * *\", timezone: Europe/Berlin}], work_pool: {name: p}}\n"
	if got := content(t, dir, "prefect.yaml"); got != want {
		t.Errorf("got\n%s", got)
	}
	if state := content(t, dir, "state.json"); !strings.Contains(state, `"name": "late"`) || !strings.Contains(state, "0 6 * * *") || !strings.Contains(state, `"x"`) {
		t.Errorf("the state:\n%s", state)
	}
}

func TestAskWithoutAFile(t *testing.T) {
	dir := asked(t, "")
	s := on(t, dir, 80, nil, "deploy", "--state", "file:state.json").expect("Which flow?").expect("1  flow.py:hello").expect("2  flow.py:by_hand").expect("3  sub/sales.py:load_all").expect("look for:").send("3\n")
	s.expect("[default]").send("\n").expect("[1]").send("\n").expect("Work pool:").send("p\n").expect("Write it?").send("n\n").expect("Not written").expect("1 created")
	if code := s.exit(); code != 0 || content(t, dir, "prefect.yaml") != "" || !strings.Contains(content(t, dir, "state.json"), `"flow": "load-all"`) {
		t.Errorf("exit %d\n%s", code, s.screen())
	}
	if strings.Contains(s.screen(), "gone") {
		t.Errorf("a flow of an ignored folder is offered:\n%s", s.screen())
	}
	s = on(t, dir, 80, nil, "plan", "--state", "file:state.json").expect("look for:").send("other\n").expect("Entrypoint").send("flow.py:nope\n").expect("defines no nope").send("flow.py:hello\n").
		expect("[default]").send("x\n").expect("[1]").send("interval\n").expect("[3600]").send("0\n").expect("[3600]").send("90\n").expect("Take it?").send("n\n").expect("Another schedule? [Y/n]").send("n\n").
		expect("Work pool:").send("p\n").expect("1 to create")
	if code := s.exit(); code != 0 || content(t, dir, "prefect.yaml") != "" {
		t.Errorf("exit %d\n%s", code, s.screen())
	}
}

// TestAskAMethod has a flow that the file names by class and method, and two deployments of one name.
func TestAskAMethod(t *testing.T) {
	dir := asked(t, "deployments:\n- {name: d, entrypoint: \"sub/sales.py:load_all\", work_pool: {name: p}}\n- {name: d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n")
	if err := os.WriteFile(filepath.Join(dir, "jobs.py"), []byte("from prefect import flow\n\nclass Jobs:\n    @flow(name=\"A method\")\n    @staticmethod\n    def run(): pass\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := on(t, dir, 80, []string{"NO_COLOR=1"}, "plan", "--state", "file:state.json").expect("look for:").send("2\n").expect("+ hello/d").expect("1 to create")
	if code := s.exit(); code != 0 {
		t.Errorf("exit %d\n%s", code, s.screen())
	}
	s = on(t, dir, 80, nil, "plan", "--state", "file:state.json", "jobs.py:Jobs.run").expect("[default]").send("night\n").expect("[1]").send("\n").expect("Work pool:").send("p\n").expect("/night").expect("1 to create")
	if code := s.exit(); code != 0 {
		t.Errorf("exit %d\n%s", code, s.screen())
	}
}

// TestAskNarrow reads every line of a dialogue in 40 columns: none is longer, and nothing is lost.
func TestAskNarrow(t *testing.T) {
	long := "deployments:\n"
	for _, n := range []string{"a-deployment-with-quite-a-long-name-that-goes-on", "b"} {
		long += "- {name: " + n + ", entrypoint: \"flow.py:hello\", work_pool: {name: p}}\n"
	}
	dir := asked(t, long)
	s := on(t, dir, 40, []string{"NO_COLOR=1"}, "plan", "--state", "file:state.json").expect("look for:")
	screen := s.screen()
	for _, line := range strings.Split(screen, "\n") {
		if len([]rune(strings.TrimRight(line, " "))) > 40 {
			t.Errorf("%d columns: %q", len([]rune(line)), line)
		}
	}
	if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(screen, "\n", ""), " ", ""), "hello/a-deployment-with-quite-a-long-name-that-goes-on") {
		t.Errorf("the name is cut:\n%s", screen)
	}
	if strings.Contains(screen, "\x1b") {
		t.Errorf("colours despite NO_COLOR: %q", screen)
	}
	s.send("2\n")
	s.exit()
}

func TestAskColours(t *testing.T) {
	s := on(t, asked(t, three), 80, nil, "plan", "--state", "file:state.json").expect("look for:")
	if !strings.Contains(s.screen(), "\x1b[1m") {
		t.Errorf("no colours: %q", s.screen())
	}
	s.send("\x03")
	s.exit()
}

func TestAskNever(t *testing.T) {
	for name, c := range map[string]struct{ env, args []string }{"CI": {[]string{"CI=1"}, nil}, "quiet": {nil, []string{"--quiet"}}, "no prompt": {nil, []string{"--no-prompt"}},
		"the setting": {[]string{"PREFECT_CLI_PROMPT=false"}, nil}} {
		t.Run(name, func(t *testing.T) {
			s := on(t, asked(t, three), 80, c.env, append([]string{"plan", "--state", "file:state.json"}, c.args...)...)
			if code := s.exit(); code != cli.ExitUsage || !strings.Contains(s.screen(), "name at least one deployment") {
				t.Errorf("exit %d\n%s", code, s.screen())
			}
		})
	}
	var out strings.Builder
	t.Chdir(asked(t, three))
	code := run(context.Background(), cli.World{Args: []string{"plan", "--prompt", "--state", "file:state.json"}, Stdin: strings.NewReader("1\n"), Stdout: &out, Stderr: &out,
		Env: func(string) (string, bool) { return "", false }})
	if code != cli.ExitUsage || !strings.Contains(out.String(), "nowhere to ask") {
		t.Errorf("without a terminal: exit %d\n%s", code, out.String())
	}
}

// TestAskPools asks a server for its work pools; agents' pools are none that a deployment can name.
func TestAskPools(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/work_pools/filter":
			_, _ = io.WriteString(w, `[{"name": "zulu", "type": "process", "description": null}, {"name": "alpha", "type": "docker", "description": "on the big one"}, {"name": "older", "type": "prefect-agent"}]`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	dir := asked(t, three)
	s := on(t, dir, 80, []string{"NO_COLOR=1", "PREFECT_API_URL=" + server.URL + "/api", "PREFECT_DEFAULT_WORK_POOL_NAME=zulu"}, "deploy", "flow.py:by_hand", "-n", "x").expect("When").expect("[1]").send("\n").
		expect("Which work pool?").expect("1  alpha  docker, on the big one").expect("2  zulu   process").expect("[2]:").send("1\n").expect("work_pool: {name: alpha}").expect("Write it?").send("\x03")
	if code := s.exit(); code != cli.ExitInterrupted || strings.Contains(s.screen(), "older") || content(t, dir, "prefect.yaml") != three {
		t.Errorf("exit %d\n%s", code, s.screen())
	}
}
