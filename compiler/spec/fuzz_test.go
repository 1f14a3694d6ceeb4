package spec

import (
	"testing"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// FuzzLoad: whatever the bytes, reading ends without a panic, positions lie inside the file, and corrections inside its bytes.
func FuzzLoad(f *testing.F) {
	for i, c := range recordedCases(f, "testdata/pyyaml.jsonl") {
		if i%20 == 0 || len(c.doc) > 60 {
			f.Add(c.doc)
		}
	}
	f.Add([]byte("build:\n- a.b: {id: x}\ndeployments:\n- &d {name: x, tags: 5, schedules: [{cron: a, b: c}], work_pool: {name: 1}, sla: [{}]}\n- {<<: *d, version: 2}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		file, diags := Load("prefect.yaml", src)
		for i := range file.Len() {
			file.Deployment(i, &diags)
		}
		for _, d := range diags {
			if d.Line > file.Lines() || d.Code == "" || d.Message == "" {
				t.Fatalf("%d lines, and %+v", file.Lines(), d)
			}
			if d.Fix != nil && (d.Fix.Start < 0 || d.Fix.Start > d.Fix.End || d.Fix.End > len(src)) {
				t.Fatalf("a correction of bytes %d to %d of %d", d.Fix.Start, d.Fix.End, len(src))
			}
		}
	})
}

// TestStepsAfterTake: what a deployment's steps were is still known when the rest of it is let go of.
func TestStepsAfterTake(t *testing.T) {
	src := []byte("build:\n- a.b: {id: top}\ndeployments:\n- build: [{c.d: {id: one}}]\n- push: [{e.f: {id: two}}]\n")
	var diags diag.List
	f, _ := Load("prefect.yaml", src)
	f.Take(0, &diags)
	var ids string
	for _, s := range f.Steps() {
		ids += s.ID.Text + " "
	}
	if ids != "top one two " {
		t.Errorf("steps %s", ids)
	}
}
