// Texts that try to become more than texts, in every place where a prefect.yaml has one. An emitted file must be the same with them as with harmless ones: the same jobs, steps and keys, and nothing of them where a shell or an
// expression would read it.
package emit

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"
)

// hostile are the texts. Each holds the word by which it is found again.
var hostile = map[string]string{
	"expression":       "${{ secrets.PREFECT_API_KEY }} pwned",
	"open expression":  "${{ pwned",
	"closed":           "pwned }} ${{ toJSON(secrets) }}",
	"backticks":        "`touch pwned`",
	"substitution":     "$(touch pwned)",
	"quotes":           `'"pwned"'; touch pwned; "'`,
	"apostrophe":       "it's pwned",
	"newlines":         "pwned\n        run: touch pwned\n      - run: touch pwned\njobs:\n  pwned:\n    steps: []\n",
	"other newlines":   "pwned\u2028run: x\u2029run: y\u0085run: z\rrun: w",
	"command":          "::set-output name=pwned::1\n::add-mask::pwned\n##[set-env name=PATH]pwned",
	"cdata":            "pwned ]]> <!-- --> <script>",
	"yaml":             "pwned: [a, {b: *c, d: &e f}] # g\n--- !!python/object:os.system\n...\n%TAG",
	"yaml indicators":  "- ? pwned : | > % @ ! & * [ ] { } , # \t",
	"bool":             "yes # pwned",
	"control":          "pwned\x01\x1b[31m\x7f\x80\x9f",
	"direction":        "pwned\u202e\u2066 nur :nuR\u2069\ufeff",
	"long":             strings.Repeat("pwned ", 2000),
	"gitlab":           "$[[ inputs.pwned ]] $CI_JOB_TOKEN ${CI_JOB_TOKEN}",
	"format":           "%s%d%!v(pwned)",
	"path":             "../../../etc/pwned",
	"backslashes":      `pwned\n\"\x00\\`,
	"comment end":      "pwned */ --> #}",
	"dotted":           "pwned.outputs.steps'] || secrets['X",
	"long line breaks": strings.Repeat("pwned\n", 50),
}

