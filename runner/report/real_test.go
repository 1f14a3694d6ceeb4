//go:build real

// The pages through the reader of Markdown that GitHub publishes (cmark-gfm): what a reader sees in the finished page is looked at, element by element.
package report

import (
	"encoding/json"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// python is an interpreter that has cmarkgfm; docs/comment/screenshots.sh makes one.
func python(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("CMARKGFM_PYTHON"); p != "" {
		return p
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(cache, "prefect-deploy-action", "screenshots", "python", "bin", "python")
	if _, err := os.Stat(p); err != nil {
		t.Fatalf("no Python with cmarkgfm: run docs/comment/screenshots.sh once, or set CMARKGFM_PYTHON (%v)", err)
	}
	return p
}

func TestPagesInGitHubsReader(t *testing.T) {
	var pages []string
	for _, name := range cases {
		pages = append(pages, load(t, name).Page(typical(name)))
	}
	for seed := int64(0); seed < 400; seed++ {
		m := maker{rand.New(rand.NewSource(seed)), hostile()}
		v := m.view(12)
		pages = append(pages, v.Page(m.meta()))
	}
	data, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(t.TempDir(), "pages.json")
	if err := os.WriteFile(input, data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python(t), filepath.Join("testdata", "look.py"), input).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
