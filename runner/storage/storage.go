// Package storage carries Prefect's steps for buckets out: push_to_s3, pull_from_gcs and the four others, through gocloud.dev/blob. It brings the libraries of three clouds with it, so only cmd/storage links it.
//
// What the real functions do is what these do: the same files go under the same keys, and come back to the same places. What differs is how: many files at once, and none whose bytes are there already.
//
//	push   walk the directory ─ ignore file ─▶ files with keys ─ list the folder, compare hashes ─▶ transfers, side by side
//	pull   list the folder ─ only names that stay inside ─▶ files with keys ─ compare hashes ─▶ transfers into scratch files, renamed when whole
//
// A transfer that was cut off leaves either nothing or a scratch file whose name the next run uses again, so running it again converges.
package storage

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// Call is one step to carry out.
type Call struct {
	// Function is the full present name ("prefect_aws.deployments.steps.push_to_s3").
	Function string
	// Inputs are the keyword arguments, fully resolved.
	Inputs value.Value
	// Dir is the absolute directory that is pushed or pulled into.
	Dir string
	// Env reads a variable of the step's environment, "" when it is not set.
	Env func(name string) string
	// Always transfers what is there already, too.
	Always bool
	// Patience is how long nothing may move on a connection, 0 for a minute.
	Patience time.Duration
	// Log gets lines for people. It may be called from several goroutines.
	Log func(line string)
}

// Unsupported says that the step is asked for in a way that only Prefect's own function knows; nothing was done.
type Unsupported struct{ Why string }

func (e *Unsupported) Error() string { return e.Why }

// cloud is what differs between the three: how a step's inputs lead to a bucket, and what its answer is called.
type cloud struct {
	// place is the argument that names the bucket; required and optional are all arguments of a push.
	place              string
	required, optional []string
	open               func(ctx context.Context, c Call) (*bucket, error)
}

func clouds() map[string]cloud {
	return map[string]cloud{
		"prefect_aws.deployments.steps.push_to_s3":                     {place: "bucket", required: []string{"bucket", "folder"}, optional: []string{"credentials", "client_parameters", "ignore_file"}, open: openS3},
		"prefect_aws.deployments.steps.pull_from_s3":                   {place: "bucket", required: []string{"bucket", "folder"}, optional: []string{"credentials", "client_parameters"}, open: openS3},
		"prefect_gcp.deployments.steps.push_to_gcs":                    {place: "bucket", required: []string{"bucket", "folder"}, optional: []string{"project", "credentials", "ignore_file"}, open: openGCS},
		"prefect_gcp.deployments.steps.pull_from_gcs":                  {place: "bucket", required: []string{"bucket", "folder"}, optional: []string{"project", "credentials"}, open: openGCS},
		"prefect_azure.deployments.steps.push_to_azure_blob_storage":   {place: "container", required: []string{"container", "folder", "credentials"}, optional: []string{"ignore_file"}, open: openAzure},
		"prefect_azure.deployments.steps.pull_from_azure_blob_storage": {place: "container", required: []string{"container", "folder", "credentials"}, open: openAzure},
	}
}

// Run carries a call out. Its error is one sentence without secrets; an *Unsupported leaves the step to Python.
func Run(ctx context.Context, c Call) (value.Value, error) {
	k, ok := clouds()[c.Function]
	if !ok {
		return value.Value{}, &Unsupported{fmt.Sprintf("%s is no step for buckets that is known here", c.Function)}
	}
	hide := secrets(c.Inputs)
	out, err := run(ctx, c, k)
	if err != nil {
		if ctx.Err() != nil {
			return value.Value{}, ctx.Err()
		}
		return value.Value{}, hide.from(err)
	}
	return out, nil
}

func run(ctx context.Context, c Call, k cloud) (value.Value, error) {
	if err := arguments(c, k); err != nil {
		return value.Value{}, err
	}
	b, err := k.open(ctx, c)
	if err != nil {
		return value.Value{}, err
	}
	defer b.close()
	folder, _ := c.Inputs.Get("folder")
	place, _ := c.Inputs.Get(k.place)
	out := value.Of([]value.Entry{{Key: k.place, Value: plain(place)}, {Key: "folder", Value: plain(folder)}})
	if strings.Contains(c.Function, ".push_to_") {
		return out, push(ctx, c, b, folder.Text)
	}
	return out.Set("directory", value.Of(c.Dir)), pull(ctx, c, b, folder.Text)
}

// plain is a value without where it came from.
func plain(v value.Value) value.Value { return value.Of(v.Text) }

// arguments checks the inputs' names and the texts among them, as calling the Python function would.
func arguments(c Call, k cloud) error {
	name := c.Function[strings.LastIndexByte(c.Function, '.')+1:]
	if c.Inputs.Kind != value.Map {
		return fmt.Errorf("the inputs of %s must be a mapping, not %s", name, c.Inputs.Kind)
	}
	takes := append(append([]string{}, k.required...), k.optional...)
	for _, e := range c.Inputs.Map {
		if !slices.Contains(takes, e.Key) {
			return fmt.Errorf("%s has no argument %q; it takes %s", name, e.Key, strings.Join(takes, ", "))
		}
	}
	var lacks []string
	for _, key := range k.required {
		if _, ok := c.Inputs.Get(key); !ok {
			lacks = append(lacks, key)
		}
	}
	if len(lacks) > 0 {
		sort.Strings(lacks)
		return fmt.Errorf("%s lacks the argument %s", name, strings.Join(lacks, " and "))
	}
	for _, key := range []string{k.place, "folder"} {
		if v, _ := c.Inputs.Get(key); v.Kind != value.Text {
			return fmt.Errorf("the argument %q of %s must be text, not %s", key, name, v.Kind)
		}
	}
	if text(c.Inputs, k.place) == "" { // which Azure's library takes, and then falls over
		return fmt.Errorf("the argument %q of %s is empty: name the %s", k.place, name, k.place)
	}
	return nil
}

// text is an input's or a credential's text, "" when it is absent or null.
func text(m value.Value, key string) string {
	v, _ := m.Get(key)
	return v.Text
}
