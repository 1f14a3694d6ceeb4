// The companion for buckets: found, or built, when the first step wants it.
package main

import (
	"context"
	"io"
	"sync"

	"github.com/org/prefect-deploy-action/runner/companion"
)

// storage looks for the companion once.
func storage(log io.Writer) func(context.Context) (string, error) {
	var once sync.Once
	var path string
	var err error
	return func(ctx context.Context) (string, error) {
		once.Do(func() {
			path, err = companion.Companion{Name: "prefect-deploy-storage", Package: "cmd/storage", Log: log}.Find(ctx)
		})
		return path, err
	}
}
