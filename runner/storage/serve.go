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

// Serve carries out request after request until there are no more. Whoever asks keeps its end of the pipe open until it has the answer; so an end in the middle of a call is the asker's own (it was killed), and the call is given up:
// it would get in the way of the next run.
func Serve(ctx context.Context, s Streams, env func(string) string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, ended := make(chan []byte), make(chan error, 1)
	go func() {
		defer cancel()
		defer close(lines)
		ended <- readLines(ctx, s.Requests, lines)
	}()
	for line := range lines {
		if err := s.answer(ctx, line, env); err != nil {
			return err
		}
	}
	return <-ended
}

// readLines hands the lines on until there are no more, or nobody takes them.
func readLines(ctx context.Context, from io.Reader, to chan<- []byte) error {
	in := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case to <- line:
		case <-ctx.Done():
			return nil
		}
	}
}

// answer carries out one request.
func (s Streams) answer(ctx context.Context, line []byte, env func(string) string) error {
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
	_, err = s.Answers.Write(append(reply, '\n'))
	return err
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
		return answer{Kind: "error", Type: "<worker>.Refused", Message: err.Error()}
	}
	return answer{Kind: "result", Value: out}
}
