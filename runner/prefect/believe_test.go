// No file of a proposed tree leads the job's key, or anything else of it, to a server: each way that Prefect's settings have to name one is tried.
package prefect

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestBelievedTrees(t *testing.T) {
	key := map[string]string{"PREFECT_API_KEY": "pnu_secret"}
	own := map[string]string{"PREFECT_API_URL": "https://ours.example.com/api", "PREFECT_API_KEY": "pnu_secret"}
	none := map[string]string{}
	theirs := map[string]string{".env": "PREFECT_API_URL=https://theirs.example.com/api\n"}
	both := map[string]string{"prefect.toml": "[api]\nurl = \"https://theirs.example.com/api\"\nkey = \"pnu_theirs\"\n"}
	const profiles = "active = \"p\"\n[profiles.p]\nPREFECT_API_URL = \"https://HOST/api\"\nPREFECT_API_KEY = \"pnu_secret\"\n"
	ofJob := map[string]string{"HOME/.prefect/profiles.toml": strings.Replace(profiles, "HOST", "ours.example.com", 1)}
	with := func(a, b map[string]string) map[string]string {
		out := map[string]string{}
		for _, m := range []map[string]string{a, b} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	for _, c := range []struct {
		name       string
		env, files map[string]string
		// found is the server for each trust, in their order; a text that begins with "!" is the error's file and variable.
		found [3]string
	}{
		{"from .env, a key of the job's", key, theirs, [3]string{"theirs", "!.env PREFECT_API_URL", "!.env PREFECT_API_URL"}},
		{"from .env, no key", none, theirs, [3]string{"theirs", "theirs", "!.env PREFECT_API_URL"}},
		{"from .env, a header of the job's", map[string]string{"PREFECT_CLIENT_CUSTOM_HEADERS": `{"X-Token": "secret"}`}, theirs, [3]string{"theirs", "!.env PREFECT_API_URL", "!.env PREFECT_API_URL"}},
		{"from .env, an auth string of the job's", map[string]string{"PREFECT_API_AUTH_STRING": "me:secret"}, theirs, [3]string{"theirs", "!.env PREFECT_API_URL", "!.env PREFECT_API_URL"}},
		{"server and key in prefect.toml", none, both, [3]string{"theirs", "theirs", "!prefect.toml PREFECT_API_URL"}},
		{"the same, and a key of the job's", key, both, [3]string{"theirs", "!prefect.toml PREFECT_API_URL", "!prefect.toml PREFECT_API_URL"}},
		{"from pyproject.toml", key, map[string]string{"pyproject.toml": "[tool.prefect.api]\nurl = \"https://theirs.example.com/api\"\n"}, [3]string{"theirs", "!pyproject.toml PREFECT_API_URL", "!pyproject.toml PREFECT_API_URL"}},
		{"the job names the server", own, with(theirs, both), [3]string{"ours", "ours", "ours"}},
		{"a profile of the job's", none, ofJob, [3]string{"ours", "ours", "ours"}},
		{"a profile of the job's, and a server in the tree", none, with(ofJob, theirs), [3]string{"theirs", "!.env PREFECT_API_URL", "!.env PREFECT_API_URL"}},
		{"a profile of the tree's", key, map[string]string{".env": "PREFECT_PROFILES_PATH=p.toml\n", "p.toml": strings.Replace(profiles, "HOST", "theirs.example.com", 1)},
			[3]string{"theirs", "!.env PREFECT_API_URL", "!.env PREFECT_API_URL"}},
		{"profiles of the tree's in prefect.toml", key, map[string]string{"prefect.toml": "profiles_path = \"p.toml\"\n", "p.toml": strings.Replace(profiles, "HOST", "theirs.example.com", 1)},
			[3]string{"theirs", "!prefect.toml PREFECT_API_URL", "!prefect.toml PREFECT_API_URL"}},
		{"certificates unchecked", own, map[string]string{"prefect.toml": "[api]\ntls_insecure_skip_verify = true\n"},
			[3]string{"ours", "!prefect.toml PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "!prefect.toml PREFECT_API_TLS_INSECURE_SKIP_VERIFY"}},
		{"certificates of the tree's", own, map[string]string{".env": "PREFECT_API_SSL_CERT_FILE=ca.pem\n", "ca.pem": ""}, [3]string{"!", "!.env PREFECT_API_SSL_CERT_FILE", "!.env PREFECT_API_SSL_CERT_FILE"}},
		{"the pool alone", own, map[string]string{"prefect.toml": "[deployments]\ndefault_work_pool_name = \"p\"\n"}, [3]string{"ours", "ours", "ours"}},
		{"a pool that is the job's key", own, map[string]string{".env": "prefect_default_work_pool_name=x${PREFECT_API_KEY}\n"}, [3]string{"ours", "ours", "!.env PREFECT_DEFAULT_WORK_POOL_NAME"}},
		{"the same, by a name in between", own, map[string]string{".env": "A=${PREFECT_API_KEY}\nPREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME=\"${A}\"\n"}, [3]string{"ours", "ours", "!.env PREFECT_DEPLOYMENTS_DEFAULT_WORK_POOL_NAME"}},
		{"links that hold the job's key", own, map[string]string{".env": "PREFECT_UI_URL=https://x/${PREFECT_API_KEY}\n"}, [3]string{"ours", "ours", "!.env PREFECT_UI_URL"}},
		{"a path of profiles that is the job's key", own, map[string]string{".env": "PREFECT_PROFILES_PATH=${PREFECT_API_KEY}\n"}, [3]string{"ours", "ours", "!.env PREFECT_PROFILES_PATH"}},
		{"a pool that is written plainly, or filled with what the file says", own, map[string]string{".env": "A=p\nPREFECT_DEFAULT_WORK_POOL_NAME=${A}\n"}, [3]string{"ours", "ours", "ours"}},
		{"a pool filled from the job, and the job's own", with(own, map[string]string{"PREFECT_DEFAULT_WORK_POOL_NAME": "p"}), map[string]string{".env": "PREFECT_DEFAULT_WORK_POOL_NAME=${PREFECT_API_KEY}\n"}, [3]string{"ours", "ours", "ours"}},
	} {
		for trust, want := range c.found {
			config, err := Load(Sources{Env: func(k string) (string, bool) {
				if k == "HOME" {
					return "HOME", true
				}
				v, ok := c.env[k]
				return v, ok
			}, ReadFile: func(p string) ([]byte, error) {
				if text, ok := c.files[p]; ok {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			}, Tree: Trust(trust), Why: "GITHUB_EVENT_NAME=pull_request\x1b[31m"})
			if refused, ok := strings.CutPrefix(want, "!"); ok {
				file, variable, _ := strings.Cut(refused, " ")
				if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), variable) || strings.ContainsAny(err.Error(), "\x1b\n") || strings.Contains(err.Error(), "pnu_") || strings.Contains(err.Error(), "me:") || errors.Is(err, ErrNoAPIURL) {
					t.Errorf("%s, trust %d: %v (%v)", c.name, trust, err, config)
				}
				continue
			}
			if err != nil || config.APIURL != "https://"+want+".example.com/api" {
				t.Errorf("%s, trust %d: %v %v, want %s", c.name, trust, config, err, want)
			}
		}
	}
}
