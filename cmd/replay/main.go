// Command replay runs one GitHub workflow on this machine, offline and without Docker. It is a companion of `run`, and what the tests of the action use.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/runner/replay"
)

func main() {
	if replay.IsShell(os.Args[0]) {
		os.Exit(replay.Shell(os.Args[1:]))
	}
	// a terminal that is closed and a reader that has gone away end it as Ctrl-C does: what the steps had started must end too
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	w := cli.OS()
	os.Exit(cli.Run(command(ctx, w), w))
}

// flags are the options as given.
type flags struct {
	replay.Options
	secrets, secretFiles, vars, env, actions []string
	report                                   string
	tree, colour                             bool
}

func command(ctx context.Context, w cli.World) *cobra.Command {
	var f flags
	c := &cobra.Command{Use: "replay", Short: "Run a GitHub workflow here, offline and without Docker", Args: cli.NoArgs,
		Long: "replay runs the jobs of one workflow file for an event on this machine. Steps see a copy of the directory, and of this machine's\n" +
			"environment only what a program needs to run: what logs in anywhere is passed by --secret and --env or not at all.",
		Example: "  replay --workflow .github/workflows/prefect.yml --event push --event-path event.json \\\n    --action org/prefect-deploy-action@v1=../prefect-deploy-action --var PREFECT_API_URL=http://127.0.0.1:4200/api",
		RunE: func(*cobra.Command, []string) error {
			return f.run(ctx, w)
		}}
	s := c.Flags()
	s.StringVar(&f.Workflow, "workflow", "", "the workflow's `FILE`")
	s.StringVar(&f.Event, "event", "push", "the event's name")
	s.StringVar(&f.EventPath, "event-path", "", "the event's payload, a JSON `FILE`")
	s.StringVarP(&f.Directory, "directory", "C", ".", "the repository's work tree")
	s.StringVar(&f.Actor, "actor", "", "who caused the event")
	s.StringArrayVar(&f.secrets, "secret", nil, "a secret, as `NAME=VALUE`; repeatable")
	s.StringArrayVar(&f.secretFiles, "secret-file", nil, "a `FILE` of secrets, NAME=VALUE a line; repeatable")
	s.StringArrayVar(&f.vars, "var", nil, "a configuration variable, as `NAME=VALUE`; repeatable")
	s.StringArrayVar(&f.env, "env", nil, "a variable of the steps' environment, as `NAME=VALUE`; repeatable")
	s.StringArrayVar(&f.actions, "action", nil, "the directory that stands for an action, as `OWNER/REPOSITORY@REF=DIR`; repeatable")
	s.StringArrayVar(&f.RunsOn, "runs-on", []string{"ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04"}, "a `LABEL` of runs-on that this machine stands for; repeatable")
	s.BoolVar(&f.tree, "tree", false, "show the jobs as they go, and of one that failed its log, in place of the whole log")
	s.BoolVar(&f.Docker, "docker", false, "build images with this machine's Docker; without it they are only named")
	s.BoolVar(&f.Live, "live", false, "let what is built be pushed")
	s.StringVar(&f.Image, "image", "", "run the jobs in containers of this `IMAGE` in place of this machine itself")
	s.StringVar(&f.report, "report", "", "write jobs, outputs, summaries and annotations as JSON to `FILE`")
	_ = c.MarkFlagRequired("workflow")
	return c
}

func (f *flags) run(ctx context.Context, w cli.World) error {
	if err := f.read(); err != nil {
		return err
	}
	f.colour = colours(w)
	clearEnvironment(f.Live)
	remove, err := replay.InstallShell()
	if err != nil {
		return cli.Fail("%v", err)
	}
	defer remove()
	f.Output = w.Stderr
	if f.tree {
		f.Tree = replay.NewTree(w.Stdout, f.colour, time.Now)
	}
	result, err := replay.Run(ctx, f.Options)
	if ctx.Err() != nil {
		return &cli.Exit{Code: cli.ExitInterrupted} // whoever started it says so
	}
	if err != nil {
		return cli.Fail("%v", err)
	}
	if f.tree {
		f.Tree.Finish(result)
	} else {
		for _, j := range result.Jobs {
			fmt.Fprintf(w.Stdout, "%s: %s\n", j.ID, j.Result)
		}
	}
	if f.report != "" {
		data, err := json.MarshalIndent(result, "", "  ")
		if err == nil {
			err = os.WriteFile(f.report, append(data, '\n'), 0o600)
		}
		if err != nil {
			return cli.Fail("the report could not be written: %v", err)
		}
	}
	if result.Failed() {
		return &cli.Exit{Code: cli.ExitError}
	}
	return nil
}

// colours are for a terminal, unless NO_COLOR is set.
func colours(w cli.World) bool {
	file, ok := w.Stdout.(*os.File)
	if _, no := w.Env("NO_COLOR"); no || !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// read splits the pairs.
func (f *flags) read() error {
	lines := f.secrets
	for _, file := range f.secretFiles {
		data, err := os.ReadFile(file)
		if err != nil {
			return cli.Fail("--secret-file: %v", err)
		}
		for _, line := range strings.Split(string(data), "\n") {
			if line = strings.TrimRight(line, "\r"); line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
	}
	for _, p := range []struct {
		flag  string
		pairs []string
		into  *map[string]string
	}{{"--secret", lines, &f.Secrets}, {"--var", f.vars, &f.Vars}, {"--env", f.env, &f.Env}, {"--action", f.actions, &f.Actions}} {
		*p.into = map[string]string{}
		for _, pair := range p.pairs {
			name, v, ok := strings.Cut(pair, "=")
			if !ok || name == "" {
				return cli.Usage("%s takes NAME=VALUE, and one of them is not of this form", p.flag) // not shown: it may be a secret
			}
			(*p.into)[name] = v
		}
	}
	return nil
}

// clearEnvironment leaves what programs need to run, and what Go needs to build offline from its caches. act hands all of this process's environment to the steps,
// so what logs in anywhere must not be in it, unless the replay is live; what a CI around it has set never is.
func clearEnvironment(live bool) {
	if live {
		for _, entry := range os.Environ() {
			name, _, _ := strings.Cut(entry, "=")
			for _, prefix := range []string{"GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "PREFECT_DEPLOY_", "CI_"} {
				if strings.HasPrefix(name, prefix) {
					os.Unsetenv(name)
				}
			}
		}
		return
	}
	keep := []string{"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "GOCACHE", "GOMODCACHE", "GOPATH", "GOROOT", "GOPROXY", "GONOSUMDB", "GOFLAGS"}
	if runtime.GOOS == "windows" {
		keep = append(keep, "SystemRoot", "SystemDrive", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "ProgramData", "ProgramFiles")
	}
	kept := map[string]string{}
	for _, name := range keep {
		if v, ok := os.LookupEnv(name); ok {
			kept[name] = v
		}
	}
	os.Clearenv()
	for name, v := range kept {
		os.Setenv(name, v)
	}
}
