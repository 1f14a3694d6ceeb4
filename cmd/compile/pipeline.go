package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/emit"
)

// defaultAction is what stands in place of a release of our own.
const defaultAction = "org/prefect-deploy-action"

func githubCommand(w cli.World) *cobra.Command {
	return pipelineCommand(w, "github", "Emit the pipeline as a GitHub workflow", ".github/workflows/prefect.yml", emit.GitHub)
}

func gitlabCommand(w cli.World) *cobra.Command {
	return pipelineCommand(w, "gitlab", "Emit the pipeline for GitLab", ".gitlab-ci.yml", emit.GitLab)
}

// pipeline is a command that emits.
type pipeline struct {
	shared
	dialect            string
	out, check, action string
	emit               func(*emit.Input) ([]byte, diag.List)
	usual              string
}

func pipelineCommand(w cli.World, dialect, short, usual string, write func(*emit.Input) ([]byte, diag.List)) *cobra.Command {
	p := pipeline{dialect: dialect, emit: write, usual: usual}
	c := &cobra.Command{Use: dialect, Short: short, Args: cli.NoArgs,
		Example: fmt.Sprintf("  compile %[1]s -o %[2]s\n  compile %[1]s --check %[2]s", dialect, usual),
		RunE:    func(*cobra.Command, []string) error { return p.run(w) }}
	p.add(c)
	c.Flags().StringVarP(&p.out, "output", "o", "-", "the `FILE` to write; - is stdout. Versions that stand in it are kept")
	c.Flags().StringVar(&p.check, "check", "", "write nothing; exit 1 if this `FILE` is not what would be written")
	c.Flags().StringVar(&p.action, "action", "", "the action that runs the jobs, as `OWNER/REPOSITORY@REF` (default: "+defaultAction+" at this program's commit)")
	return c
}

func (p *pipeline) run(w cli.World) error {
	if p.check != "" && p.out != "-" {
		return cli.Usage("--check writes nothing, so it goes without -o")
	}
	if info, err := os.Stat(p.out); err == nil && p.out != "-" && !info.Mode().IsRegular() && !info.IsDir() { // /dev/null, a pipe: nothing stands in it that is kept, or may be replaced
		f, err := os.OpenFile(p.out, os.O_WRONLY, 0)
		if err != nil {
			return cli.Fail("%v", err)
		}
		defer f.Close()
		p.out, w.Stdout = "-", f
	}
	files, err := p.read()
	if err != nil {
		return err
	}
	if err := p.apart(files); err != nil {
		return err
	}
	in, err := load(w, p.dir, files)
	if err != nil {
		return err
	}
	in.Patterns, in.Within = p.files, strings.TrimSuffix(cli.WithinRepository(p.dir), "/")
	in.File = p.file()
	old, err := p.old()
	if err != nil {
		return err
	}
	if in.Action, err = p.actionFor(w, old); err != nil {
		return err
	}
	in.Compiler = cli.Stamp()
	emit.KeepPins(in, p.all(old))
	emitted, faults := p.emitted(in)
	if err := stop(w, files, faults); err != nil {
		return err
	}
	switch {
	case p.check != "":
		return p.compare(old, emitted)
	case p.out != "-":
		p.warn(w, old, emitted)
		return p.write(emitted)
	case len(emitted) > 1:
		return cli.Fail("this pipeline is %d files, as one would be larger than the platform takes: name the first with -o", len(emitted))
	}
	_, err = w.Stdout.Write(emitted[0].Data)
	return err
}

// apart refuses to write over what is compiled.
func (p *pipeline) apart(files []cli.File) error {
	out, err := os.Stat(p.out)
	if err != nil || p.out == "-" {
		return nil
	}
	for _, f := range files {
		if source, err := os.Stat(filepath.Join(p.dir, filepath.FromSlash(f.Name))); err == nil && os.SameFile(out, source) {
			return cli.Usage("-o %s would take the place of what is compiled: name another file, such as %s", p.out, p.usual)
		}
	}
	return nil
}

// emitted are the files of the pipeline; the first is the one that was named.
func (p *pipeline) emitted(in *emit.Input) ([]emit.File, diag.List) {
	name := filepath.Base(p.usual)
	if file := p.named(); file != "-" {
		name = filepath.Base(file)
	}
	if p.dialect == "github" {
		return emit.GitHubFiles(in, name)
	}
	out, faults := p.emit(in)
	return []emit.File{{Name: name, Data: out}}, faults
}

// named is the file that is written or checked.
func (p *pipeline) named() string {
	if p.check != "" {
		return p.check
	}
	return p.out
}

// parts are the files beside the named one that an emission of it made.
func (p *pipeline) parts() []string {
	if p.dialect != "github" || p.named() == "-" {
		return nil
	}
	var out []string
	dir := filepath.Dir(p.named())
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if ok, _ := path.Match(emit.Parts(filepath.Base(p.named())), e.Name()); ok {
			if data, err := os.ReadFile(filepath.Join(dir, e.Name())); err == nil && emit.Emitted(data) {
				out = append(out, filepath.Join(dir, e.Name()))
			}
		}
	}
	return out
}

