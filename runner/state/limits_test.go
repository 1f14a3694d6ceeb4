// Which limit an update may touch; limits_real_test.go asks a server.
package state

import (
	"testing"

	"github.com/org/prefect-deploy-action/runner/prefect"
)

func TestSparingLimit(t *testing.T) {
	for _, c := range []struct{ name, foreign, was, body, want string }{
		{"its own", "", "5", `{"concurrency_limit":3}`, `{"concurrency_limit":3}`},
		{"another's", "shared", "5", `{"concurrency_limit":3,"tags":[]}`, `{"concurrency_limit":3,"tags":[],"global_concurrency_limit_id":null}`},
		{"another's, none wanted", "shared", "5", `{"concurrency_limit":null,"tags":[]}`, `{"tags":[],"global_concurrency_limit_id":null}`},
		{"another's of the same number", "shared", "3", `{"concurrency_limit":3,"tags":[]}`, `{"tags":[]}`},
		{"another's, not spoken of", "shared", "3", `{"tags":[]}`, `{"tags":[]}`},
	} {
		live := &Live{ForeignLimit: c.foreign, Fields: parsed(t, `{"concurrency_limit":`+c.was+`}`)}
		if got := string(sparingLimit(parsed(t, c.body), live).AppendJSON(nil)); got != c.want {
			t.Errorf("%s: sends %s, want %s", c.name, got, c.want)
		}
	}
}

func TestForeignLimit(t *testing.T) {
	for raw, want := range map[string]string{`{"global_concurrency_limit":null}`: "", `{}`: "", `{"global_concurrency_limit":{"name":"deployment:42"}}`: "", `{"global_concurrency_limit":{"name":"by hand"}}`: "by hand"} {
		if got := foreignLimit(prefect.Deployment{ID: "42", Raw: parsed(t, raw)}); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
