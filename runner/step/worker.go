// One Python worker process and its protocol. A request is a line of JSON on a pipe of its own, the answer a line on another; what
// the function prints arrives on stdout and stderr and is nobody's business but the log's. worker.py is the other side.
//
// Whatever user code does must end in an answer or in a clear error: leaving with os._exit, a crash in C, a closed or redirected
// stdout, a fork that runs on, an output of gigabytes. After an ending of that kind, or a cancelled call, the worker is thrown away.
package step

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

//go:embed worker.py
var workerSource string

// bootstrap runs worker.py, which stands in the next argument, unless this Python is too old even to parse it.
const bootstrap = `import sys
if sys.version_info < (3, 8): sys.exit("Python 3.8 or later is needed, and this is " + sys.version.split()[0])
exec(compile(sys.argv.pop(1), "<worker>", "exec"))`

// maxAnswer bounds what one function may return, in bytes of JSON.
const maxAnswer = 64 << 20

// request is what goes to worker.py; the fields that a kind does not use stay empty.
type request struct {
	Kind       string      `json:"kind"` // call, require, flow or probe
	Function   string      `json:"function"`
	Inputs     value.Value `json:"inputs"`
	Requires   []string    `json:"requires"`
	Installed  bool        `json:"installed"` // what Requires names was already seen to in this run
	Entrypoint string      `json:"entrypoint"`
	Root       string      `json:"root"`
	Dir        string      `json:"dir"`
	Mark       string      `json:"mark"`
	Always     bool        `json:"always"` // for the companion: transfer what is there already, too
}

// answer is what comes back.
type answer struct {
	Kind    string      `json:"kind"` // result or error
	Value   value.Value `json:"value"`
	Type    string      `json:"type"`
	Message string      `json:"message"`
	Trace   string      `json:"trace"`
	// Cwd is the directory that the process ended up in.
	Cwd string `json:"cwd"`
	// Changed are the environment variables that it left otherwise than it found them; null is one that is gone.
	Changed map[string]*string `json:"changed"`
}

// PythonError is an exception that a function raised.
type PythonError struct {
	// Type is the exception's full name ("ValueError", "prefect.exceptions.ScriptError"), Message its text.
	Type, Message string
	// Trace are its last frames as Python prints them, without our own.
	Trace string
}

// OfFile reports whether an error is cured in the file that names the function, or beside it: there is no such function or module, its packages can't be installed, what it returned no later
// step can use, or there is no Python that could run it. What the function itself raised is none.
func OfFile(err error) bool {
	var e *PythonError
	var unusable *Unusable
	return errors.As(err, &e) && e.ours() || errors.Is(err, errTooLong) || errors.As(err, &unusable)
}

// The types of worker.py's own errors; their text says all. No class of somebody's own has such a name.
const (
	refused     = "<worker>.Refused"
	missing     = "<worker>.Missing"
	uninstalled = "<worker>.Uninstalled"
	notPlain    = "<worker>.NotPlain"
)

// Unusable is the error of an interpreter that does not get so far as to be asked anything.
type Unusable struct{ Path, Why string }

func (e *Unusable) Error() string {
	return fmt.Sprintf("the Python of the steps, %s, can't be used: activate another environment, or name a Python in %s; %s", e.Path, pythonVariable, e.Why)
}

// ours reports whether worker.py or a companion itself found the fault.
func (e *PythonError) ours() bool {
	return slices.Contains([]string{refused, missing, uninstalled, notPlain}, e.Type)
}

// Error is one sentence; the frames follow on lines of their own.
func (e *PythonError) Error() string {
	text := e.Message
	switch {
	case e.Type == "SystemExit" || e.ours():
	case text == "":
		text = e.Type
	default:
		text = e.Type + ": " + text
	}
	if e.Trace != "" {
		text += "\n" + e.Trace
	}
	return text
}

// worker is a running worker.py, or a companion that speaks as it does. It serves one request at a time.
type worker struct {
	name     string // what messages call it
	key      string // the python, environment and root it was started for
	child    *child
	requests *os.File
	answers  *os.File
	lines    *bufio.Reader
	out, err lines
	// cwd is the directory that the last call left, changed what became of its environment.
	cwd     string
	changed map[string]*string
	// greets: its first line says that it has begun; begun: that line was read.
	greets, begun bool
}

func startWorker(python, key string, env []string, root string) (*worker, error) {
	w, err := startProgram("Python", key, &exec.Cmd{Path: python, Args: []string{python, "-u", "-c", bootstrap, workerSource}, Dir: root, Env: append(slices.Clip(env), "PYTHONUNBUFFERED=1")})
	if err != nil {
		return nil, &Unusable{python, err.Error()}
	}
	w.greets = true
	return w, nil
}

// startProgram starts what speaks the protocol.
func startProgram(name, key string, cmd *exec.Cmd) (*worker, error) {
	w := &worker{name: name, key: key}
	w.out.keep, w.err.keep = true, true
	theirs, err := w.connect(cmd)
	if err != nil {
		return nil, err
	}
	w.child, err = start(cmd, w.out.write, w.err.write)
	closeAll(theirs...)
	if err != nil {
		closeAll(w.requests, w.answers)
		return nil, fmt.Errorf("%s cannot be started: %s", name, reason(err))
	}
	w.lines = bufio.NewReaderSize(w.answers, 64<<10)
	return w, nil
}

