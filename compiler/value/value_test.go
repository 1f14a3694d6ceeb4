// What Python prints and what JSON carries: the expected texts were printed by CPython 3.11.
package value

import (
	"math"
	"testing"
)

func TestStrAsPythonPrints(t *testing.T) {
	list := Of([]Value{Of(1), Of("two"), Of(nil), Of(true), Of(1.5)})
	cases := []struct {
		in   Value
		want string
	}{
		{Of("plain"), "plain"},
		{list, "[1, 'two', None, True, 1.5]"},
		{Of([]Entry{{Key: "a", Value: Of([]Entry{{Key: "b'", Value: Of("\n\t\x00é\u200b\U0001f680")}})}}), `{'a': {"b'": '\n\t\x00é\u200b🚀'}}`},
		{Of(1e16), "1e+16"}, {Of(123456789012345.0), "123456789012345.0"}, {Of(1e-5), "1e-05"}, {Of(0.0001), "0.0001"},
		{Of([]Value{Of("it's \"both\"")}), `['it\'s "both"']`},
		{Value{Kind: Int, Text: "123456789012345678901234567890"}, "123456789012345678901234567890"},
		{Of([]Value{}), "[]"}, {Of([]Entry{}), "{}"},
	}
	for _, c := range cases {
		if got := c.in.Str(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestJSONKeepsOrderAndNumbers(t *testing.T) {
	const text = `{"z":1,"a":[1.5,1.0,null,true,"x\"\n"],"big":123456789012345678901234567890,"m":{"y":{},"b":[]}}`
	v, err := FromJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(v.AppendJSON(nil)); got != text {
		t.Errorf("\ngot  %s\nwant %s", got, text)
	}
	if twice, _ := FromJSON([]byte(`{"a":1,"b":2,"a":3}`)); string(twice.AppendJSON(nil)) != `{"a":3,"b":2}` {
		t.Errorf("a key that stands twice: %s", twice.AppendJSON(nil))
	}
	if !Equal(Of(math.Inf(1)), Of(nil)) || !Equal(Of(math.NaN()), Of(math.Inf(-1))) || Equal(Of(math.Inf(1)), Of(0.0)) {
		t.Error("what JSON does not have is sent as null")
	}
	if !Equal(Of(1), Of(1.0)) || Equal(Of(1), Of(true)) || Equal(Of("1"), Of(1)) {
		t.Error("equality of numbers is not JSON's")
	}
}

func FuzzFromJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.5e3,"\u0000"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := FromJSON(data)
		if err != nil {
			return
		}
		again, err := FromJSON(v.AppendJSON(nil))
		if err != nil || !Equal(v, again) && v.Marks() == 0 {
			t.Fatalf("%q is read as %s, which does not read back: %v", data, v.AppendJSON(nil), err)
		}
	})
}

// TestFromPythonJSON: the three numbers that Python's json has beyond JSON are null, wherever a value may stand and nowhere else.
func TestFromPythonJSON(t *testing.T) {
	for text, want := range map[string]string{
		`NaN`: `null`, ` -Infinity `: `null`, `[NaN,Infinity,-Infinity,1]`: `[null,null,null,1]`, `{"NaN":NaN,"a":{"b":[Infinity]}}`: `{"NaN":null,"a":{"b":[null]}}`,
		`"NaN"`: `"NaN"`, `["a\"NaN", NaN, "\\", Infinity]`: `["a\"NaN",null,"\\",null]`, `"-Infinity, NaN"`: `"-Infinity, NaN"`,
		`nan`: ``, `-NaN`: ``, `+Infinity`: ``, `NaNs`: ``, `xNaN`: ``, `1NaN`: ``, `{NaN: 1}`: ``, `[NaN NaN]`: ``, `"NaN`: ``, `NaN1`: ``, `infinity`: ``, ``: ``,
	} {
		v, err := FromPythonJSON([]byte(text))
		if got := string(v.AppendJSON(nil)); want == "" && err == nil || want != "" && (err != nil || got != want) {
			t.Errorf("%s: %s, error %v, want %s", text, got, err, want)
		}
	}
}
