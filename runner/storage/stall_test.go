// Servers that stand still, and ones that are merely slow.
package storage

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestConnectionsOnWhichNothingMoves(t *testing.T) {
	const limit = 300 * time.Millisecond
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/silent":
			<-ended
		case "/half":
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			<-ended
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	transport := http.DefaultTransport.(*http.Transport).Clone()
	patient(transport, limit)
	t.Cleanup(transport.CloseIdleConnections)
	for path, want := range map[string]string{"/silent": "", "/half": "half"} {
		got, err := read(&http.Client{Transport: transport}, server.URL+path)
		var network net.Error
		if got != want || !errors.As(err, &network) || !network.Timeout() {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
}

// TestSlowIsNotSilent: ten bytes, 50 seconds apart, arrive; then nothing comes for a minute.
func TestSlowIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer here.Close()
		defer there.Close()
		go func() {
			for range 10 {
				time.Sleep(50 * time.Second)
				_, _ = there.Write([]byte("x"))
			}
		}()
		began := time.Now()
		data, err := io.ReadAll(&moving{here, time.Minute})
		var network net.Error
		if string(data) != "xxxxxxxxxx" || !errors.As(err, &network) || !network.Timeout() || time.Since(began) != 560*time.Second {
			t.Errorf("%q, %v after %s", data, err, time.Since(began))
		}
	})
}

// TestTokensThatDoNotCome: whoever gives the tokens stands still, and the call ends; so does one for an object of which nothing comes, after a few requests and not after all repetitions of all repetitions.
func TestTokensThatDoNotCome(t *testing.T) {
	for function, inputs := range map[string]string{
		"prefect_gcp.deployments.steps.pull_from_gcs": `{"bucket": "b", "folder": "app", "credentials": {"service_account_info": ACCOUNT}}`,
		"prefect_aws.deployments.steps.pull_from_s3":  `{"bucket": "b", "folder": "app", "credentials": {"aws_access_key_id": "a", "aws_secret_access_key": "b"}, "client_parameters": {"endpoint_url": "SERVER"}}`,
	} {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("list-type") {
					_, _ = io.WriteString(w, `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>app/a</Key><ETag>"e"</ETag><Size>100</Size></Contents></ListBucketResult>`)
					return
				}
				asked.Add(1)
				select {
				case <-ended:
				case <-r.Context().Done():
				}
			}))
			t.Cleanup(server.Close)
			t.Cleanup(func() { close(ended) })
			account, err := serviceAccountFor(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			key, err := json.Marshal(account)
			if err != nil {
				t.Fatal(err)
			}
			call := Call{Function: function, Inputs: fromJSON(t, strings.NewReplacer("ACCOUNT", string(key), "SERVER", server.URL).Replace(inputs)), Dir: t.TempDir(), Patience: 50 * time.Millisecond, Env: func(string) string { return "" }}
			if _, err := Run(context.Background(), call); err == nil || asked.Load() == 0 || asked.Load() > 8 {
				t.Errorf("%v after %d requests", err, asked.Load())
			}
		})
	}
}

func read(client *http.Client, url string) (string, error) {
	answer, err := client.Post(url, "text/plain", strings.NewReader("body"))
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	return string(data), err
}
