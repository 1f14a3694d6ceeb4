// A Docker step that another builder carries out. A pipeline may hand a build to its platform's own action, which has the platform's cache; what goes in and what comes out is
// still the step's. So the step is cut in two around it:
//
//	inputs:  fills the step's inputs and says what to build, in the builder's own words
//	         … the builder builds …
//	outputs: takes the image's id, and gives the step's outputs as if it had run
//
// Both halves read the same table (compiler/docker). The one thing that they must agree on and that is in no file is the moment, which is the tag of a build that names none:
// the first half leaves it where the second, in the same job, finds it.
package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/graph"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/exec"
	"github.com/org/prefect-deploy-action/runner/handover"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/step"
)

// behavesAs is the version of Prefect whose behaviour this program has: what an image is labelled with where no Prefect is installed.
const behavesAs = "3.8.8"

// ForBuilder is what another builder needs of a step.
type ForBuilder struct {
	// Inputs are the inputs of docker/build-push-action, paths relative to the workspace; of a push, the references.
	Inputs value.Value
	// Commands are the words after `docker` of each command, paths relative to the working directory.
	Commands [][]string
}

// Sensitive names the inputs that must not be shown.
func (f *ForBuilder) Sensitive() []string {
	var out []string
	for _, e := range f.Inputs.Map {
		if e.Value.Marks().Has(value.Sensitive) {
			out = append(out, e.Key)
		}
	}
	return out
}

// half is a step that was filled and not run.
type half struct {
	*job
	step   *graph.Step
	inputs value.Value
	dir    string
	// temp is where files for the other half and for the builder go.
	temp string
}

// PhaseInputs says what to build or push. It logs in to the registry of a push that has credentials, unless shown finds fault with what would be shown of the rest.
func PhaseInputs(ctx context.Context, o StepOptions, shown func(*ForBuilder) error) (*ForBuilder, error) {
	h, err := begin(ctx, o)
	if err != nil {
		return nil, err
	}
	defer h.close()
	if resolve.Canonical(h.step.Function) == resolve.PushDockerImage {
		return h.push(ctx, shown)
	}
	now := h.Now()
	if err := h.tagInputs(ctx); err != nil {
		return nil, h.wrong(err)
	}
	b, err := docker.BuildOf(h.inputs, h.dockerOptions(ctx, h.dir, now))
	if err != nil {
		return nil, h.wrong(err)
	}
	out, err := h.build(b)
	if err != nil {
		return nil, err
	}
	if err := shown(out); err != nil {
		return nil, err
	}
	if there, err := h.present(ctx, b); there || err != nil {
		return &ForBuilder{Inputs: value.Of(append(out.Inputs.Map, value.Entry{Key: "there", KeyKind: value.Text, Value: value.Of(true)}))}, err
	}
	return out, errors.Join(os.WriteFile(h.file("moment"), []byte(now.Format(time.RFC3339Nano)), 0o600), h.leave(b))
}

// PhaseOutputs gives the step's outputs; imageID is what the builder reported, "" for a push.
func PhaseOutputs(ctx context.Context, o StepOptions, imageID string) (*Ran, error) {
	h, err := begin(ctx, o)
	if err != nil {
		return nil, err
	}
	defer h.close()
	outputs, err := h.outputs(ctx, imageID)
	if err != nil {
		return nil, err
	}
	h.forget()
	outputs = exec.Given(h.step, h.masked.given(h.step, tainted(h.step.Function, h.inputs, outputs))).Outputs
	return &Ran{Steps: []plan.Step{{Key: h.step.Key, Function: h.step.Function, Outcome: exec.Succeeded.String(), Outputs: outputs}},
		Outputs: []handover.Step{handover.Of(h.step.Key, h.step.Digest, outputs)}}, nil
}

// PhaseDone says of steps that the platform carried out, and whose outputs nobody uses, that they are done.
func PhaseDone(ctx context.Context, o StepOptions) (*Ran, error) {
	j := newJob(o.Options, true)
	defer j.close()
	if err := j.prepareSteps(ctx, o, func() {}); err != nil {
		return nil, err
	}
	ran := &Ran{}
	for _, s := range j.namedSteps() {
		none := value.Of([]value.Entry{})
		ran.Steps = append(ran.Steps, plan.Step{Key: s.Key, Function: s.Function, Outcome: exec.Succeeded.String(), Outputs: none})
		ran.Outputs = append(ran.Outputs, handover.Of(s.Key, s.Digest, none))
	}
	return ran, nil
}

