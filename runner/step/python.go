// The pool of Python workers. Importing Prefect costs a second or two, so a worker serves call after call; a worker's environment
// cannot change, so one that is idle but was started for another environment or project is replaced.
//
// What a call changes in its process is undone as far as the next one would notice: the directory, environment variables, stdout and
// stderr; the caller is told of the first two. Modules that a step imported stay imported, as they do under Prefect, where all steps
// share one process, and so does what they set in the environment while they were imported.
package step

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Python runs functions and reads flows in one interpreter. The zero value but for Path is ready; Close ends its processes.
type Python struct {
	// Path is the interpreter: what FindPython gave.
	Path string
	// Env is the environment, KEY=VALUE, in which Flow and Probe run; calls bring their own.
	Env []string
	// Jobs is how many workers there may be; below 1 means 1.
	Jobs int

	once       sync.Once
	slots      chan struct{} // one token per worker that may be busy
	mu         sync.Mutex
	idle       []*worker
	closed     bool
	installing sync.Mutex // two installs at once would get into each other's way
	installed  map[string]bool
	failed     map[string]*PythonError // sets of packages that could not be installed
}

// FlowInfo is what `prefect deploy` learns of a flow by importing it.
type FlowInfo struct {
	Name string
	// Description is "" for a flow that has none; Version is its declared one, else the MD5 of its file, else "".
	Description, Version string
	// Schema is the parameter schema as Prefect sends it ({title, type, properties, …}).
	Schema value.Value
	// File is the real path of the file that defines the flow function, "" when Python could not import its module.
	File string
}

// Versions is what an interpreter says of itself. Prefect is "" when it is not installed.
type Versions struct{ Python, Prefect, Executable string }

// Call is the Func of every step that has no native form.
func (p *Python) Call(ctx context.Context, c Call) (value.Value, error) {
	if len(c.Requires) > 0 {
		if err := p.require(ctx, c); err != nil {
			return value.Value{}, err
		}
	}
	return p.ask(ctx, c.Env, c, request{Kind: "call", Function: c.Function, Inputs: c.Inputs, Requires: c.Requires, Installed: true})
}

// require imports what a step requires, installing it where that fails: for one step at a time, and one set of packages once. Those that wait for an install share its failure; a later one, which may be a repetition, tries
// anew.
func (p *Python) require(ctx context.Context, c Call) error {
	function := c.Function
	if native(function) != nil || isPip(function) {
		function = "" // it runs here, and this Python may well have no Prefect
	}
	set := strings.Join(slices.Compact(slices.Sorted(slices.Values(c.Requires))), "\x00")
	before := p.failure(set)
	p.installing.Lock()
	defer p.installing.Unlock()
	failed := p.failure(set)
	shared := failed != nil && failed != before
	_, err := p.ask(ctx, c.Env, c, request{Kind: "require", Function: function, Requires: c.Requires, Installed: p.installed[set] || shared})
	var fault *PythonError
	switch errors.As(err, &fault); {
	case err == nil && !shared:
		if p.installed == nil {
			p.installed = map[string]bool{}
		}
		p.installed[set] = true
	case fault != nil && fault.Type == missing && shared:
		return failed
	case fault != nil && fault.Type == uninstalled:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.failed == nil {
			p.failed = map[string]*PythonError{}
		}
		p.failed[set] = fault
	}
	return err
}

func (p *Python) failure(set string) *PythonError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed[set]
}

// Flow imports the flow at entrypoint ("file.py:function" or "module.function", relative to dir) with the interpreter's own Prefect,
// as `prefect deploy` does, and tells what it found. An exception is a *PythonError.
func (p *Python) Flow(ctx context.Context, root, dir, entrypoint string) (FlowInfo, error) {
	got, err := p.ask(ctx, p.Env, Call{Root: root, Dir: dir}, request{Kind: "flow", Entrypoint: entrypoint})
	if err != nil {
		return FlowInfo{}, err
	}
	text := func(key string) string { v, _ := got.Get(key); return v.Text }
	schema, _ := got.Get("schema")
	return FlowInfo{Name: text("name"), Description: text("description"), Version: text("version"), Schema: schema, File: text("file")}, nil
}

// Probe asks the interpreter for its versions, without importing Prefect.
func (p *Python) Probe(ctx context.Context) (Versions, error) {
	got, err := p.ask(ctx, p.Env, Call{}, request{Kind: "probe"})
	text := func(key string) string { v, _ := got.Get(key); return v.Text }
	return Versions{Python: text("python"), Prefect: text("prefect"), Executable: text("executable")}, err
}

// ask has one request served by an idle worker of that environment, or by a new one.
func (p *Python) ask(ctx context.Context, env []string, c Call, r request) (value.Value, error) {
	p.once.Do(func() { p.slots = make(chan struct{}, max(p.Jobs, 1)) })
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return value.Value{}, ctx.Err()
	}
	defer func() { <-p.slots }()
	if err := ctx.Err(); err != nil {
		return value.Value{}, err
	}
	key := c.Root + "\x00" + strings.Join(env, "\x00")
	w := p.take(key)
	if w == nil {
		var err error
		if w, err = startWorker(p.Path, key, env, c.Root); err != nil {
			return value.Value{}, err
		}
	}
	r.Root, r.Dir = c.Root, c.Dir
	got, alive, err := w.ask(ctx, r, c.Stdout, c.Stderr)
	if c.Moved != nil && err == nil && w.cwd != "" && w.cwd != c.Dir {
		c.Moved(w.cwd)
	}
	if c.Changed != nil && err == nil && len(w.changed) > 0 {
		c.Changed(w.changed)
	}
	if alive {
		p.give(w)
	}
	return got, err
}

// take gives an idle worker of that key, or nil; when the idle ones are all others and the pool is full, one of them goes.
func (p *Python) take(key string) *worker {
	p.mu.Lock()
	for i, w := range p.idle {
		if w.key == key {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.mu.Unlock()
			if w.usable() {
				return w
			}
			return nil
		}
	}
	var leaving *worker
	// Every token in slots is a worker in use (ours not started yet) or about to be; the idle ones come on top of them.
	if len(p.idle) > 0 && len(p.idle)+len(p.slots) > cap(p.slots) {
		leaving, p.idle = p.idle[0], p.idle[1:]
	}
	p.mu.Unlock()
	if leaving != nil {
		leaving.quit()
	}
	return nil
}

func (p *Python) give(w *worker) {
	p.mu.Lock()
	closed := p.closed
	if !closed {
		p.idle = append(p.idle, w)
	}
	p.mu.Unlock()
	if closed {
		w.quit()
	}
}

// Close ends all idle workers, and those in use as soon as their call is done. Python can not be used again after it.
func (p *Python) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	var leaving sync.WaitGroup
	for _, w := range idle {
		leaving.Add(1)
		go func() { defer leaving.Done(); w.quit() }()
	}
	leaving.Wait()
}
