// Which server is meant, and that what logs in is never printed.
package prefect

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// profilesFile is a profiles.toml as `prefect profile create`, `prefect config set` and people's hands leave them.
const profilesFile = `# comment with "quotes" and [brackets]
active = "cloud" # trailing

[profiles.local]
PREFECT_API_URL = "http://127.0.0.1:4200/api"   # not "this"

[profiles.cloud]
PREFECT_API_KEY = "pnu_x#y"
PREFECT_API_URL = 'https://api.prefect.cloud/api/accounts/a/workspaces/w'
PREFECT_LOGGING_EXTRA_LOGGERS = ["a]b", "c"]
PREFECT_RESULTS_PERSIST_BY_DEFAULT = true

[profiles."my team"]
PREFECT_API_URL = """http://team:4200/api"""
PREFECT_API_AUTH_STRING = "admin:p\"w\u00e9"
PREFECT_CLIENT_CUSTOM_HEADERS = '{"X-B": "2", "x-a": "1", "User-Agent": "mine"}'
`

func load(env map[string]string, file string) (Config, error) {
	return LoadConfig(func(k string) (string, bool) { v, ok := env[k]; return v, ok }, func(path string) ([]byte, error) {
		if file == "" || !strings.HasSuffix(path, "profiles.toml") {
			return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
		}
		return []byte(file), nil
	})
}

func TestWhichServer(t *testing.T) {
	cases := []struct {
		name string
		env  map[string]string
		file string
		want Config
		err  string
	}{
		{"environment", map[string]string{"PREFECT_API_URL": " http://h:4200/api/ ", "PREFECT_API_KEY": "k\n"}, "", Config{APIURL: "http://h:4200/api", APIKey: "k"}, ""},
		{"profile", map[string]string{"HOME": "/h"}, profilesFile, Config{APIURL: "https://api.prefect.cloud/api/accounts/a/workspaces/w", APIKey: "pnu_x#y"}, ""},
		{"chosen profile", map[string]string{"HOME": "/h", "PREFECT_PROFILE": "my team"}, strings.ReplaceAll(profilesFile, "\n", "\r\n"),
			Config{APIURL: "http://team:4200/api", AuthString: "admin:p\"wé", Headers: []Header{{"X-B", "2"}, {"x-a", "1"}}}, ""},
		{"environment over profile", map[string]string{"HOME": "/h", "PREFECT_PROFILE": "local", "PREFECT_API_URL": "http://x/api"}, profilesFile, Config{APIURL: "http://x/api"}, ""},
		{"empty counts as unset", map[string]string{"HOME": "/h", "PREFECT_PROFILE": "local", "PREFECT_API_URL": ""}, profilesFile, Config{APIURL: "http://127.0.0.1:4200/api"}, ""},
		{"nothing", map[string]string{"HOME": "/h"}, "", Config{}, "--state"},
		{"no scheme", map[string]string{"PREFECT_API_URL": "localhost:4200/api"}, "", Config{}, `"localhost:4200/api" lacks a scheme`},
		{"no host", map[string]string{"PREFECT_API_URL": "http:///api"}, "", Config{}, "lacks a scheme or a host"},
		{"no profile of that name", map[string]string{"HOME": "/h", "PREFECT_PROFILE": "nope"}, profilesFile, Config{}, `"nope"`},
		{"headers", map[string]string{"PREFECT_API_URL": "http://x", "PREFECT_CLIENT_CUSTOM_HEADERS": "a=HUSH"}, "", Config{}, "JSON object"},
		{"damaged", map[string]string{"HOME": "/h"}, "active = \"x\n[profiles.x]\n", Config{}, "line 1"},
		{"inline", map[string]string{"HOME": "/h"}, "active = \"x\"\n[profiles]\nx = {PREFECT_API_URL = \"http://x\"}\n", Config{}, "line 3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := load(c.env, c.file)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "HUSH") {
					t.Errorf("got %v", err)
				}
				return
			}
			// Config prints as its address, so the fields are compared one by one.
			if err != nil || got.APIURL != c.want.APIURL || got.APIKey != c.want.APIKey || got.AuthString != c.want.AuthString || fmt.Sprint(got.Headers) != fmt.Sprint(c.want.Headers) {
				t.Errorf("%v: %q %q %q %v", err, got.APIURL, got.APIKey, got.AuthString, got.Headers)
			}
		})
	}
	if _, err := load(map[string]string{"HOME": "/h"}, ""); !errors.Is(err, ErrNoAPIURL) {
		t.Errorf("got %v", err)
	}
}

func TestNothingPrintsAKey(t *testing.T) {
	c := Config{APIURL: "http://user:HUSH@h:4200/api?x=HUSH", APIKey: "HUSH", AuthString: "u:HUSH", Headers: []Header{{"X", "HUSH"}}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, x := range []any{c, &c} {
			if text := fmt.Sprintf(format, x); strings.Contains(text, "HUSH") {
				t.Errorf("%s prints %s", format, text)
			}
		}
	}
	if _, err := load(map[string]string{"PREFECT_API_URL": "user:HUSH@host/api"}, ""); err == nil || strings.Contains(err.Error(), "HUSH") {
		t.Errorf("got %v", err)
	}
}

func TestDeploymentURL(t *testing.T) {
	for _, c := range []struct{ api, ui, want string }{
		{"http://127.0.0.1:4200/api", "", "http://127.0.0.1:4200/deployments/deployment/1"},
		{"https://api.prefect.cloud/api/accounts/a/workspaces/w", "", "https://app.prefect.cloud/account/a/workspace/w/deployments/deployment/1"},
		{"http://internal/api", "https://ui.example/", "https://ui.example/deployments/deployment/1"},
	} {
		if got := (Config{APIURL: c.api, UIURL: c.ui}).DeploymentURL("1"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func FuzzParseProfiles(f *testing.F) {
	f.Add(profilesFile)
	f.Add("a.\"b\".'c' = '''x\n'''\n[[t]]\nk=[1,{a='}'}]")
	f.Add("x = \"\\")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseProfiles(text)
		if err == nil && p.profiles == nil {
			t.Error("neither profiles nor an error")
		}
	})
}

func FuzzDetail(f *testing.F) {
	f.Add([]byte(`{"detail":[{"loc":["body"],"msg":"x"}]}`))
	f.Add([]byte("<html>\x1b[2J"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if text := detail(body); strings.ContainsAny(text, "\n\r\x1b\x00") {
			t.Errorf("%q", text)
		}
	})
}
