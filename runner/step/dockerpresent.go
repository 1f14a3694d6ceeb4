// Whether an image is there already. The registry is asked through docker's own command, so that whoever may push through it may ask; without a push it is the engine that is asked.
package step

import (
	"context"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/docker"
)

// Asker asks for images with a docker program; Call gives it directory, environment and, for what is to be said, Stdout. Login is that of the push, nil for none.
type Asker struct {
	Program string
	Call    Call
	Login   *docker.Login
}

// InRegistry reports whether a registry holds an image, and gives the image's id. An error is that it could not be asked.
func (a Asker) InRegistry(ctx context.Context, reference string) (id string, there bool, err error) {
	d := dockerRun{program: a.Program, call: a.Call}
	end, err := d.login(ctx, a.Login)
	if err != nil {
		return "", false, err
	}
	defer end()
	return d.inspect(ctx, reference, 0)
}

func (d *dockerRun) inspect(ctx context.Context, reference string, deep int) (id string, there bool, err error) {
	manifest, err := d.answer(ctx, nil, "asking for "+reference, "buildx", "imagetools", "inspect", "--raw", reference)
	if err != nil {
		if none(err) {
			err = nil
		}
		return "", false, err
	}
	id, next := docker.Described([]byte(manifest))
	if id == "" && next != "" && deep == 0 {
		name := reference[:strings.LastIndexByte(reference, ':')]
		if id, _, err = d.inspect(ctx, name+"@"+next, 1); err != nil {
			return "", false, err
		}
	}
	if id == "" {
		id = reference // an image of several platforms has no one id
	}
	return id, true, nil
}

// none: the registry answered, and holds no such image.
func none(err error) bool {
	text := strings.ToLower(err.Error())
	for _, words := range []string{"not found", "manifest unknown", "manifest_unknown", "name unknown", "name_unknown", "no such manifest"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// InEngine is the same of the engine.
func (a Asker) InEngine(ctx context.Context, reference string) (id string, there bool) {
	d := dockerRun{program: a.Program, call: a.Call}
	id, err := d.answer(ctx, nil, "asking for "+reference, "image", "inspect", "--format", "{{.Id}}", reference)
	return strings.TrimSpace(id), err == nil && strings.TrimSpace(id) != ""
}

// Tag gives an image that a registry holds other tags there, without moving anything.
func (a Asker) Tag(ctx context.Context, reference string, others []string) error {
	if len(others) == 0 {
		return nil
	}
	d := dockerRun{program: a.Program, call: a.Call}
	end, err := d.login(ctx, a.Login)
	if err != nil {
		return err
	}
	defer end()
	var words []string
	for _, o := range others {
		words = append(words, "--tag", o)
	}
	words = append(words, reference)
	create := func(more ...string) error {
		_, err := d.answer(ctx, nil, "tagging "+reference+" anew", slices.Concat([]string{"buildx", "imagetools", "create"}, more, words)...)
		return err
	}
	err = create("--prefer-index=false") // the image itself, and not a list of one
	if err != nil && strings.Contains(err.Error(), "unknown flag") {
		err = create()
	}
	return err
}

// answer is what a command prints, which is shown to nobody.
func (d *dockerRun) answer(ctx context.Context, stdin []byte, what string, words ...string) (string, error) {
	silent := *d
	silent.call.Stdout, silent.call.Stderr = nil, nil
	return silent.command(ctx, stdin, what, words...)
}
