// What plan and deploy ask on a terminal: which deployments, or what a deployment of a flow is that has no entry yet. Nothing is asked anywhere else: not with --quiet or
// --no-prompt, not without a terminal, not where CI is set.
//
// The answers become what the command line and the file would have said: names, and an entry in the text of prefect.yaml. Everything after that is as without questions. The
// text is written to the disk only by deploy and when that is agreed to; else it is only what this run reads.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/deploy"
	"github.com/org/prefect-deploy-action/runner/dialog"
	"github.com/org/prefect-deploy-action/runner/prefect"
)

// terminal is where to ask, nil where nothing may be asked.
func (o *options) terminal(w cli.World) *dialog.Terminal {
	prompt, _ := w.Env("PREFECT_CLI_PROMPT")
	if wanted, err := boolean(prompt); o.quiet || o.noPrompt || err == nil && !wanted {
		return nil
	}
	return cli.Terminal(w)
}

// asking is one dialogue.
type asking struct {
	*dialog.Terminal
	o       *options
	w       cli.World
	run     *deploy.Options
	acting  bool
	files   []*spec.File
	entries []*resolve.Deployment
}

// ask completes what a run was told. A file that can't be read is left to the run, which says why.
func (o *options) ask(ctx context.Context, w cli.World, r *deploy.Options, acting bool) error {
	t := o.terminal(w)
	if t == nil || r.Selection.All || o.plan != "" || strings.HasPrefix(o.state, "git:") || len(o.names) > 1 || len(o.names) == 1 && (r.Selection.Entrypoint == "" || strings.Contains(o.names[0], "*")) {
		return nil
	}
	a := asking{Terminal: t, o: o, w: w, run: r, acting: acting}
	if !a.read() {
		return nil
	}
	err := a.ask(ctx)
	if errors.Is(err, dialog.ErrCancelled) {
		return &cli.Exit{Code: cli.ExitInterrupted, Text: "cancelled; nothing was written"}
	}
	return err
}

// read gathers the entries of the files.
func (a *asking) read() bool {
	for _, f := range a.run.Files {
		file, faults := spec.Load(f.Name, f.Data)
		if faults.Errors(false) > 0 {
			return false
		}
		a.files = append(a.files, file)
		for i := range file.Len() {
			var ignored diag.List
			a.entries = append(a.entries, resolve.Entry(file, file.Deployment(i, &ignored)))
		}
	}
	return true
}

func (a *asking) ask(ctx context.Context) error {
	entrypoint := a.run.Selection.Entrypoint
	switch {
	case entrypoint != "":
		return a.about(ctx, entrypoint)
	case len(a.entries) == 1:
		return nil // nothing to choose
	case len(a.entries) == 0:
		return a.anyFlow(ctx)
	}
	return a.choose(ctx, a.entries, "Which deployments?", "a flow that has no entry yet", a.anyFlow)
}

// choose lists entries with names; the word new leads on to other.
func (a *asking) choose(ctx context.Context, entries []*resolve.Deployment, question, about string, other func(context.Context) error) error {
	list := dialog.List{Question: question, Many: !a.run.Overrides.Any() && len(entries) > 1, Other: "new", OtherNote: about}
	var named []*resolve.Deployment
	for _, d := range entries {
		if d.Name() != "" {
			named = append(named, d)
			list.Items = append(list.Items, dialog.Item{Name: d.Title(), Note: d.Entrypoint()})
		}
	}
	if unnamed := len(entries) - len(list.Items); unnamed > 0 {
		a.Say("%s of the file without a name can't be chosen.", diag.Count(unnamed, "deployment"))
	}
	chosen, err := a.Choose(ctx, list)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return other(ctx)
	}
	a.run.Selection.Entrypoint = ""
	for _, i := range chosen {
		a.run.Selection.Chosen = append(a.run.Selection.Chosen, resolve.PlaceOf(named[i])) // not its name: that of another may be like it, or match it as a pattern
	}
	return nil
}

// about asks about an entrypoint of the command line: which of its entries, or what a new one is. One that can't be read is left to the run.
func (a *asking) about(ctx context.Context, entrypoint string) error {
	if _, p := flow.Load(os.DirFS(a.run.Directory), entrypoint); p != nil {
		return nil
	}
	var its []*resolve.Deployment
	for _, d := range a.entries {
		if same(d.Entrypoint(), entrypoint) && (len(a.o.names) == 0 || d.Name() == a.o.names[0]) {
			its = append(its, d)
		}
	}
	fresh := func(ctx context.Context) error { return a.fresh(ctx, entrypoint) }
	switch {
	case len(its) == 0:
		return fresh(ctx)
	case len(a.o.names) == 1:
		return nil
	}
	return a.choose(ctx, its, "Which deployment of this flow?", "another deployment of it", fresh)
}

// same tells whether two entrypoints name one function.
func same(x, y string) bool { return strings.TrimPrefix(x, "./") == strings.TrimPrefix(y, "./") }

