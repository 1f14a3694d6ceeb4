// Prefect's Docker steps through the docker command line on PATH, so that the machine's own contexts, credential helpers and builders are used, and no Python is needed. What is asked of Docker is compiler/docker's business,
// the same table that emitted pipelines use; here it is carried out: lists of words, never a shell, and a password only through standard input.
package step

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
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
	// fallback is a login that failed where an earlier one may do; it is the reason if that does not.
	fallback error
}

func (d *dockerRun) build(ctx context.Context, o docker.Options) (value.Value, error) {
	b, err := docker.BuildOf(d.call.Inputs, o)
	if err != nil {
		return value.Value{}, err
	}
	if why := b.Exposed(); why != "" {
		return value.Value{}, errors.New(why)
	}
	if err := d.persist(b); err != nil {
		return value.Value{}, err
	}
	end, err := d.login(ctx, b.Login())
	if err != nil {
		return value.Value{}, err
	}
	defer end()
	scratch, err := os.MkdirTemp("", "prefect-deploy-build-")
	if err != nil {
		return value.Value{}, noScratch("the build of "+b.Tags[0], err)
	}
	defer os.RemoveAll(scratch)
	carry := d.words
	if b.Bakes() {
		carry = d.bake
	}
	image, err := carry(ctx, b, scratch)
	if err != nil {
		return value.Value{}, d.because(err)
	}
	return b.Outputs(image), nil
}

// words builds by the words of a command.
func (d *dockerRun) words(ctx context.Context, b *docker.Build, scratch string) (id string, err error) {
	file := filepath.Join(scratch, "id")
	words, hidden := b.ByEnvironment()
	if len(hidden) > 0 {
		d = &dockerRun{program: d.program, call: d.call}
		d.call.Env = append(append([]string(nil), d.call.Env...), hidden...)
	}
	var more []string
	if !b.Unseen() {
		more = append(more, "--iidfile", file)
	}
	if b.Progress == "" {
		more = append(more, "--progress", "plain") // the log is no terminal
	}
	words = append(append(append([]string(nil), words[:2]...), more...), words[2:]...)
	if err := d.docker(ctx, b.Dockerfile, "the build of "+b.Tags[0], words...); err != nil {
		return "", err
	}
	if b.Unseen() {
		return "", nil
	}
	image, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("docker built %s and did not say its id: %w", b.Tags[0], err)
	}
	return strings.TrimSpace(string(image)), nil
}

// bake builds by a definition on standard input, for arguments that nobody may read.
func (d *dockerRun) bake(ctx context.Context, b *docker.Build, scratch string) (id string, err error) {
	own := *b
	if own.Progress == "" {
		own.Progress = "plain"
	}
	if own.MetadataFile == "" {
		own.MetadataFile = filepath.Join(scratch, "metadata")
	}
	under := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(d.call.Dir, path)
	}
	file := own.File
	if _, _, _, here := own.Files(); here && own.Dockerfile == nil {
		file = under(file)
	}
	apart := *d // its paths are those of the step, which bake would ask about one by one; and what it notes would hold the arguments
	apart.call.Env = append(append([]string(nil), d.call.Env...), "BUILDX_BAKE_ENTITLEMENTS_FS=0", "BUILDX_METADATA_PROVENANCE=disabled")
	if err := apart.docker(ctx, own.Bake(file), "the build of "+b.Tags[0], own.BakeArguments()...); err != nil {
		return "", err
	}
	if b.Unseen() {
		return "", nil
	}
	var said map[string]json.RawMessage
	data, err := os.ReadFile(under(own.MetadataFile))
	if err == nil {
		err = json.Unmarshal(data, &said)
	}
	for _, image := range said { // there is one
		var m struct {
			Config string `json:"containerimage.config.digest"`
			Digest string `json:"containerimage.digest"`
		}
		if err = json.Unmarshal(image, &m); err == nil && m.Config+m.Digest != "" {
			return cmp.Or(m.Config, m.Digest), nil
		}
	}
	return "", fmt.Errorf("docker built %s and did not say its id: %w", b.Tags[0], cmp.Or(err, errors.New("it wrote no digest")))
}

// persist leaves a generated Dockerfile where it is to be kept: before the build, as Prefect does, so that the image holds it too. What stands there goes only if it was generated itself, and in one move: no interrupt leaves half a file.
func (d *dockerRun) persist(b *docker.Build) error {
	if b.Persist == "" || b.Dockerfile == nil {
		return nil
	}
	path := b.Persist
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.call.Dir, filepath.FromSlash(path))
	}
	return KeepDockerfile(path, b.Dockerfile)
}

// KeepDockerfile writes a generated Dockerfile to where it is to be kept.
func KeepDockerfile(path string, text []byte) error {
	before, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(before, text):
		return nil
	case err == nil && !docker.Generated(before):
		return fmt.Errorf("dockerfile_output_path names %s, which is there already and was not generated: name another file, or remove it", path)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("the generated Dockerfile could not be kept: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".prefect-deploy-*")
	if err != nil {
		return fmt.Errorf("the generated Dockerfile could not be kept: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("the generated Dockerfile could not be kept: %w", err)
	}
	return nil
}

// because is why a build or push failed that went on after a login that failed.
func (d *dockerRun) because(err error) error {
	if d.fallback == nil {
		return err
	}
	return d.fallback
}

func (d *dockerRun) push(ctx context.Context, o docker.Options) (value.Value, error) {
	p, err := docker.PushOf(d.call.Inputs, o)
	if err != nil {
		return value.Value{}, err
	}
	end, err := d.login(ctx, p.Login())
	if err != nil {
		return value.Value{}, err
	}
	defer end()
	for i, words := range p.Commands() {
		if err := d.docker(ctx, nil, "the push of "+p.References[min(i, len(p.References)-1)], words...); err != nil {
			return value.Value{}, d.because(err)
		}
	}
	return p.Outputs(), nil
}

// docker runs one command; what it prints is the step's output. What names it in an error.
func (d *dockerRun) docker(ctx context.Context, stdin []byte, what string, words ...string) error {
	_, err := d.command(ctx, stdin, what, words...)
	return err
}

// command is docker with what came on standard output.
func (d *dockerRun) command(ctx context.Context, stdin []byte, what string, words ...string) (string, error) {
	cmd := osexec.Command(d.program, words...)
	cmd.Dir, cmd.Env = d.call.Dir, d.call.Env
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	var out, errs output
	out.live.to, errs.live.to = d.call.Stdout, d.call.Stderr
	c, err := start(cmd, out.write, errs.write)
	if err != nil {
		return "", fmt.Errorf("docker cannot be started: %s", reason(err))
	}
	select {
	case <-c.drained:
	case <-ctx.Done():
		c.stop()
		return "", ctx.Err()
	}
	out.live.end()
	errs.live.end()
	code := exitCode(c.cmd.ProcessState)
	if code == 0 {
		return out.text(), nil
	}
	return "", dockerFailed(what, code, errs.text())
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
