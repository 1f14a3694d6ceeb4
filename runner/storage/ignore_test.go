package storage

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

type ignoreCase struct {
	Patterns, Ignored, Kept []string
	Error                   bool
}

// TestIgnoreAsRecorded: pathspec's GitIgnoreSpec, which Prefect uses, is right.
func TestIgnoreAsRecorded(t *testing.T) {
	data, err := os.ReadFile("testdata/ignore.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []ignoreCase
	if err := json.Unmarshal(data, &cases); err != nil || len(cases) < 1000 {
		t.Fatalf("%d cases, error %v", len(cases), err)
	}
	checkIgnore(t, cases)
}

func checkIgnore(t *testing.T, cases []ignoreCase) {
	t.Helper()
	for _, c := range cases {
		i, err := newIgnored(c.Patterns)
		if (err != nil) != c.Error {
			t.Errorf("%q: error %v", c.Patterns, err)
		}
		if err != nil {
			continue
		}
		for _, f := range c.Ignored {
			if !i.file(f) {
				t.Errorf("%q leaves %q, which should be out", c.Patterns, f)
			}
		}
		for _, f := range c.Kept {
			if i.file(f) {
				t.Errorf("%q leaves out %q, which should stay", c.Patterns, f)
			}
			for k := range f {
				if f[k] == '/' && i.whole(f[:k]) {
					t.Errorf("%q passes over all of %q, and %q should stay", c.Patterns, f[:k], f)
				}
			}
		}
	}
}

func FuzzIgnore(f *testing.F) {
	f.Add("*.log\n!/a/**/[^b]\n", "a/b.log", "x")
	f.Add("[]-]\n[!]a-]\n\\", "x", "y")
	f.Fuzz(func(t *testing.T, file, name, below string) {
		i, err := newIgnored(strings.Split(file, "\n"))
		if err == nil && name != "" && below != "" && i.whole(name) && !i.file(name+"/"+below) {
			t.Errorf("all of %q is left out, and %q of it is not", name, below)
		}
	})
}
