// A deployment for each flow of a tree: which flows, what they are called, and that the file is right as it stands, whatever the recipe.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/flow"
	"github.com/org/prefect-deploy-action/compiler/recipe"
)

const twoFlows = "from prefect import flow\n\n@flow\ndef load(day: str, region: str = \"eu\"):\n    \"\"\"Loads: a 'day' # of \"orders\".\"\"\"\n\n@flow(name=\"By hand\")\ndef by_hand(): pass\n"

// discoverable is a tree with flows in all the places that count, and in those that do not.
var discoverable = map[string]string{"flow.py": flowFile, "flows/orders.py": twoFlows, "flows/__init__.py": "", "a b/x: y.py": flowFile, "ünï/é.py": twoFlows, "team.py": "from ours import team_flow\n\n@team_flow(retries=2)\ndef perhaps(): pass\n",
	"broken.py": "from prefect import flow\n@flow\ndef (:\n", "none.py": "def f(): pass\n", "named.py": "from prefect import flow\n\n@flow(name=\"a/b\")\ndef f(): pass\n", "python2.py": "print 'workflow'\n", ".gitignore": "/build/\n*.gen.py\n", "services/.prefectignore": "skipped.py\n", "services/skipped.py": twoFlows, "services/kept.py": twoFlows,
	"build/x.py": twoFlows, "a.gen.py": twoFlows, ".venv/lib/x.py": twoFlows, "venv/x.py": twoFlows, "myenv/pyvenv.cfg": "", "myenv/x.py": twoFlows, "node_modules/x/y.py": twoFlows, "lib/site-packages/x.py": twoFlows, "__pycache__/x.py": twoFlows,
	".hidden/x.py": twoFlows, "classes.py": "from prefect import flow\n\nclass Jobs:\n    @staticmethod\n    @flow\n    def nightly(): pass\n\n    @flow\n    def bound(self): pass\n"}

func TestInitDiscovers(t *testing.T) {
	for _, r := range recipe.Recipes {
		dir := project(t, discoverable)
		args := []string{"--recipe", r.Name, "--discover", "--pool", "my-pool", "--field"}
		for _, f := range r.Fields() {
			args = append(args, f.Name+"=v1", "--field")
		}
		code, _, stderr := initIn(dir, args[:len(args)-1]...)
		if code != 0 || !strings.Contains(stderr, "9 deployments, 2 more in comments") || !strings.Contains(stderr, "warning: broken.py:3: ") || !strings.Contains(stderr, "warning: named.py:4: ") || strings.Count(stderr, "there is no deployment for it") != 2 {
			t.Fatalf("%s: %d\n%s", r.Name, code, stderr)
		}
		code, checked, stderr := compile("check", "-C", dir)
		if code != 0 || !strings.Contains(checked, "(9 deployments)") || strings.Contains(checked, "error:") {
			text, _ := os.ReadFile(filepath.Join(dir, "prefect.yaml"))
			t.Errorf("%s: compile check: %d\n%s%s\n%s", r.Name, code, checked, stderr, text)
		}
		entries := yamlTree(t, filepath.Join(dir, "prefect.yaml")).(map[string]any)["deployments"].([]any)
		var got []string
		for _, e := range entries {
			m := e.(map[string]any)
			got = append(got, fmt.Sprint(m["name"], " ", m["entrypoint"]))
		}
		want := []string{"x-y-hello a b/x: y.py:hello", "flow-hello flow.py:hello", "orders-load flows/orders.py:load", "orders-By-hand flows/orders.py:by_hand", "kept-load services/kept.py:load", "kept-By-hand services/kept.py:by_hand",
			"nightly classes.py:Jobs.nightly", "é-load ünï/é.py:load", "é-By-hand ünï/é.py:by_hand"}
		if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
			t.Fatalf("%s: got %q", r.Name, got)
		}
		text, _ := os.ReadFile(filepath.Join(dir, "prefect.yaml"))
		if strings.Count(string(text), "\n\n  # Perhaps a flow: ") != 2 || !strings.Contains(string(text), "Jobs.bound is a method, and a run has no object to call it on") {
			t.Errorf("%s: the comments on what may be no flow:\n%s", r.Name, text)
		}
	}
}

// TestInitDiscoversBelow: the rules of the repository count in its folders too, but for one that excludes the folder itself.
func TestInitDiscoversBelow(t *testing.T) {
	dir := project(t, map[string]string{".git/HEAD": "x", ".gitignore": "services/a/out/\nscratch/\n*_gen.py\n", "services/a/x.py": flowFile, "services/a/out/y.py": flowFile, "services/a/y_gen.py": flowFile, "scratch/z.py": flowFile})
	for _, c := range []struct{ in, says string }{{"services/a", "1 deployment)"}, {"scratch", "1 deployment)"}, {".", "1 deployment)"}} {
		if code, _, stderr := initIn(filepath.Join(dir, c.in), "--recipe", "local", "--discover"); code != 0 || !strings.Contains(stderr, c.says) || !strings.Contains(stderr, "name a work pool") {
			t.Errorf("%s: %d %s", c.in, code, stderr)
		}
	}
}

func TestInitDiscoversInALargeTree(t *testing.T) {
	files := map[string]string{}
	for i := range 1_900 {
		files[fmt.Sprintf("p%d/q%d/m%d.py", i%37, i%11, i)] = "def f(): pass\n"
	}
	for i := range 100 {
		files[fmt.Sprintf("flows/f%d.py", i)] = twoFlows
	}
	dir := project(t, files)
	code, _, stderr := initIn(dir, "--recipe", "local", "--discover", "--pool", "p")
	if code != 0 || !strings.Contains(stderr, "200 deployments)") || strings.Contains(stderr, "more files") {
		t.Fatalf("%d %s", code, stderr)
	}
	if code, checked, _ := compile("check", "-C", dir); code != 0 || !strings.Contains(checked, "no errors (200 deployments)") {
		t.Errorf("%d\n%.2000s", code, checked)
	}
}

// TestNamesAreUnique: no two deployments have one name, none is empty, and none holds what a name may not.
func TestNamesAreUnique(t *testing.T) {
	parts := []string{"a", "b", "a-b", "a_b", "%", "x y", "-", "é", "_", "a-2", ""}
	var flows []*flow.Flow
	for _, x := range parts {
		for _, y := range parts {
			for _, z := range parts {
				flows = append(flows, &flow.Flow{File: x + "/" + y + ".py", Name: z, Function: "f"}, &flow.Flow{File: y + ".py", Name: z, Function: "f"})
			}
		}
	}
	seen := map[string]bool{}
	for _, f := range recipe.NameAll(flows) {
		if seen[f.Name] || f.Name == "" || strings.ContainsAny(f.Name, "/%&<> ") || f.Name[0] == '-' {
			t.Fatalf("%q of %s:%s", f.Name, f.File, f.Flow.Name)
		}
		seen[f.Name] = true
	}
}
