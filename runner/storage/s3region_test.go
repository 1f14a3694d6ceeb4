// A server that knows its region, and refuses what is signed for another: in the two ways of AWS, and with a region that would lead elsewhere.
package storage

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func TestBucketsOfAnotherRegion(t *testing.T) {
	for name, refusal := range map[string]struct {
		status       int
		code, region string
		fails        bool
	}{
		"moved":           {301, "PermanentRedirect", "eu-west-1", false},
		"malformed":       {400, "AuthorizationHeaderMalformed", "eu-west-1", false},
		"the same again":  {301, "PermanentRedirect", "us-west-2", true},
		"no region":       {301, "PermanentRedirect", "", true},
		"another's host":  {301, "PermanentRedirect", "x.example.com/", true},
		"refused for all": {403, "AccessDenied", "eu-west-1", true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"} {
				t.Setenv(v, "")
			}
			var mu sync.Mutex
			objects, asked := map[string]string{"app/a": "a"}, 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				data, _ := io.ReadAll(r.Body)
				asked++
				key := strings.TrimPrefix(r.URL.Path, "/b/")
				switch {
				case refusal.status == 403 || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/"):
					w.Header().Set("X-Amz-Bucket-Region", refusal.region)
					w.WriteHeader(refusal.status)
					fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>no</Message></Error>`, refusal.code)
				case r.Method == http.MethodPut:
					objects[key] = string(data)
				case r.URL.Query().Has("list-type"):
					fmt.Fprint(w, `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>app/a</Key><ETag>"e"</ETag><Size>1</Size></Contents></ListBucketResult>`)
				default:
					w.Header().Set("ETag", `"e"`)
					w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
					fmt.Fprint(w, objects[key])
				}
			}))
			t.Cleanup(server.Close)
			from, to := t.TempDir(), t.TempDir()
			files := map[string]string{}
			for i := range 40 {
				files[fmt.Sprintf("f%d", i)] = "x"
			}
			writeFiles(t, from, files)
			for _, c := range []Call{pullCall(to), pushCall(from)} {
				c.Always = true // a push that lists nothing first is told by its files, many at once
				c.Inputs = c.Inputs.Set("credentials", value.Of([]value.Entry{{Key: "aws_access_key_id", Value: value.Of("id")}, {Key: "aws_secret_access_key", Value: value.Of("secret")}})).
					Set("client_parameters", value.Of([]value.Entry{{Key: "endpoint_url", Value: value.Of(server.URL)}}))
				if _, err := Run(context.Background(), c); (err != nil) != refusal.fails {
					t.Errorf("%s: %v", c.Function, err)
				}
			}
			if got, _ := os.ReadFile(filepath.Join(to, "a")); !refusal.fails && (string(got) != "a" || len(objects) != 41) {
				t.Errorf("pulled %q, and %d objects are there after %d requests", got, len(objects), asked)
			}
		})
	}
}
