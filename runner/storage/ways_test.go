//go:build real

// The ways in: where credentials come from and what client parameters do, over TLS as well. Each way is gone by Prefect's own function and by the companion, with equal environments; both get in and leave equal objects, or neither does.
package storage

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/servertest"
)

// way is a set of inputs, written as JSON with placeholders, and an environment.
type way struct {
	name, inputs string
	env          map[string]string
	// left is part of why the companion leaves the step to Prefect's own function.
	left string
	// departs says that we get in where Prefect does not.
	departs bool
}

func waysOfS3() []way {
	const keys = `"aws_access_key_id": "KEY", "aws_secret_access_key": "SECRET"`
	with := func(parameters string) string {
		return `{"credentials": {` + keys + `, "region_name": "us-east-1"}, "client_parameters": {` + parameters + `}}`
	}
	env := func(more ...string) map[string]string {
		out := map[string]string{"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "SECRET", "AWS_DEFAULT_REGION": "us-east-1"}
		for i := 0; i < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	const at = `{"client_parameters": {"endpoint_url": "HTTP"}}`
	return []way{
		{name: "keys", inputs: with(`"endpoint_url": "HTTP"`)},
		{name: "MinIO's keys", inputs: `{"credentials": {"minio_root_user": "KEY", "minio_root_password": "SECRET"}, "client_parameters": {"endpoint_url": "HTTP"}}`},
		{name: "MinIOCredentials, as a server holds it", inputs: `{"credentials": {"block": "MinIOCredentials", "minio_root_user": "KEY", "minio_root_password": "SECRET", "region_name": "us-east-1", "aws_client_parameters": {"endpoint_url": "HTTP"}}}`},
		{name: "MinIOCredentials over TLS", inputs: `{"credentials": {"block": "MinIOCredentials", "minio_root_user": "KEY", "minio_root_password": "SECRET", "aws_client_parameters": {"endpoint_url": "HTTPS", "verify_cert_path": "CA"}}}`},
		{name: "MinIOCredentials with a wrong password", inputs: `{"credentials": {"block": "MinIOCredentials", "minio_root_user": "KEY", "minio_root_password": "wrong-password", "aws_client_parameters": {"endpoint_url": "HTTP"}}}`},
		{name: "AwsCredentials, as a server holds it", inputs: `{"credentials": {"block": "AwsCredentials", ` + keys + `, "region_name": "us-east-1", "aws_client_parameters": {"endpoint_url": "HTTP"}}}`},
		{name: "parameters of the block before those beside it", inputs: `{"credentials": {"block": "AwsCredentials", ` + keys + `, "aws_client_parameters": {"endpoint_url": "HTTP"}}, "client_parameters": {"endpoint_url": "http://127.0.0.1:9"}}`},
		{name: "keys of MinIO and AWS", inputs: `{"credentials": {` + keys + `, "minio_root_user": "other", "minio_root_password": "other"}, "client_parameters": {"endpoint_url": "HTTP"}}`},
		{name: "no keys at all", inputs: at},
		{name: "the environment", inputs: at, env: env()},
		{name: "the environment, empty credentials", inputs: `{"credentials": {}, "client_parameters": {"endpoint_url": "HTTP"}}`, env: env()},
		{name: "the environment's endpoint", inputs: `{}`, env: env("AWS_ENDPOINT_URL", "HTTP")},
		{name: "the environment's endpoint for S3 alone", inputs: `{}`, env: env("AWS_ENDPOINT_URL_S3", "HTTP")},
		{name: "the environment's endpoint for S3", inputs: `{}`, env: env("AWS_ENDPOINT_URL_S3", "HTTP", "AWS_ENDPOINT_URL", "http://127.0.0.1:9")},
		{name: "given keys before the environment's", inputs: with(`"endpoint_url": "HTTP"`), env: map[string]string{"AWS_ACCESS_KEY_ID": "other", "AWS_SECRET_ACCESS_KEY": "other", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}},
		{name: "the default profile", inputs: at, env: map[string]string{"HOME": "HOME"}},
		{name: "a profile of the environment", inputs: at, env: map[string]string{"HOME": "HOME", "AWS_PROFILE": "team"}},
		{name: "a profile of the credentials", inputs: `{"credentials": {"profile_name": "team"}, "client_parameters": {"endpoint_url": "HTTP"}}`, env: map[string]string{"HOME": "HOME"}},
		{name: "a profile with an endpoint and a region", inputs: `{"credentials": {"profile_name": "whole"}}`, env: map[string]string{"HOME": "HOME"}},
		{name: "a profile that is not there", inputs: `{"credentials": {"profile_name": "absent"}, "client_parameters": {"endpoint_url": "HTTP"}}`, env: map[string]string{"HOME": "HOME"}},
		{name: "another file of profiles", inputs: at, env: map[string]string{"AWS_SHARED_CREDENTIALS_FILE": "HOME/.aws/credentials", "AWS_PROFILE": "team"}},
		{name: "half a key", inputs: `{"credentials": {"aws_access_key_id": "KEY"}, "client_parameters": {"endpoint_url": "HTTP"}}`},
		{name: "a wrong secret", inputs: `{"credentials": {"aws_access_key_id": "KEY", "aws_secret_access_key": "wrong-secret"}, "client_parameters": {"endpoint_url": "HTTP"}}`},
		{name: "a wrong key", inputs: `{"credentials": {"aws_access_key_id": "nobody", "aws_secret_access_key": "SECRET"}, "client_parameters": {"endpoint_url": "HTTP"}}`},
		{name: "another region", inputs: `{"credentials": {` + keys + `, "region_name": "eu-west-1"}, "client_parameters": {"endpoint_url": "HTTP"}}`},
		{name: "the configuration's region", inputs: `{"credentials": {` + keys + `}, "client_parameters": {"endpoint_url": "HTTP", "config": {"region_name": "us-east-1"}}}`},
		{name: "the configuration's wrong region", inputs: `{"credentials": {` + keys + `}, "client_parameters": {"endpoint_url": "HTTP", "config": {"region_name": "eu-west-1"}}}`},
		{name: "the credentials' region before the configuration's", inputs: with(`"endpoint_url": "HTTP", "config": {"region_name": "eu-west-1"}`)},
		{name: "the environment's region", inputs: `{"credentials": {` + keys + `}, "client_parameters": {"endpoint_url": "HTTP"}}`, env: map[string]string{"AWS_DEFAULT_REGION": "eu-west-1"}},
		{name: "AWS_REGION, which boto3 does not read", inputs: `{"credentials": {` + keys + `}, "client_parameters": {"endpoint_url": "HTTP"}}`, env: map[string]string{"AWS_REGION": "eu-west-1"}},
		{name: "a slash after the endpoint", inputs: with(`"endpoint_url": "HTTP/"`)},
		{name: "an endpoint without its scheme", inputs: with(`"endpoint_url": "127.0.0.1:9000"`)},
		{name: "parameters that are null", inputs: with(`"endpoint_url": "HTTP", "verify": null, "config": null, "api_version": null, "verify_cert_path": null`)},
		{name: "a parameter that nobody knows", inputs: with(`"endpoint_url": "HTTP", "nonsense": 1`)},
		{name: "use_ssl beside an endpoint of http", inputs: with(`"endpoint_url": "HTTP", "use_ssl": true`)},
		{name: "no use_ssl beside an endpoint of http", inputs: with(`"endpoint_url": "HTTP", "use_ssl": false`)},
		{name: "no use_ssl beside an endpoint of https", inputs: with(`"endpoint_url": "HTTPS", "use_ssl": false, "verify": false`)},
		{name: "api_version", inputs: with(`"endpoint_url": "HTTP", "api_version": "2006-03-01"`), left: "api_version"},
		{name: "a configuration", inputs: with(`"endpoint_url": "HTTP", "config": {"signature_version": "s3v4", "s3": {"addressing_style": "path"}, "retries": {"max_attempts": 2}, "max_pool_connections": 4, "connect_timeout": 5, "read_timeout": 5}`)},
		{name: "an addressing style", inputs: with(`"endpoint_url": "HTTP", "config": {"s3": {"addressing_style": "auto"}}`)},
		{name: "a configuration that only botocore knows", inputs: with(`"endpoint_url": "HTTP", "config": {"proxies_config": {}}`), left: "config.proxies_config"},
		{name: "unsigned", inputs: with(`"endpoint_url": "HTTP", "config": {"signature_version": "unsigned"}`)},
		{name: "TLS of an unknown authority", inputs: with(`"endpoint_url": "HTTPS"`)},
		{name: "TLS, verify false", inputs: with(`"endpoint_url": "HTTPS", "verify": false`)},
		{name: "TLS, verify true", inputs: with(`"endpoint_url": "HTTPS", "verify": true`)},
		{name: "TLS, verify is a path", inputs: with(`"endpoint_url": "HTTPS", "verify": "CA"`)},
		{name: "TLS, verify_cert_path", inputs: with(`"endpoint_url": "HTTPS", "verify_cert_path": "CA"`)},
		{name: "TLS, verify_cert_path and verify", inputs: with(`"endpoint_url": "HTTPS", "verify": true, "verify_cert_path": "CA"`)},
		{name: "TLS, verify_cert_path and no verify", inputs: with(`"endpoint_url": "HTTPS", "verify": false, "verify_cert_path": "CA"`)},
		{name: "TLS, the wrong authority", inputs: with(`"endpoint_url": "HTTPS", "verify_cert_path": "OTHER"`)},
		{name: "TLS, a path that is not there", inputs: with(`"endpoint_url": "HTTPS", "verify_cert_path": "CA.absent"`)},
		{name: "TLS, the block says no verify", inputs: `{"credentials": {"block": "AwsCredentials", ` + keys + `, "aws_client_parameters": {"endpoint_url": "HTTPS", "verify": false}}}`},
		{name: "TLS, AWS_CA_BUNDLE", inputs: with(`"endpoint_url": "HTTPS"`), env: map[string]string{"AWS_CA_BUNDLE": "CA"}},
		{name: "TLS, REQUESTS_CA_BUNDLE", inputs: with(`"endpoint_url": "HTTPS"`), env: map[string]string{"REQUESTS_CA_BUNDLE": "CA"}},
		{name: "TLS, a bundle given before the environment's", inputs: with(`"endpoint_url": "HTTPS", "verify_cert_path": "CA"`), env: map[string]string{"AWS_CA_BUNDLE": "OTHER"}},
		{name: "TLS, AWS_CA_BUNDLE of the wrong authority", inputs: with(`"endpoint_url": "HTTPS"`), env: map[string]string{"AWS_CA_BUNDLE": "OTHER"}},
	}
}

func waysOfOthers() map[string][]way {
	return map[string][]way{
		"gcp": {
			{name: "an account as a mapping", inputs: `{"credentials": {"service_account_info": ACCOUNT}}`},
			{name: "GcpCredentials, as a server holds it", inputs: `{"credentials": {"block": "GcpCredentials", "project": "p", "service_account_info": ACCOUNT}}`},
			{name: "an account in a file", inputs: `{"credentials": {"project": "p", "service_account_file": "HOME/account.json"}}`},
			{name: "an account in a file that is not there", inputs: `{"credentials": {"project": "p", "service_account_file": "HOME/absent.json"}}`},
			{name: "an account that is none", inputs: `{"credentials": {"project": "p", "service_account_info": {"type": "service_account"}}}`},
			{name: "a project beside", inputs: `{"project": "other", "credentials": {"service_account_info": ACCOUNT}}`},
			{name: "the environment's account", inputs: `{}`, env: map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "HOME/account.json"}},
			{name: "the environment's account that is not there", inputs: `{}`, env: map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "HOME/absent.json"}, departs: true},
			{name: "nothing, with an emulator", inputs: `{}`, env: map[string]string{"GOOGLE_CLOUD_PROJECT": "p"}, departs: true}, // Prefect wants somebody even where nobody is asked
		},
		"azure": {
			{name: "a connection string", inputs: `{"credentials": {"connection_string": "CONNECTION"}}`},
			{name: "AzureBlobStorageCredentials, as a server holds it", inputs: `{"credentials": {"block": "AzureBlobStorageCredentials", "connection_string": "CONNECTION"}}`},
			{name: "a connection string before a URL", inputs: `{"credentials": {"connection_string": "CONNECTION", "account_url": "http://127.0.0.1:9/"}}`},
			{name: "a connection string that is none", inputs: `{"credentials": {"connection_string": "nonsense"}}`},
			{name: "a wrong key", inputs: `{"credentials": {"connection_string": "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=d3Jvbmc=;BlobEndpoint=AZURE/devstoreaccount1;"}}`},
			{name: "nothing", inputs: `{"credentials": {}}`},
			{name: "the environment's connection string, which nobody reads", inputs: `{"credentials": {}}`, env: map[string]string{"AZURE_STORAGE_CONNECTION_STRING": "CONNECTION"}},
			{name: "no credentials", inputs: `{}`},
		},
	}
}

