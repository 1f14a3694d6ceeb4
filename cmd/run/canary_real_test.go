//go:build real

// A secret through every argument of every step that is known, each in each of its forms, through whole commands at their most verbose, in success and in failure; then it is looked for everywhere. What is tried follows from the tables
// that name the arguments, so that a new one is tried without anybody's doing, and has to be told here from those that may be in a process's words.
//
// The programs and servers that steps talk to are as bad as can be: they repeat whatever they were told, plainly and encoded, on both streams and across the border of what is read at once.
//
//	PYTHON=.cache/prefect-3/bin/python go test -tags real -run TestCanary ./cmd/run
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// bearing are the arguments that may hold a secret, so that no process may have them in its words.
var bearing = []string{"credentials", "access_token", "env", "repository", "client_parameters", "buildargs", "build_args", "secrets"}

// public are the arguments that are what a program is told in its words, or say where something is; of these a secret is only kept out of what is shown and left behind.
var public = strings.Fields(`script directory stream_output expand_env_vars shell requirements_file branch commit_sha include_submodules directories clone_directory_name url block_document_name block_type_slug
	image_name dockerfile tag additional_tags ignore_cache persist_dockerfile dockerfile_output_path build_backend bucket container folder project ignore_file
	path context_path labels target platform nocache pull push network_mode extra_hosts shmsize cache_from squash isolation container_limits use_config_proxy quiet rm timeout decode forcerm gzip encoding fileobj custom_context
	file platforms load cache ssh cache_to network allow add_hosts build_contexts output provenance sbom attest builder progress metadata_file stream_logs`)

// place is an argument in one form: a text of YAML in which § stands for the secret, and ~ for the secret as a URL has it.
type place struct{ function, argument, form, more string }

// general are the forms in which every argument is tried.
var general = []string{`"pre-§"`, `{username: u, password: "§"}`, `["§"]`}

// particular are forms beyond them, by function and argument.
func particular(to pair) map[string][]string {
	server := to.plain
	at := strings.Replace(server, "//", "//u:~@", 1)
	blocks := func(names ...string) (out []string) {
		for _, n := range names {
			out = append(out, `"{{ prefect.blocks.`+n+`.c }}"`)
		}
		return out
	}
	aws := append([]string{`{aws_access_key_id: AKIA1, aws_secret_access_key: "§", aws_session_token: "§"}`, `{aws_access_key_id: "§", aws_secret_access_key: "§"}`, `{minio_root_user: me, minio_root_password: "§"}`,
		`{aws_access_key_id: a, aws_secret_access_key: "§", aws_client_parameters: {endpoint_url: "` + at + `"}}`, `{profile_name: "§"}`}, blocks("aws-credentials", "minio-credentials")...)
	gcp := append([]string{`{service_account_info: {type: service_account, project_id: p, private_key: "§", client_email: x@p, token_uri: "` + server + `/token"}}`, `{service_account_file: "/nowhere/§"}`, `{service_account_info: "§"}`}, blocks("gcp-credentials")...)
	azure := append([]string{`{connection_string: "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=^;BlobEndpoint=` + server + `/a;"}`, `{connection_string: "BlobEndpoint=` + server + `/a;SharedAccessSignature=sv=1&sig=~;"}`, `{connection_string: "§"}`,
		`{account_url: "` + server + `/a?sv=1&sig=~"}`, `{account_url: "` + server + `", tenant_id: t, client_id: c, client_secret: "§"}`}, blocks("azure-blob-storage-credentials")...)
	parameters := []string{`{endpoint_url: "` + at + `"}`, `{endpoint_url: "` + server + `", config: {region_name: "§"}}`, `{endpoint_url: "` + server + `", verify: "/nowhere/§"}`}
	shell := []string{`{T: "§"}`, `{T: "{{ prefect.blocks.secret.c }}"}`, `{T: "a§b", U: "{{ prefect.blocks.secret.lines }}"}`, `{T: "{{ prefect.blocks.json.c.inner.key }}"}`}
	login := append([]string{`{username: u, password: "§", registry_url: "localhost:1", reauth: true}`, `{username: u, password: "§"}`, `{username: u, password: "§", reauth: false}`}, blocks("docker-registry-credentials")...)
	return map[string][]string{
		"run_shell_script.env": shell, "run_shell_script.script": {`leak "§"`, `ls "./§"`, `leak $KEPT`},
		"git_clone.credentials": append([]string{`{username: me, password: "§"}`, `{token: "§"}`, `{access_token: "§"}`}, blocks("github-credentials", "gitlab-credentials", "bitbucket-credentials")...), "git_clone.access_token": {`"§"`},
		"git_clone.repository":                     {`"` + strings.Replace(to.secure, "//", "//u:~@", 1) + `/code.git"`, `"` + strings.Replace(to.secure, "//", "//~@", 1) + `/code.git"`, `"` + at + `/code.git"`},
		"build_docker_image.buildargs":             {`{T: "§"}`, `{T: "{{ prefect.blocks.secret.lines }}"}`},
		"build_docker_image.build_args":            {`{T: "§", build_backend: x}`, `{T: "§"}`},
		"build_docker_image.labels":                {`{t: "§"}`},
		"build_docker_image.credentials":           login,
		"push_docker_image.credentials":            login,
		"push_to_s3.credentials":                   aws,
		"pull_from_s3.credentials":                 aws,
		"push_to_s3.client_parameters":             parameters,
		"pull_from_s3.client_parameters":           parameters,
		"push_to_gcs.credentials":                  gcp,
		"pull_from_gcs.credentials":                gcp,
		"push_to_azure_blob_storage.credentials":   azure,
		"pull_from_azure_blob_storage.credentials": azure,
	}
}

