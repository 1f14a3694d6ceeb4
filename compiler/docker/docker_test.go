// The table by examples that a reader can check by eye; the recorded ones are in golden_test.go.
package docker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func inputs(t *testing.T, json string) value.Value {
	t.Helper()
	v, err := value.FromJSON([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var options = Options{Now: time.Date(2026, 11, 24, 1, 2, 3, 4000, time.UTC), PrefectVersion: "3.8.8", PythonVersion: "3.11", Directory: "project"}

func TestArguments(t *testing.T) {
	b, err := BuildOf(inputs(t, `{"image_name": "app", "image_tag": "v1", "buildargs": {"A": "1"}, "push": true}`), options)
	if err != nil {
		t.Fatal(err)
	}
	want := "buildx build --file Dockerfile --tag app:v1 --build-arg A=1 --label io.prefect.version=3.8.8 --provenance=false --pull --push ."
	if got := strings.Join(b.Arguments(), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What is known only when the pipeline runs goes through as the pipeline's own expression.
func TestExpressions(t *testing.T) {
	hash := value.Of("${{ needs.hash.outputs.stdout }}").Mark(value.AfterBuild)
	v := inputs(t, `{"image_name": "team/app", "buildargs": {"V": "x"}, "additional_tags": ["latest"]}`).Set("tag", hash)
	v = v.Set("buildargs", value.Of([]value.Entry{{Key: "V", Value: hash}}))
	b, err := BuildOf(v, options)
	if err != nil {
		t.Fatal(err)
	}
	with := value.Of(b.Action())
	for input, want := range map[string]string{"tags": "team/app:${{ needs.hash.outputs.stdout }}\nteam/app:latest", "build-args": "V=${{ needs.hash.outputs.stdout }}"} {
		if got, _ := with.Get(input); got.Text != want || !got.Origin.Has(value.AfterBuild) {
			t.Errorf("%s: %+v, want %q", input, got, want)
		}
	}
	if tag, _ := b.Outputs("").Get("tag"); tag.Text != hash.Text {
		t.Errorf("the output tag is %q", tag.Text)
	}
	name := value.Of("${{ needs.build.outputs.image_name }}").Mark(value.AfterBuild)
	if _, err := PushOf(value.Of([]value.Entry{{Key: "image_name", Value: name}}), Options{Namespace: "team"}); err == nil {
		t.Error("a name that is known only at run time got a namespace or not, and nobody knows which")
	}
}

func TestNative(t *testing.T) {
	const build, push = "prefect_docker.deployments.steps.build_docker_image", "prefect_docker.projects.steps.push_docker_image"
	for _, c := range []struct{ function, inputs, why string }{
		{build, `{"image_name": "{{ $REGISTRY }}/app", "tag": "{{ hash.stdout }}", "buildargs": {"V": "{{ hash.stdout }}"}}`, ""},
		{build, `{"image_name": "app", "squash": true, "additional_tags": "{{ x.tags }}"}`, "additional_tags is known only at run time; squash is something that only the classic builder does"},
		{build, `{"image_name": "app", "buildargs": {"V": "x "}}`, "build arguments can't be told to docker/build-push-action"},
		{build, `{"image_name": "app", "dockerfile": "{{ $FILE }}"}`, "dockerfile is known only at run time"},
		{push, `{"image_name": "{{ build.image_name }}", "tag": "{{ build.tag }}"}`, ""},
		{push, `{"image_name": "app", "credentials": "{{ prefect.blocks.docker-registry-credentials.dev }}"}`, "credentials are known only at run time"},
		{"prefect.deployments.steps.git_clone", `{}`, "prefect.deployments.steps.git_clone is no Docker step"},
	} {
		if ok, why := Native(c.function, inputs(t, c.inputs)); why != c.why || ok != (why == "") {
			t.Errorf("%s %s: %v %q, want %q", c.function, c.inputs, ok, why, c.why)
		}
	}
}

func TestSensitiveIsNotPrinted(t *testing.T) {
	secret := value.Of("s3cret value").Mark(value.Sensitive)
	for _, key := range []string{"image_name", "tag", "network_mode", "platform", "dockerfile", "shmsize", "additional_tags"} {
		v := value.Of([]value.Entry{{Key: "image_name", Value: value.Of("app")}}).Set(key, secret)
		if key == "additional_tags" {
			v = v.Set(key, value.Of([]value.Value{secret}))
		}
		if _, err := BuildOf(v, options); err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", key, err)
		}
	}
	v := value.Of([]value.Entry{{Key: "image_name", Value: value.Of("app")}, {Key: "labels", Value: value.Of([]value.Entry{{Key: "a", Value: secret}})}})
	b, err := BuildOf(v, options)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(b.Action(), func(e value.Entry) bool { return e.Key == "labels" })
	if !b.Action()[i].Value.Origin.Has(value.Sensitive) {
		t.Error("an action's input that holds a secret does not say so")
	}
}

// FuzzNative: no input makes the table panic, what it takes it writes down the same way twice, and what is native can be built.
func FuzzNative(f *testing.F) {
	f.Add(`{"image_name": "app", "tag": 1, "labels": {"a": "b"}, "additional_tags": ["x"], "build_backend": "buildx", "secrets": "id=a,src=b"}`)
	f.Add(`{"image_name": "{{ a.b }}", "dockerfile": "auto", "path": "./x", "extra_hosts": {"a": "b"}, "push": true, "platform": "linux/arm64"}`)
	f.Add(`{"image_name": "r.io:5/a", "credentials": {"username": "u", "password": "p"}, "tag": null}`)
	f.Fuzz(func(t *testing.T, json string) {
		v, err := value.FromJSON([]byte(json))
		if err != nil {
			return
		}
		for _, function := range []string{"prefect_docker.deployments.steps.build_docker_image", "prefect_docker.deployments.steps.push_docker_image"} {
			if ok, why := Native(function, v); ok != (why == "") {
				t.Fatalf("native %v, because %q", ok, why)
			}
		}
		if b, err := BuildOf(v, options); err == nil {
			again, _ := BuildOf(v, options)
			if !slices.Equal(b.Arguments(), again.Arguments()) {
				t.Fatal("two answers")
			}
			b.Outputs("sha256:1")
			b.Action()
		}
		if p, err := PushOf(v, options); err == nil {
			p.Commands()
			p.Outputs()
			p.Login()
		}
	})
}
