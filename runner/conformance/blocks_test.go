//go:build real

// Blocks that no case can name, because a server gives them their IDs: a mapping {$ref: {block_document_id: ID}} in the file, a document inside a document, and types of the
// older Prefect that still lie on servers. Both programs deploy a file with them, and both must refuse what leads nowhere.
package conformance

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// blockIDs are those of the documents on the server, by "type/name".
func (a api) blockIDs(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, d := range a.all(t, "/block_documents/filter") {
		if kind, ok := d["block_type"].(map[string]any); ok {
			out[str(kind, "slug")+"/"+str(d, "name")] = str(d, "id")
		}
	}
	return out
}

// olderBlocks are types that Prefect 2 brought.
func olderBlocks() []string { return []string{"json", "string", "date-time"} }

// seedBlocks makes documents of all sorts, the last of them with another one inside.
func (a api) seedBlocks(t *testing.T) (ref func(name string) object) {
	t.Helper()
	t.Cleanup(func() {
		for _, slug := range olderBlocks() {
			if status, kind := a.call(t, http.MethodGet, "/block_types/slug/"+slug, nil); status == http.StatusOK {
				a.call(t, http.MethodDelete, "/block_types/"+str(kind.(map[string]any), "id"), nil)
			}
		}
	})
	a.seed(t, setup{WorkPools: []map[string]any{{"name": "pool"}}, Variables: map[string]any{"word": "filled"}, Blocks: []block{
		{"secret", "db", object{"value": "pass word"}}, {"json", "data", object{"value": object{"a": []any{1, object{"b": nil}}}}}, {"string", "text", object{"value": "plain"}},
		{"date-time", "at", object{"value": "2024-01-01T00:00:00Z"}}, {"conformance-inner", "i", object{"user": "ann", "password": "deep"}},
		{"conformance-templates", "t", object{"text": "a {{ prefect.variables.word }}", "more": "{{ prefect.blocks.secret.db }}", "unset": "{{ nobody }}"}},
	}})
	var ids map[string]string
	ref = func(name string) object { return object{"$ref": object{"block_document_id": ids[name]}} }
	ids = a.blockIDs(t)
	a.seed(t, setup{Blocks: []block{{"conformance-outer", "o", object{"host": "h", "login": ref("conformance-inner/i")}}}})
	ids = a.blockIDs(t)
	return ref
}

func TestBlockReferences(t *testing.T) {
	a := server(t)
	a.reset(t)
	ref := a.seedBlocks(t)
	w, address := watch(t, a)
	b := &bench{a, w, address, startPrefects(t)}
	by := func(id any) object { return object{"parameters": object{"x": object{"$ref": id}}} }
	for _, c := range []struct {
		name    string
		refused bool
		more    object // of the deployment
	}{
		{"types", false, object{"parameters": object{"json": "{{ prefect.blocks.json.data }}", "path": "{{ prefect.blocks.json.data.a[1].b }}", "text": "{{ prefect.blocks.string.text }}",
			"inside": "x-{{ prefect.blocks.string.text }}-{{ prefect.blocks.date-time.at }}", "value": "{{ prefect.blocks.json.data.value.a[0] }}"}}},
		{"a document inside a document", false, object{"parameters": object{"whole": "{{ prefect.blocks.conformance-outer.o }}", "login": "{{ prefect.blocks.conformance-outer.o.login }}",
			"user": "{{ prefect.blocks.conformance-outer.o.login.user }}"}}},
		{"by ID", false, object{"parameters": object{"secret": ref("secret/db"), "list": []any{ref("json/data"), object{"deep": ref("string/text")}}, "beside": object{"$ref": ref("string/text")["$ref"], "x": 1}},
			"work_pool": object{"name": "pool", "job_variables": object{"credentials": ref("conformance-outer/o"), "env": object{"A": "x"}}}}},
		{"by ID, with templates", false, object{"parameters": object{"t": ref("conformance-templates/t")}}},
		{"by an ID that is null or empty", false, object{"parameters": object{"none": object{"$ref": object{"block_document_id": nil}}, "empty": object{"$ref": object{"block_document_id": ""}}, "other": object{"$ref": object{"id": "x"}}}}},
		{"in a build step", false, object{"description": "{{ s.stdout }}", "build": []any{object{"prefect.deployments.steps.run_shell_script": object{"id": "s", "script": "printenv A", "stream_output": false,
			"env": object{"A": "{{ prefect.blocks.string.text }}"}}}}}},
		{"in a build step, by ID", false, object{"description": "{{ s.stdout }}", "build": []any{object{"prefect.deployments.steps.run_shell_script": object{"id": "s", "script": "printenv value", "stream_output": false,
			"env": ref("string/text")}}}}},
		{"by an ID that there is not", true, by(object{"block_document_id": "00000000-0000-0000-0000-000000000000"})},
		{"by an ID that is none", true, by(object{"block_document_id": "../db"})},
		{"by a number", true, by(object{"block_document_id": 5})},
		{"$ref is a text", true, by("#/definitions/x")},
		{"$ref is null", true, by(nil)},
		{"$ref is a list", true, by([]any{})},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := object{"name": "d", "entrypoint": "flow.py:hello", "enforce_parameter_schema": false, "work_pool": object{"name": "pool"}}
			for k, v := range c.more {
				d[k] = v
			}
			dir := t.TempDir()
			for name, data := range map[string]string{"flow.py": flowSource, "prefect.yaml": text(object{"deployments": []any{d}})} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			o := b.compare(t, &testCase{dir: dir, name: "made", Args: []string{"--all"}}, func(string) bool { return false })
			if len(o.faults) > 0 || o.refused != c.refused {
				t.Errorf("the real Prefect refuses it: %v\n  %s\n%s", o.refused, strings.Join(o.faults, "\n  "), o.said)
			}
		})
	}
}
