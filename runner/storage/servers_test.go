//go:build real

// The steps, and Prefect's own functions, against real servers: versitygw, fake-gcs-server and Azurite, started here, each test with buckets of its own. STORAGE_TOOLS is the folder with the servers' programs and the environment of
// prefect-aws, prefect-gcp and prefect-azure that .ci/setup makes (parts storage_servers and prefect_storage).
package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/servertest"
)

var record = flag.Bool("record", false, "write what Prefect's functions do to testdata/steps.golden.json")

const (
	s3Key, s3Secret = "accesskey", "CANARY-s3-secret-9d2f"
	azuriteAccount  = "devstoreaccount1"
	// Azurite's account has this key, which its documentation prints.
	azuriteKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// servers are the running ones; the zero value has none.
type servers struct {
	s3, gcs, azure string
	tools          string
	account        map[string]any
	buckets        atomic.Int64
}

// started are this package's, started by the first test that wants them and ended with the tests.
var started *servers

func TestMain(m *testing.M) {
	flag.Parse()
	code := func() int {
		s, stop, err := startServers(os.Getenv("STORAGE_TOOLS"))
		defer stop()
		if err != nil {
			fmt.Fprintln(os.Stderr, "the storage servers:", err)
			return 1
		}
		started = s
		defer func() {
			for _, dir := range builtIn {
				_ = os.RemoveAll(dir)
			}
		}()
		return m.Run()
	}()
	os.Exit(code)
}

func startServers(tools string) (s *servers, stop func(), err error) {
	var ends []func()
	stop = func() {
		for i := len(ends) - 1; i >= 0; i-- {
			ends[i]()
		}
	}
	if tools == "" {
		return nil, stop, fmt.Errorf("STORAGE_TOOLS names no folder")
	}
	dir, err := os.MkdirTemp("", "storage-servers-")
	if err != nil {
		return nil, stop, err
	}
	ends = append(ends, func() { os.RemoveAll(dir) })
	s = &servers{tools: tools}
	for _, one := range []struct {
		address *string
		command func(host, port string) *osexec.Cmd
	}{
		{&s.s3, func(host, port string) *osexec.Cmd { return gateway(tools, dir, host+":"+port) }},
		{&s.gcs, func(host, port string) *osexec.Cmd {
			return osexec.Command(filepath.Join(tools, "bin", "fake-gcs-server"), "-scheme", "http", "-host", host, "-port", port, "-backend", "memory", "-public-host", host+":"+port, "-external-url", "http://"+host+":"+port)
		}},
		{&s.azure, func(host, port string) *osexec.Cmd {
			return osexec.Command("node", filepath.Join(tools, "azurite", "node_modules", "azurite", "dist", "src", "blob", "main.js"), "--blobHost", host, "--blobPort", port, "--silent", "--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck")
		}},
	} {
		port, err := servertest.Port()
		if err != nil {
			return nil, stop, err
		}
		c := one.command("127.0.0.1", port)
		c.Dir = dir
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		if err := c.Start(); err != nil {
			return nil, stop, err
		}
		ends = append(ends, func() { _ = c.Process.Kill(); _ = c.Wait() })
		*one.address = "http://127.0.0.1:" + port
		if err := answers("127.0.0.1:" + port); err != nil {
			return nil, stop, fmt.Errorf("%s: %w\n%s", c.Path, err, said.String())
		}
	}
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token": "CANARY-token", "expires_in": 3600, "token_type": "Bearer"}`)
	}))
	ends = append(ends, tokens.Close)
	s.account, err = serviceAccountFor(tokens.URL)
	return s, stop, err
}

// gateway is the server that speaks S3, with its buckets in a folder.
func gateway(tools, dir, address string, options ...string) *osexec.Cmd {
	c := osexec.Command(filepath.Join(tools, "bin", "versitygw"), append(append([]string{"--port", address, "--quiet"}, options...), "posix", dir)...)
	c.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s3Key, "ROOT_SECRET_KEY="+s3Secret)
	return c
}

func answers(address string) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

func (s *servers) connection() string {
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s/%s;", azuriteAccount, azuriteKey, s.azure, azuriteAccount)
}

