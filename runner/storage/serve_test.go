// Who asks may be killed in the middle of a call: then the call is nobody's any more.
package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestServeGivesUpWhatNobodyWaitsFor(t *testing.T) {
	asked, over := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	in, out := io.Pipe()
	served := make(chan error, 1)
	var answers, said bytes.Buffer
	go func() {
		served <- Serve(context.Background(), Streams{Requests: in, Answers: &answers, Stdout: io.Discard, Errors: &said}, func(string) string { return "" })
	}()
	fmt.Fprintf(out, `{"function": "prefect_aws.deployments.steps.pull_from_s3", "dir": %q, "mark": "m", "inputs": {"bucket": "b", "folder": "app", "credentials": {"aws_access_key_id": "i", "aws_secret_access_key": "k"}, "client_parameters": {"endpoint_url": %q}}}`+"\n", t.TempDir(), server.URL)
	<-asked
	out.Close()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on with a call whose asker is gone")
	}
}
