//go:build real && docker

// The document's Docker examples, failures of a real engine and registry, and what is left of secrets that go through Docker steps.
package main

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const documentBase = "prefecthq/prefect:3.8.8-python3.11"

// documentProject is one of the document's build sections, with a push where it has none and a deployment that names the image.
func documentProject(t *testing.T, snippet, before string, push bool) string {
	t.Helper()
	text := strings.ReplaceAll(read(filepath.Join("../../testdata/snippets", snippet)), "image_name: ", "image_name: "+before)
	if push {
		text += "push:\n- prefect_docker.deployments.steps.push_docker_image: {image_name: '{{ image_name }}', tag: '{{ tag }}'}\n"
	}
	dir := project(t, map[string]string{"flow.py": oneFlow, "requirements.txt": "", "prefect.yaml": text + "deployments: [{name: d, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ image }}'}}}]\n"})
	if err := os.Remove(filepath.Join(dir, ".git")); err != nil {
		t.Fatal(err)
	}
	commitAll(t, dir)
	return dir
}

func TestDockerDocument(t *testing.T) {
	env := withoutPython(t)
	env["PREFECT_DEPLOY_PYTHON"] = needs(t, "PYTHON") // whose versions name the base image; it runs no step
	snippets := map[string]bool{"03-docker-recipe.yaml": false, "04-commit-hash-image.yaml": true, "09-commit-hash-image-requires.yaml": true}
	for snippet := range snippets { // verbatim: neither the base image nor the registry is there
		dir := documentProject(t, snippet, "", false)
		failed, _ := deployJSON(t, env, 1, "deploy", "--all", "-C", dir, "--state", "file:state.json")
		said := ""
		for _, s := range failed.Steps {
			said += s.Error
		}
		if strings.Contains(said, "\n") || !strings.Contains(said, "the registry can't be reached") && !strings.Contains(said, "the registry refuses it") {
			t.Errorf("%s: %q", snippet, said)
		}
		if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err == nil {
			t.Errorf("%s leaves a Dockerfile", snippet)
		}
	}
	served(t)
	for snippet, push := range snippets {
		dir := documentProject(t, snippet, needs(t, "DOCKER_REGISTRY")+"/", push)
		done, log := deployJSON(t, env, 0, "deploy", "--all", "-C", dir, "--state", "file:state.json")
		image, id := "", ""
		for _, s := range done.Steps {
			if text, _ := s.Outputs["image_id"].(string); text != "" {
				image, id = s.Outputs["image"].(string), text
			}
		}
		if !strings.Contains(read(filepath.Join(dir, "state.json")), `"image": "`+image+`"`) {
			t.Errorf("%s: the deployment does not name %s\n%s", snippet, image, log)
		}
		if manifest := ask(t, "buildx", "imagetools", "inspect", "--raw", image); id == "" || !strings.Contains(manifest, `"`+id+`"`) || ask(t, "image", "inspect", "--format", "{{.Id}}", image) != id {
			t.Errorf("%s: built is %s, the registry has %s", snippet, id, manifest)
		}
		if listed := ask(t, "run", "--rm", "--network", "none", image); !strings.Contains(listed, "flow.py") || !strings.Contains(listed, "prefect.yaml") {
			t.Errorf("%s: the image holds %s", snippet, listed)
		}
		if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err == nil {
			t.Errorf("%s leaves a Dockerfile", snippet)
		}
	}
}

