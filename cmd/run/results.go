// Where results go, opened before anything runs. A path that can't be written is a mistake on the command line, and to learn of it after the deploy would hide a deploy that
// is done: the job would say "error" of what went well, and its results would be lost.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/plan"
	"github.com/org/prefect-deploy-action/runner/report"
)

// results are the places that the options and the CI name; what is nil is not asked for.
type results struct {
	json, markdown, outputs *target
	stdout                  bool // a result goes to stdout, so nothing else does
}

// target is a file to write once. What is in it stays until then, and one that was made for nothing is removed.
type target struct {
	out      io.Writer
	file     *os.File // nil for stdout
	appends  bool
	leftOver bool
}

// results opens them: --json and --markdown, and with outputs the file of the CI's step outputs. The caller closes them. None may be a file that the run reads or keeps its state in.
func (o *options) results(w cli.World, run deploy.Options, outputs bool) (_ *results, err error) {
	r := &results{stdout: o.json == "-" || o.markdown == "-"}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.json, err = create(w, o.json, os.O_WRONLY); err != nil {
		return nil, cli.Usage("--json: %v; nothing ran", err)
	}
	if r.markdown, err = create(w, o.markdown, os.O_WRONLY); err != nil {
		return nil, cli.Usage("--markdown: %v; nothing ran", err)
	}
	read := o.kept(run)
	if err := errors.Join(r.json.apart("--json", read), r.markdown.apart("--markdown", append(read, o.json))); err != nil {
		return nil, err
	}
	if path, _ := w.Env("GITHUB_OUTPUT"); outputs && path != "" {
		if r.outputs, err = create(w, path, os.O_WRONLY|os.O_APPEND); err != nil {
			return nil, cli.Fail("GITHUB_OUTPUT: %v; nothing ran", err)
		}
	}
	return r, nil
}

func create(w cli.World, path string, flags int) (*target, error) {
	switch path {
	case "":
		return nil, nil
	case "-":
		return &target{out: w.Stdout}, nil
	}
	_, missing := os.Lstat(path)
	f, err := os.OpenFile(path, flags|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return &target{out: f, file: f, appends: flags&os.O_APPEND != 0, leftOver: errors.Is(missing, os.ErrNotExist)}, nil
}

// kept are the files that a run reads, and the one of its state.
func (o *options) kept(run deploy.Options) (out []string) {
	for _, f := range run.Files {
		out = append(out, under(run.Directory, filepath.FromSlash(f.Name)))
	}
	if path, ok := strings.CutPrefix(o.state, "file:"); ok {
		out = append(out, under(run.Directory, path))
	}
	return out
}

// apart refuses a result that would take the place of one of some files.
func (t *target) apart(option string, files []string) error {
	if t == nil || t.file == nil {
		return nil
	}
	mine, err := t.file.Stat()
	if err != nil || !mine.Mode().IsRegular() {
		return nil
	}
	for _, name := range files {
		if info, err := os.Stat(name); err == nil && os.SameFile(mine, info) {
			return cli.Usage("%s %s would take the place of a file that this run reads or writes itself: name another; nothing ran", option, name)
		}
	}
	return nil
}

// write puts the result in place of what was there, or behind it. Pipes and terminals have nothing to replace.
func (t *target) write(data []byte) error {
	if t == nil {
		return nil
	}
	t.leftOver = false
	if t.file != nil && !t.appends {
		if info, err := t.file.Stat(); err == nil && info.Mode().IsRegular() {
			if err := t.file.Truncate(0); err != nil {
				return err
			}
		}
	}
	_, err := t.out.Write(data)
	return err
}

// done closes the file: some file systems tell only then that it could not be written.
func (t *target) done() error {
	if t == nil || t.file == nil {
		return nil
	}
	f := t.file
	t.file = nil
	err := f.Close()
	if t.leftOver {
		_ = os.Remove(f.Name())
	}
	return err
}

func (r *results) close() {
	_ = errors.Join(r.json.done(), r.markdown.done(), r.outputs.done()) // errors count where something was written
}

// print writes a plan for people: in the window's width and in colours where the stream is a terminal.
func print(w cli.World, to io.Writer, p *plan.Plan, acting bool, elapsed string) error {
	t := report.Terminal{Done: acting, Elapsed: elapsed}
	if screen := cli.Screen(to); screen != nil {
		t.Width, _ = cli.Window(screen)
		t.Color = cli.Colour(w)
	}
	_, err := io.WriteString(to, report.Of(p).Terminal(t))
	return err
}

// took is how long a run took: without its steps, and with them.
func took(d time.Duration, p *plan.Plan) string {
	if p == nil || p.Built == 0 || len(p.Steps) == 0 {
		return seconds(d)
	}
	return seconds(max(d-time.Duration(p.Built*float64(time.Second)), 0)) + " (" + seconds(d) + " with builds)"
}

// show writes everything, on every channel that takes it, and ends with outcome: what can't be written makes an error of it, and hides nothing of the rest.
func (o *options) show(w cli.World, r *results, p *plan.Plan, acting bool, elapsed string, outcome error) error {
	var errs []error
	note := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	if r.json != nil {
		note("--json", errors.Join(r.json.write(p.JSON()), r.json.done()))
	}
	if r.markdown != nil {
		note("--markdown", errors.Join(r.markdown.write([]byte(report.Markdown(p, acting))), r.markdown.done()))
	}
	if r.outputs != nil {
		note("GITHUB_OUTPUT", errors.Join(r.outputs.write(stepOutputs(p)), r.outputs.done()))
	}
	if o.quiet && p.Count().Failed > 0 {
		// Quiet, but never silent about what failed: an exit code alone helps nobody who reads a log.
		note("stderr", print(w, w.Stderr, p, acting, elapsed))
	}
	if !r.stdout && !o.quiet {
		note("stdout", print(w, w.Stdout, p, acting, elapsed))
	}
	if len(errs) == 0 {
		return outcome
	}
	code, text := cli.ExitError, "a result could not be written: "+errors.Join(errs...).Error()
	var exit *cli.Exit
	if errors.As(outcome, &exit) && exit.Code == cli.ExitInterrupted {
		code, text = exit.Code, exit.Text+"; "+text
	}
	return &cli.Exit{Code: code, Text: text}
}
