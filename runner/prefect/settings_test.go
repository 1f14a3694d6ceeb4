// Which server is meant and how it is spoken to, held against the real client: testdata/settings.json is what it made of a table of environments and files
// (testdata/record_settings.py).
package prefect

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type recordedSettings struct {
	Name       string
	Env, Files map[string]string
	Profile    string
	Answer     map[string]any
}

// others are the cases in which we differ on purpose: what is other, and why.
var others = map[string]struct {
	keys string
	why  string
}{
	"an empty variable":           {"api_url authorization base_url csrf headers insecure certificates proxy timeout ui_url", "a CI passes a missing secret as an empty text, so it counts as unset"},
	"an empty key":                {"authorization", "the same"},
	"space around values":         {"api_url base_url ui_url authorization error", "a pasted key ends with a line feed, which no header can hold"},
	"a slash at the end":          {"api_url base_url ui_url", "one spelling of an address, which is the plan's too"},
	"a page of one's own":         {"ui_url", "the same"},
	"a password in the address":   {"ui_url", "a link is shown, and never holds a password"},
	"a profile that there is not": {"error api_url ui_url pool", "there the ephemeral one is taken without a word, and the deployments go nowhere"},
	"PREFECT_HOME with ~":         {"api_url ui_url authorization base_url csrf headers insecure certificates proxy timeout", "what it says is meant; there no profile is found"},
	".env with quotes":            {"authorization", "the line feed at its end, as with a pasted key"},
}

func TestSettingsOfPrefect(t *testing.T) {
	var rows []recordedSettings
	data, err := os.ReadFile("testdata/settings.json")
	if err == nil {
		err = json.Unmarshal(data, &rows)
	}
	if err != nil || len(rows) < 80 {
		t.Fatalf("testdata/settings.json: %v", err)
	}
	_, certificate := authority(t)
	for _, row := range rows {
		t.Run(row.Name, func(t *testing.T) {
			got := understood(row, certificate)
			differs := others[row.Name].keys == ""
			for _, key := range []string{"error", "api_url", "ui_url", "pool", "authorization", "headers", "csrf", "insecure", "certificates", "timeout", "proxy"} {
				if strings.Contains(" "+others[row.Name].keys+" ", " "+key+" ") {
					differs = differs || fmt.Sprint(row.Answer[key]) != fmt.Sprint(got[key])
					continue
				}
				if want, has := row.Answer[key]; has && fmt.Sprint(want) != fmt.Sprint(got[key]) || !has && key == "error" && got[key] != nil {
					t.Errorf("%s: want %v, got %v", key, want, got[key])
				}
			}
			if !differs {
				t.Errorf("it is no other than there (%s): take it off the list", others[row.Name].why)
			}
		})
	}
}

// understood is what we make of a case, in the words of the recording.
func understood(row recordedSettings, certificate []byte) map[string]any {
	env := map[string]string{"HOME": "HOME"}
	for k, v := range row.Env {
		env[k] = v
	}
	lookup := func(k string) (string, bool) { v, ok := env[k]; return v, ok }
	read := func(name string) ([]byte, error) {
		if !strings.HasPrefix(name, "HOME/") {
			name = filepath.Join("WORK", name)
		}
		text, ok := row.Files[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
		case text == "PEM":
			return certificate, nil
		}
		return []byte(text), nil
	}
	c, err := Load(Sources{Env: lookup, ReadFile: read, Profile: row.Profile})
	if err != nil && !errors.Is(err, ErrNoAPIURL) {
		return map[string]any{"error": true}
	}
	got := map[string]any{"api_url": c.APIURL, "ui_url": c.UIURL, "pool": c.DefaultWorkPool, "insecure": c.Insecure, "certificates": c.CertificateFile,
		"csrf": !c.cloud() && !c.NoCSRF, "timeout": 60.0, "proxy": "", "authorization": ""}
	if c.Timeout > 0 {
		got["timeout"] = c.Timeout.Seconds()
	}
	headers := map[string]any{}
	for name, v := range sent(c) {
		switch name {
		case "Authorization":
			got["authorization"] = v[0]
		case "Accept", "Accept-Encoding", "Connection", "User-Agent", "X-Prefect-Api-Version":
		default:
			headers[strings.ToLower(name)] = v[0]
		}
	}
	got["headers"] = headers
	if u, err := url.Parse(c.APIURL); err == nil {
		if p, _ := proxyFor(u, lookup); p != nil {
			got["proxy"] = p.String()
		}
	}
	return got
}

// sent are the headers of a request.
func sent(c Config) (headers http.Header) {
	client := New(Config{APIURL: "http://h/api", APIKey: c.APIKey, AuthString: c.AuthString, Headers: c.Headers}, Options{Retries: -1, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		headers = r.Header
		return nil, errors.New("not here")
	})})
	_, _ = client.do(context.Background(), request{method: http.MethodGet, path: "/x"})
	return headers
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// authority is a server whose certificate no system knows, and the certificate.
func authority(t *testing.T) (*httptest.Server, []byte) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`"3.8.8"`)) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a handshake that fails is what is tested
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestCertificates(t *testing.T) {
	server, certificate := authority(t)
	for name, c := range map[string]struct {
		env  map[string]string
		fine bool
	}{"the system's": {nil, false}, "the file's": {map[string]string{"PREFECT_API_SSL_CERT_FILE": "ca.pem"}, true}, "unchecked": {map[string]string{"PREFECT_API_TLS_INSECURE_SKIP_VERIFY": "1"}, true}} {
		t.Run(name, func(t *testing.T) {
			config, err := Load(Sources{Env: func(k string) (string, bool) {
				if k == "PREFECT_API_URL" {
					return server.URL, true
				}
				v, ok := c.env[k]
				return v, ok
			}, ReadFile: func(p string) ([]byte, error) {
				if p == "ca.pem" {
					return certificate, nil
				}
				return nil, fs.ErrNotExist
			}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = New(config, Options{Retries: -1}).do(context.Background(), request{method: http.MethodGet, path: "/admin/version"})
			if (err == nil) != c.fine || err != nil && !strings.Contains(err.Error(), "certificate") {
				t.Errorf("%v", err)
			}
		})
	}
}

func FuzzSettings(f *testing.F) {
	f.Add("PREFECT_API_URL='http://h' # x\n", "[api]\nurl = {a = \"b\"}\n")
	f.Add("A=${A:-${B}}\nexport 'B'=\"\\", "x = [1, {y = '''")
	f.Fuzz(func(t *testing.T, dotenv, toml string) {
		_, _ = Load(Sources{Env: func(string) (string, bool) { return "", false }, ReadFile: func(p string) ([]byte, error) {
			switch p {
			case ".env":
				return []byte(dotenv), nil
			case "prefect.toml", "pyproject.toml":
				return []byte(toml), nil
			}
			return nil, fs.ErrNotExist
		}})
	})
}