// begin fills the inputs of the one step that is named. The caller closes it.
func begin(ctx context.Context, o StepOptions) (_ *half, err error) {
	h := &half{job: newJob(o.Options, true)}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if err := h.prepareSteps(ctx, o, func() {}); err != nil {
		return nil, err
	}
	h.warn()
	named := h.namedSteps()
	if len(named) != 1 {
		return nil, &resolve.UsageError{Text: "--phase is of one step; name no other"}
	}
	h.step = named[0]
	switch resolve.Canonical(h.step.Function) {
	case resolve.BuildDockerImage, resolve.PushDockerImage:
	default:
		return nil, &resolve.UsageError{Text: fmt.Sprintf("--phase: the step %s calls %s, and only build_docker_image and push_docker_image are carried out by another builder; run it without --phase", diag.Quote(h.step.Key), diag.Clean(h.step.Function))}
	}
	if why := h.notDone(h.step); why != "" && h.Given.KeepGoing {
		return nil, fmt.Errorf("the step %s did not run: %s", diag.Clean(h.step.Key), diag.Clean(why))
	}
	results := map[*graph.Step]*exec.Result{}
	for s, outputs := range h.presets(h.parts) {
		results[s] = exec.Given(s, outputs)
	}
	project := h.projectOf(h.filesOf(h.parts)[h.step]...)
	project.Outputs = exec.Outputs(h.step.Upstream, results)
	if h.inputs, err = project.Inputs(h.step.Inputs); err != nil {
		return nil, h.wrong(err)
	}
	h.dir = exec.Directory(filepath.Join(h.Directory, filepath.FromSlash(h.step.Root)), h.step.Directory, results)
	if h.temp, _ = h.Env("RUNNER_TEMP"); h.temp == "" {
		h.temp = os.TempDir()
	}
	return h, nil
}

// wrong is an error of the step, at its place, with no secret in it.
func (h *half) wrong(err error) error {
	return &Faults{diag.List{{Severity: diag.Error, Code: "invalid-step", Message: "the step " + diag.Clean(h.step.Key) + ": " + h.masked.apply(err.Error()), Position: h.fileOf(h.step).Position(h.step.Pos)}}, h.source}
}

// file is a file of this step in the runner's temporary directory, which jobs of GitLab's shell runners share: there it is the job's own.
func (h *half) file(kind string) string {
	name := "prefect-deploy-" + h.step.Digest[:16]
	if id, _ := h.Env("CI_JOB_ID"); id != "" && strings.Trim(id, "0123456789") == "" {
		name += "-" + id
	}
	return filepath.Join(h.temp, name+"."+kind)
}

// forget removes what the first half left for this one and for the builder.
func (h *half) forget() {
	for _, kind := range []string{"moment", "tag", "Dockerfile"} {
		_ = os.Remove(h.file(kind)) // most steps left only one of them
	}
}

func isFile(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && !info.IsDir()
}

// build writes a build for both kinds of builder.
func (h *half) build(b *docker.Build) (*ForBuilder, error) {
	if b.Dockerfile != nil {
		b.File = h.file("Dockerfile")
	}
	workspace, _ := h.Env("GITHUB_WORKSPACE")
	if real, err := filepath.EvalSymlinks(workspace); err == nil && workspace != "" {
		workspace = real
	} else {
		workspace = h.Directory
	}
	action, err := h.seenFrom(b, workspace)
	if err != nil {
		return nil, err
	}
	words, err := h.seenFrom(b, h.Directory)
	if err != nil {
		return nil, err
	}
	return &ForBuilder{Inputs: value.Of(action.Action()), Commands: [][]string{words.Arguments()}}, nil
}

// seenFrom is a build whose paths are relative to another directory than the step's.
func (h *half) seenFrom(b *docker.Build, from string) (*docker.Build, error) {
	rel, err := filepath.Rel(from, h.dir)
	if err != nil || rel == "." {
		return b, nil
	}
	if len(b.BuildContexts)+len(b.Secrets)+len(b.Exports)+len(b.CacheFrom)+len(b.CacheTo) > 0 {
		return nil, h.wrong(fmt.Errorf("it runs in %s, and its paths can't be told to a builder that runs elsewhere: run it without --phase", diag.Quote(filepath.ToSlash(rel))))
	}
	other := *b
	if remote(b.Context) {
		return &other, nil
	}
	for _, p := range []*string{&other.Context, &other.File} {
		if !filepath.IsAbs(*p) {
			*p = path.Join(filepath.ToSlash(rel), *p)
		}
	}
	return &other, nil
}

// remote: a context that is no directory here.
func remote(context string) bool {
	return strings.Contains(context, "://") || strings.HasPrefix(context, "git@") || strings.HasPrefix(context, "github.com/")
}

// leave writes a generated Dockerfile, for the builder and where it is to be kept.
func (h *half) leave(b *docker.Build) error {
	if b.Dockerfile == nil {
		return nil
	}
	if err := os.WriteFile(h.file("Dockerfile"), b.Dockerfile, 0o600); err != nil || b.Persist == "" {
		return err
	}
	persist := b.Persist
	if !filepath.IsAbs(persist) {
		persist = filepath.Join(h.dir, filepath.FromSlash(persist))
	}
	return step.KeepDockerfile(persist, b.Dockerfile)
}

