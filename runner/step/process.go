// Child processes: started as the leader of a group of their own, so that whatever they start can be ended with them, with stdout
// and stderr on pipes that we read. os/exec's own pipes and CommandContext are not used for two reasons: they end only the direct
// child, and their WaitDelay cuts off a child that outlives its parent, while Prefect reads until the last writer is gone.
package step

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"time"
)

// grace is how long a group may take to end after it was asked to (SIGTERM), before it is killed; and how long after that we wait
// for pipes that a process outside of the group still holds.
const grace = 2 * time.Second

// child is a running process with its readers.
type child struct {
	cmd   *exec.Cmd
	pipes []*os.File
	// exited is closed when the process is gone, drained when also all output was read.
	exited, drained chan struct{}
}

// start runs cmd. Each sink gets the chunks of its stream, from one goroutine; a chunk is only valid during the call.
func start(cmd *exec.Cmd, stdout, stderr func(chunk []byte)) (*child, error) {
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	errRead, errWrite, err := os.Pipe()
	if err != nil {
		closeAll(outRead, outWrite)
		return nil, err
	}
	if cmd.Stdout == nil { // the worker on Windows has its own use for it
		cmd.Stdout = outWrite
	}
	cmd.Stderr = errWrite
	ownGroup(cmd)
	err = cmd.Start()
	closeAll(outWrite, errWrite)
	if err != nil {
		closeAll(outRead, errRead)
		return nil, err
	}
	c := &child{cmd: cmd, pipes: []*os.File{outRead, errRead}, exited: make(chan struct{}), drained: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Add(2)
	go read(&reading, outRead, stdout)
	go read(&reading, errRead, stderr)
	go func() {
		_ = cmd.Wait() // what it says is read from cmd.ProcessState
		close(c.exited)
		reading.Wait()
		closeAll(c.pipes...)
		close(c.drained)
	}()
	return c, nil
}

func read(done *sync.WaitGroup, from *os.File, to func([]byte)) {
	defer done.Done()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			to(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

// stop ends the whole group and returns when it is gone: asked first, killed after the grace. It may be called twice.
func (c *child) stop() {
	endGroup(c.cmd, false)
	if c.gone(grace) {
		return
	}
	endGroup(c.cmd, true)
	if c.gone(grace) {
		return
	}
	closeAll(c.pipes...) // a process that left the group holds them
	<-c.drained
}

func (c *child) gone(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-c.drained:
		return true
	case <-timer.C:
		return false
	}
}

// closeAll closes what it can: closing a pipe twice, or one whose other end is gone, is no fault here.
func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// reason turns what starting a program answered into words without Go's "fork/exec".
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
