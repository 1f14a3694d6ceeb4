// Where Prefect 3's own client looks for a setting, in this order: the environment, a file .env in the working directory, prefect.toml, the table tool.prefect of
// pyproject.toml, the active profile of profiles.toml. With --profile that profile comes before all of them, unless it is the active one. testdata/settings.json holds what
// the real client makes of a table of environments and files.
//
// Two things are other than there, on purpose. A variable that is set to nothing counts as unset, because a CI passes a missing secret as an empty text. And space around a
// value is dropped: a key that was pasted with a line feed cannot be sent in a header.
package prefect

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
)

// Sources is what settings are read from.
type Sources struct {
	// Env looks a variable up.
	Env func(string) (string, bool)
	// ReadFile reads a file and answers fs.ErrNotExist for none; a relative path is one in the working directory. Nil is no files.
	ReadFile func(path string) ([]byte, error)
	// Profile is --profile, "" for none.
	Profile string
	// InTree tells whether a path leads into the tree that Tree is about; nil is no.
	InTree func(path string) bool
	// Tree is how far the files of the working directory are believed, Why what says so.
	Tree Trust
	Why  string
}

// setting is one of Prefect's: the variables that hold it, the first of which wins, and its dotted place in prefect.toml.
type setting struct {
	variables []string
	place     string
}

// The settings that are read here.
var (
	apiURL         = setting{[]string{"PREFECT_API_URL"}, "api.url"}
	apiKey         = setting{[]string{"PREFECT_API_KEY"}, "api.key"}
	authString     = setting{[]string{"PREFECT_API_AUTH_STRING"}, "api.auth_string"}
	insecure       = setting{[]string{"PREFECT_API_TLS_INSECURE_SKIP_VERIFY"}, "api.tls_insecure_skip_verify"}
	certificates   = setting{[]string{"PREFECT_API_SSL_CERT_FILE"}, "api.ssl_cert_file"}
	requestTimeout = setting{[]string{"PREFECT_API_REQUEST_TIMEOUT"}, "api.request_timeout"}
	customHeader   = setting{[]string{"PREFECT_CLIENT_CUSTOM_HEADERS"}, "client.custom_headers"}
	csrfEnabled    = setting{[]string{"PREFECT_CLIENT_CSRF_SUPPORT_ENABLED"}, "client.csrf_support_enabled"}
	uiURL          = setting{[]string{"PREFECT_UI_URL"}, "ui_url"}
	cloudAPI       = setting{[]string{"PREFECT_CLOUD_API_URL"}, "cloud.api_url"}
	cloudUI        = setting{[]string{"PREFECT_CLOUD_UI_URL"}, "cloud.ui_url"}
	defaultPool    = setting{[]string{"PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME", "PREFECT_DEFAULT_WORK_POOL_NAME"}, "deployments.default_work_pool_name"}
)

// layer answers a setting, "" when it has none. file is that of the tree where it stands, "" for what is from elsewhere.
type layer struct {
	file string
	get  func(setting) string
}

// settings are the layers, the strongest first.
type settings struct {
	Sources
	layers []layer
}

func (s *settings) get(x setting) string {
	v, _ := s.find(x)
	return v
}

// find is get with the file that decided.
func (s *settings) find(x setting) (text, file string) {
	for _, l := range s.layers {
		if v := strings.TrimSpace(l.get(x)); v != "" {
			return v, l.file
		}
	}
	return "", ""
}

// variable looks one up in capitals or in small letters, as Prefect does.
func (s Sources) variable(name string) string {
	if v, _ := s.Env(name); v != "" {
		return v
	}
	v, _ := s.Env(strings.ToLower(name))
	return v
}

// byVariable is the layer of something that has variables.
func byVariable(get func(string) string) func(setting) string {
	return func(x setting) string {
		for _, name := range x.variables {
			if v := get(name); strings.TrimSpace(v) != "" {
				return v
			}
		}
		return ""
	}
}

