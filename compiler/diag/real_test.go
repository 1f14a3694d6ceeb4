//go:build real

// The logs before OASIS's schema itself. It is not ours to keep here: it is taken, at one version whose bytes Go's checksum database vouches for, from a public module
// that carries it.
package diag

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xeipuuv/gojsonschema"
)

const schemaModule = "github.com/owenrumney/go-sarif/v3@v3.3.1"

func officialSchema(t *testing.T) *gojsonschema.Schema {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", schemaModule)
	cmd.Dir = t.TempDir() // outside of this module: nothing of its own requirements is touched
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s is not to be had: %v\n%s", schemaModule, err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(module.Dir, "pkg", "report", "v210", "sarif", "schema.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(source), "`")
	text, _, ok := strings.Cut(text, "`")
	if !ok || !strings.Contains(text, `"`+sarifSchema+`"`) {
		t.Fatalf("the schema that the logs name is not in %s", schemaModule)
	}
	schema, err := gojsonschema.NewSchema(gojsonschema.NewStringLoader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestSARIFPassesTheOfficialSchema(t *testing.T) {
	schema := officialSchema(t)
	validate := func(data []byte) []gojsonschema.ResultError {
		r, err := schema.Validate(gojsonschema.NewBytesLoader(data))
		if err != nil {
			t.Fatal(err)
		}
		return r.Errors()
	}
	for name, l := range sarifLists() {
		for _, fault := range validate(renderSARIF(l)) {
			t.Errorf("%s: %s", name, fault)
		}
	}
	good := string(renderSARIF(sarifLists()["two equal lines"]))
	for _, change := range [][2]string{{`"text": "name`, `"txet": "name`}, {`"startLine": 1`, `"startLine": 0`}, {`"level": "error"`, `"level": "fatal"`}, {`"version": "2.1.0"`, `"version": "2.2"`}} {
		if bad := strings.Replace(good, change[0], change[1], 1); bad == good || len(validate([]byte(bad))) == 0 {
			t.Errorf("the schema takes %s", change[1])
		}
	}
}
