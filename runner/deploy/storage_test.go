//go:build unix

// What the companion for buckets leaves to Python goes to the Python that the caller has: in a pull section that is the scratch directory's, so that nothing is installed into the one that is active.
package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
	"github.com/org/prefect-deploy-action/runner/step"
)

func TestWhatTheCompanionLeavesGoesToTheCallersPython(t *testing.T) {
	program := filepath.Join(t.TempDir(), "prefect-deploy-storage")
	script := "#!/bin/sh\nread -r line <&3\nhex=$(printf '%s' \"$line\" | sed 's/.*done \\([0-9a-f]*\\)\".*/\\1/')\nprintf '\\000done %s\\n' \"$hex\"\nprintf '\\000done %s\\n' \"$hex\" >&2\n" +
		`printf '%s\n' '{"kind":"error","type":"Unsupported","message":"a role to assume"}' >&4` + "\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	j := &job{Options: Options{Storage: func(context.Context) (string, error) { return program, nil }}}
	c := step.Call{Function: "prefect_aws.deployments.steps.pull_from_s3", Inputs: value.Of([]value.Entry{{Key: "bucket", Value: value.Of("b")}}), Dir: t.TempDir(), Env: []string{"PATH=" + os.Getenv("PATH")}}
	_, err := j.carriedOutWith(context.Background(), c, func() (*step.Python, error) { return nil, errors.New("none in the scratch directory") })(context.Background(), c)
	if err == nil || !strings.Contains(err.Error(), "none in the scratch directory") || !strings.Contains(err.Error(), "a role to assume") {
		t.Errorf("error %v", err)
	}
}
