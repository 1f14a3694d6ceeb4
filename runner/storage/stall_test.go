// Servers that stand still, and ones that are merely slow.
package storage

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
		case "/slow": // longer than the limit, and never silent for so long
			for range 10 {
				_, _ = io.WriteString(w, "x")
				w.(http.Flusher).Flush()
				time.Sleep(limit / 6)
			}
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	transport := http.DefaultTransport.(*http.Transport).Clone()
	patient(transport, limit)
	t.Cleanup(transport.CloseIdleConnections)
	for path, want := range map[string]string{"/silent": "", "/half": "half", "/slow": strings.Repeat("x", 10)} {
		got, err := read(&http.Client{Transport: transport}, server.URL+path)
		var network net.Error
		if stands := path != "/slow"; got != want || (err != nil) != stands || stands && (!errors.As(err, &network) || !network.Timeout()) {
			t.Errorf("%s: %q, %v", path, got, err)
		}
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
