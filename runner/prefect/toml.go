// All values of a TOML file by their place, as text: what prefect.toml and pyproject.toml need.
package prefect

import (
	"encoding/json"
	"strings"
)

// tomlEntry is one value: a text as it reads, anything else as it is written. The values of a table in braces are entries of their own.
type tomlEntry struct {
	path []string
	text string
}

func parseTOML(text string) (out []tomlEntry, err error) {
	s := &tomlScanner{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	var table []string
	for s.skipBlank(); s.more(); s.skipBlank() {
		if s.peek() == '[' {
			if table, err = s.table(); err != nil {
				return nil, err
			}
			continue
		}
		key, err := s.key()
		if err != nil {
			return nil, err
		}
		from := s.at
		value, err := s.assigned()
		if err != nil {
			return nil, err
		}
		path := append(append([]string(nil), table...), key...)
		if strings.HasPrefix(strings.TrimLeft(s.text[from:], " \t="), "{") {
			if out, err = inline(out, path, value); err != nil {
				return nil, err
			}
			continue
		}
		out = append(out, tomlEntry{path, value})
	}
	return out, nil
}

// inline reads a table in braces.
func inline(out []tomlEntry, path []string, text string) ([]tomlEntry, error) {
	s := &tomlScanner{text: text[1:], line: 1}
	for s.skipBlank(); s.more() && s.peek() != '}'; s.skipBlank() {
		key, err := s.key()
		if err != nil {
			return nil, err
		}
		if s.skipSpace(); s.next() != '=' {
			return nil, s.fail("= is missing after the key")
		}
		s.skipBlank()
		value, braces, err := s.inner()
		if err != nil {
			return nil, err
		}
		at := append(append([]string(nil), path...), key...)
		if braces {
			if out, err = inline(out, at, value); err != nil {
				return nil, err
			}
		} else {
			out = append(out, tomlEntry{at, value})
		}
		if s.skipBlank(); s.peek() == ',' {
			s.next()
		}
	}
	return out, nil
}

// inner reads a value within braces, up to the comma or brace behind it.
func (s *tomlScanner) inner() (value string, braces bool, err error) {
	if c := s.peek(); c == '"' || c == '\'' {
		value, err = s.quoted()
		return value, false, err
	}
	start, depth := s.at, 0
	for s.more() {
		switch c := s.peek(); {
		case c == '"' || c == '\'':
			if _, err := s.quoted(); err != nil {
				return "", false, err
			}
			continue
		case depth == 0 && (c == ',' || c == '}'):
			return strings.TrimSpace(s.text[start:s.at]), s.text[start] == '{', nil
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		s.next()
	}
	return "", false, s.fail("a } is missing")
}

// headerTable is the custom headers of a file as JSON, however they are written there: a text, or a table.
func headerTable(values map[string]string) string {
	if text := values[customHeader.place]; text != "" {
		return text
	}
	headers := map[string]string{}
	for place, v := range values {
		if name, ok := strings.CutPrefix(place, customHeader.place+"."); ok {
			headers[name] = v
		}
	}
	if len(headers) == 0 {
		return ""
	}
	text, _ := json.Marshal(headers) // texts can always be written
	return string(text)
}