// scenery is what the placeholders stand for.
type scenery struct {
	replace *strings.Replacer
	s3      *servers
	dir     string
}

func newScenery(t *testing.T) scenery {
	t.Helper()
	home, buckets := t.TempDir(), t.TempDir()
	for _, name := range []string{"ca", "other"} {
		authority(t, home, name)
	}
	ports := [2]string{}
	for i := range ports {
		port, err := servertest.Port()
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = port
		var options []string
		if i == 1 {
			options = []string{"--cert", filepath.Join(home, "ca-server.pem"), "--key", filepath.Join(home, "ca-server.key")}
		}
		c := gateway(started.tools, buckets, "127.0.0.1:"+port, options...)
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
		if err := answers("127.0.0.1:" + port); err != nil {
			t.Fatal(err, said.String())
		}
	}
	plain, tls := "http://127.0.0.1:"+ports[0], "https://127.0.0.1:"+ports[1]
	account, err := json.Marshal(started.account)
	if err != nil {
		t.Fatal(err)
	}
	writeFiles(t, home, map[string]string{"account.json": string(account), ".aws/credentials": fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n[team]\naws_access_key_id = %[1]s\naws_secret_access_key = %s\n", s3Key, s3Secret),
		".aws/config": fmt.Sprintf("[default]\nregion = us-east-1\n[profile whole]\nregion = us-east-1\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n", plain, s3Key, s3Secret), "tree/a.txt": "a", "tree/d/ü.txt": "1", "tree/d/empty": ""})
	return scenery{dir: filepath.Join(home, "tree"), s3: &servers{s3: plain, tools: started.tools},
		replace: strings.NewReplacer("HTTPS", tls, "HTTP", plain, "\"KEY\"", `"`+s3Key+`"`, "SECRET", s3Secret, "CA.absent", filepath.Join(home, "absent.pem"), "\"CA\"", `"`+filepath.Join(home, "ca.pem")+`"`, "OTHER", filepath.Join(home, "other.pem"), "HOME/", home+"/",
			"ACCOUNT", string(account), "CONNECTION", started.connection(), "AZURE/", started.azure+"/")}
}

