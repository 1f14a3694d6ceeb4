// Blobs that were stored packed, and say so: Azure's library for Python unpacks them (seen with prefect-azure 0.4.13 and Azurite), so the file is what was packed. Here the server is one of this test's, that it can break off in the middle.
package storage

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func TestPackedBlobs(t *testing.T) {
	text := strings.Repeat("a line of text\n", 3000)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("comp") == "list" {
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprintf(w, `<?xml version="1.0"?><EnumerationResults ContainerName="c"><Prefix>app/</Prefix><Blobs><Blob><Name>app/log.txt</Name><Properties><Last-Modified>Wed, 25 Nov 2026 13:00:00 GMT</Last-Modified><Etag>0x8D1</Etag><Content-Length>%d</Content-Length><Content-Encoding>gzip</Content-Encoding><BlobType>BlockBlob</BlobType></Properties></Blob></Blobs><NextMarker/></EnumerationResults>`, packed.Len())
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `"0x8D1"`)
		w.Header().Set("Content-Length", fmt.Sprint(packed.Len()))
		data := packed.Bytes()
		if r.Header.Get("Range") != "" || r.Header.Get("X-Ms-Range") != "" {
			t.Errorf("a part of what is packed was asked for: %v", r.Header)
		}
		if got := r.Header.Get("If-Match"); got != `"0x8D1"` { // a list of Azure's has no quotes, and the header wants them
			t.Errorf("If-Match: %s", got)
		}
		if asked.Add(1) == 1 {
			data = data[:len(data)/2]
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	connection := "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=" + base64.StdEncoding.EncodeToString([]byte("key")) + ";BlobEndpoint=" + server.URL + "/a;"
	_, err := Run(context.Background(), Call{Function: "prefect_azure.deployments.steps.pull_from_azure_blob_storage", Dir: dir, Env: func(string) string { return "" },
		Inputs: value.Of([]value.Entry{{Key: "container", Value: value.Of("c")}, {Key: "folder", Value: value.Of("app")}, {Key: "credentials", Value: value.Of([]value.Entry{{Key: "connection_string", Value: value.Of(connection)}})}})})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "log.txt")); string(got) != text {
		t.Errorf("%d bytes, not the %d that were packed: %.60q", len(got), len(text), got)
	}
	if asked.Load() != 2 {
		t.Errorf("asked for %d times", asked.Load())
	}
}
