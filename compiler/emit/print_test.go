// Our printer against yaml.v3's: the same bytes for what is emitted, and for anything else the same meaning.
package emit

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestPrintedAsByYAML(t *testing.T) {
	const settings = "github: {runs-on: [self-hosted, x64], setup: [{uses: 'a/b@1', with: {a: b, c: [d, e], f: {g: h}, i: '1', j: 'on'}}, {run: \"one\\ntwo\\n\"}], environment: {name: e}, vars: [REGION]}, "
	for seed := range uint64(60) {
		in := input(t, strings.Replace(chance(rand.New(rand.NewPCG(seed, 9))), "x-ci: {", "x-ci: {"+settings, 1))
		in.Within = "a/b"
		root := githubOf(in).workflow()
		got, ok := printed(nil, root, 0)
		if !ok {
			t.Fatal("this is left to yaml.v3")
		}
		if want := encodeAny(root); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: %s", seed, firstDifference(string(got), string(want)))
		}
	}
}

var signs = []string{"a", "B", "7", " ", "  ", "\n", "\n\n", "\t", "\"", "'", "\\", ": ", ":", " #", "#", "-", "?", "|", ">", "%", "@", "`", "!", "&", "*", ",", "[", "]", "{", "}", "${{ x }}", "é", "🚀", "\u0085", "\u2028", "\ufeff", "\x00", "\x1b", "~", "null", "true", "on", ".5", "..", "./", "=", "<<", "---", "..."}

func anyText(r *rand.Rand) string {
	s := ""
	for range r.IntN(6) {
		s += signs[r.IntN(len(signs))]
	}
	return s
}

func anyNode(r *rand.Rand, depth int) *yaml.Node {
	var n *yaml.Node
	switch k := r.IntN(8); {
	case k < 2 && depth > 0:
		n = mapping()
		for range r.IntN(4) {
			if key := anyText(r); get(n, key) == nil {
				put(n, key, anyNode(r, depth-1))
			}
		}
	case k < 4 && depth > 0:
		n = list()
		for range r.IntN(4) {
			n.Content = append(n.Content, anyNode(r, depth-1))
		}
	case k == 4:
		return flag(r.IntN(2) == 0)
	case k == 5:
		return number(r.IntN(1000))
	default:
		return text(anyText(r))
	}
	if r.IntN(3) == 0 {
		flow(n)
	}
	return n
}

func TestPrinterAnyDocument(t *testing.T) {
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 1))
		root := mapping("k", anyNode(r, 4), "l", anyNode(r, 4))
		var want, got any
		if err := root.Decode(&want); err != nil {
			t.Fatal(err)
		}
		out, _ := printed(nil, root, 0)
		if err := yaml.Unmarshal(out, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v\n%s\nis %#v\nwant %#v\nyaml.v3 writes\n%s", seed, err, out, got, want, encodeAny(root))
		}
	}
}

// TestLeftToYAML: a form that is not printed here is met wherever it stands, and what is before the document stays.
func TestLeftToYAML(t *testing.T) {
	for name, odd := range map[string]*yaml.Node{"an alias": {Kind: yaml.AliasNode, Value: "a"}, "an anchor": {Kind: yaml.ScalarNode, Tag: "!!str", Value: "a", Anchor: "a"}, "a number": {Kind: yaml.ScalarNode, Tag: "!!float", Value: "1.5"},
		"a style": {Kind: yaml.ScalarNode, Tag: "!!str", Value: "a", Style: yaml.FoldedStyle}, "no text": {Kind: yaml.ScalarNode, Tag: "!!str", Value: "\xff"}, "a comment": {Kind: yaml.SequenceNode, Tag: "!!seq", LineComment: "# a"}} {
		for place, root := range map[string]*yaml.Node{"a value": mapping("k", odd), "an item": mapping("k", list(odd)), "in a line": mapping("k", flow(list(odd))), "deep in a line": mapping("k", flow(mapping("l", list(odd)))), "all": odd} {
			if out, ok := printed(nil, root, 0); ok {
				t.Errorf("%s as %s is printed: %s", name, place, out)
			}
		}
	}
	long := mapping(strings.Repeat("k", 121), "v")
	for _, root := range []*yaml.Node{long, mapping("k", flow(mapping("l", flow(long))))} {
		if out, ok := printed(nil, root, 0); ok {
			t.Errorf("a long key is printed: %s", out)
		}
		if out := string(encode([]byte("# before\n"), root, 0)); !strings.HasPrefix(out, "# before\n") || out[len("# before\n"):] != string(encodeAny(root)) {
			t.Errorf("%s", out)
		}
	}
}