// places are where a text of a user stands. The document is JSON, which is YAML, so that any text can be written; %s is the place.
var places = map[string]string{
	"deployment": `{"build": [%[2]s], "deployments": [{"name": %[1]s, "entrypoint": "flow.py:f", "work_pool": {"name": "p", "job_variables": {"image": "{{ app.image }}"}}}]}`,
	"fields": `{"build": [%[2]s], "deployments": [{"name": "d", "description": %[1]s, "tags": [%[1]s], "version": %[1]s, "parameters": {%[1]s: %[1]s}, "entrypoint": "flow.py:f", "schedules": [{"cron": "0 6 * * *", "slug": "s"}],
		"work_pool": {"name": %[1]s, "work_queue_name": %[1]s, "job_variables": {%[1]s: %[1]s, "image": "{{ app.image }}"}}}]}`,
	"entrypoint": `{"build": [%[2]s], "deployments": [{"name": "d", "entrypoint": %[1]s, "flow_name": %[1]s, "work_pool": {"name": "p"}}]}`,
	"id":         `{"build": [{"prefect.deployments.steps.run_shell_script": {"id": %[1]s, "script": "make 'x'"}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"image": `{"build": [{"prefect_docker.deployments.steps.build_docker_image": {"image_name": %[1]s, "tag": %[1]s, "dockerfile": %[1]s, "path": %[1]s, "buildargs": {%[1]s: %[1]s}, "labels": {%[1]s: %[1]s}, "additional_tags": [%[1]s]}}],
		"deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"push":          `{"push": [{"prefect_docker.deployments.steps.push_docker_image": {"id": "up", "image_name": %[1]s, "tag": %[1]s, "credentials": {"username": %[1]s, "password": %[1]s}}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"script":        `{"build": [{"prefect.deployments.steps.run_shell_script": {"id": "s", "script": %[1]s, "directory": %[1]s, "env": {%[1]s: %[1]s}}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"clone":         `{"build": [{"prefect.deployments.steps.git_clone": {"id": "s", "repository": %[1]s, "branch": %[1]s}}, {"prefect.deployments.steps.pip_install_requirements": {"id": "r", "requirements_file": %[1]s, "directory": %[1]s}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"custom":        `{"build": [{"tools.make": {"id": "s", %[1]s: %[1]s, "list": [%[1]s, {%[1]s: 1}]}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"function":      `{"build": [{%[1]s: {"id": "s"}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"pull":          `{"pull": [{"prefect.deployments.steps.git_clone": {"id": %[1]s, "repository": %[1]s, "branch": %[1]s, "access_token": %[1]s}}, {"tools.pull": {%[1]s: %[1]s}}], "build": [%[2]s], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"requires":      `{"build": [{"tools.make": {"id": "s", "requires": [%[1]s]}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"names":         `{"name": %[1]s, "prefect-version": %[1]s, "definitions": {%[1]s: %[1]s}, "x-other": %[1]s, "build": [%[2]s], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"x-ci text":     `{"x-ci": {"owner": %[1]s, "steps": {%[1]s: {"effects": {"reads": [%[1]s], "writes": [%[1]s]}}}}, "build": [%[2]s], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p"}}]}`,
	"x-ci secrets":  `{"x-ci": {"github": {"secrets": [%[1]s]}}, "build": [{"tools.make": {"id": "s"}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f"}]}`,
	"x-ci vars":     `{"x-ci": {"vars": [%[1]s], "github": {"vars": [%[1]s]}}, "build": [{"tools.make": {"id": "s"}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f"}]}`,
	"x-ci branches": `{"x-ci": {"github": {"branches": [%[1]s]}}, "deployments": [{"name": "d", "entrypoint": "flow.py:f"}]}`,
	"x-ci patches":  `{"x-ci": {"github": {"patches": [{"op": %[1]s, "path": %[1]s, "value": 1}]}}, "deployments": [{"name": "d", "entrypoint": "flow.py:f"}]}`,
	"variable":      `{"build": [{"tools.make": {"id": "s", "a": %[3]s}}], "deployments": [{"name": "d", "entrypoint": "flow.py:f", "work_pool": {"name": "p", "job_variables": {"x": %[3]s}}}]}`,
}

const app = `{"prefect_docker.deployments.steps.build_docker_image": {"id": "app", "image_name": "r/app", "tag": "1", "dockerfile": "Dockerfile"}}`

// withText is a place with a text in it.
func withText(place, text string) string {
	quoted := func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	}
	out := fmt.Sprintf(strings.ReplaceAll(places[place], "\n\t\t", " ")+"%[1]s%[2]s%[3]s", quoted(text), app, quoted("{{ $"+text+" }}"))
	return out[:strings.LastIndex(out, quoted(text)+app)]
}

var python = fstest.MapFS{"flow.py": {Data: []byte("from prefect import flow\n\n\n@flow\ndef f():\n    pass\n")}}

// workflowOf is the workflow of a file, ok where the file is not refused.
func workflowOf(root fs.FS, text string) (out []byte, ok bool) {
	in, faults := Load(root, []Source{{"prefect.yaml", []byte(text)}})
	if faults.Errors(false) > 0 {
		return nil, false
	}
	in.Patterns, in.Action = []string{"prefect.yaml"}, "org/prefect-deploy-action@v1"
	out, diags := GitHub(in)
	return out, diags.Errors(false) == 0
}

func TestHostileTexts(t *testing.T) {
	written, refused := 0, 0
	for place := range places {
		text := map[string]string{"entrypoint": "flow.py:f", "x-ci secrets": "HARMLESS", "x-ci vars": "HARMLESS", "function": "tools.make"}[place]
		if text == "" {
			text = "harmless-text'"
		}
		harmless, ok := workflowOf(python, withText(place, text))
		if !ok && place != "x-ci patches" {
			_, faults := Load(python, []Source{{"prefect.yaml", []byte(withText(place, text))}})
			t.Fatalf("%s: harmless text is refused: %s", place, faults.Error())
		}
		want := ""
		if ok {
			want = skeleton(t, harmless)
		}
		for name, text := range hostile {
			out, ok := workflowOf(python, withText(place, text))
			if !ok {
				refused++
				continue
			}
			written++
			if got := skeleton(t, out); got != want && place != "variable" { // a template that reads no variable makes no secret of what is built
				t.Errorf("%s in %s: the workflow is another: %s", name, place, firstDifference(got, want))
			}
			if place != "x-ci branches" { // the user's own word: what is a pattern of branches stands there
				leaks(t, place+", "+name, out, text)
			}
		}
	}
	t.Logf("%d written, %d refused", written, refused)
	if written < len(places)*len(hostile)/2 {
		t.Errorf("only %d of %d texts came as far as a workflow", written, len(places)*len(hostile))
	}
}

// firstDifference shows where two texts part.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d is %q, want %q", i+1, g[i], w[i])
		}
	}
	return "one is longer"
}

