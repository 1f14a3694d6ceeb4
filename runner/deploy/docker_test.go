// A Dockerfile that Prefect's own function writes while it builds, and what an interrupt leaves of it.
package deploy

import (
	"os"
	"path/filepath"
	"testing"
)

func TestLeftoverDockerfile(t *testing.T) {
	const generated = "FROM prefecthq/prefect:3.8.8-python3.11\nCOPY . /opt/prefect/x/\nWORKDIR /opt/prefect/x/\n"
	for name, c := range map[string]struct{ before, after, left string }{
		"generated, and left by an interrupt": {"", generated, ""},
		"nothing":                             {"", "", ""},
		"someone else wrote one meanwhile":    {"", "FROM mine\n", "FROM mine\n"},
		"it was there":                        {"FROM mine\n", "", "FROM mine\n"},
		"one that is kept was there":          {generated, "", generated},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "Dockerfile")
		write := func(text string) {
			if text == "" {
				return
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(c.before)
		end := leftover(dir)
		write(c.after)
		end()
		if data, _ := os.ReadFile(path); string(data) != c.left {
			t.Errorf("%s: %q is left, want %q", name, data, c.left)
		}
	}
}
