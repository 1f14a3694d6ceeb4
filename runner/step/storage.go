// The steps for buckets through the companion that holds the clouds' libraries. It speaks the Python worker's protocol, so it is started, asked and ended as that is; a process serves one call, since several may run at once in different directories.
package step

import (
	"context"
	"errors"
	"os/exec"
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// storageName is the companion's name.
const storageName = "prefect-deploy-storage"

// IsStorage reports whether a function brings files to a bucket, or from one, and its requires name no more than the package that it is of: such a step needs no Python where the companion is.
func IsStorage(function string, requires []string) bool {
	name := resolve.Canonical(function)
	collection := ""
	switch name {
	case "prefect_aws.deployments.steps.push_to_s3", "prefect_aws.deployments.steps.pull_from_s3":
		collection = "prefect-aws"
	case "prefect_gcp.deployments.steps.push_to_gcs", "prefect_gcp.deployments.steps.pull_from_gcs":
		collection = "prefect-gcp"
	case "prefect_azure.deployments.steps.push_to_azure_blob_storage", "prefect_azure.deployments.steps.pull_from_azure_blob_storage":
		collection = "prefect-azure"
	default:
		return false
	}
	for _, r := range besidesPrefect(requires) {
		package_ := strings.ToLower(strings.ReplaceAll(packageOf(r), "_", "-"))
		if package_ != collection {
			return false
		}
	}
	return true
}

// Unsupported is the error of a step that the companion leaves to Prefect's own function, before it did anything.
type Unsupported struct{ Why string }

func (e *Unsupported) Error() string { return e.Why }

// Storage is the Func of steps for buckets; program is the companion's path. Its error may be an *Unsupported.
func Storage(program string) Func {
	return func(ctx context.Context, c Call) (value.Value, error) {
		w, err := startProgram(storageName, "", &exec.Cmd{Path: program, Args: []string{storageName}, Dir: c.Dir, Env: slices.Clip(c.Env)})
		if err != nil {
			return value.Value{}, err
		}
		got, alive, err := w.ask(ctx, request{Kind: "call", Function: resolve.Canonical(c.Function), Inputs: c.Inputs, Root: c.Root, Dir: c.Dir, Always: c.Always}, c.Stdout, c.Stderr)
		if alive {
			w.quit()
		}
		var fault *PythonError
		if errors.As(err, &fault) && fault.Type == "Unsupported" {
			return value.Value{}, &Unsupported{fault.Message}
		}
		return got, err
	}
}
