// run_shell_script natively, with Prefect 3.8.8's behaviour (prefect/deployments/steps/utility.py; 2.20 has no `shell`).
//
// Every line of the script is a process of its own. Take
//
//	script: |
//	  echo "Hello $NAME"
//	  cd build
//
// Nothing is a shell here: the first line prints `$NAME` as it stands unless expand_env_vars is set, and the second fails, as there
// is no program `cd`. With `shell: true` each line goes to /bin/sh, still one by one. The outputs are what all lines wrote, stripped.
//
// Two things are chosen: stdin is empty (Prefect's child would share ours, which several steps at once cannot), and bytes that are not
// UTF-8 are replaced over the whole output (Prefect decodes blocks of 4,096 bytes one by one and so breaks characters on their
// borders).
package step

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unsafe"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// script is one call of run_shell_script, its arguments checked.
type script struct {
	text          string
	dir           string
	env           []string
	vars          map[string]string
	expand, shell bool
	out, err      output
}

// runShellScript gives {"stdout": …, "stderr": …}.
func runShellScript(ctx context.Context, c Call) (value.Value, error) {
	s, err := newScript(c)
	if err != nil {
		return value.Value{}, err
	}
	for i, line := range splitlines(s.text) {
		if err := ctx.Err(); err != nil {
			return value.Value{}, err
		}
		if err := s.run(ctx, i+1, line); err != nil {
			return value.Value{}, err
		}
	}
	return result("stdout", strip(s.out.text()), "stderr", strip(s.err.text())), nil
}

func newScript(c Call) (*script, error) {
	optional := []string{"directory", "env", "stream_output", "expand_env_vars"}
	if c.Prefect != 2 {
		optional = append(optional, "shell")
	}
	if err := arguments(c, "script", optional...); err != nil {
		return nil, err
	}
	text, _ := c.Inputs.Get("script")
	s := &script{text: text.Text, dir: c.Dir, vars: make(map[string]string, len(c.Env))}
	for _, kv := range c.Env {
		if k, v, ok := strings.Cut(kv, "="); ok && k != "" {
			s.vars[k] = v
		}
	}
	s.env = append(make([]string, 0, len(c.Env)), c.Env...)
	if err := s.addEnv(c.Inputs); err != nil {
		return nil, err
	}
	if dir, ok := c.Inputs.Get("directory"); ok && !dir.IsNull() {
		if dir.Kind != value.Text {
			return nil, fmt.Errorf("the argument \"directory\" of run_shell_script must be text, not %s", dir.Kind)
		}
		var err error
		if s.dir, err = existing(c.Dir, dir.Text); err != nil {
			return nil, err
		}
	}
	// These three are judged as Python judges truth: the text "false" is true.
	expand, _ := c.Inputs.Get("expand_env_vars")
	shell, _ := c.Inputs.Get("shell")
	s.expand, s.shell = expand.Truthy(), shell.Truthy() || alwaysShell
	if stream, ok := c.Inputs.Get("stream_output"); !ok || stream.Truthy() {
		s.out.live.to, s.err.live.to = c.Stdout, c.Stderr
	}
	return s, nil
}

// addEnv lays the `env` argument over the environment. Python's dict.update would also take a list of pairs; that nobody writes.
func (s *script) addEnv(inputs value.Value) error {
	env, _ := inputs.Get("env")
	if !env.Truthy() {
		return nil
	}
	if env.Kind != value.Map {
		return fmt.Errorf("the argument \"env\" of run_shell_script must be a mapping of names to text, not %s", env.Kind)
	}
	for _, e := range env.Map {
		switch {
		case e.Value.Kind != value.Text:
			return fmt.Errorf("the value of %q under \"env\" must be text, not %s: put it in quotes", e.Key, e.Value.Kind)
		case strings.ContainsAny(e.Key, "=\x00"):
			return fmt.Errorf("the name %q under \"env\" cannot be that of an environment variable", e.Key)
		case strings.IndexByte(e.Value.Text, 0) >= 0:
			return fmt.Errorf("the value of %q under \"env\" holds a NUL character, which no environment can", e.Key)
		}
		s.vars[e.Key] = e.Value.Text
		s.env = append(s.env, e.Key+"="+e.Value.Text)
	}
	return nil
}

// run carries out line number n of the script; a line without words is nothing.
func (s *script) run(ctx context.Context, n int, line string) error {
	if s.expand {
		line = substitute(line, s.vars)
	}
	c, err := s.start(line)
	if err != nil {
		return fmt.Errorf("line %d of the script: %w", n, err)
	}
	if c == nil {
		return nil
	}
	select {
	case <-c.drained:
	case <-ctx.Done():
		c.stop()
		s.out.live.end()
		s.err.live.end()
		return ctx.Err()
	}
	s.out.live.end()
	s.err.live.end()
	if code := exitCode(c.cmd.ProcessState); code != 0 {
		return &ExitError{What: fmt.Sprintf("line %d of the script", n), Code: code, Stderr: s.err.text()}
	}
	return nil
}

// start returns a nil child for a line that has nothing to run.
func (s *script) start(line string) (*child, error) {
	if s.shell {
		line = strip(line)
		if line == "" {
			return nil, nil
		}
		cmd := shellCommand(line)
		cmd.Dir, cmd.Env = s.dir, s.env
		c, err := start(cmd, s.out.write, s.err.write)
		if err != nil {
			return nil, fmt.Errorf("the shell cannot be started: %s", reason(err))
		}
		return c, nil
	}
	words, err := splitWords(line)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, nil
	}
	if words[0] == "" {
		return nil, fmt.Errorf("the first word is empty, so there is no program to run")
	}
	path, ok := s.vars["PATH"]
	if !ok {
		path = defaultPath
	}
	c, err := startWords(words, s.dir, s.env, path, s.out.write, s.err.write)
	if err != nil && words[0][0] == '#' {
		return nil, fmt.Errorf("%w: a comment is run as a command here, so leave it out, or put it into prefect.yaml itself", err)
	}
	return c, err
}

// output is one stream of a script: kept whole for the outputs, and handed on line by line while it comes.
type output struct {
	mu     sync.Mutex
	chunks [][]byte
	size   int
	live   lines
}

func (o *output) write(chunk []byte) {
	o.mu.Lock()
	o.keep(chunk)
	o.mu.Unlock()
	o.live.write(chunk)
}

// keep appends in blocks that are never moved again, so that 100 MB of output cost 100 MB while they come in, and not twice that.
func (o *output) keep(chunk []byte) {
	const block = 256 << 10
	o.size += len(chunk)
	for len(chunk) > 0 {
		last := len(o.chunks) - 1
		if last < 0 || len(o.chunks[last]) == cap(o.chunks[last]) {
			size := block
			if last < 0 {
				size = 4 << 10
			}
			o.chunks = append(o.chunks, make([]byte, 0, max(size, min(block, len(chunk)))))
			last++
		}
		n := min(len(chunk), cap(o.chunks[last])-len(o.chunks[last]))
		o.chunks[last] = append(o.chunks[last], chunk[:n]...)
		chunk = chunk[n:]
	}
}

// text is all that was written so far, decoded.
func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	whole := make([]byte, 0, o.size)
	for _, c := range o.chunks {
		whole = append(whole, c...)
	}
	return decode(unsafe.String(unsafe.SliceData(whole), len(whole))) // whole is never written again
}