// TestDockerDocumentTemplates: the document's longer examples, mended as their errors say: what a build gives fills version and image, and of two different builds that write one image the later of the file stays, with a warning.
func TestDockerDocumentTemplates(t *testing.T) {
	env := withoutPython(t)
	env["PREFECT_DEPLOY_PYTHON"] = needs(t, "PYTHON") // whose versions name the base image; it runs no step
	env["my_deployment_tag"] = "mine"
	served(t)
	registry := needs(t, "DOCKER_REGISTRY")
	snippet := func(name string, mends ...string) string {
		text := read(filepath.Join("../../testdata/snippets", name))
		for i := 0; i < len(mends); i += 2 {
			if !strings.Contains(text, mends[i]) {
				t.Fatalf("%s has no %q", name, mends[i])
			}
			text = strings.ReplaceAll(text, mends[i], mends[i+1])
		}
		return strings.ReplaceAll(text, "image_name: ", "image_name: "+registry+"/")
	}
	const flows = "from prefect import flow\n\n@flow\ndef my_flow(number=1, message=''): pass\n\n@flow\ndef my_other_flow(): pass\n\n@flow\ndef yet_another_flow(): pass\n"
	of := func(yaml string) string {
		dir := project(t, map[string]string{"flow.py": oneFlow, "hello.py": flows, "goodbye.py": flows, "prefect.yaml": yaml, "Dockerfile.custom": "FROM " + needs(t, "DOCKER_BASE") + "\nENV CUSTOM=yes\n",
			"state.json": `{"schema": 1, "blocks": {"kubernetes-cluster-config/my-favorite-config": {"context_name": "c"}}, "variables": {"some_common_tag": "common"}}`})
		if err := os.Remove(filepath.Join(dir, ".git")); err != nil {
			t.Fatal(err)
		}
		commitAll(t, dir)
		return dir
	}
	inRegistry := func(image, id string) {
		t.Helper()
		if manifest := ask(t, "buildx", "imagetools", "inspect", "--raw", image); id == "" || !strings.Contains(manifest, `"`+id+`"`) {
			t.Errorf("%s: built is %s, the registry has %s", image, id, manifest)
		}
	}
	dir := of(snippet("13-templating.yaml", "id: build-image`", "id: build-image", "metadata\n    name: null\n", "metadata\n    name: d\n", "entrypoint: null", "entrypoint: 'flow.py:hello'"))
	done, log := deployJSON(t, env, 0, "deploy", "--all", "-C", dir, "--state", "file:state.json")
	inRegistry(registry+"/my-repo/my-image:my-tag", done.output("build-image", "image_id"))
	for _, want := range []string{`"version": "my-tag"`, `"image": "` + registry + `/my-repo/my-image:my-tag"`, `"mine"`, `"common"`} {
		if state := read(filepath.Join(dir, "state.json")); !strings.Contains(state, want) {
			t.Errorf("registered is no %s\n%s\n%s", want, state, log)
		}
	}
	dir = of(snippet("15-aliases.yaml", "build: ...\n", "", "push: ...\n", "", "pull: ...\n", "pull: []\n", "flows/", ""))
	for range 2 { // whatever the machine does meanwhile, the order is the file's
		done, log = deployJSON(t, env, 0, "deploy", "--all", "-C", dir, "--state", "file:state.json")
		var ids []string
		for _, s := range done.Steps {
			ids = append(ids, s.Outputs["image_id"].(string))
		}
		if len(ids) != 2 || ids[0] == ids[1] || !strings.Contains(log, "same-image") || strings.Count(log, "my-example-image:dev") == 0 {
			t.Fatalf("%v\n%s", ids, log)
		}
		inRegistry(registry+"/my-example-image:dev", ids[1])
		if first, second := strings.Index(log, "succeeded in"), strings.LastIndex(log, ": prefect_docker.deployments.steps.build_docker_image"); first < 0 || second < first {
			t.Errorf("the two builds ran at once\n%s", log)
		}
	}
}

// served puts an image in the place of Prefect's into the registry that the engine asks first; its uv does nothing.
func served(t *testing.T) {
	t.Helper()
	name := needs(t, "DOCKER_REGISTRY") + "/" + documentBase
	dir := project(t, map[string]string{"Dockerfile": "FROM " + needs(t, "DOCKER_BASE") + "\nRUN echo '#!/bin/sh' > /bin/uv && busybox chmod 755 /bin/uv && busybox mkdir -p /opt/prefect\nCMD [\"busybox\", \"find\", \"/opt/prefect\"]\n"})
	ask(t, "buildx", "build", "--provenance=false", "--load", "--tag", name, dir)
	ask(t, "push", "--quiet", name)
}

// TestDockerSideBySide: three images that have nothing to do with each other build at once, and one that two deployments share is built once.
func TestDockerSideBySide(t *testing.T) {
	registry, base := needs(t, "DOCKER_REGISTRY"), needs(t, "DOCKER_BASE")
	yaml := "pull: []\ndeployments:\n"
	files := map[string]string{"flow.py": oneFlow}
	for _, name := range []string{"a", "b", "c", "c2"} {
		id := name[:1]
		files[id+".Dockerfile"] = "FROM " + base + "\nRUN busybox sleep 2; echo " + id + fmt.Sprint(time.Now().UnixNano()) + "\n"
		yaml += "- name: " + name + "\n  entrypoint: flow.py:hello\n  work_pool: {name: p, job_variables: {image: '{{ " + id + ".image }}'}}\n  build:\n" +
			"  - prefect_docker.deployments.steps.build_docker_image: {id: " + id + ", image_name: " + registry + "/side-" + id + ", tag: v1, dockerfile: " + id + ".Dockerfile}\n"
	}
	files["prefect.yaml"] = yaml
	done, log := deployJSON(t, withoutPython(t), 0, "deploy", "--all", "-C", project(t, files), "--state", "file:state.json", "--jobs", "3")
	if len(done.Steps) != 3 || done.Summary["create"] != 4 {
		t.Errorf("%+v", done)
	}
	first := strings.Index(log, ": succeeded in")
	for _, id := range []string{"a", "b", "c"} {
		if at := strings.Index(log, id+": prefect_docker.deployments"); at < 0 || at > first {
			t.Errorf("%s began after another one had ended\n%s", id, log)
		}
	}
}