func short(function string) string { return function[strings.LastIndexByte(function, '.')+1:] }

// places follow from the tables.
func places(t *testing.T, to pair) (out []place) {
	t.Helper()
	forms, used := particular(to), map[string]bool{}
	add := func(function, argument, more string) {
		if slices.Contains(bearing, argument) == slices.Contains(public, argument) {
			t.Errorf("the argument %s of %s is to be either in bearing or in public: may a process have it in its words?", argument, function)
		}
		key := short(function) + "." + argument
		used[key] = true
		if slices.Contains(bearing, argument) && argument != "secrets" && forms[key] == nil {
			t.Errorf("%s of %s may hold a secret: write in particular() in which forms", argument, function)
		}
		for _, form := range slices.Concat(general, forms[key]) {
			out = append(out, place{function, argument, form, more})
		}
	}
	for _, f := range resolve.Functions() {
		for _, argument := range f.Arguments {
			add(f.Name, argument, "")
		}
		if f.Name != resolve.BuildDockerImage {
			continue
		}
		for _, backend := range []string{"docker-py", "buildx"} {
			_, known := docker.Unknown(value.Of([]value.Entry{{Key: "build_backend", Value: value.Of(backend)}}))
			for _, argument := range append(known, "credentials") {
				if !slices.Contains(f.Arguments, argument) {
					add(f.Name, argument, "build_backend: "+backend+", push: true, ")
				}
			}
		}
	}
	for key := range forms {
		if !used[key] {
			t.Errorf("particular() has %s, and no step has such an argument", key)
		}
	}
	return out
}

// usual are the arguments that a step has where they are not what is tried.
func usual(function string, to pair) [][2]string {
	server := to.plain
	bucket := [][2]string{{"bucket", "b"}, {"folder", "app"}}
	switch name := short(function); name {
	case "run_shell_script":
		return [][2]string{{"script", "leak"}}
	case "set_working_directory":
		return [][2]string{{"directory", "."}}
	case "git_clone":
		return [][2]string{{"repository", to.secure + "/code.git"}, {"access_token", `"{{ $CANARY }}"`}}
	case "pull_from_remote_storage":
		return [][2]string{{"url", "s3://b/x"}}
	case "pull_with_block":
		return [][2]string{{"block_document_name", "c"}, {"block_type_slug", "secret"}}
	case "build_docker_image", "push_docker_image":
		return [][2]string{{"image_name", "app"}, {"tag", "v1"}}
	case "push_to_s3", "pull_from_s3":
		return append(bucket, [2]string{"credentials", "{aws_access_key_id: a, aws_secret_access_key: b}"}, [2]string{"client_parameters", `{endpoint_url: "` + server + `"}`})
	case "push_to_gcs", "pull_from_gcs":
		return bucket
	case "push_to_azure_blob_storage", "pull_from_azure_blob_storage":
		return [][2]string{{"container", "b"}, {"folder", "app"}, {"credentials", `{connection_string: "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=` + server + `/a;"}`}}
	}
	return nil
}