// authority writes NAME.pem, and NAME-server.pem and .key, which it has signed for 127.0.0.1.
func authority(t *testing.T, dir, name string) {
	t.Helper()
	var keys [2]*ecdsa.PrivateKey
	for i := range keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = key
	}
	top := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: top.NotBefore, NotAfter: top.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	first, err := x509.CreateCertificate(rand.Reader, top, top, &keys[0].PublicKey, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	second, err := x509.CreateCertificate(rand.Reader, leaf, top, &keys[1].PublicKey, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	writeFiles(t, dir, map[string]string{name + ".pem": text("CERTIFICATE", first), name + "-server.pem": text("CERTIFICATE", second), name + "-server.key": text("PRIVATE KEY", key)})
}

// asked is a case for ways.py, and what it answers.
type asked struct {
	Function string            `json:"function"`
	Inputs   json.RawMessage   `json:"inputs"`
	Env      map[string]string `json:"env"`
	Dir      string            `json:"dir"`
}

type told struct {
	OK      bool
	Error   string
	Outputs map[string]string
	// Inputs are those of the case with its blocks as a server holds them.
	Inputs value.Value
}

func TestWaysIn(t *testing.T) {
	sc := newScenery(t)
	all := waysOfOthers()
	all["aws"] = waysOfS3()
	for _, cloud := range everyCloud {
		t.Run(cloud, func(t *testing.T) { sc.compare(t, cloud, all[cloud]) })
	}
}

func (sc scenery) compare(t *testing.T, cloud string, ways []way) {
	at := started
	if cloud == "aws" {
		at = sc.s3
	}
	buckets := make([][2]string, len(ways))
	cases := make([]asked, len(ways))
	for i, w := range ways {
		buckets[i] = [2]string{at.bucket(t, cloud), at.bucket(t, cloud)}
		cases[i] = asked{Function: function(&stepCase{Cloud: cloud, Way: "push"}), Inputs: sc.inputs(t, cloud, w, buckets[i][0]), Env: sc.env(cloud, w), Dir: sc.dir}
	}
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	run := osexec.Command(filepath.Join(started.tools, "prefect-storage", "bin", "python"), "testdata/ways.py")
	run.Stdin = bytes.NewReader(input)
	var said bytes.Buffer
	run.Stderr = &said
	out, err := run.Output()
	var answers []told
	if err == nil {
		err = json.Unmarshal(out, &answers)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	in := 0
	for i, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			want := answers[i]
			if want.OK {
				in++
			}
			c := startCompanionIn(t, sc.dir, cases[i].Env)
			got := c.ask(t, Call{Function: cases[i].Function, Inputs: want.Inputs.Set(place(cloud), value.Of(buckets[i][1])), Dir: sc.dir})
			switch {
			case w.left != "":
				if got.Type != "Unsupported" || !strings.Contains(got.Message, w.left) {
					t.Errorf("%s %s, want it left to Prefect for %s", got.Kind, got.Message, w.left)
				}
				return
			case (got.Kind == "result") != (want.OK || w.departs):
				t.Errorf("%s: %s\nPrefect: %v %s", got.Kind, got.Message, want.OK, want.Error)
			case strings.Contains(got.Message, s3Secret), strings.Contains(c.said.String(), s3Secret):
				t.Error("the secret shows")
			}
			if !want.OK {
				t.Logf("refused: %s\nPrefect: %.200s", got.Message, want.Error)
				return
			}
			ours, theirs := readBucket(t, at, cloud, buckets[i][1]), readBucket(t, at, cloud, buckets[i][0])
			if !reflect.DeepEqual(ours, theirs) || len(ours) != 3 {
				t.Errorf("ours %v\nPrefect's %v", ours, theirs)
			}
			to := t.TempDir()
			pull := Call{Function: function(&stepCase{Cloud: cloud, Way: "pull"}), Inputs: want.Inputs, Dir: to}
			if got := startCompanionIn(t, to, cases[i].Env).ask(t, pull); got.Kind != "result" || !reflect.DeepEqual(readTree(t, to), readTree(t, sc.dir)) {
				t.Errorf("pulled %s %s, %v", got.Kind, got.Message, readTree(t, to))
			}
		})
	}
	t.Logf("%d ways, %d of them lead in", len(ways), in)
}