// guarded is the registry behind a user and a password.
func guarded(t *testing.T, password string) string {
	t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: needs(t, "DOCKER_REGISTRY")})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, got, _ := r.BasicAuth(); user != "u" || got != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.Replace(strings.TrimPrefix(s.URL, "http://"), "127.0.0.1", "localhost", 1)
}

func TestDockerRefusals(t *testing.T) {
	registry := guarded(t, "right-password")
	build := func(more string) string {
		return "build:\n- prefect_docker.deployments.steps.build_docker_image: {id: app, image_name: " + registry + "/app, tag: v1" + more + "}\n"
	}
	push := func(more string) string {
		return build("") + "push:\n- prefect_docker.deployments.steps.push_docker_image: {image_name: '{{ app.image_name }}', tag: v1" + more + "}\n"
	}
	login := func(password string) string {
		return ", credentials: {username: u, password: " + password + ", registry_url: '" + registry + "'}"
	}
	for name, c := range map[string]struct{ steps, want string }{
		"a wrong password":                {push(login("wrong-password")), "the login to " + registry + " as u failed: the registry refuses it: "},
		"no password":                     {push(""), "the push of " + registry + "/app:v1 failed: the registry refuses it: "},
		"a wrong password of a build":     {build(", push: true" + login("wrong-password")), "the login to " + registry + " as u failed: the registry refuses it: "},
		"no password of a build":          {build(", push: true"), "the build of " + registry + "/app:v1 failed: the registry refuses it: "},
		"a wrong password, reauth off":    {push(strings.Replace(login("wrong-password"), "}", ", reauth: false}", 1)), "the login to " + registry + " as u failed: the registry refuses it: "},
		"the right password":              {push(login("right-password")), ""},
		"the right password of a build":   {build(", push: true" + login("right-password")), ""},
		"a full disk":                     {build(", build_backend: buildx, output: {type: tar, dest: /dev/full}"), "the build of " + registry + "/app:v1 failed: the disk is full: "},
		"a registry that is not there":    {strings.ReplaceAll(push(""), registry, "localhost:1"), "the push of localhost:1/app:v1 failed: the registry can't be reached: "},
		"a login where there is no one":   {strings.ReplaceAll(push(login("x-password")), registry, "localhost:1"), "the login to localhost:1 as u failed: the registry can't be reached: "},
		"an argument that there is not":   {build(", no_such: 1"), ""},
		"a script that fails in a build":  {build(", dockerfile: bad.Dockerfile"), "failed: failed to solve: "},
		"a registry's name that can't be": {build(", push: true, additional_tags: [' ']"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, map[string]string{"flow.py": oneFlow, "Dockerfile": "FROM " + needs(t, "DOCKER_BASE") + "\nCOPY flow.py /\n", "bad.Dockerfile": "FROM " + needs(t, "DOCKER_BASE") + "\nRUN echo no space left on device; exit 7\n",
				"prefect.yaml": c.steps + "pull: []\ndeployments: [{name: d, entrypoint: 'flow.py:hello', work_pool: {name: p, job_variables: {image: '{{ app.image }}'}}}]\n"})
			code, stdout, stderr := command(t, withoutPython(t), "deploy", "--all", "-C", dir, "--state", "file:state.json")
			if strings.Contains(name, "right") {
				if code != 0 {
					t.Errorf("exit %d\n%s%s", code, stdout, stderr)
				}
				return
			}
			if beforehand := map[string]string{"an argument that there is not": `takes no argument "no_such"`, "a registry's name that can't be": `additional_tags " " is not a tag that Docker takes`}[name]; beforehand != "" {
				if code != 1 || !strings.Contains(stderr, beforehand) || !strings.Contains(stderr, "nothing ran") {
					t.Errorf("exit %d\n%s", code, stderr)
				}
				return
			}
			line := ""
			for _, l := range strings.Split(stderr, "\n") {
				if strings.Contains(l, ": failed after ") {
					line = l
				}
			}
			if code != 1 || !strings.Contains(line, c.want) || strings.Contains(stdout+stderr, "-password") {
				t.Errorf("exit %d, %q, want %q\n%s", code, line, c.want, stderr)
			}
			t.Log(line)
		})
	}
}

// watch looks at the words and the environment of all processes, again and again, for texts that must not be there.
func watch(t *testing.T, secrets []string) (found func() []string) {
	stop, seen := make(chan struct{}), map[string]bool{}
	var wait sync.WaitGroup
	wait.Add(1)
	go func() {
		defer wait.Done()
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, kind := range []string{"cmdline", "environ"} {
				paths, _ := filepath.Glob("/proc/[0-9]*/" + kind)
				for _, path := range paths {
					data, _ := os.ReadFile(path)
					for _, s := range secrets {
						if strings.Contains(string(data), s) {
							seen[kind+": "+strings.ReplaceAll(string(data), "\x00", " ")] = true
						}
					}
				}
			}
		}
	}()
	return func() (out []string) {
		close(stop)
		wait.Wait()
		for s := range seen {
			out = append(out, s)
		}
		return out
	}
}