// step is the YAML of the place's step.
func (p place) step(to pair, secret string) string {
	form := strings.NewReplacer("§", secret, "~", url.QueryEscape(secret), "^", base64.StdEncoding.EncodeToString([]byte(secret))).Replace(p.form)
	text := "{id: s, " + p.more
	for _, u := range usual(p.function, to) {
		if u[0] != p.argument && !(u[0] == "access_token" && (p.argument == "credentials" || p.argument == "repository")) {
			text += u[0] + ": " + u[1] + ", "
		}
	}
	return "- " + p.function + ": " + text + p.argument + ": " + form + "}\n"
}

// leak is a script that shows its words and environment in many ways.
const leak = `for v in "$@" "$T" "$U" "$KEPT"; do
  printf '%s\n' "$v"; printf '%s\n' "$v" >&2
  printf '%s' "$v" | base64 -w0; echo; printf 'x:%s' "$v" | base64; printf 'xy:%s' "$v" | base64 -w0 >&2; echo >&2
  printf '{"a": "%s"}\n' "$(printf '%s' "$v" | sed 's/["\\]/\\&/g')"
  printf 'http://u:%s@h\n' "$(printf '%s' "$v" | sed 's/%/%25/g; s/+/%2B/g; s,/,%2F,g; s/"/%22/g; s/&/%26/g; s/</%3C/g; s/>/%3E/g; s/é/%C3%A9/g; s/ /%20/g; s/\\/%5C/g')"
  head -c 65530 /dev/zero | tr '\0' x; printf '%s\n' "$v"
  head -c 131060 /dev/zero | tr '\0' y >&2; printf '%s\n' "$v" >&2
done
`

// leakingDocker is docker that says whatever it knows; where BAD is in the environment it fails with that.
const leakingDocker = `case "$1 $2" in "buildx version") exit 0;; esac
cat "$DOCKER_CONFIG/config.json" 2>/dev/null
case "$*" in *--password-stdin*) read -r p; echo "denied: $p"; echo "denied: $p" >&2;; esac
env; env >&2; env | base64 -w0; echo "$*"
case "$*" in *"-f -"*|*"--file -"*) cat;; esac
while [ $# -gt 1 ]; do
  case "$1" in
  --iidfile) printf sha256:5555 > "$2" ;;
  --metadata-file) printf '{"app": {"containerimage.config.digest": "sha256:5555"}}' > "$2" ;;
  --metadata-file=*) printf '{"app": {"containerimage.config.digest": "sha256:5555"}}' > "${1#*=}" ;;
  esac
  shift
done
[ -z "$BAD" ] || { env >&2; exit 1; }
`

// bad answers everything with what it was told.
func bad(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	user, password, _ := r.BasicAuth()
	if user == "" && strings.HasSuffix(r.URL.Path, "refs") {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
	}
	w.Header().Set("Content-Type", "text/plain")
	code := http.StatusForbidden
	if w.Header().Get("WWW-Authenticate") != "" {
		code = http.StatusUnauthorized
	}
	w.WriteHeader(code)
	fmt.Fprintf(w, "no entry for %s with %s at %s %s\n%v\n%s", user, password, r.URL.String(), r.Header.Get("Authorization"), r.Header, body)
}

