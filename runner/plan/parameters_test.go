// Which parameters a server refuses: what 3.8.8 answered (201 or 422) to creations with enforce_parameter_schema, for the schema that Prefect makes of
//
//	def f(a: int, b: str = "x", c: float = 1.0, d: bool = False, e: List[int] = [], g: Optional[int] = None, h: Literal["p", "q"] = "p", i: datetime = None, j: dict = {}, k: Any = None)
package plan

import (
	"strings"
	"testing"

	"github.com/org/prefect-deploy-action/compiler/value"
)

const parameterSchema = `{"title": "Parameters", "type": "object", "required": ["a"], "properties": {
	"a": {"position": 0, "title": "a", "type": "integer"}, "b": {"default": "x", "position": 1, "title": "b", "type": "string"},
	"c": {"default": 1.0, "position": 2, "title": "c", "type": "number"}, "d": {"default": false, "position": 3, "title": "d", "type": "boolean"},
	"e": {"default": [], "items": {"type": "integer"}, "position": 4, "title": "e", "type": "array"},
	"g": {"anyOf": [{"type": "integer"}, {"type": "null"}], "position": 5, "title": "g"},
	"h": {"default": "p", "enum": ["p", "q"], "position": 6, "title": "h", "type": "string"},
	"i": {"format": "date-time", "position": 7, "title": "i", "type": "string"},
	"j": {"default": {}, "position": 8, "title": "j", "type": "object"}, "k": {"position": 9, "title": "k"}}}`

func TestParametersThatAServerRefuses(t *testing.T) {
	schema, err := value.FromJSON([]byte(parameterSchema))
	if err != nil {
		t.Fatal(err)
	}
	for text, refused := range map[string]bool{
		`{}`: false, `{"a":1}`: false, `{"a":"1"}`: true, `{"a":"x"}`: true, `{"a":1.0}`: false, `{"a":1.5}`: true, `{"a":true}`: true, `{"a":null}`: true, `{"b":1}`: true, `{"b":null}`: true,
		`{"c":1}`: false, `{"c":"1"}`: true, `{"d":"true"}`: true, `{"d":1}`: true, `{"e":["x"]}`: true, `{"e":"x"}`: true, `{"e":{}}`: true, `{"g":null}`: false, `{"g":"x"}`: true, `{"h":"z"}`: true,
		`{"i":"nonsense"}`: false, `{"i":5}`: true, `{"j":[]}`: true, `{"k":5}`: false, `{"zzz":1}`: false,
		`{"a":{"__prefect_kind":"json","value":"1"}}`: false, `{"j":{"x":{"$ref":{"block_document_id":"1"}}}}`: false,
	} {
		parameters, err := value.FromJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		faults := CheckParameters("f", schema, parameters)
		if (len(faults) > 0) != refused {
			t.Errorf("%s: refused by the server: %v, ours says %v", text, refused, faults)
		}
		for _, f := range faults {
			if !strings.HasPrefix(f.Message, "the flow f wants ") {
				t.Errorf("%s: %s", text, f.Message)
			}
		}
	}
	secret := value.Of([]value.Entry{{Key: "a", Value: value.Of("canary").Mark(value.Sensitive)}})
	if faults := CheckParameters("f", schema, secret); faults != nil {
		t.Errorf("a secret was judged: %v", faults)
	}
}
