// What a replay runs: the files that `compile github` makes of prefect.yaml now, as they are, whether one or several; or, by --workflow, an emitted file as it stands, with those beside it that it calls.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/emit"
	"github.com/org/prefect-deploy-action/compiler/resolve"
)

// replayedName is the name of the workflow; a checkout has no file of this name, which the job check could take for the one that runs.
const replayedName = "prefect-replay.yml"

// replayedWorkflow is the file to run, and the text of it and of those that it calls.
type replayedWorkflow struct {
	file string
	text []byte
}

// emit gives the workflow, and the action by which its jobs call this program.
func (r *replay) emit(w cli.World, scratch string, repository replayedRepository) (workflow replayedWorkflow, action string, err error) {
	if r.workflow != "" {
		text, err := os.ReadFile(r.workflow)
		if err != nil {
			return workflow, "", cli.Fail("--workflow: %v; name a file that compile github wrote, or leave the option out to compile one", err)
		}
		if action = emit.ActionOf(text); action == "" {
			return workflow, "", cli.Fail("--workflow %s: it does not use prefect-deploy-action, so it was not emitted by compile github", r.workflow)
		}
		return replayedWorkflow{r.workflow, withParts(text, filepath.Dir(r.workflow), filepath.Base(r.workflow))}, action, nil
	}
	in, files, err := r.load(w)
	if err != nil {
		return workflow, "", err
	}
	in.Action = replayed
	emitted, faults := emit.GitHubFiles(in, replayedName)
	if err := told(w, files, faults); err != nil {
		return workflow, "", err
	}
	p := paths{scratch}
	for _, f := range emitted {
		if err := p.write("workflows/"+f.Name, f.Data); err != nil {
			return workflow, "", cli.Fail("%v", err)
		}
		workflow.text = append(workflow.text, f.Data...)
	}
	workflow.file = p.at("workflows/" + replayedName)
	r.staleBeside(w, in, repository.root, emitted[0].Data)
	return workflow, replayed, nil
}

// load reads the files of which a pipeline is made.
func (r *replay) load(w cli.World) (*emit.Input, []cli.File, error) {
	files, err := cli.Read(r.dir, r.files)
	if err != nil {
		return nil, nil, cli.Fail("%v; name the file with -f, or the directory with -C", err)
	}
	var sources []emit.Source
	for _, f := range files {
		sources = append(sources, emit.Source(f))
	}
	in, faults := emit.Load(os.DirFS(r.dir), sources)
	if err := told(w, files, faults); err != nil {
		return nil, nil, err
	}
	r.shown = map[string]bool{}
	for _, f := range in.Files {
		for name := range resolve.ShownVariables(f) {
			r.shown[name] = true
		}
		gitlab, _ := f.CI.Get("gitlab")
		vars, _ := gitlab.Get("vars")
		for _, name := range vars.List {
			r.shown[name.Str()] = true
		}
	}
	in.Patterns, in.Within = r.files, strings.TrimSuffix(cli.WithinRepository(r.dir), "/")
	in.Compiler = cli.Stamp()
	return in, files, nil
}

// told prints what is wrong with the files; the error is that they cannot be used.
func told(w cli.World, files []cli.File, faults diag.List) error {
	if len(faults) > 0 {
		fmt.Fprint(w.Stderr, faults.Text(func(name string) []byte {
			for _, f := range files {
				if f.Name == name {
					return f.Data
				}
			}
			return nil
		}))
	}
	if faults.Errors(false) > 0 {
		return &cli.Exit{Code: cli.ExitError}
	}
	return nil
}

// staleBeside says that a workflow which the repository has of these files is not the one that runs here: on GitHub its first job would refuse.
func (r *replay) staleBeside(w cli.World, in *emit.Input, root string, now []byte) {
	found, _ := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.y*ml"))
	for _, file := range found {
		old, err := os.ReadFile(file)
		if err != nil || !emit.Emitted(old) || firstLine(old) != firstLine(now) { // that line names the files it is made of
			continue
		}
		name := filepath.Base(file)
		if part, _ := filepath.Match(emit.Parts("*.yml"), name); part {
			continue
		}
		again := *in
		again.Action = emit.ActionOf(old)
		emit.KeepPins(&again, withParts(old, filepath.Dir(file), name))
		emitted, faults := emit.GitHubFiles(&again, name)
		if faults.Errors(false) > 0 {
			continue
		}
		if why := emit.Stale(old, emitted[0].Data); why != "" {
			file = ".github/workflows/" + name
			fmt.Fprintf(w.Stderr, "note: this replay is of the workflow that the files give now; %s is another, as %s\n  %s\n", file, why, emit.Again("github", in.Patterns, in.Within, file))
		}
	}
}

func firstLine(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
