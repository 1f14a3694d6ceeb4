package storage

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestKeyOf(t *testing.T) {
	for _, c := range []struct{ folder, file, want string }{
		{"app", "a/b", "app/a/b"}, {"app/", "a", "app/a"}, {"./x//y/", "a", "x/y/a"}, {"/app", "a", "/app/a"}, {"", "a", "a"}, {".", "a", "a"}, {"/", "a", "/a"}, {"//x", "a", "//x/a"}, {"///x", "a", "/x/a"},
		{"a/../b", "c", "a/../b/c"}, {"é ü", "🎉", "é ü/🎉"},
	} {
		if got := keyOf(c.folder, c.file); got != c.want {
			t.Errorf("folder %q, file %q: %q, want %q", c.folder, c.file, got, c.want)
		}
	}
}

func TestFileOf(t *testing.T) {
	for _, c := range []struct{ prefix, key, want, fault string }{
		{prefix: "app/", key: "app/a/b", want: "a/b"},
		{prefix: "app/", key: `app/a\b`, want: "a/b"},
		{prefix: "app/", key: "app//etc/passwd", want: "etc/passwd"},
		{prefix: "app/", key: "app/./a//b/.", want: "a/b"},
		{prefix: "", key: "/etc/passwd", want: "etc/passwd"},
		{prefix: "app/", key: "app/...", want: "..."},
		{prefix: "app/", key: "app/é/\n", want: "é/\n"},
		{prefix: "app/", key: "app/../x", fault: "outside"},
		{prefix: "app/", key: `app/a\..\..\x`, fault: "outside"},
		{prefix: "app/", key: "app/a/../b", fault: "outside"},
		{prefix: "app/", key: "app/..", fault: "outside"},
		{prefix: "app/", key: "app/.", fault: "no file here"},
		{prefix: "app/", key: "app/a\x00b", fault: "no file here"},
	} {
		check(t, false, c.prefix, c.key, c.want, c.fault)
	}
	for _, name := range []string{"C:/x", "c:x", "NUL", "a/con.txt", "com1", "LPT9.x", "com¹", "a.", "a ", "b/.. /c", "x:stream", "a?b", "a\tb", "CONIN$"} {
		check(t, true, "app/", "app/"+name, "", "no file here")
	}
	check(t, true, "app/", "app/common/.env", "common/.env", "")
}

func check(t *testing.T, windows bool, prefix, key, want, fault string) {
	t.Helper()
	got, err := fileOn(windows, prefix, key)
	if got != want || (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
		t.Errorf("%q: %q, error %v; want %q, %q", key, got, err, want, fault)
	}
}

// FuzzFileOf: whatever a bucket holds, what is written stays inside.
func FuzzFileOf(f *testing.F) {
	f.Add("app/", "app/../x")
	f.Add("", `a\b//c`)
	f.Fuzz(func(t *testing.T, prefix, key string) {
		for _, windows := range []bool{false, true} {
			name, err := fileOn(windows, prefix, prefix+key)
			if err == nil && (!filepath.IsLocal(name) || strings.Contains(name, `\`) || strings.HasPrefix(name, "/")) {
				t.Errorf("%q is written to %q", key, name)
			}
		}
	})
}
