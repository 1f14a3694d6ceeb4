// Whose the working directory's files are. A job that runs for a pull request has in its checkout what somebody proposes, and may have secrets in its environment that the
// one who proposes must not get: pull_request_target, a workflow_run that checks out its head, GitLab's pipelines of merged results, Bitbucket's, a runner of one's own. What
// such a tree says of the server to log in to is not to be believed. Which variables tell is each CI's own; a CI that is not known tells nothing.
package ci

import "strings"

// Tree says whose the files are that a job was given.
type Tree int

const (
	// OwnTree: no CI, or a job for what is in the repository already.
	OwnTree Tree = iota
	// UnknownTree: a CI that does not tell.
	UnknownTree
	// ProposedTree: a pull request's, or what an event names that anyone can cause.
	ProposedTree
)

// WhoseTree reads the environment of a job. why names the variable that decided, "" for OwnTree.
func WhoseTree(lookup func(string) (string, bool)) (tree Tree, why string) {
	get := func(name string) string {
		v, _ := lookup(name)
		return strings.TrimSpace(v)
	}
	if !isTrue(get("CI")) && !isTrue(get("TF_BUILD")) && !isTrue(get("GITHUB_ACTIONS")) && !isTrue(get("GITLAB_CI")) { // Azure Pipelines sets TF_BUILD, and no CI
		return OwnTree, ""
	}
	if name := proposes(get); name != "" {
		return ProposedTree, name + "=" + get(name)
	}
	switch {
	case isTrue(get("GITHUB_ACTIONS")):
		return byEvent(get, "GITHUB_EVENT_NAME", "push", "schedule", "workflow_dispatch", "release", "repository_dispatch", "create", "deployment")
	case isTrue(get("GITLAB_CI")):
		return byEvent(get, "CI_PIPELINE_SOURCE", "push", "schedule", "web", "api", "trigger", "pipeline", "parent_pipeline", "chat", "webide")
	case get("BITBUCKET_BUILD_NUMBER") != "", isTrue(get("TF_BUILD")), isTrue(get("CIRCLECI")), isTrue(get("BUILDKITE")), isTrue(get("TRAVIS")):
		return OwnTree, "" // these have a variable for pull requests, which is not set
	}
	return UnknownTree, "CI=" + get("CI")
}

// byEvent: only the events that are known to be about the repository's own commits are.
func byEvent(get func(string) string, name string, own ...string) (Tree, string) {
	event := get(name)
	for _, o := range own {
		if event == o {
			return OwnTree, ""
		}
	}
	if event == "" {
		return UnknownTree, name + " is not set"
	}
	return ProposedTree, name + "=" + event
}

// proposes is the variable by which a CI says that it builds a pull request.
func proposes(get func(string) string) string {
	for _, name := range []string{"CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID", "BITBUCKET_PR_ID", "SYSTEM_PULLREQUEST_PULLREQUESTID", "CIRCLE_PULL_REQUEST", "CIRCLE_PR_NUMBER",
		"BUILDKITE_PULL_REQUEST", "TRAVIS_PULL_REQUEST", "CHANGE_ID", "DRONE_PULL_REQUEST", "CI_COMMIT_PULL_REQUEST", "APPVEYOR_PULL_REQUEST_NUMBER"} {
		if v := get(name); v != "" && v != "false" {
			return name
		}
	}
	if get("BUILD_REASON") == "PullRequest" {
		return "BUILD_REASON"
	}
	return ""
}

// isTrue: a CI says so by "true", "True" or "1"; anything but a plain no counts.
func isTrue(s string) bool {
	switch strings.ToLower(s) {
	case "", "false", "0", "no", "off":
		return false
	}
	return true
}