// load reads all files that can hold settings.
func (s Sources) load() (*settings, error) {
	env, err := s.dotenv()
	if err != nil {
		return nil, err
	}
	own, err := s.table(ownFile, "")
	if err != nil {
		return nil, err
	}
	project, err := s.table(projectFile, "tool.prefect.")
	if err != nil {
		return nil, err
	}
	path, from := s.profilesPath(env, own, project)
	if from == "" && path != "" && s.InTree != nil && s.InTree(path) { // PREFECT_HOME=.prefect: the job names the place, and whoever proposes the change what stands there
		from = path
	}
	profiles, err := s.profiles(path)
	if err != nil {
		return nil, err
	}
	active, settingsOf, err := s.active(profiles, path)
	if err != nil {
		return nil, err
	}
	out := &settings{Sources: s, layers: []layer{{"", byVariable(s.variable)}, {dotenvFile, byVariable(func(n string) string { return env[strings.ToLower(n)] })},
		{ownFile, func(x setting) string { return own[x.place] }}, {projectFile, func(x setting) string { return project[x.place] }},
		{from, byVariable(func(n string) string { return settingsOf[n] })}}}
	if s.Profile != "" && s.Profile != active {
		chosen, ok := profiles.profiles[s.Profile]
		if !ok {
			return nil, fmt.Errorf("--profile names %q, and there is no such profile in %s", oneLine(s.Profile), path)
		}
		out.layers = append([]layer{{from, byVariable(func(n string) string { return chosen[n] })}}, out.layers...)
	}
	return out, out.believable()
}

// read is a file's text, "" when it is not there.
func (s Sources) read(path string) (string, error) {
	if s.ReadFile == nil || path == "" {
		return "", nil
	}
	data, err := s.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("the settings of Prefect in %s cannot be read: %w", path, err)
	}
	return string(data), nil
}

// dotenv reads .env; names are in small letters.
func (s Sources) dotenv() (map[string]string, error) {
	text, err := s.read(dotenvFile)
	if err != nil {
		return nil, err
	}
	env := parseDotenv(text, s.Env)
	return env, s.plainlyShown(text, env)
}

// table reads the settings of a TOML file below a prefix, by their dotted place.
func (s Sources) table(file, prefix string) (map[string]string, error) {
	text, err := s.read(file)
	if err != nil {
		return nil, err
	}
	entries, err := parseTOML(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	out := map[string]string{}
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(strings.Join(e.path, "."), prefix); ok {
			out[rest] = e.text
		}
	}
	out[customHeader.place] = headerTable(out)
	return out, nil
}

// defaultProfiles are those that Prefect brings.
func defaultProfiles() map[string]map[string]string {
	return map[string]map[string]string{"ephemeral": {}, "local": {"PREFECT_API_URL": "http://127.0.0.1:4200/api"}, "test": {}, "cloud": {}}
}

// profiles reads profiles.toml, over the profiles that Prefect brings.
func (s Sources) profiles(path string) (profiles, error) {
	text, err := s.read(path)
	if err != nil {
		return profiles{}, err
	}
	file, err := parseProfiles(text)
	if err != nil {
		return profiles{}, fmt.Errorf("%s: %w", path, err)
	}
	all := defaultProfiles()
	maps.Copy(all, file.profiles)
	return profiles{active: file.active, profiles: all}, nil
}

// active is the profile that PREFECT_PROFILE, else the file's `active`, names.
func (s Sources) active(p profiles, path string) (string, map[string]string, error) {
	wanted, _ := s.Env("PREFECT_PROFILE")
	if wanted == "" {
		return p.active, p.profiles[p.active], nil
	}
	settings, ok := p.profiles[wanted]
	if !ok {
		return "", nil, fmt.Errorf("PREFECT_PROFILE names %q, which %s does not have", oneLine(wanted), path)
	}
	return wanted, settings, nil
}

// profilesPath is PREFECT_PROFILES_PATH of the environment or .env, profiles_path of the two TOML files, and else profiles.toml in PREFECT_HOME or in .prefect of the home directory.
// from is the file of the working directory that names it, "" for none.
func (s Sources) profilesPath(env, own, project map[string]string) (path, from string) {
	get := func(name string) string { v, _ := s.Env(name); return v }
	home := firstOf(get("HOME"), get("USERPROFILE"))
	expand := func(p string) string {
		if rest, ok := strings.CutPrefix(p, "~/"); ok && home != "" {
			return filepath.Join(home, rest)
		}
		return p
	}
	for _, p := range [...]struct{ path, from string }{{get("PREFECT_PROFILES_PATH"), ""}, {env["prefect_profiles_path"], dotenvFile}, {own["profiles_path"], ownFile}, {project["profiles_path"], projectFile}} {
		if p.path != "" {
			return expand(p.path), p.from
		}
	}
	if p := get("PREFECT_HOME"); p != "" {
		return filepath.Join(expand(p), "profiles.toml"), ""
	}
	if home == "" {
		return "", ""
	}
	return filepath.Join(home, ".prefect", "profiles.toml"), ""
}
