// Many transfers at once, with bounds: so many requests, and so many bytes of buffers. What fails for the network's sake is tried again; the first other failure ends the rest.
package storage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// atOnce are the transfers that run side by side.
	atOnce = 32
	// buffers bounds what they hold in memory, in bytes; a transfer holds at most its object or largest of them.
	buffers, largest = 64 << 20, 48 << 20
	attempts         = 4
	// longest is the most that the clouds' libraries wait between two tries.
	longest = 3 * time.Second
)

// transfer is one file's way.
type transfer struct {
	name string
	size int64
	// do carries it out; same says that nothing had to be.
	do func(ctx context.Context) (same bool, err error)
}

// transferAll runs them. fault makes the error of one a sentence.
func transferAll(ctx context.Context, c Call, todo []transfer, done, where string, fault func(name string, err error) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var total int64
	for _, t := range todo {
		total += t.size
	}
	p := progress{files: len(todo), bytes: total, begun: time.Now()}
	defer p.every(5*time.Second, func() { c.log(p.line()) })()
	memory := semaphore.NewWeighted(buffers)
	queue := make(chan transfer)
	var first error
	var once sync.Once
	var wait sync.WaitGroup
	for range min(atOnce, len(todo)) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for t := range queue {
				if ctx.Err() != nil {
					continue
				}
				weight := min(2*t.size, largest)
				if memory.Acquire(ctx, weight) != nil {
					continue
				}
				same, err := again(ctx, t.do)
				memory.Release(weight)
				if err != nil {
					once.Do(func() { first = fault(t.name, err); cancel() })
					continue
				}
				p.count(t.size, same)
			}
		}()
	}
	for _, t := range todo {
		queue <- t
	}
	close(queue)
	wait.Wait()
	if first != nil {
		return first
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.log(p.end(done, where))
	return nil
}

// again repeats what failed for the network's sake, after a pause that doubles.
func again(ctx context.Context, do func(context.Context) (bool, error)) (same bool, err error) {
	pause := 200 * time.Millisecond
	for n := 1; ; n++ {
		same, err = do(ctx)
		if err == nil || n == attempts || ctx.Err() != nil || !brokenOff(err) {
			return same, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// brokenOff reports whether a transfer ended in its middle. What the cloud's own library has already tried several times (a server that is not there) is not.
func brokenOff(err error) bool {
	var network net.Error
	var done tried
	if errors.As(err, &done) {
		return false
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errChanged) || errors.Is(err, errDamaged) || errors.As(err, &network) && network.Timeout()
}

// distrusted reports whether a server's certificate is none that this machine trusts, which no repetition changes.
func distrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate)
}

// tried is what has been tried as often as it is worth: by the cloud's own library, or part by part.
type tried struct{ error }

func (e tried) Unwrap() error { return e.error }

func triedIf(err error) error {
	if err == nil {
		return nil
	}
	return tried{err}
}

var (
	// errChanged: an object is not the one that was listed.
	errChanged = errors.New("it was changed after the bucket was listed: run this again")
	// errDamaged: what came is not what the server has a checksum of.
	errDamaged = errors.New("its bytes are not those of the checksum that the server tells")
)

// progress counts what is done.
type progress struct {
	files int
	bytes int64
	begun time.Time

	done, same  atomic.Int64
	transferred atomic.Int64
}

func (p *progress) count(size int64, same bool) {
	p.done.Add(1)
	p.transferred.Add(size)
	if same {
		p.same.Add(1)
	}
}

func (p *progress) line() string {
	return fmt.Sprintf("%d of %s, %s of %s", p.done.Load(), plural(p.files, "file"), size(p.transferred.Load()), size(p.bytes))
}

// end is the last line.
func (p *progress) end(done, where string) string {
	line := fmt.Sprintf("%s %s (%s) %s", done, plural(p.files, "file"), size(p.bytes), where)
	if same := p.same.Load(); same > 0 {
		line += fmt.Sprintf("; %d of them were there already", same)
	}
	return line
}

// every calls say again and again until the returned function is called.
func (p *progress) every(d time.Duration, say func()) (stop func()) {
	ticker, ended, over := time.NewTicker(d), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case <-ticker.C:
				say()
			case <-ended:
				return
			}
		}
	}()
	return func() { ticker.Stop(); close(ended); <-over }
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
