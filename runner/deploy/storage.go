// Steps for buckets: the companion with the clouds' libraries carries them out, Prefect's own Python functions where there is no companion, or where a step is written in a way that only they know.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

// storageProgram is the companion of a run, looked for once, and only when a step wants it: building it takes minutes.
type storageProgram struct {
	once sync.Once
	path string
	err  error
}

// storage is the companion's path, or why there is none.
func (j *job) storage(ctx context.Context) (string, error) {
	j.buckets.once.Do(func() {
		if j.Storage == nil {
			j.buckets.err = errors.New("there is no companion for buckets")
			return
		}
		j.buckets.path, j.buckets.err = j.Storage(ctx)
	})
	return j.buckets.path, j.buckets.err
}

// byStorage reports whether the companion carries a step out.
func (j *job) byStorage(ctx context.Context, function string, requires []string) bool {
	if !step.IsStorage(function, requires) {
		return false
	}
	_, err := j.storage(ctx)
	return err == nil
}

// withStorage is what carries a step for buckets out: the companion, and Python for what that leaves to it.
func withStorage(program string, interpreter func() (*step.Python, error)) step.Func {
	return func(ctx context.Context, c step.Call) (value.Value, error) {
		outputs, err := step.Storage(program)(ctx, c)
		var left *step.Unsupported
		if !errors.As(err, &left) {
			return outputs, err
		}
		python, err := interpreter()
		if err != nil {
			return value.Value{}, fmt.Errorf("%s is what only Prefect's own function does, and no Python was found: %w", left.Why, err)
		}
		if c.Stderr != nil {
			c.Stderr([]byte("left to Prefect's own function: " + left.Why))
		}
		return step.Lookup(c.Function, python)(ctx, c)
	}
}