// environment is what a step sees.
func (s *servers) environment() []string {
	return []string{"S3=" + s.s3, "S3_KEY=" + s3Key, "S3_SECRET=" + s3Secret, "GCS=" + s.gcs, "AZURE=" + s.azure, "AZURE_CONNECTION=" + s.connection(), "STORAGE_EMULATOR_HOST=" + s.gcs}
}

// credentials are the inputs that lead to a cloud.
func (s *servers) credentials(t testing.TB, cloud string) []value.Entry {
	t.Helper()
	var text string
	switch cloud {
	case "aws":
		text = fmt.Sprintf(`{"credentials": {"aws_access_key_id": %q, "aws_secret_access_key": %q, "region_name": "us-east-1"}, "client_parameters": {"endpoint_url": %q}}`, s3Key, s3Secret, s.s3)
	case "gcp":
		account, err := json.Marshal(s.account)
		if err != nil {
			t.Fatal(err)
		}
		text = fmt.Sprintf(`{"credentials": {"project": "p", "service_account_info": %s}}`, account)
	default:
		text = fmt.Sprintf(`{"credentials": {"connection_string": %q}}`, s.connection())
	}
	v, err := value.FromJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.Map
}

// call is a call of a case's function.
func (s *servers) call(t testing.TB, c *stepCase, bucket, dir string) Call {
	return Call{Function: function(c), Inputs: c.inputs(bucket, s.credentials(t, c.Cloud)), Dir: dir, Env: func(name string) string {
		if name == "STORAGE_EMULATOR_HOST" {
			return s.gcs
		}
		return ""
	}}
}

// bucket makes a new one, through the cloud's own client.
func (s *servers) bucket(t testing.TB, cloud string) string {
	t.Helper()
	name := fmt.Sprintf("test-%d-%d", os.Getpid(), s.buckets.Add(1))
	if err := s.create(t, cloud, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// opened is a bucket as this package opens it, for putting and reading what a test needs.
func (s *servers) opened(t testing.TB, cloud, name string) *bucket {
	t.Helper()
	c := &stepCase{Cloud: cloud, Way: "push"}
	t.Setenv("STORAGE_EMULATOR_HOST", s.gcs)
	b, err := clouds()[function(c)].open(context.Background(), s.call(t, c, name, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStepsAsPrefect records what Prefect's functions do now, holds it against the recording, and then the steps against it, on the same servers.
func TestStepsAsPrefect(t *testing.T) {
	t.Setenv("STORAGE_EMULATOR_HOST", started.gcs)
	path := filepath.Join(t.TempDir(), "steps.json")
	python := filepath.Join(started.tools, "prefect-storage", "bin", "python")
	run := osexec.Command(python, "testdata/record.py", path)
	run.Env = append(os.Environ(), started.environment()...)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	fresh, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if *record {
		if err := os.WriteFile("testdata/steps.golden.json", fresh, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if golden, err := os.ReadFile("testdata/steps.golden.json"); err != nil || !bytes.Equal(golden, fresh) {
		t.Errorf("Prefect's functions do other things than recorded (%v): -record writes them", err)
	}
	other := departures()
	for _, c := range loadCases(t, path) {
		if change := other[c.Name]; change != nil {
			change(c)
		}
		t.Run(c.Name, func(t *testing.T) {
			outer, root := project(t, c)
			name := started.bucket(t, c.Cloud)
			b := started.opened(t, c.Cloud, name)
			defer b.close()
			for key, text := range c.Objects {
				putText(t, b, key, content(t, text))
			}
			got, err := Run(context.Background(), started.call(t, c, name, root))
			c.compare(t, outer, root, name, got, err)
			if err != nil || c.Way == "pull" {
				return
			}
			if have := readBucket(t, started, c.Cloud, name); !reflect.DeepEqual(have, c.Bucket) {
				t.Errorf("the bucket holds %v\nwant %v", have, c.Bucket)
			}
		})
	}
}

func putText(t testing.TB, b *bucket, key string, data []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "object")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := putFile(context.Background(), b, key, path); err != nil {
		t.Fatalf("%q: %v", key, err)
	}
}
