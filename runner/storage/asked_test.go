// What servers are asked, and what an answer leads to, without a real one: where that can't be made to change an object in the middle of a transfer, or to stand behind a name.
package storage

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func fromJSON(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.FromJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func serviceAccountFor(tokens string) (map[string]any, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return map[string]any{"type": "service_account", "project_id": "p", "private_key_id": "CANARY-key-id", "client_email": "x@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": tokens + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))}, err
}

const emptyList = `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`

// TestEndpointsOfTheEnvironment: one for S3 alone counts as one for all of AWS does, and the bucket's name goes into the path.
func TestEndpointsOfTheEnvironment(t *testing.T) {
	var asked atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Host + r.URL.Path)
		_, _ = io.WriteString(w, emptyList)
	}))
	t.Cleanup(server.Close)
	endpoint := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for _, variable := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"} {
		t.Run(variable, func(t *testing.T) {
			asked.Store("")
			t.Setenv(variable, endpoint)
			call := Call{Function: "prefect_aws.deployments.steps.pull_from_s3", Dir: t.TempDir(), Env: os.Getenv, Inputs: fromJSON(t, `{"bucket": "bbb", "folder": "app", "credentials": {"aws_access_key_id": "a", "aws_secret_access_key": "b"}}`)}
			if _, err := Run(context.Background(), call); err != nil || asked.Load() != strings.TrimPrefix(endpoint, "http://")+"/bbb" {
				t.Errorf("asked for %q: %v", asked.Load(), err)
			}
		})
	}
}

// TestEncodingIsNotSigned: proxies, and the servers of some clouds, write Accept-Encoding anew, as they may; boto3 does not sign it.
func TestEncodingIsNotSigned(t *testing.T) {
	var mu sync.Mutex
	var signed []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		if header := r.Header.Get("Authorization"); header == "" || strings.Contains(header, "accept-encoding") || r.Header.Get("Accept-Encoding") != "identity" {
			signed = append(signed, fmt.Sprintf("%s %s: %s, %v", r.Method, r.URL, header, r.Header["Accept-Encoding"]))
		}
		if r.URL.Query().Has("list-type") {
			_, _ = io.WriteString(w, emptyList)
		} else if r.URL.Query().Has("uploads") {
			_, _ = io.WriteString(w, `<?xml version="1.0"?><InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>`)
		} else if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>`)
		}
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"small": "1", "large": strings.Repeat("x", 20<<20)})
	call := Call{Function: "prefect_aws.deployments.steps.push_to_s3", Dir: dir, Env: func(string) string { return "" },
		Inputs: fromJSON(t, `{"bucket": "bbb", "folder": "app", "credentials": {"aws_access_key_id": "a", "aws_secret_access_key": "b"}, "client_parameters": {"endpoint_url": "`+server.URL+`"}}`)}
	if _, err := Run(context.Background(), call); err != nil {
		t.Error(err)
	}
	if len(signed) > 0 {
		t.Error(strings.Join(signed, "\n"))
	}
}

// TestNoMixture: an object that is replaced in the middle of a pull is an error, and no file of both.
func TestNoMixture(t *testing.T) {
	const size = 40 << 20
	var reads atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/o") {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"kind": "storage#objects", "items": [{"kind": "storage#object", "name": "app/big", "bucket": "b", "size": "%d", "generation": "111", "metageneration": "1"}]}`, size)
			return
		}
		var from, to int64
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); err != nil || to >= size {
			to = size - 1
		}
		letter, generation := "1", "111"
		if reads.Add(1) > 2 {
			letter, generation = "2", "222"
		}
		if wanted := r.Header.Get("X-Goog-If-Generation-Match"); wanted != "" && wanted != generation {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		w.Header().Set("X-Goog-Generation", generation)
		w.Header().Set("X-Goog-Stored-Content-Length", fmt.Sprint(size))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, size))
		w.Header().Set("Content-Length", fmt.Sprint(to-from+1))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(bytes.Repeat([]byte(letter), int(to-from+1)))
	}))
	t.Cleanup(server.Close)
	t.Setenv("STORAGE_EMULATOR_HOST", server.URL)
	dir := t.TempDir()
	_, err := Run(context.Background(), Call{Function: "prefect_gcp.deployments.steps.pull_from_gcs", Dir: dir, Env: os.Getenv, Inputs: fromJSON(t, `{"bucket": "b", "folder": "app"}`)})
	if err == nil || !strings.Contains(err.Error(), errChanged.Error()) {
		t.Errorf("error %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%v is left", entries)
	}
}

// TestConnectionStrings: forms that Azure's library for Python takes (azure-storage-blob 12.31).
func TestConnectionStrings(t *testing.T) {
	for connection, want := range map[string]string{
		"UseDevelopmentStorage=true":                                                                     "http://127.0.0.1:10000/devstoreaccount1/c",
		"accountname=a;accountkey=a2V5;blobendpoint=http://127.0.0.1:9/a":                                "http://127.0.0.1:9/a/c",
		"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=a2V5;EndpointSuffix=core.windows.net\n": "https://a.blob.core.windows.net/c",
		"BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=?sv=1&sig=x":                 "https://a.blob.core.windows.net/c?sv=1&sig=x",
	} {
		inputs := value.Value{Kind: value.Map}.Set("container", value.Of("c")).Set("credentials", value.Value{Kind: value.Map}.Set("connection_string", value.Of(connection)))
		client, err := azureClient(Call{Inputs: inputs})
		if err != nil || client.URL() != want {
			t.Errorf("%q: %v %v", connection, client, err)
		}
	}
}

// TestAccountWithoutType: Google's library for Python does not ask what kind of account service_account_info is of.
func TestAccountWithoutType(t *testing.T) {
	account, err := serviceAccountFor("http://127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	delete(account, "type")
	text, err := json.Marshal(account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gcsClient(context.Background(), Call{Env: func(string) string { return "" }, Inputs: fromJSON(t, `{"credentials": {"service_account_info": `+string(text)+`}}`)}); err != nil {
		t.Error(err)
	}
}

// TestADirectoryThatIsALink is pushed like any other.
func TestADirectoryThatIsALink(t *testing.T) {
	dir, s := t.TempDir(), &shelf{objects: map[string][]byte{}}
	writeFiles(t, dir, map[string]string{"a": "1", "b/c": "2"})
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := s.run(t, pushCall(link)); err != nil || len(s.objects) != 2 {
		t.Errorf("%v, %d objects", err, len(s.objects))
	}
}