// good answers as an empty bucket of each cloud, and as one that takes everything.
func good(repository http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, ".git/"):
			repository.ServeHTTP(w, r)
		case strings.HasSuffix(r.URL.Path, "/token"):
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"access_token": "t0k3n", "expires_in": 3600, "token_type": "Bearer"}`)
		case r.URL.Query().Get("comp") == "list":
			fmt.Fprint(w, `<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>`)
		case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/storage/"), r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/o"):
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"kind": "storage#objects", "items": []}`)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `<?xml version="1.0"?><ListBucketResult><Name>b</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>`)
		case r.Method == http.MethodPost:
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"name": "x", "bucket": "b", "size": "1"}`)
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("ETag", `"x"`)
			w.WriteHeader(http.StatusCreated)
		}
	}
}

// canaries is a secret and the forms in which it is looked for.
type canaries struct {
	secret  string
	needles []string
}

func (c *canaries) add(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		quoted, _ := json.Marshal(line)
		forms := []string{line, strings.Trim(string(quoted), `"`), url.QueryEscape(line), url.PathEscape(line)}
		for _, before := range []string{"", "x", "xy"} { // what is around it decides how its ends look, so its middle is looked for
			signs := base64.RawStdEncoding.EncodeToString([]byte(before + line))
			signs = signs[4 : len(signs)/4*4-4]
			forms = append(forms, signs, strings.NewReplacer("+", "-", "/", "_").Replace(signs))
		}
		c.needles = append(c.needles, forms...)
	}
	slices.Sort(c.needles)
	c.needles = slices.Compact(c.needles)
}

// in says which form is in a text, and what is around it.
func (c *canaries) in(text string) string {
	for _, n := range c.needles {
		if at := strings.Index(text, n); at >= 0 {
			return fmt.Sprintf("%q: …%s…", n, text[max(0, at-200):min(len(text), at+len(n)+60)])
		}
	}
	return ""
}

// pair is the address of a server, and that of the same with TLS, without which git is told no login.
type pair struct{ plain, secure string }

// cage is where a canary is let loose: programs on PATH, a home, and servers.
type cage struct {
	*canaries
	home, temp, bin string
	good, bad       pair
	state           string
	// words is the file in which programs note theirs; hits is what was seen of processes.
	words string
	mu    sync.Mutex
	hits  []string
}

func newCage(t *testing.T) *cage {
	t.Helper()
	c := &cage{canaries: &canaries{secret: "cNrY7f3a/91%+x&<é>-Qq5W"}, home: t.TempDir(), temp: t.TempDir(), bin: t.TempDir(), words: filepath.Join(t.TempDir(), "words")}
	const lines = "first-cNrY8e2b of two\nsecond-cNrY8e2b \"and\\ more"
	c.add(c.secret)
	c.add(lines)
	t.Setenv("TMPDIR", c.temp)
	for _, name := range strings.Fields("git sh bash env cat ls head tr sed base64 printf sleep mkdir rm cp") {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		c.program(t, name, "exec '"+path+"' \"$@\"\n")
	}
	c.program(t, "docker", leakingDocker)
	c.program(t, "leak", leak)
	if err := os.WriteFile(filepath.Join(c.bin, "flow.py"), []byte(oneFlow), 0o644); err != nil {
		t.Fatal(err)
	}
	behind, err := url.Parse(remotePlain(t))
	if err != nil {
		t.Fatal(err)
	}
	for at, h := range map[*pair]http.Handler{&c.good: good(forward(behind)), &c.bad: http.HandlerFunc(bad)} {
		plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
		t.Cleanup(plain.Close)
		t.Cleanup(secure.Close)
		*at = pair{plain.URL, secure.URL}
	}
	key := serviceKey(t)
	for line := range strings.SplitSeq(key, "\n") {
		if len(line) > 40 {
			c.needles = append(c.needles, line)
		}
	}
	block := func(v any) any { return v }
	blocks := map[string]any{
		"secret/c": map[string]any{"value": c.secret}, "secret/lines": map[string]any{"value": lines}, "json/c": map[string]any{"value": map[string]any{"inner": map[string]any{"key": c.secret}}},
		"github-credentials/c": map[string]any{"token": c.secret}, "gitlab-credentials/c": map[string]any{"token": c.secret}, "bitbucket-credentials/c": map[string]any{"username": "u", "password": c.secret},
		"docker-registry-credentials/c":    map[string]any{"username": "u", "password": c.secret, "registry_url": "localhost:1", "reauth": true},
		"aws-credentials/c":                map[string]any{"aws_access_key_id": "AKIA1", "aws_secret_access_key": c.secret, "aws_session_token": c.secret, "region_name": "us-east-1"},
		"minio-credentials/c":              map[string]any{"minio_root_user": "me", "minio_root_password": c.secret},
		"gcp-credentials/c":                map[string]any{"project": "p", "service_account_info": map[string]any{"type": "service_account", "project_id": "p", "private_key_id": "k", "client_email": "x@p", "token_uri": "SERVER/token", "private_key": key}},
		"azure-blob-storage-credentials/c": map[string]any{"connection_string": "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=" + base64.StdEncoding.EncodeToString([]byte(c.secret)) + ";BlobEndpoint=SERVER/a;"},
	}
	text, err := json.Marshal(map[string]any{"schema": 1, "blocks": block(blocks)})
	if err != nil {
		t.Fatal(err)
	}
	c.state = string(text)
	t.Setenv("PATH", c.bin)
	c.watch(t)
	return c
}

