// What a pass does with the texts that Prefect's own templating was seen to treat in these ways (3.8.8; the oracle's template cases hold them end to end).
package template

import (
	"errors"
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

func parse(t testing.TB, text string) value.Value {
	t.Helper()
	v, err := value.FromJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func outputs(t testing.TB, text string) Lookup {
	values := parse(t, text)
	return func(p Placeholder) (value.Value, State, error) {
		if p.Kind != Output {
			return value.Value{}, Leave, nil
		}
		if v, ok := Path(values, p.Name); ok {
			return v, Found, nil
		}
		return value.Value{}, Unset, nil
	}
}

func TestPassOverOutputs(t *testing.T) {
	given := outputs(t, `{"p":{"list":[1,"two",null],"map":{"k":{"v":[true]}},"n":7,"f":1.5,"b":true,"z":null,"t":"ab"},"flat":"x"}`)
	cases := []struct{ in, drop, keep string }{
		{`"{{ p.list }}"`, `[1,"two",null]`, ``},
		{`"<{{ p.list }}|{{p.map}}>"`, `"<[1, 'two', None]|{'k': {'v': [True]}}>"`, ``},
		{`"{{ p.b }}{{ p.z }}{{ p.f }}"`, `"TrueNone1.5"`, ``},
		{`"{{ p.list[1] }}"`, `"two"`, ``},
		{`"{{ p.list[-1] }}"`, `null`, ``},
		{`"{{ p.t[0] }}"`, `"a"`, ``},
		{`{"a":"{{ gone }}","b":"x{{ gone }}y"}`, `{"b":"xy"}`, `{"a":"{{ gone }}","b":"x{{ gone }}y"}`},
		{`[1,"{{ gone }}","{{ flat }}"]`, `[1,"x"]`, `[1,"x"]`},
		{`"{{ a b }} {{}} {{ f(x) }} {{ x | upper }} {{{ flat }}}"`, `"{{ a b }} {{}} {{ f(x) }} {{ x | upper }} {x}"`, ``},
		{`{"{{ flat }}":"{{ $HOME }}"}`, `{"{{ flat }}":"{{ $HOME }}"}`, ``},
		{`"{{ p.list[9] }}"`, `null`, `"{{ p.list[9] }}"`},
		{`"{{ prefect.blocks.secret.x }}{{flat}}"`, `"{{ prefect.blocks.secret.x }}x"`, ``},
	}
	for _, c := range cases {
		for _, mode := range []struct {
			drop bool
			want string
		}{{true, c.drop}, {false, c.keep}} {
			if mode.want == "" {
				mode.want = c.drop
			}
			got, err := Apply(parse(t, c.in), Pass{Lookup: given, DropUnset: mode.drop})
			if text := string(got.AppendJSON(nil)); err != nil || text != mode.want {
				t.Errorf("%s, drop %v: got %s, %v; want %s", c.in, mode.drop, text, err, mode.want)
			}
		}
	}
}

func TestProvenanceSticks(t *testing.T) {
	lookup := func(p Placeholder) (value.Value, State, error) {
		switch p.Name {
		case "$SECRET":
			return value.Of("s3").Mark(value.Sensitive), Found, nil
		case "later.x":
			return value.Value{}.Mark(value.AfterBuild), Later, nil
		case "bad":
			return value.Value{}, Leave, errors.New("no such block")
		}
		return value.Value{}, Leave, nil
	}
	v, _ := Apply(value.Of("a-{{ $SECRET }}-{{ later.x }}"), Pass{Lookup: lookup})
	if v.Text != "a-s3-{{ later.x }}" || !v.Marks().Has(value.Sensitive|value.AfterBuild) {
		t.Errorf("%q with marks %b", v.Text, v.Marks())
	}
	if got := strings.Join(v.Refs(), " "); got != "$SECRET later.x" {
		t.Errorf("filled from %s", got)
	}
	var e *Error
	if _, err := Apply(value.Of([]value.Value{value.Of("x{{ bad }}")}), Pass{Lookup: lookup}); !errors.As(err, &e) || e.Placeholder.Name != "bad" {
		t.Errorf("the error does not name its placeholder: %v", err)
	}
}

func TestKinds(t *testing.T) {
	found := Find("{{ $$A }}{{prefect.variables.v.w}}{{ prefect.blocks.secret.a.value.b }}{{ größe }}")
	if len(found) != 4 || found[0].EnvName() != "A" || found[1].VariableName() != "v.w" || found[3].Name != "größe" {
		t.Fatalf("%+v", found)
	}
	if slug, name, path, ok := found[2].BlockPath(); slug != "secret" || name != "a" || path != "value.b" || !ok {
		t.Errorf("block path: %s %s %s", slug, name, path)
	}
}

// FuzzFind: placeholders lie inside the text, do not overlap, and each of them alone is a whole placeholder of the same name.
func FuzzFind(f *testing.F) {
	f.Add("{{ a }}{{{b}}} {{ c.d[0] }}")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for _, p := range Find(text) {
			again, ok := Whole(text[p.Start:p.End])
			if p.Start < last || !ok || again.Name != p.Name {
				t.Fatalf("%q: %+v", text, p)
			}
			last = p.End
		}
	})
}
