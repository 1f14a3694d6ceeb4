// What is known of step functions without importing them: their arguments and their outputs, from the signatures of Prefect 3.8.8, prefect-docker 0.7.4,
// prefect-aws, prefect-gcp and prefect-azure, and the older names under which files still call them.
//
// A function that is not in the table may take and give anything: where one stands in a list, a reference that nothing else fills is not an error.
package resolve

import (
	"slices"
	"strings"
)

// Function is what is known of a step function.
type Function struct {
	// Name is its present full name.
	Name string
	// Outputs are the keys of the mapping that it returns.
	Outputs []string
	// Arguments are the keyword arguments that it takes; Open says that it takes others too (they are passed on to Docker or a client).
	Arguments []string
	Required  []string
	Open      bool
	// Text are the arguments on which the function fails when they are no text.
	Text []string
	// OnlyPull marks functions that prepare a run and make no sense before it.
	OnlyPull bool
}

const (
	ownPrefix    = "prefect.deployments.steps."
	dockerPrefix = "prefect_docker.deployments.steps."

	// RunShellScript and the others are the functions that this program treats in a way of their own.
	RunShellScript      = ownPrefix + "run_shell_script"
	SetWorkingDirectory = ownPrefix + "set_working_directory"
	GitClone            = ownPrefix + "git_clone"
	PipInstall          = ownPrefix + "pip_install_requirements"
	BuildDockerImage    = dockerPrefix + "build_docker_image"
	PushDockerImage     = dockerPrefix + "push_docker_image"
)

var functions = []Function{
	{Name: RunShellScript, Outputs: []string{"stdout", "stderr"}, Required: []string{"script"},
		Arguments: []string{"script", "directory", "env", "stream_output", "expand_env_vars", "shell"}, Text: []string{"script", "directory"}},
	{Name: PipInstall, Outputs: []string{"stdout", "stderr"}, Arguments: []string{"directory", "requirements_file", "stream_output"}, Text: []string{"directory", "requirements_file"}},
	{Name: SetWorkingDirectory, Outputs: []string{"directory"}, Arguments: []string{"directory"}, Required: []string{"directory"}, Text: []string{"directory"}},
	{Name: GitClone, Outputs: []string{"directory"}, Required: []string{"repository"},
		Arguments: []string{"repository", "branch", "commit_sha", "include_submodules", "access_token", "credentials", "directories", "clone_directory_name"},
		Text:      []string{"repository", "branch", "commit_sha", "access_token", "clone_directory_name"}},
	{Name: ownPrefix + "pull_from_remote_storage", Outputs: []string{"directory"}, Arguments: []string{"url"}, Required: []string{"url"}, Open: true},
	{Name: ownPrefix + "pull_with_block", Outputs: []string{"directory"}, Arguments: []string{"block_document_name", "block_type_slug"},
		Required: []string{"block_document_name", "block_type_slug"}, OnlyPull: true},
	{Name: BuildDockerImage, Outputs: []string{"image_name", "tag", "image", "image_id", "additional_tags"}, Required: []string{"image_name"}, Open: true,
		Arguments: []string{"image_name", "dockerfile", "tag", "additional_tags", "ignore_cache", "persist_dockerfile", "dockerfile_output_path", "build_backend"}},
	{Name: PushDockerImage, Outputs: []string{"image_name", "tag", "image", "additional_tags"}, Required: []string{"image_name"},
		Arguments: []string{"image_name", "tag", "credentials", "additional_tags", "ignore_cache", "build_backend"}},
	{Name: "prefect_aws.deployments.steps.push_to_s3", Outputs: []string{"bucket", "folder"}, Required: []string{"bucket", "folder"},
		Arguments: []string{"bucket", "folder", "credentials", "client_parameters", "ignore_file"}},
	{Name: "prefect_aws.deployments.steps.pull_from_s3", Outputs: []string{"bucket", "folder", "directory"}, Required: []string{"bucket", "folder"},
		Arguments: []string{"bucket", "folder", "credentials", "client_parameters"}},
	{Name: "prefect_gcp.deployments.steps.push_to_gcs", Outputs: []string{"bucket", "folder"}, Required: []string{"bucket", "folder"},
		Arguments: []string{"bucket", "folder", "project", "credentials", "ignore_file"}},
	{Name: "prefect_gcp.deployments.steps.pull_from_gcs", Outputs: []string{"bucket", "folder", "directory"}, Required: []string{"bucket", "folder"},
		Arguments: []string{"bucket", "folder", "project", "credentials"}},
	{Name: "prefect_azure.deployments.steps.push_to_azure_blob_storage", Outputs: []string{"container", "folder"}, Required: []string{"container", "folder", "credentials"},
		Arguments: []string{"container", "folder", "credentials", "ignore_file"}},
	{Name: "prefect_azure.deployments.steps.pull_from_azure_blob_storage", Outputs: []string{"container", "folder", "directory"}, Required: []string{"container", "folder", "credentials"},
		Arguments: []string{"container", "folder", "credentials"}},
}

// Functions are all that are known.
func Functions() []Function { return slices.Clone(functions) }

// ShortName is a function without its module or file: run_shell_script of prefect.deployments.steps.run_shell_script, build of steps.py:build.
func ShortName(function string) string { return function[strings.LastIndexAny(function, ".:")+1:] }

// Known returns what is known of a function, by any of its names; ok is false for others.
func Known(name string) (*Function, bool) {
	name = Canonical(name)
	for i := range functions {
		if functions[i].Name == name {
			return &functions[i], true
		}
	}
	return nil, false
}

// Canonical turns an older or longer name of a function into its present one: prefect.projects.steps.git_clone_project, prefect.deployments.steps.utility.
// run_shell_script, prefect_docker.projects.steps.build_docker_image.
func Canonical(name string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return name
	}
	module, function := name[:dot], name[dot+1:]
	module = strings.Replace(module, ".projects.steps", ".deployments.steps", 1)
	if strings.HasPrefix(module, "prefect.deployments.steps") {
		for _, part := range []string{".core", ".pull", ".utility"} {
			module = strings.TrimSuffix(module, part)
		}
		if function == "git_clone_project" {
			function = "git_clone"
		}
	}
	if len(module) == dot && function == name[dot+1:] { // as most are written
		return name
	}
	return module + "." + function
}

// own reports whether a function belongs to Prefect's own steps, which are all known.
func own(name string) bool { return strings.HasPrefix(Canonical(name), ownPrefix) }

func ownNames() []string {
	var names []string
	for i := range functions {
		if own(functions[i].Name) {
			names = append(names, functions[i].Name)
		}
	}
	return names
}
