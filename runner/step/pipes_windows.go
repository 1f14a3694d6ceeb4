//go:build windows

// The worker's protocol pipes where no further descriptors can be inherited: stdin and stdout are the pipes, worker.py moves them out
// of the way first thing and sends what is printed to stderr.
package step

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// mergedStreams: what functions print on stdout arrives on stderr.
const mergedStreams = true

func (w *worker) connect(cmd *exec.Cmd) ([]*os.File, error) {
	requestRead, requestWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answerRead, answerWrite, err := os.Pipe()
	if err != nil {
		closeAll(requestRead, requestWrite)
		return nil, err
	}
	w.requests, w.answers = requestWrite, answerRead
	cmd.Stdin, cmd.Stdout = requestRead, answerWrite
	return []*os.File{requestRead, answerWrite}, nil
}

func isBrokenPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ERROR_BROKEN_PIPE)
}