// all is what stands in the file and in those beside it, one behind the other: the versions in them are kept.
func (p *pipeline) all(old []byte) []byte {
	for _, name := range p.parts() {
		data, _ := os.ReadFile(name)
		old = append(append(old[:len(old):len(old)], '\n'), data...)
	}
	return old
}

// warn tells of versions that are not kept, as what they stand for can change.
func (p *pipeline) warn(w cli.World, old []byte, emitted []emit.File) {
	for i, f := range emitted {
		name := filepath.Join(filepath.Dir(p.out), f.Name)
		if i > 0 {
			old, _ = os.ReadFile(name)
		}
		for _, m := range emit.Movable(old, f.Data) {
			fmt.Fprintf(w.Stderr, "%s:%d: %s; the compiler's own version is put in its place\n", name, m.Line, m.Why)
		}
	}
}

// write writes what is not there already, and removes the parts of an earlier emission that there are no more.
func (p *pipeline) write(emitted []emit.File) error {
	dir := filepath.Dir(p.out)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return cli.Fail("%s can't be written: %v", p.out, err)
	}
	for _, f := range emitted {
		name := filepath.Join(dir, f.Name)
		if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, f.Data) {
			continue
		}
		if err := writeFile(name, f.Data); err != nil {
			return cli.Fail("%s can't be written: %v", name, err)
		}
	}
	for _, name := range p.left(emitted) {
		if err := os.Remove(name); err != nil {
			return cli.Fail("%v", err)
		}
	}
	return nil
}

// left are the parts that are there and not emitted.
func (p *pipeline) left(emitted []emit.File) []string {
	return slices.DeleteFunc(p.parts(), func(name string) bool {
		return slices.ContainsFunc(emitted, func(f emit.File) bool { return f.Name == filepath.Base(name) })
	})
}

// file is the emitted file as seen from the repository's root, "" for stdout.
func (p *pipeline) file() string {
	name := p.out
	if p.check != "" {
		name = p.check
	}
	if name == "-" {
		return ""
	}
	return cli.WithinRepository(filepath.Dir(name)) + filepath.Base(name)
}

// old is the file as it stands, nil where there is none yet.
func (p *pipeline) old() ([]byte, error) {
	name := p.named()
	if name == "-" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && p.check == "":
		return nil, nil
	case missing:
		return nil, cli.Fail("--check: there is no %s; generate it with\n  %s", name, p.again())
	}
	if err != nil {
		return nil, cli.Fail("%v", err)
	}
	for _, other := range []string{"github", "gitlab"} {
		if first, _, _ := strings.Cut(string(data), "\n"); other != p.dialect && strings.Contains(first, "by `compile "+other+"`.") {
			return nil, cli.Fail("%s was made by compile %s, and this is compile %s: name another file, or run compile %s", name, other, p.dialect, other)
		}
	}
	return data, nil
}

// compare says which input made the file stale.
func (p *pipeline) compare(old []byte, emitted []emit.File) error {
	name, why := p.check, emit.Stale(old, emitted[0].Data)
	for _, f := range emitted[1:] {
		if why != "" {
			break
		}
		name = filepath.Join(filepath.Dir(p.check), f.Name)
		if data, err := os.ReadFile(name); err != nil {
			why = "it is not there"
		} else {
			why = emit.Stale(data, f.Data)
		}
	}
	if left := p.left(emitted); why == "" && len(left) > 0 {
		name, why = left[0], "nothing calls it any more"
	}
	if why == "" {
		return nil
	}
	return cli.Fail("%s is stale: %s; generate it again with\n  %s", name, why, p.again())
}

// again is the command that writes the file which was to be checked.
func (p *pipeline) again() string {
	within := p.dir
	if within == "." {
		within = ""
	}
	return emit.Again(p.dialect, p.files, within, p.check)
}

// actionFor is the action that runs the jobs. A file that is there already keeps its action, unless --action names another.
func (p *pipeline) actionFor(w cli.World, old []byte) (string, error) {
	if p.action != "" {
		name, ref, ok := strings.Cut(p.action, "@")
		if owner, repository, two := strings.Cut(name, "/"); !ok || !two || owner == "" || repository == "" || ref == "" || strings.ContainsAny(p.action, " \t\r\n#'\"") {
			return "", cli.Usage("--action %q is not OWNER/REPOSITORY@REF", p.action)
		}
		return p.action, nil
	}
	if kept := emit.ActionOf(old); kept != "" {
		return kept, nil
	}
	if commit := cli.Commit(); commit != "" {
		return defaultAction + "@" + commit, nil
	}
	compiler, clean := cli.Version()
	if clean { // a module's version, which is a tag
		return defaultAction + "@" + compiler, nil
	}
	if p.check == "" {
		fmt.Fprintf(w.Stderr, "this program's build names no commit (%s), so the emitted ref is @v1; --action OWNER/REPOSITORY@REF names another\n", compiler)
	}
	return defaultAction + "@v1", nil
}

// writeFile writes beside the file and renames; one that is not there yet is made.
func writeFile(name string, data []byte) error {
	if _, err := os.Stat(name); err == nil {
		return cli.ReplaceFile(name, data)
	}
	temp, err := os.CreateTemp(filepath.Dir(name), ".prefect-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if _, err = temp.Write(data); err == nil {
		err = temp.Chmod(0o644)
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}
