// Command storage carries Prefect's steps for buckets out. It is a companion of `run`, which starts it as prefect-deploy-storage and speaks with it over two pipes: nothing secret is in its arguments, and nobody types it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/runner/storage"
)

// pipes names the descriptors of the protocol's two pipes: stdin and stdout where there can be no others.
const pipes = "PREFECT_DEPLOY_WORKER_FDS"

// memory is from where on Go collects more often: the program stays near it, not strictly below. The buffers of what runs at once are about half of it.
const memory = 120 << 20

func main() {
	debug.SetMemoryLimit(memory)
	debug.SetGCPercent(400)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(cli.ExitError)
	}
}

func run(ctx context.Context) error {
	s, err := streams(os.Getenv(pipes))
	if err != nil {
		return err
	}
	os.Unsetenv(pipes)
	return storage.Serve(ctx, s, os.Getenv)
}

func streams(numbers string) (storage.Streams, error) {
	s := storage.Streams{Requests: os.Stdin, Answers: os.Stdout, Stdout: io.Discard, Errors: os.Stderr}
	if numbers == "" {
		if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice != 0 {
			return s, fmt.Errorf("this program is started by `run`, and takes nothing that is typed")
		}
		return s, nil
	}
	in, out, ok := strings.Cut(numbers, ",")
	from, err1 := strconv.Atoi(in)
	to, err2 := strconv.Atoi(out)
	if !ok || err1 != nil || err2 != nil {
		return s, fmt.Errorf("%s is two numbers", pipes)
	}
	s.Requests, s.Answers, s.Stdout = os.NewFile(uintptr(from), "requests"), os.NewFile(uintptr(to), "answers"), os.Stdout
	return s, nil
}
