// Where a bucket is: its region need not be named, since a server that is asked in the name of another one tells.
package storage

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func TestRegionIsFollowed(t *testing.T) {
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "absent"))
	}
	for _, c := range []struct {
		name, body, header string
		status             int
		follows            bool
	}{
		{"AWS, signed for another", "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'eu-central-1'</Message></Error>", "", 400, true},
		{"versitygw", `<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region "eu-west-1" is wrong; expecting "eu-central-1"</Message></Error>`, "", 400, true},
		{"AWS, asked in another", "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint.</Message></Error>", "eu-central-1", 301, true},
		{"nobody tells", "<Error><Code>PermanentRedirect</Code><Message>no</Message></Error>", "", 301, false},
		{"no region", "<Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting 'evil.example.com/#'</Message></Error>", "", 400, false},
		{"may not", "<Error><Code>AccessDenied</Code><Message>expecting 'eu-central-1'</Message></Error>", "eu-central-1", 403, false},
	} {
		var regions []string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			region := strings.Split(r.Header.Get("Authorization")+"///", "/")[2]
			regions = append(regions, region)
			if region != "eu-central-1" && r.Method == http.MethodGet {
				w.Header().Set("X-Amz-Bucket-Region", c.header)
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}
		}))
		inputs, err := value.FromJSON([]byte(fmt.Sprintf(`{"bucket": "some-bucket", "folder": "app", "credentials": {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}, "client_parameters": {"endpoint_url": %q}}`, s.URL)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := openS3(context.Background(), Call{Inputs: inputs, Dir: t.TempDir(), Env: func(string) string { return "" }})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte("text"), 0o644); err != nil {
			t.Fatal(err)
		}
		want := "eu-west-1"
		if c.follows {
			want = "eu-central-1"
		}
		if err := putFile(context.Background(), b, "k", file); err != nil || len(regions) != 2 || regions[1] != want {
			t.Errorf("%s: asked in %v, want %s last; error %v", c.name, regions, want, err)
		}
		b.close()
		s.Close()
	}
}
