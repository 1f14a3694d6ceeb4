// Adding a deployment to a file: the text around it stays byte for byte, and what is read afterwards is what was there and the new one.
package spec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func entryOf(kv ...any) value.Value {
	v := value.Of([]value.Entry{})
	for i := 0; i < len(kv); i += 2 {
		v = v.Set(kv[i].(string), value.Of(kv[i+1]))
	}
	return v
}

func sample() value.Value {
	return entryOf("name", "new", "entrypoint", "flows/a.py:main", "schedules", []value.Value{entryOf("cron", "0 6 * * *", "timezone", "UTC")}, "work_pool", entryOf("name", "p"))
}

func TestAdd(t *testing.T) {
	const dashes = "- name: new\n  entrypoint: flows/a.py:main\n  schedules:\n  - cron: \"0 6 * * *\"\n    timezone: UTC\n  work_pool:\n    name: p\n"
	indented := "  - name: new\n    entrypoint: flows/a.py:main\n    schedules:\n      - cron: \"0 6 * * *\"\n        timezone: UTC\n    work_pool:\n      name: p\n"
	const braces = `{name: new, entrypoint: flows/a.py:main, schedules: [{cron: "0 6 * * *", timezone: UTC}], work_pool: {name: p}}`
	for name, c := range map[string]struct{ before, after string }{
		"nothing":             {"", "deployments:\n" + dashes},
		"a comment":           {"# ours\n", "# ours\ndeployments:\n" + dashes},
		"no list":             {"name: x\n", "name: x\n\ndeployments:\n" + dashes},
		"no list, no newline": {"name: x", "name: x\n\ndeployments:\n" + dashes},
		"an empty list":       {"deployments: [] # none\npull: []\n", "deployments: # none\n" + dashes + "pull: []\n"},
		"null":                {"deployments:\npull: []\n", "deployments:\n" + dashes + "pull: []\n"},
		"null, written":       {"deployments: ~\n", "deployments:\n" + dashes},
		"one":                 {"deployments:\n- name: a # first\n", "deployments:\n- name: a # first\n" + dashes},
		"no newline":          {"deployments:\n- name: a", "deployments:\n- name: a\n" + dashes},
		"indented":            {"deployments:\n  - name: a\n", "deployments:\n  - name: a\n" + indented},
		"wide":                {"deployments:\n-   name: a\n", "deployments:\n-   name: a\n" + strings.ReplaceAll(strings.Replace(dashes, "- name", "-   name", 1), "\n  ", "\n    ")},
		"between keys":        {"deployments:\n- name: a\n\n# about pull\npull: []\n", "deployments:\n- name: a\n" + dashes + "\n# about pull\npull: []\n"},
		"blank lines":         {"deployments:\n- name: a\n\n- name: b\n\npull: []\n", "deployments:\n- name: a\n\n- name: b\n\n" + dashes + "\npull: []\n"},
		"comments at the end": {"deployments:\n  - name: a\n    # of a\n  # - name: off\n# the end\n", "deployments:\n  - name: a\n    # of a\n  # - name: off\n" + indented + "# the end\n"},
		"a text at the end":   {"deployments:\n- name: a\n  description: |\n    text\n    # no comment\n\npull: []\n", "deployments:\n- name: a\n  description: |\n    text\n    # no comment\n" + dashes + "\npull: []\n"},
		"a text that keeps":   {"deployments:\n- name: a\n  description: |+\n    text\n\npull: []\n", "deployments:\n- name: a\n  description: |+\n    text\n\n" + dashes + "pull: []\n"},
		"braces":              {"deployments:\n- {name: a}\n", "deployments:\n- {name: a}\n- " + braces + "\n"},
		"brackets":            {"deployments: [{name: a, tags: [x]}] # all\n", "deployments: [{name: a, tags: [x]}, " + braces + "] # all\n"},
		"brackets over lines": {"deployments: [\n  {name: a},\n  {name: b}\n]\n", "deployments: [\n  {name: a},\n  {name: b},\n  " + braces + "\n]\n"},
		"a comma at the end":  {"deployments: [\n  {name: a},\n]\n", "deployments: [\n  {name: a},\n  " + braces + "\n]\n"},
		"a bracket in a text": {"deployments: [{name: \"a]\"}]\n", "deployments: [{name: \"a]\"}, " + braces + "]\n"},
		"anchors":             {"x-base: &b {tags: [x]}\ndeployments:\n- <<: *b\n  name: a\n", "x-base: &b {tags: [x]}\ndeployments:\n- <<: *b\n  name: a\n" + dashes},
		"carriage returns":    {"deployments:\r\n- name: a\r\n", "deployments:\r\n- name: a\r\n" + strings.ReplaceAll(dashes, "\n", "\r\n")},
		"an end of document":  {"name: x\n...\n", "deployments:\n" + dashes + "\nname: x\n...\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Add("prefect.yaml", []byte(c.before), sample())
			if err != nil || string(got) != c.after {
				t.Errorf("%v\n--- got\n%s--- want\n%s", err, got, c.after)
			}
		})
	}
}

func TestAddFindsNoPlace(t *testing.T) {
	for _, text := range []string{"{deployments: []}", "deployments: text\n", "deployments: {a: 1}\n", "- a\n", "d: &d [{name: a}]\ndeployments: *d\n"} {
		if got, err := Add("prefect.yaml", []byte(text), sample()); !errors.Is(err, ErrNoPlace) {
			t.Errorf("%q: %v\n%s", text, err, got)
		}
	}
	if _, err := Add("prefect.yaml", []byte("a: [\n"), sample()); err == nil || errors.Is(err, ErrNoPlace) {
		t.Errorf("a broken file: %v", err)
	}
}

// TestAddKeepsEveryFile adds to each prefect.yaml of the conformance cases.
func TestAddKeepsEveryFile(t *testing.T) {
	files, _ := filepath.Glob("../../testdata/*/*/prefect.yaml")
	if len(files) < 50 {
		t.Fatalf("%d files", len(files))
	}
	added := 0
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Add(file, src, sample())
		if err != nil {
			continue // what is no list of deployments has no place for one
		}
		added++
		if len(got) < len(src) && !strings.Contains(string(src), "deployments:") || !contains(string(got), string(src)) {
			t.Errorf("%s: the text changed:\n%s", file, got)
		}
	}
	if added < 50 {
		t.Errorf("added to %d of %d files", added, len(files))
	}
}

// contains tells whether text is within longer, with one insertion at most.
func contains(longer, text string) bool {
	n := 0
	for n < len(text) && longer[n] == text[n] {
		n++
	}
	return strings.HasSuffix(longer, text[n:]) || strings.Contains(text, "deployments: [")
}

func FuzzAdd(f *testing.F) {
	f.Add("deployments:\n- name: a\n", "n: 1")
	f.Add("deployments: [{a: b}]", "yes")
	f.Fuzz(func(t *testing.T, text, name string) {
		got, err := Add("prefect.yaml", []byte(text), entryOf("name", name))
		if err != nil {
			return
		}
		old, _ := Load("prefect.yaml", []byte(text))
		now, faults := Load("prefect.yaml", got)
		if now.Len() != old.Len()+1 {
			t.Errorf("%d and then %d deployments: %v\n%q", old.Len(), now.Len(), faults, got)
		}
	})
}
