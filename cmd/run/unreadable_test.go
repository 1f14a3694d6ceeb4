// What of the command line can't be read is not repeated where it may hold a secret; and what Python's JSON has beyond JSON is read as Prefect's client sends it.
package main

import (
	"strings"
	"testing"
)

func TestUnreadableValuesAreNotShown(t *testing.T) {
	tree := project(t, map[string]string{"flow.py": oneFlow, "prefect.yaml": "deployments: [{name: d, entrypoint: \"flow.py:hello\", work_pool: {name: p}}]\n"})
	for _, words := range [][]string{{"--params", `{"password": "hunter2secret"`}, {"--params", `["hunter2secret"]`}, {"--job-variable", `{"password": "hunter2secret"`}, {"--job-variable", "hunter2secret"},
		{"--trigger", "hunter2secret"}, {"--trigger", `{"parameters": {"password": "hunter2secret"`}, {"--trigger", `["hunter2secret"]`}, {"--sla", "hunter2secret"}, {"--sla", `"hunter2secret"`}, {"--param", "hunter2secret"}} {
		code, stdout, stderr := command(t, nil, append([]string{"plan", "--all", "--state", "file:s.json", "-C", tree}, words...)...)
		if code != 64 || strings.Contains(stdout+stderr, "hunter2") || !strings.Contains(stderr, words[0]) {
			t.Errorf("%v: exit %d\n%s%s", words, code, stdout, stderr)
		}
	}
	for _, words := range [][]string{{"--trigger", "x"}, {"--sla", "x"}, {"--param", "x"}} {
		if _, _, stderr := command(t, nil, append([]string{"plan", "--all", "--state", "file:s.json", "-C", tree, words[0], map[bool]string{true: "a=1", false: `{"name": "n"}`}[words[0] == "--param"]}, words...)...); !strings.Contains(stderr, words[0]+" number 2 ") {
			t.Errorf("%v: %s", words, stderr)
		}
	}
	for given, want := range map[string]string{"NaN": "null", "-Infinity": "null", "nan": `"nan"`} {
		code, stdout, stderr := command(t, nil, "plan", "--all", "--state", "file:s.json", "-C", tree, "--json", "-", "--param", "i="+given)
		if code != 0 || !strings.Contains(stdout, `"parameters.i"`) || !strings.Contains(stdout, want) || strings.Contains(stdout, `"`+given+`"`) == (want == "null") {
			t.Errorf("%s: exit %d\n%s%s", given, code, stdout, stderr)
		}
	}
}
