// The part of TOML that profiles.toml needs: tables, dotted and quoted keys, texts in all four quotings, comments. What else may
// stand there (numbers, arrays, inline tables) is stepped over with its quoting respected, so that a bracket or a hash inside a
// text is never taken for structure. Anything that is not understood is an error with its line: a key read from the wrong profile
// would write to the wrong server.
package prefect

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

type profiles struct {
	active   string
	profiles map[string]map[string]string
}

// parseProfiles reads profiles.toml.
func parseProfiles(text string) (profiles, error) {
	s := &tomlScanner{text: strings.TrimPrefix(text, "\ufeff"), line: 1}
	out := profiles{profiles: map[string]map[string]string{}}
	var table []string
	for s.skipBlank(); s.more(); s.skipBlank() {
		if s.peek() == '[' {
			var err error
			if table, err = s.table(); err != nil {
				return profiles{}, err
			}
			out.open(table)
			continue
		}
		line := s.line
		key, err := s.key()
		if err != nil {
			return profiles{}, err
		}
		value, err := s.assigned()
		if err != nil {
			return profiles{}, err
		}
		if err := out.set(append(append([]string(nil), table...), key...), value, line); err != nil {
			return profiles{}, err
		}
	}
	return out, nil
}

func (p *profiles) open(path []string) {
	if len(path) == 2 && path[0] == "profiles" && p.profiles[path[1]] == nil {
		p.profiles[path[1]] = map[string]string{}
	}
}

func (p *profiles) set(path []string, value string, line int) error {
	switch {
	case len(path) == 1 && path[0] == "active":
		p.active = value
	case len(path) == 3 && path[0] == "profiles":
		p.open(path[:2])
		if _, twice := p.profiles[path[1]][path[2]]; twice {
			return fmt.Errorf("line %d: %s is set twice in profile %q", line, oneLine(path[2]), oneLine(path[1]))
		}
		p.profiles[path[1]][path[2]] = value
	case len(path) == 2 && path[0] == "profiles", len(path) == 1 && path[0] == "profiles":
		return fmt.Errorf("line %d: write the profile as a table: [profiles.NAME] and a line NAME = \"value\" for each setting", line)
	}
	return nil
}

type tomlScanner struct {
	text string
	at   int
	line int
}

func (s *tomlScanner) more() bool { return s.at < len(s.text) }

func (s *tomlScanner) peek() byte {
	if s.more() {
		return s.text[s.at]
	}
	return 0
}

func (s *tomlScanner) next() byte {
	c := s.peek()
	if c == '\n' {
		s.line++
	}
	s.at++
	return c
}

func (s *tomlScanner) fail(what string) error { return fmt.Errorf("line %d: %s", s.line, what) }

// skipSpace steps over blanks within a line, skipBlank also over line ends and comments.
func (s *tomlScanner) skipSpace() {
	for s.peek() == ' ' || s.peek() == '\t' || (s.peek() == '\r' && strings.HasPrefix(s.text[s.at:], "\r\n")) {
		s.at++
	}
}

func (s *tomlScanner) skipBlank() {
	for s.more() {
		switch s.skipSpace(); s.peek() {
		case '\n':
			s.next()
		case '#':
			s.skipComment()
		default:
			return
		}
	}
}

func (s *tomlScanner) skipComment() {
	for s.more() && s.peek() != '\n' {
		s.at++
	}
}

// endLine makes sure that nothing but a comment follows.
func (s *tomlScanner) endLine() error {
	if s.skipSpace(); s.peek() == '#' {
		s.skipComment()
	}
	if s.more() && s.peek() != '\n' {
		return s.fail("there is more text after the value; is a quote missing?")
	}
	return nil
}

