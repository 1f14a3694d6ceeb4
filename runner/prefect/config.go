// Where the server is and how to log in. Prefect's own settings decide, so that whoever can run `prefect deploy` can run this with
// nothing else to set up: settings.go says where they are looked for. Nothing here reads the environment or the disk by
// itself; both come in as functions, which keeps the rules testable and the program's inputs in `main`.
package prefect

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// ErrNoAPIURL says that nothing names a Prefect API. It is told apart because a file state needs none.
var ErrNoAPIURL = errors.New("no Prefect API is named: set PREFECT_API_URL (for example http://127.0.0.1:4200/api), or keep the state in a file with --state file:state.json")

// Header is one custom header, from PREFECT_CLIENT_CUSTOM_HEADERS.
type Header struct{ Name, Value string }

// Config is what the client needs to know of one Prefect API. Printing it never shows what logs in.
type Config struct {
	// APIURL has scheme and host and no final slash: "http://127.0.0.1:4200/api".
	APIURL string
	// APIKey is sent as "Bearer", AuthString ("user:password") as "Basic"; with both, Basic wins as in Prefect.
	APIKey, AuthString string
	// Headers are sorted by name.
	Headers []Header
	// UIURL is the address of the user interface that links point to, "" to derive it from APIURL.
	UIURL string
	// Insecure does not look at certificates. CertificateFile is the file of those that are believed, "" for the system's.
	Insecure        bool
	CertificateFile string
	// Timeout bounds one attempt, 0 for the default; NoCSRF never asks for a CSRF token.
	Timeout time.Duration
	NoCSRF  bool
	// DefaultWorkPool is that of deployments that name none.
	DefaultWorkPool string

	cloudAPI     string
	certificates *x509.CertPool
	env          func(string) (string, bool)
}

// String is the API's address alone, so that no %v of a Config can show a key.
func (c Config) String() string { return c.Source() }

// GoString is String: %#v must not show a key either.
func (c Config) GoString() string { return "prefect.Config(" + c.Source() + ")" }

