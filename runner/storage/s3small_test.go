// Bare requests for small objects of S3 against those that the SDK makes for the same, and what happens when the server does not simply do what it is asked. Whether their signatures are right is versitygw's to say (servers_test.go).
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// seenS3 is a server that remembers what it was asked and answers as told.
type seenS3 struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []http.Header
	answer func(n int, w http.ResponseWriter, r *http.Request)
}

func serveS3(t testing.TB, answer func(n int, w http.ResponseWriter, r *http.Request)) *seenS3 {
	t.Helper()
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "absent"))
	}
	s := &seenS3{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("max-keys") == "1" { // where it is, is asked first
			fmt.Fprint(w, "<ListBucketResult></ListBucketResult>")
			return
		}
		body, _ := io.ReadAll(r.Body)
		h := r.Header.Clone()
		uri, _, _ := strings.Cut(r.RequestURI, "?x-id=") // with which the SDK tells AWS its name for the request
		h["Asked"] = []string{r.Method, r.Host, uri, shortHash(body), fmt.Sprint(r.ContentLength)}
		s.mu.Lock()
		s.asked = append(s.asked, h)
		n := len(s.asked)
		s.mu.Unlock()
		s.answer(n, w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *seenS3) open(t testing.TB, more string) *bucket {
	t.Helper()
	inputs, err := value.FromJSON([]byte(fmt.Sprintf(`{"bucket": "some-bucket", "folder": "app", "credentials": {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret", "aws_session_token": "token", "region_name": "eu-west-3"}, "client_parameters": {"endpoint_url": %q%s}}`, s.URL, more)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := openS3(context.Background(), Call{Inputs: inputs, Dir: t.TempDir(), Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// likeness is what of a request a server can see to matter. Its time and what it is called by are not the same twice.
func likeness(h http.Header) map[string][]string {
	out := map[string][]string{}
	for _, name := range []string{"Asked", "Content-Type", "X-Amz-Content-Sha256", "X-Amz-Checksum-Crc32", "X-Amz-Sdk-Checksum-Algorithm", "X-Amz-Security-Token", "X-Amz-Checksum-Mode", "If-Match", "Range", "Accept-Encoding", "Content-Encoding"} {
		out[name] = h[name]
	}
	scope, _, _ := strings.Cut(h.Get("Authorization"), ",")
	out["scope"] = []string{scope}
	return out
}

func TestBareRequestsAreTheSDKs(t *testing.T) {
	s := serveS3(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n%2 == 1 { // the bare one is refused, so the SDK asks the same again
			w.WriteHeader(http.StatusTeapot)
		}
	})
	b := s.open(t, "")
	for _, text := range []string{"", "x", strings.Repeat("0123456789abcdef", 4096)} {
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"app/a", "app/a b+c&d=e%41#1?x", "app//é/日本/🎉", "/app/a", "app/../x/./y", "two\nlines\x07", "*'()!~;:@$,[]{}|^`<>\"\\", ".", "a//"} {
			for what, do := range map[string]func() error{
				"put": func() error { return putFile(context.Background(), b, key, file) },
				"get": func() error {
					body, err := b.get(context.Background(), object{key: key, version: `"v1"`, size: 1}, 0, -1)
					if err != nil {
						return err
					}
					_, _ = io.Copy(io.Discard, body) // the SDK misses a checksum of nothing
					return body.Close()
				},
			} {
				s.asked = nil
				if err := do(); err != nil {
					t.Fatalf("%s %q: %v", what, key, err)
				}
				if len(s.asked) != 2 {
					t.Fatalf("%s %q: %d requests", what, key, len(s.asked))
				}
				if bare, sdk := likeness(s.asked[0]), likeness(s.asked[1]); !reflect.DeepEqual(bare, sdk) {
					t.Errorf("%s %q:\nbare %v\nSDK  %v", what, key, bare, sdk)
				}
			}
		}
	}
}

func TestBareRequestsAreLeftOut(t *testing.T) {
	t.Setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
	s := serveS3(t, func(n int, w http.ResponseWriter, r *http.Request) {})
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, make([]byte, bareSize+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := putFile(context.Background(), s.open(t, ""), "large", file); err != nil || s.asked[0].Get("Amz-Sdk-Request") == "" {
		t.Errorf("what is larger did not go through the SDK: %v", err)
	}
	if err := os.Truncate(file, bareSize); err != nil {
		t.Fatal(err)
	}
	if err := putFile(context.Background(), s.open(t, ""), "small", file); err != nil || s.asked[1].Get("Amz-Sdk-Request") != "" || s.asked[1].Get("X-Amz-Checksum-Crc32") != "" {
		t.Errorf("what is small goes without the SDK, and without a checksum where the environment says so: %v", err)
	}
	if err := putFile(context.Background(), s.open(t, `, "config": {"signature_version": "unsigned"}`), "unsigned", file); err != nil || s.asked[2].Get("Authorization") != "" {
		t.Errorf("what is unsigned is signed: %v", err)
	}
}

// TestBareRequestsThatFail: the SDK has the last word, and tries again what can be tried again.
func TestBareRequestsThatFail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, fault string
		answer      func(n int, w http.ResponseWriter, r *http.Request)
	}{
		{"an error once", "", func(n int, w http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}},
		{"the connection ends", "", func(n int, w http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
		}},
		{"a refusal", "the credentials are refused (AccessDenied: no)", func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
		}},
	} {
		s := serveS3(t, c.answer)
		b := s.open(t, "")
		err := putFile(context.Background(), b, "k", file)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(b.fault("it", err).Error(), c.fault) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestDamagedIsNoticed: bytes that are not those of the server's checksum never get a file's name, and are asked for again.
func TestDamagedIsNoticed(t *testing.T) {
	const list = `<ListBucketResult><Contents><Key>app/a</Key><Size>4</Size><ETag>"e"</ETag></Contents></ListBucketResult>`
	gets, good := 0, 3
	b := serveS3(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("list-type") != "" {
			fmt.Fprint(w, list)
			return
		}
		w.Header().Set("X-Amz-Checksum-Crc32", "O4unxw==") // of "text"
		if gets++; gets >= good {
			fmt.Fprint(w, "text")
		} else {
			fmt.Fprint(w, "tXxt")
		}
	}).open(t, "")
	c := Call{Dir: t.TempDir(), Env: func(string) string { return "" }}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	err = b.getFile(context.Background(), root, &sync.Map{}, "a", object{key: "app/a", size: 4, version: `"e"`})
	if left, _ := os.ReadDir(c.Dir); !errors.Is(err, errDamaged) || len(left) > 0 {
		t.Errorf("error %v, left %v", err, left)
	}
	err = pull(context.Background(), c, b, "app")
	if data, _ := os.ReadFile(filepath.Join(c.Dir, "a")); err != nil || string(data) != "text" || gets != good {
		t.Errorf("error %v, %q, asked %d times", err, data, gets)
	}
}
