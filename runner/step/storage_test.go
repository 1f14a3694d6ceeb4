//go:build unix

package step

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// standIn is a companion that writes down what it is asked and gives one answer.
func standIn(t *testing.T, answer string) (program, asked string) {
	t.Helper()
	dir := t.TempDir()
	program, asked = filepath.Join(dir, "prefect-deploy-storage"), filepath.Join(dir, "asked")
	text := "#!/bin/sh\nread -r line <&3\nprintf '%s\\n%s' \"$line\" \"$*\" > " + asked + "\nhex=$(printf '%s' \"$line\" | sed 's/.*done \\([0-9a-f]*\\)\".*/\\1/')\n" +
		"echo told >&2\nprintf '\\000done %s\\n' \"$hex\"\nprintf '\\000done %s\\n' \"$hex\" >&2\nprintf '%s\\n' '" + answer + "' >&4\n"
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return program, asked
}

func TestStorageAsksTheCompanion(t *testing.T) {
	inputs := value.Of([]value.Entry{{Key: "bucket", Value: value.Of("b")}, {Key: "credentials", Value: value.Of([]value.Entry{{Key: "aws_secret_access_key", Value: value.Of("CANARY")}})}})
	for _, c := range []struct{ answer, want, fault string }{
		{`{"kind":"result","value":{"bucket":"b"}}`, `{"bucket":"b"}`, ""},
		{`{"kind":"error","type":"<worker>.Refused","message":"it does not exist"}`, "", "it does not exist"},
		{`{"kind":"error","type":"Unsupported","message":"a role to assume"}`, "", "a role to assume"},
		{`no JSON`, "", "prefect-deploy-storage"},
	} {
		program, asked := standIn(t, c.answer)
		var told []string
		got, err := Storage(program)(context.Background(), Call{Function: "prefect_aws.projects.steps.push_to_s3", Inputs: inputs, Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")}, Always: true,
			Stderr: func(line []byte) { told = append(told, string(line)) }})
		if c.fault == "" && (err != nil || string(got.AppendJSON(nil)) != c.want) || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: %s, error %v", c.answer, got.AppendJSON(nil), err)
		}
		var left *Unsupported
		if errors.As(err, &left) != strings.Contains(c.answer, "Unsupported") {
			t.Errorf("%s: left to Python: %v", c.answer, left)
		}
		data, _ := os.ReadFile(asked)
		request, arguments, _ := strings.Cut(string(data), "\n")
		if !strings.Contains(request, `"function":"prefect_aws.deployments.steps.push_to_s3"`) || !strings.Contains(request, `"always":true`) || strings.Contains(arguments, "CANARY") {
			t.Errorf("it was asked %s with the arguments %q", request, arguments)
		}
		if strings.Join(told, "|") != "told" {
			t.Errorf("it told %q", told)
		}
	}
	if _, err := Storage(filepath.Join(t.TempDir(), "absent"))(context.Background(), Call{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "cannot be started") {
		t.Errorf("error %v", err)
	}
}

func TestIsStorage(t *testing.T) {
	for _, c := range []struct {
		function string
		requires []string
		want     bool
	}{
		{"prefect_aws.deployments.steps.push_to_s3", nil, true},
		{"prefect_aws.projects.steps.pull_from_s3", []string{"prefect-aws>=0.5.0", "prefect==3.8.8"}, true},
		{"prefect_azure.deployments.steps.push_to_azure_blob_storage", []string{"prefect-azure[blob_storage]"}, true},
		{"prefect_gcp.deployments.steps.push_to_gcs", []string{"prefect_gcp"}, true},
		{"prefect_gcp.deployments.steps.push_to_gcs", []string{"prefect-gcp", "my-plugin"}, false},
		{"my.steps.push_to_s3", nil, false},
	} {
		if got := IsStorage(c.function, c.requires); got != c.want {
			t.Errorf("%s with %v: %v", c.function, c.requires, got)
		}
	}
}