// program puts one on PATH that notes its words before it does anything.
func (c *cage) program(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.bin, name), []byte("#!/bin/sh\nprintf '%s\\n' \"$0 $*\" >> '"+c.words+"'\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// watch looks at the words of all processes that come from here, again and again, for the secret; some live too short to be seen, for which program is.
func (c *cage) watch(t *testing.T) {
	t.Helper()
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			list, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, path := range list {
				words, _ := os.ReadFile(path)
				found := c.in(string(words))
				if found == "" {
					continue
				}
				if environ, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ")); bytes.Contains(environ, []byte("TMPDIR="+c.temp+"\x00")) {
					c.mu.Lock()
					c.hits = append(c.hits, found)
					c.mu.Unlock()
				}
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
}

func serviceKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// run lets one step loose by one command, and looks everywhere.
func (c *cage) run(t *testing.T, what, section, steps string, to pair, secretInFile, inWords bool, env map[string]string, command_ ...string) (code int, said string) {
	t.Helper()
	ci := t.TempDir()
	yaml := "x-ci: {github: {secrets: [KEPT]}}\ndeployments:\n- name: d\n  entrypoint: flow.py:hello\n  work_pool: {name: p}\n  " + section + ":\n" + indented(steps)
	if section == "pull" {
		yaml += "  - prefect.deployments.steps.run_shell_script: {script: 'cp " + c.bin + "/flow.py .'}\n"
	} else {
		yaml += "  pull: []\n"
	}
	given := map[string]string{"flow.py": oneFlow, "Dockerfile": "FROM x\n", "prefect.yaml": yaml, "state.json": strings.ReplaceAll(c.state, "SERVER", to.plain), "mine.py": mine, "requirements.txt": "",
		"r.txt": "--extra-index-url " + strings.Replace(c.bad.plain, "//", "//u:${KEPT_IN_URL}@", 1) + "/simple\nno-such-package-cnry\n"}
	dir := project(t, given)
	all := map[string]string{"PATH": c.bin, "HOME": c.home, "TMPDIR": c.temp, "CANARY": c.secret, "KEPT": c.secret, "KEPT_IN_URL": url.QueryEscape(c.secret), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GITHUB_OUTPUT": filepath.Join(ci, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(ci, "summary"),
		"GITHUB_ACTIONS": "true", "DOCKER_CONFIG": filepath.Join(c.home, "docker"), "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1", "STORAGE_EMULATOR_HOST": to.plain, "GIT_SSL_NO_VERIFY": "true", "XDG_CACHE_HOME": c.home}
	if to == c.bad {
		all["BAD"] = "1"
	}
	for k, v := range env {
		all[k] = v
	}
	words := slices.Clone(command_)
	for i := range words {
		words[i] = strings.Replace(words[i], "CI/", ci+"/", 1)
	}
	c.mu.Lock()
	c.hits = nil
	c.mu.Unlock()
	_ = os.Remove(c.words)
	code, stdout, stderr := command(t, all, append(words, "-C", dir, "--state", "file:state.json")...)
	texts := map[string]string{"stdout": stdout, "stderr": stderr, "the words of programs": read(c.words)}
	c.mu.Lock()
	texts["the words of a process"] = strings.Join(c.hits, "\n")
	c.mu.Unlock()
	if inWords {
		delete(texts, "the words of programs")
		delete(texts, "the words of a process")
	}
	for _, top := range []string{dir, ci, c.home, c.temp} {
		_ = filepath.WalkDir(top, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() || given[e.Name()] != "" && e.Name() != "state.json" && (secretInFile || e.Name() != "prefect.yaml") ||
				e.Name() == "sparse-checkout" && inWords { // git's own list of the directories that were asked for
				return nil
			}
			texts[path] = read(path)
			if e.Name() == "state.json" {
				var document map[string]any
				if json.Unmarshal([]byte(texts[path]), &document) == nil {
					delete(document, "blocks")
					text, _ := json.Marshal(document)
					texts[path] = string(text)
				}
			}
			return nil
		})
	}
	for place, text := range texts {
		found := c.in(text)
		for _, half := range []string{"cNrY7f3a", "Qq5W", "cNrY8e2b"} { // what the border of what is read at once leaves of it, and what no escaping changes
			if at := strings.Index(text, half); at >= 0 && found == "" && !strings.HasPrefix(place, "the words") {
				found = "a half: …" + text[max(0, at-200):min(len(text), at+60)]
			}
		}
		if found != "" {
			t.Errorf("%s, by %s, exit %d: %s shows %s", what, strings.Join(command_, " "), code, place, found)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(c.temp, "prefect-deploy-*")); len(left) > 0 {
		t.Errorf("%s, by %s: %v is left", what, strings.Join(command_, " "), left)
	}
	return code, stdout + stderr
}

func indented(steps string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(steps, "\n"), "\n", "\n  ") + "\n"
}