// ask sends one request and waits for its answer, or for the worker's end, or for ctx. alive says whether the worker can be asked
// again.
func (w *worker) ask(ctx context.Context, r request, stdout, stderr func([]byte)) (got value.Value, alive bool, err error) {
	if r.Inputs.IsNull() {
		r.Inputs = value.Value{Kind: value.Map}
	}
	if r.Requires == nil {
		r.Requires = []string{}
	}
	r.Mark = newMark()
	line, err := json.Marshal(r)
	if err != nil {
		return value.Value{}, true, err
	}
	outDone, errDone := w.out.expect(stdout, r.Mark), w.err.expect(stderr, r.Mark)
	read := make(chan reply, 1)
	go func() { read <- w.exchange(append(line, '\n')) }()
	select {
	case <-ctx.Done():
		w.kill()
		<-read
		return value.Value{}, false, ctx.Err()
	case got := <-read:
		if got.err != nil {
			return value.Value{}, false, w.broken(got.err)
		}
		if mergedStreams {
			outDone = errDone
		}
		w.settle(outDone, errDone)
		w.cwd, w.changed = got.answer.Cwd, got.answer.Changed
		v, err := got.answer.result()
		return v, true, err
	}
}

type reply struct {
	answer answer
	err    error
}

// exchange writes the request and reads the answer; both fail once the worker is gone.
func (w *worker) exchange(line []byte) reply {
	stop := make(chan struct{})
	defer close(stop)
	go func() { // a grandchild may hold the pipe open after the worker itself has ended
		select {
		case <-w.child.exited:
			timer := time.NewTimer(grace / 4)
			defer timer.Stop()
			select {
			case <-timer.C:
				closeAll(w.answers, w.requests)
			case <-stop:
			}
		case <-stop:
		}
	}()
	if _, err := w.requests.Write(line); err != nil {
		return reply{err: err}
	}
	if w.greets && !w.begun {
		if _, err := readLine(w.lines, maxAnswer); err != nil {
			return reply{err: err}
		}
		w.begun = true
	}
	text, err := readLine(w.lines, maxAnswer)
	if err != nil {
		return reply{err: err}
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return reply{err: fmt.Errorf("its answer is damaged (%w)", err)}
	}
	return reply{answer: a}
}

func (a answer) result() (value.Value, error) {
	if a.Kind == "error" {
		return value.Value{}, &PythonError{Type: a.Type, Message: a.Message, Trace: a.Trace}
	}
	return a.Value, nil
}

var errTooLong = fmt.Errorf("the function returned more than %d MB", maxAnswer>>20)

func readLine(r *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > most:
			return nil, errTooLong
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return nil, err
		}
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}

// settle waits until everything that the call printed was handed on. The marks were written before the answer, so this is short.
func (w *worker) settle(marks ...<-chan struct{}) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for _, mark := range marks {
		select {
		case <-mark:
		case <-timer.C:
		}
	}
}

// broken explains a worker that gave no answer.
func (w *worker) broken(cause error) error {
	ended := w.endedWithin(grace / 2)
	w.kill()
	state := w.child.cmd.ProcessState
	code := exitCode(state)
	switch {
	case errors.Is(cause, errTooLong):
		return cause
	case !errors.Is(cause, io.EOF) && !errors.Is(cause, os.ErrClosed) && !isBrokenPipe(cause):
		return fmt.Errorf("the worker (%s) failed: %w", w.name, cause)
	case w.greets && !w.begun:
		return &Unusable{w.child.cmd.Path, withTail(fmt.Sprintf("it ended at once, with code %d", code), w.err.tailText())}
	case !ended:
		return errors.New("the function closed the pipe on which its result travels (descriptors above 2 are not the function's to close)")
	}
	when := "before the function returned"
	if code == 0 {
		when += " (os._exit, or its descriptors were closed)"
	}
	return &ExitError{What: w.name, Code: code, When: when, Stderr: w.err.tailText()}
}

// endedWithin waits for the end of the process itself.
func (w *worker) endedWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-w.child.exited:
		return true
	case <-timer.C:
		return false
	}
}

// usable reports whether an idle worker still lives; what is left of one that does not is cleared away.
func (w *worker) usable() bool {
	select {
	case <-w.child.exited:
		w.kill()
		return false
	default:
		return true
	}
}

// kill ends the worker and all it started.
func (w *worker) kill() {
	closeAll(w.requests)
	select {
	case <-w.child.exited:
		endGroup(w.child.cmd, false)
		if !w.child.gone(grace / 4) {
			w.child.stop()
		}
	default:
		w.child.stop()
	}
	closeAll(w.answers)
	w.out.end()
	w.err.end()
}

// quit lets the worker leave by itself (its exit handlers run), and kills it if it does not. What a function deliberately left running
// stays, as under Prefect; we only stop listening to it.
func (w *worker) quit() {
	closeAll(w.requests)
	switch {
	case !w.endedWithin(grace):
		w.child.stop()
	case !w.child.gone(grace / 8):
		closeAll(w.child.pipes...)
		<-w.child.drained
	}
	closeAll(w.answers)
}

// newMark is a text that nothing printed by accident can equal.
func newMark() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return "\x00done " + hex.EncodeToString(random[:])
}
