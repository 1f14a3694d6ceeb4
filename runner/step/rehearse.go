// Rehearsing: a step that would write to a registry, a bucket or the machine's container engine gives what it would give, and writes nothing. A replay of a pipeline asks for that.
package step

import (
	"fmt"
	"time"

	"github.com/org/prefect-deploy-action/compiler/docker"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// Outward reports whether a step writes to a registry, a bucket or the machine's container engine: whether Rehearse stands in for it.
func Outward(function string) bool {
	switch resolve.Canonical(function) {
	case resolve.BuildDockerImage, resolve.PushDockerImage, "prefect_aws.deployments.steps.push_to_s3", "prefect_gcp.deployments.steps.push_to_gcs", "prefect_azure.deployments.steps.push_to_azure_blob_storage":
		return true
	}
	return false
}

// Rehearse gives what a step that writes elsewhere would give; ok is false for any other step. Every output is made of the inputs, but an image's id, which is empty.
func Rehearse(function string, inputs value.Value, now time.Time, namespace string) (outputs value.Value, ok bool, err error) {
	o := docker.Options{Now: now, Namespace: namespace, PrefectVersion: "3", PythonVersion: "3", Directory: "project"}
	switch resolve.Canonical(function) {
	case resolve.BuildDockerImage:
		b, err := docker.BuildOf(inputs, o)
		if err != nil {
			return value.Value{}, true, err
		}
		return b.Outputs(""), true, nil
	case resolve.PushDockerImage:
		p, err := docker.PushOf(inputs, o)
		if err != nil {
			return value.Value{}, true, err
		}
		return p.Outputs(), true, nil
	case "prefect_aws.deployments.steps.push_to_s3", "prefect_gcp.deployments.steps.push_to_gcs":
		outputs, err = same(inputs, "bucket", "folder")
		return outputs, true, err
	case "prefect_azure.deployments.steps.push_to_azure_blob_storage":
		outputs, err = same(inputs, "container", "folder")
		return outputs, true, err
	}
	return value.Value{}, false, nil
}

// same are the inputs that a step gives back as they are.
func same(inputs value.Value, names ...string) (value.Value, error) {
	out := value.Of([]value.Entry{})
	for _, name := range names {
		v, ok := inputs.Get(name)
		if !ok {
			return out, fmt.Errorf("the argument %s is missing", name)
		}
		out = out.Set(name, v)
	}
	return out, nil
}
