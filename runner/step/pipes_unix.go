//go:build unix

// The worker's protocol pipes where a child can inherit descriptors: 3 for requests, 4 for answers.
package step

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// mergedStreams: what functions print on stdout arrives on stdout.
const mergedStreams = false

// connect makes the two pipes and gives cmd its ends, which are returned to be closed after the start.
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
	cmd.ExtraFiles = []*os.File{requestRead, answerWrite}
	cmd.Env = append(cmd.Env, "PREFECT_DEPLOY_WORKER_FDS=3,4")
	return cmd.ExtraFiles, nil
}

func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }
