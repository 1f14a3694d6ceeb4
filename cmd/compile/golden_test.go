// One input, many goldens: what the commands print for each file under testdata, byte by byte. `go test ./cmd/compile -update` writes them anew, to be read in
// review.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/cmd/internal/cli"
	"github.com/org/prefect-deploy-action/compiler/check"
	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/resolve"
	"github.com/org/prefect-deploy-action/compiler/spec"
	"github.com/org/prefect-deploy-action/compiler/value"
)

var update = flag.Bool("update", false, "write the goldens anew")

const goldens = "../../testdata"

// compile runs the program in this process.
func compile(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(cli.World{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Env: func(string) (string, bool) { return "", false }})
	return code, out.String(), err.String()
}

// golden compares got with a file, or writes it. An empty got means that there is no such file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if got == "" {
			_ = os.Remove(path)
			return
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil && got != "" {
		t.Errorf("%v (go test ./cmd/compile -update writes it)", err)
	}
	if string(want) != got {
		t.Errorf("%s differs (go test ./cmd/compile -update writes it anew)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// cases are the folders under a folder of testdata.
func cases(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(goldens, dir))
	if err != nil || len(entries) == 0 {
		t.Fatalf("no cases in testdata/%s: %v", dir, err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestCheckGoldens(t *testing.T) {
	produced := map[string]bool{}
	for _, name := range cases(t, "check") {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(goldens, "check", name)
			code, text, stderr := compile("check", "-C", dir)
			golden(t, filepath.Join(dir, "check.txt"), text)
			_, asJSON, _ := compile("check", "-C", dir, "--format", "json")
			golden(t, filepath.Join(dir, "check.json"), asJSON)
			var report struct {
				Diagnostics []struct{ Severity, Code string }
			}
			if err := json.Unmarshal([]byte(asJSON), &report); err != nil {
				t.Fatal(err)
			}
			errors, own := 0, name == "none"
			for _, d := range report.Diagnostics {
				produced[d.Code] = true
				own = own || strings.HasPrefix(name, d.Code)
				if d.Severity == "error" {
					errors++
				}
			}
			if code != map[bool]int{true: 1, false: 0}[errors > 0] || stderr != "" {
				t.Errorf("exit %d with %d errors, stderr %q", code, errors, stderr)
			}
			if _, explained := diag.Explain(name); explained && !own {
				t.Errorf("the case %s does not produce its own code", name)
			}
		})
	}
	for _, code := range diag.Codes() {
		if !produced[code] && elsewhere[code] == "" {
			t.Errorf("no case under testdata/check produces %s", code)
		}
	}
}

// elsewhere are the codes that no file of testdata can produce, with the test that does.
var elsewhere = map[string]string{
	"conflicting-ci-setting": "TestPatchesAndSettings",
	"patch-does-not-fit":     "TestPatchesAndSettings",
	"pipeline-too-large":     "TestTooLarge of compiler/emit",
	"unusable-path":          "TestHostilePaths of compiler/emit",
	"unstable-inputs-tag":    "TestInputsTagOfARepository of compiler/check: a folder .git has no place in a repository",
	"file-too-large":         "TestHostileFiles of compiler/spec: such a file has no place in a repository",
}

// TestCodesAreExplained reads the sources: every text that is used as a code has an explanation, so that `compile explain` knows whatever a check prints.
func TestCodesAreExplained(t *testing.T) {
	known := map[string]bool{}
	for _, c := range diag.Codes() {
		known[c] = true
	}
	err := filepath.WalkDir("../../compiler", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for _, line := range strings.Split(string(src), "\n") {
			for _, mark := range []string{"Code: \"", "diag.Error, \"", "diag.Warning, \"", "d.Code = \"", "report(\""} {
				_, rest, ok := strings.Cut(line, mark)
				if code, _, _ := strings.Cut(rest, "\""); ok && strings.Contains(code, "-") && !known[code] {
					t.Errorf("%s uses the code %s, which compile explain does not know", path, code)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestGraphGoldens(t *testing.T) {
	for _, name := range cases(t, "graph") {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(goldens, "graph", name)
			_, text, stderr := compile("graph", "-C", dir)
			golden(t, filepath.Join(dir, "graph.json"), text)
			for _, format := range []string{"mermaid", "dot", "svg"} {
				_, drawn, _ := compile("graph", "-C", dir, "--format", format)
				golden(t, filepath.Join(dir, "graph."+format), drawn)
			}
			if stderr != "" {
				t.Errorf("stderr: %s", stderr)
			}
		})
	}
}

// TestPicturesOfTheDocs: what the documents show is what the program draws.
func TestPicturesOfTheDocs(t *testing.T) {
	for name, dir := range map[string]string{"quickstart": "quickstart", "fifty": "graph/fifty"} {
		_, drawn, stderr := compile("graph", "-C", filepath.Join(goldens, dir), "--format", "svg")
		golden(t, filepath.Join("../../docs/graph", name+".svg"), drawn)
		if stderr != "" {
			t.Errorf("stderr: %s", stderr)
		}
	}
}

// TestSnippets: the document's snippets as they are, and mended. Beside a golden that waits for a later part of the program stands a file `pending`, which names it.
func TestSnippets(t *testing.T) {
	for _, dir := range []string{filepath.Join(goldens, "snippets"), filepath.Join(goldens, "snippets", "mended")} {
		files, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if len(files) < 9 {
			t.Fatalf("only %d snippets in %s", len(files), dir)
		}
		for _, path := range files {
			name := filepath.Base(path)
			t.Run(name, func(t *testing.T) {
				base := strings.TrimSuffix(path, ".yaml")
				_, text, _ := compile("check", "-C", dir, "-f", name)
				golden(t, base+".check.txt", text)
				resolved := resolvedText(t, dir, name)
				golden(t, base+".resolved.txt", resolved)
				_, graph, _ := compile("graph", "-C", dir, "-f", name)
				golden(t, base+".graph.json", graph)
			})
		}
	}
}

// resolvedText is what resolving makes of a file: each deployment's steps after the rules for overriding, and its fields; nothing when there is an error in the file.
func resolvedText(t *testing.T, dir, name string) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	c := check.New(os.DirFS(dir))
	c.File(name, src)
	for _, d := range c.Diagnostics() {
		if d.Severity == diag.Error && !strings.HasPrefix(d.Code, "missing-") {
			return ""
		}
	}
	f, _ := spec.Load(name, src)
	var b strings.Builder
	for i := range f.Len() {
		d := resolve.Entry(f, f.Deployment(i, nil))
		b.WriteString(d.Title() + "\n")
		for _, s := range []struct {
			name  string
			steps []spec.Step
		}{{"build", d.Build}, {"push", d.Push}, {"pull", d.Pull}} {
			for _, step := range s.steps {
				b.WriteString("  " + s.name + ": " + string(step.Whole.AppendJSON(nil)) + "\n")
			}
		}
		b.WriteString("  pull comes from: " + [...]string{"the file", "nowhere: there is none", "the working directory", "the image"}[d.From] + "\n")
		fields := append([]value.Entry(nil), d.Fields.Map...)
		sort.Slice(fields, func(i, j int) bool { return fields[i].Key < fields[j].Key })
		for _, e := range fields {
			b.WriteString("  " + e.Key + ": " + string(e.Value.AppendJSON(nil)) + "\n")
		}
	}
	return b.String()
}