// TestHostileFlowNames: a flow's name is a text of a Python file, and stands in comments.
func TestHostileFlowNames(t *testing.T) {
	file := withText("deployment", "d")
	harmless, ok := workflowOf(python, file)
	if !ok {
		t.Fatal("refused")
	}
	written := 0
	for name, text := range hostile {
		quoted, _ := json.Marshal(text)
		out, ok := workflowOf(fstest.MapFS{"flow.py": {Data: []byte("from prefect import flow\n\n\n@flow(name=" + string(quoted) + ")\ndef f():\n    pass\n")}}, file)
		if !ok {
			continue
		}
		written++
		if got, want := skeleton(t, out), skeleton(t, harmless); got != want {
			t.Errorf("%s: the workflow is another: %s", name, firstDifference(got, want))
		}
		leaks(t, name, out, text)
	}
	if written < 8 {
		t.Errorf("only %d names came as far as a workflow", written)
	}
}

// skeleton is a workflow without what may differ: names of jobs, of their outputs and of variables, and texts, but not those that decide what runs.
func skeleton(t *testing.T, workflow []byte) string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(workflow, &document); err != nil {
		t.Fatalf("the workflow is not YAML: %v\n%s", err, workflow)
	}
	var b strings.Builder
	var walk func(n *yaml.Node, key, above string)
	walk = func(n *yaml.Node, key, above string) {
		switch {
		case key == "env": // each entry is checked by itself
		case n.Kind == yaml.ScalarNode && (key == "if" || key == "run" || key == "uses" || key == "mode" || key == "runs-on" || key == "shell" || above == "permissions" || above == "concurrency"):
			fmt.Fprintf(&b, "%s: %s\n", key, ofBranches.ReplaceAllString(n.Value, "BRANCHES)"))
		case n.Kind == yaml.ScalarNode:
			fmt.Fprintf(&b, "%s: %s\n", key, n.Tag)
		case n.Kind == yaml.MappingNode:
			fmt.Fprintf(&b, "%s {\n", key)
			for i := 0; i < len(n.Content); i += 2 {
				name := n.Content[i].Value
				if key == "jobs" || key == "outputs" {
					name = "*"
				}
				walk(n.Content[i+1], name, key)
			}
			b.WriteString("}\n")
		default:
			fmt.Fprintf(&b, "%s [\n", key)
			for _, c := range n.Content {
				walk(c, "-", key)
			}
			b.WriteString("]\n")
		}
	}
	walk(document.Content[0], "", "")
	return b.String()
}

// expressions are all that a workflow has GitHub evaluate, as shapes; ID is an identifier of ours.
var expressions = regexp.MustCompile(`^(\(github\.event_name == 'pull_request' \|\| github\.event_name == 'merge_group'\) && github\.event\.action != 'closed' && 'prefect( [A-Za-z0-9/._ -]+)?' \|\| format\('prefect( [A-Za-z0-9/._ -]+)? \(\{0\}\)', github\.event\.action \|\| github\.event_name\)|` +
	`runner\.temp|needs\.[A-Za-z_][A-Za-z0-9_-]*\.(result|ID)|github\.workflow|github\.ref|github\.event_name == 'pull_request'|join\(needs\.\*\.result, ' '\)|(secrets|vars)\.[A-Za-z_][A-Za-z0-9_]*|steps\.ID\.outputs\.imageid|` +
	`fromJSON\(steps\.ID\.outputs\.inputs\)\.[a-z-]+|fromJSON\(steps\.ID\.outputs\.steps \|\| '{}'\)\['ID'\]\.[a-z_]+|join\(fromJSON\(steps\.ID\.outputs\.inputs\)\.references, ' '\)|` +
	`(!cancelled\(\) && needs\.check\.result == 'success' && )?(github\.ref == format\('refs/heads/\{0\}', github\.event\.repository\.default_branch\) && \(github\.event_name == 'push' \|\| github\.event_name == 'workflow_dispatch'\)|` +
	`\(github\.event_name == 'push' \|\| github\.event_name == 'workflow_dispatch' && BRANCHES\))( && 'deploy' \|\| github\.ref)?)$`)

