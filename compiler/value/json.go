// JSON in both directions with the order of keys kept: step outputs come back from Python as JSON, and a mapping that is later
// embedded in text must print its keys in the order the step made them. encoding/json's maps would sort them.
package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds nesting in both directions; encoding/json itself stops at 10,000.
const maxDepth = 10_000

// AppendJSON appends v as JSON. NaN and infinities, which JSON lacks, become null, as in Prefect's requests.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.Kind {
	case Null:
		return append(b, "null"...)
	case Bool:
		return strconv.AppendBool(b, v.Bool)
	case Int:
		if v.Text != "" {
			return append(b, v.Text...)
		}
		return strconv.AppendInt(b, v.Int, 10)
	case Float:
		if math.IsNaN(v.Float) || math.IsInf(v.Float, 0) {
			return append(b, "null"...)
		}
		return append(b, pythonFloat(v.Float)...)
	case Text:
		return appendText(b, v.Text)
	case List:
		b = append(b, '[')
		for i := range v.List {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.List[i].AppendJSON(b)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for i := range v.Map {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, v.Map[i].Key), ':')
		b = v.Map[i].Value.AppendJSON(b)
	}
	return append(b, '}')
}

// MarshalJSON makes a Value usable inside structs that encoding/json writes.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// UnmarshalJSON reads JSON with its keys in order; integers stay integers, whatever their size.
func (v *Value) UnmarshalJSON(data []byte) error {
	got, err := FromJSON(data)
	if err == nil {
		*v = got
	}
	return err
}

// appendText writes a JSON string; invalid UTF-8 becomes U+FFFD, control characters are escaped.
func appendText(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < 0x20 || r == 0x7f || r == '\u2028' || r == '\u2029':
			b = append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// FromJSON reads one JSON value; anything after it is an error.
func FromJSON(data []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decode(d, 0)
	if err != nil {
		return Value{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Value{}, errors.New("there is more text after the JSON value")
	}
	return v, nil
}

// FromPythonJSON is FromJSON for what Python's json module reads: also NaN, Infinity and -Infinity. They are null here, which is what Prefect's client sends for them.
func FromPythonJSON(data []byte) (Value, error) {
	var out []byte
	for len(data) > 0 {
		n := 1
		word := data[:1]
		switch {
		case data[0] == '"':
			n = textLength(data)
			word = data[:n]
		default:
			for _, name := range []string{"NaN", "Infinity", "-Infinity"} {
				if bytes.HasPrefix(data, []byte(name)) {
					n, word = len(name), []byte("null")
				}
			}
		}
		out, data = append(out, word...), data[n:]
	}
	return FromJSON(out)
}

// textLength is the length of the JSON text that data begins with, quotes included.
func textLength(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

func decode(d *json.Decoder, depth int) (Value, error) {
	token, err := d.Token()
	if err != nil {
		return Value{}, err
	}
	if depth > maxDepth {
		return Value{}, fmt.Errorf("JSON is nested more than %d deep", maxDepth)
	}
	switch token := token.(type) {
	case bool:
		return Of(token), nil
	case string:
		return Of(token), nil
	case json.Number:
		return number(string(token)), nil
	case json.Delim:
		if token == '[' {
			return decodeList(d, depth)
		}
		return decodeMap(d, depth)
	}
	return Value{}, nil
}

func decodeList(d *json.Decoder, depth int) (Value, error) {
	list := Value{Kind: List}
	for d.More() {
		item, err := decode(d, depth+1)
		if err != nil {
			return Value{}, err
		}
		list.List = append(list.List, item)
	}
	_, err := d.Token()
	return list, err
}

func decodeMap(d *json.Decoder, depth int) (Value, error) {
	m := Value{Kind: Map}
	index := map[string]int{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return Value{}, err
		}
		key, _ := token.(string)
		item, err := decode(d, depth+1)
		if err != nil {
			return Value{}, err
		}
		if i, twice := index[key]; twice { // the later one wins, in the first one's place, as in Python
			m.Map[i].Value = item
			continue
		}
		index[key] = len(m.Map)
		m.Map = append(m.Map, Entry{Key: key, KeyKind: Text, Value: item})
	}
	_, err := d.Token()
	return m, err
}

// number keeps what Python's json would make of the digits: a float when there is a point or an exponent, else an integer.
func number(s string) Value {
	if strings.ContainsAny(s, ".eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil { // beyond the range: an infinity, as in Python
			f = math.Inf(1)
			if s[0] == '-' {
				f = math.Inf(-1)
			}
		}
		return Of(f)
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Of(i)
	}
	return Value{Kind: Int, Text: s}
}

// Any turns v into the plain Go data that encoding/json uses: map[string]any, []any, string, bool, int64, float64, nil, and
// json.Number for integers beyond 64 bits.
func (v Value) Any() any {
	switch v.Kind {
	case Bool:
		return v.Bool
	case Int:
		if v.Text != "" {
			return json.Number(v.Text)
		}
		return v.Int
	case Float:
		return v.Float
	case Text:
		return v.Text
	case List:
		list := make([]any, len(v.List))
		for i := range v.List {
			list[i] = v.List[i].Any()
		}
		return list
	case Map:
		m := make(map[string]any, len(v.Map))
		for i := range v.Map {
			m[v.Map[i].Key] = v.Map[i].Value.Any()
		}
		return m
	}
	return nil
}
