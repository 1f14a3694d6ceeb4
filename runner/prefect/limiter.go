// How many writes go out at once. A server on SQLite answers "database is locked" (503) from about four concurrent writers on,
// while Prefect Cloud gains with every one; nobody can know beforehand which it is. So the number finds itself, as a network
// connection finds its rate: it begins low, halves when the server says that it is too much, and grows by one after a run of
// successes. Where it once fell it comes back to slowly.
//
//	2 ─ok×16─▶ 3 ─ok×24─▶ 4 ─503─▶ 2 ─ok×16─▶ 3 ─ok×240─▶ 4
package prefect

import (
	"context"
	"sync"
)

// growth is how many successes per writer it takes to add one; slowGrowth replaces it where the limit fell before.
const (
	growth     = 8
	slowGrowth = 80
)

// Limiter bounds concurrent writes. Use NewLimiter.
type Limiter struct {
	mu      sync.Mutex
	limit   int
	max     int
	busy    int
	good    int
	fellAt  int
	era     int
	waiting []chan struct{}
}

// NewLimiter begins with start writers and never exceeds most; below 1 they count as 1 and start.
func NewLimiter(start, most int) *Limiter {
	start = max(start, 1)
	return &Limiter{limit: start, max: max(most, start)}
}

// Limit is how many may write at once now.
func (l *Limiter) Limit() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit
}

// acquire waits for a turn and returns the era it began in, for overload. The caller releases when err is nil.
func (l *Limiter) acquire(ctx context.Context) (era int, err error) {
	l.mu.Lock()
	if l.busy < l.limit && len(l.waiting) == 0 {
		l.busy++
		era = l.era
		l.mu.Unlock()
		return era, nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.era, nil
	case <-ctx.Done():
		l.abandon(turn)
		return 0, ctx.Err()
	}
}

// abandon leaves the queue; a turn that was given in the same moment is passed on.
func (l *Limiter) abandon(turn chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range l.waiting {
		if w == turn {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return
		}
	}
	l.busy--
	l.wake()
}

func (l *Limiter) release(success bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
	if success && l.limit < l.max {
		l.good++
		needed := growth
		if l.fellAt > 0 && l.limit+1 >= l.fellAt {
			needed = slowGrowth
		}
		if l.good >= needed*l.limit {
			l.good = 0
			l.limit++
		}
	}
	l.wake()
}

// overload halves the limit, once for all requests that were under way together.
func (l *Limiter) overload(era int) (now int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.good = 0
	if era == l.era {
		l.fellAt = l.limit
		l.limit = max(1, l.limit/2)
		l.era++
	}
	return l.era
}

func (l *Limiter) wake() {
	for l.busy < l.limit && len(l.waiting) > 0 {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
		l.busy++
	}
}
