// What a second core can do for a large file: read the Python files that it will want while yaml.v3, which knows one core only, still parses; then convert
// deployments while the first core checks those already converted. Neither changes a result: flows are only remembered, and deployments and their
// diagnostics arrive in the file's order.
package check

import (
	"bytes"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
)

// furthest is how many entrypoints are read ahead, so that a file of nothing else costs no more than what its deployments cost anyway.
const furthest = 100_000

// ahead reads flows whose entrypoints seem to stand in src, and returns what ends that.
func (c *Checker) ahead(src []byte) (stop func()) {
	if bytes.Contains(src, []byte("x-ci")) { // the root may be another, which only the parsed file tells
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		seen := map[string]bool{}
		for len(seen) < furthest {
			var e string
			var ok bool
			if e, src, ok = nextEntrypoint(src); !ok {
				return
			}
			if seen[e] || template.Has(e) {
				continue
			}
			seen[e] = true
			select {
			case <-quit:
				return
			default:
				c.flowIn(".", e)
			}
		}
	}()
	return func() { close(quit); <-done }
}

// nextEntrypoint finds the next text that looks like an entrypoint's value. A wrong guess costs the reading of a file.
func nextEntrypoint(src []byte) (e string, rest []byte, ok bool) {
	const key = "entrypoint: "
	for {
		i := bytes.Index(src, []byte(key))
		if i < 0 {
			return "", nil, false
		}
		src = src[i+len(key):]
		end := bytes.IndexAny(src, "\r\n,}#")
		if end < 0 {
			end = len(src)
		}
		if e = strings.Trim(string(src[:min(end, 500)]), " \"'"); strings.Contains(e, ".py:") {
			return e, src[end:], true
		}
		src = src[end:]
	}
}

// checkable is a converted deployment with what is wrong with its form.
type checkable struct {
	deployment *spec.Deployment
	diags      diag.List
}

// converted converts the deployments of a file, in order, in batches, and lets go of each.
func converted(f *spec.File) <-chan []checkable {
	const batch = 32
	out := make(chan []checkable, 4)
	go func() {
		defer close(out)
		for i := 0; i < f.Len(); i += batch {
			list := make([]checkable, 0, batch)
			for j := i; j < min(i+batch, f.Len()); j++ {
				var x checkable
				x.deployment = f.Take(j, &x.diags)
				list = append(list, x)
			}
			out <- list
		}
	}()
	return out
}
