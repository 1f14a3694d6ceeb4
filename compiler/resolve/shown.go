// What may be shown: which environment variables are no secrets, and which arguments of a step its outputs are made of. Both programs ask: the compiler must keep a secret in the job that has it, the runner must not
// print it.
package resolve

import (
	"slices"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/template"
)

// SetByCI tells the variables that a CI sets itself: their values are no secrets, and are in its logs anyway.
func SetByCI(name string) bool {
	switch name {
	case "GITHUB_SHA", "GITHUB_REF", "GITHUB_REF_NAME", "GITHUB_REF_TYPE", "GITHUB_HEAD_REF", "GITHUB_BASE_REF", "GITHUB_REPOSITORY", "GITHUB_REPOSITORY_OWNER",
		"GITHUB_RUN_ID", "GITHUB_RUN_NUMBER", "GITHUB_RUN_ATTEMPT", "GITHUB_WORKFLOW", "GITHUB_JOB", "GITHUB_ACTOR", "GITHUB_EVENT_NAME", "GITHUB_SERVER_URL",
		"CI", "CI_JOB_ID", "CI_JOB_NAME", "CI_PIPELINE_ID", "CI_PIPELINE_IID", "CI_PIPELINE_SOURCE", "CI_PROJECT_NAME", "CI_PROJECT_PATH", "CI_PROJECT_URL",
		"CI_DEFAULT_BRANCH", "CI_ENVIRONMENT_NAME", "BITBUCKET_COMMIT", "BITBUCKET_BRANCH", "BITBUCKET_REPO_SLUG", "BUILD_SOURCEVERSION", "BUILD_SOURCEBRANCHNAME":
		return true
	}
	return strings.HasPrefix(name, "CI_COMMIT_") && name != "CI_COMMIT_MESSAGE" && name != "CI_COMMIT_DESCRIPTION"
}

// ShownVariables are the variables whose values a file lets be shown: x-ci.vars and x-ci.github.vars.
func ShownVariables(f *spec.File) map[string]bool {
	shown := map[string]bool{}
	for _, path := range [][]string{{"vars"}, {"github", "vars"}} {
		v := f.CI
		for _, key := range path {
			v, _ = v.Get(key)
		}
		for _, name := range v.List {
			if !logsIn(name.Str()) {
				shown[name.Str()] = true
			}
		}
	}
	return shown
}

// logsIn names what logs in to Prefect or to the forge, or proves a review. No file lets it be shown: the file may be a pull request's, and the plan is a comment that all can read.
func logsIn(name string) bool {
	switch strings.ToUpper(name) {
	case "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING", "PREFECT_CLIENT_CUSTOM_HEADERS", "PREFECT_DEPLOY_PLAN_KEY", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN":
		return true
	}
	return false
}

// SecretOf says what a placeholder is filled from that is a secret for sure, "" for nothing: a block of secrets or such a part of one, a variable that logs in, or one that the file has a platform keep as a secret.
func SecretOf(f *spec.File, p template.Placeholder) string {
	switch name := p.EnvName(); p.Kind {
	case template.Block:
		slug, name, path, ok := p.BlockPath()
		if ok && (slug == "secret" || slices.ContainsFunc(strings.Split(path, "."), IsCredential)) {
			return "the block " + diag.Clean(slug+"/"+name)
		}
	case template.Env:
		if logsIn(name) || KeptVariables(f)[name] {
			return "the secret $" + diag.Clean(name)
		}
	}
	return ""
}

// IsCredential reports whether a key is an argument in whose place a secret stands: one of the names, alone or at the end (`registry_password`, `GITHUB_TOKEN`).
func IsCredential(key string) bool {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	for _, k := range []string{"credentials", "password", "token", "secret", "api_key", "auth_string", "private_key", "access_key", "secret_key", "connection_string"} {
		if before, ends := strings.CutSuffix(key, k); ends && (before == "" || before[len(before)-1] == '_') {
			return true
		}
	}
	return false
}

// KeptVariables are the variables that a file says a platform keeps as secrets: x-ci.github.secrets and x-ci.gitlab.secrets.
func KeptVariables(f *spec.File) map[string]bool {
	kept := map[string]bool{}
	for _, platform := range []string{"github", "gitlab"} {
		v, _ := f.CI.Get(platform)
		v, _ = v.Get("secrets")
		for _, name := range v.List {
			kept[name.Str()] = true
		}
	}
	return kept
}

// Optional is the variable by which an emitted job names those that it was passed: they count as unset when they are empty.
const Optional = "PREFECT_DEPLOY_OPTIONAL"

// OptionalNames are the names in Optional's text.
func OptionalNames(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
}

// MadeOf names the arguments that a function's outputs are made of, nil where that is not known (facts: what each returns, see Known). A registry's password is no
// part of an image's name.
func MadeOf(function string) []string {
	switch Canonical(function) {
	case BuildDockerImage, PushDockerImage:
		return []string{"image_name", "tag", "image_tag", "additional_tags"}
	case SetWorkingDirectory:
		return []string{"directory"}
	case GitClone:
		return []string{"repository", "branch", "commit_sha", "clone_directory_name"}
	}
	return Echoes(function)
}

// Echoes names the outputs of a function that are its inputs of the same names, as they came: all that a push to a bucket gives.
func Echoes(function string) []string {
	switch Canonical(function) {
	case "prefect_aws.deployments.steps.push_to_s3", "prefect_gcp.deployments.steps.push_to_gcs":
		return []string{"bucket", "folder"}
	case "prefect_azure.deployments.steps.push_to_azure_blob_storage":
		return []string{"container", "folder"}
	}
	return nil
}
