// Where the server is and how to log in. Prefect's own settings decide, so that whoever can run `prefect deploy` can run this with
// nothing else to set up: the environment first, then the active profile. Nothing here reads the environment or the disk by
// itself; both come in as functions, which keeps the rules testable and the program's inputs in `main`.
package prefect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"sort"
	"strings"
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
	return err == nil && (u.Hostname() == "prefect.cloud" || strings.HasSuffix(u.Hostname(), ".prefect.cloud"))
}

// DeploymentURL is the page of a deployment in the user interface (the path is that of Prefect 3's own links).
func (c Config) DeploymentURL(id string) string {
	if id == "" {
		return ""
	}
	base := strings.TrimRight(c.UIURL, "/")
	if base == "" {
		base = strings.TrimSuffix(c.Source(), "/api")
		if rest, ok := strings.CutPrefix(base, "https://api.prefect.cloud/api/"); ok {
			rest = strings.Replace(strings.Replace(rest, "accounts/", "account/", 1), "/workspaces/", "/workspace/", 1)
			base = "https://app.prefect.cloud/" + rest
		}
	}
	return base + "/deployments/deployment/" + url.PathEscape(id)
}

// LoadConfig reads the settings: lookup is the environment, readFile reads a file by path and answers fs.ErrNotExist for none.
// A variable that is set to nothing counts as unset, as in Prefect.
func LoadConfig(lookup func(string) (string, bool), readFile func(string) ([]byte, error)) (Config, error) {
	profile, err := activeProfile(lookup, readFile)
	if err != nil {
		return Config{}, err
	}
	setting := func(name string) string {
		if v, _ := lookup(name); strings.TrimSpace(v) != "" {
			return strings.TrimSpace(v)
		}
		return strings.TrimSpace(profile[name])
	}
	c := Config{
		APIKey:     setting("PREFECT_API_KEY"),
		AuthString: firstOf(setting("PREFECT_API_AUTH_STRING"), setting("PREFECT_SERVER_API_AUTH_STRING")),
		UIURL:      setting("PREFECT_UI_URL"),
	}
	if c.Headers, err = customHeaders(setting("PREFECT_CLIENT_CUSTOM_HEADERS")); err != nil {
		return Config{}, err
	}
	c.APIURL, err = CheckAPIURL(setting("PREFECT_API_URL"))
	return c, err
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

// activeProfile returns the settings of the profile that PREFECT_PROFILE, else the file's `active`, names; nil without a file.
func activeProfile(lookup func(string) (string, bool), readFile func(string) ([]byte, error)) (map[string]string, error) {
	path := profilesPath(lookup)
	if path == "" || readFile == nil {
		return nil, nil
	}
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the profiles of Prefect cannot be read: %w", err)
	}
	file, err := parseProfiles(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	wanted, _ := lookup("PREFECT_PROFILE")
	if wanted == "" {
		return file.profiles[file.active], nil
	}
	settings, ok := file.profiles[wanted]
	if !ok {
		return nil, fmt.Errorf("PREFECT_PROFILE names %q, which %s does not have", oneLine(wanted), path)
	}
	return settings, nil
}

// profilesPath follows Prefect: PREFECT_PROFILES_PATH, then PREFECT_HOME, then .prefect in the home directory.
func profilesPath(lookup func(string) (string, bool)) string {
	get := func(name string) string { v, _ := lookup(name); return v }
	home := firstOf(get("HOME"), get("USERPROFILE"))
	expand := func(p string) string {
		if rest, ok := strings.CutPrefix(p, "~/"); ok && home != "" {
			return filepath.Join(home, rest)
		}
		return p
	}
	if p := get("PREFECT_PROFILES_PATH"); p != "" {
		return expand(p)
	}
	if p := get("PREFECT_HOME"); p != "" {
		return filepath.Join(expand(p), "profiles.toml")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".prefect", "profiles.toml")
}
