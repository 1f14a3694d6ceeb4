// The companion's side of the protocol that the Python worker speaks: a request is a line of JSON on a pipe of its own, the answer a line on another, and what is told to people goes to stderr, with a mark at its end. runner/step has the other side.
package storage

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Request is what comes in. Fields that only the Python worker needs are not read.
type Request struct {
	Function string      `json:"function"`
	Inputs   value.Value `json:"inputs"`
	Dir      string      `json:"dir"`
	Always   bool        `json:"always"`
	Mark     string      `json:"mark"`
}

// answer is what goes back: a result, or an error whose type Unsupported says that nothing was done.
type answer struct {
	Kind    string      `json:"kind"`
	Value   value.Value `json:"value"`
	Type    string      `json:"type"`
	Message string      `json:"message"`
	Trace   string      `json:"trace"`
}

// Streams are the four ends of the protocol. Stdout gets nothing but the marks.
type Streams struct {
	Requests                io.Reader
	Answers, Stdout, Errors io.Writer
}

// Serve carries out request after request until there are no more.
func Serve(ctx context.Context, s Streams, env func(string) string) error {
	in := bufio.NewReaderSize(s.Requests, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var r Request
		if err := json.Unmarshal(line, &r); err != nil {
			return errors.New("a request is damaged") // what it holds may be secret
		}
		reply, err := json.Marshal(s.serve(ctx, r, env))
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Stdout, "%s\n", r.Mark)
		fmt.Fprintf(s.Errors, "%s\n", r.Mark)
		if _, err := s.Answers.Write(append(reply, '\n')); err != nil {
			return err
		}
	}
}

func (s Streams) serve(ctx context.Context, r Request, env func(string) string) answer {
	var mu sync.Mutex
	out, err := Run(ctx, Call{Function: r.Function, Inputs: r.Inputs, Dir: r.Dir, Env: env, Always: r.Always, Log: func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(s.Errors, line)
	}})
	var unsupported *Unsupported
	switch {
	case errors.As(err, &unsupported):
		return answer{Kind: "error", Type: "Unsupported", Message: unsupported.Why}
	case err != nil:
		return answer{Kind: "error", Type: "Refused", Message: err.Error()}
	}
	return answer{Kind: "result", Value: out}
}
