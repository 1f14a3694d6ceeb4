// Each CI's own words for a pull request, as its documentation has them.
package ci

import "testing"

func TestWhoseTree(t *testing.T) {
	github := func(event string) map[string]string {
		return map[string]string{"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event}
	}
	gitlab := func(source string) map[string]string {
		return map[string]string{"CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_SOURCE": source}
	}
	for _, c := range []struct {
		env  map[string]string
		tree Tree
		why  string
	}{
		{nil, OwnTree, ""},
		{map[string]string{"CI": "false"}, OwnTree, ""},
		{map[string]string{"CI": ""}, OwnTree, ""},
		{map[string]string{"CI": "1"}, UnknownTree, "CI=1"},
		{map[string]string{"GITHUB_SHA": "0", "GITHUB_REF_NAME": "main"}, OwnTree, ""},
		{map[string]string{"CHANGE_ID": "CHG0031", "CIRCLE_PR_NUMBER": "4"}, OwnTree, ""},
		{map[string]string{"CI": "true", "CHANGE_ID": "31"}, ProposedTree, "CHANGE_ID=31"},
		{github("push"), OwnTree, ""},
		{github("schedule"), OwnTree, ""},
		{github("workflow_dispatch"), OwnTree, ""},
		{github("release"), OwnTree, ""},
		{github("pull_request"), ProposedTree, "GITHUB_EVENT_NAME=pull_request"},
		{github("pull_request_target"), ProposedTree, "GITHUB_EVENT_NAME=pull_request_target"},
		{github("merge_group"), ProposedTree, "GITHUB_EVENT_NAME=merge_group"},
		{github("workflow_run"), ProposedTree, "GITHUB_EVENT_NAME=workflow_run"},
		{github("issue_comment"), ProposedTree, "GITHUB_EVENT_NAME=issue_comment"},
		{github(""), UnknownTree, "GITHUB_EVENT_NAME is not set"},
		{gitlab("push"), OwnTree, ""},
		{gitlab("merge_request_event"), ProposedTree, "CI_PIPELINE_SOURCE=merge_request_event"},
		{gitlab("external_pull_request_event"), ProposedTree, "CI_PIPELINE_SOURCE=external_pull_request_event"},
		{map[string]string{"CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "parent_pipeline", "CI_MERGE_REQUEST_IID": "4"}, ProposedTree, "CI_MERGE_REQUEST_IID=4"},
		{map[string]string{"CI": "true", "BITBUCKET_BUILD_NUMBER": "3"}, OwnTree, ""},
		{map[string]string{"CI": "true", "BITBUCKET_BUILD_NUMBER": "3", "BITBUCKET_PR_ID": "7"}, ProposedTree, "BITBUCKET_PR_ID=7"},
		{map[string]string{"TF_BUILD": "True", "BUILD_REASON": "IndividualCI"}, OwnTree, ""},
		{map[string]string{"TF_BUILD": "True", "BUILD_REASON": "PullRequest"}, ProposedTree, "BUILD_REASON=PullRequest"},
		{map[string]string{"CI": "true", "BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "false"}, OwnTree, ""},
		{map[string]string{"CI": "true", "BUILDKITE": "true", "BUILDKITE_PULL_REQUEST": "12"}, ProposedTree, "BUILDKITE_PULL_REQUEST=12"},
		{map[string]string{"CI": "true", "TRAVIS": "true", "TRAVIS_PULL_REQUEST": "false"}, OwnTree, ""},
		{map[string]string{"CI": "true", "CIRCLECI": "true", "CIRCLE_PULL_REQUEST": "https://github.com/a/b/pull/1"}, ProposedTree, "CIRCLE_PULL_REQUEST=https://github.com/a/b/pull/1"},
	} {
		tree, why := WhoseTree(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok })
		if tree != c.tree || why != c.why {
			t.Errorf("%v: %v %q, want %v %q", c.env, tree, why, c.tree, c.why)
		}
	}
}
