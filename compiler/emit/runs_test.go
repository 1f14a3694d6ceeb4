// What a stranger may choose and no author wrote: the title of a pull request, the name of its branch, a commit's message. They reach a run in its event, and whoever lets a platform fill them into a script runs what they say.
package emit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// ran is a step that a shell runs.
type ran struct{ name, script string }

// runs are those of a workflow, or, with the key script, of a pipeline for GitLab.
func runs(t *testing.T, file []byte, keys ...string) (out []ran) {
	t.Helper()
	if keys == nil {
		keys = []string{"run"}
	}
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil {
		t.Fatal(err)
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
			if key, v := n.Content[i].Value, n.Content[i+1]; slices.Contains(keys, key) {
				one := ran{}
				if name := get(n, "name"); name != nil {
					one.name = name.Value
				}
				for _, line := range append([]*yaml.Node{v}, v.Content...) {
					if line.Kind == yaml.ScalarNode {
						out = append(out, ran{one.name, line.Value})
					}
				}
			}
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(&document)
	return out
}

func jsonText(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// ofEvent are the parts of the event that an expression may read: none that a stranger chooses as text. github.ref of a pull request has its number, and of a push the name of a branch of ours; it is only compared, and names a group.
var ofEvent = []string{"github.event_name", "github.event.action", "github.event.repository.default_branch", "github.workflow", "github.ref", "github.ref_name"}

// ofRequest are variables of GitLab's that hold what a stranger chose.
var ofRequest = regexp.MustCompile(`CI_(MERGE_REQUEST_(TITLE|DESCRIPTION|LABELS|ASSIGNEES|MILESTONE|SOURCE_\w+|REF_PATH|EVENT_TYPE)|COMMIT_(TITLE|MESSAGE|DESCRIPTION|AUTHOR|REF_NAME|REF_SLUG|BRANCH|TAG\w*)|EXTERNAL\w*)|GITLAB_USER`)

// TestNothingOfTheEventIsRun holds it for every pipeline of testdata and one with all settings: no script has an expression, no expression reads what a stranger chose, and no script of GitLab's such a variable.
func TestNothingOfTheEventIsRun(t *testing.T) {
	files, err := filepath.Glob("../../testdata/*/*/prefect.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scripts, expressions := 0, 0
	github := regexp.MustCompile(`\bgithub(\.[A-Za-z_]+)*\b`)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		in, _ := Load(os.DirFS(filepath.Dir(file)), []Source{{"prefect.yaml", data}})
		if in == nil {
			continue
		}
		in.Patterns, in.Action = []string{"prefect.yaml"}, "org/prefect-deploy-action@v1"
		hub, faults := GitHub(in)
		lab, others := GitLab(in)
		if faults.Errors(false)+others.Errors(false) > 0 {
			continue
		}
		for _, r := range runs(t, hub) {
			scripts++
			if strings.Contains(r.script, "${{") {
				t.Errorf("%s: an expression stands in a script:\n%s", file, r.script)
			}
		}
		var root yaml.Node
		if err := yaml.Unmarshal(hub, &root); err != nil {
			t.Fatal(err)
		}
		evaluated(&root, "", func(text string) {
			expressions++
			for _, name := range github.FindAllString(text, -1) {
				if !slices.Contains(ofEvent, name) && !strings.Contains(string(data), name) {
					t.Errorf("%s: an expression reads %s: %s", file, name, text)
				}
			}
		})
		for _, r := range runs(t, lab, "script", "before_script", "after_script") {
			scripts++
			if name := ofRequest.FindString(r.script); name != "" {
				t.Errorf("%s: a script reads %s:\n%s", file, name, r.script)
			}
		}
	}
	if scripts < 500 || expressions < 500 {
		t.Errorf("only %d scripts and %d expressions were looked at", scripts, expressions)
	}
}