// TestCanaryInEveryArgument: every argument of every known step, in all forms, by a deploy, by a single step and by a check of the pull section, with programs and servers that take it and such that refuse it.
func TestCanaryInEveryArgument(t *testing.T) {
	buildCompanion(t)
	c := newCage(t)
	deploy := []string{"deploy", "--all", "--debug", "--json", "CI/plan.json", "--markdown", "CI/plan.md"}
	t.Chdir(c.temp)
	outcomes, tried := map[string]int{}, 0
	for _, to := range []pair{c.good, c.bad} {
		for _, p := range places(t, to) {
			if only := os.Getenv("ONLY"); only != "" && !strings.Contains(short(p.function)+"."+p.argument, only) || os.Getenv("PROVE") == "" && slices.Contains(public, p.argument) && slices.Contains(general[1:], p.form) {
				continue // forms that these arguments do not have are left to make prove
			}
			steps := p.step(to, "{{ $CANARY }}")
			if strings.Contains(p.form, "~") || strings.Contains(p.form, "^") {
				steps = p.step(to, c.secret)
			}
			literal := strings.Contains(steps, url.QueryEscape(c.secret)) || strings.Contains(steps, base64.StdEncoding.EncodeToString([]byte(c.secret)))
			what := fmt.Sprintf("%s, %s: %s", short(p.function), p.argument, p.form)
			words := !slices.Contains(bearing, p.argument) || p.argument == "repository" && p.form == general[0] // which holds no login
			commands := [][]string{deploy}
			if slices.Contains(bearing, p.argument) || p.more == "" && p.form == general[0] {
				commands = append(commands, []string{"step", "s", "--debug", "--outputs", "CI/o.json", "--dotenv", "CI/o.env"})
				if !strings.Contains(p.function, "docker") && !strings.Contains(p.function, ".push_to_") {
					commands = append(commands, []string{"pull-check", "--all", "--json", "CI/r.json"})
				}
			}
			for _, command_ := range commands {
				section := "build"
				if command_[0] == "pull-check" {
					section = "pull"
				}
				code, said := c.run(t, what, section, steps, to, literal, words, nil, command_...)
				tried++
				outcomes[fmt.Sprintf("%s %s exit %d", short(p.function), command_[0], code)]++
				if os.Getenv("SAY") != "" && strings.Contains(what, os.Getenv("SAY")) {
					t.Logf("%s\n%s", what, said)
				}
			}
		}
	}
	for _, must := range []string{"run_shell_script deploy exit 0", "git_clone deploy exit 0", "build_docker_image deploy exit 0", "push_docker_image deploy exit 0", "push_to_s3 deploy exit 0", "push_to_gcs deploy exit 0", "push_to_azure_blob_storage deploy exit 0",
		"run_shell_script pull-check exit 0", "git_clone pull-check exit 0", "pull_from_s3 step exit 0", "git_clone deploy exit 1", "build_docker_image deploy exit 1", "push_to_s3 deploy exit 1", "push_to_gcs deploy exit 1", "push_to_azure_blob_storage deploy exit 1"} {
		if outcomes[must] == 0 && os.Getenv("ONLY") == "" {
			t.Errorf("none had %q, so that this was not tried: %v", must, outcomes)
		}
	}
	t.Logf("%d runs: %v", tried, outcomes)
}