// push logs in, and says what to push.
func (h *half) push(ctx context.Context, shown func(*ForBuilder) error) (*ForBuilder, error) {
	p, err := h.pushOf()
	if err != nil {
		return nil, err
	}
	image, _ := p.Outputs().Get("image")
	references := value.Value{Kind: value.List}
	for _, r := range p.References {
		references.List = append(references.List, value.Of(r).Mark(image.Origin))
	}
	out := &ForBuilder{Commands: p.Commands(), Inputs: value.Of([]value.Entry{{Key: "references", KeyKind: value.Text, Value: references}, {Key: "all-tags", KeyKind: value.Text, Value: value.Of(p.All)}})}
	if err := shown(out); err != nil {
		return nil, err
	}
	none := &ForBuilder{Inputs: out.Inputs.Set("references", value.Of([]value.Value{}))}
	if h.rehearsal() {
		return none, nil
	}
	if _, done, err := h.pushPresent(ctx, h.step, h.call()); done {
		return none, err
	}
	if l := p.Login(); l != nil {
		return out, h.login(ctx, l)
	}
	return out, nil
}

func (h *half) pushOf() (*docker.Push, error) {
	o := docker.Options{Now: h.Now()}
	o.Namespace, _ = h.Env("PREFECT_DEFAULT_DOCKER_BUILD_NAMESPACE")
	p, err := docker.PushOf(h.inputs, o)
	if err != nil {
		return nil, h.wrong(err)
	}
	return p, nil
}

// login logs Docker in to a registry. The password goes in by standard input: the arguments of a process can be read by all others.
func (h *half) login(ctx context.Context, l *docker.Login) error {
	h.masked.add(l.Password.Text)
	program, err := osexec.LookPath("docker")
	if err != nil {
		return fmt.Errorf("the step %s logs in to a registry, and there is no docker on PATH", diag.Clean(h.step.Key))
	}
	_, err = h.repeat(ctx, nil, func() (value.Value, error) {
		return value.Value{}, step.LoginToStay(ctx, program, step.Call{Env: h.Environ, Dir: h.Directory}, l)
	})
	if err != nil {
		return errors.New(h.masked.apply(err.Error()))
	}
	return nil
}

// outputs are those that the step would have given.
func (h *half) outputs(ctx context.Context, imageID string) (value.Value, error) {
	if resolve.Canonical(h.step.Function) == resolve.PushDockerImage {
		p, err := h.pushOf()
		if err != nil {
			return value.Value{}, err
		}
		return p.Outputs(), nil
	}
	if h.step.TagInputs {
		if err := h.leftTag(&imageID); err != nil {
			return value.Value{}, err
		}
	}
	now, err := h.moment()
	if err != nil {
		return value.Value{}, err
	}
	b, err := docker.BuildOf(h.inputs, h.dockerOptions(ctx, h.dir, now))
	if err != nil {
		return value.Value{}, h.wrong(err)
	}
	outputs := b.Outputs(imageID)
	if id, _ := outputs.Get("image_id"); id.Text == "" && !h.rehearsal() || strings.ContainsAny(id.Text, " \t\r\n") {
		return value.Value{}, &resolve.UsageError{Text: "--phase outputs needs the id of the image that was built: --image-id ID, or --metadata-file FILE that the builder wrote"}
	}
	return outputs, nil
}

// moment is the one of the first half. Only a build that names no tag needs it.
func (h *half) moment() (time.Time, error) {
	data, err := os.ReadFile(h.file("moment"))
	if err == nil {
		var now time.Time
		if now, err = time.Parse(time.RFC3339Nano, string(data)); err == nil {
			return now, nil
		}
	}
	tag, _ := h.inputs.Get("tag")
	old, _ := h.inputs.Get("image_tag")
	if tag.Truthy() || old.Truthy() {
		return h.Now(), nil
	}
	return time.Time{}, fmt.Errorf("the step %s names no tag, so its tag is the moment of --phase inputs, which left no word of it in %s: run both phases in one job", diag.Clean(h.step.Key), h.temp)
}

// ImageID reads the id of an image from the file that `docker buildx build --metadata-file` wrote: the image's own, as the engine knows it, else that of what was pushed.
func ImageID(metadata []byte) (string, error) {
	var m map[string]any
	if err := json.Unmarshal(metadata, &m); err != nil {
		return "", fmt.Errorf("it is no JSON: %w", err)
	}
	if len(m) == 0 { // nothing was built, since it was there
		return "", nil
	}
	for _, key := range []string{"containerimage.config.digest", "containerimage.digest"} {
		if id, _ := m[key].(string); id != "" {
			return id, nil
		}
	}
	return "", errors.New("it names no image: there is neither containerimage.config.digest nor containerimage.digest in it")
}