// anyFlow offers the flows of the tree.
func (a *asking) anyFlow(ctx context.Context) error {
	flows, cut := dialog.Flows(ctx, a.run.Directory)
	if cut {
		a.Say("The tree has more files than are looked at; not all flows are listed.")
	}
	entrypoint, err := a.Entrypoint(ctx, flows, func(text string) *flow.Problem {
		_, p := flow.Load(os.DirFS(a.run.Directory), text)
		return p
	})
	if err != nil {
		return err
	}
	return a.fresh(ctx, entrypoint)
}

// fresh asks what a new deployment is, and makes it an entry of the file.
func (a *asking) fresh(ctx context.Context, entrypoint string) error {
	overrides := &a.run.Overrides
	wanted := dialog.Wanted{Entrypoint: entrypoint, Pool: a.o.pool, Default: overrides.DefaultWorkPool, Now: time.Now(),
		Scheduled: len(a.o.cron)+len(a.o.rrule)+len(a.o.interval) > 0}
	if len(a.o.names) == 1 {
		wanted.Name = a.o.names[0][strings.LastIndexByte(a.o.names[0], '/')+1:]
	}
	wanted.Taken = func(name string) bool {
		for _, d := range a.entries {
			if d.Name() == name && resolve.FlowFunction(d.Entrypoint()) == resolve.FlowFunction(entrypoint) {
				return true
			}
		}
		return false
	}
	if a.o.client != nil {
		wanted.Pools = func(ctx context.Context) ([]dialog.Item, error) { return pools(ctx, a.o.client) }
	}
	entry, err := a.Deployment(ctx, wanted)
	if errors.Is(err, dialog.ErrCancelled) {
		return err
	}
	if err != nil {
		return cli.Fail("%v; nothing was written", err)
	}
	return a.add(ctx, entry)
}

// pools are the server's work pools that deployments can name.
func pools(ctx context.Context, c *prefect.Client) (items []dialog.Item, err error) {
	all, err := c.AllWorkPools(ctx)
	for _, p := range all {
		name, _ := p.Get("name")
		kind, _ := p.Get("type")
		about, _ := p.Get("description")
		if kind.Text != "prefect-agent" {
			items = append(items, dialog.Item{Name: name.Text, Note: strings.TrimSuffix(kind.Text+", "+about.Text, ", ")})
		}
	}
	return items, err
}

// add puts the entry into the text of the first file, offers to write it, and selects it.
func (a *asking) add(ctx context.Context, entry value.Value) error {
	file := deploy.File{Name: a.run.Missing}
	if len(a.run.Files) > 0 {
		file = a.run.Files[0]
	}
	text, err := spec.Add(file.Name, file.Data, entry)
	if err != nil {
		return cli.Fail("%s: %v; write the entry by hand, and name it with --name", file.Name, err)
	}
	if a.acting {
		if err := a.offer(ctx, file, text); err != nil {
			return err
		}
	}
	if len(a.run.Files) == 0 {
		a.run.Files, a.run.Missing = []deploy.File{{Name: file.Name}}, ""
	}
	a.run.Files[0].Data = text
	now, _ := spec.Load(file.Name, text)
	a.run.Selection = resolve.Selection{Chosen: []resolve.Place{{File: file.Name, Index: now.Len() - 1}}} // it stands last
	return nil
}

// offer shows what would be written, and writes it when that is agreed to.
func (a *asking) offer(ctx context.Context, file deploy.File, text []byte) error {
	a.Say("%s would have:", file.Name)
	a.Block(added(string(file.Data), string(text)))
	yes, err := a.Confirm(ctx, "Write it?", true)
	if err != nil {
		return err
	}
	if !yes {
		a.Say("Not written: this run goes on as if it were.")
		return nil
	}
	if err := cli.ReplaceFile(under(a.run.Directory, filepath.FromSlash(file.Name)), text); err != nil {
		return cli.Fail("%s could not be written: %v; nothing was written", file.Name, err)
	}
	a.Say("%s is written.", file.Name)
	return nil
}

// added is an insertion as a diff, with two lines around it.
func added(before, after string) string {
	old, now := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	first := 0
	for first < len(old) && first < len(now) && old[first] == now[first] {
		first++
	}
	tail := 0
	for tail < len(old)-first && tail < len(now)-first && old[len(old)-1-tail] == now[len(now)-1-tail] {
		tail++
	}
	var b strings.Builder
	line := func(sign, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%s %s\n", sign, strings.TrimRight(text, "\r\n"))
		}
	}
	for _, l := range now[max(first-2, 0):first] {
		line(" ", l)
	}
	for _, l := range old[first : len(old)-tail] {
		line("-", l)
	}
	for _, l := range now[first : len(now)-tail] {
		line("+", l)
	}
	for _, l := range now[len(now)-tail : min(len(now)-tail+2, len(now))] {
		line(" ", l)
	}
	return b.String()
}