// buildCompanion puts the companion for buckets beside this program, where it is looked for.
func buildCompanion(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(filepath.Dir(self), "prefect-deploy-storage"), "../storage").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// remotePlain is a repository that wants no login, behind a server.
func remotePlain(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	flow := strings.ReplaceAll(oneFlow, "\n", "\\n")
	script := "git init -q -b main code && cd code && mkdir flows && printf '" + flow + "' > flow.py && cp flow.py flows/ && git add . && git -c user.name=a -c user.email=a@b commit -qm one && cd .. && git clone -q --bare code code.git"
	made := exec.Command("sh", "-c", script)
	made.Dir, made.Env = root, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + root, "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	path, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&cgi.Handler{Path: filepath.Join(strings.TrimSpace(string(path)), "git-http-backend"), Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + root}})
	t.Cleanup(server.Close)
	return server.URL
}

// forward asks for a login first, so that git has to bring one, and takes any.
func forward(to *url.URL) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(to)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// mine is a project's own module, which shows and gives what it gets in many ways.
const mine = `import base64, json, os, sys, urllib.parse

def ways(v):
    s = v if isinstance(v, str) else json.dumps(v)
    yield from [s, json.dumps(s), repr(s), urllib.parse.quote(s), urllib.parse.quote(s, safe=""), urllib.parse.quote_plus(s), "x" * 65530 + s, "y" * 131060 + s + "z" * 10]
    for before in ("", "x", "xy"):
        yield base64.b64encode((before + s).encode()).decode()
        yield base64.urlsafe_b64encode((before + s + "?").encode()).decode()

def show(given):
    for v in given.values():
        for w in ways(v):
            print(w)
            print(w, file=sys.stderr)
            sys.stdout.flush()
            os.write(1, (w + "\n").encode())

def echo(**given):
    show(given)
    return {"given": given, "ways": [w for v in given.values() for w in ways(v)]}

async def waits(**given):
    return echo(**given)

def fails(**given):
    show(given)
    raise RuntimeError("refused: %s" % json.dumps(given))

def dies(**given):
    show(given)
    os._exit(3)

def odd(**given):
    class Odd:
        def __repr__(self):
            return json.dumps(given)
    return {"odd": Odd(), str(given): 1}

def secretly(**given):
    return {"token": os.environ["KEPT"], "ways": list(ways(os.environ["KEPT"]))}
`

