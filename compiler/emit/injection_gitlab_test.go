// The hostile texts of injection_test.go, in GitLab's file: there a shell reads the scripts, and GitLab itself expands $NAME in what it knows.
package emit

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// gitlabOf is GitLab's file of a prefect.yaml, ok where that is not refused.
func gitlabOf(text string) ([]byte, bool) {
	in, faults := Load(python, []Source{{"prefect.yaml", []byte(text)}})
	if faults.Errors(false) > 0 {
		return nil, false
	}
	in.Patterns, in.Action = []string{"prefect.yaml"}, "org/prefect-deploy-action@v1"
	out, diags := GitLab(in)
	return out, diags.Errors(false) == 0
}

// shapeOf is the file's structure: kinds and keys, without the names of jobs, of variables and of artifacts, and without texts.
func shapeOf(t *testing.T, file []byte) string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(file, &document); err != nil {
		t.Fatalf("the file is not YAML: %v\n%s", err, file)
	}
	var b strings.Builder
	var walk func(n *yaml.Node, depth int)
	walk = func(n *yaml.Node, depth int) {
		fmt.Fprintf(&b, "%d", n.Kind)
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 {
				if depth > 1 {
					b.WriteString(c.Value + ":")
				}
				if c.Value == "variables" {
					n.Content[i+1] = &yaml.Node{Kind: yaml.ScalarNode}
				}
				continue
			}
			walk(c, depth+1)
		}
		b.WriteByte('\n')
	}
	walk(document.Content[0], 0)
	return b.String()
}

func TestHostileTextsGitLab(t *testing.T) {
	written := 0
	word := regexp.MustCompile(`^[A-Za-z0-9_.:/-]*$`)
	for place := range places {
		text := map[string]string{"entrypoint": "flow.py:f", "x-ci secrets": "HARMLESS", "x-ci vars": "HARMLESS", "function": "tools.make"}[place]
		if text == "" {
			text = "harmless-text'"
		}
		harmless, ok := gitlabOf(withText(place, text))
		for name, text := range hostile {
			out, written1 := gitlabOf(withText(place, text))
			if !written1 {
				continue
			}
			written++
			if ok && place != "variable" && shapeOf(t, out) != shapeOf(t, harmless) {
				t.Errorf("%s in %s: the file is another\n%s\nwant\n%s", name, place, out, harmless)
			}
			var document yaml.Node
			_ = yaml.Unmarshal(out, &document)
			var walk func(n *yaml.Node)
			walk = func(n *yaml.Node) {
				if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "pwned") {
					for _, w := range strings.Fields(n.Value) {
						if strings.Contains(w, "pwned") && !word.MatchString(strings.NewReplacer(`"`, "", "$work", "", "{", "", "}", "", ",", "", "$pwned", "pwned").Replace(w)) {
							t.Errorf("%s in %s: in the file stands %q", name, place, n.Value)
						}
					}
				}
				for _, c := range n.Content {
					walk(c)
				}
			}
			walk(&document)
		}
	}
	if t.Logf("%d written", written); written < len(places)*len(hostile)/2 {
		t.Errorf("only %d of %d texts came as far as a file", written, len(places)*len(hostile))
	}
}

// FuzzGitLab: whatever a prefect.yaml holds, emission ends, and what it writes is YAML.
func FuzzGitLab(f *testing.F) {
	for place := range places {
		f.Add(withText(place, "x"))
		f.Add(withText(place, hostile["newlines"]))
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, ok := gitlabOf(text)
		if !ok {
			return
		}
		var document any
		if err := yaml.Unmarshal(out, &document); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if again, _ := gitlabOf(text); string(out) != string(again) {
			t.Error("emitted twice, and differently")
		}
	})
}
