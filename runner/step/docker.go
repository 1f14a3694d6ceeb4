// Prefect's Docker steps through the docker command line on PATH, so that the machine's own contexts, credential helpers and builders are used, and no Python is needed. What is asked of Docker is compiler/docker's business,
// the same table that emitted pipelines use; here it is carried out: lists of words, never a shell, and a password only through standard input.
//
// What Docker says when it fails is many lines of which one is the reason. That line becomes the error:
//
//	ERROR: failed to solve: process "/bin/sh -c pip install nothing-such" did not complete successfully: exit code: 1
//	denied: requested access to the resource is denied
package step

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Docker carries out build_docker_image and push_docker_image with a docker program; options are what the machine and the moment give in the directory of the step. Calls whose arguments docker.Native refuses are an error.
func Docker(program string, options func(dir string) docker.Options) Func {
	return func(ctx context.Context, c Call) (value.Value, error) {
		d := dockerRun{program: program, call: c}
		if resolve.Canonical(c.Function) == resolve.PushDockerImage {
			return d.push(ctx, options(c.Dir))
		}
		return d.build(ctx, options(c.Dir))
	}
}

// dockerRun is one step.
type dockerRun struct {
	program string
	call    Call
}

func (d *dockerRun) build(ctx context.Context, o docker.Options) (value.Value, error) {
	b, err := docker.BuildOf(d.call.Inputs, o)
	if err != nil {
		return value.Value{}, err
	}
	scratch, err := os.MkdirTemp("", "prefect-deploy-build-")
	if err != nil {
		return value.Value{}, err
	}
	defer os.RemoveAll(scratch)
	id := filepath.Join(scratch, "id")
	words := b.Arguments()
	more := []string{"--iidfile", id}
	if b.Progress == "" {
		more = append(more, "--progress", "plain") // the log is no terminal
	}
	words = append(append(append([]string(nil), words[:2]...), more...), words[2:]...)
	if err := d.docker(ctx, b.Dockerfile, "the build of "+b.Tags[0], words...); err != nil {
		return value.Value{}, err
	}
	if b.Persist != "" && b.Dockerfile != nil {
		path := b.Persist
		if !filepath.IsAbs(path) {
			path = filepath.Join(d.call.Dir, filepath.FromSlash(path))
		}
		if err := os.WriteFile(path, b.Dockerfile, 0o644); err != nil {
			return value.Value{}, fmt.Errorf("the generated Dockerfile could not be kept: %w", err)
		}
	}
	image, err := os.ReadFile(id)
	if err != nil {
		return value.Value{}, fmt.Errorf("docker built %s and did not say its id: %w", b.Tags[0], err)
	}
	return b.Outputs(strings.TrimSpace(string(image))), nil
}

func (d *dockerRun) push(ctx context.Context, o docker.Options) (value.Value, error) {
	p, err := docker.PushOf(d.call.Inputs, o)
	if err != nil {
		return value.Value{}, err
	}
	if l := p.Login(); l != nil {
		where := l.Registry
		if where == "" {
			where = "Docker Hub"
		}
		if err := d.docker(ctx, []byte(l.Password.Text), "the login to "+where+" as "+l.Username, l.Arguments()...); err != nil {
			return value.Value{}, err
		}
	}
	for i, words := range p.Commands() {
		if err := d.docker(ctx, nil, "the push of "+p.References[min(i, len(p.References)-1)], words...); err != nil {
			return value.Value{}, err
		}
	}
	return p.Outputs(), nil
}

// docker runs one command; what it prints is the step's output. What names it in an error.
func (d *dockerRun) docker(ctx context.Context, stdin []byte, what string, words ...string) error {
	cmd := osexec.Command(d.program, words...)
	cmd.Dir, cmd.Env = d.call.Dir, d.call.Env
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	var out, errs output
	out.live.to, errs.live.to = d.call.Stdout, d.call.Stderr
	c, err := start(cmd, out.write, errs.write)
	if err != nil {
		return fmt.Errorf("docker cannot be started: %s", reason(err))
	}
	select {
	case <-c.drained:
	case <-ctx.Done():
		c.stop()
		return ctx.Err()
	}
	out.live.end()
	errs.live.end()
	code := exitCode(c.cmd.ProcessState)
	if code == 0 {
		return nil
	}
	return &dockerError{what, dockerReason(errs.text()), &ExitError{What: what, Code: code, Stderr: errs.text()}}
}

// dockerError is a docker command that failed, with the line that says why.
type dockerError struct {
	what, reason string
	exit         *ExitError
}

func (e *dockerError) Error() string {
	if e.reason == "" {
		return e.exit.Error()
	}
	return e.what + " failed: " + e.reason
}

func (e *dockerError) Unwrap() error { return e.exit }

// dockerReason finds the line that is the reason: the last that begins as errors of docker, its builder or a registry do.
func dockerReason(stderr string) string {
	found := ""
	for _, line := range strings.Split(stderr, "\n") {
		line = strip(line)
		for _, mark := range []string{"ERROR: ", "error: ", "Error: ", "Error response from daemon: ", "denied: ", "unauthorized: ", "Cannot connect to the Docker daemon"} {
			if rest, ok := strings.CutPrefix(line, mark); ok {
				found = rest
				if strings.HasSuffix(mark, "n") || mark == "denied: " || mark == "unauthorized: " {
					found = line
				}
			}
		}
	}
	return found
}

// DockerPath finds the docker command line, and with building also that it can build with BuildKit: a bare client without the buildx plugin can't.
func DockerPath(ctx context.Context, env []string, building bool) (string, error) {
	program, err := osexec.LookPath("docker")
	if err != nil {
		return "", errors.New("there is no docker on PATH")
	}
	if building {
		cmd := osexec.CommandContext(ctx, program, "buildx", "version")
		cmd.Env = env
		if err := cmd.Run(); err != nil {
			return "", errors.New("docker on PATH has no buildx plugin, which builds images: install docker-buildx")
		}
	}
	return program, nil
}
