// validate holds emitted pipelines against two readers that are Go libraries: actionlint for GitHub's workflows, a checker of JSON Schema with GitLab's own schema for GitLab's. It is a module of its own so that neither is a
// dependency of the project; actionlint's version here is newer than the one that act pins there.
//
// usage: validate SCHEMA FOLDER
//
//	validate actions        prints the inputs of well-known actions as actionlint has them, for readers that know none (languageservice.mjs)
//
// FOLDER holds a folder for each case, each a repository of its own: .github/workflows/*.yml and .gitlab-ci.yml with the *.yml beside it. Each finding is one line of JSON, and so is the count at the end, so that a reader
// can tell nothing wrong from nothing checked.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rhysd/actionlint"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

type finding struct {
	Tool    string `json:"tool"`
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "actions" {
		_ = json.NewEncoder(os.Stdout).Encode(actions())
		return
	}
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: validate SCHEMA FOLDER")
		os.Exit(64)
	}
	workflows, _ := filepath.Glob(filepath.Join(os.Args[2], "*", ".github", "workflows", "*.yml"))
	pipelines, _ := filepath.Glob(filepath.Join(os.Args[2], "*", "*.yml")) // * takes a leading dot too
	findings, err := lint(workflows)
	if err == nil {
		var more []finding
		more, err = validate(os.Args[1], pipelines)
		findings = append(findings, more...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out := json.NewEncoder(os.Stdout)
	for _, f := range findings {
		_ = out.Encode(f)
	}
	_ = out.Encode(map[string]any{"checked": map[string]int{"actionlint": len(workflows), "schema": len(pipelines)}})
}

// actions are the inputs of well-known actions by name and tag: actions/checkout@v4, each with whether it must be given.
func actions() map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for name, action := range actionlint.PopularActions {
		all[name] = map[string]bool{}
		for _, input := range action.Inputs {
			all[name][input.Name] = input.Required
		}
	}
	return all
}

// lint runs actionlint without any configuration; with shellcheck where that is installed, as its own program does.
func lint(files []string) ([]finding, error) {
	if len(files) == 0 {
		return nil, nil
	}
	shellcheck, _ := exec.LookPath("shellcheck")
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{Shellcheck: shellcheck})
	if err != nil {
		return nil, err
	}
	faults, err := linter.LintFiles(files, nil)
	if err != nil {
		return nil, err
	}
	var out []finding
	for _, f := range faults {
		out = append(out, finding{"actionlint", f.Filepath, f.Line, f.Message + " [" + f.Kind + "]"})
	}
	return out, nil
}

// validate checks files against the schema.
func validate(schema string, files []string) ([]finding, error) {
	if len(files) == 0 {
		return nil, nil
	}
	compiled, err := jsonschema.NewCompiler().Compile(schema)
	if err != nil {
		return nil, err
	}
	var out []finding
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var document any
		if err := yaml.Unmarshal(data, &document); err != nil {
			out = append(out, finding{"schema", name, 0, err.Error()})
			continue
		}
		if err := compiled.Validate(document); err != nil {
			out = append(out, finding{"schema", name, 0, err.Error()})
		}
	}
	return out, nil
}