// Source is the API's address without a user and password that may stand in it: fit for plans and messages.
func (c Config) Source() string {
	u, err := url.Parse(c.APIURL)
	if err != nil {
		return "(unreadable address)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// cloud tells whether the address is Prefect Cloud's, which has no /admin/version and no CSRF tokens.
func (c Config) cloud() bool {
	u, err := url.Parse(c.APIURL)
	return err == nil && (c.cloudAPI != "" && strings.HasPrefix(c.APIURL, c.cloudAPI) || u.Hostname() == "prefect.cloud" || strings.HasSuffix(u.Hostname(), ".prefect.cloud"))
}

// DeploymentURL is the page of a deployment in the user interface (the path is that of Prefect 3's own links).
func (c Config) DeploymentURL(id string) string {
	if id == "" {
		return ""
	}
	if c.cloudAPI == "" {
		c.cloudAPI = "https://api.prefect.cloud/api"
	}
	return firstOf(strings.TrimRight(c.UIURL, "/"), c.pages("")) + "/deployments/deployment/" + url.PathEscape(id)
}

// LoadConfig is Load for an environment and files alone.
func LoadConfig(lookup func(string) (string, bool), readFile func(string) ([]byte, error)) (Config, error) {
	return Load(Sources{Env: lookup, ReadFile: readFile})
}

// Load reads the settings. With ErrNoAPIURL the rest of the Config is right all the same.
func Load(from Sources) (Config, error) {
	s, err := from.load()
	if err != nil {
		return Config{}, err
	}
	c := Config{APIKey: s.get(apiKey), AuthString: s.get(authString), DefaultWorkPool: s.get(defaultPool), env: from.Env,
		cloudAPI: firstOf(s.get(cloudAPI), "https://api.prefect.cloud/api")}
	if c.Headers, err = customHeaders(s.get(customHeader)); err != nil {
		return Config{}, err
	}
	if c.Insecure, err = s.truth(insecure, false); err != nil {
		return Config{}, err
	}
	csrf, err := s.truth(csrfEnabled, true)
	if err != nil {
		return Config{}, err
	}
	c.NoCSRF = !csrf
	if c.Timeout, err = s.seconds(requestTimeout); err != nil {
		return Config{}, err
	}
	if err := c.readCertificates(s); err != nil {
		return Config{}, err
	}
	c.APIURL, err = CheckAPIURL(s.get(apiURL))
	c.UIURL = firstOf(strings.TrimRight(s.get(uiURL), "/"), c.pages(s.get(cloudUI)))
	return c, err
}

// truth reads a setting that is true or false, in the words that pydantic takes.
func (s *settings) truth(x setting, otherwise bool) (bool, error) {
	switch strings.ToLower(s.get(x)) {
	case "":
		return otherwise, nil
	case "1", "true", "t", "yes", "y", "on":
		return true, nil
	case "0", "false", "f", "no", "n", "off":
		return false, nil
	}
	return false, fmt.Errorf("%s is neither true nor false", x.variables[0])
}

// seconds reads a time, 0 where none is set.
func (s *settings) seconds(x setting) (time.Duration, error) {
	text := s.get(x)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0 && n < 1e6) {
		return 0, fmt.Errorf("%s is no number of seconds", x.variables[0])
	}
	return time.Duration(n * float64(time.Second)), nil
}

// readCertificates reads the file of PREFECT_API_SSL_CERT_FILE, else of SSL_CERT_FILE.
func (c *Config) readCertificates(s *settings) error {
	name := "PREFECT_API_SSL_CERT_FILE"
	path := s.get(certificates)
	if path == "" {
		name = "SSL_CERT_FILE"
		path, _ = s.Env(name)
	}
	if path == "" || c.Insecure || s.ReadFile == nil {
		return nil
	}
	pem, err := s.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.CertificateFile = path
	var ok bool
	if c.certificates, ok = pool(pem); !ok {
		return fmt.Errorf("%s names %s, which holds no certificate: it is a file of PEM blocks", name, path)
	}
	return nil
}

// pages is the address of the user interface that belongs to the API, as Prefect derives it, without a password that may stand in it.
func (c *Config) pages(cloudUI string) string {
	ui := c.Source()
	if c.APIURL == "" {
		return ""
	}
	if strings.HasPrefix(ui, c.cloudAPI) {
		ui = strings.Replace(ui, c.cloudAPI, firstOf(cloudUI, cloudPages(c.cloudAPI)), 1)
	}
	ui = strings.TrimSuffix(ui, "/api")
	for _, r := range [][2]string{{"/api/", "/"}, {"/accounts/", "/account/"}, {"/workspaces/", "/workspace/"}} { // one after the other: they share slashes
		ui = strings.ReplaceAll(ui, r[0], r[1])
	}
	return ui
}

// cloudPages is where a Cloud has its pages: https://api.prefect.cloud/api has them at https://app.prefect.cloud.
func cloudPages(api string) string {
	if rest, ok := strings.CutPrefix(api, "https://api"); ok {
		if host, _, _ := strings.Cut(rest, "/"); strings.Contains(host, ".prefect.") {
			api = "https://app" + rest
		}
	}
	return strings.TrimSuffix(api, "/api")
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// CheckAPIURL returns the address without final slashes, or an error that says what to write instead.
func CheckAPIURL(text string) (string, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "/")
	if text == "" {
		return "", ErrNoAPIURL
	}
	u, err := url.Parse(text)
	if err != nil || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", errors.New("PREFECT_API_URL is not an address: write it as http://HOST:4200/api or https://HOST/api")
	}
	if scheme := strings.ToLower(u.Scheme); (scheme != "http" && scheme != "https") || u.Host == "" {
		shown := " \"" + oneLine(text) + "\""
		if strings.Contains(text, "@") { // it may be USER:PASSWORD@HOST
			shown = ""
		}
		return "", fmt.Errorf("PREFECT_API_URL%s lacks a scheme or a host: write it as http://HOST:4200/api or https://HOST/api", shown)
	}
	return text, nil
}

// customHeaders reads a JSON object of texts. Prefect guards the names that it sends itself; so do we.
func customHeaders(text string) ([]Header, error) {
	if text == "" {
		return nil, nil
	}
	var m map[string]string
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, errors.New(`PREFECT_CLIENT_CUSTOM_HEADERS must be a JSON object of texts: {"X-Header": "value"}`)
	}
	var headers []Header
	for name, v := range m {
		switch strings.ToLower(name) {
		case "user-agent", "prefect-csrf-token", "prefect-csrf-client":
		default:
			headers = append(headers, Header{name, v})
		}
	}
	sort.Slice(headers, func(i, j int) bool { return headers[i].Name < headers[j].Name })
	return headers, nil
}
