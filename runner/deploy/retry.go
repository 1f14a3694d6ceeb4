// Repeating a step: only when the network was at fault, since a failing build fails again, and a script may have done half of its work.
package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

// repeat calls do again after a network failure, with a pause that doubles from one second to a minute. say, which may be nil, tells of it in the step's log.
func (j *job) repeat(ctx context.Context, say func([]byte), do func() (value.Value, error)) (value.Value, error) {
	pause := time.Second
	for attempt := 0; ; attempt++ {
		v, err := do()
		if err == nil || attempt >= j.Retries || ctx.Err() != nil || !step.NetworkFailed(err.Error()) {
			return v, err
		}
		if say != nil {
			say(fmt.Appendf(nil, "the network failed, so this is tried again in %s (%d of %d)", pause, attempt+1, j.Retries))
		}
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case <-j.Wait(pause):
		}
		pause = min(2*pause, time.Minute)
	}
}
