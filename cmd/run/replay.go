// `run replay`: the pipeline as GitHub would run it, here. It compiles the workflow, makes up the event, and hands both to the companion that holds act.
//
// A replay touches nothing real: what logs in anywhere is not passed on, the home directory is an empty one, the state is a file, and steps that write to a registry or a bucket are only named (step.Rehearse). --live takes
// all that back.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/runner/ci"
	"github.com/org/prefect-deploy-action/runner/companion"
)

// replayed is the action's name in a workflow that is replayed.
const replayed = "org/prefect-deploy-action@replay"

// replay is one call.
type replay struct {
	files        []string
	dir          string
	event, state string
	live, docker bool
	verbose      bool
	image        string
	runsOn       []string
	actions      []string
	workflow     string
	dialect      string
	// secrets are the names of those that a replay gets as they are; shown are the variables that the files let be shown.
	secrets []string
	shown   map[string]bool
}

func replayCommand(ctx context.Context, w cli.World) *cobra.Command {
	var r replay
	c := &cobra.Command{Use: "replay", Short: "Run the emitted GitHub workflow here, through act; touches nothing real", Args: cli.NoArgs,
		Long: "replay compiles prefect.yaml to the workflow that `compile github` emits and runs its jobs on this machine, offline, for a push to the default\n" +
			"branch or a pull request. What the deploy would register goes to a file, images are only named (--docker builds them). Scripts of steps run, with\n" +
			"no way for docker, git and ssh to push or log in, and with a stand-in text for each secret (--secret NAME passes one). --live runs it against\n" +
			"the real things, with the variables of this shell as the repository's secrets.",
		Example: "  run replay\n  run replay --event pull_request --state file:state.json\n  run replay --docker --verbose",
		RunE:    func(*cobra.Command, []string) error { return r.run(ctx, w) }}
	f := c.Flags()
	f.StringArrayVarP(&r.files, "prefect-file", "f", []string{"prefect.yaml"}, "the file to read; repeatable, patterns allowed")
	f.StringVarP(&r.dir, "chdir", "C", ".", "as if started in `DIR`")
	f.StringVar(&r.event, "event", "push", "push or pull_request")
	f.StringVar(&r.state, "state", "", "the state to plan and deploy against, file:PATH (default: an empty one that is thrown away)")
	f.BoolVar(&r.live, "live", false, "use the real Prefect API, registries and buckets")
	f.StringArrayVar(&r.secrets, "secret", nil, "pass the secret `NAME` as it is in this shell, in place of a stand-in text; repeatable")
	f.BoolVar(&r.docker, "docker", false, "build images with this machine's Docker")
	f.StringVar(&r.image, "image", "", "run the jobs in containers of this `IMAGE`, not on this machine itself")
	f.StringArrayVar(&r.runsOn, "runs-on", nil, "a `LABEL` of runs-on that this machine stands for as well; repeatable")
	f.StringArrayVar(&r.actions, "action", nil, "the directory that stands for an action under x-ci.github.setup, as `OWNER/REPOSITORY@REF=DIR`; repeatable")
	f.BoolVar(&r.verbose, "verbose", false, "the whole log of all jobs")
	f.StringVar(&r.workflow, "workflow", "", "run this emitted `FILE` as it is, in place of compiling")
	f.StringVar(&r.dialect, "dialect", "github", "github, or gitlab: the pipeline for GitLab, through gitlab-ci-local where that is installed")
	_ = c.RegisterFlagCompletionFunc("dialect", cobra.FixedCompletions([]string{"github", "gitlab"}, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("event", cobra.FixedCompletions([]string{"push", "pull_request"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (r *replay) run(ctx context.Context, w cli.World) error {
	if r.event != "push" && r.event != "pull_request" {
		return cli.Usage("--event %q: write push or pull_request", r.event)
	}
	if !strings.HasPrefix(r.state, "file:") && r.state != "" {
		return cli.Usage("--state %q: a replay's state is a file; write file:PATH, or --live without --state for the real Prefect API", r.state)
	}
	if r.dialect != "github" && r.dialect != "gitlab" {
		return cli.Usage("--dialect %q: write github or gitlab", r.dialect)
	}
	if r.dialect == "gitlab" && (r.workflow != "" || r.image != "" || len(r.runsOn)+len(r.actions) > 0) {
		return cli.Usage("--workflow, --image, --runs-on and --action are of GitHub's workflow, and not of --dialect gitlab")
	}
	for _, a := range r.actions {
		if name, dir, _ := strings.Cut(a, "="); name == "" || dir == "" {
			return cli.Usage("--action %q: write OWNER/REPOSITORY@REF=DIR", a)
		}
	}
	for _, name := range r.secrets {
		if _, ok := w.Env(name); !ok {
			return cli.Usage("--secret %s: this shell has no such variable", name)
		}
	}
	if err := cli.IsDirectory(r.dir); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "prefect-replay-")
	if err != nil {
		return cli.Fail("%v", err)
	}
	defer os.RemoveAll(scratch)
	if r.dialect == "gitlab" {
		return r.onGitLab(ctx, w, scratch)
	}
	args, err := r.prepare(ctx, w, scratch)
	if err != nil {
		return err
	}
	program, err := companion.Companion{Name: "prefect-deploy-replay", Package: "cmd/replay", Log: w.Stderr}.Find(ctx)
	if err != nil {
		return cli.Fail("%v", err)
	}
	c := osexec.CommandContext(ctx, program, args...)
	c.Stdout, c.Stderr, c.Env = w.Stdout, w.Stderr, w.Environ
	if !r.live {
		path, _ := w.Env("PATH")
		c.Env = append(slices.Clone(w.Environ), "PATH="+paths{scratch}.at("bin")+string(filepath.ListSeparator)+path)
	}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	err = c.Run()
	var exit *osexec.ExitError
	ended := errors.As(err, &exit)
	switch {
	case ctx.Err() != nil, ended && exit.ExitCode() == cli.ExitInterrupted: // a signal to both may end the companion before it is heard here
		return &cli.Exit{Code: cli.ExitInterrupted, Text: "interrupted"}
	case ended:
		if !r.live {
			fmt.Fprintln(w.Stderr, "a replay reaches nothing outside; if a step needs that, --live lets it")
		}
		return &cli.Exit{Code: max(exit.ExitCode(), 1)}
	case err != nil:
		return cli.Fail("%s could not be started: %v", program, err)
	}
	if !r.live {
		fmt.Fprintln(w.Stderr, r.where())
	}
	return nil
}

// where says what was held against what, and where it went.
func (r *replay) where() string {
	switch {
	case r.event == "pull_request" && r.state == "":
		return "planned against an empty state; --state file:PATH plans against another"
	case r.event == "pull_request":
		return "planned against " + r.state
	case r.state == "":
		return "nothing real was touched: the state was an empty one, and is gone; --state file:PATH keeps one"
	}
	return "nothing real was touched: all of it went to " + r.state
}

// prepare writes the workflow, the event, the action's stand-in and the secrets, and gives the companion's arguments.
func (r *replay) prepare(ctx context.Context, w cli.World, scratch string) ([]string, error) {
	repository, err := inspect(ctx, r.dir)
	if err != nil {
		return nil, cli.Fail("%v", err)
	}
	workflow, action, err := r.emit(w, scratch, repository)
	if err != nil {
		return nil, err
	}
	standin, err := r.standin(scratch)
	if err != nil {
		return nil, err
	}
	p := paths{scratch}
	secrets, vars := r.passed(w, workflow.text)
	for name, data := range map[string][]byte{"event.json": repository.payload(r.event), "secrets": secrets, "action/action.yml": standin} {
		if err := p.write(name, data); err != nil {
			return nil, cli.Fail("%v", err)
		}
	}
	args := []string{"--workflow", workflow.file, "-C", repository.root, "--event", r.event, "--event-path", p.at("event.json"), "--secret-file", p.at("secrets"), "--action", action + "=" + p.at("action")}
	for _, v := range vars {
		args = append(args, "--var", v)
	}
	for _, a := range r.actions {
		args = append(args, "--action", a)
	}
	if len(r.runsOn) > 0 {
		for _, label := range append([]string{"ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04"}, r.runsOn...) {
			args = append(args, "--runs-on", label)
		}
	}
	if !r.live {
		for _, e := range r.nowhere(ctx, repository.root, p.at("home")) {
			args = append(args, "--env", e)
		}
		if err := errors.Join(r.shutPrograms(w, p), os.MkdirAll(p.at("home/.docker"), 0o700)); err != nil {
			return nil, cli.Fail("%v", err)
		}
		if r.docker {
			args = append(args, r.engine(w, p.at("home/.docker"))...)
		}
	}
	for flag, on := range map[string]bool{"--tree": !r.verbose, "--docker": r.docker, "--live": r.live} {
		if on {
			args = append(args, flag)
		}
	}
	if r.image != "" {
		args = append(args, "--image", r.image)
	}
	return args, nil
}

// standin is the action's stand-in: this program, with a state in a file unless the replay is live.
func (r *replay) standin(scratch string) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, cli.Fail("%v", err)
	}
	var more [][2]string
	state := filepath.Join(scratch, "state.json")
	if path, ok := strings.CutPrefix(r.state, "file:"); ok {
		if state, err = filepath.Abs(under(r.dir, path)); err != nil {
			return nil, cli.Fail("%v", err)
		}
	}
	if !r.live || r.state != "" {
		more = append(more, [2]string{"PREFECT_DEPLOY_INPUT_STATE", "file:" + state})
	}
	if !r.live {
		more = append(more, [2]string{"PREFECT_DEPLOY_REHEARSAL", "true"})
	}
	return ci.Standin(self, more...), nil
}

// paths are files in a directory.
type paths struct{ dir string }

func (p paths) at(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

func (p paths) write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(p.at(name)), 0o700); err != nil {
		return err
	}
	return os.WriteFile(p.at(name), data, 0o600)
}

// engine lets a replay that is not live build with this machine's engine and plugins, without its logins.
func (r *replay) engine(w cli.World, config string) (args []string) {
	if host, ok := w.Env("DOCKER_HOST"); ok {
		args = append(args, "--env", "DOCKER_HOST="+host)
	}
	real, ok := w.Env("DOCKER_CONFIG")
	if home, set := w.Env("HOME"); !ok && set {
		real = filepath.Join(home, ".docker")
	}
	if plugins, err := filepath.Abs(filepath.Join(real, "cli-plugins")); err == nil && real != "" {
		_ = os.Symlink(plugins, filepath.Join(config, "cli-plugins")) // without it docker says itself that it cannot build
	}
	return args
}

// nowhere is an environment in which no program finds a login, nor a way out: an empty home, and a proxy that is not there.
func (r *replay) nowhere(ctx context.Context, root, home string) []string {
	env := append(gitShut(ctx, root), "NO_PROXY=", "no_proxy=")
	if !r.docker {
		env = append(env, "DOCKER_HOST=tcp://127.0.0.1:9") // the default would be this machine's engine
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		env = append(env, name+"=http://127.0.0.1:9") // the port of the service that discards
	}
	return append(env, "HOME="+home, "USERPROFILE="+home, "XDG_CONFIG_HOME="+home, "PREFECT_HOME="+filepath.Join(home, ".prefect"), "DOCKER_CONFIG="+filepath.Join(home, ".docker"),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+filepath.Join(home, "aws"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "aws"),
		"CLOUDSDK_CONFIG="+filepath.Join(home, "gcloud"), "AZURE_CONFIG_DIR="+filepath.Join(home, "azure"), "KUBECONFIG="+filepath.Join(home, "kube"))
}

// passed are the variables of this shell under the names of the secrets and variables that a workflow uses: what a person would have set in the repository.
func (r *replay) passed(w cli.World, workflow []byte) (secrets []byte, vars []string) {
	seen := map[string]bool{}
	var names []string
	for _, m := range regexp.MustCompile(`\b(secrets|vars)\.([A-Za-z_][A-Za-z0-9_]*)`).FindAllStringSubmatch(string(workflow), -1) {
		if key := m[1] + "." + m[2]; !seen[key] {
			seen[key] = true
			names = append(names, key)
		}
	}
	sort.Strings(names)
	var b strings.Builder
	for _, key := range names {
		kind, name, _ := strings.Cut(key, ".")
		v, ok := r.standsFor(w, name, kind == "vars")
		switch {
		case !ok || strings.ContainsAny(v, "\r\n"):
		case kind == "vars":
			vars = append(vars, name+"="+v)
		default:
			b.WriteString(name + "=" + v + "\n")
		}
	}
	return []byte(b.String()), vars
}

// passedNames are the variables of this shell that a pipeline's templates name.
func (r *replay) passedNames(w cli.World, names []string) [][2]string {
	var out [][2]string
	for _, name := range names {
		if v, ok := r.standsFor(w, name, r.shown[name]); ok {
			out = append(out, [2]string{name, v})
		}
	}
	return out
}

// standsFor is the value that a replay gets of a variable of this shell. Unless it is live, what logs in somewhere is left out, and a secret has a stand-in text; --secret takes that back.
func (r *replay) standsFor(w cli.World, name string, shown bool) (string, bool) {
	v, ok := w.Env(name)
	switch {
	case !ok || r.live || slices.Contains(r.secrets, name):
		return v, ok
	case logsIn(name):
		return "", false
	case shown || v == "":
		return v, true
	}
	return "stand-in-of-" + name, true
}

// logsIn tells the variables that lead to a server, a cloud or a registry.
func logsIn(name string) bool {
	name = strings.ToUpper(name)
	for _, prefix := range []string{"PREFECT_", "AWS_", "AZURE_", "ARM_", "GOOGLE_", "GCP_", "GCLOUD_", "CLOUDSDK_", "DOCKER_", "REGISTRY_", "GITHUB_", "GH_", "GITLAB_", "CI_", "KUBE", "SSH_", "GIT_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
