// What goes into a file comes out of it, and what is secret never goes in.
package handover

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

// made is a made-up value as a step may return one; it is never Null at the top.
func made(r *rand.Rand, depth int) value.Value {
	switch n := r.IntN(8); {
	case n == 0:
		return value.Of([]any{nil, true, false}[r.IntN(3)])
	case n == 1:
		return value.Of(r.Int64() - r.Int64())
	case n == 2:
		return value.Value{Kind: value.Int, Text: "123456789012345678901234567890"}
	case n == 3:
		return value.Of(r.NormFloat64() * 1e10)
	case n < 6 || depth == 0:
		return value.Of([]string{"", "a", "1", "1.0", "null", "two\nlines\r\n", "\x00\x1b[31m", "{{ hash.stdout }}", "€🚀\u2028", "'\"\\"}[r.IntN(10)])
	case n == 6:
		v := value.Value{Kind: value.List}
		for range r.IntN(4) {
			v.List = append(v.List, made(r, depth-1))
		}
		return v
	}
	v := value.Value{Kind: value.Map}
	for _, k := range []string{"b", "a", "ä\n"}[:r.IntN(4)] {
		v.Map = append(v.Map, value.Entry{Key: k, Value: made(r, depth-1)})
	}
	return v
}

func TestTypedOutputsSurvive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		in := Step{Key: "k", Digest: "d", Outputs: value.Value{Kind: value.Map, Map: []value.Entry{{Key: "x", Value: made(r, 3)}, {Key: "y", Value: made(r, 3)}}}}
		data := JSON([]Step{in})
		if !json.Valid(data) { // encoding/json's own word
			t.Fatalf("no JSON: %s", data)
		}
		out, err := Parse(data)
		if err != nil || len(out) != 1 || out[0].Outputs.Repr() != in.Outputs.Repr() {
			t.Fatalf("%v\n%s\nwas read as %v", err, data, out)
		}
	}
	none, err := Parse(JSON([]Step{Of("k", "d", value.Value{})}))
	if err != nil || !none[0].Outputs.IsNull() {
		t.Errorf("a step without a mapping: %v, %v", none, err)
	}
}

// TestNoSecretGetsIn: not as a whole, not as a part of a list, not where the whole mapping is secret.
func TestNoSecretGetsIn(t *testing.T) {
	secret := value.Of("canary").Mark(value.Sensitive)
	outputs := value.Of([]value.Entry{{Key: "plain", Value: value.Of(1)}, {Key: "text", Value: secret}, {Key: "list", Value: value.Of([]value.Value{value.Of("a"), secret})},
		{Key: "map", Value: value.Of([]value.Entry{{Key: "deep", Value: secret}})}})
	data := string(JSON([]Step{Of("k", "d", outputs), Of("l", "e", value.Of([]value.Entry{{Key: "all", Value: value.Of("canary")}}).Mark(value.Sensitive))}))
	want := `{"schema":1,"steps":[{"key":"k","digest":"d","outputs":{"plain":1},"withheld":["text","list","map"]},{"key":"l","digest":"e","outputs":{},"withheld":["all"]}]}` + "\n"
	if data != want {
		t.Errorf("the file holds\n%s\nexpected\n%s", data, want)
	}
	if steps, err := Parse([]byte(data)); err != nil || strings.Join(steps[0].Withheld, " ") != "text list map" {
		t.Errorf("read as %v, %v", steps, err)
	}
}

// TestLargeOutputs: a long log with bytes that no text has.
func TestLargeOutputs(t *testing.T) {
	dir := t.TempDir()
	big := strings.Repeat("0123456789abcde\x00\x01\n\xff€", 24<<20/22)
	to, err := Create(dir, "big.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Write([]Step{Of("k", "d", value.Of([]value.Entry{{Key: "stdout", Value: value.Of(big)}}))}); err != nil {
		t.Fatal(err)
	}
	steps, err := Read(dir, []string{"big.json"}, false)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := steps[0].Outputs.Get("stdout")
	if got.Text != strings.ToValidUTF8(big, "\ufffd") {
		t.Errorf("%d bytes came back of %d", len(got.Text), len(big))
	}
}

func TestWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	names := func() string {
		entries, _ := os.ReadDir(dir)
		var out []string
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return strings.Join(out, " ")
	}
	if err := os.WriteFile(filepath.Join(dir, "old.json"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"old.json", "new.json"} {
		to, err := Create(dir, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		to.Close()
	}
	if data, _ := os.ReadFile(filepath.Join(dir, "old.json")); names() != "old.json" || string(data) != "old" {
		t.Errorf("nothing was written, and there are %s, %q", names(), data)
	}
	if err := os.Symlink("old.json", filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	to, err := Create(dir, "link.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Write(nil); err != nil {
		t.Fatal(err)
	}
	to.Close()
	if data, _ := os.ReadFile(filepath.Join(dir, "old.json")); names() != "link.json old.json" || string(data) != "{\"schema\":1,\"steps\":[]}\n" {
		t.Errorf("through a link: %s, %q", names(), data)
	}
	for _, bad := range []string{".", "old.json/such.json"} {
		if _, err := Create(dir, bad, nil); err == nil {
			t.Errorf("%s can be written", bad)
		}
	}
	var out bytes.Buffer
	if to, err = Create(dir, "-", &out); err != nil || to.Write(nil) != nil || out.Len() == 0 {
		t.Errorf("stdout: %v, %q", err, out.String())
	}
	if to, err = Create(dir, os.DevNull, nil); err != nil || to.Write(nil) != nil {
		t.Errorf("a device: %v", err)
	}
	to.Close()
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatal("the null device was replaced")
	}
}

func TestWhatFromNames(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"d[1]/a.json": `{"schema":1,"steps":[{"key":"a","digest":"1","outputs":{}}]}`, "d[1]/b.json": `{"schema":1,"steps":[{"key":"b","digest":"2","outputs":null}]}`,
		"d[1]/c.txt": "no", "empty/x": "", "later.json": `{"schema":2,"steps":[]}`, "list.json": "[]", "half.json": `{"schema":1,"steps":[{"key":"a"`, "odd.json": `{"schema":1,"steps":[{"key":"a","digest":1,"outputs":3}]}`} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ from, want string }{{"d[1]", "ab"}, {"d[1]/a.json", "a"}, {"d*/*.json", "ab"}, {filepath.Join(dir, "d*", "b.json"), "b"}, {"d[1] d*/a.json", "ab"}} {
		steps, err := Read(dir, strings.Fields(c.from), false)
		got := ""
		for _, s := range steps {
			got += s.Key
		}
		if err != nil || got != c.want {
			t.Errorf("--from %s gives %q, %v", c.from, got, err)
		}
	}
	for from, want := range map[string]string{"empty": "holds no *.json", "x*.json": "no file matches", "nowhere.json": "no such file", "later.json": "its schema is 2", "list.json": "no file that", "half.json": "no file that", "odd.json": "no file that"} {
		if _, err := Read(dir, []string{from}, false); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), from) {
			t.Errorf("--from %s: %v", from, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"schema":1,"steps":[{"key":"k","digest":"d","outputs":{"x":[1,2.5]},"withheld":["y"]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		steps, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(JSON(steps))
		if err != nil || len(again) != len(steps) {
			t.Fatalf("%q is read as %v, which does not read back: %v", data, steps, err)
		}
	})
}
