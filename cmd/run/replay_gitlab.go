// `run replay --dialect gitlab`: the pipeline for GitLab, carried out by gitlab-ci-local where that is installed. It works on a copy of the repository, in which the emitted file is committed; the programs that the jobs call
// are scripts before all else on PATH that start this one, with a state in a file, and those that would push or log in.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/emit"
	"github.com/org/prefect-deploy-action/runner/companion"
)

// onGitLab runs the pipeline; it gives the exit code's error as GitHub's way does.
func (r *replay) onGitLab(ctx context.Context, w cli.World, scratch string) error {
	program, err := osexec.LookPath("gitlab-ci-local")
	if err != nil {
		return cli.Fail("--dialect gitlab needs gitlab-ci-local on PATH: npm install -g gitlab-ci-local")
	}
	repository, err := inspect(ctx, r.dir)
	if err != nil {
		return cli.Fail("%v", err)
	}
	in, files, err := r.load(w)
	if err != nil {
		return err
	}
	in.Action = replayed
	text, faults := emit.GitLab(in)
	if err := told(w, files, faults); err != nil {
		return err
	}
	p := paths{scratch}
	if err := r.stage(ctx, w, p, repository, text); err != nil {
		return cli.Fail("%v", err)
	}
	args := []string{"--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source"}
	if !r.live { // the cache of layers is a registry's
		args = append(args, "--unset-variable", "CI_REGISTRY_IMAGE")
	}
	if r.event == "pull_request" {
		args = append(args, "--variable", "CI_PIPELINE_SOURCE=merge_request_event", "--unset-variable", "CI_COMMIT_BRANCH", "--ignore-predefined-vars", "CI_PIPELINE_SOURCE",
			"--variable", "CI_MERGE_REQUEST_IID=1", "--variable", "CI_MERGE_REQUEST_PROJECT_ID=1", "--variable", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=1")
	}
	c := osexec.CommandContext(ctx, program, args...)
	c.Dir, c.Stdout, c.Stderr, c.Env = p.at("code"), w.Stdout, w.Stderr, r.around(ctx, w, p, repository.root)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	err = c.Run()
	var exit *osexec.ExitError
	switch {
	case ctx.Err() != nil:
		return &cli.Exit{Code: cli.ExitInterrupted, Text: "interrupted"}
	case errors.As(err, &exit):
		return &cli.Exit{Code: max(exit.ExitCode(), 1)}
	case err != nil:
		return cli.Fail("%s could not be started: %v", program, err)
	}
	if !r.live {
		fmt.Fprintln(w.Stderr, r.where())
	}
	return nil
}

// stage makes the copy of the repository, the variables and the programs.
func (r *replay) stage(ctx context.Context, w cli.World, p paths, repository replayedRepository, text []byte) error {
	git := func(args ...string) error {
		c := osexec.CommandContext(ctx, "git", args...)
		c.Env = append(w.Environ, "GIT_TERMINAL_PROMPT=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w\n%s", args[0], err, bytes.TrimSpace(out))
		}
		return nil
	}
	code := p.at("code")
	if err := git("clone", "--quiet", "--no-local", "--branch", repository.branch, repository.root, code); err != nil {
		if err := git("clone", "--quiet", "--no-local", repository.root, code); err != nil { // no branch is checked out
			return err
		}
	}
	if err := r.overlay(ctx, repository.root, code); err != nil {
		return err
	}
	variables := yamlVariables(r.passedNames(w, emit.Variables(text)))
	text, err := withoutServices(text)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"code/.gitlab-ci.yml": text, "code/.gitlab-ci-local-variables.yml": variables} {
		if err := p.write(name, data); err != nil {
			return err
		}
	}
	at := func(args ...string) error { return git(append([]string{"-C", code}, args...)...) }
	for _, args := range [][]string{{"add", "-A", "--", ".", ":!.gitlab-ci-local-variables.yml"}, {"-c", "user.name=replay", "-c", "user.email=replay@localhost", "-c", "commit.gpgSign=false", "commit", "-q", "--allow-empty", "--no-verify", "-m", "replay"},
		{"remote", "set-url", "origin", "https://gitlab.example.com/" + repository.name + ".git"}, {"update-ref", "refs/remotes/origin/" + repository.branch, "HEAD"},
		{"symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/" + repository.branch}} {
		if err := at(args...); err != nil {
			return err
		}
	}
	return r.programs(ctx, w, p)
}