// TestDockerCanary: a secret through every input of the Docker steps that takes one is in no log, no process's words or environment, no file, no error and no output.
func TestDockerCanary(t *testing.T) {
	password, token, word := "canary-password-81c3", "canary-token-55aa", "canary-word-0f7e"
	registry, base := guarded(t, password), needs(t, "DOCKER_BASE")
	env := withoutPython(t)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	env["TMPDIR"] = temp
	secret := "'{{ prefect.blocks.secret.token }}'"
	image := func(id, more string) string {
		return "  - prefect_docker.deployments.steps.build_docker_image: {id: " + id + ", image_name: " + registry + "/" + id + ", tag: v1, " + more + "}\n"
	}
	push := func(credentials string) string {
		return "  - prefect_docker.deployments.steps.push_docker_image: {image_name: '" + registry + "/a', tag: v1, credentials: " + credentials + "}\n"
	}
	const block, key = "'{{ prefect.blocks.docker-registry-credentials.reg }}'", "{username: u, password: '{{ prefect.blocks.secret.key }}', registry_url: '"
	state := `{"schema": 1, "blocks": {"docker-registry-credentials/reg": {"username": "u", "password": "` + password + `", "registry_url": "` + registry + `", "reauth": true}, "secret/token": {"value": "` + token +
		`"}, "secret/key": {"value": "` + password + `"}, "secret/wrong": {"value": "canary-wrong-3b1d"}}}`
	wait := "RUN busybox sleep 1\n"
	dir := project(t, map[string]string{"flow.py": oneFlow, "Dockerfile": "FROM " + base + "\nCOPY flow.py /\n" + wait + "ARG TOKEN\n", "secret.Dockerfile": "FROM " + base + "\nRUN --mount=type=secret,id=word test -s /run/secrets/word; busybox sleep 1\n",
		"word.txt": word, "state.json": state, ".dockerignore": "state.json\nword.txt\n", "prefect.yaml": "pull: []\ndeployments:\n- name: d\n  entrypoint: flow.py:hello\n  work_pool: {name: p, job_variables: {image: '{{ a.image }}'}}\n  build:\n" +
			image("a", "buildargs: {TOKEN: "+secret+", A: b}, labels: {plain: x}") +
			image("b", "build_backend: buildx, build_args: {TOKEN: "+secret+"}, cache: false") +
			image("c", "build_backend: buildx, dockerfile: secret.Dockerfile, secrets: ['id=word,src=word.txt']") +
			image("d", "push: true, credentials: "+block+"") +
			image("e", "push: true, credentials: "+key+registry+"'}") +
			"  push:\n" + push(block) + push(key+registry+"'}") + push(key+registry+"', reauth: false}") +
			"- name: wrong\n  entrypoint: flow.py:hello\n  work_pool: {name: p}\n  build:\n" + image("f", "buildargs: {TOKEN: "+secret+"}, target: none-such") +
			"- name: refused\n  entrypoint: flow.py:hello\n  work_pool: {name: p}\n  build:\n" + image("g", "push: true, credentials: {username: u, password: '{{ prefect.blocks.secret.wrong }}', registry_url: '"+registry+"'}")})
	secrets := []string{password, token, word, "canary-wrong-3b1d", base64.StdEncoding.EncodeToString([]byte("u:" + password))}
	found := watch(t, secrets)
	code, stdout, stderr := command(t, env, "deploy", "--all", "-C", dir, "--state", "file:state.json", "--json", "-", "--debug")
	for _, f := range found() {
		t.Errorf("a process has %s", f)
	}
	if code != 1 || strings.Count(stdout, `"failed"`) == 0 || !strings.Contains(stdout, `"hello/d"`) {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	nowhere := func(what, text string) {
		for _, s := range secrets {
			if at := strings.Index(text, s); at >= 0 {
				t.Errorf("%s holds %s: …%s", what, s, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
	nowhere("stdout", stdout)
	nowhere("stderr", stderr)
	for _, root := range []string{temp, env["HOME"], needs(t, "DOCKER_CONFIG"), dir} {
		_ = filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() && e.Name() != "word.txt" && !strings.HasSuffix(path, "docker-buildx") {
				text := read(path)
				if e.Name() == "state.json" { // which holds the blocks, as a server does
					text, _, _ = strings.Cut(text, `"blocks"`)
				}
				nowhere(path, text)
			}
			return nil
		})
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "prefect-deploy-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	t.Log(stderr)
}