var (
	inExpression = regexp.MustCompile(`(?s)\$\{\{(.*?)\}\}`)
	anID         = regexp.MustCompile(`(steps\.|\[')[A-Za-z_][A-Za-z0-9_-]*`)
	aVariable    = regexp.MustCompile(`^\$\{\{ (secrets|vars)\.[A-Za-z_][A-Za-z0-9_]* \}\}$`)
	// ofBranches is a condition on branches, in which their patterns stand as texts of an expression.
	ofBranches = regexp.MustCompile(`(false|\((( \|\| )?(github\.ref == 'refs/heads/([^']|'')*'|startsWith\(github\.ref, 'refs/heads/([^']|'')*'\)))+\)( && (github\.ref != 'refs/heads/([^']|'')*'|!startsWith\(github\.ref, 'refs/heads/([^']|'')*'\)))*)(\))`)
	// results are the lines that say how jobs ended.
	results = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_-]*=\$\{\{ needs\.[A-Za-z_][A-Za-z0-9_-]*\.result \}\}\n)+$`)
	aName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// leaks fails for each scalar that holds the text, or an expression that is none of ours.
func leaks(t *testing.T, where string, workflow []byte, text string) {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(workflow, &document); err != nil {
		t.Fatal(err)
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			if strings.Contains(n.Value, text) || strings.Contains(n.Value, "pwned") && strings.ContainsAny(strings.ReplaceAll(n.Value, "${{ runner.temp }}", ""), " \n'\"`;") && !strings.Contains(n.Value, "fromJSON(") && !strings.Contains(n.Value, "outputs.imageid") && !aVariable.MatchString(n.Value) && !results.MatchString(n.Value) {
				t.Errorf("%s: in the workflow stands %q", where, n.Value)
			}
			for _, m := range inExpression.FindAllStringSubmatch(n.Value, -1) {
				if e := anID.ReplaceAllString(ofBranches.ReplaceAllString(strings.TrimSpace(m[1]), "BRANCHES)"), "${1}ID"); !expressions.MatchString(e) {
					t.Errorf("%s: the workflow evaluates %q", where, m[1])
				}
			}
			if strings.Count(n.Value, "${{") != len(inExpression.FindAllString(n.Value, -1)) {
				t.Errorf("%s: an expression stays open in %q", where, n.Value)
			}
		}
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 && !aName.MatchString(c.Value) {
				t.Errorf("%s: a key is %q", where, c.Value)
			}
			walk(c)
		}
	}
	walk(&document)
	for i, line := range strings.Split(string(workflow), "\n") {
		if strings.ContainsFunc(line, func(r rune) bool {
			return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
		}) {
			t.Errorf("%s: line %d holds a sign that nobody sees: %q", where, i+1, line)
		}
	}
}

// TestHostilePaths: names of files and directories do reach the workflow, as values of inputs, in which GitHub evaluates expressions.
func TestHostilePaths(t *testing.T) {
	written := 0
	for name, text := range hostile {
		in, _ := Load(python, []Source{{"prefect.yaml", []byte(withText("deployment", "d"))}})
		in.Patterns, in.Action, in.Within = []string{text}, "org/prefect-deploy-action@v1", text
		out, diags := GitHub(in)
		if diags.Errors(false) > 0 {
			continue // it says so, and nothing is written
		}
		written++
		var workflow struct {
			Jobs map[string]struct {
				Steps []struct{ With map[string]string }
			}
		}
		if err := yaml.Unmarshal(out, &workflow); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen := 0
		for _, j := range workflow.Jobs {
			for _, s := range j.Steps {
				for _, key := range []string{"working-directory", "deployment-file-path"} {
					if v, ok := s.With[key]; ok {
						seen++
						if got := strings.ReplaceAll(v, "${{ '${{' }}", "\x00"); strings.Contains(got, "${{") || strings.ReplaceAll(got, "\x00", "${{") != text {
							t.Errorf("%s: %s is %q", name, key, v)
						}
					}
				}
			}
		}
		if seen < 8 {
			t.Errorf("%s: the path is passed %d times", name, seen)
		}
	}
	if written < 8 {
		t.Errorf("only %d of %d paths came as far as a workflow", written, len(hostile))
	}
}

// FuzzGitHub: whatever a prefect.yaml holds, emission ends, and what it writes is YAML in which only expressions of ours stand.
func FuzzGitHub(f *testing.F) {
	for place := range places {
		f.Add(withText(place, "x"))
		f.Add(withText(place, hostile["newlines"]))
	}
	f.Add("x-ci: {github: {setup: [{run: a}], environment: e, runs-on: [a]}}\ndeployments: [{name: a, entrypoint: 'flow.py:f'}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		out, ok := workflowOf(python, text)
		if !ok || strings.Contains(text, "x-ci") { // what stands there is the user's own word on the file
			return
		}
		leaks(t, "fuzz", out, "\x00none")
		again, _ := workflowOf(python, text)
		if string(out) != string(again) {
			t.Error("emitted twice, and differently")
		}
	})
}