func (s *tomlScanner) table() ([]string, error) {
	double := strings.HasPrefix(s.text[s.at:], "[[")
	s.at++
	if double {
		s.at++
	}
	path, err := s.key()
	if err != nil {
		return nil, err
	}
	for closes := 0; closes < 1 || (double && closes < 2); closes++ {
		if s.next() != ']' {
			return nil, s.fail("a table's name ends with ]")
		}
	}
	if double { // an array of tables is never a profile
		path = append([]string{"", ""}, path...)
	}
	return path, s.endLine()
}

// key reads a dotted key: a.b, a."b c", 'a'.
func (s *tomlScanner) key() ([]string, error) {
	var path []string
	for {
		s.skipSpace()
		var part string
		var err error
		switch c := s.peek(); {
		case c == '"' || c == '\'':
			part, err = s.quoted()
		default:
			start := s.at
			for c := s.peek(); c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'; c = s.peek() {
				s.at++
			}
			if part = s.text[start:s.at]; part == "" {
				err = s.fail("a key is missing here")
			}
		}
		if err != nil {
			return nil, err
		}
		path = append(path, part)
		if s.skipSpace(); s.peek() != '.' {
			return path, nil
		}
		s.at++
	}
}

// assigned reads `= value` to the line's end. Values that are no text come back as written.
func (s *tomlScanner) assigned() (string, error) {
	if s.skipSpace(); s.next() != '=' {
		return "", s.fail("= is missing after the key")
	}
	s.skipSpace()
	start := s.at
	if c := s.peek(); c == '"' || c == '\'' {
		text, err := s.quoted()
		if err != nil {
			return "", err
		}
		return text, s.endLine()
	}
	for depth := 0; s.more() && (depth > 0 || s.peek() != '\n' && s.peek() != '#'); {
		switch c := s.peek(); c {
		case '"', '\'':
			if _, err := s.quoted(); err != nil {
				return "", err
			}
			continue
		case '#':
			s.skipComment()
			continue
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		s.next()
	}
	value := strings.TrimSpace(s.text[start:min(s.at, len(s.text))])
	if value == "" {
		return "", s.fail("a value is missing after =")
	}
	return value, s.endLine()
}

// quoted reads a text in any of TOML's four quotings.
func (s *tomlScanner) quoted() (string, error) {
	quote := s.text[s.at : s.at+1]
	opened := s.line
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(s.text[s.at:], triple) {
		quote = triple
	}
	s.at += len(quote)
	if len(quote) == 3 {
		if strings.HasPrefix(s.text[s.at:], "\r\n") {
			s.at++
		}
		if s.peek() == '\n' {
			s.next()
		}
	}
	var b strings.Builder
	for s.more() {
		if strings.HasPrefix(s.text[s.at:], quote) {
			s.at += len(quote)
			return b.String(), nil
		}
		c := s.peek()
		if c == '\n' && len(quote) == 1 {
			break
		}
		s.next()
		if c == '\\' && quote[0] == '"' {
			if err := s.escape(&b, len(quote) == 3); err != nil {
				return "", err
			}
			continue
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("line %d: the text that begins here has no end", opened)
}

func (s *tomlScanner) escape(b *strings.Builder, multiline bool) error {
	c := s.next()
	if i := strings.IndexByte(`btnfr"\e`, c); i >= 0 && c != 0 {
		b.WriteByte("\b\t\n\f\r\"\\\x1b"[i])
		return nil
	}
	width := map[byte]int{'u': 4, 'U': 8}[c]
	if width > 0 && s.at+width <= len(s.text) {
		n, err := strconv.ParseUint(s.text[s.at:s.at+width], 16, 32)
		if err == nil && utf8.ValidRune(rune(n)) {
			s.at += width
			b.WriteRune(rune(n))
			return nil
		}
	}
	if multiline && (c == '\n' || c == ' ' || c == '\t' || c == '\r') { // a line that goes on
		for s.more() && strings.IndexByte(" \t\r\n", s.peek()) >= 0 {
			s.next()
		}
		return nil
	}
	return s.fail(`a backslash that TOML does not know; in single quotes it stands for itself`)
}