func (sc scenery) inputs(t *testing.T, cloud string, w way, bucket string) json.RawMessage {
	t.Helper()
	v, err := value.FromJSON([]byte(sc.replace.Replace(w.inputs)))
	if err != nil {
		t.Fatalf("%s: %v", w.name, err)
	}
	return v.Set(place(cloud), value.Of(bucket)).Set("folder", value.Of("app")).AppendJSON(nil)
}

// env is all that a case's program sees of an environment.
func (sc scenery) env(cloud string, w way) map[string]string {
	out := map[string]string{"PATH": os.Getenv("PATH"), "HOME": filepath.Join(sc.dir, "..", "nobody"), "PREFECT_HOME": filepath.Join(sc.dir, "..", "prefect"), "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1" /* boto3 repeats what no repetition changes */}
	if cloud == "gcp" {
		out["STORAGE_EMULATOR_HOST"] = started.gcs
	}
	for name, text := range w.env {
		quoted := sc.replace.Replace(`"` + text + `"`)
		out[name] = strings.Trim(quoted, `"`)
		if text == "HOME" {
			out[name] = filepath.Dir(sc.dir)
		}
	}
	return out
}

// startCompanionIn starts one that sees an environment and nothing else.
func startCompanionIn(t *testing.T, dir string, env map[string]string) *companion {
	t.Helper()
	return startCompanionWith(t, dir, func() (list []string) {
		for name, text := range env {
			list = append(list, name+"="+text)
		}
		return list
	}())
}

// TestGoogleOfTheEnvironment: without an emulator and without credentials in the step, whom Google's variable names is who logs in.
func TestGoogleOfTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.json")
	account, err := json.Marshal(started.account)
	if err != nil || os.WriteFile(path, account, 0o600) != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
	v := value.Of([]value.Entry{{Key: "bucket", Value: value.Of("b")}, {Key: "folder", Value: value.Of("f")}})
	client, err := gcsClient(context.Background(), Call{Inputs: v, Dir: t.TempDir(), Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	seen := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		buffer := make([]byte, 4096)
		n, _ := c.Read(buffer)
		seen <- string(buffer[:n])
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		c.Close()
	}()
	got, err := client.Get("http://" + l.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	if text := <-seen; !strings.Contains(text, "Authorization: Bearer CANARY-token") {
		t.Errorf("the request is not logged in: %s", text)
	}
}