// TestCanaryThroughPython: the worker with a project's own functions, which show, give, raise and die of what they get; pip, whose index wants a login; Prefect's own functions; and steps that go on with what others gave.
func TestCanaryThroughPython(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		t.Fatal("PYTHON must name a Python with Prefect 3.8.8 and prefect-docker")
	}
	buildCompanion(t)
	c := newCage(t)
	env := map[string]string{"PREFECT_DEPLOY_PYTHON": python, "PREFECT_LOGGING_LEVEL": "DEBUG", "PYTHONDONTWRITEBYTECODE": "1", "PREFECT_HOME": filepath.Join(c.home, "prefect"), "PIP_RETRIES": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
	const shell = "- prefect.deployments.steps.run_shell_script: "
	type one struct {
		name, steps string
		code        int
	}
	var all []one
	for _, f := range []struct {
		name string
		code int
	}{{"echo", 0}, {"waits", 0}, {"fails", 1}, {"dies", 1}, {"odd", 1}} {
		for _, form := range []string{`"{{ $CANARY }}"`, `"{{ prefect.blocks.secret.lines }}"`, `{password: "{{ prefect.blocks.json.c.inner.key }}", list: ["{{ $CANARY }}"]}`, `"{{ prefect.blocks.aws-credentials.c }}"`} {
			all = append(all, one{f.name + " " + form, "- mine." + f.name + ": {id: s, anything: " + form + "}\n", f.code})
		}
	}
	all = append(all,
		one{"a kept variable", "- mine.secretly: {id: s}\n", 0},
		one{"a chain", shell + "{id: s, script: env, env: {T: \"{{ $CANARY }}\"}}\n" + shell + "{id: u, script: env, env: {T: \"{{ s.stdout }}\", U: \"{{ s.stderr }}\"}}\n- mine.echo: {id: v, x: \"{{ u.stdout }}\"}\n" + shell + "{id: w, script: env, env: {T: \"{{ v.given.x }}\"}}\n", 0},
		one{"a function's output on", "- mine.echo: {id: s, x: \"{{ $CANARY }}\"}\n" + shell + "{id: u, script: env, env: {T: \"{{ s.given.x }}\"}}\n- prefect_docker.deployments.steps.build_docker_image: {image_name: app, tag: v1, buildargs: {T: \"{{ s.given.x }}\"}, push: true, credentials: {username: u, password: \"{{ s.given.x }}\"}}\n", 0},
		one{"pip and an index that wants a login", "- prefect.deployments.steps.pip_install_requirements: {id: s, requirements_file: r.txt}\n", 1},
		one{"pip and a file with a secret's name", "- prefect.deployments.steps.pip_install_requirements: {id: s, requirements_file: \"{{ $CANARY }}\"}\n", 1},
		one{"requires from an index that wants a login", "- mine.echo: {id: s, requires: no-such-package-cnry, x: 1}\n", 0},
		one{"a block of Prefect's own", "- prefect.deployments.steps.pull_from_remote_storage: {id: s, url: \"" + strings.Replace(c.bad.plain, "//", "//u:{{ $CANARY }}@", 1) + "/x\"}\n", 1},
		one{"a step for Docker that is left to Python", "- prefect_docker.deployments.steps.push_docker_image: {id: s, image_name: app, tag: [\"{{ $CANARY }}\"], credentials: {username: u, password: \"{{ $CANARY }}\", registry_url: localhost:1}}\n", 1},
		one{"a step for buckets that is left to Python", "- prefect_aws.deployments.steps.push_to_s3: {id: s, bucket: b, folder: f, credentials: {aws_access_key_id: a, aws_secret_access_key: \"{{ $CANARY }}\", assume_role_arn: x}, client_parameters: {api_version: \"{{ $CANARY }}\"}}\n", 1},
	)
	t.Chdir(c.temp)
	for _, to := range []pair{c.good, c.bad} {
		env["PIP_INDEX_URL"] = strings.Replace(c.bad.plain, "//", "//u:"+url.PathEscape(c.secret)+"@", 1) + "/simple"
		for _, o := range all {
			if only := os.Getenv("ONLY"); only != "" && !strings.Contains(o.name, only) {
				continue
			}
			code, said := c.run(t, o.name, "build", o.steps, to, false, strings.Contains(o.name, "name"), env, "deploy", "--all", "--debug", "--json", "CI/plan.json", "--markdown", "CI/plan.md")
			if code != o.code && to == c.good {
				t.Errorf("%s: exit %d, want %d\n%.3000s", o.name, code, o.code, strings.NewReplacer("xxxxxxxx", "", "yyyyyyyy", "").Replace(said))
			}
			if os.Getenv("SAY") != "" {
				t.Logf("%s\n%.3000s", o.name, strings.NewReplacer("xxxxxxxx", "", "yyyyyyyy", "").Replace(said))
			}
			if to == c.good && strings.HasPrefix(o.steps, "- mine") && strings.Count(o.steps, "\n") == 1 {
				c.run(t, o.name, "build", o.steps, to, false, false, env, "step", "s", "--debug", "--outputs", "CI/o.json", "--dotenv", "CI/o.env")
				c.run(t, o.name, "pull", o.steps, to, false, false, env, "pull-check", "--all", "--json", "CI/r.json")
			}
		}
		all = slices.DeleteFunc(all, func(o one) bool { return strings.HasPrefix(o.steps, "- mine") })
	}
}
