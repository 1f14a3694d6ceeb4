// The workflows that users copy from here, and this project's own, in the eyes of actionlint.
package replay

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/rhysd/actionlint"
)

func TestWorkflowsPassActionlint(t *testing.T) {
	root := filepath.Join("..", "..")
	paths, err := filepath.Glob(filepath.Join(root, "testdata", "*", ".github", "workflows", "*.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no workflow was found: %v", err)
	}
	for _, more := range [][]string{{".github", "workflows", "*.yml"}, {"testdata", "pipeline", "*", "github.yml"}} { // our own, and what we emit
		found, err := filepath.Glob(filepath.Join(append([]string{root}, more...)...))
		if err != nil || len(found) == 0 {
			t.Fatalf("no workflow is %v: %v", more, err)
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		faults, err := linter.Lint(path, src, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			t.Errorf("%s: %s", path, f.Error())
		}
	}
}
