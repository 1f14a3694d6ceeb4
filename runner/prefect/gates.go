// What which server understands. Prefect's request models refuse unknown keys with 422, so a field that came with a later version
// must not be sent to an earlier one. One table; a version that cannot be read, and Cloud, count as the newest.
package prefect

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Cloud stands where a version is expected: Prefect Cloud has no /admin/version and is always current.
const Cloud = "cloud"

type gate struct {
	// in is the mapping that the field stands in: "deployment", "schedule", "concurrency_options".
	in, field string
	since     [3]int
}

// gates returns the table. "partial update" is no field: before 3.2.0 PATCH lacked the parameter schema, and Prefect's own deploy
// always sent a whole deployment by POST.
func gates() []gate {
	return []gate{
		{"deployment", "labels", [3]int{3, 1, 5}},
		{"deployment", "version_info", [3]int{3, 3, 6}},
		{"deployment", "partial update", [3]int{3, 2, 0}},
		{"schedule", "slug", [3]int{3, 2, 0}},
		{"schedule", "parameters", [3]int{3, 2, 0}},
		{"schedule", "replaces", [3]int{3, 6, 17}},
		{"concurrency_options", "grace_period_seconds", [3]int{3, 6, 6}},
	}
}

// Supports tells whether a server of the version takes the field in that kind of mapping ("deployment", "schedule",
// "concurrency_options").
func Supports(version, in, field string) bool {
	have, ok := parseVersion(version)
	if !ok {
		return true
	}
	for _, g := range gates() {
		if g.in == in && g.field == field {
			for i := range have {
				if have[i] != g.since[i] {
					return have[i] > g.since[i]
				}
			}
		}
	}
	return true
}

// Admit returns the mapping without the fields that a server of the version would refuse.
func Admit(version, in string, v value.Value) value.Value {
	if v.Kind != value.Map {
		return v
	}
	kept := make([]value.Entry, 0, len(v.Map))
	for _, e := range v.Map {
		if Supports(version, in, e.Key) {
			kept = append(kept, e)
		}
	}
	v.Map = kept
	return v
}

// parseVersion reads "3.8.8", also with more behind it ("3.8.8.dev3", "3.8.8+x").
func parseVersion(text string) (v [3]int, ok bool) {
	parts := strings.SplitN(text, ".", 4)
	if len(parts) < 2 {
		return v, false
	}
	for i := 0; i < len(parts) && i < 3; i++ {
		digits := parts[i]
		if j := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); j >= 0 {
			digits = digits[:j]
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

type versionCache struct {
	mu      sync.Mutex
	version string
}

// Version is the server's ("3.8.8"), or Cloud. It is asked once; GET /admin/version answers a JSON text.
func (c *Client) Version(ctx context.Context) (string, error) {
	if c.config.cloud() {
		return Cloud, nil
	}
	c.version.mu.Lock()
	defer c.version.mu.Unlock()
	if c.version.version != "" {
		return c.version.version, nil
	}
	v, err := c.do(ctx, request{method: http.MethodGet, path: "/admin/version"})
	if StatusOf(err) == http.StatusNotFound {
		return c.versionWithout404(ctx)
	}
	if err != nil {
		return "", err
	}
	c.version.version = oneLine(v.Str())
	return c.version.version, nil
}

// versionWithout404 tells a Cloud behind another name from an address that is no Prefect API: one of them answers a filter.
func (c *Client) versionWithout404(ctx context.Context) (string, error) {
	if _, err := c.filter(ctx, "flows", nil, 1); err != nil {
		return "", err
	}
	c.version.version = Cloud
	return Cloud, nil
}