// withoutServices takes the containers beside the jobs away, which gitlab-ci-local would start: the engine, where one is used, is this machine's.
func withoutServices(text []byte) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, err
	}
	for _, job := range root.Content[0].Content {
		for i := 0; job.Kind == yaml.MappingNode && i+1 < len(job.Content); i += 2 {
			if job.Content[i].Value == "services" {
				job.Content = append(job.Content[:i:i], job.Content[i+2:]...)
				i -= 2
			}
		}
	}
	return yaml.Marshal(&root)
}

// overlay copies what differs from the commit: a replay is of the work tree as it stands.
func (r *replay) overlay(ctx context.Context, from, to string) error {
	out, err := osexec.CommandContext(ctx, "git", "-C", from, "ls-files", "-z", "--modified", "--others", "--exclude-standard").Output()
	if err != nil {
		return err
	}
	for _, name := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		if name == "" {
			continue
		}
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		info, err := os.Lstat(source)
		switch {
		case errors.Is(err, os.ErrNotExist):
			err = os.RemoveAll(target)
		case err == nil && info.Mode().IsRegular():
			err = copyFile(source, target, info.Mode().Perm())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// programs puts run, compile and, where nothing is to be built, docker before all else on PATH.
func (r *replay) programs(ctx context.Context, w cli.World, p paths) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	compile, err := companion.Companion{Name: "compile", Package: "cmd/compile", Log: w.Stderr}.Find(ctx)
	if err != nil {
		return err
	}
	state := p.at("state.json")
	if path, ok := strings.CutPrefix(r.state, "file:"); ok {
		if state, err = filepath.Abs(under(r.dir, path)); err != nil {
			return err
		}
	}
	run := "exec " + shellQuote(self) + ` "$@"` + "\n"
	if !r.live || r.state != "" {
		run = `case "$1" in plan | deploy | step) set -- "$@" --state ` + shellQuote("file:"+state) + " ;; esac\n" + run
	}
	if !r.live {
		run = "export PREFECT_DEPLOY_REHEARSAL=true\n" + run
	}
	// The file in the copy is of this moment, but for its services: it is not stale.
	scripts := map[string]string{"run": run, "compile": `if [ "$1" = gitlab ]; then exit 0; fi` + "\nexec " + shellQuote(compile) + ` "$@"` + "\n"}
	if !r.live {
		if err := r.shutPrograms(w, p); err != nil {
			return err
		}
	}
	for name, text := range scripts {
		if err := p.write("bin/"+name, []byte("#!/bin/sh\n"+text)); err != nil {
			return err
		}
		if err := os.Chmod(p.at("bin/"+name), 0o755); err != nil {
			return err
		}
	}
	return errors.Join(os.MkdirAll(p.at("home/.docker"), 0o700), os.MkdirAll(p.at("tmp"), 0o700))
}

// around is the environment of gitlab-ci-local, which hands it to the jobs.
func (r *replay) around(ctx context.Context, w cli.World, p paths, root string) []string {
	path, _ := w.Env("PATH")
	path = "PATH=" + p.at("bin") + string(filepath.ListSeparator) + path
	temporary := "TMPDIR=" + p.at("tmp") // what jobs leave there goes with the rest
	if r.live {
		return append(append([]string(nil), w.Environ...), path, temporary)
	}
	env := append(r.nowhere(ctx, root, p.at("home")), path, temporary)
	for _, name := range []string{"LANG", "LC_ALL", "TZ", "TERM", "NO_COLOR"} {
		if v, ok := w.Env(name); ok {
			env = append(env, name+"="+v)
		}
	}
	if r.docker {
		for _, pair := range r.engine(w, p.at("home/.docker")) {
			if pair != "--env" {
				env = append(env, pair)
			}
		}
	}
	return env
}

// yamlVariables are variables as gitlab-ci-local reads them from a file, so that no value stands in a command line.
func yamlVariables(pairs [][2]string) []byte {
	var b bytes.Buffer
	b.WriteString("{}\n")
	if len(pairs) > 0 {
		b.Reset()
	}
	for _, p := range pairs {
		fmt.Fprintf(&b, "%s: %s\n", p[0], strconv.Quote(p[1]))
	}
	return b.Bytes()
}

// shellQuote is a text as one word of a shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
