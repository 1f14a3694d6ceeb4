// Markers and hidden lines: what is written reads back, whatever names hold; what others write is not taken for ours.
package forge

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// The line that the product's example of a comment shows.
const exampleLine = `<!-- prefect-deploy-action {"v":1,"key":"prefect.yaml#production","head":"9f31c2e","plan":"k1:5f0c…","run":"123/1"} -->`

func TestMarkerOfTheExample(t *testing.T) {
	m, err := ParseMarker(exampleLine+"\n### Prefect plan", "")
	if err != nil || m.Key != key || m.Head != "9f31c2e" || m.Run != "123/1" || m.Plan != "k1:5f0c…" {
		t.Errorf("%+v %v", m, err)
	}
	if m.line("") != exampleLine {
		t.Errorf("written again: %s", m.line(""))
	}
	if _, err := ParseMarker(exampleLine, "a key"); !errors.Is(err, ErrSignature) {
		t.Errorf("unsigned: %v", err)
	}
}

// The signature is HMAC-SHA256 as OpenSSL computes it (openssl dgst -sha256 -hmac over the same bytes), so that other programs can check it.
func TestSignatureIsHMAC(t *testing.T) {
	m := Marker{V: 1, Key: "prefect.yaml#production", PR: 7, Head: "9f31c2e", Plan: "k1:5f0c", Run: "123/1"}
	const want = "815a41c408ba3f67559a1004724b695af818c6cc3188641ea1e86f0061976b4c"
	if got := m.sign("plan key"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	line := m.line("plan key")
	for i := range line { // no character can be changed
		if line[i] == ' ' || line[i] == '}' {
			continue
		}
		changed := line[:i] + string(line[i]^1) + line[i+1:]
		if got, err := ParseMarker(changed, "plan key"); err == nil && got.json() != mustParse(t, line).json() {
			t.Fatalf("%s passes", changed)
		}
	}
}

func mustParse(t *testing.T, line string) Marker {
	t.Helper()
	m, err := ParseMarker(line, "plan key")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMarkerHidesWhatEndsAComment(t *testing.T) {
	for _, name := range []string{"a--b", "-->", "--->", "a>b", "<!--", "--!>", "-", "---", "“x”", "a\nb", `"}`, "\xff\xfe", "--\xff>"} {
		m := Marker{V: 1, Key: Key("", []string{name}, name), PR: 7, Head: name, Plan: name, Run: name}
		line := m.line("k")
		inside := strings.TrimSuffix(strings.TrimPrefix(line, markerOpen), markerClose)
		if strings.Contains(inside, "--") || strings.Contains(inside, ">") || strings.Contains(line, "\n") {
			t.Errorf("%q: %s", name, line)
		}
		if got, err := ParseMarker(line+"\r\nbody", "k"); err != nil || got.Key != m.Key {
			t.Errorf("%q: %+v %v", name, got, err)
		}
	}
}

func TestKey(t *testing.T) {
	for _, same := range [][2]string{{"", "a/prefect.yaml"}, {"a/", "prefect.yaml"}, {"a/", "./prefect.yaml"}, {"a/b/", "../prefect.yaml"}} {
		if got := Key(same[0], []string{same[1]}, ""); got != "a/prefect.yaml#" {
			t.Errorf("%s in %s is %s", same[1], same[0], got)
		}
	}
	if got := Key("", []string{"b.yaml", "a.yaml", "b.yaml"}, "prod"); got != "a.yaml,b.yaml#prod" {
		t.Error(got)
	}
	seen := map[string][]string{}
	for _, files := range [][]string{{"a,b"}, {"a", "b"}, {"a#b"}, {"a"}, {"a%2Cb"}, {strings.Repeat("x", 400)}, {strings.Repeat("x", 401)}} {
		for _, environment := range []string{"", "b", "#b"} {
			k := Key("", files, environment)
			if seen[k] != nil {
				t.Errorf("%q and %q have the key %s", files, seen[k], k)
			}
			seen[k] = append(files, environment)
			if len(k) > 300 {
				t.Errorf("a key of %d bytes", len(k))
			}
		}
	}
}

func TestNotOurMarkers(t *testing.T) {
	for _, body := range []string{"", "x", "\n" + exampleLine, " " + exampleLine, "> " + exampleLine, strings.Replace(exampleLine, `"v":1`, `"v":2`, 1), markerOpen, markerOpen + "{" + markerClose,
		markerOpen + "null" + markerClose, markerOpen + "[]" + markerClose, markerOpen + `{"v":"1"}` + markerClose, strings.Replace(exampleLine, "9f31c2e", strings.Repeat("f", mostMarker), 1), "<!-- prefect-deploy-action-2 {\"v\":1} -->"} {
		if m, err := ParseMarker(body, ""); !errors.Is(err, ErrNoMarker) {
			t.Errorf("%q: %+v %v", body, m, err)
		}
	}
}

func TestRunBefore(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"9/1", "10/1", true}, {"10/1", "9/1", false}, {"10/1", "10/2", true}, {"10/2", "10/2", false}, {"10", "11", true}, {"", "10/1", false}, {"10/1", "x", false}, {"99999999999999999999/1", "1/1", false}} {
		if got := runBefore(c.a, c.b); got != c.want {
			t.Errorf("runBefore(%q, %q) = %v", c.a, c.b, got)
		}
	}
}

func FuzzParseMarker(f *testing.F) {
	f.Add(exampleLine+"\nbody", "")
	f.Add(Marker{Key: key, PR: 7}.line("k")+"\r\nbody", "k")
	f.Add(markerOpen+`{"v":1,"key":"`+"\xff"+`"}`+markerClose, "k")
	f.Fuzz(func(t *testing.T, body, planKey string) {
		m, err := ParseMarker(body, planKey)
		if err != nil {
			return
		}
		again, err := ParseMarker(m.line(planKey), planKey)
		m.Sig, again.Sig = "", ""
		if len(m.line("")) < mostMarker/2 && (err != nil || again.json() != m.json()) {
			t.Errorf("%+v is read back as %+v (%v)", m, again, err)
		}
	})
}

// Whatever body and footer hold, the text has one marker and one footer, and the footer alone is replaced.
func FuzzFooter(f *testing.F) {
	f.Add("body", "footer", "result")
	f.Add("<!-- prefect-deploy-action:end -->", footerOpen+"{} -->", "x\n"+footerEnd)
	f.Add("\xff\x00", "<!-<!-- prefect-deploy-action", "-->")
	f.Fuzz(func(t *testing.T, body, old, content string) {
		c := Comment{Marker: Marker{Key: key, PR: 7, Head: headA}, Body: body, Footer: old}
		text := c.text("k")
		if !utf8.ValidString(text) || strings.Count(text, "<!-- prefect-deploy-action") != 3 {
			t.Fatalf("%q", text)
		}
		before, _, after := splitFooter(text)
		replaced := before + footer{Kind: kindResult, Run: "1/1"}.text(content) + after
		if strings.Count(replaced, "<!-- prefect-deploy-action") != 3 || !strings.HasPrefix(replaced, before) || after != "" {
			t.Fatalf("%q", replaced)
		}
		if b, kind, _ := splitFooter(replaced); b != before || kind.Kind != kindResult {
			t.Fatalf("%q", replaced)
		}
		if !same(text, text, "k") {
			t.Fatalf("%q is not the same as itself", text)
		}
		_ = shown(fmt.Sprint(body, content))
	})
}
